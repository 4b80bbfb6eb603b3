// SPDX-License-Identifier: MIT
/* json_value.c -- see json_value.h. */
#include "stream/json_value.h"

#include "base/text.h"

static bool is_text(const cql_type *type) {
    return type->id == CQL_TEXT || type->id == CQL_ASCII;
}

/* Types whose every value that is not empty has a JSON form of its own. */
static bool is_exact(const cql_type *type) {
    switch (type->id) {
    case CQL_DECIMAL:
    case CQL_FLOAT:
    case CQL_DOUBLE:
    case CQL_TIMESTAMP:
    case CQL_DATE:
    case CQL_TIME:
    case CQL_DURATION:
    case CQL_VARINT:
    case CQL_CUSTOM: return false;
    default: return type->count == 0;
    }
}

static bool reads_back(const cql_type *type, cql_value value, corm_str json) {
    base_buf bytes = { 0 };
    bool     is_null = false;
    bool     same = stream__read_json_value(type, json, &bytes, &is_null, NULL) == CORM_OK &&
                !is_null && bytes.len == (size_t)value.len &&
                (bytes.len == 0 || memcmp(bytes.data, value.data, bytes.len) == 0);
    base__buf_free(&bytes);
    return same;
}

void stream__put_json_value(const cql_type *type, cql_value value, base_buf *out) {
    size_t start = out->len;
    cql__to_json(type, value, out);
    if (value.len < 0 || is_text(type) || (value.len > 0 && is_exact(type)) || out->failed) return;
    if (reads_back(type, value, (corm_str){ (char *)out->data + start, out->len - start })) return;
    base_buf literal = { 0 };
    out->len = start;
    cql__to_text(type, value, CQL_STYLE_LITERAL, &literal);
    base__put_json_string(out, base__buf_str(&literal));
    out->failed |= literal.failed;
    base__buf_free(&literal);
}

/* INSERT JSON reads the number of a decimal by way of a double. */
static bool is_decimal_number(const cql_type *type, corm_str json) {
    return type->id == CQL_DECIMAL && json.len &&
           (json.data[0] == '-' || (json.data[0] >= '0' && json.data[0] <= '9'));
}

/* The literal in a JSON string; false when there is none, and then nothing is appended. */
static bool read_literal(const cql_type *type, corm_str json, base_buf *out, bool *is_null) {
    base_buf text = { 0 };
    size_t   start = out->len;
    bool     read = json.len && json.data[0] == '"' && !is_text(type) &&
                cql__from_json(cql__type_native(CQL_TEXT), json, &text, is_null, NULL) == CORM_OK &&
                text.len &&
                cql__from_text(type, base__buf_str(&text), out, is_null, NULL) == CORM_OK;
    if (!read) out->len = start;
    base__buf_free(&text);
    return read;
}

corm_status stream__read_json_value(const cql_type *type, corm_str json, base_buf *out,
                                    bool *is_null, corm_error *err) {
    size_t start = out->len;
    if (is_decimal_number(type, json) && cql__from_text(type, json, out, is_null, NULL) == CORM_OK)
        return CORM_OK;
    out->len = start;
    /* INSERT JSON also takes a string with the JSON of a collection: the literal comes first. */
    if (type->count && read_literal(type, json, out, is_null)) return CORM_OK;
    corm_status status = cql__from_json(type, json, out, is_null, err);
    if (status == CORM_OK) return CORM_OK;
    out->len = start;
    return read_literal(type, json, out, is_null) ? CORM_OK : status;
}
