// SPDX-License-Identifier: MIT
/* duration.c -- the text forms of durations. Pure; any thread.
 *
 *   1y2mo3w4d5h6m7s8ms9us10ns     units in this order, each at most once
 *   P1Y2M3DT4H5M6S   P3W   P0001-02-03T04:05:06 */
#include "base/fail.h"
#include "base/text.h"
#include "cql/timetext.h"

#define SECOND_NS INT64_C(1000000000)

typedef enum part { MONTHS, DAYS, NANOSECONDS } part;

typedef struct duration_unit {
    const char *symbol;
    const char *name;
    part        of;
    int64_t     size;
} duration_unit;

enum { YEAR, MONTH, WEEK, DAY, HOUR, MINUTE, SECOND, MILLI, MICRO, NANO, UNITS };

static const duration_unit units[] = {
    [YEAR] = { "y", "years", MONTHS, 12 },
    [MONTH] = { "mo", "months", MONTHS, 1 },
    [WEEK] = { "w", "weeks", DAYS, 7 },
    [DAY] = { "d", "days", DAYS, 1 },
    [HOUR] = { "h", "hours", NANOSECONDS, 3600 * SECOND_NS },
    [MINUTE] = { "m", "minutes", NANOSECONDS, 60 * SECOND_NS },
    [SECOND] = { "s", "seconds", NANOSECONDS, SECOND_NS },
    [MILLI] = { "ms", "milliseconds", NANOSECONDS, 1000000 },
    [MICRO] = { "us", "microseconds", NANOSECONDS, 1000 },
    [NANO] = { "ns", "nanoseconds", NANOSECONDS, 1 },
};

typedef struct reader {
    corm_str    source; /* without the minus sign */
    size_t      at;
    int64_t     parts[3];
    int         last; /* unit, -1 before the first */
    corm_error *err;
} reader;

static corm_status malformed(const reader *r) {
    return base__fail(r->err, CORM_INVALID, "Unable to convert '%.*s' to a duration",
                      (int)r->source.len, r->source.data);
}

static corm_status check_order(const reader *r, int unit) {
    if (unit == r->last) {
        return base__fail(r->err, CORM_INVALID,
                          "Invalid duration. The %s are specified multiple times",
                          units[unit].name);
    }
    if (unit > r->last) return CORM_OK;
    return base__fail(r->err, CORM_INVALID, "Invalid duration. The %s should be after %s",
                      units[r->last].name, units[unit].name);
}

static corm_status add(reader *r, int unit, int64_t number) {
    static const struct {
        const char *name;
        int64_t     most;
    } limits[] = { { "months", INT32_MAX }, { "days", INT32_MAX }, { "nanoseconds", INT64_MAX } };
    const duration_unit *u = &units[unit];
    CORM_TRY(check_order(r, unit));
    r->last = unit;
    if (number > (limits[u->of].most - r->parts[u->of]) / u->size) {
        return base__fail(
            r->err, CORM_INVALID,
            "Invalid duration. The total number of %s must be less or equal to 2147483647",
            limits[u->of].name);
    }
    r->parts[u->of] += number * u->size;
    return CORM_OK;
}

static char peek(const reader *r) {
    return r->at < r->source.len ? r->source.data[r->at] : '\0';
}

static bool accept(reader *r, char c) {
    if (peek(r) != c || r->at == r->source.len) return false;
    r->at++;
    return true;
}

/* Digits, at least one; a number beyond 64 bits is malformed. */
static bool read_number(reader *r, int64_t *out) {
    size_t start = r->at;
    while (peek(r) >= '0' && peek(r) <= '9') r->at++;
    return base__parse_i64((corm_str){ r->source.data + start, r->at - start }, out);
}

static bool accept_symbol(reader *r, const char *symbol) {
    size_t   len = strlen(symbol);
    corm_str rest = { r->source.data + r->at, r->source.len - r->at };
    if (rest.len < len ||
        !base__str_equal_nocase((corm_str){ rest.data, len }, corm_str_of(symbol)))
        return false;
    r->at += len;
    return true;
}

/* "mo" and "ms" before "m". */
static int read_unit(reader *r) {
    static const int order[] = { YEAR, MONTH, WEEK, DAY, HOUR, SECOND, MILLI, MICRO, NANO, MINUTE };
    for (size_t i = 0; i < UNITS; i++) {
        if (accept_symbol(r, units[order[i]].symbol)) return order[i];
    }
    return accept_symbol(r, "\xc2\xb5s") ? MICRO : -1;
}

