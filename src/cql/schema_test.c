// SPDX-License-Identifier: MIT
#include "cql/schema.h"

#include <pthread.h>

#include "cql/parser.h"
#include "cql/schema_build.h"
#include "testing/check.h"

/* A schema that statements are applied to, with what the last one said. */
typedef struct bench {
    base_arena        arena;
    cql_schema       *schema;
    cql_schema_change change;
    corm_error        err;
} bench;

static corm_status try(bench *b, const char *text) {
    cql_statement *statement = NULL;
    cql_schema    *next = NULL;
    corm_status    status = cql__parse(&b->arena, corm_str_of(text), &statement, NULL, &b->err);
    if (status != CORM_OK) return status;
    status = cql__schema_apply_guarded(NULL, b->schema, statement, corm_str_of("k"), 7, &b->arena,
                                       &next, &b->change, &b->err);
    if (status != CORM_OK) return status;
    cql__schema_unref(b->schema);
    b->schema = next;
    return CORM_OK;
}

static void apply(bench *b, const char *text) {
    assert_ok(try(b, text), b->err);
}

static int open_bench(void **state) {
    static bench b;
    b = (bench){ .schema = cql__schema_new() };
    assert_non_null(b.schema);
    apply(&b, "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', "
              "'replication_factor': 1}");
    *state = &b;
    return 0;
}

static int close_bench(void **state) {
    bench *b = *state;
    cql__schema_unref(b->schema);
    base__arena_free(&b->arena);
    return 0;
}

static const cql_table *table(const bench *b, const char *name) {
    const cql_table *found = cql__schema_table(b->schema, corm_str_of("k"), corm_str_of(name));
    assert_non_null(found);
    return found;
}

static const cql_column *column(const cql_table *in, const char *name) {
    const cql_column *found = cql__table_column(in, corm_str_of(name));
    assert_non_null(found);
    return found;
}

/* ---- layout ---- */

static void columns_stand_in_the_order_of_select_star(void **state) {
    bench *b = *state;
    apply(b, "CREATE TABLE t (z int, c2 int, b list<int>, s int STATIC, k2 int, a int, c1 int, k1 "
             "int, r text STATIC, PRIMARY KEY ((k1, k2), c1, c2)) WITH CLUSTERING ORDER BY (c1 "
             "ASC, c2 DESC)");
    static const char *const names[] = { "k1", "k2", "c1", "c2", "r", "s", "a", "b", "z" };
    static const uint32_t    positions[] = { 0, 1, 0, 1, 0, 1, 0, 1, 2 };
    const cql_table         *t = table(b, "t");
    assert_int_equal(t->column_count, 9);
    assert_int_equal(t->partition_count, 2);
    assert_int_equal(t->clustering_count, 2);
    assert_int_equal(t->static_count, 2);
    assert_int_equal(t->regular_count, 3);
    for (uint32_t i = 0; i < 9; i++) {
        assert_true(corm_str_equal(t->columns[i].name, corm_str_of(names[i])));
        assert_int_equal(t->columns[i].index, i);
        assert_int_equal(t->columns[i].position, positions[i]);
    }
    assert_false(column(t, "c1")->descending);
    assert_true(column(t, "c2")->descending);
}

/* ---- ids and storage ---- */

static void a_column_that_comes_again_has_its_id_again(void **state) {
    bench *b = *state;
    apply(b, "CREATE TABLE t (p int PRIMARY KEY, v int, w int)");
    uint32_t first = column(table(b, "t"), "v")->id;
    uint32_t other = column(table(b, "t"), "w")->id;
    apply(b, "ALTER TABLE t DROP v");
    assert_null(cql__table_column(table(b, "t"), corm_str_of("v")));
    assert_int_equal(table(b, "t")->dropped_count, 1);
    assert_int_equal(table(b, "t")->dropped[0].dropped_at_us, 7);
    apply(b, "ALTER TABLE t ADD v int");
    assert_int_equal(column(table(b, "t"), "v")->id, first);
    assert_int_equal(column(table(b, "t"), "w")->id, other);
    apply(b, "ALTER TABLE t ADD x int");
    assert_true(column(table(b, "t"), "x")->id > first);
    assert_true(column(table(b, "t"), "x")->id > other);
    apply(b, "ALTER TABLE t DROP v USING TIMESTAMP 99");
    assert_int_equal(table(b, "t")->dropped_count, 1);
    assert_int_equal(table(b, "t")->dropped[0].dropped_at_us, 99);
}

