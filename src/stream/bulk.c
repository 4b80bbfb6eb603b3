// SPDX-License-Identifier: MIT
/* bulk.c -- the bulk writer's life: opened, given rows and statements from any thread, flushed, closed. */
#include <stdlib.h>

#include "base/fail.h"
#include "stream/bulk_core.h"

enum {
    DEFAULT_RETRIES = 5,
    DEFAULT_DELAY_MS = 100,
    CLUSTER_FLIGHTS = 32,
    STORE_FLIGHTS = 4,
    MOST_FLIGHTS = 4096,
    CLUSTER_BYTES = 4096,
    STORE_BYTES = 32 << 10,
    CLUSTER_STATEMENTS = 100
};
#define DEFAULT_BYTES ((size_t)16 << 20)

/* ---- opening ---- */

static void or_default(uint32_t *value, uint32_t otherwise) {
    if (*value == 0) *value = otherwise;
}

static void set_options(corm_bulk *bulk, const corm_bulk_options *given) {
    corm_bulk_options *options = &bulk->options;
    bool               store = bulk->is_embedded;
    *options = *given;
    options->error = NULL;
    or_default(&options->max_in_flight, store ? STORE_FLIGHTS : CLUSTER_FLIGHTS);
    or_default(&options->batch_statements, store ? BULK_MOST_STATEMENTS : CLUSTER_STATEMENTS);
    or_default(&options->retries, DEFAULT_RETRIES);
    or_default(&options->retry_delay_ms, DEFAULT_DELAY_MS);
    if (options->batch_statements > BULK_MOST_STATEMENTS) {
        options->batch_statements = BULK_MOST_STATEMENTS;
    }
    if (options->max_bytes == 0) options->max_bytes = DEFAULT_BYTES;
    if (options->batch_bytes == 0) options->batch_bytes = store ? STORE_BYTES : CLUSTER_BYTES;
}

static corm_status copy_text(corm_bulk *bulk, const char **text, corm_error *err) {
    if (!*text) return CORM_OK;
    *text = base__arena_str(&bulk->arena, corm_str_of(*text)).data;
    return *text ? CORM_OK : base__fail_memory(err);
}

static corm_status copy_options(corm_bulk *bulk, const corm_bulk_options *given, corm_error *err) {
    set_options(bulk, given);
    bulk->request = given->request;
    bulk->request.payload = NULL;
    bulk->request.payload_count = 0;
    CORM_TRY(copy_text(bulk, &bulk->request.keyspace, err));
    CORM_TRY(copy_text(bulk, &bulk->request.profile, err));
    CORM_TRY(copy_text(bulk, &bulk->request.host, err));
    CORM_TRY(copy_text(bulk, &bulk->options.rejects_path, err));
    bulk->rejects.path = bulk->options.rejects_path;
    bulk->rejects.name = "bulk";
    return CORM_OK;
}

static corm_status check(const corm_bulk_options *given, corm_error *err) {
    const char *why = given->_canary != 0                   ? "the options are not initialised"
                      : given->max_in_flight > MOST_FLIGHTS ? "more than 4096 batches in flight"
                      : given->request.has_timestamp
                          ? "a timestamp is of a write, not of the writer"
                          : NULL;
    return why ? base__fail(err, CORM_INVALID_ARGUMENT, "bulk writer: %s", why) : CORM_OK;
}

static void free_bulk(corm_bulk *bulk) {
    size_t at = 0;
    for (const base_map_slot *slot; (slot = base__map_next(&bulk->facts, &at)) != NULL;) {
        corm_prepared *prepared;
        memcpy(&prepared, slot->key.data, sizeof(void *));
        corm_prepared_free(prepared);
    }
    base__map_free(&bulk->facts);
    base__map_free(&bulk->groups);
    stream__rejects_free(&bulk->rejects);
    pthread_mutex_destroy(&bulk->rejects_lock);
    stream__gate_free(&bulk->gate);
    base__arena_free(&bulk->arena);
    free(bulk);
}

