// SPDX-License-Identifier: MIT
/* model_in.c -- records of a file into a model: each is made into a row, of which only what was given is written, through the mapper's
 * chain by a bulk writer. What reads, rejects and notes records is load.c. */
#include "base/text.h"
#include "corm/transfer.h"
#include "stream/bulk_core.h"
#include "stream/csv_value.h"
#include "stream/json_core.h"
#include "stream/load.h"
#include "stream/model_transfer.h"

typedef struct importing {
    const corm_import_options *options;
    corm_db                   *db;
    orm_model                 *model;
    stream_format              format;
    stream_load                load;
    base_arena                 arena, record;
    uint32_t                   field_count; /* CSV */
    const orm_field          **fields;      /* CSV: NULL: not wanted */
} importing;

/* ---- rows ---- */

static corm_status store(const orm_field *field, cql_value wire, corm_rows *rows, corm_error *err) {
    corm_value value;
    void      *member = (uint8_t *)corm_rows_at(rows, 0) + field->offset;
    void      *copy = base__arena_copy(&rows->arena, wire.len > 0 ? (const void *)wire.data : "",
                                       (size_t)wire.len);
    if (!copy) return base__fail_memory(err);
    wire.data = copy;
    CORM_TRY(cql__decode(field->type, wire, &rows->arena, &value, err));
    CORM_TRY(orm__member_set(field, &value, member, &rows->arena, err));
    orm__rows_set_given(rows, 0, field->index);
    return CORM_OK;
}

/* *null: the field says so. */
static corm_status read_field(importing *im, const orm_field *field, const stream_field *from,
                              corm_rows *rows, corm_error *err) {
    cql_value wire;
    CORM_TRY(
        stream__csv_read_value(field->type, from, im->options->null_text, &im->record, &wire, err));
    if (wire.len >= 0) return store(field, wire, rows, err);
    if (wire.len == -1) {
        void *row = corm_rows_at(rows, 0);
        orm__member_set_null(field->member, (uint8_t *)row + field->offset);
    }
    return CORM_OK;
}

static corm_status read_fields(importing *im, corm_str record, uint64_t line, corm_rows *rows,
                               corm_error *err) {
    stream_field *fields;
    uint32_t      count;
    corm_error    why = { 0 };
    corm_status   status =
        stream__csv_split(record, im->format.delimiter, &im->record, &fields, &count, &why);
    if (status != CORM_OK) {
        return base__fail_at(err, status, (uint32_t)line + why.line, why.column, "%s", why.message);
    }
    if (count != im->field_count) {
        return base__fail_at(err, CORM_INVALID, (uint32_t)line, 1,
                             "the record has %u fields, not %u", count, im->field_count);
    }
    for (uint32_t i = 0; i < count; i++) {
        const orm_field *field = im->fields[i];
        if (!field) continue;
        status = read_field(im, field, &fields[i], rows, &why);
        if (status == CORM_NO_MEMORY) return base__fail_memory(err);
        if (status != CORM_OK) {
            return base__fail_at(err, CORM_INVALID, (uint32_t)line + fields[i].line,
                                 fields[i].column, "column %s: %s", field->name.data, why.message);
        }
    }
    return CORM_OK;
}

static corm_status read_csv(importing *im, corm_str record, uint64_t line, corm_rows **out,
                            corm_error *err) {
    CORM_TRY(orm__rows_new(im->model, out, err));
    corm_status status = orm__rows_blank(*out, 1, err);
    if (status == CORM_OK) status = read_fields(im, record, line, *out, err);
    if (status == CORM_OK) return CORM_OK;
    corm_rows_free(*out);
    *out = NULL;
    return status;
}

static corm_status read_record(importing *im, corm_str record, uint64_t line, corm_rows **out,
                               corm_error *err) {
    const corm_from_json_options options = { .ignore_unknown = im->options->ignore_unknown };
    base__arena_reset(&im->record);
    if (im->format.is_csv) return read_csv(im, record, line, out, err);
    return stream__read_rows(im->model, record, (uint32_t)line, &options, out, err);
}

/* ---- writing ---- */

/* Numbers and times that were not given are not zero: what is not given is not written. */
static corm_status choose_columns(const importing *im, const corm_rows *rows, uint32_t index,
                                  corm_write_options *write, corm_error *err) {
    uint32_t given = 0, nulls = 0, missing = 0;
    for (uint32_t i = 0; i < im->model->count; i++) {
        const orm_field *field = &im->model->fields[i];
        if (orm__is_key(field)) continue;
        bool is_null = corm_rows_is_null(rows, index, field->name.data);
        bool generated = !im->options->update && (field->spec->generate != CORM_GIVEN ||
                                                  field->spec->role == CORM_ROW_VERSION);
        missing += is_null && !generated;
        if (is_null && !generated && im->options->write_nulls) {
            if (nulls < CORM_MAX_NAMES) write->null[nulls] = field->name.data;
            nulls++;
        } else if (!is_null || generated) {
            if (given < CORM_MAX_NAMES) write->only[given] = field->name.data;
            given++;
        }
    }
    if (missing == 0) {
        memset(write->only, 0, sizeof write->only);
        return CORM_OK;
    }
    if (given == 0) write->only[0] = im->model->keys[0]->name.data; /* the key alone */
    if (given <= CORM_MAX_NAMES && nulls <= CORM_MAX_NAMES) return CORM_OK;
    return base__fail(err, CORM_INVALID,
                      "a record that does not have all columns may have %d of them at most",
                      CORM_MAX_NAMES);
}

