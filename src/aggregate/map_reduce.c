// SPDX-License-Identifier: MIT
/* map_reduce.c -- MapReduce with functions of the program.
 *
 *   piece of the ring ─ map ─► pairs ─ [sorted by key and place, combine] ─► sorter ┐
 *   piece of the ring ─ map ─► pairs ─ [                        combine] ─► sorter ┴─ merged ─► reduce ─► finalize
 *
 * A pair sorts by its key, then by its piece, then by its place in the piece: so what reduce is given never depends on which thread
 * was faster, and not on when memory was full. Threads: map and combine run on those that read, the rest on the caller's. */
#include <stdlib.h>

#include "aggregate/pipeline.h"
#include "cql/order.h"

enum { PLACE = 12, CHUNK = 4096 }; /* bytes behind a key; values that combine is given at once */

typedef struct job {
    const corm_map_reduce *spec;
    const cql_type        *key_type, *value_type, *result_type;
    base_arena             arena;
    agg_run                run;
    uint32_t               worker_count;
    struct corm_emitter   *workers;
} job;

struct corm_emitter {
    job        *job;
    agg_sorter *pairs; /* of this piece, before combine; NULL without one */
    agg_sorter *sorter;
    uint32_t    piece;
    uint64_t    sequence;
    base_buf    record, order;
};

/* ---- emitting ---- */

static corm_status encode(const cql_type *type, const corm_value *value, base_buf *out,
                          corm_error *err) {
    size_t at = out->len;
    if (value->kind == CORM_NULL || value->kind == CORM_UNSET) {
        base__buf_i32(out, -1);
        return CORM_OK;
    }
    base__buf_i32(out, 0);
    CORM_TRY(cql__encode(type, value, out, err));
    CORM_TRY(base__buf_status(out, err));
    base__buf_set_i32(out, at, (int32_t)(out->len - at - 4));
    return CORM_OK;
}

static corm_status add_pair(corm_emitter *out, agg_sorter *to, const corm_value *key,
                            const corm_value *value, corm_error *err) {
    base__buf_clear(&out->record);
    base__buf_clear(&out->order);
    CORM_TRY(encode(out->job->key_type, key, &out->record, err));
    base_reader reader = { out->record.data, out->record.len, false };
    cql__order_put(out->job->key_type, cql__read_value(&reader), false, &out->order);
    base__buf_u32(&out->order, out->piece);
    base__buf_u64(&out->order, out->sequence++);
    CORM_TRY(encode(out->job->value_type, value, &out->record, err));
    CORM_TRY(base__buf_status(&out->order, err));
    CORM_TRY(base__buf_status(&out->record, err));
    return agg__sorter_add(to, base__buf_bytes(&out->order), base__buf_bytes(&out->record), err);
}

corm_status corm_emit(corm_emitter *emitter, corm_value key, corm_value value, corm_error *err) {
    return add_pair(emitter, emitter->pairs ? emitter->pairs : emitter->sorter, &key, &value, err);
}

/* ---- pairs of one key ---- */

/* Sorted pairs, given key by key. */
typedef struct keyed {
    const job  *job;
    base_arena  arena; /* of the key and its values */
    base_buf    key;   /* in order form, without the place */
    corm_value  shown;
    corm_value *values;
    uint32_t    count, room;
} keyed;

typedef corm_status keyed_callback(void *context, keyed *pairs, corm_error *err);

static corm_status add_value(keyed *pairs, const corm_value *value, corm_error *err) {
    if (pairs->count == pairs->room) {
        uint32_t    room = pairs->room ? 2 * pairs->room : 64;
        corm_value *bigger = realloc(pairs->values, room * sizeof *bigger);
        if (!bigger) return base__fail_memory(err);
        pairs->values = bigger;
        pairs->room = room;
    }
    pairs->values[pairs->count++] = *value;
    return CORM_OK;
}

/* A full chunk becomes one value, where the program can do that. */
static corm_status fold(keyed *pairs, corm_error *err) {
    const corm_map_reduce *spec = pairs->job->spec;
    corm_value             one = { 0 }, kept;
    size_t                 held = pairs->arena.total + pairs->room * sizeof(corm_value);
    if (!spec->combine && held > pairs->job->run.memory.limit)
        return base__fail(err, CORM_INVALID,
                          "the values of one key need more than the memory limit "
                          "(%zu bytes); give a combine function, or raise it",
                          pairs->job->run.memory.limit);
    if (!spec->combine || pairs->count < CHUNK) return CORM_OK;
    CORM_TRY(spec->combine(spec->context, &pairs->shown, pairs->values, pairs->count, &one, err));
    base_arena  fresh = { 0 };
    corm_status status = session__value_copy(&one, &fresh, &kept, err);
    corm_value  key;
    if (status == CORM_OK) status = session__value_copy(&pairs->shown, &fresh, &key, err);
    if (status != CORM_OK) {
        base__arena_free(&fresh);
        return status;
    }
    base__arena_free(&pairs->arena);
    pairs->arena = fresh;
    pairs->shown = key;
    pairs->values[0] = kept;
    pairs->count = 1;
    return CORM_OK;
}

