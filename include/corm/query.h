// SPDX-License-Identifier: MIT
/* query.h -- statements put together while the program runs, pages with tokens, cursors, and what a find costs.
 *
 *   corm_builder *q = corm_select_from("shop.orders");
 *   corm_builder_columns(q, "id", "total");
 *   corm_builder_where(q, corm_eq("customer", id));
 *   if (since) corm_builder_where(q, corm_gte("placed_at", *since));
 *   corm_builder_limit(q, 20);
 *   status = corm_builder_run(q, session, NULL, &result, &err);     // tells the first mistake of all the calls
 *   corm_builder_free(q);
 *
 * A builder makes a syntax tree, never a text: names are quoted where they need it, values are bind markers, and equal shapes are
 * prepared once by the session. Each call gives its builder back and may be passed NULL; the first mistake is kept until a call
 * that ends the builder tells it. Values and names are copied. One thread at a time. */
#ifndef CORM_QUERY_H
#define CORM_QUERY_H

#include "corm/cluster.h"
#include "corm/db.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct corm_builder corm_builder;
typedef struct corm_expr
    corm_expr; /* a part of a builder's statement; lives as long as the builder */

/* ---- beginning ---- */

/* "orders", or "shop.orders"; names are as they are stored, without quotes. NULL when memory is exhausted. */
CORM_API corm_builder *corm_select_from(const char *table);
CORM_API corm_builder *corm_insert_into(const char *table);
CORM_API corm_builder *corm_update_table(const char *table);
CORM_API corm_builder *corm_delete_from(const char *table);
/* The table of a model: wrong columns are told with the nearest name, a SELECT reads the model's columns, conditions that CQL does
 * not have are held on the rows (corm_builder_rows), and corm_token_gt knows the partition key. Hooks, scopes, deleted rows and query tables are the
 * mapper's (corm/db.h): a builder does what it says and no more. */
CORM_API corm_builder *corm_select_model(corm_db *db, const corm_model *model);
CORM_API corm_builder *corm_insert_model(corm_db *db, const corm_model *model);
CORM_API corm_builder *corm_update_model(corm_db *db, const corm_model *model);
CORM_API corm_builder *corm_delete_model(corm_db *db, const corm_model *model);
CORM_API void          corm_builder_free(corm_builder *builder); /* NULL is ignored */

/* ---- expressions: what is selected, and right sides ---- */

CORM_API corm_expr *corm_expr_column(corm_builder *builder, const char *name);
CORM_API corm_expr *corm_expr_of(corm_builder *builder, corm_value value); /* a bind marker */
/* The same with its type, "(int) ?", where CQL cannot find it out: in arguments of functions. */
CORM_API corm_expr *corm_expr_typed(corm_builder *builder, const char *type, corm_value value);
/* One term in CQL, for what cannot be a marker: "1h" in floor(at, 1h). */
CORM_API corm_expr *corm_expr_literal(corm_builder *builder, const char *term);
/* Any function or aggregate; `arguments` is ended by NULL. "shop.my_function" is a function of a keyspace. */
CORM_API corm_expr *corm_expr_call_with(corm_builder *builder, const char *function,
                                        corm_expr *const *arguments);
CORM_API corm_expr *corm_expr_count(corm_builder *builder); /* count(*) */
CORM_API corm_expr *corm_expr_cast(corm_builder *builder, corm_expr *expr, const char *type);
CORM_API corm_expr *corm_expr_writetime(corm_builder *builder, corm_expr *expr);
CORM_API corm_expr *corm_expr_maxwritetime(corm_builder *builder, corm_expr *expr);
CORM_API corm_expr *corm_expr_ttl(corm_builder *builder, corm_expr *expr);
CORM_API corm_expr *corm_expr_field(corm_builder *builder, corm_expr *of, const char *field);
CORM_API corm_expr *corm_expr_element(corm_builder *builder, corm_expr *of, corm_value key);
CORM_API corm_expr *corm_expr_slice(corm_builder *builder, corm_expr *of, corm_value from,
                                    corm_value to); /* CORM_UNSET: open */
