// SPDX-License-Identifier: MIT
/* rewrite.c -- which statements a tenant may make, and the names in them: each becomes one of the tenant's own, with its keyspace
 * in front, or that of a shared table, or the statement is refused. Any thread; the tree is the caller's. */
#include "tenant/core.h"

/* ---- kinds ---- */

enum { BY_KEYSPACE = 1, BY_PREFIX = 2, BY_COLUMN = 4, OF_SCHEMA = 8 };
#define BY_ALL (BY_KEYSPACE | BY_PREFIX | BY_COLUMN | OF_SCHEMA)
#define BY_NAMES (BY_KEYSPACE | BY_PREFIX | OF_SCHEMA)

/* Where a kind of statement is taken, and how often it is counted. What is not listed is refused. */
static const struct {
    uint8_t allowed, kinds;
} rules[] = {
    [CQL_STMT_SELECT] = { BY_ALL, CORM_TENANT_READS },
    [CQL_STMT_INSERT] = { BY_ALL, CORM_TENANT_WRITES },
    [CQL_STMT_UPDATE] = { BY_ALL, CORM_TENANT_WRITES },
    [CQL_STMT_DELETE] = { BY_ALL, CORM_TENANT_WRITES },
    [CQL_STMT_BATCH] = { BY_ALL, CORM_TENANT_WRITES },
    [CQL_STMT_USE] = { BY_ALL, 0 },
    [CQL_STMT_DESCRIBE] = { BY_ALL, CORM_TENANT_READS },
    [CQL_STMT_TRUNCATE] = { BY_NAMES, CORM_TENANT_TRUNCATES },
    [CQL_STMT_CREATE_TABLE] = { BY_ALL, CORM_TENANT_SCHEMA },
    [CQL_STMT_ALTER_TABLE] = { BY_ALL, CORM_TENANT_SCHEMA },
    [CQL_STMT_DROP_TABLE] = { BY_NAMES, CORM_TENANT_SCHEMA },
    [CQL_STMT_CREATE_TYPE] = { BY_ALL, CORM_TENANT_SCHEMA },
    [CQL_STMT_ALTER_TYPE] = { BY_NAMES, CORM_TENANT_SCHEMA },
    [CQL_STMT_DROP_TYPE] = { BY_NAMES, CORM_TENANT_SCHEMA },
    [CQL_STMT_CREATE_INDEX] = { BY_ALL, CORM_TENANT_SCHEMA },
    [CQL_STMT_DROP_INDEX] = { BY_NAMES, CORM_TENANT_SCHEMA },
    [CQL_STMT_CREATE_VIEW] = { BY_ALL, CORM_TENANT_SCHEMA },
    [CQL_STMT_ALTER_VIEW] = { BY_NAMES, CORM_TENANT_SCHEMA },
    [CQL_STMT_DROP_VIEW] = { BY_NAMES, CORM_TENANT_SCHEMA },
    [CQL_STMT_CREATE_FUNCTION] = { BY_KEYSPACE, CORM_TENANT_SCHEMA },
    [CQL_STMT_DROP_FUNCTION] = { BY_KEYSPACE, CORM_TENANT_SCHEMA },
    [CQL_STMT_CREATE_AGGREGATE] = { BY_KEYSPACE, CORM_TENANT_SCHEMA },
    [CQL_STMT_DROP_AGGREGATE] = { BY_KEYSPACE, CORM_TENANT_SCHEMA },
};

enum { RULES = sizeof rules / sizeof *rules };

static uint8_t place_of(const tenant_rewrite *rewrite) {
    if (rewrite->of_schema) return OF_SCHEMA;
    switch (rewrite->tenants->strategy) {
    case CORM_TENANT_KEYSPACE: return BY_KEYSPACE;
    case CORM_TENANT_PREFIX: return BY_PREFIX;
    default: return BY_COLUMN;
    }
}

static corm_status refuse(const tenant_rewrite *rewrite, cql_statement_kind kind, const char *why) {
    return base__fail(rewrite->err, CORM_UNAUTHORIZED, "%s is refused to tenants: %s",
                      cql__statement_name(kind), why);
}

/* Only what makes something new leaves the other tenants' rows as they are. */
static corm_status check_alter(const tenant_rewrite *rewrite, const cql_statement *statement) {
    if (place_of(rewrite) != BY_COLUMN || statement->as.alter_table.kind == CQL_ALTER_ADD) {
        return CORM_OK;
    }
    return refuse(rewrite, statement->kind,
                  "all tenants share the table, and only ADD leaves their rows as they are");
}

