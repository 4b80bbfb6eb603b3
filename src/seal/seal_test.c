// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "seal/seal.h"
#include "testing/check.h"

static const uint8_t first_key[CORM_KEY_BYTES] = { 1, 2, 3 };
static const uint8_t second_key[CORM_KEY_BYTES] = { 4, 5, 6 };

static corm_str text(const char *s) {
    return corm_str_of(s);
}

static corm_bytes bytes(const char *s) {
    return (corm_bytes){ (const uint8_t *)s, strlen(s) };
}

static corm_keyring *keyring_of(int keys) {
    corm_keyring *ring;
    corm_error    err = { 0 };
    assert_ok(corm_keyring_new(&ring, &err), err);
    assert_ok(corm_keyring_add(ring, 1, first_key, &err), err);
    if (keys > 1) assert_ok(corm_keyring_add(ring, 70000, second_key, &err), err);
    return ring;
}

static seal_box *box_of(const corm_keyring *ring, const char *column, bool equal) {
    seal_box  *box;
    corm_error err = { 0 };
    assert_ok(seal__box_new(ring, text(column), equal, &box, &err), err);
    return box;
}

static void seal_into(const seal_box *box, const char *value, base_buf *out) {
    corm_error err = { 0 };
    assert_ok(seal__close(box, bytes(value), out, &err), err);
}

static void assert_opens(const seal_box *box, const base_buf *sealed, const char *value) {
    base_buf   out = { 0 };
    corm_error err = { 0 };
    assert_ok(seal__open(box, base__buf_bytes(sealed), &out, &err), err);
    assert_int_equal(out.len, strlen(value));
    if (out.len > 0) assert_memory_equal(out.data, value, out.len);
    base__buf_free(&out);
}

static bool holds(const base_buf *sealed, const char *value) {
    size_t len = strlen(value);
    for (size_t i = 0; i + len <= sealed->len; i++) {
        if (memcmp(sealed->data + i, value, len) == 0) return true;
    }
    return false;
}

static void what_is_sealed_is_opened(void **state) {
    (void)state;
    static const char *const values[] = { "", "a", "078-05-1120",
                                          "so many letters that they fill several blocks" };
    corm_keyring            *ring = keyring_of(1);
    for (int equal = 0; equal < 2; equal++) {
        seal_box *box = box_of(ring, "users.ssn", equal);
        for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
            base_buf sealed = { 0 };
            seal_into(box, values[i], &sealed);
            assert_true(strlen(values[i]) < 3 || !holds(&sealed, values[i]));
            assert_opens(box, &sealed, values[i]);
            assert_true(seal__is_current(box, base__buf_bytes(&sealed)));
            base__buf_free(&sealed);
        }
        seal__box_free(box);
    }
    corm_keyring_free(ring);
}

static bool same_twice(const char *one, const char *other, bool equal) {
    corm_keyring *ring = keyring_of(1);
    seal_box     *a = box_of(ring, one, equal), *b = box_of(ring, other, equal);
    base_buf      first = { 0 }, second = { 0 };
    seal_into(a, "value", &first);
    seal_into(b, "value", &second);
    bool same = first.len == second.len && memcmp(first.data, second.data, first.len) == 0;
    base__buf_free(&first);
    base__buf_free(&second);
    seal__box_free(a);
    seal__box_free(b);
    corm_keyring_free(ring);
    return same;
}

static void equal_values_are_equal_only_where_that_is_asked(void **state) {
    (void)state;
    assert_false(same_twice("t.a", "t.a", false));
    assert_true(same_twice("t.a", "t.a", true));
    assert_false(same_twice("t.a", "t.b", true));
}

static void a_changed_byte_is_noticed_wherever_it_is(void **state) {
    (void)state;
    corm_keyring *ring = keyring_of(1);
    for (int equal = 0; equal < 2; equal++) {
        seal_box *box = box_of(ring, "t.a", equal);
        base_buf  sealed = { 0 }, out = { 0 };
        seal_into(box, "value", &sealed);
        for (size_t i = 0; i < sealed.len; i++) {
            sealed.data[i] ^= 0x10;
            assert_int_not_equal(seal__open(box, base__buf_bytes(&sealed), &out, NULL), CORM_OK);
            assert_int_equal(out.len, 0);
            sealed.data[i] ^= 0x10;
        }
        for (size_t len = 0; len < sealed.len; len++) {
            assert_status(seal__open(box, (corm_bytes){ sealed.data, len }, &out, NULL),
                          CORM_CORRUPT);
        }
        base__buf_free(&sealed);
        base__buf_free(&out);
        seal__box_free(box);
    }
    corm_keyring_free(ring);
}

