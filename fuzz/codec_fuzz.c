// SPDX-License-Identifier: MIT
/* codec_fuzz.c -- any bytes as a value of any type: what is valid must survive every codec.
 *
 *   input   [type as text, "map<int, text>"] [newline] [bytes of the value]
 *
 * A text that is no type is read once more as a class name, and the bytes as a type's [option]
 * form, as text, as JSON and as a partition key: none of these may read out of bounds or end the
 * program. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cql/codec.h"
#include "cql/json.h"
#include "cql/order.h"
#include "cql/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) abort();                                                                 \
    } while (0)

static const cql_type *find_point(void *context, corm_str keyspace, corm_str name) {
    static const corm_str fields[] = { { "x", 1 }, { "Y", 1 } };
    const cql_type       *types[2] = { cql__type_native(CQL_INT), cql__type_native(CQL_TEXT) };
    (void)keyspace;
    if (!corm_str_equal(name, corm_str_of("point"))) return NULL;
    return cql__type_udt(context, corm_str_of("ks"), corm_str_of("point"), fields, types, 2, false);
}

/* The lookup knows one user-defined type; the input may name others. */
static bool has_udt(const cql_type *type) {
    if (type->id == CQL_UDT) return true;
    for (uint32_t i = 0; i < type->count; i++) {
        if (has_udt(type->params[i])) return true;
    }
    return false;
}

/* Whether an empty item inside is invalid. */
static bool has_empty(const cql_type *type) {
    static const cql_type_id ids[] = { CQL_TINYINT, CQL_SMALLINT, CQL_DURATION };
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        if (type->id == ids[i]) return true;
    }
    for (uint32_t i = 0; i < type->count; i++) {
        if (has_empty(type->params[i])) return true;
    }
    return false;
}

/* The server makes the empty value of empty text for any type, and refuses it later where it is
 * none. */
static bool is_valid_or_empty(const cql_type *type, const base_buf *wire) {
    return wire->len == 0 || has_empty(type) ||
           cql__validate(type, cql__value_of(base__buf_bytes(wire)), NULL) == CORM_OK;
}

/* Printed and read again, a type is the same. */
static void check_type(base_arena *arena, const cql_type *type) {
    base_buf        text = { 0 };
    const cql_type *again = NULL;
    cql_type_lookup lookup = { find_point, arena };
    cql__type_print(type, &text);
    if (!has_udt(type) &&
        cql__type_parse(arena, base__buf_str(&text), &lookup, &again, NULL) == CORM_OK)
        MUST(cql__type_equal(type, again));
    base__buf_clear(&text);
    cql__type_write_option(type, 5, &text);
    base_reader reader = { .data = text.data, .len = text.len };
    MUST(cql__type_read_option(arena, &reader, &again, NULL) == CORM_OK && reader.len == 0);
    MUST(cql__type_same_values(type, again));
    MUST(cql__type_equal(type, cql__type_copy(arena, type)));
    base__buf_free(&text);
}

static void check_order(const cql_type *type, cql_value a, cql_value b) {
    base_buf x = { 0 };
    base_buf y = { 0 };
    cql__order_put(type, a, false, &x);
    cql__order_put(type, b, false, &y);
    size_t both = x.len < y.len ? x.len : y.len;
    int    order = memcmp(x.data, y.data, both);
    if (order == 0) order = (x.len > y.len) - (x.len < y.len);
    int expected = cql__compare(type, a, b);
    MUST((order < 0) == (expected < 0) && (order > 0) == (expected > 0));
    base__buf_free(&x);
    base__buf_free(&y);
}

/* The literal of a value reads back as a value whose literal is the same. */
static void check_text(const cql_type *type, cql_value value) {
    base_buf first = { 0 };
    base_buf wire = { 0 };
    base_buf second = { 0 };
    bool     is_null;
    cql__to_text(type, value, CQL_STYLE_LITERAL, &first);
    if (cql__from_text(type, base__buf_str(&first), &wire, &is_null, NULL) == CORM_OK && !is_null) {
        cql_value back = cql__value_of(base__buf_bytes(&wire));
        MUST(cql__validate(type, back, NULL) == CORM_OK);
        cql__to_text(type, back, CQL_STYLE_LITERAL, &second);
    }
    base__buf_clear(&first);
    cql__to_text(type, value, CQL_STYLE_SHELL, &first);
    cql__to_text(type, value, CQL_STYLE_CAST, &first);
    cql__to_text(type, value, CQL_STYLE_GOLDEN, &first);
    base__buf_free(&first);
    base__buf_free(&wire);
    base__buf_free(&second);
}

