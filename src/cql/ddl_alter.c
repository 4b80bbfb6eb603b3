// SPDX-License-Identifier: MIT
/* ddl_alter.c -- ALTER TABLE. Pure; any thread.
 *
 * A column that is dropped and added again gets its id again; what was written until it was dropped
 * stays hidden by the time of the drop. */
#include "base/text.h"
#include "cql/ddl.h"
#include "cql/ddl_guard.h"
#include "cql/java.h"
#include "cql/resolve_type.h"
#include "cql/types_internal.h"

typedef struct alteration {
    cql_ddl               *ddl;
    const cql_alter_table *s;
    const cql_table       *before;
    cql_table              draft;
    bool                   changed;
} alteration;

static cql_column *find_column(cql_table *draft, corm_str name) {
    for (uint32_t i = 0; i < draft->column_count; i++) {
        if (corm_str_equal(draft->columns[i].name, name)) return &draft->columns[i];
    }
    return NULL;
}

static corm_str type_text(cql_ddl *ddl, const cql_type *type) {
    base_buf text = { 0 };
    cql__type_print(type, &text);
    corm_str out =
        text.failed ? (corm_str){ NULL, 0 } : base__arena_str(ddl->arena, base__buf_str(&text));
    base__buf_free(&text);
    return out;
}

/* ---- ADD ---- */

/* User-defined types as tuples, which stay readable when the types are gone. Not `everywhere`: those inside vectors only. */
static const cql_type *expanded(base_arena *arena, const cql_type *type, bool everywhere) {
    if (type->count == 0 || (type->id == CQL_UDT && !everywhere)) return type;
    const cql_type **params = BASE_NEW_ARRAY(arena, const cql_type *, type->count);
    if (!params) return NULL;
    for (uint32_t i = 0; i < type->count; i++) {
        params[i] = expanded(arena, type->params[i], everywhere || type->id == CQL_VECTOR);
        if (!params[i]) return NULL;
    }
    switch (type->id) {
    case CQL_LIST: return cql__type_list(arena, params[0], type->frozen);
    case CQL_SET: return cql__type_set(arena, params[0], type->frozen);
    case CQL_MAP: return cql__type_map(arena, params[0], params[1], type->frozen);
    case CQL_VECTOR: return cql__type_vector(arena, params[0], type->dimension);
    case CQL_TUPLE:
    case CQL_UDT: return cql__type_tuple(arena, params, type->count);
    default: return type;
    }
}

static const cql_dropped_column *find_dropped(const cql_table *table, corm_str name) {
    for (uint32_t i = 0; i < table->dropped_count; i++) {
        if (corm_str_equal(table->dropped[i].name, name)) return &table->dropped[i];
    }
    return NULL;
}

/* Whether what was written as `before` can be read as `type`: same values of the same
 * fixed length. */
static bool reads_as(const cql_type *type, const cql_type *before) {
    bool opaque = cql__type_is_collection(before) || before->id == CQL_UDT;
    if (type->id == CQL_BLOB && opaque) return false;
    return cql__type_accepts(type, before) &&
           cql__vector_item_size(type) == cql__vector_item_size(before) &&
           cql__type_is_multicell(type) == cql__type_is_multicell(before);
}

static const char *kind_name(cql_column_kind kind) {
    static const char *const names[] = { "PARTITION_KEY", "CLUSTERING", "STATIC", "REGULAR" };
    return names[kind];
}

static corm_status check_dropped(alteration *a, const cql_column *column) {
    cql_ddl                  *ddl = a->ddl;
    const cql_dropped_column *dropped = find_dropped(a->before, column->name);
    if (!dropped) return CORM_OK;
    /* The server keeps user-defined types inside vectors, and takes the column back. */
    const cql_type *type = expanded(ddl->arena, column->type, false);
    if (!type) return base__fail_memory(ddl->err);
    if (!reads_as(type, dropped->type)) {
        corm_str now = type_text(ddl, column->type);
        corm_str then = type_text(ddl, dropped->type);
        if (!now.data || !then.data) return base__fail_memory(ddl->err);
        return base__fail(
            ddl->err, CORM_INVALID,
            "Cannot add a column '%.*s' of type %.*s, incompatible with previously dropped column "
            "'%.*s' of type %.*s",
            CQL_S(column->name), CQL_S(now), CQL_S(column->name), CQL_S(then));
    }
    if ((dropped->kind == CQL_STATIC) != (column->kind == CQL_STATIC)) {
        return base__fail(ddl->err, CORM_INVALID,
                          "Cannot re-add previously dropped column '%.*s' of kind %s, incompatible "
                          "with previous kind %s",
                          CQL_S(column->name), kind_name(column->kind), kind_name(dropped->kind));
    }
    if (!a->before->is_counter) return CORM_OK;
    return base__fail(ddl->err, CORM_INVALID,
                      "Cannot re-add previously dropped counter column %.*s", CQL_S(column->name));
}

