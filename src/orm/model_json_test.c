// SPDX-License-Identifier: MIT
#include <stdlib.h>

#include "orm/core.h"

#include "orm/orm_for_tests.h"

static const char *const user_json =
    "{ \"table\": \"users\","
    "  \"fields\": {"
    "    \"id\": { \"type\": \"uuid\", \"generate\": \"uuid\" },"
    "    \"email\": { \"type\": \"text\", \"unique\": true, \"validate\": { \"required\": true, \"isEmail\": true } },"
    "    \"name\": { \"type\": \"text\", \"validate\": { \"required\": true, \"minLength\": 2 } },"
    "    \"tags\": \"set<text>\","
    "    \"made\": { \"type\": \"timestamp\", \"generate\": \"now\" },"
    "    \"seen\": { \"type\": \"date\", \"generate\": \"each_now\" }"
    "  },"
    "  \"relations\": { \"posts\": { \"model\": \"posts\", \"foreignKey\": \"user_id\", \"type\": \"hasMany\" } },"
    "  \"key\": [\"id\"] }";

static const corm_model *const *parse(const char *json) {
    const corm_model *const *models;
    corm_error               err = { 0 };
    assert_ok(corm_models_parse(corm_str_of(json), &models, &err), err);
    return models;
}

static void a_model_is_read_from_json(void **state) {
    (void)state;
    const corm_model *const *models = parse(user_json);
    const corm_model        *m = models[0];
    assert_null(models[1]);
    assert_string_equal(m->table, "users");
    assert_int_equal(m->row_size, 6 * sizeof(corm_value));
    assert_int_equal(m->fields[0].key, CORM_PARTITION);
    assert_int_equal(m->fields[0].generate, CORM_NEW_UUID);
    assert_true(m->fields[1].unique && m->fields[1].validate.email &&
                m->fields[1].validate.required);
    assert_int_equal(m->fields[2].validate.min_length, 2);
    assert_string_equal(m->fields[3].cql, "set<text>");
    assert_int_equal(m->relations[0].kind, CORM_HAS_MANY);
    assert_string_equal(m->relations[0].foreign_key, "user_id");
    corm_models_free(models);
    corm_models_free(NULL);
}

static void rows_of_such_a_model_are_arrays_of_values(void **state) {
    (void)state;
    corm_db                 *db = open_db();
    const corm_model *const *models = parse(user_json);
    const corm_model        *m = models[0];
    corm_rows               *rows;
    corm_error               err = { 0 };
    corm_set                 tags = corm_set_of(corm_v("a"));
    corm_value               row[6] = {
                      [1] = corm_v("ada@example.com"), [2] = corm_v("Ada"), [3] = corm_v(tags)
    };
    assert_ok(corm_insert(db, m, row, { .error = &err }), err);
    assert_int_equal(row[0].kind, CORM_UUID);
    assert_int_equal(row[4].kind, CORM_TIMESTAMP);
    assert_int_equal(row[5].kind, CORM_DATE);
    corm_value again[6] = { [1] = corm_v("ada@example.com"), [2] = corm_v("A") };
    assert_status(corm_insert(db, m, again, { .error = &err }), CORM_VALIDATION);
    again[2] = corm_v("Al");
    assert_status(corm_insert(db, m, again, { .error = &err }), CORM_NOT_UNIQUE);
    const char *mail = "ada@example.com";
    assert_ok(corm_find(db, m, &rows, { .where = { corm_eq("email", mail) }, .error = &err }), err);
    assert_int_equal(corm_rows_count(rows), 1);
    const corm_value *found = corm_rows_first(rows);
    assert_true(corm_value_equal(&found[0], &row[0]));
    assert_text(found[2].as.text, "Ada");
    assert_text(found[3].as.items.items[0].as.text, "a");
    corm_rows_free(rows);
    corm_db_close(db);
    corm_models_free(models);
}

