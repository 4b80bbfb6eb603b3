// SPDX-License-Identifier: MIT
#include "driver/cluster_for_tests.h"
#include "driver/conn_internal.h"
#include "driver/pool_shards.h"

static const corm_cluster_options quick = {
    .pool = { .size = 2, .max_size = 4 },
    .reconnection = { .base_delay_ms = 20, .max_delay_ms = 100 },
    .connect_timeout_ms = 2000,
};

static void opening_reads_every_node(void **state) {
    (void)state;
    test_cluster t;
    test_begin(&t, &(corm_fake_options){ .nodes = 3, .racks = 3 });
    test_open(&t, &quick);
    assert_int_equal(t.cluster->node_count, 3);
    assert_string_equal(t.cluster->local_dc, "dc1");
    assert_int_equal(t.cluster->version, 5);
    assert_non_null(t.cluster->ring);
    TURN_UNTIL(&t, test_up(&t) == 3);
    for (uint32_t i = 0; i < 3; i++) {
        const driver_node *node = t.cluster->nodes[i];
        assert_int_equal(node->index, i);
        assert_int_equal(node->view.port, corm_fake_port(t.fake));
        assert_int_equal(node->view.distance, CORM_LOCAL);
        assert_string_equal(node->view.dc, "dc1");
        assert_int_equal(test_events(&t, "added", node->view.address), 1);
        assert_int_equal(test_events(&t, "up", node->view.address), 1);
    }
    test_end(&t);
}

static void pools_are_filled_one_dial_after_the_other(void **state) {
    (void)state;
    test_cluster t;
    test_begin(&t, &(corm_fake_options){ .nodes = 1 });
    corm_cluster_options options = quick;
    options.pool = (corm_pool_options){ .size = 5 };
    test_open(&t, &options);
    driver_pool *pool = t.cluster->nodes[0]->pool;
    while (pool->ready < 5) {
        assert_true(pool->dialling <= 1);
        (void)uv_run(&t.loop, UV_RUN_ONCE);
    }
    assert_int_equal(t.cluster->nodes[0]->view.connections, 5);
    assert_int_equal(pool->dialling, 0);
    assert_int_equal(corm_fake_count(t.fake, 0).connections, 6); /* with the control connection */
    test_end(&t);
}

static void a_broken_contact_point_does_not_prevent_the_others(void **state) {
    (void)state;
    test_cluster t;
    corm_error   err;
    test_begin(&t, &(corm_fake_options){ .nodes = 2 });
    uint16_t             port = corm_fake_port(t.fake);
    const driver_contact contacts[] = { { "127.0.0.77", port },
                                        { "no-such-host.invalid", port },
                                        { "127.0.0.2", port } };
    assert_ok(test_try_open(&t, contacts, 3, &quick, &err), err);
    assert_string_equal(test_control(&t), "127.0.0.2");
    assert_true(test_logged(&t, "127.0.0.77"));
    assert_true(test_logged(&t, "no-such-host.invalid"));
    test_end(&t);
}

static void every_address_of_a_name_is_tried(void **state) {
    (void)state;
    test_cluster t;
    corm_error   err;
    test_begin(&t, &(corm_fake_options){ .nodes = 1 });
    const driver_contact contact = { "localhost",
                                     corm_fake_port(t.fake) }; /* ::1, too, on many machines */
    assert_ok(test_try_open(&t, &contact, 1, &quick, &err), err);
    assert_string_equal(test_control(&t), "127.0.0.1");
    const driver_address *address = driver__conn_address(t.cluster->control->conn);
    assert_string_equal(address->name, "localhost");
    assert_string_equal(driver__control_name_of(t.cluster->control, address), "localhost");
    assert_string_equal(t.cluster->nodes[0]->address.name, "localhost"); /* for its certificate */
    test_end(&t);
}

