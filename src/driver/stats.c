// SPDX-License-Identifier: MIT
/* stats.c -- copies of the figures and of the ring's tokens, made on the loop's thread for any. One allocation each. */
#include <stdlib.h>

#include "base/fail.h"
#include "driver/loop.h"

static uint64_t read_counter(const atomic_ullong *counter) {
    return atomic_load_explicit(counter, memory_order_relaxed);
}

/* ---- figures ---- */

typedef struct stats_task {
    driver_task task; /* first */
    corm_stats *stats;
} stats_task;

static void copy_counters(corm_node_stats *out, const driver_figures *figures) {
    out->orphaned = atomic_load_explicit(&figures->orphaned, memory_order_relaxed);
    out->requests = read_counter(&figures->requests);
    out->errors = read_counter(&figures->errors);
    out->timeouts = read_counter(&figures->timeouts);
    out->retries = read_counter(&figures->retries);
    out->speculations = read_counter(&figures->speculations);
    out->bytes_sent = read_counter(&figures->bytes_sent);
    out->bytes_received = read_counter(&figures->bytes_received);
    out->dials = read_counter(&figures->dials);
    out->dial_failures = read_counter(&figures->dial_failures);
    out->connections_closed = read_counter(&figures->connections_closed);
    out->heartbeats = read_counter(&figures->heartbeats);
    out->late_answers = read_counter(&figures->late_answers);
    driver__histogram_read(&figures->latencies, &out->latencies);
}

static void copy_node(corm_node_stats *out, const driver_node *node) {
    (void)snprintf(out->address, sizeof out->address, "%s", node->view.address);
    (void)snprintf(out->dc, sizeof out->dc, "%s", node->dc);
    (void)snprintf(out->rack, sizeof out->rack, "%s", node->rack);
    out->port = node->view.port;
    out->host_id = node->view.host_id;
    out->up = node->view.up;
    out->connections = node->view.connections;
    out->connecting = node->pool->dialling;
    out->in_flight = node->view.in_flight;
    out->concurrency_limit = node->limiter.disabled ? 0 : (uint32_t)node->limiter.limit;
    copy_counters(out, &node->figures);
}

static void add_node(corm_stats *stats, const corm_node_stats *node) {
    stats->nodes++;
    stats->nodes_up += node->up;
    stats->connections += node->connections;
    stats->connecting += node->connecting;
    stats->in_flight += node->in_flight;
    stats->bytes_sent += node->bytes_sent;
    stats->bytes_received += node->bytes_received;
    stats->dials += node->dials;
    stats->dial_failures += node->dial_failures;
}

static void copy_totals(corm_stats *stats, const driver_cluster *cluster) {
    const driver_totals  *totals = &cluster->totals;
    const driver_figures *control = &cluster->control->figures;
    stats->queued = cluster->waiting_count;
    stats->requests = read_counter(&totals->requests);
    stats->errors = read_counter(&totals->errors);
    stats->timeouts = read_counter(&totals->timeouts);
    stats->retries = read_counter(&totals->retries);
    stats->speculations = read_counter(&totals->speculations);
    stats->speculations_won = read_counter(&totals->speculations_won);
    stats->dials_delayed = read_counter(&totals->dials_delayed);
    stats->prepares = read_counter(&totals->prepares);
    stats->prepare_hits = read_counter(&totals->prepare_hits);
    stats->reprepares = read_counter(&totals->reprepares);
    stats->token_routed = read_counter(&totals->token_routed);
    stats->prepared_bytes = atomic_load_explicit(&cluster->prepared.bytes, memory_order_relaxed);
    stats->protocol_version = cluster->version;
    /* The control connection's dials belong to no node. */
    stats->bytes_sent = read_counter(&control->bytes_sent);
    stats->bytes_received = read_counter(&control->bytes_received);
    stats->dials = read_counter(&control->dials);
    stats->dial_failures = read_counter(&control->dial_failures);
    driver__histogram_read(&totals->latencies, &stats->latencies);
}

static void collect(driver_cluster *cluster, driver_task *task) {
    stats_task *own = (stats_task *)task;
    uint32_t    count = cluster->node_count;
    corm_stats *stats = calloc(1, sizeof *stats + count * sizeof(corm_node_stats));
    if (stats) {
        corm_node_stats *nodes = (corm_node_stats *)(void *)(stats + 1);
        copy_totals(stats, cluster);
        stats->node_count = count;
        stats->node_stats = nodes;
        for (uint32_t i = 0; i < count; i++) {
            copy_node(&nodes[i], cluster->nodes[i]);
            add_node(stats, &nodes[i]);
        }
    }
    own->stats = stats;
    driver__task_done(task);
}

corm_status driver__stats(driver_cluster *cluster, const corm_stats **out, corm_error *err) {
    stats_task task = { .task.run = collect };
    driver__task_run(cluster, &task.task);
    if (!task.stats) return base__fail_memory(err);
    *out = task.stats;
    return CORM_OK;
}

/* ---- tokens ---- */

typedef struct tokens_task {
    driver_task task; /* first */
    int64_t    *tokens;
    uint32_t    count;
} tokens_task;

static void copy_tokens(driver_cluster *cluster, driver_task *task) {
    tokens_task   *own = (tokens_task *)task;
    const int64_t *tokens = driver__ring_tokens(cluster->ring, &own->count);
    own->tokens = malloc((own->count + (size_t)1) * sizeof *own->tokens);
    if (own->tokens && own->count > 0) {
        memcpy(own->tokens, tokens, own->count * sizeof *own->tokens);
    }
    driver__task_done(task);
}

corm_status driver__tokens(driver_cluster *cluster, int64_t **tokens, uint32_t *count,
                           corm_error *err) {
    tokens_task task = { .task.run = copy_tokens };
    driver__task_run(cluster, &task.task);
    if (!task.tokens) return base__fail_memory(err);
    *tokens = task.tokens;
    *count = task.count;
    return CORM_OK;
}