static void a_value_of_another_column_does_not_open(void **state) {
    (void)state;
    corm_keyring *ring = keyring_of(1);
    seal_box     *a = box_of(ring, "t.a", false), *b = box_of(ring, "t.b", false);
    base_buf      sealed = { 0 }, out = { 0 };
    corm_error    err = { 0 };
    seal_into(a, "value", &sealed);
    assert_status(seal__open(b, base__buf_bytes(&sealed), &out, &err), CORM_CORRUPT);
    assert_non_null(strstr(err.message, "t.b"));
    base__buf_free(&sealed);
    base__buf_free(&out);
    seal__box_free(a);
    seal__box_free(b);
    corm_keyring_free(ring);
}

static void the_last_key_seals_and_all_open(void **state) {
    (void)state;
    corm_keyring *old = keyring_of(1), *both = keyring_of(2);
    seal_box     *before = box_of(old, "t.a", false), *after = box_of(both, "t.a", false);
    base_buf      sealed = { 0 }, anew = { 0 }, out = { 0 };
    corm_error    err = { 0 };
    seal_into(before, "value", &sealed);
    assert_opens(after, &sealed, "value");
    assert_false(seal__is_current(after, base__buf_bytes(&sealed)));
    seal_into(after, "value", &anew);
    assert_status(seal__open(before, base__buf_bytes(&anew), &out, &err), CORM_NOT_FOUND);
    assert_non_null(strstr(err.message, "key 70000"));
    base__buf_free(&sealed);
    base__buf_free(&anew);
    base__buf_free(&out);
    seal__box_free(before);
    seal__box_free(after);
    corm_keyring_free(old);
    corm_keyring_free(both);
}

static void the_key_of_equality_stays_until_another_is_named(void **state) {
    (void)state;
    corm_keyring *old = keyring_of(1), *both = keyring_of(2);
    seal_box     *before = box_of(old, "t.a", true), *after = box_of(both, "t.a", true);
    base_buf      sealed = { 0 };
    corm_error    err = { 0 };
    seal_into(before, "value", &sealed);
    assert_true(seal__is_current(after, base__buf_bytes(&sealed)));
    assert_ok(corm_keyring_equal(both, 70000, &err), err);
    seal_box *moved = box_of(both, "t.a", true);
    assert_false(seal__is_current(moved, base__buf_bytes(&sealed)));
    assert_opens(moved, &sealed, "value");
    assert_status(corm_keyring_equal(both, 5, &err), CORM_NOT_FOUND);
    base__buf_free(&sealed);
    seal__box_free(before);
    seal__box_free(after);
    seal__box_free(moved);
    corm_keyring_free(old);
    corm_keyring_free(both);
}

/* Values that were sealed once must open for ever: the bytes are the format. Worked out by an independent program
 * (cryptography's HKDF, AESSIV) from the text at the top of seal.h. */
static void the_stored_format_is_what_the_header_says(void **state) {
    (void)state;
    static const uint8_t stored[] = { 0x02, 0x00, 0x00, 0x00, 0x01, 0x5b, 0xf0, 0x11, 0x1b, 0xb0,
                                      0xc2, 0x7f, 0x32, 0x8f, 0x4f, 0xb2, 0x57, 0x2b, 0x43, 0xd2,
                                      0xc2, 0xef, 0xa3, 0x97, 0x6d, 0x7d, 0x21, 0x8c, 0x3d, 0x2a,
                                      0x9b, 0xe7, 0xc1, 0x25, 0xc1, 0x7d, 0x33 };
    corm_keyring        *ring = keyring_of(1);
    seal_box            *box = box_of(ring, "users.email", true);
    base_buf             sealed = { 0 };
    seal_into(box, "ada@example.org", &sealed);
    assert_int_equal(sealed.len, sizeof stored);
    assert_memory_equal(sealed.data, stored, sizeof stored);
    base__buf_free(&sealed);
    seal__box_free(box);
    corm_keyring_free(ring);
}

/* ---- keyrings ---- */

