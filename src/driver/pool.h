// SPDX-License-Identifier: MIT
/* pool.h -- the connections to one node: opened one after the other, packed with requests, replaced when they are lost, more of
 * them while all are full. The loop's thread.
 *
 *   stopped ── start ──► fill: permit ─► (name) ─► dial ─► ready ─► fill … until `wanted`
 *                          ▲                        │
 *                          └── after a pause ◄──────┘ failed */
#ifndef DRIVER_POOL_H
#define DRIVER_POOL_H

#include "driver/budget.h"

typedef struct driver_slot driver_slot;

/* Ready connections to one shard; of a node without shards, all. */
typedef struct driver_bunch {
    driver_conn **conns;
    uint32_t      count, capacity;
    uint32_t      at;    /* those before it were full in this turn of the loop … */
    uint32_t      round; /* … which is this one */
} driver_bunch;

struct driver_pool {
    driver_node    *node;
    driver_cluster *cluster;
    driver_bunch   *bunches; /* one at least */
    uint32_t        bunch_count;
    uint32_t        next_bunch; /* of requests without a shard */
    driver_slot    *slots;      /* of every connection that is not closed yet */
    uint32_t        ready, dialling;
    uint32_t        wanted;   /* ready ones; between `size` and `max_size` */
    uint32_t        failures; /* dials in a row */
    uint32_t        misses;   /* connections to shards that have enough */
    bool            started;
    bool            no_shard_port; /* it is not reached, or leads to other shards */
    driver_timer    retry, idle;
    driver_permit   permit;
    driver_resolve *resolve;
    corm_error      error; /* of the last dial */
};

CORM_CHECKED corm_status driver__pool_new(driver_node *node, driver_pool **out, corm_error *err);
/* Without slots; NULL is ignored. */
void driver__pool_free(driver_pool *pool);

/* Begins to dial; again after a stop. */
void driver__pool_start(driver_pool *pool);
/* Dials no more; what is in flight is answered first, unless `now`. */
void driver__pool_stop(driver_pool *pool, bool now);
/* The node has another address: it is dialled, connections to the old one end when they are answered. */
void driver__pool_move(driver_pool *pool);
/* It is said to be up: the pause is over. */
void driver__pool_redial(driver_pool *pool);
/* It is said to be down: asks every connection for a sign of life. */
void driver__pool_probe(driver_pool *pool);
/* All its connections are full and requests wait: one more, up to `max_size`. */
void driver__pool_grow(driver_pool *pool);
/* How many requests it would take now. */
uint32_t driver__pool_room(const driver_pool *pool);

/* ---- node.c ---- */

CORM_CHECKED corm_status driver__node_new(driver_cluster *cluster, corm_uuid host_id,
                                          driver_node **out, corm_error *err);

/* ---- cluster.c: what a pool tells ---- */

void driver__node_is_up(driver_node *node);
void driver__node_is_down(driver_node *node, const corm_error *why);
void driver__node_not_reached(driver_node *node, const corm_error *why);

#endif
