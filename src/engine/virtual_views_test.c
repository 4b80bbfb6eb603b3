// SPDX-License-Identifier: MIT
/* The rows of system_views that depend on what the store does; tests/golden/system has those that do not. */
#include <stdlib.h>

#include "engine/core.h"
#include "testing/store.h"

static corm_error err;

#define OF_T " WHERE keyspace_name = 'k' AND table_name = 't'"

static engine *open_with_table(void) {
    engine *store = try_open();
    run(store,
        "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}");
    run(store, "CREATE TABLE k.t (a int, b int, c text, PRIMARY KEY (a, b))");
    return store;
}

static void reads_scans_and_writes_are_counted_by_table(void **state) {
    (void)state;
    engine *store = open_with_table();
    for (int i = 0; i < 3; i++) run(store, "INSERT INTO k.t (a, b) VALUES (1, 1)");
    run(store, "SELECT * FROM k.t WHERE a = 1");
    run(store, "SELECT * FROM k.t WHERE a = 2");
    run(store, "SELECT * FROM k.t");
    expect_error(store, "SELECT * FROM k.t WHERE c = 'x'", CORM_INVALID, "ALLOW FILTERING");
    expect(store, "SELECT count FROM system_views.coordinator_write_latency" OF_T, "3");
    expect(store, "SELECT count FROM system_views.local_write_latency" OF_T, "3");
    expect(store, "SELECT count FROM system_views.coordinator_read_latency" OF_T, "2");
    expect(store, "SELECT count FROM system_views.local_read_latency" OF_T, "2");
    expect(store, "SELECT count FROM system_views.coordinator_scan_latency" OF_T, "1");
    expect(store, "SELECT count FROM system_views.local_scan_latency" OF_T, "1");
    expect(
        store,
        "SELECT count FROM system_views.local_scan_latency WHERE keyspace_name = 'k' AND table_name = 'u'",
        "");
    engine__close(store);
}

static double number(engine *store, const char *text) {
    base_buf     out = { 0 };
    wire_request request = { .kind = WIRE_QUERY, .text = corm_str_of(text) };
    assert_ok(try_request(store, &request, &out, &err), err);
    double value = strtod(base__buf_cstr(&out), NULL);
    base__buf_free(&out);
    return value;
}

static void latencies_are_in_order(void **state) {
    (void)state;
    engine *store = open_with_table();
    for (int i = 0; i < 200; i++) run(store, "INSERT INTO k.t (a, b) VALUES (1, 1)");
    double median =
        number(store, "SELECT p50th_ms FROM system_views.coordinator_write_latency" OF_T);
    double high = number(store, "SELECT p99th_ms FROM system_views.coordinator_write_latency" OF_T);
    double most = number(store, "SELECT max_ms FROM system_views.coordinator_write_latency" OF_T);
    double local = number(store, "SELECT p50th_ms FROM system_views.local_write_latency" OF_T);
    assert_true(median > 0 && median <= high && high <= most);
    assert_true(local > 0 && local <= most);
    assert_true(number(store, "SELECT per_second FROM system_views.local_write_latency" OF_T) > 0);
    engine__close(store);
}

static void a_batch_counts_once_for_each_of_its_tables(void **state) {
    (void)state;
    engine *store = open_with_table();
    run(store, "CREATE TABLE k.u (a int PRIMARY KEY)");
    run(store, "BEGIN BATCH INSERT INTO k.t (a, b) VALUES (1, 1); INSERT INTO k.u (a) VALUES (1); "
               "INSERT INTO k.t (a, b) VALUES (2, 1); APPLY BATCH");
    run(store, "BEGIN UNLOGGED BATCH INSERT INTO k.u (a) VALUES (1); APPLY BATCH");
    expect(store, "SELECT count FROM system_views.local_write_latency" OF_T, "1");
    expect(store, "SELECT name, max, p50th, p99th FROM system_views.batch_metrics",
           "partitions_per_counter_batch|0|0|0; partitions_per_logged_batch|3|3|3; "
           "partitions_per_unlogged_batch|1|1|1");
    engine__close(store);
}

static void rows_and_tombstones_of_reads_are_counted(void **state) {
    (void)state;
    engine *store = open_with_table();
    run(store, "INSERT INTO k.t (a, b) VALUES (1, 1)");
    run(store, "INSERT INTO k.t (a, b, c) VALUES (1, 2, 'x')");
    run(store, "INSERT INTO k.t (a, b) VALUES (1, 3)");
    run(store, "DELETE c FROM k.t WHERE a = 1 AND b = 2");
    run(store, "SELECT * FROM k.t WHERE a = 1");
    expect(store, "SELECT count, max, p50th, p99th FROM system_views.rows_per_read" OF_T,
           "1|3|3|3");
    expect(store, "SELECT count, max FROM system_views.tombstones_per_read" OF_T, "1|1");
    engine__close(store);
}

