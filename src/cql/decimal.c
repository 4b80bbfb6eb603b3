// SPDX-License-Identifier: MIT
/* decimal.c -- decimals from and to text and other numbers, and their order. Pure; any thread.
 *
 * Wire form: [i32 scale][unscaled, two's complement]; the number is unscaled * 10^-scale, with
 * Java's BigDecimal semantics. The order-preserving form of 0.d1d2d3d4… * 10^e, d1 > 0, no zeros
 * at the end:
 *
 *   02 [e] [d1d2 + 1] [d3d4 + 1] … 00     positive numbers
 *   01                                    zero
 *   00 and the rest inverted              negative numbers
 *
 *   e = one byte 80 + e, for |e| <= 100; else FF or 01 and e + 2^39 in five bytes */
#include "cql/decimal.h"
#include "base/fail.h"
#include "base/text.h"
#include "cql/bigint.h"

#include <stdlib.h>

void cql__decimal_load(cql_decimal *out, cql_value value) {
    size_t len = value.len > 4 ? (size_t)value.len - 4 : 0;
    out->scale = value.len >= 4 ? (int32_t)base__load_u32(value.data) : 0;
    mpz_init(out->unscaled);
    if (len > 0) cql__bigint_load(out->unscaled, value.data + 4, len);
}

void cql__decimal_free(cql_decimal *decimal) {
    mpz_clear(decimal->unscaled);
}

void cql__decimal_store(const cql_decimal *decimal, base_buf *out) {
    base__buf_i32(out, decimal->scale);
    cql__bigint_store(decimal->unscaled, out);
}

/* The parts of "-12.50E+3": sign, "12" and "50" one after the other, and 3. */
typedef struct number_text {
    bool     negative;
    corm_str whole;
    corm_str fraction;
    int64_t  exponent;
} number_text;

static corm_str take_digits(corm_str *text) {
    size_t len = 0;
    while (len < text->len && text->data[len] >= '0' && text->data[len] <= '9') len++;
    corm_str digits = { text->data, len };
    *text = (corm_str){ text->data + len, text->len - len };
    return digits;
}

static bool take(corm_str *text, const char *any_of, char *found) {
    if (text->len == 0 || text->data[0] == '\0' || !strchr(any_of, text->data[0])) return false;
    *found = text->data[0];
    *text = (corm_str){ text->data + 1, text->len - 1 };
    return true;
}

/* At most ten digits after leading zeros, as in Java. */
static bool read_exponent(corm_str *text, int64_t *out) {
    char sign = '+';
    take(text, "+-", &sign);
    corm_str digits = take_digits(text);
    if (digits.len == 0) return false;
    while (digits.len > 1 && digits.data[0] == '0')
        digits = (corm_str){ digits.data + 1, digits.len - 1 };
    if (digits.len > 10 || !base__parse_i64(digits, out)) return false;
    if (sign == '-') *out = -*out;
    return *out == (int32_t)*out;
}

static bool split_number(corm_str text, number_text *out) {
    char found = '+';
    *out = (number_text){ 0 };
    take(&text, "+-", &found);
    out->negative = found == '-';
    out->whole = take_digits(&text);
    if (take(&text, ".", &found)) out->fraction = take_digits(&text);
    if (out->whole.len + out->fraction.len == 0) return false;
    if (take(&text, "eE", &found) && !read_exponent(&text, &out->exponent)) return false;
    return text.len == 0;
}

static void read_unscaled(const number_text *parts, mpz_t out) {
    cql__bigint_read(out, parts->whole);
    if (parts->fraction.len > 0) {
        mpz_t fraction, power;
        mpz_init(fraction);
        mpz_init(power);
        cql__bigint_read(fraction, parts->fraction);
        cql__bigint_pow10(power, (uint32_t)parts->fraction.len);
        mpz_mul(out, out, power);
        mpz_add(out, out, fraction);
        mpz_clear(fraction);
        mpz_clear(power);
    }
    if (parts->negative) mpz_neg(out, out);
}

/* Up to 18 digits fit in 64 bits. */
static void put_small(const number_text *parts, int32_t scale, base_buf *out) {
    int64_t v = 0;
    for (size_t i = 0; i < parts->whole.len; i++) v = v * 10 + (parts->whole.data[i] - '0');
    for (size_t i = 0; i < parts->fraction.len; i++) v = v * 10 + (parts->fraction.data[i] - '0');
    base__buf_i32(out, scale);
    cql__varint_from_i64(parts->negative ? -v : v, out);
}