static corm_status check_added(alteration *a, const cql_column *column) {
    cql_ddl *ddl = a->ddl;
    if (a->before->is_compact) {
        return base__fail(ddl->err, CORM_INVALID,
                          "Cannot add new column to a COMPACT STORAGE table");
    }
    if (column->kind == CQL_STATIC && a->before->clustering_count == 0) {
        return base__fail(ddl->err, CORM_INVALID,
                          "Static columns are only useful (and thus allowed) if the table has at "
                          "least one clustering column");
    }
    if (cql__has_open_fields(column->type)) {
        return base__fail(
            ddl->err, CORM_INVALID,
            "Non-frozen UDTs with nested non-frozen collections are not supported for column %.*s",
            CQL_S(column->name));
    }
    return check_dropped(a, column);
}

static corm_status add_column(alteration *a, const cql_column_def *written) {
    cql_ddl   *ddl = a->ddl;
    cql_column column = { .name = written->name.text, .kind = CQL_REGULAR };
    if (written->is_static) column.kind = CQL_STATIC;
    CORM_TRY(cql__resolve_type(ddl->schema, a->before->keyspace, written->type, ddl->arena,
                               &column.type, ddl->err));
    CORM_TRY(cql__ddl_mask(ddl, &written->mask, column.name, column.type, &column.mask));
    if (find_column(&a->draft, column.name)) {
        if (a->s->column_if) return CORM_OK;
        return base__fail(ddl->err, CORM_INVALID, "Column with name '%.*s' already exists",
                          CQL_S(column.name));
    }
    CORM_TRY(check_added(a, &column));
    CORM_TRY(cql__guard_vector(ddl, "Column", column.name, column.type));
    const cql_dropped_column *before = find_dropped(a->before, column.name);
    column.id = before ? before->id : a->draft.next_column_id++;
    a->draft.columns[a->draft.column_count++] = column;
    a->changed = true;
    return CORM_OK;
}

static corm_status add_columns(alteration *a) {
    for (uint32_t i = 0; i < a->s->column_count; i++) CORM_TRY(add_column(a, &a->s->columns[i]));
    CORM_TRY(cql__guard_columns(a->ddl, a->before->name, a->draft.column_count));
    return cql__ddl_validate_table(a->ddl, &a->draft);
}

/* ---- DROP ---- */

/* The written columns in the server's order; one that stands twice comes twice. */
static corm_status order_written(alteration *a, uint32_t **order) {
    uint32_t  count = a->s->column_count;
    corm_str *names = BASE_NEW_ARRAY(a->ddl->arena, corm_str, count);
    *order = BASE_NEW_ARRAY(a->ddl->arena, uint32_t, count);
    if (!names || !*order) return base__fail_memory(a->ddl->err);
    for (uint32_t i = 0; i < count; i++) names[i] = a->s->columns[i].name.text;
    cql__java_order(CQL_JAVA_BYTES, names, count, 1, CQL_JAVA_CAPACITY, *order);
    return CORM_OK;
}

static corm_status dropped_at(alteration *a, int64_t *out) {
    *out = a->ddl->now_us;
    if (!a->s->timestamp || base__parse_i64(a->s->timestamp->text, out)) return CORM_OK;
    return base__fail(a->ddl->err, CORM_SYNTAX_ERROR, "Invalid timestamp %.*s",
                      CQL_S(a->s->timestamp->text));
}

static corm_status record_drop(alteration *a, const cql_column *column) {
    cql_table         *draft = &a->draft;
    cql_dropped_column record = { .name = column->name, .kind = column->kind, .id = column->id };
    uint32_t           at = 0;
    CORM_TRY(dropped_at(a, &record.dropped_at_us));
    record.type = expanded(a->ddl->arena, column->type, true);
    if (!record.type) return base__fail_memory(a->ddl->err);
    while (at < draft->dropped_count && !corm_str_equal(draft->dropped[at].name, column->name))
        at++;
    draft->dropped[at] = record;
    if (at == draft->dropped_count) draft->dropped_count++;
    return CORM_OK;
}