static void sizes_are_those_of_what_is_stored(void **state) {
    (void)state;
    engine *store = open_with_table();
    char    text[8200];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    expect(store, "SELECT mebibytes FROM system_views.disk_usage" OF_T, "0");
    for (int i = 0; i < 300; i++) {
        base_buf insert = { 0 };
        base__buf_printf(&insert, "INSERT INTO k.t (a, b, c) VALUES (%d, %d, '%s')", i % 2, i,
                         text);
        run(store, base__buf_cstr(&insert));
        base__buf_free(&insert);
    }
    expect(store, "SELECT mebibytes FROM system_views.disk_usage" OF_T, "3");
    expect(store, "SELECT mebibytes FROM system_views.max_partition_size" OF_T, "2");
    run(store, "TRUNCATE k.t");
    expect(store, "SELECT mebibytes FROM system_views.disk_usage" OF_T, "0");
    expect(store, "SELECT mebibytes FROM system_views.max_sstable_size" OF_T, "0");
    engine__close(store);
}

static void statements_are_counted_by_their_kind(void **state) {
    (void)state;
    engine              *store = open_with_table();
    const wire_prepared *prepared = prepare(store, "SELECT * FROM k.t");
    expect_prepared(store, prepared, 0, NULL, "");
    expect_prepared(store, prepared, 0, NULL, "");
    engine__prepared_evicted(store);
    expect(store,
           "SELECT value FROM system_views.cql_metrics WHERE name IN ('prepared_statements_count', "
           "'prepared_statements_evicted', 'prepared_statements_executed')",
           "1; 1; 2");
    expect(store,
           "SELECT value FROM system_views.cql_metrics WHERE name = 'regular_statements_executed'",
           "4");
    engine__prepared_unref(prepared);
    expect(store,
           "SELECT value FROM system_views.cql_metrics WHERE name = 'prepared_statements_count'",
           "0");
    engine__close(store);
}

static void all_reads_of_one_row_are_counted_and_some_are_timed(void **state) {
    (void)state;
    engine *store = open_with_table();
    run(store, "INSERT INTO k.t (a, b) VALUES (1, 1)");
    const wire_prepared *prepared = prepare(store, "SELECT b FROM k.t WHERE a = 1 AND b = 1");
    for (int i = 0; i < 500; i++) expect_prepared(store, prepared, 0, NULL, "1");
    run(store, "SELECT * FROM k.t");
    run(store, "SELECT * FROM k.t WHERE a = 1");
    expect(store, "SELECT count FROM system_views.coordinator_read_latency" OF_T, "501");
    expect(store, "SELECT count FROM system_views.local_read_latency" OF_T, "501");
    expect(store, "SELECT count FROM system_views.local_scan_latency" OF_T, "1");
    expect(store, "SELECT count, max FROM system_views.rows_per_read" OF_T, "502|1");
    expect(store, "SELECT count, max FROM system_views.tombstones_per_read" OF_T, "502|0");
    double most = number(store, "SELECT max_ms FROM system_views.local_read_latency" OF_T);
    assert_true(most > 0);
    assert_true(number(store, "SELECT p50th_ms FROM system_views.local_read_latency" OF_T) <= most);
    engine__prepared_unref(prepared);
    engine__close(store);
}

static void a_request_under_way_sees_itself(void **state) {
    (void)state;
    engine *store = open_with_table();
    expect(
        store, "SELECT task, queued_micros FROM system_views.queries",
        "QUERY SELECT task, queued_micros FROM system_views.queries [pageSize = -1] at consistency ONE|0");
    engine__close(store);
}

/* ---- writes that wait ---- */

typedef struct blocking {
    engine_job      job;
    pthread_mutex_t lock;
    pthread_cond_t  changed;
    bool            is_running, may_end;
} blocking;

static corm_status block(engine_job *job, engine_round *round, corm_error *e) {
    blocking *self = (blocking *)job;
    (void)round;
    (void)e;
    pthread_mutex_lock(&self->lock);
    self->is_running = true;
    pthread_cond_broadcast(&self->changed);
    while (!self->may_end) pthread_cond_wait(&self->changed, &self->lock);
    pthread_mutex_unlock(&self->lock);
    return CORM_OK;
}

static void nothing_more(engine_job *job) {
    (void)job;
}

typedef struct answered {
    pthread_mutex_t lock;
    pthread_cond_t  changed;
    bool            is_done;
} answered;

static void answer_came(void *context, corm_status status, wire_answer *answer,
                        const corm_error *e) {
    answered *self = context;
    (void)answer;
    assert_ok(status, *e);
    pthread_mutex_lock(&self->lock);
    self->is_done = true;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
}

