// SPDX-License-Identifier: MIT
/* A connection in operation: answers, stream ids, orphans, closing, what the socket does to bytes. */
#include "driver/conn_for_tests.h"

/* ---- servers ---- */

/* Keeps requests until the test answers them. */
typedef struct held {
    test_peer *peer;
    int16_t    streams[4096];
    uint32_t   count;
} held;

static bool hold(test_peer *peer, const wire_frame *frame) {
    held *h = peer->server->context;
    if (frame->opcode != WIRE_OP_QUERY) return false;
    assert_true(h->count < 4096);
    h->peer = peer;
    h->streams[h->count++] = frame->stream;
    return true;
}

static void wait_held(test_client *client, const held *h, uint32_t count) {
    while (h->count < count) client_turn(client);
}

static void answer(held *h, uint32_t at, const char *text) {
    base_buf body = { 0 };
    base__buf_puts(&body, text);
    peer_answer(h->peer, h->streams[at], WIRE_OP_RESULT, &body);
    base__buf_free(&body);
}

static void open_holding(test_client *client, held *h) {
    client->server.handle = hold;
    client->server.context = h;
    client_open(client);
}

/* ---- answers ---- */

static void answers_go_to_those_who_asked(void **state) {
    test_client *client = *state;
    test_call    a = { 0 };
    test_call    b = { 0 };
    client_open(client);
    call_send(client, &a, "one");
    call_send(client, &b, "two");
    assert_int_equal(driver__conn_in_flight(client->conn), 2);
    call_wait(&b);
    call_expect(&a, "one");
    call_expect(&b, "two");
    assert_int_equal(driver__conn_in_flight(client->conn), 0);
    assert_true(driver__conn_idle_since_ns(client->conn) > 0);
}

static void answers_may_come_in_any_order(void **state) {
    test_client *client = *state;
    held         h = { 0 };
    test_call    calls[3] = { 0 };
    open_holding(client, &h);
    for (int i = 0; i < 3; i++) call_send(client, &calls[i], "?");
    wait_held(client, &h, 3);
    answer(&h, 2, "third");
    call_wait(&calls[2]);
    answer(&h, 0, "first");
    call_wait(&calls[0]);
    assert_int_equal(calls[1].done, 0);
    answer(&h, 1, "second");
    call_wait(&calls[1]);
    call_expect(&calls[0], "first");
    call_expect(&calls[1], "second");
    call_expect(&calls[2], "third");
}

static void what_is_sent_in_one_turn_is_written_at_once(void **state) {
    test_client *client = *state;
    test_call    calls[100] = { 0 };
    client_open(client);
    uint32_t reads = client->server.peers[0].reads;
    uint64_t sent = client->figures.bytes_sent;
    for (int i = 0; i < 100; i++) call_send(client, &calls[i], "small");
    assert_int_equal(client->figures.bytes_sent, sent);
    while (calls[99].done == 0) client_turn(client);
    assert_int_equal(client->server.peers[0].reads, reads + 1);
    for (int i = 0; i < 100; i++) call_expect(&calls[i], "small");
}

static void send_again(test_call *call) {
    if (call->status == CORM_OK && call->done < 5) call_send(call->client, call, "again");
}

static void a_request_sent_in_an_answer_leaves_in_the_same_turn(void **state) {
    test_client *client = *state;
    test_call    call = { .then = send_again };
    client_open(client);
    call_send(client, &call, "first");
    while (call.done < 4) client_turn(client);
    /* The turn that brought the answer has written the next request: nothing is left to write. */
    if (call.done < 5) assert_true(wire__encoder_is_empty(&client->conn->encoder));
    while (call.done < 5) client_turn(client);
    call_expect(&call, "again");
}

/* ---- sizes ---- */

