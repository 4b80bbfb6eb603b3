// SPDX-License-Identifier: MIT
/* kv_log.c -- the log's file: heads, and the records of this process's transactions.
 *
 *   first change   kv__log_ready   the log's end is known, and what the last transaction gave up is kept
 *   each change    kv__log_note    is added to the record
 *   commit         kv__log_append  the record is written | LMDB commits | kv__log_settle | all locks are given back
 *   behind it      kv__log_sync    one fdatasync for all that is written so far, by whomever
 *
 * A transaction whose record would be large is not logged: a mark takes the record's place, and a checkpoint follows. The file
 * grows by zeros that are written, so that a record's sync need not change anything but the record's own blocks.
 *
 * Thread: whoever has the write lock; kv__log_sync any. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/kv_internal.h"

enum {
    LARGEST_RECORD = 4 << 20,
    KEPT_RECORD = 1 << 20,
    SMALLEST_STEP = 64 << 10,
    LARGEST_STEP = 4 << 20,
    LOG_LIMIT = 32 << 20
};

int kv__log_path(const char *folder, base_buf *out) {
    base__buf_printf(out, "%s/log.corm", folder);
    return base__buf_cstr(out) ? 0 : ENOMEM;
}

static int write_at(int file, const void *data, size_t len, uint64_t at) {
    const uint8_t *bytes = data;
    while (len > 0) {
        ssize_t written = pwrite(file, bytes, len, (off_t)at);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return errno;
        if (written == 0) return ENOSPC;
        bytes += written;
        len -= (size_t)written;
        at += (uint64_t)written;
    }
    return 0;
}

/* ---- heads ---- */

corm_status kv__log_load(int file, kv_log_head *head, int *slot, corm_error *err) {
    kv_log_slot kinds[2];
    *head = (kv_log_head){ 0 };
    *slot = 1; /* the first goes to slot 0 */
    for (int i = 0; i < 2; i++) {
        uint8_t     bytes[KV_LOG_HEAD] = { 0 };
        kv_log_head found;
        if (pread(file, bytes, sizeof bytes, (off_t)i * KV_LOG_SLOT) < 0)
            return kv__fail(err, errno, "the log cannot be read");
        kinds[i] = kv__log_head_decode(bytes, &found);
        if (kinds[i] == KV_SLOT_OTHER_VERSION)
            return base__fail(err, CORM_VERSION, "the log was written by another version of Corm");
        if (found.generation <= head->generation) continue;
        *head = found;
        *slot = i;
    }
    if (head->generation > 0 || kinds[0] == KV_SLOT_EMPTY || kinds[1] == KV_SLOT_EMPTY)
        return CORM_OK;
    return base__fail(err, CORM_CORRUPT, "the log is damaged: none of its heads is whole");
}

int kv__log_put_head(int file, const kv_log_head *head, int slot) {
    uint8_t bytes[KV_LOG_HEAD];
    kv__log_head_encode(head, bytes);
    return write_at(file, bytes, sizeof bytes, (uint64_t)slot * KV_LOG_SLOT);
}

int kv__log_write_head(int file, const kv_log_head *head, int slot) {
    int number = kv__log_put_head(file, head, slot);
    if (number == 0 && fdatasync(file) != 0) number = errno;
    return number;
}

/* ---- opening ---- */

