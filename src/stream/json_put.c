// SPDX-License-Identifier: MIT
/* json_put.c -- values as JSON: SELECT JSON's forms, but for timestamps (ISO 8601) and for what would not read back as it was: that is a
 * string with its CQL literal (json_value.h). Pure. */
#include "base/fail.h"
#include "base/text.h"
#include "cql/numbers.h"
#include "cql/timetext.h"
#include "stream/json_core.h"
#include "stream/json_value.h"

static const int64_t most_exact = INT64_C(1) << 53;

/* ---- scalars ---- */

static void put_whole(int64_t number, bool safe, base_buf *out) {
    bool     quoted = safe && (number > most_exact || number < -most_exact);
    char     digits[24];
    char    *at = digits + sizeof digits;
    uint64_t rest = number < 0 ? (uint64_t)0 - (uint64_t)number : (uint64_t)number;
    if (quoted) *--at = '"';
    do {
        *--at = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (number < 0) *--at = '-';
    if (quoted) *--at = '"';
    base__buf_put(out, at, (size_t)(digits + sizeof digits - at));
}

static void put_uuid(corm_uuid uuid, base_buf *out) {
    static const char hex[] = "0123456789abcdef";
    const uint8_t    *bytes = (const uint8_t *)&uuid;
    char              text[38];
    size_t            at = 0;
    text[at++] = '"';
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) text[at++] = '-';
        text[at++] = hex[bytes[i] >> 4];
        text[at++] = hex[bytes[i] & 15];
    }
    text[at++] = '"';
    base__buf_put(out, text, at);
}

static void put_time(int64_t ms, base_buf *out) {
    base__buf_u8(out, '"');
    cql__put_timestamp(ms, 'T', "Z", out);
    base__buf_u8(out, '"');
}

/* A decimal's digits with its scale; a varint's. */
static void put_exact(const cql_type *type, cql_value value, bool safe, base_buf *out) {
    base_buf text = { 0 };
    cql__to_text(type, value, CQL_STYLE_LITERAL, &text);
    bool quoted = safe || text.len == 0;
    if (quoted) base__buf_u8(out, '"');
    base__buf_put_str(out, base__buf_str(&text));
    if (quoted) base__buf_u8(out, '"');
    out->failed = out->failed || text.failed;
    base__buf_free(&text);
}

static bool is_common_time(cql_value value) {
    return value.len == 8 && cql__timestamp_is_common((int64_t)base__load_u64(value.data));
}

static void put_scalar(const cql_type *type, cql_value value, bool safe, base_buf *out) {
    bool whole = (type->id == CQL_BIGINT || type->id == CQL_COUNTER) && value.len == 8;
    if (whole) {
        put_whole((int64_t)base__load_u64(value.data), safe, out);
    } else if (type->id == CQL_TIMESTAMP && is_common_time(value)) {
        put_time((int64_t)base__load_u64(value.data), out);
    } else if ((type->id == CQL_DECIMAL || type->id == CQL_VARINT) && value.len > 0 &&
               cql__validate(type, value, NULL) == CORM_OK) {
        put_exact(type, value, safe, out);
    } else {
        stream__put_json_value(type, value, out);
    }
}

/* ---- collections ---- */

/* An object's name is a string: other values are in one, as they would stand. */
static void put_name(const cql_type *type, cql_value key, base_buf *out) {
    base_buf text = { 0 };
    stream__put_json(type, key, false, &text);
    if (text.len > 0 && text.data[0] == '"') {
        base__buf_put_str(out, base__buf_str(&text));
    } else {
        base__put_json_string(out, base__buf_str(&text));
    }
    out->failed = out->failed || text.failed;
    base__buf_free(&text);
}

static const cql_type *item_type(const cql_type *type, uint32_t at) {
    if (type->id == CQL_TUPLE || type->id == CQL_UDT) return type->params[at];
    return type->params[type->id == CQL_MAP ? at % 2 : 0];
}

static void put_items(const cql_type *type, cql_walk *walk, bool safe, base_buf *out) {
    bool      named = type->id == CQL_MAP || type->id == CQL_UDT;
    cql_value item;
    base__buf_u8(out, named ? '{' : '[');
    for (uint32_t at = 0; cql__walk_next(walk, &item); at++) {
        const cql_type *of = item_type(type, at);
        bool            is_key = type->id == CQL_MAP && at % 2 == 0;
        if (at > 0 && (type->id != CQL_MAP || is_key)) base__buf_puts(out, ", ");
        if (type->id == CQL_UDT) base__put_json_string(out, type->field_names[at]);
        if (type->id == CQL_UDT) base__buf_puts(out, ": ");
        if (is_key) {
            put_name(of, item, out);
            base__buf_puts(out, ": ");
        } else {
            stream__put_json(of, item, safe, out);
        }
    }
    base__buf_u8(out, named ? '}' : ']');
}

