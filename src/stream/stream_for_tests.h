// SPDX-License-Identifier: MIT
/* stream_for_tests.h -- a mapper over an empty keyspace of the door that is tested, and a table of readings in it. */
#ifndef STREAM_FOR_TESTS_H
#define STREAM_FOR_TESTS_H

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/fail.h"
#include "corm/db.h"
#include "corm/stream.h"
#include "testing/doors.h"

typedef struct reading {
    int32_t sensor, number;
    int64_t value;
    char   *note;
} reading;

#define COL(member) CORM_COLUMN(reading, member)
static const corm_model readings = {
    .table = "readings",
    .row_size = sizeof(reading),
    .fields = {
        { COL(sensor), .key = CORM_PARTITION },
        { COL(number), .key = CORM_CLUSTERING },
        { COL(value) },
        { COL(note) },
    },
};
#undef COL

static inline corm_db *open_db(void) {
    corm_db        *db = NULL;
    corm_error      err = { 0 };
    corm_db_options options = { .error = &err };
    options.session.keyspace = "streams";
    options.session.create_keyspace = true;
    options.session.relaxed_durability = true;
    assert_ok(corm_db_open(&db, testing__fresh("streams"), &options), err);
    return db;
}

static inline void run(corm_db *db, const char *cql) {
    corm_error err = { 0 };
    assert_ok(corm_execute(corm_db_session(db), cql, NULL, { .error = &err }), err);
}

enum { SENSORS = 10 };

/* `count` rows over SENSORS partitions; the value of number n is n. */
static inline void fill(corm_db *db, int32_t count) {
    corm_error  err = { 0 };
    corm_batch *batch = corm_batch_new(corm_db_session(db), CORM_UNLOGGED);
    assert_ok(corm_load(db, &readings, &err), err);
    for (int32_t i = 0; i < count; i++) {
        reading row = {
            .sensor = i % SENSORS, .number = i, .value = i, .note = (char *)(uintptr_t) "note"
        };
        assert_ok(corm_batch_insert(batch, db, &readings, &row, NULL), err);
    }
    assert_ok(corm_batch_run_split(batch, NULL, NULL), err);
    corm_batch_free(batch);
}

#define UNUSED_HELPERS() (void)open_db, (void)run, (void)fill, (void)readings

#endif
