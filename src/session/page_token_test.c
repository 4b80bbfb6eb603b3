// SPDX-License-Identifier: MIT
#include "corm/cluster.h"

#include <stdlib.h>

#include "base/clock.h"
#include "testing/check.h"

#define NEWER "SELECT k, c FROM items WHERE k = ? AND c > ?"

static const uint8_t key[32] = "a key that every process of ours";

static corm_session *open_items(const uint8_t *page_token_key) {
    corm_session *session = NULL;
    corm_error    err = { 0 };
    assert_ok(corm_session_open(&session, "corm::memory:?keyspace=shop&create_keyspace=true",
                                &(corm_session_options){ .page_token_key = page_token_key }, &err),
              err);
    assert_ok(
        corm_execute(session,
                     "CREATE TABLE items (k int, c int, v text, PRIMARY KEY (k, c)) WITH id = "
                     "11111111-2222-3333-4444-555555555555",
                     NULL, { .error = &err }),
        err);
    for (int32_t i = 0; i < 10; i++) {
        assert_ok(corm_execute(session, "INSERT INTO items (k, c) VALUES (1, ?)", NULL,
                               { .values = { corm_v(i) }, .error = &err }),
                  err);
    }
    return session;
}

static corm_prepared *prepare(corm_session *session, const char *cql) {
    corm_prepared *prepared;
    corm_error     err = { 0 };
    assert_ok(corm_prepare(session, cql, &prepared, &err), err);
    return prepared;
}

static corm_statement *bind(corm_prepared *prepared, int32_t k, int32_t c) {
    corm_error      err = { 0 };
    corm_statement *statement = corm_statement_new(prepared);
    assert_non_null(statement);
    assert_ok(corm_statement_bind(statement, 0, corm_v(k), &err), err);
    assert_ok(corm_statement_bind(statement, 1, corm_v(c), &err), err);
    corm_statement_options(statement)->page_size = 3;
    return statement;
}

/* The token of the first page of k = 1 and c > 0. */
static char *first_token(corm_prepared *prepared) {
    corm_error      err = { 0 };
    corm_result    *page;
    char           *token;
    corm_statement *statement = bind(prepared, 1, 0);
    assert_ok(corm_run(statement, &page, &err), err);
    assert_ok(corm_page_token(page, &token, &err), err);
    corm_result_free(page);
    corm_statement_free(statement);
    return token;
}

static void expect_first_row(corm_statement *statement, int32_t c) {
    corm_error   err = { 0 };
    corm_result *page;
    assert_ok(corm_run(statement, &page, &err), err);
    assert_int_equal(corm_row_int(corm_result_next(page), 1), c);
    corm_result_free(page);
}

