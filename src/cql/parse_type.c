// SPDX-License-Identifier: MIT
/* parse_type.c -- types, and type hints in front of a value. */
#include "base/text.h"
#include "cql/parse.h"

/* Types with parameters in angle brackets. Without the bracket the word is the name of a
 * user-defined type, but SET, which is reserved. */
static const struct shape {
    const char *name;
    cql_symbol  symbol;
    uint32_t    count; /* of types; 0: one or more */
} shapes[] = {
    { "map", CQL_K_MAP, 2 },       { "list", CQL_K_LIST, 1 },   { "set", CQL_K_SET, 1 },
    { "frozen", CQL_K_FROZEN, 1 }, { "tuple", CQL_K_TUPLE, 0 }, { "vector", CQL_K_VECTOR, 1 },
};

static const struct shape *shape_here(cql_parser *p) {
    cql_symbol symbol = cql__peek(p, 0);
    if (symbol != CQL_K_SET && cql__peek(p, 1) != CQL_T_LT) return NULL;
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        if (shapes[i].symbol == symbol) return &shapes[i];
    }
    return NULL;
}

static bool parse_dimension(cql_parser *p, uint32_t *out) {
    cql_tok tok = *cql__peek_token(p, 0);
    int64_t number;
    if (!cql__expect(p, CQL_T_COMMA)) return false;
    tok = *cql__peek_token(p, 0);
    if (!cql__expect(p, CQL_T_INTEGER)) return false;
    if (!base__parse_i64(cql__token_text(p, &tok), &number) || number < INT32_MIN ||
        number > INT32_MAX) {
        return CQL_REFUSE(p, tok.place, "a vector's dimension must be a 32-bit number");
    }
    *out = (uint32_t)(int32_t)number;
    return true;
}

static bool parse_shape(cql_parser *p, const struct shape *shape, cql_type_ast *type) {
    type->name.name.text = corm_str_of(shape->name);
    type->name.name.place = cql__place(p);
    cql__advance(p);
    if (!cql__expect(p, CQL_T_LT)) return false;
    do {
        if (!cql__push_type(p, &type->params, &type->count)) return false;
    } while ((shape->count == 0 || type->count < shape->count) && cql__accept(p, CQL_T_COMMA));
    if (type->count < shape->count) return cql__mismatch(p, CQL_T_COMMA);
    if (shape->symbol == CQL_K_VECTOR && !parse_dimension(p, &type->dimension)) return false;
    return cql__expect(p, CQL_T_GT);
}

/* Words that Cassandra keeps for itself. */
static bool is_reserved(corm_str text) {
    static const char *const reserved[] = { "byte",     "complex", "enum",     "date",
                                            "interval", "macaddr", "bitstring" };
    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++) {
        if (corm_str_equal(text, corm_str_of(reserved[i]))) return true;
    }
    return false;
}

/* Refused when it is written exactly so. In other letters it is the name that quotes would give. */
bool cql__parse_user_type_name(cql_parser *p, cql_ref *out, bool *quoted) {
    if (cql__peek(p, 1) == CQL_T_DOT) {
        if (!cql__parse_name(p, CQL_NAME_PLAIN, &out->keyspace)) return false;
        cql__advance(p);
    }
    const cql_tok *tok = cql__peek_token(p, 0);
    corm_str       text = cql__token_text(p, tok);
    *quoted = tok->symbol == CQL_T_QUOTED;
    if (tok->symbol == CQL_T_IDENT && is_reserved(text)) {
        CQL_REFUSE(p, tok->place, "Invalid (reserved) user type name %.*s", (int)text.len,
                   text.data);
    }
    if (!cql__parse_name(p, CQL_NAME_TYPE, &out->name)) return false;
    *quoted |= is_reserved(out->name.text);
    return true;
}

static bool at_native_type(cql_parser *p) {
    return (cql__word_class(cql__peek(p, 0)) & CQL_WORD_TYPE) && cql__peek(p, 1) != CQL_T_DOT;
}

static bool parse_simple_type(cql_parser *p, cql_type_ast *type) {
    if (cql__at(p, CQL_T_STRING)) {
        type->is_class = true;
        return cql__parse_name(p, CQL_NAME_STRING, &type->name.name);
    }
    if (at_native_type(p)) {
        if (!cql__parse_name(p, CQL_NAME_PLAIN, &type->name.name)) return false;
        cql__check_behind(p, CQL_BEHIND_TYPE);
        return true;
    }
    return cql__parse_user_type_name(p, &type->name, &type->is_quoted);
}

