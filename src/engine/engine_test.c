// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "engine/core.h"
#include "testing/store.h"

static corm_error err;

static engine *open_folder(const char *path) {
    engine *store = NULL;
    assert_ok(engine__open(&(engine_options){ .path = path, .map_bytes = (uint64_t)16 << 20 },
                           &store, &err),
              err);
    return store;
}

static void make_table(engine *store) {
    run(store,
        "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}");
    run(store, "CREATE TABLE k.t (a int PRIMARY KEY, v text)");
}

static int in_child(int (*body)(void)) {
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) _exit(body());
    int how = 0;
    assert_int_equal(waitpid(child, &how, 0), child);
    return WIFEXITED(how) ? WEXITSTATUS(how) : 200 + WTERMSIG(how);
}

/* ---- opening ---- */

static void rows_and_schema_are_there_after_reopening(void **state) {
    (void)state;
    engine *store = open_folder("kept");
    make_table(store);
    run(store, "INSERT INTO k.t (a, v) VALUES (1, 'x')");
    corm_uuid id = store->id;
    engine__close(store);
    store = open_folder("kept");
    assert_true(corm_uuid_equal(store->id, id));
    expect(store, "SELECT * FROM k.t", "1|x");
    run(store, "ALTER TABLE k.t ADD w int");
    engine__close(store);
    store = open_folder("kept");
    expect(store, "SELECT * FROM k.t", "1|x|null");
    engine__close(store);
    engine__close(NULL);
}

static void put_meta(const char *path, const char *name, const void *data, size_t len) {
    kv_store *kv;
    kv_txn   *txn;
    assert_ok(kv__open(&(kv_options){ .path = path }, &kv, &err), err);
    assert_ok(kv__write_begin(kv, &txn, &err), err);
    assert_ok(kv__put(txn, KV_META, engine__meta_key(name), (corm_bytes){ data, len }, &err), err);
    assert_ok(kv__commit(txn, NULL, &err), err);
    kv__close(kv);
}

static corm_status open_again(const char *path) {
    engine     *store;
    corm_status status = engine__open(&(engine_options){ .path = path }, &store, &err);
    assert_true((status == CORM_OK) == (store != NULL));
    engine__close(store);
    return status;
}

static void another_format_is_refused_and_left_alone(void **state) {
    (void)state;
    engine__close(open_folder("future"));
    put_meta("future", "format", "\0\0\0\3", 4);
    assert_status(open_again("future"), CORM_VERSION);
    assert_non_null(strstr(err.message, "format 3"));
    put_meta("future", "format", "\0\0\0\1", 4);
    assert_status(open_again("future"), CORM_OK); /* raises it */
}

static void damaged_keys_of_the_store_are_named(void **state) {
    (void)state;
    static const struct {
        const char *name, *bytes;
        size_t      len;
    } faults[] = {
        { "format", "x", 1 }, { "store", "x", 1 },    { "clock", "x", 1 },
        { "serial", "x", 1 }, { "schema", "xyz", 3 },
    };
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        char path[20];
        snprintf(path, sizeof path, "damaged%zu", i);
        engine__close(open_folder(path));
        put_meta(path, faults[i].name, faults[i].bytes, faults[i].len);
        assert_status(open_again(path), CORM_CORRUPT);
    }
}

static void the_data_of_another_program_is_refused(void **state) {
    (void)state;
    put_meta("foreign", "something", "else", 4);
    assert_status(open_again("foreign"), CORM_VERSION);
}

static void a_store_that_is_not_there_is_not_made_when_it_must_exist(void **state) {
    (void)state;
    engine *store;
    assert_status(
        engine__open(&(engine_options){ .path = "nowhere", .must_exist = true }, &store, &err),
        CORM_NOT_FOUND);
    assert_int_equal(access("nowhere", F_OK), -1);
}

static void stores_in_memory_are_apart(void **state) {
    (void)state;
    engine *a = try_open(), *b = try_open();
    make_table(a);
    expect_error(b, "SELECT * FROM k.t", CORM_INVALID, "does not exist");
    assert_false(corm_uuid_equal(a->id, b->id));
    engine__close(a);
    engine__close(b);
}

static void a_relaxed_store_keeps_its_writes(void **state) {
    (void)state;
    engine *store;
    assert_ok(engine__open(&(engine_options){ .path = "relaxed", .durability = ENGINE_RELAXED },
                           &store, &err),
              err);
    make_table(store);
    run(store, "INSERT INTO k.t (a, v) VALUES (1, 'x')");
    assert_ok(engine__sync(store, &err), err);
    engine__close(store);
    store = open_folder("relaxed");
    expect(store, "SELECT * FROM k.t", "1|x");
    engine__close(store);
}

