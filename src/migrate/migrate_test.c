// SPDX-License-Identifier: MIT
/* Migrations through every door: the calls of corm/migrate.h on a fresh keyspace. */
#include "corm/migrate.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "testing/doors.h"

typedef struct world {
    corm_session  *session;
    corm_migrator *migrator;
    corm_error     err;
} world;

static world *open_world(void) {
    static world w;
    w = (world){ .session = testing__open("evolve") };
    assert_ok(corm_migrator_open(&w.migrator, w.session, NULL, &w.err), w.err);
    return &w;
}

static void close_world(world *w) {
    corm_migrator_close(w->migrator);
    corm_session_close(w->session);
}

/* The same program started again: its changesets are added anew. */
static void restart(world *w) {
    corm_migrator_close(w->migrator);
    assert_ok(corm_migrator_open(&w->migrator, w->session, NULL, &w->err), w->err);
}

static void add(world *w, const corm_changeset *changeset) {
    assert_ok(corm_migrator_add(w->migrator, changeset, &w->err), w->err);
}

static corm_status up_with(world *w, corm_migrate_options options, uint32_t *applied) {
    corm_migration_list *report = NULL;
    options.error = &w->err;
    corm_status status = corm_migrator_up(w->migrator, &report, &options);
    if (applied) *applied = report ? report->count : 0;
    corm_migration_list_free(report);
    return status;
}

static void up(world *w, uint32_t expected) {
    uint32_t applied;
    assert_ok(up_with(w, (corm_migrate_options){ .to = NULL }, &applied), w->err);
    assert_int_equal(applied, expected);
}

static corm_status down_with(world *w, corm_migrate_options options) {
    options.error = &w->err;
    return corm_migrator_down(w->migrator, NULL, &options);
}

static void run(world *w, const char *cql) {
    assert_ok(corm_execute(w->session, cql, NULL, { .error = &w->err }), w->err);
}

static bool works(world *w, const char *cql) {
    return corm_execute(w->session, cql, NULL, { .error = &w->err }) == CORM_OK;
}

static corm_migration_info status_of(world *w, const char *id) {
    static char          failure[512], name[64];
    corm_migration_list *list;
    corm_migration_info  found = { 0 };
    assert_ok(corm_migrator_status(w->migrator, &list, &w->err), w->err);
    for (uint32_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i].id, id) != 0) continue;
        found = list->items[i];
        snprintf(failure, sizeof failure, "%s", found.failure ? found.failure : "");
        snprintf(name, sizeof name, "%s", found.id);
        found.failure = failure;
        found.id = name;
        found.description = found.host = NULL;
    }
    corm_migration_list_free(list);
    return found;
}

/* ---- up ---- */

static const corm_changeset make_users = {
    .id = "001_users",
    .description = "Users",
    .up = { CORM_CREATE_TABLE("users", "id int PRIMARY KEY, name text", "comment = 'people'"),
            CORM_CREATE_TYPE("address", "street text") },
};

static corm_status preferences_are_there(corm_session *session, void *context, corm_error *err) {
    ++*(int *)context;
    return corm_execute(session, "SELECT preferences FROM users", NULL, { .error = err });
}
static int validations;

static const corm_changeset add_preferences = {
    .id = "002_add_user_preferences",
    .description = "Add preferences column",
    .up = { CORM_ADD_COLUMN("users", "preferences", "map<text, text>"),
            CORM_CREATE_INDEX("users_prefs_idx", "users", "preferences"),
            CORM_CQL("INSERT INTO users (id, preferences) VALUES (1, {'a': 'b'})") },
    .down = { CORM_DROP_INDEX("users_prefs_idx"), CORM_DROP_COLUMN("users", "preferences") },
    .validate = preferences_are_there,
    .context = &validations,
};

static void migrations_are_applied_once_and_in_order(void **state) {
    (void)state;
    world *w = open_world();
    validations = 0;
    add(w, &add_preferences);
    add(w, &make_users);
    up(w, 2);
    assert_true(works(w, "SELECT * FROM users WHERE preferences CONTAINS 'b'"));
    assert_int_equal(validations, 1);
    up(w, 0);
    assert_int_equal(status_of(w, "001_users").state, CORM_MIGRATION_APPLIED);
    assert_int_equal(status_of(w, "002_add_user_preferences").steps, 3);
    assert_true(status_of(w, "002_add_user_preferences").finished_at.ms > 0);
    close_world(w);
}