static void how_a_field_is_stored_and_shown_is_read(void **state) {
    (void)state;
    const corm_model *const *models =
        parse("{ \"table\": \"t\", \"fields\": { \"id\": \"int\", "
              "\"ssn\": { \"type\": \"text\", \"sealed\": \"random\", \"shown\": \"partly\" }, "
              "\"email\": { \"type\": \"text\", \"sealed\": \"equal\", \"shown\": \"hidden\" } }, "
              "\"key\": [\"id\"] }");
    const corm_field *fields = models[0]->fields;
    assert_int_equal(fields[1].sealed, CORM_SEALED);
    assert_int_equal(fields[1].shown, CORM_MASKED_PARTLY);
    assert_int_equal(fields[2].sealed, CORM_SEALED_EQUAL);
    assert_int_equal(fields[2].shown, CORM_HIDDEN);
    corm_models_free(models);
}

static void keys_orders_indexes_and_options_are_read(void **state) {
    (void)state;
    const corm_model *const *models = parse(
        "[ { \"table\": \"a\", \"keyspace\": \"k\", \"fields\": { \"v\": { \"type\": \"text\", \"indexed\": true, \"skip_zero\": true }, \"c\": \"int\", \"s\": { \"type\": \"text\", \"static\": true },"
        "   \"b\": \"int\", \"a\": \"int\", \"w\": \"text\" }, \"key\": [[\"a\", \"b\"], \"c\"], \"clustering_order\": { \"c\": \"DESC\" },"
        "   \"indexes\": [\"w\"], \"options\": { \"default_ttl_seconds\": 9, \"comment\": \"x\", \"with\": \"gc_grace_seconds = 1\" } },"
        "  { \"table\": \"b\", \"fields\": { \"id\": { \"type\": \"timeuuid\", \"generate\": \"timeuuid\" }, \"p\": { \"type\": \"double\", \"validate\": { \"min\": 1, \"max\": 2.5 } },"
        "   \"t\": { \"type\": \"text\", \"validate\": { \"isUrl\": true, \"isUUID\": false, \"maxLength\": 3, \"pattern\": \"^a\", \"oneOf\": [\"x\", \"y\"], \"message\": \"no\" } } }, \"key\": [\"id\"] } ]");
    const corm_model *a = models[0];
    const corm_model *b = models[1];
    assert_string_equal(a->fields[0].name, "a");
    assert_string_equal(a->fields[1].name, "b");
    assert_string_equal(a->fields[2].name, "c");
    assert_string_equal(a->fields[3].name, "v");
    assert_int_equal(a->fields[1].key, CORM_PARTITION);
    assert_int_equal(a->fields[2].key, CORM_CLUSTERING_DESC);
    assert_int_equal(a->fields[4].key, CORM_STATIC);
    assert_true(a->fields[3].indexed && a->fields[3].skip_zero && a->fields[5].indexed);
    assert_int_equal(a->options.default_ttl_seconds, 9);
    assert_string_equal(a->keyspace, "k");
    assert_true(b->fields[1].validate.has_min && b->fields[1].validate.max == 2.5);
    assert_string_equal(b->fields[2].validate.one_of[1], "y");
    assert_null(models[2]);
    corm_models_free(models);
}

static void expect(const char *json, const char *words) {
    const corm_model *const *models;
    corm_error               err = { 0 };
    assert_status(corm_models_parse(corm_str_of(json), &models, &err), CORM_INVALID_ARGUMENT);
    assert_null(models);
    if (!strstr(err.message, words)) fail_msg("'%s' instead of '%s'", err.message, words);
}

/* A model whose one other field, or whose other parts, are given. */
#define FIELD(text)                                                                                \
    "{ \"table\": \"t\", \"fields\": { \"id\": \"int\", \"x\": " text " }, \"key\": [\"id\"] }"
#define PART(text) "{ \"table\": \"t\", \"fields\": { \"id\": \"int\", \"c\": \"int\" }, " text " }"

