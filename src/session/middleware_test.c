// SPDX-License-Identifier: MIT
/* A chain around every request, on every door: order, refusals, changes, answers, what ends see; and those that Corm has. */
#include "corm/middleware.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/fail.h"
#include "corm/event.h"
#include "testing/doors.h"

static void run(corm_session *session, const char *cql) {
    corm_error err;
    assert_ok(corm_execute(session, cql, NULL, { .error = &err }), err);
}

static corm_session *behind_with_users(void) {
    corm_session *behind = testing__open("mw");
    run(behind, "CREATE TABLE users (id int PRIMARY KEY, email text)");
    run(behind, "INSERT INTO users (id, email) VALUES (1, 'ada@x.de')");
    return behind;
}

static corm_session *in_front(corm_session *behind, const corm_middleware *list) {
    corm_session *session;
    corm_error    err;
    assert_ok(corm_session_with_middleware(&session, behind, list, &err), err);
    assert_string_equal(corm_session_keyspace(session), "mw");
    return session;
}

/* ---- order ---- */

typedef struct trace {
    pthread_mutex_t lock;
    char            text[256];
} trace;

typedef struct tracer {
    trace      *to;
    const char *name;
    corm_status refuses;
} tracer;

static void put(tracer *self, char how) {
    pthread_mutex_lock(&self->to->lock);
    size_t len = strlen(self->to->text);
    snprintf(self->to->text + len, sizeof self->to->text - len, "%s%c", self->name, how);
    pthread_mutex_unlock(&self->to->lock);
}

static corm_status trace_begin(corm_request *request, void *context, corm_error *err) {
    tracer *self = context;
    (void)err;
    put(self, '(');
    request->data = self;
    return self->refuses;
}

static void trace_end(corm_request *request, void *context) {
    tracer *self = context;
    assert_ptr_equal(request->data, self);
    put(self, request->status == CORM_OK ? ')' : '!');
}

static corm_middleware tracing(tracer *t, int32_t order) {
    return (corm_middleware){
        .name = t->name, .order = order, .begin = trace_begin, .end = trace_end, .context = t
    };
}

static void take(void *context, corm_status status, corm_result *result, const corm_error *error) {
    (void)error;
    *(corm_status *)context = status;
    corm_result_free(result);
}

static void they_begin_in_order_and_end_in_reverse(void **state) {
    (void)state;
    trace           to = { PTHREAD_MUTEX_INITIALIZER, "" };
    tracer          a = { &to, "a", CORM_OK }, b = { &to, "b", CORM_OK }, c = { &to, "c", CORM_OK };
    corm_middleware list[] = { tracing(&c, 1), tracing(&a, 0), { 0 } }, more = tracing(&b, 0);
    corm_session   *behind = behind_with_users(), *session = in_front(behind, list);
    corm_error      err = { 0 };
    corm_status     ended = CORM_INVALID;
    run(session, "SELECT * FROM users");
    assert_string_equal(to.text, "a(c(c)a)");
    assert_ok(corm_middleware_add(session, &more, &err), err);
    assert_status(corm_middleware_add(session, &more, &err), CORM_ALREADY_EXISTS);
    assert_status(corm_middleware_add(behind, &more, &err), CORM_UNSUPPORTED);
    *to.text = '\0';
    corm_task *task = corm_execute_async(session, "SELECT * FROM users", NULL, take, &ended);
    assert_status(corm_task_wait(task, 0), CORM_OK);
    corm_task_free(task);
    assert_string_equal(to.text, "a(b(c(c)b)a)");
    *to.text = '\0';
    b.refuses = CORM_UNAUTHORIZED;
    assert_status(corm_execute(session, "SELECT * FROM users", NULL, { .error = &err }),
                  CORM_UNAUTHORIZED);
    assert_string_equal(err.message, "middleware 'b' refused the request");
    assert_string_equal(to.text, "a(b(a!");
    assert_ok(corm_middleware_remove(session, "b", &err), err);
    assert_status(corm_middleware_remove(session, "b", &err), CORM_NOT_FOUND);
    *to.text = '\0';
    assert_status(corm_execute(session, "SELEC", NULL, { .error = &err }), CORM_SYNTAX_ERROR);
    assert_string_equal(to.text, "a(c(c!a!");
    corm_session_close(session);
    corm_session_close(behind);
}

