// SPDX-License-Identifier: MIT
#include "testing/check.h"

#include "driver/settings.h"

static const driver_contact contacts[] = { { "h1", 0 }, { "10.0.0.2", 9142 } };

static void make(const corm_cluster_options *options, driver_settings *out) {
    corm_error err;
    assert_ok(driver__settings_make(contacts, 2, options, 0, out, &err), err);
}

static void refused(const corm_cluster_options *options, const char *part) {
    driver_settings settings;
    corm_error      err = { 0 };
    assert_status(driver__settings_make(contacts, 2, options, 0, &settings, &err),
                  CORM_INVALID_ARGUMENT);
    assert_non_null(strstr(err.message, part));
    driver__settings_free(&settings);
}

static void zero_becomes_the_default(void **state) {
    (void)state;
    driver_settings settings;
    make(NULL, &settings);
    assert_int_equal(settings.contact_count, 2);
    assert_string_equal(settings.contacts[0].name, "h1");
    assert_int_equal(settings.contacts[0].port, 9042);
    assert_int_equal(settings.contacts[1].port, 9142);
    assert_int_equal(settings.consistency, CORM_LOCAL_ONE);
    const corm_cluster_options *o = &settings.options;
    assert_int_equal(o->protocol_version, 5);
    assert_int_equal(o->pool.size, 10);
    assert_int_equal(o->pool.max_size, 50);
    assert_int_equal(o->pool.requests_per_connection, 1024);
    assert_int_equal(o->health_check.interval_ms, 30000);
    assert_int_equal(o->reconnection.base_delay_ms, 500);
    assert_int_equal(o->request_timeout_ms, 15000);
    assert_int_equal(o->max_frame_bytes, 256u << 20);
    assert_true(o->speculative.percentile == 99.0);
    assert_int_equal(strlen(settings.client_id), 36);
    driver__settings_free(&settings);
}

static void everything_given_is_copied(void **state) {
    (void)state;
    char                 name[] = "app", dc[] = "dc1", denied[] = "10.0.0.9", profile[] = "slow";
    const char          *deny[] = { denied, NULL };
    uint8_t              key[32] = { 7 };
    corm_retry_policy    policy = { 0 };
    corm_profile         profiles[] = { { .name = profile, .request_timeout_ms = 60000 } };
    corm_cluster_options options = {
        .application_name = name,
        .balancing = { .local_dc = dc, .deny = deny },
        .retry.policy = &policy,
        .page_token_key = key,
        .profiles = profiles,
        .profile_count = 1,
    };
    driver_settings settings;
    make(&options, &settings);
    name[0] = dc[0] = denied[0] = profile[0] = 'X';
    key[0] = 0;
    profiles[0].request_timeout_ms = 1;
    deny[0] = NULL;
    assert_string_equal(settings.options.application_name, "app");
    assert_string_equal(settings.options.balancing.local_dc, "dc1");
    assert_string_equal(settings.options.balancing.deny[0], "10.0.0.9");
    assert_null(settings.options.balancing.deny[1]);
    assert_ptr_not_equal(settings.options.retry.policy, &policy);
    assert_int_equal(settings.page_token_key[0], 7);
    assert_int_equal(driver__settings_profile(&settings, "slow")->request_timeout_ms, 60000);
    driver__settings_free(&settings);
}

static void a_profile_takes_what_it_does_not_say_from_the_options(void **state) {
    (void)state;
    corm_profile profiles[] = {
        { .name = "a", .consistency = CORM_QUORUM, .retry.kind = CORM_RETRY_BACKOFF },
        { .name = "b",
          .balancing = { .kind = CORM_BALANCE_RANDOM, .local_dc = "dc2" },
          .speculative = { .kind = CORM_SPECULATE_CONSTANT } },
    };
    corm_cluster_options options = {
        .profiles = profiles,
        .profile_count = 2,
        .request_timeout_ms = 2000,
        .balancing = { .local_dc = "dc1", .local_rack = "r1", .remote_nodes = 2 },
        .speculative = { .delay_ms = 20 },
    };
    driver_settings settings;
    make(&options, &settings);
    const corm_profile *a = driver__settings_profile(&settings, "a");
    assert_int_equal(a->consistency, CORM_QUORUM);
    assert_int_equal(a->serial_consistency, CORM_SERIAL);
    assert_int_equal(a->request_timeout_ms, 2000);
    assert_int_equal(a->retry.kind, CORM_RETRY_BACKOFF);
    assert_int_equal(a->retry.max_retries, 3);
    assert_string_equal(a->balancing.local_rack, "r1");
    const corm_profile *b = driver__settings_profile(&settings, "b");
    assert_int_equal(b->consistency, CORM_LOCAL_ONE);
    assert_string_equal(b->balancing.local_dc, "dc2");
    assert_null(b->balancing.local_rack); /* a rack of another data centre is none of dc2 */
    assert_int_equal(b->balancing.remote_nodes, 2);
    assert_int_equal(b->speculative.delay_ms, 20);
    assert_null(driver__settings_profile(&settings, "c"));
    assert_ptr_equal(driver__settings_profile(&settings, NULL), &settings.profile);
    assert_ptr_equal(driver__settings_profile(&settings, ""), &settings.profile);
    assert_string_equal(settings.profile.balancing.local_dc, "dc1");
    driver__settings_free(&settings);
}

