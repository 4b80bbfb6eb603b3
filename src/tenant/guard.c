// SPDX-License-Identifier: MIT
/* guard.c -- the last look at a changed statement, read again from the text that goes to the store: it names nothing that is not
 * the tenant's or shared, and where tenants share tables, every row that it reads or writes is the tenant's. It trusts nothing
 * of what the other files did. Pure; any thread. */
#include "base/text.h"
#include "tenant/core.h"

static corm_status breach(const tenant_rewrite *rewrite, const char *what) {
    return base__fail(rewrite->err, CORM_UNAUTHORIZED,
                      "the statement is refused: %s could be another tenant's", what);
}

/* ---- names ---- */

static bool is_tenants(const tenant_rewrite *rewrite, corm_str keyspace, corm_str name) {
    const corm_tenants *tenants = rewrite->tenants;
    switch (tenants->strategy) {
    case CORM_TENANT_KEYSPACE: return corm_str_equal(keyspace, tenants->hole);
    case CORM_TENANT_PREFIX:
        return corm_str_equal(keyspace, tenants->keyspace) && name.len > tenants->hole.len &&
               base__str_has_prefix(name, tenants->hole);
    default: return corm_str_equal(keyspace, tenants->keyspace);
    }
}

static bool is_shared_use(const tenant_rewrite *rewrite, tenant_ref_kind kind, const cql_ref *ref) {
    if (!corm_str_equal(ref->keyspace.text, rewrite->tenants->keyspace)) return false;
    if (kind == TENANT_REF_READ) return tenant__is_shared(rewrite->tenants, ref->name.text);
    return kind == TENANT_REF_WRITE && tenant__is_writable(rewrite->tenants, ref->name.text);
}

/* Tables that tenants do not see are in the same keyspace. */
static bool is_seen(const tenant_rewrite *rewrite, tenant_ref_kind kind, const cql_ref *ref) {
    if (rewrite->tenants->strategy != CORM_TENANT_COLUMN || kind == TENANT_REF_SCHEMA) return true;
    return cql__schema_table(rewrite->schema->snapshot, ref->keyspace.text, ref->name.text) != NULL;
}

static corm_status check_name(const tenant_rewrite *rewrite, const cql_ref *ref, const char *what) {
    corm_str keyspace = ref->keyspace.text;
    bool     by_keyspace = rewrite->tenants->strategy == CORM_TENANT_KEYSPACE;
    if (!keyspace.data)
        keyspace = by_keyspace ? rewrite->tenants->hole : rewrite->tenants->keyspace;
    return is_tenants(rewrite, keyspace, ref->name.text) ? CORM_OK : breach(rewrite, what);
}

static corm_status check_ref(void *context, tenant_ref_kind kind, cql_ref *ref) {
    const tenant_rewrite *rewrite = context;
    corm_str              keyspace = ref->keyspace.text;
    switch (kind) {
    case TENANT_REF_READ:
    case TENANT_REF_WRITE:
    case TENANT_REF_SCHEMA:
        if (is_shared_use(rewrite, kind, ref)) return CORM_OK;
        if (!is_tenants(rewrite, keyspace, ref->name.text) || !is_seen(rewrite, kind, ref) ||
            (rewrite->tenants->strategy != CORM_TENANT_KEYSPACE &&
             tenant__is_shared(rewrite->tenants, ref->name.text))) {
            return breach(rewrite, "a table");
        }
        return CORM_OK;
    case TENANT_REF_FUNCTION:
        if (!keyspace.data || corm_str_equal(keyspace, corm_str_of("system")) ||
            corm_str_equal(keyspace, rewrite->tenants->strategy == CORM_TENANT_KEYSPACE
                                         ? rewrite->tenants->hole
                                         : rewrite->tenants->keyspace)) {
            return CORM_OK;
        }
        return breach(rewrite, "a function");
    default: return check_name(rewrite, ref, kind == TENANT_REF_INDEX ? "an index" : "a type");
    }
}

