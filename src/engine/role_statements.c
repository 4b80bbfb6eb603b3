// SPDX-License-Identifier: MIT
/* role_statements.c -- statements about roles, as writes to system_auth in a transaction of their own; CREATE and ALTER here.
 * First whether it is allowed, then whether it can be done, as the server asks. Thread: the commit leader's; hashes of passwords
 * are made before, on the caller's thread. */
#include "base/text.h"
#include "cql/java.h"
#include "engine/auth.h"
#include "engine/core.h"

#define S(text) (int)(text).len, (text).data

/* ---- who asks ---- */

bool role__is_super(const role_run *run) {
    return !run->user.data || (run->self && run->self->is_superuser);
}

corm_status role__not_found(role_run *run, corm_str name) {
    return base__fail(run->err, CORM_INVALID, "%.*s doesn't exist", S(name));
}

static corm_status refuse(role_run *run, const char *words) {
    return base__fail(run->err, CORM_UNAUTHORIZED, "%s", words);
}

corm_status role__check(role_run *run, unsigned permission, corm_str resource) {
    if (!resource.data) return base__fail_memory(run->err);
    if (role__is_super(run) || auth__may(run->self, permission, resource)) return CORM_OK;
    return base__fail(run->err, CORM_UNAUTHORIZED,
                      "User %.*s does not have sufficient privileges to perform the requested "
                      "operation",
                      S(run->user));
}

corm_status role__check_on_role(role_run *run, unsigned permission, corm_str role) {
    return role__check(run, permission, auth__role_resource(run->request->arena, role));
}

/* ---- options ---- */

static bool is_user(cql_statement_kind kind) {
    return kind == CQL_STMT_CREATE_USER || kind == CQL_STMT_ALTER_USER;
}

/* "a, b" in the order of the server's set. */
static corm_status list_names(role_run *run, const corm_str *names, uint32_t count, base_buf *out) {
    uint32_t *order = BASE_NEW_ARRAY(run->request->arena, uint32_t, count);
    if (!order) return base__fail_memory(run->err);
    cql__java_order(CQL_JAVA_STRING, names, count, 1, CQL_JAVA_CAPACITY, order);
    for (uint32_t i = 0; i < count; i++)
        base__buf_printf(out, "%s%.*s", i ? ", " : "", S(names[order[i]]));
    return base__buf_status(out, run->err);
}

static corm_status no_such_datacenter(role_run *run, const cql_role *role) {
    base_buf    given = { 0 };
    corm_status status = list_names(run, role->datacenter_names, role->datacenter_count, &given);
    if (status == CORM_OK)
        status = base__fail(run->err, CORM_INVALID,
                            "Invalid value(s) for DATACENTERS '[%.*s]',All values must be valid "
                            "datacenters",
                            S(base__buf_str(&given)));
    base__buf_free(&given);
    return status;
}

/* A folder is one datacenter. */
static corm_status check_datacenters(role_run *run, const cql_role *role) {
    for (uint32_t i = 0; i < role->datacenter_count; i++) {
        if (!corm_str_equal(role->datacenter_names[i], corm_str_of("datacenter1")))
            return no_such_datacenter(run, role);
    }
    return CORM_OK;
}

typedef struct cidr_search {
    const cql_role *role;
    uint32_t        found;
    base_buf        known; /* "a, b" */
} cidr_search;

static corm_status look_at_group(void *context, uint32_t row_count, const cql_value *values,
                                 corm_error *err) {
    cidr_search *search = context;
    corm_str     name = { (const char *)values[0].data, (size_t)values[0].len };
    (void)row_count;
    for (uint32_t i = 0; i < search->role->cidr_count; i++)
        search->found += corm_str_equal(search->role->cidr_groups[i], name);
    base__buf_printf(&search->known, "%s%.*s", search->known.len ? ", " : "", S(name));
    return base__buf_status(&search->known, err);
}

static corm_status no_such_group(role_run *run, const cidr_search *search) {
    base_buf        given = { 0 };
    const cql_role *role = search->role;
    corm_status     status = list_names(run, role->cidr_groups, role->cidr_count, &given);
    if (status == CORM_OK)
        status = base__fail(run->err, CORM_INVALID,
                            "Invalid CIDR group(s): [%.*s]. Available CIDR Groups are: [%.*s]",
                            S(base__buf_str(&given)), S(base__buf_str(&search->known)));
    base__buf_free(&given);
    return status;
}

