// SPDX-License-Identifier: MIT
/* pains_session_test.c -- pains 48 to 51: a session's life, what it shows of itself, certificates, version 5. */
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utime.h>

#include "testing/certificates.h"

#include "pains.h"

/* Pain 48. */
static void sessions_open_and_close_again_and_again(void **state) {
    (void)state;
    corm_fake_cluster *fake = start_fake((corm_fake_options){ .nodes = 3 });
    for (int i = 0; i < 30; i++) {
        corm_session *session = open_session(fake, quick());
        if (i % 2) must_run(session, "SELECT k FROM t");
        corm_session_close(session);
    }
    WAIT_FOR(corm_fake_count(fake, -1).open_connections == 0);
    corm_fake_stop(fake);
}

/* Pain 48. Closing waits for what is under way, as long as that may last. */
static void closing_leaves_no_callback_out(void **state) {
    (void)state;
    corm_fake_cluster *fake = start_fake((corm_fake_options){ 0 });
    corm_session      *session = open_session(fake, quick());
    tasks              all = { .count = 0 };
    corm_fake_rule     lost = { .node = -1, .match = "FROM lost", .no_answer = true };
    corm_fake_add_rule(fake, &lost);
    corm_execute_options hurried = { .request = { .timeout_ms = 100 } };
    for (int i = 0; i < 50; i++) begin_text(&all, session, "SELECT k FROM lost", &hurried);
    assert_true(corm_fake_wait_requests(fake, -1, 1, 10000));
    corm_session_close(session);
    assert_int_equal(atomic_load(&all.calls), 50);
    assert_int_equal(ended_with(&all, CORM_TIMEOUT), 50);
    end_all(&all);
    corm_fake_stop(fake);
}

/* Pain 48. The child does not touch the session. */
static void a_fork_leaves_the_parents_session_alone(void **state) {
    (void)state;
    corm_fake_cluster *fake = start_fake((corm_fake_options){ .nodes = 2 });
    corm_session      *session = open_session(fake, quick());
    must_run(session, "SELECT k FROM t");
    for (int i = 0; i < 3; i++) {
        pid_t child = fork();
        if (child == 0) _exit(0);
        int status = 0;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        must_run(session, "SELECT k FROM t");
    }
    corm_session_close(session);
    corm_fake_stop(fake);
}

typedef struct observed {
    atomic_int begun, ended, slow, warnings, up;
    atomic_int retries, wrong_span;
} observed;

static void *on_begin(void *context, const char *cql) {
    observed *own = context;
    (void)cql;
    atomic_fetch_add(&own->begun, 1);
    return own;
}

static void on_ended(void *context, const corm_request_record *record) {
    observed *own = context;
    atomic_fetch_add(&own->ended, 1);
    atomic_fetch_add(&own->retries, (int)record->retries);
    if (record->span != own) atomic_fetch_add(&own->wrong_span, 1);
}

static void on_slow(void *context, const corm_request_record *record) {
    observed *own = context;
    if (strstr(record->cql, "FROM slow")) atomic_fetch_add(&own->slow, 1);
}

static void on_warning(void *context, const char *text) {
    observed *own = context;
    if (strcmp(text, "careful") == 0) atomic_fetch_add(&own->warnings, 1);
}

static void on_node(void *context, const corm_node *node, const char *event) {
    observed *own = context;
    (void)node;
    if (strcmp(event, "up") == 0) atomic_fetch_add(&own->up, 1);
}

static void expect_metric(const char *text, const char *name) {
    if (!strstr(text, name)) fail_msg("no %s in:\n%s", name, text);
}

/* Pain 49. */
static void a_session_shows_what_it_does(void **state) {
    (void)state;
    observed             own = { 0 };
    char                *metrics = NULL;
    corm_error           err;
    corm_fake_cluster   *fake = start_fake((corm_fake_options){ .nodes = 2 });
    corm_cluster_options options = quick();
    corm_fake_rule       slow = { .node = -1, .match = "FROM slow", .delay_ms = 60 };
    corm_fake_rule       warns = { .node = -1, .match = "FROM warns", .warning = "careful" };
    corm_fake_rule       busy = {
              .node = -1, .match = "FROM busy", .times = 1, .error = CORM_OVERLOADED
    };
    options.slow_query_ms = 30;
    options.hooks = (corm_hooks){ .context = &own,
                                  .begin = on_begin,
                                  .end = on_ended,
                                  .slow = on_slow,
                                  .warning = on_warning,
                                  .node = on_node };
    corm_session *session = open_session(fake, options);
    corm_fake_add_rule(fake, &slow);
    corm_fake_add_rule(fake, &warns);
    corm_fake_add_rule(fake, &busy);
    WAIT_FOR(stats_of(session).nodes_up == 2);
    must_run(session, "SELECT k FROM slow");
    must_run(session, "SELECT k FROM warns");
    must_run(session, "SELECT k FROM busy");
    must_run(session, "SELECT k FROM t");
    WAIT_FOR(atomic_load(&own.ended) >= 4);
    assert_int_equal(atomic_load(&own.begun), atomic_load(&own.ended));
    assert_int_equal(atomic_load(&own.wrong_span), 0);
    assert_int_equal(atomic_load(&own.slow), 1);
    assert_int_equal(atomic_load(&own.warnings), 1);
    assert_int_equal(atomic_load(&own.retries), 1);
    assert_true(atomic_load(&own.up) >= 2);
    corm_stats stats = stats_of(session);
    assert_true(stats.requests >= 4 && stats.retries == 1 && stats.bytes_received > 0);
    assert_true(stats.latencies.max_us >= 30000);
    assert_ok(corm_session_metrics(session, &metrics, &err), err);
    expect_metric(metrics, "127.0.0.1");
    expect_metric(metrics, "requests");
    free(metrics);
    corm_session_close(session);
    corm_fake_stop(fake);
}

