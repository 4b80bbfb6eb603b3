// SPDX-License-Identifier: MIT
/* kv_checkpoint.c -- why the log and data.mdb together are always a whole store.
 *
 * LMDB commits without waiting for the disk, so after the machine stopped each page of data.mdb, the two meta pages too, may be
 * old or new. What is relied on is the log: its head, which names a checkpoint C, and the records behind it.
 *
 *   1. Every page that state C uses is on disk when the head is: it is written behind an fdatasync of data.mdb, under the write
 *      lock.
 *   2. When LMDB writes to one of them again, the page as it was is in the log, and on disk there. LMDB never changes a page that is
 *      in use; a page of C is given up by a transaction F > C and written to by F + 2 or later. When F + 1 begins to write, the
 *      pages that F gave up go into the log (kv_keep.c); then comes the record of F + 1; and F + 2 does not begin to
 *      write before that is on disk: kv__checkpoint_adopt waits for it, if nobody has.
 *   3. Which state C is, the meta pages need not tell: the head has a copy.
 *   4. Each later transaction is in the log before LMDB commits it: records are written under the write lock, in the order of
 *      the transactions, each right behind the one before. Acknowledged is what an fdatasync behind its commit has covered:
 *      that sync has covered all records before it.
 *
 * So the kept pages put back, both meta pages made C's, and the records C+1, C+2, … done again up to the first that is not whole,
 * give the store with all that was acknowledged, and perhaps a little more. A kept page that is not on disk yet was not written to.
 *
 * Between processes, all under LMDB's write lock:
 *   - Who dies between the record T and LMDB's commit of T leaves a record behind the end: the next transaction is T again and
 *     its record goes to the same place; the end is known by counting from C, or from this process's last one, up to T - 1. What
 *     is left of a longer one cannot pass for the record behind it: sums are salted.
 *   - Who kept pages and then changes nothing leaves them, and they stay: its own end is behind them.
 *   - Who dies behind the commit of T leaves T's given up pages to the next writer, which is T + 1.
 *   - Who commits T without a record (it was too large) leaves a mark there. Who finds it makes a checkpoint before it writes.
 *   - Who writes with relaxed durability puts the log to rest first: a head that is not active, behind an fdatasync of data.mdb.
 *     Then data.mdb is as it is; who logs again begins with a checkpoint.
 *   - Who dies between a head and its fdatasync leaves one that the others see and the disk may not have. Records of its
 *     generation would go over those of the last, which still counts on disk: so who meets a head that it has not written, writes
 *     it again and waits for the disk before anything else.
 *   - The head that does not count is overwritten, never the one that counts; and that one is on disk by then.
 *
 * A checkpoint may also be made in the middle of a transaction T: C is T - 1, and what T has changed is in memory, or on pages that
 * C does not use.
 *
 * A failed fdatasync of data.mdb cannot be repeated: the system may count the pages as written, and forget them. But state C is on disk,
 * and the log: a head of the same records says that the data was lost. Who finds it writes no more, and once all have closed the
 * store, who opens it plays the log back as if the machine had stopped.
 *
 * Thread: whoever has the write lock. */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "corm/types.h"
#include "engine/kv_internal.h"

enum { AT_GENERATION = 24 };

/* ---- what others did ---- */

static int heads_changed(kv_log *log, bool *changed) {
    *changed = false;
    for (int i = 0; i < 2; i++) {
        uint8_t bytes[8] = { 0 };
        if (pread(log->file, bytes, sizeof bytes, (off_t)i * KV_LOG_SLOT + AT_GENERATION) < 0)
            return errno;
        uint64_t generation = base__load_u64(bytes);
        *changed = *changed || generation != log->seen[i];
        log->seen[i] = generation;
    }
    return 0;
}

static corm_status take_head(kv_txn *txn, corm_error *err) {
    kv_log *log = &txn->store->log;
    bool    changed;
    int     number = heads_changed(log, &changed);
    if (number != 0) return kv__fail(err, number, "the log cannot be read");
    if (!changed) return CORM_OK;
    uint64_t before = log->head.generation;
    CORM_TRY(kv__log_load(log->file, &log->head, &log->slot, err));
    if (log->head.generation == before) return CORM_OK;
    if (log->head.lost) {
        atomic_store(&log->failed, true);
        return kv__fail(err, MDB_PANIC, "a write cannot begin");
    }
    log->last = log->head.txn;
    log->end = log->head.start;
    log->is_own = false;
    number = kv__log_put_head(log->file, &log->head, log->slot);
    if (number == 0) number = kv__log_wait(log);
    /* Who wrote the first one may have died before the file's name was on disk. */
    if (number == 0 && log->head.generation == 1) number = kv__sync_folder(txn->store->folder);
    if (number == 0) number = kv__log_measure(log);
    if (number != 0) {
        atomic_store(&log->failed, true);
        return kv__fail(err, number, "the log cannot be written");
    }
    (void)kv__fault_at(txn->store, KV_FAULT_CHECK_DONE);
    number = log->head.active ? kv__keep_begin(txn, &log->head) : 0;
    if (number == 0) return CORM_OK;
    atomic_store(&log->failed, true);
    return kv__fail(err, number, "the log cannot be read");
}

