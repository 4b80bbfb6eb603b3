// SPDX-License-Identifier: MIT
/* function_time.c -- dates and times, in UTC and the proleptic Gregorian calendar. Weeks begin on Mondays. Pure. */
#include "aggregate/expr.h"
#include "base/calendar.h"
#include "base/fail.h"

typedef enum unit {
    MILLISECOND,
    SECOND,
    MINUTE,
    HOUR,
    DAY,
    WEEK,
    MONTH,
    QUARTER,
    YEAR,
    DAY_OF_WEEK,
    DAY_OF_YEAR,
    EPOCH
} unit;

static const char *const unit_names[] = { "millisecond", "second",      "minute",      "hour",
                                          "day",         "week",        "month",       "quarter",
                                          "year",        "day_of_week", "day_of_year", "epoch" };
static const int64_t     unit_ms[] = { 1, 1000, 60000, 3600000, BASE_DAY_MS, 7 * BASE_DAY_MS };

static int64_t floor_div(int64_t a, int64_t b) {
    return a / b - (a % b < 0);
}

/* ---- arguments ---- */

static corm_status read_unit(agg_expr *expr, unit last, corm_error *err) {
    corm_str text;
    if (!agg__constant_text(expr->args[0], &text))
        return base__fail(err, CORM_INVALID, "%s wants a unit first, such as 'month'",
                          expr->function->name);
    for (unit i = MILLISECOND; i <= last; i++) {
        if (!corm_str_equal(text, corm_str_of(unit_names[i]))) continue;
        expr->detail = (int32_t)i;
        return CORM_OK;
    }
    return base__fail(err, CORM_INVALID, "%s has no unit '%.*s'", expr->function->name,
                      (int)text.len, text.data);
}

/* A timestamp or a date; a timeuuid is cast, a text read as a timestamp. */
static corm_status want_time(const agg_binding *binding, agg_expr *expr, uint32_t index,
                             corm_error *err) {
    const cql_type *type = expr->args[index]->type;
    if (type->id == CQL_TIMESTAMP || type->id == CQL_DATE) return CORM_OK;
    if (type->id == CQL_TIMEUUID || expr->args[index]->kind == AGG_CONSTANT)
        return agg__convert(binding, &expr->args[index], cql__type_native(CQL_TIMESTAMP), err);
    return agg__refuse(expr, index, "a timestamp, date or timeuuid", err);
}

static int64_t ms_of(const agg_column *column, uint32_t row) {
    int64_t v = column->v.whole[row];
    return column->type->id == CQL_DATE ? v * BASE_DAY_MS : v;
}

static int64_t of_ms(const cql_type *type, int64_t ms) {
    return type->id == CQL_DATE ? floor_div(ms, BASE_DAY_MS) : ms;
}

/* Years beyond those that the calendar reaches are cut off. */
static bool is_near(int64_t ms) {
    return ms / BASE_DAY_MS / 366 < 100000000 && ms / BASE_DAY_MS / 366 > -100000000;
}

/* ---- date_trunc ---- */

static corm_status check_trunc(const agg_binding *binding, agg_expr *expr, corm_error *err) {
    CORM_TRY(read_unit(expr, YEAR, err));
    CORM_TRY(want_time(binding, expr, 1, err));
    expr->type = expr->args[1]->type;
    return CORM_OK;
}

static int64_t trunc_ms(int64_t ms, unit to) {
    static const int64_t monday = 4 * BASE_DAY_MS; /* 1970-01-05 */
    if (to == WEEK) return floor_div(ms - monday, unit_ms[WEEK]) * unit_ms[WEEK] + monday;
    if (to < WEEK) return floor_div(ms, unit_ms[to]) * unit_ms[to];
    base_civil civil = base__civil_of_days(floor_div(ms, BASE_DAY_MS));
    civil.day = 1;
    if (to == QUARTER) civil.month = (civil.month - 1) / 3 * 3 + 1;
    if (to == YEAR) civil.month = 1;
    return base__days_of_civil(civil) * BASE_DAY_MS;
}

static corm_status eval_trunc(const agg_expr *expr, const agg_work *work, const agg_column *args,
                              agg_column *out) {
    for (uint32_t i = 0; i < work->count; i++) {
        int64_t ms = ms_of(&args[1], i);
        if (!is_near(ms)) out->null[i] = 1;
        if (!out->null[i]) out->v.whole[i] = of_ms(out->type, trunc_ms(ms, (unit)expr->detail));
    }
    return CORM_OK;
}

/* ---- date_part ---- */

static corm_status check_part(const agg_binding *binding, agg_expr *expr, corm_error *err) {
    CORM_TRY(read_unit(expr, EPOCH, err));
    expr->type = cql__type_native(CQL_BIGINT);
    return want_time(binding, expr, 1, err);
}

/* The number of the week as ISO 8601 has it: of the year that the week's Thursday is in. */
static int64_t week_of(int64_t days) {
    int64_t    weekday = (days + 3) - floor_div(days + 3, 7) * 7; /* Monday: 0 */
    int64_t    thursday = days - weekday + 3;
    base_civil start = { base__civil_of_days(thursday).year, 1, 1 };
    return (thursday - base__days_of_civil(start)) / 7 + 1;
}

