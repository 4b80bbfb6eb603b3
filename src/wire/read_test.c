// SPDX-License-Identifier: MIT
#include "base/map.h"
#include "testing/check.h"
#include "wire/metadata.h"

#define TEXT(literal)                                                                              \
    { literal, sizeof literal - 1 }

/* Every test's body, arena and what was read. */
typedef struct fixture {
    base_buf    body;
    base_arena  arena;
    wire_result result;
    corm_error  err;
} fixture;

static corm_status read_body(fixture *f, uint8_t version) {
    return wire__result_read(base__buf_bytes(&f->body), version, &f->arena, &f->result, &f->err);
}

static void drop(fixture *f) {
    base__buf_free(&f->body);
    base__arena_free(&f->arena);
}

static uint32_t users_columns(cql_result_column *columns) {
    columns[0] =
        (cql_result_column){ TEXT("shop"), TEXT("users"), TEXT("id"), cql__type_native(CQL_INT) };
    columns[1] = (cql_result_column){ TEXT("shop"), TEXT("users"), TEXT("name"),
                                      cql__type_native(CQL_TEXT) };
    return 2;
}

static void put_user(wire_rows_writer *writer, int32_t id, const char *name) {
    uint8_t number[4];
    base__store_u32(number, (uint32_t)id);
    cql__put_value(writer->body, (cql_value){ number, 4 });
    corm_str  text = corm_str_of(name);
    cql_value value = { (const uint8_t *)text.data, (int32_t)text.len };
    cql__put_value(writer->body, name ? value : CQL_NULL);
    wire__row_done(writer);
}

static void put_users(base_buf *body, bool skip_metadata, corm_bytes changed_id, corm_bytes state) {
    cql_result_column columns[2];
    uint32_t          count = users_columns(columns);
    wire_rows_writer  writer;
    wire__rows_begin(&writer, body, columns, count, skip_metadata, WIRE_VERSION);
    if (changed_id.data) wire__rows_changed(&writer, changed_id);
    put_user(&writer, 7, "Ada");
    put_user(&writer, 8, NULL);
    wire__rows_end(&writer, state);
}

static void check_users(fixture *f) {
    base_reader rows = f->result.rows;
    assert_int_equal(f->result.kind, WIRE_ROWS);
    assert_int_equal(f->result.row_count, 2);
    cql_value id = cql__read_value(&rows);
    cql_value name = cql__read_value(&rows);
    assert_int_equal(id.len, 4);
    assert_int_equal(base__load_u32(id.data), 7);
    assert_memory_equal(name.data, "Ada", 3);
    assert_int_equal(base__load_u32(cql__read_value(&rows).data), 8);
    assert_int_equal(cql__read_value(&rows).len, -1);
    assert_int_equal(rows.len, 0);
    assert_false(rows.failed);
}

static const corm_bytes no_bytes;

static void void_is_four_bytes(void **state) {
    (void)state;
    fixture f = { 0 };
    wire__put_void(&f.body);
    assert_int_equal(f.body.len, 4);
    assert_ok(read_body(&f, 5), f.err);
    assert_int_equal(f.result.kind, WIRE_VOID);
    assert_int_equal(f.result.row_count, 0);
    drop(&f);
}

static void set_keyspace_names_it(void **state) {
    (void)state;
    fixture f = { 0 };
    wire__put_set_keyspace(&f.body, corm_str_of("Shop"));
    assert_ok(read_body(&f, 5), f.err);
    assert_int_equal(f.result.kind, WIRE_SET_KEYSPACE);
    assert_text(f.result.keyspace, "Shop");
    drop(&f);
}

static void a_schema_change_names_what_changed(void **state) {
    (void)state;
    fixture f = { 0 };
    wire__put_schema_change(&f.body, "CREATED", "TABLE", corm_str_of("shop"), corm_str_of("users"));
    assert_ok(read_body(&f, 5), f.err);
    assert_int_equal(f.result.kind, WIRE_SCHEMA_CHANGE);
    assert_text(f.result.change, "CREATED");
    assert_text(f.result.target, "TABLE");
    assert_text(f.result.keyspace, "shop");
    assert_text(f.result.name, "users");
    base__buf_clear(&f.body);
    wire__put_schema_change(&f.body, "DROPPED", "KEYSPACE", corm_str_of("shop"), corm_str_of(""));
    assert_ok(read_body(&f, 5), f.err);
    assert_text(f.result.name, "");
    drop(&f);
}

