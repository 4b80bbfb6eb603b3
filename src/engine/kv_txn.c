// SPDX-License-Identifier: MIT
/* kv_txn.c -- snapshots and the write transaction.
 *
 * A reader claims a slot by one compare-and-swap, most often the one its thread had last, and renews the LMDB transaction that
 * the slot keeps; LMDB's own reader slot stays with it. Slots from KEPT_READERS on are given back to LMDB at the end, so
 * that a process that was busy once does not hold slots that others need.
 *
 * Who closes the gate (kv_open.c) first closes it and then looks at `busy`; who claims a slot first sets `busy` and then looks at
 * the gate: one of them sees the other. */
#include "engine/kv_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

enum { KEPT_READERS = 48, KEPT_ARENA = 64 << 10, SCARCE = 1 << 20 };

/* Spreads threads over the slots; a slot that worked is tried first the next time. */
static _Thread_local uint32_t slot_hint = UINT32_MAX;
static atomic_uint            next_hint;

corm_status kv__txns_init(kv_store *store, uint32_t readers, corm_error *err) {
    const size_t line = _Alignof(kv_slot);
    store->slot_memory = calloc((size_t)readers * sizeof(kv_slot) + line, 1);
    if (!store->slot_memory) return base__fail_memory(err);
    uintptr_t at = ((uintptr_t)store->slot_memory + line - 1) / line * line;
    store->slots = (kv_slot *)at;
    store->slot_count = readers;
    for (uint32_t i = 0; i < readers; i++) {
        store->slots[i].txn.store = store;
        store->slots[i].txn.slot = &store->slots[i];
    }
    store->writer.store = store;
    return CORM_OK;
}

static void forget_reader(kv_txn *txn) {
    kv__cursors_free(txn);
    mdb_txn_abort(txn->mdb);
    txn->mdb = NULL;
}

static void forget_cache(kv_txn *txn) {
    base__arena_free(&txn->arena);
    if (txn->cache.object) txn->store->cache_free(txn->cache.object);
    txn->cache = (kv_cache){ 0 };
}

void kv__txns_free(kv_store *store) {
    for (uint32_t i = 0; i < store->slot_count; i++) {
        forget_reader(&store->slots[i].txn);
        forget_cache(&store->slots[i].txn);
    }
    kv__cursors_free(&store->writer);
    forget_cache(&store->writer);
    free(store->slot_memory);
}

/* ---- readers ---- */

static bool claim(kv_slot *slot) {
    unsigned idle = 0;
    return atomic_load_explicit(&slot->busy, memory_order_relaxed) == 0 &&
           atomic_compare_exchange_strong(&slot->busy, &idle, 1);
}

static void release(kv_slot *slot) {
    atomic_store_explicit(&slot->busy, 0, memory_order_release);
}

static kv_slot *claim_any(kv_store *store) {
    if (slot_hint == UINT32_MAX) slot_hint = atomic_fetch_add(&next_hint, 1) % KEPT_READERS;
    uint32_t first = slot_hint < store->slot_count ? slot_hint : 0;
    for (uint32_t i = first; i < store->slot_count; i++) {
        if (claim(&store->slots[i])) {
            slot_hint = i < KEPT_READERS ? i : 0;
            return &store->slots[i];
        }
    }
    for (uint32_t i = 0; i < first; i++) {
        if (claim(&store->slots[i])) {
            slot_hint = i;
            return &store->slots[i];
        }
    }
    return NULL;
}

static int begin_new_reader(kv_store *store, kv_txn *txn) {
    int number = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &txn->mdb);
    if (number == MDB_READERS_FULL) {
        int dead = 0;
        number = mdb_reader_check(store->env, &dead);
        if (number == 0) number = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &txn->mdb);
    }
    if (number != 0) txn->mdb = NULL;
    return number;
}

static int start_reader(kv_store *store, kv_txn *txn) {
    int number = kv__fault_at(store, KV_FAULT_BEGIN);
    if (number != 0) return number;
    return txn->mdb ? mdb_txn_renew(txn->mdb) : begin_new_reader(store, txn);
}

static void count_read(kv_txn *txn) {
    uint64_t begun = atomic_load_explicit(&txn->begun, memory_order_relaxed);
    atomic_store_explicit(&txn->begun, begun + 1, memory_order_relaxed);
}

static void wait_for_gate(kv_store *store) {
    pthread_mutex_lock(&store->gate_lock);
    pthread_mutex_unlock(&store->gate_lock);
}

corm_status kv__read_begin(kv_store *store, kv_txn **out, corm_error *err) {
    *out = NULL;
    CORM_TRY(kv__check_process(store, err));
    for (;;) {
        kv_slot *slot = claim_any(store);
        if (!slot) return kv__fail(err, MDB_READERS_FULL, "a read cannot begin");
        if (atomic_load(&store->gate)) {
            release(slot);
            wait_for_gate(store);
            continue;
        }
        int number = start_reader(store, &slot->txn);
        if (number == 0) {
            *out = &slot->txn;
            count_read(&slot->txn);
            return CORM_OK;
        }
        release(slot);
        if (number != MDB_MAP_RESIZED) return kv__fail(err, number, "a read cannot begin");
        CORM_TRY(kv__adopt_map(store, err));
    }
}

