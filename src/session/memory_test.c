// SPDX-License-Identifier: MIT
/* Every operation is made again and again while one allocation more succeeds each time, until it
 * goes through. Each failure must be CORM_NO_MEMORY (or no task), and must leave as many
 * allocations as there were before. */
#include "testing/memory.h"

#include "base/fail.h"
#include "corm/schema.h"
#include "session/core.h"
#include "session/uri.h"
#include "testing/check.h"
#include "testing/script.h"

#define SELECT_USER "SELECT id, name FROM users WHERE id = ?"
#define COLUMNS                                                                                    \
    "SELECT column_name, type, kind, position, clustering_order FROM system_schema.columns WHERE " \
    "keyspace_name = ? AND table_name = ?"
#define INDEXES                                                                                    \
    "SELECT options FROM system_schema.indexes WHERE keyspace_name = ? AND table_name = ?"

static const char *const markers[] = { "id int", NULL };
static const char *const columns[] = { "id int", "name text", "tags list<text>", NULL };
static const char *const rows[] = { "1", "'Ada'", "['a', 'b']", "2", "'Bob'", "null", NULL };
static const char *const names[] = { "keyspace_name text", "table_name text", NULL };
static const char *const column_columns[] = {
    "column_name text", "type text", "kind text", "position int", "clustering_order text", NULL
};
static const char *const column_rows[] = { "'id'",   "'int'",  "'partition_key'", "0",  "'none'",
                                           "'name'", "'text'", "'regular'",       "-1", "'none'",
                                           NULL };
static const char *const index_columns[] = { "options map<text, text>", NULL };
static const char *const index_rows[] = { "{'target': 'name'}", NULL };
static const char *const keyspace_columns[] = { "keyspace_name text", NULL };
static const char *const keyspace_rows[] = { "'shop'", "'system'", NULL };

static const testing_line lines[] = {
    { .text = SELECT_USER,
      .markers = markers,
      .columns = columns,
      .cells = rows,
      .state = "more",
      .next_cells = rows },
    { .text = "SELECT * FROM users", .columns = columns, .cells = rows },
    { .text = COLUMNS, .markers = names, .columns = column_columns, .cells = column_rows },
    { .text = INDEXES, .markers = names, .columns = index_columns, .cells = index_rows },
    { .text = "SELECT keyspace_name FROM system_schema.keyspaces",
      .columns = keyspace_columns,
      .cells = keyspace_rows },
    { 0 },
};

static corm_status answer(void *context, corm_str keyspace, const wire_request *request,
                          wire_answer *out, corm_error *err) {
    testing__memory_pause();
    corm_status status = testing__script(context, keyspace, request, out, err);
    testing__memory_resume();
    return status;
}

/* What the operations work on; made when memory does not fail. */
typedef struct fixture {
    testing_script  script;
    corm_session   *session;
    corm_prepared  *prepared;
    corm_statement *statement;
} fixture;

static void open_fixture(fixture *f) {
    corm_error err;
    f->script = TESTING_SCRIPT(lines);
    f->session = testing__session(answer, &f->script, &f->script.counts);
    assert_ok(corm_prepare(f->session, SELECT_USER, &f->prepared, &err), err);
    f->statement = corm_statement_new(f->prepared);
    assert_ok(corm_statement_bind(f->statement, 0, corm_v(1), &err), err);
}

static void close_fixture(fixture *f) {
    corm_statement_free(f->statement);
    corm_prepared_free(f->prepared);
    corm_session_close(f->session);
}

static void *meet(void *barrier) {
    pthread_barrier_wait(barrier);
    return NULL;
}

