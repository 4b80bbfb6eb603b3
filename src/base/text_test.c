// SPDX-License-Identifier: MIT
#include "base/text.h"

#include "testing/check.h"

static bool valid(const char *text) {
    return base__utf8_valid(text, strlen(text));
}

static void well_formed_text_is_valid(void **state) {
    (void)state;
    assert_true(valid(""));
    assert_true(valid("plain ASCII that is longer than eight bytes"));
    assert_true(valid("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x8c\xb7 \xf4\x8f\xbf\xbf"));
    assert_true(valid("\xed\x9f\xbf\xee\x80\x80"));
    assert_true(base__utf8_valid("\0", 1));
}

static void ill_formed_text_is_not_valid(void **state) {
    (void)state;
    static const char *const bad[] = {
        "\x80",
        "\xc0\xaf",
        "\xc1\xbf",
        "\xc3",
        "\xc3(",
        "\xe0\x80\xaf",
        "\xed\xa0\x80",
        "\xe2\x82",
        "\xf0\x80\x80\x80",
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xff",
        "12345678\xff",
        "\xf0\x9f\x8c",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) assert_false(valid(bad[i]));
}

static void length_counts_code_points_and_each_bad_byte(void **state) {
    (void)state;
    assert_int_equal(base__utf8_length(corm_str_of("")), 0);
    assert_int_equal(base__utf8_length(corm_str_of("caf\xc3\xa9")), 4);
    assert_int_equal(base__utf8_length(corm_str_of("\xf0\x9f\x8c\xb7")), 1);
    assert_int_equal(base__utf8_length(corm_str_of("a\xff\xe2\x82")), 4);
}

static void texts_compare_by_their_bytes(void **state) {
    (void)state;
    assert_int_equal(base__str_compare(corm_str_of("a"), corm_str_of("a")), 0);
    assert_true(base__str_compare(corm_str_of("a"), corm_str_of("ab")) < 0);
    assert_true(base__str_compare(corm_str_of("b"), corm_str_of("ab")) > 0);
    assert_true(base__str_compare(corm_str_of("\xc3\xa9"), corm_str_of("z")) > 0);
    assert_true(base__str_compare((corm_str){ NULL, 0 }, corm_str_of("a")) < 0);
}

static void only_ascii_letters_lose_their_case(void **state) {
    (void)state;
    assert_true(base__str_equal_nocase(corm_str_of("SELECT"), corm_str_of("Select")));
    assert_false(base__str_equal_nocase(corm_str_of("SELECT"), corm_str_of("SELEC")));
    assert_false(base__str_equal_nocase(corm_str_of("[a"), corm_str_of("{a")));
    assert_false(base__str_equal_nocase(corm_str_of("\xc3\x89"), corm_str_of("\xc3\xa9")));
}

static void prefixes_and_white_space(void **state) {
    (void)state;
    assert_true(base__str_has_prefix(corm_str_of("corm:x"), corm_str_of("corm:")));
    assert_true(base__str_has_prefix(corm_str_of("corm:x"), corm_str_of("")));
    assert_false(base__str_has_prefix(corm_str_of("cor"), corm_str_of("corm")));
    assert_text(base__str_trim(corm_str_of(" \t\r\n a b \v\f")), "a b");
    assert_text(base__str_trim(corm_str_of("  ")), "");
    assert_text(base__str_trim(corm_str_of("x")), "x");
}

static void check_json(corm_str text, const char *expected) {
    base_buf buf = { 0 };
    base__put_json_string(&buf, text);
    assert_text(base__buf_str(&buf), expected);
    base__buf_free(&buf);
}

static void json_strings_are_quoted_and_escaped(void **state) {
    (void)state;
    check_json(corm_str_of(""), "\"\"");
    check_json(corm_str_of("a/b caf\xc3\xa9"), "\"a/b caf\xc3\xa9\"");
    check_json(corm_str_of("\"\\\b\t\n\f\r"), "\"\\\"\\\\\\b\\t\\n\\f\\r\"");
    check_json((corm_str){ "x\0\x1f\x7f", 4 }, "\"x\\u0000\\u001F\x7f\"");
    check_json(corm_str_of("a\xff\xc3"), "\"a\xef\xbf\xbd\xef\xbf\xbd\"");
}

static void hexadecimal_goes_both_ways(void **state) {
    (void)state;
    base_buf      text = { 0 };
    base_buf      bytes = { 0 };
    const uint8_t some[4] = { 0x00, 0x0f, 0xca, 0xfe };
    base__put_hex(&text, (corm_bytes){ some, sizeof some });
    assert_text(base__buf_str(&text), "000fcafe");
    assert_true(base__read_hex(corm_str_of("000FcaFE"), &bytes));
    assert_int_equal(bytes.len, 4);
    assert_memory_equal(bytes.data, some, 4);
    base__buf_free(&text);
    base__buf_free(&bytes);
}

static void what_is_not_hexadecimal_is_refused_whole(void **state) {
    (void)state;
    base_buf bytes = { 0 };
    assert_true(base__read_hex(corm_str_of(""), &bytes));
    assert_false(base__read_hex(corm_str_of("abc"), &bytes));
    assert_false(base__read_hex(corm_str_of("abcg"), &bytes));
    assert_false(base__read_hex(corm_str_of("-123"), &bytes));
    assert_int_equal(bytes.len, 0);
    base__put_hex(&bytes, (corm_bytes){ NULL, SIZE_MAX });
    assert_true(bytes.failed);
    base__put_hex(&bytes, (corm_bytes){ (const uint8_t *)"x", 1 });
    base__buf_free(&bytes);
}

static size_t distance(const char *a, const char *b) {
    return base__edit_distance(corm_str_of(a), corm_str_of(b));
}

static void distances_count_letters_to_change(void **state) {
    (void)state;
    assert_int_equal(distance("", ""), 0);
    assert_int_equal(distance("email", "email"), 0);
    assert_int_equal(distance("emial", "email"), 1);
    assert_int_equal(distance("mail", "email"), 1);
    assert_int_equal(distance("emails", "email"), 1);
    assert_int_equal(distance("emall", "email"), 1);
    assert_int_equal(distance("", "email"), 5);
    assert_int_equal(distance("kitten", "sitting"), 3);
    assert_int_equal(distance("abc", "xyz"), 3);
}

static void very_long_names_are_wholly_different(void **state) {
    (void)state;
    char name[200];
    memset(name, 'a', sizeof name);
    corm_str text = { name, sizeof name };
    assert_int_equal(base__edit_distance(text, text), 200);
    assert_int_equal(base__edit_distance((corm_str){ name, 3 }, text), 200);
    assert_int_equal(base__edit_distance((corm_str){ name, 128 }, (corm_str){ name, 128 }), 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(well_formed_text_is_valid),
    cmocka_unit_test(ill_formed_text_is_not_valid),
    cmocka_unit_test(length_counts_code_points_and_each_bad_byte),
    cmocka_unit_test(texts_compare_by_their_bytes),
    cmocka_unit_test(only_ascii_letters_lose_their_case),
    cmocka_unit_test(prefixes_and_white_space),
    cmocka_unit_test(json_strings_are_quoted_and_escaped),
    cmocka_unit_test(hexadecimal_goes_both_ways),
    cmocka_unit_test(what_is_not_hexadecimal_is_refused_whole),
    cmocka_unit_test(distances_count_letters_to_change),
    cmocka_unit_test(very_long_names_are_wholly_different),
};

RUN_TESTS()
