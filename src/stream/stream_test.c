// SPDX-License-Identifier: MIT
/* Streams over tables, models and SELECTs, on whichever door is tested. */
#include "stream/stream_for_tests.h"

enum { ROWS = 2000 };

/* ---- what the callbacks saw ---- */

typedef struct sight {
    corm_stream *stream;
    atomic_uint  seen[ROWS]; /* how often, by number */
    atomic_uint  rows, batches, batch_rows, ends, failures;
    unsigned     fail_at; /* the row whose callback fails; 0: none */
    unsigned     pause_at, cancel_at;
    int32_t      last;
    bool         is_sorted;
    unsigned     largest_batch;
    uint64_t     rows_at_end;
    corm_status  failed_with;
    char        *checkpoint; /* of the last batch */
} sight;

static corm_status see_number(sight *seen, int32_t number, corm_error *err) {
    unsigned rows = atomic_fetch_add(&seen->rows, 1) + 1;
    assert_in_range(number, 0, ROWS - 1);
    atomic_fetch_add(&seen->seen[number], 1);
    if (rows == seen->pause_at) corm_stream_pause(seen->stream);
    if (rows == seen->cancel_at) corm_stream_cancel(seen->stream);
    if (rows == seen->fail_at) return base__fail(err, CORM_INVALID, "no more");
    return CORM_OK;
}

static corm_status see_struct(void *context, void *item, corm_error *err) {
    return see_number(context, ((reading *)item)->number, err);
}

static corm_status see_row(void *context, void *item, corm_error *err) {
    return see_number(context, corm_row_int(item, 1), err);
}

static corm_status see_batch(void *context, const corm_stream_batch *batch, corm_error *err) {
    sight *seen = context;
    atomic_fetch_add(&seen->batches, 1);
    atomic_fetch_add(&seen->batch_rows, batch->size);
    if (batch->read > seen->largest_batch) seen->largest_batch = batch->read;
    if (!seen->checkpoint) return CORM_OK;
    free(seen->checkpoint);
    return corm_stream_checkpoint(seen->stream, &seen->checkpoint, err);
}

static void see_end(void *context, const corm_stream_stats *stats) {
    sight *seen = context;
    atomic_fetch_add(&seen->ends, 1);
    seen->rows_at_end = stats->rows;
    assert_int_equal(stats->rows, atomic_load(&seen->rows));
}

static void see_failure(void *context, corm_status status, const corm_error *error) {
    sight *seen = context;
    atomic_fetch_add(&seen->failures, 1);
    seen->failed_with = status;
    assert_int_equal(error->status, status);
}

static void open_stream(corm_db *db, sight *seen, corm_stream_options options) {
    corm_error err = { 0 };
    options.context = seen;
    options.error = &err;
    options.end = see_end;
    options.failed = see_failure;
    if (!options.batch) options.batch = see_batch;
    assert_ok(corm_stream_open_with(db, &options, &seen->stream), err);
}

static void run_whole(sight *seen) {
    corm_error err = { 0 };
    assert_ok(corm_stream_run(seen->stream, &err), err);
}

static void expect_each_once(const sight *seen, int32_t count) {
    for (int32_t i = 0; i < count; i++) {
        if (atomic_load(&seen->seen[i]) != 1) fail_msg("row %d came %u times", i, seen->seen[i]);
    }
    assert_int_equal(seen->rows, count);
}

static sight *new_sight(void) {
    sight *seen = calloc(1, sizeof *seen);
    assert_non_null(seen);
    seen->last = -1;
    return seen;
}

static void end(corm_db *db, sight *seen) {
    corm_stream_free(seen->stream);
    corm_db_close(db);
    free(seen->checkpoint);
    free(seen);
}

/* ---- tests ---- */

