// SPDX-License-Identifier: MIT
#include "engine/feed.h"

#include "engine/core.h"
#include "testing/store.h"

static corm_error err;

static _Atomic int64_t now_s;

static int64_t fake_now(void) {
    return now_s * 1000000;
}

static engine *open_at(int64_t second) {
    engine *store = NULL;
    now_s = second;
    assert_ok(engine__open(&(engine_options){ .map_bytes = (uint64_t)64 << 20, .now_us = fake_now },
                           &store, &err),
              err);
    run(store,
        "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}");
    return store;
}

static engine *open_with_table(void) {
    engine *store = open_at(1700000000);
    run(store,
        "CREATE TABLE k.t (a int, b int, s text static, v text, l list<int>, m map<text, int>,"
        " PRIMARY KEY (a, b)) WITH cdc = true");
    return store;
}

/* ---- changes as text ---- */

static const char *const kinds[] = { "?",     "INSERT",    "UPDATE",   "DELETE", "EXPIRE",
                                     "RANGE", "PARTITION", "TRUNCATE", "SCHEMA" };

static void put_image(const engine_feed_change *change, corm_bytes image, uint32_t at_s,
                      base_arena *arena, base_buf *out) {
    const cql_column *needed[16];
    cql_value         values[16];
    uint32_t          count = 0;
    engine_row        row;
    engine_row_read   read;
    bool              is_static = change->flags & FEED_STATIC;
    base__buf_puts(out, " {");
    if (image.len > 0) {
        assert_ok(engine__row_decode(change->table, is_static, image, arena, &row, &err), err);
        for (uint32_t i = 0; i < change->table->column_count; i++) {
            const cql_column *column = &change->table->columns[i];
            values[i] = CQL_NULL;
            for (uint32_t j = 0; j < row.column_count; j++)
                if (row.columns[j].id == column->id) needed[count++] = column;
        }
        assert_ok(engine__row_read(change->table, is_static, image, at_s, needed, count, arena,
                                   values, &read, &err),
                  err);
    }
    for (uint32_t i = 0; i < count; i++) {
        base__buf_printf(out, "%s%.*s=", i ? " " : "", (int)needed[i]->name.len,
                         needed[i]->name.data);
        cql__to_text(needed[i]->type, values[needed[i]->index], CQL_STYLE_LITERAL, out);
    }
    base__buf_puts(out, "}");
}

static void put_row(const engine_feed_change *change, base_arena *arena, base_buf *out) {
    engine_row row = { 0 };
    corm_bytes image = change->after.len ? change->after : change->before;
    uint32_t   at_s = (uint32_t)(change->time_us / 1000000);
    bool       is_static = change->flags & FEED_STATIC;
    assert_ok(engine__row_decode(change->table, is_static, image, arena, &row, &err), err);
    base__buf_printf(out, " %u", base__load_u32(change->key.data));
    for (uint32_t i = 0; i < row.clustering_count; i++)
        base__buf_printf(out, "/%u", base__load_u32(row.clustering[i].data));
    put_image(change, change->before, change->kind == ENGINE_FEED_EXPIRE ? 0 : at_s, arena, out);
    put_image(change, change->after, at_s, arena, out);
}

static void put_edge(const engine_edge *edge, base_buf *out) {
    base__buf_puts(out, edge->inclusive ? " [" : " (");
    for (uint32_t i = 0; i < edge->count; i++)
        base__buf_printf(out, "%u", base__load_u32(edge->values[i].data));
}

static void put_change(const engine_feed_change *change, base_arena *arena, base_buf *out) {
    base__buf_printf(out, "%s%s", out->len ? "; " : "", kinds[change->kind]);
    if (change->kind <= ENGINE_FEED_EXPIRE) put_row(change, arena, out);
    if (change->kind == ENGINE_FEED_PARTITION || change->kind == ENGINE_FEED_RANGE)
        base__buf_printf(out, " %u", base__load_u32(change->key.data));
    if (change->has_edges) put_edge(&change->from, out);
    if (change->has_edges) put_edge(&change->to, out);
    if (change->kind == ENGINE_FEED_SCHEMA)
        base__buf_printf(out, " %.*s %.*s %.*s", (int)change->verb.len, change->verb.data,
                         (int)change->target.len, change->target.data, (int)change->name.len,
                         change->name.data);
}

