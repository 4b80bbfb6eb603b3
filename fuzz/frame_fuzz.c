// SPDX-License-Identifier: MIT
//
// frame_fuzz.c -- bytes of a connection from anywhere, in slices. The first byte chooses: bits 0 to 2 the form of the
// connection (legacy plain, LZ4, snappy; segments plain, LZ4), bit 3 whether checksums are made right first, so that what
// stands behind them is reached; bit 4 whether the input is sent through an encoder instead and must arrive as it was. The
// second byte is the length of the slices. One thread.
#include <stdlib.h>

#include "wire/segment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_BODY = 1 << 20, FORMS = 5, MEND = 0x08, ENCODE = 0x10, MOST_BYTES = 150000 };

static const struct {
    bool             segmented;
    wire_compression compression;
} forms[FORMS] = { { false, WIRE_PLAIN },
                   { false, WIRE_LZ4 },
                   { false, WIRE_SNAPPY },
                   { true, WIRE_PLAIN },
                   { true, WIRE_LZ4 } };

/* What arrived: enough to tell two ways of slicing apart. */
typedef struct arrived {
    uint32_t    frames;
    uint64_t    hash;
    corm_status status;
} arrived;

static void add(arrived *sum, const wire_frame *frame) {
    const uint8_t head[] = { frame->version,         frame->response,
                             frame->flags,           frame->opcode,
                             (uint8_t)frame->stream, (uint8_t)((uint16_t)frame->stream >> 8) };
    sum->frames++;
    for (size_t i = 0; i < sizeof head; i++) sum->hash = (sum->hash ^ head[i]) * 0x100000001B3;
    for (size_t i = 0; i < frame->body.len; i++) {
        sum->hash = (sum->hash ^ frame->body.data[i]) * 0x100000001B3;
    }
}

static void set_form(wire_decoder *decoder, unsigned form) {
    wire__decoder_init(decoder, MAX_BODY);
    if (forms[form].segmented) {
        wire__decoder_segments(decoder, forms[form].compression);
    } else {
        wire__decoder_compression(decoder, forms[form].compression);
    }
}

/* Slices lie in memory of their own that ends with them. */
static arrived decode(unsigned form, corm_bytes bytes, size_t step) {
    wire_decoder decoder;
    arrived      sum = { 0 };
    set_form(&decoder, form);
    for (size_t at = 0; at < bytes.len && sum.status == CORM_OK; at += step) {
        size_t   len = step < bytes.len - at ? step : bytes.len - at;
        uint8_t *slice = malloc(len);
        bool     got = true;
        if (!slice) abort();
        memcpy(slice, bytes.data + at, len);
        wire__decoder_feed(&decoder, slice, len);
        while (got && sum.status == CORM_OK) {
            wire_frame frame;
            sum.status = wire__decoder_next(&decoder, &frame, &got, NULL);
            if (sum.status == CORM_OK && got) add(&sum, &frame);
        }
        free(slice);
    }
    wire__decoder_free(&decoder);
    return sum;
}

/* Writes checksums that fit over those of each segment in turn. */
static void mend(uint8_t *bytes, size_t len, wire_compression compression) {
    size_t header = wire__segment_header_len(compression);
    for (size_t at = 0; len - at >= header;) {
        wire_segment segment;
        size_t       covered = header - WIRE_CRC24_BYTES;
        wire__store_le(bytes + at + covered, wire__crc24(bytes + at, covered), WIRE_CRC24_BYTES);
        if (!wire__segment_read(bytes + at, compression, &segment)) abort();
        at += header;
        if (len - at < segment.len + WIRE_CRC32_BYTES) return;
        wire__store_le(bytes + at + segment.len, wire__crc32(bytes + at, segment.len),
                       WIRE_CRC32_BYTES);
        at += segment.len + WIRE_CRC32_BYTES;
    }
}

