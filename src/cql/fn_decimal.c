// SPDX-License-Identifier: MIT
/* fn_decimal.c -- exp, log, log10, rounding and shares of decimals, in GMP's whole numbers.
 *
 * A number in "fixed point" here is an mpz that counts units of 2^-bits. Results are rounded once, half to even,
 * from more digits than are shown, as the server's library does. Pure; any thread. */
#include "cql/bigint.h"
#include "cql/fn.h"

enum { LEAST_DIGITS = 32, MOST_DIGITS = 10000, GUARD_BITS = 160 };

int32_t cql__fn_scale(cql_value decimal) {
    return (int32_t)base__load_u32(decimal.data);
}

static void load_unscaled(mpz_t out, cql_value decimal) {
    cql__bigint_load(out, decimal.data + 4, (size_t)decimal.len - 4);
}

static void store_decimal(const mpz_t unscaled, int64_t scale, base_buf *out) {
    base__buf_i32(out, (int32_t)scale);
    cql__bigint_store(unscaled, out);
}

void cql__fn_varint_abs(cql_value varint, base_buf *out) {
    mpz_t v;
    mpz_init(v);
    cql__bigint_load(v, varint.data, (size_t)varint.len);
    mpz_abs(v, v);
    cql__bigint_store(v, out);
    mpz_clear(v);
}

void cql__fn_varint_negate(cql_value varint, base_buf *out) {
    mpz_t v;
    mpz_init(v);
    cql__bigint_load(v, varint.data, (size_t)varint.len);
    mpz_neg(v, v);
    cql__bigint_store(v, out);
    mpz_clear(v);
}

/* ---- decimal digits ---- */

static int64_t digits_of(const mpz_t v) {
    return (int64_t)cql__bigint_digits(v);
}

static void times_ten_to(mpz_t v, int64_t exponent) {
    mpz_t power;
    mpz_init(power);
    cql__bigint_pow10(power, (uint32_t)exponent);
    mpz_mul(v, v, power);
    mpz_clear(power);
}

/* v / by to the nearest, ties to even. */
static void divide_even(mpz_t v, const mpz_t by) {
    mpz_t rest;
    int   sign = mpz_sgn(v);
    mpz_init(rest);
    mpz_tdiv_qr(v, rest, v, by);
    mpz_mul_2exp(rest, rest, 1);
    int half = mpz_cmpabs(rest, by);
    if (half > 0 || (half == 0 && mpz_odd_p(v))) {
        if (sign < 0) {
            mpz_sub_ui(v, v, 1);
        } else {
            mpz_add_ui(v, v, 1);
        }
    }
    mpz_clear(rest);
}

/* Rounds unscaled * 10^-scale to at most `digits`; gives the new scale. */
static int64_t round_to(mpz_t unscaled, int64_t scale, int64_t digits) {
    for (int64_t extra; (extra = digits_of(unscaled) - digits) > 0; scale -= extra) {
        mpz_t power;
        mpz_init(power);
        cql__bigint_pow10(power, (uint32_t)extra);
        divide_even(unscaled, power);
        mpz_clear(power);
    }
    return scale;
}

/* One more digit that is not zero: what was cut off makes no tie. */
static void mark_inexact(mpz_t v) {
    bool negative = mpz_sgn(v) < 0;
    mpz_mul_ui(v, v, 10);
    if (negative) {
        mpz_sub_ui(v, v, 1);
    } else {
        mpz_add_ui(v, v, 1);
    }
}

/* A fixed point number as exactly `digits` decimal digits: v becomes unscaled; gives the scale. */
static int64_t to_digits(mpz_t v, mp_bitcnt_t bits, int64_t digits) {
    int64_t magnitude = ((int64_t)mpz_sizeinbase(v, 2) - (int64_t)bits) * 30103 / 100000;
    int64_t scale = digits + 2 - magnitude;
    mpz_t   unit;
    mpz_init_set_ui(unit, 1);
    mpz_mul_2exp(unit, unit, bits);
    if (scale >= 0) {
        times_ten_to(v, scale);
    } else {
        times_ten_to(unit, -scale);
    }
    mpz_tdiv_q(v, v, unit);
    mpz_clear(unit);
    mark_inexact(v);
    return round_to(v, scale + 1, digits);
}