static corm_status begin_key(keyed *pairs, corm_bytes order, cql_value key, corm_error *err) {
    base__arena_reset(&pairs->arena);
    pairs->count = 0;
    base__buf_clear(&pairs->key);
    base__buf_put(&pairs->key, order.data, order.len - PLACE);
    CORM_TRY(base__buf_status(&pairs->key, err));
    uint8_t *copy = base__arena_copy(&pairs->arena, key.data, key.len > 0 ? (size_t)key.len : 0);
    if (!copy) return base__fail_memory(err);
    if (key.len >= 0) key.data = copy;
    return cql__decode(pairs->job->key_type, key, &pairs->arena, &pairs->shown, err);
}

static corm_status take_pair(keyed *pairs, cql_value value, corm_error *err) {
    corm_value decoded;
    uint8_t   *copy =
        base__arena_copy(&pairs->arena, value.data, value.len > 0 ? (size_t)value.len : 0);
    if (!copy) return base__fail_memory(err);
    if (value.len >= 0) value.data = copy;
    CORM_TRY(cql__decode(pairs->job->value_type, value, &pairs->arena, &decoded, err));
    CORM_TRY(add_value(pairs, &decoded, err));
    return fold(pairs, err);
}

static corm_status walk(keyed *pairs, agg_merge *merge, keyed_callback *callback, void *context,
                        corm_error *err) {
    for (;;) {
        corm_bytes order, record;
        CORM_TRY(agg__merge_next(merge, &order, &record, err));
        bool same = order.data && pairs->count > 0 && pairs->key.len == order.len - PLACE &&
                    memcmp(pairs->key.data, order.data, pairs->key.len) == 0;
        if (!same && pairs->count > 0) CORM_TRY(callback(context, pairs, err));
        if (!order.data) return CORM_OK;
        base_reader reader = { record.data, record.len, false };
        cql_value   key = cql__read_value(&reader), value = cql__read_value(&reader);
        if (!same) CORM_TRY(begin_key(pairs, order, key, err));
        CORM_TRY(take_pair(pairs, value, err));
    }
}

static corm_status walk_sorters(const job *all, agg_sorter *const *sorters, uint32_t count,
                                keyed_callback *callback, void *context, corm_error *err) {
    agg_merge *merge;
    keyed      pairs = { .job = all };
    CORM_TRY(agg__merge_new(sorters, count, &merge, err));
    corm_status status = walk(&pairs, merge, callback, context, err);
    agg__merge_free(merge);
    base__arena_free(&pairs.arena);
    base__buf_free(&pairs.key);
    free(pairs.values);
    return status;
}

/* ---- map and combine ---- */

static corm_status map_page(void *context, uint32_t worker, uint32_t piece, corm_result *page,
                            const agg_batch *batch, corm_error *err) {
    job          *all = context;
    corm_emitter *out = &all->workers[worker];
    (void)batch;
    out->piece = piece;
    if (all->spec->combine && !out->pairs)
        CORM_TRY(agg__sorter_new(&all->run.memory, 0, &out->pairs, err));
    for (const corm_row *row = corm_result_next(page); row; row = corm_result_next(page)) {
        if (atomic_load(&all->run.enough)) return CORM_OK;
        CORM_TRY(all->spec->map(all->spec->context, row, out, err));
    }
    return CORM_OK;
}

static corm_status combine_key(void *context, keyed *pairs, corm_error *err) {
    corm_emitter          *out = context;
    const corm_map_reduce *spec = out->job->spec;
    corm_value             one = { 0 };
    CORM_TRY(spec->combine(spec->context, &pairs->shown, pairs->values, pairs->count, &one, err));
    return add_pair(out, out->sorter, &pairs->shown, &one, err);
}

/* A piece is read: its pairs are combined. Places begin anew in each piece. */
static corm_status end_piece(void *context, uint32_t worker, uint32_t piece, corm_error *err) {
    job          *all = context;
    corm_emitter *out = &all->workers[worker];
    corm_status   status = CORM_OK;
    out->piece = piece;
    if (out->pairs) status = walk_sorters(all, &out->pairs, 1, combine_key, out, err);
    agg__sorter_free(out->pairs);
    out->pairs = NULL;
    out->sequence = 0;
    return status;
}

/* ---- reduce and finalize ---- */

typedef struct reducing {
    const job  *job;
    agg_answer *answer;
} reducing;

