// SPDX-License-Identifier: MIT
/* What stands above single requests, over the embedded store and over a real cluster: pages ahead, tokens, scans, batches in
 * pieces, outcomes, figures, traces. */
#include <stdlib.h>

#include "base/fail.h"
#include "base/map.h"
#include "testing/doors.h"

enum { ROWS = 600, PARTITIONS = 50 };

static corm_session *session; /* one for all tests: a keyspace takes a cluster a second */

static void run(const char *cql) {
    corm_error err = { 0 };
    assert_ok(corm_execute(session, cql, NULL, { .error = &err }), err);
}

static corm_statement *prepare(const char *cql) {
    corm_prepared *prepared;
    corm_error     err = { 0 };
    assert_ok(corm_prepare(session, cql, &prepared, &err), err);
    corm_statement *statement = corm_statement_new(prepared);
    assert_non_null(statement);
    corm_prepared_free(prepared);
    return statement;
}

static void bind(corm_statement *statement, int32_t first, int32_t second) {
    corm_error err = { 0 };
    assert_ok(corm_statement_bind(statement, 0, corm_v(first), &err), err);
    assert_ok(corm_statement_bind(statement, 1, corm_v(second), &err), err);
}

/* ROWS rows, (i % PARTITIONS, i). */
static int open_items(void **state) {
    corm_error err = { 0 };
    uint64_t   done;
    (void)state;
    session = testing__open("above_doors");
    run("CREATE TABLE items (k int, c int, v text, s text static, PRIMARY KEY (k, c))");
    corm_statement *insert = prepare("INSERT INTO items (k, c, v) VALUES (?, ?, 'v')");
    corm_batch     *batch = corm_batch_new(session, CORM_UNLOGGED);
    for (int32_t i = 0; i < ROWS; i++) {
        bind(insert, i % PARTITIONS, i);
        assert_ok(corm_batch_add(batch, insert, &err), err);
    }
    corm_split_options options = { .max_statements = 5, .error = &err };
    assert_ok(corm_batch_run_split(batch, &options, &done), err);
    assert_int_equal(done, ROWS);
    corm_batch_free(batch);
    corm_statement_free(insert);
    return 0;
}

static int close_items(void **state) {
    (void)state;
    corm_session_close(session);
    return 0;
}

static int64_t number(const char *cql) {
    corm_result *result;
    corm_error   err = { 0 };
    assert_ok(corm_execute(session, cql, &result, { .error = &err }), err);
    int64_t out = corm_row_bigint(corm_result_next(result), 0);
    corm_result_free(result);
    return out;
}

static void a_batch_in_pieces_is_written_whole(void **state) {
    (void)state;
    assert_int_equal(number("SELECT count(*) FROM items"), ROWS);
    assert_int_equal(number("SELECT count(*) FROM items WHERE k = 7"), ROWS / PARTITIONS);
}

static void what_was_added_last_wins_across_pieces(void **state) {
    (void)state;
    corm_statement *other = prepare("UPDATE items SET v = ? WHERE k = ? AND c = 0");
    corm_batch     *batch = corm_batch_new(session, CORM_UNLOGGED);
    corm_error      err = { 0 };
    const char     *texts[] = { "zz", "c", "yyy", "b", "a" };
    for (int i = 0; i < 5; i++) {
        assert_ok(corm_statement_bind(other, 0, corm_v(texts[i]), &err), err);
        assert_ok(corm_statement_bind(other, 1, corm_v(77), &err), err);
        assert_ok(corm_batch_add(batch, other, &err), err);
    }
    corm_split_options options = { .max_statements = 1, .error = &err };
    assert_ok(corm_batch_run_split(batch, &options, NULL), err);
    assert_int_equal(number("SELECT count(*) FROM items WHERE k = 77 AND c = 0 AND v = 'a' "
                            "ALLOW FILTERING"),
                     1);
    run("DELETE FROM items WHERE k = 77");
    corm_batch_free(batch);
    corm_statement_free(other);
}

