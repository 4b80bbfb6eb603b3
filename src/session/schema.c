// SPDX-License-Identifier: MIT
/* schema.c -- tables, keyspaces and names as system_schema tells them, the same for every door.
 *
 * What is read lives in one arena that the caller frees through the first member. */
#include "corm/schema.h"

#include <stdlib.h>

#include "base/fail.h"
#include "base/text.h"
#include "session/core.h"

typedef struct table_reading {
    corm_table_info   info; /* first: what the caller holds */
    base_arena        arena;
    corm_column_info *columns;
    uint32_t          capacity;
} table_reading;

/* Runs a query over one or two names. */
static corm_status query(corm_session *session, const char *cql, const char *first,
                         const char *second, corm_result **out, corm_error *err) {
    corm_execute_options options = { .error = err };
    if (first) options.values[0] = corm_of_text(first);
    if (second) options.values[1] = corm_of_text(second);
    return corm_execute_with(session, cql, &options, out);
}

static corm_str text_of(const corm_row *row, const corm_result *result, const char *column) {
    int index = corm_result_column_index(result, column);
    return index < 0 ? corm_str_of("") : corm_row_text(row, (uint32_t)index);
}

/* ---- one table ---- */

static corm_key key_of(corm_str kind, corm_str order) {
    if (corm_str_equal(kind, corm_str_of("partition_key"))) return CORM_PARTITION;
    if (corm_str_equal(kind, corm_str_of("static"))) return CORM_STATIC;
    if (!corm_str_equal(kind, corm_str_of("clustering"))) return CORM_REGULAR;
    bool descending = base__str_equal_nocase(order, corm_str_of("desc"));
    return descending ? CORM_CLUSTERING_DESC : CORM_CLUSTERING;
}

static corm_status grow(table_reading *table, corm_error *err) {
    if (table->info.column_count < table->capacity) return CORM_OK;
    uint32_t          capacity = table->capacity == 0 ? 16 : 2 * table->capacity;
    corm_column_info *columns = BASE_NEW_ARRAY(&table->arena, corm_column_info, capacity);
    if (!columns) return base__fail_memory(err);
    if (table->columns) {
        memcpy(columns, table->columns, table->info.column_count * sizeof *columns);
    }
    table->columns = columns;
    table->capacity = capacity;
    return CORM_OK;
}

static corm_status add_column(table_reading *table, const corm_result *result, const corm_row *row,
                              corm_error *err) {
    CORM_TRY(grow(table, err));
    corm_column_info *column = &table->columns[table->info.column_count++];
    column->name = base__arena_str(&table->arena, text_of(row, result, "column_name")).data;
    column->type = base__arena_str(&table->arena, text_of(row, result, "type")).data;
    if (!column->name || !column->type) return base__fail_memory(err);
    column->key = key_of(text_of(row, result, "kind"), text_of(row, result, "clustering_order"));
    int     position = corm_result_column_index(result, "position");
    int32_t at = position < 0 ? 0 : corm_row_int(row, (uint32_t)position);
    column->position = at < 0 ? 0 : (uint32_t)at;
    if (strcmp(column->type, "counter") == 0) table->info.is_counter = true;
    return CORM_OK;
}

/* Partition key, clustering columns, then static and regular ones by name. */
static int rank_of(const corm_column_info *column) {
    switch (column->key) {
    case CORM_PARTITION: return 0;
    case CORM_CLUSTERING:
    case CORM_CLUSTERING_DESC: return 1;
    case CORM_STATIC: return 2;
    default: return 3;
    }
}

static int compare_columns(const void *a, const void *b) {
    const corm_column_info *x = a;
    const corm_column_info *y = b;
    int                     rank = rank_of(x);
    if (rank != rank_of(y)) return rank - rank_of(y);
    if (rank < 2) return (x->position > y->position) - (x->position < y->position);
    return strcmp(x->name, y->name);
}

