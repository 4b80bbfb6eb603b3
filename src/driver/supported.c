// SPDX-License-Identifier: MIT
/* supported.c -- what a node says of itself in SUPPORTED, and what STARTUP answers to it.
 *
 * ScyllaDB names the shard at the connection's other end and its extensions in further keys. Pure but for the connection. */
#include <stdio.h>

#include "base/fail.h"
#include "base/text.h"
#include "driver/conn_internal.h"

#include "corm/version.h"

static const char LWT_MARK[] = "SCYLLA_LWT_ADD_METADATA_MARK";
static const char LWT_FIELD[] = "LWT_OPTIMIZATION_META_BIT_MASK=";
static const char RATE_LIMIT[] = "SCYLLA_RATE_LIMIT_ERROR";

/* ---- reading ---- */

static uint64_t number_of(corm_str text, uint64_t most) {
    int64_t number;
    if (!base__parse_i64(text, &number) || number < 0 || (uint64_t)number > most) return 0;
    return (uint64_t)number;
}

static void read_lwt_mask(driver_sharding *sharding, corm_str value) {
    corm_str field = corm_str_of(LWT_FIELD);
    if (!base__str_has_prefix(value, field)) return;
    corm_str digits = { value.data + field.len, value.len - field.len };
    sharding->lwt_mask = (uint32_t)number_of(digits, UINT32_MAX);
}

static void read_scylla(driver_sharding *s, corm_str name, corm_str value) {
    if (corm_str_equal(name, corm_str_of("SCYLLA_SHARD"))) {
        s->shard = (uint16_t)number_of(value, UINT16_MAX);
    } else if (corm_str_equal(name, corm_str_of("SCYLLA_NR_SHARDS"))) {
        s->shard_count = (uint16_t)number_of(value, UINT16_MAX);
    } else if (corm_str_equal(name, corm_str_of("SCYLLA_SHARDING_IGNORE_MSB"))) {
        s->ignore_msb = (uint8_t)number_of(value, 63);
    } else if (corm_str_equal(name, corm_str_of("SCYLLA_SHARD_AWARE_PORT"))) {
        s->shard_port = (uint16_t)number_of(value, UINT16_MAX);
    } else if (corm_str_equal(name, corm_str_of("SCYLLA_SHARD_AWARE_PORT_SSL"))) {
        s->shard_port_tls = (uint16_t)number_of(value, UINT16_MAX);
    } else if (corm_str_equal(name, corm_str_of(LWT_MARK))) {
        read_lwt_mask(s, value);
    } else if (corm_str_equal(name, corm_str_of(RATE_LIMIT))) {
        s->rate_limit_errors = true;
    }
}

/* What the user wants, where the protocol's version has it. */
static wire_compression wanted(const driver_conn *conn) {
    switch (conn->options.settings->options.compression) {
    case CORM_LZ4: return WIRE_LZ4;
    case CORM_SNAPPY: return conn->options.version < 5 ? WIRE_SNAPPY : WIRE_PLAIN;
    default: return WIRE_PLAIN;
    }
}

static void read_pair(driver_conn *conn, wire_pair pair) {
    wire_compression compression = wanted(conn);
    const char      *name = wire__compression_name(compression);
    if (base__str_has_prefix(pair.name, corm_str_of("SCYLLA_"))) {
        read_scylla(&conn->sharding, pair.name, pair.value);
    } else if (name && corm_str_equal(pair.name, corm_str_of("COMPRESSION")) &&
               corm_str_equal(pair.value, corm_str_of(name))) {
        conn->compression = compression;
    }
}

/* A shard that is none of so many would have every computation with it wrong. */
static void check_sharding(driver_sharding *sharding) {
    if (sharding->shard_count > 0 && sharding->shard < sharding->shard_count) return;
    sharding->shard = sharding->shard_count = 0;
    sharding->shard_port = sharding->shard_port_tls = 0;
}

corm_status driver__supported_read(driver_conn *conn, corm_bytes body, corm_error *err) {
    wire_multimap map;
    wire_pair     pair;
    conn->sharding = (driver_sharding){ 0 };
    conn->compression = WIRE_PLAIN;
    wire__multimap_begin(&map, body);
    while (wire__multimap_next(&map, &pair)) read_pair(conn, pair);
    if (map.reader.failed) {
        return base__fail(err, CORM_PROTOCOL_ERROR, "the node's SUPPORTED cannot be read");
    }
    check_sharding(&conn->sharding);
    return CORM_OK;
}

/* ---- answering ---- */

typedef struct startup {
    wire_pair *pairs;
    uint32_t   count;
} startup;

static void add(startup *s, const char *name, const char *value) {
    if (!value) return;
    s->pairs[s->count++] = (wire_pair){ corm_str_of(name), corm_str_of(value) };
}

uint32_t driver__startup_options(const driver_conn *conn, wire_pair pairs[DRIVER_MOST_STARTUP],
                                 char lwt_mark[64]) {
    const driver_settings *settings = conn->options.settings;
    startup                s = { .pairs = pairs };
    add(&s, "CQL_VERSION", "3.0.0");
    add(&s, "DRIVER_NAME", "Corm");
    add(&s, "DRIVER_VERSION", corm_version_string());
    if (settings->client_id[0]) add(&s, "CLIENT_ID", settings->client_id);
    add(&s, "APPLICATION_NAME", settings->options.application_name);
    add(&s, "APPLICATION_VERSION", settings->options.application_version);
    add(&s, "COMPRESSION", wire__compression_name(conn->compression));
    if (conn->sharding.lwt_mask) {
        (void)snprintf(lwt_mark, 64, "%s%u", LWT_FIELD, conn->sharding.lwt_mask);
        add(&s, LWT_MARK, lwt_mark);
    }
    if (conn->sharding.rate_limit_errors) add(&s, RATE_LIMIT, "");
    return s.count;
}
