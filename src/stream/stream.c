// SPDX-License-Identifier: MIT
/* stream.c -- a stream's life: opened, run on the caller's thread or on workers, paused, cancelled, freed; its figures. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/fail.h"
#include "stream/core.h"

enum {
    DEFAULT_BATCH = 1000,
    DEFAULT_CONCURRENCY = 4,
    DEFAULT_RETRIES = 5,
    DEFAULT_DELAY_MS = 100,
    MOST_CONCURRENCY = 4096,
    MOST_WORKERS = 256
};
#define DEFAULT_BYTES ((size_t)16 << 20)
#define DEFAULT_PAGE_BYTES ((size_t)1 << 20)

/* ---- opening ---- */

static corm_status check(const corm_session *session, const corm_stream_options *given,
                         corm_error *err) {
    const char *why = NULL;
    if (given->_canary != 0) why = "the options are not initialised";
    if (given->concurrency > MOST_CONCURRENCY) why = "more than 4096 ranges at the same time";
    if (given->workers > MOST_WORKERS) why = "more than 256 workers";
    if (given->batch_size > INT32_MAX) why = "the batch size is too large";
    if (given->request.paging_state.len > 0) why = "it goes on by .resume, not by a paging state";
    if (given->request.keyspace && !given->cql) why = "the keyspace is said in .keyspace";
    if (why) return base__fail(err, CORM_INVALID_ARGUMENT, "stream: %s", why);
    if (given->workers > 0 && stream__has_loop(session)) {
        return base__fail(err, CORM_UNSUPPORTED, "workers need a session with a thread of its own");
    }
    return CORM_OK;
}

static void or_default(uint32_t *value, uint32_t otherwise) {
    if (*value == 0) *value = otherwise;
}

/* Pointers are of the caller's: what is needed of them lives on elsewhere. */
static void set_options(corm_stream *stream, const corm_stream_options *given) {
    corm_stream_options *options = &stream->options;
    *options = *given;
    options->table = options->cql = options->keyspace = options->columns = NULL;
    options->where = options->resume = NULL;
    options->values = NULL;
    options->error = NULL;
    memset(options->conditions, 0, sizeof options->conditions);
    or_default(&options->batch_size, DEFAULT_BATCH);
    or_default(&options->concurrency, DEFAULT_CONCURRENCY);
    or_default(&options->retries, DEFAULT_RETRIES);
    or_default(&options->retry_delay_ms, DEFAULT_DELAY_MS);
    if (options->max_bytes == 0) options->max_bytes = DEFAULT_BYTES;
    if (options->page_bytes == 0) options->page_bytes = DEFAULT_PAGE_BYTES;
    if (options->page_bytes > options->max_bytes / 2) options->page_bytes = options->max_bytes / 2;
    if (given->cql) options->concurrency = 1;
}

static corm_status copy_text(base_arena *arena, const char **text, corm_error *err) {
    if (!*text) return CORM_OK;
    *text = base__arena_str(arena, corm_str_of(*text)).data;
    return *text ? CORM_OK : base__fail_memory(err);
}

static corm_status copy_request(corm_stream *stream, const corm_stream_options *given,
                                corm_error *err) {
    stream->request = given->request;
    stream->request.payload = NULL;
    stream->request.payload_count = 0;
    stream->request.no_read_ahead = true;
    CORM_TRY(copy_text(&stream->arena, &stream->request.keyspace, err));
    CORM_TRY(copy_text(&stream->arena, &stream->request.profile, err));
    return copy_text(&stream->arena, &stream->request.host, err);
}

static corm_status make_cursors(corm_stream *stream, corm_error *err) {
    uint32_t count = stream->options.workers ? stream->options.workers : 1;
    stream->lanes = BASE_NEW_ARRAY(&stream->arena, stream_lane, stream->options.concurrency);
    stream->cursors = BASE_NEW_ARRAY(&stream->arena, stream_cursor, count);
    if (!stream->lanes || !stream->cursors) return base__fail_memory(err);
    for (uint32_t i = 0; i < stream->options.concurrency; i++) stream->lanes[i].stream = stream;
    for (uint32_t i = 0; i < count; i++) {
        stream->cursors[i].stream = stream;
        stream->cursors[i].worker = i;
    }
    return CORM_OK;
}