static void a_model_is_delivered_row_by_row(void **state) {
    (void)state;
    corm_db *db = open_db();
    sight   *seen = new_sight();
    fill(db, 1000);
    open_stream(db, seen,
                (corm_stream_options){ .model = &readings, .data = see_struct, .batch_size = 64 });
    run_whole(seen);
    expect_each_once(seen, 1000);
    assert_int_equal(seen->ends, 1);
    assert_int_equal(seen->failures, 0);
    assert_int_equal(seen->batch_rows, 1000);
    assert_in_range(seen->largest_batch, 1, 64);
    end(db, seen);
}

static void a_table_is_delivered_as_rows(void **state) {
    (void)state;
    corm_db *db = open_db();
    sight   *seen = new_sight();
    fill(db, 500);
    corm_stream_options options = { .table = "readings",
                                    .columns = "sensor, number",
                                    .data = see_row,
                                    .concurrency = 3,
                                    .batch_size = 7 };
    open_stream(db, seen, options);
    run_whole(seen);
    expect_each_once(seen, 500);
    corm_stream_stats stats;
    corm_stream_statistics(seen->stream, &stats);
    assert_int_equal(stats.rows, 500);
    assert_true(stats.progress == 1.0);
    assert_int_equal(stats.bytes_in_flight, 0);
    assert_int_equal(stats.rows_in_flight, 0);
    assert_true(stats.pages >= 500 / 7);
    end(db, seen);
}

static void a_select_is_delivered_page_by_page(void **state) {
    (void)state;
    corm_db   *db = open_db();
    sight     *seen = new_sight();
    corm_value limit = corm_v(300);
    fill(db, 500);
    corm_stream_options options = { .cql = "SELECT sensor, number FROM readings LIMIT ?",
                                    .values = &limit,
                                    .value_count = 1,
                                    .data = see_row,
                                    .batch_size = 20 };
    open_stream(db, seen, options);
    run_whole(seen);
    assert_int_equal(seen->rows, 300);
    end(db, seen);
}

static bool is_even(void *context, const void *item) {
    (void)context;
    return ((const reading *)item)->number % 2 == 0;
}

typedef struct doubled {
    int32_t number;
    int64_t twice;
} doubled;

static corm_status double_it(void *context, void *item, void *out, corm_error *err) {
    (void)context;
    (void)err;
    const reading *row = item;
    *(doubled *)out = (doubled){ .number = row->number, .twice = 2 * row->value };
    return CORM_OK;
}

static corm_status see_doubled(void *context, void *item, corm_error *err) {
    const doubled *made = item;
    assert_int_equal(made->twice, 2 * made->number);
    return see_number(context, made->number, err);
}

static void filter_and_transform_make_what_is_delivered(void **state) {
    (void)state;
    for (uint32_t workers = 0; workers <= 3; workers += 3) {
        for (int ordered = 0; ordered <= 1; ordered++) {
            corm_db *db = open_db();
            sight   *seen = new_sight();
            fill(db, 600);
            corm_stream_options options = { .model = &readings,
                                            .filter = is_even,
                                            .transform = double_it,
                                            .out_size = sizeof(doubled),
                                            .data = see_doubled,
                                            .workers = workers,
                                            .ordered = ordered != 0,
                                            .batch_size = 50 };
            open_stream(db, seen, options);
            run_whole(seen);
            assert_int_equal(seen->rows, 300);
            for (int32_t i = 0; i < 600; i++) assert_int_equal(seen->seen[i], i % 2 == 0);
            corm_stream_stats stats;
            corm_stream_statistics(seen->stream, &stats);
            assert_int_equal(stats.filtered, 300);
            assert_int_equal(stats.read, 600);
            end(db, seen);
        }
    }
}

static void workers_deliver_each_row_once(void **state) {
    (void)state;
    corm_db *db = open_db();
    sight   *seen = new_sight();
    fill(db, ROWS);
    corm_stream_options options = {
        .model = &readings, .data = see_struct, .workers = 4, .concurrency = 6, .batch_size = 30
    };
    open_stream(db, seen, options);
    run_whole(seen);
    expect_each_once(seen, ROWS);
    assert_int_equal(seen->ends, 1);
    end(db, seen);
}

