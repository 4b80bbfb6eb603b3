// SPDX-License-Identifier: MIT
/* kv_keep.c -- the checkpoint's pages that transactions give up go into the log, before LMDB uses them again.
 *
 * LMDB lists the pages that transaction F gave up under its number, and lets F + 2 be the first to write to them. Here they are read
 * from that list when F + 1 makes its first change, and the record of F + 1, behind them in the log, is on disk before F + 2
 * begins. Each page is kept once a generation, as the checkpoint has it: `spared` has a bit for those that are in the log, and for
 * those that the checkpoint does not use.
 *
 * Thread: whoever has the write lock. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/kv_internal.h"

enum { MOST_PAGES = 2048, FREE_TREE = 0 };

static bool is_spared(const kv_log *log, uint64_t page) {
    return page >= log->page_count || (log->spared[page / 8] >> page % 8 & 1);
}

static void set_bit(uint8_t *bits, uint64_t pages, uint64_t page) {
    if (page < pages) bits[page / 8] |= (uint8_t)(1u << page % 8);
}

/* ---- LMDB's lists ---- */

/* A view of the last committed state. */
static int begin_view(kv_txn *txn) {
    kv_log *log = &txn->store->log;
    int     dead = 0, number;
    if (log->view) {
        number = mdb_txn_renew(log->view);
    } else {
        number = mdb_txn_begin(txn->store->env, NULL, MDB_RDONLY, &log->view);
        if (number == MDB_READERS_FULL && mdb_reader_check(txn->store->env, &dead) == 0)
            number = mdb_txn_begin(txn->store->env, NULL, MDB_RDONLY, &log->view);
        if (number != 0) log->view = NULL;
    }
    if (number != 0 || mdb_txn_id(log->view) == mdb_txn_id(txn->mdb) - 1) return number;
    mdb_txn_reset(log->view);
    return MDB_CORRUPTED;
}

/* A list is its count and the numbers; it may lie anywhere. */
static uint64_t list_at(MDB_val list, uint64_t index) {
    uint64_t number;
    memcpy(&number, (const uint8_t *)list.mv_data + 8 * index, sizeof number);
    return number;
}

static int list_count(MDB_val list, uint64_t *count) {
    *count = list.mv_size < 8 ? 0 : list_at(list, 0);
    return list.mv_size >= 8 && *count <= list.mv_size / 8 - 1 ? 0 : MDB_CORRUPTED;
}

static int spare_lists(MDB_txn *view, uint8_t *bits, uint64_t pages) {
    MDB_cursor *cursor;
    MDB_val     key, list;
    uint64_t    count;
    int         number = mdb_cursor_open(view, FREE_TREE, &cursor);
    if (number != 0) return number;
    while ((number = mdb_cursor_get(cursor, &key, &list, MDB_NEXT)) == 0) {
        number = list_count(list, &count);
        if (number != 0) break;
        for (uint64_t i = 1; i <= count; i++) set_bit(bits, pages, list_at(list, i));
    }
    mdb_cursor_close(cursor);
    return number == MDB_NOTFOUND ? 0 : number;
}

/* Free pages that are used and given up again need not be kept: without that, they would be once. */
static int find_free(kv_txn *txn, uint8_t *bits, uint64_t pages) {
    int number = begin_view(txn);
    if (number != 0) return number;
    number = spare_lists(txn->store->log.view, bits, pages);
    mdb_txn_reset(txn->store->log.view);
    return number;
}

int kv__keep_begin(kv_txn *txn, const kv_log_head *head) {
    kv_log  *log = &txn->store->log;
    uint64_t pages = kv__meta_page_count(head->meta);
    uint8_t *bits = calloc((size_t)(pages / 8 + 1), 1);
    if (!bits) return ENOMEM;
    int number = mdb_txn_id(txn->mdb) - 1 == head->txn ? find_free(txn, bits, pages) : 0;
    if (number != 0) {
        free(bits);
        return number;
    }
    free(log->spared);
    log->spared = bits;
    log->page_count = pages;
    log->kept = head->txn;
    return 0;
}

void kv__keep_free(kv_log *log) {
    free(log->spared);
    log->spared = NULL;
    log->page_count = 0;
}

void kv__keep_note(kv_log *log, corm_bytes pages) {
    uint64_t   number;
    corm_bytes page;
    while (kv__log_next_page(&pages, log->head.page_size, &number, &page))
        set_bit(log->spared, log->page_count, number);
}

/* ---- keeping ---- */

static int add_page(kv_log *log, int file, uint64_t page) {
    uint8_t *at = base__buf_grow(&log->pages, 8 + log->head.page_size);
    if (!at) return ENOMEM;
    base__store_u64(at, page);
    ssize_t got = pread(file, at + 8, log->head.page_size, (off_t)(page * log->head.page_size));
    if (got < 0) return errno;
    /* The last pages of a file may never have been written. */
    memset(at + 8 + got, 0, log->head.page_size - (size_t)got);
    return 0;
}

static int add_list(kv_log *log, int file, MDB_val list, bool *too_many) {
    uint64_t count, added = 0;
    int      number = list_count(list, &count);
    for (uint64_t i = 1; number == 0 && i <= count; i++) {
        if (is_spared(log, list_at(list, i))) continue;
        *too_many = ++added > MOST_PAGES;
        if (*too_many) return 0;
        number = add_page(log, file, list_at(list, i));
    }
    return number;
}

static int collect(kv_txn *txn, uint64_t id, bool *too_many) {
    kv_log     *log = &txn->store->log;
    MDB_cursor *cursor;
    MDB_val     key = { sizeof(size_t), NULL }, list;
    size_t      name = (size_t)id;
    int         file, number = mdb_env_get_fd(txn->store->env, &file);
    key.mv_data = &name;
    kv__log_begin(&log->pages);
    if (number == 0) number = begin_view(txn);
    if (number != 0) return number;
    number = mdb_cursor_open(log->view, FREE_TREE, &cursor);
    if (number == 0) {
        number = mdb_cursor_get(cursor, &key, &list, MDB_SET);
        if (number == 0) number = add_list(log, file, list, too_many);
        mdb_cursor_close(cursor);
    }
    mdb_txn_reset(log->view);
    return number == MDB_NOTFOUND ? 0 : number;
}

static int write_pages(kv_log *log, uint64_t id) {
    corm_bytes pages = { log->pages.data + KV_LOG_RECORD, log->pages.len - KV_LOG_RECORD };
    if (pages.len == 0) return 0;
    kv__log_seal(&log->pages, KV_LOG_PAGES, &log->head, id);
    int number = kv__log_write(log, &log->pages);
    if (number != 0) return number;
    pages.data = log->pages.data + KV_LOG_RECORD;
    kv__keep_note(log, pages);
    log->end += log->pages.len;
    return 0;
}

int kv__keep_pages(kv_txn *txn, bool *too_many) {
    kv_log  *log = &txn->store->log;
    uint64_t id = mdb_txn_id(txn->mdb) - 1;
    *too_many = false;
    if (log->kept >= id) return 0;
    int number = collect(txn, id, too_many);
    if (number == 0 && !*too_many) number = write_pages(log, id);
    if (number == 0 && !*too_many) log->kept = id;
    return number;
}
