// SPDX-License-Identifier: MIT
#include <stdlib.h>

#include "orm/core.h"

#include "orm/orm_for_tests.h"

typedef struct item {
    int32_t shop, number;
    char   *name;
    int64_t price;
    char   *info;
} item;

#define COL(member) CORM_COLUMN(item, member)
static const corm_model items = {
    .table = "items",
    .row_size = sizeof(item),
    .fields = { { COL(shop), .key = CORM_PARTITION },
                { COL(number), .key = CORM_CLUSTERING_DESC },
                { COL(name), .indexed = true },
                { COL(price) },
                { COL(info), .key = CORM_STATIC } },
    .options = { .comment = "what's sold",
                 .default_ttl_seconds = 60,
                 .with = "gc_grace_seconds = 5" },
};
#undef COL

static char notices[4096];

static void note(void *context, const char *text) {
    (void)context;
    size_t len = strlen(notices);
    snprintf(notices + len, sizeof notices - len, "%s\n", text);
}

static corm_db *open_with(corm_migration migration) {
    notices[0] = '\0';
    return open_db_with((corm_db_options){ .migration = migration, .notice = note });
}

/* Columns of the table as "name type indexed". */
static const char *columns(corm_db *db) {
    static char            text[1024];
    const corm_table_info *table;
    corm_error             err = { 0 };
    assert_ok(corm_table_read(corm_db_session(db), NULL, "items", &table, &err), err);
    text[0] = '\0';
    for (uint32_t i = 0; i < table->column_count; i++) {
        const corm_column_info *c = &table->columns[i];
        size_t                  len = strlen(text);
        snprintf(text + len, sizeof text - len, "%s%s %s%s", i > 0 ? ", " : "", c->name, c->type,
                 c->indexed ? " indexed" : "");
    }
    corm_table_free(table);
    return text;
}

static const char *const wanted =
    "shop int, number int, info text, name text indexed, price bigint";

static void a_missing_table_is_made(void **state) {
    (void)state;
    corm_db     *db = open_with(CORM_MIGRATION_SAFE);
    corm_error   err = { 0 };
    corm_result *result;
    assert_ok(corm_load(db, &items, &err), err);
    assert_ok(corm_load(db, &items, &err), err);
    assert_string_equal(columns(db), wanted);
    assert_non_null(strstr(notices, "CREATE TABLE"));
    assert_ok(
        corm_execute(
            corm_db_session(db),
            "SELECT comment, default_time_to_live, gc_grace_seconds FROM system_schema.tables WHERE keyspace_name = 'shop' AND table_name = 'items'",
            &result, { .error = &err }),
        err);
    const corm_row *row = corm_result_next(result);
    assert_text(corm_row_text(row, 0), "what's sold");
    assert_int_equal(corm_row_int(row, 1), 60);
    assert_int_equal(corm_row_int(row, 2), 5);
    corm_result_free(result);
    corm_db_close(db);
}

static void missing_columns_and_indexes_are_added(void **state) {
    (void)state;
    corm_db   *db = open_with(CORM_MIGRATION_SAFE);
    corm_error err = { 0 };
    run(db,
        "CREATE TABLE items (shop int, number int, old text, PRIMARY KEY (shop, number)) WITH CLUSTERING ORDER BY (number DESC)");
    run(db, "CREATE INDEX ON items (old)");
    assert_ok(corm_load(db, &items, &err), err);
    assert_string_equal(
        columns(db),
        "shop int, number int, info text, name text indexed, old text indexed, price bigint");
    assert_non_null(strstr(notices, "column 'old' is not in the model and stays"));
    assert_non_null(strstr(notices, "the index on 'old' is not in the model and stays"));
    corm_db_close(db);
}

