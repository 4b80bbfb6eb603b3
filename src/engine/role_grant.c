// SPDX-License-Identifier: MIT
/* role_grant.c -- GRANT and REVOKE of permissions; the resources that they and LIST name. Thread: the commit leader's. */
#include "base/text.h"
#include "cql/check_internal.h"
#include "engine/auth.h"
#include "engine/core.h"

#define S(text) (int)(text).len, (text).data

/* ---- resources ---- */

static corm_status keyspace_of(engine_request *request, const cql_ref *ref, corm_str *out,
                               corm_error *err) {
    *out = ref->keyspace.text.data ? ref->keyspace.text : request->keyspace;
    if (out->len > 0) return CORM_OK;
    return base__fail(
        err, CORM_INVALID,
        "No keyspace has been specified. USE a keyspace, or explicitly specify keyspace.tablename");
}

static corm_status table_resource(engine_request *request, const cql_ref *ref, corm_str *out,
                                  bool *exists, corm_error *err) {
    corm_str keyspace;
    CORM_TRY(keyspace_of(request, ref, &keyspace, err));
    *exists = cql__schema_table(request->schema, keyspace, ref->name.text) != NULL;
    *out = auth__data(request->arena, keyspace, ref->name.text);
    return CORM_OK;
}

/* There are no functions of users here: one that is named does not exist. */
static corm_status function_resource(engine_request *request, const cql_permission *permission,
                                     corm_str *out, bool *exists, corm_error *err) {
    const cql_ref *ref = &permission->object;
    base_buf       name = { 0 };
    if (!ref->keyspace.text.data)
        return base__fail(
            err, CORM_INVALID,
            "In this context function name must be explictly qualified by a keyspace");
    base__buf_printf(&name, "functions/%.*s/%.*s(", S(ref->keyspace.text), S(ref->name.text));
    for (uint32_t i = 0; i < permission->argument_count; i++) {
        if (i) base__buf_puts(&name, ", ");
        cql__put_type_ast(NULL, permission->argument_types[i], &name);
    }
    base__buf_u8(&name, ')');
    *exists = false;
    *out =
        name.failed ? (corm_str){ NULL, 0 } : base__arena_str(request->arena, base__buf_str(&name));
    base__buf_free(&name);
    return CORM_OK;
}

static corm_status find_resource(engine_request *request, const cql_permission *permission,
                                 corm_str *out, bool *exists, corm_error *err) {
    const cql_ref    *object = &permission->object;
    corm_str          keyspace = object->keyspace.text, none = { NULL, 0 };
    const auth_roles *roles;
    bool              has_keyspace = cql__schema_keyspace(request->schema, keyspace) != NULL;
    *exists = true;
    switch (permission->resource) {
    case CQL_RESOURCE_ALL_KEYSPACES: *out = corm_str_of("data"); break;
    case CQL_RESOURCE_KEYSPACE:
        *exists = has_keyspace;
        *out = auth__data(request->arena, keyspace, none);
        break;
    case CQL_RESOURCE_ALL_TABLES:
        *exists = has_keyspace;
        *out = auth__all_tables(request->arena, keyspace);
        break;
    case CQL_RESOURCE_TABLE: return table_resource(request, object, out, exists, err);
    case CQL_RESOURCE_ALL_ROLES: *out = corm_str_of("roles"); break;
    case CQL_RESOURCE_ROLE:
        CORM_TRY(engine__roles(request->store, request->txn, request->schema, &roles, err));
        *exists = auth__find(roles, object->name.text) != NULL;
        *out = auth__role_resource(request->arena, object->name.text);
        break;
    case CQL_RESOURCE_ALL_FUNCTIONS: *out = corm_str_of("functions"); break;
    case CQL_RESOURCE_KEYSPACE_FUNCTIONS:
        *exists = has_keyspace;
        *out = auth__functions(request->arena, keyspace);
        break;
    case CQL_RESOURCE_FUNCTION: return function_resource(request, permission, out, exists, err);
    case CQL_RESOURCE_ALL_MBEANS: *out = corm_str_of("mbean"); break;
    case CQL_RESOURCE_MBEAN:
    case CQL_RESOURCE_MBEANS:
        *exists = false;
        *out = base__arena_printf(request->arena, "mbean/%.*s", S(permission->mbean));
        break;
    }
    return CORM_OK;
}

corm_status role__resource(engine_request *request, const cql_permission *permission, corm_str *out,
                           bool *exists, corm_error *err) {
    CORM_TRY(find_resource(request, permission, out, exists, err));
    return out->data ? CORM_OK : base__fail_memory(err);
}

/* ---- permissions ---- */

