// SPDX-License-Identifier: MIT
/* The log's bytes, and what happens to a store when a step of writing to it fails. kv_power_test.c stops the machine. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/kv_internal.h"
#include "testing/check.h"

static corm_error err;

static corm_bytes bytes_of(const char *text) {
    return (corm_bytes){ (const uint8_t *)text, strlen(text) };
}

/* ---- bytes ---- */

static void a_head_is_read_as_it_was_written(void **state) {
    (void)state;
    uint8_t     bytes[KV_LOG_HEAD];
    kv_log_head head = { .generation = 7, .txn = 99, .active = true, .page_size = 4096 };
    kv_log_head read;
    head.start = KV_LOG_BEGIN;
    head.of = 6;
    head.salt = 12345;
    memset(head.meta, 'm', sizeof head.meta);
    memset(head.boot, 'b', sizeof head.boot);
    kv__log_head_encode(&head, bytes);
    assert_int_equal(kv__log_head_decode(bytes, &read), KV_SLOT_WHOLE);
    assert_int_equal(read.generation, 7);
    assert_int_equal(read.txn, 99);
    assert_int_equal(read.of, 6);
    assert_int_equal(read.salt, 12345);
    assert_true(read.active && !read.replaying);
    assert_memory_equal(read.meta, head.meta, sizeof head.meta);
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] ^= 1;
        assert_int_not_equal(kv__log_head_decode(bytes, &read), KV_SLOT_WHOLE);
        assert_int_equal(read.generation, 0);
        bytes[i] ^= 1;
    }
    memset(bytes, 0, sizeof bytes);
    assert_int_equal(kv__log_head_decode(bytes, &read), KV_SLOT_EMPTY);
}

static void a_record_that_was_torn_is_none(void **state) {
    (void)state;
    base_buf      record = { 0 };
    kv_log_head   head = { .of = 3, .salt = 5 };
    kv_log_record read;
    kv_log_op     op;
    bool          bad = false;
    kv__log_begin(&record);
    kv__log_put(&record, bytes_of("key"), bytes_of("value"));
    kv__log_delete(&record, bytes_of("other"));
    kv__log_seal(&record, KV_LOG_OPS, &head, 42);
    assert_true(kv__log_read(base__buf_bytes(&record), 5, &read));
    assert_int_equal(read.txn, 42);
    assert_int_equal(read.size, record.len);
    assert_true(kv__log_next(&read.body, &op, &bad));
    assert_memory_equal(op.value.data, "value", 5);
    assert_true(kv__log_next(&read.body, &op, &bad) && op.remove);
    assert_false(kv__log_next(&read.body, &op, &bad));
    assert_false(bad);
    assert_false(kv__log_read(base__buf_bytes(&record), 6, &read));
    assert_false(kv__log_read((corm_bytes){ record.data, record.len - 1 }, 5, &read));
    size_t body = KV_LOG_RECORD + base__load_u32(record.data + 4);
    for (size_t i = 0; i < body; i++) {
        record.data[i] ^= 4;
        assert_false(kv__log_read(base__buf_bytes(&record), 5, &read));
        record.data[i] ^= 4;
    }
    base__buf_free(&record);
}

/* ---- a store ---- */

static kv_store *open_folder(const char *path, bool relaxed) {
    kv_store  *store = NULL;
    kv_options how = { .path = path, .relaxed = relaxed, .map_bytes = (uint64_t)64 << 20 };
    assert_ok(kv__open(&how, &store, &err), err);
    return store;
}

static corm_status put_number(kv_store *store, uint32_t number, size_t size) {
    kv_txn  *txn;
    uint8_t  key[4];
    uint8_t *value = calloc(1, size);
    assert_non_null(value);
    base__store_u32(key, number);
    corm_status status = kv__write_begin(store, &txn, &err);
    if (status == CORM_OK) {
        status = kv__put(txn, KV_DATA, (corm_bytes){ key, 4 }, (corm_bytes){ value, size }, &err);
        if (status == CORM_OK)
            status = kv__commit(txn, NULL, &err);
        else
            kv__abort(txn);
    }
    free(value);
    return status;
}

static bool has_number(kv_store *store, uint32_t number) {
    kv_txn    *txn;
    corm_bytes value;
    bool       found;
    uint8_t    key[4];
    base__store_u32(key, number);
    assert_ok(kv__read_begin(store, &txn, &err), err);
    assert_ok(kv__get(txn, KV_DATA, (corm_bytes){ key, 4 }, &value, &found, &err), err);
    kv__read_end(txn);
    return found;
}

