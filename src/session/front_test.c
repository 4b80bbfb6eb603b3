// SPDX-License-Identifier: MIT
/* Every kind of request through a door in front of another session's, on every door; who may be closed first; what the owner of
 * a front may do. */
#include "session/front.h"

#include <stdlib.h>

#include "base/fail.h"
#include "corm/schema.h"
#include "testing/doors.h"
#include "testing/script.h"

static atomic_int statements; /* prepared and not given back; they may outlive their front */

/* Counts what goes past, and does what it is told. */
typedef struct watcher {
    session_front front; /* first */
    atomic_int    begun[WIRE_BATCH + 1], ended[WIRE_BATCH + 1];
    atomic_int    failed, submitted;
    const char   *refuses, *replaced, *by; /* texts */
    bool          spoils;                  /* a success becomes CORM_INVALID */
    int          *closed;
} watcher;

static void forget_statement(void *own) {
    assert_ptr_equal(own, &statements);
    atomic_fetch_sub(&statements, 1);
}

static corm_status begin(session_front_call *call, bool *answered, corm_error *err) {
    watcher *self = (watcher *)call->front;
    corm_str text = call->request.text;
    atomic_fetch_add(&self->begun[call->request.kind], 1);
    atomic_fetch_add(&self->submitted, call->asynchronous);
    if (call->request.kind == WIRE_EXECUTE) {
        text = session__front_prepared(call->request.prepared)->text;
    }
    if (self->refuses && corm_str_equal(text, corm_str_of(self->refuses))) {
        return base__fail(err, CORM_UNAUTHORIZED, "not here");
    }
    if (self->replaced && corm_str_equal(text, corm_str_of(self->replaced))) {
        if (self->by) call->request.text = corm_str_of(self->by);
        if (!self->by) wire__put_void(&call->answer->body);
        *answered = !self->by;
    }
    return CORM_OK;
}

static corm_status end(session_front_call *call, corm_status status, corm_error *err) {
    watcher *self = (watcher *)call->front;
    atomic_fetch_add(&self->ended[call->request.kind], 1);
    atomic_fetch_add(&self->failed, status != CORM_OK);
    if (call->made && status == CORM_OK) {
        call->made->own = &statements;
        call->made->own_free = forget_statement;
        atomic_fetch_add(&statements, 1);
    }
    if (status == CORM_OK && self->spoils) return base__fail(err, CORM_INVALID, "spoiled");
    return status;
}

static void close_watcher(session_front *front) {
    watcher *self = (watcher *)front;
    if (self->closed) ++*self->closed;
    free(self);
}

static const session_front_ops watching = {
    .begin = begin, .end = end, .close = close_watcher, .end_may_block = true
};

static corm_session *watch(corm_session *behind, watcher **out) {
    corm_session *session = NULL;
    corm_error    err;
    *out = calloc(1, sizeof **out);
    assert_non_null(*out);
    session__front_init(&(*out)->front, behind, &watching);
    assert_ok(session__front_open(&(*out)->front, NULL, &session, &err), err);
    return session;
}

typedef struct fixture {
    corm_session *behind, *session;
    watcher      *watcher;
    int           closed;
} fixture;

static void run(corm_session *session, const char *cql) {
    corm_error err;
    assert_ok(corm_execute(session, cql, NULL, { .error = &err }), err);
}

static fixture open_users(void) {
    fixture f = { .behind = testing__open("front") };
    f.session = watch(f.behind, &f.watcher);
    run(f.session, "CREATE TABLE users (id int PRIMARY KEY, name text)");
    return f;
}

static void close_both(fixture *f) {
    for (int i = 0; i <= WIRE_BATCH; i++) {
        assert_int_equal(f->watcher->begun[i], f->watcher->ended[i]);
    }
    f->watcher->closed = &f->closed;
    corm_session_close(f->session);
    assert_int_equal(f->closed, 1);
    corm_session_close(f->behind);
    assert_int_equal(statements, 0);
}

