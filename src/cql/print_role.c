// SPDX-License-Identifier: MIT
/* print_role.c -- roles, users, identities and permissions as canonical CQL. Pure. */
#include "cql/print.h"

/* ---- options ---- */

static void print_string_item(base_buf *out, const void *items, uint32_t i) {
    cql__print_string(((const corm_str *)items)[i], out);
}

/* The next option: WITH before the first, AND before the others. */
static void print_next(base_buf *out, bool *first, const char *option) {
    base__buf_puts(out, *first ? " WITH " : " AND ");
    base__buf_puts(out, option);
    *first = false;
}

static void print_password(base_buf *out, const cql_role *role, bool *first) {
    if (!role->password.data) return;
    print_next(out, first, role->hashed ? "HASHED PASSWORD = " : "PASSWORD = ");
    cql__print_string(role->password, out);
}

static void print_flag(base_buf *out, uint8_t flag, const char *option, bool *first) {
    if (!flag) return;
    print_next(out, first, option);
    base__buf_puts(out, flag == 2 ? " = true" : " = false");
}

static void print_access(base_buf *out, uint8_t which, const char *preposition, const char *what,
                         const corm_str *names, uint32_t count, bool *first) {
    if (!which) return;
    print_next(out, first, "ACCESS ");
    base__buf_puts(out, preposition);
    base__buf_puts(out, which == 1 ? " ALL " : " ");
    base__buf_puts(out, what);
    if (which == 1) return;
    base__buf_puts(out, " {");
    cql__print_items(out, print_string_item, names, count, ", ");
    base__buf_puts(out, "}");
}

static void print_role_options(base_buf *out, const cql_role *role) {
    bool first = true;
    print_password(out, role, &first);
    print_flag(out, role->superuser, "SUPERUSER", &first);
    print_flag(out, role->login, "LOGIN", &first);
    if (role->options) {
        print_next(out, &first, "OPTIONS = ");
        cql__print_expr(role->options, out);
    }
    print_access(out, role->datacenters, "TO", "DATACENTERS", role->datacenter_names,
                 role->datacenter_count, &first);
    print_access(out, role->cidrs, "FROM", "CIDRS", role->cidr_groups, role->cidr_count, &first);
}

static void print_user_options(base_buf *out, const cql_role *role) {
    if (role->password.data) {
        base__buf_puts(out, role->hashed ? " WITH HASHED PASSWORD " : " WITH PASSWORD ");
        cql__print_string(role->password, out);
    }
    if (role->superuser) base__buf_puts(out, role->superuser == 2 ? " SUPERUSER" : " NOSUPERUSER");
}

/* ---- permissions ---- */

static void print_permission(base_buf *out, const void *items, uint32_t i) {
    corm_str name = ((const cql_name *)items)[i].text;
    for (size_t k = 0; k < name.len; k++) {
        char c = name.data[k];
        base__buf_u8(out, (uint8_t)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c));
    }
}

static void print_permissions(base_buf *out, const cql_permission *permission) {
    if (permission->all) {
        base__buf_puts(out, " ALL PERMISSIONS");
    } else {
        base__buf_puts(out, " ");
        cql__print_items(out, print_permission, permission->permissions, permission->count, ", ");
    }
}

static const char *const resources[] = {
    [CQL_RESOURCE_ALL_KEYSPACES] = " ON ALL KEYSPACES",
    [CQL_RESOURCE_KEYSPACE] = " ON KEYSPACE ",
    [CQL_RESOURCE_TABLE] = " ON TABLE ",
    [CQL_RESOURCE_ALL_TABLES] = " ON ALL TABLES IN KEYSPACE ",
    [CQL_RESOURCE_ALL_ROLES] = " ON ALL ROLES",
    [CQL_RESOURCE_ROLE] = " ON ROLE ",
    [CQL_RESOURCE_ALL_FUNCTIONS] = " ON ALL FUNCTIONS",
    [CQL_RESOURCE_KEYSPACE_FUNCTIONS] = " ON ALL FUNCTIONS IN KEYSPACE ",
    [CQL_RESOURCE_FUNCTION] = " ON FUNCTION ",
    [CQL_RESOURCE_ALL_MBEANS] = " ON ALL MBEANS",
    [CQL_RESOURCE_MBEAN] = " ON MBEAN ",
    [CQL_RESOURCE_MBEANS] = " ON MBEANS ",
};

