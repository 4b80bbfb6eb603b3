// SPDX-License-Identifier: MIT
/* Roles in a store: what lasts, what counts at once, what masks hide, and memory that is short. What each statement answers is in
 * tests/roles. */
#include "engine/auth.h"

#include "engine/core.h"
#include "testing/memory.h"
#include "testing/store.h"

static corm_error err;

/* ---- asking as a role ---- */

static corm_status ask_as(engine *store, const char *role, const char *text, corm_error *error) {
    engine_client client = { .keyspace = "", .role = corm_str_of(role) };
    wire_answer   answer = { 0 };
    wire_request  request = { .kind = WIRE_QUERY,
                              .text = corm_str_of(text),
                              .options.consistency = WIRE_ONE };
    corm_status   status = engine__execute(store, &client, &request, &answer, error);
    wire__answer_free(&answer);
    return status;
}

static void allow_as(engine *store, const char *role, const char *text) {
    assert_ok(ask_as(store, role, text, &err), err);
}

static void refuse_as(engine *store, const char *role, const char *text, const char *words) {
    assert_status(ask_as(store, role, text, &err), CORM_UNAUTHORIZED);
    if (!strstr(err.message, words)) fail_msg("\"%s\" is not in \"%s\"", words, err.message);
}

static void fill(engine *store) {
    engine__set_password_cost(store, 4);
    run(store,
        "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}");
    run(store, "CREATE TABLE k.t (a int PRIMARY KEY, v text, m int MASKED WITH DEFAULT)");
    run(store, "INSERT INTO k.t (a, v, m) VALUES (1, 'x', 7)");
    run(store, "CREATE ROLE u WITH PASSWORD = 'u' AND LOGIN = true");
    run(store, "GRANT SELECT ON k.t TO u");
}

static engine *open_filled(void) {
    engine *store = try_open();
    fill(store);
    return store;
}

/* ---- what lasts ---- */

static engine *open_folder(const char *folder) {
    engine *store = NULL;
    assert_ok(engine__open(&(engine_options){ .path = folder }, &store, &err), err);
    return store;
}

static void roles_last(void **state) {
    (void)state;
    engine *store = open_folder("lasts");
    fill(store);
    engine__close(store);
    store = open_folder("lasts");
    expect(store, "LIST ROLES", "u|False|True|{}|ALL");
    assert_ok(engine__login(store, corm_str_of("u"), corm_str_of("u"), &err), err);
    allow_as(store, "u", "SELECT a FROM k.t");
    refuse_as(store, "u", "DELETE FROM k.t WHERE a = 1", "has no MODIFY permission");
    assert_ok(engine__verify(store, &err), err);
    engine__close(store);
}

static void another_store_on_the_folder_sees_changes_at_once(void **state) {
    (void)state;
    engine *one = open_folder("shared"), *other = open_folder("shared");
    fill(one);
    allow_as(other, "u", "SELECT a FROM k.t");
    run(one, "REVOKE SELECT ON k.t FROM u");
    refuse_as(other, "u", "SELECT a FROM k.t", "has no SELECT permission");
    run(other, "GRANT MODIFY ON KEYSPACE k TO u");
    allow_as(one, "u", "DELETE FROM k.t WHERE a = 5");
    run(one, "DROP ROLE u");
    refuse_as(other, "u", "DELETE FROM k.t WHERE a = 5", "has no MODIFY permission");
    engine__close(one);
    engine__close(other);
}

/* ---- rows of system_auth ---- */

static void rows_that_are_written_count_at_once(void **state) {
    (void)state;
    engine *store = open_filled();
    refuse_as(store, "w", "SELECT a FROM k.t", "has no SELECT permission");
    run(store,
        "INSERT INTO system_auth.roles (role, can_login, is_superuser, salted_hash) VALUES "
        "('w', true, false, '$2a$10$IADixgoP945BNHmfPaQOxOTOTgl1FIwN18.yY2YahMKYM3qVZzk52')");
    assert_ok(engine__login(store, corm_str_of("w"), corm_str_of("u"), &err), err);
    run(store, "INSERT INTO system_auth.role_permissions (role, resource, permissions) VALUES "
               "('w', 'data/k', {'SELECT', 'NO_SUCH_THING'})");
    allow_as(store, "w", "SELECT a FROM k.t");
    run(store, "BEGIN BATCH UPDATE system_auth.roles SET is_superuser = true WHERE role = 'w'; "
               "INSERT INTO k.t (a) VALUES (9); APPLY BATCH");
    allow_as(store, "w", "DROP TABLE k.t");
    run(store, "DELETE FROM system_auth.roles WHERE role = 'w'");
    refuse_as(store, "w", "SELECT * FROM system_auth.roles", "has no SELECT permission");
    assert_ok(engine__verify(store, &err), err);
    engine__close(store);
}

