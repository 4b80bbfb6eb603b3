// SPDX-License-Identifier: MIT
/* conn.c -- a client's connection: begun, read from, closed.
 *
 * Owns its socket and codecs. Calls under way keep the struct beyond its socket. Its loop's thread. */
#include <stdlib.h>
#include <unistd.h>

#include "server/core.h"

/* ---- the end ---- */

static void free_conn(server_conn *conn) {
    server__tls_end(conn);
    base__buf_free(&conn->sealed);
    wire__decoder_free(&conn->decoder);
    wire__encoder_free(&conn->encoder);
    base__buf_free(&conn->sending);
    free(conn->role);
    free((void *)(uintptr_t)conn->visitor.startup.data);
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
    conn->active_ms = uv_now(&conn->loop->loop);
    if (conn->ending) server__conn_touch(conn);
    server__conn_unref(conn);
}

static void count_down(server_conn *conn) {
    atomic_fetch_sub(&conn->loop->conn_count, 1);
    atomic_fetch_sub(&conn->server->connections, 1);
}

static void unlink_conn(server_conn *conn) {
    *conn->link = conn->next;
    if (conn->next) conn->next->link = conn->link;
    count_down(conn);
}

void server__conn_drop(server_conn *conn) {
    count_down(conn);
    close(conn->fd);
    free(conn);
}

void server__conn_close(server_conn *conn) {
    if (conn->closing) return;
    conn->closing = true;
    engine__visitor_remove(conn->server->store, &conn->visitor);
    unlink_conn(conn);
    uv_close((uv_handle_t *)&conn->tcp, on_closed);
    server__call_next(conn);
}

void server__conn_end(server_conn *conn) {
    if (conn->closing || conn->ending) return;
    conn->ending = true;
    server__conn_read(conn, false);
    server__conn_touch(conn);
}

/* ---- reading ---- */

/* Bytes that make no frames end the connection, and it is told why: what goes out is whole still. */
static void break_off(server_conn *conn, const corm_error *err) {
    server__count(&conn->loop->refused);
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
    server_loop *loop = ((server_conn *)handle)->loop;
    (void)suggested;
    *buf = uv_buf_init((char *)loop->input, sizeof loop->input);
}

/* Whether what a connection begins with is of the kind that this server speaks. */
static bool is_kind(server_conn *conn, corm_bytes bytes) {
    if (conn->version > 0 || (conn->tls && conn->began)) return true;
    conn->began = true;
    bool is_hello = server__tls_is_hello(bytes);
    if (is_hello == (conn->tls != NULL)) return true;
    if (is_hello)
        server__tls_decline(conn);
    else
        server__refuse_plain(conn, bytes);
    return false;
}

static void take(server_conn *conn, corm_bytes bytes) {
    if (!is_kind(conn, bytes)) return;
    if (conn->tls && !server__tls_read(conn, bytes, &bytes)) return;
    if (conn->version == 0 && !server__first_bytes(conn, bytes)) return;
    wire__decoder_feed(&conn->decoder, bytes.data, bytes.len);
    read_frames(conn);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf) {
    server_conn *conn = (server_conn *)stream;
    if (count == 0 || conn->closing) return;
    if (count < 0) {
        server__conn_close(conn);
        return;
    }
    conn->active_ms = uv_now(stream->loop);
    take(conn, (corm_bytes){ (const uint8_t *)buf->base, (size_t)count });
    if (server__conn_unread(conn) > server__options(conn)->max_unread_bytes)
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
    const corm_server_options *options = server__options(conn);
    look_whether_bytes_move(conn, now_ms);
    bool is_busy = conn->calls > 0 || conn->writing;
    if (is_over(now_ms, conn->moved_ms, options->slow_ms) ||
        (!conn->ready && is_over(now_ms, conn->opened_ms, options->handshake_ms)) ||
        (!is_busy && is_over(now_ms, conn->active_ms, options->idle_ms))) {
        server__conn_close(conn);
    }
}

/* ---- the beginning ---- */

/* Gives the port. */
static uint16_t read_address(const struct sockaddr_storage *from, corm_inet *out) {
    if (from->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)from;
        memcpy(out->bytes, &in->sin_addr, out->length = 4);
        return ntohs(in->sin_port);
    }
    const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)from;
    bool                       is_v4 = IN6_IS_ADDR_V4MAPPED(&in->sin6_addr);
    out->length = is_v4 ? 4 : 16;
    memcpy(out->bytes, (const uint8_t *)&in->sin6_addr + (is_v4 ? 12 : 0), out->length);
    return ntohs(in->sin6_port);
}

/* The address that the client dialled, and its own. */
static void set_addresses(server_conn *conn) {
    struct sockaddr_storage address;
    int                     len = sizeof address;
    engine_client          *client = &conn->client;
    if (uv_tcp_getsockname(&conn->tcp, (struct sockaddr *)&address, &len) == 0) {
        read_address(&address, &client->address);
        client->port = conn->server->port;
    }
    len = sizeof address;
    if (uv_tcp_getpeername(&conn->tcp, (struct sockaddr *)&address, &len) == 0)
        client->peer_port = read_address(&address, &client->peer);
}

void server__conn_show(server_conn *conn) {
    engine_visitor *visitor = &conn->visitor;
    visitor->address = conn->client.peer;
    visitor->port = conn->client.peer_port;
    visitor->version = conn->version;
    visitor->role = conn->client.role;
    if (conn->tls) {
        visitor->tls_cipher = SSL_get_cipher_name(conn->tls);
        visitor->tls_version = SSL_get_version(conn->tls);
    }
    engine__visitor_add(conn->server->store, visitor);
}

static void link_conn(server_conn *conn) {
    server_loop *loop = conn->loop;
    conn->link = &loop->conns;
    conn->next = loop->conns;
    if (conn->next) conn->next->link = &conn->next;
    loop->conns = conn;
}

static void init(server_conn *conn) {
    wire__decoder_init(&conn->decoder, server__options(conn)->max_message_bytes);
    wire__encoder_init(&conn->encoder, 5, true);
    conn->opened_ms = conn->active_ms = conn->moved_ms = uv_now(&conn->loop->loop);
    conn->write.data = conn;
    conn->refs = 1;
    uv_tcp_init(&conn->loop->loop, &conn->tcp);
    link_conn(conn);
}

void server__conn_begin(server_conn *conn) {
    server__loop_refresh(conn->loop);
    init(conn);
    if (uv_tcp_open(&conn->tcp, conn->fd) != 0) {
        close(conn->fd);
        server__conn_close(conn);
        return;
    }
    if (!server__tls_begin(conn)) {
        server__conn_close(conn);
        return;
    }
    uv_tcp_nodelay(&conn->tcp, 1);
    set_addresses(conn);
    server__conn_read(conn, true);
}
