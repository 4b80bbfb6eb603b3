// SPDX-License-Identifier: MIT
/* hash.c -- a folded-multiply hash: each 16 bytes are mixed in by one 64 x 64 -> 128 bit product
 * whose halves are xored. Depends on the machine's byte order, so its values are never stored. */
#include "base/map.h"

__extension__ typedef unsigned __int128 wide;

/* Odd constants with about as many ones as zeros. */
#define K0 UINT64_C(0x9e3779b97f4a7c15)
#define K1 UINT64_C(0xd1b54a32d192ed03)
#define K2 UINT64_C(0x8cb92ba72f3d8dd7)

static uint64_t fold(uint64_t a, uint64_t b) {
    wide product = (wide)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t load(const uint8_t *p, size_t len) {
    uint64_t out = 0;
    memcpy(&out, p, len);
    return out;
}

uint64_t base__hash(const void *data, size_t len, uint64_t seed) {
    const uint8_t *p = data;
    size_t         left = len;
    uint64_t       h = fold(seed ^ K0, K1);
    for (; left > 16; left -= 16, p += 16) h = fold(load(p, 8) ^ h, load(p + 8, 8) ^ K1);
    uint64_t a = 0;
    uint64_t b = 0;
    if (left > 8) {
        a = load(p, 8);
        b = load(p + left - 8, 8);
    } else if (left > 0) {
        a = load(p, left);
    }
    h = fold(a ^ h, b ^ K2);
    return fold(h ^ K0, (uint64_t)len ^ K2);
}
