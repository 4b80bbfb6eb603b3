// SPDX-License-Identifier: MIT
#include "cql/random_value.h"

static void assert_printed(const char *type_text, cql_text_style style, const char *literal,
                           const char *expected) {
    base_arena      arena = { 0 };
    base_buf        text = { 0 };
    const cql_type *type = type_of(&arena, type_text);
    cql__to_text(type, value_of(&arena, type, literal), style, &text);
    assert_string_equal(base__buf_cstr(&text), expected);
    base__buf_free(&text);
    base__arena_free(&arena);
}

static void the_shell_prints_scalars_bare(void **state) {
    (void)state;
    static const char *const cases[][3] = {
        { "text", "it's", "it's" },
        { "text", "a\\b\n\t\r\x01\x7f", "a\\\\b\\n\\t\\r\\x01\\x7f" },
        { "text", "\xc2\x85\xc2\xa1\xc3\xa9", "\\x85\xc2\xa1\xc3\xa9" },
        { "int", "-5", "-5" },
        { "boolean", "true", "True" },
        { "boolean", "false", "False" },
        { "blob", "0xCAFE", "0xcafe" },
        { "timestamp", "'2026-01-31 10:00:00.123Z'", "2026-01-31 10:00:00.123000+0000" },
        { "timestamp", "9223372036854775807", "9223372036854775807" },
        { "date", "'2026-01-31'", "2026-01-31" },
        { "date", "0", "-2147483648" },
        { "time", "'10:00:00.5'", "10:00:00.500000000" },
        { "duration", "1y2mo3d4h", "1y2mo3d4h" },
        { "duration", "-0s", "" },
        { "inet", "'2001:db8::1'", "2001:db8::1" },
        { "uuid", "00112233-4455-6677-8899-AABBCCDDEEFF", "00112233-4455-6677-8899-aabbccddeeff" },
        { "decimal", "1.50", "1.50" },
        { "varint", "123456789012345678901", "123456789012345678901" },
        { "int", "null", "null" },
        { "int", "0x", "" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_printed(cases[i][0], CQL_STYLE_SHELL, cases[i][1], cases[i][2]);
    }
}

static void the_shell_prints_floats_with_five_digits(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        { "1", "1" },
        { "0.1", "0.1" },
        { "123456.789", "1.2346e+05" },
        { "12345.6789", "12345.6789" },
        { "0", "0" },
        { "-0.5", "-0.5" },
        { "1e-5", "1e-05" },
        { "0.000123456789", "0.000123" },
        { "3.14159265", "3.14159" },
        { "NaN", "NaN" },
        { "-Infinity", "-Infinity" },
        { "1e100", "1e+100" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_printed("double", CQL_STYLE_SHELL, cases[i][0], cases[i][1]);
    }
    assert_printed("float", CQL_STYLE_SHELL, "0.1", "0.1");
}

static void the_shell_quotes_text_inside_collections(void **state) {
    (void)state;
    static const char *const cases[][3] = {
        { "list<text>", "['it''s', 'b']", "['it''s', 'b']" },
        { "set<timestamp>", "{'2026-01-31'}", "{'2026-01-31 00:00:00.000000+0000'}" },
        { "map<text, date>", "{'a': '2026-01-31'}", "{'a': 2026-01-31}" },
        { "tuple<int, time, inet>", "(1, '10:00:00', '::1')", "(1, 10:00:00.000000000, '::1')" },
        { "tuple<int, text>", "(null, 'x')", "(null, 'x')" },
        { "point", "{x: 1}", "{x: 1, Y: null}" },
        { "vector<float, 2>", "[1, 2.5]", "[1, 2.5]" },
        { "list<int>", "[]", "[]" },
        { "map<int, int>", "{}", "{}" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_printed(cases[i][0], CQL_STYLE_SHELL, cases[i][1], cases[i][2]);
    }
}

static void literals_are_quoted(void **state) {
    (void)state;
    static const char *const cases[][3] = {
        { "text", "it's", "'it''s'" },
        { "ascii", "a\nb", "'a\nb'" },
        { "timestamp", "'2026-01-31 10:00'", "'2026-01-31T10:00:00.000Z'" },
        { "timestamp", "-62135596800001", "-62135596800001" },
        { "date", "'2026-01-31'", "'2026-01-31'" },
        { "date", "0", "0" },
        { "time", "'10:00:00'", "'10:00:00.000000000'" },
        { "time", "0xffffffffffffffff", "-1" },
        { "duration", "0s", "0s" },
        { "inet", "'::1'", "'::1'" },
        { "double", "1", "1.0" },
        { "float", "1e10", "1.0E10" },
        { "boolean", "0x02", "true" },
        { "point", "{\"Y\": 'a'}", "{x: null, \"Y\": 'a'}" },
        { "tuple<int, int>", "0x0000000400000001", "(1, null)" },
        { "int", "0x", "0x" },
        { "list<int>", "[0x, 1]", "[0x, 1]" },
        { "list<frozen<list<text>>>", "[['a'], []]", "[['a'], []]" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_printed(cases[i][0], CQL_STYLE_LITERAL, cases[i][1], cases[i][2]);
    }
}

static void casts_have_javas_forms(void **state) {
    (void)state;
    assert_printed("timestamp", CQL_STYLE_CAST, "'2026-01-31 10:00'", "2026-01-31T10:00:00.000Z");
    assert_printed("inet", CQL_STYLE_CAST, "'2001:db8::1'", "2001:db8:0:0:0:0:0:1");
    assert_printed("text", CQL_STYLE_CAST, "it's", "it's");
    assert_printed("date", CQL_STYLE_CAST, "'-0044-03-15'", "-0044-03-15");
    assert_printed("int", CQL_STYLE_CAST, "0x", "null");
}

static void assert_golden(const char *type_text, const char *hex, const char *expected) {
    base_arena arena = { 0 };
    base_buf   text = { 0 };
    cql__to_text(type_of(&arena, type_text), bytes_of(&arena, hex), CQL_STYLE_GOLDEN, &text);
    assert_string_equal(base__buf_cstr(&text), expected);
    base__buf_free(&text);
    base__arena_free(&arena);
}

static void golden_files_show_what_no_literal_can(void **state) {
    (void)state;
    assert_golden("int", "", "<empty>");
    assert_golden("text", "", "''");
    assert_golden("blob", "", "0x");
    assert_golden("int", "0102", "<invalid 0x0102>");
    assert_golden("text", "610a", "blob_as_text(0x610a)");
    assert_golden("ascii", "7f", "blob_as_ascii(0x7f)");
    assert_golden("text", "c080", "blob_as_text(0xc080)");
    assert_golden("list<int>",
                  "0000000200000000000000"
                  "0101",
                  "[<empty>, <invalid 0x01>]");
    assert_golden("list<int>", "0000000100", "<invalid 0x0000000100>");
    assert_golden("list<bigint>", "00000001ffffffff", "[null]");
    assert_golden("double", "0000000000000001", "5.0E-324");
    assert_golden("double", "8000000000000001", "-5.0E-324");
    assert_golden("float", "00000001", "1.0E-45");
    assert_golden("double", "3ff8000000000000", "1.5");
    assert_golden("float", "3fc00000", "1.5");
    assert_golden("double", "8000000000000000", "-0.0");
    assert_golden("double", "7ff0000000000000", "Infinity");
    assert_golden("point", "", "<empty>");
    assert_golden("point", "ffffffff", "{x: null, \"Y\": null}");
}

static void bytes_that_are_no_value_are_printed_as_a_blob(void **state) {
    (void)state;
    base_arena arena = { 0 };
    base_buf   text = { 0 };
    cql__to_text(cql__type_native(CQL_INT), bytes_of(&arena, "0102"), CQL_STYLE_SHELL, &text);
    cql__to_text(type_of(&arena, "'a.Class'"), bytes_of(&arena, "0102"), CQL_STYLE_LITERAL, &text);
    cql__to_text(type_of(&arena, "tuple<int>"), bytes_of(&arena, "01"), CQL_STYLE_LITERAL, &text);
    assert_string_equal(base__buf_cstr(&text), "0x01020x01020x01");
    base__buf_free(&text);
    base__arena_free(&arena);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_shell_prints_scalars_bare),
    cmocka_unit_test(the_shell_prints_floats_with_five_digits),
    cmocka_unit_test(the_shell_quotes_text_inside_collections),
    cmocka_unit_test(literals_are_quoted),
    cmocka_unit_test(casts_have_javas_forms),
    cmocka_unit_test(golden_files_show_what_no_literal_can),
    cmocka_unit_test(bytes_that_are_no_value_are_printed_as_a_blob),
};

RUN_TESTS()
