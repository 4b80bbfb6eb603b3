// SPDX-License-Identifier: MIT
/* Every kind of member, written and read back through the embedded store. */
#include "orm/core.h"

#include "orm/orm_for_tests.h"

typedef struct everything {
    int32_t            id;
    bool               boolean;
    int8_t             tiny;
    int16_t            small;
    int64_t            big;
    float              single;
    double             real;
    corm_str           str;
    corm_bytes         bytes;
    corm_uuid          uuid;
    corm_timestamp     stamp;
    corm_date          date;
    corm_time          time;
    corm_duration      duration;
    corm_inet          inet;
    corm_varint        varint;
    corm_decimal       decimal;
    corm_list          list;
    corm_set           set;
    corm_map           map;
    corm_tuple         tuple;
    corm_udt           address;
    corm_floats        floats;
    corm_value         value;
    corm_opt_bool      opt_bool;
    corm_opt_int       opt_int;
    corm_opt_bigint    opt_bigint;
    corm_opt_float     opt_float;
    corm_opt_double    opt_double;
    corm_opt_timestamp opt_stamp;
    const char        *text;
    char               name[8];
    int64_t            wide_small; /* of a column that is narrower */
    double             wide_float;
} everything;

#define COL(member) CORM_COLUMN(everything, member)
static const corm_model model = {
    .table = "everything",
    .row_size = sizeof(everything),
    .fields = {
        { COL(id), .key = CORM_PARTITION },
        { COL(boolean) },
        { COL(tiny) },
        { COL(small) },
        { COL(big) },
        { COL(single) },
        { COL(real) },
        { COL(str) },
        { COL(bytes) },
        { COL(uuid) },
        { COL(stamp) },
        { COL(date) },
        { COL(time) },
        { COL(duration) },
        { COL(inet) },
        { COL(varint) },
        { COL(decimal) },
        { COL(list), .cql = "list<int>" },
        { COL(set) },
        { COL(map), .cql = "map<text, int>" },
        { COL(tuple), .cql = "tuple<int, text>" },
        { COL(address), .cql = "frozen<address>" },
        { COL(floats), .cql = "vector<float, 3>" },
        { COL(value), .cql = "list<frozen<list<int>>>" },
        { COL(opt_bool) },
        { COL(opt_int) },
        { COL(opt_bigint) },
        { COL(opt_float) },
        { COL(opt_double) },
        { COL(opt_stamp) },
        { COL(text) },
        { COL(name) },
        { COL(wide_small), .cql = "smallint" },
        { COL(wide_float), .cql = "float" },
    },
};
#undef COL

static corm_db *open_everything(void) {
    corm_db *db = open_db();
    run(db, "CREATE TYPE address (street text, number int)");
    return db;
}

static everything *find_first(corm_db *db, corm_rows **rows) {
    corm_error err = { 0 };
    assert_ok(corm_find(db, &model, rows, { .error = &err }), err);
    assert_int_equal(corm_rows_count(*rows), 1);
    return corm_rows_first(*rows);
}

static everything full_row(void) {
    static const float      vector[] = { 1.5f, -2, 0 };
    static const corm_value list[] = { { .kind = CORM_INT, .as.i32 = 3 },
                                       { .kind = CORM_INT, .as.i32 = 1 } };
    static const corm_value set[] = { { .kind = CORM_TEXT, .as.text = { "a", 1 } } };
    static const corm_value map[] = { { .kind = CORM_TEXT, .as.text = { "k", 1 } },
                                      { .kind = CORM_INT, .as.i32 = 9 } };
    static const corm_value tuple[] = { { .kind = CORM_INT, .as.i32 = 4 },
                                        { .kind = CORM_TEXT, .as.text = { "t", 1 } } };
    static const corm_value address[] = { { .kind = CORM_TEXT, .as.text = { "Main", 4 } },
                                          { .kind = CORM_INT, .as.i32 = 12 } };
    static const corm_value inner[] = { { .kind = CORM_LIST,
                                          .as.items = { .items = list, .count = 2 } } };
    everything              row = { .id = 1,
                                    .boolean = true,
                                    .tiny = -8,
                                    .small = -300,
                                    .big = INT64_MIN,
                                    .single = 0.5f,
                                    .real = -1e300,
                                    .str = { "st\0r", 4 },
                                    .bytes = { (const uint8_t *)"\0\1", 2 },
                                    .stamp = { -5 },
                                    .date = { -1 },
                                    .time = { 7 },
                                    .duration = { 1, 2, 3 },
                                    .list = { list, 2 },
                                    .set = { set, 1 },
                                    .map = { map, 1 },
                                    .tuple = { tuple, 2 },
                                    .address = { address, 2 },
                                    .floats = { vector, 3 },
                                    .value = corm_of_items(CORM_LIST, inner, 1),
                                    .opt_bool = { CORM_PRESENT, true },
                                    .opt_int = { CORM_PRESENT, -1 },
                                    .opt_bigint = { CORM_PRESENT, INT64_MAX },
                                    .opt_float = { CORM_PRESENT, 2 },
                                    .opt_double = { CORM_PRESENT, 3 },
                                    .opt_stamp = { CORM_PRESENT, { 4 } },
                                    .text = "grün",
                                    .name = "1234567",
                                    .wide_small = -5,
                                    .wide_float = 0.25 };
    row.uuid.bytes[0] = 9;
    row.varint = corm_varint_of(-77);
    row.decimal = corm_decimal_of(1999, 2);
    assert_int_equal(corm_inet_parse("10.0.0.1", &row.inet, NULL), CORM_OK);
    return row;
}

