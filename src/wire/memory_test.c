// SPDX-License-Identifier: MIT
#include "testing/check.h"
#include "testing/memory.h"
#include "wire/message.h"

enum { LARGE = 300000, ENVELOPES = 6, MOST_ALLOCATIONS = 200 };

static uint8_t large[LARGE];

typedef struct form {
    uint8_t          version;
    bool             segmented;
    wire_compression compression;
} form;

static const form forms[] = { { 4, false, WIRE_PLAIN },
                              { 4, false, WIRE_LZ4 },
                              { 4, false, WIRE_SNAPPY },
                              { 5, true, WIRE_PLAIN },
                              { 5, true, WIRE_LZ4 } };

enum { FORMS = sizeof forms / sizeof *forms };

static void set_up(wire_encoder *encoder, const form *f) {
    wire__encoder_init(encoder, f->version, true);
    if (f->segmented) {
        wire__encoder_segments(encoder, f->compression);
    } else {
        wire__encoder_compression(encoder, f->compression);
    }
}

/* Half of the bytes are noise. */
static void fill_large(void) {
    uint32_t seed = 1;
    for (size_t i = 0; i < LARGE; i++) {
        seed = seed * 1664525 + 1013904223;
        large[i] = i % 2 ? (uint8_t)(seed >> 16) : 'a';
    }
}

static size_t body_len(int i) {
    return i == 3 ? LARGE : 90 * (size_t)(i + 1);
}

/* Sends the envelopes; those for which there was no memory are left out of *arrived. */
static void encode(wire_encoder *encoder, bool *arrived) {
    for (int i = 0; i < ENVELOPES; i++) {
        base_buf *body = wire__encoder_begin(encoder, 0, (int16_t)i, WIRE_OP_RESULT);
        base__buf_put(body, large, body_len(i));
        corm_status status = wire__encoder_end(encoder, NULL);
        assert_true(status == CORM_OK || status == CORM_NO_MEMORY);
        arrived[i] = status == CORM_OK;
    }
}

static corm_status decode(wire_decoder *decoder, const base_buf *bytes, bool *arrived,
                          size_t step) {
    for (size_t at = 0; at < bytes->len; at += step) {
        size_t len = step < bytes->len - at ? step : bytes->len - at;
        wire__decoder_feed(decoder, bytes->data + at, len);
        for (;;) {
            wire_frame  frame;
            bool        got = false;
            corm_status status = wire__decoder_next(decoder, &frame, &got, NULL);
            if (status != CORM_OK) return status;
            if (!got) break;
            assert_int_equal(frame.body.len, body_len(frame.stream));
            assert_memory_equal(frame.body.data, large, frame.body.len);
            assert_false(arrived[frame.stream]);
            arrived[frame.stream] = true;
        }
    }
    return CORM_OK;
}

static void init_decoder(wire_decoder *decoder, const form *f) {
    wire__decoder_init(decoder, 1 << 20);
    if (f->segmented) {
        wire__decoder_segments(decoder, f->compression);
    } else {
        wire__decoder_compression(decoder, f->compression);
    }
}

/* Without memory from the n-th allocation on, some envelopes are dropped; all others arrive. */
static bool encode_without_memory(const form *f, size_t n) {
    wire_encoder encoder;
    wire_decoder decoder;
    base_buf     bytes = { 0 };
    bool         sent[ENVELOPES], arrived[ENVELOPES] = { false };
    set_up(&encoder, f);
    init_decoder(&decoder, f);
    testing__memory_fail_from(n);
    encode(&encoder, sent);
    corm_status status = wire__encoder_take(&encoder, &bytes, NULL);
    bool        failed = testing__memory_has_failed();
    testing__memory_fail_from(SIZE_MAX);
    assert_status(status, CORM_OK);
    assert_status(decode(&decoder, &bytes, arrived, SIZE_MAX / 2), CORM_OK);
    assert_memory_equal(sent, arrived, sizeof sent);
    if (!failed) assert_true(sent[3] && sent[5]);
    base__buf_free(&bytes);
    wire__encoder_free(&encoder);
    wire__decoder_free(&decoder);
    return failed;
}

