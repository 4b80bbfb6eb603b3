// SPDX-License-Identifier: MIT
/* sink.h -- a file that is written beside its name and renamed when it is whole. One thread. */
#ifndef STREAM_SINK_H
#define STREAM_SINK_H

#include <stdio.h>

#include "base/buf.h"

typedef struct stream_sink {
    const char *path; /* "-": standard output */
    FILE       *file; /* NULL: not open */
    base_buf    part; /* the name that is written to; empty: the file's own, or a pipe */
} stream_sink;

/* Opens it; with `resume_at` (UINT64_MAX: anew) what an earlier run has written up to there is kept. CORM_INVALID when the file exists and is
 * not to be replaced. */
CORM_CHECKED corm_status stream__sink_open(stream_sink *sink, bool replace, uint64_t resume_at,
                                           corm_error *err);
/* Writes the buffer and clears it. */
CORM_CHECKED corm_status stream__sink_write(stream_sink *sink, base_buf *text, corm_error *err);
/* All that was written is on the disk. */
CORM_CHECKED corm_status stream__sink_sync(stream_sink *sink, corm_error *err);
/* Renames it when `status` is CORM_OK, else removes what was written, unless it is to be kept. Gives the status. */
corm_status stream__sink_close(stream_sink *sink, corm_status status, bool keep, corm_error *err);

#endif
