// SPDX-License-Identifier: MIT
/* prepared_test.c -- the cache of prepared statements: found, counted, bounded, forgotten. */
#include "driver/prepared.h"
#include "testing/check.h"

#include <stdlib.h>

enum { PLENTY = 1 << 20 };

static corm_str text(const char *s) {
    return corm_str_of(s);
}

/* The PREPARED body of "… k = ?" over ks.table, answering with one column of the type. */
static void put_body(base_buf *body, const char *table, const cql_type *column_type) {
    cql_marker        marker = { text("k"), cql__type_native(CQL_INT), text("ks"), text(table) };
    cql_result_column column = { text("ks"), text(table), text("v"), column_type };
    static const uint16_t key[] = { 0 };
    static const uint8_t  id[] = { 1, 2, 3 }, metadata_id[] = { 9 };
    wire__put_prepared(body, (corm_bytes){ id, 3 }, (corm_bytes){ metadata_id, 1 }, &marker, 1, key,
                       1, &column, column_type ? 1 : 0, 5);
}

static driver_prepared *add(driver_prepared_cache *cache, const char *cql, const char *table,
                            const cql_type *column_type) {
    base_buf         body = { 0 };
    driver_prepared *out;
    corm_error       err;
    put_body(&body, table, column_type);
    assert_ok(driver__prepared_add(cache, text("ks"), text(cql), base__buf_bytes(&body), 5, 0, &out,
                                   &err),
              err);
    base__buf_free(&body);
    return out;
}

static void drop(driver_prepared *prepared) {
    driver__prepared_unref(driver__prepared_wire(prepared));
}

static bool has(driver_prepared_cache *cache, const char *cql) {
    driver_prepared *found = driver__prepared_find(cache, text("ks"), text(cql));
    drop(found);
    return found != NULL;
}

static void a_statement_is_known_by_keyspace_and_text(void **state) {
    (void)state;
    driver_prepared_cache cache = { .most_bytes = PLENTY };
    driver_prepared      *own =
        add(&cache, "SELECT v FROM t WHERE k = ?", "t", cql__type_native(CQL_TEXT));
    driver_prepared *found =
        driver__prepared_find(&cache, text("ks"), text("SELECT v FROM t WHERE k = ?"));
    assert_ptr_equal(found, own);
    assert_null(driver__prepared_find(&cache, text("ks2"), text("SELECT v FROM t WHERE k = ?")));
    assert_null(driver__prepared_find(&cache, text(""), text("SELECT v FROM t WHERE k = ?")));
    drop(found);
    drop(own);
    driver__prepared_cache_free(&cache);
}

static void it_has_what_its_answer_said(void **state) {
    (void)state;
    driver_prepared_cache cache = { .most_bytes = PLENTY };
    driver_prepared      *own =
        add(&cache, "SELECT v FROM t WHERE k = ?", "t", cql__type_native(CQL_TEXT));
    assert_int_equal(own->id.len, 3);
    assert_memory_equal(own->id.data, "\1\2\3", 3);
    assert_int_equal(own->metadata_id.len, 1);
    assert_int_equal(own->key_count, 1);
    assert_int_equal(own->key_markers[0], 0);
    assert_int_equal(own->marker_count, 1);
    assert_int_equal(own->column_count, 1);
    assert_text(own->table_keyspace, "ks");
    assert_text(own->table, "t");
    assert_string_equal(own->text.data, "SELECT v FROM t WHERE k = ?");
    assert_true(own->is_read && own->idempotent && !own->is_lwt);
    drop(own);
    driver__prepared_cache_free(&cache);
}

static void it_lives_as_long_as_somebody_holds_it(void **state) {
    (void)state;
    driver_prepared_cache cache = { .most_bytes = PLENTY };
    driver_prepared      *own = add(&cache, "INSERT INTO t (k) VALUES (?)", "t", NULL);
    driver__prepared_cache_free(&cache);
    assert_text(own->text, "INSERT INTO t (k) VALUES (?)");
    drop(own);
}

static void the_one_used_least_recently_is_thrown_out(void **state) {
    (void)state;
    driver_prepared_cache cache = { .most_bytes = PLENTY };
    drop(add(&cache, "SELECT 1", "t", NULL));
    size_t one = atomic_load(&cache.bytes);
    assert_true(one > 0);
    cache.most_bytes = 3 * one + one / 2;
    drop(add(&cache, "SELECT 2", "t", NULL));
    drop(add(&cache, "SELECT 3", "t", NULL));
    assert_true(has(&cache, "SELECT 1"));
    drop(add(&cache, "SELECT 4", "t", NULL));
    assert_true(has(&cache, "SELECT 1"));
    assert_false(has(&cache, "SELECT 2"));
    assert_true(has(&cache, "SELECT 3"));
    assert_true(has(&cache, "SELECT 4"));
    assert_true(atomic_load(&cache.bytes) <= cache.most_bytes);
    assert_int_equal(cache.thrown_out, 1);
    driver__prepared_cache_free(&cache);
    assert_int_equal(atomic_load(&cache.bytes), 0);
}

