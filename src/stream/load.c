// SPDX-License-Identifier: MIT
/* load.c -- see load.h. */
#include "stream/load.h"

#include <errno.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/map.h"
#include "base/text.h"

enum { SAVE_MS = 1000, SHOW_RECORDS = 1024 };

/* ---- beginning ---- */

corm_status stream__load_open(stream_load *load, corm_error *err) {
    struct stat about;
    load->is_stream = strcmp(load->path, "-") == 0;
    load->saved_ms = base__clock_mono_ns() / 1000000;
    load->input.file = load->is_stream ? stdin : fopen(load->path, "rb");
    if (!load->input.file) return base__fail_errno(err, errno, "%s", load->path);
    if (fstat(fileno(load->input.file), &about) != 0)
        return base__fail_errno(err, errno, "%s", load->path);
    if (S_ISDIR(about.st_mode)) return base__fail_errno(err, EISDIR, "%s", load->path);
    if (!S_ISREG(about.st_mode)) load->is_stream = true;
    load->size = load->is_stream ? 0 : (uint64_t)about.st_size;
    return CORM_OK;
}

corm_status stream__load_paths(stream_load *load, const char *rejects, corm_error *err) {
    const char *base = load->is_stream ? "corm-import" : load->path;
    base__buf_printf(&load->reject_path, "%s.rejects", base);
    base__buf_printf(&load->checkpoint_path, "%s.checkpoint", base);
    const char *own = base__buf_cstr(&load->reject_path);
    if (!own || !base__buf_cstr(&load->checkpoint_path)) return base__fail_memory(err);
    load->rejects.path = rejects ? rejects : own;
    load->rejects.name = load->is_stream ? "<stdin>" : load->path;
    return CORM_OK;
}

/* ---- checkpoints ---- */

/* Of the first bytes: tells another file of the same name apart. */
static corm_status hash_beginning(const char *path, uint64_t upto, uint64_t *out, corm_error *err) {
    uint8_t bytes[4096];
    FILE   *file = fopen(path, "rb");
    if (!file) return base__fail_errno(err, errno, "%s", path);
    size_t got = fread(bytes, 1, upto < sizeof bytes ? (size_t)upto : sizeof bytes, file);
    fclose(file);
    *out = base__hash(bytes, got, 0);
    return CORM_OK;
}

corm_status stream__load_resume(stream_load *load, corm_error *err) {
    stream_checkpoint found, *own = &load->checkpoint;
    uint64_t          beginning;
    const char       *path = base__buf_cstr(&load->checkpoint_path);
    if (load->is_stream)
        return base__fail(err, CORM_INVALID_ARGUMENT,
                          "only a file can be gone on with, not a pipe");
    CORM_TRY(stream__checkpoint_read(path, &found, err));
    CORM_TRY(hash_beginning(load->path, found.offset, &beginning, err));
    if (strcmp(found.table, own->table) != 0 || strcmp(found.format, own->format) != 0 ||
        beginning != found.beginning)
        return base__fail(err, CORM_INVALID,
                          "%s is of another import (%s of table %s); remove it to begin anew", path,
                          found.format, found.table);
    *own = found;
    load->records = found.records;
    load->rejects.count = found.rejected;
    load->rejects.append = load->resumed = true;
    return stream__input_seek(&load->input, found.offset, found.line, err);
}

static corm_status save(stream_load *load, corm_error *err) {
    stream_checkpoint *c = &load->checkpoint;
    if (load->is_stream) return CORM_OK;
    c->offset = load->input.offset;
    c->line = load->input.line;
    c->records = load->records;
    c->rejected = load->rejects.count;
    CORM_TRY(hash_beginning(load->path, c->offset, &c->beginning, err));
    load->saved_ms = base__clock_mono_ns() / 1000000;
    return stream__checkpoint_write(base__buf_cstr(&load->checkpoint_path), c, err);
}

/* ---- outcomes ---- */

/* Whether the record is to blame, not the store or the machine. */
static bool is_of_record(corm_status status) {
    switch (status) {
    case CORM_INVALID:
    case CORM_INVALID_ARGUMENT:
    case CORM_CONVERSION:
    case CORM_VALIDATION:
    case CORM_NOT_UNIQUE:
    case CORM_NOT_APPLIED:
    case CORM_SYNTAX_ERROR: return true;
    default: return false;
    }
}

static void fail(stream_load *load, corm_status status, const corm_error *error) {
    if (load->failure != CORM_OK) return;
    load->failure = status;
    load->error = *error;
}