CORM_API corm_expr *corm_expr_arith(corm_builder *builder, corm_expr *a, char op, corm_expr *b);

/* ---- SELECT ---- */

/* `names` is ended by NULL. Of a DELETE: the columns that are deleted. */
CORM_API corm_builder *corm_builder_column_names(corm_builder *builder, const char *const *names);
CORM_API corm_builder *corm_builder_select(corm_builder *builder, corm_expr *expr,
                                           const char *alias); /* alias NULL: none */
CORM_API corm_builder *corm_builder_distinct(corm_builder *builder);
CORM_API corm_builder *corm_builder_json(corm_builder *builder);
CORM_API corm_builder *corm_builder_group_by(corm_builder *builder, corm_expr *expr);
CORM_API corm_builder *corm_builder_order_by(corm_builder *builder, const char *column,
                                             bool descending);
CORM_API corm_builder *corm_builder_order_by_ann(corm_builder *builder, const char *column,
                                                 corm_value vector);
CORM_API corm_builder *corm_builder_limit(corm_builder *builder, uint32_t rows);
CORM_API corm_builder *corm_builder_per_partition_limit(corm_builder *builder, uint32_t rows);
CORM_API corm_builder *corm_builder_allow_filtering(corm_builder *builder);

/* ---- WHERE ---- */

/* `terms` is ended by one without a column. All conditions must hold. */
CORM_API corm_builder *corm_builder_where_terms(corm_builder *builder, const corm_term *terms);
/* Any left side that CQL takes (a column, an element, token(…)) and any right side. */
CORM_API corm_builder *corm_builder_where_expr(corm_builder *builder, corm_expr *left, corm_op op,
                                               corm_expr *right);
/* (a, b) > (?, ?); of CORM_IN as many values as there are tuples, one tuple behind the other. `columns` is ended by NULL. */
CORM_API corm_builder *corm_builder_where_tuple(corm_builder *builder, const char *const *columns,
                                                corm_op op, const corm_value *values,
                                                uint32_t count);
/* token(a, b) > right; `columns` is ended by NULL. */
CORM_API corm_builder *corm_builder_where_token(corm_builder *builder, const char *const *columns,
                                                corm_op op, corm_expr *right);

/* ---- writes ---- */

CORM_API corm_builder *corm_builder_set_value(corm_builder *builder, const char *column,
                                              corm_value value); /* INSERT, UPDATE */
CORM_API corm_builder *corm_builder_set_expr(corm_builder *builder, const char *column,
                                             corm_expr *expr);
/* UPDATE: corm_add, corm_put, corm_increment …; DELETE: corm_drop. `edits` is ended by one without a column. */
CORM_API corm_builder *corm_builder_edits(corm_builder *builder, const corm_edit *edits);
CORM_API corm_builder *corm_builder_delete_field(corm_builder *builder, const char *column,
                                                 const char *field);
/* INSERT … JSON; members that the text leaves out are null, with default_unset left alone. */
CORM_API corm_builder *corm_builder_insert_json(corm_builder *builder, const char *json,
                                                bool default_unset);
CORM_API corm_builder *corm_builder_ttl(corm_builder *builder, int32_t seconds);
CORM_API corm_builder *corm_builder_timestamp(corm_builder *builder, int64_t microseconds);
CORM_API corm_builder *corm_builder_if_not_exists(corm_builder *builder);
CORM_API corm_builder *corm_builder_if_exists(corm_builder *builder);
CORM_API corm_builder *corm_builder_if_terms(corm_builder *builder, const corm_term *terms);
CORM_API corm_builder *corm_builder_if_expr(corm_builder *builder, corm_expr *left, corm_op op,
                                            corm_expr *right); /* left: c, c[?], c.field */

