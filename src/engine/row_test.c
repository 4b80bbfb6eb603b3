// SPDX-License-Identifier: MIT
#include "engine/row.h"

#include <stdlib.h>

#include "cql/parser.h"
#include "engine/image.h"
#include "testing/check.h"

/* A table with a column of each kind of storage; the schema owns it. */
static const char table_text[] =
    "CREATE TABLE k.t (p int, c int, v text, i int, s set<int>, l list<int>, m map<text, int>, u u, "
    "PRIMARY KEY (p, c))";

static cql_schema *make_schema(const cql_table **table) {
    static const char *const ddl[] = {
        "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
        "CREATE TYPE k.u (a int, b text)",
        table_text,
    };
    cql_schema *schema = cql__schema_new();
    for (size_t i = 0; i < 3; i++) {
        base_arena        arena = { 0 };
        cql_statement    *statement;
        cql_schema       *next;
        cql_schema_change change;
        corm_error        err = { 0 };
        assert_ok(cql__parse(&arena, corm_str_of(ddl[i]), &statement, NULL, &err), err);
        assert_ok(
            cql__schema_apply(schema, statement, corm_str_of("k"), 1, &arena, &next, &change, &err),
            err);
        cql__schema_unref(schema);
        schema = next;
        base__arena_free(&arena);
    }
    *table = cql__schema_table(schema, corm_str_of("k"), corm_str_of("t"));
    return schema;
}

static const cql_column *column(const cql_table *table, const char *name) {
    return cql__table_column(table, corm_str_of(name));
}

static cql_value int_value(base_arena *arena, int32_t number) {
    uint8_t *bytes = base__arena_alloc(arena, 4);
    base__store_u32(bytes, (uint32_t)number);
    return (cql_value){ bytes, 4 };
}

static corm_bytes int_path(base_arena *arena, int32_t number) {
    cql_value value = int_value(arena, number);
    return (corm_bytes){ value.data, 4 };
}

static engine_row empty_row(base_arena *arena) {
    engine_row row = { .clustering_count = 1, .deleted_at = ENGINE_NO_TIMESTAMP };
    row.clustering = BASE_NEW_ARRAY(arena, cql_value, 1);
    row.clustering[0] = int_value(arena, 7);
    return row;
}

static image_stamp at(int64_t timestamp) {
    return (image_stamp){ .timestamp = timestamp, .now_s = 100, .shadow = ENGINE_NO_TIMESTAMP };
}

static image_stamp expiring(int64_t timestamp, uint32_t ttl) {
    image_stamp stamp = at(timestamp);
    stamp.ttl = ttl;
    return stamp;
}

/* A row with something of everything. */
static engine_row full_row(const cql_table *table, base_arena *arena) {
    engine_row  row = empty_row(arena);
    image_stamp ten = at(10), twelve = expiring(12, 50);
    engine__image_mark(&row, &ten);
    assert_true(engine__image_set(&row, column(table, "v"),
                                  (cql_value){ (const uint8_t *)"text", 4 }, &ten, arena));
    assert_true(engine__image_set(&row, column(table, "i"), CQL_NULL, &twelve, arena));
    for (int i = 3; i > 0; i--)
        assert_true(engine__image_set_path(&row, column(table, "s"), int_path(arena, i),
                                           (cql_value){ (const uint8_t *)"", 0 }, &twelve, arena));
    assert_true(engine__image_delete_complex(&row, column(table, "m"), 9, &ten, arena));
    assert_true(engine__image_set_path(&row, column(table, "m"),
                                       (corm_bytes){ (const uint8_t *)"k", 1 }, int_value(arena, 5),
                                       &ten, arena));
    static const uint8_t second[2] = { 0, 1 };
    assert_true(engine__image_set_path(&row, column(table, "u"), (corm_bytes){ second, 2 },
                                       (cql_value){ (const uint8_t *)"b", 1 }, &ten, arena));
    return row;
}

