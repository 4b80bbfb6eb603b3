// SPDX-License-Identifier: MIT
#include "stream/json_value.h"
#include "stream/jsonl.h"
#include "testing/check.h"

static void an_object_is_cut_into_members(void **state) {
    (void)state;
    base_arena        arena = { 0 };
    stream_member    *m;
    uint32_t          count;
    corm_error        e = { 0 };
    static const char text[] =
        " {\"a\" : 1, \"\\\"B\\\"\":[1,{\"x\":\"}]\\\"\"}] ,\"c\":\"\\u00e9\" } ";
    assert_ok(stream__json_split(corm_str_of(text), &arena, &m, &count, &e), e);
    assert_int_equal(count, 3);
    assert_true(corm_str_equal(m[0].value, corm_str_of("1")));
    assert_int_equal(m[0].column, 9);
    assert_true(corm_str_equal(m[1].name, corm_str_of("\"B\"")));
    assert_true(corm_str_equal(m[1].value, corm_str_of("[1,{\"x\":\"}]\\\"\"}]")));
    assert_ok(stream__json_split(corm_str_of("{}"), &arena, &m, &count, &e), e);
    assert_int_equal(count, 0);
    base__arena_free(&arena);
}

static void many_members_are_cut(void **state) {
    (void)state;
    base_arena     arena = { 0 };
    base_buf       text = { 0 };
    stream_member *m;
    uint32_t       count;
    corm_error     e = { 0 };
    for (int i = 0; i < 100; i++) base__buf_printf(&text, "%s\"n%d\": %d", i ? ", " : "{", i, i);
    base__buf_puts(&text, "}");
    assert_ok(stream__json_split(base__buf_str(&text), &arena, &m, &count, &e), e);
    assert_int_equal(count, 100);
    assert_true(corm_str_equal(m[99].value, corm_str_of("99")));
    base__buf_free(&text);
    base__arena_free(&arena);
}

static void what_is_no_object_is_refused_with_its_place(void **state) {
    (void)state;
    static const struct {
        const char *text, *message;
        uint32_t    column;
    } cases[] = {
        { "[1]", "an object expected", 1 },
        { "", "an object expected", 1 },
        { "{a: 1}", "a name in quotes expected", 2 },
        { "{\"a\" 1}", "a colon expected", 6 },
        { "{\"a\": }", "a value expected", 7 },
        { "{\"a\": 1", "a closing brace expected", 8 },
        { "{\"a\": \"x}", "a closing quote expected", 10 },
        { "{\"a\": 1} x", "the end of the line expected", 10 },
        { "{\"a", "a closing quote expected", 4 },
        { "{\"a\\", "a closing quote expected", 5 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        base_arena     arena = { 0 };
        stream_member *m;
        uint32_t       count;
        corm_error     e = { 0 };
        assert_status(stream__json_split(corm_str_of(cases[i].text), &arena, &m, &count, &e),
                      CORM_INVALID);
        assert_string_equal(e.message, cases[i].message);
        assert_int_equal(e.column, cases[i].column);
        base__arena_free(&arena);
    }
}

/* The value of the literal goes out as `wanted` and comes back as the same bytes. */
static void assert_exact(const char *type_text, const char *literal, const char *wanted) {
    base_arena      arena = { 0 };
    base_buf        bytes = { 0 }, json = { 0 }, again = { 0 };
    const cql_type *type;
    bool            is_null;
    corm_error      e = { 0 };
    assert_ok(cql__type_parse(&arena, corm_str_of(type_text), NULL, &type, &e), e);
    assert_ok(cql__from_text(type, corm_str_of(literal), &bytes, &is_null, &e), e);
    stream__put_json_value(type, (cql_value){ bytes.data, (int32_t)bytes.len }, &json);
    assert_string_equal(base__buf_cstr(&json), wanted);
    assert_ok(stream__read_json_value(type, base__buf_str(&json), &again, &is_null, &e), e);
    assert_int_equal(again.len, bytes.len);
    if (bytes.len) assert_memory_equal(again.data, bytes.data, bytes.len);
    base__buf_free(&bytes);
    base__buf_free(&json);
    base__buf_free(&again);
    base__arena_free(&arena);
}

static void a_value_that_json_cannot_say_is_a_string_with_its_literal(void **state) {
    (void)state;
    assert_exact("int", "5", "5");
    assert_exact("int", "0x", "\"\"");
    assert_exact("varint", "0x", "\"0x\"");
    assert_exact("text", "''", "\"\"");
    assert_exact("blob", "0x", "\"0x\"");
    assert_exact("double", "NaN", "\"NaN\"");
    assert_exact("double", "1.5", "1.5");
    assert_exact("list<double>", "[NaN, 1.0]", "\"[NaN, 1.0]\"");
    assert_exact("decimal", "1E+3", "1E+3");
    assert_exact("list<decimal>", "[1E+3]", "\"[1E+3]\"");
    assert_exact("decimal", "1.50", "1.50");
    assert_exact("timestamp", "253402300800000", "\"253402300800000\"");
    assert_exact("list<text>", "['a', '']", "[\"a\", \"\"]");
    assert_exact("vector<float, 2>", "[1.0, Infinity]", "\"[1.0, Infinity]\"");
}

static void a_string_that_is_no_literal_is_refused(void **state) {
    (void)state;
    base_buf        out = { 0 };
    bool            is_null;
    corm_error      e = { 0 };
    const cql_type *type = cql__type_native(CQL_INT);
    assert_int_not_equal(
        stream__read_json_value(type, corm_str_of("\"seven\""), &out, &is_null, &e), CORM_OK);
    assert_int_not_equal(stream__read_json_value(type, corm_str_of("seven"), &out, &is_null, &e),
                         CORM_OK);
    assert_int_equal(out.len, 0);
    base__buf_free(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_object_is_cut_into_members),
        cmocka_unit_test(many_members_are_cut),
        cmocka_unit_test(what_is_no_object_is_refused_with_its_place),
        cmocka_unit_test(a_value_that_json_cannot_say_is_a_string_with_its_literal),
        cmocka_unit_test(a_string_that_is_no_literal_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
