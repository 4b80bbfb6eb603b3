// SPDX-License-Identifier: MIT
/* cluster.h -- what is known of the cluster, and who keeps it true: contact points, the control connection, nodes and their
 * pools, the ring of tokens, keyspaces' replication, schema agreement.
 *
 * All of it lives on the loop's thread. A request (request.c) asks it for nodes and connections and waits in its queues. */
#ifndef DRIVER_CLUSTER_H
#define DRIVER_CLUSTER_H

#include "base/map.h"
#include "driver/node.h"
#include "driver/prepared.h"
#include "driver/timers.h"

/* Somebody who waits on the loop; embedded in the owner. `wake` is called once, or the owner removes it. */
typedef struct driver_waiter driver_waiter;
struct driver_waiter {
    void (*wake)(driver_waiter *waiter, corm_status status, const corm_error *err);
    driver_waiter  *next;
    driver_waiter **link;     /* NULL: does not wait */
    uint64_t        until_ms; /* driver__cluster_agree's; 0: waits for a connection */
};

/* Tokens to replicas. Immutable; replaced as a whole when nodes or keyspaces change. */
typedef struct driver_ring driver_ring;

/* Totals that belong to no node. */
typedef struct driver_totals {
    atomic_ullong    requests, errors, timeouts, retries, speculations, speculations_won;
    atomic_ullong    dials_delayed, prepares, prepare_hits, reprepares, token_routed;
    atomic_ullong    queued; /* requests that wait for a connection, now */
    driver_histogram latencies;
} driver_totals;

typedef struct driver_control
    driver_control; /* the control connection and topology reading: control.c */
typedef struct driver_inbox driver_inbox; /* requests from other threads: loop.c */
typedef struct driver_dials driver_dials; /* the budget of dials, names being resolved: budget.h */

/* A token bucket: `rate` a second, at most `burst` at once. */
typedef struct driver_bucket {
    double   tokens, rate, burst;
    uint64_t last_ns;
} driver_bucket;

/* A keyspace's replication, as the ring needs it. */
typedef struct driver_keyspaces driver_keyspaces;

struct driver_cluster {
    uv_loop_t             *loop;
    driver_settings        settings;
    driver_tls            *tls;     /* NULL: plain */
    uint8_t                version; /* of the protocol; falls when a node offers less */
    uint32_t               node_count;
    driver_node          **nodes;
    driver_ring           *ring; /* NULL: not known (yet) */
    driver_timers          timers;
    driver_prepared_cache  prepared;
    driver_totals          totals;
    driver_control        *control;
    driver_inbox          *inbox;
    driver_dials          *dials;
    driver_keyspaces      *keyspaces; /* NULL: not known (yet) */
    driver_bucket          reprepares;
    driver_waiter         *waiting, **waiting_end; /* requests that wait for any connection */
    uint32_t               waiting_count;
    uint64_t               random;   /* state of driver__random */
    struct driver_request *requests; /* all that have begun and not ended */
    uint32_t               rounds;   /* turns of the loop */
    bool                   closing;
    uint32_t
         calling; /* depth of the user's functions that run now; whoever calls one counts it here */
    char local_dc
        [64]; /* the options', else that of the first contact point that answered; "": not known */
    uint32_t turn; /* of round-robin: policy.c's */
};

/* ---- the loop's services for requests ---- */

/* Waits until any node has a ready connection (again). CORM_OVERLOADED when max_queued already wait. */
CORM_CHECKED corm_status driver__cluster_wait(driver_cluster *cluster, driver_waiter *waiter,
                                              corm_error *err);
void                     driver__waiter_remove(driver_cluster *cluster, driver_waiter *waiter);
/* Wakes so many of those that wait, the first first: a node whose limit was reached takes requests again. */
void driver__cluster_wake(driver_cluster *cluster, uint32_t count);

/* Waits until all nodes that are up have one schema version, or CORM_TIMEOUT; then reads the replication of keyspaces again. */
void driver__cluster_agree(driver_cluster *cluster, driver_waiter *waiter, uint32_t timeout_ms);

/* A node's connection was lost or its answer did not come: probe it now. */
void driver__cluster_suspect(driver_cluster *cluster, driver_node *node);

/* The replicas of a token, the primary first, as indexes into cluster->nodes; *count 0 when the ring or the keyspace's
 * replication is not known. Borrowed until the loop goes on. */
const uint32_t *driver__ring_replicas(const driver_ring *ring, corm_str keyspace, int64_t token,
                                      uint32_t *count);
/* The sorted tokens of the ring; *count 0 when it is not known. */
const int64_t *driver__ring_tokens(const driver_ring *ring, uint32_t *count);

/* Whether the budget lets another prepare of a statement that was prepared before go out now (token bucket). */
bool driver__cluster_may_reprepare(driver_cluster *cluster);

/* Uniform in [0, bound). */
uint32_t driver__random(driver_cluster *cluster, uint32_t bound);

/* For logs: hooks.log with a formatted text. */
void driver__log(driver_cluster *cluster, const char *format, ...) CORM_PRINTF(2, 3);

#endif
