// SPDX-License-Identifier: MIT
/* feed_kill_test.c -- exactly once, whoever is killed: a writer and a consumer of its change feed are killed at random moments, again
 * and again, and what the consumer has made of the feed is the table.
 *
 *   writer     folder "source"   random writes by some threads                         ─┐ each tells the parent
 *   consumer   the feed of it ─► folder "target": changes and position in one batch     ─┘ what it did (pipe)
 *   parent     kills one or both after a random number of those; at the end consumes the rest itself and compares
 *
 * The target also counts changes: one that came twice or never would show. CORM_KILL_SEED sets the seed, CORM_KILL_ROUNDS how many
 * rounds (default 60, and no more than fit into some seconds). */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "corm/corm.h"
#include "engine/engine.h"
#include "testing/check.h"

enum { THREADS = 3, AT_ONCE = 16, MOST_TOLD = 120 };
static const int64_t budget_ns = (int64_t)25 * 1000000000;

static uint64_t seed = 20240717;

static uint32_t dice(uint64_t *state, uint32_t sides) {
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33) % sides;
}

static _Noreturn void give_up(const char *what, const corm_error *err) {
    fprintf(stderr, "%s: %s\n", what, err->message);
    _exit(3);
}

static corm_session *open_store(const char *uri) {
    corm_session *session;
    corm_error    err = { 0 };
    if (corm_session_open(&session, uri, NULL, &err) != CORM_OK) give_up(uri, &err);
    return session;
}

static void run(corm_session *session, const char *text) {
    corm_error err = { 0 };
    if (corm_execute(session, text, NULL, { .error = &err }) != CORM_OK) give_up(text, &err);
}

/* ---- the writer ---- */

typedef struct writer {
    corm_session *session;
    uint64_t      random;
    int           pipe;
} writer;

static void write_something(corm_session *session, uint64_t *random) {
    char     text[300];
    unsigned a = dice(random, 4), b = dice(random, 6), v = dice(random, 100000);
    switch (dice(random, 10)) {
    case 0: snprintf(text, sizeof text, "DELETE FROM k.t WHERE a = %u AND b = %u", a, b); break;
    case 1: snprintf(text, sizeof text, "DELETE FROM k.t WHERE a = %u AND b > %u", a, b); break;
    case 2:
        snprintf(text, sizeof text,
                 "BEGIN BATCH INSERT INTO k.t (a, b, v) VALUES (%u, %u, %u); "
                 "UPDATE k.t SET m['x'] = %u WHERE a = %u AND b = %u; APPLY BATCH",
                 a, b, v, v, (a + 1) % 4, b);
        break;
    case 3:
        snprintf(text, sizeof text, "UPDATE k.t SET m = m + {'k%u': %u} WHERE a = %u AND b = %u",
                 v % 7, v, a, b);
        break;
    case 4:
        if (dice(random, 60) == 0) {
            snprintf(text, sizeof text, "TRUNCATE k.t");
            break;
        }
        /* fall through */
    default: snprintf(text, sizeof text, "INSERT INTO k.t (a, b, v) VALUES (%u, %u, %u)", a, b, v);
    }
    run(session, text);
}

static void *write_for_ever(void *context) {
    writer *self = context;
    for (;;) {
        write_something(self->session, &self->random);
        if (write(self->pipe, "w", 1) != 1) _exit(0);
    }
    return NULL;
}

static _Noreturn void be_writer(int pipe, uint64_t random) {
    static writer writers[THREADS];
    corm_session *session = open_store("corm:source");
    pthread_t     thread;
    for (uint64_t i = 0; i < THREADS; i++) {
        writers[i] = (writer){ session, random + i, pipe };
        if (pthread_create(&thread, NULL, write_for_ever, &writers[i]) != 0) _exit(4);
    }
    for (;;) pause();
}

/* ---- the consumer ---- */

typedef struct progress {
    bool               known;
    corm_feed_position position;
    int64_t            changes;
} progress;

static progress read_progress(corm_session *target) {
    progress     out = { 0 };
    corm_result *result;
    corm_error   err = { 0 };
    if (corm_execute(target, "SELECT place, changes FROM k.progress WHERE id = 1", &result,
                     { .error = &err }) != CORM_OK)
        give_up("progress", &err);
    const corm_row *row = corm_result_next(result);
    if (row) {
        char     text[CORM_FEED_POSITION_TEXT];
        corm_str place = corm_row_text(row, 0);
        snprintf(text, sizeof text, "%.*s", (int)place.len, place.data);
        if (corm_feed_position_parse(text, &out.position, &err) != CORM_OK) give_up(text, &err);
        out.known = true;
        out.changes = corm_row_bigint(row, 1);
    }
    corm_result_free(result);
    return out;
}

