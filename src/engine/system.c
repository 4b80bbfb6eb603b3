// SPDX-License-Identifier: MIT
/* system.c -- the system keyspaces as clients know them, in Cassandra 5.0's words. system_views.c has those of system_views, virtual.c
 * their rows, but of those that are stored as any table's. */
#include "engine/system.h"

static const char *const tables[] = {
    /* system */
    "CREATE TABLE system.\"IndexInfo\" (table_name text, index_name text, value blob, "
    "PRIMARY KEY (table_name, index_name)) WITH comment = 'built column indexes' AND "
    "gc_grace_seconds = 0",
    "CREATE TABLE system.built_views (keyspace_name text, view_name text, "
    "status_replicated boolean, PRIMARY KEY (keyspace_name, view_name)) WITH comment = "
    "'built views' AND gc_grace_seconds = 0",
    "CREATE TABLE system.local (key text, bootstrapped text, broadcast_address inet, "
    "broadcast_port int, cluster_name text, cql_version text, data_center text, "
    "gossip_generation int, host_id uuid, listen_address inet, listen_port int, "
    "native_protocol_version text, partitioner text, rack text, release_version text, "
    "rpc_address inet, rpc_port int, schema_version uuid, tokens set<text>, truncated_at "
    "map<uuid, blob>, PRIMARY KEY (key)) WITH comment = 'information about the local "
    "node' AND gc_grace_seconds = 0",
    "CREATE TABLE system.peers (peer inet, data_center text, host_id uuid, preferred_ip "
    "inet, rack text, release_version text, rpc_address inet, schema_version uuid, "
    "tokens set<text>, PRIMARY KEY (peer)) WITH comment = 'information about known peers "
    "in the cluster' AND gc_grace_seconds = 0",
    "CREATE TABLE system.peers_v2 (peer inet, peer_port int, data_center text, host_id "
    "uuid, native_address inet, native_port int, preferred_ip inet, preferred_port int, "
    "rack text, release_version text, schema_version uuid, tokens set<text>, PRIMARY KEY "
    "(peer, peer_port)) WITH comment = 'information about known peers in the cluster' "
    "AND gc_grace_seconds = 0",
    "CREATE TABLE system.size_estimates (keyspace_name text, table_name text, "
    "range_start text, range_end text, mean_partition_size bigint, partitions_count "
    "bigint, PRIMARY KEY (keyspace_name, table_name, range_start, range_end)) WITH "
    "comment = 'per-table primary range size estimates, table is deprecated in favor of "
    "table_estimates' AND gc_grace_seconds = 0",
    "CREATE TABLE system.table_estimates (keyspace_name text, table_name text, "
    "range_type text, range_start text, range_end text, mean_partition_size bigint, "
    "partitions_count bigint, PRIMARY KEY (keyspace_name, table_name, range_type, "
    "range_start, range_end)) WITH comment = 'per-table range size estimates' AND "
    "gc_grace_seconds = 0",
    "CREATE TABLE system.view_builds_in_progress (keyspace_name text, view_name text, "
    "start_token text, end_token text, keys_built bigint, last_token text, PRIMARY KEY "
    "(keyspace_name, view_name, start_token, end_token)) WITH comment = 'views builds "
    "current progress' AND gc_grace_seconds = 0",
    /* system_schema */
    "CREATE TABLE system_schema.aggregates (keyspace_name text, aggregate_name text, "
    "argument_types frozen<list<text>>, final_func text, initcond text, return_type "
    "text, state_func text, state_type text, PRIMARY KEY (keyspace_name, aggregate_name, "
    "argument_types)) WITH comment = 'user defined aggregate definitions' AND "
    "gc_grace_seconds = 604800",
    "CREATE TABLE system_schema.column_masks (keyspace_name text, table_name text, "
    "column_name text, function_argument_nulls frozen<list<boolean>>, "
    "function_argument_types frozen<list<text>>, function_argument_values "
    "frozen<list<text>>, function_keyspace text, function_name text, PRIMARY KEY "
    "(keyspace_name, table_name, column_name)) WITH comment = 'column dynamic data "
    "masks' AND gc_grace_seconds = 604800",
    "CREATE TABLE system_schema.columns (keyspace_name text, table_name text, "
    "column_name text, clustering_order text, column_name_bytes blob, kind text, "
    "position int, type text, PRIMARY KEY (keyspace_name, table_name, column_name)) WITH "
    "comment = 'column definitions' AND gc_grace_seconds = 604800",
    "CREATE TABLE system_schema.dropped_columns (keyspace_name text, table_name text, "
    "column_name text, dropped_time timestamp, kind text, type text, PRIMARY KEY "
    "(keyspace_name, table_name, column_name)) WITH comment = 'dropped column registry' "
    "AND gc_grace_seconds = 604800",
    "CREATE TABLE system_schema.functions (keyspace_name text, function_name text, "
    "argument_types frozen<list<text>>, argument_names frozen<list<text>>, body text, "
    "called_on_null_input boolean, language text, return_type text, PRIMARY KEY "
    "(keyspace_name, function_name, argument_types)) WITH comment = 'user defined "
    "function definitions' AND gc_grace_seconds = 604800",
    "CREATE TABLE system_schema.indexes (keyspace_name text, table_name text, index_name "
    "text, kind text, options frozen<map<text, text>>, PRIMARY KEY (keyspace_name, "
    "table_name, index_name)) WITH comment = 'secondary index definitions' AND "
    "gc_grace_seconds = 604800",
    "CREATE TABLE system_schema.keyspaces (keyspace_name text, durable_writes boolean, "
    "replication frozen<map<text, text>>, PRIMARY KEY (keyspace_name)) WITH comment = "
    "'keyspace definitions' AND gc_grace_seconds = 604800",
    "CREATE TABLE system_schema.tables (keyspace_name text, table_name text, "
    "additional_write_policy text, allow_auto_snapshot boolean, bloom_filter_fp_chance "
    "double, caching frozen<map<text, text>>, cdc boolean, comment text, compaction "
    "frozen<map<text, text>>, compression frozen<map<text, text>>, crc_check_chance "
    "double, dclocal_read_repair_chance double, default_time_to_live int, extensions "
    "frozen<map<text, blob>>, flags frozen<set<text>>, gc_grace_seconds int, id uuid, "
    "incremental_backups boolean, max_index_interval int, memtable text, "
    "memtable_flush_period_in_ms int, min_index_interval int, read_repair text, "
    "read_repair_chance double, speculative_retry text, PRIMARY KEY (keyspace_name, "
    "table_name)) WITH comment = 'table definitions' AND gc_grace_seconds = 604800",
    "CREATE TABLE system_schema.triggers (keyspace_name text, table_name text, "
    "trigger_name text, options frozen<map<text, text>>, PRIMARY KEY (keyspace_name, "
    "table_name, trigger_name)) WITH comment = 'trigger definitions' AND "
    "gc_grace_seconds = 604800",
    "CREATE TABLE system_schema.types (keyspace_name text, type_name text, field_names "
    "frozen<list<text>>, field_types frozen<list<text>>, PRIMARY KEY (keyspace_name, "
    "type_name)) WITH comment = 'user defined type definitions' AND gc_grace_seconds = "
    "604800",
    "CREATE TABLE system_schema.views (keyspace_name text, view_name text, "
    "additional_write_policy text, allow_auto_snapshot boolean, base_table_id uuid, "
    "base_table_name text, bloom_filter_fp_chance double, caching frozen<map<text, "
    "text>>, cdc boolean, comment text, compaction frozen<map<text, text>>, compression "
    "frozen<map<text, text>>, crc_check_chance double, dclocal_read_repair_chance "
    "double, default_time_to_live int, extensions frozen<map<text, blob>>, "
    "gc_grace_seconds int, id uuid, include_all_columns boolean, incremental_backups "
    "boolean, max_index_interval int, memtable text, memtable_flush_period_in_ms int, "
    "min_index_interval int, read_repair text, read_repair_chance double, "
    "speculative_retry text, where_clause text, PRIMARY KEY (keyspace_name, view_name)) "
    "WITH comment = 'view definitions' AND gc_grace_seconds = 604800",
    /* system_virtual_schema */
    "CREATE TABLE system_virtual_schema.columns (keyspace_name text, table_name text, "
    "column_name text, clustering_order text, column_name_bytes blob, kind text, "
    "position int, type text, PRIMARY KEY (keyspace_name, table_name, column_name)) WITH "
    "comment = 'virtual column definitions'",
    "CREATE TABLE system_virtual_schema.keyspaces (keyspace_name text, PRIMARY KEY "
    "(keyspace_name)) WITH comment = 'virtual keyspace definitions'",
    "CREATE TABLE system_virtual_schema.tables (keyspace_name text, table_name text, "
    "comment text, PRIMARY KEY (keyspace_name, table_name)) WITH comment = 'virtual "
    "table definitions'",
};

