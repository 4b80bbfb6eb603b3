// SPDX-License-Identifier: MIT
/* kv_recover.c -- the log is looked at before LMDB opens the folder, and put to use when the machine stopped while it was active.
 *
 *   kept pages go back to their places │ the checkpoint's meta page goes to both meta pages │ fsync │ LMDB opens; each record is
 *   one transaction, of the same number as it was │ sync │ a head: the log rests
 *
 * LMDB must not write to a page of the checkpoint meanwhile, so a snapshot of it is held; and so that the file does not grow by all
 * that the log has, there is a checkpoint every so many pages: a head that says where in the log to go on.
 *
 * Nothing that the head relies on is written to before the next head is on disk: so a recovery that is cut short is done again.
 *
 * Who opens the folder holds a shared lock on the log for as long. Recovery needs it for itself alone: behind a boot nobody has it
 * yet but others that are opening. Within one boot the system still has all that was written, whoever was killed; but
 * a log that is another file than its head says was copied from somewhere, and its data with it, in whatever state: that is
 * treated as a stop, too. So is a sync of data.mdb that failed. Thread: whoever opens, under the registry's lock. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "engine/kv_internal.h"

enum { READERS = 126, PATIENCE = 20, SMALLEST_PAGE = 512, LARGEST_PAGE = 65536 };
static const uint64_t usual_map = (uint64_t)64 << 30;

static uint64_t pages_a_step = 16384;
static kv_fault fault_of_tests;
static void    *fault_context;

void kv__set_recovery_fault(kv_fault fault, void *context, uint64_t pages) {
    fault_of_tests = fault;
    fault_context = context;
    pages_a_step = pages;
}

static int fault_at(kv_fault_point point) {
    return fault_of_tests ? fault_of_tests(fault_context, point) : 0;
}

typedef struct replay {
    const kv_log_head *head;       /* that was found */
    uint64_t           generation; /* of the newest one */
    int                slot, log, data;
    MDB_env           *env;
    MDB_txn           *pin;       /* a snapshot of the newest head's state */
    uint64_t           last_page; /* of the file then */
    MDB_dbi            dbi;
    uint64_t           last; /* the last transaction that is done */
    uint64_t           at, size;
    uint64_t           page_count;
    uint8_t           *is_back; /* a bit for each page that was put back */
    base_buf           bytes;
    corm_error        *err;
} replay;

/* ---- records ---- */

static void rewind_log(replay *r) {
    r->at = r->head->start;
    r->last = r->head->txn;
}

static bool is_next(const replay *r, const kv_log_record *record) {
    return record->generation == r->head->of && record->size <= r->size - r->at &&
           ((record->kind == KV_LOG_OPS && record->txn == r->last + 1) ||
            (record->kind == KV_LOG_PAGES && record->txn == r->last));
}

/* The next record, in r->bytes; *found is false at the end. */
static corm_status read_record(replay *r, kv_log_record *out, bool *found) {
    uint8_t head[KV_LOG_RECORD];
    *found = false;
    if (r->size - r->at < sizeof head) return CORM_OK;
    ssize_t got = pread(r->log, head, sizeof head, (off_t)r->at);
    if (got < 0) return kv__fail(r->err, errno, "the log cannot be read");
    if (got != (ssize_t)sizeof head || !kv__log_peek(head, out) || !is_next(r, out)) return CORM_OK;
    base__buf_clear(&r->bytes);
    uint8_t *room = base__buf_grow(&r->bytes, out->size);
    if (!room) return base__fail_memory(r->err);
    got = pread(r->log, room, out->size, (off_t)r->at);
    if (got < 0) return kv__fail(r->err, errno, "the log cannot be read");
    *found =
        (size_t)got == out->size && kv__log_read(base__buf_bytes(&r->bytes), r->head->salt, out);
    return CORM_OK;
}

static void pass(replay *r, const kv_log_record *record) {
    if (record->kind == KV_LOG_OPS) r->last++;
    r->at += record->size;
}

/* ---- the data file, before LMDB ---- */

static bool set_back(replay *r, uint64_t page) {
    uint8_t bit = (uint8_t)(1u << page % 8);
    if (page < 2 || page >= r->page_count || (r->is_back[page / 8] & bit)) return false;
    r->is_back[page / 8] |= bit;
    return true;
}

