// SPDX-License-Identifier: MIT
/* role_members.c -- GRANT and REVOKE of roles, and DROP, which takes the role out of everything. Thread: the commit leader's. */
#include "base/text.h"
#include "engine/auth.h"
#include "engine/core.h"

#define S(text) (int)(text).len, (text).data

/* ---- DROP ---- */

corm_status role__put_name(role_run *run, const char *text, corm_str name) {
    cql_value value = auth__text(name);
    return auth__put(&run->change, text, &value, 1, run->err);
}

static corm_status leave(role_run *run, corm_str member, corm_str role) {
    cql_value set = auth__text_set(run->request->arena, &role, 1);
    cql_value values[] = { set, auth__text(member) };
    cql_value pair[] = { auth__text(role), auth__text(member) };
    if (!set.data) return base__fail_memory(run->err);
    CORM_TRY(auth__put(&run->change,
                       "UPDATE system_auth.roles SET member_of = member_of - ? WHERE role = ?",
                       values, 2, run->err));
    return auth__put(&run->change,
                     "DELETE FROM system_auth.role_members WHERE role = ? AND member = ?", pair, 2,
                     run->err);
}

/* Nobody is a member of it any more, and it of none. */
static corm_status drop_members(role_run *run, const auth_role *role) {
    for (uint32_t i = 0; i < run->roles->count; i++) {
        const auth_role *other = &run->roles->roles[i];
        for (uint32_t j = 0; j < other->member_count; j++) {
            if (!corm_str_equal(other->member_of[j], role->name)) continue;
            CORM_TRY(leave(run, other->name, role->name));
        }
    }
    for (uint32_t j = 0; j < role->member_count; j++) {
        cql_value pair[] = { auth__text(role->member_of[j]), auth__text(role->name) };
        CORM_TRY(auth__put(&run->change,
                           "DELETE FROM system_auth.role_members WHERE role = ? AND member = ?",
                           pair, 2, run->err));
    }
    return CORM_OK;
}

typedef struct identity_drop {
    role_run *run;
    corm_str  role;
} identity_drop;

static corm_status drop_identity_of(void *context, uint32_t row_count, const cql_value *values,
                                    corm_error *err) {
    identity_drop *drop = context;
    corm_str       role = { (const char *)values[1].data, (size_t)values[1].len };
    (void)row_count;
    if (cql__is_null(values[1]) || !corm_str_equal(role, drop->role)) return CORM_OK;
    corm_str identity =
        base__arena_str(drop->run->request->arena,
                        (corm_str){ (const char *)values[0].data, (size_t)values[0].len });
    if (!identity.data) return base__fail_memory(err);
    return role__put_name(drop->run, "DELETE FROM system_auth.identity_to_role WHERE identity = ?",
                          identity);
}

static corm_status drop(role_run *run, const auth_role *role) {
    engine_request *request = run->request;
    identity_drop   identities = { run, role->name };
    corm_str        resource = auth__role_resource(request->arena, role->name);
    if (!resource.data) return base__fail_memory(run->err);
    CORM_TRY(drop_members(run, role));
    CORM_TRY(auth__drop_grants(&run->change, run->roles, resource, false, run->err));
    for (uint32_t i = 0; i < role->grant_count; i++)
        CORM_TRY(auth__revoke(&run->change, role->name, role->grants[i].resource, AUTH_ALL, 0,
                              run->err));
    CORM_TRY(auth__select(request->store, request->txn, request->schema,
                          "SELECT identity, role FROM system_auth.identity_to_role",
                          drop_identity_of, &identities, run->err));
    CORM_TRY(
        role__put_name(run, "DELETE FROM system_auth.cidr_permissions WHERE role = ?", role->name));
    CORM_TRY(role__put_name(run, "DELETE FROM system_auth.network_permissions WHERE role = ?",
                            role->name));
    return role__put_name(run, "DELETE FROM system_auth.roles WHERE role = ?", role->name);
}

corm_status role__drop(role_run *run) {
    corm_str         name = run->statement->as.role.name.text;
    const auth_role *role = auth__find(run->roles, name);
    CORM_TRY(role__check_on_role(run, AUTH_DROP, name));
    if (role && role->is_superuser && !role__is_super(run))
        return base__fail(run->err, CORM_UNAUTHORIZED,
                          "Only superusers can drop a role with superuser status");
    if (!role && !run->statement->as.role.if_exists) return role__not_found(run, name);
    if (run->user.data && corm_str_equal(run->user, name))
        return base__fail(run->err, CORM_INVALID, "Cannot DROP primary role for current login");
    return role ? drop(run, role) : CORM_OK;
}

/* ---- GRANT and REVOKE of roles ---- */

static corm_status check_both(role_run *run, const auth_role **role, const auth_role **member) {
    const cql_role *s = &run->statement->as.role;
    CORM_TRY(role__check_on_role(run, AUTH_AUTHORIZE, s->name.text));
    *role = auth__find(run->roles, s->name.text);
    if (!*role) return role__not_found(run, s->name.text);
    *member = auth__find(run->roles, s->other.text);
    return *member ? CORM_OK : role__not_found(run, s->other.text);
}

static corm_status already(role_run *run, const auth_role *member, const auth_role *of) {
    return base__fail(run->err, CORM_INVALID, "%.*s is a member of %.*s", S(member->name),
                      S(of->name));
}

corm_status role__grant(role_run *run) {
    const auth_role *role, *member;
    CORM_TRY(check_both(run, &role, &member));
    if (auth__is_member(member, role->name)) return already(run, member, role);
    if (auth__is_member(role, member->name)) return already(run, role, member);
    cql_value set = auth__text_set(run->request->arena, &role->name, 1);
    cql_value values[] = { set, auth__text(member->name) };
    cql_value pair[] = { auth__text(role->name), auth__text(member->name) };
    if (!set.data) return base__fail_memory(run->err);
    CORM_TRY(auth__put(&run->change,
                       "UPDATE system_auth.roles SET member_of = member_of + ? WHERE role = ?",
                       values, 2, run->err));
    return auth__put(&run->change,
                     "INSERT INTO system_auth.role_members (role, member) VALUES (?, ?)", pair, 2,
                     run->err);
}

corm_status role__revoke(role_run *run) {
    const auth_role *role, *member;
    CORM_TRY(check_both(run, &role, &member));
    if (role == member) return CORM_OK; /* each is one of its own roles, and stays it */
    for (uint32_t i = 0; i < member->member_count; i++) {
        if (corm_str_equal(member->member_of[i], role->name))
            return leave(run, member->name, role->name);
    }
    return base__fail(run->err, CORM_INVALID, "%.*s is not a member of %.*s", S(member->name),
                      S(role->name));
}
