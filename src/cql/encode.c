// SPDX-License-Identifier: MIT
/* encode.c -- C values in wire form. Pure; any thread.
 *
 * A number goes into any numeric type that can hold it exactly; a double also into a float of
 * the same decimal form (0.1). Text goes into any type as its text form. Sets and maps are
 * sorted as the server keeps them. */
#include "base/fail.h"
#include "base/text.h"
#include "cql/bigint.h"
#include "cql/codec.h"
#include "cql/sorted.h"
#include "cql/types_internal.h"
#include "cql/vint.h"

#include <math.h>

static const char *kind_name(corm_kind kind) {
    static const char *const names[] = {
        [CORM_UNSET] = "unset",
        [CORM_NULL] = "null",
        [CORM_BOOLEAN] = "boolean",
        [CORM_TINYINT] = "tinyint",
        [CORM_SMALLINT] = "smallint",
        [CORM_INT] = "int",
        [CORM_BIGINT] = "bigint",
        [CORM_FLOAT] = "float",
        [CORM_DOUBLE] = "double",
        [CORM_TEXT] = "text",
        [CORM_BLOB] = "blob",
        [CORM_UUID] = "uuid",
        [CORM_TIMESTAMP] = "timestamp",
        [CORM_DATE] = "date",
        [CORM_TIME] = "time",
        [CORM_DURATION] = "duration",
        [CORM_INET] = "inet",
        [CORM_VARINT] = "varint",
        [CORM_DECIMAL] = "decimal",
        [CORM_LIST] = "list",
        [CORM_SET] = "set",
        [CORM_MAP] = "map",
        [CORM_TUPLE] = "tuple",
        [CORM_UDT] = "user-defined type",
        [CORM_VECTOR] = "vector",
    };
    return (size_t)kind < sizeof names / sizeof *names ? names[kind] : "value of unknown kind";
}

/* "a double cannot be converted to the type int", and why. */
static corm_status refuse(const cql_type *type, const corm_value *value, const char *why,
                          corm_error *err) {
    base_buf name = { 0 };
    cql__type_print(type, &name);
    const char *text = base__buf_cstr(&name);
    corm_status status =
        base__fail(err, CORM_CONVERSION, "a value of kind %s cannot be converted to type %s%s%s",
                   kind_name(value->kind), text ? text : "", why ? ": " : "", why ? why : "");
    base__buf_free(&name);
    return status;
}

static cql_value wire_of(const corm_varint *v) {
    const uint8_t *data = v->length > sizeof v->small ? v->large : v->small;
    return (cql_value){ data, (int32_t)v->length };
}

static bool double_to_i64(double v, int64_t *out) {
    if (!(v >= -0x1p63 && v < 0x1p63) || v != trunc(v)) return false;
    *out = (int64_t)v;
    return true;
}

/* A decimal as a varint when no digit is lost. */
static bool decimal_to_varint(const corm_decimal *decimal, base_buf *out) {
    base_buf wire = { 0 };
    base_buf back = { 0 };
    base__buf_i32(&wire, decimal->scale);
    cql_value unscaled = wire_of(&decimal->unscaled);
    base__buf_put(&wire, unscaled.data, (size_t)unscaled.len);
    cql__decimal_to_varint(cql__value_of(base__buf_bytes(&wire)), out);
    cql__decimal_from_varint(cql__value_of(base__buf_bytes(out)), &back);
    bool same = !wire.failed && !out->failed && !back.failed &&
                cql__decimal_compare(cql__value_of(base__buf_bytes(&wire)),
                                     cql__value_of(base__buf_bytes(&back))) == 0;
    base__buf_free(&wire);
    base__buf_free(&back);
    return same;
}

/* The whole number that a value is, in 64 bits. False: it is none, or too large. */
static bool to_i64(const corm_value *value, int64_t *out) {
    switch (value->kind) {
    case CORM_TINYINT: *out = value->as.i8; return true;
    case CORM_SMALLINT: *out = value->as.i16; return true;
    case CORM_INT: *out = value->as.i32; return true;
    case CORM_BIGINT: *out = value->as.i64; return true;
    case CORM_FLOAT: return double_to_i64((double)value->as.f32, out);
    case CORM_DOUBLE: return double_to_i64(value->as.f64, out);
    case CORM_VARINT:
        return value->as.varint.length > 0 && cql__varint_to_i64(wire_of(&value->as.varint), out);
    case CORM_DECIMAL: {
        base_buf whole = { 0 };
        bool     ok = value->as.decimal.unscaled.length > 0 &&
                  decimal_to_varint(&value->as.decimal, &whole) &&
                  cql__varint_to_i64(cql__value_of(base__buf_bytes(&whole)), out);
        base__buf_free(&whole);
        return ok;
    }
    default: return false;
    }
}

