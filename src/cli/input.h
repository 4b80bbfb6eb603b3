// SPDX-License-Identifier: MIT
/* input.h -- files read as a whole, or in pieces of bounded size. */
#ifndef CLI_INPUT_H
#define CLI_INPUT_H

#include <stdio.h>

#include "base/buf.h"

/* Appends the file's bytes; "-" is standard input. CORM_NOT_FOUND, CORM_IO. */
CORM_CHECKED corm_status cli__read_whole_file(const char *path, base_buf *out, corm_error *err);

/* A file read record by record: a line, or what a CSV record is. In memory is one record at a time. */
typedef struct cli_input {
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
} cli_input;

enum { CLI_MAX_RECORD = 64 << 20 };

/* The next record without its line end, borrowed until the next call; *more false at the end. *line is where it begins.
 * CORM_INVALID when it is longer than CLI_MAX_RECORD, CORM_IO. */
CORM_CHECKED corm_status cli__input_next(cli_input *input, bool *more, corm_str *record,
                                         uint64_t *line, corm_error *err);
/* Goes on at a place that an earlier run reached. */
CORM_CHECKED corm_status cli__input_seek(cli_input *input, uint64_t offset, uint64_t line,
                                         corm_error *err);
void                     cli__input_free(cli_input *input); /* the file is the caller's */

#endif