/* The order of changes as timestamps: in one batch the later change of a row must win. */
static int64_t order_of(const corm_change *change, uint32_t index) {
    return (int64_t)corm_change_commit(change) * 1000 + 10 + index;
}

static void add(corm_batch *batch, const char *text, const corm_value *values, uint32_t count) {
    corm_error err = { 0 };
    if (corm_batch_add_text(batch, text, values, count, &err) != CORM_OK) give_up(text, &err);
}

static void add_change(corm_batch *batch, const corm_change *change, uint32_t index) {
    corm_result     *key, *after;
    corm_error       err = { 0 };
    corm_value       values[5];
    char             text[300], columns[100] = "";
    const corm_row  *row, *of;
    int64_t          at = order_of(change, index);
    corm_change_kind kind = corm_change_kind_of(change);
    for (int a = 0; kind == CORM_CHANGE_TRUNCATE && a < 4; a++) {
        snprintf(text, sizeof text, "DELETE FROM k.t USING TIMESTAMP %lld WHERE a = %d",
                 (long long)at, a);
        add(batch, text, NULL, 0);
    }
    if (kind > CORM_CHANGE_EXPIRE) return;
    if (corm_change_key(change, &key, &err) != CORM_OK ||
        corm_change_after(change, &after, &err) != CORM_OK)
        give_up("change", &err);
    of = corm_result_next(key);
    row = corm_result_next(after);
    uint32_t count = corm_result_column_count(row ? after : key);
    for (uint32_t i = 0; i < count; i++) {
        corm_str name = corm_result_column_name(row ? after : key, i);
        if (corm_row_value(row ? row : of, i, &values[i], &err) != CORM_OK) give_up("value", &err);
        snprintf(columns + strlen(columns), sizeof columns - strlen(columns), "%s%.*s",
                 i ? ", " : "", (int)name.len, name.data);
    }
    if (row)
        snprintf(text, sizeof text, "INSERT INTO k.t (%s) VALUES (?, ?%s) USING TIMESTAMP %lld",
                 columns,
                 count == 2   ? ""
                 : count == 3 ? ", ?"
                              : ", ?, ?",
                 (long long)at);
    else
        snprintf(text, sizeof text, "DELETE FROM k.t USING TIMESTAMP %lld WHERE a = ? AND b = ?",
                 (long long)at);
    add(batch, text, values, count);
}

/* Takes some changes over, with the place behind them, in one batch. */
static uint32_t consume(corm_feed *feed, corm_session *target, progress *done, uint32_t wait_ms) {
    const corm_change *changes[AT_ONCE];
    char               text[200], place[CORM_FEED_POSITION_TEXT];
    uint32_t           count;
    corm_error         err = { 0 };
    if (corm_feed_read(feed, wait_ms, changes, AT_ONCE, &count, &err) != CORM_OK)
        give_up("feed", &err);
    if (count == 0) return 0;
    corm_batch *batch = corm_batch_new(target, CORM_LOGGED);
    for (uint32_t i = 0; i < count; i++) add_change(batch, changes[i], i);
    done->changes += count;
    corm_feed_position_format(corm_feed_position_of(feed), place);
    snprintf(text, sizeof text,
             "INSERT INTO k.progress (id, place, changes) VALUES (1, '%s', %lld)", place,
             (long long)done->changes);
    add(batch, text, NULL, 0);
    if (corm_batch_run(batch, NULL, &err) != CORM_OK) give_up("batch", &err);
    corm_batch_free(batch);
    return count;
}

static corm_feed *open_feed(corm_session *source, const progress *done) {
    corm_feed        *feed;
    corm_error        err = { 0 };
    corm_feed_options options = { .from = done->known ? CORM_FEED_BEHIND : CORM_FEED_OLDEST,
                                  .position = done->position };
    if (corm_feed_open(source, &options, &feed, &err) != CORM_OK) give_up("feed", &err);
    return feed;
}

static _Noreturn void be_consumer(int pipe) {
    corm_session *source = open_store("corm:source"), *target = open_store("corm:target");
    progress      done = read_progress(target);
    corm_feed    *feed = open_feed(source, &done);
    for (pid_t parent = getppid(); getppid() == parent;)
        if (consume(feed, target, &done, 1000) > 0 && write(pipe, "c", 1) != 1) break;
    _exit(0);
}

/* ---- the parent ---- */

