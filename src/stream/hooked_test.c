// SPDX-License-Identifier: MIT
/* Hooks of a model around streams and bulk writers. */
#include "corm/bulk.h"
#include "corm/hook.h"
#include "stream/stream_for_tests.h"

typedef struct sight {
    atomic_uint before, after, failed, bulk, pages, rows;
} sight;

static sight seen;

static corm_status before_write(corm_hook_call *call, void *context, corm_error *err) {
    (void)context;
    reading *row = call->row;
    if (row->value < 0) return base__fail(err, CORM_INVALID, "no negative values");
    row->value += 1000;
    atomic_fetch_add(&seen.before, 1);
    if (call->path == CORM_PATH_BULK) atomic_fetch_add(&seen.bulk, 1);
    return CORM_OK;
}

static corm_status after_write(corm_hook_call *call, void *context, corm_error *err) {
    (void)context;
    (void)err;
    atomic_fetch_add(call->status == CORM_OK ? &seen.after : &seen.failed, 1);
    return CORM_OK;
}

static corm_status before_find(corm_hook_call *call, void *context, corm_error *err) {
    (void)context;
    (void)err;
    call->find->where[0] = (corm_term)corm_lt("number", 40);
    return CORM_OK;
}

static corm_status after_find(corm_hook_call *call, void *context, corm_error *err) {
    (void)context;
    (void)err;
    atomic_fetch_add(&seen.pages, corm_rows_count(call->rows) > 0);
    return CORM_OK;
}

static const corm_model_hook hooks[] = {
    { .name = "write", .on = CORM_ON_WRITE, .before = before_write, .after = after_write },
    { .name = "find", .on = CORM_ON_FIND, .before = before_find, .after = after_find },
    { .name = NULL },
};

#define COL(member) CORM_COLUMN(reading, member)
static const corm_model hooked = {
    .table = "hooked",
    .row_size = sizeof(reading),
    .hooks = hooks,
    .fields = {
        { COL(sensor), .key = CORM_PARTITION },
        { COL(number), .key = CORM_CLUSTERING },
        { COL(value) },
        { COL(note) },
    },
};
#undef COL

static corm_status see(void *context, void *item, corm_error *err) {
    const reading *row = item;
    (void)context;
    (void)err;
    assert_true(row->value >= 1000 && row->number < 40);
    atomic_fetch_add(&seen.rows, 1);
    return CORM_OK;
}

static void hooks_run_around_bulk_writes_and_streams(void **state) {
    (void)state;
    corm_db     *db = open_db();
    corm_bulk   *bulk;
    corm_stream *stream;
    corm_error   err = { 0 };
    assert_ok(corm_bulk_open(db, &bulk, { .error = &err }), err);
    for (int32_t i = 0; i < 100; i++) {
        reading row = { .sensor = i % 4, .number = i, .value = i, .note = (char *)(uintptr_t) "x" };
        assert_ok(corm_bulk_insert(bulk, &hooked, &row, { .write.error = &err }), err);
    }
    reading bad = { .value = -1 };
    assert_status(corm_bulk_insert(bulk, &hooked, &bad, { .write.error = &err }), CORM_INVALID);
    assert_string_equal(err.message, "no negative values");
    assert_ok(corm_bulk_close(bulk, &err), err);
    assert_int_equal(seen.before, 100);
    assert_int_equal(seen.bulk, 100);
    assert_int_equal(seen.after, 100);
    assert_ok(corm_stream_open(db, &stream, { .model = &hooked, .data = see, .error = &err }), err);
    assert_ok(corm_stream_run(stream, &err), err);
    assert_int_equal(seen.rows, 40);
    assert_true(seen.pages > 0);
    corm_stream_free(stream);
    corm_db_close(db);
}

int main(void) {
    UNUSED_HELPERS();
    const struct CMUnitTest tests[] = { cmocka_unit_test(
        hooks_run_around_bulk_writes_and_streams) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