void kv__read_end(kv_txn *txn) {
    if (!txn) return;
    kv_slot *slot = txn->slot;
    while (txn->open) kv__cursor_close(txn->open);
    if (txn->arena.total > KEPT_ARENA) {
        base__arena_free(&txn->arena);
    } else {
        base__arena_reset(&txn->arena);
    }
    if (slot - txn->store->slots < KEPT_READERS) {
        for (kv_cursor *cursor = txn->idle; cursor; cursor = cursor->next) {
            cursor->stale = cursor->spill_stale = true;
        }
        mdb_txn_reset(txn->mdb);
    } else {
        forget_reader(txn);
    }
    release(slot);
}

/* ---- the writer ---- */

static int begin_write(kv_store *store) {
    kv_txn *txn = &store->writer;
    int     number = kv__fault_at(store, KV_FAULT_BEGIN);
    if (number == 0) number = mdb_txn_begin(store->env, NULL, 0, &txn->mdb);
    if (number != 0) txn->mdb = NULL;
    return number;
}

corm_status kv__write_begin(kv_store *store, kv_txn **out, corm_error *err) {
    *out = NULL;
    CORM_TRY(kv__check_process(store, err));
    if (store->read_only) {
        return base__fail(err, CORM_INVALID, "the store is open to read only");
    }
    for (;;) {
        pthread_mutex_lock(&store->write_lock);
        int number = begin_write(store);
        if (number == 0) break;
        pthread_mutex_unlock(&store->write_lock);
        if (number != MDB_MAP_RESIZED) return kv__fail(err, number, "a write cannot begin");
        CORM_TRY(kv__adopt_map(store, err));
    }
    store->writer.full = store->writer.feeds = store->writer.ready = false;
    store->writer.writes = 0;
    store->writer.unique = 0;
    *out = &store->writer;
    return CORM_OK;
}

static void end_write(kv_txn *txn) {
    txn->mdb = NULL;
    pthread_mutex_unlock(&txn->store->write_lock);
}

/* LMDB calls a write that was cut short EIO; most often that is a full disk, or the limit on a file's size. */
static int why_short(kv_store *store) {
    mdb_filehandle_t file;
    struct stat      about;
    struct statvfs   disk;
    struct rlimit    limit;
    if (mdb_env_get_fd(store->env, &file) != 0 || fstat(file, &about) != 0) return EIO;
    if (fstatvfs(file, &disk) == 0 && disk.f_bavail < SCARCE / disk.f_frsize) return ENOSPC;
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
        (rlim_t)about.st_size + SCARCE > limit.rlim_cur)
        return EFBIG;
    return EIO;
}

/* The log first: what LMDB has and the log has not could be lost, and others build upon it. */
static int commit(kv_txn *txn) {
    int number = kv__fault_at(txn->store, KV_FAULT_COMMIT);
    if (number == 0) number = kv__log_append(txn);
    if (number == 0) {
        number = mdb_txn_commit(txn->mdb);
        if (number == EIO) number = why_short(txn->store);
    } else {
        mdb_txn_abort(txn->mdb);
    }
    return number;
}

corm_status kv__commit(kv_txn *txn, bool *full, corm_error *err) {
    bool      feeds = txn->feeds;
    kv_store *store = txn->store;
    kv__cursors_end(txn);
    uint64_t id = mdb_txn_id(txn->mdb);
    int      number = commit(txn);
    bool     is_logged = txn->ready && store->log.appended, unlogged = store->log.too_large;
    kv__log_settle(txn, id, number == 0);
    end_write(txn);
    if (full) *full = number == MDB_MAP_FULL;
    if (number != 0) return kv__fail(err, number, "the write cannot be committed");
    corm_status status = is_logged ? kv__log_sync(store, id, unlogged, err) : CORM_OK;
    if (feeds) kv__wake(store);
    return status;
}

void kv__abort(kv_txn *txn) {
    if (!txn) return;
    kv__cursors_end(txn);
    mdb_txn_abort(txn->mdb);
    end_write(txn);
}

bool kv__is_full(const kv_txn *txn) {
    return txn->full;
}

uint64_t kv__writes(const kv_txn *txn) {
    return txn->writes;
}

uint64_t kv__unique(kv_txn *txn) {
    return mdb_txn_id(txn->mdb) << 32 | txn->unique++;
}

base_arena *kv__txn_arena(kv_txn *txn) {
    return &txn->arena;
}

kv_cache *kv__txn_cache(kv_txn *txn) {
    return &txn->cache;
}

corm_status kv__is_empty(kv_txn *txn, bool *empty, corm_error *err) {
    MDB_stat stat;
    int      number = mdb_stat(txn->mdb, txn->store->dbi, &stat);
    if (number != 0) return kv__fail(err, number, "the store cannot be read");
    *empty = stat.ms_entries == 0;
    return CORM_OK;
}

uint64_t kv__txn_id(const kv_txn *txn) {
    uint64_t id = mdb_txn_id(txn->mdb);
    return txn->slot ? id : id - 1;
}