static void a_renamed_column_keeps_its_id(void **state) {
    bench *b = *state;
    apply(b, "CREATE TABLE t (p int, c int, v int, PRIMARY KEY (p, c))");
    uint32_t id = column(table(b, "t"), "c")->id;
    apply(b, "ALTER TABLE t RENAME c TO d");
    assert_int_equal(column(table(b, "t"), "d")->id, id);
    assert_int_equal(column(table(b, "t"), "d")->kind, CQL_CLUSTERING);
}

static void truncate_gives_new_storage_and_lists_the_old(void **state) {
    bench *b = *state;
    apply(b, "CREATE TABLE t (p int PRIMARY KEY, v int)");
    apply(b, "CREATE INDEX i ON t (v)");
    const cql_index *index = cql__schema_index(b->schema, corm_str_of("k"), corm_str_of("i"), NULL);
    uint32_t         old_table = table(b, "t")->storage_id;
    uint32_t         old_index = index->storage_id;
    corm_uuid        id = table(b, "t")->id;
    corm_uuid        version = b->schema->version;
    apply(b, "TRUNCATE t");
    assert_int_equal(b->change.target, CQL_CHANGED_NOTHING);
    assert_int_equal(b->change.dropped_count, 2);
    assert_int_equal(b->change.dropped_storage[0], old_table);
    assert_int_equal(b->change.dropped_storage[1], old_index);
    index = cql__schema_index(b->schema, corm_str_of("k"), corm_str_of("i"), NULL);
    assert_true(table(b, "t")->storage_id > old_index);
    assert_true(index->storage_id > old_index && index->storage_id != table(b, "t")->storage_id);
    assert_true(corm_uuid_equal(table(b, "t")->id, id));
    assert_true(corm_uuid_equal(b->schema->version, version));
    assert_true(b->schema->next_storage_id > index->storage_id);
}

static void what_is_dropped_names_its_storage(void **state) {
    bench *b = *state;
    apply(b, "CREATE TABLE t (p int PRIMARY KEY, v int, w int)");
    apply(b, "CREATE INDEX iv ON t (v)");
    apply(b, "CREATE INDEX iw ON t (w)");
    apply(b, "CREATE TABLE u (p int PRIMARY KEY)");
    uint32_t id =
        cql__schema_index(b->schema, corm_str_of("k"), corm_str_of("iv"), NULL)->storage_id;
    apply(b, "DROP INDEX iv");
    assert_int_equal(b->change.dropped_count, 1);
    assert_int_equal(b->change.dropped_storage[0], id);
    apply(b, "DROP TABLE t");
    assert_int_equal(b->change.dropped_count, 2);
    apply(b, "CREATE TABLE t (p int PRIMARY KEY, v int)");
    apply(b, "CREATE INDEX ON t (v)");
    apply(b, "DROP KEYSPACE k");
    assert_int_equal(b->change.dropped_count, 3);
    assert_int_equal(b->schema->keyspace_count, 0);
}

static void storage_is_never_given_twice(void **state) {
    bench *b = *state;
    apply(b, "CREATE TABLE t (p int PRIMARY KEY)");
    uint32_t id = table(b, "t")->storage_id;
    assert_true(id > 0);
    apply(b, "DROP TABLE t");
    apply(b, "CREATE TABLE t (p int PRIMARY KEY)");
    assert_true(table(b, "t")->storage_id > id);
}

static void a_new_index_is_to_be_built(void **state) {
    bench *b = *state;
    apply(b, "CREATE TABLE t (p int PRIMARY KEY, v int, m map<text, int>)");
    apply(b, "CREATE CUSTOM INDEX i ON t (entries(m)) USING 'sai'");
    assert_ptr_equal(b->change.built_table, table(b, "t"));
    assert_ptr_equal(b->change.built_index, &table(b, "t")->indexes[0]);
    assert_int_equal(b->change.built_index->target, CQL_TARGET_ENTRIES);
    assert_ptr_equal(b->change.built_index->column, column(table(b, "t"), "m"));
    assert_true(corm_str_equal(b->change.built_index->class_name, corm_str_of("sai")));
    assert_true(corm_str_equal(b->change.built_index->kind, corm_str_of("CUSTOM")));
    apply(b, "CREATE INDEX IF NOT EXISTS i ON t (v)");
    assert_null(b->change.built_index);
    apply(b, "CREATE INDEX j ON t (v)");
    assert_null(b->change.built_index->class_name.data);
    assert_true(corm_str_equal(b->change.built_index->kind, corm_str_of("COMPOSITES")));
}