static bool is_number(corm_kind kind) {
    return (kind >= CORM_TINYINT && kind <= CORM_DOUBLE) || kind == CORM_VARINT ||
           kind == CORM_DECIMAL;
}

static corm_status encode_integer(const cql_type *type, const corm_value *value, base_buf *out,
                                  corm_error *err) {
    uint32_t size = cql__type_fixed_size(type);
    int64_t  v;
    if (!is_number(value->kind)) return refuse(type, value, NULL, err);
    if (!to_i64(value, &v))
        return refuse(type, value, "it is not a whole number in its range", err);
    if (size < 8 && (v < -(INT64_C(1) << (8 * size - 1)) || v >= INT64_C(1) << (8 * size - 1))) {
        return refuse(type, value, "it is out of range", err);
    }
    uint8_t bytes[8];
    base__store_u64(bytes, (uint64_t)v);
    base__buf_put(out, bytes + 8 - size, size);
    return CORM_OK;
}

static corm_status encode_varint(const cql_type *type, const corm_value *value, base_buf *out,
                                 corm_error *err) {
    int64_t v;
    if (!is_number(value->kind)) return refuse(type, value, NULL, err);
    if (to_i64(value, &v)) {
        cql__varint_from_i64(v, out);
        return CORM_OK;
    }
    if (value->kind == CORM_VARINT && value->as.varint.length > 0) {
        cql_value  wire = wire_of(&value->as.varint);
        corm_bytes bytes = cql__bigint_trim(wire.data, (size_t)wire.len);
        base__buf_put(out, bytes.data, bytes.len);
        return CORM_OK;
    }
    double f = value->kind == CORM_FLOAT    ? (double)value->as.f32
               : value->kind == CORM_DOUBLE ? value->as.f64
                                            : 0.5;
    if (f == trunc(f) && f - f == 0) {
        cql__varint_from_double(f, out);
        return CORM_OK;
    }
    base_buf whole = { 0 };
    bool     ok = value->kind == CORM_DECIMAL && value->as.decimal.unscaled.length > 0 &&
              decimal_to_varint(&value->as.decimal, &whole);
    if (ok) base__buf_put(out, whole.data, whole.len);
    base__buf_free(&whole);
    return ok ? CORM_OK : refuse(type, value, "it is not a whole number", err);
}

static corm_status encode_float_as_decimal(const cql_type *type, const corm_value *value,
                                           base_buf *out, corm_error *err) {
    double f = value->kind == CORM_FLOAT ? (double)value->as.f32 : value->as.f64;
    if (f - f != 0) return refuse(type, value, "it is not finite", err);
    base_buf text = { 0 };
    if (value->kind == CORM_FLOAT)
        base__put_float(&text, value->as.f32);
    else
        base__put_double(&text, value->as.f64);
    corm_status status = base__buf_status(&text, err);
    if (status == CORM_OK) status = cql__decimal_from_text(base__buf_str(&text), out, err);
    base__buf_free(&text);
    return status;
}

static corm_status encode_decimal(const cql_type *type, const corm_value *value, base_buf *out,
                                  corm_error *err) {
    int64_t v;
    switch (value->kind) {
    case CORM_DECIMAL:
        if (value->as.decimal.unscaled.length == 0)
            return refuse(type, value, "it is not given", err);
        base__buf_i32(out, value->as.decimal.scale);
        base__buf_put(out, wire_of(&value->as.decimal.unscaled).data,
                      value->as.decimal.unscaled.length);
        return CORM_OK;
    case CORM_VARINT:
        if (value->as.varint.length == 0) return refuse(type, value, "it is not given", err);
        cql__decimal_from_varint(wire_of(&value->as.varint), out);
        return CORM_OK;
    case CORM_FLOAT:
    case CORM_DOUBLE: return encode_float_as_decimal(type, value, out, err);
    default:
        if (!to_i64(value, &v)) return refuse(type, value, NULL, err);
        base__buf_i32(out, 0);
        cql__varint_from_i64(v, out);
        return CORM_OK;
    }
}

