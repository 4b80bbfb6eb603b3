// SPDX-License-Identifier: MIT
/* clock.h -- time and randomness. Any thread. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "corm/types.h"

/* Microseconds since 1970, strictly increasing within the process: never the same twice. */
int64_t base__clock_write_us(void);

/* The wall clock in micro-, milliseconds and seconds since 1970. */
int64_t base__clock_us(void);
int64_t base__clock_ms(void);
int64_t base__clock_s(void);

/* Nanoseconds of a clock that never goes back, for durations. */
int64_t base__clock_mono_ns(void);

/* Makes the wall clock functions answer `us` microseconds since 1970 (and, for write_us, count up
 * from it); 0 goes back to the real clock. For tests. */
void base__clock_fake(int64_t us);

/* Fills from the operating system's entropy; false only when there is none. */
bool base__random(void *out, size_t len);

#endif
