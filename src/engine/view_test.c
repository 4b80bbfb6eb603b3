// SPDX-License-Identifier: MIT
/* view_test.c -- materialized views against their tables: thousands of random writes with few keys and few timestamps, and what
 * a view must show worked out from a SELECT of its table. */
#include <stdlib.h>

#include "engine/engine.h"
#include "testing/store.h"

static corm_error err;
static int64_t    now_us;

static int64_t fake_now(void) {
    return now_us += 1;
}

static engine *open_with_clock(void) {
    engine *store;
    now_us = INT64_C(1700000000) * 1000000;
    engine_options options = { .map_bytes = (uint64_t)64 << 20, .now_us = fake_now };
    assert_ok(engine__open(&options, &store, &err), err);
    run(store,
        "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}");
    return store;
}

/* ---- rows as text ---- */

enum { MOST_ROWS = 64 };

typedef struct rows {
    base_buf text;
    char    *row[MOST_ROWS];
    int      count;
} rows;

static int by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* `skip`: a row that begins with it is left out. */
static void read_rows(engine *store, const char *query, const char *skip, rows *out) {
    wire_request request = { .kind = WIRE_QUERY, .text = corm_str_of(query) };
    *out = (rows){ 0 };
    if (try_request(store, &request, &out->text, &err) != CORM_OK)
        fail_msg("%s: %s", query, err.message);
    char *at = (char *)out->text.data;
    while (at && *at) {
        char *end = strstr(at, "; ");
        if (end) *end = '\0';
        if (!skip || strncmp(at, skip, strlen(skip)) != 0) out->row[out->count++] = at;
        at = end ? end + 2 : NULL;
    }
    if (out->count > 1) qsort(out->row, (size_t)out->count, sizeof *out->row, by_text);
}

static void compare(engine *store, const char *implied, const char *skip, const char *view) {
    rows expected, got;
    read_rows(store, implied, skip, &expected);
    read_rows(store, view, NULL, &got);
    for (int i = 0; i < expected.count || i < got.count; i++) {
        const char *want = i < expected.count ? expected.row[i] : "(none)";
        const char *have = i < got.count ? got.row[i] : "(none)";
        if (strcmp(want, have) != 0) fail_msg("%s: %s where %s is implied", view, have, want);
    }
    base__buf_free(&expected.text);
    base__buf_free(&got.text);
}

/* ---- the property ---- */

static const char *const schema[] = {
    "CREATE TABLE k.b (k int, c int, v int, w text, s set<int>, PRIMARY KEY (k, c))",
    "CREATE TABLE k.e (k int, c int, v int, w text, s set<int>, st int STATIC, PRIMARY KEY (k, c))",
    "CREATE MATERIALIZED VIEW k.a AS SELECT * FROM k.b WHERE k IS NOT NULL AND c IS NOT NULL "
    "PRIMARY KEY (c, k)",
    "CREATE MATERIALIZED VIEW k.p AS SELECT k, c, w FROM k.b WHERE k IS NOT NULL AND c IS NOT NULL "
    "PRIMARY KEY (c, k)",
    "CREATE MATERIALIZED VIEW k.x AS SELECT * FROM k.b WHERE k IS NOT NULL AND c IS NOT NULL AND v "
    "IS NOT NULL PRIMARY KEY (v, k, c)",
    "CREATE MATERIALIZED VIEW k.f AS SELECT k, c, w, s FROM k.b WHERE k > 0 AND c IN (0, 2) AND w "
    "IS NOT NULL PRIMARY KEY ((w, k), c) WITH CLUSTERING ORDER BY (c DESC)",
    "CREATE MATERIALIZED VIEW k.ep AS SELECT k, c, s FROM k.e WHERE k IS NOT NULL AND c IS NOT "
    "NULL PRIMARY KEY (c, k)",
    "CREATE MATERIALIZED VIEW k.ex AS SELECT k, c, v, w FROM k.e WHERE k IS NOT NULL AND c > 0 AND "
    "v IS NOT NULL PRIMARY KEY (v, c, k)",
};

