// SPDX-License-Identifier: MIT
/* The change feed while memory fails: each operation is made again and again while one allocation more succeeds each time, until it
 * goes through. A failure is CORM_NO_MEMORY, leaves the feed where it was, and leaks nothing. */
#include "testing/memory.h"

#include <string.h>

#include "base/fail.h"
#include "corm/feed.h"
#include "testing/check.h"

static corm_error err;

static void run(corm_session *session, const char *text) {
    assert_ok(corm_execute(session, text, NULL, { .error = &err }), err);
}

enum { CHANGES = 5 };

static corm_session *open_with_changes(void) {
    corm_session        *session;
    corm_session_options options = { .keyspace = "k", .create_keyspace = true };
    assert_ok(corm_session_open(&session, "corm::memory:", &options, &err), err);
    run(session,
        "CREATE TABLE t (a int, b int, s int static, v text, m map<text, int>, PRIMARY KEY (a, b)) "
        "WITH cdc = true");
    run(session, "INSERT INTO t (a, b, v) VALUES (1, 1, 'one')");
    run(session, "UPDATE t SET v = 'two', m = {'x': 1} WHERE a = 1 AND b = 1");
    run(session, "DELETE FROM t WHERE a = 1 AND b > 4");
    run(session, "ALTER TABLE t ADD w int");
    return session;
}

typedef struct fixture {
    corm_session      *session;
    corm_feed         *feed;
    const corm_change *change; /* the one that operations look at */
} fixture;

static corm_feed *open_feed(corm_session *session) {
    corm_feed        *feed;
    corm_feed_options options = { .tables = (const char *const[]){ "k.t" }, .table_count = 1 };
    assert_ok(corm_feed_open(session, &options, &feed, &err), err);
    return feed;
}

typedef corm_status (*operation)(fixture *f, corm_error *error);

/* `skipped` changes are read before; the operation looks at the one that follows, if it is not 0. */
static bool try_with(operation op, int skipped, size_t allowed) {
    fixture    f = { .session = open_with_changes() };
    corm_error error = { 0 };
    f.feed = open_feed(f.session);
    for (int i = 0; i < skipped; i++) assert_ok(corm_feed_next(f.feed, 0, &f.change, &err), err);
    testing__memory_fail_from(allowed);
    corm_status status = op(&f, &error);
    bool        has_failed = testing__memory_has_failed();
    testing__memory_fail_from(SIZE_MAX);
    if (!has_failed) assert_ok(status, error);
    if (status != CORM_OK) assert_status(status, CORM_NO_MEMORY);
    corm_feed_close(f.feed);
    corm_session_close(f.session);
    return has_failed;
}

static void survives(operation op, int skipped) {
    if (!testing__memory_can_fail()) skip();
    (void)try_with(op, skipped, SIZE_MAX); /* what the process keeps from then on */
    long live = testing__memory_live();
    for (size_t allowed = 0; try_with(op, skipped, allowed); allowed++)
        assert_int_equal(testing__memory_live(), live);
    assert_int_equal(testing__memory_live(), live);
}

/* ---- opening and settings ---- */

static corm_status open_another(fixture *f, corm_error *error) {
    corm_feed        *feed;
    corm_feed_options options = { .from = CORM_FEED_BEHIND,
                                  .position = corm_feed_position_of(f->feed),
                                  .tables = (const char *const[]){ "k.t", "other" },
                                  .table_count = 2 };
    CORM_TRY(corm_feed_open(f->session, &options, &feed, error));
    corm_feed_close(feed);
    return CORM_OK;
}

static void opening_survives_without_memory(void **state) {
    (void)state;
    survives(open_another, 1);
}

static corm_status open_by_time(fixture *f, corm_error *error) {
    corm_feed        *feed;
    corm_feed_options options = { .from = CORM_FEED_AT, .time_us = 1 };
    CORM_TRY(corm_feed_open(f->session, &options, &feed, error));
    corm_feed_close(feed);
    return CORM_OK;
}

static void opening_by_time_survives_without_memory(void **state) {
    (void)state;
    survives(open_by_time, 0);
}

static corm_status configure(fixture *f, corm_error *error) {
    corm_feed_state    found;
    corm_feed_settings settings = { .all_tables = true, .keep_seconds = 100 };
    CORM_TRY(corm_feed_configure(f->session, &settings, error));
    CORM_TRY(corm_feed_state_of(f->session, &found, error));
    assert_true(found.settings.all_tables);
    return CORM_OK;
}

static void settings_survive_without_memory(void **state) {
    (void)state;
    survives(configure, 0);
}

/* ---- reading ---- */

static bool same(corm_feed_position a, corm_feed_position b) {
    return memcmp(a.bytes, b.bytes, sizeof a.bytes) == 0;
}