static void exchange_large(test_client *client, uint8_t version, corm_compression compression,
                           size_t len) {
    test_call  call = { 0 };
    corm_error err;
    uint8_t   *data = malloc(len);
    assert_non_null(data);
    for (size_t i = 0; i < len; i++) data[i] = (uint8_t)(i * i >> 3);
    client->options.version = version;
    client->wanted.compression = compression;
    client_open(client);
    assert_ok(call_send_bytes(client, &call, data, len, &err), err);
    call_wait(&call);
    assert_status(call.status, CORM_OK);
    assert_int_equal(call.body.len, len);
    assert_memory_equal(call.body.data, data, len);
    base__buf_free(&call.body);
    free(data);
    client_close(client);
}

static void large_messages_pass_in_every_form(void **state) {
    test_client *client = *state;
    for (uint8_t version = 4; version <= 5; version++) {
        for (corm_compression kind = CORM_UNCOMPRESSED; kind <= CORM_SNAPPY; kind++) {
            exchange_large(client, version, kind, 3 << 20);
            exchange_large(client, version, kind, 131072);
            exchange_large(client, version, kind, 1);
            exchange_large(client, version, kind, 0);
        }
    }
}

static void answers_in_small_pieces_are_put_together(void **state) {
    test_client *client = *state;
    client->server.piece = 7;
    exchange_large(client, 5, CORM_LZ4, 2000);
    exchange_large(client, 4, CORM_SNAPPY, 2000);
    exchange_large(client, 5, CORM_UNCOMPRESSED, 2000);
}

static void a_socket_that_takes_no_more_delays_and_loses_nothing(void **state) {
    test_client *client = *state;
    enum { COUNT = 64, BYTES = 256 * 1024 };
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
    assert_false(client->conn->writing);
    assert_true(client->figures.bytes_sent > (uint64_t)COUNT * BYTES);
    assert_true(client->figures.bytes_received > (uint64_t)COUNT * BYTES);
}

/* ---- streams ---- */

static void count_room(test_client *client, driver_conn *conn) {
    assert_true(driver__conn_in_flight(conn) < 10);
    (void)client;
}

static void a_full_connection_refuses_and_tells_when_there_is_room(void **state) {
    test_client *client = *state;
    held         h = { 0 };
    test_call    calls[11] = { 0 };
    corm_error   err;
    client->wanted.pool.requests_per_connection = 10;
    client->on_room = count_room;
    open_holding(client, &h);
    for (int i = 0; i < 10; i++) call_send(client, &calls[i], "?");
    assert_status(call_send_bytes(client, &calls[10], "?", 1, &err), CORM_OVERLOADED);
    assert_int_equal(calls[10].done, 0);
    assert_null(calls[10].call.conn);
    assert_int_equal(client->rooms, 0);
    wait_held(client, &h, 10);
    answer(&h, 4, "x");
    call_wait(&calls[4]);
    assert_int_equal(client->rooms, 1);
    call_send(client, &calls[10], "?");
    driver__conn_abandon(&calls[10].call); /* makes room too, with an orphan */
    call_send(client, &calls[4], "?");
    assert_status(call_send_bytes(client, &calls[10], "?", 1, &err), CORM_OVERLOADED);
    driver__conn_abandon(&calls[4].call);
    client_turn(client);
    assert_int_equal(client->rooms, 2);
    client_close(client);
    for (int i = 0; i < 11; i++) base__buf_free(&calls[i].body);
}

static void a_dropped_message_leaves_nothing(void **state) {
    test_client *client = *state;
    test_call    a = { 0 };
    test_call    b = { 0 };
    corm_error   err;
    base_buf    *body = NULL;
    client_open(client);
    assert_ok(driver__conn_begin(client->conn, &a.call, 0, WIRE_OP_QUERY, &body, &err), err);
    base__buf_puts(body, "half a mess");
    driver__conn_drop(client->conn, &a.call);
    assert_null(a.call.conn);
    assert_int_equal(driver__conn_in_flight(client->conn), 0);
    call_send(client, &b, "whole");
    call_wait(&b);
    call_expect(&b, "whole");
    assert_int_equal(client->server.requests, 1);
}

