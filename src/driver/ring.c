// SPDX-License-Identifier: MIT
/* ring.c -- tokens to replicas. A ring has the sorted tokens with their owners, and for each way of replication that a keyspace
 * uses a table of replicas, one line a token, which is made when the first request asks for it.
 *
 *   tokens   [ -90 | -10 |  35 |  70 ]        token 20 belongs to 35, token 80 to -90
 *   owners   [  n2 |  n0 |  n1 |  n2 ]
 *   table    [n2,n0|n0,n1|n1,n2|n2,n0]        of one replication, `width` places a line
 *
 * Owns copies of all that it needs, so nodes and keyspaces may go on changing. The loop's thread. */
#include "driver/ring.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/fail.h"

typedef struct ring_place {
    int64_t  token;
    uint32_t owner;
} ring_place;

/* What a node is to a strategy: numbers for its data centre and its rack in it. */
typedef struct ring_node {
    uint32_t dc, rack;
} ring_node;

typedef struct ring_dc {
    corm_str name;
    uint32_t nodes, racks;
} ring_dc;

/* A way of replication, shared by the keyspaces that have the same. */
typedef struct ring_table {
    driver_strategy strategy;
    uint32_t       *factors; /* of each data centre; [0] only for the others */
    uint32_t        width;
    uint32_t       *replicas; /* token_count * width; NULL: not made yet */
    uint16_t       *counts;   /* of each line */
    bool            failed;   /* no memory for it */
} ring_table;

struct driver_ring {
    base_arena  arena;
    uint32_t    token_count, node_count, dc_count, rack_count;
    int64_t    *tokens;
    uint32_t   *owners;
    ring_node  *nodes;
    ring_dc    *dcs;
    corm_str   *racks; /* names, by number */
    uint32_t   *rack_dcs;
    ring_table *tables; /* one a keyspace at most */
    uint32_t    table_count;
    base_map    by_keyspace; /* to ring_table */
};

/* ---- tokens ---- */

static int by_token(const void *left, const void *right) {
    const ring_place *a = left;
    const ring_place *b = right;
    if (a->token != b->token) return a->token < b->token ? -1 : 1;
    return a->owner < b->owner ? -1 : a->owner > b->owner;
}

static void put_places(driver_ring *ring, const ring_place *places, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0 && places[i].token == places[i - 1].token)
            continue; /* a node that replaces another */
        ring->tokens[ring->token_count] = places[i].token;
        ring->owners[ring->token_count++] = places[i].owner;
    }
}

static corm_status take_tokens(driver_ring *ring, const driver_ring_node *nodes, uint32_t count,
                               corm_error *err) {
    uint32_t total = 0;
    for (uint32_t i = 0; i < count; i++) total += nodes[i].token_count;
    ring_place *places = calloc((size_t)total + 1, sizeof *places);
    ring->tokens = BASE_NEW_ARRAY(&ring->arena, int64_t, total);
    ring->owners = BASE_NEW_ARRAY(&ring->arena, uint32_t, total);
    if (!places || !ring->tokens || !ring->owners) {
        free(places);
        return base__fail_memory(err);
    }
    uint32_t at = 0;
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t j = 0; j < nodes[i].token_count; j++) {
            places[at++] = (ring_place){ nodes[i].tokens[j], i };
        }
    }
    qsort(places, total, sizeof *places, by_token);
    put_places(ring, places, total);
    free(places);
    return CORM_OK;
}

/* ---- data centres and racks ---- */

static uint32_t dc_number(driver_ring *ring, corm_str name) {
    for (uint32_t i = 0; i < ring->dc_count; i++) {
        if (corm_str_equal(ring->dcs[i].name, name)) return i;
    }
    ring->dcs[ring->dc_count].name = name;
    return ring->dc_count++;
}

static uint32_t rack_number(driver_ring *ring, uint32_t dc, corm_str name) {
    for (uint32_t i = 0; i < ring->rack_count; i++) {
        if (ring->rack_dcs[i] == dc && corm_str_equal(ring->racks[i], name)) return i;
    }
    ring->racks[ring->rack_count] = name;
    ring->rack_dcs[ring->rack_count] = dc;
    ring->dcs[dc].racks++;
    return ring->rack_count++;
}