/* ---- constants and series in fixed point ---- */

/* out += factor * atanh(1 / n) */
static void add_atanh(mpz_t out, unsigned long factor, unsigned long n, mp_bitcnt_t bits) {
    mpz_t power, term;
    mpz_inits(power, term, NULL);
    mpz_set_ui(power, factor);
    mpz_mul_2exp(power, power, bits);
    mpz_tdiv_q_ui(power, power, n);
    for (unsigned long k = 1; mpz_sgn(power) != 0; k += 2) {
        mpz_tdiv_q_ui(term, power, k);
        mpz_add(out, out, term);
        mpz_tdiv_q_ui(power, power, n * n);
    }
    mpz_clears(power, term, NULL);
}

static void ln_ten(mpz_t out, mp_bitcnt_t bits) {
    mpz_set_ui(out, 0);
    add_atanh(out, 46, 31, bits);
    add_atanh(out, 34, 49, bits);
    add_atanh(out, 20, 161, bits);
}

static void multiply(mpz_t v, const mpz_t by, mp_bitcnt_t bits) {
    mpz_mul(v, v, by);
    mpz_tdiv_q_2exp(v, v, bits);
}

/* ln of a number from 1 to 10: roots bring it near 1, where 2 atanh((v-1)/(v+1)) ends soon. */
static void ln_small(mpz_t v, mp_bitcnt_t bits) {
    enum { ROOTS = 20 };
    mpz_t power, square, term;
    mpz_inits(power, square, term, NULL);
    for (int i = 0; i < ROOTS; i++) {
        mpz_mul_2exp(v, v, bits);
        mpz_sqrt(v, v);
    }
    mpz_set_ui(term, 1);
    mpz_mul_2exp(term, term, bits);
    mpz_sub(power, v, term);
    mpz_add(term, v, term);
    mpz_mul_2exp(power, power, bits);
    mpz_tdiv_q(power, power, term);
    mpz_mul(square, power, power);
    mpz_tdiv_q_2exp(square, square, bits);
    mpz_set_ui(v, 0);
    for (unsigned long k = 1; mpz_sgn(power) != 0; k += 2) {
        mpz_tdiv_q_ui(term, power, k);
        mpz_add(v, v, term);
        multiply(power, square, bits);
    }
    mpz_mul_2exp(v, v, ROOTS + 1);
    mpz_clears(power, square, term, NULL);
}

/* e^v of a number from 0 to 2.31: halved, a Taylor series, squared again. */
static void exp_small(mpz_t v, mp_bitcnt_t bits) {
    enum { HALVINGS = 24 };
    mpz_t term, step;
    mpz_inits(term, step, NULL);
    mpz_tdiv_q_2exp(step, v, HALVINGS);
    mpz_set_ui(term, 1);
    mpz_mul_2exp(term, term, bits);
    mpz_set(v, term);
    for (unsigned long k = 1; mpz_sgn(term) != 0; k++) {
        multiply(term, step, bits);
        mpz_tdiv_q_ui(term, term, k);
        mpz_add(v, v, term);
    }
    for (int i = 0; i < HALVINGS; i++) multiply(v, v, bits);
    mpz_clears(term, step, NULL);
}

static mp_bitcnt_t bits_for(int64_t digits) {
    return (mp_bitcnt_t)(digits * 10 / 3 + GUARD_BITS);
}

/* ---- curves ---- */

/* ln(unscaled * 10^-scale) to `digits` digits; the number is positive and not 1. */
static int64_t ln_of(mpz_t unscaled, int64_t scale, int64_t digits) {
    int64_t     count = digits_of(unscaled);
    mp_bitcnt_t bits = bits_for(digits + 2 * count + 20);
    mpz_t       part;
    mpz_init_set_ui(part, 1);
    times_ten_to(part, count - 1);
    mpz_mul_2exp(unscaled, unscaled, bits);
    mpz_tdiv_q(unscaled, unscaled, part);
    ln_small(unscaled, bits);
    ln_ten(part, bits);
    mpz_mul_si(part, part, (long)(count - 1 - scale));
    mpz_add(unscaled, unscaled, part);
    mpz_clear(part);
    return to_digits(unscaled, bits, digits);
}