static void without_any_contact_point_the_last_error_is_given(void **state) {
    (void)state;
    test_cluster t;
    corm_error   err;
    test_begin(&t, &(corm_fake_options){ .nodes = 1 });
    uint16_t             port = corm_fake_port(t.fake);
    const driver_contact contacts[] = { { "127.0.0.77", port }, { "127.0.0.78", port } };
    assert_status(test_try_open(&t, contacts, 2, &quick, &err), CORM_IO);
    assert_non_null(strstr(err.message, "127.0.0.78"));
    const driver_contact nameless = { "no-such-host.invalid", port };
    assert_status(test_try_open(&t, &nameless, 1, &quick, &err), CORM_IO);
    assert_non_null(strstr(err.message, "no-such-host.invalid"));
    test_end(&t);
}

static void the_protocol_version_falls_to_what_nodes_speak(void **state) {
    (void)state;
    test_cluster t;
    test_begin(&t, &(corm_fake_options){ .nodes = 1, .most_version = 4 });
    test_open(&t, &quick);
    assert_int_equal(t.cluster->version, 4);
    assert_int_equal(driver__conn_version(t.cluster->control->conn), 4);
    test_end(&t);
}

static void a_refused_login_ends_opening_at_once(void **state) {
    (void)state;
    test_cluster t;
    corm_error   err;
    test_begin(&t, &(corm_fake_options){ .nodes = 1, .username = "u", .password = "right" });
    uint16_t             port = corm_fake_port(t.fake);
    const driver_contact contacts[] = { { "127.0.0.1", port }, { "127.0.0.77", port } };
    corm_cluster_options options = quick;
    options.username = "u";
    options.password = "wrong";
    assert_status(test_try_open(&t, contacts, 2, &options, &err), CORM_BAD_CREDENTIALS);
    options.password = "right";
    assert_ok(test_try_open(&t, contacts, 2, &options, &err), err);
    test_end(&t);
}

static void a_data_centre_that_does_not_exist_is_named(void **state) {
    (void)state;
    test_cluster t;
    corm_error   err;
    test_begin(&t, &(corm_fake_options){ .nodes = 4, .data_centres = 2 });
    const driver_contact contact = { "127.0.0.1", corm_fake_port(t.fake) };
    corm_cluster_options options = quick;
    options.balancing.local_dc = "dc9";
    assert_status(test_try_open(&t, &contact, 1, &options, &err), CORM_INVALID_ARGUMENT);
    assert_non_null(strstr(err.message, "'dc9'"));
    assert_non_null(strstr(err.message, "dc1"));
    assert_non_null(strstr(err.message, "dc2"));
    test_end(&t);
}

static void nodes_of_other_data_centres_have_connections_only_when_allowed(void **state) {
    (void)state;
    test_cluster t;
    test_begin(&t, &(corm_fake_options){ .nodes = 4, .data_centres = 2 });
    test_open(&t, &quick);
    uint32_t local = 0, remote = 0;
    for (uint32_t i = 0; i < 4; i++) {
        const driver_node *node = t.cluster->nodes[i];
        local += node->view.distance == CORM_LOCAL && node->pool->started;
        remote += node->view.distance == CORM_REMOTE && !node->pool->started;
    }
    assert_int_equal(local, 2);
    assert_int_equal(remote, 2);
    test_close(&t);
    corm_cluster_options options = quick;
    options.balancing.remote_nodes = 1;
    test_open(&t, &options);
    TURN_UNTIL(&t, test_up(&t) == 4);
    test_end(&t);
}

static void a_node_that_is_denied_has_no_connection(void **state) {
    (void)state;
    static const char *const deny[] = { "127.0.0.2", NULL };
    test_cluster             t;
    corm_cluster_options     options = quick;
    options.balancing.deny = deny;
    test_begin(&t, &(corm_fake_options){ .nodes = 3 });
    test_open(&t, &options);
    TURN_UNTIL(&t, test_up(&t) == 2);
    const driver_node *denied = test_node(&t, "127.0.0.2");
    assert_int_equal(denied->view.distance, CORM_IGNORED);
    assert_false(denied->pool->started);
    corm_fake_kill(t.fake, 0); /* nor does the control connection go there */
    TURN_UNTIL(&t, strcmp(test_control(&t), "127.0.0.3") == 0);
    assert_int_equal(corm_fake_count(t.fake, 1).connections, 0);
    test_end(&t);
}

