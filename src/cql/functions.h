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

/* `out` is none of the arguments. */
typedef corm_status (*cql_function_eval)(const cql_function *function, cql_eval_context *context,
                                         const cql_value *args, cql_value *out, corm_error *err);

/* A resolved overload. Immutable. */
struct cql_function {
    corm_str               name; /* "to_date": as the server names it */
    uint32_t               arg_count;
    const cql_type *const *args;
    const cql_type        *result;
    cql_function_eval      eval;    /* NULL for aggregates */
    bool                   is_pure; /* the same arguments give the same result */
    bool is_monotonic; /* usable in GROUP BY on a clustering column, when the arguments behind
                                          * the first are constants */
    const void *data;  /* the implementation's */
    /* aggregates */
    bool   is_aggregate;
    size_t state_size;
    void (*init)(void *state);
    corm_status (*step)(const cql_function *function, cql_eval_context *context, void *state,
                        const cql_value *args, corm_error *err);
    corm_status (*final)(const cql_function *function, cql_eval_context *context, void *state,
                         cql_value *out, corm_error *err);
};

/* Chooses the overload for arguments of the given types; an argument whose type is NULL is untyped (a bind
 * marker or null) and fits anything; `literals[i]` (may be NULL) lets a constant fit several types: see
 * cql_literal below. `receiver` is the type the result is wanted as, or NULL. CORM_INVALID with the server's words
 * ("Unknown function foo called", "Invalid call to function …, none of its type signatures match …",
 * "Ambiguous call to function …"). The function lives in the arena or is static. cql__call_resolve knows more of the
 * arguments and so says more in its messages. */
typedef enum cql_literal {
    CQL_LIT_NONE,
    CQL_LIT_STRING,
    CQL_LIT_INTEGER,
    CQL_LIT_FLOAT,
    CQL_LIT_BOOLEAN,
    CQL_LIT_UUID,
    CQL_LIT_HEX,
    CQL_LIT_DURATION,
    CQL_LIT_NULL
} cql_literal;
CORM_CHECKED corm_status cql__function_resolve(base_arena *arena, corm_str keyspace, corm_str name,
                                               const cql_type *const *arg_types,
                                               const cql_literal *literals, uint32_t arg_count,
                                               const cql_type *receiver, const cql_function **out,
                                               corm_error *err);

/* How well a value goes where a type is wanted: as it is, as another type's value, or not at all. */
typedef enum cql_fit { CQL_FIT_NOT, CQL_FIT_WEAK, CQL_FIT_EXACT } cql_fit;

/* A value of type `from` where `to` is wanted. */
cql_fit cql__type_fit(const cql_type *to, const cql_type *from);

/* A constant where `to` is wanted. `text` is the constant as written; of a STRING the content. */
cql_fit cql__literal_fit(cql_literal literal, corm_str text, const cql_type *to);

/* The type that a constant has where nothing else decides: int, bigint or varint for 5, ascii for 'a' …; NULL for
 * CQL_LIT_NONE and CQL_LIT_NULL. */
const cql_type *cql__literal_type(cql_literal literal, corm_str text);

/* An argument of a call that is being resolved. */
typedef struct cql_argument {
    const cql_type         *
        type; /* what is known of it: the type of a column, call, cast or hint; the type that a collection of
                                * constants has for itself; NULL: unknown. Constants may leave it NULL */
    cql_literal literal;    /* a constant */
    bool        is_marker;  /* ? or :name */
    uint32_t    array_size; /* in a selection: the number of elements of a literal [a, b] */
    corm_str    constant;   /* of a literal: as for cql__literal_fit */
    corm_str    text;       /* the argument as messages show it */
    /* How well it goes where a type is wanted, for what is more than a type or a constant (collection and tuple
     * literals); NULL: decided by the members above. */
    cql_fit (*fit)(void *context, const cql_type *to);
    void *context;
} cql_argument;

typedef struct cql_call {
    corm_str            keyspace; /* as written, or empty */
    corm_str            name;
    const cql_argument *args;
    uint32_t            count;
    const cql_type     *receiver; /* the type that the result is wanted as, or NULL */
    bool                is_cast;  /* written as CAST(… AS …) */
} cql_call;

/* Chooses the overload that the server chooses, or fails with its words: "Unknown function foo called", "Invalid call
 * to function …", "Ambiguous call to function …", "Type error: …", "Cannot infer type of argument …". Operators have
 * names too: "_add", "_substract", "_multiply", "_divide", "_modulo", "_negate". The function lives in the arena. */
CORM_CHECKED corm_status cql__call_resolve(base_arena *arena, const cql_call *call,
                                           const cql_function **out, corm_error *err);

/* "_add" for '+' and so on; empty for another character. */
corm_str cql__operator_function(char op);

/* Appends the signature as messages show it: system.abs : (int) -> int */
void cql__function_print(const cql_function *function, base_buf *out);

/* Whether anything can be cast to the type. (The server's "c cannot be cast to t" names the column: the checker's.) */
bool cql__is_cast_target(const cql_type *to);

/* Whether any function has the name (old camelCase aliases included). */
bool cql__function_exists(corm_str name);

/* Whether overloads of the name are made for the call (any type, any collection): such a call fits wherever it stands. */
bool cql__function_is_generic(corm_str name);

/* Names of all functions, sorted, for completion and DESCRIBE. */
const char *const *cql__function_names(size_t *count);

/* CAST(x AS type): CORM_INVALID when there is no such cast. NULL in *out when from equals to. */
CORM_CHECKED corm_status cql__cast_resolve(base_arena *arena, const cql_type *from,
                                           const cql_type *to, const cql_function **out,
                                           corm_error *err);

/* a op b: numbers by the server's promotion rules, timestamp/date +- duration, text + text. */
CORM_CHECKED corm_status cql__arith_resolve(base_arena *arena, char op, const cql_type *a,
                                            const cql_type *b, const cql_function **out,
                                            corm_error *err);
CORM_CHECKED corm_status cql__negate_resolve(base_arena *arena, const cql_type *a,
                                             const cql_function **out, corm_error *err);

/* count(*), as an aggregate of no arguments. */
const cql_function *cql__count_all(void);

/* What the similarity_* functions compute, and vector indexes order by. */
typedef enum cql_similarity {
    CQL_SIMILARITY_COSINE,
    CQL_SIMILARITY_DOT_PRODUCT,
    CQL_SIMILARITY_EUCLIDEAN
} cql_similarity;

/* Of two vectors of `count` floats in wire form: the server's result to the last bit. */
float cql__similarity(cql_similarity by, const uint8_t *a, const uint8_t *b, uint32_t count);

/* The token of partition key values, for token(): a function of the key's types that gives bigint. */
CORM_CHECKED corm_status cql__token_resolve(base_arena *arena, const cql_type *const *key_types,
                                            uint32_t count, const cql_function **out,
                                            corm_error *err);

#endif
