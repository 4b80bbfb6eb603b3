// SPDX-License-Identifier: MIT
/* sink.c -- see sink.h. */
#include "stream/sink.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fail.h"

static corm_status open_named(stream_sink *sink, const char *name, uint64_t resume_at,
                              corm_error *err) {
    bool anew = resume_at == UINT64_MAX;
    sink->file = fopen(name, anew ? "wb" : "r+b");
    if (!sink->file) return base__fail_errno(err, errno, "%s", name);
    if (anew) return CORM_OK;
    if (ftruncate(fileno(sink->file), (off_t)resume_at) != 0 ||
        fseeko(sink->file, (off_t)resume_at, SEEK_SET) != 0) {
        return base__fail_errno(err, errno, "%s", name);
    }
    return CORM_OK;
}

corm_status stream__sink_open(stream_sink *sink, bool replace, uint64_t resume_at,
                              corm_error *err) {
    struct stat about;
    const char *name = sink->path;
    bool        exists = stat(sink->path, &about) == 0;
    sink->file = stdout;
    if (strcmp(sink->path, "-") == 0) return CORM_OK;
    sink->file = NULL;
    if (exists && S_ISREG(about.st_mode) && !replace)
        return base__fail(err, CORM_INVALID, "%s exists already; --force replaces it", sink->path);
    if (!exists || S_ISREG(about.st_mode)) {
        base__buf_printf(&sink->part, "%s.part", sink->path);
        name = base__buf_cstr(&sink->part);
    }
    if (!name) return base__fail_memory(err);
    return open_named(sink, name, resume_at, err);
}

corm_status stream__sink_write(stream_sink *sink, base_buf *text, corm_error *err) {
    CORM_TRY(base__buf_status(text, err));
    if (text->len > 0 && fwrite(text->data, 1, text->len, sink->file) != text->len)
        return base__fail_errno(err, errno, "%s", sink->path);
    base__buf_clear(text);
    return CORM_OK;
}

corm_status stream__sink_sync(stream_sink *sink, corm_error *err) {
    if (fflush(sink->file) != 0) return base__fail_errno(err, errno, "%s", sink->path);
    if (sink->part.len > 0 && fsync(fileno(sink->file)) != 0)
        return base__fail_errno(err, errno, "%s", sink->path);
    return CORM_OK;
}

corm_status stream__sink_close(stream_sink *sink, corm_status status, bool keep, corm_error *err) {
    const char *part = sink->part.len ? base__buf_cstr(&sink->part) : NULL;
    if (sink->file) {
        if (status == CORM_OK) status = stream__sink_sync(sink, err);
        if (sink->file != stdout) fclose(sink->file);
        if (part && status == CORM_OK && rename(part, sink->path) != 0)
            status = base__fail_errno(err, errno, "%s", sink->path);
        if (part && status != CORM_OK && !keep) unlink(part);
    }
    sink->file = NULL;
    base__buf_free(&sink->part);
    return status;
}
