// SPDX-License-Identifier: MIT
/* kv.h -- an ordered map of bytes on LMDB whose keys may have any length.
 *
 * LMDB's keys end at 511 bytes. A key shorter than KV_CHUNK is stored as it is. A longer one is cut: its first
 * KV_CHUNK bytes are stored as a pointer whose value is an 8-byte space number, and the rest of it lives, by the same
 * rule, in the `spill` tree under that number. So order is kept at any length and short keys cost nothing.
 *
 *   main tree    short key -> value      |  KV_CHUNK bytes -> space number
 *   spill tree   space number (8) + rest -> value | space number (8) + KV_CHUNK bytes -> space number
 *
 * A transaction belongs to one thread at a time. Values and keys are borrowed until the transaction ends or, in a
 * write transaction, until the next write. */
#ifndef ENGINE_KV_H
#define ENGINE_KV_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/fail.h"

enum { KV_CHUNK = 480 };

typedef struct kv_store kv_store;
typedef struct kv_txn   kv_txn;

/* The trees of a store. */
typedef enum kv_tree { KV_DATA, KV_META, KV_QUEUE, KV_FEED, KV_TREES } kv_tree;

/* One folder is opened once in a process: who opens it again shares it, and the stricter durability holds for all. */
typedef struct kv_options {
    const char *path; /* NULL: memory */
    bool        relaxed, read_only, must_exist;
    uint64_t    map_bytes;
    uint32_t    max_readers;
    void (*cache_free)(void *object); /* of kv_cache; the same for all who open a store */
} kv_options;

CORM_CHECKED corm_status kv__open(const kv_options *options, kv_store **out, corm_error *err);
void                     kv__close(kv_store *store);
CORM_CHECKED corm_status kv__sync(kv_store *store, corm_error *err);

/* CORM_UNSUPPORTED in a child of the process that opened the store: it must not use it. */
CORM_CHECKED corm_status kv__check_process(const kv_store *store, corm_error *err);

/* Whether the machine stopped while the store was open with relaxed durability. Its pages are whole; what is in them should be looked
 * at before it is trusted. */
bool                     kv__is_suspect(const kv_store *store);
CORM_CHECKED corm_status kv__trust(kv_store *store, corm_error *err);

/* A snapshot. Readers are pooled: beginning costs no system call and takes no lock. A thread that holds one must not begin
 * a write: growing the map waits for readers. CORM_OVERLOADED: all reader slots are taken. */
CORM_CHECKED corm_status kv__read_begin(kv_store *store, kv_txn **out, corm_error *err);
void                     kv__read_end(kv_txn *txn);

/* The one write transaction, across threads and processes: blocks until it is free. Must be ended by commit or abort on the
 * same thread. */
CORM_CHECKED corm_status kv__write_begin(kv_store *store, kv_txn **out, corm_error *err);

/* Ends the transaction in any case, and waits until it is on disk when the store is durable: others see it a moment before. *full: the map was full, nothing was written; call kv__grow and do it again. */
CORM_CHECKED corm_status kv__commit(kv_txn *txn, bool *full, corm_error *err);
void                     kv__abort(kv_txn *txn);

/* Doubles the map. Waits for this process's readers to end. CORM_DISK_FULL, CORM_NO_MEMORY. */
CORM_CHECKED corm_status kv__grow(kv_store *store, corm_error *err);

/* Whether the last failure in this write transaction was a full map: abort, kv__grow, and run it again. */
bool kv__is_full(const kv_txn *txn);

/* The number of the snapshot, or of the last committed one for a writer: changes with every commit. */
uint64_t kv__txn_id(const kv_txn *txn);

/* Waits until the last committed transaction is behind number `since`, or the time is over: *number is the last one. A commit of this
 * process that wrote to KV_FEED wakes at once; what else was committed, also by other processes, is noticed within some hundredths
 * of a second. For threads that hold no transaction. */
CORM_CHECKED corm_status kv__wait(kv_store *store, uint64_t since, uint64_t wakes,
                                  int64_t timeout_ns, uint64_t *number, corm_error *err);
/* Wakes all that wait; and how often that was done: a wait ends at once when it is not `wakes` any more. */
void     kv__wake(kv_store *store);
uint64_t kv__wakes(const kv_store *store);

/* Puts and deletes that this write transaction has tried. When an operation fails and this has changed, the transaction can only be
 * aborted. */
uint64_t kv__writes(const kv_txn *txn);

