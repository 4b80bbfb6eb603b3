// SPDX-License-Identifier: MIT
/* Streams and bulk writers over a cluster that is slow, that fails, and that comes back: the fake of corm/testing.h. */
#include <uv.h>

#include "corm/bulk.h"
#include "corm/testing.h"
#include "stream/stream_for_tests.h"

static corm_fake_cluster *start(corm_fake_options options) {
    corm_fake_cluster *fake = NULL;
    corm_error         err = { 0 };
    assert_ok(corm_fake_start(&fake, &options, &err), err);
    return fake;
}

static corm_session *connect_to(corm_fake_cluster *fake) {
    corm_session        *session = NULL;
    corm_error           err = { 0 };
    corm_cluster_options cluster = { .retry = { .kind = CORM_RETRY_FALLTHROUGH } };
    corm_session_options options = { .keyspace = "shop", .cluster = &cluster };
    assert_ok(corm_session_open(&session, corm_fake_uri(fake), &options, &err), err);
    return session;
}

/* ---- bulk writers ---- */

typedef struct sight {
    atomic_uint written, rejected;
    uint32_t    attempts;
    corm_status status;
} sight;

static void see(void *context, const corm_bulk_outcome *outcome) {
    sight *seen = context;
    if (outcome->status == CORM_OK) {
        atomic_fetch_add(&seen->written, 1);
    } else {
        atomic_fetch_add(&seen->rejected, 1);
        seen->status = outcome->status;
    }
    seen->attempts = outcome->attempts;
}

static corm_statement *prepare(corm_session *session, corm_prepared **prepared, const char *cql) {
    corm_error err = { 0 };
    assert_ok(corm_prepare(session, cql, prepared, &err), err);
    return corm_statement_new(*prepared);
}

static void write_some(corm_bulk *bulk, corm_statement *statement, int32_t count) {
    corm_error err = { 0 };
    for (int32_t i = 0; i < count; i++) {
        assert_ok(corm_statement_bind(statement, 0, corm_v(i % 7), &err), err);
        assert_ok(corm_statement_bind(statement, 1, corm_v(i), &err), err);
        assert_ok(corm_bulk_statement(bulk, statement, NULL, (corm_str){ NULL, 0 }, &err), err);
    }
}

static void a_slow_server_does_not_make_the_writer_grow(void **state) {
    (void)state;
    enum { MOST = 8000, COUNT = 300 };
    corm_fake_cluster *fake = start((corm_fake_options){ .nodes = 2 });
    corm_fake_add_rule(fake, &(corm_fake_rule){ .node = -1, .match = "INSERT", .delay_ms = 5 });
    corm_session   *session = connect_to(fake);
    corm_prepared  *prepared;
    corm_statement *statement =
        prepare(session, &prepared, "INSERT INTO items (id, v) VALUES (?, ?)");
    corm_bulk      *bulk;
    corm_bulk_stats stats;
    sight           seen = { .written = 0 };
    corm_error      err = { 0 };
    assert_ok(corm_bulk_session(session, &bulk,
                                { .max_bytes = MOST,
                                  .max_in_flight = 3,
                                  .done = see,
                                  .context = &seen,
                                  .error = &err }),
              err);
    write_some(bulk, statement, COUNT);
    assert_ok(corm_bulk_flush(bulk, &err), err);
    corm_bulk_statistics(bulk, &stats);
    assert_in_range(stats.bytes_peak, 1, MOST);
    assert_in_range(stats.in_flight_peak, 1, 3);
    assert_true(stats.waited > 0);
    assert_int_equal(stats.written, COUNT);
    assert_int_equal(seen.written, COUNT);
    assert_ok(corm_bulk_close(bulk, &err), err);
    corm_statement_free(statement);
    corm_prepared_free(prepared);
    corm_session_close(session);
    corm_fake_stop(fake);
}

static void without_waiting_a_full_writer_says_so(void **state) {
    (void)state;
    corm_fake_cluster *fake = start((corm_fake_options){ .nodes = 1 });
    uint32_t           rule = corm_fake_add_rule(
                  fake, &(corm_fake_rule){ .node = -1, .match = "INSERT", .delay_ms = 20 });
    corm_session   *session = connect_to(fake);
    corm_prepared  *prepared;
    corm_statement *statement =
        prepare(session, &prepared, "INSERT INTO items (id, v) VALUES (?, ?)");
    corm_bulk  *bulk;
    corm_error  err = { 0 };
    corm_status status = CORM_OK;
    (void)rule;
    assert_ok(
        corm_bulk_session(session, &bulk, { .max_bytes = 2000, .no_wait = true, .error = &err }),
        err);
    for (int32_t i = 0; i < 1000 && status == CORM_OK; i++) {
        assert_ok(corm_statement_bind(statement, 0, corm_v(i), &err), err);
        assert_ok(corm_statement_bind(statement, 1, corm_v(i), &err), err);
        status = corm_bulk_statement(bulk, statement, NULL, (corm_str){ NULL, 0 }, &err);
    }
    assert_status(status, CORM_OVERLOADED);
    assert_ok(corm_bulk_close(bulk, &err), err);
    corm_statement_free(statement);
    corm_prepared_free(prepared);
    corm_session_close(session);
    corm_fake_stop(fake);
}

