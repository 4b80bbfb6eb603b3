// SPDX-License-Identifier: MIT
/* kv_internal.h -- between the files of the key-value layer; nothing else includes it, but its tests.
 *
 * All trees live in LMDB's one unnamed tree, told apart by the first byte, so that a snapshot costs one root and a commit
 * one path:
 *
 *   tree + 1 (1) | short key              -> value
 *   tree + 1 (1) | KV_CHUNK bytes         -> space number (8)
 *   KV_SPILL (1) | space number (8) | rest (shorter than KV_CHUNK) -> value
 *   KV_SPILL (1) | space number (8) | KV_CHUNK bytes               -> space number (8)
 *   KV_SPILL (1) | 0 (8)                  -> the last space number given out (8)
 */
#ifndef ENGINE_KV_INTERNAL_H
#define ENGINE_KV_INTERNAL_H

#include <lmdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "engine/kv.h"

enum {
    KV_SPILL = 0x7f,
    KV_TREE_HEAD = 1,      /* bytes before the key on the first level */
    KV_SPILL_HEAD = 1 + 8, /* and on those below */
    KV_STORED_MAX = KV_SPILL_HEAD + KV_CHUNK
};

/* A key as LMDB has it, being put together. */
typedef struct kv_stored {
    uint8_t bytes[KV_STORED_MAX];
    size_t  len;
} kv_stored;

typedef struct kv_slot kv_slot;

struct kv_cursor {
    kv_txn     *txn;
    kv_cursor  *next;  /* in the transaction's list of idle or of open cursors */
    uint8_t     tree;  /* its first byte */
    MDB_cursor *main;  /* NULL: not open in this transaction */
    MDB_cursor *spill; /* opened when the first long key is met */
    bool        stale; /* reader: main and spill are of an earlier snapshot */
    bool        spill_stale;
    uint32_t    depth;    /* levels below the first one */
    uint32_t    capacity; /* of spaces */
    uint64_t   *spaces;   /* the space of each level below */
    base_buf    key;      /* depth > 0: KV_CHUNK bytes for each level above, then the rest */
    MDB_val     entry_key, entry_value; /* where the cursor stands on its level */
};

struct kv_txn {
    kv_store        *store;
    MDB_txn         *mdb;
    kv_slot         *slot;  /* NULL: the writer */
    bool             full;  /* a put met a full map */
    bool             feeds; /* wrote to KV_FEED */
    uint64_t         writes;
    uint32_t         unique; /* numbers given out in this transaction */
    kv_cursor       *idle;
    kv_cursor       *open;
    kv_cache         cache;
    base_arena       arena;
    _Atomic uint64_t begun; /* reads; set by the slot's holder */
};

/* One pooled reader; on a cache line of its own. `busy` guards `txn`. */
struct kv_slot {
    _Alignas(64) atomic_uint busy;
    kv_txn txn; /* mdb NULL: never used, or given back to LMDB */
};

struct kv_store {
    kv_store *next; /* in the registry of kv_open.c, whose lock guards the first five */
    uint32_t  refs;
    dev_t     device;
    ino_t     inode;
    unsigned  generation; /* of kv__forks() when it was opened */
    MDB_env  *env;
    MDB_dbi   dbi;
    bool      read_only, relaxed;
    pthread_mutex_t
           write_lock; /* held from kv__write_begin to its end; and while the map changes */
    kv_txn writer;
    pthread_mutex_t  gate_lock; /* held while the map changes */
    atomic_bool      gate;      /* no reader may begin */
    uint32_t         slot_count;
    kv_slot         *slots;
    void            *slot_memory;                  /* that the slots are aligned in */
    char            *folder;                       /* NULL: memory */
    bool             is_suspect, has_relaxed_file; /* see kv_relaxed.c */
    _Atomic uint64_t map_bytes;
    pthread_mutex_t  wait_lock; /* of wait_over alone; see kv_wait.c */
    pthread_cond_t   wait_over;
    _Atomic uint64_t wakes;
    atomic_uint      waiting; /* threads in kv__wait */
    void (*cache_free)(void *object);
    kv_fault fault;
    void    *fault_context;
};

/* How often this process has been made by fork(). */
unsigned kv__forks(void);

