// SPDX-License-Identifier: MIT
/* input.h -- files read as a whole, or in pieces of bounded size. */
#ifndef CLI_INPUT_H
#define CLI_INPUT_H

#include <stdio.h>

#include "base/buf.h"

/* Appends the file's bytes; "-" is standard input. CORM_NOT_FOUND, CORM_IO. */
CORM_CHECKED corm_status cli__read_whole_file(const char *path, base_buf *out, corm_error *err);

#endif
