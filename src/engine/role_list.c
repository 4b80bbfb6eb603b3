// SPDX-License-Identifier: MIT
/* role_list.c -- LIST ROLES, USERS, SUPERUSERS and PERMISSIONS, with what the asking role may see. Thread: the reader's. */
#include "base/fail.h"
#include "base/text.h"
#include "engine/auth.h"
#include "engine/core.h"

#define S(text) (int)(text).len, (text).data

typedef struct listing {
    engine_request      *request;
    const cql_statement *statement;
    const auth_roles    *roles;
    const auth_role     *self;
    corm_str             user; /* data NULL: the program */
    wire_rows_writer     writer;
    corm_error          *err;
} listing;

/* ---- answers ---- */

static void begin(listing *list, const char *table, const char *const *names,
                  const cql_type *const *types, uint32_t count) {
    enum { MOST = 5 };
    cql_result_column columns[MOST];
    for (uint32_t i = 0; i < count; i++)
        columns[i] = (cql_result_column){ corm_str_of("system_auth"), corm_str_of(table),
                                          corm_str_of(names[i]), types[i] };
    wire__rows_begin(&list->writer, &list->request->answer->body, columns, count, false,
                     WIRE_VERSION);
}

static void put_text(listing *list, corm_str text) {
    cql__put_value(&list->request->answer->body, auth__text(text));
}

static void put_truth(listing *list, bool value) {
    const uint8_t byte = value;
    cql__put_value(&list->request->answer->body, (cql_value){ &byte, 1 });
}

static corm_status end(listing *list) {
    wire__rows_end(&list->writer, (corm_bytes){ NULL, 0 });
    return base__buf_status(&list->request->answer->body, list->err);
}

static corm_status nothing(listing *list) {
    wire__put_void(&list->request->answer->body);
    return CORM_OK;
}

static bool is_super(const listing *list) {
    return !list->user.data || (list->self && list->self->is_superuser);
}

/* ---- roles ---- */

typedef enum shown_as { AS_ROLES, AS_USERS, AS_SUPERUSERS } shown_as;

static void begin_roles(listing *list, shown_as as) {
    const cql_type          *text = cql__type_native(CQL_TEXT);
    const cql_type          *truth = cql__type_native(CQL_BOOLEAN);
    const cql_type          *options = cql__type_map(list->request->arena, text, text, false);
    static const char *const role_names[] = { "role", "super", "login", "options", "datacenters" };
    static const char *const user_names[] = { "name", "super", "datacenters" };
    static const char *const super_names[] = { "role" };
    const cql_type *const    role_types[] = { text, truth, truth, options, text };
    const cql_type *const    user_types[] = { text, truth, text };
    if (!options) {
        list->request->answer->body.failed = true;
        return;
    }
    if (as == AS_ROLES) begin(list, "roles", role_names, role_types, 5);
    if (as == AS_USERS) begin(list, "users", user_names, user_types, 3);
    if (as == AS_SUPERUSERS) begin(list, "roles", super_names, role_types, 1);
}

static void put_role(listing *list, shown_as as, const auth_role *role) {
    static const uint8_t no_options[4] = { 0 };
    put_text(list, role->name);
    if (as != AS_SUPERUSERS) put_truth(list, role->is_superuser);
    if (as == AS_ROLES) put_truth(list, role->can_login);
    if (as == AS_ROLES) cql__put_value(&list->request->answer->body, (cql_value){ no_options, 4 });
    if (as != AS_SUPERUSERS) put_text(list, corm_str_of("ALL"));
    wire__row_done(&list->writer);
}

static bool is_shown(shown_as as, const auth_role *role) {
    return as == AS_ROLES || (as == AS_USERS ? role->can_login : role->is_superuser);
}

static bool is_direct(const auth_role *of, const auth_role *role) {
    if (of == role) return true;
    for (uint32_t i = 0; i < of->member_count; i++)
        if (corm_str_equal(of->member_of[i], role->name)) return true;
    return false;
}

/* `of` NULL: all roles. */
static corm_status put_roles(listing *list, shown_as as, const auth_role *of, bool recursive) {
    begin_roles(list, as);
    for (uint32_t i = 0; i < list->roles->count; i++) {
        const auth_role *role = &list->roles->roles[i];
        bool is_in = !of || (recursive ? auth__is_member(of, role->name) : is_direct(of, role));
        if (is_in && is_shown(as, role)) put_role(list, as, role);
    }
    return end(list);
}

static bool sees_all(const listing *list) {
    return is_super(list) || auth__may(list->self, AUTH_DESCRIBE, corm_str_of("roles"));
}

static corm_status no_role(listing *list, corm_str name) {
    return base__fail(list->err, CORM_INVALID, "<role %.*s> doesn't exist", S(name));
}

static corm_status list_roles(listing *list, shown_as as) {
    const cql_role  *s = &list->statement->as.role;
    const auth_role *of = s->name.text.data ? auth__find(list->roles, s->name.text) : NULL;
    if (s->name.text.data && !of) return no_role(list, s->name.text);
    if (of && !sees_all(list) && !auth__is_member(list->self, of->name))
        return base__fail(list->err, CORM_UNAUTHORIZED,
                          "You are not authorized to view roles granted to %.*s ", S(of->name));
    if (!of && !sees_all(list)) of = list->self;
    bool is_nothing = list->roles->count == 0 || (!of && !sees_all(list));
    return is_nothing ? nothing(list) : put_roles(list, as, of, !s->no_recursive);
}

