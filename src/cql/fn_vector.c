// SPDX-License-Identifier: MIT
/* fn_vector.c -- the similarity of two float vectors, from 0 to 1 for the usual ones.
 *
 * Floats are summed in the order of the server's library, blocks of eight, so that the last bit agrees. Pure; any
 * thread. */
#include <math.h>

#include "cql/fn.h"

enum { BLOCK = 8 };

static float at(const uint8_t *vector, uint32_t i) {
    uint32_t bits = base__load_u32(vector + (size_t)i * 4);
    float    v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

static float product(const uint8_t *a, const uint8_t *b, uint32_t i) {
    return at(a, i) * at(b, i);
}

static float square(const uint8_t *a, const uint8_t *b, uint32_t i) {
    float d = at(a, i) - at(b, i);
    return d * d;
}

static float dot(const uint8_t *a, const uint8_t *b, uint32_t count) {
    float    sum = 0;
    uint32_t i = 0;
    for (; i < count % BLOCK; i++) sum += product(a, b, i);
    for (; i < count; i += BLOCK) {
        float block = product(a, b, i);
        for (uint32_t j = 1; j < BLOCK; j++) block += product(a, b, i + j);
        sum += block;
    }
    return sum;
}

static float distance(const uint8_t *a, const uint8_t *b, uint32_t count) {
    float    sum = 0;
    uint32_t i = 0;
    for (; i + BLOCK <= count; i += BLOCK) {
        float block = square(a, b, i);
        for (uint32_t j = 1; j < BLOCK; j++) block += square(a, b, i + j);
        sum += block;
    }
    for (; i < count; i++) sum += square(a, b, i);
    return sum;
}

static float cosine(const uint8_t *a, const uint8_t *b, uint32_t count) {
    float sum = 0, a_norm = 0, b_norm = 0;
    for (uint32_t i = 0; i < count; i++) {
        sum += product(a, b, i);
        a_norm += product(a, a, i);
        b_norm += product(b, b, i);
    }
    return (float)((double)sum / sqrt((double)a_norm * (double)b_norm));
}

static float cosine_score(const uint8_t *a, const uint8_t *b, uint32_t count) {
    return (1 + cosine(a, b, count)) / 2;
}

static float dot_score(const uint8_t *a, const uint8_t *b, uint32_t count) {
    return (1 + dot(a, b, count)) / 2;
}

static float distance_score(const uint8_t *a, const uint8_t *b, uint32_t count) {
    return 1 / (1 + distance(a, b, count));
}

float cql__similarity(cql_similarity by, const uint8_t *a, const uint8_t *b, uint32_t count) {
    if (by == CQL_SIMILARITY_COSINE) return cosine_score(a, b, count);
    return by == CQL_SIMILARITY_EUCLIDEAN ? distance_score(a, b, count) : dot_score(a, b, count);
}

typedef struct similarity {
    float (*score)(const uint8_t *a, const uint8_t *b, uint32_t count);
    bool refuses_zero;
} similarity;

static bool is_zero(const uint8_t *vector, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (at(vector, i) != 0) return false;
    }
    return true;
}

static corm_status eval_similarity(const cql_function *function, cql_eval_context *context,
                                   const cql_value *args, cql_value *out, corm_error *err) {
    const similarity *s = function->data;
    uint32_t          count = function->args[0]->dimension;
    size_t            size = (size_t)count * 4;
    *out = CQL_NULL;
    if (cql__is_null(args[0]) || cql__is_null(args[1])) return CORM_OK;
    if ((size_t)args[0].len != size || (size_t)args[1].len != size) {
        return base__fail(err, CORM_INVALID, "Expected %zu bytes but got %d", size,
                          (int)((size_t)args[0].len != size ? args[0].len : args[1].len));
    }
    if (s->refuses_zero && (is_zero(args[0].data, count) || is_zero(args[1].data, count))) {
        return base__fail(err, CORM_INVALID,
                          "Function system.%.*s doesn't support all-zero vectors.",
                          (int)function->name.len, function->name.data);
    }
    return cql__fn_give_f32(context, s->score(args[0].data, args[1].data, count), out, err);
}

static corm_status make_similarity(const cql_factory *factory, base_arena *arena,
                                   const cql_type *receiver, cql_function *out, corm_error *err) {
    (void)factory;
    (void)arena;
    (void)receiver;
    if (out->args[0]->dimension != out->args[1]->dimension) {
        return base__fail(err, CORM_INVALID, "All arguments must have the same vector dimensions");
    }
    out->eval = eval_similarity;
    out->result = cql__type_native(CQL_FLOAT);
    return CORM_OK;
}

const cql_factory *cql__fn_vector_factories(size_t *count) {
    static const similarity by_cosine = { cosine_score, true },
                            by_distance = { distance_score, false };
    static const similarity  by_dot = { dot_score, false };
    static const cql_factory factories[] = {
        { "similarity_cosine",
          NULL,
          2,
          2,
          { CQL_FN_FLOAT_VECTOR, CQL_FN_FLOAT_VECTOR },
          make_similarity,
          &by_cosine },
        { "similarity_euclidean",
          NULL,
          2,
          2,
          { CQL_FN_FLOAT_VECTOR, CQL_FN_FLOAT_VECTOR },
          make_similarity,
          &by_distance },
        { "similarity_dot_product",
          NULL,
          2,
          2,
          { CQL_FN_FLOAT_VECTOR, CQL_FN_FLOAT_VECTOR },
          make_similarity,
          &by_dot },
    };
    *count = sizeof factories / sizeof *factories;
    return factories;
}
