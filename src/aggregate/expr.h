// SPDX-License-Identifier: MIT
/* expr.h -- expressions: parsed from text, bound to the columns of a stage, worked out for a batch at a time. */
#ifndef AGGREGATE_EXPR_H
#define AGGREGATE_EXPR_H

#include "aggregate/column.h"
#include "corm/value.h"

/* ---- as written: parse.c ---- */

typedef enum agg_node_kind {
    AGG_NAME,
    AGG_NUMBER,
    AGG_STRING,
    AGG_PARAMETER,
    AGG_TRUTH, /* "true" or "false" */
    AGG_NOTHING,
    AGG_STAR,
    AGG_VALUE, /* of the program's */
    AGG_CALL
} agg_node_kind;

typedef struct agg_node agg_node;
struct agg_node {
    agg_node_kind     kind;
    bool              distinct; /* count(distinct x) */
    corm_str          text;     /* name, digits, string; function or operator */
    const corm_value *value;    /* AGG_VALUE */
    uint32_t          count;
    agg_node        **args;
};

typedef struct agg_named {
    corm_str  name; /* what stands behind AS, a column's own name, or the text */
    agg_node *node;
} agg_named;

enum { AGG_MOST_ARGS = 256, AGG_MOST_ITEMS = 256 };

/* All live in the arena; `text` is copied. */
CORM_CHECKED corm_status agg__parse(base_arena *arena, corm_str text, agg_node **out,
                                    corm_error *err);
CORM_CHECKED corm_status agg__parse_list(base_arena *arena, corm_str text, agg_named **items,
                                         uint32_t *count, corm_error *err);
agg_node                *agg__node_new(base_arena *arena, agg_node_kind kind, corm_str text);
agg_node *agg__call_new(base_arena *arena, const char *name, uint32_t count, agg_node *a,
                        agg_node *b, agg_node *c);

/* ---- bound: bind.c ---- */

typedef struct agg_parameter agg_parameter;
struct agg_parameter {
    agg_parameter *next;
    corm_str       name;
    corm_value     value;
};

typedef struct agg_binding {
    base_arena          *arena;
    const agg_scope     *scope;
    const agg_parameter *parameters;
} agg_binding;

typedef struct agg_function agg_function;
typedef struct agg_expr     agg_expr;

typedef enum agg_expr_kind { AGG_COLUMN, AGG_CONSTANT, AGG_FUNCTION } agg_expr_kind;

struct agg_expr {
    agg_expr_kind       kind;
    const cql_type     *type;
    uint32_t            column;    /* AGG_COLUMN */
    agg_column          cell;      /* AGG_CONSTANT: one row */
    const corm_value   *literal;   /* AGG_CONSTANT: from what it is made again for another type */
    bool                is_digits; /* the literal is the text of a number */
    const agg_function *function;
    int32_t             detail; /* the function's: an operator, a unit */
    uint32_t            count;
    agg_expr          **args;
};

/* What a kernel works with. */
typedef struct agg_work {
    base_arena *arena; /* of the results of this batch */
    uint32_t    count; /* rows */
    corm_error *err;
} agg_work;

struct agg_function {
    const char *name;
    uint16_t    least, most; /* arguments */
    bool        strict;      /* null when one argument is; the kernel need not look at such rows */
    /* Sets expr->type, converts the arguments. */
    corm_status (*check)(const agg_binding *binding, agg_expr *expr, corm_error *err);
    corm_status (*eval)(const agg_expr *expr, const agg_work *work, const agg_column *args,
                        agg_column *out);
    const char *form, *sentence; /* documentation */
};

CORM_CHECKED corm_status agg__bind(const agg_binding *binding, const agg_node *node, agg_expr **out,
                                   corm_error *err);
/* What an expression is called in a message. */
corm_status agg__refuse(const agg_expr *expr, uint32_t argument, const char *wanted,
                        corm_error *err);

/* Makes argument `index` be of the type: a constant anew, everything else by a cast. */
CORM_CHECKED corm_status agg__convert(const agg_binding *binding, agg_expr **expr,
                                      const cql_type *type, corm_error *err);
/* Makes both comparable: of one type. */
CORM_CHECKED corm_status agg__unify(const agg_binding *binding, agg_expr **a, agg_expr **b,
                                    corm_error *err);
bool                     agg__is_null_constant(const agg_expr *expr);
/* The text of a constant text; false when it is none. */
bool agg__constant_text(const agg_expr *expr, corm_str *out);
bool agg__constant_real(const agg_expr *expr, double *out);

/* ---- worked out: eval.c ---- */

CORM_CHECKED corm_status agg__eval(const agg_expr *expr, const agg_batch *in, const agg_work *work,
                                   agg_column *out);
/* Below zero, zero, above zero; neither is null; of one type. NaN is above all. */
int agg__compare_cells(const agg_column *a, uint32_t i, const agg_column *b, uint32_t j);
/* The bytes of a buffer that was filled for one row, kept in the batch's arena. */
CORM_CHECKED corm_status agg__keep(const agg_work *work, base_buf *from, cql_value *out);

/* The tables of functions, ended by one without a name: function_*.c. */
extern const agg_function agg__number_functions[], agg__logic_functions[], agg__text_functions[],
    agg__time_functions[], agg__collection_functions[], agg__cast_functions[];
const agg_function *agg__function_named(corm_str name);

static inline bool agg__is_whole(const cql_type *type) {
    return type->id == CQL_TINYINT || type->id == CQL_SMALLINT || type->id == CQL_INT ||
           type->id == CQL_BIGINT || type->id == CQL_COUNTER;
}
static inline bool agg__is_real(const cql_type *type) {
    return type->id == CQL_FLOAT || type->id == CQL_DOUBLE;
}
static inline bool agg__is_text(const cql_type *type) {
    return type->id == CQL_TEXT || type->id == CQL_ASCII;
}
static inline bool agg__is_number(const cql_type *type) {
    return agg__is_whole(type) || agg__is_real(type) || type->id == CQL_VARINT ||
           type->id == CQL_DECIMAL;
}

#endif