static void a_target_ends_the_way_up(void **state) {
    (void)state;
    world *w = open_world();
    add(w, &make_users);
    add(w, &add_preferences);
    assert_ok(up_with(w, (corm_migrate_options){ .to = "001_users" }, NULL), w->err);
    assert_int_equal(status_of(w, "002_add_user_preferences").state, CORM_MIGRATION_PENDING);
    assert_status(up_with(w, (corm_migrate_options){ .to = "003" }, NULL), CORM_NOT_FOUND);
    close_world(w);
}

static void what_would_fail_is_told_before_anything_is_done(void **state) {
    (void)state;
    static const corm_changeset wrong = {
        .id = "003_wrong",
        .up = { CORM_ADD_COLUMN("users", "age", "int"), CORM_DROP_INDEX("nothing") },
    };
    world *w = open_world();
    add(w, &make_users);
    add(w, &wrong);
    assert_status(up_with(w, (corm_migrate_options){ .to = NULL }, NULL), CORM_VALIDATION);
    assert_string_equal(
        w->err.message,
        "migration 003_wrong, up[1]: DROP INDEX nothing would fail: Index 'evolve.nothing' "
        "doesn't exist'");
    assert_int_equal(status_of(w, "001_users").state, CORM_MIGRATION_PENDING);
    assert_false(works(w, "SELECT * FROM users"));
    close_world(w);
}

static void losing_data_must_be_allowed(void **state) {
    (void)state;
    static const corm_changeset drop = { .id = "002_drop",
                                         .up = { CORM_DROP_COLUMN("users", "name") } };
    world                      *w = open_world();
    add(w, &make_users);
    add(w, &drop);
    assert_status(up_with(w, (corm_migrate_options){ .to = NULL }, NULL), CORM_VALIDATION);
    assert_string_equal(w->err.message,
                        "migration 002_drop, up[0]: it drops a column of table users; say "
                        "that it may (allow_destructive) if it is meant");
    assert_ok(up_with(w, (corm_migrate_options){ .allow_destructive = true }, NULL), w->err);
    assert_false(works(w, "SELECT name FROM users"));
    close_world(w);
}

static void a_dry_run_does_nothing(void **state) {
    (void)state;
    world               *w = open_world();
    corm_migration_list *report;
    add(w, &make_users);
    corm_migrate_options dry = { .dry_run = true, .error = &w->err };
    assert_ok(corm_migrator_up(w->migrator, &report, &dry), w->err);
    assert_int_equal(report->count, 1);
    assert_string_equal(report->items[0].id, "001_users");
    assert_int_equal(report->items[0].state, CORM_MIGRATION_PENDING);
    corm_migration_list_free(report);
    assert_false(works(w, "SELECT * FROM users"));
    assert_false(works(w, "SELECT * FROM corm_migrations"));
    close_world(w);
}

static void the_plan_is_a_script(void **state) {
    (void)state;
    static const corm_changeset drop = { .id = "003_drop",
                                         .description = "No names",
                                         .up = { CORM_DROP_COLUMN("users", "name"),
                                                 CORM_CALL(preferences_are_there, &validations) } };
    world                      *w = open_world();
    char                       *plan;
    add(w, &make_users);
    add(w, &drop);
    up_with(w, (corm_migrate_options){ .to = "001_users" }, NULL);
    assert_ok(corm_migrator_plan(w->migrator, &plan, NULL), w->err);
    assert_string_equal(plan, "-- 003_drop: No names\n"
                              "-- destructive: drops a column of table users\n"
                              "ALTER TABLE users DROP name;\n"
                              "-- (a function of the program)\n");
    free(plan);
    close_world(w);
}

/* ---- failing, and going on ---- */

static corm_status fail_once(corm_session *session, void *context, corm_error *err) {
    (void)session;
    int *times = context;
    if (++*times > 1) return CORM_OK;
    snprintf(err->message, sizeof err->message, "not today");
    return err->status = CORM_IO;
}

