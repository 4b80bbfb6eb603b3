// SPDX-License-Identifier: MIT
/* virtual_schema.c -- the schema as rows of system_schema and system_virtual_schema, which describe themselves too.
 *
 * Rows come in the order of the tables' keys: keyspaces by token (in system_virtual_schema by name), what is in them by name.
 * Thread: the reader's. */
#include <stdlib.h>

#include "base/text.h"
#include "cql/token.h"
#include "engine/virtual.h"

/* ---- walking in order ---- */

/* Tables by name, and columns of a table by name: the order of the schema's own arrays is another one. */
typedef corm_status (*keyspace_rows)(virtual_row *row, const cql_keyspace *keyspace,
                                     corm_error *err);
typedef corm_status (*table_rows)(virtual_row *row, const cql_table *table, corm_error *err);

static int64_t token_of(const cql_keyspace *keyspace) {
    return cql__token((corm_bytes){ (const uint8_t *)keyspace->name.data, keyspace->name.len });
}

static int by_token(const void *a, const void *b) {
    const cql_keyspace *one = *(const cql_keyspace *const *)a,
                       *other = *(const cql_keyspace *const *)b;
    int64_t x = token_of(one), y = token_of(other);
    return x != y ? (x > y) - (x < y) : base__str_compare(one->name, other->name);
}

/* Those that the table tells about, in its order. */
static cql_keyspace **ordered_keyspaces(virtual_row *row, const cql_schema *schema,
                                        uint32_t *count) {
    bool is_virtual = corm_str_equal(row->table->keyspace, corm_str_of("system_virtual_schema"));
    cql_keyspace **out =
        BASE_NEW_ARRAY(row->request->arena, cql_keyspace *, schema->keyspace_count);
    *count = 0;
    if (!out) return NULL;
    for (uint32_t i = 0; i < schema->keyspace_count; i++) {
        if (schema->keyspaces[i]->is_virtual == is_virtual) out[(*count)++] = schema->keyspaces[i];
    }
    if (!is_virtual) qsort(out, *count, sizeof(void *), by_token);
    return out;
}

static corm_status each_keyspace(virtual_row *row, const cql_schema *schema, keyspace_rows rows,
                                 corm_error *err) {
    uint32_t       count;
    cql_keyspace **keyspaces = ordered_keyspaces(row, schema, &count);
    if (!keyspaces) return base__fail_memory(err);
    for (uint32_t i = 0; i < count; i++) CORM_TRY(rows(row, keyspaces[i], err));
    return CORM_OK;
}

static corm_status each_table(virtual_row *row, const cql_schema *schema, table_rows rows,
                              corm_error *err) {
    uint32_t       count;
    cql_keyspace **keyspaces = ordered_keyspaces(row, schema, &count);
    if (!keyspaces) return base__fail_memory(err);
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t j = 0; j < keyspaces[i]->table_count; j++) {
            CORM_TRY(rows(row, keyspaces[i]->tables[j], err));
        }
    }
    return CORM_OK;
}

static int by_column_name(const void *a, const void *b) {
    const cql_column *const *one = a, *const *other = b;
    return base__str_compare((*one)->name, (*other)->name);
}

static const cql_column **columns_by_name(virtual_row *row, const cql_table *table) {
    const cql_column **sorted =
        BASE_NEW_ARRAY(row->request->arena, const cql_column *, table->column_count);
    if (!sorted) return NULL;
    for (uint32_t i = 0; i < table->column_count; i++) sorted[i] = &table->columns[i];
    qsort(sorted, table->column_count, sizeof(void *), by_column_name);
    return sorted;
}

/* ---- values ---- */

static void set_table_key(virtual_row *row, const cql_table *table) {
    virtual__set_text(row, "keyspace_name", table->keyspace);
    virtual__set_text(row, "table_name", table->name);
}

static void set_type(virtual_row *row, const char *column, const cql_type *type) {
    base_buf text = { 0 };
    cql__type_print(type, &text);
    virtual__set_buf(row, column, &text);
}

static void set_kind(virtual_row *row, cql_column_kind kind) {
    static const char *const names[] = {
        [CQL_PARTITION_KEY] = "partition_key",
        [CQL_CLUSTERING] = "clustering",
        [CQL_STATIC] = "static",
        [CQL_REGULAR] = "regular",
    };
    virtual__set_text(row, "kind", corm_str_of(names[kind]));
}

/* ---- keyspaces ---- */

static corm_status keyspace_row(virtual_row *row, const cql_keyspace *keyspace, corm_error *err) {
    virtual__set_text(row, "keyspace_name", keyspace->name);
    virtual__set_bool(row, "durable_writes", keyspace->durable_writes);
    virtual__set_pairs(row, "replication", keyspace->replication.pairs,
                       keyspace->replication.count);
    return virtual__emit(row, err);
}

