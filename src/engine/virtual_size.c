// SPDX-License-Identifier: MIT
/* virtual_size.c -- system_views: how much tables and partitions hold, in MiB rounded up; SAI indexes. A table is walked for it,
 * in the reader's snapshot, and only when it is one that is asked for. There are no files of single tables: what is said of
 * sstables is as of a table that has none. Thread: the reader's. */
#include <stdlib.h>

#include "base/fail.h"
#include "base/text.h"
#include "engine/core.h"
#include "engine/virtual.h"

typedef struct sizes {
    uint64_t table, partition, most; /* bytes of keys and rows */
} sizes;

static corm_status walk(kv_cursor *cursor, bool found, uint32_t storage_id, sizes *out,
                        corm_error *err) {
    base_buf    prefix = { 0 };
    corm_status status = CORM_OK;
    engine_key  key;
    while (status == CORM_OK && found && engine__key_split(kv__cursor_key(cursor), &key) &&
           key.storage_id == storage_id) {
        uint64_t bytes = kv__cursor_key(cursor).len + kv__cursor_value(cursor).len;
        if (key.prefix.len != prefix.len || memcmp(key.prefix.data, prefix.data, prefix.len) != 0) {
            out->partition = 0;
            base__buf_clear(&prefix);
            base__buf_put(&prefix, key.prefix.data, key.prefix.len);
        }
        out->table += bytes;
        out->partition += bytes;
        if (out->partition > out->most) out->most = out->partition;
        status = base__buf_status(&prefix, err);
        if (status == CORM_OK) status = kv__cursor_next(cursor, &found, err);
    }
    base__buf_free(&prefix);
    return status;
}

static corm_status measure(virtual_row *row, const cql_table *table, sizes *out, corm_error *err) {
    kv_cursor *cursor;
    base_buf   from = { 0 };
    bool       found;
    *out = (sizes){ 0 };
    if (table->is_virtual) return CORM_OK;
    engine__key_token(table->storage_id, INT64_MIN, &from);
    corm_status status = base__buf_status(&from, err);
    if (status == CORM_OK) status = kv__cursor_open(row->request->txn, KV_DATA, &cursor, err);
    if (status == CORM_OK) {
        status = kv__cursor_seek(cursor, base__buf_bytes(&from), KV_AT_OR_AFTER, &found, err);
        if (status == CORM_OK) status = walk(cursor, found, table->storage_id, out, err);
        kv__cursor_close(cursor);
    }
    base__buf_free(&from);
    return status;
}

static int64_t mebibytes(uint64_t bytes) {
    return (int64_t)((bytes + (1 << 20) - 1) >> 20);
}

static corm_status size_row(virtual_row *row, const cql_table *table, bool of_partition,
                            corm_error *err) {
    sizes found = { 0 };
    bool  wanted;
    virtual__set_table(row, table);
    CORM_TRY(virtual__wanted(row, &wanted, err));
    if (wanted) CORM_TRY(measure(row, table, &found, err));
    virtual__set_bigint(row, "mebibytes", mebibytes(of_partition ? found.most : found.table));
    return virtual__emit(row, err);
}

static corm_status disk_usage_of(virtual_row *row, const cql_table *table, corm_error *err) {
    return size_row(row, table, false, err);
}

static corm_status disk_usage(virtual_row *row, const cql_schema *schema, corm_error *err) {
    return virtual__each_stored(row, schema, disk_usage_of, err);
}

static corm_status partition_of(virtual_row *row, const cql_table *table, corm_error *err) {
    return size_row(row, table, true, err);
}

static corm_status max_partition_size(virtual_row *row, const cql_schema *schema, corm_error *err) {
    return virtual__each_stored(row, schema, partition_of, err);
}

/* ---- sstables ---- */

static corm_status no_size(virtual_row *row, const cql_table *table, corm_error *err) {
    virtual__set_table(row, table);
    virtual__set_bigint(row, "mebibytes", 0);
    virtual__set_bigint(row, "max_sstable_duration", 0);
    return virtual__emit(row, err);
}

static corm_status sstables(virtual_row *row, const cql_schema *schema, corm_error *err) {
    return virtual__each_stored(row, schema, no_size, err);
}

/* ---- SAI ---- */

