// SPDX-License-Identifier: MIT
/* Whether a node is alive is asked of it when it is silent. Tests wait for what happens, not for a time. */
#include "driver/conn_for_tests.h"

static void check_often(test_client *client) {
    client->wanted.health_check.interval_ms = 5;
    client->wanted.health_check.timeout_ms = 10;
}

static void an_idle_node_is_asked_and_kept(void **state) {
    test_client *client = *state;
    check_often(client);
    client->wanted.health_check.timeout_ms = 60000;
    client_open(client);
    while (client->figures.heartbeats < 5) client_turn(client);
    assert_int_equal(client->closed, 0);
    assert_true(driver__conn_is_ready(client->conn));
    assert_int_equal(driver__conn_in_flight(client->conn), 0); /* its own question is no request */
}

static void a_silent_node_is_given_up(void **state) {
    test_client *client = *state;
    test_call    call = { 0 };
    check_often(client);
    client_open(client);
    client->server.silent = true;
    call_send(client, &call, "?");
    client_wait_closed(client);
    assert_status(client->status, CORM_TIMEOUT);
    assert_status(call.status, CORM_TIMEOUT);
    assert_non_null(strstr(client->error.message, "heartbeat"));
    assert_true(client->figures.heartbeats >= 1);
}

static void an_idle_silent_node_is_given_up_too(void **state) {
    test_client *client = *state;
    check_often(client);
    client_open(client);
    client->server.silent = true;
    client_wait_closed(client);
    assert_status(client->status, CORM_TIMEOUT);
}

static bool answer_options_only(test_peer *peer, const wire_frame *frame) {
    (void)peer;
    return frame->opcode == WIRE_OP_QUERY;
}

/* A slow request is the request's matter: the node answers the heartbeat meanwhile. */
static void a_slow_request_does_not_end_a_live_connection(void **state) {
    test_client *client = *state;
    test_call    call = { 0 };
    check_often(client);
    client->wanted.health_check.timeout_ms = 60000;
    client->server.handle = answer_options_only;
    client_open(client);
    call_send(client, &call, "?");
    while (client->figures.heartbeats < 5) client_turn(client);
    assert_int_equal(call.done, 0);
    assert_int_equal(driver__conn_in_flight(client->conn), 1);
    driver__conn_abandon(&call.call);
}

/* All stream ids wait for answers: no heartbeat can be sent, and none is needed to know. */
static void a_silent_node_with_no_stream_left_is_given_up(void **state) {
    test_client *client = *state;
    enum { COUNT = 32768 };
    test_call *calls = calloc(COUNT, sizeof *calls);
    assert_non_null(calls);
    check_often(client);
    client->wanted.health_check.timeout_ms = 200;
    client->wanted.pool.requests_per_connection = COUNT;
    client_open(client);
    client->server.silent = true;
    for (int i = 0; i < COUNT && !client->closed; i++) call_send(client, &calls[i], "?");
    client_wait_closed(client);
    assert_status(client->status, CORM_TIMEOUT);
    for (int i = 0; i < COUNT; i++) assert_int_equal(calls[i].done, 1);
    free(calls);
}

static void without_health_checks_nobody_is_asked(void **state) {
    test_client *client = *state;
    client->wanted.health_check.disabled = true;
    client_open(client);
    assert_false(uv_is_active((uv_handle_t *)&client->conn->timer));
}

static void a_drained_connection_does_not_wait_for_its_heartbeat(void **state) {
    test_client *client = *state;
    check_often(client);
    client->wanted.health_check.timeout_ms = 60000;
    client_open(client);
    client->server.silent = true;
    while (client->figures.heartbeats < 1) client_turn(client);
    driver__conn_drain(client->conn);
    client_wait_closed(client);
    assert_status(client->status, CORM_CLOSED);
}

static void an_idle_connection_gives_large_buffers_back(void **state) {
    test_client *client = *state;
    test_call    call = { 0 };
    corm_error   err;
    size_t       len = 300000;
    char        *data = calloc(1, len);
    assert_non_null(data);
    check_often(client);
    client->wanted.health_check.timeout_ms = 60000;
    client_open(client);
    assert_ok(call_send_bytes(client, &call, data, len, &err), err);
    call_wait(&call);
    uint64_t before = client->figures.heartbeats;
    while (client->figures.heartbeats < before + 2) client_turn(client);
    assert_true(client->conn->sending.cap + client->conn->encoder.out.cap < 4096);
    base__buf_free(&call.body);
    free(data);
}

static bool count_options(test_peer *peer, const wire_frame *frame) {
    uint32_t *count = peer->server->context;
    if (frame->opcode == WIRE_OP_OPTIONS) (*count)++;
    return false;
}

/* The program did something else for longer than the timeout, with the node's answer in the socket. */
static void a_loop_that_was_late_reads_before_it_gives_up(void **state) {
    test_client *client = *state;
    uint32_t     answered = 0;
    check_often(client);
    client->server.handle = count_options;
    client->server.context = &answered;
    client_open(client);
    for (uint32_t round = 2; round < 6; round++) {
        while (answered < round && !client->closed) client_turn(client);
        uint64_t until = uv_hrtime() + (uint64_t)25 * 1000000;
        while (uv_hrtime() < until) continue;
    }
    client_turn(client);
    client_turn(client);
    assert_int_equal(client->closed, 0);
}

static const struct CMUnitTest tests[] = {
    CLIENT_TEST(an_idle_node_is_asked_and_kept),
    CLIENT_TEST(a_silent_node_is_given_up),
    CLIENT_TEST(an_idle_silent_node_is_given_up_too),
    CLIENT_TEST(a_slow_request_does_not_end_a_live_connection),
    CLIENT_TEST(a_silent_node_with_no_stream_left_is_given_up),
    CLIENT_TEST(a_loop_that_was_late_reads_before_it_gives_up),
    CLIENT_TEST(without_health_checks_nobody_is_asked),
    CLIENT_TEST(a_drained_connection_does_not_wait_for_its_heartbeat),
    CLIENT_TEST(an_idle_connection_gives_large_buffers_back),
};
RUN_TESTS()
