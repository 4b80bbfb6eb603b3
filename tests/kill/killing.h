// SPDX-License-Identifier: MIT
/* killing.h -- a process that writes is killed with SIGKILL at a random moment, again and again, on one store.
 *
 *   parent   fork ──► child: threads execute operations and tell each one that was acknowledged (pipe)
 *            kill after a random number of acknowledgements; hear what else was told; verify the store; compare
 *
 * A test's operations follow from the seed, a writer's number and a counter, so that the parent knows what was done when it hears that
 * one was acknowledged. CORM_KILL_ROUNDS sets how many times, CORM_KILL_SEED the seed. */
#ifndef TESTS_KILL_KILLING_H
#define TESTS_KILL_KILLING_H

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "corm/corm.h"
#include "engine/engine.h"
#include "testing/check.h"

enum { KILLING_MOST_YIELDS = 8 };

typedef struct killing {
    uint32_t    most_acks;
    uint64_t    seed;             /* unless CORM_KILL_SEED says otherwise */
    int         rounds, budget_s; /* unless CORM_KILL_ROUNDS says otherwise; and no more than fit */
    const char *folder, *uri;
    void       *models; /* what the store must hold, as far as it was acknowledged */
    /* In the child: starts threads that write for ever. */
    void (*write)(corm_session *session, const void *models, int pipe);
    /* An operation of a writer was acknowledged. */
    void (*take)(void *models, uint32_t writer, uint32_t operation);
    /* Holds the store against the models, and takes them to what it holds. */
    void (*check)(corm_session *session, void *models, int round);
} killing;

static uint64_t killing_seed;

static uint64_t killing_mix(uint64_t a, uint64_t b) {
    uint64_t x = a * UINT64_C(0x9E3779B97F4A7C15) + b + killing_seed;
    x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
    return x ^ (x >> 31);
}

/* ---- the child ---- */

typedef struct acknowledgement {
    uint32_t writer, operation;
} acknowledgement;

/* Ends the child; the parent sees the status. */
static _Noreturn void give_up(const char *what, const char *why) {
    fprintf(stderr, "%s: %s\n", what, why);
    _exit(3);
}

static void tell(int pipe, uint32_t writer, uint32_t operation) {
    acknowledgement told = { writer, operation };
    if (write(pipe, &told, sizeof told) != sizeof told) give_up("pipe", "is closed");
}

static _Noreturn void killing_child(const killing *how, int pipe) {
    corm_session *session;
    corm_error    err = { 0 };
    if (corm_session_open(&session, how->uri, NULL, &err) != CORM_OK) give_up("open", err.message);
    how->write(session, how->models, pipe);
    for (;;) pause();
}

/* ---- the parent ---- */

static bool killing_hear(const killing *how, int pipe) {
    acknowledgement told;
    ssize_t         len = read(pipe, &told, sizeof told);
    if (len == 0) return false;
    assert_int_equal(len, sizeof told);
    how->take(how->models, told.writer, told.operation);
    return true;
}

static void killing_once(const killing *how, int round) {
    int      ends[2], status;
    uint64_t random = killing_mix(1000, (uint64_t)round);
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        close(ends[0]);
        killing_child(how, ends[1]);
    }
    close(ends[1]);
    for (uint64_t acks = random % how->most_acks; acks > 0 && killing_hear(how, ends[0]); acks--)
        continue;
    for (uint64_t yields = (random >> 32) % KILLING_MOST_YIELDS; yields > 0; yields--)
        sched_yield();
    assert_int_equal(kill(pid, SIGKILL), 0);
    while (killing_hear(how, ends[0])) continue;
    close(ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (!WIFSIGNALED(status))
        fail_msg("the writer ended with %d in round %d", WEXITSTATUS(status), round);
}

static void killing_check(const killing *how, int round) {
    engine        *store;
    corm_session  *session;
    corm_error     err = { 0 };
    engine_options options = { .path = how->folder, .must_exist = true };
    assert_ok(engine__open(&options, &store, &err), err);
    assert_ok(engine__verify(store, &err), err);
    engine__close(store);
    assert_ok(corm_session_open(&session, how->uri, NULL, &err), err);
    how->check(session, how->models, round);
    corm_session_close(session);
}

/* How many times. */
static int killing_run(const killing *how) {
    const char *wanted = getenv("CORM_KILL_ROUNDS"), *given = getenv("CORM_KILL_SEED");
    int         rounds = wanted ? atoi(wanted) : how->rounds, round = 0;
    int64_t     end = base__clock_mono_ns() + (int64_t)how->budget_s * 1000000000;
    killing_seed = given ? strtoull(given, NULL, 10) : how->seed;
    for (; round < rounds && (wanted || base__clock_mono_ns() < end); round++) {
        killing_once(how, round);
        killing_check(how, round);
    }
    assert_true(round > 0);
    return round;
}

#endif
