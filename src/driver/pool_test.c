// SPDX-License-Identifier: MIT
#include "driver/cluster_for_tests.h"
#include "driver/pool_shards.h"

enum { MANY = 16 };

/* Requests of the test's, and how they ended. */
typedef struct test_requests {
    wire_request request;
    wire_answer  answers[MANY];
    uint32_t     ended, refused;
    corm_status  last;
} test_requests;

static void on_end(void *context, corm_status status, const corm_error *err) {
    test_requests *requests = context;
    (void)err;
    requests->ended++;
    requests->refused += status != CORM_OK;
    requests->last = status;
}

static void submit(test_cluster *t, test_requests *requests, uint32_t count) {
    corm_str none = { "", 0 };
    requests->request = (wire_request){
        .kind = WIRE_QUERY,
        .text = corm_str_of("SELECT v FROM shop.t"),
        .options.consistency = WIRE_ONE,
    };
    for (uint32_t i = 0; i < count; i++) {
        driver__submit(t->cluster, none, &requests->request, &requests->answers[i], on_end,
                       requests);
    }
}

static void release(test_requests *requests) {
    for (uint32_t i = 0; i < MANY; i++) wire__answer_free(&requests->answers[i]);
}

static driver_pool *only_pool(const test_cluster *t) {
    return t->cluster->nodes[0]->pool;
}

static void hold_answers(test_cluster *t) {
    const corm_fake_rule rule = { .node = -1, .match = "shop.t", .no_answer = true };
    (void)corm_fake_add_rule(t->fake, &rule);
}

static corm_cluster_options with_pool(corm_pool_options pool) {
    return (corm_cluster_options){
        .pool = pool,
        .reconnection = { .base_delay_ms = 20, .max_delay_ms = 100 },
        .connect_timeout_ms = 2000,
    };
}

/* ---- packing and growing ---- */

static void requests_are_packed_on_one_connection(void **state) {
    (void)state;
    test_cluster         t;
    test_requests        requests = { 0 };
    corm_cluster_options options = with_pool((corm_pool_options){ .size = 3 });
    test_begin(&t, &(corm_fake_options){ .nodes = 1 });
    hold_answers(&t);
    test_open(&t, &options);
    TURN_UNTIL(&t, only_pool(&t)->ready == 3);
    submit(&t, &requests, 10);
    const driver_bunch *bunch = &only_pool(&t)->bunches[0];
    assert_int_equal(driver__conn_in_flight(bunch->conns[0]), 10);
    assert_int_equal(driver__conn_in_flight(bunch->conns[1]), 0);
    test_end(&t);
    assert_int_equal(requests.ended, 10);
    release(&requests);
}

static void a_pool_grows_while_all_connections_are_full_and_shrinks_when_idle(void **state) {
    (void)state;
    test_cluster         t;
    test_requests        requests = { 0 };
    const corm_fake_rule slow = { .node = -1, .match = "shop.t", .delay_ms = 200 };
    corm_cluster_options options = with_pool((corm_pool_options){
        .size = 1, .max_size = 3, .requests_per_connection = 2, .idle_timeout_ms = 60 });
    test_begin(&t, &(corm_fake_options){ .nodes = 1 });
    (void)corm_fake_add_rule(t.fake, &slow);
    test_open(&t, &options);
    driver_pool *pool = only_pool(&t);
    submit(&t, &requests, 10);
    assert_int_equal(t.cluster->waiting_count, 8);
    TURN_UNTIL(&t, pool->ready == 3);
    while (requests.ended < 10) {
        assert_true(pool->ready + pool->dialling <= 3);
        (void)uv_run(&t.loop, UV_RUN_ONCE);
    }
    assert_int_equal(requests.refused, 0);
    assert_int_equal(t.cluster->waiting_count, 0);
    TURN_UNTIL(&t, pool->ready == 1);
    TURN_UNTIL(&t, corm_fake_count(t.fake, 0).open_connections == 2);
    assert_int_equal(pool->wanted, 1);
    test_end(&t);
    release(&requests);
}

