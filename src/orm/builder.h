// SPDX-License-Identifier: MIT
/* builder.h -- a statement under construction: its tree, the values of its markers, the first mistake. */
#ifndef ORM_BUILDER_H
#define ORM_BUILDER_H

#include "corm/query.h"
#include "cql/parser.h"
#include "orm/core.h"

/* A node of the tree that is a bind marker has its value behind it. */
struct corm_expr {
    cql_expr   node; /* first */
    corm_value value;
};

struct corm_builder {
    base_arena    arena; /* the tree, names and values */
    corm_db      *db;    /* of a model; NULL: none */
    orm_model    *model;
    cql_statement statement;
    uint32_t      local_count; /* conditions that Corm holds */
    corm_term     locals[CORM_MAX_TERMS];
    uint32_t      limit; /* of a SELECT; 0: none */
    base_buf      text;  /* of the last end */
    uint32_t      value_count;
    corm_value   *values; /* likewise */
    corm_status   status; /* the first mistake */
    corm_error    error;
};

/* Keeps the first mistake; false. Nothing happens to a builder that has one. */
bool orm__builder_bad(corm_builder *builder, corm_status status, const char *format, ...)
    CORM_PRINTF(3, 4);
bool orm__builder_no_memory(corm_builder *builder);
/* Whether the call may go on: there is a builder, without a mistake, of one of these kinds; `what` is the clause. */
bool orm__builder_is(corm_builder *builder, unsigned kinds, const char *what);

enum { ORM_B_SELECT = 1, ORM_B_INSERT = 2, ORM_B_UPDATE = 4, ORM_B_DELETE = 8 };

/* Room for one more item behind the others; NULL: memory is exhausted, which is kept. */
void *orm__builder_push(corm_builder *builder, void *items, uint32_t *count, size_t size);
#define ORM_PUSH(builder, items, count)                                                            \
    orm__builder_push((builder), &(items), &(count), sizeof *(items))

bool orm__builder_text(corm_builder *builder, const char *text, corm_str *out);
/* A column; checked when there is a model. */
bool orm__builder_column(corm_builder *builder, const char *name, cql_name *out);
bool orm__builder_columns(corm_builder *builder, const char *const *names, cql_name **out,
                          uint32_t *count);
/* NULL: not possible, which is kept. */
cql_expr *orm__builder_marker(corm_builder *builder, const corm_value *value);
cql_expr *orm__builder_null(corm_builder *builder);
/* A pointer to an array of one. */
bool orm__builder_one(corm_builder *builder, cql_expr *expr, cql_expr ***terms, uint32_t *count);

/* CQL's operator; false: it has none. */
bool orm__builder_operator(corm_op op, cql_operator *out);

/* Prints the tree and gathers the values in the order of their markers. */
CORM_CHECKED corm_status orm__builder_end(corm_builder *builder, corm_error *err);

#endif
