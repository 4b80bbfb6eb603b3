// SPDX-License-Identifier: MIT
/* ddl.c -- applies schema statements: finds the family's function, and does what all families need.
 * Pure; any thread.
 *
 * Messages and their order are the server's: what its parser finds, the session's keyspace,
 * permissions, options that cannot be read, the keyspace's name, and then what the statement itself
 * is about. */
#include "cql/ddl.h"

#include "base/text.h"

/* ---- the families ---- */

static const struct step {
    cql_statement_kind kind;
    corm_status (*apply)(cql_ddl *ddl, const cql_statement *statement);
} steps[] = {
    { CQL_STMT_CREATE_KEYSPACE, cql__create_keyspace },
    { CQL_STMT_ALTER_KEYSPACE, cql__alter_keyspace },
    { CQL_STMT_DROP_KEYSPACE, cql__drop_keyspace },
    { CQL_STMT_CREATE_TABLE, cql__create_table },
    { CQL_STMT_ALTER_TABLE, cql__alter_table },
    { CQL_STMT_DROP_TABLE, cql__drop_table },
    { CQL_STMT_TRUNCATE, cql__truncate },
    { CQL_STMT_CREATE_TYPE, cql__create_type },
    { CQL_STMT_ALTER_TYPE, cql__alter_type },
    { CQL_STMT_DROP_TYPE, cql__drop_type },
    { CQL_STMT_CREATE_INDEX, cql__create_index },
    { CQL_STMT_DROP_INDEX, cql__drop_index },
    { CQL_STMT_CREATE_TRIGGER, cql__create_trigger },
    { CQL_STMT_DROP_TRIGGER, cql__drop_trigger },
    { CQL_STMT_CREATE_FUNCTION, cql__create_function },
    { CQL_STMT_DROP_FUNCTION, cql__drop_function },
    { CQL_STMT_CREATE_AGGREGATE, cql__create_aggregate },
    { CQL_STMT_DROP_AGGREGATE, cql__drop_aggregate },
    { CQL_STMT_CREATE_VIEW, cql__create_view },
    { CQL_STMT_ALTER_VIEW, cql__alter_view },
    { CQL_STMT_DROP_VIEW, cql__drop_view },
};

static const struct step *find_step(cql_statement_kind kind) {
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        if (steps[i].kind == kind) return &steps[i];
    }
    return NULL;
}

bool cql__schema_applies(cql_statement_kind kind) {
    return find_step(kind) != NULL;
}

static corm_status apply(cql_ddl *ddl, const cql_statement *statement, cql_schema **next) {
    const struct step *step = find_step(statement->kind);
    if (!step) {
        return base__fail(ddl->err, CORM_INVALID, "%s is not supported by Corm",
                          cql__statement_name(statement->kind));
    }
    *ddl->change = (cql_schema_change){ .target = CQL_CHANGED_NOTHING };
    ddl->next_storage_id = ddl->schema->next_storage_id;
    corm_status status = step->apply(ddl, statement);
    if (status != CORM_OK) {
        cql__schema_unref(ddl->next);
        return status;
    }
    *next = ddl->next ? ddl->next : cql__schema_ref(ddl->schema);
    return CORM_OK;
}

corm_status cql__schema_apply(cql_schema *schema, const cql_statement *statement, corm_str keyspace,
                              int64_t now_us, base_arena *arena, cql_schema **next,
                              cql_schema_change *change, corm_error *err) {
    cql_ddl ddl = { .schema = schema,
                    .session = keyspace,
                    .now_us = now_us,
                    .arena = arena,
                    .err = err,
                    .change = change,
                    .anywhere = true };
    return apply(&ddl, statement, next);
}

corm_status cql__schema_apply_guarded(const cql_guard *guard, cql_schema *schema,
                                      const cql_statement *statement, corm_str keyspace,
                                      int64_t now_us, base_arena *arena, cql_schema **next,
                                      cql_schema_change *change, corm_error *err) {
    cql_ddl ddl = { .schema = schema,
                    .session = keyspace,
                    .now_us = now_us,
                    .arena = arena,
                    .err = err,
                    .change = change,
                    .guard = guard };
    return apply(&ddl, statement, next);
}

/* ---- before all else ---- */

corm_status cql__ddl_keyspace_of(cql_ddl *ddl, const cql_ref *ref, corm_str *out) {
    *out = ref->keyspace.text.data ? ref->keyspace.text : ddl->session;
    if (out->len > 0) return CORM_OK;
    return base__fail(
        ddl->err, CORM_INVALID,
        "No keyspace has been specified. USE a keyspace, or explicitly specify keyspace.tablename");
}

corm_status cql__ddl_permit(cql_ddl *ddl, const char *verb, cql_resource resource,
                            corm_str keyspace, corm_str table) {
    if (cql__is_local_system(keyspace)) {
        return base__fail(ddl->err, CORM_UNAUTHORIZED, "%.*s keyspace is not user-modifiable.",
                          CQL_S(keyspace));
    }
    if (!cql__is_replicated_system(keyspace)) return CORM_OK;
    switch (resource) {
    case CQL_ON_KEYSPACE:
        return base__fail(ddl->err, CORM_UNAUTHORIZED, "Cannot %s <keyspace %.*s>", verb,
                          CQL_S(keyspace));
    case CQL_ON_ALL_TABLES:
        return base__fail(ddl->err, CORM_UNAUTHORIZED, "Cannot %s <all tables in %.*s>", verb,
                          CQL_S(keyspace));
    case CQL_ON_TABLE: break;
    }
    return base__fail(ddl->err, CORM_UNAUTHORIZED, "Cannot %s <table %.*s.%.*s>", verb,
                      CQL_S(keyspace), CQL_S(table));
}

