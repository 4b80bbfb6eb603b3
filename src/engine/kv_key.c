// SPDX-License-Identifier: MIT
/* kv_key.c -- one key at a time: get, put, delete. kv_internal.h has the layout.
 *
 * A space lives as long as a key in it: the delete that empties a space removes the pointer to it, and so on up. */
#include "engine/kv_internal.h"

#include <stdlib.h>

enum { FIRST_SPACE = 1 };

corm_status kv__space_of(MDB_val value, uint64_t *space, corm_error *err) {
    if (value.mv_size != 8 || (*space = base__load_u64(value.mv_data)) < FIRST_SPACE) {
        return base__fail(err, CORM_CORRUPT, "a long key points nowhere: the data file is damaged");
    }
    return CORM_OK;
}

static void take_chunk(corm_bytes *rest, kv_stored *stored) {
    kv__stored_add(stored, rest->data, KV_CHUNK);
    rest->data += KV_CHUNK;
    rest->len -= KV_CHUNK;
}

/* ---- where the writer is ---- */

static int place(kv_txn *txn) {
    if (txn->keys) return 0;
    int number = mdb_cursor_open(txn->mdb, txn->store->dbi, &txn->keys);
    if (number != 0) txn->keys = NULL;
    return number;
}

void kv__forget_place(kv_txn *txn) {
    if (txn->keys) mdb_cursor_close(txn->keys);
    txn->keys = NULL;
}

static int get_here(kv_txn *txn, MDB_val *key, MDB_val *value) {
    if (txn->slot) return mdb_get(txn->mdb, txn->store->dbi, key, value);
    int number = place(txn);
    return number == 0 ? mdb_cursor_get(txn->keys, key, value, MDB_SET) : number;
}

static int put_here(kv_txn *txn, MDB_val *key, MDB_val *value) {
    int number = place(txn);
    return number == 0 ? mdb_cursor_put(txn->keys, key, value, 0) : number;
}

static corm_status fetch(kv_txn *txn, kv_stored *stored, MDB_val *value, bool *found,
                         corm_error *err) {
    MDB_val key = kv__stored_val(stored);
    int     number = kv__fault_at(txn->store, KV_FAULT_GET);
    if (number == 0) number = get_here(txn, &key, value);
    *found = number == 0;
    if (number == 0 || number == MDB_NOTFOUND) return CORM_OK;
    return kv__fail(err, number, "a key cannot be read");
}

static corm_status store_value(kv_txn *txn, kv_stored *stored, corm_bytes bytes, corm_error *err) {
    MDB_val key = kv__stored_val(stored);
    MDB_val value = { bytes.len, (void *)(uintptr_t)bytes.data };
    if (!txn->ready) CORM_TRY(kv__log_ready(txn, err));
    int number = kv__fault_at(txn->store, KV_FAULT_PUT);
    txn->writes++;
    if (number == 0) number = put_here(txn, &key, &value);
    if (number == 0) {
        kv__log_note(txn, false, &key, &value);
        return CORM_OK;
    }
    if (number == MDB_MAP_FULL) txn->full = true;
    return kv__fail(err, number, "a key cannot be written");
}

/* ---- get ---- */

/* Puts the stored form of the last part of a long key into *stored. */
static corm_status descend(kv_txn *txn, corm_bytes rest, kv_stored *stored, bool *found,
                           corm_error *err) {
    *found = true;
    while (rest.len >= KV_CHUNK) {
        MDB_val  value;
        uint64_t space = 0;
        take_chunk(&rest, stored);
        CORM_TRY(fetch(txn, stored, &value, found, err));
        if (!*found) return CORM_OK;
        CORM_TRY(kv__space_of(value, &space, err));
        kv__head_space(stored, space);
    }
    kv__stored_add(stored, rest.data, rest.len);
    return CORM_OK;
}

corm_status kv__get(kv_txn *txn, kv_tree tree, corm_bytes key, corm_bytes *value, bool *found,
                    corm_error *err) {
    kv_stored stored;
    MDB_val   val = { 0, NULL };
    kv__head_tree(&stored, kv__tree_byte(tree));
    *value = (corm_bytes){ 0 };
    CORM_TRY(descend(txn, key, &stored, found, err));
    if (*found) CORM_TRY(fetch(txn, &stored, &val, found, err));
    if (*found) *value = (corm_bytes){ val.mv_data, val.mv_size };
    return CORM_OK;
}

/* ---- put ---- */

static corm_status new_space(kv_txn *txn, uint64_t *space, corm_error *err) {
    kv_stored counter;
    MDB_val   value;
    bool      found;
    uint8_t   bytes[8];
    kv__head_space(&counter, 0);
    CORM_TRY(fetch(txn, &counter, &value, &found, err));
    *space = FIRST_SPACE - 1;
    if (found) CORM_TRY(kv__space_of(value, space, err));
    *space += 1;
    base__store_u64(bytes, *space);
    return store_value(txn, &counter, (corm_bytes){ bytes, sizeof bytes }, err);
}

