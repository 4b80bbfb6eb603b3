// SPDX-License-Identifier: MIT
/* ddl_index.c -- CREATE and DROP INDEX. Pure; any thread.
 *
 * Every index is one of one column. Custom ones keep their class and options; what their classes
 * say about a column and their options is in ddl_index_class.c. */
#include "cql/ddl_index.h"
#include "base/text.h"
#include "cql/ddl.h"
#include "cql/ddl_guard.h"

/* What the statement asks for, with the server's presets. */
typedef struct request {
    const cql_create_index *s;
    corm_str                keyspace;
    const cql_table        *table;
    bool                    custom;
    corm_str class;         /* custom */
    cql_map_option options; /* as written, in the server's order */
    cql_index     *targets; /* column and target of each */
    corm_str       name;
} request;

/* ---- what is written ---- */

static corm_status find_keyspace(cql_ddl *ddl, request *r) {
    cql_ref ref = r->s->table;
    if (!ref.keyspace.text.data) ref.keyspace = r->s->name.keyspace;
    CORM_TRY(cql__ddl_keyspace_of(ddl, &ref, &r->keyspace));
    corm_str index_keyspace = r->s->name.keyspace.text;
    if (!index_keyspace.data || corm_str_equal(index_keyspace, r->keyspace)) return CORM_OK;
    return base__fail(ddl->err, CORM_INVALID,
                      "Keyspace name '%.*s' doesn't match index name '%.*s'", CQL_S(r->keyspace),
                      CQL_S(r->s->name.name.text));
}

static void settle_class(request *r) {
    corm_str class = r->s->using_class.data ? r->s->using_class : corm_str_of("legacy_local_table");
    r->custom = r->s->custom || !base__str_equal_nocase(class, corm_str_of("legacy_local_table"));
    if (r->custom) r->class = class;
}

static corm_status read_options(cql_ddl *ddl, request *r) {
    static const char *const known[] = { "options" };
    cql_option_context       c = cql__ddl_options(ddl);
    CORM_TRY(cql__properties_known(&c, r->s->properties, r->s->property_count, known, 1));
    if (!r->custom && r->s->property_count > 0) {
        return base__fail(ddl->err, CORM_INVALID, "Cannot specify options for a non-CUSTOM index");
    }
    if (r->s->property_count > 0)
        CORM_TRY(cql__property_map(&c, &r->s->properties[0], &r->options));
    const char *bad = cql__map_option_get(&r->options, "class_name").data ? "class_name"
                      : cql__map_option_get(&r->options, "target").data   ? "target"
                                                                          : NULL;
    if (!bad) return CORM_OK;
    return base__fail(ddl->err, CORM_INVALID, "Cannot specify %s as a CUSTOM option", bad);
}

/* ---- targets ---- */

static const char *target_word(cql_index_target target) {
    static const char *const words[] = { "", "values", "keys", "entries", "full" };
    return words[target];
}

corm_str cql__index_target(base_arena *arena, const cql_column *column, cql_index_target target) {
    base_buf text = { 0 };
    if (target != CQL_TARGET_COLUMN) base__buf_printf(&text, "%s(", target_word(target));
    cql__put_name(&text, column->name);
    if (target != CQL_TARGET_COLUMN) base__buf_u8(&text, ')');
    corm_str out =
        text.failed ? (corm_str){ NULL, 0 } : base__arena_str(arena, base__buf_str(&text));
    base__buf_free(&text);
    return out;
}

static corm_status no_such_column(cql_ddl *ddl, const cql_table *table, corm_str name) {
    base_buf text = { 0 };
    corm_str shown = cql__ddl_shown_table(ddl, table);
    cql__put_name(&text, name);
    corm_status status = base__buf_status(&text, ddl->err);
    if (status == CORM_OK && !shown.data) status = base__fail_memory(ddl->err);
    if (status == CORM_OK) {
        status = base__fail(ddl->err, CORM_INVALID, "Undefined column name %.*s in table %.*s",
                            CQL_S(base__buf_str(&text)), CQL_S(shown));
    }
    base__buf_free(&text);
    return status;
}

