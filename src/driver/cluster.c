// SPDX-License-Identifier: MIT
/* cluster.c -- the cluster's life, those who wait for a connection, chance, and what the user is told. Owns the nodes and all
 * that hangs on the cluster. The loop's thread, but for making and freeing it. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/fail.h"
#include "driver/control.h"
#include "driver/request.h"
#include "driver/tls.h"

/* ---- those who wait for a connection ---- */

static void set_waiting(driver_cluster *cluster, uint32_t count) {
    cluster->waiting_count = count;
    atomic_store_explicit(&cluster->totals.queued, count, memory_order_relaxed);
}

corm_status driver__cluster_wait(driver_cluster *cluster, driver_waiter *waiter, corm_error *err) {
    uint32_t most = cluster->settings.options.pool.max_queued;
    if (cluster->closing) return base__fail(err, CORM_CLOSED, "the session is closed");
    if (cluster->waiting_count >= most) {
        return base__fail(err, CORM_OVERLOADED, "%u requests wait for a connection already", most);
    }
    waiter->until_ms = 0;
    waiter->next = NULL;
    waiter->link = cluster->waiting_end;
    *cluster->waiting_end = waiter;
    cluster->waiting_end = &waiter->next;
    set_waiting(cluster, cluster->waiting_count + 1);
    return CORM_OK;
}

void driver__waiter_remove(driver_cluster *cluster, driver_waiter *waiter) {
    if (!waiter->link) return;
    *waiter->link = waiter->next;
    if (waiter->next) waiter->next->link = waiter->link;
    if (waiter->until_ms == 0) {
        if (!waiter->next) cluster->waiting_end = waiter->link;
        set_waiting(cluster, cluster->waiting_count - 1);
    }
    waiter->link = NULL;
}

void driver__cluster_wake(driver_cluster *cluster, uint32_t count) {
    /* Who finds no room after all stands at the end again, and is not woken twice. */
    if (count > cluster->waiting_count) count = cluster->waiting_count;
    for (; count > 0 && cluster->waiting; count--) {
        driver_waiter *waiter = cluster->waiting;
        driver__waiter_remove(cluster, waiter);
        waiter->wake(waiter, CORM_OK, NULL);
    }
}

void driver__cluster_serve(driver_cluster *cluster) {
    uint32_t room = 0;
    for (uint32_t i = 0; i < cluster->node_count && room < cluster->waiting_count; i++) {
        const driver_node *node = cluster->nodes[i];
        if (!node->view.up || !driver__limiter_allows(&node->limiter, node->view.in_flight))
            continue;
        uint32_t more = driver__pool_room(node->pool);
        if (more == 0) driver__pool_grow(node->pool);
        room += more;
    }
    driver__cluster_wake(cluster, room);
}

/* ---- chance ---- */

/* splitmix64: good enough to choose by, a few instructions. */
uint32_t driver__random(driver_cluster *cluster, uint32_t bound) {
    uint64_t x = cluster->random += 0x9E3779B97F4A7C15u;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    x ^= x >> 31;
    return (uint32_t)((x >> 32) * bound >> 32);
}

bool driver__cluster_may_reprepare(driver_cluster *cluster) {
    return driver__bucket_take(&cluster->reprepares, uv_hrtime());
}

/* ---- what the user is told ---- */

void driver__log(driver_cluster *cluster, const char *format, ...) {
    const corm_hooks *hooks = &cluster->settings.options.hooks;
    char              text[1200];
    va_list           arguments;
    if (!hooks->log) return;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    cluster->calling++;
    hooks->log(hooks->context, text);
    cluster->calling--;
}

void driver__cluster_hook(driver_node *node, const char *event) {
    const corm_hooks *hooks = &node->cluster->settings.options.hooks;
    if (!hooks->node || node->cluster->closing) return;
    node->cluster->calling++;
    hooks->node(hooks->context, &node->view, event);
    node->cluster->calling--;
}

/* ---- nodes ---- */

static bool profile_wants(const corm_profile *profile, const driver_node *node) {
    const corm_balancing_options *how = &profile->balancing;
    return how->policy || how->remote_nodes > 0 ||
           (how->local_dc && strcmp(how->local_dc, node->dc) == 0);
}

/* Nodes of other data centres have connections only when some profile may send them requests. */
bool driver__cluster_wants(const driver_cluster *cluster, const driver_node *node) {
    const driver_settings *settings = &cluster->settings;
    if (node->view.distance == CORM_LOCAL) return true;
    if (node->view.distance == CORM_IGNORED) return false;
    if (profile_wants(&settings->profile, node)) return true;
    for (uint32_t i = 0; i < settings->options.profile_count; i++) {
        if (profile_wants(&settings->options.profiles[i], node)) return true;
    }
    return false;
}

static bool any_is_up(const driver_cluster *cluster) {
    for (uint32_t i = 0; i < cluster->node_count; i++) {
        if (cluster->nodes[i]->view.up) return true;
    }
    return false;
}