static corm_status check_type(void *context, cql_type_ast *type) {
    const tenant_rewrite *rewrite = context;
    if (type->is_class) return breach(rewrite, "a class");
    if (type->name.keyspace.text.data) return check_name(rewrite, &type->name, "a type");
    bool is_user =
        type->count == 0 && (type->is_quoted || !cql__type_native_named(type->name.name.text));
    return is_user ? check_name(rewrite, &type->name, "a type") : CORM_OK;
}

/* ---- rows ---- */

static bool is_marker(const cql_expr *expr, const char *name) {
    return expr && expr->kind == CQL_EXPR_MARKER &&
           corm_str_equal(expr->name.name.text, corm_str_of(name));
}

static bool is_column(const tenant_rewrite *rewrite, const cql_name *name) {
    return corm_str_equal(name->text, rewrite->tenants->column);
}

/* WHERE is a conjunction: one condition holds for every row. */
static corm_status check_where(const tenant_rewrite *rewrite, const cql_relation *where,
                               uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        const cql_relation *r = &where[i];
        if (r->kind == CQL_REL_COLUMN && r->op == CQL_OP_EQ && r->column_count == 1 &&
            r->term_count == 1 && is_column(rewrite, &r->columns[0]) &&
            is_marker(r->terms[0], TENANT_MARKER)) {
            return CORM_OK;
        }
    }
    return breach(rewrite, "a row");
}

static corm_status check_insert(const tenant_rewrite *rewrite, const cql_insert *insert) {
    if (insert->json) {
        return is_marker(insert->json, TENANT_JSON_MARKER) ? CORM_OK : breach(rewrite, "a row");
    }
    bool good = insert->count > 0 && insert->value_count == insert->count &&
                is_column(rewrite, &insert->columns[0]) &&
                is_marker(insert->values[0], TENANT_MARKER);
    for (uint32_t i = 1; i < insert->count; i++) good &= !is_column(rewrite, &insert->columns[i]);
    return good ? CORM_OK : breach(rewrite, "a row");
}

static bool is_shared(const tenant_rewrite *rewrite, const cql_ref *table) {
    return tenant__is_shared(rewrite->tenants, table->name.text);
}

static corm_status check_rows(const tenant_rewrite *rewrite, const cql_statement *s) {
    const cql_update *update = s->kind == CQL_STMT_DELETE ? &s->as.delete_ : &s->as.update;
    const cql_name   *key;
    switch (s->kind) {
    case CQL_STMT_SELECT:
        if (is_shared(rewrite, &s->as.select.table)) return CORM_OK;
        return check_where(rewrite, s->as.select.where, s->as.select.where_count);
    case CQL_STMT_INSERT:
        return is_shared(rewrite, &s->as.insert.table) ? CORM_OK
                                                       : check_insert(rewrite, &s->as.insert);
    case CQL_STMT_UPDATE:
    case CQL_STMT_DELETE:
        if (is_shared(rewrite, &update->table)) return CORM_OK;
        return check_where(rewrite, update->where, update->where_count);
    case CQL_STMT_BATCH:
        for (uint32_t i = 0; i < s->as.batch.count; i++) {
            CORM_TRY(check_rows(rewrite, s->as.batch.statements[i]));
        }
        return CORM_OK;
    case CQL_STMT_CREATE_TABLE:
    case CQL_STMT_CREATE_VIEW:
        key = s->kind == CQL_STMT_CREATE_TABLE ? s->as.create_table.partition_key
                                               : s->as.create_view.partition_key;
        return key && is_column(rewrite, key) ? CORM_OK : breach(rewrite, "a row");
    default: return CORM_OK;
    }
}

corm_status tenant__guard(tenant_rewrite *rewrite, cql_statement *statement) {
    tenant_visitor visitor = { .ref = check_ref, .type = check_type, .context = rewrite };
    CORM_TRY(tenant__check_kind(rewrite, statement));
    CORM_TRY(tenant__walk(statement, &visitor));
    if (rewrite->tenants->strategy != CORM_TENANT_COLUMN) return CORM_OK;
    return check_rows(rewrite, statement);
}