static corm_status open_bulk(corm_session *session, corm_db *db, const corm_bulk_options *given,
                             corm_bulk **out, corm_error *err) {
    *out = NULL;
    CORM_TRY(session__check_open(session, err));
    CORM_TRY(check(given, err));
    corm_bulk *bulk = calloc(1, sizeof *bulk);
    if (!bulk) return base__fail_memory(err);
    bulk->session = session;
    bulk->db = db;
    bulk->path = CORM_PATH_BULK;
    bulk->is_embedded = !session__is_cluster(session);
    bulk->has_stamps = session__has_stamps(session);
    bulk->waiting_end = &bulk->waiting;
    corm_status status = stream__gate_init(&bulk->gate, session, err);
    if (status != CORM_OK) {
        free(bulk);
        return status;
    }
    pthread_mutex_init(&bulk->rejects_lock, NULL);
    status = copy_options(bulk, given, err);
    if (status == CORM_OK) {
        *out = bulk;
    } else {
        free_bulk(bulk);
    }
    return status;
}

corm_status corm_bulk_open_with(corm_db *db, const corm_bulk_options *options, corm_bulk **out) {
    return open_bulk(db->session, db, options, out, options->error);
}

corm_status corm_bulk_session_with(corm_session *session, const corm_bulk_options *options,
                                   corm_bulk **out) {
    return open_bulk(session, NULL, options, out, options->error);
}

/* ---- taking ---- */

static corm_status check_rejects(const corm_bulk *bulk, corm_error *err) {
    uint64_t most = bulk->options.max_rejects;
    if (most == 0 || bulk->stats.rejected <= most) return CORM_OK;
    return base__fail(err, CORM_CANCELLED, "%llu writes were rejected",
                      (unsigned long long)bulk->stats.rejected);
}

static bool has_room(const corm_bulk *bulk, size_t bytes) {
    return bulk->stats.bytes == 0 || bulk->stats.bytes + bytes <= bulk->options.max_bytes;
}

/* Under the lock. */
static corm_status wait_for_room(corm_bulk *bulk, size_t bytes, corm_error *err) {
    CORM_TRY(check_rejects(bulk, err));
    if (has_room(bulk, bytes)) return CORM_OK;
    if (bulk->options.no_wait) {
        return base__fail(err, CORM_OVERLOADED, "the bulk writer holds %zu bytes",
                          bulk->stats.bytes);
    }
    CORM_TRY(stream__may_wait(bulk->session, err));
    bulk->stats.waited++;
    while (!has_room(bulk, bytes)) bulk__wait(bulk);
    return check_rejects(bulk, err);
}

static corm_status take(corm_bulk *bulk, bulk_unit *unit, corm_error *err) {
    corm_bulk_stats *stats = &bulk->stats;
    stream__lock(&bulk->gate);
    corm_status status = wait_for_room(bulk, unit->bytes, err);
    if (status == CORM_OK) {
        unit->number = stats->taken + 1;
        unit->epoch = bulk->epoch;
        status = bulk__enqueue(bulk, unit, err);
    }
    if (status == CORM_OK) {
        stats->taken++;
        stats->bytes += unit->bytes;
        if (stats->bytes > stats->bytes_peak) stats->bytes_peak = stats->bytes;
        bulk->pending[unit->epoch]++;
    }
    stream__unlock(&bulk->gate);
    if (status != CORM_OK) {
        bulk__unit_free(unit);
        return status;
    }
    bulk__pump(bulk);
    return CORM_OK;
}

static corm_status take_copy(corm_bulk *bulk, const corm_batch *batch, const orm_model *model,
                             const corm_bulk_write *given, session_batch_run *run,
                             corm_error *err) {
    bulk_unit *unit;
    CORM_TRY(bulk__unit_new(bulk, batch, model, given->record, &unit, err));
    unit->tag = given->tag;
    unit->has_timestamp = given->write.request.has_timestamp;
    unit->timestamp_us = given->write.request.timestamp_us;
    unit->run = run;
    return take(bulk, unit, err);
}