/* A number of the key that was not given is not zero either. */
static corm_status check_key(const importing *im, const corm_rows *rows, uint32_t index,
                             corm_error *err) {
    for (uint32_t i = 0; i < im->model->key_count; i++) {
        const orm_field *field = im->model->keys[i];
        bool             generated = !im->options->update && field->spec->generate != CORM_GIVEN;
        if (generated || !corm_rows_is_null(rows, index, field->name.data)) continue;
        return base__fail(err, CORM_INVALID,
                          "column %s: it belongs to the primary key and has no value",
                          field->name.data);
    }
    return CORM_OK;
}

static corm_status write_row(importing *im, corm_rows *rows, uint32_t index, corm_str record,
                             uint64_t line, corm_error *err) {
    void           *row = corm_rows_at(rows, index);
    corm_bulk_write write = stream__load_record(&im->load, record, line);
    write.write = im->options->write;
    write.write.error = err;
    CORM_TRY(check_key(im, rows, index, err));
    CORM_TRY(choose_columns(im, rows, index, &write.write, err));
    return im->options->update ? corm_bulk_update_with(im->load.bulk, im->model->spec, row, &write)
                               : corm_bulk_save_with(im->load.bulk, im->model->spec, row, &write);
}

static corm_status take(void *context, corm_str record, uint64_t line, corm_error *err) {
    importing *im = context;
    corm_rows *rows = NULL;
    CORM_TRY(read_record(im, record, line, &rows, err));
    corm_status status = CORM_OK;
    for (uint32_t i = 0; i < corm_rows_count(rows) && status == CORM_OK; i++) {
        status = write_row(im, rows, i, record, line, err);
    }
    corm_rows_free(rows);
    return status;
}

static bool stops(void *context) {
    const importing *im = context;
    return im->options->stop && im->options->stop(im->options->context);
}

/* ---- beginning ---- */

static corm_status find_fields(importing *im, const stream_field *names, corm_error *err) {
    im->fields = BASE_NEW_ARRAY(&im->arena, const orm_field *, im->field_count + 1);
    if (!im->fields) return base__fail_memory(err);
    for (uint32_t i = 0; i < im->field_count; i++) {
        corm_str name = base__arena_str(&im->arena, names[i].text);
        if (!name.data) return base__fail_memory(err);
        im->fields[i] = orm__field(im->model, name);
        if (im->fields[i] || im->options->ignore_unknown) continue;
        CORM_TRY(orm__field_named(im->model, name.data, &im->fields[i], err));
    }
    return CORM_OK;
}

static corm_status read_header(importing *im, corm_error *err) {
    stream_field *names;
    corm_str      header;
    uint64_t      line;
    bool          more;
    if (!im->format.is_csv) return CORM_OK;
    CORM_TRY(stream__input_next(&im->load.input, &more, &header, &line, err));
    if (!more) {
        return base__fail(err, CORM_INVALID, "the file is empty: a CSV begins with a header");
    }
    base__buf_put_str(&im->load.rejects.header, header);
    CORM_TRY(
        stream__csv_split(header, im->format.delimiter, &im->arena, &names, &im->field_count, err));
    return find_fields(im, names, err);
}

static corm_status begin(importing *im, corm_error *err) {
    stream_load       *load = &im->load;
    corm_bulk_options  bulk = { .max_bytes = im->options->max_bytes };
    stream_checkpoint *note = &load->checkpoint;
    CORM_TRY(stream__format(im->options->format, im->options->path, im->options->delimiter,
                            &im->format, err));
    CORM_TRY(stream__load_open(load, err));
    CORM_TRY(stream__load_paths(load, im->options->rejects, err));
    load->input.csv = im->format.is_csv;
    load->input.delimiter = im->format.delimiter;
    snprintf(note->table, sizeof note->table, "%s", im->model->path.data);
    snprintf(note->format, sizeof note->format, "%s", im->format.name);
    CORM_TRY(read_header(im, err));
    bulk.request = im->options->write.request;
    bulk.request.has_timestamp = false;
    CORM_TRY(stream__load_begin(load, im->db, NULL, bulk, err));
    load->bulk->path = CORM_PATH_IMPORT;
    return im->options->resume ? stream__load_resume(load, err) : CORM_OK;
}

corm_status corm_import_model_with(corm_db *db, const corm_model *model,
                                   const corm_import_options *options) {
    corm_error *err = options->error;
    importing   im = { .options = options, .db = db };
    if (options->_canary != 0 || !options->path) {
        return base__fail(err, CORM_INVALID_ARGUMENT, "import: %s",
                          options->path ? "the options are not initialised" : "it needs a .path");
    }
    CORM_TRY(orm__model(db, model, &im.model, err));
    im.load = (stream_load){ .path = options->path, .context = &im, .take = take, .stops = stops };
    im.load.max_rejects = options->max_rejects;
    corm_status status = begin(&im, err);
    if (status == CORM_OK) status = stream__load_run(&im.load, err);
    if (options->stats) {
        *options->stats =
            (corm_import_stats){ im.load.records, im.load.written, im.load.rejects.count };
    }
    stream__load_free(&im.load);
    base__arena_free(&im.arena);
    base__arena_free(&im.record);
    return status;
}
