// SPDX-License-Identifier: MIT
/* json_write.c -- rows as JSON objects, straight into a buffer. Any thread. */
#include "base/text.h"
#include "stream/json_core.h"

enum { MOST_DEPTH = 32 };

typedef struct writing {
    const corm_json_options *options;
    base_buf                *out;
    base_arena               arena;
    uint32_t                 depth; /* of objects and arrays, for the indent */
    corm_error              *err;
} writing;

/* ---- lines and names ---- */

static void put_line(writing *w) {
    if (w->options->indent == 0) return;
    base__buf_u8(w->out, '\n');
    for (uint32_t i = 0; i < w->options->indent * w->depth; i++) base__buf_u8(w->out, ' ');
}

static void begin_member(writing *w, corm_str name, uint32_t *count) {
    if (*count > 0) base__buf_puts(w->out, w->options->indent == 0 ? ", " : ",");
    ++*count;
    put_line(w);
    base__put_json_string(w->out, name);
    base__buf_puts(w->out, ": ");
}

static bool is_among(const char *const *names, corm_str name) {
    for (uint32_t i = 0; i < CORM_MAX_NAMES && names[i]; i++) {
        if (corm_str_equal(corm_str_of(names[i]), name)) return true;
    }
    return false;
}

static bool is_wanted(const writing *w, corm_str name) {
    const corm_json_options *options = w->options;
    return (!options->only[0] || is_among(options->only, name)) && !is_among(options->except, name);
}

/* ---- columns ---- */

static bool is_plain(const orm_field *field, const corm_value *value) {
    switch (value->kind) {
    case CORM_BOOLEAN:
    case CORM_TINYINT:
    case CORM_SMALLINT:
    case CORM_INT:
    case CORM_BIGINT: return field->type->id != CQL_VARINT;
    case CORM_TEXT: return field->type->id == CQL_TEXT || field->type->id == CQL_ASCII;
    case CORM_UUID:
    case CORM_TIMESTAMP: return true;
    default: return false;
    }
}

static corm_status put_value(writing *w, const orm_field *field, const corm_value *value) {
    bool safe = w->options->safe_numbers;
    if (value->kind <= CORM_NULL || is_plain(field, value)) {
        return stream__put_json_of(value, safe, w->out, w->err);
    }
    base_buf    bytes = { 0 };
    corm_status status = cql__encode(field->type, value, &bytes, w->err);
    if (status == CORM_OK) status = base__buf_status(&bytes, w->err);
    if (status == CORM_OK) {
        cql_value wire = { bytes.data ? bytes.data : (const uint8_t *)"", (int32_t)bytes.len };
        stream__put_json(field->type, wire, safe, w->out);
    }
    base__buf_free(&bytes);
    return status;
}

static void put_masked(writing *w, const orm_field *field, const corm_value *value) {
    base_buf text = { 0 };
    orm__put_shown(field, value, &text);
    base__put_json_string(w->out, base__buf_str(&text));
    w->out->failed = w->out->failed || text.failed;
    base__buf_free(&text);
}

static bool is_masked(const writing *w, const orm_field *field) {
    if (w->options->reveal) return false;
    return field->spec->shown != CORM_SHOWN || orm__is_sealed(field);
}

static corm_status put_field(writing *w, const orm_field *field, const void *row, bool is_null,
                             uint32_t *count) {
    corm_value value = { .kind = CORM_UNSET };
    if (field->spec->shown == CORM_HIDDEN && !w->options->reveal) return CORM_OK;
    if (!is_wanted(w, field->name)) return CORM_OK;
    if (!is_null) CORM_TRY(orm__member_get(field, row, false, &w->arena, &value, w->err));
    if (value.kind <= CORM_NULL && !w->options->nulls) return CORM_OK;
    begin_member(w, field->name, count);
    if (value.kind > CORM_NULL && is_masked(w, field)) {
        put_masked(w, field, &value);
        return CORM_OK;
    }
    return put_value(w, field, &value);
}

/* ---- a row ---- */

static corm_status put_virtuals(writing *w, const orm_model *model, const void *row,
                                uint32_t *count) {
    const corm_virtual *each = w->options->no_virtuals ? NULL : model->spec->virtuals;
    for (; each && each->name; each++) {
        if (!is_wanted(w, corm_str_of(each->name))) continue;
        corm_value value = each->value(row, each->context);
        if (value.kind <= CORM_NULL && !w->options->nulls) continue;
        begin_member(w, corm_str_of(each->name), count);
        CORM_TRY(stream__put_json_of(&value, w->options->safe_numbers, w->out, w->err));
    }
    return CORM_OK;
}

static corm_status put_object(writing *w, const orm_model *model, const void *row,
                              const corm_rows *rows, uint32_t index);

static corm_status put_array(writing *w, const corm_rows *rows, uint32_t first, uint32_t count) {
    base__buf_u8(w->out, '[');
    w->depth++;
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0) base__buf_puts(w->out, w->options->indent == 0 ? ", " : ",");
        put_line(w);
        const void *row = corm_rows_at(rows, first + i);
        CORM_TRY(put_object(w, rows->model, row, rows, first + i));
    }
    w->depth--;
    if (count > 0) put_line(w);
    base__buf_u8(w->out, ']');
    return CORM_OK;
}