static sight write_with(const corm_fake_rule *rule, const char *cql, int32_t count,
                        uint32_t retries) {
    corm_fake_cluster *fake = start((corm_fake_options){ .nodes = 1 });
    corm_fake_add_rule(fake, rule);
    corm_session   *session = connect_to(fake);
    corm_prepared  *prepared;
    corm_statement *statement = prepare(session, &prepared, cql);
    corm_bulk      *bulk;
    corm_error      err = { 0 };
    sight           seen = { .written = 0 };
    assert_ok(corm_bulk_session(session, &bulk,
                                { .done = see,
                                  .context = &seen,
                                  .retries = retries,
                                  .retry_delay_ms = 1,
                                  .error = &err }),
              err);
    write_some(bulk, statement, count);
    assert_ok(corm_bulk_close(bulk, &err), err);
    corm_statement_free(statement);
    corm_prepared_free(prepared);
    corm_session_close(session);
    corm_fake_stop(fake);
    return seen;
}

static void what_may_be_sent_again_is(void **state) {
    (void)state;
    corm_fake_rule rule = {
        .node = -1, .match = "INSERT", .error = CORM_WRITE_TIMEOUT, .times = 4
    };
    sight seen = write_with(&rule, "INSERT INTO items (id, v) VALUES (?, ?)", 50, 9);
    assert_int_equal(seen.written, 50);
    assert_int_equal(seen.rejected, 0);
}

static void what_may_have_been_done_and_is_not_safe_to_repeat_is_not_sent_again(void **state) {
    (void)state;
    corm_fake_rule rule = { .node = -1, .match = "UPDATE", .error = CORM_WRITE_TIMEOUT };
    sight          seen = write_with(&rule, "UPDATE items SET l = l + ? WHERE id = ?", 10, 9);
    assert_int_equal(seen.rejected, 10);
    assert_int_equal(seen.attempts, 1);
    assert_status(seen.status, CORM_WRITE_TIMEOUT);
    rule.error = CORM_OVERLOADED; /* nothing was done */
    rule.times = 2;
    seen = write_with(&rule, "UPDATE items SET l = l + ? WHERE id = ?", 10, 9);
    assert_int_equal(seen.written, 10);
}

static void a_server_that_goes_on_failing_makes_rejects(void **state) {
    (void)state;
    corm_fake_rule rule = { .node = -1, .match = "INSERT", .error = CORM_UNAVAILABLE };
    sight          seen = write_with(&rule, "INSERT INTO items (id, v) VALUES (?, ?)", 20, 2);
    assert_int_equal(seen.rejected, 20);
    assert_int_equal(seen.attempts, 3);
}

/* ---- streams ---- */

static const char rows[] = "1 | 10\n2 | 20\n3 | 30\n4 | 40\n5 | 50\n6 | 60\n7 | 70\n8 | 80";

typedef struct stream_sight {
    uint32_t rows, retries, sum;
} stream_sight;

static corm_status add(void *context, void *item, corm_error *err) {
    stream_sight *seen = context;
    (void)err;
    seen->rows++;
    seen->sum += (uint32_t)corm_row_int(item, 1);
    return CORM_OK;
}

static void count_retry(void *context, uint32_t attempt, const corm_error *error) {
    stream_sight *seen = context;
    assert_true(attempt > 0);
    assert_status(error->status, CORM_READ_TIMEOUT);
    seen->retries++;
}

/* The second page fails thrice; what was delivered of the first is not delivered again. */
static void a_page_that_fails_is_read_again_and_delivered_once(void **state) {
    (void)state;
    corm_fake_cluster *fake = start((corm_fake_options){ .nodes = 1 });
    corm_fake_add_rule(
        fake,
        &(corm_fake_rule){
            .node = -1, .match = "SELECT k", .skip = 1, .times = 3, .error = CORM_READ_TIMEOUT });
    corm_fake_add_rule(fake, &(corm_fake_rule){ .node = -1,
                                                .match = "SELECT k",
                                                .columns = "k int, v int",
                                                .rows = rows,
                                                .page_rows = 3 });
    corm_session *session = connect_to(fake);
    corm_stream  *stream;
    stream_sight  seen = { .rows = 0 };
    corm_error    err = { 0 };
    assert_ok(corm_stream_session(session, &stream,
                                  { .cql = "SELECT k, v FROM items",
                                    .data = add,
                                    .retrying = count_retry,
                                    .context = &seen,
                                    .retry_delay_ms = 1,
                                    .error = &err }),
              err);
    assert_ok(corm_stream_run(stream, &err), err);
    assert_int_equal(seen.rows, 8);
    assert_int_equal(seen.sum, 360);
    assert_int_equal(seen.retries, 3);
    corm_stream_free(stream);
    corm_session_close(session);
    corm_fake_stop(fake);
}

