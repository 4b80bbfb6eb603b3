// SPDX-License-Identifier: MIT
/* shown.c -- what people see of values: in messages, logs and events. Pure; any thread. */
#include "base/text.h"
#include "orm/core.h"

enum { SEEN_AT_END = 4 };

static void put_masked(base_buf *out) {
    base__buf_puts(out, "***");
}

/* The last characters of a text that is long enough for them to tell little. */
static void put_end(corm_str text, base_buf *out) {
    size_t at = text.len;
    put_masked(out);
    for (int seen = 0; seen < SEEN_AT_END && at > 0; seen++) {
        at--;
        while (at > 0 && ((uint8_t)text.data[at] & 0xC0) == 0x80) at--;
    }
    if (at >= SEEN_AT_END) base__buf_put(out, text.data + at, text.len - at);
}

static void put_text(const orm_field *field, cql_value value, base_buf *out) {
    if (field->spec->shown == CORM_SHOWN) {
        cql__to_text(field->type, value, CQL_STYLE_SHELL, out);
        return;
    }
    base_buf text = { 0 };
    cql__to_text(field->type, value, CQL_STYLE_SHELL, &text);
    put_end(base__buf_str(&text), out);
    out->failed = out->failed || text.failed;
    base__buf_free(&text);
}

static bool is_masked(const orm_field *field) {
    return field->spec->shown == CORM_MASKED || field->spec->shown == CORM_HIDDEN;
}

void orm__put_shown_cell(const orm_field *field, cql_value cell, base_buf *out) {
    base_arena arena = { 0 };
    cql_value  value = cell;
    if (cell.len < 0) {
        base__buf_puts(out, "null");
    } else if (is_masked(field) || (field->box && field->spec->shown == CORM_SHOWN)) {
        put_masked(out); /* what is worth sealing is not shown unless the model says how */
    } else if (field->box && orm__sealed_open(field, cell, &arena, &value, NULL) != CORM_OK) {
        put_masked(out);
    } else {
        put_text(field, value, out);
    }
    base__arena_free(&arena);
}

void orm__put_shown(const orm_field *field, const corm_value *value, base_buf *out) {
    base_arena arena = { 0 };
    orm_field  open = *field;
    cql_value  cell;
    open.box = NULL;
    if (value->kind <= CORM_NULL) {
        base__buf_puts(out, "null");
    } else if (is_masked(field) || (orm__is_sealed(field) && field->spec->shown == CORM_SHOWN)) {
        put_masked(out);
    } else if (orm__encode(&open, value, &arena, &cell, NULL) != CORM_OK) {
        put_masked(out);
    } else {
        put_text(&open, cell, out);
    }
    base__arena_free(&arena);
}

/* ---- a row ---- */

static void put_row(const orm_model *model, const void *row, base_buf *out, corm_status *status,
                    corm_error *err) {
    base_arena  arena = { 0 };
    const char *before = " ";
    base__buf_put_str(out, model->table);
    base__buf_puts(out, " {");
    for (uint32_t i = 0; i < model->count && *status == CORM_OK; i++) {
        const orm_field *field = &model->fields[i];
        corm_value       value;
        if (field->spec->shown == CORM_HIDDEN) continue;
        *status = orm__member_get(field, row, false, &arena, &value, err);
        if (*status != CORM_OK || value.kind == CORM_UNSET) continue;
        base__buf_printf(out, "%s%s: ", before, field->name.data);
        orm__put_shown(field, &value, out);
        before = ", ";
    }
    base__buf_puts(out, " }");
    base__arena_free(&arena);
}

corm_status corm_row_shown(const corm_model *spec, const void *row, char **out, corm_error *err) {
    orm_model *model;
    base_buf   text = { 0 };
    *out = NULL;
    CORM_TRY(orm__compile(spec, &model, err));
    corm_status status = CORM_OK;
    put_row(model, row, &text, &status, err);
    const char *line = base__buf_cstr(&text);
    if (status == CORM_OK && !line) status = base__fail_memory(err);
    orm__model_free(model);
    if (status == CORM_OK) {
        *out = (char *)text.data;
    } else {
        base__buf_free(&text);
    }
    return status;
}