static corm_status find_targets(cql_ddl *ddl, request *r) {
    uint32_t count = r->s->target_count;
    r->targets = BASE_NEW_ARRAY(ddl->arena, cql_index, count);
    if (!r->targets) return base__fail_memory(ddl->err);
    for (uint32_t i = 0; i < count; i++) {
        const cql_column *column = cql__table_column(r->table, r->s->columns[i].text);
        if (!column) return no_such_column(ddl, r->table, r->s->columns[i].text);
        r->targets[i].column = column;
        r->targets[i].target = r->s->targets[i];
        bool bare = r->s->targets[i] == CQL_TARGET_COLUMN && cql__type_is_collection(column->type);
        if (bare) r->targets[i].target = CQL_TARGET_VALUES;
    }
    if (count == 0 && !r->custom) {
        return base__fail(ddl->err, CORM_INVALID,
                          "Only CUSTOM indexes can be created without specifying a target column");
    }
    if (count > 1 && !r->custom) {
        return base__fail(ddl->err, CORM_INVALID, "Only CUSTOM indexes support multiple columns");
    }
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t j = 0; j < i; j++) {
            if (r->targets[i].column != r->targets[j].column) continue;
            return base__fail(ddl->err, CORM_INVALID,
                              "Duplicate column '%.*s' in index target list",
                              CQL_S(r->targets[i].column->name));
        }
    }
    return CORM_OK;
}

static corm_status check_custom_name(cql_ddl *ddl, corm_str name) {
    enum { LONGEST = 48 };
    if (!cql__is_word(name)) {
        return base__fail(ddl->err, CORM_INVALID,
                          "Column '%.*s' contains non-alphanumeric-underscore characters",
                          CQL_S(name));
    }
    if (name.len <= LONGEST) return CORM_OK;
    return base__fail(ddl->err, CORM_INVALID,
                      "Column '%.*s' is longer than the permissible name length of %d characters",
                      CQL_S(name), LONGEST);
}

static corm_status check_duration(cql_ddl *ddl, const cql_type *type) {
    if (!cql__holds_duration(type)) return CORM_OK;
    const char *where = cql__type_is_collection(type) ? "collections containing durations"
                        : type->id == CQL_TUPLE       ? "tuples containing durations"
                        : type->id == CQL_UDT         ? "UDTs containing durations"
                                                      : "duration columns";
    return base__fail(ddl->err, CORM_INVALID, "Secondary indexes are not supported on %s", where);
}

static corm_status check_compact(cql_ddl *ddl, const cql_table *table, const cql_column *column) {
    if (!table->is_compact) return CORM_OK;
    if (column->kind <= CQL_CLUSTERING) {
        return base__fail(
            ddl->err, CORM_INVALID,
            "Secondary indexes are not supported on PRIMARY KEY columns in COMPACT STORAGE tables");
    }
    if (table->clustering_count == 0) return CORM_OK;
    return base__fail(
        ddl->err, CORM_INVALID,
        "Secondary indexes are not supported on compact value column of COMPACT STORAGE tables");
}

static corm_status check_kind(cql_ddl *ddl, const cql_column *column, cql_index_target target) {
    bool        collection = cql__type_is_collection(column->type);
    bool        frozen = collection && column->type->frozen;
    const char *word = target_word(target);
    if (frozen && target != CQL_TARGET_FULL) {
        corm_str shown = cql__index_target(ddl->arena, column, CQL_TARGET_COLUMN);
        if (!shown.data) return base__fail_memory(ddl->err);
        return base__fail(ddl->err, CORM_INVALID,
                          "Cannot create %s() index on frozen column %.*s. Frozen collections are "
                          "immutable and must be fully indexed by using the 'full(%.*s)' modifier",
                          word, CQL_S(column->name), CQL_S(shown));
    }
    if (!frozen && target == CQL_TARGET_FULL) {
        return base__fail(ddl->err, CORM_INVALID,
                          "full() indexes can only be created on frozen collections");
    }
    if (!collection && target != CQL_TARGET_COLUMN) {
        return base__fail(
            ddl->err, CORM_INVALID,
            "Cannot create %s() index on %.*s. Non-collection columns only support simple indexes",
            word, CQL_S(column->name));
    }
    bool of_map = target == CQL_TARGET_KEYS || target == CQL_TARGET_ENTRIES;
    if (of_map && column->type->id != CQL_MAP) {
        return base__fail(ddl->err, CORM_INVALID,
                          "Cannot create index on %s of column %.*s with non-map type", word,
                          CQL_S(column->name));
    }
    if (column->type->id != CQL_UDT || column->type->frozen) return CORM_OK;
    return base__fail(ddl->err, CORM_INVALID, "Cannot create index on non-frozen UDT column %.*s",
                      CQL_S(column->name));
}

