// SPDX-License-Identifier: MIT
/* compress.c -- bodies of v4 compressed with LZ4 or snappy. Native protocol v4 specification, section 5.
 *
 *   LZ4:     [int length of what was compressed] block        snappy:  block
 *
 * Lengths are checked before memory is taken for them. Runs on the caller's thread, in the caller's buffers. */
#include <lz4.h>
#include <snappy-c.h>

#include "base/fail.h"
#include "wire/frame.h"
#include "wire/snappy.h"

enum { LZ4_PREFIX = 4 };

static const char *const names[] = {
    [WIRE_PLAIN] = NULL, [WIRE_LZ4] = "lz4", [WIRE_SNAPPY] = "snappy"
};

const char *wire__compression_name(wire_compression compression) {
    return (size_t)compression < sizeof names / sizeof *names ? names[compression] : NULL;
}

static corm_status broken(corm_error *err, const char *what) {
    return base__fail(err, CORM_PROTOCOL_ERROR, "a message cannot be decompressed: %s", what);
}

static corm_status put_lz4(corm_bytes in, base_buf *out, corm_error *err) {
    if (in.len > LZ4_MAX_INPUT_SIZE) {
        return base__fail(err, CORM_INVALID_ARGUMENT, "%zu bytes are too many for LZ4", in.len);
    }
    int bound = LZ4_compressBound((int)in.len);
    if (!base__buf_reserve(out, LZ4_PREFIX + (size_t)bound)) return base__fail_memory(err);
    uint8_t *to = out->data + out->len;
    int      len =
        LZ4_compress_default((const char *)in.data, (char *)to + LZ4_PREFIX, (int)in.len, bound);
    if (len <= 0) return base__fail(err, CORM_INVALID_ARGUMENT, "LZ4 refused %zu bytes", in.len);
    base__store_u32(to, (uint32_t)in.len);
    out->len += LZ4_PREFIX + (size_t)len;
    return CORM_OK;
}

static corm_status put_snappy(corm_bytes in, base_buf *out, corm_error *err) {
    if (in.len > UINT32_MAX) {
        return base__fail(err, CORM_INVALID_ARGUMENT, "%zu bytes are too many for snappy", in.len);
    }
    if (!base__buf_reserve(out, wire__snappy_bound(in.len))) return base__fail_memory(err);
    out->len += wire__snappy_compress(in, out->data + out->len);
    return CORM_OK;
}

corm_status wire__compress(wire_compression kind, corm_bytes in, base_buf *out, corm_error *err) {
    switch (kind) {
    case WIRE_LZ4: return put_lz4(in, out, err);
    case WIRE_SNAPPY: return put_snappy(in, out, err);
    default: base__buf_put(out, in.data, in.len); return base__buf_status(out, err);
    }
}

/* Makes room for what is announced, and at least one byte, so that there is a place. */
static corm_status make_room(base_buf *out, size_t len, size_t max, corm_error *err) {
    if (len > max) return broken(err, "it announces too many bytes");
    return base__buf_reserve(out, len > 0 ? len : 1) ? CORM_OK : base__fail_memory(err);
}

static corm_status take_lz4(corm_bytes in, size_t max, base_buf *out, corm_error *err) {
    if (in.len < LZ4_PREFIX) return broken(err, "its length is missing");
    size_t len = base__load_u32(in.data);
    if (len > LZ4_MAX_INPUT_SIZE || in.len - LZ4_PREFIX > LZ4_MAX_INPUT_SIZE) {
        return broken(err, "it announces too many bytes");
    }
    CORM_TRY(make_room(out, len, max, err));
    if (len == 0) return CORM_OK;
    int got = LZ4_decompress_safe((const char *)in.data + LZ4_PREFIX, (char *)out->data + out->len,
                                  (int)(in.len - LZ4_PREFIX), (int)len);
    if (got < 0 || (size_t)got != len) return broken(err, "it is no LZ4 block of its length");
    out->len += len;
    return CORM_OK;
}

static corm_status take_snappy(corm_bytes in, size_t max, base_buf *out, corm_error *err) {
    size_t len = 0;
    if (snappy_uncompressed_length((const char *)in.data, in.len, &len) != SNAPPY_OK) {
        return broken(err, "its length is missing");
    }
    CORM_TRY(make_room(out, len, max, err));
    if (snappy_uncompress((const char *)in.data, in.len, (char *)out->data + out->len, &len) !=
        SNAPPY_OK) {
        return broken(err, "it is no snappy block");
    }
    out->len += len;
    return CORM_OK;
}

corm_status wire__decompress(wire_compression kind, corm_bytes in, size_t max, base_buf *out,
                             corm_error *err) {
    switch (kind) {
    case WIRE_LZ4: return take_lz4(in, max, out, err);
    case WIRE_SNAPPY: return take_snappy(in, max, out, err);
    default:
        if (in.len > max) return broken(err, "it announces too many bytes");
        base__buf_put(out, in.data, in.len);
        return base__buf_status(out, err);
    }
}
