// SPDX-License-Identifier: MIT
/* request.c -- a request's life from its start to its one callback: what it waits for, its deadline, its end. Owns nothing but
 * what the request keeps for its next life. The loop's thread.
 *
 * Functions that may end a request say so; behind them it must not be touched. */
#include <stdarg.h>
#include <stdio.h>

#include "driver/request_parts.h"

#define CONTAINER(pointer, member)                                                                 \
    ((driver_request *)(void *)((char *)(pointer)-offsetof(driver_request, member)))

/* ---- the list of all ---- */

static void link_in(driver_request *r) {
    driver_request **head = &r->cluster->requests;
    r->next = *head;
    r->link = head;
    if (r->next) r->next->link = &r->next;
    *head = r;
}

static void unlink_from(driver_request *r) {
    *r->link = r->next;
    if (r->next) r->next->link = r->link;
    r->link = NULL;
    r->next = NULL;
}

/* ---- the end ---- */

static void stop(driver_request *r, driver_timer *timer) {
    if (timer->link) driver__timer_stop(&r->cluster->timers, timer);
}

static void forget_plan(driver_request *r) {
    if (r->has_plan) driver__plan_end(&r->plan);
    r->has_plan = false;
    r->asked = NULL;
}

static void let_go(driver_request *r) {
    stop(r, &r->deadline);
    stop(r, &r->speculation);
    stop(r, &r->pause);
    if (r->waiter.link) driver__waiter_remove(r->cluster, &r->waiter);
    if (r->under_way > 0) driver__attempts_abandon(r, false);
    if (r->waits_for) driver__reprepare_leave(r);
    if (r->next_node) driver__request_aim(r, NULL);
    forget_plan(r);
    if (r->pinned) driver__node_unref(r->pinned);
    r->pinned = NULL;
    if (r->arena.first) base__arena_reset(&r->arena);
}

static void count_end(driver_request *r, corm_status status) {
    driver_totals *totals = &r->cluster->totals;
    if (r->is_again) return;
    uint64_t now_ns = status == CORM_OK && r->now_ns ? r->now_ns : uv_hrtime();
    uint64_t latency_us = r->begun_ns == 0 ? 0 : (now_ns - r->begun_ns) / 1000;
    if (status == CORM_OK) {
        driver__histogram_add(&totals->latencies, latency_us);
    } else {
        driver__count(status == CORM_TIMEOUT ? &totals->timeouts : &totals->errors, 1);
    }
    if (r->observed) driver__observe_end(r, status, latency_us);
}

void driver__request_end(driver_request *r, corm_status status) {
    driver_cluster *cluster = r->cluster;
    driver_callback callback = r->callback;
    void           *context = r->context;
    bool            is_again = r->is_again;
    if (r->ended) return;
    r->ended = true;
    if (r->wire->kind == WIRE_PREPARE) driver__prepare_end(r, status);
    count_end(r, status);
    let_go(r);
    unlink_from(r);
    if (!is_again) cluster->calling++;
    callback(context, status, status == CORM_OK ? NULL : &r->error);
    if (!is_again) cluster->calling--;
    if (!is_again) driver__request_release(r);
}

void driver__request_fail(driver_request *r, corm_status status, const char *format, ...) {
    char    text[sizeof r->error.message];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    base__fail(&r->error, status, "%s", text);
    driver__request_end(r, status);
}

/* ---- waiting for a connection ---- */

static void add_state(base_buf *out, const driver_node *node) {
    const char *why = node->view.distance == CORM_IGNORED ? "is not allowed"
                      : !node->view.up                    ? "is down"
                                                          : "has no room";
    base__buf_printf(out, "%s%s:%u %s", out->len > 0 ? ", " : "", node->view.address,
                     node->view.port, why);
}