/* ---- what is seen ---- */

typedef struct seen {
    atomic_int          kinds[CORM_REQUEST_BATCH + 1];
    corm_statement_info info;
    char                table[32], text[128], name[16], type[16];
    uint32_t            statements, rows;
    bool                valued, asynchronous;
    int64_t             duration_ns;
} seen;

static void look(corm_request *request, void *context) {
    seen      *s = context;
    corm_bytes value;
    corm_str   name, type;
    assert_true(corm_request_statement(request, request->statement_count - 1, &s->info));
    assert_false(corm_request_statement(request, request->statement_count, &s->info));
    assert_true(corm_request_statement(request, request->statement_count - 1, &s->info));
    atomic_fetch_add(&s->kinds[request->kind], 1);
    s->statements = request->statement_count;
    s->rows = corm_request_row_count(request);
    s->asynchronous = request->asynchronous;
    s->duration_ns = request->duration_ns;
    snprintf(s->table, sizeof s->table, "%.*s.%.*s", (int)s->info.keyspace.len,
             s->info.keyspace.data, (int)s->info.table.len, s->info.table.data);
    snprintf(s->text, sizeof s->text, "%.*s", (int)s->info.text.len, s->info.text.data);
    s->valued = corm_request_value(request, request->statement_count - 1, 0, &value, &name, &type);
    snprintf(s->name, sizeof s->name, "%.*s", (int)name.len, name.data);
    snprintf(s->type, sizeof s->type, "%.*s", (int)type.len, type.data);
}

static void every_request_shows_what_it_is(void **state) {
    (void)state;
    seen            s = { 0 };
    corm_middleware list[] = { { .name = "seen", .end = look, .context = &s }, { 0 } };
    corm_session   *behind = behind_with_users(), *session = in_front(behind, list);
    corm_error      err = { 0 };
    corm_prepared  *prepared;
    run(session, "SELECT * FROM mw.users LIMIT 5");
    assert_string_equal(s.table, "mw.users");
    assert_int_equal(s.info.statement_class, CORM_STATEMENT_SELECT);
    assert_false(s.info.is_unbounded);
    assert_true(s.info.has_literals);
    assert_int_equal(s.rows, 1);
    assert_true(s.duration_ns > 0);
    assert_ok(
        corm_prepare(session, "UPDATE users SET email = ? WHERE id = ? IF EXISTS", &prepared, &err),
        err);
    corm_statement *statement = corm_statement_new(prepared);
    assert_ok(corm_statement_bind(statement, 0, corm_v("x"), &err), err);
    assert_ok(corm_statement_bind(statement, 1, corm_v(1), &err), err);
    assert_ok(corm_run(statement, NULL, &err), err);
    assert_string_equal(s.table, "mw.users");
    assert_string_equal(s.name, "email");
    assert_string_equal(s.type, "text");
    assert_true(s.info.is_conditional);
    assert_int_equal(s.info.value_count, 2);
    corm_batch *batch = corm_batch_new(session, CORM_LOGGED);
    assert_ok(corm_batch_add_text(batch, "DELETE FROM users WHERE id = 3", NULL, 0, &err), err);
    assert_ok(corm_batch_add(batch, statement, &err), err);
    corm_status ended = CORM_INVALID;
    corm_task  *task = corm_batch_run_async(batch, take, &ended);
    if (corm_task_wait(task, 0) == CORM_TIMEOUT) fail();
    corm_task_free(task);
    assert_int_equal(s.statements, 2);
    assert_true(s.asynchronous);
    assert_string_equal(s.name, "email");
    assert_int_equal(s.kinds[CORM_REQUEST_PREPARE], 1);
    assert_int_equal(s.kinds[CORM_REQUEST_EXECUTE], 1);
    assert_int_equal(s.kinds[CORM_REQUEST_BATCH], 1);
    corm_batch_free(batch);
    corm_statement_free(statement);
    corm_prepared_free(prepared);
    corm_session_close(session);
    corm_session_close(behind);
}

