// SPDX-License-Identifier: MIT
/* model_transfer.h -- what the export and the import of a model share. */
#ifndef STREAM_MODEL_TRANSFER_H
#define STREAM_MODEL_TRANSFER_H

#include "corm/transfer.h"
#include "orm/core.h"

typedef struct stream_format {
    bool        is_csv;
    char        delimiter;
    const char *name; /* "csv", "jsonl" */
} stream_format;

/* CORM_INVALID_ARGUMENT when neither the format nor the file's ending says. */
CORM_CHECKED corm_status stream__format(corm_format given, const char *path, char delimiter,
                                        stream_format *out, corm_error *err);

/* The rows of the page that a struct given to a callback is of (not one that a transform made), and its place there. For streams without
 * workers, inside a callback. */
const corm_rows *stream__page_rows(const corm_stream *stream, const void *row, uint32_t *index);

#endif
