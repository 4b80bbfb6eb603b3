// SPDX-License-Identifier: MIT
/* Batches in pieces, over a door that writes down what it is asked and over the embedded store. */
#include "session/batch.h"

#include "base/fail.h"
#include "corm/cluster.h"
#include "testing/check.h"
#include "testing/script.h"

#define INSERT "INSERT INTO users (id, name) VALUES (?, ?)"

/* ---- a door that writes down what it is asked ---- */

enum { MOST_PIECES = 64 };

typedef struct piece {
    uint8_t  kind;
    uint32_t count;
    int32_t  ids[8];
    bool     has_token, has_timestamp;
    int64_t  timestamp;
} piece;

typedef struct record {
    testing_counts counts;
    uint32_t       count;
    piece          pieces[MOST_PIECES];
    int32_t        refuse; /* the piece with this id fails; 0: none */
} record;

static const char *const markers[] = { "id int", "name text", NULL };

/* testing__answer_prepared knows no keys: the first marker is the partition key here. */
static void answer_prepared(record *self, const wire_request *request, wire_answer *answer) {
    testing__answer_prepared(&self->counts, request, markers, (const char *const[]){ NULL }, "m",
                             answer);
    base_arena        arena = { 0 };
    cql_result_column columns[2];
    uint32_t          count = testing__columns(&arena, markers, columns);
    cql_marker        described[2];
    for (uint32_t i = 0; i < count; i++) {
        described[i] =
            (cql_marker){ columns[i].name, columns[i].type, columns[i].keyspace, columns[i].table };
    }
    uint16_t   key[] = { 0 };
    corm_bytes id = { (const uint8_t *)"id", 2 };
    base__buf_clear(&answer->body);
    wire__put_prepared(&answer->body, id, id, described, count, key, 1, NULL, 0, WIRE_VERSION);
    base__arena_free(&arena);
}

static corm_status answer(void *context, corm_str keyspace, const wire_request *request,
                          wire_answer *out, corm_error *err) {
    (void)keyspace;
    record *self = context;
    if (request->kind == WIRE_PREPARE) {
        answer_prepared(self, request, out);
        return CORM_OK;
    }
    assert_int_equal(request->kind, WIRE_BATCH);
    assert_in_range(self->count, 0, MOST_PIECES - 1);
    piece *now = &self->pieces[self->count++];
    *now = (piece){
        request->batch_kind,        request->batch_count,           { 0 },
        request->options.has_token, request->options.has_timestamp, request->options.timestamp
    };
    for (uint32_t i = 0; i < request->batch_count && i < 8; i++) {
        const wire_batch_item *item = &request->batch[i];
        now->ids[i] = item->text.data ? -1 : (int32_t)base__load_u32(item->values[0].data);
    }
    if (self->refuse != 0 && now->ids[0] == self->refuse) {
        return base__fail(err, CORM_WRITE_TIMEOUT, "piece of %d", (int)self->refuse);
    }
    wire__put_void(&out->body);
    return CORM_OK;
}

static void add(corm_batch *batch, int32_t id, const char *name) {
    corm_error err = { 0 };
    assert_ok(
        corm_batch_add_text(batch, INSERT, (corm_value[]){ corm_v(id), corm_v(name) }, 2, &err),
        err);
}

static void check_together(testing_submit how) {
    record        self = { 0 };
    corm_session *session = NULL;
    corm_error    err = { 0 };
    uint64_t      done;
    testing_door *door = testing__door_new(answer, &self, how, &self.counts);
    assert_ok(session__open_door(testing__door(door), NULL, &session, &err), err);
    corm_batch *batch = corm_batch_new(session, CORM_LOGGED);
    for (int32_t i = 0; i < 9; i++) add(batch, 1 + i % 3, "x");
    assert_ok(corm_batch_add_text(batch, "DELETE FROM users WHERE id = 2", NULL, 0, &err), err);
    assert_ok(corm_batch_run_split(batch, &(corm_split_options){ .error = &err }, &done), err);
    assert_int_equal(done, 10);
    assert_int_equal(self.count, 4);
    for (int32_t i = 0; i < 3; i++) {
        const piece *one = &self.pieces[i];
        assert_int_equal(one->kind, CORM_UNLOGGED);
        assert_int_equal(one->count, 3);
        assert_true(one->has_token && !one->has_timestamp);
        for (int j = 0; j < 3; j++) assert_int_equal(one->ids[j], 1 + i);
    }
    assert_int_equal(self.pieces[3].ids[0], -1);
    assert_false(self.pieces[3].has_token);
    corm_batch_free(batch);
    corm_session_close(session);
}

static void statements_of_a_partition_go_together(void **state) {
    (void)state;
    for (testing_submit how = TESTING_AT_ONCE; how <= TESTING_TURNED; how++) check_together(how);
}

