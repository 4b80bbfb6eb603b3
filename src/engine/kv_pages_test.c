// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/kv_internal.h"
#include "testing/check.h"

enum { PAGE = 4096 };
#define MAP ((uint64_t)32 << 20)

static corm_error err;

static kv_store *open_folder(const char *path) {
    kv_store *store = NULL;
    assert_ok(
        kv__open(&(kv_options){ .path = path, .relaxed = true, .map_bytes = MAP }, &store, &err),
        err);
    return store;
}

static corm_bytes number_key(uint32_t number, uint8_t *room, size_t len) {
    memset(room, 0, len);
    base__store_u32(room, number * 2654435761u);
    return (corm_bytes){ room, len };
}

/* Some thousand keys, some long, some values over several pages; with free pages in between. */
static void fill(const char *path) {
    static const uint8_t value[10000];
    kv_store            *store = open_folder(path);
    for (uint32_t round = 0; round < 4; round++) {
        kv_txn *txn;
        uint8_t room[700];
        bool    found;
        assert_ok(kv__write_begin(store, &txn, &err), err);
        for (uint32_t i = 0; i < 1500; i++) {
            corm_bytes key = number_key(round * 1500 + i, room, i % 50 == 0 ? 700 : 20);
            assert_ok(
                kv__put(txn, KV_DATA, key, (corm_bytes){ value, i % 100 == 0 ? 10000 : 50 }, &err),
                err);
        }
        for (uint32_t i = 0; round > 0 && i < 500; i++) {
            corm_bytes key = number_key((round - 1) * 1500 + i, room, i % 50 == 0 ? 700 : 20);
            assert_ok(kv__delete(txn, KV_DATA, key, &found, &err), err);
            assert_true(found);
        }
        assert_ok(kv__commit(txn, NULL, &err), err);
    }
    kv__close(store);
}

static uint8_t *read_whole(const char *path, size_t *size) {
    int         file = open(path, O_RDONLY);
    struct stat about;
    assert_int_equal(fstat(file, &about), 0);
    uint8_t *data = malloc((size_t)about.st_size);
    assert_non_null(data);
    assert_int_equal(pread(file, data, (size_t)about.st_size, 0), about.st_size);
    close(file);
    *size = (size_t)about.st_size;
    return data;
}

static int write_whole(const char *path, const uint8_t *data, size_t size) {
    int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0666);
    assert_true(file >= 0);
    assert_int_equal(pwrite(file, data, size, 0), (ssize_t)size);
    return file;
}

static void a_sound_store_passes(void **state) {
    (void)state;
    fill("sound");
    kv_store *store = open_folder("sound");
    assert_ok(kv__check(store, &err), err);
    kv__close(store);
    store = open_folder("hollow");
    assert_ok(kv__check(store, &err), err);
    kv__close(store);
}

/* A page made and given up in one transaction leaves a count of pages that is higher than the file is long. */
static void a_file_that_ends_in_pages_never_written_is_whole(void **state) {
    (void)state;
    fill("tail");
    int file = open("tail/data.mdb", O_RDWR);
    for (off_t at = 16 + 120; at < 2 * PAGE; at += PAGE) {
        uint64_t last;
        assert_int_equal(pread(file, &last, sizeof last, at), sizeof last);
        last += 3;
        assert_int_equal(pwrite(file, &last, sizeof last, at), sizeof last);
    }
    close(file);
    kv_store *store = open_folder("tail");
    assert_ok(kv__check(store, &err), err);
    kv__close(store);
}

static void every_page_that_is_cut_off_is_missed(void **state) {
    (void)state;
    size_t    size;
    bool      found;
    kv_store *store;
    fill("cut");
    uint8_t *data = read_whole("cut/data.mdb", &size);
    for (size_t left = 2; left < size / PAGE; left += 1 + size / PAGE / 40) {
        int file = write_whole("cut.mdb", data, left * PAGE);
        assert_status(kv__pages_check(file, 0, &found, &err), CORM_CORRUPT);
        close(file);
    }
    assert_int_equal(truncate("cut/data.mdb", (off_t)(size / 2)), 0);
    assert_status(kv__open(&(kv_options){ .path = "cut", .map_bytes = MAP }, &store, &err),
                  CORM_CORRUPT);
    assert_non_null(strstr(err.message, "is missing"));
    free(data);
}

/* Whatever the bytes are, the walk ends and stays inside. */
static void damage_anywhere_is_survived_and_mostly_found(void **state) {
    (void)state;
    size_t size;
    fill("hurt");
    uint8_t *data = read_whole("hurt/data.mdb", &size);
    uint64_t seed = 7;
    int      noticed = 0;
    for (int round = 0; round < 400; round++) {
        uint8_t old[8];
        bool    found;
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        /* Heads of pages more often than the rest. */
        size_t at = (seed >> 20) % (size / PAGE) * PAGE + (seed >> 50) % (round % 2 ? 4088 : 48);
        memcpy(old, data + at, sizeof old);
        base__store_u64(data + at, round % 3 ? seed * 31 : 0);
        int         file = write_whole("hurt.mdb", data, size);
        corm_status looked = kv__pages_look(file, &err);
        corm_status status = kv__pages_check(file, 0, &found, &err);
        assert_true(looked == CORM_OK || looked == CORM_CORRUPT || looked == CORM_VERSION);
        assert_true(status == CORM_OK || status == CORM_CORRUPT || status == CORM_VERSION);
        noticed += status != CORM_OK;
        close(file);
        memcpy(data + at, old, sizeof old);
    }
    assert_true(noticed > 30);
    free(data);
}

static void a_page_in_the_place_of_another_is_found(void **state) {
    (void)state;
    size_t size;
    bool   found;
    fill("swapped");
    uint8_t *data = read_whole("swapped/data.mdb", &size);
    int      noticed = 0;
    for (size_t page = 2; page + 1 < size / PAGE && page < 60; page++) {
        uint8_t *copy = malloc(size);
        assert_non_null(copy);
        memcpy(copy, data, size);
        memcpy(copy + page * PAGE, data + (page + 1) * PAGE, PAGE);
        int file = write_whole("swapped.mdb", copy, size);
        noticed += kv__pages_check(file, 0, &found, &err) == CORM_CORRUPT;
        close(file);
        free(copy);
    }
    assert_true(noticed > 10);
    free(data);
}

static void another_state_than_asked_for_is_not_found(void **state) {
    (void)state;
    size_t size;
    bool   found = true;
    fill("states");
    uint8_t *data = read_whole("states/data.mdb", &size);
    int      file = open("states/data.mdb", O_RDONLY);
    assert_ok(kv__pages_check(file, 1000000, &found, &err), err);
    assert_false(found);
    close(file);
    free(data);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_sound_store_passes),
    cmocka_unit_test(a_file_that_ends_in_pages_never_written_is_whole),
    cmocka_unit_test(every_page_that_is_cut_off_is_missed),
    cmocka_unit_test(damage_anywhere_is_survived_and_mostly_found),
    cmocka_unit_test(a_page_in_the_place_of_another_is_found),
    cmocka_unit_test(another_state_than_asked_for_is_not_found),
};

RUN_TESTS()
