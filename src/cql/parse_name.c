// SPDX-License-Identifier: MIT
/* parse_name.c -- names and strings: folding, quotes, and which keywords may be names. */
#include "cql/parse.h"

static unsigned words_for(unsigned kind) {
    if (kind & CQL_NAME_FUNCTION) return CQL_WORD_BASIC | CQL_WORD_TYPE;
    if (kind & CQL_NAME_TYPE) return CQL_WORD_BASIC;
    return CQL_WORD_NAME;
}

bool cql__is_name(cql_symbol symbol, unsigned kind) {
    if (symbol == CQL_T_IDENT || symbol == CQL_T_QUOTED) return true;
    if (symbol == CQL_T_EMPTY_QUOTED) return (kind & CQL_NAME_EMPTY) != 0;
    if (symbol == CQL_T_STRING) return (kind & CQL_NAME_STRING) != 0;
    if (symbol < CQL_FIRST_KEYWORD) return false;
    if (cql__word_class(symbol) & words_for(kind)) return true;
    if (kind & CQL_NAME_FUNCTION) return symbol == CQL_K_TOKEN || symbol == CQL_K_COUNT;
    return (kind & CQL_NAME_TYPE) && symbol == CQL_K_KEY;
}

/* The text in lower case; the arena's copy itself when it is. */
static corm_str fold(cql_parser *p, const cql_tok *tok) {
    corm_str text = cql__token_text(p, tok);
    if (!tok->upper) return text;
    char *lower = base__arena_alloc(p->arena, text.len);
    if (!lower) {
        cql__out_of_memory(p);
        return (corm_str){ 0 };
    }
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        lower[i] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
    }
    return (corm_str){ lower, text.len };
}

/* What stands between the quotes, doubled ones taken once. */
static corm_str unquote(cql_parser *p, const cql_tok *tok) {
    corm_str text = cql__token_text(p, tok);
    size_t   quote = text.data[0] == '$' ? 2 : 1;
    corm_str inner = { text.data + quote, text.len - 2 * quote };
    if (!tok->escaped) return inner;
    char *out = base__arena_alloc(p->arena, inner.len);
    if (!out) {
        cql__out_of_memory(p);
        return (corm_str){ 0 };
    }
    size_t len = 0;
    for (size_t i = 0; i < inner.len; i++) {
        out[len++] = inner.data[i];
        if (inner.data[i] == text.data[0]) i++;
    }
    return (corm_str){ out, len };
}

bool cql__parse_name(cql_parser *p, unsigned kind, cql_name *out) {
    cql_tok tok = *cql__peek_token(p, 0);
    if (!cql__is_name((cql_symbol)tok.symbol, kind)) return cql__no_viable(p, 0);
    bool quoted = tok.symbol == CQL_T_QUOTED || tok.symbol == CQL_T_EMPTY_QUOTED ||
                  tok.symbol == CQL_T_STRING;
    out->text = quoted ? unquote(p, &tok) : fold(p, &tok);
    out->place = tok.place;
    cql__advance(p);
    return out->text.data != NULL;
}

bool cql__parse_column(cql_parser *p, cql_name *out) {
    return cql__parse_name(p, CQL_NAME_EMPTY, out);
}

bool cql__parse_named(cql_parser *p, const char *what, unsigned kind, cql_name *out) {
    if (!cql__at(p, CQL_T_QMARK)) return cql__parse_name(p, kind, out);
    CQL_REFUSE(p, cql__place(p), "Bind variables cannot be used for %s names", what);
    cql__advance(p);
    return !p->no_memory;
}

bool cql__parse_keyspace(cql_parser *p, cql_name *out) {
    return cql__parse_named(p, "keyspace", CQL_NAME_PLAIN, out);
}

bool cql__parse_ref(cql_parser *p, const char *what, cql_ref *out) {
    bool qualified = cql__peek(p, 1) == CQL_T_DOT;
    if (qualified) {
        if (!cql__parse_keyspace(p, &out->keyspace)) return false;
        cql__advance(p);
    }
    if (!cql__parse_named(p, what, CQL_NAME_PLAIN, &out->name)) return false;
    if (!qualified) cql__check_behind(p, CQL_BEHIND_TABLE);
    return true;
}

bool cql__parse_function_name(cql_parser *p, cql_ref *out) {
    if (cql__peek(p, 1) == CQL_T_DOT) {
        if (!cql__parse_keyspace(p, &out->keyspace)) return false;
        cql__advance(p);
    }
    return cql__parse_name(p, CQL_NAME_FUNCTION, &out->name);
}

bool cql__parse_string(cql_parser *p, corm_str *out) {
    cql_tok tok = *cql__peek_token(p, 0);
    if (!cql__expect(p, CQL_T_STRING)) return false;
    *out = unquote(p, &tok);
    return out->data != NULL;
}

bool cql__push_name(cql_parser *p, cql_name **names, uint32_t *count, cql_name name) {
    return CQL_PUSH(p, *names, *count, name);
}

bool cql__parse_if_not_exists(cql_parser *p, bool *out) {
    if (!cql__accept(p, CQL_K_IF)) return true;
    *out = true;
    return cql__expect(p, CQL_K_NOT) && cql__expect(p, CQL_K_EXISTS);
}

bool cql__parse_if_exists(cql_parser *p, bool *out) {
    if (!cql__accept(p, CQL_K_IF)) return true;
    *out = true;
    return cql__expect(p, CQL_K_EXISTS);
}
