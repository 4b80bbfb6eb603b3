// SPDX-License-Identifier: MIT
/* kv_power_test.c -- the machine stops, again and again, on one store.
 *
 *   children   one or two processes of some threads write transactions and count those that were acknowledged in shared memory;
 *              they are killed, by the parent or at a fault point
 *   the cut    data.mdb: each page is at random as of the last fdatasync, as of some moment since, or the newest; the log: what
 *              an fdatasync has covered is the newest, of the rest each sector is old or new; the log's head is of another boot
 *   recovery   may be killed, too, and cut again; then the store is opened and compared
 *
 * A writer's transactions follow from its number and a counter. A key of its own says how many are there: at least all that were
 * acknowledged, at most one more; and all its other keys must be as those left them.
 *
 * CORM_POWER_ROUNDS sets how many times (default 220, and no more than fit into a budget of seconds), CORM_POWER_SEED the seed. */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "engine/kv_internal.h"
#include "testing/check.h"

enum {
    PROCESSES = 2,
    THREADS = 2,
    WRITERS = PROCESSES * THREADS,
    KEYS = 40,
    PAGE = 4096,
    SECTOR = 512,
    BUDGET_S = 40
};

static corm_error err;
static uint64_t   seed = 20261129;

static uint64_t mix(uint64_t a, uint64_t b) {
    uint64_t x = a * UINT64_C(0x9E3779B97F4A7C15) + b * UINT64_C(0xD1342543DE82EF95) + seed;
    x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
    return x ^ (x >> 31);
}

/* Between parent and children. */
typedef struct shared {
    _Atomic uint64_t acked[WRITERS]; /* transactions */
    _Atomic uint64_t total;
    _Atomic uint64_t durable; /* generation << 40 | where the log is on disk up to */
    _Atomic uint64_t faults;
    uint64_t         kill_at; /* that fault, when not 0 */
    uint64_t         round;
} shared;

static shared *common;

/* ---- files ---- */

static uint8_t *read_whole(const char *path, size_t *size) {
    struct stat about = { 0 };
    int         file = open(path, O_RDONLY);
    *size = 0;
    if (file < 0 || fstat(file, &about) != 0) return NULL;
    uint8_t *data = calloc(1, (size_t)about.st_size + 1);
    ssize_t  got = data ? pread(file, data, (size_t)about.st_size, 0) : -1;
    close(file);
    if (got < 0) abort();
    *size = (size_t)got;
    return data;
}

static void write_whole(const char *path, const uint8_t *data, size_t size) {
    int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0666);
    if (file < 0 || pwrite(file, data, size, 0) != (ssize_t)size) abort();
    close(file);
}

static void copy_file(const char *from, const char *to) {
    size_t   size;
    char     path[64];
    uint8_t *data = read_whole(from, &size);
    if (!data) return;
    snprintf(path, sizeof path, "%s.%ld", to, (long)getpid());
    write_whole(path, data, size);
    if (rename(path, to) != 0) abort();
    free(data);
}

/* ---- a writer's transactions ---- */

typedef struct model {
    uint64_t count;
    uint32_t version[KEYS]; /* 0: the key is not there */
} model;

static corm_bytes key_of(uint32_t writer, uint32_t number, uint8_t room[1200]) {
    memset(room, 'k', 1200);
    base__store_u32(room, number * 2654435761u); /* writers' keys lie between each other's */
    base__store_u32(room + 4, writer);
    return (corm_bytes){ room, number % 8 == 7 ? 1100 : 8 + number % 5 };
}

static corm_bytes value_of(uint32_t writer, uint32_t number, uint32_t version) {
    static _Thread_local uint8_t room[9000];
    size_t len = version % 16 == 3 ? 6000 + number * 50 : 20 + mix(number, version) % 200;
    memset(room, (int)(version + number + writer), len);
    base__store_u32(room, version);
    return (corm_bytes){ room, len };
}