static void reject(stream_load *load, corm_str record, corm_status status,
                   const corm_error *error) {
    corm_error err = { 0 };
    pthread_mutex_lock(&load->lock);
    if (!is_of_record(status)) {
        fail(load, status, error);
    } else {
        status = stream__reject(&load->rejects, record, error, &err);
        if (status != CORM_OK) fail(load, status, &err);
    }
    pthread_mutex_unlock(&load->lock);
}

static void on_done(void *context, const corm_bulk_outcome *outcome) {
    stream_load *load = context;
    if (outcome->status == CORM_OK) return;
    corm_error reason = *outcome->error;
    reason.line = (uint32_t)(uintptr_t)outcome->tag;
    reason.column = 1;
    reject(load, outcome->record, outcome->status, &reason);
}

corm_status stream__load_begin(stream_load *load, corm_db *db, corm_session *session,
                               corm_bulk_options options, corm_error *err) {
    options.done = on_done;
    options.context = load;
    options.error = err;
    pthread_mutex_init(&load->lock, NULL);
    load->has_lock = true;
    return db ? corm_bulk_open_with(db, &options, &load->bulk)
              : corm_bulk_session_with(session, &options, &load->bulk);
}

corm_bulk_write stream__load_record(stream_load *load, corm_str record, uint64_t line) {
    (void)load;
    return (corm_bulk_write){ .tag = (void *)(uintptr_t)line, .record = record };
}

/* ---- records ---- */

static corm_status flush(stream_load *load, corm_error *err) {
    corm_bulk_stats stats;
    CORM_TRY(corm_bulk_flush(load->bulk, err));
    corm_bulk_statistics(load->bulk, &stats);
    load->written = stats.written;
    if (load->failure == CORM_OK) return stream__rejects_flush(&load->rejects, err);
    if (err) *err = load->error;
    return load->failure;
}

static corm_status take_record(stream_load *load, corm_str record, uint64_t line, corm_error *err) {
    corm_error why = { 0 };
    if (!base__str_trim(record).len) return CORM_OK;
    load->records++;
    corm_status status = load->take(load->context, record, line, &why);
    if (status == CORM_OK) return CORM_OK;
    if (!is_of_record(status)) {
        if (err) *err = why;
        return status;
    }
    if (why.line == 0) why.line = (uint32_t)line;
    if (why.column == 0) why.column = 1;
    reject(load, record, status, &why);
    return CORM_OK;
}

static bool must_stop(stream_load *load, bool *too_many) {
    pthread_mutex_lock(&load->lock);
    *too_many = load->max_rejects > 0 && load->rejects.count >= load->max_rejects;
    bool failed = load->failure != CORM_OK;
    pthread_mutex_unlock(&load->lock);
    return *too_many || failed || (load->stops && load->stops(load->context));
}

static corm_status save_now_and_then(stream_load *load, corm_error *err) {
    if (load->records % SHOW_RECORDS != 0) return CORM_OK;
    if (load->shows) load->shows(load->context, load->input.offset, load->records);
    if (base__clock_mono_ns() / 1000000 - load->saved_ms < SAVE_MS) return CORM_OK;
    CORM_TRY(flush(load, err));
    return save(load, err);
}

corm_status stream__load_run(stream_load *load, corm_error *err) {
    corm_str record;
    uint64_t line;
    bool     more = true, too_many = false;
    while (!must_stop(load, &too_many)) {
        CORM_TRY(stream__input_next(&load->input, &more, &record, &line, err));
        if (!more) break;
        CORM_TRY(take_record(load, record, line, err));
        CORM_TRY(save_now_and_then(load, err));
    }
    CORM_TRY(flush(load, err));
    if (!more) {
        if (!load->is_stream) unlink(base__buf_cstr(&load->checkpoint_path));
        return CORM_OK;
    }
    CORM_TRY(save(load, err));
    return base__fail(err, CORM_CANCELLED, "%s%s",
                      too_many ? "there are too many rejects" : "interrupted",
                      load->is_stream ? "" : "; --resume goes on from here");
}

void stream__load_free(stream_load *load) {
    if (load->bulk && corm_bulk_close(load->bulk, NULL) != CORM_OK) load->bulk = NULL;
    if (load->has_lock) pthread_mutex_destroy(&load->lock);
    stream__rejects_free(&load->rejects);
    stream__input_free(&load->input);
    base__buf_free(&load->reject_path);
    base__buf_free(&load->checkpoint_path);
    if (load->input.file && load->input.file != stdin) fclose(load->input.file);
}