static pid_t start(int ends[2], bool is_writer, uint64_t random) {
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid != 0) return pid;
    close(ends[0]);
    if (is_writer) be_writer(ends[1], random);
    be_consumer(ends[1]);
}

static void end(pid_t *pid) {
    int status;
    assert_int_equal(kill(*pid, SIGKILL), 0);
    assert_int_equal(waitpid(*pid, &status, 0), *pid);
    if (!WIFSIGNALED(status)) fail_msg("a child ended with %d", WEXITSTATUS(status));
    *pid = 0;
}

static void kill_many(int ends[2], uint64_t *random, int rounds) {
    pid_t   writing = 0, consuming = 0;
    int64_t until = base__clock_mono_ns() + budget_ns;
    int     round = 0;
    for (; round < rounds && base__clock_mono_ns() < until; round++) {
        char one;
        if (!writing) writing = start(ends, true, *random);
        if (!consuming) consuming = start(ends, false, 0);
        for (uint32_t told = dice(random, MOST_TOLD); told > 0; told--)
            assert_int_equal(read(ends[0], &one, 1), 1);
        uint32_t whom = dice(random, 3);
        if (whom != 0) end(&consuming);
        if (whom != 1) end(&writing);
    }
    if (writing) end(&writing);
    if (consuming) end(&consuming);
    print_message("%d rounds\n", round);
}

static void make_stores(void) {
    static const char *const keyspace =
        "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}";
    static const char *const columns =
        "CREATE TABLE k.t (a int, b int, v int, m map<text, int>, PRIMARY KEY (a, b)) WITH cdc = ";
    char          text[200];
    corm_session *source = open_store("corm:source"), *target = open_store("corm:target");
    run(source, keyspace);
    run(target, keyspace);
    snprintf(text, sizeof text, "%strue", columns);
    run(source, text);
    snprintf(text, sizeof text, "%sfalse", columns);
    run(target, text);
    run(target, "CREATE TABLE k.progress (id int PRIMARY KEY, place text, changes bigint)");
    corm_session_close(source);
    corm_session_close(target);
}

static void expect_same_rows(corm_session *one, corm_session *other) {
    corm_result    *a, *b;
    const corm_row *row, *same;
    const char     *query = "SELECT a, b, v, m FROM k.t";
    corm_error      err = { 0 };
    assert_ok(corm_execute(one, query, &a, { .error = &err }), err);
    assert_ok(corm_execute(other, query, &b, { .error = &err }), err);
    assert_int_equal(corm_result_row_count(a), corm_result_row_count(b));
    while ((row = corm_result_next(a))) {
        same = corm_result_next(b);
        for (uint32_t i = 0; i < 4; i++) {
            corm_str x = corm_row_format(row, i), y = corm_row_format(same, i);
            if (!corm_str_equal(x, y))
                fail_msg("%.*s instead of %.*s", (int)y.len, y.data, (int)x.len, x.data);
        }
    }
    corm_result_free(a);
    corm_result_free(b);
}

static void verify(const char *folder) {
    engine    *store;
    corm_error err = { 0 };
    assert_ok(engine__open(&(engine_options){ .path = folder, .must_exist = true }, &store, &err),
              err);
    assert_ok(engine__verify(store, &err), err);
    engine__close(store);
}

static void check(void) {
    corm_session   *source = open_store("corm:source"), *target = open_store("corm:target");
    progress        done = read_progress(target);
    corm_feed      *feed = open_feed(source, &done);
    corm_feed_state state;
    corm_error      err = { 0 };
    while (consume(feed, target, &done, 0) > 0) continue;
    corm_feed_close(feed);
    assert_ok(corm_feed_state_of(source, &state, &err), err);
    assert_int_equal(done.changes, state.changes);
    print_message("%lld changes\n", (long long)done.changes);
    expect_same_rows(source, target);
    corm_session_close(source);
    corm_session_close(target);
}

static void what_is_consumed_is_the_table_whoever_was_killed(void **unused) {
    (void)unused;
    const char *wanted = getenv("CORM_KILL_ROUNDS"), *given = getenv("CORM_KILL_SEED");
    int         ends[2];
    if (given) seed = strtoull(given, NULL, 10);
    uint64_t random = seed;
    assert_int_equal(pipe(ends), 0);
    make_stores();
    kill_many(ends, &random, wanted ? atoi(wanted) : 60);
    verify("source");
    verify("target");
    check();
    close(ends[0]);
    close(ends[1]);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(what_is_consumed_is_the_table_whoever_was_killed),
};

RUN_TESTS()
