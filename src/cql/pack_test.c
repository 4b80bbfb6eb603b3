// SPDX-License-Identifier: MIT
#include "cql/random_value.h"

static const int64_t edges[] = { 0,
                                 1,
                                 -1,
                                 63,
                                 64,
                                 -64,
                                 -65,
                                 127,
                                 128,
                                 8191,
                                 8192,
                                 16383,
                                 INT32_MAX,
                                 INT32_MIN,
                                 INT64_C(1) << 55,
                                 INT64_C(1) << 56,
                                 INT64_MAX,
                                 INT64_MIN };

static void vints_read_back_as_themselves(void **state) {
    (void)state;
    base_buf      buf = { 0 };
    random_source r = { 4, NULL };
    for (int i = 0; i < 5000; i++) {
        size_t  count = sizeof edges / sizeof *edges;
        int64_t v = (size_t)i < count ? edges[i] : random_i64(&r);
        base__buf_clear(&buf);
        cql__put_vint(&buf, v);
        cql__put_uvint(&buf, (uint64_t)v);
        base_reader reader = { .data = buf.data, .len = buf.len };
        assert_true(cql__read_vint(&reader) == v);
        assert_true(cql__read_uvint(&reader) == (uint64_t)v);
        assert_true(!reader.failed && reader.len == 0);
        base_reader cut = { .data = buf.data, .len = buf.len - 1 };
        cql__read_vint(&cut);
        cql__read_uvint(&cut);
        assert_true(cut.failed);
    }
    base__buf_free(&buf);
}

static void vints_have_the_servers_bytes(void **state) {
    (void)state;
    base_buf buf = { 0 };
    cql__put_uvint(&buf, 127);
    cql__put_uvint(&buf, 128);
    cql__put_uvint(&buf, UINT64_MAX);
    cql__put_vint(&buf, -1);
    cql__put_vint(&buf, 300);
    assert_bytes(cql__value_of(base__buf_bytes(&buf)), "7f"
                                                       "8080"
                                                       "ffffffffffffffffff"
                                                       "01"
                                                       "8258");
    base__buf_free(&buf);
}

static void protocol_values_have_three_kinds_of_nothing(void **state) {
    (void)state;
    base_arena arena = { 0 };
    base_buf   buf = { 0 };
    cql__put_value(&buf, CQL_NULL);
    cql__put_value(&buf, CQL_UNSET);
    cql__put_value(&buf, bytes_of(&arena, ""));
    cql__put_value(&buf, bytes_of(&arena, "cafe"));
    assert_bytes(cql__value_of(base__buf_bytes(&buf)), "ffffffff"
                                                       "fffffffe"
                                                       "00000000"
                                                       "00000002cafe");
    base_reader reader = { .data = buf.data, .len = buf.len };
    assert_int_equal(cql__read_value(&reader).len, -1);
    assert_int_equal(cql__read_value(&reader).len, -2);
    assert_int_equal(cql__read_value(&reader).len, 0);
    assert_bytes(cql__read_value(&reader), "cafe");
    assert_true(!reader.failed && reader.len == 0);
    base__buf_free(&buf);
    base__arena_free(&arena);
}

static void a_value_that_ends_too_early_fails_the_reader(void **state) {
    (void)state;
    base_arena               arena = { 0 };
    static const char *const bad[] = { "", "000000", "00000003cafe", "fffffffd", "80000000" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cql_value   bytes = bytes_of(&arena, bad[i]);
        base_reader reader = { .data = bytes.data, .len = (size_t)bytes.len };
        assert_true(cql__is_null(cql__read_value(&reader)));
        assert_true(reader.failed);
    }
    base__arena_free(&arena);
}

static void assert_walk(const char *type_text, const char *hex, const char *const *items,
                        uint32_t count) {
    base_arena arena = { 0 };
    corm_error err = { 0 };
    cql_walk   walk;
    cql_value  item;
    assert_ok(cql__walk_begin(&walk, type_of(&arena, type_text), bytes_of(&arena, hex), &err), err);
    for (uint32_t i = 0; i < count; i++) {
        assert_true(cql__walk_next(&walk, &item));
        if (items[i])
            assert_bytes(item, items[i]);
        else
            assert_true(cql__is_null(item));
    }
    assert_false(cql__walk_next(&walk, &item));
    assert_false(walk.reader.failed);
    base__arena_free(&arena);
}