/* ---- changes ---- */

static corm_status one_row_a_page(corm_request *request, void *context, corm_error *err) {
    (void)context, (void)err;
    request->options.page_size = 1;
    request->options.has_timestamp = request->kind == CORM_REQUEST_TEXT;
    request->options.timestamp_us = 1;
    request->options.timeout_ms = 5000;
    request->options.consistency = CORM_ONE;
    return CORM_OK;
}

static void options_are_theirs_to_change(void **state) {
    (void)state;
    corm_middleware list[] = { { .name = "small", .begin = one_row_a_page }, { 0 } };
    corm_session   *behind = behind_with_users(), *session = in_front(behind, list);
    corm_error      err = { 0 };
    corm_result    *result;
    run(behind, "INSERT INTO users (id, email) VALUES (2, 'b')");
    run(session, "INSERT INTO users (id, email) VALUES (2, 'too old')");
    assert_ok(corm_execute(session, "SELECT email FROM users", &result, { .error = &err }), err);
    assert_int_equal(corm_result_row_count(result), 1);
    assert_true(corm_result_has_more(result));
    corm_result_free(result);
    assert_ok(
        corm_execute(session, "SELECT email FROM users WHERE id = 2", &result, { .error = &err }),
        err);
    assert_text(corm_row_text(corm_result_next(result), 0), "b");
    corm_result_free(result);
    corm_session_close(session);
    corm_session_close(behind);
}

/* ---- answers: a cache of one ---- */

typedef struct cache {
    uint8_t key[32], bytes[4096];
    size_t  len;
    int     hits;
} cache;

static bool is_read(const corm_request *request) {
    corm_statement_info info;
    return request->kind != CORM_REQUEST_PREPARE && corm_request_statement(request, 0, &info) &&
           info.statement_class == CORM_STATEMENT_SELECT;
}

static corm_status look_up(corm_request *request, void *context, corm_error *err) {
    cache  *c = context;
    uint8_t key[32];
    if (!is_read(request)) return CORM_OK;
    CORM_TRY(corm_request_key(request, key, err));
    if (c->len == 0 || memcmp(key, c->key, 32) != 0) return CORM_OK;
    c->hits++;
    return corm_request_answer_with(request, (corm_bytes){ c->bytes, c->len }, err);
}

static void keep(corm_request *request, void *context) {
    cache     *c = context;
    corm_error err;
    corm_bytes answer = corm_request_answer(request);
    if (!is_read(request) || request->status != CORM_OK || answer.len > sizeof c->bytes) return;
    assert_ok(corm_request_key(request, c->key, &err), err);
    memcpy(c->bytes, answer.data, answer.len);
    c->len = answer.len;
}

static void read_email(corm_session *session, int32_t id, const char *expected) {
    corm_result *result;
    corm_error   err = { 0 };
    assert_ok(corm_execute(session, "SELECT email FROM users WHERE id = ?", &result,
                           { .values = { corm_v(id) }, .error = &err }),
              err);
    const corm_row *row = corm_result_next(result);
    if (expected) assert_text(corm_row_text(row, 0), expected);
    if (!expected) assert_null(row);
    corm_result_free(result);
}

static void a_cache_can_be_written(void **state) {
    (void)state;
    cache           c = { .hits = 0 };
    corm_middleware list[] = { { .name = "cache", .begin = look_up, .end = keep, .context = &c },
                               { 0 } };
    corm_session   *behind = behind_with_users(), *session = in_front(behind, list);
    for (int i = 0; i < 3; i++) read_email(session, 1, "ada@x.de");
    assert_int_equal(c.hits, 2);
    read_email(session, 2, NULL);
    assert_int_equal(c.hits, 2);
    corm_session_close(session);
    corm_session_close(behind);
}

