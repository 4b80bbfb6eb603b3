// SPDX-License-Identifier: MIT
/* map.c -- open addressing with linear probing; removed slots stay marked until the next growth.
 *
 * Owns the slots; keys and values are the caller's. The hash is seeded once per process, so that
 * keys from outside cannot be chosen to collide. One thread at a time per map. */
#include "base/map.h"

#include "base/clock.h"

#include <pthread.h>
#include <stdlib.h>

enum { SMALLEST = 16, REMOVED = 1, FIRST_HASH = 2 };

static pthread_once_t seed_once = PTHREAD_ONCE_INIT;
static uint64_t       seed; /* written once under seed_once */

static void make_seed(void) {
    if (!base__random(&seed, sizeof seed)) seed = (uint64_t)base__clock_mono_ns();
}

static uint64_t hash_of(corm_str key) {
    pthread_once(&seed_once, make_seed);
    uint64_t hash = base__hash(key.data, key.len, seed);
    return hash < FIRST_HASH ? hash + FIRST_HASH : hash;
}

static bool is_removed(const base_map_slot *slot) {
    return !slot->value && slot->hash == REMOVED;
}

/* The slot that holds the key, else NULL. */
static base_map_slot *find(const base_map *map, corm_str key, uint64_t hash) {
    if (map->capacity == 0) return NULL;
    size_t mask = map->capacity - 1;
    for (size_t i = (size_t)hash & mask;; i = (i + 1) & mask) {
        base_map_slot *slot = &map->slots[i];
        if (slot->value) {
            if (slot->hash == hash && corm_str_equal(slot->key, key)) return slot;
        } else if (!is_removed(slot)) {
            return NULL;
        }
    }
}

/* The first slot for a new key; there is always an empty one. */
static base_map_slot *find_free(const base_map *map, uint64_t hash) {
    size_t mask = map->capacity - 1;
    size_t i = (size_t)hash & mask;
    while (map->slots[i].value) i = (i + 1) & mask;
    return &map->slots[i];
}

static bool resize(base_map *map, size_t capacity) {
    base_map grown = { .capacity = capacity, .count = map->count, .used = map->count };
    grown.slots = calloc(capacity, sizeof *grown.slots);
    if (!grown.slots) return false;
    for (size_t i = 0; i < map->capacity; i++) {
        const base_map_slot *slot = &map->slots[i];
        if (slot->value) *find_free(&grown, slot->hash) = *slot;
    }
    free(map->slots);
    *map = grown;
    return true;
}

/* Keeps a quarter of the slots empty. Grows only when removed slots are not the reason. */
static bool make_room(base_map *map) {
    if ((map->used + 1) * 4 <= map->capacity * 3) return true;
    size_t capacity = map->capacity == 0 ? SMALLEST : map->capacity;
    if ((map->count + 1) * 2 > capacity) capacity *= 2;
    return resize(map, capacity);
}

void *base__map_get(const base_map *map, corm_str key) {
    if (map->count == 0) return NULL;
    const base_map_slot *slot = find(map, key, hash_of(key));
    return slot ? slot->value : NULL;
}

bool base__map_put(base_map *map, corm_str key, void *value) {
    uint64_t       hash = hash_of(key);
    base_map_slot *slot = find(map, key, hash);
    if (!slot) {
        if (!make_room(map)) return false;
        slot = find_free(map, hash);
        if (!is_removed(slot)) map->used++;
        map->count++;
    }
    *slot = (base_map_slot){ key, hash, value };
    return true;
}

void *base__map_remove(base_map *map, corm_str key) {
    base_map_slot *slot = map->count == 0 ? NULL : find(map, key, hash_of(key));
    if (!slot) return NULL;
    void *value = slot->value;
    *slot = (base_map_slot){ .hash = REMOVED };
    map->count--;
    return value;
}

const base_map_slot *base__map_next(const base_map *map, size_t *at) {
    while (*at < map->capacity) {
        const base_map_slot *slot = &map->slots[(*at)++];
        if (slot->value) return slot;
    }
    return NULL;
}

void base__map_free(base_map *map) {
    free(map->slots);
    *map = (base_map){ 0 };
}
