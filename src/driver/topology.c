// SPDX-License-Identifier: MIT
/* topology.c -- rows of system.local, system.peers_v2 and system.peers, as far as they describe nodes. A row's columns are found by
 * their names, since servers differ in which they have. Owns copies. The loop's thread. */
#include <arpa/inet.h>

#include "base/fail.h"
#include "base/text.h"
#include "driver/control.h"

/* Where the columns stand in a result; DRIVER_NO_COLUMN. */
typedef struct row_columns {
    uint32_t host_id, address, port, fallback, dc, rack, release, schema, tokens, partitioner;
} row_columns;

/* What a row's values are read with. */
typedef struct row_reader {
    driver_topology   *topology;
    const wire_result *result;
    row_columns        columns;
    cql_value         *values;
} row_reader;

static cql_value value_at(const row_reader *reader, uint32_t column) {
    return column == DRIVER_NO_COLUMN ? CQL_NULL : reader->values[column];
}

static corm_str text_of(cql_value value) {
    return (corm_str){ (const char *)value.data, value.len > 0 ? (size_t)value.len : 0 };
}

static const char *copy_text(row_reader *reader, uint32_t column, corm_str standard) {
    cql_value value = value_at(reader, column);
    corm_str  text = value.len > 0 ? text_of(value) : standard;
    return base__arena_str(&reader->topology->arena, text).data;
}

static corm_uuid uuid_of(cql_value value) {
    corm_uuid uuid = { { 0 } };
    if (value.len == sizeof uuid.bytes) memcpy(uuid.bytes, value.data, sizeof uuid.bytes);
    return uuid;
}

static corm_inet inet_of(cql_value value) {
    static const uint8_t any[16];
    corm_inet            inet = { { 0 }, 0 };
    if (value.len != 4 && value.len != 16) return inet;
    if (memcmp(value.data, any, (size_t)value.len) == 0)
        return inet; /* listens everywhere: says nothing */
    memcpy(inet.bytes, value.data, (size_t)value.len);
    inet.length = (uint8_t)value.len;
    return inet;
}

static uint16_t port_of(cql_value value) {
    if (value.len != 4) return 0;
    uint32_t port = base__load_u32(value.data);
    return port <= UINT16_MAX ? (uint16_t)port : 0;
}

/* A set<text> of decimal numbers. Anything else (another partitioner's) gives no tokens. */
static corm_status read_tokens(row_reader *reader, driver_node_row *row, corm_error *err) {
    cql_value value = value_at(reader, reader->columns.tokens);
    if (value.len < 4) return CORM_OK;
    base_reader bytes = { value.data, (size_t)value.len, false };
    uint32_t    count = base__read_u32(&bytes);
    if (count > bytes.len / 4) return CORM_OK;
    int64_t *tokens = BASE_NEW_ARRAY(&reader->topology->arena, int64_t, count);
    if (!tokens) return base__fail_memory(err);
    for (uint32_t i = 0; i < count; i++) {
        int64_t token;
        if (!base__parse_i64(text_of(cql__read_value(&bytes)), &token)) continue;
        tokens[row->token_count++] = token;
    }
    row->tokens = tokens;
    return CORM_OK;
}

/* A server that gives no host id has one made of the address: stable as long as that is. */
static corm_uuid made_id(corm_inet address) {
    corm_uuid id = { { 0 } };
    uint64_t  high = base__hash(address.bytes, address.length, 1);
    uint64_t  low = base__hash(address.bytes, address.length, 2);
    base__store_u64(id.bytes, high);
    base__store_u64(id.bytes + 8, low);
    return id;
}

static corm_status read_row(row_reader *reader, driver_node_row *row, corm_error *err) {
    const row_columns *at = &reader->columns;
    row->announced = inet_of(value_at(reader, at->address));
    if (row->announced.length == 0) row->announced = inet_of(value_at(reader, at->fallback));
    row->port = port_of(value_at(reader, at->port));
    row->host_id = uuid_of(value_at(reader, at->host_id));
    row->schema_version = uuid_of(value_at(reader, at->schema));
    row->dc = copy_text(reader, at->dc, corm_str_of("datacenter1"));
    row->rack = copy_text(reader, at->rack, corm_str_of("rack1"));
    row->release_version = copy_text(reader, at->release, corm_str_of("?"));
    if (!row->dc || !row->rack || !row->release_version) return base__fail_memory(err);
    return read_tokens(reader, row, err);
}

/* A peer's row is written in pieces while the node joins, and pieces may be left of a node that is gone: without an identity
 * or a place it is no node (yet). */
