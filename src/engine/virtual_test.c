// SPDX-License-Identifier: MIT
#include "engine/core.h"
#include "testing/store.h"

static corm_error err;

static engine *open_with_objects(void) {
    engine *store = try_open();
    run(store,
        "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 2} "
        "AND durable_writes = false");
    run(store, "CREATE TYPE k.address (street text, \"Zip\" int)");
    run(store,
        "CREATE TABLE k.t (a int, b text, c int, s int static, v text, w frozen<list<address>>, m map<text, int>, "
        "\"Odd\" int, PRIMARY KEY ((a, b), c)) WITH CLUSTERING ORDER BY (c DESC) AND comment = 'hello' "
        "AND gc_grace_seconds = 77");
    run(store, "CREATE TABLE k.c (a int PRIMARY KEY, n counter)");
    run(store, "CREATE INDEX by_v ON k.t (v)");
    run(store, "CREATE INDEX by_odd ON k.t (\"Odd\")");
    run(store, "CREATE INDEX by_m ON k.t (KEYS(m))");
    return store;
}

static void the_node_describes_itself(void **state) {
    (void)state;
    engine *store = try_open();
    char    id[37], expected[80];
    corm_uuid_format(store->id, id);
    snprintf(expected, sizeof expected, "%s", id);
    expect(store, "SELECT host_id FROM system.local WHERE key = 'local'", expected);
    expect(
        store,
        "SELECT key, bootstrapped, cql_version, data_center, rack, native_protocol_version, partitioner, release_version, "
        "rpc_address, rpc_port, tokens FROM system.local",
        "local|COMPLETED|3.4.7|datacenter1|rack1|5|org.apache.cassandra.dht.Murmur3Partitioner|5.0.9|127.0.0.1|9042|"
        "{'0'}");
    expect(store, "SELECT * FROM system.peers", "");
    expect(store, "SELECT * FROM system.peers_v2", "");
    expect(store, "SELECT * FROM system.local WHERE key = 'other'", "");
    engine__close(store);
}

static void read_version(engine *store, base_buf *out) {
    wire_request request = { .kind = WIRE_QUERY,
                             .text = corm_str_of("SELECT schema_version FROM system.local") };
    assert_ok(try_request(store, &request, out, &err), err);
}

static void the_schema_version_changes_with_every_ddl(void **state) {
    (void)state;
    engine  *store = open_with_objects();
    base_buf before = { 0 }, after = { 0 };
    read_version(store, &before);
    run(store, "INSERT INTO k.t (a, b, c) VALUES (1, 'b', 1)");
    read_version(store, &after);
    assert_string_equal((char *)before.data, (char *)after.data);
    run(store, "ALTER TABLE k.t WITH comment = 'other'");
    read_version(store, &after);
    assert_string_not_equal((char *)before.data, (char *)after.data);
    base__buf_free(&before);
    base__buf_free(&after);
    engine__close(store);
}

static void keyspaces_are_described(void **state) {
    (void)state;
    engine *store = open_with_objects();
    expect(
        store, "SELECT * FROM system_schema.keyspaces WHERE keyspace_name = 'k'",
        "k|False|{'class': 'org.apache.cassandra.locator.SimpleStrategy', 'replication_factor': '2'}");
    expect(
        store,
        "SELECT durable_writes, replication FROM system_schema.keyspaces WHERE keyspace_name = 'system'",
        "True|{'class': 'org.apache.cassandra.locator.LocalStrategy'}");
    expect(store, "SELECT keyspace_name FROM system_schema.keyspaces",
           "system_auth; system_schema; system; k; system_traces");
    expect(store, "SELECT keyspace_name FROM system_virtual_schema.keyspaces",
           "system_views; system_virtual_schema");
    engine__close(store);
}

static void tables_are_described(void **state) {
    (void)state;
    engine *store = open_with_objects();
    expect(
        store,
        "SELECT table_name, comment, gc_grace_seconds, flags, read_repair, bloom_filter_fp_chance, caching, extensions, cdc, "
        "memtable, default_time_to_live FROM system_schema.tables WHERE keyspace_name = 'k'",
        "c||864000|{'compound', 'counter'}|BLOCKING|0.01|{'keys': 'ALL', 'rows_per_partition': 'NONE'}|{}|null|null|0; "
        "t|hello|77|{'compound'}|BLOCKING|0.01|{'keys': 'ALL', 'rows_per_partition': 'NONE'}|{}|null|null|0");
    expect(store, "SELECT count(*) FROM system_schema.tables WHERE keyspace_name = 'system_schema'",
           "11");
    expect(
        store,
        "SELECT table_name, comment FROM system_virtual_schema.tables WHERE keyspace_name = "
        "'system_virtual_schema'",
        "columns|virtual column definitions; keyspaces|virtual keyspace definitions; tables|virtual table definitions");
    engine__close(store);
}