corm_status tenant__check_kind(const tenant_rewrite *rewrite, const cql_statement *statement) {
    cql_statement_kind kind = statement->kind;
    uint8_t            allowed = (size_t)kind < RULES ? rules[kind].allowed : 0;
    if (kind == CQL_STMT_ALTER_TABLE) CORM_TRY(check_alter(rewrite, statement));
    if (allowed & place_of(rewrite)) {
        rewrite->plan->table_kinds = rules[kind].kinds;
        return CORM_OK;
    }
    if (allowed & BY_NAMES)
        return refuse(rewrite, kind, "all tenants share the tables of this strategy");
    if (allowed) return refuse(rewrite, kind, "all tenants share the functions of this strategy");
    return refuse(rewrite, kind, "it reaches beyond one tenant");
}

/* ---- names ---- */

static corm_status foreign(const tenant_rewrite *rewrite, corm_str keyspace) {
    return base__fail(rewrite->err, CORM_UNAUTHORIZED,
                      "keyspace '%.*s' is out of a tenant's reach: its tables are in '%.*s'",
                      (int)keyspace.len, keyspace.data, (int)rewrite->tenants->keyspace.len,
                      rewrite->tenants->keyspace.data);
}

/* The keyspace that is written, or the session's, must be the one that tenants see. */
static corm_status check_keyspace(const tenant_rewrite *rewrite, const cql_ref *ref) {
    corm_str written = ref->keyspace.text.data ? ref->keyspace.text : rewrite->keyspace;
    if (corm_str_equal(written, rewrite->tenants->keyspace)) return CORM_OK;
    if (written.len > 0) return foreign(rewrite, written);
    return base__fail(
        rewrite->err, CORM_INVALID,
        "No keyspace has been specified. USE a keyspace, or explicitly specify keyspace.tablename");
}

static corm_status check_shared(const tenant_rewrite *rewrite, tenant_ref_kind kind,
                                corm_str table) {
    if (kind == TENANT_REF_READ) return CORM_OK;
    if (kind == TENANT_REF_WRITE && tenant__is_writable(rewrite->tenants, table)) return CORM_OK;
    return base__fail(rewrite->err, CORM_UNAUTHORIZED,
                      "table '%.*s' is shared by all tenants, who may only %s it", (int)table.len,
                      table.data,
                      tenant__is_writable(rewrite->tenants, table) ? "read and write" : "read");
}

/* The tenant's own. */
static corm_status set_space(const tenant_rewrite *rewrite, cql_ref *ref, bool qualified) {
    const corm_tenants *tenants = rewrite->tenants;
    bool                by_keyspace = tenants->strategy == CORM_TENANT_KEYSPACE;
    if (tenants->strategy == CORM_TENANT_PREFIX) {
        ref->name.text = base__arena_printf(rewrite->arena, "%s%.*s", tenants->hole.data,
                                            (int)ref->name.text.len, ref->name.text.data);
        if (!ref->name.text.data) return base__fail_memory(rewrite->err);
    }
    ref->keyspace.text = by_keyspace ? tenants->hole : tenants->keyspace;
    if (!qualified) ref->keyspace.text = (corm_str){ NULL, 0 };
    return CORM_OK;
}

/* system.f() is everybody's; others of the keyspace are functions of values, which have no rows. */
static corm_status map_function(const tenant_rewrite *rewrite, cql_ref *ref, bool qualified) {
    if (!ref->keyspace.text.data && !qualified) return CORM_OK;
    if (corm_str_equal(ref->keyspace.text, corm_str_of("system"))) return CORM_OK;
    CORM_TRY(check_keyspace(rewrite, ref));
    bool by_keyspace = rewrite->tenants->strategy == CORM_TENANT_KEYSPACE;
    ref->keyspace.text = by_keyspace ? rewrite->tenants->hole : rewrite->tenants->keyspace;
    return CORM_OK;
}

static bool defines_function(const tenant_rewrite *rewrite) {
    cql_statement_kind kind = rewrite->plan->kind;
    return kind == CQL_STMT_CREATE_FUNCTION || kind == CQL_STMT_DROP_FUNCTION ||
           kind == CQL_STMT_CREATE_AGGREGATE || kind == CQL_STMT_DROP_AGGREGATE;
}

