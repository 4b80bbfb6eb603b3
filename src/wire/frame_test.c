// SPDX-License-Identifier: MIT
#include <stdlib.h>

#include "testing/check.h"
#include "wire/segment.h"

enum { MAX_BODY = 8 << 20 };

/* One direction of a connection: what is encoded goes into `bytes`, from there to the decoder. */
typedef struct wire_pipe {
    wire_encoder encoder;
    wire_decoder decoder;
    base_buf     bytes;
    size_t       fed;
    wire_frame   frame;
    bool         got;
    corm_error   err;
} pipe;

static void open_pipe(pipe *p, uint8_t version, bool segmented, wire_compression compression) {
    memset(p, 0, sizeof *p);
    wire__encoder_init(&p->encoder, version, true);
    wire__decoder_init(&p->decoder, MAX_BODY);
    if (segmented) {
        wire__encoder_segments(&p->encoder, compression);
        wire__decoder_segments(&p->decoder, compression);
    } else {
        wire__encoder_compression(&p->encoder, compression);
        wire__decoder_compression(&p->decoder, compression);
    }
}

static void close_pipe(pipe *p) {
    wire__encoder_free(&p->encoder);
    wire__decoder_free(&p->decoder);
    base__buf_free(&p->bytes);
}

static void send(pipe *p, int16_t stream, const void *body, size_t len) {
    base_buf *out = wire__encoder_begin(&p->encoder, WIRE_FLAG_TRACING, stream, WIRE_OP_RESULT);
    base__buf_put(out, body, len);
    assert_ok(wire__encoder_end(&p->encoder, &p->err), p->err);
}

/* Appends what was sent to the bytes. */
static void flush(pipe *p) {
    base_buf taken = { 0 };
    assert_ok(wire__encoder_take(&p->encoder, &taken, &p->err), p->err);
    assert_true(wire__encoder_is_empty(&p->encoder));
    base__buf_put(&p->bytes, taken.data, taken.len);
    base__buf_free(&taken);
}

static corm_status next(pipe *p) {
    return wire__decoder_next(&p->decoder, &p->frame, &p->got, &p->err);
}

static void feed_all(pipe *p) {
    wire__decoder_feed(&p->decoder, p->bytes.data + p->fed, p->bytes.len - p->fed);
    p->fed = p->bytes.len;
}

static void expect(pipe *p, int16_t stream, const void *body, size_t len) {
    assert_ok(next(p), p->err);
    assert_true(p->got);
    assert_int_equal(p->frame.version, p->encoder.version);
    assert_true(p->frame.response);
    assert_int_equal(p->frame.stream, stream);
    assert_int_equal(p->frame.opcode, WIRE_OP_RESULT);
    assert_true(p->frame.flags & WIRE_FLAG_TRACING);
    assert_int_equal(p->frame.body.len, len);
    if (len > 0) assert_memory_equal(p->frame.body.data, body, len);
}

static void expect_end(pipe *p) {
    assert_ok(next(p), p->err);
    assert_false(p->got);
}