void stream__put_json(const cql_type *type, cql_value value, bool safe, base_buf *out) {
    cql_walk walk;
    if (value.len < 0) {
        base__buf_puts(out, "null");
    } else if (type->count == 0) {
        put_scalar(type, value, safe, out);
    } else if (cql__validate(type, value, NULL) == CORM_OK &&
               cql__walk_begin(&walk, type, value, NULL) == CORM_OK) {
        put_items(type, &walk, safe, out);
    } else {
        stream__put_json_value(type, value, out);
    }
}

/* ---- C values ---- */

static cql_type_id type_of(corm_kind kind) {
    switch (kind) {
    case CORM_FLOAT: return CQL_FLOAT;
    case CORM_DOUBLE: return CQL_DOUBLE;
    case CORM_BLOB: return CQL_BLOB;
    case CORM_DATE: return CQL_DATE;
    case CORM_TIME: return CQL_TIME;
    case CORM_DURATION: return CQL_DURATION;
    case CORM_INET: return CQL_INET;
    case CORM_VARINT: return CQL_VARINT;
    default: return CQL_DECIMAL;
    }
}

static corm_status put_encoded(const corm_value *value, bool safe, base_buf *out, corm_error *err) {
    const cql_type *type = cql__type_native(type_of(value->kind));
    base_buf        bytes = { 0 };
    corm_status     status = cql__encode(type, value, &bytes, err);
    if (status == CORM_OK) status = base__buf_status(&bytes, err);
    if (status == CORM_OK) {
        cql_value wire = { bytes.data ? bytes.data : (const uint8_t *)"", (int32_t)bytes.len };
        stream__put_json(type, wire, safe, out);
    }
    base__buf_free(&bytes);
    return status;
}

static corm_status put_name_of(const corm_value *key, base_buf *out, corm_error *err) {
    base_buf    text = { 0 };
    corm_status status = stream__put_json_of(key, false, &text, err);
    if (status == CORM_OK && text.len > 0 && text.data[0] == '"') {
        base__buf_put_str(out, base__buf_str(&text));
    } else if (status == CORM_OK) {
        base__put_json_string(out, base__buf_str(&text));
    }
    out->failed = out->failed || text.failed;
    base__buf_free(&text);
    return status;
}

static corm_status put_items_of(const corm_value *value, bool safe, base_buf *out,
                                corm_error *err) {
    const corm_items *items = &value->as.items;
    bool              is_map = value->kind == CORM_MAP;
    bool              named = is_map || (value->kind == CORM_UDT && items->names);
    base__buf_u8(out, named ? '{' : '[');
    for (uint32_t i = 0; i < items->count; i++) {
        bool is_key = is_map && i % 2 == 0;
        if (i > 0 && (!is_map || is_key)) base__buf_puts(out, ", ");
        if (is_key) {
            CORM_TRY(put_name_of(&items->items[i], out, err));
            base__buf_puts(out, ": ");
            continue;
        }
        if (named && !is_map) base__put_json_string(out, items->names[i]);
        if (named && !is_map) base__buf_puts(out, ": ");
        CORM_TRY(stream__put_json_of(&items->items[i], safe, out, err));
    }
    base__buf_u8(out, named ? '}' : ']');
    return CORM_OK;
}

corm_status stream__put_json_of(const corm_value *value, bool safe, base_buf *out,
                                corm_error *err) {
    switch (value->kind) {
    case CORM_UNSET:
    case CORM_NULL: base__buf_puts(out, "null"); return CORM_OK;
    case CORM_BOOLEAN: base__buf_puts(out, value->as.boolean ? "true" : "false"); return CORM_OK;
    case CORM_TINYINT: put_whole(value->as.i8, safe, out); return CORM_OK;
    case CORM_SMALLINT: put_whole(value->as.i16, safe, out); return CORM_OK;
    case CORM_INT: put_whole(value->as.i32, safe, out); return CORM_OK;
    case CORM_BIGINT: put_whole(value->as.i64, safe, out); return CORM_OK;
    case CORM_TEXT: base__put_json_string(out, value->as.text); return CORM_OK;
    case CORM_UUID: put_uuid(value->as.uuid, out); return CORM_OK;
    case CORM_TIMESTAMP:
        if (cql__timestamp_is_common(value->as.timestamp.ms)) {
            put_time(value->as.timestamp.ms, out);
        } else {
            put_whole(value->as.timestamp.ms, safe, out);
        }
        return CORM_OK;
    case CORM_LIST:
    case CORM_SET:
    case CORM_MAP:
    case CORM_TUPLE:
    case CORM_UDT:
    case CORM_VECTOR: return put_items_of(value, safe, out, err);
    default: return put_encoded(value, safe, out, err);
    }
}