/* ---- relaxed ---- */

static engine *open_relaxed(const char *path) {
    engine *store = NULL;
    assert_ok(engine__open(&(engine_options){ .path = path,
                                              .durability = ENGINE_RELAXED,
                                              .map_bytes = (uint64_t)16 << 20 },
                           &store, &err),
              err);
    return store;
}

static void write_file(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    fclose(file);
}

static void a_relaxed_store_says_so_while_it_is_open(void **state) {
    (void)state;
    char    path[60];
    engine *store = open_relaxed("said");
    snprintf(path, sizeof path, "said/relaxed.%ld", (long)getpid());
    assert_int_equal(access(path, F_OK), 0);
    engine *durable = open_folder("said");
    assert_int_equal(access(path, F_OK), -1);
    engine__close(durable);
    engine__close(store);
    engine__close(open_relaxed("said"));
    assert_int_equal(access(path, F_OK), -1);
}

static int die_relaxed(void) {
    engine *store = open_relaxed("left");
    run(store, "INSERT INTO k.t (a, v) VALUES (1, 'x')");
    raise(SIGKILL);
    return 0;
}

static void a_killed_process_leaves_nothing_suspect(void **state) {
    (void)state;
    engine *store = open_folder("left");
    make_table(store);
    engine__close(store);
    assert_int_equal(in_child(die_relaxed), 200 + SIGKILL);
    assert_int_equal(system("ls left/relaxed.*"), 0);
    store = open_folder("left");
    assert_int_not_equal(system("ls left/relaxed.* 2>/dev/null"), 0);
    expect(store, "SELECT * FROM k.t", "1|x");
    engine__close(store);
}

static void after_a_crash_of_the_machine_a_relaxed_store_is_checked(void **state) {
    (void)state;
    engine *store = open_folder("crashed");
    make_table(store);
    run(store, "INSERT INTO k.t (a, v) VALUES (1, 'x')");
    engine__close(store);
    write_file("crashed/relaxed.1", "00000000-1111-2222-3333-444444444444");
    store = open_folder("crashed");
    expect(store, "SELECT * FROM k.t", "1|x");
    engine__close(store);
    assert_int_equal(access("crashed/relaxed.1", F_OK), -1);
}

static void what_a_crash_of_the_machine_has_torn_is_found(void **state) {
    (void)state;
    kv_store *kv;
    kv_txn   *txn;
    engine__close(open_folder("torn"));
    assert_ok(kv__open(&(kv_options){ .path = "torn" }, &kv, &err), err);
    assert_ok(kv__write_begin(kv, &txn, &err), err);
    assert_ok(kv__put(txn, KV_DATA, engine__meta_key("half a row"), engine__meta_key("x"), &err),
              err);
    assert_ok(kv__commit(txn, NULL, &err), err);
    kv__close(kv);
    assert_status(open_again("torn"), CORM_OK);
    write_file("torn/relaxed.1", "00000000-1111-2222-3333-444444444444");
    assert_status(open_again("torn"), CORM_CORRUPT);
    assert_non_null(strstr(err.message, "when the machine stopped"));
    assert_status(open_again("torn"), CORM_CORRUPT);
    int file = open("torn/data.mdb", O_WRONLY);
    assert_int_equal(pwrite(file, "nonsense", 8, 2 * 4096), 8);
    assert_int_equal(pwrite(file, "nonsense", 8, 3 * 4096), 8);
    assert_int_equal(pwrite(file, "nonsense", 8, 4 * 4096), 8);
    close(file);
    assert_status(open_again("torn"), CORM_CORRUPT);
}

static void stats_count(void **state) {
    (void)state;
    engine      *store = try_open();
    engine_stats before, after;
    make_table(store);
    engine__stats(store, &before);
    run(store, "INSERT INTO k.t (a) VALUES (1)");
    run(store, "SELECT * FROM k.t");
    engine__stats(store, &after);
    assert_int_equal(after.writes, before.writes + 1);
    assert_int_equal(after.commits, before.commits + 1);
    assert_true(after.reads > before.reads);
    assert_true(after.used_bytes > 0 && after.map_bytes >= after.used_bytes);
    engine__close(store);
}

/* ---- one folder, several engines ---- */

