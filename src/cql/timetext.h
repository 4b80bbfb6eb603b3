// SPDX-License-Identifier: MIT
/* timetext.h -- the text forms of timestamp, date, time and duration. */
#ifndef CQL_TIMETEXT_H
#define CQL_TIMETEXT_H

#include "base/buf.h"
#include "corm/types.h"

#define CQL_DAY_NS INT64_C(86400000000000)

/* As the server's fromString, with its messages; empty text is for the caller. */
CORM_CHECKED corm_status cql__timestamp_read(corm_str text, int64_t *ms, corm_error *err);
CORM_CHECKED corm_status cql__date_read(corm_str text, uint32_t *wire, corm_error *err);
CORM_CHECKED corm_status cql__time_read(corm_str text, int64_t *ns, corm_error *err);
CORM_CHECKED corm_status cql__duration_read(corm_str text, corm_duration *out, corm_error *err);

/* "2026-01-31", the separator, "10:00:00.123", the end. The year is Java's year of the era,
 * without the era. */
void cql__put_timestamp(int64_t ms, char separator, const char *end, base_buf *out);

/* "2026-01-31 10:00:00.123000+0000" */
void cql__put_shell_timestamp(int64_t ms, base_buf *out);

/* Whether the text form has a year from 0001 to 9999. */
bool cql__timestamp_is_common(int64_t ms);
bool cql__date_is_common(uint32_t wire);

void cql__put_date(uint32_t wire, base_buf *out); /* "2026-01-31" */

/* "10:00:00.123456789"; the number of nanoseconds when it is outside of a day. */
void cql__put_time(int64_t ns, base_buf *out);

/* "1mo2d3h"; nothing when all is zero. */
void cql__put_duration(corm_duration duration, base_buf *out);

#endif
