// SPDX-License-Identifier: MIT
/* auth_roles.c -- the roles of a snapshot: read once for each, and kept with its schema. Any thread; what was read never changes. */
#include <stdlib.h>

#include "base/fail.h"
#include "base/text.h"
#include "engine/auth.h"

/* ---- the end ---- */

static void free_roles(cql_attached *attached) {
    auth_roles *roles = (auth_roles *)attached;
    for (uint32_t i = 0; i < roles->count; i++) base__map_free(&roles->roles[i].allowed);
    base__arena_free(&roles->arena);
    free(roles);
}

/* ---- rows ---- */

static bool is_true(cql_value value) {
    return value.len == 1 && value.data[0] != 0;
}

static corm_status keep_text(auth_roles *roles, cql_value value, corm_str *out, corm_error *err) {
    *out = (corm_str){ NULL, 0 };
    if (cql__is_null(value)) return CORM_OK;
    *out = base__arena_str(
        &roles->arena, (corm_str){ value.data ? (const char *)value.data : "", (size_t)value.len });
    return out->data ? CORM_OK : base__fail_memory(err);
}

static corm_status keep_members(auth_roles *roles, cql_value value, auth_role *role,
                                corm_error *err) {
    if (value.len < 4) return CORM_OK;
    base_reader reader = { value.data, (size_t)value.len, false };
    uint32_t    count = base__read_u32(&reader);
    if (count > reader.len) return CORM_OK;
    role->member_of = BASE_NEW_ARRAY(&roles->arena, corm_str, count);
    if (!role->member_of) return base__fail_memory(err);
    for (uint32_t i = 0; i < count; i++)
        CORM_TRY(keep_text(roles, cql__read_value(&reader), &role->member_of[i], err));
    role->member_count = count;
    return CORM_OK;
}

/* role, can_login, is_superuser, member_of, salted_hash */
static corm_status add_role(void *context, uint32_t row_count, const cql_value *values,
                            corm_error *err) {
    auth_roles *roles = context;
    if (!roles->roles) roles->roles = BASE_NEW_ARRAY(&roles->arena, auth_role, row_count);
    if (!roles->roles) return base__fail_memory(err);
    auth_role *role = &roles->roles[roles->count++];
    CORM_TRY(keep_text(roles, values[0], &role->name, err));
    CORM_TRY(keep_text(roles, values[4], &role->salted_hash, err));
    role->can_login = is_true(values[1]);
    role->says_superuser = is_true(values[2]);
    return keep_members(roles, values[3], role, err);
}

static unsigned permissions_of(cql_value value) {
    unsigned permissions = 0;
    if (value.len < 4) return 0;
    base_reader reader = { value.data, (size_t)value.len, false };
    uint32_t    count = base__read_u32(&reader);
    for (uint32_t i = 0; i < count && !reader.failed; i++) {
        cql_value name = cql__read_value(&reader);
        if (cql__is_null(name)) continue;
        permissions |=
            auth__permission_bit((corm_str){ (const char *)name.data, (size_t)name.len });
    }
    return permissions;
}

/* Rows of a role follow one another, in the order of resources. */
typedef struct grants_read {
    auth_roles *roles;
    auth_role  *last;
    auth_grant *room;
    uint32_t    used;
} grants_read;

/* role, resource, permissions. Grants to roles that are not there mean nothing. */
static corm_status add_grant(void *context, uint32_t row_count, const cql_value *values,
                             corm_error *err) {
    grants_read *read = context;
    corm_str     name = { (const char *)values[0].data, (size_t)values[0].len };
    unsigned     permissions = permissions_of(values[2]);
    if (!read->room) read->room = BASE_NEW_ARRAY(&read->roles->arena, auth_grant, row_count);
    if (!read->room) return base__fail_memory(err);
    if (!read->last || !corm_str_equal(read->last->name, name))
        read->last = (auth_role *)(uintptr_t)auth__find(read->roles, name);
    if (!read->last || permissions == 0) return CORM_OK;
    auth_grant *grant = &read->room[read->used++];
    if (read->last->grant_count++ == 0) read->last->grants = grant;
    grant->permissions = permissions;
    return keep_text(read->roles, values[1], &grant->resource, err);
}

/* ---- what follows from them ---- */

static int by_name(const void *a, const void *b) {
    return base__str_compare(((const auth_role *)a)->name, ((const auth_role *)b)->name);
}

static auth_role *member(const auth_roles *roles, corm_str name) {
    return (auth_role *)(uintptr_t)auth__find(roles, name);
}

