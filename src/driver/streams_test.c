// SPDX-License-Identifier: MIT
/* Stream ids by themselves, and by chance: requests that are answered in any order, late or never, and given up at any time. */
#include "driver/conn_for_tests.h"

/* ---- the table ---- */

static driver_call some_calls[70000];

static void an_id_rests_before_it_is_used_again(void **state) {
    driver_streams streams = { 0 };
    bool           orphan;
    (void)state;
    int32_t first = driver__streams_take(&streams, &some_calls[0]);
    assert_ptr_equal(driver__streams_answer(&streams, (uint32_t)first, &orphan), &some_calls[0]);
    for (int i = 0; i < 60; i++) {
        int32_t next = driver__streams_take(&streams, &some_calls[1]);
        assert_int_not_equal(next, first);
        assert_ptr_equal(driver__streams_answer(&streams, (uint32_t)next, &orphan), &some_calls[1]);
    }
    assert_null(driver__streams_answer(&streams, (uint32_t)first, &orphan));
    assert_false(orphan);
    driver__streams_free(&streams);
}

static void ids_run_out_at_their_number(void **state) {
    driver_streams streams = { 0 };
    bool           orphan;
    (void)state;
    for (int i = 0; i < DRIVER_MOST_STREAMS; i++) {
        int32_t id = driver__streams_take(&streams, &some_calls[i]);
        assert_in_range(id, 0, DRIVER_MOST_STREAMS - 1);
        assert_ptr_equal((driver_call *)streams.slots[id], &some_calls[i]);
    }
    assert_int_equal(driver__streams_take(&streams, &some_calls[0]), -1);
    assert_int_equal(streams.in_flight, DRIVER_MOST_STREAMS);
    driver__streams_orphan(&streams, 77);
    assert_int_equal(driver__streams_take(&streams, &some_calls[0]), -1);
    assert_null(driver__streams_answer(&streams, 77, &orphan));
    assert_true(orphan);
    assert_int_equal(driver__streams_take(&streams, &some_calls[0]), 77);
    assert_null(driver__streams_answer(&streams, 40000, &orphan));
    uint32_t at = 0;
    int      drained = 0;
    while (driver__streams_drain(&streams, &at)) drained++;
    assert_int_equal(drained, DRIVER_MOST_STREAMS);
    assert_int_equal(streams.in_flight, 0);
    driver__streams_free(&streams);
}

/* ---- by chance ---- */

static uint64_t chance_state;

static uint32_t chance(uint32_t bound) {
    chance_state = chance_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(chance_state >> 33) % bound;
}

enum { SLOTS = 512, REQUESTS = 20000 };

typedef struct waiting {
    int16_t stream;
    char    text[12];
} waiting;

typedef struct chaos {
    test_peer *peer;
    waiting    waiting[2048];
    uint32_t   count;
} chaos;

static bool keep(test_peer *peer, const wire_frame *frame) {
    chaos *c = peer->server->context;
    if (frame->opcode != WIRE_OP_QUERY) return false;
    assert_true(c->count < 2048 && frame->body.len < 12);
    waiting *w = &c->waiting[c->count++];
    *w = (waiting){ .stream = frame->stream };
    memcpy(w->text, frame->body.data, frame->body.len);
    c->peer = peer;
    return true;
}

static void answer_one(chaos *c) {
    uint32_t at = chance(c->count);
    waiting  w = c->waiting[at];
    base_buf body = { 0 };
    c->waiting[at] = c->waiting[--c->count];
    base__buf_puts(&body, w.text);
    peer_answer(c->peer, w.stream, WIRE_OP_RESULT, &body);
    base__buf_free(&body);
}

typedef struct slot {
    test_call call; /* first */
    char      text[12];
    bool      busy;
} slot;

static void check_answer(test_call *call) {
    slot *s = (slot *)call;
    assert_true(s->busy);
    assert_status(call->status, CORM_OK);
    assert_text(base__buf_str(&call->body), s->text);
    s->busy = false;
}

static void act(test_client *client, slot *slots, uint32_t *sent) {
    slot *s = &slots[chance(SLOTS)];
    if (!s->busy) {
        s->busy = true;
        s->call.then = check_answer;
        (void)snprintf(s->text, sizeof s->text, "%u", (*sent)++);
        call_send(client, &s->call, s->text);
    } else if (chance(4) == 0) {
        driver__conn_abandon(&s->call.call);
        s->busy = false;
    }
}

static void no_answer_reaches_another_request(void **state) {
    test_client *client = *state;
    static chaos c;
    static slot  slots[SLOTS];
    uint32_t     sent = 0;
    chance_state = 1;
    c = (chaos){ 0 };
    memset(slots, 0, sizeof slots);
    client->server.handle = keep;
    client->server.context = &c;
    client->wanted.pool.requests_per_connection = 4096; /* a quarter may be orphans */
    client_open(client);
    while (sent < REQUESTS) {
        for (uint32_t i = chance(40); i > 0; i--) act(client, slots, &sent);
        uv_run(&client->loop, UV_RUN_NOWAIT);
        for (uint32_t i = chance(60); i > 0 && c.count > 0; i--) answer_one(&c);
        assert_int_equal(client->closed, 0);
    }
    while (driver__conn_in_flight(client->conn) + driver__conn_orphans(client->conn) > 0) {
        uv_run(&client->loop, UV_RUN_NOWAIT);
        while (c.count > 0) answer_one(&c);
    }
    assert_true(client->figures.late_answers > 100);
    for (int i = 0; i < SLOTS; i++) {
        assert_false(slots[i].busy);
        base__buf_free(&slots[i].call.body);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(an_id_rests_before_it_is_used_again),
    cmocka_unit_test(ids_run_out_at_their_number),
    CLIENT_TEST(no_answer_reaches_another_request),
};
RUN_TESTS()
