// SPDX-License-Identifier: MIT
/* Changes of the feed that are asked for without waiting: they come, in order; waits end when they are cancelled, woken, over or when
 * the feed is closed, and lose nothing. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "corm/feed.h"
#include "testing/check.h"

static corm_error err;

static void run(corm_session *session, const char *text) {
    assert_ok(corm_execute(session, text, NULL, { .error = &err }), err);
}

static corm_session *open_with_table(void) {
    corm_session        *session;
    corm_session_options options = { .keyspace = "k", .create_keyspace = true };
    assert_ok(corm_session_open(&session, "corm::memory:", &options, &err), err);
    run(session, "CREATE TABLE t (a int PRIMARY KEY, v text) WITH cdc = true");
    return session;
}

static corm_feed *open_feed(corm_session *session) {
    corm_feed *feed;
    assert_ok(corm_feed_open(session, &(corm_feed_options){ .from = CORM_FEED_NOW }, &feed, &err),
              err);
    return feed;
}

static int32_t key_of(const corm_change *change) {
    corm_result    *key;
    const corm_row *row;
    assert_ok(corm_change_key(change, &key, &err), err);
    assert_non_null(row = corm_result_next(key));
    return (int32_t)strtol(corm_row_format(row, 0).data, NULL, 10);
}

/* What callbacks saw. */
typedef struct seen {
    corm_feed      *feed;
    pthread_mutex_t lock;
    pthread_cond_t  changed;
    uint32_t        calls;
    corm_status     status;
    bool            had_change;
    int32_t         keys[16];
    uint32_t        count, wanted; /* asks again until so many came */
    corm_task      *task;          /* of the one asked for in the callback */
} seen;

static seen new_seen(corm_feed *feed) {
    return (seen){ .feed = feed,
                   .lock = PTHREAD_MUTEX_INITIALIZER,
                   .changed = PTHREAD_COND_INITIALIZER };
}

static void on_change(void *context, corm_status status, const corm_change *change,
                      const corm_error *error) {
    seen *self = context;
    pthread_mutex_lock(&self->lock);
    assert_true((status == CORM_OK) == (error == NULL));
    self->status = status;
    self->had_change = change != NULL;
    if (change) self->keys[self->count++] = key_of(change);
    if (status == CORM_OK && self->count < self->wanted) {
        corm_task_free(self->task);
        self->task = corm_feed_next_async(self->feed, CORM_FEED_FOREVER, on_change, self);
        assert_non_null(self->task);
    }
    self->calls++;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
}

static void wait_for_calls(seen *self, uint32_t calls) {
    pthread_mutex_lock(&self->lock);
    while (self->calls < calls) pthread_cond_wait(&self->changed, &self->lock);
    pthread_mutex_unlock(&self->lock);
}

static void a_change_comes_when_it_is_written(void **state) {
    (void)state;
    corm_session *session = open_with_table();
    corm_feed    *feed = open_feed(session);
    seen          self = new_seen(feed);
    corm_task    *task = corm_feed_next_async(feed, CORM_FEED_FOREVER, on_change, &self);
    assert_non_null(task);
    assert_false(corm_task_is_done(task));
    run(session, "INSERT INTO t (a) VALUES (7)");
    assert_status(corm_task_wait(task, 0), CORM_OK);
    assert_int_equal(self.calls, 1);
    assert_int_equal(self.keys[0], 7);
    corm_task_free(task);
    corm_feed_close(feed);
    corm_session_close(session);
}

static void the_callback_asks_for_the_next(void **state) {
    (void)state;
    corm_session *session = open_with_table();
    corm_feed    *feed = open_feed(session);
    seen          self = new_seen(feed);
    self.wanted = 10;
    corm_task *task = corm_feed_next_async(feed, CORM_FEED_FOREVER, on_change, &self);
    for (int i = 0; i < 10; i++) {
        char text[60];
        snprintf(text, sizeof text, "INSERT INTO t (a) VALUES (%d)", i);
        run(session, text);
    }
    wait_for_calls(&self, 10);
    for (int i = 0; i < 10; i++) assert_int_equal(self.keys[i], i);
    corm_task_free(task);
    corm_task_free(self.task);
    corm_feed_close(feed);
    corm_session_close(session);
}