static corm_statement *prepare(corm_session *session, const char *cql) {
    corm_prepared *prepared;
    corm_error     err;
    assert_ok(corm_prepare(session, cql, &prepared, &err), err);
    corm_statement *statement = corm_statement_new(prepared);
    corm_prepared_free(prepared);
    return statement;
}

static void bind_user(corm_statement *insert, int32_t id) {
    corm_error err;
    assert_ok(corm_statement_bind(insert, 0, corm_v(id), &err), err);
    assert_ok(corm_statement_bind(insert, 1, corm_v("x"), &err), err);
}

static void fill(corm_session *session, int count) {
    corm_statement *insert = prepare(session, "INSERT INTO users (id, name) VALUES (?, ?)");
    corm_batch     *batch = corm_batch_new(session, CORM_UNLOGGED);
    corm_error      err;
    for (int32_t i = 0; i < count; i++) {
        bind_user(insert, i);
        assert_ok(corm_batch_add(batch, insert, &err), err);
    }
    assert_ok(corm_batch_run(batch, NULL, &err), err);
    corm_batch_free(batch);
    corm_statement_free(insert);
}

static void statements_and_batches_go_through(void **state) {
    (void)state;
    fixture         f = open_users();
    corm_statement *insert = prepare(f.session, "INSERT INTO users (id, name) VALUES (?, ?)");
    corm_result    *result;
    corm_error      err;
    bind_user(insert, 7);
    assert_ok(corm_run(insert, NULL, &err), err);
    corm_statement_free(insert);
    fill(f.session, 5);
    assert_ok(corm_execute(f.session, "SELECT name FROM users WHERE id = ?", &result,
                           { .values = { corm_v(7) }, .error = &err }),
              err);
    assert_text(corm_row_text(corm_result_next(result), 0), "x");
    corm_result_free(result);
    assert_int_equal(f.watcher->ended[WIRE_EXECUTE], 2);
    assert_int_equal(f.watcher->ended[WIRE_BATCH], 1);
    assert_int_equal(f.watcher->ended[WIRE_PREPARE], 3);
    close_both(&f);
}

static void pages_are_requests_of_their_own(void **state) {
    (void)state;
    fixture         f = open_users();
    corm_result    *result;
    const corm_row *row;
    corm_error      err;
    int             count = 0, before = f.watcher->ended[WIRE_QUERY];
    fill(f.session, 25);
    assert_ok(corm_execute(f.session, "SELECT * FROM users", &result,
                           { .request = { .page_size = 10 }, .error = &err }),
              err);
    do {
        assert_ok(corm_result_step(result, &row, &err), err);
        count += row != NULL;
    } while (row);
    assert_int_equal(count, 25);
    corm_result_free(result);
    assert_int_equal(f.watcher->ended[WIRE_QUERY] - before, 3);
    close_both(&f);
}

static corm_status count_rows(void *context, corm_result *page, corm_error *err) {
    (void)err;
    *(uint32_t *)context += corm_result_row_count(page);
    return CORM_OK;
}

static void tables_are_scanned_and_described(void **state) {
    (void)state;
    fixture                f = open_users();
    corm_scan             *scan;
    const corm_table_info *table;
    corm_error             err;
    uint32_t               count = 0;
    fill(f.session, 40);
    const corm_scan_options options = { .error = &err };
    assert_ok(corm_scan_open(f.session, "users", &options, &scan), err);
    assert_ok(corm_scan_run(scan, count_rows, &count, &err), err);
    corm_scan_free(scan);
    assert_int_equal(count, 40);
    assert_true(f.watcher->submitted > 0);
    assert_ok(corm_table_read(f.session, NULL, "users", &table, &err), err);
    assert_int_equal(table->column_count, 2);
    corm_table_free(table);
    close_both(&f);
}

static void figures_and_agreement_are_the_cluster_s(void **state) {
    (void)state;
    fixture           f = open_users();
    const corm_stats *stats;
    corm_error        err;
    assert_ok(corm_session_wait_for_agreement(f.session, 5000, &err), err);
    corm_status status = corm_session_stats(f.session, &stats, &err);
    assert_status(status, testing__is_cluster() ? CORM_OK : CORM_UNSUPPORTED);
    corm_stats_free(stats);
    assert_int_equal(session__is_cluster(f.session), testing__is_cluster());
    assert_string_equal(corm_session_keyspace(f.session), "front");
    close_both(&f);
}