static bool is_one(const mpz_t unscaled, int64_t scale) {
    if (scale < 0 || scale >= digits_of(unscaled)) return false;
    mpz_t power;
    mpz_init_set_ui(power, 1);
    times_ten_to(power, scale);
    bool one = mpz_cmp(power, unscaled) == 0;
    mpz_clear(power);
    return one;
}

static void put_log(mpz_t unscaled, int64_t scale, int64_t digits, base_buf *out) {
    if (is_one(unscaled, scale)) {
        mpz_set_ui(unscaled, 0);
        scale = 0;
    } else {
        scale = ln_of(unscaled, scale, digits);
    }
    store_decimal(unscaled, scale, out);
}

/* v * 10^-scale by ten * 10^-ten_scale, exact or to `digits`. An exact quotient has as few digits as the
 * operands' scales ask for. */
static int64_t quotient(mpz_t v, int64_t scale, const mpz_t ten, int64_t ten_scale,
                        int64_t digits) {
    int64_t wanted = scale - ten_scale;
    int64_t shift = digits + 3 + digits_of(ten) - digits_of(v);
    mpz_t   rest;
    if (mpz_sgn(v) == 0) return wanted;
    mpz_init(rest);
    times_ten_to(v, shift);
    mpz_tdiv_qr(v, rest, v, ten);
    scale = wanted + shift;
    if (mpz_sgn(rest) == 0) {
        for (; scale > wanted && mpz_divisible_ui_p(v, 10); scale--) mpz_tdiv_q_ui(v, v, 10);
    } else {
        mark_inexact(v);
        scale++;
    }
    mpz_clear(rest);
    return round_to(v, scale, digits);
}

static void put_log10(mpz_t unscaled, int64_t scale, int64_t digits, base_buf *out) {
    int64_t inner = digits + 2;
    mpz_t   ten;
    mpz_init_set_ui(ten, 10);
    if (is_one(unscaled, scale)) {
        mpz_set_ui(unscaled, 0);
        scale = 0;
    } else {
        scale = ln_of(unscaled, scale, inner);
    }
    int64_t ten_scale = ln_of(ten, 0, inner);
    scale = quotient(unscaled, scale, ten, ten_scale, inner);
    scale = round_to(unscaled, scale, digits);
    store_decimal(unscaled, scale, out);
    mpz_clear(ten);
}

static corm_status fail_arithmetic(const char *why, corm_error *err) {
    return base__fail(err, CORM_SERVER_ERROR, "java.lang.ArithmeticException: %s", why);
}

/* Whether a number's whole part is beyond an int, which the server refuses. */
static bool is_beyond_int(const mpz_t unscaled, int64_t scale) {
    enum { INT_DIGITS = 10 };
    int64_t whole = digits_of(unscaled) - scale;
    if (whole != INT_DIGITS) return whole > INT_DIGITS;
    mpz_t v;
    mpz_init_set(v, unscaled);
    if (scale < 0) {
        times_ten_to(v, -scale);
    } else {
        mpz_t power;
        mpz_init_set_ui(power, 1);
        times_ten_to(power, scale);
        mpz_tdiv_q(v, v, power);
        mpz_clear(power);
    }
    bool beyond = !mpz_fits_sint_p(v);
    mpz_clear(v);
    return beyond;
}

static corm_status put_exp(mpz_t v, int64_t scale, int64_t digits, base_buf *out, corm_error *err) {
    mp_bitcnt_t bits = bits_for(digits + 20);
    mpz_t       ten, power;
    if (is_beyond_int(v, scale)) return fail_arithmetic("Overflow", err);
    mpz_inits(ten, power, NULL);
    mpz_mul_2exp(v, v, bits);
    if (scale > (int64_t)bits + digits_of(v)) {
        mpz_set_ui(v, 0);
    } else if (scale > 0) {
        cql__bigint_pow10(power, (uint32_t)scale);
        mpz_tdiv_q(v, v, power);
    } else {
        times_ten_to(v, -scale);
    }
    ln_ten(ten, bits);
    mpz_fdiv_qr(power, v, v, ten);
    exp_small(v, bits);
    scale = to_digits(v, bits, digits) - mpz_get_si(power);
    store_decimal(v, scale, out);
    mpz_clears(ten, power, NULL);
    return CORM_OK;
}

