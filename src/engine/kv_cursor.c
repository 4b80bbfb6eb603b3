// SPDX-License-Identifier: MIT
/* kv_cursor.c -- walks a tree in the order of whole keys, over the levels that long keys are stored on.
 *
 *   level 0   main    a | b | CCCC…->7 | d            next from b: the pointer CCCC… leads down into space 7,
 *   level 1   spill           7 x | 7 y               and behind its last entry up again to d
 *
 * `spaces` and `key` are the way down to where the cursor stands. The main cursor stays on the pointer of level 0 while
 * the cursor is below; the pointers of deeper levels are looked for again on the way up. */
#include "engine/kv_internal.h"

#include <stdlib.h>

/* ---- opening ---- */

static corm_status ready(kv_cursor *cursor, MDB_cursor **mdb, bool *stale, corm_error *err) {
    int number = 0;
    if (!*mdb) {
        number = mdb_cursor_open(cursor->txn->mdb, cursor->txn->store->dbi, mdb);
        if (number != 0) *mdb = NULL;
    } else if (*stale) {
        number = mdb_cursor_renew(cursor->txn->mdb, *mdb);
    }
    if (number != 0) return kv__fail(err, number, "a cursor cannot be opened");
    *stale = false;
    return CORM_OK;
}

corm_status kv__cursor_open(kv_txn *txn, kv_tree tree, kv_cursor **out, corm_error *err) {
    kv_cursor *cursor = txn->idle;
    if (cursor) {
        txn->idle = cursor->next;
    } else {
        cursor = calloc(1, sizeof *cursor);
        if (!cursor) return base__fail_memory(err);
        cursor->txn = txn;
    }
    cursor->next = txn->open;
    txn->open = cursor;
    cursor->tree = kv__tree_byte(tree);
    cursor->depth = 0;
    cursor->entry_key = cursor->entry_value = (MDB_val){ 0, NULL };
    corm_status status = ready(cursor, &cursor->main, &cursor->stale, err);
    if (status != CORM_OK) {
        kv__cursor_close(cursor);
        return status;
    }
    *out = cursor;
    return CORM_OK;
}

void kv__cursor_close(kv_cursor *cursor) {
    if (!cursor) return;
    kv_cursor **at = &cursor->txn->open;
    while (*at != cursor) at = &(*at)->next;
    *at = cursor->next;
    cursor->next = cursor->txn->idle;
    cursor->txn->idle = cursor;
}

static void close_mdb(kv_cursor *cursor) {
    if (cursor->main) mdb_cursor_close(cursor->main);
    if (cursor->spill) mdb_cursor_close(cursor->spill);
    cursor->main = cursor->spill = NULL;
}

void kv__cursors_end(kv_txn *txn) {
    while (txn->open) kv__cursor_close(txn->open);
    kv__forget_place(txn);
    for (kv_cursor *cursor = txn->idle; cursor; cursor = cursor->next) close_mdb(cursor);
}

void kv__cursors_free(kv_txn *txn) {
    kv__cursors_end(txn);
    while (txn->idle) {
        kv_cursor *cursor = txn->idle;
        txn->idle = cursor->next;
        free(cursor->spaces);
        base__buf_free(&cursor->key);
        free(cursor);
    }
}

/* ---- one level ---- */

static size_t head_size(const kv_cursor *cursor) {
    return cursor->depth == 0 ? KV_TREE_HEAD : KV_SPILL_HEAD;
}

static void head(const kv_cursor *cursor, kv_stored *stored) {
    if (cursor->depth == 0) {
        kv__head_tree(stored, cursor->tree);
    } else {
        kv__head_space(stored, cursor->spaces[cursor->depth - 1]);
    }
}

/* Whether the entry that LMDB gave belongs to this level's tree or space. */
static bool is_inside(const kv_cursor *cursor) {
    const uint8_t *key = cursor->entry_key.mv_data;
    size_t         len = cursor->entry_key.mv_size;
    if (len < head_size(cursor)) return false;
    if (cursor->depth == 0) return key[0] == cursor->tree;
    return key[0] == KV_SPILL && base__load_u64(key + 1) == cursor->spaces[cursor->depth - 1];
}