static void all_stream_ids_can_be_in_use(void **state) {
    test_client *client = *state;
    enum { COUNT = 32768 };
    test_call *calls = calloc(COUNT, sizeof *calls);
    corm_error err;
    test_call  more = { 0 };
    assert_non_null(calls);
    client->wanted.pool.requests_per_connection = COUNT;
    client_open(client);
    assert_true(client->conn->streams.capacity <= 64); /* an idle connection is small */
    for (int i = 0; i < COUNT; i++) {
        char text[16];
        (void)snprintf(text, sizeof text, "%d", i);
        call_send(client, &calls[i], text);
    }
    assert_status(call_send_bytes(client, &more, "?", 1, &err), CORM_OVERLOADED);
    while (driver__conn_in_flight(client->conn) > 0) client_turn(client);
    for (int i = 0; i < COUNT; i++) {
        char text[16];
        (void)snprintf(text, sizeof text, "%d", i);
        assert_int_equal(calls[i].done, 1);
        call_expect(&calls[i], text);
    }
    free(calls);
}

/* ---- orphans ---- */

static void a_late_answer_reaches_nobody(void **state) {
    test_client *client = *state;
    held         h = { 0 };
    test_call    slow = { 0 };
    test_call    other = { 0 };
    open_holding(client, &h);
    call_send(client, &slow, "slow");
    wait_held(client, &h, 1);
    driver__conn_abandon(&slow.call);
    assert_null(slow.call.conn);
    assert_int_equal(driver__conn_in_flight(client->conn), 0);
    assert_int_equal(driver__conn_orphans(client->conn), 1);
    assert_int_equal(client->figures.orphaned, 1);
    /* However many requests come after, none gets the orphan's id. */
    for (uint32_t i = 1; i <= 200; i++) {
        call_send(client, &other, "other");
        wait_held(client, &h, i + 1);
        assert_int_not_equal(h.streams[i], h.streams[0]);
        answer(&h, i, "right");
        call_wait(&other);
        call_expect(&other, "right");
    }
    answer(&h, 0, "late");
    while (client->figures.late_answers == 0) client_turn(client);
    assert_int_equal(driver__conn_orphans(client->conn), 0);
    assert_int_equal(client->figures.orphaned, 0);
    assert_int_equal(slow.done, 0);
    driver__conn_abandon(&slow.call); /* of none: ignored */
}

static void a_second_answer_closes_the_connection(void **state) {
    test_client *client = *state;
    held         h = { 0 };
    test_call    calls[2] = { 0 };
    open_holding(client, &h);
    call_send(client, &calls[0], "?");
    call_send(client, &calls[1], "?");
    wait_held(client, &h, 2);
    answer(&h, 0, "once");
    answer(&h, 0, "twice");
    client_wait_closed(client);
    call_expect(&calls[0], "once");
    assert_status(client->status, CORM_PROTOCOL_ERROR);
    assert_status(calls[1].status, CORM_PROTOCOL_ERROR);
    assert_int_equal(calls[1].done, 1);
    assert_non_null(strstr(client->error.message, "which no request waits for"));
}

static void a_second_answer_does_not_reach_a_request_sent_in_between(void **state) {
    test_client *client = *state;
    held         h = { 0 };
    test_call    call = { .then = send_again };
    open_holding(client, &h);
    call_send(client, &call, "?");
    wait_held(client, &h, 1);
    answer(&h, 0, "once");
    answer(&h, 0, "twice"); /* arrives when the next request is under way */
    client_wait_closed(client);
    assert_int_equal(call.done, 2);
    assert_status(call.status, CORM_PROTOCOL_ERROR);
    base__buf_free(&call.body);
}

static void too_many_orphans_end_the_connection(void **state) {
    test_client *client = *state;
    held         h = { 0 };
    test_call    call = { 0 };
    test_call    last = { 0 };
    corm_error   err;
    client->wanted.pool.requests_per_connection = 600; /* a quarter: 150 */
    open_holding(client, &h);
    call_send(client, &last, "?");
    for (int i = 0; i < 150; i++) {
        call_send(client, &call, "?");
        driver__conn_abandon(&call.call);
    }
    assert_true(driver__conn_is_ready(client->conn));
    call_send(client, &call, "?");
    driver__conn_abandon(&call.call);
    assert_false(driver__conn_is_ready(client->conn));
    assert_status(call_send_bytes(client, &call, "?", 1, &err), CORM_IO);
    assert_int_equal(client->figures.orphaned, 151);
    wait_held(client, &h, 1);
    assert_int_equal(client->closed, 0);
    answer(&h, 0, "the last in flight");
    client_wait_closed(client);
    call_expect(&last, "the last in flight");
    assert_status(client->status, CORM_TIMEOUT);
    assert_int_equal(client->figures.orphaned, 0);
}

