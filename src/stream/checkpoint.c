// SPDX-License-Identifier: MIT
/* checkpoint.c -- see checkpoint.h. The file of an import:
 *
 *     corm import 1
 *     table shop.products
 *     format csv
 *     beginning 1f0c…   offset 123   line 7   records 5   rejected 1     (a line each)
 */
#include "stream/checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fail.h"
#include "base/file.h"

static const char first_line[] = "corm import 1\n";

static void put_checkpoint(const stream_checkpoint *c, base_buf *out) {
    base__buf_puts(out, first_line);
    base__buf_printf(out, "table %s\nformat %s\nbeginning %016llx\n", c->table, c->format,
                     (unsigned long long)c->beginning);
    base__buf_printf(out, "offset %llu\nline %llu\nrecords %llu\nrejected %llu\n",
                     (unsigned long long)c->offset, (unsigned long long)c->line,
                     (unsigned long long)c->records, (unsigned long long)c->rejected);
}

static corm_status write_synced(const char *path, const base_buf *text, corm_error *err) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) return base__fail_errno(err, errno, "%s", path);
    ssize_t     wrote = write(fd, text->data, text->len);
    corm_status status = CORM_OK;
    if (wrote < 0 || fsync(fd) != 0)
        status = base__fail_errno(err, errno, "%s", path);
    else if ((size_t)wrote != text->len)
        status = base__fail_errno(err, ENOSPC, "%s", path);
    close(fd);
    return status;
}

corm_status stream__note_write(const char *path, const base_buf *text, corm_error *err) {
    base_buf beside = { 0 };
    base__buf_printf(&beside, "%s.new", path);
    const char *new_path = base__buf_cstr(&beside);
    corm_status status = base__buf_status(text, err);
    if (status == CORM_OK) status = base__buf_status(&beside, err);
    if (status == CORM_OK) status = write_synced(new_path, text, err);
    if (status == CORM_OK && rename(new_path, path) != 0)
        status = base__fail_errno(err, errno, "%s", path);
    base__buf_free(&beside);
    return status;
}

corm_status stream__checkpoint_write(const char *path, const stream_checkpoint *checkpoint,
                                     corm_error *err) {
    base_buf text = { 0 };
    put_checkpoint(checkpoint, &text);
    corm_status status = stream__note_write(path, &text, err);
    base__buf_free(&text);
    return status;
}

/* The rest of the line "name rest"; moves behind it. */
static bool read_line(const char **at, const char *name, char *out, size_t size) {
    size_t len = strlen(name);
    if (strncmp(*at, name, len) != 0 || (*at)[len] != ' ') return false;
    const char *value = *at + len + 1;
    const char *end = strchr(value, '\n');
    if (!end || (size_t)(end - value) >= size) return false;
    memcpy(out, value, (size_t)(end - value));
    out[end - value] = 0;
    *at = end + 1;
    return true;
}

static bool read_number(const char **at, const char *name, int base, uint64_t *out) {
    char  digits[32];
    char *end;
    if (!read_line(at, name, digits, sizeof digits)) return false;
    *out = strtoull(digits, &end, base);
    return *end == 0 && end != digits;
}

static bool read_all(const char *at, stream_checkpoint *out) {
    size_t len = sizeof first_line - 1;
    if (strncmp(at, first_line, len) != 0) return false;
    at += len;
    return read_line(&at, "table", out->table, sizeof out->table) &&
           read_line(&at, "format", out->format, sizeof out->format) &&
           read_number(&at, "beginning", 16, &out->beginning) &&
           read_number(&at, "offset", 10, &out->offset) &&
           read_number(&at, "line", 10, &out->line) &&
           read_number(&at, "records", 10, &out->records) &&
           read_number(&at, "rejected", 10, &out->rejected);
}

corm_status stream__checkpoint_read(const char *path, stream_checkpoint *out, corm_error *err) {
    base_buf text = { 0 };
    memset(out, 0, sizeof *out);
    if (access(path, F_OK) != 0)
        return base__fail(err, CORM_NOT_FOUND, "there is no checkpoint %s", path);
    corm_status status = base__read_file(path, 0, &text, err);
    const char *all = base__buf_cstr(&text);
    if (status == CORM_OK && (!all || !read_all(all, out)))
        status = base__fail(err, CORM_CORRUPT, "%s is no checkpoint of an import", path);
    base__buf_free(&text);
    return status;
}
