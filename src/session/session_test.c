// SPDX-License-Identifier: MIT
#include "session/core.h"

#include "testing/check.h"
#include "testing/script.h"

#define CREATE_SHOP                                                                                \
    "CREATE KEYSPACE IF NOT EXISTS \"Shop\" WITH replication = {'class': 'SimpleStrategy', "       \
    "'replication_factor': 1}"

static const testing_line lines[] = {
    { .text = CREATE_SHOP },
    { .text = "SELECT 1" },
    { 0 },
};

static corm_status open_with(testing_script *script, const corm_session_options *options,
                             corm_session **out, corm_error *err) {
    testing_door *door =
        testing__door_new(testing__script, script, TESTING_AT_ONCE, &script->counts);
    return session__open_door(testing__door(door), options, out, err);
}

static void a_session_without_options_has_no_keyspace(void **state) {
    (void)state;
    testing_script script = TESTING_SCRIPT(lines);
    corm_session  *session;
    corm_error     err;
    assert_ok(open_with(&script, NULL, &session, &err), err);
    assert_string_equal(corm_session_keyspace(session), "");
    assert_int_equal(script.counts.executed, 0);
    assert_null(session__schema(session));
    corm_session_close(session);
    assert_int_equal(script.counts.closed, 1);
    corm_session_close(NULL);
}

static void a_keyspace_is_used_when_it_exists(void **state) {
    (void)state;
    testing_script script = TESTING_SCRIPT(lines);
    corm_session  *session;
    corm_error     err;
    assert_ok(open_with(&script, &(corm_session_options){ .keyspace = "shop" }, &session, &err),
              err);
    assert_string_equal(script.seen, "QUERY USE shop");
    assert_string_equal(corm_session_keyspace(session), "shop");
    corm_session_close(session);
}

static void a_missing_keyspace_fails_the_opening(void **state) {
    (void)state;
    testing_script       script = TESTING_SCRIPT(lines);
    corm_session        *session;
    corm_error           err;
    corm_session_options options = { .keyspace = "missing" };
    assert_status(open_with(&script, &options, &session, &err), CORM_INVALID);
    assert_null(session);
    assert_string_equal(err.message, "Keyspace 'missing' does not exist");
    assert_int_equal(script.counts.closed, 1);
}

static void a_keyspace_is_made_on_request_with_its_exact_name(void **state) {
    (void)state;
    testing_script       script = TESTING_SCRIPT(lines);
    corm_session        *session;
    corm_error           err;
    corm_session_options options = { .keyspace = "Shop", .create_keyspace = true };
    assert_ok(open_with(&script, &options, &session, &err), err);
    assert_int_equal(script.counts.executed, 2);
    assert_string_equal(script.seen, "QUERY USE \"Shop\"");
    assert_string_equal(corm_session_keyspace(session), "Shop");
    corm_session_close(session);
    options.read_only = true;
    assert_ok(open_with(&script, &options, &session, &err), err);
    assert_int_equal(script.counts.executed, 3);
    corm_session_close(session);
}

static void use_changes_the_keyspace_and_old_names_stay_readable(void **state) {
    (void)state;
    testing_script           script = TESTING_SCRIPT(lines);
    corm_session            *session = testing__scripted_session(&script);
    corm_error               err;
    const char              *names[3];
    static const char *const texts[] = { "USE a", "USE b", "USE a" };
    for (int i = 0; i < 3; i++) {
        assert_ok(
            corm_execute_with(session, texts[i], &(corm_execute_options){ .error = &err }, NULL),
            err);
        names[i] = corm_session_keyspace(session);
    }
    assert_string_equal(names[0], "a");
    assert_string_equal(names[1], "b");
    assert_ptr_equal(names[2], names[0]);
    assert_ok(corm_execute(session, "SELECT 1", NULL, { .error = &err }), err);
    assert_string_equal(script.keyspace, "a");
    corm_session_close(session);
}

static void options_out_of_range_are_refused_and_the_door_is_closed(void **state) {
    (void)state;
    testing_script             script = TESTING_SCRIPT(lines);
    corm_session              *session;
    corm_error                 err;
    const corm_session_options bad[] = { { ._canary = 1 },
                                         { .consistency = (corm_consistency)40 },
                                         { .page_size = UINT32_MAX } };
    for (int i = 0; i < 3; i++) {
        assert_status(open_with(&script, &bad[i], &session, &err), CORM_INVALID_ARGUMENT);
        assert_null(session);
        assert_int_equal(script.counts.closed, i + 1);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_session_without_options_has_no_keyspace),
    cmocka_unit_test(a_keyspace_is_used_when_it_exists),
    cmocka_unit_test(a_missing_keyspace_fails_the_opening),
    cmocka_unit_test(a_keyspace_is_made_on_request_with_its_exact_name),
    cmocka_unit_test(use_changes_the_keyspace_and_old_names_stay_readable),
    cmocka_unit_test(options_out_of_range_are_refused_and_the_door_is_closed),
};

RUN_TESTS()
