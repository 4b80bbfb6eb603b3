// SPDX-License-Identifier: MIT
/* core.h -- what the files of this folder share: compiled models, their statements, rows. */
#ifndef ORM_CORE_H
#define ORM_CORE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/fail.h"
#include "base/map.h"
#include "corm/db.h"
#include "seal/seal.h"
#include "session/door.h"

/* ---- compiled models ---- */

typedef struct orm_model    orm_model;
typedef struct orm_shape    orm_shape;
typedef struct orm_plan     orm_plan;
typedef struct orm_relation orm_relation; /* relation.h */
typedef struct orm_above    orm_above;    /* cascade.h */
typedef struct orm_related  orm_related;  /* relation.h */
typedef struct orm_chain    orm_chain;    /* hook.h */

typedef struct orm_field {
    const corm_field *spec;
    uint32_t          index;  /* in the model */
    corm_str          name;   /* ends with a zero byte */
    corm_str          quoted; /* as CQL text */
    corm_str          cql;    /* the value's type, in the form of system_schema */
    const cql_type   *type; /* until the model is loaded, user-defined types have no fields here */
    corm_str          stored_cql; /* the column's type: blob when it is sealed, else the same */
    const cql_type   *stored_type;
    seal_box         *box; /* of a sealed column whose model is loaded, else NULL */
    corm_member       member;
    uint32_t          offset, size;
    corm_key          key;
    void             *pattern; /* a compiled pcre2_code, or NULL */
} orm_field;

enum {
    ORM_BUCKETS = 64,
    ORM_MOST_SHAPES = 1024,
    ORM_MOST_FIELDS = 1024,
    ORM_MOST_PARTITION_COLUMNS = 16 /* where Corm counts the rows of a partition */
};

/* Immutable once it is in its db's list, but for the cache of statements. */
struct orm_model {
    orm_model        *next; /* in the db's list */
    corm_db          *db;   /* NULL: compiled only to validate */
    const corm_model *spec;
    base_arena        arena;
    corm_str          table, keyspace; /* end with a zero byte */
    corm_str          path;            /* keyspace.table as CQL text */
    uint32_t          count;
    orm_field        *fields;
    uint32_t          partition_count, key_count;
    orm_field       **keys; /* the partition key, then the clustering columns */
    uint32_t          unique_count;
    orm_field       **uniques;
    const orm_field  *version, *deleted_at; /* the columns of these roles; NULL: none */
    bool              is_counter;
    uint32_t          relation_count;
    orm_relation     *relations;
    /* Query tables are models of their own over the same struct: query_table.h. */
    uint32_t        copy_count;
    orm_model     **copies;
    orm_model      *copy_of; /* NULL: this is no query table */
    const uint32_t *origins; /* of a query table: the index of each field in the model */
    bool     moves; /* a query table's key has more columns than the model's: its rows may move */
    corm_str row_select;        /* of a model with query tables: all columns, then their TTLs */
    _Atomic(orm_chain *) chain; /* NULL: it has no hooks */
    pthread_mutex_t      lock;  /* guards adding to the buckets, and shape_count */
    _Atomic(orm_shape *) buckets[ORM_BUCKETS];
    uint32_t             shape_count;
};

/* Checks the model and compiles its types and rules. Released by orm__model_free(). */
CORM_CHECKED corm_status orm__compile(const corm_model *spec, orm_model **out, corm_error *err);
void                     orm__model_free(orm_model *model);
void                     orm__model_forget(orm_model *model); /* frees what needs the session */
void                     orm__shapes_free(orm_model *model);

/* Finds the columns of the roles, and checks them; checks the scopes: role.c, scope.c. */
CORM_CHECKED corm_status orm__check_roles(orm_model *model, corm_error *err);
CORM_CHECKED corm_status orm__check_scopes(const orm_model *model, corm_error *err);
/* The options of a find with the conditions, orders and limits of its scopes: in *room, or the options themselves when there are
 * none. */
