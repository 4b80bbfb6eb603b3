// SPDX-License-Identifier: MIT
/* random_value.h -- random types and values for property tests; the same seed gives the same
 * ones. */
#ifndef CQL_RANDOM_VALUE_H
#define CQL_RANDOM_VALUE_H

#include "cql/numbers.h"
#include "cql/values_for_tests.h"
#include "cql/vint.h"

typedef struct random_source {
    uint64_t    state;
    base_arena *arena;
} random_source;

static inline uint64_t random_u64(random_source *r) {
    r->state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = (r->state ^ r->state >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static inline uint32_t random_below(random_source *r, uint32_t limit) {
    return (uint32_t)(random_u64(r) % limit);
}

/* Numbers of all sizes, small ones and limits more often. */
static inline int64_t random_i64(random_source *r) {
    static const int64_t edges[] = { 0,    1,         -1,        127,       128,      -128,
                                     -129, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN };
    if (random_below(r, 4) == 0) return edges[random_below(r, sizeof edges / sizeof *edges)];
    return (int64_t)random_u64(r) >> random_below(r, 64);
}

static inline void random_bytes(random_source *r, uint32_t most, base_buf *out) {
    static const uint8_t often[] = { 0x00, 0x01, 0x02, 0x7f, 0x80, 0xfe, 0xff };
    for (uint32_t left = random_below(r, most + 1); left > 0; left--) {
        bool edge = random_below(r, 2) == 0;
        base__buf_u8(out, edge ? often[random_below(r, sizeof often)] : (uint8_t)random_u64(r));
    }
}

static inline void random_ascii(random_source *r, base_buf *out) {
    static const char letters[] = "ab\x01 '\"\\\n9Z";
    for (uint32_t left = random_below(r, 5); left > 0; left--) {
        base__buf_u8(out, (uint8_t)letters[random_below(r, sizeof letters)]);
    }
}

static inline void random_text(random_source *r, base_buf *out) {
    random_ascii(r, out);
    if (random_below(r, 3) == 0) base__buf_puts(out, "\xc3\xa9\xf0\x9f\x98\x80");
}

static inline void random_uuid(random_source *r, uint8_t version, base_buf *out) {
    uint8_t bytes[16];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] =
            random_below(r, 3) == 0 ? (uint8_t)(random_below(r, 2) * 0x80) : (uint8_t)random_u64(r);
    }
    if (version) bytes[6] = (uint8_t)(version << 4 | (bytes[6] & 15));
    base__buf_put(out, bytes, sizeof bytes);
}

static inline void random_varint(random_source *r, base_buf *out) {
    if (random_below(r, 4) == 0)
        base__buf_u8(out, random_below(r, 2) ? 0xff : 0x00); /* not the shortest form */
    if (random_below(r, 3) == 0) random_bytes(r, 140, out);
    cql__varint_from_i64(random_i64(r), out);
}

static inline void random_decimal(random_source *r, base_buf *out) {
    int32_t scale = (int32_t)random_below(r, 9) - 4;
    if (random_below(r, 16) == 0) scale = (int32_t)random_u64(r);
    base__buf_i32(out, scale);
    int64_t unscaled = random_i64(r);
    if (random_below(r, 2) == 0) unscaled = unscaled / 1000 * 1000;
    if (random_below(r, 2) == 0) unscaled %= 200;
    if (random_below(r, 8) == 0)
        random_varint(r, out);
    else
        cql__varint_from_i64(unscaled, out);
}

static inline void random_double(random_source *r, base_buf *out) {
    static const double edges[] = { 0.0, -0.0, 1.0, -1.0, 1e300, -1e-300 };
    double              v = edges[random_below(r, sizeof edges / sizeof *edges)];
    uint64_t            bits = random_u64(r);
    if (random_below(r, 2) == 0) memcpy(&bits, &v, sizeof bits);
    if (random_below(r, 10) == 0) bits = UINT64_C(0x7ff8000000000000) | bits >> 52;
    if (random_below(r, 10) == 0) bits = UINT64_C(0x7ff0000000000000) | bits >> 63 << 63;
    base__buf_u64(out, bits);
}

static inline void random_float(random_source *r, base_buf *out) {
    uint32_t bits = (uint32_t)random_u64(r);
    if (random_below(r, 4) == 0) bits &= 0x80000000;
    if (random_below(r, 8) == 0) bits |= 0x7f800000;
    base__buf_u32(out, bits);
}

static inline void random_duration(random_source *r, base_buf *out) {
    int64_t sign = random_below(r, 2) ? 1 : -1;
    cql__put_vint(out, sign * (random_i64(r) & INT32_MAX));
    cql__put_vint(out, sign * (random_i64(r) & INT32_MAX));
    cql__put_vint(out, sign * (random_i64(r) & INT64_MAX));
}