static corm_status map_ref(void *context, tenant_ref_kind kind, cql_ref *ref) {
    const tenant_rewrite *rewrite = context;
    if (kind == TENANT_REF_FUNCTION) return map_function(rewrite, ref, defines_function(rewrite));
    CORM_TRY(check_keyspace(rewrite, ref));
    bool is_table = kind <= TENANT_REF_SCHEMA;
    if (is_table && tenant__is_shared(rewrite->tenants, ref->name.text)) {
        CORM_TRY(check_shared(rewrite, kind, ref->name.text));
        ref->keyspace.text = rewrite->tenants->keyspace;
        return CORM_OK;
    }
    /* CREATE INDEX takes no keyspace before the index's name */
    bool qualified = kind != TENANT_REF_INDEX || rewrite->plan->kind == CQL_STMT_DROP_INDEX;
    return set_space(rewrite, ref, qualified);
}

/* Whether it names a type of the keyspace and none that every server has. */
static bool is_user_type(const cql_type_ast *type) {
    if (type->count > 0) return false;
    return type->is_quoted || type->name.keyspace.text.data ||
           !cql__type_native_named(type->name.name.text);
}

static corm_status map_type(void *context, cql_type_ast *type) {
    const tenant_rewrite *rewrite = context;
    if (type->is_class) {
        return base__fail(
            rewrite->err, CORM_UNAUTHORIZED,
            "types by the name of their class are refused to tenants: they may name any keyspace");
    }
    if (!is_user_type(type)) return CORM_OK;
    bool written = type->name.keyspace.text.data != NULL;
    if (written) CORM_TRY(check_keyspace(rewrite, &type->name));
    return set_space(rewrite, &type->name, written);
}

static corm_status check_expr(void *context, cql_expr *expr) {
    const tenant_rewrite *rewrite = context;
    corm_str              name = expr->name.name.text;
    if (expr->kind != CQL_EXPR_MARKER || !name.data) return CORM_OK;
    if (!corm_str_equal(name, corm_str_of(TENANT_MARKER)) &&
        !corm_str_equal(name, corm_str_of(TENANT_JSON_MARKER)))
        return CORM_OK;
    return base__fail(rewrite->err, CORM_UNAUTHORIZED, "a marker cannot have the name '%.*s'",
                      (int)name.len, name.data);
}

/* A table with the id of another, which is how the server is told to find lost files. */
static corm_status check_properties(const tenant_rewrite *rewrite, const cql_property *properties,
                                    uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (!corm_str_equal(properties[i].name.text, corm_str_of("id"))) continue;
        return base__fail(rewrite->err, CORM_CONFIG_ERROR,
                          "the option 'id' is refused to tenants: it may be another table's");
    }
    return CORM_OK;
}

static corm_status check_options(const tenant_rewrite *rewrite, const cql_statement *s) {
    switch (s->kind) {
    case CQL_STMT_CREATE_TABLE:
        return check_properties(rewrite, s->as.create_table.properties,
                                s->as.create_table.property_count);
    case CQL_STMT_CREATE_VIEW:
        return check_properties(rewrite, s->as.create_view.properties,
                                s->as.create_view.property_count);
    case CQL_STMT_ALTER_TABLE:
    case CQL_STMT_ALTER_VIEW:
        return check_properties(rewrite, s->as.alter_table.properties,
                                s->as.alter_table.property_count);
    default: return CORM_OK;
    }
}

/* ---- what does not go to the store ---- */

static bool is_schema_read(const tenant_rewrite *rewrite, const cql_statement *s) {
    if (s->kind == CQL_STMT_DESCRIBE) return true;
    if (s->kind != CQL_STMT_SELECT) return false;
    corm_str keyspace = s->as.select.table.keyspace.text;
    if (!keyspace.data) keyspace = rewrite->keyspace;
    return corm_str_equal(keyspace, corm_str_of("system_schema"));
}

static corm_status rewrite_use(const tenant_rewrite *rewrite, const cql_statement *s) {
    corm_str name = s->as.drop.name.name.text;
    if (!corm_str_equal(name, rewrite->tenants->keyspace)) return foreign(rewrite, name);
    rewrite->plan->route = TENANT_TO_NOBODY;
    return CORM_OK;
}

corm_status tenant__rewrite(tenant_rewrite *rewrite, corm_str text, cql_statement *s) {
    tenant_visitor visitor = { map_ref, check_expr, map_type, rewrite };
    CORM_TRY(tenant__check_kind(rewrite, s));
    if (is_schema_read(rewrite, s)) {
        rewrite->plan->route = TENANT_TO_SCHEMA;
        return CORM_OK;
    }
    if (s->kind == CQL_STMT_USE) return rewrite_use(rewrite, s);
    CORM_TRY(check_options(rewrite, s));
    CORM_TRY(tenant__walk(s, &visitor));
    if (rewrite->tenants->strategy != CORM_TENANT_COLUMN) return CORM_OK;
    return tenant__add_column(rewrite, text, s);
}
