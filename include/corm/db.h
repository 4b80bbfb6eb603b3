// SPDX-License-Identifier: MIT
/* db.h -- the mapper: rows as structs, written, found and checked by their model.
 *
 * A corm_db may be used from any number of threads; a corm_rows by one at a time. Each call's options may be given in
 * place: corm_find(db, &users, &rows, { .where = { corm_eq("email", mail) }, .limit = 10 }) . */
#ifndef CORM_DB_H
#define CORM_DB_H

#include "corm/model.h"
#include "corm/session.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct corm_db      corm_db;
typedef struct corm_rows    corm_rows;
typedef struct corm_keyring corm_keyring; /* corm/seal.h */
typedef struct corm_events  corm_events;  /* corm/event.h */

/* What loading a model may do to an existing table. */
typedef enum corm_migration {
    CORM_MIGRATION_SAFE =
        0, /* make what is missing (table, columns, indexes); differences that would lose or change data are
                              * CORM_SCHEMA_MISMATCH, and the message says what it would take */
    CORM_MIGRATION_ALTER, /* also drop columns and indexes that the model does not have */
    CORM_MIGRATION_DROP,  /* drop the table and make it anew */
    CORM_MIGRATION_NONE   /* change nothing; the table must fit */
} corm_migration;

typedef struct corm_db_options {
    corm_session_options session;
    corm_migration       migration; /* default: CORM_MIGRATION_SAFE */
    uint32_t
        unique_lease_ms; /* how long an unfinished reservation of a unique value holds. default: 10000 */
    void (*notice)(void       *context,
                   const char *text); /* what a migration did, or a query costs. default: none */
    void *notice_context;
    const corm_keyring
        *keyring; /* of sealed columns (corm/seal.h); must live as long as the db. default: none */
    corm_events         *
        events; /* that are told of rows, models and notices (docs/events.md); must live as long as the db. default: none */
    corm_error *error;
    uint32_t    _canary;
} corm_db_options;

/* Opens a session and a mapper on it. *out is released by corm_db_close(). `options` may be NULL. */
CORM_API CORM_CHECKED corm_status corm_db_open(corm_db **out, const char *uri,
                                               const corm_db_options *options);
/* The same over a session that is open already, such as a tenant's; it is taken over, also on failure. `options->session` is not
 * looked at. */
CORM_API CORM_CHECKED corm_status corm_db_over(corm_db **out, corm_session *session,
                                               const corm_db_options *options);
CORM_API void                     corm_db_close(corm_db *db); /* NULL is ignored */
CORM_API corm_session            *corm_db_session(corm_db *db);
CORM_API corm_events             *corm_db_events(corm_db *db); /* the options'; NULL: none */

/* Makes the model's table fit, by the db's migration, and compiles the model. Done once for each model; the model must live as
 * long as the db. The other functions do it themselves when it was not done. */
CORM_API CORM_CHECKED corm_status corm_load(corm_db *db, const corm_model *model, corm_error *err);

/* Appends to *plan (one malloc'ed text, the caller's to free()) the statements that corm_load would execute, one a line,
 * and those it would refuse, as comments. */
CORM_API CORM_CHECKED corm_status corm_plan(corm_db *db, const corm_model *model,
                                            corm_migration migration, char **plan, corm_error *err);

/* ---- conditions ---- */

typedef enum corm_op {
    CORM_OP_NONE = 0,
    CORM_EQ,
    CORM_NE, /* not in CQL: done by Corm on the rows read */
    CORM_GT,
    CORM_GTE,
    CORM_LT,
    CORM_LTE,
    CORM_IN, /* value is a list */
    CORM_CONTAINS,
    CORM_CONTAINS_KEY,
    CORM_LIKE, /* % any text, _ one character, \ before either means itself; on a cluster done by Corm */
    CORM_BETWEEN, /* value and value2, both included */
    CORM_NULL_OP, /* is null: done by Corm on the rows read */
    CORM_NOT_NULL_OP,
    CORM_TOKEN_GT, /* of the partition key; value is a bigint */
    CORM_TOKEN_GTE,
    CORM_TOKEN_LT,
    CORM_TOKEN_LTE
} corm_op;

