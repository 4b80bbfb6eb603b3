// SPDX-License-Identifier: MIT
/* model_out.c -- all rows of a model as JSON lines or CSV, by a stream whose pages are written one behind the other on the caller's
 * thread. Behind a page, about every second, a checkpoint says how long the file is and what is left:
 *
 *   corm export 1
 *   model shop.users   format jsonl   offset 123   stream corm-scan-1 …      (a line each) */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "corm/transfer.h"
#include "stream/checkpoint.h"
#include "stream/csv_value.h"
#include "stream/json_core.h"
#include "stream/model_transfer.h"
#include "stream/sink.h"

enum { SAVE_MS = 1000, WRITE_BYTES = 65536 };

typedef struct exporting {
    const corm_export_options *options;
    orm_model                 *model;
    stream_format              format;
    corm_json_options          json;
    uint32_t                   column_count;
    const orm_field          **columns;
    corm_stream               *stream;
    stream_sink                sink;
    base_buf                   out, checkpoint_path, resume;
    base_arena                 arena, row;
    uint64_t                   offset; /* of the file, behind what was given to it */
    uint64_t                   whole;  /* behind the last page that was put whole */
    int64_t                    saved_ms;
} exporting;

/* ---- rows ---- */

static corm_status flush(exporting *ex, corm_error *err) {
    CORM_TRY(base__buf_status(&ex->out, err));
    ex->offset += ex->out.len;
    if (ex->sink.path) return stream__sink_write(&ex->sink, &ex->out, err);
    corm_status status =
        ex->out.len == 0 ? CORM_OK
                         : ex->options->write(ex->options->context, base__buf_bytes(&ex->out), err);
    base__buf_clear(&ex->out);
    return status;
}

static corm_status put_field(exporting *ex, const orm_field *field, const void *row,
                             corm_error *err) {
    corm_value value;
    base_buf   bytes = { 0 };
    CORM_TRY(orm__member_get(field, row, false, &ex->row, &value, err));
    corm_status status = CORM_OK;
    cql_value   wire = CQL_NULL;
    if (value.kind > CORM_NULL) {
        status = cql__encode(field->type, &value, &bytes, err);
        wire = (cql_value){ bytes.data ? bytes.data : (const uint8_t *)"", (int32_t)bytes.len };
    }
    if (status == CORM_OK) {
        stream__csv_put_value(field->type, wire, ex->format.delimiter, ex->options->null_text,
                              &ex->out);
    }
    base__buf_free(&bytes);
    return status;
}

static bool is_masked(const exporting *ex, const orm_field *field) {
    return ex->options->shown && (field->spec->shown != CORM_SHOWN || orm__is_sealed(field));
}

static corm_status put_masked(exporting *ex, const orm_field *field, const void *row,
                              corm_error *err) {
    corm_value value;
    base_buf   text = { 0 };
    CORM_TRY(orm__member_get(field, row, false, &ex->row, &value, err));
    if (value.kind > CORM_NULL) orm__put_shown(field, &value, &text);
    stream__csv_put(&ex->out, base__buf_str(&text), ex->format.delimiter, false);
    base__buf_free(&text);
    return CORM_OK;
}

static corm_status put_csv(exporting *ex, const void *row, const corm_rows *rows, uint32_t index,
                           corm_error *err) {
    const char *null_text = ex->options->null_text ? ex->options->null_text : "";
    base__arena_reset(&ex->row);
    for (uint32_t i = 0; i < ex->column_count; i++) {
        const orm_field *field = ex->columns[i];
        if (i > 0) base__buf_u8(&ex->out, (uint8_t)ex->format.delimiter);
        if (corm_rows_is_null(rows, index, field->name.data)) {
            base__buf_puts(&ex->out, null_text);
        } else if (is_masked(ex, field)) {
            CORM_TRY(put_masked(ex, field, row, err));
        } else {
            CORM_TRY(put_field(ex, field, row, err));
        }
    }
    return CORM_OK;
}

