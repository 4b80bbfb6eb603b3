// SPDX-License-Identifier: MIT
/* node.h -- a node of the cluster and its pool of connections.
 *
 * A node is known by its host id; its address may change. It is counted: one reference for the cluster's list, one for each
 * request that has it in its plan. The loop's thread. */
#ifndef DRIVER_NODE_H
#define DRIVER_NODE_H

#include "driver/conn.h"

typedef struct driver_cluster driver_cluster;
typedef struct driver_pool    driver_pool;

/* The adaptive limit on requests in flight: AIMD, see limiter.c. */
typedef struct driver_limiter {
    double   limit;
    uint32_t least, most;
    uint64_t last_cut_ns; /* at most one cut a round trip */
    bool     disabled;
} driver_limiter;
void driver__limiter_init(driver_limiter *limiter, const corm_concurrency_options *options);
bool driver__limiter_allows(const driver_limiter *limiter, uint32_t in_flight);
/* An answer came; `in_flight` counts it. */
void driver__limiter_answered(driver_limiter *limiter, uint32_t in_flight);
/* The node said that it is overloaded, or did not answer in time. `latency_us`: a round trip. */
void driver__limiter_overloaded(driver_limiter *limiter, uint32_t in_flight, uint64_t now_ns,
                                uint64_t latency_us);

typedef struct driver_node {
    corm_node       view; /* what policies see; always up to date (in_flight: by request.c) */
    uint32_t        refs;
    uint32_t        index;   /* in cluster->nodes */
    bool            removed; /* no longer of the cluster */
    driver_cluster *cluster;
    driver_address
        address; /* that is dialled: after translation. No family: address.name is resolved at each dial */
    corm_inet announced; /* what the cluster calls it: events name it so */
    uint16_t  announced_port;
    char      address_text[256], dc[64], rack[64], release_version[32]; /* what view points to */
    int64_t  *tokens;
    uint32_t  token_count;
    corm_uuid schema_version;
    driver_sharding sharding;
    driver_pool    *pool;
    driver_limiter  limiter;
    driver_figures  figures;
    /* speculation.c: the percentile of the latencies that was read last, and when */
    double   percentile;
    uint64_t percentile_us, percentile_read_ms;
} driver_node;

driver_node *driver__node_ref(driver_node *node);
void         driver__node_unref(driver_node *node);

/* A ready connection with room, for `shard` when it is >= 0 and there is one; NULL when the node has none now: the pool then
 * opens one if it may. Requests are packed on as few connections as `requests_per_connection` allows, since every
 * connection costs a read of its own. */
driver_conn *driver__node_connection(driver_node *node, int32_t shard);

/* ScyllaDB: the shard of a token on this node; -1 when it is not sharded. */
int32_t driver__node_shard(const driver_node *node, int64_t token);

#endif