static void without_a_callback_the_change_is_left_to_be_taken(void **state) {
    (void)state;
    const corm_change *change;
    corm_session      *session = open_with_table();
    corm_feed         *feed = open_feed(session);
    corm_task         *task = corm_feed_next_async(feed, CORM_FEED_FOREVER, NULL, NULL);
    run(session, "INSERT INTO t (a) VALUES (3)");
    assert_status(corm_task_wait(task, 0), CORM_OK);
    assert_ok(corm_feed_next(feed, 0, &change, &err), err);
    assert_int_equal(key_of(change), 3);
    corm_task_free(task);
    corm_feed_close(feed);
    corm_session_close(session);
}

static void a_wait_that_is_cancelled_loses_nothing(void **state) {
    (void)state;
    const corm_change *change;
    corm_session      *session = open_with_table();
    corm_feed         *feed = open_feed(session);
    seen               self = new_seen(feed);
    corm_task         *task = corm_feed_next_async(feed, CORM_FEED_FOREVER, on_change, &self);
    corm_task_cancel(task);
    assert_status(corm_task_wait(task, 0), CORM_CANCELLED);
    assert_status(self.status, CORM_CANCELLED);
    assert_int_equal(self.calls, 1);
    corm_task_cancel(task);
    run(session, "INSERT INTO t (a) VALUES (5)");
    assert_ok(corm_feed_next(feed, 0, &change, &err), err);
    assert_int_equal(key_of(change), 5);
    corm_task_free(task);
    corm_feed_close(feed);
    corm_session_close(session);
}

static void closing_ends_the_wait(void **state) {
    (void)state;
    corm_session *session = open_with_table();
    corm_feed    *feed = open_feed(session);
    seen          self = new_seen(feed);
    corm_task    *task = corm_feed_next_async(feed, CORM_FEED_FOREVER, on_change, &self);
    corm_feed_close(feed);
    assert_int_equal(self.calls, 1);
    assert_status(self.status, CORM_CANCELLED);
    assert_true(corm_task_is_done(task));
    corm_task_cancel(task);
    corm_task_free(task);
    corm_session_close(session);
}

static void waking_and_time_end_it_without_a_change(void **state) {
    (void)state;
    corm_session *session = open_with_table();
    corm_feed    *feed = open_feed(session);
    seen          self = new_seen(feed);
    corm_task    *task = corm_feed_next_async(feed, CORM_FEED_FOREVER, on_change, &self);
    corm_feed_wake(feed);
    assert_status(corm_task_wait(task, 0), CORM_OK);
    assert_false(self.had_change);
    corm_task_free(task);
    task = corm_feed_next_async(feed, 1, on_change, &self);
    assert_status(corm_task_wait(task, 0), CORM_OK);
    assert_false(self.had_change);
    assert_int_equal(self.calls, 2);
    corm_task_free(task);
    corm_feed_close(feed);
    corm_session_close(session);
}

static void one_waits_at_a_time(void **state) {
    (void)state;
    const corm_change *change;
    uint32_t           count;
    corm_session      *session = open_with_table();
    corm_feed         *feed = open_feed(session);
    seen               self = new_seen(feed), other = new_seen(feed);
    corm_task         *task = corm_feed_next_async(feed, CORM_FEED_FOREVER, on_change, &self);
    corm_task         *second = corm_feed_next_async(feed, CORM_FEED_FOREVER, on_change, &other);
    assert_status(corm_task_wait(second, 0), CORM_INVALID_ARGUMENT);
    assert_status(other.status, CORM_INVALID_ARGUMENT);
    assert_status(corm_feed_next(feed, 0, &change, &err), CORM_INVALID_ARGUMENT);
    assert_status(corm_feed_read(feed, 0, &change, 1, &count, &err), CORM_INVALID_ARGUMENT);
    run(session, "INSERT INTO t (a) VALUES (9)");
    assert_status(corm_task_wait(task, 0), CORM_OK);
    assert_int_equal(self.keys[0], 9);
    corm_task_free(task);
    corm_task_free(second);
    corm_feed_close(feed);
    corm_session_close(session);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_change_comes_when_it_is_written),
    cmocka_unit_test(the_callback_asks_for_the_next),
    cmocka_unit_test(without_a_callback_the_change_is_left_to_be_taken),
    cmocka_unit_test(a_wait_that_is_cancelled_loses_nothing),
    cmocka_unit_test(closing_ends_the_wait),
    cmocka_unit_test(waking_and_time_end_it_without_a_change),
    cmocka_unit_test(one_waits_at_a_time),
};

RUN_TESTS()
