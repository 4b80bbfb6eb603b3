// SPDX-License-Identifier: MIT
/* chaos_test.c -- nodes die, hang, move, come and go by chance while several threads ask: every request ends once, and afterwards
 * everything is as it was. What is looked for are races and leaks, by the sanitizers. */
#include "driver/cluster_for_tests.h"

enum { ASKERS = 4, STEPS = 60, NODES = 4, BETWEEN = 40, PATIENCE_MS = 2000 };

static const wire_request select_v = {
    .kind = WIRE_QUERY,
    .text = { "SELECT v FROM shop.t", 20 },
    .options.consistency = WIRE_ONE,
};

typedef struct asker {
    driver_cluster *cluster;
    atomic_bool    *stop;
    pthread_t       id;
    uint32_t        good, bad;
} asker;

static void *ask(void *context) {
    asker      *a = context;
    wire_answer answer = { 0 };
    corm_error  err;
    corm_str    none = { "", 0 };
    while (!atomic_load(a->stop)) {
        corm_status status = driver__execute(a->cluster, none, &select_v, &answer, &err);
        a->good += status == CORM_OK;
        a->bad += status != CORM_OK;
        wire__answer_clear(&answer);
    }
    wire__answer_free(&answer);
    return NULL;
}

static uint32_t chance(uint32_t *state, uint32_t bound) {
    *state = *state * 1664525 + 1013904223;
    return (*state >> 8) % bound;
}

/* Node 0 stays, so that there is always something to ask. */
static void disturb(corm_fake_cluster *fake, uint32_t *random) {
    uint32_t node = 1 + chance(random, NODES - 1);
    switch (chance(random, 8)) {
    case 0: corm_fake_kill(fake, node); break;
    case 1:
    case 2: corm_fake_revive(fake, node); break;
    case 3: corm_fake_pause(fake, node); break;
    case 4: corm_fake_resume(fake, node); break;
    case 5: corm_fake_move(fake, node, (uint8_t)(100 + chance(random, 100))); break;
    case 6: corm_fake_send_event(fake, chance(random, 2) ? "UP" : "DOWN", node); break;
    default: corm_fake_send_event(fake, "MOVED_NODE", node); break;
    }
}

static void mend(corm_fake_cluster *fake) {
    for (uint32_t i = 0; i < NODES; i++) {
        corm_fake_resume(fake, i);
        corm_fake_revive(fake, i);
        corm_fake_send_event(fake, "UP", i);
    }
}

static uint32_t nodes_up(driver_cluster *cluster) {
    const corm_stats *stats;
    corm_error        err;
    assert_ok(driver__stats(cluster, &stats, &err), err);
    uint32_t up = stats->nodes_up;
    free((void *)(uintptr_t)stats);
    return up;
}

static driver_cluster *open_chaos(corm_fake_cluster *fake) {
    driver_settings      settings;
    driver_cluster      *cluster;
    corm_error           err;
    corm_cluster_options options = {
        .pool = { .size = 2, .max_size = 4, .requests_per_connection = 4 },
        .reconnection = { .base_delay_ms = 5, .max_delay_ms = 50, .dials_per_second = 1000 },
        .health_check = { .interval_ms = 100, .timeout_ms = 100 },
        .connect_timeout_ms = 200,
        .request_timeout_ms = 1000,
        .speculative = { .kind = CORM_SPECULATE_CONSTANT, .delay_ms = 20 },
    };
    driver_contact contact = { "127.0.0.1", corm_fake_port(fake) };
    assert_ok(driver__settings_make(&contact, 1, &options, 0, &settings, &err), err);
    assert_ok(driver__open(&settings, &cluster, &err), err);
    return cluster;
}

static void everything_is_as_it_was_afterwards(void **state) {
    (void)state;
    corm_fake_cluster *fake;
    corm_error         err;
    asker              askers[ASKERS] = { 0 };
    atomic_bool        stop = false;
    uint32_t           random = 42;
    assert_ok(corm_fake_start(&fake, &(corm_fake_options){ .nodes = NODES }, &err), err);
    driver_cluster *cluster = open_chaos(fake);
    for (int i = 0; i < ASKERS; i++) {
        askers[i].cluster = cluster;
        askers[i].stop = &stop;
        assert_int_equal(pthread_create(&askers[i].id, NULL, ask, &askers[i]), 0);
    }
    for (int i = 0; i < STEPS; i++) {
        uint64_t seen = corm_fake_count(fake, -1).requests;
        disturb(fake, &random);
        (void)corm_fake_wait_requests(fake, -1, seen + BETWEEN, PATIENCE_MS);
    }
    mend(fake);
    while (nodes_up(cluster) < NODES) {
        uint64_t seen = corm_fake_count(fake, -1).requests;
        (void)corm_fake_wait_requests(fake, -1, seen + BETWEEN, PATIENCE_MS);
    }
    atomic_store(&stop, true);
    uint32_t good = 0;
    for (int i = 0; i < ASKERS; i++) {
        assert_int_equal(pthread_join(askers[i].id, NULL), 0);
        good += askers[i].good;
    }
    assert_true(good > 0);
    const corm_stats *stats;
    assert_ok(driver__stats(cluster, &stats, &err), err);
    assert_int_equal(stats->in_flight, 0);
    assert_int_equal(stats->queued, 0);
    assert_int_equal(stats->nodes, NODES);
    free((void *)(uintptr_t)stats);
    driver__close(cluster);
    corm_fake_stop(fake);
}

/* Sessions that close in the middle of it. */
static void closing_in_the_middle_leaves_nothing(void **state) {
    (void)state;
    corm_fake_cluster *fake;
    corm_error         err;
    uint32_t           random = 7, answered = 0;
    assert_ok(corm_fake_start(&fake, &(corm_fake_options){ .nodes = NODES }, &err), err);
    for (int round = 0; round < 12; round++) {
        driver_cluster *cluster = open_chaos(fake);
        wire_answer     answer = { 0 };
        corm_str        none = { "", 0 };
        for (int i = 0; i < 3; i++) {
            disturb(fake, &random);
            corm_status status = driver__execute(cluster, none, &select_v, &answer, &err);
            answered += status == CORM_OK;
            wire__answer_clear(&answer);
        }
        driver__close(cluster);
        wire__answer_free(&answer);
    }
    assert_true(answered > 0);
    corm_fake_stop(fake);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(everything_is_as_it_was_afterwards),
    cmocka_unit_test(closing_in_the_middle_leaves_nothing),
};

RUN_TESTS()