static bool is_whole(const row_reader *reader, const driver_node_row *row) {
    bool has_dc = value_at(reader, reader->columns.dc).len > 0;
    return row->announced.length > 0 && (has_dc || !corm_uuid_is_zero(row->host_id));
}

static driver_node_row *known(const driver_topology *topology, const driver_node_row *row) {
    for (uint32_t i = 0; i < topology->count; i++) {
        driver_node_row *other = &topology->rows[i];
        if (corm_uuid_equal(other->host_id, row->host_id)) return other;
    }
    return NULL;
}

static corm_status push(driver_topology *topology, const driver_node_row *row, corm_error *err) {
    driver_node_row *other = known(topology, row);
    if (other && row->is_control) *other = *row; /* a node that lists itself among its peers */
    if (other) return CORM_OK;
    if (topology->count == topology->capacity) {
        uint32_t         capacity = topology->capacity ? 2 * topology->capacity : 8;
        driver_node_row *rows = BASE_NEW_ARRAY(&topology->arena, driver_node_row, capacity);
        if (!rows) return base__fail_memory(err);
        if (topology->count > 0) memcpy(rows, topology->rows, topology->count * sizeof *rows);
        topology->rows = rows;
        topology->capacity = capacity;
    }
    topology->rows[topology->count++] = *row;
    return CORM_OK;
}

static corm_status begin(row_reader *reader, driver_topology *topology, const wire_result *result,
                         corm_error *err) {
    reader->topology = topology;
    reader->result = result;
    if (result->kind != WIRE_ROWS) {
        return base__fail(err, CORM_PROTOCOL_ERROR, "the answer has no rows of nodes");
    }
    reader->columns = (row_columns){
        .host_id = driver__column(result, "host_id"),
        .address = driver__column(result, "rpc_address"),
        .port = driver__column(result, "rpc_port"),
        .fallback = driver__column(result, "broadcast_address"),
        .dc = driver__column(result, "data_center"),
        .rack = driver__column(result, "rack"),
        .release = driver__column(result, "release_version"),
        .schema = driver__column(result, "schema_version"),
        .tokens = driver__column(result, "tokens"),
        .partitioner = driver__column(result, "partitioner"),
    };
    reader->values = BASE_NEW_ARRAY(&topology->arena, cql_value, result->metadata.count);
    return reader->values ? CORM_OK : base__fail_memory(err);
}

static bool is_murmur3(corm_str partitioner) {
    static const char name[] = "Murmur3Partitioner";
    size_t            len = sizeof name - 1;
    return partitioner.len >= len &&
           memcmp(partitioner.data + partitioner.len - len, name, len) == 0;
}

corm_status driver__topology_local(driver_topology *topology, const wire_result *result,
                                   corm_error *err) {
    row_reader      reader;
    driver_node_row row = { .is_control = true };
    CORM_TRY(begin(&reader, topology, result, err));
    base_reader bytes = result->rows;
    if (result->row_count < 1 || !driver__row(&bytes, result, reader.values)) {
        return base__fail(err, CORM_PROTOCOL_ERROR, "system.local has no row");
    }
    topology->has_ring = is_murmur3(text_of(value_at(&reader, reader.columns.partitioner)));
    CORM_TRY(read_row(&reader, &row, err));
    if (corm_uuid_is_zero(row.host_id)) row.host_id = made_id(row.announced);
    return push(topology, &row, err);
}

corm_status driver__topology_peers(driver_topology *topology, const wire_result *result,
                                   corm_error *err) {
    row_reader reader;
    CORM_TRY(begin(&reader, topology, result, err));
    if (reader.columns.address == DRIVER_NO_COLUMN) {
        reader.columns.address = driver__column(result, "native_address");
        reader.columns.port = driver__column(result, "native_port");
    }
    reader.columns.fallback = driver__column(result, "peer");
    base_reader bytes = result->rows;
    for (uint32_t i = 0; i < result->row_count; i++) {
        driver_node_row row = { .is_control = false };
        if (!driver__row(&bytes, result, reader.values)) {
            return base__fail(err, CORM_PROTOCOL_ERROR, "the peers' rows end too early");
        }
        CORM_TRY(read_row(&reader, &row, err));
        if (!is_whole(&reader, &row)) continue;
        if (corm_uuid_is_zero(row.host_id)) row.host_id = made_id(row.announced);
        CORM_TRY(push(topology, &row, err));
    }
    return CORM_OK;
}

void driver__topology_free(driver_topology *topology) {
    base__arena_free(&topology->arena);
    memset(topology, 0, sizeof *topology);
}