static void a_role_reads_and_writes_them_with_permissions_only(void **state) {
    (void)state;
    engine *store = open_filled();
    refuse_as(store, "u", "SELECT salted_hash FROM system_auth.roles", "has no SELECT permission");
    refuse_as(store, "u", "UPDATE system_auth.roles SET is_superuser = true WHERE role = 'u'",
              "has no MODIFY permission");
    refuse_as(store, "u", "INSERT INTO system.local (key) VALUES ('x')",
              "has no MODIFY permission on <table system.local>");
    engine__close(store);
}

static void damaged_rows_give_nobody_anything(void **state) {
    (void)state;
    engine *store = open_filled();
    run(store, "INSERT INTO system_auth.role_permissions (role, resource, permissions) VALUES "
               "('u', 'nonsense', {'SELECT'})");
    run(store, "INSERT INTO system_auth.role_permissions (role, resource, permissions) VALUES "
               "('u', '', {'SELECT'})");
    run(store, "INSERT INTO system_auth.role_permissions (role, resource) VALUES ('u', 'data')");
    run(store, "UPDATE system_auth.roles SET member_of = {'u', 'gone'} WHERE role = 'u'");
    refuse_as(store, "u", "SELECT * FROM system_auth.roles", "has no SELECT permission");
    expect(store, "LIST ROLES OF u", "u|False|True|{}|ALL");
    engine__close(store);
}

/* ---- the program, and roles that are not there ---- */

static void the_program_may_do_everything_and_sees_everything(void **state) {
    (void)state;
    engine *store = open_filled();
    expect(store, "SELECT m FROM k.t WHERE m = 7 ALLOW FILTERING", "7");
    run(store, "CREATE ROLE s WITH SUPERUSER = true");
    run(store, "ALTER ROLE s WITH SUPERUSER = false");
    run(store, "DROP ROLE s");
    expect(store, "LIST ALL PERMISSIONS", "u|u|<table k.t>|SELECT");
    engine__close(store);
}

static void a_role_that_is_not_there_may_do_nothing(void **state) {
    (void)state;
    engine *store = open_filled();
    refuse_as(store, "ghost", "SELECT * FROM k.t", "User ghost has no SELECT permission");
    refuse_as(store, "ghost", "CREATE ROLE x", "does not have sufficient privileges");
    allow_as(store, "ghost", "SELECT key FROM system.local");
    engine__close(store);
}

static void a_permission_is_asked_for_before_values(void **state) {
    (void)state;
    engine *store = open_filled();
    refuse_as(store, "u", "INSERT INTO k.t (a) VALUES (?)", "has no MODIFY permission");
    assert_status(ask_as(store, "u", "SELECT * FROM k.t WHERE a = ?", &err), CORM_INVALID);
    engine__close(store);
}

static void items_of_a_batch_are_asked_one_by_one(void **state) {
    (void)state;
    engine *store = open_filled();
    run(store, "CREATE TABLE k.other (a int PRIMARY KEY)");
    run(store, "GRANT MODIFY ON k.t TO u");
    wire_batch_item items[] = { { .text = corm_str_of("INSERT INTO k.t (a) VALUES (20)") },
                                { .text = corm_str_of("INSERT INTO k.other (a) VALUES (20)") } };
    wire_request    request = {
           .kind = WIRE_BATCH, .batch_count = 2, .batch = items, .options.consistency = WIRE_ONE
    };
    engine_client client = { .keyspace = "", .role = corm_str_of("u") };
    wire_answer   answer = { 0 };
    assert_status(engine__execute(store, &client, &request, &answer, &err), CORM_UNAUTHORIZED);
    assert_string_equal(err.message,
                        "User u has no MODIFY permission on <table k.other> or any of its parents");
    expect(store, "SELECT * FROM k.t WHERE a = 20", "");
    wire__answer_free(&answer);
    engine__close(store);
}

static void statements_about_roles_are_no_part_of_a_batch(void **state) {
    (void)state;
    engine         *store = open_filled();
    wire_batch_item item = { .text = corm_str_of("CREATE ROLE x") };
    wire_request    request = {
           .kind = WIRE_BATCH, .batch_count = 1, .batch = &item, .options.consistency = WIRE_ONE
    };
    engine_client client = { .keyspace = "" };
    wire_answer   answer = { 0 };
    assert_status(engine__execute(store, &client, &request, &answer, &err), CORM_INVALID);
    wire__answer_free(&answer);
    engine__close(store);
}

/* ---- passwords ---- */