static corm_status change(kv_txn *txn, uint32_t writer, model *m, corm_error *e) {
    uint64_t random = mix(writer + 10, m->count++);
    uint8_t  room[1200];
    bool     found;
    for (uint32_t i = 0; i < 1 + random % 5; i++) {
        uint32_t   number = (uint32_t)(mix(random, i) % KEYS);
        corm_bytes key = key_of(writer, number, room);
        bool       remove = mix(random, i + 100) % 4 == 0;
        m->version[number] = remove ? 0 : (uint32_t)m->count;
        if (!txn) continue;
        if (remove)
            CORM_TRY(kv__delete(txn, KV_DATA, key, &found, e));
        else
            CORM_TRY(kv__put(txn, KV_DATA, key, value_of(writer, number, (uint32_t)m->count), e));
    }
    uint8_t count[8], name[4];
    base__store_u64(count, m->count);
    base__store_u32(name, writer);
    return txn ? kv__put(txn, KV_META, (corm_bytes){ name, 4 }, (corm_bytes){ count, 8 }, e)
               : CORM_OK;
}

static uint64_t stored_count(kv_txn *txn, uint32_t writer) {
    corm_bytes value;
    bool       found;
    uint8_t    name[4];
    base__store_u32(name, writer);
    if (kv__get(txn, KV_META, (corm_bytes){ name, 4 }, &value, &found, &err) != CORM_OK) abort();
    return found ? base__load_u64(value.data) : 0;
}

/* ---- a child ---- */

typedef struct hand {
    kv_store *store;
    uint32_t  number;
    model     model;
} hand;

static _Noreturn void give_up(const char *what) {
    fprintf(stderr, "%s\n", what);
    _exit(3);
}

static void *write_for_ever(void *context) {
    hand *self = context;
    for (;;) {
        corm_error e = { 0 };
        kv_txn    *txn;
        if (kv__write_begin(self->store, &txn, &e) != CORM_OK) give_up(e.message);
        if (change(txn, self->number, &self->model, &e) != CORM_OK) give_up(e.message);
        if (kv__commit(txn, NULL, &e) != CORM_OK) give_up(e.message);
        atomic_store(&common->acked[self->number], self->model.count);
        atomic_fetch_add(&common->total, 1);
    }
    return NULL;
}

static uint64_t mark(const kv_store *store) {
    return store->log.head.of << 40 | store->log.end;
}

static void raise_durable(uint64_t to) {
    uint64_t now = atomic_load(&common->durable);
    while (now < to && !atomic_compare_exchange_weak(&common->durable, &now, to)) continue;
}

static void maybe_die(void) {
    if (atomic_fetch_add(&common->faults, 1) + 1 == common->kill_at) raise(SIGKILL);
}

static int watch(void *context, kv_fault_point point) {
    static _Thread_local uint64_t before; /* 0: this thread has the lock, and may look */
    kv_store                     *store = context;
    if (point == KV_FAULT_LOG_COMMIT)
        before = store->log.too_large ? 0 : mark(store) + store->log.record.len;
    /* Others go on meanwhile, with what is not on disk yet. */
    for (uint64_t i = mix(before, 5) % 60; point == KV_FAULT_LOG_SYNC && before > 0 && i > 0; i--)
        sched_yield();
    if (point == KV_FAULT_LOG_SYNC && before == 0) before = mark(store);
    if (point == KV_FAULT_LOG_SYNCED) {
        raise_durable(before);
        before = 0;
    }
    if (point == KV_FAULT_CHECK_DONE) raise_durable(mark(store));
    if (point == KV_FAULT_CHECK_HEAD) {
        copy_file("now/data.mdb", "synced.mdb");
        copy_file("now/log.corm", "synced.log");
        unlink("middle.mdb");
    }
    if (point == KV_FAULT_LOG_APPEND && mix(common->round, atomic_load(&common->total)) % 64 == 0)
        copy_file("now/data.mdb", "middle.mdb");
    if (point >= KV_FAULT_LOG_APPEND) maybe_die();
    return 0;
}