unsigned role__permissions(const cql_permission *permission, corm_str resource) {
    unsigned known = resource.len ? auth__applicable(resource) : AUTH_ALL;
    unsigned named = 0;
    if (permission->all) return known;
    for (uint32_t i = 0; i < permission->count; i++)
        named |= auth__permission_bit(permission->permissions[i].text);
    return named & known;
}

static unsigned granted_on(const auth_role *role, corm_str resource) {
    for (uint32_t i = 0; i < role->grant_count; i++) {
        if (corm_str_equal(role->grants[i].resource, resource)) return role->grants[i].permissions;
    }
    return 0;
}

/* Who gives or takes a permission must have it, and the right to. */
static corm_status may_give(role_run *run, unsigned permissions, corm_str resource) {
    if (role__is_super(run)) return CORM_OK;
    CORM_TRY(auth__ensure(run->self, run->user, AUTH_AUTHORIZE, resource, run->err));
    for (unsigned bit = 1; bit < AUTH_ALL; bit <<= 1) {
        if (permissions & bit)
            CORM_TRY(auth__ensure(run->self, run->user, bit, resource, run->err));
    }
    return CORM_OK;
}

static bool is_of_builtins(const cql_permission *permission) {
    bool is_function = permission->resource == CQL_RESOURCE_FUNCTION ||
                       permission->resource == CQL_RESOURCE_KEYSPACE_FUNCTIONS;
    return is_function && corm_str_equal(permission->object.keyspace.text, corm_str_of("system"));
}

/* What the statement is about, when it may be done. */
typedef struct giving {
    corm_str         resource;
    unsigned         permissions, granted; /* asked for; there already */
    const auth_role *role;
} giving;

static corm_status no_resource(role_run *run, corm_str resource) {
    base_buf shown = { 0 };
    auth__show(resource, &shown);
    corm_status status = base__buf_status(&shown, run->err);
    if (status == CORM_OK)
        status = base__fail(run->err, CORM_INVALID, "Resource %.*s doesn't exist",
                            S(base__buf_str(&shown)));
    base__buf_free(&shown);
    return status;
}

static corm_status check_giving(role_run *run, giving *out) {
    const cql_permission *s = &run->statement->as.permission;
    bool                  exists;
    CORM_TRY(role__resource(run->request, s, &out->resource, &exists, run->err));
    out->permissions = role__permissions(s, out->resource);
    CORM_TRY(may_give(run, out->permissions, out->resource));
    out->role = auth__find(run->roles, s->role.text);
    if (!out->role)
        return base__fail(run->err, CORM_INVALID, "Role %.*s doesn't exist", S(s->role.text));
    if (is_of_builtins(s))
        return base__fail(run->err, CORM_INVALID,
                          "Altering permissions on builtin functions is not supported");
    if (!exists) return no_resource(run, out->resource);
    out->granted = granted_on(out->role, out->resource);
    return CORM_OK;
}

/* "Role 'u' was already granted SELECT, MODIFY on <keyspace ks>" */
static corm_status warn(role_run *run, const giving *what, const char *how, unsigned permissions) {
    base_buf text = { 0 };
    bool     first = true;
    if (permissions == 0) return CORM_OK;
    base__buf_printf(&text, "Role '%.*s' was %s granted ", S(what->role->name), how);
    for (unsigned i = 0; i < AUTH_PERMISSIONS; i++) {
        if (!(permissions & 1u << i)) continue;
        base__buf_printf(&text, "%s%s", first ? "" : ", ", auth__permission_name(i));
        first = false;
    }
    base__buf_puts(&text, " on ");
    auth__show(what->resource, &text);
    corm_status status = base__buf_status(&text, run->err);
    if (status == CORM_OK) wire__add_warning(run->request->answer, base__buf_str(&text));
    base__buf_free(&text);
    return status;
}

corm_status role__grant_permission(role_run *run) {
    giving what;
    CORM_TRY(check_giving(run, &what));
    CORM_TRY(warn(run, &what, "already", what.permissions & what.granted));
    unsigned fresh = what.permissions & ~what.granted;
    if (fresh == 0) return CORM_OK;
    return auth__grant(&run->change, what.role->name, what.resource, fresh, run->err);
}

corm_status role__revoke_permission(role_run *run) {
    giving what;
    CORM_TRY(check_giving(run, &what));
    CORM_TRY(warn(run, &what, "not", what.permissions & ~what.granted));
    unsigned taken = what.permissions & what.granted;
    if (taken == 0) return CORM_OK;
    return auth__revoke(&run->change, what.role->name, what.resource, taken, what.granted & ~taken,
                        run->err);
}
