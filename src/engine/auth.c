// SPDX-License-Identifier: MIT
/* auth.c -- what a role must be allowed for each kind of statement, in the server's order and words. Thread: the caller's.
 *
 * Who asks without a role may all; a superuser is stopped by nothing here but what the system's own keyspaces forbid to all,
 * which the statements themselves look at. */
#include "engine/auth.h"

#include "base/text.h"
#include "cql/parser.h"
#include "cql/schema_build.h"
#include "engine/core.h"

#define S(text) (int)(text).len, (text).data

/* One statement of one role. */
typedef struct inquiry {
    const cql_schema  *schema;
    const auth_role   *role; /* NULL: it was dropped since it logged in */
    corm_str           user, keyspace;
    const cql_checked *checked;
    base_arena         arena;
    corm_error        *err;
} inquiry;

corm_status auth__ensure(const auth_role *role, corm_str user, unsigned permission,
                         corm_str resource, corm_error *err) {
    unsigned index = 0;
    base_buf shown = { 0 };
    if (!resource.data) return base__fail_memory(err);
    if (auth__may(role, permission, resource)) return CORM_OK;
    while (1u << index != permission) index++;
    auth__show(resource, &shown);
    corm_status status = base__buf_status(&shown, err);
    if (status == CORM_OK)
        status = base__fail(err, CORM_UNAUTHORIZED,
                            "User %.*s has no %s permission on %.*s or any of its parents", S(user),
                            auth__permission_name(index), S(base__buf_str(&shown)));
    base__buf_free(&shown);
    return status;
}

/* ---- the system's own ---- */

static bool is_one_of(corm_str name, const char *const *names, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (corm_str_equal(name, corm_str_of(names[i]))) return true;
    }
    return false;
}

/* What every driver reads when it connects. */
static bool is_readable_by_all(const cql_table *table) {
    static const char *const whole[] = { "system_schema", "system_virtual_schema",
                                         "system_traces" };
    static const char *const of_system[] = { "local", "peers", "peers_v2", "size_estimates",
                                             "table_estimates" };
    if (!table->is_system) return false;
    if (is_one_of(table->keyspace, whole, sizeof whole / sizeof *whole)) return true;
    return corm_str_equal(table->keyspace, corm_str_of("system")) &&
           is_one_of(table->name, of_system, sizeof of_system / sizeof *of_system);
}

/* Nobody changes the schema of the system, which is said before a permission is asked for. */
static corm_status prevent_system(inquiry *ask, const char *verb, corm_str keyspace,
                                  corm_str resource) {
    base_buf shown = { 0 };
    if (cql__is_local_system(keyspace))
        return base__fail(ask->err, CORM_UNAUTHORIZED, "%.*s keyspace is not user-modifiable.",
                          S(keyspace));
    if (!cql__is_replicated_system(keyspace)) return CORM_OK;
    auth__show(resource, &shown);
    corm_status status = base__buf_status(&shown, ask->err);
    if (status == CORM_OK)
        status = base__fail(ask->err, CORM_UNAUTHORIZED, "Cannot %s %.*s", verb,
                            S(base__buf_str(&shown)));
    base__buf_free(&shown);
    return status;
}

static corm_status ensure(inquiry *ask, unsigned permission, corm_str resource) {
    return auth__ensure(ask->role, ask->user, permission, resource, ask->err);
}

/* ---- tables ---- */

static corm_status ensure_table(inquiry *ask, unsigned permission, const cql_table *table) {
    return ensure(ask, permission, auth__data(&ask->arena, table->keyspace, table->name));
}

static corm_status refuse_masked(inquiry *ask, const cql_checked_select *select) {
    base_buf names = { 0 };
    for (uint32_t i = 0; i < select->masked_restricted_count; i++) {
        if (i) base__buf_puts(&names, ", ");
        base__buf_put_str(&names, select->masked_restricted[i]->name);
    }
    corm_status status = base__buf_status(&names, ask->err);
    if (status == CORM_OK)
        status = base__fail(ask->err, CORM_UNAUTHORIZED,
                            "User %.*s has no UNMASK nor SELECT_MASKED permission on table "
                            "%.*s.%.*s, cannot query masked columns [%.*s]",
                            S(ask->user), S(select->table->keyspace), S(select->table->name),
                            S(base__buf_str(&names)));
    base__buf_free(&names);
    return status;
}