/* All that the reader has not read yet. */
static void expect_changes(engine_feed_reader *reader, const char *expected) {
    base_buf   text = { 0 };
    base_arena arena = { 0 };
    for (uint32_t count = 1; count > 0;) {
        engine_feed_change items[3];
        assert_ok(engine__feed_read(reader, &arena, items, 3, &count, &err), err);
        for (uint32_t i = 0; i < count; i++) put_change(&items[i], &arena, &text);
        engine__feed_release(items, count);
    }
    assert_string_equal(base__buf_cstr(&text), expected);
    base__buf_free(&text);
    base__arena_free(&arena);
}

static void open_feed(engine *store, engine_feed_start start, int64_t time_us,
                      engine_feed_reader *out) {
    assert_ok(engine__feed_open(store, start, time_us, (engine_feed_position){ 0 }, out, &err),
              err);
}

static void close_all(engine *store, engine_feed_reader *reader) {
    engine__feed_close(reader);
    assert_ok(engine__verify(store, &err), err);
    engine__close(store);
}

/* ---- what is told ---- */

static void each_change_is_told_with_what_was_before(void **state) {
    (void)state;
    engine            *store = open_with_table();
    engine_feed_reader reader;
    open_feed(store, ENGINE_FEED_NOW, 0, &reader);
    run(store, "INSERT INTO k.t (a, b, v) VALUES (1, 2, 'x')");
    run(store, "UPDATE k.t SET v = 'y' WHERE a = 1 AND b = 2");
    run(store, "UPDATE k.t SET s = 'all' WHERE a = 1");
    run(store, "DELETE v FROM k.t WHERE a = 1 AND b = 2");
    run(store, "DELETE FROM k.t WHERE a = 1 AND b = 2");
    expect_changes(&reader, "INSERT 1/2 {} {v='x'}; UPDATE 1/2 {v='x'} {v='y'}; "
                            "INSERT 1 {} {s='all'}; UPDATE 1/2 {v='y'} {v=null}; "
                            "DELETE 1/2 {v=null} {}");
    close_all(store, &reader);
}

static void collections_are_told_whole(void **state) {
    (void)state;
    engine            *store = open_with_table();
    engine_feed_reader reader;
    run(store, "INSERT INTO k.t (a, b, l, m) VALUES (1, 2, [1, 2], {'a': 1})");
    open_feed(store, ENGINE_FEED_NOW, 0, &reader);
    run(store, "UPDATE k.t SET l = l + [3] WHERE a = 1 AND b = 2");
    run(store, "UPDATE k.t SET m['b'] = 2 WHERE a = 1 AND b = 2");
    expect_changes(&reader, "UPDATE 1/2 {l=[1, 2]} {l=[1, 2, 3]}; "
                            "UPDATE 1/2 {m={'a': 1}} {m={'a': 1, 'b': 2}}");
    close_all(store, &reader);
}

static void ranges_and_partitions_come_before_their_rows(void **state) {
    (void)state;
    engine            *store = open_with_table();
    engine_feed_reader reader;
    run(store, "INSERT INTO k.t (a, b, v) VALUES (1, 2, 'x')");
    run(store, "INSERT INTO k.t (a, b, v) VALUES (1, 3, 'y')");
    run(store, "DELETE FROM k.t WHERE a = 1 AND b = 4"); /* is not there: no record follows it */
    open_feed(store, ENGINE_FEED_NOW, 0, &reader);
    run(store, "DELETE FROM k.t WHERE a = 1 AND b > 2 AND b <= 7");
    run(store, "DELETE FROM k.t WHERE a = 1");
    expect_changes(&reader, "RANGE 1 (2 [7; DELETE 1/3 {v='y'} {}; "
                            "PARTITION 1; DELETE 1/2 {v='x'} {}");
    close_all(store, &reader);
}

static void counters_and_a_dropped_keyspace_are_told(void **state) {
    (void)state;
    engine            *store = open_with_table();
    engine_feed_reader reader;
    open_feed(store, ENGINE_FEED_NOW, 0, &reader);
    run(store, "CREATE TABLE k.c (a int PRIMARY KEY, n counter) WITH cdc = true");
    run(store, "UPDATE k.c SET n = n + 2 WHERE a = 1");
    run(store, "UPDATE k.c SET n = n + 3 WHERE a = 1");
    run(store, "DROP KEYSPACE k");
    expect_changes(&reader, "SCHEMA CREATED TABLE c; INSERT 1 {} {n=2}; UPDATE 1 {n=2} {n=5}; "
                            "SCHEMA DROPPED KEYSPACE ");
    close_all(store, &reader);
}

