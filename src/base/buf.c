// SPDX-License-Identifier: MIT
/* buf.c -- the growable byte buffer and its big-endian writers.
 *
 * Owns the bytes of the buffers. Runs on the caller's thread; one thread at a time. */
#include "base/buf.h"

#include "base/fail.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { SMALLEST = 64 };

bool base__buf_reserve(base_buf *buf, size_t more) {
    if (buf->failed) return false;
    if (more <= buf->cap - buf->len) return true;
    if (more > SIZE_MAX / 2 - buf->len) {
        buf->failed = true;
        return false;
    }
    size_t cap = buf->cap < SMALLEST ? SMALLEST : buf->cap;
    while (cap - buf->len < more) cap *= 2;
    uint8_t *data = realloc(buf->data, cap);
    if (!data) {
        buf->failed = true;
        return false;
    }
    buf->data = data;
    buf->cap = cap;
    return true;
}

uint8_t *base__buf_grow(base_buf *buf, size_t len) {
    if (!base__buf_reserve(buf, len)) return NULL;
    if (!buf->data && !base__buf_reserve(buf, 1)) return NULL;
    uint8_t *out = buf->data + buf->len;
    buf->len += len;
    return out;
}

void base__buf_put(base_buf *buf, const void *data, size_t len) {
    if (len == 0) return;
    uint8_t *out = base__buf_grow(buf, len);
    if (out) memcpy(out, data, len);
}

void base__buf_put_str(base_buf *buf, corm_str text) {
    base__buf_put(buf, text.data, text.len);
}

void base__buf_puts(base_buf *buf, const char *text) {
    base__buf_put(buf, text, strlen(text));
}

void base__buf_printf(base_buf *buf, const char *format, ...) {
    va_list args;
    va_list again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    if (len < 0 || !base__buf_reserve(buf, (size_t)len + 1)) {
        buf->failed = true;
    } else {
        vsnprintf((char *)buf->data + buf->len, (size_t)len + 1, format, again);
        buf->len += (size_t)len;
    }
    va_end(again);
    va_end(args);
}

void base__buf_u8(base_buf *buf, uint8_t v) {
    base__buf_put(buf, &v, 1);
}

void base__buf_u16(base_buf *buf, uint16_t v) {
    uint8_t *out = base__buf_grow(buf, 2);
    if (out) base__store_u16(out, v);
}

void base__buf_u32(base_buf *buf, uint32_t v) {
    uint8_t *out = base__buf_grow(buf, 4);
    if (out) base__store_u32(out, v);
}

void base__buf_i32(base_buf *buf, int32_t v) {
    base__buf_u32(buf, (uint32_t)v);
}

void base__buf_u64(base_buf *buf, uint64_t v) {
    uint8_t *out = base__buf_grow(buf, 8);
    if (out) base__store_u64(out, v);
}

void base__buf_i64(base_buf *buf, int64_t v) {
    base__buf_u64(buf, (uint64_t)v);
}

void base__buf_uvarint(base_buf *buf, uint64_t v) {
    uint8_t bytes[10];
    size_t  len = 0;
    while (v >= 0x80) {
        bytes[len++] = (uint8_t)(v | 0x80);
        v >>= 7;
    }
    bytes[len++] = (uint8_t)v;
    base__buf_put(buf, bytes, len);
}

void base__buf_set_i32(base_buf *buf, size_t at, int32_t v) {
    if (!buf->failed) base__store_u32(buf->data + at, (uint32_t)v);
}

const char *base__buf_cstr(base_buf *buf) {
    if (!base__buf_reserve(buf, 1)) return NULL;
    buf->data[buf->len] = 0;
    return (const char *)buf->data;
}

void base__buf_clear(base_buf *buf) {
    buf->len = 0;
    buf->failed = false;
}

void base__buf_free(base_buf *buf) {
    free(buf->data);
    *buf = (base_buf){ 0 };
}

corm_status base__buf_status(const base_buf *buf, corm_error *err) {
    return buf->failed ? base__fail_memory(err) : CORM_OK;
}
