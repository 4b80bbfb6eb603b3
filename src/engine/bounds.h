// SPDX-License-Identifier: MIT
/* bounds.h -- from a WHERE and its bind values to keys: which partitions, and which stretches of them. For readers and writers.
 *
 * Everything lives in env->context.arena. */
#ifndef ENGINE_BOUNDS_H
#define ENGINE_BOUNDS_H

#include "cql/eval.h"
#include "engine/key.h"

typedef struct engine_partition {
    corm_bytes       key; /* serialised */
    int64_t          token;
    const cql_value *values; /* one a partition key column */
} engine_partition;

/* The partitions of EQ and IN restrictions on the whole partition key, sorted by value as the server visits them, each once.
 * The server's errors for null, unset, empty and oversized keys. */
CORM_CHECKED corm_status engine__partitions(const cql_table *table, const cql_where *where,
                                            cql_eval_env *env, engine_partition **out,
                                            uint32_t *count, corm_error *err);

/* The partition of one value for each partition key column. */
CORM_CHECKED corm_status engine__partition_of(const cql_table *table, const cql_value *values,
                                              base_arena *arena, engine_partition *out,
                                              corm_error *err);

/* Where a stretch begins or ends, in values of the first clustering columns: all rows that have them are inside, or, when it is
 * not inclusive, outside. A count of 0: the partition's own edge. */
typedef struct engine_edge {
    uint32_t         count;
    bool             inclusive;
    const cql_value *values;
} engine_edge;

/* A stretch of a partition: order-form clustering bytes, [start, end). */
typedef struct engine_bound {
    corm_bytes start, end;
    const cql_value *
        row; /* not NULL: exactly the row with these clustering values, whose order form is start */
    engine_edge from,
        to; /* the same in values, when has_edges: not where columns of both directions make several stretches of one slice */
    bool has_edges;
} engine_bound;

/* The stretches that clustering restrictions allow, in clustering order, not overlapping. Without restrictions one that is
 * everything. A count of 0 when nothing can match. */
CORM_CHECKED corm_status engine__bounds(const cql_table *table, const cql_where *where,
                                        cql_eval_env *env, engine_bound **out, uint32_t *count,
                                        corm_error *err);

/* The tokens of a token(…) restriction, both inclusive; *empty when none can match. */
CORM_CHECKED corm_status engine__token_bounds(const cql_where *where, cql_eval_env *env,
                                              int64_t *lower, int64_t *upper, bool *empty,
                                              corm_error *err);

/* Whether a token is in the range of a token(…) restriction beside restrictions of the whole key. Here the minimum token is a
 * token like others, and a range that begins behind its end goes around the ring. */
CORM_CHECKED corm_status engine__token_inside(const cql_where *where, cql_eval_env *env,
                                              int64_t token, bool *inside, corm_error *err);

#endif
