// SPDX-License-Identifier: MIT
/* properties.c -- WITH name = value AND …: finding properties, and maps. Pure; any thread.
 *
 * A map keeps its pairs in the order in which the server walks it, since its messages show keys in
 * that order. */
#include <stdlib.h>

#include "base/fail.h"
#include "base/text.h"
#include "cql/java.h"
#include "cql/options.h"
#include "cql/schema_build.h"

static bool is_constant(const cql_expr *expr) {
    switch (expr->kind) {
    case CQL_EXPR_STRING:
    case CQL_EXPR_INTEGER:
    case CQL_EXPR_FLOAT:
    case CQL_EXPR_BOOLEAN:
    case CQL_EXPR_UUID:
    case CQL_EXPR_HEX:
    case CQL_EXPR_DURATION: return true;
    default: return false;
    }
}

static bool is_map(const cql_expr *expr) {
    return expr->kind == CQL_EXPR_MAP || (expr->kind == CQL_EXPR_SET && expr->count == 0);
}

static bool is_among(const char *const *names, size_t count, corm_str name) {
    for (size_t i = 0; i < count; i++) {
        if (corm_str_equal(name, corm_str_of(names[i]))) return true;
    }
    return false;
}

corm_status cql__properties_known(const cql_option_context *c, const cql_property *properties,
                                  uint32_t count, const char *const *known, size_t known_count) {
    corm_str *names = BASE_NEW_ARRAY(c->arena, corm_str, count);
    uint32_t *order = BASE_NEW_ARRAY(c->arena, uint32_t, count);
    if (!names || !order) return base__fail_memory(c->err);
    for (uint32_t i = 0; i < count; i++) names[i] = properties[i].name.text;
    cql__java_order(CQL_JAVA_STRING, names, count, 1, CQL_JAVA_CAPACITY, order);
    for (uint32_t i = 0; i < count; i++) {
        corm_str name = names[order[i]];
        if (is_among(known, known_count, name)) continue;
        return base__fail(c->err, CORM_SYNTAX_ERROR, "Unknown property '%.*s'", CQL_S(name));
    }
    return CORM_OK;
}

/* ---- values ---- */

const cql_property *cql__property_find(const cql_property *properties, uint32_t count,
                                       const char *name) {
    for (uint32_t i = 0; i < count; i++) {
        if (corm_str_equal(properties[i].name.text, corm_str_of(name))) return &properties[i];
    }
    return NULL;
}

corm_status cql__property_text(const cql_property *property, corm_str *out, corm_error *err) {
    *out = property->value->text;
    if (is_constant(property->value)) return CORM_OK;
    return base__fail(err, CORM_SYNTAX_ERROR,
                      "Invalid value for property '%.*s'. It should be a string",
                      CQL_S(property->name.text));
}

static bool is_any_of(corm_str text, const char *a, const char *b, const char *c) {
    return base__str_equal_nocase(text, corm_str_of(a)) ||
           base__str_equal_nocase(text, corm_str_of(b)) ||
           base__str_equal_nocase(text, corm_str_of(c));
}

corm_status cql__property_bool(const cql_property *property, bool *out, corm_error *err) {
    corm_str text;
    CORM_TRY(cql__property_text(property, &text, err));
    *out = is_any_of(text, "1", "true", "yes");
    if (*out || is_any_of(text, "0", "false", "no")) return CORM_OK;
    return base__fail(err, CORM_SYNTAX_ERROR,
                      "Invalid boolean value %.*s for '%.*s'. Positive values can be '1', 'true' "
                      "or 'yes'. Negative values can be '0', 'false' or 'no'.",
                      CQL_S(text), CQL_S(property->name.text));
}

corm_status cql__map_order(const cql_option_context *c, cql_map_option *map, uint32_t capacity) {
    uint32_t *order = BASE_NEW_ARRAY(c->arena, uint32_t, map->count);
    corm_str *pairs = BASE_NEW_ARRAY(c->arena, corm_str, 2 * (size_t)map->count);
    if (!order || !pairs) return base__fail_memory(c->err);
    cql__java_order(CQL_JAVA_STRING, map->pairs, map->count, 2, capacity, order);
    for (uint32_t i = 0; i < map->count; i++) {
        pairs[2 * i] = map->pairs[2 * order[i]];
        pairs[2 * i + 1] = map->pairs[2 * order[i] + 1];
    }
    map->pairs = pairs;
    return CORM_OK;
}

