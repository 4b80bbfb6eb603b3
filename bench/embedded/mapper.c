// SPDX-License-Identifier: MIT
/* mapper.c -- the embedded store through models: structs go in and come out. */
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"
#include "corm/corm.h"

typedef struct connection {
    corm_db    *db;
    corm_batch *batch;
} connection;

/* bench_item's time, as the type that a timestamp column maps to. */
typedef struct mapped_item {
    char           user[16];
    int32_t        seq;
    char           name[32];
    char           email[48];
    double         score;
    corm_timestamp created;
} mapped_item;
_Static_assert(sizeof(mapped_item) == sizeof(bench_item), "the two have one layout");

#define COL(member) CORM_COLUMN(mapped_item, member)
static const corm_model items_model = {
    .table = "items",
    .row_size = sizeof(mapped_item),
    .fields = {
        { COL(user), .key = CORM_PARTITION },
        { COL(seq), .key = CORM_CLUSTERING },
        { COL(name) },
        { COL(email) },
        { COL(score) },
        { COL(created) },
    },
};
#undef COL

static char folder_uri[4096]; /* of the one store that a run opens */

static void check(corm_status status, const corm_error *err, const char *what) {
    if (status != CORM_OK) bench_fail(what, err->message);
}

static void *open_store(const char *folder, bench_promise promise, bool create) {
    corm_db   *db;
    corm_error err = { 0 };
    snprintf(folder_uri, sizeof folder_uri, "corm:%s", folder);
    corm_db_options options = {
        .session = { .keyspace = "bench",
                     .create_keyspace = create,
                     .relaxed_durability = promise == BENCH_IN_OS },
        .error = &err,
    };
    check(corm_db_open(&db, folder_uri, &options), &err, "open");
    check(corm_load(db, &items_model, &err), &err, "load");
    return db;
}

static void close_store(void *store) {
    corm_db_close(store);
}

static void sync_store(void *store) {
    corm_session *strict;
    corm_error    err = { 0 };
    check(corm_session_open(&strict, folder_uri, NULL, &err), &err, "sync");
    corm_session_close(strict);
    (void)store;
}

static void *connect_store(void *store) {
    connection *to = calloc(1, sizeof *to);
    if (!to) bench_fail("connect", "no memory");
    to->db = store;
    to->batch = corm_batch_new(corm_db_session(store), CORM_UNLOGGED);
    return to;
}

static void disconnect_store(void *opaque) {
    connection *to = opaque;
    corm_batch_free(to->batch);
    free(to);
}

static void insert(void *opaque, const bench_item *item) {
    connection        *to = opaque;
    corm_error         err = { 0 };
    corm_write_options options = { .error = &err };
    bench_item         row = *item;
    check(corm_insert_with(to->db, &items_model, &row, &options), &err, "insert");
}

static void insert_batch(void *opaque, const bench_item *items, uint32_t count) {
    connection        *to = opaque;
    corm_error         err = { 0 };
    corm_write_options options = { .error = &err };
    corm_batch_clear(to->batch);
    for (uint32_t i = 0; i < count; i++) {
        bench_item row = items[i];
        check(corm_batch_insert(to->batch, to->db, &items_model, &row, &options), &err, "batch");
    }
    check(corm_batch_run(to->batch, NULL, &err), &err, "batch");
}

static void see_rows(corm_rows *rows, bench_seen *seen) {
    for (CORM_EACH(bench_item, item, rows)) bench_see(seen, item);
}

static void point_read(void *opaque, const char *user, int32_t seq, bench_seen *seen) {
    connection *to = opaque;
    corm_rows  *rows;
    corm_error  err = { 0 };
    corm_value  key[] = { corm_of_text(user), corm_of_i32(seq) };
    check(corm_find_key(to->db, &items_model, &rows, key, 2, &err), &err, "find");
    see_rows(rows, seen);
    corm_rows_free(rows);
}

static void slice(void *opaque, const char *user, int32_t seq, bench_seen *seen) {
    connection       *to = opaque;
    corm_rows        *rows;
    corm_error        err = { 0 };
    corm_find_options options = {
        .where = { corm_eq("user", user), corm_gte("seq", seq), corm_lt("seq", seq + SLICE) },
        .error = &err,
    };
    check(corm_find_with(to->db, &items_model, &rows, &options), &err, "find");
    see_rows(rows, seen);
    corm_rows_free(rows);
}

static void scan(void *opaque, bench_seen *seen) {
    connection       *to = opaque;
    corm_rows        *rows;
    corm_error        err = { 0 };
    corm_find_options options = { .one_page = true, .error = &err };
    check(corm_find_with(to->db, &items_model, &rows, &options), &err, "find");
    see_rows(rows, seen);
    while (corm_rows_has_more(rows)) {
        check(corm_rows_next_page(rows, &err), &err, "page");
        see_rows(rows, seen);
    }
    corm_rows_free(rows);
}

const bench_system bench_mapper = {
    .open = open_store,
    .close = close_store,
    .connect = connect_store,
    .disconnect = disconnect_store,
    .insert = insert,
    .insert_batch = insert_batch,
    .point_read = point_read,
    .slice = slice,
    .scan = scan,
    .sync = sync_store,
};