static corm_status check_target(cql_ddl *ddl, const request *r, const cql_index *index) {
    const cql_column *column = index->column;
    if (r->custom) CORM_TRY(check_custom_name(ddl, column->name));
    CORM_TRY(check_duration(ddl, column->type));
    CORM_TRY(check_compact(ddl, r->table, column));
    if (column->kind == CQL_PARTITION_KEY && r->table->partition_count == 1) {
        return base__fail(ddl->err, CORM_INVALID,
                          "Cannot create secondary index on the only partition key column %.*s",
                          CQL_S(column->name));
    }
    return check_kind(ddl, column, index->target);
}

/* ---- names ---- */

static bool is_taken(cql_ddl *ddl, corm_str keyspace, corm_str name) {
    return cql__schema_index(ddl->schema, keyspace, name, NULL) != NULL;
}

/* table_column_idx without other characters than letters, digits and _; with _1, _2 … when it is
 * taken. */
static corm_status make_name(cql_ddl *ddl, request *r) {
    bool     one = r->s->target_count == 1;
    corm_str base = one ? base__arena_printf(ddl->arena, "%.*s_%.*s_idx", CQL_S(r->table->name),
                                             CQL_S(r->targets[0].column->name))
                        : base__arena_printf(ddl->arena, "%.*s_idx", CQL_S(r->table->name));
    char    *text = (char *)base.data;
    size_t   len = 0;
    if (!text) return base__fail_memory(ddl->err);
    for (size_t i = 0; i < base.len; i++) {
        if (cql__is_word((corm_str){ text + i, 1 })) text[len++] = text[i];
    }
    base.len = len;
    r->name = base;
    for (uint32_t i = 1; is_taken(ddl, r->keyspace, r->name); i++) {
        r->name = base__arena_printf(ddl->arena, "%.*s_%u", CQL_S(base), i);
        if (!r->name.data) return base__fail_memory(ddl->err);
    }
    return CORM_OK;
}

/* ---- making ---- */

static bool same_index(const cql_index *a, const cql_index *b) {
    cql_map_option a_options = { a->option_count, a->options };
    cql_map_option b_options = { b->option_count, b->options };
    return a->column->id == b->column->id && a->target == b->target &&
           corm_str_equal(a->class_name, b->class_name) && corm_str_equal(a->kind, b->kind) &&
           cql__map_option_equal(&a_options, &b_options);
}

static corm_status publish_index(cql_ddl *ddl, const request *r, cql_index *index) {
    cql_table draft;
    if (!cql__table_draft(ddl->arena, r->table, 0, &draft)) return base__fail_memory(ddl->err);
    index->storage_id = ddl->next_storage_id++;
    draft.indexes[draft.index_count++] = *index;
    for (uint32_t i = 0; i < r->table->index_count; i++) {
        CORM_TRY(cql__ddl_validate_index(ddl, &draft, &draft.indexes[i]));
    }
    CORM_TRY(cql__ddl_check_class(ddl, r->class, r->name, &r->options));
    CORM_TRY(cql__ddl_validate_table(ddl, &draft));
    if (cql__is_sasi(r->class)) {
        CORM_TRY(cql__ddl_warn(
            ddl, corm_str_of(
                     "SASI indexes are experimental and are not recommended for production use.")));
    }
    CORM_TRY(cql__ddl_changed(ddl, CQL_CHANGED_TABLE, "UPDATED", r->keyspace, r->table->name));
    CORM_TRY(cql__ddl_publish_table(ddl, &draft, &ddl->change->built_table));
    ddl->change->built_index =
        cql__schema_index(ddl->next, r->keyspace, r->name, &ddl->change->built_table);
    return CORM_OK;
}

