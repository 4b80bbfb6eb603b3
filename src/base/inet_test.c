// SPDX-License-Identifier: MIT
#include "corm/types.h"

#include "testing/check.h"

static void check(const char *text, uint8_t length, const char *formatted) {
    corm_inet  inet;
    corm_error err;
    char       out[46];
    assert_ok(corm_inet_parse(text, &inet, &err), err);
    assert_int_equal(inet.length, length);
    corm_inet_format(inet, out);
    assert_string_equal(out, formatted);
}

static void addresses_go_both_ways(void **state) {
    (void)state;
    check("10.0.0.1", 4, "10.0.0.1");
    check("255.255.255.255", 4, "255.255.255.255");
    check("2001:db8::1", 16, "2001:db8::1");
    check("2001:0DB8:0:0:0:0:0:1", 16, "2001:db8::1");
    check("::", 16, "::");
    check("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 16, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
}

static void a_mapped_address_has_four_bytes(void **state) {
    (void)state;
    check("::ffff:10.1.2.3", 4, "10.1.2.3");
}

static void other_texts_are_refused(void **state) {
    (void)state;
    static const char *const bad[] = { "", "10.0.0", "10.0.0.256", "::g", "localhost", "1:2:3" };
    corm_inet                inet = { { 1 }, 4 };
    corm_error               err;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_status(corm_inet_parse(bad[i], &inet, &err), CORM_CONVERSION);
    }
    assert_status(corm_inet_parse(NULL, &inet, NULL), CORM_CONVERSION);
    assert_int_equal(inet.length, 4);
}

static void no_address_has_no_text(void **state) {
    (void)state;
    char out[46] = "x";
    corm_inet_format((corm_inet){ { 0 }, 0 }, out);
    assert_string_equal(out, "");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(addresses_go_both_ways),
    cmocka_unit_test(a_mapped_address_has_four_bytes),
    cmocka_unit_test(other_texts_are_refused),
    cmocka_unit_test(no_address_has_no_text),
};

RUN_TESTS()
