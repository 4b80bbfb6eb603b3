// SPDX-License-Identifier: MIT
#include "engine/deletions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const char *const letters = "abcdefghijklmnopqrstuvwxyz";

static corm_bytes letter(uint32_t i) {
    return (corm_bytes){ (const uint8_t *)letters + i, 1 };
}

static void add(engine_deletions *deletions, uint32_t from, uint32_t to, int64_t at,
                base_arena *arena) {
    engine_range range = { letter(from), letter(to), at, (uint32_t)at };
    assert_int_equal(engine__deletions_add(deletions, &range, arena, NULL), CORM_OK);
}

static int64_t at(const engine_deletions *deletions, uint32_t i) {
    corm_bytes bytes = letter(i);
    return engine__deletions_at(deletions, &bytes);
}

static void a_range_covers_its_start_but_not_its_end(void **state) {
    (void)state;
    base_arena       arena = { 0 };
    engine_deletions deletions = { .partition_at = ENGINE_NO_TIMESTAMP };

    add(&deletions, 2, 5, 10, &arena);

    assert_int_equal(at(&deletions, 1), ENGINE_NO_TIMESTAMP);
    assert_int_equal(at(&deletions, 2), 10);
    assert_int_equal(at(&deletions, 4), 10);
    assert_int_equal(at(&deletions, 5), ENGINE_NO_TIMESTAMP);
    base__arena_free(&arena);
}

static void a_static_row_is_covered_by_the_partition_only(void **state) {
    (void)state;
    base_arena       arena = { 0 };
    engine_deletions deletions = { .partition_at = 7 };

    add(&deletions, 0, 25, 10, &arena);

    assert_int_equal(engine__deletions_at(&deletions, NULL), 7);
    assert_int_equal(at(&deletions, 3), 10);
    base__arena_free(&arena);
}

static void check_sorted(const engine_deletions *deletions) {
    for (uint32_t i = 0; i < deletions->count; i++) {
        const engine_range *range = &deletions->ranges[i];
        assert_true(range->start.data[0] < range->end.data[0]);
        if (i) assert_true(range[-1].end.data[0] <= range->start.data[0]);
    }
}

static void overlapping_ranges_keep_the_highest_timestamp_of_each_part(void **state) {
    (void)state;
    srand(7);
    for (int round = 0; round < 2000; round++) {
        base_arena       arena = { 0 };
        engine_deletions deletions = { .partition_at = ENGINE_NO_TIMESTAMP };
        int64_t          model[26];
        for (int i = 0; i < 26; i++) model[i] = ENGINE_NO_TIMESTAMP;
        for (int step = 0; step < 12; step++) {
            uint32_t from = (uint32_t)rand() % 25, to = from + 1 + (uint32_t)rand() % (25 - from);
            int64_t  when = rand() % 5;
            add(&deletions, from, to, when, &arena);
            for (uint32_t i = from; i < to; i++)
                if (when > model[i]) model[i] = when;
            check_sorted(&deletions);
            for (uint32_t i = 0; i < 26; i++) assert_int_equal(at(&deletions, i), model[i]);
        }
        base__arena_free(&arena);
    }
}

static void what_is_encoded_decodes_the_same(void **state) {
    (void)state;
    base_arena       arena = { 0 };
    base_buf         buf = { 0 };
    engine_deletions deletions = { .partition_at = 3, .partition_local = 4 }, back;
    add(&deletions, 1, 3, 10, &arena);
    add(&deletions, 5, 9, 11, &arena);

    engine__deletions_encode(&deletions, &buf);
    assert_int_equal(engine__deletions_decode(base__buf_bytes(&buf), &arena, &back, NULL), CORM_OK);

    assert_int_equal(back.partition_at, 3);
    assert_int_equal(back.partition_local, 4);
    assert_int_equal(back.count, 2);
    assert_int_equal(at(&back, 2), 10);
    assert_int_equal(at(&back, 8), 11);
    for (size_t len = 0; len < buf.len; len++)
        assert_int_equal(
            engine__deletions_decode((corm_bytes){ buf.data, len }, &arena, &back, NULL),
            CORM_CORRUPT);
    base__buf_free(&buf);
    base__arena_free(&arena);
}

static void old_deletions_are_purged(void **state) {
    (void)state;
    base_arena       arena = { 0 };
    engine_deletions deletions = { .partition_at = 3, .partition_local = 4 };
    add(&deletions, 1, 3, 10, &arena);
    add(&deletions, 5, 9, 20, &arena);

    engine__deletions_purge(&deletions, 15);

    assert_int_equal(deletions.partition_at, ENGINE_NO_TIMESTAMP);
    assert_int_equal(deletions.count, 1);
    assert_int_equal(at(&deletions, 6), 20);
    base__arena_free(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_range_covers_its_start_but_not_its_end),
        cmocka_unit_test(a_static_row_is_covered_by_the_partition_only),
        cmocka_unit_test(overlapping_ranges_keep_the_highest_timestamp_of_each_part),
        cmocka_unit_test(what_is_encoded_decodes_the_same),
        cmocka_unit_test(old_deletions_are_purged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