static corm_status make_index(cql_ddl *ddl, request *r) {
    for (uint32_t i = 0; i < r->s->target_count; i++)
        CORM_TRY(check_target(ddl, r, &r->targets[i]));
    if (r->name.data == NULL) CORM_TRY(make_name(ddl, r));
    CORM_TRY(cql__guard_index(ddl, r->table, r->name));
    if (r->s->target_count != 1)
        return cql__ddl_refuse_targets(ddl, r->class, r->name, r->targets, r->s->target_count);
    cql_map_option     sorted = r->options;
    cql_option_context c = cql__ddl_options(ddl);
    CORM_TRY(cql__map_order(&c, &sorted, 1));
    cql__map_sort(&sorted);
    cql_index index = r->targets[0];
    index.by_terms = true;
    index.name = r->name;
    index.kind = corm_str_of(r->custom ? "CUSTOM" : "COMPOSITES");
    index.class_name = r->class;
    index.option_count = sorted.count;
    index.options = sorted.pairs;
    for (uint32_t i = 0; i < r->table->index_count; i++) {
        if (!same_index(&r->table->indexes[i], &index)) continue;
        if (r->s->if_not_exists) return CORM_OK;
        return base__fail(ddl->err, CORM_INVALID,
                          "Index %.*s is a duplicate of existing index %.*s", CQL_S(r->name),
                          CQL_S(r->table->indexes[i].name));
    }
    return publish_index(ddl, r, &index);
}

corm_status cql__create_index(cql_ddl *ddl, const cql_statement *statement) {
    const cql_create_index *s = &statement->as.create_index;
    request                 r = { .s = s, .name = s->name.name.text };
    corm_str                table = s->table.name.text;
    CORM_TRY(find_keyspace(ddl, &r));
    settle_class(&r);
    CORM_TRY(cql__ddl_permit(ddl, "ALTER", CQL_ON_TABLE, r.keyspace, table));
    CORM_TRY(cql__ddl_begin(ddl, r.keyspace));
    CORM_TRY(read_options(ddl, &r));
    if (!cql__schema_keyspace(ddl->schema, r.keyspace)) {
        return base__fail(ddl->err, CORM_INVALID, "Keyspace '%.*s' doesn't exist",
                          CQL_S(r.keyspace));
    }
    r.table = cql__schema_table(ddl->schema, r.keyspace, table);
    if (!r.table)
        return base__fail(ddl->err, CORM_INVALID, "Table '%.*s' doesn't exist", CQL_S(table));
    if (r.name.data && is_taken(ddl, r.keyspace, r.name)) {
        if (s->if_not_exists) return CORM_OK;
        return base__fail(ddl->err, CORM_INVALID, "Index '%.*s' already exists", CQL_S(r.name));
    }
    if (r.table->is_counter) {
        return base__fail(ddl->err, CORM_INVALID,
                          "Secondary indexes on counter tables aren't supported");
    }
    if (r.table->view) {
        return base__fail(ddl->err, CORM_INVALID,
                          "Secondary indexes on materialized views aren't supported");
    }
    CORM_TRY(find_targets(ddl, &r));
    return make_index(ddl, &r);
}

/* ---- DROP INDEX ---- */

corm_status cql__drop_index(cql_ddl *ddl, const cql_statement *statement) {
    const cql_drop  *s = &statement->as.drop;
    corm_str         name = s->name.name.text;
    const cql_table *table = NULL;
    corm_str         keyspace;
    cql_table        draft;
    uint32_t         kept = 0;
    CORM_TRY(cql__ddl_keyspace_of(ddl, &s->name, &keyspace));
    const cql_index *index = cql__schema_index(ddl->schema, keyspace, name, &table);
    CORM_TRY(cql__ddl_begin(ddl, keyspace));
    if (!index) {
        if (s->if_exists) return CORM_OK;
        return base__fail(ddl->err, CORM_INVALID, "Index '%.*s.%.*s' doesn't exist'",
                          CQL_S(keyspace), CQL_S(name));
    }
    CORM_TRY(cql__ddl_permit(ddl, "ALTER", CQL_ON_TABLE, keyspace, table->name));
    if (!cql__table_draft(ddl->arena, table, 0, &draft)) return base__fail_memory(ddl->err);
    for (uint32_t i = 0; i < table->index_count; i++) {
        if (&table->indexes[i] != index) draft.indexes[kept++] = table->indexes[i];
    }
    draft.index_count = kept;
    CORM_TRY(cql__ddl_drop_storage_id(ddl, index->storage_id));
    CORM_TRY(cql__ddl_changed(ddl, CQL_CHANGED_TABLE, "UPDATED", keyspace, table->name));
    return cql__ddl_publish_table(ddl, &draft, NULL);
}