static void rows_are_stepped_through_in_pages(void **state) {
    (void)state;
    for (int turn = 0; turn < 2; turn++) {
        corm_result    *result;
        const corm_row *row;
        corm_error      err = { 0 };
        uint32_t        count = 0;
        assert_ok(corm_execute(
                      session, "SELECT k, c FROM items", &result,
                      { .request = { .page_size = 7, .no_read_ahead = turn == 1 }, .error = &err }),
                  err);
        for (;;) {
            assert_ok(corm_result_step(result, &row, &err), err);
            if (!row) break;
            count++;
        }
        assert_int_equal(count, ROWS);
        corm_result_free(result);
    }
}

/* Each page by a token of the one before, as a browser would ask. */
static void page_tokens_lead_through_all_pages(void **state) {
    (void)state;
    corm_statement *select = prepare("SELECT c FROM items WHERE k = ? AND c >= ?");
    char           *token = NULL;
    uint32_t        rows = 0, pages = 0;
    for (bool more = true; more; pages++) {
        corm_error   err = { 0 };
        corm_result *page;
        bind(select, 3, 0);
        corm_statement_options(select)->page_size = 5;
        if (token) assert_ok(corm_statement_set_page_token(select, token, 60, &err), err);
        assert_ok(corm_run(select, &page, &err), err);
        rows += corm_result_row_count(page);
        free(token);
        corm_status status = corm_page_token(page, &token, &err);
        more = status == CORM_OK;
        if (!more) assert_status(status, CORM_NOT_FOUND);
        corm_result_free(page);
        corm_statement_reset(select);
    }
    assert_int_equal(rows, ROWS / PARTITIONS);
    assert_in_range(pages, 3, 4);
    corm_statement_free(select);
}

/* ---- scans ---- */

typedef struct sight {
    uint32_t pages, stop_after, rows, statics;
    uint32_t seen[ROWS];
} sight;

static corm_status see(void *context, corm_result *page, corm_error *err) {
    sight *self = context;
    if (self->stop_after > 0 && ++self->pages >= self->stop_after) {
        return base__fail(err, CORM_CANCELLED, "enough");
    }
    for (const corm_row *row = corm_result_next(page); row; row = corm_result_next(page)) {
        if (corm_row_is_null(row, 0)) {
            self->statics++;
            continue;
        }
        int32_t c = corm_row_int(row, 0);
        assert_in_range(c, 0, ROWS - 1);
        self->seen[c]++;
        self->rows++;
    }
    return CORM_OK;
}

static void expect_each_once(const sight *self) {
    for (int i = 0; i < ROWS; i++) {
        if (self->seen[i] != 1) fail_msg("row %d was seen %u times", i, self->seen[i]);
    }
}

static void a_scan_sees_every_row_and_static_partition_once(void **state) {
    (void)state;
    corm_error err = { 0 };
    for (int i = 0; i < 20; i++) {
        char text[80];
        snprintf(text, sizeof text, "INSERT INTO items (k, s) VALUES (%d, 's')", 1000 + i);
        run(text);
    }
    sight             self = { 0 };
    corm_scan        *scan;
    corm_scan_options options = { .columns = "c", .page_size = 5, .error = &err };
    assert_ok(corm_scan_open(session, "items", &options, &scan), err);
    assert_ok(corm_scan_run(scan, see, &self, &err), err);
    assert_true(corm_scan_progress(scan) == 1.0);
    expect_each_once(&self);
    assert_int_equal(self.statics, 20);
    for (int i = 0; i < 20; i++) {
        char text[80];
        snprintf(text, sizeof text, "DELETE FROM items WHERE k = %d", 1000 + i);
        run(text);
    }
    corm_scan_free(scan);
}

static void a_scan_goes_on_where_it_was_stopped(void **state) {
    (void)state;
    sight    self = { 0 };
    char    *text = NULL;
    uint64_t turn = 0;
    for (bool done = false; !done; turn++) {
        corm_error        err = { 0 };
        corm_scan        *scan;
        uint64_t          random = base__hash(&turn, sizeof turn, 7);
        corm_scan_options options = { .columns = "c",
                                      .resume = text,
                                      .page_size = (int32_t)(1 + random % 9),
                                      .concurrency = (uint32_t)(1 + random / 16 % 8),
                                      .ranges = (uint32_t)(1 + random / 256 % 64),
                                      .error = &err };
        assert_ok(corm_scan_open(session, "items", &options, &scan), err);
        self.pages = 0;
        self.stop_after = (uint32_t)(2 + random / 65536 % 40);
        corm_status status = corm_scan_run(scan, see, &self, &err);
        if (status != CORM_OK) assert_status(status, CORM_CANCELLED);
        done = status == CORM_OK;
        free(text);
        assert_ok(corm_scan_checkpoint(scan, &text, &err), err);
        corm_scan_free(scan);
    }
    assert_true(turn > 2);
    expect_each_once(&self);
    free(text);
}

