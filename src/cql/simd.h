// SPDX-License-Identifier: MIT
/* simd.h -- products and distances of float vectors, by the widest instructions that the processor has.
 *
 * Sums are taken in another order than the similarity functions of CQL take them, so the last bits may differ: this is for
 * finding neighbours, not for what is shown. Vectors are native floats, padded with zeros to a multiple of CQL_SIMD_LANES, and
 * may lie at any address that a float may. */
#ifndef CQL_SIMD_H
#define CQL_SIMD_H

#include "base/buf.h"

enum { CQL_SIMD_LANES = 16, CQL_SIMD_CODES = 32 };

/* Of numbers in a query of codes; with it, sums of up to 8,192 products stay below 2^31. */
enum { CQL_SIMD_MOST_QUERY = 2047, CQL_SIMD_MOST_CODES = 8192 };

static inline uint32_t cql__simd_padded(uint32_t dimension) {
    return (dimension + CQL_SIMD_LANES - 1) / CQL_SIMD_LANES * CQL_SIMD_LANES;
}

static inline uint32_t cql__simd_padded_codes(uint32_t dimension) {
    return (dimension + CQL_SIMD_CODES - 1) / CQL_SIMD_CODES * CQL_SIMD_CODES;
}

typedef struct cql_simd {
    const char *name;
    float (*product)(const float *a, const float *b, uint32_t count);
    float (*distance)(const float *a, const float *b, uint32_t count); /* squared */
    /* The same of one vector with each of several; these fetch ahead. */
    void (*products)(const float *a, const float *const *others, uint32_t other_count,
                     uint32_t count, float *out);
    void (*distances)(const float *a, const float *const *others, uint32_t other_count,
                      uint32_t count, float *out);
    /* Products of whole numbers, exact: of a query with codes of 8 bits from -127 to 127, both padded with zeros to a multiple of
     * CQL_SIMD_CODES, at most CQL_SIMD_MOST_CODES of them. */
    int32_t (*code_product)(const int16_t *query, const int8_t *codes, uint32_t count);
    void (*code_products)(const int16_t *query, const int8_t *const *others, uint32_t other_count,
                          uint32_t count, int32_t *out);
} cql_simd;

/* The best of this processor. Any thread. */
const cql_simd *cql__simd(void);

/* All that this processor can run, the plain C one first; NULL behind the last. For tests. */
const cql_simd *cql__simd_at(uint32_t index);

/* A vector<float, n> in wire form as native floats, padded; how many floats are written is cql__simd_padded(dimension). */
void cql__simd_load(const uint8_t *wire, uint32_t dimension, float *out);

#endif
