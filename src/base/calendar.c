// SPDX-License-Identifier: MIT
/* calendar.c -- dates of the proleptic Gregorian calendar and the text form of timestamps. Pure.
 *
 * Days are counted from 0000-03-01, so that the leap day is the last of its year, in eras of 400
 * years = 146,097 days. */
#include "base/calendar.h"

#include "base/clock.h"
#include "base/fail.h"
#include "base/text.h"

#include <stdio.h>

enum { ERA_YEARS = 400, ERA_DAYS = 146097, DAYS_TO_1970 = 719468, MOST_YEAR = 300000000 };

static int64_t floor_div(int64_t a, int64_t b) {
    return a / b - (a % b < 0);
}

/* Days before a month of a year that begins in March (0): 30.6 days a month, rounded down. */
static int64_t days_before_month(int64_t month) {
    return (153 * month + 2) / 5;
}

int64_t base__days_of_civil(base_civil civil) {
    int64_t year = civil.month <= 2 ? civil.year - 1 : civil.year;
    int64_t era = floor_div(year, ERA_YEARS);
    int64_t of_era = year - era * ERA_YEARS;
    int64_t of_year = days_before_month((civil.month + 9) % 12) + civil.day - 1;
    int64_t era_days = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    return era * ERA_DAYS + era_days - DAYS_TO_1970;
}

base_civil base__civil_of_days(int64_t days) {
    days += DAYS_TO_1970;
    int64_t    era = floor_div(days, ERA_DAYS);
    int64_t    era_days = days - era * ERA_DAYS;
    int64_t    of_era = (era_days - era_days / 1460 + era_days / 36524 - era_days / 146096) / 365;
    int64_t    of_year = era_days - (of_era * 365 + of_era / 4 - of_era / 100);
    int64_t    month = (5 * of_year + 2) / 153;
    base_civil out;
    out.day = (int32_t)(of_year - days_before_month(month) + 1);
    out.month = (int32_t)(month < 10 ? month + 3 : month - 9);
    out.year = era * ERA_YEARS + of_era + (out.month <= 2);
    return out;
}