corm_status cql__decimal_from_text(corm_str text, base_buf *out, corm_error *err) {
    if (!text.data) text = corm_str_of("");
    number_text parts;
    bool        ok = split_number(text, &parts);
    int64_t     scale = ok ? (int64_t)parts.fraction.len - parts.exponent : 0;
    if (!ok || scale != (int32_t)scale || text.len > CQL_MOST_DIGITS) {
        return base__fail(err, CORM_INVALID, "unable to make BigDecimal from '%.*s'", (int)text.len,
                          text.data);
    }
    if (parts.whole.len + parts.fraction.len <= 18) {
        put_small(&parts, (int32_t)scale, out);
        return CORM_OK;
    }
    cql_decimal decimal = { .scale = (int32_t)scale };
    mpz_init(decimal.unscaled);
    read_unscaled(&parts, decimal.unscaled);
    cql__decimal_store(&decimal, out);
    cql__decimal_free(&decimal);
    return CORM_OK;
}

/* The unscaled value as text, and the scale. */
static int32_t put_unscaled(cql_value value, base_buf *out) {
    if (value.len < 4) {
        base__buf_u8(out, '0');
        return 0;
    }
    cql__varint_to_text((cql_value){ value.data + 4, value.len - 4 }, out);
    return (int32_t)base__load_u32(value.data);
}

static void put_zeros(base_buf *out, int64_t count) {
    uint8_t *p = count > 0 ? base__buf_grow(out, (size_t)count) : NULL;
    if (p) memset(p, '0', (size_t)count);
}

/* Digits with a point `scale` digits before the end, scale > 0. */
static void put_with_point(corm_str digits, int32_t scale, base_buf *out) {
    int64_t whole = (int64_t)digits.len - scale;
    if (whole > 0) {
        base__buf_put(out, digits.data, (size_t)whole);
        base__buf_u8(out, '.');
        base__buf_put(out, digits.data + whole, (size_t)scale);
        return;
    }
    base__buf_puts(out, "0.");
    put_zeros(out, -whole);
    base__buf_put_str(out, digits);
}

static void put_scientific(corm_str digits, int64_t exponent, base_buf *out) {
    base__buf_u8(out, (uint8_t)digits.data[0]);
    if (digits.len > 1) {
        base__buf_u8(out, '.');
        base__buf_put(out, digits.data + 1, digits.len - 1);
    }
    if (exponent != 0) base__buf_printf(out, "E%+lld", (long long)exponent);
}

static void put_plain(corm_str digits, int32_t scale, base_buf *out) {
    if (scale > 0) {
        put_with_point(digits, scale, out);
        return;
    }
    base__buf_put_str(out, digits);
    if (digits.data[0] != '0') put_zeros(out, -(int64_t)scale);
}

static void put_shortest(corm_str digits, int32_t scale, base_buf *out) {
    int64_t exponent = (int64_t)digits.len - 1 - scale;
    if (scale == 0) {
        base__buf_put_str(out, digits);
    } else if (scale > 0 && exponent >= -6) {
        put_with_point(digits, scale, out);
    } else {
        put_scientific(digits, exponent, out);
    }
}

static void print(cql_value value, void (*put)(corm_str, int32_t, base_buf *), base_buf *out) {
    base_buf text = { 0 };
    int32_t  scale = put_unscaled(value, &text);
    if (text.failed) {
        out->failed = true;
    } else {
        corm_str digits = base__buf_str(&text);
        if (digits.data[0] == '-') {
            base__buf_u8(out, '-');
            digits = (corm_str){ digits.data + 1, digits.len - 1 };
        }
        put(digits, scale, out);
    }
    base__buf_free(&text);
}

void cql__decimal_to_text(cql_value value, base_buf *out) {
    print(value, put_shortest, out);
}

/* A text of gigabytes counts as memory that is exhausted. */
void cql__decimal_to_plain(cql_value value, base_buf *out) {
    int64_t scale = value.len >= 4 ? (int32_t)base__load_u32(value.data) : 0;
    if (scale > CQL_MOST_DIGITS || scale < -CQL_MOST_DIGITS) {
        out->failed = true;
        return;
    }
    print(value, put_plain, out);
}

double cql__decimal_to_double(cql_value value) {
    base_buf text = { 0 };
    double   out = 0;
    cql__decimal_to_text(value, &text);
    if (text.failed || !base__parse_f64(base__buf_str(&text), &out)) out = 0;
    base__buf_free(&text);
    return out;
}

void cql__decimal_from_double(double v, base_buf *out) {
    base_buf text = { 0 };
    base__put_double(&text, v - v == 0 ? v : 0);
    if (text.failed || cql__decimal_from_text(base__buf_str(&text), out, NULL) != CORM_OK)
        out->failed = true;
    base__buf_free(&text);
}