typedef struct outcome {
    corm_status status;
    uint32_t    rows;
} outcome;

static void see(void *context, corm_status status, corm_result *result, const corm_error *error) {
    outcome *out = context;
    (void)error;
    out->status = status;
    out->rows = result ? corm_result_row_count(result) : 0;
    corm_result_free(result);
}

static void wait_for(corm_task *task) {
    assert_non_null(task);
    if (corm_task_wait(task, 0) == CORM_TIMEOUT) fail_msg("it did not end");
    corm_task_free(task);
}

static void requests_need_not_be_waited_for(void **state) {
    (void)state;
    fixture f = open_users();
    outcome written = { CORM_INVALID, 0 }, read = { CORM_INVALID, 0 },
            batched = { CORM_INVALID, 0 };
    corm_statement *insert = prepare(f.session, "INSERT INTO users (id, name) VALUES (?, ?)");
    corm_batch     *batch = corm_batch_new(f.session, CORM_LOGGED);
    corm_error      err;
    bind_user(insert, 1);
    wait_for(corm_run_async(insert, see, &written));
    bind_user(insert, 2);
    assert_ok(corm_batch_add(batch, insert, &err), err);
    wait_for(corm_batch_run_async(batch, see, &batched));
    const corm_execute_options one = { .values = { corm_v(2) } };
    wait_for(corm_execute_async(f.session, "SELECT * FROM users WHERE id = ?", &one, see, &read));
    assert_status(written.status, CORM_OK);
    assert_status(batched.status, CORM_OK);
    assert_status(read.status, CORM_OK);
    assert_int_equal(read.rows, 1);
    corm_batch_free(batch);
    corm_statement_free(insert);
    close_both(&f);
}

static void the_owner_refuses_replaces_answers_and_spoils(void **state) {
    (void)state;
    fixture    f = open_users();
    corm_error err;
    f.watcher->refuses = "TRUNCATE users";
    assert_status(corm_execute(f.session, "TRUNCATE users", NULL, { .error = &err }),
                  CORM_UNAUTHORIZED);
    assert_string_equal(err.message, "not here");
    f.watcher->refuses = "SELECT * FROM users WHERE id = ?";
    outcome                    out = { CORM_OK, 0 };
    const corm_execute_options one = { .values = { corm_v(2) } };
    wait_for(corm_execute_async(f.session, f.watcher->refuses, &one, see, &out));
    assert_status(out.status, CORM_UNAUTHORIZED);
    f.watcher->replaced = "no CQL at all";
    run(f.session, "no CQL at all");
    f.watcher->by = "INSERT INTO users (id, name) VALUES (3, 'by')";
    run(f.session, "no CQL at all");
    f.watcher->by = "SELECT name FROM users WHERE id = 3";
    f.watcher->replaced = "name of three";
    corm_statement *select = prepare(f.session, "name of three");
    corm_result    *result;
    assert_ok(corm_run(select, &result, &err), err);
    assert_text(corm_row_text(corm_result_next(result), 0), "by");
    corm_result_free(result);
    corm_statement_free(select);
    f.watcher->spoils = true;
    corm_prepared *prepared;
    assert_status(corm_execute(f.session, "SELECT * FROM users", NULL, { .error = &err }),
                  CORM_INVALID);
    assert_status(corm_prepare(f.session, "SELECT * FROM users", &prepared, &err), CORM_INVALID);
    f.watcher->spoils = false;
    close_both(&f);
}

static void fronts_stand_in_front_of_fronts(void **state) {
    (void)state;
    fixture       f = open_users();
    watcher      *outer;
    corm_session *session = watch(f.session, &outer);
    fill(session, 10);
    outcome out = { CORM_INVALID, 0 };
    wait_for(corm_execute_async(session, "SELECT * FROM users", NULL, see, &out));
    assert_int_equal(out.rows, 10);
    assert_int_equal(outer->ended[WIRE_BATCH], 1);
    assert_int_equal(f.watcher->ended[WIRE_BATCH], 1);
    corm_session_close(session);
    close_both(&f);
}

