// SPDX-License-Identifier: MIT
/* select_source.c -- where a SELECT's rows come from: partitions by key, the ring; select_index.c and
 * select_virtual.c have the others.
 * Thread: the reader's. */
#include "base/fail.h"
#include "base/text.h"
#include "engine/select_internal.h"

static bool has_prefix(corm_bytes key, corm_bytes prefix) {
    return key.len >= prefix.len && memcmp(key.data, prefix.data, prefix.len) == 0;
}

/* ---- a stretch of one partition ---- */

typedef struct stretch {
    base_buf start, end; /* data keys, [start, end) */
} stretch;

static void set_edge(base_buf *edge, const base_buf *prefix, corm_bytes clustering) {
    base__buf_clear(edge);
    base__buf_put(edge, prefix->data, prefix->len);
    base__buf_u8(edge, ENGINE_KEY_ROW);
    base__buf_put(edge, clustering.data, clustering.len);
}

corm_status select__read_row(select_run *run, corm_bytes key, corm_error *err) {
    corm_bytes bytes;
    bool       found;
    CORM_TRY(kv__get(run->request->txn, KV_DATA, key, &bytes, &found, err));
    return found ? select__row(run, key, bytes, err) : CORM_OK;
}

/* Whether the last page ended at or behind this key (before it, when reading backwards). */
static bool was_given(const select_run *run, corm_bytes key) {
    if (!run->resume.present || !has_prefix(run->resume.key, base__buf_bytes(&run->prefix)))
        return false;
    int order = base__bytes_compare(key, run->resume.key);
    return run->select->reversed ? order >= 0 : order <= 0;
}

static corm_status seek_stretch(select_run *run, kv_cursor *cursor, const stretch *in, bool *found,
                                corm_error *err) {
    bool       reversed = run->select->reversed;
    kv_seek    how = reversed ? KV_BEFORE : KV_AT_OR_AFTER;
    corm_bytes from = reversed ? base__buf_bytes(&in->end) : base__buf_bytes(&in->start);
    if (was_given(run, from)) {
        from = run->resume.key;
        how = reversed ? KV_BEFORE : KV_AFTER;
    }
    return kv__cursor_seek(cursor, from, how, found, err);
}

static corm_status walk_stretch(select_run *run, kv_cursor *cursor, const stretch *in,
                                corm_error *err) {
    bool found;
    CORM_TRY(seek_stretch(run, cursor, in, &found, err));
    while (found && !run->stop && !run->skip_partition) {
        corm_bytes key = kv__cursor_key(cursor);
        if (run->select->reversed ? base__bytes_compare(key, base__buf_bytes(&in->start)) < 0
                                  : base__bytes_compare(key, base__buf_bytes(&in->end)) >= 0)
            return CORM_OK;
        CORM_TRY(select__row(run, key, kv__cursor_value(cursor), err));
        if (run->stop) return CORM_OK;
        CORM_TRY(run->select->reversed ? kv__cursor_prev(cursor, &found, err)
                                       : kv__cursor_next(cursor, &found, err));
    }
    return CORM_OK;
}

static corm_status read_bound(select_run *run, const engine_bound *bound, stretch *scratch,
                              corm_error *err) {
    kv_cursor *cursor;
    set_edge(&scratch->start, &run->prefix, bound->start);
    CORM_TRY(base__buf_status(&scratch->start, err));
    if (bound->row) {
        corm_bytes key = base__buf_bytes(&scratch->start);
        return was_given(run, key) ? CORM_OK : select__read_row(run, key, err);
    }
    set_edge(&scratch->end, &run->prefix, bound->end);
    CORM_TRY(base__buf_status(&scratch->end, err));
    CORM_TRY(kv__cursor_open(run->request->txn, KV_DATA, &cursor, err));
    corm_status status = walk_stretch(run, cursor, scratch, err);
    kv__cursor_close(cursor);
    return status;
}

/* A table without clustering columns has one row a partition, with nothing behind its kind. */
corm_status select__read_bounds(select_run *run, corm_error *err) {
    static const uint8_t   behind_all = 0xFF;
    static const cql_value no_values = { NULL, 0 };
    const engine_bound     everything = { .end = { &behind_all, 1 },
                                          .row = run->table->clustering_count ? NULL : &no_values };
    const engine_bound    *bounds = run->bounds ? run->bounds : &everything;
    uint32_t               count = run->bounds ? run->bound_count : 1;
    stretch                scratch = { 0 };
    corm_status            status = CORM_OK;
    for (uint32_t i = 0; i < count && status == CORM_OK && !run->stop && !run->skip_partition; i++)
        status = read_bound(run, &bounds[run->select->reversed ? count - 1 - i : i], &scratch, err);
    base__buf_free(&scratch.start);
    base__buf_free(&scratch.end);
    return status;
}

/* ---- partitions by key ---- */