static void a_function_that_changed_has_argument_types(void **state) {
    (void)state;
    fixture f = { 0 };
    wire__put_schema_change(&f.body, "CREATED", "FUNCTION", corm_str_of("shop"),
                            corm_str_of("plus"));
    base__buf_u16(&f.body, 2);
    wire__put_string(&f.body, corm_str_of("int"));
    wire__put_string(&f.body, corm_str_of("list<text>"));
    assert_ok(read_body(&f, 4), f.err);
    assert_int_equal(f.result.argument_count, 2);
    assert_text(f.result.arguments[1], "list<text>");
    drop(&f);
}

static void rows_come_with_their_columns(void **state) {
    (void)state;
    fixture f = { 0 };
    put_users(&f.body, false, no_bytes, no_bytes);
    assert_int_equal(base__load_u32(f.body.data + 4), WIRE_GLOBAL_TABLE_SPEC);
    assert_ok(read_body(&f, 5), f.err);
    check_users(&f);
    const wire_metadata *metadata = &f.result.metadata;
    assert_int_equal(metadata->count, 2);
    assert_false(metadata->has_more || metadata->absent || metadata->changed);
    assert_text(metadata->columns[1].keyspace, "shop");
    assert_text(metadata->columns[1].table, "users");
    assert_text(metadata->columns[1].name, "name");
    assert_int_equal(metadata->columns[0].type->id, CQL_INT);
    assert_int_equal(metadata->columns[1].type->id, CQL_TEXT);
    drop(&f);
}

static void columns_of_several_tables_name_each_its_own(void **state) {
    (void)state;
    fixture           f = { 0 };
    cql_result_column columns[2];
    users_columns(columns);
    columns[1].table = corm_str_of("orders");
    wire_rows_writer writer;
    wire__rows_begin(&writer, &f.body, columns, 2, false, WIRE_VERSION);
    wire__rows_end(&writer, no_bytes);
    assert_ok(read_body(&f, 5), f.err);
    assert_text(f.result.metadata.columns[0].table, "users");
    assert_text(f.result.metadata.columns[1].table, "orders");
    assert_int_equal(f.result.row_count, 0);
    drop(&f);
}

static void the_paging_state_is_put_before_the_columns(void **state) {
    (void)state;
    fixture f = { 0 };
    put_users(&f.body, false, no_bytes, (corm_bytes){ (const uint8_t *)"state", 5 });
    assert_ok(read_body(&f, 5), f.err);
    check_users(&f);
    assert_true(f.result.metadata.has_more);
    assert_int_equal(f.result.metadata.paging_state.len, 5);
    assert_memory_equal(f.result.metadata.paging_state.data, "state", 5);
    assert_text(f.result.metadata.columns[0].name, "id");
    drop(&f);
}

static void metadata_is_left_out_when_the_caller_has_it(void **state) {
    (void)state;
    fixture f = { 0 };
    put_users(&f.body, true, no_bytes, (corm_bytes){ (const uint8_t *)"s", 1 });
    assert_ok(read_body(&f, 5), f.err);
    check_users(&f);
    assert_true(f.result.metadata.absent);
    assert_true(f.result.metadata.has_more);
    assert_null(f.result.metadata.columns);
    assert_int_equal(f.result.metadata.count, 2);
    drop(&f);
}

static void changed_metadata_comes_whole_with_its_id(void **state) {
    (void)state;
    fixture    f = { 0 };
    corm_bytes id = { (const uint8_t *)"0123456789abcdef", 16 };
    put_users(&f.body, false, id, (corm_bytes){ (const uint8_t *)"next", 4 });
    assert_ok(read_body(&f, 5), f.err);
    check_users(&f);
    assert_true(f.result.metadata.changed);
    assert_int_equal(f.result.metadata.new_id.len, 16);
    assert_memory_equal(f.result.metadata.new_id.data, id.data, 16);
    assert_memory_equal(f.result.metadata.paging_state.data, "next", 4);
    assert_text(f.result.metadata.columns[1].name, "name");
    drop(&f);
}