static void another_node_takes_over_the_control_connection(void **state) {
    (void)state;
    test_cluster t;
    test_begin(&t, &(corm_fake_options){ .nodes = 3 });
    test_open(&t, &quick);
    TURN_UNTIL(&t, test_up(&t) == 3);
    corm_fake_kill(t.fake, 0);
    TURN_UNTIL(&t, test_up(&t) == 2 && t.cluster->control->ready);
    assert_string_not_equal(test_control(&t), "127.0.0.1");
    assert_int_equal(test_events(&t, "down", "127.0.0.1"), 1);
    corm_fake_revive(t.fake, 0);
    TURN_UNTIL(&t, test_up(&t) == 3);
    assert_int_equal(test_events(&t, "up", "127.0.0.1"), 2);
    assert_int_equal(t.cluster->node_count, 3);
    test_end(&t);
}

static void contact_points_are_tried_again_when_no_node_is_reached(void **state) {
    (void)state;
    test_cluster t;
    test_begin(&t, &(corm_fake_options){ .nodes = 2 });
    test_open(&t, &quick);
    TURN_UNTIL(&t, test_up(&t) == 2);
    corm_fake_kill(t.fake, 0);
    corm_fake_kill(t.fake, 1);
    TURN_UNTIL(&t, test_up(&t) == 0 && t.cluster->control->failures >= 2);
    assert_true(test_logged(&t, "next attempt in"));
    corm_fake_revive(t.fake, 0);
    corm_fake_revive(t.fake, 1);
    TURN_UNTIL(&t, test_up(&t) == 2 && t.cluster->control->ready);
    test_end(&t);
}

/* Nodes that restart again and again, one at a time or all at once, are found again each time. */
static void restarts_are_survived(void **state) {
    (void)state;
    test_cluster t;
    test_begin(&t, &(corm_fake_options){ .nodes = 3 });
    test_open(&t, &quick);
    TURN_UNTIL(&t, test_up(&t) == 3);
    for (uint32_t round = 0; round < 12; round++) {
        bool all = round % 4 == 3;
        for (uint32_t i = 0; i < 3; i++) {
            if (all || round % 3 == i) corm_fake_kill(t.fake, i);
        }
        TURN_UNTIL(&t, test_up(&t) == (all ? 0 : 2));
        for (uint32_t i = 0; i < 3; i++) {
            if (all || round % 3 == i) corm_fake_revive(t.fake, i);
        }
        TURN_UNTIL(&t, test_up(&t) == 3 && t.cluster->control->ready);
    }
    assert_int_equal(t.cluster->node_count, 3);
    assert_int_equal(test_events(&t, "removed", "127.0.0.1"), 0);
    test_end(&t);
}

static void a_node_that_moves_is_the_same_node_at_another_address(void **state) {
    (void)state;
    test_cluster t;
    test_begin(&t, &(corm_fake_options){ .nodes = 3 });
    test_open(&t, &quick);
    TURN_UNTIL(&t, test_up(&t) == 3);
    driver_node *node = test_node(&t, "127.0.0.2");
    corm_uuid    id = node->view.host_id;
    corm_fake_move(t.fake, 1, 99);
    corm_fake_send_event(t.fake, "UP", 1);
    TURN_UNTIL(&t, test_is_up(&t, "127.0.0.99"));
    assert_ptr_equal(test_node(&t, "127.0.0.99"), node);
    assert_true(corm_uuid_equal(node->view.host_id, id));
    assert_null(test_node(&t, "127.0.0.2"));
    assert_int_equal(t.cluster->node_count, 3);
    test_end(&t);
}

