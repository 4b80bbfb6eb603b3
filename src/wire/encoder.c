// SPDX-License-Identifier: MIT
/* encoder.c -- frames to bytes of a connection, built where they are sent from.
 *
 *   out:   finished bytes │ segment header │ envelope │ envelope │ … room for the CRC32
 *                         segment_at                  envelope_at
 *
 * A segment's header and checksum are filled in when it closes: full, or taken. An envelope that does not fit behind the others
 * moves to a segment of its own, one that fits in none is cut into slices; both go through `scratch`. What may need memory
 * is reserved before anything is changed, so that a failure drops one envelope and nothing else. One thread at a time. */
#include <lz4.h>

#include "base/fail.h"
#include "wire/segment.h"

enum {
    LEAST_TO_COMPRESS = 64, /* fewer bytes do not get shorter */
    KEPT_BYTES = 1 << 20    /* a larger scratch buffer is given back after its message */
};

void wire__encoder_init(wire_encoder *encoder, uint8_t version, bool response) {
    *encoder = (wire_encoder){ .version = version, .response = response, .segment_at = SIZE_MAX };
}

void wire__encoder_free(wire_encoder *encoder) {
    base__buf_free(&encoder->out);
    base__buf_free(&encoder->scratch);
    wire__encoder_init(encoder, encoder->version, encoder->response);
}

static void clear_scratch(wire_encoder *encoder) {
    if (encoder->scratch.cap > KEPT_BYTES) base__buf_free(&encoder->scratch);
    base__buf_clear(&encoder->scratch);
}

/* ---- segments ---- */

static size_t header_len(const wire_encoder *encoder) {
    return wire__segment_header_len(encoder->compression);
}

static size_t payload_at(const wire_encoder *encoder) {
    return encoder->segment_at + header_len(encoder);
}

/* Bytes that `len` bytes of envelopes need at most, in segments of their own. */
static size_t segments_bound(const wire_encoder *encoder, size_t len) {
    size_t count = len / WIRE_SEGMENT_MAX + 1;
    return len + count * (header_len(encoder) + WIRE_CRC32_BYTES);
}

/* Compresses the open segment's payload in place, when it gets shorter; without memory it stays as it is. Gives the
 * original length, or 0. */
static uint32_t shrink(wire_encoder *encoder) {
    base_buf *out = &encoder->out, *scratch = &encoder->scratch;
    size_t    at = payload_at(encoder), len = out->len - at;
    if (encoder->compression != WIRE_LZ4 || len < LEAST_TO_COMPRESS) return 0;
    if (!base__buf_reserve(scratch, len)) {
        scratch->failed = false;
        return 0;
    }
    char *to = (char *)scratch->data + scratch->len;
    int   got = LZ4_compress_default((const char *)out->data + at, to, (int)len, (int)len - 1);
    if (got <= 0) return 0;
    memcpy(out->data + at, to, (size_t)got);
    out->len = at + (size_t)got;
    return (uint32_t)len;
}

/* The room for the checksum was reserved with the last envelope. */
static void close_segment(wire_encoder *encoder, bool self_contained) {
    if (encoder->segment_at == SIZE_MAX) return;
    base_buf    *out = &encoder->out;
    size_t       at = payload_at(encoder);
    wire_segment segment = { .original = shrink(encoder), .self_contained = self_contained };
    segment.len = (uint32_t)(out->len - at);
    wire__segment_put(out->data + encoder->segment_at, encoder->compression, segment);
    wire__store_le(out->data + out->len, wire__crc32(out->data + at, segment.len),
                   WIRE_CRC32_BYTES);
    out->len += WIRE_CRC32_BYTES;
    encoder->segment_at = SIZE_MAX;
}

static void open_segment(wire_encoder *encoder) {
    encoder->segment_at = encoder->out.len;
    base__buf_grow(&encoder->out, header_len(encoder));
}

/* Moves the last envelope out of the open segment, which is full without it: into a segment that stays open, or into
 * slices. */
static void move_envelope(wire_encoder *encoder) {
    base_buf *out = &encoder->out, *scratch = &encoder->scratch;
    size_t    len = out->len - encoder->envelope_at;
    bool      is_small = len <= WIRE_SEGMENT_MAX;
    base__buf_put(scratch, out->data + encoder->envelope_at, len);
    out->len = encoder->envelope_at;
    if (out->len == payload_at(encoder)) {
        out->len = encoder->segment_at;
    } else {
        close_segment(encoder, true);
    }
    for (size_t at = 0; at < len; at += WIRE_SEGMENT_MAX) {
        size_t slice = len - at < WIRE_SEGMENT_MAX ? len - at : WIRE_SEGMENT_MAX;
        open_segment(encoder);
        base__buf_put(out, scratch->data + at, slice);
        if (!is_small) close_segment(encoder, false);
    }
    clear_scratch(encoder);
}