static corm_status fill(corm_stream *stream, const corm_stream_options *given, corm_error *err) {
    set_options(stream, given);
    stream->ready_end = &stream->ready;
    CORM_TRY(copy_request(stream, given, err));
    CORM_TRY(make_cursors(stream, err));
    return stream__open_source(stream, given, err);
}

static corm_status open_stream(corm_session *session, corm_db *db, const corm_stream_options *given,
                               corm_stream **out, corm_error *err) {
    orm_model *model = NULL;
    CORM_TRY(session__check_open(session, err));
    CORM_TRY(check(session, given, err));
    if (db && given->model) CORM_TRY(orm__model(db, given->model, &model, err));
    corm_stream *stream = calloc(1, sizeof *stream);
    if (!stream) return base__fail_memory(err);
    stream->session = session;
    stream->model = model;
    corm_status status = stream__gate_init(&stream->gate, session, err);
    if (status != CORM_OK) {
        free(stream);
        return status;
    }
    status = fill(stream, given, err);
    if (status != CORM_OK) {
        corm_stream_free(stream);
        return status;
    }
    *out = stream;
    return CORM_OK;
}

corm_status corm_stream_open_with(corm_db *db, const corm_stream_options *options,
                                  corm_stream **out) {
    *out = NULL;
    return open_stream(db->session, db, options, out, options->error);
}

corm_status corm_stream_session_with(corm_session *session, const corm_stream_options *options,
                                     corm_stream **out) {
    *out = NULL;
    return open_stream(session, NULL, options, out, options->error);
}

void corm_stream_free(corm_stream *stream) {
    if (!stream) return;
    uint32_t cursors = stream->options.workers ? stream->options.workers : 1;
    if (stream->lanes) stream__drain(stream);
    for (uint32_t i = 0; stream->cursors && i < cursors; i++) {
        stream__cursor_free(&stream->cursors[i]);
    }
    corm_statement_free(stream->statement);
    corm_prepared_free(stream->prepared);
    scan__free_pieces(&stream->pieces);
    stream__gate_free(&stream->gate);
    base__arena_free(&stream->arena);
    free(stream);
}

/* ---- running ---- */

static corm_status begin(corm_stream *stream, corm_error *err) {
    CORM_TRY(stream__may_wait(stream->session, err));
    stream__lock(&stream->gate);
    bool running = stream->running;
    if (!running) {
        stream->running = true;
        stream->failure = CORM_OK;
        atomic_fetch_and(&stream->control, ~(unsigned)STREAM_STOPPED);
        stream->began_ns = base__clock_mono_ns();
    }
    stream__unlock(&stream->gate);
    if (!running) return CORM_OK;
    return base__fail(err, CORM_WOULD_DEADLOCK, "the stream is running: this is its callback");
}

static void leave(corm_stream *stream) {
    stream__lock(&stream->gate);
    stream->run_ns += base__clock_mono_ns() - stream->began_ns;
    stream->running = false;
    stream__unlock(&stream->gate);
}

static void *work(void *context) {
    stream_cursor *cursor = context;
    cursor->error = (corm_error){ 0 };
    cursor->status = stream__deliver(cursor, &cursor->error);
    if (cursor->status != CORM_OK) stream__stop(cursor->stream, cursor->status, &cursor->error);
    return NULL;
}

/* What ended it: a failure, which may be another thread's, or being cancelled. */
static corm_status outcome(corm_stream *stream, corm_error *err) {
    if (stream->failure != CORM_OK) {
        if (err) *err = stream->error;
        return stream->failure;
    }
    if (!(atomic_load(&stream->control) & STREAM_CANCELLED)) return CORM_OK;
    return base__fail(err, CORM_CANCELLED, "the stream was cancelled");
}

static corm_status run_workers(corm_stream *stream, corm_error *err) {
    uint32_t started = 0;
    for (; started < stream->options.workers; started++) {
        stream_cursor *cursor = &stream->cursors[started];
        if (pthread_create(&cursor->thread, NULL, work, cursor) == 0) continue;
        corm_error why = { 0 };
        stream__stop(stream, base__fail_memory(&why), &why);
        break;
    }
    for (uint32_t i = 0; i < started; i++) pthread_join(stream->cursors[i].thread, NULL);
    return outcome(stream, err);
}

static corm_status run(corm_stream *stream, corm_error *err) {
    if (stream->options.workers > 0) return run_workers(stream, err);
    CORM_TRY(stream__deliver(&stream->cursors[0], err));
    return outcome(stream, err);
}

