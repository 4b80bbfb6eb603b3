// SPDX-License-Identifier: MIT
/* A session over a door that is asynchronous, as a cluster's is, with a thread and on the caller's loop. */
#include "session/core.h"
#include "wire/message.h"

#include <dirent.h>

#include "testing/check.h"
#include "testing/script.h"

#define SELECT_USER "SELECT name FROM users WHERE id = ?"

static const char *const markers[] = { "id int", NULL };
static const char *const columns[] = { "name text", NULL };
static const char *const ada[] = { "'Ada'", NULL };
static const char *const bob[] = { "'Bob'", NULL };

static const testing_line lines[] = {
    { .text = SELECT_USER, .markers = markers, .columns = columns, .cells = ada },
    { .text = "SELECT name FROM users",
      .columns = columns,
      .cells = ada,
      .state = "more",
      .next_cells = bob },
    { .text = "SELECT broken", .fails = CORM_READ_FAILURE },
    { 0 },
};

static corm_session *open_on(testing_script *script, testing_submit submit, testing_door **door) {
    corm_session *session = NULL;
    corm_error    err;
    *script = TESTING_SCRIPT(lines);
    *door = testing__door_new(testing__script, script, submit, &script->counts);
    assert_ok(session__open_door(testing__door(*door), NULL, &session, &err), err);
    return session;
}

typedef struct seen {
    int           calls;
    corm_status   status;
    char          name[16];
    pthread_t     thread;
    corm_session *session;
    corm_task    *waits_for;
    corm_status   waited;
} seen;

static void see(void *context, corm_status status, corm_result *result, const corm_error *error) {
    seen *own = context;
    (void)error;
    own->calls++;
    own->status = status;
    own->thread = pthread_self();
    const corm_row *row = result ? corm_result_next(result) : NULL;
    corm_str        name = row ? corm_row_text(row, 0) : corm_str_of("");
    snprintf(own->name, sizeof own->name, "%.*s", (int)name.len, name.data);
    if (own->waits_for) own->waited = corm_task_wait(own->waits_for, 0);
    corm_result_free(result);
}

static corm_task *select_user(corm_session *session, seen *saw) {
    const corm_execute_options options = { .values = { corm_v(7) } };
    return corm_execute_async(session, SELECT_USER, &options, see, saw);
}

static void texts_are_prepared_without_waiting(void **state) {
    (void)state;
    for (testing_submit how = TESTING_ASYNCHRONOUS; how <= TESTING_TURNED; how++) {
        testing_script script;
        testing_door  *door;
        seen           first = { 0 }, second = { 0 };
        corm_session  *session = open_on(&script, how, &door);
        corm_task     *task = select_user(session, &first);
        assert_status(corm_task_wait(task, 0), CORM_OK);
        corm_task_free(task);
        assert_string_equal(first.name, "Ada");
        assert_int_equal(script.counts.prepares, 1);
        assert_int_equal(script.counts.submitted, 2);
        task = select_user(session, &second);
        assert_status(corm_task_wait(task, 0), CORM_OK);
        corm_task_free(task);
        assert_int_equal(script.counts.prepares, 1);
        assert_int_equal(script.counts.submitted, 3);
        assert_int_equal(script.counts.executed, 0);
        assert_true(pthread_equal(first.thread, second.thread));
        corm_session_close(session);
        assert_int_equal(script.counts.statements, 0);
    }
}

static void what_cannot_be_prepared_calls_back_with_the_reason(void **state) {
    (void)state;
    for (testing_submit how = TESTING_AT_ONCE; how <= TESTING_TURNED; how++) {
        testing_script             script;
        testing_door              *door;
        seen                       saw = { 0 };
        corm_session              *session = open_on(&script, how, &door);
        const corm_execute_options options = { .values = { corm_v(7) } };
        corm_task *task = corm_execute_async(session, "SELECT broken", &options, see, &saw);
        assert_status(corm_task_wait(task, 0), CORM_READ_FAILURE);
        assert_int_equal(saw.calls, 1);
        corm_task_free(task);
        const corm_execute_options wrong = { .values = { corm_v("seven") } };
        task = corm_execute_async(session, SELECT_USER, &wrong, see, &saw);
        assert_status(corm_task_wait(task, 0), CORM_CONVERSION);
        assert_int_equal(saw.calls, 2);
        corm_task_free(task);
        corm_session_close(session);
        assert_int_equal(script.counts.statements, 0);
    }
}

