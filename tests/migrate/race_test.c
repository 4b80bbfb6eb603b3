// SPDX-License-Identifier: MIT
/* race_test.c -- many processes migrate one keyspace at once, and are killed with SIGKILL at random moments.
 *
 *   parent   fork ──► 16 children: open a session, go up, leave with 0
 *            after a random time one of them is killed, and a new one is started in its place
 *            when all are done: one history, each migration once, the schema as it is without a race
 *
 * Half of the rounds go down again in the same way. CORM_RACE_ROUNDS sets how many (default: 6; on a cluster 2), CORM_RACE_SEED the
 * seed. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "corm/migrate.h"
#include "testing/doors.h"

enum { PROCESSES = 16, MOST_KILLS = 12, MIGRATIONS = 5 };

static uint64_t seed = 20240717;

static uint32_t below(uint32_t most) {
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(seed >> 33) % most;
}

static uint32_t setting(const char *name, uint32_t otherwise) {
    const char *text = getenv(name);
    return text && *text ? (uint32_t)strtoul(text, NULL, 10) : otherwise;
}

/* ---- the migrations ---- */

static corm_status fill(corm_session *session, void *context, corm_error *err) {
    (void)context;
    return corm_execute(session, "INSERT INTO a (k, w) VALUES (1, 'filled')", NULL,
                        { .error = err });
}

static const corm_changeset sets[MIGRATIONS] = {
    { .id = "001",
      .up = { CORM_CREATE_TABLE("a", "k int PRIMARY KEY, v int", NULL),
              CORM_CREATE_TYPE("t", "x int"), CORM_ADD_FIELD("t", "y", "text") } },
    { .id = "002",
      .up = { CORM_ADD_COLUMN("a", "w", "text"), CORM_ADD_COLUMN("a", "u", "frozen<t>"),
              CORM_CREATE_INDEX("a_v", "a", "v") } },
    { .id = "003",
      .up = { CORM_CALL(fill, NULL) },
      .down = { CORM_CQL("DELETE FROM a WHERE k = 1"), CORM_CQL("DELETE FROM a WHERE k = 2") } },
    { .id = "004",
      .up = { CORM_CREATE_TABLE("b", "k int, c int, PRIMARY KEY (k, c)", "gc_grace_seconds = 60"),
              CORM_ADD_COLUMN("b", "v", "int"), CORM_ADD_COLUMN("b", "w", "int"),
              CORM_DROP_INDEX("a_v") },
      .down = { CORM_CREATE_INDEX("a_v", "a", "v"), CORM_DROP_TABLE("b") } },
    { .id = "005",
      .up = { CORM_SET_OPTIONS("a", "comment = 'x'") },
      .down = { CORM_SET_OPTIONS("a", "comment = ''") } },
};

static const char wanted[] =
    "CREATE TYPE t (x int, y text);"
    "CREATE TABLE a (k int PRIMARY KEY, v int, w text, u frozen<t>) WITH comment = 'x';"
    "CREATE TABLE b (k int, c int, v int, w int, PRIMARY KEY (k, c)) WITH gc_grace_seconds = 60;";

/* ---- one process ---- */

static corm_migrator *open_migrator(corm_session *session) {
    corm_migrator        *migrator;
    corm_error            err = { 0 };
    corm_migrator_options options = { .lease_ms = 1000, .wait_ms = 600000 };
    assert_ok(corm_migrator_open(&migrator, session, &options, &err), err);
    for (int i = 0; i < MIGRATIONS; i++)
        assert_ok(corm_migrator_add(migrator, &sets[i], &err), err);
    return migrator;
}

static corm_session *open_session(const char *uri) {
    corm_session        *session;
    corm_error           err = { 0 };
    corm_session_options options = { .keyspace = "race", .create_keyspace = true };
    assert_ok(corm_session_open(&session, uri, &options, &err), err);
    return session;
}

/* A lease may be lost on a busy machine: whoever loses it comes again, as a program would. */
static void migrate(const char *uri, const char *to) {
    corm_session  *session = open_session(uri);
    corm_migrator *migrator = open_migrator(session);
    corm_error     err = { 0 };
    corm_status    status;
    do {
        corm_migrate_options options = { .allow_destructive = true, .to = to, .error = &err };
        status = to ? corm_migrator_down(migrator, NULL, &options)
                    : corm_migrator_up(migrator, NULL, &options);
    } while (status == CORM_LEASE_LOST || corm_status_is_retryable(status));
    if (status != CORM_OK) fprintf(stderr, "%s: %s\n", corm_status_name(status), err.message);
    corm_migrator_close(migrator);
    corm_session_close(session);
    _exit(status == CORM_OK ? 0 : 1);
}

