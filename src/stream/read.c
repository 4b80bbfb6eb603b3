// SPDX-License-Identifier: MIT
/* read.c -- pages: asked for as the bounds allow, kept until a cursor takes them, noted when they were delivered.
 *
 * Requests are started by the threads that take pages; answers come on threads of the session and only join the list of pages. The lock is
 * given back while a request starts: its answer may come before that has returned. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/fail.h"
#include "stream/core.h"

enum { FIRST_ROWS = 100, MOST_DELAY_MS = 10000 };

/* ---- bounds ---- */

/* A page of the usual rows would not be larger than page_bytes. */
static uint32_t rows_to_ask(const corm_stream *stream) {
    uint32_t most = stream->options.batch_size;
    if (stream->row_bytes == 0) return most < FIRST_ROWS ? most : FIRST_ROWS;
    size_t fit = stream->options.page_bytes / stream->row_bytes;
    if (fit < 1) fit = 1;
    return fit < most ? (uint32_t)fit : most;
}

static size_t bytes_to_expect(const corm_stream *stream, uint32_t rows) {
    return stream->row_bytes == 0 ? stream->options.page_bytes : rows * stream->row_bytes;
}

/* The piece that everybody waits for has nothing under way. */
static bool is_awaited(const corm_stream *stream, const stream_lane *lane) {
    if (!stream->options.ordered || lane->piece != stream->head) return false;
    for (const stream_page *page = stream->ready; page; page = page->next) {
        if (page->piece == lane->piece) return false;
    }
    return true;
}

static bool is_within_bounds(const corm_stream *stream, const stream_lane *lane) {
    const corm_stream_stats *stats = &stream->stats;
    uint32_t                 rows = rows_to_ask(stream);
    size_t                   bytes = bytes_to_expect(stream, rows);
    if (stats->bytes_in_flight == 0 && stats->rows_in_flight == 0) return true;
    if (is_awaited(stream, lane)) return true;
    if (stats->bytes_in_flight + bytes > stream->options.max_bytes) return false;
    return stream->options.max_rows == 0 ||
           stats->rows_in_flight + rows <= stream->options.max_rows;
}

static void add_flight(corm_stream *stream, size_t bytes, uint64_t rows) {
    corm_stream_stats *stats = &stream->stats;
    stats->bytes_in_flight += bytes;
    stats->rows_in_flight += rows;
    if (stats->bytes_in_flight > stats->bytes_in_flight_peak) {
        stats->bytes_in_flight_peak = stats->bytes_in_flight;
    }
    if (stats->rows_in_flight > stats->rows_in_flight_peak) {
        stats->rows_in_flight_peak = stats->rows_in_flight;
    }
}

static void remove_flight(corm_stream *stream, size_t bytes, uint64_t rows) {
    stream->stats.bytes_in_flight -= bytes;
    stream->stats.rows_in_flight -= rows;
}

static void reserve(stream_lane *lane) {
    corm_stream *stream = lane->stream;
    uint32_t     rows = rows_to_ask(stream);
    lane->reserved_rows = rows;
    lane->reserved_bytes = bytes_to_expect(stream, rows);
    add_flight(stream, lane->reserved_bytes, rows);
}

static void release(stream_lane *lane) {
    remove_flight(lane->stream, lane->reserved_bytes, lane->reserved_rows);
    lane->reserved_bytes = 0;
    lane->reserved_rows = 0;
}

/* ---- answers ---- */

static void free_page(stream_page *page) {
    if (!page) return;
    corm_result_free(page->result);
    free(page->state);
    free(page);
}

static bool copy_state(corm_bytes state, uint8_t **out, size_t *len) {
    *out = NULL;
    *len = state.len;
    if (state.len == 0) return true;
    *out = malloc(state.len);
    if (*out) memcpy(*out, state.data, state.len);
    return *out != NULL;
}

/* NULL: memory is exhausted. */
static stream_page *new_page(const stream_lane *lane, corm_result *result) {
    stream_page *page = calloc(1, sizeof *page);
    if (!page) return NULL;
    if (!copy_state(corm_result_paging_state(result), &page->state, &page->state_len)) {
        free(page);
        return NULL;
    }
    page->piece = lane->piece;
    page->number = lane->number;
    page->result = result;
    page->rows = corm_result_row_count(result);
    page->bytes = result->answer.body.len;
    page->last = !corm_result_has_more(result);
    return page;
}

