// SPDX-License-Identifier: MIT
/* conn_for_tests.h -- a server on the same loop and thread as the connections that are tested, so that a test decides byte by
 * byte and turn by turn what happens; and an owner that notes what it hears. */
#ifndef DRIVER_CONN_FOR_TESTS_H
#define DRIVER_CONN_FOR_TESTS_H

#include <netinet/in.h>
#include <stdlib.h>

#include "driver/conn_internal.h"
#include "testing/check.h"

/* Where allocations can be made to fail, those of the server and of the test's owner do not. */
#ifdef TESTING_MEMORY_H
#define MEMORY_PAUSE() testing__memory_pause()
#define MEMORY_RESUME() testing__memory_resume()
#else
#define MEMORY_PAUSE() (void)0
#define MEMORY_RESUME() (void)0
#endif

/* ---- the server ---- */

enum { MOST_PEERS = 16 };

typedef struct test_server test_server;

typedef struct test_peer {
    test_server *server; /* NULL: free */
    uv_tcp_t     tcp;
    wire_decoder decoder;
    wire_encoder encoder;
    uint32_t     reads;
    uint16_t     port;   /* of the client */
    void        *secret; /* of the layer between */
} test_peer;

struct test_server {
    uv_loop_t *loop;
    uv_tcp_t   listener;
    uint16_t   port;
    uint32_t   accepted, requests;
    test_peer  peers[MOST_PEERS];
    /* how it behaves */
    const wire_pair *supported;
    uint32_t         supported_count;
    const char      *authenticator; /* a class: asks for a login with this token: */
    const char      *token;
    size_t           token_len;
    bool             silent, deaf; /* answers nothing; reads nothing */
    size_t           piece;        /* answers in pieces of so many bytes; 0: whole */
    /* Sees every frame first; true: it is dealt with. */
    bool (*handle)(test_peer *peer, const wire_frame *frame);
    /* A layer between socket and protocol: TLS. */
    void (*unwrap)(test_peer *peer, const uint8_t *data, size_t len);
    void (*wrap)(test_peer *peer, const uint8_t *data, size_t len);
    void (*forget)(test_peer *peer);
    void      *context;
    base_buf   startup; /* the last body of STARTUP */
    base_arena arena;
};

static inline void peer_closed(uv_handle_t *handle) {
    test_peer *peer = handle->data;
    wire__decoder_free(&peer->decoder);
    wire__encoder_free(&peer->encoder);
    if (peer->server->forget) peer->server->forget(peer);
    peer->server = NULL;
}

static inline void peer_close(test_peer *peer) {
    if (!uv_is_closing((uv_handle_t *)&peer->tcp)) {
        uv_close((uv_handle_t *)&peer->tcp, peer_closed);
    }
}

typedef struct test_write {
    uv_write_t request;
    base_buf   data;
} test_write;

static inline void peer_wrote(uv_write_t *request, int failed) {
    test_write *write = request->data;
    (void)failed;
    base__buf_free(&write->data);
    free(write);
}

static inline void peer_send_bytes(test_peer *peer, const uint8_t *data, size_t len) {
    test_write *write = calloc(1, sizeof *write);
    assert_non_null(write);
    base__buf_put(&write->data, data, len);
    write->request.data = write;
    uv_buf_t     buf = { (char *)write->data.data, len };
    uv_stream_t *stream = (uv_stream_t *)&peer->tcp;
    assert_int_equal(uv_write(&write->request, stream, &buf, 1, peer_wrote), 0);
}

static inline void peer_flush(test_peer *peer) {
    base_buf   out = { 0 };
    corm_error err;
    assert_ok(wire__encoder_take(&peer->encoder, &out, &err), err);
    size_t piece = peer->server->piece ? peer->server->piece : out.len;
    void (*send_it)(test_peer *, const uint8_t *, size_t) =
        peer->server->wrap ? peer->server->wrap : peer_send_bytes;
    for (size_t at = 0; at < out.len; at += piece) {
        send_it(peer, out.data + at, out.len - at < piece ? out.len - at : piece);
    }
    base__buf_free(&out);
}

static inline void peer_answer(test_peer *peer, int16_t stream, wire_opcode opcode,
                               const base_buf *body) {
    corm_error err;
    base_buf  *out = wire__encoder_begin(&peer->encoder, 0, stream, opcode);
    if (body) base__buf_put(out, body->data, body->len);
    assert_ok(wire__encoder_end(&peer->encoder, &err), err);
    peer_flush(peer);
}

static inline void peer_error(test_peer *peer, int16_t stream, int32_t code, const char *message) {
    base_buf body = { 0 };
    base__buf_i32(&body, code);
    wire__put_text(&body, corm_str_of(message));
    peer_answer(peer, stream, WIRE_OP_ERROR, &body);
    base__buf_free(&body);
}

