// SPDX-License-Identifier: MIT
/* processes_test.c -- several processes on one folder, through the public session. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "corm/corm.h"
#include "engine/core.h"
#include "testing/check.h"

enum { PROCESSES = 3, ROWS = 60 };

static corm_error err;

static corm_session *open_session(const char *uri) {
    corm_session *session;
    assert_ok(corm_session_open(&session, uri, NULL, &err), err);
    return session;
}

static corm_status execute(corm_session *session, const char *format, int a, int b,
                           corm_result **out) {
    char text[300];
    snprintf(text, sizeof text, format, a, b);
    corm_execute_options options = { .error = &err };
    return corm_execute_with(session, text, &options, out);
}

static uint32_t count(corm_session *session, const char *format, int number) {
    corm_result *result;
    assert_ok(execute(session, format, number, 0, &result), err);
    uint32_t rows = corm_result_row_count(result);
    corm_result_free(result);
    return rows;
}

static pid_t start(int (*body)(int number), int number) {
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) _exit(body(number));
    return pid;
}

static void expect_end(pid_t pid) {
    int how = 0;
    assert_int_equal(waitpid(pid, &how, 0), pid);
    if (!WIFEXITED(how) || WEXITSTATUS(how) != 0)
        fail_msg("a process ended with %x", (unsigned)how);
}

static void make_tables(const char *uri) {
    corm_session *session = open_session(uri);
    assert_ok(
        execute(
            session,
            "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
            0, 0, NULL),
        err);
    assert_ok(execute(session, "CREATE TABLE k.t (p int, n int, tag int, PRIMARY KEY (p, n))", 0, 0,
                      NULL),
              err);
    assert_ok(execute(session, "CREATE INDEX ON k.t (tag)", 0, 0, NULL), err);
    assert_ok(execute(session, "CREATE TABLE k.c (id int PRIMARY KEY, n counter)", 0, 0, NULL),
              err);
    corm_session_close(session);
}

/* ---- data and schema at once ---- */

#define TRY(status)                                                                                \
    do {                                                                                           \
        if ((status) != CORM_OK) {                                                                 \
            fprintf(stderr, "%s\n", err.message);                                                  \
            return 1;                                                                              \
        }                                                                                          \
    } while (0)

static int write_and_change(int number) {
    corm_session *session;
    TRY(corm_session_open(&session, "corm:shared", NULL, &err));
    for (int n = 0; n < ROWS; n++) {
        if (n == 10)
            TRY(execute(session, "CREATE TABLE k.own%d (id int PRIMARY KEY, v int)", number, 0,
                        NULL));
        if (n == 20) TRY(execute(session, "ALTER TABLE k.t ADD extra%d int", number, 0, NULL));
        if (n > 20)
            TRY(execute(session, "UPDATE k.t SET extra%d = 1 WHERE p = 100 AND n = %d", number, n,
                        NULL));
        if (n == 30) TRY(execute(session, "CREATE INDEX ON k.own%d (v)", number, 0, NULL));
        if (n > 10)
            TRY(execute(session, "INSERT INTO k.own%d (id, v) VALUES (%d, 1)", number, n, NULL));
        TRY(execute(session, "INSERT INTO k.t (p, n, tag) VALUES (%d, %d, 5)", number, n, NULL));
        TRY(execute(session, "UPDATE k.c SET n = n + 1 WHERE id = 1", 0, 0, NULL));
        TRY(execute(session, "SELECT * FROM k.t WHERE tag = 5", 0, 0, NULL));
    }
    corm_session_close(session);
    return 0;
}

static void processes_write_read_and_change_the_schema_at_once(void **state) {
    (void)state;
    pid_t children[PROCESSES];
    make_tables("corm:shared");
    for (int i = 0; i < PROCESSES; i++) children[i] = start(write_and_change, i);
    for (int i = 0; i < PROCESSES; i++) expect_end(children[i]);

    corm_session *session = open_session("corm:shared");
    corm_result  *result;
    for (int i = 0; i < PROCESSES; i++) {
        assert_int_equal(count(session, "SELECT n FROM k.t WHERE p = %d", i), ROWS);
        assert_int_equal(count(session, "SELECT id FROM k.own%d WHERE v = 1", i), ROWS - 11);
        assert_int_equal(
            count(session, "SELECT n FROM k.t WHERE p = 100 AND extra%d = 1 ALLOW FILTERING", i),
            ROWS - 21);
    }
    assert_int_equal(count(session, "SELECT n FROM k.t WHERE tag = %d", 5), PROCESSES * ROWS);
    assert_ok(execute(session, "SELECT n FROM k.c WHERE id = 1", 0, 0, &result), err);
    assert_int_equal(corm_row_bigint(corm_result_next(result), 0), PROCESSES * ROWS);
    corm_result_free(result);
    corm_session_close(session);

    engine *store;
    assert_ok(engine__open(&(engine_options){ .path = "shared" }, &store, &err), err);
    assert_ok(engine__verify(store, &err), err);
    engine__close(store);
}

