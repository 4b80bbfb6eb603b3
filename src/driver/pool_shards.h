// SPDX-License-Identifier: MIT
/* pool_shards.h -- how a pool spreads its connections over ScyllaDB's shards. Private to pool.c and pool_shards.c. */
#ifndef DRIVER_POOL_SHARDS_H
#define DRIVER_POOL_SHARDS_H

#include "driver/pool.h"

/* One connection of a pool, from the dial until it is closed. */
struct driver_slot {
    driver_pool *pool;
    driver_node *node; /* one reference */
    driver_conn *conn;
    driver_slot *next, **link; /* in pool->slots */
    int32_t      wanted_shard; /* dialled through the port for shards; -1: the ordinary one */
    uint32_t     bunch;        /* that it is in while in_use */
    bool         ready;        /* was ready once */
    bool         in_use;       /* takes requests */
    bool         leaving;      /* ends because the pool wants it */
    uint64_t     ready_ns;
};

/* The shards' bunches; 0: no shards. Frees those of before, which must be empty. */
bool driver__bunches_make(driver_pool *pool, uint16_t shard_count);
void driver__bunches_free(driver_pool *pool);
/* Puts a connection that became ready where its shard says; false: memory is exhausted. */
bool driver__bunch_add(driver_pool *pool, driver_slot *slot);
void driver__bunch_remove(driver_pool *pool, driver_slot *slot);

/* pool.c: a ready connection takes no more requests. */
void driver__slot_retire(driver_slot *slot);

/* The connections that are kept open without load. */
uint32_t driver__pool_least(const driver_pool *pool);
/* Whether another one should be dialled. */
bool driver__pool_lacks(const driver_pool *pool);
/* Port and shard of the next dial. */
void driver__shards_choose(driver_pool *pool, driver_slot *slot, driver_conn_options *options);
/* Closes what is beyond a shard's share, once each has its own. */
void driver__shards_settle(driver_pool *pool);

#endif