static void alter_drops_what_the_model_does_not_have(void **state) {
    (void)state;
    corm_db   *db = open_with(CORM_MIGRATION_ALTER);
    corm_error err = { 0 };
    run(db,
        "CREATE TABLE items (shop int, number int, \"Old\" text, name text, price bigint, tags map<text, int>, PRIMARY KEY (shop, number)) WITH CLUSTERING ORDER BY (number DESC)");
    run(db, "CREATE INDEX ON items (\"Old\")");
    run(db, "CREATE INDEX ON items (price)");
    run(db, "CREATE INDEX ON items (keys(tags))");
    assert_ok(corm_load(db, &items, &err), err);
    assert_string_equal(columns(db), wanted);
    corm_db_close(db);
}

static void every_difference_that_would_lose_data_is_refused(void **state) {
    (void)state;
    static const corm_migration migrations[] = { CORM_MIGRATION_SAFE, CORM_MIGRATION_ALTER };
    for (int i = 0; i < 2; i++) {
        corm_db   *db = open_with(migrations[i]);
        corm_error err = { 0 };
        run(db,
            "CREATE TABLE items (shop bigint, name text, number int, price text, PRIMARY KEY (shop, name, number))");
        assert_status(corm_load(db, &items, &err), CORM_SCHEMA_MISMATCH);
        assert_non_null(strstr(err.message, "'shop' is of type bigint, the model says int"));
        assert_non_null(strstr(
            err.message,
            "'number' is a clustering column, ascending, the model says a clustering column, descending"));
        assert_non_null(
            strstr(err.message,
                   "'name' is a clustering column, ascending, the model says a regular column"));
        assert_non_null(strstr(err.message, "DROP TABLE shop.items"));
        corm_db_close(db);
    }
}

static void the_order_of_the_key_must_be_the_same(void **state) {
    (void)state;
    static const corm_model model = {
        .table = "items",
        .row_size = sizeof(item),
        .fields = { { CORM_COLUMN(item, number), .key = CORM_PARTITION },
                    { CORM_COLUMN(item, shop), .key = CORM_PARTITION },
                    { CORM_COLUMN(item, price), .key = CORM_CLUSTERING } },
    };
    corm_db   *db = open_with(CORM_MIGRATION_SAFE);
    corm_error err = { 0 };
    run(db,
        "CREATE TABLE items (shop int, number int, extra int, PRIMARY KEY ((shop, number), extra))");
    assert_status(corm_load(db, &model, &err), CORM_SCHEMA_MISMATCH);
    assert_non_null(strstr(err.message, "'number' is number 2 in the key, the model says 1"));
    assert_non_null(strstr(err.message, "column 'price' is missing"));
    assert_non_null(strstr(err.message, "column 'extra' is not in the model"));
    run(db, "DROP TABLE items");
    assert_ok(corm_load(db, &model, &err), err);
    assert_string_equal(columns(db), "number int, shop int, price bigint");
    corm_db_close(db);
}

static void drop_makes_the_table_anew(void **state) {
    (void)state;
    corm_db   *db = open_with(CORM_MIGRATION_DROP);
    corm_error err = { 0 };
    run(db, "CREATE TABLE items (shop text PRIMARY KEY)");
    assert_ok(corm_load(db, &items, &err), err);
    assert_string_equal(columns(db), wanted);
    corm_db_close(db);
}

static void none_changes_nothing(void **state) {
    (void)state;
    corm_db   *db = open_with(CORM_MIGRATION_NONE);
    corm_error err = { 0 };
    assert_status(corm_load(db, &items, &err), CORM_SCHEMA_MISMATCH);
    assert_non_null(strstr(err.message, "the table does not exist"));
    run(db,
        "CREATE TABLE items (shop int, number int, info text static, price bigint, PRIMARY KEY (shop, number)) WITH CLUSTERING ORDER BY (number DESC)");
    assert_status(corm_load(db, &items, &err), CORM_SCHEMA_MISMATCH);
    assert_non_null(strstr(err.message, "ALTER TABLE shop.items ADD name text"));
    assert_non_null(strstr(err.message, "'name' has no index"));
    run(db, "ALTER TABLE items ADD name text");
    run(db, "CREATE INDEX ON items (name)");
    run(db, "ALTER TABLE items ADD more text");
    assert_ok(corm_load(db, &items, &err), err);
    corm_db_close(db);
}

