// SPDX-License-Identifier: MIT
/* What stands above single requests, made again and again while one allocation more succeeds each time: scans, page tokens,
 * batches in pieces, outcomes, metrics. Each failure must be CORM_NO_MEMORY and leave nothing behind. */
#include "testing/memory.h"

#include <stdlib.h>

#include "base/fail.h"
#include "corm/cluster.h"
#include "session/core.h"
#include "testing/check.h"
#include "testing/script.h"

#define SELECT_USER "SELECT id, name FROM users WHERE id = ?"
#define UPDATE_USER "UPDATE users SET name = 'x' WHERE id = ? IF EXISTS"
#define SCAN "SELECT * FROM shop.users WHERE token(id) > ? AND token(id) <= ?"
#define COLUMNS                                                                                    \
    "SELECT column_name, type, kind, position, clustering_order FROM system_schema.columns WHERE " \
    "keyspace_name = ? AND table_name = ?"
#define INDEXES                                                                                    \
    "SELECT options FROM system_schema.indexes WHERE keyspace_name = ? AND table_name = ?"

static const char *const markers[] = { "id int", NULL };
static const char *const range[] = { "a bigint", "b bigint", NULL };
static const char *const columns[] = { "id int", "name text", NULL };
static const char *const rows[] = { "1", "'Ada'", "2", "'Bob'", NULL };
static const char *const applied[] = { "[applied] boolean", "name text", NULL };
static const char *const refused[] = { "false", "'Ada'", NULL };
static const char *const names[] = { "keyspace_name text", "table_name text", NULL };
static const char *const column_columns[] = {
    "column_name text", "type text", "kind text", "position int", "clustering_order text", NULL
};
static const char *const column_rows[] = {
    "'id'", "'int'", "'partition_key'", "0", "'none'", NULL
};
static const char *const index_columns[] = { "options map<text, text>", NULL };
static const char *const index_rows[] = { NULL };

static const testing_line lines[] = {
    { .text = SELECT_USER,
      .markers = markers,
      .columns = columns,
      .cells = rows,
      .state = "more",
      .next_cells = rows },
    { .text = SCAN,
      .markers = range,
      .columns = columns,
      .cells = rows,
      .state = "more",
      .next_cells = rows },
    { .text = UPDATE_USER, .markers = markers, .columns = applied, .cells = refused },
    { .text = COLUMNS, .markers = names, .columns = column_columns, .cells = column_rows },
    { .text = INDEXES, .markers = names, .columns = index_columns, .cells = index_rows },
    { 0 },
};

static corm_status answer(void *context, corm_str keyspace, const wire_request *request,
                          wire_answer *out, corm_error *err) {
    testing__memory_pause();
    corm_status status = testing__script(context, keyspace, request, out, err);
    testing__memory_resume();
    return status;
}

typedef struct fixture {
    testing_script  script;
    corm_session   *session;
    corm_prepared  *prepared, *conditional;
    corm_statement *select, *update;
} fixture;

static corm_statement *bind_one(corm_prepared *prepared) {
    corm_error      err;
    corm_statement *statement = corm_statement_new(prepared);
    assert_ok(corm_statement_bind(statement, 0, corm_v(1), &err), err);
    return statement;
}

static void open_fixture(fixture *f) {
    corm_error err;
    f->script = TESTING_SCRIPT(lines);
    f->session = testing__session(answer, &f->script, &f->script.counts);
    assert_ok(corm_prepare(f->session, SELECT_USER, &f->prepared, &err), err);
    assert_ok(corm_prepare(f->session, UPDATE_USER, &f->conditional, &err), err);
    f->select = bind_one(f->prepared);
    f->update = bind_one(f->conditional);
}

static void close_fixture(fixture *f) {
    corm_statement_free(f->select);
    corm_statement_free(f->update);
    corm_prepared_free(f->prepared);
    corm_prepared_free(f->conditional);
    corm_session_close(f->session);
}

static void *meet(void *barrier) {
    pthread_barrier_wait(barrier);
    return NULL;
}

/* What is made once and stays: of threads, and of the cipher's library. */
static int make_once(void **state) {
    enum { THREADS = 8 };
    pthread_t         threads[THREADS];
    pthread_barrier_t barrier;
    (void)state;
    pthread_barrier_init(&barrier, NULL, THREADS);
    for (int i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, meet, &barrier);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    return pthread_barrier_destroy(&barrier);
}

typedef corm_status (*operation)(fixture *f, corm_error *err);

