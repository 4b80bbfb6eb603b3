// SPDX-License-Identifier: MIT
/* limiter.c -- how many requests a node is given at the same time: additive increase, multiplicative decrease.
 *
 *   answers, while more than half of the limit is in use      limit += 4 for each `limit` answers
 *   overloaded, or no answer in time                          limit = 0.7 of what was in use (twice that at most)
 *
 * Pure; the loop's thread. */
#include "driver/node.h"

enum { GROWTH = 4, SHORTEST_ROUND_US = 1000 };

void driver__limiter_init(driver_limiter *limiter, const corm_concurrency_options *options) {
    *limiter = (driver_limiter){ .limit = options->initial,
                                 .least = options->least,
                                 .most = options->most,
                                 .disabled = options->disabled };
}

bool driver__limiter_allows(const driver_limiter *limiter, uint32_t in_flight) {
    return in_flight < (uint32_t)limiter->limit || limiter->disabled;
}

/* A limit that is not reached says nothing about what the node bears: it stays. */
void driver__limiter_answered(driver_limiter *limiter, uint32_t in_flight) {
    if ((uint64_t)in_flight * 2 < (uint64_t)limiter->limit) return;
    limiter->limit += GROWTH / limiter->limit;
    if (limiter->limit > limiter->most) limiter->limit = limiter->most;
}

void driver__limiter_overloaded(driver_limiter *limiter, uint32_t in_flight, uint64_t now_ns,
                                uint64_t latency_us) {
    uint64_t round_us = latency_us < SHORTEST_ROUND_US ? SHORTEST_ROUND_US : latency_us;
    if (limiter->last_cut_ns != 0 && now_ns - limiter->last_cut_ns < round_us * 1000) return;
    double in_use = 2.0 * in_flight;
    double limit = 0.7 * (limiter->limit < in_use ? limiter->limit : in_use);
    limiter->limit = limit < limiter->least ? limiter->least : limit;
    limiter->last_cut_ns = now_ns;
}
