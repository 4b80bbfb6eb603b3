// SPDX-License-Identifier: MIT
/* cluster_memory_test.c -- opening a cluster while memory runs out at every place where some is asked for: an error or success, and
 * nothing is left behind. On the caller's loop, so that nothing fails but what is tested. */
#include "driver/cluster_for_tests.h"
#include "testing/memory.h"

enum { MOST_ALLOCATIONS = 2000, MOST_TURNS = 60 };

static const corm_cluster_options small = {
    .pool = { .size = 2 },
    .reconnection = { .base_delay_ms = 1, .max_delay_ms = 2, .dials_per_second = 100000 },
};

static corm_status try_with(test_cluster *t, const char *name, size_t allocations) {
    corm_error     err;
    driver_contact contact = { name, corm_fake_port(t->fake) };
    testing__memory_fail_from(allocations);
    corm_status status = test_try_open(t, &contact, 1, &small, &err);
    if (status == CORM_OK) {
        for (int i = 0; i < MOST_TURNS && t->cluster->nodes[0]->pool->ready < 2; i++) {
            (void)uv_run(&t->loop, UV_RUN_NOWAIT);
        }
        test_close(t);
    }
    testing__memory_fail_from(SIZE_MAX);
    return status;
}

/* What a name's resolving leaves on the loop is over when its answer came. */
static void settle(test_cluster *t) {
    uv_unref((uv_handle_t *)&t->limit);
    (void)uv_run(&t->loop, UV_RUN_DEFAULT);
    uv_ref((uv_handle_t *)&t->limit);
}

static void open_at_every_place(const char *name, const corm_fake_options *fake) {
    test_cluster t;
    size_t       n = 0;
    bool         failed = true;
    test_begin(&t, fake);
    /* The loop's own tables are large enough then: libuv ends the program when it cannot make them larger. */
    assert_status(try_with(&t, name, SIZE_MAX), CORM_OK);
    settle(&t);
    for (; n < MOST_ALLOCATIONS && failed; n++) {
        corm_status status = try_with(&t, name, n);
        failed = testing__memory_has_failed() || status != CORM_OK;
        settle(&t);
    }
    assert_true(n > 20 && n < MOST_ALLOCATIONS);
    test_end(&t);
}

static void opening_without_memory_is_an_error(void **state) {
    (void)state;
    if (!testing__memory_can_fail()) skip();
    open_at_every_place("127.0.0.1", &(corm_fake_options){ .nodes = 3, .racks = 3 });
}

static void opening_by_a_name_without_memory_is_an_error(void **state) {
    (void)state;
    if (!testing__memory_can_fail()) skip();
    open_at_every_place("localhost", &(corm_fake_options){ .nodes = 1, .most_version = 4 });
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(opening_without_memory_is_an_error),
    cmocka_unit_test(opening_by_a_name_without_memory_is_an_error),
};

RUN_TESTS()