/* Rows of a partition come together and by their clustering column, and each partition once. */
typedef struct order_sight {
    int32_t  sensor, number;
    unsigned partitions, rows;
} order_sight;

static corm_status see_order(void *context, void *item, corm_error *err) {
    order_sight   *seen = context;
    const reading *row = item;
    (void)err;
    if (seen->rows++ == 0 || row->sensor != seen->sensor) {
        seen->partitions++;
    } else {
        assert_true(row->number > seen->number);
    }
    seen->sensor = row->sensor;
    seen->number = row->number;
    return CORM_OK;
}

static void in_order_partitions_come_whole(void **state) {
    (void)state;
    for (uint32_t workers = 0; workers <= 3; workers += 3) {
        corm_db     *db = open_db();
        corm_stream *stream;
        corm_error   err = { 0 };
        order_sight  seen = { .sensor = -1 };
        fill(db, 1500);
        assert_ok(corm_stream_open(db, &stream,
                                   { .model = &readings,
                                     .ordered = true,
                                     .workers = workers,
                                     .data = see_order,
                                     .context = &seen,
                                     .batch_size = 40,
                                     .max_bytes = 20000,
                                     .page_bytes = 4000,
                                     .error = &err }),
                  err);
        assert_ok(corm_stream_run(stream, &err), err);
        assert_int_equal(seen.rows, 1500);
        assert_int_equal(seen.partitions, SENSORS);
        corm_stream_free(stream);
        corm_db_close(db);
    }
}

static void a_failing_callback_stops_and_the_next_run_goes_on_behind_it(void **state) {
    (void)state;
    corm_db   *db = open_db();
    sight     *seen = new_sight();
    corm_error err = { 0 };
    fill(db, 300);
    seen->fail_at = 77;
    open_stream(db, seen,
                (corm_stream_options){ .model = &readings, .data = see_struct, .batch_size = 10 });
    assert_status(corm_stream_run(seen->stream, &err), CORM_INVALID);
    assert_string_equal(err.message, "no more");
    assert_int_equal(seen->rows, 77);
    assert_int_equal(seen->failures, 1);
    assert_int_equal(seen->ends, 0);
    run_whole(seen);
    expect_each_once(seen, 300);
    assert_int_equal(seen->ends, 1);
    end(db, seen);
}

static void a_failing_worker_stops_the_others(void **state) {
    (void)state;
    for (int ordered = 0; ordered <= 1; ordered++) {
        corm_db   *db = open_db();
        sight     *seen = new_sight();
        corm_error err = { 0 };
        fill(db, ROWS);
        seen->fail_at = 100;
        corm_stream_options options = { .model = &readings,
                                        .data = see_struct,
                                        .workers = 3,
                                        .ordered = ordered != 0,
                                        .batch_size = 10 };
        open_stream(db, seen, options);
        assert_status(corm_stream_run(seen->stream, &err), CORM_INVALID);
        assert_true(seen->rows < ROWS);
        seen->fail_at = 0;
        run_whole(seen);
        expect_each_once(seen, ROWS);
        end(db, seen);
    }
}

static void *resume_later(void *context) {
    sight *seen = context;
    while (!corm_stream_is_paused(seen->stream)) sched_yield();
    assert_int_equal(seen->ends, 0);
    corm_stream_resume(seen->stream);
    return NULL;
}

static void a_pause_holds_every_row_back_and_the_end_too(void **state) {
    (void)state;
    for (uint32_t workers = 0; workers <= 2; workers += 2) {
        for (unsigned at = 1; at <= 200; at += 199) { /* the first row; the last */
            corm_db  *db = open_db();
            sight    *seen = new_sight();
            pthread_t thread;
            fill(db, 200);
            seen->pause_at = at;
            corm_stream_options options = {
                .model = &readings, .data = see_struct, .workers = workers, .batch_size = 50
            };
            open_stream(db, seen, options);
            assert_int_equal(pthread_create(&thread, NULL, resume_later, seen), 0);
            run_whole(seen);
            pthread_join(thread, NULL);
            expect_each_once(seen, 200);
            assert_int_equal(seen->ends, 1);
            corm_stream_stats stats;
            corm_stream_statistics(seen->stream, &stats);
            assert_true(stats.paused_seconds > 0);
            end(db, seen);
        }
    }
}

