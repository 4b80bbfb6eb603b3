// SPDX-License-Identifier: MIT
/* crc.c -- the two checksums of segments. Native protocol v5 specification, section 2.2.
 *
 * CRC24 guards a segment's header: most significant bit first, a byte at a time. CRC32 guards its payload and is the one of
 * zlib, begun behind the four bytes FA 2D 55 CA, which the specification's text does not say. Tables are made by the
 * compiler: a checksum is linear, so an entry is the exclusive or of those of its bits. Where the processor multiplies
 * without carries, long payloads go that way. Pure functions. */
#include "wire/frame.h"

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
#include <immintrin.h>
#define WIRE_HAS_FOLDING
#endif

enum { CRC24_START = 0x875060, CRC24_MASK = 0xFFFFFF };

/* zlib's register after FA 2D 55 CA. */
static const uint32_t CRC32_START = 0xBB88812C;

#define BIT(i, b, value) (((i) >> (b)&1) ? (value) : 0U)
#define ENTRY(i, a, b, c, d, e, f, g, h)                                                           \
    BIT(i, 0, a) ^ BIT(i, 1, b) ^ BIT(i, 2, c) ^ BIT(i, 3, d) ^ BIT(i, 4, e) ^ BIT(i, 5, f) ^      \
        BIT(i, 6, g) ^ BIT(i, 7, h)
#define ROW4(i, ...)                                                                               \
    ENTRY((i), __VA_ARGS__), ENTRY((i) + 1, __VA_ARGS__), ENTRY((i) + 2, __VA_ARGS__),             \
        ENTRY((i) + 3, __VA_ARGS__)
#define ROW16(i, ...)                                                                              \
    ROW4(i, __VA_ARGS__), ROW4((i) + 4, __VA_ARGS__), ROW4((i) + 8, __VA_ARGS__),                  \
        ROW4((i) + 12, __VA_ARGS__)
#define ROW64(i, ...)                                                                              \
    ROW16(i, __VA_ARGS__), ROW16((i) + 16, __VA_ARGS__), ROW16((i) + 32, __VA_ARGS__),             \
        ROW16((i) + 48, __VA_ARGS__)
#define TABLE(...)                                                                                 \
    {                                                                                              \
        ROW64(0, __VA_ARGS__), ROW64(64, __VA_ARGS__), ROW64(128, __VA_ARGS__),                    \
            ROW64(192, __VA_ARGS__)                                                                \
    }

static const uint32_t crc24_table[256] =
    TABLE(0x974F0BU, 0xB9D11DU, 0xE4ED31U, 0x5E9569U, 0xBD2AD2U, 0xED1AAFU, 0x4D7A55U, 0x9AF4AAU);

/* crc32_table[k]: a byte that k others follow. */
static const uint32_t crc32_table[8][256] = {
    TABLE(0x77073096U, 0xEE0E612CU, 0x076DC419U, 0x0EDB8832U, 0x1DB71064U, 0x3B6E20C8U, 0x76DC4190U,
          0xEDB88320U),
    TABLE(0x191B3141U, 0x32366282U, 0x646CC504U, 0xC8D98A08U, 0x4AC21251U, 0x958424A2U, 0xF0794F05U,
          0x3B83984BU),
    TABLE(0x01C26A37U, 0x0384D46EU, 0x0709A8DCU, 0x0E1351B8U, 0x1C26A370U, 0x384D46E0U, 0x709A8DC0U,
          0xE1351B80U),
    TABLE(0xB8BC6765U, 0xAA09C88BU, 0x8F629757U, 0xC5B428EFU, 0x5019579FU, 0xA032AF3EU, 0x9B14583DU,
          0xED59B63BU),
    TABLE(0x3D6029B0U, 0x7AC05360U, 0xF580A6C0U, 0x30704BC1U, 0x60E09782U, 0xC1C12F04U, 0x58F35849U,
          0xB1E6B092U),
    TABLE(0xCB5CD3A5U, 0x4DC8A10BU, 0x9B914216U, 0xEC53826DU, 0x03D6029BU, 0x07AC0536U, 0x0F580A6CU,
          0x1EB014D8U),
    TABLE(0xA6770BB4U, 0x979F1129U, 0xF44F2413U, 0x33EF4E67U, 0x67DE9CCEU, 0xCFBD399CU, 0x440B7579U,
          0x8816EAF2U),
    TABLE(0xCCAA009EU, 0x4225077DU, 0x844A0EFAU, 0xD3E51BB5U, 0x7CBB312BU, 0xF9766256U, 0x299DC2EDU,
          0x533B85DAU),
};

