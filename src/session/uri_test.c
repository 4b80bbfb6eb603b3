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

static void a_cluster_has_hosts_a_login_and_a_keyspace(void **state) {
    (void)state;
    fixture f = { 0 };
    read_ok(&f, "cassandra://us%40er:p%3Ass%2F@h1,h2:9043,[::1]:19042,[fe80::2]/my%20shop", NULL);
    assert_true(f.uri.is_cluster);
    assert_null(f.uri.path);
    assert_int_equal(f.uri.contact_count, 4);
    assert_string_equal(f.uri.contacts[0].name, "h1");
    assert_int_equal(f.uri.contacts[0].port, 0);
    assert_string_equal(f.uri.contacts[1].name, "h2");
    assert_int_equal(f.uri.contacts[1].port, 9043);
    assert_string_equal(f.uri.contacts[2].name, "::1");
    assert_int_equal(f.uri.contacts[2].port, 19042);
    assert_string_equal(f.uri.contacts[3].name, "fe80::2");
    assert_int_equal(f.uri.contacts[3].port, 0);
    assert_string_equal(f.uri.cluster.username, "us@er");
    assert_string_equal(f.uri.cluster.password, "p:ss/");
    assert_string_equal(f.uri.options.keyspace, "my shop");
    read_ok(&f, "SCYLLA://h1?keyspace=shop", NULL);
    assert_string_equal(f.uri.options.keyspace, "shop");
    assert_null(f.uri.cluster.username);
    read_ok(&f, "cassandra://h1/?dc=a%26b", NULL);
    assert_null(f.uri.options.keyspace);
    assert_string_equal(f.uri.cluster.balancing.local_dc, "a&b");
    base__arena_free(&f.arena);
}

static void every_setting_of_a_cluster_is_read(void **state) {
    (void)state;
    fixture f = { 0 };
    read_ok(
        &f,
        "cassandra://h/ks?dc=d&rack=r&tls=true&tls_ca=/ca&tls_cert=c&tls_key=k&tls_verify=none&"
        "tls_server_name=n&tls13_only=true&protocol_version=4&compression=snappy&pool_size=2&"
        "pool_max_size=3&balancing=least-connections&health_interval_ms=11&health_timeout_ms=12&"
        "retries=7&backoff=constant&request_timeout_ms=13&connect_timeout_ms=14&"
        "speculative_delay_ms=15&consistency=each_quorum&page_size=16&token_awareness=false&"
        "allow=a,b&health_check=false&remote_nodes=2",
        NULL);
    const corm_cluster_options *c = &f.uri.cluster;
    assert_string_equal(c->balancing.local_rack, "r");
    assert_int_equal(c->balancing.kind, CORM_BALANCE_LEAST_CONNECTIONS);
    assert_int_equal(c->balancing.remote_nodes, 2);
    assert_true(c->balancing.no_token_awareness && c->health_check.disabled && c->tls.enabled);
    assert_string_equal(c->balancing.allow[0], "a");
    assert_string_equal(c->balancing.allow[1], "b");
    assert_null(c->balancing.allow[2]);
    assert_string_equal(c->tls.ca_file, "/ca");
    assert_string_equal(c->tls.certificate_file, "c");
    assert_string_equal(c->tls.key_file, "k");
    assert_int_equal(c->tls.verify, CORM_TLS_VERIFY_NONE);
    assert_int_equal(c->protocol_version, 4);
    assert_int_equal(c->compression, CORM_SNAPPY);
    assert_int_equal(c->pool.size + c->pool.max_size * 10, 32);
    assert_int_equal(c->health_check.interval_ms, 11);
    assert_int_equal(c->health_check.timeout_ms, 12);
    assert_int_equal(c->retry.kind, CORM_RETRY_BACKOFF);
    assert_int_equal(c->retry.max_retries, 7);
    assert_int_equal(c->retry.backoff, CORM_BACKOFF_CONSTANT);
    assert_int_equal(c->request_timeout_ms, 13);
    assert_int_equal(c->connect_timeout_ms, 14);
    assert_int_equal(c->speculative.kind, CORM_SPECULATE_CONSTANT);
    assert_int_equal(c->speculative.delay_ms, 15);
    assert_int_equal(f.uri.options.consistency, CORM_EACH_QUORUM);
    assert_int_equal(f.uri.options.page_size, 16);
    read_ok(&f, "cassandra://h?retries=0", NULL);
    assert_int_equal(f.uri.cluster.retry.kind, CORM_RETRY_FALLTHROUGH);
    base__arena_free(&f.arena);
}