/* The record of kept pages at the end. */
static bool pass_pages(kv_log *log, const kv_log_record *at) {
    kv_log_record record;
    base__buf_clear(&log->pages);
    uint8_t *room = base__buf_grow(&log->pages, at->size);
    if (!room || pread(log->file, room, at->size, (off_t)log->end) != (ssize_t)at->size ||
        !kv__log_read(base__buf_bytes(&log->pages), log->head.salt, &record))
        return false;
    kv__keep_note(log, record.body);
    log->kept = record.txn;
    log->end += record.size;
    return true;
}

/* Whether the log has all up to a transaction that was committed. */
static bool catch_up(kv_log *log, uint64_t last) {
    for (;;) {
        uint8_t       bytes[KV_LOG_RECORD];
        kv_log_record record;
        ssize_t       got = pread(log->file, bytes, sizeof bytes, (off_t)log->end);
        bool          is_one = got == (ssize_t)sizeof bytes && kv__log_peek(bytes, &record) &&
                      record.generation == log->head.of && record.size <= log->size - log->end;
        if (is_one && record.kind == KV_LOG_PAGES && record.txn == log->last) {
            if (!pass_pages(log, &record)) return false;
            continue;
        }
        if (log->last == last) return true;
        if (!is_one || record.kind != KV_LOG_OPS || record.txn != log->last + 1) return false;
        log->last++;
        log->end += record.size;
    }
}

/* Other processes' records may be behind a longer file. Pages that another one kept, and then changed nothing, stay: it knows no
 * other end than behind them. */
static bool follow(kv_log *log, uint64_t last) {
    if (log->last == last && log->kept >= last) return true;
    if (log->last > last || kv__log_measure(log) != 0) return false;
    return catch_up(log, last);
}

/* What the transaction may write to now was kept with the one before the last: that must be on disk. */
static int wait_for_last(kv_txn *txn, uint64_t last) {
    kv_log *log = &txn->store->log;
    if (log->head.txn >= last || atomic_load(&log->synced) >= last) return 0;
    int number = kv__log_flush(txn->store, last);
    return number == 0 ? 0 : kv__checkpoint_write(txn, true);
}

static int prepare(kv_txn *txn) {
    kv_log  *log = &txn->store->log;
    uint64_t last = mdb_txn_id(txn->mdb) - 1;
    bool     too_many = false;
    if (!log->head.active || log->end > log->limit || !follow(log, last))
        return kv__checkpoint_write(txn, true);
    if (log->end > log->limit / 2) kv__keeper_want(txn->store);
    int number = wait_for_last(txn, last);
    if (number == 0) number = kv__keep_pages(txn, &too_many);
    /* A checkpoint needs no room. */
    if (number != 0 || too_many) number = kv__checkpoint_write(txn, true);
    return number;
}

corm_status kv__checkpoint_adopt(kv_txn *txn, corm_error *err) {
    int number = 0;
    CORM_TRY(take_head(txn, err));
    if (!txn->store->relaxed) {
        number = prepare(txn);
    } else if (txn->store->log.head.active) {
        number = kv__checkpoint_write(txn, false);
    }
    return number == 0 ? CORM_OK : kv__fail(err, number, "a write cannot begin");
}

/* ---- writing one ---- */

/* A log that this process put to rest says that data.mdb was on disk then. What others say may be of a folder that was copied since,
 * and the copy need not be on disk. */
static bool is_synced(const kv_log *log, uint64_t txn) {
    return log->is_own && !log->head.active && log->head.txn == txn;
}

int kv__checkpoint_describe(MDB_env *env, int log, uint64_t txn, kv_log_head *head) {
    struct stat about;
    MDB_stat    stat;
    int         file;
    bool        found = false;
    int         number = fstat(log, &about) == 0 ? 0 : errno;
    if (number == 0) number = mdb_env_stat(env, &stat);
    if (number == 0) number = mdb_env_get_fd(env, &file);
    if (number != 0) return number;
    corm_uuid random = corm_uuid_random();
    memcpy(&head->salt, random.bytes + 8, sizeof head->salt);
    head->txn = txn;
    head->device = (uint64_t)about.st_dev;
    head->inode = (uint64_t)about.st_ino;
    head->page_size = stat.ms_psize;
    kv__boot(head->boot);
    number = kv__meta_read(file, head->page_size, txn, head->meta, &found);
    if (number == 0 && !found) number = MDB_CORRUPTED;
    if (number == 0) number = kv__meta_roots(file, head->page_size, head->meta, &head->roots);
    return number;
}

