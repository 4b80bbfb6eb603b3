// SPDX-License-Identifier: MIT
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "engine/core.h"
#include "testing/store.h"

static corm_error err;

static engine *open_with_table(void) {
    engine *store = try_open();
    run(store,
        "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}");
    run(store, "CREATE TABLE k.t (a int, b int, v text, PRIMARY KEY (a, b))");
    return store;
}

static void expect_request(engine *store, const wire_request *request, const char *expected) {
    base_buf out = { 0 };
    assert_ok(try_request(store, request, &out, &err), err);
    assert_string_equal((const char *)out.data, expected);
    base__buf_free(&out);
}

static void expect_request_error(engine *store, const wire_request *request, corm_status status,
                                 const char *words) {
    base_buf out = { 0 };
    assert_status(try_request(store, request, &out, &err), status);
    if (!strstr(err.message, words)) fail_msg("\"%s\" is not in \"%s\"", words, err.message);
    base__buf_free(&out);
}

/* ---- texts ---- */

static void statements_run_from_text(void **state) {
    (void)state;
    engine *store = try_open();
    expect(
        store,
        "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
        "CREATED KEYSPACE k");
    expect(store, "CREATE TABLE k.t (a int, b int, v text, PRIMARY KEY (a, b))",
           "CREATED TABLE k.t");
    expect(store, "CREATE TABLE IF NOT EXISTS k.t (a int PRIMARY KEY)", "");
    run(store, "INSERT INTO k.t (a, b, v) VALUES (1, 2, 'x')");
    run(store, "INSERT INTO k.t (a, b, v) VALUES (1, 3, 'y')");
    expect(store, "SELECT * FROM k.t", "1|2|x; 1|3|y");
    run(store, "DELETE FROM k.t WHERE a = 1 AND b = 2");
    expect(store, "SELECT * FROM k.t", "1|3|y");
    expect(store, "INSERT INTO k.t (a, b, v) VALUES (1, 3, 'z') IF NOT EXISTS", "False|1|3|y");
    expect(store, "TRUNCATE k.t", "");
    expect(store, "SELECT * FROM k.t", "");
    expect(store, "DROP TABLE k.t", "DROPPED TABLE k.t");
    expect_error(store, "SELECT * FROM k.t", CORM_INVALID, "table t does not exist");
    expect_error(store, "SELEC", CORM_SYNTAX_ERROR, "line 1:0");
    engine__close(store);
}

/* What is shown of a key lies in a buffer that grows when static columns are looked for. */
static void keys_of_any_length_are_shown_beside_static_columns(void **state) {
    (void)state;
    enum { LONGEST = 300 };
    char    key[LONGEST + 1] = "", text[2 * LONGEST + 200];
    engine *store = try_open();
    run(store, "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', "
               "'replication_factor': 1}");
    run(store, "CREATE TABLE k.s (a text, c int, v int, s int static, PRIMARY KEY (a, c))");
    run(store, "CREATE INDEX ON k.s (v)");
    for (int len = 1; len <= LONGEST; len++) {
        memset(key, 'a' + len % 26, (size_t)len);
        snprintf(text, sizeof text, "INSERT INTO k.s (a, c, v, s) VALUES ('%s', 1, %d, 2)", key,
                 len);
        run(store, text);
        snprintf(text, sizeof text, "SELECT a, c, s FROM k.s WHERE v = %d", len);
        char shown[LONGEST + 16];
        snprintf(shown, sizeof shown, "%s|1|2", key);
        expect(store, text, shown);
    }
    engine__close(store);
}