static void a_run_that_failed_goes_on_in_the_next(void **state) {
    (void)state;
    corm_fake_cluster *fake = start((corm_fake_options){ .nodes = 1 });
    corm_fake_add_rule(
        fake,
        &(corm_fake_rule){
            .node = -1, .match = "SELECT k", .skip = 2, .times = 1, .error = CORM_READ_FAILURE });
    corm_fake_add_rule(fake, &(corm_fake_rule){ .node = -1,
                                                .match = "SELECT k",
                                                .columns = "k int, v int",
                                                .rows = rows,
                                                .page_rows = 2 });
    corm_session *session = connect_to(fake);
    corm_stream  *stream;
    stream_sight  seen = { .rows = 0 };
    corm_error    err = { 0 };
    assert_ok(
        corm_stream_session(
            session, &stream,
            { .cql = "SELECT k, v FROM items", .data = add, .context = &seen, .error = &err }),
        err);
    assert_status(corm_stream_run(stream, &err), CORM_READ_FAILURE);
    assert_in_range(seen.rows, 1, 7);
    assert_ok(corm_stream_run(stream, &err), err);
    assert_int_equal(seen.rows, 8);
    assert_int_equal(seen.sum, 360);
    corm_stream_free(stream);
    corm_session_close(session);
    corm_fake_stop(fake);
}

static void an_unfinished_stream_can_be_freed(void **state) {
    (void)state;
    corm_fake_cluster *fake = start((corm_fake_options){ .nodes = 1 });
    corm_fake_add_rule(
        fake, &(corm_fake_rule){ .node = -1, .match = "SELECT k", .skip = 2, .no_answer = true });
    corm_fake_add_rule(fake, &(corm_fake_rule){ .node = -1,
                                                .match = "SELECT k",
                                                .columns = "k int, v int",
                                                .rows = rows,
                                                .page_rows = 2 });
    corm_session *session = connect_to(fake);
    corm_stream  *stream;
    void         *item;
    corm_error    err = { 0 };
    assert_ok(
        corm_stream_session(session, &stream, { .cql = "SELECT k, v FROM items", .error = &err }),
        err);
    assert_ok(corm_stream_next(stream, &item, &err), err);
    assert_non_null(item);
    corm_stream_free(stream);
    corm_session_close(session);
    corm_fake_stop(fake);
}

/* ---- on a program's own loop ---- */

static void a_program_s_own_loop_carries_both(void **state) {
    (void)state;
    corm_fake_cluster *fake = start((corm_fake_options){ .nodes = 1 });
    corm_fake_add_rule(fake, &(corm_fake_rule){ .node = -1,
                                                .match = "SELECT k",
                                                .columns = "k int, v int",
                                                .rows = rows,
                                                .page_rows = 3 });
    corm_fake_add_rule(
        fake,
        &(corm_fake_rule){
            .node = -1, .match = "INSERT", .skip = 3, .times = 2, .error = CORM_UNAVAILABLE });
    uv_loop_t            loop;
    corm_session        *session;
    corm_stream         *stream;
    corm_bulk           *bulk;
    corm_prepared       *prepared;
    corm_error           err = { 0 };
    stream_sight         seen = { .rows = 0 };
    sight                wrote = { .written = 0 };
    corm_cluster_options cluster = { .loop = &loop, .retry = { .kind = CORM_RETRY_FALLTHROUGH } };
    corm_session_options options = { .keyspace = "shop", .cluster = &cluster };
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_ok(corm_session_open(&session, corm_fake_uri(fake), &options, &err), err);
    assert_ok(
        corm_stream_session(
            session, &stream,
            { .cql = "SELECT k, v FROM items", .data = add, .context = &seen, .error = &err }),
        err);
    assert_ok(corm_stream_run(stream, &err), err);
    assert_int_equal(seen.rows, 8);
    corm_stream_free(stream);
    assert_status(
        corm_stream_session(session, &stream,
                            { .cql = "SELECT k, v FROM items", .workers = 2, .error = &err }),
        CORM_UNSUPPORTED);
    corm_statement *statement =
        prepare(session, &prepared, "INSERT INTO items (id, v) VALUES (?, ?)");
    assert_ok(
        corm_bulk_session(session, &bulk,
                          { .max_bytes = 4000, .done = see, .context = &wrote, .error = &err }),
        err);
    write_some(bulk, statement, 100);
    assert_ok(corm_bulk_close(bulk, &err), err);
    assert_int_equal(wrote.written, 100);
    corm_statement_free(statement);
    corm_prepared_free(prepared);
    corm_session_close(session);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    corm_fake_stop(fake);
}

int main(void) {
    UNUSED_HELPERS();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slow_server_does_not_make_the_writer_grow),
        cmocka_unit_test(without_waiting_a_full_writer_says_so),
        cmocka_unit_test(what_may_be_sent_again_is),
        cmocka_unit_test(what_may_have_been_done_and_is_not_safe_to_repeat_is_not_sent_again),
        cmocka_unit_test(a_server_that_goes_on_failing_makes_rejects),
        cmocka_unit_test(a_page_that_fails_is_read_again_and_delivered_once),
        cmocka_unit_test(a_run_that_failed_goes_on_in_the_next),
        cmocka_unit_test(an_unfinished_stream_can_be_freed),
        cmocka_unit_test(a_program_s_own_loop_carries_both),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