static void learn_row_bytes(corm_stream *stream, const stream_page *page) {
    if (page->rows == 0) return;
    size_t usual = (size_t)(stream->stats.bytes / stream->stats.read) + 1;
    size_t here = page->bytes / page->rows + 1;
    stream->row_bytes = usual > here ? usual : here;
}

static void add_page(stream_lane *lane, stream_page *page) {
    corm_stream *stream = lane->stream;
    stream->stats.pages++;
    stream->stats.bytes += page->bytes;
    stream->stats.read += page->rows;
    learn_row_bytes(stream, page);
    add_flight(stream, page->bytes, page->rows);
    lane->number++;
    lane->attempts = 0;
    if (page->last) lane->has_piece = false;
    *stream->ready_end = page;
    stream->ready_end = &page->next;
}

/* What a page behind this one begins with. */
static bool move_on(stream_lane *lane, const stream_page *page) {
    uint8_t *state;
    size_t   len;
    if (!copy_state((corm_bytes){ page->state, page->state_len }, &state, &len)) return false;
    free(lane->state);
    lane->state = state;
    lane->state_len = len;
    return true;
}

static void fail_run(corm_stream *stream, corm_status status, const corm_error *error) {
    if (stream->failure != CORM_OK) return;
    stream->failure = status;
    stream->error = *error;
}

static bool may_help(corm_status status) {
    return corm_status_is_retryable(status) || status == CORM_IO || status == CORM_TIMEOUT;
}

static void note_failure(stream_lane *lane, corm_status status, const corm_error *error) {
    corm_stream               *stream = lane->stream;
    const corm_stream_options *options = &stream->options;
    lane->error = *error;
    if (options->no_retry || lane->attempts >= options->retries || !may_help(status)) {
        lane->attempts = 0;
        fail_run(stream, status, error);
        return;
    }
    uint64_t delay = (uint64_t)options->retry_delay_ms
                     << (lane->attempts < 20 ? lane->attempts : 20);
    if (delay > MOST_DELAY_MS) delay = MOST_DELAY_MS;
    lane->attempts++;
    lane->not_before_ns = base__clock_mono_ns() + (int64_t)delay * 1000000;
    stream->stats.retries++;
}

static void on_answer(void *context, corm_status status, corm_result *result,
                      const corm_error *error) {
    stream_lane *lane = context;
    corm_stream *stream = lane->stream;
    corm_error   why = { 0 };
    stream_page *page = status == CORM_OK ? new_page(lane, result) : NULL;
    if (error) why = *error;
    if (page && !move_on(lane, page)) {
        page->result = NULL;
        free_page(page);
        page = NULL;
    }
    if (!page && status == CORM_OK) {
        corm_result_free(result);
        status = base__fail_memory(&why);
    }
    stream__lock(&stream->gate);
    release(lane);
    if (page) {
        add_page(lane, page);
    } else {
        note_failure(lane, status, &why);
    }
    lane->busy = false;
    stream->under_way--;
    stream__wake(&stream->gate);
    stream__unlock(&stream->gate);
}

/* ---- asking ---- */

static corm_status start(stream_lane *lane, uint32_t rows, corm_task **task, corm_error *err) {
    corm_stream      *stream = lane->stream;
    const scan_piece *piece = &stream->pieces.items[lane->piece];
    uint8_t           from[8], to[8];
    base__store_u64(from, (uint64_t)piece->start);
    base__store_u64(to, (uint64_t)piece->end);
    const cql_value      tokens[] = { { from, sizeof from }, { to, sizeof to } };
    session_request      request = { 0 };
    corm_request_options options = stream->request;
    options.page_size = (int32_t)rows;
    corm_status status = session__request_options(stream->session, &options, &request, err);
    if (status == CORM_OK) {
        session__request_execute(&request, stream->prepared,
                                 stream->by_token ? tokens : stream->statement->values);
        request.wire.options.has_token = stream->by_token;
        request.wire.options.token = piece->end;
        if (lane->state_len > 0) {
            request.wire.options.paging_state = (corm_bytes){ lane->state, lane->state_len };
        }
        *task = session__task_run(stream->session, CORM_OK, &request, true, on_answer, lane, err);
        if (!*task) status = base__fail_memory(err);
    }
    session__request_drop(&request);
    return status;
}

static void tell_retry(const stream_lane *lane) {
    const corm_stream_options *options = &lane->stream->options;
    if (lane->attempts > 0 && options->retrying) {
        options->retrying(options->context, lane->attempts, &lane->error);
    }
}

