// SPDX-License-Identifier: MIT
/* deletions.h -- what has been deleted of a partition as a whole or by ranges: held against writes that come late with an older
 * timestamp. Stored under ENGINE_KEY_PARTITION; readers never need it.
 *
 * Ranges are kept sorted and do not overlap: where two met, the higher timestamp was kept for each part. Bounds are order-form
 * clustering bytes as in the data key, half-open: [start, end). */
#ifndef ENGINE_DELETIONS_H
#define ENGINE_DELETIONS_H

#include "engine/row.h"

typedef struct engine_range {
    corm_bytes start, end;
    int64_t    timestamp;
    uint32_t   local_time;
} engine_range;

typedef struct engine_deletions {
    int64_t       partition_at; /* or ENGINE_NO_TIMESTAMP */
    uint32_t      partition_local;
    uint32_t      count;
    engine_range *ranges;
} engine_deletions;

CORM_CHECKED corm_status engine__deletions_decode(corm_bytes bytes, base_arena *arena,
                                                  engine_deletions *out, corm_error *err);
void                     engine__deletions_encode(const engine_deletions *deletions, base_buf *out);

/* Adds a range deletion, splitting and merging. */
CORM_CHECKED corm_status engine__deletions_add(engine_deletions   *deletions,
                                               const engine_range *range, base_arena *arena,
                                               corm_error *err);

/* The highest deletion timestamp over a row (order-form clustering), or ENGINE_NO_TIMESTAMP. The static row is covered
 * by partition deletions only: pass NULL. */
int64_t engine__deletions_at(const engine_deletions *deletions, const corm_bytes *clustering);

/* Drops what is older than gc_grace: local time <= before_s. */
void engine__deletions_purge(engine_deletions *deletions, uint32_t before_s);

#endif
