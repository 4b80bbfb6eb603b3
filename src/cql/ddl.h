// SPDX-License-Identifier: MIT
/* ddl.h -- one statement on its way from a snapshot to the next: what the files of the families
 * share.
 *
 * A family's function checks, makes new objects from drafts in the statement's arena and publishes
 * them; publishing is the last thing it does, so that a failure leaves nothing behind. */
#ifndef CQL_DDL_H
#define CQL_DDL_H

#include "base/fail.h"
#include "cql/guard.h"
#include "cql/options.h"
#include "cql/schema_build.h"

typedef struct cql_ddl {
    cql_schema        *schema;
    corm_str           session; /* the session's keyspace; empty: none */
    int64_t            now_us;
    base_arena        *arena;
    corm_error        *err;
    cql_schema_change *change;
    const cql_guard   *guard; /* NULL: nobody is held up */
    bool        anywhere; /* a schema on paper: datacenters and numbers of nodes are not known */
    uint32_t    next_storage_id;
    cql_schema *next; /* NULL: nothing has changed */
} cql_ddl;

/* Each applies one kind of statement. */
corm_status cql__create_keyspace(cql_ddl *ddl, const cql_statement *statement);
corm_status cql__alter_keyspace(cql_ddl *ddl, const cql_statement *statement);
corm_status cql__drop_keyspace(cql_ddl *ddl, const cql_statement *statement);
corm_status cql__create_table(cql_ddl *ddl, const cql_statement *statement);
corm_status cql__alter_table(cql_ddl *ddl, const cql_statement *statement);
corm_status cql__drop_table(cql_ddl *ddl, const cql_statement *statement);
corm_status cql__truncate(cql_ddl *ddl, const cql_statement *statement);
corm_status cql__create_type(cql_ddl *ddl, const cql_statement *statement);
corm_status cql__alter_type(cql_ddl *ddl, const cql_statement *statement);
corm_status cql__drop_type(cql_ddl *ddl, const cql_statement *statement);
corm_status cql__create_index(cql_ddl *ddl, const cql_statement *statement);
corm_status cql__drop_index(cql_ddl *ddl, const cql_statement *statement);
corm_status cql__create_trigger(cql_ddl *ddl, const cql_statement *statement);
corm_status cql__drop_trigger(cql_ddl *ddl, const cql_statement *statement);
corm_status cql__create_function(cql_ddl *ddl, const cql_statement *statement);
corm_status cql__drop_function(cql_ddl *ddl, const cql_statement *statement);
corm_status cql__create_aggregate(cql_ddl *ddl, const cql_statement *statement);
corm_status cql__drop_aggregate(cql_ddl *ddl, const cql_statement *statement);
corm_status cql__create_view(cql_ddl *ddl, const cql_statement *statement);
corm_status cql__alter_view(cql_ddl *ddl, const cql_statement *statement);
corm_status cql__drop_view(cql_ddl *ddl, const cql_statement *statement);

/* ---- before all else (ddl.c) ---- */

/* The written keyspace or the session's; CORM_INVALID without any. */
CORM_CHECKED corm_status cql__ddl_keyspace_of(cql_ddl *ddl, const cql_ref *ref, corm_str *out);

/* Whether users may change things there: CORM_UNAUTHORIZED for the keyspaces of the system. The
 * resource is what the message names: "keyspace", "all tables", or a table. */
typedef enum cql_resource { CQL_ON_KEYSPACE, CQL_ON_ALL_TABLES, CQL_ON_TABLE } cql_resource;
CORM_CHECKED corm_status cql__ddl_permit(cql_ddl *ddl, const char *verb, cql_resource resource,
                                         corm_str keyspace, corm_str table);

/* What the server looks at before it applies any statement: system keyspaces, and the keyspace's
 * name. */
CORM_CHECKED corm_status cql__ddl_begin(cql_ddl *ddl, corm_str keyspace);

static inline cql_option_context cql__ddl_options(const cql_ddl *ddl) {
    return (cql_option_context){ ddl->arena, ddl->err, ddl->anywhere };
}

/* ---- the change that is reported ---- */