static void compare_all(engine *store) {
    compare(store, "SELECT c, k, s, v, w, writetime(v), writetime(w), ttl(w) FROM k.b", NULL,
            "SELECT c, k, s, v, w, writetime(v), writetime(w), ttl(w) FROM k.a");
    compare(store, "SELECT v, k, c, w, s, writetime(w), ttl(w) FROM k.b", "null|",
            "SELECT v, k, c, w, s, writetime(w), ttl(w) FROM k.x");
    compare(store, "SELECT w, k, c, s FROM k.b WHERE k > 0 AND c IN (0, 2) ALLOW FILTERING",
            "null|", "SELECT w, k, c, s FROM k.f");
    compare(store, "SELECT v, c, k, w FROM k.e WHERE c > 0 ALLOW FILTERING", "null|",
            "SELECT v, c, k, w FROM k.ex");
}

/* Which rows there are: all columns are named, so that none of their cells is passed over. The values behind the key are cut off. */
static void cut(rows *of) {
    for (int i = 0; i < of->count; i++) {
        char *bar = strchr(of->row[i], '|');
        char *second = bar ? strchr(bar + 1, '|') : NULL;
        if (second) *second = '\0';
    }
}

static void compare_keys(engine *store, const char *implied, const char *view) {
    rows expected, got;
    read_rows(store, implied, NULL, &expected);
    read_rows(store, view, NULL, &got);
    cut(&expected);
    cut(&got);
    int live = 0;
    for (int i = 0; i < expected.count; i++)
        /* the row of a partition that has nothing but static columns */
        if (!strstr(expected.row[i], "null")) expected.row[live++] = expected.row[i];
    assert_int_equal(live, got.count);
    for (int i = 0; i < live; i++) assert_string_equal(expected.row[i], got.row[i]);
    base__buf_free(&expected.text);
    base__buf_free(&got.text);
}

static uint32_t seed;

static int pick(int below) {
    seed = seed * 1664525 + 1013904223;
    return (int)((seed >> 16) % (uint32_t)below);
}

static const char *table(void) {
    return pick(3) ? "b" : "e";
}

static void put_using(base_buf *out, bool ttl) {
    base__buf_printf(out, "USING TIMESTAMP %d ", 1 + pick(14));
    if (ttl && pick(4) == 0) base__buf_printf(out, "AND TTL %d ", 1 + pick(30));
}

static void put_changes(base_buf *out) {
    static const char *const changes[] = { "v = %d", "w = 'w%d'", "s = {%d}", "s = s + {%d}",
                                           "s = s - {%d}" };
    static const char *const nulls[] = { "v = null", "w = null", "s = null" };
    int                      first = pick(3);
    for (int i = 0; i < 1 + pick(2); i++) {
        int column = (first + i) % 3;
        base__buf_puts(out, i ? ", " : "");
        if (pick(5) == 0)
            base__buf_puts(out, nulls[column]);
        else
            base__buf_printf(out, column < 2 ? changes[column] : changes[2 + pick(3)], pick(3));
    }
}

static void put_write(base_buf *out) {
    int k = pick(3), c = pick(3);
    switch (pick(9)) {
    case 0:
    case 1:
        base__buf_printf(out, "INSERT INTO k.%s (k, c, v, w) VALUES (%d, %d, %d, 'w%d') ", table(),
                         k, c, pick(3), pick(3));
        put_using(out, true);
        return;
    case 2:
        base__buf_printf(out, "INSERT INTO k.%s (k, c) VALUES (%d, %d) ", table(), k, c);
        put_using(out, true);
        return;
    case 3:
        base__buf_printf(out, "DELETE %s FROM k.%s ", pick(2) ? "v" : "w", table());
        put_using(out, false);
        base__buf_printf(out, "WHERE k = %d AND c = %d", k, c);
        return;
    case 4:
        base__buf_printf(out, "DELETE FROM k.%s ", table());
        put_using(out, false);
        base__buf_printf(out, "WHERE k = %d", k);
        if (pick(4)) base__buf_printf(out, " AND c %s %d", pick(3) ? "=" : ">", c);
        return;
    default: break;
    }
    base__buf_printf(out, "UPDATE k.%s ", table());
    put_using(out, true);
    base__buf_puts(out, "SET ");
    put_changes(out);
    base__buf_printf(out, " WHERE k = %d AND c = %d", k, c);
}