/* "127.0.0.1:9042 is down, 127.0.0.2:9042 has no room" */
static const char *describe_nodes(driver_request *r) {
    enum { MOST = 8 };
    base_buf       *out = &r->tried;
    driver_cluster *cluster = r->cluster;
    base__buf_clear(out);
    if (r->pinned) add_state(out, r->pinned);
    for (uint32_t i = 0; !r->pinned && i < cluster->node_count && i < MOST; i++) {
        add_state(out, cluster->nodes[i]);
    }
    if (!r->pinned && cluster->node_count > MOST) base__buf_puts(out, " …");
    const char *text = base__buf_cstr(out);
    return text ? text : "";
}

static void on_wake(driver_waiter *waiter, corm_status status, const corm_error *err) {
    driver_request *r = CONTAINER(waiter, waiter);
    if (status == CORM_OK) {
        driver__request_go(r);
        return;
    }
    if (err) r->error = *err;
    driver__request_end(r, status);
}

static void wait_for_connection(driver_request *r) {
    forget_plan(r);
    if (r->begun_ns == 0) r->begun_ns = uv_hrtime();
    r->waiter.wake = on_wake;
    corm_status status = driver__cluster_wait(r->cluster, &r->waiter, &r->error);
    if (status != CORM_OK) driver__request_end(r, status);
}

/* ---- the next node ---- */

void driver__request_aim(driver_request *r, driver_node *node) {
    if (node) driver__node_ref(node);
    if (r->next_node) driver__node_unref(r->next_node);
    r->next_node = node;
}

static driver_sending try_aimed(driver_request *r) {
    driver_node   *node = r->next_node;
    driver_sending sending = driver__attempt_send(r, node, false);
    if (sending != DRIVER_ENDED) driver__request_aim(r, NULL);
    return sending;
}

/* A pinned request's plan is its one node. */
static driver_sending try_pinned(driver_request *r) {
    return r->asked ? DRIVER_NO_ROOM : driver__attempt_send(r, r->pinned, false);
}

static driver_sending try_plan(driver_request *r) {
    if (r->pinned) return try_pinned(r);
    if (!r->has_plan) driver__request_plan(r);
    driver_sending sending = DRIVER_NO_ROOM;
    for (driver_node *node; sending == DRIVER_NO_ROOM && (node = driver__plan_next(&r->plan));) {
        sending = driver__attempt_send(r, node, false);
    }
    return sending;
}

/* Every node of the plan was asked. A retry after a pause may ask them once more; and a lost connection comes back, perhaps
 * the only one that there is. */
static bool may_go_round(driver_request *r) {
    bool may = r->second_round || r->failed == CORM_OK || (r->failed == CORM_IO && !r->went_round);
    r->second_round = false;
    if (r->failed == CORM_IO) r->went_round = true;
    return may;
}

/* " (asked: 127.0.0.1:9042: …; 127.0.0.2:9042: …)"; what a single node said stands there already. */
static void end_exhausted(driver_request *r) {
    size_t len = strlen(r->error.message);
    if (r->retries > 0 && r->tried_count > 1 && base__buf_cstr(&r->tried)) {
        (void)snprintf(r->error.message + len, sizeof r->error.message - len, " (asked: %s)",
                       (const char *)r->tried.data);
    }
    driver__request_end(r, r->failed);
}

void driver__request_go(driver_request *r) {
    driver_sending sending = r->next_node ? try_aimed(r) : DRIVER_NO_ROOM;
    if (sending == DRIVER_NO_ROOM) sending = try_plan(r);
    if (sending == DRIVER_NO_ROOM && r->asked && may_go_round(r)) {
        forget_plan(r);
        sending = try_plan(r);
    }
    if (sending != DRIVER_NO_ROOM) return;
    if (r->asked)
        end_exhausted(r);
    else if (r->is_again)
        driver__request_fail(r, CORM_IO, "%s:%u takes no request now", r->pinned->view.address,
                             r->pinned->view.port);
    else
        wait_for_connection(r);
}

/* ---- the deadline ---- */

