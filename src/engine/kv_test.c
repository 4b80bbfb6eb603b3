// SPDX-License-Identifier: MIT
/* A sorted array is the model that the trees are held against. */
#include "engine/kv_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "testing/check.h"

#define SMALL_MAP ((uint64_t)4 << 20)

static corm_error err;

static corm_bytes bytes_of(const char *text) {
    return (corm_bytes){ (const uint8_t *)text, strlen(text) };
}

static kv_store *open_memory(uint64_t map) {
    kv_store *store = NULL;
    assert_ok(kv__open(&(kv_options){ .map_bytes = map }, &store, &err), err);
    return store;
}

static kv_store *open_folder(const char *path) {
    kv_store *store = NULL;
    assert_ok(kv__open(&(kv_options){ .path = path, .map_bytes = SMALL_MAP }, &store, &err), err);
    return store;
}

static void put_one(kv_store *store, const char *key, const char *value) {
    kv_txn *txn = NULL;
    assert_ok(kv__write_begin(store, &txn, &err), err);
    assert_ok(kv__put(txn, KV_DATA, bytes_of(key), bytes_of(value), &err), err);
    assert_ok(kv__commit(txn, NULL, &err), err);
}

static void expect_one(kv_store *store, const char *key, const char *expected) {
    kv_txn    *txn = NULL;
    corm_bytes value;
    bool       found;
    assert_ok(kv__read_begin(store, &txn, &err), err);
    assert_ok(kv__get(txn, KV_DATA, bytes_of(key), &value, &found, &err), err);
    assert_int_equal(found, expected != NULL);
    if (expected) {
        assert_int_equal(value.len, strlen(expected));
        assert_memory_equal(value.data, expected, value.len);
    }
    kv__read_end(txn);
}

/* ---- the model ---- */

enum { MODEL_MAX = 3000, KEY_MAX = 5000 };

typedef struct model_entry {
    uint8_t *key;
    size_t   len;
    uint32_t value;
} model_entry;

static model_entry model[MODEL_MAX + 1];
static size_t      model_count;
static uint64_t    seed;

static uint32_t any(uint32_t below) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % below;
}

static int compare(const uint8_t *a, size_t a_len, corm_bytes b) {
    size_t shorter = a_len < b.len ? a_len : b.len;
    int    order = shorter ? memcmp(a, b.data, shorter) : 0;
    return order != 0 ? order : (a_len > b.len) - (a_len < b.len);
}