static void use_changes_the_client(void **state) {
    (void)state;
    engine       *store = open_with_table();
    engine_client client = { .keyspace = "" };
    wire_answer   answer = { 0 };
    wire_request  use = { .kind = WIRE_QUERY, .text = corm_str_of("USE k") };
    wire_request  select = { .kind = WIRE_QUERY, .text = corm_str_of("SELECT * FROM t") };
    select.options.consistency = WIRE_ONE;
    assert_status(engine__execute(store, &client, &select, &answer, &err), CORM_INVALID);
    assert_ok(engine__execute(store, &client, &use, &answer, &err), err);
    assert_string_equal(client.keyspace, "k");
    wire__answer_clear(&answer);
    assert_ok(engine__execute(store, &client, &select, &answer, &err), err);
    wire__answer_clear(&answer);
    use.text = corm_str_of("USE nowhere");
    assert_status(engine__execute(store, &client, &use, &answer, &err), CORM_INVALID);
    assert_string_equal(err.message, "Keyspace 'nowhere' does not exist");
    assert_string_equal(client.keyspace, "k");
    select.options.keyspace = corm_str_of("system");
    assert_status(engine__execute(store, &client, &select, &answer, &err), CORM_INVALID);
    wire__answer_free(&answer);
    engine__close(store);
}

static void warnings_travel_beside_the_answer(void **state) {
    (void)state;
    engine       *store = open_with_table();
    engine_client client = { .keyspace = "k" };
    wire_answer   answer = { 0 };
    wire_request  request = { .kind = WIRE_QUERY, .text = corm_str_of("SELECT count(*) FROM t") };
    request.options.consistency = WIRE_ONE;
    assert_ok(engine__execute(store, &client, &request, &answer, &err), err);
    assert_int_equal(wire__warning_count(&answer), 1);
    assert_text(wire__warning(&answer, 0), "Aggregation query used without partition key");
    wire__answer_free(&answer);
    engine__close(store);
}

static void values_are_bound_by_place_or_by_name(void **state) {
    (void)state;
    engine   *store = open_with_table();
    uint8_t   one[4], two[4];
    cql_value values[] = { int_value(2, two), int_value(1, one) };
    corm_str  names[] = {
         { "b", 1 },
         { "a", 1 },
    };
    wire_request request = {
        .kind = WIRE_QUERY,
        .text = corm_str_of("INSERT INTO k.t (a, b, v) VALUES (:a, :b, 'x')"),
        .value_count = 2,
        .values = values,
        .names = names,
    };
    expect_request(store, &request, "");
    expect(store, "SELECT * FROM k.t", "1|2|x");
    request.text = corm_str_of("SELECT v FROM k.t WHERE a = :a AND b = :b");
    expect_request(store, &request, "x");
    request.names = NULL;
    expect_request(store, &request, "");
    request.value_count = 1;
    expect_request_error(store, &request, CORM_INVALID, "bound");
    request.names = names;
    expect_request_error(store, &request, CORM_INVALID, "bound");
    values[0].len = 3;
    request.value_count = 2;
    expect_request_error(store, &request, CORM_INVALID, "Expected 4 or 0 byte int");
    engine__close(store);
}

static void describe_answers_with_rows(void **state) {
    (void)state;
    engine *store = open_with_table();
    expect(store, "DESCRIBE KEYSPACES", NULL);
    expect(store, "DESCRIBE CLUSTER", NULL);
    engine__close(store);
}

/* ---- what must not be written ---- */

static void system_tables_are_not_for_users(void **state) {
    (void)state;
    engine *store = open_with_table();
    expect_error(store, "INSERT INTO system.local (key) VALUES ('x')", CORM_UNAUTHORIZED,
                 "not user-modifiable");
    expect_error(store, "DELETE FROM system_schema.tables WHERE keyspace_name = 'k'",
                 CORM_UNAUTHORIZED, "system_schema keyspace is not user-modifiable.");
    expect_error(store, "BEGIN BATCH INSERT INTO system.local (key) VALUES ('x') APPLY BATCH",
                 CORM_UNAUTHORIZED, "not user-modifiable");
    expect_error(store, "DROP TABLE system.local", CORM_UNAUTHORIZED, "not user-modifiable");
    engine__close(store);
}

