// SPDX-License-Identifier: MIT
/* from_json.c -- values from JSON, as INSERT JSON and fromJson() take them, with the server's
 * messages. Pure, but for the timestamp "now"; any thread.
 *
 * Numbers may also be strings; a collection may be a string that holds its JSON, as keys of maps
 * must be. */
#include "base/fail.h"
#include "base/text.h"
#include "cql/codec.h"
#include "cql/json.h"
#include "cql/numbers.h"
#include "cql/sorted.h"

#include <stdio.h>
#include <stdlib.h>

static corm_status read_value(const cql_type *type, corm_str json, base_buf *out, corm_error *err);

/* Fails with a message that has up to three places for text: `first`, the value's Java class and
 * its Java form. */
static corm_status refuse(corm_error *err, const char *before, corm_str value, const char *after) {
    base_buf text = { 0 };
    cql__json_put_java(value, &text);
    const char *java = base__buf_cstr(&text);
    corm_status status = base__fail(err, CORM_INVALID, "%s%s%s", before, java ? java : "", after);
    base__buf_free(&text);
    return status;
}

/* "Expected an int value, but got a Double: 1.0" */
static corm_status unexpected(corm_error *err, const char *wanted, corm_str value) {
    char before[160];
    snprintf(before, sizeof before, "Expected %s, but got a %s: ", wanted,
             cql__json_class(cql__json_kind(value), false));
    return refuse(err, before, value, "");
}

static corm_status from_java_string(const cql_type *type, corm_str json, base_buf *out,
                                    corm_error *err) {
    base_buf text = { 0 };
    cql__json_put_java(json, &text);
    corm_status status = base__buf_status(&text, err);
    if (status == CORM_OK) status = cql__from_string(type, base__buf_str(&text), out, err);
    base__buf_free(&text);
    return status;
}

/* A JSON number as the double that it is for the server. */
static double number_of(corm_str json) {
    double v = 0;
    base__parse_f64(json, &v);
    return v == 0 && cql__json_kind(json) != CQL_JSON_DOUBLE ? 0 : v; /* -0 is the integer 0 */
}

static void put_double(double v, base_buf *out) {
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    base__buf_u64(out, bits);
}

static void put_float(corm_str json, base_buf *out) {
    float    v = 0;
    uint32_t bits;
    if (cql__json_kind(json) == CQL_JSON_DOUBLE)
        v = (float)number_of(json);
    else
        base__parse_f32(json, &v);
    memcpy(&bits, &v, sizeof bits);
    base__buf_u32(out, bits);
}

/* What each scalar type takes beside strings, and what it says of other things. */
typedef struct scalar_rule {
    cql_type_id id;
    uint32_t    kinds; /* bits of cql_json_kind */
    const char *wanted;
} scalar_rule;

#define KIND(name) (1u << CQL_JSON_##name)
#define WHOLE (KIND(INTEGER) | KIND(LONG) | KIND(BIG))
#define NUMBER (WHOLE | KIND(DOUBLE))

static const scalar_rule scalar_rules[] = {
    { CQL_TEXT, 0, "a UTF-8 string" },
    { CQL_ASCII, 0, "an ascii string" },
    { CQL_INT, KIND(INTEGER), "an int value" },
    { CQL_BIGINT, KIND(INTEGER) | KIND(LONG), "a bigint value" },
    { CQL_SMALLINT, NUMBER, "a short value" },
    { CQL_TINYINT, NUMBER, "a byte value" },
    { CQL_DOUBLE, NUMBER, "a double value" },
    { CQL_FLOAT, NUMBER, "a float value" },
    { CQL_BOOLEAN, KIND(BOOLEAN), "a boolean value" },
    { CQL_TIMESTAMP, KIND(LONG), "a long or a datestring representation of a timestamp value" },
    { CQL_DATE, 0, "a string representation of a date value" },
    { CQL_TIME, 0, "a string representation of a time value" },
    { CQL_DURATION, 0, "a string representation of a duration" },
    { CQL_INET, 0, "a string representation of an inet value" },
    { CQL_UUID, 0, "a string representation of a uuid" },
    { CQL_TIMEUUID, 0, "a string representation of a timeuuid" },
    { CQL_EMPTY, 0, "an empty string" },
};

