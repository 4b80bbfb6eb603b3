// SPDX-License-Identifier: MIT
/* eval.h -- evaluates typed expressions on bind values and a row. Pure but for now() and the like. */
#ifndef CQL_EVAL_H
#define CQL_EVAL_H

#include "cql/check.h"

/* The row an expression is evaluated on. */
typedef struct cql_row_view {
    const cql_value *columns; /* by cql_column.index; only the needed ones are filled */
    /* WRITETIME, MAXWRITETIME, TTL of node->args[0]; NULL function where no row has them. */
    corm_status (*metadata)(void *context, const cql_node *node, cql_value *out, corm_error *err);
    void *context;
} cql_row_view;

typedef struct cql_eval_env {
    cql_eval_context    context;
    uint32_t            marker_count;
    const cql_value    *markers;    /* validated bind values */
    const cql_row_view *row;        /* NULL: constants and markers only */
    const cql_value    *aggregates; /* results, for AGGREGATE nodes */
} cql_eval_env;

/* *out borrows from the arena, the markers, the row or the node. Unset comes out only of a MARKER node itself; inside another
 * expression it is CORM_INVALID. */
CORM_CHECKED corm_status cql__eval(const cql_node *node, cql_eval_env *env, cql_value *out,
                                   corm_error *err);

/* INSERT … JSON as an INSERT of values: an assignment for each column, the key as EQ restrictions. In the arena of env. */
CORM_CHECKED corm_status cql__json_insert(const cql_checked_modify *modify, cql_eval_env *env,
                                          cql_checked_modify *out, corm_error *err);

/* To be called before every execution, also without values. Validates every bind value against its marker's type, unset
 * allowed (where it is not, whoever uses it refuses).
 * CORM_INVALID for too few or too many values, with the server's words. */
CORM_CHECKED corm_status cql__check_values(const cql_checked *checked, const cql_value *values,
                                           uint32_t count, corm_error *err);

/* Refuses null and unset terms of filters with the server's words; to be called once before rows are read, since a query that
 * finds no row is refused too. */
CORM_CHECKED corm_status cql__check_filters(const cql_where *where, cql_eval_env *env,
                                            corm_error *err);

/* Whether a row passes all filters (null never does). */
CORM_CHECKED corm_status cql__filter_row(const cql_filter *filters, uint32_t count,
                                         cql_eval_env *env, bool *pass, corm_error *err);

/* Whether `value op term` holds, for conditions and filters on values of a type; LIKE by ScyllaDB's rules (% _ \). Null
 * is equal to null and to an empty collection of cells, and not ordered: CORM_INVALID. IN: `term` is a list. */
CORM_CHECKED corm_status cql__compare_op(const cql_type *type, cql_value value, cql_operator op,
                                         cql_value term, bool *holds, corm_error *err);

/* LIMIT and PER PARTITION LIMIT: the number, UINT32_MAX when absent or unset; CORM_INVALID when null or not positive. */
CORM_CHECKED corm_status cql__eval_limit(const cql_node *node, cql_eval_env *env, uint32_t *out,
                                         corm_error *err);

#endif
