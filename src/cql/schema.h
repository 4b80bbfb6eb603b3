// SPDX-License-Identifier: MIT
/* schema.h -- a schema as an immutable snapshot; DDL as a function from one snapshot to the next.
 *
 * A snapshot is shared by reference count and never changes: readers keep the one they began with.
 * The engine stores snapshots, `corm check` builds one from a file of DDL; neither knows what a
 * statement means, this does.
 *
 * Keyspaces, tables and types are reference-counted objects with an arena each, shared between
 * snapshots that did not change them. All strings of an object live in its arena. */
#ifndef CQL_SCHEMA_H
#define CQL_SCHEMA_H

#include <stdatomic.h>

#include "corm/types.h"
#include "cql/ast.h"
#include "cql/codec.h"
#include "cql/guard.h"

typedef enum cql_column_kind {
    CQL_PARTITION_KEY,
    CQL_CLUSTERING,
    CQL_STATIC,
    CQL_REGULAR
} cql_column_kind;

typedef struct cql_mask_def {
    bool      present;
    corm_str  function; /* "mask_default" … in system */
    uint32_t  count;    /* arguments behind the column, as CQL literals */
    corm_str *arguments;
} cql_mask_def;

typedef struct cql_column {
    corm_str        name;
    cql_column_kind kind;
    uint32_t        position; /* in its key; STATIC and REGULAR: within the kind, by name */
    uint32_t        index;    /* in cql_table.columns */
    uint32_t        id;       /* names the column in stored rows; no other name ever gets it */
    const cql_type *type;
    bool            descending; /* CLUSTERING */
    cql_mask_def    mask;
} cql_column;

typedef struct cql_dropped_column {
    corm_str        name;
    cql_column_kind kind;
    const cql_type *type;
    uint32_t        id; /* that of the column: it gets it again when the name comes back */
    int64_t         dropped_at_us; /* what was written at or before it stays hidden then */
} cql_dropped_column;

typedef struct cql_table cql_table;

typedef enum cql_index_class { CQL_INDEX_LEGACY, CQL_INDEX_SAI, CQL_INDEX_SASI } cql_index_class;

typedef enum cql_cut {
    CQL_CUT_NONE,  /* a text is one term */
    CQL_CUT_WORDS, /* by the word boundaries of Unicode */
    CQL_CUT_PARTS  /* at a delimiter */
} cql_cut;

/* What class and options of an index mean; see index_terms.h. */
typedef struct cql_index_rules {
    cql_index_class class_id;
    bool            is_text; /* texts are cut and folded to terms */
    bool            is_inet; /* IPv4 addresses stand among the IPv6 ones, and are equal to them */
    bool            skips_empty; /* empty values are in no answer */
    bool            has_ranges;  /* < <= > >= */
    bool            has_like;    /* LIKE 'x' and 'x%' */
    bool            has_grams;   /* LIKE '%x' and '%x%' */
    bool            is_own;      /* its entries are other than the values as they are */
    unsigned        fold;        /* CQL_FOLD_… */
    cql_cut         cut;
    corm_str        delimiter;
} cql_index_rules;

/* What a materialized view demands of the key columns of its base table, one comparison each; all must hold. Rows of
 * `width` values are compared with those columns from left to right. */
typedef struct cql_view_filter {
    cql_operator op; /* IN: equal to one of the rows; LT, LTE, GT, GTE: one row */
    uint32_t     width;
    uint32_t    *column_ids;
    uint32_t     row_count;
    corm_bytes  *values; /* wire form, row by row */
} cql_view_filter;

/* A materialized view is a table whose rows follow those of a base table in the same keyspace. Its columns have the ids of the
 * base's columns. */
typedef struct cql_view_def {
    corm_str base;         /* the table's name */
    bool     includes_all; /* SELECT *: it gets the columns that the base gets */
    corm_str where;        /* as system_schema.views has it */
    uint32_t key_id; /* the column of its key that is none of the base's key; 0: there is none */
    uint32_t filter_count;
    cql_view_filter *filters;
} cql_view_def;

typedef struct cql_index {
    corm_str          name;
    const cql_column *column;
    cql_index_target  target;     /* COLUMN: the whole value of a column that is no collection */
    corm_str          class_name; /* data NULL: the built-in index */
    corm_str          kind; /* "COMPOSITES", "CUSTOM", "KEYS" as system_schema.indexes has it */
    uint32_t          option_count;
    corm_str         *options; /* name, value, name, value …; without target */
    uint32_t          storage_id;
    bool              by_terms; /* false: of an older store, entries are the values as they are */
    cql_index_rules   rules;    /* not stored: from class, options and column */
} cql_index;