static void check_scalars(const everything *a, const everything *b) {
    assert_int_equal(a->boolean, b->boolean);
    assert_int_equal(a->tiny, b->tiny);
    assert_int_equal(a->small, b->small);
    assert_true(a->big == b->big && a->single == b->single && a->real == b->real);
    assert_true(corm_str_equal(a->str, b->str));
    assert_int_equal(a->bytes.len, b->bytes.len);
    assert_memory_equal(a->bytes.data, b->bytes.data, b->bytes.len);
    assert_true(corm_uuid_equal(a->uuid, b->uuid));
    assert_int_equal(a->stamp.ms, b->stamp.ms);
    assert_int_equal(a->date.days, b->date.days);
    assert_int_equal(a->time.ns, b->time.ns);
    assert_int_equal(a->duration.months, b->duration.months);
    assert_int_equal(a->duration.ns, b->duration.ns);
    assert_int_equal(a->inet.length, b->inet.length);
    assert_memory_equal(a->inet.bytes, b->inet.bytes, 4);
    assert_int_equal(a->varint.small[0], b->varint.small[0]);
    assert_int_equal(a->decimal.scale, b->decimal.scale);
    assert_string_equal(a->text, b->text);
    assert_string_equal(a->name, b->name);
    assert_int_equal(a->wide_small, b->wide_small);
    assert_true(a->wide_float == b->wide_float);
}

static void check_optionals(const everything *a) {
    assert_true(a->opt_bool.presence == CORM_PRESENT && a->opt_bool.value);
    assert_true(a->opt_int.presence == CORM_PRESENT && a->opt_int.value == -1);
    assert_true(a->opt_bigint.presence == CORM_PRESENT && a->opt_bigint.value == INT64_MAX);
    assert_true(a->opt_float.presence == CORM_PRESENT && a->opt_float.value == 2);
    assert_true(a->opt_double.presence == CORM_PRESENT && a->opt_double.value == 3);
    assert_true(a->opt_stamp.presence == CORM_PRESENT && a->opt_stamp.value.ms == 4);
}

static void check_items(const everything *a) {
    assert_int_equal(a->list.count, 2);
    assert_int_equal(a->list.items[0].as.i32, 3);
    assert_true(corm_set_has(&a->set, "a"));
    assert_int_equal(a->map.count, 1);
    assert_int_equal(corm_map_get(&a->map, "k")->as.i32, 9);
    assert_int_equal(a->tuple.items[0].as.i32, 4);
    assert_text(a->address.items[0].as.text, "Main");
    assert_int_equal(a->address.items[1].as.i32, 12);
    assert_int_equal(a->floats.count, 3);
    assert_true(a->floats.items[0] == 1.5f && a->floats.items[1] == -2);
    assert_int_equal(a->value.kind, CORM_LIST);
    assert_int_equal(a->value.as.items.items[0].as.items.items[1].as.i32, 1);
}