/* It was between two tries: what the last one said stays readable. */
static void end_as_timeout(driver_request *r, uint32_t after_ms) {
    driver__request_fail(r, CORM_TIMEOUT, "no success within %u ms; at last: %.400s", after_ms,
                         r->error.message);
}

static uint32_t timeout_of(const driver_request *r) {
    const corm_request_options *routing = r->wire->options.routing;
    return routing && routing->timeout_ms ? routing->timeout_ms : r->profile->request_timeout_ms;
}

static void end_late(driver_request *r) {
    uint32_t after_ms = timeout_of(r);
    if (r->under_way > 0) {
        base__buf_clear(&r->tried);
        driver__attempts_name(r, &r->tried);
        driver__attempts_abandon(r, true);
        driver__request_fail(r, CORM_TIMEOUT, "no answer from %s within %u ms",
                             base__buf_cstr(&r->tried), after_ms);
    } else if (r->failed != CORM_OK) {
        end_as_timeout(r, after_ms);
    } else if (r->waits_for) {
        driver__request_fail(r, CORM_TIMEOUT, "the statement was not prepared again within %u ms",
                             after_ms);
    } else if (r->leader) {
        driver__request_fail(r, CORM_TIMEOUT, "the statement was not prepared within %u ms",
                             after_ms);
    } else {
        driver__request_fail(r, CORM_TIMEOUT, "no node could be asked within %u ms: %s", after_ms,
                             describe_nodes(r));
    }
}

/* Its node has room for another one that waits. */
static void on_deadline(driver_timer *timer) {
    driver_request *r = CONTAINER(timer, deadline);
    driver_cluster *cluster = r->cluster;
    end_late(r);
    if (cluster->waiting_count > 0) driver__cluster_wake(cluster, 1);
}

/* ---- the beginning ---- */

/* What the last life left is reset member by member: most of a request's bytes need not be touched. Nodes were let go at its
 * end. */
static void reset(driver_request *r) {
    r->statement = NULL;
    r->under_way = r->retries = r->speculations = r->repeats = 0;
    r->idempotent = r->named = DRIVER_UNKNOWN;
    r->ended = r->has_plan = r->second_round = r->went_round = r->homeless = false;
    r->failed = CORM_OK;
    r->asked = NULL;
    r->prepare_key = (corm_str){ 0 };
    r->leader = r->followers = r->next_follower = r->next_waiting = NULL;
    r->waits_for = NULL;
    r->begun_ns = r->now_ns = 0;
    r->tried.len = 0;
    r->tried_count = 0;
}

void driver__request_start(driver_request *r) {
    driver_cluster *cluster = r->cluster;
    reset(r);
    link_in(r);
    r->observed = !r->is_again && driver__is_observed(&cluster->settings);
    if (!r->is_again) driver__count(&cluster->totals.requests, 1);
    if (cluster->closing) {
        driver__request_fail(r, CORM_CLOSED, "the session is closed");
        return;
    }
    corm_status status = driver__request_prepare(r, &r->error);
    if (status != CORM_OK) {
        driver__request_end(r, status);
        return;
    }
    r->deadline.fire = on_deadline;
    driver__timer_start(&cluster->timers, &r->deadline, timeout_of(r));
    if (r->wire->kind == WIRE_PREPARE && !r->is_again && driver__prepare_begin(r)) return;
    driver__request_go(r);
}

/* ---- from outside ---- */

void driver__request_cancel(driver_request *r) {
    driver_cluster *cluster = r->cluster;
    if (r->ended) return;
    driver__request_fail(r, CORM_CANCELLED, "the request was cancelled");
    if (cluster->waiting_count > 0) driver__cluster_wake(cluster, 1);
}

void driver__requests_end(driver_cluster *cluster) {
    driver__reprepares_end(cluster);
    while (cluster->requests) {
        driver__request_fail(cluster->requests, CORM_CLOSED, "the session was closed");
    }
}

void driver__request_dispose(driver_request *r) {
    base__buf_free(&r->scratch);
    base__buf_free(&r->tried);
    base__arena_free(&r->arena);
}
