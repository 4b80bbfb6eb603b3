// SPDX-License-Identifier: MIT
/* spare.c -- tasks and results that have ended, kept with their memory for those that come. Bounded by bytes: as many as were
 * under way at the same time are found again, unless they were huge.
 *
 * Any thread. The lists have a lock that is held for a few instructions, less than a mutex costs: who finds it taken tries some
 * times and then goes without, and allocates or frees. */
#include <sched.h>

#include "session/core.h"

enum { MOST_BYTES_OF_ONE = 2 << 20, MOST_BYTES = 16 << 20, OWN_BYTES = 1024 };
enum { MOST_TRIES = 100 };

static bool try_lock(session_spares *spares) {
    for (int i = 0; i < MOST_TRIES; i++) {
        if (!atomic_flag_test_and_set_explicit(&spares->lock, memory_order_acquire)) return true;
    }
    return false;
}

static void unlock(session_spares *spares) {
    atomic_flag_clear_explicit(&spares->lock, memory_order_release);
}

session_spare *session__spare_take(corm_session *session, session_spare_kind kind) {
    session_spares *spares = &session->spares;
    if (!try_lock(spares)) return NULL;
    session_spare *spare = spares->first[kind];
    if (spare) {
        spares->first[kind] = spare->next;
        spares->bytes -= spare->bytes;
    }
    unlock(spares);
    return spare;
}

bool session__spare_keep(corm_session *session, session_spare_kind kind, session_spare *spare,
                         size_t bytes) {
    session_spares *spares = &session->spares;
    if (bytes > MOST_BYTES_OF_ONE) return false;
    spare->bytes = bytes + OWN_BYTES;
    if (!try_lock(spares)) return false;
    bool keep = !spares->closed && spares->bytes + spare->bytes <= MOST_BYTES;
    if (keep) {
        spare->next = spares->first[kind];
        spares->first[kind] = spare;
        spares->bytes += spare->bytes;
    }
    unlock(spares);
    return keep;
}

static void destroy_all(session_spare *spare, void (*destroy)(session_spare *spare)) {
    while (spare) {
        session_spare *next = spare->next;
        destroy(spare);
        spare = next;
    }
}

void session__spares_close(corm_session *session) {
    session_spares *spares = &session->spares;
    while (!try_lock(spares)) (void)sched_yield();
    session_spare *tasks = spares->first[SESSION_SPARE_TASK];
    session_spare *results = spares->first[SESSION_SPARE_RESULT];
    spares->first[SESSION_SPARE_TASK] = spares->first[SESSION_SPARE_RESULT] = NULL;
    spares->bytes = 0;
    spares->closed = true;
    unlock(spares);
    destroy_all(tasks, session__task_destroy);
    destroy_all(results, session__result_destroy);
}
