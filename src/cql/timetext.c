// SPDX-License-Identifier: MIT
/* timetext.c -- the text forms of timestamp, date and time. Pure, but for "now"; any thread.
 *
 * Reading follows java.time's formatters as the server sets them up:
 *
 *   y-M-d'T'H:m[:s][.fraction][zone]   any number of digits; the year from 1 on; February 31 is
 *                                      the last of February
 *   yyyy-MM-dd[zone]                   years of more digits with a sign
 *   zone                               Z, +01, +0100, +01:00, or after a space also UTC, GMT, UT,
 *                                      UTC+01:00 and the names of zones.c */
#include "cql/timetext.h"

#include "base/calendar.h"
#include "base/clock.h"
#include "base/fail.h"
#include "base/text.h"
#include "cql/zones.h"

enum { MOST_YEAR = 999999999 };

static const int64_t day_s = 86400;

typedef struct scanner {
    const char *p;
    const char *end;
} scanner;

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool accept(scanner *s, char c) {
    if (s->p == s->end || *s->p != c) return false;
    s->p++;
    return true;
}

static size_t count_digits(const scanner *s) {
    size_t count = 0;
    while (s->p + count < s->end && is_digit(s->p[count])) count++;
    return count;
}

/* Reads `least` to `most` digits; a number above 10^12 stays there. */
static bool read_number(scanner *s, size_t least, size_t most, int64_t *out) {
    const int64_t top = INT64_C(1000000000000);
    size_t        count = count_digits(s);
    if (count > most) count = most;
    if (count < least) return false;
    *out = 0;
    for (size_t i = 0; i < count; i++) {
        *out = *out * 10 + (s->p[i] - '0');
        if (*out > top) *out = top;
    }
    s->p += count;
    return true;
}

/* A year of four digits, or of five to ten with a sign in front; "-" also before four. */
static bool read_iso_year(scanner *s, int64_t *year) {
    bool   negative = accept(s, '-');
    bool   positive = !negative && accept(s, '+');
    size_t count = count_digits(s);
    if (count > 4 && !negative && !positive) return false;
    if (count <= 4 && positive) return false;
    if (!read_number(s, 4, 10, year) || (negative && *year == 0)) return false;
    if (negative) *year = -*year;
    return *year >= -MOST_YEAR && *year <= MOST_YEAR;
}

static bool read_month_day(scanner *s, size_t least, size_t most, base_civil *date) {
    int64_t month, day;
    if (!accept(s, '-') || !read_number(s, least, most, &month)) return false;
    if (!accept(s, '-') || !read_number(s, least, most, &day)) return false;
    if (month < 1 || month > 12 || day < 1 || day > 31) return false;
    date->month = (int32_t)month;
    date->day = (int32_t)day;
    return true;
}

static bool read_iso_date(scanner *s, base_civil *date) {
    return read_iso_year(s, &date->year) && read_month_day(s, 2, 2, date);
}

static bool read_loose_date(scanner *s, base_civil *date) {
    if (!read_number(s, 1, 19, &date->year) || !read_month_day(s, 1, 19, date)) return false;
    return date->year >= 1 && date->year <= MOST_YEAR;
}

/* A day that its month does not have is the month's last. */
static void clamp_day(base_civil *date) {
    while (!base__civil_valid(*date)) date->day--;
}

/* Digits behind a point, as milliseconds; no digits are zero. */
static bool read_fraction(scanner *s, int64_t *ms) {
    size_t count = count_digits(s);
    if (count > 9) return false;
    int64_t ns = 0;
    for (size_t i = 0; i < 9; i++) ns = ns * 10 + (i < count ? s->p[i] - '0' : 0);
    s->p += count;
    *ms = ns / 1000000;
    return true;
}

/* H:m[:s[.fraction]]; 24:00 is the end of the day. */
static bool read_clock(scanner *s, int64_t *ms) {
    int64_t hour, minute, second = 0, fraction = 0;
    if (!read_number(s, 1, 19, &hour) || !accept(s, ':') || !read_number(s, 1, 19, &minute))
        return false;
    if (accept(s, ':')) {
        if (!read_number(s, 1, 19, &second)) return false;
        if (accept(s, '.') && !read_fraction(s, &fraction)) return false;
    }
    if (minute > 59 || second > 59 || hour > 24) return false;
    *ms = ((hour * 60 + minute) * 60 + second) * 1000 + fraction;
    return *ms <= day_s * 1000;
}

/* Which forms of an offset are allowed where. */
typedef struct offset_rule {
    bool colons;
    bool no_colons;
    bool seconds; /* +01:00:30 */
} offset_rule;

static bool read_offset(scanner *s, offset_rule rule, int64_t *seconds) {
    int64_t hours, minutes = 0, rest = 0;
    bool    negative = accept(s, '-');
    if (!negative && !accept(s, '+')) return false;
    if (!read_number(s, 2, 2, &hours)) return false;
    if (rule.colons && accept(s, ':')) {
        if (!read_number(s, 2, 2, &minutes)) return false;
        if (rule.seconds && accept(s, ':') && !read_number(s, 2, 2, &rest)) return false;
    } else if (rule.no_colons) {
        if (s->p < s->end && !read_number(s, 2, 2, &minutes)) return false;
    } else {
        return false;
    }
    *seconds = (hours * 60 + minutes) * 60 + rest;
    if (minutes > 59 || rest > 59 || *seconds > 18 * 3600) return false;
    if (negative) *seconds = -*seconds;
    return true;
}

