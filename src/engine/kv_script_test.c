// SPDX-License-Identifier: MIT
/* kv_script_test.c -- two or three processes on one store that do what a script says, step by step; then the machine stops.
 *
 * A process dies or stands at a fault point. `durable.log` is the log as the last fdatasync has covered it, `synced.mdb` the data as of
 * the last checkpoint. A cut makes a folder of one of the logs and one of the data files; its boot is another one. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/kv_internal.h"
#include "testing/check.h"

enum { KEYS = 40, VALUE = 1000 };

static corm_error err;
static char       cut[16]; /* the last folder that was cut */
static int        cuts;

/* ---- files ---- */

static void copy_file(const char *from, const char *to) {
    static uint8_t bytes[1 << 16];
    int            in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    ssize_t        got;
    if (in < 0 || out < 0) abort();
    while ((got = read(in, bytes, sizeof bytes)) > 0)
        if (write(out, bytes, (size_t)got) != got) abort();
    close(in);
    close(out);
}

static void make_folder(const char *folder, const char *data, const char *log) {
    char path[64];
    mkdir(folder, 0777);
    snprintf(path, sizeof path, "%s/lock.mdb", folder);
    unlink(path);
    snprintf(path, sizeof path, "%s/data.mdb", folder);
    copy_file(data, path);
    snprintf(path, sizeof path, "%s/log.corm", folder);
    copy_file(log, path);
}

static void cut_power(const char *data, const char *log) {
    kv_log_head head;
    int         slot;
    char        path[64];
    snprintf(cut, sizeof cut, "cut%d", ++cuts);
    make_folder(cut, data, log);
    snprintf(path, sizeof path, "%s/log.corm", cut);
    int file = open(path, O_RDWR);
    assert_ok(kv__log_load(file, &head, &slot, &err), err);
    memset(head.boot, 'x', sizeof head.boot);
    assert_int_equal(kv__log_write_head(file, &head, slot), 0);
    close(file);
}

/* ---- stores ---- */

static kv_store *open_store(const char *path) {
    kv_store  *store = NULL;
    kv_options how = { .path = path, .map_bytes = (uint64_t)64 << 20 };
    return kv__open(&how, &store, &err) == CORM_OK ? store : NULL;
}

static corm_status put(kv_txn *txn, const char *name, size_t size, uint8_t fill) {
    static uint8_t room[20000];
    memset(room, fill, size);
    return kv__put(txn, KV_DATA, (corm_bytes){ (const uint8_t *)name, strlen(name) },
                   (corm_bytes){ room, size }, &err);
}

static corm_status put_one(kv_store *store, const char *name, size_t size) {
    kv_txn *txn;
    CORM_TRY(kv__write_begin(store, &txn, &err));
    corm_status status = put(txn, name, size, 1);
    if (status == CORM_OK) return kv__commit(txn, NULL, &err);
    kv__abort(txn);
    return status;
}

/* All keys with a first letter get new values: all their pages are written anew. */
static corm_status put_all(kv_store *store, const char *letters, uint8_t version) {
    kv_txn     *txn;
    corm_status status = kv__write_begin(store, &txn, &err);
    if (status != CORM_OK) return status;
    for (; *letters && status == CORM_OK; letters++) {
        for (int i = 0; i < KEYS && status == CORM_OK; i++) {
            char name[20];
            snprintf(name, sizeof name, "%c%d", *letters, i);
            status = put(txn, name, VALUE, version);
        }
    }
    if (status == CORM_OK) return kv__commit(txn, NULL, &err);
    kv__abort(txn);
    return status;
}

static corm_status change_and_abort(kv_store *store) {
    kv_txn *txn;
    CORM_TRY(kv__write_begin(store, &txn, &err));
    corm_status status = put(txn, "aborted", 10, 1);
    kv__abort(txn);
    return status;
}

/* The first byte of a value; -1: there is none. */
static int value_of(kv_store *store, const char *name) {
    kv_txn    *txn;
    corm_bytes value;
    bool       found;
    if (kv__read_begin(store, &txn, &err) != CORM_OK) abort();
    corm_bytes key = { (const uint8_t *)name, strlen(name) };
    if (kv__get(txn, KV_DATA, key, &value, &found, &err) != CORM_OK) abort();
    int first = found ? value.data[0] : -1;
    kv__read_end(txn);
    return first;
}

