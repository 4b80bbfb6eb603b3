// SPDX-License-Identifier: MIT
#include "base/file.h"

#include "testing/check.h"

static void write_bytes(const char *path, size_t len) {
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    for (size_t i = 0; i < len; i++) fputc('x', file);
    assert_int_equal(fclose(file), 0);
}

static void a_file_is_read_to_its_end(void **state) {
    (void)state;
    static const size_t lengths[] = { 0, 1, 65535, 65536, 200001 };
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        base_buf   out = { 0 };
        corm_error err = { 0 };
        write_bytes("file", lengths[i]);
        assert_ok(base__read_file("file", 0, &out, &err), err);
        assert_int_equal(out.len, lengths[i]);
        base__buf_free(&out);
    }
}

static void more_than_is_taken_is_seen_and_not_read(void **state) {
    (void)state;
    base_buf   out = { 0 };
    corm_error err = { 0 };
    write_bytes("file", 400000);
    assert_ok(base__read_file("file", 100000, &out, &err), err);
    assert_true(out.len > 100000 && out.len < 400000);
    base__buf_free(&out);
    assert_ok(base__read_file("file", 400000, &out, &err), err);
    assert_int_equal(out.len, 400000);
    base__buf_free(&out);
}

static void what_cannot_be_read_is_told_with_its_name(void **state) {
    (void)state;
    base_buf   out = { 0 };
    corm_error err = { 0 };
    assert_int_not_equal(base__read_file("missing", 0, &out, &err), CORM_OK);
    assert_string_equal(err.message, "missing: No such file or directory");
    assert_int_not_equal(base__read_file(".", 0, &out, &err), CORM_OK);
    base__buf_free(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_read_to_its_end),
        cmocka_unit_test(more_than_is_taken_is_seen_and_not_read),
        cmocka_unit_test(what_cannot_be_read_is_told_with_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
