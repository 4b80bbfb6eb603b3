// SPDX-License-Identifier: MIT
/* kv_log.h -- the log in front of the tree: log.corm in the store's folder.
 *
 *   0      slot 0 |  The two copies of the head, written in turn. The one that is whole and has the higher generation counts:
 *   4096   slot 1 |  which state of data.mdb is wholly on disk (a checkpoint), and whether records follow.
 *   8192   records of that generation, one behind the other, each of the transaction after the one before
 *
 *   head    magic (8) sum (8) version (4) flags (4) generation (8) txn (8) device (8) inode (8) roots (8) salt (8)
 *           start (8) of (8) page size (4) boot (36) meta (152), in KV_LOG_HEAD bytes
 *   record  kind (4) size of the body (4) generation (8) txn (8) sum (8) | body, to a multiple of 8 bytes
 *   body    KV_LOG_OPS       of each put       1 (1) key size (2) value size (4) key value
 *                            of each delete    2 (1) key size (2) key
 *           KV_LOG_PAGES     of each page      number (8) its bytes (page size)
 *           KV_LOG_UNLOGGED  nothing
 *
 * Keys and values are those that LMDB got. All numbers are big-endian, but the meta page, which is LMDB's. docs/durability.md
 * tells the protocol, kv_checkpoint.c argues for it. */
#ifndef ENGINE_KV_LOG_H
#define ENGINE_KV_LOG_H

#include "base/buf.h"
#include "base/fail.h"

enum {
    KV_LOG_SLOT = 4096,
    KV_LOG_HEAD = 512,
    KV_LOG_BEGIN = 2 * KV_LOG_SLOT,
    KV_LOG_RECORD = 32, /* a record's own head */
    KV_META_BYTES = 152,
    KV_BOOT_BYTES = 36
};

typedef struct kv_log_head {
    uint64_t generation; /* 0: there is none */
    uint64_t txn;        /* of the checkpoint */
    bool     active;     /* records may follow; else data.mdb is whole as it is */
    bool     replaying;  /* written during a recovery: kept pages are of another state */
    bool     lost;       /* data.mdb may lack what was written since: the log must be played back */
    uint64_t start,
        of; /* where the records begin, and the generation that they carry: a recovery goes on where one stopped */
    uint64_t device, inode; /* of the log itself: a copy is another one */
    uint64_t
        roots; /* sum over the checkpoint's root pages, so that another data.mdb is told apart */
    uint64_t salt; /* of the sums of its records: what is in a value cannot pass for a record */
    uint32_t page_size;
    uint8_t  boot[KV_BOOT_BYTES];
    uint8_t  meta[KV_META_BYTES]; /* the start of the checkpoint's meta page */
} kv_log_head;

/* Sum of bytes: tells what was torn, not what was forged. */
uint64_t kv__log_sum(uint64_t seed, const uint8_t *data, size_t len);

void kv__log_head_encode(const kv_log_head *head, uint8_t out[KV_LOG_HEAD]);

typedef enum kv_log_slot {
    KV_SLOT_EMPTY,
    KV_SLOT_TORN,
    KV_SLOT_OTHER_VERSION,
    KV_SLOT_WHOLE
} kv_log_slot;
kv_log_slot kv__log_head_decode(const uint8_t in[KV_LOG_HEAD], kv_log_head *out);

/* ---- records ---- */

typedef enum kv_log_kind {
    KV_LOG_OPS = 0x434c4f31,
    KV_LOG_PAGES = 0x434c5031,   /* pages that the transaction gave up, as they were */
    KV_LOG_UNLOGGED = 0x434c5531 /* the transaction is not in the log: a checkpoint must follow */
} kv_log_kind;

typedef struct kv_log_record {
    kv_log_kind kind;
    uint64_t    generation, txn;
    size_t      size; /* in the log, with all */
    corm_bytes  body;
} kv_log_record;

/* A record being put together: begin, its body, seal. */
void kv__log_begin(base_buf *record);
void kv__log_put(base_buf *record, corm_bytes key, corm_bytes value);
void kv__log_delete(base_buf *record, corm_bytes key);
void kv__log_seal(base_buf *record, kv_log_kind kind, const kv_log_head *head, uint64_t txn);

/* What a record's first KV_LOG_RECORD bytes tell; false when they are none. */
bool kv__log_peek(const uint8_t *bytes, kv_log_record *out);
/* The record at the front of the bytes; false when none is whole there. */
bool kv__log_read(corm_bytes bytes, uint64_t salt, kv_log_record *out);

typedef struct kv_log_op {
    bool       remove;
    corm_bytes key, value;
} kv_log_op;

/* Takes the first of the operations; *bad when they cannot be read. */
bool kv__log_next(corm_bytes *ops, kv_log_op *out, bool *bad);

/* Takes the first of the pages; false when there is none, or not a whole one. */
bool kv__log_next_page(corm_bytes *pages, uint32_t page_size, uint64_t *number, corm_bytes *page);

#endif