static void pieces_are_bounded_and_later_ones_have_later_timestamps(void **state) {
    (void)state;
    record        self = { 0 };
    corm_session *session = testing__session(answer, &self, &self.counts);
    corm_batch   *batch = corm_batch_new(session, CORM_UNLOGGED);
    corm_error    err = { 0 };
    for (int32_t i = 0; i < 7; i++) add(batch, 1, "x");
    assert_ok(corm_batch_run_split(
                  batch, &(corm_split_options){ .max_statements = 3, .error = &err }, NULL),
              err);
    assert_int_equal(self.count, 3);
    assert_int_equal(self.pieces[0].count, 3);
    assert_int_equal(self.pieces[2].count, 1);
    assert_true(self.pieces[1].timestamp > self.pieces[0].timestamp);
    assert_true(self.pieces[2].timestamp > self.pieces[1].timestamp);
    self.count = 0;
    assert_ok(
        corm_batch_run_split(batch, &(corm_split_options){ .max_bytes = 10, .error = &err }, NULL),
        err);
    assert_int_equal(self.count, 4);
    assert_int_equal(self.pieces[0].count, 2);
    self.count = 0;
    assert_ok(
        corm_batch_run_split(batch, &(corm_split_options){ .max_bytes = 1, .error = &err }, NULL),
        err);
    assert_int_equal(self.count, 7);
    corm_batch_free(batch);
    corm_session_close(session);
}

static void a_timestamp_of_the_batch_is_that_of_every_piece(void **state) {
    (void)state;
    record        self = { 0 };
    corm_session *session = testing__session(answer, &self, &self.counts);
    corm_batch   *batch = corm_batch_new(session, CORM_UNLOGGED);
    corm_error    err = { 0 };
    for (int32_t i = 0; i < 4; i++) add(batch, 1, "x");
    corm_batch_options(batch)->has_timestamp = true;
    corm_batch_options(batch)->timestamp_us = 77;
    assert_ok(corm_batch_run_split(
                  batch, &(corm_split_options){ .max_statements = 2, .error = &err }, NULL),
              err);
    assert_int_equal(self.count, 2);
    assert_int_equal(self.pieces[0].timestamp, 77);
    assert_int_equal(self.pieces[1].timestamp, 77);
    corm_batch_free(batch);
    corm_session_close(session);
}

static void counters_stay_counters_without_timestamps(void **state) {
    (void)state;
    record        self = { 0 };
    corm_session *session = testing__session(answer, &self, &self.counts);
    corm_batch   *batch = corm_batch_new(session, CORM_COUNTER_BATCH);
    corm_error    err = { 0 };
    add(batch, 1, "x");
    assert_ok(corm_batch_run_split(batch, &(corm_split_options){ .error = &err }, NULL), err);
    assert_int_equal(self.pieces[0].kind, CORM_COUNTER_BATCH);
    assert_false(self.pieces[0].has_timestamp);
    corm_batch_free(batch);
    corm_session_close(session);
}

static void a_failure_ends_its_partition_and_no_other(void **state) {
    (void)state;
    record        self = { .refuse = 2 };
    corm_session *session = testing__session(answer, &self, &self.counts);
    corm_batch   *batch = corm_batch_new(session, CORM_UNLOGGED);
    corm_error    err = { 0 };
    uint64_t      done;
    for (int32_t i = 0; i < 12; i++) add(batch, 1 + i % 3, "x");
    corm_split_options options = { .max_statements = 2, .concurrency = 1, .error = &err };
    assert_status(corm_batch_run_split(batch, &options, &done), CORM_WRITE_TIMEOUT);
    assert_string_equal(err.message, "piece of 2");
    assert_int_equal(done, 8);
    assert_int_equal(self.count, 5);
    corm_batch_free(batch);
    corm_session_close(session);
}

static void an_empty_batch_asks_nothing(void **state) {
    (void)state;
    record        self = { 0 };
    corm_session *session = testing__session(answer, &self, &self.counts);
    corm_batch   *batch = corm_batch_new(session, CORM_LOGGED);
    uint64_t      done = 7;
    assert_status(corm_batch_run_split(batch, NULL, &done), CORM_OK);
    assert_int_equal(done, 0);
    assert_int_equal(self.count, 0);
    corm_batch_free(batch);
    corm_session_close(session);
}

/* ---- over the embedded store ---- */

static corm_session *open_users(void) {
    corm_session *session = NULL;
    corm_error    err = { 0 };
    assert_ok(
        corm_session_open(&session, "corm::memory:?keyspace=shop&create_keyspace=true", NULL, &err),
        err);
    assert_ok(corm_execute(session, "CREATE TABLE users (id int PRIMARY KEY, name text)", NULL,
                           { .error = &err }),
              err);
    return session;
}

