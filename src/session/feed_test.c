// SPDX-License-Identifier: MIT
/* The change feed through a session: what changes say, positions, filters, waiting; and that the feed rebuilds the table. */
#include "corm/feed.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/fail.h"
#include "engine/engine.h"
#include "session/door.h"
#include "testing/check.h"
#include "testing/door.h"

static corm_error err;

static void run(corm_session *session, const char *text) {
    assert_ok(corm_execute(session, text, NULL, { .error = &err }), err);
}

static corm_session *open_session(const char *uri) {
    corm_session        *session;
    corm_session_options options = { .keyspace = "k", .create_keyspace = true };
    assert_ok(corm_session_open(&session, uri, &options, &err), err);
    return session;
}

static corm_session *open_with_table(void) {
    corm_session *session = open_session("corm::memory:");
    run(session,
        "CREATE TABLE t (a int, b text, s int static, v text, m map<text, int>, PRIMARY KEY (a, b))"
        " WITH cdc = true");
    return session;
}

static corm_feed *open_feed(corm_session *session, corm_feed_options options) {
    corm_feed *feed;
    assert_ok(corm_feed_open(session, &options, &feed, &err), err);
    return feed;
}

static const corm_change *next(corm_feed *feed) {
    const corm_change *change;
    assert_ok(corm_feed_next(feed, 0, &change, &err), err);
    return change;
}

/* The row of a result as "name=value …"; "-" when there is none. */
static void expect_row(corm_result *result, const char *expected) {
    char            text[400] = "-";
    size_t          len = 0;
    const corm_row *row = corm_result_next(result);
    for (uint32_t i = 0; row && i < corm_result_column_count(result); i++) {
        corm_str name = corm_result_column_name(result, i), value = corm_row_format(row, i);
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%.*s=%.*s", i ? " " : "",
                                (int)name.len, name.data, (int)value.len, value.data);
    }
    assert_string_equal(text, expected);
}

static void expect_change(const corm_change *change, corm_change_kind kind, const char *key,
                          const char *before, const char *after) {
    corm_result *result;
    assert_non_null(change);
    assert_int_equal(corm_change_kind_of(change), kind);
    assert_ok(corm_change_key(change, &result, &err), err);
    expect_row(result, key);
    assert_ok(corm_change_before(change, &result, &err), err);
    expect_row(result, before);
    assert_ok(corm_change_after(change, &result, &err), err);
    expect_row(result, after);
}

/* ---- what changes say ---- */

static void a_change_has_key_before_and_after(void **state) {
    (void)state;
    corm_session *session = open_with_table();
    corm_feed    *feed = open_feed(session, (corm_feed_options){ .from = CORM_FEED_NOW });
    run(session, "INSERT INTO t (a, b, v) VALUES (1, 'x', 'one') USING TIMESTAMP 77 AND TTL 500");
    run(session, "UPDATE t SET v = 'two', m = {'k': 1} WHERE a = 1 AND b = 'x'");
    run(session, "UPDATE t SET s = 5 WHERE a = 1");
    run(session, "DELETE FROM t WHERE a = 1 AND b = 'x'");
    const corm_change *change = next(feed);
    int64_t            at;
    uint32_t           ttl;
    expect_change(change, CORM_CHANGE_INSERT, "a=1 b=x", "-", "a=1 b=x v=one");
    assert_true(corm_str_equal(corm_change_keyspace(change), corm_str_of("k")));
    assert_true(corm_str_equal(corm_change_table(change), corm_str_of("t")));
    assert_int_equal(corm_change_timestamp_us(change), 77);
    assert_true(corm_change_written(change, "v", &at, &ttl));
    assert_int_equal(at, 77);
    assert_int_equal(ttl, 500);
    assert_false(corm_change_written(change, "m", &at, &ttl));
    assert_false(corm_change_existed(change));
    assert_true(corm_change_exists(change));
    expect_change(next(feed), CORM_CHANGE_UPDATE, "a=1 b=x", "a=1 b=x m=null v=one",
                  "a=1 b=x m={'k': 1} v=two");
    change = next(feed);
    assert_true(corm_change_is_static(change));
    expect_change(change, CORM_CHANGE_INSERT, "a=1", "-", "a=1 s=5");
    expect_change(next(feed), CORM_CHANGE_DELETE, "a=1 b=x", "a=1 b=x m={'k': 1} v=two", "-");
    assert_null(next(feed));
    corm_feed_close(feed);
    corm_session_close(session);
}

