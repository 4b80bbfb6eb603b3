// SPDX-License-Identifier: MIT
/* Roles of the store as clients of a server: logging in, what they may do, who is there at first. */
#include "server/client_for_tests.h"

#include "base/text.h"
#include "engine/engine.h"
#include "session/door.h"

static served serve_roles(corm_server_options options) {
    options.auth = true;
    if (options.user_count == 0) options.default_user = true;
    return serve_with(options);
}

static const corm_server_user admins[] = { { "admin", "admin" } };

static served serve_admin(void) {
    served all =
        serve_with((corm_server_options){ .users = admins, .user_count = 1, .auth = true });
    engine__set_password_cost(session__store(all.session), 4);
    return all;
}

static void send_password(client *c, const char *name, const char *password) {
    base_buf body = { 0 }, token = { 0 };
    assert_int_equal(startup(c, NULL)->opcode, WIRE_OP_AUTHENTICATE);
    switch_form(c, WIRE_PLAIN);
    base__buf_u8(&token, 0);
    base__buf_puts(&token, name);
    base__buf_u8(&token, 0);
    base__buf_puts(&token, password);
    wire__put_bytes(&body, base__buf_bytes(&token));
    put_message(c, 7, WIRE_OP_AUTH_RESPONSE, &body);
    send_all(c);
    base__buf_free(&body);
    base__buf_free(&token);
}

/* The opcode of the answer to a password. */
static const wire_frame *log_in(client *c, const char *name, const char *password) {
    send_password(c, name, password);
    assert_true(next_frame(c));
    assert_int_equal(c->frame.stream, 7);
    return &c->frame;
}

static client *client_as(served *all, const char *name, const char *password) {
    client *c = client_new(all, 4);
    assert_int_equal(log_in(c, name, password)->opcode, WIRE_OP_AUTH_SUCCESS);
    return c;
}

static void expect_no_login(served *all, const char *name, const char *password, const char *why) {
    client *c = client_new(all, 4);
    expect_refusal(log_in(c, name, password), CORM_BAD_CREDENTIALS, why);
    expect_end(c);
    client_free(c);
}

static void expect_refused(client *c, const char *text, corm_status status, const char *words) {
    wire_request request = query(text);
    expect_refusal(ask_request(c, &request), status, words);
}

static void the_default_user_may_do_everything(void **state) {
    (void)state;
    served  all = serve_roles((corm_server_options){ 0 });
    client *c = client_as(&all, "cassandra", "cassandra");
    make_table(c);
    run(c, "CREATE ROLE ada WITH PASSWORD = 'x' AND LOGIN = true");
    client_free(c);
    expect_no_login(&all, "cassandra", "Cassandra", "and/or password are incorrect");
    stop(&all);
}

static void a_role_does_what_it_has_permissions_for(void **state) {
    (void)state;
    served  all = serve_admin();
    client *admin = client_as(&all, "admin", "admin");
    make_table(admin);
    run(admin, "CREATE ROLE ada WITH PASSWORD = 'x' AND LOGIN = true");
    client *ada = client_as(&all, "ada", "x");
    run(ada, "SELECT key FROM system.local");
    expect_refused(ada, "SELECT * FROM k.t", CORM_UNAUTHORIZED,
                   "User ada has no SELECT permission on <table k.t> or any of its parents");
    run(admin, "GRANT SELECT ON KEYSPACE k TO ada");
    run(ada, "SELECT * FROM k.t");
    expect_refused(ada, "INSERT INTO k.t (a) VALUES (1)", CORM_UNAUTHORIZED,
                   "User ada has no MODIFY permission on <table k.t> or any of its parents");
    run(admin, "REVOKE SELECT ON KEYSPACE k FROM ada");
    expect_refused(ada, "SELECT * FROM k.t", CORM_UNAUTHORIZED, "has no SELECT permission");
    client_free(ada);
    client_free(admin);
    stop(&all);
}

/* A group for each of these ranges; the narrowest that an address is in counts. */
static void make_groups(client *admin) {
    run(admin, "INSERT INTO system_auth.cidr_groups (cidr_group, cidrs) VALUES ('home', "
               "{('127.0.0.1', 32), ('::1', 128)})");
    run(admin, "INSERT INTO system_auth.cidr_groups (cidr_group, cidrs) VALUES ('near', "
               "{('127.0.0.0', 9)})");
    run(admin, "INSERT INTO system_auth.cidr_groups (cidr_group, cidrs) VALUES ('far', "
               "{('10.0.0.0', 8), ('127.128.0.0', 9)})");
}

