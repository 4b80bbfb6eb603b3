// SPDX-License-Identifier: MIT
/* fn_duration.c -- durations on the time line, as java.util.Calendar has it in UTC: Gregorian from 1582-10-15 on,
 * Julian before, months of different length. Arithmetic wraps around as the server's does. Pure; any thread. */
#include "base/calendar.h"
#include "cql/fn.h"
#include "cql/vint.h"

enum { NS_PER_MS = 1000000, MONTHS = 12 };

/* The first Gregorian day, 1582-10-15, in days since 1970. */
enum { FIRST_GREGORIAN_DAY = -141427 };

/* The zero of time of a version 1 UUID, 1582-10-15, in milliseconds since 1970. */
#define UUID_EPOCH_MS INT64_C(-12219292800000)

/* ---- wrapping arithmetic ---- */

static int64_t wrap_add(int64_t a, int64_t b) {
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

static int64_t wrap_sub(int64_t a, int64_t b) {
    return (int64_t)((uint64_t)a - (uint64_t)b);
}

static int64_t wrap_mul(int64_t a, int64_t b) {
    return (int64_t)((uint64_t)a * (uint64_t)b);
}

static int64_t floor_div(int64_t a, int64_t b) {
    return a / b - (a % b < 0);
}

/* ---- the calendar ---- */

/* Days since 1970 of a Julian date: every fourth year has a leap day. March begins the year, as in
 * base/calendar.c, so that the leap day is its last. */
static int64_t julian_days(base_civil date) {
    int64_t year = date.month <= 2 ? date.year - 1 : date.year;
    int64_t month = date.month <= 2 ? date.month + 9 : date.month - 3;
    return floor_div(1461 * year, 4) + (153 * month + 2) / 5 + date.day - 1 - 719470;
}

static base_civil julian_of_days(int64_t days) {
    int64_t n = days + 719470;
    int64_t year = floor_div(4 * n + 3, 1461);
    int64_t day = n - floor_div(1461 * year, 4);
    int64_t month = (5 * day + 2) / 153;
    int32_t dom = (int32_t)(day - (153 * month + 2) / 5 + 1);
    int32_t moy = (int32_t)(month < 10 ? month + 3 : month - 9);
    return (base_civil){ .year = year + (moy <= 2), .month = moy, .day = dom };
}

static base_civil date_of_days(int64_t days) {
    return days >= FIRST_GREGORIAN_DAY ? base__civil_of_days(days) : julian_of_days(days);
}

static bool is_gregorian(base_civil date) {
    if (date.year != 1582) return date.year > 1582;
    return date.month > 10 || (date.month == 10 && date.day >= 15);
}

static int64_t days_of_date(base_civil date) {
    return is_gregorian(date) ? base__days_of_civil(date) : julian_days(date);
}

static int32_t month_length(int64_t year, int32_t month) {
    static const int8_t lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = year % 4 == 0 && (year <= 1582 || year % 100 != 0 || year % 400 == 0);
    return lengths[month - 1] + (month == 2 && leap);
}

/* A day beyond the month's end becomes its last. */
static int64_t add_months(int64_t ms, int64_t months) {
    int64_t    days = floor_div(ms, BASE_DAY_MS);
    int64_t    rest = ms - days * BASE_DAY_MS;
    base_civil date = date_of_days(days);
    int64_t    total = date.year * MONTHS + date.month - 1 + months;
    date.year = floor_div(total, MONTHS);
    date.month = (int32_t)(total - date.year * MONTHS) + 1;
    int32_t length = month_length(date.year, date.month);
    if (date.day > length) date.day = length;
    return wrap_add(wrap_mul(days_of_date(date), BASE_DAY_MS), rest);
}

/* ---- durations ---- */

corm_duration cql__fn_duration(cql_value value) {
    base_reader   reader = { value.data, (size_t)value.len, false };
    corm_duration out;
    out.months = (int32_t)cql__read_vint(&reader);
    out.days = (int32_t)cql__read_vint(&reader);
    out.ns = cql__read_vint(&reader);
    return out;
}

static int64_t days_and_ns(corm_duration duration) {
    return wrap_add(duration.days * BASE_DAY_MS, duration.ns / NS_PER_MS);
}

int64_t cql__fn_add_duration(int64_t ms, corm_duration duration) {
    if (duration.months == 0) return wrap_add(ms, days_and_ns(duration));
    ms = wrap_add(add_months(ms, duration.months), duration.days * BASE_DAY_MS);
    /* The server's calendar takes the milliseconds as an int. */
    return wrap_add(ms, (int32_t)(uint32_t)(uint64_t)(duration.ns / NS_PER_MS));
}

/* Counts years before year 1 upwards from it, as the server's calendar does without looking at the era. */
static int64_t month_number(int64_t ms) {
    base_civil date = date_of_days(floor_div(ms, BASE_DAY_MS));
    int64_t    year = date.year > 0 ? date.year : 1 - date.year;
    return year * MONTHS + date.month;
}

static int64_t floor_months(int64_t ms, corm_duration duration, int64_t start) {
    int64_t steps = (month_number(ms) - month_number(start)) / duration.months;
    int64_t at = add_months(start, steps * duration.months);
    if (duration.days == 0 && duration.ns == 0) return at;
    /* The days may have carried it too far; each step back is relative to the one before, as the server's. */
    int64_t rest = days_and_ns(duration);
    int64_t floor = wrap_add(at, wrap_mul(steps, rest));
    while (floor > ms) {
        steps--;
        at = add_months(at, -(int64_t)duration.months);
        floor = wrap_add(at, wrap_mul(steps, rest));
    }
    return floor > start ? floor : start;
}

int64_t cql__fn_floor_duration(int64_t ms, corm_duration duration, int64_t start) {
    if (duration.months != 0) return floor_months(ms, duration, start);
    int64_t step = days_and_ns(duration);
    if (step == 0) return ms;
    return wrap_sub(ms, wrap_sub(ms, start) % step);
}

/* ---- temporal values ---- */

static int64_t timeuuid_ms(const uint8_t *uuid) {
    int64_t time = (int64_t)((uint64_t)(base__load_u16(uuid + 6) & 0x0fff) << 48 |
                             (uint64_t)base__load_u16(uuid + 4) << 32 | base__load_u32(uuid));
    return (time / 10 + UUID_EPOCH_MS * 1000) / 1000;
}

int64_t cql__fn_ms(cql_type_id type, cql_value value) {
    if (type == CQL_TIMEUUID) return timeuuid_ms(value.data);
    if (type == CQL_DATE)
        return ((int64_t)base__load_u32(value.data) - INT64_C(0x80000000)) * BASE_DAY_MS;
    return (int64_t)base__load_u64(value.data);
}

uint32_t cql__fn_date_of_ms(int64_t ms) {
    /* Seconds are rounded down, the days of them cut: the last day before 1970 is the first of 1970. */
    int64_t days = floor_div(ms, 1000) / (BASE_DAY_MS / 1000);
    return (uint32_t)(uint64_t)(days + INT64_C(0x80000000));
}
