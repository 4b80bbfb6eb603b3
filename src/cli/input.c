// SPDX-License-Identifier: MIT
/* input.c -- see input.h. */
#include "cli/input.h"

#include <errno.h>

#include "base/fail.h"

static corm_status read_all(FILE *file, const char *path, base_buf *out, corm_error *err) {
    enum { PIECE = 65536 };
    for (;;) {
        uint8_t *at = base__buf_grow(out, PIECE);
        if (!at) return base__fail_memory(err);
        size_t got = fread(at, 1, PIECE, file);
        out->len -= PIECE - got;
        if (got == PIECE) continue;
        return ferror(file) ? base__fail_errno(err, errno, "%s", path) : CORM_OK;
    }
}

corm_status cli__read_whole_file(const char *path, base_buf *out, corm_error *err) {
    if (strcmp(path, "-") == 0) return read_all(stdin, "standard input", out, err);
    FILE *file = fopen(path, "rb");
    if (!file) return base__fail_errno(err, errno, "%s", path);
    corm_status status = read_all(file, path, out, err);
    fclose(file);
    return status;
}