CORM_CHECKED corm_status orm__scope(const orm_model *model, const corm_find_options **options,
                                    corm_find_options *room);

/* The field of that name; NULL when there is none. */
const orm_field *orm__field(const orm_model *model, corm_str name);
/* The same, or CORM_INVALID_ARGUMENT with the nearest name. */
CORM_CHECKED corm_status orm__field_named(const orm_model *model, const char *name,
                                          const orm_field **out, corm_error *err);

/* Reads a type's text; a name that is no native type stands for a user-defined type without
 * fields. */
CORM_CHECKED corm_status orm__type_parse(base_arena *arena, corm_str text, const cql_type **out,
                                         corm_error *err);

static inline bool orm__is_key(const orm_field *field) {
    return field->key != CORM_REGULAR && field->key != CORM_STATIC;
}

/* ", did you mean 'x'?", or "?" nothing near: the empty text. `names` has `count` texts. */
corm_str orm__nearest(corm_str name, const corm_str *names, size_t count);

/* ---- members ---- */

const char *orm__member_c_name(corm_member member);
const char *orm__member_cql(corm_member member);  /* the default type; NULL: none */
uint32_t    orm__member_size(corm_member member); /* 0: char[n], any */
bool        orm__member_takes(corm_member member, const cql_type *type);

/* The member's value. CORM_UNSET when it holds nothing, CORM_NULL when it is null on purpose.
 * With `zero`, a zero is a value even where it means "not given". Items of a vector live in the
 * arena. */
CORM_CHECKED corm_status orm__member_get(const orm_field *field, const void *row, bool zero,
                                         base_arena *arena, corm_value *out, corm_error *err);

/* Stores a decoded value, which is not null. Texts are copied where a zero byte is needed. */
CORM_CHECKED corm_status orm__member_set(const orm_field *field, const corm_value *value,
                                         void *member, base_arena *arena, corm_error *err);
void                     orm__member_set_null(corm_member kind, void *member);

/* ---- sealed columns ---- */

static inline bool orm__is_sealed(const orm_field *field) {
    return field->spec->sealed != CORM_NOT_SEALED;
}

/* CORM_INVALID_ARGUMENT's reason when a column of this kind cannot be sealed; NULL: it may. Sets the stored type. */
const char *orm__sealed_check(orm_field *field, base_arena *arena);
/* Derives the keys of the model's sealed columns. */
CORM_CHECKED corm_status orm__sealed_load(orm_model *model, corm_error *err);
/* The reason why a condition with this operator cannot be asked of the column; NULL: it can. */
const char *orm__sealed_refuses(const orm_field *field, corm_op op);
/* A sealed value that is not null as the value's own wire form, in the arena. */
CORM_CHECKED corm_status orm__sealed_open(const orm_field *field, cql_value sealed,
                                          base_arena *arena, cql_value *out, corm_error *err);
/* Binds the value as it is stored: every marker that stands for a field's value is bound by this. With IN, a list of values. */
CORM_CHECKED corm_status orm__bind(corm_statement *statement, uint32_t marker,
                                   const orm_field *field, const corm_value *value,
                                   base_arena *arena, corm_error *err);

/* ---- what people see of values (corm_field.shown): shown.c ---- */

/* Appends the value as a text for messages, logs and events; a hidden one as a masked one. */
void orm__put_shown(const orm_field *field, const corm_value *value, base_buf *out);
/* The same of a value as it is stored. */
void orm__put_shown_cell(const orm_field *field, cql_value cell, base_buf *out);

/* ---- the db ---- */

enum { ORM_ROW_LOCKS = 32 };

