// SPDX-License-Identifier: MIT
/* The bulk writer on whichever door is tested. */
#include "corm/bulk.h"

#include <unistd.h>

#include "base/file.h"
#include "stream/stream_for_tests.h"

typedef struct sight {
    atomic_uint done, written, rejected;
    corm_status last_status;
    char        message[1024];
    char        record[256];
    uint32_t    attempts;
} sight;

static void see_done(void *context, const corm_bulk_outcome *outcome) {
    sight *seen = context;
    atomic_fetch_add(&seen->done, 1);
    if (outcome->status == CORM_OK) atomic_fetch_add(&seen->written, 1);
}

static void see_reject(void *context, const corm_bulk_outcome *outcome) {
    sight *seen = context;
    atomic_fetch_add(&seen->rejected, 1);
    seen->last_status = outcome->status;
    seen->attempts = outcome->attempts;
    snprintf(seen->message, sizeof seen->message, "%s", outcome->error->message);
    snprintf(seen->record, sizeof seen->record, "%.*s", (int)outcome->record.len,
             outcome->record.data);
}

static corm_bulk *open_bulk(corm_db *db, sight *seen, corm_bulk_options options) {
    corm_bulk *bulk = NULL;
    corm_error err = { 0 };
    options.context = seen;
    options.done = see_done;
    options.rejected = see_reject;
    options.error = &err;
    assert_ok(corm_bulk_open_with(db, &options, &bulk), err);
    return bulk;
}

static reading make(int32_t number) {
    return (reading){ .sensor = number % SENSORS,
                      .number = number,
                      .value = number,
                      .note = (char *)(uintptr_t) "note" };
}

static void insert(corm_bulk *bulk, int32_t number) {
    corm_error err = { 0 };
    reading    row = make(number);
    assert_ok(corm_bulk_insert(bulk, &readings, &row, { .write.error = &err }), err);
}

static uint64_t count(corm_db *db) {
    corm_error err = { 0 };
    uint64_t   out = 0;
    assert_ok(corm_count(db, &readings, &out, { .error = &err }), err);
    return out;
}

static int64_t value_of(corm_db *db, int32_t number) {
    corm_error err = { 0 };
    corm_rows *rows = NULL;
    corm_value key[] = { corm_v(number % SENSORS), corm_v(number) };
    assert_ok(corm_find_key(db, &readings, &rows, key, 2, &err), err);
    int64_t value = corm_rows_count(rows) == 1 ? ((reading *)corm_rows_first(rows))->value : -1;
    corm_rows_free(rows);
    return value;
}

static void close_bulk(corm_bulk *bulk) {
    corm_error err = { 0 };
    assert_ok(corm_bulk_close(bulk, &err), err);
}

/* ---- tests ---- */

static void what_was_flushed_is_there(void **state) {
    (void)state;
    enum { COUNT = 1500 };
    corm_db        *db = open_db();
    sight           seen = { .done = 0 };
    corm_error      err = { 0 };
    corm_bulk_stats stats;
    corm_bulk      *bulk = open_bulk(db, &seen, (corm_bulk_options){ .max_bytes = 0 });
    for (int32_t i = 0; i < COUNT; i++) insert(bulk, i);
    assert_ok(corm_bulk_flush(bulk, &err), err);
    assert_int_equal(seen.written, COUNT);
    assert_int_equal(count(db), COUNT);
    corm_bulk_statistics(bulk, &stats);
    assert_int_equal(stats.taken, COUNT);
    assert_int_equal(stats.written, COUNT);
    assert_int_equal(stats.bytes, 0);
    assert_int_equal(stats.in_flight, 0);
    assert_true(stats.batches < COUNT);
    close_bulk(bulk);
    corm_db_close(db);
}

static void writes_of_a_row_are_applied_in_order(void **state) {
    (void)state;
    enum { ROUNDS = 40, ROWS = 10 };
    corm_db   *db = open_db();
    sight      seen = { .done = 0 };
    corm_error err = { 0 };
    corm_bulk *bulk = open_bulk(db, &seen, (corm_bulk_options){ .max_bytes = 0 });
    for (int32_t round = 0; round < ROUNDS; round++) {
        for (int32_t i = 0; i < ROWS; i++) {
            reading row = make(i);
            row.value =
                ROUNDS -
                round; /* the last is the smallest: the larger would win at equal timestamps */
            if (round % 3 == 2) {
                assert_ok(corm_bulk_delete(bulk, &readings, &row, { .write.error = &err }), err);
            } else if (round % 3 == 1) {
                assert_ok(corm_bulk_upsert(bulk, &readings, &row, { .write.error = &err }), err);
            } else {
                assert_ok(corm_bulk_save(bulk, &readings, &row, { .write.error = &err }), err);
            }
        }
    }
    close_bulk(bulk);
    for (int32_t i = 0; i < ROWS; i++) assert_int_equal(value_of(db, i), 1);
    assert_int_equal(seen.written, ROUNDS * ROWS);
    corm_db_close(db);
}

