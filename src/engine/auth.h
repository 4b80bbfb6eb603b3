// SPDX-License-Identifier: MIT
/* auth.h -- inside the engine: roles, what they may do, and who a request is from.
 *
 *   system_auth.roles, role_permissions ── engine__roles ─► auth_roles, kept with the schema snapshot
 *                                                             │
 *   engine__authorize (each statement of a role) ─────────────┤
 *   role statements, LIST … ──────────────────────────────────┘ ─► auth_change ─► rows of system_auth
 *
 * Every change of system_auth gives the schema a new serial, in the same transaction: so a snapshot and the roles that were read
 * with it stay true to one another, also when another process writes.
 *
 * A resource is its name in the stored form: "data", "data/ks", "data/ks/" followed by a star, "data/ks/t"; "roles",
 * "roles/r"; "functions", "functions/ks"; "mbean", "mbean/x". */
#ifndef ENGINE_AUTH_H
#define ENGINE_AUTH_H

#include "base/map.h"
#include "engine/store.h"

/* ---- permissions and resources: auth_names.c ---- */

/* In the order in which the server shows them. */
typedef enum auth_permission {
    AUTH_CREATE = 1,
    AUTH_ALTER = 2,
    AUTH_DROP = 4,
    AUTH_SELECT = 8,
    AUTH_MODIFY = 16,
    AUTH_AUTHORIZE = 32,
    AUTH_DESCRIBE = 64,
    AUTH_EXECUTE = 128,
    AUTH_UNMASK = 256,
    AUTH_SELECT_MASKED = 512
} auth_permission;
enum { AUTH_PERMISSIONS = 10, AUTH_ALL = (1 << AUTH_PERMISSIONS) - 1 };

const char *auth__permission_name(unsigned index); /* of the bit 1 << index: "CREATE" */
unsigned    auth__permission_bit(corm_str name);   /* in any case; 0: none */

corm_str auth__data(base_arena *arena, corm_str keyspace,
                    corm_str table); /* data NULL: no memory */
corm_str auth__all_tables(base_arena *arena, corm_str keyspace);
corm_str auth__role_resource(base_arena *arena, corm_str role);
corm_str auth__functions(base_arena *arena, corm_str keyspace);

/* The resource that stands above; empty: none. It is a beginning of the name, or written into the room. */
enum { AUTH_ROOM = 64 };
corm_str auth__parent(char room[AUTH_ROOM], corm_str resource);
/* Whether it belongs to a keyspace of the system: what is granted on all keyspaces is not meant for those. */
bool auth__is_of_system(corm_str resource);
/* "<table ks.t>" */
void     auth__show(corm_str resource, base_buf *out);
unsigned auth__applicable(corm_str resource); /* the permissions that it knows */

/* ---- roles: auth_roles.c ---- */

typedef struct auth_grant {
    corm_str resource;
    unsigned permissions;
} auth_grant;

typedef struct auth_role auth_role;
struct auth_role {
    corm_str          name, salted_hash; /* data NULL: none */
    bool              can_login, says_superuser;
    bool              is_superuser; /* it, or a role that it is a member of */
    uint32_t          member_count;
    corm_str         *member_of;
    uint32_t          all_count;
    const auth_role **all; /* it, and what it is a member of at any distance */
    uint32_t          grant_count;
    auth_grant       *grants;  /* its own, by resource */
    base_map          allowed; /* resource -> permissions of all its roles there, as a number */
    bool              seen;    /* while they are read */
    bool              is_elsewhere; /* its datacenters are others */
    uint32_t          group_count;  /* of addresses that it may come from; 0: from anywhere */
    corm_str         *groups;
};

/* Addresses of a group. */
typedef struct auth_range auth_range;
struct auth_range {
    auth_range *next;
    corm_str    group;
    corm_inet   address;
    unsigned    prefix; /* bits */
};

typedef struct auth_roles {
    cql_attached attached; /* first */
    base_arena   arena;
    uint32_t     count;
    auth_role   *roles; /* by name */
    auth_range  *ranges;
} auth_roles;

