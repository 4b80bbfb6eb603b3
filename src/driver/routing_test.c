// SPDX-License-Identifier: MIT
/* routing_test.c -- partition keys of bound values, and their tokens. */
#include "driver/driver.h"
#include "driver/prepared.h"
#include "testing/check.h"

static cql_value value_of(const char *bytes, int32_t len) {
    return (cql_value){ (const uint8_t *)bytes, len };
}

static void the_key_of_one_column_is_its_value(void **state) {
    (void)state;
    static const uint16_t markers[] = { 1 };
    driver_prepared       prepared = { .key_count = 1, .key_markers = markers };
    cql_value             values[] = { value_of("xx", 2), value_of("\0\0\0\1", 4) };
    base_buf              scratch = { 0 };
    corm_bytes            key = driver__routing_key(&prepared, values, 2, &scratch);
    assert_ptr_equal(key.data, values[1].data);
    assert_int_equal(key.len, 4);
    assert_null(scratch.data);
    int64_t token = 0;
    assert_true(driver__token_of(driver__prepared_wire(&prepared), values, 2, &token));
    assert_true(token == -4069959284402364209); /* SELECT token(k) … WHERE k = 1 */
}

static void the_key_of_several_columns_has_their_lengths(void **state) {
    (void)state;
    static const uint16_t markers[] = { 2, 0 };
    driver_prepared       prepared = { .key_count = 2, .key_markers = markers };
    cql_value values[] = { value_of("ab", 2), value_of("no", 2), value_of("\0\0\0\1", 4) };
    base_buf  scratch = { 0 };
    for (int i = 0; i < 2; i++) {
        corm_bytes key = driver__routing_key(&prepared, values, 3, &scratch);
        assert_int_equal(key.len, 12);
        assert_memory_equal(key.data, "\0\4\0\0\0\1\0\0\2ab\0", 12);
    }
    base__buf_free(&scratch);
}

static void a_key_that_is_not_wholly_bound_is_unknown(void **state) {
    (void)state;
    static const uint16_t markers[] = { 0, 1 };
    driver_prepared       prepared = { .key_count = 2, .key_markers = markers };
    cql_value             values[] = { value_of("ab", 2), CQL_NULL };
    base_buf              scratch = { 0 };
    int64_t               token;
    assert_null(driver__routing_key(&prepared, values, 2, &scratch).data);
    assert_null(driver__routing_key(&prepared, values, 1, &scratch).data);
    values[1] = CQL_UNSET;
    assert_false(driver__token_of(driver__prepared_wire(&prepared), values, 2, &token));
    prepared.key_count = 1;
    assert_true(driver__token_of(driver__prepared_wire(&prepared), values, 2, &token));
    prepared.key_count = 0;
    assert_false(driver__token_of(driver__prepared_wire(&prepared), values, 2, &token));
    base__buf_free(&scratch);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_key_of_one_column_is_its_value),
    cmocka_unit_test(the_key_of_several_columns_has_their_lengths),
    cmocka_unit_test(a_key_that_is_not_wholly_bound_is_unknown),
};

RUN_TESTS()
