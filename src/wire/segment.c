// SPDX-License-Identifier: MIT
/* segment.c -- headers of segments. Pure functions. */
#include "wire/segment.h"

enum { LENGTH_BITS = 17 };

void wire__segment_put(uint8_t *header, wire_compression compression, wire_segment segment) {
    size_t   len = wire__segment_header_len(compression) - WIRE_CRC24_BYTES;
    uint64_t bits = segment.len;
    if (compression == WIRE_PLAIN) {
        bits |= (uint64_t)segment.self_contained << LENGTH_BITS;
    } else {
        bits |= (uint64_t)segment.original << LENGTH_BITS;
        bits |= (uint64_t)segment.self_contained << 2 * LENGTH_BITS;
    }
    wire__store_le(header, bits, len);
    wire__store_le(header + len, wire__crc24(header, len), WIRE_CRC24_BYTES);
}

bool wire__segment_read(const uint8_t *header, wire_compression compression, wire_segment *out) {
    size_t len = wire__segment_header_len(compression) - WIRE_CRC24_BYTES;
    if (wire__crc24(header, len) != wire__load_le(header + len, WIRE_CRC24_BYTES)) return false;
    uint64_t bits = wire__load_le(header, len < 4 ? len : 4);
    if (len > 4) bits |= (uint64_t)header[4] << 32;
    out->len = (uint32_t)(bits & WIRE_SEGMENT_MAX);
    bits >>= LENGTH_BITS;
    out->original = 0;
    if (compression != WIRE_PLAIN) {
        out->original = (uint32_t)(bits & WIRE_SEGMENT_MAX);
        bits >>= LENGTH_BITS;
    }
    out->self_contained = (bits & 1) != 0;
    return true;
}
