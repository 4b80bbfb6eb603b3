// SPDX-License-Identifier: MIT
/* select_range.c -- rows of a range of an index, whose entries come by value, in the order of their keys.
 *
 * Their data keys are collected and sorted. Where they are more than can be kept, the smallest are kept and given, and the
 * range is walked again for what follows; unless walking the table is less work than that, which the number of entries, the rows still wanted
 * and the size of the table (told from how tightly its first partitions lie on the ring) decide. Memory is bounded either
 * way. Thread: the reader's. */
#include <stdlib.h>

#include "base/fail.h"
#include "base/text.h"
#include "engine/index_stream.h"

enum { KEEP_BYTES = 4 << 20, FEW_IN_PARTITION = 1024, SAMPLE = 512 };

size_t select__range_keep = SELECT_RANGE_KEEP;

typedef struct candidates {
    base_arena  arena; /* of the keys */
    corm_bytes *keys;
    size_t      count, capacity, bytes;
    bool        cut; /* there are more, behind this one: */
    corm_bytes  limit;
    uint64_t    seen; /* entries */
} candidates;

static int compare_keys(const void *a, const void *b) {
    return base__bytes_compare(*(const corm_bytes *)a, *(const corm_bytes *)b);
}

static void sort_keys(candidates *c) {
    size_t kept = 0;
    if (c->count > 1) qsort(c->keys, c->count, sizeof *c->keys, compare_keys);
    for (size_t i = 0; i < c->count; i++)
        if (kept == 0 || base__bytes_compare(c->keys[kept - 1], c->keys[i]) != 0)
            c->keys[kept++] = c->keys[i];
    c->count = kept;
}

/* Keeps the smallest keys, in memory of their own. */
static corm_status compact(candidates *c, corm_error *err) {
    base_arena kept = { 0 };
    size_t     bytes = 0, count = 0;
    sort_keys(c);
    while (count < c->count && count < select__range_keep && (count == 0 || bytes < KEEP_BYTES)) {
        corm_bytes key = c->keys[count];
        uint8_t   *copy = base__arena_copy(&kept, key.data, key.len);
        if (!copy) {
            base__arena_free(&kept);
            return base__fail_memory(err);
        }
        c->keys[count++].data = copy;
        bytes += key.len;
    }
    c->cut = c->cut || count < c->count;
    c->limit = c->keys[count - 1];
    c->count = count;
    c->bytes = bytes;
    base__arena_free(&c->arena);
    c->arena = kept;
    return CORM_OK;
}

static corm_status add_key(candidates *c, corm_bytes key, corm_error *err) {
    if (c->cut && base__bytes_compare(key, c->limit) > 0) return CORM_OK;
    if (c->count == c->capacity) {
        size_t      capacity = c->capacity ? 2 * c->capacity : 64;
        corm_bytes *bigger = realloc(c->keys, capacity * sizeof *bigger);
        if (!bigger) return base__fail_memory(err);
        c->keys = bigger;
        c->capacity = capacity;
    }
    uint8_t *copy = base__arena_copy(&c->arena, key.data, key.len);
    if (!copy) return base__fail_memory(err);
    c->keys[c->count++] = (corm_bytes){ copy, key.len };
    c->bytes += key.len;
    bool full = c->count >= 2 * select__range_keep || c->bytes >= 2 * (size_t)KEEP_BYTES;
    return full ? compact(c, err) : CORM_OK;
}

static void clear(candidates *c) {
    base__arena_free(&c->arena);
    free(c->keys);
    *c = (candidates){ 0 };
}

/* ---- is walking the table less work ---- */

/* How many things are stored of the table, about: the first few take a part of the ring. */
static corm_status table_size(const select_run *run, double *out, corm_error *err) {
    kv_cursor *cursor;
    base_buf   from = { 0 };
    engine_key key = { .token = INT64_MIN };
    uint32_t   count = 0;
    bool       found = false;
    CORM_TRY(kv__cursor_open(run->request->txn, KV_DATA, &cursor, err));
    base__buf_u32(&from, run->table->storage_id);
    corm_status status = base__buf_status(&from, err);
    if (status == CORM_OK)
        status = kv__cursor_seek(cursor, base__buf_bytes(&from), KV_AT_OR_AFTER, &found, err);
    while (status == CORM_OK && found && count < SAMPLE) {
        found = engine__key_split(kv__cursor_key(cursor), &key) &&
                key.storage_id == run->table->storage_id;
        if (!found) break;
        count++;
        status = kv__cursor_next(cursor, &found, err);
    }
    double part = ((double)key.token - (double)INT64_MIN) / 0x1p64;
    *out = count < SAMPLE || part <= 0 ? count : count / part;
    if (count == SAMPLE && part <= 0) *out = 1e18;
    kv__cursor_close(cursor);
    base__buf_free(&from);
    return status;
}

