// SPDX-License-Identifier: MIT
/* pains_paging_test.c -- pains 17, 26 and 27: pages without rows, pages that nobody takes, places to come back to. */
#include "pains.h"

/* `count` rows "0\n1\n…" in the column k. */
static void add_numbers(corm_fake_cluster *fake, const char *match, int count, uint32_t page_rows,
                        bool empty_first) {
    base_buf rows = { 0 };
    for (int i = 0; i < count; i++) base__buf_printf(&rows, "%d\n", i);
    corm_fake_rule rule = { .node = -1,
                            .match = match,
                            .columns = "k int",
                            .rows = base__buf_cstr(&rows),
                            .page_rows = page_rows,
                            .empty_first_page = empty_first };
    corm_fake_add_rule(fake, &rule);
    base__buf_free(&rows);
}

static corm_result *select_all(corm_session *session) {
    corm_result *result = NULL;
    corm_error   err;
    assert_ok(corm_execute(session, "SELECT k FROM t", &result, { .error = &err }), err);
    return result;
}

static int step(corm_result *result) {
    const corm_row *row = NULL;
    corm_error      err;
    assert_ok(corm_result_step(result, &row, &err), err);
    return row ? corm_row_int(row, 0) : -1;
}

/* Pain 26. */
static void a_page_without_rows_is_not_the_end(void **state) {
    (void)state;
    corm_fake_cluster *fake = start_fake((corm_fake_options){ .nodes = 2 });
    corm_session      *session = open_session(fake, quick());
    add_numbers(fake, "FROM t", 5, 2, true);
    corm_result *result = select_all(session);
    assert_int_equal(corm_result_row_count(result), 0);
    assert_true(corm_result_has_more(result));
    for (int i = 0; i < 5; i++) assert_int_equal(step(result), i);
    assert_int_equal(step(result), -1);
    corm_result_free(result);
    corm_session_close(session);
    corm_fake_stop(fake);
}

/* Pain 17. */
static void pages_are_not_read_ahead_of_who_reads_them(void **state) {
    (void)state;
    corm_fake_cluster *fake = start_fake((corm_fake_options){ 0 });
    corm_session      *session = open_session(fake, quick());
    add_numbers(fake, "FROM t", 1000, 10, false);
    corm_result *result = select_all(session);
    uint64_t     begun = corm_fake_count(fake, 0).requests;
    for (int i = 0; i < 35; i++) assert_int_equal(step(result), i);
    for (int i = 0; i < 20; i++) must_run(session, "INSERT INTO u (k) VALUES (1)");
    /* Pages 2 to 4, and at most one that is read ahead. */
    assert_true(corm_fake_count(fake, 0).requests - begun - 20 <= 4);
    corm_result_free(result);
    corm_session_close(session);
    corm_fake_stop(fake);
}

typedef struct slow_reader {
    const corm_fake_cluster *fake;
    uint64_t                 most_ahead, pages;
} slow_reader;

static corm_status read_slowly(void *context, corm_result *page, corm_error *err) {
    slow_reader *own = context;
    (void)page;
    (void)err;
    poll(NULL, 0, 5);
    uint64_t ahead = corm_fake_count(own->fake, -1).requests - own->pages;
    if (ahead > own->most_ahead) own->most_ahead = ahead;
    own->pages++;
    return CORM_OK;
}

/* Pain 17, for scans of whole tables. */
static void a_scan_waits_for_who_reads_it(void **state) {
    (void)state;
    corm_fake_cluster *fake = start_fake((corm_fake_options){ .nodes = 2 });
    corm_session      *session = open_session(fake, quick());
    corm_error         err;
    corm_scan         *scan = NULL;
    slow_reader        own = { .fake = fake };
    corm_fake_rule     keys = { .node = -1,
                                .match = "system_schema.columns",
                                .columns = "keyspace_name text, table_name text, column_name text, "
                                               "clustering_order text, kind text, position int, type text",
                                .rows = "'shop' | 't' | 'k' | 'none' | 'partition_key' | 0 | 'int'" };
    corm_fake_add_rule(fake, &keys);
    add_numbers(fake, "token(k)", 40, 10, false);
    corm_scan_options options = { .concurrency = 3, .ranges = 8, .page_size = 10, .error = &err };
    assert_ok(corm_scan_open(session, "t", &options, &scan), err);
    assert_ok(corm_scan_run(scan, read_slowly, &own, &err), err);
    assert_true(own.pages >= 8 * 4);
    /* Of each range one page that is being read and one behind it; and what opening the scan asked. */
    assert_true(own.most_ahead <= 3 * 2 + 2);
    corm_scan_free(scan);
    corm_session_close(session);
    corm_fake_stop(fake);
}

static corm_statement *select_by(corm_prepared *prepared, int32_t key, int32_t page_size) {
    corm_statement *statement = statement_of(prepared, key);
    corm_statement_options(statement)->page_size = page_size;
    return statement;
}

/* Pain 27. */
static void a_page_token_goes_on_elsewhere_and_only_with_its_statement(void **state) {
    (void)state;
    uint8_t              key[32] = { 7 };
    corm_fake_cluster   *fake = start_fake((corm_fake_options){ 0 });
    corm_cluster_options options = quick();
    options.page_token_key = key;
    add_numbers(fake, "FROM t", 10, 0, false);
    corm_session   *session = open_session(fake, options), *other = open_session(fake, options);
    corm_prepared  *prepared = prepare_text(session, "SELECT k FROM t WHERE p = ?");
    corm_prepared  *elsewhere = prepare_text(other, "SELECT k FROM t WHERE p = ?");
    corm_prepared  *different = prepare_text(other, "SELECT k FROM t WHERE q = ?");
    corm_statement *first = select_by(prepared, 1, 4), *next = select_by(elsewhere, 1, 4);
    corm_statement *other_key = select_by(elsewhere, 2, 4),
                   *other_text = select_by(different, 1, 4);
    corm_result *result = NULL;
    char        *token = NULL;
    corm_error   err;
    assert_ok(corm_run(first, &result, &err), err);
    assert_ok(corm_page_token(result, &token, &err), err);
    corm_result_free(result);

    assert_ok(corm_statement_set_page_token(next, token, 0, &err), err);
    assert_ok(corm_run(next, &result, &err), err);
    assert_int_equal(step(result), 4);
    corm_result_free(result);

    assert_status(corm_statement_set_page_token(other_key, token, 0, &err), CORM_INVALID_ARGUMENT);
    assert_status(corm_statement_set_page_token(other_text, token, 0, &err), CORM_INVALID_ARGUMENT);
    token[strlen(token) / 2] ^= 1;
    assert_status(corm_statement_set_page_token(next, token, 0, &err), CORM_INVALID_ARGUMENT);
    free(token);
    corm_statement *statements[] = { first, next, other_key, other_text };
    for (int i = 0; i < 4; i++) corm_statement_free(statements[i]);
    corm_prepared_free(prepared);
    corm_prepared_free(elsewhere);
    corm_prepared_free(different);
    corm_session_close(other);
    corm_session_close(session);
    corm_fake_stop(fake);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_page_without_rows_is_not_the_end),
    cmocka_unit_test(pages_are_not_read_ahead_of_who_reads_them),
    cmocka_unit_test(a_scan_waits_for_who_reads_it),
    cmocka_unit_test(a_page_token_goes_on_elsewhere_and_only_with_its_statement),
};
RUN_TESTS()