static void a_store_open_to_read_refuses_every_write(void **state) {
    (void)state;
    engine *store = NULL;
    uint8_t room[4];
    assert_ok(engine__open(&(engine_options){ .path = "readable" }, &store, &err), err);
    run(store,
        "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}");
    run(store, "CREATE TABLE k.t (a int PRIMARY KEY)");
    run(store, "INSERT INTO k.t (a) VALUES (1)");
    engine__close(store);
    assert_ok(
        engine__open(&(engine_options){ .path = "readable", .read_only = true }, &store, &err),
        err);
    expect(store, "SELECT * FROM k.t", "1");
    expect_error(store, "INSERT INTO k.t (a) VALUES (2)", CORM_INVALID, "read only");
    expect_error(store, "DROP TABLE k.t", CORM_INVALID, "read only");
    const wire_prepared *insert = prepare(store, "INSERT INTO k.t (a) VALUES (?)");
    cql_value            value = int_value(3, room);
    wire_request         request = {
                .kind = WIRE_EXECUTE, .prepared = insert, .value_count = 1, .values = &value
    };
    expect_request_error(store, &request, CORM_INVALID, "read only");
    wire_batch_item item = { .prepared = insert, .value_count = 1, .values = &value };
    request = (wire_request){ .kind = WIRE_BATCH, .batch_count = 1, .batch = &item };
    expect_request_error(store, &request, CORM_INVALID, "read only");
    engine__prepared_unref(insert);
    assert_ok(engine__sync(store, &err), err);
    engine__close(store);
}

/* ---- prepared statements ---- */

static void prepared_statements_run_with_values(void **state) {
    (void)state;
    engine              *store = open_with_table();
    uint8_t              one[4], two[4];
    const wire_prepared *insert = prepare(store, "INSERT INTO k.t (a, b, v) VALUES (?, ?, 'x')");
    const wire_prepared *select = prepare(store, "SELECT v FROM k.t WHERE a = ? AND b = ?");
    const cql_value      values[] = { int_value(1, one), int_value(2, two) };
    expect_prepared(store, select, 2, values, "");
    expect_prepared(store, insert, 2, values, "");
    expect_prepared(store, select, 2, values, "x");
    const wire_prepared *again = engine__prepared_ref(select);
    engine__prepared_unref(select);
    expect_prepared(store, again, 2, values, "x");
    engine__prepared_unref(again);
    engine__prepared_unref(insert);
    engine__prepared_unref(NULL);
    engine__close(store);
}

static void prepared_ddl_and_use_run_too(void **state) {
    (void)state;
    engine              *store = open_with_table();
    const wire_prepared *create =
        prepare(store, "CREATE TABLE IF NOT EXISTS k.u (a int PRIMARY KEY)");
    const wire_prepared *use = prepare(store, "USE k");
    expect_prepared(store, create, 0, NULL, "CREATED TABLE k.u");
    expect_prepared(store, create, 0, NULL, "");
    expect_prepared(store, use, 0, NULL, "k");
    engine__prepared_unref(create);
    engine__prepared_unref(use);
    engine__close(store);
}

static void the_same_text_prepares_to_the_same_id(void **state) {
    (void)state;
    engine      *store = open_with_table();
    wire_answer  answers[3] = { { .prepared = NULL } };
    base_arena   arena = { 0 };
    wire_result  results[3];
    const char  *keyspaces[] = { "k", "k", "" };
    wire_request request = { .kind = WIRE_PREPARE, .text = corm_str_of("SELECT * FROM k.t") };
    for (int i = 0; i < 3; i++) {
        engine_client client = { .keyspace = "" };
        snprintf(client.keyspace, sizeof client.keyspace, "%s", keyspaces[i]);
        assert_ok(engine__execute(store, &client, &request, &answers[i], &err), err);
        assert_ok(wire__result_read(base__buf_bytes(&answers[i].body), WIRE_VERSION, &arena,
                                    &results[i], &err),
                  err);
        assert_int_equal(results[i].id.len, 16);
    }
    assert_memory_equal(results[0].id.data, results[1].id.data, 16);
    assert_memory_not_equal(results[0].id.data, results[2].id.data, 16);
    assert_memory_equal(results[0].metadata_id.data, results[2].metadata_id.data, 16);
    for (int i = 0; i < 3; i++) {
        engine__prepared_unref(answers[i].prepared);
        wire__answer_free(&answers[i]);
    }
    base__arena_free(&arena);
    engine__close(store);
}