/* The double that a value is exactly; for a decimal, the nearest one. */
static bool to_f64(const corm_value *value, double *out) {
    int64_t v;
    if (value->kind == CORM_FLOAT) {
        *out = (double)value->as.f32;
        return true;
    }
    if (value->kind == CORM_DOUBLE) {
        *out = value->as.f64;
        return true;
    }
    if (value->kind == CORM_DECIMAL && value->as.decimal.unscaled.length > 0) {
        *out = corm_decimal_to_double(&value->as.decimal);
        return *out - *out == 0;
    }
    if (!to_i64(value, &v)) return false;
    *out = (double)v;
    return *out < 0x1p63 && (int64_t)*out == v;
}

static corm_status encode_double(const cql_type *type, const corm_value *value, base_buf *out,
                                 corm_error *err) {
    double   v;
    uint64_t bits;
    if (!is_number(value->kind)) return refuse(type, value, NULL, err);
    if (!to_f64(value, &v)) return refuse(type, value, "digits would be lost", err);
    memcpy(&bits, &v, sizeof bits);
    base__buf_u64(out, bits);
    return CORM_OK;
}

/* Whether the float stands for the double: equal, or the same number when written in its own
 * shortest form. */
static bool stands_for(float narrow, double v) {
    base_buf text = { 0 };
    double   back = 0;
    if ((double)narrow == v || v != v) return true;
    base__put_float(&text, narrow);
    bool same = !text.failed && base__parse_f64(base__buf_str(&text), &back) && back == v;
    base__buf_free(&text);
    return same;
}

static corm_status encode_float(const cql_type *type, const corm_value *value, base_buf *out,
                                corm_error *err) {
    double   v;
    uint32_t bits;
    if (!is_number(value->kind)) return refuse(type, value, NULL, err);
    if (!to_f64(value, &v) || (v - v == 0 && fabs(v) > 3.5e38)) {
        return refuse(type, value, "digits would be lost", err);
    }
    float narrow = (float)v;
    if (!stands_for(narrow, v)) return refuse(type, value, "digits would be lost", err);
    memcpy(&bits, &narrow, sizeof bits);
    base__buf_u32(out, bits);
    return CORM_OK;
}

static corm_status encode_text(const cql_type *type, const corm_value *value, base_buf *out,
                               corm_error *err) {
    corm_str text = value->as.text;
    if (text.len > INT32_MAX) return refuse(type, value, "it is too long", err);
    CORM_TRY(
        cql__validate(type, (cql_value){ (const uint8_t *)text.data, (int32_t)text.len }, err));
    base__buf_put_str(out, text);
    return CORM_OK;
}

/* The text form of another type. */
static corm_status encode_from_text(const cql_type *type, const corm_value *value, base_buf *out,
                                    corm_error *err) {
    corm_error inner;
    bool       is_null;
    size_t     start = out->len;
    if (cql__from_text(type, value->as.text, out, &is_null, &inner) != CORM_OK) {
        if (inner.status == CORM_NO_MEMORY) return base__fail_memory(err);
        if (!out->failed) out->len = start;
        return refuse(type, value, inner.message, err);
    }
    return is_null ? refuse(type, value, "it says null", err) : CORM_OK;
}

static corm_status encode_blob(const cql_type *type, const corm_value *value, base_buf *out,
                               corm_error *err) {
    if (value->kind != CORM_BLOB) return refuse(type, value, NULL, err);
    if (value->as.blob.len > INT32_MAX) return refuse(type, value, "it is too long", err);
    if (value->as.blob.len > 0) base__buf_put(out, value->as.blob.data, value->as.blob.len);
    return CORM_OK;
}

static corm_status encode_duration(const corm_duration *duration, const cql_type *type,
                                   const corm_value *value, base_buf *out, corm_error *err) {
    bool positive = duration->months >= 0 && duration->days >= 0 && duration->ns >= 0;
    bool negative = duration->months <= 0 && duration->days <= 0 && duration->ns <= 0;
    if (!positive && !negative) return refuse(type, value, "its parts have different signs", err);
    cql__put_vint(out, duration->months);
    cql__put_vint(out, duration->days);
    cql__put_vint(out, duration->ns);
    return CORM_OK;
}

static corm_status encode_inet(const cql_type *type, const corm_value *value, base_buf *out,
                               corm_error *err) {
    const corm_inet *inet = &value->as.inet;
    if (inet->length != 4 && inet->length != 16)
        return refuse(type, value, "it has neither 4 nor 16 bytes", err);
    base__buf_put(out, inet->bytes, inet->length);
    return CORM_OK;
}

