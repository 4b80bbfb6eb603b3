// SPDX-License-Identifier: MIT
/* What only a cluster has: versions of the protocol, compression, profiles, traces, and the caller's loop. */
#include <dirent.h>
#include <stdatomic.h>
#include <uv.h>

#include "corm/cluster.h"
#include "testing/doors.h"

static void run(corm_session *session, const char *cql) {
    corm_error err;
    assert_ok(corm_execute(session, cql, NULL, { .error = &err }), err);
}

/* A session with settings of the URI's over a table that every test leaves as it was. */
static corm_session *open_with(const char *settings, const corm_session_options *options) {
    char          uri[512];
    corm_session *session = NULL;
    corm_error    err;
    snprintf(uri, sizeof uri, "%s/cluster_test?pool_size=1&%s", testing__uri(), settings);
    assert_ok(corm_session_open(&session, uri, options, &err), err);
    return session;
}

static int make_table(void **state) {
    (void)state;
    if (!testing__is_cluster()) return 0;
    corm_session *session = testing__open("cluster_test");
    run(session, "CREATE TABLE t (k int PRIMARY KEY, v text)");
    corm_session_close(session);
    return 0;
}

#define NEEDS_CLUSTER()                                                                            \
    do {                                                                                           \
        (void)state;                                                                               \
        if (!testing__is_cluster()) skip();                                                        \
    } while (0)

static void write_and_read(corm_session *session, const char *text) {
    corm_result *result;
    corm_error   err;
    run(session, "TRUNCATE t");
    for (int32_t i = 0; i < 20; i++) {
        assert_ok(corm_execute(session, "INSERT INTO t (k, v) VALUES (?, ?)", NULL,
                               { .values = { corm_v(i), corm_v(text) }, .error = &err }),
                  err);
    }
    assert_ok(corm_execute(session, "SELECT v FROM t", &result,
                           { .request = { .page_size = 7 }, .error = &err }),
              err);
    int             count = 0;
    const corm_row *row;
    for (;; count++) {
        assert_ok(corm_result_step(result, &row, &err), err);
        if (!row) break;
        assert_text(corm_row_text(row, 0), text);
    }
    assert_int_equal(count, 20);
    corm_result_free(result);
}

static void every_version_and_compression_carries_rows(void **state) {
    NEEDS_CLUSTER();
    static const char *const settings[] = {
        "protocol_version=5",
        "protocol_version=4",
        "protocol_version=5&compression=lz4",
        "protocol_version=4&compression=lz4",
        "protocol_version=4&compression=snappy",
    };
    static char text[3000];
    memset(text, 'x', sizeof text - 1);
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        corm_session *session = open_with(settings[i], NULL);
        write_and_read(session, text);
        corm_session_close(session);
    }
}

/* In version 4 neither requests have a keyspace nor PREPARED a metadata id. */
static void names_and_columns_follow_in_both_versions(void **state) {
    NEEDS_CLUSTER();
    static const char *const settings[] = { "protocol_version=4", "protocol_version=5" };
    for (int i = 0; i < 2; i++) {
        corm_session  *session = open_with(settings[i], NULL);
        corm_prepared *prepared;
        corm_result   *result;
        corm_error     err;
        run(session, "DROP TABLE IF EXISTS changes");
        run(session, "CREATE TABLE changes (k int PRIMARY KEY, a int)");
        run(session, "INSERT INTO changes (k, a) VALUES (1, 2)");
        assert_ok(corm_prepare(session, "SELECT * FROM changes", &prepared, &err), err);
        corm_statement *select = corm_statement_new(prepared);
        run(session, "ALTER TABLE changes ADD aa text");
        run(session, "UPDATE changes SET aa = 'new' WHERE k = 1");
        for (int n = 0; n < 3; n++) {
            assert_ok(corm_run(select, &result, &err), err);
            const corm_row *row = corm_result_next(result);
            int             aa = corm_result_column_index(result, "aa");
            assert_int_equal(aa, 2);
            assert_text(corm_row_text(row, 2), "new");
            corm_result_free(result);
        }
        assert_ok(corm_execute(session, "SELECT count(*) FROM local", &result,
                               { .request = { .keyspace = "system" }, .error = &err }),
                  err);
        corm_result_free(result);
        run(session, "USE system");
        assert_string_equal(corm_session_keyspace(session), "system");
        run(session, "SELECT key FROM local");
        corm_statement_free(select);
        corm_prepared_free(prepared);
        corm_session_close(session);
    }
}

