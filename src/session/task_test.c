// SPDX-License-Identifier: MIT
#include "session/core.h"

#include <pthread.h>

#include "testing/check.h"
#include "testing/script.h"

#define SELECT_USER "SELECT name FROM users WHERE id = ?"
#define INSERT_USER "INSERT INTO users (id, name) VALUES (?, ?)"

static const char *const select_markers[] = { "id int", NULL };
static const char *const select_columns[] = { "name text", NULL };
static const char *const ada[] = { "'Ada'", NULL };
static const char *const insert_markers[] = { "id int", "name text", NULL };

static const testing_line lines[] = {
    { .text = SELECT_USER, .markers = select_markers, .columns = select_columns, .cells = ada },
    { .text = INSERT_USER, .markers = insert_markers },
    { .text = "SELECT name FROM users", .columns = select_columns, .cells = ada },
    { .text = "SELECT broken", .fails = CORM_READ_FAILURE },
    { 0 },
};

static corm_session *open_on(testing_script *script, testing_submit submit, uint32_t workers,
                             testing_door **door) {
    corm_session        *session = NULL;
    corm_error           err;
    corm_session_options options = { .worker_threads = workers };
    *script = TESTING_SCRIPT(lines);
    *door = testing__door_new(testing__script, script, submit, &script->counts);
    assert_ok(session__open_door(testing__door(*door), &options, &session, &err), err);
    return session;
}

/* What a callback saw. */
typedef struct seen {
    atomic_int  calls;
    corm_status status;
    char        name[16];
    char        message[64];
    bool        had_result;
    pthread_t   thread;
    corm_task  *waits_for; /* to be waited for inside the callback */
    corm_status waited;
    corm_task **frees;
} seen;

static void see(void *context, corm_status status, corm_result *result, const corm_error *error) {
    seen *own = context;
    own->status = status;
    own->had_result = result != NULL;
    own->thread = pthread_self();
    if (result) {
        const corm_row *row = corm_result_next(result);
        corm_str        name = row ? corm_row_text(row, 0) : corm_str_of("");
        memcpy(own->name, name.data, name.len < 15 ? name.len : 15);
    }
    if (error) snprintf(own->message, sizeof own->message, "%.60s", error->message);
    if (own->waits_for) own->waited = corm_task_wait(own->waits_for, 0);
    if (own->frees) corm_task_free(*own->frees);
    corm_result_free(result);
    atomic_fetch_add(&own->calls, 1);
}

static void a_text_calls_back_with_its_result(void **state) {
    (void)state;
    for (int submit = TESTING_AT_ONCE; submit <= TESTING_ON_OWN_THREAD; submit++) {
        testing_script script;
        testing_door  *door;
        seen           saw = { 0 };
        corm_session  *session = open_on(&script, (testing_submit)submit, 0, &door);
        corm_task *task = corm_execute_async(session, "SELECT name FROM users", NULL, see, &saw);
        assert_status(corm_task_wait(task, 0), CORM_OK);
        assert_true(corm_task_is_done(task));
        assert_int_equal(saw.calls, 1);
        assert_string_equal(saw.name, "Ada");
        assert_false(pthread_equal(saw.thread, pthread_self()));
        assert_status(corm_task_wait(task, 1), CORM_OK);
        corm_task_cancel(task);
        corm_task_free(task);
        corm_session_close(session);
    }
}

static void a_failure_calls_back_with_its_error(void **state) {
    (void)state;
    testing_script script;
    testing_door  *door;
    seen           saw = { 0 };
    corm_session  *session = open_on(&script, TESTING_ON_OWN_THREAD, 0, &door);
    corm_task     *task = corm_execute_async(session, "SELECT broken", NULL, see, &saw);
    assert_status(corm_task_wait(task, 0), CORM_READ_FAILURE);
    assert_status(saw.status, CORM_READ_FAILURE);
    assert_false(saw.had_result);
    assert_string_equal(saw.message, "the script says so");
    corm_task_free(task);
    corm_session_close(session);
}

static void given_values_are_copied(void **state) {
    (void)state;
    testing_script script;
    testing_door  *door;
    seen           first = { 0 };
    seen           second = { 0 };
    corm_session  *session = open_on(&script, TESTING_ON_OWN_THREAD, 0, &door);
    char           text[] = INSERT_USER;
    char           name[] = "Ada";
    char           marker[] = "name";
    corm_task     *by_position = corm_execute_async(
            session, text, &(corm_execute_options){ .values = { corm_v(7), corm_v(name) } }, see,
            &first);
    corm_task *by_name = corm_execute_async(
        session, text, &(corm_execute_options){ .named = { { marker, corm_v(name) } } }, see,
        &second);
    memset(text, 'x', sizeof text - 1);
    memset(name, 'x', sizeof name - 1);
    memset(marker, 'x', sizeof marker - 1);
    assert_status(corm_task_wait(by_position, 0), CORM_OK);
    assert_status(corm_task_wait(by_name, 0), CORM_OK);
    assert_int_equal(first.calls, 1);
    assert_int_equal(second.calls, 1);
    assert_non_null(strstr(script.seen, "416461]"));
    corm_task_free(by_position);
    corm_task_free(by_name);
    corm_session_close(session);
    assert_int_equal(script.counts.statements, 0);
}

