// SPDX-License-Identifier: MIT
/* What stands over what, every mistake with its place, sections, what is shown, what is opened. */
#include "corm/config.h"

#include <stdlib.h>

#include "corm/cluster.h"

#include "testing/check.h"

typedef struct faults {
    uint32_t count;
    char     lines[8][256];
} faults;

static void keep(void *context, const corm_config_fault *fault) {
    faults *f = context;
    if (f->count < 8) {
        snprintf(f->lines[f->count], sizeof f->lines[0], "%s|%s|%s", fault->place, fault->key,
                 fault->what);
    }
    f->count++;
}

static corm_config *read_text(const char *text, const char *const *set) {
    corm_config              *config;
    corm_error                err = { 0 };
    const corm_config_options options = { .file = "shop.json", .text = text, .set = set };
    assert_ok(corm_config_read(&config, &options, &err), err);
    return config;
}

static void expect_faults(const char *text, const char *const *set, faults *out, corm_error *err) {
    corm_config              *config;
    const corm_config_options options = {
        .file = "shop.json", .text = text, .set = set, .fault = keep, .context = out
    };
    *out = (faults){ 0 };
    assert_status(corm_config_read(&config, &options, err), CORM_INVALID_ARGUMENT);
    assert_null(config);
}

static void values_become_options(void **state) {
    (void)state;
    corm_config *config = read_text(
        "{ \"uri\": \"cassandra://h1/shop\", \"session\": { \"page_size\": 77, "
        "\"consistency\": \"quorum\", \"create_keyspace\": true },"
        "\"cluster\": { \"dc\": \"eu\", \"allow\": [\"h1\", \"h2\"], \"password\": \"p\", "
        "\"token_awareness\": false },"
        "\"db\": { \"migration\": \"alter\", \"unique_lease_ms\": 5 },"
        "\"server\": { \"port\": 9999, \"max_request_bytes\": 5000000000 },"
        "\"guard_rails\": { \"tables_warn_threshold\": 5, \"page_size_fail_threshold\": 9 } }",
        NULL);
    const corm_db_options *db = corm_config_db_options(config);
    assert_string_equal(corm_config_uri(config), "cassandra://h1/shop");
    assert_int_equal(db->session.page_size, 77);
    assert_int_equal(db->session.consistency, CORM_QUORUM);
    assert_true(db->session.create_keyspace);
    assert_string_equal(db->session.guard_rails,
                        "tables_warn_threshold=5\npage_size_fail_threshold=9\n");
    assert_string_equal(db->session.cluster->balancing.local_dc, "eu");
    assert_string_equal(db->session.cluster->balancing.allow[1], "h2");
    assert_string_equal(db->session.cluster->password, "p");
    assert_true(db->session.cluster->balancing.no_token_awareness);
    assert_int_equal(db->migration, CORM_MIGRATION_ALTER);
    assert_int_equal(db->unique_lease_ms, 5);
    assert_int_equal(corm_config_server_options(config)->port, 9999);
    assert_int_equal(corm_config_server_options(config)->max_request_bytes, 5000000000);
    corm_config_free(config);
}

static void the_program_stands_over_the_environment_over_the_file(void **state) {
    (void)state;
    const char *const set[] = { "session.page_size=3", "plugins.a.enabled=false", NULL };
    const char       *place;
    setenv("CORM_SESSION_PAGE_SIZE", "2", 1);
    setenv("CORM_SESSION_WORKER_THREADS", "5", 1);
    const char  *text = "{ \"session\": { \"page_size\": 1, \"worker_threads\": 9, \"keyspace\": "
                        "\"f\" }, \"plugins\": { \"a\": { \"enabled\": true } } }";
    corm_config *config = read_text(text, set);
    assert_string_equal(corm_config_get(config, "session.page_size", &place), "3");
    assert_string_equal(place, "set");
    assert_string_equal(corm_config_get(config, "session.worker_threads", &place), "5");
    assert_string_equal(place, "CORM_SESSION_WORKER_THREADS");
    assert_string_equal(corm_config_get(config, "session.keyspace", &place), "f");
    assert_string_equal(place, "shop.json:1:53");
    assert_string_equal(corm_config_get(config, "plugins.a.enabled", NULL), "false");
    assert_null(corm_config_get(config, "session.durability", &place));
    corm_config_free(config);
    const corm_config_options alone = { .text = text, .no_environment = true };
    corm_error                err;
    assert_ok(corm_config_read(&config, &alone, &err), err);
    assert_int_equal(corm_config_db_options(config)->session.page_size, 1);
    corm_config_free(config);
    unsetenv("CORM_SESSION_PAGE_SIZE");
    unsetenv("CORM_SESSION_WORKER_THREADS");
}