static void a_password_that_fitted_is_looked_at_again_when_it_changed(void **state) {
    (void)state;
    engine *store = open_filled();
    for (int i = 0; i < 3; i++)
        assert_ok(engine__login(store, corm_str_of("u"), corm_str_of("u"), &err), err);
    run(store, "ALTER ROLE u WITH PASSWORD = 'new'");
    assert_status(engine__login(store, corm_str_of("u"), corm_str_of("u"), &err),
                  CORM_BAD_CREDENTIALS);
    assert_ok(engine__login(store, corm_str_of("u"), corm_str_of("new"), &err), err);
    run(store, "ALTER ROLE u WITH LOGIN = false");
    assert_status(engine__login(store, corm_str_of("u"), corm_str_of("new"), &err),
                  CORM_BAD_CREDENTIALS);
    assert_string_equal(err.message, "u is not permitted to log in");
    engine__close(store);
}

static void a_superuser_is_made_once(void **state) {
    (void)state;
    bool     is_there;
    engine  *store = try_open();
    corm_str name = corm_str_of("it's"), password = corm_str_of("'; DROP ROLE x");
    engine__set_password_cost(store, 4);
    assert_ok(engine__has_superuser(store, &is_there, &err), err);
    assert_false(is_there);
    assert_ok(engine__put_superuser(store, name, password, &err), err);
    assert_ok(engine__has_superuser(store, &is_there, &err), err);
    assert_true(is_there);
    assert_ok(engine__login(store, name, password, &err), err);
    cql_schema *before = engine__schema(store);
    assert_ok(engine__put_superuser(store, name, password, &err), err);
    cql_schema *after = engine__schema(store);
    assert_int_equal(before->serial, after->serial);
    cql__schema_unref(before);
    cql__schema_unref(after);
    assert_ok(engine__put_superuser(store, name, corm_str_of("other"), &err), err);
    assert_ok(engine__login(store, name, corm_str_of("other"), &err), err);
    engine__close(store);
}

/* ---- the schema ---- */

static void a_change_of_roles_is_no_change_of_the_schema(void **state) {
    (void)state;
    engine     *store = open_filled();
    cql_schema *before = engine__schema(store);
    run(store, "CREATE ROLE w");
    run(store, "GRANT SELECT ON k.t TO w");
    run(store, "DROP ROLE w");
    cql_schema *after = engine__schema(store);
    assert_true(corm_uuid_equal(before->version, after->version));
    assert_int_equal(after->serial, before->serial + 3);
    assert_ptr_equal(cql__schema_table(before, corm_str_of("k"), corm_str_of("t")),
                     cql__schema_table(after, corm_str_of("k"), corm_str_of("t")));
    cql__schema_unref(before);
    cql__schema_unref(after);
    engine__close(store);
}

static void what_is_dropped_takes_its_grants_along(void **state) {
    (void)state;
    engine *store = open_filled();
    run(store, "GRANT SELECT ON KEYSPACE k TO u");
    run(store, "GRANT CREATE ON ALL FUNCTIONS IN KEYSPACE k TO u");
    run(store, "GRANT ALTER ON ALL TABLES IN KEYSPACE k TO u");
    run(store, "GRANT SELECT ON KEYSPACE system TO u");
    run(store, "DROP TABLE k.t");
    run(store, "CREATE TABLE k.t (a int PRIMARY KEY)");
    expect(store, "LIST SELECT ON k.t NORECURSIVE", "");
    run(store, "DROP KEYSPACE k");
    expect(store, "LIST ALL PERMISSIONS", "u|u|<keyspace system>|SELECT");
    expect(store, "SELECT * FROM system_auth.resource_role_permissons_index", "data/system|u");
    engine__close(store);
}

static void the_tables_of_roles_cannot_be_emptied_or_changed(void **state) {
    (void)state;
    engine *store = open_filled();
    expect_error(store, "TRUNCATE system_auth.roles", CORM_INVALID, "Truncation is not supported");
    expect_error(store, "ALTER TABLE system_auth.roles ADD x int", CORM_UNAUTHORIZED,
                 "Cannot ALTER");
    expect_error(store, "DROP TABLE system_auth.roles", CORM_UNAUTHORIZED, "Cannot DROP");
    engine__close(store);
}

/* ---- memory ---- */

typedef corm_status (*operation)(engine *store, corm_error *error);

static bool try_with(operation op, size_t allowed) {
    corm_error error = { 0 };
    engine    *store = open_filled();
    testing__memory_fail_from(allowed);
    corm_status status = op(store, &error);
    bool        has_failed = testing__memory_has_failed();
    testing__memory_fail_from(SIZE_MAX);
    if (!has_failed) assert_ok(status, error);
    if (status != CORM_OK) assert_status(status, CORM_NO_MEMORY);
    assert_ok(engine__verify(store, &error), error);
    expect(store, "LIST ROLES OF u", NULL);
    engine__close(store);
    return has_failed;
}

