// SPDX-License-Identifier: MIT
/* ddl_table.c -- CREATE, DROP and TRUNCATE TABLE. Pure; any thread. */
#include "base/text.h"
#include "cql/ddl.h"
#include "cql/ddl_guard.h"
#include "cql/java.h"
#include "cql/resolve_type.h"

/* ---- what the server's parser finds ---- */

/* The table as it was written, for messages. */
static corm_str written_name(cql_ddl *ddl, const cql_ref *ref) {
    if (!ref->keyspace.text.data) return ref->name.text;
    return base__arena_printf(ddl->arena, "%.*s.%.*s", CQL_S(ref->keyspace.text),
                              CQL_S(ref->name.text));
}

static uint32_t primary_keys(const cql_create_table *s) {
    uint32_t count = s->primary_key_clauses;
    for (uint32_t i = 0; i < s->column_count; i++) count += s->columns[i].is_primary_key;
    return count;
}

static corm_status check_written(cql_ddl *ddl, const cql_create_table *s) {
    corm_str name = written_name(ddl, &s->table);
    if (!name.data) return base__fail_memory(ddl->err);
    for (uint32_t i = 0; i < s->column_count; i++) {
        for (uint32_t j = 0; j < i; j++) {
            if (!corm_str_equal(s->columns[i].name.text, s->columns[j].name.text)) continue;
            return base__fail(ddl->err, CORM_INVALID,
                              "Duplicate column '%.*s' declaration for table '%.*s'",
                              CQL_S(s->columns[i].name.text), CQL_S(name));
        }
    }
    if (primary_keys(s) > 1) {
        return base__fail(ddl->err, CORM_INVALID,
                          "Multiple PRIMARY KEY specified for table '%.*s' (exactly one required)",
                          CQL_S(name));
    }
    for (uint32_t i = 0; i < s->order_count; i++) {
        for (uint32_t j = 0; j < i; j++) {
            if (!corm_str_equal(s->order[i].column.text, s->order[j].column.text)) continue;
            return base__fail(
                ddl->err, CORM_INVALID,
                "Duplicate column '%.*s' in CLUSTERING ORDER BY clause for table '%.*s'",
                CQL_S(s->order[i].column.text), CQL_S(name));
        }
    }
    for (uint32_t i = 0; i < s->column_count; i++) {
        CORM_TRY(cql__check_written_type(s->columns[i].type, ddl->arena, ddl->err));
    }
    return CORM_OK;
}

/* ---- columns ---- */

bool cql__holds_duration(const cql_type *type) {
    if (type->id == CQL_DURATION) return true;
    if (type->id == CQL_VECTOR) return false;
    for (uint32_t i = 0; i < type->count; i++) {
        if (cql__holds_duration(type->params[i])) return true;
    }
    return false;
}

bool cql__has_open_fields(const cql_type *type) {
    if (type->id != CQL_UDT || type->frozen) return false;
    for (uint32_t i = 0; i < type->count; i++) {
        if (cql__type_is_multicell(type->params[i])) return true;
    }
    return false;
}

static corm_status prepare_column(cql_ddl *ddl, const cql_column_def *written, corm_str keyspace,
                                  uint32_t id, cql_column *out) {
    *out = (cql_column){ .name = written->name.text, .kind = CQL_REGULAR, .id = id };
    if (written->is_static) out->kind = CQL_STATIC;
    CORM_TRY(
        cql__resolve_type(ddl->schema, keyspace, written->type, ddl->arena, &out->type, ddl->err));
    return cql__ddl_mask(ddl, &written->mask, out->name, out->type, &out->mask);
}

/* In the server's order, so that the first of several errors is the same. */
static corm_status prepare_columns(cql_ddl *ddl, const cql_create_table *s, cql_table *draft) {
    uint32_t  count = s->column_count;
    corm_str *names = BASE_NEW_ARRAY(ddl->arena, corm_str, count);
    uint32_t *order = BASE_NEW_ARRAY(ddl->arena, uint32_t, count);
    draft->columns = BASE_NEW_ARRAY(ddl->arena, cql_column, count);
    if (!names || !order || !draft->columns) return base__fail_memory(ddl->err);
    for (uint32_t i = 0; i < count; i++) names[i] = s->columns[i].name.text;
    cql__java_order(CQL_JAVA_BYTES, names, count, 1, CQL_JAVA_CAPACITY, order);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = order[i];
        CORM_TRY(
            prepare_column(ddl, &s->columns[at], draft->keyspace, at + 1, &draft->columns[at]));
    }
    draft->column_count = count;
    draft->next_column_id = count + 1;
    for (uint32_t i = 0; i < count; i++) {
        if (!cql__has_open_fields(draft->columns[i].type)) continue;
        return base__fail(ddl->err, CORM_INVALID,
                          "Non-frozen UDTs with nested non-frozen collections are not supported");
    }
    return CORM_OK;
}

