// SPDX-License-Identifier: MIT
/* virtual.c -- the rows of system tables: this node, no others, (virtual_schema.c) the schema and (virtual_views.c) settings. Tables that are not named
 * here are empty. Thread: the reader's, over its snapshot. */
#include "engine/virtual.h"
#include "engine/core.h"

#define RELEASE "5.0.9" /* the Cassandra whose behaviour this is */

enum { NATIVE_PORT = 9042, STORAGE_PORT = 7000 };

static const engine_client no_client = {
    .address = { .bytes = { 127, 0, 0, 1 }, .length = 4 },
    .port = NATIVE_PORT,
};

const engine_client *virtual__client(const virtual_row *row) {
    const engine_client *client = row->request->client;
    return client && client->address.length > 0 ? client : &no_client;
}

/* Clients build the endpoint that they go on with from these: it is the one that they have reached already. */
static void set_addresses(virtual_row *row) {
    const engine_client *client = virtual__client(row);
    cql_value            address = { client->address.bytes, client->address.length };
    virtual__set(row, "broadcast_address", address);
    virtual__set(row, "listen_address", address);
    virtual__set(row, "rpc_address", address);
    virtual__set_int(row, "broadcast_port", STORAGE_PORT);
    virtual__set_int(row, "listen_port", STORAGE_PORT);
    virtual__set_int(row, "rpc_port", client->port);
}

static corm_status local(virtual_row *row, const cql_schema *schema, corm_error *err) {
    static const struct {
        const char *column, *text;
    } texts[] = {
        { "key", "local" },
        { "bootstrapped", "COMPLETED" },
        { "cluster_name", "corm" },
        { "cql_version", "3.4.7" },
        { "data_center", "datacenter1" },
        { "native_protocol_version", "5" },
        { "partitioner", "org.apache.cassandra.dht.Murmur3Partitioner" },
        { "rack", "rack1" },
        { "release_version", RELEASE },
    };
    const corm_str token = corm_str_of("0");
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        virtual__set_text(row, texts[i].column, corm_str_of(texts[i].text));
    }
    set_addresses(row);
    virtual__set_int(row, "gossip_generation", 1);
    virtual__set_uuid(row, "host_id", row->request->store->id);
    virtual__set_uuid(row, "schema_version", schema->version);
    virtual__set_texts(row, "tokens", &token, 1);
    return virtual__emit(row, err);
}

static const virtual_table node_tables[] = {
    { "system", "local", local },
    { NULL, NULL, NULL },
};

static virtual_rows find(const virtual_table *tables, const cql_table *table) {
    for (; tables->table; tables++) {
        if (corm_str_equal(table->name, corm_str_of(tables->table)) &&
            corm_str_equal(table->keyspace, corm_str_of(tables->keyspace))) {
            return tables->rows;
        }
    }
    return NULL;
}

corm_status engine__virtual_rows(engine_request *request, const cql_table *table, engine_emit emit,
                                 engine_wanted wanted, void *context, corm_error *err) {
    static const virtual_table *const all[] = {
        node_tables,          virtual__schema_tables, virtual__view_tables, virtual__latency_tables,
        virtual__size_tables, virtual__node_tables,   virtual__work_tables, virtual__client_tables,
    };
    virtual_rows rows = NULL;
    for (size_t i = 0; i < sizeof all / sizeof *all && !rows; i++) rows = find(all[i], table);
    if (!rows) return CORM_OK;
    virtual_row row = {
        .request = request,
        .table = table,
        .emit = emit,
        .wanted = wanted,
        .context = context,
        .values = BASE_NEW_ARRAY(request->arena, cql_value, table->column_count),
    };
    if (!row.values) return base__fail_memory(err);
    for (uint32_t i = 0; i < table->column_count; i++) row.values[i] = CQL_NULL;
    return rows(&row, request->schema, err);
}
