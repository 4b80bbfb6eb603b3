// SPDX-License-Identifier: MIT
/* A server of several loops: connections are spread over them, and what belongs to all of them is one. */
#include <pthread.h>
#include <sched.h>

#include "server/client_for_tests.h"
#include "server/core.h"

enum { LOOPS = 3 };

static served serve_loops(corm_server_options options) {
    options.loops = LOOPS;
    return serve_with(options);
}

static void connections_are_spread_evenly(void **state) {
    (void)state;
    enum { COUNT = 30 };
    client *clients[COUNT];
    served  all = serve_loops((corm_server_options){ 0 });
    for (int i = 0; i < COUNT; i++) clients[i] = dial(&all, 4);
    for (int i = 0; i < LOOPS; i++)
        assert_int_equal(atomic_load(&all.server->loops[i]->conn_count), COUNT / LOOPS);
    assert_int_equal(stats_of(&all).connections, COUNT);
    for (int i = 0; i < COUNT; i++) client_free(clients[i]);
    stop(&all);
}

static void a_statement_prepared_on_one_loop_runs_on_all(void **state) {
    (void)state;
    base_arena   arena = { 0 };
    wire_request execute = { .kind = WIRE_EXECUTE, .options = { .consistency = WIRE_ONE } };
    client      *clients[2 * LOOPS];
    served       all = serve_loops((corm_server_options){ 0 });
    for (int i = 0; i < 2 * LOOPS; i++) clients[i] = dial(&all, 4);
    prepare(clients[0], "SELECT key FROM system.local", &arena);
    for (int i = 0; i < 2 * LOOPS; i++)
        assert_int_equal(ask_request(clients[i], &execute)->opcode, WIRE_OP_RESULT);
    assert_int_equal(stats_of(&all).prepared, 1);
    for (int i = 0; i < 2 * LOOPS; i++) client_free(clients[i]);
    base__arena_free(&arena);
    stop(&all);
}

static void register_for_schema(client *c) {
    corm_str name = corm_str_of("SCHEMA_CHANGE");
    base_buf body = { 0 };
    wire__put_string_list(&body, &name, 1);
    assert_int_equal(ask(c, WIRE_OP_REGISTER, &body)->opcode, WIRE_OP_READY);
    base__buf_free(&body);
}

static void expect_keyspace_event(client *c) {
    wire_event event;
    assert_true(next_frame(c));
    assert_int_equal(c->frame.opcode, WIRE_OP_EVENT);
    assert_int_equal(c->frame.stream, -1);
    assert_ok(wire__event_read(c->frame.body, &event, &err), err);
    assert_text(event.change, "CREATED");
    assert_text(event.keyspace, "k");
}

/* By a client of one loop, and by the session, whose changes the first loop finds. */
static void events_reach_the_clients_of_every_loop(void **state) {
    (void)state;
    static const char *const create =
        "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}";
    for (int by_session = 0; by_session < 2; by_session++) {
        client *watchers[2 * LOOPS];
        served  all = serve_loops((corm_server_options){ 0 });
        client *actor = dial(&all, 4);
        for (int i = 0; i < 2 * LOOPS; i++) register_for_schema(watchers[i] = dial(&all, 5));
        if (by_session)
            assert_ok(corm_execute(all.session, create, NULL, { .error = &err }), err);
        else
            run(actor, create);
        for (int i = 0; i < 2 * LOOPS; i++) expect_keyspace_event(watchers[i]);
        for (int i = 0; i < 2 * LOOPS; i++) client_free(watchers[i]);
        client_free(actor);
        stop(&all);
    }
}

static void the_limit_of_connections_is_one_for_all_loops(void **state) {
    (void)state;
    client *clients[4];
    served  all = serve_loops((corm_server_options){ .max_connections = 4 });
    for (int i = 0; i < 4; i++) clients[i] = dial(&all, 4);
    client *fifth = client_new(&all, 4);
    expect_end(fifth);
    client_free(fifth);
    assert_int_equal(stats_of(&all).refused, 1);
    assert_int_equal(stats_of(&all).accepted, 5);
    for (int i = 0; i < 4; i++) client_free(clients[i]);
    stop(&all);
}

/* ---- many at once ---- */

enum { THREADS = 4, ROUNDS = 60 };

typedef struct worker {
    const served *all;
    int           number;
    uint32_t      refused;
} worker;

/* Dials, sends some requests of every kind at once, counts the answers, and goes in the middle of every third round. */
static void *work(void *context) {
    worker      *me = context;
    wire_request requests[] = { query("SELECT key FROM system.local"),
                                query("SELECT * FROM k.t WHERE a = 1"), query("no CQL at all") };
    for (int round = 0; round < ROUNDS; round++) {
        char    text[80];
        client *c = dial(me->all, (uint8_t)(3 + round % 3));
        snprintf(text, sizeof text, "INSERT INTO k.t (a, b) VALUES (%d, 'x')",
                 me->number * ROUNDS + round);
        wire_request insert = query(text);
        for (int16_t i = 0; i < 12; i++) put_request(c, i, i < 9 ? &requests[i % 3] : &insert);
        send_all(c);
        for (int i = 0; i < 12 && round % 3 != 0; i++) {
            assert_true(next_frame(c));
            wire_error error;
            if (c->frame.opcode != WIRE_OP_ERROR) continue;
            assert_ok(wire__error_read(c->frame.body, c->frame.version, &error, &err), err);
            me->refused += error.code == 0x1001;
        }
        client_free(c);
    }
    return NULL;
}

static uint32_t work_in_threads(const served *all) {
    pthread_t threads[THREADS];
    worker    workers[THREADS];
    uint32_t  refused = 0;
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (worker){ all, i, 0 };
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        refused += workers[i].refused;
    }
    return refused;
}

static void clients_of_all_loops_come_ask_and_go(void **state) {
    (void)state;
    served  all = serve_loops((corm_server_options){ 0 });
    client *c = dial(&all, 4);
    make_table(c);
    assert_int_equal(work_in_threads(&all), 0);
    client_free(c);
    stop(&all);
}

/* What is refused for want of room is counted, and leaves nothing behind in the counts that all loops share. */
static void limits_of_requests_are_one_for_all_loops(void **state) {
    (void)state;
    served  all = serve_loops((corm_server_options){ .max_requests = 3 });
    client *c = dial(&all, 4);
    make_table(c);
    uint32_t refused = work_in_threads(&all);
    while (stats_of(&all).requests > 0) sched_yield(); /* of those who did not wait */
    run(c, "SELECT key FROM system.local");
    assert_true(stats_of(&all).overloaded >= refused);
    assert_int_equal(atomic_load(&all.server->request_bytes), 0);
    client_free(c);
    stop(&all);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(connections_are_spread_evenly),
    cmocka_unit_test(a_statement_prepared_on_one_loop_runs_on_all),
    cmocka_unit_test(events_reach_the_clients_of_every_loop),
    cmocka_unit_test(the_limit_of_connections_is_one_for_all_loops),
    cmocka_unit_test(clients_of_all_loops_come_ask_and_go),
    cmocka_unit_test(limits_of_requests_are_one_for_all_loops),
};

RUN_TESTS()
