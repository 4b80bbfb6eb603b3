// SPDX-License-Identifier: MIT
/* Rows of models as JSON and back, each type, and what the faults of a text say. */
#include "corm/json.h"

#include <math.h>

#include "stream/stream_for_tests.h"

typedef struct thing {
    corm_uuid      id;
    bool           on_sale;
    int8_t         tiny;
    int64_t        big;
    float          f;
    double         d;
    char          *name;
    char           code[8];
    corm_bytes     raw;
    corm_timestamp at;
    corm_date      day;
    corm_time      time;
    corm_duration  span;
    corm_inet      address;
    corm_varint    huge;
    corm_decimal   price;
    corm_list      numbers;
    corm_set       tags;
    corm_map       stock;
    corm_map       by_day;
    corm_tuple     pair;
    corm_udt       place;
    corm_floats    vector;
    corm_opt_int   score;
    corm_value     any;
    char          *secret, *card, *hash;
} thing;

static corm_value upper_name(const void *row, void *context) {
    static char  text[32];
    const thing *self = row;
    (void)context;
    snprintf(text, sizeof text, "<%s>", self->name ? self->name : "");
    return corm_of_text(text);
}

static const corm_virtual virtuals[] = { { .name = "shout", .value = upper_name },
                                         { .name = NULL } };

#define COL(member) CORM_COLUMN(thing, member)
static const corm_model things = {
    .table = "things",
    .row_size = sizeof(thing),
    .virtuals = virtuals,
    .fields = {
        { COL(id), .key = CORM_PARTITION },
        { COL(on_sale) },
        { COL(tiny), .skip_zero = true },
        { COL(big), .skip_zero = true },
        { COL(f), .skip_zero = true },
        { COL(d), .skip_zero = true },
        { COL(name) },
        { COL(code), .skip_zero = true },
        { COL(raw) },
        { COL(at), .skip_zero = true },
        { COL(day), .skip_zero = true },
        { COL(time), .skip_zero = true },
        { COL(span), .skip_zero = true },
        { COL(address) },
        { COL(huge) },
        { COL(price) },
        { COL(numbers), .cql = "list<frozen<list<decimal>>>" },
        { COL(tags), .cql = "set<text>" },
        { COL(stock), .cql = "map<text, bigint>" },
        { COL(by_day), .cql = "map<frozen<tuple<int, date>>, boolean>" },
        { COL(pair), .cql = "frozen<tuple<int, timestamp>>" },
        { COL(place), .cql = "frozen<place>" },
        { COL(vector), .cql = "vector<float, 3>" },
        { COL(score) },
        { COL(any), .cql = "varint" },
        { COL(secret), .shown = CORM_MASKED },
        { COL(card), .shown = CORM_MASKED_PARTLY },
        { COL(hash), .shown = CORM_HIDDEN },
    },
};
#undef COL

static corm_db *open_things(void) {
    corm_db   *db = open_db();
    corm_error err = { 0 };
    run(db, "CREATE TYPE place (street text, zip int)");
    assert_ok(corm_load(db, &things, &err), err);
    return db;
}

static corm_rows *read(corm_db *db, const char *json) {
    corm_error err = { 0 };
    corm_rows *rows = NULL;
    assert_ok(corm_from_json(db, &things, json, &rows, { .error = &err }), err);
    return rows;
}

static void expect(corm_db *db, const void *row, corm_json_options options, const char *expected) {
    corm_error err = { 0 };
    char      *text = NULL;
    options.error = &err;
    assert_ok(corm_to_json_with(db, &things, row, &text, &options), err);
    assert_string_equal(text, expected);
    free(text);
}