static bool accept_word(scanner *s, const char *word) {
    corm_str rest = { s->p, (size_t)(s->end - s->p) };
    if (!base__str_has_prefix(rest, corm_str_of(word))) return false;
    s->p += strlen(word);
    return true;
}

/* UTC, GMT or UT, alone or with an offset. */
static bool read_universal(scanner *s, int64_t *seconds) {
    if (!accept_word(s, "UTC") && !accept_word(s, "GMT") && !accept_word(s, "UT")) return false;
    if (s->p == s->end) return true;
    return read_offset(s, (offset_rule){ .colons = true, .seconds = true }, seconds);
}

static bool read_named_zone(scanner *s, base_civil date, int64_t clock_ms, int64_t *seconds) {
    corm_str name = { s->p, (size_t)(s->end - s->p) };
    clamp_day(&date);
    if (cql__zone_offset(name, date, clock_ms, seconds)) return true;
    return read_universal(s, seconds) && s->p == s->end;
}

/* The zone up to the end of the text; none is UTC. */
static bool read_zone(scanner *s, base_civil date, int64_t clock_ms, bool date_only,
                      int64_t *seconds) {
    *seconds = 0;
    if (s->p == s->end) return true;
    bool space = accept(s, ' ');
    if (s->end - s->p == 1 && accept(s, 'Z')) return true;
    if (space && s->p < s->end && *s->p >= 'A' && *s->p <= 'Z') {
        return read_named_zone(s, date, clock_ms, seconds);
    }
    offset_rule rule = { .colons = true, .no_colons = true, .seconds = space || date_only };
    return read_offset(s, rule, seconds) && s->p == s->end;
}

static bool to_ms(base_civil date, int64_t clock_ms, int64_t offset_s, int64_t *ms) {
    clamp_day(&date);
    int64_t start;
    if (__builtin_mul_overflow(base__days_of_civil(date), BASE_DAY_MS, &start)) return false;
    return !__builtin_add_overflow(start, clock_ms - offset_s * 1000, ms);
}

static bool read_date_time(corm_str text, int64_t *ms) {
    scanner    s = { text.data, text.data + text.len };
    base_civil date;
    int64_t    clock_ms, offset_s;
    if (!read_loose_date(&s, &date)) return false;
    if (!accept(&s, 'T') && !accept(&s, ' ')) return false;
    return read_clock(&s, &clock_ms) && read_zone(&s, date, clock_ms, false, &offset_s) &&
           to_ms(date, clock_ms, offset_s, ms);
}

static bool read_date_only(corm_str text, int64_t *ms) {
    scanner    s = { text.data, text.data + text.len };
    base_civil date;
    int64_t    offset_s;
    return read_iso_date(&s, &date) && read_zone(&s, date, 0, true, &offset_s) &&
           to_ms(date, 0, offset_s, ms);
}

static bool is_whole_number(corm_str text) {
    scanner s = { text.data, text.data + text.len };
    accept(&s, '-');
    size_t count = count_digits(&s);
    return count > 0 && s.p + count == s.end;
}

corm_status cql__timestamp_read(corm_str text, int64_t *ms, corm_error *err) {
    if (base__str_equal_nocase(text, corm_str_of("now"))) {
        *ms = base__clock_ms();
        return CORM_OK;
    }
    if (is_whole_number(text)) {
        if (base__parse_i64(text, ms)) return CORM_OK;
        return base__fail(err, CORM_INVALID, "Unable to make long (for date) from: '%.*s'",
                          (int)text.len, text.data);
    }
    if (read_date_time(text, ms) || read_date_only(text, ms)) return CORM_OK;
    return base__fail(err, CORM_INVALID, "Unable to parse a date/time from '%.*s'", (int)text.len,
                      text.data);
}

static corm_status date_from_number(corm_str text, uint32_t *wire, corm_error *err) {
    int64_t v;
    if (!base__parse_i64(text, &v) || v < 0 || v > UINT32_MAX) {
        return base__fail(err, CORM_INVALID, "Unable to make unsigned int (for date) from: '%.*s'",
                          (int)text.len, text.data);
    }
    *wire = (uint32_t)v;
    return CORM_OK;
}

