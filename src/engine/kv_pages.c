// SPDX-License-Identifier: MIT
/* kv_pages.c -- looks at the pages of a data file as they lie on disk, without LMDB, which would trust them.
 *
 * LMDB's file (format 1, 64 bits, this machine's byte order) is a row of pages of one size. Pages 0 and 1 are two states of the
 * store; the one with the higher transaction number counts. From it hang two trees: free pages, and data.
 *
 *   every page  page number (8) | pad (2) | flags (2) | lower (2) upper (2), or of an overflow page the count of pages (4)
 *   meta        at 16: magic (4) version (4) address (8) map size (8) free tree (48) data tree (48) last page (8) txn (8)
 *   tree        page size (4, free tree only) flags (2) depth (2) branch, leaf, overflow pages, entries (8 each) root (8)
 *   branch, leaf  offsets of nodes (2 each) from 16 to lower; nodes from upper to the end
 *   node        low, high half of the data's size (2 each) | flags (2) | key size (2) | key | data, or the number of the first
 *               overflow page (8); in a branch the first three make the child's page number
 *
 * What is looked at must not change meanwhile: a read transaction of that number keeps its pages. */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/kv_internal.h"

enum {
    HEADER = 16,
    META_SIZE = 136, /* from HEADER on */
    META_MAGIC = 0,
    META_VERSION = 4,
    META_FREE = 24,
    META_DATA = 72,
    META_LAST_PAGE = 120,
    META_TXN = 128,
    TREE_DEPTH = 6,
    TREE_ROOT = 40,
    NODE_HEAD = 8,
    FLAG_BRANCH = 0x01,
    FLAG_LEAF = 0x02,
    FLAG_OVERFLOW = 0x04,
    NODE_BIG = 0x01,
    DEPTH_MAX = 32,
    SMALLEST_PAGE = 512,
    LARGEST_PAGE = 65536
};
static const uint32_t magic = 0xBEEFC0DE;
static const uint64_t tail_slack =
    (uint64_t)1 << 30; /* a transaction cannot leave more behind the file's end */

typedef struct pages {
    int         file;
    uint64_t    size; /* of the file, in pages */
    uint32_t    page_size;
    uint64_t    last_page, txn;
    uint64_t    free_root, data_root;
    uint32_t    free_depth, data_depth;
    uint8_t    *seen;    /* a bit for each page */
    uint8_t    *buffers; /* a page for each level, and one more */
    bool        is_free_tree;
    corm_error *err;
} pages;

