// SPDX-License-Identifier: MIT
/* The server without memory: starting is an error, a connection may be lost, and nothing else. */
#include <semaphore.h>

#include "server/client_for_tests.h"
#include "server/core.h"
#include "testing/memory.h"

static void starting_without_memory_is_an_error(void **state) {
    (void)state;
    static const corm_server_user users[] = { { "ada", "x" } };
    corm_session                 *session;
    corm_server_options options = { .port = CORM_ANY_PORT, .users = users, .user_count = 1 };
    bool                started = false;
    if (!testing__memory_can_fail()) skip();
    assert_ok(corm_session_open(&session, "corm::memory:", NULL, &err), err);
    for (size_t n = 0; !started; n++) {
        corm_server *server = NULL;
        testing__memory_fail_from(n);
        corm_status status = corm_server_start(&server, session, &options, &err);
        testing__memory_fail_from(SIZE_MAX);
        started = status == CORM_OK;
        if (!started) assert_null(server);
        corm_server_stop(server);
    }
    corm_session_close(session);
}

/* ---- the loop's thread ---- */

static atomic_size_t fail_from = SIZE_MAX;
static uv_async_cb   own_wake;
static uv_timer_cb   own_tick;
static sem_t         fails_now;

static void wake_and_fail(uv_async_t *wake) {
    server_loop *loop = wake->data;
    size_t       n = atomic_exchange(&fail_from, SIZE_MAX);
    if (n != SIZE_MAX) {
        testing__memory_fail_from(n);
        uv_timer_set_repeat(&loop->clock, 2);
        uv_timer_again(&loop->clock);
        sem_post(&fails_now);
    }
    own_wake(wake);
}

static void tick_with_memory(uv_timer_t *timer) {
    testing__memory_fail_from(SIZE_MAX);
    own_tick(timer);
}

/* What the loop's thread allocates fails from the n-th on, until its clock ticks. */
static void fail_for_a_while(corm_server *server, size_t n) {
    atomic_store(&fail_from, n);
    uv_async_send(&server->loops[0]->wake);
    sem_wait(&fails_now);
}

/* The next frame, or the end: both are answers here. */
static bool try_ask(client *c, wire_opcode opcode, const base_buf *body) {
    put_message(c, 1, opcode, body);
    send_all(c);
    return next_frame(c);
}

static uint32_t lost; /* sessions that ended too early, or had an error */

static void try_session(const served *all) {
    client      *c = client_new(all, 4);
    wire_pair    pair = { corm_str_of("CQL_VERSION"), corm_str_of("3.0.0") };
    wire_request prepare_it = { .kind = WIRE_PREPARE,
                                .text = corm_str_of("SELECT * FROM k.t WHERE a = 1") };
    wire_request execute = { .kind = WIRE_EXECUTE, .options = { .consistency = WIRE_ONE } };
    base_buf     body = { 0 };
    wire__put_startup(&body, &pair, 1);
    if (try_ask(c, WIRE_OP_OPTIONS, NULL) && try_ask(c, WIRE_OP_STARTUP, &body)) {
        for (int i = 0; i < 3 && !c->ended; i++) {
            put_request(c, 2, &prepare_it);
            put_request(c, 3, &execute);
            send_all(c);
            if (next_frame(c)) next_frame(c);
        }
    }
    lost += c->ended || c->frame.opcode == WIRE_OP_ERROR;
    base__buf_free(&body);
    client_free(c);
}

static void a_loop_without_memory_goes_on_when_there_is_some(void **state) {
    (void)state;
    enum { MOST = 60 };
    if (!testing__memory_can_fail()) skip();
    base_arena arena = { 0 };
    served     all = serve_with((corm_server_options){ .loops = 1 });
    client    *c = dial(&all, 4);
    make_table(c);
    prepare(c, "SELECT * FROM k.t WHERE a = 1", &arena);
    server_loop *loop = all.server->loops[0];
    own_wake = loop->wake.async_cb;
    own_tick = loop->clock.timer_cb;
    sem_init(&fails_now, 0, 0);
    loop->wake.async_cb = wake_and_fail;
    loop->clock.timer_cb = tick_with_memory;
    for (size_t n = 0; n < 3 * MOST; n++) {
        fail_for_a_while(all.server, n / 3);
        try_session(&all);
    }
    assert_true(lost > 0);
    client *after = dial(&all, 5);
    run(after, "SELECT * FROM k.t");
    client_free(after);
    client_free(c);
    base__arena_free(&arena);
    stop(&all);
}

static void nothing_is_left_behind(void **state) {
    (void)state;
    long live = 0;
    if (!testing__memory_can_fail()) skip();
    for (int round = 0; round < 3; round++) {
        base_arena arena = { 0 };
        served     all = serve();
        client    *c = dial(&all, 5);
        make_table(c);
        prepare(c, "SELECT * FROM k.t WHERE a = 1", &arena);
        run(c, "SELECT * FROM system_schema.columns");
        base__arena_free(&arena);
        client_free(c);
        stop(&all);
        if (round > 0) assert_int_equal(testing__memory_live(), live);
        live = testing__memory_live();
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(starting_without_memory_is_an_error),
    cmocka_unit_test(a_loop_without_memory_goes_on_when_there_is_some),
    cmocka_unit_test(nothing_is_left_behind),
};

RUN_TESTS()
