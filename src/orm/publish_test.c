// SPDX-License-Identifier: MIT
/* What the mapper tells its events, on every door: rows with their masked columns, models, notices. */
#include "corm/event.h"

#include "corm/db.h"
#include "testing/doors.h"

typedef struct card {
    int32_t id;
    char    owner[16], number[24], pin[8];
} card;

#define COL(member) CORM_COLUMN(card, member)
static const corm_model cards = {
    .table = "cards",
    .row_size = sizeof(card),
    .fields = { { COL(id), .key = CORM_PARTITION },
                { COL(owner) },
                { COL(number), .shown = CORM_MASKED_PARTLY },
                { COL(pin), .shown = CORM_HIDDEN } },
};
#undef COL

typedef struct told {
    char all[512], row[256];
    int  objects;
} told;

static void hear(const corm_event *event, void *context) {
    told  *t = context;
    size_t len = strlen(t->all);
    snprintf(t->all + len, sizeof t->all - len, "%s ", event->type);
    t->objects += event->object != NULL;
    if (strncmp(event->type, "row.", 4) != 0) return;
    const char *pin = corm_event_value(event, "pin");
    snprintf(t->row, sizeof t->row, "%s id=%s owner=%s number=%s pin=%s", event->subject,
             corm_event_value(event, "id"), corm_event_value(event, "owner"),
             corm_event_value(event, "number"), pin ? pin : "-");
}

static void rows_models_and_the_db_are_told_of(void **state) {
    (void)state;
    told            t = { .objects = 0 };
    corm_events    *events;
    corm_db        *db = NULL;
    corm_error      err = { 0 };
    corm_db_options options = { .session = { .keyspace = "told", .create_keyspace = true },
                                .error = &err };
    assert_ok(corm_events_open(&events, &err), err);
    assert_ok(corm_events_subscribe(events, "*.*", hear, &t, NULL, NULL, &err), err);
    options.events = events;
    assert_ok(corm_db_open(&db, testing__fresh("told"), &options), err);
    assert_ptr_equal(corm_db_events(db), events);
    card c = { 1, "Ada", "4111222233334444", "1234" };
    assert_ok(corm_insert(db, &cards, &c, { .error = &err }), err);
    assert_string_equal(t.row, "told.cards id=1 owner=Ada number=***4444 pin=-");
    assert_ok(corm_update(db, &cards, &c, { .error = &err }), err);
    const corm_write_options plain = { .error = &err };
    corm_batch              *batch = corm_batch_new(corm_db_session(db), CORM_LOGGED);
    assert_ok(corm_batch_insert(batch, db, &cards, &c, &plain), err);
    c.id = 9;
    assert_ok(corm_batch_run(batch, NULL, &err), err);
    corm_batch_free(batch);
    assert_string_equal(t.row, "told.cards id=1 owner=Ada number=***4444 pin=-");
    c.id = 1;
    assert_ok(corm_delete(db, &cards, &c, { .error = &err }), err);
    assert_int_equal(t.objects, 4);
    corm_db_close(db);
    corm_events_close(events);
    const char              *at = t.all;
    static const char *const types[] = { "db.opened",   "model.loaded", "row.inserted",
                                         "row.updated", "row.inserted", "row.deleted",
                                         "db.closed" };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        at = strstr(at, types[i]);
        if (!at) fail_msg("no %s in %s", types[i], t.all);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(rows_models_and_the_db_are_told_of),
};

RUN_TESTS()