static void an_index_follows_its_column_through_changes(void **state) {
    bench *b = *state;
    apply(b, "CREATE TABLE t (p int, c int, v int, PRIMARY KEY (p, c))");
    apply(b, "CREATE INDEX i ON t (v)");
    apply(b, "ALTER TABLE t ADD a int");
    apply(b, "ALTER TABLE t RENAME c TO zz");
    const cql_index *index = cql__schema_index(b->schema, corm_str_of("k"), corm_str_of("i"), NULL);
    assert_ptr_equal(index->column, column(table(b, "t"), "v"));
}

/* ---- versions and sharing ---- */

static void each_change_has_a_new_version_and_serial(void **state) {
    bench    *b = *state;
    corm_uuid version = b->schema->version;
    uint64_t  serial = b->schema->serial;
    apply(b, "CREATE TABLE t (p int PRIMARY KEY)");
    assert_false(corm_uuid_equal(b->schema->version, version));
    assert_int_equal(b->schema->serial, serial + 1);
    cql_schema *before = b->schema;
    apply(b, "CREATE TABLE IF NOT EXISTS t (p int PRIMARY KEY)");
    assert_ptr_equal(b->schema, before);
    assert_int_equal(b->change.target, CQL_CHANGED_NOTHING);
    apply(b, "ALTER TABLE t WITH comment = ''");
    assert_ptr_equal(b->schema, before);
}

static void a_snapshot_stays_as_it_was(void **state) {
    bench *b = *state;
    apply(b, "CREATE TABLE t (p int PRIMARY KEY)");
    apply(b, "CREATE TABLE u (p int PRIMARY KEY)");
    cql_schema      *kept = cql__schema_ref(b->schema);
    const cql_table *t = table(b, "t");
    const cql_table *shared = table(b, "u");
    apply(b, "ALTER TABLE t ADD v int");
    assert_ptr_equal(table(b, "u"), shared);
    assert_ptr_not_equal(table(b, "t"), t);
    assert_int_equal(t->column_count, 1);
    apply(b, "DROP KEYSPACE k");
    assert_ptr_equal(cql__schema_table(kept, corm_str_of("k"), corm_str_of("t")), t);
    cql__schema_unref(kept);
}

static void *use_snapshot(void *argument) {
    cql_schema *schema = argument;
    for (int i = 0; i < 2000; i++) {
        cql_schema *mine = cql__schema_ref(schema);
        if (!cql__schema_table(mine, corm_str_of("k"), corm_str_of("t"))) return NULL;
        cql__schema_unref(mine);
    }
    cql__schema_unref(schema);
    return argument;
}

static void snapshots_are_shared_by_threads(void **state) {
    enum { THREADS = 4 };
    bench    *b = *state;
    pthread_t threads[THREADS];
    apply(b, "CREATE TABLE t (p int PRIMARY KEY)");
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(
            pthread_create(&threads[i], NULL, use_snapshot, cql__schema_ref(b->schema)), 0);
    }
    for (int i = 0; i < 200; i++)
        apply(b, i % 2 ? "ALTER TABLE t DROP v" : "ALTER TABLE t ADD v int");
    for (int i = 0; i < THREADS; i++) {
        void *result;
        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_non_null(result);
    }
}

/* ---- types ---- */

