// SPDX-License-Identifier: MIT
/* varint.c -- whole numbers of any size, with Java's BigInteger semantics. Pure; any thread.
 *
 * Numbers of 64 bits are handled without GMP. The order-preserving form:
 *
 *   [80+n-1][n bytes]   n bytes of two's complement, shortest; 7F-(n-1) for negative numbers
 *   [F0][u32 n][bytes]  beyond 112 bytes; 0F and the inverted length for negative ones */
#include "base/fail.h"
#include "base/text.h"
#include "cql/bigint.h"

static void load(mpz_t out, cql_value value) {
    cql__bigint_load(out, value.data, value.len > 0 ? (size_t)value.len : 0);
}

static bool small(cql_value value, int64_t *out) {
    return cql__bigint_small(value.data, value.len > 0 ? (size_t)value.len : 0, out);
}

static corm_bytes trim(cql_value value) {
    return cql__bigint_trim(value.data, value.len > 0 ? (size_t)value.len : 0);
}

void cql__varint_from_i64(int64_t v, base_buf *out) {
    uint8_t bytes[8];
    base__store_u64(bytes, (uint64_t)v);
    corm_bytes shortest = cql__bigint_trim(bytes, sizeof bytes);
    base__buf_put(out, shortest.data, shortest.len);
}

bool cql__varint_to_i64(cql_value value, int64_t *out) {
    return small(value, out);
}

static bool all_digits(corm_str text) {
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') return false;
    }
    return text.len > 0;
}

corm_status cql__varint_from_text(corm_str text, base_buf *out, corm_error *err) {
    if (!text.data) text = corm_str_of("");
    bool     sign = text.len > 0 && (text.data[0] == '-' || text.data[0] == '+');
    corm_str digits = { text.data + sign, text.len - sign };
    int64_t  v;
    if (!all_digits(digits)) {
        return base__fail(err, CORM_INVALID, "unable to make int from '%.*s'", (int)text.len,
                          text.data);
    }
    if (digits.len <= 18 && base__parse_i64(text, &v)) {
        cql__varint_from_i64(v, out);
        return CORM_OK;
    }
    mpz_t number;
    mpz_init(number);
    cql__bigint_read(number, digits);
    if (text.data[0] == '-') mpz_neg(number, number);
    cql__bigint_store(number, out);
    mpz_clear(number);
    return CORM_OK;
}

void cql__varint_to_text(cql_value value, base_buf *out) {
    int64_t v;
    if (small(value, &v)) {
        cql__put_i64(out, v);
        return;
    }
    mpz_t number;
    mpz_init(number);
    load(number, value);
    cql__bigint_print(number, out);
    mpz_clear(number);
}

static bool is_negative(corm_bytes bytes) {
    return bytes.len > 0 && bytes.data[0] >= 0x80;
}

int cql__varint_compare(cql_value a, cql_value b) {
    corm_bytes x = trim(a);
    corm_bytes y = trim(b);
    bool       negative = is_negative(x);
    if (negative != is_negative(y)) return negative ? -1 : 1;
    if (x.len != y.len) return (x.len < y.len) == negative ? 1 : -1;
    return x.len > 0 ? memcmp(x.data, y.data, x.len) : 0;
}

double cql__varint_to_double(cql_value value) {
    int64_t v;
    if (small(value, &v)) return (double)v;
    base_buf text = { 0 };
    double   out = 0;
    cql__varint_to_text(value, &text);
    if (!base__parse_f64(base__buf_str(&text), &out)) out = 0;
    base__buf_free(&text);
    return out;
}

void cql__varint_from_double(double v, base_buf *out) {
    if (v > -9e18 && v < 9e18) {
        cql__varint_from_i64((int64_t)v, out);
        return;
    }
    mpz_t number;
    mpz_init(number);
    if (v - v == 0) mpz_set_d(number, v); /* not infinite, not NaN */
    cql__bigint_store(number, out);
    mpz_clear(number);
}

/* False when the result does not fit or the operation is left to the general case. */
static bool small_arith(cql_arith op, int64_t a, int64_t b, int64_t *out) {
    switch (op) {
    case CQL_ADD: return !__builtin_add_overflow(a, b, out);
    case CQL_SUB: return !__builtin_sub_overflow(a, b, out);
    case CQL_MUL: return !__builtin_mul_overflow(a, b, out);
    case CQL_DIV:
        if (b == -1) return !__builtin_sub_overflow((int64_t)0, a, out);
        *out = a / b;
        return true;
    case CQL_MOD: *out = b == -1 ? 0 : a % b; return true;
    }
    return false;
}

static void big_arith(cql_arith op, cql_value a, cql_value b, base_buf *out) {
    mpz_t x, y;
    mpz_init(x);
    mpz_init(y);
    load(x, a);
    load(y, b);
    switch (op) {
    case CQL_ADD: mpz_add(x, x, y); break;
    case CQL_SUB: mpz_sub(x, x, y); break;
    case CQL_MUL: mpz_mul(x, x, y); break;
    case CQL_DIV: mpz_tdiv_q(x, x, y); break;
    case CQL_MOD: mpz_tdiv_r(x, x, y); break;
    }
    cql__bigint_store(x, out);
    mpz_clear(x);
    mpz_clear(y);
}

corm_status cql__varint_arith(cql_arith op, cql_value a, cql_value b, base_buf *out,
                              corm_error *err) {
    int64_t x, y, result;
    bool    small_a = small(a, &x);
    bool    small_b = small(b, &y);
    if ((op == CQL_DIV || op == CQL_MOD) && small_b && y == 0) {
        return base__fail(err, CORM_INVALID, "BigInteger divide by zero");
    }
    if (small_a && small_b && small_arith(op, x, y, &result)) {
        cql__varint_from_i64(result, out);
    } else {
        big_arith(op, a, b, out);
    }
    return base__buf_status(out, err);
}

void cql__varint_order(cql_value value, base_buf *out) {
    enum { SHORT = 112 };
    corm_bytes bytes = trim(value);
    uint8_t    zero = 0;
    if (bytes.len == 0) bytes = (corm_bytes){ &zero, 1 };
    bool negative = is_negative(bytes);
    if (bytes.len <= SHORT) {
        uint8_t extra = (uint8_t)(bytes.len - 1);
        base__buf_u8(out, (uint8_t)(negative ? 0x7f - extra : 0x80 + extra));
    } else {
        uint32_t len = (uint32_t)bytes.len;
        base__buf_u8(out, negative ? 0x0f : 0xf0);
        base__buf_u32(out, negative ? ~len : len);
    }
    base__buf_put(out, bytes.data, bytes.len);
}
