// SPDX-License-Identifier: MIT
/* spill.c -- temporary files. They have no name from the beginning: whatever ends the process, nothing stays behind.
 *
 * Owns a descriptor and a buffer a file. Thread: the caller's. */
#include "aggregate/spill.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fail.h"

enum { WRITE_BUFFER = 16 * 1024, READ_BUFFER = 64 * 1024, TEMPLATE = 6 };

void agg__memory_hold(agg_memory *memory, size_t *held, size_t now) {
    size_t used = atomic_fetch_add(&memory->used, now - *held) + (now - *held);
    size_t peak = atomic_load(&memory->peak);
    *held = now;
    while (used > peak && !atomic_compare_exchange_weak(&memory->peak, &peak, used)) continue;
}

static corm_status open_file(agg_file *file, agg_memory *memory, corm_error *err) {
    const char *folder = memory->folder ? memory->folder : getenv("TMPDIR");
    char        path[4096];
    if (!folder || !*folder) folder = "/tmp";
    int len = snprintf(path, sizeof path, "%s/corm-", folder);
    if (len < 0 || (size_t)len + TEMPLATE >= sizeof path)
        return base__fail(err, CORM_INVALID_ARGUMENT, "the temporary folder's name is too long");
    memset(path + len, 'X', TEMPLATE);
    path[len + TEMPLATE] = '\0';
    int descriptor = mkstemp(path);
    if (descriptor < 0) return base__fail_errno(err, errno, "a temporary file in %s", folder);
    (void)fcntl(descriptor, F_SETFD, FD_CLOEXEC);
    unlink(path);
    *file = (agg_file){ .memory = memory, .is_open = true, .descriptor = descriptor };
    return CORM_OK;
}

static corm_status write_all(agg_file *file, const uint8_t *data, size_t len, corm_error *err) {
    while (len > 0) {
        ssize_t done = pwrite(file->descriptor, data, len, (off_t)file->size);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) return base__fail_errno(err, errno, "writing a temporary file");
        data += done;
        len -= (size_t)done;
        file->size += (uint64_t)done;
        atomic_fetch_add(&file->memory->spilled, (uint64_t)done);
    }
    return CORM_OK;
}

corm_status agg__file_flush(agg_file *file, corm_error *err) {
    if (!file->is_open) return CORM_OK;
    CORM_TRY(base__buf_status(&file->buf, err));
    CORM_TRY(write_all(file, file->buf.data, file->buf.len, err));
    base__buf_clear(&file->buf);
    return CORM_OK;
}

corm_status agg__file_put(agg_file *file, agg_memory *memory, corm_bytes bytes, corm_error *err) {
    if (!file->is_open) CORM_TRY(open_file(file, memory, err));
    base__buf_u32(&file->buf, (uint32_t)bytes.len);
    base__buf_put(&file->buf, bytes.data, bytes.len);
    if (file->buf.len < WRITE_BUFFER && !file->buf.failed) return CORM_OK;
    return agg__file_flush(file, err);
}

void agg__file_close(agg_file *file) {
    if (file->is_open) close(file->descriptor);
    base__buf_free(&file->buf);
    *file = (agg_file){ 0 };
}

/* ---- reading ---- */

void agg__reading_begin(agg_reading *reading, const agg_file *file, uint64_t at, uint64_t end) {
    *reading = (agg_reading){ .file = file, .at = at, .end = end };
}

/* At least `need` bytes behind `taken`, of which the file has so many. */
static corm_status fill(agg_reading *reading, size_t need, corm_error *err) {
    base_buf *buf = &reading->buf;
    size_t    left = buf->len - reading->taken;
    if (left >= need) return CORM_OK;
    if (left > 0) memmove(buf->data, buf->data + reading->taken, left);
    buf->len = left;
    reading->taken = 0;
    size_t want = need > READ_BUFFER ? need : READ_BUFFER;
    if (want - left > reading->end - reading->at)
        want = left + (size_t)(reading->end - reading->at);
    if (want < need) return base__fail(err, CORM_CORRUPT, "a temporary file was cut off");
    uint8_t *to = base__buf_grow(buf, want - left);
    CORM_TRY(base__buf_status(buf, err));
    for (size_t got = left; got < want;) {
        ssize_t done = pread(reading->file->descriptor, to, want - got, (off_t)reading->at);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) return base__fail_errno(err, errno, "reading a temporary file");
        if (done == 0) return base__fail(err, CORM_CORRUPT, "a temporary file was cut off");
        to += done;
        got += (size_t)done;
        reading->at += (uint64_t)done;
    }
    return CORM_OK;
}

corm_status agg__reading_next(agg_reading *reading, corm_bytes *record, corm_error *err) {
    *record = (corm_bytes){ NULL, 0 };
    if (reading->taken == reading->buf.len && reading->at == reading->end) return CORM_OK;
    CORM_TRY(fill(reading, 4, err));
    size_t len = base__load_u32(reading->buf.data + reading->taken);
    CORM_TRY(fill(reading, 4 + len, err));
    *record = (corm_bytes){ reading->buf.data + reading->taken + 4, len };
    reading->taken += 4 + len;
    return CORM_OK;
}

void agg__reading_end(agg_reading *reading) {
    base__buf_free(&reading->buf);
}
