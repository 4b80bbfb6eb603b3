// SPDX-License-Identifier: MIT
/* pains_types_test.c -- pains 28 to 36: values over the wire, in both directions. */
#include "cql/codec.h"

#include "pains.h"

#define MARSHAL "org.apache.cassandra.db.marshal."

/* The cell of a table with one column and one row, as text. */
static void read_cell(const char *type, const char *literal, char out[512]) {
    corm_fake_cluster *fake = start_fake((corm_fake_options){ 0 });
    corm_session      *session = open_session(fake, quick());
    corm_result       *result = NULL;
    corm_error         err;
    char               column[256];
    snprintf(column, sizeof column, "v %s", type);
    add_rows(fake, "FROM t", column, literal);
    assert_ok(corm_execute(session, "SELECT v FROM t", &result, { .error = &err }), err);
    const corm_row *row = corm_result_next(result);
    assert_non_null(row);
    corm_str text = corm_row_format(row, 0);
    snprintf(out, 512, "%.*s", (int)text.len, text.data);
    corm_result_free(result);
    corm_session_close(session);
    corm_fake_stop(fake);
}

static void expect_cell(const char *type, const char *literal, const char *wanted) {
    char seen[512];
    read_cell(type, literal, seen);
    assert_string_equal(seen, wanted);
}

/* The wire form of values that are bound to markers of these types, as hexadecimal digits. */
static void send_values(const char *bind, const corm_value *values, uint32_t count, char out[256]) {
    corm_fake_cluster *fake = start_fake((corm_fake_options){ 0 });
    corm_session      *session = open_session(fake, quick());
    corm_error         err;
    corm_fake_rule     rule = { .node = -1, .match = "INSERT", .bind = bind };
    corm_fake_add_rule(fake, &rule);
    corm_prepared  *prepared = prepare_text(session, "INSERT INTO t (a, b, c) VALUES (?, ?, ?)");
    corm_statement *statement = corm_statement_new(prepared);
    for (uint32_t i = 0; i < count; i++) {
        assert_ok(corm_statement_bind(statement, i, values[i], &err), err);
    }
    assert_ok(corm_run(statement, NULL, &err), err);
    last_part(fake, "values", out);
    corm_statement_free(statement);
    corm_prepared_free(prepared);
    corm_session_close(session);
    corm_fake_stop(fake);
}

/* Pain 28. */
static void null_unset_and_empty_are_three_things_when_written(void **state) {
    (void)state;
    char       seen[256];
    corm_value values[] = { corm_v(""), corm_null(), { .kind = CORM_UNSET } };
    send_values("a text, b text, c text", values, 3, seen);
    assert_string_equal(seen, ",null,unset");
    corm_value other[] = { corm_of_set((corm_set){ 0 }), corm_v(0), corm_of_bool(false) };
    send_values("a set<int>, b int, c boolean", other, 3, seen);
    assert_string_equal(seen, "00000000,00000000,00");
}

/* Pain 28. */
static void null_and_empty_are_two_things_when_read(void **state) {
    (void)state;
    corm_fake_cluster *fake = start_fake((corm_fake_options){ 0 });
    corm_session      *session = open_session(fake, quick());
    corm_result       *result = NULL;
    corm_value         value;
    corm_error         err;
    add_rows(fake, "FROM t", "a text, b text, c int, d frozen<tuple<int, text>>, e blob",
             "'' | null | null | null | 0x");
    assert_ok(corm_execute(session, "SELECT * FROM t", &result, { .error = &err }), err);
    const corm_row   *row = corm_result_next(result);
    static const bool nulls[] = { false, true, true, true, false };
    for (uint32_t i = 0; i < 5; i++) {
        assert_int_equal(corm_row_is_null(row, i), nulls[i]);
        assert_ok(corm_row_value(row, i, &value, &err), err);
        assert_int_equal(value.kind == CORM_NULL, nulls[i]);
        assert_int_equal(corm_row_bytes(row, i).data == NULL, nulls[i]);
    }
    assert_int_equal(corm_row_int(row, 2), 0);
    corm_result_free(result);
    corm_session_close(session);
    corm_fake_stop(fake);
}

/* street text, zip int, country text; names in hexadecimal. */
#define ADDRESS                                                                                    \
    "'" MARSHAL "UserType(shop,61646472657373,737472656574:" MARSHAL "UTF8Type,7a6970:" MARSHAL    \
    "Int32Type,636f756e747279:" MARSHAL "UTF8Type)'"

/* Pain 29: fields by their names, in any order; one that is left out does not move the others. */
static void fields_of_a_user_type_are_written_by_name(void **state) {
    (void)state;
    char       seen[256];
    corm_str   names[] = { corm_str_of("country"), corm_str_of("street") };
    corm_value fields[] = { corm_v("NL"), corm_v("Gracht") };
    corm_value address = corm_of_items(CORM_UDT, fields, 2);
    address.as.items.names = names;
    corm_value values[] = { address, corm_v(1), corm_v(2) };
    send_values("a " ADDRESS ", b int, c int", values, 3, seen);
    assert_string_equal(seen, "00000006477261636874"
                              "ffffffff"
                              "000000024e4c"
                              ",00000001,00000002");
}

