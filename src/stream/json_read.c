// SPDX-License-Identifier: MIT
/* json_read.c -- JSON objects into rows of a model. Every fault is noted with its place; the rows are given when there is none. */
#include "base/text.h"
#include "cql/json.h"
#include "stream/json_core.h"

enum { MOST_NAMES = 1024 };

typedef struct reading_json {
    orm_model                    *model;
    corm_str                      text;
    uint32_t                      line; /* of the text's beginning */
    const corm_from_json_options *options;
    corm_rows                    *rows;
    base_buf                      bytes, name;
    uint32_t                      faults;
    bool                          no_memory;
    corm_error                   *err;
} reading_json;

/* ---- faults ---- */

static void find_place(const reading_json *r, const char *at, uint32_t *line, uint32_t *column) {
    corm_str before = { r->text.data, (size_t)(at - r->text.data) };
    size_t   start = 0;
    *line = r->line;
    for (size_t i = 0; i < before.len; i++) {
        if (before.data[i] != '\n') continue;
        ++*line;
        start = i + 1;
    }
    *column =
        (uint32_t)base__utf8_length((corm_str){ before.data + start, before.len - start }) + 1;
}

static void note(reading_json *r, const char *field, const char *at, const char *what) {
    corm_violations *all = r->options->violations;
    uint32_t         line, column;
    find_place(r, at, &line, &column);
    if (r->faults++ == 0) {
        base__fail_at(r->err, CORM_INVALID, line, column, "%u:%u: %s%s%s", line, column,
                      field ? field : "", field ? ": " : "", what);
    }
    if (!all || all->count == CORM_MAX_VIOLATIONS) return;
    all->items[all->count].field = field;
    snprintf(all->items[all->count].message, sizeof all->items[0].message, "%u:%u: %s", line,
             column, what);
    all->count++;
}

/* ---- names that are no column ---- */

static bool is_other_member(const orm_model *model, corm_str name) {
    for (const corm_virtual *each = model->spec->virtuals; each && each->name; each++) {
        if (corm_str_equal(corm_str_of(each->name), name)) return true;
    }
    for (uint32_t i = 0; i < CORM_MODEL_MAX_RELATIONS && model->spec->relations[i].name; i++) {
        if (corm_str_equal(corm_str_of(model->spec->relations[i].name), name)) return true;
    }
    return false;
}

static void note_unknown(reading_json *r, corm_str name, const char *at) {
    corm_str       names[MOST_NAMES];
    char           text[256];
    const uint32_t count = r->model->count < MOST_NAMES ? r->model->count : MOST_NAMES;
    for (uint32_t i = 0; i < count; i++) names[i] = r->model->fields[i].name;
    corm_str near = orm__nearest(name, names, count);
    snprintf(text, sizeof text, "model '%.60s' has no column '%.*s'%s%.*s%s", r->model->table.data,
             (int)(name.len < 60 ? name.len : 60), name.data, near.len ? ", did you mean '" : "",
             (int)near.len, near.len ? near.data : "", near.len ? "'?" : "");
    note(r, NULL, at, text);
}

/* ---- members ---- */

static bool is_mask(const orm_field *field, corm_str value) {
    bool masked = field->spec->shown == CORM_MASKED || field->spec->shown == CORM_MASKED_PARTLY ||
                  orm__is_sealed(field);
    return masked && base__str_has_prefix(value, corm_str_of("\"***"));
}

/* Bytes that the row may point to. */
static corm_status store(reading_json *r, const orm_field *field, void *row, corm_error *why) {
    corm_value  decoded;
    const void *from = r->bytes.len > 0 ? (const void *)r->bytes.data : "";
    uint8_t    *copy = base__arena_copy(&r->rows->arena, from, r->bytes.len);
    if (!copy) return base__fail_memory(why);
    cql_value wire = { copy, (int32_t)r->bytes.len };
    CORM_TRY(cql__decode(field->type, wire, &r->rows->arena, &decoded, why));
    return orm__member_set(field, &decoded, (uint8_t *)row + field->offset, &r->rows->arena, why);
}

static corm_status read_value(reading_json *r, const orm_field *field, corm_str value, void *row,
                              bool *is_null, const char **at, corm_error *why) {
    base__buf_clear(&r->bytes);
    if (is_mask(field, value)) {
        return base__fail(why, CORM_INVALID, "it is masked: this is not its value");
    }
    CORM_TRY(stream__take_json(field->type, value, &r->bytes, is_null, at, why));
    if (!*is_null)
        CORM_TRY(cql__validate(field->type, cql__value_of(base__buf_bytes(&r->bytes)), why));
    if (!*is_null) return store(r, field, row, why);
    orm__member_set_null(field->member, (uint8_t *)row + field->offset);
    return CORM_OK;
}

