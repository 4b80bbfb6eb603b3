// SPDX-License-Identifier: MIT
/* Allocations that fail, one after the other, in streams, bulk writers and JSON: an error each time, and nothing is left behind. */
#include "testing/memory.h"

#include <stdlib.h>

#include "corm/bulk.h"
#include "corm/json.h"
#include "stream/stream_for_tests.h"

static corm_db *open_memory(void) {
    corm_db   *db = NULL;
    corm_error err = { 0 };
    if (!testing__memory_can_fail()) skip();
    assert_ok(
        corm_open(
            &db, "corm::memory:",
            { .session = { .keyspace = "k", .create_keyspace = true, .relaxed_durability = true },
              .error = &err }),
        err);
    return db;
}

/* What is tried; CORM_NO_MEMORY or, when nothing failed that mattered, CORM_OK. */
typedef corm_status trial(corm_db *db, corm_error *err);

static void fail_each(corm_db *db, trial *try_it) {
    corm_error err = { 0 };
    assert_ok(try_it(db, &err), err); /* what is made once and kept */
    for (size_t n = 0;; n++) {
        testing__memory_fail_from(n);
        corm_status status = try_it(db, &err);
        bool        failed = testing__memory_has_failed();
        testing__memory_fail_from(SIZE_MAX);
        if (status != CORM_OK) assert_status(status, CORM_NO_MEMORY);
        if (!failed) break;
        assert_true(n < 5000);
    }
    assert_ok(try_it(db, &err), err);
}

static corm_status pass(void *context, void *item, corm_error *err) {
    (void)item;
    (void)err;
    ++*(int *)context;
    return CORM_OK;
}

static corm_status stream_all(corm_db *db, corm_error *err) {
    corm_stream *stream;
    int          rows = 0;
    char        *text = NULL;
    CORM_TRY(corm_stream_open(db, &stream,
                              { .model = &readings,
                                .batch_size = 7,
                                .conditions = { corm_lt("number", 30) },
                                .data = pass,
                                .context = &rows,
                                .no_retry = true,
                                .error = err }));
    corm_status status = corm_stream_run(stream, err);
    if (status == CORM_OK) assert_int_equal(rows, 30);
    if (status == CORM_OK) status = corm_stream_checkpoint(stream, &text, err);
    free(text);
    corm_stream_free(stream);
    return status;
}

static void a_stream_fails_cleanly(void **state) {
    (void)state;
    corm_db *db = open_memory();
    fill(db, 40);
    fail_each(db, stream_all);
    corm_db_close(db);
}

static void count_written(void *context, const corm_bulk_outcome *outcome) {
    if (outcome->status == CORM_OK) atomic_fetch_add((atomic_int *)context, 1);
}

static corm_status write_some(corm_db *db, corm_error *err) {
    corm_bulk  *bulk;
    atomic_int  written = 0;
    corm_status status = CORM_OK;
    int         taken = 0;
    CORM_TRY(corm_bulk_open(
        db, &bulk,
        { .done = count_written, .context = &written, .retry_delay_ms = 1, .error = err }));
    for (int32_t i = 0; i < 10 && status == CORM_OK; i++) {
        reading row = { .sensor = i % 3, .number = i, .value = i };
        status = corm_bulk_insert(bulk, &readings, &row, { .write.error = err });
        taken += status == CORM_OK;
    }
    /* What was taken is written, though this thread has no memory any more: it is tried until it has. */
    testing__memory_pause();
    corm_error  why = { 0 };
    corm_status closed = corm_bulk_close(bulk, &why);
    testing__memory_resume();
    assert_ok(closed, why);
    assert_int_equal(written, taken);
    return status;
}

static void a_bulk_writer_fails_cleanly(void **state) {
    (void)state;
    corm_db *db = open_memory();
    fill(db, 1);
    fail_each(db, write_some);
    corm_db_close(db);
}

static corm_status there_and_back(corm_db *db, corm_error *err) {
    static const char json[] =
        "[{\"sensor\": 1, \"number\": 2, \"value\": 3, \"note\": \"x\"}, {\"note\": \"y\"}]";
    corm_rows *rows;
    char      *text = NULL;
    CORM_TRY(corm_from_json(db, &readings, json, &rows, { .error = err }));
    corm_status status = corm_rows_to_json(rows, &text, { .error = err });
    if (status == CORM_OK) assert_string_equal(text, json);
    free(text);
    corm_rows_free(rows);
    return status;
}

static void json_fails_cleanly(void **state) {
    (void)state;
    corm_db *db = open_memory();
    fill(db, 1);
    fail_each(db, there_and_back);
    corm_db_close(db);
}

static void nothing_is_left_behind(void **state) {
    (void)state;
    corm_error err = { 0 };
    corm_db   *db = open_memory();
    fill(db, 40);
    trial *const trials[] = { stream_all, there_and_back };
    for (size_t i = 0; i < 2; i++) {
        for (int warm = 0; warm < 3; warm++) assert_ok(trials[i](db, &err), err);
        long before = testing__memory_live();
        for (size_t n = 0; n < 400; n++) {
            testing__memory_fail_from(n);
            corm_status status = trials[i](db, &err);
            testing__memory_fail_from(SIZE_MAX);
            (void)status;
        }
        assert_in_range(testing__memory_live() - before + 64, 0, 128);
    }
    corm_db_close(db);
}

int main(void) {
    UNUSED_HELPERS();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_fails_cleanly),
        cmocka_unit_test(a_bulk_writer_fails_cleanly),
        cmocka_unit_test(json_fails_cleanly),
        cmocka_unit_test(nothing_is_left_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
