// SPDX-License-Identifier: MIT
#include "engine/auth.h"

#include "testing/check.h"

static corm_error err;

static bool fits(const char *password, const char *hash) {
    bool out;
    assert_ok(password__verify(corm_str_of(password), corm_str_of(hash), &out, &err), err);
    return out;
}

static void a_hash_is_verified_with_its_password_only(void **state) {
    (void)state;
    char hash[PASSWORD_HASH_BYTES];
    assert_ok(password__hash(corm_str_of("secret"), 4, hash, &err), err);
    assert_memory_equal(hash, "$2a$04$", 7);
    assert_true(password__is_hash(corm_str_of(hash)));
    assert_true(fits("secret", hash));
    assert_false(fits("Secret", hash));
    assert_false(fits("", hash));
}

static void two_hashes_of_a_password_differ(void **state) {
    (void)state;
    char one[PASSWORD_HASH_BYTES], other[PASSWORD_HASH_BYTES];
    assert_ok(password__hash(corm_str_of("x"), 4, one, &err), err);
    assert_ok(password__hash(corm_str_of("x"), 4, other, &err), err);
    assert_string_not_equal(one, other);
}

/* Made by Cassandra 5.0.9: CREATE ROLE with PASSWORD 'u', with '' and with 'h7'; the default role. */
static void hashes_of_a_cassandra_are_verified(void **state) {
    (void)state;
    assert_true(fits("u", "$2a$10$IADixgoP945BNHmfPaQOxOTOTgl1FIwN18.yY2YahMKYM3qVZzk52"));
    assert_true(fits("", "$2a$10$Mz6VVZbxzK3ANe0ATd.64.f9cUkplXQQ65QkL0AFDYM.XBlwJXhMS"));
    assert_true(fits("h7", "$2a$10$LhtS2K5uIknmzrK2VSS4..MCc4xq.PB1fiM2eez1c.CWRj5LtJcaK"));
    assert_true(fits("cassandra", "$2a$10$U0RUDdxORFulSqswf8UNFuFt5/CL4lV8WJGzwH7CWGRvqNZ44Qe6e"));
    assert_false(fits("h8", "$2a$10$LhtS2K5uIknmzrK2VSS4..MCc4xq.PB1fiM2eez1c.CWRj5LtJcaK"));
}

static void a_password_may_be_any_text(void **state) {
    (void)state;
    static const char *const passwords[] = {
        "", "\xc5\xbelu\xc5\xa5ou\xc4\x8dk\xc3\xbd k\xc5\xaf\xc5\x88", "'; DROP ROLE x",
        "\xff\xff\xa3"
    };
    for (size_t i = 0; i < sizeof passwords / sizeof *passwords; i++) {
        char hash[PASSWORD_HASH_BYTES];
        assert_ok(password__hash(corm_str_of(passwords[i]), 4, hash, &err), err);
        assert_true(fits(passwords[i], hash));
    }
}

static void a_zero_byte_is_refused(void **state) {
    (void)state;
    char hash[PASSWORD_HASH_BYTES];
    assert_status(password__hash((corm_str){ "a\0b", 3 }, 4, hash, &err), CORM_INVALID);
    assert_string_equal(err.message, "A password holds no zero byte");
}

static void what_is_no_bcrypt_hash_fits_nothing(void **state) {
    (void)state;
    static const char *const hashes[] = {
        "",
        "x",
        "$2a$10$short",
        "$1$abc$0123456789012345678901",
        "$2a$03$U0RUDdxORFulSqswf8UNFuFt5/CL4lV8WJGzwH7CWGRvqNZ44Qe6e",
        "$2a$32$U0RUDdxORFulSqswf8UNFuFt5/CL4lV8WJGzwH7CWGRvqNZ44Qe6e",
        "$2c$10$U0RUDdxORFulSqswf8UNFuFt5/CL4lV8WJGzwH7CWGRvqNZ44Qe6e",
        "$2a$10$U0RUDdxORFulSqswf8UNFuFt5/CL4lV8WJGzwH7CWGRvqNZ44Q e6",
    };
    for (size_t i = 0; i < sizeof hashes / sizeof *hashes; i++) {
        assert_false(password__is_hash(corm_str_of(hashes[i])));
        assert_false(fits("cassandra", hashes[i]));
    }
}

static void a_cost_that_bcrypt_lacks_is_refused(void **state) {
    (void)state;
    char hash[PASSWORD_HASH_BYTES];
    assert_status(password__hash(corm_str_of("x"), 99, hash, &err), CORM_INVALID_ARGUMENT);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_hash_is_verified_with_its_password_only),
    cmocka_unit_test(two_hashes_of_a_password_differ),
    cmocka_unit_test(hashes_of_a_cassandra_are_verified),
    cmocka_unit_test(a_password_may_be_any_text),
    cmocka_unit_test(a_zero_byte_is_refused),
    cmocka_unit_test(what_is_no_bcrypt_hash_fits_nothing),
    cmocka_unit_test(a_cost_that_bcrypt_lacks_is_refused),
};

RUN_TESTS()
