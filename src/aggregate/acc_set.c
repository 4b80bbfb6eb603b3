// SPDX-License-Identifier: MIT
/* acc_set.c -- accumulators whose state is a set (set.h): merged, saved and loaded alike, whatever they make of it. Pure. */
#include "aggregate/acc.h"
#include "aggregate/set.h"

corm_status agg__acc_set_merge(const agg_acc *acc, base_arena *arena, void *into, const void *from,
                               corm_error *err) {
    uint64_t at = 0;
    (void)acc;
    for (agg_set_item *item; (item = agg__set_next(from, &at)) != NULL;)
        if (!agg__set_take(into, arena, item)) return base__fail_memory(err);
    return CORM_OK;
}

void agg__acc_set_save(const agg_acc *acc, const void *state, base_buf *out) {
    (void)acc;
    agg__set_save(state, out);
}

corm_status agg__acc_set_load(const agg_acc *acc, base_arena *arena, base_reader *from, void *state,
                              corm_error *err) {
    (void)acc;
    return agg__set_load(state, arena, from) ? CORM_OK : base__fail_memory(err);
}
