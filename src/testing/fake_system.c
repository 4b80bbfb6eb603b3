// SPDX-License-Identifier: MIT
/* fake_system.c -- the system tables: their columns as Cassandra 5.0 has them, and rows from the fake's topology. Tables
 * without a row function are empty. The fake's thread. */
#include "testing/fake.h"

#define RELEASE "'5.0.9'"

static const char *print_tokens(base_arena *arena, const fake_node *node) {
    base_buf text = { 0 };
    for (int i = 0; i < FAKE_TOKENS; i++) {
        base__buf_printf(&text, "%s'%lld'", i ? "," : "{", (long long)node->tokens[i]);
    }
    base__buf_puts(&text, "}");
    corm_str copy = base__arena_str(arena, base__buf_str(&text));
    base__buf_free(&text);
    return copy.data;
}

static const char *print_uuid(base_arena *arena, corm_uuid uuid) {
    char text[37];
    corm_uuid_format(uuid, text);
    return base__arena_str(arena, corm_str_of(text)).data;
}

static const char *print_address(base_arena *arena, const fake_node *node) {
    char text[16];
    fake__node_address(node, text);
    return base__arena_printf(arena, "'%s'", text).data;
}

static const char *print_port(base_arena *arena, const fake_node *node) {
    return base__arena_printf(arena, "%u", (unsigned)node->fake->ports[0]).data;
}

static const char *quote(base_arena *arena, const char *text) {
    return base__arena_printf(arena, "'%s'", text).data;
}

static bool local_row(fake_node *node, uint32_t row, base_arena *arena, const char **cells) {
    const char *address = print_address(arena, node);
    const char *values[] = {
        "'local'",
        "'COMPLETED'",
        address,
        "7000",
        "'corm fake'",
        "'3.4.7'",
        quote(arena, node->dc),
        "1",
        print_uuid(arena, node->host_id),
        address,
        "7000",
        "'5'",
        "'org.apache.cassandra.dht.Murmur3Partitioner'",
        quote(arena, node->rack),
        RELEASE,
        address,
        print_port(arena, node),
        print_uuid(arena, fake__schema_version(node)),
        print_tokens(arena, node),
        NULL,
    };
    memcpy(cells, values, sizeof values);
    return row == 0;
}

/* The row-th node beside the one that is asked. */
static const fake_node *peer_of(const fake_node *asked, uint32_t row) {
    for (uint32_t i = 0; i < asked->fake->node_count; i++) {
        const fake_node *node = asked->fake->nodes[i];
        if (node == asked || node->removed) continue;
        if (row-- == 0) return node;
    }
    return NULL;
}

static bool peers_row(fake_node *asked, uint32_t row, base_arena *arena, const char **cells) {
    const fake_node *node = peer_of(asked, row);
    if (!node) return false;
    const char *address = print_address(arena, node);
    const char *values[] = {
        address,
        quote(arena, node->dc),
        print_uuid(arena, node->host_id),
        NULL,
        quote(arena, node->rack),
        RELEASE,
        address,
        print_uuid(arena, fake__schema_version(node)),
        print_tokens(arena, node),
    };
    memcpy(cells, values, sizeof values);
    return true;
}

static bool peers_v2_row(fake_node *asked, uint32_t row, base_arena *arena, const char **cells) {
    const fake_node *node = peer_of(asked, row);
    if (!node) return false;
    const char *address = print_address(arena, node);
    const char *values[] = {
        address,
        "7000",
        quote(arena, node->dc),
        print_uuid(arena, node->host_id),
        address,
        print_port(arena, node),
        NULL,
        NULL,
        quote(arena, node->rack),
        RELEASE,
        print_uuid(arena, fake__schema_version(node)),
        print_tokens(arena, node),
    };
    memcpy(cells, values, sizeof values);
    return true;
}

static bool keyspaces_row(fake_node *node, uint32_t row, base_arena *arena, const char **cells) {
    const fake_keyspace *keyspace = fake__keyspace_at(node->fake, row);
    if (!keyspace) return false;
    cells[0] =
        base__arena_printf(arena, "'%.*s'", (int)keyspace->name.len, keyspace->name.data).data;
    cells[1] = "true";
    cells[2] = fake__replication(node->fake, keyspace, arena);
    return true;
}

#define TABLE_OPTIONS                                                                              \
    "comment text, compaction frozen<map<text, text>>, compression frozen<map<text, text>>, "      \
    "crc_check_chance double, dclocal_read_repair_chance double, default_time_to_live int, "       \
    "extensions frozen<map<text, blob>>, "
