// SPDX-License-Identifier: MIT
/* hnsw_code_test.c -- searches by codes find what exact ones find, whatever the vectors are like. */
#include "engine/hnsw_internal.h"
#include "engine/vectors_for_tests.h"
#include "testing/check.h"

enum { NODES = 2600, QUERIES = 50, NEAREST = 10, BEAM = 60, WIRE = 4 * TEST_DIMENSION };

/* What becomes of the vectors of the source. */
typedef void (*shape)(float *vector, uint32_t number);

static void as_they_are(float *vector, uint32_t number) {
    (void)vector, (void)number;
}

static void far_from_the_origin(float *vector, uint32_t number) {
    (void)number;
    for (uint32_t i = 0; i < TEST_DIMENSION; i++) vector[i] += (i % 2 ? 5000.0f : -3000.0f);
}

static void of_many_sizes(float *vector, uint32_t number) {
    float scale = number % 5 == 0 ? 1e6f : number % 5 == 1 ? 1e-6f : 1;
    for (uint32_t i = 0; i < TEST_DIMENSION; i++) vector[i] *= scale;
}

/* The near ones differ by far less than a step of a code. */
static void in_two_small_heaps(float *vector, uint32_t number) {
    for (uint32_t i = 0; i < TEST_DIMENSION; i++)
        vector[i] = vector[i] * 1e-2f + (number % 2 ? 1e3f : -1e3f);
}

/* So large that squares cannot be summed, or vanish. */
static void without_bounds(float *vector, uint32_t number) {
    for (uint32_t i = 0; i < TEST_DIMENSION; i++) vector[i] *= number % 3 ? 1e-25f : 1e17f;
}

static void next_wire(test_vectors *source, shape form, uint32_t number, uint8_t *out) {
    float vector[TEST_DIMENSION];
    test_vector(source, vector);
    form(vector, number);
    test_wire(vector, out);
}

static const hnsw_options by_distance = { TEST_DIMENSION, true, false, 12, 60 },
                          by_cosine = { TEST_DIMENSION, false, true, 12, 60 },
                          by_product = { TEST_DIMENSION, false, false, 12, 60 };

static hnsw *make(const hnsw_options *options, test_vectors *source, shape form) {
    corm_error err = { 0 };
    hnsw      *graph;
    uint8_t    wire[WIRE];
    test_vectors_init(source, 11);
    assert_ok(hnsw__new(options, &graph, &err), err);
    for (uint32_t id = 0; id < NODES; id++) {
        next_wire(source, form, id, wire);
        assert_ok(hnsw__put(graph, id, wire, &err), err);
    }
    return graph;
}

static bool is_among(float distance, const hnsw_hit *hits, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (hits[i].distance == distance) return true;
    }
    return false;
}

/* Hits count as found by their distances: these are exact. */
static double recall(hnsw *graph, test_vectors *source, shape form) {
    uint32_t found = 0, wanted = 0;
    for (uint32_t i = 0; i < QUERIES; i++) {
        hnsw_hit   exact[NEAREST], hits[BEAM];
        uint32_t   exact_count, count;
        corm_error err = { 0 };
        uint8_t    wire[WIRE];
        next_wire(source, form, i, wire);
        assert_ok(hnsw__scan(graph, wire, NEAREST, exact, &exact_count, &err), err);
        assert_ok(hnsw__search(graph, wire, BEAM, hits, &count, &err), err);
        for (uint32_t j = 1; j < count; j++) assert_true(hits[j - 1].distance <= hits[j].distance);
        for (uint32_t j = 0; j < exact_count; j++)
            found += is_among(exact[j].distance, hits, count);
        wanted += exact_count;
    }
    return (double)found / wanted;
}

static void check_recall(const hnsw_options *options, shape form, double least) {
    test_vectors source;
    hnsw        *graph = make(options, &source, form);
    assert_non_null(graph->code_center);
    double found = recall(graph, &source, form);
    if (found < least) fail_msg("recall %g", found);
    hnsw__unref(graph);
}

static void codes_find_what_is_near(void **unused) {
    (void)unused;
    check_recall(&by_distance, as_they_are, 0.97);
    check_recall(&by_cosine, as_they_are, 0.97);
    check_recall(&by_product, as_they_are, 0.9);
}

static void codes_find_what_is_near_far_from_the_origin(void **unused) {
    (void)unused;
    check_recall(&by_distance, far_from_the_origin, 0.97);
    check_recall(&by_cosine, far_from_the_origin, 0.95);
}

static void codes_find_what_is_near_among_vectors_of_many_sizes(void **unused) {
    (void)unused;
    check_recall(&by_distance, of_many_sizes, 0.95);
    check_recall(&by_cosine, of_many_sizes, 0.97);
}

static void codes_that_tell_nothing_apart_are_left_alone(void **unused) {
    test_vectors source;
    (void)unused;
    hnsw *graph = make(&by_distance, &source, in_two_small_heaps);
    assert_true(recall(graph, &source, in_two_small_heaps) > 0.95);
    assert_true(atomic_load(&graph->doubt) > 0);
    hnsw__unref(graph);
}

/* What is found does not matter: nothing breaks. */
static void numbers_that_cannot_be_coded_are_searched_too(void **unused) {
    test_vectors source;
    (void)unused;
    hnsw *graph = make(&by_distance, &source, without_bounds);
    assert_true(recall(graph, &source, without_bounds) >= 0);
    hnsw__unref(graph);
}

static void codes_are_made_anew_when_all_vectors_are_others(void **unused) {
    corm_error   err = { 0 };
    test_vectors source;
    uint8_t      wire[WIRE];
    (void)unused;
    hnsw *graph = make(&by_distance, &source, as_they_are);
    float before = graph->code_center[0];
    for (uint32_t id = 0; id < NODES; id++) {
        next_wire(&source, far_from_the_origin, id, wire);
        assert_ok(hnsw__put(graph, id, wire, &err), err);
        if (id % 100 == 0) hnsw__settle(graph);
    }
    hnsw__settle(graph);
    assert_true(graph->code_center[0] != before);
    assert_true(recall(graph, &source, far_from_the_origin) > 0.95);
    hnsw__unref(graph);
}

static void a_few_vectors_have_no_codes(void **unused) {
    corm_error   err = { 0 };
    test_vectors source;
    uint8_t      wire[WIRE];
    hnsw        *graph;
    (void)unused;
    test_vectors_init(&source, 3);
    assert_ok(hnsw__new(&by_distance, &graph, &err), err);
    size_t before = hnsw__memory(graph);
    for (uint32_t id = 0; id < 100; id++) {
        next_wire(&source, as_they_are, id, wire);
        assert_ok(hnsw__put(graph, id, wire, &err), err);
    }
    assert_null(graph->code_center);
    assert_true(hnsw__memory(graph) > before);
    hnsw__unref(graph);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(codes_find_what_is_near),
    cmocka_unit_test(codes_find_what_is_near_far_from_the_origin),
    cmocka_unit_test(codes_find_what_is_near_among_vectors_of_many_sizes),
    cmocka_unit_test(codes_that_tell_nothing_apart_are_left_alone),
    cmocka_unit_test(numbers_that_cannot_be_coded_are_searched_too),
    cmocka_unit_test(codes_are_made_anew_when_all_vectors_are_others),
    cmocka_unit_test(a_few_vectors_have_no_codes),
};

RUN_TESTS()