static void write_something(engine *store) {
    base_buf text = { 0 };
    if (pick(5) == 0) {
        base__buf_puts(&text, "BEGIN BATCH ");
        for (int i = 0; i < 1 + pick(4); i++) {
            put_write(&text);
            base__buf_puts(&text, "; ");
        }
        base__buf_puts(&text, "APPLY BATCH");
    } else if (pick(20) == 0) {
        base__buf_printf(&text, "UPDATE k.b SET v = %d WHERE k = %d AND c = %d IF v = %d", pick(3),
                         pick(3), pick(3), pick(3));
    } else if (pick(20) == 0) {
        base__buf_printf(&text, "UPDATE k.e SET st = 1 WHERE k = %d", pick(3));
    } else {
        put_write(&text);
    }
    run(store, base__buf_cstr(&text));
    base__buf_free(&text);
}

static void let_time_pass(engine *store) {
    uint64_t reclaimed;
    now_us += (int64_t)pick(10) * 1000000;
    if (pick(3) == 0) assert_ok(engine__reclaim(store, 0, &reclaimed, &err), err);
    if (pick(20) == 0) now_us += INT64_C(90) * 1000000;
}

static void views_show_what_their_tables_imply(void **state) {
    (void)state;
    for (uint32_t round = 1; round <= 12; round++) {
        engine *store = open_with_clock();
        seed = round;
        for (size_t i = 0; i < sizeof schema / sizeof *schema; i++) {
            run(store, schema[i]);
            /* Later views begin with rows. */
            for (int j = 0; i >= 2 && j < 10; j++) write_something(store);
        }
        for (int i = 0; i < 250; i++) {
            write_something(store);
            if (pick(6) == 0) let_time_pass(store);
            compare_all(store);
            compare_keys(store, "SELECT c, k, w, v, s FROM k.b", "SELECT c, k, w FROM k.p");
            compare_keys(store, "SELECT c, k, w, v, s FROM k.e", "SELECT c, k, s FROM k.ep");
            if (i % 10 == 0) assert_ok(engine__verify(store, &err), err);
        }
        assert_ok(engine__verify(store, &err), err);
        engine__close(store);
    }
}

/* ---- single cases ---- */

static void a_row_of_a_view_expires_with_the_column_of_its_key(void **state) {
    (void)state;
    uint64_t reclaimed;
    engine  *store = open_with_clock();
    run(store, schema[0]);
    run(store, schema[4]);
    run(store, "UPDATE k.b USING TTL 50 SET v = 1 WHERE k = 1 AND c = 1");
    run(store, "UPDATE k.b SET w = 'stays' WHERE k = 1 AND c = 1");
    expect(store, "SELECT v, k, c, w FROM k.x", "1|1|1|stays");
    now_us += INT64_C(51) * 1000000;
    expect(store, "SELECT v, k, c, w FROM k.x", "");
    expect(store, "SELECT v, k, c, w FROM k.b", "null|1|1|stays");
    now_us += INT64_C(100) * 1000000;
    assert_ok(engine__reclaim(store, 0, &reclaimed, &err), err);
    assert_true(reclaimed > 0);
    assert_ok(engine__verify(store, &err), err);
    run(store, "UPDATE k.b SET v = 2 WHERE k = 1 AND c = 1");
    expect(store, "SELECT v, k, c, w FROM k.x", "2|1|1|stays");
    engine__close(store);
}

static void a_column_that_a_view_lacks_keeps_its_row_alive(void **state) {
    (void)state;
    engine *store = open_with_clock();
    run(store, schema[0]);
    run(store, schema[3]);
    run(store, "UPDATE k.b USING TTL 50 SET v = 1 WHERE k = 1 AND c = 1");
    run(store, "UPDATE k.b USING TTL 100 SET s = {1} WHERE k = 1 AND c = 1");
    expect(store, "SELECT * FROM k.p", "1|1|null");
    now_us += INT64_C(60) * 1000000;
    expect(store, "SELECT * FROM k.p", "1|1|null");
    now_us += INT64_C(60) * 1000000;
    expect(store, "SELECT * FROM k.p", "");
    run(store, "UPDATE k.b SET v = 1 WHERE k = 1 AND c = 1");
    expect(store, "SELECT * FROM k.p", "1|1|null");
    run(store, "DELETE v FROM k.b WHERE k = 1 AND c = 1");
    expect(store, "SELECT * FROM k.p", "");
    assert_ok(engine__verify(store, &err), err);
    engine__close(store);
}

