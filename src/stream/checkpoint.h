// SPDX-License-Identifier: MIT
/* checkpoint.h -- how far an import has come, in a small file of text. There is always a whole one: it is written beside and renamed,
 * after a sync. */
#ifndef STREAM_CHECKPOINT_H
#define STREAM_CHECKPOINT_H

#include "base/buf.h"

/* Everything before `offset` is in the table or among the rejects. */
typedef struct stream_checkpoint {
    char     table[320]; /* keyspace.table */
    char     format[8];
    uint64_t beginning; /* hash of the file's first bytes: is it still the same file? */
    uint64_t offset, line, records, rejected;
} stream_checkpoint;

CORM_CHECKED corm_status stream__checkpoint_write(const char              *path,
                                                  const stream_checkpoint *checkpoint,
                                                  corm_error              *err);
/* CORM_NOT_FOUND, CORM_CORRUPT. */
CORM_CHECKED corm_status stream__checkpoint_read(const char *path, stream_checkpoint *out,
                                                 corm_error *err);

/* Any small file, written in this way. */
CORM_CHECKED corm_status stream__note_write(const char *path, const base_buf *text,
                                            corm_error *err);

#endif