static void try_decoder(unsigned form, corm_bytes bytes, size_t step) {
    arrived sliced = decode(form, bytes, step);
    arrived whole = decode(form, bytes, bytes.len + 1);
    if (sliced.status != whole.status || sliced.frames != whole.frames ||
        sliced.hash != whole.hash) {
        abort();
    }
}

/* Messages whose bodies are parts of the input: each length is two bytes of it; larger ones repeat it. */
static arrived encode(unsigned form, corm_bytes bytes, base_buf *out) {
    wire_encoder encoder;
    arrived      sum = { 0 };
    wire__encoder_init(&encoder, forms[form].segmented ? 5 : 4, true);
    if (forms[form].segmented) {
        wire__encoder_segments(&encoder, forms[form].compression);
    } else {
        wire__encoder_compression(&encoder, forms[form].compression);
    }
    while (bytes.len >= 3 && encoder.out.len < MOST_BYTES) {
        uint8_t kind = bytes.data[0];
        size_t  len = base__load_u16(bytes.data + 1);
        len = kind % 64 == 63 ? len << 1 : len % 1024;
        base_buf *body = wire__encoder_begin(&encoder, WIRE_FLAG_TRACING, (int16_t)len, kind);
        bytes.data += 3, bytes.len -= 3;
        size_t start = body->len;
        for (size_t left = len; left > 0 && bytes.len > 0;) {
            size_t part = left < bytes.len ? left : bytes.len;
            base__buf_put(body, bytes.data, part);
            left -= part;
        }
        wire_frame frame = { forms[form].segmented ? 5 : 4,
                             true,
                             WIRE_FLAG_TRACING,
                             (int16_t)len,
                             kind,
                             { body->data + start, body->len - start } };
        if (kind & 0x80) {
            wire__encoder_cancel(&encoder);
        } else {
            add(&sum, &frame);
            if (wire__encoder_end(&encoder, NULL) != CORM_OK) abort();
        }
        size_t used = kind / 4 % 32 < bytes.len ? kind / 4 % 32 : bytes.len;
        bytes.data += used, bytes.len -= used;
    }
    if (wire__encoder_take(&encoder, out, NULL) != CORM_OK) abort();
    wire__encoder_free(&encoder);
    return sum;
}

/* The compressed flag is the encoder's to set, so it must not tell frames apart. */
static arrived decode_ignoring(unsigned form, corm_bytes bytes, size_t step) {
    wire_decoder decoder;
    arrived      sum = { 0 };
    set_form(&decoder, form);
    for (size_t at = 0; at < bytes.len; at += step) {
        bool got = true;
        wire__decoder_feed(&decoder, bytes.data + at,
                           step < bytes.len - at ? step : bytes.len - at);
        while (got) {
            wire_frame frame;
            if (wire__decoder_next(&decoder, &frame, &got, NULL) != CORM_OK) abort();
            if (!got) break;
            frame.flags &= (uint8_t)~WIRE_FLAG_COMPRESSED;
            add(&sum, &frame);
        }
    }
    wire__decoder_free(&decoder);
    return sum;
}

static void try_encoder(unsigned form, corm_bytes bytes, size_t step) {
    base_buf out = { 0 };
    arrived  sent = encode(form, bytes, &out);
    arrived  got = decode_ignoring(form, base__buf_bytes(&out), step * 50);
    if (sent.frames != got.frames || sent.hash != got.hash) abort();
    base__buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2) return 0;
    unsigned   form = data[0] % 8 % FORMS;
    size_t     step = data[1] ? data[1] : 256;
    corm_bytes bytes = { data + 2, size - 2 };
    if (data[0] & ENCODE) {
        if (bytes.len < 1 << 12) try_encoder(form, bytes, step);
        return 0;
    }
    if (!(data[0] & MEND) || !forms[form].segmented) {
        try_decoder(form, bytes, step);
        return 0;
    }
    base_buf mended = { 0 };
    base__buf_put(&mended, bytes.data, bytes.len);
    mend(mended.data, mended.len, forms[form].compression);
    try_decoder(form, base__buf_bytes(&mended), step);
    base__buf_free(&mended);
    return 0;
}