/* Tables whose rows are stored, with their storage ids: the same in every store, for ever. */
static const struct {
    uint32_t    storage_id;
    const char *text;
} stored[] = {
    { UINT32_C(0xffff0001),
      "CREATE TABLE system_auth.roles (role text, can_login boolean, is_superuser boolean, "
      "member_of set<text>, salted_hash text, PRIMARY KEY (role)) WITH comment = 'role "
      "definitions' AND gc_grace_seconds = 7776000" },
    { UINT32_C(0xffff0002),
      "CREATE TABLE system_auth.role_members (role text, member text, PRIMARY KEY (role, "
      "member)) WITH comment = 'role memberships lookup table' AND gc_grace_seconds = "
      "7776000" },
    { UINT32_C(0xffff0003),
      "CREATE TABLE system_auth.role_permissions (role text, resource text, permissions "
      "set<text>, PRIMARY KEY (role, resource)) WITH comment = 'permissions granted to db "
      "roles' AND gc_grace_seconds = 7776000" },
    { UINT32_C(0xffff0004),
      "CREATE TABLE system_auth.resource_role_permissons_index (resource text, role text, "
      "PRIMARY KEY (resource, role)) WITH comment = 'index of db roles with permissions "
      "granted on a resource' AND gc_grace_seconds = 7776000" },
    { UINT32_C(0xffff0005),
      "CREATE TABLE system_auth.network_permissions (role text, dcs frozen<set<text>>, "
      "PRIMARY KEY (role)) WITH comment = 'user network permissions' AND gc_grace_seconds "
      "= 7776000" },
    { UINT32_C(0xffff0006),
      "CREATE TABLE system_auth.cidr_permissions (role text, cidr_groups "
      "frozen<set<text>>, PRIMARY KEY (role)) WITH comment = 'user cidr permissions' AND "
      "gc_grace_seconds = 7776000" },
    { UINT32_C(0xffff0007),
      "CREATE TABLE system_auth.cidr_groups (cidr_group text, cidrs "
      "frozen<set<frozen<tuple<inet, smallint>>>>, PRIMARY KEY (cidr_group)) WITH comment "
      "= 'cidr groups to cidrs mapping' AND gc_grace_seconds = 7776000" },
    { UINT32_C(0xffff0008),
      "CREATE TABLE system_auth.identity_to_role (identity text, role text, PRIMARY KEY "
      "(identity)) WITH comment = 'mtls authorized identities lookup table' AND "
      "gc_grace_seconds = 7776000" },
    { UINT32_C(0xffff0101),
      "CREATE TABLE system_traces.events (session_id uuid, event_id timeuuid, activity "
      "text, source inet, source_elapsed int, source_port int, thread text, PRIMARY KEY "
      "(session_id, event_id)) WITH comment = 'tracing events' AND gc_grace_seconds = 0" },
    { UINT32_C(0xffff0102),
      "CREATE TABLE system_traces.sessions (session_id uuid, client inet, command text, "
      "coordinator inet, coordinator_port int, duration int, parameters map<text, text>, "
      "request text, started_at timestamp, PRIMARY KEY (session_id)) WITH comment = "
      "'tracing sessions' AND gc_grace_seconds = 0" },
};