/* A page that was kept twice was the checkpoint's the first time. */
static int put_pages_back(replay *r, corm_bytes pages, bool only_look) {
    uint32_t   size = r->head->page_size;
    uint64_t   number;
    corm_bytes page;
    while (kv__log_next_page(&pages, size, &number, &page)) {
        if (!set_back(r, number) || only_look) continue;
        if (pwrite(r->data, page.data, size, (off_t)(number * size)) != (ssize_t)size)
            return errno ? errno : ENOSPC;
    }
    return 0;
}

static corm_status each_kept(replay *r, bool only_look) {
    memset(r->is_back, 0, (size_t)(r->page_count / 8 + 1));
    rewind_log(r);
    for (;;) {
        kv_log_record record;
        bool          found;
        CORM_TRY(read_record(r, &record, &found));
        if (!found) return CORM_OK;
        errno = 0;
        int number = record.kind == KV_LOG_PAGES ? put_pages_back(r, record.body, only_look) : 0;
        if (number != 0) return kv__fail(r->err, number, "data.mdb cannot be written");
        pass(r, &record);
    }
}

static bool will_be_back(const replay *r, uint64_t page) {
    return page < r->page_count && (r->is_back[page / 8] >> page % 8 & 1);
}

/* Another data.mdb than the log's would be made a ruin. */
static corm_status check_data(replay *r) {
    const kv_log_head *head = r->head;
    uint64_t           roots[2], sum = head->roots;
    int                number = 0;
    if (!r->head->replaying) CORM_TRY(each_kept(r, true));
    kv__meta_root_pages(head->meta, roots);
    if (!will_be_back(r, roots[0]) && !will_be_back(r, roots[1]))
        number = kv__meta_roots(r->data, head->page_size, head->meta, &sum);
    if (number != 0) return kv__fail(r->err, number, "data.mdb cannot be read");
    if (sum == head->roots && kv__meta_is_of(r->data, head->page_size, head->txn)) return CORM_OK;
    return base__fail(
        r->err, CORM_CORRUPT,
        "log.corm does not belong to this data.mdb; if data.mdb was put here from elsewhere, "
        "remove log.corm");
}

static corm_status restore_state(replay *r) {
    r->page_count = kv__meta_page_count(r->head->meta);
    r->is_back = calloc((size_t)(r->page_count / 8 + 1), 1);
    if (!r->is_back) return base__fail_memory(r->err);
    CORM_TRY(check_data(r));
    if (!r->head->replaying) CORM_TRY(each_kept(r, false));
    int number = fault_at(KV_FAULT_RECOVER_META);
    if (number == 0) number = kv__meta_restore(r->data, r->head->page_size, r->head->meta);
    return number == 0 ? CORM_OK : kv__fail(r->err, number, "data.mdb cannot be written");
}

/* ---- the records ---- */

static int apply_op(replay *r, MDB_txn *txn, const kv_log_op *op) {
    MDB_val key = { op->key.len, (void *)(uintptr_t)op->key.data };
    MDB_val value = { op->value.len, (void *)(uintptr_t)op->value.data };
    return op->remove ? mdb_del(txn, r->dbi, &key, NULL) : mdb_put(txn, r->dbi, &key, &value, 0);
}

static int apply_ops(replay *r, MDB_txn *txn, corm_bytes ops) {
    kv_log_op op;
    bool      bad = false;
    int       number = mdb_txn_id(txn) == r->last + 1 ? 0 : MDB_CORRUPTED;
    while (number == 0 && kv__log_next(&ops, &op, &bad)) number = apply_op(r, txn, &op);
    if (bad || number == MDB_NOTFOUND) return MDB_CORRUPTED;
    return number;
}

static int apply_record(replay *r, const kv_log_record *record) {
    MDB_txn *txn;
    if (record->kind != KV_LOG_OPS) return 0;
    int number = fault_at(KV_FAULT_RECOVER_RECORD);
    if (number == 0) number = mdb_txn_begin(r->env, NULL, 0, &txn);
    if (number != 0) return number;
    number = apply_ops(r, txn, record->body);
    if (number == 0) return mdb_txn_commit(txn);
    mdb_txn_abort(txn);
    return number;
}

