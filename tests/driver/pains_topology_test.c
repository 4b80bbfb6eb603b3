// SPDX-License-Identifier: MIT
/* pains_topology_test.c -- pains 1 to 12: addresses, names, reconnecting, nodes that come and go. */
#include <uv.h>

#include "resolver.h"

#include "pains.h"

static const char *named_uri(const corm_fake_cluster *fake, char out[64]) {
    snprintf(out, 64, "cassandra://cluster.test:%u", (unsigned)corm_fake_port(fake));
    return out;
}

/* Pain 1. */
static void a_node_that_changed_its_address_is_found_by_its_host_id(void **state) {
    (void)state;
    corm_fake_cluster *fake = start_fake((corm_fake_options){ .nodes = 3 });
    corm_session      *session = open_session(fake, quick());
    WAIT_FOR(node_of(session, 2).up);
    corm_uuid id = node_of(session, 2).host_id;
    char      host[37];
    corm_uuid_format(id, host);
    corm_fake_move(fake, 1, 22);
    corm_fake_send_event(fake, "UP", 1);
    WAIT_FOR(node_of(session, 22).up);
    assert_true(corm_uuid_equal(node_of(session, 22).host_id, id));
    assert_int_equal(stats_of(session).nodes, 3);
    uint64_t             before = corm_fake_count(fake, 1).requests;
    corm_execute_options options = { .request = { .host = host } };
    assert_status(corm_execute_with(session, "SELECT k FROM t", &options, NULL), CORM_OK);
    assert_int_equal(corm_fake_count(fake, 1).requests, before + 1);
    corm_session_close(session);
    corm_fake_stop(fake);
}

/* Pain 2. */
static void a_contact_points_name_is_resolved_again(void **state) {
    (void)state;
    char               uri[64];
    corm_fake_cluster *fake = start_fake((corm_fake_options){ 0 });
    RESOLVE_TO(1);
    corm_session *session = open_uri(named_uri(fake, uri), quick());
    must_run(session, "SELECT k FROM t");
    int lookups = atomic_load(&resolver.lookups);
    corm_fake_move(fake, 0, 44);
    RESOLVE_TO(44);
    WAIT_FOR(run_text(session, "SELECT k FROM t") == CORM_OK);
    assert_true(atomic_load(&resolver.lookups) > lookups);
    assert_int_equal(stats_of(session).nodes, 1);
    corm_session_close(session);
    corm_fake_stop(fake);
}

/* Pain 3. */
static void every_address_of_a_name_is_tried(void **state) {
    (void)state;
    char               uri[64];
    corm_fake_cluster *fake = start_fake((corm_fake_options){ 0 });
    RESOLVE_TO(77, 78, 79, 1);
    for (int i = 0; i < 6; i++) {
        corm_session *session = open_uri(named_uri(fake, uri), quick());
        must_run(session, "SELECT k FROM t");
        corm_session_close(session);
    }
    corm_fake_stop(fake);
}

static void on_tick(uv_timer_t *timer) {
    int *ticks = timer->data;
    if (++*ticks == 3) RESOLVE_TO(1);
}

/* Pain 4. The name is resolved only after the loop has gone on; waiting for it there would never end. */
static void resolving_a_name_does_not_stop_the_loop(void **state) {
    (void)state;
    char                 uri[64];
    uv_loop_t            loop;
    uv_timer_t           timer;
    int                  ticks = 0;
    corm_fake_cluster   *fake = start_fake((corm_fake_options){ 0 });
    corm_cluster_options options = quick();
    resolver_set(NULL, 0, true);
    assert_int_equal(uv_loop_init(&loop), 0);
    uv_timer_init(&loop, &timer);
    timer.data = &ticks;
    uv_timer_start(&timer, on_tick, 1, 1);
    options.loop = &loop;
    corm_session *session = open_uri(named_uri(fake, uri), options);
    assert_true(ticks >= 3);
    corm_session_close(session);
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    corm_fake_stop(fake);
}