static void a_role_comes_from_the_addresses_that_it_may_come_from(void **state) {
    (void)state;
    const char *refusal = "You do not have access from this IP 127.0.0.1";
    served      all = serve_admin();
    client     *admin = client_as(&all, "admin", "admin");
    make_groups(admin);
    run(admin,
        "CREATE ROLE ada WITH PASSWORD = 'x' AND LOGIN = true AND ACCESS FROM CIDRS {'far'}");
    client *ada = client_as(&all, "ada", "x");
    expect_refused(ada, "SELECT key FROM system.local", CORM_UNAUTHORIZED, refusal);
    expect_refused(ada, "USE system", CORM_UNAUTHORIZED, refusal);
    expect_refused(ada, "LIST ROLES", CORM_UNAUTHORIZED, refusal);
    expect_refused(ada, "ALTER ROLE ada WITH PASSWORD = 'y'", CORM_UNAUTHORIZED, refusal);
    run(admin, "ALTER ROLE ada WITH ACCESS FROM CIDRS {'far', 'home'}");
    run(ada, "SELECT key FROM system.local");
    run(admin, "ALTER ROLE ada WITH ACCESS FROM CIDRS {'near'}");
    expect_refused(ada, "SELECT key FROM system.local", CORM_UNAUTHORIZED, refusal);
    run(admin, "DELETE FROM system_auth.cidr_groups WHERE cidr_group = 'home'");
    run(ada, "SELECT key FROM system.local");
    run(admin, "ALTER ROLE ada WITH ACCESS FROM CIDRS {'far'} AND SUPERUSER = true");
    run(ada, "SELECT key FROM system.local");
    run(admin, "ALTER ROLE ada WITH ACCESS FROM ALL CIDRS AND SUPERUSER = false");
    run(ada, "SELECT key FROM system.local");
    client_free(ada);
    client_free(admin);
    stop(&all);
}

static void a_role_of_other_datacenters_has_no_access(void **state) {
    (void)state;
    served  all = serve_admin();
    client *admin = client_as(&all, "admin", "admin");
    run(admin, "CREATE ROLE ada WITH PASSWORD = 'x' AND LOGIN = true AND ACCESS TO DATACENTERS "
               "{'datacenter1'}");
    client *ada = client_as(&all, "ada", "x");
    run(ada, "SELECT key FROM system.local");
    run(admin, "UPDATE system_auth.network_permissions SET dcs = {'east'} WHERE role = 'ada'");
    expect_refused(ada, "SELECT key FROM system.local", CORM_UNAUTHORIZED,
                   "You do not have access to this datacenter (datacenter1)");
    run(admin, "ALTER ROLE ada WITH ACCESS TO ALL DATACENTERS");
    run(ada, "SELECT key FROM system.local");
    client_free(ada);
    client_free(admin);
    stop(&all);
}

static void prepared_statements_are_looked_at_at_each_execution(void **state) {
    (void)state;
    base_arena   arena = { 0 };
    served       all = serve_admin();
    client      *admin = client_as(&all, "admin", "admin");
    wire_request execute = { .kind = WIRE_EXECUTE, .options = { .consistency = WIRE_ONE } };
    make_table(admin);
    run(admin, "CREATE ROLE ada WITH PASSWORD = 'x' AND LOGIN = true");
    client *ada = client_as(&all, "ada", "x");
    prepare(ada, "SELECT b FROM k.t WHERE a = 1", &arena);
    expect_refusal(ask_request(ada, &execute), CORM_UNAUTHORIZED, "has no SELECT permission");
    run(admin, "GRANT SELECT ON k.t TO ada");
    assert_int_equal(ask_request(ada, &execute)->opcode, WIRE_OP_RESULT);
    run(admin, "REVOKE SELECT ON k.t FROM ada");
    expect_refusal(ask_request(ada, &execute), CORM_UNAUTHORIZED, "has no SELECT permission");
    prepare(ada, "INSERT INTO k.t (a, b) VALUES (2, 'y')", &arena);
    expect_refusal(ask_request(ada, &execute), CORM_UNAUTHORIZED, "has no MODIFY permission");
    run(admin, "GRANT MODIFY ON k.t TO ada");
    assert_int_equal(ask_request(ada, &execute)->opcode, WIRE_OP_RESULT);
    base__arena_free(&arena);
    client_free(ada);
    client_free(admin);
    stop(&all);
}

