// SPDX-License-Identifier: MIT
/* query_table_row.c -- a row read with the TTLs and times of its columns, and its copies written whole or deleted.
 *
 *   SELECT <all columns>, ttl(a), writetime(a), ttl(b), … FROM t WHERE key      collections have neither
 *
 * Columns that end at different times are written by statements of their own. Any thread. */
#include "orm/query_table.h"

enum { IMAGE_SHAPE = 0xE1 };

static bool has_ttl(const orm_field *field) {
    return field->key == CORM_REGULAR && !cql__type_is_multicell(field->stored_type) &&
           field->type->id != CQL_COUNTER;
}

corm_status orm__image_select(orm_model *model, corm_error *err) {
    base_buf text = { 0 };
    for (uint32_t i = 0; i < model->count; i++) {
        base__buf_printf(&text, "%s%s", i > 0 ? ", " : "", model->fields[i].quoted.data);
    }
    for (uint32_t i = 0; i < model->count; i++) {
        const char *name = model->fields[i].quoted.data;
        if (has_ttl(&model->fields[i]))
            base__buf_printf(&text, ", ttl(%s), writetime(%s)", name, name);
    }
    if (!text.failed) model->row_select = base__arena_str(&model->arena, base__buf_str(&text));
    base__buf_free(&text);
    return model->row_select.data ? CORM_OK : base__fail_memory(err);
}

static void put_text(const void *context, base_buf *out) {
    const orm_model *model = context;
    base__buf_puts(out, "SELECT ");
    base__buf_put_str(out, model->row_select);
    base__buf_puts(out, " FROM ");
    base__buf_put_str(out, model->path);
    for (uint32_t i = 0; i < model->key_count; i++) {
        base__buf_puts(out, i == 0 ? " WHERE " : " AND ");
        base__buf_put_str(out, model->keys[i]->quoted);
        base__buf_puts(out, " = ?");
    }
}

/* ---- reading ---- */

static corm_status bind_key(const orm_model *model, const void *row, corm_statement *statement,
                            base_arena *arena, corm_error *err) {
    for (uint32_t i = 0; i < model->key_count; i++) {
        corm_value value;
        CORM_TRY(orm__member_get(model->keys[i], row, true, arena, &value, err));
        CORM_TRY(orm__bind(statement, i, model->keys[i], &value, arena, err));
    }
    return CORM_OK;
}

corm_status orm__image_shape(orm_model *model, orm_shape **out, corm_error *err) {
    uint8_t key[1] = { IMAGE_SHAPE };
    return orm__shape(model, (corm_bytes){ key, 1 }, put_text, model, out, err);
}

static corm_status ask(orm_model *model, const void *key, const corm_request_options *request,
                       base_arena *arena, corm_rows *rows, corm_error *err) {
    orm_shape      *shape;
    corm_statement *statement = NULL;
    corm_result    *result;
    CORM_TRY(orm__image_shape(model, &shape, err));
    corm_status status = orm__statement(shape, &statement, err);
    if (status == CORM_OK) status = bind_key(model, key, statement, arena, err);
    if (status == CORM_OK) {
        corm_request_options *options = corm_statement_options(statement);
        options->consistency = request->consistency;
        options->profile = request->profile;
        options->timeout_ms = request->timeout_ms;
        status = corm_run(statement, &result, err);
    }
    if (status == CORM_OK) status = orm__rows_add(rows, shape->cached ? shape : NULL, result, err);
    orm__statement_done(shape, statement);
    orm__shape_done(shape);
    return status;
}

static void take_cells(const orm_model *model, const corm_row *row, orm_image *out) {
    uint32_t column = model->count;
    for (uint32_t i = 0; i < model->count; i++) {
        out->cells[i] = row ? corm_row_bytes(row, i) : (corm_bytes){ NULL, 0 };
        out->how[i] = out->cells[i].data ? ORM_VALUE : ORM_NULL;
        if (!has_ttl(&model->fields[i])) continue;
        if (row) out->ttls[i] = corm_row_int(row, column);
        if (row) out->stamps[i] = corm_row_bigint(row, column + 1);
        column += 2;
    }
}

corm_status orm__image_read(orm_model *model, const void *key, const corm_request_options *request,
                            base_arena *arena, orm_image *out, corm_error *err) {
    *out = (orm_image){ 0 };
    out->how = BASE_NEW_ARRAY(arena, uint8_t, model->count);
    out->cells = BASE_NEW_ARRAY(arena, corm_bytes, model->count);
    out->ttls = BASE_NEW_ARRAY(arena, int32_t, model->count);
    out->stamps = BASE_NEW_ARRAY(arena, int64_t, model->count);
    if (!out->how || !out->cells || !out->ttls || !out->stamps) return base__fail_memory(err);
    CORM_TRY(orm__rows_new(model, &out->rows, err));
    CORM_TRY(ask(model, key, request, arena, out->rows, err));
    out->row = corm_rows_at(out->rows, 0);
    take_cells(model, out->row ? corm_result_next(out->rows->results[0]) : NULL, out);
    return CORM_OK;
}

void orm__image_free(orm_image *image) {
    corm_rows_free(image->rows);
    image->rows = NULL;
}

bool orm__image_has_copy(const orm_image *image, const orm_model *copy) {
    for (uint32_t i = 0; i < copy->key_count && image->row; i++) {
        if (image->how[copy->origins[copy->keys[i]->index]] != ORM_VALUE) return false;
    }
    return image->row != NULL;
}

/* ---- writing ---- */