/* Those of the snapshot; live as long as its schema. */
CORM_CHECKED corm_status engine__roles(engine *store, kv_txn *txn, const cql_schema *schema,
                                       const auth_roles **out, corm_error *err);

const auth_role *auth__find(const auth_roles *roles, corm_str name); /* NULL: none */
/* Whether it has the permission on the resource or on one above. `role` NULL: no role, which may nothing. */
bool auth__may(const auth_role *role, unsigned permission, corm_str resource);
bool auth__is_member(const auth_role *role, corm_str of); /* or that role itself */

/* ---- from where: auth_access.c ---- */

CORM_CHECKED corm_status auth__read_access(engine *store, kv_txn *txn, const cql_schema *schema,
                                           auth_roles *roles, corm_error *err);

/* Whether the client's role may use this datacenter, and from its address: CORM_UNAUTHORIZED with the server's words. Asked for each
 * statement, before what the statement itself needs. */
CORM_CHECKED corm_status engine__admit(engine *store, kv_txn *txn, const cql_schema *schema,
                                       const engine_client *client, corm_error *err);

/* ---- rows of system_auth: auth_rows.c ---- */

typedef corm_status (*auth_each)(void *context, uint32_t row_count, const cql_value *values,
                                 corm_error *err);
/* Runs a SELECT of the engine's own; each row's values live as long as the call. */
CORM_CHECKED corm_status auth__select(engine *store, kv_txn *txn, const cql_schema *schema,
                                      const char *text, auth_each each, void *context,
                                      corm_error *err);

/* Writes of one statement: gathered, then put together. */
typedef struct auth_held auth_held;
typedef struct auth_change {
    engine_request *request;
    engine_write   *write;
    auth_held      *held;  /* checked statements whose constants the images may borrow */
    uint32_t        count; /* writes so far */
} auth_change;

CORM_CHECKED corm_status auth__change_begin(engine_request *request, auth_change *out,
                                            corm_error *err);
/* INSERT, UPDATE or DELETE with these values. */
CORM_CHECKED corm_status auth__put(auth_change *change, const char *text, const cql_value *values,
                                   uint32_t count, corm_error *err);
/* Puts them all when `status` is CORM_OK; gives `status` else. */
CORM_CHECKED corm_status auth__change_end(auth_change *change, corm_status status, corm_error *err);

static inline cql_value auth__text(corm_str text) {
    return (cql_value){ (const uint8_t *)text.data, text.data ? (int32_t)text.len : -1 };
}
/* The wire form of a set of texts, in the arena; data NULL: no memory. */
cql_value auth__text_set(base_arena *arena, const corm_str *texts, uint32_t count);

/* Adds or takes permissions; what is stored is brought up to date in both tables. */
CORM_CHECKED corm_status auth__grant(auth_change *change, corm_str role, corm_str resource,
                                     unsigned permissions, corm_error *err);
CORM_CHECKED corm_status auth__revoke(auth_change *change, corm_str role, corm_str resource,
                                      unsigned permissions, unsigned left, corm_error *err);

/* ---- enforcement: auth.c ---- */

/* Whether the client may execute the statement: CORM_UNAUTHORIZED with the server's words. Costs nothing for a client without
 * a role. Statements about roles look for themselves. */
CORM_CHECKED corm_status engine__authorize(engine *store, kv_txn *txn, const cql_schema *schema,
                                           const engine_client *client, corm_str keyspace,
                                           const cql_checked *checked, corm_error *err);

/* For a text that could not be checked: a permission that is missing is said first, where the statement is none that is looked at
 * before that. CORM_OK: what was found stands. */
CORM_CHECKED corm_status engine__authorize_text(engine *store, kv_txn *txn,
                                                const cql_schema    *schema,
                                                const engine_client *client, corm_str keyspace,
                                                corm_str text, corm_error *err);

