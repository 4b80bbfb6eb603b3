// SPDX-License-Identifier: MIT
/* relation.h -- rows that belong to rows, and copies of rows under other keys (docs/relations.md).
 *
 *   corm_find(db, &users, &rows, { .include = { "posts.comments", "profile" } });
 *   for (CORM_EACH(user, u, rows)) {
 *       corm_related posts = corm_related_to(rows, u, "posts");
 *       for (CORM_EACH_RELATED(post, p, posts)) use(p, corm_related_to(posts.rows, p, "comments"));
 *   }
 *
 * All keys of all rows are read together, each once; nothing is read row by row, and nothing with ALLOW FILTERING. */
#ifndef CORM_RELATION_H
#define CORM_RELATION_H

#include "corm/db.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- reading ---- */

/* One relation to be read. Conditions on clustering columns are the store's where it can hold them, the others are Corm's, on
 * the related rows only. */
struct corm_include {
    const char *name; /* of the relation */
    corm_term   where[CORM_MAX_TERMS];
    const char
        *select[CORM_MAX_NAMES]; /* default: all columns; the keys that are needed are read too */
    corm_order_by       order_by[4]; /* default: as the store has them */
    uint32_t            limit;       /* rows for each parent */
    const char         *scope[4];    /* as in corm_find_options */
    bool                unscoped, with_deleted, only_deleted;
    const corm_include *includes; /* relations of the related rows; ended by one without a name */
};

/* Reads relations of rows that were found before, by corm_find or corm_query: `names` as corm_find_options.include, `includes` as
 * .includes; either may be NULL. The rows must have the columns of the relations' keys. What was read of a relation before is
 * replaced. Errors name the relation and the key. */
CORM_API CORM_CHECKED corm_status corm_populate_with(corm_rows *rows, const char *const *names,
                                                     const corm_include *includes, corm_error *err);

/* The related rows of one row, one struct behind the other, owned by the rows it was read for. */
typedef struct corm_related {
    const corm_rows *rows;  /* all related rows of all parents; NULL: none */
    void            *first; /* NULL when there is none */
    uint32_t         at;    /* of the first, in `rows` */
    uint32_t         count;
} corm_related;

/* Nothing for a relation that was not read, or no such row. */
CORM_API corm_related corm_rows_related(const corm_rows *rows, uint32_t index,
                                        const char *relation);
/* The same for one of the rows' structs. */
CORM_API corm_related corm_related_to(const corm_rows *rows, const void *row, const char *relation);
/* The first related row; NULL when there is none. For has one and belongs to. */
CORM_API void *corm_related_one(const corm_rows *rows, const void *row, const char *relation);

/* What reading relations took, of the rows and all that is below them: passes are relations read at once for all rows, requests
 * what the store was asked. */
typedef struct corm_populated {
    uint64_t passes, requests, keys, rows;
} corm_populated;
CORM_API corm_populated corm_rows_populated(const corm_rows *rows);

/* ---- relations made and removed ---- */

/* Makes `other` related to `row`. Has one, has many: writes the row's key into the foreign key of `other` (an update of those
 * columns; where they are part of its key, `other` is saved whole). Belongs to: writes the key of `other` into `row`. Many to many: writes the
 * row of the table between. The members are set in the structs too; texts stay the other struct's. Hooks, validation, unique
 * columns and query tables are as in corm_update, corm_save. */
CORM_API CORM_CHECKED corm_status corm_relate(corm_db *db, const corm_model *model, void *row,
                                              const char *relation, void *other, corm_error *err);
/* Ends it: the foreign key becomes null (CORM_INVALID where it is part of a key: such a row is deleted instead), the row of
 * the table between is deleted. */
CORM_API CORM_CHECKED corm_status corm_unrelate(corm_db *db, const corm_model *model, void *row,
                                                const char *relation, void *other, corm_error *err);

/* ---- query tables ---- */

typedef struct corm_query_table_report {
    uint64_t rows;      /* of the model that were compared */
    uint64_t missing;   /* copies that were not there */
    uint64_t different; /* copies with other values than their row */
    uint64_t orphans;   /* copies without a row, or under a key that the row has not */
    uint64_t copies;    /* of the query table that were compared */
} corm_query_table_report;

typedef struct corm_query_table_options {
    uint32_t concurrency; /* token ranges read at the same time. default: 8 */
    const char
        *resume; /* what an earlier run's .checkpoint was given. default: from the beginning */
    /* Told after each page; anything but CORM_OK stops with it. `checkpoint` is NULL where none can be had, and borrowed. */
    corm_status (*progress)(void *context, double done, const corm_query_table_report *so_far,
                            const char *checkpoint);
    void                    *context;
    corm_query_table_report *report; /* filled also on failure */
    corm_error              *error;
    uint32_t                 _canary;
} corm_query_table_options;

/* Compares every row with its copy and writes what is missing or different, with the original times of writing, so that newer
 * writes win; then deletes the copies that no row stands behind. Safe beside writers, and to be repeated. Options may be NULL. */
CORM_API CORM_CHECKED corm_status
corm_query_table_rebuild_with(corm_db *db, const corm_model *model, const char *table,
                              const corm_query_table_options *options);
/* Only compares. */
CORM_API CORM_CHECKED corm_status
corm_query_table_check_with(corm_db *db, const corm_model *model, const char *table,
                            const corm_query_table_options *options);

#ifndef __cplusplus
/* corm_populate(rows, &err, "posts", "profile") */
#define corm_populate(rows, err, ...)                                                              \
    corm_populate_with((rows), (const char *const[]){ __VA_ARGS__, NULL }, NULL, (err))
#define corm_query_table_rebuild(db, model, table, ...)                                            \
    corm_query_table_rebuild_with((db), (model), (table), &(corm_query_table_options)__VA_ARGS__)
#define corm_query_table_check(db, model, table, ...)                                              \
    corm_query_table_check_with((db), (model), (table), &(corm_query_table_options)__VA_ARGS__)
/* for (CORM_EACH_RELATED(post, p, posts)) … */
#define CORM_EACH_RELATED(T, var, related)                                                         \
    T *var = (T *)(related).first, *var##_end = var ? var + (related).count : NULL;                \
    var != var##_end;                                                                              \
    var++
#endif

#ifdef __cplusplus
}
#endif
#endif