static const scalar_rule *rule_of(cql_type_id id) {
    for (size_t i = 0; i < sizeof scalar_rules / sizeof *scalar_rules; i++) {
        if (scalar_rules[i].id == id) return &scalar_rules[i];
    }
    return NULL;
}

static corm_status read_scalar(const cql_type *type, corm_str json, base_buf *out,
                               corm_error *err) {
    cql_json_kind      kind = cql__json_kind(json);
    const scalar_rule *rule = rule_of(type->id);
    if (!rule) return base__fail(err, CORM_INVALID, "values of this type cannot be given as JSON");
    if (kind != CQL_JSON_STRING && (rule->kinds & 1u << kind) == 0)
        return unexpected(err, rule->wanted, json);
    if (kind != CQL_JSON_STRING && type->id == CQL_DOUBLE) {
        put_double(number_of(json), out);
        return CORM_OK;
    }
    if (kind != CQL_JSON_STRING && type->id == CQL_FLOAT) {
        put_float(json, out);
        return CORM_OK;
    }
    return from_java_string(type, json, out, err);
}

/* Numbers of any size, from the Java form of whatever was given. */
static corm_status read_big(const cql_type *type, corm_str json, base_buf *out, corm_error *err) {
    bool   decimal = type->id == CQL_DECIMAL;
    size_t start = out->len;
    bool   is_empty = json.len == 2 && json.data[0] == '"';
    if (!(is_empty && !decimal) && from_java_string(type, json, out, NULL) == CORM_OK)
        return CORM_OK;
    if (out->failed) return base__buf_status(out, err);
    out->len = start;
    return refuse(err, "Value '", json,
                  decimal ? "' is not a valid representation of a decimal value"
                          : "' is not a valid representation of a varint value");
}

/* "Value 'x' is not a valid blob representation: " and why */
static corm_status bad_blob(corm_str json, corm_error *err) {
    const char *class = cql__json_class(cql__json_kind(json), true);
    const char *start = "' is not a valid blob representation: ";
    base_buf    after = { 0 };
    base_buf    text = { 0 };
    cql__json_put_java(json, &text);
    corm_str java = base__buf_str(&text);
    if (cql__json_kind(json) != CQL_JSON_STRING) {
        base__buf_printf(
            &after,
            "%sclass %s cannot be cast to class java.lang.String (%s and java.lang.String are in "
            "module java.base of loader 'bootstrap')",
            start, class, class);
    } else if (!base__str_has_prefix(java, corm_str_of("0x"))) {
        base__buf_printf(&after, "%sString representation of blob is missing 0x prefix: %.*s",
                         start, (int)java.len, java.data ? java.data : "");
    } else {
        base__buf_printf(&after, "%scannot parse '%.*s' as hex bytes", start, (int)java.len - 2,
                         java.data + 2);
    }
    const char *words = base__buf_cstr(&after);
    corm_status status = refuse(err, "Value '", json, words ? words : start);
    base__buf_free(&after);
    base__buf_free(&text);
    return status;
}

static corm_status read_blob(corm_str json, base_buf *out, corm_error *err) {
    base_buf text = { 0 };
    bool     ok = false;
    if (cql__json_kind(json) == CQL_JSON_STRING) {
        cql__json_unescape(json, &text);
        corm_str word = base__buf_str(&text);
        ok = base__str_has_prefix(word, corm_str_of("0x")) &&
             base__read_hex((corm_str){ word.data + 2, word.len - 2 }, out);
    }
    base__buf_free(&text);
    return ok ? base__buf_status(out, err) : bad_blob(json, err);
}

/* A value with its length before it. */
static corm_status read_item(const cql_type *type, corm_str json, base_buf *out, corm_error *err) {
    size_t at = out->len;
    base__buf_i32(out, -1);
    if (cql__json_kind(json) == CQL_JSON_NULL) return CORM_OK;
    CORM_TRY(read_value(type, json, out, err));
    CORM_TRY(base__buf_status(out, err));
    base__buf_set_i32(out, at, (int32_t)(out->len - at - 4));
    return CORM_OK;
}

