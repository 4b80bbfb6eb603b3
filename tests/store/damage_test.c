// SPDX-License-Identifier: MIT
/* damage_test.c -- stores whose files were cut, zeroed, changed, or cannot grow: a clear error or right data, never a crash, and
 * nothing lost. What may crash runs in a child. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "corm/corm.h"
#include "engine/core.h"
#include "testing/check.h"

enum { ROWS = 400, PAGE = 4096 };

static corm_error err;

/* ---- a store to be damaged ---- */

static corm_session *open_session(const char *uri) {
    corm_session *session;
    assert_ok(corm_session_open(&session, uri, NULL, &err), err);
    return session;
}

static void execute(corm_session *session, const char *text) {
    corm_execute_options options = { .error = &err };
    assert_ok(corm_execute_with(session, text, &options, NULL), err);
}

static corm_status insert(corm_session *session, int id) {
    char text[200];
    snprintf(text, sizeof text, "INSERT INTO k.t (id, tag, v) VALUES (%d, %d, 'value of %d%0*d')",
             id, id % 7, id, id % 90, id);
    corm_execute_options options = { .error = &err };
    return corm_execute_with(session, text, &options, NULL);
}

static void make_store(const char *uri) {
    char relaxed[100];
    snprintf(relaxed, sizeof relaxed, "%s?durability=relaxed", uri);
    corm_session *session = open_session(relaxed);
    execute(
        session,
        "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}");
    execute(session, "CREATE TABLE k.t (id int PRIMARY KEY, tag int, v text)");
    execute(session, "CREATE INDEX ON k.t (tag)");
    for (int id = 0; id < ROWS; id++) assert_ok(insert(session, id), err);
    corm_session_close(session);
}

typedef struct file {
    uint8_t *data;
    size_t   len;
} file;

static file read_file(const char *path) {
    FILE *from = fopen(path, "rb");
    assert_non_null(from);
    assert_int_equal(fseek(from, 0, SEEK_END), 0);
    file out = { .len = (size_t)ftell(from) };
    rewind(from);
    out.data = malloc(out.len);
    assert_non_null(out.data);
    assert_int_equal(fread(out.data, 1, out.len, from), out.len);
    fclose(from);
    return out;
}

/* A folder with only a data file. */
static void put_file(const char *folder, const uint8_t *data, size_t len) {
    char path[100];
    mkdir(folder, 0755);
    snprintf(path, sizeof path, "%s/lock.mdb", folder);
    unlink(path);
    snprintf(path, sizeof path, "%s/data.mdb", folder);
    FILE *to = fopen(path, "wb");
    assert_non_null(to);
    assert_int_equal(fwrite(data, 1, len, to), len);
    assert_int_equal(fclose(to), 0);
}

/* ---- what becomes of it ---- */

typedef enum outcome { RIGHT, NAMED, WRONG_ERROR, WRONG_DATA, CRASHED } outcome;

static outcome in_child(int (*look)(void)) {
    int   how = 0;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) _exit(look());
    assert_int_equal(waitpid(pid, &how, 0), pid);
    return WIFEXITED(how) ? (outcome)WEXITSTATUS(how) : CRASHED;
}

static outcome named(corm_status status, const corm_error *why) {
    bool good = (status == CORM_CORRUPT || status == CORM_VERSION) && strlen(why->message) > 10;
    if (!good) fprintf(stderr, "%s: %s\n", corm_status_name(status), why->message);
    return good ? NAMED : WRONG_ERROR;
}

static corm_status count_rows(corm_session *session, uint32_t *rows) {
    corm_result         *result;
    corm_execute_options options = { .error = &err };
    corm_status          status =
        corm_execute_with(session, "SELECT id, tag, v FROM k.t", &options, &result);
    if (status != CORM_OK) return status;
    *rows = corm_result_row_count(result);
    corm_result_free(result);
    return CORM_OK;
}