/* The head that counts in a file, with another boot's id when told so. */
static kv_log_head head_of(const char *path, bool forge) {
    kv_log_head head;
    int         slot, file = open(path, O_RDWR);
    assert_true(file >= 0);
    assert_ok(kv__log_load(file, &head, &slot, &err), err);
    if (forge) {
        memset(head.boot, 'x', sizeof head.boot);
        assert_int_equal(kv__log_write_head(file, &head, slot), 0);
    }
    close(file);
    return head;
}

static void the_log_rests_when_the_store_is_closed(void **state) {
    (void)state;
    kv_store *store = open_folder("rests", false);
    assert_ok(put_number(store, 1, 10), err);
    assert_true(head_of("rests/log.corm", false).active);
    assert_ok(kv__sync(store, &err), err);
    assert_false(head_of("rests/log.corm", false).active);
    assert_ok(put_number(store, 2, 10), err);
    kv__close(store);
    assert_false(head_of("rests/log.corm", false).active);
    assert_int_equal(unlink("rests/log.corm"), 0);
    store = open_folder("rests", false);
    assert_true(has_number(store, 1) && has_number(store, 2));
    kv__close(store);
}

static void a_relaxed_writer_puts_the_log_to_rest_first(void **state) {
    (void)state;
    int       how;
    kv_store *store = open_folder("mixed", false);
    assert_ok(put_number(store, 1, 10), err);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        kv_store *relaxed = open_folder("mixed", true);
        _exit(put_number(relaxed, 2, 10) != CORM_OK || head_of("mixed/log.corm", false).active);
    }
    assert_int_equal(waitpid(pid, &how, 0), pid);
    assert_int_equal(how, 0);
    assert_ok(put_number(store, 3, 10), err);
    assert_true(head_of("mixed/log.corm", false).active);
    for (uint32_t i = 1; i <= 3; i++) assert_true(has_number(store, i));
    kv__close(store);
}

static void a_long_log_begins_anew_behind_a_checkpoint(void **state) {
    (void)state;
    struct stat about;
    kv_store   *store = open_folder("anew", false);
    store->log.limit = 200000;
    for (uint32_t i = 0; i < 400; i++) assert_ok(put_number(store, i, 3000), err);
    assert_true(head_of("anew/log.corm", false).generation > 3);
    assert_int_equal(stat("anew/log.corm", &about), 0);
    assert_true(about.st_size < 1000000);
    assert_ok(kv__check(store, &err), err);
    kv__close(store);
}

static void what_is_too_large_for_a_record_is_on_disk_with_a_checkpoint(void **state) {
    (void)state;
    kv_store *store = open_folder("large", false);
    assert_ok(put_number(store, 1, 10), err);
    uint64_t generation = head_of("large/log.corm", false).generation;
    assert_ok(put_number(store, 2, 5 << 20), err);
    assert_int_equal(head_of("large/log.corm", false).generation, generation + 1);
    assert_ok(put_number(store, 3, 10), err);
    assert_true(has_number(store, 2) && has_number(store, 3));
    kv__close(store);
}

/* ---- another boot ---- */

static int write_and_die(void) {
    kv_store *store = open_folder("stopped", false);
    for (uint32_t i = 0; i < 20; i++)
        if (put_number(store, i, 100) != CORM_OK) return 1;
    raise(SIGKILL);
    return 2;
}

static int in_child(int (*body)(void)) {
    int how = 0;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) _exit(body());
    assert_int_equal(waitpid(pid, &how, 0), pid);
    return WIFEXITED(how) ? WEXITSTATUS(how) : 200 + WTERMSIG(how);
}

static void a_stopped_machine_needs_one_opening_for_writing(void **state) {
    (void)state;
    kv_store *store;
    assert_int_equal(in_child(write_and_die), 200 + SIGKILL);
    kv_options how = { .path = "stopped", .read_only = true };
    assert_ok(kv__open(&how, &store, &err), err); /* killed only: the system has all */
    assert_true(has_number(store, 19));
    kv__close(store);
    head_of("stopped/log.corm", true);
    assert_status(kv__open(&how, &store, &err), CORM_INVALID);
    assert_non_null(strstr(err.message, "open it for writing once"));
    store = open_folder("stopped", false);
    for (uint32_t i = 0; i < 20; i++) assert_true(has_number(store, i));
    kv__close(store);
    assert_ok(kv__open(&how, &store, &err), err);
    kv__close(store);
}