static corm_status null_item(const char *where, corm_error *err) {
    return base__fail(err, CORM_INVALID, "Invalid null %s", where);
}

static corm_status read_elements(const cql_type *type, corm_str json, base_buf *values,
                                 corm_error *err) {
    corm_str item;
    size_t   at = 0;
    while (cql__json_next(json, &at, &item)) {
        if (cql__json_kind(item) == CQL_JSON_NULL) {
            return null_item(type->id == CQL_SET ? "element in set" : "element in list", err);
        }
        CORM_TRY(read_item(type->params[0], item, values, err));
    }
    return CORM_OK;
}

static corm_status read_entries(const cql_type *type, corm_str json, base_buf *values,
                                corm_error *err) {
    corm_str key, value;
    size_t   at = 0;
    while (cql__json_next_member(json, &at, &key, &value)) {
        if (cql__json_kind(value) == CQL_JSON_NULL) return null_item("value in map", err);
        CORM_TRY(read_item(type->params[0], key, values, err));
        CORM_TRY(read_item(type->params[1], value, values, err));
    }
    return CORM_OK;
}

static uint32_t count_items(corm_str array) {
    corm_str item;
    size_t   at = 0;
    uint32_t count = 0;
    while (cql__json_next(array, &at, &item)) count++;
    return count;
}

static corm_status check_dimension(const cql_type *type, corm_str json, corm_error *err) {
    uint32_t count = count_items(json);
    if (count == type->dimension) return CORM_OK;
    char before[96];
    snprintf(before, sizeof before, "List had incorrect size: expected %u but given %u; ",
             type->dimension, count);
    return refuse(err, before, json, "");
}

static corm_status read_collection(const cql_type *type, corm_str json, base_buf *out,
                                   corm_error *err) {
    base_buf    values = { 0 };
    corm_status status = type->id == CQL_VECTOR ? check_dimension(type, json, err) : CORM_OK;
    if (status == CORM_OK) {
        status = (type->id == CQL_MAP ? read_entries : read_elements)(type, json, &values, err);
    }
    if (status == CORM_OK) status = cql__pack_values(type, base__buf_bytes(&values), out, err);
    base__buf_free(&values);
    return status;
}

static corm_status read_tuple(const cql_type *type, corm_str json, base_buf *out, corm_error *err) {
    uint32_t count = count_items(json);
    if (count != type->count) {
        char before[64];
        snprintf(before, sizeof before, "Tuple %s items (expected %u): ",
                 count > type->count ? "contains extra" : "is missing", type->count);
        return refuse(err, before, json, "");
    }
    corm_str item;
    size_t   at = 0;
    for (uint32_t i = 0; cql__json_next(json, &at, &item); i++) {
        CORM_TRY(read_item(type->params[i], item, out, err));
    }
    return CORM_OK;
}

/* A name in double quotes is itself, any other is folded to lower case. */
static corm_str fold_name(base_buf *name) {
    corm_str text = base__buf_str(name);
    if (text.len >= 2 && text.data[0] == '"' && text.data[text.len - 1] == '"') {
        return (corm_str){ text.data + 1, text.len - 2 };
    }
    for (size_t i = 0; i < name->len; i++) {
        if (name->data[i] >= 'A' && name->data[i] <= 'Z')
            name->data[i] = (uint8_t)(name->data[i] + 'a' - 'A');
    }
    return text;
}

static corm_status find_field(const cql_type *type, corm_str key, uint32_t *index,
                              corm_error *err) {
    base_buf name = { 0 };
    cql__json_unescape(key, &name);
    corm_status status = base__buf_status(&name, err);
    corm_str    folded = fold_name(&name);
    uint32_t    i = 0;
    while (i < type->count && !corm_str_equal(type->field_names[i], folded)) i++;
    if (status == CORM_OK && i == type->count) {
        status = base__fail(
            err, CORM_INVALID, "Unknown field '%.*s' in value of user defined type %.*s",
            (int)folded.len, folded.data ? folded.data : "", (int)type->name.len, type->name.data);
    }
    base__buf_free(&name);
    *index = i;
    return status;
}

