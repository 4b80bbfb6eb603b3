// SPDX-License-Identifier: MIT
/* Plugins begin behind what they depend on, end in reverse, and leave nothing behind; what is wrong with a set is named. */
#include "plugin/core.h"

#include <stdlib.h>

#include "base/fail.h"
#include "testing/check.h"

/* ---- versions ---- */

static void ranges_of_versions_hold(void **state) {
    (void)state;
    static const struct {
        const char *version, *range;
        bool        fits;
    } cases[] = {
        { "1.2.3", NULL, true },        { "1.2.3", "1.2", true },
        { "1.2.3", "1.3", false },      { "2.0", "1.2", false },
        { "1.2", "=1.2.0", true },      { "1.2.1", "=1.2", false },
        { "1.5", ">=1.0 <2.0", true },  { "2.0", ">=1.0 <2.0", false },
        { "0.9", ">=1.0 <2.0", false }, { "3", ">2", true },
        { "2", ">2", false },           { "2", "<=2", true },
        { "1.10", ">1.9", true },       { "1.0", "", true },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (plugin__fits(cases[i].version, cases[i].range) != cases[i].fits) {
            fail_msg("%s %s", cases[i].version, cases[i].range);
        }
    }
    static const char *const wrong[] = { "", "a", "1.", "1..2", "1.2.3.4", "-1", "1.2x" };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_false(plugin__is_version(wrong[i]));
        if (wrong[i][0]) assert_false(plugin__is_range(wrong[i]));
    }
    assert_false(plugin__is_range(">=1.0 and more"));
    assert_false(plugin__is_range("~1"));
}

/* ---- plugins that say what they do ---- */

static char trace[256];

static void put(const char *sign, const char *name) {
    size_t len = strlen(trace);
    snprintf(trace + len, sizeof trace - len, "%s%s ", sign, name);
}

static corm_status begin_with(corm_plugin_host *host, void **state, const char *name,
                              corm_error *err) {
    const char *fails = corm_feature_setting(corm_plugin_options(host), "fails", NULL);
    if (fails) return base__fail(err, CORM_UNSUPPORTED, "%s", fails);
    *state = (void *)(uintptr_t)name;
    put("+", name);
    return CORM_OK;
}