static double rows_wanted(const select_run *run) {
    if (run->grouped || run->ann) return UINT32_MAX;
    return run->limit < run->page_left ? run->limit : run->page_left;
}

/* A row of the table costs as much as some entries of an index. */
static corm_status prefers_table(const select_run *run, const candidates *c, bool whole,
                                 bool *prefers, corm_error *err) {
    enum { ROW_COST = 4 };
    double size, seen = (double)c->seen;
    CORM_TRY(table_size(run, &size, err));
    double rows = rows_wanted(run) * size / seen;
    double table = ROW_COST * (rows < size ? rows : size);
    double passes = seen / (double)select__range_keep;
    *prefers = table < (whole ? passes * seen : (double)select__range_keep);
    return CORM_OK;
}

/* ---- collecting ---- */

static corm_status take(candidates *c, const index_stream *stream, const index_span *span,
                        kv_seek how, corm_error *err) {
    c->seen++;
    int order =
        base__bytes_compare(base__buf_bytes(&stream->data_key), base__buf_bytes(&span->from));
    if (order < 0 || (order == 0 && how == KV_AFTER) || span__ends_before(span, &stream->key))
        return CORM_OK;
    return add_key(c, base__buf_bytes(&stream->data_key), err);
}

/* The range's rows from span->from on. *instead: the table should be walked. */
static corm_status collect(select_run *run, index_stream *stream, const index_span *span,
                           kv_seek how, bool may_turn, candidates *c, bool *instead,
                           corm_error *err) {
    *instead = false;
    CORM_TRY(stream__first(stream, err));
    while (stream->found && !*instead) {
        CORM_TRY(take(c, stream, span, how, err));
        if (may_turn && span->prefix.len && c->seen > FEW_IN_PARTITION)
            *instead = true;
        else if (may_turn && c->seen == select__range_keep)
            CORM_TRY(prefers_table(run, c, false, instead, err));
        CORM_TRY(stream__next(stream, err));
    }
    if (*instead) return CORM_OK;
    if (may_turn && c->cut) CORM_TRY(prefers_table(run, c, true, instead, err));
    sort_keys(c);
    return CORM_OK;
}

static corm_status give(select_run *run, const index_stream *stream, const candidates *c,
                        corm_error *err) {
    for (size_t i = 0; i < c->count && !run->stop; i++) {
        engine_key key;
        if (!engine__key_split(c->keys[i], &key))
            return base__fail(err, CORM_CORRUPT, "an entry of index %.*s is damaged",
                              (int)stream->index->name.len, stream->index->name.data);
        CORM_TRY(select__index_row(run, stream, c->keys[i], &key, err));
    }
    return CORM_OK;
}

/* One walk over the range. *more: another one is wanted, from the last row on. */
static corm_status pass(select_run *run, index_stream *stream, index_span *span, kv_seek how,
                        bool may_turn, candidates *c, bool *more, corm_error *err) {
    bool instead;
    *more = false;
    CORM_TRY(collect(run, stream, span, how, may_turn, c, &instead, err));
    if (instead) return span->prefix.len ? select__partitions(run, err) : select__scan(run, err);
    CORM_TRY(give(run, stream, c, err));
    *more = c->cut && !run->stop;
    if (!*more) return CORM_OK;
    base__buf_clear(&span->from);
    base__buf_put(&span->from, c->keys[c->count - 1].data, c->keys[c->count - 1].len);
    return base__buf_status(&span->from, err);
}

corm_status select__range(select_run *run, index_stream *stream, index_span *span, kv_seek how,
                          bool few, corm_error *err) {
    bool        more = true, may_turn = !few && !stream->by_partition;
    corm_status status = CORM_OK;
    while (status == CORM_OK && more) {
        candidates c = { 0 };
        status = pass(run, stream, span, how, may_turn, &c, &more, err);
        clear(&c);
        may_turn = false;
        how = KV_AFTER;
    }
    return status;
}