typedef struct corm_term {
    const char *column;
    corm_op     op;
    corm_value  value, value2;
} corm_term;

/* Conditions in static data, where corm_v cannot be called: { CORM_TERM("stars", CORM_GTE, CORM_STATIC_INT(3)) }. */
#define CORM_STATIC_INT(v)                                                                         \
    {                                                                                              \
        .kind = CORM_INT, .as = {.i32 = (v) }                                                      \
    }
#define CORM_STATIC_BIGINT(v)                                                                      \
    {                                                                                              \
        .kind = CORM_BIGINT, .as = {.i64 = (v) }                                                   \
    }
#define CORM_STATIC_DOUBLE(v)                                                                      \
    {                                                                                              \
        .kind = CORM_DOUBLE, .as = {.f64 = (v) }                                                   \
    }
#define CORM_STATIC_BOOL(v)                                                                        \
    {                                                                                              \
        .kind = CORM_BOOLEAN, .as = {.boolean = (v) }                                              \
    }
#define CORM_STATIC_TEXT(                                                                          \
    v) /* of a literal; a text is also the text form of a value of any other type */               \
    {                                                                                              \
        .kind = CORM_TEXT, .as = {.text = { (v), sizeof(v) - 1 } }                                 \
    }
#define CORM_TERM(name, operator, static_value)                                                    \
    { .column = (name), .op = (operator), .value = static_value }

#ifndef __cplusplus
#define corm_eq(name, v)                                                                           \
    {                                                                                              \
        (name), CORM_EQ, corm_v(v), {                                                              \
            0                                                                                      \
        }                                                                                          \
    }
#define corm_ne(name, v)                                                                           \
    {                                                                                              \
        (name), CORM_NE, corm_v(v), {                                                              \
            0                                                                                      \
        }                                                                                          \
    }
#define corm_gt(name, v)                                                                           \
    {                                                                                              \
        (name), CORM_GT, corm_v(v), {                                                              \
            0                                                                                      \
        }                                                                                          \
    }
#define corm_gte(name, v)                                                                          \
    {                                                                                              \
        (name), CORM_GTE, corm_v(v), {                                                             \
            0                                                                                      \
        }                                                                                          \
    }
#define corm_lt(name, v)                                                                           \
    {                                                                                              \
        (name), CORM_LT, corm_v(v), {                                                              \
            0                                                                                      \
        }                                                                                          \
    }
#define corm_lte(name, v)                                                                          \
    {                                                                                              \
        (name), CORM_LTE, corm_v(v), {                                                             \
            0                                                                                      \
        }                                                                                          \
    }
#define corm_in(name, ...)                                                                         \
    {                                                                                              \
        (name), CORM_IN, corm_of_list(corm_list_of(__VA_ARGS__)), {                                \
            0                                                                                      \
        }                                                                                          \
    }
#define corm_contains(name, v)                                                                     \
    {                                                                                              \
        (name), CORM_CONTAINS, corm_v(v), {                                                        \
            0                                                                                      \
        }                                                                                          \
    }
#define corm_contains_key(name, v)                                                                 \
    {                                                                                              \
        (name), CORM_CONTAINS_KEY, corm_v(v), {                                                    \
            0                                                                                      \
        }                                                                                          \
    }
#define corm_like(name, v)                                                                         \
    {                                                                                              \
        (name), CORM_LIKE, corm_v(v), {                                                            \
            0                                                                                      \
        }                                                                                          \
    }
#define corm_between(name, a, b)                                                                   \
    { (name), CORM_BETWEEN, corm_v(a), corm_v(b) }
#define corm_is_null(name)                                                                         \
    {                                                                                              \
        (name), CORM_NULL_OP, { 0 }, {                                                             \
            0                                                                                      \
        }                                                                                          \
    }
#define corm_not_null(name)                                                                        \
    {                                                                                              \
        (name), CORM_NOT_NULL_OP, { 0 }, {                                                         \
            0                                                                                      \
        }                                                                                          \
    }
#define corm_token_gt(v)                                                                           \
    {                                                                                              \
        "token", CORM_TOKEN_GT, corm_v(v), {                                                       \
            0                                                                                      \
        }                                                                                          \
    }