static int64_t part_of(int64_t ms, unit part) {
    int64_t    days = floor_div(ms, BASE_DAY_MS), clock = ms - days * BASE_DAY_MS;
    base_civil civil = base__civil_of_days(days);
    base_civil new_year = { civil.year, 1, 1 };
    switch (part) {
    case MILLISECOND: return clock % 1000;
    case SECOND: return clock / 1000 % 60;
    case MINUTE: return clock / 60000 % 60;
    case HOUR: return clock / 3600000;
    case DAY: return civil.day;
    case WEEK: return week_of(days);
    case MONTH: return civil.month;
    case QUARTER: return (civil.month - 1) / 3 + 1;
    case YEAR: return civil.year;
    case DAY_OF_WEEK: return days + 3 - floor_div(days + 3, 7) * 7 + 1;
    case DAY_OF_YEAR: return days - base__days_of_civil(new_year) + 1;
    default: return floor_div(ms, 1000);
    }
}

static corm_status eval_part(const agg_expr *expr, const agg_work *work, const agg_column *args,
                             agg_column *out) {
    for (uint32_t i = 0; i < work->count; i++) {
        int64_t ms = ms_of(&args[1], i);
        if (!is_near(ms)) out->null[i] = 1;
        if (!out->null[i]) out->v.whole[i] = part_of(ms, (unit)expr->detail);
    }
    return CORM_OK;
}

/* ---- date_add, date_diff ---- */

static corm_status check_add(const agg_binding *binding, agg_expr *expr, corm_error *err) {
    CORM_TRY(read_unit(expr, YEAR, err));
    if (!agg__is_whole(expr->args[1]->type)) return agg__refuse(expr, 1, "a whole number", err);
    CORM_TRY(want_time(binding, expr, 2, err));
    expr->type = expr->args[2]->type;
    return CORM_OK;
}

static int32_t days_in(base_civil civil) {
    base_civil next = civil;
    civil.day = next.day = 1;
    next.month++;
    if (next.month == 13) next = (base_civil){ civil.year + 1, 1, 1 };
    return (int32_t)(base__days_of_civil(next) - base__days_of_civil(civil));
}

/* The same day of another month, or its last. */
static int64_t add_months(int64_t ms, int64_t months) {
    int64_t    days = floor_div(ms, BASE_DAY_MS), clock = ms - days * BASE_DAY_MS;
    base_civil civil = base__civil_of_days(days);
    int64_t    month = civil.year * 12 + civil.month - 1 + months;
    base_civil to = { floor_div(month, 12), (int32_t)(month - floor_div(month, 12) * 12) + 1, 1 };
    int32_t    most = days_in(to);
    to.day = civil.day < most ? civil.day : most;
    return base__days_of_civil(to) * BASE_DAY_MS + clock;
}

static bool add_units(int64_t ms, unit of, int64_t count, int64_t *out) {
    static const int64_t months[] = { [MONTH] = 1, [QUARTER] = 3, [YEAR] = 12 };
    int64_t              step;
    if (of <= WEEK)
        return !__builtin_mul_overflow(count, unit_ms[of], &step) &&
               !__builtin_add_overflow(ms, step, out) && is_near(*out);
    if (count > 100000000 || count < -100000000) return false;
    *out = add_months(ms, count * months[of]);
    return is_near(*out);
}

static corm_status eval_add(const agg_expr *expr, const agg_work *work, const agg_column *args,
                            agg_column *out) {
    for (uint32_t i = 0; i < work->count; i++) {
        int64_t ms = ms_of(&args[2], i);
        if (!is_near(ms)) out->null[i] = 1;
        if (out->null[i]) continue;
        if (!add_units(ms, (unit)expr->detail, args[1].v.whole[i], &ms))
            return base__fail(work->err, CORM_INVALID, "date_add leaves the calendar");
        out->v.whole[i] = of_ms(out->type, ms);
    }
    return CORM_OK;
}

static corm_status check_diff(const agg_binding *binding, agg_expr *expr, corm_error *err) {
    CORM_TRY(read_unit(expr, YEAR, err));
    CORM_TRY(want_time(binding, expr, 1, err));
    expr->type = cql__type_native(CQL_BIGINT);
    return want_time(binding, expr, 2, err);
}

/* How many starts of a unit lie between. */
static int64_t boundaries(int64_t from, int64_t to, unit of) {
    if (of <= WEEK) {
        return (trunc_ms(to, of) - trunc_ms(from, of)) / unit_ms[of];
    }
    base_civil a = base__civil_of_days(floor_div(trunc_ms(from, of), BASE_DAY_MS));
    base_civil b = base__civil_of_days(floor_div(trunc_ms(to, of), BASE_DAY_MS));
    int64_t    months = (b.year - a.year) * 12 + b.month - a.month;
    return of == MONTH ? months : of == QUARTER ? months / 3 : months / 12;
}

static corm_status eval_diff(const agg_expr *expr, const agg_work *work, const agg_column *args,
                             agg_column *out) {
    for (uint32_t i = 0; i < work->count; i++) {
        int64_t from = ms_of(&args[1], i), to = ms_of(&args[2], i);
        if (!is_near(from) || !is_near(to)) out->null[i] = 1;
        if (!out->null[i]) out->v.whole[i] = boundaries(from, to, (unit)expr->detail);
    }
    return CORM_OK;
}

const agg_function agg__time_functions[] = {
    { "date_trunc", 2, 2, true, check_trunc, eval_trunc, "date_trunc('month', a)",
      "the start of the millisecond, second, minute, hour, day, week, month, quarter or year" },
    { "date_part", 2, 2, true, check_part, eval_part, "date_part('hour', a)",
      "one part as a bigint; also day_of_week (Monday 1), day_of_year, week (ISO), epoch (seconds)" },
    { "date_add", 3, 3, true, check_add, eval_add, "date_add('day', n, a)",
      "n units later; months keep the day or take their last" },
    { "date_diff", 3, 3, true, check_diff, eval_diff, "date_diff('day', a, b)",
      "starts of the unit between a and b" },
    { .name = NULL },
};