/* Of later servers. */
static corm_status list_superusers(listing *list) {
    if (!sees_all(list))
        return base__fail(list->err, CORM_UNAUTHORIZED,
                          "User %.*s does not have sufficient privileges to perform the requested "
                          "operation",
                          S(list->user));
    return put_roles(list, AS_SUPERUSERS, NULL, true);
}

/* ---- permissions ---- */

enum { MOST_ABOVE = 4 };

typedef struct permission_listing {
    unsigned         permissions;
    const auth_role *of; /* NULL: everyone */
    uint32_t         count;
    corm_str         resources[MOST_ABOVE]; /* 0: all of them */
    bool             any;
} permission_listing;

static bool is_on(const permission_listing *what, corm_str resource) {
    for (uint32_t i = 0; i < what->count; i++)
        if (corm_str_equal(what->resources[i], resource)) return true;
    return what->count == 0;
}

static void begin_permissions(listing *list) {
    const cql_type          *text = cql__type_native(CQL_TEXT);
    const cql_type *const    types[] = { text, text, text, text };
    static const char *const names[] = { "role", "username", "resource", "permission" };
    begin(list, "permissions", names, types, 4);
}

static void put_grant(listing *list, const auth_role *role, const auth_grant *grant,
                      unsigned permissions) {
    base_buf shown = { 0 };
    auth__show(grant->resource, &shown);
    list->request->answer->body.failed |= shown.failed;
    for (unsigned i = 0; i < AUTH_PERMISSIONS; i++) {
        if (!(grant->permissions & permissions & 1u << i)) continue;
        put_text(list, role->name);
        put_text(list, role->name);
        put_text(list, base__buf_str(&shown));
        put_text(list, corm_str_of(auth__permission_name(i)));
        wire__row_done(&list->writer);
    }
    base__buf_free(&shown);
}

/* Roles and their grants stand in the order of the answer. */
static void each_grant(listing *list, permission_listing *what, bool put) {
    for (uint32_t i = 0; i < list->roles->count; i++) {
        const auth_role *role = &list->roles->roles[i];
        if (what->of && !auth__is_member(what->of, role->name)) continue;
        for (uint32_t j = 0; j < role->grant_count; j++) {
            const auth_grant *grant = &role->grants[j];
            if (!(grant->permissions & what->permissions) || !is_on(what, grant->resource))
                continue;
            what->any = true;
            if (put) put_grant(list, role, grant, what->permissions);
        }
    }
}

static corm_status missing_resource(listing *list, corm_str resource) {
    base_buf shown = { 0 };
    auth__show(resource, &shown);
    corm_status status = base__buf_status(&shown, list->err);
    if (status == CORM_OK)
        status =
            base__fail(list->err, CORM_INVALID, "%.*s doesn't exist", S(base__buf_str(&shown)));
    base__buf_free(&shown);
    return status;
}

static corm_status set_resources(listing *list, const cql_permission *s, permission_listing *what) {
    bool     exists;
    corm_str resource;
    if (!s->has_resource) return CORM_OK;
    CORM_TRY(role__resource(list->request, s, &resource, &exists, list->err));
    if (!exists) return missing_resource(list, resource);
    for (; resource.len > 0 && what->count < MOST_ABOVE;) {
        char *room = base__arena_alloc(list->request->arena, AUTH_ROOM);
        if (!room) return base__fail_memory(list->err);
        what->resources[what->count++] = resource;
        resource = s->no_recursive ? corm_str_of("") : auth__parent(room, resource);
    }
    return CORM_OK;
}

static corm_status may_view(listing *list, const permission_listing *what) {
    if (sees_all(list)) return CORM_OK;
    if (what->of && auth__is_member(list->self, what->of->name)) return CORM_OK;
    if (what->of) {
        corm_str resource = auth__role_resource(list->request->arena, what->of->name);
        if (resource.data && auth__may(list->self, AUTH_DESCRIBE, resource)) return CORM_OK;
    }
    corm_str whose = what->of ? what->of->name : corm_str_of("everyone");
    return base__fail(list->err, CORM_UNAUTHORIZED,
                      "You are not authorized to view %.*s's permissions", S(whose));
}

static corm_status list_permissions(listing *list) {
    const cql_permission *s = &list->statement->as.permission;
    permission_listing    what = { .permissions = role__permissions(s, corm_str_of("")) };
    CORM_TRY(set_resources(list, s, &what));
    if (s->role.text.data) {
        what.of = auth__find(list->roles, s->role.text);
        if (!what.of) return no_role(list, s->role.text);
    }
    CORM_TRY(may_view(list, &what));
    each_grant(list, &what, false);
    if (!what.any) return nothing(list);
    begin_permissions(list);
    each_grant(list, &what, true);
    return end(list);
}

/* ---- one statement ---- */

corm_status engine__role_list(engine_request *request, corm_error *err) {
    listing list = {
        .request = request,
        .statement = request->checked->statement,
        .user = request->client ? request->client->role : (corm_str){ NULL, 0 },
        .err = err,
    };
    CORM_TRY(engine__roles(request->store, request->txn, request->schema, &list.roles, err));
    if (list.user.data) list.self = auth__find(list.roles, list.user);
    switch (list.statement->kind) {
    case CQL_STMT_LIST_ROLES: return list_roles(&list, AS_ROLES);
    case CQL_STMT_LIST_USERS: return list_roles(&list, AS_USERS);
    case CQL_STMT_LIST_SUPERUSERS: return list_superusers(&list);
    default: return list_permissions(&list);
    }
}
