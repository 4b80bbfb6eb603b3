// SPDX-License-Identifier: MIT
/* fake_conn.c -- a connection to a fake node: bytes in and out, frames from them.
 *
 * Owns its socket, codecs and what waits to be written. The fake's thread. */
#include "testing/fake.h"

#include <arpa/inet.h>
#include <stdlib.h>

/* Bytes that the socket has not taken yet. */
typedef struct write_job {
    uv_write_t request; /* first */
    size_t     len;
    uint8_t    data[];
} write_job;

/* ---- opening and closing ---- */

static void free_conn(fake_conn *conn) {
    wire__decoder_free(&conn->decoder);
    wire__encoder_free(&conn->encoder);
    fake__tls_free(conn->tls);
    base__buf_free(&conn->tail);
    free((char *)(uintptr_t)conn->keyspace.data);
    free(conn);
}

static void on_closed(uv_handle_t *handle) {
    free_conn((fake_conn *)handle);
}

/* With a reset, as a node that was killed, or so that what was said last still arrives. */
static void close_socket(fake_conn *conn) {
    if (!conn->polite && uv_tcp_close_reset(&conn->tcp, on_closed) == 0) return;
    uv_close((uv_handle_t *)conn, on_closed);
}

static void on_timer_closed(uv_handle_t *handle) {
    close_socket(handle->data);
}

static void unlink_conn(fake_conn *conn) {
    *conn->link = conn->next;
    if (conn->next) conn->next->link = conn->link;
    conn->node->counts.open_connections--;
}

void fake__conn_close(fake_conn *conn) {
    if (conn->closing) return;
    conn->closing = true;
    unlink_conn(conn);
    fake__answers_drop(conn);
    uv_read_stop((uv_stream_t *)&conn->tcp);
    if (conn->has_timer)
        uv_close((uv_handle_t *)&conn->tail_timer, on_timer_closed);
    else
        close_socket(conn);
}

/* ---- reading ---- */

static void read_frames(fake_conn *conn) {
    wire_frame frame;
    corm_error err;
    bool       got = false;
    while (!conn->closing) {
        if (wire__decoder_next(&conn->decoder, &frame, &got, &err) != CORM_OK) {
            fake__conn_close(conn);
            return;
        }
        if (!got) return;
        if (!fake__handshake(conn, &frame)) fake__request(conn, &frame);
    }
}

void fake__conn_input(fake_conn *conn, const uint8_t *data, size_t len) {
    wire__decoder_feed(&conn->decoder, data, len);
    read_frames(conn);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf) {
    fake_conn *conn = (fake_conn *)handle;
    (void)suggested;
    *buf = uv_buf_init((char *)conn->input, sizeof conn->input);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf) {
    fake_conn *conn = (fake_conn *)stream;
    if (count == 0 || conn->closing) return;
    if (count < 0) {
        fake__conn_close(conn);
        return;
    }
    conn->node->counts.bytes_read += (uint64_t)count;
    if (!conn->tls) {
        fake__conn_input(conn, (const uint8_t *)buf->base, (size_t)count);
    } else if (!fake__tls_input(conn, (const uint8_t *)buf->base, (size_t)count)) {
        fake__conn_close(conn);
    }
}

void fake__conn_read(fake_conn *conn, bool on) {
    if (on)
        uv_read_start((uv_stream_t *)&conn->tcp, on_alloc, on_read);
    else
        uv_read_stop((uv_stream_t *)&conn->tcp);
}

/* ---- accepting ---- */

static uint16_t peer_port(fake_conn *conn) {
    struct sockaddr_storage address;
    int                     len = sizeof address;
    if (uv_tcp_getpeername(&conn->tcp, (struct sockaddr *)&address, &len) != 0) return 0;
    return ntohs(((struct sockaddr_in *)&address)->sin_port);
}

static void choose_shard(fake_conn *conn, bool by_port) {
    const corm_fake_options *options = &conn->node->fake->options;
    if (options->shards == 0) return;
    if (by_port && !options->nat)
        conn->shard = peer_port(conn) % options->shards;
    else
        conn->shard = conn->node->next_shard++ % options->shards;
}

static void link_conn(fake_conn *conn) {
    fake_node *node = conn->node;
    conn->link = &node->conns;
    conn->next = node->conns;
    if (conn->next) conn->next->link = &conn->next;
    node->conns = conn;
    node->counts.connections++;
    node->counts.open_connections++;
}