corm_status cql__date_read(corm_str text, uint32_t *wire, corm_error *err) {
    if (is_whole_number(text)) return date_from_number(text, wire, err);
    scanner    s = { text.data, text.data + text.len };
    base_civil date;
    if (!read_iso_date(&s, &date) || s.p != s.end || !base__civil_valid(date)) {
        return base__fail(err, CORM_INVALID, "Unable to coerce '%.*s' to a formatted date (long)",
                          (int)text.len, text.data);
    }
    int64_t days = base__days_of_civil(date);
    if (days < INT32_MIN) {
        return base__fail(err, CORM_INVALID,
                          "Input date %.*s is less than min supported date -5877641-06-23T00:00Z",
                          (int)text.len, text.data);
    }
    if (days > INT32_MAX) {
        return base__fail(
            err, CORM_INVALID,
            "Input date %.*s is greater than max supported date +5881580-07-11T00:00Z",
            (int)text.len, text.data);
    }
    *wire = (uint32_t)(int32_t)days ^ UINT32_C(0x80000000);
    return CORM_OK;
}

/* Java's Integer.parseInt within [0, most]. */
static bool parse_part(corm_str text, int64_t most, int64_t *out) {
    return base__parse_i64(text, out) && *out >= 0 && *out <= most;
}

static corm_str slice(corm_str text, size_t from, size_t to) {
    return (corm_str){ text.data + from, to - from };
}

static size_t index_of(corm_str text, char c, size_t from) {
    while (from < text.len && text.data[from] != c) from++;
    return from;
}

static bool parse_nanos(corm_str digits, int64_t *out) {
    if (digits.len == 0 || digits.len > 9 || !is_digit(digits.data[0])) return false;
    if (!base__parse_i64(digits, out)) return false;
    for (size_t i = digits.len; i < 9; i++) *out *= 10;
    return true;
}

/* hh:mm:ss[.fffffffff] */
static bool read_time(corm_str text, int64_t *ns) {
    text = base__str_trim(text);
    size_t  first = index_of(text, ':', 0);
    size_t  next = first < text.len ? index_of(text, ':', first + 1) : text.len;
    int64_t hour, minute, second, nanos = 0;
    if (next >= text.len) return false;
    size_t point = index_of(text, '.', next + 1);
    if (!parse_part(slice(text, 0, first), 23, &hour)) return false;
    if (!parse_part(slice(text, first + 1, next), 59, &minute)) return false;
    if (!parse_part(slice(text, next + 1, point), 59, &second)) return false;
    if (point < text.len && !parse_nanos(slice(text, point + 1, text.len), &nanos)) return false;
    *ns = ((hour * 60 + minute) * 60 + second) * 1000000000 + nanos;
    return true;
}

corm_status cql__time_read(corm_str text, int64_t *ns, corm_error *err) {
    if (is_whole_number(text)) {
        if (base__parse_i64(text, ns) && *ns >= 0 && *ns < CQL_DAY_NS) return CORM_OK;
        return base__fail(err, CORM_INVALID, "Unable to make long (for time) from: '%.*s'",
                          (int)text.len, text.data);
    }
    if (read_time(text, ns)) return CORM_OK;
    return base__fail(err, CORM_INVALID,
                      "(TimeType) Unable to coerce '%.*s' to a formatted time (long)",
                      (int)text.len, text.data);
}

/* A moment as a date and the milliseconds of its day. */
static base_civil split_ms(int64_t ms, int *of_day) {
    *of_day = (int)(ms % BASE_DAY_MS);
    if (*of_day < 0) *of_day += (int)BASE_DAY_MS;
    return base__civil_of_days(ms / BASE_DAY_MS - (ms % BASE_DAY_MS < 0));
}

void cql__put_timestamp(int64_t ms, char separator, const char *end, base_buf *out) {
    int        rest;
    char       text[24];
    base_civil date = split_ms(ms, &rest);
    if (date.year <= 0) date.year = 1 - date.year;
    base__buf_put(out, text, base__civil_write(date, text));
    base__buf_printf(out, "%c%02d:%02d:%02d.%03d%s", separator, rest / 3600000, rest / 60000 % 60,
                     rest / 1000 % 60, rest % 1000, end);
}

void cql__put_shell_timestamp(int64_t ms, base_buf *out) {
    if (cql__timestamp_is_common(ms)) {
        cql__put_timestamp(ms, ' ', "000+0000", out);
    } else {
        base__buf_printf(out, "%lld", (long long)ms);
    }
}

bool cql__timestamp_is_common(int64_t ms) {
    const int64_t first = INT64_C(-62135596800000);
    const int64_t last = INT64_C(253402300799999);
    return ms >= first && ms <= last;
}

static int64_t days_of_wire(uint32_t wire) {
    return (int64_t)wire - (INT64_C(1) << 31);
}

bool cql__date_is_common(uint32_t wire) {
    int64_t year = base__civil_of_days(days_of_wire(wire)).year;
    return year >= 1 && year <= 9999;
}

void cql__put_date(uint32_t wire, base_buf *out) {
    char text[24];
    base__buf_put(out, text, base__civil_write(base__civil_of_days(days_of_wire(wire)), text));
}

void cql__put_time(int64_t ns, base_buf *out) {
    if (ns < 0 || ns >= CQL_DAY_NS) {
        base__buf_printf(out, "%lld", (long long)ns);
        return;
    }
    int seconds = (int)(ns / 1000000000);
    base__buf_printf(out, "%02d:%02d:%02d.%09d", seconds / 3600, seconds / 60 % 60, seconds % 60,
                     (int)(ns % 1000000000));
}