static void what_is_wrong_from_the_start_calls_back_at_once(void **state) {
    (void)state;
    testing_script             script;
    testing_door              *door;
    corm_session              *session = open_on(&script, TESTING_ON_OWN_THREAD, 0, &door);
    const corm_execute_options bad = { .request = { .page_size = -5 } };
    seen                       saw = { 0 };
    corm_task                 *task = corm_execute_async(session, "SELECT 1", &bad, see, &saw);
    assert_int_equal(saw.calls, 1);
    assert_status(saw.status, CORM_INVALID_ARGUMENT);
    assert_true(pthread_equal(saw.thread, pthread_self()));
    assert_true(corm_task_is_done(task));
    corm_task_free(task);
    const corm_execute_options wrong = { .values = { corm_v("x") } };
    task = corm_execute_async(session, SELECT_USER, &wrong, see, &saw);
    assert_int_not_equal(corm_task_wait(task, 0), CORM_OK);
    assert_int_equal(saw.calls, 2);
    corm_task_free(task);
    corm_session_close(session);
}

static corm_statement *new_statement(corm_session *session, const char *cql) {
    corm_prepared *prepared;
    corm_error     err;
    assert_ok(corm_prepare(session, cql, &prepared, &err), err);
    corm_statement *statement = corm_statement_new(prepared);
    corm_prepared_free(prepared);
    return statement;
}

static void a_statement_may_be_bound_anew_at_once(void **state) {
    (void)state;
    testing_script  script;
    testing_door   *door;
    seen            saw = { 0 };
    corm_error      err;
    corm_session   *session = open_on(&script, TESTING_ON_OWN_THREAD, 0, &door);
    corm_statement *insert = new_statement(session, INSERT_USER);
    testing__door_hold(door);
    assert_ok(corm_statement_bind(insert, 0, corm_v(7), &err), err);
    corm_task *task = corm_run_async(insert, see, &saw);
    assert_ok(corm_statement_bind(insert, 0, corm_v(8), &err), err);
    corm_statement_free(insert);
    assert_false(corm_task_is_done(task));
    assert_status(corm_task_wait(task, 1), CORM_TIMEOUT);
    testing__door_release(door);
    assert_status(corm_task_wait(task, 0), CORM_OK);
    assert_string_equal(script.seen, "EXECUTE " INSERT_USER " [00000007,unset]");
    corm_task_free(task);
    corm_session_close(session);
}

static void a_prepared_read_begins_on_a_worker(void **state) {
    (void)state;
    testing_script  script;
    testing_door   *door;
    seen            saw = { 0 };
    corm_session   *session = open_on(&script, TESTING_AT_ONCE, 1, &door);
    corm_statement *select = new_statement(session, SELECT_USER);
    corm_task      *task = corm_run_async(select, see, &saw);
    assert_status(corm_task_wait(task, 0), CORM_OK);
    assert_string_equal(saw.name, "Ada");
    assert_false(pthread_equal(saw.thread, pthread_self()));
    corm_task_free(task);
    corm_statement_options(select)->page_size = -9;
    task = corm_run_async(select, see, &saw);
    assert_status(corm_task_wait(task, 0), CORM_INVALID_ARGUMENT);
    corm_task_free(task);
    corm_statement_free(select);
    corm_session_close(session);
}

static void a_batch_is_copied_too(void **state) {
    (void)state;
    testing_script  script;
    testing_door   *door;
    seen            saw = { 0 };
    corm_error      err;
    corm_session   *session = open_on(&script, TESTING_ON_OWN_THREAD, 0, &door);
    corm_statement *insert = new_statement(session, INSERT_USER);
    corm_batch     *batch = corm_batch_new(session, CORM_LOGGED);
    assert_ok(corm_statement_bind(insert, 1, corm_v("Ada"), &err), err);
    assert_ok(corm_batch_add(batch, insert, &err), err);
    assert_ok(corm_batch_add_text(batch, "DELETE", NULL, 0, &err), err);
    testing__door_hold(door);
    corm_task *task = corm_batch_run_async(batch, see, &saw);
    corm_statement_free(insert);
    corm_batch_free(batch);
    testing__door_release(door);
    assert_status(corm_task_wait(task, 0), CORM_OK);
    assert_string_equal(script.seen, "BATCH 0 {" INSERT_USER " [unset,416461]} {DELETE}");
    assert_true(saw.had_result);
    corm_task_free(task);
    corm_session_close(session);
    assert_int_equal(script.counts.statements, 0);
}

