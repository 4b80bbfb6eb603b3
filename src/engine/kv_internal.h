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
#include "engine/kv_log.h"

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
    kv_store   *store;
    MDB_txn    *mdb;
    kv_slot    *slot;  /* NULL: the writer */
    bool        full;  /* a put met a full map */
    bool        ready; /* writer: the log expects its operations, or need not know of them */
    bool        feeds; /* wrote to KV_FEED */
    uint64_t    writes;
    uint32_t    unique; /* numbers given out in this transaction */
    MDB_cursor *keys;   /* writer: where the last key was, since the next one is often beside it */
    kv_cursor  *idle;
    kv_cursor  *open;
    kv_cache    cache;
    base_arena  arena;
    _Atomic uint64_t begun; /* reads; set by the slot's holder */
};

/* One pooled reader; on a cache line of its own. `busy` guards `txn`. */
struct kv_slot {
    _Alignas(64) atomic_uint busy;
    kv_txn txn; /* mdb NULL: never used, or given back to LMDB */
};

/* The log of a store on disk; write_lock guards all but what says otherwise. */
typedef struct kv_log {
    int         file;    /* -1: a store in memory has none */
    kv_log_head head;    /* that counts, as this process last saw it */
    bool        is_own;  /* this process wrote it */
    int         slot;    /* of it */
    uint64_t    seen[2]; /* the generations that the slots had then */
    uint64_t    last,
        end; /* the last transaction that is known to be in the log, and where the next record goes */
    uint64_t kept;    /* the last transaction whose given up pages are in the log, or need not be */
    uint64_t size;    /* of the file, all of it written */
    uint64_t limit;   /* a longer log asks for a checkpoint */
    size_t   largest; /* record; what would be larger is not logged */
    uint64_t page_count; /* of the checkpoint */
    uint8_t
        *spared;   /* a bit for each of its pages: it need not be kept, or is in the log already */
    MDB_txn *view; /* to read LMDB's lists with; reset between uses */
    base_buf record;    /* of the transaction under way */
    base_buf pages;     /* a record of pages */
    bool     too_large; /* for a record */
    bool     appended;  /* the record is in the log */

    /* Any thread. */
    _Atomic uint64_t synced; /* the last transaction whose record is known to be on disk */
    _Atomic uint64_t commits;
    atomic_bool      failed; /* what is on disk is not known; nothing is written any more */

    pthread_mutex_t sync_lock; /* held while the log's file is synced */
    bool            lost;      /* records may be missing on disk; it guards that, too */
    pthread_mutex_t
        data_lock; /* held while data.mdb is synced, until `failed` says what came of it */

    /* The keeper, a thread; keeper_lock guards. */
    pthread_mutex_t keeper_lock;
    pthread_cond_t  keeper_wake;
    pthread_t       keeper;
    bool            can_keep, has_keeper, stopping, is_wanted, is_active;
} kv_log;

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
    kv_log log;
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
    int   log;    /* the log, open and locked; -1: there is none */
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

/* Makes the environment; *map shrinks to what the process may have. */
int kv__open_map(MDB_env **env, const char *folder, uint32_t readers, unsigned flags,
                 bool may_shrink, uint64_t *map);

/* ---- the log's file: kv_log.c. Numbers are 0, of LMDB or errno ---- */

int kv__log_path(const char *folder, base_buf *out);

/* The head that counts. */
CORM_CHECKED corm_status kv__log_load(int file, kv_log_head *head, int *slot, corm_error *err);
/* Writes the slot; and waits for the disk. */
int kv__log_put_head(int file, const kv_log_head *head, int slot);
int kv__log_write_head(int file, const kv_log_head *head, int slot);

/* Makes the file when there is none. It stays empty until the first checkpoint. */
CORM_CHECKED corm_status kv__log_open(kv_store *store, kv_place *place, corm_error *err);
void                     kv__log_close(kv_store *store);

/* Before the transaction changes anything: the log is ready for it. */
CORM_CHECKED corm_status kv__log_ready(kv_txn *txn, corm_error *err);
void kv__log_note(kv_txn *txn, bool remove, const MDB_val *key, const MDB_val *value);

/* Of the transaction that is about to be committed; what became of it; and, when all locks are given back, waits for the disk. */
int                      kv__log_append(kv_txn *txn);
void                     kv__log_settle(kv_txn *txn, uint64_t id, bool committed);
CORM_CHECKED corm_status kv__log_sync(kv_store *store, uint64_t id, bool unlogged, corm_error *err);

