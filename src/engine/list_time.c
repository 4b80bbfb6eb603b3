// SPDX-License-Identifier: MIT
/* list_time.c -- list cells are ordered by timeuuid. Appends take the clock's; prepends a clock that is mirrored at
 * 2010-01-01 (Lists.PrecisionTime of the server) and so runs backwards: what is prepended later sorts earlier.
 * Ticks are 100 ns since 1582-10-15 (RFC 9562). */
#include "engine/list_time.h"

#include <stdatomic.h>

#include "base/buf.h"
#include "base/clock.h"

static const int64_t epoch_ticks = INT64_C(0x01B21DD213814000);     /* 1970 */
static const int64_t mirror_ticks = INT64_C(1262304000000) * 10000; /* 2010, from 1970 */

corm_uuid engine__list_append_time(void) {
    return corm_uuid_time();
}

int64_t engine__list_prepend_ticks(uint32_t count) {
    static _Atomic int64_t last = INT64_MAX;
    int64_t                now = base__clock_ms() * 10000;
    int64_t                mirror = 2 * mirror_ticks - now + 9999 + epoch_ticks;
    int64_t                before = atomic_load(&last), first;
    do {
        first = (before < mirror ? before : mirror) - (int64_t)count;
    } while (!atomic_compare_exchange_weak(&last, &before, first));
    return first;
}

corm_uuid engine__list_time(int64_t ticks) {
    corm_uuid uuid = corm_uuid_time(); /* for its clock sequence and node */
    base__store_u32(uuid.bytes, (uint32_t)ticks);
    base__store_u16(uuid.bytes + 4, (uint16_t)(ticks >> 32));
    base__store_u16(uuid.bytes + 6, (uint16_t)(0x1000 | (ticks >> 48 & 0x0FFF)));
    return uuid;
}