static corm_str option_of(const cql_index *index, const char *name) {
    for (uint32_t i = 0; i < index->option_count; i++)
        if (corm_str_equal(index->options[2 * i], corm_str_of(name)))
            return index->options[2 * i + 1];
    return (corm_str){ NULL, 0 };
}

/* As the server prints the analyzer that an index has. */
static void set_analyzer(virtual_row *row, const cql_index *index) {
    static const struct {
        const char *option, *shown;
        bool        usual;
    } options[] = {
        { "case_sensitive", "caseSensitive", true },
        { "normalize", "normalized", false },
        { "ascii", "ascii", false },
    };
    base_buf text = { 0 };
    bool     any = false;
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        corm_str given = option_of(index, options[i].option);
        bool     on =
            given.data ? base__str_equal_nocase(given, corm_str_of("true")) : options[i].usual;
        any |= given.data != NULL;
        base__buf_printf(&text, "%s%s=%s", i ? ", " : "", options[i].shown, on ? "true" : "false");
    }
    if (any)
        virtual__set_printed(row, "analyzer", "NonTokenizingAnalyzer{%s}", base__buf_cstr(&text));
    else
        virtual__set_text(row, "analyzer", corm_str_of("NoOpAnalyzer"));
    row->failed |= text.failed;
    base__buf_free(&text);
}

static bool is_string(const cql_index *index) {
    const cql_type *type = index->column->type;
    if (type->id == CQL_LIST || type->id == CQL_SET) type = type->params[0];
    if (type->id == CQL_MAP) type = type->params[index->target == CQL_TARGET_KEYS ? 0 : 1];
    return type->id == CQL_TEXT || type->id == CQL_ASCII;
}

static int by_name(const void *a, const void *b) {
    const cql_index *const *one = a, *const *other = b;
    return base__str_compare((*one)->name, (*other)->name);
}

static corm_status sai_row(virtual_row *row, const cql_table *table, const cql_index *index,
                           corm_error *err) {
    virtual__set_table(row, table);
    virtual__set_text(row, "index_name", index->name);
    virtual__set_text(row, "column_name", index->column->name);
    virtual__set_bool(row, "is_queryable", true);
    virtual__set_bool(row, "is_building", false);
    virtual__set_bool(row, "is_string", is_string(index));
    set_analyzer(row, index);
    return virtual__emit(row, err);
}

/* Rows of a partition stand in order: all indexes of a keyspace by their names. */
static corm_status sai_of_keyspace(virtual_row *row, const cql_keyspace *keyspace,
                                   corm_error *err) {
    uint32_t count = 0, most = 0;
    for (uint32_t i = 0; i < keyspace->table_count; i++) most += keyspace->tables[i]->index_count;
    const cql_index **sorted = BASE_NEW_ARRAY(row->request->arena, const cql_index *, most);
    if (!sorted) return base__fail_memory(err);
    for (uint32_t i = 0; i < keyspace->table_count; i++)
        for (uint32_t j = 0; j < keyspace->tables[i]->index_count; j++)
            if (keyspace->tables[i]->indexes[j].rules.class_id == CQL_INDEX_SAI)
                sorted[count++] = &keyspace->tables[i]->indexes[j];
    qsort(sorted, count, sizeof *sorted, by_name);
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t j = 0; j < keyspace->table_count; j++) {
            const cql_table *table = keyspace->tables[j];
            if (sorted[i] >= table->indexes && sorted[i] < table->indexes + table->index_count)
                CORM_TRY(sai_row(row, table, sorted[i], err));
        }
    return CORM_OK;
}

static corm_status sai_indexes(virtual_row *row, const cql_schema *schema, corm_error *err) {
    for (uint32_t i = 0; i < schema->keyspace_count; i++)
        CORM_TRY(sai_of_keyspace(row, schema->keyspaces[i], err));
    return CORM_OK;
}

const virtual_table virtual__size_tables[] = {
    { "system_views", "disk_usage", disk_usage },
    { "system_views", "max_partition_size", max_partition_size },
    { "system_views", "max_sstable_duration", sstables },
    { "system_views", "max_sstable_size", sstables },
    { "system_views", "sai_column_indexes", sai_indexes },
    { NULL, NULL, NULL },
};