corm_status cql__property_map(const cql_option_context *c, const cql_property *property,
                              cql_map_option *out) {
    const cql_expr *value = property->value;
    if (!is_map(value)) {
        return base__fail(c->err, CORM_SYNTAX_ERROR,
                          "Invalid value for property '%.*s'. It should be a map.",
                          CQL_S(property->name.text));
    }
    *out = (cql_map_option){ value->count / 2, BASE_NEW_ARRAY(c->arena, corm_str, value->count) };
    if (!out->pairs) return base__fail_memory(c->err);
    for (uint32_t i = 0; i < value->count; i++) out->pairs[i] = value->args[i]->text;
    return cql__map_order(c, out, cql__java_capacity(out->count));
}

corm_str cql__map_remove(cql_map_option *map, const char *name) {
    corm_str value = cql__map_option_get(map, name);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < map->count; i++) {
        if (corm_str_equal(map->pairs[2 * i], corm_str_of(name))) continue;
        map->pairs[2 * kept] = map->pairs[2 * i];
        map->pairs[2 * kept + 1] = map->pairs[2 * i + 1];
        kept++;
    }
    map->count = kept;
    return value;
}

corm_status cql__map_take(const cql_option_context *c, const cql_map_option *from, const char *name,
                          corm_str *value, cql_map_option *rest) {
    *rest = *from;
    CORM_TRY(cql__map_order(c, rest, cql__java_copy_capacity(from->count)));
    *value = cql__map_remove(rest, name);
    return CORM_OK;
}

corm_status cql__map_add(const cql_option_context *c, cql_map_option *map, corm_str name,
                         corm_str value) {
    corm_str *pairs = BASE_NEW_ARRAY(c->arena, corm_str, 2 * (size_t)map->count + 2);
    if (!pairs) return base__fail_memory(c->err);
    for (uint32_t i = 0; i < 2 * map->count; i++) pairs[i] = map->pairs[i];
    pairs[2 * map->count] = name;
    pairs[2 * map->count + 1] = value;
    map->pairs = pairs;
    map->count++;
    return CORM_OK;
}

static int compare_pairs(const void *left, const void *right) {
    return base__str_compare(*(const corm_str *)left, *(const corm_str *)right);
}

void cql__map_sort(cql_map_option *map) {
    if (map->count > 1) qsort(map->pairs, map->count, 2 * sizeof *map->pairs, compare_pairs);
}

/* ---- printing ---- */

void cql__put_quoted(base_buf *out, corm_str text) {
    base__buf_u8(out, '\'');
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '\'') base__buf_u8(out, '\'');
        base__buf_u8(out, (uint8_t)text.data[i]);
    }
    base__buf_u8(out, '\'');
}

void cql__put_pairs(base_buf *out, const cql_map_option *map) {
    base__buf_u8(out, '{');
    for (uint32_t i = 0; i < map->count; i++) {
        if (i > 0) base__buf_puts(out, ", ");
        cql__put_quoted(out, map->pairs[2 * i]);
        base__buf_puts(out, ": ");
        cql__put_quoted(out, map->pairs[2 * i + 1]);
    }
    base__buf_u8(out, '}');
}

void cql__put_keys(base_buf *out, const cql_map_option *map) {
    base__buf_u8(out, '[');
    for (uint32_t i = 0; i < map->count; i++) {
        if (i > 0) base__buf_puts(out, ", ");
        base__buf_put_str(out, map->pairs[2 * i]);
    }
    base__buf_u8(out, ']');
}

/* ---- words ---- */

corm_str cql__upper(base_arena *arena, corm_str text) {
    corm_str out = base__arena_str(arena, text);
    char    *write = (char *)out.data;
    for (size_t i = 0; write && i < out.len; i++) {
        if (write[i] >= 'a' && write[i] <= 'z') write[i] = (char)(write[i] - 'a' + 'A');
    }
    return out;
}

bool cql__is_truth_word(corm_str text) {
    return base__str_equal_nocase(text, corm_str_of("true")) ||
           base__str_equal_nocase(text, corm_str_of("false"));
}

corm_str cql__class_name(base_arena *arena, const char *package, corm_str name) {
    if (name.len > 0 && memchr(name.data, '.', name.len)) return name;
    return base__arena_printf(arena, "%s.%.*s", package, CQL_S(name));
}
