// SPDX-License-Identifier: MIT
/* policy_test.c -- which nodes a plan gives, and in which order. */
#include "driver/policy.h"

#include "driver/cluster.h"
#include "driver/ring.h"
#include "testing/check.h"

#include <stdlib.h>

enum { MOST_NODES = 48 };

/* Nodes are named by their index; their tokens are 100, 200 … */
typedef struct fixture {
    driver_cluster   cluster;
    driver_node     *nodes[MOST_NODES];
    driver_ring_node ring_nodes[MOST_NODES];
    int64_t          tokens[MOST_NODES];
    driver_keyspace  keyspace;
    driver_keyspaces keyspaces;
    driver_dc_factor factors[2];
} fixture;

static fixture *f;

static void settle(const corm_balancing_options *balancing) {
    static const driver_contact contact = { "h", 0 };
    corm_cluster_options        options = { 0 };
    corm_error                  err;
    if (balancing) options.balancing = *balancing;
    assert_ok(driver__settings_make(&contact, 1, &options, 0, &f->cluster.settings, &err), err);
}

static driver_node *add_node(const char *dc, const char *rack) {
    uint32_t     index = f->cluster.node_count++;
    driver_node *node = calloc(1, sizeof *node);
    assert_non_null(node);
    node->refs = 1;
    node->index = index;
    node->cluster = &f->cluster;
    (void)snprintf(node->dc, sizeof node->dc, "%s", dc);
    (void)snprintf(node->rack, sizeof node->rack, "%s", rack);
    (void)snprintf(node->address_text, sizeof node->address_text, "127.0.0.%u", index + 1);
    node->view = (corm_node){
        .address = node->address_text, .dc = node->dc, .rack = node->rack, .up = true
    };
    node->view.host_id.bytes[15] = (uint8_t)(index + 1);
    node->view.distance = driver__distance(&f->cluster, &node->view);
    f->nodes[index] = node;
    f->tokens[index] = 100 * (int64_t)(index + 1);
    f->ring_nodes[index] = (driver_ring_node){ &f->tokens[index], 1, node->dc, node->rack };
    return node;
}

/* One keyspace "ks" with so many replicas in dc1 and dc2. */
static void make_ring(uint32_t dc1, uint32_t dc2) {
    corm_error err;
    f->factors[0] = (driver_dc_factor){ corm_str_of("dc1"), dc1 };
    f->factors[1] = (driver_dc_factor){ corm_str_of("dc2"), dc2 };
    f->keyspace = (driver_keyspace){ .name = corm_str_of("ks"),
                                     .strategy = DRIVER_BY_DC,
                                     .dc_count = dc2 > 0 ? 2 : 1,
                                     .dcs = f->factors };
    f->keyspaces = (driver_keyspaces){ .count = 1, .items = &f->keyspace };
    assert_ok(driver__ring_make(f->ring_nodes, f->cluster.node_count, &f->keyspaces,
                                &f->cluster.ring, &err),
              err);
}

static int set_up(void **state) {
    (void)state;
    f = calloc(1, sizeof *f);
    f->cluster.nodes = f->nodes;
    f->cluster.random = 42;
    (void)snprintf(f->cluster.local_dc, sizeof f->cluster.local_dc, "dc1");
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    for (uint32_t i = 0; i < f->cluster.node_count; i++) {
        assert_int_equal(f->nodes[i]->refs, 1);
        free(f->nodes[i]);
    }
    driver__ring_free(f->cluster.ring);
    driver__settings_free(&f->cluster.settings);
    free(f);
    return 0;
}

/* The indexes in the plan's order. */
typedef struct order {
    uint32_t count;
    uint32_t at[MOST_NODES];
    bool     to_replica;
} order;

static order plan_of(const corm_balancing_options *how, const corm_route *route) {
    driver_plan plan;
    order       out = { 0 };
    if (!how) how = &f->cluster.settings.options.balancing;
    driver__plan_begin(&plan, &f->cluster, how, route);
    for (driver_node *node; (node = driver__plan_next(&plan)) != NULL;) {
        out.at[out.count++] = node->index;
    }
    assert_null(driver__plan_next(&plan));
    out.to_replica = plan.to_replica;
    driver__plan_end(&plan);
    return out;
}

static const corm_route nowhere = { .keyspace = "" };

static corm_route to(int64_t token) {
    return (corm_route){ .keyspace = "ks", .has_token = true, .token = token };
}

static bool is_among(const order *o, uint32_t from, uint32_t end, uint32_t index) {
    for (uint32_t i = from; i < end && i < o->count; i++) {
        if (o->at[i] == index) return true;
    }
    return false;
}