static void every_kind_of_member_is_written_and_read_back(void **state) {
    (void)state;
    corm_db   *db = open_everything();
    corm_rows *rows;
    corm_error err = { 0 };
    everything row = full_row();
    assert_ok(corm_insert(db, &model, &row, { .error = &err }), err);
    everything *found = find_first(db, &rows);
    check_scalars(found, &row);
    check_optionals(found);
    check_items(found);
    for (int i = 0; model.fields[i].name; i++) {
        assert_false(corm_rows_is_null(rows, 0, model.fields[i].name));
    }
    everything again = *found;
    again.id = 1;
    assert_ok(corm_save(db, &model, &again, { .error = &err }), err);
    corm_rows_free(rows);
    check_items(find_first(db, &rows));
    corm_rows_free(rows);
    corm_db_close(db);
}

static void a_member_that_holds_nothing_is_not_written(void **state) {
    (void)state;
    static const char *const held[] = { "str",  "bytes", "uuid",    "inet",    "varint",
                                        "list", "set",   "map",     "tuple",   "address",
                                        "text", "value", "opt_int", "decimal", "floats" };
    corm_db                 *db = open_everything();
    corm_rows               *rows;
    corm_error               err = { 0 };
    everything               row = { .id = 1 };
    assert_ok(corm_insert(db, &model, &row, { .error = &err }), err);
    everything *found = find_first(db, &rows);
    for (size_t i = 0; i < sizeof held / sizeof *held; i++) {
        assert_true(corm_rows_is_null(rows, 0, held[i]));
    }
    assert_false(corm_rows_is_null(rows, 0, "big"));
    assert_false(corm_rows_is_null(rows, 0, "boolean"));
    assert_false(corm_rows_is_null(rows, 0, "stamp"));
    assert_int_equal(found->opt_int.presence, CORM_IS_NULL);
    assert_int_equal(found->value.kind, CORM_NULL);
    assert_null(found->text);
    corm_rows_free(rows);
    assert_ok(corm_find(db, &model, &rows, { .select = { "id" }, .error = &err }), err);
    found = corm_rows_first(rows);
    assert_int_equal(found->opt_int.presence, CORM_ABSENT);
    assert_int_equal(found->value.kind, CORM_UNSET);
    assert_true(corm_rows_is_null(rows, 0, "big"));
    corm_rows_free(rows);
    corm_db_close(db);
}

static void an_optional_that_is_null_deletes_the_column(void **state) {
    (void)state;
    corm_db   *db = open_everything();
    corm_rows *rows;
    corm_error err = { 0 };
    everything row = full_row();
    assert_ok(corm_insert(db, &model, &row, { .error = &err }), err);
    row = (everything){ .id = 1,
                        .opt_int = { CORM_IS_NULL, 0 },
                        .opt_bool = { CORM_IS_NULL, 0 },
                        .value = corm_null() };
    assert_ok(corm_update(db, &model, &row, { .null = { "text" }, .error = &err }), err);
    find_first(db, &rows);
    assert_true(corm_rows_is_null(rows, 0, "opt_int"));
    assert_true(corm_rows_is_null(rows, 0, "opt_bool"));
    assert_true(corm_rows_is_null(rows, 0, "value"));
    assert_true(corm_rows_is_null(rows, 0, "text"));
    assert_false(corm_rows_is_null(rows, 0, "opt_bigint"));
    assert_false(corm_rows_is_null(rows, 0, "str"));
    corm_rows_free(rows);
    corm_db_close(db);
}

/* ---- values that do not fit ---- */

typedef struct narrow {
    int32_t      id;
    char         name[4];
    char        *text;
    int32_t      number;
    int8_t       tiny;
    int16_t      small;
    corm_opt_int optional;
} narrow;

#define COL(member) CORM_COLUMN(narrow, member)
static const corm_model narrow_model = {
    .table = "narrow",
    .row_size = sizeof(narrow),
    .fields = { { COL(id), .key = CORM_PARTITION },
                { COL(name) },
                { COL(text) },
                { COL(number), .cql = "bigint" },
                { COL(tiny), .cql = "varint" },
                { COL(small), .cql = "bigint" },
                { COL(optional), .cql = "bigint" } },
};
#undef COL

static void expect_misfit(corm_db *db, const char *insert, const char *column) {
    corm_rows *rows;
    corm_error err = { 0 };
    run(db, insert);
    assert_status(corm_find(db, &narrow_model, &rows, { .error = &err }), CORM_CONVERSION);
    assert_null(rows);
    assert_non_null(strstr(err.message, column));
    run(db, "TRUNCATE narrow");
}

