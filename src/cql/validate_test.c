// SPDX-License-Identifier: MIT
#include "cql/random_value.h"

typedef struct validate_case {
    const char *type;
    const char *hex;
    const char *message; /* NULL: valid */
} validate_case;

static const validate_case cases[] = {
    { "int", "00000001", NULL },
    { "int", "", NULL },
    { "int", "000001", "Expected 4 or 0 byte int (3)" },
    { "bigint", "01", "Expected 8 or 0 byte long (1)" },
    { "counter", "01", "Expected 8 or 0 byte long (1)" },
    { "smallint", "", "Expected 2 bytes for a smallint (0)" },
    { "tinyint", "", "Expected 1 byte for a tinyint (0)" },
    { "boolean", "0101", "Expected 1 or 0 byte value (2)" },
    { "double", "00", "Expected 8 or 0 byte value for a double (1)" },
    { "float", "00", "Expected 4 or 0 byte value for a float (1)" },
    { "timestamp", "00", "Expected 8 or 0 byte long for date (1)" },
    { "date", "", "Expected 4 byte long for date (0)" },
    { "time", "", "Expected 8 byte long for time (0)" },
    { "uuid", "00", "UUID should be 16 or 0 bytes (1)" },
    { "timeuuid", "00", "UUID should be 16 or 0 bytes (1)" },
    { "timeuuid", "50000000000040008000000000000000", "Invalid version for TimeUUID type: 0x5" },
    { "timeuuid", "50000000000010008000000000000000", NULL },
    { "ascii", "6180", "Invalid byte for ascii: -128" },
    { "text", "c3a9", NULL },
    { "text", "c3", "String didn't validate." },
    { "text", "80", "String didn't validate." },
    { "text", "c1bf", "String didn't validate." },
    { "text", "c080", NULL },
    { "text", "c081", "String didn't validate." },
    { "text", "eda080", NULL },
    { "text", "e08080", "String didn't validate." },
    { "text", "f0808080", "String didn't validate." },
    { "text", "f4908080", NULL },
    { "text", "f888808080", "String didn't validate." },
    { "text", "e28228", "String didn't validate." },
    { "varint", "", NULL },
    { "decimal", "000000", "Expected 0 or at least 4 bytes (3)" },
    { "inet", "7f0000", "Expected 4 or 16 byte inetaddress; got 7f0000" },
    { "duration", "0000", "Expected at least 3 bytes for a duration (2)" },
    { "duration", "0000ff", "Not enough bytes to read a duration" },
    { "duration", "020100",
      "The duration months, days and nanoseconds must be all of the same sign (1, -1, 0)" },
    { "duration", "f2000000000000",
      "The duration months must be a 32 bits integer but was: 4294967296" },
    { "duration",
      "00f20000000000"
      "00",
      "The duration days must be a 32 bits integer but was: 4294967296" },
    { "list<int>", "", "Not enough bytes to read a list" },
    { "list<int>", "00000001", "Not enough bytes to read a list" },
    { "list<int>", "00000001ffffffff", NULL },
    { "set<int>", "00000001ffffffff", "Null value read when not allowed" },
    { "map<int, int>", "000000010000000400000001ffffffff", "Null value read when not allowed" },
    { "list<int>", "0000000000", "Unexpected extraneous bytes after list value" },
    { "list<int>", "ffffffff", "The data cannot be deserialized as a list" },
    { "set<int>", "000000010000000301", "Not enough bytes to read a set" },
    { "set<int>", "000000010000000101", "Expected 4 or 0 byte int (1)" },
    { "map<int, int>", "000000010000000400000001", "Not enough bytes to read a map" },
    { "map<int, text>", "0000000100000004000000010000000180", "String didn't validate." },
    { "tuple<int, int>", "", NULL },
    { "tuple<int, int>", "ffffffff", NULL },
    { "tuple<int, int>", "000000", "Not enough bytes to read size of 0th component" },
    { "tuple<int, int>", "ffffffff00000004", "Not enough bytes to read 1th component" },
    { "tuple<int, int>", "ffffffffffffffff00", "Invalid remaining data after end of tuple value" },
    { "tuple<int, int>", "0000000100", "Expected 4 or 0 byte int (1)" },
    { "point", "ffffffff00", "Not enough bytes to read size of 1th field Y" },
    { "point", "00000004", "Not enough bytes to read 0th field x" },
    { "point", "0000000100", "Failure validating the 0th field x; Expected 4 or 0 byte int (1)" },
    { "point", "ffffffffffffffff00", "Invalid remaining data after end of UDT value" },
    { "vector<int, 2>", "", "Invalid empty vector value" },
    { "vector<int, 2>", "00000001", "Not enough bytes to read a vector<int, 2>" },
    { "vector<int, 2>", "000000010000000203",
      "Unexpected 1 extraneous bytes after vector<int, 2> value" },
    { "vector<text, 2>", "0161", "Not enough bytes to read a vector<text, 2>" },
    { "vector<text, 1>", "0180", "String didn't validate." },
};

static void values_are_judged_in_the_servers_words(void **state) {
    (void)state;
    base_arena arena = { 0 };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        corm_error  err = { 0 };
        corm_status status =
            cql__validate(type_of(&arena, cases[i].type), bytes_of(&arena, cases[i].hex), &err);
        if ((status == CORM_OK) != (cases[i].message == NULL)) {
            fail_msg("%s %s: %s", cases[i].type, cases[i].hex, err.message);
        }
        if (cases[i].message) {
            assert_status(status, CORM_INVALID);
            assert_string_equal(err.message, cases[i].message);
        }
    }
    base__arena_free(&arena);
}

static void null_and_unset_pass(void **state) {
    (void)state;
    assert_status(cql__validate(cql__type_native(CQL_INT), CQL_NULL, NULL), CORM_OK);
    assert_status(cql__validate(cql__type_native(CQL_DATE), CQL_UNSET, NULL), CORM_OK);
}

static void the_empty_type_has_only_the_empty_value(void **state) {
    (void)state;
    corm_error err = { 0 };
    assert_ok(cql__validate(cql__type_native(CQL_EMPTY), (cql_value){ NULL, 0 }, &err), err);
    assert_status(
        cql__validate(cql__type_native(CQL_EMPTY), (cql_value){ (const uint8_t *)"a", 1 }, &err),
        CORM_INVALID);
    assert_string_equal(err.message, "EmptyType only accept empty values");
}

static void values_that_are_made_validly_are_valid(void **state) {
    (void)state;
    base_arena    arena = { 0 };
    random_source r = { 6, &arena };
    for (int i = 0; i < 10000; i++) {
        const cql_type *type = random_key_type(&r, 2);
        corm_error      err = { 0 };
        assert_ok(cql__validate(type, random_value(&r, type), &err), err);
        base__arena_reset(&arena);
    }
    base__arena_free(&arena);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(values_are_judged_in_the_servers_words),
    cmocka_unit_test(null_and_unset_pass),
    cmocka_unit_test(the_empty_type_has_only_the_empty_value),
    cmocka_unit_test(values_that_are_made_validly_are_valid),
};

RUN_TESTS()