/* Pain 29: a field that a reader does not know of does no harm. */
static void fields_of_a_user_type_are_read_with_their_names(void **state) {
    (void)state;
    corm_fake_cluster *fake = start_fake((corm_fake_options){ 0 });
    corm_session      *session = open_session(fake, quick());
    corm_result       *result = NULL;
    corm_value         value;
    corm_error         err;
    add_rows(fake, "FROM t", "v " ADDRESS, "{street: 'Gracht', country: 'NL'}");
    assert_ok(corm_execute(session, "SELECT v FROM t", &result, { .error = &err }), err);
    assert_ok(corm_row_value(corm_result_next(result), 0, &value, &err), err);
    assert_int_equal(value.kind, CORM_UDT);
    assert_int_equal(value.as.items.count, 3);
    assert_text(value.as.items.names[2], "country");
    assert_text(value.as.items.items[2].as.text, "NL");
    assert_int_equal(value.as.items.items[1].kind, CORM_NULL);
    corm_result_free(result);
    corm_session_close(session);
    corm_fake_stop(fake);
}

/* Pain 29: a value that was written before the type had all of its fields. */
static void missing_fields_of_a_user_type_are_null(void **state) {
    (void)state;
    base_arena      arena = { 0 };
    const cql_type *type = NULL;
    corm_value      value;
    corm_error      err;
    uint8_t         shorter[] = { 0, 0, 0, 1, 'x' };
    corm_str        text = corm_str_of(ADDRESS);
    text = (corm_str){ text.data + 1, text.len - 2 };
    assert_ok(cql__type_parse_marshal(&arena, text, &type, &err), err);
    assert_ok(cql__decode(type, (cql_value){ shorter, sizeof shorter }, &arena, &value, &err), err);
    assert_int_equal(value.as.items.count, 3);
    assert_text(value.as.items.items[0].as.text, "x");
    assert_int_equal(value.as.items.items[1].kind, CORM_NULL);
    assert_int_equal(value.as.items.items[2].kind, CORM_NULL);
    base__arena_free(&arena);
}

/* Pain 30. */
static void a_bigint_keeps_every_digit(void **state) {
    (void)state;
    expect_cell("bigint", "9007199254740993", "9007199254740993");
    expect_cell("bigint", "-9223372036854775808", "-9223372036854775808");
    corm_fake_cluster *fake = start_fake((corm_fake_options){ 0 });
    corm_session      *session = open_session(fake, quick());
    add_rows(fake, "FROM t", "n bigint", "9007199254740993");
    assert_true(number_of(session, "SELECT n FROM t") == INT64_C(9007199254740993));
    corm_session_close(session);
    corm_fake_stop(fake);
}

/* Pain 31. */
static void decimals_and_varints_of_any_size_have_text_forms(void **state) {
    (void)state;
    expect_cell("decimal", "12345678901234567890.0987654321", "12345678901234567890.0987654321");
    expect_cell("varint", "-340282366920938463463374607431768211457",
                "-340282366920938463463374607431768211457");
    char       seen[256];
    corm_value values[] = { corm_v("19.990"), corm_v("340282366920938463463374607431768211456"),
                            corm_v(128) };
    send_values("a decimal, b varint, c varint", values, 3, seen);
    assert_string_equal(seen, "000000034e16,0100000000000000000000000000000000,0080");
}

enum { UUIDS = 4000, MAKERS = 4 };

static void *make_uuids(void *out) {
    corm_uuid *all = out;
    for (int i = 0; i < UUIDS; i++) all[i] = corm_uuid_time();
    return NULL;
}

static int compare_uuids(const void *a, const void *b) {
    return memcmp(a, b, sizeof(corm_uuid));
}

/* Pain 32. */
static void time_uuids_never_repeat_and_go_forward(void **state) {
    (void)state;
    static corm_uuid all[MAKERS * UUIDS];
    pthread_t        threads[MAKERS];
    for (int i = 0; i < MAKERS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, make_uuids, all + i * UUIDS), 0);
    }
    for (int i = 0; i < MAKERS; i++) pthread_join(threads[i], NULL);
    const cql_type *type = cql__type_native(CQL_TIMEUUID);
    for (int i = 0; i < MAKERS; i++) {
        const corm_uuid *of = all + i * UUIDS;
        for (int j = 1; j < UUIDS; j++) {
            cql_value before = { of[j - 1].bytes, 16 }, after = { of[j].bytes, 16 };
            assert_true(cql__compare(type, before, after) < 0);
        }
    }
    qsort(all, MAKERS * UUIDS, sizeof(corm_uuid), compare_uuids);
    for (int i = 1; i < MAKERS * UUIDS; i++) {
        assert_true(compare_uuids(&all[i - 1], &all[i]) != 0);
    }
}

