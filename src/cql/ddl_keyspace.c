// SPDX-License-Identifier: MIT
/* ddl_keyspace.c -- CREATE, ALTER and DROP KEYSPACE. Pure; any thread. */
#include "cql/ddl.h"
#include "cql/ddl_guard.h"
#include "cql/replication.h"

/* The properties, when their names are known and replication is a map. */
typedef struct written_keyspace {
    const cql_property *durable_writes;
    const cql_property *replication;
    cql_map_option      map; /* of replication */
} written_keyspace;

static corm_status read_written(cql_ddl *ddl, const cql_create_keyspace *statement,
                                written_keyspace *out) {
    static const char *const known[] = { "durable_writes", "replication" };
    cql_option_context       c = cql__ddl_options(ddl);
    CORM_TRY(cql__properties_known(&c, statement->properties, statement->property_count, known, 2));
    out->durable_writes =
        cql__property_find(statement->properties, statement->property_count, known[0]);
    out->replication =
        cql__property_find(statement->properties, statement->property_count, known[1]);
    out->map = (cql_map_option){ 0, NULL };
    if (!out->replication) return CORM_OK;
    CORM_TRY(cql__property_map(&c, out->replication, &out->map));
    if (out->map.count == 0 || cql__map_option_get(&out->map, "class").data) return CORM_OK;
    return base__fail(ddl->err, CORM_CONFIG_ERROR, "Missing replication strategy class");
}

/* A keyspace with more copies than there are nodes: there is one. */
static corm_status warn_of_copies(cql_ddl *ddl, corm_str keyspace, int32_t copies,
                                  corm_str datacenter) {
    if (copies <= 1 || ddl->anywhere) return CORM_OK;
    corm_str warning = base__arena_printf(
        ddl->arena,
        "Your replication factor %d for keyspace %.*s is higher than the number of nodes 1%s%.*s",
        copies, CQL_S(keyspace), datacenter.data ? " for datacenter " : "", CQL_S(datacenter));
    return cql__ddl_warn(ddl, warning);
}

/* Reads what was written over the draft, and checks the whole. */
static corm_status apply_written(cql_ddl *ddl, const written_keyspace *written,
                                 const cql_map_option *before, cql_keyspace *draft,
                                 int32_t *copies) {
    cql_option_context c = cql__ddl_options(ddl);
    bool               local = false;
    corm_str           datacenter;
    if (written->durable_writes) {
        CORM_TRY(cql__property_bool(written->durable_writes, &draft->durable_writes, ddl->err));
    }
    if (written->map.count > 0) {
        CORM_TRY(cql__read_replication(&c, &written->map, before, &draft->replication, &local));
    }
    if (local) {
        return base__fail(
            ddl->err, CORM_INVALID,
            "Unable to use given strategy class: LocalStrategy is reserved for internal use.");
    }
    CORM_TRY(cql__check_replication(&c, draft->name, &draft->replication, copies, &datacenter));
    return warn_of_copies(ddl, draft->name, *copies, datacenter);
}

static corm_status exists_already(cql_ddl *ddl, corm_str keyspace) {
    corm_status status = base__fail(ddl->err, CORM_ALREADY_EXISTS,
                                    "Cannot add existing keyspace \"%.*s\"", CQL_S(keyspace));
    if (ddl->err) memcpy(ddl->err->keyspace, keyspace.data, keyspace.len);
    return status;
}

