// SPDX-License-Identifier: MIT
/* rejects.c -- see rejects.h. Both files are made with the first record. */
#include "stream/rejects.h"

#include <errno.h>
#include <unistd.h>

#include "base/fail.h"

static corm_status open_one(const char *path, bool append, FILE **out, corm_error *err) {
    *out = fopen(path, append ? "ab" : "wb");
    return *out ? CORM_OK : base__fail_errno(err, errno, "%s", path);
}

static corm_status open_files(stream_rejects *rejects, corm_error *err) {
    if (rejects->records || !rejects->path) return CORM_OK;
    base__buf_printf(&rejects->reasons_path, "%s.txt", rejects->path);
    const char *reasons = base__buf_cstr(&rejects->reasons_path);
    if (!reasons) return base__fail_memory(err);
    bool fresh = !rejects->append || access(rejects->path, F_OK) != 0;
    CORM_TRY(open_one(rejects->path, !fresh, &rejects->records, err));
    CORM_TRY(open_one(reasons, !fresh, &rejects->reasons, err));
    if (fresh && rejects->header.len)
        fprintf(rejects->records, "%.*s\n", (int)rejects->header.len,
                (const char *)rejects->header.data);
    return CORM_OK;
}

static void put_reason(FILE *file, const char *name, const corm_error *reason) {
    fprintf(file, "%s:%u:%u: %s\n", name, reason->line, reason->column, reason->message);
}

static void print_reason(const stream_rejects *rejects, const corm_error *reason) {
    if (rejects->count <= rejects->printed) put_reason(stderr, rejects->name, reason);
    if (rejects->printed > 0 && rejects->count == (uint64_t)rejects->printed + 1) {
        fputs("further rejects are not shown\n", stderr);
    }
}

corm_status stream__reject(stream_rejects *rejects, corm_str record, const corm_error *reason,
                           corm_error *err) {
    CORM_TRY(open_files(rejects, err));
    rejects->count++;
    print_reason(rejects, reason);
    if (!rejects->path) return CORM_OK;
    fwrite(record.data, 1, record.len, rejects->records);
    fputc('\n', rejects->records);
    put_reason(rejects->reasons, rejects->name, reason);
    if (ferror(rejects->records) || ferror(rejects->reasons))
        return base__fail_errno(err, errno, "%s", rejects->path);
    return CORM_OK;
}

static bool is_synced(FILE *file) {
    return !file || (fflush(file) == 0 && fsync(fileno(file)) == 0);
}

corm_status stream__rejects_flush(stream_rejects *rejects, corm_error *err) {
    if (is_synced(rejects->records) && is_synced(rejects->reasons)) return CORM_OK;
    return base__fail_errno(err, errno, "%s", rejects->path);
}

void stream__rejects_free(stream_rejects *rejects) {
    if (rejects->records) fclose(rejects->records);
    if (rejects->reasons) fclose(rejects->reasons);
    base__buf_free(&rejects->reasons_path);
    base__buf_free(&rejects->header);
}