#define corm_token_lte(v)                                                                          \
    {                                                                                              \
        "token", CORM_TOKEN_LTE, corm_v(v), {                                                      \
            0                                                                                      \
        }                                                                                          \
    }
#endif

enum { CORM_MAX_TERMS = 16, CORM_MAX_NAMES = 32 };

typedef struct corm_order_by {
    const char *column;
    bool        descending;
} corm_order_by;

/* A relation to be read with the rows (corm/relation.h). */
typedef struct corm_include corm_include;

typedef struct corm_find_options {
    corm_term     where[CORM_MAX_TERMS];
    const char   *select[CORM_MAX_NAMES]; /* columns to read; default: all of the model */
    corm_order_by order_by
        [4]; /* clustering columns are ordered by the store; others by Corm, of at most sort_limit rows */
    uint32_t limit;
    uint32_t per_partition_limit;
    uint32_t offset; /* rows passed over by reading them; a page token is the cheap way */
    uint32_t
        sort_limit; /* rows Corm sorts in memory before it gives up with CORM_INVALID. default: 100000 */
    bool allow_filtering; /* never said for you; without it a query that needs it is refused */
    bool
        one_page; /* only page_size rows; go on by corm_rows_next_page() or a later call with .paging_state */
    const corm_value         *
        after; /* the whole key, in key order, of a row: only rows behind it are read, wherever it is or was. Costs nothing, other than
                * .offset; not beside .one_page, .offset and orders that Corm makes. corm_find_page() makes tokens of it */
    uint32_t    after_count;
    bool        after_included; /* and the row itself */
    const char *scope[4];       /* scopes of the model, by name */
    bool        unscoped;       /* without the model's default scopes */
    bool        with_deleted,
        only_deleted; /* of a model with a CORM_DELETED_AT column. default: only rows that are not deleted */
    bool        force; /* delete_where: deletes truly where corm_delete only says when */
    const char *include
        [8]; /* relations to be read with the rows; "posts.comments" reads both. corm_rows_related() */
    const corm_include
        *includes; /* the same with conditions, order and limits; ended by one without a name */
    corm_request_options request;
    corm_error          *error;
    uint32_t             _canary;
} corm_find_options;

/* A named part of finds, said with the model: corm_find_options.scope applies it by its name, a default one applies to every find,
 * count and delete_where that does not say .unscoped. Its conditions and the find's must all hold; its order and limits
 * hold where the find has none. */
struct corm_scope {
    const char       *name;
    bool              is_default;
    corm_find_options find; /* .where, .order_by, .limit, .per_partition_limit, .allow_filtering */
};

/* Finds rows. All pages are read unless .one_page. *out is released by corm_rows_free(), and owns what the structs point
 * to. No row is no error. */
CORM_API CORM_CHECKED corm_status corm_find_with(corm_db *db, const corm_model *model,
                                                 corm_rows **out, const corm_find_options *options);
/* At most one row. */
CORM_API CORM_CHECKED corm_status corm_find_one_with(corm_db *db, const corm_model *model,
                                                     corm_rows              **out,
                                                     const corm_find_options *options);
/* The rows with this primary key, or partition key: `count` values in key order. The quickest way to one row. */
CORM_API CORM_CHECKED corm_status corm_find_key(corm_db *db, const corm_model *model,
                                                corm_rows **out, const corm_value *key,
                                                uint32_t count, corm_error *err);
CORM_API CORM_CHECKED corm_status corm_count_with(corm_db *db, const corm_model *model,
                                                  uint64_t *out, const corm_find_options *options);
CORM_API CORM_CHECKED corm_status corm_exists_with(corm_db *db, const corm_model *model, bool *out,
                                                   const corm_find_options *options);
/* Any SELECT into structs of the model: columns are matched by name, others are ignored. */
CORM_API CORM_CHECKED corm_status corm_query_with(corm_db *db, const corm_model *model,
                                                  const char *cql, corm_rows **out,
                                                  const corm_execute_options *options);