struct corm_db {
    atomic_uint      refs; /* the handle, and each corm_rows */
    corm_session    *session;
    corm_migration   migration;
    corm_consistency consistency; /* that the options said; 0: none */
    uint32_t         unique_lease_ms;
    void (*notice)(void *context, const char *text);
    void                  *notice_context;
    const corm_keyring    *keyring;   /* or NULL */
    _Atomic(orm_model *)   models;    /* newest first; only ever added to */
    pthread_mutex_t        hook_lock; /* guards the following, and changing a model's chain */
    struct orm_hook_entry *hooks;     /* that were added */
    corm_events           *events;    /* the program's, or NULL */
    pthread_mutex_t        load;      /* held while a model is loaded */
    pthread_mutex_t
        rows[ORM_ROW_LOCKS]; /* each guards the copies of rows, by their key's hash; recursive */
    base_map   unique_keyspaces; /* whose corm_unique is there; guarded by `load` */
    base_arena names;            /* of that map */
};

/* A mapper over a session, which is taken over (also on failure). */
CORM_CHECKED corm_status orm__db_over(corm_session *session, const corm_db_options *options,
                                      corm_db **out, corm_error *err);
corm_db                 *orm__db_ref(corm_db *db);
void                     orm__db_unref(corm_db *db);
/* Publishes what the mapper does from here on: publish.c. */
CORM_CHECKED corm_status orm__publish_to(corm_db *db, corm_events *events, corm_error *err);
/* An event of the db's, with one field at most. */
void orm__tell(const corm_db *db, const char *type, const char *subject, const char *name,
               const char *value);
void orm__notice(const corm_db *db, const char *format, ...) CORM_PRINTF(2, 3);

/* The compiled model, loaded when it was not. */
CORM_CHECKED corm_status orm__model(corm_db *db, const corm_model *spec, orm_model **out,
                                    corm_error *err);

/* Fills in keyspace and path. */
CORM_CHECKED corm_status orm__model_name_table(orm_model *model, corm_error *err);

/* Makes the table fit. Under db->load. */
CORM_CHECKED corm_status orm__migrate(corm_db *db, orm_model *model, corm_error *err);
/* Appends the statements that make the table and its indexes, without a keyspace. */
void orm__model_script(const orm_model *model, base_buf *out);
/* Makes the table of reservations. Under db->load. */
CORM_CHECKED corm_status orm__unique_prepare(corm_db *db, const orm_model *model, corm_error *err);
/* Frees the reservations of a table that is dropped. */
CORM_CHECKED corm_status orm__unique_forget(corm_db *db, const orm_model *model, corm_error *err);

/* ---- statements, one a shape ---- */

enum { ORM_IDLE_STATEMENTS = 4 };

/* A text that is prepared once. Everything but the atomics is immutable. */
struct orm_shape {
    orm_shape                *next; /* in its bucket */
    uint64_t                  hash;
    corm_bytes                key;    /* behind the struct */
    bool                      cached; /* in the model's buckets, else its user's */
    corm_prepared            *prepared;
    _Atomic(corm_statement *) idle[ORM_IDLE_STATEMENTS];
    _Atomic(orm_plan *)       plan; /* the newest; older ones stay for the rows that use them */
};

/* Appends the CQL text of a shape. */
typedef void orm_shape_text(const void *context, base_buf *out);

/* The shape of this key, from the cache, or made. orm__shape_done() when it is not used any
 * more. */
CORM_CHECKED corm_status orm__shape(orm_model *model, corm_bytes key, orm_shape_text *text,
                                    const void *context, orm_shape **out, corm_error *err);
void                     orm__shape_done(orm_shape *shape);

/* A statement of the shape with everything unset, given back by orm__statement_done(). */
CORM_CHECKED corm_status orm__statement(orm_shape *shape, corm_statement **out, corm_error *err);
void                     orm__statement_done(orm_shape *shape, corm_statement *statement);

/* ---- decoding ---- */