static void a_new_password_counts_at_once(void **state) {
    (void)state;
    served  all = serve_admin();
    client *admin = client_as(&all, "admin", "admin");
    run(admin, "CREATE ROLE ada WITH PASSWORD = 'x' AND LOGIN = true");
    client_free(client_as(&all, "ada", "x"));
    client_free(client_as(&all, "ada", "x"));
    run(admin, "ALTER ROLE ada WITH PASSWORD = 'y'");
    expect_no_login(&all, "ada", "x", "Provided username ada and/or password are incorrect");
    client *ada = client_as(&all, "ada", "y");
    run(ada, "ALTER ROLE ada WITH PASSWORD = 'z'");
    client_free(ada);
    client_free(client_as(&all, "ada", "z"));
    client_free(admin);
    stop(&all);
}

static void a_wrong_password_is_never_taken(void **state) {
    (void)state;
    served  all = serve_admin();
    client *admin = client_as(&all, "admin", "admin");
    run(admin, "CREATE ROLE ada WITH PASSWORD = 'x' AND LOGIN = true");
    for (int i = 0; i < 15; i++)
        expect_no_login(&all, "ada", "y", "Provided username ada and/or password are incorrect");
    client_free(client_as(&all, "ada", "x"));
    client_free(admin);
    stop(&all);
}

static void who_may_not_log_in_is_told_so(void **state) {
    (void)state;
    served  all = serve_admin();
    client *admin = client_as(&all, "admin", "admin");
    run(admin, "CREATE ROLE group1 WITH PASSWORD = 'x'");
    run(admin, "CREATE ROLE keyless WITH LOGIN = true");
    expect_no_login(&all, "group1", "x", "group1 is not permitted to log in");
    expect_no_login(&all, "keyless", "", "Provided username keyless and/or password are incorrect");
    expect_no_login(&all, "nobody", "x", "Provided username nobody and/or password are incorrect");
    client_free(admin);
    stop(&all);
}

static void a_dropped_role_may_do_nothing_any_more(void **state) {
    (void)state;
    served  all = serve_admin();
    client *admin = client_as(&all, "admin", "admin");
    make_table(admin);
    run(admin, "CREATE ROLE ada WITH PASSWORD = 'x' AND LOGIN = true AND SUPERUSER = true");
    client *ada = client_as(&all, "ada", "x");
    run(ada, "SELECT * FROM k.t");
    run(admin, "DROP ROLE ada");
    expect_refused(ada, "SELECT * FROM k.t", CORM_UNAUTHORIZED,
                   "User ada has no SELECT permission");
    run(ada, "SELECT key FROM system.local");
    expect_no_login(&all, "ada", "x", "and/or password are incorrect");
    client_free(ada);
    client_free(admin);
    stop(&all);
}

/* All at once, and of a role whose hash is cheap: failures are forgiven one by one as time goes by. */
static void many_wrong_passwords_close_the_door_for_a_while(void **state) {
    (void)state;
    enum { MOST = 60 };
    served  all = serve_admin();
    client *clients[MOST], *admin = client_as(&all, "admin", "admin");
    run(admin, "CREATE ROLE ada WITH PASSWORD = 'x' AND LOGIN = true");
    client_free(admin);
    for (int i = 0; i < MOST; i++) {
        clients[i] = client_new(&all, 4);
        send_password(clients[i], "ada", "wrong");
    }
    for (int i = 0; i < MOST; i++) {
        assert_true(next_frame(clients[i]));
        client_free(clients[i]);
    }
    expect_no_login(&all, "admin", "admin", "Too many failed logins");
    stop(&all);
}

static corm_status start_on(corm_session *session, corm_server_options options) {
    corm_server *server;
    options.port = CORM_ANY_PORT;
    corm_status status = corm_server_start(&server, session, &options, &err);
    if (status == CORM_OK) corm_server_stop(server);
    return status;
}

