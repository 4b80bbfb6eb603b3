// SPDX-License-Identifier: MIT
/* sqlite.c -- SQLite with a write-ahead log: prepared statements, 64 MB of cache, the file mapped.
 *
 * Writers of one process take turns by a mutex: SQLite's own way is to sleep and try again, which is slower. */
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"

typedef struct database {
    char            path[4096];
    bool            is_full; /* synchronous=FULL */
    pthread_mutex_t turn;
} database;

typedef struct connection {
    database     *of;
    sqlite3      *db;
    sqlite3_stmt *begin, *commit, *insert, *point, *slice, *scan;
} connection;

static void check(sqlite3 *db, int number, const char *what) {
    if (number != SQLITE_OK && number != SQLITE_DONE && number != SQLITE_ROW)
        bench_fail(what, db ? sqlite3_errmsg(db) : "no memory");
}

static void run(sqlite3 *db, const char *sql) {
    check(db, sqlite3_exec(db, sql, NULL, NULL, NULL), sql);
}

static sqlite3 *open_file(const database *of) {
    sqlite3 *db;
    check(NULL, sqlite3_open(of->path, &db), "open");
    sqlite3_busy_timeout(db, 60000);
    run(db, "PRAGMA journal_mode=WAL");
    run(db, of->is_full ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
    run(db, "PRAGMA cache_size=-65536");
    run(db, "PRAGMA mmap_size=1073741824");
    return db;
}

static void *open_store(const char *folder, bench_promise promise, bool create) {
    database *of = calloc(1, sizeof *of);
    if (!of) bench_fail("open", "no memory");
    snprintf(of->path, sizeof of->path, "%s/bench.db", folder);
    of->is_full = promise == BENCH_ON_DISK;
    pthread_mutex_init(&of->turn, NULL);
    if (!create) return of;
    sqlite3 *db = open_file(of);
    run(db,
        "CREATE TABLE IF NOT EXISTS items (user TEXT, seq INTEGER, name TEXT, email TEXT, score REAL, "
        "created INTEGER, PRIMARY KEY (user, seq)) WITHOUT ROWID");
    sqlite3_close(db);
    return of;
}

static void close_store(void *store) {
    database *of = store;
    pthread_mutex_destroy(&of->turn);
    free(of);
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql) {
    sqlite3_stmt *statement;
    check(db, sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL), sql);
    return statement;
}

static void *connect_store(void *store) {
    connection *to = calloc(1, sizeof *to);
    if (!to) bench_fail("connect", "no memory");
    to->of = store;
    to->db = open_file(store);
    to->begin = prepare(to->db, "BEGIN IMMEDIATE");
    to->commit = prepare(to->db, "COMMIT");
    to->insert = prepare(
        to->db,
        "INSERT OR REPLACE INTO items (user, seq, name, email, score, created) VALUES (?, ?, ?, ?, ?, ?)");
    to->point = prepare(
        to->db,
        "SELECT user, seq, name, email, score, created FROM items WHERE user = ? AND seq = ?");
    to->slice = prepare(
        to->db,
        "SELECT user, seq, name, email, score, created FROM items WHERE user = ? AND seq >= ? AND seq < ? ORDER BY seq");
    to->scan = prepare(to->db, "SELECT user, seq, name, email, score, created FROM items");
    return to;
}

/* The log goes into the file, and both are on disk. */
static void sync_store(void *store) {
    sqlite3 *db = open_file(store);
    run(db, "PRAGMA wal_checkpoint(FULL)");
    sqlite3_close(db);
}

static void disconnect_store(void *opaque) {
    connection   *to = opaque;
    sqlite3_stmt *all[] = { to->begin, to->commit, to->insert, to->point, to->slice, to->scan };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) sqlite3_finalize(all[i]);
    sqlite3_close(to->db);
    free(to);
}

static void step(connection *to, sqlite3_stmt *statement, const char *what) {
    check(to->db, sqlite3_step(statement), what);
    sqlite3_reset(statement);
}

static void insert_one(connection *to, const bench_item *item) {
    sqlite3_bind_text(to->insert, 1, item->user, -1, SQLITE_STATIC);
    sqlite3_bind_int(to->insert, 2, item->seq);
    sqlite3_bind_text(to->insert, 3, item->name, -1, SQLITE_STATIC);
    sqlite3_bind_text(to->insert, 4, item->email, -1, SQLITE_STATIC);
    sqlite3_bind_double(to->insert, 5, item->score);
    sqlite3_bind_int64(to->insert, 6, item->created);
    step(to, to->insert, "insert");
}

static void insert(void *opaque, const bench_item *item) {
    connection *to = opaque;
    pthread_mutex_lock(&to->of->turn);
    insert_one(to, item);
    pthread_mutex_unlock(&to->of->turn);
}

static void insert_batch(void *opaque, const bench_item *items, uint32_t count) {
    connection *to = opaque;
    pthread_mutex_lock(&to->of->turn);
    step(to, to->begin, "begin");
    for (uint32_t i = 0; i < count; i++) insert_one(to, &items[i]);
    step(to, to->commit, "commit");
    pthread_mutex_unlock(&to->of->turn);
}

static void copy_text(char *member, size_t room, sqlite3_stmt *statement, int index) {
    const unsigned char *text = sqlite3_column_text(statement, index);
    bench_copy(member, room, text, (size_t)sqlite3_column_bytes(statement, index));
}

static void see_row(sqlite3_stmt *statement, bench_seen *seen) {
    bench_item item;
    copy_text(item.user, sizeof item.user, statement, 0);
    item.seq = sqlite3_column_int(statement, 1);
    copy_text(item.name, sizeof item.name, statement, 2);
    copy_text(item.email, sizeof item.email, statement, 3);
    item.score = sqlite3_column_double(statement, 4);
    item.created = sqlite3_column_int64(statement, 5);
    bench_see(seen, &item);
}

static void see_rows(connection *to, sqlite3_stmt *statement, bench_seen *seen) {
    for (;;) {
        int number = sqlite3_step(statement);
        check(to->db, number, "select");
        if (number != SQLITE_ROW) break;
        see_row(statement, seen);
    }
    sqlite3_reset(statement);
}

static void point_read(void *opaque, const char *user, int32_t seq, bench_seen *seen) {
    connection *to = opaque;
    sqlite3_bind_text(to->point, 1, user, -1, SQLITE_STATIC);
    sqlite3_bind_int(to->point, 2, seq);
    see_rows(to, to->point, seen);
}

static void slice(void *opaque, const char *user, int32_t seq, bench_seen *seen) {
    connection *to = opaque;
    sqlite3_bind_text(to->slice, 1, user, -1, SQLITE_STATIC);
    sqlite3_bind_int(to->slice, 2, seq);
    sqlite3_bind_int(to->slice, 3, seq + SLICE);
    see_rows(to, to->slice, seen);
}

static void scan(void *opaque, bench_seen *seen) {
    connection *to = opaque;
    see_rows(to, to->scan, seen);
}

const bench_system bench_sqlite = {
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
