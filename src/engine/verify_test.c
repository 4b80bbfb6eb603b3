// SPDX-License-Identifier: MIT
#include "engine/core.h"
#include "engine/key.h"
#include "testing/store.h"

static corm_error err;

static engine *open_filled(void) {
    engine *store = try_open();
    run(store,
        "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}");
    run(store,
        "CREATE TABLE k.t (a int, b int, s text static, v text, l list<int>, m map<text, int>, PRIMARY KEY (a, b)) "
        "WITH CLUSTERING ORDER BY (b DESC)");
    run(store, "CREATE INDEX by_v ON k.t (v)");
    run(store, "CREATE INDEX by_m ON k.t (KEYS(m))");
    run(store, "CREATE TABLE k.c (a int PRIMARY KEY, n counter)");
    for (int i = 0; i < 30; i++) {
        char text[200];
        snprintf(
            text, sizeof text,
            "INSERT INTO k.t (a, b, s, v, l, m) VALUES (%d, %d, 's', 'v%d', [1, %d], {'x': 1, 'y': %d})",
            i % 4, i, i % 3, i, i);
        run(store, text);
        run(store, "UPDATE k.c SET n = n + 1 WHERE a = 1");
    }
    run(store, "DELETE FROM k.t WHERE a = 1 AND b > 20");
    run(store, "DELETE m['x'] FROM k.t WHERE a = 2 AND b = 2");
    return store;
}

static void a_sound_store_is_found_sound(void **state) {
    (void)state;
    engine *store = open_filled();
    assert_ok(engine__verify(store, &err), err);
    run(store, "DROP INDEX k.by_m");
    run(store, "TRUNCATE k.c");
    assert_ok(engine__verify(store, &err), err);
    engine__close(store);
}

static engine *open_viewed(void) {
    engine *store = open_filled();
    run(store, "CREATE TABLE k.d (a int PRIMARY KEY, v int, w text)");
    run(store,
        "CREATE MATERIALIZED VIEW k.dv AS SELECT * FROM k.d WHERE a IS NOT NULL AND v IS NOT "
        "NULL PRIMARY KEY (v, a)");
    for (int i = 0; i < 10; i++) {
        char text[100];
        snprintf(text, sizeof text, "INSERT INTO k.d (a, v, w) VALUES (%d, %d, 'w')", i, i % 3);
        run(store, text);
    }
    return store;
}

/* ---- damage ---- */

typedef struct damage {
    engine_job job; /* first */
    kv_tree    tree;
    base_buf   key, value;
    bool       remove;
} damage;

static corm_status do_damage(engine_job *job, engine_round *round, corm_error *e) {
    damage *to = (damage *)job;
    bool    found;
    if (to->remove) return kv__delete(round->txn, to->tree, base__buf_bytes(&to->key), &found, e);
    return kv__put(round->txn, to->tree, base__buf_bytes(&to->key), base__buf_bytes(&to->value), e);
}

static void finish_damage(engine *store, damage *to, const char *words) {
    to->job.run = do_damage;
    assert_ok(engine__write(store, &to->job, &err), err);
    assert_status(engine__verify(store, &err), CORM_CORRUPT);
    if (!strstr(err.message, words)) fail_msg("\"%s\" is not in \"%s\"", words, err.message);
    base__buf_free(&to->key);
    base__buf_free(&to->value);
    engine__close(store);
}

/* The n-th key of the table's (or the index's) storage, with its value. */
static void find_key(engine *store, const char *table, const char *index, uint8_t kind,
                     damage *out) {
    engine_snapshot snapshot;
    kv_cursor      *cursor;
    bool            found;
    uint8_t         prefix[4];
    assert_ok(engine__read_begin(store, &snapshot, &err), err);
    const cql_table *of = cql__schema_table(snapshot.schema, corm_str_of("k"), corm_str_of(table));
    uint32_t         storage = of->storage_id;
    if (index)
        storage = cql__schema_index(snapshot.schema, corm_str_of("k"), corm_str_of(index), &of)
                      ->storage_id;
    base__store_u32(prefix, storage);
    assert_ok(kv__cursor_open(snapshot.txn, KV_DATA, &cursor, &err), err);
    assert_ok(kv__cursor_seek(cursor, (corm_bytes){ prefix, 4 }, KV_AT_OR_AFTER, &found, &err),
              err);
    engine_key key;
    while (found && kind != 0 && engine__key_split(kv__cursor_key(cursor), &key) &&
           key.kind != kind) {
        assert_ok(kv__cursor_next(cursor, &found, &err), err);
    }
    assert_true(found);
    base__buf_put(&out->key, kv__cursor_key(cursor).data, kv__cursor_key(cursor).len);
    base__buf_put(&out->value, kv__cursor_value(cursor).data, kv__cursor_value(cursor).len);
    engine__read_end(&snapshot);
}

