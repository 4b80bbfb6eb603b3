// SPDX-License-Identifier: MIT
/* cluster_for_tests.h -- a cluster on the test's own loop over a fake one: what has happened is looked at between two turns, on
 * one thread. */
#ifndef DRIVER_CLUSTER_FOR_TESTS_H
#define DRIVER_CLUSTER_FOR_TESTS_H

#include <stdlib.h>

#include "corm/testing.h"
#include "driver/loop.h"
#include "testing/check.h"

enum { TEST_LIMIT_MS = 20000, TEST_MOST_EVENTS = 256 };

typedef struct test_event {
    char     what[16];
    char     address[64];
    uint16_t port;
} test_event;

typedef struct test_cluster {
    uv_loop_t          loop;
    uv_timer_t         limit;
    corm_fake_cluster *fake;
    driver_cluster    *cluster;
    uint32_t           event_count, log_count;
    test_event         events[TEST_MOST_EVENTS];
    char               log[4096];
} test_cluster;

static inline void test_on_node(void *context, const corm_node *node, const char *event) {
    test_cluster *t = context;
    if (t->event_count == TEST_MOST_EVENTS) return;
    test_event *e = &t->events[t->event_count++];
    (void)snprintf(e->what, sizeof e->what, "%s", event);
    (void)snprintf(e->address, sizeof e->address, "%s", node->address);
    e->port = node->port;
}

static inline void test_on_log(void *context, const char *text) {
    test_cluster *t = context;
    size_t        len = strlen(t->log);
    t->log_count++;
    (void)snprintf(t->log + len, sizeof t->log - len, "%s\n", text);
}

static inline void test_too_late(uv_timer_t *timer) {
    (void)timer;
    fail_msg("it did not happen in time");
}

/* The test's loop; and a fake cluster unless `fake` is NULL. */
static inline void test_begin(test_cluster *t, const corm_fake_options *fake) {
    corm_error err;
    memset(t, 0, sizeof *t);
    assert_int_equal(uv_loop_init(&t->loop), 0);
    assert_int_equal(uv_timer_init(&t->loop, &t->limit), 0);
    assert_int_equal(uv_timer_start(&t->limit, test_too_late, TEST_LIMIT_MS, 0), 0);
    if (fake) assert_ok(corm_fake_start(&t->fake, fake, &err), err);
}

static inline corm_status test_try_open(test_cluster *t, const driver_contact *contacts,
                                        uint32_t count, const corm_cluster_options *options,
                                        corm_error *err) {
    static const corm_cluster_options none;
    corm_cluster_options              all = options ? *options : none;
    driver_settings                   settings;
    all.loop = &t->loop;
    all.hooks = (corm_hooks){ .context = t, .node = test_on_node, .log = test_on_log };
    corm_status status = driver__settings_make(contacts, count, &all, 0, &settings, err);
    if (status == CORM_OK) return driver__open(&settings, &t->cluster, err);
    driver__settings_free(&settings);
    return status;
}

/* Over the fake's first node. */
static inline void test_open(test_cluster *t, const corm_cluster_options *options) {
    corm_error     err;
    driver_contact contact = { "127.0.0.1", corm_fake_port(t->fake) };
    assert_ok(test_try_open(t, &contact, 1, options, &err), err);
}

static inline void test_close(test_cluster *t) {
    driver__close(t->cluster);
    t->cluster = NULL;
}

static inline void test_end(test_cluster *t) {
    test_close(t);
    corm_fake_stop(t->fake);
    uv_close((uv_handle_t *)&t->limit, NULL);
    assert_int_equal(uv_run(&t->loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&t->loop), 0);
}

/* Runs the loop until the condition holds. */
#define TURN_UNTIL(t, condition)                                                                   \
    do {                                                                                           \
        while (!(condition)) (void)uv_run(&(t)->loop, UV_RUN_ONCE);                                \
    } while (0)

/* ---- looking ---- */

static inline driver_node *test_node(const test_cluster *t, const char *address) {
    for (uint32_t i = 0; i < t->cluster->node_count; i++) {
        if (strcmp(t->cluster->nodes[i]->view.address, address) == 0) return t->cluster->nodes[i];
    }
    return NULL;
}

static inline bool test_is_up(const test_cluster *t, const char *address) {
    const driver_node *node = test_node(t, address);
    return node && node->view.up;
}

static inline uint32_t test_up(const test_cluster *t) {
    uint32_t up = 0;
    for (uint32_t i = 0; i < t->cluster->node_count; i++) up += t->cluster->nodes[i]->view.up;
    return up;
}

static inline uint32_t test_events(const test_cluster *t, const char *what, const char *address) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < t->event_count; i++) {
        count += strcmp(t->events[i].what, what) == 0 && strcmp(t->events[i].address, address) == 0;
    }
    return count;
}

static inline const char *test_control(const test_cluster *t) {
    const driver_control *control = t->cluster->control;
    return control->ready ? driver__conn_address(control->conn)->text : "";
}

static inline bool test_logged(const test_cluster *t, const char *part) {
    return strstr(t->log, part) != NULL;
}

#endif
