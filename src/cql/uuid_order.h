// SPDX-License-Identifier: MIT
/* uuid_order.h -- UUIDs as pairs of numbers that order as the server orders UUIDs.
 *
 *   uuid       version first; in version 1 by time, in others by bytes; then the low half by bytes
 *   timeuuid   by time, then the low half by signed bytes */
#ifndef CQL_UUID_ORDER_H
#define CQL_UUID_ORDER_H

#include "base/buf.h"

/* version, time_high | time_mid | time_low */
static inline uint64_t cql__uuid_by_time(uint64_t high) {
    return high << 48 | (high << 16 & UINT64_C(0xffff00000000)) | high >> 32;
}

static inline uint64_t cql__uuid_order_high(const uint8_t *uuid) {
    uint64_t high = base__load_u64(uuid);
    uint64_t version = high >> 12 & 15;
    if (version == 1) return cql__uuid_by_time(high);
    return version << 60 | high >> 16 << 12 | (high & 0xfff);
}

static inline uint64_t cql__timeuuid_order_high(const uint8_t *uuid) {
    return cql__uuid_by_time(base__load_u64(uuid));
}

static inline uint64_t cql__timeuuid_order_low(const uint8_t *uuid) {
    return base__load_u64(uuid + 8) ^ UINT64_C(0x8080808080808080);
}

#endif
