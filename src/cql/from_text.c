// SPDX-License-Identifier: MIT
/* from_text.c -- values from CQL literals and from bare text. Pure, but for 'now'; any thread.
 *
 *   scalar        'quoted' (a quote doubled), $$quoted$$ or bare; bare text inside a collection
 *                 ends at , ] } ) or white space, in the key of a map also at :
 *   0x…           for any type but text and ascii the value's bytes; 0x is the empty value
 *   list, vector  [a, b]
 *   set, map      {a, b}   {k: v}
 *   tuple, UDT    (a, b)   {field: v} */
#include "base/fail.h"
#include "base/text.h"
#include "cql/codec.h"
#include "cql/sorted.h"
#include "cql/types_internal.h"

typedef struct reader {
    corm_str    text;
    size_t      at;
    int         depth;
    corm_error *err;
} reader;

static corm_status read_value(reader *r, const cql_type *type, const char *ends, base_buf *out,
                              bool *is_null);

static corm_status malformed(const reader *r, const char *wanted) {
    return base__fail(r->err, CORM_INVALID, "%s expected at character %zu of '%.*s'", wanted, r->at,
                      (int)r->text.len, r->text.data);
}

static bool is_one_of(char c, const char *set) {
    return c != '\0' && strchr(set, c);
}

static void skip_blank(reader *r) {
    while (r->at < r->text.len && is_one_of(r->text.data[r->at], " \t\r\n")) r->at++;
}

static bool accept(reader *r, char c) {
    skip_blank(r);
    if (r->at == r->text.len || r->text.data[r->at] != c) return false;
    r->at++;
    return true;
}

static corm_str rest_of(const reader *r) {
    return (corm_str){ r->text.data + r->at, r->text.len - r->at };
}

/* Text between quotes, in which a doubled quote is one; the reader stands behind the first one. */
static corm_status read_quoted(reader *r, char quote, base_buf *out) {
    while (r->at < r->text.len) {
        char c = r->text.data[r->at++];
        if (c == quote) {
            if (r->at == r->text.len || r->text.data[r->at] != quote) return CORM_OK;
            r->at++;
        }
        base__buf_u8(out, (uint8_t)c);
    }
    return malformed(r, "a closing quote");
}

static corm_status read_dollars(reader *r, base_buf *out) {
    size_t start = r->at + 2;
    for (size_t i = start; i + 1 < r->text.len; i++) {
        if (r->text.data[i] != '$' || r->text.data[i + 1] != '$') continue;
        base__buf_put(out, r->text.data + start, i - start);
        r->at = i + 2;
        return CORM_OK;
    }
    return malformed(r, "$$");
}

static corm_str read_bare(reader *r, const char *ends) {
    size_t start = r->at;
    while (r->at < r->text.len && !is_one_of(r->text.data[r->at], ends)) r->at++;
    return (corm_str){ r->text.data + start, r->at - start };
}

/* blob_as_text(0x…), as golden files have it. */
static bool read_blob_as(corm_str word, const char *function, base_buf *out) {
    corm_str prefix = corm_str_of(function);
    if (!base__str_has_prefix(word, prefix) || word.data[word.len - 1] != ')') return false;
    return base__read_hex((corm_str){ word.data + prefix.len, word.len - prefix.len - 1 }, out);
}

static bool is_text(const cql_type *type) {
    return type->id == CQL_TEXT || type->id == CQL_ASCII;
}

static corm_status check(reader *r, const cql_type *type, size_t start, base_buf *out) {
    CORM_TRY(base__buf_status(out, r->err));
    cql_value value = { out->data ? out->data + start : NULL, (int32_t)(out->len - start) };
    return cql__validate(type, value, r->err);
}

static bool read_raw(const cql_type *type, corm_str word, base_buf *out) {
    if (is_text(type)) {
        return read_blob_as(word, "blob_as_text(0x", out) ||
               read_blob_as(word, "blob_as_ascii(0x", out);
    }
    if (word.len < 2 || word.data[0] != '0' || (word.data[1] != 'x' && word.data[1] != 'X'))
        return false;
    return base__read_hex((corm_str){ word.data + 2, word.len - 2 }, out);
}