/* ---- the end ---- */

static void a_drained_connection_ends_with_its_last_answer(void **state) {
    test_client *client = *state;
    held         h = { 0 };
    test_call    a = { 0 };
    test_call    b = { 0 };
    corm_error   err;
    open_holding(client, &h);
    call_send(client, &a, "?");
    wait_held(client, &h, 1);
    driver__conn_drain(client->conn);
    assert_false(driver__conn_is_ready(client->conn));
    assert_status(call_send_bytes(client, &b, "?", 1, &err), CORM_IO);
    assert_int_equal(client->closed, 0);
    answer(&h, 0, "last");
    client_wait_closed(client);
    call_expect(&a, "last");
    assert_status(client->status, CORM_CLOSED);
}

static void a_drained_connection_ends_when_its_last_request_is_given_up(void **state) {
    test_client *client = *state;
    held         h = { 0 };
    test_call    a = { 0 };
    open_holding(client, &h);
    call_send(client, &a, "?");
    driver__conn_drain(client->conn);
    driver__conn_abandon(&a.call);
    client_wait_closed(client);
    assert_int_equal(a.done, 0);
}

static void an_idle_connection_is_drained_at_once(void **state) {
    test_client *client = *state;
    client_open(client);
    driver__conn_drain(client->conn);
    assert_int_equal(client->closed, 0); /* not inside the call */
    client_wait_closed(client);
    assert_status(client->status, CORM_CLOSED);
    assert_int_equal(client->figures.connections_closed, 1);
}

static void closing_fails_what_is_in_flight_first(void **state) {
    test_client *client = *state;
    held         h = { 0 };
    test_call    calls[3] = { 0 };
    open_holding(client, &h);
    for (int i = 0; i < 3; i++) call_send(client, &calls[i], "?");
    driver__conn_close(client->conn, CORM_CANCELLED, "enough");
    driver__conn_close(client->conn, CORM_IO, "not again");
    assert_int_equal(calls[0].done + calls[1].done + calls[2].done, 0);
    client_wait_closed(client);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(calls[i].done, 1);
        assert_status(calls[i].status, CORM_CANCELLED);
    }
    assert_int_equal(client->closed, 1);
    assert_non_null(strstr(client->error.message, "127.0.0.1:"));
    assert_non_null(strstr(client->error.message, "enough"));
}

static void a_node_that_goes_away_fails_what_is_in_flight(void **state) {
    test_client *client = *state;
    held         h = { 0 };
    test_call    call = { 0 };
    open_holding(client, &h);
    call_send(client, &call, "?");
    wait_held(client, &h, 1);
    peer_close(h.peer);
    client_wait_closed(client);
    assert_status(client->status, CORM_IO);
    assert_status(call.status, CORM_IO);
}

static void close_in_answer(test_call *call) {
    driver__conn_close(call->client->conn, CORM_CLOSED, "from an answer");
}

static void an_answer_may_close_the_connection(void **state) {
    test_client *client = *state;
    test_call    calls[3] = { 0 };
    client_open(client);
    calls[1].then = close_in_answer;
    for (int i = 0; i < 3; i++) call_send(client, &calls[i], "same read");
    client_wait_closed(client);
    assert_status(calls[0].status, CORM_OK);
    assert_status(calls[1].status, CORM_OK);
    assert_status(calls[2].status, CORM_CLOSED); /* its answer lay behind: not read any more */
    for (int i = 0; i < 3; i++) {
        assert_int_equal(calls[i].done, 1);
        base__buf_free(&calls[i].body);
    }
}