/* The first entry >= key. */
static size_t model_find(corm_bytes key, bool *exact) {
    size_t low = 0, high = model_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (compare(model[middle].key, model[middle].len, key) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *exact = low < model_count && compare(model[low].key, model[low].len, key) == 0;
    return low;
}

static void model_put(corm_bytes key, uint32_t value) {
    bool   exact;
    size_t at = model_find(key, &exact);
    if (!exact) {
        memmove(&model[at + 1], &model[at], (model_count - at) * sizeof *model);
        model_count++;
        model[at].key = malloc(key.len + 1);
        assert_non_null(model[at].key);
        memcpy(model[at].key, key.data, key.len);
        model[at].len = key.len;
    }
    model[at].value = value;
}

static bool model_delete(corm_bytes key) {
    bool   exact;
    size_t at = model_find(key, &exact);
    if (!exact) return false;
    free(model[at].key);
    memmove(&model[at], &model[at + 1], (--model_count - at) * sizeof *model);
    return true;
}

static void model_clear(void) {
    while (model_count > 0) free(model[--model_count].key);
}

/* Keys that are alike for long: runs of few letters, cut near the places where chunks end, or an existing key changed a
 * little. */
static corm_bytes any_key(uint8_t *room) {
    size_t len = 0;
    if (model_count > 0 && any(2)) {
        const model_entry *entry = &model[any((uint32_t)model_count)];
        len = entry->len;
        memcpy(room, entry->key, len);
        if (any(3) == 0) len = 1 + any((uint32_t)len);
        if (any(3) == 0) room[any((uint32_t)len)] ^= (uint8_t)(1 + any(255));
    }
    if (len == 0 || any(2)) {
        uint32_t more = any(4) == 0 ? any(KEY_MAX) : any(4) * KV_CHUNK + any(3);
        if (more > KEY_MAX - len) more = (uint32_t)(KEY_MAX - len);
        memset(room + len, "abc\xff"[any(4)], more);
        len += more;
    }
    if (len == 0) room[len++] = (uint8_t)any(256);
    return (corm_bytes){ room, len };
}

static void check_stands(kv_cursor *cursor, bool found, size_t at) {
    assert_int_equal(found, at < model_count);
    if (!found) return;
    corm_bytes key = kv__cursor_key(cursor), value = kv__cursor_value(cursor);
    assert_int_equal(key.len, model[at].len);
    assert_memory_equal(key.data, model[at].key, key.len);
    assert_int_equal(value.len, 4);
    assert_int_equal(base__load_u32(value.data), model[at].value);
}

static void check_seek(kv_cursor *cursor, corm_bytes key) {
    bool    exact, found;
    size_t  at = model_find(key, &exact);
    kv_seek how = (kv_seek)any(4);
    if (how == KV_AFTER) at += exact;
    if (how == KV_AT_OR_BEFORE) at -= !exact;
    if (how == KV_BEFORE) at -= 1;
    assert_ok(kv__cursor_seek(cursor, key, how, &found, &err), err);
    check_stands(cursor, found, at);
    for (uint32_t moves = any(6); found && moves > 0; moves--) {
        bool forward = any(2);
        at += forward ? 1 : (size_t)-1;
        assert_ok((forward ? kv__cursor_next : kv__cursor_prev)(cursor, &found, &err), err);
        check_stands(cursor, found, at);
    }
}

static void check_whole_walk(kv_txn *txn) {
    kv_cursor *cursor;
    bool       found;
    assert_ok(kv__cursor_open(txn, KV_DATA, &cursor, &err), err);
    assert_ok(kv__cursor_seek(cursor, (corm_bytes){ 0 }, KV_AT_OR_AFTER, &found, &err), err);
    for (size_t i = 0; i <= model_count; i++) {
        check_stands(cursor, found, i);
        if (found) assert_ok(kv__cursor_next(cursor, &found, &err), err);
    }
    uint8_t behind[KEY_MAX + 1];
    memset(behind, 0xff, sizeof behind);
    assert_ok(
        kv__cursor_seek(cursor, (corm_bytes){ behind, sizeof behind }, KV_BEFORE, &found, &err),
        err);
    for (size_t i = model_count; i-- > 0;) {
        check_stands(cursor, found, i);
        assert_ok(kv__cursor_prev(cursor, &found, &err), err);
    }
    assert_false(found);
    kv__cursor_close(cursor);
}

static void change_a_little(kv_txn *txn) {
    uint8_t    room[KEY_MAX + 1], bytes[4];
    corm_bytes key = any_key(room);
    bool       found;
    if (model_count < MODEL_MAX && any(5) != 0) {
        uint32_t value = any(UINT32_MAX);
        base__store_u32(bytes, value);
        model_put(key, value);
        assert_ok(kv__put(txn, KV_DATA, key, (corm_bytes){ bytes, 4 }, &err), err);
    } else {
        bool expected = model_delete(key);
        assert_ok(kv__delete(txn, KV_DATA, key, &found, &err), err);
        assert_int_equal(found, expected);
    }
}

static void check_gets(kv_txn *txn, kv_cursor *cursor) {
    for (int i = 0; i < 20; i++) {
        uint8_t    room[KEY_MAX + 1];
        corm_bytes key = any_key(room), value;
        bool       exact, found;
        size_t     at = model_find(key, &exact);
        assert_ok(kv__get(txn, KV_DATA, key, &value, &found, &err), err);
        assert_int_equal(found, exact);
        if (found) assert_int_equal(base__load_u32(value.data), model[at].value);
        check_seek(cursor, key);
    }
}

static size_t count_stored(kv_txn *txn) {
    MDB_stat stat;
    assert_int_equal(mdb_stat(txn->mdb, txn->store->dbi, &stat), 0);
    return stat.ms_entries;
}

static void delete_all(kv_store *store) {
    kv_txn *txn;
    bool    found;
    assert_ok(kv__write_begin(store, &txn, &err), err);
    while (model_count > 0) {
        corm_bytes key = { model[any((uint32_t)model_count)].key, 0 };
        size_t     at = 0;
        while (model[at].key != key.data) at++;
        key.len = model[at].len;
        assert_ok(kv__delete(txn, KV_DATA, key, &found, &err), err);
        assert_true(found);
        model_delete(key);
    }
    assert_ok(kv__commit(txn, NULL, &err), err);
}

static void keys_of_any_length_behave_like_a_sorted_map(void **state) {
    (void)state;
    for (uint64_t round = 1; round <= 3; round++) {
        seed = round;
        kv_store *store = open_memory((uint64_t)64 << 20);
        for (int batch = 0; batch < 60; batch++) {
            kv_txn    *txn;
            kv_cursor *cursor;
            assert_ok(kv__write_begin(store, &txn, &err), err);
            for (int i = 0; i < 40; i++) change_a_little(txn);
            assert_ok(kv__cursor_open(txn, KV_DATA, &cursor, &err), err);
            check_gets(txn, cursor);
            assert_ok(kv__commit(txn, NULL, &err), err);
            assert_ok(kv__read_begin(store, &txn, &err), err);
            assert_ok(kv__cursor_open(txn, KV_DATA, &cursor, &err), err);
            check_gets(txn, cursor);
            if (batch % 20 == 19) check_whole_walk(txn);
            kv__read_end(txn);
        }
        delete_all(store);
        kv_txn *txn;
        assert_ok(kv__read_begin(store, &txn, &err), err);
        assert_int_equal(count_stored(txn), 1); /* the counter of spaces: no pointer stays behind */
        check_whole_walk(txn);
        kv__read_end(txn);
        model_clear();
        kv__close(store);
    }
}

static void trees_do_not_see_each_other(void **state) {
    (void)state;
    kv_store  *store = open_memory(SMALL_MAP);
    kv_txn    *txn;
    kv_cursor *cursor;
    corm_bytes value;
    bool       found;
    assert_ok(kv__write_begin(store, &txn, &err), err);
    for (int tree = 0; tree < KV_TREES; tree++) {
        uint8_t key[1000] = { 0 };
        uint8_t mark = (uint8_t)tree;
        assert_ok(kv__put(txn, (kv_tree)tree, (corm_bytes){ key, sizeof key },
                          (corm_bytes){ &mark, 1 }, &err),
                  err);
    }
    for (int tree = 0; tree < KV_TREES; tree++) {
        assert_ok(kv__get(txn, (kv_tree)tree, bytes_of("x"), &value, &found, &err), err);
        assert_false(found);
        assert_ok(kv__cursor_open(txn, (kv_tree)tree, &cursor, &err), err);
        assert_ok(kv__cursor_seek(cursor, bytes_of(""), KV_AT_OR_AFTER, &found, &err), err);
        assert_true(found);
        assert_int_equal(kv__cursor_key(cursor).len, 1000);
        assert_int_equal(kv__cursor_value(cursor).data[0], tree);
        assert_ok(kv__cursor_next(cursor, &found, &err), err);
        assert_false(found);
        assert_ok(kv__cursor_seek(cursor, bytes_of("\xff"), KV_BEFORE, &found, &err), err);
        assert_int_equal(kv__cursor_value(cursor).data[0], tree);
        assert_ok(kv__cursor_prev(cursor, &found, &err), err);
        assert_false(found);
    }
    kv__abort(txn);
    kv__close(store);
}

/* ---- snapshots ---- */

static void a_snapshot_does_not_change(void **state) {
    (void)state;
    kv_store  *store = open_memory(SMALL_MAP);
    kv_txn    *reader;
    corm_bytes value;
    bool       found;
    put_one(store, "k", "old");
    assert_ok(kv__read_begin(store, &reader, &err), err);
    uint64_t before = kv__txn_id(reader);
    put_one(store, "k", "new");
    assert_ok(kv__get(reader, KV_DATA, bytes_of("k"), &value, &found, &err), err);
    assert_memory_equal(value.data, "old", 3);
    kv__read_end(reader);
    expect_one(store, "k", "new");
    assert_ok(kv__read_begin(store, &reader, &err), err);
    assert_true(kv__txn_id(reader) > before);
    kv__read_end(reader);
    kv__close(store);
}

static void an_aborted_write_leaves_nothing(void **state) {
    (void)state;
    kv_store *store = open_memory(SMALL_MAP);
    kv_txn   *txn;
    assert_ok(kv__write_begin(store, &txn, &err), err);
    uint64_t before = kv__txn_id(txn);
    assert_ok(kv__put(txn, KV_DATA, bytes_of("k"), bytes_of("v"), &err), err);
    kv__abort(txn);
    expect_one(store, "k", NULL);
    assert_ok(kv__write_begin(store, &txn, &err), err);
    assert_int_equal(kv__txn_id(txn), before);
    kv__abort(txn);
    kv__abort(NULL);
    kv__read_end(NULL);
    kv__cursor_close(NULL);
    kv__close(NULL);
    kv__close(store);
}

static void more_readers_than_slots_are_told_so(void **state) {
    (void)state;
    kv_store *store;
    kv_txn   *readers[60], *more;
    assert_ok(kv__open(&(kv_options){ .map_bytes = SMALL_MAP, .max_readers = 60 }, &store, &err),
              err);
    for (int i = 0; i < 60; i++) assert_ok(kv__read_begin(store, &readers[i], &err), err);
    assert_status(kv__read_begin(store, &more, &err), CORM_OVERLOADED);
    for (int i = 0; i < 60; i++) kv__read_end(readers[i]);
    assert_ok(kv__read_begin(store, &more, &err), err);
    kv__read_end(more);
    kv__close(store);
}

/* ---- growing ---- */

static corm_status put_large(kv_txn *txn, uint32_t number) {
    static const uint8_t value[100000];
    uint8_t              key[4];
    base__store_u32(key, number);
    return kv__put(txn, KV_DATA, (corm_bytes){ key, 4 }, (corm_bytes){ value, sizeof value }, &err);
}

static void a_full_map_grows_and_nothing_is_lost(void **state) {
    (void)state;
    kv_store *store = open_memory((uint64_t)1 << 20);
    kv_txn   *txn;
    kv_stats  stats;
    bool      full;
    put_one(store, "k", "v");
    int grown = 0;
    for (uint32_t i = 0; i < 40;) {
        assert_ok(kv__write_begin(store, &txn, &err), err);
        corm_status status = put_large(txn, i);
        if (status == CORM_OK) {
            assert_ok(kv__commit(txn, &full, &err), err);
            i++;
            continue;
        }
        assert_status(status, CORM_DISK_FULL);
        assert_true(kv__is_full(txn));
        kv__abort(txn);
        assert_ok(kv__grow(store, &err), err);
        grown++;
    }
    kv__stats(store, &stats);
    assert_true(grown >= 2);
    assert_int_equal(stats.map_bytes, (uint64_t)1 << (20 + grown));
    assert_true(stats.used_bytes > 40 * 100000);
    expect_one(store, "k", "v");
    kv__close(store);
}

/* ---- faults ---- */

typedef struct fault_plan {
    kv_fault_point point;
    int            countdown, number;
} fault_plan;

static int fail_as_planned(void *context, kv_fault_point point) {
    fault_plan *plan = context;
    if (point != plan->point || plan->countdown < 0) return 0;
    return plan->countdown-- == 0 ? plan->number : 0;
}

static void a_full_disk_at_commit_leaves_the_store_usable(void **state) {
    (void)state;
    kv_store  *store = open_memory(SMALL_MAP);
    fault_plan plan = { KV_FAULT_COMMIT, 0, ENOSPC };
    kv_txn    *txn;
    bool       full;
    kv__set_fault(store, fail_as_planned, &plan);
    assert_ok(kv__write_begin(store, &txn, &err), err);
    assert_ok(kv__put(txn, KV_DATA, bytes_of("k"), bytes_of("v"), &err), err);
    assert_status(kv__commit(txn, &full, &err), CORM_DISK_FULL);
    assert_false(full);
    expect_one(store, "k", NULL);
    put_one(store, "k", "w");
    expect_one(store, "k", "w");
    kv__close(store);
}

static void every_operation_passes_on_what_lmdb_reports(void **state) {
    (void)state;
    kv_store  *store = open_memory(SMALL_MAP);
    fault_plan plan = { KV_FAULT_BEGIN, -1, MDB_CORRUPTED };
    kv_txn    *txn;
    kv_cursor *cursor;
    corm_bytes value;
    bool       found;
    uint8_t    room[1000] = { 0 };
    corm_bytes key = { room, sizeof room };
    kv__set_fault(store, fail_as_planned, &plan);
    plan.countdown = 0;
    assert_status(kv__read_begin(store, &txn, &err), CORM_CORRUPT);
    plan.countdown = 0;
    assert_status(kv__write_begin(store, &txn, &err), CORM_CORRUPT);
    assert_ok(kv__write_begin(store, &txn, &err), err);
    plan.point = KV_FAULT_PUT;
    for (int step = 0; step < 5; step++) {
        room[0] = (uint8_t)step; /* a key that shares no part with those before */
        plan.countdown = step;
        assert_status(kv__put(txn, KV_DATA, key, key, &err), CORM_CORRUPT);
    }
    room[0] = 9;
    plan.countdown = -1;
    assert_ok(kv__put(txn, KV_DATA, key, key, &err), err);
    assert_ok(kv__cursor_open(txn, KV_DATA, &cursor, &err), err);
    plan.point = KV_FAULT_GET;
    for (int step = 0; step < 3; step++) {
        plan.countdown = step;
        assert_status(kv__get(txn, KV_DATA, key, &value, &found, &err), CORM_CORRUPT);
        plan.countdown = step;
        assert_status(kv__cursor_seek(cursor, key, KV_AT_OR_AFTER, &found, &err), CORM_CORRUPT);
    }
    plan.countdown = 0;
    assert_status(kv__cursor_next(cursor, &found, &err), CORM_CORRUPT);
    plan.countdown = 0;
    assert_status(kv__cursor_prev(cursor, &found, &err), CORM_CORRUPT);
    plan.countdown = 0;
    assert_status(kv__delete(txn, KV_DATA, key, &found, &err), CORM_CORRUPT);
    plan.point = KV_FAULT_PUT;
    for (int step = 0; step < 3; step++) {
        plan.countdown = step;
        assert_status(kv__delete(txn, KV_DATA, key, &found, &err), CORM_CORRUPT);
        plan.countdown = -1;
        assert_ok(kv__put(txn, KV_DATA, key, key, &err), err);
    }
    kv__abort(txn);
    kv__close(store);
}

static void a_map_that_cannot_grow_says_so(void **state) {
    (void)state;
    kv_store  *store = open_memory(SMALL_MAP);
    fault_plan plan = { KV_FAULT_GROW, 0, ENOMEM };
    kv__set_fault(store, fail_as_planned, &plan);
    assert_status(kv__grow(store, &err), CORM_NO_MEMORY);
    put_one(store, "k", "v");
    assert_ok(kv__grow(store, &err), err);
    expect_one(store, "k", "v");
    kv__close(store);
}

/* ---- folders ---- */

static void what_is_committed_is_there_after_reopening(void **state) {
    (void)state;
    kv_store *store = open_folder("kept/in/here");
    put_one(store, "k", "v");
    assert_ok(kv__sync(store, &err), err);
    kv__close(store);
    assert_int_equal(access("kept/in/here/corm.store", R_OK), 0);
    store = open_folder("kept/in/here");
    expect_one(store, "k", "v");
    kv__close(store);
}

static void one_folder_opened_twice_is_one_store(void **state) {
    (void)state;
    kv_store *a = open_folder("twice"), *b = NULL, *c = NULL;
    assert_int_equal(symlink("twice", "another_name"), 0);
    b = open_folder("another_name");
    assert_ok(kv__open(&(kv_options){ .path = "twice", .read_only = true }, &c, &err), err);
    put_one(a, "k", "v");
    expect_one(b, "k", "v");
    expect_one(c, "k", "v");
    kv__close(a);
    put_one(b, "k", "w");
    expect_one(c, "k", "w");
    kv__close(b);
    kv__close(c);
}

static void the_stricter_durability_holds(void **state) {
    (void)state;
    kv_store *relaxed = NULL, *durable;
    assert_ok(kv__open(&(kv_options){ .path = "both", .relaxed = true, .map_bytes = SMALL_MAP },
                       &relaxed, &err),
              err);
    assert_true(relaxed->relaxed);
    put_one(relaxed, "k", "v");
    durable = open_folder("both");
    assert_false(relaxed->relaxed);
    kv__close(durable);
    kv__close(relaxed);
}

static void a_memory_store_leaves_no_file(void **state) {
    (void)state;
    kv_store *store = open_memory(SMALL_MAP);
    put_one(store, "k", "v");
    kv_store *other = open_memory(SMALL_MAP);
    expect_one(other, "k", NULL);
    assert_ok(kv__grow(store, &err), err);
    expect_one(store, "k", "v");
    kv__close(other);
    kv__close(store);
}

static void a_store_that_must_exist_is_not_made(void **state) {
    (void)state;
    kv_store *store;
    assert_status(kv__open(&(kv_options){ .path = "none", .must_exist = true }, &store, &err),
                  CORM_NOT_FOUND);
    assert_status(kv__open(&(kv_options){ .path = "none", .read_only = true }, &store, &err),
                  CORM_NOT_FOUND);
    assert_int_equal(access("none", F_OK), -1);
    assert_int_equal(mkdir("hollow", 0777), 0);
    assert_status(kv__open(&(kv_options){ .path = "hollow", .must_exist = true }, &store, &err),
                  CORM_NOT_FOUND);
    assert_null(store);
}

static void a_file_is_no_folder(void **state) {
    (void)state;
    kv_store *store;
    close(open("plain", O_CREAT | O_WRONLY, 0666));
    assert_status(kv__open(&(kv_options){ .path = "plain" }, &store, &err), CORM_IO);
    assert_status(kv__open(&(kv_options){ .path = "plain/below" }, &store, &err), CORM_IO);
}

static void a_read_only_store_refuses_writes(void **state) {
    (void)state;
    kv_store *store = open_folder("closed");
    kv_txn   *txn;
    put_one(store, "k", "v");
    kv__close(store);
    assert_ok(kv__open(&(kv_options){ .path = "closed", .read_only = true }, &store, &err), err);
    expect_one(store, "k", "v");
    assert_status(kv__write_begin(store, &txn, &err), CORM_INVALID);
    assert_ok(kv__sync(store, &err), err);
    kv_store *writer;
    assert_status(kv__open(&(kv_options){ .path = "closed" }, &writer, &err),
                  CORM_INVALID_ARGUMENT);
    kv__close(store);
}

static int in_child(int (*run)(void)) {
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) _exit(run());
    int how = 0;
    assert_int_equal(waitpid(child, &how, 0), child);
    return WIFEXITED(how) ? WEXITSTATUS(how) : 98;
}

