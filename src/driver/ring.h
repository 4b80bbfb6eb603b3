// SPDX-License-Identifier: MIT
/* ring.h -- making rings and keyspaces' replication; cluster.h has what asks them. The loop's thread. */
#ifndef DRIVER_RING_H
#define DRIVER_RING_H

#include "driver/cluster.h"

/* ---- replication of keyspaces ---- */

typedef enum driver_strategy {
    DRIVER_NO_REPLICAS, /* LocalStrategy, and what is not known */
    DRIVER_SIMPLE,
    DRIVER_EVERYWHERE,
    DRIVER_BY_DC /* NetworkTopologyStrategy */
} driver_strategy;

typedef struct driver_dc_factor {
    corm_str dc;
    uint32_t factor;
} driver_dc_factor;

typedef struct driver_keyspace {
    corm_str          name;
    driver_strategy   strategy;
    uint32_t          factor; /* DRIVER_SIMPLE */
    uint32_t          dc_count;
    driver_dc_factor *dcs; /* DRIVER_BY_DC */
} driver_keyspace;

struct driver_keyspaces {
    base_arena       arena;
    uint32_t         count;
    driver_keyspace *items;
};

/* The rows of `SELECT keyspace_name, replication FROM system_schema.keyspaces`. */
CORM_CHECKED corm_status driver__keyspaces_read(const wire_result *rows, driver_keyspaces **out,
                                                corm_error *err);
void                     driver__keyspaces_free(driver_keyspaces *keyspaces);

/* ---- rings ---- */

typedef struct driver_ring_node {
    const int64_t *tokens;
    uint32_t       token_count;
    const char    *dc, *rack;
} driver_ring_node;

/* Copies what it needs. `keyspaces` may be NULL: tokens only. */
CORM_CHECKED corm_status driver__ring_make(const driver_ring_node *nodes, uint32_t count,
                                           const driver_keyspaces *keyspaces, driver_ring **out,
                                           corm_error *err);
void                     driver__ring_free(driver_ring *ring);

#endif