/* ---- ending; a builder may be ended more than once ---- */

/* The statement; borrowed until the builder changes. */
CORM_API CORM_CHECKED corm_status corm_builder_cql(corm_builder *builder, const char **cql,
                                                   corm_error *err);
/* The values of its markers, in order; likewise borrowed. */
CORM_API CORM_CHECKED corm_status corm_builder_values(corm_builder      *builder,
                                                      const corm_value **values, uint32_t *count,
                                                      corm_error *err);
/* `request` may be NULL: consistency, page size, timeouts. *out may be NULL. */
CORM_API CORM_CHECKED corm_status corm_builder_run(corm_builder *builder, corm_session *session,
                                                   const corm_request_options *request,
                                                   corm_result **out, corm_error *err);
/* NULL when memory is exhausted. */
CORM_API corm_task *corm_builder_run_async(corm_builder *builder, corm_session *session,
                                           const corm_request_options *request,
                                           corm_task_callback callback, void *context);
/* A SELECT into structs of the model: columns and aliases are matched by name. All pages are read. */
CORM_API CORM_CHECKED corm_status corm_builder_rows(corm_builder *builder, corm_db *db,
                                                    const corm_model           *model,
                                                    const corm_request_options *request,
                                                    corm_rows **out, corm_error *err);
CORM_API CORM_CHECKED corm_status corm_builder_add_to(corm_builder *builder, corm_batch *batch,
                                                      corm_error *err);

/* ---- pages with tokens ---- */

/* Rows of a find page by page, forwards and backwards, for programs that hand the pages out: a token names the row that a page ends
 * or begins with, sealed (see corm_page_token in corm/cluster.h), so that pages neither repeat nor skip rows when others are inserted and
 * deleted. */
typedef struct corm_page_options {
    corm_find_options
        find; /* conditions, scopes, selection, relations, an order of clustering columns; no limits */
    uint32_t    size;  /* rows a page. default: 20 */
    const char *token; /* .next or .previous of a page of the same find. default: the first page */
    uint32_t    max_age_s; /* of the token; 0: any */
    corm_error *error;
    uint32_t    _canary;
} corm_page_options;

typedef struct corm_page {
    corm_rows *rows;
    char      *next, *previous; /* NULL: there is no such page */
} corm_page;

/* *out is released by corm_page_free(). CORM_INVALID_ARGUMENT for a token of another find, with other values, or one that was altered. */
CORM_API CORM_CHECKED corm_status corm_find_page_with(corm_db *db, const corm_model *model,
                                                      corm_page               *out,
                                                      const corm_page_options *options);
CORM_API void                     corm_page_free(corm_page *page); /* what it has */

/* ---- cursors ---- */

/* The rows of a find one by one, however many: one page is in memory, and on a cluster the next one is under way. May stay open while rows
 * are written. One thread at a time; the db must be open. */
typedef struct corm_cursor corm_cursor;

/* The options are those of corm_find, without relations, .after and an order that Corm makes. *out is released by corm_cursor_close(). */
CORM_API CORM_CHECKED corm_status corm_cursor_open_with(corm_db *db, const corm_model *model,
                                                        corm_cursor            **out,
                                                        const corm_find_options *options);
/* Copies the next row into *row; *found false behind the last. What the struct points to lives until the next call. */
CORM_API CORM_CHECKED corm_status corm_cursor_next(corm_cursor *cursor, void *row, bool *found,
                                                   corm_error *err);
CORM_API uint64_t corm_cursor_count(const corm_cursor *cursor); /* rows that were given */
CORM_API bool     corm_cursor_is_null(const corm_cursor *cursor, const char *column);
CORM_API void     corm_cursor_close(corm_cursor *cursor); /* NULL is ignored */

/* ---- what a find or a statement costs ---- */