/* Whether masked columns of the SELECT's table are to be hidden from the client. */
CORM_CHECKED corm_status engine__is_masked(engine *store, kv_txn *txn, const cql_schema *schema,
                                           const engine_client *client, const cql_checked *checked,
                                           bool *out, corm_error *err);

/* "User u has no SELECT permission on <table ks.t> or any of its parents" when it is so. */
CORM_CHECKED corm_status auth__ensure(const auth_role *role, corm_str user, unsigned permission,
                                      corm_str resource, corm_error *err);

/* ---- statements: role_*.c ---- */

/* The hash of the statement's password, made before it queues (it takes long): in the arena; data NULL: it has none. */
CORM_CHECKED corm_status engine__role_hash(engine *store, const cql_statement *statement,
                                           base_arena *arena, corm_str *out, corm_error *err);

/* Executes one that writes, in a transaction of its own. *next: the schema with a new serial, or NULL when nothing changed. */
CORM_CHECKED corm_status engine__role_statement(engine_request      *request,
                                                const engine_client *client, corm_str hash,
                                                cql_schema **next, corm_error *err);
CORM_CHECKED corm_status engine__role_list(engine_request *request, corm_error *err);
/* Stores the schema with a new serial: rows of system_auth were changed. One reference. */
CORM_CHECKED corm_status engine__auth_changed(engine_request *request, cql_schema **next,
                                              corm_error *err);

/* A statement under way, as its files share it. */
typedef struct role_run {
    engine_request      *request;
    const cql_statement *statement;
    const auth_roles    *roles;
    const auth_role     *self; /* who asks; NULL: the program, or a role that was dropped */
    corm_str             user; /* its name; data NULL: the program, which may all */
    corm_str             hash;
    auth_change          change;
    corm_error          *err;
} role_run;

bool        role__is_super(const role_run *run);
corm_status role__not_found(role_run *run, corm_str name); /* "x doesn't exist" */
/* CORM_UNAUTHORIZED "User u does not have sufficient privileges to perform the requested operation" */
corm_status role__check(role_run *run, unsigned permission, corm_str resource);
corm_status role__check_on_role(role_run *run, unsigned permission, corm_str role);
/* A write that is about one name. */
corm_status role__put_name(role_run *run, const char *text, corm_str name);
corm_status role__drop(role_run *run);
corm_status role__grant(role_run *run);
corm_status role__revoke(role_run *run);
corm_status role__add_identity(role_run *run);
corm_status role__drop_identity(role_run *run);
corm_status role__grant_permission(role_run *run);
corm_status role__revoke_permission(role_run *run);
/* The resource that a GRANT, REVOKE or LIST names, in the request's arena; `exists` says whether it does. */
corm_status role__resource(engine_request *request, const cql_permission *permission, corm_str *out,
                           bool *exists, corm_error *err);
unsigned    role__permissions(const cql_permission *permission, corm_str resource);

/* Drops all grants on the resource, and with `below` on those whose names begin with it and a slash. */
CORM_CHECKED corm_status auth__drop_grants(auth_change *change, const auth_roles *roles,
                                           corm_str resource, bool below, corm_error *err);

/* What a change of the schema means: grants to who made something, none on what is gone. */
CORM_CHECKED corm_status engine__auth_follow(engine_request *request, const engine_client *client,
                                             const cql_schema_change *change, corm_error *err);

/* ---- passwords: password.c ---- */

enum { PASSWORD_HASH_BYTES = 61, PASSWORD_USUAL_COST = 10 };

/* Slow on purpose. CORM_INVALID for a password that bcrypt cannot tell from another (a zero byte in it). */
CORM_CHECKED corm_status password__hash(corm_str password, int cost, char out[PASSWORD_HASH_BYTES],
                                        corm_error *err);
/* Whether the hash is of a form that a password can be held against. */
bool                     password__is_hash(corm_str hash);
CORM_CHECKED corm_status password__verify(corm_str password, corm_str hash, bool *fits,
                                          corm_error *err);

#endif
