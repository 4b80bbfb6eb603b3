// SPDX-License-Identifier: MIT
/* number.c -- numbers from and to text, the same in every locale. Pure.
 *
 * The text of a float is the shortest decimal that reads back as the same float, nearest to it
 * among those, with at least two digits: the form of Double.toString since JDK 19. */
#include "base/text.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST_DIGITS = 17, SCRATCH = 40 };

static pthread_once_t locale_once = PTHREAD_ONCE_INIT;
static locale_t       c_locale; /* written once under locale_once; lives as long as the process */

static void make_locale(void) {
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

/* Switches this thread to the C locale; the caller switches back. */
static locale_t enter_c_locale(void) {
    pthread_once(&locale_once, make_locale);
    return uselocale(c_locale);
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool base__parse_i64(corm_str text, int64_t *out) {
    size_t i = text.len > 0 && (text.data[0] == '-' || text.data[0] == '+');
    bool   negative = i == 1 && text.data[0] == '-';
    if (i == text.len) return false;
    int64_t value = 0;
    for (; i < text.len; i++) {
        if (!is_digit(text.data[i])) return false;
        int digit = text.data[i] - '0';
        if (__builtin_mul_overflow(value, (int64_t)10, &value)) return false;
        if (__builtin_sub_overflow(value, (int64_t)digit, &value)) return false;
    }
    if (!negative && __builtin_sub_overflow((int64_t)0, value, &value)) return false;
    *out = value;
    return true;
}

static size_t skip_digits(corm_str text, size_t at) {
    while (at < text.len && is_digit(text.data[at])) at++;
    return at;
}

/* [+-] digits [. digits] [e [+-] digits], with a digit before or behind the dot. */
static bool is_decimal(corm_str text) {
    size_t start = text.len > 0 && (text.data[0] == '-' || text.data[0] == '+');
    size_t at = skip_digits(text, start);
    size_t digits = at - start;
    if (at < text.len && text.data[at] == '.') {
        size_t end = skip_digits(text, at + 1);
        digits += end - at - 1;
        at = end;
    }
    if (digits == 0) return false;
    if (at == text.len) return true;
    if (text.data[at] != 'e' && text.data[at] != 'E') return false;
    at++;
    if (at < text.len && (text.data[at] == '-' || text.data[at] == '+')) at++;
    size_t end = skip_digits(text, at);
    return end > at && end == text.len;
}

static bool parse_special(corm_str text, double *out) {
    double sign = 1;
    if (text.len > 0 && (text.data[0] == '-' || text.data[0] == '+')) {
        sign = text.data[0] == '-' ? -1 : 1;
        text = (corm_str){ text.data + 1, text.len - 1 };
    }
    if (base__str_equal_nocase(text, corm_str_of("nan"))) {
        *out = (double)NAN;
    } else if (base__str_equal_nocase(text, corm_str_of("infinity"))) {
        *out = sign * (double)INFINITY;
    } else {
        return false;
    }
    return true;
}

static bool parse_float(corm_str text, bool single, double *out) {
    if (!is_decimal(text)) return parse_special(text, out);
    char  small[64];
    char *copy = text.len < sizeof small ? small : malloc(text.len + 1);
    if (!copy) return false;
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    locale_t before = enter_c_locale();
    *out = single ? (double)strtof(copy, NULL) : strtod(copy, NULL);
    uselocale(before);
    if (copy != small) free(copy);
    return true;
}

bool base__parse_f64(corm_str text, double *out) {
    return parse_float(text, false, out);
}

bool base__parse_f32(corm_str text, float *out) {
    double v;
    if (!parse_float(text, true, &v)) return false;
    *out = (float)v;
    return true;
}

/* A positive number as digits d.ddd times 10^exponent. */
typedef struct decimal {
    char digits[MOST_DIGITS + 1];
    int  count;
    int  exponent;
} decimal;

/* What differs between float and double. */
typedef struct width {
    int    sure; /* digits that always survive text -> binary -> text */
    int    most; /* digits that tell all numbers apart */
    double smallest_normal;
    bool (*reads_back)(const char *text, double v);
} width;

static bool reads_back_double(const char *text, double v) {
    return strtod(text, NULL) == v;
}

static bool reads_back_float(const char *text, double v) {
    return strtof(text, NULL) == (float)v;
}

static const width double_width = { DBL_DIG, 17, DBL_MIN, reads_back_double };
static const width float_width = { FLT_DIG, 9, (double)FLT_MIN, reads_back_float };

static bool same_number(const decimal *d, const width *w, double v) {
    char text[SCRATCH];
    snprintf(text, sizeof text, "%.*se%d", d->count, d->digits, d->exponent - d->count + 1);
    return w->reads_back(text, v);
}

/* The decimal of `count` digits that is nearest to v. */
static void round_to(double v, int count, decimal *d) {
    char text[SCRATCH];
    snprintf(text, sizeof text, "%.*e", count - 1, v);
    d->digits[0] = text[0];
    memcpy(d->digits + 1, text + 2, (size_t)count - 1);
    d->count = count;
    d->exponent = (int)strtol(text + count + 2, NULL, 10);
}

/* The next greater decimal of the same count of digits. */
static void step_up(decimal *d) {
    for (int i = d->count - 1; i >= 0; i--) {
        if (d->digits[i] != '9') {
            d->digits[i]++;
            return;
        }
        d->digits[i] = '0';
    }
    d->digits[0] = '1';
    d->exponent++;
}

/* Below a power of two the numbers lie twice as dense as above it, so the nearest decimal of a
 * length may miss while the one above it hits. */
static bool try_count(double v, int count, const width *w, decimal *d) {
    round_to(v, count, d);
    if (same_number(d, w, v)) return true;
    decimal up = *d;
    step_up(&up);
    if (!same_number(&up, w, v)) return false;
    *d = up;
    return true;
}

static void shortest(double v, const width *w, decimal *d) {
    int count = v >= w->smallest_normal ? w->sure : 2;
    while (!try_count(v, count, w, d) && count < w->most) count++;
    while (d->count > 2 && d->digits[d->count - 1] == '0') d->count--;
}

static void put_zeros(base_buf *buf, int count) {
    while (count-- > 0) base__buf_u8(buf, '0');
}

/* 0.001 <= v < 10^7 */
static void put_plain(base_buf *buf, const decimal *d) {
    int whole = d->exponent + 1; /* digits before the dot */
    if (whole <= 0) {
        base__buf_puts(buf, "0.");
        put_zeros(buf, -whole);
        int count = d->count == 2 && d->digits[1] == '0' ? 1 : d->count;
        base__buf_put(buf, d->digits, (size_t)count);
        return;
    }
    int given = whole < d->count ? whole : d->count;
    base__buf_put(buf, d->digits, (size_t)given);
    put_zeros(buf, whole - given);
    base__buf_u8(buf, '.');
    if (given == d->count) {
        base__buf_u8(buf, '0');
    } else {
        base__buf_put(buf, d->digits + given, (size_t)(d->count - given));
    }
}

static void put_scientific(base_buf *buf, const decimal *d) {
    base__buf_u8(buf, (uint8_t)d->digits[0]);
    base__buf_u8(buf, '.');
    base__buf_put(buf, d->digits + 1, (size_t)d->count - 1);
    base__buf_printf(buf, "E%d", d->exponent);
}

static void put_number(base_buf *buf, double v, const width *w) {
    if (isnan(v)) {
        base__buf_puts(buf, "NaN");
        return;
    }
    if (signbit(v)) base__buf_u8(buf, '-');
    v = fabs(v);
    if (isinf(v)) {
        base__buf_puts(buf, "Infinity");
    } else if (v == 0) {
        base__buf_puts(buf, "0.0");
    } else {
        decimal  d = { 0 };
        locale_t before = enter_c_locale();
        shortest(v, w, &d);
        uselocale(before);
        (d.exponent >= -3 && d.exponent < 7 ? put_plain : put_scientific)(buf, &d);
    }
}

void base__put_double(base_buf *buf, double v) {
    put_number(buf, v, &double_width);
}

void base__put_float(base_buf *buf, float v) {
    put_number(buf, (double)v, &float_width);
}