void cql__decimal_from_varint(cql_value value, base_buf *out) {
    corm_bytes bytes = cql__bigint_trim(value.data, value.len > 0 ? (size_t)value.len : 0);
    base__buf_i32(out, 0);
    if (bytes.len == 0)
        base__buf_u8(out, 0);
    else
        base__buf_put(out, bytes.data, bytes.len);
}

void cql__decimal_to_varint(cql_value value, base_buf *out) {
    cql_decimal decimal;
    mpz_t       power;
    cql__decimal_load(&decimal, value);
    mpz_init(power);
    int64_t digits = (int64_t)cql__bigint_digits(decimal.unscaled);
    int64_t scale = decimal.scale;
    if (mpz_sgn(decimal.unscaled) == 0 || scale >= digits) {
        mpz_set_ui(decimal.unscaled, 0);
    } else if (scale < -CQL_MOST_DIGITS) {
        out->failed = true; /* gigabytes of digits */
    } else {
        cql__bigint_pow10(power, (uint32_t)(scale < 0 ? -scale : scale));
        (scale < 0 ? mpz_mul : mpz_tdiv_q)(decimal.unscaled, decimal.unscaled, power);
    }
    cql__bigint_store(decimal.unscaled, out);
    mpz_clear(power);
    cql__decimal_free(&decimal);
}

/* One with the point before its first digit: |number| = 0.digits * 10^exponent. */
typedef struct normal {
    int      sign;
    int64_t  exponent;
    corm_str digits; /* without zeros at the end; empty for zero */
} normal;

static normal normalise(cql_value value, base_buf *text) {
    int64_t  scale = put_unscaled(value, text);
    corm_str digits = text->failed ? corm_str_of("0") : base__buf_str(text);
    normal   n = { .sign = digits.data[0] == '-' ? -1 : 1 };
    if (n.sign < 0) digits = (corm_str){ digits.data + 1, digits.len - 1 };
    n.exponent = (int64_t)digits.len - scale;
    while (digits.len > 0 && digits.data[digits.len - 1] == '0') digits.len--;
    n.digits = digits;
    if (digits.len == 0) n.sign = 0;
    return n;
}

static int compare_normal(const normal *a, const normal *b) {
    if (a->sign != b->sign) return a->sign < b->sign ? -1 : 1;
    if (a->sign == 0) return 0;
    if (a->exponent != b->exponent) return a->exponent < b->exponent ? -a->sign : a->sign;
    int order = base__str_compare(a->digits, b->digits);
    return a->sign * ((order > 0) - (order < 0));
}

static bool same_scale(cql_value a, cql_value b) {
    return a.len > 4 && b.len > 4 && base__load_u32(a.data) == base__load_u32(b.data);
}

int cql__decimal_compare(cql_value a, cql_value b) {
    if (same_scale(a, b)) {
        return cql__varint_compare((cql_value){ a.data + 4, a.len - 4 },
                                   (cql_value){ b.data + 4, b.len - 4 });
    }
    base_buf x = { 0 };
    base_buf y = { 0 };
    normal   p = normalise(a, &x);
    normal   q = normalise(b, &y);
    int      order = compare_normal(&p, &q);
    base__buf_free(&x);
    base__buf_free(&y);
    return order;
}

static void put_exponent(int64_t e, base_buf *out) {
    if (e >= -100 && e <= 100) {
        base__buf_u8(out, (uint8_t)(0x80 + e));
        return;
    }
    uint64_t biased = (uint64_t)(e + (INT64_C(1) << 39));
    base__buf_u8(out, e < 0 ? 0x01 : 0xff);
    base__buf_u8(out, (uint8_t)(biased >> 32));
    base__buf_u32(out, (uint32_t)biased);
}

static void put_normal(const normal *n, base_buf *out) {
    base__buf_u8(out, (uint8_t)(n->sign + 1));
    if (n->sign == 0) return;
    size_t start = out->len;
    put_exponent(n->exponent, out);
    for (size_t i = 0; i < n->digits.len; i += 2) {
        int high = n->digits.data[i] - '0';
        int low = i + 1 < n->digits.len ? n->digits.data[i + 1] - '0' : 0;
        base__buf_u8(out, (uint8_t)(high * 10 + low + 1));
    }
    base__buf_u8(out, 0);
    for (size_t i = start; n->sign < 0 && i < out->len && !out->failed; i++)
        out->data[i] = (uint8_t)~out->data[i];
}

void cql__decimal_order(cql_value value, base_buf *out) {
    base_buf text = { 0 };
    normal   n = normalise(value, &text);
    put_normal(&n, out);
    if (text.failed) out->failed = true;
    base__buf_free(&text);
}