static void put_select(base_buf *body, uint8_t version, bool two_tables) {
    cql_result_column columns[2];
    users_columns(columns);
    cql_marker markers[2] = {
        { TEXT("id"), cql__type_native(CQL_INT), TEXT("shop"), TEXT("users") },
        { TEXT("[limit]"), cql__type_native(CQL_INT), TEXT("shop"), TEXT("users") },
    };
    if (two_tables) markers[1].table = corm_str_of("orders");
    const uint16_t key[1] = { 0 };
    wire__put_prepared(body, (corm_bytes){ (const uint8_t *)"ID", 2 },
                       (corm_bytes){ (const uint8_t *)"META", 4 }, markers, 2, key, 1, columns, 2,
                       version);
}

static void a_prepared_statement_has_markers_key_and_columns(void **state) {
    (void)state;
    for (uint8_t version = 3; version <= 5; version++) {
        for (int two_tables = 0; two_tables < 2; two_tables++) {
            fixture f = { 0 };
            put_select(&f.body, version, two_tables);
            assert_ok(read_body(&f, version), f.err);
            assert_int_equal(f.result.kind, WIRE_PREPARED);
            assert_memory_equal(f.result.id.data, "ID", 2);
            assert_int_equal(f.result.metadata_id.len, version == 5 ? 4 : 0);
            assert_int_equal(f.result.marker_count, 2);
            assert_text(f.result.markers[1].name, "[limit]");
            assert_text(f.result.markers[1].table, two_tables ? "orders" : "users");
            assert_int_equal(f.result.markers[0].type->id, CQL_INT);
            assert_int_equal(f.result.marker_flags, two_tables ? 0 : WIRE_GLOBAL_TABLE_SPEC);
            assert_int_equal(f.result.partition_marker_count, version >= 4);
            if (version >= 4) assert_int_equal(f.result.partition_markers[0], 0);
            assert_int_equal(f.result.metadata.count, 2);
            assert_text(f.result.metadata.columns[1].name, "name");
            drop(&f);
        }
    }
}

static void a_prepared_write_has_no_columns(void **state) {
    (void)state;
    fixture f = { 0 };
    wire__put_prepared(&f.body, (corm_bytes){ (const uint8_t *)"ID", 2 }, no_bytes, NULL, 0, NULL,
                       0, NULL, 0, 5);
    assert_ok(read_body(&f, 5), f.err);
    assert_int_equal(f.result.marker_count, 0);
    assert_int_equal(f.result.metadata.count, 0);
    assert_true(f.result.metadata.absent);
    drop(&f);
}

static void every_cut_body_is_refused(void **state) {
    (void)state;
    fixture whole = { 0 };
    put_select(&whole.body, 5, false);
    for (size_t len = 0; len < whole.body.len; len++) {
        base_arena  arena = { 0 };
        wire_result result;
        uint8_t    *copy = test_malloc(len + 1);
        memcpy(copy, whole.body.data, len);
        corm_status status = wire__result_read((corm_bytes){ copy, len }, 5, &arena, &result, NULL);
        assert_int_not_equal(status, CORM_OK);
        test_free(copy);
        base__arena_free(&arena);
    }
    drop(&whole);
}

