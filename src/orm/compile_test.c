// SPDX-License-Identifier: MIT
#include "orm/core.h"

#include "orm/orm_for_tests.h"

typedef struct row {
    int32_t        id, number;
    char          *text;
    char           name[8];
    corm_uuid      uuid;
    corm_timestamp at;
    corm_list      list;
    corm_udt       udt;
    corm_opt_int   optional;
    int64_t        counter;
} row;

#define COL(member) CORM_COLUMN(row, member)

static void expect(const corm_field *fields, uint32_t count, const char *words) {
    static corm_model model;
    orm_model        *compiled = NULL;
    corm_error        err = { 0 };
    memset(&model, 0, sizeof model);
    model.table = "rows";
    model.row_size = sizeof(row);
    for (uint32_t i = 0; i < count; i++) model.fields[i] = fields[i];
    corm_status status = orm__compile(&model, &compiled, &err);
    orm__model_free(compiled);
    if (!words) {
        assert_ok(status, err);
        return;
    }
    assert_status(status, CORM_INVALID_ARGUMENT);
    if (!strstr(err.message, words)) fail_msg("'%s' instead of '%s'", err.message, words);
    assert_non_null(strstr(err.message, "rows"));
}

#define EXPECT(words, ...)                                                                         \
    do {                                                                                           \
        const corm_field fields_[] = { __VA_ARGS__ };                                              \
        expect(fields_, sizeof fields_ / sizeof *fields_, words);                                  \
    } while (0)

#define KEY                                                                                        \
    { COL(id), .key = CORM_PARTITION }

static void every_fault_of_a_model_is_named_with_its_place(void **state) {
    (void)state;
    EXPECT(NULL, KEY, { COL(text) });
    EXPECT("no field has .key", { COL(text) });
    EXPECT("has no fields", { .name = NULL });
    EXPECT("two fields have this name", KEY, { COL(text) }, { COL(text) });
    EXPECT("field 'x': it has no member", KEY, { .name = "x" });
    EXPECT("its size", KEY, { .name = "x", .member = CORM_MEMBER_I32, .size = 2 });
    EXPECT("outside of the struct", KEY,
           { .name = "x", .member = CORM_MEMBER_I32, .size = 4, .offset = sizeof(row) });
    EXPECT("its name is empty", KEY, { .name = "", .member = CORM_MEMBER_I32, .size = 4 });
    EXPECT("none of corm_key", KEY, { COL(text), .key = (corm_key)9 });
    EXPECT("needs its type", KEY, { COL(udt) });
    EXPECT("field 'list'", KEY, { COL(list), .cql = "list<" });
    EXPECT("cannot hold a value of type bigint", KEY, { COL(text), .cql = "bigint" });
    EXPECT("none of corm_generate", KEY, { COL(uuid), .generate = (corm_generate)9 });
    EXPECT("only for a uuid", KEY, { COL(text), .generate = CORM_NEW_UUID });
    EXPECT("only for a uuid or timeuuid", KEY, { COL(text), .generate = CORM_NEW_TIMEUUID });
    EXPECT("only for a timestamp", KEY, { COL(text), .generate = CORM_NEW_NOW });
    EXPECT("does not change with each write", KEY,
           { COL(at), .key = CORM_CLUSTERING, .generate = CORM_EACH_NOW });
    EXPECT("only a regular column can be unique",
           { COL(id), .key = CORM_PARTITION, .unique = true });
    EXPECT("cannot be unique", KEY, { COL(list), .unique = true });
    EXPECT("cannot be part of the key", KEY, { COL(list), .key = CORM_CLUSTERING });
    EXPECT("never absent", KEY, { COL(optional), .key = CORM_CLUSTERING });
    EXPECT("static columns need clustering", KEY, { COL(text), .key = CORM_STATIC });
    EXPECT("only key columns and counters", KEY, { COL(counter), .cql = "counter" }, { COL(text) });
}

static void every_fault_of_a_rule_is_named(void **state) {
    (void)state;
    EXPECT("rules of texts", KEY, { COL(number), .validate = { .email = true } });
    EXPECT("rules of texts", KEY, { COL(number), .validate = { .url = true } });
    EXPECT("a rule of texts", KEY, { COL(number), .validate = { .uuid = true } });
    EXPECT("a rule of texts", KEY, { COL(number), .validate = { .pattern = "a" } });
    EXPECT("rules of texts, blobs", KEY, { COL(number), .validate = { .min_length = 1 } });
    EXPECT("greater than .max_length", KEY,
           { COL(text), .validate = { .min_length = 2, .max_length = 1 } });
    EXPECT("rules of numbers", KEY, { COL(text), .validate = { .has_min = true } });
    EXPECT("greater than .max", KEY,
           { COL(number), .validate = { .has_min = true, .min = 2, .has_max = true, .max = 1 } });
    EXPECT(".pattern is wrong at character 2", KEY, { COL(text), .validate = { .pattern = "a(" } });
    EXPECT(NULL, KEY, { COL(list), .validate = { .max_length = 3 } });
}

static void what_is_no_model_is_refused(void **state) {
    (void)state;
    orm_model *out;
    corm_error err = { 0 };
    assert_status(orm__compile(NULL, &out, &err), CORM_INVALID_ARGUMENT);
    static const corm_model nameless = { .row_size = 4 };
    assert_status(orm__compile(&nameless, &out, &err), CORM_INVALID_ARGUMENT);
    static const corm_model sizeless = { .table = "t" };
    assert_status(orm__compile(&sizeless, &out, &err), CORM_INVALID_ARGUMENT);
    static const corm_model wild = { .table = "t", .row_size = 4, ._canary = 1 };
    assert_status(orm__compile(&wild, &out, &err), CORM_INVALID_ARGUMENT);
    static const corm_model brief = { .table = "t",
                                      .row_size = 4,
                                      .options = { .default_ttl_seconds = -1 } };
    assert_status(orm__compile(&brief, &out, &err), CORM_INVALID_ARGUMENT);
    assert_null(out);
}

