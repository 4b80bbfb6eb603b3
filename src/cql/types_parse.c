// SPDX-License-Identifier: MIT
/* types_parse.c -- reads CQL types from their CQL form. Pure; any thread.
 *
 *   type = name | keyspace.name | 'class' | frozen<type> | list<type> | set<type> | map<type, type>
 *        | tuple<type, …> | vector<type, number> */
#include "base/fail.h"
#include "base/text.h"
#include "cql/types_internal.h"

typedef struct parser {
    base_arena            *arena;
    corm_str               text;
    size_t                 at;
    const cql_type_lookup *lookup;
    corm_error            *err;
    int                    depth;
} parser;

/* The parameters read so far of one type. */
typedef struct params {
    const cql_type **items;
    uint32_t         count;
    uint32_t         capacity;
} params;

static corm_status parse_type(parser *p, const cql_type **out);

static corm_status syntax_error(parser *p, const char *wanted) {
    return base__fail(p->err, CORM_SYNTAX_ERROR,
                      "'%.*s' is not a type: %s expected at character %zu", (int)p->text.len,
                      p->text.data, wanted, p->at);
}

static bool is_blank(char c) {
    return c != '\0' && strchr(" \t\r\n", c);
}

static void skip_blank(parser *p) {
    while (p->at < p->text.len && is_blank(p->text.data[p->at])) p->at++;
}

static bool accept(parser *p, char c) {
    skip_blank(p);
    if (p->at == p->text.len || p->text.data[p->at] != c) return false;
    p->at++;
    return true;
}

static bool is_word_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* Text between quotes, in which a doubled quote is one. */
static corm_status read_quoted(parser *p, char quote, corm_str *out) {
    char *copy = base__arena_alloc(p->arena, p->text.len);
    if (!copy) return base__fail_memory(p->err);
    size_t len = 0;
    while (p->at < p->text.len) {
        char c = p->text.data[p->at++];
        if (c == quote && (p->at == p->text.len || p->text.data[p->at] != quote)) {
            *out = (corm_str){ copy, len };
            return CORM_OK;
        }
        if (c == quote) p->at++;
        copy[len++] = c;
    }
    return syntax_error(p, "a closing quote");
}

/* A name as it is stored: folded to lower case unless quoted. */
static corm_status read_name(parser *p, corm_str *out) {
    if (accept(p, '"')) return read_quoted(p, '"', out);
    skip_blank(p);
    size_t start = p->at;
    while (p->at < p->text.len && is_word_char(p->text.data[p->at])) p->at++;
    if (p->at == start) return syntax_error(p, "a name");
    corm_str word = { p->text.data + start, p->at - start };
    char    *copy = base__arena_copy(p->arena, word.data, word.len);
    if (!copy) return base__fail_memory(p->err);
    for (size_t i = 0; i < word.len; i++) {
        if (copy[i] >= 'A' && copy[i] <= 'Z') copy[i] = (char)(copy[i] + 'a' - 'A');
    }
    *out = (corm_str){ copy, word.len };
    return CORM_OK;
}

