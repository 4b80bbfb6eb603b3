// SPDX-License-Identifier: MIT
/* select_index.c -- rows that secondary indexes find, in the order of their keys. Entries may be stale: each row is looked at itself,
 * with every filter, so a stream is only ever a way to see fewer rows.
 *
 *   lookups ─ probes ─> streams ─┬─ one key: in order, sought; several are intersected by seeking to the furthest
 *                                └─ a range: by value, collected and sorted (select_range.c)
 *
 * The stream with the fewest entries leads; those that are not intersected are left to the filters. Thread: the reader's. */
#include "base/fail.h"
#include "base/text.h"
#include "engine/index_stream.h"

typedef struct index_walk {
    index_stream *streams; /* the leading one first once it is chosen */
    uint32_t      count;
    index_span    span;
    bool          few; /* the leading one has few entries */
    base_buf      target;
} index_walk;

corm_status select__index_row(select_run *run, const index_stream *stream, corm_bytes data_key,
                              const engine_key *key, corm_error *err) {
    CORM_TRY(select__enter_partition(run, key, NULL, err));
    if (run->stop || run->skip_partition) return CORM_OK;
    if (key->kind != ENGINE_KEY_STATIC)
        return select__in_bounds(run, key->clustering) ? select__read_row(run, data_key, err)
                                                       : CORM_OK;
    /* Rows of the partition have entries of their own; without one, leaving it gives the static columns. */
    if (!stream->by_partition) return CORM_OK;
    CORM_TRY(select__read_bounds(run, err));
    return run->stop ? CORM_OK : select__leave_partition(run, err);
}

/* ---- which stream leads ---- */

static corm_status count_up_to(index_walk *walk, index_stream *stream, uint32_t bound,
                               uint32_t *count, corm_error *err) {
    *count = 0;
    if (stream->is_range)
        CORM_TRY(stream__first(stream, err));
    else
        CORM_TRY(stream__seek(stream, base__buf_bytes(&walk->span.from), KV_AT_OR_AFTER, err));
    while (stream->found && *count < bound) {
        if (!stream->is_range && span__ends_before(&walk->span, &stream->key)) return CORM_OK;
        ++*count;
        CORM_TRY(stream__next(stream, err));
    }
    return CORM_OK;
}

static void lead(index_walk *walk, uint32_t i) {
    index_stream first = walk->streams[i];
    walk->streams[i] = walk->streams[0];
    walk->streams[0] = first;
}

/* Looks a little into each, then a little more, and takes the first that ends. When none does: one that can be sought, of rows
 * rather than of partitions. */
static corm_status choose(index_walk *walk, corm_error *err) {
    static const uint32_t bounds[] = { 64, 1024 };
    uint32_t              best = 0;
    for (size_t step = 0; walk->count > 1 && step < sizeof bounds / sizeof *bounds; step++) {
        for (uint32_t i = 0; i < walk->count; i++) {
            uint32_t count;
            CORM_TRY(count_up_to(walk, &walk->streams[i], bounds[step], &count, err));
            if (count == bounds[step]) continue;
            walk->few = true;
            lead(walk, i);
            return CORM_OK;
        }
    }
    for (uint32_t i = 1; i < walk->count; i++) {
        const index_stream *a = &walk->streams[best], *b = &walk->streams[i];
        if (a->is_range != b->is_range ? a->is_range : a->by_partition && !b->by_partition)
            best = i;
    }
    lead(walk, best);
    return CORM_OK;
}

/* ---- intersection ---- */

/* Rows are looked for in a stream of partitions by their static row. */
static corm_status set_target(index_walk *walk, const index_stream *stream, corm_error *err) {
    const index_stream *first = &walk->streams[0];
    base__buf_clear(&walk->target);
    if (stream->by_partition && !first->by_partition) {
        base__buf_put(&walk->target, first->key.prefix.data, first->key.prefix.len);
        base__buf_u8(&walk->target, ENGINE_KEY_STATIC);
    } else {
        base__buf_put(&walk->target, first->data_key.data, first->data_key.len);
    }
    return base__buf_status(&walk->target, err);
}