corm_status cql__ddl_begin(cql_ddl *ddl, corm_str keyspace) {
    enum { LONGEST = 48 };
    if (cql__is_local_system(keyspace)) {
        return base__fail(ddl->err, CORM_INVALID, "System keyspace '%.*s' is not user-modifiable",
                          CQL_S(keyspace));
    }
    if (!cql__is_word(keyspace)) {
        return base__fail(ddl->err, CORM_INVALID,
                          "Keyspace name must not be empty and must contain alphanumeric or "
                          "underscore characters only (got \"%.*s\")",
                          CQL_S(keyspace));
    }
    if (keyspace.len <= LONGEST) return CORM_OK;
    return base__fail(
        ddl->err, CORM_INVALID,
        "Keyspace name must not be more than %d characters long (got %zu characters for \"%.*s\")",
        LONGEST, keyspace.len, CQL_S(keyspace));
}

/* ---- the change that is reported ---- */

corm_status cql__ddl_changed(cql_ddl *ddl, cql_change_target target, const char *verb,
                             corm_str keyspace, corm_str name) {
    ddl->change->target = target;
    ddl->change->verb = verb;
    ddl->change->keyspace = base__arena_str(ddl->arena, keyspace);
    ddl->change->name = base__arena_str(ddl->arena, name);
    if (!ddl->change->keyspace.data || !ddl->change->name.data) return base__fail_memory(ddl->err);
    return CORM_OK;
}

corm_status cql__ddl_warn(cql_ddl *ddl, corm_str warning) {
    cql_schema_change *change = ddl->change;
    corm_str *more = BASE_NEW_ARRAY(ddl->arena, corm_str, (size_t)change->warning_count + 1);
    if (!more || !warning.data) return base__fail_memory(ddl->err);
    for (uint32_t i = 0; i < change->warning_count; i++) {
        more[i] = change->warnings[i];
        if (corm_str_equal(more[i], warning)) return CORM_OK;
    }
    more[change->warning_count++] = warning;
    change->warnings = more;
    return CORM_OK;
}

corm_status cql__ddl_drop_storage_id(cql_ddl *ddl, uint32_t id) {
    cql_schema_change *change = ddl->change;
    uint32_t *more = BASE_NEW_ARRAY(ddl->arena, uint32_t, (size_t)change->dropped_count + 1);
    if (!more) return base__fail_memory(ddl->err);
    for (uint32_t i = 0; i < change->dropped_count; i++) more[i] = change->dropped_storage[i];
    more[change->dropped_count++] = id;
    change->dropped_storage = more;
    return CORM_OK;
}

corm_status cql__ddl_drop_storage(cql_ddl *ddl, const cql_table *table) {
    CORM_TRY(cql__ddl_drop_storage_id(ddl, table->storage_id));
    for (uint32_t i = 0; i < table->index_count; i++) {
        CORM_TRY(cql__ddl_drop_storage_id(ddl, table->indexes[i].storage_id));
    }
    return CORM_OK;
}

/* ---- publishing ---- */

/* A statement that is no change of the schema (TRUNCATE) keeps the version. */
static corm_status publish(cql_ddl *ddl, cql_schema *draft) {
    draft->serial = ddl->schema->serial + 1;
    draft->next_storage_id = ddl->next_storage_id;
    if (ddl->change->target != CQL_CHANGED_NOTHING) draft->version = corm_uuid_random();
    ddl->next = cql__schema_make(draft);
    return ddl->next ? CORM_OK : base__fail_memory(ddl->err);
}

corm_status cql__ddl_publish_keyspace(cql_ddl *ddl, const cql_keyspace *draft) {
    cql_schema    schema;
    cql_keyspace *keyspace = cql__keyspace_make(draft);
    if (!keyspace || !cql__schema_draft(ddl->arena, ddl->schema, &schema)) {
        cql__keyspace_unref(keyspace);
        return base__fail_memory(ddl->err);
    }
    cql__schema_put_keyspace(&schema, keyspace);
    corm_status status = publish(ddl, &schema);
    cql__keyspace_unref(keyspace);
    return status;
}

corm_status cql__ddl_publish_without(cql_ddl *ddl, corm_str keyspace) {
    cql_schema schema;
    if (!cql__schema_draft(ddl->arena, ddl->schema, &schema)) return base__fail_memory(ddl->err);
    cql__schema_remove_keyspace(&schema, keyspace);
    return publish(ddl, &schema);
}

corm_status cql__ddl_publish_table(cql_ddl *ddl, const cql_table *draft, const cql_table **made) {
    cql_keyspace        keyspace;
    const cql_keyspace *before = cql__schema_keyspace(ddl->schema, draft->keyspace);
    cql_table          *table = cql__table_make(draft);
    if (!table || !cql__keyspace_draft(ddl->arena, before, &keyspace)) {
        cql__table_unref(table);
        return base__fail_memory(ddl->err);
    }
    cql__keyspace_put_table(&keyspace, table);
    corm_status status = cql__ddl_publish_keyspace(ddl, &keyspace);
    cql__table_unref(table);
    if (made) *made = table;
    return status;
}

cql_schema *cql__schema_renumbered(const cql_schema *schema) {
    base_arena  arena = { 0 };
    cql_schema  draft;
    cql_schema *made = NULL;
    if (cql__schema_draft(&arena, schema, &draft)) {
        draft.serial++;
        made = cql__schema_make(&draft);
    }
    base__arena_free(&arena);
    return made;
}
