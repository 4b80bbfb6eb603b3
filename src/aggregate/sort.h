// SPDX-License-Identifier: MIT
/* sort.h -- records in the order of their keys' bytes, equal keys in that of the records' bytes: so the order never depends on how the
 * records came. What is beyond the memory limit goes to a temporary file in sorted runs. */
#ifndef AGGREGATE_SORT_H
#define AGGREGATE_SORT_H

#include "aggregate/spill.h"

typedef struct agg_sorter agg_sorter;

/* `most` > 0: only the first so many are wanted. */
CORM_CHECKED corm_status agg__sorter_new(agg_memory *memory, uint64_t most, agg_sorter **out,
                                         corm_error *err);
CORM_CHECKED corm_status agg__sorter_add(agg_sorter *sorter, corm_bytes key, corm_bytes record,
                                         corm_error *err);
uint64_t                 agg__sorter_count(const agg_sorter *sorter);
void                     agg__sorter_free(agg_sorter *sorter);

/* Reads what `count` sorters hold, in order; nothing may be added any more. */
typedef struct agg_merge agg_merge;
CORM_CHECKED corm_status agg__merge_new(agg_sorter *const *sorters, uint32_t count, agg_merge **out,
                                        corm_error *err);
/* Borrowed until the next call; key->data NULL at the end. */
CORM_CHECKED corm_status agg__merge_next(agg_merge *merge, corm_bytes *key, corm_bytes *record,
                                         corm_error *err);
void                     agg__merge_free(agg_merge *merge);

#endif
