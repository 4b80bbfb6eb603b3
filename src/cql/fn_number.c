// SPDX-License-Identifier: MIT
/* fn_number.c -- values of numeric types as C numbers, by the rules of Java's Number: whole numbers keep their low
 * bits, floating point stops at the range's ends. Pure; any thread. */
#include <math.h>

#include "base/text.h"
#include "cql/fn.h"

int64_t cql__fn_i64_of(double v) {
    if (isnan(v)) return 0;
    if (v >= 9223372036854775808.0) return INT64_MAX;
    return v <= -9223372036854775808.0 ? INT64_MIN : (int64_t)v;
}

int32_t cql__fn_i32_of(double v) {
    if (isnan(v)) return 0;
    if (v >= 2147483647.0) return INT32_MAX;
    return v <= -2147483648.0 ? INT32_MIN : (int32_t)v;
}

static double load_f64(cql_value v) {
    uint64_t bits = base__load_u64(v.data);
    double   out;
    memcpy(&out, &bits, sizeof out);
    return out;
}

static float load_f32(cql_value v) {
    uint32_t bits = base__load_u32(v.data);
    float    out;
    memcpy(&out, &bits, sizeof out);
    return out;
}

/* The low 64 bits of a varint. */
static int64_t low_bits(cql_value v) {
    uint64_t bits = v.len > 0 && (v.data[0] & 0x80) ? UINT64_MAX : 0;
    for (int32_t i = v.len > 8 ? v.len - 8 : 0; i < v.len; i++) bits = bits << 8 | v.data[i];
    return (int64_t)bits;
}

static int64_t decimal_low_bits(cql_value v) {
    base_buf whole = { 0 };
    int64_t  out = 0;
    /* 10^64 is a multiple of 2^64. */
    bool zero = cql__fn_scale(v) <= -64;
    if (!zero && cql__fn_decimal_whole(v, &whole, NULL) == CORM_OK) {
        out = low_bits(cql__value_of(base__buf_bytes(&whole)));
    }
    base__buf_free(&whole);
    return out;
}

int64_t cql__fn_i64(cql_type_id type, cql_value v) {
    switch (type) {
    case CQL_TINYINT: return (int8_t)v.data[0];
    case CQL_SMALLINT: return (int16_t)base__load_u16(v.data);
    case CQL_INT: return (int32_t)base__load_u32(v.data);
    case CQL_FLOAT: return cql__fn_i64_of((double)load_f32(v));
    case CQL_DOUBLE: return cql__fn_i64_of(load_f64(v));
    case CQL_VARINT: return low_bits(v);
    case CQL_DECIMAL: return decimal_low_bits(v);
    default: return (int64_t)base__load_u64(v.data);
    }
}

int32_t cql__fn_i32(cql_type_id type, cql_value v) {
    if (type == CQL_FLOAT) return cql__fn_i32_of((double)load_f32(v));
    if (type == CQL_DOUBLE) return cql__fn_i32_of(load_f64(v));
    return (int32_t)cql__fn_i64(type, v);
}

static float float_of_digits(cql_value unscaled, int64_t exponent) {
    base_buf text = { 0 };
    cql__varint_to_text(unscaled, &text);
    base__buf_printf(&text, "E%lld", (long long)exponent);
    float out = 0;
    if (text.failed || !base__parse_f32(base__buf_str(&text), &out)) out = 0;
    base__buf_free(&text);
    return out;
}

float cql__fn_f32(cql_type_id type, cql_value v) {
    switch (type) {
    case CQL_FLOAT: return load_f32(v);
    case CQL_DOUBLE: return (float)load_f64(v);
    case CQL_VARINT: return float_of_digits(v, 0);
    case CQL_DECIMAL:
        return float_of_digits((cql_value){ v.data + 4, v.len - 4 }, -(int64_t)cql__fn_scale(v));
    default: return (float)cql__fn_i64(type, v);
    }
}

double cql__fn_f64(cql_type_id type, cql_value v) {
    switch (type) {
    case CQL_FLOAT: return (double)load_f32(v);
    case CQL_DOUBLE: return load_f64(v);
    case CQL_VARINT: return cql__varint_to_double(v);
    case CQL_DECIMAL: return cql__decimal_to_double(v);
    default: return (double)cql__fn_i64(type, v);
    }
}

static size_t whole_size(cql_type_id type) {
    switch (type) {
    case CQL_TINYINT: return 1;
    case CQL_SMALLINT: return 2;
    case CQL_INT: return 4;
    default: return 8;
    }
}

corm_status cql__fn_give_whole(cql_eval_context *context, cql_type_id type, int64_t v,
                               cql_value *out, corm_error *err) {
    size_t   size = whole_size(type);
    uint8_t *data = cql__fn_room(context, size, out);
    if (!data) return base__fail_memory(err);
    for (size_t i = size; i > 0; i--, v >>= 8) data[i - 1] = (uint8_t)v;
    return CORM_OK;
}

corm_status cql__fn_give_f32(cql_eval_context *context, float v, cql_value *out, corm_error *err) {
    uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    return cql__fn_give_i32(context, (int32_t)bits, out, err);
}

corm_status cql__fn_give_f64(cql_eval_context *context, double v, cql_value *out, corm_error *err) {
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    return cql__fn_give_i64(context, (int64_t)bits, out, err);
}

corm_status cql__fn_fail_decimal(double v, corm_error *err) {
    return base__fail(
        err, CORM_SERVER_ERROR,
        "java.lang.NumberFormatException: Character %c is neither a decimal digit number, decimal point, "
        "nor \"e\" notation exponential mark.",
        isnan(v) ? 'N' : 'I');
}
