// SPDX-License-Identifier: MIT
/* figures.h -- counters and latency histograms. Written on the loop's thread, read from any: every number is a relaxed
 * atomic of its own. */
#ifndef DRIVER_FIGURES_H
#define DRIVER_FIGURES_H

#include <stdatomic.h>

#include "corm/cluster.h"

/* Logarithmic buckets with 16 linear steps each (HdrHistogram's layout), from 1 µs to 2^40 µs: at most 6.25 % off. */
enum { DRIVER_HISTOGRAM_STEPS = 16, DRIVER_HISTOGRAM_BUCKETS = 37 * DRIVER_HISTOGRAM_STEPS };
typedef struct driver_histogram {
    atomic_ullong counts[DRIVER_HISTOGRAM_BUCKETS];
    atomic_ullong total_us;
    atomic_ullong max_us;
} driver_histogram;

void     driver__histogram_add(driver_histogram *histogram, uint64_t us);
uint64_t driver__histogram_percentile(const driver_histogram *histogram, double percent);
void     driver__histogram_read(const driver_histogram *histogram, corm_latencies *out);
void     driver__histogram_merge(driver_histogram *into, const driver_histogram *from);

/* One node's. */
typedef struct driver_figures {
    atomic_ullong    requests, errors, timeouts, retries, speculations;
    atomic_ullong    bytes_sent, bytes_received;
    atomic_ullong    dials, dial_failures, connections_closed, heartbeats, late_answers;
    atomic_uint      orphaned;
    driver_histogram latencies;
} driver_figures;

static inline void driver__count(atomic_ullong *counter, uint64_t more) {
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + more,
                          memory_order_relaxed);
}

#endif
