// SPDX-License-Identifier: MIT
/* conn.c -- a connection's life and death, and sending.
 *
 * Owns the connection's memory until its handles are closed; then every call in flight has failed, the owner hears `closed`,
 * and it is freed. That is never before the loop's closing phase, so whoever holds a connection inside a callback may use it
 * until he returns. The loop's thread. */
#include <stdlib.h>

#include "base/fail.h"
#include "driver/conn_internal.h"

enum { FLUSH_BYTES = 256 * 1024, FEWEST_ORPHANS = 128 };

/* ---- the end ---- */

static void count_end(driver_conn *conn, bool was_ready) {
    if (!conn->figures) return;
    driver__count(was_ready ? &conn->figures->connections_closed : &conn->figures->dial_failures,
                  1);
}

static void orphaned(driver_conn *conn, int32_t more) {
    if (!conn->figures) return;
    atomic_fetch_add_explicit(&conn->figures->orphaned, (unsigned)more, memory_order_relaxed);
}

static void finish(void *context) {
    driver_conn *conn = context;
    conn->options.owner.closed(conn->options.owner.context, conn, conn->error.status, &conn->error);
    driver__tls_end(conn->tls);
    wire__encoder_free(&conn->encoder);
    wire__decoder_free(&conn->decoder);
    driver__streams_free(&conn->streams);
    base__buf_free(&conn->sending);
    base__buf_free(&conn->queued);
    base__buf_free(&conn->keyspace);
    free(conn);
}

static void fail_calls(driver_conn *conn) {
    uint32_t     at = 0;
    driver_call *call;
    while ((call = driver__streams_drain(&conn->streams, &at))) {
        call->conn = NULL;
        call->done(call, conn->error.status, NULL, &conn->error);
    }
}

static void on_handle_closed(uv_handle_t *handle) {
    driver_conn *conn = handle->data;
    if (--conn->handles > 0) return;
    fail_calls(conn);
    driver__io_put(conn->io, finish, conn);
}

void driver__conn_fail(driver_conn *conn, const corm_error *err) {
    if (driver__conn_is_closed(conn)) return;
    (void)base__fail(&conn->error, err->status, "%s:%u: %s", conn->options.address.text,
                     conn->options.address.port, err->message);
    count_end(conn, conn->state == DRIVER_READY);
    orphaned(conn, -(int32_t)conn->streams.orphans);
    conn->state = DRIVER_CLOSED;
    driver__conn_make_clean(conn);
    driver__gather_stop(conn);
    uv_close((uv_handle_t *)&conn->timer, on_handle_closed);
    uv_close((uv_handle_t *)&conn->tcp, on_handle_closed);
}

void driver__conn_close(driver_conn *conn, corm_status status, const char *reason) {
    corm_error err;
    (void)base__fail(&err, status, "%s", reason);
    driver__conn_fail(conn, &err);
}

static uint32_t most_orphans(const driver_conn *conn) {
    uint32_t quarter = conn->limit / 4;
    return quarter < FEWEST_ORPHANS ? FEWEST_ORPHANS : quarter;
}

static bool has_too_many_orphans(const driver_conn *conn) {
    return conn->streams.orphans > most_orphans(conn);
}

static void end_if_drained(driver_conn *conn) {
    if (conn->state == DRIVER_READY && driver__conn_in_flight(conn) > 0) return;
    if (has_too_many_orphans(conn)) {
        driver__conn_close(conn, CORM_TIMEOUT, "too many requests were never answered");
    } else {
        driver__conn_close(conn, CORM_CLOSED, "the connection was drained");
    }
}

void driver__conn_drain(driver_conn *conn) {
    conn->draining = true;
    end_if_drained(conn);
}

void driver__conn_settle(driver_conn *conn) {
    if (driver__conn_in_flight(conn) == 0) {
        conn->idle_since_ns = driver__io_now_ns(conn->io);
        if (conn->draining) end_if_drained(conn);
    }
    if (!conn->full || !driver__conn_is_ready(conn) || conn->streams.in_flight >= conn->limit) {
        return;
    }
    conn->full = false;
    if (conn->options.owner.room) conn->options.owner.room(conn->options.owner.context, conn);
}

/* ---- the beginning ---- */

static void init_handles(driver_conn *conn) {
    (void)uv_tcp_init(conn->options.loop, &conn->tcp); /* makes no socket yet: cannot fail */
    (void)uv_timer_init(conn->options.loop, &conn->timer);
    conn->tcp.data = conn->timer.data = conn;
    conn->handles = 2;
}

corm_status driver__conn_open(const driver_conn_options *options, driver_conn **out,
                              corm_error *err) {
    driver_conn *conn = calloc(1, sizeof *conn);
    if (!conn) return base__fail_memory(err);
    corm_status status = driver__io_get(options->loop, &conn->io, err);
    if (status != CORM_OK) {
        free(conn);
        return status;
    }
    conn->options = *options;
    conn->figures = options->figures;
    conn->limit = options->settings->options.pool.requests_per_connection;
    if (conn->limit == 0 || conn->limit > DRIVER_MOST_STREAMS || options->register_events) {
        conn->limit = DRIVER_MOST_STREAMS; /* the control connection's few are not the user's */
    }
    wire__encoder_init(&conn->encoder, options->version, false);
    wire__decoder_init(&conn->decoder, options->settings->options.max_frame_bytes);
    init_handles(conn);
    uv_update_time(options->loop); /* the caller's loop may have slept outside of uv_run */
    driver__connect_timer_start(conn);
    if (conn->figures) driver__count(&conn->figures->dials, 1);
    *out = conn;
    driver__dial(conn);
    return CORM_OK;
}