static corm_status add_param(parser *p, params *list, const cql_type *type) {
    if (list->count == list->capacity) {
        uint32_t         capacity = list->capacity ? list->capacity * 2 : 4;
        const cql_type **items = BASE_NEW_ARRAY(p->arena, const cql_type *, capacity);
        if (!items) return base__fail_memory(p->err);
        if (list->count > 0) memcpy(items, list->items, list->count * sizeof *items);
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = type;
    return CORM_OK;
}

static corm_status read_dimension(parser *p, uint32_t *out) {
    if (!accept(p, ',')) return syntax_error(p, "','");
    skip_blank(p);
    size_t start = p->at;
    while (p->at < p->text.len && p->text.data[p->at] >= '0' && p->text.data[p->at] <= '9') p->at++;
    int64_t number;
    if (!base__parse_i64((corm_str){ p->text.data + start, p->at - start }, &number)) {
        return syntax_error(p, "a number");
    }
    if (number < 1 || number > INT32_MAX) {
        return base__fail(p->err, CORM_INVALID,
                          "vectors may only have positive dimensions; given %lld",
                          (long long)number);
    }
    *out = (uint32_t)number;
    return CORM_OK;
}

/* The types between '<' and '>'; for a vector also its dimension. */
static corm_status read_params(parser *p, bool vector, params *list, uint32_t *dimension) {
    do {
        const cql_type *type;
        CORM_TRY(parse_type(p, &type));
        CORM_TRY(add_param(p, list, type));
        if (vector) CORM_TRY(read_dimension(p, dimension));
    } while (!vector && accept(p, ','));
    return accept(p, '>') ? CORM_OK : syntax_error(p, "'>'");
}

typedef enum shape { FROZEN, LIST, SET, MAP, TUPLE, VECTOR } shape;

static const struct {
    const char *name;
    uint32_t    count; /* of parameters; 0: any */
} shapes[] = {
    [FROZEN] = { "frozen", 1 }, [LIST] = { "list", 1 },   [SET] = { "set", 1 },
    [MAP] = { "map", 2 },       [TUPLE] = { "tuple", 0 }, [VECTOR] = { "vector", 1 },
};

static const cql_type *make(parser *p, shape kind, const params *list, uint32_t dimension) {
    switch (kind) {
    case FROZEN: return cql__type_freeze(p->arena, list->items[0]);
    case LIST: return cql__type_list(p->arena, list->items[0], false);
    case SET: return cql__type_set(p->arena, list->items[0], false);
    case MAP: return cql__type_map(p->arena, list->items[0], list->items[1], false);
    case TUPLE: return cql__type_tuple(p->arena, list->items, list->count);
    case VECTOR: return cql__type_vector(p->arena, list->items[0], dimension);
    }
    return NULL;
}

static corm_status parse_parametrised(parser *p, corm_str name, const cql_type **out) {
    for (size_t kind = 0; kind < sizeof shapes / sizeof *shapes; kind++) {
        if (!corm_str_equal(name, corm_str_of(shapes[kind].name))) continue;
        params   list = { 0 };
        uint32_t dimension = 0;
        CORM_TRY(read_params(p, kind == VECTOR, &list, &dimension));
        if (shapes[kind].count != 0 && list.count != shapes[kind].count) {
            return syntax_error(p, "another number of types");
        }
        *out = make(p, (shape)kind, &list, dimension);
        return *out ? CORM_OK : base__fail_memory(p->err);
    }
    return syntax_error(p, "a type that takes parameters");
}

static corm_status parse_udt(parser *p, corm_str name, const cql_type **out) {
    corm_str keyspace = { NULL, 0 };
    if (accept(p, '.')) {
        keyspace = name;
        CORM_TRY(read_name(p, &name));
    }
    *out = p->lookup ? p->lookup->find(p->lookup->context, keyspace, name) : NULL;
    if (*out) return CORM_OK;
    return base__fail(p->err, CORM_INVALID, "Unknown type %.*s%s%.*s", (int)keyspace.len,
                      keyspace.len ? keyspace.data : "", keyspace.len ? "." : "", (int)name.len,
                      name.data);
}

static corm_status parse_class(parser *p, const cql_type **out) {
    corm_str name;
    CORM_TRY(read_quoted(p, '\'', &name));
    return cql__type_parse_marshal(p->arena, name, out, p->err);
}

static corm_status parse_unnested(parser *p, const cql_type **out) {
    if (accept(p, '\'')) return parse_class(p, out);
    skip_blank(p);
    bool     quoted = p->at < p->text.len && p->text.data[p->at] == '"';
    corm_str name;
    CORM_TRY(read_name(p, &name));
    if (!quoted && accept(p, '<')) return parse_parametrised(p, name, out);
    *out = quoted ? NULL : cql__type_native_named(name);
    return *out ? CORM_OK : parse_udt(p, name, out);
}

static corm_status parse_type(parser *p, const cql_type **out) {
    if (p->depth == CQL_DEPTH_LIMIT) {
        return base__fail(p->err, CORM_INVALID, "the type is nested more than %d deep",
                          CQL_DEPTH_LIMIT);
    }
    p->depth++;
    CORM_TRY(parse_unnested(p, out));
    p->depth--;
    return CORM_OK;
}

corm_status cql__type_parse(base_arena *arena, corm_str text, const cql_type_lookup *lookup,
                            const cql_type **out, corm_error *err) {
    if (!text.data) text = corm_str_of("");
    parser p = { arena, text, 0, lookup, err, 0 };
    CORM_TRY(parse_type(&p, out));
    skip_blank(&p);
    return p.at == text.len ? CORM_OK : syntax_error(&p, "the end");
}