static kv_store *open_cut(void) {
    kv_store *store = open_store(cut);
    if (!store) fail_msg("%s", err.message);
    assert_ok(kv__check(store, &err), err);
    return store;
}

/* ---- processes ---- */

static kv_fault_point die_at; /* the first time behind a record; KV_FAULT_BEGIN: not */
static const char    *folder_now;

static int watch(void *context, kv_fault_point point) {
    static bool has_record;
    char        path[64];
    (void)context;
    if (point == KV_FAULT_LOG_COMMIT) has_record = true;
    if (die_at == point && has_record) raise(SIGKILL);
    if (point == KV_FAULT_LOG_SYNCED || point == KV_FAULT_CHECK_DONE) {
        snprintf(path, sizeof path, "%s/log.corm", folder_now);
        copy_file(path, "durable.log");
        has_record = false;
    }
    if (point == KV_FAULT_CHECK_HEAD) {
        snprintf(path, sizeof path, "%s/data.mdb", folder_now);
        copy_file(path, "synced.mdb");
    }
    return 0;
}

static kv_store *open_watched(const char *path) {
    folder_now = path;
    kv_store *store = open_store(path);
    if (!store) _exit(9);
    kv__set_fault(store, watch, NULL);
    return store;
}

static int in_child(int (*body)(void)) {
    int how = 0;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) _exit(body());
    assert_int_equal(waitpid(pid, &how, 0), pid);
    return WIFEXITED(how) ? WEXITSTATUS(how) : 200 + WTERMSIG(how);
}

/* ---- waiting for the record before ---- */

static int die_before_the_sync(void) {
    kv_store *store = open_watched("wait");
    die_at = KV_FAULT_LOG_SYNC;
    return put_all(store, "a", 7) != CORM_OK ? 3 : 4;
}

/* The checkpoint has version 5; version 6 gives its pages up, and version 7, in another process, keeps them: its record is written,
 * but not on disk. Version 8 writes to them. */
static int write_over_kept_pages(void) {
    kv_store *store = open_watched("wait");
    for (uint8_t i = 1; i <= 5; i++)
        if (put_all(store, "a", i) != CORM_OK) return 1;
    if (kv__checkpoint(store, true, &err) != CORM_OK || put_all(store, "a", 6) != CORM_OK) return 2;
    if (in_child(die_before_the_sync) != 200 + SIGKILL) return 3;
    die_at = KV_FAULT_LOG_SYNC;
    return put_all(store, "a", 8) != CORM_OK ? 4 : 5;
}

static void kept_pages_are_on_disk_before_they_are_written_over(void **state) {
    (void)state;
    assert_int_equal(in_child(write_over_kept_pages), 200 + SIGKILL);
    cut_power("wait/data.mdb", "durable.log");
    kv_store *store = open_cut();
    int       version = value_of(store, "a0");
    assert_true(version == 6 || version == 7);
    for (int i = 0; i < KEYS; i++) {
        char name[20];
        snprintf(name, sizeof name, "a%d", i);
        assert_int_equal(value_of(store, name), version);
    }
    kv__close(store);
}

/* ---- the mark ---- */

static int die_with_a_record(void) {
    kv_store *store = open_watched("mark");
    if (put_one(store, "first", 10) != CORM_OK) return 1;
    die_at = KV_FAULT_LOG_COMMIT;
    return put_one(store, "stale", 10) != CORM_OK ? 2 : 3;
}

static int die_without_a_record(void) {
    kv_store *store = open_watched("mark");
    store->log.largest = 5000;
    die_at = KV_FAULT_CHECK_SYNC; /* LMDB has committed */
    return put_one(store, "large", 9000) != CORM_OK ? 2 : 3;
}

static int build_upon_it(void) {
    return put_one(open_watched("mark"), "after", 10) != CORM_OK;
}

/* Its number is that of a record which another process left behind. */
static void what_was_not_logged_is_not_taken_for_a_record_that_is_there(void **state) {
    (void)state;
    assert_int_equal(in_child(die_with_a_record), 200 + SIGKILL);
    assert_int_equal(in_child(die_without_a_record), 200 + SIGKILL);
    assert_int_equal(in_child(build_upon_it), 0);
    cut_power("synced.mdb", "durable.log");
    kv_store *store = open_cut();
    assert_int_equal(value_of(store, "first"), 1);
    assert_int_equal(value_of(store, "stale"), -1);
    assert_int_equal(value_of(store, "large"), 1);
    assert_int_equal(value_of(store, "after"), 1);
    kv__close(store);
}

