// SPDX-License-Identifier: MIT
#include "cql/order.h"

#include "cql/random_value.h"

static int sign(int v) {
    return (v > 0) - (v < 0);
}

static int compare_keys(const base_buf *a, const base_buf *b) {
    size_t both = a->len < b->len ? a->len : b->len;
    int    order = memcmp(a->data, b->data, both);
    return order != 0 ? sign(order) : (a->len > b->len) - (a->len < b->len);
}

static int compare_values(const cql_type *type, cql_value a, cql_value b) {
    if (a.len < 0 || b.len < 0) return (a.len >= 0) - (b.len >= 0);
    return sign(cql__compare(type, a, b));
}

/* Another value, the same one, or null. */
static cql_value partner(random_source *r, const cql_type *type, cql_value value) {
    switch (random_below(r, 8)) {
    case 0: return value;
    case 1: return CQL_NULL;
    default: return random_value(r, type);
    }
}

static void fail_pair(const cql_type *type, cql_value a, cql_value b) {
    base_buf text = { 0 };
    cql__type_print(type, &text);
    base__buf_puts(&text, ": ");
    cql__to_text(type, a, CQL_STYLE_LITERAL, &text);
    base__buf_puts(&text, " and ");
    cql__to_text(type, b, CQL_STYLE_LITERAL, &text);
    fail_msg("%s", base__buf_cstr(&text));
}

static void keys_of_one_value_sort_as_the_values_do(void **state) {
    (void)state;
    base_arena    arena = { 0 };
    random_source r = { 1, &arena };
    base_buf      x = { 0 };
    base_buf      y = { 0 };
    for (int i = 0; i < 30000; i++) {
        const cql_type *type = random_key_type(&r, 2);
        cql_value       a = random_value(&r, type);
        cql_value       b = partner(&r, type, a);
        bool            descending = i % 2 == 1;
        base__buf_clear(&x);
        base__buf_clear(&y);
        cql__order_put(type, a, descending, &x);
        cql__order_put(type, b, descending, &y);
        int expected = compare_values(type, a, b);
        if (compare_keys(&x, &y) != (descending ? -expected : expected)) fail_pair(type, a, b);
        base__arena_reset(&arena);
    }
    base__buf_free(&x);
    base__buf_free(&y);
    base__arena_free(&arena);
}

enum { COLUMNS = 3 };

static int compare_rows(const cql_type *const *types, const bool *descending, const cql_value *a,
                        const cql_value *b) {
    for (int c = 0; c < COLUMNS; c++) {
        int order = compare_values(types[c], a[c], b[c]);
        if (order != 0) return descending[c] ? -order : order;
    }
    return 0;
}

static void keys_of_several_values_sort_column_by_column(void **state) {
    (void)state;
    base_arena    arena = { 0 };
    random_source r = { 2, &arena };
    for (int i = 0; i < 20000; i++) {
        const cql_type *types[COLUMNS];
        bool            descending[COLUMNS];
        cql_value       a[COLUMNS], b[COLUMNS];
        base_buf        x = { 0 };
        base_buf        y = { 0 };
        for (int c = 0; c < COLUMNS; c++) {
            types[c] = random_key_type(&r, 1);
            descending[c] = random_below(&r, 2) == 1;
            a[c] = random_value(&r, types[c]);
            b[c] = random_below(&r, 2) ? a[c] : partner(&r, types[c], a[c]);
            cql__order_put(types[c], a[c], descending[c], &x);
            cql__order_put(types[c], b[c], descending[c], &y);
        }
        assert_int_equal(compare_keys(&x, &y), compare_rows(types, descending, a, b));
        base__buf_free(&x);
        base__buf_free(&y);
        base__arena_reset(&arena);
    }
    base__arena_free(&arena);
}

