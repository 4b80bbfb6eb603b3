// SPDX-License-Identifier: MIT
/* role_identity.c -- ADD and DROP IDENTITY: names in certificates that stand for a role. Thread: the commit leader's. */
#include "engine/auth.h"
#include "engine/core.h"

#define S(text) (int)(text).len, (text).data

typedef struct identity_search {
    corm_str name;
    bool     found;
} identity_search;

static corm_status find_identity(void *context, uint32_t row_count, const cql_value *values,
                                 corm_error *err) {
    identity_search *search = context;
    corm_str         identity = { (const char *)values[0].data, (size_t)values[0].len };
    (void)row_count;
    (void)err;
    search->found |= corm_str_equal(search->name, identity);
    return CORM_OK;
}

static corm_status has_identity(role_run *run, bool *out) {
    identity_search search = { .name = run->statement->as.role.name.text };
    CORM_TRY(auth__select(run->request->store, run->request->txn, run->request->schema,
                          "SELECT identity FROM system_auth.identity_to_role", find_identity,
                          &search, run->err));
    *out = search.found;
    return CORM_OK;
}

corm_status role__add_identity(role_run *run) {
    const cql_role *s = &run->statement->as.role;
    bool            is_there;
    CORM_TRY(role__check(run, AUTH_CREATE, corm_str_of("roles")));
    if (!auth__find(run->roles, s->other.text))
        return base__fail(run->err, CORM_INVALID,
                          "Can not add identity for non-existent role '%.*s'", S(s->other.text));
    CORM_TRY(has_identity(run, &is_there));
    if (is_there && s->if_exists) return CORM_OK;
    if (is_there) return base__fail(run->err, CORM_INVALID, "%.*s already exists", S(s->name.text));
    cql_value values[] = { auth__text(s->name.text), auth__text(s->other.text) };
    return auth__put(&run->change,
                     "INSERT INTO system_auth.identity_to_role (identity, role) VALUES (?, ?)",
                     values, 2, run->err);
}

corm_status role__drop_identity(role_run *run) {
    const cql_role *s = &run->statement->as.role;
    bool            is_there;
    CORM_TRY(role__check(run, AUTH_DROP, corm_str_of("roles")));
    CORM_TRY(has_identity(run, &is_there));
    if (!is_there && s->if_exists) return CORM_OK;
    if (!is_there)
        return base__fail(run->err, CORM_INVALID, "identity '%.*s' doesn't exist", S(s->name.text));
    return role__put_name(run, "DELETE FROM system_auth.identity_to_role WHERE identity = ?",
                          s->name.text);
}