/* The C library keeps what threads were made of for the next ones; from here on that is enough. */
static int make_threads(void **state) {
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

/* The session may keep what it learned, so a fresh one is used each time. */
static void check(operation run) {
    if (!testing__memory_can_fail()) skip();
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

static corm_status prepare(fixture *f, corm_error *err) {
    corm_prepared *prepared = NULL;
    corm_status    status = corm_prepare(f->session, SELECT_USER, &prepared, err);
    corm_prepared_free(prepared);
    return status;
}

static corm_status read_all(corm_result *result, corm_error *err) {
    const corm_row *row;
    corm_value      value;
    for (;;) {
        CORM_TRY(corm_result_step(result, &row, err));
        if (!row) return CORM_OK;
        (void)corm_row_format(row, 1);
        (void)corm_result_column_type(result, 2);
        CORM_TRY(corm_row_value(row, 2, &value, err));
    }
}

static corm_status execute(fixture *f, corm_error *err) {
    corm_result         *result = NULL;
    corm_execute_options options = { .error = err };
    corm_status status = corm_execute_with(f->session, "SELECT * FROM users", &options, &result);
    if (status == CORM_OK) status = read_all(result, err);
    corm_result_free(result);
    return status;
}

static corm_status execute_with_values(fixture *f, corm_error *err) {
    corm_result         *result = NULL;
    corm_execute_options options = { .named = { { "id", corm_v(1) } }, .error = err };
    corm_status          status = corm_execute_with(f->session, SELECT_USER, &options, &result);
    if (status == CORM_OK) status = read_all(result, err);
    corm_result_free(result);
    return status;
}

static corm_status run_statement(fixture *f, corm_error *err) {
    corm_result *result = NULL;
    corm_status  status = corm_run(f->statement, &result, err);
    if (status == CORM_OK) status = read_all(result, err);
    corm_result_free(result);
    return status;
}

static corm_status bind_statement(fixture *f, corm_error *err) {
    corm_statement *statement = corm_statement_new(f->prepared);
    if (!statement) return CORM_NO_MEMORY;
    corm_status status = corm_statement_bind_name(statement, "id", corm_v(7), err);
    if (status == CORM_OK) {
        corm_bytes bytes = { (const uint8_t *)"\0\0\0\1", 4 };
        status = corm_statement_bind_bytes(statement, 0, bytes, err);
    }
    corm_statement_free(statement);
    return status;
}

static corm_status fill_batch(fixture *f, corm_batch *batch, corm_error *err) {
    const corm_value values[] = { corm_v(1) };
    CORM_TRY(corm_batch_add(batch, f->statement, err));
    CORM_TRY(corm_batch_add_text(batch, "DELETE FROM users", NULL, 0, err));
    CORM_TRY(corm_batch_add_text(batch, SELECT_USER, values, 1, err));
    return corm_batch_run(batch, NULL, err);
}

static corm_status run_batch(fixture *f, corm_error *err) {
    corm_batch *batch = corm_batch_new(f->session, CORM_LOGGED);
    if (!batch) return CORM_NO_MEMORY;
    corm_status status = fill_batch(f, batch, err);
    corm_batch_free(batch);
    return status;
}

static corm_status wait_and_free(corm_task *task) {
    if (!task) return CORM_NO_MEMORY;
    testing__memory_pause();
    corm_status status = corm_task_wait(task, 0);
    testing__memory_resume();
    corm_task_free(task);
    return status;
}

static corm_status execute_async(fixture *f, corm_error *err) {
    const corm_value     items[] = { corm_v("x"), corm_null() };
    corm_execute_options options = { .values = { corm_v(1) } };
    (void)err;
    corm_execute_options odd = { .values = { corm_of_items(CORM_LIST, items, 2) } };
    corm_task           *task = corm_execute_async(f->session, SELECT_USER, &odd, NULL, NULL);
    testing__memory_pause();
    if (task) (void)!corm_task_wait(task, 0);
    corm_task_free(task);
    testing__memory_resume();
    if (!task) return CORM_NO_MEMORY;
    return wait_and_free(corm_execute_async(f->session, SELECT_USER, &options, NULL, NULL));
}

static void free_result(void *context, corm_status status, corm_result *result,
                        const corm_error *error) {
    (void)context;
    (void)status;
    (void)error;
    corm_result_free(result);
}

static corm_status run_async(fixture *f, corm_error *err) {
    (void)err;
    return wait_and_free(corm_run_async(f->statement, free_result, NULL));
}

static corm_status batch_async(fixture *f, corm_error *err) {
    corm_batch *batch = corm_batch_new(f->session, CORM_LOGGED);
    if (!batch) return CORM_NO_MEMORY;
    corm_status status = corm_batch_add(batch, f->statement, err);
    if (status == CORM_OK) status = corm_batch_add_text(batch, "DELETE", NULL, 0, err);
    if (status == CORM_OK) status = wait_and_free(corm_batch_run_async(batch, free_result, NULL));
    corm_batch_free(batch);
    return status;
}

static corm_status read_table(fixture *f, corm_error *err) {
    const corm_table_info *table;
    CORM_TRY(corm_table_read(f->session, "shop", "users", &table, err));
    corm_table_free(table);
    return CORM_OK;
}

static corm_status list_keyspaces(fixture *f, corm_error *err) {
    const char *const *list;
    uint32_t           count;
    CORM_TRY(corm_keyspaces(f->session, &list, &count, err));
    corm_names_free(list);
    return CORM_OK;
}

static corm_status change_keyspace(fixture *f, corm_error *err) {
    return corm_execute_with(f->session, "USE shop", &(corm_execute_options){ .error = err }, NULL);
}

static corm_status open_session(fixture *f, corm_error *err) {
    corm_session_options options = { .keyspace = "shop" };
    testing__memory_pause();
    testing_door *door = testing__door_new(answer, &f->script, TESTING_AT_ONCE, &f->script.counts);
    testing__memory_resume();
    corm_session *session = NULL;
    corm_status   status = session__open_door(testing__door(door), &options, &session, err);
    corm_session_close(session);
    return status;
}

static corm_status read_uri(fixture *f, corm_error *err) {
    base_arena  arena = { 0 };
    session_uri uri;
    (void)f;
    corm_status status = session__uri_read(&arena, "corm:a%20b?keyspace=%41", NULL, &uri, err);
    base__arena_free(&arena);
    return status;
}

#define MEMORY_TEST(operation)                                                                     \
    static void operation##_survives(void **state) {                                               \
        (void)state;                                                                               \
        check(operation);                                                                          \
    }
MEMORY_TEST(prepare)
MEMORY_TEST(execute)
MEMORY_TEST(execute_with_values)
MEMORY_TEST(run_statement)
MEMORY_TEST(bind_statement)
MEMORY_TEST(run_batch)
MEMORY_TEST(execute_async)
MEMORY_TEST(run_async)
MEMORY_TEST(batch_async)
MEMORY_TEST(read_table)
MEMORY_TEST(list_keyspaces)
MEMORY_TEST(change_keyspace)
MEMORY_TEST(open_session)
MEMORY_TEST(read_uri)

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(prepare_survives),
    cmocka_unit_test(execute_survives),
    cmocka_unit_test(execute_with_values_survives),
    cmocka_unit_test(run_statement_survives),
    cmocka_unit_test(bind_statement_survives),
    cmocka_unit_test(run_batch_survives),
    cmocka_unit_test(execute_async_survives),
    cmocka_unit_test(run_async_survives),
    cmocka_unit_test(batch_async_survives),
    cmocka_unit_test(read_table_survives),
    cmocka_unit_test(list_keyspaces_survives),
    cmocka_unit_test(change_keyspace_survives),
    cmocka_unit_test(open_session_survives),
    cmocka_unit_test(read_uri_survives),
};

int main(void) {
    return cmocka_run_group_tests(tests, make_threads, NULL);
}
