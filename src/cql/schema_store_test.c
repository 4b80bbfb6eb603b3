// SPDX-License-Identifier: MIT
#include "cql/schema.h"

#include <stdlib.h>

#include "cql/parser.h"
#include "testing/check.h"
#include "testing/memory.h"

static const char *const statements[] = {
    "CREATE KEYSPACE k WITH replication = {'class': 'NetworkTopologyStrategy', 'datacenter1': 1} "
    "AND durable_writes = false",
    "CREATE KEYSPACE empty WITH replication = {'class': 'SimpleStrategy'}",
    "CREATE TYPE k.\"Zz\" (a int, b frozen<list<int>>)",
    "CREATE TYPE k.aa (x frozen<\"Zz\">, y vector<float, 3>, z tuple<int, text>, d duration, l "
    "list<int>)",
    "CREATE TABLE k.t (p text, q int, c int, d inet, s text STATIC MASKED WITH DEFAULT, v "
    "map<text, frozen<aa>>, w frozen<set<frozen<\"Zz\">>>, x "
    "'org.apache.cassandra.db.marshal.LexicalUUIDType', y tuple<int, frozen<list<aa>>>, z text "
    "MASKED WITH mask_inner(1, null), u \"Zz\", old int, older list<text>, PRIMARY KEY ((p, q), c, "
    "d)) WITH CLUSTERING ORDER BY (c DESC, d ASC) AND comment = 'it''s' AND default_time_to_live = "
    "7 AND cdc = true AND allow_auto_snapshot = false AND compaction = {'class': "
    "'LeveledCompactionStrategy'}",
    "ALTER TABLE k.t DROP (old, older) USING TIMESTAMP -5",
    "CREATE INDEX plain ON k.t (c)",
    "CREATE CUSTOM INDEX sai ON k.t (z) USING 'sai' WITH OPTIONS = {'case_sensitive': 'false', "
    "'ascii': 'true'}",
    "CREATE TABLE k.n (p int PRIMARY KEY, n counter)",
    "CREATE TABLE k.vb (p int, c int, d text, v int, w blob, PRIMARY KEY (p, c, d))",
    "CREATE MATERIALIZED VIEW k.mv AS SELECT * FROM k.vb WHERE p > 3 AND (c, d) IN ((1, 'a'), (2, "
    "'it''s')) AND v IS NOT NULL PRIMARY KEY (v, p, c, d) WITH CLUSTERING ORDER BY (p DESC, c ASC, "
    "d ASC)",
    "CREATE TABLE k.old (p int, c int, v int, PRIMARY KEY (p, c)) WITH COMPACT STORAGE",
};

static cql_schema *applied(cql_schema *schema, const char *text) {
    base_arena        arena = { 0 };
    cql_statement    *statement = NULL;
    cql_schema       *next = NULL;
    cql_schema_change change;
    corm_error        err;
    assert_ok(cql__parse(&arena, corm_str_of(text), &statement, NULL, &err), err);
    assert_ok(
        cql__schema_apply(schema, statement, corm_str_of("k"), 5, &arena, &next, &change, &err),
        err);
    cql__schema_unref(schema);
    base__arena_free(&arena);
    return next;
}

static cql_schema *sample(void) {
    cql_schema *schema = cql__schema_new();
    corm_error  err;
    assert_non_null(schema);
    assert_ok(
        cql__schema_add_virtual(schema, "CREATE TABLE system.local (key text PRIMARY KEY)", &err),
        err);
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++)
        schema = applied(schema, statements[i]);
    return schema;
}

static void put_view(const cql_view_def *view, base_buf *out) {
    base__buf_printf(out, "%.*s %.*s %d %u\n", (int)view->base.len, view->base.data,
                     (int)view->where.len, view->where.data, view->includes_all, view->key_id);
    for (uint32_t i = 0; i < view->filter_count; i++) {
        const cql_view_filter *filter = &view->filters[i];
        base__buf_printf(out, "%d %u %u", filter->op, filter->width, filter->row_count);
        for (uint32_t j = 0; j < filter->width; j++)
            base__buf_printf(out, " %u", filter->column_ids[j]);
        for (uint32_t j = 0; j < filter->width * filter->row_count; j++)
            base__buf_put(out, filter->values[j].data, filter->values[j].len);
    }
}

static void put_everything(const cql_schema *schema, base_buf *out) {
    for (uint32_t k = 0; k < schema->keyspace_count; k++) {
        const cql_keyspace *keyspace = schema->keyspaces[k];
        cql__describe_keyspace(keyspace, out);
        for (uint32_t i = 0; i < keyspace->type_count; i++)
            cql__describe_type(keyspace->types[i], out);
        for (uint32_t t = 0; t < keyspace->table_count; t++) {
            const cql_table *table = keyspace->tables[t];
            if (table->view) put_view(table->view, out);
            cql__describe_table(table, true, out);
            base__buf_printf(out, "\n%u %u %d\n", table->storage_id, table->next_column_id,
                             table->is_counter);
            for (uint32_t i = 0; i < table->column_count; i++) {
                base__buf_printf(out, "%u ", table->columns[i].id);
                cql__type_print_marshal(table->columns[i].type, out);
            }
            for (uint32_t i = 0; i < table->index_count; i++) {
                cql__describe_index(table, &table->indexes[i], out);
                base__buf_printf(out, "%u\n", table->indexes[i].storage_id);
            }
        }
    }
}