static void the_program_s_cluster_options_come_before_the_uri_s(void **state) {
    (void)state;
    fixture              f = { 0 };
    corm_cluster_options own = { .username = "me",
                                 .password = "mine",
                                 .pool = { .size = 5 },
                                 .tls = { .enabled = true },
                                 .retry = { .kind = CORM_RETRY_DOWNGRADING } };
    corm_session_options options = { .cluster = &own, .keyspace = "own" };
    read_ok(&f, "cassandra://you:yours@h/uri?pool_size=6&tls=false&retries=2&pool_max_size=8",
            &options);
    assert_string_equal(f.uri.cluster.username, "me");
    assert_string_equal(f.uri.cluster.password, "mine");
    assert_string_equal(f.uri.options.keyspace, "own");
    assert_int_equal(f.uri.cluster.pool.size, 5);
    assert_int_equal(f.uri.cluster.pool.max_size, 8);
    assert_true(f.uri.cluster.tls.enabled);
    assert_int_equal(f.uri.cluster.retry.kind, CORM_RETRY_DOWNGRADING);
    base__arena_free(&f.arena);
}

static void the_part_of_a_cluster_s_uri_that_is_wrong_is_named(void **state) {
    (void)state;
    check_refused("cassandra:h1", "no '//'");
    check_refused("cassandra://", "names no host");
    check_refused("cassandra:///shop", "names no host");
    check_refused("cassandra://user@/shop", "names no host");
    check_refused("cassandra://h1,,h2", "without a name");
    check_refused("cassandra://h1:", "1 to 65535");
    check_refused("cassandra://h1:0", "1 to 65535");
    check_refused("cassandra://h1:65536", "1 to 65535");
    check_refused("cassandra://[::1", "not closed");
    check_refused("cassandra://[::1]9042", "1 to 65535");
    check_refused("cassandra://::1", "without a name");
    check_refused("cassandra://fe80::1", "stands in brackets");
    check_refused("cassandra://h1/a/b", "more than a keyspace");
    check_refused("cassandra://h1?durability=full", "only the embedded store ('corm:') knows");
    check_refused("cassandra://h1?worker_threads=2", "only the embedded store ('corm:') knows");
    check_refused("corm:x?dc=dc1", "only a cluster ('cassandra:', 'scylla:') knows");
    check_refused("cassandra://h1?pool_sise=2", "did you mean 'pool_size'?");
    check_refused("cassandra://h1?compression=zip", "none, lz4 or snappy");
    check_refused("cassandra://h1?protocol_version=3", "4 or 5");
    check_refused("cassandra://h1?pool_size=0", "1 to 1024");
    check_refused("cassandra://h1?balancing=best", "round-robin");
    check_refused("cassandra://h1?consistency=", "local_quorum");
}

static void a_password_is_not_repeated_in_a_message(void **state) {
    (void)state;
    fixture     f = { 0 };
    corm_status status =
        session__uri_read(&f.arena, "cassandra://me:secret@h1?nothing=1", NULL, &f.uri, &f.err);
    assert_status(status, CORM_INVALID_ARGUMENT);
    assert_null(strstr(f.err.message, "secret"));
    assert_non_null(strstr(f.err.message, "cassandra://me:***@h1?nothing=1"));
    base__arena_free(&f.arena);
}

static void every_setting_is_documented(void **state) {
    (void)state;
    static char page[1 << 16];
    FILE       *file = fopen(CORM_SOURCE_DIR "/docs/session.md", "rb");
    assert_non_null(file);
    page[fread(page, 1, sizeof page - 1, file)] = '\0';
    fclose(file);
    for (size_t i = 0; session__setting_name(i); i++) {
        char quoted[64];
        snprintf(quoted, sizeof quoted, "`%s`", session__setting_name(i));
        if (!strstr(page, quoted)) fail_msg("docs/session.md has no %s", quoted);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_setting_is_documented),
    cmocka_unit_test(a_cluster_has_hosts_a_login_and_a_keyspace),
    cmocka_unit_test(every_setting_of_a_cluster_is_read),
    cmocka_unit_test(the_program_s_cluster_options_come_before_the_uri_s),
    cmocka_unit_test(the_part_of_a_cluster_s_uri_that_is_wrong_is_named),
    cmocka_unit_test(a_password_is_not_repeated_in_a_message),
    cmocka_unit_test(a_folder_is_what_follows_the_scheme),
    cmocka_unit_test(memory_has_no_path),
    cmocka_unit_test(every_setting_is_read),
    cmocka_unit_test(the_program_s_options_come_before_the_uri_s),
    cmocka_unit_test(the_part_that_is_wrong_is_named),
};

RUN_TESTS()