static void a_value_that_does_not_fit_is_an_error_and_never_cut(void **state) {
    (void)state;
    corm_db   *db = open_db();
    corm_error err = { 0 };
    corm_rows *rows;
    assert_ok(corm_load(db, &narrow_model, &err), err);
    expect_misfit(db, "INSERT INTO narrow (id, name) VALUES (1, 'four')", "'name'");
    expect_misfit(db, "INSERT INTO narrow (id, text) VALUES (1, blobAsText(0x610062))", "'text'");
    expect_misfit(db, "INSERT INTO narrow (id, name) VALUES (1, blobAsText(0x6100))", "'name'");
    expect_misfit(db, "INSERT INTO narrow (id, number) VALUES (1, 2147483648)", "'number'");
    expect_misfit(db, "INSERT INTO narrow (id, tiny) VALUES (1, 128)", "'tiny'");
    expect_misfit(db, "INSERT INTO narrow (id, tiny) VALUES (1, 9999999999999999999999)", "'tiny'");
    expect_misfit(db, "INSERT INTO narrow (id, small) VALUES (1, -32769)", "'small'");
    expect_misfit(db, "INSERT INTO narrow (id, optional) VALUES (1, 2147483648)", "'optional'");
    run(db, "INSERT INTO narrow (id, name, text, number, tiny, small, optional) VALUES (1, 'abc', "
            "'', -2147483648, 127, -32768, 5)");
    assert_ok(corm_find(db, &narrow_model, &rows, { .error = &err }), err);
    narrow *n = corm_rows_first(rows);
    assert_string_equal(n->name, "abc");
    assert_string_equal(n->text, "");
    assert_true(n->number == INT32_MIN && n->tiny == 127 && n->small == INT16_MIN);
    assert_int_equal(n->optional.value, 5);
    corm_rows_free(rows);
    assert_status(
        corm_query(db, &narrow_model, "SELECT name AS id FROM narrow", &rows, { .error = &err }),
        CORM_CONVERSION);
    assert_non_null(strstr(err.message, "'id'"));
    corm_db_close(db);
}

static void char_arrays_must_end(void **state) {
    (void)state;
    corm_db   *db = open_db();
    corm_error err = { 0 };
    narrow     row = { .id = 1 };
    memcpy(row.name, "four", 4);
    assert_status(corm_insert(db, &narrow_model, &row, { .error = &err }), CORM_INVALID_ARGUMENT);
    assert_non_null(strstr(err.message, "name"));
    corm_db_close(db);
}

static void a_text_is_followed_by_a_zero_byte_wherever_it_stands(void **state) {
    (void)state;
    corm_db   *db = open_db();
    corm_error err = { 0 };
    corm_rows *rows;
    assert_ok(corm_load(db, &narrow_model, &err), err);
    run(db, "INSERT INTO narrow (id, text, name) VALUES (1, 'before a value', 'x')");
    run(db, "INSERT INTO narrow (id, text) VALUES (2, 'before a null')");
    assert_ok(corm_query(db, &narrow_model, "SELECT id, name, text FROM narrow", &rows,
                         { .error = &err }),
              err);
    for (CORM_EACH(narrow, n, rows)) {
        assert_string_equal(n->text, n->id == 1 ? "before a value" : "before a null");
    }
    corm_rows_free(rows);
    assert_ok(corm_query(db, &narrow_model, "SELECT id, text, number FROM narrow", &rows,
                         { .error = &err }),
              err);
    for (CORM_EACH(narrow, n, rows)) {
        assert_string_equal(n->text, n->id == 1 ? "before a value" : "before a null");
    }
    corm_rows_free(rows);
    corm_db_close(db);
}

int main(void) {
    UNUSED_HELPERS();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_member_is_written_and_read_back),
        cmocka_unit_test(a_member_that_holds_nothing_is_not_written),
        cmocka_unit_test(an_optional_that_is_null_deletes_the_column),
        cmocka_unit_test(a_value_that_does_not_fit_is_an_error_and_never_cut),
        cmocka_unit_test(char_arrays_must_end),
        cmocka_unit_test(a_text_is_followed_by_a_zero_byte_wherever_it_stands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
