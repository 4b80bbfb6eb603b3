// SPDX-License-Identifier: MIT
/* zones.c -- time zones by abbreviation, with the changes of clocks that hold since 1987 in the
 * United States and since 1996 in Europe. Pure; any thread.
 *
 * A local time that clocks skip counts with the offset before the change; one that they show
 * twice, with summer time's. */
#include "cql/zones.h"

typedef enum rule { FIXED, UNITED_STATES, EUROPE } rule;

static const struct zone {
    const char *name;
    int         hours; /* in winter */
    rule        summer;
} zones[] = {
    { "PST", -8, UNITED_STATES },  { "PDT", -8, UNITED_STATES }, { "MST", -7, UNITED_STATES },
    { "MDT", -7, UNITED_STATES },  { "CST", -6, UNITED_STATES }, { "CDT", -6, UNITED_STATES },
    { "EST", -5, UNITED_STATES },  { "EDT", -5, UNITED_STATES }, { "AKST", -9, UNITED_STATES },
    { "AKDT", -9, UNITED_STATES }, { "HST", -10, FIXED },        { "CET", 1, EUROPE },
    { "CEST", 1, EUROPE },         { "MET", 1, EUROPE },         { "WET", 0, EUROPE },
    { "WEST", 0, EUROPE },         { "EET", 2, EUROPE },         { "EEST", 2, EUROPE },
    { "JST", 9, FIXED },           { "KST", 9, FIXED },          { "SGT", 8, FIXED },
    { "HKT", 8, FIXED },           { "UCT", 0, FIXED },          { "Zulu", 0, FIXED },
    { "GMT0", 0, FIXED },
};

/* The day of the month of the n-th Sunday (from 1), or of the last one when n is 0. */
static int32_t sunday(int64_t year, int32_t month, int n) {
    int64_t first = base__days_of_civil((base_civil){ year, month, 1 });
    int64_t weekday = ((first + 4) % 7 + 7) % 7; /* 1970-01-01 was a Thursday; 0 is Sunday */
    int32_t day = (int32_t)(1 + (7 - weekday) % 7);
    if (n > 0) return day + 7 * (n - 1);
    while (base__civil_valid((base_civil){ year, month, day + 7 })) day += 7;
    return day;
}

/* A day and hour as hours within the year, near enough to compare. */
static int64_t hours_of(int32_t month, int32_t day, int64_t hour) {
    return (month * 32 + day) * 24 + hour;
}

static bool is_summer(const struct zone *zone, base_civil date, int64_t hour) {
    int64_t now = hours_of(date.month, date.day, hour);
    int64_t year = date.year;
    if (zone->summer == EUROPE) {
        int64_t change = 2 + zone->hours;
        return now >= hours_of(3, sunday(year, 3, 0), change) &&
               now < hours_of(10, sunday(year, 10, 0), change);
    }
    bool    late = year >= 2007;
    int64_t start = late ? hours_of(3, sunday(year, 3, 2), 3) : hours_of(4, sunday(year, 4, 1), 3);
    int64_t end =
        late ? hours_of(11, sunday(year, 11, 1), 2) : hours_of(10, sunday(year, 10, 0), 2);
    return now >= start && now < end;
}

bool cql__zone_offset(corm_str name, base_civil date, int64_t clock_ms, int64_t *seconds) {
    for (size_t i = 0; i < sizeof zones / sizeof *zones; i++) {
        if (!corm_str_equal(name, corm_str_of(zones[i].name))) continue;
        bool summer = zones[i].summer != FIXED && is_summer(&zones[i], date, clock_ms / 3600000);
        *seconds = (zones[i].hours + summer) * 3600;
        return true;
    }
    return false;
}
