// SPDX-License-Identifier: MIT
/* parse_role.c -- roles, users, identities and permissions. */
#include "base/text.h"
#include "cql/parse.h"

/* ---- names ---- */

/* Folded unless quoted or a string. */
static bool parse_role_name(cql_parser *p, cql_name *out) {
    return cql__parse_named(p, "role", CQL_NAME_STRING, out);
}

/* An identifier or a string, both with their case. */
static bool parse_raw_name(cql_parser *p, const char *refusal, cql_name *out) {
    const cql_tok *tok = cql__peek_token(p, 0);
    out->place = tok->place;
    if (tok->symbol == CQL_T_STRING) return cql__parse_name(p, CQL_NAME_STRING, out);
    if (tok->symbol == CQL_T_QUOTED) {
        CQL_REFUSE(p, tok->place, "%s", refusal);
        return cql__parse_name(p, CQL_NAME_PLAIN, out);
    }
    if (tok->symbol != CQL_T_IDENT) return cql__no_viable(p, 0);
    out->text = cql__token_text(p, tok);
    cql__advance(p);
    return true;
}

static bool parse_user_name(cql_parser *p, cql_name *out) {
    return parse_raw_name(p,
                          "Quoted strings are are not supported for user names and USER is "
                          "deprecated, please use ROLE",
                          out);
}

static bool parse_identity(cql_parser *p, cql_name *out) {
    return parse_raw_name(p, "Quoted strings are are not supported for identity", out);
}

/* ---- options of roles ---- */

/* Each option once, as far as the server looks at that. */
static bool check_once(cql_parser *p, bool seen, const char *option, cql_place place) {
    if (seen) CQL_REFUSE(p, place, "Multiple definition for property '%s'", option);
    return !p->no_memory;
}

static bool check_passwords(cql_parser *p, cql_place place, bool both) {
    if (both) {
        CQL_REFUSE(p, place, "Options 'password' and 'hashed password' are mutually exclusive");
    }
    return !p->no_memory;
}

/* [HASHED] PASSWORD ['='] 'text' */
static bool parse_password(cql_parser *p, cql_role *role, bool equals) {
    cql_place place = cql__place(p);
    bool      hashed = cql__accept(p, CQL_K_HASHED);
    if (!cql__expect(p, CQL_K_PASSWORD) || (equals && !cql__expect(p, CQL_T_EQ))) return false;
    bool again = role->password.data != NULL;
    bool both = again && hashed != role->hashed;
    role->hashed = hashed;
    return check_passwords(p, place, both) &&
           check_once(p, again && !both, hashed ? "HASHED_PASSWORD" : "PASSWORD", place) &&
           cql__parse_string(p, &role->password);
}

static bool parse_flag(cql_parser *p, uint8_t *flag, const char *option) {
    cql_place place = cql__place(p);
    cql__advance(p);
    if (!cql__expect(p, CQL_T_EQ)) return false;
    const cql_tok *tok = cql__peek_token(p, 0);
    bool           yes = (cql__token_text(p, tok).data[0] | 0x20) == 't';
    if (!cql__expect(p, CQL_T_BOOLEAN)) return false;
    bool again = *flag != 0;
    *flag = yes ? 2 : 1;
    return check_once(p, again, option, place);
}

static bool parse_role_options_map(cql_parser *p, cql_role *role) {
    cql_place place = cql__place(p);
    bool      again = role->options != NULL;
    cql__advance(p);
    return cql__expect(p, CQL_T_EQ) && cql__parse_map(p, &role->options) &&
           (p->failed || cql__check_property_map(p, role->options)) &&
           check_once(p, again, "OPTIONS", place);
}

static bool push_datacenter(cql_parser *p, void *context) {
    cql_role *role = context;
    corm_str  text;
    return cql__parse_string(p, &text) &&
           CQL_PUSH(p, role->datacenter_names, role->datacenter_count, text);
}

static bool push_cidr(cql_parser *p, void *context) {
    cql_role *role = context;
    corm_str  text;
    return cql__parse_string(p, &text) && CQL_PUSH(p, role->cidr_groups, role->cidr_count, text);
}

/* ALL word | word '{' 'text', … '}' */
static bool parse_access_list(cql_parser *p, cql_role *role, cql_symbol word, uint8_t *which,
                              cql_item_fn *item) {
    *which = cql__accept(p, CQL_K_ALL) ? 1 : 2;
    if (!cql__expect(p, word)) return false;
    return *which == 1 ||
           (cql__expect(p, CQL_T_LBRACE) && cql__parse_until(p, CQL_T_RBRACE, item, role));
}