static uint16_t load16(const uint8_t *p) {
    uint16_t v;
    memcpy(&v, p, sizeof v);
    return v;
}
static uint32_t load32(const uint8_t *p) {
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}
static uint64_t load64(const uint8_t *p) {
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static corm_status damaged(const pages *p, const char *what, uint64_t page) {
    return base__fail(p->err, CORM_CORRUPT, "the data file is damaged: page %llu %s",
                      (unsigned long long)page, what);
}

/* ---- the two states ---- */

typedef struct meta_page {
    uint8_t bytes[HEADER + META_SIZE];
    bool    present;
} meta_page;

static void read_meta(int file, off_t at, meta_page *out) {
    out->present = pread(file, out->bytes, sizeof out->bytes, at) == (ssize_t)sizeof out->bytes;
}

static uint64_t meta_txn(const meta_page *meta) {
    return load64(meta->bytes + HEADER + META_TXN);
}

static corm_status take_meta(pages *p, const meta_page *meta) {
    const uint8_t *at = meta->bytes + HEADER;
    p->txn = meta_txn(meta);
    p->last_page = load64(at + META_LAST_PAGE);
    p->free_root = load64(at + META_FREE + TREE_ROOT);
    p->free_depth = load16(at + META_FREE + TREE_DEPTH);
    p->data_root = load64(at + META_DATA + TREE_ROOT);
    p->data_depth = load16(at + META_DATA + TREE_DEPTH);
    if (p->free_depth > DEPTH_MAX || p->data_depth > DEPTH_MAX)
        return damaged(p, "has no sane root", 0);
    return CORM_OK;
}

/* txn 0: the state that counts; else the one with that number. *found is false when the file has moved on. */
static corm_status read_state(pages *p, uint64_t txn, bool *found) {
    meta_page metas[2];
    read_meta(p->file, 0, &metas[0]);
    if (!metas[0].present) return damaged(p, "is missing", 0);
    const uint8_t *at = metas[0].bytes + HEADER;
    if (load32(at + META_MAGIC) != magic) {
        return base__fail(p->err, CORM_CORRUPT,
                          "the data file is not a store, or its first page is damaged");
    }
    if (load32(at + META_VERSION) != 1) {
        return base__fail(p->err, CORM_VERSION,
                          "the data file was written by another version of LMDB");
    }
    p->page_size = load32(at + META_FREE);
    if (p->page_size < SMALLEST_PAGE || p->page_size > LARGEST_PAGE ||
        (p->page_size & (p->page_size - 1)) != 0) {
        return damaged(p, "names an impossible page size", 0);
    }
    read_meta(p->file, (off_t)p->page_size, &metas[1]);
    if (!metas[1].present || load32(metas[1].bytes + HEADER + META_MAGIC) != magic) {
        return damaged(p, "is missing or damaged", 1);
    }
    const meta_page *newest = meta_txn(&metas[1]) > meta_txn(&metas[0]) ? &metas[1] : &metas[0];
    if (txn != 0 && meta_txn(newest) != txn) newest = newest == metas ? &metas[1] : &metas[0];
    *found = txn == 0 || meta_txn(newest) == txn;
    return *found ? take_meta(p, newest) : CORM_OK;
}

static corm_status measure(pages *p) {
    struct stat about;
    if (fstat(p->file, &about) != 0) return kv__fail(p->err, errno, "the data file cannot be read");
    p->size = (uint64_t)about.st_size / p->page_size;
    return CORM_OK;
}

corm_status kv__pages_look(int file, corm_error *err) {
    pages p = { .file = file, .page_size = SMALLEST_PAGE, .err = err };
    bool  found = false;
    CORM_TRY(read_state(&p, 0, &found));
    CORM_TRY(measure(&p));
    uint64_t slack = tail_slack / p.page_size;
    if (p.last_page < p.size || p.last_page - p.size < slack) return CORM_OK;
    return base__fail(err, CORM_CORRUPT,
                      "the data file is damaged: it has %llu pages where %llu are in use",
                      (unsigned long long)p.size, (unsigned long long)p.last_page + 1);
}

/* ---- pages ---- */

static corm_status see(pages *p, uint64_t page, const char *again) {
    if (page > p->last_page) return damaged(p, "is used but was never made", page);
    uint8_t bit = (uint8_t)(1u << (page % 8));
    if (p->seen[page / 8] & bit) return damaged(p, again, page);
    p->seen[page / 8] |= bit;
    return CORM_OK;
}

static corm_status load_page(pages *p, uint64_t page, size_t bytes, uint16_t flags, uint8_t *out) {
    if (page >= p->size) return damaged(p, "is missing", page);
    ssize_t got = pread(p->file, out, bytes, (off_t)(page * p->page_size));
    if (got < 0) return kv__fail(p->err, errno, "the data file cannot be read");
    if ((size_t)got != bytes) return damaged(p, "is missing", page);
    if (load64(out) != page) return damaged(p, "is another page", page);
    if ((load16(out + 10) & 0x7f) != flags) return damaged(p, "is of the wrong kind", page);
    return CORM_OK;
}

static corm_status check_overflow(pages *p, uint64_t first, uint64_t bytes) {
    uint8_t  head[HEADER];
    uint64_t needed = (HEADER - 1 + bytes) / p->page_size + 1;
    CORM_TRY(load_page(p, first, sizeof head, FLAG_OVERFLOW, head));
    uint64_t count = load32(head + 12);
    if (count < needed) return damaged(p, "begins a value that is too short", first);
    if (first + needed > p->size) return damaged(p, "begins a value that is cut", first);
    for (uint64_t i = 0; i < count; i++) CORM_TRY(see(p, first + i, "is used twice"));
    return CORM_OK;
}

/* ---- nodes ---- */

typedef struct node {
    const uint8_t *key;
    uint16_t       key_size, flags;
    uint64_t       data_size, child;
    const uint8_t *data;
} node;

static uint32_t node_count(const uint8_t *page) {
    return (uint32_t)(load16(page + 12) - HEADER) / 2;
}

static corm_status get_node(const pages *p, const uint8_t *page, uint32_t index, bool is_leaf,
                            node *out) {
    uint16_t at = load16(page + HEADER + 2 * index);
    uint64_t number = load64(page);
    if (at < load16(page + 14) || (uint32_t)at + NODE_HEAD > p->page_size)
        return damaged(p, "has a node outside itself", number);
    const uint8_t *bytes = page + at;
    out->flags = load16(bytes + 4);
    out->key_size = load16(bytes + 6);
    out->key = bytes + NODE_HEAD;
    out->data = out->key + out->key_size;
    out->data_size = (uint64_t)load16(bytes) | (uint64_t)load16(bytes + 2) << 16;
    out->child = out->data_size | (uint64_t)out->flags << 32;
    uint64_t inside = !is_leaf ? 0 : out->flags & NODE_BIG ? 8 : out->data_size;
    if ((uint64_t)at + NODE_HEAD + out->key_size + inside > p->page_size) {
        return damaged(p, "has a node that is cut", number);
    }
    return CORM_OK;
}

static bool in_order(const node *a, const node *b) {
    size_t shorter = a->key_size < b->key_size ? a->key_size : b->key_size;
    int    order = shorter > 0 ? memcmp(a->key, b->key, shorter) : 0;
    return order < 0 || (order == 0 && a->key_size < b->key_size);
}

/* A list of free pages: their count, then their numbers. */
static corm_status check_free_list(pages *p, const node *entry, uint64_t page) {
    uint8_t       *copy = NULL;
    const uint8_t *list = entry->data;
    corm_status    status = CORM_OK;
    if (entry->flags & NODE_BIG) {
        copy = malloc(entry->data_size + 1);
        if (!copy) return base__fail_memory(p->err);
        off_t at = (off_t)(load64(entry->data) * p->page_size + HEADER);
        if (pread(p->file, copy, entry->data_size, at) != (ssize_t)entry->data_size) {
            status = damaged(p, "has a free list that is cut", page);
        }
        list = copy;
    }
    uint64_t room = entry->data_size / 8;
    if (status == CORM_OK && (room == 0 || load64(list) > room - 1)) {
        status = damaged(p, "has a free list that is cut", page);
    }
    for (uint64_t i = 1; status == CORM_OK && i <= load64(list); i++) {
        status = see(p, load64(list + 8 * i), "is free and in use");
    }
    free(copy);
    return status;
}

static corm_status check_leaf_node(pages *p, const node *entry, uint64_t page) {
    if (entry->flags & ~NODE_BIG) return damaged(p, "has an entry of an unknown kind", page);
    if (entry->flags & NODE_BIG) CORM_TRY(check_overflow(p, load64(entry->data), entry->data_size));
    return p->is_free_tree ? check_free_list(p, entry, page) : CORM_OK;
}

/* ---- trees ---- */

static corm_status check_page(pages *p, uint64_t number, uint32_t level);

static corm_status check_nodes(pages *p, const uint8_t *page, uint32_t level) {
    uint64_t number = load64(page);
    bool     is_leaf = level == 1;
    node     last = { 0 };
    for (uint32_t i = 0; i < node_count(page); i++) {
        node entry = { 0 };
        CORM_TRY(get_node(p, page, i, is_leaf, &entry));
        /* The first key of a branch stands for everything before the second. */
        if (i > (is_leaf ? 0u : 1u) && !p->is_free_tree && !in_order(&last, &entry)) {
            return damaged(p, "is out of order", number);
        }
        last = entry;
        if (is_leaf) {
            CORM_TRY(check_leaf_node(p, &entry, number));
        } else {
            CORM_TRY(check_page(p, entry.child, level - 1));
        }
    }
    return CORM_OK;
}

/* Recurses as deep as the tree, which is at most DEPTH_MAX. */
static corm_status check_page(pages *p, uint64_t number, uint32_t level) {
    uint8_t *page = p->buffers + (size_t)level * p->page_size;
    CORM_TRY(see(p, number, "is used twice"));
    CORM_TRY(load_page(p, number, p->page_size, level == 1 ? FLAG_LEAF : FLAG_BRANCH, page));
    uint32_t lower = load16(page + 12), upper = load16(page + 14);
    if (lower < HEADER || lower > upper || upper > p->page_size || lower % 2 != 0) {
        return damaged(p, "has impossible bounds", number);
    }
    return check_nodes(p, page, level);
}

static corm_status check_tree(pages *p, uint64_t root, uint32_t depth, bool is_free_tree) {
    p->is_free_tree = is_free_tree;
    if (root == UINT64_MAX || depth == 0) return CORM_OK;
    return check_page(p, root, depth);
}

static corm_status check_trees(pages *p) {
    p->seen = calloc((size_t)(p->last_page / 8 + 1), 1);
    p->buffers = malloc((size_t)(DEPTH_MAX + 1) * p->page_size);
    if (!p->seen || !p->buffers) return base__fail_memory(p->err);
    CORM_TRY(see(p, 0, ""));
    CORM_TRY(see(p, 1, ""));
    CORM_TRY(check_tree(p, p->data_root, p->data_depth, false));
    return check_tree(p, p->free_root, p->free_depth, true);
}

corm_status kv__pages_check(int file, uint64_t txn, bool *found, corm_error *err) {
    pages p = { .file = file, .page_size = SMALLEST_PAGE, .err = err };
    *found = false;
    CORM_TRY(read_state(&p, txn, found));
    if (!*found) return CORM_OK;
    CORM_TRY(measure(&p));
    corm_status status = check_trees(&p);
    free(p.seen);
    free(p.buffers);
    return status;
}

/* ---- a store that is open ---- */

static corm_status check_snapshot(kv_store *store, kv_txn *reader, bool *found, corm_error *err) {
    int file;
    int number = mdb_env_get_fd(store->env, &file);
    if (number != 0) return kv__fail(err, number, "the data file cannot be checked");
    return kv__pages_check(file, kv__txn_id(reader), found, err);
}

corm_status kv__check(kv_store *store, corm_error *err) {
    for (;;) {
        kv_txn *reader;
        bool    found = false;
        CORM_TRY(kv__read_begin(store, &reader, err));
        corm_status status = check_snapshot(store, reader, &found, err);
        kv__read_end(reader);
        /* Writers were faster: two commits since the snapshot began. */
        if (status != CORM_OK || found) return status;
    }
}