static inline wire_compression startup_compression(test_server *server) {
    wire_pair *pairs = NULL;
    uint32_t   count = 0;
    corm_error err;
    assert_ok(wire__read_string_map(base__buf_bytes(&server->startup), &server->arena, &pairs,
                                    &count, &err),
              err);
    for (uint32_t i = 0; i < count; i++) {
        if (!corm_str_equal(pairs[i].name, corm_str_of("COMPRESSION"))) continue;
        return corm_str_equal(pairs[i].value, corm_str_of("lz4")) ? WIRE_LZ4 : WIRE_SNAPPY;
    }
    return WIRE_PLAIN;
}

static inline void peer_switch(test_peer *peer) {
    wire_compression compression = startup_compression(peer->server);
    if (peer->encoder.version >= 5) {
        wire__encoder_segments(&peer->encoder, compression);
        wire__decoder_segments(&peer->decoder, compression);
    } else {
        wire__encoder_compression(&peer->encoder, compression);
        wire__decoder_compression(&peer->decoder, compression);
    }
}

static inline void peer_start(test_peer *peer, const wire_frame *frame) {
    test_server *server = peer->server;
    base_buf     body = { 0 };
    base__buf_clear(&server->startup);
    base__buf_put(&server->startup, frame->body.data, frame->body.len);
    if (server->authenticator) wire__put_text(&body, corm_str_of(server->authenticator));
    peer_answer(peer, frame->stream, server->authenticator ? WIRE_OP_AUTHENTICATE : WIRE_OP_READY,
                &body);
    peer_switch(peer);
    base__buf_free(&body);
}

static inline void peer_login(test_peer *peer, const wire_frame *frame) {
    test_server *server = peer->server;
    base_buf     body = { 0 };
    corm_bytes   token;
    corm_error   err;
    assert_ok(wire__read_bytes_body(frame->body, &token, &err), err);
    if (token.len == server->token_len && memcmp(token.data, server->token, token.len) == 0) {
        wire__put_bytes(&body, (corm_bytes){ NULL, 0 });
        peer_answer(peer, frame->stream, WIRE_OP_AUTH_SUCCESS, &body);
    } else {
        peer_error(peer, frame->stream, 0x0100,
                   "Provided username x and/or password are incorrect");
    }
    base__buf_free(&body);
}

static inline void peer_supported(test_peer *peer, const wire_frame *frame) {
    base_buf body = { 0 };
    wire__put_multimap(&body, peer->server->supported, peer->server->supported_count);
    peer_answer(peer, frame->stream, WIRE_OP_SUPPORTED, &body);
    base__buf_free(&body);
}

/* Any request is answered with its own body. */
static inline void peer_echo(test_peer *peer, const wire_frame *frame) {
    base_buf body = { 0 };
    base__buf_put(&body, frame->body.data, frame->body.len);
    peer_answer(peer, frame->stream, WIRE_OP_RESULT, &body);
    base__buf_free(&body);
}

static inline void peer_on_frame(test_peer *peer, const wire_frame *frame) {
    test_server *server = peer->server;
    peer->encoder.version = frame->version;
    if (frame->opcode == WIRE_OP_QUERY) server->requests++;
    if (server->handle && server->handle(peer, frame)) return;
    switch (frame->opcode) {
    case WIRE_OP_OPTIONS: peer_supported(peer, frame); break;
    case WIRE_OP_STARTUP: peer_start(peer, frame); break;
    case WIRE_OP_AUTH_RESPONSE: peer_login(peer, frame); break;
    case WIRE_OP_REGISTER: peer_answer(peer, frame->stream, WIRE_OP_READY, NULL); break;
    default: peer_echo(peer, frame);
    }
}

static inline void peer_receive(test_peer *peer, const uint8_t *data, size_t len) {
    wire_frame frame;
    corm_error err;
    bool       got = true;
    wire__decoder_feed(&peer->decoder, data, len);
    while (got && !uv_is_closing((uv_handle_t *)&peer->tcp)) {
        assert_ok(wire__decoder_next(&peer->decoder, &frame, &got, &err), err);
        if (got) peer_on_frame(peer, &frame);
    }
}

static inline void peer_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buf) {
    static _Thread_local char space[65536];
    (void)handle;
    (void)size;
    *buf = uv_buf_init(space, sizeof space);
}

static inline void peer_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf) {
    test_peer *peer = stream->data;
    if (got < 0) {
        peer_close(peer);
        return;
    }
    peer->reads++;
    if (peer->server->silent) return;
    MEMORY_PAUSE();
    if (peer->server->unwrap) {
        peer->server->unwrap(peer, (const uint8_t *)buf->base, (size_t)got);
    } else {
        peer_receive(peer, (const uint8_t *)buf->base, (size_t)got);
    }
    MEMORY_RESUME();
}

