// SPDX-License-Identifier: MIT
/* conn_write.c -- what is queued on a connection goes to the socket, with one system call a turn of the loop (io.c says when).
 *
 *   encoder ─► sending ─► socket            plain
 *   encoder ─► clear ─► queued ─► sending   TLS; its handshake goes to `queued` directly
 *
 * While the socket takes no more, messages gather in the encoder. The loop's thread. */
#include "base/fail.h"
#include "driver/conn_internal.h"

enum { KEPT_BYTES = 1024 * 1024 }; /* a buffer that has grown beyond is given back */

void driver__conn_make_dirty(driver_conn *conn) {
    if (conn->dirty_link || driver__conn_is_closed(conn)) return;
    driver_io *io = conn->io;
    conn->next_dirty = io->dirty;
    conn->dirty_link = &io->dirty;
    if (io->dirty) io->dirty->dirty_link = &conn->next_dirty;
    io->dirty = conn;
}

void driver__conn_make_clean(driver_conn *conn) {
    if (!conn->dirty_link) return;
    *conn->dirty_link = conn->next_dirty;
    if (conn->next_dirty) conn->next_dirty->dirty_link = conn->dirty_link;
    conn->dirty_link = NULL;
}

static void sent_all(driver_conn *conn) {
    if (conn->figures) driver__count(&conn->figures->bytes_sent, conn->sending.len);
    base__buf_clear(&conn->sending);
    if (conn->sending.cap > KEPT_BYTES) base__buf_free(&conn->sending);
}

static void fail(driver_conn *conn, int failed) {
    driver__conn_close(conn, CORM_IO, uv_strerror(failed));
}

static void on_written(uv_write_t *write, int failed) {
    driver_conn *conn = write->data;
    if (driver__conn_is_closed(conn)) return;
    if (failed) {
        fail(conn, failed);
        return;
    }
    conn->writing = false;
    sent_all(conn);
    driver__conn_make_dirty(conn); /* for what has gathered */
}

static void write_rest(driver_conn *conn, size_t from) {
    uv_buf_t rest = { (char *)conn->sending.data + from, conn->sending.len - from };
    conn->write.data = conn;
    int failed = uv_write(&conn->write, (uv_stream_t *)&conn->tcp, &rest, 1, on_written);
    if (failed) {
        fail(conn, failed);
    } else {
        conn->writing = true;
    }
}

static void write_all(driver_conn *conn) {
    uv_buf_t all = { (char *)conn->sending.data, conn->sending.len };
    int      sent = uv_try_write((uv_stream_t *)&conn->tcp, &all, 1);
    if (sent >= 0 && (size_t)sent == all.len) {
        sent_all(conn);
    } else if (sent >= 0 || sent == UV_EAGAIN) {
        write_rest(conn, sent > 0 ? (size_t)sent : 0);
    } else {
        fail(conn, sent);
    }
}

/* ---- what is to be sent ---- */

static void swap(base_buf *a, base_buf *b) {
    base_buf t = *a;
    *a = *b;
    *b = t;
}

static corm_status encrypt(driver_conn *conn, corm_error *err) {
    base_buf   *clear = &conn->io->clear;
    corm_status status = wire__encoder_take(&conn->encoder, clear, err);
    if (status == CORM_OK && clear->len > 0) {
        status = driver__tls_write(conn->tls, clear->data, clear->len, &conn->queued, err);
    }
    base__buf_clear(clear);
    return status;
}

static corm_status gather(driver_conn *conn, corm_error *err) {
    if (!conn->tls) return wire__encoder_take(&conn->encoder, &conn->sending, err);
    if (!wire__encoder_is_empty(&conn->encoder)) CORM_TRY(encrypt(conn, err));
    CORM_TRY(base__buf_status(&conn->queued, err));
    swap(&conn->queued, &conn->sending);
    return CORM_OK;
}

void driver__conn_flush(driver_conn *conn) {
    if (driver__conn_is_closed(conn)) return;
    if (!conn->writing) {
        corm_error  err;
        corm_status status = gather(conn, &err);
        if (status != CORM_OK) {
            driver__conn_fail(conn, &err);
            return;
        }
        if (conn->sending.len > 0) write_all(conn);
    }
    if (conn->full || conn->draining) driver__conn_settle(conn);
}