static void every_fault_is_named_with_its_place(void **state) {
    (void)state;
    expect("{", "line 1");
    expect("[1]", "[0]: an object is expected");
    expect("7", "line 1");
    expect("{ \"tabel\": \"x\" }", "tabel: unknown key, did you mean 'table'?");
    expect("{ \"qqqqqq\": \"x\" }", "qqqqqq: unknown key");
    expect("{ \"table\": \"x\", \"table\": \"y\" }", "duplicate");
    expect("{ \"fields\": { \"id\": \"int\" }, \"key\": [\"id\"] }", "no table");
    expect("{ \"table\": \"t\", \"key\": [\"id\"] }", "no fields");
    expect("{ \"table\": \"t\", \"fields\": [] }", "fields: an object is expected");
    expect("{ \"table\": 3 }", "table: a text is expected");
    expect("{ \"keyspace\": 3 }", "keyspace: a text");
    expect(FIELD("3"), "fields.x: a type or an object");
    expect(FIELD("{}"), "fields.x: it has no type");
    expect(FIELD("{ \"type\": \"int\", \"unqiue\": true }"),
           "fields.x.unqiue: unknown key, did you mean 'unique'?");
    expect(FIELD("{ \"type\": \"int\", \"unique\": 1 }"), "fields.x.unique: true or false");
    expect(FIELD("{ \"type\": \"text\", \"validate\": { \"requird\": true } }"),
           "fields.x.validate.requird: unknown key, did you mean 'required'?");
    expect(FIELD("{ \"type\": \"text\", \"validate\": 3 }"), "fields.x.validate: an object");
    expect(FIELD("{ \"type\": \"text\", \"validate\": { \"minLength\": -1 } }"),
           "fields.x.validate.minLength: a whole number");
    expect(FIELD("{ \"type\": \"text\", \"validate\": { \"maxLength\": 1.5 } }"),
           "fields.x.validate.maxLength");
    expect(FIELD("{ \"type\": \"int\", \"validate\": { \"min\": \"1\" } }"),
           "fields.x.validate.min: a number");
    expect(FIELD("{ \"type\": \"text\", \"validate\": { \"oneOf\": 1 } }"), "oneOf: an array");
    expect(FIELD("{ \"type\": \"text\", \"validate\": { \"oneOf\": [1] } }"), "oneOf[0]: a text");
    expect(
        FIELD(
            "{ \"type\": \"text\", \"validate\": { \"oneOf\": [\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\"] } }"),
        "at most 16");
    expect(FIELD("{ \"type\": \"text\", \"validate\": { \"pattern\": \"(\" } }"),
           ".pattern is wrong");
    expect(FIELD("{ \"type\": \"uuid\", \"generate\": \"random\" }"),
           "fields.x.generate: 'random' is none of");
    expect(FIELD("{ \"type\": \"text\", \"sealed\": \"yes\" }"),
           "fields.x.sealed: 'yes' is none of no, random, equal");
    expect(FIELD("{ \"type\": \"text\", \"shown\": \"no\" }"),
           "fields.x.shown: 'no' is none of plain, masked, partly, hidden");
    expect(FIELD("{ \"type\": \"list<\" }"), "field 'x'");
    expect("{ \"table\": \"t\", \"fields\": { \"id\": \"int\" } }", "key: the model has no key");
    expect(PART("\"key\": \"id\""), "key: an array");
    expect(PART("\"key\": []"), "no key");
    expect(PART("\"key\": [[]]"), "key[0]: the partition key has no column");
    expect(PART("\"key\": [[\"id\", 3]]"), "key[0][1]: a text");
    expect(PART("\"key\": [\"id\", \"id\"]"), "key[1]: 'id' is in the key already");
    expect(PART("\"key\": [\"ids\"]"), "there is no field 'ids', did you mean 'id'?");
    expect(PART("\"key\": [\"zzzz\"]"), "there is no field 'zzzz'");
    expect(PART("\"key\": [\"id\"], \"clustering_order\": []"), "clustering_order: an object");
    expect(PART("\"key\": [\"id\"], \"clustering_order\": { \"id\": \"asc\" }"),
           "clustering_order.id: this is no clustering column");
    expect(PART("\"key\": [\"id\", \"c\"], \"clustering_order\": { \"c\": \"up\" }"),
           "'up' is neither asc nor desc");
    expect(PART("\"key\": [\"id\"], \"indexes\": {}"), "indexes: an array");
    expect(PART("\"key\": [\"id\"], \"indexes\": [\"d\"]"), "indexes[0]: there is no field 'd'");
    expect(PART("\"relations\": []"), "relations: an object");
    expect(PART("\"relations\": { \"r\": { \"model\": \"m\" } }"), "relations.r: a relation has");
    expect(PART("\"relations\": { \"r\": { \"type\": \"hasSome\" } }"),
           "relations.r.type: 'hasSome' is none of");
    expect(PART("\"relations\": { \"r\": { \"onDelete\": \"drop\" } }"),
           "relations.r.onDelete: 'drop' is none of");
    expect(PART("\"relations\": { \"r\": { \"foreignKey\": [1] } }"),
           "relations.r.foreignKey[0]: a text");
    expect(PART("\"query_tables\": {}"), "query_tables: an array");
    expect(PART("\"query_tables\": [ { \"table\": \"x\" } ]"),
           "query_tables[0]: a query table has");
    expect(PART("\"query_tables\": [ { \"tabel\": \"x\" } ]"), "did you mean 'table'?");
    expect(PART("\"options\": { \"default_ttl_seconds\": -1 }"), "options.default_ttl_seconds");
    expect(
        "{ \"table\": \"t\", \"fields\": { \"id\": { \"type\": \"int\", \"static\": true } }, \"key\": [\"id\"] }",
        "static and part of the key");
    expect(
        "[ { \"table\": \"t\", \"fields\": { \"id\": \"int\" }, \"key\": [\"id\"] }, { \"table\": 1 } ]",
        "[1].table: a text");
}

