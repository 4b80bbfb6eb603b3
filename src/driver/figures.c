// SPDX-License-Identifier: MIT
/* figures.c -- latency histograms. Written on the loop's thread, read from any.
 *
 *   value      0 … 15   16 … 31   32 … 63   64 … 127  …
 *   one step        1         1         2         4   …      16 steps a power of two
 *
 * A reader sees each counter whole, but not all of them at one moment: it counts what it read, never more. */
#include "driver/figures.h"

enum { STEP_BITS = 4 };
_Static_assert(1 << STEP_BITS == DRIVER_HISTOGRAM_STEPS, "the steps are a power of two");

static const uint64_t LARGEST = ((uint64_t)1 << 40) - 1;

static unsigned long long load(const atomic_ullong *counter) {
    return atomic_load_explicit((atomic_ullong *)(uintptr_t)counter, memory_order_relaxed);
}

static uint32_t bucket_of(uint64_t us) {
    if (us < DRIVER_HISTOGRAM_STEPS) return (uint32_t)us;
    if (us > LARGEST) us = LARGEST;
    uint32_t shift = 63u - (uint32_t)__builtin_clzll(us) - STEP_BITS;
    return shift * DRIVER_HISTOGRAM_STEPS + (uint32_t)(us >> shift);
}

/* The largest value that the bucket counts. */
static uint64_t top_of(uint32_t bucket) {
    if (bucket < 2 * DRIVER_HISTOGRAM_STEPS) return bucket;
    uint32_t shift = bucket / DRIVER_HISTOGRAM_STEPS - 1;
    uint64_t step = bucket - shift * DRIVER_HISTOGRAM_STEPS;
    return ((step + 1) << shift) - 1;
}

void driver__histogram_add(driver_histogram *histogram, uint64_t us) {
    driver__count(&histogram->counts[bucket_of(us)], 1);
    driver__count(&histogram->total_us, us);
    if (us > load(&histogram->max_us)) {
        atomic_store_explicit(&histogram->max_us, us, memory_order_relaxed);
    }
}

/* A copy, so that a sum over it and a walk through it agree. */
typedef struct snapshot {
    uint64_t counts[DRIVER_HISTOGRAM_BUCKETS];
    uint64_t count, max_us;
} snapshot;

static void take(const driver_histogram *histogram, snapshot *out) {
    out->count = 0;
    for (uint32_t i = 0; i < DRIVER_HISTOGRAM_BUCKETS; i++) {
        out->counts[i] = load(&histogram->counts[i]);
        out->count += out->counts[i];
    }
    out->max_us = load(&histogram->max_us);
}

static uint64_t percentile(const snapshot *taken, double percent) {
    if (taken->count == 0) return 0;
    double   wanted = (double)taken->count * percent / 100.0;
    uint64_t seen = 0;
    for (uint32_t i = 0; i < DRIVER_HISTOGRAM_BUCKETS; i++) {
        seen += taken->counts[i];
        if (seen == 0 || (double)seen < wanted) continue;
        uint64_t top = top_of(i);
        return top < taken->max_us ? top : taken->max_us;
    }
    return taken->max_us;
}

uint64_t driver__histogram_percentile(const driver_histogram *histogram, double percent) {
    snapshot taken;
    take(histogram, &taken);
    return percentile(&taken, percent);
}

void driver__histogram_read(const driver_histogram *histogram, corm_latencies *out) {
    snapshot taken;
    take(histogram, &taken);
    uint64_t total = load(&histogram->total_us);
    *out = (corm_latencies){
        .count = taken.count,
        .mean_us = taken.count == 0 ? 0 : total / taken.count,
        .p50_us = percentile(&taken, 50.0),
        .p95_us = percentile(&taken, 95.0),
        .p99_us = percentile(&taken, 99.0),
        .p999_us = percentile(&taken, 99.9),
        .max_us = taken.max_us,
    };
}

void driver__histogram_merge(driver_histogram *into, const driver_histogram *from) {
    for (uint32_t i = 0; i < DRIVER_HISTOGRAM_BUCKETS; i++) {
        driver__count(&into->counts[i], load(&from->counts[i]));
    }
    driver__count(&into->total_us, load(&from->total_us));
    uint64_t max = load(&from->max_us);
    if (max > load(&into->max_us)) {
        atomic_store_explicit(&into->max_us, max, memory_order_relaxed);
    }
}
