// SPDX-License-Identifier: MIT
/* file.h -- whole files into memory. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <stdio.h>

#include "base/buf.h"

/* Appends what is left in the stream. It stops behind `most` bytes (0: never), so that out->len tells whether there are more than
 * the caller takes. `name` is for messages. CORM_IO, CORM_NO_MEMORY. */
CORM_CHECKED corm_status base__read_stream(FILE *file, const char *name, size_t most, base_buf *out,
                                           corm_error *err);

/* The same for the file of this path. */
CORM_CHECKED corm_status base__read_file(const char *path, size_t most, base_buf *out,
                                         corm_error *err);

#endif
