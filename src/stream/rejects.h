// SPDX-License-Identifier: MIT
/* rejects.h -- records that were not taken: as they were into one file, why into another. One thread at a time. */
#ifndef STREAM_REJECTS_H
#define STREAM_REJECTS_H

#include <stdio.h>

#include "base/buf.h"

typedef struct stream_rejects {
    const char *name; /* of where the records come from, for messages */
    const char *path; /* of the rejects; NULL: nowhere */
    base_buf    reasons_path;
    bool        append;  /* to those of an earlier run */
    uint32_t    printed; /* of the reasons, so many are also printed on standard error */
    FILE       *records; /* opened with the first */
    FILE       *reasons;
    base_buf    header; /* in front of the first record */
    uint64_t    count;  /* of this run */
} stream_rejects;

/* `reason` has the place in its line and column. */
CORM_CHECKED corm_status stream__reject(stream_rejects *rejects, corm_str record,
                                        const corm_error *reason, corm_error *err);
/* Makes sure that they are on the disk. */
CORM_CHECKED corm_status stream__rejects_flush(stream_rejects *rejects, corm_error *err);
void                     stream__rejects_free(stream_rejects *rejects);

#endif