/* To hooks each write is a batch of its own, which ends when the write has. */
static corm_status take_batch(corm_bulk *bulk, corm_batch *batch, const orm_model *model,
                              const corm_bulk_write *given, corm_error *err) {
    session_batch_run *run;
    corm_error         why = { 0 };
    CORM_TRY(session__watch_begin(batch, &run, err));
    corm_status status = take_copy(bulk, batch, model, given, run, &why);
    if (status == CORM_OK) return CORM_OK;
    status = session__watch_end(run, true, status, &why);
    if (err) *err = why;
    return status;
}

corm_status corm_bulk_statement(corm_bulk *bulk, const corm_statement *statement, void *tag,
                                corm_str record, corm_error *err) {
    corm_bulk_write given = { .tag = tag, .record = record };
    corm_batch      batch = { .session = bulk->session };
    wire_batch_item item = { .prepared = statement->prepared->wire,
                             .value_count = statement->prepared->marker_count,
                             .values = statement->values };
    corm_prepared  *held = statement->prepared;
    if (held->session != bulk->session) {
        return base__fail(err, CORM_INVALID_ARGUMENT,
                          "the statement was prepared by another session");
    }
    CORM_TRY(session__check_open(bulk->session, err));
    batch.items = &item;
    batch.held = &held;
    batch.count = batch.held_count = 1;
    given.write.request.has_timestamp = statement->options.has_timestamp;
    given.write.request.timestamp_us = statement->options.timestamp_us;
    return take_batch(bulk, &batch, NULL, &given, err);
}

/* ---- rows ---- */

typedef corm_status bulk_single(corm_db *db, const corm_model *model, void *row,
                                const corm_write_options *options);
typedef corm_status bulk_batch(corm_batch *batch, corm_db *db, const corm_model *model, void *row,
                               const corm_write_options *options);

typedef struct bulk_kind {
    bulk_single *single;
    bulk_batch  *batch;
} bulk_kind;

static bool has_conditions(const corm_write_options *options) {
    return options->if_not_exists || options->if_exists || options->condition[0].column;
}

/* Behind everything that was taken before. */
static corm_status write_alone(corm_bulk *bulk, const bulk_kind *kind, const corm_model *model,
                               void *row, const corm_write_options *options) {
    CORM_TRY(corm_bulk_flush(bulk, options->error));
    corm_path   before = orm__path_enter(bulk->path);
    corm_status status = kind->single(bulk->db, model, row, options);
    orm__path_enter(before);
    if (status != CORM_OK) return status;
    stream__lock(&bulk->gate);
    bulk->stats.taken++;
    bulk->stats.written++;
    bulk->stats.alone++;
    stream__unlock(&bulk->gate);
    return CORM_OK;
}

/* The writer's options hold where the write's say nothing. */
static void add_request(const corm_bulk *bulk, corm_request_options *request) {
    corm_request_options own = *request;
    *request = bulk->request;
    request->has_timestamp = own.has_timestamp;
    request->timestamp_us = own.timestamp_us;
}

static corm_status check_row(const corm_bulk *bulk, corm_error *err) {
    if (!bulk->db) {
        return base__fail(err, CORM_INVALID_ARGUMENT,
                          "this bulk writer is over a session: it takes statements");
    }
    return session__check_open(bulk->session, err);
}

static corm_status write_row(corm_bulk *bulk, const bulk_kind *kind, const corm_model *model,
                             void *row, const corm_bulk_write *given) {
    corm_write_options options = given->write;
    orm_model         *compiled;
    CORM_TRY(check_row(bulk, options.error));
    CORM_TRY(orm__model(bulk->db, model, &compiled, options.error));
    add_request(bulk, &options.request);
    if (compiled->unique_count > 0 || compiled->version || has_conditions(&options)) {
        return write_alone(bulk, kind, model, row, &options);
    }
    corm_batch *batch = corm_batch_new(bulk->session, CORM_LOGGED);
    if (!batch) return base__fail_memory(options.error);
    corm_path   before = orm__path_enter(bulk->path);
    corm_status status = kind->batch(batch, bulk->db, model, row, &options);
    orm__path_enter(before);
    bool unsupported = status == CORM_UNSUPPORTED;
    if (status == CORM_OK) status = take_batch(bulk, batch, compiled, given, options.error);
    corm_batch_free(batch);
    return unsupported ? write_alone(bulk, kind, model, row, &options) : status;
}