typedef struct writer {
    corm_bulk *bulk;
    int32_t    first, count;
} writer;

static void *write_all(void *context) {
    writer *self = context;
    for (int32_t i = 0; i < self->count; i++) insert(self->bulk, self->first + i);
    return NULL;
}

static void threads_write_within_the_bound(void **state) {
    (void)state;
    enum { THREADS = 4, EACH = 400, MOST = 20000 };
    corm_db        *db = open_db();
    sight           seen = { .done = 0 };
    pthread_t       threads[THREADS];
    writer          writers[THREADS];
    corm_bulk_stats stats;
    corm_error      err = { 0 };
    assert_ok(corm_load(db, &readings, &err), err);
    corm_bulk *bulk =
        open_bulk(db, &seen, (corm_bulk_options){ .max_bytes = MOST, .max_in_flight = 2 });
    for (int i = 0; i < THREADS; i++) {
        writers[i] = (writer){ bulk, i * EACH, EACH };
        assert_int_equal(pthread_create(&threads[i], NULL, write_all, &writers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    assert_ok(corm_bulk_flush(bulk, &err), err);
    corm_bulk_statistics(bulk, &stats);
    assert_in_range(stats.bytes_peak, 1, MOST);
    assert_in_range(stats.in_flight_peak, 1, 2);
    close_bulk(bulk);
    assert_int_equal(count(db), THREADS * EACH);
    corm_db_close(db);
}

static corm_statement *prepare(corm_db *db, corm_prepared **prepared, const char *cql) {
    corm_error err = { 0 };
    assert_ok(corm_prepare(corm_db_session(db), cql, prepared, &err), err);
    return corm_statement_new(*prepared);
}

/* One statement that the server refuses spoils nothing for its neighbours, and is in the report. */
static void what_is_refused_is_reported_and_nothing_else(void **state) {
    (void)state;
    corm_db       *db = open_db();
    sight          seen = { .done = 0 };
    corm_error     err = { 0 };
    corm_prepared *prepared;
    base_buf       file = { 0 };
    fill(db, 1);
    corm_statement *insert_one = prepare(
        db, &prepared, "INSERT INTO readings (sensor, number, value) VALUES (?, ?, ?) USING TTL ?");
    corm_bulk *bulk = open_bulk(db, &seen, (corm_bulk_options){ .rejects_path = "rejects" });
    for (int32_t i = 1; i <= 50; i++) {
        int32_t    ttl = i == 30 ? -5 : 1000;
        corm_value values[] = { corm_v(1), corm_v(i), corm_v((int64_t)i), corm_v(ttl) };
        for (uint32_t j = 0; j < 4; j++)
            assert_ok(corm_statement_bind(insert_one, j, values[j], &err), err);
        assert_ok(corm_bulk_statement(bulk, insert_one, NULL, (corm_str){ NULL, 0 }, &err), err);
    }
    assert_ok(corm_bulk_flush(bulk, &err), err);
    assert_int_equal(seen.written, 49);
    assert_int_equal(seen.rejected, 1);
    assert_status(seen.last_status, CORM_INVALID);
    assert_string_equal(seen.record,
                        "{\"sensor\": 1, \"number\": 30, \"value\": 30, \"[ttl]\": -5}");
    assert_ok(base__read_file("rejects", 0, &file, &err), err);
    assert_non_null(strstr(base__buf_cstr(&file), "\"number\": 30"));
    base__buf_clear(&file);
    assert_ok(base__read_file("rejects.txt", 0, &file, &err), err);
    assert_non_null(strstr(base__buf_cstr(&file), seen.message));
    base__buf_free(&file);
    close_bulk(bulk);
    corm_statement_free(insert_one);
    corm_prepared_free(prepared);
    assert_int_equal(count(db), 50);
    unlink("rejects");
    unlink("rejects.txt");
    corm_db_close(db);
}

typedef struct account {
    int32_t id;
    char   *mail;
} account;

static const corm_model accounts = {
    .table = "accounts",
    .row_size = sizeof(account),
    .fields = {
        { CORM_COLUMN(account, id), .key = CORM_PARTITION },
        { CORM_COLUMN(account, mail), .unique = true, .validate = { .required = true } },
    },
};

static void unique_models_and_conditions_are_written_alone(void **state) {
    (void)state;
    corm_db        *db = open_db();
    sight           seen = { .done = 0 };
    corm_error      err = { 0 };
    corm_bulk_stats stats;
    account    one = { 1, (char *)(uintptr_t) "a@b.c" }, two = { 2, (char *)(uintptr_t) "a@b.c" };
    corm_bulk *bulk = open_bulk(db, &seen, (corm_bulk_options){ .max_bytes = 0 });
    insert(bulk, 7);
    assert_ok(corm_bulk_insert(bulk, &accounts, &one, { .write.error = &err }), err);
    assert_status(corm_bulk_insert(bulk, &accounts, &two, { .write.error = &err }),
                  CORM_NOT_UNIQUE);
    reading row = make(7);
    assert_status(corm_bulk_insert(bulk, &readings, &row,
                                   { .write = { .if_not_exists = true, .error = &err } }),
                  CORM_NOT_APPLIED);
    corm_bulk_statistics(bulk, &stats);
    assert_int_equal(stats.alone, 1);
    assert_int_equal(stats.taken, 2);
    close_bulk(bulk);
    corm_db_close(db);
}

static void a_rule_that_is_broken_is_the_calls_status(void **state) {
    (void)state;
    corm_db   *db = open_db();
    sight      seen = { .done = 0 };
    corm_error err = { 0 };
    account    row = { 1, NULL };
    corm_bulk *bulk = open_bulk(db, &seen, (corm_bulk_options){ .max_bytes = 0 });
    assert_status(corm_bulk_insert(bulk, &accounts, &row, { .write.error = &err }),
                  CORM_VALIDATION);
    close_bulk(bulk);
    assert_int_equal(seen.done, 0);
    corm_db_close(db);
}

static void counters_and_wide_deletes_keep_their_place(void **state) {
    (void)state;
    corm_db       *db = open_db();
    sight          seen = { .done = 0 };
    corm_error     err = { 0 };
    corm_prepared *add, *drop;
    fill(db, 100);
    run(db, "CREATE TABLE hits (page int PRIMARY KEY, n counter)");
    corm_statement *adds = prepare(db, &add, "UPDATE hits SET n = n + ? WHERE page = ?");
    corm_statement *drops = prepare(db, &drop, "DELETE FROM readings WHERE sensor = ?");
    corm_bulk      *bulk = open_bulk(db, &seen, (corm_bulk_options){ .max_bytes = 0 });
    for (int32_t i = 0; i < 60; i++) {
        assert_ok(corm_statement_bind(adds, 0, corm_v((int64_t)1), &err), err);
        assert_ok(corm_statement_bind(adds, 1, corm_v(i % 2), &err), err);
        assert_ok(corm_bulk_statement(bulk, adds, NULL, (corm_str){ NULL, 0 }, &err), err);
    }
    insert(bulk, 103);
    assert_ok(corm_statement_bind(drops, 0, corm_v(3), &err), err);
    assert_ok(corm_bulk_statement(bulk, drops, NULL, (corm_str){ NULL, 0 }, &err), err);
    insert(bulk, 113);
    close_bulk(bulk);
    assert_int_equal(count(db), 91);
    assert_int_equal(value_of(db, 113), 113);
    corm_result *result;
    assert_ok(corm_execute(corm_db_session(db), "SELECT n FROM hits", &result, { .error = &err }),
              err);
    for (const corm_row *row; (row = corm_result_next(result)) != NULL;)
        assert_int_equal(corm_row_bigint(row, 0), 30);
    corm_result_free(result);
    corm_statement_free(adds);
    corm_statement_free(drops);
    corm_prepared_free(add);
    corm_prepared_free(drop);
    corm_db_close(db);
}

int main(void) {
    UNUSED_HELPERS();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_flushed_is_there),
        cmocka_unit_test(writes_of_a_row_are_applied_in_order),
        cmocka_unit_test(threads_write_within_the_bound),
        cmocka_unit_test(what_is_refused_is_reported_and_nothing_else),
        cmocka_unit_test(unique_models_and_conditions_are_written_alone),
        cmocka_unit_test(a_rule_that_is_broken_is_the_calls_status),
        cmocka_unit_test(counters_and_wide_deletes_keep_their_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