static cql_column *find_column(cql_table *draft, corm_str name) {
    for (uint32_t i = 0; i < draft->column_count; i++) {
        if (corm_str_equal(draft->columns[i].name, name)) return &draft->columns[i];
    }
    return NULL;
}

/* ---- the primary key ---- */

static corm_status refuse_open_key(cql_ddl *ddl, const cql_column *column) {
    base_buf text = { 0 };
    bool     udt = column->type->id == CQL_UDT;
    if (udt) {
        corm_str name = base__arena_printf(ddl->arena, "%.*s.%.*s", CQL_S(column->type->keyspace),
                                           CQL_S(column->type->name));
        cql__put_name(&text, name);
    } else {
        cql__type_print(column->type, &text);
    }
    const char *shown = base__buf_cstr(&text);
    corm_status status =
        shown ? base__fail(ddl->err, CORM_INVALID,
                           "Invalid non-frozen %s type %s for PRIMARY KEY column '%.*s'",
                           udt ? "user-defined" : "collection", shown, CQL_S(column->name))
              : base__fail_memory(ddl->err);
    base__buf_free(&text);
    return status;
}

static corm_status check_key_type(cql_ddl *ddl, const cql_column *column) {
    const char *what = column->type->id == CQL_COUNTER     ? "counter"
                       : cql__holds_duration(column->type) ? "duration"
                                                           : NULL;
    if (cql__type_is_multicell(column->type)) return refuse_open_key(ddl, column);
    if (what) {
        return base__fail(ddl->err, CORM_INVALID,
                          "%s type is not supported for PRIMARY KEY column '%.*s'", what,
                          CQL_S(column->name));
    }
    if (column->kind != CQL_STATIC) return CORM_OK;
    return base__fail(ddl->err, CORM_INVALID,
                      "Static column '%.*s' cannot be part of the PRIMARY KEY",
                      CQL_S(column->name));
}

static corm_status add_to_key(cql_ddl *ddl, cql_table *draft, corm_str name, cql_column_kind kind,
                              uint32_t position) {
    cql_column *column = find_column(draft, name);
    if (!column) {
        return base__fail(ddl->err, CORM_INVALID,
                          "Unknown column '%.*s' referenced in PRIMARY KEY for table '%.*s'",
                          CQL_S(name), CQL_S(draft->name));
    }
    if (column->kind <= CQL_CLUSTERING) {
        return base__fail(ddl->err, CORM_INVALID,
                          "Duplicate column '%.*s' in PRIMARY KEY clause for table '%.*s'",
                          CQL_S(name), CQL_S(draft->name));
    }
    CORM_TRY(check_key_type(ddl, column));
    column->kind = kind;
    column->position = position;
    return CORM_OK;
}

static corm_status make_key(cql_ddl *ddl, const cql_create_table *s, cql_table *draft) {
    for (uint32_t i = 0; i < s->column_count; i++) {
        if (!s->columns[i].is_primary_key) continue;
        CORM_TRY(add_to_key(ddl, draft, s->columns[i].name.text, CQL_PARTITION_KEY, 0));
        draft->partition_count = 1;
    }
    for (uint32_t i = 0; i < s->partition_count; i++) {
        CORM_TRY(add_to_key(ddl, draft, s->partition_key[i].text, CQL_PARTITION_KEY, i));
        draft->partition_count++;
    }
    for (uint32_t i = 0; i < s->clustering_count; i++) {
        CORM_TRY(add_to_key(ddl, draft, s->clustering[i].text, CQL_CLUSTERING, i));
        draft->clustering_count++;
    }
    return CORM_OK;
}

/* ---- CLUSTERING ORDER BY ---- */

static bool is_ordered(const cql_create_table *s, corm_str name) {
    for (uint32_t i = 0; i < s->order_count; i++) {
        if (corm_str_equal(s->order[i].column.text, name)) return true;
    }
    return false;
}

