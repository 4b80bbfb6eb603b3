// SPDX-License-Identifier: MIT
/* race_test.c -- 64 writers in 8 processes insert, change and delete rows with few unique values, and processes are killed with
 * SIGKILL at random moments.
 *
 *   parent   fork ──► 8 children of 8 threads each: write until a number of writes is done
 *            one is killed now and then, and a new one is started in its place
 *            when all are done and a lease is over: no value has two rows, and each one without a row can be taken at once
 *
 * CORM_RACE_ROUNDS sets how many rounds (default: 3; on a cluster 1), CORM_RACE_SEED the seed. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "corm/db.h"
#include "testing/doors.h"

enum { PROCESSES = 8, THREADS = 8, VALUES = 12, ROWS = 40, MOST_KILLS = 10, LEASE_MS = 1500 };

typedef struct member {
    int32_t id;
    char    code[16];
} member;

#define COL(m) CORM_COLUMN(member, m)
static const corm_model members = {
    .table = "members",
    .row_size = sizeof(member),
    .fields = { { COL(id), .key = CORM_PARTITION }, { COL(code), .unique = true } },
};
#undef COL

typedef struct random_state {
    uint64_t seed;
} random_state;

static random_state chance = { 20240717 };

static uint32_t below(random_state *r, uint32_t most) {
    r->seed = r->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(r->seed >> 33) % most;
}

static uint32_t setting(const char *name, uint32_t otherwise) {
    const char *text = getenv(name);
    return text && *text ? (uint32_t)strtoul(text, NULL, 10) : otherwise;
}

static void rest_ms(uint32_t ms) {
    struct timespec wait = { ms / 1000, (long)(ms % 1000) * 1000000 };
    nanosleep(&wait, NULL);
}

static corm_db *open_members(const char *uri) {
    corm_db        *db;
    corm_error      err = { 0 };
    corm_db_options options = { .session = { .keyspace = "race", .create_keyspace = true },
                                .unique_lease_ms = LEASE_MS,
                                .error = &err };
    assert_ok(corm_db_open(&db, uri, &options), err);
    return db;
}

/* ---- one process ---- */

typedef struct writer {
    pthread_t    thread;
    corm_db     *db;
    random_state chance;
    uint32_t     writes;
    corm_status  failed;
    corm_error   err;
} writer;

/* A cluster may not say what became of a transaction that many fight for: the writer goes on, as after a crash. */
static bool is_expected(corm_status status) {
    return status == CORM_OK || status == CORM_NOT_UNIQUE || status == CORM_NOT_APPLIED ||
           status == CORM_CAS_WRITE_UNKNOWN || status == CORM_WRITE_TIMEOUT ||
           status == CORM_READ_TIMEOUT || status == CORM_TIMEOUT;
}

static corm_status write_one(writer *w) {
    member m = { .id = (int32_t)below(&w->chance, ROWS) };
    snprintf(m.code, sizeof m.code, "code %u", below(&w->chance, VALUES));
    switch (below(&w->chance, 4)) {
    case 0: return corm_delete(w->db, &members, &m, { .error = &w->err });
    case 1: return corm_update(w->db, &members, &m, { .if_exists = true, .error = &w->err });
    default: return corm_save(w->db, &members, &m, { .error = &w->err });
    }
}

static void *write_all(void *context) {
    writer *w = context;
    for (uint32_t i = 0; i < w->writes; i++) {
        corm_status status = write_one(w);
        if (!is_expected(status)) w->failed = status;
    }
    return NULL;
}

