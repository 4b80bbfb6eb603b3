// SPDX-License-Identifier: MIT
/* client_for_tests.h -- a server over a store in memory, and a client that speaks in frames over a blocking socket. One thread. */
#ifndef SERVER_CLIENT_FOR_TESTS_H
#define SERVER_CLIENT_FOR_TESTS_H

#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "corm/server.h"
#include "testing/check.h"
#include "wire/message.h"

static corm_error err;

/* ---- the server ---- */

typedef struct served {
    corm_session *session;
    corm_server  *server;
} served;

static inline served serve_with(corm_server_options options) {
    served out;
    options.port = CORM_ANY_PORT;
    assert_ok(corm_session_open(&out.session, "corm::memory:", NULL, &err), err);
    assert_ok(corm_server_start(&out.server, out.session, &options, &err), err);
    return out;
}

static inline served serve(void) {
    return serve_with((corm_server_options){ .idle_ms = 0 });
}

static inline void stop(served *all) {
    corm_server_stop(all->server);
    corm_session_close(all->session);
}

static inline corm_server_stats stats_of(const served *all) {
    corm_server_stats stats;
    corm_server_stats_get(all->server, &stats);
    return stats;
}

/* ---- the client ---- */

typedef struct client {
    int          fd;
    wire_decoder decoder;
    wire_encoder encoder;
    uint8_t      input[65536];
    bool         ended; /* the server closed */
    wire_frame   frame; /* the last one read */
} client;

static inline client *client_new(const served *all, uint8_t version) {
    client            *c = calloc(1, sizeof *c);
    struct timeval     patience = { .tv_sec = 60 };
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons(corm_server_port(all->server)) };
    assert_non_null(c);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(c->fd >= 0);
    setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    assert_int_equal(connect(c->fd, (struct sockaddr *)&to, sizeof to), 0);
    wire__decoder_init(&c->decoder, 1 << 30);
    wire__encoder_init(&c->encoder, version, false);
    return c;
}

static inline void client_free(client *c) {
    close(c->fd);
    wire__decoder_free(&c->decoder);
    wire__encoder_free(&c->encoder);
    free(c);
}

/* Whether all was taken; a server that has closed takes nothing. */
static inline bool send_bytes(client *c, const void *data, size_t len) {
    const char *at = data;
    while (len > 0) {
        ssize_t sent = send(c->fd, at, len, MSG_NOSIGNAL);
        if (sent <= 0) return false;
        at += sent;
        len -= (size_t)sent;
    }
    return true;
}

/* Sends what was encoded. */
static inline void send_all(client *c) {
    base_buf out = { 0 };
    assert_ok(wire__encoder_take(&c->encoder, &out, &err), err);
    send_bytes(c, out.data, out.len);
    base__buf_free(&out);
}

static inline void put_message(client *c, int16_t stream, wire_opcode opcode,
                               const base_buf *body) {
    base_buf *out = wire__encoder_begin(&c->encoder, 0, stream, opcode);
    if (body) base__buf_put(out, body->data, body->len);
    assert_ok(wire__encoder_end(&c->encoder, &err), err);
}

/* The next frame into c->frame; false at the end of the connection. */
static inline bool next_frame(client *c) {
    bool got = false;
    while (!c->ended) {
        assert_ok(wire__decoder_next(&c->decoder, &c->frame, &got, &err), err);
        if (got) return true;
        ssize_t count = recv(c->fd, c->input, sizeof c->input, 0);
        c->ended = count <= 0;
        if (count > 0) wire__decoder_feed(&c->decoder, c->input, (size_t)count);
    }
    return false;
}

/* Sends one message and waits for the frame that answers it. */
static inline const wire_frame *ask(client *c, wire_opcode opcode, const base_buf *body) {
    put_message(c, 7, opcode, body);
    send_all(c);
    assert_true(next_frame(c));
    assert_int_equal(c->frame.stream, 7);
    return &c->frame;
}

/* The frame is an ERROR with this status and these words in its text. */
static inline void expect_refusal(const wire_frame *frame, corm_status status, const char *words) {
    wire_error error;
    assert_int_equal(frame->opcode, WIRE_OP_ERROR);
    assert_ok(wire__error_read(frame->body, frame->version, &error, &err), err);
    assert_int_equal(error.code, corm_status_server_code(status));
    char *text = strndup(error.message.data, error.message.len);
    if (!strstr(text, words)) fail_msg("'%s' does not hold '%s'", text, words);
    free(text);
}