static corm_status delete_single(corm_db *db, const corm_model *model, void *row,
                                 const corm_write_options *options) {
    return corm_delete_with(db, model, row, options);
}

static corm_status delete_batch(corm_batch *batch, corm_db *db, const corm_model *model, void *row,
                                const corm_write_options *options) {
    return corm_batch_delete(batch, db, model, row, options);
}

corm_status corm_bulk_insert_with(corm_bulk *bulk, const corm_model *model, void *row,
                                  const corm_bulk_write *options) {
    static const bulk_kind kind = { corm_insert_with, corm_batch_insert };
    return write_row(bulk, &kind, model, row, options);
}

corm_status corm_bulk_save_with(corm_bulk *bulk, const corm_model *model, void *row,
                                const corm_bulk_write *options) {
    static const bulk_kind kind = { corm_save_with, corm_batch_save };
    return write_row(bulk, &kind, model, row, options);
}

corm_status corm_bulk_update_with(corm_bulk *bulk, const corm_model *model, void *row,
                                  const corm_bulk_write *options) {
    static const bulk_kind kind = { corm_update_with, corm_batch_update };
    return write_row(bulk, &kind, model, row, options);
}

corm_status corm_bulk_upsert_with(corm_bulk *bulk, const corm_model *model, void *row,
                                  const corm_bulk_write *options) {
    static const bulk_kind kind = { corm_upsert_with, corm_batch_upsert };
    return write_row(bulk, &kind, model, row, options);
}

corm_status corm_bulk_delete_with(corm_bulk *bulk, const corm_model *model, const void *row,
                                  const corm_bulk_write *options) {
    static const bulk_kind kind = { delete_single, delete_batch };
    return write_row(bulk, &kind, model, (void *)(uintptr_t)row, options);
}

/* ---- waiting ---- */

/* One flush at a time: what is taken meanwhile belongs to the next. */
static void wait_for_epoch(corm_bulk *bulk) {
    stream__lock(&bulk->gate);
    while (bulk->flushing) stream__wait(&bulk->gate, 0);
    bulk->flushing = true;
    uint8_t epoch = bulk->epoch;
    bulk->epoch ^= 1;
    while (bulk->pending[epoch] > 0) bulk__wait(bulk);
    bulk->flushing = false;
    stream__wake(&bulk->gate);
    stream__unlock(&bulk->gate);
}

static corm_status sync_rejects(corm_bulk *bulk, corm_error *err) {
    pthread_mutex_lock(&bulk->rejects_lock);
    corm_status status = bulk->failure.status;
    if (status != CORM_OK && err) *err = bulk->failure;
    if (status == CORM_OK) status = stream__rejects_flush(&bulk->rejects, err);
    pthread_mutex_unlock(&bulk->rejects_lock);
    return status;
}

corm_status corm_bulk_flush(corm_bulk *bulk, corm_error *err) {
    CORM_TRY(stream__may_wait(bulk->session, err));
    wait_for_epoch(bulk);
    return sync_rejects(bulk, err);
}

void corm_bulk_statistics(const corm_bulk *constant, corm_bulk_stats *out) {
    corm_bulk *bulk = (corm_bulk *)(uintptr_t)constant;
    stream__lock(&bulk->gate);
    *out = bulk->stats;
    stream__unlock(&bulk->gate);
}

corm_status corm_bulk_close(corm_bulk *bulk, corm_error *err) {
    if (!bulk) return CORM_OK;
    corm_status status = stream__may_wait(bulk->session, err);
    if (status == CORM_WOULD_DEADLOCK) return status;
    wait_for_epoch(bulk);
    corm_status rejects = sync_rejects(bulk, status == CORM_OK ? err : NULL);
    bulk__stop_timer(bulk);
    free_bulk(bulk);
    return status == CORM_OK ? rejects : status;
}