/* Checks it as `corm` would before it trusts a damaged folder, then reads everything. */
static int verify_and_read(void) {
    engine       *store;
    corm_session *session;
    uint32_t      rows = 0;
    corm_status   status = engine__open(&(engine_options){ .path = "damaged" }, &store, &err);
    if (status != CORM_OK) return (int)named(status, &err);
    status = engine__verify(store, &err);
    engine__close(store);
    if (status != CORM_OK) return (int)named(status, &err);
    status = corm_session_open(&session, "corm:damaged", NULL, &err);
    if (status == CORM_OK) status = count_rows(session, &rows);
    if (status != CORM_OK) return (int)named(status, &err);
    corm_session_close(session);
    return rows == ROWS ? (int)RIGHT : (int)WRONG_DATA;
}

static outcome look_at(const uint8_t *data, size_t len) {
    put_file("damaged", data, len);
    return in_child(verify_and_read);
}

static void a_file_that_was_cut_is_refused(void **state) {
    (void)state;
    make_store("corm:whole");
    file whole = read_file("whole/data.mdb");
    assert_int_equal(look_at(whole.data, whole.len), RIGHT);
    const size_t lengths[] = { 1,
                               100,
                               PAGE - 1,
                               PAGE,
                               2 * PAGE - 1,
                               2 * PAGE,
                               3 * PAGE + 5,
                               whole.len / 2,
                               whole.len - PAGE };
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        outcome what = look_at(whole.data, lengths[i]);
        if (what != NAMED && !(what == RIGHT && lengths[i] == whole.len - PAGE))
            fail_msg("%zu of %zu bytes: outcome %d", lengths[i], whole.len, what);
    }
    free(whole.data);
}

static void zeroed_pages_are_found(void **state) {
    (void)state;
    make_store("corm:zero");
    file whole = read_file("zero/data.mdb");
    int  found = 0, pages = (int)(whole.len / PAGE);
    for (int page = 0; page < pages; page++) {
        uint8_t saved[PAGE];
        memcpy(saved, whole.data + (size_t)page * PAGE, PAGE);
        memset(whole.data + (size_t)page * PAGE, 0, PAGE);
        outcome what = look_at(whole.data, whole.len);
        memcpy(whole.data + (size_t)page * PAGE, saved, PAGE);
        if (what != NAMED && what != RIGHT)
            fail_msg("page %d of %d: outcome %d", page, pages, what);
        found += what == NAMED;
    }
    assert_true(found > 5); /* the others hold nothing any more */
    free(whole.data);
}

/* Of a meta page: LMDB takes the one with the higher number for the newest state, and keeps no checksum of it. */
static bool is_commit_number(size_t at) {
    return at < 2 * PAGE && at % PAGE >= 144 && at % PAGE < 152;
}

static void flipped_bits_never_crash(void **state) {
    (void)state;
    make_store("corm:flip");
    file     whole = read_file("flip/data.mdb");
    uint32_t random = 7;
    for (int turn = 0; turn < 250; turn++) {
        random = random * 1664525 + 1013904223;
        size_t at = (random >> 4) % whole.len;
        if (turn % 3 == 0)
            at = (size_t)(turn % 2) * PAGE + (random >> 8) % 160; /* of a meta page */
        uint8_t bit = (uint8_t)(1U << (turn % 8));
        whole.data[at] ^= bit;
        outcome what = look_at(whole.data, whole.len);
        whole.data[at] ^= bit;
        if (what == WRONG_DATA && is_commit_number(at)) what = RIGHT;
        if (what != NAMED && what != RIGHT)
            fail_msg("bit %d of byte %zu: outcome %d", bit, at, what);
    }
    free(whole.data);
}

/* ---- another version ---- */

static void set_format(const char *path, uint32_t format) {
    kv_store *store;
    kv_txn   *txn;
    uint8_t   bytes[4];
    base__store_u32(bytes, format);
    assert_ok(kv__open(&(kv_options){ .path = path }, &store, &err), err);
    assert_ok(kv__write_begin(store, &txn, &err), err);
    assert_ok(kv__put(txn, KV_META, engine__meta_key("format"), (corm_bytes){ bytes, 4 }, &err),
              err);
    assert_ok(kv__commit(txn, NULL, &err), err);
    kv__close(store);
}