static corm_status read_partition(select_run *run, const engine_partition *partition,
                                  corm_error *err) {
    engine_key key;
    size_t     room = ENGINE_KEY_HEAD + partition->key.len + 1;
    base_buf   buf = { .data = base__arena_alloc(run->request->arena, room), .cap = room };
    if (!buf.data) return base__fail_memory(err);
    engine__key_partition(run->table->storage_id, partition->token, partition->key, &buf);
    base__buf_u8(&buf, ENGINE_KEY_ROW);
    corm_status status = CORM_OK;
    if (engine__key_split(base__buf_bytes(&buf), &key))
        status = select__enter_partition(run, &key, NULL, err);
    if (status == CORM_OK && !run->skip_partition) status = select__read_bounds(run, err);
    return status == CORM_OK ? select__leave_partition(run, err) : status;
}

/* The partition where the last page ended; the ones before it are done. */
static uint32_t first_partition(const select_run *run, const engine_partition *partitions,
                                uint32_t count) {
    engine_key last;
    if (!run->resume.present || !engine__key_split(run->resume.key, &last)) return 0;
    for (uint32_t i = 0; i < count; i++)
        if (base__bytes_compare(partitions[i].key, last.partition_key) == 0) return i;
    return 0;
}

corm_status select__partitions(select_run *run, corm_error *err) {
    uint32_t count = run->partition_count;
    uint32_t first = first_partition(run, run->partitions, count);
    for (uint32_t i = first; i < count && !run->stop; i++) {
        run->last_was_static = false;
        CORM_TRY(read_partition(run, &run->partitions[i], err));
        /* Nothing can follow a partition's static content when it is the last one. */
        if (run->stop && run->last_was_static && i + 1 == count) run->has_more = false;
    }
    return CORM_OK;
}

/* ---- the ring ---- */

static corm_status skip_to_next_partition(select_run *run, kv_cursor *cursor, bool *found,
                                          corm_error *err) {
    base__buf_u8(&run->prefix, ENGINE_KEY_END);
    CORM_TRY(base__buf_status(&run->prefix, err));
    corm_status status =
        kv__cursor_seek(cursor, base__buf_bytes(&run->prefix), KV_AFTER, found, err);
    run->prefix.len--;
    return status;
}

/* One stored thing: a partition's record, its static row, or a row. */
static corm_status scan_step(select_run *run, kv_cursor *cursor, const engine_key *key,
                             corm_error *err) {
    static const corm_bytes none = { NULL, 0 };
    corm_bytes              value = kv__cursor_value(cursor);
    if (key->kind == ENGINE_KEY_PARTITION) return CORM_OK;
    bool is_static = key->kind == ENGINE_KEY_STATIC;
    bool resumed = run->resume.present && has_prefix(run->resume.key, key->prefix);
    CORM_TRY(select__enter_partition(run, key, is_static ? &value : resumed ? NULL : &none, err));
    if (is_static || run->stop || run->skip_partition || !select__in_bounds(run, key->clustering))
        return CORM_OK;
    return select__row(run, kv__cursor_key(cursor), value, err);
}

static corm_status scan_from(select_run *run, kv_cursor *cursor, bool found, int64_t last_token,
                             corm_error *err) {
    while (found && !run->stop) {
        engine_key key;
        corm_bytes bytes = kv__cursor_key(cursor);
        if (!engine__key_split(bytes, &key) || key.storage_id != run->table->storage_id ||
            key.token > last_token)
            break;
        CORM_TRY(scan_step(run, cursor, &key, err));
        if (run->stop) return CORM_OK;
        bool is_record = key.kind == ENGINE_KEY_PARTITION; /* of a partition not entered yet */
        if (!is_record && run->in_partition && run->skip_partition)
            CORM_TRY(skip_to_next_partition(run, cursor, &found, err));
        else
            CORM_TRY(kv__cursor_next(cursor, &found, err));
    }
    return select__leave_partition(run, err);
}

static corm_status scan_start(select_run *run, kv_cursor *cursor, int64_t first_token, bool *found,
                              corm_error *err) {
    base_buf from = { 0 };
    if (run->resume.present) return kv__cursor_seek(cursor, run->resume.key, KV_AFTER, found, err);
    engine__key_token(run->table->storage_id, first_token, &from);
    corm_status status = base__buf_status(&from, err);
    if (status == CORM_OK)
        status = kv__cursor_seek(cursor, base__buf_bytes(&from), KV_AT_OR_AFTER, found, err);
    base__buf_free(&from);
    return status;
}

corm_status select__scan(select_run *run, corm_error *err) {
    int64_t    first, last;
    bool       empty, found;
    kv_cursor *cursor;
    CORM_TRY(engine__token_bounds(&run->select->where, &run->env, &first, &last, &empty, err));
    if (empty) return CORM_OK;
    CORM_TRY(kv__cursor_open(run->request->txn, KV_DATA, &cursor, err));
    corm_status status = scan_start(run, cursor, first, &found, err);
    if (status == CORM_OK) status = scan_from(run, cursor, found, last, err);
    kv__cursor_close(cursor);
    return status;
}