static void more_fields_continue_the_first_ones(void **state) {
    (void)state;
    static corm_model       model;
    static const corm_field more[] = { { COL(text) }, { COL(number) }, { .name = NULL } };
    orm_model              *compiled;
    corm_error              err = { 0 };
    model = (corm_model){
        .table = "rows", .row_size = sizeof(row), .fields = { KEY }, .more_fields = more
    };
    assert_ok(orm__compile(&model, &compiled, &err), err);
    assert_int_equal(compiled->count, 3);
    assert_text(compiled->fields[2].name, "number");
    const orm_field *field;
    assert_status(orm__field_named(compiled, "nubmer", &field, &err), CORM_INVALID_ARGUMENT);
    assert_non_null(strstr(err.message, "did you mean 'number'?"));
    assert_status(orm__field_named(compiled, "zzzzzzzz", &field, &err), CORM_INVALID_ARGUMENT);
    assert_null(strstr(err.message, "did you mean"));
    orm__model_free(compiled);
}

static void names_are_quoted_and_types_inferred(void **state) {
    (void)state;
    static const corm_model model = {
        .table = "rows",
        .row_size = sizeof(row),
        .fields = { { COL(id), .key = CORM_CLUSTERING_DESC },
                    { COL(uuid), .key = CORM_PARTITION, .generate = CORM_NEW_TIMEUUID },
                    { .name = "Order",
                      .member = CORM_MEMBER_TEXT,
                      .size = sizeof(char *),
                      .offset = offsetof(row, text),
                      .cql = "varchar" } },
    };
    orm_model *compiled;
    corm_error err = { 0 };
    assert_ok(orm__compile(&model, &compiled, &err), err);
    assert_text(compiled->fields[2].quoted, "\"Order\"");
    assert_text(compiled->fields[2].cql, "text");
    assert_text(compiled->fields[1].cql, "timeuuid");
    assert_int_equal(compiled->partition_count, 1);
    assert_text(compiled->keys[0]->name, "uuid");
    assert_text(compiled->keys[1]->name, "id");
    orm__model_free(compiled);
}

static void columns_with_a_role_are_checked(void **state) {
    (void)state;
    EXPECT(NULL, KEY, { COL(counter), .role = CORM_ROW_VERSION },
           { COL(at), .role = CORM_DELETED_AT });
    EXPECT("none of corm_role", KEY, { COL(text), .role = (corm_role)7 });
    EXPECT("only a regular column can have a role",
           { COL(id), .key = CORM_PARTITION, .role = CORM_ROW_VERSION });
    EXPECT("a version is a bigint in an int64_t", KEY, { COL(text), .role = CORM_ROW_VERSION });
    EXPECT("an int32_t cannot hold every version of a bigint", KEY,
           { COL(number), .cql = "bigint", .role = CORM_ROW_VERSION });
    EXPECT("a version has no .skip_zero", KEY,
           { COL(counter), .skip_zero = true, .role = CORM_ROW_VERSION });
    EXPECT("a row has one version", KEY, { COL(counter), .role = CORM_ROW_VERSION },
           { COL(number), .role = CORM_ROW_VERSION });
    EXPECT("the time of a deletion is a timestamp", KEY, { COL(text), .role = CORM_DELETED_AT });
    EXPECT("neither unique nor generated", KEY,
           { COL(at), .generate = CORM_NEW_NOW, .role = CORM_DELETED_AT });
    EXPECT("cannot be required", KEY,
           { COL(at), .role = CORM_DELETED_AT, .validate = { .required = true } });
}

static void expect_scope(corm_scope scope, const char *words) {
    corm_scope scopes[2] = { scope, { .name = NULL } };
    corm_model model = {
        .table = "rows", .row_size = sizeof(row), .fields = { KEY, { COL(text) } }, .scopes = scopes
    };
    orm_model  *compiled = NULL;
    corm_error  err = { 0 };
    corm_status status = orm__compile(&model, &compiled, &err);
    orm__model_free(compiled);
    if (!words) assert_ok(status, err);
    if (words && !strstr(err.message, words)) fail_msg("'%s' instead of '%s'", err.message, words);
}

static void scopes_are_checked(void **state) {
    (void)state;
    expect_scope((corm_scope){ "a", .find = { .where = { corm_eq("text", "x") }, .limit = 3 } },
                 NULL);
    expect_scope((corm_scope){ "a", .find = { .where = { corm_eq("txet", "x") } } },
                 "did you mean 'text'?");
    expect_scope((corm_scope){ "a", .find = { .order_by = { { .column = "none" } } } },
                 "has no column 'none'");
    expect_scope((corm_scope){ "a", .find = { .offset = 3 } },
                 "scope 'a': it has more than conditions, order, limits");
    expect_scope((corm_scope){ "a", .find = { .scope = { "b" } } }, "scope 'a': it has more than");
}

int main(void) {
    UNUSED_HELPERS();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_fault_of_a_model_is_named_with_its_place),
        cmocka_unit_test(every_fault_of_a_rule_is_named),
        cmocka_unit_test(columns_with_a_role_are_checked),
        cmocka_unit_test(scopes_are_checked),
        cmocka_unit_test(what_is_no_model_is_refused),
        cmocka_unit_test(more_fields_continue_the_first_ones),
        cmocka_unit_test(names_are_quoted_and_types_inferred),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
