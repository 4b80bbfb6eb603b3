// SPDX-License-Identifier: MIT
#include "cql/token.h"

#include "cql/values_for_tests.h"

static int64_t token_of(const char *hex) {
    base_arena arena = { 0 };
    cql_value  key = bytes_of(&arena, hex);
    int64_t    token = cql__token((corm_bytes){ key.data, (size_t)key.len });
    base__arena_free(&arena);
    return token;
}

static void tokens_are_those_of_the_servers_partitioner(void **state) {
    (void)state;
    static const struct {
        const char *hex;
        int64_t     token;
    } cases[] = {
        { "61", INT64_C(-8839064797231613815) },
        { "616263", INT64_C(-5434086359492102041) },
        { "00000001", INT64_C(-4069959284402364209) },
        { "00000002", INT64_C(-3248873570005575792) },
        { "0000000000000001", INT64_C(6292367497774912474) },
        { "ff", INT64_C(-4442228696663692417) },
        { "ffffffff", INT64_C(7297452126230313552) },
        { "ffffffffffffffff", INT64_C(7071048584287372947) },
        { "68c3a96c6c6f", INT64_C(4427587122518744475) },
        { "e4b8ade69687", INT64_C(1882214072634218553) },
        { "808080808080808080808080808080", INT64_C(-5979218241483680930) },
        { "80808080808080808080808080808080", INT64_C(-3634615257541804556) },
        { "ffffffffffffffffffffffffffffffffff", INT64_C(-4128212798341382003) },
        { "00040000000100000161"
          "00",
          INT64_C(6516349416904725244) },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_true(token_of(cases[i].hex) == cases[i].token);
}

static void a_long_key_has_the_servers_token(void **state) {
    (void)state;
    uint8_t key[256];
    for (size_t i = 0; i < sizeof key; i++) key[i] = (uint8_t)i;
    assert_true(cql__token((corm_bytes){ key, sizeof key }) == INT64_C(2060892794568774329));
}

static void no_bytes_have_the_least_token(void **state) {
    (void)state;
    assert_true(cql__token((corm_bytes){ NULL, 0 }) == INT64_MIN);
}

static void a_composite_key_can_be_split_again(void **state) {
    (void)state;
    base_arena arena = { 0 };
    base_buf   key = { 0 };
    cql_value  values[3] = { bytes_of(&arena, "00000001"), bytes_of(&arena, ""),
                             bytes_of(&arena, "61") };
    cql_value  back[3];
    cql__partition_key(values, 3, &key);
    assert_bytes(cql__value_of(base__buf_bytes(&key)), "000400000001000000000001"
                                                       "6100");
    assert_true(cql__partition_key_split(base__buf_bytes(&key), 3, back));
    assert_bytes(back[0], "00000001");
    assert_int_equal(back[1].len, 0);
    assert_bytes(back[2], "61");
    assert_false(cql__partition_key_split(base__buf_bytes(&key), 2, back));
    assert_false(cql__partition_key_split((corm_bytes){ key.data, key.len - 1 }, 3, back));
    key.data[6] = 1;
    assert_false(cql__partition_key_split(base__buf_bytes(&key), 3, back));
    base__buf_free(&key);
    base__arena_free(&arena);
}

static void a_key_of_one_column_is_its_value(void **state) {
    (void)state;
    base_arena arena = { 0 };
    base_buf   key = { 0 };
    cql_value  value = bytes_of(&arena, "cafe");
    cql_value  back;
    cql__partition_key(&value, 1, &key);
    assert_bytes(cql__value_of(base__buf_bytes(&key)), "cafe");
    assert_true(cql__partition_key_split(base__buf_bytes(&key), 1, &back));
    assert_bytes(back, "cafe");
    base__buf_free(&key);
    base__arena_free(&arena);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(tokens_are_those_of_the_servers_partitioner),
    cmocka_unit_test(a_long_key_has_the_servers_token),
    cmocka_unit_test(no_bytes_have_the_least_token),
    cmocka_unit_test(a_composite_key_can_be_split_again),
    cmocka_unit_test(a_key_of_one_column_is_its_value),
};

RUN_TESTS()
