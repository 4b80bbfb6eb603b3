// SPDX-License-Identifier: MIT
/* vectors_for_tests.h -- clustered vectors, the same every time, and what the nearest of them are. */
#ifndef ENGINE_VECTORS_FOR_TESTS_H
#define ENGINE_VECTORS_FOR_TESTS_H

#include <stdint.h>
#include <stdlib.h>

#include "base/buf.h"

enum { TEST_DIMENSION = 24, TEST_CLUSTERS = 40 };

typedef struct test_vectors {
    uint64_t state;
    float    centers[TEST_CLUSTERS][TEST_DIMENSION];
} test_vectors;

static inline double test_unit(test_vectors *of) {
    of->state ^= of->state << 13;
    of->state ^= of->state >> 7;
    of->state ^= of->state << 17;
    return (double)(of->state >> 11) / 9007199254740992.0;
}

/* Near enough to a normal distribution. */
static inline float test_bell(test_vectors *of) {
    double sum = -6;
    for (int i = 0; i < 12; i++) sum += test_unit(of);
    return (float)sum;
}

static inline void test_vectors_init(test_vectors *of, uint64_t seed) {
    of->state = seed * 0x9e3779b97f4a7c15ull + 1;
    for (int i = 0; i < TEST_CLUSTERS; i++)
        for (int j = 0; j < TEST_DIMENSION; j++) of->centers[i][j] = test_bell(of);
}

static inline void test_vector(test_vectors *of, float out[TEST_DIMENSION]) {
    int cluster = (int)(test_unit(of) * TEST_CLUSTERS);
    for (int j = 0; j < TEST_DIMENSION; j++)
        out[j] = of->centers[cluster][j] + 0.5f * test_bell(of);
}

static inline void test_wire(const float *vector, uint8_t out[4 * TEST_DIMENSION]) {
    for (int j = 0; j < TEST_DIMENSION; j++) {
        uint32_t bits;
        memcpy(&bits, &vector[j], sizeof bits);
        base__store_u32(out + 4 * j, bits);
    }
}

#endif
