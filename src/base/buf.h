// SPDX-License-Identifier: MIT
/* buf.h -- a growable byte buffer with big-endian writers, and a bounds-checked reader.
 *
 * A failed allocation poisons the buffer: `failed` becomes true, further writes do nothing, and
 * the caller checks once at the end with base__buf_status(). One thread at a time. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "corm/error.h"

/* Zero-initialised is an empty, usable buffer. */
typedef struct base_buf {
    uint8_t *data;
    size_t   len;
    size_t   cap;
    bool     failed;
} base_buf;

/* Makes room for `more` bytes behind len; false when memory is exhausted. */
bool base__buf_reserve(base_buf *buf, size_t more);

void base__buf_put(base_buf *buf, const void *data, size_t len);
void base__buf_put_str(base_buf *buf, corm_str text);
void base__buf_puts(base_buf *buf, const char *text); /* without the zero byte */
void base__buf_printf(base_buf *buf, const char *format, ...) CORM_PRINTF(2, 3);
void base__buf_u8(base_buf *buf, uint8_t v);
void base__buf_u16(base_buf *buf, uint16_t v); /* big-endian, as all below */
void base__buf_u32(base_buf *buf, uint32_t v);
void base__buf_i32(base_buf *buf, int32_t v);
void base__buf_u64(base_buf *buf, uint64_t v);
void base__buf_i64(base_buf *buf, int64_t v);
void base__buf_uvarint(base_buf *buf, uint64_t v); /* LEB128, for stored formats */

/* Appends `len` uninitialised bytes and returns where they begin; NULL when memory is exhausted. */
uint8_t *base__buf_grow(base_buf *buf, size_t len);

/* Overwrites four bytes at `at`, which must be inside. */
void base__buf_set_i32(base_buf *buf, size_t at, int32_t v);

/* Appends a zero byte that len does not count, so that data is a C string; never NULL unless
 * failed. */
const char *base__buf_cstr(base_buf *buf);

void base__buf_clear(base_buf *buf); /* len = 0 and failed = false, memory kept */
void base__buf_free(base_buf *buf);

/* CORM_NO_MEMORY when a write failed. */
CORM_CHECKED corm_status base__buf_status(const base_buf *buf, corm_error *err);

static inline corm_bytes base__buf_bytes(const base_buf *buf) {
    return (corm_bytes){ buf->data, buf->len };
}
static inline corm_str base__buf_str(const base_buf *buf) {
    return (corm_str){ (const char *)buf->data, buf->len };
}

/* Reads front to back. Reading past the end sets `failed` and gives zeros and empty slices. */
typedef struct base_reader {
    const uint8_t *data;
    size_t         len; /* bytes left */
    bool           failed;
} base_reader;

uint8_t    base__read_u8(base_reader *reader);
uint16_t   base__read_u16(base_reader *reader);
uint32_t   base__read_u32(base_reader *reader);
int32_t    base__read_i32(base_reader *reader);
uint64_t   base__read_u64(base_reader *reader);
int64_t    base__read_i64(base_reader *reader);
uint64_t   base__read_uvarint(base_reader *reader);
corm_bytes base__read_bytes(base_reader *reader, size_t len);

/* Unaligned big-endian loads and stores. */
static inline uint16_t base__load_u16(const uint8_t *p) {
    return (uint16_t)((uint16_t)p[0] << 8 | p[1]);
}
static inline uint32_t base__load_u32(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | (uint32_t)p[3];
}
static inline uint64_t base__load_u64(const uint8_t *p) {
    return (uint64_t)base__load_u32(p) << 32 | base__load_u32(p + 4);
}
static inline void base__store_u16(uint8_t *p, uint16_t v) {
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}
static inline void base__store_u32(uint8_t *p, uint32_t v) {
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}
static inline void base__store_u64(uint8_t *p, uint64_t v) {
    base__store_u32(p, (uint32_t)(v >> 32));
    base__store_u32(p + 4, (uint32_t)v);
}

#endif