static void altering_a_type_changes_all_that_mention_it(void **state) {
    bench *b = *state;
    apply(b, "CREATE TYPE a (x int)");
    apply(b, "CREATE TYPE b (y frozen<a>, z int)");
    apply(b, "CREATE TABLE t (p int PRIMARY KEY, v list<frozen<b>>, w a, x tuple<int, a>, y "
             "vector<frozen<a>, 2>, m frozen<map<text, frozen<a>>>, s set<frozen<a>>)");
    apply(b, "CREATE TABLE u (p int PRIMARY KEY)");
    const cql_table *u = table(b, "u");
    apply(b, "ALTER TYPE a ADD more text");
    assert_int_equal(b->change.target, CQL_CHANGED_TYPE);
    const cql_udt *type_b = cql__schema_type(b->schema, corm_str_of("k"), corm_str_of("b"));
    assert_int_equal(type_b->type->params[0]->count, 2);
    assert_int_equal(column(table(b, "t"), "v")->type->params[0]->params[0]->count, 2);
    assert_int_equal(column(table(b, "t"), "w")->type->count, 2);
    assert_false(column(table(b, "t"), "w")->type->frozen);
    assert_int_equal(column(table(b, "t"), "x")->type->params[1]->count, 2);
    assert_true(column(table(b, "t"), "x")->type->params[1]->frozen);
    assert_int_equal(column(table(b, "t"), "y")->type->params[0]->count, 2);
    assert_int_equal(column(table(b, "t"), "m")->type->params[1]->count, 2);
    assert_int_equal(column(table(b, "t"), "s")->type->params[0]->count, 2);
    assert_ptr_equal(table(b, "u"), u);
}

static void a_dropped_column_forgets_its_types(void **state) {
    bench *b = *state;
    apply(b, "CREATE TYPE a (x int, y text)");
    apply(b, "CREATE TABLE t (p int PRIMARY KEY, v map<text, frozen<a>>, w set<frozen<a>>, x "
             "vector<frozen<a>, 2>)");
    apply(b, "ALTER TABLE t DROP (v, w, x)");
    for (uint32_t i = 0; i < 3; i++) {
        assert_false(cql__type_mentions_udt(table(b, "t")->dropped[i].type, corm_str_of("k"),
                                            corm_str_of("a")));
    }
    apply(b, "DROP TYPE a");
}

static void types_that_would_grow_without_end_are_refused(void **state) {
    bench      *b = *state;
    corm_status status = CORM_OK;
    char        text[128];
    apply(b, "CREATE TYPE t0 (x int)");
    for (int i = 1; status == CORM_OK && i < 40; i++) {
        snprintf(text, sizeof text, "CREATE TYPE t%d (a frozen<t%d>, b frozen<t%d>)", i, i - 1,
                 i - 1);
        status = try(b, text);
    }
    assert_int_equal(status, CORM_INVALID);
    assert_string_equal(b->err.message, "User type k.t16 holds too many types within types");
    apply(b, "CREATE TYPE leaf (x int)");
    apply(b, "CREATE TYPE wide (a frozen<leaf>, b frozen<leaf>, c frozen<leaf>, d frozen<leaf>)");
    assert_int_equal(try(b, "ALTER TYPE leaf ADD y frozen<t14>"), CORM_INVALID);
}

/* ---- what is refused ---- */

static void statements_that_are_not_executed_are_named(void **state) {
    bench *b = *state;
    apply(b, "CREATE TABLE t (k int PRIMARY KEY)");
    assert_int_equal(try(b, "CREATE TRIGGER x ON t USING 'y'"), CORM_INVALID);
    assert_string_equal(b->err.message,
                        "CREATE TRIGGER is not supported by Corm: triggers are Java "
                        "classes; the change feed tells of every write");
    assert_int_equal(try(b,
                         "CREATE FUNCTION f (a int) CALLED ON NULL INPUT RETURNS int LANGUAGE java "
                         "AS 'return a;'"),
                     CORM_INVALID);
    assert_string_equal(b->err.message,
                        "CREATE FUNCTION is not supported by Corm: user-defined functions "
                        "are written in Java, and no Java runs here");
    assert_int_equal(try(b, "CREATE AGGREGATE a (int) SFUNC f STYPE text"), CORM_INVALID);
    assert_string_equal(b->err.message, "State function k.f(text, int) doesn't exist");
    assert_int_equal(try(b, "CREATE ROLE r"), CORM_INVALID);
    assert_string_equal(b->err.message, "CREATE ROLE is not supported by Corm");
}

