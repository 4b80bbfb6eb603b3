// SPDX-License-Identifier: MIT
/* check.h -- cmocka with what it needs before it, and the assertions that most tests use. */
#ifndef TESTING_CHECK_H
#define TESTING_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/buf.h"

/* The status is CORM_OK; otherwise the test fails with the error's message. `e` is a corm_error. */
#define assert_ok(status, e)                                                                       \
    do {                                                                                           \
        corm_status ok_status_ = (status);                                                         \
        if (ok_status_ != CORM_OK) {                                                               \
            fail_msg("%s: %s", corm_status_name(ok_status_), (e).message);                         \
        }                                                                                          \
    } while (0)

/* Both statuses are the same; otherwise the test fails with their names. */
#define assert_status(actual, expected)                                                            \
    do {                                                                                           \
        corm_status actual_status_ = (actual);                                                     \
        corm_status expected_status_ = (expected);                                                 \
        if (actual_status_ != expected_status_) {                                                  \
            fail_msg("%s instead of %s", corm_status_name(actual_status_),                         \
                     corm_status_name(expected_status_));                                          \
        }                                                                                          \
    } while (0)

/* A corm_str has this text. */
#define assert_text(actual, expected)                                                              \
    do {                                                                                           \
        corm_str text_ = (actual);                                                                 \
        if (!corm_str_equal(text_, corm_str_of(expected))) {                                       \
            fail_msg("\"%.*s\" instead of \"%s\"", (int)text_.len, text_.data ? text_.data : "",   \
                     (expected));                                                                  \
        }                                                                                          \
    } while (0)

/* Runs the tests of a static array named `tests`. */
#define RUN_TESTS()                                                                                \
    int main(void) {                                                                               \
        return cmocka_run_group_tests(tests, NULL, NULL);                                          \
    }

#endif