static cql_schema *system_schema(void) {
    cql_schema *schema = cql__schema_new();
    corm_error  err;
    assert_non_null(schema);
    assert_ok(
        cql__schema_add_virtual(schema, "CREATE TABLE system.local (key text PRIMARY KEY)", &err),
        err);
    return schema;
}

static void what_was_written_reads_back_the_same(void **state) {
    (void)state;
    cql_schema *schema = sample();
    cql_schema *system = system_schema();
    cql_schema *read = NULL;
    base_buf    bytes = { 0 };
    base_buf    before = { 0 };
    base_buf    after = { 0 };
    corm_error  err;
    assert_ok(cql__schema_write(schema, &bytes, &err), err);
    assert_ok(cql__schema_read(base__buf_bytes(&bytes), system, &read, &err), err);
    put_everything(schema, &before);
    put_everything(read, &after);
    assert_string_equal(base__buf_cstr(&before), base__buf_cstr(&after));
    assert_int_equal(read->serial, schema->serial);
    assert_int_equal(read->next_storage_id, schema->next_storage_id);
    assert_true(corm_uuid_equal(read->version, schema->version));
    assert_ptr_equal(cql__schema_table(read, corm_str_of("system"), corm_str_of("local")),
                     cql__schema_table(system, corm_str_of("system"), corm_str_of("local")));
    base__buf_free(&bytes);
    base__buf_free(&before);
    base__buf_free(&after);
    cql__schema_unref(schema);
    cql__schema_unref(system);
    cql__schema_unref(read);
}

static void the_bytes_stand_behind_what_was_there(void **state) {
    (void)state;
    cql_schema *schema = sample();
    cql_schema *read = NULL;
    base_buf    bytes = { 0 };
    corm_error  err;
    base__buf_puts(&bytes, "head");
    assert_ok(cql__schema_write(schema, &bytes, &err), err);
    assert_memory_equal(bytes.data, "head", 4);
    assert_ok(cql__schema_read((corm_bytes){ bytes.data + 4, bytes.len - 4 }, NULL, &read, &err),
              err);
    assert_int_equal(read->keyspace_count, 2);
    base__buf_free(&bytes);
    cql__schema_unref(schema);
    cql__schema_unref(read);
}

static void any_changed_byte_is_noticed(void **state) {
    (void)state;
    cql_schema *schema = sample();
    cql_schema *read = NULL;
    base_buf    bytes = { 0 };
    corm_error  err;
    assert_ok(cql__schema_write(schema, &bytes, &err), err);
    for (size_t i = 0; i < bytes.len; i++) {
        bytes.data[i] ^= 0x10;
        assert_status(cql__schema_read(base__buf_bytes(&bytes), NULL, &read, &err), CORM_CORRUPT);
        bytes.data[i] ^= 0x10;
    }
    for (size_t len = 0; len < bytes.len; len++) {
        assert_status(cql__schema_read((corm_bytes){ bytes.data, len }, NULL, &read, &err),
                      CORM_CORRUPT);
    }
    base__buf_free(&bytes);
    cql__schema_unref(schema);
}

/* FNV-1a, as the format says. */
static void seal(uint8_t *data, size_t len) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i + 8 < len; i++) hash = (hash ^ data[i]) * UINT64_C(0x100000001b3);
    base__store_u64(data + len - 8, hash);
}

/* Whatever stands behind a good checksum is read or refused, without harm. */
static void wrong_content_with_a_good_checksum_is_survived(void **state) {
    (void)state;
    cql_schema *schema = sample();
    base_buf    bytes = { 0 };
    uint32_t    seed = 12345;
    size_t      refused = 0;
    corm_error  err;
    assert_ok(cql__schema_write(schema, &bytes, &err), err);
    uint8_t *copy = malloc(bytes.len);
    assert_non_null(copy);
    for (size_t i = 1; i + 8 < bytes.len; i++) {
        for (int change = 0; change < 4; change++) {
            cql_schema *read = NULL;
            seed = seed * 1664525 + 1013904223;
            memcpy(copy, bytes.data, bytes.len);
            copy[i] = change == 0   ? 0xff
                      : change == 1 ? 0
                      : change == 2 ? (uint8_t)(copy[i] + 1)
                                    : (uint8_t)(seed >> 24);
            seal(copy, bytes.len);
            corm_status status =
                cql__schema_read((corm_bytes){ copy, bytes.len }, NULL, &read, &err);
            if (status == CORM_OK) {
                base_buf text = { 0 };
                put_everything(read, &text);
                base__buf_free(&text);
                cql__schema_unref(read);
            } else {
                assert_status(status, CORM_CORRUPT);
                refused++;
            }
        }
    }
    assert_true(refused > 100);
    free(copy);
    base__buf_free(&bytes);
    cql__schema_unref(schema);
}