static bool parse_access(cql_parser *p, cql_role *role) {
    cql__advance(p);
    if (cql__accept(p, CQL_K_TO)) {
        return parse_access_list(p, role, CQL_K_DATACENTERS, &role->datacenters, push_datacenter);
    }
    if (!cql__accept(p, CQL_K_FROM)) return cql__no_viable(p, 0);
    return parse_access_list(p, role, CQL_K_CIDRS, &role->cidrs, push_cidr);
}

static bool parse_role_option(cql_parser *p, void *context) {
    cql_role *role = context;
    switch (cql__peek(p, 0)) {
    case CQL_K_PASSWORD:
    case CQL_K_HASHED: return parse_password(p, role, true);
    case CQL_K_OPTIONS: return parse_role_options_map(p, role);
    case CQL_K_SUPERUSER: return parse_flag(p, &role->superuser, "SUPERUSER");
    case CQL_K_LOGIN: return parse_flag(p, &role->login, "LOGIN");
    case CQL_K_ACCESS: return parse_access(p, role);
    default: return cql__no_viable(p, 0);
    }
}

static bool parse_role_rest(cql_parser *p, cql_role *role) {
    if (!parse_role_name(p, &role->name)) return false;
    return !cql__accept(p, CQL_K_WITH) || cql__parse_items(p, CQL_K_AND, parse_role_option, role);
}

static bool parse_user_rest(cql_parser *p, cql_role *role) {
    if (!parse_user_name(p, &role->name)) return false;
    if (cql__accept(p, CQL_K_WITH) && !parse_password(p, role, false)) return false;
    if (cql__accept(p, CQL_K_SUPERUSER))
        role->superuser = 2;
    else if (cql__accept(p, CQL_K_NOSUPERUSER))
        role->superuser = 1;
    return true;
}

/* ---- CREATE, ALTER and DROP ---- */

bool cql__parse_create_role(cql_parser *p, cql_statement *s) {
    s->kind = CQL_STMT_CREATE_ROLE;
    return cql__parse_if_not_exists(p, &s->as.role.if_exists) && parse_role_rest(p, &s->as.role);
}

bool cql__parse_alter_role(cql_parser *p, cql_statement *s) {
    s->kind = CQL_STMT_ALTER_ROLE;
    return cql__parse_if_exists(p, &s->as.role.if_exists) && parse_role_rest(p, &s->as.role);
}

bool cql__parse_drop_role(cql_parser *p, cql_statement *s) {
    s->kind = CQL_STMT_DROP_ROLE;
    return cql__parse_if_exists(p, &s->as.role.if_exists) && parse_role_name(p, &s->as.role.name);
}

bool cql__parse_create_user(cql_parser *p, cql_statement *s) {
    s->kind = CQL_STMT_CREATE_USER;
    return cql__parse_if_not_exists(p, &s->as.role.if_exists) && parse_user_rest(p, &s->as.role);
}

bool cql__parse_alter_user(cql_parser *p, cql_statement *s) {
    s->kind = CQL_STMT_ALTER_USER;
    return cql__parse_if_exists(p, &s->as.role.if_exists) && parse_user_rest(p, &s->as.role);
}

bool cql__parse_drop_user(cql_parser *p, cql_statement *s) {
    s->kind = CQL_STMT_DROP_USER;
    return cql__parse_if_exists(p, &s->as.role.if_exists) && parse_user_name(p, &s->as.role.name);
}

bool cql__parse_drop_identity(cql_parser *p, cql_statement *s) {
    s->kind = CQL_STMT_DROP_IDENTITY;
    return cql__parse_if_exists(p, &s->as.role.if_exists) && parse_identity(p, &s->as.role.name);
}

/* ADD IDENTITY [IF NOT EXISTS] 'x' TO ROLE r */
bool cql__parse_add(cql_parser *p, cql_statement *s) {
    cql_role *role = &s->as.role;
    s->kind = CQL_STMT_ADD_IDENTITY;
    cql__advance(p);
    return cql__expect(p, CQL_K_IDENTITY) && cql__parse_if_not_exists(p, &role->if_exists) &&
           parse_identity(p, &role->name) && cql__expect(p, CQL_K_TO) &&
           cql__expect(p, CQL_K_ROLE) && parse_identity(p, &role->other);
}

/* ---- permissions ---- */

enum { /* which permissions a resource knows */
       P_CREATE = 1,
       P_ALTER = 2,
       P_DROP = 4,
       P_SELECT = 8,
       P_MODIFY = 16,
       P_AUTHORIZE = 32,
       P_DESCRIBE = 64,
       P_EXECUTE = 128,
       P_UNMASK = 256,
       P_SELECT_MASKED = 512
};

