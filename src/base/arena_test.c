// SPDX-License-Identifier: MIT
#include "base/arena.h"

#include "testing/check.h"

static void allocations_are_aligned_and_apart(void **state) {
    (void)state;
    base_arena arena = { 0 };
    uint8_t   *before = NULL;
    for (size_t size = 0; size < 300; size++) {
        uint8_t *p = base__arena_alloc(&arena, size);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
        assert_ptr_not_equal(p, before);
        memset(p, (int)size, size);
        before = p;
    }
    base__arena_free(&arena);
}

static void contents_stay_while_the_arena_grows(void **state) {
    (void)state;
    base_arena arena = { 0 };
    uint8_t   *blocks[200];
    for (size_t i = 0; i < 200; i++) {
        blocks[i] = base__arena_alloc(&arena, i * 37);
        assert_non_null(blocks[i]);
        memset(blocks[i], (int)i, i * 37);
    }
    for (size_t i = 0; i < 200; i++) {
        for (size_t j = 0; j < i * 37; j++) assert_int_equal(blocks[i][j], (uint8_t)i);
    }
    assert_true(arena.total > 200 * 199 / 2 * 37);
    base__arena_free(&arena);
    assert_null(arena.first);
    assert_int_equal(arena.total, 0);
}

static void a_large_block_leaves_the_free_bytes_of_the_newest_chunk(void **state) {
    (void)state;
    base_arena arena = { 0 };
    uint8_t   *first = base__arena_alloc(&arena, 16);
    assert_non_null(base__arena_alloc(&arena, 1000000));
    assert_ptr_equal(base__arena_alloc(&arena, 16), first + 16);
    base__arena_free(&arena);
}

static void calloc_gives_zeros_and_refuses_an_overflow(void **state) {
    (void)state;
    base_arena arena = { 0 };
    memset(base__arena_alloc(&arena, 64), 0xff, 64);
    base__arena_reset(&arena);
    uint32_t *numbers = BASE_NEW_ARRAY(&arena, uint32_t, 16);
    for (size_t i = 0; i < 16; i++) assert_int_equal(numbers[i], 0);
    assert_non_null(BASE_NEW(&arena, uint64_t));
    assert_null(base__arena_calloc(&arena, SIZE_MAX / 2, 3));
    assert_non_null(base__arena_calloc(&arena, 5, 0));
    base__arena_free(&arena);
}

static void sizes_that_cannot_be_are_refused(void **state) {
    (void)state;
    base_arena arena = { 0 };
    assert_null(base__arena_alloc(&arena, SIZE_MAX));
    assert_null(base__arena_alloc(&arena, SIZE_MAX - _Alignof(max_align_t)));
    assert_non_null(base__arena_alloc(&arena, 1));
    assert_null(base__arena_alloc(&arena, SIZE_MAX - _Alignof(max_align_t)));
    assert_null(base__arena_copy(&arena, "", SIZE_MAX));
    assert_null(base__arena_str(&arena, (corm_str){ "", SIZE_MAX }).data);
    base__arena_free(&arena);
}

static void copies_are_equal_and_texts_end_with_zero(void **state) {
    (void)state;
    base_arena arena = { 0 };
    assert_memory_equal(base__arena_copy(&arena, "abc", 3), "abc", 3);
    assert_non_null(base__arena_copy(&arena, NULL, 0));
    corm_str text = base__arena_str(&arena, (corm_str){ "shopkeeper", 4 });
    assert_int_equal(text.len, 4);
    assert_string_equal(text.data, "shop");
    assert_string_equal(base__arena_str(&arena, (corm_str){ NULL, 0 }).data, "");
    base__arena_free(&arena);
}

static void printf_formats_into_the_arena(void **state) {
    (void)state;
    base_arena arena = { 0 };
    corm_str   text = base__arena_printf(&arena, "%s has %d rows", "users", 12);
    assert_string_equal(text.data, "users has 12 rows");
    assert_int_equal(text.len, 17);
    text = base__arena_printf(&arena, "%*d", 10000, 7);
    assert_int_equal(text.len, 10000);
    base__arena_free(&arena);
}

static void reset_keeps_memory_for_as_much_again(void **state) {
    (void)state;
    base_arena arena = { 0 };
    base__arena_reset(&arena);
    base__arena_alloc(&arena, 10);
    base__arena_alloc(&arena, 100000);
    size_t total = arena.total;
    base__arena_reset(&arena);
    assert_int_equal(arena.total, total);
    assert_non_null(base__arena_alloc(&arena, 10));
    assert_non_null(base__arena_alloc(&arena, 100000));
    assert_int_equal(arena.total, total);
    base__arena_free(&arena);
}

static void reset_keeps_the_largest_chunk_of_very_much(void **state) {
    (void)state;
    base_arena arena = { 0 };
    base__arena_alloc(&arena, 10);
    base__arena_alloc(&arena, 1000000);
    size_t before = arena.total;
    base__arena_reset(&arena);
    size_t total = arena.total;
    assert_in_range(total, 1000000, before - 1);
    assert_non_null(base__arena_alloc(&arena, 990000));
    assert_int_equal(arena.total, total);
    base__arena_free(&arena);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(allocations_are_aligned_and_apart),
    cmocka_unit_test(contents_stay_while_the_arena_grows),
    cmocka_unit_test(a_large_block_leaves_the_free_bytes_of_the_newest_chunk),
    cmocka_unit_test(calloc_gives_zeros_and_refuses_an_overflow),
    cmocka_unit_test(sizes_that_cannot_be_are_refused),
    cmocka_unit_test(copies_are_equal_and_texts_end_with_zero),
    cmocka_unit_test(printf_formats_into_the_arena),
    cmocka_unit_test(reset_keeps_memory_for_as_much_again),
    cmocka_unit_test(reset_keeps_the_largest_chunk_of_very_much),
};

RUN_TESTS()
