// SPDX-License-Identifier: MIT
#include <math.h>

#include "corm/value.h"
#include "cql/random_value.h"

static void assert_encoded(const char *type_text, corm_value value, const char *hex) {
    base_arena arena = { 0 };
    base_buf   out = { 0 };
    corm_error err = { 0 };
    assert_ok(cql__encode(type_of(&arena, type_text), &value, &out, &err), err);
    assert_bytes(cql__value_of(base__buf_bytes(&out)), hex);
    base__buf_free(&out);
    base__arena_free(&arena);
}

static void assert_refused(const char *type_text, corm_value value, const char *message) {
    base_arena arena = { 0 };
    base_buf   out = { 0 };
    corm_error err = { 0 };
    assert_status(cql__encode(type_of(&arena, type_text), &value, &out, &err), CORM_CONVERSION);
    assert_string_equal(err.message, message);
    base__buf_free(&out);
    base__arena_free(&arena);
}

static void each_kind_goes_into_its_type(void **state) {
    (void)state;
    corm_uuid uuid = { { 1, 2, 3 } };
    assert_encoded("boolean", corm_v((bool)true), "01");
    assert_encoded("tinyint", corm_v((int8_t)-1), "ff");
    assert_encoded("smallint", corm_v((int16_t)258), "0102");
    assert_encoded("int", corm_v(1), "00000001");
    assert_encoded("bigint", corm_v(INT64_C(-2)), "fffffffffffffffe");
    assert_encoded("counter", corm_v(INT64_C(1)), "0000000000000001");
    assert_encoded("float", corm_v(1.5F), "3fc00000");
    assert_encoded("double", corm_v(1.5), "3ff8000000000000");
    assert_encoded("text", corm_v("\xc3\xa9"), "c3a9");
    assert_encoded("ascii", corm_v("a"), "61");
    assert_encoded("blob", corm_v(((corm_bytes){ (const uint8_t *)"ab", 2 })), "6162");
    assert_encoded("blob", corm_v(((corm_bytes){ NULL, 0 })), "");
    assert_encoded("uuid", corm_v(uuid), "01020300000000000000000000000000");
    assert_encoded("timestamp", corm_v(((corm_timestamp){ 1 })), "0000000000000001");
    assert_encoded("date", corm_v(((corm_date){ -1 })), "7fffffff");
    assert_encoded("time", corm_v(((corm_time){ 1 })), "0000000000000001");
    assert_encoded("duration", corm_v(((corm_duration){ 1, 2, 3 })), "020406");
    assert_encoded("inet", corm_v(((corm_inet){ { 10, 0, 0, 1 }, 4 })), "0a000001");
    assert_encoded("varint", corm_v(corm_varint_of(128)), "0080");
    assert_encoded("decimal", corm_v(corm_decimal_of(1999, 2)), "0000000207cf");
}

static void numbers_are_converted_when_nothing_is_lost(void **state) {
    (void)state;
    assert_encoded("tinyint", corm_v(127), "7f");
    assert_encoded("int", corm_v(2.0), "00000002");
    assert_encoded("int", corm_v(corm_decimal_of(200, 2)), "00000002");
    assert_encoded("bigint", corm_v(corm_varint_of(5)), "0000000000000005");
    assert_encoded("float", corm_v(0.1), "3dcccccd");
    assert_encoded("float", corm_v((double)NAN), "7fc00000");
    assert_encoded("float", corm_v(-(double)INFINITY), "ff800000");
    assert_encoded("double", corm_v(3), "4008000000000000");
    assert_encoded("double", corm_v(0.5F), "3fe0000000000000");
    assert_encoded("double", corm_v(corm_decimal_of(15, 1)), "3ff8000000000000");
    assert_encoded("varint", corm_v((int8_t)-1), "ff");
    assert_encoded("varint", corm_v(1e20), "056bc75e2d63100000");
    assert_encoded("varint", corm_v(corm_decimal_of(5, -20)), "1b1ae4d6e2ef500000");
    assert_encoded("decimal", corm_v(7), "0000000007");
    assert_encoded("decimal", corm_v(0.1), "0000000101");
    assert_encoded("decimal", corm_v(0.1F), "0000000101");
    assert_encoded("decimal", corm_v(corm_varint_of(300)), "00000000012c");
    assert_encoded("timestamp", corm_v(INT64_C(1000)), "00000000000003e8");
    assert_encoded("time", corm_v(7), "0000000000000007");
}