static test_call *victim;

static void abandon_victim(test_call *call) {
    (void)call;
    driver__conn_abandon(&victim->call);
}

static void an_answer_may_give_up_another_request(void **state) {
    test_client *client = *state;
    test_call    calls[2] = { 0 };
    client_open(client);
    victim = &calls[1];
    calls[0].then = abandon_victim;
    call_send(client, &calls[0], "both answers");
    call_send(client, &calls[1], "in one read");
    while (client->figures.late_answers == 0) client_turn(client);
    assert_int_equal(calls[0].done, 1);
    assert_int_equal(calls[1].done, 0);
    base__buf_free(&calls[0].body);
}

static void a_failure_may_give_up_another_request(void **state) {
    test_client *client = *state;
    held         h = { 0 };
    test_call    calls[2] = { 0 };
    open_holding(client, &h);
    victim = &calls[1];
    calls[0].then = abandon_victim;
    call_send(client, &calls[0], "?");
    call_send(client, &calls[1], "?");
    driver__conn_close(client->conn, CORM_IO, "cut");
    client_wait_closed(client);
    assert_int_equal(calls[0].done, 1);
    assert_int_equal(calls[1].done, 0);
}

static void try_to_send(test_call *call) {
    test_call  other = { 0 };
    corm_error err;
    assert_status(call_send_bytes(call->client, &other, "?", 1, &err), CORM_IO);
}

static void nothing_can_be_sent_on_a_connection_that_ends(void **state) {
    test_client *client = *state;
    held         h = { 0 };
    test_call    call = { .then = try_to_send };
    open_holding(client, &h);
    call_send(client, &call, "?");
    driver__conn_close(client->conn, CORM_IO, "cut");
    try_to_send(&call);
    client_wait_closed(client);
    assert_int_equal(call.done, 1);
}

static bool send_garbage(test_peer *peer, const wire_frame *frame) {
    static const uint8_t garbage[64] = { 0xff, 0x10, 0x33, 0x99 };
    if (frame->opcode != WIRE_OP_QUERY) return false;
    peer_send_bytes(peer, garbage, sizeof garbage);
    return true;
}

static void damaged_bytes_end_the_connection(void **state) {
    test_client *client = *state;
    test_call    call = { 0 };
    client->server.handle = send_garbage;
    for (uint8_t version = 4; version <= 5; version++) {
        client->options.version = version;
        client_open(client);
        call_send(client, &call, "?");
        client_wait_closed(client);
        assert_status(client->status, CORM_PROTOCOL_ERROR);
        assert_status(call.status, CORM_PROTOCOL_ERROR);
    }
}

static bool answer_otherwise(test_peer *peer, const wire_frame *frame) {
    if (frame->opcode != WIRE_OP_QUERY) return false;
    if (frame->body.data[0] == 'v') peer->encoder.version = 3; /* another version */
    if (frame->body.data[0] == 'r') peer->encoder.response = false;
    int16_t stream = frame->body.data[0] == 's' ? 999 : frame->stream;
    peer_answer(peer, frame->body.data[0] == 'e' ? -1 : stream, WIRE_OP_RESULT, NULL);
    return true;
}

static void an_answer_that_cannot_be_ends_the_connection(void **state) {
    test_client *client = *state;
    test_call    call = { 0 };
    client->server.handle = answer_otherwise;
    for (const char *how = "vrse"; *how; how++) {
        const char text[2] = { *how, '\0' };
        client_open(client);
        call_send(client, &call, text);
        client_wait_closed(client);
        assert_status(client->status, CORM_PROTOCOL_ERROR);
    }
}

static void a_refused_dial_is_heard_of_later(void **state) {
    test_client *client = *state;
    uint16_t     port = client->server.port;
    server_stop_listening(&client->server);
    while (uv_is_active((uv_handle_t *)&client->server.listener)) client_turn(client);
    client->options.address.port = port;
    client_dial(client);
    client_wait_closed(client);
    assert_status(client->status, CORM_IO);
    assert_int_equal(client->ready, 0);
    assert_int_equal(client->figures.dials, 1);
    assert_int_equal(client->figures.dial_failures, 1);
    assert_int_equal(client->figures.connections_closed, 0);
}