static base_buf encode(const cql_table *table, const engine_row *row) {
    base_buf   bytes = { 0 };
    bool       empty;
    corm_error err = { 0 };
    assert_ok(engine__row_encode(table, row, &bytes, &empty, &err), err);
    assert_false(empty);
    return bytes;
}

static void a_row_is_decoded_as_it_was_encoded(void **state) {
    (void)state;
    base_arena       arena = { 0 };
    const cql_table *table;
    cql_schema      *schema = make_schema(&table);
    engine_row       row = full_row(table, &arena), back;
    base_buf         bytes = encode(table, &row);
    corm_error       err = { 0 };

    assert_ok(engine__row_decode(table, false, base__buf_bytes(&bytes), &arena, &back, &err), err);
    base_buf again = encode(table, &back);

    assert_int_equal(again.len, bytes.len);
    assert_memory_equal(again.data, bytes.data, bytes.len);
    assert_int_equal(back.liveness.timestamp, 10);
    assert_int_equal(engine__image_find(&back, column(table, "s")->id)->cell_count, 3);
    assert_int_equal(engine__image_find(&back, column(table, "m")->id)->deleted_at, 9);
    base__buf_free(&again);
    base__buf_free(&bytes);
    base__arena_free(&arena);
    cql__schema_unref(schema);
}

static void a_damaged_row_is_refused_and_never_read_beyond_its_end(void **state) {
    (void)state;
    base_arena       arena = { 0 };
    const cql_table *table;
    cql_schema      *schema = make_schema(&table);
    engine_row       row = full_row(table, &arena), back;
    base_buf         bytes = encode(table, &row);
    for (size_t len = 0; len < bytes.len; len++) {
        uint8_t *cut = malloc(len ? len : 1);
        memcpy(cut, bytes.data, len);
        assert_status(
            engine__row_decode(table, false, (corm_bytes){ cut, len }, &arena, &back, NULL),
            CORM_CORRUPT);
        free(cut);
    }
    base__buf_free(&bytes);
    base__arena_free(&arena);
    cql__schema_unref(schema);
}

static void read_all(const cql_table *table, const base_buf *bytes, uint32_t now_s,
                     base_arena *arena, cql_value *values, engine_row_read *read) {
    const cql_column *needed[8];
    corm_error        err = { 0 };
    for (uint32_t i = 0; i < table->column_count; i++) needed[i] = &table->columns[i];
    assert_ok(engine__row_read(table, false, base__buf_bytes(bytes), now_s, needed,
                               table->column_count, arena, values, read, &err),
              err);
}

static void what_expired_reads_as_null(void **state) {
    (void)state;
    base_arena       arena = { 0 };
    const cql_table *table;
    cql_schema      *schema = make_schema(&table);
    engine_row       row = full_row(table, &arena);
    base_buf         bytes = encode(table, &row);
    cql_value        values[8];
    engine_row_read  read;

    read_all(table, &bytes, 120, &arena, values, &read);
    assert_true(read.live);
    assert_int_equal(values[column(table, "s")->index].len, 4 + 3 * 8);
    assert_int_equal(values[column(table, "i")->index].len, -1);
    assert_int_equal(values[column(table, "c")->index].len, 4);

    read_all(table, &bytes, 150, &arena, values, &read);
    assert_int_equal(values[column(table, "s")->index].len, -1);
    assert_int_equal(values[column(table, "v")->index].len, 4);
    base__buf_free(&bytes);
    base__arena_free(&arena);
    cql__schema_unref(schema);
}

static void a_deletion_takes_what_is_not_newer(void **state) {
    (void)state;
    base_arena       arena = { 0 };
    const cql_table *table;
    cql_schema      *schema = make_schema(&table);
    engine_row       row = full_row(table, &arena);

    engine__image_delete(&row, 11, 100, true);

    assert_false(row.has_liveness);
    assert_int_equal(row.deleted_at, 11);
    assert_int_equal(engine__image_find(&row, column(table, "v")->id)->cell_count, 0);
    assert_int_equal(engine__image_find(&row, column(table, "s")->id)->cell_count, 3);
    image_stamp late = at(11);
    assert_true(engine__image_set(&row, column(table, "v"), (cql_value){ (const uint8_t *)"x", 1 },
                                  &late, &arena));
    assert_int_equal(engine__image_find(&row, column(table, "v")->id)->cell_count, 0);
    base__arena_free(&arena);
    cql__schema_unref(schema);
}