/* Moves a stream to where the leading one stands; *same: it has that row too. Else the leading one goes on to where this one
 * stands, or to its own end. */
static corm_status meet(index_walk *walk, index_stream *stream, bool *same, corm_error *err) {
    index_stream *first = &walk->streams[0];
    CORM_TRY(set_target(walk, stream, err));
    corm_bytes target = base__buf_bytes(&walk->target);
    if (!stream->found || base__bytes_compare(base__buf_bytes(&stream->data_key), target) < 0)
        CORM_TRY(stream__seek(stream, target, KV_AT_OR_AFTER, err));
    first->found = first->found && stream->found;
    *same = stream->found && base__bytes_compare(base__buf_bytes(&stream->data_key), target) == 0;
    if (*same || !stream->found) return CORM_OK;
    return stream__seek(first, base__buf_bytes(&stream->data_key), KV_AT_OR_AFTER, err);
}

/* A leading stream of partitions is met by streams of partitions only: others name rows. */
static bool can_meet(const index_stream *first, const index_stream *stream) {
    return !stream->is_range && (!first->by_partition || stream->by_partition);
}

static corm_status meet_all(index_walk *walk, bool *same, corm_error *err) {
    *same = true;
    for (uint32_t i = 1; i < walk->count && *same && walk->streams[0].found; i++)
        if (can_meet(&walk->streams[0], &walk->streams[i]))
            CORM_TRY(meet(walk, &walk->streams[i], same, err));
    return CORM_OK;
}

static corm_status leave_skipped(select_run *run, index_walk *walk, corm_error *err) {
    base__buf_clear(&walk->target);
    base__buf_put(&walk->target, run->prefix.data, run->prefix.len);
    base__buf_u8(&walk->target, ENGINE_KEY_END);
    CORM_TRY(base__buf_status(&walk->target, err));
    return stream__seek(&walk->streams[0], base__buf_bytes(&walk->target), KV_AFTER, err);
}

static corm_status walk_key(select_run *run, index_walk *walk, corm_error *err) {
    index_stream *first = &walk->streams[0];
    for (uint32_t i = 1; i < walk->count; i++) walk->streams[i].found = false;
    while (first->found && !run->stop && !span__ends_before(&walk->span, &first->key)) {
        bool same = true;
        if (walk->count > 1) CORM_TRY(meet_all(walk, &same, err));
        if (!first->found) return CORM_OK;
        if (!same) continue;
        CORM_TRY(
            select__index_row(run, first, base__buf_bytes(&first->data_key), &first->key, err));
        if (run->stop) return CORM_OK;
        if (run->in_partition && run->skip_partition)
            CORM_TRY(leave_skipped(run, walk, err));
        else
            CORM_TRY(stream__next(first, err));
    }
    return CORM_OK;
}

/* ---- where the walk begins ---- */

/* A page that ended inside a partition which a stream of partitions found goes on with that partition. */
static corm_status resume(const select_run *run, index_walk *walk, kv_seek *how, corm_error *err) {
    engine_key last;
    *how = KV_AT_OR_AFTER;
    if (!run->resume.present) return CORM_OK;
    if (!engine__key_split(run->resume.key, &last))
        return base__fail(err, CORM_PROTOCOL_ERROR, "Invalid value for the paging state");
    if (base__bytes_compare(run->resume.key, base__buf_bytes(&walk->span.from)) < 0) return CORM_OK;
    bool       by_partition = walk->streams[0].by_partition;
    corm_bytes from = by_partition ? last.prefix : run->resume.key;
    base__buf_clear(&walk->span.from);
    base__buf_put(&walk->span.from, from.data, from.len);
    if (!by_partition) *how = KV_AFTER;
    return base__buf_status(&walk->span.from, err);
}