static void nodes_come_and_go(void **state) {
    (void)state;
    test_cluster t;
    test_begin(&t, &(corm_fake_options){ .nodes = 2 });
    test_open(&t, &quick);
    TURN_UNTIL(&t, test_up(&t) == 2);
    corm_fake_add_node(t.fake);
    TURN_UNTIL(&t, test_up(&t) == 3);
    assert_int_equal(test_events(&t, "added", "127.0.0.3"), 1);
    driver_node *removed = driver__node_ref(test_node(&t, "127.0.0.2"));
    corm_fake_remove_node(t.fake, 1);
    TURN_UNTIL(&t, t.cluster->node_count == 2);
    assert_int_equal(test_events(&t, "removed", "127.0.0.2"), 1);
    assert_true(removed->removed);
    assert_false(removed->pool->started);
    assert_null(removed->pool->retry.link); /* nobody dials it any more */
    TURN_UNTIL(&t, !removed->pool->slots);
    driver__node_unref(removed);
    for (uint32_t i = 0; i < 2; i++) assert_int_equal(t.cluster->nodes[i]->index, i);
    test_end(&t);
}

static void an_up_event_ends_the_pause_between_dials(void **state) {
    (void)state;
    test_cluster         t;
    corm_cluster_options options = quick;
    options.reconnection = (corm_reconnection_options){ .base_delay_ms = 3600000 };
    test_begin(&t, &(corm_fake_options){ .nodes = 2 });
    test_open(&t, &options);
    TURN_UNTIL(&t, test_up(&t) == 2);
    corm_fake_kill(t.fake, 1);
    TURN_UNTIL(&t, test_node(&t, "127.0.0.2")->pool->retry.link != NULL);
    assert_int_equal(test_up(&t), 1);
    corm_fake_revive(t.fake, 1);
    corm_fake_send_event(t.fake, "UP", 1);
    TURN_UNTIL(&t, test_up(&t) == 2);
    test_end(&t);
}

static bool waits_for_life(const driver_pool *pool) {
    for (const driver_slot *slot = pool->slots; slot; slot = slot->next) {
        if (driver__heartbeat_is_out(slot->conn)) return true;
    }
    return false;
}

static void a_down_event_makes_a_silent_node_give_a_sign_of_life(void **state) {
    (void)state;
    test_cluster         t;
    corm_cluster_options options = quick;
    options.health_check = (corm_health_check_options){ .interval_ms = 3600000, .timeout_ms = 50 };
    test_begin(&t, &(corm_fake_options){ .nodes = 2 });
    test_open(&t, &options);
    TURN_UNTIL(&t, test_up(&t) == 2 && test_node(&t, "127.0.0.2")->pool->ready == 2);
    uint64_t asked = corm_fake_count(t.fake, 1).options;
    corm_fake_send_event(t.fake, "DOWN", 1); /* a false alarm */
    TURN_UNTIL(&t, corm_fake_count(t.fake, 1).options >= asked + 2);
    TURN_UNTIL(&t, !waits_for_life(test_node(&t, "127.0.0.2")->pool));
    assert_true(test_is_up(&t, "127.0.0.2"));
    corm_fake_pause(t.fake, 1);
    corm_fake_send_event(t.fake, "DOWN", 1);
    TURN_UNTIL(&t, !test_is_up(&t, "127.0.0.2"));
    corm_fake_resume(t.fake, 1);
    TURN_UNTIL(&t, test_is_up(&t, "127.0.0.2"));
    test_end(&t);
}

static void closing_does_not_wait_for_a_paused_node(void **state) {
    (void)state;
    test_cluster t;
    test_begin(&t, &(corm_fake_options){ .nodes = 2 });
    test_open(&t, &quick);
    TURN_UNTIL(&t, test_up(&t) == 2);
    corm_fake_pause(t.fake, 0);
    corm_fake_pause(t.fake, 1);
    test_close(&t);
    corm_fake_resume(t.fake, 0);
    corm_fake_resume(t.fake, 1);
    test_end(&t);
}

static void the_budget_holds_dials_back(void **state) {
    (void)state;
    test_cluster         t;
    corm_cluster_options options = quick;
    options.pool.size = 4;
    options.reconnection.dials_per_second = 4;
    test_begin(&t, &(corm_fake_options){ .nodes = 2 });
    test_open(&t, &options);
    const atomic_ullong *delayed = &t.cluster->totals.dials_delayed;
    TURN_UNTIL(&t, atomic_load(delayed) > 0);
    uint64_t dialled = corm_fake_count(t.fake, -1).connections;
    assert_true(dialled <= 6);
    test_end(&t);
}

