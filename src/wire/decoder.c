// SPDX-License-Identifier: MIT
/* decoder.c -- bytes of a connection to frames.
 *
 *   input ──► in one piece? ──► frame in place
 *     │  no                        ▲
 *     └─────► raw, until whole ────┘      a segment: checksums, then its envelopes in place; decompressed
 *                                         into `body`; a slice of a large envelope goes to `payload`
 *
 * Owns the three buffers; they keep their memory unless one message made them huge. One thread at a time. */
#include <lz4.h>

#include "base/fail.h"
#include "wire/segment.h"

enum {
    OLD_HEADER_BYTES = 8, /* of v1 and v2, whose stream is one byte */
    KEPT_BYTES = 1 << 20  /* a larger buffer is given back after its message */
};

void wire__decoder_init(wire_decoder *decoder, size_t max_body) {
    *decoder = (wire_decoder){ .max_body = max_body };
}

void wire__decoder_free(wire_decoder *decoder) {
    base__buf_free(&decoder->raw);
    base__buf_free(&decoder->payload);
    base__buf_free(&decoder->body);
    wire__decoder_init(decoder, decoder->max_body);
}

void wire__decoder_compression(wire_decoder *decoder, wire_compression compression) {
    decoder->segmented = false;
    decoder->compression = compression;
}

void wire__decoder_segments(wire_decoder *decoder, wire_compression compression) {
    decoder->segmented = true;
    decoder->compression = compression;
}

void wire__decoder_feed(wire_decoder *decoder, const uint8_t *data, size_t len) {
    decoder->input = (corm_bytes){ data, len };
}

static corm_status broken(corm_error *err, const char *what) {
    return base__fail(err, CORM_PROTOCOL_ERROR, "the connection's bytes are damaged: %s", what);
}

/* ---- gathering ---- */

static void skip(corm_bytes *bytes, size_t len) {
    if (len > 0) bytes->data += len;
    bytes->len -= len;
}

/* The next `need` bytes in one piece, which stay where they are; *out NULL: they have not all come. */
static corm_status look(wire_decoder *decoder, size_t need, const uint8_t **out, corm_error *err) {
    base_buf   *raw = &decoder->raw;
    corm_bytes *input = &decoder->input;
    if (raw->len == 0 && input->len >= need) {
        *out = input->data;
        return CORM_OK;
    }
    if (raw->len < need) {
        size_t more = need - raw->len < input->len ? need - raw->len : input->len;
        base__buf_put(raw, input->data, more);
        CORM_TRY(base__buf_status(raw, err));
        skip(input, more);
    }
    *out = raw->len >= need ? raw->data : NULL;
    return CORM_OK;
}

/* Takes what was looked at last. */
static void take(wire_decoder *decoder, size_t len) {
    if (decoder->raw.len > 0) {
        decoder->raw_used = true;
    } else {
        skip(&decoder->input, len);
    }
}

static void clear(base_buf *buf) {
    if (buf->cap > KEPT_BYTES) base__buf_free(buf);
    base__buf_clear(buf);
}

/* Drops what the previous call gave out. */
static void drop_used(wire_decoder *decoder) {
    if (decoder->envelopes.len > 0) return;
    if (decoder->raw_used) clear(&decoder->raw);
    if (decoder->payload_used) clear(&decoder->payload);
    decoder->raw_used = decoder->payload_used = false;
}

/* ---- envelopes ---- */

static size_t header_len(uint8_t first) {
    return (first & ~WIRE_DIRECTION) < 3 ? OLD_HEADER_BYTES : WIRE_HEADER_BYTES;
}

/* Bytes of the envelope that begins with this whole header. */
static size_t envelope_len(const uint8_t *header) {
    size_t len = header_len(header[0]);
    return len + base__load_u32(header + len - 4);
}

static corm_status check_len(const wire_decoder *decoder, const uint8_t *header, corm_error *err) {
    size_t len = envelope_len(header) - header_len(header[0]);
    if (len <= decoder->max_body) return CORM_OK;
    return base__fail(err, CORM_PROTOCOL_ERROR,
                      "a message of %zu bytes is longer than %zu, the most that is taken", len,
                      decoder->max_body);
}

static void parse(const uint8_t *envelope, wire_frame *out) {
    size_t len = header_len(envelope[0]);
    bool   is_old = len == OLD_HEADER_BYTES;
    out->version = envelope[0] & (uint8_t)~WIRE_DIRECTION;
    out->response = (envelope[0] & WIRE_DIRECTION) != 0;
    out->flags = envelope[1];
    out->stream = is_old ? (int8_t)envelope[2] : (int16_t)base__load_u16(envelope + 2);
    out->opcode = envelope[len - 5];
    out->body = (corm_bytes){ envelope + len, base__load_u32(envelope + len - 4) };
}

/* Replaces a v4 body that is flagged as compressed. */
static corm_status decompress(wire_decoder *decoder, wire_frame *frame, corm_error *err) {
    bool is_known = frame->version == 3 || frame->version == 4;
    if (!(frame->flags & WIRE_FLAG_COMPRESSED) || !is_known || frame->body.len == 0) return CORM_OK;
    if (decoder->compression == WIRE_PLAIN) {
        return broken(err, "a compressed message though no compression was agreed on");
    }
    clear(&decoder->body);
    CORM_TRY(wire__decompress(decoder->compression, frame->body, decoder->max_body, &decoder->body,
                              err));
    frame->body = base__buf_bytes(&decoder->body);
    return CORM_OK;
}

