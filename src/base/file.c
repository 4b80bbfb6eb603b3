// SPDX-License-Identifier: MIT
/* file.c -- see file.h. Runs on the caller's thread. */
#include "base/file.h"

#include <errno.h>

#include "base/fail.h"

corm_status base__read_stream(FILE *file, const char *name, size_t most, base_buf *out,
                              corm_error *err) {
    enum { PIECE = 65536 };
    while (most == 0 || out->len <= most) {
        uint8_t *at = base__buf_grow(out, PIECE);
        if (!at) return base__fail_memory(err);
        size_t got = fread(at, 1, PIECE, file);
        out->len -= PIECE - got;
        if (got < PIECE) return ferror(file) ? base__fail_errno(err, errno, "%s", name) : CORM_OK;
    }
    return CORM_OK;
}

corm_status base__read_file(const char *path, size_t most, base_buf *out, corm_error *err) {
    FILE *file = fopen(path, "rb");
    if (!file) return base__fail_errno(err, errno, "%s", path);
    corm_status status = base__read_stream(file, path, most, out, err);
    fclose(file);
    return status;
}