static void a_range_says_from_where_to_where(void **state) {
    (void)state;
    corm_session      *session = open_with_table();
    corm_feed         *feed = open_feed(session, (corm_feed_options){ .from = CORM_FEED_NOW });
    corm_result       *result;
    const corm_change *change;
    bool               inclusive;
    run(session, "DELETE FROM t WHERE a = 1 AND b > 'm'");
    change = next(feed);
    assert_int_equal(corm_change_kind_of(change), CORM_CHANGE_RANGE);
    assert_ok(corm_change_range(change, false, &result, &inclusive, &err), err);
    assert_false(inclusive);
    expect_row(result, "b=m");
    assert_ok(corm_change_range(change, true, &result, &inclusive, &err), err);
    assert_true(inclusive);
    assert_int_equal(corm_result_column_count(result), 0);
    assert_status(corm_change_before(change, &result, &err), CORM_NOT_FOUND);
    corm_feed_close(feed);
    corm_session_close(session);
}

static void whole_rows_are_told_when_asked_for(void **state) {
    (void)state;
    corm_session      *session = open_with_table();
    corm_feed_settings settings = { .whole_rows = true };
    assert_ok(corm_feed_configure(session, &settings, &err), err);
    corm_feed *feed = open_feed(session, (corm_feed_options){ .from = CORM_FEED_NOW });
    run(session, "INSERT INTO t (a, b, v) VALUES (1, 'x', 'one')");
    run(session, "UPDATE t SET m = {'k': 1} WHERE a = 1 AND b = 'x'");
    next(feed);
    expect_change(next(feed), CORM_CHANGE_UPDATE, "a=1 b=x", "a=1 b=x m=null v=one",
                  "a=1 b=x m={'k': 1} v=one");
    corm_feed_close(feed);
    corm_session_close(session);
}

static void expect_json(const corm_change *change, const char *expected) {
    corm_str json;
    assert_ok(corm_change_json(change, &json, &err), err);
    char *text = strndup(json.data, json.len);
    char *commit = strstr(text, "\"kind\"");
    assert_non_null(commit);
    char *time = strstr(text, ", \"time\""), *rest = time;
    for (int commas = 0; commas < 3; rest++) commas += *rest == ',';
    memmove(time, rest - 1, strlen(rest - 1) + 1);
    assert_string_equal(commit, expected);
    free(text);
}

static void a_change_is_a_line_of_json(void **state) {
    (void)state;
    corm_session *session = open_with_table();
    corm_feed    *feed = open_feed(session, (corm_feed_options){ .from = CORM_FEED_NOW });
    run(session, "INSERT INTO t (a, b, v) VALUES (1, 'x', 'say \"one\"')");
    run(session, "DELETE FROM t WHERE a = 1 AND b >= 'a' AND b < 'z'");
    run(session, "DELETE FROM t WHERE a = 2");
    run(session, "TRUNCATE t");
    expect_json(next(feed), "\"kind\": \"insert\", \"keyspace\": \"k\", \"table\": \"t\", "
                            "\"key\": {\"a\": 1, \"b\": \"x\"}, \"before\": null, "
                            "\"after\": {\"a\": 1, \"b\": \"x\", \"v\": \"say \\\"one\\\"\"}}");
    expect_json(next(feed),
                "\"kind\": \"range\", \"keyspace\": \"k\", \"table\": \"t\", \"key\": {\"a\": 1}, "
                "\"from\": {\"b\": \"a\"}, \"from_inclusive\": true, \"to\": {\"b\": \"z\"}, "
                "\"to_inclusive\": false}");
    expect_json(next(feed),
                "\"kind\": \"delete\", \"keyspace\": \"k\", \"table\": \"t\", "
                "\"key\": {\"a\": 1, \"b\": \"x\"}, \"before\": {\"a\": 1, \"b\": \"x\", "
                "\"v\": \"say \\\"one\\\"\"}, \"after\": null}");
    expect_json(next(feed), "\"kind\": \"partition\", \"keyspace\": \"k\", \"table\": \"t\", "
                            "\"key\": {\"a\": 2}}");
    expect_json(next(feed),
                "\"kind\": \"truncate\", \"keyspace\": \"k\", \"table\": \"t\", "
                "\"verb\": \"TRUNCATED\", \"target\": \"TABLE\", \"statement\": \"TRUNCATE t\"}");
    corm_feed_close(feed);
    corm_session_close(session);
}