static corm_status check_ordered(cql_ddl *ddl, const cql_create_table *s, cql_table *draft) {
    base_buf names = { 0 };
    for (uint32_t i = 0; i < s->order_count; i++) {
        const cql_column *column = find_column(draft, s->order[i].column.text);
        if (column && column->kind == CQL_CLUSTERING) continue;
        if (names.len > 0) base__buf_puts(&names, ", ");
        base__buf_put_str(&names, s->order[i].column.text);
    }
    corm_status status = base__buf_status(&names, ddl->err);
    if (status == CORM_OK && names.len > 0) {
        status = base__fail(ddl->err, CORM_INVALID,
                            "Only clustering key columns can be defined in CLUSTERING ORDER "
                            "directive: [%.*s] are not clustering columns",
                            CQL_S(base__buf_str(&names)));
    }
    base__buf_free(&names);
    return status;
}

static corm_status make_order(cql_ddl *ddl, const cql_create_table *s, cql_table *draft) {
    CORM_TRY(check_ordered(ddl, s, draft));
    for (uint32_t i = 0; i < s->order_count; i++) {
        corm_str name = s->order[i].column.text;
        corm_str here = s->clustering[i].text;
        find_column(draft, name)->descending = s->order[i].descending;
        if (corm_str_equal(name, here)) continue;
        if (!is_ordered(s, here)) {
            return base__fail(ddl->err, CORM_INVALID, "Missing CLUSTERING ORDER for column %.*s",
                              CQL_S(here));
        }
        return base__fail(ddl->err, CORM_INVALID,
                          "The order of columns in the CLUSTERING ORDER directive must match that "
                          "of the clustering columns (%.*s must appear before %.*s)",
                          CQL_S(here), CQL_S(name));
    }
    return CORM_OK;
}

/* ---- statics, counters, COMPACT STORAGE ---- */

static bool any_static(const cql_table *draft) {
    for (uint32_t i = 0; i < draft->column_count; i++) {
        if (draft->columns[i].kind == CQL_STATIC) return true;
    }
    return false;
}

static corm_status refuse_compact_columns(cql_ddl *ddl, const cql_table *draft) {
    base_buf   names = { 0 };
    cql_table *made = cql__table_make(draft);
    if (!made) return base__fail_memory(ddl->err);
    for (uint32_t i = made->partition_count + made->clustering_count; i < made->column_count; i++) {
        if (names.len > 0) base__buf_puts(&names, ", ");
        base__buf_put_str(&names, made->columns[i].name);
    }
    cql__table_unref(made);
    corm_status status = base__buf_status(&names, ddl->err);
    if (status == CORM_OK) {
        status = base__fail(ddl->err, CORM_INVALID,
                            "COMPACT STORAGE with composite PRIMARY KEY allows no more than one "
                            "column not part of the PRIMARY KEY (got: %.*s)",
                            CQL_S(base__buf_str(&names)));
    }
    base__buf_free(&names);
    return status;
}

static corm_status check_compact(cql_ddl *ddl, const cql_table *draft) {
    uint32_t others = draft->column_count - draft->partition_count - draft->clustering_count;
    for (uint32_t i = 0; i < draft->column_count; i++) {
        if (!cql__type_is_multicell(draft->columns[i].type)) continue;
        return base__fail(ddl->err, CORM_INVALID,
                          "Non-frozen collections and UDTs are not supported with COMPACT STORAGE");
    }
    if (any_static(draft)) {
        return base__fail(ddl->err, CORM_INVALID,
                          "Static columns are not supported in COMPACT STORAGE tables");
    }
    if (draft->clustering_count == 0 && others == 0) {
        return base__fail(ddl->err, CORM_INVALID,
                          "No definition found that is not part of the PRIMARY KEY");
    }
    return draft->clustering_count > 0 && others > 1 ? refuse_compact_columns(ddl, draft) : CORM_OK;
}

static corm_status check_layout(cql_ddl *ddl, const cql_create_table *s, const cql_table *draft) {
    if (s->compact_storage) return check_compact(ddl, draft);
    if (draft->clustering_count > 0 || !any_static(draft)) return CORM_OK;
    return base__fail(ddl->err, CORM_INVALID,
                      "Static columns are only useful (and thus allowed) if the table has at least "
                      "one clustering column");
}