static void a_store_of_another_version_is_refused_and_stays_whole(void **state) {
    (void)state;
    corm_session *session;
    uint32_t      rows = 0;
    make_store("corm:version");
    set_format("version", ENGINE_FORMAT + 1);
    assert_status(corm_session_open(&session, "corm:version", NULL, &err), CORM_VERSION);
    assert_non_null(strstr(err.message, "2"));
    assert_null(session);
    set_format("version", ENGINE_FORMAT);
    session = open_session("corm:version");
    assert_ok(count_rows(session, &rows), err);
    assert_int_equal(rows, ROWS);
    corm_session_close(session);
}

/* ---- a full disk ---- */

/* The limit on file sizes is the disk that is full; the rows that were acknowledged are told by the exit status. */
static int write_until_full(void) {
    struct rlimit limit;
    corm_session *session = open_session("corm:full");
    corm_status   status = CORM_OK;
    int           id = ROWS;
    uint32_t      rows = 0;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &limit);
    rlim_t before = limit.rlim_cur;
    limit.rlim_cur = 400000;
    setrlimit(RLIMIT_FSIZE, &limit);
    for (; status == CORM_OK && id < 100000; id++) status = insert(session, id);
    if (status != CORM_DISK_FULL && status != CORM_IO) return 1;
    if (status != CORM_DISK_FULL) fprintf(stderr, "%s\n", err.message);
    if (count_rows(session, &rows) != CORM_OK || rows != (uint32_t)id - 1) return 2;
    limit.rlim_cur = before;
    setrlimit(RLIMIT_FSIZE, &limit);
    if (insert(session, id) != CORM_OK) {
        /* A write that failed half way may ask for opening the store again. */
        corm_session_close(session);
        session = open_session("corm:full");
        if (insert(session, id) != CORM_OK) return 3;
    }
    corm_session_close(session);
    return status == CORM_DISK_FULL ? 0 : 4;
}

static void a_full_disk_fails_the_write_and_loses_nothing(void **state) {
    (void)state;
    engine *store;
    make_store("corm:full");
    assert_int_equal(in_child(write_until_full), 0);
    assert_ok(engine__open(&(engine_options){ .path = "full" }, &store, &err), err);
    assert_ok(engine__verify(store, &err), err);
    engine__close(store);
}

/* ---- a folder that may only be read ---- */

static int read_what_is_not_ours(void) {
    corm_session *session;
    uint32_t      rows = 0;
    if (geteuid() == 0 && setuid(65534) != 0) return 1;
    if (corm_session_open(&session, "corm:locked", NULL, &err) != CORM_IO) return 2;
    if (!strstr(err.message, "locked")) return 3;
    if (corm_session_open(&session, "corm:locked?read_only=true", NULL, &err) != CORM_OK) return 4;
    if (count_rows(session, &rows) != CORM_OK || rows != ROWS) return 5;
    if (insert(session, ROWS) != CORM_INVALID) return 6;
    corm_session_close(session);
    return 0;
}

static void a_read_only_folder_can_be_read_and_says_why_not_written(void **state) {
    (void)state;
    make_store("corm:locked");
    assert_int_equal(chmod(".", 0755), 0);
    assert_int_equal(unlink("locked/lock.mdb"), 0);
    assert_int_equal(chmod("locked/data.mdb", 0444), 0);
    assert_int_equal(chmod("locked", 0555), 0);
    assert_int_equal(in_child(read_what_is_not_ours), 0);
    assert_int_equal(chmod("locked", 0755), 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_file_that_was_cut_is_refused),
    cmocka_unit_test(zeroed_pages_are_found),
    cmocka_unit_test(flipped_bits_never_crash),
    cmocka_unit_test(a_store_of_another_version_is_refused_and_stays_whole),
    cmocka_unit_test(a_full_disk_fails_the_write_and_loses_nothing),
    cmocka_unit_test(a_read_only_folder_can_be_read_and_says_why_not_written),
};

RUN_TESTS()