static int64_t number(corm_session *session, const char *cql) {
    corm_result *result;
    corm_error   err = { 0 };
    assert_ok(corm_execute(session, cql, &result, { .error = &err }), err);
    int64_t out = corm_row_bigint(corm_result_next(result), 0);
    corm_result_free(result);
    return out;
}

static void more_statements_than_a_batch_may_have_are_written(void **state) {
    (void)state;
    corm_session  *session = open_users();
    corm_batch    *batch = corm_batch_new(session, CORM_UNLOGGED);
    corm_error     err = { 0 };
    corm_prepared *prepared;
    uint64_t       done;
    assert_ok(corm_prepare(session, INSERT, &prepared, &err), err);
    corm_statement *insert = corm_statement_new(prepared);
    for (int32_t i = 0; i < 70000; i++) {
        assert_ok(corm_statement_bind(insert, 0, corm_v(i % 500), &err), err);
        assert_ok(corm_statement_bind(insert, 1, corm_v("a name"), &err), err);
        assert_ok(corm_batch_add(batch, insert, &err), err);
    }
    assert_ok(corm_batch_run_split(batch, &(corm_split_options){ .error = &err }, &done), err);
    assert_int_equal(done, 70000);
    assert_int_equal(number(session, "SELECT count(*) FROM users"), 500);
    corm_statement_free(insert);
    corm_prepared_free(prepared);
    corm_batch_free(batch);
    corm_session_close(session);
}

static void what_was_added_last_wins_across_pieces(void **state) {
    (void)state;
    corm_session *session = open_users();
    corm_batch   *batch = corm_batch_new(session, CORM_UNLOGGED);
    corm_error    err = { 0 };
    corm_result  *result;
    const char   *names[] = { "zz", "c", "yyy", "b", "a" };
    for (int i = 0; i < 5; i++) add(batch, 1, names[i]);
    assert_ok(corm_batch_run_split(
                  batch, &(corm_split_options){ .max_statements = 1, .error = &err }, NULL),
              err);
    assert_ok(
        corm_execute(session, "SELECT name FROM users WHERE id = 1", &result, { .error = &err }),
        err);
    assert_text(corm_row_text(corm_result_next(result), 0), "a");
    corm_result_free(result);
    corm_batch_free(batch);
    corm_session_close(session);
}

static void a_condition_that_does_not_hold_is_told(void **state) {
    (void)state;
    corm_session *session = open_users();
    corm_batch   *batch = corm_batch_new(session, CORM_UNLOGGED);
    corm_error    err = { 0 };
    uint64_t      done;
    add(batch, 1, "x");
    assert_ok(corm_batch_add_text(batch, "UPDATE users SET name = ? WHERE id = 2 IF EXISTS",
                                  (corm_value[]){ corm_v("y") }, 1, &err),
              err);
    assert_status(corm_batch_run_split(batch, &(corm_split_options){ .error = &err }, &done),
                  CORM_NOT_APPLIED);
    assert_int_equal(done, 1);
    corm_batch_free(batch);
    corm_session_close(session);
}

typedef struct inside {
    corm_batch *batch;
    corm_status status;
} inside;

static void split_inside(void *context, corm_status status, corm_result *result,
                         const corm_error *error) {
    inside *self = context;
    (void)error;
    assert_status(status, CORM_OK);
    corm_result_free(result);
    self->status = corm_batch_run_split(self->batch, NULL, NULL);
}

static void inside_a_callback_it_would_wait_for_ever(void **state) {
    (void)state;
    corm_session *session = open_users();
    inside        self = { corm_batch_new(session, CORM_UNLOGGED), CORM_OK };
    add(self.batch, 1, "x");
    corm_task *task = corm_execute_async(session, "SELECT * FROM users", NULL, split_inside, &self);
    assert_non_null(task);
    assert_status(corm_task_wait(task, 0), CORM_OK);
    assert_status(self.status, CORM_WOULD_DEADLOCK);
    corm_task_free(task);
    corm_batch_free(self.batch);
    corm_session_close(session);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(statements_of_a_partition_go_together),
    cmocka_unit_test(pieces_are_bounded_and_later_ones_have_later_timestamps),
    cmocka_unit_test(a_timestamp_of_the_batch_is_that_of_every_piece),
    cmocka_unit_test(counters_stay_counters_without_timestamps),
    cmocka_unit_test(a_failure_ends_its_partition_and_no_other),
    cmocka_unit_test(an_empty_batch_asks_nothing),
    cmocka_unit_test(more_statements_than_a_batch_may_have_are_written),
    cmocka_unit_test(what_was_added_last_wins_across_pieces),
    cmocka_unit_test(a_condition_that_does_not_hold_is_told),
    cmocka_unit_test(inside_a_callback_it_would_wait_for_ever),
};

RUN_TESTS()
