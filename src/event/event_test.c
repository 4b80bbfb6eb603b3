// SPDX-License-Identifier: MIT
/* Who gets which event, in which order, on which thread; full queues; leaving at any time. */
#include "event/core.h"

#include <stdlib.h>

#include "testing/check.h"

/* ---- patterns ---- */

static void patterns_mean_types(void **state) {
    (void)state;
    static const struct {
        const char *pattern, *type;
        bool        matches;
    } cases[] = {
        { "row.inserted", "row.inserted", true },
        { "row.inserted", "row.insert", false },
        { "row.*", "row.inserted", true },
        { "row.*", "row", false },
        { "row.*", "row.a.b", false },
        { "row.**", "row.a.b", true },
        { "**", "anything.at.all", true },
        { "*", "one", true },
        { "*", "one.two", false },
        { "*.deleted", "row.deleted", true },
        { "*.deleted", "row.inserted", false },
        { "a.*.c", "a.b.c", true },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_true(event__is_pattern(cases[i].pattern));
        if (event__matches(cases[i].pattern, cases[i].type) != cases[i].matches) {
            fail_msg("%s %s", cases[i].pattern, cases[i].type);
        }
    }
    static const char *const wrong[] = { "", ".", "a.", ".a", "a..b", "a b", "**.a", "a*", "***" };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_false(event__is_pattern(wrong[i]));
        assert_false(event__is_type(wrong[i]));
    }
    assert_false(event__is_type("row.*"));
}

/* ---- delivery ---- */

typedef struct log {
    corm_events       *events;
    corm_subscription *self;
    pthread_mutex_t    lock;
    pthread_cond_t     changed;
    char               text[256];
    uint32_t           count;
    uint64_t           last;
    bool               held, out_of_order, released;
    pthread_t          thread;
} log;

static void init(log *l, corm_events *events) {
    memset(l, 0, sizeof *l);
    l->events = events;
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->changed, NULL);
}

static void note(const corm_event *event, void *context) {
    log *l = context;
    pthread_mutex_lock(&l->lock);
    l->count++;
    pthread_cond_broadcast(&l->changed);
    while (l->held) pthread_cond_wait(&l->changed, &l->lock);
    size_t len = strlen(l->text);
    if (len < 200) snprintf(l->text + len, sizeof l->text - len, "%s;", event->type);
    l->out_of_order |= event->number <= l->last;
    l->last = event->number;
    l->thread = pthread_self();
    pthread_mutex_unlock(&l->lock);
}

static void wait_for(log *l, uint32_t count) {
    pthread_mutex_lock(&l->lock);
    while (l->count < count) pthread_cond_wait(&l->changed, &l->lock);
    pthread_mutex_unlock(&l->lock);
}

static void hold(log *l, bool held) {
    pthread_mutex_lock(&l->lock);
    l->held = held;
    pthread_cond_broadcast(&l->changed);
    pthread_mutex_unlock(&l->lock);
}

static void release(void *context) {
    ((log *)context)->released = true;
}

static corm_events *open_events(void) {
    corm_events *events;
    corm_error   err;
    assert_ok(corm_events_open(&events, &err), err);
    return events;
}

static corm_status publish(corm_events *events, const char *type) {
    corm_error       err;
    const corm_event event = { .type = type, .source = "test" };
    return corm_events_publish(events, &event, &err);
}

static void subscribe(log *l, const char *pattern, const corm_subscribe_options *options) {
    corm_error err;
    assert_ok(corm_events_subscribe(l->events, pattern, note, l, options, &l->self, &err), err);
}

