// SPDX-License-Identifier: MIT
/* simd_test.c -- every kernel that this processor runs against sums in double precision. */
#include "cql/simd.h"

#include <math.h>

#include "testing/check.h"

enum { MOST = 2048 };

static uint64_t state = 88172645463325252ull;

static float any_float(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (float)((double)(state >> 11) / (double)(1ull << 53) * 4 - 2);
}

static void fill(float *to, uint32_t dimension) {
    for (uint32_t i = 0; i < cql__simd_padded(dimension); i++)
        to[i] = i < dimension ? any_float() : 0;
}

typedef struct sums {
    double product, distance, size; /* size: of the terms, by which rounding is judged */
} sums;

static sums exact(const float *a, const float *b, uint32_t dimension) {
    sums of = { 0, 0, 0 };
    for (uint32_t i = 0; i < dimension; i++) {
        double d = (double)a[i] - (double)b[i];
        of.product += (double)a[i] * (double)b[i];
        of.distance += d * d;
        of.size += fabs((double)a[i] * (double)b[i]) + d * d;
    }
    return of;
}

static void assert_close(double actual, double expected, double size, const char *name) {
    if (fabs(actual - expected) > 1e-5 * (size + 1)) {
        fail_msg("%s: %.9g instead of %.9g", name, actual, expected);
    }
}

static void check_one(const cql_simd *simd, const float *a, const float *b, uint32_t dimension) {
    sums     wanted = exact(a, b, dimension);
    uint32_t count = cql__simd_padded(dimension);
    assert_close((double)simd->product(a, b, count), wanted.product, wanted.size, simd->name);
    assert_close((double)simd->distance(a, b, count), wanted.distance, wanted.size, simd->name);
}

static void every_kernel_agrees_with_exact_sums(void **unused) {
    static float room_a[MOST + CQL_SIMD_LANES + 1], room_b[MOST + CQL_SIMD_LANES + 1];
    (void)unused;
    for (uint32_t dimension = 1; dimension <= MOST; dimension += dimension < 70 ? 1 : 97) {
        float *a = room_a + dimension % 2, *b = room_b + dimension % 3 % 2; /* also unaligned */
        fill(a, dimension);
        fill(b, dimension);
        for (uint32_t i = 0; cql__simd_at(i); i++) check_one(cql__simd_at(i), a, b, dimension);
    }
}

static void several_are_the_same_as_one_by_one(void **unused) {
    enum { OTHERS = 37, COUNT = 96 };
    static float a[COUNT], others[OTHERS][COUNT];
    const float *pointers[OTHERS];
    float        out[OTHERS];
    (void)unused;
    fill(a, COUNT);
    for (uint32_t i = 0; i < OTHERS; i++) {
        fill(others[i], COUNT);
        pointers[i] = others[i];
    }
    for (uint32_t k = 0; cql__simd_at(k); k++) {
        const cql_simd *simd = cql__simd_at(k);
        simd->products(a, pointers, OTHERS, COUNT, out);
        for (uint32_t i = 0; i < OTHERS; i++)
            assert_true(out[i] == simd->product(a, others[i], COUNT));
        simd->distances(a, pointers, OTHERS, COUNT, out);
        for (uint32_t i = 0; i < OTHERS; i++)
            assert_true(out[i] == simd->distance(a, others[i], COUNT));
    }
}

static void fill_codes(int16_t *query, int8_t *codes, uint32_t dimension, bool extreme) {
    for (uint32_t i = 0; i < cql__simd_padded_codes(dimension); i++) {
        bool is_there = i < dimension;
        query[i] = (int16_t)(is_there ? extreme ? CQL_SIMD_MOST_QUERY : any_float() * 1023 : 0);
        codes[i] = (int8_t)(is_there ? extreme ? -127 : any_float() * 63 : 0);
    }
}

/* Also the largest sum that there can be. */
static void every_kernel_has_the_same_products_of_codes(void **unused) {
    static int16_t query[CQL_SIMD_MOST_CODES];
    static int8_t  codes[CQL_SIMD_MOST_CODES + 8];
    (void)unused;
    for (uint32_t dimension = 1; dimension <= CQL_SIMD_MOST_CODES;
         dimension += dimension < 130 ? 1 : 1007) {
        uint32_t count = cql__simd_padded_codes(dimension);
        fill_codes(query, codes + dimension % 8, dimension, dimension % 2);
        int64_t sum = 0;
        for (uint32_t i = 0; i < count; i++) sum += query[i] * codes[dimension % 8 + i];
        for (uint32_t i = 0; cql__simd_at(i); i++)
            assert_int_equal(cql__simd_at(i)->code_product(query, codes + dimension % 8, count),
                             sum);
    }
    fill_codes(query, codes, CQL_SIMD_MOST_CODES, true);
    for (uint32_t i = 0; cql__simd_at(i); i++)
        assert_int_equal(cql__simd_at(i)->code_product(query, codes, CQL_SIMD_MOST_CODES),
                         -127 * CQL_SIMD_MOST_QUERY * CQL_SIMD_MOST_CODES);
}

static void several_codes_are_the_same_as_one_by_one(void **unused) {
    enum { OTHERS = 19, COUNT = 96 };
    int16_t       query[COUNT];
    int8_t        codes[OTHERS][COUNT];
    const int8_t *pointers[OTHERS];
    int32_t       out[OTHERS];
    (void)unused;
    for (uint32_t i = 0; i < OTHERS; i++) {
        fill_codes(query, codes[i], COUNT - 3, false);
        pointers[i] = codes[i];
    }
    for (uint32_t k = 0; cql__simd_at(k); k++) {
        cql__simd_at(k)->code_products(query, pointers, OTHERS, COUNT, out);
        for (uint32_t i = 0; i < OTHERS; i++)
            assert_int_equal(out[i], cql__simd_at(k)->code_product(query, codes[i], COUNT));
    }
}

static void the_best_kernel_is_the_last_one(void **unused) {
    uint32_t count = 0;
    (void)unused;
    while (cql__simd_at(count)) count++;
    assert_true(count >= 1);
    assert_ptr_equal(cql__simd(), cql__simd_at(count - 1));
}

static void a_vector_is_loaded_and_padded(void **unused) {
    static const uint8_t wire[] = { 0x3f, 0x80, 0, 0, 0xc0, 0, 0, 0, 0x3f, 0, 0, 0 };
    float                out[CQL_SIMD_LANES];
    (void)unused;
    for (int i = 0; i < CQL_SIMD_LANES; i++) out[i] = 9;
    cql__simd_load(wire, 3, out);
    assert_true(out[0] == 1 && out[1] == -2 && out[2] == 0.5f);
    for (int i = 3; i < CQL_SIMD_LANES; i++) assert_true(out[i] == 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_kernel_agrees_with_exact_sums),
    cmocka_unit_test(several_are_the_same_as_one_by_one),
    cmocka_unit_test(every_kernel_has_the_same_products_of_codes),
    cmocka_unit_test(several_codes_are_the_same_as_one_by_one),
    cmocka_unit_test(the_best_kernel_is_the_last_one),
    cmocka_unit_test(a_vector_is_loaded_and_padded),
};

RUN_TESTS()
