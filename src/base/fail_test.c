// SPDX-License-Identifier: MIT
#include "base/fail.h"

#include <errno.h>

#include "base/text.h"
#include "testing/check.h"

static void a_failure_fills_the_error_and_gives_the_status(void **state) {
    (void)state;
    corm_error err = { .line = 9, .column = 9, .keyspace = "k", .table = "t" };
    assert_status(base__fail(&err, CORM_INVALID, "no column %s", "nam"), CORM_INVALID);
    assert_status(err.status, CORM_INVALID);
    assert_string_equal(err.message, "no column nam");
    assert_int_equal(err.line, 0);
    assert_string_equal(err.keyspace, "");
    assert_string_equal(err.table, "");
}

static void without_an_error_only_the_status_is_given(void **state) {
    (void)state;
    assert_status(base__fail(NULL, CORM_TIMEOUT, "%d", 1), CORM_TIMEOUT);
    assert_status(base__fail_at(NULL, CORM_SYNTAX_ERROR, 1, 2, "x"), CORM_SYNTAX_ERROR);
    assert_status(base__fail_memory(NULL), CORM_NO_MEMORY);
    assert_status(base__fail_errno(NULL, ENOENT, "x"), CORM_IO);
}

static void a_place_is_kept(void **state) {
    (void)state;
    corm_error err;
    base__fail_at(&err, CORM_SYNTAX_ERROR, 3, 14, "unexpected '%c'", ')');
    assert_int_equal(err.line, 3);
    assert_int_equal(err.column, 14);
    assert_string_equal(err.message, "unexpected ')'");
}

static void a_message_may_contain_the_message_before_it(void **state) {
    (void)state;
    corm_error err;
    base__fail(&err, CORM_IO, "inner");
    base__fail(&err, CORM_IO, "outer: %s", err.message);
    assert_string_equal(err.message, "outer: inner");
}

static void a_long_message_is_cut_at_the_edge_of_a_character(void **state) {
    (void)state;
    static const char *const characters[] = { "a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x8c\xb7" };
    for (size_t c = 0; c < 4; c++) {
        for (size_t shift = 0; shift < 4; shift++) {
            base_buf buf = { 0 };
            base__buf_put(&buf, "xxxx", shift);
            while (buf.len < 2000) base__buf_puts(&buf, characters[c]);
            corm_error err;
            base__fail(&err, CORM_INVALID, "%s", base__buf_cstr(&buf));
            size_t len = strlen(err.message);
            assert_true(len > sizeof err.message - 5);
            assert_true(base__utf8_valid(err.message, len));
            base__buf_free(&buf);
        }
    }
}

static void bytes_that_are_no_text_are_cut_without_harm(void **state) {
    (void)state;
    char long_text[2000];
    memset(long_text, 0x80, sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    corm_error err;
    base__fail(&err, CORM_INVALID, "%s", long_text);
    assert_true(strlen(err.message) > 1000);
}

static void an_errno_becomes_a_status_and_its_words(void **state) {
    (void)state;
    corm_error err;
    assert_status(base__fail_errno(&err, ENOENT, "cannot open %s", "shop"), CORM_IO);
    assert_string_equal(err.message, "cannot open shop: No such file or directory");
    assert_status(base__fail_errno(&err, ENOSPC, "x"), CORM_DISK_FULL);
    assert_status(base__fail_errno(&err, EDQUOT, "x"), CORM_DISK_FULL);
    assert_status(base__fail_errno(&err, ENOMEM, "x"), CORM_NO_MEMORY);
    assert_status(base__fail_errno(&err, 987654, "x"), CORM_IO);
    assert_non_null(strstr(err.message, "987654"));
}

static corm_status try_it(corm_status first) {
    CORM_TRY(first);
    return CORM_CLOSED;
}

static void try_returns_only_what_is_not_ok(void **state) {
    (void)state;
    assert_status(try_it(CORM_OK), CORM_CLOSED);
    assert_status(try_it(CORM_TIMEOUT), CORM_TIMEOUT);
}

static void every_status_has_a_name_and_a_sentence(void **state) {
    (void)state;
    assert_string_equal(corm_status_name(CORM_OK), "OK");
    assert_string_equal(corm_status_name(CORM_SYNTAX_ERROR), "SYNTAX_ERROR");
    assert_string_equal(corm_status_text(CORM_DISK_FULL), "the disk is full");
    assert_true(corm_status_is_retryable(CORM_OVERLOADED));
    assert_false(corm_status_is_retryable(CORM_INVALID));
    assert_int_equal(corm_status_server_code(CORM_UNPREPARED), 0x2500);
    assert_int_equal(corm_status_server_code(CORM_OK), -1);
}

static void other_numbers_are_unknown(void **state) {
    (void)state;
    const int numbers[] = { 29, 31, 1000, -1 };
    for (size_t i = 0; i < 4; i++) {
        corm_status status = (corm_status)numbers[i];
        assert_string_equal(corm_status_name(status), "UNKNOWN");
        assert_non_null(corm_status_text(status));
        assert_false(corm_status_is_retryable(status));
        assert_int_equal(corm_status_server_code(status), -1);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_failure_fills_the_error_and_gives_the_status),
    cmocka_unit_test(without_an_error_only_the_status_is_given),
    cmocka_unit_test(a_place_is_kept),
    cmocka_unit_test(a_message_may_contain_the_message_before_it),
    cmocka_unit_test(a_long_message_is_cut_at_the_edge_of_a_character),
    cmocka_unit_test(bytes_that_are_no_text_are_cut_without_harm),
    cmocka_unit_test(an_errno_becomes_a_status_and_its_words),
    cmocka_unit_test(try_returns_only_what_is_not_ok),
    cmocka_unit_test(every_status_has_a_name_and_a_sentence),
    cmocka_unit_test(other_numbers_are_unknown),
};

RUN_TESTS()
