// SPDX-License-Identifier: MIT
#include "session/core.h"

#include "testing/check.h"
#include "testing/script.h"

enum {
    TINY,
    SMALL,
    INT,
    BIG,
    FLOAT,
    DOUBLE,
    VARINT,
    DECIMAL,
    BOOLEAN,
    TEXT,
    ASCII,
    UUID,
    TIMESTAMP,
    TIME,
    BLOB,
    MAP,
    COLUMNS
};

static const char *const columns[] = { "a tinyint",   "b smallint", "c int",    "d bigint",
                                       "e float",     "f double",   "g varint", "h decimal",
                                       "i boolean",   "j text",     "k ascii",  "l uuid",
                                       "m timestamp", "n time",     "o blob",   "p map<text, int>",
                                       NULL };
static const char *const cells[] = { "-8",
                                     "-300",
                                     "70000",
                                     "-5000000000",
                                     "1.5",
                                     "0.1",
                                     "123456789",
                                     "12.5",
                                     "true",
                                     "'caf\xc3\xa9'",
                                     "'plain'",
                                     "123e4567-e89b-12d3-a456-426614174000",
                                     "'2026-01-31 10:00:00.123+0000'",
                                     "'00:00:01'",
                                     "0xcafe",
                                     "{'x': 1, 'y': 2}",
                                     NULL };
static const char *const nulls[] = { "null", "null", "null", "null", "null", "null",
                                     "null", "null", "null", "null", "null", "null",
                                     "null", "null", "null", "null", NULL };

static const testing_line lines[] = {
    { .text = "SELECT all", .columns = columns, .cells = cells },
    { .text = "SELECT nulls", .columns = columns, .cells = nulls },
    { 0 },
};

typedef struct fixture {
    testing_script  script;
    corm_session   *session;
    corm_result    *result;
    const corm_row *row;
} fixture;

static void open_row(fixture *f, const char *cql) {
    corm_error err;
    f->script = TESTING_SCRIPT(lines);
    f->session = testing__scripted_session(&f->script);
    assert_ok(corm_execute(f->session, cql, &f->result, { .error = &err }), err);
    f->row = corm_result_next(f->result);
    assert_non_null(f->row);
}

static void close_row(fixture *f) {
    corm_result_free(f->result);
    corm_session_close(f->session);
}

static void numbers_are_read_by_width(void **state) {
    (void)state;
    fixture f;
    open_row(&f, "SELECT all");
    assert_int_equal(corm_row_int(f.row, TINY), -8);
    assert_int_equal(corm_row_int(f.row, SMALL), -300);
    assert_int_equal(corm_row_int(f.row, INT), 70000);
    assert_int_equal(corm_row_int(f.row, BIG), 0);
    assert_int_equal(corm_row_bigint(f.row, TINY), -8);
    assert_true(corm_row_bigint(f.row, BIG) == -5000000000);
    assert_int_equal(corm_row_bigint(f.row, VARINT), 123456789);
    assert_int_equal(corm_row_bigint(f.row, TIMESTAMP), 1769853600123);
    assert_int_equal(corm_row_bigint(f.row, TIME), 1000000000);
    assert_int_equal(corm_row_bigint(f.row, DOUBLE), 0);
    assert_true(corm_row_double(f.row, FLOAT) == 1.5);
    assert_true(corm_row_double(f.row, DOUBLE) == 0.1);
    assert_true(corm_row_double(f.row, BIG) == -5e9);
    assert_true(corm_row_double(f.row, VARINT) == 123456789);
    assert_true(corm_row_double(f.row, DECIMAL) == 12.5);
    assert_true(corm_row_double(f.row, TIMESTAMP) == 0);
    assert_true(corm_row_double(f.row, TEXT) == 0);
    close_row(&f);
}

static void other_scalars_are_read_by_their_type(void **state) {
    (void)state;
    fixture f;
    char    text[37];
    open_row(&f, "SELECT all");
    assert_true(corm_row_bool(f.row, BOOLEAN));
    assert_false(corm_row_bool(f.row, TINY));
    assert_text(corm_row_text(f.row, TEXT), "caf\xc3\xa9");
    assert_text(corm_row_text(f.row, ASCII), "plain");
    assert_text(corm_row_text(f.row, BLOB), "");
    corm_uuid_format(corm_row_uuid(f.row, UUID), text);
    assert_string_equal(text, cells[UUID]);
    assert_true(corm_uuid_is_zero(corm_row_uuid(f.row, TEXT)));
    assert_int_equal(corm_row_timestamp(f.row, TIMESTAMP).ms, 1769853600123);
    assert_int_equal(corm_row_timestamp(f.row, BIG).ms, 0);
    assert_int_equal(corm_row_bytes(f.row, BLOB).len, 2);
    assert_memory_equal(corm_row_bytes(f.row, BLOB).data, "\xca\xfe", 2);
    close_row(&f);
}

static void any_column_is_a_value(void **state) {
    (void)state;
    fixture    f;
    corm_value value;
    corm_error err;
    open_row(&f, "SELECT all");
    assert_ok(corm_row_value(f.row, INT, &value, &err), err);
    assert_int_equal(value.kind, CORM_INT);
    assert_int_equal(value.as.i32, 70000);
    assert_ok(corm_row_value(f.row, MAP, &value, &err), err);
    assert_int_equal(value.kind, CORM_MAP);
    assert_int_equal(value.as.items.count, 4);
    assert_text(value.as.items.items[2].as.text, "y");
    assert_int_equal(value.as.items.items[3].as.i32, 2);
    assert_ok(corm_row_value(f.row, COLUMNS, &value, &err), err);
    assert_int_equal(value.kind, CORM_NULL);
    close_row(&f);
}

static void every_column_has_a_text(void **state) {
    (void)state;
    fixture f;
    open_row(&f, "SELECT all");
    assert_text(corm_row_format(f.row, BIG), "-5000000000");
    assert_text(corm_row_format(f.row, DECIMAL), "12.5");
    assert_text(corm_row_format(f.row, BOOLEAN), "True");
    assert_text(corm_row_format(f.row, BLOB), "0xcafe");
    assert_text(corm_row_format(f.row, MAP), "{'x': 1, 'y': 2}");
    assert_text(corm_row_format(f.row, COLUMNS), "null");
    close_row(&f);
}

static void null_reads_as_nothing(void **state) {
    (void)state;
    fixture    f;
    corm_value value;
    corm_error err;
    open_row(&f, "SELECT nulls");
    for (uint32_t i = 0; i <= COLUMNS; i++) {
        assert_true(corm_row_is_null(f.row, i));
        assert_null(corm_row_bytes(f.row, i).data);
        assert_false(corm_row_bool(f.row, i));
        assert_int_equal(corm_row_int(f.row, i), 0);
        assert_int_equal(corm_row_bigint(f.row, i), 0);
        assert_true(corm_row_double(f.row, i) == 0);
        assert_text(corm_row_text(f.row, i), "");
        assert_true(corm_uuid_is_zero(corm_row_uuid(f.row, i)));
        assert_int_equal(corm_row_timestamp(f.row, i).ms, 0);
        assert_text(corm_row_format(f.row, i), "null");
        assert_ok(corm_row_value(f.row, i, &value, &err), err);
        assert_int_equal(value.kind, CORM_NULL);
    }
    close_row(&f);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(numbers_are_read_by_width),
    cmocka_unit_test(other_scalars_are_read_by_their_type),
    cmocka_unit_test(any_column_is_a_value),
    cmocka_unit_test(every_column_has_a_text),
    cmocka_unit_test(null_reads_as_nothing),
};

RUN_TESTS()