static void cancelling_in_the_middle_of_a_page_ends_the_run(void **state) {
    (void)state;
    corm_db   *db = open_db();
    sight     *seen = new_sight();
    corm_error err = { 0 };
    fill(db, 300);
    seen->cancel_at = 5;
    open_stream(db, seen, (corm_stream_options){ .model = &readings, .data = see_struct });
    assert_status(corm_stream_run(seen->stream, &err), CORM_CANCELLED);
    assert_int_equal(seen->rows, 5);
    assert_int_equal(seen->failures, 1);
    assert_int_equal(seen->failed_with, CORM_CANCELLED);
    assert_status(corm_stream_run(seen->stream, &err), CORM_CANCELLED);
    end(db, seen);
}

static void rows_are_taken_one_by_one(void **state) {
    (void)state;
    corm_db   *db = open_db();
    sight     *seen = new_sight();
    corm_error err = { 0 };
    void      *item;
    fill(db, 400);
    open_stream(db, seen,
                (corm_stream_options){ .model = &readings, .filter = is_even, .batch_size = 33 });
    for (;;) {
        assert_ok(corm_stream_next(seen->stream, &item, &err), err);
        if (!item) break;
        assert_ok(see_struct(seen, item, &err), err);
    }
    assert_int_equal(seen->rows, 200);
    assert_int_equal(seen->ends, 1);
    assert_ok(corm_stream_next(seen->stream, &item, &err), err);
    assert_null(item);
    assert_int_equal(seen->ends, 1);
    end(db, seen);
}

static void a_checkpoint_goes_on_with_the_pages_that_are_left(void **state) {
    (void)state;
    for (int select = 0; select <= 1; select++) {
        corm_db   *db = open_db();
        sight     *seen = new_sight();
        corm_error err = { 0 };
        fill(db, 600);
        corm_stream_options options = { .data = see_row, .batch_size = 25 };
        if (select) {
            options.cql = "SELECT sensor, number FROM readings";
        } else {
            options.table = "readings";
            options.columns = "sensor, number";
        }
        /* Fails behind a page that counts: what was seen is what the checkpoint says. */
        options.batch = see_batch;
        open_stream(db, seen, options);
        assert_ok(corm_stream_checkpoint(seen->stream, &seen->checkpoint, &err), err);
        seen->fail_at = 200;
        assert_status(corm_stream_run(seen->stream, &err), CORM_INVALID);
        corm_stream_free(seen->stream);
        unsigned before = seen->batch_rows;
        options.resume = seen->checkpoint;
        seen->fail_at = 0;
        atomic_store(&seen->rows, 0);
        open_stream(db, seen, options);
        run_whole(seen);
        assert_int_equal(seen->rows, 600 - before);
        assert_true(before > 0 && before < 600);
        for (int32_t i = 0; i < 600; i++) assert_in_range(seen->seen[i], 1, 2);
        end(db, seen);
    }
}

static corm_status be_slow(void *context, void *item, corm_error *err) {
    for (int i = 0; i < 3; i++) sched_yield();
    return see_struct(context, item, err);
}

static void a_slow_consumer_holds_the_reading_back(void **state) {
    (void)state;
    enum { MOST = 16000 };
    corm_db          *db = open_db();
    sight            *seen = new_sight();
    corm_stream_stats stats;
    fill(db, ROWS);
    corm_stream_options options = { .model = &readings,
                                    .data = be_slow,
                                    .concurrency = 8,
                                    .batch_size = 1000,
                                    .max_bytes = MOST,
                                    .max_rows = 400,
                                    .page_bytes = 2000 };
    open_stream(db, seen, options);
    run_whole(seen);
    expect_each_once(seen, ROWS);
    corm_stream_statistics(seen->stream, &stats);
    assert_in_range(stats.bytes_in_flight_peak, 1, MOST);
    assert_in_range(stats.rows_in_flight_peak, 1, 400);
    assert_true(stats.held_back > 0);
    end(db, seen);
}