typedef enum orm_decode {
    ORM_DECODE_NOTHING, /* no member takes the column */
    ORM_DECODE_BOOL,
    ORM_DECODE_8,
    ORM_DECODE_16,
    ORM_DECODE_32,
    ORM_DECODE_64,
    ORM_DECODE_UUID,
    ORM_DECODE_DATE,
    ORM_DECODE_TEXT,
    ORM_DECODE_SLICE,
    ORM_DECODE_INLINE,
    ORM_DECODE_SEALED,
    ORM_DECODE_ANY
} orm_decode;

typedef struct orm_step {
    orm_decode       decode;
    bool             tells_null; /* the member can say that it is null */
    uint32_t         offset, size;
    const orm_field *field; /* NULL: NOTHING */
    const cql_type  *type;
} orm_step;

/* How a page's columns become members; in the order of the columns. */
struct orm_plan {
    orm_plan                *older;
    const cql_result_column *columns; /* what it was made for */
    uint32_t                 count;
    orm_step                 steps[];
};

/* CORM_CONVERSION when a column does not fit its member. Released by free(). */
CORM_CHECKED corm_status orm__plan_new(const orm_model *model, const cql_result_column *columns,
                                       uint32_t count, orm_plan **out, corm_error *err);

/* What a row is decoded with. */
typedef struct orm_reading {
    const uint8_t *end; /* of the body: the byte behind a text may be looked at before it */
    base_arena    *arena;
    corm_error    *err;
} orm_reading;

/* One value, which is not null, into its member. */
CORM_CHECKED corm_status orm__decode(const orm_step *step, cql_value value, void *member,
                                     const orm_reading *reading);

/* Decodes `count` rows from `in` into zeroed structs, one behind the other. null(context, row,
 * column) is told of each null. */
CORM_CHECKED corm_status orm__decode_rows(const orm_plan *plan, base_reader *in, uint32_t count,
                                          uint8_t *structs, size_t row_size,
                                          bool (*null)(void *context, uint32_t row,
                                                       uint32_t column),
                                          void *context, const orm_reading *reading);

/* ---- conditions that Corm holds ---- */

/* A condition with its values in wire form. */
typedef struct orm_filter {
    const orm_field *field;
    corm_op          op;
    uint32_t         column; /* of the result */
    uint32_t         value_count;
    cql_value       *values; /* IN: any number; BETWEEN: two; else one, or none */
} orm_filter;

/* Encodes a term into the arena; `column` is left to the caller. */
CORM_CHECKED corm_status orm__filter_make(const orm_field *field, const corm_term *term,
                                          base_arena *arena, orm_filter *out, corm_error *err);
bool                     orm__filter_holds(const orm_filter *filter, cql_value cell);
/* Rows of all columns of the model: those that are deleted by a time are passed over. */
CORM_CHECKED corm_status orm__hide_deleted(const orm_model *model, corm_rows *rows,
                                           corm_error *err);

/* ---- rows ---- */

typedef struct orm_sort {
    uint32_t        column; /* of the result */
    const cql_type *type;
    bool            descending;
} orm_sort;

struct corm_rows {
    corm_db         *db; /* one reference: plans live in its models */
    const orm_model *model;
    uint32_t         count, capacity;
    uint8_t         *structs;
    uint64_t *nulls; /* a bit a row and column, `words` for each row; NULL: no null was seen */
    uint32_t  words;
    const orm_plan *plan;
    orm_plan       *own_plan;
    base_arena      arena; /* what structs point to beside the results */
    base_arena      kept;  /* filters; lives as long as the rows */
    corm_result   **results;
    uint32_t        result_count, result_capacity;
    uint32_t        filter_count;
    orm_filter     *filters;
    uint32_t        sort_count, sort_limit;
    orm_sort        sorts[4];
    base_buf        sort_keys;       /* cql_values, sort_count for each row */
    uint32_t        partition_limit; /* rows of a partition that are taken; 0: all */
    uint32_t        partition_taken, partition_column_count;
    uint16_t        partition_columns[ORM_MOST_PARTITION_COLUMNS]; /* of the result */
    base_buf        partition;                                     /* the key of the last row's */
    uint64_t        skip; /* rows still to be passed over */
    uint64_t        left; /* rows still to be taken */
    uint32_t        related_count;
    orm_related    *related; /* relations that were read: relation.h */
};

