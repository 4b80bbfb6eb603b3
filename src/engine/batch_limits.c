// SPDX-License-Identifier: MIT
/* batch_limits.c -- a batch over several partitions is held against the server's limits (cassandra.yaml of 5.0:
 * batch_size_warn_threshold 5 KiB, batch_size_fail_threshold 50 KiB, unlogged_batch_across_partitions_warn_threshold 10).
 * Thread: the commit leader's. */
#include "base/fail.h"
#include "engine/core.h"
#include "engine/write_internal.h"

static size_t row_bytes(const engine_row *row) {
    size_t size = 0;
    for (uint32_t i = 0; i < row->column_count; i++)
        for (uint32_t j = 0; j < row->columns[i].cell_count; j++)
            size += row->columns[i].cells[j].value.len + row->columns[i].cells[j].path.len;
    return size;
}

static size_t batch_bytes(const engine_write *write) {
    size_t size = 0;
    for (const write_image *image = write->first_image; image; image = image->next)
        if (image->changed) size += image->key.len + row_bytes(&image->row);
    return size;
}

/* "ks.a, ks.b": each table once. */
static void put_tables(const engine_write *write, base_buf *out) {
    for (const write_partition *each = write->first_partition; each; each = each->next) {
        bool seen = false;
        for (const write_partition *other = write->first_partition; other != each;
             other = other->next)
            seen = seen || other->table == each->table;
        if (seen) continue;
        const cql_table *table = each->table;
        base__buf_printf(out, "%s%.*s.%.*s", out->len ? ", " : "", (int)table->keyspace.len,
                         table->keyspace.data, (int)table->name.len, table->name.data);
    }
}

static void warn(engine_write *write, base_buf *text) {
    wire__add_warning(write->request->answer, base__buf_str(text));
    base__buf_clear(text);
}

static corm_status check_size(engine_write *write, size_t bytes, const char *tables, base_buf *text,
                              corm_error *err) {
    const cql_guard *guard = &write->request->store->guard;
    size_t           most = (size_t)guard->values[CQL_GUARD_BATCH_WARN];
    if (cql__guard_over(guard, CQL_GUARD_BATCH_FAIL, (int64_t)bytes))
        return base__fail(err, CORM_INVALID, "Batch too large");
    if (!cql__guard_over(guard, CQL_GUARD_BATCH_WARN, (int64_t)bytes)) return CORM_OK;
    base__buf_printf(text,
                     "Batch for [%s] is of size %zu, exceeding specified threshold of %zu by %zu.",
                     tables, bytes, most, bytes - most);
    warn(write, text);
    return CORM_OK;
}

corm_status engine__check_batch(engine_write *write, cql_batch_kind kind, corm_error *err) {
    size_t partitions = write->partition_count;
    metric__add(metric__batches(write->request->store, kind), partitions);
    if (partitions < 2) return CORM_OK;
    base_buf tables = { 0 }, text = { 0 };
    put_tables(write, &tables);
    corm_status status = check_size(write, batch_bytes(write), base__buf_cstr(&tables), &text, err);
    if (status == CORM_OK && kind == CQL_BATCH_UNLOGGED &&
        cql__guard_over(&write->request->store->guard, CQL_GUARD_UNLOGGED_WARN,
                        (int64_t)partitions)) {
        base__buf_printf(
            &text,
            "Unlogged batch covering %zu partitions detected against table%s [%s]. You should use a logged "
            "batch for atomicity, or asynchronous writes for performance.",
            partitions, memchr(tables.data, ',', tables.len) ? "s" : "", base__buf_cstr(&tables));
        warn(write, &text);
    }
    if (status == CORM_OK) status = base__buf_status(&tables, err);
    base__buf_free(&tables);
    base__buf_free(&text);
    return status;
}