static void a_connection_can_be_closed_before_it_is_connected(void **state) {
    test_client *client = *state;
    client_dial(client);
    driver__conn_close(client->conn, CORM_CLOSED, "never mind");
    client_wait_closed(client);
    assert_int_equal(client->ready, 0);
    assert_status(client->status, CORM_CLOSED);
}

static void connections_of_a_loop_share_their_buffer(void **state) {
    test_client *client = *state;
    test_call    a = { 0 };
    test_call    b = { 0 };
    client_open(client);
    driver_conn *first = client->conn;
    client_open(client);
    driver_conn *second = client->conn;
    assert_ptr_equal(first->io, second->io);
    call_send(client, &b, "on the second");
    client->conn = first;
    call_send(client, &a, "on the first");
    while (!a.done || !b.done) client_turn(client);
    call_expect(&a, "on the first");
    call_expect(&b, "on the second");
    driver__conn_close(first, CORM_CLOSED, "done");
    client_wait_closed(client);
    client->conn = second;
}

static void an_idle_connection_remembers_its_keyspace(void **state) {
    test_client *client = *state;
    corm_error   err;
    client_open(client);
    assert_text(driver__conn_keyspace(client->conn), "");
    assert_ok(driver__conn_set_keyspace(client->conn, corm_str_of("shop"), &err), err);
    assert_text(driver__conn_keyspace(client->conn), "shop");
    assert_ok(driver__conn_set_keyspace(client->conn, corm_str_of("x"), &err), err);
    assert_text(driver__conn_keyspace(client->conn), "x");
}

static const struct CMUnitTest tests[] = {
    CLIENT_TEST(answers_go_to_those_who_asked),
    CLIENT_TEST(answers_may_come_in_any_order),
    CLIENT_TEST(what_is_sent_in_one_turn_is_written_at_once),
    CLIENT_TEST(a_request_sent_in_an_answer_leaves_in_the_same_turn),
    CLIENT_TEST(large_messages_pass_in_every_form),
    CLIENT_TEST(answers_in_small_pieces_are_put_together),
    CLIENT_TEST(a_socket_that_takes_no_more_delays_and_loses_nothing),
    CLIENT_TEST(a_full_connection_refuses_and_tells_when_there_is_room),
    CLIENT_TEST(a_dropped_message_leaves_nothing),
    CLIENT_TEST(all_stream_ids_can_be_in_use),
    CLIENT_TEST(a_late_answer_reaches_nobody),
    CLIENT_TEST(a_second_answer_closes_the_connection),
    CLIENT_TEST(a_second_answer_does_not_reach_a_request_sent_in_between),
    CLIENT_TEST(too_many_orphans_end_the_connection),
    CLIENT_TEST(a_drained_connection_ends_with_its_last_answer),
    CLIENT_TEST(a_drained_connection_ends_when_its_last_request_is_given_up),
    CLIENT_TEST(an_idle_connection_is_drained_at_once),
    CLIENT_TEST(closing_fails_what_is_in_flight_first),
    CLIENT_TEST(a_node_that_goes_away_fails_what_is_in_flight),
    CLIENT_TEST(an_answer_may_close_the_connection),
    CLIENT_TEST(an_answer_may_give_up_another_request),
    CLIENT_TEST(a_failure_may_give_up_another_request),
    CLIENT_TEST(nothing_can_be_sent_on_a_connection_that_ends),
    CLIENT_TEST(damaged_bytes_end_the_connection),
    CLIENT_TEST(an_answer_that_cannot_be_ends_the_connection),
    CLIENT_TEST(a_refused_dial_is_heard_of_later),
    CLIENT_TEST(a_connection_can_be_closed_before_it_is_connected),
    CLIENT_TEST(connections_of_a_loop_share_their_buffer),
    CLIENT_TEST(an_idle_connection_remembers_its_keyspace),
};
RUN_TESTS()