static void check_json(const cql_type *type, cql_value value) {
    base_buf text = { 0 };
    base_buf wire = { 0 };
    bool     is_null;
    size_t   at;
    cql__to_json(type, value, &text);
    MUST(cql__json_check(base__buf_str(&text), &at));
    if (cql__from_json(type, base__buf_str(&text), &wire, &is_null, NULL) == CORM_OK && !is_null) {
        MUST(is_valid_or_empty(type, &wire));
    }
    base__buf_free(&text);
    base__buf_free(&wire);
}

static bool is_scalar(const cql_type *type) {
    return type->count == 0;
}

static void check_values(base_arena *arena, const cql_type *type, cql_value value) {
    corm_value decoded;
    base_buf   wire = { 0 };
    if (cql__decode(type, value, arena, &decoded, NULL) == CORM_OK && decoded.kind != CORM_NULL &&
        cql__encode(type, &decoded, &wire, NULL) == CORM_OK) {
        cql_value back = cql__value_of(base__buf_bytes(&wire));
        MUST(cql__validate(type, back, NULL) == CORM_OK);
        if (is_scalar(type) && type->id != CQL_DURATION) MUST(cql__compare(type, value, back) == 0);
    }
    base__buf_free(&wire);
}

/* Bytes as text in whatever form: only that nothing breaks. */
static void read_anything(base_arena *arena, const cql_type *type, corm_bytes bytes) {
    corm_str        text = { (const char *)bytes.data, bytes.len };
    base_buf        out = { 0 };
    cql_value       parts[3];
    const cql_type *other;
    bool            is_null;
    corm_error      err;
    base_reader     reader = { .data = bytes.data, .len = bytes.len };
    (void)cql__partition_key_split(bytes, 3, parts);
    if (cql__type_read_option(arena, &reader, &other, &err) == CORM_OK) check_type(arena, other);
    if (cql__type_parse_marshal(arena, text, &other, &err) == CORM_OK) check_type(arena, other);
    if (cql__from_text(type, text, &out, &is_null, &err) == CORM_OK && !is_null) {
        MUST(is_valid_or_empty(type, &out));
    }
    base__buf_clear(&out);
    if (cql__from_json(type, text, &out, &is_null, &err) == CORM_OK && !is_null) {
        MUST(is_valid_or_empty(type, &out));
    }
    base__buf_free(&out);
}

static void check(base_arena *arena, const cql_type *type, corm_bytes bytes) {
    corm_error err;
    cql_value  value = cql__value_of(bytes);
    cql_value  half = { bytes.data, (int32_t)(bytes.len / 2) };
    check_type(arena, type);
    read_anything(arena, type, bytes);
    if (cql__validate(type, value, &err) != CORM_OK) {
        base_buf   text = { 0 };
        corm_value decoded;
        cql__to_text(type, value, CQL_STYLE_SHELL, &text);
        cql__to_json(type, value, &text);
        cql__order_put(type, value, true, &text);
        MUST(cql__compare(type, value, value) == 0);
        MUST(cql__decode(type, value, arena, &decoded, &err) != CORM_NO_MEMORY);
        base__buf_free(&text);
        return;
    }
    if (cql__validate(type, half, NULL) == CORM_OK) check_order(type, value, half);
    check_order(type, value, value);
    check_text(type, value);
    check_json(type, value);
    check_values(arena, type, value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const uint8_t *end = size > 0 ? memchr(data, '\n', size) : NULL;
    if (!end || size > 1 << 16) return 0;
    base_arena      arena = { 0 };
    corm_str        text = { (const char *)data, (size_t)(end - data) };
    corm_bytes      bytes = { end + 1, size - text.len - 1 };
    cql_type_lookup lookup = { find_point, &arena };
    const cql_type *type = NULL;
    corm_error      err;
    if (cql__type_parse(&arena, text, &lookup, &type, &err) == CORM_OK ||
        cql__type_parse_marshal(&arena, text, &type, &err) == CORM_OK) {
        check(&arena, type, bytes);
    }
    base__arena_free(&arena);
    return 0;
}