static void a_failed_migration_is_resumed_where_it_stopped(void **state) {
    (void)state;
    static int                  times;
    static const corm_changeset fails = {
        .id = "002_fails",
        .up = { CORM_ADD_COLUMN("users", "a", "int"), CORM_CALL(fail_once, &times),
                CORM_ADD_COLUMN("users", "b", "int") },
    };
    world *w = open_world();
    times = 0;
    add(w, &make_users);
    add(w, &fails);
    assert_status(up_with(w, (corm_migrate_options){ .to = NULL }, NULL), CORM_IO);
    assert_string_equal(w->err.message, "migration 002_fails, up[1]: not today");
    corm_migration_info info = status_of(w, "002_fails");
    assert_int_equal(info.state, CORM_MIGRATION_APPLYING);
    assert_int_equal(info.step, 1);
    assert_string_equal(info.failure, "migration 002_fails, up[1]: not today");
    up(w, 1);
    assert_int_equal(times, 2);
    assert_true(works(w, "SELECT a, b FROM users"));
    assert_string_equal(status_of(w, "002_fails").failure, "");
    close_world(w);
}

static void other_hands_are_noticed_when_a_migration_goes_on(void **state) {
    (void)state;
    static const corm_changeset fails = {
        .id = "002_fails",
        .up = { CORM_ADD_COLUMN("users", "a", "int"),
                CORM_CQL("INSERT INTO users (id, missing) VALUES (1, 1)") },
    };
    world *w = open_world();
    add(w, &make_users);
    add(w, &fails);
    assert_status(up_with(w, (corm_migrate_options){ .to = NULL }, NULL), CORM_INVALID);
    run(w, "ALTER TABLE users ADD c int");
    assert_status(up_with(w, (corm_migrate_options){ .to = NULL }, NULL), CORM_SCHEMA_MISMATCH);
    run(w, "ALTER TABLE users DROP c");
    assert_status(up_with(w, (corm_migrate_options){ .to = NULL }, NULL), CORM_INVALID);
    assert_int_equal(status_of(w, "002_fails").step, 1);
    close_world(w);
}

static corm_status add_column(corm_session *session, void *context, corm_error *err) {
    (void)context;
    return corm_execute(session, "ALTER TABLE users ADD called int", NULL, { .error = err });
}

static void what_a_function_did_to_the_schema_is_known_when_a_migration_goes_on(void **state) {
    (void)state;
    static int                  times;
    static const corm_changeset fails = {
        .id = "002_fails",
        .up = { CORM_CALL(add_column, NULL), CORM_ADD_COLUMN("users", "a", "int"),
                CORM_CALL(fail_once, &times), CORM_ADD_COLUMN("users", "b", "int") },
    };
    world *w = open_world();
    times = 0;
    add(w, &make_users);
    add(w, &fails);
    assert_status(up_with(w, (corm_migrate_options){ .to = NULL }, NULL), CORM_IO);
    up(w, 1);
    assert_true(works(w, "SELECT called, a, b FROM users"));
    close_world(w);
}

/* What is done must stay as it was, what is to be done may be mended. */
static void a_failed_migration_may_be_mended(void **state) {
    (void)state;
    static int                  times;
    static const corm_changeset fails = { .id = "002_fails",
                                          .up = { CORM_ADD_COLUMN("users", "a", "int"),
                                                  CORM_CALL(fail_once, &times) } };
    static const corm_changeset mended = { .id = "002_fails",
                                           .up = { CORM_ADD_COLUMN("users", "a", "int"),
                                                   CORM_ADD_COLUMN("users", "b", "int") } };
    static const corm_changeset other = { .id = "002_fails",
                                          .up = { CORM_ADD_COLUMN("users", "z", "int"),
                                                  CORM_ADD_COLUMN("users", "b", "int") } };
    world                      *w = open_world();
    times = 0;
    add(w, &make_users);
    add(w, &fails);
    assert_status(up_with(w, (corm_migrate_options){ .to = NULL }, NULL), CORM_IO);
    restart(w);
    add(w, &make_users);
    add(w, &other);
    assert_status(up_with(w, (corm_migrate_options){ .to = NULL }, NULL), CORM_SCHEMA_MISMATCH);
    restart(w);
    add(w, &make_users);
    add(w, &mended);
    up(w, 1);
    assert_true(works(w, "SELECT a, b FROM users"));
    assert_false(status_of(w, "002_fails").changed);
    close_world(w);
}