static void what_is_behind_may_be_closed_first(void **state) {
    (void)state;
    fixture           f = open_users();
    const corm_stats *stats;
    corm_error        err;
    fill(f.session, 3);
    watcher        *outer;
    corm_session   *session = watch(f.session, &outer);
    corm_statement *select = prepare(session, "SELECT * FROM users");
    corm_session_close(f.behind);
    outcome out = { CORM_OK, 0 };
    assert_status(corm_run(select, NULL, &err), CORM_CLOSED);
    wait_for(corm_run_async(select, see, &out));
    assert_status(out.status, CORM_CLOSED);
    assert_null(session__store(session));
    if (testing__is_cluster())
        assert_status(corm_session_stats(session, &stats, &err), CORM_CLOSED);
    corm_session_close(f.session);
    corm_statement_free(select);
    corm_session_close(session);
    assert_int_equal(statements, 0);
}

static void a_front_that_owns_what_is_behind_closes_it(void **state) {
    (void)state;
    fixture f = open_users();
    fill(f.session, 2);
    f.watcher->front.owns_behind = true;
    corm_session_close(f.session);
}

/* ---- a door that keeps requests until it is told ---- */

static const char *const columns[] = { "name text", NULL };
static const char *const ada[] = { "'Ada'", NULL };

static const testing_line lines[] = {
    { .text = "SELECT name FROM users", .columns = columns, .cells = ada },
    { 0 },
};

static void a_request_under_way_is_cancelled(void **state) {
    (void)state;
    testing_script script = TESTING_SCRIPT(lines);
    fixture        f = { 0 };
    corm_error     err;
    testing_door  *door =
        testing__door_new(testing__script, &script, TESTING_ASYNCHRONOUS, &script.counts);
    assert_ok(session__open_door(testing__door(door), NULL, &f.behind, &err), err);
    f.session = watch(f.behind, &f.watcher);
    outcome out = { CORM_OK, 0 };
    testing__door_hold(door);
    corm_task *task = corm_execute_async(f.session, "SELECT name FROM users", NULL, see, &out);
    corm_task_cancel(task);
    wait_for(task);
    assert_status(out.status, CORM_CANCELLED);
    assert_int_equal(f.watcher->failed, 1);
    testing__door_release(door);
    close_both(&f);
}

static void the_caller_s_loop_is_turned(void **state) {
    (void)state;
    testing_script script = TESTING_SCRIPT(lines);
    fixture        f = { 0 };
    corm_error     err;
    testing_door  *door =
        testing__door_new(testing__script, &script, TESTING_TURNED, &script.counts);
    assert_ok(session__open_door(testing__door(door), NULL, &f.behind, &err), err);
    f.session = watch(f.behind, &f.watcher);
    outcome out = { CORM_INVALID, 0 };
    wait_for(corm_execute_async(f.session, "SELECT name FROM users", NULL, see, &out));
    assert_status(out.status, CORM_OK);
    assert_true(script.counts.turned > 0);
    close_both(&f);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(statements_and_batches_go_through),
    cmocka_unit_test(pages_are_requests_of_their_own),
    cmocka_unit_test(tables_are_scanned_and_described),
    cmocka_unit_test(figures_and_agreement_are_the_cluster_s),
    cmocka_unit_test(requests_need_not_be_waited_for),
    cmocka_unit_test(the_owner_refuses_replaces_answers_and_spoils),
    cmocka_unit_test(fronts_stand_in_front_of_fronts),
    cmocka_unit_test(what_is_behind_may_be_closed_first),
    cmocka_unit_test(a_front_that_owns_what_is_behind_closes_it),
    cmocka_unit_test(a_request_under_way_is_cancelled),
    cmocka_unit_test(the_caller_s_loop_is_turned),
};

RUN_TESTS()
