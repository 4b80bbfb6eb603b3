// SPDX-License-Identifier: MIT
#include "session/uri.h"

#include "testing/check.h"

typedef struct fixture {
    base_arena  arena;
    session_uri uri;
    corm_error  err;
} fixture;

static void read_ok(fixture *f, const char *text, const corm_session_options *options) {
    assert_ok(session__uri_read(&f->arena, text, options, &f->uri, &f->err), f->err);
}

static void a_folder_is_what_follows_the_scheme(void **state) {
    (void)state;
    fixture f = { 0 };
    read_ok(&f, "corm:./shop", NULL);
    assert_text(f.uri.scheme, "corm");
    assert_string_equal(f.uri.path, "./shop");
    read_ok(&f, "corm:/var/lib/my%20shop%3F", NULL);
    assert_string_equal(f.uri.path, "/var/lib/my shop?");
    read_ok(&f, "CORM:shop?", NULL);
    assert_string_equal(f.uri.path, "shop");
    base__arena_free(&f.arena);
}

static void memory_has_no_path(void **state) {
    (void)state;
    fixture f = { 0 };
    read_ok(&f, "corm::memory:?keyspace=shop", NULL);
    assert_null(f.uri.path);
    assert_string_equal(f.uri.options.keyspace, "shop");
    base__arena_free(&f.arena);
}

static void every_setting_is_read(void **state) {
    (void)state;
    fixture f = { 0 };
    read_ok(&f,
            "corm:x?keyspace=My%20Shop&create_keyspace=true&durability=relaxed&read_only=true&"
            "create=false&worker_threads=8&page_size=100&consistency=QUORUM",
            NULL);
    const corm_session_options *options = &f.uri.options;
    assert_string_equal(options->keyspace, "My Shop");
    assert_true(options->create_keyspace);
    assert_true(options->relaxed_durability);
    assert_true(options->read_only);
    assert_true(options->must_exist);
    assert_int_equal(options->worker_threads, 8);
    assert_int_equal(options->page_size, 100);
    assert_int_equal(options->consistency, CORM_QUORUM);
    read_ok(&f, "corm:x?durability=full&read_only=false&create=true&create_keyspace=false&", NULL);
    assert_false(options->relaxed_durability || options->read_only || options->must_exist);
    base__arena_free(&f.arena);
}

static void the_program_s_options_come_before_the_uri_s(void **state) {
    (void)state;
    fixture              f = { 0 };
    corm_session_options own = { .keyspace = "own",
                                 .page_size = 7,
                                 .worker_threads = 3,
                                 .consistency = CORM_ALL,
                                 .read_only = true };
    read_ok(&f, "corm:x?keyspace=uri&page_size=9&worker_threads=4&consistency=one&read_only=false",
            &own);
    assert_string_equal(f.uri.options.keyspace, "own");
    assert_int_equal(f.uri.options.page_size, 7);
    assert_int_equal(f.uri.options.worker_threads, 3);
    assert_int_equal(f.uri.options.consistency, CORM_ALL);
    assert_true(f.uri.options.read_only);
    base__arena_free(&f.arena);
}

static void check_refused(const char *text, const char *words) {
    fixture     f = { 0 };
    corm_status status = session__uri_read(&f.arena, text, NULL, &f.uri, &f.err);
    assert_status(status, CORM_INVALID_ARGUMENT);
    if (!strstr(f.err.message, words)) fail_msg("%s: %s", text ? text : "NULL", f.err.message);
    base__arena_free(&f.arena);
}

static void the_part_that_is_wrong_is_named(void **state) {
    (void)state;
    check_refused(NULL, "is NULL");
    check_refused("", "has no scheme");
    check_refused("./shop", "'corm:./shop'");
    check_refused("1corm:x", "has no scheme");
    check_refused("corm:", "names no folder");
    check_refused("corm:?keyspace=x", "names no folder");
    check_refused("corm:a%2", "hexadecimal");
    check_refused("corm:a%zz", "hexadecimal");
    check_refused("corm:a%00b", "hexadecimal");
    check_refused("corm:x?keyspace=%", "hexadecimal");
    check_refused("corm:x?keyspcae=a", "did you mean 'keyspace'?");
    check_refused("corm:x?nothing_like_it=a", "unknown setting 'nothing_like_it'");
    check_refused("corm:x?durability=lazy", "full or relaxed");
    check_refused("corm:x?read_only", "true or false");
    check_refused("corm:x?create=yes", "true or false");
    check_refused("corm:x?create_keyspace=1", "true or false");
    check_refused("corm:x?page_size=0", "1 to 10000000");
    check_refused("corm:x?worker_threads=many", "1 to 256");
    check_refused("corm:x?consistency=most", "local_quorum");
    check_refused("corm:x?keyspace=", "a keyspace's name");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_folder_is_what_follows_the_scheme),
    cmocka_unit_test(memory_has_no_path),
    cmocka_unit_test(every_setting_is_read),
    cmocka_unit_test(the_program_s_options_come_before_the_uri_s),
    cmocka_unit_test(the_part_that_is_wrong_is_named),
};

RUN_TESTS()