/* ---- positions and filters ---- */

static void a_position_survives_as_text(void **state) {
    (void)state;
    corm_session      *session = open_with_table();
    corm_feed         *feed = open_feed(session, (corm_feed_options){ .from = CORM_FEED_OLDEST });
    char               text[CORM_FEED_POSITION_TEXT];
    corm_feed_position position;
    run(session, "INSERT INTO t (a, b) VALUES (1, 'x')");
    run(session, "INSERT INTO t (a, b) VALUES (2, 'y')");
    next(feed);
    next(feed);
    corm_feed_position_format(corm_feed_position_of(feed), text);
    corm_feed_close(feed);
    assert_ok(corm_feed_position_parse(text, &position, &err), err);
    feed =
        open_feed(session, (corm_feed_options){ .from = CORM_FEED_BEHIND, .position = position });
    expect_change(next(feed), CORM_CHANGE_INSERT, "a=2 b=y", "-", "a=2 b=y");
    assert_null(next(feed));
    corm_feed_close(feed);
    corm_session_close(session);
}

static void what_is_no_position_is_refused(void **state) {
    (void)state;
    static const char *const wrong[] = { "",
                                         "1",
                                         "1-aabbccdd-1",
                                         "2-aabbccdd-1-1",
                                         "1-aabbccdd-1-1 ",
                                         "1-aabbccdd-99999999999999999999-1",
                                         "1-aabbccdd-1-4294967296" };
    corm_session            *one = open_with_table(), *other = open_with_table();
    corm_feed               *feed = open_feed(one, (corm_feed_options){ .from = CORM_FEED_NOW });
    corm_feed_position       position;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_status(corm_feed_position_parse(wrong[i], &position, &err), CORM_INVALID_ARGUMENT);
    corm_feed_options options = { .from = CORM_FEED_BEHIND,
                                  .position = corm_feed_position_of(feed) };
    corm_feed        *second;
    assert_status(corm_feed_open(other, &options, &second, &err), CORM_INVALID_ARGUMENT);
    options.position = (corm_feed_position){ 0 };
    assert_status(corm_feed_open(one, &options, &second, &err), CORM_INVALID_ARGUMENT);
    corm_feed_close(feed);
    corm_session_close(one);
    corm_session_close(other);
}

static void only_wanted_tables_are_handed_out(void **state) {
    (void)state;
    const char   *tables[] = { "k.u" };
    corm_session *session = open_with_table();
    run(session, "CREATE TABLE u (a int PRIMARY KEY) WITH cdc = true");
    corm_feed *feed = open_feed(
        session, (corm_feed_options){ .from = CORM_FEED_NOW, .tables = tables, .table_count = 1 });
    run(session, "INSERT INTO t (a, b) VALUES (1, 'x')");
    run(session, "INSERT INTO u (a) VALUES (7)");
    run(session, "INSERT INTO t (a, b) VALUES (1, 'y')");
    expect_change(next(feed), CORM_CHANGE_INSERT, "a=7", "-", "a=7");
    assert_null(next(feed));
    corm_feed_close(feed);
    corm_session_close(session);
}