static void waiting_inside_a_callback_would_deadlock(void **state) {
    (void)state;
    for (testing_submit how = TESTING_ASYNCHRONOUS; how <= TESTING_TURNED; how++) {
        testing_script script;
        testing_door  *door;
        seen           waits = { 0 }, quiet = { 0 };
        corm_session  *session = open_on(&script, how, &door);
        testing__door_hold(door);
        corm_task *first = corm_execute_async(session, "SELECT name FROM users", NULL, see, &waits);
        corm_task *second =
            corm_execute_async(session, "SELECT name FROM users", NULL, see, &quiet);
        waits.waits_for = second;
        testing__door_release(door);
        assert_status(corm_task_wait(second, 0), CORM_OK);
        assert_status(waits.waited, CORM_WOULD_DEADLOCK);
        assert_status(corm_task_wait(first, 0), CORM_OK);
        corm_task_free(first);
        corm_task_free(second);
        corm_session_close(session);
    }
}

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

static void the_caller_s_loop_needs_no_thread(void **state) {
    (void)state;
    testing_script script;
    testing_door  *door;
    seen           saw = { 0 };
    int            before = threads_of_process();
    corm_session  *session = open_on(&script, TESTING_TURNED, &door);
    corm_task     *task = select_user(session, &saw);
    assert_int_equal(saw.calls, 0);
    assert_false(corm_task_is_done(task));
    assert_status(corm_task_wait(task, 0), CORM_OK);
    assert_true(pthread_equal(saw.thread, pthread_self()));
    assert_int_equal(script.counts.turned, 2);
    corm_task_free(task);
    for (int i = 0; i < 10; i++) corm_task_free(select_user(session, &saw));
    corm_session_close(session);
    assert_int_equal(saw.calls, 11);
    assert_int_equal(threads_of_process(), before);
}

static void a_wait_on_the_caller_s_loop_ends_in_time(void **state) {
    (void)state;
    testing_script script;
    testing_door  *door;
    seen           saw = { 0 };
    corm_session  *session = open_on(&script, TESTING_TURNED, &door);
    testing__door_hold(door);
    corm_task *task = select_user(session, &saw);
    assert_status(corm_task_wait(task, 1), CORM_TIMEOUT);
    testing__door_release(door);
    assert_status(corm_task_wait(task, 10000), CORM_OK);
    corm_task_free(task);
    corm_session_close(session);
}

static void cancelling_is_passed_on_to_the_door(void **state) {
    (void)state;
    for (testing_submit how = TESTING_ASYNCHRONOUS; how <= TESTING_TURNED; how++) {
        testing_script script;
        testing_door  *door;
        seen           saw = { 0 };
        corm_session  *session = open_on(&script, how, &door);
        testing__door_hold(door);
        corm_task *task = corm_execute_async(session, "SELECT name FROM users", NULL, see, &saw);
        corm_task_cancel(task);
        assert_status(corm_task_wait(task, 0), CORM_CANCELLED);
        assert_status(saw.status, CORM_CANCELLED);
        corm_task_cancel(task);
        corm_task_free(task);
        testing__door_release(door);
        corm_session_close(session);
    }
}

/* ---- what goes along with a request ---- */

typedef struct passed {
    testing_counts   counts;
    char             profile[16], host[16], payload[32];
    uint32_t         timeout_ms;
    corm_idempotence idempotence;
    bool             tracing;
    bool             last_page;
} passed;

static corm_status note(void *context, corm_str keyspace, const wire_request *request,
                        wire_answer *answer, corm_error *err) {
    passed                     *own = context;
    const wire_options         *options = &request->options;
    const corm_request_options *routing = options->routing;
    (void)keyspace;
    (void)err;
    assert_non_null(routing);
    snprintf(own->profile, sizeof own->profile, "%s", routing->profile);
    snprintf(own->host, sizeof own->host, "%s", routing->host);
    own->timeout_ms = routing->timeout_ms;
    own->idempotence = routing->idempotence;
    own->tracing = options->tracing;
    assert_int_equal(options->payload_count, 2);
    snprintf(own->payload, sizeof own->payload, "%s=%.*s,%s=%d", options->payload[0].name.data,
             options->payload[0].value.len, (const char *)options->payload[0].value.data,
             options->payload[1].name.data, options->payload[1].value.len);
    own->last_page = options->paging_state.data != NULL;
    testing__answer_rows(request, columns, ada, own->last_page ? NULL : "more", answer);
    answer->tracing_id.bytes[15] = 9;
    wire__put_payload(&answer->payload, options->payload, options->payload_count);
    return CORM_OK;
}

