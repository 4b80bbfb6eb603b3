// SPDX-License-Identifier: MIT
/* conn_read.c -- bytes of the socket to answers, and each answer to the one who waits for it.
 *
 * All connections of a loop receive into one buffer; frames are read in it, in place, before it is used again. A `done` may close
 * the connection: nothing is read from it then. The loop's thread. */
#include "base/fail.h"
#include "driver/conn_internal.h"

enum { KEPT_BYTES = 1024 * 1024 };

static void on_event(driver_conn *conn, const wire_frame *frame) {
    wire_prefix prefix;
    wire_event  event;
    corm_error  err;
    corm_status status = wire__prefix_read(frame, &prefix, &err);
    if (status == CORM_OK) status = wire__event_read(prefix.message, &event, &err);
    if (status == CORM_UNSUPPORTED) return; /* of a kind to come */
    if (status != CORM_OK) {
        driver__conn_fail(conn, &err);
    } else if (conn->options.register_events && conn->options.owner.event) {
        conn->options.owner.event(conn->options.owner.context, conn, &event);
    }
}

/* A server that cannot read a request may not know its stream. */
static void on_no_stream(driver_conn *conn, const wire_frame *frame) {
    corm_bytes message;
    if (frame->opcode == WIRE_OP_EVENT) {
        on_event(conn, frame);
    } else if (driver__handshake_goes_on(conn, CORM_OK, frame, &message)) {
        driver__handshake_unexpected(conn, frame, "no request");
    }
}

static void on_late(driver_conn *conn) {
    if (!conn->figures) return;
    driver__count(&conn->figures->late_answers, 1);
    atomic_fetch_sub_explicit(&conn->figures->orphaned, 1, memory_order_relaxed);
}

static void on_nobodys(driver_conn *conn, const wire_frame *frame) {
    corm_error err;
    (void)base__fail(&err, CORM_PROTOCOL_ERROR,
                     "an answer on stream %d, which no request waits for", frame->stream);
    driver__conn_fail(conn, &err);
}

static void dispatch(driver_conn *conn, const wire_frame *frame) {
    if (frame->version != conn->options.version || !frame->response) {
        driver__handshake_other_version(conn, frame);
        return;
    }
    if (frame->stream < 0) {
        on_no_stream(conn, frame);
        return;
    }
    bool         orphan;
    driver_call *call = driver__streams_answer(&conn->streams, (uint16_t)frame->stream, &orphan);
    if (call) {
        call->conn = NULL;
        call->done(call, CORM_OK, frame, NULL);
    } else if (orphan) {
        on_late(conn);
    } else {
        on_nobodys(conn, frame);
    }
}

static void receive(driver_conn *conn, const uint8_t *data, size_t len) {
    wire_frame frame;
    corm_error err;
    bool       got = true;
    wire__decoder_feed(&conn->decoder, data, len);
    while (got && !driver__conn_is_closed(conn)) {
        if (wire__decoder_next(&conn->decoder, &frame, &got, &err) != CORM_OK) {
            driver__conn_fail(conn, &err);
        } else if (got) {
            conn->gather.seen_answers++;
            driver__streams_prefetch(&conn->streams, wire__decoder_peek(&conn->decoder));
            dispatch(conn, &frame);
        }
    }
    if (!driver__conn_is_closed(conn)) driver__conn_settle(conn);
}

/* ---- TLS ---- */

static void on_refused(driver_conn *conn, const corm_error *err) {
    driver__conn_flush(conn); /* the alert that says why */
    driver__conn_fail(conn, err);
}

static void decrypt(driver_conn *conn, const uint8_t *data, size_t len) {
    base_buf  *plain = &conn->io->plain;
    bool       established = false;
    bool       closed = false;
    corm_error err;
    base__buf_clear(plain);
    corm_status status =
        driver__tls_read(conn->tls, data, len, plain, &conn->queued, &established, &closed, &err);
    if (conn->queued.len > 0) driver__conn_make_dirty(conn);
    if (status == CORM_OK && established && conn->state == DRIVER_SECURING) {
        driver__handshake_begin(conn);
    }
    if (plain->len > 0) receive(conn, plain->data, plain->len);
    if (plain->cap > KEPT_BYTES) base__buf_free(plain);
    if (status != CORM_OK) {
        on_refused(conn, &err);
    } else if (closed) {
        driver__conn_close(conn, CORM_IO, "the node closed the connection");
    }
}

void driver__conn_secure(driver_conn *conn) {
    corm_error err;
    conn->state = DRIVER_SECURING;
    if (driver__tls_begin(conn->options.tls, &conn->options.address, &conn->tls, &err) != CORM_OK) {
        driver__conn_fail(conn, &err);
    } else {
        decrypt(conn, NULL, 0);
    }
}

/* ---- the socket ---- */

static void on_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buf) {
    driver_conn *conn = handle->data;
    (void)suggested;
    *buf = uv_buf_init((char *)conn->io->received, DRIVER_RECEIVE_BYTES);
}

static void on_end(driver_conn *conn, int failed) {
    driver__conn_close(conn, CORM_IO,
                       failed == UV_EOF ? "the node closed the connection" : uv_strerror(failed));
}

static void on_bytes(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf) {
    driver_conn *conn = stream->data;
    if (got <= 0) {
        if (got < 0) on_end(conn, (int)got);
        return;
    }
    conn->received_ms = uv_now(stream->loop);
    conn->io->now_ns = 0;
    if (conn->figures) driver__count(&conn->figures->bytes_received, (uint64_t)got);
    if (conn->tls) {
        decrypt(conn, (const uint8_t *)buf->base, (size_t)got);
    } else {
        receive(conn, (const uint8_t *)buf->base, (size_t)got);
    }
    if (!driver__conn_is_closed(conn)) driver__gather_received(conn, (size_t)got);
}

void driver__conn_start_reading(driver_conn *conn) {
    int failed = uv_read_start((uv_stream_t *)&conn->tcp, on_buffer, on_bytes);
    if (failed) driver__conn_close(conn, CORM_IO, uv_strerror(failed));
}