static corm_status check_counters(cql_ddl *ddl, const cql_create_table *s, cql_table *draft) {
    for (uint32_t i = 0; i < s->column_count; i++)
        draft->is_counter |= cql__written_counter(s->columns[i].type);
    if (!draft->is_counter) return CORM_OK;
    for (uint32_t i = 0; i < draft->column_count; i++) {
        if (draft->columns[i].kind <= CQL_CLUSTERING || draft->columns[i].type->id == CQL_COUNTER)
            continue;
        return base__fail(ddl->err, CORM_INVALID,
                          "Cannot mix counter and non counter columns in the same table");
    }
    if (draft->options.default_time_to_live == 0) return CORM_OK;
    return base__fail(ddl->err, CORM_INVALID,
                      "Cannot set default_time_to_live on a table with counters");
}

/* ---- the whole ---- */

static corm_str keep(cql_ddl *ddl, base_buf *text) {
    corm_str out =
        text->failed ? (corm_str){ NULL, 0 } : base__arena_str(ddl->arena, base__buf_str(text));
    base__buf_free(text);
    return out;
}

corm_str cql__ddl_shown_table(cql_ddl *ddl, const cql_table *table) {
    base_buf text = { 0 };
    cql__put_name(&text, table->keyspace);
    base__buf_u8(&text, '.');
    cql__put_name(&text, table->name);
    return keep(ddl, &text);
}

corm_str cql__ddl_indexes_on(cql_ddl *ddl, const cql_table *table, const cql_column *column) {
    base_buf text = { 0 };
    for (uint32_t i = 0; i < table->index_count; i++) {
        if (table->indexes[i].column->id != column->id) continue;
        if (text.len > 0) base__buf_puts(&text, ", ");
        base__buf_put_str(&text, table->indexes[i].name);
    }
    return keep(ddl, &text);
}

static corm_status check_name(cql_ddl *ddl, const cql_table *draft) {
    enum { LONGEST = 222 };
    corm_str keyspace = draft->keyspace;
    corm_str name = draft->name;
    if (!cql__is_word(name)) {
        return base__fail(
            ddl->err, CORM_CONFIG_ERROR,
            "%.*s.%.*s: Table name must not be empty or not contain non-alphanumeric-underscore "
            "characters (got \"%.*s\")",
            CQL_S(keyspace), CQL_S(name), CQL_S(name));
    }
    if (name.len <= LONGEST) return CORM_OK;
    return base__fail(
        ddl->err, CORM_CONFIG_ERROR,
        "%.*s.%.*s: Table name must not be more than %d characters long (got %zu characters for "
        "\"%.*s\")",
        CQL_S(keyspace), CQL_S(name), LONGEST, name.len, CQL_S(name));
}

corm_status cql__ddl_validate_table(cql_ddl *ddl, const cql_table *draft) {
    CORM_TRY(check_name(ddl, draft));
    for (uint32_t i = 0; i < draft->column_count; i++) {
        const cql_column *column = &draft->columns[i];
        bool              counter = column->type->id == CQL_COUNTER;
        if (column->kind <= CQL_CLUSTERING || counter == draft->is_counter) continue;
        return base__fail(
            ddl->err, CORM_CONFIG_ERROR,
            "%.*s.%.*s: Cannot have a %scounter column (\"%.*s\") in a %scounter table",
            CQL_S(draft->keyspace), CQL_S(draft->name), counter ? "" : "non ", CQL_S(column->name),
            draft->is_counter ? "" : "non ");
    }
    for (uint32_t i = 0; i < draft->index_count; i++) {
        CORM_TRY(cql__ddl_validate_index(ddl, draft, &draft->indexes[i]));
    }
    return CORM_OK;
}

corm_status cql__ddl_draft_table(cql_ddl *ddl, const cql_create_table *s, corm_str keyspace,
                                 cql_table *draft) {
    cql_option_context c = cql__ddl_options(ddl);
    bool               given = false;
    draft->keyspace = keyspace;
    draft->name = s->table.name.text;
    draft->is_compact = s->compact_storage;
    CORM_TRY(cql__table_options_check(&c, s->properties, s->property_count));
    CORM_TRY(prepare_columns(ddl, s, draft));
    CORM_TRY(make_key(ddl, s, draft));
    CORM_TRY(make_order(ddl, s, draft));
    CORM_TRY(check_layout(ddl, s, draft));
    CORM_TRY(check_counters(ddl, s, draft));
    draft->id = corm_uuid_time();
    return cql__table_options_id(s->properties, s->property_count, &given, &draft->id, ddl->err);
}