static void a_view_begins_with_the_rows_that_are_there(void **state) {
    (void)state;
    engine *store = open_with_clock();
    run(store, schema[0]);
    for (int i = 0; i < 300; i++) {
        char text[120];
        snprintf(text, sizeof text, "INSERT INTO k.b (k, c, v) VALUES (%d, %d, %d)", i % 7, i,
                 i % 5);
        run(store, text);
    }
    run(store, schema[4]);
    expect(store, "SELECT count(*) FROM k.x", "300");
    expect(store, "SELECT count(*) FROM k.x WHERE v = 3", "60");
    assert_ok(engine__verify(store, &err), err);
    expect(store, "SELECT view_name, status_replicated FROM system.built_views", "x|True");
    expect(store, "SELECT view_name FROM system.view_builds_in_progress", "");
    run(store, "TRUNCATE k.b");
    expect(store, "SELECT * FROM k.x", "");
    assert_ok(engine__verify(store, &err), err);
    engine__close(store);
}

/* A cell that was written after its column was dropped comes back with the column. */
static void a_column_that_comes_back_comes_back_in_views(void **state) {
    (void)state;
    engine *store = open_with_clock();
    run(store, schema[0]);
    run(store, "UPDATE k.b USING TIMESTAMP 10 SET w = 'old' WHERE k = 1 AND c = 1");
    run(store, "UPDATE k.b USING TIMESTAMP 30 SET w = 'new', v = 1 WHERE k = 2 AND c = 1");
    run(store, "ALTER TABLE k.b DROP w USING TIMESTAMP 20");
    run(store, schema[2]);
    run(store, schema[4]);
    expect(store, "SELECT * FROM k.a", "1|2|null|1");
    run(store, "ALTER TABLE k.b ADD w text");
    expect(store, "SELECT * FROM k.a", "1|2|null|1|new");
    expect(store, "SELECT * FROM k.x", "1|2|1|null|new");
    assert_ok(engine__verify(store, &err), err);
    engine__close(store);
}

static void a_value_too_long_for_a_key_is_refused(void **state) {
    (void)state;
    engine  *store = open_with_clock();
    base_buf text = { 0 };
    run(store, "CREATE TABLE k.t (k int PRIMARY KEY, v text)");
    run(store,
        "CREATE MATERIALIZED VIEW k.tv AS SELECT * FROM k.t WHERE k IS NOT NULL AND v IS NOT "
        "NULL PRIMARY KEY (v, k)");
    base__buf_puts(&text, "INSERT INTO k.t (k, v) VALUES (1, '");
    for (int i = 0; i < 66000; i++) base__buf_u8(&text, 'x');
    base__buf_puts(&text, "')");
    expect_error(store, base__buf_cstr(&text), CORM_INVALID,
                 "Key length of 66000 is longer than maximum of 65535");
    expect(store, "SELECT * FROM k.t", "");
    base__buf_free(&text);
    engine__close(store);
}

static void a_prepared_write_follows_views_that_were_made_later(void **state) {
    (void)state;
    engine *store = open_with_clock();
    uint8_t room[3][4];
    run(store, schema[0]);
    const wire_prepared *insert = prepare(store, "INSERT INTO k.b (k, c, v) VALUES (?, ?, ?)");
    cql_value values[] = { int_value(1, room[0]), int_value(2, room[1]), int_value(3, room[2]) };
    expect_prepared(store, insert, 3, values, "");
    run(store, schema[4]);
    int_value(4, room[0]);
    expect_prepared(store, insert, 3, values, "");
    expect(store, "SELECT v, k, c FROM k.x", "3|1|2; 3|4|2");
    run(store, "DROP MATERIALIZED VIEW k.x");
    int_value(5, room[0]);
    expect_prepared(store, insert, 3, values, "");
    assert_ok(engine__verify(store, &err), err);
    engine__prepared_unref(insert);
    engine__close(store);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(views_show_what_their_tables_imply),
        cmocka_unit_test(a_row_of_a_view_expires_with_the_column_of_its_key),
        cmocka_unit_test(a_column_that_a_view_lacks_keeps_its_row_alive),
        cmocka_unit_test(a_view_begins_with_the_rows_that_are_there),
        cmocka_unit_test(a_column_that_comes_back_comes_back_in_views),
        cmocka_unit_test(a_value_too_long_for_a_key_is_refused),
        cmocka_unit_test(a_prepared_write_follows_views_that_were_made_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
