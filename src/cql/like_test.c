// SPDX-License-Identifier: MIT
#include "cql/eval_internal.h"
#include "testing/check.h"

typedef struct like_case {
    const char *text, *pattern;
    bool        matches;
} like_case;

static const like_case cases[] = {
    { "", "", true },
    { "", "%", true },
    { "", "_", false },
    { "a", "", false },
    { "abc", "abc", true },
    { "abc", "ab", false },
    { "abc", "abcd", false },
    { "abc", "a%", true },
    { "abc", "%c", true },
    { "abc", "%b%", true },
    { "abc", "%d%", false },
    { "abc", "a_c", true },
    { "abc", "___", true },
    { "abc", "____", false },
    { "héé", "h__", true },
    { "héé", "h_", false },
    { "héé", "%é", true },
    { "中文", "_文", true },
    { "a%c", "a\\%c", true },
    { "abc", "a\\%c", false },
    { "a_c", "a\\_c", true },
    { "abc", "a\\_c", false },
    { "a\\c", "a\\\\c", true },
    { "a\\", "a\\", true },
    { "aab", "%ab", true },
    { "aaab", "%a%ab", true },
    { "mississippi", "%iss%ip%", true },
    { "mississippi", "%iss%ix%", false },
    { "abc", "%%%", true },
    { "a%b", "a%%b", true },
    { "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "%a%a%a%a%a%a%a%c", false },
};

static void patterns_match_as_in_scylla(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool matches = cql__like(corm_str_of(cases[i].text), corm_str_of(cases[i].pattern));
        if (matches != cases[i].matches)
            fail_msg("'%s' LIKE '%s'", cases[i].text, cases[i].pattern);
    }
}

static void no_bytes_are_the_empty_text(void **state) {
    (void)state;
    assert_true(cql__like((corm_str){ NULL, 0 }, (corm_str){ NULL, 0 }));
    assert_false(cql__like((corm_str){ NULL, 0 }, corm_str_of("a")));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(patterns_match_as_in_scylla),
    cmocka_unit_test(no_bytes_are_the_empty_text),
};
RUN_TESTS()