static void a_wide_model_has_more_fields(void **state) {
    (void)state;
    base_buf json = { 0 };
    base__buf_puts(&json, "{ \"table\": \"wide\", \"fields\": { \"id\": \"int\"");
    for (int i = 0; i < 99; i++) base__buf_printf(&json, ", \"c%d\": \"int\"", i);
    base__buf_puts(&json, " }, \"key\": [\"id\"] }");
    const corm_model *const *models = parse(base__buf_cstr(&json));
    base__buf_free(&json);
    corm_db   *db = open_db();
    corm_rows *rows;
    corm_error err = { 0 };
    corm_value row[100] = { [0] = corm_v(1), [99] = corm_v(98) };
    assert_ok(corm_insert(db, models[0], row, { .error = &err }), err);
    assert_ok(corm_find(db, models[0], &rows, { .error = &err }), err);
    const corm_value *found = corm_rows_first(rows);
    assert_int_equal(found[99].as.i32, 98);
    assert_int_equal(found[98].kind, CORM_NULL);
    assert_true(corm_rows_is_null(rows, 0, "c97"));
    assert_false(corm_rows_is_null(rows, 0, "c98"));
    corm_rows_free(rows);
    corm_db_close(db);
    corm_models_free(models);
}

static void a_file_of_models_is_read(void **state) {
    (void)state;
    const corm_model *const *models;
    corm_error               err = { 0 };
    const char              *path = "models_of_a_test.json";
    FILE                    *file = fopen(path, "w");
    assert_non_null(file);
    fputs(user_json, file);
    fclose(file);
    assert_ok(corm_models_read(path, &models, &err), err);
    assert_string_equal(models[0]->table, "users");
    corm_models_free(models);
    file = fopen(path, "w");
    fputs("{\n\"table\": }", file);
    fclose(file);
    assert_status(corm_models_read(path, &models, &err), CORM_INVALID_ARGUMENT);
    assert_non_null(strstr(err.message, path));
    assert_int_equal(err.line, 2);
    remove(path);
    assert_status(corm_models_read(path, &models, &err), CORM_IO);
    assert_status(corm_models_read("/", &models, &err), CORM_IO);
}