static corm_status check_cidrs(role_run *run, const cql_role *role) {
    cidr_search search = { .role = role };
    if (role->cidrs != 2) return CORM_OK;
    corm_status status = auth__select(run->request->store, run->request->txn, run->request->schema,
                                      "SELECT cidr_group FROM system_auth.cidr_groups",
                                      look_at_group, &search, run->err);
    if (status == CORM_OK && search.found < role->cidr_count) status = no_such_group(run, &search);
    base__buf_free(&search.known);
    return status;
}

/* What the parser cannot know. */
static corm_status check_options(role_run *run, const cql_role *role) {
    if (role->options)
        return base__fail(run->err, CORM_INVALID,
                          "org.apache.cassandra.auth.CassandraRoleManager doesn't support OPTIONS");
    if (role->hashed && role->password.data && !password__is_hash(role->password))
        return base__fail(run->err, CORM_INVALID,
                          "Invalid hashed password value. Please use jBcrypt.");
    CORM_TRY(check_datacenters(run, role));
    return check_cidrs(run, role);
}

corm_status engine__role_hash(engine *store, const cql_statement *statement, base_arena *arena,
                              corm_str *out, corm_error *err) {
    char            hash[PASSWORD_HASH_BYTES];
    const cql_role *role = &statement->as.role;
    bool            may_have_one = statement->kind == CQL_STMT_CREATE_ROLE ||
                        statement->kind == CQL_STMT_ALTER_ROLE || is_user(statement->kind);
    *out = (corm_str){ NULL, 0 };
    if (!may_have_one || !role->password.data) return CORM_OK;
    if (!role->hashed) CORM_TRY(password__hash(role->password, store->password_cost, hash, err));
    *out = base__arena_str(arena, role->hashed ? role->password : corm_str_of(hash));
    return out->data ? CORM_OK : base__fail_memory(err);
}

/* ---- CREATE ---- */

static corm_status put_cidrs(role_run *run, const cql_role *role) {
    uint32_t  count = role->cidrs == 2 ? role->cidr_count : 0;
    cql_value values[] = { auth__text(role->name.text),
                           auth__text_set(run->request->arena, role->cidr_groups, count) };
    if (!values[1].data) return base__fail_memory(run->err);
    return auth__put(&run->change,
                     "INSERT INTO system_auth.cidr_permissions (role, cidr_groups) VALUES (?, ?)",
                     values, 2, run->err);
}

/* All datacenters: none. */
static corm_status put_datacenters(role_run *run, const cql_role *role) {
    uint32_t  count = role->datacenters == 2 ? role->datacenter_count : 0;
    cql_value values[] = { auth__text(role->name.text),
                           auth__text_set(run->request->arena, role->datacenter_names, count) };
    if (!values[1].data) return base__fail_memory(run->err);
    return auth__put(&run->change,
                     "INSERT INTO system_auth.network_permissions (role, dcs) VALUES (?, ?)",
                     values, 2, run->err);
}

static cql_value truth(bool value) {
    static const uint8_t bytes[] = { 0, 1 };
    return (cql_value){ &bytes[value], 1 };
}

static corm_status create(role_run *run, const cql_role *role) {
    corm_str  resource = auth__role_resource(run->request->arena, role->name.text);
    bool      logs_in = is_user(run->statement->kind) || role->login == 2;
    cql_value values[] = { auth__text(role->name.text), truth(role->superuser == 2), truth(logs_in),
                           auth__text(run->hash) };
    if (!resource.data) return base__fail_memory(run->err);
    CORM_TRY(auth__put(&run->change,
                       run->hash.data
                           ? "INSERT INTO system_auth.roles (role, is_superuser, can_login, "
                             "salted_hash) VALUES (?, ?, ?, ?)"
                           : "INSERT INTO system_auth.roles (role, is_superuser, can_login) "
                             "VALUES (?, ?, ?)",
                       values, run->hash.data ? 4 : 3, run->err));
    CORM_TRY(put_cidrs(run, role));
    if (role->datacenters == 2) CORM_TRY(put_datacenters(run, role));
    if (!run->user.data) return CORM_OK;
    return auth__grant(&run->change, run->user, resource, auth__applicable(resource), run->err);
}

static corm_status create_role(role_run *run) {
    const cql_role *role = &run->statement->as.role;
    CORM_TRY(role__check(run, AUTH_CREATE, corm_str_of("roles")));
    if (role->superuser == 2 && !role__is_super(run))
        return refuse(run, "Only superusers can create a role with superuser status");
    CORM_TRY(check_options(run, role));
    if (role->name.text.len == 0)
        return base__fail(run->err, CORM_INVALID, "Role name can't be an empty string");
    if (!auth__find(run->roles, role->name.text)) return create(run, role);
    if (role->if_exists) return CORM_OK;
    return base__fail(run->err, CORM_INVALID, "%.*s already exists", S(role->name.text));
}