static pid_t start(const char *uri, const char *to) {
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) migrate(uri, to);
    return child;
}

/* ---- a round ---- */

static void rest(uint32_t us) {
    struct timespec wait = { 0, (long)us * 1000 };
    nanosleep(&wait, NULL);
}

/* Children that ended by themselves must have succeeded. */
static bool is_over(pid_t child, int flags) {
    int   how;
    pid_t ended;
    do {
        ended = waitpid(child, &how, flags);
    } while (ended < 0 && errno == EINTR);
    if (ended == 0) return false;
    assert_int_equal(ended, child);
    if (WIFEXITED(how)) assert_int_equal(WEXITSTATUS(how), 0);
    return true;
}

static void race(const char *uri, const char *to, uint32_t most_us) {
    pid_t    children[PROCESSES];
    uint32_t kills = below(MOST_KILLS + 1);
    for (int i = 0; i < PROCESSES; i++) children[i] = start(uri, to);
    for (uint32_t i = 0; i < kills; i++) {
        uint32_t victim = below(PROCESSES);
        rest(below(most_us));
        if (children[victim] == 0) continue;
        kill(children[victim], SIGKILL);
        if (is_over(children[victim], 0)) children[victim] = start(uri, to);
    }
    for (int i = 0; i < PROCESSES; i++) (void)is_over(children[i], 0);
}

static void check_history(corm_migrator *migrator, uint32_t expected) {
    corm_migration_list *list;
    corm_error           err = { 0 };
    uint32_t             applied = 0;
    assert_ok(corm_migrator_status(migrator, &list, &err), err);
    assert_int_equal(list->count, MIGRATIONS);
    for (uint32_t i = 0; i < list->count; i++) {
        assert_false(list->items[i].changed || list->items[i].missing);
        assert_true(list->items[i].state == CORM_MIGRATION_APPLIED ||
                    list->items[i].state == CORM_MIGRATION_PENDING);
        applied += list->items[i].state == CORM_MIGRATION_APPLIED;
    }
    corm_migration_list_free(list);
    assert_int_equal(applied, expected);
}

static void check_nothing(corm_migrator *migrator, corm_session *session, const char *cql) {
    char      *text;
    corm_error err = { 0 };
    assert_ok(corm_migrator_verify(migrator, &text, &err), err);
    assert_string_equal(text, "");
    free(text);
    assert_ok(corm_schema_diff(session, NULL, corm_str_of(cql), NULL, true, &text, &err), err);
    assert_string_equal(text, "");
    free(text);
}

static void check(const char *uri, uint32_t applied, const char *cql) {
    corm_session  *session = open_session(uri);
    corm_migrator *migrator = open_migrator(session);
    check_history(migrator, applied);
    check_nothing(migrator, session, cql);
    corm_migrator_close(migrator);
    corm_session_close(session);
}

static void drop_keyspace(const char *uri) {
    corm_session *session = open_session(uri);
    corm_error    err = { 0 };
    assert_ok(corm_execute(session, "DROP KEYSPACE race", NULL, { .error = &err }), err);
    corm_session_close(session);
}

static void sixteen_processes_make_one_history(void **state) {
    (void)state;
    bool        cluster = testing__is_cluster();
    const char *uri = cluster ? testing__uri() : "corm:./store";
    uint32_t    rounds = setting("CORM_RACE_ROUNDS", cluster ? 2 : 6);
    uint32_t    most_us = cluster ? 800000 : 30000;
    seed = setting("CORM_RACE_SEED", 20240717);
    drop_keyspace(uri); /* what a run that failed has left */
    for (uint32_t i = 0; i < rounds; i++) {
        race(uri, NULL, most_us);
        check(uri, MIGRATIONS, wanted);
        if (i % 2 == 1) {
            race(uri, "002", most_us);
            check(
                uri, 2,
                "CREATE TYPE t (x int, y text);"
                "CREATE TABLE a (k int PRIMARY KEY, v int, w text, u frozen<t>) WITH comment = '';"
                "CREATE INDEX a_v ON a (v);");
        }
        drop_keyspace(uri);
        print_message("round %u of %u\n", (unsigned)i + 1, (unsigned)rounds);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sixteen_processes_make_one_history),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
