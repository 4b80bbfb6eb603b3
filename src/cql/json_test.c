// SPDX-License-Identifier: MIT
#include "cql/json.h"

#include "cql/random_value.h"

static void json_text_is_checked_strictly(void **state) {
    (void)state;
    static const char *const good[] = { "null",
                                        " true ",
                                        "-0",
                                        "0",
                                        "10",
                                        "1.5e-3",
                                        "1E+5",
                                        "\"\"",
                                        "\"\\u00e9\\n\"",
                                        "[]",
                                        "[1, [2]]",
                                        "{}",
                                        "{\"a\": {\"b\": null}}",
                                        "\"\xc3\xa9\"" };
    static const char *const bad[] = {
        "",        "nul",      "nulll",   "01",          "-",      "1.",   ".5",    "1e",
        "+1",      "\"",       "\"\\x\"", "\"\\u12g4\"", "\"\n\"", "[1,]", "[1 2]", "[",
        "{\"a\"}", "{\"a\":}", "{a: 1}",  "{\"a\": 1,}", "1 2",    "NaN",  "'a'",   "\"\xff\""
    };
    size_t at;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        if (!cql__json_check(corm_str_of(good[i]), &at))
            fail_msg("%s is refused at %zu", good[i], at);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (cql__json_check(corm_str_of(bad[i]), &at)) fail_msg("%s is taken", bad[i]);
    }
}

static void json_that_is_too_deep_is_refused(void **state) {
    (void)state;
    base_buf text = { 0 };
    size_t   at;
    for (int i = 0; i < 100000; i++) base__buf_u8(&text, '[');
    assert_false(cql__json_check(base__buf_str(&text), &at));
    base__buf_free(&text);
}

static corm_status read_json(base_arena *arena, const char *type, const char *json, base_buf *out,
                             bool *is_null, corm_error *err) {
    return cql__from_json(type_of(arena, type), corm_str_of(json), out, is_null, err);
}

static void null_is_told_apart(void **state) {
    (void)state;
    base_arena arena = { 0 };
    base_buf   out = { 0 };
    bool       is_null = false;
    corm_error err = { 0 };
    assert_ok(read_json(&arena, "list<int>", " null ", &out, &is_null, &err), err);
    assert_true(is_null && out.len == 0);
    assert_ok(read_json(&arena, "int", "1", &out, &is_null, &err), err);
    assert_false(is_null);
    base__buf_free(&out);
    base__arena_free(&arena);
}

static void malformed_json_is_refused_with_its_place(void **state) {
    (void)state;
    base_arena arena = { 0 };
    base_buf   out = { 0 };
    bool       is_null;
    corm_error err = { 0 };
    assert_status(read_json(&arena, "int", "1 2", &out, &is_null, &err), CORM_INVALID);
    assert_string_equal(err.message,
                        "Error decoding JSON string: unexpected text at character 2 of '1 2'");
    assert_status(read_json(&arena, "list<int>", "\"[1\"", &out, &is_null, &err), CORM_INVALID);
    assert_string_equal(
        err.message, "Error decoding JSON string: unexpected end-of-input at character 2 of '[1'");
    assert_status(read_json(&arena, "counter", "1", &out, &is_null, &err), CORM_INVALID);
    base__buf_free(&out);
    base__arena_free(&arena);
}

static void strings_are_unescaped(void **state) {
    (void)state;
    base_buf out = { 0 };
    cql__json_unescape(
        corm_str_of(
            "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e9\\u4e2d\\ud83d\\ude00\\ud83dx\\ude00\""),
        &out);
    assert_string_equal(base__buf_cstr(&out),
                        "\"\\/\b\f\n\r\tA\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80?x?");
    base__buf_free(&out);
}

static void assert_json(const char *type_text, const char *hex, const char *expected) {
    base_arena arena = { 0 };
    base_buf   text = { 0 };
    cql__to_json(type_of(&arena, type_text), bytes_of(&arena, hex), &text);
    assert_string_equal(base__buf_cstr(&text), expected);
    base__buf_free(&text);
    base__arena_free(&arena);
}

static void what_has_no_json_of_its_own_is_still_json(void **state) {
    (void)state;
    assert_json("int", "", "\"\"");
    assert_json("boolean", "", "\"\"");
    assert_json("int", "0102", "\"0x0102\"");
    assert_json("list<int>", "00000001", "\"0x00000001\"");
    assert_json("point", "", "{\"x\": null, \"\\\"Y\\\"\": null}");
    assert_json("double", "7ff8000000000000", "null");
    assert_json("map<double, int>",
                "00000001"
                "00000008"
                "7ff0000000000000"
                "0000000400000001",
                "{\"null\": 1}");
    assert_json("'a.Class'", "cafe", "\"0xcafe\"");
    assert_json("time", "ffffffffffffffff", "\"-1\"");
}

static void the_null_value_is_null(void **state) {
    (void)state;
    base_buf text = { 0 };
    cql__to_json(cql__type_native(CQL_INT), CQL_NULL, &text);
    assert_string_equal(base__buf_cstr(&text), "null");
    base__buf_free(&text);
}

/* What comes back differently from what it was: numbers that JSON cannot hold exactly. */
static bool is_lossy(const cql_type *type) {
    static const cql_type_id ids[] = { CQL_DOUBLE, CQL_FLOAT, CQL_DECIMAL, CQL_TIMESTAMP,
                                       CQL_TIME,   CQL_INET,  CQL_BOOLEAN, CQL_TEXT };
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        if (type->id == ids[i]) return true;
    }
    for (uint32_t i = 0; i < type->count; i++) {
        if (is_lossy(type->params[i])) return true;
    }
    return false;
}

static void json_is_well_formed_and_reads_back(void **state) {
    (void)state;
    base_arena    arena = { 0 };
    random_source r = { 11, &arena };
    base_buf      text = { 0 };
    base_buf      back = { 0 };
    for (int i = 0; i < 20000; i++) {
        const cql_type *type = random_key_type(&r, 2);
        cql_value       value = random_value(&r, type);
        size_t          at;
        bool            is_null;
        corm_error      err = { 0 };
        base__buf_clear(&text);
        base__buf_clear(&back);
        cql__to_json(type, value, &text);
        assert_true(cql__json_check(base__buf_str(&text), &at));
        if (type->count > 0 || is_lossy(type) || value.len == 0) continue;
        assert_ok(cql__from_json(type, base__buf_str(&text), &back, &is_null, &err), err);
        assert_int_equal(cql__compare(type, value, cql__value_of(base__buf_bytes(&back))), 0);
        base__arena_reset(&arena);
    }
    base__buf_free(&text);
    base__buf_free(&back);
    base__arena_free(&arena);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(json_text_is_checked_strictly),
    cmocka_unit_test(json_that_is_too_deep_is_refused),
    cmocka_unit_test(null_is_told_apart),
    cmocka_unit_test(malformed_json_is_refused_with_its_place),
    cmocka_unit_test(strings_are_unescaped),
    cmocka_unit_test(what_has_no_json_of_its_own_is_still_json),
    cmocka_unit_test(the_null_value_is_null),
    cmocka_unit_test(json_is_well_formed_and_reads_back),
};

RUN_TESTS()