static void assert_complete(const order *o, uint32_t count) {
    assert_int_equal(o->count, count);
    for (uint32_t i = 0; i < count; i++) assert_false(is_among(o, i + 1, count, o->at[i]));
}

static void add_nodes(uint32_t count) {
    for (uint32_t i = 0; i < count; i++) add_node("dc1", "r1");
}

/* ---- DEFAULT ---- */

static void replicas_go_first(void **state) {
    (void)state;
    settle(NULL);
    add_nodes(6);
    make_ring(3, 0);
    for (int round = 0; round < 50; round++) {
        corm_route route = to(150); /* of the nodes 1, 2, 3 */
        order      o = plan_of(NULL, &route);
        assert_complete(&o, 6);
        assert_true(o.to_replica);
        for (uint32_t i = 0; i < 3; i++) assert_true(o.at[i] >= 1 && o.at[i] <= 3);
    }
}

static void of_two_replicas_the_less_busy_one_is_asked(void **state) {
    (void)state;
    settle(NULL);
    add_nodes(4);
    make_ring(3, 0);
    f->nodes[2]->view.in_flight = 1000;
    uint32_t first[4] = { 0 };
    for (int round = 0; round < 300; round++) {
        corm_route route = to(150);
        first[plan_of(NULL, &route).at[0]]++;
    }
    assert_int_equal(first[0], 0);
    assert_int_equal(first[2], 0);
    assert_true(first[1] > 50 && first[3] > 50);
}

static void replicas_in_the_local_rack_go_before_the_others(void **state) {
    (void)state;
    settle(&(corm_balancing_options){ .local_dc = "dc1", .local_rack = "r2" });
    add_node("dc1", "r1");
    add_node("dc1", "r2");
    add_node("dc1", "r3");
    add_node("dc1", "r2");
    make_ring(3, 0);
    for (int round = 0; round < 50; round++) {
        corm_route route = to(50);
        order      o = plan_of(NULL, &route);
        assert_complete(&o, 4);
        assert_int_equal(o.at[0], 1);
        assert_int_equal(o.at[3], 3);
    }
}

static void other_data_centres_come_last_and_only_when_allowed(void **state) {
    (void)state;
    settle(NULL);
    add_node("dc1", "r1");
    add_node("dc2", "r1");
    add_node("dc1", "r1");
    add_node("dc2", "r1");
    add_node("dc3", "r1");
    make_ring(2, 2);
    corm_route route = to(50);
    order      o = plan_of(NULL, &route);
    assert_complete(&o, 2);
    assert_true(is_among(&o, 0, 2, 0) && is_among(&o, 0, 2, 2));
    corm_balancing_options remote = f->cluster.settings.options.balancing;
    remote.remote_nodes = 1;
    o = plan_of(&remote, &route);
    assert_complete(&o, 4);
    assert_true(is_among(&o, 2, 4, 4));
    assert_true(is_among(&o, 2, 4, 1) != is_among(&o, 2, 4, 3));
}

static void a_profile_may_have_a_data_centre_of_its_own(void **state) {
    (void)state;
    settle(NULL);
    add_node("dc1", "r1");
    add_node("dc2", "r1");
    add_node("dc2", "r1");
    make_ring(1, 1);
    corm_balancing_options other = { .local_dc = "dc2" };
    corm_route             route = to(50);
    order                  o = plan_of(&other, &route);
    assert_complete(&o, 2);
    assert_false(is_among(&o, 0, 2, 0));
}

static void without_a_token_all_local_nodes_get_their_share(void **state) {
    (void)state;
    settle(NULL);
    add_nodes(3);
    uint32_t first[3] = { 0 };
    for (int round = 0; round < 600; round++) {
        order o = plan_of(NULL, &nowhere);
        assert_complete(&o, 3);
        assert_false(o.to_replica);
        first[o.at[0]]++;
    }
    for (int i = 0; i < 3; i++) assert_true(first[i] > 100);
}

static void a_keyspace_that_is_not_known_is_no_failure(void **state) {
    (void)state;
    settle(NULL);
    add_nodes(3);
    make_ring(3, 0);
    corm_route route = { .keyspace = "elsewhere", .has_token = true, .token = 150 };
    order      o = plan_of(NULL, &route);
    assert_complete(&o, 3);
    assert_false(o.to_replica);
}

static void token_awareness_can_be_switched_off(void **state) {
    (void)state;
    settle(&(corm_balancing_options){ .no_token_awareness = true });
    add_nodes(3);
    make_ring(1, 0);
    uint32_t others = 0;
    for (int round = 0; round < 60; round++) {
        corm_route route = to(150);
        others += plan_of(NULL, &route).at[0] != 1;
    }
    assert_true(others > 10);
}

