// SPDX-License-Identifier: MIT
/* values_for_tests.h -- what the tests of types and codecs share: types and bytes from text. */
#ifndef CQL_VALUES_FOR_TESTS_H
#define CQL_VALUES_FOR_TESTS_H

#include "base/text.h"
#include "cql/codec.h"
#include "testing/check.h"

/* The one user-defined type that type_of() knows: point, with the fields x int, "Y" text. */
static inline const cql_type *find_point(void *context, corm_str keyspace, corm_str name) {
    static const corm_str fields[] = { { "x", 1 }, { "Y", 1 } };
    const cql_type       *types[2] = { cql__type_native(CQL_INT), cql__type_native(CQL_TEXT) };
    (void)keyspace;
    if (!corm_str_equal(name, corm_str_of("point"))) return NULL;
    return cql__type_udt(context, corm_str_of("ks"), corm_str_of("point"), fields, types, 2, false);
}

/* From the CQL form. */
static inline const cql_type *type_of(base_arena *arena, const char *text) {
    const cql_type *type = NULL;
    corm_error      err = { 0 };
    cql_type_lookup lookup = { find_point, arena };
    assert_ok(cql__type_parse(arena, corm_str_of(text), &lookup, &type, &err), err);
    return type;
}

/* Bytes from hexadecimal digits, in the arena. */
static inline cql_value bytes_of(base_arena *arena, const char *hex) {
    base_buf buf = { 0 };
    assert_true(base__read_hex(corm_str_of(hex), &buf));
    cql_value value = { base__arena_copy(arena, buf.data ? buf.data : (const uint8_t *)"", buf.len),
                        (int32_t)buf.len };
    base__buf_free(&buf);
    return value;
}

/* A value from its literal, in the arena. */
static inline cql_value value_of_str(base_arena *arena, const cql_type *type, corm_str literal) {
    base_buf   buf = { 0 };
    bool       is_null = false;
    corm_error err = { 0 };
    assert_ok(cql__from_text(type, literal, &buf, &is_null, &err), err);
    if (is_null) return CQL_NULL;
    cql_value value = { base__arena_copy(arena, buf.data ? buf.data : (const uint8_t *)"", buf.len),
                        (int32_t)buf.len };
    base__buf_free(&buf);
    return value;
}

static inline cql_value value_of(base_arena *arena, const cql_type *type, const char *literal) {
    return value_of_str(arena, type, corm_str_of(literal));
}

static inline void assert_bytes(cql_value value, const char *hex) {
    base_buf buf = { 0 };
    if (value.len > 0) base__put_hex(&buf, (corm_bytes){ value.data, (size_t)value.len });
    assert_string_equal(base__buf_cstr(&buf), hex);
    base__buf_free(&buf);
}

#endif