static corm_status take_nodes(driver_ring *ring, const driver_ring_node *nodes, uint32_t count,
                              corm_error *err) {
    ring->node_count = count;
    ring->nodes = BASE_NEW_ARRAY(&ring->arena, ring_node, count);
    ring->dcs = BASE_NEW_ARRAY(&ring->arena, ring_dc, count);
    ring->racks = BASE_NEW_ARRAY(&ring->arena, corm_str, count);
    ring->rack_dcs = BASE_NEW_ARRAY(&ring->arena, uint32_t, count);
    if (!ring->nodes || !ring->dcs || !ring->racks || !ring->rack_dcs) {
        return base__fail_memory(err);
    }
    for (uint32_t i = 0; i < count; i++) {
        corm_str dc = base__arena_str(&ring->arena, corm_str_of(nodes[i].dc));
        corm_str rack = base__arena_str(&ring->arena, corm_str_of(nodes[i].rack));
        if (!dc.data || !rack.data) return base__fail_memory(err);
        ring_node *node = &ring->nodes[i];
        node->dc = dc_number(ring, dc);
        node->rack = rack_number(ring, node->dc, rack);
        if (nodes[i].token_count > 0) ring->dcs[node->dc].nodes++;
    }
    return CORM_OK;
}

/* ---- ways of replication ---- */

static uint32_t least(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}

static void set_factors(const driver_ring *ring, const driver_keyspace *keyspace,
                        ring_table *table) {
    uint32_t owners = 0;
    for (uint32_t i = 0; i < ring->dc_count; i++) owners += ring->dcs[i].nodes;
    if (keyspace->strategy == DRIVER_SIMPLE) table->factors[0] = least(keyspace->factor, owners);
    if (keyspace->strategy == DRIVER_EVERYWHERE) table->factors[0] = owners;
    if (keyspace->strategy != DRIVER_BY_DC) {
        table->width = table->factors[0];
        return;
    }
    for (uint32_t i = 0; i < keyspace->dc_count; i++) {
        for (uint32_t j = 0; j < ring->dc_count; j++) {
            if (!corm_str_equal(ring->dcs[j].name, keyspace->dcs[i].dc)) continue;
            table->factors[j] = keyspace->dcs[i].factor;
            table->width += least(keyspace->dcs[i].factor, ring->dcs[j].nodes);
        }
    }
}

static ring_table *same_table(driver_ring *ring, const ring_table *table) {
    for (uint32_t i = 0; i < ring->table_count; i++) {
        ring_table *other = &ring->tables[i];
        if (other->strategy == table->strategy && other->width == table->width &&
            memcmp(other->factors, table->factors, (ring->dc_count + 1) * sizeof(uint32_t)) == 0) {
            return other;
        }
    }
    return NULL;
}

static corm_status take_keyspace(driver_ring *ring, const driver_keyspace *keyspace,
                                 corm_error *err) {
    ring_table table = { .strategy = keyspace->strategy };
    table.factors = BASE_NEW_ARRAY(&ring->arena, uint32_t, ring->dc_count + 1);
    corm_str name = base__arena_str(&ring->arena, keyspace->name);
    if (!table.factors || !name.data) return base__fail_memory(err);
    set_factors(ring, keyspace, &table);
    ring_table *shared = same_table(ring, &table);
    if (!shared) {
        shared = &ring->tables[ring->table_count++];
        *shared = table;
    }
    return base__map_put(&ring->by_keyspace, name, shared) ? CORM_OK : base__fail_memory(err);
}

static corm_status take_keyspaces(driver_ring *ring, const driver_keyspaces *keyspaces,
                                  corm_error *err) {
    if (!keyspaces) return CORM_OK;
    ring->tables = BASE_NEW_ARRAY(&ring->arena, ring_table, keyspaces->count);
    if (!ring->tables) return base__fail_memory(err);
    for (uint32_t i = 0; i < keyspaces->count; i++) {
        CORM_TRY(take_keyspace(ring, &keyspaces->items[i], err));
    }
    return CORM_OK;
}

corm_status driver__ring_make(const driver_ring_node *nodes, uint32_t count,
                              const driver_keyspaces *keyspaces, driver_ring **out,
                              corm_error *err) {
    driver_ring *ring = calloc(1, sizeof *ring);
    if (!ring) return base__fail_memory(err);
    corm_status status = take_tokens(ring, nodes, count, err);
    if (!status) status = take_nodes(ring, nodes, count, err);
    if (!status) status = take_keyspaces(ring, keyspaces, err);
    if (status) {
        driver__ring_free(ring);
        return status;
    }
    *out = ring;
    return CORM_OK;
}

void driver__ring_free(driver_ring *ring) {
    if (!ring) return;
    base__map_free(&ring->by_keyspace);
    base__arena_free(&ring->arena);
    free(ring);
}