/* A callback that keeps its worker until the main thread lets it go. */
typedef struct stop {
    pthread_mutex_t lock;
    pthread_cond_t  changed;
    bool            reached, open; /* guarded by lock */
} stop;

static void keep_worker(void *context, corm_status status, corm_result *result,
                        const corm_error *error) {
    stop *own = context;
    (void)status;
    (void)error;
    corm_result_free(result);
    pthread_mutex_lock(&own->lock);
    own->reached = true;
    pthread_cond_broadcast(&own->changed);
    while (!own->open) pthread_cond_wait(&own->changed, &own->lock);
    pthread_mutex_unlock(&own->lock);
}

static void await_reached(stop *own) {
    pthread_mutex_lock(&own->lock);
    while (!own->reached) pthread_cond_wait(&own->changed, &own->lock);
    pthread_mutex_unlock(&own->lock);
}

static void let_go(stop *own) {
    pthread_mutex_lock(&own->lock);
    own->open = true;
    pthread_cond_broadcast(&own->changed);
    pthread_mutex_unlock(&own->lock);
}

static void a_cancelled_task_that_has_not_begun_calls_back(void **state) {
    (void)state;
    testing_script script;
    testing_door  *door;
    seen           saw = { 0 };
    stop           gate = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, false };
    corm_session  *session = open_on(&script, TESTING_AT_ONCE, 1, &door);
    corm_task     *first =
        corm_execute_async(session, "SELECT name FROM users", NULL, keep_worker, &gate);
    await_reached(&gate);
    corm_task *second = corm_execute_async(session, "SELECT name FROM users", NULL, see, &saw);
    corm_task_cancel(second);
    corm_task_cancel(second);
    let_go(&gate);
    assert_status(corm_task_wait(second, 0), CORM_CANCELLED);
    assert_status(saw.status, CORM_CANCELLED);
    assert_string_equal(saw.message, "the operation was cancelled");
    assert_int_equal(saw.calls, 1);
    assert_status(corm_task_wait(first, 0), CORM_OK);
    assert_int_equal(script.counts.submitted, 1);
    corm_task_free(first);
    corm_task_free(second);
    corm_session_close(session);
}

static void waiting_on_the_only_worker_would_deadlock(void **state) {
    (void)state;
    testing_script  script;
    testing_door   *door;
    corm_session   *session = open_on(&script, TESTING_ON_OWN_THREAD, 1, &door);
    corm_statement *insert = new_statement(session, INSERT_USER);
    seen            quiet = { 0 };
    seen            waits = { 0 };
    testing__door_hold(door);
    corm_task *first = corm_run_async(insert, see, &waits);
    corm_task *second = corm_run_async(insert, see, &quiet);
    waits.waits_for = second;
    testing__door_release(door);
    assert_status(corm_task_wait(first, 0), CORM_OK);
    assert_status(corm_task_wait(second, 0), CORM_OK);
    assert_status(waits.waited, CORM_WOULD_DEADLOCK);
    corm_task_free(first);
    corm_task_free(second);
    corm_statement_free(insert);
    corm_session_close(session);
}

static void waiting_is_allowed_while_another_worker_is_free(void **state) {
    (void)state;
    testing_script  script;
    testing_door   *door;
    corm_session   *session = open_on(&script, TESTING_ON_OWN_THREAD, 2, &door);
    corm_statement *insert = new_statement(session, INSERT_USER);
    seen            quiet = { 0 };
    seen            waits = { 0 };
    testing__door_hold(door);
    corm_task *first = corm_run_async(insert, see, &waits);
    corm_task *second = corm_run_async(insert, see, &quiet);
    waits.waits_for = second;
    testing__door_release(door);
    assert_status(corm_task_wait(first, 0), CORM_OK);
    assert_status(waits.waited, CORM_OK);
    corm_task_free(first);
    corm_task_free(second);
    corm_statement_free(insert);
    corm_session_close(session);
}

