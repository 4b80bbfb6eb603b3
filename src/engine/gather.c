// SPDX-License-Identifier: MIT
/* gather.c -- waiting for the jobs of a round: see gather.h.
 *
 * The part of a commit's time is the half: a client that comes back in time then waits for one commit instead of one and a half, and one
 * that waited in vain for others has lost no more than it would by coming a little later. With many clients the leader is busier than the
 * disk, and each has enough company: then a round begins at once. */
#include "engine/gather.h"

#include <time.h>

#include "base/clock.h"

enum { PART = 2, SMOOTH = 8, MOST_EXPECTED = 64 };
static const int64_t longest_wait_ns = 1000000;

int engine__gather_init(engine_gather *gather, bool is_on) {
    pthread_condattr_t how;
    int                number = pthread_condattr_init(&how);
    if (number != 0) return number;
    number = pthread_condattr_setclock(&how, CLOCK_MONOTONIC);
    if (number == 0) number = pthread_cond_init(&gather->changed, &how);
    pthread_condattr_destroy(&how);
    gather->is_on = is_on;
    return number;
}

void engine__gather_free(engine_gather *gather) {
    pthread_cond_destroy(&gather->changed);
}

void engine__gather_pushed(engine_gather *gather) {
    gather->length++;
    if (gather->is_waiting && gather->length >= gather->expected)
        pthread_cond_signal(&gather->changed);
}

static struct timespec until(const engine_gather *gather) {
    int64_t ns = gather->commit_ns / PART;
    ns = base__clock_mono_ns() + (ns > longest_wait_ns ? longest_wait_ns : ns);
    return (struct timespec){ .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 };
}

void engine__gather_wait(engine_gather *gather, pthread_mutex_t *lock) {
    if (!gather->is_on || gather->length >= gather->expected) return;
    if (gather->expected > MOST_EXPECTED) return;
    struct timespec end = until(gather);
    gather->is_waiting = true;
    while (gather->length < gather->expected &&
           pthread_cond_timedwait(&gather->changed, lock, &end) == 0)
        continue;
    gather->is_waiting = false;
}

void engine__gather_taken(engine_gather *gather, uint32_t count) {
    gather->length -= count;
}

void engine__gather_told(engine_gather *gather, uint32_t count) {
    gather->expected = gather->length + count;
}

void engine__gather_committed(engine_gather *gather, int64_t ns) {
    gather->commit_ns += (ns - gather->commit_ns) / SMOOTH;
}