static bool decode_without_memory(const form *f, size_t n, size_t step) {
    wire_encoder encoder;
    wire_decoder decoder;
    base_buf     bytes = { 0 };
    bool         sent[ENVELOPES], arrived[ENVELOPES] = { false };
    set_up(&encoder, f);
    init_decoder(&decoder, f);
    encode(&encoder, sent);
    assert_status(wire__encoder_take(&encoder, &bytes, NULL), CORM_OK);
    testing__memory_fail_from(n);
    corm_status status = decode(&decoder, &bytes, arrived, step);
    bool        failed = testing__memory_has_failed();
    testing__memory_fail_from(SIZE_MAX);
    assert_status(status, failed ? CORM_NO_MEMORY : CORM_OK);
    if (!failed) assert_memory_equal(sent, arrived, sizeof sent);
    base__buf_free(&bytes);
    wire__encoder_free(&encoder);
    wire__decoder_free(&decoder);
    return failed;
}

static void every_failed_allocation_of_the_encoder_drops_envelopes_and_nothing_else(void **state) {
    (void)state;
    if (!testing__memory_can_fail()) skip();
    fill_large();
    for (size_t i = 0; i < FORMS; i++) {
        size_t n = 0;
        long   live = testing__memory_live();
        while (encode_without_memory(&forms[i], n)) n++;
        assert_true(n > 3 && n < MOST_ALLOCATIONS);
        assert_int_equal(testing__memory_live(), live);
    }
}

static void every_failed_allocation_of_the_decoder_is_an_error(void **state) {
    (void)state;
    if (!testing__memory_can_fail()) skip();
    fill_large();
    for (size_t i = 0; i < FORMS; i++) {
        const size_t steps[] = { 7, 4000, 1 << 20 };
        long         live = testing__memory_live();
        for (size_t k = 0; k < 3; k++) {
            size_t n = 0;
            while (decode_without_memory(&forms[i], n, steps[k])) n++;
            assert_true(n < MOST_ALLOCATIONS);
        }
        assert_int_equal(testing__memory_live(), live);
    }
}

static void buffers_that_have_grown_need_no_more_memory(void **state) {
    (void)state;
    if (!testing__memory_can_fail()) skip();
    fill_large();
    for (size_t i = 0; i < FORMS; i++) {
        wire_encoder encoder;
        wire_decoder decoder;
        base_buf     bytes = { 0 };
        set_up(&encoder, &forms[i]);
        init_decoder(&decoder, &forms[i]);
        for (int round = 0; round < 5; round++) {
            bool sent[ENVELOPES], arrived[ENVELOPES] = { false };
            if (round >= 2) testing__memory_fail_from(0);
            encode(&encoder, sent);
            corm_status taken = wire__encoder_take(&encoder, &bytes, NULL);
            corm_status status = decode(&decoder, &bytes, arrived, 5000);
            testing__memory_fail_from(SIZE_MAX);
            assert_status(taken, CORM_OK);
            assert_status(status, CORM_OK);
            for (int k = 0; k < ENVELOPES; k++) assert_true(sent[k] && arrived[k]);
            base__buf_clear(&bytes);
        }
        base__buf_free(&bytes);
        wire__encoder_free(&encoder);
        wire__decoder_free(&decoder);
    }
}

/* ---- messages ---- */

struct wire_prepared {
    int unused;
};

static wire_prepared_id id_of(void *context, const wire_prepared *prepared) {
    (void)context, (void)prepared;
    return (wire_prepared_id){ { (const uint8_t *)"id", 2 }, { (const uint8_t *)"meta", 4 } };
}