static const char whole[] =
    "{\"id\": \"00000000-0000-4000-8000-00000000002a\", \"on_sale\": true, \"tiny\": -8, "
    "\"big\": 9007199254740993, \"f\": 1.5, \"d\": 0.1, \"name\": \"Ada \\\"L\\\" \\u0007 é\", "
    "\"code\": \"x1\", \"raw\": \"0x00cafe\", \"at\": \"2026-01-31T10:11:12.345Z\", "
    "\"day\": \"2026-01-31\", \"time\": \"10:11:12.000000001\", \"span\": \"1mo2d3h\", "
    "\"address\": \"10.0.0.1\", \"huge\": 123456789012345678901234567890, "
    "\"price\": 19.990000000000000000001, \"numbers\": [[1.10, 2], []], "
    "\"tags\": [\"a\", \"b\"], \"stock\": {\"x y\": 9007199254740993}, "
    "\"by_day\": {\"[1, \\\"2026-01-31\\\"]\": true}, "
    "\"pair\": [7, \"2026-01-31T10:11:12.345Z\"], "
    "\"place\": {\"street\": \"High\", \"zip\": null}, \"vector\": [1.0, -2.5, 0.0], "
    "\"score\": 5, \"any\": 77}";

static void what_is_read_is_written_as_it_was(void **state) {
    (void)state;
    corm_db   *db = open_things();
    corm_rows *rows = read(db, whole);
    assert_int_equal(corm_rows_count(rows), 1);
    const thing *row = corm_rows_first(rows);
    assert_int_equal(row->big, 9007199254740993);
    assert_int_equal(row->at.ms, 1769854272345);
    assert_int_equal(row->score.value, 5);
    expect(db, row, (corm_json_options){ .no_virtuals = true }, whole);
    corm_rows_free(rows);
    corm_db_close(db);
}

static void a_row_goes_through_the_store(void **state) {
    (void)state;
    corm_db   *db = open_things();
    corm_error err = { 0 };
    corm_rows *rows = read(db, whole), *found = NULL;
    char      *text;
    assert_ok(corm_insert(db, &things, corm_rows_first(rows), { .error = &err }), err);
    assert_ok(corm_find(db, &things, &found, { .error = &err }), err);
    assert_ok(corm_rows_to_json(found, &text, { .no_virtuals = true, .error = &err }), err);
    assert_int_equal(text[0], '[');
    text[strlen(text) - 1] = 0;
    assert_string_equal(text + 1, whole);
    free(text);
    corm_rows_free(found);
    corm_rows_free(rows);
    corm_db_close(db);
}

static void what_is_masked_or_hidden_is_not_told(void **state) {
    (void)state;
    corm_db *db = open_things();
    thing    row = { .name = (char *)(uintptr_t) "Ada",
                     .secret = (char *)(uintptr_t) "s3cret",
                     .card = (char *)(uintptr_t) "4111111111111234",
                     .hash = (char *)(uintptr_t) "h" };
    row.id.bytes[15] = 1;
    expect(db, &row, (corm_json_options){ .except = { "id", "on_sale" } },
           "{\"name\": \"Ada\", \"secret\": \"***\", \"card\": \"***1234\", \"shout\": \"<Ada>\"}");
    expect(db, &row, (corm_json_options){ .only = { "secret", "card", "hash" }, .reveal = true },
           "{\"secret\": \"s3cret\", \"card\": \"4111111111111234\", \"hash\": \"h\"}");
    expect(db, &row, (corm_json_options){ .only = { "name", "tags" }, .nulls = true, .indent = 2 },
           "{\n  \"name\": \"Ada\",\n  \"tags\": null\n}");
    corm_db_close(db);
}

static void numbers_are_strings_where_doubles_would_lose(void **state) {
    (void)state;
    corm_db   *db = open_things();
    corm_rows *rows = read(db, whole);
    expect(db, corm_rows_first(rows),
           (corm_json_options){ .only = { "big", "tiny", "price", "stock" }, .safe_numbers = true },
           "{\"tiny\": -8, \"big\": \"9007199254740993\", \"price\": \"19.990000000000000000001\", "
           "\"stock\": {\"x y\": \"9007199254740993\"}}");
    corm_rows_free(rows);
    rows = read(
        db,
        "{\"big\": \"9007199254740993\", \"price\": \"1.50\", \"d\": \"NaN\", \"f\": \"-Infinity\"}");
    const thing *row = corm_rows_first(rows);
    assert_int_equal(row->big, 9007199254740993);
    assert_true(isnan(row->d));
    assert_true(isinf(row->f));
    expect(db, row, (corm_json_options){ .only = { "price", "d", "f" } },
           "{\"f\": \"-Infinity\", \"d\": \"NaN\", \"price\": 1.50}");
    corm_rows_free(rows);
    corm_db_close(db);
}