static void tell_end(corm_stream *stream, corm_status status, const corm_error *error) {
    const corm_stream_options *options = &stream->options;
    corm_stream_stats          stats;
    if (status != CORM_OK) {
        if (options->failed) options->failed(options->context, status, error);
        return;
    }
    if (!options->end) return;
    corm_stream_statistics(stream, &stats);
    options->end(options->context, &stats);
}

corm_status corm_stream_run(corm_stream *stream, corm_error *err) {
    corm_error why = { 0 };
    CORM_TRY(begin(stream, err));
    corm_status status = run(stream, &why);
    leave(stream);
    tell_end(stream, status, &why);
    if (status != CORM_OK && err) *err = why;
    return status;
}

static void tell_once(corm_stream *stream, corm_status status, const corm_error *error) {
    if (stream->ended) return;
    stream->ended = status == CORM_OK;
    tell_end(stream, status, error);
}

corm_status corm_stream_next(corm_stream *stream, void **item, corm_error *err) {
    corm_error why = { 0 };
    *item = NULL;
    if (stream->options.workers > 0) {
        return base__fail(err, CORM_INVALID_ARGUMENT, "a stream with workers has no next row");
    }
    CORM_TRY(begin(stream, err));
    corm_status status = stream__step(&stream->cursors[0], item, &why);
    leave(stream);
    if (status != CORM_OK || !*item) tell_once(stream, status, &why);
    if (status != CORM_OK && err) *err = why;
    return status;
}

/* ---- from any thread ---- */

void corm_stream_pause(corm_stream *stream) {
    stream__lock(&stream->gate);
    unsigned before = atomic_fetch_or(&stream->control, STREAM_PAUSED);
    if (!(before & STREAM_PAUSED)) stream->paused_ns = base__clock_mono_ns();
    stream__unlock(&stream->gate);
}

static double seconds_since(int64_t began_ns) {
    return (double)(base__clock_mono_ns() - began_ns) / 1e9;
}

void corm_stream_resume(corm_stream *stream) {
    stream__lock(&stream->gate);
    unsigned before = atomic_fetch_and(&stream->control, ~(unsigned)STREAM_PAUSED);
    if (before & STREAM_PAUSED) stream->stats.paused_seconds += seconds_since(stream->paused_ns);
    stream__wake(&stream->gate);
    stream__unlock(&stream->gate);
}

bool corm_stream_is_paused(const corm_stream *stream) {
    return atomic_load(&stream->control) & STREAM_PAUSED;
}

void corm_stream_cancel(corm_stream *stream) {
    stream__lock(&stream->gate);
    atomic_fetch_or(&stream->control, STREAM_CANCELLED);
    stream__wake(&stream->gate);
    stream__unlock(&stream->gate);
}

static uint64_t delivered_rows(const corm_stream *stream) {
    uint64_t rows = stream->stats.rows;
    uint32_t cursors = stream->options.workers ? stream->options.workers : 1;
    for (uint32_t i = 0; i < cursors; i++) rows += atomic_load(&stream->cursors[i].delivered);
    return rows;
}

void corm_stream_statistics(const corm_stream *constant, corm_stream_stats *out) {
    corm_stream *stream = (corm_stream *)(uintptr_t)constant;
    stream__lock(&stream->gate);
    *out = stream->stats;
    out->rows = delivered_rows(stream);
    out->seconds = (double)stream->run_ns / 1e9;
    if (stream->running) out->seconds += seconds_since(stream->began_ns);
    if (corm_stream_is_paused(stream)) out->paused_seconds += seconds_since(stream->paused_ns);
    out->progress = 1.0 - (double)stream->left / (double)UINT64_MAX;
    stream__unlock(&stream->gate);
    out->rows_per_second = out->seconds > 0 ? (double)out->rows / out->seconds : 0;
}

corm_status corm_stream_checkpoint(corm_stream *stream, char **text, corm_error *err) {
    base_buf out = { 0 };
    stream__lock(&stream->gate);
    scan__put_checkpoint(&stream->pieces, stream->query, &out);
    stream__unlock(&stream->gate);
    *text = (char *)(uintptr_t)base__buf_cstr(&out);
    corm_status status = base__buf_status(&out, err);
    if (status == CORM_OK) return CORM_OK;
    base__buf_free(&out);
    *text = NULL;
    return status;
}
