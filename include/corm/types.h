// SPDX-License-Identifier: MIT
/* types.h -- C forms of the CQL types that C has no type for, and their text forms.
 *
 * All are plain values. Functions here are pure and may be called from any thread. */
#ifndef CORM_TYPES_H
#define CORM_TYPES_H

#include "corm/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* uuid and timeuuid (RFC 9562), in network byte order. All zero means "not given" to the mapper. */
typedef struct corm_uuid {
    uint8_t bytes[16];
} corm_uuid;

/* timestamp: milliseconds since 1970-01-01T00:00:00Z, negative before it. */
typedef struct corm_timestamp {
    int64_t ms;
} corm_timestamp;

/* date: days since 1970-01-01, negative before it. */
typedef struct corm_date {
    int32_t days;
} corm_date;

/* time: nanoseconds since midnight, 0 to 86,399,999,999,999. */
typedef struct corm_time {
    int64_t ns;
} corm_time;

/* duration: the three parts are all >= 0 or all <= 0. */
typedef struct corm_duration {
    int32_t months;
    int32_t days;
    int64_t ns;
} corm_duration;

/* inet: 4 or 16 bytes in network byte order; length 0 means "not given". */
typedef struct corm_inet {
    uint8_t bytes[16];
    uint8_t length;
} corm_inet;

/* varint: a whole number of any size, two's complement, big-endian, shortest form.
 * Up to 16 bytes stand in `small`; longer ones are borrowed through `large`.
 * length 0 means "not given". */
typedef struct corm_varint {
    uint32_t       length;
    uint8_t        small[16];
    const uint8_t *large; /* used when length > 16 */
} corm_varint;

/* decimal: unscaled * 10^-scale. */
typedef struct corm_decimal {
    int32_t     scale;
    corm_varint unscaled;
} corm_decimal;

/* A new random (version 4) UUID from the operating system's entropy. */
CORM_API corm_uuid corm_uuid_random(void);

/* A new time-based (version 1) UUID: unique in this process and increasing, with a random node. */
CORM_API corm_uuid corm_uuid_time(void);

/* The milliseconds since the epoch in a version 1 UUID; 0 for other versions. */
CORM_API corm_timestamp corm_uuid_timestamp(corm_uuid uuid);

CORM_API bool corm_uuid_equal(corm_uuid a, corm_uuid b);
CORM_API bool corm_uuid_is_zero(corm_uuid uuid);

/* Writes the 36 characters and a zero byte. */
CORM_API void corm_uuid_format(corm_uuid uuid, char out[37]);

/* CORM_CONVERSION when the text is not a UUID of 36 characters. */
CORM_API CORM_CHECKED corm_status corm_uuid_parse(const char *text, corm_uuid *out,
                                                  corm_error *err);

/* The wall clock now. */
CORM_API corm_timestamp corm_timestamp_now(void);

/* Reads the forms that CQL accepts: "2026-01-31", "2026-01-31 10:00:00.123+0100",
 * "2026-01-31T10:00Z", or a whole number of milliseconds. Without a zone it is UTC. */
CORM_API CORM_CHECKED corm_status corm_timestamp_parse(const char *text, corm_timestamp *out,
                                                       corm_error *err);

/* Writes "2026-01-31 10:00:00.123Z" and a zero byte; years beyond 9999 begin with a plus sign. */
CORM_API void corm_timestamp_format(corm_timestamp timestamp, char out[40]);

CORM_API corm_varint corm_varint_of(int64_t value);

/* CORM_CONVERSION when the number does not fit. */
CORM_API CORM_CHECKED corm_status corm_varint_to_i64(const corm_varint *varint, int64_t *out,
                                                     corm_error *err);

/* unscaled * 10^-scale: corm_decimal_of(1999, 2) is 19.99. */
CORM_API corm_decimal corm_decimal_of(int64_t unscaled, int32_t scale);

/* Reads "19.99", "-1E+5"; at most 16 bytes of unscaled value (38 digits), else CORM_CONVERSION. */
CORM_API CORM_CHECKED corm_status corm_decimal_parse(const char *text, corm_decimal *out,
                                                     corm_error *err);

/* Writes the server's text form and a zero byte. Returns its length, like snprintf. */
CORM_API size_t corm_decimal_format(const corm_decimal *decimal, char *out, size_t size);

/* The nearest double. */
CORM_API double corm_decimal_to_double(const corm_decimal *decimal);

/* "10.0.0.1" or "2001:db8::1"; CORM_CONVERSION for anything else. */
CORM_API CORM_CHECKED corm_status corm_inet_parse(const char *text, corm_inet *out,
                                                  corm_error *err);
CORM_API void                     corm_inet_format(corm_inet inet, char out[46]);

#ifdef __cplusplus
}
#endif
#endif