static corm_status walk_span(select_run *run, index_walk *walk, corm_error *err) {
    kv_seek how;
    CORM_TRY(choose(walk, err));
    CORM_TRY(resume(run, walk, &how, err));
    index_stream *first = &walk->streams[0];
    if (first->is_range) return select__range(run, first, &walk->span, how, walk->few, err);
    CORM_TRY(stream__seek(first, base__buf_bytes(&walk->span.from), how, err));
    return walk_key(run, walk, err);
}

static corm_status walk_partition(select_run *run, index_walk *walk,
                                  const engine_partition *partition, corm_error *err) {
    engine_key last;
    base__buf_clear(&walk->span.from);
    engine__key_partition(run->table->storage_id, partition->token, partition->key,
                          &walk->span.from);
    CORM_TRY(base__buf_status(&walk->span.from, err));
    size_t len = walk->span.from.len;
    walk->span.prefix =
        (corm_bytes){ base__arena_copy(run->request->arena, walk->span.from.data, len), len };
    if (!walk->span.prefix.data) return base__fail_memory(err);
    bool is_done = run->resume.present && engine__key_split(run->resume.key, &last) &&
                   base__bytes_compare(walk->span.prefix, last.prefix) < 0;
    return is_done ? CORM_OK : walk_span(run, walk, err);
}

static corm_status walk_ring(select_run *run, index_walk *walk, corm_error *err) {
    cql_eval_env env = run->env;
    int64_t      first;
    bool         empty;
    env.context.arena = run->request->arena;
    CORM_TRY(engine__token_bounds(&run->select->where, &env, &first, &walk->span.last_token, &empty,
                                  err));
    if (empty) return CORM_OK;
    engine__key_token(run->table->storage_id, first, &walk->span.from);
    CORM_TRY(base__buf_status(&walk->span.from, err));
    return walk_span(run, walk, err);
}

static corm_status walk_all(select_run *run, index_walk *walk, corm_error *err) {
    if (!run->select->where.partition_count) CORM_TRY(walk_ring(run, walk, err));
    for (uint32_t i = 0; i < run->partition_count && !run->stop; i++)
        CORM_TRY(walk_partition(run, walk, &run->partitions[i], err));
    return select__leave_partition(run, err);
}

/* ---- streams ---- */

static corm_status add_streams(select_run *run, index_walk *walk, const cql_lookup *lookup,
                               const cql_probes *probes, uint32_t first, corm_error *err) {
    uint32_t      room = walk->count + probes->count - first;
    index_stream *all = BASE_NEW_ARRAY(run->request->arena, index_stream, room);
    if (!all) return base__fail_memory(err);
    if (walk->count) memcpy(all, walk->streams, walk->count * sizeof *all);
    walk->streams = all;
    for (uint32_t i = first; i < probes->count; i++)
        CORM_TRY(stream__open(&walk->streams[walk->count++], run->request, lookup->index,
                              run->table, &probes->items[i], err));
    return CORM_OK;
}

/* *none: no row can be found. */
static corm_status open_streams(select_run *run, index_walk *walk, bool *none, corm_error *err) {
    const cql_where *where = &run->select->where;
    cql_eval_env     env = run->env;
    cql_probes       probes = { 0 };
    env.context.arena = run->request->arena;
    for (uint32_t i = 0; i < where->lookup_count && !probes.none; i++) {
        uint32_t first = probes.count;
        CORM_TRY(cql__index_probes(&where->lookups[i], &env, env.context.arena, &probes, err));
        CORM_TRY(add_streams(run, walk, &where->lookups[i], &probes, first, err));
    }
    *none = probes.none;
    return CORM_OK;
}

corm_status select__index(select_run *run, corm_error *err) {
    index_walk  walk = { 0 };
    bool        none;
    corm_status status = open_streams(run, &walk, &none, err);
    if (status == CORM_OK && !none) status = walk_all(run, &walk, err);
    for (uint32_t i = 0; i < walk.count; i++) stream__close(&walk.streams[i]);
    base__buf_free(&walk.span.from);
    base__buf_free(&walk.target);
    return status;
}
