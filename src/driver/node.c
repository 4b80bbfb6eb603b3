// SPDX-License-Identifier: MIT
/* node.c -- a node's life and the shard of a token on it. Owns the pool. The loop's thread. */
#include <stdlib.h>

#include "base/fail.h"
#include "driver/pool.h"

static void point_view(driver_node *node) {
    node->view.address = node->address_text;
    node->view.dc = node->dc;
    node->view.rack = node->rack;
    node->view.release_version = node->release_version;
}

corm_status driver__node_new(driver_cluster *cluster, corm_uuid host_id, driver_node **out,
                             corm_error *err) {
    driver_node *node = calloc(1, sizeof *node);
    if (!node) return base__fail_memory(err);
    node->cluster = cluster;
    node->refs = 1;
    node->view.host_id = host_id;
    node->view.distance = CORM_IGNORED; /* until it is placed */
    point_view(node);
    driver__limiter_init(&node->limiter, &cluster->settings.options.concurrency);
    corm_status status = driver__pool_new(node, &node->pool, err);
    if (status) {
        free(node);
        return status;
    }
    *out = node;
    return CORM_OK;
}

driver_node *driver__node_ref(driver_node *node) {
    node->refs++;
    return node;
}

void driver__node_unref(driver_node *node) {
    if (--node->refs > 0) return;
    driver__pool_free(node->pool);
    free(node->tokens);
    free(node);
}

__extension__ typedef unsigned __int128 wide;

/* ScyllaDB's rule: the token, moved to begin at zero and without its highest bits, scaled to the number of shards. */
int32_t driver__node_shard(const driver_node *node, int64_t token) {
    const driver_sharding *sharding = &node->sharding;
    if (sharding->shard_count == 0) return -1;
    uint64_t biased = (uint64_t)token + ((uint64_t)1 << 63);
    if (sharding->ignore_msb < 64) biased <<= sharding->ignore_msb;
    return (int32_t)((wide)biased * sharding->shard_count >> 64);
}
