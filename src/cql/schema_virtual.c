// SPDX-License-Identifier: MIT
/* schema_virtual.c -- puts the system's tables into a snapshot that is being built. One thread: the
 * snapshot has one reference. */
#include <openssl/evp.h>
#include <stdlib.h>

#include "base/text.h"
#include "cql/ddl.h"
#include "cql/parser.h"

/* Replication of the keyspaces that a cluster has for itself; virtual ones have none to show. */
static corm_str local_replication[2] = { { "class", 5 },
                                         { "org.apache.cassandra.locator.LocalStrategy", 42 } };
static corm_str one_copy[4] = {
    { "class", 5 },
    { "org.apache.cassandra.locator.SimpleStrategy", 43 },
    { "replication_factor", 18 },
    { "1", 1 },
};
static corm_str two_copies[4] = {
    { "class", 5 },
    { "org.apache.cassandra.locator.SimpleStrategy", 43 },
    { "replication_factor", 18 },
    { "2", 1 },
};
static corm_str three_copies[4] = {
    { "class", 5 },
    { "org.apache.cassandra.locator.SimpleStrategy", 43 },
    { "replication_factor", 18 },
    { "3", 1 },
};

static cql_map_option replication_of(corm_str keyspace) {
    static const struct {
        const char *name;
        corm_str   *pairs;
    } replicated[] = { { "system_auth", one_copy },
                       { "system_traces", two_copies },
                       { "system_distributed", three_copies } };
    for (size_t i = 0; i < sizeof replicated / sizeof *replicated; i++) {
        if (corm_str_equal(keyspace, corm_str_of(replicated[i].name))) {
            return (cql_map_option){ 2, replicated[i].pairs };
        }
    }
    return (cql_map_option){ 1, local_replication };
}

/* The same on every node: a version 3 UUID of both names, as the server gives them. */
static corm_status system_id(cql_ddl *ddl, corm_str keyspace, corm_str table, corm_uuid *out) {
    uint8_t  digest[EVP_MAX_MD_SIZE];
    corm_str names = base__arena_printf(ddl->arena, "%.*s%.*s", CQL_S(keyspace), CQL_S(table));
    if (!names.data || !EVP_Digest(names.data, names.len, digest, NULL, EVP_md5(), NULL)) {
        return base__fail_memory(ddl->err);
    }
    memcpy(out->bytes, digest, sizeof out->bytes);
    out->bytes[6] = (uint8_t)((out->bytes[6] & 0x0f) | 0x30);
    out->bytes[8] = (uint8_t)((out->bytes[8] & 0x3f) | 0x80);
    return CORM_OK;
}

/* storage_id 0: its rows come from a function. */
static corm_status draft_table(cql_ddl *ddl, const cql_create_table *s, uint32_t storage_id,
                               cql_table *draft) {
    cql_option_context c = cql__ddl_options(ddl);
    corm_str           keyspace = s->table.keyspace.text;
    cql__table_options_init(&draft->options);
    CORM_TRY(cql__table_options_read(&c, s->properties, s->property_count, &draft->options));
    CORM_TRY(cql__ddl_draft_table(ddl, s, keyspace, draft));
    draft->is_virtual = storage_id == 0;
    draft->storage_id = storage_id;
    draft->is_system = true;
    return system_id(ddl, keyspace, draft->name, &draft->id);
}

static bool keyspace_to_change(cql_ddl *ddl, corm_str name, cql_keyspace *draft) {
    const cql_keyspace *before = cql__schema_keyspace(ddl->schema, name);
    if (before) return cql__keyspace_draft(ddl->arena, before, draft);
    cql_keyspace fresh = {
        .name = name,
        .replication = replication_of(name),
        .durable_writes = true,
        .is_virtual = cql__is_virtual_system(name),
        .is_system = true,
    };
    return cql__keyspace_draft(ddl->arena, &fresh, draft);
}

/* Puts what `next` holds into the snapshot itself. */
static void take_over(cql_schema *schema, cql_schema *next) {
    cql_keyspace **keyspaces = schema->keyspaces;
    uint32_t       count = schema->keyspace_count;
    schema->keyspaces = next->keyspaces;
    schema->keyspace_count = next->keyspace_count;
    next->keyspaces = keyspaces;
    next->keyspace_count = count;
    cql__schema_unref(next);
}

static corm_status add(cql_ddl *ddl, const cql_create_table *s, uint32_t storage_id) {
    cql_table    draft = { .storage_id = 0 };
    cql_keyspace keyspace;
    CORM_TRY(draft_table(ddl, s, storage_id, &draft));
    if (!keyspace_to_change(ddl, draft.keyspace, &keyspace)) return base__fail_memory(ddl->err);
    cql_table *table = cql__table_make(&draft);
    if (!table) return base__fail_memory(ddl->err);
    cql__keyspace_put_table(&keyspace, table);
    corm_status status = cql__ddl_publish_keyspace(ddl, &keyspace);
    cql__table_unref(table);
    return status;
}

static corm_status add_text(cql_schema *schema, const char *create_table, uint32_t storage_id,
                            corm_error *err) {
    base_arena        arena = { 0 };
    cql_statement    *statement = NULL;
    cql_schema_change change = { .target = CQL_CHANGED_NOTHING };
    cql_ddl           ddl = { .schema = schema, .arena = &arena, .err = err, .change = &change };
    corm_status       status = cql__parse(&arena, corm_str_of(create_table), &statement, NULL, err);
    if (status == CORM_OK && statement->kind != CQL_STMT_CREATE_TABLE) {
        status = base__fail(err, CORM_INVALID_ARGUMENT, "CREATE TABLE was expected");
    }
    if (status == CORM_OK && !statement->as.create_table.table.keyspace.text.data) {
        status = base__fail(err, CORM_INVALID_ARGUMENT, "the table's keyspace is missing");
    }
    if (status == CORM_OK) status = add(&ddl, &statement->as.create_table, storage_id);
    if (status == CORM_OK) take_over(schema, ddl.next);
    base__arena_free(&arena);
    return status;
}

corm_status cql__schema_add_virtual(cql_schema *schema, const char *create_table, corm_error *err) {
    return add_text(schema, create_table, 0, err);
}

corm_status cql__schema_add_stored(cql_schema *schema, const char *create_table,
                                   uint32_t storage_id, corm_error *err) {
    return add_text(schema, create_table, storage_id, err);
}