static corm_status next_legacy(wire_decoder *decoder, wire_frame *out, bool *got, corm_error *err) {
    const uint8_t *p = NULL;
    CORM_TRY(look(decoder, 1, &p, err));
    if (!p) return CORM_OK;
    CORM_TRY(look(decoder, header_len(*p), &p, err));
    if (!p) return CORM_OK;
    CORM_TRY(check_len(decoder, p, err));
    size_t len = envelope_len(p);
    CORM_TRY(look(decoder, len, &p, err));
    if (!p) return CORM_OK;
    take(decoder, len);
    parse(p, out);
    *got = true;
    return decompress(decoder, out, err);
}

/* ---- segments ---- */

/* Appends an LZ4 segment's payload to *out. */
static corm_status expand(corm_bytes payload, uint32_t original, base_buf *out, corm_error *err) {
    if (!base__buf_reserve(out, original)) return base__fail_memory(err);
    int len = LZ4_decompress_safe((const char *)payload.data, (char *)out->data + out->len,
                                  (int)payload.len, (int)original);
    if (len < 0 || (uint32_t)len != original) return broken(err, "a segment is no LZ4 block");
    out->len += original;
    return CORM_OK;
}

/* The whole envelopes of a segment are given out from where they are. */
static corm_status open_segment(wire_decoder *decoder, wire_segment segment, corm_bytes payload,
                                corm_error *err) {
    if (decoder->payload.len > 0) return broken(err, "a segment in the middle of a large message");
    decoder->envelopes = payload;
    if (segment.original == 0) return CORM_OK;
    decoder->envelopes = (corm_bytes){ NULL, 0 };
    base__buf_clear(&decoder->body);
    CORM_TRY(expand(payload, segment.original, &decoder->body, err));
    decoder->envelopes = base__buf_bytes(&decoder->body);
    return CORM_OK;
}

static corm_status add_slice(wire_decoder *decoder, wire_segment segment, corm_bytes slice,
                             corm_error *err) {
    base_buf *payload = &decoder->payload;
    if (segment.original > 0) {
        CORM_TRY(expand(slice, segment.original, payload, err));
    } else {
        base__buf_put(payload, slice.data, slice.len);
        CORM_TRY(base__buf_status(payload, err));
    }
    if (payload->len == 0 || payload->len < header_len(*payload->data)) return CORM_OK;
    CORM_TRY(check_len(decoder, payload->data, err));
    if (payload->len < envelope_len(payload->data)) return CORM_OK;
    if (payload->len > envelope_len(payload->data)) {
        return broken(err, "bytes behind the end of a large message");
    }
    decoder->payload_used = true;
    decoder->envelopes = base__buf_bytes(payload);
    return CORM_OK;
}

/* Reads one segment; *got false when it has not come wholly. */
static corm_status read_segment(wire_decoder *decoder, bool *got, corm_error *err) {
    size_t         header = wire__segment_header_len(decoder->compression);
    const uint8_t *p = NULL;
    wire_segment   segment;
    CORM_TRY(look(decoder, header, &p, err));
    if (!p) return CORM_OK;
    if (!wire__segment_read(p, decoder->compression, &segment)) {
        return broken(err, "the checksum of a segment's header does not fit");
    }
    size_t len = header + segment.len + WIRE_CRC32_BYTES;
    CORM_TRY(look(decoder, len, &p, err));
    if (!p) return CORM_OK;
    corm_bytes payload = { p + header, segment.len };
    if (wire__crc32(payload.data, payload.len) !=
        wire__load_le(payload.data + payload.len, WIRE_CRC32_BYTES)) {
        return broken(err, "the checksum of a segment does not fit");
    }
    take(decoder, len);
    *got = true;
    if (segment.self_contained) return open_segment(decoder, segment, payload, err);
    return add_slice(decoder, segment, payload, err);
}

/* The next envelope of the segment at hand. */
static corm_status next_envelope(wire_decoder *decoder, wire_frame *out, corm_error *err) {
    corm_bytes *left = &decoder->envelopes;
    if (left->len < header_len(*left->data)) return broken(err, "a segment ends in a header");
    CORM_TRY(check_len(decoder, left->data, err));
    size_t len = envelope_len(left->data);
    if (len > left->len) return broken(err, "a segment ends in a message");
    parse(left->data, out);
    skip(left, len);
    return CORM_OK;
}

static corm_status next_segmented(wire_decoder *decoder, wire_frame *out, bool *got,
                                  corm_error *err) {
    while (decoder->envelopes.len == 0) {
        bool is_whole = false;
        drop_used(decoder);
        CORM_TRY(read_segment(decoder, &is_whole, err));
        if (!is_whole) return CORM_OK;
    }
    *got = true;
    return next_envelope(decoder, out, err);
}

/* Not of a segment that begins in an earlier piece or is compressed: those are few, and nothing depends on it. */
int32_t wire__decoder_peek(const wire_decoder *decoder) {
    corm_bytes bytes = decoder->envelopes;
    if (bytes.len == 0 && (decoder->raw.len == 0 || decoder->raw_used)) {
        size_t skipped = decoder->segmented ? wire__segment_header_len(WIRE_PLAIN) : 0;
        bool   readable = !decoder->segmented || decoder->compression == WIRE_PLAIN;
        bytes = decoder->input;
        if (!readable || bytes.len < skipped) return -1;
        skip(&bytes, skipped);
    }
    return bytes.len < WIRE_HEADER_BYTES ? -1 : base__load_u16(bytes.data + 2);
}

corm_status wire__decoder_next(wire_decoder *decoder, wire_frame *out, bool *got, corm_error *err) {
    *got = false;
    drop_used(decoder);
    corm_status status = decoder->segmented ? next_segmented(decoder, out, got, err)
                                            : next_legacy(decoder, out, got, err);
    if (status != CORM_OK) *got = false;
    return status;
}