static corm_status may_select(inquiry *ask, const cql_checked_select *select) {
    const cql_table *table = select->table;
    corm_str         source = table->view ? table->view->base : table->name;
    if (!is_readable_by_all(table))
        CORM_TRY(ensure(ask, AUTH_SELECT, auth__data(&ask->arena, table->keyspace, source)));
    if (select->masked_restricted_count == 0) return CORM_OK;
    corm_str resource = auth__data(&ask->arena, table->keyspace, table->name);
    if (auth__may(ask->role, AUTH_UNMASK, resource) ||
        auth__may(ask->role, AUTH_SELECT_MASKED, resource))
        return CORM_OK;
    return refuse_masked(ask, select);
}

/* What is written shows in views, which are read from the table first. */
static corm_status may_write_views(inquiry *ask, const cql_table *table) {
    const cql_keyspace *keyspace = cql__schema_keyspace(ask->schema, table->keyspace);
    CORM_TRY(ensure_table(ask, AUTH_SELECT, table));
    for (const cql_table *view = cql__next_view(keyspace, table, NULL); view;
         view = cql__next_view(keyspace, table, view))
        CORM_TRY(ensure_table(ask, AUTH_MODIFY, view));
    return CORM_OK;
}

static corm_status may_modify(inquiry *ask, const cql_checked_modify *modify) {
    CORM_TRY(ensure_table(ask, AUTH_MODIFY, modify->table));
    /* A condition tells what is stored. */
    if (modify->is_conditional) CORM_TRY(ensure_table(ask, AUTH_SELECT, modify->table));
    return modify->table->view_count > 0 ? may_write_views(ask, modify->table) : CORM_OK;
}

static corm_status may_batch(inquiry *ask, const cql_checked_batch *batch) {
    for (uint32_t i = 0; i < batch->count; i++) CORM_TRY(may_modify(ask, batch->items[i]));
    return CORM_OK;
}

/* ---- the schema ---- */

static corm_str keyspace_of(const inquiry *ask, const cql_ref *ref) {
    return ref->keyspace.text.data ? ref->keyspace.text : ask->keyspace;
}

static corm_status may_change(inquiry *ask, unsigned permission, const char *verb,
                              corm_str keyspace, corm_str resource) {
    if (!resource.data) return base__fail_memory(ask->err);
    CORM_TRY(prevent_system(ask, verb, keyspace, resource));
    return ensure(ask, permission, resource);
}

static corm_status may_create_inside(inquiry *ask, const cql_ref *ref) {
    corm_str keyspace = keyspace_of(ask, ref);
    if (keyspace.len == 0) return CORM_OK; /* the statement says what is wrong */
    return may_change(ask, AUTH_CREATE, "CREATE", keyspace,
                      auth__all_tables(&ask->arena, keyspace));
}

static corm_status may_alter_type(inquiry *ask, unsigned permission, const char *verb,
                                  const cql_ref *ref) {
    corm_str keyspace = keyspace_of(ask, ref);
    if (keyspace.len == 0) return CORM_OK;
    return may_change(ask, permission, verb, keyspace, auth__all_tables(&ask->arena, keyspace));
}

static corm_status may_change_table(inquiry *ask, unsigned permission, const char *verb,
                                    const cql_ref *ref) {
    corm_str keyspace = keyspace_of(ask, ref);
    if (keyspace.len == 0) return CORM_OK;
    return may_change(ask, permission, verb, keyspace,
                      auth__data(&ask->arena, keyspace, ref->name.text));
}

static corm_status may_truncate(inquiry *ask, const cql_ref *ref) {
    corm_str keyspace = keyspace_of(ask, ref);
    if (keyspace.len == 0) return CORM_OK;
    return ensure(ask, AUTH_MODIFY, auth__data(&ask->arena, keyspace, ref->name.text));
}

static corm_status may_alter_keyspace(inquiry *ask, corm_str name) {
    corm_str none = { NULL, 0 };
    if (cql__is_local_system(name)) return prevent_system(ask, "ALTER", name, none);
    return ensure(ask, AUTH_ALTER, auth__data(&ask->arena, name, none));
}