static void run_whole(operation run) {
    fixture    f;
    corm_error err = { 0 };
    open_fixture(&f);
    assert_ok(run(&f, &err), err);
    close_fixture(&f);
}

static void check(operation run) {
    if (!testing__memory_can_fail()) skip();
    run_whole(run);
    bool failed = true;
    for (size_t n = 0; failed; n++) {
        fixture f;
        long    before = testing__memory_live();
        open_fixture(&f);
        corm_error err = { 0 };
        testing__memory_fail_from(n);
        corm_status status = run(&f, &err);
        failed = testing__memory_has_failed();
        testing__memory_fail_from(SIZE_MAX);
        if (failed && status != CORM_OK) assert_status(status, CORM_NO_MEMORY);
        if (!failed) assert_status(status, CORM_OK);
        close_fixture(&f);
        assert_int_equal(testing__memory_live(), before);
        assert_int_equal(f.script.counts.statements, 0);
    }
}

static corm_status use_token(fixture *f, const corm_result *page, corm_error *err) {
    char *token;
    CORM_TRY(corm_page_token(page, &token, err));
    corm_status status = corm_statement_set_page_token(f->select, token, 0, err);
    free(token);
    return status;
}

static corm_status page_token(fixture *f, corm_error *err) {
    corm_result *page = NULL;
    corm_status  status = corm_run(f->select, &page, err);
    if (status == CORM_OK) status = use_token(f, page, err);
    corm_result_free(page);
    return status;
}

static corm_status count_rows(void *context, corm_result *page, corm_error *err) {
    (void)err;
    *(uint32_t *)context += corm_result_row_count(page);
    return CORM_OK;
}

static corm_status resume(fixture *f, const char *text, corm_error *err) {
    corm_scan        *scan;
    corm_scan_options options = { .keyspace = "shop", .resume = text, .error = err };
    CORM_TRY(corm_scan_open(f->session, "users", &options, &scan));
    corm_scan_free(scan);
    return CORM_OK;
}

static corm_status run_scan(fixture *f, corm_scan *scan, corm_error *err) {
    char    *text;
    uint32_t count = 0;
    CORM_TRY(corm_scan_checkpoint(scan, &text, err));
    corm_status status = resume(f, text, err);
    free(text);
    CORM_TRY(status);
    CORM_TRY(corm_scan_run(scan, count_rows, &count, err));
    assert_int_equal(count, 12);
    return CORM_OK;
}

static corm_status scan(fixture *f, corm_error *err) {
    corm_scan        *scan;
    corm_scan_options options = { .keyspace = "shop", .ranges = 3, .concurrency = 2, .error = err };
    CORM_TRY(corm_scan_open(f->session, "users", &options, &scan));
    corm_status status = run_scan(f, scan, err);
    corm_scan_free(scan);
    return status;
}

static corm_status fill_batch(fixture *f, corm_batch *batch, corm_error *err) {
    for (int i = 0; i < 3; i++) CORM_TRY(corm_batch_add(batch, f->select, err));
    CORM_TRY(corm_batch_add_text(batch, "DELETE FROM users", NULL, 0, err));
    corm_split_options options = { .max_statements = 2, .concurrency = 2, .error = err };
    return corm_batch_run_split(batch, &options, NULL);
}

static corm_status split(fixture *f, corm_error *err) {
    corm_batch *batch = corm_batch_new(f->session, CORM_UNLOGGED);
    if (!batch) return CORM_NO_MEMORY;
    corm_status status = fill_batch(f, batch, err);
    corm_batch_free(batch);
    return status;
}

static corm_status lwt(fixture *f, corm_error *err) {
    corm_lwt_outcome outcome;
    corm_result     *current;
    corm_status      status = corm_run_lwt(f->update, &outcome, &current, err);
    if (status == CORM_OK) assert_int_equal(outcome, CORM_LWT_NOT_APPLIED);
    corm_result_free(current);
    return status;
}

#define MEMORY_TEST(operation)                                                                     \
    static void operation##_survives(void **state) {                                               \
        (void)state;                                                                               \
        check(operation);                                                                          \
    }
MEMORY_TEST(page_token)
MEMORY_TEST(scan)
MEMORY_TEST(split)
MEMORY_TEST(lwt)

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(page_token_survives),
    cmocka_unit_test(scan_survives),
    cmocka_unit_test(split_survives),
    cmocka_unit_test(lwt_survives),
};

int main(void) {
    return cmocka_run_group_tests(tests, make_once, NULL);
}
