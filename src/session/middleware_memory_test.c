// SPDX-License-Identifier: MIT
/* Requests through a front with middleware while memory fails: each failure is CORM_NO_MEMORY (or no task), and nothing is left. */
#include "testing/memory.h"

#include "base/fail.h"
#include "corm/middleware.h"
#include "session/core.h"
#include "testing/check.h"
#include "testing/script.h"

#define SELECT_USER "SELECT id, name FROM users WHERE id = ?"

static const char *const markers[] = { "id int", NULL };
static const char *const columns[] = { "id int", "name text", NULL };
static const char *const rows[] = { "1", "'Ada'", NULL };

static const testing_line lines[] = {
    { .text = SELECT_USER, .markers = markers, .columns = columns, .cells = rows },
    { .text = "SELECT * FROM users", .columns = columns, .cells = rows },
    { 0 },
};

static corm_status answer(void *context, corm_str keyspace, const wire_request *request,
                          wire_answer *out, corm_error *err) {
    testing__memory_pause();
    corm_status status = testing__script(context, keyspace, request, out, err);
    testing__memory_resume();
    return status;
}

static void no_line(void *context, const char *line) {
    (void)context, (void)line;
}

typedef struct fixture {
    testing_script script;
    corm_session  *behind, *session;
} fixture;

static corm_status open_front(fixture *f, corm_error *err) {
    corm_log_options   log = { .write = no_line, .values = true, .masked = { "name" } };
    corm_guard_options rules = { .no_filtering = true, .tables = { "users" } };
    corm_middleware    list[] = { corm_correlation_middleware(NULL),
                                  corm_log_middleware(&log),
                                  corm_guard_middleware(&rules),
                                  { 0 } };
    corm_status        status = corm_session_with_middleware(&f->session, f->behind, list, err);
    for (int i = 0; status != CORM_OK && i < 3; i++) list[i].release(list[i].context);
    return status;
}

static corm_status run_text(fixture *f, corm_error *err) {
    CORM_TRY(open_front(f, err));
    return corm_execute(f->session, "SELECT * FROM users", NULL, { .error = err });
}

static corm_status run_values(fixture *f, corm_error *err) {
    corm_result *result = NULL;
    CORM_TRY(open_front(f, err));
    corm_status status =
        corm_execute(f->session, SELECT_USER, &result, { .values = { corm_v(1) }, .error = err });
    if (status == CORM_OK) assert_int_equal(corm_result_row_count(result), 1);
    corm_result_free(result);
    return status;
}

typedef corm_status (*operation)(fixture *f, corm_error *err);

static void check(operation run) {
    bool failed = true;
    if (!testing__memory_can_fail()) skip();
    for (size_t n = 0; failed; n++) {
        fixture    f = { .session = NULL };
        corm_error err = { 0 };
        long       before = testing__memory_live();
        f.script = TESTING_SCRIPT(lines);
        f.behind = testing__session(answer, &f.script, &f.script.counts);
        testing__memory_fail_from(n);
        corm_status status = run(&f, &err);
        failed = testing__memory_has_failed();
        testing__memory_fail_from(SIZE_MAX);
        if (failed && status != CORM_OK) assert_status(status, CORM_NO_MEMORY);
        if (!failed) assert_ok(status, err);
        corm_session_close(f.session);
        corm_session_close(f.behind);
        assert_int_equal(testing__memory_live(), before);
        assert_int_equal(f.script.counts.statements, 0);
    }
}

static void texts_survive(void **state) {
    (void)state;
    check(run_text);
}

static void prepared_ones_survive(void **state) {
    (void)state;
    check(run_values);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(texts_survive),
    cmocka_unit_test(prepared_ones_survive),
};

RUN_TESTS()