/* Table options as they are shown; maps are "name, value" pairs. Defaults are the server's. */
typedef struct cql_map_option {
    uint32_t  count; /* pairs */
    corm_str *pairs;
} cql_map_option;

typedef struct cql_table_options {
    corm_str       additional_write_policy, comment, memtable, read_repair, speculative_retry;
    double         bloom_filter_fp_chance, crc_check_chance;
    int32_t        default_time_to_live, gc_grace_seconds;
    int32_t        max_index_interval, min_index_interval, memtable_flush_period_in_ms;
    bool           cdc;
    int8_t         allow_auto_snapshot, incremental_backups; /* -1 not said, 0, 1 */
    cql_map_option caching, compaction, compression, extensions;
} cql_table_options;

struct cql_table {
    atomic_uint refs;
    base_arena  arena;
    corm_str    keyspace, name;
    corm_uuid   id;
    uint32_t    storage_id; /* prefix of its rows; TRUNCATE gives a new one */
    uint32_t    next_column_id;
    uint32_t    partition_count, clustering_count, static_count, regular_count;
    uint32_t    column_count;
    cql_column *columns; /* as SELECT * has them: partition key, clustering, static, regular */
    uint32_t    dropped_count;
    cql_dropped_column *dropped;
    uint32_t            index_count;
    cql_index          *indexes;
    cql_table_options   options;
    bool                is_counter;
    bool                is_compact; /* accepted and kept in the flags */
    bool                is_virtual; /* rows come from a function, not from the store */
    bool                is_system;  /* not to be changed by users */
    const cql_view_def *view;       /* NULL: a table, not a view */
    uint32_t            view_count; /* views that follow it: found with cql__next_view */
};

typedef struct cql_udt {
    atomic_uint     refs;
    base_arena      arena;
    corm_str        keyspace, name;
    const cql_type *type; /* not frozen */
} cql_udt;

typedef struct cql_keyspace {
    atomic_uint    refs;
    base_arena     arena;
    corm_str       name;
    cql_map_option replication; /* class first */
    bool           durable_writes;
    bool           is_virtual, is_system;
    uint32_t       table_count;
    cql_table    **tables; /* by name */
    uint32_t       type_count;
    cql_udt      **types; /* by name */
} cql_keyspace;

/* What the owner of a store has worked out for one snapshot of its schema, kept with it. */
typedef struct cql_attached cql_attached;
struct cql_attached {
    void (*free)(cql_attached *attached);
};

typedef struct cql_schema {
    atomic_uint    refs;
    uint64_t       serial;  /* counts DDL statements of this store */
    corm_uuid      version; /* changes with every DDL */
    uint32_t       next_storage_id;
    uint32_t       keyspace_count;
    cql_keyspace **keyspaces; /* by name */
    _Atomic(cql_attached *)
        attached; /* NULL, or set once by whoever was first; goes with the snapshot */
} cql_schema;

/* An empty snapshot with one reference; NULL when memory is exhausted. */
cql_schema *cql__schema_new(void);
cql_schema *cql__schema_ref(cql_schema *schema);
void        cql__schema_unref(cql_schema *schema);

const cql_keyspace *cql__schema_keyspace(const cql_schema *schema, corm_str keyspace);
const cql_table    *cql__schema_table(const cql_schema *schema, corm_str keyspace, corm_str table);
const cql_udt      *cql__schema_type(const cql_schema *schema, corm_str keyspace, corm_str name);
const cql_index    *cql__schema_index(const cql_schema *schema, corm_str keyspace, corm_str index,
                                      const cql_table **table);
const cql_column   *cql__table_column(const cql_table *table, corm_str name);
const cql_column   *cql__table_column_with_id(const cql_table *table, uint32_t id);

/* The views of a table, by name: the one behind `view`, or the first when that is NULL; NULL at the end. */
const cql_table *cql__next_view(const cql_keyspace *keyspace, const cql_table *base,
                                const cql_table *view);

/* Names of the object a DDL statement touched, for SCHEMA_CHANGE. */
typedef enum cql_change_target {
    CQL_CHANGED_NOTHING,
    CQL_CHANGED_KEYSPACE,
    CQL_CHANGED_TABLE,
    CQL_CHANGED_TYPE
} cql_change_target;
typedef struct cql_schema_change {
    cql_change_target target;   /* NOTHING: IF [NOT] EXISTS made it a no-op */
    const char       *verb;     /* "CREATED", "UPDATED", "DROPPED" */
    corm_str          keyspace; /* borrowed from the arena given to apply */
    corm_str          name;
    /* Storage that no snapshot after this one uses: prefixes of rows and of index entries to
     * reclaim. */
    uint32_t  dropped_count;
    uint32_t *dropped_storage;
    /* An index that was made: must be filled from the table's rows. storage_id 0: none. */
    const cql_index *built_index;
    const cql_table *built_table;
    /* The table whose views with new storage must be filled; NULL: none. */
    const cql_table *filled_views;
    /* What the server warns of, for the client. */
    uint32_t  warning_count;
    corm_str *warnings;
} cql_schema_change;