/* Names of .only and .except are of the rows that were asked for, not of related ones. */
static corm_status put_relation(writing *w, const corm_relation *relation, corm_related related) {
    static const corm_json_options defaults;
    corm_json_options              own = *w->options;
    const corm_json_options       *outer = w->options;
    memcpy(own.only, defaults.only, sizeof own.only);
    memcpy(own.except, defaults.except, sizeof own.except);
    w->options = &own;
    bool        many = relation->kind == CORM_HAS_MANY || relation->kind == CORM_MANY_TO_MANY;
    corm_status status = CORM_OK;
    if (many) {
        status = put_array(w, related.rows, related.at, related.count);
    } else if (related.count > 0) {
        status = put_object(w, related.rows->model, related.first, related.rows, related.at);
    } else {
        base__buf_puts(w->out, "null");
    }
    w->options = outer;
    return status;
}

static corm_status put_relations(writing *w, const orm_model *model, const corm_rows *rows,
                                 uint32_t index, uint32_t *count) {
    if (!rows || w->options->no_relations || w->depth > MOST_DEPTH) return CORM_OK;
    for (uint32_t i = 0; i < CORM_MODEL_MAX_RELATIONS && model->spec->relations[i].name; i++) {
        const corm_relation *relation = &model->spec->relations[i];
        corm_related         related = corm_rows_related(rows, index, relation->name);
        if (!related.rows || !is_wanted(w, corm_str_of(relation->name))) continue;
        begin_member(w, corm_str_of(relation->name), count);
        CORM_TRY(put_relation(w, relation, related));
    }
    return CORM_OK;
}

static bool is_null(const corm_rows *rows, uint32_t index, const orm_field *field) {
    return rows && corm_rows_is_null(rows, index, field->name.data);
}

static corm_status put_object(writing *w, const orm_model *model, const void *row,
                              const corm_rows *rows, uint32_t index) {
    uint32_t count = 0;
    base__buf_u8(w->out, '{');
    w->depth++;
    for (uint32_t i = 0; i < model->count; i++) {
        const orm_field *field = &model->fields[i];
        CORM_TRY(put_field(w, field, row, is_null(rows, index, field), &count));
    }
    CORM_TRY(put_virtuals(w, model, row, &count));
    CORM_TRY(put_relations(w, model, rows, index, &count));
    w->depth--;
    if (count > 0) put_line(w);
    base__buf_u8(w->out, '}');
    return CORM_OK;
}

corm_status stream__put_row(const orm_model *model, const void *row, const corm_rows *rows,
                            uint32_t index, const corm_json_options *options, base_buf *out,
                            corm_error *err) {
    writing     w = { .options = options, .out = out, .err = err };
    corm_status status = put_object(&w, model, row, rows, index);
    base__arena_free(&w.arena);
    return status == CORM_OK ? base__buf_status(out, err) : status;
}

/* ---- for the program ---- */

static bool has_member(const orm_model *model, corm_str name) {
    if (orm__field(model, name)) return true;
    for (const corm_virtual *each = model->spec->virtuals; each && each->name; each++) {
        if (corm_str_equal(corm_str_of(each->name), name)) return true;
    }
    for (uint32_t i = 0; i < CORM_MODEL_MAX_RELATIONS && model->spec->relations[i].name; i++) {
        if (corm_str_equal(corm_str_of(model->spec->relations[i].name), name)) return true;
    }
    return false;
}

static corm_status check_names(const orm_model *model, const char *const *names, corm_error *err) {
    const orm_field *field;
    for (uint32_t i = 0; i < CORM_MAX_NAMES && names[i]; i++) {
        if (has_member(model, corm_str_of(names[i]))) continue;
        CORM_TRY(orm__field_named(model, names[i], &field, err));
    }
    return CORM_OK;
}

corm_status stream__check_json_options(const orm_model *model, const corm_json_options *options,
                                       corm_error *err) {
    if (options->_canary != 0) {
        return base__fail(err, CORM_INVALID_ARGUMENT, "the JSON options are not initialised");
    }
    CORM_TRY(check_names(model, options->only, err));
    return check_names(model, options->except, err);
}

/* The buffer becomes the caller's. */
static corm_status give(base_buf *out, corm_status status, char **text, corm_error *err) {
    const char *all = status == CORM_OK ? base__buf_cstr(out) : NULL;
    if (status == CORM_OK && !all) status = base__fail_memory(err);
    *text = NULL;
    if (status == CORM_OK) {
        *text = (char *)out->data;
    } else {
        base__buf_free(out);
    }
    return status;
}

static const corm_json_options no_options;

corm_status corm_to_json_with(corm_db *db, const corm_model *spec, const void *row, char **text,
                              const corm_json_options *options) {
    orm_model *model;
    base_buf   out = { 0 };
    if (!options) options = &no_options;
    *text = NULL;
    CORM_TRY(orm__model(db, spec, &model, options->error));
    if (!row) return base__fail(options->error, CORM_INVALID_ARGUMENT, "the row is NULL");
    CORM_TRY(stream__check_json_options(model, options, options->error));
    corm_status status = stream__put_row(model, row, NULL, 0, options, &out, options->error);
    return give(&out, status, text, options->error);
}

corm_status corm_rows_to_json_with(const corm_rows *rows, char **text,
                                   const corm_json_options *options) {
    base_buf out = { 0 };
    if (!options) options = &no_options;
    *text = NULL;
    if (!rows) return base__fail(options->error, CORM_INVALID_ARGUMENT, "the rows are NULL");
    CORM_TRY(stream__check_json_options(rows->model, options, options->error));
    writing     w = { .options = options, .out = &out, .err = options->error };
    corm_status status = put_array(&w, rows, 0, rows->count);
    base__arena_free(&w.arena);
    return give(&out, status, text, options->error);
}