static void ids_are_not_given_twice(void **state) {
    (void)state;
    corm_keyring *ring = keyring_of(1);
    corm_error    err = { 0 };
    seal_box     *box;
    assert_status(corm_keyring_add(ring, 1, second_key, &err), CORM_INVALID_ARGUMENT);
    for (uint32_t id = 2; id <= CORM_KEYRING_MAX; id++) {
        assert_ok(corm_keyring_add(ring, id, second_key, &err), err);
    }
    assert_status(corm_keyring_add(ring, 1000, second_key, &err), CORM_INVALID_ARGUMENT);
    corm_keyring_free(ring);
    assert_ok(corm_keyring_new(&ring, &err), err);
    assert_status(seal__box_new(ring, text("t.a"), false, &box, &err), CORM_INVALID_ARGUMENT);
    corm_keyring_free(ring);
    corm_keyring_free(NULL);
}

#define KEY "0102030000000000000000000000000000000000000000000000000000000000"

static corm_status read_text(const char *content, mode_t mode, corm_keyring **out,
                             corm_error *err) {
    char path[] = "/tmp/corm-keys-XXXXXX";
    int  file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(write(file, content, strlen(content)), strlen(content));
    assert_int_equal(fchmod(file, mode), 0);
    close(file);
    corm_status status = corm_keyring_read(out, path, err);
    unlink(path);
    return status;
}

static void keys_are_read_from_a_private_file(void **state) {
    (void)state;
    corm_keyring *ring, *same = keyring_of(1);
    corm_error    err = { 0 };
    const char   *good = "# keys\n\n 1 = " KEY "\r\n2=" KEY "\nequal = 2\n";
    assert_ok(read_text(good, 0600, &ring, &err), err);
    assert_int_equal(ring->count, 2);
    assert_int_equal(ring->equal, 1);
    assert_memory_equal(ring->keys[0].bytes, same->keys[0].bytes, CORM_KEY_BYTES);
    corm_keyring_free(ring);
    corm_keyring_free(same);
    assert_status(read_text(good, 0644, &ring, &err), CORM_INVALID_ARGUMENT);
    assert_non_null(strstr(err.message, "chmod 600"));
    assert_null(ring);
}

static void a_wrong_line_is_named_and_not_shown(void **state) {
    (void)state;
    static const struct {
        const char *content, *says;
    } cases[] = {
        { "1 = " KEY "\n2 = abc\n", ":2: a key has 64" },
        { "1 = " KEY "\n1 = " KEY "\n", ":2: the keyring has a key 1 already" },
        { "x = " KEY "\n", ":1: an id is a number" },
        { "99999999999 = " KEY "\n", ":1: an id is a number" },
        { KEY "\n", ":1: \"id = key\" is expected" },
        { "1 = " KEY "\nequal = 7\n", ":2: the keyring has no key 7" },
        { "1 = " KEY "\nequal = x\n", ":2: 'equal' takes" },
        { "# nothing\n", "has no key" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        corm_keyring *ring;
        corm_error    err = { 0 };
        assert_int_not_equal(read_text(cases[i].content, 0600, &ring, &err), CORM_OK);
        assert_non_null(strstr(err.message, cases[i].says));
        assert_null(strstr(err.message, "010203"));
    }
    corm_keyring *ring;
    assert_status(corm_keyring_read(&ring, "/nonexistent/keys", NULL), CORM_IO);
}

static void generated_keys_differ(void **state) {
    (void)state;
    uint8_t    a[CORM_KEY_BYTES], b[CORM_KEY_BYTES];
    corm_error err = { 0 };
    assert_ok(corm_key_generate(a, &err), err);
    assert_ok(corm_key_generate(b, &err), err);
    assert_memory_not_equal(a, b, sizeof a);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_sealed_is_opened),
        cmocka_unit_test(equal_values_are_equal_only_where_that_is_asked),
        cmocka_unit_test(a_changed_byte_is_noticed_wherever_it_is),
        cmocka_unit_test(a_value_of_another_column_does_not_open),
        cmocka_unit_test(the_last_key_seals_and_all_open),
        cmocka_unit_test(the_key_of_equality_stays_until_another_is_named),
        cmocka_unit_test(the_stored_format_is_what_the_header_says),
        cmocka_unit_test(ids_are_not_given_twice),
        cmocka_unit_test(keys_are_read_from_a_private_file),
        cmocka_unit_test(a_wrong_line_is_named_and_not_shown),
        cmocka_unit_test(generated_keys_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