static void survives(operation op) {
    if (!testing__memory_can_fail()) skip();
    long live = testing__memory_live();
    for (size_t allowed = 0; try_with(op, allowed); allowed++)
        assert_int_equal(testing__memory_live(), live);
    assert_int_equal(testing__memory_live(), live);
}

static corm_status select_masked(engine *store, corm_error *error) {
    return ask_as(store, "u", "SELECT v, m, m + 1 FROM k.t", error);
}

static corm_status make_role(engine *store, corm_error *error) {
    return ask_as(store, "u", "CREATE ROLE w WITH PASSWORD = 'x'", error) == CORM_UNAUTHORIZED
               ? CORM_OK
               : error->status;
}

static corm_status grant_and_list(engine *store, corm_error *error) {
    CORM_TRY(ask_as(store, "u", "LIST ALL PERMISSIONS OF u", error));
    engine_client program = { .keyspace = "k" };
    wire_answer   answer = { 0 };
    wire_request  request = { .kind = WIRE_QUERY,
                              .text = corm_str_of("GRANT SELECT, MODIFY ON t TO u"),
                              .options.consistency = WIRE_ONE };
    corm_status   status = engine__execute(store, &program, &request, &answer, error);
    wire__answer_free(&answer);
    return status;
}

static corm_status drop_role(engine *store, corm_error *error) {
    engine_client program = { .keyspace = "k" };
    wire_answer   answer = { 0 };
    wire_request  request = { .kind = WIRE_QUERY,
                              .text = corm_str_of("CREATE ROLE w WITH PASSWORD = 'x'"),
                              .options.consistency = WIRE_ONE };
    corm_status   status = engine__execute(store, &program, &request, &answer, error);
    wire__answer_clear(&answer);
    request.text = corm_str_of("GRANT w TO u");
    if (status == CORM_OK) status = engine__execute(store, &program, &request, &answer, error);
    wire__answer_clear(&answer);
    request.text = corm_str_of("DROP ROLE w");
    if (status == CORM_OK) status = engine__execute(store, &program, &request, &answer, error);
    wire__answer_free(&answer);
    return status;
}

static corm_status drop_table(engine *store, corm_error *error) {
    engine_client program = { .keyspace = "k" };
    wire_answer   answer = { 0 };
    wire_request  request = { .kind = WIRE_QUERY,
                              .text = corm_str_of("DROP TABLE t"),
                              .options.consistency = WIRE_ONE };
    corm_status   status = engine__execute(store, &program, &request, &answer, error);
    wire__answer_free(&answer);
    return status;
}

static corm_status log_in(engine *store, corm_error *error) {
    return engine__login(store, corm_str_of("u"), corm_str_of("u"), error);
}

static void reads_of_a_role_survive_without_memory(void **state) {
    (void)state;
    survives(select_masked);
    survives(make_role);
}
static void grants_survive_without_memory(void **state) {
    (void)state;
    survives(grant_and_list);
}
static void drops_survive_without_memory(void **state) {
    (void)state;
    survives(drop_role);
    survives(drop_table);
}
static void logins_survive_without_memory(void **state) {
    (void)state;
    survives(log_in);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(roles_last),
    cmocka_unit_test(another_store_on_the_folder_sees_changes_at_once),
    cmocka_unit_test(rows_that_are_written_count_at_once),
    cmocka_unit_test(a_role_reads_and_writes_them_with_permissions_only),
    cmocka_unit_test(damaged_rows_give_nobody_anything),
    cmocka_unit_test(the_program_may_do_everything_and_sees_everything),
    cmocka_unit_test(a_role_that_is_not_there_may_do_nothing),
    cmocka_unit_test(a_permission_is_asked_for_before_values),
    cmocka_unit_test(items_of_a_batch_are_asked_one_by_one),
    cmocka_unit_test(statements_about_roles_are_no_part_of_a_batch),
    cmocka_unit_test(a_password_that_fitted_is_looked_at_again_when_it_changed),
    cmocka_unit_test(a_superuser_is_made_once),
    cmocka_unit_test(a_change_of_roles_is_no_change_of_the_schema),
    cmocka_unit_test(what_is_dropped_takes_its_grants_along),
    cmocka_unit_test(the_tables_of_roles_cannot_be_emptied_or_changed),
    cmocka_unit_test(reads_of_a_role_survive_without_memory),
    cmocka_unit_test(grants_survive_without_memory),
    cmocka_unit_test(drops_survive_without_memory),
    cmocka_unit_test(logins_survive_without_memory),
};

RUN_TESTS()
