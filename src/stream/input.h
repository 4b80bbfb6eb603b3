// SPDX-License-Identifier: MIT
/* input.h -- files read as a whole, or in pieces of bounded size. */
#ifndef STREAM_INPUT_H
#define STREAM_INPUT_H

#include <stdio.h>

#include "base/buf.h"

/* Appends the file's bytes; "-" is standard input. CORM_NOT_FOUND, CORM_IO. */
CORM_CHECKED corm_status stream__read_whole_file(const char *path, base_buf *out, corm_error *err);

/* A file read record by record: a line, or what a CSV record is. In memory is one record at a time. */
typedef struct stream_input {
    FILE    *file;
    base_buf window; /* bytes that were read and not taken yet begin at `at` */
    size_t   at;
    size_t   scanned; /* of the record that is being looked for */
    int      state;   /* of the scan */
    char     delimiter;
    bool     csv; /* line ends inside quotes belong to the record */
    bool     ended;
    uint64_t offset; /* in the file, of the next record */
    uint64_t line;   /* from 1, of the next record */
} stream_input;

enum { STREAM_MAX_RECORD = 64 << 20 };

/* The next record without its line end, borrowed until the next call; *more false at the end. *line is where it begins.
 * CORM_INVALID when it is longer than STREAM_MAX_RECORD, CORM_IO. */
CORM_CHECKED corm_status stream__input_next(stream_input *input, bool *more, corm_str *record,
                                            uint64_t *line, corm_error *err);
/* Goes on at a place that an earlier run reached. */
CORM_CHECKED corm_status stream__input_seek(stream_input *input, uint64_t offset, uint64_t line,
                                            corm_error *err);
void                     stream__input_free(stream_input *input); /* the file is the caller's */

#endif