/* The fields in the order of the type, from members in any order; a field that is not given is
 * null. */
static corm_status read_udt(const cql_type *type, corm_str json, base_buf *out, corm_error *err) {
    corm_str *fields = malloc((type->count + 1) * sizeof *fields);
    if (!fields) return base__fail_memory(err);
    for (uint32_t i = 0; i < type->count; i++) fields[i] = corm_str_of("null");
    corm_str    key, value;
    size_t      at = 0;
    corm_status status = CORM_OK;
    while (status == CORM_OK && cql__json_next_member(json, &at, &key, &value)) {
        uint32_t i;
        status = find_field(type, key, &i, err);
        if (status == CORM_OK) fields[i] = value;
    }
    for (uint32_t i = 0; status == CORM_OK && i < type->count; i++) {
        status = read_item(type->params[i], fields[i], out, err);
    }
    free(fields);
    return status;
}

/* What each composite type is in JSON. */
static const struct {
    cql_type_id   id;
    cql_json_kind kind;
    const char   *wanted;
    corm_status (*read)(const cql_type *type, corm_str json, base_buf *out, corm_error *err);
} composite_rules[] = {
    { CQL_LIST, CQL_JSON_ARRAY, "a list", read_collection },
    { CQL_SET, CQL_JSON_ARRAY, "a list (representing a set)", read_collection },
    { CQL_MAP, CQL_JSON_OBJECT, "a map", read_collection },
    { CQL_VECTOR, CQL_JSON_ARRAY, "a list", read_collection },
    { CQL_TUPLE, CQL_JSON_ARRAY, "a list representation of a tuple", read_tuple },
    { CQL_UDT, CQL_JSON_OBJECT, "a map", read_udt },
};

static corm_status decode_error(corm_str json, size_t at, corm_error *err) {
    return base__fail(
        err, CORM_INVALID, "Error decoding JSON string: unexpected %s at character %zu of '%.*s'",
        at < json.len ? "text" : "end-of-input", at, (int)json.len, json.data ? json.data : "");
}

static corm_status read_composite(const cql_type *type, corm_str json, base_buf *out,
                                  corm_error *err) {
    for (size_t i = 0; i < sizeof composite_rules / sizeof *composite_rules; i++) {
        if (composite_rules[i].id != type->id) continue;
        if (cql__json_kind(json) != composite_rules[i].kind)
            return unexpected(err, composite_rules[i].wanted, json);
        return composite_rules[i].read(type, json, out, err);
    }
    return read_scalar(type, json, out, err);
}

/* A string that holds the JSON of a collection. */
static corm_status read_held(const cql_type *type, corm_str string, base_buf *out,
                             corm_error *err) {
    base_buf text = { 0 };
    size_t   at;
    cql__json_unescape(string, &text);
    corm_status status = base__buf_status(&text, err);
    corm_str    json = base__buf_str(&text);
    if (status == CORM_OK && !cql__json_check(json, &at)) status = decode_error(json, at, err);
    if (status == CORM_OK) status = read_composite(type, cql__json_trim(json), out, err);
    base__buf_free(&text);
    return status;
}

static corm_status read_value(const cql_type *type, corm_str json, base_buf *out, corm_error *err) {
    if (type->count > 0) {
        bool held = cql__json_kind(json) == CQL_JSON_STRING;
        return (held ? read_held : read_composite)(type, json, out, err);
    }
    switch (type->id) {
    case CQL_DECIMAL:
    case CQL_VARINT: return read_big(type, json, out, err);
    case CQL_BLOB:
    case CQL_CUSTOM: return read_blob(json, out, err);
    default: return read_scalar(type, json, out, err);
    }
}

corm_status cql__from_json(const cql_type *type, corm_str json, base_buf *out, bool *is_null,
                           corm_error *err) {
    size_t at;
    *is_null = false;
    if (!cql__json_check(json, &at)) return decode_error(json, at, err);
    json = cql__json_trim(json);
    *is_null = cql__json_kind(json) == CQL_JSON_NULL;
    if (*is_null) return CORM_OK;
    CORM_TRY(read_value(type, json, out, err));
    return base__buf_status(out, err);
}