static corm_status keyspaces(virtual_row *row, const cql_schema *schema, corm_error *err) {
    return each_keyspace(row, schema, keyspace_row, err);
}

/* ---- tables ---- */

static void set_map(virtual_row *row, const char *column, const cql_map_option *map) {
    virtual__set_pairs(row, column, map->pairs, map->count);
}

static void set_flags(virtual_row *row, const cql_table *table) {
    corm_str flags[3];
    uint32_t count = 0;
    flags[count++] = corm_str_of("compound");
    if (table->is_counter) flags[count++] = corm_str_of("counter");
    virtual__set_texts(row, "flags", flags, count);
}

/* As the server, it leaves null what has its default and is rarely said. */
static void set_rare_options(virtual_row *row, const cql_table_options *options) {
    if (options->allow_auto_snapshot == 0) virtual__set_bool(row, "allow_auto_snapshot", false);
    if (options->incremental_backups == 0) virtual__set_bool(row, "incremental_backups", false);
    if (options->cdc) virtual__set_bool(row, "cdc", true);
    if (!corm_str_equal(options->memtable, corm_str_of("default"))) {
        virtual__set_text(row, "memtable", options->memtable);
    }
}

static void set_options(virtual_row *row, const cql_table_options *options) {
    virtual__set_text(row, "additional_write_policy", options->additional_write_policy);
    virtual__set_double(row, "bloom_filter_fp_chance", options->bloom_filter_fp_chance);
    set_map(row, "caching", &options->caching);
    virtual__set_text(row, "comment", options->comment);
    set_map(row, "compaction", &options->compaction);
    set_map(row, "compression", &options->compression);
    virtual__set_double(row, "crc_check_chance", options->crc_check_chance);
    virtual__set_double(row, "dclocal_read_repair_chance", 0.0);
    virtual__set_int(row, "default_time_to_live", options->default_time_to_live);
    set_map(row, "extensions", &options->extensions);
    virtual__set_int(row, "gc_grace_seconds", options->gc_grace_seconds);
    virtual__set_int(row, "max_index_interval", options->max_index_interval);
    virtual__set_int(row, "memtable_flush_period_in_ms", options->memtable_flush_period_in_ms);
    virtual__set_int(row, "min_index_interval", options->min_index_interval);
    virtual__set_text(row, "read_repair", options->read_repair);
    virtual__set_double(row, "read_repair_chance", 0.0);
    virtual__set_text(row, "speculative_retry", options->speculative_retry);
    set_rare_options(row, options);
}

static corm_status table_row(virtual_row *row, const cql_table *table, corm_error *err) {
    if (table->view) return CORM_OK;
    set_table_key(row, table);
    virtual__set_uuid(row, "id", table->id);
    set_flags(row, table);
    set_options(row, &table->options);
    return virtual__emit(row, err);
}

static corm_status tables(virtual_row *row, const cql_schema *schema, corm_error *err) {
    return each_table(row, schema, table_row, err);
}

/* ---- views ---- */

static corm_status view_row(virtual_row *row, const cql_table *table, corm_error *err) {
    const cql_schema *schema = row->request->schema;
    if (!table->view) return CORM_OK;
    const cql_table *base = cql__schema_table(schema, table->keyspace, table->view->base);
    virtual__set_text(row, "keyspace_name", table->keyspace);
    virtual__set_text(row, "view_name", table->name);
    virtual__set_text(row, "base_table_name", table->view->base);
    if (base) virtual__set_uuid(row, "base_table_id", base->id);
    virtual__set_uuid(row, "id", table->id);
    virtual__set_bool(row, "include_all_columns", table->view->includes_all);
    virtual__set_text(row, "where_clause", table->view->where);
    set_options(row, &table->options);
    return virtual__emit(row, err);
}

static corm_status views(virtual_row *row, const cql_schema *schema, corm_error *err) {
    return each_table(row, schema, view_row, err);
}

/* A view is filled by the statement that makes it. */
static corm_status built_view_row(virtual_row *row, const cql_table *table, corm_error *err) {
    if (!table->view) return CORM_OK;
    virtual__set_text(row, "keyspace_name", table->keyspace);
    virtual__set_text(row, "view_name", table->name);
    virtual__set_bool(row, "status_replicated", true);
    return virtual__emit(row, err);
}

static corm_status built_views(virtual_row *row, const cql_schema *schema, corm_error *err) {
    return each_table(row, schema, built_view_row, err);
}

/* ---- columns ---- */

