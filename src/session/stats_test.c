// SPDX-License-Identifier: MIT
/* Figures, agreement and traces, over a door that has them and over the embedded store. */
#include "corm/cluster.h"

#include <stdlib.h>

#include "base/fail.h"
#include "testing/check.h"
#include "testing/script.h"

/* ---- a door with figures ---- */

typedef struct counted {
    session_door door; /* first */
    uint32_t     agreed_ms;
} counted;

typedef struct figures {
    corm_stats      stats; /* first */
    corm_node_stats nodes[2];
} figures;

static corm_status refuse(session_door *door, corm_str keyspace, const wire_request *request,
                          wire_answer *answer, corm_error *err) {
    (void)door;
    (void)keyspace;
    (void)request;
    (void)answer;
    return base__fail(err, CORM_INVALID, "it has figures only");
}

static corm_status give_stats(session_door *door, const corm_stats **out, corm_error *err) {
    (void)door;
    figures *copy = calloc(1, sizeof *copy);
    if (!copy) return base__fail_memory(err);
    copy->stats = (corm_stats){
        .nodes = 2,
        .nodes_up = 1,
        .requests = UINT64_C(18000000000000000001),
        .prepared_bytes = 4711,
        .protocol_version = 5,
        .latencies = { 10, 1500, 1000, 2000, 3000, 4000, 2500000 },
        .node_count = 2,
        .node_stats = copy->nodes,
    };
    copy->nodes[0] = (corm_node_stats){ .address = "10.0.0.1",
                                        .port = 9042,
                                        .dc = "a \"b\"\\\n",
                                        .rack = "r1",
                                        .up = true,
                                        .requests = 7 };
    copy->nodes[1] = (corm_node_stats){ .address = "fe80::1", .port = 9043 };
    *out = &copy->stats;
    return CORM_OK;
}

static corm_status agree(session_door *door, uint32_t timeout_ms, corm_error *err) {
    ((counted *)door)->agreed_ms = timeout_ms;
    return base__fail(err, CORM_TIMEOUT, "two versions");
}

static void close_door(session_door *door) {
    (void)door;
}

static const session_door_ops counted_ops = {
    .execute = refuse,
    .stats = give_stats,
    .agree = agree,
    .close = close_door,
};

static corm_session *open_counted(counted *door) {
    corm_session *session;
    corm_error    err = { 0 };
    *door = (counted){ .door = { &counted_ops } };
    assert_ok(session__open_door(&door->door, NULL, &session, &err), err);
    return session;
}

static corm_session *open_memory(void) {
    corm_session *session = NULL;
    corm_error    err = { 0 };
    assert_ok(corm_session_open(&session, "corm::memory:", NULL, &err), err);
    return session;
}

static void expect_line(const char *text, const char *line) {
    const char *at = strstr(text, line);
    if (!at) fail_msg("'%s' is not in\n%s", line, text);
    assert_true(at == text || at[-1] == '\n');
}

static void figures_are_the_door_s(void **state) {
    (void)state;
    counted           door;
    corm_session     *session = open_counted(&door);
    const corm_stats *stats;
    corm_error        err = { 0 };
    assert_ok(corm_session_stats(session, &stats, &err), err);
    assert_int_equal(stats->node_count, 2);
    assert_string_equal(stats->node_stats[1].address, "fe80::1");
    corm_stats_free(stats);
    corm_stats_free(NULL);
    corm_session_close(session);
}

static void metrics_are_prometheus_text(void **state) {
    (void)state;
    counted       door;
    corm_session *session = open_counted(&door);
    char         *text;
    corm_error    err = { 0 };
    assert_ok(corm_session_metrics(session, &text, &err), err);
    expect_line(text, "# HELP corm_nodes_up Nodes with at least one ready connection.\n"
                      "# TYPE corm_nodes_up gauge\ncorm_nodes_up 1\n");
    expect_line(text, "# TYPE corm_requests_total counter\n"
                      "corm_requests_total 18000000000000000001\n");
    expect_line(text, "corm_prepared_bytes 4711\n");
    expect_line(text, "corm_protocol_version 5\n");
    expect_line(text, "# TYPE corm_latency_seconds summary\n"
                      "corm_latency_seconds{quantile=\"0.5\"} 0.001000\n");
    expect_line(text, "corm_latency_seconds{quantile=\"1\"} 2.500000\n"
                      "corm_latency_seconds_sum 0.015000\ncorm_latency_seconds_count 10\n");
    expect_line(text,
                "corm_node_requests_total{node=\"10.0.0.1:9042\",host_id=\"00000000-0000-0000-"
                "0000-000000000000\",dc=\"a \\\"b\\\"\\\\\\n\",rack=\"r1\"} 7\n");
    expect_line(text, "corm_node_up{node=\"[fe80::1]:9043\",host_id=\"00000000-0000-0000-0000-"
                      "000000000000\",dc=\"\",rack=\"\"} 0\n");
    assert_true(text[strlen(text) - 1] == '\n');
    free(text);
    corm_session_close(session);
}