static const struct permission {
    cql_symbol  word;
    unsigned    bit;
    const char *name;
} permissions[] = {
    { CQL_K_CREATE, P_CREATE, "create" },
    { CQL_K_ALTER, P_ALTER, "alter" },
    { CQL_K_DROP, P_DROP, "drop" },
    { CQL_K_SELECT, P_SELECT, "select" },
    { CQL_K_MODIFY, P_MODIFY, "modify" },
    { CQL_K_AUTHORIZE, P_AUTHORIZE, "authorize" },
    { CQL_K_DESCRIBE, P_DESCRIBE, "describe" },
    { CQL_K_EXECUTE, P_EXECUTE, "execute" },
    { CQL_K_UNMASK, P_UNMASK, "unmask" },
    { CQL_K_SELECT_MASKED, P_SELECT_MASKED, "select_masked" },
};

static const struct permission *permission_of(cql_symbol word) {
    for (size_t i = 0; i < sizeof permissions / sizeof permissions[0]; i++) {
        if (permissions[i].word == word) return &permissions[i];
    }
    return NULL;
}

enum {
    ON_TABLE = P_ALTER | P_DROP | P_SELECT | P_MODIFY | P_AUTHORIZE | P_UNMASK | P_SELECT_MASKED,
    ON_DATA = ON_TABLE | P_CREATE,
    ON_ROLES = P_CREATE | P_ALTER | P_DROP | P_AUTHORIZE | P_DESCRIBE,
    ON_ROLE = P_ALTER | P_DROP | P_AUTHORIZE | P_DESCRIBE,
    ON_FUNCTIONS = P_CREATE | P_ALTER | P_DROP | P_AUTHORIZE | P_EXECUTE,
    ON_FUNCTION = P_ALTER | P_DROP | P_AUTHORIZE | P_EXECUTE,
    ON_MBEANS = P_AUTHORIZE | P_DESCRIBE | P_EXECUTE | P_MODIFY | P_SELECT
};

/* By cql_resource_kind. */
static const struct resource {
    unsigned    permissions;
    const char *class_name;
} resources[] = {
    [CQL_RESOURCE_ALL_KEYSPACES] = { ON_DATA, "DataResource" },
    [CQL_RESOURCE_KEYSPACE] = { ON_DATA, "DataResource" },
    [CQL_RESOURCE_TABLE] = { ON_TABLE, "DataResource" },
    [CQL_RESOURCE_ALL_TABLES] = { ON_DATA, "DataResource" },
    [CQL_RESOURCE_ALL_ROLES] = { ON_ROLES, "RoleResource" },
    [CQL_RESOURCE_ROLE] = { ON_ROLE, "RoleResource" },
    [CQL_RESOURCE_ALL_FUNCTIONS] = { ON_FUNCTIONS, "FunctionResource" },
    [CQL_RESOURCE_KEYSPACE_FUNCTIONS] = { ON_FUNCTIONS, "FunctionResource" },
    [CQL_RESOURCE_FUNCTION] = { ON_FUNCTION, "FunctionResource" },
    [CQL_RESOURCE_ALL_MBEANS] = { ON_MBEANS, "JMXResource" },
    [CQL_RESOURCE_MBEAN] = { ON_MBEANS, "JMXResource" },
    [CQL_RESOURCE_MBEANS] = { ON_MBEANS, "JMXResource" },
};

typedef struct granted { /* permissions while they are read */
    cql_permission *permission;
    unsigned        bits;
} granted;

static bool push_permission(cql_parser *p, void *context) {
    granted                 *all = context;
    const struct permission *one = permission_of(cql__peek(p, 0));
    if (!one) return cql__no_viable(p, 0);
    cql_name name = { corm_str_of(one->name), cql__place(p) };
    cql__advance(p);
    cql__accept(p, CQL_K_PERMISSION);
    all->bits |= one->bit;
    return cql__push_name(p, &all->permission->permissions, &all->permission->count, name);
}

static bool parse_permissions(cql_parser *p, granted *out) {
    if (cql__accept(p, CQL_K_ALL)) {
        cql__accept(p, CQL_K_PERMISSIONS);
        out->permission->all = true;
        out->bits = ~0u;
        return true;
    }
    return cql__parse_items(p, CQL_T_COMMA, push_permission, out);
}

/* ---- resources ---- */