static inline void expect_end(client *c) {
    while (next_frame(c)) continue;
    assert_true(c->ended);
}

/* ---- the handshake ---- */

static inline void switch_form(client *c, wire_compression compression) {
    if (c->encoder.version >= 5) {
        wire__encoder_segments(&c->encoder, compression);
        wire__decoder_segments(&c->decoder, compression);
    } else {
        wire__encoder_compression(&c->encoder, compression);
        wire__decoder_compression(&c->decoder, compression);
    }
}

static inline const wire_frame *startup(client *c, const char *compression) {
    wire_pair pairs[] = { { corm_str_of("CQL_VERSION"), corm_str_of("3.0.0") },
                          { corm_str_of("Compression"), corm_str_of(compression) } };
    base_buf  body = { 0 };
    wire__put_startup(&body, pairs, compression ? 2 : 1);
    ask(c, WIRE_OP_STARTUP, &body);
    base__buf_free(&body);
    return &c->frame;
}

/* A connection that is ready. */
static inline client *dial(const served *all, uint8_t version) {
    client *c = client_new(all, version);
    assert_int_equal(startup(c, NULL)->opcode, WIRE_OP_READY);
    switch_form(c, WIRE_PLAIN);
    return c;
}

/* ---- requests ---- */

static wire_prepared_id given_id;

static inline wire_prepared_id id_of(void *context, const wire_prepared *prepared) {
    (void)context;
    (void)prepared;
    return given_id;
}

static inline void put_request(client *c, int16_t stream, const wire_request *request) {
    base_buf *out = wire__encoder_begin(&c->encoder, wire__request_flags(request), stream,
                                        wire__request_opcode(request));
    assert_ok(wire__put_request(out, request, c->encoder.version, id_of, NULL, &err), err);
    assert_ok(wire__encoder_end(&c->encoder, &err), err);
}

static inline const wire_frame *ask_request(client *c, const wire_request *request) {
    put_request(c, 7, request);
    send_all(c);
    assert_true(next_frame(c));
    assert_int_equal(c->frame.stream, 7);
    return &c->frame;
}

static inline wire_request query(const char *text) {
    return (wire_request){ .kind = WIRE_QUERY,
                           .text = corm_str_of(text),
                           .options = { .consistency = WIRE_ONE } };
}

static inline const wire_frame *run(client *c, const char *text) {
    wire_request request = query(text);
    ask_request(c, &request);
    if (c->frame.opcode != WIRE_OP_RESULT) {
        wire_error error;
        assert_ok(wire__error_read(c->frame.body, c->frame.version, &error, &err), err);
        fail_msg("%s: %.*s", text, (int)error.message.len, error.message.data);
    }
    return &c->frame;
}

/* The result in the frame; lives in the arena and as long as the frame. */
static inline wire_result result_of(const wire_frame *frame, base_arena *arena) {
    wire_prefix prefix;
    wire_result result;
    assert_int_equal(frame->opcode, WIRE_OP_RESULT);
    assert_ok(wire__prefix_read(frame, &prefix, &err), err);
    assert_ok(wire__result_read(prefix.message, frame->version, arena, &result, &err), err);
    return result;
}

/* Prepares; the id is that of the next EXECUTE, and lives in the arena. */
static inline wire_result prepare(client *c, const char *text, base_arena *arena) {
    wire_request request = { .kind = WIRE_PREPARE, .text = corm_str_of(text) };
    wire_result  result = result_of(ask_request(c, &request), arena);
    assert_int_equal(result.kind, WIRE_PREPARED);
    given_id.id =
        (corm_bytes){ base__arena_copy(arena, result.id.data, result.id.len), result.id.len };
    given_id.metadata_id =
        (corm_bytes){ base__arena_copy(arena, result.metadata_id.data, result.metadata_id.len),
                      result.metadata_id.len };
    return result;
}

static inline void make_table(client *c) {
    run(c,
        "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}");
    run(c, "USE k");
    run(c, "CREATE TABLE t (a int PRIMARY KEY, b text, d duration)");
    run(c, "INSERT INTO t (a, b, d) VALUES (1, 'x', 1h)");
}

#endif