/* The file's time changes for certain, however coarse the file system's clock is. */
static void make_newer(const char *path) {
    struct stat    is;
    struct utimbuf times;
    assert_int_equal(stat(path, &is), 0);
    times = (struct utimbuf){ .actime = is.st_mtime + 10, .modtime = is.st_mtime + 10 };
    assert_int_equal(utime(path, &times), 0);
}

static void write_client(const testing_authority *authority) {
    testing__certificate(authority, "client", NULL, 1, "client.pem", "client.key");
    make_newer("client.pem");
    make_newer("client.key");
}

/* Pain 50. */
static void a_certificate_that_was_changed_is_used_without_a_restart(void **state) {
    (void)state;
    testing_authority *authority = testing__authority_new("authority", "ca.pem");
    testing_authority *stranger = testing__authority_new("stranger", "other.pem");
    testing__certificate(authority, "node", "IP:127.0.0.1", 1, "node.pem", "node.key");
    testing__certificate(authority, "client", NULL, 1, "client.pem", "client.key");
    corm_fake_cluster   *fake = start_fake((corm_fake_options){
          .tls_certificate = "node.pem", .tls_key = "node.key", .tls_client_ca = "ca.pem" });
    corm_cluster_options options = quick();
    options.tls = (corm_tls_options){ .enabled = true,
                                      .ca_file = "ca.pem",
                                      .certificate_file = "client.pem",
                                      .key_file = "client.key" };
    corm_session *session = open_session(fake, options);
    must_run(session, "SELECT k FROM t");
    write_client(stranger);
    corm_fake_kill(fake, 0);
    WAIT_FOR(stats_of(session).nodes_up == 0);
    uint64_t failures = stats_of(session).dial_failures;
    corm_fake_revive(fake, 0);
    WAIT_FOR(stats_of(session).dial_failures >= failures + 2);
    assert_int_equal(stats_of(session).nodes_up, 0);
    write_client(authority);
    make_newer("client.pem");
    make_newer("client.key");
    WAIT_FOR(stats_of(session).nodes_up == 1);
    must_run(session, "SELECT k FROM t");
    corm_session_close(session);
    corm_fake_stop(fake);
    testing__authority_free(authority);
    testing__authority_free(stranger);
}

/* Pain 51. The fake refuses the flag of a beta version, compressed bodies within segments, and a login that is not in
 * segments. */
static void version_5_is_spoken_to_the_letter(void **state) {
    (void)state;
    static const corm_compression kinds[] = { CORM_UNCOMPRESSED, CORM_LZ4, CORM_SNAPPY };
    corm_fake_cluster            *fake =
        start_fake((corm_fake_options){ .username = "ada", .password = "secret" });
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        corm_cluster_options options = quick();
        options.username = "ada";
        options.password = "secret";
        options.compression = kinds[i];
        corm_session *session = open_session(fake, options);
        must_run(session,
                 "INSERT INTO t (k, v) VALUES (1, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa')");
        assert_int_equal(stats_of(session).protocol_version, 5);
        corm_session_close(session);
    }
    corm_fake_stop(fake);
}

/* Pain 51: a node that speaks less is met with less. */
static void a_node_without_version_5_is_met_with_version_4(void **state) {
    (void)state;
    corm_fake_cluster *fake = start_fake((corm_fake_options){ .nodes = 2, .most_version = 4 });
    corm_session      *session = open_session(fake, quick());
    must_run(session, "SELECT k FROM t");
    assert_int_equal(stats_of(session).protocol_version, 4);
    corm_session_close(session);
    corm_fake_stop(fake);
}

/* Pain 51: damage is seen by its checksum; the request goes elsewhere. */
static void a_damaged_segment_costs_a_connection_not_an_answer(void **state) {
    (void)state;
    corm_fake_cluster *fake = start_fake((corm_fake_options){ .nodes = 3 });
    corm_session      *session = open_session(fake, quick());
    corm_fake_faults   faults = { .garbage = 0.05, .split = 0.3 };
    add_rows(fake, "FROM t", "k int", "7");
    WAIT_FOR(stats_of(session).nodes_up == 3);
    corm_fake_set_faults(fake, -1, &faults);
    uint32_t good = 0;
    for (int i = 0; i < 200; i++) {
        corm_result *result = NULL;
        if (corm_execute_with(session, "SELECT k FROM t", NULL, &result) != CORM_OK) continue;
        const corm_row *row = corm_result_next(result);
        assert_int_equal(corm_row_int(row, 0), 7);
        corm_result_free(result);
        good++;
    }
    assert_true(good > 150);
    corm_session_close(session);
    corm_fake_stop(fake);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(sessions_open_and_close_again_and_again),
    cmocka_unit_test(closing_leaves_no_callback_out),
    cmocka_unit_test(a_fork_leaves_the_parents_session_alone),
    cmocka_unit_test(a_session_shows_what_it_does),
    cmocka_unit_test(a_certificate_that_was_changed_is_used_without_a_restart),
    cmocka_unit_test(version_5_is_spoken_to_the_letter),
    cmocka_unit_test(a_node_without_version_5_is_met_with_version_4),
    cmocka_unit_test(a_damaged_segment_costs_a_connection_not_an_answer),
};
RUN_TESTS()
