// SPDX-License-Identifier: MIT
/* Requests that ask for a trace: the answer names it, and system_traces has what was done and when. */
#include "corm/cluster.h"
#include "server/client_for_tests.h"

static corm_uuid tracing_id_of(const client *c) {
    wire_prefix prefix;
    assert_true(c->frame.flags & WIRE_FLAG_TRACING);
    assert_ok(wire__prefix_read(&c->frame, &prefix, &err), err);
    assert_false(corm_uuid_is_zero(prefix.tracing_id));
    return prefix.tracing_id;
}

static corm_result *rows_of(const served *all, const char *cql, corm_uuid id) {
    corm_result *result;
    assert_ok(corm_execute(all->session, cql, &result, { .values = { corm_v(id) }, .error = &err }),
              err);
    return result;
}

static bool is_told(const served *all, corm_uuid id, const char *words) {
    bool            found = false;
    int32_t         last = 0;
    const corm_row *row;
    corm_result    *events =
        rows_of(all,
                "SELECT activity, source_elapsed, source, thread FROM system_traces.events WHERE "
                "session_id = ?",
                id);
    while ((row = corm_result_next(events))) {
        corm_str activity = corm_row_text(row, 0);
        char    *text = strndup(activity.data, activity.len);
        int32_t  elapsed = corm_row_int(row, 1);
        found |= strstr(text, words) != NULL;
        assert_true(elapsed >= last); /* by their time, which is their key too */
        last = elapsed;
        free(text);
    }
    corm_result_free(events);
    return found;
}

static void expect_session(const served *all, corm_uuid id, const char *name) {
    corm_result *result =
        rows_of(all,
                "SELECT request, duration, parameters['query'], command, client, ttl(request) FROM "
                "system_traces.sessions WHERE session_id = ?",
                id);
    const corm_row *row = corm_result_next(result);
    assert_non_null(row);
    assert_text(corm_row_text(row, 0), name);
    assert_true(corm_row_int(row, 1) >= 0);
    assert_text(corm_row_text(row, 3), "QUERY");
    assert_in_range(corm_row_int(row, 5), 86000, 86400);
    corm_result_free(result);
}

static void every_kind_of_request_is_traced_in_every_version(void **state) {
    (void)state;
    served all = serve();
    for (uint8_t version = 3; version <= 5; version++) {
        base_arena   arena = { 0 };
        uint8_t      key[] = { 0, 0, 0, 1 };
        cql_value    value = { key, 4 };
        client      *c = dial(&all, version);
        wire_request write = query("INSERT INTO k.t (a, b) VALUES (7, 'x')");
        wire_request read = query("SELECT * FROM k.t");
        if (version == 3) make_table(c);
        write.options.tracing = read.options.tracing = true;

        ask_request(c, &write);
        corm_uuid id = tracing_id_of(c);
        expect_session(&all, id, "Execute CQL3 query");
        assert_true(is_told(&all, id, "Parsing INSERT INTO k.t (a, b) VALUES (7, 'x')"));
        assert_true(is_told(&all, id, "Writing 1 rows"));
        assert_true(is_told(&all, id, "Committed"));

        ask_request(c, &read);
        id = tracing_id_of(c);
        assert_int_equal(result_of(&c->frame, &arena).row_count, 2);
        assert_true(is_told(&all, id, "Scanning all partitions of t"));
        assert_true(is_told(&all, id, "Read 2 rows"));

        prepare(c, "SELECT b FROM k.t WHERE a = ?", &arena);
        wire_request execute = { .kind = WIRE_EXECUTE,
                                 .value_count = 1,
                                 .values = &value,
                                 .options = { .consistency = WIRE_ONE, .tracing = true } };
        ask_request(c, &execute);
        id = tracing_id_of(c);
        assert_int_equal(result_of(&c->frame, &arena).row_count, 1);
        expect_session(&all, id, "Execute CQL3 prepared query");
        assert_true(is_told(&all, id, "Reading 1 partitions of t"));
        assert_true(is_told(&all, id, "Read 1 rows"));

        wire_batch_item item = { .text = corm_str_of("DELETE FROM k.t WHERE a = 99") };
        wire_request    batch = { .kind = WIRE_BATCH,
                                  .batch_count = 1,
                                  .batch = &item,
                                  .options = { .consistency = WIRE_ONE, .tracing = true } };
        ask_request(c, &batch);
        expect_session(&all, tracing_id_of(c), "Execute batch of CQL3 queries");
        base__arena_free(&arena);
        client_free(c);
    }
    stop(&all);
}

