// SPDX-License-Identifier: MIT
#include "cql/values_for_tests.h"

static void assert_name(const char *name, const char *expected) {
    base_buf text = { 0 };
    cql__put_name(&text, corm_str_of(name));
    assert_string_equal(base__buf_cstr(&text), expected);
    base__buf_free(&text);
}

static void names_are_quoted_where_they_need_it(void **state) {
    (void)state;
    assert_name("abc_1", "abc_1");
    assert_name("Abc", "\"Abc\"");
    assert_name("1a", "\"1a\"");
    assert_name("_a", "\"_a\"");
    assert_name("", "\"\"");
    assert_name("a\"b", "\"a\"\"b\"");
    assert_name("select", "\"select\"");
    assert_name("ttl", "ttl");
    assert_name("timestamp", "timestamp");
}

static void reserved_words_are_known(void **state) {
    (void)state;
    static const char *const words[] = { "add",          "with", "token", "nan",     "infinity",
                                         "columnfamily", "is",   "index", "unlogged" };
    static const char *const free_words[] = { "",   "key", "ttl", "count", "adds", "ad",
                                              "zz", "aaa", "as",  "json",  "role" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        assert_true(cql__is_reserved(corm_str_of(words[i])));
    for (size_t i = 0; i < sizeof free_words / sizeof *free_words; i++) {
        assert_false(cql__is_reserved(corm_str_of(free_words[i])));
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(names_are_quoted_where_they_need_it),
    cmocka_unit_test(reserved_words_are_known),
};

RUN_TESTS()