static void check_passed(const passed *own) {
    assert_string_equal(own->profile, "slow");
    assert_string_equal(own->host, "127.0.0.1");
    assert_string_equal(own->payload, "k=v,nothing=-1");
    assert_int_equal(own->timeout_ms, 77);
    assert_int_equal(own->idempotence, CORM_IDEMPOTENT);
    assert_true(own->tracing);
}

static void keep(void *context, corm_status status, corm_result *result, const corm_error *error) {
    corm_result **out = context;
    (void)error;
    assert_status(status, CORM_OK);
    *out = result;
}

static void settings_of_a_request_reach_the_door_and_its_next_page(void **state) {
    (void)state;
    passed        own = { 0 };
    corm_error    err;
    corm_result  *result = NULL;
    corm_session *session = NULL;
    testing_door *door = testing__door_new(note, &own, TESTING_ASYNCHRONOUS, &own.counts);
    assert_ok(session__open_door(testing__door(door), NULL, &session, &err), err);
    char                 profile[] = "slow", host[] = "127.0.0.1", name[] = "k", value[] = "v";
    corm_payload_item    payload[] = { { name, { (const uint8_t *)value, 1 } },
                                       { "nothing", { NULL, 0 } } };
    corm_execute_options options = { .request = { .profile = profile,
                                                  .host = host,
                                                  .timeout_ms = 77,
                                                  .idempotence = CORM_IDEMPOTENT,
                                                  .trace = true,
                                                  .payload = payload,
                                                  .payload_count = 2 } };
    testing__door_hold(door);
    corm_task *task = corm_execute_async(session, "SELECT", &options, keep, &result);
    profile[0] = host[0] = name[0] = value[0] = 'x';
    memset(payload, 0, sizeof payload);
    testing__door_release(door);
    assert_status(corm_task_wait(task, 0), CORM_OK);
    corm_task_free(task);
    check_passed(&own);
    assert_false(own.last_page);
    own = (passed){ 0 };
    assert_ok(corm_result_fetch(result, &err), err);
    check_passed(&own);
    assert_true(own.last_page);
    assert_int_equal(corm_result_tracing_id(result).bytes[15], 9);
    assert_int_equal(corm_result_payload_count(result), 2);
    assert_text(corm_result_payload_name(result, 0), "k");
    assert_int_equal(corm_result_payload_value(result, 0).data[0], 'v');
    assert_null(corm_result_payload_value(result, 1).data);
    assert_null(corm_result_payload_value(result, 2).data);
    assert_int_equal(corm_result_payload_name(result, 2).len, 0);
    corm_result_free(result);
    corm_session_close(session);
}

/* ---- pages ---- */

enum { PAGES = 5 };

/* PAGES pages of one row; the paging state is the number of the page, the last is "4". */
static corm_status answer_pages(void *context, corm_str keyspace, const wire_request *request,
                                wire_answer *answer, corm_error *err) {
    static const char *const cells[PAGES][2] = {
        { "'0'" }, { "'1'" }, { "'2'" }, { "'3'" }, { "'4'" }
    };
    static const char *const states[PAGES] = { "1", "2", "3", "4", NULL };
    corm_bytes               state = request->options.paging_state;
    int                      page = state.data ? state.data[0] - '0' : 0;
    (void)context;
    (void)keyspace;
    (void)err;
    testing__answer_rows(request, columns, cells[page], states[page], answer);
    return CORM_OK;
}

static corm_session *open_pages(testing_submit how, testing_counts *counts, testing_door **door) {
    corm_session *session = NULL;
    corm_error    err;
    *door = testing__door_new(answer_pages, NULL, how, counts);
    assert_ok(session__open_door(testing__door(*door), NULL, &session, &err), err);
    return session;
}