static void conditions_are_held_on_the_rows_read(void **state) {
    (void)state;
    corm_db *db = open_db();
    sight   *seen = new_sight();
    fill(db, 400);
    corm_stream_options options = { .model = &readings,
                                    .data = see_struct,
                                    .conditions = { corm_ne("sensor", 3), corm_lt("value", 100) } };
    open_stream(db, seen, options);
    run_whole(seen);
    assert_int_equal(seen->rows, 90);
    assert_int_equal(seen->seen[3], 0);
    end(db, seen);
}

static void what_contradicts_itself_is_refused(void **state) {
    (void)state;
    corm_db     *db = open_db();
    corm_stream *stream;
    corm_error   err = { 0 };
    fill(db, 10);
    assert_status(corm_stream_open(db, &stream, { .error = &err }), CORM_INVALID_ARGUMENT);
    assert_status(
        corm_stream_open(db, &stream, { .table = "readings", .cql = "SELECT", .error = &err }),
        CORM_INVALID_ARGUMENT);
    assert_status(corm_stream_open(db, &stream, { .cql = "TRUNCATE readings", .error = &err }),
                  CORM_INVALID_ARGUMENT);
    assert_status(corm_stream_open(db, &stream, { .table = "nothing", .error = &err }),
                  CORM_NOT_FOUND);
    assert_status(
        corm_stream_session(corm_db_session(db), &stream, { .model = &readings, .error = &err }),
        CORM_INVALID_ARGUMENT);
    assert_status(
        corm_stream_open(db, &stream,
                         { .table = "readings", .resume = "corm-scan-1 x", .error = &err }),
        CORM_INVALID_ARGUMENT);
    corm_db_close(db);
}

static corm_status run_inside(void *context, void *item, corm_error *err) {
    sight *seen = context;
    void  *other;
    (void)item;
    corm_error why = { 0 };
    assert_status(corm_stream_run(seen->stream, &why), CORM_WOULD_DEADLOCK);
    assert_status(corm_stream_next(seen->stream, &other, &why), CORM_WOULD_DEADLOCK);
    return base__fail(err, CORM_CANCELLED, "enough");
}

static void a_run_inside_its_own_callback_is_refused(void **state) {
    (void)state;
    corm_db   *db = open_db();
    sight     *seen = new_sight();
    corm_error err = { 0 };
    fill(db, 10);
    open_stream(db, seen, (corm_stream_options){ .model = &readings, .data = run_inside });
    assert_status(corm_stream_run(seen->stream, &err), CORM_CANCELLED);
    end(db, seen);
}

int main(void) {
    UNUSED_HELPERS();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_is_delivered_row_by_row),
        cmocka_unit_test(a_table_is_delivered_as_rows),
        cmocka_unit_test(a_select_is_delivered_page_by_page),
        cmocka_unit_test(filter_and_transform_make_what_is_delivered),
        cmocka_unit_test(workers_deliver_each_row_once),
        cmocka_unit_test(in_order_partitions_come_whole),
        cmocka_unit_test(a_failing_callback_stops_and_the_next_run_goes_on_behind_it),
        cmocka_unit_test(a_failing_worker_stops_the_others),
        cmocka_unit_test(a_pause_holds_every_row_back_and_the_end_too),
        cmocka_unit_test(cancelling_in_the_middle_of_a_page_ends_the_run),
        cmocka_unit_test(rows_are_taken_one_by_one),
        cmocka_unit_test(a_checkpoint_goes_on_with_the_pages_that_are_left),
        cmocka_unit_test(a_slow_consumer_holds_the_reading_back),
        cmocka_unit_test(conditions_are_held_on_the_rows_read),
        cmocka_unit_test(what_contradicts_itself_is_refused),
        cmocka_unit_test(a_run_inside_its_own_callback_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