static void what_changes_nothing_is_not_told(void **state) {
    (void)state;
    engine            *store = open_with_table();
    engine_feed_reader reader;
    run(store, "INSERT INTO k.t (a, b, v) VALUES (1, 2, 'x') USING TIMESTAMP 100");
    open_feed(store, ENGINE_FEED_NOW, 0, &reader);
    run(store, "INSERT INTO k.t (a, b, v) VALUES (1, 2, 'old') USING TIMESTAMP 50");
    run(store, "INSERT INTO k.t (a, b, v) VALUES (1, 2, 'if') IF NOT EXISTS");
    run(store, "INSERT INTO k.t (a, b, v) VALUES (1, 2, 'x') USING TIMESTAMP 100");
    expect_changes(&reader, "");
    close_all(store, &reader);
}

static void only_chosen_tables_are_fed_unless_all_are(void **state) {
    (void)state;
    engine              *store = open_with_table();
    engine_feed_reader   reader;
    engine_feed_settings settings = { .all = true, .keep_s = 3600, .keep_bytes = 1 << 20 };
    run(store, "CREATE TABLE k.u (a int PRIMARY KEY, v text)");
    open_feed(store, ENGINE_FEED_NOW, 0, &reader);
    run(store, "INSERT INTO k.u (a, v) VALUES (1, 'unheard')");
    assert_ok(engine__feed_configure(store, &settings, &err), err);
    run(store, "INSERT INTO k.u (a, v) VALUES (1, 'heard')");
    run(store, "TRUNCATE k.u");
    run(store, "ALTER TABLE k.u ADD w int");
    settings.all = false;
    assert_ok(engine__feed_configure(store, &settings, &err), err);
    run(store, "INSERT INTO k.u (a, v) VALUES (1, 'unheard')");
    run(store, "ALTER TABLE k.t WITH cdc = false");
    run(store, "INSERT INTO k.t (a, b) VALUES (1, 1)");
    expect_changes(&reader, "UPDATE 1 {v='unheard'} {v='heard'}; TRUNCATE; SCHEMA UPDATED TABLE u; "
                            "SCHEMA UPDATED TABLE t");
    close_all(store, &reader);
}

static void a_record_is_read_by_the_schema_of_its_time(void **state) {
    (void)state;
    engine            *store = open_with_table();
    engine_feed_reader reader;
    open_feed(store, ENGINE_FEED_NOW, 0, &reader);
    run(store, "INSERT INTO k.t (a, b, v) VALUES (1, 2, 'x')");
    run(store, "ALTER TABLE k.t DROP v");
    run(store, "INSERT INTO k.t (a, b, m) VALUES (1, 2, {'k': 1})");
    run(store, "DROP TABLE k.t");
    run(store, "CREATE TABLE k.t (a text PRIMARY KEY)");
    expect_changes(&reader, "INSERT 1/2 {} {v='x'}; SCHEMA UPDATED TABLE t; "
                            "UPDATE 1/2 {} {m={'k': 1}}; SCHEMA DROPPED TABLE t");
    close_all(store, &reader);
}

static void what_expired_is_told_when_reclaim_meets_it(void **state) {
    (void)state;
    engine            *store = open_with_table();
    engine_feed_reader reader;
    uint64_t           reclaimed;
    open_feed(store, ENGINE_FEED_NOW, 0, &reader);
    run(store, "INSERT INTO k.t (a, b, v) VALUES (1, 2, 'x') USING TTL 100");
    now_s += 99;
    assert_ok(engine__reclaim(store, 0, &reclaimed, &err), err);
    expect_changes(&reader, "INSERT 1/2 {} {v='x'}");
    now_s += 1;
    assert_ok(engine__reclaim(store, 0, &reclaimed, &err), err);
    expect_changes(&reader, "EXPIRE 1/2 {v='x'} {v=null}");
    run(store, "INSERT INTO k.t (a, b) VALUES (1, 3) USING TTL 100");
    now_s += 100;
    assert_ok(engine__reclaim(store, 0, &reclaimed, &err), err);
    assert_ok(engine__reclaim(store, 0, &reclaimed, &err), err);
    expect_changes(&reader, "INSERT 1/3 {} {}; EXPIRE 1/3 {} {}");
    now_s += 864001; /* the tombstones go, which is no change; and records older than a day */
    assert_ok(engine__reclaim(store, 0, &reclaimed, &err), err);
    engine__feed_close(&reader);
    open_feed(store, ENGINE_FEED_OLDEST, 0, &reader);
    expect_changes(&reader, "");
    close_all(store, &reader);
}

/* ---- positions ---- */

