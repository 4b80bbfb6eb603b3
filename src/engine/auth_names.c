// SPDX-License-Identifier: MIT
/* auth_names.c -- permissions and resources by name, as system_auth has them. Pure; any thread. */
#include "base/text.h"
#include "cql/schema_build.h"
#include "engine/auth.h"

static const char *const names[AUTH_PERMISSIONS] = {
    "CREATE",    "ALTER",    "DROP",    "SELECT", "MODIFY",
    "AUTHORIZE", "DESCRIBE", "EXECUTE", "UNMASK", "SELECT_MASKED",
};

const char *auth__permission_name(unsigned index) {
    return names[index];
}

unsigned auth__permission_bit(corm_str name) {
    for (unsigned i = 0; i < AUTH_PERMISSIONS; i++) {
        if (base__str_equal_nocase(name, corm_str_of(names[i]))) return 1u << i;
    }
    return 0;
}

/* ---- making ---- */

#define S(text) (int)(text).len, (text).data

corm_str auth__data(base_arena *arena, corm_str keyspace, corm_str table) {
    if (keyspace.len == 0) return corm_str_of("data");
    if (table.len == 0) return base__arena_printf(arena, "data/%.*s", S(keyspace));
    return base__arena_printf(arena, "data/%.*s/%.*s", S(keyspace), S(table));
}

corm_str auth__all_tables(base_arena *arena, corm_str keyspace) {
    return base__arena_printf(arena, "data/%.*s/*", S(keyspace));
}

corm_str auth__role_resource(base_arena *arena, corm_str role) {
    return base__arena_printf(arena, "roles/%.*s", S(role));
}

corm_str auth__functions(base_arena *arena, corm_str keyspace) {
    if (keyspace.len == 0) return corm_str_of("functions");
    return base__arena_printf(arena, "functions/%.*s", S(keyspace));
}

/* ---- taking apart ---- */

typedef struct parts {
    corm_str root, first, rest; /* "data", "ks", "t"; roles and mbeans have no rest */
} parts;

static corm_str until_slash(corm_str *text) {
    const char *slash = text->len ? memchr(text->data, '/', text->len) : NULL;
    size_t      len = slash ? (size_t)(slash - text->data) : text->len;
    corm_str    part = { text->data, len };
    if (slash) len++;
    text->data += len;
    text->len -= len;
    return part;
}

static bool is(corm_str text, const char *word) {
    return corm_str_equal(text, corm_str_of(word));
}

static parts split(corm_str resource) {
    parts out = { .root = until_slash(&resource) };
    bool  has_two = is(out.root, "data") || is(out.root, "functions");
    out.first = has_two ? until_slash(&resource) : resource;
    if (has_two) out.rest = resource;
    return out;
}

/* Names of keyspaces have at most 48 bytes: what does not fit is none, and nothing is granted on it. */
corm_str auth__parent(char room[AUTH_ROOM], corm_str resource) {
    parts    p = split(resource);
    corm_str keyspace = { resource.data, p.root.len + 1 + p.first.len };
    if (p.first.len == 0) return (corm_str){ "", 0 };
    if (p.rest.len == 0) return p.root;
    if (is(p.root, "functions") || is(p.rest, "*") || keyspace.len + 2 > AUTH_ROOM) return keyspace;
    memcpy(room, keyspace.data, keyspace.len);
    room[keyspace.len] = '/';
    room[keyspace.len + 1] = '*';
    return (corm_str){ room, keyspace.len + 2 };
}

bool auth__is_of_system(corm_str resource) {
    if (!base__str_has_prefix(resource, corm_str_of("data/system"))) return false;
    corm_str keyspace = split(resource).first;
    return cql__is_local_system(keyspace) || cql__is_replicated_system(keyspace);
}

static void show_data(const parts *p, base_buf *out) {
    if (p->first.len == 0)
        base__buf_puts(out, "<all keyspaces>");
    else if (p->rest.len == 0)
        base__buf_printf(out, "<keyspace %.*s>", S(p->first));
    else if (is(p->rest, "*"))
        base__buf_printf(out, "<all tables in %.*s>", S(p->first));
    else
        base__buf_printf(out, "<table %.*s.%.*s>", S(p->first), S(p->rest));
}

static void show_functions(const parts *p, base_buf *out) {
    if (p->first.len == 0)
        base__buf_puts(out, "<all functions>");
    else if (p->rest.len == 0)
        base__buf_printf(out, "<all functions in %.*s>", S(p->first));
    else
        base__buf_printf(out, "<function %.*s.%.*s>", S(p->first), S(p->rest));
}

void auth__show(corm_str resource, base_buf *out) {
    parts       p = split(resource);
    const char *what = is(p.root, "roles") ? "role" : "mbean";
    if (is(p.root, "data"))
        show_data(&p, out);
    else if (is(p.root, "functions"))
        show_functions(&p, out);
    else if (p.first.len == 0)
        base__buf_printf(out, "<all %ss>", what);
    else
        base__buf_printf(out, "<%s %.*s>", what, S(p.first));
}

enum {
    ON_TABLE = AUTH_ALTER | AUTH_DROP | AUTH_SELECT | AUTH_MODIFY | AUTH_AUTHORIZE | AUTH_UNMASK |
               AUTH_SELECT_MASKED,
    ON_ROLE = AUTH_ALTER | AUTH_DROP | AUTH_AUTHORIZE | AUTH_DESCRIBE,
    ON_FUNCTION = AUTH_ALTER | AUTH_DROP | AUTH_AUTHORIZE | AUTH_EXECUTE,
    ON_MBEAN = AUTH_SELECT | AUTH_MODIFY | AUTH_AUTHORIZE | AUTH_DESCRIBE | AUTH_EXECUTE,
};

unsigned auth__applicable(corm_str resource) {
    parts p = split(resource);
    bool  is_leaf = p.rest.len > 0 && !is(p.rest, "*");
    if (is(p.root, "data")) return is_leaf ? ON_TABLE : ON_TABLE | AUTH_CREATE;
    if (is(p.root, "functions")) return is_leaf ? ON_FUNCTION : ON_FUNCTION | AUTH_CREATE;
    if (is(p.root, "roles")) return p.first.len ? ON_ROLE : ON_ROLE | AUTH_CREATE;
    return ON_MBEAN;
}
