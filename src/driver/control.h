// SPDX-License-Identifier: MIT
/* control.h -- the control connection: one to any node, over which nodes, keyspaces and schema versions are read and events
 * come. And what is read. The loop's thread. */
#ifndef DRIVER_CONTROL_H
#define DRIVER_CONTROL_H

#include "driver/budget.h"
#include "driver/pool.h"
#include "driver/query.h"
#include "driver/ring.h"

/* ---- topology.c ---- */

/* A row of system.local or system.peers: a node as another node sees it. Texts are zero-terminated. */
typedef struct driver_node_row {
    corm_uuid      host_id;
    corm_inet      announced;
    uint16_t       port; /* 0: not said */
    const char    *dc, *rack, *release_version;
    corm_uuid      schema_version;
    const int64_t *tokens;
    uint32_t       token_count;
    bool           is_control; /* of system.local: what the control connection leads to */
} driver_node_row;

typedef struct driver_topology {
    base_arena       arena;
    uint32_t         count, capacity;
    driver_node_row *rows;
    bool             has_ring; /* the partitioner is Murmur3 */
} driver_topology;

CORM_CHECKED corm_status driver__topology_local(driver_topology   *topology,
                                                const wire_result *result, corm_error *err);
CORM_CHECKED corm_status driver__topology_peers(driver_topology   *topology,
                                                const wire_result *result, corm_error *err);
void                     driver__topology_free(driver_topology *topology);

/* Makes the cluster's nodes what the rows say: adds, removes, moves, starts and stops pools; a new ring. `control` is the
 * address that the control connection was dialled at. */
CORM_CHECKED corm_status driver__topology_apply(driver_cluster        *cluster,
                                                const driver_topology *topology,
                                                const driver_address *control, corm_error *err);
/* A new ring after the keyspaces have changed. */
void driver__ring_renew(driver_cluster *cluster, bool has_ring);

/* ---- agree.c ---- */

typedef struct driver_agreement {
    driver_cluster *cluster;
    driver_waiter  *waiting;
    driver_timer    poll;
    driver_query    query;    /* one node's version */
    uint32_t        next;     /* the next node to be asked in this round */
    bool            seen;     /* a node has told its version in this round */
    corm_uuid       version;  /* that one */
    bool            settling; /* agreed: keyspaces are being read */
} driver_agreement;

void driver__agreement_init(driver_agreement *agreement, driver_cluster *cluster);
/* Tells all that wait. */
void driver__agreement_end(driver_agreement *agreement, corm_status status, const char *why);
/* The control connection is gone: goes on with the next one. */
void driver__agreement_interrupt(driver_agreement *agreement);
void driver__agreement_keyspaces_read(driver_agreement *agreement);

/* ---- control.c, control_read.c ---- */

struct driver_control {
    driver_cluster *cluster;
    driver_conn    *conn;      /* dialled or ready; NULL: none */
    bool            connected; /* conn is ready for queries */
    bool            ready;     /* and the nodes were read from it */
    bool            started;
    /* where to dial next */
    driver_address *targets;
    uint32_t        target_count, target_capacity, next_target, next_contact;
    driver_address *named; /* addresses of contact points' names, for certificates */
    uint32_t        named_count, named_capacity;
    driver_resolve *resolve;
    driver_permit   permit;
    uint32_t        failures; /* rounds over all targets */
    driver_timer    retry;
    corm_error      error; /* of the last target */
    driver_figures  figures;
    /* what is read */
    driver_timer     refresh; /* soon, after events; later, just in case */
    uint64_t         refresh_at_ms;
    driver_query     local, peers, schema;
    driver_topology  topology;
    bool             old_peers; /* no system.peers_v2 there */
    bool             again;     /* something has happened while it was read */
    bool             keyspaces_stale, has_ring;
    driver_agreement agreement;
};

CORM_CHECKED corm_status driver__control_new(driver_cluster *cluster, driver_control **out,
                                             corm_error *err);
void                     driver__control_start(driver_control *control);
void                     driver__control_stop(driver_control *control);
void                     driver__control_free(driver_control *control);

/* The contact point's name that was resolved to the address; empty: none. */
const char *driver__control_name_of(const driver_control *control, const driver_address *address);
/* Asks for a sign of life when the control connection leads to the node. */
void driver__control_probe(driver_control *control, const driver_node *node);

/* Reads the nodes: now; after a second, in which more may happen. */
void driver__control_read(driver_control *control);
void driver__control_read_soon(driver_control *control);
void driver__control_read_keyspaces(driver_control *control);
void driver__control_read_cancel(driver_control *control);
/* Whether a query failed since the server has no such table, or none for this user. */
bool driver__is_absent(corm_status status);
void driver__control_event(void *context, driver_conn *conn, const wire_event *event);

/* ---- loop.c: what driver__open waits for; only the first word counts ---- */

void driver__opened(driver_cluster *cluster, corm_status status, const corm_error *err);
bool driver__is_opening(const driver_cluster *cluster);
/* All connections of a closing cluster are closed. */
void driver__loop_finish(driver_cluster *cluster);

/* ---- cluster.c ---- */

CORM_CHECKED corm_status driver__cluster_new(driver_settings *settings, driver_cluster **out,
                                             corm_error *err);
void                     driver__cluster_start(driver_cluster *cluster);
void                     driver__cluster_stop(driver_cluster *cluster);
void                     driver__cluster_free(driver_cluster *cluster);
void                     driver__cluster_hook(driver_node *node, const char *event);
/* Whether connections to the node are wanted. */
bool driver__cluster_wants(const driver_cluster *cluster, const driver_node *node);
/* The nodes were read: ends driver__open when there is nothing to wait for. */
void driver__cluster_known(driver_cluster *cluster);
/* Lets those that wait try again, as many as there is room for. Once a turn of the loop. */
void driver__cluster_serve(driver_cluster *cluster);

#endif
