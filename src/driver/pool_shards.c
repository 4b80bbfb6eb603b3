// SPDX-License-Identifier: MIT
/* pool_shards.c -- how a pool spreads its connections over ScyllaDB's shards.
 *
 * Through the port for shards a connection reaches the shard that its local port names. Behind address translation it may
 * reach another one: then the ordinary port is used, where the node chooses, and connections beyond a shard's share are kept
 * until every shard has its own, since the node fills the emptiest first. The loop's thread. */
#include "driver/pool_shards.h"

#include <stdlib.h>

enum { MISSES_PER_SHARD = 4 };

/* ---- bunches ---- */

void driver__bunches_free(driver_pool *pool) {
    for (uint32_t i = 0; i < pool->bunch_count; i++) free(pool->bunches[i].conns);
    free(pool->bunches);
    pool->bunches = NULL;
    pool->bunch_count = 0;
}

bool driver__bunches_make(driver_pool *pool, uint16_t shard_count) {
    uint32_t      count = shard_count > 0 ? shard_count : 1;
    driver_bunch *bunches = calloc(count, sizeof *bunches);
    if (!bunches) return false;
    driver__bunches_free(pool);
    pool->bunches = bunches;
    pool->bunch_count = count;
    return true;
}

static bool append(driver_bunch *bunch, driver_conn *conn) {
    if (bunch->count == bunch->capacity) {
        uint32_t      capacity = bunch->capacity ? 2 * bunch->capacity : 4;
        driver_conn **conns = realloc(bunch->conns, capacity * sizeof(driver_conn *));
        if (!conns) return false;
        bunch->conns = conns;
        bunch->capacity = capacity;
    }
    bunch->conns[bunch->count++] = conn;
    return true;
}

static bool is_sharded(const driver_pool *pool) {
    return pool->node->sharding.shard_count > 0;
}

/* What the first connection of a node that is up again says of its shards is true from now on. */
static bool learn(driver_pool *pool, const driver_sharding *sharding) {
    driver_node *node = pool->node;
    if (pool->ready > 0) return true;
    node->sharding = *sharding;
    if (pool->cluster->settings.options.no_shard_awareness) node->sharding.shard_count = 0;
    node->view.shard_count = node->sharding.shard_count;
    pool->misses = 0;
    if (!driver__bunches_make(pool, node->sharding.shard_count)) return false;
    pool->wanted = driver__pool_least(pool);
    return true;
}

static void check_shard(driver_pool *pool, const driver_slot *slot) {
    if (slot->wanted_shard < 0 || slot->bunch == (uint32_t)slot->wanted_shard) return;
    if (pool->no_shard_port) return;
    pool->no_shard_port = true;
    driver__log(pool->cluster,
                "%s: the port for shards led to shard %u instead of %d (address translation?); the "
                "ordinary one is used",
                pool->node->view.address, slot->bunch, slot->wanted_shard);
}

bool driver__bunch_add(driver_pool *pool, driver_slot *slot) {
    const driver_sharding *sharding = driver__conn_sharding(slot->conn);
    if (!learn(pool, sharding)) return false;
    slot->bunch = is_sharded(pool) ? sharding->shard % pool->bunch_count : 0;
    driver_bunch *bunch = &pool->bunches[slot->bunch];
    if (!append(bunch, slot->conn)) return false;
    bunch->at = 0;
    check_shard(pool, slot);
    return true;
}

void driver__bunch_remove(driver_pool *pool, driver_slot *slot) {
    driver_bunch *bunch = &pool->bunches[slot->bunch];
    for (uint32_t i = 0; i < bunch->count; i++) {
        if (bunch->conns[i] != slot->conn) continue;
        memmove(&bunch->conns[i], &bunch->conns[i + 1],
                (bunch->count - i - 1) * sizeof bunch->conns[0]);
        bunch->count--;
        bunch->at = 0;
        return;
    }
}

/* ---- shares ---- */

static uint32_t share(const driver_pool *pool) {
    uint32_t size = pool->cluster->settings.options.pool.size;
    uint32_t each = size / pool->bunch_count;
    return each > 0 ? each : 1;
}

uint32_t driver__pool_least(const driver_pool *pool) {
    if (!is_sharded(pool)) return pool->cluster->settings.options.pool.size;
    return share(pool) * pool->bunch_count;
}

static uint32_t emptiest(const driver_pool *pool) {
    uint32_t found = 0;
    for (uint32_t i = 1; i < pool->bunch_count; i++) {
        if (pool->bunches[i].count < pool->bunches[found].count) found = i;
    }
    return found;
}

static bool has_gap(const driver_pool *pool) {
    return is_sharded(pool) && pool->bunches[emptiest(pool)].count < share(pool);
}

static bool may_miss(const driver_pool *pool) {
    return pool->misses < MISSES_PER_SHARD * pool->bunch_count;
}

bool driver__pool_lacks(const driver_pool *pool) {
    return pool->ready < pool->wanted || (has_gap(pool) && may_miss(pool));
}

void driver__shards_choose(driver_pool *pool, driver_slot *slot, driver_conn_options *options) {
    const driver_sharding *sharding = &pool->node->sharding;
    bool                   secure = pool->cluster->settings.options.tls.enabled;
    uint16_t               port = secure ? sharding->shard_port_tls : sharding->shard_port;
    if (!is_sharded(pool) || port == 0 || pool->no_shard_port || pool->ready == 0) return;
    slot->wanted_shard = (int32_t)emptiest(pool);
    options->shard = slot->wanted_shard;
    options->shard_count = sharding->shard_count;
    driver__address_set_port(&options->address, port);
}

static void drop_excess(driver_pool *pool, uint32_t bunch) {
    driver_slot *next;
    uint32_t     most = share(pool);
    for (driver_slot *slot = pool->slots; slot; slot = next) {
        next = slot->next;
        if (pool->bunches[bunch].count <= most) return;
        if (!slot->in_use || slot->bunch != bunch) continue;
        driver__slot_retire(slot);
        slot->leaving = true;
        driver__conn_drain(slot->conn);
    }
}

void driver__shards_settle(driver_pool *pool) {
    if (!is_sharded(pool)) return;
    uint32_t least = driver__pool_least(pool);
    bool     gap = has_gap(pool);
    if (gap && pool->ready > least) pool->misses++;
    if (pool->wanted > least) return; /* grown under load: whatever there is is used */
    if (gap && may_miss(pool) && pool->ready <= least + pool->bunch_count) return;
    if (pool->ready <= least) return;
    for (uint32_t i = 0; i < pool->bunch_count; i++) drop_excess(pool, i);
}