static void a_trace_tells_what_the_node_did(void **state) {
    NEEDS_CLUSTER();
    if (testing__is_served()) skip();
    corm_session *session = open_with("", NULL);
    corm_result  *result, *events;
    corm_error    err;
    assert_ok(
        corm_execute(session, "SELECT * FROM t WHERE k = ?", &result,
                     { .values = { corm_v(1) }, .request = { .trace = true }, .error = &err }),
        err);
    corm_uuid id = corm_result_tracing_id(result);
    assert_false(corm_uuid_is_zero(id));
    corm_result_free(result);
    assert_ok(corm_session_trace(session, id, &events, &err), err);
    assert_true(corm_result_row_count(events) > 0);
    corm_result_free(events);
    corm_session_close(session);
}

static void a_profile_is_found_by_its_name(void **state) {
    NEEDS_CLUSTER();
    const corm_profile   profiles[] = { { .name = "wrong", .consistency = CORM_THREE },
                                        { .name = "two rows", .page_size = 2 } };
    corm_cluster_options cluster = { .profiles = profiles, .profile_count = 2 };
    corm_session        *session = open_with("", &(corm_session_options){ .cluster = &cluster });
    corm_result         *result;
    corm_error           err;
    write_and_read(session, "x");
    assert_ok(corm_execute(session, "SELECT * FROM t", &result,
                           { .request = { .profile = "two rows" }, .error = &err }),
              err);
    assert_int_equal(corm_result_row_count(result), 2);
    corm_result_free(result);
    assert_status(corm_execute(session, "SELECT * FROM t", NULL,
                               { .request = { .profile = "wrong" }, .error = &err }),
                  CORM_UNAVAILABLE);
    assert_status(corm_execute(session, "SELECT * FROM t", NULL,
                               { .request = { .profile = "none" }, .error = &err }),
                  CORM_INVALID_ARGUMENT);
    assert_non_null(strstr(err.message, "'none'"));
    corm_session_close(session);
}

/* ---- callbacks ---- */

typedef struct inside {
    corm_session *session;
    corm_status   executed, prepared, waited;
    corm_task    *other;
} inside;

static void call_inside(void *context, corm_status status, corm_result *result,
                        const corm_error *error) {
    inside        *own = context;
    corm_prepared *prepared = NULL;
    corm_error     err;
    (void)status;
    (void)error;
    corm_result_free(result);
    own->executed = corm_execute_with(own->session, "SELECT * FROM t", NULL, NULL);
    own->prepared = corm_prepare(own->session, "SELECT k FROM t", &prepared, &err);
    own->other = corm_execute_async(own->session, "SELECT * FROM t", NULL, NULL, NULL);
    own->waited = corm_task_wait(own->other, 0);
}

static void nothing_waits_inside_a_callback(void **state) {
    NEEDS_CLUSTER();
    inside     own = { .session = open_with("", NULL) };
    corm_task *task = corm_execute_async(own.session, "SELECT * FROM t", NULL, call_inside, &own);
    assert_status(corm_task_wait(task, 0), CORM_OK);
    assert_status(own.executed, CORM_WOULD_DEADLOCK);
    assert_status(own.prepared, CORM_WOULD_DEADLOCK);
    assert_status(own.waited, CORM_WOULD_DEADLOCK);
    assert_status(corm_task_wait(own.other, 0), CORM_OK);
    corm_task_free(own.other);
    corm_task_free(task);
    corm_session_close(own.session);
}

