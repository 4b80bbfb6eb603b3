// SPDX-License-Identifier: MIT
/* to_json.c -- values as JSON, as SELECT JSON and toJson() give them. Pure; any thread.
 *
 * Numbers and booleans are bare, NaN and infinities null, everything else is a string; the empty
 * value of any type is the empty string. */
#include "base/text.h"
#include "cql/codec.h"
#include "cql/inet_text.h"
#include "cql/numbers.h"
#include "cql/timetext.h"
#include "cql/types_internal.h"

static void put_double(cql_value value, base_buf *out) {
    uint64_t bits = base__load_u64(value.data);
    double   v;
    memcpy(&v, &bits, sizeof v);
    if (v - v == 0)
        base__put_double(out, v);
    else
        base__buf_puts(out, "null");
}

static void put_float(cql_value value, base_buf *out) {
    uint32_t bits = base__load_u32(value.data);
    float    v;
    memcpy(&v, &bits, sizeof v);
    if (v - v == 0)
        base__put_float(out, v);
    else
        base__buf_puts(out, "null");
}

static void put_blob(cql_value value, base_buf *out) {
    base__buf_puts(out, "\"0x");
    base__put_hex(out, (corm_bytes){ value.data, (size_t)value.len });
    base__buf_u8(out, '"');
}

/* A form that needs no escapes. */
static void put_quoted(const cql_type *type, cql_value value, base_buf *out) {
    base__buf_u8(out, '"');
    if (type->id == CQL_TIMESTAMP) {
        cql__put_timestamp((int64_t)base__load_u64(value.data), ' ', "Z", out);
    } else {
        cql__to_text(type, value, CQL_STYLE_CAST, out);
    }
    base__buf_u8(out, '"');
}

static void put_scalar(const cql_type *type, cql_value value, base_buf *out) {
    switch (type->id) {
    case CQL_TEXT:
    case CQL_ASCII:
        base__put_json_string(out, (corm_str){ (const char *)value.data, (size_t)value.len });
        return;
    case CQL_TINYINT:
    case CQL_SMALLINT:
    case CQL_INT:
    case CQL_BIGINT:
    case CQL_COUNTER:
    case CQL_VARINT: cql__varint_to_text(value, out); return;
    case CQL_DECIMAL: cql__decimal_to_text(value, out); return;
    case CQL_BOOLEAN: base__buf_puts(out, value.data[0] != 0 ? "true" : "false"); return;
    case CQL_DOUBLE: put_double(value, out); return;
    case CQL_FLOAT: put_float(value, out); return;
    case CQL_BLOB:
    case CQL_CUSTOM: put_blob(value, out); return;
    default: put_quoted(type, value, out); return;
    }
}

/* JSON allows only strings as keys: a key that is none is quoted again. */
static void put_key(const cql_type *type, cql_value value, base_buf *out) {
    base_buf key = { 0 };
    cql__to_json(type, value, &key);
    bool is_string = key.len > 0 && key.data[0] == '"';
    if (is_string)
        base__buf_put(out, key.data, key.len);
    else
        base__put_json_string(out, base__buf_str(&key));
    if (key.failed) out->failed = true;
    base__buf_free(&key);
}

static bool has_upper_case(corm_str name) {
    for (size_t i = 0; i < name.len; i++) {
        if (name.data[i] >= 'A' && name.data[i] <= 'Z') return true;
    }
    return false;
}

/* Names with capitals are in double quotes, as in CQL, inside the JSON string. */
static void put_field_name(corm_str name, base_buf *out) {
    base_buf quoted = { 0 };
    if (has_upper_case(name)) {
        base__buf_u8(&quoted, '"');
        base__buf_put_str(&quoted, name);
        base__buf_u8(&quoted, '"');
        name = base__buf_str(&quoted);
    }
    base__put_json_string(out, name);
    if (quoted.failed) out->failed = true;
    base__buf_free(&quoted);
}

static void put_item(const cql_type *type, uint32_t i, cql_value item, base_buf *out) {
    switch (type->id) {
    case CQL_MAP:
        if (i % 2 == 1) {
            cql__to_json(type->params[1], item, out);
        } else {
            if (i > 0) base__buf_puts(out, ", ");
            put_key(type->params[0], item, out);
            base__buf_puts(out, ": ");
        }
        return;
    case CQL_UDT:
        if (i > 0) base__buf_puts(out, ", ");
        put_field_name(type->field_names[i], out);
        base__buf_puts(out, ": ");
        cql__to_json(type->params[i], item, out);
        return;
    default:
        if (i > 0) base__buf_puts(out, ", ");
        cql__to_json(cql__item_type(type, i), item, out);
        return;
    }
}

static bool put_items(const cql_type *type, cql_value value, base_buf *out) {
    cql_walk  walk;
    cql_value item;
    bool      object = type->id == CQL_MAP || type->id == CQL_UDT;
    if (cql__walk_begin(&walk, type, value, NULL) != CORM_OK) return false;
    base__buf_u8(out, object ? '{' : '[');
    for (uint32_t i = 0; cql__walk_next(&walk, &item); i++) put_item(type, i, item, out);
    base__buf_u8(out, object ? '}' : ']');
    return !walk.reader.failed && walk.reader.len == 0;
}

/* A tuple or user-defined type of no bytes has only nulls. */
static bool is_empty_string(const cql_type *type, cql_value value) {
    return value.len == 0 && type->count == 0 && type->id != CQL_TEXT && type->id != CQL_ASCII &&
           type->id != CQL_BLOB && type->id != CQL_CUSTOM;
}

void cql__to_json(const cql_type *type, cql_value value, base_buf *out) {
    size_t start = out->len;
    if (value.len < 0) {
        base__buf_puts(out, "null");
        return;
    }
    if (is_empty_string(type, value)) {
        base__buf_puts(out, "\"\"");
        return;
    }
    if (type->count > 0) {
        if (put_items(type, value, out)) return;
    } else if (cql__validate(type, value, NULL) == CORM_OK) {
        put_scalar(type, value, out);
        return;
    }
    if (!out->failed) out->len = start;
    put_blob(value, out);
}