static bool is_leap(int64_t year) {
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

bool base__civil_valid(base_civil civil) {
    static const int32_t month_days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    if (civil.month < 1 || civil.month > 12 || civil.day < 1) return false;
    bool leap_day = civil.month == 2 && is_leap(civil.year);
    return civil.day <= month_days[civil.month - 1] + leap_day;
}

/* Reads what a date or time is made of from the front of `text`. */
typedef struct scanner {
    corm_str text;
    size_t   at;
} scanner;

static char peek(const scanner *s) {
    return s->at < s->text.len ? s->text.data[s->at] : '\0';
}

static bool accept(scanner *s, char c) {
    if (peek(s) != c || s->at >= s->text.len) return false;
    s->at++;
    return true;
}

/* Reads `least` to `most` digits; false when there are fewer. */
static bool read_digits(scanner *s, int least, int most, int64_t *out) {
    int count = 0;
    *out = 0;
    while (count < most && peek(s) >= '0' && peek(s) <= '9') {
        *out = *out * 10 + (peek(s) - '0');
        s->at++;
        count++;
    }
    return count >= least;
}

static bool read_date(scanner *s, base_civil *out) {
    bool    negative = accept(s, '-');
    int64_t month, day;
    if (!negative) accept(s, '+');
    if (!read_digits(s, 4, 9, &out->year) || !accept(s, '-')) return false;
    if (!read_digits(s, 2, 2, &month) || !accept(s, '-')) return false;
    if (!read_digits(s, 2, 2, &day)) return false;
    if (negative) out->year = -out->year;
    out->month = (int32_t)month;
    out->day = (int32_t)day;
    return base__civil_valid(*out) && out->year <= MOST_YEAR && out->year >= -MOST_YEAR;
}

size_t base__civil_read(corm_str text, base_civil *out) {
    scanner s = { text, 0 };
    return read_date(&s, out) ? s.at : 0;
}

size_t base__civil_write(base_civil civil, char out[24]) {
    const char *sign = civil.year < 0 ? "-" : civil.year > 9999 ? "+" : "";
    long long   year = civil.year < 0 ? -civil.year : civil.year;
    int len = snprintf(out, 24, "%s%04lld-%02d-%02d", sign, year, (int)civil.month, (int)civil.day);
    return (size_t)len;
}

/* hh:mm[:ss[.fraction]]; digits of the fraction beyond the milliseconds are dropped. */
static bool read_clock(scanner *s, int64_t *ms) {
    int64_t hour, minute, second = 0, fraction = 0;
    if (!read_digits(s, 2, 2, &hour) || !accept(s, ':')) return false;
    if (!read_digits(s, 2, 2, &minute)) return false;
    if (accept(s, ':')) {
        if (!read_digits(s, 2, 2, &second)) return false;
        if (accept(s, '.')) {
            size_t start = s->at;
            if (!read_digits(s, 1, 9, &fraction)) return false;
            for (size_t digits = s->at - start; digits < 3; digits++) fraction *= 10;
            for (size_t digits = s->at - start; digits > 3; digits--) fraction /= 10;
        }
    }
    *ms = ((hour * 60 + minute) * 60 + second) * 1000 + fraction;
    return hour < 24 && minute < 60 && second < 60;
}

static bool accept_word(scanner *s, const char *word) {
    corm_str rest = { s->text.data + s->at, s->text.len - s->at };
    if (!corm_str_equal(rest, corm_str_of(word))) return false;
    s->at = s->text.len;
    return true;
}

/* Z, UTC, GMT, +hh, +hhmm or +hh:mm, with one space before it or none; nothing is UTC. */
static bool read_zone(scanner *s, int64_t *offset_ms) {
    *offset_ms = 0;
    if (s->at == s->text.len) return true;
    accept(s, ' ');
    if (accept_word(s, "Z") || accept_word(s, "UTC") || accept_word(s, "GMT")) return true;
    bool    negative = accept(s, '-');
    int64_t hours, minutes = 0;
    if (!negative && !accept(s, '+')) return false;
    if (!read_digits(s, 2, 2, &hours)) return false;
    if (s->at < s->text.len) {
        accept(s, ':');
        if (!read_digits(s, 2, 2, &minutes)) return false;
    }
    *offset_ms = (hours * 60 + minutes) * 60000 * (negative ? -1 : 1);
    return minutes < 60 && hours * 60 + minutes <= 18 * 60;
}

/* A day before 1970 is counted from its end, because the first day's beginning does not fit. */
static bool add_days(int64_t days, int64_t ms, int64_t *out) {
    if (days < 0) {
        days++;
        ms -= BASE_DAY_MS;
    }
    int64_t product;
    if (__builtin_mul_overflow(days, BASE_DAY_MS, &product)) return false;
    return !__builtin_add_overflow(product, ms, out);
}

static bool read_timestamp(corm_str text, int64_t *out) {
    if (base__parse_i64(text, out)) return true;
    scanner    s = { text, 0 };
    base_civil civil;
    int64_t    clock_ms = 0;
    int64_t    offset_ms;
    if (!read_date(&s, &civil)) return false;
    char mark = peek(&s);
    char after = s.at + 1 < text.len ? text.data[s.at + 1] : '\0';
    if (mark == 'T' || (mark == ' ' && after >= '0' && after <= '9')) {
        s.at++;
        if (!read_clock(&s, &clock_ms)) return false;
    }
    if (!read_zone(&s, &offset_ms) || s.at != text.len) return false;
    return add_days(base__days_of_civil(civil), clock_ms - offset_ms, out);
}

corm_timestamp corm_timestamp_now(void) {
    return (corm_timestamp){ base__clock_ms() };
}

corm_status corm_timestamp_parse(const char *text, corm_timestamp *out, corm_error *err) {
    int64_t ms;
    if (!read_timestamp(corm_str_of(text), &ms)) {
        return base__fail(err, CORM_CONVERSION, "'%s' is not a timestamp", text ? text : "");
    }
    out->ms = ms;
    return CORM_OK;
}

void corm_timestamp_format(corm_timestamp timestamp, char out[40]) {
    int64_t days = floor_div(timestamp.ms, BASE_DAY_MS);
    int     rest = (int)(timestamp.ms % BASE_DAY_MS);
    if (rest < 0) rest += (int)BASE_DAY_MS;
    size_t len = base__civil_write(base__civil_of_days(days), out);
    snprintf(out + len, 40 - len, " %02d:%02d:%02d.%03dZ", rest / 3600000, rest / 60000 % 60,
             rest / 1000 % 60, rest % 1000);
}
