// SPDX-License-Identifier: MIT
/* crc.c -- the two checksums of segments. Native protocol v5 specification, section 2.2.
 *
 * CRC24 guards a segment's header: most significant bit first, a byte at a time. CRC32 guards its payload and is the one of
 * zlib, begun behind the four bytes FA 2D 55 CA, which the specification's text does not say. Tables are made by the
 * compiler: a checksum is linear, so an entry is the exclusive or of those of its bits. Pure functions. */
#include "wire/frame.h"

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

uint32_t wire__crc32(const uint8_t *data, size_t len) {
    return ~fold_bytes(CRC32_START, data, len);
}