/* ---- lightweight transactions ---- */

static void assert_ring_order(corm_route route) {
    for (int round = 0; round < 20; round++) {
        f->nodes[3]->view.in_flight = (uint32_t)round * 10;
        order o = plan_of(NULL, &route);
        assert_complete(&o, 6);
        assert_int_equal(o.at[0], 3);
        assert_int_equal(o.at[1], 4);
        assert_int_equal(o.at[2], 5);
    }
}

static void transactions_meet_at_the_first_replica(void **state) {
    (void)state;
    settle(NULL);
    add_nodes(6);
    make_ring(3, 0);
    corm_route route = to(350);
    route.is_lwt = true;
    assert_ring_order(route);
}

static void and_so_do_serial_reads(void **state) {
    (void)state;
    settle(NULL);
    add_nodes(6);
    make_ring(3, 0);
    corm_route route = to(350);
    route.consistency = CORM_SERIAL;
    assert_ring_order(route);
    route.consistency = CORM_LOCAL_SERIAL;
    assert_ring_order(route);
}

/* ---- nodes that cannot be asked ---- */

static void nodes_that_are_down_are_passed_over(void **state) {
    (void)state;
    settle(NULL);
    add_nodes(4);
    make_ring(3, 0);
    f->nodes[1]->view.up = false;
    corm_route route = to(150);
    for (int round = 0; round < 20; round++) {
        order o = plan_of(NULL, &route);
        assert_complete(&o, 3);
        assert_false(is_among(&o, 0, 3, 1));
    }
    for (uint32_t i = 0; i < 4; i++) f->nodes[i]->view.up = false;
    assert_int_equal(plan_of(NULL, &route).count, 0);
}

static void a_node_that_goes_down_later_is_passed_over(void **state) {
    (void)state;
    settle(NULL);
    add_nodes(3);
    driver_plan plan;
    driver__plan_begin(&plan, &f->cluster, &f->cluster.settings.options.balancing, &nowhere);
    driver_node *first = driver__plan_next(&plan);
    driver_node *second = driver__plan_next(&plan);
    assert_ptr_not_equal(first, second);
    uint32_t third = 3 - first->index - second->index;
    f->nodes[third]->view.up = false;
    assert_null(driver__plan_next(&plan));
    driver__plan_end(&plan);
}

static void a_cluster_without_nodes_has_an_empty_plan(void **state) {
    (void)state;
    settle(NULL);
    corm_balancing_options how = { .remote_nodes = 1 };
    assert_int_equal(plan_of(NULL, &nowhere).count, 0);
    for (how.kind = CORM_BALANCE_DEFAULT; how.kind <= CORM_BALANCE_RANDOM; how.kind++) {
        assert_int_equal(plan_of(&how, &nowhere).count, 0);
    }
}

static void allow_and_deny_take_addresses_and_host_ids(void **state) {
    (void)state;
    static const char *const allow[] = { "127.0.0.1", "00000000-0000-0000-0000-000000000002",
                                         NULL };
    static const char *const deny[] = { "127.0.0.1", NULL };
    settle(&(corm_balancing_options){ .allow = allow, .deny = deny });
    add_nodes(3);
    assert_int_equal(f->nodes[0]->view.distance, CORM_IGNORED);
    assert_int_equal(f->nodes[1]->view.distance, CORM_LOCAL);
    assert_int_equal(f->nodes[2]->view.distance, CORM_IGNORED);
    order o = plan_of(NULL, &nowhere);
    assert_complete(&o, 1);
    assert_int_equal(o.at[0], 1);
}

static void a_large_cluster_is_tried_in_part(void **state) {
    (void)state;
    settle(NULL);
    add_nodes(MOST_NODES);
    make_ring(3, 0);
    corm_route route = to(150);
    order      o = plan_of(NULL, &route);
    assert_complete(&o, DRIVER_PLAN_NODES);
    assert_true(is_among(&o, 0, 3, 1) && is_among(&o, 0, 3, 2) && is_among(&o, 0, 3, 3));
}

/* ---- the other kinds ---- */

static void round_robin_begins_with_the_next_each_time(void **state) {
    (void)state;
    settle(NULL);
    add_nodes(3);
    corm_balancing_options how = { .kind = CORM_BALANCE_ROUND_ROBIN };
    uint32_t               before = plan_of(&how, &nowhere).at[0];
    for (int round = 0; round < 9; round++) {
        order o = plan_of(&how, &nowhere);
        assert_complete(&o, 3);
        for (uint32_t i = 0; i < 3; i++) assert_int_equal(o.at[i], (before + 1 + i) % 3);
        before = o.at[0];
    }
}