static corm_status column_row(virtual_row *row, const cql_table *table, const cql_column *column,
                              corm_error *err) {
    bool        is_key = column->kind == CQL_PARTITION_KEY || column->kind == CQL_CLUSTERING;
    const char *order = column->kind != CQL_CLUSTERING ? "none"
                        : column->descending           ? "desc"
                                                       : "asc";
    set_table_key(row, table);
    virtual__set_text(row, "column_name", column->name);
    virtual__set_text(row, "clustering_order", corm_str_of(order));
    virtual__set_text(row, "column_name_bytes", column->name);
    set_kind(row, column->kind);
    virtual__set_int(row, "position", is_key ? (int32_t)column->position : -1);
    set_type(row, "type", column->type);
    return virtual__emit(row, err);
}

static corm_status columns_of_table(virtual_row *row, const cql_table *table, corm_error *err) {
    const cql_column **sorted = columns_by_name(row, table);
    if (!sorted) return base__fail_memory(err);
    for (uint32_t i = 0; i < table->column_count; i++)
        CORM_TRY(column_row(row, table, sorted[i], err));
    return CORM_OK;
}

static corm_status columns(virtual_row *row, const cql_schema *schema, corm_error *err) {
    return each_table(row, schema, columns_of_table, err);
}

/* ---- dropped columns ---- */

static int by_dropped_name(const void *a, const void *b) {
    return base__str_compare(((const cql_dropped_column *)a)->name,
                             ((const cql_dropped_column *)b)->name);
}

static corm_status dropped_of_table(virtual_row *row, const cql_table *table, corm_error *err) {
    cql_dropped_column *sorted = base__arena_copy(row->request->arena, table->dropped,
                                                  table->dropped_count * sizeof *table->dropped);
    if (!sorted) return base__fail_memory(err);
    qsort(sorted, table->dropped_count, sizeof *sorted, by_dropped_name);
    for (uint32_t i = 0; i < table->dropped_count; i++) {
        set_table_key(row, table);
        virtual__set_text(row, "column_name", sorted[i].name);
        virtual__set_bigint(row, "dropped_time", sorted[i].dropped_at_us / 1000);
        set_kind(row, sorted[i].kind);
        set_type(row, "type", sorted[i].type);
        CORM_TRY(virtual__emit(row, err));
    }
    return CORM_OK;
}

static corm_status dropped_columns(virtual_row *row, const cql_schema *schema, corm_error *err) {
    return each_table(row, schema, dropped_of_table, err);
}

/* ---- masks ---- */

/* The type of an argument behind the column: the functions that take any are few. */
static void put_mask_type(const cql_column *column, uint32_t position, base_buf *out) {
    if (corm_str_equal(column->mask.function, corm_str_of("mask_replace"))) {
        cql__type_print(column->type, out);
    } else if (corm_str_equal(column->mask.function, corm_str_of("mask_hash")) || position == 2) {
        base__buf_puts(out, "text");
    } else {
        base__buf_puts(out, "int");
    }
}

static void set_mask_arguments(virtual_row *row, const cql_column *column) {
    uint32_t  count = column->mask.count;
    corm_str *types = BASE_NEW_ARRAY(row->request->arena, corm_str, count);
    corm_str *values = BASE_NEW_ARRAY(row->request->arena, corm_str, count);
    base_buf  type = { 0 }, nulls = { 0 };
    base__buf_u32(&nulls, count);
    for (uint32_t i = 0; types && values && i < count; i++) {
        bool is_null = base__str_equal_nocase(column->mask.arguments[i], corm_str_of("null"));
        base__buf_clear(&type);
        put_mask_type(column, i, &type);
        types[i] = base__arena_str(row->request->arena, base__buf_str(&type));
        values[i] = is_null ? corm_str_of("") : column->mask.arguments[i];
        base__buf_u32(&nulls, 1);
        base__buf_u8(&nulls, is_null);
        if (!types[i].data) row->failed = true;
    }
    base__buf_free(&type);
    virtual__set_buf(row, "function_argument_nulls", &nulls);
    if (!types || !values) {
        row->failed = true;
        return;
    }
    virtual__set_texts(row, "function_argument_types", types, count);
    virtual__set_texts(row, "function_argument_values", values, count);
}

static corm_status masks_of_table(virtual_row *row, const cql_table *table, corm_error *err) {
    const cql_column **sorted = columns_by_name(row, table);
    if (!sorted) return base__fail_memory(err);
    for (uint32_t i = 0; i < table->column_count; i++) {
        if (!sorted[i]->mask.present) continue;
        set_table_key(row, table);
        virtual__set_text(row, "column_name", sorted[i]->name);
        virtual__set_text(row, "function_keyspace", corm_str_of("system"));
        virtual__set_text(row, "function_name", sorted[i]->mask.function);
        set_mask_arguments(row, sorted[i]);
        CORM_TRY(virtual__emit(row, err));
    }
    return CORM_OK;
}

static corm_status column_masks(virtual_row *row, const cql_schema *schema, corm_error *err) {
    return each_table(row, schema, masks_of_table, err);
}

