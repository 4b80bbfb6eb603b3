// SPDX-License-Identifier: MIT
/* Several threads and several processes on one store. */
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/kv_internal.h"
#include "testing/check.h"

#define SMALL_MAP ((uint64_t)1 << 20)

static corm_error err;

static kv_store *open_folder(const char *path, uint64_t map) {
    kv_store *store = NULL;
    assert_ok(
        kv__open(&(kv_options){ .path = path, .relaxed = true, .map_bytes = map }, &store, &err),
        err);
    return store;
}

static corm_bytes key_of(uint32_t number, uint8_t room[4]) {
    base__store_u32(room, number);
    return (corm_bytes){ room, 4 };
}

/* Puts `count` values of 10 kB in a transaction each, growing the map when it must. */
static corm_status fill(kv_store *store, uint32_t first, uint32_t count) {
    static const uint8_t value[10000];
    for (uint32_t i = first; i < first + count;) {
        kv_txn *txn;
        uint8_t room[4];
        bool    full = false;
        CORM_TRY(kv__write_begin(store, &txn, &err));
        corm_status status =
            kv__put(txn, KV_DATA, key_of(i, room), (corm_bytes){ value, sizeof value }, &err);
        if (status == CORM_OK) {
            status = kv__commit(txn, &full, &err);
        } else {
            full = kv__is_full(txn);
            kv__abort(txn);
        }
        if (full) status = kv__grow(store, &err);
        if (status != CORM_OK) return status;
        if (!full) i++;
    }
    return CORM_OK;
}

static uint32_t count_keys(kv_store *store) {
    kv_txn    *txn;
    kv_cursor *cursor;
    bool       found;
    uint32_t   count = 0;
    assert_ok(kv__read_begin(store, &txn, &err), err);
    assert_ok(kv__cursor_open(txn, KV_DATA, &cursor, &err), err);
    assert_ok(kv__cursor_seek(cursor, (corm_bytes){ 0 }, KV_AT_OR_AFTER, &found, &err), err);
    for (; found; count++) assert_ok(kv__cursor_next(cursor, &found, &err), err);
    kv__read_end(txn);
    return count;
}

/* ---- threads ---- */

typedef struct reading {
    kv_store   *store;
    atomic_bool stop;
    int         failures;
    pthread_t   thread;
} reading;

/* In each snapshot all keys from 0 up are there without a gap. */
static void *read_steadily(void *context) {
    reading *r = context;
    while (!atomic_load(&r->stop)) {
        kv_txn    *txn;
        kv_cursor *cursor;
        bool       found = false;
        uint32_t   next = 0;
        corm_error e;
        if (kv__read_begin(r->store, &txn, &e) != CORM_OK) {
            r->failures++;
            continue;
        }
        if (kv__cursor_open(txn, KV_DATA, &cursor, &e) != CORM_OK ||
            kv__cursor_seek(cursor, (corm_bytes){ 0 }, KV_AT_OR_AFTER, &found, &e) != CORM_OK) {
            r->failures++;
        }
        while (found) {
            if (base__load_u32(kv__cursor_key(cursor).data) != next++) r->failures++;
            if (kv__cursor_value(cursor).data[9999] != 0) r->failures++;
            if (kv__cursor_next(cursor, &found, &e) != CORM_OK) r->failures++;
        }
        kv__read_end(txn);
    }
    return NULL;
}

static void the_map_grows_while_others_read(void **state) {
    (void)state;
    kv_store *store = open_folder("grows", SMALL_MAP);
    reading   readers[4];
    for (int i = 0; i < 4; i++) {
        readers[i] = (reading){ .store = store };
        assert_int_equal(pthread_create(&readers[i].thread, NULL, read_steadily, &readers[i]), 0);
    }
    assert_ok(fill(store, 0, 1000), err);
    for (int i = 0; i < 4; i++) {
        atomic_store(&readers[i].stop, true);
        pthread_join(readers[i].thread, NULL);
        assert_int_equal(readers[i].failures, 0);
    }
    assert_int_equal(count_keys(store), 1000);
    kv__close(store);
}

typedef struct holder {
    kv_store   *store;
    atomic_bool has_begun, may_end;
    pthread_t   thread;
} holder;

static void *hold_a_snapshot(void *context) {
    holder    *h = context;
    kv_txn    *txn;
    corm_error e;
    if (kv__read_begin(h->store, &txn, &e) != CORM_OK) abort();
    atomic_store(&h->has_begun, true);
    while (!atomic_load(&h->may_end)) sched_yield();
    kv__read_end(txn);
    return NULL;
}