static void what_exists_already_is_named_in_the_error(void **state) {
    bench *b = *state;
    apply(b, "CREATE TABLE t (p int PRIMARY KEY)");
    assert_int_equal(try(b, "CREATE TABLE t (p int PRIMARY KEY)"), CORM_ALREADY_EXISTS);
    assert_string_equal(b->err.keyspace, "k");
    assert_string_equal(b->err.table, "t");
    assert_int_equal(try(b, "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy'}"),
                     CORM_ALREADY_EXISTS);
    assert_string_equal(b->err.keyspace, "k");
    assert_string_equal(b->err.table, "");
}

static void names_need_a_keyspace(void **state) {
    static const char *const texts[] = { "CREATE TABLE t (p int PRIMARY KEY)",
                                         "DROP TABLE t",
                                         "TRUNCATE t",
                                         "CREATE TYPE t (a int)",
                                         "DROP TYPE t",
                                         "CREATE INDEX ON t (v)",
                                         "ALTER TABLE t DROP v",
                                         "DROP INDEX i",
                                         "ALTER TYPE t ADD a int" };
    bench                   *b = *state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        cql_statement *statement = NULL;
        cql_schema    *next = NULL;
        assert_ok(cql__parse(&b->arena, corm_str_of(texts[i]), &statement, NULL, &b->err), b->err);
        assert_int_equal(cql__schema_apply_guarded(NULL, b->schema, statement,
                                                   (corm_str){ NULL, 0 }, 1, &b->arena, &next,
                                                   &b->change, &b->err),
                         CORM_INVALID);
        assert_string_equal(b->err.message, "No keyspace has been specified. USE a keyspace, or "
                                            "explicitly specify keyspace.tablename");
    }
}

static void errors_may_be_left_out(void **state) {
    bench         *b = *state;
    cql_statement *statement = NULL;
    cql_schema    *next = NULL;
    assert_ok(
        cql__parse(&b->arena,
                   corm_str_of("CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy'}"),
                   &statement, NULL, &b->err),
        b->err);
    assert_int_equal(cql__schema_apply_guarded(NULL, b->schema, statement, corm_str_of("k"), 1,
                                               &b->arena, &next, &b->change, NULL),
                     CORM_ALREADY_EXISTS);
    cql__schema_unref(NULL);
}

/* ---- system tables ---- */

static void system_tables_have_the_ids_of_every_node(void **state) {
    bench *b = *state;
    char   id[37];
    assert_ok(cql__schema_add_virtual(
                  b->schema,
                  "CREATE TABLE system.\"IndexInfo\" (table_name text, index_name text, "
                  "value text, PRIMARY KEY (table_name, index_name))",
                  &b->err),
              b->err);
    assert_ok(cql__schema_add_virtual(
                  b->schema, "CREATE TABLE system.local (key text PRIMARY KEY) WITH comment = 'x'",
                  &b->err),
              b->err);
    const cql_table *info =
        cql__schema_table(b->schema, corm_str_of("system"), corm_str_of("IndexInfo"));
    corm_uuid_format(info->id, id);
    assert_string_equal(id, "9f5c6374-d485-3229-9a0a-5094af9ad1e3");
    assert_true(info->is_virtual && info->is_system);
    assert_int_equal(info->storage_id, 0);
    const cql_keyspace *system = cql__schema_keyspace(b->schema, corm_str_of("system"));
    assert_int_equal(system->table_count, 2);
    assert_true(system->is_system && !system->is_virtual);
}

static void only_whole_create_table_statements_make_them(void **state) {
    bench *b = *state;
    assert_int_equal(cql__schema_add_virtual(b->schema, "CREATE", &b->err), CORM_SYNTAX_ERROR);
    assert_int_equal(cql__schema_add_virtual(b->schema, "DROP TABLE system.t", &b->err),
                     CORM_INVALID_ARGUMENT);
    assert_int_equal(
        cql__schema_add_virtual(b->schema, "CREATE TABLE t (k int PRIMARY KEY)", &b->err),
        CORM_INVALID_ARGUMENT);
    assert_int_equal(cql__schema_add_virtual(
                         b->schema, "CREATE TABLE system.t (k nothing PRIMARY KEY)", &b->err),
                     CORM_INVALID);
}