/* Pain 33. */
static void dates_and_times_beyond_what_a_language_has_are_kept(void **state) {
    (void)state;
    corm_fake_cluster *fake = start_fake((corm_fake_options){ 0 });
    corm_session      *session = open_session(fake, quick());
    corm_result       *result = NULL;
    corm_error         err;
    corm_value         value;
    add_rows(fake, "FROM t", "a timestamp, b timestamp, c date, d date",
             "9223372036854775807 | -9223372036854775808 | '+5881580-07-11' | '-5877641-06-23'");
    assert_ok(corm_execute(session, "SELECT * FROM t", &result, { .error = &err }), err);
    const corm_row *row = corm_result_next(result);
    assert_true(corm_row_timestamp(row, 0).ms == INT64_MAX);
    assert_true(corm_row_timestamp(row, 1).ms == INT64_MIN);
    assert_ok(corm_row_value(row, 2, &value, &err), err);
    assert_int_equal(value.as.date.days, INT32_MAX);
    assert_ok(corm_row_value(row, 3, &value, &err), err);
    assert_int_equal(value.as.date.days, INT32_MIN);
    corm_result_free(result);
    corm_session_close(session);
    corm_fake_stop(fake);
}

/* Pain 34. */
static void vectors_of_every_type_are_read(void **state) {
    (void)state;
    expect_cell("vector<float, 3>", "[1.5, -2, 0.25]", "[1.5, -2, 0.25]");
    expect_cell("vector<int, 2>", "[7, -1]", "[7, -1]");
    expect_cell("vector<text, 2>", "['a', 'bc']", "['a', 'bc']");
    expect_cell("vector<frozen<list<int>>, 2>", "[[1, 2], []]", "[[1, 2], []]");
    char       seen[256];
    corm_value floats[] = { corm_v(1.0), corm_v(2.0) };
    corm_value values[] = { corm_of_items(CORM_VECTOR, floats, 2), corm_v(1), corm_v(2) };
    send_values("a vector<float, 2>, b int, c int", values, 3, seen);
    assert_string_equal(seen, "3f80000040000000,00000001,00000002");
}

/* Pain 35. */
static void a_number_has_the_width_of_its_column(void **state) {
    (void)state;
    char       seen[256];
    corm_value values[] = { corm_v(7), corm_v((int64_t)7), corm_v(7) };
    send_values("a bigint, b int, c tinyint", values, 3, seen);
    assert_string_equal(seen, "0000000000000007,00000007,07");
}

/* Pain 35: what does not fit is refused, not cut. */
static void a_number_too_large_for_its_column_is_refused(void **state) {
    (void)state;
    corm_fake_cluster *fake = start_fake((corm_fake_options){ 0 });
    corm_session      *session = open_session(fake, quick());
    corm_error         err;
    corm_fake_rule     rule = { .node = -1, .match = "INSERT", .bind = "a int" };
    corm_fake_add_rule(fake, &rule);
    corm_prepared  *prepared = prepare_text(session, "INSERT INTO t (a) VALUES (?)");
    corm_statement *statement = corm_statement_new(prepared);
    assert_status(corm_statement_bind(statement, 0, corm_v(INT64_C(1) << 40), &err),
                  CORM_CONVERSION);
    corm_statement_free(statement);
    corm_prepared_free(prepared);
    corm_session_close(session);
    corm_fake_stop(fake);
}

/* Pain 36. */
static void a_keyspace_with_upper_case_letters_is_used_as_it_is_written(void **state) {
    (void)state;
    for (uint8_t version = 4; version <= 5; version++) {
        corm_fake_cluster *fake = start_fake(
            (corm_fake_options){ .most_version = version, .keyspaces = "shop, Shop, select" });
        static const char *const names[] = { "Shop", "select" };
        for (int i = 0; i < 2; i++) {
            corm_session        *session = NULL;
            corm_error           err;
            char                 seen[256];
            corm_cluster_options cluster = quick();
            corm_session_options options = { .keyspace = names[i], .cluster = &cluster };
            assert_ok(corm_session_open(&session, corm_fake_uri(fake), &options, &err), err);
            must_run(session, "INSERT INTO t (k) VALUES (1)");
            last_part(fake, version == 5 ? "keyspace" : "used_keyspace", seen);
            assert_string_equal(seen, names[i]);
            corm_session_close(session);
        }
        corm_fake_stop(fake);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(null_unset_and_empty_are_three_things_when_written),
    cmocka_unit_test(null_and_empty_are_two_things_when_read),
    cmocka_unit_test(fields_of_a_user_type_are_written_by_name),
    cmocka_unit_test(fields_of_a_user_type_are_read_with_their_names),
    cmocka_unit_test(missing_fields_of_a_user_type_are_null),
    cmocka_unit_test(a_bigint_keeps_every_digit),
    cmocka_unit_test(decimals_and_varints_of_any_size_have_text_forms),
    cmocka_unit_test(time_uuids_never_repeat_and_go_forward),
    cmocka_unit_test(dates_and_times_beyond_what_a_language_has_are_kept),
    cmocka_unit_test(vectors_of_every_type_are_read),
    cmocka_unit_test(a_number_has_the_width_of_its_column),
    cmocka_unit_test(a_number_too_large_for_its_column_is_refused),
    cmocka_unit_test(a_keyspace_with_upper_case_letters_is_used_as_it_is_written),
};
RUN_TESTS()