static void a_changed_migration_is_refused(void **state) {
    (void)state;
    static const corm_changeset changed = {
        .id = "001_users",
        .up = { CORM_CREATE_TABLE("users", "id int PRIMARY KEY, name text, age int", NULL) }
    };
    world *w = open_world();
    char  *drift;
    add(w, &make_users);
    up(w, 1);
    restart(w);
    add(w, &changed);
    assert_status(up_with(w, (corm_migrate_options){ .to = NULL }, NULL), CORM_SCHEMA_MISMATCH);
    assert_true(status_of(w, "001_users").changed);
    assert_ok(corm_migrator_verify(w->migrator, &drift, &w->err), w->err);
    assert_string_equal(drift, "-- migration 001_users was changed after it had been applied\n");
    free(drift);
    close_world(w);
}

static void a_migration_that_comes_late_must_be_allowed(void **state) {
    (void)state;
    static const corm_changeset late = { .id = "0015_late",
                                         .up = { CORM_ADD_COLUMN("users", "late", "int") } };
    world                      *w = open_world();
    add(w, &make_users);
    add(w, &add_preferences);
    up(w, 2);
    add(w, &late);
    assert_status(up_with(w, (corm_migrate_options){ .to = NULL }, NULL), CORM_SCHEMA_MISMATCH);
    assert_ok(up_with(w, (corm_migrate_options){ .out_of_order = true }, NULL), w->err);
    close_world(w);
}

/* ---- down ---- */

static void the_newest_is_taken_back_by_its_way_down(void **state) {
    (void)state;
    world *w = open_world();
    add(w, &make_users);
    add(w, &add_preferences);
    up(w, 2);
    assert_status(down_with(w, (corm_migrate_options){ .to = NULL }), CORM_VALIDATION);
    assert_ok(down_with(w, (corm_migrate_options){ .allow_destructive = true }), w->err);
    assert_false(works(w, "SELECT preferences FROM users"));
    assert_int_equal(status_of(w, "002_add_user_preferences").state, CORM_MIGRATION_PENDING);
    assert_int_equal(status_of(w, "001_users").state, CORM_MIGRATION_APPLIED);
    up(w, 1);
    close_world(w);
}

static void a_way_down_is_worked_out_from_the_schema(void **state) {
    (void)state;
    static const corm_changeset more = {
        .id = "002_more",
        .up = { CORM_SET_OPTIONS("users", "gc_grace_seconds = 77"),
                CORM_CREATE_TABLE("more", "k int PRIMARY KEY, a frozen<address>", NULL),
                CORM_CREATE_INDEX("by_name", "users", "name") },
    };
    world *w = open_world();
    char  *drift;
    add(w, &make_users);
    add(w, &more);
    assert_ok(up_with(w, (corm_migrate_options){ .to = "001_users" }, NULL), w->err);
    up(w, 1);
    assert_ok(down_with(w, (corm_migrate_options){ .allow_destructive = true }), w->err);
    assert_false(works(w, "SELECT * FROM more"));
    assert_ok(corm_migrator_verify(w->migrator, &drift, &w->err), w->err);
    assert_string_equal(drift, "");
    free(drift);
    assert_ok(down_with(w, (corm_migrate_options){ .to = "", .allow_destructive = true }), w->err);
    assert_false(works(w, "SELECT * FROM users"));
    close_world(w);
}

static void what_cannot_be_taken_back_is_said(void **state) {
    (void)state;
    static const corm_changeset writes = {
        .id = "002_writes", .up = { CORM_CQL("INSERT INTO users (id) VALUES (1)") }
    };
    world *w = open_world();
    add(w, &make_users);
    add(w, &writes);
    up(w, 2);
    assert_status(down_with(w, (corm_migrate_options){ .allow_destructive = true }),
                  CORM_VALIDATION);
    assert_string_equal(w->err.message,
                        "migration 002_writes cannot be taken back by itself: it writes "
                        "data; write its way down");
    close_world(w);
}

/* ---- the rest ---- */