/* Pain 5. */
static void dials_keep_to_their_budget_when_every_node_is_gone(void **state) {
    enum { BUDGET = 40 };
    (void)state;
    corm_fake_cluster   *fake = start_fake((corm_fake_options){ .nodes = 3 });
    corm_cluster_options options = quick();
    options.pool.size = options.pool.max_size = 8;
    options.reconnection.dials_per_second = BUDGET;
    options.reconnection.base_delay_ms = options.reconnection.max_delay_ms = 1;
    corm_session *session = open_session(fake, options);
    for (uint32_t i = 0; i < 3; i++) corm_fake_kill(fake, i);
    WAIT_FOR(stats_of(session).nodes_up == 0);
    int64_t  begun = base__clock_mono_ns();
    uint64_t dials = stats_of(session).dials;
    WAIT_FOR(stats_of(session).dials_delayed > 0);
    WAIT_FOR(stats_of(session).dials >= dials + BUDGET);
    uint64_t made = stats_of(session).dials - dials;
    double   seconds = (double)(base__clock_mono_ns() - begun) / 1e9;
    if ((double)made > (seconds + 1) * BUDGET + 1) {
        fail_msg("%u dials in %.2f s", (unsigned)made, seconds);
    }
    for (uint32_t i = 0; i < 3; i++) corm_fake_revive(fake, i);
    WAIT_FOR(stats_of(session).nodes_up == 3);
    corm_session_close(session);
    corm_fake_stop(fake);
}

/* Pain 6. */
static void after_a_restart_a_pool_has_its_size_and_no_request_was_lost(void **state) {
    (void)state;
    corm_fake_cluster   *fake = start_fake((corm_fake_options){ .nodes = 3 });
    corm_cluster_options options = quick();
    tasks                all = { .count = 0 };
    corm_fake_rule       slow = { .node = -1, .match = "FROM t", .delay_ms = 5 };
    options.pool.size = options.pool.max_size = 3;
    corm_session *session = open_session(fake, options);
    corm_fake_add_rule(fake, &slow);
    WAIT_FOR(stats_of(session).connections == 9);
    for (int i = 0; i < 300; i++) {
        begin_text(&all, session, "SELECT k FROM t WHERE k = 1", NULL);
        if (i == 100) corm_fake_kill(fake, 1);
        if (i == 200) corm_fake_revive(fake, 1);
    }
    end_all(&all);
    assert_int_equal(ended_with(&all, CORM_OK), 300);
    WAIT_FOR(stats_of(session).connections == 9 && stats_of(session).connecting == 0);
    /* The control connection is the tenth. */
    WAIT_FOR(corm_fake_count(fake, -1).open_connections <= 10);
    assert_int_equal(node_of(session, 2).connections, 3);
    corm_session_close(session);
    corm_fake_stop(fake);
}

/* Pain 7. */
static void an_event_is_a_hint_a_false_down_changes_nothing(void **state) {
    (void)state;
    corm_fake_cluster *fake = start_fake((corm_fake_options){ .nodes = 3 });
    corm_session      *session = open_session(fake, quick());
    WAIT_FOR(stats_of(session).nodes_up == 3);
    for (uint32_t i = 0; i < 3; i++) corm_fake_send_event(fake, "DOWN", i);
    for (int i = 0; i < 30; i++) must_run(session, "SELECT k FROM t");
    WAIT_FOR(stats_of(session).nodes_up == 3);
    corm_session_close(session);
    corm_fake_stop(fake);
}

/* Pain 7, the other half: the pause before the next dial would be an hour. */
static void an_event_is_a_hint_an_up_dials_at_once(void **state) {
    (void)state;
    corm_fake_cluster   *fake = start_fake((corm_fake_options){ .nodes = 2 });
    corm_cluster_options options = quick();
    options.reconnection.base_delay_ms = options.reconnection.max_delay_ms = 3600000;
    corm_session *session = open_session(fake, options);
    WAIT_FOR(stats_of(session).nodes_up == 2);
    /* The node without the control connection. */
    uint32_t other = corm_fake_count(fake, 0).registers > 0 ? 1 : 0;
    corm_fake_kill(fake, other);
    WAIT_FOR(stats_of(session).nodes_up == 1);
    corm_fake_send_event(fake, "UP", other); /* a lie */
    corm_fake_revive(fake, other);
    corm_fake_send_event(fake, "UP", other);
    WAIT_FOR(stats_of(session).nodes_up == 2);
    corm_session_close(session);
    corm_fake_stop(fake);
}

