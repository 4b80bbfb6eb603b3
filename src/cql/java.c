// SPDX-License-Identifier: MIT
/* java.c -- order of hash maps and forms of numbers, as the server's runtime has them. Pure; any
 * thread.
 *
 * A map has a power of two of buckets, the bucket of a key is (h ^ h >>> 16) mod buckets, and a
 * walk goes from bucket to bucket; within one, in the order of insertion. The buckets double when
 * three quarters as many keys are in. */
#include "cql/java.h"

#include <math.h>

#include "base/text.h"

/* The code point at `at`, which moves behind it; a byte that begins none stands for itself. */
static uint32_t next_point(corm_str text, size_t *at) {
    const uint8_t *p = (const uint8_t *)text.data + *at;
    uint32_t       more = p[0] >= 0xf0 ? 3 : p[0] >= 0xe0 ? 2 : p[0] >= 0xc0 ? 1 : 0;
    if (more == 0 || text.len - *at <= more) {
        *at += 1;
        return p[0];
    }
    uint32_t point = p[0] & (0x3fu >> more);
    for (uint32_t i = 1; i <= more; i++) point = point << 6 | (p[i] & 0x3fu);
    *at += more + 1;
    return point;
}

/* Horner's rule with 31 over the UTF-16 units, as String.hashCode. */
static int32_t string_hash(corm_str text) {
    uint32_t hash = 0;
    size_t   at = 0;
    while (at < text.len) {
        uint32_t point = next_point(text, &at);
        if (point >= 0x10000) {
            hash = hash * 31 + (0xd800 + ((point - 0x10000) >> 10));
            point = 0xdc00 + ((point - 0x10000) & 0x3ff);
        }
        hash = hash * 31 + point;
    }
    return (int32_t)hash;
}

/* From the last byte to the first, signed, beginning with 1, as ByteBuffer.hashCode. */
static int32_t bytes_hash(corm_str text) {
    uint32_t hash = 1;
    for (size_t i = text.len; i > 0; i--) {
        uint32_t byte = (uint8_t)text.data[i - 1];
        hash = hash * 31 + (byte ^ 0x80) - 0x80;
    }
    return (int32_t)hash;
}

int32_t cql__java_hash(cql_java_key key, corm_str text) {
    return key == CQL_JAVA_STRING ? string_hash(text) : bytes_hash(text);
}

uint32_t cql__java_capacity(uint32_t keys) {
    uint32_t capacity = 1;
    while (capacity < keys && capacity < UINT32_C(1) << 30) capacity *= 2;
    return capacity;
}

uint32_t cql__java_copy_capacity(uint32_t keys) {
    return cql__java_capacity((uint32_t)((float)keys / 0.75f + 1.0f));
}

static uint32_t grown(uint32_t capacity, uint32_t count) {
    while (capacity < UINT32_C(1) << 30 && count > (uint64_t)capacity * 3 / 4) capacity *= 2;
    return capacity;
}

void cql__java_order(cql_java_key key, const corm_str *names, uint32_t count, uint32_t stride,
                     uint32_t capacity, uint32_t *order) {
    uint32_t mask = grown(capacity, count) - 1;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t hash = (uint32_t)cql__java_hash(key, names[(size_t)i * stride]);
        uint32_t bucket = (hash ^ hash >> 16) & mask;
        uint32_t at = i;
        for (; at > 0; at--) {
            uint32_t other = (uint32_t)cql__java_hash(key, names[(size_t)order[at - 1] * stride]);
            if (((other ^ other >> 16) & mask) <= bucket) break;
            order[at] = order[at - 1];
        }
        order[at] = i;
    }
}

bool cql__java_is_numeric(corm_str text) {
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') return false;
    }
    return text.len > 0;
}

bool cql__java_long(corm_str text, int64_t *out) {
    return base__parse_i64(text, out);
}

bool cql__java_int(corm_str text, int32_t *out) {
    int64_t wide;
    if (!cql__java_long(text, &wide) || wide < INT32_MIN || wide > INT32_MAX) return false;
    *out = (int32_t)wide;
    return true;
}

static corm_str trimmed(corm_str text) {
    while (text.len > 0 && (uint8_t)text.data[0] <= ' ')
        text = (corm_str){ text.data + 1, text.len - 1 };
    while (text.len > 0 && (uint8_t)text.data[text.len - 1] <= ' ') text.len--;
    return text;
}

static bool is_special(corm_str text) {
    if (text.len > 0 && (text.data[0] == '-' || text.data[0] == '+')) {
        text = (corm_str){ text.data + 1, text.len - 1 };
    }
    return corm_str_equal(text, corm_str_of("NaN")) ||
           corm_str_equal(text, corm_str_of("Infinity"));
}

static bool is_among(char c, const char *set) {
    return c != 0 && strchr(set, c);
}

/* Digits of a hexadecimal number from *at on, into *mantissa as far as they fit; what does not is told by its last bit. The result
 * says how many there were. */
static int hex_digits(corm_str text, size_t *at, uint64_t *mantissa, int *dropped) {
    int count = 0;
    for (int digit; *at < text.len && (digit = base__hex_digit(text.data[*at])) >= 0; ++*at) {
        count++;
        if (*mantissa >> 60 == 0) {
            *mantissa = *mantissa << 4 | (unsigned)digit;
        } else {
            *mantissa |= digit != 0;
            ++*dropped;
        }
    }
    return count;
}

/* 0x1.8p-3: the binary exponent must be there. */
static bool hex_double(corm_str text, double *out) {
    size_t   at = text.len > 0 && is_among(text.data[0], "+-");
    uint64_t mantissa = 0;
    int64_t  exponent;
    int      dropped = 0, more = 0;
    if (text.len < at + 2 || text.data[at] != '0' || !is_among(text.data[at + 1], "xX"))
        return false;
    at += 2;
    int digits = hex_digits(text, &at, &mantissa, &dropped);
    if (at < text.len && text.data[at] == '.') {
        at++;
        more = hex_digits(text, &at, &mantissa, &dropped);
    }
    if (digits + more == 0 || at >= text.len || !is_among(text.data[at], "pP")) return false;
    corm_str power = { text.data + at + 1, text.len - at - 1 };
    if (!cql__java_long(power, &exponent)) return false;
    exponent = exponent > 100000 ? 100000 : exponent < -100000 ? -100000 : exponent;
    *out = ldexp((double)mantissa, (int)exponent + 4 * (dropped - more));
    if (text.data[0] == '-') *out = -*out;
    return true;
}

/* A letter behind the number says float or double; words are spelled in one way only. */
bool cql__java_double(corm_str text, double *out) {
    text = trimmed(text);
    if (is_special(text)) return base__parse_f64(text, out);
    corm_str number = text;
    if (text.len > 1 && is_among(text.data[text.len - 1], "fFdD")) number.len--;
    if (hex_double(number, out)) return true;
    text = number;
    if (text.len == 0 || !is_among(text.data[text.len - 1], "0123456789.")) return false;
    return base__parse_f64(text, out);
}