corm_status cql__ddl_exists_already(cql_ddl *ddl, corm_str keyspace, corm_str table) {
    corm_status status =
        base__fail(ddl->err, CORM_ALREADY_EXISTS,
                   "Cannot add already existing table \"%.*s\" to keyspace \"%.*s\"", CQL_S(table),
                   CQL_S(keyspace));
    if (ddl->err) {
        memcpy(ddl->err->keyspace, keyspace.data, keyspace.len);
        memcpy(ddl->err->table, table.data, table.len);
    }
    return status;
}

static corm_status no_primary_key(cql_ddl *ddl, const cql_create_table *s) {
    corm_str name = written_name(ddl, &s->table);
    if (!name.data) return base__fail_memory(ddl->err);
    return base__fail(ddl->err, CORM_INVALID,
                      "No PRIMARY KEY specifed for table '%.*s' (exactly one required)",
                      CQL_S(name));
}

static corm_status guard_new(cql_ddl *ddl, corm_str table, uint32_t columns,
                             const cql_table_options *options) {
    CORM_TRY(cql__guard_columns(ddl, table, columns));
    CORM_TRY(cql__guard_table(ddl, table));
    return cql__guard_compression(ddl, options);
}

static corm_status guard_drop(cql_ddl *ddl) {
    return cql__guard_flag(ddl, CQL_GUARD_DROP_TABLE, "drop_truncate_table_enabled",
                           "DROP and TRUNCATE TABLE functionality");
}

corm_status cql__create_table(cql_ddl *ddl, const cql_statement *statement) {
    cql_create_table        own = statement->as.create_table;
    const cql_create_table *s = &own; /* without properties that are ignored */
    corm_str                table = s->table.name.text;
    cql_option_context      c = cql__ddl_options(ddl);
    cql_table               draft = { .storage_id = 0 };
    corm_str                keyspace;
    CORM_TRY(check_written(ddl, s));
    CORM_TRY(cql__ddl_keyspace_of(ddl, &s->table, &keyspace));
    if (primary_keys(s) == 0) return no_primary_key(ddl, s);
    CORM_TRY(cql__ddl_permit(ddl, "CREATE", CQL_ON_ALL_TABLES, keyspace, table));
    CORM_TRY(cql__guard_properties(ddl, &own.properties, &own.property_count));
    cql__table_options_init(&draft.options);
    CORM_TRY(cql__table_options_read(&c, s->properties, s->property_count, &draft.options));
    CORM_TRY(cql__ddl_begin(ddl, keyspace));
    if (!cql__schema_keyspace(ddl->schema, keyspace)) {
        return base__fail(ddl->err, CORM_INVALID, "Keyspace '%.*s' doesn't exist", CQL_S(keyspace));
    }
    if (cql__schema_table(ddl->schema, keyspace, table)) {
        return s->if_not_exists ? CORM_OK : cql__ddl_exists_already(ddl, keyspace, table);
    }
    CORM_TRY(guard_new(ddl, table, s->column_count, &draft.options));
    CORM_TRY(cql__guard_ttl(ddl, s->properties, s->property_count));
    CORM_TRY(cql__ddl_draft_table(ddl, s, keyspace, &draft));
    for (uint32_t i = 0; i < draft.column_count; i++)
        CORM_TRY(cql__guard_vector(ddl, "Column", draft.columns[i].name, draft.columns[i].type));
    CORM_TRY(cql__ddl_validate_table(ddl, &draft));
    draft.storage_id = ddl->next_storage_id++;
    CORM_TRY(cql__ddl_changed(ddl, CQL_CHANGED_TABLE, "CREATED", keyspace, table));
    return cql__ddl_publish_table(ddl, &draft, NULL);
}

/* ---- DROP and TRUNCATE ---- */

/* The server names the keyspace where it means the views. */
static corm_status check_droppable(cql_ddl *ddl, const cql_table *table) {
    if (table->view)
        return base__fail(ddl->err, CORM_INVALID,
                          "Cannot use DROP TABLE on a materialized view. Please use DROP "
                          "MATERIALIZED VIEW instead.");
    if (table->view_count == 0) return CORM_OK;
    return base__fail(ddl->err, CORM_INVALID,
                      "Cannot drop a table when materialized views still depend on it (%.*s)",
                      CQL_S(table->keyspace));
}