static void virtual_tables_are_described_as_such(void **state) {
    bench   *b = *state;
    base_buf text = { 0 };
    assert_ok(cql__schema_add_virtual(
                  b->schema,
                  "CREATE TABLE system_views.clients (address inet, port int, "
                  "client_options frozen<map<text, text>>, PRIMARY KEY (address, port)) "
                  "WITH comment = 'currently connected clients'",
                  &b->err),
              b->err);
    cql__describe_table(
        cql__schema_table(b->schema, corm_str_of("system_views"), corm_str_of("clients")), false,
        &text);
    assert_string_equal(
        base__buf_cstr(&text),
        "/*\n"
        "Warning: Table system_views.clients is a virtual table and cannot be recreated with CQL.\n"
        "Structure, for reference:\n"
        "VIRTUAL TABLE system_views.clients (\n"
        "    address inet,\n"
        "    port int,\n"
        "    client_options frozen<map<text, text>>,\n"
        "    PRIMARY KEY (address, port)\n"
        ") WITH CLUSTERING ORDER BY (port ASC)\n"
        "    AND comment = 'currently connected clients';\n"
        "*/");
    base__buf_clear(&text);
    cql__describe_keyspace(cql__schema_keyspace(b->schema, corm_str_of("system_views")), &text);
    assert_string_equal(
        base__buf_cstr(&text),
        "/*\n"
        "Warning: Keyspace system_views is a virtual keyspace and cannot be recreated with CQL.\n"
        "Structure, for reference:\n"
        "VIRTUAL KEYSPACE system_views;\n"
        "*/");
    base__buf_free(&text);
}

static void nothing_is_found_where_nothing_is(void **state) {
    bench *b = *state;
    assert_null(cql__schema_keyspace(b->schema, corm_str_of("nope")));
    assert_null(cql__schema_table(b->schema, corm_str_of("nope"), corm_str_of("t")));
    assert_null(cql__schema_table(b->schema, corm_str_of("k"), corm_str_of("t")));
    assert_null(cql__schema_type(b->schema, corm_str_of("k"), corm_str_of("t")));
    assert_null(cql__schema_index(b->schema, corm_str_of("k"), corm_str_of("t"), NULL));
}

static void objects_are_found_among_many(void **state) {
    bench *b = *state;
    char   text[128];
    char   name[16];
    for (int i = 0; i < 50; i++) {
        snprintf(text, sizeof text, "CREATE TABLE t%d (p int PRIMARY KEY)", (i * 37) % 50);
        apply(b, text);
        snprintf(text, sizeof text,
                 "CREATE KEYSPACE k%d WITH replication = {'class': 'SimpleStrategy'}",
                 (i * 37) % 50);
        apply(b, text);
    }
    for (int i = 0; i < 50; i++) {
        snprintf(name, sizeof name, "t%d", i);
        table(b, name);
        snprintf(name, sizeof name, "k%d", i);
        assert_non_null(cql__schema_keyspace(b->schema, corm_str_of(name)));
    }
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_bench, close_bench)
    static const struct CMUnitTest tests[] = {
        TEST(columns_stand_in_the_order_of_select_star),
        TEST(a_column_that_comes_again_has_its_id_again),
        TEST(a_renamed_column_keeps_its_id),
        TEST(truncate_gives_new_storage_and_lists_the_old),
        TEST(what_is_dropped_names_its_storage),
        TEST(storage_is_never_given_twice),
        TEST(a_new_index_is_to_be_built),
        TEST(an_index_follows_its_column_through_changes),
        TEST(each_change_has_a_new_version_and_serial),
        TEST(a_snapshot_stays_as_it_was),
        TEST(snapshots_are_shared_by_threads),
        TEST(altering_a_type_changes_all_that_mention_it),
        TEST(a_dropped_column_forgets_its_types),
        TEST(types_that_would_grow_without_end_are_refused),
        TEST(statements_that_are_not_executed_are_named),
        TEST(what_exists_already_is_named_in_the_error),
        TEST(names_need_a_keyspace),
        TEST(errors_may_be_left_out),
        TEST(system_tables_have_the_ids_of_every_node),
        TEST(only_whole_create_table_statements_make_them),
        TEST(virtual_tables_are_described_as_such),
        TEST(nothing_is_found_where_nothing_is),
        TEST(objects_are_found_among_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