static void writes_that_wait_are_seen(void **state) {
    (void)state;
    engine       *store = open_with_table();
    blocking      first = { .job = { .run = block, .finished = nothing_more },
                            .lock = PTHREAD_MUTEX_INITIALIZER,
                            .changed = PTHREAD_COND_INITIALIZER };
    answered      write = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false };
    engine_client client = { .keyspace = "" };
    wire_answer   answer = { 0 };
    wire_request  request = { .kind = WIRE_QUERY,
                              .text = corm_str_of("INSERT INTO k.t (a, b) VALUES (1, 1)"),
                              .options.consistency = WIRE_QUORUM };
    assert_ok(engine__write_later(store, &first.job, &err), err);
    pthread_mutex_lock(&first.lock);
    while (!first.is_running) pthread_cond_wait(&first.changed, &first.lock);
    pthread_mutex_unlock(&first.lock);
    engine__submit(store, &client, &request, &answer, answer_came, &write);
    expect(
        store,
        "SELECT task FROM system_views.queries WHERE task = 'QUERY INSERT INTO k.t (a, b) VALUES "
        "(1, 1) [pageSize = -1] at consistency QUORUM'",
        "QUERY INSERT INTO k.t (a, b) VALUES (1, 1) [pageSize = -1] at consistency QUORUM");
    expect(
        store,
        "SELECT active_tasks, pending_tasks FROM system_views.thread_pools WHERE name = 'MutationStage'",
        "1|1");
    pthread_mutex_lock(&first.lock);
    first.may_end = true;
    pthread_cond_broadcast(&first.changed);
    pthread_mutex_unlock(&first.lock);
    pthread_mutex_lock(&write.lock);
    while (!write.is_done) pthread_cond_wait(&write.changed, &write.lock);
    pthread_mutex_unlock(&write.lock);
    wire__answer_free(&answer);
    expect(store, "SELECT count(*) FROM system_views.queries", "1");
    engine__close(store);
}

/* ---- passwords ---- */

static void remembered_passwords_are_forgotten_when_asked(void **state) {
    (void)state;
    engine *store = open_with_table();
    engine__set_password_cost(store, 4);
    run(store, "CREATE ROLE ada WITH PASSWORD = 'x' AND LOGIN = true");
    run(store, "CREATE ROLE bob WITH PASSWORD = 'x' AND LOGIN = true");
    assert_ok(engine__login(store, corm_str_of("ada"), corm_str_of("x"), &err), err);
    expect(store, "SELECT role FROM system_views.credentials_cache_keys WHERE role = 'ada'", "ada");
    run(store, "DELETE FROM system_views.credentials_cache_keys WHERE role = 'ada'");
    expect(store, "SELECT role FROM system_views.credentials_cache_keys", "");
    /* One at a time: two may have the same place in the cache. */
    assert_ok(engine__login(store, corm_str_of("bob"), corm_str_of("x"), &err), err);
    run(store, "DELETE FROM system_views.credentials_cache_keys WHERE role = 'ada'");
    expect(store, "SELECT role FROM system_views.credentials_cache_keys", "bob");
    assert_ok(engine__login(store, corm_str_of("ada"), corm_str_of("x"), &err), err);
    run(store, "TRUNCATE system_views.credentials_cache_keys");
    expect(store, "SELECT role FROM system_views.credentials_cache_keys", "");
    engine__close(store);
}

static void the_node_gossips_of_itself(void **state) {
    (void)state;
    engine *store = open_with_table();
    char    id[37], expected[120];
    corm_uuid_format(store->id, id);
    snprintf(expected, sizeof expected, "%s|datacenter1|rack1|5.0.9|127.0.0.1:9042|null", id);
    expect(store,
           "SELECT host_id, dc, rack, release_version, native_address_and_port, heartbeat FROM "
           "system_views.gossip_info WHERE address = '127.0.0.1'",
           expected);
    expect(store, "SELECT value FROM system_views.system_properties WHERE name = 'os.name'",
           "Linux");
    expect(store, "SELECT * FROM system_views.internode_inbound", "");
    engine__close(store);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(reads_scans_and_writes_are_counted_by_table),
    cmocka_unit_test(latencies_are_in_order),
    cmocka_unit_test(a_batch_counts_once_for_each_of_its_tables),
    cmocka_unit_test(rows_and_tombstones_of_reads_are_counted),
    cmocka_unit_test(sizes_are_those_of_what_is_stored),
    cmocka_unit_test(statements_are_counted_by_their_kind),
    cmocka_unit_test(all_reads_of_one_row_are_counted_and_some_are_timed),
    cmocka_unit_test(a_request_under_way_sees_itself),
    cmocka_unit_test(writes_that_wait_are_seen),
    cmocka_unit_test(remembered_passwords_are_forgotten_when_asked),
    cmocka_unit_test(the_node_gossips_of_itself),
};

RUN_TESTS()
