// SPDX-License-Identifier: MIT
#include "driver/cluster_for_tests.h"

enum { POOL_THREADS = 64 };

/* Keeps libuv's threads busy, so that a name is not answered until the test lets it. */
typedef struct name_block {
    uv_work_t works[POOL_THREADS];
    sem_t     go;
    uint32_t  done;
} name_block;

static void hold(uv_work_t *work) {
    name_block *block = work->data;
    while (sem_wait(&block->go) != 0) {
    }
}

static void let_go(uv_work_t *work, int status) {
    name_block *block = work->data;
    (void)status;
    block->done++;
}

static void block_names(uv_loop_t *loop, name_block *block) {
    memset(block, 0, sizeof *block);
    assert_int_equal(sem_init(&block->go, 0, 0), 0);
    for (int i = 0; i < POOL_THREADS; i++) {
        block->works[i].data = block;
        assert_int_equal(uv_queue_work(loop, &block->works[i], hold, let_go), 0);
    }
}

static void unblock_names(uv_loop_t *loop, name_block *block) {
    for (int i = 0; i < POOL_THREADS; i++) assert_int_equal(sem_post(&block->go), 0);
    while (block->done < POOL_THREADS) (void)uv_run(loop, UV_RUN_ONCE);
    assert_int_equal(sem_destroy(&block->go), 0);
}

typedef struct seen {
    uint32_t       count, calls;
    corm_status    status;
    driver_address first;
} seen;

static void on_addresses(void *context, corm_status status, const driver_address *addresses,
                         uint32_t count, const corm_error *err) {
    seen *s = context;
    (void)err;
    s->calls++;
    s->status = status;
    s->count = count;
    if (count > 0) s->first = addresses[0];
}

static void open_small(test_cluster *t, uint32_t connect_timeout_ms) {
    corm_cluster_options options = { .pool = { .size = 1 },
                                     .connect_timeout_ms = connect_timeout_ms };
    test_begin(t, &(corm_fake_options){ .nodes = 1 });
    test_open(t, &options);
}

static void a_name_gives_its_addresses_with_the_name(void **state) {
    (void)state;
    test_cluster    t;
    seen            s = { 0 };
    driver_resolve *resolve;
    corm_error      err;
    open_small(&t, 10000);
    assert_ok(driver__resolve(t.cluster, "localhost", 9142, on_addresses, &s, &resolve, &err), err);
    assert_int_equal(s.calls, 0); /* never before it returns */
    TURN_UNTIL(&t, s.calls == 1);
    assert_status(s.status, CORM_OK);
    assert_true(s.count >= 1);
    assert_string_equal(s.first.name, "localhost");
    assert_int_equal(s.first.port, 9142);
    assert_true(s.first.sa.ss_family == AF_INET || s.first.sa.ss_family == AF_INET6);
    test_end(&t);
}

static void a_name_that_is_slow_holds_nobody_up(void **state) {
    (void)state;
    test_cluster    t;
    name_block      block;
    seen            s = { 0 };
    driver_resolve *resolve;
    corm_error      err;
    open_small(&t, 30);
    block_names(&t.loop, &block);
    assert_ok(driver__resolve(t.cluster, "localhost", 1, on_addresses, &s, &resolve, &err), err);
    wire_request request = { .kind = WIRE_QUERY,
                             .text = corm_str_of("SELECT v FROM shop.t"),
                             .options.consistency = WIRE_ONE };
    wire_answer  answer = { 0 };
    corm_str     none = { "", 0 };
    assert_ok(driver__execute(t.cluster, none, &request, &answer, &err), err);
    wire__answer_free(&answer);
    TURN_UNTIL(&t, s.calls == 1);
    assert_status(s.status, CORM_TIMEOUT);
    unblock_names(&t.loop, &block); /* its late answer is nobody's */
    TURN_UNTIL(&t, t.cluster->dials->names == NULL);
    assert_int_equal(s.calls, 1);
    test_end(&t);
}

static void who_cancels_hears_nothing(void **state) {
    (void)state;
    test_cluster    t;
    seen            s = { 0 };
    driver_resolve *resolve;
    corm_error      err;
    open_small(&t, 10000);
    assert_ok(driver__resolve(t.cluster, "localhost", 1, on_addresses, &s, &resolve, &err), err);
    driver__resolve_cancel(resolve);
    TURN_UNTIL(&t, t.cluster->dials->names == NULL);
    assert_int_equal(s.calls, 0);
    driver__resolve_cancel(NULL);
    test_end(&t);
}

static void closing_does_not_wait_for_a_name(void **state) {
    (void)state;
    test_cluster    t;
    name_block      block;
    seen            s = { 0 };
    driver_resolve *resolve;
    corm_error      err;
    open_small(&t, 3600000);
    block_names(&t.loop, &block);
    assert_ok(driver__resolve(t.cluster, "localhost", 1, on_addresses, &s, &resolve, &err), err);
    driver__resolve_cancel(resolve); /* as whoever waits for it does when the cluster closes */
    test_close(&t);
    unblock_names(&t.loop, &block);
    test_end(&t);
    assert_int_equal(s.calls, 0);
}

static void the_thread_outlives_the_session_by_a_name(void **state) {
    (void)state;
    test_cluster    t;
    name_block      block;
    driver_settings settings;
    driver_cluster *cluster;
    corm_error      err;
    open_small(&t, 10000);
    block_names(&t.loop, &block);
    uint16_t             port = corm_fake_port(t.fake);
    const driver_contact contacts[] = { { "localhost", port }, { "127.0.0.1", port } };
    corm_cluster_options options = { .connect_timeout_ms = 50 };
    assert_ok(driver__settings_make(contacts, 2, &options, 0, &settings, &err), err);
    assert_ok(driver__open(&settings, &cluster, &err), err); /* by the other contact point */
    driver__close(cluster);
    unblock_names(&t.loop, &block);
    test_end(&t);
}

static void addresses_are_numbers_or_none(void **state) {
    (void)state;
    driver_address a, b;
    assert_true(driver__address_numeric("10.1.2.3", 7, &a));
    assert_string_equal(a.text, "10.1.2.3");
    assert_int_equal(a.sa.ss_family, AF_INET);
    assert_true(driver__address_numeric("::1", 7, &b));
    assert_int_equal(b.sa.ss_family, AF_INET6);
    assert_false(driver__address_equal(&a, &b));
    driver__address_set_port(&b, 8);
    assert_int_equal(b.port, 8);
    assert_false(driver__address_numeric("localhost", 7, &a));
    assert_false(driver__address_numeric("", 7, &a));
    driver__address_of_inet((corm_inet){ { 10, 1, 2, 3 }, 4 }, 7, &b);
    assert_true(driver__address_numeric("10.1.2.3", 7, &a));
    assert_true(driver__address_equal(&a, &b));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_name_gives_its_addresses_with_the_name),
    cmocka_unit_test(a_name_that_is_slow_holds_nobody_up),
    cmocka_unit_test(who_cancels_hears_nothing),
    cmocka_unit_test(closing_does_not_wait_for_a_name),
    cmocka_unit_test(the_thread_outlives_the_session_by_a_name),
    cmocka_unit_test(addresses_are_numbers_or_none),
};

RUN_TESTS()