static void a_baseline_begins_the_history(void **state) {
    (void)state;
    world *w = open_world();
    run(w, "CREATE TABLE users (id int PRIMARY KEY, name text)");
    add(w, &make_users);
    add(w, &add_preferences);
    assert_status(corm_migrator_baseline(w->migrator, "009", &w->err), CORM_NOT_FOUND);
    assert_ok(corm_migrator_baseline(w->migrator, "001_users", &w->err), w->err);
    assert_int_equal(status_of(w, "001_users").state, CORM_MIGRATION_BASELINE);
    up(w, 1);
    assert_status(corm_migrator_baseline(w->migrator, "001_users", &w->err), CORM_ALREADY_EXISTS);
    close_world(w);
}

static void drift_is_told_with_the_way_back(void **state) {
    (void)state;
    world *w = open_world();
    char  *drift;
    add(w, &make_users);
    up(w, 1);
    run(w, "ALTER TABLE users ADD stray int");
    run(w, "ALTER TABLE users WITH comment = 'changed'");
    assert_ok(corm_migrator_verify(w->migrator, &drift, &w->err), w->err);
    assert_string_equal(
        drift, "-- the schema is not what the last migration left; this would bring it back\n"
               "-- destructive: what it holds is lost\n"
               "ALTER TABLE users DROP stray;\n"
               "ALTER TABLE users WITH comment = 'people';\n");
    free(drift);
    close_world(w);
}

static void two_histories_live_side_by_side(void **state) {
    (void)state;
    world         *w = open_world();
    corm_migrator *other;
    add(w, &make_users);
    up(w, 1);
    static const corm_changeset theirs = {
        .id = "001_users", .up = { CORM_CREATE_TABLE("theirs", "k int PRIMARY KEY", NULL) }
    };
    corm_migrator_options options = { .name = "billing" };
    assert_ok(corm_migrator_open(&other, w->session, &options, &w->err), w->err);
    assert_ok(corm_migrator_add(other, &theirs, &w->err), w->err);
    assert_ok(corm_migrator_up(other, NULL, &(corm_migrate_options){ .error = &w->err }), w->err);
    corm_migrator_close(other);
    assert_true(works(w, "SELECT * FROM theirs"));
    close_world(w);
}

static void a_lease_that_is_held_is_waited_for(void **state) {
    (void)state;
    world *w = open_world();
    add(w, &make_users);
    up(w, 1);
    run(w,
        "UPDATE corm_migrations USING TTL 1 SET lease_owner = 11111111-1111-4111-8111-111111111111, "
        "lease_host = 'there:1' WHERE name = 'default' IF lease_owner = null");
    add(w, &add_preferences);
    up(w, 1);
    corm_migrator_close(w->migrator);
    corm_migrator_options hasty = { .wait_ms = 1 };
    assert_ok(corm_migrator_open(&w->migrator, w->session, &hasty, &w->err), w->err);
    run(w, "UPDATE corm_migrations SET lease_owner = 11111111-1111-4111-8111-111111111111, "
           "lease_host = 'there:1' WHERE name = 'default' IF lease_owner = null");
    assert_status(up_with(w, (corm_migrate_options){ .to = NULL }, NULL), CORM_TIMEOUT);
    assert_string_equal(w->err.message, "there:1 holds the lease of the migrations; waited 1 ms");
    close_world(w);
}

static corm_status steal(corm_session *session, void *context, corm_error *err) {
    (void)context;
    return corm_execute(
        session, "UPDATE corm_migrations SET lease_token = 99 WHERE name = 'default' IF EXISTS",
        NULL, { .error = err });
}

static void who_lost_the_lease_writes_nothing_more(void **state) {
    (void)state;
    static const corm_changeset slow = {
        .id = "002_slow", .up = { CORM_CALL(steal, NULL), CORM_ADD_COLUMN("users", "late", "int") }
    };
    world *w = open_world();
    add(w, &make_users);
    up(w, 1);
    add(w, &slow);
    assert_status(up_with(w, (corm_migrate_options){ .to = NULL }, NULL), CORM_LEASE_LOST);
    assert_false(works(w, "SELECT late FROM users"));
    assert_int_equal(status_of(w, "002_slow").state, CORM_MIGRATION_APPLYING);
    close_world(w);
}

