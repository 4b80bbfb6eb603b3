// SPDX-License-Identifier: MIT
/* auth_access.c -- from where a role may come: ACCESS TO DATACENTERS and ACCESS FROM CIDRS, as system_auth holds them.
 *
 * Each statement of a role is held against them, as in the server, so a change counts for connections that are open. What stands for a
 * role holds for that role alone, not for those that it is a member of. Superusers may come from anywhere. Any thread. */
#include "base/clock.h"
#include "base/fail.h"
#include "base/text.h"
#include "engine/auth.h"
#include "engine/core.h"

static const char *const this_datacenter = "datacenter1";

/* ---- reading ---- */

static corm_str text_of(cql_value value) {
    return (corm_str){ value.len > 0 ? (const char *)value.data : "",
                       value.len > 0 ? (size_t)value.len : 0 };
}

static corm_status keep_texts(auth_roles *roles, cql_value set, corm_str **out, uint32_t *count,
                              corm_error *err) {
    *count = 0;
    if (set.len < 4) return CORM_OK;
    base_reader reader = { set.data, (size_t)set.len, false };
    uint32_t    size = base__read_u32(&reader);
    if (size > reader.len) return CORM_OK;
    if (!(*out = BASE_NEW_ARRAY(&roles->arena, corm_str, size))) return base__fail_memory(err);
    while (*count < size) {
        corm_str kept = base__arena_str(&roles->arena, text_of(cql__read_value(&reader)));
        if (!kept.data) return base__fail_memory(err);
        (*out)[(*count)++] = kept;
    }
    return CORM_OK;
}

static auth_role *role_of(auth_roles *roles, cql_value name) {
    return (auth_role *)(uintptr_t)auth__find(roles, text_of(name));
}

/* role, dcs. No datacenters: all. */
static corm_status add_datacenters(void *context, uint32_t row_count, const cql_value *values,
                                   corm_error *err) {
    auth_roles *roles = context;
    auth_role  *role = role_of(roles, values[0]);
    corm_str   *names = NULL;
    uint32_t    count;
    (void)row_count;
    if (!role) return CORM_OK;
    CORM_TRY(keep_texts(roles, values[1], &names, &count, err));
    role->is_elsewhere = count > 0;
    for (uint32_t i = 0; i < count; i++)
        if (corm_str_equal(names[i], corm_str_of(this_datacenter))) role->is_elsewhere = false;
    return CORM_OK;
}

/* role, cidr_groups. No groups: from anywhere. */
static corm_status add_groups(void *context, uint32_t row_count, const cql_value *values,
                              corm_error *err) {
    auth_roles *roles = context;
    auth_role  *role = role_of(roles, values[0]);
    (void)row_count;
    if (!role) return CORM_OK;
    return keep_texts(roles, values[1], &role->groups, &role->group_count, err);
}

/* One of a group's ranges: tuple<inet, smallint>. */
static corm_status add_range(auth_roles *roles, corm_str group, cql_value tuple, corm_error *err) {
    if (tuple.len < 4) return CORM_OK;
    base_reader reader = { tuple.data, (size_t)tuple.len, false };
    cql_value   address = cql__read_value(&reader);
    cql_value   prefix = cql__read_value(&reader);
    bool        is_inet = address.len == 4 || address.len == 16;
    if (!is_inet || prefix.len != 2) return CORM_OK;
    auth_range *range = BASE_NEW(&roles->arena, auth_range);
    if (!range) return base__fail_memory(err);
    range->group = group;
    range->prefix = base__load_u16(prefix.data);
    range->address.length = (uint8_t)address.len;
    memcpy(range->address.bytes, address.data, (size_t)address.len);
    range->next = roles->ranges;
    roles->ranges = range;
    return CORM_OK;
}

/* cidr_group, cidrs */
static corm_status add_ranges(void *context, uint32_t row_count, const cql_value *values,
                              corm_error *err) {
    auth_roles *roles = context;
    (void)row_count;
    corm_str group = base__arena_str(&roles->arena, text_of(values[0]));
    if (!group.data) return base__fail_memory(err);
    if (values[1].len < 4) return CORM_OK;
    base_reader reader = { values[1].data, (size_t)values[1].len, false };
    uint32_t    count = base__read_u32(&reader);
    for (uint32_t i = 0; i < count && !reader.failed; i++)
        CORM_TRY(add_range(roles, group, cql__read_value(&reader), err));
    return CORM_OK;
}

static bool has_groups(const auth_roles *roles) {
    for (uint32_t i = 0; i < roles->count; i++)
        if (roles->roles[i].group_count > 0) return true;
    return false;
}

corm_status auth__read_access(engine *store, kv_txn *txn, const cql_schema *schema,
                              auth_roles *roles, corm_error *err) {
    CORM_TRY(auth__select(store, txn, schema,
                          "SELECT role, dcs FROM system_auth.network_permissions", add_datacenters,
                          roles, err));
    CORM_TRY(auth__select(store, txn, schema,
                          "SELECT role, cidr_groups FROM system_auth.cidr_permissions", add_groups,
                          roles, err));
    if (!has_groups(roles)) return CORM_OK;
    return auth__select(store, txn, schema, "SELECT cidr_group, cidrs FROM system_auth.cidr_groups",
                        add_ranges, roles, err);
}

/* ---- asking ---- */

static bool is_in(const auth_range *range, const corm_inet *address) {
    unsigned whole = range->prefix / 8, rest = range->prefix % 8;
    if (range->address.length != address->length || range->prefix > address->length * 8u)
        return false;
    if (memcmp(range->address.bytes, address->bytes, whole) != 0) return false;
    if (rest == 0) return true;
    return (range->address.bytes[whole] ^ address->bytes[whole]) >> (8 - rest) == 0;
}

static bool is_named(const auth_role *role, corm_str group) {
    for (uint32_t i = 0; i < role->group_count; i++)
        if (corm_str_equal(role->groups[i], group)) return true;
    return false;
}

/* The narrowest range that the address is in says to which groups it belongs. */
static bool may_come_from(const auth_roles *roles, const auth_role *role,
                          const corm_inet *address) {
    unsigned longest = 0;
    bool     named = false;
    for (const auth_range *range = roles->ranges; range; range = range->next) {
        if (range->prefix < longest || !is_in(range, address)) continue;
        named = (range->prefix == longest && named) || is_named(role, range->group);
        longest = range->prefix;
    }
    return named;
}

corm_status engine__admit(engine *store, kv_txn *txn, const cql_schema *schema,
                          const engine_client *client, corm_error *err) {
    const auth_roles *roles;
    char              from[46];
    if (!client || !client->role.data) return CORM_OK;
    CORM_TRY(engine__roles(store, txn, schema, &roles, err));
    const auth_role *role = auth__find(roles, client->role);
    if (!role || role->is_superuser) return CORM_OK;
    if (role->is_elsewhere)
        return base__fail(err, CORM_UNAUTHORIZED, "You do not have access to this datacenter (%s)",
                          this_datacenter);
    if (role->group_count == 0 || client->peer.length == 0) return CORM_OK;
    int64_t began_ns = base__clock_mono_ns();
    bool    may_come = may_come_from(roles, role, &client->peer);
    metric__add(metric__cidr_checks(store), (uint64_t)(base__clock_mono_ns() - began_ns));
    if (may_come) return CORM_OK;
    corm_inet_format(client->peer, from);
    return base__fail(err, CORM_UNAUTHORIZED, "You do not have access from this IP %s", from);
}
