// SPDX-License-Identifier: MIT
/* simd.c -- which kernels a processor runs, and the plain ones. Pure; any thread. */
#include "cql/simd.h"

#include "cql/simd_kernels.h"

/* ---- plain C ---- */

static float plain_product(const float *a, const float *b, uint32_t count) {
    float sums[CQL_SIMD_LANES] = { 0 }, sum = 0;
    for (uint32_t i = 0; i < count; i += CQL_SIMD_LANES)
        for (uint32_t j = 0; j < CQL_SIMD_LANES; j++) sums[j] += a[i + j] * b[i + j];
    for (uint32_t j = 0; j < CQL_SIMD_LANES; j++) sum += sums[j];
    return sum;
}

static float plain_distance(const float *a, const float *b, uint32_t count) {
    float sums[CQL_SIMD_LANES] = { 0 }, sum = 0;
    for (uint32_t i = 0; i < count; i += CQL_SIMD_LANES) {
        for (uint32_t j = 0; j < CQL_SIMD_LANES; j++) {
            float d = a[i + j] - b[i + j];
            sums[j] += d * d;
        }
    }
    for (uint32_t j = 0; j < CQL_SIMD_LANES; j++) sum += sums[j];
    return sum;
}

static int32_t plain_code_product(const int16_t *query, const int8_t *codes, uint32_t count) {
    int32_t sum = 0;
    for (uint32_t i = 0; i < count; i++) sum += query[i] * codes[i];
    return sum;
}

SIMD_SEVERAL(plain, )
static const cql_simd plain = SIMD_TABLE(plain, "plain");

/* ---- the choice ---- */

/* The best last. */
const cql_simd *cql__simd_at(uint32_t index) {
    const cql_simd *all[8] = { &plain };
    uint32_t        count = 1;
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("sse2")) all[count++] = &cql__simd_sse2;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        all[count++] = &cql__simd_avx2;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw"))
        all[count++] = &cql__simd_avx512;
#elif defined(__aarch64__)
    all[count++] = &cql__simd_neon;
#endif
    return index < count ? all[index] : NULL;
}

const cql_simd *cql__simd(void) {
    static const cql_simd *_Atomic chosen;
    const cql_simd                *best = chosen;
    if (best) return best;
    for (uint32_t i = 0; cql__simd_at(i); i++) best = cql__simd_at(i);
    chosen = best;
    return best;
}

void cql__simd_load(const uint8_t *wire, uint32_t dimension, float *out) {
    for (uint32_t i = 0; i < dimension; i++) {
        uint32_t bits = base__load_u32(wire + (size_t)i * 4);
        memcpy(&out[i], &bits, sizeof bits);
    }
    for (uint32_t i = dimension; i < cql__simd_padded(dimension); i++) out[i] = 0;
}