static void a_plan_shows_what_would_be_done(void **state) {
    (void)state;
    corm_db   *db = open_with(CORM_MIGRATION_SAFE);
    corm_error err = { 0 };
    char      *plan = NULL;
    assert_ok(corm_plan(db, &items, CORM_MIGRATION_SAFE, &plan, &err), err);
    assert_string_equal(
        plan,
        "CREATE TABLE IF NOT EXISTS shop.items (shop int, number int, name text, price bigint, info text static, PRIMARY KEY (shop, number)) WITH CLUSTERING ORDER BY (number DESC) AND default_time_to_live = 60 AND comment = 'what''s sold' AND gc_grace_seconds = 5;\n"
        "CREATE INDEX IF NOT EXISTS ON shop.items (name);\n");
    free(plan);
    plan = NULL;
    run(db,
        "CREATE TABLE items (shop int, number int, old text, price text, name text, PRIMARY KEY (shop, number)) WITH CLUSTERING ORDER BY (number DESC)");
    run(db, "CREATE INDEX ON items (old)");
    assert_ok(corm_plan(db, &items, CORM_MIGRATION_SAFE, &plan, &err), err);
    assert_non_null(strstr(
        plan,
        "-- refused: column 'price' is of type text, the model says bigint; it takes: DROP TABLE"));
    assert_non_null(strstr(plan, "\nALTER TABLE shop.items ADD info text static;\n"));
    assert_non_null(strstr(plan, "-- column 'old' is not in the model and stays\n"));
    assert_ok(corm_plan(db, &items, CORM_MIGRATION_ALTER, &plan, &err), err); /* appended */
    assert_non_null(strstr(
        plan, "DROP INDEX IF EXISTS shop.items_old_idx;\nALTER TABLE shop.items DROP old;\n"));
    assert_ok(corm_plan(db, &items, CORM_MIGRATION_DROP, &plan, &err), err);
    assert_non_null(strstr(plan, "DROP TABLE IF EXISTS shop.items;\n"));
    assert_ok(corm_plan(db, &items, CORM_MIGRATION_NONE, &plan, &err), err);
    assert_status(corm_plan(db, &items, (corm_migration)9, &plan, &err), CORM_INVALID_ARGUMENT);
    assert_status(corm_plan(db, NULL, CORM_MIGRATION_SAFE, &plan, &err), CORM_INVALID_ARGUMENT);
    free(plan);
    corm_db_close(db);
}

static void a_model_may_name_its_keyspace(void **state) {
    (void)state;
    static corm_model model;
    corm_db          *db = open_with(CORM_MIGRATION_SAFE);
    corm_error        err = { 0 };
    model = items;
    model.keyspace = "Other";
    (void)testing__fresh("Other");
    assert_status(corm_load(db, &model, &err), CORM_INVALID); /* there is no such keyspace */
    run(db,
        "CREATE KEYSPACE \"Other\" WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}");
    assert_ok(corm_load(db, &model, &err), err);
    item i = { .shop = 1, .number = 2, .name = "x" };
    assert_ok(corm_insert(db, &model, &i, { .error = &err }), err);
    run(db, "USE system");
    assert_ok(corm_update(db, &model, &i, { .error = &err }), err);
    corm_db_close(db);
}

int main(void) {
    UNUSED_HELPERS();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_missing_table_is_made),
        cmocka_unit_test(missing_columns_and_indexes_are_added),
        cmocka_unit_test(alter_drops_what_the_model_does_not_have),
        cmocka_unit_test(every_difference_that_would_lose_data_is_refused),
        cmocka_unit_test(the_order_of_the_key_must_be_the_same),
        cmocka_unit_test(drop_makes_the_table_anew),
        cmocka_unit_test(none_changes_nothing),
        cmocka_unit_test(a_plan_shows_what_would_be_done),
        cmocka_unit_test(a_model_may_name_its_keyspace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