static void run_process(const char *uri, uint64_t seed, uint32_t writes) {
    static writer writers[THREADS];
    corm_db      *db = open_members(uri);
    int           exit_code = 0;
    for (int i = 0; i < THREADS; i++) {
        writers[i].db = db;
        writers[i].writes = writes;
        writers[i].chance.seed = seed + (uint64_t)i * 7919;
        assert_int_equal(pthread_create(&writers[i].thread, NULL, write_all, &writers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(writers[i].thread, NULL);
        if (writers[i].failed == CORM_OK) continue;
        fprintf(stderr, "%s: %s\n", corm_status_name(writers[i].failed), writers[i].err.message);
        exit_code = 1;
    }
    corm_db_close(db);
    _exit(exit_code);
}

static pid_t start(const char *uri, uint32_t writes) {
    uint64_t seed = (uint64_t)below(&chance, UINT32_MAX);
    pid_t    child = fork();
    assert_true(child >= 0);
    if (child == 0) run_process(uri, seed, writes);
    return child;
}

/* ---- a round ---- */

static void wait_for(pid_t child, bool was_killed) {
    int   how;
    pid_t ended;
    do {
        ended = waitpid(child, &how, 0);
    } while (ended < 0 && errno == EINTR);
    assert_int_equal(ended, child);
    if (!was_killed) assert_true(WIFEXITED(how) && WEXITSTATUS(how) == 0);
}

static void race(const char *uri, uint32_t writes, uint32_t most_ms) {
    pid_t    children[PROCESSES];
    uint32_t kills = 1 + below(&chance, MOST_KILLS);
    for (int i = 0; i < PROCESSES; i++) children[i] = start(uri, writes);
    for (uint32_t i = 0; i < kills; i++) {
        uint32_t victim = below(&chance, PROCESSES);
        rest_ms(below(&chance, most_ms));
        kill(children[victim], SIGKILL);
        wait_for(children[victim], true);
        children[victim] = start(uri, writes);
    }
    for (int i = 0; i < PROCESSES; i++) wait_for(children[i], false);
}

/* ---- afterwards ---- */

static int count_rows(corm_db *db, const char *code) {
    corm_rows *rows;
    corm_error err = { 0 };
    int        count = 0;
    assert_ok(corm_find(db, &members, &rows, { .error = &err }), err);
    for (CORM_EACH(member, m, rows)) count += strcmp(m->code, code) == 0;
    corm_rows_free(rows);
    return count;
}

static int32_t find_by_code(corm_db *db, const char *code) {
    corm_rows *rows;
    corm_error err = { 0 };
    assert_ok(corm_find(db, &members, &rows, { .where = { corm_eq("code", code) }, .error = &err }),
              err);
    member *m = corm_rows_first(rows);
    int32_t id = m ? m->id : -1;
    corm_rows_free(rows);
    return id;
}

/* A value that no row has is free for whoever comes now; one that a row has is that row's. */
static void check_value(corm_db *db, uint32_t which) {
    corm_error err = { 0 };
    member     fresh = { .id = 1000 + (int32_t)which };
    snprintf(fresh.code, sizeof fresh.code, "code %u", which);
    int holders = count_rows(db, fresh.code);
    assert_true(holders <= 1);
    corm_status status = corm_insert(db, &members, &fresh, { .error = &err });
    if (holders == 1) {
        assert_status(status, CORM_NOT_UNIQUE);
        assert_true(find_by_code(db, fresh.code) < 1000);
    } else {
        assert_ok(status, err);
        assert_int_equal(find_by_code(db, fresh.code), fresh.id);
    }
    assert_int_equal(count_rows(db, fresh.code), 1);
}

static void empty(corm_db *db) {
    corm_error  err = { 0 };
    const char *texts[] = { "TRUNCATE members", "TRUNCATE corm_unique" };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_ok(corm_execute(corm_db_session(db), texts[i], NULL, { .error = &err }), err);
    }
}

static void check(const char *uri) {
    corm_db *db = open_members(uri);
    rest_ms(LEASE_MS + 100);
    for (uint32_t i = 0; i < VALUES; i++) check_value(db, i);
    empty(db);
    corm_db_close(db);
}

/* The table is there before the race, so that the children only write. */
static void make_tables(const char *uri) {
    corm_error err = { 0 };
    corm_db   *db = open_members(uri);
    assert_ok(corm_load(db, &members, &err), err);
    empty(db);
    corm_db_close(db);
}

static void sixty_four_writers_that_are_killed_leave_no_value_twice_and_none_behind(void **state) {
    (void)state;
    bool        cluster = testing__is_cluster();
    const char *uri = cluster ? testing__uri() : "corm:./store?durability=relaxed";
    uint32_t    rounds = setting("CORM_RACE_ROUNDS", cluster ? 1 : 3);
    chance.seed = setting("CORM_RACE_SEED", 20240717);
    make_tables(uri);
    for (uint32_t i = 0; i < rounds; i++) {
        race(uri, cluster ? 25 : 400, cluster ? 1500 : 120);
        check(uri);
        print_message("round %u of %u\n", (unsigned)i + 1, (unsigned)rounds);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sixty_four_writers_that_are_killed_leave_no_value_twice_and_none_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