CORM_CHECKED corm_status orm__rows_new(orm_model *model, corm_rows **out, corm_error *err);
/* So many rows, all of whose columns are null; and a column that is not. For rows that come from elsewhere than the store. */
CORM_CHECKED corm_status orm__rows_blank(corm_rows *rows, uint32_t count, corm_error *err);
void                     orm__rows_set_given(corm_rows *rows, uint32_t row, uint32_t field);
/* Decodes a page, appending; takes the result over, also on failure. `shape` may be NULL: the
 * plan is then the rows'. */
CORM_CHECKED corm_status orm__rows_add(corm_rows *rows, orm_shape *shape, corm_result *result,
                                       corm_error *err);
/* Sorts, when asked for, and lets go of what is beyond offset and limit. */
CORM_CHECKED corm_status orm__rows_finish(corm_rows *rows, corm_error *err);
/* Replaces the rows by those that order[first] to order[first + count - 1] name, one perhaps several times. */
CORM_CHECKED corm_status orm__rows_take(corm_rows *rows, const uint32_t *order, uint32_t first,
                                        uint32_t count, corm_error *err);

/* The next page, without hooks. */
CORM_CHECKED corm_status orm__rows_next_page(corm_rows *rows, corm_error *err);

/* ---- finding, for the folder's own use ---- */

/* corm_find_with without hooks. */
CORM_CHECKED corm_status orm__find(orm_model *model, corm_rows **out,
                                   const corm_find_options *options);

/* The result of SELECT <select> FROM the model WHERE each key column has the value: `key` is in
 * wire form. `select` is CQL. A quorum is asked: what one writer has done, the next must see. */
CORM_CHECKED corm_status orm__read_by_key(orm_model *model, const char *select, uint8_t kind,
                                          const cql_value *key, corm_result **out, corm_error *err);

/* ---- writing ---- */

typedef enum orm_write_kind {
    ORM_INSERT,
    ORM_SAVE,
    ORM_UPDATE,
    ORM_UPSERT,
    ORM_DELETE,
    ORM_RESTORE /* becomes an update */
} orm_write_kind;

/* ORM_EDITED: the statement changes the column by corm_change's edits, the struct's member is not written. */
typedef enum orm_write_how { ORM_LEAVE, ORM_VALUE, ORM_NULL, ORM_EDITED } orm_write_how;

/* One write under way; lives on the writer's stack. */
typedef struct orm_write {
    corm_db                  *db;
    orm_model                *model;
    orm_write_kind            kind;
    const corm_write_options *options;
    uint8_t                  *row; /* not written to by ORM_DELETE */
    bool                      key_was_given;
    bool                      deletes; /* corm_delete, whatever the kind has become */
    const orm_above          *above;   /* rows whose delete takes this one with it: cascade.h */
    uint8_t                  *how;     /* orm_write_how, one a field */
    bool                      by_partition; /* only static columns are written */
    bool
                     is_soft; /* a delete that has become an update of the CORM_DELETED_AT column, or a restore that is one */
    bool             as_update;    /* the statement is an UPDATE, whatever the kind */
    bool             asks_version; /* the statement is conditional on `version` */
    int64_t          version;      /* what the struct held; 0: nothing */
    const corm_edit *edits;        /* of corm_change; ended by one without a column. NULL: none */
    uint32_t         edit_count;
    base_arena       arena;
    corm_error      *err;
} orm_write;

/* The options of a write. */
CORM_CHECKED corm_status orm__write_check(const orm_write *write);
/* CORM_INVALID_ARGUMENT with the model's name, and the field's when it is not NULL. */
corm_status orm__write_bad(const orm_write *write, const orm_field *field, const char *what);