/* Runs in a child, so that giving up the rights of root does not outlive it. */
static int open_what_is_not_ours(void) {
    kv_store *store;
    if (geteuid() == 0 && setuid(65534) != 0) return 97;
    if (kv__open(&(kv_options){ .path = "theirs" }, &store, &err) != CORM_IO) return 1;
    if (!strstr(err.message, "Permission denied")) return 2;
    if (kv__open(&(kv_options){ .path = "theirs", .read_only = true }, &store, &err) != CORM_IO)
        return 3;
    if (!strstr(err.message, "lock.mdb must be writable")) return 4;
    if (kv__open(&(kv_options){ .path = "shipped", .read_only = true, .map_bytes = SMALL_MAP },
                 &store, &err) != CORM_OK)
        return 5;
    expect_one(store, "k", "v");
    kv__close(store);
    if (kv__open(&(kv_options){ .path = "theirs/new" }, &store, &err) != CORM_IO) return 6;
    return 0;
}

static void missing_permissions_are_named(void **state) {
    (void)state;
    kv_store *store = open_folder("theirs");
    kv__close(store);
    store = open_folder("shipped");
    put_one(store, "k", "v");
    kv__close(store);
    assert_int_equal(chmod(".", 0755), 0);
    assert_int_equal(unlink("shipped/lock.mdb"), 0);
    assert_int_equal(chmod("shipped", 0555), 0);
    assert_int_equal(chmod("shipped/data.mdb", 0444), 0);
    assert_int_equal(chmod("theirs", 0555), 0);
    assert_int_equal(chmod("theirs/data.mdb", 0444), 0);
    assert_int_equal(chmod("theirs/lock.mdb", 0444), 0);
    assert_int_equal(in_child(open_what_is_not_ours), 0);
}

