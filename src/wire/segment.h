// SPDX-License-Identifier: MIT
/* segment.h -- the layout of segments and envelopes, shared by decoder and encoder. Private to this folder.
 *
 *   plain  [3: length 17 bits | self-contained << 17]                         [3: CRC24] payload [4: CRC32]
 *   LZ4    [5: length 17 bits | original length << 17 | self-contained << 34] [3: CRC24] payload [4: CRC32]
 *
 * All little-endian, unlike the envelopes inside: [1 version][1 flags][2 stream][1 opcode][4 length] body. An original
 * length of 0 says that an LZ4 segment's payload is stored as it is. */
#ifndef WIRE_SEGMENT_H
#define WIRE_SEGMENT_H

#include "wire/frame.h"

enum { WIRE_CRC24_BYTES = 3, WIRE_CRC32_BYTES = 4, WIRE_DIRECTION = 0x80 };

/* What a segment's header says. */
typedef struct wire_segment {
    uint32_t len;      /* of the payload as it travels */
    uint32_t original; /* before compression, 0: was not compressed */
    bool     self_contained;
} wire_segment;

/* Bytes in front of a payload. */
static inline size_t wire__segment_header_len(wire_compression compression) {
    return compression == WIRE_PLAIN ? 6 : 8;
}

/* Writes and reads those bytes; false when their checksum does not fit. */
void wire__segment_put(uint8_t *header, wire_compression compression, wire_segment segment);
bool wire__segment_read(const uint8_t *header, wire_compression compression, wire_segment *out);

static inline uint32_t wire__load_le(const uint8_t *p, size_t len) {
    uint32_t out = 0;
    for (size_t i = len; i-- > 0;) out = out << 8 | p[i];
    return out;
}
static inline void wire__store_le(uint8_t *p, uint64_t v, size_t len) {
    for (size_t i = 0; i < len; i++) p[i] = (uint8_t)(v >> (8 * i));
}

#endif