static corm_status enter_or_make_space(kv_txn *txn, kv_stored *pointer, uint64_t *space,
                                       corm_error *err) {
    MDB_val value;
    bool    found;
    uint8_t bytes[8];
    CORM_TRY(fetch(txn, pointer, &value, &found, err));
    if (found) return kv__space_of(value, space, err);
    CORM_TRY(new_space(txn, space, err));
    base__store_u64(bytes, *space);
    return store_value(txn, pointer, (corm_bytes){ bytes, sizeof bytes }, err);
}

corm_status kv__put(kv_txn *txn, kv_tree tree, corm_bytes key, corm_bytes value, corm_error *err) {
    kv_stored  stored;
    corm_bytes rest = key;
    kv__head_tree(&stored, kv__tree_byte(tree));
    txn->feeds = txn->feeds || tree == KV_FEED;
    while (rest.len >= KV_CHUNK) {
        uint64_t space = 0;
        take_chunk(&rest, &stored);
        CORM_TRY(enter_or_make_space(txn, &stored, &space, err));
        kv__head_space(&stored, space);
    }
    kv__stored_add(&stored, rest.data, rest.len);
    return store_value(txn, &stored, value, err);
}

/* ---- delete ---- */

static corm_status erase(kv_txn *txn, kv_stored *stored, bool *found, corm_error *err) {
    MDB_val key = kv__stored_val(stored);
    *found = false;
    if (!txn->ready) CORM_TRY(kv__log_ready(txn, err));
    int number = kv__fault_at(txn->store, KV_FAULT_PUT);
    txn->writes++;
    kv__forget_place(txn); /* a delete may take its pages away */
    if (number == 0) number = mdb_del(txn->mdb, txn->store->dbi, &key, NULL);
    *found = number == 0;
    if (*found) kv__log_note(txn, true, &key, NULL);
    if (number == 0 || number == MDB_NOTFOUND) return CORM_OK;
    if (number == MDB_MAP_FULL) txn->full = true;
    return kv__fail(err, number, "a key cannot be deleted");
}

static corm_status space_is_empty(kv_txn *txn, uint64_t space, bool *empty, corm_error *err) {
    kv_stored   stored;
    MDB_cursor *cursor = NULL;
    MDB_val     value;
    kv__head_space(&stored, space);
    MDB_val key = kv__stored_val(&stored);
    int     number = mdb_cursor_open(txn->mdb, txn->store->dbi, &cursor);
    if (number == 0) number = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    *empty = number == MDB_NOTFOUND || key.mv_size < stored.len ||
             memcmp(key.mv_data, stored.bytes, stored.len) != 0;
    if (cursor) mdb_cursor_close(cursor);
    if (number == 0 || number == MDB_NOTFOUND) return CORM_OK;
    return kv__fail(err, number, "a key cannot be deleted");
}

static void head_level(kv_stored *stored, uint8_t tree, const uint64_t *spaces, size_t level) {
    if (level == 0) {
        kv__head_tree(stored, tree);
    } else {
        kv__head_space(stored, spaces[level - 1]);
    }
}

/* Fills spaces[i] with the space that the chunk of level i points to. */
static corm_status find_path(kv_txn *txn, uint8_t tree, corm_bytes key, uint64_t *spaces,
                             bool *found, corm_error *err) {
    *found = true;
    for (size_t level = 0; key.len >= KV_CHUNK; level++) {
        kv_stored stored;
        MDB_val   value;
        head_level(&stored, tree, spaces, level);
        take_chunk(&key, &stored);
        CORM_TRY(fetch(txn, &stored, &value, found, err));
        if (!*found) return CORM_OK;
        CORM_TRY(kv__space_of(value, &spaces[level], err));
    }
    return CORM_OK;
}

static corm_status delete_upwards(kv_txn *txn, uint8_t tree, corm_bytes key, const uint64_t *spaces,
                                  bool *found, corm_error *err) {
    size_t    depth = key.len / KV_CHUNK;
    kv_stored stored;
    head_level(&stored, tree, spaces, depth);
    if (key.len % KV_CHUNK != 0) {
        kv__stored_add(&stored, key.data + depth * KV_CHUNK, key.len % KV_CHUNK);
    }
    CORM_TRY(erase(txn, &stored, found, err));
    if (!*found) return CORM_OK;
    for (size_t level = depth; level > 0; level--) {
        bool empty, was_there;
        CORM_TRY(space_is_empty(txn, spaces[level - 1], &empty, err));
        if (!empty) return CORM_OK;
        head_level(&stored, tree, spaces, level - 1);
        kv__stored_add(&stored, key.data + (level - 1) * KV_CHUNK, KV_CHUNK);
        CORM_TRY(erase(txn, &stored, &was_there, err));
    }
    return CORM_OK;
}

corm_status kv__delete(kv_txn *txn, kv_tree tree, corm_bytes key, bool *found, corm_error *err) {
    uint64_t  few[8] = { 0 };
    uint64_t *spaces = few;
    size_t    depth = key.len / KV_CHUNK;
    if (depth > sizeof few / sizeof *few) {
        spaces = calloc(depth, sizeof *spaces);
        if (!spaces) return base__fail_memory(err);
    }
    corm_status status = find_path(txn, kv__tree_byte(tree), key, spaces, found, err);
    if (status == CORM_OK && *found) {
        status = delete_upwards(txn, kv__tree_byte(tree), key, spaces, found, err);
    }
    if (spaces != few) free(spaces);
    return status;
}