static void write_file(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void files_and_changesets_are_one_history(void **state) {
    (void)state;
    world *w = open_world();
    mkdir("migrations", 0700);
    write_file("migrations/0005_first.cql", "CREATE TABLE first (k int PRIMARY KEY);");
    write_file("migrations/003_last.cql",
               "-- Last\n-- up\nALTER TABLE users ADD last int;\n-- down\n");
    write_file("migrations/README.md", "not a migration");
    corm_migrator_close(w->migrator);
    corm_migrator_options options = { .dir = "migrations" };
    assert_ok(corm_migrator_open(&w->migrator, w->session, &options, &w->err), w->err);
    add(w, &make_users);
    up(w, 3);
    corm_migration_list *list;
    assert_ok(corm_migrator_status(w->migrator, &list, &w->err), w->err);
    assert_int_equal(list->count, 3);
    assert_string_equal(list->items[0].id, "0005_first");
    assert_string_equal(list->items[2].description, "Last");
    corm_migration_list_free(list);
    assert_status(corm_migrator_add(w->migrator, &(corm_changeset){ .id = "003_last" }, &w->err),
                  CORM_INVALID_ARGUMENT);
    corm_migrator_close(w->migrator);
    assert_status(corm_migrator_open(&w->migrator, w->session,
                                     &(corm_migrator_options){ .dir = "nowhere" }, &w->err),
                  CORM_IO);
    assert_null(w->migrator);
    close_world(w);
}

typedef struct person {
    int32_t id;
    char   *name;
    int64_t visits;
} person;
#define COL(member) CORM_COLUMN(person, member)
static const corm_model people = {
    .table = "users",
    .row_size = sizeof(person),
    .fields = { { COL(id), .key = CORM_PARTITION },
                { COL(name), .indexed = true },
                { COL(visits) } },
};
#undef COL

static void a_model_is_compared_with_its_table(void **state) {
    (void)state;
    world            *w = open_world();
    char             *script;
    const corm_model *models[] = { &people, NULL };
    add(w, &make_users);
    up(w, 1);
    assert_ok(corm_schema_diff(w->session, NULL, corm_str_of(""), models, false, &script, &w->err),
              w->err);
    assert_string_equal(script, "ALTER TABLE users ADD visits bigint;\n"
                                "CREATE INDEX users_name_idx ON evolve.users (name);\n");
    free(script);
    assert_ok(corm_schema_diff(w->session, "evolve",
                               corm_str_of("CREATE TYPE address (street text)"), models, true,
                               &script, &w->err),
              w->err);
    assert_string_equal(script, "ALTER TABLE users ADD visits bigint;\n"
                                "CREATE INDEX users_name_idx ON evolve.users (name);\n");
    free(script);
    close_world(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(migrations_are_applied_once_and_in_order),
        cmocka_unit_test(a_target_ends_the_way_up),
        cmocka_unit_test(what_would_fail_is_told_before_anything_is_done),
        cmocka_unit_test(losing_data_must_be_allowed),
        cmocka_unit_test(a_dry_run_does_nothing),
        cmocka_unit_test(the_plan_is_a_script),
        cmocka_unit_test(a_failed_migration_is_resumed_where_it_stopped),
        cmocka_unit_test(other_hands_are_noticed_when_a_migration_goes_on),
        cmocka_unit_test(what_a_function_did_to_the_schema_is_known_when_a_migration_goes_on),
        cmocka_unit_test(a_failed_migration_may_be_mended),
        cmocka_unit_test(a_changed_migration_is_refused),
        cmocka_unit_test(a_migration_that_comes_late_must_be_allowed),
        cmocka_unit_test(the_newest_is_taken_back_by_its_way_down),
        cmocka_unit_test(a_way_down_is_worked_out_from_the_schema),
        cmocka_unit_test(what_cannot_be_taken_back_is_said),
        cmocka_unit_test(a_baseline_begins_the_history),
        cmocka_unit_test(drift_is_told_with_the_way_back),
        cmocka_unit_test(two_histories_live_side_by_side),
        cmocka_unit_test(a_lease_that_is_held_is_waited_for),
        cmocka_unit_test(who_lost_the_lease_writes_nothing_more),
        cmocka_unit_test(files_and_changesets_are_one_history),
        cmocka_unit_test(a_model_is_compared_with_its_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