/* Pain 8. */
static void a_shard_aware_port_behind_nat_does_no_harm(void **state) {
    (void)state;
    corm_fake_cluster   *fake = start_fake((corm_fake_options){ .shards = 8, .nat = true });
    corm_cluster_options options = quick();
    options.pool.size = 8;
    options.pool.max_size = 8;
    corm_session *session = open_session(fake, options);
    WAIT_FOR(stats_of(session).connections >= 1 && stats_of(session).connecting == 0);
    for (int i = 0; i < 200; i++) must_run(session, "SELECT k FROM t WHERE k = 1");
    assert_true(corm_fake_count(fake, -1).connections <= 64);
    corm_session_close(session);
    corm_fake_stop(fake);
}

/* Pain 8, where there is no NAT: every shard has its connection. */
static void every_shard_gets_a_connection_by_its_port(void **state) {
    (void)state;
    corm_fake_cluster   *fake = start_fake((corm_fake_options){ .shards = 4 });
    corm_cluster_options options = quick();
    options.pool.size = 4;
    options.pool.max_size = 4;
    corm_session *session = open_session(fake, options);
    WAIT_FOR(stats_of(session).connections == 4);
    corm_prepared *prepared = prepare_text(session, "SELECT k FROM t WHERE k = ?");
    bool           seen[4] = { false };
    for (int32_t i = 0; i < 400; i++) {
        corm_statement *statement = statement_of(prepared, i);
        char            shard[256];
        assert_status(corm_run(statement, NULL, NULL), CORM_OK);
        last_part(fake, "shard", shard);
        seen[atoi(shard)] = true;
        corm_statement_free(statement);
    }
    for (int i = 0; i < 4; i++) assert_true(seen[i]);
    corm_prepared_free(prepared);
    corm_session_close(session);
    corm_fake_stop(fake);
}

typedef struct load {
    corm_session *session;
    atomic_bool   over;
    atomic_uint   failed, done;
} load;

static void *run_load(void *argument) {
    load *own = argument;
    while (!atomic_load(&own->over)) {
        corm_status status = run_text(own->session, "SELECT k FROM t WHERE k = 1");
        atomic_fetch_add(status == CORM_OK ? &own->done : &own->failed, 1);
    }
    return NULL;
}

/* Pain 10. */
static void a_node_that_returns_again_and_again_breaks_nothing(void **state) {
    (void)state;
    corm_fake_cluster *fake = start_fake((corm_fake_options){ .nodes = 3 });
    load               own = { .session = open_session(fake, quick()) };
    pthread_t          threads[4];
    WAIT_FOR(stats_of(own.session).nodes_up == 3);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, run_load, &own), 0);
    }
    for (uint32_t round = 0; round < 12; round++) {
        unsigned done = atomic_load(&own.done);
        corm_fake_kill(fake, round % 3);
        WAIT_FOR(atomic_load(&own.done) > done + 10);
        corm_fake_revive(fake, round % 3);
        WAIT_FOR(stats_of(own.session).nodes_up == 3);
    }
    atomic_store(&own.over, true);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&own.failed), 0);
    corm_session_close(own.session);
    corm_fake_stop(fake);
}

typedef struct heard {
    atomic_int removed, texts;
} heard;

static void on_node(void *context, const corm_node *node, const char *event) {
    heard *own = context;
    (void)node;
    if (strcmp(event, "removed") == 0) atomic_fetch_add(&own->removed, 1);
}

static void on_log(void *context, const char *text) {
    heard *own = context;
    (void)text;
    atomic_fetch_add(&own->texts, 1);
}