static corm_status read_columns(corm_session *session, table_reading *table, corm_error *err) {
    static const char cql[] = "SELECT column_name, type, kind, position, clustering_order FROM "
                              "system_schema.columns WHERE keyspace_name = ? AND table_name = ?";
    corm_result      *result;
    const corm_row   *row;
    CORM_TRY(query(session, cql, table->info.keyspace, table->info.name, &result, err));
    corm_status status;
    while ((status = corm_result_step(result, &row, err)) == CORM_OK && row) {
        status = add_column(table, result, row, err);
        if (status != CORM_OK) break;
    }
    corm_result_free(result);
    if (status != CORM_OK) return status;
    if (table->info.column_count == 0) {
        return base__fail(err, CORM_NOT_FOUND, "there is no table %s.%s", table->info.keyspace,
                          table->info.name);
    }
    qsort(table->columns, table->info.column_count, sizeof *table->columns, compare_columns);
    return CORM_OK;
}

/* "email", "\"Email\"", "keys(tags)", "values(\"Tags\")": the column inside. */
static corm_str column_of_target(corm_str target) {
    const char *open = memchr(target.data, '(', target.len);
    bool        quoted = target.len > 0 && target.data[0] == '"';
    if (open && !quoted && target.data[target.len - 1] == ')') {
        size_t before = (size_t)(open - target.data) + 1;
        target = (corm_str){ target.data + before, target.len - before - 1 };
    }
    if (target.len >= 2 && target.data[0] == '"' && target.data[target.len - 1] == '"') {
        target = (corm_str){ target.data + 1, target.len - 2 };
    }
    return target;
}

static void mark_indexed(table_reading *table, corm_str target) {
    corm_str name = column_of_target(target);
    for (uint32_t i = 0; i < table->info.column_count; i++) {
        corm_column_info *column = &table->columns[i];
        if (corm_str_equal(corm_str_of(column->name), name)) column->indexed = true;
    }
}

static corm_status add_index(table_reading *table, const corm_row *row, corm_error *err) {
    corm_value options;
    CORM_TRY(corm_row_value(row, 0, &options, err));
    if (options.kind != CORM_MAP) return CORM_OK;
    corm_map          map = { options.as.items.items, options.as.items.count / 2 };
    const corm_value *target = corm_map_get(&map, "target");
    if (target && target->kind == CORM_TEXT && target->as.text.len > 0) {
        mark_indexed(table, target->as.text);
    }
    return CORM_OK;
}

static corm_status read_indexes(corm_session *session, table_reading *table, corm_error *err) {
    static const char cql[] = "SELECT options FROM system_schema.indexes WHERE keyspace_name = ? "
                              "AND table_name = ?";
    corm_result      *result;
    const corm_row   *row;
    CORM_TRY(query(session, cql, table->info.keyspace, table->info.name, &result, err));
    corm_status status;
    while ((status = corm_result_step(result, &row, err)) == CORM_OK && row) {
        status = add_index(table, row, err);
        if (status != CORM_OK) break;
    }
    corm_result_free(result);
    return status;
}

static corm_status read_table(corm_session *session, const char *keyspace, const char *name,
                              table_reading *table, corm_error *err) {
    table->info.keyspace = base__arena_str(&table->arena, corm_str_of(keyspace)).data;
    table->info.name = base__arena_str(&table->arena, corm_str_of(name)).data;
    if (!table->info.keyspace || !table->info.name) return base__fail_memory(err);
    CORM_TRY(read_columns(session, table, err));
    CORM_TRY(read_indexes(session, table, err));
    table->info.columns = table->columns;
    return CORM_OK;
}

corm_status corm_table_read(corm_session *session, const char *keyspace, const char *table,
                            const corm_table_info **out, corm_error *err) {
    *out = NULL;
    if (!keyspace) keyspace = corm_session_keyspace(session);
    table_reading *reading = calloc(1, sizeof *reading);
    if (!reading) return base__fail_memory(err);
    corm_status status = read_table(session, keyspace, table, reading, err);
    if (status != CORM_OK) {
        corm_table_free(&reading->info);
        return status;
    }
    *out = &reading->info;
    return CORM_OK;
}

