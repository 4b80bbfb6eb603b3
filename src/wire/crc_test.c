// SPDX-License-Identifier: MIT
#include "testing/check.h"
#include "wire/frame.h"

enum { LONGEST = 700 };

/* As the specification's pseudo code has them, a bit at a time. */
static uint32_t slow_crc24(const uint8_t *data, size_t len) {
    uint32_t crc = 0x875060;
    for (size_t i = 0; i < len; i++) {
        crc ^= (uint32_t)data[i] << 16;
        for (int bit = 0; bit < 8; bit++) {
            crc <<= 1;
            if (crc & 0x1000000) crc ^= 0x1974F0B;
        }
    }
    return crc;
}

static uint32_t slow_update(uint32_t crc, const uint8_t *data, size_t len) {
    for (size_t i = 0; i < len; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320 : 0);
    }
    return crc;
}

static uint32_t slow_crc32(const uint8_t *data, size_t len) {
    static const uint8_t start[] = { 0xFA, 0x2D, 0x55, 0xCA };
    uint32_t             crc = slow_update(0xFFFFFFFF, start, sizeof start);
    return ~slow_update(crc, data, len);
}

static void fill(uint8_t *data, size_t len) {
    for (size_t i = 0; i < len; i++) data[i] = (uint8_t)(i * i * 31 + i / 7);
}

static void checksums_of_known_bytes_are_as_other_clients_have_them(void **state) {
    (void)state;
    static const uint8_t options[] = { 5, 0, 0, 0, 5, 0, 0, 0, 0 };
    assert_int_equal(wire__crc24((const uint8_t *)"\x09\x00\x02", 3), 0xC1C8A4);
    assert_int_equal(wire__crc24((const uint8_t *)"\x00\x00\x02", 3), 0xC4366A);
    assert_int_equal(wire__crc24((const uint8_t *)"\xFF\xFF\x01", 3), 0xFE9138);
    assert_int_equal(wire__crc24((const uint8_t *)"\x09\x00\x00\x00\x04", 5), 0x95B8C2);
    assert_int_equal(wire__crc32(options, sizeof options), 0x4D288610);
    assert_int_equal(wire__crc32(options, 0), 0x44777ED3);
}

static void checksums_of_every_length_and_place_are_those_of_the_definition(void **state) {
    (void)state;
    static uint8_t data[LONGEST + 16];
    fill(data, sizeof data);
    for (size_t len = 0; len <= 8; len++) {
        assert_int_equal(wire__crc24(data + len, len), slow_crc24(data + len, len));
    }
    for (size_t len = 0; len <= LONGEST; len++) {
        const uint8_t *from = data + len % 16;
        assert_int_equal(wire__crc32(from, len), slow_crc32(from, len));
    }
}

static void a_checksum_of_a_whole_segment_is_right(void **state) {
    (void)state;
    static uint8_t data[WIRE_SEGMENT_MAX];
    fill(data, sizeof data);
    assert_int_equal(wire__crc32(data, sizeof data), slow_crc32(data, sizeof data));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(checksums_of_known_bytes_are_as_other_clients_have_them),
    cmocka_unit_test(checksums_of_every_length_and_place_are_those_of_the_definition),
    cmocka_unit_test(a_checksum_of_a_whole_segment_is_right),
};

RUN_TESTS()