void driver__conn_now_ready(driver_conn *conn) {
    conn->state = DRIVER_READY;
    conn->idle_since_ns = driver__io_now_ns(conn->io);
    driver__heartbeat_start(conn);
    conn->options.owner.ready(conn->options.owner.context, conn);
}

/* ---- sending ---- */

static corm_status refuse_state(const driver_conn *conn, corm_error *err) {
    if (driver__conn_is_closed(conn)) {
        return base__fail(err, CORM_IO, "the connection is closed: %s", conn->error.message);
    }
    return base__fail(err, CORM_IO, "%s:%u: the connection %s", conn->options.address.text,
                      conn->options.address.port, conn->draining ? "is drained" : "is not ready");
}

static corm_status refuse_full(driver_conn *conn, corm_error *err) {
    conn->full = true;
    return base__fail(err, CORM_OVERLOADED, "%s:%u: %u requests are in flight on the connection",
                      conn->options.address.text, conn->options.address.port,
                      conn->streams.in_flight);
}

corm_status driver__conn_start(driver_conn *conn, driver_call *call, uint8_t flags,
                               wire_opcode opcode, base_buf **body, corm_error *err) {
    int32_t stream = driver__streams_take(&conn->streams, call);
    if (stream < 0) {
        if (conn->streams.capacity < DRIVER_MOST_STREAMS) return base__fail_memory(err);
        return refuse_full(conn, err);
    }
    call->conn = conn;
    call->stream = (int16_t)stream;
    *body = wire__encoder_begin(&conn->encoder, flags, call->stream, opcode);
    return CORM_OK;
}

corm_status driver__conn_begin(driver_conn *conn, driver_call *call, uint8_t flags,
                               wire_opcode opcode, base_buf **body, corm_error *err) {
    if (conn->state != DRIVER_READY || conn->draining) return refuse_state(conn, err);
    if (conn->streams.in_flight >= conn->limit) return refuse_full(conn, err);
    return driver__conn_start(conn, call, flags, opcode, body, err);
}

static void undo(driver_conn *conn, driver_call *call) {
    driver__streams_undo(&conn->streams, (uint16_t)call->stream);
    call->conn = NULL;
    if (conn->full || conn->draining) driver__conn_make_dirty(conn);
}

corm_status driver__conn_end(driver_conn *conn, driver_call *call, corm_error *err) {
    corm_status status = wire__encoder_end(&conn->encoder, err);
    if (status != CORM_OK) {
        undo(conn, call);
        return status;
    }
    call->sent_ns = driver__io_now_ns(conn->io);
    if (!conn->dirty_link) driver__conn_make_dirty(conn);
    if (conn->encoder.out.len > FLUSH_BYTES) driver__conn_flush(conn);
    return CORM_OK;
}

void driver__conn_drop(driver_conn *conn, driver_call *call) {
    wire__encoder_cancel(&conn->encoder);
    undo(conn, call);
}

void driver__conn_abandon(driver_call *call) {
    driver_conn *conn = call->conn;
    if (!conn) return;
    call->conn = NULL;
    driver__streams_orphan(&conn->streams, (uint16_t)call->stream);
    if (driver__conn_is_closed(conn)) return;
    orphaned(conn, 1);
    if (has_too_many_orphans(conn)) conn->draining = true;
    if (conn->full || conn->draining)
        driver__conn_make_dirty(conn); /* settled with the next write */
}

/* ---- what it is ---- */

bool driver__conn_is_ready(const driver_conn *conn) {
    return conn->state == DRIVER_READY && !conn->draining;
}

uint8_t driver__conn_version(const driver_conn *conn) {
    return conn->options.version;
}

uint8_t driver__conn_offered_version(const driver_conn *conn) {
    return conn->offered_version;
}

uint32_t driver__conn_in_flight(const driver_conn *conn) {
    return conn->streams.in_flight - driver__heartbeat_is_out(conn);
}

uint32_t driver__conn_orphans(const driver_conn *conn) {
    return conn->streams.orphans;
}

uint64_t driver__conn_idle_since_ns(const driver_conn *conn) {
    return conn->idle_since_ns;
}

uint64_t driver__conn_now_ns(const driver_conn *conn) {
    return driver__io_now_ns(conn->io);
}

const driver_address *driver__conn_address(const driver_conn *conn) {
    return &conn->options.address;
}

const driver_sharding *driver__conn_sharding(const driver_conn *conn) {
    return &conn->sharding;
}

corm_str driver__conn_keyspace(const driver_conn *conn) {
    return base__buf_str(&conn->keyspace);
}

corm_status driver__conn_set_keyspace(driver_conn *conn, corm_str keyspace, corm_error *err) {
    base__buf_clear(&conn->keyspace);
    base__buf_put_str(&conn->keyspace, keyspace);
    return base__buf_status(&conn->keyspace, err);
}
