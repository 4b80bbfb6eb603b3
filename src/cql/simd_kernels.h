// SPDX-License-Identifier: MIT
/* simd_kernels.h -- what the files with kernels share; only they and simd.c include it. */
#ifndef CQL_SIMD_KERNELS_H
#define CQL_SIMD_KERNELS_H

#include "cql/simd.h"

extern const cql_simd cql__simd_sse2, cql__simd_avx2, cql__simd_avx512, cql__simd_neon;

static inline void simd_fetch(const float *vector, uint32_t count) {
    for (uint32_t i = 0; i < count; i += CQL_SIMD_LANES) __builtin_prefetch(vector + i);
}

static inline void simd_fetch_codes(const int8_t *codes, uint32_t count) {
    for (uint32_t i = 0; i < count; i += 64) __builtin_prefetch(codes + i);
    __builtin_prefetch(codes + count - 1);
}

/* NAME_products, NAME_distances and NAME_code_products from the kernels of two vectors: while one is computed the next one comes. */
#define SIMD_SEVERAL(name, attribute)                                                              \
    attribute static void name##_products(const float *a, const float *const *others,              \
                                          uint32_t other_count, uint32_t count, float *out) {      \
        for (uint32_t i = 0; i < other_count; i++) {                                               \
            if (i + 1 < other_count) simd_fetch(others[i + 1], count);                             \
            out[i] = name##_product(a, others[i], count);                                          \
        }                                                                                          \
    }                                                                                              \
    attribute static void name##_distances(const float *a, const float *const *others,             \
                                           uint32_t other_count, uint32_t count, float *out) {     \
        for (uint32_t i = 0; i < other_count; i++) {                                               \
            if (i + 1 < other_count) simd_fetch(others[i + 1], count);                             \
            out[i] = name##_distance(a, others[i], count);                                         \
        }                                                                                          \
    }                                                                                              \
    attribute static void name##_code_products(const int16_t *query, const int8_t *const *others,  \
                                               uint32_t other_count, uint32_t count,               \
                                               int32_t *out) {                                     \
        for (uint32_t i = 0; i < other_count; i++) {                                               \
            if (i + 2 < other_count) simd_fetch_codes(others[i + 2], count);                       \
            out[i] = name##_code_product(query, others[i], count);                                 \
        }                                                                                          \
    }

#define SIMD_TABLE(name, text)                                                                     \
    {                                                                                              \
        text, name##_product, name##_distance, name##_products, name##_distances,                  \
            name##_code_product, name##_code_products                                              \
    }

#endif