static kv_store *open_store(const char *path) {
    kv_store *store = NULL;
    if (kv__open(&(kv_options){ .path = path, .map_bytes = (uint64_t)64 << 20 }, &store, &err) !=
        CORM_OK)
        return NULL;
    return store;
}

static _Noreturn void child(uint32_t process) {
    static hand writers[THREADS];
    pthread_t   threads[THREADS];
    kv_txn     *txn;
    kv_store   *store = open_store("now");
    if (!store) give_up(err.message);
    store->log.limit = KV_LOG_BEGIN + 60000 + mix(7, common->round) % 400000;
    store->log.largest = common->round % 3 == 0 ? 9000 : 1 << 20;
    kv__set_fault(store, watch, store);
    for (uint32_t i = 0; i < THREADS; i++) {
        writers[i] = (hand){ .store = store, .number = process * THREADS + i };
        if (kv__read_begin(store, &txn, &err) != CORM_OK) give_up(err.message);
        uint64_t count = stored_count(txn, writers[i].number);
        kv__read_end(txn);
        while (writers[i].model.count < count)
            if (change(NULL, writers[i].number, &writers[i].model, &err) != CORM_OK) abort();
    }
    for (uint32_t i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, write_for_ever, &writers[i]) != 0) give_up("thread");
    for (;;) pause();
}

/* ---- the cut ---- */

static void mix_data(const char *folder, const char *newest_path, uint64_t random) {
    size_t   old_size, middle_size, size;
    char     path[64];
    uint8_t *newest = read_whole(newest_path, &size);
    uint8_t *old = read_whole("synced.mdb", &old_size),
            *middle = read_whole("middle.mdb", &middle_size);
    assert_non_null(newest);
    for (size_t at = 0; old && at + PAGE <= size; at += PAGE) {
        uint64_t pick = mix(random, at) % 3;
        if (pick == 0 && at + PAGE <= old_size) memcpy(newest + at, old + at, PAGE);
        if (pick == 0 && at + PAGE > old_size) memset(newest + at, 0, PAGE);
        if (pick == 1 && middle && at + PAGE <= middle_size) memcpy(newest + at, middle + at, PAGE);
    }
    mkdir(folder, 0777);
    snprintf(path, sizeof path, "%s/lock.mdb", folder);
    unlink(path);
    snprintf(path, sizeof path, "%s/data.mdb", folder);
    write_whole(path, newest, size);
    free(newest);
    free(old);
    free(middle);
}

static void forge_boot(uint8_t *log, size_t size) {
    for (size_t at = 0; at < KV_LOG_BEGIN && at + KV_LOG_HEAD <= size; at += KV_LOG_SLOT) {
        kv_log_head head;
        if (kv__log_head_decode(log + at, &head) != KV_SLOT_WHOLE) continue;
        memset(head.boot, 'x', sizeof head.boot);
        kv__log_head_encode(&head, log + at);
    }
}

/* A head that no fdatasync has covered: the new one, the old one, or a part of each. */
static void mix_head(uint8_t *at, const uint8_t *old, uint64_t generation, uint64_t random) {
    kv_log_head head;
    if (kv__log_head_decode(at, &head) != KV_SLOT_WHOLE || head.of <= generation) return;
    if (random % 3 == 0) memcpy(at, old, KV_LOG_HEAD);
    if (random % 3 == 1) memcpy(at, old, KV_LOG_HEAD / 4);
}

