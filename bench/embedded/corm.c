// SPDX-License-Identifier: MIT
/* corm.c -- the embedded store through the public session: prepared statements, columns read by index. */
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"
#include "corm/corm.h"

typedef struct connection {
    corm_session   *session;
    corm_prepared  *prepared[4];
    corm_statement *insert, *point, *slice, *scan;
    corm_batch     *batch;
} connection;

static bool is_fed;           /* the table has a change feed */
static char folder_uri[4096]; /* of the one store that a run opens */

static void check(corm_status status, const corm_error *err, const char *what) {
    if (status != CORM_OK) bench_fail(what, err->message);
}

static void *open_store(const char *folder, bench_promise promise, bool create) {
    corm_session *session;
    corm_error    err = { 0 };
    snprintf(folder_uri, sizeof folder_uri, "corm:%s", folder);
    corm_session_options options = { .keyspace = "bench",
                                     .create_keyspace = create,
                                     .relaxed_durability = promise == BENCH_IN_OS };
    check(corm_session_open(&session, folder_uri, &options, &err), &err, "open");
    if (!create) return session;
    char                 text[300];
    corm_execute_options how = { .error = &err };
    snprintf(
        text, sizeof text,
        "CREATE TABLE IF NOT EXISTS items (user text, seq int, name text, email text, score double, "
        "created timestamp, PRIMARY KEY (user, seq)) WITH cdc = %s",
        is_fed ? "true" : "false");
    check(corm_execute_with(session, text, &how, NULL), &err, "create table");
    return session;
}

static void *open_fed(const char *folder, bench_promise promise, bool create) {
    is_fed = true;
    return open_store(folder, promise, create);
}

static void close_store(void *store) {
    corm_session_close(store);
}

static corm_statement *prepare(connection *to, int index, const char *cql) {
    corm_error err = { 0 };
    check(corm_prepare(to->session, cql, &to->prepared[index], &err), &err, cql);
    return corm_statement_new(to->prepared[index]);
}

static void *connect_store(void *store) {
    connection *to = calloc(1, sizeof *to);
    if (!to) bench_fail("connect", "no memory");
    to->session = store;
    to->insert = prepare(
        to, 0,
        "INSERT INTO items (user, seq, name, email, score, created) VALUES (?, ?, ?, ?, ?, ?)");
    to->point = prepare(
        to, 1,
        "SELECT user, seq, name, email, score, created FROM items WHERE user = ? AND seq = ?");
    to->slice = prepare(
        to, 2,
        "SELECT user, seq, name, email, score, created FROM items WHERE user = ? AND seq >= ? AND seq < ?");
    to->scan = prepare(to, 3, "SELECT user, seq, name, email, score, created FROM items");
    to->batch = corm_batch_new(store, CORM_UNLOGGED);
    return to;
}

static void disconnect_store(void *opaque) {
    connection *to = opaque;
    corm_batch_free(to->batch);
    corm_statement_free(to->insert);
    corm_statement_free(to->point);
    corm_statement_free(to->slice);
    corm_statement_free(to->scan);
    for (int i = 0; i < 4; i++) corm_prepared_free(to->prepared[i]);
    free(to);
}

static void bind(corm_statement *statement, uint32_t index, corm_value value) {
    corm_error err = { 0 };
    check(corm_statement_bind(statement, index, value, &err), &err, "bind");
}

static void bind_item(corm_statement *statement, const bench_item *item) {
    bind(statement, 0, corm_of_text(item->user));
    bind(statement, 1, corm_of_i32(item->seq));
    bind(statement, 2, corm_of_text(item->name));
    bind(statement, 3, corm_of_text(item->email));
    bind(statement, 4, corm_of_f64(item->score));
    bind(statement, 5, corm_of_timestamp((corm_timestamp){ item->created }));
}

static void insert(void *opaque, const bench_item *item) {
    connection *to = opaque;
    corm_error  err = { 0 };
    bind_item(to->insert, item);
    check(corm_run(to->insert, NULL, &err), &err, "insert");
}

static void insert_batch(void *opaque, const bench_item *items, uint32_t count) {
    connection *to = opaque;
    corm_error  err = { 0 };
    corm_batch_clear(to->batch);
    for (uint32_t i = 0; i < count; i++) {
        bind_item(to->insert, &items[i]);
        check(corm_batch_add(to->batch, to->insert, &err), &err, "batch");
    }
    check(corm_batch_run(to->batch, NULL, &err), &err, "batch");
}

static void copy_text(char *member, size_t room, const corm_row *row, uint32_t index) {
    corm_str text = corm_row_text(row, index);
    bench_copy(member, room, text.data, text.len);
}

static void see_row(const corm_row *row, bench_seen *seen) {
    bench_item item;
    copy_text(item.user, sizeof item.user, row, 0);
    item.seq = corm_row_int(row, 1);
    copy_text(item.name, sizeof item.name, row, 2);
    copy_text(item.email, sizeof item.email, row, 3);
    item.score = corm_row_double(row, 4);
    item.created = corm_row_timestamp(row, 5).ms;
    bench_see(seen, &item);
}

static void see_rows(corm_statement *statement, bench_seen *seen) {
    corm_result    *result;
    const corm_row *row;
    corm_error      err = { 0 };
    check(corm_run(statement, &result, &err), &err, "select");
    for (;;) {
        check(corm_result_step(result, &row, &err), &err, "page");
        if (!row) break;
        see_row(row, seen);
    }
    corm_result_free(result);
}

static void point_read(void *opaque, const char *user, int32_t seq, bench_seen *seen) {
    connection *to = opaque;
    bind(to->point, 0, corm_of_text(user));
    bind(to->point, 1, corm_of_i32(seq));
    see_rows(to->point, seen);
}

static void slice(void *opaque, const char *user, int32_t seq, bench_seen *seen) {
    connection *to = opaque;
    bind(to->slice, 0, corm_of_text(user));
    bind(to->slice, 1, corm_of_i32(seq));
    bind(to->slice, 2, corm_of_i32(seq + SLICE));
    see_rows(to->slice, seen);
}

static void scan(void *opaque, bench_seen *seen) {
    see_rows(((connection *)opaque)->scan, seen);
}

/* Who opens the folder again in the same process shares the store, and the stricter durability puts everything on disk. */
static void sync_store(void *store) {
    corm_session *strict;
    corm_error    err = { 0 };
    check(corm_session_open(&strict, folder_uri, NULL, &err), &err, "sync");
    corm_session_close(strict);
    (void)store;
}

const bench_system bench_corm = {
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

/* The same, and each write is told in the change feed. */
const bench_system bench_feed = {
    .open = open_fed,
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
