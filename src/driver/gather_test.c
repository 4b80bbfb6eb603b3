// SPDX-License-Identifier: MIT
/* When a connection waits for more than one answer, and that it never waits for what does not come. */
#include "driver/conn_for_tests.h"

enum { CALLS = 200 };

typedef struct held {
    test_peer *peer;
    int16_t    streams[CALLS];
    uint32_t   count;
} held;

static bool hold(test_peer *peer, const wire_frame *frame) {
    held *h = peer->server->context;
    if (frame->opcode != WIRE_OP_QUERY) return false;
    h->peer = peer;
    h->streams[h->count++] = frame->stream;
    return true;
}

static void answer(held *h, uint32_t from, uint32_t to) {
    base_buf body = { 0 };
    base__buf_puts(&body, "answer");
    for (uint32_t i = from; i < to; i++) {
        peer_answer(h->peer, h->streams[i], WIRE_OP_RESULT, &body);
    }
    base__buf_free(&body);
}

static uint32_t done(const test_call *calls) {
    uint32_t count = 0;
    for (int i = 0; i < CALLS; i++) count += calls[i].done;
    return count;
}

static void wait_done(test_client *client, const test_call *calls, uint32_t count) {
    while (done(calls) < count) client_turn(client);
}

/* With all calls sent, and the window of a connection that was busy until now. */
static void open_busy(test_client *client, held *h, test_call *calls) {
    client->server.handle = hold;
    client->server.context = h;
    client_open(client);
    for (int i = 0; i < CALLS; i++) call_send(client, &calls[i], "?");
    while (h->count < CALLS) client_turn(client);
    client->conn->gather.seen_answers = 1000;
    client->conn->gather.seen_bytes = 30000;
    client->conn->gather.window_ms = uv_now(&client->loop) - 5;
}

static void free_calls(test_call *calls) {
    for (int i = 0; i < CALLS; i++) base__buf_free(&calls[i].body);
}

static void many_answers_in_flight_and_coming_fast_are_gathered(void **state) {
    (void)state;
    assert_int_equal(driver__gather_answers(200, 4, 1024), 10);
    assert_int_equal(driver__gather_answers(200, 4, 256), 8);
    assert_int_equal(driver__gather_answers(200, 4, 64), 2);
    assert_true(driver__gather_answers(200, 4, 63) < 2);
    assert_true(driver__gather_answers(20, 4, 1024) < 2);
    assert_true(driver__gather_answers(1, 4, 32768) < 2);
}

static void a_gathering_connection_gets_an_answer_that_comes_alone(void **state) {
    test_client *client = *state;
    held         h = { 0 };
    test_call    calls[CALLS] = { 0 };
    open_busy(client, &h, calls);
    answer(&h, 0, 1);
    wait_done(client, calls, 1);
    assert_true(client->conn->gather.bytes > 0);
    answer(&h, 1, 2);
    wait_done(client, calls, 2);
    assert_int_equal(client->conn->gather.bytes, 0);
    assert_null(client->conn->io->gathering);
    answer(&h, 2, CALLS);
    wait_done(client, calls, CALLS);
    free_calls(calls);
}

static void the_last_answers_are_not_gathered(void **state) {
    test_client *client = *state;
    held         h = { 0 };
    test_call    calls[CALLS] = { 0 };
    open_busy(client, &h, calls);
    answer(&h, 0, 1);
    wait_done(client, calls, 1);
    assert_true(client->conn->gather.bytes > 0);
    answer(&h, 1, CALLS);
    wait_done(client, calls, CALLS);
    assert_int_equal(client->conn->gather.bytes, 0);
    free_calls(calls);
}

static void a_connection_can_be_closed_while_it_gathers(void **state) {
    test_client *client = *state;
    held         h = { 0 };
    test_call    calls[CALLS] = { 0 };
    open_busy(client, &h, calls);
    answer(&h, 0, 1);
    wait_done(client, calls, 1);
    assert_true(client->conn->gather.bytes > 0);
    driver__conn_close(client->conn, CORM_CLOSED, "done");
    client_wait_closed(client);
    free_calls(calls);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_answers_in_flight_and_coming_fast_are_gathered),
        CLIENT_TEST(a_gathering_connection_gets_an_answer_that_comes_alone),
        CLIENT_TEST(the_last_answers_are_not_gathered),
        CLIENT_TEST(a_connection_can_be_closed_while_it_gathers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
