// SPDX-License-Identifier: MIT
/* plan_order.c -- the nodes of a plan behind the first, put in order when they are needed. The loop's thread. */
#include <stdlib.h>

#include "driver/plan_order.h"

/* Lower goes first. */
typedef struct rank {
    uint64_t     key;
    driver_node *node;
} rank;

typedef struct order {
    driver_plan    *plan;
    const uint32_t *replicas;
    uint32_t        replica_count;
    uint32_t        room, count;
    rank            ranks[DRIVER_PLAN_NODES];
} order;

static bool has(const driver_plan *plan, const driver_node *node) {
    for (uint32_t i = 0; i < plan->count; i++) {
        if (plan->nodes[i] == node) return true;
    }
    return false;
}

/* Keeps the best in order; what there is no room for falls out at the end. */
static void insert(order *o, uint64_t key, driver_node *node) {
    uint32_t at = o->count;
    while (at > 0 && o->ranks[at - 1].key > key) at--;
    if (at == o->room) return;
    if (o->count < o->room) o->count++;
    memmove(&o->ranks[at + 1], &o->ranks[at], (o->count - at - 1) * sizeof(rank));
    o->ranks[at] = (rank){ key, node };
}

/* ---- local nodes ---- */

static uint32_t replica_place(const order *o, const driver_node *node) {
    for (uint32_t i = 0; i < o->replica_count; i++) {
        if (o->replicas[i] == node->index) return i;
    }
    return UINT32_MAX;
}

static uint32_t rotated(const driver_plan *plan, uint32_t index) {
    uint32_t count = plan->cluster->node_count;
    return (index + count - plan->start % count) % count;
}

/* Replicas in the local rack, replicas, others: by requests in flight; of a transaction as they stand in the ring. */
static uint64_t default_key(const order *o, const driver_node *node) {
    const driver_plan *plan = o->plan;
    uint32_t           place = replica_place(o, node);
    if (place == UINT32_MAX) return (uint64_t)3 << 40 | rotated(plan, node->index);
    if (driver__plan_is_lwt(&plan->route)) return place;
    const char *rack = plan->how->local_rack;
    bool        near = rack && strcmp(rack, node->rack) == 0;
    return (uint64_t)(near ? 1 : 2) << 40 | node->view.in_flight;
}

static uint64_t local_key(const order *o, const driver_node *node) {
    const driver_plan *plan = o->plan;
    switch (plan->how->kind) {
    case CORM_BALANCE_ROUND_ROBIN: return rotated(plan, node->index);
    case CORM_BALANCE_LEAST_CONNECTIONS:
        return (uint64_t)node->view.in_flight << 32 | rotated(plan, node->index);
    case CORM_BALANCE_RANDOM: return driver__random(plan->cluster, UINT32_MAX);
    case CORM_BALANCE_DEFAULT: break;
    }
    return default_key(o, node);
}

static void add_local(driver_plan *plan) {
    order o = { .plan = plan, .room = DRIVER_PLAN_NODES - plan->count };
    o.replicas = driver__plan_replicas(plan, &o.replica_count);
    for (uint32_t i = 0; i < plan->cluster->node_count; i++) {
        driver_node *node = plan->cluster->nodes[i];
        if (!driver__plan_may_use(node) || !driver__plan_is_local(plan, node)) continue;
        if (!has(plan, node)) insert(&o, local_key(&o, node), node);
    }
    for (uint32_t i = 0; i < o.count; i++) driver__plan_push(plan, o.ranks[i].node);
}

/* ---- remote nodes ---- */

static uint32_t count_of_dc(const driver_plan *plan, const char *dc) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < plan->count; i++) count += strcmp(plan->nodes[i]->dc, dc) == 0;
    return count;
}

static void add_remote(driver_plan *plan) {
    uint32_t count = plan->cluster->node_count;
    for (uint32_t i = 0; i < count && plan->count < DRIVER_PLAN_NODES; i++) {
        driver_node *node = plan->cluster->nodes[(plan->start + i) % count];
        if (!driver__plan_may_use(node) || driver__plan_is_local(plan, node)) continue;
        if (has(plan, node)) continue;
        if (count_of_dc(plan, node->dc) < plan->how->remote_nodes) driver__plan_push(plan, node);
    }
}

/* ---- a policy of the user's own ---- */

typedef struct custom {
    corm_node    *nodes;
    driver_node **known; /* in the same order */
    uint32_t     *order, *replicas;
    uint32_t      count;
} custom;

static bool collect(const driver_cluster *cluster, custom *out) {
    size_t most = cluster->node_count;
    *out = (custom){ .nodes = calloc(most, sizeof *out->nodes),
                     .known = calloc(most, sizeof *out->known),
                     .order = calloc(most, sizeof *out->order),
                     .replicas = calloc(most, sizeof *out->replicas) };
    if (!out->nodes || !out->known || !out->order || !out->replicas) return false;
    for (uint32_t i = 0; i < most; i++) {
        driver_node *node = cluster->nodes[i];
        if (node->view.distance == CORM_IGNORED) continue;
        out->nodes[out->count] = node->view;
        out->known[out->count++] = node;
    }
    return true;
}

/* The ring's indexes are of all nodes, the policy's of those it sees. */
static void name_replicas(const driver_plan *plan, const custom *c, corm_route *route) {
    uint32_t        count;
    const uint32_t *replicas = driver__plan_replicas(plan, &count);
    route->replicas = c->replicas;
    route->replica_count = 0;
    for (uint32_t i = 0; i < count && route->replica_count < c->count; i++) {
        for (uint32_t at = 0; at < c->count; at++) {
            if (c->known[at]->index == replicas[i]) c->replicas[route->replica_count++] = at;
        }
    }
}

static void ask_policy(driver_plan *plan, custom *c) {
    const corm_balancing_policy *policy = plan->how->policy;
    corm_route                   route = plan->route;
    name_replicas(plan, c, &route);
    plan->cluster->calling++;
    uint32_t count = policy->plan(policy->context, &route, c->nodes, c->count, c->order);
    plan->cluster->calling--;
    if (count > c->count) count = c->count;
    for (uint32_t i = 0; i < count && plan->count < DRIVER_PLAN_NODES; i++) {
        if (c->order[i] < c->count) driver__plan_push(plan, c->known[c->order[i]]);
    }
}

static void add_by_policy(driver_plan *plan) {
    custom c = { 0 };
    if (plan->cluster->node_count == 0) return;
    if (collect(plan->cluster, &c)) ask_policy(plan, &c);
    free(c.nodes);
    free(c.known);
    free(c.order);
    free(c.replicas);
}

void driver__plan_complete(driver_plan *plan) {
    if (plan->how->policy) {
        add_by_policy(plan);
        return;
    }
    if (plan->count < DRIVER_PLAN_NODES) add_local(plan);
    if (plan->how->remote_nodes > 0) add_remote(plan);
}
