// SPDX-License-Identifier: MIT
/* provision.c -- what a tenant begins with, and migrations of all tenants. Everything here may be done again after it was
 * stopped anywhere. Runs on the caller's thread.
 *
 *   KEYSPACE: the keyspace ─► statements ─► migrations ─► the program's function
 *
 * Where all tenants share the tables, what changes the schema goes through the schema session. */
#include "tenant/door.h"

typedef struct provisioning {
    corm_session *rows;   /* of the tenant */
    corm_session *schema; /* the same, or the one of the schema that all share */
} provisioning;

static corm_status make_keyspace(corm_tenants *tenants, const tenant_one *one, corm_error *err) {
    base_buf text = { 0 };
    if (tenants->strategy != CORM_TENANT_KEYSPACE) return CORM_OK;
    base__buf_puts(&text, "CREATE KEYSPACE IF NOT EXISTS ");
    cql__put_name(&text, corm_str_of(one->space));
    base__buf_puts(&text, " WITH replication = ");
    base__buf_put_str(&text, tenants->replication);
    corm_status status = base__buf_status(&text, err);
    if (status == CORM_OK) {
        status = corm_execute(tenants->behind, base__buf_cstr(&text), NULL, { .error = err });
    }
    base__buf_free(&text);
    return status;
}

/* ---- statements ---- */

static bool changes_schema(cql_statement_kind kind) {
    return kind != CQL_STMT_INSERT && kind != CQL_STMT_UPDATE && kind != CQL_STMT_DELETE &&
           kind != CQL_STMT_BATCH;
}

static void allow_again(cql_statement *s) {
    switch (s->kind) {
    case CQL_STMT_CREATE_TABLE: s->as.create_table.if_not_exists = true; break;
    case CQL_STMT_CREATE_TYPE: s->as.create_type.if_not_exists = true; break;
    case CQL_STMT_CREATE_INDEX: s->as.create_index.if_not_exists = true; break;
    case CQL_STMT_CREATE_VIEW: s->as.create_view.if_not_exists = true; break;
    default: break;
    }
}

static corm_status run(const provisioning *p, corm_str text, corm_error *err) {
    base_arena     arena = { 0 };
    base_buf       out = { 0 };
    cql_statement *s;
    corm_status    status = cql__parse(&arena, text, &s, NULL, err);
    if (status == CORM_OK) {
        allow_again(s);
        cql__print(s, &out);
        status = base__buf_status(&out, err);
    }
    if (status == CORM_OK) {
        corm_session *session = changes_schema(s->kind) ? p->schema : p->rows;
        status = corm_execute(session, base__buf_cstr(&out), NULL, { .error = err });
    }
    base__buf_free(&out);
    base__arena_free(&arena);
    return status;
}

/* ---- migrations ---- */

static corm_status migrate(corm_session *session, const char *dir,
                           const corm_migrate_options *options, uint64_t *applied,
                           corm_error *err) {
    corm_migrator        *migrator;
    corm_migration_list  *report = NULL;
    corm_migrator_options where = { .dir = dir };
    corm_migrate_options  how = options ? *options : (corm_migrate_options){ 0 };
    how.error = err;
    CORM_TRY(corm_migrator_open(&migrator, session, &where, err));
    corm_status status = corm_migrator_up(migrator, &report, &how);
    if (report && applied) *applied += report->count;
    corm_migration_list_free(report);
    corm_migrator_close(migrator);
    return status;
}

/* ---- all of it ---- */

static corm_status open_both(corm_tenants *tenants, tenant_one *one, provisioning *p,
                             corm_error *err) {
    tenant_one *of_schema;
    CORM_TRY(tenant__schema_one(tenants, one, &of_schema, err));
    CORM_TRY(tenant__door_open(tenants, one, true, &p->rows, err));
    p->schema = p->rows;
    if (of_schema == one) return CORM_OK;
    corm_status status = tenant__door_open(tenants, of_schema, true, &p->schema, err);
    if (status != CORM_OK) corm_session_close(p->rows);
    return status;
}

static void close_both(provisioning *p) {
    if (p->schema != p->rows) corm_session_close(p->schema);
    corm_session_close(p->rows);
}

static corm_status fill(corm_tenants *tenants, const tenant_one *one, const provisioning *p,
                        corm_error *err) {
    for (uint32_t i = 0; i < tenants->schema_count; i++) {
        corm_error  why = { 0 };
        corm_status status = run(p, tenants->schema_texts[i], &why);
        if (status != CORM_OK) {
            return base__fail(err, status, "statement %u of what tenants begin with: %s", i + 1,
                              why.message);
        }
    }
    if (tenants->migrations.len > 0) {
        CORM_TRY(migrate(p->schema, tenants->migrations.data, NULL, NULL, err));
    }
    return tenants->provision
               ? tenants->provision(tenants->provision_context, p->rows, one->id, err)
               : CORM_OK;
}

corm_status tenant__provision(corm_tenants *tenants, tenant_one *one, corm_error *err) {
    provisioning p = { 0 };
    CORM_TRY(make_keyspace(tenants, one, err));
    CORM_TRY(open_both(tenants, one, &p, err));
    corm_status status = fill(tenants, one, &p, err);
    close_both(&p);
    return status;
}

/* ---- all tenants ---- */

static corm_status migrate_one(corm_tenants *tenants, const char *id, const char *dir,
                               const corm_migrate_options *options, uint64_t *applied,
                               corm_error *err) {
    tenant_one   *one;
    corm_session *session;
    corm_error    why = { 0 };
    CORM_TRY(tenant__one(tenants, corm_str_of(id), &one, err));
    CORM_TRY(tenant__door_open(tenants, one, true, &session, err));
    corm_status status = migrate(session, dir, options, applied, &why);
    corm_session_close(session);
    return status == CORM_OK ? CORM_OK
                             : base__fail(err, status, "tenant '%s': %s", id, why.message);
}

static corm_status migrate_all(corm_tenants *tenants, const char *dir,
                               const corm_migrate_options *options, uint64_t *applied,
                               corm_error *err) {
    corm_tenant_list *list;
    corm_status       status = CORM_OK;
    CORM_TRY(corm_tenant_list_read(tenants, &list, err));
    for (uint32_t i = 0; status == CORM_OK && i < list->count; i++) {
        corm_tenant_state state = list->items[i].state;
        if (state != CORM_TENANT_ACTIVE && state != CORM_TENANT_SUSPENDED) continue;
        status = migrate_one(tenants, list->items[i].id, dir, options, applied, err);
    }
    corm_tenant_list_free(list);
    return status;
}

corm_status corm_tenants_migrate(corm_tenants *tenants, const char *dir,
                                 const corm_migrate_options *options, uint64_t *applied) {
    corm_error *err = options ? options->error : NULL;
    uint64_t    count = 0;
    corm_status status = tenants->strategy == CORM_TENANT_COLUMN
                             ? migrate_one(tenants, TENANT_OF_SCHEMA, dir, options, &count, err)
                             : migrate_all(tenants, dir, options, &count, err);
    if (applied) *applied = count;
    return status;
}