static corm_status check_droppable(alteration *a, const cql_column *column) {
    cql_ddl *ddl = a->ddl;
    if (column->kind <= CQL_CLUSTERING) {
        return base__fail(ddl->err, CORM_INVALID, "Cannot drop PRIMARY KEY column %.*s",
                          CQL_S(column->name));
    }
    if (a->before->is_compact && a->before->clustering_count > 0) {
        return base__fail(ddl->err, CORM_INVALID,
                          "Cannot drop the value column %.*s of a COMPACT STORAGE table",
                          CQL_S(column->name));
    }
    if (column->type->id == CQL_UDT && !column->type->frozen) {
        corm_str type = type_text(ddl, column->type);
        if (!type.data) return base__fail_memory(ddl->err);
        return base__fail(ddl->err, CORM_INVALID,
                          "Cannot drop non-frozen column %.*s of user type %.*s",
                          CQL_S(column->name), CQL_S(type));
    }
    corm_str indexes = cql__ddl_indexes_on(ddl, a->before, column);
    if (!indexes.data) return base__fail_memory(ddl->err);
    if (indexes.len == 0 && a->before->view_count > 0)
        return base__fail(ddl->err, CORM_INVALID,
                          "Cannot drop column %.*s on base table %.*s with materialized views",
                          CQL_S(column->name), CQL_S(a->before->name));
    if (indexes.len == 0) return CORM_OK;
    return base__fail(ddl->err, CORM_INVALID,
                      "Cannot drop column %.*s because it has dependent secondary indexes (%.*s)",
                      CQL_S(column->name), CQL_S(indexes));
}

static corm_status drop_column(alteration *a, corm_str name) {
    cql_ddl          *ddl = a->ddl;
    const cql_column *column = cql__table_column(a->before, name);
    cql_column       *place = find_column(&a->draft, name);
    if (column && !place) return CORM_OK;
    if (!column) {
        if (a->s->column_if) return CORM_OK;
        corm_str table = cql__ddl_shown_table(ddl, a->before);
        if (!table.data) return base__fail_memory(ddl->err);
        return base__fail(ddl->err, CORM_INVALID, "Column %.*s was not found in table '%.*s'",
                          CQL_S(name), CQL_S(table));
    }
    CORM_TRY(check_droppable(a, column));
    CORM_TRY(record_drop(a, column));
    *place = a->draft.columns[--a->draft.column_count];
    a->changed = true;
    return CORM_OK;
}

/* The order in which the server keeps them, which DESCRIBE … WITH INTERNALS shows. */
static corm_status order_dropped(alteration *a) {
    cql_table          *draft = &a->draft;
    uint32_t            count = draft->dropped_count;
    uint32_t            before = a->before->dropped_count;
    uint32_t            capacity = before > 0 ? cql__java_copy_capacity(before) : CQL_JAVA_CAPACITY;
    corm_str           *names = BASE_NEW_ARRAY(a->ddl->arena, corm_str, count);
    uint32_t           *order = BASE_NEW_ARRAY(a->ddl->arena, uint32_t, count);
    cql_dropped_column *ordered = BASE_NEW_ARRAY(a->ddl->arena, cql_dropped_column, count);
    if (!names || !order || !ordered) return base__fail_memory(a->ddl->err);
    for (uint32_t i = 0; i < count; i++) names[i] = draft->dropped[i].name;
    cql__java_order(CQL_JAVA_BYTES, names, count, 1, capacity, order);
    for (uint32_t i = 0; i < count; i++) ordered[i] = draft->dropped[order[i]];
    draft->dropped = ordered;
    return CORM_OK;
}

static corm_status drop_columns(alteration *a) {
    uint32_t *order;
    CORM_TRY(order_written(a, &order));
    for (uint32_t i = 0; i < a->s->column_count; i++)
        CORM_TRY(drop_column(a, a->s->columns[order[i]].name.text));
    return order_dropped(a);
}

/* ---- RENAME ---- */

static corm_status no_such_column(alteration *a, corm_str name) {
    base_buf text = { 0 };
    corm_str table = cql__ddl_shown_table(a->ddl, a->before);
    cql__put_name(&text, name);
    const char *shown = base__buf_cstr(&text);
    corm_status status = shown && table.data ? base__fail(a->ddl->err, CORM_INVALID,
                                                          "Undefined column name %s in table %.*s",
                                                          shown, CQL_S(table))
                                             : base__fail_memory(a->ddl->err);
    base__buf_free(&text);
    return status;
}