static void read_field(reading_json *r, const orm_field *field, corm_str value, uint32_t index) {
    corm_error  why = { 0 };
    const char *at = value.data;
    bool        is_null = false;
    void       *row = corm_rows_at(r->rows, index);
    corm_status status = read_value(r, field, value, row, &is_null, &at, &why);
    if (status == CORM_NO_MEMORY) r->no_memory = true;
    if (status != CORM_OK) {
        note(r, field->name.data, at, why.message);
    } else if (!is_null) {
        orm__rows_set_given(r->rows, index, field->index);
    }
}

static void read_member(reading_json *r, corm_str name, corm_str value, uint32_t index,
                        uint8_t *seen) {
    base__buf_clear(&r->name);
    cql__json_unescape(name, &r->name);
    if (r->name.failed) r->no_memory = true;
    if (r->no_memory) return;
    const orm_field *field = orm__field(r->model, base__buf_str(&r->name));
    if (!field) {
        if (r->options->ignore_unknown || is_other_member(r->model, base__buf_str(&r->name)))
            return;
        note_unknown(r, base__buf_str(&r->name), name.data);
    } else if (seen[field->index]++ > 0) {
        note(r, field->name.data, name.data, "it is given twice");
    } else {
        read_field(r, field, value, index);
    }
}

static void read_object(reading_json *r, corm_str object, uint32_t index, uint8_t *seen) {
    corm_str name, value;
    size_t   at = 0;
    if (cql__json_kind(object) != CQL_JSON_OBJECT) {
        note(r, NULL, object.data, "an object expected");
        return;
    }
    memset(seen, 0, r->model->count);
    while (!r->no_memory && cql__json_next_member(object, &at, &name, &value)) {
        read_member(r, cql__json_trim(name), cql__json_trim(value), index, seen);
    }
}

/* ---- all of it ---- */

static uint32_t count_rows(corm_str json, bool is_array) {
    corm_str value;
    size_t   at = 0;
    uint32_t count = 0;
    if (!is_array) return 1;
    while (cql__json_next(json, &at, &value)) count++;
    return count;
}

static void hold_rules(reading_json *r) {
    for (uint32_t i = 0; i < r->rows->count && r->faults == 0; i++) {
        corm_violations found = { .count = 0 };
        corm_error      why = { 0 };
        corm_status status = corm_validate(r->model->spec, corm_rows_at(r->rows, i), &found, &why);
        if (status == CORM_OK) continue;
        r->faults++;
        if (r->options->violations) *r->options->violations = found;
        if (r->err) *r->err = why;
    }
}

static corm_status read_all(reading_json *r, uint8_t *seen) {
    corm_str json = cql__json_trim(r->text), value;
    bool     is_array = cql__json_kind(json) == CQL_JSON_ARRAY;
    size_t   at = 0;
    CORM_TRY(orm__rows_blank(r->rows, count_rows(json, is_array), r->err));
    if (!is_array) {
        read_object(r, json, 0, seen);
    } else {
        for (uint32_t i = 0; !r->no_memory && cql__json_next(json, &at, &value); i++) {
            read_object(r, cql__json_trim(value), i, seen);
        }
    }
    if (r->no_memory) return base__fail_memory(r->err);
    if (r->faults > 0) return CORM_INVALID;
    if (r->options->validate) hold_rules(r);
    return r->faults > 0 ? CORM_VALIDATION : CORM_OK;
}

static corm_status check_text(reading_json *r) {
    size_t at;
    if (cql__json_check(r->text, &at)) return CORM_OK;
    note(r, NULL, r->text.data + at,
         at == r->text.len ? "the text ends too early" : "this is no JSON");
    return CORM_INVALID;
}

corm_status stream__read_rows(orm_model *model, corm_str json, uint32_t line,
                              const corm_from_json_options *options, corm_rows **out,
                              corm_error *err) {
    reading_json r = { .model = model, .text = json, .line = line, .options = options, .err = err };
    base_arena   arena = { 0 };
    if (!json.data) r.text.data = "";
    if (options->violations) options->violations->count = 0;
    CORM_TRY(check_text(&r));
    CORM_TRY(orm__rows_new(model, &r.rows, err));
    uint8_t    *seen = BASE_NEW_ARRAY(&arena, uint8_t, model->count);
    corm_status status = seen ? read_all(&r, seen) : base__fail_memory(err);
    base__arena_free(&arena);
    base__buf_free(&r.bytes);
    base__buf_free(&r.name);
    if (status == CORM_OK) {
        *out = r.rows;
    } else {
        corm_rows_free(r.rows);
    }
    return status;
}

corm_status corm_from_json_with(corm_db *db, const corm_model *spec, corm_str json, corm_rows **out,
                                const corm_from_json_options *options) {
    static const corm_from_json_options defaults;
    orm_model                          *model;
    if (!options) options = &defaults;
    *out = NULL;
    if (options->_canary != 0) {
        return base__fail(options->error, CORM_INVALID_ARGUMENT,
                          "the JSON options are not initialised");
    }
    CORM_TRY(orm__model(db, spec, &model, options->error));
    return stream__read_rows(model, json, 1, options, out, options->error);
}