/* ---- pages that were kept for nothing ---- */

static void say(int file) {
    if (write(file, "x", 1) != 1) abort();
}

static void hear(int file) {
    char byte;
    if (read(file, &byte, 1) != 1) _exit(8);
}

static int keep_and_go_on(int in, int out) {
    hear(in);
    kv_store *store = open_store("kept");
    if (!store || change_and_abort(store) != CORM_OK) return 1;
    say(out);
    hear(in);
    return put_one(store, "acked", 10) != CORM_OK;
}

/* Who made the checkpoint knows which of its pages were free, the other does not and keeps more. */
static void pages_that_another_kept_stay_where_they_are(void **state) {
    (void)state;
    int to[2], from[2], how;
    assert_int_equal(pipe(to), 0);
    assert_int_equal(pipe(from), 0);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) _exit(keep_and_go_on(to[0], from[1]));
    kv_store *store = open_store("kept");
    for (uint8_t i = 1; i <= 5; i++) assert_ok(put_all(store, "am", i), err);
    assert_ok(kv__checkpoint(store, true, &err), err);
    assert_ok(put_all(store, "a", 6), err);
    assert_ok(put_all(store, "am", 7), err);
    say(to[1]);
    hear(from[0]);
    assert_ok(change_and_abort(store), err);
    say(to[1]);
    assert_int_equal(waitpid(pid, &how, 0), pid);
    assert_int_equal(how, 0);
    cut_power("kept/data.mdb", "kept/log.corm");
    kv__close(store);
    store = open_cut();
    assert_int_equal(value_of(store, "a0"), 7);
    assert_int_equal(value_of(store, "acked"), 1);
    kv__close(store);
    for (int i = 0; i < 2; i++) {
        close(to[i]);
        close(from[i]);
    }
}

/* ---- a record that is taken back ---- */

static int write_meanwhile(int in, int out) {
    hear(in);
    kv_store *store = open_store("back");
    if (!store || put_one(store, "other", 10) != CORM_OK) return 1;
    say(out);
    return 0;
}

typedef struct other {
    int failures, to, from;
} other;

static int fail_and_let_others_write(void *context, kv_fault_point point) {
    other *o = context;
    if (point == KV_FAULT_LOG_COMMIT && o->failures++ == 0) return EIO;
    if (point == KV_FAULT_LOG_BACK) {
        say(o->to);
        hear(o->from);
    }
    return 0;
}

static void a_record_is_taken_back_only_where_no_other_is(void **state) {
    (void)state;
    int to[2], from[2], how;
    assert_int_equal(pipe(to), 0);
    assert_int_equal(pipe(from), 0);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        close(from[0]);
        _exit(write_meanwhile(to[0], from[1]));
    }
    close(from[1]);
    other     o = { .to = to[1], .from = from[0] };
    kv_store *store = open_store("back");
    assert_ok(put_one(store, "first", 10), err);
    copy_file("back/data.mdb", "first.mdb");
    kv__set_fault(store, fail_and_let_others_write, &o);
    assert_int_not_equal(put_one(store, "failed", 10), CORM_OK);
    kv__set_fault(store, NULL, NULL);
    assert_int_equal(waitpid(pid, &how, 0), pid);
    assert_int_equal(how, 0);
    cut_power("first.mdb", "back/log.corm");
    assert_ok(put_one(store, "later", 10), err);
    assert_int_equal(value_of(store, "other"), 1);
    kv__close(store);
    store = open_cut();
    assert_int_equal(value_of(store, "first"), 1);
    assert_int_equal(value_of(store, "failed"), -1);
    assert_int_equal(value_of(store, "other"), 1);
    kv__close(store);
    close(to[0]);
    close(to[1]);
    close(from[0]);
}

static int fail_a_commit(void *context, kv_fault_point point) {
    (void)context;
    return point == KV_FAULT_LOG_COMMIT ? EIO : 0;
}

static void what_failed_is_not_found_later(void **state) {
    (void)state;
    kv_store *store = open_store("failed");
    assert_ok(put_one(store, "first", 10), err);
    kv__set_fault(store, fail_a_commit, NULL);
    assert_int_not_equal(put_one(store, "failed", 10), CORM_OK);
    kv__set_fault(store, NULL, NULL);
    cut_power("failed/data.mdb", "failed/log.corm");
    kv__close(store);
    store = open_cut();
    assert_int_equal(value_of(store, "first"), 1);
    assert_int_equal(value_of(store, "failed"), -1);
    kv__close(store);
}

