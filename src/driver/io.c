// SPDX-License-Identifier: MIT
/* io.c -- what the connections of one loop share.
 *
 *   timers ─► before: write ─► wait, then callbacks of sockets and other threads ─► after: write ─► closing
 *
 * What callbacks of the wait have queued is written right behind it, what timers and the world outside of uv_run have queued
 * right before it. Both handles run always and do not hold the loop. Found again among the loop's handles, so that
 * nothing global is needed. */
#include "driver/io.h"

#include <stdlib.h>

#include "base/fail.h"
#include "driver/conn_internal.h"

static void flush(driver_io *io) {
    while (io->dirty) {
        driver_conn *conn = io->dirty;
        driver__conn_make_clean(conn);
        driver__conn_flush(conn);
    }
    io->now_ns = 0;
}

static void on_before(uv_prepare_t *handle) {
    flush(handle->data);
}

static void on_after(uv_check_t *handle) {
    driver_io *io = handle->data;
    io->turn++;
    flush(io);
}

static void find(uv_handle_t *handle, void *context) {
    driver_io **found = context;
    if (handle->type != UV_PREPARE || uv_is_closing(handle)) return;
    if (((uv_prepare_t *)handle)->prepare_cb == on_before) *found = handle->data;
}

static void start(driver_io *io, uv_loop_t *loop) {
    (void)uv_prepare_init(loop, &io->before); /* none of these can fail */
    (void)uv_check_init(loop, &io->after);
    (void)uv_timer_init(loop, &io->quiet);
    io->before.data = io->after.data = io->quiet.data = io;
    (void)uv_prepare_start(&io->before, on_before);
    (void)uv_check_start(&io->after, on_after);
    uv_unref((uv_handle_t *)&io->before);
    uv_unref((uv_handle_t *)&io->after);
    uv_unref((uv_handle_t *)&io->quiet);
    io->handles = 3;
}

corm_status driver__io_get(uv_loop_t *loop, driver_io **out, corm_error *err) {
    driver_io *io = NULL;
    uv_walk(loop, find, &io);
    if (!io) {
        io = calloc(1, sizeof *io);
        uint8_t *received = malloc(DRIVER_RECEIVE_BYTES);
        if (!io || !received) {
            free(io);
            free(received);
            return base__fail_memory(err);
        }
        io->received = received;
        start(io, loop);
    }
    io->refs++;
    *out = io;
    return CORM_OK;
}

static void on_closed(uv_handle_t *handle) {
    driver_io *io = handle->data;
    if (--io->handles > 0) return;
    void (*released)(void *) = io->released;
    void *context = io->context;
    base__buf_free(&io->plain);
    base__buf_free(&io->clear);
    free(io->received);
    free(io);
    released(context);
}

void driver__io_put(driver_io *io, void (*released)(void *context), void *context) {
    if (--io->refs > 0) {
        released(context);
        return;
    }
    io->released = released;
    io->context = context;
    uv_close((uv_handle_t *)&io->before, on_closed);
    uv_close((uv_handle_t *)&io->after, on_closed);
    uv_close((uv_handle_t *)&io->quiet, on_closed);
}