static corm_status read_word(reader *r, const cql_type *type, corm_str word, base_buf *out,
                             bool *is_null) {
    size_t start = out->len;
    *is_null = base__str_equal_nocase(word, corm_str_of("null"));
    if (*is_null) return CORM_OK;
    if (read_raw(type, word, out)) return check(r, type, start, out);
    if (!out->failed) out->len = start;
    return cql__from_string(type, word, out, r->err);
}

static corm_status read_scalar(reader *r, const cql_type *type, const char *ends, base_buf *out,
                               bool *is_null) {
    base_buf    text = { 0 };
    corm_status status = CORM_OK;
    *is_null = false;
    skip_blank(r);
    if (accept(r, '\'')) {
        status = read_quoted(r, '\'', &text);
    } else if (base__str_has_prefix(rest_of(r), corm_str_of("$$"))) {
        status = read_dollars(r, &text);
    } else {
        corm_str word = read_bare(r, ends);
        if (word.len == 0) return malformed(r, "a value");
        return read_word(r, type, word, out, is_null);
    }
    if (status == CORM_OK) status = base__buf_status(&text, r->err);
    if (status == CORM_OK) status = cql__from_string(type, base__buf_str(&text), out, r->err);
    base__buf_free(&text);
    return status;
}

/* A value with its length before it; null where `nullable`. */
static corm_status read_item(reader *r, const cql_type *type, const char *ends, bool nullable,
                             base_buf *out) {
    size_t at = out->len;
    bool   is_null;
    base__buf_i32(out, -1);
    CORM_TRY(read_value(r, type, ends, out, &is_null));
    CORM_TRY(base__buf_status(out, r->err));
    if (!is_null) {
        base__buf_set_i32(out, at, (int32_t)(out->len - at - 4));
    } else if (!nullable) {
        return malformed(r, "a value that is not null");
    }
    return CORM_OK;
}

static corm_status read_elements(reader *r, const cql_type *type, char close, base_buf *out) {
    if (accept(r, close)) return CORM_OK;
    do {
        if (type->id == CQL_MAP) {
            CORM_TRY(read_item(r, type->params[0], ",]}): \t\r\n", false, out));
            if (!accept(r, ':')) return malformed(r, "':'");
        }
        CORM_TRY(read_item(r, type->params[type->count - 1], ",]}) \t\r\n", false, out));
    } while (accept(r, ','));
    return accept(r, close) ? CORM_OK : malformed(r, "a closing bracket");
}

/* Elements are read as values with lengths, then packed as the type has them. */
static corm_status read_collection(reader *r, const cql_type *type, base_buf *out) {
    char        open = type->id == CQL_LIST || type->id == CQL_VECTOR ? '[' : '{';
    base_buf    elements = { 0 };
    corm_status status = accept(r, open) ? CORM_OK : malformed(r, open == '[' ? "'['" : "'{'");
    if (status == CORM_OK) status = read_elements(r, type, open == '[' ? ']' : '}', &elements);
    if (status == CORM_OK) status = cql__pack_values(type, base__buf_bytes(&elements), out, r->err);
    base__buf_free(&elements);
    return status;
}

static corm_status read_tuple(reader *r, const cql_type *type, base_buf *out) {
    if (!accept(r, '(')) return malformed(r, "'('");
    uint32_t i = 0;
    do {
        if (i == type->count) return malformed(r, "')'");
        CORM_TRY(read_item(r, type->params[i++], ",]}) \t\r\n", true, out));
    } while (accept(r, ','));
    return accept(r, ')') ? CORM_OK : malformed(r, "')'");
}

static corm_status read_field_name(reader *r, base_buf *name) {
    if (accept(r, '"')) return read_quoted(r, '"', name);
    skip_blank(r);
    corm_str word = read_bare(r, ": \t\r\n,}");
    for (size_t i = 0; i < word.len; i++) {
        char c = word.data[i];
        base__buf_u8(name, (uint8_t)(c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c));
    }
    return CORM_OK;
}

static corm_status find_field(reader *r, const cql_type *type, uint32_t *index) {
    base_buf    name = { 0 };
    corm_status status = read_field_name(r, &name);
    uint32_t    i = 0;
    while (i < type->count && !corm_str_equal(type->field_names[i], base__buf_str(&name))) i++;
    if (status == CORM_OK && i == type->count) status = malformed(r, "the name of a field");
    base__buf_free(&name);
    *index = i;
    return status;
}