static void a_changed_table_is_noticed_by_prepared_statements(void **state) {
    (void)state;
    engine              *store = open_with_table();
    const wire_prepared *select = prepare(store, "SELECT * FROM k.t");
    const wire_prepared *insert = prepare(store, "INSERT INTO k.t (a, b, v) VALUES (1, 2, 'x')");
    run(store, "ALTER TABLE k.t ADD w int");
    expect_prepared(store, insert, 0, NULL, "");
    expect_prepared(store, select, 0, NULL, "1|2|x|null");
    run(store, "CREATE TABLE k.other (a int PRIMARY KEY)");
    expect_prepared(store, select, 0, NULL, "1|2|x|null");
    run(store, "DROP TABLE k.t");
    wire_request request = { .kind = WIRE_EXECUTE, .prepared = select };
    expect_request_error(store, &request, CORM_INVALID, "does not exist");
    request.prepared = insert;
    expect_request_error(store, &request, CORM_INVALID, "does not exist");
    run(store, "CREATE TABLE k.t (a int, b int, v text, PRIMARY KEY (a, b))");
    expect_prepared(store, insert, 0, NULL, "");
    expect_prepared(store, select, 0, NULL, "1|2|x");
    engine__prepared_unref(select);
    engine__prepared_unref(insert);
    engine__close(store);
}

static void metadata_that_changed_is_sent_with_its_id(void **state) {
    (void)state;
    engine       *store = open_with_table();
    engine_client client = { .keyspace = "k" };
    wire_answer   prepared = { 0 }, answer = { 0 };
    wire_request  request = { .kind = WIRE_PREPARE, .text = corm_str_of("SELECT * FROM t") };
    base_arena    arena = { 0 };
    wire_result   before, now;
    run(store, "INSERT INTO k.t (a, b, v) VALUES (1, 2, 'x')");
    assert_ok(engine__execute(store, &client, &request, &prepared, &err), err);
    assert_ok(
        wire__result_read(base__buf_bytes(&prepared.body), WIRE_VERSION, &arena, &before, &err),
        err);
    request = (wire_request){
        .kind = WIRE_EXECUTE,
        .prepared = prepared.prepared,
        .metadata_id = before.metadata_id,
        .options = { .skip_metadata = true, .consistency = WIRE_ONE },
    };
    assert_ok(engine__execute(store, &client, &request, &answer, &err), err);
    assert_ok(wire__result_read(base__buf_bytes(&answer.body), WIRE_VERSION, &arena, &now, &err),
              err);
    assert_true(now.metadata.absent);
    assert_false(now.metadata.changed);
    wire__answer_clear(&answer);
    run(store, "ALTER TABLE k.t ADD w int");
    assert_ok(engine__execute(store, &client, &request, &answer, &err), err);
    assert_ok(wire__result_read(base__buf_bytes(&answer.body), WIRE_VERSION, &arena, &now, &err),
              err);
    assert_true(now.metadata.changed);
    assert_int_equal(now.metadata.count, 4);
    assert_int_equal(now.metadata.new_id.len, 16);
    assert_memory_not_equal(now.metadata.new_id.data, before.metadata_id.data, 16);
    engine__prepared_unref(prepared.prepared);
    wire__answer_free(&prepared);
    wire__answer_free(&answer);
    base__arena_free(&arena);
    engine__close(store);
}

static void a_prepared_statement_belongs_to_its_store(void **state) {
    (void)state;
    engine              *store = open_with_table(), *other = open_with_table();
    const wire_prepared *select = prepare(store, "SELECT * FROM k.t");
    const wire_prepared *insert = prepare(store, "INSERT INTO k.t (a, b) VALUES (1, 2)");
    wire_request         request = { .kind = WIRE_EXECUTE, .prepared = select };
    expect_request_error(other, &request, CORM_UNPREPARED, "another store");
    request.prepared = insert;
    expect_request_error(other, &request, CORM_UNPREPARED, "another store");
    engine__close(store);
    engine__close(other);
    engine__prepared_unref(select);
    engine__prepared_unref(insert);
}

/* ---- the protocol's BATCH ---- */

