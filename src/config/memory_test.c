// SPDX-License-Identifier: MIT
/* A configuration is read and shown while memory fails: each failure is CORM_NO_MEMORY, and nothing is left. */
#include "testing/memory.h"

#include <stdlib.h>

#include "base/fail.h"
#include "corm/config.h"
#include "testing/check.h"

static const char good[] =
    "{ \"uri\": \"cassandra://me:p@h1/shop\", \"session\": { \"page_size\": 7 }, \"cluster\": { "
    "\"allow\": [\"a\", \"b\"] }, \"guard\": { \"tables\": [\"x\", \"y\"], \"refused\": "
    "[\"schema\"] }, \"guard_rails\": { \"tables_warn_threshold\": 5 }, \"plugins\": { \"p\": { "
    "\"config\": { \"a\": 1 } } } }";
static const char bad[] = "{ \"session\": { \"pagesize\": 7 }, \"cluster\": { \"pool_size\": 0 } }";

static corm_status read_good(corm_error *err) {
    const char *const         set[] = { "db.migration=none", NULL };
    const corm_config_options options = { .text = good, .set = set };
    corm_config              *config;
    char                     *text;
    corm_feature_options      plugin;
    CORM_TRY(corm_config_read(&config, &options, err));
    corm_status status = corm_config_show(config, true, &text, err);
    if (status == CORM_OK) free(text);
    assert_true(corm_config_plugin(config, "p", &plugin) || testing__memory_has_failed());
    corm_config_free(config);
    return status;
}

static corm_status read_bad(corm_error *err) {
    const corm_config_options options = { .text = bad };
    corm_config              *config;
    corm_status               status = corm_config_read(&config, &options, err);
    return status == CORM_INVALID_ARGUMENT ? CORM_OK : status;
}

static void check(corm_status (*operate)(corm_error *err)) {
    bool failed = true;
    if (!testing__memory_can_fail()) skip();
    for (size_t n = 0; failed; n++) {
        corm_error err = { 0 };
        long       before = testing__memory_live();
        testing__memory_fail_from(n);
        corm_status status = operate(&err);
        failed = testing__memory_has_failed();
        testing__memory_fail_from(SIZE_MAX);
        if (failed && status != CORM_OK) assert_status(status, CORM_NO_MEMORY);
        if (!failed) assert_ok(status, err);
        assert_int_equal(testing__memory_live(), before);
    }
}

static void what_is_good_survives(void **state) {
    (void)state;
    check(read_good);
}

static void mistakes_survive(void **state) {
    (void)state;
    check(read_bad);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(what_is_good_survives),
    cmocka_unit_test(mistakes_survive),
};

RUN_TESTS()