static corm_status reduce_key(void *context, keyed *pairs, corm_error *err) {
    reducing              *r = context;
    const corm_map_reduce *spec = r->job->spec;
    corm_value             reduced = { 0 }, final = { 0 };
    CORM_TRY(
        spec->reduce(spec->context, &pairs->shown, pairs->values, pairs->count, &reduced, err));
    if (spec->finalize) {
        CORM_TRY(spec->finalize(spec->context, &pairs->shown, &reduced, &final, err));
    } else {
        final = reduced;
    }
    CORM_TRY(encode(r->job->key_type, &pairs->shown, &r->answer->answer.body, err));
    CORM_TRY(encode(r->job->result_type, &final, &r->answer->answer.body, err));
    wire__row_done(&r->answer->writer);
    return CORM_OK;
}

static corm_status reduce_all(job *all, corm_session *session, corm_result **out, corm_error *err) {
    agg_answer   answer;
    agg_field    fields[] = { { corm_str_of("key"), all->key_type },
                              { corm_str_of("value"), all->result_type } };
    agg_scope    scope = { 2, fields };
    reducing     r = { .job = all, .answer = &answer };
    agg_sorter **sorters = BASE_NEW_ARRAY(&all->arena, agg_sorter *, all->worker_count);
    if (!sorters) return base__fail_memory(err);
    for (uint32_t i = 0; i < all->worker_count; i++) sorters[i] = all->workers[i].sorter;
    CORM_TRY(agg__answer_columns(&all->arena, &scope, corm_str_of(corm_session_keyspace(session)),
                                 corm_str_of(all->spec->table), &answer, err));
    agg__answer_begin(&answer);
    corm_status status = walk_sorters(all, sorters, all->worker_count, reduce_key, &r, err);
    if (status == CORM_OK) status = agg__answer_end(&answer, session, out, err);
    agg__answer_free(&answer);
    return status;
}

/* ---- the whole ---- */

static corm_status check(const corm_session *session, const corm_map_reduce *spec,
                         corm_error *err) {
    if (!session || !spec || !spec->table || !spec->map || !spec->reduce || !spec->key_type ||
        !spec->value_type)
        return base__fail(err, CORM_INVALID_ARGUMENT,
                          "a MapReduce wants a session, a table, map, "
                          "reduce, key_type and value_type");
    if (spec->_canary == 0 && spec->options._canary == 0) return CORM_OK;
    return base__fail(err, CORM_INVALID_ARGUMENT, "the options are not zero-initialised");
}

static corm_status read_types(job *all, corm_error *err) {
    const corm_map_reduce *spec = all->spec;
    const char            *result = spec->result_type ? spec->result_type : spec->value_type;
    CORM_TRY(cql__type_parse(&all->arena, corm_str_of(spec->key_type), NULL, &all->key_type, err));
    CORM_TRY(
        cql__type_parse(&all->arena, corm_str_of(spec->value_type), NULL, &all->value_type, err));
    return cql__type_parse(&all->arena, corm_str_of(result), NULL, &all->result_type, err);
}

static corm_status make_workers(job *all, uint32_t count, corm_error *err) {
    agg__run_begin(&all->run, &all->spec->options, count);
    all->workers = BASE_NEW_ARRAY(&all->arena, corm_emitter, count);
    if (!all->workers) return base__fail_memory(err);
    for (; all->worker_count < count; all->worker_count++) {
        corm_emitter *worker = &all->workers[all->worker_count];
        worker->job = all;
        CORM_TRY(agg__sorter_new(&all->run.memory, 0, &worker->sorter, err));
    }
    return CORM_OK;
}

static corm_status run_job(job *all, corm_session *session, corm_result **out, corm_error *err) {
    agg_plan            plan = { 0 };
    agg_reading_options reading = { .options = &all->spec->options,
                                    .whole_pages = true,
                                    .ordered = all->spec->options.in_order,
                                    .piece_done = end_piece };
    CORM_TRY(read_types(all, err));
    corm_pipeline *table = corm_pipeline_new(session, all->spec->table, NULL);
    corm_status    status = corm_pipeline_check(table, err);
    if (status == CORM_OK)
        status = agg__plan_columns(table, &all->arena, all->spec->columns, &plan, err);
    corm_pipeline_free(table);
    CORM_TRY(status);
    reading.text = plan.text.data;
    CORM_TRY(make_workers(all, agg__thread_count(session, &reading), err));
    CORM_TRY(agg__read_all(session, &reading, &all->run, map_page, all, err));
    return reduce_all(all, session, out, err);
}

corm_status corm_map_reduce_run(corm_session *session, const corm_map_reduce *spec,
                                corm_result **out, corm_error *err) {
    job all = { .spec = spec };
    *out = NULL;
    CORM_TRY(check(session, spec, err));
    corm_status status = run_job(&all, session, out, err);
    for (uint32_t i = 0; i < all.worker_count; i++) {
        agg__sorter_free(all.workers[i].pairs);
        agg__sorter_free(all.workers[i].sorter);
        base__buf_free(&all.workers[i].record);
        base__buf_free(&all.workers[i].order);
    }
    base__arena_free(&all.arena);
    return status;
}
