// SPDX-License-Identifier: MIT
#include "corm/value.h"
#include "cql/values_for_tests.h"

static corm_value decoded(base_arena *arena, const char *type_text, const char *hex) {
    corm_value value;
    corm_error err = { 0 };
    assert_ok(cql__decode(type_of(arena, type_text), bytes_of(arena, hex), arena, &value, &err),
              err);
    return value;
}

static void assert_decoded(const char *type_text, const char *hex, corm_value expected) {
    base_arena arena = { 0 };
    corm_value value = decoded(&arena, type_text, hex);
    if (!corm_value_equal(&value, &expected))
        fail_msg("%s %s is of kind %d", type_text, hex, (int)value.kind);
    base__arena_free(&arena);
}

static void each_type_has_its_kind(void **state) {
    (void)state;
    assert_decoded("boolean", "02", corm_v((bool)true));
    assert_decoded("tinyint", "ff", corm_v((int8_t)-1));
    assert_decoded("smallint", "8000", corm_v((int16_t)INT16_MIN));
    assert_decoded("int", "ffffffff", corm_v(-1));
    assert_decoded("bigint", "8000000000000000", corm_v(INT64_MIN));
    assert_decoded("counter", "0000000000000001", corm_v(INT64_C(1)));
    assert_decoded("float", "3fc00000", corm_v(1.5F));
    assert_decoded("double", "3ff8000000000000", corm_v(1.5));
    assert_decoded("text", "6162", corm_v("ab"));
    assert_decoded("ascii", "", corm_v(""));
    assert_decoded("blob", "ff", corm_v(((corm_bytes){ (const uint8_t *)"\xff", 1 })));
    assert_decoded("timestamp", "ffffffffffffffff", corm_v(((corm_timestamp){ -1 })));
    assert_decoded("date", "7fffffff", corm_v(((corm_date){ -1 })));
    assert_decoded("time", "0000000000000001", corm_v(((corm_time){ 1 })));
    assert_decoded("duration", "020406", corm_v(((corm_duration){ 1, 2, 3 })));
    assert_decoded("inet", "0a000001", corm_v(((corm_inet){ { 10, 0, 0, 1 }, 4 })));
    assert_decoded("varint", "00000080", corm_v(corm_varint_of(128)));
    assert_decoded("decimal", "0000000207cf", corm_v(corm_decimal_of(1999, 2)));
    assert_decoded("decimal", "00000002", corm_v(corm_decimal_of(0, 2)));
    assert_decoded("uuid", "01020300000000000000000000000000",
                   corm_v(((corm_uuid){ { 1, 2, 3 } })));
    assert_decoded("int", "", corm_null());
    assert_decoded("varint", "", corm_null());
}

static void null_is_null(void **state) {
    (void)state;
    base_arena arena = { 0 };
    corm_value value;
    corm_error err = { 0 };
    assert_ok(cql__decode(cql__type_native(CQL_TEXT), CQL_NULL, &arena, &value, &err), err);
    assert_int_equal(value.kind, CORM_NULL);
    base__arena_free(&arena);
}

static void collections_hold_decoded_items(void **state) {
    (void)state;
    assert_decoded("list<int>",
                   "00000002"
                   "0000000400000001"
                   "ffffffff",
                   corm_v(corm_list_of(corm_v(1), corm_null())));
    assert_decoded("set<text>",
                   "00000001"
                   "0000000161",
                   corm_v(corm_set_of(corm_v("a"))));
    assert_decoded("map<text, int>",
                   "00000001"
                   "0000000161"
                   "0000000400000001",
                   corm_v(corm_map_of(corm_v("a"), corm_v(1))));
    assert_decoded("tuple<int, int>", "0000000400000001",
                   corm_v(corm_tuple_of(corm_v(1), corm_null())));
    assert_decoded(
        "vector<float, 2>", "3f80000040000000",
        corm_of_items(CORM_VECTOR, (const corm_value[]){ corm_v(1.0F), corm_v(2.0F) }, 2));
    assert_decoded("list<int>", "00000000",
                   corm_v(((corm_list){ (const corm_value[]){ corm_null() }, 0 })));
}

static void fields_come_with_their_names(void **state) {
    (void)state;
    base_arena arena = { 0 };
    corm_value value = decoded(&arena, "point", "0000000400000001");
    assert_int_equal(value.kind, CORM_UDT);
    assert_int_equal(value.as.items.count, 2);
    assert_text(value.as.items.names[1], "Y");
    assert_int_equal(value.as.items.items[1].kind, CORM_NULL);
    base__arena_free(&arena);
}

static void a_long_varint_is_borrowed_from_the_bytes(void **state) {
    (void)state;
    base_arena arena = { 0 };
    corm_value value = decoded(&arena, "varint", "0102030405060708090a0b0c0d0e0f101112");
    assert_int_equal(value.as.varint.length, 18);
    assert_int_equal(value.as.varint.large[17], 0x12);
    base__arena_free(&arena);
}

static void bytes_of_another_type_are_corrupt(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        { "boolean", "0101" },
        { "tinyint", "0102" },
        { "smallint", "01" },
        { "int", "01" },
        { "bigint", "01" },
        { "float", "01" },
        { "double", "01" },
        { "timestamp", "01" },
        { "time", "01" },
        { "date", "01" },
        { "uuid", "01" },
        { "inet", "01" },
        { "decimal", "01" },
        { "duration", "02" },
        { "list<int>", "01" },
        { "list<int>", "" },
        { "set<int>", "00000001" },
        { "list<int>", "0000000000" },
        { "list<int>", "000000010000000101" },
        { "tuple<int>", "0000000401" },
        { "vector<int, 2>", "00000001" },
        { "vector<text, 100>", "0161" },
        { "duration", "f2000000000000" },
        { "point", "ffffffffffffffff00" },
    };
    base_arena arena = { 0 };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        corm_value  value;
        corm_error  err = { 0 };
        corm_status status = cql__decode(type_of(&arena, cases[i][0]),
                                         bytes_of(&arena, cases[i][1]), &arena, &value, &err);
        if (status != CORM_CORRUPT) fail_msg("%s %s is taken", cases[i][0], cases[i][1]);
    }
    base__arena_free(&arena);
}

static void the_message_names_the_type(void **state) {
    (void)state;
    base_arena arena = { 0 };
    corm_value value;
    corm_error err = { 0 };
    assert_status(
        cql__decode(cql__type_native(CQL_INT), bytes_of(&arena, "01"), &arena, &value, &err),
        CORM_CORRUPT);
    assert_string_equal(err.message, "1 bytes are not a value of type int");
    assert_status(
        cql__decode(cql__type_native(CQL_EMPTY), bytes_of(&arena, "01"), &arena, &value, &err),
        CORM_CORRUPT);
    base__arena_free(&arena);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(each_type_has_its_kind),
    cmocka_unit_test(null_is_null),
    cmocka_unit_test(collections_hold_decoded_items),
    cmocka_unit_test(fields_come_with_their_names),
    cmocka_unit_test(a_long_varint_is_borrowed_from_the_bytes),
    cmocka_unit_test(bytes_of_another_type_are_corrupt),
    cmocka_unit_test(the_message_names_the_type),
};

RUN_TESTS()