static void a_batch_mixes_texts_and_prepared_statements(void **state) {
    (void)state;
    engine              *store = open_with_table();
    uint8_t              one[4], two[4];
    const cql_value      values[] = { int_value(1, one), int_value(2, two) };
    const wire_prepared *insert =
        prepare(store, "INSERT INTO k.t (a, b, v) VALUES (?, ?, 'prepared')");
    wire_batch_item items[] = {
        { .prepared = insert, .value_count = 2, .values = values },
        { .text = corm_str_of("INSERT INTO k.t (a, b, v) VALUES (1, 3, 'text')") },
        { .text = corm_str_of("UPDATE k.t SET v = 'bound' WHERE a = 1 AND b = ?"),
          .value_count = 1,
          .values = values },
    };
    wire_request request = { .kind = WIRE_BATCH, .batch_count = 3, .batch = items };
    expect_request(store, &request, "");
    expect(store, "SELECT b, v FROM k.t", "1|bound; 2|prepared; 3|text");
    engine__prepared_unref(insert);
    engine__close(store);
}

static void a_batch_with_a_fault_changes_nothing(void **state) {
    (void)state;
    engine         *store = open_with_table();
    wire_batch_item items[] = {
        { .text = corm_str_of("INSERT INTO k.t (a, b, v) VALUES (1, 3, 'text')") },
        { .text = corm_str_of("SELECT * FROM k.t") },
    };
    wire_request request = { .kind = WIRE_BATCH, .batch_count = 2, .batch = items };
    expect_request_error(store, &request, CORM_INVALID,
                         "only UPDATE, INSERT and DELETE statements");
    items[1].text = corm_str_of("BEGIN BATCH APPLY BATCH");
    expect_request_error(store, &request, CORM_INVALID,
                         "only UPDATE, INSERT and DELETE statements");
    items[1].text = corm_str_of("INSERT INTO k.t (a, b, v) VALUES (?, 3, 'text')");
    expect_request_error(store, &request, CORM_INVALID, "Invalid amount of bind variables");
    items[1].text = corm_str_of("INSERT INTO k.nothing (a) VALUES (1)");
    expect_request_error(store, &request, CORM_INVALID, "does not exist");
    expect(store, "SELECT * FROM k.t", "");
    request.batch_count = 0;
    expect_request(store, &request, "");
    engine__close(store);
}

/* ---- without waiting ---- */

typedef struct submitted {
    wire_request  request;
    engine_client client;
    wire_answer   answer;
    corm_status   status;
    corm_error    error;
    atomic_bool   done;
    pthread_t     thread;
} submitted;

static void note(void *context, corm_status status, wire_answer *answer, const corm_error *e) {
    submitted *call = context;
    assert_ptr_equal(answer, &call->answer);
    call->status = status;
    call->thread = pthread_self();
    call->error = *e;
    atomic_store(&call->done, true);
}

static void submit(engine *store, submitted *call, const char *text) {
    *call = (submitted){ .request = { .kind = WIRE_QUERY, .text = corm_str_of(text) } };
    call->request.options.consistency = WIRE_ONE;
    engine__submit(store, &call->client, &call->request, &call->answer, note, call);
}

static void submitted_reads_are_answered_at_once_and_writes_later(void **state) {
    (void)state;
    engine   *store = open_with_table();
    submitted read, bad, write, refused;
    submit(store, &read, "SELECT * FROM k.t");
    assert_true(atomic_load(&read.done));
    assert_status(read.status, CORM_OK);
    submit(store, &bad, "SELECT * FROM k.u");
    assert_true(atomic_load(&bad.done));
    assert_status(bad.status, CORM_INVALID);
    submit(store, &refused, "INSERT INTO k.t (a, b) VALUES (1, ?)");
    assert_true(atomic_load(&refused.done));
    assert_status(refused.status, CORM_INVALID);
    assert_non_null(strstr(refused.error.message, "bind variables"));
    submit(store, &write, "INSERT INTO k.t (a, b, v) VALUES (1, 2, 'x')");
    while (!atomic_load(&write.done)) sched_yield();
    assert_status(write.status, CORM_OK);
    assert_false(pthread_equal(write.thread, pthread_self()));
    expect(store, "SELECT * FROM k.t", "1|2|x");
    wire__answer_free(&read.answer);
    wire__answer_free(&write.answer);
    wire__answer_free(&bad.answer);
    wire__answer_free(&refused.answer);
    engine__close(store);
}

