// SPDX-License-Identifier: MIT
/* deliver.c -- the rows of pages through filter, transform and data. A cursor is one thread's; it keeps its place when a callback
 * fails, and goes on behind that row. */
#include <stdlib.h>

#include "base/fail.h"
#include "orm/hook.h"
#include "stream/core.h"

/* With workers and an order, rows are prepared at the same time, and delivered when it is the page's turn. */
static bool prepares(const corm_stream *stream) {
    return stream->options.ordered && stream->options.workers > 0;
}

/* ---- a page begins ---- */

static corm_status read_structs(stream_cursor *cursor, corm_error *err) {
    corm_stream *stream = cursor->stream;
    CORM_TRY(orm__rows_new(stream->model, &cursor->rows, err));
    cursor->rows->filters = stream->filters;
    cursor->rows->filter_count = stream->filter_count;
    corm_result *result = cursor->page->result;
    cursor->page->result = NULL;
    corm_status status = orm__rows_add(cursor->rows, NULL, result, err);
    if (status == CORM_OK && orm__hooked(stream->model)) {
        status = orm__page_hooked(cursor->rows, err);
    }
    if (status != CORM_OK) return status;
    cursor->count = cursor->rows->count;
    return CORM_OK;
}

static corm_status begin_page(stream_cursor *cursor, corm_error *err) {
    cursor->at = 0;
    cursor->is_prepared = cursor->is_begun = false;
    cursor->row = NULL;
    cursor->count = cursor->page->rows;
    if (cursor->stream->model) CORM_TRY(read_structs(cursor, err));
    cursor->is_begun = true;
    return CORM_OK;
}

static corm_status end_page(stream_cursor *cursor, corm_error *err) {
    corm_stream      *stream = cursor->stream;
    corm_stream_batch batch = { .size = atomic_load(&cursor->delivered),
                                .read = cursor->page->rows,
                                .bytes = cursor->page->bytes,
                                .worker = cursor->worker };
    cursor->row = NULL;
    corm_rows_free(cursor->rows);
    cursor->rows = NULL;
    stream__finish(cursor, &batch.number);
    if (!stream->options.batch || batch.read == 0) return CORM_OK;
    return stream->options.batch(stream->options.context, &batch, err);
}

/* ---- a row ---- */

static void *item_at(stream_cursor *cursor, uint32_t at) {
    if (cursor->rows) return corm_rows_at(cursor->rows, at);
    cursor->row = corm_result_next(cursor->page->result);
    return (void *)(uintptr_t)cursor->row;
}

static corm_status make_room(stream_cursor *cursor, size_t bytes, corm_error *err) {
    if (bytes <= cursor->out_bytes) return CORM_OK;
    uint8_t *out = realloc(cursor->out, bytes);
    if (!out) return base__fail_memory(err);
    cursor->out = out;
    cursor->out_bytes = bytes;
    return CORM_OK;
}

/* *item NULL: the filter does not want it. `out` is where a transform makes another. */
static corm_status prepare_item(const corm_stream *stream, void **item, uint8_t *out,
                                corm_error *err) {
    const corm_stream_options *options = &stream->options;
    if (options->filter && !options->filter(options->context, *item)) {
        *item = NULL;
        return CORM_OK;
    }
    if (!options->transform) return CORM_OK;
    if (options->out_size > 0) memset(out, 0, options->out_size);
    CORM_TRY(options->transform(options->context, *item, out, err));
    if (options->out_size > 0) *item = out;
    return CORM_OK;
}

/* ---- pages whose rows are prepared first ---- */

static corm_status prepare_page(stream_cursor *cursor, corm_error *err) {
    const corm_stream *stream = cursor->stream;
    size_t             size = stream->options.out_size;
    CORM_TRY(make_room(cursor, size * cursor->count, err));
    if (cursor->count > cursor->wanted_count) {
        uint8_t *wanted = realloc(cursor->wanted, cursor->count);
        if (!wanted) return base__fail_memory(err);
        cursor->wanted = wanted;
        cursor->wanted_count = cursor->count;
    }
    while (cursor->at < cursor->count) {
        uint32_t at = cursor->at++;
        void    *item = item_at(cursor, at);
        cursor->wanted[at] = 0;
        CORM_TRY(prepare_item(stream, &item, size > 0 ? cursor->out + at * size : NULL, err));
        cursor->wanted[at] = item != NULL;
    }
    cursor->at = 0;
    cursor->is_prepared = true;
    if (!cursor->rows) corm_result_rewind(cursor->page->result);
    return CORM_OK;
}

static void *prepared_item(stream_cursor *cursor, uint32_t at) {
    size_t size = cursor->stream->options.transform ? cursor->stream->options.out_size : 0;
    void  *item = item_at(cursor, at);
    if (!cursor->wanted[at]) return NULL;
    return size > 0 ? cursor->out + at * size : item;
}

