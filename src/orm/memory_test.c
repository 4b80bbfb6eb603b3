// SPDX-License-Identifier: MIT
/* Every operation is made again and again while one allocation more succeeds each time, until it
 * goes through. Each failure must be CORM_NO_MEMORY, and must leave as many allocations as there
 * were before. The store itself never fails. */
#include "testing/memory.h"

#include <stdlib.h>

#include "orm/attempts_for_tests.h"

/* ---- operations ---- */

typedef struct thing {
    int32_t     id, at;
    char       *name;
    const char *code;
    corm_set    tags;
    corm_floats vector;
} thing;

#define COL(member) CORM_COLUMN(thing, member)
static const corm_model things = {
    .table = "things",
    .row_size = sizeof(thing),
    .fields = { { COL(id), .key = CORM_PARTITION },
                { COL(at), .key = CORM_CLUSTERING },
                { COL(name), .indexed = true },
                { COL(code), .validate = { .pattern = "^[a-z]+$" } },
                { COL(tags) },
                { COL(vector), .cql = "vector<float, 2>" } },
};
#undef COL

static const float vector[] = { 1, 2 };

static corm_status insert_thing(int32_t at, corm_error *err) {
    corm_set tags = corm_set_of(corm_v("a"), corm_v("b"));
    thing    t = { .id = 1,
                   .at = at,
                   .name = at % 2 ? "odd" : NULL,
                   .code = "abc",
                   .tags = tags,
                   .vector = { vector, 2 } };
    return corm_insert(db, &things, &t, { .error = err });
}

static void fill(void) {
    corm_error err = { 0 };
    for (int32_t at = 0; at < 5; at++) assert_ok(insert_thing(at, &err), err);
}

static void fill_users(void) {
    corm_error err = { 0 };
    user       ada = { .id = { { 1 } }, .email = "ada@example.com", .name = "Ada" };
    assert_ok(corm_insert(db, &users, &ada, { .error = &err }), err);
}

static void nothing(void) {
}

static corm_status op_load(corm_error *err) {
    return corm_load(db, &things, err);
}

static corm_status op_load_unique(corm_error *err) {
    return corm_load(db, &users, err);
}

static void make_old_table(void) {
    run(db, "CREATE TABLE things (id int, at int, old text, PRIMARY KEY (id, at))");
    run(db, "CREATE INDEX ON things (old)");
}

static corm_status op_plan(corm_error *err) {
    char       *plan = NULL;
    corm_status status = corm_plan(db, &things, CORM_MIGRATION_ALTER, &plan, err);
    free(plan);
    return status;
}

static corm_status op_insert(corm_error *err) {
    return insert_thing(7, err);
}

static corm_status op_insert_unique(corm_error *err) {
    user bob = { .email = "bob@example.com", .name = "Bob" };
    return corm_insert(db, &users, &bob, { .if_not_exists = true, .ttl_seconds = 9, .error = err });
}

static corm_status op_update_unique(corm_error *err) {
    user ada = { .id = { { 1 } }, .email = "eva@example.com" };
    return corm_update(db, &users, &ada, { .only = { "email" }, .error = err });
}

static corm_status op_delete_unique(corm_error *err) {
    return corm_delete_where(db, &users,
                             { .where = { corm_eq("id", ((corm_uuid){ { 1 } })) }, .error = err });
}

static corm_status op_find_unique(corm_error *err) {
    const char *mail = "ada@example.com";
    corm_rows  *rows;
    corm_status status =
        corm_find(db, &users, &rows, { .where = { corm_eq("email", mail) }, .error = err });
    if (status == CORM_OK) assert_int_equal(corm_rows_count(rows), 1);
    corm_rows_free(rows);
    return status;
}