static void a_batch_is_one_commit(void **state) {
    (void)state;
    engine            *store = open_with_table();
    engine_feed_reader reader;
    engine_feed_change items[8];
    base_arena         arena = { 0 };
    uint32_t           count;
    open_feed(store, ENGINE_FEED_OLDEST, 0, &reader);
    run(store,
        "BEGIN BATCH INSERT INTO k.t (a, b) VALUES (1, 1); INSERT INTO k.t (a, b) VALUES (2, 2);"
        "APPLY BATCH");
    run(store, "INSERT INTO k.t (a, b) VALUES (3, 3)");
    assert_ok(engine__feed_read(&reader, &arena, items, 8, &count, &err), err);
    assert_int_equal(count, 4);
    assert_int_equal(items[0].kind, ENGINE_FEED_SCHEMA);
    assert_int_equal(items[1].position.commit, items[2].position.commit);
    assert_int_equal(items[1].position.index, 0);
    assert_int_equal(items[2].position.index, 1);
    assert_int_equal(items[3].position.commit, items[2].position.commit + 1);
    engine__feed_release(items, count);
    base__arena_free(&arena);
    close_all(store, &reader);
}

static void a_reader_goes_on_behind_its_position(void **state) {
    (void)state;
    engine              *store = open_with_table();
    engine_feed_reader   reader, second;
    engine_feed_change   item;
    base_arena           arena = { 0 };
    uint32_t             count;
    engine_feed_position beyond = { 1000, 0 };
    open_feed(store, ENGINE_FEED_NOW, 0, &reader);
    run(store, "INSERT INTO k.t (a, b) VALUES (1, 1)");
    run(store, "INSERT INTO k.t (a, b) VALUES (2, 2)");
    assert_ok(engine__feed_read(&reader, &arena, &item, 1, &count, &err), err);
    engine__feed_release(&item, count);
    assert_ok(engine__feed_open(store, ENGINE_FEED_BEHIND, 0, reader.after, &second, &err), err);
    expect_changes(&second, "INSERT 2/2 {} {}");
    engine__feed_close(&second);
    assert_status(engine__feed_open(store, ENGINE_FEED_BEHIND, 0, beyond, &second, &err),
                  CORM_INVALID_ARGUMENT);
    base__arena_free(&arena);
    close_all(store, &reader);
}

static void a_reader_begins_at_a_time(void **state) {
    (void)state;
    engine            *store = open_with_table();
    engine_feed_reader reader;
    char               text[100];
    for (int i = 1; i <= 20; i++) {
        now_s = 1700000000 + 10 * i;
        snprintf(text, sizeof text, "INSERT INTO k.t (a, b) VALUES (%d, 0)", i);
        run(store, text);
    }
    open_feed(store, ENGINE_FEED_AT, (int64_t)1700000190 * 1000000, &reader);
    expect_changes(&reader, "INSERT 19/0 {} {}; INSERT 20/0 {} {}");
    engine__feed_close(&reader);
    open_feed(store, ENGINE_FEED_AT, (int64_t)1700000195 * 1000000, &reader);
    expect_changes(&reader, "INSERT 20/0 {} {}");
    engine__feed_close(&reader);
    open_feed(store, ENGINE_FEED_AT, (int64_t)1800000000 * 1000000, &reader);
    expect_changes(&reader, "");
    close_all(store, &reader);
}

/* ---- what is kept ---- */

static void old_records_go_and_their_reader_is_told(void **state) {
    (void)state;
    engine              *store = open_with_table();
    engine_feed_reader   reader;
    engine_feed_state    feed;
    engine_feed_change   item;
    base_arena           arena = { 0 };
    uint32_t             count;
    engine_feed_settings settings = { .keep_s = 100, .keep_bytes = 1 << 20 };
    assert_ok(engine__feed_configure(store, &settings, &err), err);
    open_feed(store, ENGINE_FEED_OLDEST, 0, &reader);
    run(store, "INSERT INTO k.t (a, b) VALUES (1, 1)");
    now_s += 60;
    run(store, "INSERT INTO k.t (a, b) VALUES (2, 2)");
    now_s += 60;
    run(store, "INSERT INTO k.t (a, b) VALUES (3, 3)");
    assert_status(engine__feed_read(&reader, &arena, &item, 1, &count, &err), CORM_FEED_LOST);
    engine__feed_close(&reader);
    open_feed(store, ENGINE_FEED_OLDEST, 0, &reader);
    expect_changes(&reader, "INSERT 2/2 {} {}; INSERT 3/3 {} {}");
    assert_ok(engine__feed_state_of(store, &feed, &err), err);
    assert_int_equal(feed.count, 2);
    base__arena_free(&arena);
    close_all(store, &reader);
}

