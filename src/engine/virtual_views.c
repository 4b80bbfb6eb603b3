// SPDX-License-Identifier: MIT
/* virtual_views.c -- system_views: the settings that hold for this store. Thread: the reader's. */
#include <stdlib.h>

#include "engine/core.h"
#include "engine/virtual.h"

enum { SETTINGS = 128 };

typedef struct setting {
    const char *name;
    corm_str    value; /* data NULL: null */
} setting;

typedef struct settings {
    virtual_row *row;
    setting      all[SETTINGS];
    size_t       count;
} settings;

static void add(settings *list, const char *name, corm_str value) {
    if (list->count < SETTINGS) list->all[list->count++] = (setting){ name, value };
}

/* ---- what a store always has ---- */

static void add_fixed(settings *list) {
    static const struct {
        const char *name, *value;
    } fixed[] = {
        { "auto_snapshot", "false" },
        { "cluster_name", "corm" },
        { "default_keyspace_rf", "1" },
        { "default_secondary_index", "legacy_local_table" },
        { "default_secondary_index_enabled", "true" },
        { "drop_compact_storage_enabled", "true" },
        { "dynamic_data_masking_enabled", "true" },
        { "enable_materialized_views", "true" },
        { "enable_sasi_indexes", "true" },
        { "enable_user_defined_functions", "false" },
        { "endpoint_snitch", "SimpleSnitch" },
        { "hinted_handoff_enabled", "false" },
        { "incremental_backups", "false" },
        { "num_tokens", "1" },
        { "partitioner", "org.apache.cassandra.dht.Murmur3Partitioner" },
        { "role_manager", "CassandraRoleManager" },
        { "sasi_indexes_enabled", "true" },
        { "storage_compatibility_mode", "NONE" },
        { "storage_port", "7000" },
        { "transient_replication_enabled", "true" },
        { "user_defined_functions_enabled", "false" },
    };
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        add(list, fixed[i].name, corm_str_of(fixed[i].value));
}

/* ---- who is let in, and where ---- */

static void add_printed(settings *list, const char *name, const char *format, long long number) {
    corm_str text = base__arena_printf(list->row->request->arena, format, number);
    if (!text.data) list->row->failed = true;
    add(list, name, text);
}

static void add_address(settings *list, const engine_client *client) {
    char     text[46];
    corm_str kept;
    corm_inet_format(client->address, text);
    kept = base__arena_str(list->row->request->arena, corm_str_of(text));
    if (!kept.data) list->row->failed = true;
    add(list, "listen_address", kept);
    add(list, "rpc_address", kept);
    add_printed(list, "native_transport_port", "%lld", client->port);
}

static void add_doors(settings *list) {
    const engine_client *client = list->row->request->client;
    bool                 roles = client && client->role.data;
    add(list, "authenticator",
        corm_str_of(roles ? "PasswordAuthenticator" : "AllowAllAuthenticator"));
    add(list, "authorizer", corm_str_of(roles ? "CassandraAuthorizer" : "AllowAllAuthorizer"));
    add(list, "network_authorizer",
        corm_str_of(roles ? "CassandraNetworkAuthorizer" : "AllowAllNetworkAuthorizer"));
    if (client && client->address.length > 0) add_address(list, client);
}

/* ---- guard rails ---- */

static void add_bytes(settings *list, const char *name, int64_t value) {
    if (value % 1024 == 0)
        add_printed(list, name, "%lldKiB", (long long)(value / 1024));
    else
        add_printed(list, name, "%lldB", (long long)value);
}

static void add_set(settings *list, cql_guard_name name) {
    base_buf text = { 0 };
    cql__guard_put_set(&text, &list->row->request->store->guard, name);
    corm_str kept = base__arena_str(list->row->request->arena, base__buf_str(&text));
    if (text.failed || !kept.data) list->row->failed = true;
    base__buf_free(&text);
    add(list, cql__guard_text(name), kept);
}

static void add_guard(settings *list, cql_guard_name guard) {
    const char *name = cql__guard_text(guard);
    int64_t     value = list->row->request->store->guard.values[guard];
    switch (cql__guard_unit_of(guard)) {
    case CQL_GUARD_COUNT: add_printed(list, name, "%lld", (long long)value); break;
    case CQL_GUARD_FLAG: add(list, name, corm_str_of(value ? "true" : "false")); break;
    case CQL_GUARD_LEVELS:
    case CQL_GUARD_PROPERTIES: add_set(list, guard); break;
    case CQL_GUARD_BYTES:
    case CQL_GUARD_SECONDS:
        if (value < 0)
            add(list, name, (corm_str){ NULL, 0 });
        else if (cql__guard_unit_of(guard) == CQL_GUARD_BYTES)
            add_bytes(list, name, value);
        else
            add_printed(list, name, "%llds", (long long)value);
        break;
    }
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const setting *)a)->name, ((const setting *)b)->name);
}

static corm_status show_settings(virtual_row *row, const cql_schema *schema, corm_error *err) {
    settings list = { .row = row };
    (void)schema;
    add_fixed(&list);
    add_doors(&list);
    for (int i = 0; i < CQL_GUARD_NAMES; i++) add_guard(&list, (cql_guard_name)i);
    qsort(list.all, list.count, sizeof *list.all, by_name);
    for (size_t i = 0; i < list.count; i++) {
        virtual__set_text(row, "name", corm_str_of(list.all[i].name));
        if (list.all[i].value.data) virtual__set_text(row, "value", list.all[i].value);
        CORM_TRY(virtual__emit(row, err));
    }
    return CORM_OK;
}

const virtual_table virtual__view_tables[] = {
    { "system_views", "settings", show_settings },
    { NULL, NULL, NULL },
};
