// SPDX-License-Identifier: MIT
/* frame.h -- messages on a connection: envelopes with a header of nine bytes, and from protocol v5 on segments around them
 * with checksums. Native protocol v5 specification, sections 2 and 2.2; v4, section 2.
 *
 * A decoder turns the bytes of one direction of a connection into frames, an encoder frames into bytes. Both begin in the
 * legacy form (bare envelopes) and are switched to segments after the handshake. One thread at a time. */
#ifndef WIRE_FRAME_H
#define WIRE_FRAME_H

#include "base/buf.h"

typedef enum wire_opcode {
    WIRE_OP_ERROR = 0x00,
    WIRE_OP_STARTUP = 0x01,
    WIRE_OP_READY = 0x02,
    WIRE_OP_AUTHENTICATE = 0x03,
    WIRE_OP_OPTIONS = 0x05,
    WIRE_OP_SUPPORTED = 0x06,
    WIRE_OP_QUERY = 0x07,
    WIRE_OP_RESULT = 0x08,
    WIRE_OP_PREPARE = 0x09,
    WIRE_OP_EXECUTE = 0x0A,
    WIRE_OP_REGISTER = 0x0B,
    WIRE_OP_EVENT = 0x0C,
    WIRE_OP_BATCH = 0x0D,
    WIRE_OP_AUTH_CHALLENGE = 0x0E,
    WIRE_OP_AUTH_RESPONSE = 0x0F,
    WIRE_OP_AUTH_SUCCESS = 0x10
} wire_opcode;

/* Flags of an envelope. */
enum {
    WIRE_FLAG_COMPRESSED = 0x01,
    WIRE_FLAG_TRACING = 0x02,
    WIRE_FLAG_PAYLOAD = 0x04,
    WIRE_FLAG_WARNING = 0x08,
    WIRE_FLAG_BETA = 0x10
};

enum {
    WIRE_HEADER_BYTES = 9,
    WIRE_SEGMENT_MAX = 131071 /* payload bytes of a segment: 17 bits */
};

typedef enum wire_compression { WIRE_PLAIN, WIRE_LZ4, WIRE_SNAPPY } wire_compression;

/* "lz4", "snappy" or NULL. */
const char *wire__compression_name(wire_compression compression);

/* One message. */
typedef struct wire_frame {
    uint8_t    version;  /* without the direction bit */
    bool       response; /* the direction bit */
    uint8_t    flags;
    int16_t    stream;
    uint8_t    opcode;
    corm_bytes body; /* decompressed; borrowed until the decoder's next call */
} wire_frame;

/* ---- bytes to frames ---- */

typedef struct wire_decoder {
    size_t           max_body;
    bool             segmented;
    wire_compression compression;
    corm_bytes       input;     /* given by feed, not looked at yet */
    corm_bytes       envelopes; /* of the segment at hand, not given out yet */
    base_buf         raw;      /* what has come of a header, segment or envelope that was cut off */
    bool             raw_used; /* it is whole and was given out; dropped by the next call */
    base_buf         payload;  /* of segments that share one envelope, put together */
    bool             payload_used;
    base_buf         body; /* decompressed: of one envelope (v4) or of one segment */
} wire_decoder;

/* max_body: an envelope that announces more is CORM_PROTOCOL_ERROR before any memory is taken for it. */
void wire__decoder_init(wire_decoder *decoder, size_t max_body);
void wire__decoder_free(wire_decoder *decoder);

/* From the next frame on: legacy envelopes whose flagged bodies are so compressed (v3, v4) … */
void wire__decoder_compression(wire_decoder *decoder, wire_compression compression);
/* … or segments (v5), WIRE_PLAIN or WIRE_LZ4. */
void wire__decoder_segments(wire_decoder *decoder, wire_compression compression);

/* Gives bytes to the decoder; they are borrowed until wire__decoder_next says that it needs more. The previous bytes
 * must be used up. */
void wire__decoder_feed(wire_decoder *decoder, const uint8_t *data, size_t len);

/* The next frame; *got false when more bytes are needed. Whole frames inside the fed bytes are given in place, without a
 * copy. CORM_PROTOCOL_ERROR for a checksum that does not fit, a body too long, or bytes that do not decompress: the
 * connection is of no use then; CORM_NO_MEMORY. A version that is not 3 to 5 is given like any other frame when the
 * header alone can be read (the handshake needs it), as an envelope with its body. */
CORM_CHECKED corm_status wire__decoder_next(wire_decoder *decoder, wire_frame *out, bool *got,
                                            corm_error *err);

/* The stream of the frame that wire__decoder_next gives next, if its header is here already; else -1. */
int32_t wire__decoder_peek(const wire_decoder *decoder);

/* ---- frames to bytes ---- */

typedef struct wire_encoder {
    uint8_t          version;
    bool             response; /* sets the direction bit: a server */
    bool             segmented;
    wire_compression compression;
    base_buf         out;         /* finished bytes, then the open segment with its envelopes */
    size_t           segment_at;  /* of the open segment's header; SIZE_MAX: none is open */
    size_t           envelope_at; /* of the envelope begun last */
    base_buf         scratch; /* an envelope on its way to another segment; what was compressed */
} wire_encoder;

void wire__encoder_init(wire_encoder *encoder, uint8_t version, bool response);
void wire__encoder_free(wire_encoder *encoder);
/* Both must be called between envelopes; bytes already encoded stay as they are. */
void wire__encoder_compression(wire_encoder *encoder, wire_compression compression);
void wire__encoder_segments(wire_encoder *encoder, wire_compression compression);

/* Begins an envelope; the caller appends its body to the buffer and calls end (or cancel, which drops it). Small
 * envelopes share one segment until it is full or flushed. */
base_buf *wire__encoder_begin(wire_encoder *encoder, uint8_t flags, int16_t stream,
                              wire_opcode opcode);
/* Fills in the length, compresses (v4). CORM_NO_MEMORY when the buffer failed: the envelope is dropped. */
CORM_CHECKED corm_status wire__encoder_end(wire_encoder *encoder, corm_error *err);
void                     wire__encoder_cancel(wire_encoder *encoder);

static inline bool wire__encoder_is_empty(const wire_encoder *encoder) {
    return encoder->out.len == 0;
}

/* Closes the open segment and moves all bytes to *into, whose memory the encoder takes in exchange; *into must be empty.
 * Between envelopes. */
CORM_CHECKED corm_status wire__encoder_take(wire_encoder *encoder, base_buf *into, corm_error *err);

/* ---- what they are made of ---- */

/* CRC24 over `len` bytes (at most 8) and CRC32 started as segments need it: v5 specification, section 2.2 and
 * ../shared/research/cql.md. */
uint32_t wire__crc24(const uint8_t *data, size_t len);
uint32_t wire__crc32(const uint8_t *data, size_t len);

/* Appends the compressed bytes. Bodies of v4: LZ4 with the length in front (big-endian), snappy as it is. */
CORM_CHECKED corm_status wire__compress(wire_compression kind, corm_bytes in, base_buf *out,
                                        corm_error *err);
/* Appends the decompressed bytes, at most `max`; CORM_PROTOCOL_ERROR. */
CORM_CHECKED corm_status wire__decompress(wire_compression kind, corm_bytes in, size_t max,
                                          base_buf *out, corm_error *err);

#endif