CORM_API uint32_t   corm_rows_count(const corm_rows *rows); /* NULL: 0 */
CORM_API void      *corm_rows_at(const corm_rows *rows,
                                 uint32_t         index);           /* the struct; NULL out of range */
CORM_API void      *corm_rows_first(const corm_rows *rows); /* NULL when there is none */
CORM_API bool       corm_rows_has_more(const corm_rows *rows);
CORM_API corm_bytes corm_rows_paging_state(const corm_rows *rows);
/* Replaces the rows by the next page. CORM_NOT_FOUND when there is none. */
CORM_API CORM_CHECKED corm_status corm_rows_next_page(corm_rows *rows, corm_error *err);
/* Whether a column was null (or not selected) in a row, for members that cannot say so. */
CORM_API bool corm_rows_is_null(const corm_rows *rows, uint32_t index, const char *column);
CORM_API void corm_rows_free(corm_rows *rows);

/* ---- writing ---- */

enum { CORM_MAX_VIOLATIONS = 32 };

/* All rules that a row breaks. */
typedef struct corm_violations {
    uint32_t count;
    struct {
        const char *field; /* the model's */
        char        message[120];
    } items[CORM_MAX_VIOLATIONS];
} corm_violations;

typedef struct corm_write_options {
    const char *only
        [CORM_MAX_NAMES]; /* write these columns (and the key), even when zero. default: all that hold something */
    const char *null[CORM_MAX_NAMES]; /* write null into these: deletes the column */
    int32_t     ttl_seconds;
    bool        if_not_exists; /* insert: CORM_NOT_APPLIED when the row exists */
    bool        if_exists;     /* update, delete: CORM_NOT_APPLIED when it does not */
    corm_term   condition
        [CORM_MAX_TERMS]; /* update, delete: IF …; CORM_NOT_APPLIED when one does not hold */
    bool skip_validation;
    bool force; /* delete: deletes truly a row whose model has a CORM_DELETED_AT column */
    corm_request_options request;
    corm_violations     *violations; /* filled when CORM_VALIDATION is returned */
    corm_error          *error;
    uint32_t             _canary;
} corm_write_options;

/* Writes a new row. First generated members are filled in *row; then it is validated (CORM_VALIDATION, all broken rules at once),
 * unique values are reserved (CORM_NOT_UNIQUE names the column), and the row is written. */
CORM_API CORM_CHECKED corm_status corm_insert_with(corm_db *db, const corm_model *model, void *row,
                                                   const corm_write_options *options);
/* Writes the row whether it exists or not; generates what is missing. The same as insert without if_not_exists, but unique
 * values that the row itself holds already are its own. */
CORM_API CORM_CHECKED corm_status corm_save_with(corm_db *db, const corm_model *model, void *row,
                                                 const corm_write_options *options);
/* Writes the members that hold something (or .only) into the row with this key; `required` is asked only of what is
 * written. */
CORM_API CORM_CHECKED corm_status corm_update_with(corm_db *db, const corm_model *model, void *row,
                                                   const corm_write_options *options);
CORM_API CORM_CHECKED corm_status corm_upsert_with(corm_db *db, const corm_model *model, void *row,
                                                   const corm_write_options *options);
/* Deletes the row with the struct's key, and gives its unique values back. */
CORM_API CORM_CHECKED corm_status corm_delete_with(corm_db *db, const corm_model *model,
                                                   const void               *row,
                                                   const corm_write_options *options);
/* The same with .force: the row is gone, also where corm_delete would only set its CORM_DELETED_AT column. */
CORM_API CORM_CHECKED corm_status corm_delete_for_good_with(corm_db *db, const corm_model *model,
                                                            const void               *row,
                                                            const corm_write_options *options);
/* Takes back a corm_delete of a row whose model has a CORM_DELETED_AT column, which is null afterwards, in *row too.
 * CORM_INVALID_ARGUMENT for other models. */
CORM_API CORM_CHECKED corm_status corm_restore_with(corm_db *db, const corm_model *model, void *row,
                                                    const corm_write_options *options);
/* Deletes rows by conditions on the key: a row, a range, a partition. Where a deletion is more than one statement (unique
 * columns, hooks, query tables, on_delete, a CORM_DELETED_AT column) the rows are read page by page, of .request.page_size, and deleted one by
 * one as corm_delete does; those before a failure stay deleted. */