static void each_gets_what_its_pattern_means(void **state) {
    (void)state;
    corm_events *events = open_events();
    log          rows, all, queued;
    init(&rows, events), init(&all, events), init(&queued, events);
    assert_status(publish(events, "nobody.listens"), CORM_OK);
    assert_false(corm_events_wanted(events, "row.x"));
    subscribe(&rows, "row.*", NULL);
    subscribe(&all, "**", NULL);
    subscribe(&queued, "row.**", &(corm_subscribe_options){ .queued = true, .release = release });
    assert_true(corm_events_wanted(events, "row.x"));
    assert_status(publish(events, "row.inserted"), CORM_OK);
    assert_status(publish(events, "db.opened"), CORM_OK);
    assert_status(publish(events, "row.deleted"), CORM_OK);
    assert_status(publish(events, "not a type"), CORM_INVALID_ARGUMENT);
    assert_string_equal(rows.text, "row.inserted;row.deleted;");
    assert_string_equal(all.text, "row.inserted;db.opened;row.deleted;");
    corm_error err;
    assert_ok(corm_events_drain(events, &err), err);
    assert_string_equal(queued.text, "row.inserted;row.deleted;");
    assert_false(pthread_equal(queued.thread, pthread_self()));
    assert_true(pthread_equal(all.thread, pthread_self()));
    corm_unsubscribe(rows.self);
    assert_status(publish(events, "row.inserted"), CORM_OK);
    assert_int_equal(rows.count, 2);
    corm_events_close(events);
    assert_true(queued.released);
    assert_int_equal(queued.count, 3);
}

static void a_queue_that_is_full_does_what_was_chosen(void **state) {
    (void)state;
    corm_events *events = open_events();
    log          drops, fails;
    init(&drops, events), init(&fails, events);
    hold(&drops, true), hold(&fails, true);
    subscribe(
        &drops, "a.*",
        &(corm_subscribe_options){ .queued = true, .capacity = 2, .full = CORM_FULL_DROPS_OLDEST });
    subscribe(&fails, "b.*",
              &(corm_subscribe_options){ .queued = true, .capacity = 2, .full = CORM_FULL_FAILS });
    assert_status(publish(events, "a.one"), CORM_OK);
    wait_for(&drops, 1);
    assert_status(publish(events, "a.two"), CORM_OK);
    assert_status(publish(events, "a.three"), CORM_OK);
    assert_status(publish(events, "a.four"), CORM_OK);
    assert_int_equal(corm_subscription_lost(drops.self), 1);
    assert_status(publish(events, "b.one"), CORM_OK);
    wait_for(&fails, 1);
    assert_status(publish(events, "b.two"), CORM_OK);
    assert_status(publish(events, "b.three"), CORM_OK);
    assert_status(publish(events, "b.four"), CORM_OVERLOADED);
    assert_int_equal(corm_subscription_lost(fails.self), 1);
    hold(&drops, false), hold(&fails, false);
    corm_error err;
    assert_ok(corm_events_drain(events, &err), err);
    assert_string_equal(drops.text, "a.one;a.three;a.four;");
    assert_string_equal(fails.text, "b.one;b.two;b.three;");
    corm_events_close(events);
}

static void *publish_many(void *context) {
    for (int i = 0; i < 500; i++) assert_status(publish(context, "row.inserted"), CORM_OK);
    return NULL;
}

static void publishers_wait_for_room(void **state) {
    (void)state;
    corm_events *events = open_events();
    log          l, direct;
    pthread_t    threads[3];
    corm_error   err;
    init(&l, events), init(&direct, events);
    subscribe(&l, "**", &(corm_subscribe_options){ .queued = true, .capacity = 3 });
    subscribe(&direct, "**", NULL);
    for (int i = 0; i < 3; i++) pthread_create(&threads[i], NULL, publish_many, events);
    for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
    assert_ok(corm_events_drain(events, &err), err);
    assert_int_equal(l.count, 1500);
    assert_int_equal(direct.count, 1500);
    assert_int_equal(corm_subscription_lost(l.self), 0);
    corm_events_close(events);
}

/* ---- leaving ---- */

static void leave(const corm_event *event, void *context) {
    log *l = context;
    (void)event;
    l->count++;
    corm_unsubscribe(l->self);
}

static void a_handler_may_unsubscribe_itself(void **state) {
    (void)state;
    for (int queued = 0; queued < 2; queued++) {
        corm_events *events = open_events();
        log          l;
        corm_error   err;
        init(&l, events);
        const corm_subscribe_options options = { .queued = queued };
        assert_ok(corm_events_subscribe(events, "**", leave, &l, &options, &l.self, &err), err);
        assert_status(publish(events, "once.only"), CORM_OK);
        assert_status(publish(events, "once.only"), CORM_OK);
        if (queued) {
            while (corm_events_wanted(events, "once.only")) sched_yield();
        }
        corm_events_close(events);
        assert_int_equal(l.count, 1);
    }
}