static corm_status answer(corm_request *request, void *context, corm_error *err) {
    static const char *const columns[] = { "id int", "tags list<text>", NULL };
    corm_list                tags = corm_list_of(corm_v("a"), corm_v("b"));
    const corm_value         cells[] = { corm_v(7), corm_v(tags), corm_v(8), corm_null() };
    (void)context;
    corm_statement_info info;
    assert_true(corm_request_statement(request, 0, &info));
    if (corm_str_equal(info.text, corm_str_of("PING"))) {
        return corm_request_answer_done(request, err);
    }
    return corm_request_answer_rows(request, columns, cells, 2, err);
}

static void rows_can_be_made_up(void **state) {
    (void)state;
    corm_middleware list[] = { { .name = "answers", .begin = answer }, { 0 } };
    corm_session   *behind = behind_with_users(), *session = in_front(behind, list);
    corm_result    *result;
    corm_error      err = { 0 };
    run(session, "PING");
    assert_ok(corm_execute(session, "what you like", &result, { .error = &err }), err);
    assert_int_equal(corm_result_row_count(result), 2);
    const corm_row *row = corm_result_next(result);
    assert_int_equal(corm_row_int(row, 0), 7);
    assert_text(corm_row_format(row, 1), "['a', 'b']");
    row = corm_result_next(result);
    assert_true(corm_row_is_null(row, 1));
    corm_result_free(result);
    corm_session_close(session);
    corm_session_close(behind);
}

/* ---- those that Corm has ---- */

typedef struct lines {
    int  count;
    char last[1024];
} lines;

static void keep_line(void *context, const char *line) {
    lines *l = context;
    l->count++;
    snprintf(l->last, sizeof l->last, "%s", line);
}

static void a_log_hides_what_it_is_told_to(void **state) {
    (void)state;
    lines            l = { 0, "" };
    corm_log_options options = {
        .write = keep_line, .context = &l, .values = true, .masked = { "users.email" }
    };
    corm_middleware list[] = { corm_correlation_middleware(NULL),
                               corm_log_middleware(&options),
                               { 0 } };
    corm_session   *behind = behind_with_users(), *session = in_front(behind, list);
    corm_error      err = { 0 };
    corm_correlation_set("order-7");
    assert_ok(corm_execute(session, "INSERT INTO users (id, email) VALUES (?, ?)", NULL,
                           { .values = { corm_v(4), corm_v("secret@x.de") }, .error = &err }),
              err);
    assert_non_null(strstr(l.last, "execute mw.users "));
    assert_non_null(strstr(l.last, " [order-7] "));
    assert_non_null(strstr(l.last, "(id=4, email=***)"));
    corm_correlation_set(NULL);
    run(session, "INSERT INTO users (id, email) VALUES (5, 'secret@x.de')");
    assert_non_null(strstr(l.last, "VALUES (?, ?)"));
    assert_null(strstr(l.last, "order-7"));
    assert_status(corm_execute(session, "SELECT 'secret", NULL, { .error = &err }),
                  CORM_SYNTAX_ERROR);
    assert_non_null(strstr(l.last, "SYNTAX_ERROR"));
    assert_null(strstr(l.last, "secret"));
    corm_session_close(session);
    corm_session_close(behind);
}

static void a_slow_log_is_quiet(void **state) {
    (void)state;
    lines            l = { 0, "" };
    corm_log_options options = { .write = keep_line, .context = &l, .slow_ms = 60000 };
    corm_middleware  list[] = { corm_log_middleware(&options), { 0 } };
    corm_session    *behind = behind_with_users(), *session = in_front(behind, list);
    run(session, "SELECT * FROM users");
    assert_int_equal(l.count, 0);
    corm_session_close(session);
    corm_session_close(behind);
}