static void another_format_is_told_apart_from_damage(void **state) {
    (void)state;
    cql_schema *schema = sample();
    cql_schema *read = NULL;
    base_buf    bytes = { 0 };
    corm_error  err;
    assert_ok(cql__schema_write(schema, &bytes, &err), err);
    bytes.data[0] = 9;
    seal(bytes.data, bytes.len);
    assert_status(cql__schema_read(base__buf_bytes(&bytes), NULL, &read, &err), CORM_VERSION);
    assert_string_equal(err.message,
                        "the stored schema has format 9, this version of Corm reads 2");
    base__buf_free(&bytes);
    cql__schema_unref(schema);
}

/* Format 1 ended a table where format 2 says whether it is a view. */
static void a_schema_without_views_is_read_in_its_old_format(void **state) {
    (void)state;
    cql_schema *schema = cql__schema_new();
    cql_schema *read = NULL;
    base_buf    bytes = { 0 };
    corm_error  err;
    schema = applied(schema, "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy'}");
    schema = applied(schema, "CREATE TABLE k.t (p int PRIMARY KEY, v text)");
    assert_ok(cql__schema_write(schema, &bytes, &err), err);
    assert_int_equal(bytes.data[bytes.len - 9], 0);
    memmove(bytes.data + bytes.len - 9, bytes.data + bytes.len - 8, 8);
    bytes.len--;
    bytes.data[0] = 1;
    seal(bytes.data, bytes.len);
    assert_ok(cql__schema_read(base__buf_bytes(&bytes), NULL, &read, &err), err);
    const cql_table *table = cql__schema_table(read, corm_str_of("k"), corm_str_of("t"));
    assert_non_null(table);
    assert_null(table->view);
    base__buf_free(&bytes);
    cql__schema_unref(read);
    cql__schema_unref(schema);
}

static void a_keyspace_of_the_system_cannot_be_stored_over(void **state) {
    (void)state;
    cql_schema *schema = sample();
    cql_schema *read = NULL;
    base_buf    bytes = { 0 };
    corm_error  err;
    assert_ok(cql__schema_write(schema, &bytes, &err), err);
    assert_status(cql__schema_read(base__buf_bytes(&bytes), schema, &read, &err), CORM_CORRUPT);
    base__buf_free(&bytes);
    cql__schema_unref(schema);
}

static void without_memory_nothing_is_lost(void **state) {
    (void)state;
    if (!testing__memory_can_fail()) skip();
    cql_schema *schema = sample();
    base_buf    bytes = { 0 };
    bool        failed = true;
    corm_error  err;
    assert_ok(cql__schema_write(schema, &bytes, &err), err);
    for (size_t n = 0; failed; n++) {
        cql_schema *read = NULL;
        base_buf    out = { 0 };
        long        live = testing__memory_live();
        testing__memory_fail_from(n);
        corm_status status = cql__schema_read(base__buf_bytes(&bytes), schema, &read, &err);
        failed = testing__memory_has_failed();
        testing__memory_fail_from(SIZE_MAX);
        assert_status(status, failed ? CORM_NO_MEMORY : CORM_CORRUPT);
        testing__memory_fail_from(n);
        status = cql__schema_write(schema, &out, &err);
        bool no_memory = testing__memory_has_failed();
        testing__memory_fail_from(SIZE_MAX);
        assert_status(status, no_memory ? CORM_NO_MEMORY : CORM_OK);
        base__buf_free(&out);
        assert_int_equal(testing__memory_live(), live);
    }
    base__buf_free(&bytes);
    cql__schema_unref(schema);
}

static void a_system_table_is_made_whole_or_not_at_all(void **state) {
    (void)state;
    if (!testing__memory_can_fail()) skip();
    bool failed = true;
    for (size_t n = 0; failed; n++) {
        corm_error  err;
        cql_schema *schema = cql__schema_new();
        assert_non_null(schema);
        testing__memory_fail_from(n);
        corm_status status = cql__schema_add_virtual(
            schema, "CREATE TABLE system.t (k int PRIMARY KEY, v text)", &err);
        failed = testing__memory_has_failed();
        testing__memory_fail_from(SIZE_MAX);
        assert_status(status, failed ? CORM_NO_MEMORY : CORM_OK);
        assert_int_equal(schema->keyspace_count, failed ? 0 : 1);
        cql__schema_unref(schema);
    }
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_reads_back_the_same),
        cmocka_unit_test(the_bytes_stand_behind_what_was_there),
        cmocka_unit_test(any_changed_byte_is_noticed),
        cmocka_unit_test(wrong_content_with_a_good_checksum_is_survived),
        cmocka_unit_test(another_format_is_told_apart_from_damage),
        cmocka_unit_test(a_schema_without_views_is_read_in_its_old_format),
        cmocka_unit_test(a_keyspace_of_the_system_cannot_be_stored_over),
        cmocka_unit_test(without_memory_nothing_is_lost),
        cmocka_unit_test(a_system_table_is_made_whole_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
