// SPDX-License-Identifier: MIT
/* What only the embedded store has: folders, and a schema to look at. */
#include "session/door.h"

#include "corm/schema.h"
#include "cql/schema.h"
#include "testing/check.h"

static void run(corm_session *session, const char *cql) {
    corm_error err;
    assert_ok(corm_execute(session, cql, NULL, { .error = &err }), err);
}

static void the_schema_has_what_was_made(void **state) {
    (void)state;
    corm_session *session;
    corm_error    err;
    assert_ok(
        corm_session_open(&session, "corm::memory:?keyspace=shop&create_keyspace=true", NULL, &err),
        err);
    run(session, "CREATE TABLE users (id int PRIMARY KEY)");
    cql_schema *schema = session__schema(session);
    assert_non_null(cql__schema_table(schema, corm_str_of("shop"), corm_str_of("users")));
    cql__schema_unref(schema);
    corm_session_close(session);
}

static void a_folder_keeps_what_was_written(void **state) {
    (void)state;
    corm_session        *session;
    corm_result         *result;
    corm_error           err;
    corm_session_options options = { .keyspace = "shop", .must_exist = true };
    assert_status(corm_session_open(&session, "corm:./kept", &options, &err), CORM_NOT_FOUND);
    assert_null(session);
    assert_ok(
        corm_session_open(&session, "corm:./kept?keyspace=shop&create_keyspace=true", NULL, &err),
        err);
    run(session, "CREATE TABLE t (k int PRIMARY KEY, v text)");
    run(session, "INSERT INTO t (k, v) VALUES (1, 'kept')");
    corm_session_close(session);
    options.read_only = true;
    assert_ok(corm_session_open(&session, "corm:./kept", &options, &err), err);
    assert_ok(corm_execute(session, "SELECT v FROM t", &result, { .error = &err }), err);
    assert_text(corm_row_text(corm_result_next(result), 0), "kept");
    corm_result_free(result);
    assert_status(corm_execute(session, "INSERT INTO t (k) VALUES (2)", NULL, { .error = &err }),
                  CORM_INVALID);
    corm_session_close(session);
}

static void what_cannot_be_opened_is_refused(void **state) {
    (void)state;
    corm_session        *session;
    corm_error           err;
    corm_session_options uninitialised = { ._canary = 1 };
    assert_status(corm_session_open(&session, "mongodb://localhost", NULL, &err), CORM_UNSUPPORTED);
    assert_status(corm_session_open(&session, "shop", NULL, &err), CORM_INVALID_ARGUMENT);
    assert_status(corm_session_open(&session, "corm::memory:?keyspace=nope", NULL, &err),
                  CORM_INVALID);
    assert_status(corm_session_open(&session, "corm::memory:", &uninitialised, &err),
                  CORM_INVALID_ARGUMENT);
    assert_status(corm_session_open(NULL, "corm::memory:", NULL, &err), CORM_INVALID_ARGUMENT);
    assert_null(session);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_schema_has_what_was_made),
    cmocka_unit_test(a_folder_keeps_what_was_written),
    cmocka_unit_test(what_cannot_be_opened_is_refused),
};

RUN_TESTS()