static void least_connections_follows_requests_in_flight(void **state) {
    (void)state;
    settle(NULL);
    add_nodes(4);
    static const uint32_t in_flight[] = { 7, 3, 9, 1 }, expected[] = { 3, 1, 0, 2 };
    for (uint32_t i = 0; i < 4; i++) f->nodes[i]->view.in_flight = in_flight[i];
    corm_balancing_options how = { .kind = CORM_BALANCE_LEAST_CONNECTIONS };
    order                  o = plan_of(&how, &nowhere);
    assert_int_equal(o.count, 4);
    assert_memory_equal(o.at, expected, sizeof expected);
}

static void random_reaches_every_node(void **state) {
    (void)state;
    settle(NULL);
    add_nodes(3);
    corm_balancing_options how = { .kind = CORM_BALANCE_RANDOM };
    uint32_t               first[3] = { 0 };
    for (int round = 0; round < 300; round++) {
        order o = plan_of(&how, &nowhere);
        assert_complete(&o, 3);
        first[o.at[0]]++;
    }
    for (int i = 0; i < 3; i++) assert_true(first[i] > 50);
}

/* ---- a policy of the user's own ---- */

typedef struct seen {
    uint32_t node_count, replica_count, replicas[MOST_NODES];
    bool     deadlock_known;
} seen;

static uint32_t backwards(void *context, const corm_route *route, const corm_node *nodes,
                          uint32_t node_count, uint32_t *out) {
    seen *s = context;
    (void)nodes;
    s->node_count = node_count;
    s->replica_count = route->replica_count;
    if (route->replica_count > 0) {
        memcpy(s->replicas, route->replicas, route->replica_count * sizeof(uint32_t));
    }
    s->deadlock_known = f->cluster.calling == 1;
    for (uint32_t i = 0; i < node_count; i++) out[i] = node_count - 1 - i;
    return node_count;
}

static corm_distance first_is_denied(void *context, const corm_node *node) {
    (void)context;
    return strcmp(node->address, "127.0.0.1") == 0 ? CORM_IGNORED : CORM_LOCAL;
}

static void a_policy_of_the_users_own_decides(void **state) {
    (void)state;
    seen                  s = { 0 };
    corm_balancing_policy policy = { backwards, first_is_denied, &s };
    settle(&(corm_balancing_options){ .policy = &policy });
    add_nodes(4);
    make_ring(2, 0);
    f->nodes[2]->view.up = false;
    corm_route route = to(150); /* of the nodes 1 and 2, the policy's 0 and 1 */
    order      o = plan_of(NULL, &route);
    assert_int_equal(s.node_count, 3);
    assert_int_equal(s.replica_count, 2);
    assert_int_equal(s.replicas[0], 0);
    assert_int_equal(s.replicas[1], 1);
    assert_true(s.deadlock_known);
    assert_int_equal(o.count, 2);
    assert_int_equal(o.at[0], 3);
    assert_int_equal(o.at[1], 1);
}

#define PLAN_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

static const struct CMUnitTest tests[] = {
    PLAN_TEST(replicas_go_first),
    PLAN_TEST(of_two_replicas_the_less_busy_one_is_asked),
    PLAN_TEST(replicas_in_the_local_rack_go_before_the_others),
    PLAN_TEST(other_data_centres_come_last_and_only_when_allowed),
    PLAN_TEST(a_profile_may_have_a_data_centre_of_its_own),
    PLAN_TEST(without_a_token_all_local_nodes_get_their_share),
    PLAN_TEST(a_keyspace_that_is_not_known_is_no_failure),
    PLAN_TEST(token_awareness_can_be_switched_off),
    PLAN_TEST(transactions_meet_at_the_first_replica),
    PLAN_TEST(and_so_do_serial_reads),
    PLAN_TEST(nodes_that_are_down_are_passed_over),
    PLAN_TEST(a_node_that_goes_down_later_is_passed_over),
    PLAN_TEST(a_cluster_without_nodes_has_an_empty_plan),
    PLAN_TEST(allow_and_deny_take_addresses_and_host_ids),
    PLAN_TEST(a_large_cluster_is_tried_in_part),
    PLAN_TEST(round_robin_begins_with_the_next_each_time),
    PLAN_TEST(least_connections_follows_requests_in_flight),
    PLAN_TEST(random_reaches_every_node),
    PLAN_TEST(a_policy_of_the_users_own_decides),
};

RUN_TESTS()