uint32_t wire__crc24(const uint8_t *data, size_t len) {
    uint32_t crc = CRC24_START;
    for (size_t i = 0; i < len; i++) {
        crc = (crc << 8 & CRC24_MASK) ^ crc24_table[crc >> 16 ^ data[i]];
    }
    return crc;
}

static uint32_t load_le(const uint8_t *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint32_t fold_bytes(uint32_t crc, const uint8_t *data, size_t len) {
    for (; len >= 8; data += 8, len -= 8) {
        uint32_t a = crc ^ load_le(data), b = load_le(data + 4);
        crc = crc32_table[7][a & 0xFF] ^ crc32_table[6][a >> 8 & 0xFF] ^
              crc32_table[5][a >> 16 & 0xFF] ^ crc32_table[4][a >> 24] ^ crc32_table[3][b & 0xFF] ^
              crc32_table[2][b >> 8 & 0xFF] ^ crc32_table[1][b >> 16 & 0xFF] ^
              crc32_table[0][b >> 24];
    }
    for (; len > 0; data++, len--) crc = crc >> 8 ^ crc32_table[0][(crc ^ *data) & 0xFF];
    return crc;
}

#ifdef WIRE_HAS_FOLDING

/* Four lanes of 128 bits are each multiplied by x to the 512 and the next 64 bytes added, without carries, then by x to the
 * 128 into one, whose checksum is that of all bytes so far. Intel, "Fast CRC Computation for Generic Polynomials Using
 * PCLMULQDQ", 2009, where the constants of this polynomial are printed. */
enum { LANES = 4, LANE_BYTES = 16, FOLD_LEAST = LANES * LANE_BYTES };

#define FOLDING __attribute__((target("pclmul,sse4.1")))

FOLDING static inline __m128i load_lane(const uint8_t *data) {
    return _mm_loadu_si128((const __m128i *)(const void *)data);
}

FOLDING static inline __m128i fold_lane(__m128i lane, __m128i by, __m128i next) {
    __m128i low = _mm_clmulepi64_si128(lane, by, 0x00);
    __m128i high = _mm_clmulepi64_si128(lane, by, 0x11);
    return _mm_xor_si128(_mm_xor_si128(low, high), next);
}

FOLDING static uint32_t fold_lanes(uint32_t crc, const uint8_t *data, size_t len) {
    const __m128i by512 = _mm_set_epi64x(0x01C6E41596, 0x0154442BD4);
    const __m128i by128 = _mm_set_epi64x(0x00CCAA009E, 0x01751997D0);
    __m128i       lane[LANES];
    uint8_t       rest[LANE_BYTES];
    for (size_t i = 0; i < LANES; i++) lane[i] = load_lane(data + i * LANE_BYTES);
    lane[0] = _mm_xor_si128(lane[0], _mm_cvtsi32_si128((int)crc));
    for (data += FOLD_LEAST, len -= FOLD_LEAST; len >= FOLD_LEAST;
         data += FOLD_LEAST, len -= FOLD_LEAST) {
        for (size_t i = 0; i < LANES; i++) {
            lane[i] = fold_lane(lane[i], by512, load_lane(data + i * LANE_BYTES));
        }
    }
    for (size_t i = 1; i < LANES; i++) lane[0] = fold_lane(lane[0], by128, lane[i]);
    for (; len >= LANE_BYTES; data += LANE_BYTES, len -= LANE_BYTES) {
        lane[0] = fold_lane(lane[0], by128, load_lane(data));
    }
    _mm_storeu_si128((__m128i *)(void *)rest, lane[0]);
    return fold_bytes(fold_bytes(0, rest, sizeof rest), data, len);
}

uint32_t wire__crc32(const uint8_t *data, size_t len) {
    if (len >= FOLD_LEAST && __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1")) {
        return ~fold_lanes(CRC32_START, data, len);
    }
    return ~fold_bytes(CRC32_START, data, len);
}

#else

uint32_t wire__crc32(const uint8_t *data, size_t len) {
    return ~fold_bytes(CRC32_START, data, len);
}

#endif