static corm_status may_drop_keyspace(inquiry *ask, corm_str name) {
    corm_str none = { NULL, 0 };
    return may_change(ask, AUTH_DROP, "DROP", name, auth__data(&ask->arena, name, none));
}

/* An index belongs to its table; one that is not there is nobody's. */
static corm_status may_drop_index(inquiry *ask, const cql_ref *ref) {
    const cql_table *table = NULL;
    corm_str         keyspace = keyspace_of(ask, ref);
    if (!cql__schema_index(ask->schema, keyspace, ref->name.text, &table)) return CORM_OK;
    return may_change(ask, AUTH_ALTER, "ALTER", keyspace,
                      auth__data(&ask->arena, keyspace, table->name));
}

/* So does a view. */
static corm_status may_change_view(inquiry *ask, const cql_ref *ref) {
    corm_str         keyspace = keyspace_of(ask, ref);
    const cql_table *table = cql__schema_table(ask->schema, keyspace, ref->name.text);
    if (!table || !table->view) return CORM_OK;
    return may_change(ask, AUTH_ALTER, "ALTER", keyspace,
                      auth__data(&ask->arena, keyspace, table->view->base));
}

static corm_status may_change_schema(inquiry *ask) {
    const cql_statement *s = ask->checked->statement;
    switch (s->kind) {
    case CQL_STMT_TRUNCATE: return may_truncate(ask, &s->as.drop.name);
    case CQL_STMT_CREATE_KEYSPACE: return ensure(ask, AUTH_CREATE, corm_str_of("data"));
    case CQL_STMT_ALTER_KEYSPACE: return may_alter_keyspace(ask, s->as.keyspace.name.text);
    case CQL_STMT_DROP_KEYSPACE: return may_drop_keyspace(ask, s->as.drop.name.name.text);
    case CQL_STMT_CREATE_TABLE: return may_create_inside(ask, &s->as.create_table.table);
    case CQL_STMT_ALTER_TABLE:
        return may_change_table(ask, AUTH_ALTER, "ALTER", &s->as.alter_table.table);
    case CQL_STMT_DROP_TABLE: return may_change_table(ask, AUTH_DROP, "DROP", &s->as.drop.name);
    case CQL_STMT_CREATE_TYPE: return may_create_inside(ask, &s->as.create_type.name);
    case CQL_STMT_ALTER_TYPE:
        return may_alter_type(ask, AUTH_ALTER, "ALTER", &s->as.alter_table.table);
    case CQL_STMT_DROP_TYPE: return may_alter_type(ask, AUTH_DROP, "DROP", &s->as.drop.name);
    case CQL_STMT_CREATE_INDEX:
        return may_change_table(ask, AUTH_ALTER, "ALTER", &s->as.create_index.table);
    case CQL_STMT_CREATE_VIEW:
        return may_change_table(ask, AUTH_ALTER, "ALTER", &s->as.create_view.base);
    case CQL_STMT_ALTER_VIEW: return may_change_view(ask, &s->as.alter_table.table);
    case CQL_STMT_DROP_VIEW: return may_change_view(ask, &s->as.drop.name);
    case CQL_STMT_DROP_INDEX: return may_drop_index(ask, &s->as.drop.name);
    default: return CORM_OK;
    }
}

/* ---- any statement ---- */

static corm_status decide(inquiry *ask) {
    const cql_checked *checked = ask->checked;
    if (checked->select) return may_select(ask, checked->select);
    if (checked->modify) return may_modify(ask, checked->modify);
    if (checked->batch) return may_batch(ask, checked->batch);
    return may_change_schema(ask);
}

corm_status engine__authorize(engine *store, kv_txn *txn, const cql_schema *schema,
                              const engine_client *client, corm_str keyspace,
                              const cql_checked *checked, corm_error *err) {
    const auth_roles *roles;
    if (!client || !client->role.data) return CORM_OK;
    CORM_TRY(engine__roles(store, txn, schema, &roles, err));
    const auth_role *role = auth__find(roles, client->role);
    if (role && role->is_superuser) return CORM_OK;
    inquiry     ask = { .schema = schema,
                        .role = role,
                        .user = client->role,
                        .keyspace = keyspace,
                        .checked = checked,
                        .err = err };
    corm_status status = decide(&ask);
    base__arena_free(&ask.arena);
    return status;
}