static bool to_loopback(void *context, const char *address, uint16_t port, char out[256],
                        uint16_t *out_port) {
    uint32_t *count = context;
    (*count)++;
    if (strcmp(address, "127.0.0.3") == 0) return false;
    *out_port = port;
    (void)snprintf(out, 256, "%s", strcmp(address, "127.0.0.2") == 0 ? "127.0.0.4" : "localhost");
    return true;
}

static void announced_addresses_are_translated(void **state) {
    (void)state;
    test_cluster         t;
    uint32_t             count = 0;
    corm_cluster_options options = quick;
    options.translate = to_loopback;
    options.translate_context = &count;
    test_begin(&t, &(corm_fake_options){ .nodes = 4 });
    test_open(&t, &options);
    TURN_UNTIL(&t, test_up(&t) == 4);
    assert_int_equal(count, 3);
    assert_null(test_node(&t, "127.0.0.2"));
    assert_non_null(test_node(&t, "127.0.0.3"));
    assert_non_null(test_node(&t, "localhost")); /* a name, resolved at each dial */
    test_end(&t);
}

static void a_server_without_peers_v2_is_asked_for_peers(void **state) {
    (void)state;
    test_cluster         t;
    const corm_fake_rule rule = {
        .node = -1, .match = "system.peers_v2", .error = CORM_INVALID, .message = "no such table"
    };
    test_begin(&t, &(corm_fake_options){ .nodes = 3 });
    (void)corm_fake_add_rule(t.fake, &rule);
    test_open(&t, &quick);
    assert_int_equal(t.cluster->node_count, 3);
    TURN_UNTIL(&t, test_up(&t) == 3);
    corm_error err;
    assert_ok(driver__wait_for_agreement(t.cluster, 5000, &err), err);
    test_end(&t);
}

static void a_service_with_one_address_works_without_a_ring(void **state) {
    (void)state;
    test_cluster         t;
    const corm_fake_rule rules[] = {
        { .node = -1, .match = "system.peers", .error = CORM_INVALID, .message = "no" },
        { .node = -1, .match = "system_schema", .error = CORM_INVALID, .message = "no" },
        { .node = -1,
          .match = "system.local",
          .columns = "key text, data_center text, partitioner text, rpc_address inet",
          .rows = "'local' | 'east' | 'com.example.Partitioner' | '0.0.0.0'" },
    };
    test_begin(&t, &(corm_fake_options){ .nodes = 1 });
    for (int i = 0; i < 3; i++) (void)corm_fake_add_rule(t.fake, &rules[i]);
    test_open(&t, &quick);
    assert_int_equal(t.cluster->node_count, 1);
    assert_string_equal(t.cluster->local_dc, "east");
    assert_string_equal(t.cluster->nodes[0]->view.address, "127.0.0.1");
    int64_t   *tokens;
    uint32_t   count;
    corm_error err;
    assert_ok(driver__tokens(t.cluster, &tokens, &count, &err), err);
    assert_int_equal(count, 0);
    free(tokens);
    test_end(&t);
}

static uint32_t replicas_of_shop(const test_cluster *t) {
    uint32_t count;
    (void)driver__ring_replicas(t->cluster->ring, corm_str_of("shop"), 0, &count);
    return count;
}

static void the_schema_is_read_unless_it_is_not_wanted(void **state) {
    (void)state;
    test_cluster         t;
    const corm_fake_rule rule = { .node = -1, .match = "system_schema", .error = CORM_INVALID };
    corm_cluster_options options = quick;
    test_begin(&t, &(corm_fake_options){ .nodes = 3 });
    test_open(&t, &options);
    TURN_UNTIL(&t, replicas_of_shop(&t) == 3);
    test_close(&t);
    uint32_t number = corm_fake_add_rule(t.fake, &rule);
    options.no_schema_metadata = true;
    test_open(&t, &options);
    TURN_UNTIL(&t, test_up(&t) == 3);
    corm_error err;
    assert_ok(driver__wait_for_agreement(t.cluster, 5000, &err), err);
    assert_int_equal(replicas_of_shop(&t), 0);
    assert_int_equal(corm_fake_hits(t.fake, number), 0);
    test_end(&t);
}