static void a_table_becomes_a_model(void **state) {
    (void)state;
    corm_db          *db = open_db();
    const corm_model *model;
    corm_rows        *rows;
    corm_error        err = { 0 };
    run(db, "CREATE TYPE address (street text)");
    run(db,
        "CREATE TABLE \"T\" (a int, b int, s text static, v frozen<address>, w text, PRIMARY KEY (a, b)) WITH CLUSTERING ORDER BY (b DESC)");
    run(db, "CREATE INDEX ON \"T\" (w)");
    run(db, "INSERT INTO \"T\" (a, b, v, w) VALUES (1, 2, {street: 'x'}, 'y')");
    assert_ok(corm_model_from_table(corm_db_session(db), NULL, "T", &model, &err), err);
    assert_string_equal(model->keyspace, "shop");
    assert_int_equal(model->fields[1].key, CORM_CLUSTERING_DESC);
    assert_ok(corm_find(db, model, &rows, { .error = &err }), err);
    const corm_value *row = corm_rows_first(rows);
    assert_int_equal(row[1].as.i32, 2);
    assert_text(row[3].as.items.items[0].as.text, "x");
    corm_rows_free(rows);
    assert_status(corm_model_from_table(corm_db_session(db), NULL, "none",
                                        &(const corm_model *){ NULL }, &err),
                  CORM_NOT_FOUND);
    corm_db_close(db);
    corm_model_free(model);
    corm_model_free(NULL);
}

static void roles_and_scopes_are_read(void **state) {
    (void)state;
    corm_error               err = { 0 };
    const corm_model *const *models;
    const char              *text =
        "{ \"table\": \"t\", \"key\": [\"k\", \"c\"], \"fields\": { \"k\": \"int\", \"c\": \"int\", \"s\": \"text\","
        " \"v\": { \"type\": \"bigint\", \"role\": \"version\" }, \"gone\": { \"type\": \"timestamp\", \"role\": \"deleted_at\" } },"
        " \"scopes\": { \"open\": { \"default\": true, \"where\": { \"s\": \"open\", \"c\": { \"$gte\": 3, \"$lt\": 9 } },"
        " \"order_by\": { \"c\": \"desc\" }, \"limit\": 5, \"allow_filtering\": true },"
        " \"some\": { \"where\": { \"c\": { \"$in\": [1, 2] }, \"k\": { \"$between\": [1, 7] }, \"s\": { \"$not_null\": true } } } } }";
    assert_ok(corm_models_parse(corm_str_of(text), &models, &err), err);
    const corm_model *model = models[0];
    assert_int_equal(model->fields[3].role, CORM_ROW_VERSION);
    assert_int_equal(model->fields[4].role, CORM_DELETED_AT);
    const corm_scope *open = &model->scopes[0], *some = &model->scopes[1];
    assert_string_equal(open->name, "open");
    assert_true(open->is_default && open->find.allow_filtering);
    assert_int_equal(open->find.limit, 5);
    assert_int_equal(open->find.where[1].op, CORM_GTE);
    assert_int_equal(open->find.where[1].value.as.i64, 3);
    assert_int_equal(open->find.where[2].op, CORM_LT);
    assert_true(open->find.order_by[0].descending);
    assert_int_equal(some->find.where[0].value.as.items.count, 2);
    assert_int_equal(some->find.where[1].value2.as.i64, 7);
    assert_int_equal(some->find.where[2].op, CORM_NOT_NULL_OP);
    assert_null(model->scopes[2].name);
    corm_models_free(models);
}

