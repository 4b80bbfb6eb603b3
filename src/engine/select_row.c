// SPDX-License-Identifier: MIT
/* select_row.c -- partitions and rows as a SELECT meets them: liveness, static content, filters. Thread: the reader's. */
#include "base/fail.h"
#include "base/text.h"
#include "engine/guard.h"

bool select__in_bounds(const select_run *run, corm_bytes clustering) {
    if (!run->bounds) return true;
    for (uint32_t i = 0; i < run->bound_count; i++) {
        const engine_bound *bound = &run->bounds[i];
        int                 start = base__bytes_compare(bound->start, clustering);
        if (bound->row ? start == 0 : start <= 0 && base__bytes_compare(clustering, bound->end) < 0)
            return true;
    }
    return false;
}

/* ---- partitions ---- */

static corm_status read_static(select_run *run, corm_bytes bytes, corm_error *err) {
    engine_row_read read;
    CORM_TRY(engine__row_read(run->table, true, bytes, run->request->now_s, run->select->needed,
                              run->select->needed_count, &run->partition_arena, run->values, &read,
                              err));
    run->static_bytes = bytes;
    run->static_live = read.live;
    return CORM_OK;
}

static corm_status find_static(select_run *run, corm_error *err) {
    corm_bytes bytes;
    bool       found;
    base__buf_u8(&run->prefix, ENGINE_KEY_STATIC);
    CORM_TRY(base__buf_status(&run->prefix, err));
    corm_status status =
        kv__get(run->request->txn, KV_DATA, base__buf_bytes(&run->prefix), &bytes, &found, err);
    run->prefix.len--;
    return status == CORM_OK && found ? read_static(run, bytes, err) : status;
}

static corm_status set_partition_values(select_run *run, corm_bytes partition_key,
                                        corm_error *err) {
    uint32_t count = run->table->partition_count;
    if (count == 1) {
        run->values[0] = cql__value_of(partition_key);
        return CORM_OK;
    }
    if (cql__partition_key_split(partition_key, count, run->values)) return CORM_OK;
    return base__fail(err, CORM_CORRUPT, "a stored partition key of %.*s is damaged",
                      (int)run->table->name.len, run->table->name.data);
}

static void clear_statics(select_run *run) {
    uint32_t first = run->table->partition_count + run->table->clustering_count;
    for (uint32_t i = 0; i < run->table->static_count; i++) run->values[first + i] = CQL_NULL;
    run->static_bytes = (corm_bytes){ 0 };
    run->static_live = false;
}

/* A page may have ended inside this partition. */
static void resume_partition(select_run *run) {
    engine_key last;
    run->partition_rows = 0;
    run->had_row = false;
    if (!run->resume.present || !engine__key_split(run->resume.key, &last)) return;
    if (base__bytes_compare(last.prefix, base__buf_bytes(&run->prefix)) != 0) return;
    run->partition_rows = run->resume.partition_rows;
    run->had_row = true;
    run->skip_partition = last.kind == ENGINE_KEY_END || run->partition_rows >= run->per_partition;
}

corm_status select__enter_partition(select_run *run, const engine_key *key,
                                    const corm_bytes *static_bytes, corm_error *err) {
    if (run->in_partition) {
        if (base__bytes_compare(key->prefix, base__buf_bytes(&run->prefix)) == 0) return CORM_OK;
        CORM_TRY(select__leave_partition(run, err));
        if (run->stop) return CORM_OK;
    }
    base__buf_clear(&run->prefix);
    base__buf_put(&run->prefix, key->prefix.data, key->prefix.len);
    /* Room for the kind of a key: it is put behind later, and the buffer must not move then, since the partition's values borrow from it. */
    base__buf_u8(&run->prefix, 0);
    CORM_TRY(base__buf_status(&run->prefix, err));
    run->prefix.len--;
    base__arena_reset(&run->partition_arena);
    run->in_partition = true;
    run->skip_partition = false;
    resume_partition(run);
    corm_bytes stored = { run->prefix.data + key->prefix.len - key->partition_key.len,
                          key->partition_key.len };
    CORM_TRY(set_partition_values(run, stored, err));
    if (run->table->static_count == 0) return CORM_OK;
    clear_statics(run);
    if (!static_bytes) return find_static(run, err);
    return static_bytes->data ? read_static(run, *static_bytes, err) : CORM_OK;
}

static void clear_row(select_run *run) {
    for (uint32_t i = run->table->partition_count; i < run->table->column_count; i++)
        if (run->table->columns[i].kind != CQL_STATIC) run->values[i] = CQL_NULL;
    run->row_bytes = (corm_bytes){ 0 };
}

static corm_status visit_partition_end(select_run *run, corm_error *err) {
    base__buf_u8(&run->prefix, ENGINE_KEY_END);
    CORM_TRY(base__buf_status(&run->prefix, err));
    corm_status status = select__visit(run, base__buf_bytes(&run->prefix), err);
    run->prefix.len--;
    return status;
}

corm_status select__leave_partition(select_run *run, corm_error *err) {
    if (!run->in_partition) return CORM_OK;
    run->in_partition = false;
    if (run->stop || run->had_row || run->skip_partition || !run->static_live ||
        !run->whole_partition)
        return CORM_OK;
    clear_row(run);
    run->last_was_static = true;
    return visit_partition_end(run, err);
}

/* ---- rows ---- */

corm_status select__row(select_run *run, corm_bytes key, corm_bytes bytes, corm_error *err) {
    engine_row_read read;
    base__arena_reset(&run->row_arena);
    CORM_TRY(engine__row_read(run->table, false, bytes, run->request->now_s, run->select->needed,
                              run->select->needed_count, &run->row_arena, run->values, &read, err));
    run->tombstones += read.tombstones;
    if (read.tombstones > 0) CORM_TRY(engine__guard_tombstones(run, err));
    if (!read.live) return CORM_OK;
    run->live_rows++;
    run->had_row = true;
    run->last_was_static = false;
    run->row_bytes = bytes;
    if (!run->select->distinct) return select__visit(run, key, err);
    run->skip_partition = true;
    return visit_partition_end(run, err);
}

corm_status select__visit(select_run *run, corm_bytes key, corm_error *err) {
    const cql_where *where = &run->select->where;
    bool             pass = true;
    if (run->ann && !select__ann_goes_on(run)) return CORM_OK;
    if (where->filter_count)
        CORM_TRY(cql__filter_row(where->filters, where->filter_count, &run->env, &pass, err));
    if (!pass) return CORM_OK;
    if (run->grouped) return select__group_row(run, key, err);
    return select__emit(run, key, err);
}