static void agreement_is_waited_for(void **state) {
    (void)state;
    test_cluster t;
    corm_error   err;
    test_begin(&t, &(corm_fake_options){ .nodes = 3 });
    test_open(&t, &quick);
    TURN_UNTIL(&t, test_up(&t) == 3);
    assert_ok(driver__wait_for_agreement(t.cluster, 5000, &err), err);
    corm_fake_disagree(t.fake, true);
    assert_status(driver__wait_for_agreement(t.cluster, 150, &err), CORM_TIMEOUT);
    corm_fake_disagree(t.fake, false);
    assert_ok(driver__wait_for_agreement(t.cluster, 5000, &err), err);
    test_end(&t);
}

static void figures_are_sums_over_nodes(void **state) {
    (void)state;
    test_cluster      t;
    const corm_stats *stats;
    corm_error        err;
    test_begin(&t, &(corm_fake_options){ .nodes = 2 });
    test_open(&t, &quick);
    TURN_UNTIL(&t, t.cluster->nodes[0]->pool->ready == 2 && t.cluster->nodes[1]->pool->ready == 2);
    assert_ok(driver__stats(t.cluster, &stats, &err), err);
    assert_int_equal(stats->nodes, 2);
    assert_int_equal(stats->nodes_up, 2);
    assert_int_equal(stats->connections, 4);
    assert_int_equal(stats->dials, 5);
    assert_int_equal(stats->protocol_version, 5);
    assert_int_equal(stats->node_count, 2);
    assert_int_equal(stats->node_stats[1].connections, 2);
    assert_string_equal(stats->node_stats[0].dc, "dc1");
    free((void *)(uintptr_t)stats);
    test_end(&t);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(opening_reads_every_node),
    cmocka_unit_test(pools_are_filled_one_dial_after_the_other),
    cmocka_unit_test(a_broken_contact_point_does_not_prevent_the_others),
    cmocka_unit_test(every_address_of_a_name_is_tried),
    cmocka_unit_test(without_any_contact_point_the_last_error_is_given),
    cmocka_unit_test(the_protocol_version_falls_to_what_nodes_speak),
    cmocka_unit_test(a_refused_login_ends_opening_at_once),
    cmocka_unit_test(a_data_centre_that_does_not_exist_is_named),
    cmocka_unit_test(nodes_of_other_data_centres_have_connections_only_when_allowed),
    cmocka_unit_test(a_node_that_is_denied_has_no_connection),
    cmocka_unit_test(another_node_takes_over_the_control_connection),
    cmocka_unit_test(contact_points_are_tried_again_when_no_node_is_reached),
    cmocka_unit_test(restarts_are_survived),
    cmocka_unit_test(a_node_that_moves_is_the_same_node_at_another_address),
    cmocka_unit_test(nodes_come_and_go),
    cmocka_unit_test(an_up_event_ends_the_pause_between_dials),
    cmocka_unit_test(a_down_event_makes_a_silent_node_give_a_sign_of_life),
    cmocka_unit_test(closing_does_not_wait_for_a_paused_node),
    cmocka_unit_test(the_budget_holds_dials_back),
    cmocka_unit_test(announced_addresses_are_translated),
    cmocka_unit_test(a_server_without_peers_v2_is_asked_for_peers),
    cmocka_unit_test(a_service_with_one_address_works_without_a_ring),
    cmocka_unit_test(the_schema_is_read_unless_it_is_not_wanted),
    cmocka_unit_test(agreement_is_waited_for),
    cmocka_unit_test(figures_are_sums_over_nodes),
};

RUN_TESTS()
