// SPDX-License-Identifier: MIT
/* set.h -- different byte strings with how often each was met, in an arena. Zeroed is empty. */
#ifndef AGGREGATE_SET_H
#define AGGREGATE_SET_H

#include "base/arena.h"
#include "base/buf.h"

typedef struct agg_set_item {
    uint64_t hash, times;
    uint32_t len, shown_len;
    uint8_t  bytes[]; /* what it is found by, then what is shown */
} agg_set_item;

typedef struct agg_set {
    agg_set_item **slots; /* open addressing; capacity is a power of two */
    uint64_t       count, capacity;
} agg_set;

/* Counts `times` more of these; false: memory is exhausted. `shown` is kept from the first. */
bool agg__set_add(agg_set *set, base_arena *arena, corm_bytes key, corm_bytes shown,
                  uint64_t times);
/* Takes over an item of another set; of two that are equal the times are added. */
bool agg__set_take(agg_set *set, base_arena *arena, agg_set_item *item);
/* The next that is there, from *at = 0; NULL behind the last. */
agg_set_item *agg__set_next(const agg_set *set, uint64_t *at);
void          agg__set_save(const agg_set *set, base_buf *out);
bool          agg__set_load(agg_set *set, base_arena *arena, base_reader *from);

static inline corm_bytes agg__set_key(const agg_set_item *item) {
    return (corm_bytes){ item->bytes, item->len };
}
static inline corm_bytes agg__set_shown(const agg_set_item *item) {
    return (corm_bytes){ item->bytes + item->len, item->shown_len };
}

#endif