static void reclaiming_turns_expired_cells_into_tombstones_and_then_drops_them(void **state) {
    (void)state;
    base_arena       arena = { 0 };
    const cql_table *table;
    cql_schema      *schema = make_schema(&table);
    engine_row       row = full_row(table, &arena);
    uint32_t         due;

    assert_false(engine__image_purge(&row, 1000, 120, &due));
    assert_int_equal(due, 150);
    assert_true(engine__image_purge(&row, 1000, 150, &due));
    assert_int_equal(due, 1100); /* the tombstone of i, and the deletion of m, made at 100 */
    assert_true(engine__image_find(&row, column(table, "s")->id)->cells[0].tombstone);
    assert_true(engine__image_purge(&row, 1000, 1150, &due));
    assert_int_equal(due, 0);
    assert_int_equal(engine__image_find(&row, column(table, "s")->id)->cell_count, 0);
    assert_int_equal(engine__image_find(&row, column(table, "m")->id)->deleted_at,
                     ENGINE_NO_TIMESTAMP);
    assert_true(row.has_liveness);
    base__arena_free(&arena);
    cql__schema_unref(schema);
}

/* The server's order of two cells with one timestamp. */
static void ties_are_broken_as_the_server_breaks_them(void **state) {
    (void)state;
    engine_cell small = { .timestamp = 1, .value = { (const uint8_t *)"a", 1 } };
    engine_cell large = { .timestamp = 1, .value = { (const uint8_t *)"\x80", 1 } };
    engine_cell grave = { .timestamp = 1, .tombstone = true, .expires = 5 };
    engine_cell soon = { .timestamp = 1, .ttl = 10, .expires = 20 };
    engine_cell later = { .timestamp = 1, .ttl = 10, .expires = 30 };
    engine_cell shorter = { .timestamp = 1, .ttl = 5, .expires = 30 };
    engine_cell newer = { .timestamp = 2 };

    assert_true(engine__cell_wins(&newer, &grave));
    assert_true(engine__cell_wins(&grave, &soon));
    assert_true(engine__cell_wins(&soon, &large));
    assert_true(engine__cell_wins(&later, &soon));
    assert_true(engine__cell_wins(&shorter, &later));
    assert_true(engine__cell_wins(&large, &small));
    assert_false(engine__cell_wins(&small, &small));
}

static void a_deleted_counter_stays_deleted(void **state) {
    (void)state;
    base_arena        arena = { 0 };
    const cql_table  *table;
    cql_schema       *schema = make_schema(&table);
    engine_row        row = empty_row(&arena);
    image_stamp       one = at(1), two = at(2), three = at(3);
    const cql_column *i = column(table, "i");

    assert_true(engine__image_count(&row, i, 5, &one, &arena));
    assert_true(engine__image_count(&row, i, -7, &two, &arena));
    assert_int_equal((int64_t)base__load_u64(engine__image_find(&row, i->id)->cells[0].value.data),
                     -2);
    assert_true(engine__image_set(&row, i, CQL_NULL, &two, &arena));
    assert_true(engine__image_count(&row, i, 1, &three, &arena));
    assert_true(engine__image_find(&row, i->id)->cells[0].tombstone);
    base__arena_free(&arena);
    cql__schema_unref(schema);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_is_decoded_as_it_was_encoded),
        cmocka_unit_test(a_damaged_row_is_refused_and_never_read_beyond_its_end),
        cmocka_unit_test(what_expired_reads_as_null),
        cmocka_unit_test(a_deletion_takes_what_is_not_newer),
        cmocka_unit_test(reclaiming_turns_expired_cells_into_tombstones_and_then_drops_them),
        cmocka_unit_test(ties_are_broken_as_the_server_breaks_them),
        cmocka_unit_test(a_deleted_counter_stays_deleted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