/* What one statement writes: the columns that end, and were written, at the same time. */
typedef struct part {
    int32_t ttl;
    int64_t stamp;
} part;

static part part_of(const orm_copy_sink *sink, const orm_image *image, uint32_t field) {
    return (part){ image->ttls[field], sink->original ? image->stamps[field] : 0 };
}

int32_t orm__image_key_ttl(const orm_image *image, const orm_model *copy) {
    int32_t least = 0;
    for (uint32_t k = 0; k < copy->key_count; k++) {
        int32_t ttl = image->ttls[copy->origins[copy->keys[k]->index]];
        if (ttl > 0 && (least == 0 || ttl < least)) least = ttl;
    }
    return least;
}

/* A column of a copy ends at the latest with the columns that its key is of. */
static part part_in(const orm_copy_sink *sink, const orm_model *copy, const orm_image *image,
                    uint32_t field) {
    part    out = part_of(sink, image, field);
    int32_t most = orm__image_key_ttl(image, copy);
    if (most > 0 && (out.ttl == 0 || out.ttl > most)) out.ttl = most;
    return out;
}

static bool same_part(part a, part b) {
    return a.ttl == b.ttl && a.stamp == b.stamp;
}

/* Of the row itself: it ends with the columns that its key is of; where those are the model's own, with the column that stays
 * longest. */
static part part_of_row(const orm_copy_sink *sink, const orm_model *copy, const orm_image *image) {
    part out = { orm__image_key_ttl(image, copy), 0 };
    bool any = false;
    for (uint32_t i = 0; i < copy->count; i++) {
        const orm_field *origin = &copy->copy_of->fields[copy->origins[i]];
        if (!has_ttl(origin) || image->how[origin->index] != ORM_VALUE) continue;
        part p = part_of(sink, image, origin->index);
        bool longer = !any || p.ttl == 0 || (out.ttl > 0 && p.ttl > out.ttl);
        if (!copy->moves && longer && (!any || out.ttl > 0)) out.ttl = p.ttl;
        if (p.stamp > out.stamp && (!copy->moves || orm__is_key(&copy->fields[i]))) {
            out.stamp = p.stamp;
        }
        any = true;
    }
    return out;
}

static corm_status send(const orm_copy_sink *sink, orm_write *write) {
    corm_status status = sink->batch ? orm__write_add(write, sink->batch, sink->err)
                                     : orm__write_alone(write, sink->err);
    base__arena_free(&write->arena);
    return status;
}

static corm_status start(const orm_copy_sink *sink, orm_model *copy, orm_write_kind kind,
                         const void *row, part p, orm_write *out, corm_write_options *options) {
    *options = (corm_write_options){ .request = sink->request, .ttl_seconds = p.ttl };
    if (sink->original && p.stamp > 0) {
        options->request.has_timestamp = true;
        options->request.timestamp_us = p.stamp;
    }
    *out = (orm_write){ .db = copy->db,
                        .model = copy,
                        .kind = kind,
                        .options = options,
                        .row = (uint8_t *)(uintptr_t)row,
                        .err = sink->err };
    out->how = BASE_NEW_ARRAY(sink->arena, uint8_t, copy->count);
    if (!out->how) return base__fail_memory(sink->err);
    for (uint32_t i = 0; i < copy->key_count; i++) out->how[copy->keys[i]->index] = ORM_VALUE;
    return CORM_OK;
}

/* The columns of the part into the statement; true when there are any. `nulls` too, which belong to no part. */
static bool take_part(const orm_copy_sink *sink, const orm_model *copy, const orm_image *image,
                      part p, bool nulls, uint8_t *how, bool *done) {
    bool any = false;
    for (uint32_t i = 0; i < copy->count; i++) {
        uint32_t origin = copy->origins[i];
        if (orm__is_key(&copy->fields[i]) || done[i]) continue;
        bool is_null = image->how[origin] != ORM_VALUE;
        if (is_null ? !nulls : !same_part(part_in(sink, copy, image, origin), p)) continue;
        how[i] = is_null ? ORM_NULL : ORM_VALUE;
        done[i] = any = true;
    }
    return any;
}

static corm_status put_part(const orm_copy_sink *sink, orm_model *copy, const orm_image *image,
                            part p, bool is_row, bool *done) {
    orm_write          write;
    corm_write_options options;
    orm_write_kind     kind = is_row ? ORM_INSERT : ORM_UPDATE;
    CORM_TRY(start(sink, copy, kind, image->row, p, &write, &options));
    bool any = take_part(sink, copy, image, p, is_row, write.how, done);
    return any || is_row ? send(sink, &write) : CORM_OK;
}

corm_status orm__copy_put(const orm_copy_sink *sink, orm_model *copy, const orm_image *image) {
    bool *done = BASE_NEW_ARRAY(sink->arena, bool, copy->count);
    if (!done) return base__fail_memory(sink->err);
    CORM_TRY(put_part(sink, copy, image, part_of_row(sink, copy, image), true, done));
    for (uint32_t i = 0; i < copy->count; i++) {
        if (orm__is_key(&copy->fields[i]) || done[i]) continue;
        part p = part_in(sink, copy, image, copy->origins[i]);
        CORM_TRY(put_part(sink, copy, image, p, false, done));
    }
    return CORM_OK;
}

corm_status orm__copy_drop(const orm_copy_sink *sink, orm_model *copy, const void *row) {
    orm_write          write;
    corm_write_options options;
    CORM_TRY(start(sink, copy, ORM_DELETE, row, (part){ 0, 0 }, &write, &options));
    return send(sink, &write);
}
