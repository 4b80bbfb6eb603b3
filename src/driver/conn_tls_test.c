// SPDX-License-Identifier: MIT
/* Connections over TLS: the same messages through the same sockets. */
#include "driver/conn_for_tests.h"
#include "driver/tls_for_tests.h"

/* ---- a server that speaks TLS ---- */

static SSL_CTX *server_context;

static void send_output(test_peer *peer) {
    base_buf out = server_output(peer->secret);
    if (out.len > 0) peer_send_bytes(peer, out.data, out.len);
    base__buf_free(&out);
}

static void unwrap(test_peer *peer, const uint8_t *data, size_t len) {
    base_buf plain = { 0 };
    if (!peer->secret) peer->secret = make_server_side(server_context);
    bool goes_on = server_input(peer->secret, data, len, &plain);
    send_output(peer);
    if (plain.len > 0) peer_receive(peer, plain.data, plain.len);
    if (!goes_on) peer_close(peer);
    base__buf_free(&plain);
}

static void wrap(test_peer *peer, const uint8_t *data, size_t len) {
    size_t written;
    assert_int_equal(SSL_write_ex(peer->secret, data, len, &written), 1);
    send_output(peer);
}

static void forget(test_peer *peer) {
    SSL_free(peer->secret);
    peer->secret = NULL;
}

typedef struct fixture {
    test_client  *client;
    test_identity ca, node;
} fixture;

static int setup(void **state) {
    fixture   *f = calloc(1, sizeof *f);
    corm_error err;
    assert_non_null(f);
    client_setup((void **)&f->client);
    f->ca = make_identity("a test CA", NULL, NULL);
    f->node = make_identity("node", "DNS:node.example,IP:127.0.0.1", &f->ca);
    write_identity("ca.pem", &f->ca, false, NULL);
    server_context = make_server(&f->node, NULL);
    test_server *server = &f->client->server;
    server->unwrap = unwrap;
    server->wrap = wrap;
    server->forget = forget;
    corm_tls_options options = { .enabled = true, .ca_file = "ca.pem" };
    assert_ok(driver__tls_new(&options, &f->client->options.tls, &err), err);
    *state = f;
    return 0;
}

static int teardown(void **state) {
    fixture    *f = *state;
    driver_tls *tls = f->client->options.tls;
    client_teardown((void **)&f->client);
    driver__tls_free(tls);
    SSL_CTX_free(server_context);
    free_identity(&f->ca);
    free_identity(&f->node);
    free(f);
    return 0;
}

/* ---- tests ---- */

static void requests_are_answered_over_tls(void **state) {
    test_client *client = ((fixture *)*state)->client;
    for (uint8_t version = 4; version <= 5; version++) {
        test_call calls[50] = { 0 };
        client->options.version = version;
        client->wanted.compression = CORM_LZ4;
        client_open(client);
        for (int i = 0; i < 50; i++) call_send(client, &calls[i], "over TLS");
        for (int i = 0; i < 50; i++) {
            while (calls[i].done == 0) client_turn(client);
            call_expect(&calls[i], "over TLS");
        }
        client_close(client);
    }
}

static void large_messages_pass_over_tls(void **state) {
    test_client *client = ((fixture *)*state)->client;
    test_call    call = { 0 };
    corm_error   err;
    size_t       len = 2000003;
    uint8_t     *data = malloc(len);
    assert_non_null(data);
    for (size_t i = 0; i < len; i++) data[i] = (uint8_t)(i * i >> 5);
    client->server.piece = 5000;
    client_open(client);
    assert_ok(call_send_bytes(client, &call, data, len, &err), err);
    call_wait(&call);
    assert_status(call.status, CORM_OK);
    assert_int_equal(call.body.len, len);
    assert_memory_equal(call.body.data, data, len);
    base__buf_free(&call.body);
    free(data);
}

static void a_socket_that_takes_no_more_delays_and_loses_nothing(void **state) {
    test_client *client = ((fixture *)*state)->client;
    enum { COUNT = 32, BYTES = 256 * 1024 };
    static test_call calls[COUNT];
    static char      data[BYTES];
    corm_error       err;
    memset(calls, 0, sizeof calls);
    client_open(client);
    test_peer *peer = &client->server.peers[0];
    uv_read_stop((uv_stream_t *)&peer->tcp);
    for (int i = 0; i < COUNT; i++) {
        data[0] = (char)i;
        assert_ok(call_send_bytes(client, &calls[i], data, sizeof data, &err), err);
        uv_run(&client->loop, UV_RUN_NOWAIT);
    }
    assert_true(client->conn->writing);
    peer_listen(peer);
    for (int i = 0; i < COUNT; i++) {
        while (calls[i].done == 0) client_turn(client);
        assert_status(calls[i].status, CORM_OK);
        assert_int_equal(calls[i].body.len, BYTES);
        assert_int_equal(calls[i].body.data[0], i);
        base__buf_free(&calls[i].body);
    }
}

static void a_node_of_another_name_is_refused_with_the_reason(void **state) {
    test_client *client = ((fixture *)*state)->client;
    (void)snprintf(client->options.address.name, sizeof client->options.address.name, "other");
    client_dial(client);
    client_wait_closed(client);
    assert_status(client->status, CORM_IO);
    assert_non_null(strstr(client->error.message, "certificate verify failed: hostname mismatch"));
    assert_int_equal(client->figures.dial_failures, 1);
}

static void a_node_that_speaks_no_tls_is_refused(void **state) {
    test_client *client = ((fixture *)*state)->client;
    client->server.silent = true;
    client->wanted.connect_timeout_ms = 20;
    client_dial(client);
    client_wait_closed(client);
    assert_status(client->status, CORM_TIMEOUT);
}

static void the_files_are_looked_at_for_every_connection(void **state) {
    test_client *client = ((fixture *)*state)->client;
    client_open(client);
    client_close(client);
    (void)remove("ca.pem");
    client_dial(client);
    client_wait_closed(client);
    assert_status(client->status, CORM_IO);
    assert_non_null(strstr(client->error.message, "ca.pem"));
}

static void a_connection_resumes_the_session_of_the_last_one(void **state) {
    test_client *client = ((fixture *)*state)->client;
    test_call    call = { 0 };
    for (int i = 0; i < 3; i++) {
        client_open(client);
        call_send(client, &call, "?");
        call_wait(&call);
        assert_int_equal(SSL_session_reused(client->conn->tls->ssl), i > 0);
        client_close(client);
    }
    base__buf_free(&call.body);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
static const struct CMUnitTest tests[] = {
    TEST(requests_are_answered_over_tls),
    TEST(large_messages_pass_over_tls),
    TEST(a_socket_that_takes_no_more_delays_and_loses_nothing),
    TEST(a_node_of_another_name_is_refused_with_the_reason),
    TEST(a_node_that_speaks_no_tls_is_refused),
    TEST(the_files_are_looked_at_for_every_connection),
    TEST(a_connection_resumes_the_session_of_the_last_one),
};
RUN_TESTS()
