// SPDX-License-Identifier: MIT
/* budget.c -- the budget of dials: a token bucket for the whole cluster, so that many nodes or many connections that are lost
 * at the same time do not become a storm. Urgent dials go first. Owns no connection. The loop's thread. */
#include "driver/control.h"

#include <math.h>
#include <stdlib.h>

#include "base/fail.h"

enum { LOWEST_VERSION = 3, MOST_DOUBLINGS = 20, JITTER_PERCENT = 15 };

static const double NS = 1e9;

void driver__bucket_init(driver_bucket *bucket, double rate, uint64_t now_ns) {
    *bucket = (driver_bucket){ .tokens = rate, .rate = rate, .burst = rate, .last_ns = now_ns };
}

bool driver__bucket_take(driver_bucket *bucket, uint64_t now_ns) {
    if (now_ns > bucket->last_ns) {
        bucket->tokens += (double)(now_ns - bucket->last_ns) / NS * bucket->rate;
        bucket->tokens = fmin(bucket->tokens, bucket->burst);
        bucket->last_ns = now_ns;
    }
    if (bucket->tokens < 1) return false;
    bucket->tokens -= 1;
    return true;
}

uint32_t driver__bucket_wait_ms(const driver_bucket *bucket) {
    if (bucket->tokens >= 1) return 0;
    return (uint32_t)ceil((1 - bucket->tokens) / bucket->rate * 1000);
}

uint32_t driver__redial_ms(driver_cluster *cluster, uint32_t failures) {
    if (failures == 0) return 0;
    const corm_reconnection_options *o = &cluster->settings.options.reconnection;
    uint32_t doublings = failures - 1 < MOST_DOUBLINGS ? failures - 1 : MOST_DOUBLINGS;
    uint64_t delay = (uint64_t)o->base_delay_ms << doublings;
    if (delay > o->max_delay_ms) delay = o->max_delay_ms;
    uint32_t percent = 100 - JITTER_PERCENT + driver__random(cluster, 2 * JITTER_PERCENT + 1);
    return (uint32_t)(delay * percent / 100);
}

/* ---- permits ---- */

static void append(driver_permit **list, driver_permit *permit) {
    while (*list) list = &(*list)->next;
    permit->next = NULL;
    permit->link = list;
    *list = permit;
}

void driver__permit_withdraw(driver_permit *permit) {
    if (!permit->link) return;
    *permit->link = permit->next;
    if (permit->next) permit->next->link = permit->link;
    permit->link = NULL;
}

static void grant(driver_timer *timer) {
    driver_dials *dials = (driver_dials *)(void *)((char *)timer - offsetof(driver_dials, timer));
    for (;;) {
        driver_permit *permit = dials->urgent ? dials->urgent : dials->waiting;
        if (!permit) return;
        if (!driver__bucket_take(&dials->bucket, uv_hrtime())) break;
        driver__permit_withdraw(permit);
        permit->granted(permit);
    }
    driver__timer_start(&dials->cluster->timers, &dials->timer,
                        driver__bucket_wait_ms(&dials->bucket));
}

void driver__permit_ask(driver_cluster *cluster, driver_permit *permit, bool urgent) {
    driver_dials *dials = cluster->dials;
    if (permit->link) return;
    bool others = dials->urgent || (dials->waiting && !urgent);
    if (!others && driver__bucket_take(&dials->bucket, uv_hrtime())) {
        permit->granted(permit);
        return;
    }
    append(urgent ? &dials->urgent : &dials->waiting, permit);
    driver__count(&cluster->totals.dials_delayed, 1);
    if (!dials->timer.link) {
        driver__timer_start(&cluster->timers, &dials->timer,
                            driver__bucket_wait_ms(&dials->bucket));
    }
}

corm_status driver__dials_new(driver_cluster *cluster, driver_dials **out, corm_error *err) {
    driver_dials *dials = calloc(1, sizeof *dials);
    if (!dials) return base__fail_memory(err);
    dials->cluster = cluster;
    dials->timer.fire = grant;
    driver__bucket_init(&dials->bucket, cluster->settings.options.reconnection.dials_per_second,
                        uv_hrtime());
    *out = dials;
    return CORM_OK;
}

void driver__dials_free(driver_dials *dials) {
    free(dials);
}

/* ---- connections ---- */

corm_status driver__connection_open(driver_cluster *cluster, const driver_conn_options *options,
                                    driver_conn **out, corm_error *err) {
    CORM_TRY(driver__conn_open(options, out, err));
    cluster->dials->connections++;
    return CORM_OK;
}

void driver__connection_over(driver_cluster *cluster) {
    if (--cluster->dials->connections == 0 && cluster->closing) driver__loop_finish(cluster);
}

bool driver__connection_downgrades(driver_cluster *cluster, const driver_conn *conn,
                                   corm_status status) {
    uint8_t offered = driver__conn_offered_version(conn);
    if (status != CORM_PROTOCOL_ERROR || offered == 0) return false;
    uint8_t tried = driver__conn_version(conn);
    if (offered >= tried) offered = (uint8_t)(tried - 1); /* a node that offers what it refuses */
    if (offered < LOWEST_VERSION) return false;
    if (offered < cluster->version) cluster->version = offered;
    return cluster->version < tried;
}
