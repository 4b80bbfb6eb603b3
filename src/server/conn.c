// SPDX-License-Identifier: MIT
/* conn.c -- a client's connection: accepted, read from, closed.
 *
 * Owns its socket and codecs. Calls under way keep the struct beyond its socket. The loop's thread. */
#include <stdlib.h>

#include "server/core.h"

/* ---- the end ---- */

static void free_conn(server_conn *conn) {
    wire__decoder_free(&conn->decoder);
    wire__encoder_free(&conn->encoder);
    base__buf_free(&conn->sending);
    free(conn);
}

void server__conn_unref(server_conn *conn) {
    if (--conn->refs == 0) free_conn(conn);
}

static void on_closed(uv_handle_t *handle) {
    server__conn_unref((server_conn *)handle);
}

void server__conn_call(server_conn *conn) {
    conn->calls++;
    conn->refs++;
}

void server__conn_called(server_conn *conn) {
    conn->calls--;
    conn->active_ms = uv_now(&conn->server->loop);
    if (conn->ending) server__conn_touch(conn);
    server__conn_unref(conn);
}

static void unlink_conn(server_conn *conn) {
    corm_server *server = conn->server;
    *conn->link = conn->next;
    if (conn->next) conn->next->link = conn->link;
    server->conn_count--;
    atomic_store_explicit(&server->connections, server->conn_count, memory_order_relaxed);
}

void server__conn_close(server_conn *conn) {
    if (conn->closing) return;
    conn->closing = true;
    unlink_conn(conn);
    uv_close((uv_handle_t *)&conn->tcp, on_closed);
}

void server__conn_end(server_conn *conn) {
    if (conn->closing || conn->ending) return;
    conn->ending = true;
    server__conn_read(conn, false);
    server__conn_touch(conn);
}

/* ---- reading ---- */

/* Bytes that make no frames end the connection; without segments it can still be told why. */
static void break_off(server_conn *conn, const corm_error *err) {
    server__count(&conn->server->refused);
    if (conn->decoder.segmented) {
        server__conn_close(conn);
        return;
    }
    server__say_error(conn, 0, err->status, err->message);
    server__conn_end(conn);
}

static void read_frames(server_conn *conn) {
    wire_frame frame;
    corm_error err;
    bool       got = true;
    while (!conn->closing && !conn->ending) {
        if (wire__decoder_next(&conn->decoder, &frame, &got, &err) != CORM_OK) {
            break_off(conn, &err);
            return;
        }
        if (!got) return;
        server__frame(conn, &frame);
    }
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf) {
    corm_server *server = ((server_conn *)handle)->server;
    (void)suggested;
    *buf = uv_buf_init((char *)server->input, sizeof server->input);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf) {
    server_conn *conn = (server_conn *)stream;
    if (count == 0 || conn->closing) return;
    if (count < 0) {
        server__conn_close(conn);
        return;
    }
    corm_bytes bytes = { (const uint8_t *)buf->base, (size_t)count };
    conn->active_ms = uv_now(stream->loop);
    if (conn->version == 0 && !server__first_bytes(conn, bytes)) return;
    wire__decoder_feed(&conn->decoder, bytes.data, bytes.len);
    read_frames(conn);
    if (server__conn_unread(conn) > conn->server->options.max_unread_bytes)
        server__conn_read(conn, false);
}

void server__conn_read(server_conn *conn, bool on) {
    if (conn->reading == on || conn->closing || (on && conn->ending)) return;
    conn->reading = on;
    if (!on) {
        uv_read_stop((uv_stream_t *)&conn->tcp);
    } else if (uv_read_start((uv_stream_t *)&conn->tcp, on_alloc, on_read) != 0) {
        server__conn_close(conn);
    }
}

/* ---- the clock ---- */

static bool is_over(uint64_t now_ms, uint64_t since_ms, uint32_t limit_ms) {
    return limit_ms > 0 && now_ms - since_ms > limit_ms;
}

static void look_whether_bytes_move(server_conn *conn, uint64_t now_ms) {
    size_t unsent = uv_stream_get_write_queue_size((uv_stream_t *)&conn->tcp);
    if (unsent != conn->unsent || unsent == 0) conn->moved_ms = now_ms;
    conn->unsent = unsent;
}

void server__conn_tick(server_conn *conn, uint64_t now_ms) {
    const corm_server_options *options = &conn->server->options;
    look_whether_bytes_move(conn, now_ms);
    bool is_busy = conn->calls > 0 || conn->writing;
    if (is_over(now_ms, conn->moved_ms, options->slow_ms) ||
        (!conn->ready && is_over(now_ms, conn->opened_ms, options->handshake_ms)) ||
        (!is_busy && is_over(now_ms, conn->active_ms, options->idle_ms))) {
        server__conn_close(conn);
    }
}

/* ---- the beginning ---- */

/* The address that the client dialled. */
static void set_address(server_conn *conn) {
    struct sockaddr_storage address;
    int                     len = sizeof address;
    engine_client          *client = &conn->client;
    if (uv_tcp_getsockname(&conn->tcp, (struct sockaddr *)&address, &len) != 0) return;
    if (address.ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)&address;
        memcpy(client->address.bytes, &in->sin_addr, client->address.length = 4);
    } else {
        const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)&address;
        bool                       is_v4 = IN6_IS_ADDR_V4MAPPED(&in->sin6_addr);
        client->address.length = is_v4 ? 4 : 16;
        memcpy(client->address.bytes, (const uint8_t *)&in->sin6_addr + (is_v4 ? 12 : 0),
               client->address.length);
    }
    client->port = conn->server->port;
}

static void link_conn(server_conn *conn) {
    corm_server *server = conn->server;
    conn->link = &server->conns;
    conn->next = server->conns;
    if (conn->next) conn->next->link = &conn->next;
    server->conns = conn;
    server->conn_count++;
    atomic_store_explicit(&server->connections, server->conn_count, memory_order_relaxed);
    server__count(&server->accepted);
}

static void begin(server_conn *conn) {
    corm_server *server = conn->server;
    wire__decoder_init(&conn->decoder, server->options.max_message_bytes);
    wire__encoder_init(&conn->encoder, 5, true);
    conn->opened_ms = conn->active_ms = conn->moved_ms = uv_now(&server->loop);
    conn->write.data = conn;
    conn->refs = 1;
    link_conn(conn);
}

void server__accept(uv_stream_t *listener, int status) {
    corm_server *server = listener->data;
    if (status != 0) return;
    server_conn *conn = calloc(1, sizeof *conn);
    server->accept_waits = !conn;
    if (!conn) return;
    uv_tcp_init(&server->loop, &conn->tcp);
    conn->server = server;
    begin(conn);
    bool is_over_limit = server->conn_count > server->options.max_connections;
    if (is_over_limit) server__count(&server->refused);
    if (uv_accept(listener, (uv_stream_t *)&conn->tcp) != 0 || is_over_limit) {
        server__conn_close(conn);
        return;
    }
    uv_tcp_nodelay(&conn->tcp, 1);
    set_address(conn);
    server__conn_read(conn, true);
}

void server__accept_again(corm_server *server) {
    if (server->accept_waits && !server->stopping)
        server__accept((uv_stream_t *)&server->listener, 0);
}