/* ---- replicas ---- */

/* How far one data centre is with one token's replicas: the server's rule, which takes a node of a rack that has one
 * already only while there are more replicas than racks. */
typedef struct dc_progress {
    uint32_t left, repeats;
} dc_progress;

typedef struct ring_walk {
    const driver_ring *ring;
    const ring_table  *table;
    dc_progress       *dcs;
    uint32_t          *rack_seen, *node_seen; /* the number of the walk that saw it last */
    uint32_t           number;
} ring_walk;

static void start_walk(ring_walk *walk) {
    walk->number++;
    for (uint32_t i = 0; i < walk->ring->dc_count; i++) {
        const ring_dc *dc = &walk->ring->dcs[i];
        uint32_t       factor = walk->table->factors[i];
        walk->dcs[i].left = least(factor, dc->nodes);
        walk->dcs[i].repeats = factor > dc->racks ? factor - dc->racks : 0;
    }
}

static bool takes(ring_walk *walk, uint32_t node) {
    if (walk->node_seen[node] == walk->number) return false;
    if (walk->table->strategy != DRIVER_BY_DC) {
        walk->node_seen[node] = walk->number;
        return true;
    }
    const ring_node *place = &walk->ring->nodes[node];
    dc_progress     *dc = &walk->dcs[place->dc];
    if (dc->left == 0) return false;
    bool seen = walk->rack_seen[place->rack] == walk->number;
    if (seen && dc->repeats == 0) return false;
    if (seen) dc->repeats--;
    dc->left--;
    walk->rack_seen[place->rack] = walk->number;
    walk->node_seen[node] = walk->number;
    return true;
}

static uint16_t fill_line(ring_walk *walk, uint32_t from, uint32_t *line) {
    const driver_ring *ring = walk->ring;
    uint32_t           count = 0;
    start_walk(walk);
    for (uint32_t i = 0; i < ring->token_count && count < walk->table->width; i++) {
        uint32_t node = ring->owners[(from + i) % ring->token_count];
        if (takes(walk, node)) line[count++] = node;
    }
    return (uint16_t)count;
}

/* The table is a part of the ring that is made late; nothing that a caller sees changes. */
static void make_table(driver_ring *ring, ring_table *table) {
    ring_walk walk = { .ring = ring, .table = table };
    size_t    cells = (size_t)ring->token_count * table->width;
    table->failed = true;
    walk.dcs = calloc((size_t)ring->dc_count + 1, sizeof *walk.dcs);
    walk.rack_seen = calloc((size_t)ring->rack_count + 1, sizeof *walk.rack_seen);
    walk.node_seen = calloc((size_t)ring->node_count + 1, sizeof *walk.node_seen);
    uint32_t *replicas = base__arena_alloc(&ring->arena, cells * sizeof *replicas);
    uint16_t *counts = base__arena_alloc(&ring->arena, ring->token_count * sizeof *counts);
    if (walk.dcs && walk.rack_seen && walk.node_seen && replicas && counts) {
        for (uint32_t i = 0; i < ring->token_count; i++) {
            counts[i] = fill_line(&walk, i, replicas + (size_t)i * table->width);
        }
        table->replicas = replicas;
        table->counts = counts;
        table->failed = false;
    }
    free(walk.dcs);
    free(walk.rack_seen);
    free(walk.node_seen);
}

/* The line of the first token that is not below; behind the last comes the first. */
static uint32_t line_of(const driver_ring *ring, int64_t token) {
    uint32_t low = 0;
    uint32_t high = ring->token_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (ring->tokens[middle] < token)
            low = middle + 1;
        else
            high = middle;
    }
    return low == ring->token_count ? 0 : low;
}

const uint32_t *driver__ring_replicas(const driver_ring *ring, corm_str keyspace, int64_t token,
                                      uint32_t *count) {
    *count = 0;
    if (!ring || ring->token_count == 0 || keyspace.len == 0) return NULL;
    ring_table *table = base__map_get(&ring->by_keyspace, keyspace);
    if (!table || table->width == 0 || table->failed) return NULL;
    if (!table->replicas) make_table((driver_ring *)(uintptr_t)ring, table);
    if (!table->replicas) return NULL;
    uint32_t line = line_of(ring, token);
    *count = table->counts[line];
    return table->replicas + (size_t)line * table->width;
}

const int64_t *driver__ring_tokens(const driver_ring *ring, uint32_t *count) {
    *count = ring ? ring->token_count : 0;
    return ring ? ring->tokens : NULL;
}