static void mix_log(uint64_t random) {
    size_t   size, old_size;
    uint8_t *log = read_whole("now/log.corm", &size), *old = read_whole("synced.log", &old_size);
    uint64_t durable = atomic_load(&common->durable), generation = durable >> 40;
    uint64_t end = durable & (((uint64_t)1 << 40) - 1);
    uint8_t *before = calloc(1, 1 + (size > old_size ? size : old_size));
    assert_true(log && before);
    if (old) memcpy(before, old, old_size);
    for (size_t at = 0; at < KV_LOG_BEGIN; at += KV_LOG_SLOT)
        mix_head(log + at, before + at, generation, mix(random, at));
    for (size_t at = KV_LOG_BEGIN; at < size; at += SECTOR) {
        size_t len = size - at < SECTOR ? size - at : SECTOR, keep = at < end ? end - at : 0;
        if (keep < len && mix(random, at) % 2)
            memcpy(log + at + keep, before + at + keep, len - keep);
    }
    forge_boot(log, size);
    write_whole("cut/log.corm", log, size);
    free(log);
    free(old);
    free(before);
}

static void cut_power(uint64_t random) {
    mix_data("cut", "now/data.mdb", random);
    mix_log(random);
    copy_file("now/corm.store", "cut/corm.store");
}

/* ---- recovery ---- */

static int die_recovering(void *context, kv_fault_point point) {
    uint64_t *left = context;
    if (point == KV_FAULT_RECOVER_HEAD) copy_file("cut/data.mdb", "synced.mdb");
    if ((*left)-- == 0) raise(SIGKILL);
    return 0;
}

static uint64_t steps(void) {
    return 40 + mix(77, common->round) % 400;
}

/* Killed somewhere on the way; then the machine stops again. */
static void recover_and_die(uint64_t random) {
    int how;
    copy_file("cut/data.mdb", "synced.mdb");
    unlink("middle.mdb");
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        uint64_t left = random % 120;
        kv__set_recovery_fault(die_recovering, &left, steps());
        kv_store *store = open_store("cut");
        if (!store) give_up(err.message);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &how, 0), pid);
    if (WIFEXITED(how) && WEXITSTATUS(how) != 0)
        fail_msg("recovery failed in round %llu", (unsigned long long)common->round);
    size_t   size;
    uint8_t *log = read_whole("cut/log.corm", &size);
    forge_boot(log, size);
    write_whole("cut/log.corm", log, size);
    free(log);
    copy_file("cut/data.mdb", "newest.mdb");
    mix_data("cut", "newest.mdb", random);
}

/* ---- what is there ---- */

static void check_key(kv_txn *txn, uint32_t writer, uint32_t number, uint32_t version) {
    uint8_t    room[1200];
    corm_bytes value;
    bool       found;
    assert_ok(kv__get(txn, KV_DATA, key_of(writer, number, room), &value, &found, &err), err);
    corm_bytes expected = value_of(writer, number, version);
    if (found != (version > 0) ||
        (found && (value.len != expected.len || memcmp(value.data, expected.data, value.len) != 0)))
        fail_msg("round %llu, seed %llu: writer %u, key %u, version %u, found %u",
                 (unsigned long long)common->round, (unsigned long long)seed, writer, number,
                 version, found ? base__load_u32(value.data) : 0);
}

static void check_writer(kv_txn *txn, uint32_t writer) {
    static model models[WRITERS];
    model       *m = &models[writer];
    uint64_t     count = stored_count(txn, writer), acked = atomic_load(&common->acked[writer]);
    if (count < acked || count > acked + 1)
        fail_msg("round %llu, seed %llu: writer %u has %llu transactions, %llu were acknowledged",
                 (unsigned long long)common->round, (unsigned long long)seed, writer,
                 (unsigned long long)count, (unsigned long long)acked);
    while (m->count < count) assert_ok(change(NULL, writer, m, &err), err);
    for (uint32_t i = 0; i < KEYS; i++) check_key(txn, writer, i, m->version[i]);
    atomic_store(&common->acked[writer], count);
}

static void check_store(void) {
    kv_store *store = open_store("cut");
    kv_txn   *txn;
    if (!store) fail_msg("round %llu: %s", (unsigned long long)common->round, err.message);
    assert_ok(kv__check(store, &err), err);
    assert_ok(kv__read_begin(store, &txn, &err), err);
    for (uint32_t i = 0; i < WRITERS; i++) check_writer(txn, i);
    kv__read_end(txn);
    kv__close(store);
}

