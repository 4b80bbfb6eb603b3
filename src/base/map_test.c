// SPDX-License-Identifier: MIT
#include "base/map.h"

#include "base/arena.h"

#include "testing/check.h"

static int one, two, three;

static void an_empty_map_holds_nothing(void **state) {
    (void)state;
    base_map map = { 0 };
    size_t   at = 0;
    assert_null(base__map_get(&map, corm_str_of("a")));
    assert_null(base__map_remove(&map, corm_str_of("a")));
    assert_null(base__map_next(&map, &at));
    base__map_free(&map);
}

static void a_put_value_is_found_and_replaced(void **state) {
    (void)state;
    base_map map = { 0 };
    assert_true(base__map_put(&map, corm_str_of("a"), &one));
    assert_true(base__map_put(&map, corm_str_of(""), &two));
    assert_ptr_equal(base__map_get(&map, corm_str_of("a")), &one);
    assert_ptr_equal(base__map_get(&map, (corm_str){ NULL, 0 }), &two);
    assert_null(base__map_get(&map, corm_str_of("b")));
    assert_true(base__map_put(&map, corm_str_of("a"), &three));
    assert_ptr_equal(base__map_get(&map, corm_str_of("a")), &three);
    assert_int_equal(map.count, 2);
    base__map_free(&map);
    assert_int_equal(map.count, 0);
}

static void put_numbers(base_map *map, base_arena *arena, int from, int to) {
    for (int i = from; i < to; i++) {
        assert_true(base__map_put(map, base__arena_printf(arena, "key %d", i), &one));
    }
}

static void thousands_of_keys_survive_growth_and_removal(void **state) {
    (void)state;
    base_map   map = { 0 };
    base_arena arena = { 0 };
    put_numbers(&map, &arena, 0, 5000);
    assert_int_equal(map.count, 5000);
    for (int i = 0; i < 5000; i += 2) {
        assert_ptr_equal(base__map_remove(&map, base__arena_printf(&arena, "key %d", i)), &one);
    }
    assert_int_equal(map.count, 2500);
    for (int i = 0; i < 5000; i++) {
        void *value = base__map_get(&map, base__arena_printf(&arena, "key %d", i));
        assert_ptr_equal(value, i % 2 ? &one : NULL);
    }
    base__map_free(&map);
    base__arena_free(&arena);
}

static void putting_and_removing_for_long_does_not_grow_the_map(void **state) {
    (void)state;
    base_map   map = { 0 };
    base_arena arena = { 0 };
    for (int i = 0; i < 10000; i++) {
        put_numbers(&map, &arena, i, i + 1);
        if (i >= 8) base__map_remove(&map, base__arena_printf(&arena, "key %d", i - 8));
        base__map_get(&map, corm_str_of("no such key"));
    }
    assert_int_equal(map.count, 8);
    assert_true(map.capacity <= 32);
    base__map_free(&map);
    base__arena_free(&arena);
}

static void walking_visits_every_entry_once_and_allows_removal(void **state) {
    (void)state;
    base_map   map = { 0 };
    base_arena arena = { 0 };
    put_numbers(&map, &arena, 0, 100);
    size_t               at = 0;
    int                  count = 0;
    const base_map_slot *slot;
    while ((slot = base__map_next(&map, &at)) != NULL) {
        assert_ptr_equal(slot->value, &one);
        assert_ptr_equal(base__map_remove(&map, slot->key), &one);
        count++;
    }
    assert_int_equal(count, 100);
    assert_int_equal(map.count, 0);
    base__map_free(&map);
    base__arena_free(&arena);
}

static void hashes_differ_by_each_byte_by_length_and_by_seed(void **state) {
    (void)state;
    uint8_t bytes[80] = { 0 };
    for (size_t len = 1; len <= sizeof bytes; len++) {
        uint64_t hash = base__hash(bytes, len, 7);
        assert_true(hash == base__hash(bytes, len, 7));
        assert_true(hash != base__hash(bytes, len, 8));
        assert_true(hash != base__hash(bytes, len - 1, 7));
        for (size_t i = 0; i < len; i++) {
            bytes[i] = 1;
            assert_true(hash != base__hash(bytes, len, 7));
            bytes[i] = 0;
        }
    }
    assert_true(base__hash(NULL, 0, 1) == base__hash("", 0, 1));
}

static void hashes_of_numbers_fill_buckets_evenly(void **state) {
    (void)state;
    static uint32_t buckets[256];
    for (uint64_t i = 0; i < 256 * 256; i++) buckets[base__hash(&i, sizeof i, 3) & 255]++;
    for (size_t i = 0; i < 256; i++) assert_in_range(buckets[i], 160, 360);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(an_empty_map_holds_nothing),
    cmocka_unit_test(a_put_value_is_found_and_replaced),
    cmocka_unit_test(thousands_of_keys_survive_growth_and_removal),
    cmocka_unit_test(putting_and_removing_for_long_does_not_grow_the_map),
    cmocka_unit_test(walking_visits_every_entry_once_and_allows_removal),
    cmocka_unit_test(hashes_differ_by_each_byte_by_length_and_by_seed),
    cmocka_unit_test(hashes_of_numbers_fill_buckets_evenly),
};

RUN_TESTS()
