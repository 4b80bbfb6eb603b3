// SPDX-License-Identifier: MIT
/* token.c -- the Murmur3Partitioner and the serialised partition key. Pure; any thread.
 *
 * MurmurHash3_x64_128 (Austin Appleby, public domain) with one peculiarity of the server's:
 * bytes of the tail are sign-extended, so the bytes of one with its top bit set also flip the
 * bits above it. */
#include "cql/token.h"

#define C1 UINT64_C(0x87c37b91114253d5)
#define C2 UINT64_C(0x4cf5ad432745937f)

static uint64_t rotate(uint64_t v, unsigned bits) {
    return v << bits | v >> (64 - bits);
}

static uint64_t load_little(const uint8_t *p) {
    return __builtin_bswap64(base__load_u64(p));
}

static uint64_t mix_first(uint64_t k) {
    return rotate(k * C1, 31) * C2;
}

static uint64_t mix_second(uint64_t k) {
    return rotate(k * C2, 33) * C1;
}

static uint64_t finish(uint64_t h) {
    h ^= h >> 33;
    h *= UINT64_C(0xff51afd7ed558ccd);
    h ^= h >> 33;
    h *= UINT64_C(0xc4ceb9fe1a85ec53);
    return h ^ h >> 33;
}

/* Up to eight bytes, little-endian, each sign-extended. */
static uint64_t load_tail(const uint8_t *p, size_t len) {
    uint64_t k = 0;
    for (size_t i = len; i-- > 0;) k ^= (uint64_t)(int64_t)(int8_t)p[i] << (8 * i);
    return k;
}

static uint64_t hash(const uint8_t *p, size_t len) {
    uint64_t h1 = 0, h2 = 0;
    size_t   left = len;
    for (; left >= 16; left -= 16, p += 16) {
        h1 = (rotate(h1 ^ mix_first(load_little(p)), 27) + h2) * 5 + 0x52dce729;
        h2 = (rotate(h2 ^ mix_second(load_little(p + 8)), 31) + h1) * 5 + 0x38495ab5;
    }
    if (left > 8) h2 ^= mix_second(load_tail(p + 8, left - 8));
    if (left > 0) h1 ^= mix_first(load_tail(p, left < 8 ? left : 8));
    h1 ^= len;
    h2 ^= len;
    h1 += h2;
    h2 += h1;
    return finish(h1) + finish(h2);
}

int64_t cql__token(corm_bytes key) {
    if (key.len == 0) return INT64_MIN;
    int64_t token = (int64_t)hash(key.data, key.len);
    return token == INT64_MIN ? INT64_MAX : token;
}

void cql__partition_key(const cql_value *values, uint32_t count, base_buf *out) {
    if (count == 1) {
        if (values[0].len > 0) base__buf_put(out, values[0].data, (size_t)values[0].len);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        size_t len = values[i].len > 0 ? (size_t)values[i].len : 0;
        base__buf_u16(out, (uint16_t)len);
        if (len > 0) base__buf_put(out, values[i].data, len);
        base__buf_u8(out, 0);
    }
}

bool cql__partition_key_split(corm_bytes key, uint32_t count, cql_value *values) {
    if (count == 1) {
        if (key.len > INT32_MAX) return false;
        values[0] = cql__value_of(key);
        return true;
    }
    base_reader reader = { .data = key.data, .len = key.len };
    for (uint32_t i = 0; i < count; i++) {
        values[i] = cql__value_of(base__read_bytes(&reader, base__read_u16(&reader)));
        if (base__read_u8(&reader) != 0) return false;
    }
    return !reader.failed && reader.len == 0;
}
