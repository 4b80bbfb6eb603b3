// SPDX-License-Identifier: MIT
#include "testing/check.h"

static void numbers_are_written_big_endian(void **state) {
    (void)state;
    base_buf buf = { 0 };
    base__buf_u8(&buf, 0x01);
    base__buf_u16(&buf, 0x0203);
    base__buf_u32(&buf, 0x04050607);
    base__buf_i32(&buf, -2);
    base__buf_u64(&buf, UINT64_C(0x08090a0b0c0d0e0f));
    base__buf_i64(&buf, INT64_MIN);
    const uint8_t expected[] = { 1,  2,  3,  4,  5,  6,    7, 0xff, 0xff, 0xff, 0xfe, 8, 9, 10,
                                 11, 12, 13, 14, 15, 0x80, 0, 0,    0,    0,    0,    0, 0 };
    assert_int_equal(buf.len, sizeof expected);
    assert_memory_equal(buf.data, expected, sizeof expected);
    base__buf_set_i32(&buf, 3, 0x7f000001);
    assert_int_equal(base__load_u32(buf.data + 3), 0x7f000001);
    base__buf_free(&buf);
}

static void uvarints_take_seven_bits_a_byte(void **state) {
    (void)state;
    base_buf buf = { 0 };
    base__buf_uvarint(&buf, 0);
    base__buf_uvarint(&buf, 127);
    base__buf_uvarint(&buf, 300);
    base__buf_uvarint(&buf, UINT64_MAX);
    assert_int_equal(buf.len, 1 + 1 + 2 + 10);
    assert_memory_equal(buf.data, "\x00\x7f\xac\x02", 4);
    base_reader reader = { buf.data, buf.len, false };
    assert_int_equal(base__read_uvarint(&reader), 0);
    assert_int_equal(base__read_uvarint(&reader), 127);
    assert_int_equal(base__read_uvarint(&reader), 300);
    assert_true(base__read_uvarint(&reader) == UINT64_MAX);
    assert_false(reader.failed);
    base__buf_free(&buf);
}

static void text_is_appended_without_its_zero_byte(void **state) {
    (void)state;
    base_buf buf = { 0 };
    base__buf_puts(&buf, "SELECT ");
    base__buf_put_str(&buf, corm_str_of("name"));
    base__buf_put_str(&buf, (corm_str){ NULL, 0 });
    base__buf_printf(&buf, " LIMIT %d", 10);
    assert_text(base__buf_str(&buf), "SELECT name LIMIT 10");
    assert_int_equal(base__buf_bytes(&buf).len, 20);
    assert_string_equal(base__buf_cstr(&buf), "SELECT name LIMIT 10");
    assert_int_equal(buf.len, 20);
    base__buf_clear(&buf);
    assert_string_equal(base__buf_cstr(&buf), "");
    base__buf_free(&buf);
}

static void an_empty_buffer_is_a_c_string_and_grows_by_nothing(void **state) {
    (void)state;
    base_buf buf = { 0 };
    assert_non_null(base__buf_grow(&buf, 0));
    assert_int_equal(buf.len, 0);
    base__buf_free(&buf);
    assert_string_equal(base__buf_cstr(&buf), "");
    base__buf_free(&buf);
}

static void many_writes_keep_what_came_before(void **state) {
    (void)state;
    base_buf buf = { 0 };
    for (uint32_t i = 0; i < 10000; i++) base__buf_u32(&buf, i);
    for (uint32_t i = 0; i < 10000; i++) assert_int_equal(base__load_u32(buf.data + 4 * i), i);
    base__buf_free(&buf);
}