/* A head for the state that is reached: the log rests, or goes on from here at the next attempt. */
static int write_head(replay *r, bool is_done) {
    kv_log_head head = { .generation = r->generation + 1, .active = !is_done };
    int         number = mdb_env_sync(r->env, 1);
    if (number == 0) number = kv__checkpoint_describe(r->env, r->log, r->last, &head);
    if (number == 0) number = fault_at(KV_FAULT_RECOVER_HEAD);
    head.replaying = !is_done;
    head.start = is_done ? KV_LOG_BEGIN : r->at;
    head.of = is_done ? head.generation : r->head->of;
    if (!is_done) {
        head.salt = r->head->salt;
        memset(head.boot, 0, sizeof head.boot); /* of no boot: whoever opens next goes on */
    }
    if (number == 0) number = kv__log_write_head(r->log, &head, 1 - r->slot);
    if (number != 0) return number;
    r->slot = 1 - r->slot;
    r->generation++;
    return 0;
}

static int hold(replay *r) {
    MDB_envinfo info;
    mdb_txn_abort(r->pin);
    r->pin = NULL;
    int number = mdb_txn_begin(r->env, NULL, MDB_RDONLY, &r->pin);
    if (number == 0) number = mdb_env_info(r->env, &info);
    if (number == 0) r->last_page = info.me_last_pgno;
    return number;
}

static int step(replay *r) {
    MDB_envinfo info;
    int         number = mdb_env_info(r->env, &info);
    if (number != 0 || info.me_last_pgno - r->last_page < pages_a_step) return number;
    number = write_head(r, false);
    return number == 0 ? hold(r) : number;
}

/* Nobody reads through the map meanwhile: it may move. */
static int grow(replay *r) {
    MDB_envinfo info;
    int         number = mdb_env_info(r->env, &info);
    return number == 0 ? mdb_env_set_mapsize(r->env, info.me_mapsize * 2) : number;
}

static corm_status replay_all(replay *r) {
    rewind_log(r);
    for (;;) {
        kv_log_record record;
        bool          found;
        CORM_TRY(read_record(r, &record, &found));
        if (!found) return CORM_OK;
        int number = apply_record(r, &record);
        if (number == MDB_MAP_FULL) {
            number = grow(r);
            if (number == 0) continue;
        }
        if (number == MDB_CORRUPTED)
            return base__fail(r->err, CORM_CORRUPT, "the log does not fit the data file");
        if (number != 0) return kv__fail(r->err, number, "the log cannot be played back");
        pass(r, &record);
        number = step(r);
        if (number != 0) return kv__fail(r->err, number, "the log cannot be played back");
    }
}

/* ---- recovery ---- */

static int open_env(replay *r, const char *folder) {
    uint64_t map = usual_map;
    int      number = kv__open_map(&r->env, folder, READERS, MDB_NOTLS | MDB_NOSYNC, true, &map);
    if (number == 0) number = hold(r);
    if (number == 0) number = mdb_dbi_open(r->pin, NULL, 0, &r->dbi);
    if (number == 0 && mdb_txn_id(r->pin) != r->head->txn) number = MDB_CORRUPTED;
    return number;
}

static corm_status replay_log(replay *r, const char *folder) {
    int         number = open_env(r, folder);
    corm_status status =
        number == 0 ? replay_all(r) : kv__fail(r->err, number, "the data file cannot be opened");
    if (status != CORM_OK) return status;
    number = write_head(r, true);
    return number == 0 ? CORM_OK : kv__fail(r->err, number, "the log cannot be put to rest");
}

static int open_data(replay *r, const char *folder) {
    base_buf path = { 0 };
    base__buf_printf(&path, "%s/data.mdb", folder);
    const char *name = base__buf_cstr(&path);
    r->data = name ? open(name, O_RDWR | O_CLOEXEC) : -1;
    int number = r->data >= 0 ? 0 : name ? errno : ENOMEM;
    base__buf_free(&path);
    return number;
}

static corm_status recover(const char *folder, int log, const kv_log_head *head, int slot,
                           corm_error *err) {
    struct stat about;
    replay      r = { .head = head, .slot = slot, .log = log, .data = -1, .err = err };
    r.generation = head->generation;
    uint32_t size = head->page_size;
    if (size < SMALLEST_PAGE || size > LARGEST_PAGE || (size & (size - 1)) != 0)
        return base__fail(err, CORM_CORRUPT, "the log names an impossible page size");
    if (fstat(log, &about) != 0) return kv__fail(err, errno, "the log cannot be read");
    r.size = (uint64_t)about.st_size;
    int         number = open_data(&r, folder);
    corm_status status =
        number == 0 ? restore_state(&r) : kv__fail(err, number, "data.mdb cannot be opened");
    if (r.data >= 0) close(r.data);
    if (status == CORM_OK) status = replay_log(&r, folder);
    mdb_txn_abort(r.pin);
    if (r.env) mdb_env_close(r.env);
    free(r.is_back);
    base__buf_free(&r.bytes);
    return status;
}

