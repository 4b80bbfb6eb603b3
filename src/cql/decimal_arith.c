// SPDX-License-Identifier: MIT
/* decimal_arith.c -- arithmetic on decimals as the server's DecimalType does it. Pure; any
 * thread.
 *
 * Sums, differences and products are rounded half up to 10,000 digits. The scale of every result
 * is Java's: 1.0 + 1 is 2.0, 1.00 % 3 is 1.00. */
#include "base/fail.h"
#include "cql/decimal.h"

enum { MOST_PRECISION = 10000, LEAST_SCALE = 32, MOST_SCALE = 1000 };

static corm_status out_of_range(int64_t scale, corm_error *err) {
    return base__fail(err, CORM_INVALID, scale > 0 ? "Underflow" : "Overflow");
}

static bool is_zero(const cql_decimal *d) {
    return mpz_sgn(d->unscaled) == 0;
}

static int64_t precision(const cql_decimal *d) {
    return (int64_t)cql__bigint_digits(d->unscaled);
}

static void times_pow10(mpz_t v, int64_t exponent) {
    if (exponent <= 0) return;
    mpz_t power;
    mpz_init(power);
    cql__bigint_pow10(power, (uint32_t)exponent);
    mpz_mul(v, v, power);
    mpz_clear(power);
}

/* v / by, rounded half away from zero. */
static void divide_half_up(mpz_t v, const mpz_t by) {
    mpz_t rest;
    int   sign = mpz_sgn(v) * mpz_sgn(by);
    mpz_init(rest);
    mpz_tdiv_qr(v, rest, v, by);
    mpz_mul_2exp(rest, rest, 1);
    if (mpz_cmpabs(rest, by) >= 0) (sign < 0 ? mpz_sub_ui : mpz_add_ui)(v, v, 1);
    mpz_clear(rest);
}

static corm_status set_scale(cql_decimal *d, int64_t scale, corm_error *err) {
    if (scale != (int32_t)scale) {
        if (!is_zero(d)) return out_of_range(scale, err);
        scale = scale > 0 ? INT32_MAX : INT32_MIN;
    }
    d->scale = (int32_t)scale;
    return CORM_OK;
}

static corm_status round_digits(cql_decimal *d, corm_error *err) {
    int64_t drop;
    while ((drop = precision(d) - MOST_PRECISION) > 0) {
        mpz_t power;
        mpz_init(power);
        cql__bigint_pow10(power, (uint32_t)drop);
        divide_half_up(d->unscaled, power);
        mpz_clear(power);
        CORM_TRY(set_scale(d, (int64_t)d->scale - drop, err));
    }
    return CORM_OK;
}

/* Takes zeros from the end as long as the scale stays at `least` or above. */
static void strip_zeros(cql_decimal *d, int64_t least) {
    while (d->scale > least && !is_zero(d) && mpz_divisible_ui_p(d->unscaled, 10)) {
        mpz_divexact_ui(d->unscaled, d->unscaled, 10);
        d->scale--;
    }
}

/* a + b where one is zero: the other, with the greater of both scales as far as the precision
 * allows. */
static corm_status add_zero(cql_decimal *a, const cql_decimal *b, corm_error *err) {
    int64_t scale = a->scale > b->scale ? a->scale : b->scale;
    if (is_zero(a)) {
        mpz_set(a->unscaled, b->unscaled);
        a->scale = b->scale;
    }
    if (is_zero(a)) return set_scale(a, scale, err);
    CORM_TRY(round_digits(a, err));
    if (a->scale > scale) strip_zeros(a, scale);
    int64_t wanted = scale - a->scale;
    int64_t room = MOST_PRECISION - precision(a);
    if (wanted > room) wanted = room;
    if (wanted <= 0) return CORM_OK;
    times_pow10(a->unscaled, wanted);
    return set_scale(a, a->scale + wanted, err);
}

/* A number that is too small to be seen in the sum is replaced by one just below its last digit,
 * so that it still decides the rounding. */
static corm_status shrink_invisible(const cql_decimal *big, cql_decimal *small, corm_error *err) {
    int64_t last = (int64_t)big->scale - precision(big) + MOST_PRECISION;
    int64_t first = (int64_t)small->scale - precision(small) + 1;
    if (first <= (int64_t)big->scale + 2 || first <= last + 2) return CORM_OK;
    mpz_set_si(small->unscaled, mpz_sgn(small->unscaled));
    return set_scale(small, (big->scale > last ? big->scale : last) + 3, err);
}

static corm_status add(cql_decimal *a, cql_decimal *b, corm_error *err) {
    if (is_zero(a) || is_zero(b)) return add_zero(a, b, err);
    if (a->scale < b->scale)
        CORM_TRY(shrink_invisible(a, b, err));
    else if (a->scale > b->scale)
        CORM_TRY(shrink_invisible(b, a, err));
    times_pow10(a->unscaled, (int64_t)b->scale - a->scale);
    times_pow10(b->unscaled, (int64_t)a->scale - b->scale);
    mpz_add(a->unscaled, a->unscaled, b->unscaled);
    if (b->scale > a->scale) a->scale = b->scale;
    return round_digits(a, err);
}