static void parameters_have_the_text_and_what_was_bound(void **state) {
    (void)state;
    base_arena   arena = { 0 };
    uint8_t      key[] = { 0, 0, 0, 1 };
    cql_value    values[] = { { (const uint8_t *)"it's", 4 }, { key, 4 } };
    served       all = serve();
    client      *c = dial(&all, 4);
    wire_request execute = { .kind = WIRE_EXECUTE,
                             .value_count = 2,
                             .values = values,
                             .options = { .consistency = WIRE_LOCAL_ONE, .tracing = true } };
    make_table(c);
    prepare(c, "UPDATE k.t SET b = ? WHERE a = ?", &arena);
    ask_request(c, &execute);
    corm_uuid    id = tracing_id_of(c);
    corm_result *result =
        rows_of(&all,
                "SELECT parameters['query'], parameters['bound_var_0_b'], "
                "parameters['bound_var_1_a'], parameters['consistency_level'] FROM "
                "system_traces.sessions WHERE session_id = ?",
                id);
    const corm_row *row = corm_result_next(result);
    assert_text(corm_row_text(row, 0), "UPDATE k.t SET b = ? WHERE a = ?");
    assert_text(corm_row_text(row, 1), "'it''s'");
    assert_text(corm_row_text(row, 2), "1");
    assert_text(corm_row_text(row, 3), "LOCAL_ONE");
    corm_result_free(result);
    base__arena_free(&arena);
    client_free(c);
    stop(&all);
}

static void passwords_are_not_kept(void **state) {
    (void)state;
    served       all = serve();
    client      *c = dial(&all, 4);
    wire_request create = query("CREATE ROLE ada WITH PASSWORD = 'secret' AND LOGIN = true");
    create.options.tracing = true;
    ask_request(c, &create);
    corm_uuid id = tracing_id_of(c);
    assert_false(is_told(&all, id, "secret"));
    assert_true(is_told(&all, id, "Parsing a statement with a password"));
    client_free(c);
    stop(&all);
}

static void errors_are_traced_too(void **state) {
    (void)state;
    served       all = serve();
    client      *c = dial(&all, 5);
    wire_request wrong = query("SELECT * FROM no.table_of_mine");
    wrong.options.tracing = true;
    ask_request(c, &wrong);
    assert_int_equal(c->frame.opcode, WIRE_OP_ERROR);
    assert_true(is_told(&all, tracing_id_of(c), "Request failed: INVALID"));
    client_free(c);
    stop(&all);
}

static void traces_are_read_only_to_clients(void **state) {
    (void)state;
    served       all = serve();
    client      *c = dial(&all, 4);
    wire_request write = query("DELETE FROM system_traces.sessions WHERE session_id = "
                               "11111111-1111-1111-1111-111111111111");
    expect_refusal(ask_request(c, &write), CORM_UNAUTHORIZED, "not user-modifiable");
    client_free(c);
    stop(&all);
}

/* The embedded session asks without a server between: blocking and with a callback. */
static void the_session_traces_itself(void **state) {
    (void)state;
    corm_session *session;
    corm_result  *result, *trace;
    assert_ok(corm_session_open(&session, "corm::memory:", NULL, &err), err);
    assert_ok(corm_execute(session, "SELECT key FROM system.local", &result,
                           { .request = { .trace = true }, .error = &err }),
              err);
    corm_uuid id = corm_result_tracing_id(result);
    assert_false(corm_uuid_is_zero(id));
    assert_ok(corm_session_trace(session, id, &trace, &err), err);
    assert_true(corm_result_row_count(trace) > 2);
    corm_result_free(trace);
    corm_result_free(result);
    assert_ok(corm_execute(session, "SELECT key FROM system.local", &result, { .error = &err }),
              err);
    assert_true(corm_uuid_is_zero(corm_result_tracing_id(result)));
    corm_result_free(result);
    corm_session_close(session);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_kind_of_request_is_traced_in_every_version),
    cmocka_unit_test(parameters_have_the_text_and_what_was_bound),
    cmocka_unit_test(passwords_are_not_kept),
    cmocka_unit_test(errors_are_traced_too),
    cmocka_unit_test(traces_are_read_only_to_clients),
    cmocka_unit_test(the_session_traces_itself),
};

RUN_TESTS()