static inline void peer_listen(test_peer *peer) {
    assert_int_equal(uv_read_start((uv_stream_t *)&peer->tcp, peer_alloc, peer_read), 0);
}

static inline void server_accept(uv_stream_t *listener, int failed) {
    test_server            *server = listener->data;
    struct sockaddr_storage sa;
    int                     len = sizeof sa;
    test_peer              *peer = server->peers;
    assert_int_equal(failed, 0);
    while (peer->server) peer++;
    assert_true(peer < server->peers + MOST_PEERS);
    *peer = (test_peer){ .server = server, .tcp.data = peer };
    uv_tcp_init(server->loop, &peer->tcp);
    assert_int_equal(uv_accept(listener, (uv_stream_t *)&peer->tcp), 0);
    assert_int_equal(uv_tcp_getpeername(&peer->tcp, (struct sockaddr *)&sa, &len), 0);
    peer->port = ntohs(((struct sockaddr_in *)&sa)->sin_port);
    wire__decoder_init(&peer->decoder, 64 << 20);
    wire__encoder_init(&peer->encoder, 5, true);
    server->accepted++;
    if (!server->deaf) peer_listen(peer);
}

static inline void server_start(test_server *server, uv_loop_t *loop) {
    static const wire_pair standard[] = {
        { { "CQL_VERSION", 11 }, { "3.4.7", 5 } },
        { { "COMPRESSION", 11 }, { "snappy", 6 } },
        { { "COMPRESSION", 11 }, { "lz4", 3 } },
        { { "PROTOCOL_VERSIONS", 17 }, { "5/v5", 4 } },
    };
    struct sockaddr_in sa;
    int                len = sizeof sa;
    *server = (test_server){ .loop = loop, .supported = standard, .supported_count = 4 };
    uv_tcp_init(loop, &server->listener);
    server->listener.data = server;
    assert_int_equal(uv_ip4_addr("127.0.0.1", 0, &sa), 0);
    assert_int_equal(uv_tcp_bind(&server->listener, (struct sockaddr *)&sa, 0), 0);
    assert_int_equal(uv_listen((uv_stream_t *)&server->listener, 64, server_accept), 0);
    assert_int_equal(uv_tcp_getsockname(&server->listener, (struct sockaddr *)&sa, &len), 0);
    server->port = ntohs(sa.sin_port);
}

static inline void server_stop_listening(test_server *server) {
    if (!uv_is_closing((uv_handle_t *)&server->listener)) {
        uv_close((uv_handle_t *)&server->listener, NULL);
    }
}

static inline void server_stop(test_server *server) {
    server_stop_listening(server);
    for (int i = 0; i < MOST_PEERS; i++) {
        if (server->peers[i].server) peer_close(&server->peers[i]);
    }
}

static inline void server_free(test_server *server) {
    base__buf_free(&server->startup);
    base__arena_free(&server->arena);
}

/* ---- the client ---- */

typedef struct test_client {
    uv_loop_t            loop;
    test_server          server;
    corm_cluster_options wanted; /* what settings are made of */
    driver_settings      settings;
    driver_figures       figures;
    driver_conn_options  options;
    driver_conn         *conn; /* the one opened last; NULL once it is closed */
    uint32_t             ready, closed, rooms, events;
    corm_status          status;
    corm_error           error;
    uint8_t              offered_version;
    char                 event[256]; /* the last: "change address:port" or "change keyspace.name" */
    void (*on_ready)(struct test_client *client, driver_conn *conn);
    void (*on_room)(struct test_client *client, driver_conn *conn);
} test_client;

static inline void client_ready(void *context, driver_conn *conn) {
    test_client *client = context;
    client->ready++;
    if (client->on_ready) client->on_ready(client, conn);
}

static inline void client_closed(void *context, driver_conn *conn, corm_status status,
                                 const corm_error *err) {
    test_client *client = context;
    client->closed++;
    client->status = status;
    client->error = *err;
    client->offered_version = driver__conn_offered_version(conn);
    assert_int_equal(driver__conn_in_flight(conn), 0);
    if (client->conn == conn) client->conn = NULL;
}

static inline void client_room(void *context, driver_conn *conn) {
    test_client *client = context;
    client->rooms++;
    if (client->on_room) client->on_room(client, conn);
}

static inline void client_event(void *context, driver_conn *conn, const wire_event *event) {
    test_client *client = context;
    (void)conn;
    client->events++;
    (void)snprintf(client->event, sizeof client->event, "%.*s %.*s.%.*s %d", (int)event->change.len,
                   event->change.data, (int)event->keyspace.len, event->keyspace.data,
                   (int)event->name.len, event->name.data, event->port);
}

