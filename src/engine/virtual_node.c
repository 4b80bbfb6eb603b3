// SPDX-License-Identifier: MIT
/* virtual_node.c -- system_views: what this node says of itself: gossip_info's row of a node that is alone, properties of the
 * system, caches. Of the server's caches none exists here: they are shown as they are where they are switched off. Thread: the
 * reader's. */
#include <math.h>
#include <stdlib.h>
#include <sys/utsname.h>

#include "base/fail.h"
#include "engine/core.h"
#include "engine/virtual.h"

enum { STORAGE_PORT = 7000 };

/* ---- gossip ---- */

static void set_places(virtual_row *row) {
    const engine_client *client = virtual__client(row);
    char                 address[46];
    corm_inet_format(client->address, address);
    virtual__set_address(row, "address", &client->address);
    virtual__set_int(row, "port", STORAGE_PORT);
    virtual__set_text(row, "rpc_address", corm_str_of(address));
    virtual__set_printed(row, "native_address_and_port",
                         client->address.length == 16 ? "[%s]:%d" : "%s:%d", address, client->port);
}

/* The versions of the values are gossip's own; nothing is told to others, so there are none. */
static corm_status gossip_info(virtual_row *row, const cql_schema *schema, corm_error *err) {
    engine_stats stats;
    char         id[37];
    engine__stats(row->request->store, &stats);
    set_places(row);
    corm_uuid_format(row->request->store->id, id);
    virtual__set_text(row, "host_id", corm_str_of(id));
    corm_uuid_format(schema->version, id);
    virtual__set_text(row, "schema", corm_str_of(id));
    virtual__set_text(row, "dc", corm_str_of("datacenter1"));
    virtual__set_text(row, "rack", corm_str_of("rack1"));
    virtual__set_text(row, "release_version", corm_str_of("5.0.9"));
    virtual__set_text(row, "rpc_ready", corm_str_of("true"));
    virtual__set_text(row, "status", corm_str_of("NORMAL,0"));
    virtual__set_text(row, "status_with_port", corm_str_of("NORMAL,0"));
    virtual__set_printed(row, "load", "%.1f", (double)stats.used_bytes);
    virtual__set_int(row, "generation", 1);
    return virtual__emit(row, err);
}

/* ---- system_properties ---- */

static corm_status property(virtual_row *row, const char *name, const char *value,
                            corm_error *err) {
    if (!value) return CORM_OK;
    virtual__set_text(row, "name", corm_str_of(name));
    virtual__set_text(row, "value", corm_str_of(value));
    return virtual__emit(row, err);
}

/* Those of the server's that are of the machine, not of Java. */
static corm_status system_properties(virtual_row *row, const cql_schema *schema, corm_error *err) {
    struct utsname system;
    bool           known = uname(&system) == 0;
    (void)schema;
    CORM_TRY(property(row, "line.separator", "\n", err));
    CORM_TRY(property(row, "os.arch", known ? system.machine : NULL, err));
    CORM_TRY(property(row, "os.name", known ? system.sysname : NULL, err));
    CORM_TRY(property(row, "sun.arch.data.model", sizeof(void *) == 8 ? "64" : "32", err));
    return property(row, "user.home", getenv("HOME"), err);
}

/* ---- caches ---- */

static corm_status caches(virtual_row *row, const cql_schema *schema, corm_error *err) {
    static const char *const names[] = { "counters", "keys", "rows" };
    static const char *const figures[] = { "capacity_bytes",
                                           "hit_count",
                                           "request_count",
                                           "recent_hit_rate_per_second",
                                           "recent_request_rate_per_second",
                                           "size_bytes" };
    (void)schema;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        virtual__set_text(row, "name", corm_str_of(names[i]));
        for (size_t j = 0; j < sizeof figures / sizeof *figures; j++)
            virtual__set_bigint(row, figures[j], 0);
        virtual__set_int(row, "entry_count", 0);
        virtual__set_double(row, "hit_ratio", (double)NAN);
        CORM_TRY(virtual__emit(row, err));
    }
    return CORM_OK;
}

/* ---- credentials ---- */

static corm_status credentials(virtual_row *row, const cql_schema *schema, corm_error *err) {
    corm_str *roles;
    uint32_t  count;
    (void)schema;
    CORM_TRY(engine__passwords_list(row->request->store, row->request->arena, &roles, &count, err));
    for (uint32_t i = 0; i < count; i++) {
        virtual__set_text(row, "role", roles[i]);
        CORM_TRY(virtual__emit(row, err));
    }
    return CORM_OK;
}

const virtual_table virtual__node_tables[] = {
    { "system_views", "caches", caches },
    { "system_views", "credentials_cache_keys", credentials },
    { "system_views", "gossip_info", gossip_info },
    { "system_views", "system_properties", system_properties },
    { NULL, NULL, NULL },
};