corm_status cql__drop_table(cql_ddl *ddl, const cql_statement *statement) {
    const cql_drop *s = &statement->as.drop;
    corm_str        name = s->name.name.text;
    corm_str        keyspace;
    cql_keyspace    draft;
    CORM_TRY(cql__ddl_keyspace_of(ddl, &s->name, &keyspace));
    CORM_TRY(cql__ddl_permit(ddl, "DROP", CQL_ON_TABLE, keyspace, name));
    CORM_TRY(cql__ddl_begin(ddl, keyspace));
    const cql_table *table = cql__schema_table(ddl->schema, keyspace, name);
    if (!table) {
        if (s->if_exists) return CORM_OK;
        return base__fail(ddl->err, CORM_INVALID, "Table '%.*s.%.*s' doesn't exist",
                          CQL_S(keyspace), CQL_S(name));
    }
    CORM_TRY(guard_drop(ddl));
    CORM_TRY(check_droppable(ddl, table));
    const cql_keyspace *before = cql__schema_keyspace(ddl->schema, keyspace);
    if (!cql__keyspace_draft(ddl->arena, before, &draft)) return base__fail_memory(ddl->err);
    cql__keyspace_remove_table(&draft, name);
    CORM_TRY(cql__ddl_drop_storage(ddl, table));
    CORM_TRY(cql__ddl_changed(ddl, CQL_CHANGED_TABLE, "DROPPED", keyspace, name));
    return cql__ddl_publish_keyspace(ddl, &draft);
}

/* The table, or one of its views, with storage of its own in which nothing is. */
static corm_status truncate_one(cql_ddl *ddl, const cql_table *table, cql_table **out) {
    cql_table draft;
    if (!cql__table_draft(ddl->arena, table, 0, &draft)) return base__fail_memory(ddl->err);
    draft.storage_id = ddl->next_storage_id++;
    for (uint32_t i = 0; i < draft.index_count; i++)
        draft.indexes[i].storage_id = ddl->next_storage_id++;
    CORM_TRY(cql__ddl_drop_storage(ddl, table));
    *out = cql__table_make(&draft);
    return *out ? CORM_OK : base__fail_memory(ddl->err);
}

static corm_status truncate_into(cql_ddl *ddl, const cql_keyspace *before, const cql_table *table,
                                 cql_keyspace *draft) {
    cql_table *made;
    CORM_TRY(truncate_one(ddl, table, &made));
    cql__keyspace_put_table(draft, made);
    for (const cql_table *view = NULL; (view = cql__next_view(before, table, view));) {
        CORM_TRY(truncate_one(ddl, view, &made));
        cql__keyspace_put_table(draft, made);
    }
    return CORM_OK;
}

static corm_status truncate_all(cql_ddl *ddl, const cql_table *table) {
    cql_keyspace        draft;
    const cql_keyspace *before = cql__schema_keyspace(ddl->schema, table->keyspace);
    if (!cql__keyspace_draft(ddl->arena, before, &draft)) return base__fail_memory(ddl->err);
    corm_status status = truncate_into(ddl, before, table, &draft);
    if (status == CORM_OK) status = cql__ddl_publish_keyspace(ddl, &draft);
    cql__keyspace_release(&draft, before);
    return status;
}

corm_status cql__truncate(cql_ddl *ddl, const cql_statement *statement) {
    const cql_ref *ref = &statement->as.drop.name;
    corm_str       keyspace;
    CORM_TRY(cql__ddl_keyspace_of(ddl, ref, &keyspace));
    if (!cql__schema_keyspace(ddl->schema, keyspace)) {
        return base__fail(ddl->err, CORM_INVALID, "keyspace %.*s does not exist", CQL_S(keyspace));
    }
    const cql_table *table = cql__schema_table(ddl->schema, keyspace, ref->name.text);
    if (!table)
        return base__fail(ddl->err, CORM_INVALID, "table %.*s does not exist",
                          CQL_S(ref->name.text));
    if (table->is_virtual || table->is_system) {
        return base__fail(ddl->err, CORM_INVALID, "Truncation is not supported by table %.*s.%.*s",
                          CQL_S(keyspace), CQL_S(table->name));
    }
    if (table->view)
        return base__fail(ddl->err, CORM_INVALID,
                          "Cannot TRUNCATE materialized view directly; must truncate base table "
                          "instead");
    CORM_TRY(guard_drop(ddl));
    return truncate_all(ddl, table);
}
