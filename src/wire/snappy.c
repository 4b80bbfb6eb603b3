// SPDX-License-Identifier: MIT
/* snappy.c -- compression in snappy's format; the library's own takes some 170 kB from the heap for each call and ends
 * the process when there are none.
 *
 *   [varint length] then elements, whose lowest two bits tell them apart:
 *   00  literal: length - 1 in the upper six bits, or 60 or 61 there and it in the next one or two bytes; the bytes
 *   01  copy of 4 to 11 bytes from less than 2,048 bytes back: [offset >> 8, 3 bits][length - 4, 3 bits] [offset & 255]
 *   10  copy of 1 to 64 bytes from less than 65,536 bytes back: [length - 1, 6 bits] [offset, little-endian]
 *
 * The input is cut into blocks of 64 kB; a table maps hashes of four bytes to where they were seen last in the block. Where nothing
 * repeats, steps become longer. Pure functions. */
#include "wire/snappy.h"

enum {
    BLOCK = 1 << 16,
    LEAST_BITS = 8, /* of the table */
    MOST_BITS = 12,
    LEAST_MATCH = 4,
    PATIENCE = 5 /* after 1 << PATIENCE misses a step becomes one byte longer */
};

size_t wire__snappy_bound(size_t len) {
    return 32 + len + len / 6;
}

static uint32_t load(const uint8_t *p) {
    uint32_t out;
    memcpy(&out, p, sizeof out);
    return out;
}

static uint8_t *put_length(uint8_t *to, size_t len) {
    for (; len >= 0x80; len >>= 7) *to++ = (uint8_t)(len | 0x80);
    *to++ = (uint8_t)len;
    return to;
}

/* At most a block. */
static uint8_t *put_literal(uint8_t *to, const uint8_t *from, size_t len) {
    if (len == 0) return to;
    size_t n = len - 1;
    if (n < 60) {
        *to++ = (uint8_t)(n << 2);
    } else {
        *to++ = (uint8_t)((n < 256 ? 60 : 61) << 2);
        *to++ = (uint8_t)n;
        if (n >= 256) *to++ = (uint8_t)(n >> 8);
    }
    memcpy(to, from, len);
    return to + len;
}

static uint8_t *put_long_copy(uint8_t *to, size_t offset, size_t len) {
    *to++ = (uint8_t)((len - 1) << 2 | 2);
    *to++ = (uint8_t)offset;
    *to++ = (uint8_t)(offset >> 8);
    return to;
}

/* What is left behind a copy of 64 bytes is at least 4, so that it may be a short one. */
static uint8_t *put_copy(uint8_t *to, size_t offset, size_t len) {
    for (; len >= 64 + LEAST_MATCH; len -= 64) to = put_long_copy(to, offset, 64);
    if (len > 64) {
        to = put_long_copy(to, offset, 60);
        len -= 60;
    }
    if (len >= 12 || offset >= 2048) return put_long_copy(to, offset, len);
    *to++ = (uint8_t)(offset >> 8 << 5 | (len - 4) << 2 | 1);
    *to++ = (uint8_t)offset;
    return to;
}

static unsigned table_bits(size_t len) {
    unsigned bits = LEAST_BITS;
    while (bits < MOST_BITS && (size_t)1 << bits < len) bits++;
    return bits;
}

/* How many bytes at `a` and at `b`, which is behind it, are the same, before `end`. */
static size_t match_length(const uint8_t *a, const uint8_t *b, const uint8_t *end) {
    const uint8_t *start = b;
    while (end - b >= 4 && load(a) == load(b)) a += 4, b += 4;
    while (b < end && *a == *b) a++, b++;
    return (size_t)(b - start);
}

static uint8_t *put_block(uint8_t *to, const uint8_t *block, size_t len) {
    uint16_t table[1 << MOST_BITS];
    unsigned bits = table_bits(len);
    size_t   at = 1, literal = 0, misses = 0;
    memset(table, 0, sizeof *table << bits);
    while (at + LEAST_MATCH <= len) {
        uint32_t  word = load(block + at);
        uint16_t *slot = &table[word * 0x1E35A7BDU >> (32 - bits)];
        size_t    before = *slot;
        *slot = (uint16_t)at;
        if (load(block + before) != word) {
            at += 1 + (misses++ >> PATIENCE);
            continue;
        }
        size_t same = match_length(block + before, block + at, block + len);
        to = put_literal(to, block + literal, at - literal);
        to = put_copy(to, at - before, same);
        literal = at += same;
        misses = 0;
    }
    return put_literal(to, block + literal, len - literal);
}

size_t wire__snappy_compress(corm_bytes in, uint8_t *to) {
    uint8_t *start = to;
    to = put_length(to, in.len);
    for (size_t at = 0; at < in.len; at += BLOCK) {
        to = put_block(to, in.data + at, in.len - at < BLOCK ? in.len - at : BLOCK);
    }
    return (size_t)(to - start);
}