void fake__accept(fake_listener *listener) {
    corm_fake_cluster *fake = listener->node->fake;
    fake_conn         *conn = calloc(1, sizeof *conn);
    if (!conn || uv_tcp_init(&fake->loop, &conn->tcp) != 0) {
        free(conn);
        return;
    }
    conn->node = listener->node;
    wire__decoder_init(&conn->decoder, FAKE_MAX_BODY);
    wire__encoder_init(&conn->encoder, fake->options.most_version, true);
    link_conn(conn);
    if (uv_accept((uv_stream_t *)&listener->tcp, (uv_stream_t *)&conn->tcp) != 0 ||
        (fake->tls && !(conn->tls = fake__tls_new(fake->tls)))) {
        fake__conn_close(conn);
        return;
    }
    uv_tcp_nodelay(&conn->tcp, 1);
    choose_shard(conn, listener->for_shards);
    fake__conn_read(conn, true);
}

corm_status fake__conn_use(fake_conn *conn, corm_str keyspace, corm_error *err) {
    char *copy = malloc(keyspace.len + 1);
    if (!copy) return base__fail_memory(err);
    memcpy(copy, keyspace.data, keyspace.len);
    free((char *)(uintptr_t)conn->keyspace.data);
    conn->keyspace = (corm_str){ copy, keyspace.len };
    return CORM_OK;
}

/* ---- writing ---- */

static void on_written(uv_write_t *request, int status) {
    (void)status; /* a broken connection is seen by reading */
    free(request);
}

void fake__conn_write(fake_conn *conn, const void *data, size_t len) {
    write_job *job = len > 0 && !conn->closing ? malloc(sizeof *job + len) : NULL;
    if (!job) return;
    memcpy(job->data, data, len);
    uv_buf_t buf = uv_buf_init((char *)job->data, (unsigned)len);
    if (uv_write(&job->request, (uv_stream_t *)&conn->tcp, &buf, 1, on_written) != 0) free(job);
}

/* Writes what is left of the tail: a piece, and the rest on later turns. */
static void on_tail(uv_timer_t *timer) {
    fake_conn *conn = timer->data;
    size_t     left = conn->tail.len - conn->tail_at;
    size_t     len = left < conn->piece ? left : conn->piece;
    fake__conn_write(conn, conn->tail.data + conn->tail_at, len);
    conn->tail_at += len;
    if (conn->tail_at < conn->tail.len) return;
    base__buf_clear(&conn->tail);
    conn->tail_at = 0;
    uv_timer_stop(timer);
}

/* At most about 64 pieces. */
static void begin_tail(fake_conn *conn, corm_bytes bytes) {
    if (!conn->has_timer) {
        uv_timer_init(&conn->node->fake->loop, &conn->tail_timer);
        conn->tail_timer.data = conn;
        conn->has_timer = true;
    }
    base__buf_put(&conn->tail, bytes.data, bytes.len);
    conn->piece = bytes.len / 64 + 3;
    uv_timer_start(&conn->tail_timer, on_tail, 0, 1);
}

/* Ciphertext or plain bytes, behind what is still in the tail. */
static void put_bytes(fake_conn *conn, corm_bytes bytes, bool split) {
    if (conn->tls) {
        if (!fake__tls_output(conn, bytes.data, bytes.len)) fake__conn_close(conn);
    } else if (conn->tail.len > 0) {
        base__buf_put(&conn->tail, bytes.data, bytes.len);
    } else if (split) {
        begin_tail(conn, bytes);
    } else {
        fake__conn_write(conn, bytes.data, bytes.len);
    }
}

/* A segment's bit, or the version in a bare header, which no client lets pass. */
static void damage(fake_conn *conn, base_buf *bytes) {
    if (!conn->encoder.segmented) {
        bytes->data[0] = 0x7f;
        return;
    }
    size_t at = fake__mix(conn->node->fake->options.seed, conn->node->answers) % bytes->len;
    bytes->data[at] ^= 0x10;
}

static corm_status encode(fake_conn *conn, uint8_t flags, int16_t stream, wire_opcode opcode,
                          corm_bytes body, base_buf *out, corm_error *err) {
    base_buf *to = wire__encoder_begin(&conn->encoder, flags, stream, opcode);
    base__buf_put(to, body.data, body.len);
    CORM_TRY(wire__encoder_end(&conn->encoder, err));
    return wire__encoder_take(&conn->encoder, out, err);
}

void fake__conn_send(fake_conn *conn, uint8_t flags, int16_t stream, wire_opcode opcode,
                     corm_bytes body, fake_delivery how) {
    base_buf   bytes = { 0 };
    corm_error err;
    if (conn->closing) return;
    if (encode(conn, flags, stream, opcode, body, &bytes, &err) != CORM_OK || bytes.len == 0) {
        fake__conn_close(conn);
    } else {
        if (how.damaged) damage(conn, &bytes);
        put_bytes(conn, base__buf_bytes(&bytes), how.split);
    }
    base__buf_free(&bytes);
}