static void a_row_that_cannot_be_read_is_found(void **state) {
    (void)state;
    engine *store = open_filled();
    damage  to = { .tree = KV_DATA };
    find_key(store, "t", NULL, ENGINE_KEY_ROW, &to);
    to.value.len /= 2;
    finish_damage(store, &to, "");
}

static void a_row_under_the_wrong_key_is_found(void **state) {
    (void)state;
    engine *store = open_filled();
    damage  to = { .tree = KV_DATA };
    find_key(store, "t", NULL, ENGINE_KEY_ROW, &to);
    to.key.data[to.key.len - 1] ^= 1;
    base__buf_u8(&to.key, 0);
    finish_damage(store, &to, "k.t: ");
}

static void a_partition_under_the_wrong_token_is_found(void **state) {
    (void)state;
    engine *store = open_filled();
    damage  to = { .tree = KV_DATA };
    find_key(store, "c", NULL, ENGINE_KEY_ROW, &to);
    to.key.data[6] ^= 1;
    finish_damage(store, &to, "token");
}

static void a_missing_row_of_a_view_is_found(void **state) {
    (void)state;
    engine *store = open_viewed();
    damage  to = { .tree = KV_DATA, .remove = true };
    find_key(store, "dv", NULL, ENGINE_KEY_ROW, &to);
    finish_damage(store, &to, "k.dv: the view lacks a row that its table implies");
}

static void another_row_in_a_view_is_found(void **state) {
    (void)state;
    engine *store = open_viewed();
    damage  to = { .tree = KV_DATA };
    find_key(store, "dv", NULL, ENGINE_KEY_ROW, &to);
    to.value.data[to.value.len - 1] ^= 1;
    finish_damage(store, &to, "k.dv: a row of the view differs from what its table implies");
}

static void a_row_of_a_view_without_its_own_is_found(void **state) {
    (void)state;
    engine *store = open_viewed();
    damage  to = { .tree = KV_DATA, .remove = true };
    find_key(store, "d", NULL, ENGINE_KEY_ROW, &to);
    finish_damage(store, &to, "views hold 10 rows where tables imply 9");
}

static void a_missing_index_entry_is_found(void **state) {
    (void)state;
    engine *store = open_filled();
    damage  to = { .tree = KV_DATA, .remove = true };
    find_key(store, "t", "by_v", 0, &to);
    finish_damage(store, &to, "lacks an entry");
}

static void an_index_entry_without_a_row_is_found(void **state) {
    (void)state;
    engine *store = open_filled();
    damage  to = { .tree = KV_DATA };
    find_key(store, "t", "by_v", 0, &to);
    to.key.data[to.key.len - 1] ^= 0x55;
    finish_damage(store, &to, "without a row");
}

static void an_index_entry_too_many_is_found(void **state) {
    (void)state;
    engine *store = open_filled();
    damage  to = { .tree = KV_DATA };
    find_key(store, "t", "by_v", 0, &to);
    uint8_t *letter = memchr(to.key.data + 4, 'v', to.key.len - 4);
    assert_non_null(letter);
    *letter = 'w';
    finish_damage(store, &to, "entries where rows ask for");
}

static void a_damaged_index_entry_is_found(void **state) {
    (void)state;
    engine *store = open_filled();
    damage  to = { .tree = KV_DATA };
    find_key(store, "t", "by_v", 0, &to);
    to.value.len = 3;
    finish_damage(store, &to, "damaged entry");
}

static void what_belongs_to_no_table_is_found(void **state) {
    (void)state;
    engine *store = open_filled();
    damage  to = { .tree = KV_DATA };
    base__buf_puts(&to.key, "zzzzz");
    finish_damage(store, &to, "no table");
    store = open_filled();
    to = (damage){ .tree = KV_DATA };
    base__buf_puts(&to.key, "zz");
    finish_damage(store, &to, "too short");
    store = open_filled();
    to = (damage){ .tree = KV_DATA };
    find_key(store, "t", NULL, ENGINE_KEY_ROW, &to);
    to.key.len = 10;
    finish_damage(store, &to, "a key is damaged");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_sound_store_is_found_sound),
    cmocka_unit_test(a_row_that_cannot_be_read_is_found),
    cmocka_unit_test(a_row_under_the_wrong_key_is_found),
    cmocka_unit_test(a_partition_under_the_wrong_token_is_found),
    cmocka_unit_test(a_missing_row_of_a_view_is_found),
    cmocka_unit_test(another_row_in_a_view_is_found),
    cmocka_unit_test(a_row_of_a_view_without_its_own_is_found),
    cmocka_unit_test(a_missing_index_entry_is_found),
    cmocka_unit_test(an_index_entry_without_a_row_is_found),
    cmocka_unit_test(an_index_entry_too_many_is_found),
    cmocka_unit_test(a_damaged_index_entry_is_found),
    cmocka_unit_test(what_belongs_to_no_table_is_found),
};

RUN_TESTS()
