// SPDX-License-Identifier: MIT
/* kv_meta.c -- LMDB's meta pages as bytes: read, put back, and the root pages that they name. kv_pages.c has the layout. Pure but
 * for the file. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/kv_internal.h"

enum {
    AT_MAGIC = 16,
    AT_FREE_ROOT = 16 + 24 + 40,
    AT_DATA_ROOT = 16 + 72 + 40,
    AT_LAST_PAGE = 16 + 120,
    AT_TXN = 16 + 128
};

static const uint32_t META_MAGIC = 0xBEEFC0DE;

static uint64_t load(const uint8_t *at) {
    uint64_t number;
    memcpy(&number, at, sizeof number);
    return number;
}

uint64_t kv__meta_txn(const uint8_t meta[KV_META_BYTES]) {
    return load(meta + AT_TXN);
}

uint64_t kv__meta_page_count(const uint8_t meta[KV_META_BYTES]) {
    return load(meta + AT_LAST_PAGE) + 1;
}

int kv__meta_read(int file, uint32_t page_size, uint64_t txn, uint8_t out[KV_META_BYTES],
                  bool *found) {
    *found = false;
    for (int i = 0; i < 2 && !*found; i++) {
        ssize_t got = pread(file, out, KV_META_BYTES, (off_t)i * (off_t)page_size);
        if (got < 0) return errno;
        *found = got == KV_META_BYTES && kv__meta_txn(out) == txn;
    }
    return 0;
}

int kv__meta_restore(int file, uint32_t page_size, const uint8_t meta[KV_META_BYTES]) {
    uint8_t bytes[KV_META_BYTES];
    memcpy(bytes, meta, sizeof bytes);
    for (uint64_t page = 0; page < 2; page++) {
        memcpy(bytes, &page, sizeof page);
        ssize_t put = pwrite(file, bytes, sizeof bytes, (off_t)(page * page_size));
        if (put != (ssize_t)sizeof bytes) return put < 0 ? errno : ENOSPC;
    }
    return fsync(file) == 0 ? 0 : errno;
}

static int add_page(int file, uint32_t page_size, uint64_t page, uint8_t *room, uint64_t *sum) {
    if (page == UINT64_MAX) return 0; /* an empty tree */
    ssize_t got = pread(file, room, page_size, (off_t)(page * page_size));
    if (got < 0) return errno;
    *sum = kv__log_sum(*sum, room, (size_t)got);
    return 0;
}

bool kv__meta_is_of(int file, uint32_t page_size, uint64_t txn) {
    bool has_one = false;
    for (int i = 0; i < 2; i++) {
        uint8_t  meta[KV_META_BYTES];
        uint32_t magic;
        ssize_t  got = pread(file, meta, sizeof meta, (off_t)i * (off_t)page_size);
        memcpy(&magic, meta + AT_MAGIC, sizeof magic);
        if (got != (ssize_t)sizeof meta || magic != META_MAGIC) continue;
        if (kv__meta_txn(meta) >= txn) return true;
        has_one = true;
    }
    return !has_one;
}

void kv__meta_root_pages(const uint8_t meta[KV_META_BYTES], uint64_t roots[2]) {
    roots[0] = load(meta + AT_FREE_ROOT);
    roots[1] = load(meta + AT_DATA_ROOT);
}

int kv__meta_roots(int file, uint32_t page_size, const uint8_t meta[KV_META_BYTES], uint64_t *sum) {
    uint8_t *room = malloc(page_size);
    *sum = 0;
    if (!room) return ENOMEM;
    uint64_t roots[2];
    kv__meta_root_pages(meta, roots);
    int number = add_page(file, page_size, roots[0], room, sum);
    if (number == 0) number = add_page(file, page_size, roots[1], room, sum);
    free(room);
    return number;
}