/* ---- rounds ---- */

/* What the round begins with is on disk. */
static void begin_durable(void) {
    kv_log_head head;
    int         slot, log = open("now/log.corm", O_RDONLY);
    assert_true(log >= 0);
    assert_ok(kv__log_load(log, &head, &slot, &err), err);
    close(log);
    atomic_store(&common->durable, head.of << 40 | head.start);
}

static void run_children(uint64_t random) {
    begin_durable();
    pid_t    pids[PROCESSES];
    uint32_t count = 1 + random % 2;
    uint64_t enough = atomic_load(&common->total) + (random >> 8) % 100;
    atomic_store(&common->faults, 0);
    common->kill_at = (random >> 20) % 2 ? 1 + (random >> 24) % 700 : 0;
    fflush(NULL);
    for (uint32_t i = 0; i < count; i++)
        if ((pids[i] = fork()) == 0) child(i);
    uint32_t left = count;
    int      how;
    while (left == count && atomic_load(&common->total) < enough) {
        pid_t done = waitpid(-1, &how, WNOHANG);
        if (done > 0 && WIFEXITED(how)) fail_msg("a writer ended with %d", WEXITSTATUS(how));
        for (uint32_t i = 0; done > 0 && i < count; i++)
            if (pids[i] == done) pids[i] = -1;
        left -= done > 0;
        sched_yield();
    }
    /* Who is left after a death goes on for a while. */
    for (int64_t until = base__clock_mono_ns() + 5000000;
         left < count && left > 0 && base__clock_mono_ns() < until;)
        sched_yield();
    for (uint32_t i = 0; i < count; i++) {
        if (pids[i] < 0) continue;
        kill(pids[i], SIGKILL);
        assert_int_equal(waitpid(pids[i], &how, 0), pids[i]);
        if (WIFEXITED(how)) fail_msg("a writer ended with %d", WEXITSTATUS(how));
    }
}

static void one_round(uint64_t round) {
    uint64_t random = mix(1, round);
    common->round = round;
    run_children(random);
    cut_power(random);
    for (uint64_t again = random >> 50 & 3; again > 0; again--) recover_and_die(mix(random, again));
    kv__set_recovery_fault(NULL, NULL, steps());
    check_store();
    /* The next round goes on with what was found. */
    unlink("synced.mdb");
    unlink("synced.log");
    unlink("middle.mdb");
    copy_file("cut/data.mdb", "now/data.mdb");
    copy_file("cut/log.corm", "now/log.corm");
    unlink("now/lock.mdb");
}

static void what_was_acknowledged_is_there_when_the_machine_stops(void **state) {
    (void)state;
    const char *rounds = getenv("CORM_POWER_ROUNDS"), *given = getenv("CORM_POWER_SEED");
    char        folder[] = "/dev/shm/corm-power-XXXXXX";
    char        here[1000];
    if (given) seed = strtoull(given, NULL, 10);
    assert_non_null(getcwd(here, sizeof here));
    bool in_memory =
        mkdtemp(folder) && chdir(folder) == 0; /* no disk is waited for, none is needed */
    common = mmap(NULL, sizeof *common, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(common != MAP_FAILED);
    kv_store *store = open_store("now");
    assert_non_null(store);
    kv__close(store);
    uint64_t round = 0, most = rounds ? strtoull(rounds, NULL, 10) : 220;
    int64_t  end = base__clock_mono_ns() + BUDGET_S * (int64_t)1000000000;
    for (; round < most && (rounds || base__clock_mono_ns() < end); round++) one_round(round);
    print_message("stopped %llu times; %llu transactions\n", (unsigned long long)round,
                  (unsigned long long)atomic_load(&common->total));
    if (!in_memory) return;
    assert_int_equal(system("rm -rf now cut *.mdb* *.log*"), 0);
    assert_int_equal(chdir(here), 0);
    rmdir(folder);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(what_was_acknowledged_is_there_when_the_machine_stops),
};

RUN_TESTS()
