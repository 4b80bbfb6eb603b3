// SPDX-License-Identifier: MIT
#include "corm/cluster.h"

#include "base/clock.h"
#include "base/fail.h"
#include "testing/check.h"
#include "testing/script.h"

static const testing_line       lines[] = { { 0 } };
static const corm_retry_options quick = { .base_delay_ms = 1, .max_delay_ms = 1 };

typedef struct work {
    int         calls, fail_calls; /* how many of the first calls fail */
    corm_status fails;
} work;

static corm_status do_work(void *context, corm_session *session, corm_error *err) {
    work *self = context;
    assert_non_null(session);
    if (self->calls++ >= self->fail_calls) return CORM_OK;
    return base__fail(err, self->fails, "call %d", self->calls);
}

static corm_status run(work *self, const corm_retry_options *retry, corm_error *err) {
    testing_script script = TESTING_SCRIPT(lines);
    corm_session  *session = testing__scripted_session(&script);
    corm_status    status = corm_execute_with_retry(session, do_work, self, retry, err);
    corm_session_close(session);
    return status;
}

static void work_that_succeeds_is_done_once(void **state) {
    (void)state;
    work       self = { 0 };
    corm_error err = { 0 };
    assert_ok(run(&self, NULL, &err), err);
    assert_int_equal(self.calls, 1);
}

static void work_is_done_again_until_it_succeeds(void **state) {
    (void)state;
    work       self = { .fail_calls = 2, .fails = CORM_UNAVAILABLE };
    corm_error err = { 0 };
    assert_ok(run(&self, &quick, &err), err);
    assert_int_equal(self.calls, 3);
}

static void after_the_last_retry_the_error_says_how_often_it_was_tried(void **state) {
    (void)state;
    work       self = { .fail_calls = 100, .fails = CORM_READ_TIMEOUT };
    corm_error err = { 0 };
    assert_status(run(&self, &quick, &err), CORM_READ_TIMEOUT);
    assert_int_equal(self.calls, 4);
    assert_string_equal(err.message, "after 4 tries: call 4");
    assert_status(err.status, CORM_READ_TIMEOUT);
    corm_retry_options more = quick;
    more.max_retries = 6;
    more.backoff = CORM_BACKOFF_CONSTANT;
    self.calls = 0;
    assert_status(run(&self, &more, NULL), CORM_READ_TIMEOUT);
    assert_int_equal(self.calls, 7);
}

static void what_will_not_pass_is_not_tried_again(void **state) {
    (void)state;
    static const corm_status statuses[] = { CORM_INVALID, CORM_SYNTAX_ERROR, CORM_NOT_FOUND,
                                            CORM_IO, CORM_CAS_WRITE_UNKNOWN };
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        work       self = { .fail_calls = 100, .fails = statuses[i] };
        corm_error err = { 0 };
        assert_status(run(&self, &quick, &err), statuses[i]);
        assert_int_equal(self.calls, 1);
        assert_string_equal(err.message, "call 1");
    }
}

static void the_policy_that_never_retries_tries_once(void **state) {
    (void)state;
    work       self = { .fail_calls = 100, .fails = CORM_UNAVAILABLE };
    corm_error err = { 0 };
    assert_status(run(&self, &(corm_retry_options){ .kind = CORM_RETRY_FALLTHROUGH }, &err),
                  CORM_UNAVAILABLE);
    assert_int_equal(self.calls, 1);
}

static void a_constant_pause_is_kept(void **state) {
    (void)state;
    work               self = { .fail_calls = 3, .fails = CORM_OVERLOADED };
    corm_retry_options options = { .backoff = CORM_BACKOFF_CONSTANT, .base_delay_ms = 2 };
    corm_error         err = { 0 };
    int64_t            begin = base__clock_mono_ns();
    assert_ok(run(&self, &options, &err), err);
    assert_true(base__clock_mono_ns() - begin >= 6000000);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(work_that_succeeds_is_done_once),
    cmocka_unit_test(work_is_done_again_until_it_succeeds),
    cmocka_unit_test(after_the_last_retry_the_error_says_how_often_it_was_tried),
    cmocka_unit_test(what_will_not_pass_is_not_tried_again),
    cmocka_unit_test(the_policy_that_never_retries_tries_once),
    cmocka_unit_test(a_constant_pause_is_kept),
};

RUN_TESTS()