/* ---- opening ---- */

typedef enum stop { NONE, PERHAPS, STOPPED, LOST } stop;

/* Without an id of the boot, what nobody has open is taken to have stopped: to play a log back that need not be costs time alone. */
static int whether_stopped(int log, const kv_log_head *head, stop *out) {
    struct stat about;
    uint8_t     boot[KV_BOOT_BYTES];
    bool        is_known = kv__boot(boot);
    *out = NONE;
    if (!head->active) return 0;
    if (fstat(log, &about) != 0) return errno;
    if (head->lost) {
        *out = LOST;
    } else if (memcmp(boot, head->boot, sizeof boot) != 0) {
        *out = STOPPED;
    } else if (!is_known || head->device != (uint64_t)about.st_dev ||
               head->inode != (uint64_t)about.st_ino) {
        *out = PERHAPS;
    }
    return 0;
}

/* *again: others have the folder open, or are opening it just now. Who has it open in use has seen to it, and goes on to hold the lock:
 * in another container the same file may seem to be another. */
static corm_status look_locked(const kv_options *options, const kv_place *place, bool is_alone,
                               int times, bool *again, corm_error *err) {
    kv_log_head head;
    int         slot;
    stop        what;
    CORM_TRY(kv__log_load(place->log, &head, &slot, err));
    int number = whether_stopped(place->log, &head, &what);
    if (number != 0) return kv__fail(err, number, "the log cannot be read");
    if (what == NONE || (what == PERHAPS && !is_alone && times >= PATIENCE)) return CORM_OK;
    *again = !is_alone;
    if (what == PERHAPS && !is_alone) return CORM_OK;
    if (options->read_only)
        return base__fail(err, CORM_INVALID,
                          "it was in use when %s: open it for writing once, so that its log is "
                          "played back",
                          what == LOST ? "a write to the disk failed" : "the machine stopped");
    if (what == LOST && !is_alone && times >= PATIENCE)
        return base__fail(err, CORM_IO,
                          "a write to the disk failed: close it in every process that has it "
                          "open, then open it again");
    return is_alone ? recover(place->folder, place->log, &head, slot, err) : CORM_OK;
}

/* Alone or with others: the lock is held. */
static int lock_log(int log, bool *is_alone) {
    *is_alone = flock(log, LOCK_EX | LOCK_NB) == 0;
    if (*is_alone) return 0;
    if (errno != EWOULDBLOCK && errno != EINTR) return errno;
    while (flock(log, LOCK_SH) != 0)
        if (errno != EINTR) return errno;
    return 0;
}

static corm_status look(const kv_options *options, const kv_place *place, corm_error *err) {
    bool again = true;
    for (int times = 0; again; times++) {
        bool is_alone;
        again = false;
        int number = lock_log(place->log, &is_alone);
        if (number != 0) return kv__fail(err, number, "the log cannot be locked");
        CORM_TRY(look_locked(options, place, is_alone, times, &again, err));
        if (is_alone && flock(place->log, LOCK_SH) != 0)
            return kv__fail(err, errno, "the log cannot be locked");
        if (!again) break;
        /* Two that wait must not keep the lock from each other. */
        (void)flock(place->log, LOCK_UN);
        nanosleep(&(struct timespec){ .tv_nsec = 1000000 + getpid() % 16 * 100000 }, NULL);
    }
    return CORM_OK;
}

corm_status kv__recover(const kv_options *options, kv_place *place, corm_error *err) {
    base_buf path = { 0 };
    int      number = kv__log_path(place->folder, &path);
    if (number == 0) {
        int how = (options->read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC;
        place->log = open((const char *)path.data, how);
        if (place->log < 0) number = errno;
    }
    base__buf_free(&path);
    if (number == ENOENT) return CORM_OK;
    corm_error  inner = { 0 };
    corm_status status = number == 0 ? look(options, place, &inner)
                                     : kv__fail(&inner, number, "log.corm cannot be opened");
    if (status == CORM_OK) return CORM_OK;
    return base__fail(err, status, "the store at %s cannot be opened: %s", place->folder,
                      inner.message);
}