/* ---- damage ---- */

static void damaged(const char *folder, off_t cut_to, off_t at, const char *bytes,
                    corm_status expected) {
    char      path[100];
    kv_store *store = open_folder(folder);
    kv_txn   *txn;
    assert_ok(kv__write_begin(store, &txn, &err), err);
    for (uint32_t i = 0; i < 10; i++) assert_ok(put_large(txn, i), err);
    assert_ok(kv__commit(txn, NULL, &err), err);
    kv__close(store);
    snprintf(path, sizeof path, "%s/data.mdb", folder);
    if (cut_to >= 0) assert_int_equal(truncate(path, cut_to), 0);
    if (bytes) {
        int file = open(path, O_WRONLY);
        assert_int_equal(pwrite(file, bytes, strlen(bytes), at), (ssize_t)strlen(bytes));
        assert_int_equal(pwrite(file, bytes, strlen(bytes), at + 4096), (ssize_t)strlen(bytes));
        close(file);
    }
    assert_status(kv__open(&(kv_options){ .path = folder, .map_bytes = SMALL_MAP }, &store, &err),
                  expected);
    assert_null(store);
}

static void damaged_files_are_recognised(void **state) {
    (void)state;
    damaged("cut_to_nothing", 0, 0, NULL, CORM_CORRUPT);
    damaged("cut_in_the_first_page", 100, 0, NULL, CORM_CORRUPT);
    damaged("cut_in_the_second_page", 5000, 0, NULL, CORM_CORRUPT);
    damaged("cut_in_the_data", 3 * 4096, 0, NULL, CORM_CORRUPT);
    damaged("overwritten", -1, 0, "this is something else than a store", CORM_CORRUPT);
    damaged("another_lmdb", -1, 20, "\x07", CORM_VERSION);
}