/* Under the lock, which is given back meanwhile. */
static void ask(stream_lane *lane) {
    corm_stream *stream = lane->stream;
    corm_error   err = { 0 };
    corm_task   *task = NULL, *before = lane->task;
    lane->task = NULL;
    lane->starting = lane->busy = true;
    stream->under_way++;
    reserve(lane);
    uint32_t rows = (uint32_t)lane->reserved_rows;
    stream__unlock(&stream->gate);
    corm_task_free(before);
    tell_retry(lane);
    corm_status status = start(lane, rows, &task, &err);
    stream__lock(&stream->gate);
    lane->task = task;
    lane->starting = false;
    if (status == CORM_OK) return;
    lane->busy = false;
    stream->under_way--;
    release(lane);
    fail_run(stream, status, &err);
}

/* Unordered lanes begin far from each other, since neighbours are on the same nodes. */
static uint32_t piece_at(const corm_stream *stream, uint32_t at) {
    uint32_t lanes = stream->options.concurrency, count = stream->pieces.count;
    if (stream->options.ordered) return at;
    uint32_t part = count / lanes + (count % lanes != 0);
    return at % lanes * part + at / lanes;
}

static uint32_t places(const corm_stream *stream) {
    uint32_t lanes = stream->options.concurrency, count = stream->pieces.count;
    if (stream->options.ordered) return count;
    return (count / lanes + (count % lanes != 0)) * lanes;
}

static void skip_places(corm_stream *stream) {
    while (stream->next_piece < places(stream) &&
           piece_at(stream, stream->next_piece) >= stream->pieces.count) {
        stream->next_piece++;
    }
}

/* Where a resumed piece begins is copied, since the piece's own state changes when pages are delivered. */
static bool take_piece(stream_lane *lane) {
    corm_stream *stream = lane->stream;
    skip_places(stream);
    if (stream->next_piece >= places(stream)) return false;
    uint32_t          index = piece_at(stream, stream->next_piece);
    const scan_piece *piece = &stream->pieces.items[index];
    free(lane->state);
    if (!copy_state((corm_bytes){ piece->state, piece->state_len }, &lane->state,
                    &lane->state_len)) {
        corm_error err;
        fail_run(stream, base__fail_memory(&err), &err);
        return false;
    }
    stream->next_piece++;
    lane->piece = index;
    lane->number = 0;
    lane->has_piece = true;
    return true;
}

static bool may_ask(stream_lane *lane, int64_t now, int64_t *until) {
    if (lane->busy || lane->starting || lane->stream->failure != CORM_OK) return false;
    if (!lane->has_piece && !take_piece(lane)) return false;
    if (lane->attempts > 0 && lane->not_before_ns > now) {
        if (*until == 0 || lane->not_before_ns < *until) *until = lane->not_before_ns;
        return false;
    }
    if (is_within_bounds(lane->stream, lane)) return true;
    lane->stream->stats.held_back++;
    return false;
}

/* Whether something was asked for. *until: when to look again, 0 when there is no such time. */
static bool ask_more(corm_stream *stream, int64_t *until) {
    bool    asked = false;
    int64_t now = base__clock_mono_ns();
    *until = 0;
    for (uint32_t i = 0; i < stream->options.concurrency; i++) {
        if (!may_ask(&stream->lanes[i], now, until)) continue;
        ask(&stream->lanes[i]);
        asked = true;
    }
    return asked;
}

/* ---- taking ---- */

static bool is_over(corm_stream *stream) {
    skip_places(stream);
    if (stream->ready || stream->under_way > 0 || stream->next_piece < places(stream)) return false;
    for (uint32_t i = 0; i < stream->options.concurrency; i++) {
        if (stream->lanes[i].has_piece || stream->lanes[i].starting) return false;
    }
    return true;
}

static stream_page *unlink_page(corm_stream *stream, stream_page **link) {
    stream_page *page = *link;
    *link = page->next;
    if (!*link) stream->ready_end = link;
    page->next = NULL;
    return page;
}

/* In order only pages of the first piece that is not at its end. */
static stream_page *pop(corm_stream *stream) {
    stream_page **link = &stream->ready;
    while (stream->options.ordered && *link && (*link)->piece != stream->head)
        link = &(*link)->next;
    if (!*link) return NULL;
    stream_page *page = unlink_page(stream, link);
    page->ticket = stream->tickets++;
    if (stream->options.ordered && page->last) stream->head++;
    return page;
}