/* An LMDB or errno number as a status, with "what: why". */
CORM_CHECKED corm_status kv__fail(corm_error *err, int number, const char *format, ...)
    CORM_PRINTF(3, 4);

/* 0, or the number that a test wants to see here. */
int kv__fault_at(const kv_store *store, kv_fault_point point);

/* ---- files: kv_file.c ---- */

/* What is to be opened. `folder` is the caller's path, or a fresh one in memory (is_memory). */
typedef struct kv_place {
    char *folder; /* freed by kv__place_free */
    bool  is_memory;
    bool  is_new; /* has no data yet */
    dev_t device;
    ino_t inode;
} kv_place;

/* Finds or makes the folder and looks at the files in it, changing nothing that is there. */
CORM_CHECKED corm_status kv__place_find(const kv_options *options, kv_place *out, corm_error *err);
void                     kv__place_free(
                        kv_place *place); /* removes the files of a store in memory: it lives on unnamed */

/* Marks a new folder as a store and puts its entries on disk. */
CORM_CHECKED corm_status kv__place_mark(const kv_place *place, corm_error *err);

int kv__sync_folder(const char *folder);

/* ---- relaxed durability: kv_relaxed.c ---- */

/* *is_suspect: the machine stopped while a process wrote without waiting for the disk. *has_old: such a process has gone. */
void kv__relaxed_look(const char *folder, bool *is_suspect, bool *has_old);

/* Puts all on disk and forgets the processes that have gone. */
CORM_CHECKED corm_status kv__relaxed_settle(kv_store *store, corm_error *err);

/* From here to there this process writes so. */
CORM_CHECKED corm_status kv__relaxed_begin(kv_store *store, corm_error *err);
void                     kv__relaxed_end(kv_store *store);

/* ---- pages on disk: kv_pages.c ---- */

/* CORM_CORRUPT or CORM_VERSION when a file is none that LMDB could map; cheap. */
CORM_CHECKED corm_status kv__pages_look(int file, corm_error *err);

/* Walks all pages of the state with a transaction's number (0: the newest). *found is false when that state is gone. */
CORM_CHECKED corm_status kv__pages_check(int file, uint64_t txn, bool *found, corm_error *err);

/* ---- transactions: kv_txn.c ---- */

CORM_CHECKED corm_status kv__txns_init(kv_store *store, uint32_t readers, corm_error *err);
void                     kv__txns_free(kv_store *store); /* all have ended */

/* Takes over the map size of another process. */
CORM_CHECKED corm_status kv__adopt_map(kv_store *store, corm_error *err);

/* ---- waiting: kv_wait.c ---- */

CORM_CHECKED corm_status kv__wait_init(kv_store *store, corm_error *err);
void                     kv__wait_free(kv_store *store);

/* ---- cursors: kv_cursor.c ---- */

void kv__cursors_end(
    kv_txn *txn); /* writer: closes what LMDB knows of them; the transaction is about to end */
void kv__cursors_free(kv_txn *txn); /* all memory */

/* ---- stored keys: kv_key.c ---- */

static inline uint8_t kv__tree_byte(kv_tree tree) {
    return (uint8_t)(tree + 1);
}
static inline void kv__head_tree(kv_stored *stored, uint8_t tree) {
    stored->bytes[0] = tree;
    stored->len = KV_TREE_HEAD;
}
static inline void kv__head_space(kv_stored *stored, uint64_t space) {
    stored->bytes[0] = KV_SPILL;
    base__store_u64(stored->bytes + 1, space);
    stored->len = KV_SPILL_HEAD;
}
static inline void kv__stored_add(kv_stored *stored, const uint8_t *data, size_t len) {
    if (len > 0) memcpy(stored->bytes + stored->len, data, len);
    stored->len += len;
}
static inline MDB_val kv__stored_val(kv_stored *stored) {
    return (MDB_val){ stored->len, stored->bytes };
}
/* Whether an LMDB key of the level holds a pointer into the spill space. */
static inline bool kv__is_pointer(MDB_val key, size_t head) {
    return key.mv_size == head + KV_CHUNK;
}
/* The space number a pointer's value gives; CORM_CORRUPT when it is none. */
CORM_CHECKED corm_status kv__space_of(MDB_val value, uint64_t *space, corm_error *err);

#endif