static void a_lost_data_file_is_not_taken_for_a_new_store(void **state) {
    (void)state;
    kv_store *store = open_folder("lost");
    kv__close(store);
    assert_int_equal(unlink("lost/data.mdb"), 0);
    assert_status(kv__open(&(kv_options){ .path = "lost" }, &store, &err), CORM_CORRUPT);
    assert_non_null(strstr(err.message, "missing"));
}

/* ---- processes ---- */

static kv_store *inherited;

static int use_after_fork(void) {
    kv_txn   *txn;
    kv_store *own;
    if (kv__read_begin(inherited, &txn, &err) != CORM_UNSUPPORTED) return 1;
    if (kv__write_begin(inherited, &txn, &err) != CORM_UNSUPPORTED) return 2;
    if (kv__sync(inherited, &err) != CORM_UNSUPPORTED) return 3;
    if (kv__grow(inherited, &err) != CORM_UNSUPPORTED) return 4;
    kv__close(inherited);
    if (kv__open(&(kv_options){ .path = "forked", .map_bytes = SMALL_MAP }, &own, &err) != CORM_OK)
        return 5;
    put_one(own, "child", "was here");
    kv__close(own);
    return 0;
}

static void a_child_cannot_use_what_it_inherited_but_may_open_it(void **state) {
    (void)state;
    inherited = open_folder("forked");
    put_one(inherited, "k", "v");
    assert_int_equal(in_child(use_after_fork), 0);
    expect_one(inherited, "child", "was here");
    kv__close(inherited);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(keys_of_any_length_behave_like_a_sorted_map),
    cmocka_unit_test(trees_do_not_see_each_other),
    cmocka_unit_test(a_snapshot_does_not_change),
    cmocka_unit_test(an_aborted_write_leaves_nothing),
    cmocka_unit_test(more_readers_than_slots_are_told_so),
    cmocka_unit_test(a_full_map_grows_and_nothing_is_lost),
    cmocka_unit_test(a_full_disk_at_commit_leaves_the_store_usable),
    cmocka_unit_test(every_operation_passes_on_what_lmdb_reports),
    cmocka_unit_test(a_map_that_cannot_grow_says_so),
    cmocka_unit_test(what_is_committed_is_there_after_reopening),
    cmocka_unit_test(one_folder_opened_twice_is_one_store),
    cmocka_unit_test(the_stricter_durability_holds),
    cmocka_unit_test(a_memory_store_leaves_no_file),
    cmocka_unit_test(a_store_that_must_exist_is_not_made),
    cmocka_unit_test(a_file_is_no_folder),
    cmocka_unit_test(a_read_only_store_refuses_writes),
    cmocka_unit_test(missing_permissions_are_named),
    cmocka_unit_test(damaged_files_are_recognised),
    cmocka_unit_test(a_lost_data_file_is_not_taken_for_a_new_store),
    cmocka_unit_test(a_child_cannot_use_what_it_inherited_but_may_open_it),
};

RUN_TESTS()
