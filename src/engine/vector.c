// SPDX-License-Identifier: MIT
/* vector.c -- options of vector indexes, and which vectors they take. Pure; any thread. */
#include "engine/vector.h"

#include <math.h>

#include "base/text.h"
#include "cql/java.h"

static corm_str option(const cql_index *index, const char *name) {
    for (uint32_t i = 0; i < index->option_count; i++) {
        if (corm_str_equal(index->options[2 * i], corm_str_of(name)))
            return index->options[2 * i + 1];
    }
    return (corm_str){ NULL, 0 };
}

static uint32_t number(const cql_index *index, const char *name, uint32_t otherwise) {
    corm_str text = option(index, name);
    int32_t  value;
    return text.data && cql__java_int(text, &value) && value > 0 ? (uint32_t)value : otherwise;
}

static bool is_word(corm_str text, const char *word) {
    return text.data && base__str_equal_nocase(text, corm_str_of(word));
}

/* A graph of fewer connections falls apart. */
enum { LEAST_CONNECTIONS = 4 };

static uint32_t at_least(uint32_t least, uint32_t value) {
    return value < least ? least : value;
}

engine_vector_options engine__vector_options(const cql_index *index) {
    corm_str function = option(index, "similarity_function");
    return (engine_vector_options){
        .by = is_word(function, "euclidean")     ? CQL_SIMILARITY_EUCLIDEAN
              : is_word(function, "dot_product") ? CQL_SIMILARITY_DOT_PRODUCT
                                                 : CQL_SIMILARITY_COSINE,
        .dimension = index->column->type->dimension,
        .connections = at_least(LEAST_CONNECTIONS, number(index, "maximum_node_connections", 16)),
        .build_beam = number(index, "construction_beam_width", 100),
        .search_beam = number(index, "search_beam_width", 0),
        .for_recall = is_word(option(index, "optimize_for"), "recall"),
    };
}

corm_status engine__vector_check(cql_similarity by, corm_bytes vector, corm_error *err) {
    const float largest = 1e17f;
    float       squares = 0;
    for (uint32_t i = 0; i < vector.len / 4; i++) {
        uint32_t bits = base__load_u32(vector.data + (size_t)i * 4);
        float    value;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value))
            return base__fail(err, CORM_INVALID, "non-finite value at vector[%u]=%g", i,
                              (double)value);
        if (fabsf(value) > largest)
            return base__fail(err, CORM_INVALID, "Out-of-bounds value at vector[%u]=%g", i,
                              (double)value);
        squares += value * value;
    }
    if (squares > 0 || by != CQL_SIMILARITY_COSINE) return CORM_OK;
    return base__fail(err, CORM_INVALID,
                      "Zero vectors cannot be indexed or queried with cosine similarity");
}