static void every_mistake_is_named_at_once(void **state) {
    (void)state;
    static const char *const expected[] = {
        "set|nonsense|it is no name=value",
        "CORM_SESSION_PAGE_SIZ|session.page_siz|unknown key, did you mean 'session.page_size'?",
        "shop.json:2:16|session.pagesize|unknown key, did you mean 'session.page_size'?",
        "shop.json:4:15|server.tls|unknown key",
        "shop.json:5:3|colour|unknown key",
        "shop.json:3:16|cluster.pool_size|'0' is not allowed: 1 to 1024",
        "shop.json:6:14|guard.refused|'selct' is not allowed: select, insert",
        "shop.json:7:20|guard_rails.no_such|",
    };
    const char *const set[] = { "nonsense", NULL };
    const char       *text = "{\n"
                             "  \"session\": { \"pagesize\": 1 },\n"
                             "  \"cluster\": { \"pool_size\": 0 },\n"
                             "  \"server\": { \"tls\": \"x\" },\n"
                             "  \"colour\": 7,\n"
                             "  \"guard\": { \"refused\": [\"selct\"] },\n"
                             "  \"guard_rails\": { \"no_such\": 1 }\n}";
    faults            f;
    corm_error        err = { 0 };
    setenv("CORM_SESSION_PAGE_SIZ", "2", 1);
    expect_faults(text, set, &f, &err);
    unsetenv("CORM_SESSION_PAGE_SIZ");
    assert_int_equal(f.count, 8);
    for (int i = 0; i < 8; i++) {
        if (strncmp(f.lines[i], expected[i], strlen(expected[i])) != 0) fail_msg("%s", f.lines[i]);
    }
    assert_non_null(strstr(err.message, "CORM_SESSION_PAGE_SIZ"));
    assert_non_null(strstr(err.message, "shop.json:5:3: colour: unknown key"));
}

static void what_is_no_json_has_its_place(void **state) {
    (void)state;
    faults     f;
    corm_error err;
    expect_faults("{\n  \"a\": }", NULL, &f, &err);
    assert_string_equal(f.lines[0], "shop.json:2:8||this is no JSON");
    expect_faults("[]", NULL, &f, &err);
    assert_string_equal(f.lines[0], "shop.json||a configuration is an object");
    expect_faults("{ \"plugins\": { \"a\": { \"enabled\": 7 } } }", NULL, &f, &err);
    assert_string_equal(f.lines[0],
                        "shop.json:1:23|plugins.a.enabled|'7' is not allowed: true or false");
    corm_config              *config;
    const corm_config_options missing = { .file = "none.json" };
    assert_status(corm_config_read(&config, &missing, &err), CORM_IO);
}

static void secrets_are_never_shown(void **state) {
    (void)state;
    char        *text;
    corm_error   err;
    faults       f;
    corm_config *config =
        read_text("{ \"uri\": \"cassandra://me:hidden1@h1/shop\", \"cluster\": { "
                  "\"password\": \"hidden2\", \"tls_key_password\": \"hidden3\" },"
                  "\"plugins\": { \"a\": { \"config\": { \"api_token\": "
                  "\"hidden4\", \"table\": \"t\" } } } }",
                  NULL);
    assert_ok(corm_config_show(config, false, &text, &err), err);
    assert_null(strstr(text, "hidden"));
    assert_non_null(strstr(text, "cluster.password = ***  # shop.json:1:"));
    assert_non_null(strstr(text, "plugins.a.config.table = t  #"));
    free(text);
    assert_ok(corm_config_show(config, true, &text, &err), err);
    assert_non_null(strstr(text, "# session.page_size: 5000\n"));
    free(text);
    corm_config_free(config);
    expect_faults("{ \"uri\": \"cassandra://me:hidden@h1:none/shop\" }", NULL, &f, &err);
    assert_null(strstr(err.message, "hidden"));
}

static void features_and_plugins_have_sections(void **state) {
    (void)state;
    corm_feature_options options;
    corm_config         *config =
        read_text("{ \"features\": { \"timeSeries\": { \"config\": { \"bucket\": \"day\", "
                  "\"retry\": { \"max\": 3 } } } }, \"plugins\": { \"audit\": { \"enabled\": "
                  "false, \"library\": \"./none.so\" } } }",
                  NULL);
    assert_true(corm_config_feature(config, "timeSeries", &options));
    assert_false(options.disabled);
    assert_string_equal(corm_feature_setting(&options, "bucket", "x"), "day");
    assert_string_equal(corm_feature_setting(&options, "retry.max", "x"), "3");
    assert_string_equal(corm_feature_setting(&options, "none", "x"), "x");
    assert_false(corm_config_feature(config, "time", &options));
    assert_true(corm_config_plugin(config, "audit", &options));
    assert_true(options.disabled);
    corm_config_free(config);
}

static void a_db_is_opened_as_it_says(void **state) {
    (void)state;
    const char   *text = "{ \"uri\": \"corm::memory:\", \"session\": { \"keyspace\": \"c\", "
                         "\"create_keyspace\": true }, \"guard\": { \"enabled\": true, \"refused\": "
                         "[\"truncate\", \"roles\"], \"no_filtering\": true } }";
    corm_config  *config = read_text(text, NULL);
    corm_db      *db;
    corm_plugins *plugins;
    corm_error    err = { 0 };
    assert_ok(corm_config_open(&db, config, &err), err);
    assert_string_equal(corm_session_keyspace(corm_db_session(db)), "c");
    assert_status(corm_execute(corm_db_session(db), "TRUNCATE t", NULL, { .error = &err }),
                  CORM_UNAUTHORIZED);
    assert_ok(corm_plugins_open(&plugins, db, &err), err);
    assert_ok(corm_config_load_plugins(config, plugins, &err), err);
    corm_plugins_close(plugins);
    corm_db_close(db);
    corm_config_free(config);
    config = read_text("{}", NULL);
    assert_status(corm_config_open(&db, config, &err), CORM_INVALID_ARGUMENT);
    corm_config_free(config);
    corm_config_free(NULL);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(values_become_options),
    cmocka_unit_test(the_program_stands_over_the_environment_over_the_file),
    cmocka_unit_test(every_mistake_is_named_at_once),
    cmocka_unit_test(what_is_no_json_has_its_place),
    cmocka_unit_test(secrets_are_never_shown),
    cmocka_unit_test(features_and_plugins_have_sections),
    cmocka_unit_test(a_db_is_opened_as_it_says),
};

RUN_TESTS()