static void waiting_for_the_own_task_would_deadlock(void **state) {
    (void)state;
    testing_script  script;
    testing_door   *door;
    corm_session   *session = open_on(&script, TESTING_ON_OWN_THREAD, 2, &door);
    corm_statement *insert = new_statement(session, INSERT_USER);
    seen            waits = { 0 };
    testing__door_hold(door);
    corm_task *task = corm_run_async(insert, see, &waits);
    waits.waits_for = task;
    testing__door_release(door);
    assert_status(corm_task_wait(task, 0), CORM_OK);
    assert_status(waits.waited, CORM_WOULD_DEADLOCK);
    corm_task_free(task);
    corm_statement_free(insert);
    corm_session_close(session);
}

typedef struct nested {
    corm_session *session;
    corm_status   status;
} nested;

static void execute_inside(void *context, corm_status status, corm_result *result,
                           const corm_error *error) {
    nested *own = context;
    (void)status;
    (void)error;
    corm_result_free(result);
    own->status = corm_execute_with(own->session, "SELECT name FROM users", NULL, NULL);
}

static void a_synchronous_call_works_inside_a_callback(void **state) {
    (void)state;
    testing_script script;
    testing_door  *door;
    corm_session  *session = open_on(&script, TESTING_ON_OWN_THREAD, 1, &door);
    nested         inner = { session, CORM_TIMEOUT };
    corm_task     *task =
        corm_execute_async(session, "SELECT name FROM users", NULL, execute_inside, &inner);
    assert_status(corm_task_wait(task, 0), CORM_OK);
    assert_status(inner.status, CORM_OK);
    corm_task_free(task);
    corm_session_close(session);
}

static void a_task_may_be_freed_before_it_ends_and_inside_its_callback(void **state) {
    (void)state;
    testing_script script;
    testing_door  *door;
    corm_session  *session = open_on(&script, TESTING_ON_OWN_THREAD, 2, &door);
    seen           saw = { 0 };
    seen           frees = { 0 };
    corm_task     *task = NULL;
    testing__door_hold(door);
    corm_task_free(corm_execute_async(session, "SELECT name FROM users", NULL, see, &saw));
    frees.frees = &task;
    task = corm_execute_async(session, "SELECT name FROM users", NULL, see, &frees);
    corm_task_free(NULL);
    testing__door_release(door);
    corm_session_close(session);
    assert_int_equal(saw.calls, 1);
    assert_int_equal(frees.calls, 1);
}

static void a_task_without_a_callback_only_ends(void **state) {
    (void)state;
    testing_script script;
    testing_door  *door;
    corm_session  *session = open_on(&script, TESTING_ON_OWN_THREAD, 0, &door);
    corm_task     *task = corm_execute_async(session, "USE shop", NULL, NULL, NULL);
    assert_status(corm_task_wait(task, 10000), CORM_OK);
    assert_string_equal(corm_session_keyspace(session), "shop");
    corm_task_free(task);
    corm_session_close(session);
}

static void count(void *context, corm_status status, corm_result *result, const corm_error *error) {
    atomic_int *calls = context;
    (void)error;
    corm_result_free(result);
    if (status == CORM_OK) atomic_fetch_add(calls, 1);
}

static void closing_waits_for_every_task(void **state) {
    (void)state;
    testing_script  script;
    testing_door   *door;
    atomic_int      calls = 0;
    corm_session   *session = open_on(&script, TESTING_ON_OWN_THREAD, 2, &door);
    corm_statement *insert = new_statement(session, INSERT_USER);
    for (int i = 0; i < 200; i++) {
        corm_task_free(corm_run_async(insert, count, &calls));
        corm_task_free(corm_execute_async(session, "SELECT name FROM users", NULL, count, &calls));
    }
    corm_statement_free(insert);
    corm_session_close(session);
    assert_int_equal(calls, 400);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_text_calls_back_with_its_result),
    cmocka_unit_test(a_failure_calls_back_with_its_error),
    cmocka_unit_test(given_values_are_copied),
    cmocka_unit_test(what_is_wrong_from_the_start_calls_back_at_once),
    cmocka_unit_test(a_statement_may_be_bound_anew_at_once),
    cmocka_unit_test(a_prepared_read_begins_on_a_worker),
    cmocka_unit_test(a_batch_is_copied_too),
    cmocka_unit_test(a_cancelled_task_that_has_not_begun_calls_back),
    cmocka_unit_test(waiting_on_the_only_worker_would_deadlock),
    cmocka_unit_test(waiting_is_allowed_while_another_worker_is_free),
    cmocka_unit_test(waiting_for_the_own_task_would_deadlock),
    cmocka_unit_test(a_synchronous_call_works_inside_a_callback),
    cmocka_unit_test(a_task_may_be_freed_before_it_ends_and_inside_its_callback),
    cmocka_unit_test(a_task_without_a_callback_only_ends),
    cmocka_unit_test(closing_waits_for_every_task),
};

RUN_TESTS()