/* Fields come in any order: each is read behind the others in `values`, then all are put in the
 * type's order. */
static corm_status read_fields(reader *r, const cql_type *type, cql_value *fields, size_t *starts,
                               base_buf *values) {
    if (!accept(r, '{')) return malformed(r, "'{'");
    if (accept(r, '}')) return CORM_OK;
    do {
        uint32_t i;
        CORM_TRY(find_field(r, type, &i));
        if (!accept(r, ':')) return malformed(r, "':'");
        bool is_null;
        starts[i] = values->len;
        CORM_TRY(read_value(r, type->params[i], ",]}) \t\r\n", values, &is_null));
        CORM_TRY(base__buf_status(values, r->err));
        fields[i].len = is_null ? -1 : (int32_t)(values->len - starts[i]);
    } while (accept(r, ','));
    return accept(r, '}') ? CORM_OK : malformed(r, "'}'");
}

static corm_status read_udt(reader *r, const cql_type *type, base_buf *out) {
    base_arena  arena = { 0 };
    base_buf    values = { 0 };
    cql_value  *fields = BASE_NEW_ARRAY(&arena, cql_value, type->count);
    size_t     *starts = BASE_NEW_ARRAY(&arena, size_t, type->count);
    corm_status status = fields && starts ? CORM_OK : base__fail_memory(r->err);
    for (uint32_t i = 0; status == CORM_OK && i < type->count; i++) fields[i] = CQL_NULL;
    if (status == CORM_OK) status = read_fields(r, type, fields, starts, &values);
    for (uint32_t i = 0; status == CORM_OK && i < type->count; i++) {
        if (fields[i].len > 0) fields[i].data = values.data + starts[i];
        cql__put_value(out, fields[i]);
    }
    base__buf_free(&values);
    base__arena_free(&arena);
    return status;
}

static corm_status read_composite(reader *r, const cql_type *type, base_buf *out) {
    if (type->id == CQL_TUPLE) return read_tuple(r, type, out);
    if (type->id == CQL_UDT) return read_udt(r, type, out);
    return read_collection(r, type, out);
}

static corm_status read_value(reader *r, const cql_type *type, const char *ends, base_buf *out,
                              bool *is_null) {
    skip_blank(r);
    bool open = r->at < r->text.len && is_one_of(r->text.data[r->at], "[{(");
    if (type->count == 0 || !open) return read_scalar(r, type, ends, out, is_null);
    if (r->depth == CQL_DEPTH_LIMIT) return malformed(r, "less depth");
    *is_null = false;
    r->depth++;
    CORM_TRY(read_composite(r, type, out));
    r->depth--;
    return base__buf_status(out, r->err);
}

/* Bare text is taken as it is, with its spaces, and may be empty. */
static bool is_bare_text(const cql_type *type, corm_str text) {
    if (!is_text(type)) return false;
    corm_str trimmed = base__str_trim(text);
    if (trimmed.len == 0) return true;
    if (base__str_has_prefix(trimmed, corm_str_of("blob_as_"))) return false;
    return trimmed.data[0] != '\'' && !base__str_has_prefix(trimmed, corm_str_of("$$"));
}

corm_status cql__from_text(const cql_type *type, corm_str text, base_buf *out, bool *is_null,
                           corm_error *err) {
    if (!text.data) text = corm_str_of("");
    reader r = { .text = text, .err = err };
    *is_null = corm_str_equal(text, corm_str_of("null"));
    if (*is_null) return CORM_OK;
    if (is_bare_text(type, text)) return cql__from_string(type, text, out, err);
    corm_str trimmed = base__str_trim(text);
    bool     quoted = trimmed.len > 0 && is_one_of(trimmed.data[0], "'$");
    if (trimmed.len == 0) return malformed(&r, "a value");
    if (type->count == 0 && !quoted) return read_word(&r, type, trimmed, out, is_null);
    CORM_TRY(read_value(&r, type, "", out, is_null));
    skip_blank(&r);
    return r.at == text.len ? CORM_OK : malformed(&r, "the end");
}
