// SPDX-License-Identifier: MIT
/* query.h -- a find under way: what the store is asked, and what Corm does with the rows read. */
#ifndef ORM_QUERY_H
#define ORM_QUERY_H

#include "orm/core.h"

typedef enum orm_query_kind { ORM_FIND = 1, ORM_COUNT, ORM_DELETE_WHERE } orm_query_kind;

typedef struct orm_term {
    const orm_field *field; /* NULL: the token */
    const corm_term *given;
    bool             local; /* Corm's */
} orm_term;

enum {
    ORM_MOST_RELATION_COLUMNS = 64, /* keys of relations that are read with the rows */
    ORM_MOST_SELECTED = CORM_MAX_NAMES + CORM_MAX_TERMS + 1 + 4 + ORM_MOST_PARTITION_COLUMNS +
                        ORM_MOST_RELATION_COLUMNS
};

/* Lives on the caller's stack. */
typedef struct orm_query {
    orm_query_kind           kind;
    orm_model               *model;
    const corm_find_options *options;
    uint32_t                 term_count;
    orm_term terms[CORM_MAX_TERMS + 1]; /* the last may say which deleted rows are shown */
    uint32_t local_count;
    uint32_t select_count;                /* 0: all columns of the model */
    uint16_t selected[ORM_MOST_SELECTED]; /* first what was asked for, then what Corm needs */
    uint32_t order_count;
    const orm_field *order[4];
    bool        scoped;     /* a delete_where with conditions of scopes that only rows can answer */
    bool        sorts_here; /* Corm orders */
    bool        limited;    /* the store applies the limit */
    bool        limited_by_partition; /* and that of each partition */
    corm_error *err;
} orm_query;

/* Tells the db's notice what the query costs. */
void orm__query_tell(const orm_query *query);
/* What stands between a column and the marker, " = ?"; NULL: CQL has it not. */
const char *orm__query_operator(corm_op op);
/* The text of what the store is asked. */
void orm__query_text(const orm_query *query, base_buf *out);

/* Asks the store and fills the rows, which were handed over. */
CORM_CHECKED corm_status orm__query_ask(orm_query *query, corm_rows *rows);

/* Checks the options and says who does what. */
CORM_CHECKED corm_status orm__query_init(orm_query *query, orm_query_kind kind, orm_model *model,
                                         const corm_find_options *options);
/* The shape of what the store is asked. */
CORM_CHECKED corm_status orm__query_shape(orm_query *query, orm_shape **out);
CORM_CHECKED corm_status orm__query_bind(orm_query *query, corm_statement *statement);
/* Gives the rows what Corm does: conditions, order, offset, limit. */
CORM_CHECKED corm_status orm__query_hand_over(orm_query *query, corm_rows *rows);

/* Makes a condition Corm's that was the store's. */
void orm__query_take(orm_query *query, uint32_t term);

/* ---- from a row on: keyset.c ---- */

/* The rows behind options->after into `rows`, at most options->limit. `asked` is the model or a query table. */
CORM_CHECKED corm_status orm__find_after(orm_model *asked, const corm_find_options *options,
                                         corm_rows *rows);
/* The key, in wire form and in the arena, of the row that is `count` rows before the one with options->after (.after_included: of those that
 * end with it); *found is how many there are, at most count, and *key of the first of them. */
CORM_CHECKED corm_status orm__find_before(orm_model *asked, const corm_find_options *options,
                                          uint32_t count, base_arena *arena, cql_value **key,
                                          uint32_t *found);
/* The key of a found row. */
CORM_CHECKED corm_status orm__keyset_of(const orm_model *asked, const corm_rows *rows,
                                        uint32_t index, base_arena *arena, cql_value **key,
                                        corm_error *err);

/* Whether a condition is on a column that is no part of the key, or is Corm's. */
bool orm__asks_more_than_key(const orm_query *query);

/* Reads the column too, when not all are read. */
void orm__query_select(orm_query *query, const orm_field *field);

/* Of a delete_where: its one statement. */
CORM_CHECKED corm_status orm__delete_many(orm_query *query);
/* Whether deleting a row of the model is more than a statement: unique values, what depends on the row, copies of it, hooks. */
bool orm__deletes_each(const orm_model *model);
/* Of a delete_where: every row that it means is read, page by page, and deleted by the chain of writes. What was deleted before
 * a failure stays deleted. */
CORM_CHECKED corm_status orm__delete_each(corm_db *db, orm_query *query);

/* The first equality on a unique column; NULL when there is none, or a condition on the token. */
const orm_term *orm__query_unique(const orm_query *query);

#endif