corm_status engine__authorize_text(engine *store, kv_txn *txn, const cql_schema *schema,
                                   const engine_client *client, corm_str keyspace, corm_str text,
                                   corm_error *err) {
    base_arena     arena = { 0 };
    cql_statement *statement = NULL;
    corm_status    status = CORM_OK;
    if (!client->role.data) return CORM_OK;
    if (cql__parse(&arena, text, &statement, NULL, NULL) == CORM_OK &&
        statement->kind == CQL_STMT_TRUNCATE) {
        const cql_checked checked = { .kind = statement->kind, .statement = statement };
        status = engine__authorize(store, txn, schema, client, keyspace, &checked, err);
    }
    base__arena_free(&arena);
    return status;
}

corm_status engine__is_masked(engine *store, kv_txn *txn, const cql_schema *schema,
                              const engine_client *client, const cql_checked *checked, bool *out,
                              corm_error *err) {
    const cql_checked_select *select = checked->select;
    const auth_roles         *roles;
    base_arena                arena = { 0 };
    *out = false;
    if (!client || !client->role.data || !select || select->mask_count == 0) return CORM_OK;
    CORM_TRY(engine__roles(store, txn, schema, &roles, err));
    corm_str table = auth__data(&arena, select->table->keyspace, select->table->name);
    *out = !auth__may(auth__find(roles, client->role), AUTH_UNMASK, table);
    corm_status status = table.data ? CORM_OK : base__fail_memory(err);
    base__arena_free(&arena);
    return status;
}

/* ---- what a change of the schema means ---- */

static corm_status grant_to_maker(auth_change *out, const engine_client *client,
                                  const cql_schema_change *change, corm_error *err) {
    base_arena *arena = out->request->arena;
    bool        is_keyspace = change->target == CQL_CHANGED_KEYSPACE;
    corm_str    name = is_keyspace ? (corm_str){ NULL, 0 } : change->name;
    corm_str    data = auth__data(arena, change->keyspace, name);
    corm_str    functions = auth__functions(arena, change->keyspace);
    if (!data.data || !functions.data) return base__fail_memory(err);
    CORM_TRY(auth__grant(out, client->role, data, auth__applicable(data), err));
    if (!is_keyspace) return CORM_OK;
    return auth__grant(out, client->role, functions, auth__applicable(functions), err);
}

static corm_status drop_grants(auth_change *out, const auth_roles *roles,
                               const cql_schema_change *change, corm_error *err) {
    base_arena *arena = out->request->arena;
    bool        is_keyspace = change->target == CQL_CHANGED_KEYSPACE;
    corm_str    name = is_keyspace ? (corm_str){ NULL, 0 } : change->name;
    corm_str    data = auth__data(arena, change->keyspace, name);
    corm_str    functions = auth__functions(arena, change->keyspace);
    if (!data.data || !functions.data) return base__fail_memory(err);
    CORM_TRY(auth__drop_grants(out, roles, data, is_keyspace, err));
    return is_keyspace ? auth__drop_grants(out, roles, functions, true, err) : CORM_OK;
}

/* The server's words of the change; an index is an update of its table. */
corm_status engine__auth_follow(engine_request *request, const engine_client *client,
                                const cql_schema_change *change, corm_error *err) {
    const auth_roles *roles;
    auth_change       out;
    bool is_data = change->target == CQL_CHANGED_KEYSPACE || change->target == CQL_CHANGED_TABLE;
    if (!is_data) return CORM_OK;
    /* Nobody gets a view: what is allowed follows from its table. */
    bool is_made = strcmp(change->verb, "CREATED") == 0 && client && client->role.data &&
                   request->checked->kind != CQL_STMT_CREATE_VIEW;
    bool is_gone = strcmp(change->verb, "DROPPED") == 0;
    if (!is_made && !is_gone) return CORM_OK;
    CORM_TRY(engine__roles(request->store, request->txn, request->schema, &roles, err));
    if (roles->count == 0) return CORM_OK;
    CORM_TRY(auth__change_begin(request, &out, err));
    corm_status status =
        is_made ? grant_to_maker(&out, client, change, err) : drop_grants(&out, roles, change, err);
    return auth__change_end(&out, status, err);
}