static void *leave_and_come(void *context) {
    log own;
    for (int i = 0; i < 200; i++) {
        init(&own, context);
        subscribe(&own, "row.*", &(corm_subscribe_options){ .queued = i % 2, .release = release });
        corm_unsubscribe(own.self);
        assert_true(own.released);
    }
    return NULL;
}

static void subscribers_come_and_go_while_others_publish(void **state) {
    (void)state;
    corm_events *events = open_events();
    pthread_t    threads[4];
    for (int i = 0; i < 4; i++) {
        pthread_create(&threads[i], NULL, i < 2 ? publish_many : leave_and_come, events);
    }
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    corm_events_close(events);
}

static void again(const corm_event *event, void *context) {
    log *l = context;
    (void)event;
    l->count++;
    corm_error err;
    assert_status(corm_events_drain(l->events, &err), CORM_WOULD_DEADLOCK);
    if (publish(l->events, "again.and_again") == CORM_INVALID) l->held = true;
}

static void handlers_that_publish_are_bounded(void **state) {
    (void)state;
    corm_events *events = open_events();
    log          l;
    corm_error   err;
    init(&l, events);
    assert_ok(corm_events_subscribe(events, "again.*", again, &l, NULL, NULL, &err), err);
    assert_status(publish(events, "again.and_again"), CORM_OK);
    assert_int_equal(l.count, 16);
    assert_true(l.held);
    corm_events_close(events);
}

/* ---- what an event says ---- */

static void show(const corm_event *event, void *context) {
    char *json = corm_event_json(event);
    assert_non_null(json);
    snprintf(context, 256, "%s", json);
    free(json);
    assert_string_equal(corm_event_value(event, "id"), "7");
    assert_null(corm_event_value(event, "none"));
}

static void an_event_is_json(void **state) {
    (void)state;
    corm_events           *events = open_events();
    char                   json[256];
    corm_error             err;
    const corm_event_field data[] = { { "id", "7" }, { "email", NULL } };
    const corm_event       event = { .type = "row.inserted",
                                     .source = "mapper",
                                     .subject = "shop.users",
                                     .data = data,
                                     .data_count = 2,
                                     .at = { 5 } };
    assert_ok(corm_events_subscribe(events, "**", show, json, NULL, NULL, &err), err);
    corm_correlation_set("c-1");
    assert_ok(corm_events_publish(events, &event, &err), err);
    corm_correlation_set(NULL);
    assert_string_equal(
        json, "{\"type\":\"row.inserted\",\"source\":\"mapper\",\"subject\":\"shop.users\","
              "\"timestamp\":5,\"number\":1,\"correlationId\":\"c-1\","
              "\"data\":{\"id\":\"7\",\"email\":null}}");
    corm_events_close(events);
}

static void mistakes_are_named(void **state) {
    (void)state;
    corm_events           *events = open_events();
    corm_error             err;
    corm_subscribe_options wrong = { ._canary = 1 };
    assert_status(corm_events_subscribe(events, "a b", note, NULL, NULL, NULL, &err),
                  CORM_INVALID_ARGUMENT);
    assert_string_equal(err.message, "'a b' is no pattern of events");
    assert_status(corm_events_subscribe(events, "a", NULL, NULL, NULL, NULL, &err),
                  CORM_INVALID_ARGUMENT);
    assert_status(corm_events_subscribe(events, "a", note, NULL, &wrong, NULL, &err),
                  CORM_INVALID_ARGUMENT);
    corm_unsubscribe(NULL);
    corm_events_close(events);
    corm_events_close(NULL);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(patterns_mean_types),
    cmocka_unit_test(each_gets_what_its_pattern_means),
    cmocka_unit_test(a_queue_that_is_full_does_what_was_chosen),
    cmocka_unit_test(publishers_wait_for_room),
    cmocka_unit_test(a_handler_may_unsubscribe_itself),
    cmocka_unit_test(subscribers_come_and_go_while_others_publish),
    cmocka_unit_test(handlers_that_publish_are_bounded),
    cmocka_unit_test(an_event_is_json),
    cmocka_unit_test(mistakes_are_named),
};

RUN_TESTS()