static void a_long_varint_is_borrowed(void **state) {
    (void)state;
    uint8_t     bytes[20] = { [18] = 0x80 };
    corm_varint trimmed = { .length = sizeof bytes, .large = bytes };
    assert_encoded("varint", corm_v(trimmed), "008000");
    bytes[0] = 1;
    assert_encoded("varint", corm_v(trimmed), "0100000000000000000000000000000000008000");
    assert_encoded("decimal", corm_v(((corm_decimal){ 1, trimmed })),
                   "000000010100000000000000000000000000000000008000");
}

static void what_would_lose_something_is_refused(void **state) {
    (void)state;
    assert_refused("tinyint", corm_v(128),
                   "a value of kind int cannot be converted to type tinyint: it is out of range");
    assert_refused(
        "int", corm_v(1.5),
        "a value of kind double cannot be converted to type int: it is not a whole number in its range");
    assert_refused(
        "int", corm_v(1e30),
        "a value of kind double cannot be converted to type int: it is not a whole number in its range");
    assert_refused(
        "int", corm_v(corm_decimal_of(5, 1)),
        "a value of kind decimal cannot be converted to type int: it is not a whole number in its range");
    assert_refused(
        "float", corm_v(3.141592653589793),
        "a value of kind double cannot be converted to type float: digits would be lost");
    assert_refused(
        "float", corm_v(1e300),
        "a value of kind double cannot be converted to type float: digits would be lost");
    assert_refused(
        "double", corm_v(INT64_MAX),
        "a value of kind bigint cannot be converted to type double: digits would be lost");
    assert_refused(
        "double", corm_v(corm_decimal_of(1, -400)),
        "a value of kind decimal cannot be converted to type double: digits would be lost");
    assert_refused(
        "varint", corm_v(0.5),
        "a value of kind double cannot be converted to type varint: it is not a whole number");
    assert_refused(
        "varint", corm_v((double)INFINITY),
        "a value of kind double cannot be converted to type varint: it is not a whole number");
    assert_refused("decimal", corm_v((double)NAN),
                   "a value of kind double cannot be converted to type decimal: it is not finite");
}

static void what_is_of_another_kind_is_refused(void **state) {
    (void)state;
    corm_uuid random = { { [6] = 0x40 } };
    assert_refused("int", corm_v((bool)true),
                   "a value of kind boolean cannot be converted to type int");
    assert_refused("varint", corm_v((bool)true),
                   "a value of kind boolean cannot be converted to type varint");
    assert_refused("decimal", corm_v((bool)true),
                   "a value of kind boolean cannot be converted to type decimal");
    assert_refused("double", corm_v((bool)true),
                   "a value of kind boolean cannot be converted to type double");
    assert_refused("float", corm_v((bool)true),
                   "a value of kind boolean cannot be converted to type float");
    assert_refused("boolean", corm_v(1), "a value of kind int cannot be converted to type boolean");
    assert_refused("text", corm_v(1), "a value of kind int cannot be converted to type text");
    assert_refused("blob", corm_v(1), "a value of kind int cannot be converted to type blob");
    assert_refused("date", corm_v(1), "a value of kind int cannot be converted to type date");
    assert_refused("list<int>", corm_v(1),
                   "a value of kind int cannot be converted to type list<int>");
    assert_refused(
        "timeuuid", corm_v(random),
        "a value of kind uuid cannot be converted to type timeuuid: it is not of version 1");
    assert_refused(
        "inet", corm_v(((corm_inet){ { 0 }, 0 })),
        "a value of kind inet cannot be converted to type inet: it has neither 4 nor 16 bytes");
    assert_refused(
        "varint", corm_v(((corm_varint){ .length = 0 })),
        "a value of kind varint cannot be converted to type varint: it is not a whole number");
    assert_refused("decimal", corm_v(((corm_decimal){ .scale = 0 })),
                   "a value of kind decimal cannot be converted to type decimal: it is not given");
    assert_refused("decimal", corm_v(((corm_varint){ .length = 0 })),
                   "a value of kind varint cannot be converted to type decimal: it is not given");
    assert_refused(
        "duration", corm_v(((corm_duration){ 1, -1, 0 })),
        "a value of kind duration cannot be converted to type duration: its parts have different signs");
    assert_refused("time", corm_v(((corm_time){ -1 })),
                   "a value of kind time cannot be converted to type time: it is not within a day");
}