static corm_status read_standard(reader *r) {
    do {
        int64_t number;
        if (!read_number(r, &number)) return malformed(r);
        int unit = read_unit(r);
        if (unit < 0) return malformed(r);
        CORM_TRY(add(r, unit, number));
    } while (r->at < r->source.len);
    return CORM_OK;
}

/* What stands before or after the T: numbers with letters, each at most once and in order. */
static corm_status read_iso_part(reader *r, const char *letters, const int *letter_units) {
    for (int i = 0; letters[i] != '\0'; i++) {
        size_t  start = r->at;
        int64_t number;
        if (!read_number(r, &number)) {
            if (r->at > start) return malformed(r);
            return CORM_OK;
        }
        while (letters[i] != '\0' && peek(r) != letters[i]) i++;
        if (letters[i] == '\0') return malformed(r);
        r->at++;
        CORM_TRY(add(r, letter_units[i], number));
    }
    return CORM_OK;
}

static corm_status read_iso(reader *r) {
    CORM_TRY(read_iso_part(r, "YMD", (const int[]){ YEAR, MONTH, DAY }));
    if (accept(r, 'T')) CORM_TRY(read_iso_part(r, "HMS", (const int[]){ HOUR, MINUTE, SECOND }));
    return r->at == r->source.len ? CORM_OK : malformed(r);
}

/* P0001-02-03T04:05:06 */
static corm_status read_alternative(reader *r) {
    static const char marks[] = "--T::";
    static const int  widths[] = { 4, 2, 2, 2, 2, 2 };
    static const int  order[] = { YEAR, MONTH, DAY, HOUR, MINUTE, SECOND };
    if (r->source.len != 20) return malformed(r);
    int64_t numbers[6];
    for (int i = 0; i < 6; i++) {
        size_t start = r->at;
        if (!read_number(r, &numbers[i]) || r->at - start != (size_t)widths[i]) return malformed(r);
        if (i < 5 && !accept(r, marks[i])) return malformed(r);
    }
    for (int i = 0; i < 6; i++) CORM_TRY(add(r, order[i], numbers[i]));
    return CORM_OK;
}

static corm_status read_weeks(reader *r) {
    int64_t number;
    if (!read_number(r, &number) || r->at + 1 != r->source.len) return malformed(r);
    return add(r, WEEK, number);
}

static corm_status read_any(reader *r) {
    if (!accept(r, 'P')) return read_standard(r);
    if (r->source.data[r->source.len - 1] == 'W') return read_weeks(r);
    return memchr(r->source.data, '-', r->source.len) ? read_alternative(r) : read_iso(r);
}

corm_status cql__duration_read(corm_str text, corm_duration *out, corm_error *err) {
    bool   negative = text.len > 0 && text.data[0] == '-';
    reader r = { .source = { text.data + negative, text.len - negative }, .last = -1, .err = err };
    CORM_TRY(read_any(&r));
    out->months = (int32_t)(negative ? -r.parts[MONTHS] : r.parts[MONTHS]);
    out->days = (int32_t)(negative ? -r.parts[DAYS] : r.parts[DAYS]);
    out->ns = negative ? -r.parts[NANOSECONDS] : r.parts[NANOSECONDS];
    return CORM_OK;
}

static uint64_t magnitude(int64_t v) {
    return v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
}

/* The value in units of one part, from the greatest to the smallest; weeks are left in days. */
static void put_part(uint64_t value, part of, base_buf *out) {
    for (int i = 0; i < UNITS; i++) {
        if (units[i].of != of || i == WEEK) continue;
        uint64_t size = (uint64_t)units[i].size;
        if (value >= size)
            base__buf_printf(out, "%llu%s", (unsigned long long)(value / size), units[i].symbol);
        value %= size;
    }
}

void cql__put_duration(corm_duration duration, base_buf *out) {
    if (duration.months < 0 || duration.days < 0 || duration.ns < 0) base__buf_u8(out, '-');
    put_part(magnitude(duration.months), MONTHS, out);
    put_part(magnitude(duration.days), DAYS, out);
    put_part(magnitude(duration.ns), NANOSECONDS, out);
}