/* The failed call leaves the feed where it was: with memory, all changes come, each once. */
static corm_status read_on(fixture *f, corm_error *error) {
    corm_feed_position before = corm_feed_position_of(f->feed);
    const corm_change *change;
    corm_status        status = corm_feed_next(f->feed, 0, &change, error);
    if (status != CORM_OK) {
        assert_null(change);
        assert_true(same(before, corm_feed_position_of(f->feed)));
    }
    testing__memory_pause();
    static const corm_change_kind kinds[CHANGES] = { CORM_CHANGE_SCHEMA, CORM_CHANGE_INSERT,
                                                     CORM_CHANGE_UPDATE, CORM_CHANGE_RANGE,
                                                     CORM_CHANGE_SCHEMA };
    for (int i = 0; i < CHANGES; i++) {
        if (status != CORM_OK || i > 0) assert_ok(corm_feed_next(f->feed, 0, &change, &err), err);
        assert_non_null(change);
        assert_int_equal(corm_change_kind_of(change), kinds[i]);
        assert_true(same(corm_change_position(change), corm_feed_position_of(f->feed)));
    }
    assert_ok(corm_feed_next(f->feed, 0, &change, &err), err);
    assert_null(change);
    testing__memory_resume();
    return status;
}

static void reading_survives_without_memory_and_loses_nothing(void **state) {
    (void)state;
    survives(read_on, 0);
}

static corm_status read_many(fixture *f, corm_error *error) {
    corm_feed_position before = corm_feed_position_of(f->feed);
    const corm_change *changes[CHANGES];
    uint32_t           count, more = 0;
    corm_status        status = corm_feed_read(f->feed, 0, changes, CHANGES, &count, error);
    testing__memory_pause();
    if (status != CORM_OK) {
        assert_int_equal(count, 0);
        assert_true(same(before, corm_feed_position_of(f->feed)));
    }
    if (status != CORM_OK)
        assert_ok(corm_feed_read(f->feed, 0, changes, CHANGES, &more, &err), err);
    assert_int_equal(count + more, CHANGES);
    testing__memory_resume();
    return status;
}

static void reading_many_survives_without_memory_and_loses_nothing(void **state) {
    (void)state;
    survives(read_many, 0);
}

/* ---- what a change says ---- */

typedef corm_status (*look)(const corm_change *change, corm_result **out, corm_error *error);

static corm_status look_at(fixture *f, look at, corm_error *error) {
    corm_result *result;
    CORM_TRY(at(f->change, &result, error));
    assert_non_null(corm_result_next(result));
    return CORM_OK;
}

static corm_status look_at_key(fixture *f, corm_error *error) {
    return look_at(f, corm_change_key, error);
}

static corm_status look_at_before(fixture *f, corm_error *error) {
    return look_at(f, corm_change_before, error);
}

static corm_status look_at_after(fixture *f, corm_error *error) {
    return look_at(f, corm_change_after, error);
}

static void rows_of_a_change_survive_without_memory(void **state) {
    (void)state;
    survives(look_at_key, 3);
    survives(look_at_before, 3);
    survives(look_at_after, 3);
}

static corm_status look_at_range(fixture *f, corm_error *error) {
    corm_result *result = NULL;
    bool         inclusive;
    CORM_TRY(corm_change_range(f->change, false, &result, &inclusive, error));
    return corm_change_range(f->change, true, &result, &inclusive, error);
}

static void a_range_survives_without_memory(void **state) {
    (void)state;
    survives(look_at_range, 4);
}

static corm_status look_at_json(fixture *f, corm_error *error) {
    corm_str text;
    CORM_TRY(corm_change_json(f->change, &text, error));
    assert_true(text.len > 0);
    return CORM_OK;
}

static void lines_of_json_survive_without_memory(void **state) {
    (void)state;
    for (int i = 1; i <= CHANGES; i++) survives(look_at_json, i);
}

/* ---- without waiting ---- */

static void ignore(void *context, corm_status status, const corm_change *change,
                   const corm_error *error) {
    (void)change;
    (void)error;
    *(corm_status *)context = status;
}

static corm_status ask_ahead(fixture *f, corm_error *error) {
    corm_status status = CORM_OK, seen = CORM_OK;
    corm_task  *task = corm_feed_next_async(f->feed, 0, ignore, &seen);
    (void)error;
    if (!task) return CORM_NO_MEMORY;
    testing__memory_pause();
    status = corm_task_wait(task, 0);
    assert_int_equal(status, seen);
    corm_task_free(task);
    testing__memory_resume();
    return status;
}

static void asking_without_waiting_survives_without_memory(void **state) {
    (void)state;
    survives(ask_ahead, 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(opening_survives_without_memory),
    cmocka_unit_test(opening_by_time_survives_without_memory),
    cmocka_unit_test(settings_survive_without_memory),
    cmocka_unit_test(reading_survives_without_memory_and_loses_nothing),
    cmocka_unit_test(reading_many_survives_without_memory_and_loses_nothing),
    cmocka_unit_test(rows_of_a_change_survive_without_memory),
    cmocka_unit_test(a_range_survives_without_memory),
    cmocka_unit_test(lines_of_json_survive_without_memory),
    cmocka_unit_test(asking_without_waiting_survives_without_memory),
};

RUN_TESTS()