static void bytes_are_held_to_the_limit(void **state) {
    (void)state;
    engine              *store = open_with_table();
    engine_feed_reader   reader;
    engine_feed_state    feed;
    char                 text[100];
    engine_feed_settings settings = { .keep_s = 1000, .keep_bytes = 2000 };
    assert_ok(engine__feed_configure(store, &settings, &err), err);
    for (int i = 1; i <= 100; i++) {
        snprintf(text, sizeof text, "INSERT INTO k.t (a, b, v) VALUES (%d, 0, 'something')", i);
        run(store, text);
        assert_ok(engine__feed_state_of(store, &feed, &err), err);
        assert_true(feed.bytes <= 2000);
    }
    assert_true(feed.count > 5);
    open_feed(store, ENGINE_FEED_OLDEST, 0, &reader);
    close_all(store, &reader);
}

static void reclaim_removes_what_is_over(void **state) {
    (void)state;
    engine            *store = open_with_table();
    engine_feed_reader reader;
    engine_feed_state  feed;
    uint64_t           reclaimed;
    run(store, "INSERT INTO k.t (a, b) VALUES (1, 1)");
    run(store, "ALTER TABLE k.t DROP v");
    now_s += 24 * 60 * 60 + 1;
    assert_ok(engine__reclaim(store, 0, &reclaimed, &err), err);
    assert_ok(engine__feed_state_of(store, &feed, &err), err);
    assert_int_equal(feed.count, 0);
    assert_int_equal(feed.bytes, 0);
    assert_int_equal(feed.lost.commit, feed.commit);
    open_feed(store, ENGINE_FEED_OLDEST, 0, &reader);
    expect_changes(&reader, "");
    close_all(store, &reader);
}

/* ---- waiting ---- */

typedef struct waiter {
    engine_feed_reader *reader;
    pthread_t           thread;
    bool                something;
    corm_status         status;
} waiter;

static void *wait_long(void *context) {
    waiter    *self = context;
    corm_error e;
    self->status = engine__feed_wait(self->reader, (int64_t)600 * 1000000000, &self->something, &e);
    return NULL;
}

static void a_commit_wakes_who_waits(void **state) {
    (void)state;
    engine            *store = open_with_table();
    engine_feed_reader reader;
    waiter             self = { .reader = &reader };
    open_feed(store, ENGINE_FEED_NOW, 0, &reader);
    expect_changes(&reader, "");
    assert_int_equal(pthread_create(&self.thread, NULL, wait_long, &self), 0);
    run(store, "INSERT INTO k.t (a, b) VALUES (1, 1)");
    pthread_join(self.thread, NULL);
    assert_int_equal(self.status, CORM_OK);
    assert_true(self.something);
    expect_changes(&reader, "INSERT 1/1 {} {}");
    close_all(store, &reader);
}

static void waiting_ends_with_the_time(void **state) {
    (void)state;
    engine            *store = open_with_table();
    engine_feed_reader reader;
    bool               something;
    open_feed(store, ENGINE_FEED_NOW, 0, &reader);
    expect_changes(&reader, "");
    assert_ok(engine__feed_wait(&reader, 1000000, &something, &err), err);
    assert_false(something);
    close_all(store, &reader);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_change_is_told_with_what_was_before),
        cmocka_unit_test(collections_are_told_whole),
        cmocka_unit_test(ranges_and_partitions_come_before_their_rows),
        cmocka_unit_test(counters_and_a_dropped_keyspace_are_told),
        cmocka_unit_test(what_changes_nothing_is_not_told),
        cmocka_unit_test(only_chosen_tables_are_fed_unless_all_are),
        cmocka_unit_test(a_record_is_read_by_the_schema_of_its_time),
        cmocka_unit_test(what_expired_is_told_when_reclaim_meets_it),
        cmocka_unit_test(a_batch_is_one_commit),
        cmocka_unit_test(a_reader_goes_on_behind_its_position),
        cmocka_unit_test(a_reader_begins_at_a_time),
        cmocka_unit_test(old_records_go_and_their_reader_is_told),
        cmocka_unit_test(bytes_are_held_to_the_limit),
        cmocka_unit_test(reclaim_removes_what_is_over),
        cmocka_unit_test(a_commit_wakes_who_waits),
        cmocka_unit_test(waiting_ends_with_the_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
