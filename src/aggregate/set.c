// SPDX-License-Identifier: MIT
/* set.c -- different byte strings, hashed, with linear probing. What growing leaves behind stays in the arena. Thread: the caller's. */
#include "aggregate/set.h"

#include "base/map.h"

static agg_set_item **find(const agg_set *set, uint64_t hash, corm_bytes key) {
    uint64_t mask = set->capacity - 1;
    for (uint64_t at = hash & mask;; at = (at + 1) & mask) {
        agg_set_item *item = set->slots[at];
        if (!item) return &set->slots[at];
        if (item->hash == hash && item->len == key.len &&
            (key.len == 0 || memcmp(item->bytes, key.data, key.len) == 0))
            return &set->slots[at];
    }
}

static bool grow(agg_set *set, base_arena *arena) {
    agg_set bigger = { .capacity = set->capacity ? 2 * set->capacity : 8 };
    bigger.slots = BASE_NEW_ARRAY(arena, agg_set_item *, bigger.capacity);
    if (!bigger.slots) return false;
    for (uint64_t i = 0; i < set->capacity; i++) {
        agg_set_item *item = set->slots[i];
        if (item) *find(&bigger, item->hash, agg__set_key(item)) = item;
    }
    bigger.count = set->count;
    *set = bigger;
    return true;
}

bool agg__set_add(agg_set *set, base_arena *arena, corm_bytes key, corm_bytes shown,
                  uint64_t times) {
    if (4 * (set->count + 1) > 3 * set->capacity && !grow(set, arena)) return false;
    uint64_t       hash = base__hash(key.data, key.len, 0);
    agg_set_item **slot = find(set, hash, key), *item = *slot;
    if (!item) {
        item = base__arena_alloc(arena, sizeof *item + key.len + shown.len);
        if (!item) return false;
        *item = (agg_set_item){ hash, 0, (uint32_t)key.len, (uint32_t)shown.len };
        if (key.len > 0) memcpy(item->bytes, key.data, key.len);
        if (shown.len > 0) memcpy(item->bytes + key.len, shown.data, shown.len);
        *slot = item;
        set->count++;
    }
    item->times += times;
    return true;
}

bool agg__set_take(agg_set *set, base_arena *arena, agg_set_item *item) {
    if (4 * (set->count + 1) > 3 * set->capacity && !grow(set, arena)) return false;
    agg_set_item **slot = find(set, item->hash, agg__set_key(item));
    if (*slot) {
        (*slot)->times += item->times;
    } else {
        *slot = item;
        set->count++;
    }
    return true;
}

agg_set_item *agg__set_next(const agg_set *set, uint64_t *at) {
    while (*at < set->capacity) {
        agg_set_item *item = set->slots[(*at)++];
        if (item) return item;
    }
    return NULL;
}

void agg__set_save(const agg_set *set, base_buf *out) {
    uint64_t at = 0;
    base__buf_u64(out, set->count);
    for (const agg_set_item *item; (item = agg__set_next(set, &at)) != NULL;) {
        base__buf_u64(out, item->times);
        base__buf_u32(out, item->len);
        base__buf_u32(out, item->shown_len);
        base__buf_put(out, item->bytes, (size_t)item->len + item->shown_len);
    }
}

bool agg__set_load(agg_set *set, base_arena *arena, base_reader *from) {
    uint64_t count = base__read_u64(from);
    for (uint64_t i = 0; i < count && !from->failed; i++) {
        uint64_t   times = base__read_u64(from);
        uint32_t   len = base__read_u32(from), shown = base__read_u32(from);
        corm_bytes key = base__read_bytes(from, len), rest = base__read_bytes(from, shown);
        if (!from->failed && !agg__set_add(set, arena, key, rest, times)) return false;
    }
    return true;
}