/* ---- opening ---- */

/* Another process may be writing to the log just then. */
static void opening_does_not_change_the_length_of_the_log(void **state) {
    (void)state;
    struct stat about;
    kv_store   *store = open_store("short");
    assert_int_equal(stat("short/log.corm", &about), 0);
    assert_int_equal(about.st_size, 0);
    assert_ok(put_one(store, "first", 10), err);
    cut_power("short/data.mdb", "short/log.corm");
    kv__close(store);
    store = open_cut();
    assert_int_equal(value_of(store, "first"), 1);
    kv__close(store);
}

static int count_syncs(void *context, kv_fault_point point) {
    if (point == KV_FAULT_CHECK_SYNC) ++*(int *)context;
    return 0;
}

static void the_data_of_a_copied_folder_is_put_on_disk_before_it_is_relied_on(void **state) {
    (void)state;
    int       syncs = 0;
    kv_store *store = open_store("original");
    assert_ok(put_one(store, "first", 10), err);
    kv__close(store);
    make_folder("copy", "original/data.mdb", "original/log.corm");
    store = open_store("copy");
    assert_non_null(store);
    kv__set_fault(store, count_syncs, &syncs);
    assert_ok(put_one(store, "second", 10), err);
    assert_int_equal(syncs, 1);
    kv__set_fault(store, NULL, NULL);
    kv__close(store);
}

static const char *active = "active";

static int write_and_stay_active(void) {
    return put_one(open_watched(active), "first", 10) != CORM_OK;
}

static int open_the_copy(void) {
    kv_store *store = open_store("taken");
    return !store || value_of(store, "first") != 1;
}

static bool somebody_waits_for(const char *path) {
    struct stat about;
    char        line[300], inode[40];
    bool        found = false;
    assert_int_equal(stat(path, &about), 0);
    snprintf(inode, sizeof inode, ":%llu ", (unsigned long long)about.st_ino);
    FILE *locks = fopen("/proc/locks", "r");
    assert_non_null(locks);
    while (fgets(line, sizeof line, locks))
        found = found || (strstr(line, "->") && strstr(line, inode));
    fclose(locks);
    return found;
}

/* One has the lock to recover, and dies; the other must not take the store for one that is in use. */
static void who_waited_for_a_recovery_that_was_cut_short_does_it(void **state) {
    (void)state;
    int how = 0;
    assert_int_equal(in_child(write_and_stay_active), 0);
    make_folder("taken", "synced.mdb", "active/log.corm");
    int log = open("taken/log.corm", O_RDWR | O_CLOEXEC);
    assert_int_equal(flock(log, LOCK_EX), 0);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        close(log);
        _exit(open_the_copy());
    }
    pid_t done = 0;
    while (!somebody_waits_for("taken/log.corm") && (done = waitpid(pid, &how, WNOHANG)) == 0)
        sched_yield();
    close(log);
    if (done == 0) assert_int_equal(waitpid(pid, &how, 0), pid);
    assert_int_equal(how, 0);
}

/* In a chroot without /proc, for instance. */
static void a_log_is_played_back_where_boots_have_no_id(void **state) {
    (void)state;
    active = "chroot";
    kv__set_boot_file("there is none");
    assert_int_equal(in_child(write_and_stay_active), 0);
    copy_file("synced.mdb", "chroot/data.mdb");
    kv_store *store = open_store("chroot");
    assert_non_null(store);
    kv_store *again = open_store("chroot");
    kv__set_boot_file(NULL);
    assert_int_equal(value_of(store, "first"), 1);
    kv__close(store);
    kv__close(again);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(kept_pages_are_on_disk_before_they_are_written_over),
    cmocka_unit_test(what_was_not_logged_is_not_taken_for_a_record_that_is_there),
    cmocka_unit_test(pages_that_another_kept_stay_where_they_are),
    cmocka_unit_test(a_record_is_taken_back_only_where_no_other_is),
    cmocka_unit_test(what_failed_is_not_found_later),
    cmocka_unit_test(opening_does_not_change_the_length_of_the_log),
    cmocka_unit_test(the_data_of_a_copied_folder_is_put_on_disk_before_it_is_relied_on),
    cmocka_unit_test(who_waited_for_a_recovery_that_was_cut_short_does_it),
    cmocka_unit_test(a_log_is_played_back_where_boots_have_no_id),
};

RUN_TESTS()