static void text_goes_into_any_type(void **state) {
    (void)state;
    assert_encoded("int", corm_v("5"), "00000005");
    assert_encoded("timestamp", corm_v("1970-01-01 00:00:01Z"), "00000000000003e8");
    assert_encoded("set<int>", corm_v("{2, 1}"),
                   "00000002"
                   "0000000400000001"
                   "0000000400000002");
    assert_refused(
        "int", corm_v("x"),
        "a value of kind text cannot be converted to type int: Unable to make int from 'x'");
    assert_refused("int", corm_v("null"),
                   "a value of kind text cannot be converted to type int: it says null");
}

static void text_must_be_valid(void **state) {
    (void)state;
    base_buf   out = { 0 };
    corm_error err = { 0 };
    corm_value value = corm_v("\xff");
    assert_status(cql__encode(cql__type_native(CQL_TEXT), &value, &out, &err), CORM_INVALID);
    assert_status(cql__encode(cql__type_native(CQL_ASCII), &value, &out, &err), CORM_INVALID);
    base__buf_free(&out);
}

static void null_and_unset_are_the_callers(void **state) {
    (void)state;
    base_buf   out = { 0 };
    corm_error err = { 0 };
    corm_value value = corm_null();
    assert_status(cql__encode(cql__type_native(CQL_INT), &value, &out, &err),
                  CORM_INVALID_ARGUMENT);
    value.kind = CORM_UNSET;
    assert_status(cql__encode(cql__type_native(CQL_INT), &value, &out, &err),
                  CORM_INVALID_ARGUMENT);
    base__buf_free(&out);
}

static void collections_are_encoded_as_the_server_keeps_them(void **state) {
    (void)state;
    assert_encoded("list<int>", corm_v(corm_list_of(corm_v(2), corm_v(1))),
                   "00000002"
                   "0000000400000002"
                   "0000000400000001");
    assert_encoded("set<int>", corm_v(corm_set_of(corm_v(2), corm_v(1), corm_v(2))),
                   "00000002"
                   "0000000400000001"
                   "0000000400000002");
    assert_encoded("map<text, int>",
                   corm_v(corm_map_of(corm_v("b"), corm_v(1), corm_v("a"), corm_v(2))),
                   "00000002"
                   "0000000161"
                   "0000000400000002"
                   "0000000162"
                   "0000000400000001");
    assert_encoded("list<int>", corm_v(((corm_list){ NULL, 0 })), "00000000");
    assert_encoded(
        "vector<float, 2>",
        corm_of_items(CORM_VECTOR, (const corm_value[]){ corm_v(1.0F), corm_v(2.0F) }, 2),
        "3f80000040000000");
    assert_encoded("vector<text, 1>", corm_v(corm_list_of(corm_v("ab"))), "026162");
    assert_encoded("tuple<int, text>", corm_v(corm_tuple_of(corm_v(1))),
                   "0000000400000001"
                   "ffffffff");
    assert_encoded("tuple<int, text>", corm_v(corm_tuple_of(corm_null(), corm_v("a"))),
                   "ffffffff"
                   "0000000161");
    assert_encoded("list<frozen<set<int>>>",
                   corm_v(corm_list_of(corm_v(corm_set_of(corm_v(2), corm_v(1))))),
                   "00000001"
                   "00000014"
                   "00000002"
                   "0000000400000001"
                   "0000000400000002");
}