static inline int client_setup(void **state) {
    test_client *client = calloc(1, sizeof *client);
    assert_non_null(client);
    assert_int_equal(uv_loop_init(&client->loop), 0);
    server_start(&client->server, &client->loop);
    client->options = (driver_conn_options){
        .loop = &client->loop,
        .settings = &client->settings,
        .figures = &client->figures,
        .version = 5,
        .shard = -1,
        .owner = { client, client_ready, client_closed, client_event, client_room },
    };
    *state = client;
    return 0;
}

static inline void client_run_out(test_client *client) {
    server_stop(&client->server);
    uv_run(&client->loop, UV_RUN_DEFAULT);
}

static inline int client_teardown(void **state) {
    test_client *client = *state;
    if (client->conn) driver__conn_close(client->conn, CORM_CLOSED, "the test is over");
    client_run_out(client);
    assert_null(client->conn);
    assert_int_equal(uv_loop_close(&client->loop), 0);
    assert_int_equal(atomic_load(&client->figures.orphaned), 0);
    driver__settings_free(&client->settings);
    server_free(&client->server);
    free(client);
    return 0;
}

/* Opens a connection to options.address, as the options and `wanted` say. */
static inline void client_dial_address(test_client *client) {
    static const driver_contact contact = { "127.0.0.1", 9042 };
    corm_error                  err;
    driver__settings_free(&client->settings);
    client->settings = (driver_settings){ 0 };
    assert_ok(driver__settings_make(&contact, 1, &client->wanted, 0, &client->settings, &err), err);
    client->ready = client->closed = 0;
    assert_ok(driver__conn_open(&client->options, &client->conn, &err), err);
    assert_int_equal(client->ready + client->closed, 0);
}

/* The same to the test's server, or another port beside it. */
static inline void client_dial(test_client *client) {
    struct sockaddr_in sa;
    driver_address    *address = &client->options.address;
    if (address->port == 0) address->port = client->server.port;
    (void)snprintf(address->text, sizeof address->text, "127.0.0.1");
    assert_int_equal(uv_ip4_addr("127.0.0.1", address->port, &sa), 0);
    memcpy(&address->sa, &sa, sizeof sa);
    client_dial_address(client);
}

static inline void client_turn(test_client *client) {
    uv_run(&client->loop, UV_RUN_ONCE);
}

static inline void client_open(test_client *client) {
    client_dial(client);
    while (!client->ready && !client->closed) client_turn(client);
    if (client->closed) fail_msg("%s", client->error.message);
}

static inline void client_wait_closed(test_client *client) {
    while (!client->closed) client_turn(client);
}

/* For a test that leaves requests in flight which live on its stack. */
static inline void client_close(test_client *client) {
    driver__conn_close(client->conn, CORM_CLOSED, "done");
    client_wait_closed(client);
}

/* ---- requests ---- */

typedef struct test_call {
    driver_call  call; /* first */
    test_client *client;
    uint32_t     done;
    corm_status  status;
    uint8_t      opcode;
    base_buf     body;
    void (*then)(struct test_call *call);
} test_call;

static inline void call_done(driver_call *call, corm_status status, const wire_frame *frame,
                             const corm_error *err) {
    test_call *own = (test_call *)call;
    assert_null(call->conn);
    assert_true((status == CORM_OK) == (frame != NULL));
    assert_true((status == CORM_OK) == (err == NULL));
    own->done++;
    own->status = status;
    base__buf_clear(&own->body);
    if (frame) {
        MEMORY_PAUSE();
        own->opcode = frame->opcode;
        base__buf_put(&own->body, frame->body.data, frame->body.len);
        MEMORY_RESUME();
    }
    if (own->then) own->then(own);
}

static inline corm_status call_send_bytes(test_client *client, test_call *call, const void *data,
                                          size_t len, corm_error *err) {
    base_buf *body = NULL;
    call->client = client;
    call->call.done = call_done;
    corm_status status =
        driver__conn_begin(client->conn, &call->call, 0, WIRE_OP_QUERY, &body, err);
    if (status != CORM_OK) return status;
    base__buf_put(body, data, len);
    return driver__conn_end(client->conn, &call->call, err);
}

static inline void call_send(test_client *client, test_call *call, const char *text) {
    corm_error err;
    assert_ok(call_send_bytes(client, call, text, strlen(text), &err), err);
}

static inline void call_wait(test_call *call) {
    uint32_t done = call->done;
    while (call->done == done) client_turn(call->client);
}

static inline void call_expect(test_call *call, const char *text) {
    assert_status(call->status, CORM_OK);
    assert_text(base__buf_str(&call->body), text);
    base__buf_free(&call->body);
}

#define CLIENT_TEST(name) cmocka_unit_test_setup_teardown(name, client_setup, client_teardown)

#endif