static corm_status rename_column(alteration *a, corm_str from, corm_str to) {
    cql_ddl          *ddl = a->ddl;
    const cql_column *column = cql__table_column(a->before, from);
    if (!column) return no_such_column(a, from);
    if (column->kind > CQL_CLUSTERING) {
        return base__fail(ddl->err, CORM_INVALID, "Cannot rename non PRIMARY KEY column %.*s",
                          CQL_S(from));
    }
    if (cql__table_column(a->before, to) || find_column(&a->draft, to)) {
        corm_str table = cql__ddl_shown_table(ddl, a->before);
        if (!table.data) return base__fail_memory(ddl->err);
        return base__fail(ddl->err, CORM_INVALID,
                          "Cannot rename column %.*s to %.*s in table '%.*s'; another column with "
                          "that name already exists",
                          CQL_S(from), CQL_S(to), CQL_S(table));
    }
    corm_str indexes = cql__ddl_indexes_on(ddl, a->before, column);
    if (!indexes.data) return base__fail_memory(ddl->err);
    if (indexes.len > 0) {
        return base__fail(
            ddl->err, CORM_INVALID,
            "Can't rename column %.*s because it has dependent secondary indexes (%.*s)",
            CQL_S(from), CQL_S(indexes));
    }
    cql_column *place = find_column(&a->draft, from);
    if (place) place->name = to;
    a->changed = true;
    return CORM_OK;
}

static corm_status rename_columns(alteration *a) {
    uint32_t *order;
    CORM_TRY(order_written(a, &order));
    for (uint32_t i = 0; i < a->s->column_count; i++) {
        uint32_t at = order[i];
        CORM_TRY(rename_column(a, a->s->columns[at].name.text, a->s->renamed[at].text));
    }
    return CORM_OK;
}

/* ---- ALTER column, WITH, DROP COMPACT STORAGE ---- */

static corm_status refuse_type(alteration *a) {
    return base__fail(a->ddl->err, CORM_INVALID, "Altering column types is no longer supported");
}

static corm_status alter_mask(alteration *a) {
    cql_ddl              *ddl = a->ddl;
    const cql_column_def *written = &a->s->columns[0];
    cql_column           *column = find_column(&a->draft, written->name.text);
    cql_mask_def          mask = { .present = false };
    if (!column) {
        if (a->s->column_if) return CORM_OK;
        return base__fail(ddl->err, CORM_INVALID,
                          "Column with name '%.*s' doesn't exist on table '%.*s'",
                          CQL_S(written->name.text), CQL_S(a->before->name));
    }
    if (!a->s->drop_masked)
        CORM_TRY(cql__ddl_mask(ddl, &written->mask, column->name, column->type, &mask));
    if (cql__mask_equal(&column->mask, &mask)) return CORM_OK;
    column->mask = mask;
    a->changed = true;
    return cql__ddl_validate_table(ddl, &a->draft);
}

static corm_status alter_options(alteration *a) {
    cql_ddl           *ddl = a->ddl;
    cql_option_context c = cql__ddl_options(ddl);
    bool               given = false;
    corm_uuid          id;
    cql_property      *properties = a->s->properties;
    uint32_t           count = a->s->property_count;
    CORM_TRY(cql__table_options_check(&c, properties, count));
    CORM_TRY(cql__table_options_id(properties, count, &given, &id, ddl->err));
    if (given) return base__fail(ddl->err, CORM_CONFIG_ERROR, "Cannot alter table id.");
    CORM_TRY(cql__table_options_read(&c, properties, count, &a->draft.options));
    CORM_TRY(cql__guard_ttl(ddl, properties, count));
    if (a->before->is_counter && a->draft.options.default_time_to_live > 0) {
        return base__fail(ddl->err, CORM_INVALID,
                          "Cannot set default_time_to_live on a table with counters");
    }
    if (a->before->view_count > 0 && a->draft.options.gc_grace_seconds == 0) {
        return base__fail(ddl->err, CORM_INVALID,
                          "Cannot alter gc_grace_seconds of the base table of a materialized view "
                          "to 0, since this value is used to TTL undelivered updates. Setting "
                          "gc_grace_seconds too low might cause undelivered updates to expire "
                          "before being replayed.");
    }
    CORM_TRY(cql__guard_compression(ddl, &a->draft.options));
    a->changed = !cql__table_options_equal(&a->draft.options, &a->before->options);
    return cql__table_options_validate(&c, &a->draft.options);
}

/* Without its hidden columns a table becomes an ordinary one only when it shows all that it has. */
static corm_status drop_compact_storage(alteration *a) {
    if (!a->before->is_compact) {
        return base__fail(a->ddl->err, CORM_INVALID,
                          "Cannot DROP COMPACT STORAGE on table without COMPACT STORAGE");
    }
    if (a->before->clustering_count == 0 || a->before->regular_count == 0) {
        return base__fail(a->ddl->err, CORM_INVALID,
                          "DROP COMPACT STORAGE is disabled. Enable in cassandra.yaml to use.");
    }
    a->draft.is_compact = false;
    a->changed = true;
    return CORM_OK;
}