static void the_newest_stays_however_large(void **state) {
    (void)state;
    driver_prepared_cache cache = { .most_bytes = 1 };
    drop(add(&cache, "SELECT 1", "t", NULL));
    assert_true(has(&cache, "SELECT 1"));
    drop(add(&cache, "SELECT 2", "t", NULL));
    assert_false(has(&cache, "SELECT 1"));
    assert_true(has(&cache, "SELECT 2"));
    driver__prepared_cache_free(&cache);
}

static void the_same_text_again_replaces_it(void **state) {
    (void)state;
    driver_prepared_cache cache = { .most_bytes = PLENTY };
    driver_prepared      *first = add(&cache, "SELECT 1", "t", NULL);
    size_t                bytes = atomic_load(&cache.bytes);
    driver_prepared      *second = add(&cache, "SELECT 1", "t", NULL);
    assert_ptr_not_equal(first, second);
    assert_int_equal(atomic_load(&cache.bytes), bytes);
    driver_prepared *found = driver__prepared_find(&cache, text("ks"), text("SELECT 1"));
    assert_ptr_equal(found, second);
    drop(found);
    drop(first);
    drop(second);
    driver__prepared_cache_free(&cache);
}

static void a_change_of_a_table_forgets_what_is_about_it(void **state) {
    (void)state;
    driver_prepared_cache cache = { .most_bytes = PLENTY };
    drop(add(&cache, "SELECT a", "a", NULL));
    drop(add(&cache, "SELECT b", "b", NULL));
    driver__prepared_forget(&cache, text("other"), text("a"));
    assert_true(has(&cache, "SELECT a"));
    driver__prepared_forget(&cache, text("ks"), text("a"));
    assert_false(has(&cache, "SELECT a"));
    assert_true(has(&cache, "SELECT b"));
    driver__prepared_forget(&cache, text("ks"), (corm_str){ 0 });
    assert_false(has(&cache, "SELECT b"));
    driver__prepared_cache_free(&cache);
}

static void a_change_of_a_type_forgets_what_has_it_inside(void **state) {
    (void)state;
    base_arena      arena = { 0 };
    corm_str        field = text("f");
    const cql_type *integer = cql__type_native(CQL_INT);
    const cql_type *udt =
        cql__type_udt(&arena, text("ks"), text("address"), &field, &integer, 1, true);
    driver_prepared_cache cache = { .most_bytes = PLENTY };
    drop(add(&cache, "SELECT a", "a", cql__type_list(&arena, udt, false)));
    drop(add(&cache, "SELECT b", "b", integer));
    driver__prepared_forget(&cache, text("ks"), text("address"));
    assert_false(has(&cache, "SELECT a"));
    assert_true(has(&cache, "SELECT b"));
    driver__prepared_cache_free(&cache);
    base__arena_free(&arena);
}

static void scylla_marks_transactions_in_the_flags(void **state) {
    (void)state;
    driver_prepared_cache cache = { .most_bytes = PLENTY };
    base_buf              body = { 0 };
    driver_prepared      *out;
    corm_error            err;
    put_body(&body, "t", NULL);
    size_t at = 4 + 2 + 3 + 2 + 1;
    base__buf_set_i32(&body, at, (int32_t)(base__load_u32(body.data + at) | 0x80000000u));
    assert_ok(driver__prepared_add(&cache, text("ks"), text("INSERT INTO t (k) VALUES (?)"),
                                   base__buf_bytes(&body), 5, 0x80000000u, &out, &err),
              err);
    assert_true(out->is_lwt && !out->idempotent);
    drop(out);
    base__buf_free(&body);
    driver__prepared_cache_free(&cache);
}

static void a_body_that_is_no_prepared_is_refused(void **state) {
    (void)state;
    driver_prepared_cache cache = { .most_bytes = PLENTY };
    base_buf              body = { 0 };
    driver_prepared      *out;
    corm_error            err;
    wire__put_void(&body);
    assert_status(driver__prepared_add(&cache, text("ks"), text("SELECT 1"), base__buf_bytes(&body),
                                       5, 0, &out, &err),
                  CORM_PROTOCOL_ERROR);
    assert_null(out);
    body.len = 2;
    assert_status(driver__prepared_add(&cache, text("ks"), text("SELECT 1"), base__buf_bytes(&body),
                                       5, 0, &out, &err),
                  CORM_PROTOCOL_ERROR);
    base__buf_free(&body);
    driver__prepared_cache_free(&cache);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_statement_is_known_by_keyspace_and_text),
    cmocka_unit_test(it_has_what_its_answer_said),
    cmocka_unit_test(it_lives_as_long_as_somebody_holds_it),
    cmocka_unit_test(the_one_used_least_recently_is_thrown_out),
    cmocka_unit_test(the_newest_stays_however_large),
    cmocka_unit_test(the_same_text_again_replaces_it),
    cmocka_unit_test(a_change_of_a_table_forgets_what_is_about_it),
    cmocka_unit_test(a_change_of_a_type_forgets_what_has_it_inside),
    cmocka_unit_test(scylla_marks_transactions_in_the_flags),
    cmocka_unit_test(a_body_that_is_no_prepared_is_refused),
};

RUN_TESTS()