static corm_status encode_uuid(const cql_type *type, const corm_value *value, base_buf *out,
                               corm_error *err) {
    if (type->id == CQL_TIMEUUID && value->as.uuid.bytes[6] >> 4 != 1) {
        return refuse(type, value, "it is not of version 1", err);
    }
    base__buf_put(out, value->as.uuid.bytes, 16);
    return CORM_OK;
}

static corm_status encode_time(const cql_type *type, const corm_value *value, base_buf *out,
                               corm_error *err) {
    int64_t ns = value->as.time.ns;
    if (ns < 0 || ns >= INT64_C(86400000000000))
        return refuse(type, value, "it is not within a day", err);
    base__buf_i64(out, ns);
    return CORM_OK;
}

/* The kind that has the same name as the type. */
static corm_status encode_same(const cql_type *type, const corm_value *value, base_buf *out,
                               corm_error *err) {
    switch (value->kind) {
    case CORM_BOOLEAN: base__buf_u8(out, value->as.boolean); return CORM_OK;
    case CORM_UUID: return encode_uuid(type, value, out, err);
    case CORM_TIMESTAMP: base__buf_i64(out, value->as.timestamp.ms); return CORM_OK;
    case CORM_DATE:
        base__buf_u32(out, (uint32_t)value->as.date.days ^ UINT32_C(0x80000000));
        return CORM_OK;
    case CORM_TIME: return encode_time(type, value, out, err);
    case CORM_DURATION: return encode_duration(&value->as.duration, type, value, out, err);
    case CORM_INET: return encode_inet(type, value, out, err);
    default: return refuse(type, value, NULL, err);
    }
}

static corm_kind kind_of(cql_type_id id) {
    switch (id) {
    case CQL_BOOLEAN: return CORM_BOOLEAN;
    case CQL_UUID:
    case CQL_TIMEUUID: return CORM_UUID;
    case CQL_TIMESTAMP: return CORM_TIMESTAMP;
    case CQL_DATE: return CORM_DATE;
    case CQL_TIME: return CORM_TIME;
    case CQL_DURATION: return CORM_DURATION;
    case CQL_INET: return CORM_INET;
    default: return CORM_NULL;
    }
}

/* Milliseconds and nanoseconds may also be given as whole numbers. */
static corm_status encode_plain(const cql_type *type, const corm_value *value, base_buf *out,
                                corm_error *err) {
    int64_t v;
    if (value->kind == kind_of(type->id)) return encode_same(type, value, out, err);
    if (type->id == CQL_TIMESTAMP && to_i64(value, &v)) {
        base__buf_i64(out, v);
        return CORM_OK;
    }
    if (type->id == CQL_TIME && to_i64(value, &v)) {
        corm_value time = corm_of_time((corm_time){ v });
        return encode_time(type, &time, out, err);
    }
    return refuse(type, value, NULL, err);
}

static bool is_null(const corm_value *value) {
    return value->kind == CORM_NULL || value->kind == CORM_UNSET;
}

/* An item with its length before it. */
static corm_status encode_item(const cql_type *type, const corm_value *value, base_buf *out,
                               corm_error *err) {
    size_t at = out->len;
    base__buf_i32(out, -1);
    if (is_null(value)) return CORM_OK;
    CORM_TRY(cql__encode(type, value, out, err));
    CORM_TRY(base__buf_status(out, err));
    base__buf_set_i32(out, at, (int32_t)(out->len - at - 4));
    return CORM_OK;
}

static bool fits_collection(cql_type_id id, corm_kind kind) {
    bool sequence =
        kind == CORM_LIST || kind == CORM_SET || kind == CORM_TUPLE || kind == CORM_VECTOR;
    switch (id) {
    case CQL_LIST:
    case CQL_SET:
    case CQL_VECTOR: return sequence;
    case CQL_MAP: return kind == CORM_MAP;
    case CQL_TUPLE: return kind == CORM_TUPLE || kind == CORM_LIST;
    default: return kind == CORM_UDT || kind == CORM_TUPLE;
    }
}