/* The system tells a failure to one caller only: nobody else may sync before this one has said so. */
static int sync_file(kv_store *store, int fault) {
    kv_log *log = &store->log;
    pthread_mutex_lock(&log->data_lock);
    int number = atomic_load(&log->failed) ? EIO : fault;
    if (number == 0) number = mdb_env_sync(store->env, 1);
    if (number != 0) atomic_store(&log->failed, true);
    pthread_mutex_unlock(&log->data_lock);
    return number;
}

/* The head is written as well as can be: the disk has failed already. */
static void give_up_data(kv_log *log) {
    kv_log_head head = log->head;
    if (!head.active) return;
    head.generation++;
    head.lost = true;
    memset(head.boot, 0, sizeof head.boot); /* of no boot */
    (void)!kv__log_write_head(log->file, &head, 1 - log->slot);
}

static int sync_data(kv_store *store, uint64_t txn) {
    if (is_synced(&store->log, txn)) return 0;
    int number = kv__fault_at(store, KV_FAULT_CHECK_SYNC);
    if (number != 0) return number;
    number = sync_file(store, kv__fault_at(store, KV_FAULT_DATA_SYNC));
    if (number != 0) give_up_data(&store->log);
    return number;
}

/* From the first byte that is written on, a failure leaves it open which head is on disk. */
static int write_head(kv_store *store, const kv_log_head *head) {
    kv_log *log = &store->log;
    int     slot = 1 - log->slot;
    int     number = kv__log_put_head(log->file, head, slot);
    if (number == 0) number = kv__fault_at(store, KV_FAULT_CHECK_WROTE);
    if (number == 0) number = kv__log_wait(log);
    if (number == 0 && head->generation == 1) number = kv__sync_folder(store->folder);
    if (number != 0) {
        atomic_store(&log->failed, true);
        return number;
    }
    log->head = *head;
    log->is_own = true;
    log->slot = slot;
    log->seen[slot] = head->generation;
    log->last = head->txn;
    log->end = log->head.start;
    return 0;
}

int kv__checkpoint_write(kv_txn *txn, bool active) {
    kv_store   *store = txn->store;
    kv_log     *log = &store->log;
    uint64_t    last = mdb_txn_id(txn->mdb) - 1;
    kv_log_head head = { .generation = log->head.generation + 1, .active = active };
    head.of = head.generation;
    head.start = KV_LOG_BEGIN;
    int number = sync_data(store, last);
    if (number == 0) number = kv__checkpoint_describe(store->env, log->file, last, &head);
    if (number == 0) number = kv__fault_at(store, KV_FAULT_CHECK_HEAD);
    if (number == 0 && active) number = kv__keep_begin(txn, &head);
    if (number == 0) number = write_head(store, &head); /* nothing but this may fail from here on */
    if (number != 0) return number;
    if (active) kv__keeper_start(store);
    (void)kv__fault_at(store, KV_FAULT_CHECK_DONE);
    return 0;
}

/* Puts the log to rest, or what was never in it on disk. */
static int rest(kv_txn *txn) {
    kv_log *log = &txn->store->log;
    if (log->head.active) return kv__checkpoint_write(txn, false);
    return mdb_env_sync(txn->store->env, 1);
}

corm_status kv__checkpoint(kv_store *store, bool active, corm_error *err) {
    kv_txn *txn;
    CORM_TRY(kv__write_begin(store, &txn, err));
    corm_status status = atomic_load(&store->log.failed)
                             ? kv__fail(err, MDB_PANIC, "the store cannot be synced")
                             : take_head(txn, err);
    if (status == CORM_OK) {
        int number = active ? kv__checkpoint_write(txn, true) : rest(txn);
        if (number != 0) status = kv__fail(err, number, "the store cannot be synced");
    }
    kv__abort(txn);
    return status;
}

corm_status kv__checkpoint_slowly(kv_store *store, corm_error *err) {
    kv_txn *txn;
    int     number = sync_file(store, 0);
    if (number == 0) return kv__checkpoint(store, true, err);
    CORM_TRY(kv__write_begin(store, &txn, err));
    if (take_head(txn, err) == CORM_OK) give_up_data(&store->log);
    kv__abort(txn);
    return kv__fail(err, number, "the store cannot be synced");
}