/* ---- outcomes ---- */

static void a_conditional_write_is_applied_or_not(void **state) {
    (void)state;
    corm_statement  *update = prepare("UPDATE items SET v = 'w' WHERE k = ? AND c = ? IF v = 'v'");
    corm_lwt_outcome outcome;
    corm_result     *current;
    corm_error       err = { 0 };
    bind(update, 1, 1);
    assert_ok(corm_run_lwt(update, &outcome, &current, &err), err);
    assert_int_equal(outcome, CORM_LWT_APPLIED);
    assert_ok(corm_run_lwt(update, &outcome, &current, &err), err);
    assert_int_equal(outcome, CORM_LWT_NOT_APPLIED);
    assert_non_null(current);
    assert_text(
        corm_row_text(corm_result_next(current), (uint32_t)corm_result_column_index(current, "v")),
        "w");
    corm_result_free(current);
    corm_statement_free(update);
}

static void a_condition_in_a_piece_that_does_not_hold_is_told(void **state) {
    (void)state;
    corm_statement *update = prepare("UPDATE items SET v = 'w' WHERE k = ? AND c = ? IF EXISTS");
    corm_batch     *batch = corm_batch_new(session, CORM_UNLOGGED);
    corm_error      err = { 0 };
    uint64_t        done;
    bind(update, 1, 1);
    assert_ok(corm_batch_add(batch, update, &err), err);
    bind(update, 2, 100000);
    assert_ok(corm_batch_add(batch, update, &err), err);
    corm_split_options options = { .error = &err };
    assert_status(corm_batch_run_split(batch, &options, &done), CORM_NOT_APPLIED);
    assert_int_equal(done, 1);
    corm_batch_free(batch);
    corm_statement_free(update);
}

/* Not so in BEGIN BATCH USING TIMESTAMP, which refuses conditions, counters, and statements that have their own. */
static void a_request_s_timestamp_is_a_batch_s_default(void **state) {
    static const struct {
        corm_batch_kind kind;
        const char     *text;
    } cases[] = {
        { CORM_UNLOGGED, "UPDATE items SET v = 'w' WHERE k = 1 AND c = 1 IF EXISTS" },
        { CORM_COUNTER_BATCH, "UPDATE counts SET n = n + 1 WHERE k = 1" },
        { CORM_UNLOGGED, "UPDATE counts SET n = n + 1 WHERE k = 1" },
        { CORM_LOGGED, "INSERT INTO items (k, c, v) VALUES (78, 0, 'x') USING TIMESTAMP 9" },
        { CORM_LOGGED, "INSERT INTO items (k, c, v) VALUES (78, 1, 'x')" },
    };
    (void)state;
    run("CREATE TABLE counts (k int PRIMARY KEY, n counter)");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        corm_batch *batch = corm_batch_new(session, cases[i].kind);
        corm_error  err = { 0 };
        assert_ok(corm_batch_add_text(batch, cases[i].text, NULL, 0, &err), err);
        corm_batch_options(batch)->has_timestamp = true;
        corm_batch_options(batch)->timestamp_us = 7;
        assert_ok(corm_batch_run(batch, NULL, &err), err);
        corm_batch_free(batch);
    }
    assert_int_equal(number("SELECT writetime(v) FROM items WHERE k = 78 AND c = 0"), 9);
    assert_int_equal(number("SELECT writetime(v) FROM items WHERE k = 78 AND c = 1"), 7);
    assert_int_equal(number("SELECT n FROM counts WHERE k = 1"), 2);
    run("DELETE FROM items WHERE k = 78");
}

static corm_status count_items(void *context, corm_session *given, corm_error *err) {
    assert_ptr_equal(given, session);
    corm_result *result;
    corm_status  status =
        corm_execute(session, "SELECT count(*) FROM items", &result, { .error = err });
    if (status != CORM_OK) return status;
    *(int64_t *)context = corm_row_bigint(corm_result_next(result), 0);
    corm_result_free(result);
    return CORM_OK;
}