bool cql__parse_type_ast(cql_parser *p, const cql_type_ast **out) {
    if (!cql__enter(p)) return false;
    cql_type_ast *type = CQL_NEW(p, cql_type_ast);
    if (!type) return false;
    const struct shape *shape = shape_here(p);
    if (shape ? !parse_shape(p, shape, type) : !parse_simple_type(p, type)) return false;
    cql__leave(p);
    *out = type;
    return true;
}

bool cql__parse_native_type(cql_parser *p, const cql_type_ast **out) {
    if (!at_native_type(p)) return cql__no_viable(p, 0);
    return cql__parse_type_ast(p, out);
}

bool cql__push_type(cql_parser *p, const cql_type_ast ***types, uint32_t *count) {
    const cql_type_ast *type = NULL;
    if (!cql__parse_type_ast(p, &type)) return false;
    return CQL_PUSH_POINTER(p, *types, *count, type);
}

typedef struct type_list {
    const cql_type_ast ***types;
    uint32_t             *count;
} type_list;

static bool parse_listed_type(cql_parser *p, void *context) {
    const type_list *list = context;
    return cql__push_type(p, list->types, list->count);
}

bool cql__parse_argument_types(cql_parser *p, const cql_type_ast ***types, uint32_t *count) {
    type_list list = { types, count };
    return cql__parse_enclosed_or_none(p, parse_listed_type, &list);
}

/* ---- type hints ---- */

/* Whether a function call begins here. */
static bool at_call(cql_parser *p) {
    cql_symbol symbol = cql__peek(p, 0), next = cql__peek(p, 1);
    if (next == CQL_T_DOT) return cql__is_name(symbol, CQL_NAME_PLAIN);
    return next == CQL_T_LPAREN && cql__is_name(symbol, CQL_NAME_FUNCTION);
}

/* Whether what follows is the hinted value, not an alias or a clause behind a selector in brackets. */
static bool at_hinted_selector(cql_parser *p) {
    cql_symbol symbol = cql__peek(p, 0), next = cql__peek(p, 1);
    if (symbol == CQL_K_AS && cql__is_name(next, CQL_NAME_PLAIN)) return false;
    if (symbol == CQL_K_PER && next == CQL_K_PARTITION) return false;
    return cql__is_name(symbol, CQL_NAME_PLAIN);
}

/* Whether the brackets that open here hold a slice: (a)[1..2] is no hinted list. */
static bool at_slice(const cql_parser *p) {
    cql_parser ahead = *p;
    uint32_t   outside = p->open;
    ahead.diagnostics = NULL;
    cql__advance(&ahead);
    for (; ahead.open > outside && !cql__at(&ahead, CQL_T_END); cql__advance(&ahead)) {
        if (ahead.open == outside + 1 && cql__at(&ahead, CQL_T_RANGE)) return true;
    }
    return false;
}

static bool at_hinted(cql_parser *p, bool selector, bool colon_hints) {
    switch (cql__peek(p, 0)) {
    case CQL_T_LPAREN:
    case CQL_T_LBRACE:
    case CQL_K_NULL: return true;
    case CQL_T_LBRACKET: return !selector || !at_slice(p);
    case CQL_K_CAST:
        if (cql__peek(p, 1) == CQL_T_LPAREN) return true;
        break;
    default: break;
    }
    return cql__at_constant(p) || cql__at(p, CQL_T_QMARK) ||
           (cql__at(p, CQL_T_COLON) && colon_hints) || at_call(p) ||
           (selector && at_hinted_selector(p));
}

bool cql__try_hint(cql_parser *p, bool selector, const cql_type_ast **out) {
    cql_symbol first = cql__peek(p, 1);
    if (first != CQL_K_SET && !cql__is_name(first, CQL_NAME_STRING)) return false;
    const cql_type_ast *type = NULL;
    bool                colon_hints = !p->colon_ends || (!selector && first != CQL_T_STRING);
    cql_parser          trial = *p;
    trial.diagnostics = NULL;
    trial.failed = false;
    cql__advance(&trial);
    bool good = cql__parse_type_ast(&trial, &type) && cql__accept(&trial, CQL_T_RPAREN) &&
                at_hinted(&trial, selector, colon_hints) && !trial.failed;
    p->no_memory |= trial.no_memory;
    if (!good) return false;
    trial.diagnostics = p->diagnostics;
    trial.failed = p->failed;
    *p = trial;
    *out = type;
    return true;
}