/* ---- schema changes under way ---- */

typedef struct steady_reader {
    engine              *store;
    const wire_prepared *select, *insert;
    pthread_t            thread;
    int                  failures;
    atomic_bool          stop;
} steady_reader;

static corm_status execute_quietly(engine *store, const wire_prepared *prepared) {
    engine_client client = { .keyspace = "" };
    wire_answer   answer = { 0 };
    corm_error    e;
    wire_request  request = { .kind = WIRE_EXECUTE, .prepared = prepared };
    request.options.consistency = WIRE_ONE;
    corm_status status = engine__execute(store, &client, &request, &answer, &e);
    wire__answer_free(&answer);
    return status;
}

static void *read_and_write(void *context) {
    steady_reader *reader = context;
    while (!atomic_load(&reader->stop)) {
        reader->failures += execute_quietly(reader->store, reader->select) != CORM_OK;
        reader->failures += execute_quietly(reader->store, reader->insert) != CORM_OK;
    }
    return NULL;
}

static void the_schema_may_change_under_readers_and_writers(void **state) {
    (void)state;
    engine              *store = open_with_table();
    const wire_prepared *select = prepare(store, "SELECT * FROM k.t");
    const wire_prepared *insert = prepare(store, "INSERT INTO k.t (a, b, v) VALUES (1, 2, 'x')");
    steady_reader        readers[4];
    expect_prepared(store, insert, 0, NULL, "");
    for (int i = 0; i < 4; i++) {
        readers[i] = (steady_reader){ .store = store, .select = select, .insert = insert };
        assert_int_equal(pthread_create(&readers[i].thread, NULL, read_and_write, &readers[i]), 0);
    }
    for (int i = 0; i < 20; i++) {
        run(store, "ALTER TABLE k.t ADD w int");
        run(store, "CREATE TABLE k.u (a int PRIMARY KEY)");
        run(store, "ALTER TABLE k.t DROP w");
        run(store, "DROP TABLE k.u");
    }
    for (int i = 0; i < 4; i++) {
        atomic_store(&readers[i].stop, true);
        pthread_join(readers[i].thread, NULL);
        assert_int_equal(readers[i].failures, 0);
    }
    expect(store, "SELECT * FROM k.t", "1|2|x");
    assert_ok(engine__verify(store, &err), err);
    engine__prepared_unref(select);
    engine__prepared_unref(insert);
    engine__close(store);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(statements_run_from_text),
    cmocka_unit_test(keys_of_any_length_are_shown_beside_static_columns),
    cmocka_unit_test(use_changes_the_client),
    cmocka_unit_test(warnings_travel_beside_the_answer),
    cmocka_unit_test(values_are_bound_by_place_or_by_name),
    cmocka_unit_test(describe_answers_with_rows),
    cmocka_unit_test(system_tables_are_not_for_users),
    cmocka_unit_test(a_store_open_to_read_refuses_every_write),
    cmocka_unit_test(prepared_statements_run_with_values),
    cmocka_unit_test(prepared_ddl_and_use_run_too),
    cmocka_unit_test(the_same_text_prepares_to_the_same_id),
    cmocka_unit_test(a_changed_table_is_noticed_by_prepared_statements),
    cmocka_unit_test(metadata_that_changed_is_sent_with_its_id),
    cmocka_unit_test(a_prepared_statement_belongs_to_its_store),
    cmocka_unit_test(a_batch_mixes_texts_and_prepared_statements),
    cmocka_unit_test(a_batch_with_a_fault_changes_nothing),
    cmocka_unit_test(submitted_reads_are_answered_at_once_and_writes_later),
    cmocka_unit_test(the_schema_may_change_under_readers_and_writers),
};

RUN_TESTS()
