// SPDX-License-Identifier: MIT
/* functions.h -- native functions and aggregates: the table of them, overload resolution, and evaluation on wire values.
 *
 * Pure but for now(), uuid() and the current_* functions. */
#ifndef CQL_FUNCTIONS_H
#define CQL_FUNCTIONS_H

#include "cql/codec.h"
#include "cql/numbers.h"

/* What an evaluation may need from outside. */
typedef struct cql_eval_context {
    base_arena *arena;  /* results live here */
    int64_t     now_us; /* the statement's time: now() and current_* agree within a statement */
} cql_eval_context;

typedef struct cql_function cql_function;

typedef corm_status (*cql_function_eval)(const cql_function *function, cql_eval_context *context,
                                         const cql_value *args, cql_value *out, corm_error *err);

/* A resolved overload. Immutable. */
struct cql_function {
    corm_str               name; /* "to_date": as the server names it */
    uint32_t               arg_count;
    const cql_type *const *args;
    const cql_type        *result;
    cql_function_eval      eval;      /* NULL for aggregates */
    bool                   is_pure;   /* the same arguments give the same result */
    bool                   is_monotonic; /* usable in GROUP BY on a clustering column */
    const void            *data;      /* the implementation's */
    /* aggregates */
    bool                   is_aggregate;
    size_t                 state_size;
    void (*init)(void *state);
    corm_status (*step)(const cql_function *function, cql_eval_context *context, void *state,
                        const cql_value *args, corm_error *err);
    corm_status (*final)(const cql_function *function, cql_eval_context *context, void *state, cql_value *out,
                         corm_error *err);
};

/* Chooses the overload for arguments of the given types; an argument whose type is NULL is untyped (a bind
 * marker or null) and fits anything; `literals[i]` (may be NULL) lets a constant fit several types: see
 * cql_literal below. `receiver` is the type the result is wanted as, or NULL. CORM_INVALID with the server's words
 * ("Unknown function foo called", "Invalid call to function …, none of its type signatures match …",
 * "Ambiguous call to function …"). The function lives in the arena or is static. */
typedef enum cql_literal { CQL_LIT_NONE, CQL_LIT_STRING, CQL_LIT_INTEGER, CQL_LIT_FLOAT, CQL_LIT_BOOLEAN, CQL_LIT_UUID, CQL_LIT_HEX, CQL_LIT_DURATION, CQL_LIT_NULL } cql_literal;
CORM_CHECKED corm_status cql__function_resolve(base_arena *arena, corm_str keyspace, corm_str name,
                                               const cql_type *const *arg_types, const cql_literal *literals,
                                               uint32_t arg_count, const cql_type *receiver,
                                               const cql_function **out, corm_error *err);

/* Whether any function has the name (old camelCase aliases included). */
bool cql__function_exists(corm_str name);

/* Names of all functions, sorted, for completion and DESCRIBE. */
const char *const *cql__function_names(size_t *count);

/* CAST(x AS type): CORM_INVALID when there is no such cast. NULL in *out when from equals to. */
CORM_CHECKED corm_status cql__cast_resolve(base_arena *arena, const cql_type *from, const cql_type *to,
                                           const cql_function **out, corm_error *err);

/* a op b: numbers by the server's promotion rules, timestamp/date +- duration, text + text. */
CORM_CHECKED corm_status cql__arith_resolve(base_arena *arena, char op, const cql_type *a, const cql_type *b,
                                            const cql_function **out, corm_error *err);
CORM_CHECKED corm_status cql__negate_resolve(base_arena *arena, const cql_type *a, const cql_function **out,
                                             corm_error *err);

/* count(*), as an aggregate of no arguments. */
const cql_function *cql__count_all(void);

/* The token of partition key values, for token(): a function of the key's types that gives bigint. */
CORM_CHECKED corm_status cql__token_resolve(base_arena *arena, const cql_type *const *key_types, uint32_t count,
                                            const cql_function **out, corm_error *err);

#endif
