// SPDX-License-Identifier: MIT
/* explain_schema.c -- what an explanation needs of the schema: the table's columns, its indexes, whether it is a view. Any door. */
#include "orm/explain.h"

static corm_status ask(orm_explaining *e, const char *cql, const char *keyspace, const char *table,
                       corm_result **out, corm_error *err) {
    corm_execute_options options = { .values = { corm_of_text(keyspace), corm_of_text(table) },
                                     .error = err };
    return corm_execute_with(e->session, cql, &options, out);
}

static corm_str text_in(const corm_value *map, const char *key) {
    if (map->kind != CORM_MAP) return (corm_str){ "", 0 };
    corm_map          items = { map->as.items.items, map->as.items.count / 2 };
    const corm_value *found = corm_map_get(&items, key);
    return found && found->kind == CORM_TEXT ? found->as.text : (corm_str){ "", 0 };
}

/* "email", "\"Email\"", "keys(tags)": how, and the column. */
static void set_target(orm_explaining *e, orm_index *index, corm_str target) {
    const char *open = memchr(target.data, '(', target.len);
    index->target = "";
    if (open && target.data[0] != '"' && target.data[target.len - 1] == ')') {
        size_t before = (size_t)(open - target.data);
        index->target = orm__explain_copy(e, "%.*s", (int)before, target.data);
        target = (corm_str){ open + 1, target.len - before - 2 };
    }
    if (target.len >= 2 && target.data[0] == '"') {
        target = (corm_str){ target.data + 1, target.len - 2 };
    }
    index->column = orm__explain_copy(e, "%.*s", (int)target.len, target.data);
}

/* "sai", or a class whose last name is StorageAttachedIndex. */
static bool is_sai(corm_str class) {
    static const char name[] = "StorageAttachedIndex";
    size_t            len = sizeof name - 1;
    if (corm_str_equal(class, corm_str_of("sai"))) return true;
    return class.len >= len && memcmp(class.data + class.len - len, name, len) == 0;
}

static corm_status add_index(orm_explaining *e, const corm_row *row, corm_error *err) {
    if (e->index_count == e->index_capacity) {
        uint32_t   capacity = e->index_capacity ? 2 * e->index_capacity : 8;
        orm_index *indexes = BASE_NEW_ARRAY(&e->arena, orm_index, capacity);
        if (!indexes) return base__fail_memory(err);
        if (e->index_count > 0) memcpy(indexes, e->indexes, e->index_count * sizeof *indexes);
        e->indexes = indexes;
        e->index_capacity = capacity;
    }
    orm_index *index = &e->indexes[e->index_count++];
    corm_value options;
    corm_str   name = corm_row_text(row, 0);
    CORM_TRY(corm_row_value(row, 1, &options, err));
    corm_str class = text_in(&options, "class_name");
    *index = (orm_index){ .name = orm__explain_copy(e, "%.*s", (int)name.len, name.data) };
    index->is_sai = is_sai(class);
    set_target(e, index, text_in(&options, "target"));
    return CORM_OK;
}

static corm_status read_indexes(orm_explaining *e, const char *keyspace, const char *table,
                                corm_error *err) {
    static const char cql[] = "SELECT index_name, options FROM system_schema.indexes WHERE "
                              "keyspace_name = ? AND table_name = ?";
    corm_result      *result;
    const corm_row   *row;
    corm_status       status;
    CORM_TRY(ask(e, cql, keyspace, table, &result, err));
    while ((status = corm_result_step(result, &row, err)) == CORM_OK && row) {
        status = add_index(e, row, err);
        if (status != CORM_OK) break;
    }
    corm_result_free(result);
    return status;
}

static corm_status read_view(orm_explaining *e, const char *keyspace, const char *table,
                             corm_error *err) {
    static const char cql[] =
        "SELECT base_table_name FROM system_schema.views WHERE keyspace_name = "
        "? AND view_name = ?";
    corm_result    *result;
    const corm_row *row;
    CORM_TRY(ask(e, cql, keyspace, table, &result, err));
    corm_status status = corm_result_step(result, &row, err);
    if (status == CORM_OK && row) {
        corm_str base = corm_row_text(row, 0);
        e->out.view = orm__explain_copy(e, "%.*s", (int)base.len, base.data);
    }
    corm_result_free(result);
    return status;
}

corm_status orm__explain_schema(orm_explaining *e, const char *keyspace, const char *table,
                                corm_error *err) {
    corm_table_free(e->info);
    e->info = NULL;
    e->index_count = 0;
    CORM_TRY(corm_table_read(e->session, keyspace, table, &e->info, err));
    e->out.table = orm__explain_copy(e, "%s.%s", e->info->keyspace, e->info->name);
    CORM_TRY(read_indexes(e, e->info->keyspace, table, err));
    return read_view(e, e->info->keyspace, table, err);
}