static void a_cancelled_request_ends(void **state) {
    NEEDS_CLUSTER();
    corm_session *session = open_with("", NULL);
    for (int i = 0; i < 20; i++) {
        corm_task *task = corm_execute_async(session, "SELECT * FROM t", NULL, NULL, NULL);
        corm_task_cancel(task);
        corm_status status = corm_task_wait(task, 0);
        assert_true(status == CORM_CANCELLED || status == CORM_OK);
        corm_task_free(task);
    }
    corm_session_close(session);
}

/* ---- the caller's loop ---- */

static int threads_of_process(void) {
    int  count = 0;
    DIR *folder = opendir("/proc/self/task");
    assert_non_null(folder);
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        count += entry->d_name[0] != '.';
    }
    closedir(folder);
    return count;
}

static void count(void *context, corm_status status, corm_result *result, const corm_error *error) {
    (void)error;
    corm_result_free(result);
    *(int *)context += status == CORM_OK;
}

static void a_program_s_own_loop_needs_no_thread(void **state) {
    NEEDS_CLUSTER();
    uv_loop_t loop;
    int       before = threads_of_process(), seen = 0;
    assert_int_equal(uv_loop_init(&loop), 0);
    corm_cluster_options cluster = { .loop = &loop };
    corm_session        *session = open_with("", &(corm_session_options){ .cluster = &cluster });
    write_and_read(session, "x");
    for (int32_t i = 0; i < 50; i++) {
        corm_task_free(corm_execute_async(
            session, "INSERT INTO t (k, v) VALUES (?, ?)",
            &(corm_execute_options){ .values = { corm_v(i), corm_v("y") } }, count, &seen));
    }
    while (seen < 25) uv_run(&loop, UV_RUN_ONCE);
    corm_task *task = corm_execute_async(session, "SELECT * FROM t", NULL, count, &seen);
    assert_status(corm_task_wait(task, 0), CORM_OK);
    corm_task_free(task);
    assert_int_equal(threads_of_process(), before);
    for (int32_t i = 0; i < 50; i++) {
        corm_task_free(corm_execute_async(session, "SELECT * FROM t", NULL, count, &seen));
    }
    corm_session_close(session);
    assert_int_equal(seen, 101);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

/* ---- what goes wrong ---- */

static void what_cannot_be_opened_says_why(void **state) {
    NEEDS_CLUSTER();
    char          uri[512];
    corm_session *session;
    corm_error    err;
    snprintf(uri, sizeof uri, "%s/no_such_keyspace", testing__uri());
    assert_status(corm_session_open(&session, uri, NULL, &err), CORM_INVALID);
    assert_non_null(strstr(err.message, "no_such_keyspace"));
    corm_session_options options = { .read_only = true };
    assert_status(corm_session_open(&session, testing__uri(), &options, &err), CORM_UNSUPPORTED);
    corm_cluster_options cluster = { ._canary = 1 };
    options = (corm_session_options){ .cluster = &cluster };
    assert_status(corm_session_open(&session, testing__uri(), &options, &err),
                  CORM_INVALID_ARGUMENT);
    assert_int_not_equal(
        corm_session_open(&session, "cassandra://127.0.0.1:1?connect_timeout_ms=2000", NULL, &err),
        CORM_OK);
    assert_non_null(strstr(err.message, "127.0.0.1"));
    assert_null(session);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_version_and_compression_carries_rows),
    cmocka_unit_test(names_and_columns_follow_in_both_versions),
    cmocka_unit_test(a_trace_tells_what_the_node_did),
    cmocka_unit_test(a_profile_is_found_by_its_name),
    cmocka_unit_test(nothing_waits_inside_a_callback),
    cmocka_unit_test(a_cancelled_request_ends),
    cmocka_unit_test(a_program_s_own_loop_needs_no_thread),
    cmocka_unit_test(what_cannot_be_opened_says_why),
};

int main(void) {
    return cmocka_run_group_tests(tests, make_table, NULL);
}