/* ---- envelopes ---- */

static void drop_envelope(wire_encoder *encoder) {
    encoder->out.failed = false;
    encoder->out.len = encoder->envelope_at;
    bool is_first = encoder->segment_at != SIZE_MAX && encoder->envelope_at <= payload_at(encoder);
    if (!is_first) return;
    encoder->out.len = encoder->segment_at;
    encoder->segment_at = SIZE_MAX;
}

base_buf *wire__encoder_begin(wire_encoder *encoder, uint8_t flags, int16_t stream,
                              wire_opcode opcode) {
    base_buf *out = &encoder->out;
    if (encoder->segmented && encoder->segment_at == SIZE_MAX) open_segment(encoder);
    encoder->envelope_at = out->len;
    uint8_t *header = base__buf_grow(out, WIRE_HEADER_BYTES);
    if (!header) return out;
    header[0] = (uint8_t)(encoder->version | (encoder->response ? WIRE_DIRECTION : 0));
    header[1] = flags;
    base__store_u16(header + 2, (uint16_t)stream);
    header[4] = (uint8_t)opcode;
    return out;
}

void wire__encoder_cancel(wire_encoder *encoder) {
    drop_envelope(encoder);
}

/* Compresses the body of the last envelope where that makes it shorter. */
static corm_status compress_body(wire_encoder *encoder, corm_error *err) {
    base_buf *out = &encoder->out, *scratch = &encoder->scratch;
    size_t    at = encoder->envelope_at + WIRE_HEADER_BYTES, len = out->len - at;
    if (len < LEAST_TO_COMPRESS) return CORM_OK;
    base__buf_clear(scratch);
    CORM_TRY(
        wire__compress(encoder->compression, (corm_bytes){ out->data + at, len }, scratch, err));
    if (scratch->len < len) {
        memcpy(out->data + at, scratch->data, scratch->len);
        out->len = at + scratch->len;
        out->data[encoder->envelope_at + 1] |= WIRE_FLAG_COMPRESSED;
    }
    clear_scratch(encoder);
    return CORM_OK;
}

/* Makes room for all that the envelope's end and its segment's need. */
static corm_status reserve_end(wire_encoder *encoder, size_t len, corm_error *err) {
    size_t payload = encoder->out.len - payload_at(encoder);
    base__buf_clear(&encoder->scratch);
    if (payload <= WIRE_SEGMENT_MAX) {
        base__buf_reserve(&encoder->out, WIRE_CRC32_BYTES);
    } else {
        base__buf_reserve(&encoder->out, WIRE_CRC32_BYTES + segments_bound(encoder, len) - len);
        base__buf_reserve(&encoder->scratch, len);
    }
    CORM_TRY(base__buf_status(&encoder->out, err));
    return base__buf_status(&encoder->scratch, err);
}

static corm_status end_envelope(wire_encoder *encoder, corm_error *err) {
    base_buf *out = &encoder->out;
    CORM_TRY(base__buf_status(out, err));
    if (!encoder->segmented && encoder->compression != WIRE_PLAIN) {
        CORM_TRY(compress_body(encoder, err));
    }
    size_t len = out->len - encoder->envelope_at;
    if (len - WIRE_HEADER_BYTES > INT32_MAX) {
        return base__fail(err, CORM_INVALID_ARGUMENT, "a message of %zu bytes is too long", len);
    }
    base__store_u32(out->data + encoder->envelope_at + 5, (uint32_t)(len - WIRE_HEADER_BYTES));
    if (!encoder->segmented) return CORM_OK;
    CORM_TRY(reserve_end(encoder, len, err));
    if (out->len - payload_at(encoder) > WIRE_SEGMENT_MAX) move_envelope(encoder);
    return CORM_OK;
}

corm_status wire__encoder_end(wire_encoder *encoder, corm_error *err) {
    corm_status status = end_envelope(encoder, err);
    if (status != CORM_OK) drop_envelope(encoder);
    return status;
}

/* ---- between envelopes ---- */

void wire__encoder_compression(wire_encoder *encoder, wire_compression compression) {
    close_segment(encoder, true);
    encoder->segmented = false;
    encoder->compression = compression;
}

void wire__encoder_segments(wire_encoder *encoder, wire_compression compression) {
    close_segment(encoder, true);
    encoder->segmented = true;
    encoder->compression = compression;
}

corm_status wire__encoder_take(wire_encoder *encoder, base_buf *into, corm_error *err) {
    (void)err;
    close_segment(encoder, true);
    base_buf taken = encoder->out;
    encoder->out = *into;
    base__buf_clear(&encoder->out);
    *into = taken;
    return CORM_OK;
}