static void many_are_read_at_once(void **state) {
    (void)state;
    corm_session *session = open_with_table();
    corm_feed    *feed =
        open_feed(session, (corm_feed_options){ .from = CORM_FEED_NOW, .read_ahead = 5 });
    const corm_change *changes[3];
    uint32_t           count, total = 0;
    char               text[80];
    for (int i = 0; i < 12; i++) {
        snprintf(text, sizeof text, "INSERT INTO t (a, b) VALUES (%d, 'x')", i);
        run(session, text);
    }
    do {
        assert_ok(corm_feed_read(feed, 0, changes, 3, &count, &err), err);
        total += count;
    } while (count > 0);
    assert_int_equal(total, 12);
    corm_feed_close(feed);
    corm_session_close(session);
}

static void the_state_says_what_is_kept(void **state) {
    (void)state;
    corm_session   *session = open_with_table();
    corm_feed_state feed;
    run(session, "INSERT INTO t (a, b) VALUES (1, 'x')");
    assert_ok(corm_feed_state_of(session, &feed, &err), err);
    assert_int_equal(feed.changes, 2);
    assert_true(feed.bytes > 20);
    assert_int_equal(feed.settings.keep_seconds, 86400);
    corm_session_close(session);
}

static corm_status no_answer(void *context, corm_str keyspace, const wire_request *request,
                             wire_answer *answer, corm_error *e) {
    (void)context, (void)keyspace, (void)request, (void)answer;
    return base__fail(e, CORM_IO, "nothing is asked");
}

static void a_session_without_a_store_has_no_feed(void **state) {
    (void)state;
    testing_counts     counts = { 0 };
    corm_session      *session = testing__session(no_answer, NULL, &counts);
    corm_feed_settings settings = { .all_tables = true };
    corm_feed_state    feed_state;
    corm_feed         *feed;
    assert_status(corm_feed_open(session, NULL, &feed, &err), CORM_UNSUPPORTED);
    assert_null(feed);
    assert_status(corm_feed_configure(session, &settings, &err), CORM_UNSUPPORTED);
    assert_status(corm_feed_state_of(session, &feed_state, &err), CORM_UNSUPPORTED);
    corm_session_close(session);
}

static void another_session_of_the_folder_goes_on(void **state) {
    (void)state;
    corm_session *writer = open_session("corm:./shared");
    run(writer, "CREATE TABLE t (a int PRIMARY KEY) WITH cdc = true");
    corm_feed *feed = open_feed(writer, (corm_feed_options){ .from = CORM_FEED_NOW });
    run(writer, "INSERT INTO t (a) VALUES (1)");
    expect_change(next(feed), CORM_CHANGE_INSERT, "a=1", "-", "a=1");
    corm_feed_position position = corm_feed_position_of(feed);
    corm_session      *reader = open_session("corm:./shared");
    corm_feed         *other =
        open_feed(reader, (corm_feed_options){ .from = CORM_FEED_BEHIND, .position = position });
    run(writer, "INSERT INTO t (a) VALUES (2)");
    expect_change(next(other), CORM_CHANGE_INSERT, "a=2", "-", "a=2");
    run(reader, "INSERT INTO t (a) VALUES (3)");
    expect_change(next(feed), CORM_CHANGE_INSERT, "a=2", "-", "a=2");
    expect_change(next(feed), CORM_CHANGE_INSERT, "a=3", "-", "a=3");
    corm_feed_close(feed);
    corm_feed_close(other);
    corm_session_close(writer);
    corm_session_close(reader);
}

/* ---- waiting ---- */

typedef struct waiter {
    corm_feed         *feed;
    const corm_change *change;
    corm_status        status;
} waiter;

static void *wait_forever(void *context) {
    waiter    *self = context;
    corm_error e;
    self->status = corm_feed_next(self->feed, CORM_FEED_FOREVER, &self->change, &e);
    return NULL;
}

static void a_write_or_a_call_wakes_who_waits(void **state) {
    (void)state;
    pthread_t     thread;
    corm_session *session = open_with_table();
    waiter self = { .feed = open_feed(session, (corm_feed_options){ .from = CORM_FEED_NOW }) };
    assert_int_equal(pthread_create(&thread, NULL, wait_forever, &self), 0);
    run(session, "INSERT INTO t (a, b) VALUES (1, 'x')");
    pthread_join(thread, NULL);
    assert_int_equal(self.status, CORM_OK);
    expect_change(self.change, CORM_CHANGE_INSERT, "a=1 b=x", "-", "a=1 b=x");
    assert_int_equal(pthread_create(&thread, NULL, wait_forever, &self), 0);
    corm_feed_wake(self.feed);
    pthread_join(thread, NULL);
    assert_int_equal(self.status, CORM_OK);
    assert_null(self.change);
    corm_feed_close(self.feed);
    corm_session_close(session);
}

