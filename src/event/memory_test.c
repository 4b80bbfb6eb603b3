// SPDX-License-Identifier: MIT
/* Events while memory fails: each failure is CORM_NO_MEMORY, and nothing is left. */
#include "testing/memory.h"

#include "base/fail.h"
#include "event/core.h"
#include "testing/check.h"

enum { SUBSCRIBERS = 20 /* more than a publisher has place for */ };

static void hear(const corm_event *event, void *context) {
    (void)context;
    assert_non_null(event->source);
}

static corm_status tell(corm_events *events, corm_error *err) {
    const corm_event_field data[] = { { "id", "7" }, { "none", NULL } };
    const corm_event       event = {
              .type = "row.inserted", .source = "test", .data = data, .data_count = 2
    };
    for (int i = 0; i < SUBSCRIBERS; i++) {
        CORM_TRY(corm_events_subscribe(events, "row.*", hear, NULL, NULL, NULL, err));
    }
    return corm_events_publish(events, &event, err);
}

static corm_status run(corm_error *err) {
    corm_events *events;
    CORM_TRY(corm_events_open(&events, err));
    corm_status status = tell(events, err);
    corm_events_close(events);
    return status;
}

static void everything_survives(void **state) {
    bool failed = true;
    (void)state;
    if (!testing__memory_can_fail()) skip();
    for (size_t n = 0; failed; n++) {
        corm_error err = { 0 };
        long       before = testing__memory_live();
        testing__memory_fail_from(n);
        corm_status status = run(&err);
        failed = testing__memory_has_failed();
        testing__memory_fail_from(SIZE_MAX);
        if (failed && status != CORM_OK) assert_status(status, CORM_NO_MEMORY);
        if (!failed) assert_ok(status, err);
        assert_int_equal(testing__memory_live(), before);
    }
}

/* The copy that waits in a queue is the only thing that is made for it. */
static void a_queued_event_survives(void **state) {
    corm_events                 *events;
    corm_error                   err = { 0 };
    const corm_event             event = { .type = "row.inserted" };
    const corm_subscribe_options options = { .queued = true };
    (void)state;
    if (!testing__memory_can_fail()) skip();
    assert_ok(corm_events_open(&events, &err), err);
    assert_ok(corm_events_subscribe(events, "**", hear, NULL, &options, NULL, &err), err);
    testing__memory_fail_from(0);
    corm_status status = corm_events_publish(events, &event, &err);
    testing__memory_fail_from(SIZE_MAX);
    assert_status(status, CORM_NO_MEMORY);
    corm_events_close(events);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(everything_survives),
    cmocka_unit_test(a_queued_event_survives),
};

RUN_TESTS()