/* More readers than keep their slot of LMDB. */
static void a_hundred_snapshots_at_once(void **state) {
    (void)state;
    enum { COUNT = 100 };
    static holder holders[COUNT];
    kv_store     *store = open_folder("hundred", SMALL_MAP);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < COUNT; i++) {
            holders[i] = (holder){ .store = store };
            assert_int_equal(pthread_create(&holders[i].thread, NULL, hold_a_snapshot, &holders[i]),
                             0);
        }
        for (int i = 0; i < COUNT; i++) {
            while (!atomic_load(&holders[i].has_begun)) sched_yield();
        }
        for (int i = 0; i < COUNT; i++) atomic_store(&holders[i].may_end, true);
        for (int i = 0; i < COUNT; i++) pthread_join(holders[i].thread, NULL);
    }
    kv_stats stats;
    kv__stats(store, &stats);
    assert_int_equal(stats.reads, 2 * COUNT);
    kv__close(store);
}

/* ---- processes ---- */

static int in_child(int (*body)(void)) {
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) _exit(body());
    int how = 0;
    assert_int_equal(waitpid(child, &how, 0), child);
    return WIFEXITED(how) ? WEXITSTATUS(how) : 200 + WTERMSIG(how);
}

static int grow_in_child(void) {
    kv_store *store = open_folder("adopts", SMALL_MAP);
    if (fill(store, 0, 500) != CORM_OK) return 1;
    kv__close(store);
    return 0;
}

static void a_map_that_another_process_has_grown_is_adopted(void **state) {
    (void)state;
    kv_store *store = open_folder("adopts", SMALL_MAP);
    assert_int_equal(count_keys(store), 0);
    assert_int_equal(in_child(grow_in_child), 0);
    assert_int_equal(count_keys(store), 500);
    assert_ok(fill(store, 500, 10), err);
    assert_int_equal(count_keys(store), 510);
    kv__close(store);
    store = open_folder("adopts", SMALL_MAP);
    assert_int_equal(in_child(grow_in_child), 0);
    assert_ok(fill(store, 510, 300), err);
    assert_ok(kv__check(store, &err), err);
    kv__close(store);
}

static int die_with_snapshots(void) {
    kv_store *store = open_folder("stale", SMALL_MAP);
    for (int i = 0; i < 30; i++) {
        kv_txn *txn;
        if (kv__read_begin(store, &txn, &err) != CORM_OK) return 1;
    }
    raise(SIGKILL);
    return 2;
}

static void reader_slots_of_killed_processes_are_taken_back(void **state) {
    (void)state;
    kv_store *store = NULL;
    kv_txn   *readers[30];
    assert_ok(kv__open(&(kv_options){ .path = "stale", .map_bytes = SMALL_MAP, .max_readers = 40 },
                       &store, &err),
              err);
    assert_int_equal(in_child(die_with_snapshots), 200 + SIGKILL);
    for (int i = 0; i < 30; i++) assert_ok(kv__read_begin(store, &readers[i], &err), err);
    for (int i = 0; i < 30; i++) kv__read_end(readers[i]);
    /* Pages are free to be used again: nothing old is kept for the dead. */
    assert_ok(fill(store, 0, 5), err);
    kv_stats before, after;
    kv__stats(store, &before);
    for (int i = 0; i < 50; i++) assert_ok(fill(store, 0, 5), err);
    kv__stats(store, &after);
    assert_true(after.used_bytes < before.used_bytes + 500000);
    kv__close(store);
}

static int write_a_share(void) {
    kv_store *store = open_folder("shares", SMALL_MAP);
    uint32_t  first = (uint32_t)getpid() * 1000u;
    if (fill(store, first, 50) != CORM_OK) return 1;
    kv__close(store);
    return 0;
}

static void processes_write_in_turn(void **state) {
    (void)state;
    enum { COUNT = 6 };
    pid_t children[COUNT];
    fflush(NULL);
    for (int i = 0; i < COUNT; i++) {
        children[i] = fork();
        if (children[i] == 0) _exit(write_a_share());
    }
    for (int i = 0; i < COUNT; i++) {
        int how;
        assert_int_equal(waitpid(children[i], &how, 0), children[i]);
        assert_int_equal(how, 0);
    }
    kv_store *store = open_folder("shares", SMALL_MAP);
    assert_int_equal(count_keys(store), COUNT * 50);
    assert_ok(kv__check(store, &err), err);
    kv__close(store);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_map_grows_while_others_read),
    cmocka_unit_test(a_hundred_snapshots_at_once),
    cmocka_unit_test(a_map_that_another_process_has_grown_is_adopted),
    cmocka_unit_test(reader_slots_of_killed_processes_are_taken_back),
    cmocka_unit_test(processes_write_in_turn),
};

RUN_TESTS()