static void the_data_of_another_store_is_not_touched(void **state) {
    (void)state;
    kv_store *store = open_folder("foreign", false);
    assert_ok(put_number(store, 1, 10), err);
    kv__close(store);
    assert_int_equal(in_child(write_and_die), 200 + SIGKILL);
    head_of("stopped/log.corm", true);
    assert_int_equal(rename("foreign/data.mdb", "stopped/data.mdb"), 0);
    kv_options how = { .path = "stopped" };
    assert_status(kv__open(&how, &store, &err), CORM_CORRUPT);
    assert_non_null(strstr(err.message, "does not belong"));
    assert_int_equal(unlink("stopped/log.corm"), 0);
    assert_int_equal(unlink("stopped/lock.mdb"), 0);
    store = open_folder("stopped", false);
    assert_true(has_number(store, 1));
    kv__close(store);
}

static void heads_that_are_both_damaged_are_told(void **state) {
    (void)state;
    kv_store *store = open_folder("heads", false);
    assert_ok(put_number(store, 1, 10), err);
    kv__close(store);
    int file = open("heads/log.corm", O_RDWR);
    for (off_t at = 40; at < KV_LOG_BEGIN; at += KV_LOG_SLOT)
        assert_int_equal(pwrite(file, "damage", 6, at), 6);
    close(file);
    assert_status(kv__open(&(kv_options){ .path = "heads" }, &store, &err), CORM_CORRUPT);
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

/* What failed is not there, or is there and the process writes no more; what was acknowledged is there in any case. */
static void a_fault_at_any_step_loses_nothing(void **state) {
    (void)state;
    for (int point = KV_FAULT_LOG_APPEND; point <= KV_FAULT_CHECK_WROTE; point++) {
        for (int skip = 0; skip < 2; skip++) {
            char       path[40];
            bool       acked[6];
            fault_plan plan = { (kv_fault_point)point, skip, EIO };
            snprintf(path, sizeof path, "fault%d.%d", point, skip);
            kv_store *store = open_folder(path, false);
            store->log.limit = KV_LOG_BEGIN + 20000;
            kv__set_fault(store, fail_as_planned, &plan);
            for (uint32_t i = 0; i < 6; i++) acked[i] = put_number(store, i, 9000) == CORM_OK;
            kv__set_fault(store, NULL, NULL);
            kv__close(store);
            store = open_folder(path, false);
            for (uint32_t i = 0; i < 6; i++) assert_true(!acked[i] || has_number(store, i));
            assert_ok(put_number(store, 7, 10), err);
            assert_ok(kv__check(store, &err), err);
            kv__close(store);
        }
    }
}

static void a_log_that_cannot_be_synced_ends_in_a_checkpoint(void **state) {
    (void)state;
    fault_plan plan = { KV_FAULT_LOG_SYNC, 0, EIO };
    kv_store  *store = open_folder("synced", false);
    assert_ok(put_number(store, 1, 10), err);
    uint64_t generation = head_of("synced/log.corm", false).generation;
    kv__set_fault(store, fail_as_planned, &plan);
    assert_ok(put_number(store, 2, 10), err);
    kv__set_fault(store, NULL, NULL);
    assert_int_equal(head_of("synced/log.corm", false).generation, generation + 1);
    kv__close(store);
}

static base_buf read_file(const char *path) {
    base_buf bytes = { 0 };
    int      file = open(path, O_RDONLY);
    assert_true(file >= 0);
    off_t    size = lseek(file, 0, SEEK_END);
    uint8_t *room = base__buf_grow(&bytes, (size_t)size);
    assert_non_null(room);
    assert_int_equal(pread(file, room, (size_t)size, 0), size);
    close(file);
    return bytes;
}

/* What the system had in memory of the file is gone: it is as it was, with nothing behind. */
static void forget_writes(const char *path, const base_buf *before) {
    int file = open(path, O_RDWR);
    assert_true(file >= 0);
    off_t size = lseek(file, 0, SEEK_END);
    assert_int_equal(pwrite(file, before->data, before->len, 0), before->len);
    assert_int_equal(ftruncate(file, (off_t)before->len), 0);
    assert_int_equal(ftruncate(file, size), 0);
    close(file);
}

typedef struct neighbour {
    pid_t pid;
    int   go, said;
} neighbour;

/* Another process with the folder open, which writes when it is told to. */
static neighbour open_next_door(const char *path) {
    int       to[2], from[2];
    neighbour out;
    assert_int_equal(pipe(to), 0);
    assert_int_equal(pipe(from), 0);
    out.pid = fork();
    assert_true(out.pid >= 0);
    if (out.pid == 0) {
        char      byte = 0;
        kv_store *store = open_folder(path, false);
        bool      ok = write(from[1], "o", 1) == 1 && read(to[0], &byte, 1) == 1;
        ok = ok && put_number(store, 100, 10) == CORM_IO && write(from[1], "w", 1) == 1;
        ok = ok && read(to[0], &byte, 1) == 1;
        kv__close(store);
        _exit(ok ? 0 : 1);
    }
    out.go = to[1];
    out.said = from[0];
    close(to[0]);
    close(from[1]);
    return out;
}

static void hear(const neighbour *of, char what) {
    char byte = 0;
    assert_int_equal(read(of->said, &byte, 1), 1);
    assert_int_equal(byte, what);
}

static void wait_for_end(const neighbour *of) {
    int how;
    assert_int_equal(waitpid(of->pid, &how, 0), of->pid);
    assert_true(WIFEXITED(how) && WEXITSTATUS(how) == 0);
    close(of->go);
    close(of->said);
}

static void data_that_could_not_be_synced_comes_from_the_log(void **state) {
    (void)state;
    fault_plan plan = { KV_FAULT_DATA_SYNC, 0, EIO };
    neighbour  other = open_next_door("lost");
    hear(&other, 'o');
    kv_store *store = open_folder("lost", false);
    assert_ok(put_number(store, 0, 100), err);
    base_buf synced = read_file("lost/data.mdb");
    for (uint32_t i = 1; i < 20; i++) assert_ok(put_number(store, i, 1500), err);
    kv__set_fault(store, fail_as_planned, &plan);
    assert_status(kv__checkpoint(store, true, &err), CORM_IO);
    assert_status(put_number(store, 21, 10), CORM_IO);
    kv__set_fault(store, NULL, NULL);
    kv__close(store);
    assert_int_equal(write(other.go, "w", 1), 1);
    hear(&other, 'w');
    assert_status(kv__open(&(kv_options){ .path = "lost" }, &store, &err), CORM_IO);
    assert_status(kv__open(&(kv_options){ .path = "lost", .read_only = true }, &store, &err),
                  CORM_INVALID);
    assert_int_equal(write(other.go, "e", 1), 1);
    wait_for_end(&other);
    forget_writes("lost/data.mdb", &synced);
    store = open_folder("lost", false);
    for (uint32_t i = 0; i < 20; i++) assert_true(has_number(store, i));
    assert_ok(kv__check(store, &err), err);
    assert_ok(put_number(store, 22, 10), err);
    kv__close(store);
    base__buf_free(&synced);
}

static int fill_the_disk(void) {
    struct rlimit limit;
    kv_store     *store = open_folder("full", false);
    uint32_t      count = 0;
    signal(SIGXFSZ, SIG_IGN);
    if (put_number(store, count++, 100) != CORM_OK) return 1;
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = 90000; /* the log has less than that, and goes round */
    setrlimit(RLIMIT_FSIZE, &limit);
    for (; count < 300; count++)
        if (put_number(store, 0, 100 + count) != CORM_OK) return 2;
    if (put_number(store, 1, 200000) != CORM_DISK_FULL) return 3;
    if (has_number(store, 1) || put_number(store, 2, 100) != CORM_OK) return 4;
    kv__close(store);
    return 0;
}

static void a_full_disk_makes_the_log_go_round(void **state) {
    (void)state;
    assert_int_equal(in_child(fill_the_disk), 0);
    kv_store *store = open_folder("full", false);
    assert_true(has_number(store, 0) && !has_number(store, 1) && has_number(store, 2));
    assert_ok(kv__check(store, &err), err);
    kv__close(store);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_head_is_read_as_it_was_written),
    cmocka_unit_test(a_record_that_was_torn_is_none),
    cmocka_unit_test(the_log_rests_when_the_store_is_closed),
    cmocka_unit_test(a_relaxed_writer_puts_the_log_to_rest_first),
    cmocka_unit_test(a_long_log_begins_anew_behind_a_checkpoint),
    cmocka_unit_test(what_is_too_large_for_a_record_is_on_disk_with_a_checkpoint),
    cmocka_unit_test(a_stopped_machine_needs_one_opening_for_writing),
    cmocka_unit_test(the_data_of_another_store_is_not_touched),
    cmocka_unit_test(heads_that_are_both_damaged_are_told),
    cmocka_unit_test(a_fault_at_any_step_loses_nothing),
    cmocka_unit_test(a_log_that_cannot_be_synced_ends_in_a_checkpoint),
    cmocka_unit_test(data_that_could_not_be_synced_comes_from_the_log),
    cmocka_unit_test(a_full_disk_makes_the_log_go_round),
};

RUN_TESTS()