/* Whether cql__schema_apply() takes statements of the kind, if only to refuse them by name. */
bool cql__schema_applies(cql_statement_kind kind);

/* Applies CREATE, ALTER or DROP of a keyspace, table, type or index, or TRUNCATE, giving a new
 * snapshot in *next (one reference; the same snapshot with one more reference when nothing
 * changed). TRUNCATE changes storage ids but no schema: target is NOTHING and the version stays.
 * `keyspace` is the session's, may be empty. All the server's checks, with its codes and words:
 * CORM_INVALID, CORM_CONFIG_ERROR, CORM_ALREADY_EXISTS, CORM_SYNTAX_ERROR. Statements that this
 * store does not execute are refused by name with CORM_INVALID ("CREATE TRIGGER is not supported by
 * Corm"). now_us: for dropped columns. */
CORM_CHECKED corm_status cql__schema_apply(cql_schema *schema, const cql_statement *statement,
                                           corm_str keyspace, int64_t now_us, base_arena *arena,
                                           cql_schema **next, cql_schema_change *change,
                                           corm_error *err);

/* The same schema under the next serial, which is how the store says that something it reads together with the schema has
 * changed. One reference; NULL: no memory. */
cql_schema *cql__schema_renumbered(const cql_schema *schema);

/* The same on a node, within guard rails (NULL: none): cql__schema_apply() knows no nodes, takes datacenters of any name and any
 * number of copies. */
CORM_CHECKED corm_status cql__schema_apply_guarded(const cql_guard *guard, cql_schema *schema,
                                                   const cql_statement *statement,
                                                   corm_str keyspace, int64_t now_us,
                                                   base_arena *arena, cql_schema **next,
                                                   cql_schema_change *change, corm_error *err);

/* Resolves a written type against the schema. Unfrozen collections or UDTs inside others are
 * refused. */
CORM_CHECKED corm_status cql__resolve_type(const cql_schema *schema, corm_str keyspace,
                                           const cql_type_ast *ast, base_arena *arena,
                                           const cql_type **out, corm_error *err);

/* Appends the statement that makes the object, as the server's DESCRIBE prints it (several lines,
 * ending with ';', no newline behind it). A keyspace's is that of the keyspace alone, a table's is
 * without its indexes. */
void cql__describe_keyspace(const cql_keyspace *keyspace, base_buf *out);
void cql__describe_table(const cql_table *table, bool internals, base_buf *out);
void cql__describe_index(const cql_table *table, const cql_index *index, base_buf *out);
void cql__describe_view(const cql_table *view, bool internals, base_buf *out);
void cql__describe_type(const cql_udt *type, base_buf *out);

/* The order of DESCRIBE: types after those that they mention, indexes by name in any case. order[i]
 * is set to the index of what stands in place i; it has room for all. */
void cql__describe_type_order(const cql_keyspace *keyspace, uint32_t *order);
void cql__describe_index_order(const cql_table *table, uint32_t *order);

/* A builder for virtual and system tables: columns are "name type" pairs, key columns first, from
 * CQL text: cql__schema_add_virtual(&schema, "CREATE TABLE system.local (…)") parses and adds it
 * with is_virtual set, making the keyspace when it is missing. `schema` must have one reference (a
 * snapshot being built). */
CORM_CHECKED corm_status cql__schema_add_virtual(cql_schema *schema, const char *create_table,
                                                 corm_error *err);

/* The same for a table whose rows are in the store, under a storage id that is the same in every store: none that a
 * snapshot gives away itself, and never another. Ids of columns follow the text: later columns go behind it. */
CORM_CHECKED corm_status cql__schema_add_stored(cql_schema *schema, const char *create_table,
                                                uint32_t storage_id, corm_error *err);

/* The snapshot as bytes and back, for the store. The format has a version byte. System keyspaces
 * are left out. */
CORM_CHECKED corm_status cql__schema_write(const cql_schema *schema, base_buf *out,
                                           corm_error *err);
CORM_CHECKED corm_status
cql__schema_read(corm_bytes bytes, const cql_schema *system, cql_schema **out,
                 corm_error *err); /* user objects on top of system's keyspaces */

#endif