typedef enum corm_access {
    CORM_ACCESS_ROW = 0,    /* one row by its whole key */
    CORM_ACCESS_SLICE,      /* a stretch of one partition */
    CORM_ACCESS_PARTITION,  /* one partition */
    CORM_ACCESS_PARTITIONS, /* those of an IN */
    CORM_ACCESS_RANGE,      /* a range of tokens */
    CORM_ACCESS_INDEX,      /* what an index finds */
    CORM_ACCESS_TABLE,      /* the whole table */
    CORM_ACCESS_UNIQUE      /* the reservation of a unique value, then the row by its key */
} corm_access;

typedef struct corm_advice {
    const char *what, *better; /* better NULL: nothing is */
} corm_advice;

/* All texts live as long as the explanation. */
typedef struct corm_explanation {
    corm_access        access;
    const char        *table;                      /* that is asked: "shop.users" */
    const char        *query_table, *view, *index; /* that answers, or NULL */
    uint32_t           statement_count;
    const char *const *statements; /* in CQL */
    int64_t            partitions; /* that are read: a number, or -1: as many as there are */
    uint32_t           store_count;
    const char *const *store; /* what the store does: "name = ? by the index users_name_idx" */
    uint32_t           corm_count;
    const char *const *corm; /* what Corm does on the rows: "n != ?", "sorts by n" */
    bool               needs_filtering, allows_filtering; /* ALLOW FILTERING: needed, said */
    const char *refused; /* why the server refuses the statement as it is; NULL: it does not */
    uint32_t    warning_count;
    const corm_advice *warnings;
} corm_explanation;

/* Nothing is read or written but the schema; the statements are prepared. *out is released by corm_explanation_free(). */
CORM_API CORM_CHECKED corm_status corm_explain_with(corm_db *db, const corm_model *model,
                                                    const corm_explanation **out,
                                                    const corm_find_options *options);
/* The same of one SELECT, INSERT, UPDATE or DELETE. */
CORM_API CORM_CHECKED corm_status corm_explain_cql(corm_session *session, const char *cql,
                                                   const corm_explanation **out, corm_error *err);
/* The whole as lines; borrowed. */
CORM_API const char *corm_explanation_text(const corm_explanation *explanation);
CORM_API const char *corm_access_name(corm_access access); /* "one partition" */
CORM_API void        corm_explanation_free(const corm_explanation *explanation);

#ifndef __cplusplus
#define corm_explain(db, model, out, ...)                                                          \
    corm_explain_with((db), (model), (out), &(corm_find_options)__VA_ARGS__)
#define corm_find_page(db, model, out, ...)                                                        \
    corm_find_page_with((db), (model), (out), &(corm_page_options)__VA_ARGS__)
#define corm_cursor_open(db, model, out, ...)                                                      \
    corm_cursor_open_with((db), (model), (out), &(corm_find_options)__VA_ARGS__)
#define corm_builder_columns(b, ...)                                                               \
    corm_builder_column_names((b), (const char *const[]){ __VA_ARGS__, NULL })
#define corm_builder_where(b, ...)                                                                 \
    corm_builder_where_terms((b), (const corm_term[]){ __VA_ARGS__, { .column = NULL } })
#define corm_builder_if(b, ...)                                                                    \
    corm_builder_if_terms((b), (const corm_term[]){ __VA_ARGS__, { .column = NULL } })
#define corm_builder_edit(b, ...)                                                                  \
    corm_builder_edits((b), (const corm_edit[]){ __VA_ARGS__, { .column = NULL } })
#define corm_builder_set(b, column, v) corm_builder_set_value((b), (column), corm_v(v))
#define corm_expr_v(b, v) corm_expr_of((b), corm_v(v))
#define corm_expr_call(b, function, ...)                                                           \
    corm_expr_call_with((b), (function), (corm_expr *const[]){ __VA_ARGS__, NULL })
#endif

#ifdef __cplusplus
}
#endif
#endif