static void a_token_leads_to_the_next_page(void **state) {
    (void)state;
    corm_session   *session = open_items(NULL);
    corm_prepared  *prepared = prepare(session, NEWER);
    char           *token = first_token(prepared);
    corm_statement *statement = bind(prepared, 1, 0);
    corm_error      err = { 0 };
    assert_int_equal(
        strspn(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
        strlen(token));
    assert_ok(corm_statement_set_page_token(statement, token, 60, &err), err);
    expect_first_row(statement, 4);
    corm_statement_free(statement);
    free(token);
    corm_prepared_free(prepared);
    corm_session_close(session);
}

static void a_token_of_a_text_with_values_is_one_of_the_statement(void **state) {
    (void)state;
    corm_session   *session = open_items(NULL);
    corm_prepared  *prepared = prepare(session, NEWER);
    corm_statement *statement = bind(prepared, 1, 0);
    corm_result    *page;
    char           *token;
    corm_error      err = { 0 };
    assert_ok(
        corm_execute(
            session, NEWER, &page,
            { .values = { corm_v(1), corm_v(0) }, .request = { .page_size = 2 }, .error = &err }),
        err);
    assert_ok(corm_page_token(page, &token, &err), err);
    assert_ok(corm_statement_set_page_token(statement, token, 0, &err), err);
    expect_first_row(statement, 3);
    free(token);
    corm_result_free(page);
    corm_statement_free(statement);
    corm_prepared_free(prepared);
    corm_session_close(session);
}

static void a_token_is_never_the_same_twice(void **state) {
    (void)state;
    corm_session  *session = open_items(key);
    corm_prepared *prepared = prepare(session, NEWER);
    char          *one = first_token(prepared), *other = first_token(prepared);
    assert_string_not_equal(one, other);
    free(one);
    free(other);
    corm_prepared_free(prepared);
    corm_session_close(session);
}

static void the_last_page_has_no_token(void **state) {
    (void)state;
    corm_session *session = open_items(NULL);
    corm_error    err = { 0 };
    corm_result  *page;
    char         *token;
    assert_ok(corm_execute(session, "SELECT * FROM items", &page, { .error = &err }), err);
    assert_status(corm_page_token(page, &token, &err), CORM_NOT_FOUND);
    assert_null(token);
    corm_result_free(page);
    corm_session_close(session);
}

static void refused(corm_statement *statement, const char *token, const char *words) {
    corm_error err = { 0 };
    assert_status(corm_statement_set_page_token(statement, token, 60, &err), CORM_INVALID_ARGUMENT);
    if (!strstr(err.message, words)) fail_msg("\"%s\" is not in \"%s\"", words, err.message);
    assert_null(corm_statement_options(statement)->paging_state.data);
}

static void an_altered_token_is_refused(void **state) {
    (void)state;
    corm_session   *session = open_items(NULL);
    corm_prepared  *prepared = prepare(session, NEWER);
    char           *token = first_token(prepared);
    corm_statement *statement = bind(prepared, 1, 0);
    size_t          len = strlen(token);
    for (size_t i = 0; i < len; i++) {
        char was = token[i];
        token[i] = was == 'x' ? 'y' : 'x';
        refused(statement, token, "altered");
        token[i] = was;
    }
    for (size_t i = 0; i < len; i++) {
        char was = token[i];
        token[i] = '\0';
        refused(statement, token, "altered");
        token[i] = was;
    }
    refused(statement, "", "altered");
    refused(statement, "not base64!", "altered");
    refused(statement, NULL, "NULL");
    corm_statement_free(statement);
    free(token);
    corm_prepared_free(prepared);
    corm_session_close(session);
}

static void a_token_of_other_values_is_refused(void **state) {
    (void)state;
    corm_session   *session = open_items(NULL);
    corm_prepared  *prepared = prepare(session, NEWER);
    char           *token = first_token(prepared);
    corm_statement *statement = bind(prepared, 1, 1);
    refused(statement, token, "values");
    corm_statement_free(statement);
    free(token);
    corm_prepared_free(prepared);
    corm_session_close(session);
}

static void a_token_of_another_statement_is_refused(void **state) {
    (void)state;
    corm_session   *session = open_items(NULL);
    corm_prepared  *prepared = prepare(session, NEWER);
    corm_prepared  *other = prepare(session, "SELECT k, c FROM items WHERE k = ? AND c >= ?");
    char           *token = first_token(prepared);
    corm_statement *statement = bind(other, 1, 0);
    refused(statement, token, "statement");
    corm_statement_free(statement);
    free(token);
    corm_prepared_free(other);
    corm_prepared_free(prepared);
    corm_session_close(session);
}

static void a_token_of_another_keyspace_is_refused(void **state) {
    (void)state;
    corm_session  *session = open_items(NULL);
    corm_prepared *prepared = prepare(session, NEWER);
    char          *token = first_token(prepared);
    corm_error     err = { 0 };
    const char    *create = "CREATE KEYSPACE two WITH replication = {'class': 'SimpleStrategy', "
                            "'replication_factor': 1}";
    const char    *texts[] = { create, "USE two",
                               "CREATE TABLE items (k int, c int, v text, PRIMARY KEY (k, c))" };
    for (size_t i = 0; i < 3; i++) {
        assert_ok(corm_execute(session, texts[i], NULL, { .error = &err }), err);
    }
    corm_prepared  *same = prepare(session, NEWER);
    corm_statement *statement = bind(same, 1, 0);
    refused(statement, token, "statement");
    corm_statement_free(statement);
    free(token);
    corm_prepared_free(same);
    corm_prepared_free(prepared);
    corm_session_close(session);
}

/* A token of one process in another one: two sessions with the same data. */
static corm_status try_elsewhere(const uint8_t *here, const uint8_t *there) {
    corm_session   *one = open_items(here), *two = open_items(there);
    corm_prepared  *prepared = prepare(one, NEWER), *again = prepare(two, NEWER);
    char           *token = first_token(prepared);
    corm_statement *statement = bind(again, 1, 0);
    corm_status     status = corm_statement_set_page_token(statement, token, 60, NULL);
    if (status == CORM_OK) expect_first_row(statement, 4);
    corm_statement_free(statement);
    free(token);
    corm_prepared_free(again);
    corm_prepared_free(prepared);
    corm_session_close(two);
    corm_session_close(one);
    return status;
}

static void a_token_of_another_key_is_refused(void **state) {
    (void)state;
    assert_status(try_elsewhere(NULL, NULL), CORM_INVALID_ARGUMENT);
    assert_status(try_elsewhere(key, NULL), CORM_INVALID_ARGUMENT);
}

static void a_session_with_the_same_key_takes_the_token(void **state) {
    (void)state;
    assert_status(try_elsewhere(key, key), CORM_OK);
}

static void an_old_token_is_refused(void **state) {
    (void)state;
    corm_session   *session = open_items(NULL);
    corm_prepared  *prepared = prepare(session, NEWER);
    corm_statement *statement = bind(prepared, 1, 0);
    corm_error      err = { 0 };
    base__clock_fake(1000000000);
    char *token = first_token(prepared);
    base__clock_fake(1060000000);
    assert_ok(corm_statement_set_page_token(statement, token, 60, &err), err);
    base__clock_fake(1061000000);
    refused(statement, token, "61 seconds old");
    assert_ok(corm_statement_set_page_token(statement, token, 0, &err), err);
    base__clock_fake(0);
    corm_statement_free(statement);
    free(token);
    corm_prepared_free(prepared);
    corm_session_close(session);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_leads_to_the_next_page),
        cmocka_unit_test(a_token_of_a_text_with_values_is_one_of_the_statement),
        cmocka_unit_test(a_token_is_never_the_same_twice),
        cmocka_unit_test(the_last_page_has_no_token),
        cmocka_unit_test(an_altered_token_is_refused),
        cmocka_unit_test(a_token_of_other_values_is_refused),
        cmocka_unit_test(a_token_of_another_statement_is_refused),
        cmocka_unit_test(a_token_of_another_keyspace_is_refused),
        cmocka_unit_test(a_token_of_another_key_is_refused),
        cmocka_unit_test(a_session_with_the_same_key_takes_the_token),
        cmocka_unit_test(an_old_token_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