static corm_status op_find(corm_error *err) {
    corm_rows  *rows;
    corm_status status = corm_find(db, &things, &rows,
                                   { .where = { corm_eq("id", 1), corm_ne("code", "x") },
                                     .order_by = { { .column = "name" } },
                                     .offset = 1,
                                     .request = { .page_size = 2 },
                                     .error = err });
    if (status == CORM_OK) assert_int_equal(corm_rows_count(rows), 4);
    corm_rows_free(rows);
    return status;
}

static corm_status op_pages(corm_error *err) {
    corm_rows  *rows;
    corm_status status = corm_find(
        db, &things, &rows, { .one_page = true, .request = { .page_size = 2 }, .error = err });
    while (status == CORM_OK && corm_rows_has_more(rows)) status = corm_rows_next_page(rows, err);
    corm_rows_free(rows);
    return status;
}

static corm_status op_find_key(corm_error *err) {
    corm_value  key[] = { corm_v(1), corm_v(3) };
    corm_rows  *rows;
    corm_status status = corm_find_key(db, &things, &rows, key, 2, err);
    corm_rows_free(rows);
    return status;
}

static corm_status op_query(corm_error *err) {
    corm_rows  *rows;
    corm_status status =
        corm_query(db, &things, "SELECT * FROM things WHERE id = ?", &rows,
                   { .values = { corm_v(1) }, .request = { .page_size = 3 }, .error = err });
    corm_rows_free(rows);
    return status;
}

static corm_status op_count(corm_error *err) {
    uint64_t count;
    return corm_count(db, &things, &count, { .where = { corm_eq("id", 1) }, .error = err });
}

static corm_status op_batch(corm_error *err) {
    corm_batch        *batch = corm_batch_new(corm_db_session(db), CORM_UNLOGGED);
    thing              t = { .id = 3, .name = "x" };
    corm_write_options options = { .error = err };
    if (!batch) return CORM_NO_MEMORY;
    corm_status status = corm_batch_insert(batch, db, &things, &t, &options);
    corm_batch_free(batch);
    return status;
}

static corm_status op_validate(corm_error *err) {
    thing t = { .id = 1, .code = "abc" };
    return corm_validate(&things, &t, NULL, err);
}

static corm_status op_json(corm_error *err) {
    const corm_model *const *models;
    corm_str                 json = corm_str_of(
                        "{\"table\":\"t\",\"fields\":{\"id\":\"int\",\"x\":{\"type\":\"text\",\"validate\":{"
                                        "\"pattern\":\"a\",\"oneOf\":[\"b\"]}}},\"key\":[\"id\"],\"relations\":{\"r\":{\"model\":\"m\","
                                        "\"foreignKey\":\"f\",\"type\":\"hasOne\"}}}");
    corm_status status = corm_models_parse(json, &models, err);
    corm_models_free(models);
    return status;
}

static corm_status op_from_table(corm_error *err) {
    const corm_model *model;
    corm_status status = corm_model_from_table(corm_db_session(db), NULL, "things", &model, err);
    corm_model_free(model);
    return status;
}

static const calm_operation operations[] = {
    { "load", nothing, op_load },
    { "load into an old table", make_old_table, op_load },
    { "load with unique columns", nothing, op_load_unique },
    { "plan", make_old_table, op_plan },
    { "insert", fill, op_insert },
    { "insert unique", fill_users, op_insert_unique },
    { "update unique", fill_users, op_update_unique },
    { "delete unique", fill_users, op_delete_unique },
    { "find unique", fill_users, op_find_unique },
    { "find", fill, op_find },
    { "pages", fill, op_pages },
    { "find by key", fill, op_find_key },
    { "query", fill, op_query },
    { "count", fill, op_count },
    { "batch", fill, op_batch },
    { "validate", nothing, op_validate },
    { "json", nothing, op_json },
    { "from table", fill, op_from_table },
};

static void every_operation_survives_every_failed_allocation(void **state) {
    (void)state;
    if (!testing__memory_can_fail()) skip();
    try_all(operations, sizeof operations / sizeof *operations);
}

int main(void) {
    UNUSED_HELPERS();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operation_survives_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
