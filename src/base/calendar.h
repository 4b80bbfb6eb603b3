// SPDX-License-Identifier: MIT
/* calendar.h -- the proleptic Gregorian calendar for every year that an int64 of milliseconds
 * reaches. Pure. */
#ifndef BASE_CALENDAR_H
#define BASE_CALENDAR_H

#include "corm/base.h"

#define BASE_DAY_MS INT64_C(86400000)

typedef struct base_civil {
    int64_t year;  /* astronomical: 0 is 1 BC */
    int32_t month; /* 1 to 12 */
    int32_t day;   /* 1 to 31 */
} base_civil;

/* Days since 1970-01-01. The month and day must be valid, the year within 300 million. */
int64_t    base__days_of_civil(base_civil civil);
base_civil base__civil_of_days(int64_t days);

/* Whether month and day exist in that year. */
bool base__civil_valid(base_civil civil);

/* Reads "2026-01-31" at the start of the text; the year may have a sign and up to nine digits.
 * Gives the number of bytes read, 0 when there is no date. */
size_t base__civil_read(corm_str text, base_civil *out);

/* Writes "2026-01-31" and a zero byte, at most 20 bytes for years within 300 million; gives the
 * length. Years beyond 9999 begin with a plus sign, years before 0 with a minus sign, as the
 * server's do. */
size_t base__civil_write(base_civil civil, char out[24]);

#endif
