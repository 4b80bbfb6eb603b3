// SPDX-License-Identifier: MIT
/* reader.c -- reads big-endian numbers and slices front to back, never past the end.
 *
 * Owns nothing: slices point into the caller's bytes. */
#include "base/buf.h"

/* The next `len` bytes, or NULL and a failed reader that has nothing left. */
static const uint8_t *take(base_reader *reader, size_t len) {
    if (reader->failed || len > reader->len) {
        reader->failed = true;
        reader->len = 0;
        return NULL;
    }
    const uint8_t *out = reader->data;
    if (len > 0) reader->data += len;
    reader->len -= len;
    return out;
}

uint8_t base__read_u8(base_reader *reader) {
    const uint8_t *p = take(reader, 1);
    return p ? *p : 0;
}

uint16_t base__read_u16(base_reader *reader) {
    const uint8_t *p = take(reader, 2);
    return p ? base__load_u16(p) : 0;
}

uint32_t base__read_u32(base_reader *reader) {
    const uint8_t *p = take(reader, 4);
    return p ? base__load_u32(p) : 0;
}

int32_t base__read_i32(base_reader *reader) {
    return (int32_t)base__read_u32(reader);
}

uint64_t base__read_u64(base_reader *reader) {
    const uint8_t *p = take(reader, 8);
    return p ? base__load_u64(p) : 0;
}

int64_t base__read_i64(base_reader *reader) {
    return (int64_t)base__read_u64(reader);
}

uint64_t base__read_uvarint(base_reader *reader) {
    uint64_t out = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = base__read_u8(reader);
        if (reader->failed) return 0;
        if (shift == 63 && byte > 1) break;
        out |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) return out;
    }
    reader->failed = true;
    reader->len = 0;
    return 0;
}

corm_bytes base__read_bytes(base_reader *reader, size_t len) {
    const uint8_t *p = take(reader, len);
    return reader->failed ? (corm_bytes){ NULL, 0 } : (corm_bytes){ p, len };
}