static void walking_gives_each_element(void **state) {
    (void)state;
    assert_walk("list<blob>",
                "00000002"
                "0000000161"
                "ffffffff",
                (const char *const[]){ "61", NULL }, 2);
    assert_walk("map<int, text>",
                "00000001"
                "0000000400000007"
                "0000000162",
                (const char *const[]){ "00000007", "62" }, 2);
    assert_walk("tuple<int, int>", "0000000400000007", (const char *const[]){ "00000007", NULL },
                2);
    assert_walk("point", "", (const char *const[]){ NULL, NULL }, 2);
    assert_walk("vector<smallint, 2>",
                "0200070200"
                "08",
                (const char *const[]){ "0007", "0008" }, 2);
    assert_walk("vector<int, 2>", "0000000700000008",
                (const char *const[]){ "00000007", "00000008" }, 2);
}

static void a_walk_over_null_has_no_elements(void **state) {
    (void)state;
    base_arena arena = { 0 };
    corm_error err = { 0 };
    cql_walk   walk;
    cql_value  item;
    assert_ok(cql__walk_begin(&walk, type_of(&arena, "list<int>"), CQL_NULL, &err), err);
    assert_false(cql__walk_next(&walk, &item));
    assert_ok(cql__walk_begin(&walk, type_of(&arena, "vector<int, 2>"), CQL_NULL, &err), err);
    assert_false(cql__walk_next(&walk, &item));
    base__arena_free(&arena);
}

static void a_walk_refuses_what_it_cannot_walk(void **state) {
    (void)state;
    base_arena arena = { 0 };
    corm_error err = { 0 };
    cql_walk   walk;
    cql_value  item;
    assert_status(cql__walk_begin(&walk, cql__type_native(CQL_INT), CQL_NULL, &err),
                  CORM_INVALID_ARGUMENT);
    assert_status(
        cql__walk_begin(&walk, type_of(&arena, "list<int>"), bytes_of(&arena, "7fffffff"), &err),
        CORM_CORRUPT);
    assert_status(
        cql__walk_begin(&walk, type_of(&arena, "list<int>"), bytes_of(&arena, "ffffffff"), &err),
        CORM_CORRUPT);
    assert_status(cql__walk_begin(&walk, type_of(&arena, "list<int>"), bytes_of(&arena, ""), &err),
                  CORM_CORRUPT);
    assert_ok(cql__walk_begin(&walk, type_of(&arena, "list<int>"),
                              bytes_of(&arena, "0000000100000005aa"), &err),
              err);
    assert_false(cql__walk_next(&walk, &item));
    assert_true(walk.reader.failed);
    assert_ok(
        cql__walk_begin(&walk, type_of(&arena, "vector<text, 1>"), bytes_of(&arena, "05aa"), &err),
        err);
    assert_false(cql__walk_next(&walk, &item));
    assert_true(walk.reader.failed);
    base__arena_free(&arena);
}

static void packing_is_the_reverse_of_walking(void **state) {
    (void)state;
    base_arena    arena = { 0 };
    random_source r = { 5, &arena };
    for (int i = 0; i < 3000; i++) {
        const cql_type *type = random_key_type(&r, 2);
        if (type->count == 0) continue;
        cql_value  value = random_value(&r, type);
        base_buf   again = { 0 };
        corm_error err = { 0 };
        cql_walk   walk;
        cql_pack   pack;
        cql_value  item;
        assert_ok(cql__walk_begin(&walk, type, value, &err), err);
        cql__pack_begin(&pack, type, &again);
        while (cql__walk_next(&walk, &item)) cql__pack_item(&pack, item);
        cql__pack_end(&pack);
        assert_int_equal(again.len, value.len);
        if (again.len > 0) assert_memory_equal(again.data, value.data, again.len);
        base__buf_free(&again);
        base__arena_reset(&arena);
    }
    base__arena_free(&arena);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(vints_read_back_as_themselves),
    cmocka_unit_test(vints_have_the_servers_bytes),
    cmocka_unit_test(protocol_values_have_three_kinds_of_nothing),
    cmocka_unit_test(a_value_that_ends_too_early_fails_the_reader),
    cmocka_unit_test(walking_gives_each_element),
    cmocka_unit_test(a_walk_over_null_has_no_elements),
    cmocka_unit_test(a_walk_refuses_what_it_cannot_walk),
    cmocka_unit_test(packing_is_the_reverse_of_walking),
};

RUN_TESTS()
