// SPDX-License-Identifier: MIT
/* clock.c -- the wall clock, the write clock that never repeats, and the clock for durations.
 *
 * Any thread; the shared state is two atomics. */
#include "base/clock.h"

#include <stdatomic.h>
#include <time.h>

static _Atomic int64_t fake_us;    /* 0: the real clock */
static _Atomic int64_t last_write; /* the greatest answer of base__clock_write_us so far */

int64_t base__clock_us(void) {
    int64_t fake = atomic_load_explicit(&fake_us, memory_order_relaxed);
    if (fake != 0) return fake;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t base__clock_write_us(void) {
    int64_t now = base__clock_us();
    int64_t last = atomic_load(&last_write);
    int64_t next;
    do {
        next = now > last ? now : last + 1;
    } while (!atomic_compare_exchange_weak(&last_write, &last, next));
    return next;
}

static int64_t floor_div(int64_t a, int64_t b) {
    return a / b - (a % b < 0);
}

int64_t base__clock_ms(void) {
    return floor_div(base__clock_us(), 1000);
}

int64_t base__clock_s(void) {
    return floor_div(base__clock_us(), 1000000);
}

int64_t base__clock_mono_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void base__clock_fake(int64_t us) {
    atomic_store(&fake_us, us);
    atomic_store(&last_write, us == 0 ? 0 : us - 1);
}