#define PLUGIN(NAME, VERSION, ...)                                                                 \
    static corm_status begin_##NAME(corm_plugin_host *host, void **state, corm_error *err) {       \
        return begin_with(host, state, #NAME, err);                                                \
    }                                                                                              \
    static void end_##NAME(corm_plugin_host *host, void *state) {                                  \
        (void)host;                                                                                \
        assert_string_equal(state, #NAME);                                                         \
        put("-", #NAME);                                                                           \
    }                                                                                              \
    static const corm_plugin NAME = { .abi = CORM_PLUGIN_ABI,                                      \
                                      .name = #NAME,                                               \
                                      .version = VERSION,                                          \
                                      .dependencies = { __VA_ARGS__ },                             \
                                      .initialize = begin_##NAME,                                  \
                                      .cleanup = end_##NAME }

PLUGIN(base, "1.4.0", { NULL, NULL, false });
PLUGIN(middle, "2.0", { "base", ">=1.0 <2.0", false });
PLUGIN(top, "1.0", { "middle", NULL, false }, { "base", "1", false }, { "extra", NULL, true });
PLUGIN(extra, "1.0", { NULL, NULL, false });
PLUGIN(lonely, "1.0", { "nobody", NULL, false });
PLUGIN(picky, "1.0", { "base", "2.0", false });
PLUGIN(one, "1.0", { "two", NULL, false });
PLUGIN(two, "1.0", { "three", NULL, false });
PLUGIN(three, "1.0", { "one", NULL, false });

typedef struct fixture {
    corm_db      *db;
    corm_plugins *set;
    corm_error    err;
} fixture;

static fixture open_set(void) {
    fixture         f = { .err = { 0 } };
    corm_middleware none[] = { { .name = NULL } };
    corm_db_options options = {
        .session = { .keyspace = "p", .create_keyspace = true, .middleware = none }, .error = &f.err
    };
    assert_ok(corm_db_open(&f.db, "corm::memory:", &options), f.err);
    assert_ok(corm_plugins_open(&f.set, f.db, &f.err), f.err);
    *trace = '\0';
    return f;
}

static void close_set(fixture *f) {
    corm_plugins_close(f->set);
    corm_db_close(f->db);
}

static void add(fixture *f, const corm_plugin *plugin) {
    assert_ok(corm_plugins_add(f->set, plugin, NULL, &f->err), f->err);
}

static void they_begin_behind_what_they_need(void **state) {
    (void)state;
    fixture     f = open_set();
    const char *version;
    add(&f, &top), add(&f, &middle), add(&f, &base), add(&f, &extra);
    assert_status(corm_plugins_add(f.set, &base, NULL, &f.err), CORM_ALREADY_EXISTS);
    assert_false(corm_plugins_has(f.set, "base", NULL));
    assert_ok(corm_plugins_start(f.set, &f.err), f.err);
    assert_string_equal(trace, "+base +middle +extra +top ");
    assert_true(corm_plugins_has(f.set, "base", &version));
    assert_string_equal(version, "1.4.0");
    assert_ok(corm_plugins_start(f.set, &f.err), f.err);
    *trace = '\0';
    close_set(&f);
    assert_string_equal(trace, "-top -extra -middle -base ");
}

static void what_is_missing_is_named(void **state) {
    (void)state;
    static const struct {
        const corm_plugin *plugins[3];
        corm_status        status;
        const char        *message;
    } cases[] = {
        { { &lonely, &base },
          CORM_NOT_FOUND,
          "plugin 'lonely' needs 'nobody', which is not there" },
        { { &base, &picky },
          CORM_VERSION,
          "plugin 'picky' needs 'base' in version 2.0, and it has 1.4.0" },
        { { &one, &two, &three },
          CORM_INVALID,
          "plugins depend on each other in a circle: one -> two -> three -> one" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fixture f = open_set();
        for (int j = 0; j < 3 && cases[i].plugins[j]; j++) add(&f, cases[i].plugins[j]);
        assert_status(corm_plugins_start(f.set, &f.err), cases[i].status);
        assert_string_equal(f.err.message, cases[i].message);
        assert_string_equal(trace, "");
        close_set(&f);
    }
}

static void a_failure_takes_back_those_that_had_begun(void **state) {
    (void)state;
    const corm_setting         settings[] = { { "fails", "no disk" } };
    const corm_feature_options fails = { .config = settings, .config_count = 1 };
    const corm_feature_options off = { .disabled = true };
    fixture                    f = open_set();
    add(&f, &extra);
    assert_ok(corm_plugins_start(f.set, &f.err), f.err);
    add(&f, &base), add(&f, &middle);
    assert_ok(corm_plugins_add(f.set, &lonely, &off, &f.err), f.err);
    assert_ok(corm_plugins_add(f.set, &top, &fails, &f.err), f.err);
    assert_status(corm_plugins_start(f.set, &f.err), CORM_UNSUPPORTED);
    assert_string_equal(f.err.message, "plugin 'top' cannot begin: no disk");
    assert_string_equal(trace, "+extra +base +middle -middle -base ");
    assert_true(corm_plugins_has(f.set, "extra", NULL));
    assert_false(corm_plugins_has(f.set, "middle", NULL));
    close_set(&f);
}

/* ---- what they add ---- */

typedef struct row {
    int32_t id;
} row;

static const corm_model rows = {
    .table = "rows",
    .row_size = sizeof(row),
    .fields = { { CORM_COLUMN(row, id), .key = CORM_PARTITION } },
};

static int seen[3];

static corm_status see_hook(corm_hook_call *call, void *context, corm_error *err) {
    (void)call, (void)context, (void)err;
    seen[0]++;
    return CORM_OK;
}

static void see_request(corm_request *request, void *context) {
    (void)request, (void)context;
    seen[1]++;
}

static void see_event(const corm_event *event, void *context) {
    (void)event, (void)context;
    seen[2]++;
}

static corm_status begin_adder(corm_plugin_host *host, void **state, corm_error *err) {
    const corm_model_hook hook = { .name = "adder", .on = CORM_ON_INSERT, .after = see_hook };
    const corm_middleware middleware = { .name = "adder", .end = see_request };
    assert_non_null(corm_plugin_db(host));
    assert_null(corm_plugin_dependency(host, "nobody"));
    *state = seen;
    CORM_TRY(corm_plugin_add_hook(host, &rows, &hook, err));
    CORM_TRY(corm_plugin_add_middleware(host, &middleware, err));
    return corm_plugin_subscribe(host, "adder.*", see_event, NULL, NULL, err);
}

static corm_feature_result call_adder(void *state, const char *what, void *argument) {
    corm_feature_result result = { .status = CORM_OK, .data = state };
    (void)argument;
    result.metadata[result.metadata_count++] = (corm_setting){ "what", what };
    return result;
}

static const corm_plugin adder = { .abi = CORM_PLUGIN_ABI,
                                   .name = "adder",
                                   .version = "1",
                                   .initialize = begin_adder,
                                   .call = call_adder };

static corm_events *events_seen;

static corm_status begin_teller(corm_plugin_host *host, void **state, corm_error *err) {
    (void)state, (void)err;
    events_seen = corm_plugin_events(host);
    assert_ptr_equal(corm_plugin_dependency(host, "adder"), seen);
    return CORM_OK;
}

static const corm_plugin teller = { .abi = CORM_PLUGIN_ABI,
                                    .name = "teller",
                                    .version = "1",
                                    .dependencies = { { "adder", NULL, false } },
                                    .initialize = begin_teller };

static void what_they_add_goes_with_them(void **state) {
    (void)state;
    fixture          f = open_set();
    const corm_event event = { .type = "adder.spoke" };
    row              r = { 1 };
    add(&f, &teller), add(&f, &adder);
    assert_ok(corm_plugins_start(f.set, &f.err), f.err);
    assert_ok(corm_insert(f.db, &rows, &r, { .error = &f.err }), f.err);
    assert_ok(corm_events_publish(events_seen, &event, &f.err), f.err);
    assert_int_equal(seen[0], 1);
    assert_true(seen[1] > 0);
    assert_int_equal(seen[2], 1);
    corm_feature_result result = corm_plugins_call(f.set, "adder", "hello", NULL);
    assert_status(result.status, CORM_OK);
    assert_ptr_equal(result.data, seen);
    assert_string_equal(result.metadata[0].value, "hello");
    result = corm_plugins_call(f.set, "teller", "hello", NULL);
    assert_status(result.status, CORM_UNSUPPORTED);
    result = corm_plugins_call(f.set, "nobody", "hello", NULL);
    assert_status(result.status, CORM_NOT_FOUND);
    assert_string_equal(result.error.message, "no plugin 'nobody' has begun");
    corm_plugins_close(f.set);
    int requests = seen[1];
    assert_ok(corm_insert(f.db, &rows, &r, { .error = &f.err }), f.err);
    assert_int_equal(seen[0], 1);
    assert_int_equal(seen[1], requests);
    corm_db_close(f.db);
}

/* ---- what is no plugin ---- */

static void mistakes_are_named(void **state) {
    (void)state;
    fixture     f = open_set();
    corm_plugin wrong = base;
    wrong.abi = 99;
    assert_status(corm_plugins_add(f.set, &wrong, NULL, &f.err), CORM_VERSION);
    assert_string_equal(f.err.message, "a plugin was built for ABI 99, and this library has 1");
    wrong = base;
    wrong.version = "one";
    assert_status(corm_plugins_add(f.set, &wrong, NULL, &f.err), CORM_INVALID_ARGUMENT);
    wrong = middle;
    wrong.dependencies[0].versions = "soon";
    assert_status(corm_plugins_add(f.set, &wrong, NULL, &f.err), CORM_INVALID_ARGUMENT);
    assert_status(corm_plugins_add(f.set, NULL, NULL, &f.err), CORM_INVALID_ARGUMENT);
    assert_status(corm_plugins_load(f.set, "none.so", NULL, &f.err), CORM_NOT_FOUND);
    FILE *file = fopen("text.so", "w");
    assert_non_null(file);
    fputs("no shared object", file);
    fclose(file);
    assert_status(corm_plugins_load(f.set, "./text.so", NULL, &f.err), CORM_IO);
    assert_non_null(strstr(f.err.message, "text.so"));
    close_set(&f);
    corm_plugins_close(NULL);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(ranges_of_versions_hold),
    cmocka_unit_test(they_begin_behind_what_they_need),
    cmocka_unit_test(what_is_missing_is_named),
    cmocka_unit_test(a_failure_takes_back_those_that_had_begun),
    cmocka_unit_test(what_they_add_goes_with_them),
    cmocka_unit_test(mistakes_are_named),
};

RUN_TESTS()