/* The page's rows say what of a row is null. */
static corm_status put_row(void *context, void *row, corm_error *err) {
    exporting       *ex = context;
    uint32_t         index;
    const corm_rows *rows = stream__page_rows(ex->stream, row, &index);
    if (ex->format.is_csv) {
        CORM_TRY(put_csv(ex, row, rows, index, err));
    } else {
        CORM_TRY(stream__put_row(ex->model, row, rows, index, &ex->json, &ex->out, err));
    }
    base__buf_u8(&ex->out, '\n');
    return ex->out.len > WRITE_BYTES ? flush(ex, err) : CORM_OK;
}

static void put_header(exporting *ex) {
    if (!ex->format.is_csv || ex->options->no_header) return;
    for (uint32_t i = 0; i < ex->column_count; i++) {
        if (i > 0) base__buf_u8(&ex->out, (uint8_t)ex->format.delimiter);
        stream__csv_put(&ex->out, ex->columns[i]->name, ex->format.delimiter, false);
    }
    base__buf_u8(&ex->out, '\n');
}

/* ---- checkpoints ---- */

/* What is behind `whole` is written again by who resumes. */
static corm_status save(exporting *ex, corm_error *err) {
    char    *left;
    base_buf text = { 0 };
    CORM_TRY(flush(ex, err));
    CORM_TRY(stream__sink_sync(&ex->sink, err));
    CORM_TRY(corm_stream_checkpoint(ex->stream, &left, err));
    base__buf_printf(&text, "corm export 1\nmodel %s\nformat %s\noffset %llu\nstream ",
                     ex->model->path.data, ex->format.name, (unsigned long long)ex->whole);
    base__buf_puts(&text, left);
    base__buf_u8(&text, '\n');
    corm_status status = stream__note_write(base__buf_cstr(&ex->checkpoint_path), &text, err);
    base__buf_free(&text);
    free(left);
    ex->saved_ms = base__clock_mono_ns() / 1000000;
    return status;
}

static bool can_resume(const exporting *ex) {
    return ex->sink.file && ex->sink.part.len > 0 && ex->stream;
}

static corm_status on_batch(void *context, const corm_stream_batch *batch, corm_error *err) {
    exporting *ex = context;
    (void)batch;
    ex->whole = ex->offset + ex->out.len;
    if (!can_resume(ex)) return CORM_OK;
    if (base__clock_mono_ns() / 1000000 - ex->saved_ms < SAVE_MS) return CORM_OK;
    return save(ex, err);
}

static bool take_line(char **at, const char *name, char **value) {
    size_t len = strlen(name);
    char  *end = strchr(*at, '\n');
    if (!end || strncmp(*at, name, len) != 0 || (*at)[len] != ' ') return false;
    *end = '\0';
    *value = *at + len + 1;
    *at = end + 1;
    return true;
}

/* ex->resume keeps the text that the stream goes on with. */
static corm_status load(exporting *ex, const char **stream, corm_error *err) {
    static const char first[] = "corm export 1\n";
    char             *model, *format, *offset, *left;
    const char       *path = base__buf_cstr(&ex->checkpoint_path);
    CORM_TRY(base__read_file(path, 0, &ex->resume, err));
    if (!base__buf_cstr(&ex->resume)) return base__fail_memory(err);
    char *at = (char *)ex->resume.data;
    bool  whole = strncmp(at, first, sizeof first - 1) == 0;
    if (whole) at += sizeof first - 1;
    whole = whole && take_line(&at, "model", &model) && take_line(&at, "format", &format) &&
            take_line(&at, "offset", &offset) && take_line(&at, "stream", &left);
    if (!whole) return base__fail(err, CORM_CORRUPT, "%s is no checkpoint of an export", path);
    if (strcmp(model, ex->model->path.data) != 0 || strcmp(format, ex->format.name) != 0) {
        return base__fail(err, CORM_INVALID, "%s is of another export (%s of %s)", path, format,
                          model);
    }
    ex->offset = ex->whole = strtoull(offset, NULL, 10);
    *stream = left;
    return CORM_OK;
}

/* ---- all of it ---- */