static corm_status multiply(cql_decimal *a, const cql_decimal *b, corm_error *err) {
    CORM_TRY(set_scale(a, (int64_t)a->scale + b->scale, err));
    mpz_mul(a->unscaled, a->unscaled, b->unscaled);
    return round_digits(a, err);
}

static int64_t greater(int64_t a, int64_t b) {
    return a > b ? a : b;
}

static corm_status divide(cql_decimal *a, cql_decimal *b, corm_error *err) {
    int64_t first = (precision(a) - a->scale) - (precision(b) - b->scale);
    int64_t scale = greater(greater(LEAST_SCALE - first, a->scale), greater(b->scale, LEAST_SCALE));
    if (scale > MOST_SCALE) scale = MOST_SCALE;
    int64_t raise = scale + b->scale - a->scale;
    if (raise > CQL_MOST_DIGITS || raise < -CQL_MOST_DIGITS) {
        if (raise > 0 && !is_zero(a)) return out_of_range(-1, err);
        mpz_set_ui(a->unscaled, 0);
    }
    if (is_zero(a)) return set_scale(a, 0, err);
    times_pow10(a->unscaled, raise);
    times_pow10(b->unscaled, -raise);
    divide_half_up(a->unscaled, b->unscaled);
    CORM_TRY(set_scale(a, is_zero(a) ? 0 : scale, err));
    strip_zeros(a, INT32_MIN);
    return CORM_OK;
}

/* The scale that the whole quotient has in Java: the difference of the scales, but with no digit
 * lost. */
static int64_t quotient_scale(const mpz_t quotient, int64_t preferred) {
    if (preferred >= 0) return preferred;
    cql_decimal q = { .scale = 0 };
    mpz_init_set(q.unscaled, quotient);
    strip_zeros(&q, greater(preferred, INT32_MIN));
    cql__decimal_free(&q);
    return q.scale;
}

/* a - b * whole(a / b) */
static corm_status modulo(cql_decimal *a, cql_decimal *b, corm_error *err) {
    int64_t raise = (int64_t)b->scale - a->scale;
    int64_t first = (precision(a) - a->scale) - (precision(b) - b->scale);
    if (is_zero(a) || first < 0) return CORM_OK;
    if (raise > CQL_MOST_DIGITS || raise < -CQL_MOST_DIGITS) return out_of_range(-1, err);
    int64_t preferred = -raise;
    int64_t common = greater(a->scale, b->scale);
    mpz_t   quotient;
    mpz_init(quotient);
    times_pow10(a->unscaled, raise);
    times_pow10(b->unscaled, -raise);
    mpz_tdiv_qr(quotient, a->unscaled, a->unscaled, b->unscaled);
    int64_t scale = a->scale;
    if (mpz_sgn(quotient) != 0)
        scale = greater(scale, quotient_scale(quotient, preferred) + b->scale);
    mpz_clear(quotient);
    a->scale = (int32_t)common;
    mpz_t power;
    mpz_init(power);
    cql__bigint_pow10(power, (uint32_t)(common - scale));
    mpz_divexact(a->unscaled, a->unscaled, power);
    mpz_clear(power);
    return set_scale(a, scale, err);
}

static corm_status calculate(cql_arith op, cql_decimal *a, cql_decimal *b, corm_error *err) {
    switch (op) {
    case CQL_ADD: return add(a, b, err);
    case CQL_SUB: mpz_neg(b->unscaled, b->unscaled); return add(a, b, err);
    case CQL_MUL: return multiply(a, b, err);
    case CQL_DIV: return divide(a, b, err);
    case CQL_MOD: return modulo(a, b, err);
    }
    return base__fail(err, CORM_INVALID_ARGUMENT, "unknown operator");
}

static corm_status division_by_zero(cql_arith op, const cql_decimal *a, corm_error *err) {
    if (op == CQL_DIV) return base__fail(err, CORM_INVALID, "BigInteger divide by zero");
    return base__fail(err, CORM_INVALID, is_zero(a) ? "Division undefined" : "Division by zero");
}

corm_status cql__decimal_arith(cql_arith op, cql_value a, cql_value b, base_buf *out,
                               corm_error *err) {
    cql_decimal x, y;
    cql__decimal_load(&x, a);
    cql__decimal_load(&y, b);
    corm_status status;
    if ((op == CQL_DIV || op == CQL_MOD) && is_zero(&y)) {
        status = division_by_zero(op, &x, err);
    } else {
        status = calculate(op, &x, &y, err);
    }
    if (status == CORM_OK) cql__decimal_store(&x, out);
    cql__decimal_free(&x);
    cql__decimal_free(&y);
    return status == CORM_OK ? base__buf_status(out, err) : status;
}
