// SPDX-License-Identifier: MIT
/* spill.h -- memory that is counted against a limit, and temporary files for what is beyond it. */
#ifndef AGGREGATE_SPILL_H
#define AGGREGATE_SPILL_H

#include <stdatomic.h>

#include "base/buf.h"

/* Shared by the threads of a run. */
typedef struct agg_memory {
    size_t            limit; /* of one thread's part */
    const char       *folder;
    _Atomic size_t    used, peak;
    _Atomic(uint64_t) spilled; /* bytes written */
} agg_memory;

/* What somebody holds of it changes from *held to `now`. */
void agg__memory_hold(agg_memory *memory, size_t *held, size_t now);

/* A file without a name, written front to back, then read. Zeroed has no file yet. One thread at a time. */
typedef struct agg_file {
    agg_memory *memory;
    bool        is_open;
    int         descriptor;
    base_buf    buf; /* not yet written */
    uint64_t    size;
} agg_file;

CORM_CHECKED corm_status agg__file_put(agg_file *file, agg_memory *memory, corm_bytes bytes,
                                       corm_error *err);
CORM_CHECKED corm_status agg__file_flush(agg_file *file, corm_error *err);
void                     agg__file_close(agg_file *file);

/* A part of a file, read in records of which each says its length in its first four bytes. Several may read one file. */
typedef struct agg_reading {
    const agg_file *file;
    uint64_t        at, end;
    base_buf        buf;
    size_t          taken; /* of buf */
} agg_reading;

void agg__reading_begin(agg_reading *reading, const agg_file *file, uint64_t at, uint64_t end);
/* The next record, without its length, borrowed until the next call; data NULL at the end. */
CORM_CHECKED corm_status agg__reading_next(agg_reading *reading, corm_bytes *record,
                                           corm_error *err);
void                     agg__reading_end(agg_reading *reading);

#endif