static void the_bounds_enclose_every_key_with_the_prefix(void **state) {
    (void)state;
    base_arena    arena = { 0 };
    random_source r = { 3, &arena };
    for (int i = 0; i < 5000; i++) {
        const cql_type *first = random_key_type(&r, 1);
        const cql_type *second = random_key_type(&r, 1);
        base_buf        key = { 0 };
        base_buf        low = { 0 };
        base_buf        high = { 0 };
        cql__order_put(first, random_value(&r, first), i % 2 == 0, &key);
        base__buf_put(&low, key.data, key.len);
        base__buf_u8(&low, 0x00);
        base__buf_put(&high, key.data, key.len);
        base__buf_u8(&high, 0xff);
        cql__order_put(second, partner(&r, second, CQL_NULL), i % 3 == 0, &key);
        assert_true(compare_keys(&low, &key) < 0 && compare_keys(&key, &high) < 0);
        base__buf_free(&key);
        base__buf_free(&low);
        base__buf_free(&high);
        base__arena_reset(&arena);
    }
    base__arena_free(&arena);
}

static void assert_key(const char *type_text, const char *literal, bool descending,
                       const char *hex) {
    base_arena      arena = { 0 };
    base_buf        key = { 0 };
    const cql_type *type = type_of(&arena, type_text);
    cql__order_put(type, value_of(&arena, type, literal), descending, &key);
    assert_bytes(cql__value_of(base__buf_bytes(&key)), hex);
    base__buf_free(&key);
    base__arena_free(&arena);
}

/* Keys are stored: their form may not change. */
static void keys_have_their_documented_form(void **state) {
    (void)state;
    assert_key("int", "5", false, "0380000005");
    assert_key("int", "5", true, "fc7ffffffa");
    assert_key("int", "null", false, "01");
    assert_key("int", "0x", false, "02");
    assert_key("int", "null", true, "fe");
    assert_key("text", "'a'", false, "036100");
    assert_key("blob", "0x000102", false,
               "030101010202"
               "00");
    assert_key("boolean", "true", false, "0301");
    assert_key("double", "-1", false, "03400fffffffffffff");
    assert_key("float", "1", false, "03bf800000");
    assert_key("date", "'1970-01-01'", false, "0380000000");
    assert_key("varint", "300", false, "0381012c");
    assert_key("varint", "-1", false, "037fff");
    assert_key("decimal", "1.50", false, "0302811000");
    assert_key("decimal", "-1.5", false, "03007eefff");
    assert_key("decimal", "0.00", false, "0301");
    assert_key("decimal", "1E+1000", false, "0302ff80000003e90b00");
    assert_key("decimal", "1E-1000", false, "0302017ffffffc190b00");
    assert_key("list<int>", "[1]", false, "03038000000100");
    assert_key("tuple<int, int>", "(1, null)", false, "03038000000100");
    assert_key("vector<float, 1>", "[1]", false, "0303bf800000");
    assert_key("uuid", "00112233-4455-6677-8899-aabbccddeeff", false,
               "036001122334455677"
               "8899aabbccddeeff");
    assert_key("timeuuid", "00112233-4455-1677-8899-aabbccddeeff", false,
               "031677445500112233"
               "08192a3b4c5d6e7f");
}

static void bytes_that_are_no_value_still_have_a_key(void **state) {
    (void)state;
    static const char *const types[] = { "double",          "float",     "uuid",
                                         "timeuuid",        "list<int>", "tuple<int, int>",
                                         "vector<float, 2>" };
    base_arena               arena = { 0 };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        base_buf key = { 0 };
        cql__order_put(type_of(&arena, types[i]), bytes_of(&arena, "ffee01"), false, &key);
        assert_true(key.len >= 1);
        base__buf_free(&key);
    }
    base__arena_free(&arena);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(keys_of_one_value_sort_as_the_values_do),
    cmocka_unit_test(keys_of_several_values_sort_column_by_column),
    cmocka_unit_test(the_bounds_enclose_every_key_with_the_prefix),
    cmocka_unit_test(keys_have_their_documented_form),
    cmocka_unit_test(bytes_that_are_no_value_still_have_a_key),
};

RUN_TESTS()