#define MORE_OPTIONS                                                                               \
    "incremental_backups boolean, max_index_interval int, memtable text, "                         \
    "memtable_flush_period_in_ms int, min_index_interval int, read_repair text, "                  \
    "read_repair_chance double, speculative_retry text"
#define COLUMN_COLUMNS                                                                             \
    "keyspace_name text, table_name text, column_name text, clustering_order text, "               \
    "column_name_bytes blob, kind text, position int, type text"

static const fake_table tables[] = {
    { "system", "local",
      "key text, bootstrapped text, broadcast_address inet, broadcast_port int, cluster_name text, "
      "cql_version text, data_center text, gossip_generation int, host_id uuid, listen_address inet, "
      "listen_port int, native_protocol_version text, partitioner text, rack text, "
      "release_version text, rpc_address inet, rpc_port int, schema_version uuid, tokens set<text>, "
      "truncated_at map<uuid, blob>",
      local_row },
    { "system", "peers",
      "peer inet, data_center text, host_id uuid, preferred_ip inet, rack text, "
      "release_version text, rpc_address inet, schema_version uuid, tokens set<text>",
      peers_row },
    { "system", "peers_v2",
      "peer inet, peer_port int, data_center text, host_id uuid, native_address inet, "
      "native_port int, preferred_ip inet, preferred_port int, rack text, release_version text, "
      "schema_version uuid, tokens set<text>",
      peers_v2_row },
    { "system_schema", "keyspaces",
      "keyspace_name text, durable_writes boolean, replication frozen<map<text, text>>",
      keyspaces_row },
    { "system_schema", "tables",
      "keyspace_name text, table_name text, additional_write_policy text, "
      "allow_auto_snapshot boolean, bloom_filter_fp_chance double, "
      "caching frozen<map<text, text>>, cdc boolean, " TABLE_OPTIONS
      "flags frozen<set<text>>, gc_grace_seconds int, id uuid, " MORE_OPTIONS,
      NULL },
    { "system_schema", "columns", COLUMN_COLUMNS, NULL },
    { "system_schema", "column_masks",
      "keyspace_name text, table_name text, column_name text, "
      "function_argument_nulls frozen<list<boolean>>, function_argument_types frozen<list<text>>, "
      "function_argument_values frozen<list<text>>, function_keyspace text, function_name text",
      NULL },
    { "system_schema", "dropped_columns",
      "keyspace_name text, table_name text, column_name text, dropped_time timestamp, kind text, "
      "type text",
      NULL },
    { "system_schema", "triggers",
      "keyspace_name text, table_name text, trigger_name text, options frozen<map<text, text>>",
      NULL },
    { "system_schema", "indexes",
      "keyspace_name text, table_name text, index_name text, kind text, "
      "options frozen<map<text, text>>",
      NULL },
    { "system_schema", "types",
      "keyspace_name text, type_name text, field_names frozen<list<text>>, "
      "field_types frozen<list<text>>",
      NULL },
    { "system_schema", "functions",
      "keyspace_name text, function_name text, argument_types frozen<list<text>>, "
      "argument_names frozen<list<text>>, body text, called_on_null_input boolean, language text, "
      "return_type text",
      NULL },
    { "system_schema", "aggregates",
      "keyspace_name text, aggregate_name text, argument_types frozen<list<text>>, "
      "final_func text, initcond text, return_type text, state_func text, state_type text",
      NULL },
    { "system_schema", "views",
      "keyspace_name text, view_name text, additional_write_policy text, "
      "allow_auto_snapshot boolean, base_table_id uuid, base_table_name text, "
      "bloom_filter_fp_chance double, caching frozen<map<text, text>>, cdc boolean, " TABLE_OPTIONS
      "gc_grace_seconds int, id uuid, include_all_columns boolean, " MORE_OPTIONS
      ", where_clause text",
      NULL },
    { "system_virtual_schema", "keyspaces", "keyspace_name text", NULL },
    { "system_virtual_schema", "tables", "keyspace_name text, table_name text, comment text",
      NULL },
    { "system_virtual_schema", "columns", COLUMN_COLUMNS, NULL },
    { "system_traces", "sessions",
      "session_id uuid, client inet, command text, coordinator inet, coordinator_port int, "
      "duration int, parameters map<text, text>, request text, started_at timestamp",
      NULL },
    { "system_traces", "events",
      "session_id uuid, event_id timeuuid, activity text, source inet, source_elapsed int, "
      "source_port int, thread text",
      NULL },
};

const fake_table *fake__system_table(corm_str keyspace, corm_str table) {
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        if (corm_str_equal(keyspace, corm_str_of(tables[i].keyspace)) &&
            corm_str_equal(table, corm_str_of(tables[i].name))) {
            return &tables[i];
        }
    }
    return NULL;
}