static void two_engines_of_one_folder_see_each_other(void **state) {
    (void)state;
    engine *a = open_folder("shared"), *b = open_folder("shared");
    make_table(a);
    run(b, "INSERT INTO k.t (a, v) VALUES (1, 'x')");
    expect(a, "SELECT * FROM k.t", "1|x");
    run(b, "ALTER TABLE k.t ADD w int");
    expect(a, "SELECT * FROM k.t", "1|x|null");
    run(a, "DROP TABLE k.t");
    expect_error(b, "SELECT * FROM k.t", CORM_INVALID, "does not exist");
    expect_error(b, "INSERT INTO k.t (a) VALUES (1)", CORM_INVALID, "does not exist");
    engine__close(a);
    run(b, "CREATE TABLE k.u (a int PRIMARY KEY)");
    expect(b, "SELECT * FROM k.u", "");
    engine__close(b);
}

static int change_the_schema(void) {
    engine *store = open_folder("processes");
    run(store, "ALTER TABLE k.t ADD w int");
    run(store, "INSERT INTO k.t (a, v, w) VALUES (2, 'child', 7)");
    engine__close(store);
    return 0;
}

static void another_process_may_change_data_and_schema(void **state) {
    (void)state;
    engine              *store = open_folder("processes");
    const wire_prepared *select;
    make_table(store);
    select = prepare(store, "SELECT * FROM k.t");
    run(store, "INSERT INTO k.t (a, v) VALUES (1, 'x')");
    assert_int_equal(in_child(change_the_schema), 0);
    expect(store, "SELECT * FROM k.t", "1|x|null; 2|child|7");
    expect_prepared(store, select, 0, NULL, "1|x|null; 2|child|7");
    run(store, "INSERT INTO k.t (a, w) VALUES (3, 3)");
    engine__prepared_unref(select);
    engine__close(store);
}

static int write_and_die(void) {
    engine *store = open_folder("killed");
    for (int i = 0;; i++) {
        char text[80];
        snprintf(text, sizeof text, "INSERT INTO k.t (a, v) VALUES (%d, 'written before death')",
                 i);
        run(store, text);
        if (i == 50) {
            kv_txn *txn;
            if (kv__write_begin(store->kv, &txn, &err) != CORM_OK) return 1;
            raise(SIGKILL);
        }
    }
}

static void a_killed_writer_loses_nothing_and_blocks_nobody(void **state) {
    (void)state;
    engine *store = open_folder("killed");
    make_table(store);
    assert_int_equal(in_child(write_and_die), 200 + SIGKILL);
    expect(store, "SELECT count(*) FROM k.t", "51");
    run(store, "INSERT INTO k.t (a) VALUES (1000)");
    assert_ok(engine__verify(store, &err), err);
    engine__close(store);
}

static engine *inherited;

static int use_inherited(void) {
    engine_client client = { .keyspace = "" };
    wire_answer   answer = { 0 };
    wire_request  request = { .kind = WIRE_QUERY, .text = corm_str_of("SELECT * FROM k.t") };
    uint64_t      reclaimed;
    if (engine__execute(inherited, &client, &request, &answer, &err) != CORM_UNSUPPORTED) return 1;
    if (!strstr(err.message, "fork()")) return 2;
    if (engine__reclaim(inherited, 0, &reclaimed, &err) != CORM_UNSUPPORTED) return 3;
    if (engine__verify(inherited, &err) != CORM_UNSUPPORTED) return 4;
    engine__close(inherited);
    return 0;
}

static void a_child_is_told_to_open_the_store_anew(void **state) {
    (void)state;
    inherited = open_folder("inherited");
    make_table(inherited);
    assert_int_equal(in_child(use_inherited), 0);
    expect(inherited, "SELECT * FROM k.t", "");
    engine__close(inherited);
}

/* ---- time ---- */

static _Atomic int64_t fake_us = 1700000000000000;

static int64_t fake_now(void) {
    return fake_us;
}

static engine *open_with_clock(const char *path) {
    engine *store = NULL;
    assert_ok(engine__open(&(engine_options){ .path = path, .now_us = fake_now }, &store, &err),
              err);
    return store;
}

