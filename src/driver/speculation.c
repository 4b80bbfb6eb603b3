// SPDX-License-Identifier: MIT
/* speculation.c -- a request that takes long is sent to another node as well; the first answer wins, the others are given
 * up. Only of idempotent requests. The loop's thread. */
#include "driver/request_parts.h"

enum { PERCENTILE_KEPT_MS = 1000, PERCENTILE_LEAST_COUNT = 100 };

/* Reading a histogram costs a thousand instructions: once a second is enough. Without enough answers, what the options say. */
static uint64_t percentile_ms(driver_node *node, const corm_speculative_options *how,
                              uint64_t now_ms) {
    bool fresh = node->percentile == how->percentile && node->percentile_read_ms != 0 &&
                 now_ms - node->percentile_read_ms < PERCENTILE_KEPT_MS;
    if (!fresh) {
        corm_latencies all;
        driver__histogram_read(&node->figures.latencies, &all);
        bool enough = all.count >= PERCENTILE_LEAST_COUNT;
        node->percentile = how->percentile;
        node->percentile_read_ms = now_ms;
        node->percentile_us =
            enough ? driver__histogram_percentile(&node->figures.latencies, how->percentile)
                   : (uint64_t)how->delay_ms * 1000;
    }
    return (node->percentile_us + 999) / 1000;
}

/* The next node of the plan that takes it; none is no failure. */
static void send_beside(driver_request *r) {
    driver_cluster *cluster = r->cluster;
    driver_node    *node;
    driver_sending  sending = DRIVER_NO_ROOM;
    while (sending == DRIVER_NO_ROOM && (node = driver__plan_next(&r->plan)) != NULL) {
        sending = driver__attempt_send(r, node, true);
        if (sending != DRIVER_SENT) continue;
        driver__count(&node->figures.speculations, 1);
        driver__count(&cluster->totals.speculations, 1);
    }
}

static void on_late(driver_timer *timer) {
    driver_request *r =
        (driver_request *)(void *)((char *)timer - offsetof(driver_request, speculation));
    bool room = r->under_way > 0 && r->under_way < DRIVER_MOST_ATTEMPTS;
    if (room && r->has_plan && !r->pinned) send_beside(r);
}

void driver__speculation_begin(driver_request *r, driver_node *node) {
    const corm_speculative_options *how = &r->profile->speculative;
    if (r->speculations >= how->max_executions || r->pinned || r->is_again) return;
    if (!driver__request_is_idempotent(r)) return;
    uint64_t delay_ms = how->kind == CORM_SPECULATE_PERCENTILE
                            ? percentile_ms(node, how, uv_now(r->cluster->loop))
                            : how->delay_ms;
    r->speculation.fire = on_late;
    driver__timer_start(&r->cluster->timers, &r->speculation, delay_ms);
}