static void what_is_not_given_is_null(void **state) {
    (void)state;
    corm_db   *db = open_things();
    corm_rows *rows = read(db, " [ {\"name\": null, \"tiny\": 0}, {} ] ");
    assert_int_equal(corm_rows_count(rows), 2);
    assert_true(corm_rows_is_null(rows, 0, "name"));
    assert_false(corm_rows_is_null(rows, 0, "tiny"));
    assert_true(corm_rows_is_null(rows, 1, "tiny"));
    corm_rows_free(rows);
    rows = read(db, "[]");
    assert_int_equal(corm_rows_count(rows), 0);
    corm_rows_free(rows);
    corm_db_close(db);
}

static void refuse(corm_db *db, const char *json, uint32_t line, uint32_t column,
                   const char *message) {
    corm_error      err = { 0 };
    corm_rows      *rows;
    corm_violations all = { .count = 0 };
    assert_status(corm_from_json(db, &things, json, &rows, { .error = &err, .violations = &all }),
                  CORM_INVALID);
    if (!strstr(err.message, message)) fail_msg("'%s' instead of '%s'", err.message, message);
    assert_int_equal(err.line, line);
    assert_int_equal(err.column, column);
    assert_true(all.count > 0);
    assert_null(rows);
}

static void faults_are_named_with_their_place(void **state) {
    (void)state;
    corm_db *db = open_things();
    refuse(db, "{\"nam\": 1}", 1, 2, "did you mean 'name'?");
    refuse(db, "{\n  \"big\": \"x\"}", 2, 10, "big: ");
    refuse(db, "{\"stock\": {\"a\": 1, \"b\": true}}", 1, 25, "stock: ");
    refuse(db, "{\"place\": {\"stret\": \"x\"}}", 1, 12, "did you mean 'street'?");
    refuse(db, "{\"tags\": {}}", 1, 10, "an array expected");
    refuse(db, "{\"vector\": [1, 2]}", 1, 12, "vector: ");
    refuse(db, "{\"pair\": [1, null, 3]}", 1, 20, "has 2 items");
    refuse(db, "{\"name\": \"a\", \"name\": \"b\"}", 1, 15, "given twice");
    refuse(db, "{\"tiny\": 300}", 1, 10, "tiny: ");
    refuse(db, "{\"code\": \"12345678\"}", 1, 10, "does not fit");
    refuse(db, "{\"secret\": \"***\"}", 1, 12, "masked");
    refuse(db, "{\"name\": \"a\"", 1, 13, "ends too early");
    refuse(db, "[{}, 7]", 1, 6, "an object expected");
    refuse(db, "nothing", 1, 1, "no JSON");
    corm_db_close(db);
}

static void all_faults_are_noted(void **state) {
    (void)state;
    corm_db        *db = open_things();
    corm_error      err = { 0 };
    corm_rows      *rows;
    corm_violations all;
    assert_status(corm_from_json(db, &things, "{\"tiny\": 300, \"on_sale\": 1, \"x\": 2}", &rows,
                                 { .error = &err, .violations = &all }),
                  CORM_INVALID);
    assert_int_equal(all.count, 3);
    assert_string_equal(all.items[1].field, "on_sale");
    assert_ok(corm_from_json(db, &things, "{\"x\": 2, \"shout\": 1}", &rows,
                             { .error = &err, .ignore_unknown = true }),
              err);
    corm_rows_free(rows);
    corm_db_close(db);
}

int main(void) {
    UNUSED_HELPERS();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_read_is_written_as_it_was),
        cmocka_unit_test(a_row_goes_through_the_store),
        cmocka_unit_test(what_is_masked_or_hidden_is_not_told),
        cmocka_unit_test(numbers_are_strings_where_doubles_would_lose),
        cmocka_unit_test(what_is_not_given_is_null),
        cmocka_unit_test(faults_are_named_with_their_place),
        cmocka_unit_test(all_faults_are_noted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