CORM_CHECKED corm_status orm__generate(orm_write *write);
/* Makes a delete of a model with a CORM_DELETED_AT column the update that it is: soft.c. */
CORM_CHECKED corm_status orm__soften(orm_write *write);
/* Makes an update the one that takes such a delete back; and when it was executed, in the struct. */
CORM_CHECKED corm_status orm__restore(orm_write *write);
void                     orm__restored(const orm_write *write);
/* Counts the CORM_ROW_VERSION column up and makes the write conditional on what it was: version.c. */
CORM_CHECKED corm_status orm__version_count(orm_write *write);
void orm__version_undo(orm_write *write); /* the struct has its old version again */
/* CORM_NOT_APPLIED with the version that was found. */
CORM_CHECKED corm_status orm__version_not_applied(const orm_write *write, corm_result *result,
                                                  corm_error *err);
/* What of each field is written. */
CORM_CHECKED corm_status orm__write_columns(orm_write *write);
CORM_CHECKED corm_status orm__validate(const orm_model *model, const void *row, const uint8_t *how,
                                       bool complete, corm_violations *violations, corm_error *err);
/* The parts of corm_change: change.c. Begin copies the row; the others are steps of the chain. */
CORM_CHECKED corm_status orm__change_begin(orm_write *write, const corm_change_options *options);
void                     orm__change_end(const orm_write *write, void *row);
CORM_CHECKED corm_status orm__change_columns(orm_write *write);
bool                     orm__is_edited(const orm_write *write, const orm_field *field);
/* ", tags = tags + ?"; *before stands before the first and is ", " behind it. */
void orm__put_edits(const orm_write *write, const char **before, base_buf *out);
void orm__edits_key(const orm_write *write, base_buf *key); /* appends what makes the text differ */
CORM_CHECKED corm_status orm__bind_edits(orm_write *write, corm_statement *statement,
                                         uint32_t *marker, corm_error *err);

/* The prepared text of the write, and its values: write_statement.c. */
CORM_CHECKED corm_status orm__write_shape(orm_write *write, orm_shape **out);
CORM_CHECKED corm_status orm__write_bind(orm_write *write, corm_statement *statement,
                                         corm_error *err);
uint32_t                 orm__write_condition_count(const orm_write *write);
const char *orm__write_condition_operator(corm_op op); /* NULL: a write cannot have it */

bool orm__is_conditional(const orm_write *write); /* a lightweight transaction */
/* Executes the statement of the write, with those of its query tables. */
CORM_CHECKED corm_status orm__write_run(orm_write *write, corm_error *err);
/* Only its own, or adds it to a batch. */
CORM_CHECKED corm_status orm__write_alone(orm_write *write, corm_error *err);
CORM_CHECKED corm_status orm__write_add(orm_write *write, corm_batch *batch, corm_error *err);
/* The same around the reservations of unique values. */
CORM_CHECKED corm_status orm__write_unique(orm_write *write);

/* Looks a unique value up: the key, in wire form, of the row that holds it; *found false when
 * nobody does. The key lives in the arena. */
CORM_CHECKED corm_status orm__unique_owner(orm_model *model, const orm_field *field,
                                           cql_value value, base_arena *arena, cql_value **key,
                                           bool *found, corm_error *err);

/* The member in wire form, in the arena; null when it holds nothing. */
CORM_CHECKED corm_status orm__encode_member(const orm_field *field, const void *row,
                                            base_arena *arena, cql_value *out, corm_error *err);
/* A value for the field in wire form, in the arena. */
CORM_CHECKED corm_status orm__encode(const orm_field *field, const corm_value *value,
                                     base_arena *arena, cql_value *out, corm_error *err);

static inline corm_bytes orm__bytes_of(cql_value value) {
    return (corm_bytes){ value.data, value.len < 0 ? 0 : (size_t)value.len };
}

#endif