static void too_many_that_wait_are_refused(void **state) {
    (void)state;
    test_cluster         t;
    test_requests        requests = { 0 };
    corm_cluster_options options = with_pool((corm_pool_options){
        .size = 1, .max_size = 1, .requests_per_connection = 1, .max_queued = 3 });
    test_begin(&t, &(corm_fake_options){ .nodes = 1 });
    hold_answers(&t);
    test_open(&t, &options);
    submit(&t, &requests, 5);
    assert_int_equal(t.cluster->waiting_count, 3);
    assert_int_equal(requests.refused, 1);
    assert_int_equal(requests.last, CORM_OVERLOADED);
    const corm_stats *stats;
    corm_error        err;
    assert_ok(driver__stats(t.cluster, &stats, &err), err);
    assert_int_equal(stats->queued, 3);
    assert_int_equal(stats->in_flight, 1);
    free((void *)(uintptr_t)stats);
    test_end(&t);
    assert_int_equal(requests.ended, 5);
    release(&requests);
}

static void a_lost_connection_is_replaced_while_the_others_go_on(void **state) {
    (void)state;
    test_cluster         t;
    corm_cluster_options options = with_pool((corm_pool_options){ .size = 3 });
    test_begin(&t, &(corm_fake_options){ .nodes = 1 });
    test_open(&t, &options);
    driver_pool *pool = only_pool(&t);
    TURN_UNTIL(&t, pool->ready == 3);
    driver_conn *lost = pool->bunches[0].conns[0];
    driver__conn_close(lost, CORM_IO, "the test cut it");
    assert_ptr_not_equal(driver__node_connection(t.cluster->nodes[0], -1), lost);
    assert_int_equal(pool->ready, 2);
    TURN_UNTIL(&t, pool->ready == 3);
    assert_int_equal(test_events(&t, "down", "127.0.0.1"), 0);
    assert_int_equal(atomic_load(&t.cluster->nodes[0]->figures.connections_closed), 1);
    test_end(&t);
}

static void pauses_between_dials_grow_and_differ(void **state) {
    (void)state;
    test_cluster         t;
    corm_cluster_options options = with_pool((corm_pool_options){ .size = 1 });
    options.reconnection =
        (corm_reconnection_options){ .base_delay_ms = 100, .max_delay_ms = 1000 };
    test_begin(&t, &(corm_fake_options){ .nodes = 1 });
    test_open(&t, &options);
    static const uint32_t middle[] = { 0, 100, 200, 400, 800, 1000, 1000 };
    bool                  differ = false;
    for (uint32_t failures = 0; failures < 7; failures++) {
        uint32_t first = driver__redial_ms(t.cluster, failures);
        for (int i = 0; i < 50; i++) {
            uint32_t delay = driver__redial_ms(t.cluster, failures);
            assert_in_range(delay, middle[failures] * 85 / 100, middle[failures] * 115 / 100);
            differ |= delay != first;
        }
    }
    assert_true(differ);
    assert_in_range(driver__redial_ms(t.cluster, 4000000000u), 850, 1150);
    test_end(&t);
}

static void a_bucket_gives_so_many_a_second(void **state) {
    (void)state;
    const uint64_t second = 1000000000;
    driver_bucket  bucket;
    driver__bucket_init(&bucket, 2, 5 * second);
    assert_true(driver__bucket_take(&bucket, 5 * second));
    assert_true(driver__bucket_take(&bucket, 5 * second));
    assert_false(driver__bucket_take(&bucket, 5 * second));
    assert_int_equal(driver__bucket_wait_ms(&bucket), 500);
    assert_false(driver__bucket_take(&bucket, 5 * second + second / 4));
    assert_int_equal(driver__bucket_wait_ms(&bucket), 250);
    assert_true(driver__bucket_take(&bucket, 5 * second + second / 2));
    assert_int_equal(driver__bucket_wait_ms(&bucket), 500);
    for (int i = 0; i < 2; i++) assert_true(driver__bucket_take(&bucket, 60 * second));
    assert_false(
        driver__bucket_take(&bucket, 60 * second)); /* nothing is saved beyond a second's worth */
}

/* ---- shards ---- */