static corm_status alter(alteration *a) {
    if (a->s->kind == CQL_ALTER_ADD || a->s->kind == CQL_ALTER_DROP ||
        a->s->kind == CQL_ALTER_RENAME)
        CORM_TRY(cql__guard_flag(a->ddl, CQL_GUARD_ALTER_TABLE, "alter_table",
                                 "ALTER TABLE changing columns"));
    switch (a->s->kind) {
    case CQL_ALTER_ADD: return add_columns(a);
    case CQL_ALTER_DROP: return drop_columns(a);
    case CQL_ALTER_RENAME: return rename_columns(a);
    case CQL_ALTER_TYPE: return refuse_type(a);
    case CQL_ALTER_MASK: return alter_mask(a);
    case CQL_ALTER_DROP_COMPACT_STORAGE: return drop_compact_storage(a);
    case CQL_ALTER_WITH: break;
    }
    return alter_options(a);
}

/* What the server does before it looks at the table. */
static corm_status check_written(cql_ddl *ddl, const cql_alter_table *s) {
    if (s->kind != CQL_ALTER_ADD && s->kind != CQL_ALTER_TYPE) return CORM_OK;
    for (uint32_t i = 0; i < s->column_count; i++) {
        CORM_TRY(cql__check_written_type(s->columns[i].type, ddl->arena, ddl->err));
    }
    return CORM_OK;
}

static corm_status read_options(cql_ddl *ddl, const cql_alter_table *s) {
    cql_option_context c = cql__ddl_options(ddl);
    cql_table_options  options;
    if (s->kind != CQL_ALTER_WITH) return CORM_OK;
    cql__table_options_init(&options);
    return cql__table_options_read(&c, s->properties, s->property_count, &options);
}

static corm_status publish_with_views(alteration *a) {
    cql_ddl            *ddl = a->ddl;
    cql_keyspace        draft;
    const cql_keyspace *before = cql__schema_keyspace(ddl->schema, a->before->keyspace);
    if (!cql__keyspace_draft(ddl->arena, before, &draft)) return base__fail_memory(ddl->err);
    cql_table *table = cql__table_make(&a->draft);
    if (!table) return base__fail_memory(ddl->err);
    cql__keyspace_put_table(&draft, table);
    corm_status status =
        cql__ddl_follow_base(ddl, a->before, table, a->s->kind == CQL_ALTER_RENAME, &draft);
    if (status == CORM_OK) status = cql__ddl_publish_keyspace(ddl, &draft);
    cql__keyspace_release(&draft, before);
    return status;
}

corm_status cql__alter_table(cql_ddl *ddl, const cql_statement *statement) {
    cql_alter_table        own = statement->as.alter_table;
    const cql_alter_table *s = &own; /* without properties that are ignored */
    corm_str               name = s->table.name.text;
    corm_str               keyspace;
    alteration             a = { .ddl = ddl, .s = s };
    CORM_TRY(check_written(ddl, s));
    CORM_TRY(cql__ddl_keyspace_of(ddl, &s->table, &keyspace));
    CORM_TRY(cql__ddl_permit(ddl, "ALTER", CQL_ON_TABLE, keyspace, name));
    CORM_TRY(cql__guard_properties(ddl, &own.properties, &own.property_count));
    CORM_TRY(read_options(ddl, s));
    CORM_TRY(cql__ddl_begin(ddl, keyspace));
    a.before = cql__schema_table(ddl->schema, keyspace, name);
    if (!a.before) {
        if (s->if_exists) return CORM_OK;
        return base__fail(ddl->err, CORM_INVALID, "Table '%.*s.%.*s' doesn't exist",
                          CQL_S(keyspace), CQL_S(name));
    }
    if (a.before->view)
        return base__fail(ddl->err, CORM_INVALID,
                          "Cannot use ALTER TABLE on a materialized view; use ALTER MATERIALIZED "
                          "VIEW instead");
    if (!cql__table_draft(ddl->arena, a.before, s->column_count, &a.draft))
        return base__fail_memory(ddl->err);
    CORM_TRY(alter(&a));
    if (!a.changed) return CORM_OK;
    CORM_TRY(cql__ddl_changed(ddl, CQL_CHANGED_TABLE, "UPDATED", keyspace, name));
    bool columns = s->kind != CQL_ALTER_WITH && a.before->view_count > 0;
    return columns ? publish_with_views(&a) : cql__ddl_publish_table(ddl, &a.draft, NULL);
}