static void fields_may_be_given_by_name(void **state) {
    (void)state;
    const corm_value items[] = { corm_v("a"), corm_v(1) };
    const corm_str   names[] = { { "Y", 1 }, { "x", 1 } };
    corm_value       point = corm_of_items(CORM_UDT, items, 2);
    point.as.items.names = names;
    assert_encoded("point", point,
                   "0000000400000001"
                   "0000000161");
    point.as.items.count = 1;
    assert_encoded("point", point,
                   "ffffffff"
                   "0000000161");
    const corm_str unknown[] = { { "z", 1 } };
    point.as.items.names = unknown;
    assert_refused(
        "point", point,
        "a value of kind user-defined type cannot be converted to type point: it has an unknown field");
    assert_encoded("point", corm_of_items(CORM_UDT, &items[1], 1),
                   "0000000400000001"
                   "ffffffff");
}

static void collections_of_another_shape_are_refused(void **state) {
    (void)state;
    assert_refused("list<int>", corm_v(corm_list_of(corm_v(1), corm_null())),
                   "a value of kind list cannot be converted to type list<int>: it holds a null");
    assert_refused(
        "map<int, int>", corm_of_items(CORM_MAP, (const corm_value[]){ corm_v(1) }, 1),
        "a value of kind map cannot be converted to type map<int, int>: a key has no value");
    assert_refused("map<int, int>", corm_v(corm_list_of(corm_v(1))),
                   "a value of kind list cannot be converted to type map<int, int>");
    assert_refused(
        "vector<int, 2>", corm_v(corm_list_of(corm_v(1))),
        "a value of kind list cannot be converted to type vector<int, 2>: it has another number of items");
    assert_refused(
        "tuple<int>", corm_v(corm_tuple_of(corm_v(1), corm_v(2))),
        "a value of kind tuple cannot be converted to type frozen<tuple<int>>: it has too many items");
    assert_refused(
        "set<int>", corm_v(corm_set_of(corm_v("x"))),
        "a value of kind text cannot be converted to type int: Unable to make int from 'x'");
}

static void a_decoded_value_encodes_to_the_same_value(void **state) {
    (void)state;
    base_arena    arena = { 0 };
    random_source r = { 12, &arena };
    for (int i = 0; i < 20000; i++) {
        const cql_type *type = random_key_type(&r, 2);
        cql_value       first = random_value(&r, type);
        corm_value      value;
        base_buf        again = { 0 };
        corm_error      err = { 0 };
        assert_ok(cql__decode(type, first, &arena, &value, &err), err);
        corm_status status =
            value.kind == CORM_NULL ? CORM_CONVERSION : cql__encode(type, &value, &again, &err);
        /* The empty value inside a collection has no C form. */
        if (status == CORM_OK && type->count == 0) {
            assert_int_equal(cql__compare(type, first, cql__value_of(base__buf_bytes(&again))), 0);
        }
        base__buf_free(&again);
        base__arena_reset(&arena);
    }
    base__arena_free(&arena);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(each_kind_goes_into_its_type),
    cmocka_unit_test(numbers_are_converted_when_nothing_is_lost),
    cmocka_unit_test(a_long_varint_is_borrowed),
    cmocka_unit_test(what_would_lose_something_is_refused),
    cmocka_unit_test(what_is_of_another_kind_is_refused),
    cmocka_unit_test(text_goes_into_any_type),
    cmocka_unit_test(text_must_be_valid),
    cmocka_unit_test(null_and_unset_are_the_callers),
    cmocka_unit_test(collections_are_encoded_as_the_server_keeps_them),
    cmocka_unit_test(fields_may_be_given_by_name),
    cmocka_unit_test(collections_of_another_shape_are_refused),
    cmocka_unit_test(a_decoded_value_encodes_to_the_same_value),
};

RUN_TESTS()