static void a_failed_allocation_poisons_the_buffer_until_it_is_cleared(void **state) {
    (void)state;
    base_buf   buf = { 0 };
    corm_error err = { 0 };
    base__buf_u8(&buf, 1);
    assert_status(base__buf_status(&buf, &err), CORM_OK);
    assert_false(base__buf_reserve(&buf, SIZE_MAX));
    assert_true(buf.failed);
    base__buf_u8(&buf, 2);
    base__buf_printf(&buf, "%d", 3);
    base__buf_set_i32(&buf, 0, 4);
    assert_null(base__buf_cstr(&buf));
    assert_null(base__buf_grow(&buf, 1));
    assert_int_equal(buf.len, 1);
    assert_status(base__buf_status(&buf, &err), CORM_NO_MEMORY);
    assert_string_equal(err.message, "memory is exhausted");
    base__buf_clear(&buf);
    base__buf_u8(&buf, 5);
    assert_int_equal(buf.len, 1);
    base__buf_free(&buf);
}

static void reading_gives_back_what_was_written(void **state) {
    (void)state;
    base_buf buf = { 0 };
    base__buf_u8(&buf, 200);
    base__buf_u16(&buf, 65535);
    base__buf_u32(&buf, 4000000000);
    base__buf_i32(&buf, -5);
    base__buf_u64(&buf, UINT64_MAX);
    base__buf_i64(&buf, -6);
    base__buf_puts(&buf, "tail");
    base_reader reader = { buf.data, buf.len, false };
    assert_int_equal(base__read_u8(&reader), 200);
    assert_int_equal(base__read_u16(&reader), 65535);
    assert_int_equal(base__read_u32(&reader), 4000000000);
    assert_int_equal(base__read_i32(&reader), -5);
    assert_true(base__read_u64(&reader) == UINT64_MAX);
    assert_int_equal(base__read_i64(&reader), -6);
    corm_bytes tail = base__read_bytes(&reader, 4);
    assert_memory_equal(tail.data, "tail", 4);
    assert_int_equal(base__read_bytes(&reader, 0).len, 0);
    assert_false(reader.failed);
    assert_int_equal(reader.len, 0);
    base__buf_free(&buf);
}

static void reading_past_the_end_gives_zeros_from_then_on(void **state) {
    (void)state;
    const uint8_t bytes[3] = { 1, 2, 3 };
    base_reader   reader = { bytes, sizeof bytes, false };
    assert_int_equal(base__read_u32(&reader), 0);
    assert_true(reader.failed);
    assert_int_equal(base__read_u8(&reader), 0);
    assert_int_equal(base__read_u16(&reader), 0);
    assert_int_equal(base__read_u64(&reader), 0);
    assert_int_equal(base__read_uvarint(&reader), 0);
    assert_null(base__read_bytes(&reader, 1).data);
    assert_int_equal(base__read_bytes(&reader, 0).len, 0);
}

static void an_empty_reader_may_have_no_bytes_at_all(void **state) {
    (void)state;
    base_reader reader = { NULL, 0, false };
    assert_int_equal(base__read_bytes(&reader, 0).len, 0);
    assert_false(reader.failed);
    assert_int_equal(base__read_u8(&reader), 0);
    assert_true(reader.failed);
}

static void a_uvarint_of_more_than_64_bits_fails(void **state) {
    (void)state;
    uint8_t bytes[11];
    memset(bytes, 0xff, sizeof bytes);
    base_reader reader = { bytes, sizeof bytes, false };
    assert_int_equal(base__read_uvarint(&reader), 0);
    assert_true(reader.failed);
    bytes[9] = 0x02;
    reader = (base_reader){ bytes, sizeof bytes, false };
    assert_int_equal(base__read_uvarint(&reader), 0);
    assert_true(reader.failed);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(numbers_are_written_big_endian),
    cmocka_unit_test(uvarints_take_seven_bits_a_byte),
    cmocka_unit_test(text_is_appended_without_its_zero_byte),
    cmocka_unit_test(an_empty_buffer_is_a_c_string_and_grows_by_nothing),
    cmocka_unit_test(many_writes_keep_what_came_before),
    cmocka_unit_test(a_failed_allocation_poisons_the_buffer_until_it_is_cleared),
    cmocka_unit_test(reading_gives_back_what_was_written),
    cmocka_unit_test(reading_past_the_end_gives_zeros_from_then_on),
    cmocka_unit_test(an_empty_reader_may_have_no_bytes_at_all),
    cmocka_unit_test(a_uvarint_of_more_than_64_bits_fails),
};

RUN_TESTS()