static void not_wanted(driver_cluster *cluster) {
    corm_error err;
    char       names[256] = "";
    for (uint32_t i = 0; i < cluster->node_count; i++) {
        const driver_node *node = cluster->nodes[i];
        size_t             len = strlen(names);
        if (strstr(names, node->dc) || len + strlen(node->dc) + 3 > sizeof names) continue;
        (void)snprintf(names + len, sizeof names - len, len ? ", %s" : "%s", node->dc);
    }
    (void)base__fail(&err, CORM_INVALID_ARGUMENT,
                     "no node is allowed and in the local data centre '%s'; there are nodes in: %s",
                     cluster->local_dc, names);
    driver__opened(cluster, CORM_INVALID_ARGUMENT, &err);
}

/* Every node that may have connections was dialled in vain. */
static bool is_hopeless(const driver_cluster *cluster) {
    for (uint32_t i = 0; i < cluster->node_count; i++) {
        const driver_pool *pool = cluster->nodes[i]->pool;
        if (pool->started && pool->failures == 0) return false;
    }
    return true;
}

void driver__cluster_known(driver_cluster *cluster) {
    bool any = false;
    if (!driver__is_opening(cluster)) return;
    for (uint32_t i = 0; i < cluster->node_count; i++) any |= cluster->nodes[i]->pool->started;
    if (!any)
        not_wanted(cluster);
    else if (any_is_up(cluster))
        driver__opened(cluster, CORM_OK, NULL);
}

void driver__node_is_up(driver_node *node) {
    driver_cluster *cluster = node->cluster;
    if (node->view.up) return;
    node->view.up = true;
    driver__cluster_hook(node, "up");
    if (cluster->control->ready) driver__opened(cluster, CORM_OK, NULL);
}

void driver__node_is_down(driver_node *node, const corm_error *why) {
    if (!node->view.up) return;
    node->view.up = false;
    if (why && !node->cluster->closing) {
        driver__log(node->cluster, "%s:%u is down: %s", node->view.address, node->view.port,
                    why->message);
    }
    driver__control_probe(node->cluster->control, node);
    driver__cluster_hook(node, "down");
}

void driver__node_not_reached(driver_node *node, const corm_error *why) {
    driver_cluster *cluster = node->cluster;
    if (node->pool->failures == 1) driver__log(cluster, "no connection to %s", why->message);
    if (!driver__is_opening(cluster)) return;
    if (why->status == CORM_BAD_CREDENTIALS || is_hopeless(cluster)) {
        driver__opened(cluster, why->status, why);
    }
}

void driver__cluster_suspect(driver_cluster *cluster, driver_node *node) {
    if (cluster->closing || node->removed) return;
    driver__pool_probe(node->pool);
    driver__control_probe(cluster->control, node);
}

/* ---- life ---- */

static corm_status make_parts(driver_cluster *cluster, corm_error *err) {
    const corm_cluster_options *o = &cluster->settings.options;
    CORM_TRY(driver__dials_new(cluster, &cluster->dials, err));
    CORM_TRY(driver__control_new(cluster, &cluster->control, err));
    if (o->tls.enabled) CORM_TRY(driver__tls_new(&o->tls, &cluster->tls, err));
    if (!base__random(&cluster->random, sizeof cluster->random)) {
        return base__fail(err, CORM_IO, "the operating system gives no random bytes");
    }
    return CORM_OK;
}

corm_status driver__cluster_new(driver_settings *settings, driver_cluster **out, corm_error *err) {
    driver_cluster *cluster = calloc(1, sizeof *cluster);
    if (!cluster) {
        driver__settings_free(settings);
        return base__fail_memory(err);
    }
    cluster->settings = *settings;
    memset(settings, 0, sizeof *settings);
    const corm_cluster_options *o = &cluster->settings.options;
    cluster->version = o->protocol_version;
    cluster->waiting_end = &cluster->waiting;
    cluster->prepared.most_bytes = o->prepared_cache_bytes;
    if (o->balancing.local_dc) {
        (void)snprintf(cluster->local_dc, sizeof cluster->local_dc, "%s", o->balancing.local_dc);
    }
    driver__bucket_init(&cluster->reprepares, o->reconnection.prepares_per_second, uv_hrtime());
    corm_status status = make_parts(cluster, err);
    if (status != CORM_OK) {
        driver__cluster_free(cluster);
        return status;
    }
    *out = cluster;
    return CORM_OK;
}

void driver__cluster_start(driver_cluster *cluster) {
    driver__control_start(cluster->control);
}

void driver__cluster_stop(driver_cluster *cluster) {
    cluster->closing = true;
    driver__requests_end(cluster);
    driver__control_stop(cluster->control);
    for (uint32_t i = 0; i < cluster->node_count; i++) {
        driver__pool_stop(cluster->nodes[i]->pool, true);
    }
    driver__timer_stop(&cluster->timers, &cluster->dials->timer);
    if (cluster->dials->connections == 0) driver__loop_finish(cluster);
}

void driver__cluster_free(driver_cluster *cluster) {
    if (!cluster) return;
    for (uint32_t i = 0; i < cluster->node_count; i++) driver__node_unref(cluster->nodes[i]);
    free(cluster->nodes);
    driver__ring_free(cluster->ring);
    driver__keyspaces_free(cluster->keyspaces);
    driver__prepared_cache_free(&cluster->prepared);
    driver__control_free(cluster->control);
    driver__dials_free(cluster->dials);
    driver__tls_free(cluster->tls);
    driver__settings_free(&cluster->settings);
    free(cluster);
}