/* Every metric has its two lines in front of its first sample, and none has them twice. */
static void every_metric_is_described_once(void **state) {
    (void)state;
    counted       door;
    corm_session *session = open_counted(&door);
    char         *text;
    corm_error    err = { 0 };
    assert_ok(corm_session_metrics(session, &text, &err), err);
    uint32_t described = 0;
    for (const char *at = text; (at = strstr(at, "# HELP ")) != NULL; described++) {
        char name[80], line[100];
        assert_int_equal(sscanf(at, "# HELP %79s", name), 1);
        at += 7;
        snprintf(line, sizeof line, "# HELP %s ", name);
        assert_null(strstr(at, line));
        snprintf(line, sizeof line, "\n# TYPE %s ", name);
        const char *type = strstr(at, line);
        assert_non_null(type);
        assert_ptr_equal(strchr(at, '\n'), type);
        assert_true(strncmp(strchr(type + 1, '\n') + 1, name, strlen(name)) == 0);
    }
    assert_true(described > 40);
    free(text);
    corm_session_close(session);
}

static void an_embedded_store_has_no_figures_and_always_agrees(void **state) {
    (void)state;
    corm_session     *session = open_memory();
    const corm_stats *stats;
    char             *text;
    corm_error        err = { 0 };
    assert_status(corm_session_stats(session, &stats, &err), CORM_UNSUPPORTED);
    assert_null(stats);
    assert_status(corm_session_metrics(session, &text, &err), CORM_UNSUPPORTED);
    assert_null(text);
    assert_ok(corm_session_wait_for_agreement(session, 1, &err), err);
    corm_session_close(session);
}

static void agreement_is_the_door_s(void **state) {
    (void)state;
    counted       door;
    corm_session *session = open_counted(&door);
    corm_error    err = { 0 };
    assert_status(corm_session_wait_for_agreement(session, 77, &err), CORM_TIMEOUT);
    assert_int_equal(door.agreed_ms, 77);
    corm_session_close(session);
}

/* ---- traces ---- */

static const char *const id_markers[] = { "session_id uuid", NULL };
static const char *const session_columns[] = { "duration int", NULL };
static const char *const event_columns[] = { "activity text", "source inet", "source_elapsed int",
                                             "thread text", NULL };
static const char *const unfinished[] = { "null", NULL };
static const char *const finished[] = { "1200", NULL };
static const char *const events[] = { "'Parsing'", "'127.0.0.1'", "10",
                                      "'main'",    "'Reading'",   "'127.0.0.1'",
                                      "900",       "'reader'",    NULL };
static const char *const nothing[] = { NULL };

typedef struct traced {
    testing_counts counts;
    int            asked, finished_at;
    bool           has_events;
} traced;

static corm_status answer(void *context, corm_str keyspace, const wire_request *request,
                          wire_answer *out, corm_error *err) {
    (void)keyspace;
    (void)err;
    traced            *self = context;
    corm_str           text = testing__text_of(request);
    bool               is_session = text.len < 80 && memcmp(text.data, "SELECT duration", 15) == 0;
    const char *const *columns = is_session ? session_columns : event_columns;
    if (request->kind == WIRE_PREPARE) {
        testing__answer_prepared(&self->counts, request, id_markers, columns, "m", out);
        return CORM_OK;
    }
    const char *const *cells = self->has_events ? events : nothing;
    if (is_session) {
        cells = self->asked == 0                  ? nothing
                : self->asked < self->finished_at ? unfinished
                                                  : finished;
        self->asked++;
    }
    testing__answer_rows(request, columns, cells, NULL, out);
    return CORM_OK;
}

static void a_trace_is_read_when_it_is_written(void **state) {
    (void)state;
    traced        self = { .finished_at = 3, .has_events = true };
    corm_session *session = testing__session(answer, &self, &self.counts);
    corm_result  *trace;
    corm_error    err = { 0 };
    assert_ok(corm_session_trace(session, corm_uuid_random(), &trace, &err), err);
    assert_int_equal(self.asked, 4);
    assert_int_equal(corm_result_row_count(trace), 2);
    const corm_row *row = corm_result_next(trace);
    assert_text(corm_row_text(row, 0), "Parsing");
    assert_int_equal(corm_row_int(row, 2), 10);
    corm_result_free(trace);
    corm_session_close(session);
}

static void a_trace_that_never_comes_is_not_found(void **state) {
    (void)state;
    traced        self = { .finished_at = 0 };
    corm_session *session = testing__session(answer, &self, &self.counts);
    corm_result  *trace;
    corm_error    err = { 0 };
    assert_status(corm_session_trace(session, (corm_uuid){ { 0 } }, &trace, &err),
                  CORM_INVALID_ARGUMENT);
    self.asked = 1;
    assert_status(corm_session_trace(session, corm_uuid_random(), &trace, &err), CORM_NOT_FOUND);
    assert_null(trace);
    corm_session_close(session);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(figures_are_the_door_s),
    cmocka_unit_test(metrics_are_prometheus_text),
    cmocka_unit_test(every_metric_is_described_once),
    cmocka_unit_test(an_embedded_store_has_no_figures_and_always_agrees),
    cmocka_unit_test(agreement_is_the_door_s),
    cmocka_unit_test(a_trace_is_read_when_it_is_written),
    cmocka_unit_test(a_trace_that_never_comes_is_not_found),
};

RUN_TESTS()