/* ---- indexes ---- */

static corm_str index_target(virtual_row *row, const cql_index *index) {
    static const char *const functions[] = {
        [CQL_TARGET_COLUMN] = NULL, [CQL_TARGET_VALUES] = "values",
        [CQL_TARGET_KEYS] = "keys", [CQL_TARGET_ENTRIES] = "entries",
        [CQL_TARGET_FULL] = "full",
    };
    base_buf    text = { 0 };
    corm_str    out = { NULL, 0 };
    const char *function = functions[index->target];
    if (function) base__buf_printf(&text, "%s(", function);
    cql__put_name(&text, index->column->name);
    if (function) base__buf_puts(&text, ")");
    if (!text.failed) out = base__arena_str(row->request->arena, base__buf_str(&text));
    base__buf_free(&text);
    if (!out.data) row->failed = true;
    return out;
}

static void set_index_options(virtual_row *row, const cql_index *index) {
    uint32_t  count = index->option_count;
    corm_str *pairs = BASE_NEW_ARRAY(row->request->arena, corm_str, 2 * (count + 2));
    if (!pairs) {
        row->failed = true;
        return;
    }
    if (count > 0) memcpy(pairs, index->options, 2 * count * sizeof *pairs);
    pairs[2 * count] = corm_str_of("target");
    pairs[2 * count + 1] = index_target(row, index);
    count++;
    if (index->class_name.data) {
        pairs[2 * count] = corm_str_of("class_name");
        pairs[2 * count + 1] = index->class_name;
        count++;
    }
    virtual__set_pairs(row, "options", pairs, count);
}

static int by_index_name(const void *a, const void *b) {
    const cql_index *const *one = a, *const *other = b;
    return base__str_compare((*one)->name, (*other)->name);
}

static corm_status indexes_of_table(virtual_row *row, const cql_table *table, corm_error *err) {
    const cql_index **sorted =
        BASE_NEW_ARRAY(row->request->arena, const cql_index *, table->index_count);
    if (!sorted) return base__fail_memory(err);
    for (uint32_t i = 0; i < table->index_count; i++) sorted[i] = &table->indexes[i];
    qsort(sorted, table->index_count, sizeof(void *), by_index_name);
    for (uint32_t i = 0; i < table->index_count; i++) {
        set_table_key(row, table);
        virtual__set_text(row, "index_name", sorted[i]->name);
        virtual__set_text(row, "kind", sorted[i]->kind);
        set_index_options(row, sorted[i]);
        CORM_TRY(virtual__emit(row, err));
    }
    return CORM_OK;
}

static corm_status indexes(virtual_row *row, const cql_schema *schema, corm_error *err) {
    return each_table(row, schema, indexes_of_table, err);
}

/* ---- types ---- */

static corm_status type_row(virtual_row *row, const cql_udt *udt, corm_error *err) {
    const cql_type *type = udt->type;
    corm_str       *names = BASE_NEW_ARRAY(row->request->arena, corm_str, type->count);
    base_buf        text = { 0 };
    if (!names) return base__fail_memory(err);
    virtual__set_text(row, "keyspace_name", udt->keyspace);
    virtual__set_text(row, "type_name", udt->name);
    virtual__set_texts(row, "field_names", type->field_names, type->count);
    for (uint32_t i = 0; i < type->count; i++) {
        base__buf_clear(&text);
        cql__type_print(type->params[i], &text);
        names[i] = base__arena_str(row->request->arena, base__buf_str(&text));
        if (!names[i].data) row->failed = true;
    }
    base__buf_free(&text);
    virtual__set_texts(row, "field_types", names, type->count);
    return virtual__emit(row, err);
}

static corm_status types_of_keyspace(virtual_row *row, const cql_keyspace *keyspace,
                                     corm_error *err) {
    for (uint32_t i = 0; i < keyspace->type_count; i++)
        CORM_TRY(type_row(row, keyspace->types[i], err));
    return CORM_OK;
}

static corm_status types(virtual_row *row, const cql_schema *schema, corm_error *err) {
    return each_keyspace(row, schema, types_of_keyspace, err);
}

const virtual_table virtual__schema_tables[] = {
    { "system_schema", "keyspaces", keyspaces },
    { "system_schema", "tables", tables },
    { "system_schema", "columns", columns },
    { "system_schema", "dropped_columns", dropped_columns },
    { "system_schema", "column_masks", column_masks },
    { "system_schema", "indexes", indexes },
    { "system_schema", "types", types },
    { "system_schema", "views", views },
    { "system", "built_views", built_views },
    { "system_virtual_schema", "keyspaces", keyspaces },
    { "system_virtual_schema", "tables", tables },
    { "system_virtual_schema", "columns", columns },
    { NULL, NULL, NULL },
};
