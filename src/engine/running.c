// SPDX-License-Identifier: MIT
/* running.c -- places of requests under way. See running.h.
 *
 *   FREE ─ begin ─► LOCKED ─► USED ─ end ─► LOCKED ─► FREE
 *                               └ each ─► LOCKED ─► USED
 *
 * Who has LOCKED a place alone reads and writes what stands there. */
#include "engine/running.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/fail.h"

enum {
    PLACES = RUNNING_MOST,
    NEAR = 4,
    LINE = 64 /* bytes that threads take from each other at once */
};
enum { FREE, USED, LOCKED };

typedef struct place {
    _Atomic uint32_t state;
    running_request  now;
    char             room[LINE - sizeof(running_request) - sizeof(uint64_t)];
} place;

struct running_table {
    place places[PLACES];
};

corm_status running__new(running_table **out, corm_error *err) {
    *out = calloc(1, sizeof **out); /* all are FREE */
    return *out ? CORM_OK : base__fail_memory(err);
}

void running__free(running_table *table) {
    free(table);
}

static bool lock_if(place *at, uint32_t state) {
    return atomic_compare_exchange_strong_explicit(&at->state, &state, LOCKED, memory_order_acquire,
                                                   memory_order_relaxed);
}

static void leave(place *at, uint32_t state) {
    atomic_store_explicit(&at->state, state, memory_order_release);
}

/* Requests stand on their threads' stacks, or each in its own memory: their addresses spread them. */
static uint32_t first_place(const wire_request *request) {
    return (uint32_t)(((uint64_t)(uintptr_t)request * UINT64_C(0x9e3779b97f4a7c15)) >> 57);
}

int running__begin(running_table *table, const wire_request *request, int64_t now_ns) {
    uint32_t first = first_place(request);
    for (uint32_t i = 0; i < NEAR; i++) {
        place *at = &table->places[(first + i) % PLACES];
        if (!lock_if(at, FREE)) continue;
        at->now = (running_request){ request, now_ns, 0, 0 };
        leave(at, USED);
        return (int)((first + i) % PLACES);
    }
    return -1;
}

/* It is the caller's place: somebody may look at it, for a short while. */
static place *lock_own(running_table *table, int number) {
    place *at = &table->places[number];
    while (!lock_if(at, USED)) sched_yield();
    return at;
}

void running__queue(running_table *table, int number, int64_t now_ns) {
    if (number < 0) return;
    place *at = lock_own(table, number);
    at->now.queued_ns = now_ns;
    leave(at, USED);
}

void running__start(running_table *table, int number, int64_t now_ns) {
    if (number < 0) return;
    place *at = lock_own(table, number);
    at->now.started_ns = now_ns;
    leave(at, USED);
}

void running__end(running_table *table, int number) {
    if (number < 0) return;
    leave(lock_own(table, number), FREE);
}

void running__each(running_table *table, running_visit visit, void *context) {
    for (int i = 0; i < PLACES; i++) {
        place *at = &table->places[i];
        if (!lock_if(at, USED)) continue;
        visit(context, i, &at->now);
        leave(at, USED);
    }
}