static corm_status select_nothing(void *context, corm_session *given, corm_error *err) {
    ++*(int *)context;
    return corm_execute(given, "SELECT * FROM nothing", NULL, { .error = err });
}

static void work_is_done_with_the_session_s_retries(void **state) {
    (void)state;
    corm_error err = { 0 };
    int64_t    count = 0;
    int        calls = 0;
    assert_ok(corm_execute_with_retry(session, count_items, &count, NULL, &err), err);
    assert_int_equal(count, ROWS);
    assert_status(corm_execute_with_retry(session, select_nothing, &calls, NULL, &err),
                  CORM_INVALID);
    assert_int_equal(calls, 1);
}

/* ---- what only a cluster tells ---- */

static void figures_count_what_was_asked(void **state) {
    (void)state;
    if (!testing__is_cluster()) skip();
    const corm_stats *stats;
    corm_error        err = { 0 };
    char             *text;
    assert_ok(corm_session_stats(session, &stats, &err), err);
    assert_true(stats->requests >= ROWS / 5);
    assert_true(stats->nodes_up >= 1 && stats->connections >= 1);
    assert_true(stats->bytes_sent > 1000 && stats->bytes_received > 100);
    assert_true(stats->latencies.count > 0 && stats->latencies.max_us >= stats->latencies.p50_us);
    assert_true(stats->token_routed > 0);
    assert_int_equal(stats->node_count, stats->nodes);
    corm_stats_free(stats);
    assert_ok(corm_session_metrics(session, &text, &err), err);
    assert_non_null(strstr(text, "\ncorm_nodes_up "));
    assert_non_null(strstr(text, "\ncorm_node_up{node=\""));
    free(text);
}

static void a_trace_tells_what_the_server_did(void **state) {
    (void)state;
    corm_result *result, *trace;
    corm_error   err = { 0 };
    assert_ok(corm_execute(session, "SELECT * FROM items WHERE k = 1", &result,
                           { .request = { .trace = true }, .error = &err }),
              err);
    corm_uuid id = corm_result_tracing_id(result);
    assert_false(corm_uuid_is_zero(id));
    assert_ok(corm_session_trace(session, id, &trace, &err), err);
    assert_true(corm_result_row_count(trace) > 2);
    assert_true(corm_row_text(corm_result_next(trace), 0).len > 0);
    corm_result_free(trace);
    corm_result_free(result);
}

static void all_nodes_agree_on_the_schema(void **state) {
    (void)state;
    corm_error err = { 0 };
    assert_ok(corm_session_wait_for_agreement(session, 10000, &err), err);
}

/* Each statement may be prepared by another node than the one that made its table. */
static void a_table_is_known_to_every_node_when_it_is_made(void **state) {
    (void)state;
    for (int i = 0; i < 6; i++) {
        char text[80];
        snprintf(text, sizeof text, "CREATE TABLE made_%d (k int PRIMARY KEY, v int)", i);
        run(text);
        for (int j = 0; j < 3; j++) {
            snprintf(text, sizeof text, "SELECT %.*s FROM made_%d WHERE k = ?", 1 + 3 * j,
                     "k, v, k, v", i);
            corm_statement_free(prepare(text));
        }
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_batch_in_pieces_is_written_whole),
    cmocka_unit_test(what_was_added_last_wins_across_pieces),
    cmocka_unit_test(rows_are_stepped_through_in_pages),
    cmocka_unit_test(page_tokens_lead_through_all_pages),
    cmocka_unit_test(a_scan_sees_every_row_and_static_partition_once),
    cmocka_unit_test(a_scan_goes_on_where_it_was_stopped),
    cmocka_unit_test(a_conditional_write_is_applied_or_not),
    cmocka_unit_test(a_condition_in_a_piece_that_does_not_hold_is_told),
    cmocka_unit_test(a_request_s_timestamp_is_a_batch_s_default),
    cmocka_unit_test(work_is_done_with_the_session_s_retries),
    cmocka_unit_test(figures_count_what_was_asked),
    cmocka_unit_test(a_trace_tells_what_the_server_did),
    cmocka_unit_test(all_nodes_agree_on_the_schema),
    cmocka_unit_test(a_table_is_known_to_every_node_when_it_is_made),
};

int main(void) {
    return cmocka_run_group_tests(tests, open_items, close_items);
}