static void print_resource(base_buf *out, const cql_permission *permission) {
    if (!permission->has_resource) return;
    base__buf_puts(out, resources[permission->resource]);
    switch (permission->resource) {
    case CQL_RESOURCE_KEYSPACE:
    case CQL_RESOURCE_ALL_TABLES:
    case CQL_RESOURCE_KEYSPACE_FUNCTIONS: cql__print_name(out, &permission->object.keyspace); break;
    case CQL_RESOURCE_TABLE: cql__print_ref(out, &permission->object); break;
    case CQL_RESOURCE_ROLE: cql__print_role_name(out, &permission->object.name); break;
    case CQL_RESOURCE_FUNCTION:
        cql__print_function_name(out, &permission->object);
        cql__print_enclosed(out, cql__print_type_item, permission->argument_types,
                            permission->argument_count);
        break;
    case CQL_RESOURCE_MBEAN:
    case CQL_RESOURCE_MBEANS: cql__print_string(permission->mbean, out); break;
    default: break;
    }
}

/* ---- statements ---- */

static void print_preposed(base_buf *out, const char *preposition, const cql_name *role) {
    if (!role->text.data) return;
    base__buf_puts(out, preposition);
    cql__print_role_name(out, role);
}

static void print_permission_statement(base_buf *out, const cql_statement *s) {
    const cql_permission *permission = &s->as.permission;
    bool                  list = s->kind == CQL_STMT_LIST_PERMISSIONS;
    bool                  grant = s->kind == CQL_STMT_GRANT_PERMISSION;
    base__buf_puts(out, list ? "LIST" : grant ? "GRANT" : "REVOKE");
    print_permissions(out, permission);
    print_resource(out, permission);
    print_preposed(out, list ? " OF " : grant ? " TO " : " FROM ", &permission->role);
    if (permission->no_recursive) base__buf_puts(out, " NORECURSIVE");
}

static void print_named(base_buf *out, const cql_statement *s, bool is_create) {
    const cql_role *role = &s->as.role;
    base__buf_puts(out, cql__statement_name(s->kind));
    if (role->if_exists) base__buf_puts(out, is_create ? " IF NOT EXISTS" : " IF EXISTS");
    base__buf_puts(out, " ");
}

static void print_listed_roles(base_buf *out, const cql_role *role) {
    base__buf_puts(out, "LIST ROLES");
    print_preposed(out, " OF ", &role->name);
    if (role->no_recursive) base__buf_puts(out, " NORECURSIVE");
}

static void print_granted_role(base_buf *out, const cql_statement *s) {
    bool grant = s->kind == CQL_STMT_GRANT_ROLE;
    base__buf_puts(out, grant ? "GRANT " : "REVOKE ");
    cql__print_role_name(out, &s->as.role.name);
    print_preposed(out, grant ? " TO " : " FROM ", &s->as.role.other);
}

void cql__print_role(base_buf *out, const cql_statement *s) {
    const cql_role *role = &s->as.role;
    switch (s->kind) {
    case CQL_STMT_CREATE_ROLE:
    case CQL_STMT_ALTER_ROLE:
    case CQL_STMT_DROP_ROLE:
        print_named(out, s, s->kind == CQL_STMT_CREATE_ROLE);
        cql__print_role_name(out, &role->name);
        print_role_options(out, role);
        break;
    case CQL_STMT_CREATE_USER:
    case CQL_STMT_ALTER_USER:
    case CQL_STMT_DROP_USER:
    case CQL_STMT_DROP_IDENTITY:
        print_named(out, s, s->kind == CQL_STMT_CREATE_USER);
        cql__print_string(role->name.text, out);
        print_user_options(out, role);
        break;
    case CQL_STMT_ADD_IDENTITY:
        print_named(out, s, true);
        cql__print_string(role->name.text, out);
        base__buf_puts(out, " TO ROLE ");
        cql__print_string(role->other.text, out);
        break;
    case CQL_STMT_LIST_USERS:
    case CQL_STMT_LIST_SUPERUSERS: base__buf_puts(out, cql__statement_name(s->kind)); break;
    case CQL_STMT_LIST_ROLES: print_listed_roles(out, role); break;
    case CQL_STMT_GRANT_ROLE:
    case CQL_STMT_REVOKE_ROLE: print_granted_role(out, s); break;
    default: print_permission_statement(out, s);
    }
}
