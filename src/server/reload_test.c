// SPDX-License-Identifier: MIT
/* Other options while the server runs. */
#include "server/client_for_tests.h"
#include "testing/certificates.h"

static const corm_server_user old_users[] = { { "ada", "old" } };
static const corm_server_user new_users[] = { { "ada", "new" }, { "bob", "b" } };

static corm_status log_in(const served *all, const char *login, const char *settings) {
    char          uri[300];
    corm_session *session = NULL;
    snprintf(uri, sizeof uri, "cassandra://%s%s127.0.0.1:%u%s", login, *login ? "@" : "",
             corm_server_port(all->server), settings);
    corm_status status = corm_session_open(&session, uri, NULL, &err);
    if (status == CORM_OK) corm_session_close(session);
    return status;
}

static void users_are_others_from_then_on(void **state) {
    (void)state;
    served all = serve_with((corm_server_options){ .users = old_users, .user_count = 1 });
    corm_server_options next = { .users = new_users, .user_count = 2 };
    assert_ok(log_in(&all, "ada:old", ""), err);
    assert_ok(corm_server_reload(all.server, &next, &err), err);
    for (int i = 0; i < 8; i++) {
        assert_status(log_in(&all, "ada:old", ""), CORM_BAD_CREDENTIALS);
        assert_ok(log_in(&all, "ada:new", ""), err);
        assert_ok(log_in(&all, "bob:b", ""), err);
    }
    stop(&all);
}

static void connections_that_are_there_stay(void **state) {
    (void)state;
    served  all = serve();
    client *c = dial(&all, 5);
    run(c, "SELECT key FROM system.local");
    corm_server_options next = { .max_connections = 1, .users = new_users, .user_count = 2 };
    assert_ok(corm_server_reload(all.server, &next, &err), err);
    run(c, "SELECT key FROM system.local");
    client *other = client_new(&all, 4);
    expect_end(other);
    client_free(other);
    client_free(c);
    stop(&all);
}

/* The limit comes to the loop by its inbox, so that it may take a moment. */
static void limits_hold_for_connections_that_are_there(void **state) {
    (void)state;
    served              all = serve();
    client             *c = dial(&all, 4);
    wire_request        select = query("SELECT key FROM system.local");
    corm_server_options next = { .max_request_bytes = 1, .max_prepared = 7 };
    assert_ok(corm_server_reload(all.server, &next, &err), err);
    while (ask_request(c, &select)->opcode != WIRE_OP_ERROR) continue;
    expect_refusal(&c->frame, CORM_OVERLOADED, "too many bytes");
    assert_ok(corm_server_reload(all.server, NULL, &err), err);
    while (ask_request(c, &select)->opcode == WIRE_OP_ERROR) continue;
    client_free(c);
    stop(&all);
}

static void what_is_wrong_changes_nothing(void **state) {
    (void)state;
    served           all = serve_with((corm_server_options){ .users = old_users, .user_count = 1 });
    corm_server_user nobody = { NULL, "x" };
    corm_server_options wrong[] = {
        { .users = &nobody, .user_count = 1 },
        { .users = new_users, .user_count = 2, .tls_certificate_file = "nowhere.pem" },
        { .users = new_users, .user_count = 2, ._canary = 1 },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_true(corm_server_reload(all.server, &wrong[i], &err) != CORM_OK);
        assert_ok(log_in(&all, "ada:old", ""), err);
    }
    assert_status(corm_server_reload(NULL, NULL, &err), CORM_INVALID_ARGUMENT);
    stop(&all);
}

static void nobody_comes_in_without_a_password_from_elsewhere(void **state) {
    (void)state;
    served all = serve_with(
        (corm_server_options){ .listen = "0.0.0.0", .users = old_users, .user_count = 1 });
    assert_status(corm_server_reload(all.server, NULL, &err), CORM_INVALID_ARGUMENT);
    assert_non_null(strstr(err.message, "nobody is asked for a password"));
    assert_status(log_in(&all, "", ""), CORM_BAD_CREDENTIALS);
    corm_server_options everybody = { .allow_everybody = true };
    assert_ok(corm_server_reload(all.server, &everybody, &err), err);
    assert_ok(log_in(&all, "", ""), err);
    stop(&all);
}

static void certificates_are_read_again(void **state) {
    (void)state;
    testing_authority  *first = testing__authority_new("first", "first.pem");
    testing_authority  *second = testing__authority_new("second", "second.pem");
    corm_server_options options = { .tls_certificate_file = "node.pem",
                                    .tls_key_file = "node.key" };
    testing__certificate(first, "node", "IP:127.0.0.1", 10, "node.pem", "node.key");
    served all = serve_with(options);
    assert_ok(log_in(&all, "", "?tls=true&tls_ca=first.pem"), err);
    testing__certificate(second, "node", "IP:127.0.0.1", 10, "node.pem", "other.key");
    assert_status(corm_server_reload(all.server, &options, &err), CORM_IO);
    assert_non_null(strstr(err.message, "node.key"));
    assert_ok(log_in(&all, "", "?tls=true&tls_ca=first.pem"), err);
    assert_int_equal(rename("other.key", "node.key"), 0);
    assert_ok(corm_server_reload(all.server, &options, &err), err);
    assert_true(log_in(&all, "", "?tls=true&tls_ca=first.pem") != CORM_OK);
    assert_ok(log_in(&all, "", "?tls=true&tls_ca=second.pem"), err);
    assert_status(corm_server_reload(all.server, NULL, &err), CORM_INVALID_ARGUMENT);
    assert_non_null(strstr(err.message, "TLS cannot be switched on or off"));
    testing__authority_free(first);
    testing__authority_free(second);
    stop(&all);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(users_are_others_from_then_on),
    cmocka_unit_test(connections_that_are_there_stay),
    cmocka_unit_test(limits_hold_for_connections_that_are_there),
    cmocka_unit_test(what_is_wrong_changes_nothing),
    cmocka_unit_test(nobody_comes_in_without_a_password_from_elsewhere),
    cmocka_unit_test(certificates_are_read_again),
};

RUN_TESTS()