static inline void random_scalar(random_source *r, cql_type_id id, base_buf *out) {
    switch (id) {
    case CQL_ASCII: random_ascii(r, out); return;
    case CQL_TEXT: random_text(r, out); return;
    case CQL_BOOLEAN: base__buf_u8(out, (uint8_t)random_below(r, 3)); return;
    case CQL_TINYINT: base__buf_u8(out, (uint8_t)random_u64(r)); return;
    case CQL_SMALLINT: base__buf_u16(out, (uint16_t)random_i64(r)); return;
    case CQL_INT:
    case CQL_DATE: base__buf_u32(out, (uint32_t)random_i64(r)); return;
    case CQL_BIGINT:
    case CQL_COUNTER:
    case CQL_TIMESTAMP: base__buf_i64(out, random_i64(r)); return;
    case CQL_TIME:
        base__buf_i64(out, (random_i64(r) & INT64_MAX) % INT64_C(86400000000000));
        return;
    case CQL_FLOAT: random_float(r, out); return;
    case CQL_DOUBLE: random_double(r, out); return;
    case CQL_UUID:
        random_uuid(r, (uint8_t)(random_below(r, 3) == 0 ? 1 : random_below(r, 16)), out);
        return;
    case CQL_TIMEUUID: random_uuid(r, 1, out); return;
    case CQL_INET:
        if (random_below(r, 2))
            base__buf_u32(out, (uint32_t)random_u64(r));
        else
            random_uuid(r, 0, out);
        return;
    case CQL_VARINT: random_varint(r, out); return;
    case CQL_DECIMAL: random_decimal(r, out); return;
    case CQL_DURATION: random_duration(r, out); return;
    default: random_bytes(r, 4, out); return;
    }
}

static inline cql_value random_value(random_source *r, const cql_type *type);

static inline bool may_be_empty(cql_type_id id) {
    return id != CQL_TINYINT && id != CQL_SMALLINT && id != CQL_DATE && id != CQL_TIME &&
           id != CQL_DURATION;
}

static inline void random_items(random_source *r, const cql_type *type, base_buf *out) {
    bool     tuple = type->id == CQL_TUPLE || type->id == CQL_UDT;
    uint32_t count = tuple                    ? type->count
                     : type->id == CQL_VECTOR ? type->dimension
                                              : random_below(r, 4);
    cql_pack pack;
    if (type->id == CQL_MAP) count *= 2;
    cql__pack_begin(&pack, type, out);
    for (uint32_t i = 0; i < count; i++) {
        cql_value item = random_value(r, type->params[tuple ? i : i % type->count]);
        if (tuple && random_below(r, 4) == 0) item = CQL_NULL;
        while (type->id == CQL_VECTOR && item.len == 0) item = random_value(r, type->params[0]);
        cql__pack_item(&pack, item);
    }
    cql__pack_end(&pack);
}

/* A valid value of the type, now and then the empty one; in the arena. */
static inline cql_value random_value(random_source *r, const cql_type *type) {
    base_buf buf = { 0 };
    if (type->count > 0)
        random_items(r, type, &buf);
    else if (!may_be_empty(type->id) || random_below(r, 20) > 0)
        random_scalar(r, type->id, &buf);
    uint8_t  *copy = base__arena_copy(r->arena, buf.data ? buf.data : (const uint8_t *)"", buf.len);
    cql_value value = { copy, (int32_t)buf.len };
    base__buf_free(&buf);
    return value;
}

/* A type that may be part of a key; nested up to `depth`. */
static inline const cql_type *random_key_type(random_source *r, int depth) {
    static const cql_type_id scalars[] = { CQL_ASCII,     CQL_BIGINT, CQL_BLOB,  CQL_BOOLEAN,
                                           CQL_DECIMAL,   CQL_DOUBLE, CQL_FLOAT, CQL_INT,
                                           CQL_TIMESTAMP, CQL_UUID,   CQL_TEXT,  CQL_VARINT,
                                           CQL_TIMEUUID,  CQL_INET,   CQL_DATE,  CQL_TIME,
                                           CQL_SMALLINT,  CQL_TINYINT };
    uint32_t                 count = sizeof scalars / sizeof *scalars;
    uint32_t                 pick = random_below(r, depth > 0 ? count + 6 : count);
    if (pick < count) return cql__type_native(scalars[pick]);
    const cql_type *a = random_key_type(r, depth - 1);
    const cql_type *b = random_key_type(r, depth - 1);
    switch (pick - count) {
    case 0: return cql__type_list(r->arena, a, true);
    case 1: return cql__type_set(r->arena, a, true);
    case 2: return cql__type_map(r->arena, a, b, true);
    case 3: return cql__type_vector(r->arena, a, 1 + random_below(r, 3));
    default: return cql__type_tuple(r->arena, (const cql_type *const[]){ a, b }, 2);
    }
}

#endif
