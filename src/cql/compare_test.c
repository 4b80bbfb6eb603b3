// SPDX-License-Identifier: MIT
#include "cql/random_value.h"

/* Literals of a type in ascending order. */
typedef struct ascending {
    const char *type;
    const char *literals[10];
} ascending;

static const ascending orders[] = {
    { "tinyint", { "-128", "-1", "0", "127" } },
    { "int", { "0x", "-2147483648", "-1", "0", "1", "2147483647" } },
    { "bigint", { "-9223372036854775808", "-256", "-1", "0", "255", "256" } },
    { "counter", { "0x", "-1", "0", "1" } },
    { "varint",
      { "0x", "-99999999999999999999", "-129", "-128", "0", "127", "128",
        "99999999999999999999" } },
    { "decimal",
      { "0x", "-1E+10", "-1.5", "-1", "0", "1E-1000000", "0.1", "0.11", "1.5", "1E+2000000000" } },
    { "double", { "0x", "-Infinity", "-1", "-0.0", "0.0", "1e-300", "1", "Infinity", "NaN" } },
    { "float", { "-Infinity", "-1", "-0.0", "0.0", "1", "Infinity", "NaN" } },
    { "boolean", { "0x", "false", "true" } },
    { "text", { "''", "'a'", "'ab'", "'b'", "'\xc3\xa9'" } },
    { "blob", { "0x", "0x00", "0x0000", "0x01", "0x7f", "0x80", "0xff" } },
    { "date", { "'-0001-01-01'", "'1969-12-31'", "'1970-01-01'", "'9999-12-31'" } },
    { "time", { "'00:00:00'", "'00:00:00.000000001'", "'23:59:59'" } },
    { "timestamp", { "-1", "0", "1", "'2015-05-03'" } },
    { "inet", { "'::1'", "'0.0.0.1'", "'10.0.0.1'", "'10.0.0.2'", "'255.0.0.1'" } },
    { "timeuuid",
      { "0x", "00000001-0000-1000-8080-808080808080", "00000001-0000-1000-0000-000000000000",
        "00000002-0000-1000-8080-808080808080", "00000001-0000-1001-8080-808080808080" } },
    { "uuid",
      { "0x", "ffffffff-ffff-0fff-ffff-ffffffffffff", "00000002-0000-1000-8080-808080808080",
        "00000001-0000-1001-8080-808080808080", "00000001-0000-1001-ffff-808080808080",
        "00000001-0000-4000-8080-808080808080", "00000002-0000-4000-8080-808080808080" } },
    { "list<int>", { "[]", "[-1]", "[1]", "[1, 2]", "[2]" } },
    { "set<text>", { "{}", "{'a'}", "{'a', 'b'}", "{'b'}" } },
    { "map<int, int>", { "{}", "{1: 1}", "{1: 1, 2: 0}", "{1: 2}", "{2: 0}" } },
    { "tuple<int, int>", { "0x", "(null, null)", "(null, 1)", "(1)", "(1, -1)", "(2, null)" } },
    { "point", { "{}", "{\"Y\": 'a'}", "{x: 1}", "{x: 1, \"Y\": ''}" } },
    { "vector<float, 2>", { "[-1, 5]", "[1, 0]", "[1, 1]" } },
    { "vector<text, 2>", { "['', 'b']", "['a', 'a']", "['a', 'b']" } },
};

static int sign(int v) {
    return (v > 0) - (v < 0);
}

static void check_order(base_arena *arena, const ascending *order) {
    const cql_type *type = type_of(arena, order->type);
    for (int i = 0; i < 10 && order->literals[i]; i++) {
        for (int j = 0; j < 10 && order->literals[j]; j++) {
            cql_value a = value_of(arena, type, order->literals[i]);
            cql_value b = value_of(arena, type, order->literals[j]);
            if (sign(cql__compare(type, a, b)) != sign(i - j)) {
                fail_msg("%s: %s and %s", order->type, order->literals[i], order->literals[j]);
            }
        }
    }
}

static void every_type_has_the_servers_order(void **state) {
    (void)state;
    base_arena arena = { 0 };
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) check_order(&arena, &orders[i]);
    base__arena_free(&arena);
}

static void assert_equal_values(const char *type_text, const char *a, const char *b) {
    base_arena      arena = { 0 };
    const cql_type *type = type_of(&arena, type_text);
    assert_int_equal(cql__compare(type, value_of(&arena, type, a), value_of(&arena, type, b)), 0);
    base__arena_free(&arena);
}

static void equal_values_may_have_different_bytes(void **state) {
    (void)state;
    assert_equal_values("decimal", "1.0", "1.00");
    assert_equal_values("decimal", "0E+5", "0.000");
    assert_equal_values("decimal", "1E+3", "1000");
    assert_equal_values("varint", "0x0001", "1");
    assert_equal_values("varint", "0xffff", "-1");
    assert_equal_values("double", "NaN", "0xfff8000000000001");
    assert_equal_values("boolean", "0x01", "0x02");
    assert_equal_values("tuple<int, int>", "(1, null)", "0x0000000400000001");
}

static void bytes_that_are_no_value_are_ordered_by_bytes(void **state) {
    (void)state;
    static const char *const types[] = { "double", "uuid", "list<int>", "int", "decimal" };
    base_arena               arena = { 0 };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        const cql_type *type = type_of(&arena, types[i]);
        assert_true(cql__compare(type, bytes_of(&arena, "01"), bytes_of(&arena, "0102")) <= 0);
        assert_int_equal(cql__compare(type, bytes_of(&arena, "01"), bytes_of(&arena, "01")), 0);
    }
    assert_int_equal(
        cql__compare(cql__type_native(CQL_EMPTY), bytes_of(&arena, "01"), bytes_of(&arena, "02")),
        0);
    base__arena_free(&arena);
}

static void the_order_is_total(void **state) {
    (void)state;
    base_arena    arena = { 0 };
    random_source r = { 7, &arena };
    for (int i = 0; i < 10000; i++) {
        const cql_type *type = random_key_type(&r, 1);
        cql_value       a = random_value(&r, type);
        cql_value       b = random_value(&r, type);
        cql_value       c = random_value(&r, type);
        int             ab = sign(cql__compare(type, a, b));
        int             bc = sign(cql__compare(type, b, c));
        assert_int_equal(ab, -sign(cql__compare(type, b, a)));
        assert_int_equal(cql__compare(type, a, a), 0);
        if (ab <= 0 && bc <= 0) assert_true(cql__compare(type, a, c) <= 0);
        base__arena_reset(&arena);
    }
    base__arena_free(&arena);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_type_has_the_servers_order),
    cmocka_unit_test(equal_values_may_have_different_bytes),
    cmocka_unit_test(bytes_that_are_no_value_are_ordered_by_bytes),
    cmocka_unit_test(the_order_is_total),
};

RUN_TESTS()