static int64_t precision_for(const mpz_t unscaled) {
    int64_t digits = digits_of(unscaled);
    if (digits < LEAST_DIGITS) return LEAST_DIGITS;
    return digits > MOST_DIGITS ? MOST_DIGITS : digits;
}

static corm_status put_curve(cql_fn_curve curve, mpz_t v, int64_t scale, base_buf *out,
                             corm_error *err) {
    int64_t digits = precision_for(v);
    if (curve != CQL_FN_EXP && mpz_sgn(v) <= 0) {
        return fail_arithmetic(curve == CQL_FN_LOG ? "Natural log of number zero or less"
                                                   : "Log10 of number zero or less",
                               err);
    }
    if (curve == CQL_FN_LOG) {
        put_log(v, scale, digits, out);
    } else if (curve == CQL_FN_LOG10) {
        put_log10(v, scale, digits, out);
    } else if (mpz_sgn(v) == 0) {
        mpz_set_ui(v, 1);
        store_decimal(v, 0, out);
    } else {
        return put_exp(v, scale, digits, out, err);
    }
    return CORM_OK;
}

corm_status cql__fn_decimal_curve(cql_fn_curve curve, cql_value decimal, base_buf *out,
                                  corm_error *err) {
    mpz_t v;
    mpz_init(v);
    load_unscaled(v, decimal);
    corm_status status = put_curve(curve, v, cql__fn_scale(decimal), out, err);
    mpz_clear(v);
    return status;
}

/* ---- whole parts ---- */

/* v * 10^-scale cut to a whole number; half: rounded half away from zero instead. */
static corm_status to_whole(mpz_t v, int64_t scale, bool half, corm_error *err) {
    if (mpz_sgn(v) == 0 || scale == 0) return CORM_OK;
    if (-scale > CQL_MOST_DIGITS)
        return fail_arithmetic("BigInteger would overflow supported range", err);
    if (scale < 0) {
        times_ten_to(v, -scale);
    } else if (scale > digits_of(v)) {
        mpz_set_ui(v, 0);
    } else {
        mpz_t power, rest;
        int   sign = mpz_sgn(v);
        mpz_init_set_ui(power, 1);
        mpz_init(rest);
        times_ten_to(power, scale);
        mpz_tdiv_qr(v, rest, v, power);
        mpz_mul_2exp(rest, rest, 1);
        if (half && mpz_cmpabs(rest, power) >= 0) {
            if (sign < 0) {
                mpz_sub_ui(v, v, 1);
            } else {
                mpz_add_ui(v, v, 1);
            }
        }
        mpz_clears(power, rest, NULL);
    }
    return CORM_OK;
}

corm_status cql__fn_decimal_whole(cql_value decimal, base_buf *out, corm_error *err) {
    mpz_t v;
    mpz_init(v);
    load_unscaled(v, decimal);
    corm_status status = to_whole(v, cql__fn_scale(decimal), false, err);
    if (status == CORM_OK) cql__bigint_store(v, out);
    mpz_clear(v);
    return status;
}

corm_status cql__fn_decimal_round(cql_value decimal, base_buf *out, corm_error *err) {
    mpz_t v;
    mpz_init(v);
    load_unscaled(v, decimal);
    corm_status status = to_whole(v, cql__fn_scale(decimal), true, err);
    if (status == CORM_OK) store_decimal(v, 0, out);
    mpz_clear(v);
    return status;
}

corm_status cql__fn_decimal_share(cql_value decimal, uint64_t count, base_buf *out,
                                  corm_error *err) {
    mpz_t v, by;
    mpz_init(v);
    mpz_init_set_ui(by, (unsigned long)count);
    load_unscaled(v, decimal);
    divide_even(v, by);
    store_decimal(v, cql__fn_scale(decimal), out);
    mpz_clears(v, by, NULL);
    return base__buf_status(out, err);
}