static bool parse_all_resource(cql_parser *p, cql_permission *out) {
    static const struct {
        cql_symbol        word;
        cql_resource_kind kind;
        bool              may_be_in, must_be_in; /* IN KEYSPACE ks */
        cql_resource_kind kind_in;
    } words[] = {
        { CQL_K_KEYSPACES, CQL_RESOURCE_ALL_KEYSPACES, false, false, CQL_RESOURCE_ALL_KEYSPACES },
        { CQL_K_TABLES, CQL_RESOURCE_ALL_TABLES, true, true, CQL_RESOURCE_ALL_TABLES },
        { CQL_K_ROLES, CQL_RESOURCE_ALL_ROLES, false, false, CQL_RESOURCE_ALL_ROLES },
        { CQL_K_FUNCTIONS, CQL_RESOURCE_ALL_FUNCTIONS, true, false,
          CQL_RESOURCE_KEYSPACE_FUNCTIONS },
        { CQL_K_MBEANS, CQL_RESOURCE_ALL_MBEANS, false, false, CQL_RESOURCE_ALL_MBEANS },
    };
    cql__advance(p);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (!cql__accept(p, words[i].word)) continue;
        out->resource = words[i].kind;
        bool in = words[i].may_be_in && cql__at(p, CQL_K_IN);
        if (!in && !words[i].must_be_in) return true;
        out->resource = words[i].kind_in;
        return cql__expect(p, CQL_K_IN) && cql__expect(p, CQL_K_KEYSPACE) &&
               cql__parse_keyspace(p, &out->object.keyspace);
    }
    return cql__no_viable(p, 0);
}

/* The server's reading of JMX object names, as far as it is about their form. */
static bool check_mbean(cql_parser *p, const cql_permission *out, cql_place place) {
    corm_str name = out->mbean;
    bool     pattern =
        name.len && (memchr(name.data, '*', name.len) || memchr(name.data, '?', name.len));
    if (name.len == 0) CQL_REFUSE(p, place, "Empty JMX object name supplied");
    if (corm_str_equal(name, corm_str_of("*:*"))) {
        CQL_REFUSE(p, place, "Please use ALL MBEANS instead of wildcard pattern");
    } else if (name.len && !memchr(name.data, ':', name.len)) {
        CQL_REFUSE(p, place, "%.*s is not a valid JMX object name", (int)name.len, name.data);
    } else if (name.len && out->resource == CQL_RESOURCE_MBEANS && !pattern) {
        CQL_REFUSE(p, place, "Plural form used, but non-pattern JMX object name specified (%.*s)",
                   (int)name.len, name.data);
    }
    return !p->no_memory;
}

static bool parse_mbean(cql_parser *p, cql_permission *out, cql_resource_kind kind) {
    out->resource = kind;
    cql__advance(p);
    cql_place place = cql__place(p);
    return cql__parse_string(p, &out->mbean) && check_mbean(p, out, place);
}

static bool is_all_resource(cql_symbol symbol) {
    return symbol == CQL_K_KEYSPACES || symbol == CQL_K_TABLES || symbol == CQL_K_ROLES ||
           symbol == CQL_K_FUNCTIONS || symbol == CQL_K_MBEANS;
}

static bool parse_table_resource(cql_parser *p, cql_permission *out) {
    out->resource = CQL_RESOURCE_TABLE;
    cql__accept(p, CQL_K_COLUMNFAMILY);
    return cql__parse_ref(p, "table", &out->object);
}

/* Most words here may be the name of a table as well: what follows decides. */
static bool parse_resource_inside(cql_parser *p, cql_permission *out) {
    cql_symbol next = cql__peek(p, 1);
    bool       named = cql__is_name(next, CQL_NAME_STRING) || next == CQL_T_QMARK;
    switch (cql__peek(p, 0)) {
    case CQL_K_ALL:
        if (is_all_resource(next)) return parse_all_resource(p, out);
        break;
    case CQL_K_KEYSPACE:
        out->resource = CQL_RESOURCE_KEYSPACE;
        cql__advance(p);
        return cql__parse_keyspace(p, &out->object.keyspace);
    case CQL_K_ROLE:
        if (!named) break;
        out->resource = CQL_RESOURCE_ROLE;
        cql__advance(p);
        return parse_role_name(p, &out->object.name);
    case CQL_K_FUNCTION:
        if (!named && next != CQL_K_TOKEN) break;
        out->resource = CQL_RESOURCE_FUNCTION;
        cql__advance(p);
        return cql__parse_function_name(p, &out->object) &&
               (cql__at(p, CQL_T_LPAREN) || cql__no_viable(p, 0)) &&
               cql__parse_argument_types(p, &out->argument_types, &out->argument_count);
    case CQL_K_MBEAN:
        if (next == CQL_T_STRING) return parse_mbean(p, out, CQL_RESOURCE_MBEAN);
        break;
    case CQL_K_MBEANS:
        if (next == CQL_T_STRING) return parse_mbean(p, out, CQL_RESOURCE_MBEANS);
        break;
    default: break;
    }
    return parse_table_resource(p, out);
}