/* A number that no other call on this store gives, in this transaction or another. */
uint64_t kv__unique(kv_txn *txn);

/* Whether no tree holds anything. */
CORM_CHECKED corm_status kv__is_empty(kv_txn *txn, bool *empty, corm_error *err);

/* What the owner keeps in a pooled transaction from one use to the next, without locks: the transaction is its own. A reader
 * finds what some reader left, or zeros. */
typedef struct kv_cache {
    uint64_t serial, since;
    void    *object; /* freed with kv_options.cache_free when the store is closed */
} kv_cache;
kv_cache *kv__txn_cache(kv_txn *txn);

/* Memory for what is done with the transaction; emptied when a read ends. */
base_arena *kv__txn_arena(kv_txn *txn);

/* *found tells; *value is empty when not found. */
CORM_CHECKED corm_status kv__get(kv_txn *txn, kv_tree tree, corm_bytes key, corm_bytes *value,
                                 bool *found, corm_error *err);
CORM_CHECKED corm_status kv__put(kv_txn *txn, kv_tree tree, corm_bytes key, corm_bytes value,
                                 corm_error *err);
CORM_CHECKED corm_status kv__delete(kv_txn *txn, kv_tree tree, corm_bytes key, bool *found,
                                    corm_error *err);

/* Walks a tree in order. In a write transaction a write through the transaction ends the position: seek again. */
typedef struct kv_cursor kv_cursor;
CORM_CHECKED corm_status kv__cursor_open(kv_txn *txn, kv_tree tree, kv_cursor **out,
                                         corm_error *err);
void                     kv__cursor_close(kv_cursor *cursor); /* pooled with its transaction */

/* Moves to the first key >= key (after: > key), or, backwards, to the last key <= key (before: < key). */
typedef enum kv_seek { KV_AT_OR_AFTER, KV_AFTER, KV_AT_OR_BEFORE, KV_BEFORE } kv_seek;
CORM_CHECKED corm_status kv__cursor_seek(kv_cursor *cursor, corm_bytes key, kv_seek how,
                                         bool *found, corm_error *err);
CORM_CHECKED corm_status kv__cursor_next(kv_cursor *cursor, bool *found, corm_error *err);
CORM_CHECKED corm_status kv__cursor_prev(kv_cursor *cursor, bool *found, corm_error *err);
corm_bytes               kv__cursor_key(const kv_cursor *cursor); /* whole, until the next move */
corm_bytes               kv__cursor_value(const kv_cursor *cursor);

/* For tests: called before each operation that may fail; what it returns instead of 0 (an errno or an LMDB number) is what the
 * operation fails with. Set while no other thread uses the store; NULL for none. */
typedef enum kv_fault_point {
    KV_FAULT_BEGIN,
    KV_FAULT_GET,
    KV_FAULT_PUT,
    KV_FAULT_COMMIT,
    KV_FAULT_GROW,
    KV_FAULT_LOG_APPEND,  /* before the record is written */
    KV_FAULT_LOG_COMMIT,  /* behind it, before LMDB commits */
    KV_FAULT_LOG_BACK,    /* the commit failed: before the record is taken back; not looked at */
    KV_FAULT_LOG_SYNC,    /* before the log is on disk */
    KV_FAULT_LOG_SYNCED,  /* behind that; what it returns is not looked at */
    KV_FAULT_CHECK_SYNC,  /* checkpoint: before the data is on disk */
    KV_FAULT_DATA_SYNC,   /* what the sync of the data itself fails with */
    KV_FAULT_CHECK_HEAD,  /* behind that, before the log's head is written */
    KV_FAULT_CHECK_WROTE, /* the head is written, but not on disk */
    KV_FAULT_CHECK_DONE,  /* behind all; not looked at */
    KV_FAULT_RECOVER_META,
    KV_FAULT_RECOVER_RECORD,
    KV_FAULT_RECOVER_HEAD
} kv_fault_point;
typedef int (*kv_fault)(void *context, kv_fault_point point);
void kv__set_fault(kv_store *store, kv_fault fault, void *context);

/* Looks at every page of a snapshot: CORM_CORRUPT when one is missing, damaged, or used twice. */
CORM_CHECKED corm_status kv__check(kv_store *store, corm_error *err);

typedef struct kv_stats {
    uint64_t used_bytes, map_bytes;
    uint64_t reads; /* begun */
} kv_stats;
void kv__stats(kv_store *store, kv_stats *out);

#endif
