// SPDX-License-Identifier: MIT
#include <snappy-c.h>

#include "testing/check.h"
#include "wire/frame.h"
#include "wire/snappy.h"

static uint32_t next_random(uint32_t *seed) {
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

/* Bytes of five kinds: noise, few letters, a period, long runs, text with numbers. */
static void fill(uint8_t *data, size_t len, int kind, uint32_t *seed) {
    static const char text[] = "INSERT INTO shop.orders (id, customer, total) VALUES (";
    size_t            period = next_random(seed) % 80 + 1;
    for (size_t i = 0; i < len; i++) {
        uint32_t r = next_random(seed);
        switch (kind % 5) {
        case 0: data[i] = (uint8_t)r; break;
        case 1: data[i] = (uint8_t)(r % 2); break;
        case 2: data[i] = (uint8_t)(i % period); break;
        case 3: data[i] = r % 50 == 0 ? (uint8_t)r : 'a'; break;
        default: data[i] = r % 9 == 0 ? (uint8_t)('0' + r % 10) : (uint8_t)text[i % 54]; break;
        }
    }
}

static void check_round_trip(wire_compression kind, corm_bytes in) {
    corm_error err;
    base_buf   packed = { 0 }, out = { 0 };
    base__buf_puts(&packed, "ab");
    base__buf_puts(&out, "cd");
    assert_ok(wire__compress(kind, in, &packed, &err), err);
    corm_bytes bytes = { packed.data + 2, packed.len - 2 };
    assert_ok(wire__decompress(kind, bytes, in.len, &out, &err), err);
    assert_int_equal(out.len, 2 + in.len);
    assert_memory_equal(out.data, "cd", 2);
    if (in.len > 0) assert_memory_equal(out.data + 2, in.data, in.len);
    if (in.len > 0) {
        assert_status(wire__decompress(kind, bytes, in.len - 1, &out, &err), CORM_PROTOCOL_ERROR);
    }
    base__buf_free(&packed);
    base__buf_free(&out);
}

static void what_was_compressed_comes_back(void **state) {
    (void)state;
    static uint8_t data[200000];
    uint32_t       seed = 1;
    for (int round = 0; round < 600; round++) {
        size_t len = next_random(&seed) % (round % 40 == 0 ? sizeof data : 900);
        fill(data, len, round, &seed);
        check_round_trip(WIRE_PLAIN, (corm_bytes){ data, len });
        check_round_trip(WIRE_LZ4, (corm_bytes){ data, len });
        check_round_trip(WIRE_SNAPPY, (corm_bytes){ data, len });
    }
}

static void what_repeats_gets_shorter(void **state) {
    (void)state;
    static uint8_t data[100000];
    uint32_t       seed = 7;
    for (int kind = 1; kind < 5; kind++) {
        static uint8_t to[120000];
        fill(data, sizeof data, kind, &seed);
        size_t len = wire__snappy_compress((corm_bytes){ data, sizeof data }, to);
        assert_true(len < sizeof data * 9 / 10);
    }
}

static void the_library_s_snappy_is_read(void **state) {
    (void)state;
    corm_error err;
    base_buf   out = { 0 };
    char       packed[200];
    size_t     len = sizeof packed;
    const char text[] = "a library says a library says a library says";
    assert_int_equal(snappy_compress(text, sizeof text, packed, &len), SNAPPY_OK);
    corm_bytes bytes = { (const uint8_t *)packed, len };
    assert_ok(wire__decompress(WIRE_SNAPPY, bytes, 100, &out, &err), err);
    assert_int_equal(out.len, sizeof text);
    assert_string_equal((const char *)out.data, text);
    base__buf_free(&out);
}

static corm_status unpack(wire_compression kind, const char *bytes, size_t len) {
    corm_error  err;
    base_buf    out = { 0 };
    corm_bytes  in = { (const uint8_t *)bytes, len };
    corm_status status = wire__decompress(kind, in, 1000, &out, &err);
    assert_int_equal(out.cap <= 1024, true);
    base__buf_free(&out);
    return status;
}

static void damaged_bytes_are_told(void **state) {
    (void)state;
    assert_status(unpack(WIRE_LZ4, "\0\0\0", 3), CORM_PROTOCOL_ERROR);
    assert_status(unpack(WIRE_LZ4, "\0\0\0\x05", 4), CORM_PROTOCOL_ERROR);
    assert_status(unpack(WIRE_LZ4, "\0\0\0\x05\xFFzz", 7), CORM_PROTOCOL_ERROR);
    assert_status(unpack(WIRE_LZ4, "\0\0\0\x05\x40zzzz", 9), CORM_PROTOCOL_ERROR);
    assert_status(unpack(WIRE_SNAPPY, "", 0), CORM_PROTOCOL_ERROR);
    assert_status(unpack(WIRE_SNAPPY, "\x05\x00", 2), CORM_PROTOCOL_ERROR);
    assert_status(unpack(WIRE_SNAPPY, "\xFF\xFF\xFF\xFF\xFF\xFF", 6), CORM_PROTOCOL_ERROR);
}

static void nothing_is_taken_for_lengths_that_are_too_large(void **state) {
    (void)state;
    assert_status(unpack(WIRE_LZ4, "\x7F\xFF\xFF\xFF\x10z", 6), CORM_PROTOCOL_ERROR);
    assert_status(unpack(WIRE_LZ4, "\xFF\xFF\xFF\xFF\x10z", 6), CORM_PROTOCOL_ERROR);
    assert_status(unpack(WIRE_SNAPPY, "\xFF\xFF\xFF\xFF\x0F\x00z", 7), CORM_PROTOCOL_ERROR);
}

static void compressions_have_the_protocol_s_names(void **state) {
    (void)state;
    assert_null(wire__compression_name(WIRE_PLAIN));
    assert_string_equal(wire__compression_name(WIRE_LZ4), "lz4");
    assert_string_equal(wire__compression_name(WIRE_SNAPPY), "snappy");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(what_was_compressed_comes_back),
    cmocka_unit_test(what_repeats_gets_shorter),
    cmocka_unit_test(the_library_s_snappy_is_read),
    cmocka_unit_test(damaged_bytes_are_told),
    cmocka_unit_test(nothing_is_taken_for_lengths_that_are_too_large),
    cmocka_unit_test(compressions_have_the_protocol_s_names),
};

RUN_TESTS()
