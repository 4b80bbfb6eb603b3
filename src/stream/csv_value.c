// SPDX-License-Identifier: MIT
/* csv_value.c -- see csv_value.h. */
#include "stream/csv_value.h"

#include "base/fail.h"

static bool is_text(const cql_type *type) {
    return type->id == CQL_TEXT || type->id == CQL_ASCII;
}

/* In a field of its own a date needs no quotes of CQL. */
static corm_str without_quotes(corm_str literal) {
    if (literal.len < 2 || literal.data[0] != '\'') return literal;
    return (corm_str){ literal.data + 1, literal.len - 2 };
}

static void put_literal(const cql_type *type, cql_value value, char delimiter,
                        const char *null_text, base_buf *out) {
    base_buf literal = { 0 };
    cql__to_text(type, value, CQL_STYLE_LITERAL, &literal);
    corm_str text = base__buf_str(&literal);
    if (type->count == 0) text = without_quotes(text);
    stream__csv_put(out, text, delimiter,
                    *null_text && corm_str_equal(text, corm_str_of(null_text)));
    out->failed |= literal.failed;
    base__buf_free(&literal);
}

void stream__csv_put_value(const cql_type *type, cql_value value, char delimiter,
                           const char *null_text, base_buf *out) {
    if (!null_text) null_text = "";
    if (cql__is_null(value)) {
        base__buf_puts(out, null_text);
    } else if (is_text(type)) {
        corm_str text = { (const char *)value.data, (size_t)value.len };
        bool     like_null = corm_str_equal(text, corm_str_of(null_text));
        stream__csv_put(out, text, delimiter, text.len == 0 || like_null);
    } else {
        put_literal(type, value, delimiter, null_text, out);
    }
}

static corm_status convert(const cql_type *type, corm_str text, base_arena *arena, cql_value *out,
                           corm_error *err) {
    base_buf    bytes = { 0 };
    bool        is_null = false;
    corm_status status = cql__from_text(type, text, &bytes, &is_null, err);
    if (status == CORM_OK) status = base__buf_status(&bytes, err);
    *out = CQL_NULL;
    if (status == CORM_OK && !is_null) {
        void *copy = base__arena_copy(arena, bytes.data, bytes.len);
        *out = (cql_value){ copy, (int32_t)bytes.len };
        if (!copy) status = base__fail_memory(err);
    }
    if (status == CORM_OK) status = cql__validate(type, *out, err);
    base__buf_free(&bytes);
    return status;
}

corm_status stream__csv_read_value(const cql_type *type, const stream_field *field,
                                   const char *null_text, base_arena *arena, cql_value *out,
                                   corm_error *err) {
    *out = CQL_NULL;
    if (!field->quoted && null_text && corm_str_equal(field->text, corm_str_of(null_text))) {
        return CORM_OK;
    }
    *out = CQL_UNSET;
    if (!field->quoted && field->text.len == 0) return CORM_OK;
    if (!is_text(type)) return convert(type, field->text, arena, out, err);
    *out = (cql_value){ (const uint8_t *)field->text.data, (int32_t)field->text.len };
    return cql__validate(type, *out, err);
}