static corm_status add_tables(cql_schema *schema, corm_error *err) {
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        CORM_TRY(cql__schema_add_virtual(schema, tables[i], err));
    for (const char *const *view = engine__system_views; *view; view++)
        CORM_TRY(cql__schema_add_virtual(schema, *view, err));
    for (size_t i = 0; i < sizeof stored / sizeof *stored; i++)
        CORM_TRY(cql__schema_add_stored(schema, stored[i].text, stored[i].storage_id, err));
    return CORM_OK;
}

/* As the server shows the tables that each node has of its own. */
static void set_flush_periods(cql_schema *schema) {
    for (uint32_t i = 0; i < schema->keyspace_count; i++) {
        cql_keyspace *keyspace = schema->keyspaces[i];
        if (!corm_str_equal(keyspace->name, corm_str_of("system")) &&
            !corm_str_equal(keyspace->name, corm_str_of("system_schema")))
            continue;
        for (uint32_t j = 0; j < keyspace->table_count; j++)
            keyspace->tables[j]->options.memtable_flush_period_in_ms = 3600000;
    }
}

corm_status engine__system_schema(cql_schema **out, corm_error *err) {
    *out = NULL;
    cql_schema *schema = cql__schema_new();
    if (!schema) return base__fail_memory(err);
    corm_status status = add_tables(schema, err);
    if (status == CORM_OK) set_flush_periods(schema);
    if (status == CORM_OK)
        *out = schema;
    else
        cql__schema_unref(schema);
    return status;
}