/* A statement that was prepared before another process changed its table gives the new columns. */
static void a_prepared_statement_follows_another_process(void **state) {
    (void)state;
    make_tables("corm:follow");
    corm_session  *session = open_session("corm:follow");
    corm_prepared *prepared;
    corm_result   *result;
    assert_ok(execute(session, "INSERT INTO k.t (p, n, tag) VALUES (1, 1, 1)", 0, 0, NULL), err);
    assert_ok(corm_prepare(session, "SELECT * FROM k.t WHERE p = 1", &prepared, &err), err);
    corm_statement *statement = corm_statement_new(prepared);
    assert_ok(corm_run(statement, &result, &err), err);
    assert_int_equal(corm_result_column_count(result), 3);
    corm_result_free(result);
    pid_t pid = fork();
    if (pid == 0) {
        corm_session *own;
        bool          good = corm_session_open(&own, "corm:follow", NULL, &err) == CORM_OK &&
                    execute(own, "ALTER TABLE k.t ADD more int", 0, 0, NULL) == CORM_OK;
        _exit(good ? 0 : 1);
    }
    expect_end(pid);
    assert_ok(corm_run(statement, &result, &err), err);
    assert_int_equal(corm_result_column_count(result), 4);
    assert_non_null(corm_result_next(result));
    corm_result_free(result);
    corm_statement_free(statement);
    corm_prepared_free(prepared);
    corm_session_close(session);
}

/* ---- a writer that dies ---- */

static int ready_pipe[2];

static int die_with_the_lock(int number) {
    kv_store *store;
    kv_txn   *txn;
    (void)number;
    TRY(kv__open(&(kv_options){ .path = "dead" }, &store, &err));
    TRY(kv__write_begin(store, &txn, &err));
    TRY(kv__put(txn, KV_DATA, (corm_bytes){ (const uint8_t *)"half", 4 },
                (corm_bytes){ (const uint8_t *)"x", 1 }, &err));
    if (write(ready_pipe[1], "r", 1) != 1) return 2;
    for (;;) pause();
}

static void a_process_killed_with_the_write_lock_blocks_nobody(void **state) {
    (void)state;
    char ready;
    int  how;
    make_tables("corm:dead");
    assert_int_equal(pipe(ready_pipe), 0);
    pid_t pid = start(die_with_the_lock, 0);
    assert_int_equal(read(ready_pipe[0], &ready, 1), 1);
    corm_session *session = open_session("corm:dead");
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_ok(execute(session, "INSERT INTO k.t (p, n, tag) VALUES (1, 1, 1)", 0, 0, NULL), err);
    assert_int_equal(count(session, "SELECT n FROM k.t WHERE p = %d", 1), 1);
    assert_int_equal(waitpid(pid, &how, 0), pid);
    corm_session_close(session);
    engine *store;
    assert_ok(engine__open(&(engine_options){ .path = "dead" }, &store, &err), err);
    assert_ok(engine__verify(store, &err), err);
    engine__close(store);
}

/* ---- fork ---- */

static corm_session *inherited;

static int use_and_open_anew(int number) {
    corm_session *own;
    (void)number;
    if (execute(inherited, "SELECT * FROM k.t", 0, 0, NULL) == CORM_OK) return 2;
    if (!strstr(err.message, "fork()")) return 3;
    if (execute(inherited, "INSERT INTO k.t (p, n, tag) VALUES (7, 7, 7)", 0, 0, NULL) == CORM_OK)
        return 4;
    TRY(corm_session_open(&own, "corm:forked", NULL, &err));
    TRY(execute(own, "INSERT INTO k.t (p, n, tag) VALUES (2, 2, 2)", 0, 0, NULL));
    corm_session_close(own);
    return 0;
}

static void a_child_opens_the_folder_anew_and_the_parent_goes_on(void **state) {
    (void)state;
    make_tables("corm:forked");
    inherited = open_session("corm:forked");
    assert_ok(execute(inherited, "INSERT INTO k.t (p, n, tag) VALUES (1, 1, 1)", 0, 0, NULL), err);
    expect_end(start(use_and_open_anew, 0));
    assert_int_equal(count(inherited, "SELECT n FROM k.t WHERE p = %d", 2), 1);
    assert_int_equal(count(inherited, "SELECT n FROM k.t WHERE p = %d", 7), 0);
    assert_ok(execute(inherited, "INSERT INTO k.t (p, n, tag) VALUES (3, 3, 3)", 0, 0, NULL), err);
    corm_session_close(inherited);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(processes_write_read_and_change_the_schema_at_once),
    cmocka_unit_test(a_prepared_statement_follows_another_process),
    cmocka_unit_test(a_process_killed_with_the_write_lock_blocks_nobody),
    cmocka_unit_test(a_child_opens_the_folder_anew_and_the_parent_goes_on),
};

RUN_TESTS()