static const cql_value         values[] = { { large, 1000 }, { NULL, -1 } };
static const corm_str          names[] = { { "a", 1 }, { "b", 1 } };
static const wire_payload_item payload[] = { { { "k", 1 }, { large, 10 } } };
static const wire_prepared     prepared;
static const wire_batch_item   items[] = { { { "Q", 1 }, NULL, 2, values },
                                           { { NULL, 0 }, &prepared, 2, values } };

static const wire_request requests[] = {
    { .kind = WIRE_QUERY, .text = { "Q", 1 }, .value_count = 2, .values = values, .names = names },
    { .kind = WIRE_PREPARE,
      .text = { "Q", 1 },
      .options = { .payload = payload, .payload_count = 1 } },
    { .kind = WIRE_EXECUTE, .prepared = &prepared, .value_count = 2, .values = values },
    { .kind = WIRE_BATCH, .batch_count = 2, .batch = items },
};

static bool put_without_memory(const wire_request *request, size_t n) {
    base_buf body = { 0 };
    testing__memory_fail_from(n);
    corm_status status = wire__put_request(&body, request, 5, id_of, NULL, NULL);
    if (status == CORM_OK) status = base__buf_status(&body, NULL);
    bool failed = testing__memory_has_failed();
    testing__memory_fail_from(SIZE_MAX);
    assert_status(status, failed ? CORM_NO_MEMORY : CORM_OK);
    base__buf_free(&body);
    return failed;
}

static bool read_without_memory(const wire_request *request, size_t n) {
    base_buf          body = { 0 };
    base_arena        arena = { 0 };
    wire_request_read out;
    assert_status(wire__put_request(&body, request, 5, id_of, NULL, NULL), CORM_OK);
    wire_frame frame = { .version = 5,
                         .flags = wire__request_flags(request),
                         .opcode = (uint8_t)wire__request_opcode(request),
                         .body = base__buf_bytes(&body) };
    testing__memory_fail_from(n);
    corm_status status = wire__request_read(&frame, &arena, &out, NULL);
    bool        failed = testing__memory_has_failed();
    testing__memory_fail_from(SIZE_MAX);
    assert_status(status, failed ? CORM_NO_MEMORY : CORM_OK);
    base__buf_free(&body);
    base__arena_free(&arena);
    return failed;
}

static void requests_without_memory_are_errors(void **state) {
    (void)state;
    if (!testing__memory_can_fail()) skip();
    long live = testing__memory_live();
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        size_t put = 0, read = 0;
        while (put_without_memory(&requests[i], put)) put++;
        while (read_without_memory(&requests[i], read)) read++;
        assert_true(put > 0);
        assert_true(read > 0 || requests[i].kind == WIRE_PREPARE);
    }
    assert_int_equal(testing__memory_live(), live);
}

static void maps_without_memory_are_errors(void **state) {
    (void)state;
    if (!testing__memory_can_fail()) skip();
    base_arena arena = { 0 };
    wire_pair *pairs = NULL;
    corm_str  *texts = NULL;
    uint32_t   count = 0;
    corm_bytes map = { (const uint8_t *)"\0\x01\0\x01k\0\x01v", 8 };
    testing__memory_fail_from(0);
    corm_status first = wire__read_string_map(map, &arena, &pairs, &count, NULL);
    corm_status second = wire__read_string_list(map, &arena, &texts, &count, NULL);
    testing__memory_fail_from(SIZE_MAX);
    assert_status(first, CORM_NO_MEMORY);
    assert_status(second, CORM_NO_MEMORY);
    base__arena_free(&arena);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_failed_allocation_of_the_encoder_drops_envelopes_and_nothing_else),
    cmocka_unit_test(every_failed_allocation_of_the_decoder_is_an_error),
    cmocka_unit_test(buffers_that_have_grown_need_no_more_memory),
    cmocka_unit_test(requests_without_memory_are_errors),
    cmocka_unit_test(maps_without_memory_are_errors),
};

RUN_TESTS()