CORM_CHECKED corm_status cql__ddl_changed(cql_ddl *ddl, cql_change_target target, const char *verb,
                                          corm_str keyspace, corm_str name);
CORM_CHECKED corm_status cql__ddl_warn(cql_ddl *ddl, corm_str warning);
CORM_CHECKED corm_status cql__ddl_drop_storage(cql_ddl         *ddl,
                                               const cql_table *table); /* its rows and indexes */
CORM_CHECKED corm_status cql__ddl_drop_storage_id(cql_ddl *ddl, uint32_t id);

/* ---- publishing ---- */

/* The next snapshot is the current one with the keyspace made from the draft, or without the
 * keyspace. */
CORM_CHECKED corm_status cql__ddl_publish_keyspace(cql_ddl *ddl, const cql_keyspace *draft);
CORM_CHECKED corm_status cql__ddl_publish_without(cql_ddl *ddl, corm_str keyspace);

/* The same with one table made from the draft, in its keyspace. *made (may be NULL) lives in the
 * next snapshot. */
CORM_CHECKED corm_status cql__ddl_publish_table(cql_ddl *ddl, const cql_table *draft,
                                                const cql_table **made);

/* ---- shared by tables and their alterations (ddl_table.c) ---- */

/* What stands after the columns, keys and options were accepted one by one: the table's name, its
 * counters, and the options of its indexes. */
CORM_CHECKED corm_status cql__ddl_validate_table(cql_ddl *ddl, const cql_table *draft);

/* The draft of the statement's table, complete but for ids. `next_column_id` counts from 1. */
CORM_CHECKED corm_status cql__ddl_draft_table(cql_ddl *ddl, const cql_create_table *statement,
                                              corm_str keyspace, cql_table *draft);

/* Always an error. */
corm_status cql__ddl_exists_already(cql_ddl *ddl, corm_str keyspace, corm_str table);

/* "keyspace.table", quoted where needed; data NULL: no memory. */
corm_str cql__ddl_shown_table(cql_ddl *ddl, const cql_table *table);

/* "a, b": the table's indexes on the column, empty without any; data NULL: no memory. */
corm_str cql__ddl_indexes_on(cql_ddl *ddl, const cql_table *table, const cql_column *column);

/* ---- masks (ddl_mask.c) ---- */

CORM_CHECKED corm_status cql__ddl_mask(cql_ddl *ddl, const cql_mask *written, corm_str column,
                                       const cql_type *type, cql_mask_def *out);

/* Whether values of the type hold a duration; vectors do not say what they hold. */
bool cql__holds_duration(const cql_type *type);

/* Whether a user-defined type that is not frozen has fields that are many cells themselves. */
bool cql__has_open_fields(const cql_type *type);

/* ---- materialized views (ddl_view.c, check_view.c) ---- */

/* Replaces, in the draft of a keyspace, the views of a table by views that fit `base`, as the table is to be. The draft then holds a
 * reference of each view that it did not hold before. */
CORM_CHECKED corm_status cql__ddl_follow_base(cql_ddl *ddl, const cql_table *before,
                                              const cql_table *base, bool renamed,
                                              cql_keyspace *keyspace);

/* The WHERE clause of a view, read; in the statement's arena. */
typedef struct cql_view_where {
    void *state;
    bool *restricted; /* by column index in the base table */
} cql_view_where;
CORM_CHECKED corm_status cql__view_where(cql_ddl *ddl, const cql_table *base,
                                         const cql_relation *relations, uint32_t count,
                                         cql_view_where *out);
/* Refuses restrictions of columns that are not in the base's key. */
CORM_CHECKED corm_status cql__view_where_others(const cql_view_where *of);
CORM_CHECKED corm_status cql__view_filters(cql_view_where *of, cql_view_def *out);
CORM_CHECKED corm_status cql__view_where_text(cql_ddl *ddl, const cql_relation *relations,
                                              uint32_t count, corm_str *out);

/* ---- indexes (ddl_index.c) ---- */

CORM_CHECKED corm_status cql__ddl_validate_index(cql_ddl *ddl, const cql_table *table,
                                                 const cql_index *index);

#endif