/* Pain 11. */
static void a_node_that_was_taken_out_is_forgotten(void **state) {
    (void)state;
    heard                own = { 0 };
    corm_fake_cluster   *fake = start_fake((corm_fake_options){ .nodes = 3 });
    corm_cluster_options options = quick();
    options.hooks = (corm_hooks){ .context = &own, .node = on_node, .log = on_log };
    options.reconnection.base_delay_ms = options.reconnection.max_delay_ms = 1;
    corm_session *session = open_session(fake, options);
    WAIT_FOR(stats_of(session).nodes_up == 3);
    uint32_t gone = corm_fake_count(fake, 2).registers > 0 ? 1 : 2;
    corm_fake_remove_node(fake, gone);
    WAIT_FOR(stats_of(session).nodes == 2);
    assert_int_equal(atomic_load(&own.removed), 1);
    WAIT_FOR(stats_of(session).connecting == 0);
    uint64_t dials = stats_of(session).dials;
    for (int i = 0; i < 100; i++) must_run(session, "SELECT k FROM t");
    assert_int_equal(stats_of(session).dials, dials);
    assert_true(atomic_load(&own.texts) <= 3);
    corm_session_close(session);
    corm_fake_stop(fake);
}

/* Pain 12. */
static void a_service_without_peers_schema_or_tokens_is_used_all_the_same(void **state) {
    (void)state;
    corm_fake_cluster *fake = start_fake((corm_fake_options){ .most_version = 4 });
    corm_fake_rule     no_peers = { .node = -1, .match = "system.peers", .error = CORM_INVALID };
    corm_fake_rule     no_schema = {
            .node = -1, .match = "system_schema", .error = CORM_UNAUTHORIZED, .message = "not for you"
    };
    corm_fake_add_rule(fake, &no_peers);
    corm_fake_add_rule(fake, &no_schema);
    add_rows(fake, "FROM system.local",
             "key text, data_center text, rack text, host_id uuid, rpc_address inet, "
             "release_version text, schema_version uuid, partitioner text, tokens set<text>, "
             "cluster_name text",
             "'local' | 'us-east-1' | 'r' | 2a2ca6a7-9e5f-4b7a-8a6c-0f4a0f6f3a10 | '127.0.0.1' | "
             "'3.11.2' | 2a2ca6a7-9e5f-4b7a-8a6c-0f4a0f6f3a11 | "
             "'com.amazonaws.cassandra.DefaultPartitioner' | {'x'} | 'Amazon Keyspaces'");
    corm_session *session = open_session(fake, quick());
    for (int32_t i = 0; i < 20; i++) {
        corm_execute_options options = { .values = { corm_v(i) } };
        assert_status(corm_execute_with(session, "INSERT INTO t (k) VALUES (?)", &options, NULL),
                      CORM_OK);
    }
    assert_int_equal(stats_of(session).nodes, 1);
    corm_session_close(session);
    corm_fake_stop(fake);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_node_that_changed_its_address_is_found_by_its_host_id),
    cmocka_unit_test(a_contact_points_name_is_resolved_again),
    cmocka_unit_test(every_address_of_a_name_is_tried),
    cmocka_unit_test(resolving_a_name_does_not_stop_the_loop),
    cmocka_unit_test(dials_keep_to_their_budget_when_every_node_is_gone),
    cmocka_unit_test(after_a_restart_a_pool_has_its_size_and_no_request_was_lost),
    cmocka_unit_test(an_event_is_a_hint_a_false_down_changes_nothing),
    cmocka_unit_test(an_event_is_a_hint_an_up_dials_at_once),
    cmocka_unit_test(a_shard_aware_port_behind_nat_does_no_harm),
    cmocka_unit_test(every_shard_gets_a_connection_by_its_port),
    cmocka_unit_test(a_node_that_returns_again_and_again_breaks_nothing),
    cmocka_unit_test(a_node_that_was_taken_out_is_forgotten),
    cmocka_unit_test(a_service_without_peers_schema_or_tokens_is_used_all_the_same),
};
RUN_TESTS()