static bool each_shard_has(const driver_pool *pool, uint32_t shards, uint32_t count) {
    if (pool->bunch_count != shards) return false;
    for (uint32_t i = 0; i < shards; i++) {
        if (pool->bunches[i].count != count) return false;
    }
    return true;
}

static void every_shard_has_its_connections(void **state) {
    (void)state;
    test_cluster         t;
    corm_cluster_options options = with_pool((corm_pool_options){ .size = 8 });
    test_begin(&t, &(corm_fake_options){ .nodes = 1, .shards = 4 });
    test_open(&t, &options);
    TURN_UNTIL(&t, each_shard_has(only_pool(&t), 4, 2));
    assert_int_equal(t.cluster->nodes[0]->view.shard_count, 4);
    assert_false(only_pool(&t)->no_shard_port);
    for (int32_t shard = 0; shard < 4; shard++) {
        const driver_conn *conn = driver__node_connection(t.cluster->nodes[0], shard);
        assert_int_equal(driver__conn_sharding(conn)->shard, shard);
    }
    assert_non_null(driver__node_connection(t.cluster->nodes[0], -1));
    test_end(&t);
}

static void behind_translation_the_ordinary_port_is_used(void **state) {
    (void)state;
    test_cluster         t;
    corm_cluster_options options = with_pool((corm_pool_options){ .size = 4 });
    test_begin(&t, &(corm_fake_options){ .nodes = 1, .shards = 4, .nat = true });
    test_open(&t, &options);
    TURN_UNTIL(&t, only_pool(&t)->no_shard_port && only_pool(&t)->ready >= 4 &&
                       only_pool(&t)->dialling == 0);
    assert_true(test_logged(&t, "the ordinary one is used"));
    assert_true(only_pool(&t)->ready <= 8);
    assert_non_null(driver__node_connection(t.cluster->nodes[0], 3));
    test_end(&t);
}

static void shards_can_be_ignored(void **state) {
    (void)state;
    test_cluster         t;
    corm_cluster_options options = with_pool((corm_pool_options){ .size = 2 });
    options.no_shard_awareness = true;
    test_begin(&t, &(corm_fake_options){ .nodes = 1, .shards = 4 });
    test_open(&t, &options);
    TURN_UNTIL(&t, only_pool(&t)->ready == 2);
    assert_int_equal(only_pool(&t)->bunch_count, 1);
    assert_int_equal(driver__node_shard(t.cluster->nodes[0], 7), -1);
    test_end(&t);
}

static void the_shard_of_a_token_is_scylladbs(void **state) {
    (void)state;
    driver_node node = { .sharding = { .shard_count = 4 } };
    assert_int_equal(driver__node_shard(&node, INT64_MIN), 0);
    assert_int_equal(driver__node_shard(&node, -1), 1);
    assert_int_equal(driver__node_shard(&node, 0), 2);
    assert_int_equal(driver__node_shard(&node, INT64_MAX), 3);
    node.sharding.ignore_msb =
        12; /* the highest bits choose nothing: tokens that differ below them are spread */
    assert_int_equal(driver__node_shard(&node, 0), 0);
    assert_int_equal(driver__node_shard(&node, (int64_t)1 << 50), 1);
    assert_int_equal(driver__node_shard(&node, (int64_t)3 << 50), 3);
    assert_int_equal(driver__node_shard(&node, (int64_t)4 << 50), 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(requests_are_packed_on_one_connection),
    cmocka_unit_test(a_pool_grows_while_all_connections_are_full_and_shrinks_when_idle),
    cmocka_unit_test(too_many_that_wait_are_refused),
    cmocka_unit_test(a_lost_connection_is_replaced_while_the_others_go_on),
    cmocka_unit_test(pauses_between_dials_grow_and_differ),
    cmocka_unit_test(a_bucket_gives_so_many_a_second),
    cmocka_unit_test(every_shard_has_its_connections),
    cmocka_unit_test(behind_translation_the_ordinary_port_is_used),
    cmocka_unit_test(shards_can_be_ignored),
    cmocka_unit_test(the_shard_of_a_token_is_scylladbs),
};

RUN_TESTS()