/* ---- the feed rebuilds the table ---- */

/* Writes a change into another table of the same shape, as somebody who only reads the feed would. */
static void apply(corm_session *session, const corm_change *change) {
    corm_result     *key, *after;
    const corm_row  *row;
    char             text[1000];
    size_t           len;
    corm_change_kind kind = corm_change_kind_of(change);
    if (kind == CORM_CHANGE_TRUNCATE) run(session, "TRUNCATE copy");
    if (kind > CORM_CHANGE_EXPIRE) return;
    assert_ok(corm_change_key(change, &key, &err), err);
    assert_ok(corm_change_after(change, &after, &err), err);
    const corm_row *of = corm_result_next(key);
    bool            is_static = corm_change_is_static(change);
    corm_value      values[12];
    uint32_t        count = 0, keys = corm_result_column_count(key);
    row = corm_result_next(after);
    if (!row) {
        for (; count < keys; count++)
            assert_ok(corm_row_value(of, count, &values[count], &err), err);
        const char *one =
            is_static ? "DELETE s FROM copy WHERE a = ?" : "DELETE FROM copy WHERE a = ? AND b = ?";
        assert_ok(corm_execute(session, one, NULL,
                               { .value_list = values, .value_count = count, .error = &err }),
                  err);
        return;
    }
    len = (size_t)snprintf(text, sizeof text, "INSERT INTO copy (");
    for (; count < corm_result_column_count(after); count++) {
        corm_str name = corm_result_column_name(after, count);
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%.*s", count ? ", " : "",
                                (int)name.len, name.data);
        assert_ok(corm_row_value(row, count, &values[count], &err), err);
    }
    len += (size_t)snprintf(text + len, sizeof text - len, ") VALUES (");
    for (uint32_t i = 0; i < count; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%s?", i ? ", " : "");
    snprintf(text + len, sizeof text - len, ")");
    assert_ok(corm_execute(session, text, NULL,
                           { .value_list = values, .value_count = count, .error = &err }),
              err);
}

static uint32_t dice(uint64_t *seed, uint32_t sides) {
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*seed >> 33) % sides;
}

/* Few keys and few timestamps, so that most writes meet others. */
static void write_something(corm_session *session, uint64_t *seed) {
    char     text[300];
    unsigned a = dice(seed, 3), b = dice(seed, 4), at = 100 + dice(seed, 8), v = dice(seed, 5);
    switch (dice(seed, 12)) {
    case 0:
        snprintf(text, sizeof text, "DELETE FROM t USING TIMESTAMP %u WHERE a = %u AND b = %u", at,
                 a, b);
        break;
    case 1:
        snprintf(text, sizeof text,
                 "DELETE FROM t USING TIMESTAMP %u WHERE a = %u AND b >= %u AND b < %u", at, a, b,
                 b + 2);
        break;
    case 2:
        snprintf(text, sizeof text, "DELETE FROM t USING TIMESTAMP %u WHERE a = %u", at, a);
        break;
    case 3:
        snprintf(text, sizeof text, "UPDATE t USING TIMESTAMP %u SET s = %u WHERE a = %u", at, v,
                 a);
        break;
    case 4:
        snprintf(text, sizeof text,
                 "UPDATE t USING TIMESTAMP %u SET m['k%u'] = %u WHERE a = %u AND b = %u", at, v, v,
                 a, b);
        break;
    case 5:
        snprintf(text, sizeof text,
                 "DELETE m['k%u'], v FROM t USING TIMESTAMP %u WHERE a = %u AND b = %u", v, at, a,
                 b);
        break;
    case 6:
        snprintf(text, sizeof text,
                 "UPDATE t USING TIMESTAMP %u SET l = l + [%u] WHERE a = %u AND b = %u", at, v, a,
                 b);
        break;
    case 7:
        snprintf(text, sizeof text,
                 "BEGIN BATCH USING TIMESTAMP %u INSERT INTO t (a, b, v) VALUES (%u, %u, 'b%u'); "
                 "DELETE FROM t WHERE a = %u AND b > %u; APPLY BATCH",
                 at, a, b, v, a, b);
        break;
    case 8:
        snprintf(text, sizeof text,
                 "UPDATE t USING TIMESTAMP %u SET m = {'a': %u} WHERE a = %u AND b = %u", at, v, a,
                 b);
        break;
    case 9:
        if (dice(seed, 12) == 0) {
            snprintf(text, sizeof text, "TRUNCATE t");
            break;
        }
        /* fall through */
    default:
        snprintf(text, sizeof text,
                 "INSERT INTO t (a, b, v, s) VALUES (%u, %u, 'v%u', %u) USING TIMESTAMP %u", a, b,
                 v, v, at);
    }
    run(session, text);
}