static void a_default_gives_way_to_what_was_given(void **state) {
    (void)state;
    corm_cluster_options options = {
        .pool.max_size = 4,
        .concurrency = { .most = 8 },
        .reconnection.base_delay_ms = 100000,
        .tls.certificate_file = "both.pem",
        .username = "u",
    };
    driver_settings settings;
    make(&options, &settings);
    assert_int_equal(settings.options.pool.size, 4);
    assert_int_equal(settings.options.concurrency.least, 8);
    assert_int_equal(settings.options.concurrency.initial, 8);
    assert_int_equal(settings.options.reconnection.max_delay_ms, 100000);
    assert_string_equal(settings.options.tls.key_file, "both.pem");
    assert_string_equal(settings.options.password, "");
    driver__settings_free(&settings);
}

static void what_is_out_of_range_is_named(void **state) {
    (void)state;
    refused(&(corm_cluster_options){ ._canary = 1 }, "not initialised");
    refused(&(corm_cluster_options){ .protocol_version = 3 }, "'protocol_version'");
    refused(&(corm_cluster_options){ .pool = { .size = 5, .max_size = 4 } }, "'pool.max_size'");
    refused(&(corm_cluster_options){ .pool.requests_per_connection = 40000 },
            "'pool.requests_per_connection'");
    refused(&(corm_cluster_options){ .compression = (corm_compression)9 }, "'compression'");
    refused(&(corm_cluster_options){ .speculative.percentile = 100 }, "'speculative.percentile'");
    refused(&(corm_cluster_options){ .speculative.percentile = -1 }, "'speculative.percentile'");
    refused(&(corm_cluster_options){ .speculative.max_executions = 4 },
            "'speculative.max_executions'");
    refused(&(corm_cluster_options){ .password = "p" }, "'password'");
    refused(&(corm_cluster_options){ .retry = { .base_delay_ms = 9, .max_delay_ms = 8 } },
            "'retry.max_delay_ms'");
    refused(&(corm_cluster_options){ .concurrency = { .least = 9, .most = 8 } },
            "'concurrency.most'");
    refused(&(corm_cluster_options){ .concurrency = { .initial = 9, .most = 8 } },
            "'concurrency.initial'");
    refused(&(corm_cluster_options){ .reconnection = { .base_delay_ms = 9, .max_delay_ms = 8 } },
            "'reconnection.max_delay_ms'");
    corm_profile nameless[] = { { .consistency = CORM_ONE } };
    refused(&(corm_cluster_options){ .profiles = nameless, .profile_count = 1 }, "no name");
    corm_profile wild[] = { { .name = "w", .serial_consistency = CORM_ONE } };
    refused(&(corm_cluster_options){ .profiles = wild, .profile_count = 1 }, "serial_consistency");
}

static void a_contact_point_must_be_given_and_named(void **state) {
    (void)state;
    driver_settings settings;
    corm_error      err;
    assert_status(driver__settings_make(NULL, 0, NULL, 0, &settings, &err), CORM_INVALID_ARGUMENT);
    driver__settings_free(&settings);
    driver_contact empty = { "", 0 };
    assert_status(driver__settings_make(&empty, 1, NULL, 0, &settings, &err),
                  CORM_INVALID_ARGUMENT);
    driver__settings_free(&settings);
    driver__settings_free(NULL);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(zero_becomes_the_default),
    cmocka_unit_test(everything_given_is_copied),
    cmocka_unit_test(a_profile_takes_what_it_does_not_say_from_the_options),
    cmocka_unit_test(a_default_gives_way_to_what_was_given),
    cmocka_unit_test(what_is_out_of_range_is_named),
    cmocka_unit_test(a_contact_point_must_be_given_and_named),
};

RUN_TESTS()