static void columns_are_described_in_the_order_of_their_names(void **state) {
    (void)state;
    engine *store = open_with_objects();
    expect(
        store,
        "SELECT column_name, clustering_order, column_name_bytes, kind, position, type FROM system_schema.columns "
        "WHERE keyspace_name = 'k' AND table_name = 't'",
        "Odd|none|0x4f6464|regular|-1|int; a|none|0x61|partition_key|0|int; b|none|0x62|partition_key|1|text; "
        "c|desc|0x63|clustering|0|int; m|none|0x6d|regular|-1|map<text, int>; s|none|0x73|static|-1|int; "
        "v|none|0x76|regular|-1|text; w|none|0x77|regular|-1|frozen<list<frozen<address>>>");
    expect(
        store,
        "SELECT column_name, kind FROM system_virtual_schema.columns WHERE keyspace_name = 'system_virtual_schema' "
        "AND table_name = 'tables'",
        "comment|regular; keyspace_name|partition_key; table_name|clustering");
    engine__close(store);
}

static void types_and_indexes_are_described(void **state) {
    (void)state;
    engine *store = open_with_objects();
    expect(store, "SELECT * FROM system_schema.types",
           "k|address|['street', 'Zip']|['text', 'int']");
    expect(
        store,
        "SELECT index_name, kind, options FROM system_schema.indexes WHERE keyspace_name = 'k' AND table_name = 't'",
        "by_m|COMPOSITES|{'target': 'keys(m)'}; by_odd|COMPOSITES|{'target': '\"Odd\"'}; "
        "by_v|COMPOSITES|{'target': 'v'}");
    expect(store, "SELECT * FROM system_schema.views", "");
    expect(store, "SELECT * FROM system_schema.functions", "");
    engine__close(store);
}

static void dropped_and_masked_columns_are_described(void **state) {
    (void)state;
    engine *store = open_with_objects();
    run(store, "ALTER TABLE k.t ADD gone bigint");
    run(store, "ALTER TABLE k.t DROP gone USING TIMESTAMP 1700000000123456");
    run(store, "DROP INDEX k.by_m");
    run(store, "ALTER TABLE k.t DROP m USING TIMESTAMP 1700000000123456");
    expect(
        store,
        "SELECT column_name, kind, type FROM system_schema.dropped_columns WHERE keyspace_name = 'k'",
        "gone|regular|bigint; m|regular|map<text, int>");
    engine__close(store);
}

static void settings_are_those_that_hold(void **state) {
    (void)state;
    engine        *store = NULL;
    engine_options options = { .guard_rails =
                                   "page_size_fail_threshold=100, batch_size_warn_threshold=5KiB,"
                                   "collection_size_warn_threshold=100B,"
                                   "write_consistency_levels_warned=ALL|ANY" };
    assert_ok(engine__open(&options, &store, &err), err);
    expect(
        store,
        "SELECT name, value FROM system_views.settings WHERE name IN ('authenticator', "
        "'batch_size_warn_threshold', 'cluster_name', 'collection_size_fail_threshold', "
        "'collection_size_warn_threshold', 'group_by_enabled', 'nope', 'page_size_fail_threshold', "
        "'page_size_warn_threshold', 'table_properties_warned', "
        "'write_consistency_levels_warned')",
        "authenticator|AllowAllAuthenticator; batch_size_warn_threshold|5KiB; cluster_name|corm; "
        "collection_size_fail_threshold|null; collection_size_warn_threshold|100B; "
        "group_by_enabled|true; page_size_fail_threshold|100; page_size_warn_threshold|-1; "
        "table_properties_warned|[]; write_consistency_levels_warned|[ANY, ALL]");
    expect(store, "SELECT address FROM system_views.clients", "");
    engine__close(store);
}

static void every_system_table_can_be_read(void **state) {
    (void)state;
    engine     *store = open_with_objects();
    cql_schema *schema = engine__schema(store);
    for (uint32_t i = 0; i < schema->keyspace_count; i++) {
        const cql_keyspace *keyspace = schema->keyspaces[i];
        for (uint32_t j = 0; j < keyspace->table_count; j++) {
            const cql_table *table = keyspace->tables[j];
            char             text[200];
            snprintf(text, sizeof text, "SELECT * FROM %.*s.\"%.*s\"", (int)keyspace->name.len,
                     keyspace->name.data, (int)table->name.len, table->name.data);
            run(store, text);
        }
    }
    cql__schema_unref(schema);
    engine__close(store);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_node_describes_itself),
    cmocka_unit_test(the_schema_version_changes_with_every_ddl),
    cmocka_unit_test(keyspaces_are_described),
    cmocka_unit_test(tables_are_described),
    cmocka_unit_test(columns_are_described_in_the_order_of_their_names),
    cmocka_unit_test(types_and_indexes_are_described),
    cmocka_unit_test(dropped_and_masked_columns_are_described),
    cmocka_unit_test(settings_are_those_that_hold),
    cmocka_unit_test(every_system_table_can_be_read),
};

RUN_TESTS()
