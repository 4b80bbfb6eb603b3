// SPDX-License-Identifier: MIT
/* What runs again and again takes its memory from what ran before. */
#include "testing/memory.h"

#include <limits.h>

#include "session/core.h"
#include "testing/check.h"
#include "testing/door.h"
#include "testing/doors.h"

enum { WARM_UP = 100, RUNS = 1000, AT_ONCE = 16 };

static const char *const markers[] = { "id int", "name text", NULL };
static const char *const columns[] = { "id int", "name text", NULL };
static const char *const cells[] = { "1", "'Ada'", "2", "'Bob'", NULL };

/* Bodies that were made before, so that the door itself allocates nothing. */
typedef struct recorded {
    testing_counts counts;
    wire_answer    rows;
} recorded;

static corm_status answer(void *context, corm_str keyspace, const wire_request *request,
                          wire_answer *out, corm_error *err) {
    recorded *own = context;
    (void)keyspace;
    (void)err;
    if (request->kind == WIRE_PREPARE) {
        testing__answer_prepared(&own->counts, request, markers, columns, "m", out);
    } else {
        base__buf_put(&out->body, own->rows.body.data, own->rows.body.len);
    }
    return CORM_OK;
}

typedef struct fixture {
    recorded        recorded;
    corm_session   *session;
    corm_statement *statement;
    atomic_int      seen;
} fixture;

static void open_session(fixture *f, corm_session *session, const char *cql) {
    corm_prepared *prepared;
    corm_error     err;
    f->session = session;
    assert_ok(corm_prepare(session, cql, &prepared, &err), err);
    f->statement = corm_statement_new(prepared);
    corm_prepared_free(prepared);
}

static void open_recorded(fixture *f) {
    wire_request request = { .kind = WIRE_EXECUTE, .options = { .skip_metadata = true } };
    *f = (fixture){ 0 };
    testing__answer_rows(&request, columns, cells, NULL, &f->recorded.rows);
    open_session(f, testing__session(answer, &f->recorded, &f->recorded.counts),
                 "SELECT * FROM users WHERE id = ? AND name = ?");
}

static void close_fixture(fixture *f) {
    corm_statement_free(f->statement);
    corm_session_close(f->session);
    wire__answer_free(&f->recorded.rows);
}

static int rows_of(corm_result *result) {
    int count = 0;
    for (const corm_row *row; (row = corm_result_next(result)) != NULL; count++) {
        assert_true(corm_row_int(row, 0) >= 0);
        assert_true(corm_row_text(row, 1).len > 0);
    }
    corm_result_free(result);
    return count;
}

static void see(void *context, corm_status status, corm_result *result, const corm_error *error) {
    atomic_int *seen = context;
    (void)error;
    atomic_fetch_add(seen, status == CORM_OK ? rows_of(result) : 1000000);
}

static void bind(fixture *f, int32_t i) {
    corm_error err;
    assert_ok(corm_statement_bind(f->statement, 0, corm_v(i), &err), err);
    assert_ok(corm_statement_bind(f->statement, 1, corm_v("x"), &err), err);
}

static void run(fixture *f, int times) {
    corm_error   err;
    corm_result *result;
    for (int i = 0; i < times; i++) {
        bind(f, i);
        assert_ok(corm_run(f->statement, &result, &err), err);
        atomic_fetch_add(&f->seen, rows_of(result));
    }
}

static void run_async(fixture *f, int times) {
    corm_task *tasks[AT_ONCE];
    for (int i = 0; i < times; i += AT_ONCE) {
        for (int k = 0; k < AT_ONCE; k++) {
            bind(f, i + k);
            tasks[k] = corm_run_async(f->statement, see, &f->seen);
        }
        for (int k = 0; k < AT_ONCE; k++) {
            assert_status(corm_task_wait(tasks[k], 0), CORM_OK);
            corm_task_free(tasks[k]);
        }
    }
}

/* How many allocations RUNS more of it make. */
static long allocations(fixture *f, void (*how)(fixture *f, int times)) {
    how(f, WARM_UP * AT_ONCE);
    long before = testing__memory_made();
    how(f, RUNS);
    return testing__memory_made() - before;
}

static void a_prepared_statement_runs_without_allocations(void **state) {
    (void)state;
    fixture f;
    if (!testing__memory_can_fail()) skip();
    open_recorded(&f);
    assert_int_equal(allocations(&f, run), 0);
    assert_int_equal(f.seen, 2 * (WARM_UP * AT_ONCE + RUNS));
    close_fixture(&f);
}

/* On a busy machine more is under way at the same time than before, now and then, and heartbeats come: the best of some tries. */
static long least_allocations(fixture *f, void (*how)(fixture *f, int times)) {
    long least = LONG_MAX;
    for (int i = 0; i < 20 && least > 0; i++) {
        long made = allocations(f, how);
        if (made < least) least = made;
    }
    return least;
}

static void prepare_on(fixture *f, corm_session *session, const char *cql) {
    corm_statement_free(f->statement);
    open_session(f, session, cql);
}

static void a_prepared_statement_runs_asynchronously_without_allocations(void **state) {
    (void)state;
    fixture f;
    if (!testing__memory_can_fail()) skip();
    open_recorded(&f);
    assert_int_equal(least_allocations(&f, run_async), 0);
    close_fixture(&f);
}

/* Down to the socket, on all threads. */
static void a_cluster_s_requests_need_no_allocations(void **state) {
    (void)state;
    if (!testing__memory_can_fail() || !testing__is_cluster()) skip();
    fixture       f = { 0 };
    corm_error    err;
    corm_session *session = testing__open("steady");
    assert_ok(corm_execute(session, "CREATE TABLE t (id int, name text, PRIMARY KEY (id, name))",
                           NULL, { .error = &err }),
              err);
    static const char *const texts[] = { "INSERT INTO t (id, name) VALUES (?, ?)",
                                         "SELECT * FROM t WHERE id = ? AND name = ?" };
    for (int i = 0; i < 2; i++) {
        prepare_on(&f, session, texts[i]);
        assert_int_equal(least_allocations(&f, run), 0);
        assert_int_equal(least_allocations(&f, run_async), 0);
    }
    close_fixture(&f);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_cluster_s_requests_need_no_allocations),
    cmocka_unit_test(a_prepared_statement_runs_without_allocations),
    cmocka_unit_test(a_prepared_statement_runs_asynchronously_without_allocations),
};

RUN_TESTS()
