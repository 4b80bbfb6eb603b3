// SPDX-License-Identifier: MIT
/* map.h -- a hash map from byte strings to pointers. Open addressing; one thread at a time. */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "corm/base.h"

typedef struct base_map_slot {
    corm_str key; /* borrowed: the caller keeps it alive as long as the entry */
    uint64_t hash;
    void    *value; /* NULL: empty, or removed when hash is 1 */
} base_map_slot;

/* Zero-initialised is an empty, usable map. Values are never NULL. */
typedef struct base_map {
    base_map_slot *slots; /* capacity is a power of two */
    size_t         capacity;
    size_t         count;
    size_t         used; /* filled and removed slots */
} base_map;

void *base__map_get(const base_map *map, corm_str key);
bool  base__map_put(base_map *map, corm_str key, void *value); /* replaces; false: out of memory */
void *base__map_remove(base_map *map, corm_str key);           /* the value, or NULL */

/* Walks in no order: start with *at = 0; NULL at the end. Removing while walking is allowed. */
const base_map_slot *base__map_next(const base_map *map, size_t *at);
void                 base__map_free(base_map *map); /* the values are the caller's */

/* A fast 64-bit hash (wyhash-like quality); not for hostile input without a seed. */
uint64_t base__hash(const void *data, size_t len, uint64_t seed);

#endif