corm_status cql__create_keyspace(cql_ddl *ddl, const cql_statement *statement) {
    const cql_create_keyspace *s = &statement->as.keyspace;
    corm_str                   name = s->name.text;
    written_keyspace           written;
    int32_t                    copies;
    CORM_TRY(cql__ddl_begin(ddl, name));
    CORM_TRY(read_written(ddl, s, &written));
    if (!written.replication) {
        return base__fail(ddl->err, CORM_INVALID, "Missing mandatory option 'replication'");
    }
    if (cql__schema_keyspace(ddl->schema, name)) {
        return s->if_not_exists ? CORM_OK : exists_already(ddl, name);
    }
    CORM_TRY(cql__guard_keyspace(ddl, name));
    if (written.map.count == 0) {
        return base__fail(ddl->err, CORM_CONFIG_ERROR, "Missing replication strategy class");
    }
    cql_keyspace draft = { .name = name, .durable_writes = true };
    CORM_TRY(apply_written(ddl, &written, NULL, &draft, &copies));
    CORM_TRY(cql__ddl_changed(ddl, CQL_CHANGED_KEYSPACE, "CREATED", name, (corm_str){ "", 0 }));
    return cql__ddl_publish_keyspace(ddl, &draft);
}

static corm_status not_there(cql_ddl *ddl, corm_str keyspace) {
    return base__fail(ddl->err, CORM_INVALID, "Keyspace '%.*s' doesn't exist", CQL_S(keyspace));
}

static corm_status copies_of(cql_ddl *ddl, const cql_keyspace *keyspace, int32_t *out) {
    cql_option_context c = cql__ddl_options(ddl);
    corm_str           datacenter;
    return cql__check_replication(&c, keyspace->name, &keyspace->replication, out, &datacenter);
}

corm_status cql__alter_keyspace(cql_ddl *ddl, const cql_statement *statement) {
    const cql_create_keyspace *s = &statement->as.keyspace;
    corm_str                   name = s->name.text;
    written_keyspace           written;
    int32_t                    copies = 0;
    int32_t                    copies_before = 0;
    cql_keyspace               draft;
    CORM_TRY(cql__ddl_permit(ddl, "ALTER", CQL_ON_KEYSPACE, name, name));
    CORM_TRY(cql__ddl_begin(ddl, name));
    CORM_TRY(read_written(ddl, s, &written));
    const cql_keyspace *before = cql__schema_keyspace(ddl->schema, name);
    if (!before) return s->if_not_exists ? CORM_OK : not_there(ddl, name);
    if (!cql__keyspace_draft(ddl->arena, before, &draft)) return base__fail_memory(ddl->err);
    CORM_TRY(apply_written(ddl, &written, &before->replication, &draft, &copies));
    if (draft.durable_writes == before->durable_writes &&
        cql__map_option_equal(&draft.replication, &before->replication)) {
        return CORM_OK;
    }
    CORM_TRY(copies_of(ddl, before, &copies_before));
    if (copies_before < copies) {
        CORM_TRY(cql__ddl_warn(
            ddl, corm_str_of("When increasing replication factor you need to run a full (-full) "
                             "repair to distribute the data.")));
    }
    CORM_TRY(cql__ddl_changed(ddl, CQL_CHANGED_KEYSPACE, "UPDATED", name, (corm_str){ "", 0 }));
    return cql__ddl_publish_keyspace(ddl, &draft);
}

corm_status cql__drop_keyspace(cql_ddl *ddl, const cql_statement *statement) {
    const cql_drop *s = &statement->as.drop;
    corm_str        name = s->name.name.text;
    CORM_TRY(cql__ddl_permit(ddl, "DROP", CQL_ON_KEYSPACE, name, name));
    CORM_TRY(cql__ddl_begin(ddl, name));
    const cql_keyspace *keyspace = cql__schema_keyspace(ddl->schema, name);
    if (!keyspace) return s->if_exists ? CORM_OK : not_there(ddl, name);
    CORM_TRY(cql__guard_flag(ddl, CQL_GUARD_DROP_KEYSPACE, "drop_keyspace_enabled",
                             "DROP KEYSPACE functionality"));
    for (uint32_t i = 0; i < keyspace->table_count; i++) {
        CORM_TRY(cql__ddl_drop_storage(ddl, keyspace->tables[i]));
    }
    CORM_TRY(cql__ddl_changed(ddl, CQL_CHANGED_KEYSPACE, "DROPPED", name, (corm_str){ "", 0 }));
    return cql__ddl_publish_without(ddl, name);
}