static void a_guard_refuses_by_rules(void **state) {
    (void)state;
    static const struct {
        corm_guard_options rules;
        const char        *cql, *why; /* NULL: allowed */
    } cases[] = {
        { { .refused = CORM_STATEMENT_SCHEMA }, "DROP TABLE users", "schema statements" },
        { { .refused = CORM_STATEMENT_WRITES }, "TRUNCATE users", "TRUNCATE statements" },
        { { .refused = CORM_STATEMENT_WRITES },
          "BEGIN BATCH DELETE FROM users WHERE id = 1 APPLY BATCH",
          "BATCH statements" },
        { { .refused = CORM_STATEMENT_WRITES }, "SELECT * FROM users", NULL },
        { { .refused = CORM_STATEMENT_ROLES }, "GRANT a TO b", "role statements" },
        { { .tables = { "mw.orders" } }, "SELECT * FROM users", "not listed" },
        { { .tables = { "mw.*" } }, "SELECT * FROM users", NULL },
        { { .tables = { "users" } }, "SELECT * FROM users", NULL },
        { { .tables = { "mw.orders" } }, "SELECT * FROM system.local", NULL },
        { { .refused_tables = { "users" } }, "DELETE FROM users WHERE id = 9", "this table" },
        { { .no_filtering = true },
          "SELECT * FROM users WHERE email = 'x' ALLOW FILTERING",
          "ALLOW FILTERING" },
        { { .no_unbounded_reads = true }, "SELECT * FROM users", "without WHERE" },
        { { .no_unbounded_reads = true }, "SELECT * FROM users LIMIT 2", NULL },
        { { .no_literals = true }, "DELETE FROM users WHERE id = 9", "literals" },
        { { .no_literals = true }, "ALTER TABLE users WITH gc_grace_seconds = 10", NULL },
        { { .refused = CORM_STATEMENT_USE }, "no CQL", "cannot read" },
    };
    corm_session *behind = behind_with_users();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        corm_middleware list[] = { corm_guard_middleware(&cases[i].rules), { 0 } };
        corm_session   *session = in_front(behind, list);
        corm_error      err = { 0 };
        corm_status     status = corm_execute(session, cases[i].cql, NULL, { .error = &err });
        if (status != (cases[i].why ? CORM_UNAUTHORIZED : CORM_OK)) {
            fail_msg("%s: %s %s", cases[i].cql, corm_status_name(status), err.message);
        }
        if (cases[i].why && !strstr(err.message, cases[i].why)) {
            fail_msg("%s: %s", cases[i].cql, err.message);
        }
        corm_session_close(session);
    }
    corm_session_close(behind);
}

static void batches_are_guarded_statement_by_statement(void **state) {
    (void)state;
    corm_guard_options rules = { .refused_tables = { "users" }, .most_statements = 2 };
    corm_middleware    list[] = { corm_guard_middleware(&rules), { 0 } };
    corm_session      *behind = behind_with_users(), *session = in_front(behind, list);
    corm_error         err = { 0 };
    corm_batch        *batch = corm_batch_new(session, CORM_LOGGED);
    for (int i = 0; i < 3; i++) {
        assert_ok(corm_batch_add_text(batch, "DELETE FROM users WHERE id = 1", NULL, 0, &err), err);
        if (i == 1) {
            assert_status(corm_batch_run(batch, NULL, &err), CORM_UNAUTHORIZED);
            assert_non_null(strstr(err.message, "this table"));
        }
    }
    assert_status(corm_batch_run(batch, NULL, &err), CORM_UNAUTHORIZED);
    assert_non_null(strstr(err.message, "more than 2 statements"));
    corm_batch_free(batch);
    corm_session_close(session);
    corm_session_close(behind);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(they_begin_in_order_and_end_in_reverse),
    cmocka_unit_test(every_request_shows_what_it_is),
    cmocka_unit_test(options_are_theirs_to_change),
    cmocka_unit_test(a_cache_can_be_written),
    cmocka_unit_test(rows_can_be_made_up),
    cmocka_unit_test(a_log_hides_what_it_is_told_to),
    cmocka_unit_test(a_slow_log_is_quiet),
    cmocka_unit_test(a_guard_refuses_by_rules),
    cmocka_unit_test(batches_are_guarded_statement_by_statement),
};

RUN_TESTS()
