// SPDX-License-Identifier: MIT
/* order.c -- keys that sort by memcmp as the values do by cql__compare. Pure; any thread.
 *
 * Behind the marker of a value (see order.h) stands:
 *
 *   integers, counter, timestamp    the bytes with the sign bit flipped
 *   float, double                   positive: the sign bit flipped; negative: every bit
 *   date, time, boolean             the bytes
 *   uuid, timeuuid                  16 bytes of uuid_order.h
 *   varint, decimal                 see varint.c and decimal.c
 *   text, blob, inet and others     the bytes, 00 as 01 01 and 01 as 01 02, then 00
 *   list, set, map                  each element with its marker, then 00
 *   tuple, user-defined type        each component with its marker but nulls at the end, then 00
 *   vector                          each item with its marker
 *
 * No encoding is the beginning of another, so what follows never decides between two different
 * values. */
#include "cql/order.h"

#include "cql/numbers.h"
#include "cql/types_internal.h"
#include "cql/uuid_order.h"

enum { END = 0x00, MARK_NULL = 0x01, MARK_EMPTY = 0x02, MARK_VALUE = 0x03, ESCAPE = 0x01 };

static void put_escaped(cql_value value, base_buf *out) {
    const uint8_t *p = value.data;
    size_t         left = (size_t)value.len;
    while (left > 0) {
        size_t run = 0;
        while (run < left && p[run] > ESCAPE) run++;
        base__buf_put(out, p, run);
        p += run;
        left -= run;
        if (left == 0) break;
        base__buf_u16(out, (uint16_t)(ESCAPE << 8 | (*p + 1)));
        p++;
        left--;
    }
    base__buf_u8(out, END);
}

/* `flip` is applied to the first byte. */
static void put_bytes(cql_value value, uint8_t flip, base_buf *out) {
    uint8_t *p = base__buf_grow(out, (size_t)value.len);
    if (!p) return;
    memcpy(p, value.data, (size_t)value.len);
    p[0] ^= flip;
}

/* Every NaN is Java's one NaN. */
static void put_double(cql_value value, base_buf *out) {
    uint64_t bits = base__load_u64(value.data);
    if ((bits & INT64_MAX) > UINT64_C(0x7ff0000000000000)) bits = UINT64_C(0x7ff8000000000000);
    base__buf_u64(out, bits >> 63 ? ~bits : bits | UINT64_C(1) << 63);
}

static void put_float(cql_value value, base_buf *out) {
    uint32_t bits = base__load_u32(value.data);
    if ((bits & INT32_MAX) > UINT32_C(0x7f800000)) bits = UINT32_C(0x7fc00000);
    base__buf_u32(out, bits >> 31 ? ~bits : bits | UINT32_C(1) << 31);
}

static void put_uuid(cql_value value, base_buf *out) {
    base__buf_u64(out, cql__uuid_order_high(value.data));
    base__buf_u64(out, base__load_u64(value.data + 8));
}

static void put_timeuuid(cql_value value, base_buf *out) {
    base__buf_u64(out, cql__timeuuid_order_high(value.data));
    base__buf_u64(out, cql__timeuuid_order_low(value.data));
}

static void put_counted(const cql_type *type, cql_value value, base_buf *out) {
    cql_walk  walk;
    cql_value item;
    if (cql__walk_begin(&walk, type, value, NULL) == CORM_OK) {
        for (uint32_t i = 0; cql__walk_next(&walk, &item); i++) {
            cql__order_put(cql__item_type(type, i), item, false, out);
        }
    }
    base__buf_u8(out, END);
}

static void put_tuple(const cql_type *type, cql_value value, base_buf *out) {
    cql_walk  walk;
    cql_value item;
    if (cql__walk_begin(&walk, type, value, NULL) == CORM_OK) {
        size_t end = out->len; /* behind the last component that is not null */
        for (uint32_t i = 0; cql__walk_next(&walk, &item); i++) {
            cql__order_put(cql__item_type(type, i), item, false, out);
            if (!cql__is_null(item)) end = out->len;
        }
        out->len = end;
    }
    base__buf_u8(out, END);
}

static void put_vector(const cql_type *type, cql_value value, base_buf *out) {
    cql_walk  walk;
    cql_value item;
    if (cql__walk_begin(&walk, type, value, NULL) != CORM_OK) return;
    while (cql__walk_next(&walk, &item)) cql__order_put(type->params[0], item, false, out);
}

static void put_boolean(cql_value value, base_buf *out) {
    base__buf_u8(out, value.data[0] != 0);
}

/* A value whose size is not its type's is no value; its key need only be some key. */
static void put_sized(int32_t size, cql_value value, void (*put)(cql_value, base_buf *),
                      base_buf *out) {
    (value.len == size ? put : put_escaped)(value, out);
}

static void put_value(const cql_type *type, cql_value value, base_buf *out) {
    switch (type->id) {
    case CQL_TINYINT:
    case CQL_SMALLINT:
    case CQL_INT:
    case CQL_BIGINT:
    case CQL_COUNTER:
    case CQL_TIMESTAMP: put_bytes(value, 0x80, out); return;
    case CQL_DATE:
    case CQL_TIME: put_bytes(value, 0, out); return;
    case CQL_BOOLEAN: put_boolean(value, out); return;
    case CQL_DOUBLE: put_sized(8, value, put_double, out); return;
    case CQL_FLOAT: put_sized(4, value, put_float, out); return;
    case CQL_UUID: put_sized(16, value, put_uuid, out); return;
    case CQL_TIMEUUID: put_sized(16, value, put_timeuuid, out); return;
    case CQL_VARINT: cql__varint_order(value, out); return;
    case CQL_DECIMAL: cql__decimal_order(value, out); return;
    case CQL_LIST:
    case CQL_SET:
    case CQL_MAP: put_counted(type, value, out); return;
    case CQL_TUPLE:
    case CQL_UDT: put_tuple(type, value, out); return;
    case CQL_VECTOR: put_vector(type, value, out); return;
    default: put_escaped(value, out); return;
    }
}

void cql__order_put(const cql_type *type, cql_value value, bool descending, base_buf *out) {
    size_t start = out->len;
    if (value.len < 0) {
        base__buf_u8(out, MARK_NULL);
    } else if (value.len == 0) {
        base__buf_u8(out, MARK_EMPTY);
    } else {
        base__buf_u8(out, MARK_VALUE);
        put_value(type, value, out);
    }
    if (!descending || out->failed) return;
    for (size_t i = start; i < out->len; i++) out->data[i] = (uint8_t)~out->data[i];
}