static void timestamps_increase_though_the_clock_stands_still_or_goes_back(void **state) {
    (void)state;
    engine *store = open_with_clock("clock");
    make_table(store);
    int64_t first = engine__timestamp(store);
    assert_true(first >= fake_us);
    assert_int_equal(engine__timestamp(store), first + 1);
    fake_us += 1000000;
    assert_int_equal(engine__timestamp(store), fake_us);
    run(store, "INSERT INTO k.t (a, v) VALUES (1, 'new')");
    int64_t last = engine__timestamp(store);
    engine__close(store);
    fake_us -= 5000000;
    store = open_with_clock("clock");
    assert_true(engine__timestamp(store) >= last);
    run(store, "INSERT INTO k.t (a, v) VALUES (1, 'newer')");
    expect(store, "SELECT v FROM k.t", "newer");
    engine__close(store);
}

static void engines_that_share_a_folder_share_its_time(void **state) {
    (void)state;
    engine *a = open_with_clock("both"), *b = open_with_clock("both");
    make_table(a);
    for (int i = 0; i < 20; i++) {
        char text[80];
        snprintf(text, sizeof text, "INSERT INTO k.t (a, v) VALUES (1, '%d')", i);
        run(i % 3 ? a : b, text);
        snprintf(text, sizeof text, "%d", i);
        expect(i % 2 ? a : b, "SELECT v FROM k.t", text);
    }
    engine__close(a);
    engine__close(b);
}

typedef struct taker {
    engine   *store;
    int64_t   taken[1000];
    pthread_t thread;
} taker;

static void *take_timestamps(void *context) {
    taker *t = context;
    for (size_t i = 0; i < 1000; i++) t->taken[i] = engine__timestamp(t->store);
    return NULL;
}

static int compare_times(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void no_two_threads_get_the_same_timestamp(void **state) {
    (void)state;
    engine        *store = try_open();
    static taker   takers[4];
    static int64_t all[4000];
    for (int i = 0; i < 4; i++) {
        takers[i].store = store;
        assert_int_equal(pthread_create(&takers[i].thread, NULL, take_timestamps, &takers[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(takers[i].thread, NULL);
        for (int j = 1; j < 1000; j++) assert_true(takers[i].taken[j] > takers[i].taken[j - 1]);
        memcpy(all + 1000 * i, takers[i].taken, sizeof takers[i].taken);
    }
    qsort(all, 4000, sizeof *all, compare_times);
    for (int i = 1; i < 4000; i++) assert_true(all[i] > all[i - 1]);
    engine__close(store);
}

/* ---- size ---- */

static long resident_kb(void) {
    char  line[200];
    long  kb = 0;
    FILE *status = fopen("/proc/self/status", "r");
    assert_non_null(status);
    while (fgets(line, sizeof line, status)) {
        if (strncmp(line, "RssAnon:", 8) == 0) kb = strtol(line + 8, NULL, 10);
    }
    fclose(status);
    return kb;
}

static void an_open_store_is_small(void **state) {
    (void)state;
    long    before = resident_kb();
    engine *store = open_folder("small");
    make_table(store);
    run(store, "INSERT INTO k.t (a) VALUES (1)");
    run(store, "SELECT * FROM k.t");
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    assert_true(resident_kb() - before < 2048);
#else
    (void)before;
#endif
    engine__close(store);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(rows_and_schema_are_there_after_reopening),
    cmocka_unit_test(another_format_is_refused_and_left_alone),
    cmocka_unit_test(damaged_keys_of_the_store_are_named),
    cmocka_unit_test(the_data_of_another_program_is_refused),
    cmocka_unit_test(a_store_that_is_not_there_is_not_made_when_it_must_exist),
    cmocka_unit_test(stores_in_memory_are_apart),
    cmocka_unit_test(a_relaxed_store_keeps_its_writes),
    cmocka_unit_test(a_relaxed_store_says_so_while_it_is_open),
    cmocka_unit_test(a_killed_process_leaves_nothing_suspect),
    cmocka_unit_test(after_a_crash_of_the_machine_a_relaxed_store_is_checked),
    cmocka_unit_test(what_a_crash_of_the_machine_has_torn_is_found),
    cmocka_unit_test(stats_count),
    cmocka_unit_test(two_engines_of_one_folder_see_each_other),
    cmocka_unit_test(another_process_may_change_data_and_schema),
    cmocka_unit_test(a_killed_writer_loses_nothing_and_blocks_nobody),
    cmocka_unit_test(a_child_is_told_to_open_the_store_anew),
    cmocka_unit_test(timestamps_increase_though_the_clock_stands_still_or_goes_back),
    cmocka_unit_test(engines_that_share_a_folder_share_its_time),
    cmocka_unit_test(no_two_threads_get_the_same_timestamp),
    cmocka_unit_test(an_open_store_is_small),
};

RUN_TESTS()