static void pages_behind_the_one_that_is_stepped_through_are_read_ahead(void **state) {
    (void)state;
    for (testing_submit how = TESTING_ASYNCHRONOUS; how <= TESTING_TURNED; how++) {
        testing_counts  counts = { 0 };
        testing_door   *door;
        corm_error      err;
        corm_result    *result;
        const corm_row *row;
        corm_session   *session = open_pages(how, &counts, &door);
        assert_ok(corm_execute(session, "SELECT", &result, { .error = &err }), err);
        assert_int_equal(counts.submitted, 0);
        for (int i = 0; i < PAGES; i++) {
            assert_ok(corm_result_step(result, &row, &err), err);
            assert_int_equal(corm_row_text(row, 0).data[0], '0' + i);
        }
        assert_ok(corm_result_step(result, &row, &err), err);
        assert_null(row);
        assert_int_equal(counts.executed, 1);
        assert_int_equal(counts.submitted, PAGES - 1);
        corm_result_free(result);
        corm_session_close(session);
    }
}

static void a_result_is_freed_while_a_page_is_read_ahead(void **state) {
    (void)state;
    for (testing_submit how = TESTING_ASYNCHRONOUS; how <= TESTING_TURNED; how++) {
        testing_counts counts = { 0 };
        testing_door  *door;
        corm_error     err;
        corm_result   *result;
        corm_session  *session = open_pages(how, &counts, &door);
        assert_ok(corm_execute(session, "SELECT", &result, { .error = &err }), err);
        testing__door_hold(door);
        assert_ok(corm_result_fetch(result, &err), err);
        corm_result_free(result);
        testing__door_release(door);
        corm_session_close(session);
    }
}

/* ---- protocol version 4 ---- */

static const char *const more_columns[] = { "name text", "age int", NULL };

/* PREPARED without a metadata id; the columns of the answer are new ones, and described in it. */
static corm_status answer_v4(void *context, corm_str keyspace, const wire_request *request,
                             wire_answer *answer, corm_error *err) {
    static const char *const cells[] = { "'Ada'", "36", NULL };
    (void)keyspace;
    (void)err;
    answer->version = 4;
    if (request->kind == WIRE_PREPARE) {
        testing__answer_prepared(context, request, markers, columns, "", answer);
        base_arena  arena = { 0 };
        wire_result result;
        assert_ok(wire__result_read(base__buf_bytes(&answer->body), 5, &arena, &result, err), *err);
        base_buf body = { 0 };
        wire__put_prepared(&body, result.id, result.metadata_id, result.markers,
                           result.marker_count, NULL, 0, result.metadata.columns,
                           result.metadata.count, 4);
        base__buf_free(&answer->body);
        answer->body = body;
        base__arena_free(&arena);
    } else {
        wire_request full = { .kind = WIRE_QUERY };
        assert_int_equal(request->metadata_id.len, 0);
        testing__answer_rows(&full, more_columns, cells, NULL, answer);
    }
    return CORM_OK;
}

static void version_4_is_read_and_rows_follow_their_own_metadata(void **state) {
    (void)state;
    testing_counts counts = { 0 };
    corm_result   *result;
    corm_error     err;
    corm_session  *session = testing__session(answer_v4, &counts, &counts);
    assert_ok(
        corm_execute(session, SELECT_USER, &result, { .values = { corm_v(1) }, .error = &err }),
        err);
    const corm_row *row = corm_result_next(result);
    assert_int_equal(corm_result_column_count(result), 2);
    assert_text(corm_row_text(row, 0), "Ada");
    assert_int_equal(corm_row_int(row, 1), 36);
    corm_result_free(result);
    corm_session_close(session);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(texts_are_prepared_without_waiting),
    cmocka_unit_test(what_cannot_be_prepared_calls_back_with_the_reason),
    cmocka_unit_test(waiting_inside_a_callback_would_deadlock),
    cmocka_unit_test(the_caller_s_loop_needs_no_thread),
    cmocka_unit_test(a_wait_on_the_caller_s_loop_ends_in_time),
    cmocka_unit_test(cancelling_is_passed_on_to_the_door),
    cmocka_unit_test(settings_of_a_request_reach_the_door_and_its_next_page),
    cmocka_unit_test(pages_behind_the_one_that_is_stepped_through_are_read_ahead),
    cmocka_unit_test(a_result_is_freed_while_a_page_is_read_ahead),
    cmocka_unit_test(version_4_is_read_and_rows_follow_their_own_metadata),
};

RUN_TESTS()