/* What the file's size is now; less than the heads counts as them. */
int kv__log_measure(kv_log *log);
/* Writes a sealed record behind the last one, without moving the end. */
int kv__log_write(kv_log *log, const base_buf *record);
/* A head that was written is on disk. */
int kv__log_wait(kv_log *log);
/* All that is in the log so far is on disk. */
int kv__log_flush(kv_store *store, uint64_t id);

/* ---- checkpoints: kv_checkpoint.c ---- */

/* Takes over what other processes did to the log since, and sees that the transaction may write. */
CORM_CHECKED corm_status kv__checkpoint_adopt(kv_txn *txn, corm_error *err);
/* Fills in what a head tells of a state, which is the newest one, and of the log. */
int kv__checkpoint_describe(MDB_env *env, int log, uint64_t txn, kv_log_head *head);
/* A checkpoint of the last committed state. The transaction has the lock; it may have changed something. active: records follow. */
int kv__checkpoint_write(kv_txn *txn, bool active);
/* The same, with a transaction of its own. */
CORM_CHECKED corm_status kv__checkpoint(kv_store *store, bool active, corm_error *err);
/* The same in two steps, of which the first, the longer one, needs no lock. */
CORM_CHECKED corm_status kv__checkpoint_slowly(kv_store *store, corm_error *err);

/* ---- pages that are given up: kv_keep.c ---- */

/* A generation begins: all pages of its checkpoint are to be kept, but for those it does not use. */
int kv__keep_begin(kv_txn *txn, const kv_log_head *head);
/* Puts the pages into the log that the last committed transaction gave up; *too_many: nothing was done, a checkpoint is better. */
int  kv__keep_pages(kv_txn *txn, bool *too_many);
void kv__keep_note(kv_log *log, corm_bytes pages); /* that another process put there */
void kv__keep_free(kv_log *log);

/* The thread that checkpoints before writers must, and puts the log to rest when nobody writes. */
int  kv__keeper_init(kv_store *store);
void kv__keeper_start(kv_store *store);
void kv__keeper_want(kv_store *store);
void kv__keeper_stop(kv_store *store);

/* ---- after the machine stopped: kv_recover.c ---- */

/* Opens and locks the log of a folder, if it has one, and puts data.mdb right from it when the machine stopped since. */
CORM_CHECKED corm_status kv__recover(const kv_options *options, kv_place *place, corm_error *err);

/* For tests: as kv__set_fault, for openings; and how many pages a recovery adds to the file between its checkpoints. */
void kv__set_recovery_fault(kv_fault fault, void *context, uint64_t pages);

/* ---- meta pages: kv_meta.c ---- */

/* The start of the meta page of a state; *found is false when the file has another. */
int kv__meta_read(int file, uint32_t page_size, uint64_t txn, uint8_t out[KV_META_BYTES],
                  bool *found);
/* Both meta pages become this one. */
int      kv__meta_restore(int file, uint32_t page_size, const uint8_t meta[KV_META_BYTES]);
uint64_t kv__meta_txn(const uint8_t meta[KV_META_BYTES]);
uint64_t kv__meta_page_count(const uint8_t meta[KV_META_BYTES]);
/* Whether the file may have come behind that state: its meta pages are damaged, or one is as new. */
bool kv__meta_is_of(int file, uint32_t page_size, uint64_t txn);
/* The root pages that a meta page names, and a sum over them. UINT64_MAX: an empty tree. */
void kv__meta_root_pages(const uint8_t meta[KV_META_BYTES], uint64_t roots[2]);
int  kv__meta_roots(int file, uint32_t page_size, const uint8_t meta[KV_META_BYTES], uint64_t *sum);

/* ---- relaxed durability: kv_relaxed.c ---- */

/* false: the system does not tell its boots apart. */
bool kv__boot(uint8_t out[KV_BOOT_BYTES]);
void kv__set_boot_file(const char *path); /* for tests; NULL: the system's */

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
/* Writer: what it knows of where the last key was. */
void kv__forget_place(kv_txn *txn);
/* The space number a pointer's value gives; CORM_CORRUPT when it is none. */
CORM_CHECKED corm_status kv__space_of(MDB_val value, uint64_t *space, corm_error *err);

#endif