/* Breadth first: `all` is the queue too. */
static corm_status collect(auth_roles *roles, auth_role *role, corm_error *err) {
    role->all = BASE_NEW_ARRAY(&roles->arena, const auth_role *, roles->count);
    if (!role->all) return base__fail_memory(err);
    for (uint32_t i = 0; i < roles->count; i++) roles->roles[i].seen = false;
    role->all[role->all_count++] = role;
    role->seen = true;
    for (uint32_t i = 0; i < role->all_count; i++) {
        const auth_role *one = role->all[i];
        role->is_superuser |= one->says_superuser;
        for (uint32_t j = 0; j < one->member_count; j++) {
            auth_role *next = member(roles, one->member_of[j]);
            if (!next || next->seen) continue;
            next->seen = true;
            role->all[role->all_count++] = next;
        }
    }
    return CORM_OK;
}

static corm_status allow(auth_role *role, corm_error *err) {
    for (uint32_t i = 0; i < role->all_count; i++) {
        for (uint32_t j = 0; j < role->all[i]->grant_count; j++) {
            const auth_grant *grant = &role->all[i]->grants[j];
            uintptr_t         already = (uintptr_t)base__map_get(&role->allowed, grant->resource);
            if (!base__map_put(&role->allowed, grant->resource,
                               (void *)(already | grant->permissions)))
                return base__fail_memory(err);
        }
    }
    return CORM_OK;
}

static corm_status read_all(engine *store, kv_txn *txn, const cql_schema *schema, auth_roles *out,
                            corm_error *err) {
    grants_read grants = { .roles = out };
    CORM_TRY(auth__select(store, txn, schema,
                          "SELECT role, can_login, is_superuser, member_of, salted_hash "
                          "FROM system_auth.roles",
                          add_role, out, err));
    if (out->count == 0) return CORM_OK;
    qsort(out->roles, out->count, sizeof *out->roles, by_name);
    CORM_TRY(auth__select(store, txn, schema,
                          "SELECT role, resource, permissions FROM system_auth.role_permissions",
                          add_grant, &grants, err));
    CORM_TRY(auth__read_access(store, txn, schema, out, err));
    for (uint32_t i = 0; i < out->count; i++) CORM_TRY(collect(out, &out->roles[i], err));
    for (uint32_t i = 0; i < out->count; i++) CORM_TRY(allow(&out->roles[i], err));
    return CORM_OK;
}

/* ---- keeping them ---- */

corm_status engine__roles(engine *store, kv_txn *txn, const cql_schema *schema,
                          const auth_roles **out, corm_error *err) {
    cql_schema   *snapshot = (cql_schema *)(uintptr_t)schema;
    cql_attached *kept = atomic_load_explicit(&snapshot->attached, memory_order_acquire);
    *out = (const auth_roles *)kept;
    if (kept) return CORM_OK;
    auth_roles *read = calloc(1, sizeof *read);
    if (!read) return base__fail_memory(err);
    read->attached.free = free_roles;
    corm_status status = read_all(store, txn, schema, read, err);
    if (status != CORM_OK) {
        free_roles(&read->attached);
        return status;
    }
    *out = read;
    if (atomic_compare_exchange_strong(&snapshot->attached, &kept, &read->attached)) return CORM_OK;
    free_roles(&read->attached);
    *out = (const auth_roles *)kept;
    return CORM_OK;
}

/* ---- questions ---- */

const auth_role *auth__find(const auth_roles *roles, corm_str name) {
    uint32_t low = 0, high = roles->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int      order = base__str_compare(name, roles->roles[middle].name);
        if (order == 0) return &roles->roles[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

static bool allows(const auth_role *role, unsigned permission, corm_str resource) {
    return ((uintptr_t)base__map_get(&role->allowed, resource) & permission) != 0;
}

bool auth__may(const auth_role *role, unsigned permission, corm_str resource) {
    char room[AUTH_ROOM];
    if (!role) return false;
    if (role->is_superuser) return (auth__applicable(resource) & permission) != 0;
    if (role->allowed.count == 0) return false;
    bool is_of_system = auth__is_of_system(resource);
    for (; resource.len > 0; resource = auth__parent(room, resource)) {
        if (is_of_system && corm_str_equal(resource, corm_str_of("data"))) return false;
        if (allows(role, permission, resource)) return true;
    }
    return false;
}

bool auth__is_member(const auth_role *role, corm_str of) {
    for (uint32_t i = 0; role && i < role->all_count; i++) {
        if (corm_str_equal(role->all[i]->name, of)) return true;
    }
    return false;
}