/* *found: the entry exists and is of this level. */
static corm_status step(kv_cursor *cursor, MDB_cursor_op op, bool *found, corm_error *err) {
    MDB_cursor *mdb = cursor->depth == 0 ? cursor->main : cursor->spill;
    int         number = kv__fault_at(cursor->txn->store, KV_FAULT_GET);
    if (number == 0) number = mdb_cursor_get(mdb, &cursor->entry_key, &cursor->entry_value, op);
    *found = number == 0 && is_inside(cursor);
    if (number == 0 || number == MDB_NOTFOUND) return CORM_OK;
    return kv__fail(err, number, "a key cannot be read");
}

static corm_status step_to(kv_cursor *cursor, kv_stored *stored, MDB_cursor_op op, bool *found,
                           corm_error *err) {
    cursor->entry_key = kv__stored_val(stored);
    return step(cursor, op, found, err);
}

/* The last entry of this level. */
static corm_status step_to_last(kv_cursor *cursor, bool *found, corm_error *err) {
    kv_stored behind;
    head(cursor, &behind);
    size_t i = behind.len;
    while (i > 0 && ++behind.bytes[--i] == 0) {
    } /* the next head; never all 0xff */
    bool beyond;
    CORM_TRY(step_to(cursor, &behind, MDB_SET_RANGE, &beyond, err));
    /* LMDB leaves the key alone when nothing is behind. */
    bool at_end = cursor->entry_key.mv_data == behind.bytes;
    return step(cursor, at_end ? MDB_LAST : MDB_PREV, found, err);
}

/* ---- down and up ---- */

static bool on_pointer(const kv_cursor *cursor) {
    return kv__is_pointer(cursor->entry_key, head_size(cursor));
}

static corm_status push_space(kv_cursor *cursor, uint64_t space, corm_error *err) {
    if (cursor->depth == cursor->capacity) {
        uint32_t  capacity = cursor->capacity ? cursor->capacity * 2 : 8;
        uint64_t *grown = realloc(cursor->spaces, capacity * sizeof *grown);
        if (!grown) return base__fail_memory(err);
        cursor->spaces = grown;
        cursor->capacity = capacity;
    }
    cursor->spaces[cursor->depth++] = space;
    return CORM_OK;
}

/* From the pointer it stands on to the level below; the cursor stands nowhere then. */
static corm_status go_down(kv_cursor *cursor, corm_error *err) {
    uint64_t       space;
    const uint8_t *chunk = (const uint8_t *)cursor->entry_key.mv_data + head_size(cursor);
    CORM_TRY(kv__space_of(cursor->entry_value, &space, err));
    cursor->key.len = cursor->depth * (size_t)KV_CHUNK;
    base__buf_put(&cursor->key, chunk, KV_CHUNK);
    CORM_TRY(base__buf_status(&cursor->key, err));
    CORM_TRY(ready(cursor, &cursor->spill, &cursor->spill_stale, err));
    return push_space(cursor, space, err);
}

/* Back to the pointer that led down. */
static corm_status go_up(kv_cursor *cursor, corm_error *err) {
    bool found = true;
    cursor->depth--;
    if (cursor->depth > 0) {
        kv_stored pointer;
        head(cursor, &pointer);
        kv__stored_add(&pointer, cursor->key.data + cursor->depth * (size_t)KV_CHUNK, KV_CHUNK);
        CORM_TRY(step_to(cursor, &pointer, MDB_SET_KEY, &found, err));
    }
    if (found) return CORM_OK;
    return base__fail(err, CORM_CORRUPT, "a long key has no way down: the data file is damaged");
}

static corm_status step_to_first(kv_cursor *cursor, bool *found, corm_error *err) {
    kv_stored stored;
    head(cursor, &stored);
    return step_to(cursor, &stored, MDB_SET_RANGE, found, err);
}

/* The key of an entry on a level below, whole. */
static corm_status settle_key(kv_cursor *cursor, corm_error *err) {
    if (cursor->depth == 0) return CORM_OK;
    cursor->key.len = cursor->depth * (size_t)KV_CHUNK;
    base__buf_put(&cursor->key, (const uint8_t *)cursor->entry_key.mv_data + KV_SPILL_HEAD,
                  cursor->entry_key.mv_size - KV_SPILL_HEAD);
    return base__buf_status(&cursor->key, err);
}

