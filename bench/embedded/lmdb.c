// SPDX-License-Identifier: MIT
/* lmdb.c -- the floor: LMDB called directly, with keys and values that have the bytes of Corm's.
 *
 *   key    1 | storage id (4) | token (8) | length (2) | user | 3 | seq, sign bit flipped (4)
 *   value  as src/engine/row.h has it: a head with the write's timestamp, then a cell for each column
 *
 * Tokens are worked out before anything is measured. A read renews one transaction, finds the key, and reads the columns from the
 * value where it lies. */
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "bench.h"
#include "cql/token.h"

enum {
    USER_LEN = 13,
    PREFIX = 1 + 4 + 8 + 2 + USER_LEN + 1,
    KEY = PREFIX + 4,
    COLUMNS = 4,
    MAX_PARTITIONS = 1 << 16
};

typedef struct environment {
    MDB_env *env;
    MDB_dbi  dbi;
    int64_t *tokens; /* by partition */
} environment;

typedef struct connection {
    environment *of;
    MDB_txn     *reader;
    MDB_cursor  *cursor;
    base_buf     value;
} connection;

static void check(int number, const char *what) {
    if (number != 0) bench_fail(what, mdb_strerror(number));
}

static void *open_store(const char *folder, bench_promise promise, bool create) {
    environment *of = calloc(1, sizeof *of);
    MDB_txn     *txn;
    if (!of || !(of->tokens = calloc(MAX_PARTITIONS, sizeof *of->tokens)))
        bench_fail("open", "no memory");
    for (uint32_t i = 0; i < MAX_PARTITIONS; i++) {
        char user[16];
        bench_user(i, user);
        of->tokens[i] = cql__token((corm_bytes){ (const uint8_t *)user, USER_LEN });
    }
    (void)create;
    check(mdb_env_create(&of->env), "open");
    check(mdb_env_set_mapsize(of->env, (size_t)8 << 30), "open");
    check(
        mdb_env_open(of->env, folder, MDB_NOTLS | (promise == BENCH_IN_OS ? MDB_NOSYNC : 0), 0666),
        folder);
    check(mdb_txn_begin(of->env, NULL, 0, &txn), "open");
    check(mdb_dbi_open(txn, NULL, 0, &of->dbi), "open");
    check(mdb_txn_commit(txn), "open");
    return of;
}

static void close_store(void *store) {
    environment *of = store;
    mdb_env_close(of->env);
    free(of->tokens);
    free(of);
}

static void sync_store(void *store) {
    check(mdb_env_sync(((environment *)store)->env, 1), "sync");
}

static void *connect_store(void *store) {
    connection *to = calloc(1, sizeof *to);
    if (!to) bench_fail("connect", "no memory");
    to->of = store;
    check(mdb_txn_begin(to->of->env, NULL, MDB_RDONLY, &to->reader), "connect");
    check(mdb_cursor_open(to->reader, to->of->dbi, &to->cursor), "connect");
    mdb_txn_reset(to->reader);
    return to;
}

static void disconnect_store(void *opaque) {
    connection *to = opaque;
    mdb_cursor_close(to->cursor);
    mdb_txn_abort(to->reader);
    base__buf_free(&to->value);
    free(to);
}

static void make_key(const environment *of, const char *user, int32_t seq, uint8_t key[KEY]) {
    uint64_t token =
        (uint64_t)of->tokens[strtoul(user + 5, NULL, 10) % MAX_PARTITIONS] ^ UINT64_C(1) << 63;
    key[0] = 1;
    base__store_u32(key + 1, 1);
    base__store_u64(key + 5, token);
    base__store_u16(key + 13, USER_LEN);
    memcpy(key + 15, user, USER_LEN);
    key[PREFIX - 1] = 3;
    base__store_u32(key + PREFIX, (uint32_t)seq ^ 0x80000000U);
}

/* ---- values ---- */

static void put_cell(base_buf *out, uint8_t id, const void *data, size_t len) {
    base__buf_u8(out, id);
    base__buf_u8(out, 0);
    base__buf_u8(out, (uint8_t)(2 + len));
    base__buf_u8(out, 1);
    base__buf_u8(out, (uint8_t)len);
    base__buf_put(out, data, len);
}

static void put_number(base_buf *out, uint8_t id, uint64_t number) {
    uint8_t bytes[8];
    base__store_u64(bytes, number);
    put_cell(out, id, bytes, sizeof bytes);
}