static void mistakes_in_scopes_have_their_place(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        { "{ \"open\": { \"where\": { \"c\": { \"$gtt\": 3 } } } }",
          "scopes.open.where.c.$gtt: this is no operator, did you mean '$gt'?" },
        { "{ \"open\": { \"where\": { \"c\": null } } }",
          "scopes.open.where.c: a text, a number or true or false is expected" },
        { "{ \"open\": { \"where\": { \"c\": { \"$between\": [1] } } } }",
          "scopes.open.where.c.$between: an array of two values is expected" },
        { "{ \"open\": { \"order_by\": { \"c\": \"up\" } } }",
          "scopes.open.order_by.c: 'up' is neither asc nor desc" },
        { "{ \"open\": { \"limits\": 1 } }",
          "scopes.open.limits: unknown key, did you mean 'limit'?" },
        { "{ \"open\": { \"where\": { \"d\": 1 } } }", "model 't' has no column 'd'" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char                     text[512];
        corm_error               err = { 0 };
        const corm_model *const *models;
        snprintf(
            text, sizeof text,
            "{ \"table\": \"t\", \"key\": [\"k\", \"c\"], \"fields\": { \"k\": \"int\", \"c\": \"int\" }, \"scopes\": %s }",
            cases[i][0]);
        assert_status(corm_models_parse(corm_str_of(text), &models, &err), CORM_INVALID_ARGUMENT);
        if (!strstr(err.message, cases[i][1])) fail_msg("%s", err.message);
    }
}

static void relations_and_query_tables_are_read(void **state) {
    (void)state;
    static const char json[] =
        "{ \"table\": \"users\", \"key\": [\"id\"],"
        "  \"fields\": { \"id\": \"int\", \"team\": \"int\", \"name\": \"text\" },"
        "  \"relations\": {"
        "    \"groups\": { \"model\": \"groups\", \"type\": \"manyToMany\", \"through\": \"members\","
        "                \"foreignKey\": \"user_id\", \"otherKey\": [\"a\", \"b\"], \"onDelete\": \"cascade\" } },"
        "  \"query_tables\": [ { \"table\": \"users_by_team\", \"partition_key\": \"team\","
        "                      \"clustering_key\": [\"name DESC\", \"id\"] } ] }";
    corm_error               err = { 0 };
    const corm_model *const *models;
    assert_ok(corm_models_parse(corm_str_of(json), &models, &err), err);
    const corm_model *m = models[0];
    assert_int_equal(m->relations[0].kind, CORM_MANY_TO_MANY);
    assert_string_equal(m->relations[0].through, "members");
    assert_string_equal(m->relations[0].other_key, "a, b");
    assert_int_equal(m->relations[0].on_delete, CORM_DELETE_CASCADES);
    assert_string_equal(m->query_tables[0].table, "users_by_team");
    assert_string_equal(m->query_tables[0].clustering_key, "name DESC, id");
    assert_null(m->query_tables[1].table);
    corm_models_free(models);
}

int main(void) {
    UNUSED_HELPERS();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(relations_and_query_tables_are_read),
        cmocka_unit_test(a_model_is_read_from_json),
        cmocka_unit_test(roles_and_scopes_are_read),
        cmocka_unit_test(mistakes_in_scopes_have_their_place),
        cmocka_unit_test(rows_of_such_a_model_are_arrays_of_values),
        cmocka_unit_test(how_a_field_is_stored_and_shown_is_read),
        cmocka_unit_test(keys_orders_indexes_and_options_are_read),
        cmocka_unit_test(every_fault_is_named_with_its_place),
        cmocka_unit_test(a_wide_model_has_more_fields),
        cmocka_unit_test(a_file_of_models_is_read),
        cmocka_unit_test(a_table_becomes_a_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
