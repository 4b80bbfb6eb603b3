// SPDX-License-Identifier: MIT
/* json_take.c -- JSON into values in wire form: what json_put.c writes, what SELECT JSON writes, and a string with the CQL literal for
 * any type. The text was checked as a whole; spans of it are walked. Pure. */
#include "base/fail.h"
#include "base/text.h"
#include "cql/json.h"
#include "cql/sorted.h"
#include "stream/json_core.h"
#include "stream/json_value.h"

typedef struct taking {
    const char **at; /* what an error is about */
    corm_error  *err;
} taking;

static corm_status take(const taking *t, const cql_type *type, corm_str json, base_buf *out,
                        bool *is_null);

/* ---- items ---- */

/* A protocol [value]. */
static corm_status take_item(const taking *t, const cql_type *type, corm_str json, base_buf *out) {
    size_t at = out->len;
    bool   is_null = false;
    base__buf_i32(out, -1);
    CORM_TRY(take(t, type, json, out, &is_null));
    CORM_TRY(base__buf_status(out, t->err));
    if (is_null) {
        out->len = at + 4;
    } else {
        base__buf_set_i32(out, at, (int32_t)(out->len - at - 4));
    }
    return CORM_OK;
}

/* A name of an object as a key: the text itself, or the JSON in it. */
static corm_status take_key(const taking *t, const cql_type *type, corm_str name, base_buf *out) {
    base_buf    inner = { 0 };
    corm_status status = CORM_OK;
    if (type->count == 0) return take_item(t, type, name, out);
    cql__json_unescape(name, &inner);
    status = base__buf_status(&inner, t->err);
    size_t place;
    if (status == CORM_OK && !cql__json_check(base__buf_str(&inner), &place)) {
        *t->at = name.data;
        status = base__fail(t->err, CORM_INVALID, "the name of the entry is no JSON of a key");
    }
    const char *within = NULL;
    taking      deeper = { &within, t->err };
    if (status == CORM_OK) status = take_item(&deeper, type, base__buf_str(&inner), out);
    if (within) *t->at = name.data;
    base__buf_free(&inner);
    return status;
}

static corm_status take_values(const taking *t, const cql_type *type, corm_str json,
                               base_buf *values) {
    corm_str key, value;
    size_t   at = 0;
    if (type->id == CQL_MAP) {
        while (cql__json_next_member(json, &at, &key, &value)) {
            CORM_TRY(take_key(t, type->params[0], cql__json_trim(key), values));
            CORM_TRY(take_item(t, type->params[1], cql__json_trim(value), values));
        }
        return CORM_OK;
    }
    while (cql__json_next(json, &at, &value)) {
        CORM_TRY(take_item(t, type->params[0], cql__json_trim(value), values));
    }
    return CORM_OK;
}

static corm_status take_collection(const taking *t, const cql_type *type, corm_str json,
                                   base_buf *out) {
    base_buf    values = { 0 };
    corm_status status = take_values(t, type, json, &values);
    if (status == CORM_OK) {
        *t->at = json.data;
        status = cql__pack_values(type, base__buf_bytes(&values), out, t->err);
    }
    base__buf_free(&values);
    return status;
}

static corm_status take_tuple(const taking *t, const cql_type *type, corm_str json, base_buf *out) {
    corm_str value;
    size_t   at = 0;
    uint32_t count = 0;
    while (cql__json_next(json, &at, &value)) {
        if (count == type->count) {
            *t->at = value.data;
            return base__fail(t->err, CORM_INVALID, "the tuple has %u items", type->count);
        }
        CORM_TRY(take_item(t, type->params[count++], cql__json_trim(value), out));
    }
    for (; count < type->count; count++) base__buf_i32(out, -1);
    return CORM_OK;
}

/* ---- user-defined types ---- */

static corm_status find_part(const taking *t, const cql_type *type, corm_str name, uint32_t *out) {
    base_buf text = { 0 };
    cql__json_unescape(name, &text);
    CORM_TRY(base__buf_status(&text, t->err));
    for (*out = 0; *out < type->count; ++*out) {
        if (corm_str_equal(type->field_names[*out], base__buf_str(&text))) break;
    }
    corm_status status = CORM_OK;
    if (*out == type->count) {
        corm_str near = orm__nearest(base__buf_str(&text), type->field_names, type->count);
        *t->at = name.data;
        status = base__fail(t->err, CORM_INVALID, "the type %.*s has no field '%.*s'%s%.*s%s",
                            (int)type->name.len, type->name.data, (int)text.len,
                            (const char *)text.data, near.len ? ", did you mean '" : "",
                            (int)near.len, near.len ? near.data : "", near.len ? "'?" : "");
    }
    base__buf_free(&text);
    return status;
}

static corm_status take_parts(const taking *t, const cql_type *type, corm_str json, corm_str *parts,
                              base_buf *out) {
    corm_str name, value;
    size_t   at = 0;
    uint32_t index;
    while (cql__json_next_member(json, &at, &name, &value)) {
        CORM_TRY(find_part(t, type, cql__json_trim(name), &index));
        parts[index] = cql__json_trim(value);
    }
    for (uint32_t i = 0; i < type->count; i++) {
        if (!parts[i].data) base__buf_i32(out, -1);
        if (parts[i].data) CORM_TRY(take_item(t, type->params[i], parts[i], out));
    }
    return CORM_OK;
}

static corm_status take_udt(const taking *t, const cql_type *type, corm_str json, base_buf *out) {
    base_arena  arena = { 0 };
    corm_str   *parts = BASE_NEW_ARRAY(&arena, corm_str, type->count);
    corm_status status = parts ? take_parts(t, type, json, parts, out) : base__fail_memory(t->err);
    base__arena_free(&arena);
    return status;
}

/* ---- any ---- */

static corm_status wanted(const taking *t, const cql_type *type, const char *what) {
    base_buf text = { 0 };
    cql__type_print(type, &text);
    const char *name = base__buf_cstr(&text);
    corm_status status =
        base__fail(t->err, CORM_INVALID, "%s expected for a %s", what, name ? name : "value");
    base__buf_free(&text);
    return status;
}

static corm_status take(const taking *t, const cql_type *type, corm_str json, base_buf *out,
                        bool *is_null) {
    cql_json_kind kind = cql__json_kind(json);
    *t->at = json.data;
    *is_null = kind == CQL_JSON_NULL;
    if (*is_null) return CORM_OK;
    if (type->count == 0 || kind == CQL_JSON_STRING) {
        return stream__read_json_value(type, json, out, is_null, t->err);
    }
    bool named = type->id == CQL_MAP || type->id == CQL_UDT;
    if (named && kind != CQL_JSON_OBJECT) return wanted(t, type, "an object");
    if (!named && kind != CQL_JSON_ARRAY) return wanted(t, type, "an array");
    if (type->id == CQL_UDT) return take_udt(t, type, json, out);
    if (type->id == CQL_TUPLE) return take_tuple(t, type, json, out);
    return take_collection(t, type, json, out);
}

corm_status stream__take_json(const cql_type *type, corm_str json, base_buf *out, bool *is_null,
                              const char **at, corm_error *err) {
    taking t = { at, err };
    CORM_TRY(take(&t, type, cql__json_trim(json), out, is_null));
    return base__buf_status(out, err);
}