static void impossible_counts_are_refused_before_memory_is_taken(void **state) {
    (void)state;
    static const int32_t counts[] = { -1, INT32_MAX, 1000000 };
    for (size_t i = 0; i < 3; i++) {
        fixture f = { 0 };
        put_users(&f.body, false, no_bytes, no_bytes);
        base__buf_set_i32(&f.body, 8, counts[i]);
        assert_status(read_body(&f, 5), CORM_PROTOCOL_ERROR);
        base__buf_clear(&f.body);
        put_users(&f.body, true, no_bytes, no_bytes);
        base__buf_set_i32(&f.body, 12, counts[i]);
        assert_status(read_body(&f, 5), CORM_PROTOCOL_ERROR);
        base__buf_clear(&f.body);
        put_select(&f.body, 5, false);
        base__buf_set_i32(&f.body, 18, counts[i]);
        assert_status(read_body(&f, 5), CORM_PROTOCOL_ERROR);
        base__buf_clear(&f.body);
        put_select(&f.body, 5, false);
        base__buf_set_i32(&f.body, 22, counts[i]);
        assert_status(read_body(&f, 5), CORM_PROTOCOL_ERROR);
        drop(&f);
    }
}

static void a_key_of_a_marker_that_is_not_there_is_refused(void **state) {
    (void)state;
    fixture f = { 0 };
    put_select(&f.body, 5, false);
    base__store_u16(f.body.data + 26, 2);
    assert_status(read_body(&f, 5), CORM_PROTOCOL_ERROR);
    assert_string_equal(f.err.message, "a result's partition key cannot be read");
    drop(&f);
}

static void an_unknown_kind_is_refused(void **state) {
    (void)state;
    fixture f = { 0 };
    base__buf_i32(&f.body, 6);
    assert_status(read_body(&f, 5), CORM_PROTOCOL_ERROR);
    base__buf_clear(&f.body);
    assert_status(read_body(&f, 5), CORM_PROTOCOL_ERROR);
    drop(&f);
}

static void changed_bytes_never_do_harm(void **state) {
    (void)state;
    fixture whole = { 0 };
    put_select(&whole.body, 5, false);
    put_users(&whole.body, false, (corm_bytes){ (const uint8_t *)"i", 1 },
              (corm_bytes){ (const uint8_t *)"s", 1 });
    for (uint64_t i = 0; i < 20000; i++) {
        fixture  f = { 0 };
        uint64_t random = base__hash(&i, sizeof i, 11);
        size_t   from = random % 2 ? 0 : whole.body.len / 2;
        base__buf_put(&f.body, whole.body.data + from, whole.body.len - from);
        for (int change = 0; change < 3; change++) {
            random = base__hash(&random, sizeof random, 12);
            f.body.data[(random >> 8) % f.body.len] = (uint8_t)random;
        }
        corm_status status = read_body(&f, 5);
        assert_true(status == CORM_OK || f.err.message[0] != '\0');
        drop(&f);
    }
    drop(&whole);
}

static void without_memory_nothing_is_written(void **state) {
    (void)state;
    fixture f = { 0 };
    f.body.failed = true;
    put_users(&f.body, false, (corm_bytes){ (const uint8_t *)"i", 1 },
              (corm_bytes){ (const uint8_t *)"s", 1 });
    put_users(&f.body, false, no_bytes, no_bytes);
    put_select(&f.body, 5, false);
    assert_int_equal(f.body.len, 0);
    drop(&f);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(void_is_four_bytes),
    cmocka_unit_test(set_keyspace_names_it),
    cmocka_unit_test(a_schema_change_names_what_changed),
    cmocka_unit_test(a_function_that_changed_has_argument_types),
    cmocka_unit_test(rows_come_with_their_columns),
    cmocka_unit_test(columns_of_several_tables_name_each_its_own),
    cmocka_unit_test(the_paging_state_is_put_before_the_columns),
    cmocka_unit_test(metadata_is_left_out_when_the_caller_has_it),
    cmocka_unit_test(changed_metadata_comes_whole_with_its_id),
    cmocka_unit_test(a_prepared_statement_has_markers_key_and_columns),
    cmocka_unit_test(a_prepared_write_has_no_columns),
    cmocka_unit_test(every_cut_body_is_refused),
    cmocka_unit_test(impossible_counts_are_refused_before_memory_is_taken),
    cmocka_unit_test(a_key_of_a_marker_that_is_not_there_is_refused),
    cmocka_unit_test(an_unknown_kind_is_refused),
    cmocka_unit_test(changed_bytes_never_do_harm),
    cmocka_unit_test(without_memory_nothing_is_written),
};

RUN_TESTS()