static corm_status choose_columns(exporting *ex, corm_error *err) {
    const char *const *names = ex->options->columns;
    ex->columns = BASE_NEW_ARRAY(&ex->arena, const orm_field *, ex->model->count);
    if (!ex->columns) return base__fail_memory(err);
    for (uint32_t i = 0; i < CORM_MAX_NAMES && names[i]; i++) {
        const orm_field *field;
        CORM_TRY(orm__field_named(ex->model, names[i], &field, err));
        if (ex->column_count == ex->model->count) {
            return base__fail(err, CORM_INVALID_ARGUMENT, "a column is named twice");
        }
        ex->columns[ex->column_count++] = field;
    }
    for (uint32_t i = 0; !names[0] && i < ex->model->count; i++) {
        const orm_field *field = &ex->model->fields[i];
        if (ex->options->shown && field->spec->shown == CORM_HIDDEN) continue;
        ex->columns[ex->column_count++] = field;
    }
    ex->json = (corm_json_options){ .no_virtuals = true, .no_relations = true };
    ex->json.reveal = !ex->options->shown;
    memcpy(ex->json.only, names, sizeof ex->json.only);
    return CORM_OK;
}

static corm_status open_file(exporting *ex, const char **resume, corm_error *err) {
    uint64_t at = UINT64_MAX;
    ex->sink.path = ex->options->path;
    if (!ex->sink.path) return CORM_OK;
    base__buf_printf(&ex->checkpoint_path, "%s.checkpoint", ex->sink.path);
    if (!base__buf_cstr(&ex->checkpoint_path)) return base__fail_memory(err);
    if (ex->options->resume) {
        CORM_TRY(load(ex, resume, err));
        at = ex->offset;
    }
    return stream__sink_open(&ex->sink, ex->options->replace, at, err);
}

static corm_status run(exporting *ex, corm_db *db, const char *resume, corm_error *err) {
    const corm_export_options *given = ex->options;
    corm_stream_options        options = { .model = ex->model->spec,
                                           .with_deleted = given->with_deleted,
                                           .ordered = given->ordered,
                                           .concurrency = given->concurrency,
                                           .resume = resume,
                                           .data = put_row,
                                           .batch = on_batch,
                                           .context = ex,
                                           .error = err };
    memcpy(options.conditions, given->conditions, sizeof options.conditions);
    CORM_TRY(corm_stream_open_with(db, &options, &ex->stream));
    ex->saved_ms = base__clock_mono_ns() / 1000000;
    if (!resume) put_header(ex);
    if (!resume) ex->whole = ex->out.len;
    CORM_TRY(corm_stream_run(ex->stream, err));
    return flush(ex, err);
}

static corm_status check(const corm_export_options *options, corm_error *err) {
    const char *why = options->_canary != 0               ? "the options are not initialised"
                      : !options->path == !options->write ? "it needs .path or .write"
                      : options->resume && !options->path ? ".resume is of a .path"
                                                          : NULL;
    return why ? base__fail(err, CORM_INVALID_ARGUMENT, "export: %s", why) : CORM_OK;
}

/* What was broken off stays when it can be resumed. */
static corm_status finish(exporting *ex, corm_status status, corm_error *err) {
    if (status != CORM_OK && can_resume(ex)) (void)!save(ex, NULL);
    bool has_note =
        ex->checkpoint_path.len > 0 && access(base__buf_cstr(&ex->checkpoint_path), F_OK) == 0;
    if (ex->options->stats && ex->stream) corm_stream_statistics(ex->stream, ex->options->stats);
    status = stream__sink_close(&ex->sink, status, has_note, err);
    if (status == CORM_OK && has_note) unlink(base__buf_cstr(&ex->checkpoint_path));
    corm_stream_free(ex->stream);
    base__buf_free(&ex->out);
    base__buf_free(&ex->resume);
    base__buf_free(&ex->checkpoint_path);
    base__arena_free(&ex->arena);
    base__arena_free(&ex->row);
    return status;
}

corm_status corm_export_model_with(corm_db *db, const corm_model *model,
                                   const corm_export_options *options) {
    corm_error *err = options->error;
    exporting   ex = { .options = options };
    const char *resume = NULL;
    CORM_TRY(check(options, err));
    CORM_TRY(orm__model(db, model, &ex.model, err));
    CORM_TRY(stream__format(options->format, options->path, options->delimiter, &ex.format, err));
    corm_status status = choose_columns(&ex, err);
    if (status == CORM_OK) status = open_file(&ex, &resume, err);
    if (status == CORM_OK) status = run(&ex, db, resume, err);
    return finish(&ex, status, err);
}
