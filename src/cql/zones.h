// SPDX-License-Identifier: MIT
/* zones.h -- time zones by abbreviation. */
#ifndef CQL_ZONES_H
#define CQL_ZONES_H

#include "base/calendar.h"

/* The offset from UTC in seconds that a zone ("PST", "CET", "JST" …) has at a local time; false
 * for names that are not known here. As in Java, PST and PDT are one zone, which knows itself
 * when its clocks change. */
bool cql__zone_offset(corm_str name, base_civil date, int64_t clock_ms, int64_t *seconds);

#endif