CORM_API CORM_CHECKED corm_status corm_delete_where_with(corm_db *db, const corm_model *model,
                                                         const corm_find_options *where);

/* Checks a row against its model without writing. CORM_VALIDATION. */
CORM_API CORM_CHECKED corm_status corm_validate(const corm_model *model, const void *row,
                                                corm_violations *violations, corm_error *err);

/* ---- changes of collections and counters ---- */

/* One change of one column, made where the row is: nothing is read before. */
typedef enum corm_edit_kind {
    CORM_EDIT_NONE = 0,
    CORM_EDIT_SET,       /* the whole column */
    CORM_EDIT_ADD,       /* elements to a set, entries to a map */
    CORM_EDIT_REMOVE,    /* elements from a set, all equal ones from a list, keys from a map */
    CORM_EDIT_APPEND,    /* to a list */
    CORM_EDIT_PREPEND,   /* to a list, as a whole: its first value is the list's first */
    CORM_EDIT_PUT,       /* map[key] = value, list[index] = value */
    CORM_EDIT_DROP,      /* map[key], list[index], or an element of a set */
    CORM_EDIT_FIELD,     /* a field of a user-defined type that is not frozen */
    CORM_EDIT_INCREMENT, /* of a counter, by value */
    CORM_EDIT_DECREMENT
} corm_edit_kind;

typedef struct corm_edit {
    const char    *column;
    corm_edit_kind kind;
    bool one; /* ADD, REMOVE, APPEND, PREPEND: value is one element, else a collection of them */
    corm_value  value;
    corm_value  key;   /* PUT, DROP */
    const char *field; /* FIELD */
} corm_edit;