static MDB_val make_value(base_buf *out, const bench_item *item) {
    uint64_t score;
    memcpy(&score, &item->score, sizeof score);
    base__buf_clear(out);
    base__buf_u8(out, 1);
    base__buf_u64(out, (uint64_t)item->created * 1000);
    base__buf_u8(out, 5);
    base__buf_u32(out, (uint32_t)item->seq);
    base__buf_u8(out, 1);
    base__buf_u8(out, COLUMNS);
    put_cell(out, 2, item->name, strlen(item->name));
    put_cell(out, 3, item->email, strlen(item->email));
    put_number(out, 4, score);
    put_number(out, 5, (uint64_t)item->created);
    if (out->failed) bench_fail("value", "no memory");
    return (MDB_val){ out->len, out->data };
}

static void see(MDB_val key, MDB_val value, bench_seen *seen) {
    const uint8_t *at = value.mv_data, *cell[COLUMNS];
    size_t         len[COLUMNS];
    bench_item     item;
    item.seq = (int32_t)base__load_u32(at + 10);
    at += 16;
    for (int i = 0; i < COLUMNS; i++) {
        len[i] = at[4];
        cell[i] = at + 5;
        at += 5 + len[i];
    }
    uint64_t bits = base__load_u64(cell[2]);
    memcpy(&item.score, &bits, sizeof bits);
    bench_copy(item.user, sizeof item.user, (const uint8_t *)key.mv_data + 15, USER_LEN);
    bench_copy(item.name, sizeof item.name, cell[0], len[0]);
    bench_copy(item.email, sizeof item.email, cell[1], len[1]);
    item.created = (int64_t)base__load_u64(cell[3]);
    bench_see(seen, &item);
}

/* ---- writes ---- */

static void put(connection *to, MDB_txn *txn, const bench_item *item) {
    uint8_t bytes[KEY];
    make_key(to->of, item->user, item->seq, bytes);
    MDB_val key = { KEY, bytes }, value = make_value(&to->value, item);
    check(mdb_put(txn, to->of->dbi, &key, &value, 0), "put");
}

static void insert_batch(void *opaque, const bench_item *items, uint32_t count) {
    connection *to = opaque;
    MDB_txn    *txn;
    check(mdb_txn_begin(to->of->env, NULL, 0, &txn), "begin");
    for (uint32_t i = 0; i < count; i++) put(to, txn, &items[i]);
    check(mdb_txn_commit(txn), "commit");
}

static void insert(void *opaque, const bench_item *item) {
    insert_batch(opaque, item, 1);
}

/* ---- reads ---- */

static void point_read(void *opaque, const char *user, int32_t seq, bench_seen *seen) {
    connection *to = opaque;
    uint8_t     bytes[KEY];
    MDB_val     key = { KEY, bytes }, value;
    make_key(to->of, user, seq, bytes);
    check(mdb_txn_renew(to->reader), "renew");
    check(mdb_get(to->reader, to->of->dbi, &key, &value), "get");
    see(key, value, seen);
    mdb_txn_reset(to->reader);
}

static void slice(void *opaque, const char *user, int32_t seq, bench_seen *seen) {
    connection *to = opaque;
    uint8_t     bytes[KEY], end[KEY];
    MDB_val     key = { KEY, bytes }, value;
    make_key(to->of, user, seq, bytes);
    make_key(to->of, user, seq + SLICE, end);
    check(mdb_txn_renew(to->reader), "renew");
    check(mdb_cursor_renew(to->reader, to->cursor), "renew");
    int number = mdb_cursor_get(to->cursor, &key, &value, MDB_SET_RANGE);
    while (number == 0 && memcmp(key.mv_data, end, KEY) < 0) {
        see(key, value, seen);
        number = mdb_cursor_get(to->cursor, &key, &value, MDB_NEXT);
    }
    mdb_txn_reset(to->reader);
}

static void scan(void *opaque, bench_seen *seen) {
    connection *to = opaque;
    MDB_val     key, value;
    check(mdb_txn_renew(to->reader), "renew");
    check(mdb_cursor_renew(to->reader, to->cursor), "renew");
    while (mdb_cursor_get(to->cursor, &key, &value, MDB_NEXT) == 0) see(key, value, seen);
    mdb_txn_reset(to->reader);
}

const bench_system bench_lmdb = {
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