static int make_file(kv_store *store) {
    base_buf path = { 0 };
    int      number = kv__log_path(store->folder, &path);
    int      file = -1;
    if (number == 0) {
        file = open((const char *)path.data, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        if (file < 0) number = errno;
    }
    base__buf_free(&path);
    if (number == 0 && flock(file, LOCK_SH) != 0) number = errno;
    if (number == 0) {
        store->log.file = file;
    } else if (file >= 0) {
        close(file);
    }
    return number;
}

/* The file is not made longer here: another process may be writing to it. */
int kv__log_measure(kv_log *log) {
    struct stat about;
    if (fstat(log->file, &about) != 0) return errno;
    log->size = about.st_size < KV_LOG_BEGIN ? KV_LOG_BEGIN : (uint64_t)about.st_size;
    return 0;
}

static int first_size(kv_log *log) {
    log->end = KV_LOG_BEGIN;
    log->limit = LOG_LIMIT;
    log->largest = LARGEST_RECORD;
    return kv__log_measure(log);
}

corm_status kv__log_open(kv_store *store, kv_place *place, corm_error *err) {
    if (place->is_memory) return CORM_OK;
    store->log.file = place->log;
    place->log = -1;
    if (store->read_only) return CORM_OK;
    int number = store->log.file >= 0 ? 0 : make_file(store);
    if (number == 0) number = first_size(&store->log);
    if (number == 0) number = kv__keeper_init(store);
    return number == 0 ? CORM_OK
                       : kv__fail(err, number, "the log of %s cannot be opened", store->folder);
}

void kv__log_close(kv_store *store) {
    kv_log *log = &store->log;
    if (log->file < 0) return;
    if (!store->read_only) {
        kv__keeper_stop(store);
        /* What cannot be put to rest here, the next one to open finds in the log. */
        if (log->head.active && !atomic_load(&log->failed) &&
            kv__checkpoint(store, false, NULL) != CORM_OK)
            atomic_store(&log->failed, true);
        if (log->view) mdb_txn_abort(log->view);
        log->view = NULL;
        kv__keep_free(log);
        base__buf_free(&log->pages);
        base__buf_free(&log->record);
    }
    close(log->file);
    log->file = -1;
}

/* ---- a transaction ---- */

corm_status kv__log_ready(kv_txn *txn, corm_error *err) {
    kv_log *log = &txn->store->log;
    if (log->file >= 0) {
        if (atomic_load(&log->failed)) return kv__fail(err, MDB_PANIC, "a write cannot begin");
        log->too_large = log->appended = false;
        CORM_TRY(kv__checkpoint_adopt(txn, err));
        kv__log_begin(&log->record);
    }
    txn->ready = true;
    return CORM_OK;
}

static void give_up_record(kv_log *log) {
    base__buf_free(&log->record);
    log->too_large = true;
}

void kv__log_note(kv_txn *txn, bool remove, const MDB_val *key, const MDB_val *value) {
    kv_log *log = &txn->store->log;
    if (log->file < 0 || txn->store->relaxed || log->too_large) return;
    size_t bytes = remove ? 0 : value->mv_size;
    if (log->record.len + bytes > log->largest) {
        give_up_record(log);
        return;
    }
    corm_bytes name = { key->mv_data, key->mv_size };
    if (remove) {
        kv__log_delete(&log->record, name);
    } else {
        kv__log_put(&log->record, name, (corm_bytes){ value->mv_data, bytes });
    }
    if (log->record.failed) give_up_record(log);
}

/* ---- appending ---- */

static int add_zeros(kv_log *log, uint64_t bytes) {
    static const uint8_t zeros[64 << 10];
    int                  number = 0;
    for (uint64_t done = 0; number == 0 && done < bytes; done += sizeof zeros)
        number = write_at(log->file, zeros, sizeof zeros, log->size + done);
    int measured = kv__log_measure(log);
    return number == 0 ? measured : number;
}

/* Room for the record, and for the head of the one behind it, which says that there is none. */
static int make_room(kv_log *log, size_t bytes) {
    uint64_t needed = log->end + bytes + KV_LOG_RECORD;
    if (needed <= log->size) return 0;
    uint64_t step = log->size < SMALLEST_STEP ? SMALLEST_STEP : log->size;
    if (step > LARGEST_STEP) step = LARGEST_STEP;
    while (log->size + step < needed) step += SMALLEST_STEP;
    int number = add_zeros(log, step);
    return log->size >= needed ? 0 : number;
}

int kv__log_write(kv_log *log, const base_buf *record) {
    if (record->failed) return ENOMEM;
    int number = make_room(log, record->len);
    return number == 0 ? write_at(log->file, record->data, record->len, log->end) : number;
}

static int append(kv_txn *txn) {
    kv_log *log = &txn->store->log;
    int     number = make_room(log, log->record.len);
    /* A full disk: behind a checkpoint the log begins anew. */
    if (number != 0 && KV_LOG_BEGIN + log->record.len + KV_LOG_RECORD <= log->size)
        number = kv__checkpoint_write(txn, true);
    if (number != 0) return number;
    kv__log_seal(&log->record, log->too_large ? KV_LOG_UNLOGGED : KV_LOG_OPS, &log->head,
                 mdb_txn_id(txn->mdb));
    number = kv__fault_at(txn->store, KV_FAULT_LOG_APPEND);
    log->appended = true;
    if (number == 0) number = kv__log_write(log, &log->record);
    if (number == 0) number = kv__fault_at(txn->store, KV_FAULT_LOG_COMMIT);
    return number;
}

int kv__log_append(kv_txn *txn) {
    kv_log *log = &txn->store->log;
    if (!txn->ready || log->file < 0 || txn->store->relaxed) return 0;
    if (log->too_large) kv__log_begin(&log->record);
    if (!log->too_large && log->record.len <= KV_LOG_RECORD) return 0;
    return append(txn);
}

/* A record of what was not committed should not be found after a stop. LMDB has given its lock back, so others may have written
 * in its place: that stays, and so does the record when the lock cannot be had; it is behind the end. */
static void take_back(kv_txn *txn, uint64_t id) {
    static const uint8_t zeros[KV_LOG_RECORD];
    kv_log              *log = &txn->store->log;
    uint8_t              found[KV_LOG_RECORD];
    (void)kv__fault_at(txn->store, KV_FAULT_LOG_BACK);
    if (log->record.failed || mdb_txn_begin(txn->store->env, NULL, 0, &txn->mdb) != 0) return;
    bool is_there = mdb_txn_id(txn->mdb) == id &&
                    pread(log->file, found, sizeof found, (off_t)log->end) == sizeof found &&
                    memcmp(found, log->record.data, sizeof found) == 0;
    if (is_there) (void)!write_at(log->file, zeros, sizeof zeros, log->end);
    mdb_txn_abort(txn->mdb);
}

void kv__log_settle(kv_txn *txn, uint64_t id, bool committed) {
    kv_log *log = &txn->store->log;
    if (log->file < 0) return;
    if (log->appended && committed) {
        /* A mark is left at the end: whoever comes next finds it there. */
        if (!log->too_large) log->end += log->record.len;
        if (!log->too_large) log->last++;
        atomic_fetch_add_explicit(&log->commits, 1, memory_order_relaxed);
    } else if (log->appended) {
        take_back(txn, id);
    }
    log->appended = log->too_large = false;
    if (log->record.cap > KEPT_RECORD) base__buf_free(&log->record);
}

/* ---- waiting for the disk ---- */

/* The system tells a failure to one caller only, and it concerns all that was written before: from then on nobody takes a record for
 * being on disk, until a checkpoint has taken its place. */
static int wait_for_disk(kv_log *log, bool is_head) {
    pthread_mutex_lock(&log->sync_lock);
    int number = log->lost && !is_head ? EIO : 0;
    if (number == 0 && fdatasync(log->file) != 0) number = errno;
    log->lost = number != 0;
    pthread_mutex_unlock(&log->sync_lock);
    return number;
}

int kv__log_wait(kv_log *log) {
    return wait_for_disk(log, true);
}

int kv__log_flush(kv_store *store, uint64_t id) {
    kv_log *log = &store->log;
    int     number = kv__fault_at(store, KV_FAULT_LOG_SYNC);
    if (number == 0) number = wait_for_disk(log, false);
    if (number != 0) return number;
    uint64_t synced = atomic_load(&log->synced);
    while (synced < id && !atomic_compare_exchange_weak(&log->synced, &synced, id)) continue;
    (void)kv__fault_at(store, KV_FAULT_LOG_SYNCED);
    return 0;
}

/* What is committed cannot be taken back any more: if neither the log nor a checkpoint brings it to the disk, the store is
 * done with. */
corm_status kv__log_sync(kv_store *store, uint64_t id, bool unlogged, corm_error *err) {
    if (!unlogged && kv__log_flush(store, id) == 0) return CORM_OK;
    corm_status status = kv__checkpoint(store, true, err);
    if (status != CORM_OK) atomic_store(&store->log.failed, true);
    return status;
}