static bool wait_for_turn(stream_cursor *cursor) {
    corm_stream *stream = cursor->stream;
    stream__lock(&stream->gate);
    while (stream->turn != cursor->page->ticket &&
           !(atomic_load(&stream->control) & (STREAM_CANCELLED | STREAM_STOPPED))) {
        stream__wait(&stream->gate, 0);
    }
    bool mine = stream->turn == cursor->page->ticket;
    stream__unlock(&stream->gate);
    return mine;
}

static void pass_turn(corm_stream *stream) {
    stream__lock(&stream->gate);
    stream->turn++;
    stream__wake(&stream->gate);
    stream__unlock(&stream->gate);
}

/* ---- rows one behind the other ---- */

/* The next row of the page that is wanted; NULL: there is none. */
static corm_status next_item(stream_cursor *cursor, void **item, corm_error *err) {
    *item = NULL;
    while (!*item && cursor->at < cursor->count) {
        uint32_t at = cursor->at++;
        if (cursor->is_prepared) {
            *item = prepared_item(cursor, at);
            continue;
        }
        *item = item_at(cursor, at);
        CORM_TRY(prepare_item(cursor->stream, item, cursor->out, err));
    }
    if (!*item) return CORM_OK;
    uint32_t delivered = atomic_load_explicit(&cursor->delivered, memory_order_relaxed);
    atomic_store_explicit(&cursor->delivered, delivered + 1, memory_order_relaxed);
    return CORM_OK;
}

static corm_status deliver_rows(stream_cursor *cursor, bool *whole, corm_error *err) {
    corm_stream *stream = cursor->stream;
    for (;;) {
        void *item;
        *whole = false;
        if (!stream__go_on(stream)) return CORM_OK;
        CORM_TRY(next_item(cursor, &item, err));
        *whole = item == NULL;
        if (!item) return CORM_OK;
        if (stream->options.data) {
            CORM_TRY(stream->options.data(stream->options.context, item, err));
        }
    }
}

static corm_status deliver_page(stream_cursor *cursor, bool *whole, corm_error *err) {
    corm_stream *stream = cursor->stream;
    bool         in_turn = prepares(stream);
    *whole = false;
    if (in_turn && !cursor->is_prepared) CORM_TRY(prepare_page(cursor, err));
    if (in_turn && !wait_for_turn(cursor)) return CORM_OK;
    if (!in_turn) CORM_TRY(make_room(cursor, stream->options.out_size, err));
    CORM_TRY(deliver_rows(cursor, whole, err));
    if (!*whole) return CORM_OK;
    corm_status status = end_page(cursor, err);
    if (in_turn) pass_turn(stream);
    return status;
}

/* The bytes of a page that could not be made into structs are gone: its rows are never left out silently. */
static corm_status check_page(const stream_cursor *cursor, corm_error *err) {
    if (cursor->is_begun) return CORM_OK;
    return base__fail(
        err, CORM_INVALID,
        "a page could not be made into structs before; a new stream with .resume reads it again");
}

static corm_status take_page(stream_cursor *cursor, bool *more, corm_error *err) {
    *more = true;
    if (cursor->page) return check_page(cursor, err);
    CORM_TRY(stream__take(cursor->stream, &cursor->page, err));
    *more = cursor->page != NULL;
    return *more ? begin_page(cursor, err) : CORM_OK;
}

corm_status stream__deliver(stream_cursor *cursor, corm_error *err) {
    bool more, whole = true;
    while (whole) {
        CORM_TRY(take_page(cursor, &more, err));
        if (!more) return CORM_OK;
        CORM_TRY(deliver_page(cursor, &whole, err));
    }
    return CORM_OK;
}

corm_status stream__step(stream_cursor *cursor, void **item, corm_error *err) {
    bool more;
    *item = NULL;
    CORM_TRY(make_room(cursor, cursor->stream->options.out_size, err));
    for (;;) {
        CORM_TRY(take_page(cursor, &more, err));
        if (!more) return CORM_OK;
        if (!stream__go_on(cursor->stream)) {
            return base__fail(err, CORM_CANCELLED, "the stream was cancelled");
        }
        CORM_TRY(next_item(cursor, item, err));
        if (*item) return CORM_OK;
        CORM_TRY(end_page(cursor, err));
    }
}

void stream__cursor_free(stream_cursor *cursor) {
    if (cursor->page) {
        corm_result_free(cursor->page->result);
        free(cursor->page->state);
        free(cursor->page);
    }
    corm_rows_free(cursor->rows);
    free(cursor->out);
    free(cursor->wanted);
}