#ifndef __cplusplus
#define CORM_EDIT(c, k, o, ...)                                                                    \
    { .column = (c), .kind = CORM_EDIT_##k, .one = (o), __VA_ARGS__ }
#define corm_assign(name, v) CORM_EDIT(name, SET, false, .value = corm_v(v))
#define corm_add(name, v) CORM_EDIT(name, ADD, true, .value = corm_v(v))
#define corm_add_all(name, v) CORM_EDIT(name, ADD, false, .value = corm_v(v))
#define corm_remove(name, v) CORM_EDIT(name, REMOVE, true, .value = corm_v(v))
#define corm_remove_all(name, v) CORM_EDIT(name, REMOVE, false, .value = corm_v(v))
#define corm_append(name, v) CORM_EDIT(name, APPEND, true, .value = corm_v(v))
#define corm_append_all(name, v) CORM_EDIT(name, APPEND, false, .value = corm_v(v))
#define corm_prepend(name, v) CORM_EDIT(name, PREPEND, true, .value = corm_v(v))
#define corm_prepend_all(name, v) CORM_EDIT(name, PREPEND, false, .value = corm_v(v))
#define corm_put(name, k, v) CORM_EDIT(name, PUT, false, .key = corm_v(k), .value = corm_v(v))
#define corm_drop(name, k) CORM_EDIT(name, DROP, false, .key = corm_v(k))
#define corm_put_field(name, f, v) CORM_EDIT(name, FIELD, false, .field = (f), .value = corm_v(v))
#define corm_increment(name, v) CORM_EDIT(name, INCREMENT, false, .value = corm_v(v))
#define corm_decrement(name, v) CORM_EDIT(name, DECREMENT, false, .value = corm_v(v))
#endif

enum { CORM_MAX_EDITS = 16 };

typedef struct corm_change_options {
    corm_edit          edits[CORM_MAX_EDITS];
    corm_write_options write; /* as of an update, but for .only and .null */
    corm_error        *error;
    uint32_t           _canary;
} corm_change_options;

/* Changes collections, counters and whole columns of the row with the struct's key, through the same steps as corm_update; the other
 * members of the struct are not written (but for CORM_EACH_NOW and CORM_ROW_VERSION):
 *     corm_change(db, &posts, &post, { .edits = { corm_add("tags", "c"), corm_put("likes", user, now) } }) */
CORM_API CORM_CHECKED corm_status corm_change_with(corm_db *db, const corm_model *model, void *row,
                                                   const corm_change_options *options);

/* Adds the write to a batch instead of executing it. Models with unique columns are refused with CORM_UNSUPPORTED: their
 * reservations are lightweight transactions of other partitions. */
CORM_API CORM_CHECKED corm_status corm_batch_insert(corm_batch *batch, corm_db *db,
                                                    const corm_model *model, void *row,
                                                    const corm_write_options *options);
CORM_API CORM_CHECKED corm_status corm_batch_save(corm_batch *batch, corm_db *db,
                                                  const corm_model *model, void *row,
                                                  const corm_write_options *options);
CORM_API CORM_CHECKED corm_status corm_batch_upsert(corm_batch *batch, corm_db *db,
                                                    const corm_model *model, void *row,
                                                    const corm_write_options *options);
CORM_API CORM_CHECKED corm_status corm_batch_update(corm_batch *batch, corm_db *db,
                                                    const corm_model *model, void *row,
                                                    const corm_write_options *options);
CORM_API CORM_CHECKED corm_status corm_batch_delete(corm_batch *batch, corm_db *db,
                                                    const corm_model *model, const void *row,
                                                    const corm_write_options *options);
CORM_API CORM_CHECKED corm_status corm_batch_change(corm_batch *batch, corm_db *db,
                                                    const corm_model *model, void *row,
                                                    const corm_change_options *options);

#ifndef __cplusplus
#define corm_open(out, uri, ...) corm_db_open((out), (uri), &(corm_db_options)__VA_ARGS__)
#define corm_find(db, model, out, ...)                                                             \
    corm_find_with((db), (model), (out), &(corm_find_options)__VA_ARGS__)
#define corm_find_one(db, model, out, ...)                                                         \
    corm_find_one_with((db), (model), (out), &(corm_find_options)__VA_ARGS__)
#define corm_count(db, model, out, ...)                                                            \
    corm_count_with((db), (model), (out), &(corm_find_options)__VA_ARGS__)
#define corm_exists(db, model, out, ...)                                                           \
    corm_exists_with((db), (model), (out), &(corm_find_options)__VA_ARGS__)
#define corm_query(db, model, cql, out, ...)                                                       \
    corm_query_with((db), (model), (cql), (out), &(corm_execute_options)__VA_ARGS__)
#define corm_insert(db, model, row, ...)                                                           \
    corm_insert_with((db), (model), (row), &(corm_write_options)__VA_ARGS__)
#define corm_save(db, model, row, ...)                                                             \
    corm_save_with((db), (model), (row), &(corm_write_options)__VA_ARGS__)
#define corm_update(db, model, row, ...)                                                           \
    corm_update_with((db), (model), (row), &(corm_write_options)__VA_ARGS__)
#define corm_upsert(db, model, row, ...)                                                           \
    corm_upsert_with((db), (model), (row), &(corm_write_options)__VA_ARGS__)
#define corm_change(db, model, row, ...)                                                           \
    corm_change_with((db), (model), (row), &(corm_change_options)__VA_ARGS__)
#define corm_delete(db, model, row, ...)                                                           \
    corm_delete_with((db), (model), (row), &(corm_write_options)__VA_ARGS__)
#define corm_delete_for_good(db, model, row, ...)                                                  \
    corm_delete_for_good_with((db), (model), (row), &(corm_write_options)__VA_ARGS__)
#define corm_restore(db, model, row, ...)                                                          \
    corm_restore_with((db), (model), (row), &(corm_write_options)__VA_ARGS__)
#define corm_delete_where(db, model, ...)                                                          \
    corm_delete_where_with((db), (model), &(corm_find_options)__VA_ARGS__)

/* for (CORM_EACH(user, u, rows)) printf("%s\n", u->name); */
#define CORM_EACH(T, var, rows)                                                                    \
    T *var = (T *)corm_rows_first(rows), *var##_end = var ? var + corm_rows_count(rows) : NULL;    \
    var != var##_end;                                                                              \
    var++
#endif

#ifdef __cplusplus
}
#endif
#endif
