// SPDX-License-Identifier: MIT
/* group.h -- rows into groups: a hash table of states, which goes to temporary files in parts when it is too large. */
#ifndef AGGREGATE_GROUP_H
#define AGGREGATE_GROUP_H

#include "aggregate/acc.h"
#include "aggregate/spill.h"

/* What is grouped by what. Shared, not changed. */
typedef struct agg_grouping {
    uint32_t         key_count, acc_count;
    agg_expr       **keys;
    agg_acc         *accs;
    size_t           block; /* bytes of all states */
    const agg_scope *out;   /* the keys, then the accumulators */
} agg_grouping;

typedef struct agg_groups agg_groups;

/* Called with the groups, some at a time. */
typedef corm_status agg_groups_callback(void *context, const agg_batch *batch, corm_error *err);

CORM_CHECKED corm_status agg__groups_new(const agg_grouping *grouping, agg_memory *memory,
                                         agg_groups **out, corm_error *err);
CORM_CHECKED corm_status agg__groups_add(agg_groups *groups, const agg_batch *batch,
                                         corm_error *err);
/* Gives all groups of `count` tables, which are then empty; without keys there is one also when there were no rows. */
CORM_CHECKED corm_status agg__groups_give(agg_groups *const *tables, uint32_t count,
                                          agg_groups_callback *callback, void *context,
                                          corm_error *err);
void                     agg__groups_free(agg_groups *groups);

#endif
