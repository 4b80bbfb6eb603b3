// SPDX-License-Identifier: MIT
/* policy.c -- plans: which node is asked first, and which next. The loop's thread.
 *
 *   DEFAULT    replicas in the local rack, replicas in the local data centre, its other nodes, remote_nodes of each other
 *              data centre. The first is the one with fewer requests in flight of two chosen by chance from the best class;
 *              of a lightweight transaction the first replica of the ring, so that all its writers meet at one coordinator.
 *   others     as they say, over the local data centre and then remote_nodes of others. They do not look at tokens.
 *
 * Most requests need one node: it is chosen alone, and the others are put in order (plan_order.c) when it fails. */
#include <strings.h>

#include "driver/plan_order.h"

enum { MOST_CANDIDATES = 8 };

/* ---- looking at nodes ---- */

bool driver__plan_is_local(const driver_plan *plan, const driver_node *node) {
    const char *own = plan->how->local_dc;
    if (!own || own == plan->cluster->settings.options.balancing.local_dc) {
        return node->view.distance == CORM_LOCAL;
    }
    return strcmp(own, node->dc) == 0;
}

bool driver__plan_may_use(const driver_node *node) {
    return node->view.up && !node->removed && node->view.distance != CORM_IGNORED;
}

bool driver__plan_is_lwt(const corm_route *route) {
    return route->is_lwt || route->consistency == CORM_SERIAL ||
           route->consistency == CORM_LOCAL_SERIAL;
}

const uint32_t *driver__plan_replicas(const driver_plan *plan, uint32_t *count) {
    *count = 0;
    const driver_cluster *cluster = plan->cluster;
    if (!plan->route.has_token || !cluster->ring || plan->how->no_token_awareness) return NULL;
    corm_str keyspace = corm_str_of(plan->route.keyspace);
    return driver__ring_replicas(cluster->ring, keyspace, plan->route.token, count);
}

/* ---- the first node ---- */

static driver_node *less_busy(driver_plan *plan, driver_node *const *nodes, uint32_t count) {
    if (count == 1) return nodes[0];
    uint32_t     chance = driver__random(plan->cluster, count * (count - 1));
    uint32_t     first = chance / (count - 1), second = chance % (count - 1);
    driver_node *a = nodes[first], *b = nodes[second + (second >= first)];
    return b->view.in_flight < a->view.in_flight ? b : a;
}

static bool in_local_rack(const driver_plan *plan, const driver_node *node) {
    const char *rack = plan->how->local_rack;
    return rack && strcmp(rack, node->rack) == 0;
}

static driver_node *best_replica(driver_plan *plan) {
    uint32_t        count, found = 0;
    bool            rack_found = false, lwt = driver__plan_is_lwt(&plan->route);
    const uint32_t *replicas = driver__plan_replicas(plan, &count);
    driver_node    *candidates[MOST_CANDIDATES];
    for (uint32_t i = 0; i < count && found < MOST_CANDIDATES; i++) {
        driver_node *node = plan->cluster->nodes[replicas[i]];
        if (!driver__plan_may_use(node) || !driver__plan_is_local(plan, node)) continue;
        if (lwt) return node;
        bool rack = in_local_rack(plan, node);
        if (rack_found && !rack) continue;
        if (rack && !rack_found) found = 0;
        rack_found = rack;
        candidates[found++] = node;
    }
    return found > 0 ? less_busy(plan, candidates, found) : NULL;
}

/* The next local node from a place on. */
static driver_node *local_from(const driver_plan *plan, uint32_t start) {
    const driver_cluster *cluster = plan->cluster;
    for (uint32_t i = 0; i < cluster->node_count; i++) {
        driver_node *node = cluster->nodes[(start + i) % cluster->node_count];
        if (driver__plan_may_use(node) && driver__plan_is_local(plan, node)) return node;
    }
    return NULL;
}

static driver_node *any_local(driver_plan *plan) {
    driver_cluster *cluster = plan->cluster;
    uint32_t        count = cluster->node_count;
    if (count == 0) return NULL;
    driver_node *a = local_from(plan, driver__random(cluster, count));
    if (!a || count == 1) return a;
    driver_node *b = local_from(plan, driver__random(cluster, count));
    return b->view.in_flight < a->view.in_flight ? b : a;
}

static driver_node *first_node(driver_plan *plan) {
    const corm_balancing_options *how = plan->how;
    if (how->policy) return NULL;
    if (how->kind == CORM_BALANCE_DEFAULT) {
        driver_node *node = best_replica(plan);
        plan->to_replica = node != NULL;
        return node ? node : any_local(plan);
    }
    if (how->kind == CORM_BALANCE_ROUND_ROBIN) return local_from(plan, plan->start);
    return NULL;
}

/* ---- the plan ---- */

void driver__plan_begin(driver_plan *plan, driver_cluster *cluster,
                        const corm_balancing_options *how, const corm_route *route) {
    plan->cluster = cluster;
    plan->count = plan->at = 0;
    plan->complete = plan->to_replica = false;
    plan->how = how;
    plan->route = *route;
    plan->start = cluster->turn++;
}

void driver__plan_push(driver_plan *plan, driver_node *node) {
    plan->nodes[plan->count++] = node;
    node->refs++;
}

static void make_more(driver_plan *plan) {
    driver_node *first = plan->count == 0 ? first_node(plan) : NULL;
    if (first) {
        driver__plan_push(plan, first);
        return;
    }
    driver__plan_complete(plan);
    plan->complete = true;
}

driver_node *driver__plan_next(driver_plan *plan) {
    for (;;) {
        while (plan->at < plan->count) {
            driver_node *node = plan->nodes[plan->at++];
            if (driver__plan_may_use(node)) return node;
        }
        if (plan->complete) return NULL;
        make_more(plan);
    }
}

void driver__plan_end(driver_plan *plan) {
    while (plan->count > 0) driver__node_unref(plan->nodes[--plan->count]);
}

/* ---- distances ---- */

static bool is_named(const char *const *names, const corm_node *node) {
    char id[37];
    corm_uuid_format(node->host_id, id);
    for (; *names; names++) {
        if (strcmp(*names, node->address) == 0 || strcasecmp(*names, id) == 0) return true;
    }
    return false;
}

corm_distance driver__distance(const driver_cluster *cluster, const corm_node *node) {
    const corm_balancing_options *how = &cluster->settings.options.balancing;
    if (how->deny && is_named(how->deny, node)) return CORM_IGNORED;
    if (how->allow && !is_named(how->allow, node)) return CORM_IGNORED;
    if (how->policy && how->policy->distance) {
        return how->policy->distance(how->policy->context, node);
    }
    bool local = !cluster->local_dc[0] || strcmp(cluster->local_dc, node->dc) == 0;
    return local ? CORM_LOCAL : CORM_REMOTE;
}