static void somebody_must_be_able_to_log_in(void **state) {
    (void)state;
    corm_session *session;
    assert_ok(corm_session_open(&session, "corm::memory:", NULL, &err), err);
    engine__set_password_cost(session__store(session), 4);
    assert_status(start_on(session, (corm_server_options){ .auth = true }), CORM_INVALID_ARGUMENT);
    assert_non_null(strstr(err.message, "no role that could log in"));
    assert_ok(corm_execute(session, "CREATE ROLE ada WITH PASSWORD = 'x' AND SUPERUSER = true",
                           NULL, { .error = &err }),
              err);
    assert_status(start_on(session, (corm_server_options){ .auth = true }), CORM_INVALID_ARGUMENT);
    assert_ok(corm_execute(session, "ALTER ROLE ada WITH LOGIN = true", NULL, { .error = &err }),
              err);
    assert_ok(start_on(session, (corm_server_options){ .auth = true }), err);
    assert_ok(start_on(session, (corm_server_options){ .auth = true, .listen = "0.0.0.0" }), err);
    corm_session_close(session);
}

static void the_default_user_is_for_loopback_and_for_stores_without_another(void **state) {
    (void)state;
    corm_session       *session;
    corm_server_options everywhere = { .default_user = true, .listen = "0.0.0.0" };
    assert_ok(corm_session_open(&session, "corm::memory:", NULL, &err), err);
    engine *store = session__store(session);
    engine__set_password_cost(store, 4);
    assert_status(start_on(session, everywhere), CORM_INVALID_ARGUMENT);
    assert_non_null(strstr(err.message, "everybody knows the password"));
    assert_ok(engine__put_superuser(store, corm_str_of("o'neil"), corm_str_of("it's"), &err), err);
    assert_ok(start_on(session, (corm_server_options){ .default_user = true }), err);
    assert_ok(engine__login(store, corm_str_of("o'neil"), corm_str_of("it's"), &err), err);
    assert_status(engine__login(store, corm_str_of("cassandra"), corm_str_of("cassandra"), &err),
                  CORM_BAD_CREDENTIALS);
    corm_session_close(session);
}

static void the_own_driver_logs_in_as_a_role(void **state) {
    (void)state;
    char          uri[120];
    corm_session *session;
    served        all = serve_admin();
    client       *admin = client_as(&all, "admin", "admin");
    run(admin, "CREATE ROLE ada WITH PASSWORD = 'x' AND LOGIN = true");
    snprintf(uri, sizeof uri, "cassandra://ada:x@127.0.0.1:%u", corm_server_port(all.server));
    assert_ok(corm_session_open(&session, uri, NULL, &err), err);
    assert_ok(corm_execute(session, "LIST ROLES", NULL, { .error = &err }), err);
    assert_status(corm_execute(session, "CREATE ROLE eve", NULL, { .error = &err }),
                  CORM_UNAUTHORIZED);
    corm_session_close(session);
    snprintf(uri, sizeof uri, "cassandra://ada:wrong@127.0.0.1:%u", corm_server_port(all.server));
    assert_status(corm_session_open(&session, uri, NULL, &err), CORM_BAD_CREDENTIALS);
    client_free(admin);
    stop(&all);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_default_user_may_do_everything),
    cmocka_unit_test(a_role_does_what_it_has_permissions_for),
    cmocka_unit_test(a_role_comes_from_the_addresses_that_it_may_come_from),
    cmocka_unit_test(a_role_of_other_datacenters_has_no_access),
    cmocka_unit_test(prepared_statements_are_looked_at_at_each_execution),
    cmocka_unit_test(a_new_password_counts_at_once),
    cmocka_unit_test(a_wrong_password_is_never_taken),
    cmocka_unit_test(who_may_not_log_in_is_told_so),
    cmocka_unit_test(a_dropped_role_may_do_nothing_any_more),
    cmocka_unit_test(many_wrong_passwords_close_the_door_for_a_while),
    cmocka_unit_test(somebody_must_be_able_to_log_in),
    cmocka_unit_test(the_default_user_is_for_loopback_and_for_stores_without_another),
    cmocka_unit_test(the_own_driver_logs_in_as_a_role),
};

RUN_TESTS()