/* ---- ALTER ---- */

static corm_status may_alter(role_run *run, const cql_role *role) {
    bool is_self = run->user.data && corm_str_equal(run->user, role->name.text);
    if (role->superuser && auth__is_member(run->self, role->name.text))
        return refuse(run, "You aren't allowed to alter your own superuser status or that of a "
                           "role granted to you");
    if (role__is_super(run)) return CORM_OK;
    if (role->superuser)
        return refuse(run, "Only superusers are allowed to alter superuser status");
    if (role->datacenters)
        return refuse(run, "Only superusers are allowed to alter access to datacenters.");
    if (role->cidrs)
        return refuse(run, "Only superusers are allowed to alter access from CIDR groups.");
    if (!is_self) return role__check_on_role(run, AUTH_ALTER, role->name.text);
    return role->login ? refuse(run, "You aren't allowed to alter LOGIN") : CORM_OK;
}

/* The columns that the statement names, each by a statement of its own. */
static corm_status alter(role_run *run, const cql_role *role) {
    const struct {
        bool        given;
        const char *text;
        cql_value   value;
    } columns[] = {
        { role->superuser != 0, "UPDATE system_auth.roles SET is_superuser = ? WHERE role = ?",
          truth(role->superuser == 2) },
        { role->login != 0, "UPDATE system_auth.roles SET can_login = ? WHERE role = ?",
          truth(role->login == 2) },
        { run->hash.data != NULL, "UPDATE system_auth.roles SET salted_hash = ? WHERE role = ?",
          auth__text(run->hash) },
    };
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        cql_value values[] = { columns[i].value, auth__text(role->name.text) };
        if (!columns[i].given) continue;
        CORM_TRY(auth__put(&run->change, columns[i].text, values, 2, run->err));
    }
    if (role->datacenters) CORM_TRY(put_datacenters(run, role));
    return role->cidrs ? put_cidrs(run, role) : CORM_OK;
}

static corm_status alter_role(role_run *run) {
    const cql_role *role = &run->statement->as.role;
    CORM_TRY(may_alter(run, role));
    CORM_TRY(check_options(run, role));
    if (!role->options && !role->password.data && !role->superuser && !role->login &&
        !role->datacenters && !role->cidrs)
        return base__fail(run->err, CORM_INVALID, "ALTER [ROLE|USER] can't be empty");
    if (auth__find(run->roles, role->name.text)) return alter(run, role);
    if (role->if_exists) return CORM_OK;
    return base__fail(run->err, CORM_INVALID, "Role %.*s doesn't exist", S(role->name.text));
}

/* ---- one statement ---- */

static corm_status run_statement(role_run *run) {
    switch (run->statement->kind) {
    case CQL_STMT_CREATE_ROLE:
    case CQL_STMT_CREATE_USER: return create_role(run);
    case CQL_STMT_ALTER_ROLE:
    case CQL_STMT_ALTER_USER: return alter_role(run);
    case CQL_STMT_DROP_ROLE:
    case CQL_STMT_DROP_USER: return role__drop(run);
    case CQL_STMT_GRANT_ROLE: return role__grant(run);
    case CQL_STMT_REVOKE_ROLE: return role__revoke(run);
    case CQL_STMT_ADD_IDENTITY: return role__add_identity(run);
    case CQL_STMT_DROP_IDENTITY: return role__drop_identity(run);
    case CQL_STMT_GRANT_PERMISSION: return role__grant_permission(run);
    default: return role__revoke_permission(run);
    }
}

corm_status engine__auth_changed(engine_request *request, cql_schema **next, corm_error *err) {
    *next = cql__schema_renumbered(request->schema);
    if (!*next) return base__fail_memory(err);
    corm_status status = engine__meta_put_schema(request->txn, *next, err);
    if (status == CORM_OK) return CORM_OK;
    cql__schema_unref(*next);
    *next = NULL;
    return status;
}

corm_status engine__role_statement(engine_request *request, const engine_client *client,
                                   corm_str hash, cql_schema **next, corm_error *err) {
    role_run run = {
        .request = request,
        .statement = request->checked->statement,
        .user = client->role,
        .hash = hash,
        .err = err,
    };
    CORM_TRY(engine__roles(request->store, request->txn, request->schema, &run.roles, err));
    if (run.user.data) run.self = auth__find(run.roles, run.user);
    CORM_TRY(auth__change_begin(request, &run.change, err));
    corm_status status = run_statement(&run);
    CORM_TRY(auth__change_end(&run.change, status, err));
    wire__put_void(&request->answer->body);
    return run.change.count > 0 ? engine__auth_changed(request, next, err) : CORM_OK;
}