static uint32_t next_random(uint32_t *seed) {
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

static const struct {
    uint8_t          version;
    bool             segmented;
    wire_compression compression;
} forms[] = { { 3, false, WIRE_PLAIN },
              { 4, false, WIRE_LZ4 },
              { 4, false, WIRE_SNAPPY },
              { 5, true, WIRE_PLAIN },
              { 5, true, WIRE_LZ4 } };

enum { FORMS = sizeof forms / sizeof *forms };

/* ---- known bytes ---- */

static void check_options_segment(wire_compression compression, const char *bytes, size_t len) {
    corm_error   err;
    base_buf     out = { 0 };
    wire_encoder encoder;
    wire__encoder_init(&encoder, 5, false);
    wire__encoder_segments(&encoder, compression);
    wire__encoder_begin(&encoder, 0, 0, WIRE_OP_OPTIONS);
    assert_ok(wire__encoder_end(&encoder, &err), err);
    assert_ok(wire__encoder_take(&encoder, &out, &err), err);
    assert_int_equal(out.len, len);
    assert_memory_equal(out.data, bytes, len);
    base__buf_free(&out);
    wire__encoder_free(&encoder);
}

static void segments_are_as_other_clients_make_them(void **state) {
    (void)state;
    static const char plain[] = "\x09\0\x02\xA4\xC8\xC1\x05\0\0\0\x05\0\0\0\0\x10\x86\x28\x4D";
    static const char lz4[] = "\x09\0\0\0\x04\xC2\xB8\x95\x05\0\0\0\x05\0\0\0\0\x10\x86\x28\x4D";
    check_options_segment(WIRE_PLAIN, plain, sizeof plain - 1);
    check_options_segment(WIRE_LZ4, lz4, sizeof lz4 - 1);
}

static void headers_of_segments_are_as_other_clients_make_them(void **state) {
    (void)state;
    uint8_t header[8];
    wire__segment_put(header, WIRE_PLAIN, (wire_segment){ 0, 0, true });
    assert_memory_equal(header, "\x00\x00\x02\x6A\x36\xC4", 6);
    wire__segment_put(header, WIRE_PLAIN, (wire_segment){ 131071, 0, false });
    assert_memory_equal(header, "\xFF\xFF\x01\x38\x91\xFE", 6);
    wire__segment_put(header, WIRE_PLAIN, (wire_segment){ 1, 0, false });
    assert_memory_equal(header, "\x01\x00\x00\x6F\x87\x15", 6);
    wire__segment_put(header, WIRE_LZ4, (wire_segment){ 11, 64, true });
    assert_memory_equal(header, "\x0B\x00\x80\x00\x04\xFF\xEE\x15", 8);
}

static void a_header_of_a_segment_reads_back(void **state) {
    (void)state;
    uint8_t      header[8];
    wire_segment out, in = { 100001, 131071, true };
    wire__segment_put(header, WIRE_LZ4, in);
    assert_true(wire__segment_read(header, WIRE_LZ4, &out));
    assert_int_equal(out.len, in.len);
    assert_int_equal(out.original, in.original);
    assert_true(out.self_contained);
    header[7] ^= 1;
    assert_false(wire__segment_read(header, WIRE_LZ4, &out));
}

static void sixty_four_zeros_come_out_of_another_client_s_lz4_segment(void **state) {
    (void)state;
    static const uint8_t bytes[] = "\x0B\0\x80\0\x04\xFF\xEE\x15\x1F\0\x01\0\x27\x50\0\0\0\0\0"
                                   "\xDD\xC3\x4E\0";
    corm_error           err;
    wire_decoder         decoder;
    wire_frame           frame;
    bool                 got = false;
    int                  count = 0;
    wire__decoder_init(&decoder, MAX_BODY);
    wire__decoder_segments(&decoder, WIRE_LZ4);
    wire__decoder_feed(&decoder, bytes, sizeof bytes - 1);
    do {
        corm_status status = wire__decoder_next(&decoder, &frame, &got, &err);
        count += got;
        /* As envelopes: eight of eight zeros, the header of a version before v3. */
        assert_ok(status, err);
        if (got) assert_int_equal(frame.body.len, 0);
    } while (got);
    assert_int_equal(count, 8);
    wire__decoder_free(&decoder);
}

static void an_empty_segment_holds_nothing(void **state) {
    (void)state;
    pipe p;
    open_pipe(&p, 5, true, WIRE_PLAIN);
    base__buf_put(&p.bytes, "\0\0\x02\x6A\x36\xC4\xD3\x7E\x77\x44", 10);
    send(&p, 3, "x", 1);
    flush(&p);
    feed_all(&p);
    expect(&p, 3, "x", 1);
    expect_end(&p);
    close_pipe(&p);
}

/* ---- in place ---- */

static bool is_inside(const pipe *p) {
    return p->frame.body.data >= p->bytes.data &&
           p->frame.body.data + p->frame.body.len <= p->bytes.data + p->bytes.len;
}

static void whole_frames_are_given_where_they_are(void **state) {
    (void)state;
    for (int segmented = 0; segmented < 2; segmented++) {
        pipe p;
        open_pipe(&p, segmented ? 5 : 4, segmented, WIRE_PLAIN);
        for (int16_t i = 0; i < 100; i++) send(&p, i, "a body of some bytes", 20);
        flush(&p);
        feed_all(&p);
        for (int16_t i = 0; i < 100; i++) {
            assert_int_equal(wire__decoder_peek(&p.decoder), i);
            expect(&p, i, "a body of some bytes", 20);
            assert_true(is_inside(&p));
        }
        assert_int_equal(wire__decoder_peek(&p.decoder), -1);
        expect_end(&p);
        assert_null(p.decoder.raw.data);
        assert_null(p.decoder.body.data);
        assert_null(p.decoder.payload.data);
        close_pipe(&p);
    }
}

static void many_small_envelopes_share_a_segment(void **state) {
    (void)state;
    pipe p;
    open_pipe(&p, 5, true, WIRE_PLAIN);
    for (int16_t i = 0; i < 1000; i++) send(&p, i, &i, sizeof i);
    flush(&p);
    assert_int_equal(p.bytes.len, 6 + 1000 * (9 + 2) + 4);
    feed_all(&p);
    for (int16_t i = 0; i < 1000; i++) expect(&p, i, &i, sizeof i);
    expect_end(&p);
    close_pipe(&p);
}

/* ---- sizes around a segment's ---- */

static void check_size(pipe *p, size_t before, size_t len, size_t expected) {
    static uint8_t body[3 * WIRE_SEGMENT_MAX + 100];
    uint32_t       seed = (uint32_t)len;
    size_t         at = p->bytes.len;
    for (size_t i = 0; i < len; i++) body[i] = (uint8_t)next_random(&seed);
    if (before > 0) send(p, 1, body, before - WIRE_HEADER_BYTES);
    send(p, 2, body, len);
    send(p, 3, body, 5);
    flush(p);
    if (expected) assert_int_equal(p->bytes.len - at, expected);
    feed_all(p);
    if (before > 0) expect(p, 1, body, before - WIRE_HEADER_BYTES);
    expect(p, 2, body, len);
    expect(p, 3, body, 5);
    expect_end(p);
}

static void envelopes_of_every_size_around_a_segment_s_arrive(void **state) {
    (void)state;
    const size_t full = WIRE_SEGMENT_MAX - WIRE_HEADER_BYTES, around = 10, small = 9 + 5;
    pipe         p;
    open_pipe(&p, 5, true, WIRE_PLAIN);
    /* Fills the segment to the last byte; the next one opens another. */
    check_size(&p, 0, full, (full + 9 + around) + (small + around));
    check_size(&p, 0, full - small, full - small + 9 + small + around);
    /* One byte too long: two slices. */
    check_size(&p, 0, full + 1, (full + 1 + 9 + 2 * around) + (small + around));
    check_size(&p, 0, 2 * WIRE_SEGMENT_MAX - 9, 2 * (WIRE_SEGMENT_MAX + around) + small + around);
    check_size(&p, 0, 3 * WIRE_SEGMENT_MAX, 0);
    /* Behind another that leaves exactly enough, one byte too few, and for a large one. */
    check_size(&p, 100, full - 100, (100 + full - 100 + 9 + around) + (small + around));
    check_size(&p, 100, full - 99, (100 + around) + (full - 99 + 9 + around + small));
    check_size(&p, 100, full + 1, (100 + around) + (full + 1 + 9 + 2 * around) + (small + around));
    close_pipe(&p);
}

static void the_same_sizes_arrive_through_lz4(void **state) {
    (void)state;
    const size_t full = WIRE_SEGMENT_MAX - WIRE_HEADER_BYTES;
    pipe         p;
    open_pipe(&p, 5, true, WIRE_LZ4);
    for (size_t len = full - 3; len < full + 4; len++) check_size(&p, 0, len, 0);
    for (size_t len = full - 103; len < full - 96; len++) check_size(&p, 100, len, 0);
    check_size(&p, 200, 3 * WIRE_SEGMENT_MAX, 0);
    close_pipe(&p);
}

/* ---- random frames in random slices ---- */

/* Few bytes that repeat, noise, or both. */
static void fill(uint8_t *body, size_t len, uint32_t *seed) {
    uint32_t kind = next_random(seed) % 3;
    for (size_t i = 0; i < len; i++) {
        uint32_t r = next_random(seed);
        body[i] = kind == 0 || (kind == 1 && r % 4 == 0) ? (uint8_t)r : (uint8_t)(i % 11);
    }
}

static size_t random_len(uint32_t *seed) {
    switch (next_random(seed) % 40) {
    case 0: return next_random(seed) % (3 * WIRE_SEGMENT_MAX);
    case 1: return WIRE_SEGMENT_MAX - next_random(seed) % 30;
    case 2: return 0;
    default: return next_random(seed) % 400;
    }
}

enum { FRAMES = 60 };

typedef struct sent_frames {
    base_buf bodies;
    size_t   ends[FRAMES];
} sent_frames;

static void send_random(pipe *p, sent_frames *sent, uint32_t *seed) {
    for (int i = 0; i < FRAMES; i++) {
        size_t   len = random_len(seed);
        uint8_t *body = base__buf_grow(&sent->bodies, len);
        fill(body, len, seed);
        send(p, (int16_t)i, body, len);
        sent->ends[i] = sent->bodies.len;
        if (next_random(seed) % 8 == 0) flush(p);
    }
    flush(p);
}

/* Feeds in slices of random sizes, each copied aside and spoilt after use: nothing may be kept of it. */
static void receive_random(pipe *p, const sent_frames *sent, uint32_t *seed) {
    int16_t i = 0;
    for (size_t at = 0; at < p->bytes.len;) {
        size_t   most = next_random(seed) % 3 == 0 ? 10 : 5000;
        size_t   len = 1 + next_random(seed) % most;
        size_t   slice = len < p->bytes.len - at ? len : p->bytes.len - at;
        uint8_t *copy = malloc(slice);
        assert_non_null(copy);
        memcpy(copy, p->bytes.data + at, slice);
        at += slice;
        wire__decoder_feed(&p->decoder, copy, slice);
        for (;;) {
            assert_ok(next(p), p->err);
            if (!p->got) break;
            size_t start = i == 0 ? 0 : sent->ends[i - 1];
            assert_int_equal(p->frame.stream, i);
            assert_int_equal(p->frame.body.len, sent->ends[i] - start);
            if (p->frame.body.len > 0) {
                assert_memory_equal(p->frame.body.data, sent->bodies.data + start,
                                    p->frame.body.len);
            }
            i++;
        }
        memset(copy, 0xA5, slice);
        free(copy);
    }
    assert_int_equal(i, FRAMES);
}

static void frames_arrive_whole_however_their_bytes_are_sliced(void **state) {
    (void)state;
    uint32_t seed = 2026;
    for (int round = 0; round < 4 * FORMS; round++) {
        sent_frames sent = { 0 };
        pipe        p;
        size_t      form = (size_t)round % FORMS;
        open_pipe(&p, forms[form].version, forms[form].segmented, forms[form].compression);
        send_random(&p, &sent, &seed);
        receive_random(&p, &sent, &seed);
        base__buf_free(&sent.bodies);
        close_pipe(&p);
    }
}

static void the_bytes_one_by_one_give_the_same_frames(void **state) {
    (void)state;
    for (size_t form = 0; form < FORMS; form++) {
        int16_t seen = 0;
        pipe    p;
        open_pipe(&p, forms[form].version, forms[form].segmented, forms[form].compression);
        for (int16_t i = 0; i < 20; i++) send(&p, i, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 37);
        flush(&p);
        for (size_t i = 0; i < p.bytes.len; i++) {
            wire__decoder_feed(&p.decoder, p.bytes.data + i, 1);
            for (;;) {
                assert_ok(next(&p), p.err);
                if (!p.got) break;
                assert_int_equal(p.frame.stream, seen++);
                assert_int_equal(p.frame.body.len, 37);
            }
        }
        assert_int_equal(seen, 20);
        close_pipe(&p);
    }
}

/* ---- the handshake ---- */

static void the_switch_to_segments_may_lie_in_the_middle_of_what_was_fed(void **state) {
    (void)state;
    pipe p;
    open_pipe(&p, 5, false, WIRE_PLAIN);
    send(&p, 1, "ready", 5);
    wire__encoder_segments(&p.encoder, WIRE_LZ4);
    send(&p, 2, "in a segment", 12);
    flush(&p);
    feed_all(&p);
    expect(&p, 1, "ready", 5);
    wire__decoder_segments(&p.decoder, WIRE_LZ4);
    expect(&p, 2, "in a segment", 12);
    expect_end(&p);
    close_pipe(&p);
}

static void the_switch_may_come_after_a_frame_that_came_in_two_parts(void **state) {
    (void)state;
    pipe p;
    open_pipe(&p, 5, false, WIRE_PLAIN);
    send(&p, 1, "ready", 5);
    wire__encoder_segments(&p.encoder, WIRE_PLAIN);
    send(&p, 2, "in a segment", 12);
    flush(&p);
    wire__decoder_feed(&p.decoder, p.bytes.data, 11);
    expect_end(&p);
    wire__decoder_feed(&p.decoder, p.bytes.data + 11, p.bytes.len - 11);
    expect(&p, 1, "ready", 5);
    wire__decoder_segments(&p.decoder, WIRE_PLAIN);
    expect(&p, 2, "in a segment", 12);
    expect_end(&p);
    close_pipe(&p);
}

static void check_foreign(const char *bytes, size_t len, uint8_t version, int16_t stream,
                          uint8_t opcode, const char *body) {
    pipe p;
    open_pipe(&p, 4, false, WIRE_LZ4);
    base__buf_put(&p.bytes, bytes, len);
    feed_all(&p);
    assert_ok(next(&p), p.err);
    assert_true(p.got);
    assert_int_equal(p.frame.version, version);
    assert_false(p.frame.response);
    assert_int_equal(p.frame.stream, stream);
    assert_int_equal(p.frame.opcode, opcode);
    assert_int_equal(p.frame.body.len, strlen(body));
    assert_memory_equal(p.frame.body.data, body, strlen(body));
    expect_end(&p);
    close_pipe(&p);
}

static void frames_of_other_versions_are_given_as_they_are(void **state) {
    (void)state;
    check_foreign("\x42\0\xFF\xFE\x05\0\0\0\x02hi", 11, 0x42, -2, WIRE_OP_OPTIONS, "hi");
    check_foreign("\x06\x01\0\x01\x01\0\0\0\x02hi", 11, 6, 1, WIRE_OP_STARTUP, "hi");
    check_foreign("\x02\0\xFF\x01\0\0\0\x03you", 11, 2, -1, WIRE_OP_STARTUP, "you");
    check_foreign("\x01\0\x05\x05\0\0\0\0", 8, 1, 5, WIRE_OP_OPTIONS, "");
}

/* ---- damage ---- */

static void every_flipped_bit_of_a_segment_is_seen(void **state) {
    (void)state;
    for (int lz4 = 0; lz4 < 2; lz4++) {
        pipe p;
        open_pipe(&p, 5, true, lz4 ? WIRE_LZ4 : WIRE_PLAIN);
        for (int16_t i = 0; i < 10; i++) send(&p, i, "some bytes, some bytes", 22);
        flush(&p);
        for (size_t bit = 0; bit < p.bytes.len * 8; bit++) {
            wire_decoder decoder;
            wire__decoder_init(&decoder, MAX_BODY);
            wire__decoder_segments(&decoder, p.encoder.compression);
            p.bytes.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
            wire__decoder_feed(&decoder, p.bytes.data, p.bytes.len);
            assert_status(wire__decoder_next(&decoder, &p.frame, &p.got, &p.err),
                          CORM_PROTOCOL_ERROR);
            assert_false(p.got);
            p.bytes.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
            wire__decoder_free(&decoder);
        }
        close_pipe(&p);
    }
}

static void put_segment(pipe *p, bool self_contained, const void *payload, size_t len) {
    wire_segment segment = { (uint32_t)len, 0, self_contained };
    uint8_t     *to = base__buf_grow(&p->bytes, 6 + len + 4);
    wire__segment_put(to, WIRE_PLAIN, segment);
    if (len > 0) memcpy(to + 6, payload, len);
    wire__store_le(to + 6 + len, wire__crc32(to + 6, len), 4);
}

static void expect_damage(pipe *p) {
    feed_all(p);
    assert_status(next(p), CORM_PROTOCOL_ERROR);
    assert_false(p->got);
    close_pipe(p);
}

static void segments_that_do_not_hold_whole_envelopes_are_refused(void **state) {
    (void)state;
    static const char envelope[] = "\x85\0\0\x01\x08\0\0\0\x04void";
    pipe              p;
    open_pipe(&p, 5, true, WIRE_PLAIN);
    put_segment(&p, true, envelope, 8);
    expect_damage(&p);
    open_pipe(&p, 5, true, WIRE_PLAIN);
    put_segment(&p, true, envelope, 12);
    expect_damage(&p);
    /* Bytes behind the end of what slices held. */
    open_pipe(&p, 5, true, WIRE_PLAIN);
    put_segment(&p, false, envelope, 5);
    put_segment(&p, false, "\0\0\0\x04void!", 9);
    expect_damage(&p);
    /* A whole one between slices. */
    open_pipe(&p, 5, true, WIRE_PLAIN);
    put_segment(&p, false, envelope, 5);
    put_segment(&p, true, envelope, 13);
    expect_damage(&p);
}

static void slices_may_be_short_and_even_empty(void **state) {
    (void)state;
    static const char envelope[] = "\x85\x02\0\x01\x08\0\0\0\x04void";
    pipe              p;
    open_pipe(&p, 5, true, WIRE_PLAIN);
    put_segment(&p, false, "", 0);
    for (size_t i = 0; i < 13; i++) put_segment(&p, false, envelope + i, 1);
    put_segment(&p, true, envelope, 13);
    feed_all(&p);
    expect(&p, 1, "void", 4);
    expect(&p, 1, "void", 4);
    expect_end(&p);
    close_pipe(&p);
}

static void too_long_messages_are_refused_by_their_header(void **state) {
    (void)state;
    static const char header[] = "\x84\0\0\x01\x08\x00\x80\x00\x01";
    pipe              p;
    open_pipe(&p, 4, false, WIRE_PLAIN);
    base__buf_put(&p.bytes, header, 9);
    expect_damage(&p);
    open_pipe(&p, 5, true, WIRE_PLAIN);
    put_segment(&p, false, header, 9);
    expect_damage(&p);
    open_pipe(&p, 5, true, WIRE_PLAIN);
    put_segment(&p, true, header, 9);
    expect_damage(&p);
    open_pipe(&p, 4, false, WIRE_PLAIN);
    base__buf_put(&p.bytes, "\x84\0\0\x01\x08\xFF\xFF\xFF\xFF", 9);
    expect_damage(&p);
}

static void announced_bytes_take_no_memory_before_they_come(void **state) {
    (void)state;
    pipe p;
    open_pipe(&p, 4, false, WIRE_PLAIN);
    base__buf_put(&p.bytes, "\x84\0\0\x01\x08\x00\x7F\xFF\xFFsome", 13);
    feed_all(&p);
    expect_end(&p);
    assert_true(p.decoder.raw.cap <= 64);
    close_pipe(&p);
}

static void compressed_bodies_must_decompress(void **state) {
    (void)state;
    static const char lz4[] = "\x84\x01\0\x01\x08\0\0\0\x05\x7F\xFF\xFF\xFF\x10";
    pipe              p;
    open_pipe(&p, 4, false, WIRE_LZ4);
    base__buf_put(&p.bytes, lz4, 14);
    expect_damage(&p);
    open_pipe(&p, 4, false, WIRE_SNAPPY);
    base__buf_put(&p.bytes, lz4, 14);
    expect_damage(&p);
    /* Without an agreement on compression nothing may be compressed. */
    open_pipe(&p, 4, false, WIRE_PLAIN);
    base__buf_put(&p.bytes, lz4, 14);
    expect_damage(&p);
}

static void an_empty_body_that_is_called_compressed_is_empty(void **state) {
    (void)state;
    pipe p;
    open_pipe(&p, 4, false, WIRE_LZ4);
    base__buf_put(&p.bytes, "\x84\x01\0\x01\x02\0\0\0\0", 9);
    base__buf_put(&p.bytes, "\x84\x01\0\x01\x02\0\0\0\x05\0\0\0\0\0", 14);
    feed_all(&p);
    for (int i = 0; i < 2; i++) {
        assert_ok(next(&p), p.err);
        assert_true(p.got);
        assert_int_equal(p.frame.body.len, 0);
    }
    expect_end(&p);
    close_pipe(&p);
}

/* ---- the encoder's other sides ---- */

static void a_cancelled_envelope_leaves_no_trace(void **state) {
    (void)state;
    for (size_t form = 0; form < FORMS; form++) {
        pipe p;
        open_pipe(&p, forms[form].version, forms[form].segmented, forms[form].compression);
        base__buf_puts(wire__encoder_begin(&p.encoder, 0, 9, WIRE_OP_QUERY), "never sent");
        wire__encoder_cancel(&p.encoder);
        assert_true(wire__encoder_is_empty(&p.encoder));
        send(&p, 1, "one", 3);
        base__buf_puts(wire__encoder_begin(&p.encoder, 0, 9, WIRE_OP_QUERY), "never sent");
        wire__encoder_cancel(&p.encoder);
        send(&p, 2, "two", 3);
        flush(&p);
        feed_all(&p);
        expect(&p, 1, "one", 3);
        expect(&p, 2, "two", 3);
        expect_end(&p);
        close_pipe(&p);
    }
}

static void memory_is_exchanged_when_bytes_are_taken(void **state) {
    (void)state;
    pipe     p;
    base_buf into = { 0 };
    open_pipe(&p, 5, true, WIRE_PLAIN);
    send(&p, 1, "one", 3);
    const uint8_t *first = p.encoder.out.data;
    assert_ok(wire__encoder_take(&p.encoder, &into, &p.err), p.err);
    assert_ptr_equal(into.data, first);
    send(&p, 2, "two", 3);
    const uint8_t *second = p.encoder.out.data;
    into.len = 0;
    assert_ok(wire__encoder_take(&p.encoder, &into, &p.err), p.err);
    assert_ptr_equal(into.data, second);
    assert_ptr_equal(p.encoder.out.data, first);
    base__buf_free(&into);
    close_pipe(&p);
}

static void what_gets_no_shorter_is_sent_as_it_is(void **state) {
    (void)state;
    uint8_t  noise[500];
    uint32_t seed = 5;
    for (size_t i = 0; i < sizeof noise; i++) noise[i] = (uint8_t)next_random(&seed);
    for (size_t form = 0; form < FORMS; form++) {
        pipe p;
        open_pipe(&p, forms[form].version, forms[form].segmented, forms[form].compression);
        send(&p, 1, noise, sizeof noise);
        flush(&p);
        assert_true(p.bytes.len <= sizeof noise + 9 + 8 + 4);
        feed_all(&p);
        expect(&p, 1, noise, sizeof noise);
        assert_false(p.frame.flags & WIRE_FLAG_COMPRESSED);
        close_pipe(&p);
    }
}

static void a_huge_message_s_memory_is_given_back(void **state) {
    (void)state;
    static uint8_t body[6 << 20];
    for (size_t form = 0; form < FORMS; form++) {
        pipe p;
        open_pipe(&p, forms[form].version, forms[form].segmented, WIRE_PLAIN);
        send(&p, 1, body, sizeof body);
        send(&p, 2, "two", 3);
        flush(&p);
        wire__decoder_feed(&p.decoder, p.bytes.data, 100);
        expect_end(&p);
        wire__decoder_feed(&p.decoder, p.bytes.data + 100, p.bytes.len - 100);
        expect(&p, 1, body, sizeof body);
        expect(&p, 2, "two", 3);
        assert_true(p.decoder.raw.cap + p.decoder.payload.cap < 1 << 20);
        assert_true(p.encoder.scratch.cap < 1 << 20);
        close_pipe(&p);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(segments_are_as_other_clients_make_them),
    cmocka_unit_test(headers_of_segments_are_as_other_clients_make_them),
    cmocka_unit_test(a_header_of_a_segment_reads_back),
    cmocka_unit_test(sixty_four_zeros_come_out_of_another_client_s_lz4_segment),
    cmocka_unit_test(an_empty_segment_holds_nothing),
    cmocka_unit_test(whole_frames_are_given_where_they_are),
    cmocka_unit_test(many_small_envelopes_share_a_segment),
    cmocka_unit_test(envelopes_of_every_size_around_a_segment_s_arrive),
    cmocka_unit_test(the_same_sizes_arrive_through_lz4),
    cmocka_unit_test(frames_arrive_whole_however_their_bytes_are_sliced),
    cmocka_unit_test(the_bytes_one_by_one_give_the_same_frames),
    cmocka_unit_test(the_switch_to_segments_may_lie_in_the_middle_of_what_was_fed),
    cmocka_unit_test(the_switch_may_come_after_a_frame_that_came_in_two_parts),
    cmocka_unit_test(frames_of_other_versions_are_given_as_they_are),
    cmocka_unit_test(every_flipped_bit_of_a_segment_is_seen),
    cmocka_unit_test(segments_that_do_not_hold_whole_envelopes_are_refused),
    cmocka_unit_test(slices_may_be_short_and_even_empty),
    cmocka_unit_test(too_long_messages_are_refused_by_their_header),
    cmocka_unit_test(announced_bytes_take_no_memory_before_they_come),
    cmocka_unit_test(compressed_bodies_must_decompress),
    cmocka_unit_test(an_empty_body_that_is_called_compressed_is_empty),
    cmocka_unit_test(a_cancelled_envelope_leaves_no_trace),
    cmocka_unit_test(memory_is_exchanged_when_bytes_are_taken),
    cmocka_unit_test(what_gets_no_shorter_is_sent_as_it_is),
    cmocka_unit_test(a_huge_message_s_memory_is_given_back),
};

RUN_TESTS()