void corm_table_free(const corm_table_info *table) {
    if (!table) return;
    table_reading *reading = (table_reading *)(uintptr_t)table;
    base__arena_free(&reading->arena);
    free(reading);
}

/* ---- lists of names ---- */

static int compare_names(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The first column of every row: offsets into `texts` first, because that moves while it grows. */
static corm_status read_names(corm_result *result, base_buf *texts, base_buf *offsets,
                              corm_error *err) {
    const corm_row *row;
    for (;;) {
        CORM_TRY(corm_result_step(result, &row, err));
        if (!row) return base__buf_status(texts, err);
        base__buf_u64(offsets, texts->len);
        base__buf_put_str(texts, corm_row_text(row, 0));
        base__buf_u8(texts, 0);
    }
}

/* One allocation: the pointers, a NULL, and the texts behind them. */
static corm_status pack_names(const base_buf *texts, const base_buf *offsets,
                              const char *const **names, uint32_t *count, corm_error *err) {
    CORM_TRY(base__buf_status(offsets, err));
    size_t       rows = offsets->len / 8;
    const char **out = malloc((rows + 1) * sizeof *out + texts->len);
    if (!out) return base__fail_memory(err);
    char *bytes = (char *)(out + rows + 1);
    if (texts->len > 0) memcpy(bytes, texts->data, texts->len);
    for (size_t i = 0; i < rows; i++) out[i] = bytes + base__load_u64(offsets->data + 8 * i);
    out[rows] = NULL;
    qsort(out, rows, sizeof *out, compare_names);
    *names = out;
    *count = (uint32_t)rows;
    return CORM_OK;
}

static corm_status list_names(corm_session *session, const char *cql, const char *keyspace,
                              const char *const **names, uint32_t *count, corm_error *err) {
    corm_result *result;
    base_buf     texts = { 0 };
    base_buf     offsets = { 0 };
    CORM_TRY(query(session, cql, keyspace, NULL, &result, err));
    corm_status status = read_names(result, &texts, &offsets, err);
    if (status == CORM_OK) status = pack_names(&texts, &offsets, names, count, err);
    base__buf_free(&texts);
    base__buf_free(&offsets);
    corm_result_free(result);
    return status;
}

corm_status corm_keyspaces(corm_session *session, const char *const **names, uint32_t *count,
                           corm_error *err) {
    *names = NULL;
    *count = 0;
    return list_names(session, "SELECT keyspace_name FROM system_schema.keyspaces", NULL, names,
                      count, err);
}

static corm_status check_keyspace(corm_session *session, const char *keyspace, corm_error *err) {
    static const char cql[] =
        "SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name = ?";
    corm_result *result;
    CORM_TRY(query(session, cql, keyspace, NULL, &result, err));
    bool found = corm_result_row_count(result) > 0;
    corm_result_free(result);
    return found ? CORM_OK : base__fail(err, CORM_NOT_FOUND, "there is no keyspace '%s'", keyspace);
}

corm_status corm_tables(corm_session *session, const char *keyspace, const char *const **names,
                        uint32_t *count, corm_error *err) {
    *names = NULL;
    *count = 0;
    if (!keyspace) keyspace = corm_session_keyspace(session);
    CORM_TRY(list_names(session,
                        "SELECT table_name FROM system_schema.tables WHERE keyspace_name = ?",
                        keyspace, names, count, err));
    corm_status status = *count > 0 ? CORM_OK : check_keyspace(session, keyspace, err);
    if (status != CORM_OK) {
        corm_names_free(*names);
        *names = NULL;
    }
    return status;
}

void corm_names_free(const char *const *names) {
    free((void *)(uintptr_t)names);
}