/* From where step() went, to an entry that is no pointer: down through pointers, up at the end of a level. */
static corm_status settle(kv_cursor *cursor, bool inside, bool forward, bool *found,
                          corm_error *err) {
    while (!inside || on_pointer(cursor)) {
        if (inside) {
            CORM_TRY(go_down(cursor, err));
            CORM_TRY(forward ? step_to_first(cursor, &inside, err)
                             : step_to_last(cursor, &inside, err));
        } else if (cursor->depth > 0) {
            CORM_TRY(go_up(cursor, err));
            CORM_TRY(step(cursor, forward ? MDB_NEXT : MDB_PREV, &inside, err));
        } else {
            *found = false;
            return CORM_OK;
        }
    }
    *found = true;
    return settle_key(cursor, err);
}

/* ---- moves ---- */

static bool stands_on(const kv_cursor *cursor, const kv_stored *stored) {
    return cursor->entry_key.mv_size == stored->len &&
           memcmp(cursor->entry_key.mv_data, stored->bytes, stored->len) == 0;
}

/* To the first key >= key. *exact: it is the key. */
static corm_status seek_forward(kv_cursor *cursor, corm_bytes key, bool *found, bool *exact,
                                corm_error *err) {
    bool inside;
    *exact = false;
    cursor->depth = 0;
    for (;;) {
        kv_stored stored;
        size_t    part = key.len < KV_CHUNK ? key.len : KV_CHUNK;
        head(cursor, &stored);
        kv__stored_add(&stored, key.data, part);
        CORM_TRY(step_to(cursor, &stored, MDB_SET_RANGE, &inside, err));
        bool match = inside && stands_on(cursor, &stored);
        if (!match || part < KV_CHUNK) {
            *exact = match;
            return settle(cursor, inside, true, found, err);
        }
        CORM_TRY(go_down(cursor, err));
        key.data += KV_CHUNK;
        key.len -= KV_CHUNK;
    }
}

static corm_status seek_last(kv_cursor *cursor, bool *found, corm_error *err) {
    bool inside;
    cursor->depth = 0;
    CORM_TRY(step_to_last(cursor, &inside, err));
    return settle(cursor, inside, false, found, err);
}

corm_status kv__cursor_seek(kv_cursor *cursor, corm_bytes key, kv_seek how, bool *found,
                            corm_error *err) {
    bool exact;
    CORM_TRY(seek_forward(cursor, key, found, &exact, err));
    switch (how) {
    case KV_AT_OR_AFTER: return CORM_OK;
    case KV_AFTER: return exact ? kv__cursor_next(cursor, found, err) : CORM_OK;
    case KV_AT_OR_BEFORE:
        if (exact) return CORM_OK;
        break;
    case KV_BEFORE: break;
    }
    return *found ? kv__cursor_prev(cursor, found, err) : seek_last(cursor, found, err);
}

corm_status kv__cursor_next(kv_cursor *cursor, bool *found, corm_error *err) {
    bool inside;
    CORM_TRY(step(cursor, MDB_NEXT, &inside, err));
    return settle(cursor, inside, true, found, err);
}

corm_status kv__cursor_prev(kv_cursor *cursor, bool *found, corm_error *err) {
    bool inside;
    CORM_TRY(step(cursor, MDB_PREV, &inside, err));
    return settle(cursor, inside, false, found, err);
}

corm_bytes kv__cursor_key(const kv_cursor *cursor) {
    if (cursor->depth > 0) return base__buf_bytes(&cursor->key);
    return (corm_bytes){ (const uint8_t *)cursor->entry_key.mv_data + KV_TREE_HEAD,
                         cursor->entry_key.mv_size - KV_TREE_HEAD };
}

corm_bytes kv__cursor_value(const kv_cursor *cursor) {
    return (corm_bytes){ cursor->entry_value.mv_data, cursor->entry_value.mv_size };
}