static char *shown(corm_session *session, const char *query) {
    corm_result *result;
    size_t       size = 1 << 16, len = 0;
    char        *out = calloc(size, 1);
    assert_ok(corm_execute(session, query, &result, { .error = &err }), err);
    for (const corm_row *row; (row = corm_result_next(result));)
        for (uint32_t i = 0; i < corm_result_column_count(result); i++) {
            corm_str text = corm_row_format(row, i);
            len += (size_t)snprintf(out + len, size - len, "%.*s|", (int)text.len, text.data);
            assert_true(len < size);
        }
    corm_result_free(result);
    return out;
}

/* A row that has only an UPDATE's cells goes when they are deleted, and one that a copy's INSERT marked stays: so what is
 * compared are rows with values. Rows that are gone are told as deleted. */
static void applying_all_changes_gives_the_table(void **state) {
    (void)state;
    static const char *const queries[2] = { "SELECT a, b, s, v, m, l FROM t",
                                            "SELECT a, b, s, v, m, l FROM copy" };
    for (uint64_t seed = 1; seed <= 12; seed++) {
        uint64_t      random = seed;
        corm_session *session = open_session("corm::memory:");
        corm_feed    *feed = open_feed(session, (corm_feed_options){ .read_ahead = 7 });
        const char *columns = "(a int, b int, s int static, v text, m map<text, int>, l list<int>,"
                              " PRIMARY KEY (a, b))";
        char        text[200];
        snprintf(text, sizeof text, "CREATE TABLE t %s WITH cdc = true", columns);
        run(session, text);
        snprintf(text, sizeof text, "CREATE TABLE copy %s", columns);
        run(session, text);
        for (int i = 0; i < 200; i++) {
            write_something(session, &random);
            if (dice(&random, 4) > 0) continue;
            for (const corm_change *change; (change = next(feed));) apply(session, change);
            char *real = shown(session, queries[0]), *copy = shown(session, queries[1]);
            assert_string_equal(real, copy);
            free(real);
            free(copy);
        }
        corm_feed_close(feed);
        assert_ok(engine__verify(session__store(session), &err), err);
        corm_session_close(session);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_has_key_before_and_after),
        cmocka_unit_test(a_range_says_from_where_to_where),
        cmocka_unit_test(whole_rows_are_told_when_asked_for),
        cmocka_unit_test(a_change_is_a_line_of_json),
        cmocka_unit_test(a_position_survives_as_text),
        cmocka_unit_test(what_is_no_position_is_refused),
        cmocka_unit_test(only_wanted_tables_are_handed_out),
        cmocka_unit_test(many_are_read_at_once),
        cmocka_unit_test(the_state_says_what_is_kept),
        cmocka_unit_test(a_session_without_a_store_has_no_feed),
        cmocka_unit_test(another_session_of_the_folder_goes_on),
        cmocka_unit_test(a_write_or_a_call_wakes_who_waits),
        cmocka_unit_test(applying_all_changes_gives_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