static bool parse_resource(cql_parser *p, cql_permission *out) {
    out->has_resource = true;
    return parse_resource_inside(p, out);
}

/* ---- GRANT, REVOKE and LIST ---- */

/* Whether permissions stand here, not a role of such a name. */
static bool at_permissions(cql_parser *p) {
    cql_symbol symbol = cql__peek(p, 0), next = cql__peek(p, 1);
    if (symbol == CQL_K_ALL) return next == CQL_K_ON || next == CQL_K_PERMISSIONS;
    if (!permission_of(symbol)) return false;
    bool may_be_role = symbol == CQL_K_UNMASK || symbol == CQL_K_SELECT_MASKED;
    return !may_be_role || next == CQL_K_ON || next == CQL_K_PERMISSION || next == CQL_T_COMMA;
}

static bool grant_permission(cql_parser *p, cql_statement *s, cql_symbol preposition) {
    cql_permission *permission = &s->as.permission;
    granted         all = { permission, 0 };
    s->kind = preposition == CQL_K_TO ? CQL_STMT_GRANT_PERMISSION : CQL_STMT_REVOKE_PERMISSION;
    if (!parse_permissions(p, &all) || !cql__expect(p, CQL_K_ON) ||
        !parse_resource(p, permission) || !cql__expect(p, preposition) ||
        !parse_role_name(p, &permission->role)) {
        return false;
    }
    const struct resource *resource = &resources[permission->resource];
    if (resource->permissions & all.bits) return true;
    CQL_REFUSE(p, s->place, "Resource type %s does not support any of the requested permissions",
               resource->class_name);
    return !p->no_memory;
}

static bool grant_role(cql_parser *p, cql_statement *s, cql_symbol preposition) {
    s->kind = preposition == CQL_K_TO ? CQL_STMT_GRANT_ROLE : CQL_STMT_REVOKE_ROLE;
    return parse_role_name(p, &s->as.role.name) && cql__expect(p, preposition) &&
           parse_role_name(p, &s->as.role.other);
}

static bool grant_or_revoke(cql_parser *p, cql_statement *s, cql_symbol preposition) {
    cql__advance(p);
    return at_permissions(p) ? grant_permission(p, s, preposition) : grant_role(p, s, preposition);
}

bool cql__parse_grant(cql_parser *p, cql_statement *s) {
    return grant_or_revoke(p, s, CQL_K_TO);
}

bool cql__parse_revoke(cql_parser *p, cql_statement *s) {
    return grant_or_revoke(p, s, CQL_K_FROM);
}

/* [OF role] [NORECURSIVE] */
static bool parse_of(cql_parser *p, cql_name *role, bool *no_recursive) {
    if (cql__accept(p, CQL_K_OF) && !parse_role_name(p, role)) return false;
    *no_recursive = cql__accept(p, CQL_K_NORECURSIVE);
    return true;
}

static bool at_superusers(cql_parser *p) {
    const cql_tok *tok = cql__peek_token(p, 0);
    return tok->symbol == CQL_T_IDENT &&
           base__str_equal_nocase(cql__token_text(p, tok), corm_str_of("superusers"));
}

bool cql__parse_list(cql_parser *p, cql_statement *s) {
    cql__advance(p);
    if (cql__accept(p, CQL_K_USERS)) {
        s->kind = CQL_STMT_LIST_USERS;
        return true;
    }
    if (cql__accept(p, CQL_K_ROLES)) {
        s->kind = CQL_STMT_LIST_ROLES;
        return parse_of(p, &s->as.role.name, &s->as.role.no_recursive);
    }
    if (at_superusers(p)) {
        s->kind = CQL_STMT_LIST_SUPERUSERS;
        cql__advance(p);
        return true;
    }
    cql_permission *permission = &s->as.permission;
    granted         all = { permission, 0 };
    s->kind = CQL_STMT_LIST_PERMISSIONS;
    if (!cql__at(p, CQL_K_ALL) && !permission_of(cql__peek(p, 0))) return cql__no_viable(p, 0);
    if (!parse_permissions(p, &all)) return false;
    if (cql__accept(p, CQL_K_ON) && !parse_resource(p, permission)) return false;
    return parse_of(p, &permission->role, &permission->no_recursive);
}
