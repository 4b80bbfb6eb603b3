// SPDX-License-Identifier: MIT
/* output.c -- bytes to clients: gathered in a connection's encoder while the loop runs callbacks, and sent before it waits, so
 * that what comes together goes together. One write at a time; what is encoded meanwhile goes with the next.
 *
 * Its loop's thread. */
#include "server/core.h"

enum {
    KEPT_BYTES = 32 * 1024, /* a larger buffer is given back when sent: connections are many */
    MOST_AT_ONCE = 1 << 30
};

size_t server__conn_unread(const server_conn *conn) {
    return conn->sending.len - conn->sent + conn->encoder.out.len + conn->sealed.len;
}

void server__conn_touch(server_conn *conn) {
    if (conn->dirty || conn->closing) return;
    conn->dirty = true;
    conn->refs++;
    conn->next_dirty = conn->loop->dirty;
    conn->loop->dirty = conn;
}

static void clear_sending(server_conn *conn) {
    conn->sent = 0;
    if (conn->sending.cap > KEPT_BYTES) base__buf_free(&conn->sending);
    base__buf_clear(&conn->sending);
}

static void send_more(server_conn *conn);
static void write_rest(server_conn *conn);

static unsigned piece_len(const server_conn *conn) {
    size_t left = conn->sending.len - conn->sent;
    return (unsigned)(left < MOST_AT_ONCE ? left : MOST_AT_ONCE);
}

static void on_written(uv_write_t *write, int status) {
    server_conn *conn = write->data;
    conn->writing = false;
    if (status < 0) {
        server__conn_close(conn);
        return;
    }
    conn->sent += conn->piece;
    write_rest(conn);
    send_more(conn);
}

static void write_rest(server_conn *conn) {
    if (conn->sent == conn->sending.len) {
        clear_sending(conn);
        return;
    }
    conn->piece = piece_len(conn);
    uv_buf_t buf = uv_buf_init((char *)conn->sending.data + conn->sent, conn->piece);
    conn->writing = uv_write(&conn->write, (uv_stream_t *)&conn->tcp, &buf, 1, on_written) == 0;
    if (!conn->writing) server__conn_close(conn);
}

/* What the socket takes at once costs no request to the loop. */
static void write_now(server_conn *conn) {
    uv_buf_t buf = uv_buf_init((char *)conn->sending.data, piece_len(conn));
    int      sent = uv_try_write((uv_stream_t *)&conn->tcp, &buf, 1);
    if (sent < 0 && sent != UV_EAGAIN) {
        server__conn_close(conn);
        return;
    }
    conn->sent = sent > 0 ? (size_t)sent : 0;
    write_rest(conn);
}

static bool has_more(const server_conn *conn) {
    return !wire__encoder_is_empty(&conn->encoder) || conn->sealed.len > 0;
}

/* Moves all that there is to `sending`, which is empty. */
static corm_status gather(server_conn *conn, corm_error *err) {
    if (!conn->tls && conn->sealed.len == 0)
        return wire__encoder_take(&conn->encoder, &conn->sending, err);
    if (!wire__encoder_is_empty(&conn->encoder)) CORM_TRY(server__tls_seal(conn, err));
    base_buf empty = conn->sending;
    conn->sending = conn->sealed;
    conn->sealed = empty;
    return base__buf_status(&conn->sending, err);
}

static void send_what_there_is(server_conn *conn) {
    corm_error err;
    if (!has_more(conn)) return;
    if (gather(conn, &err) == CORM_OK)
        write_now(conn);
    else
        server__conn_close(conn);
}

static bool is_done(const server_conn *conn) {
    return conn->calls == 0 && !conn->writing && !has_more(conn);
}

/* The client has taken enough for more to be read and answered. */
static void go_on(server_conn *conn) {
    if (conn->closing || server__conn_unread(conn) > server__options(conn)->max_unread_bytes / 2)
        return;
    server__conn_read(conn, true);
    server__call_next(conn);
}

static void send_more(server_conn *conn) {
    if (conn->closing) return;
    if (!conn->writing) send_what_there_is(conn);
    go_on(conn);
    if (conn->writing) return;
    if (!conn->ending || conn->closing || !is_done(conn)) return;
    if (server__tls_say_end(conn)) send_what_there_is(conn);
    if (!conn->closing && is_done(conn)) server__conn_close(conn);
}

void server__flush(server_loop *loop) {
    while (loop->dirty) {
        server_conn *conn = loop->dirty;
        loop->dirty = conn->next_dirty;
        conn->dirty = false;
        send_more(conn);
        server__conn_unref(conn);
    }
}