static corm_status cancelled(corm_error *err) {
    return base__fail(err, CORM_CANCELLED, "the stream was cancelled");
}

/* Under the lock. */
static corm_status take(corm_stream *stream, stream_page **out, corm_error *err) {
    int64_t until;
    for (;;) {
        unsigned control = atomic_load(&stream->control);
        if (control & STREAM_CANCELLED) return cancelled(err);
        if (control & STREAM_STOPPED) return CORM_OK;
        if (control & STREAM_PAUSED) {
            stream__wait(&stream->gate, 0);
            continue;
        }
        *out = pop(stream);
        bool asked = ask_more(stream, &until);
        if (*out) return CORM_OK;
        if (asked) continue;
        if (stream->failure != CORM_OK) {
            if (err) *err = stream->error;
            return stream->failure;
        }
        if (is_over(stream)) return CORM_OK;
        stream__wait(&stream->gate, until);
    }
}

corm_status stream__take(corm_stream *stream, stream_page **out, corm_error *err) {
    *out = NULL;
    stream__lock(&stream->gate);
    corm_status status = take(stream, out, err);
    stream__unlock(&stream->gate);
    return status;
}

bool stream__go_on(corm_stream *stream) {
    unsigned control = atomic_load_explicit(&stream->control, memory_order_relaxed);
    if (control == 0) return true;
    stream__lock(&stream->gate);
    while (atomic_load(&stream->control) == STREAM_PAUSED) stream__wait(&stream->gate, 0);
    bool on = atomic_load(&stream->control) == 0;
    stream__unlock(&stream->gate);
    return on;
}

/* ---- the end of a page ---- */

static void mark_seen(corm_stream *stream, stream_page *page) {
    scan_piece *piece = &stream->pieces.items[page->piece];
    stream->seen[page->piece]++;
    free(piece->state);
    piece->state = page->last ? NULL : page->state;
    piece->state_len = page->last ? 0 : page->state_len;
    if (!page->last) page->state = NULL;
    if (page->last) {
        piece->done = true;
        stream->left -= scan__width(piece);
    }
    free_page(page);
}

/* The page that was delivered early and is the next of its piece. */
static stream_page *next_early(corm_stream *stream, uint32_t piece) {
    for (stream_page **link = &stream->early; *link; link = &(*link)->next) {
        stream_page *page = *link;
        if (page->piece != piece || page->number != stream->seen[piece]) continue;
        *link = page->next;
        return page;
    }
    return NULL;
}

void stream__finish(stream_cursor *cursor, uint64_t *number) {
    corm_stream *stream = cursor->stream;
    stream_page *page = cursor->page;
    uint32_t     piece = page->piece;
    corm_result_free(page->result);
    page->result = NULL;
    stream__lock(&stream->gate);
    uint32_t delivered = atomic_exchange(&cursor->delivered, 0);
    cursor->page = NULL;
    remove_flight(stream, page->bytes, page->rows);
    stream->stats.rows += delivered;
    stream->stats.filtered += page->rows - delivered;
    if (page->rows > 0) *number = ++stream->stats.batches;
    page->next = stream->early;
    stream->early = page;
    while ((page = next_early(stream, piece)) != NULL) mark_seen(stream, page);
    stream__wake(&stream->gate);
    stream__unlock(&stream->gate);
}

void stream__stop(corm_stream *stream, corm_status status, const corm_error *error) {
    stream__lock(&stream->gate);
    fail_run(stream, status, error);
    atomic_fetch_or(&stream->control, STREAM_STOPPED);
    stream__wake(&stream->gate);
    stream__unlock(&stream->gate);
}

/* ---- giving up ---- */

static void free_pages(stream_page *page) {
    while (page) {
        stream_page *next = page->next;
        free_page(page);
        page = next;
    }
}

void stream__drain(corm_stream *stream) {
    stream__lock(&stream->gate);
    for (uint32_t i = 0; i < stream->options.concurrency; i++) {
        corm_task *task = stream->lanes[i].task;
        if (!task) continue;
        stream__unlock(&stream->gate);
        corm_task_cancel(task);
        stream__lock(&stream->gate);
    }
    while (stream->under_way > 0) stream__wait(&stream->gate, 0);
    stream__unlock(&stream->gate);
    for (uint32_t i = 0; i < stream->options.concurrency; i++) {
        corm_task_free(stream->lanes[i].task);
        free(stream->lanes[i].state);
    }
    free_pages(stream->ready);
    free_pages(stream->early);
}