static corm_status encode_values(const cql_type *type, const corm_value *value, base_buf *out,
                                 corm_error *err) {
    const corm_items *items = &value->as.items;
    if (type->id == CQL_MAP && items->count % 2 != 0)
        return refuse(type, value, "a key has no value", err);
    for (uint32_t i = 0; i < items->count; i++) {
        if (is_null(&items->items[i])) return refuse(type, value, "it holds a null", err);
        CORM_TRY(encode_item(type->params[i % type->count], &items->items[i], out, err));
    }
    return CORM_OK;
}

static corm_status encode_collection(const cql_type *type, const corm_value *value, base_buf *out,
                                     corm_error *err) {
    if (type->id == CQL_LIST) {
        base__buf_u32(out, value->as.items.count);
        return encode_values(type, value, out, err);
    }
    if (type->id == CQL_VECTOR && value->as.items.count != type->dimension) {
        return refuse(type, value, "it has another number of items", err);
    }
    base_buf    values = { 0 };
    corm_status status = encode_values(type, value, &values, err);
    if (status == CORM_OK) status = cql__pack_values(type, base__buf_bytes(&values), out, err);
    base__buf_free(&values);
    return status;
}

/* Items are fields in order, or by name; a field that is not given is null. */
static const corm_value *find_field(const cql_type *type, const corm_items *items, uint32_t field) {
    if (!items->names) return field < items->count ? &items->items[field] : NULL;
    for (uint32_t i = items->count; i-- > 0;) {
        if (corm_str_equal(items->names[i], type->field_names[field])) return &items->items[i];
    }
    return NULL;
}

static bool has_unknown_field(const cql_type *type, const corm_items *items) {
    for (uint32_t i = 0; items->names && i < items->count; i++) {
        uint32_t field = 0;
        while (field < type->count && !corm_str_equal(items->names[i], type->field_names[field]))
            field++;
        if (field == type->count) return true;
    }
    return false;
}

static corm_status encode_fields(const cql_type *type, const corm_value *value, base_buf *out,
                                 corm_error *err) {
    const corm_items *items = &value->as.items;
    bool              named = type->id == CQL_UDT && items->names;
    if (!named && items->count > type->count)
        return refuse(type, value, "it has too many items", err);
    if (named && has_unknown_field(type, items))
        return refuse(type, value, "it has an unknown field", err);
    for (uint32_t i = 0; i < type->count; i++) {
        const corm_value *item = named              ? find_field(type, items, i)
                                 : i < items->count ? &items->items[i]
                                                    : NULL;
        if (item)
            CORM_TRY(encode_item(type->params[i], item, out, err));
        else
            base__buf_i32(out, -1);
    }
    return CORM_OK;
}

static corm_status encode_composite(const cql_type *type, const corm_value *value, base_buf *out,
                                    corm_error *err) {
    if (!fits_collection(type->id, value->kind)) return refuse(type, value, NULL, err);
    bool fields = type->id == CQL_TUPLE || type->id == CQL_UDT;
    return (fields ? encode_fields : encode_collection)(type, value, out, err);
}

static corm_status encode_any(const cql_type *type, const corm_value *value, base_buf *out,
                              corm_error *err) {
    bool text = type->id == CQL_TEXT || type->id == CQL_ASCII;
    if (value->kind == CORM_TEXT)
        return (text ? encode_text : encode_from_text)(type, value, out, err);
    if (type->count > 0) return encode_composite(type, value, out, err);
    switch (type->id) {
    case CQL_TEXT:
    case CQL_ASCII: return refuse(type, value, NULL, err);
    case CQL_TINYINT:
    case CQL_SMALLINT:
    case CQL_INT:
    case CQL_BIGINT:
    case CQL_COUNTER: return encode_integer(type, value, out, err);
    case CQL_VARINT: return encode_varint(type, value, out, err);
    case CQL_DECIMAL: return encode_decimal(type, value, out, err);
    case CQL_DOUBLE: return encode_double(type, value, out, err);
    case CQL_FLOAT: return encode_float(type, value, out, err);
    case CQL_BLOB:
    case CQL_CUSTOM: return encode_blob(type, value, out, err);
    default: return encode_plain(type, value, out, err);
    }
}

corm_status cql__encode(const cql_type *type, const corm_value *value, base_buf *out,
                        corm_error *err) {
    if (is_null(value)) {
        return base__fail(err, CORM_INVALID_ARGUMENT, "%s has no bytes to encode",
                          kind_name(value->kind));
    }
    CORM_TRY(encode_any(type, value, out, err));
    return base__buf_status(out, err);
}
