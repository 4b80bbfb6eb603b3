// SPDX-License-Identifier: MIT
#include "cli/table.h"
#include "testing/check.h"

#define S(text)                                                                                    \
    { text, sizeof(text) - 1 }

static void columns_line_up_by_what_a_terminal_shows(void **state) {
    (void)state;
    const corm_str names[] = { S("k"), S("name") };
    const corm_str cells[] = { S("1"), S("\xE6\xBC\xA2\xE5\xAD\x97"), S("100"), S("e\xCC\x81") };
    uint32_t       widths[2] = { 0 };
    cli_table      table = { 2, names, cells, 2, widths };
    base_buf       out = { 0 };
    cli__table_measure(&table);
    cli__table_head(&table, &out);
    cli__table_rows(&table, &out);
    assert_string_equal(base__buf_cstr(&out),
                        " k   | name\n-----+------\n   1 | \xE6\xBC\xA2\xE5\xAD\x97\n"
                        " 100 |    e\xCC\x81\n");
    base__buf_free(&out);
}

static void expanded_rows_go_on_counting(void **state) {
    (void)state;
    const corm_str names[] = { S("k"), S("name") };
    const corm_str cells[] = { S("1"), S("abc") };
    cli_table      table = { 2, names, cells, 1, NULL };
    base_buf       out = { 0 };
    cli__table_expanded(&table, 4, &out);
    assert_string_equal(base__buf_cstr(&out), "@ Row 5\n------+-----\n k    | 1\n name | abc\n\n");
    base__buf_free(&out);
}

static void broken_text_still_has_a_width(void **state) {
    (void)state;
    assert_int_equal(cli__width((corm_str)S("a\xFFz")), 3);
    assert_int_equal(cli__width((corm_str)S("")), 0);
}

static void names_fill_columns_from_top_to_bottom(void **state) {
    (void)state;
    const corm_str names[] = { S("a"), S("bb"), S("ccc"), S("d"), S("e") };
    base_buf       out = { 0 };
    cli__columnize(names, 5, 10, &out);
    assert_string_equal(base__buf_cstr(&out), "a   ccc  e\nbb  d\n");
    base__buf_clear(&out);
    cli__columnize(names, 5, 2, &out);
    assert_string_equal(base__buf_cstr(&out), "a\nbb\nccc\nd\ne\n");
    base__buf_clear(&out);
    cli__columnize(names, 0, 10, &out);
    assert_string_equal(base__buf_cstr(&out), "<empty>\n");
    base__buf_free(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_line_up_by_what_a_terminal_shows),
        cmocka_unit_test(expanded_rows_go_on_counting),
        cmocka_unit_test(broken_text_still_has_a_width),
        cmocka_unit_test(names_fill_columns_from_top_to_bottom),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
