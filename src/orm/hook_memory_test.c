// SPDX-License-Identifier: MIT
/* Hooks, rows of batches and events while memory fails: each failure is an error, nothing is left, and every hook that began ends. */
#include "testing/memory.h"

#include "corm/event.h"
#include "corm/hook.h"
#include "orm/attempts_for_tests.h"

typedef struct thing {
    int32_t  id;
    char    *name;
    corm_set tags;
} thing;

static int begun, ended;

static corm_status begin(corm_hook_call *call, void *context, corm_error *err) {
    (void)call, (void)context, (void)err;
    begun++;
    return CORM_OK;
}

static corm_status end(corm_hook_call *call, void *context, corm_error *err) {
    (void)call, (void)context, (void)err;
    ended++;
    return CORM_OK;
}

#define HOOK(NAME)                                                                                 \
    { .name = NAME, .on = CORM_ON_ANY, .before = begin, .after = end }
static const corm_model_hook hooks[] = {
    HOOK("1"), HOOK("2"), HOOK("3"), HOOK("4"), HOOK("5"),
    HOOK("6"), HOOK("7"), HOOK("8"), HOOK("9"), { 0 },
};

#define COL(member) CORM_COLUMN(thing, member)
static const corm_model things = {
    .table = "things",
    .row_size = sizeof(thing),
    .fields = { { COL(id), .key = CORM_PARTITION }, { COL(name) }, { COL(tags) } },
    .hooks = hooks,
};
#undef COL

static corm_events *events;
static int          heard;

static void hear(const corm_event *event, void *context) {
    (void)event, (void)context;
    heard++;
}

/* Behind a write that was done there is another status for it. */
static corm_status memory_of(corm_status status, const corm_error *err) {
    const char *memory = corm_status_text(CORM_NO_MEMORY);
    bool        behind = status == CORM_HOOK_FAILED && strstr(err->message, memory);
    return behind ? CORM_NO_MEMORY : status;
}

static void prepare(void) {
    corm_error err = { 0 };
    thing      t = { .id = 1, .name = "name" };
    assert_ok(corm_insert(db, &things, &t, { .error = &err }), err);
    begun = ended = 0;
}

static void prepare_told(void) {
    corm_error err = { 0 };
    prepare();
    assert_ok(orm__publish_to(db, events, &err), err);
}

static corm_status balanced(corm_status status, const corm_error *err) {
    assert_int_equal(begun, ended);
    return memory_of(status, err);
}

static corm_status op_insert(corm_error *err) {
    corm_set tags = corm_set_of(corm_v("a"), corm_v("b"));
    thing    t = { .id = 1, .name = "name", .tags = tags };
    return balanced(corm_insert(db, &things, &t, { .error = err }), err);
}

static corm_status op_find(corm_error *err) {
    const corm_value key = corm_v(1);
    corm_rows       *rows;
    corm_status      status = corm_find_key(db, &things, &rows, &key, 1, err);
    corm_rows_free(rows);
    return balanced(status, err);
}

static corm_status op_count(corm_error *err) {
    uint64_t count;
    return balanced(
        corm_count(db, &things, &count, { .where = { corm_eq("id", 1) }, .error = err }), err);
}

static corm_status op_delete_where(corm_error *err) {
    return balanced(corm_delete_where(db, &things, { .where = { corm_eq("id", 1) }, .error = err }),
                    err);
}

static corm_status op_batch(corm_error *err) {
    const corm_write_options options = { .error = err };
    corm_set                 tags = corm_set_of(corm_v("a"), corm_v("b"));
    thing                    t = { .id = 1, .name = "name", .tags = tags };
    corm_batch              *batch = corm_batch_new(corm_db_session(db), CORM_LOGGED);
    if (!batch) return CORM_NO_MEMORY;
    corm_status status = corm_batch_insert(batch, db, &things, &t, &options);
    if (status != CORM_OK) assert_int_equal(corm_batch_count(batch), 0);
    if (status == CORM_OK) status = corm_batch_run(batch, NULL, err);
    corm_batch_free(batch);
    return balanced(status, err);
}

static corm_status op_add(corm_error *err) {
    const corm_model_hook hook = { .name = "added", .before = begin, .after = end };
    CORM_TRY(corm_hook_add(db, NULL, &hook, err));
    corm_status status = corm_hook_remove(db, NULL, "added", err);
    return status;
}

static const calm_operation operations[] = {
    { "insert", prepare, op_insert },
    { "insert, told", prepare_told, op_insert },
    { "find", prepare, op_find },
    { "count", prepare, op_count },
    { "delete where", prepare, op_delete_where },
    { "batch", prepare, op_batch },
    { "batch, told", prepare_told, op_batch },
    { "add and remove", prepare, op_add },
};

static void every_operation_survives_every_failed_allocation(void **state) {
    corm_error err;
    (void)state;
    if (!testing__memory_can_fail()) skip();
    assert_ok(corm_events_open(&events, &err), err);
    assert_ok(corm_events_subscribe(events, "**", hear, NULL, NULL, NULL, &err), err);
    try_all(operations, sizeof operations / sizeof *operations);
    assert_true(heard > 0);
    corm_events_close(events);
}

int main(void) {
    UNUSED_HELPERS();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operation_survives_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
