// SPDX-License-Identifier: MIT
/* vector.h -- vector indexes: what an index on vectors stores, and the graph of them that a process keeps in memory. */
#ifndef ENGINE_VECTOR_H
#define ENGINE_VECTOR_H

#include "cql/functions.h"
#include "engine/store.h"

/* An index's options with their defaults. */
typedef struct engine_vector_options {
    cql_similarity by;
    uint32_t       dimension;
    uint32_t       connections; /* of a node and a level; twice as many on the lowest */
    uint32_t       build_beam;  /* candidates that an insertion keeps */
    uint32_t       search_beam; /* at least as many are kept by a search; 0: LIMIT alone decides */
    bool           for_recall;
} engine_vector_options;

engine_vector_options engine__vector_options(const cql_index *index);

/* Whether a vector can be in the index, or be asked for: CORM_INVALID with the server's words. */
CORM_CHECKED corm_status engine__vector_check(cql_similarity by, corm_bytes vector,
                                              corm_error *err);

#endif
