// SPDX-License-Identifier: MIT
/* parse.h -- what the files of the parser share. A function that parses returns false when the text
 * is wrong (it has been reported) or memory is exhausted; what it filled is then of no use. */
#ifndef CQL_PARSE_H
#define CQL_PARSE_H

#include "cql/keywords.h"
#include "cql/parser.h"

/* ---- tokens ---- */

/* X(flaw, what the server says; %s is the character in the way) */
#define CQL_FLAW_MAP(X)                                                                            \
    X(CHARACTER, "no viable alternative at character '%s'")                                        \
    X(SET, "mismatched character '%s' expecting set null")                                         \
    X(EQUAL, "mismatched character '%s' expecting '='")                                            \
    X(DOLLAR, "mismatched character '%s' expecting '$'")                                           \
    X(OPEN_STRING, "mismatched character '%s' expecting '''")                                      \
    X(OPEN_NAME, "mismatched character '%s' expecting '\"'")                                       \
    X(OPEN_COMMENT, "mismatched character '%s' expecting set null")                                \
    X(OPEN_BLOCK, "mismatched character '%s' expecting '*'")

typedef enum cql_flaw {
#define CQL_FLAW_ENUM(name, text) CQL_FLAW_##name,
    CQL_FLAW_MAP(CQL_FLAW_ENUM)
#undef CQL_FLAW_ENUM
} cql_flaw;

typedef struct cql_tok {
    uint32_t  offset; /* in bytes */
    uint32_t  length; /* in bytes */
    cql_place place;
    uint32_t  flaw_at; /* ERROR: bytes from the start to the character in the way */
    uint8_t   symbol;  /* cql_symbol */
    uint8_t   flaw;    /* ERROR: cql_flaw */
    bool      upper;   /* a word with upper-case letters */
    bool      escaped; /* quoted text with doubled quotes */
} cql_tok;

/* The next token; never fails: what is no token is ERROR. */
void cql__scan(cql_lexer *lexer, cql_tok *tok);

/* ---- the parser ---- */

enum { CQL_LOOKAHEAD = 4 };

typedef struct cql_parser {
    base_arena *arena;
    cql_lexer   lexer;                 /* over a copy of the text in the arena */
    cql_tok     tokens[CQL_LOOKAHEAD]; /* a ring: tokens[first] is the current one */
    uint32_t    first, ready;
    uint32_t    open;    /* brackets of all kinds that are open at the current token */
    uint32_t    depth;   /* of nesting */
    uint32_t    markers; /* bind markers so far */
    bool        in_batch;
    bool        colon_ends; /* in the key of a map: a colon is the map's, not a marker's */
    bool        no_memory;
    bool        failed; /* something is wrong with the text */
    bool        bare;   /* the first error stands without its place, as some of the server's do */
    bool        at_end; /* the first error is the end of the text */
    uint32_t
        failed_at; /* offset of the token last reported, plus one: one error a token is enough */
    cql_diagnostics *diagnostics; /* NULL: trying, on a copy of the parser */
} cql_parser;

/* ---- looking and moving ---- */

void           cql__parser_init(cql_parser *p, base_arena *arena, corm_str text,
                                cql_diagnostics *diagnostics);
const cql_tok *cql__peek_token(cql_parser *p, uint32_t ahead); /* ahead < CQL_LOOKAHEAD */
void           cql__advance(cql_parser *p);
bool           cql__accept(cql_parser *p, cql_symbol symbol); /* moves when it is the current one */
bool           cql__expect(cql_parser *p, cql_symbol symbol); /* or reports */
bool           cql__accept_words(cql_parser *p, cql_symbol first, cql_symbol second);

static inline cql_symbol cql__peek(cql_parser *p, uint32_t ahead) {
    return (cql_symbol)cql__peek_token(p, ahead)->symbol;
}
static inline bool cql__at(cql_parser *p, cql_symbol symbol) {
    return cql__peek(p, 0) == symbol;
}
static inline cql_place cql__place(cql_parser *p) {
    return cql__peek_token(p, 0)->place;
}

/* One level deeper; false, reported, when that is too deep. cql__leave in every case of true. */
bool               cql__enter(cql_parser *p);
static inline void cql__leave(cql_parser *p) {
    p->depth--;
}

/* ---- reporting: always false, for `return cql__report_…` ---- */

bool cql__mismatch(cql_parser *p,
                   cql_symbol  expected);            /* "mismatched input 'x' expecting K_FROM" */
bool cql__no_viable(cql_parser *p, uint32_t ahead); /* "no viable alternative at input 'x'" */
bool cql__out_of_memory(cql_parser *p);

bool cql__too_deep(cql_parser *p); /* at the current token */

/* For what the server refuses outside of its grammar: message as given. Parsing may go on. */
bool cql__refuse(cql_parser *p, cql_place place, corm_str message);
#define CQL_REFUSE(p, place, ...)                                                                  \
    cql__refuse((p), (place), base__arena_printf((p)->arena, __VA_ARGS__))

/* Behind a term, selector, type or table name the server looks whether anything of its grammar can
 * follow, before it asks what must: then this is the report, and parsing goes on. */
enum { CQL_BEHIND_TABLE = 1, CQL_BEHIND_TERM = 2, CQL_BEHIND_SELECTOR = 4, CQL_BEHIND_TYPE = 8 };
void cql__check_behind(cql_parser *p, unsigned what);

/* ---- going on after an error ---- */

/* Skips to the separator, to a closing bracket, or to a word that begins a clause, outside brackets
 * opened behind the level `open`. False when nothing is to be saved. */
bool cql__recover(cql_parser *p, uint32_t open, cql_symbol separator);

/* Skips to a word that begins a clause, whatever is open; false when there is none. */
bool cql__recover_clause(cql_parser *p);

/* Behind the last clause: whether one of the words stands here, in the wrong order or misspelt. Then
 * it is reported, and the clauses are to be parsed once more. */
bool cql__clause_again(cql_parser *p, const cql_symbol *words, size_t count);

/* Takes an identifier that is nearly one of the words for that word. */
bool cql__guess(cql_parser *p, const cql_symbol *words, size_t count);

/* item (separator item)*. Goes on with the next item after a broken one; false when it cannot. */
typedef bool cql_item_fn(cql_parser *p, void *context);
bool cql__parse_items(cql_parser *p, cql_symbol separator, cql_item_fn *item, void *context);

/* One item of a list in brackets; behind a broken one all is skipped up to a comma or the end. */
bool cql__parse_enclosed_item(cql_parser *p, cql_item_fn *item, void *context);

/* item (',' item)* closer */
bool cql__parse_until(cql_parser *p, cql_symbol closer, cql_item_fn *item, void *context);

/* '(' item (',' item)* ')' */
bool cql__parse_enclosed(cql_parser *p, cql_item_fn *item, void *context);

/* As before, or '(' ')'. */
bool cql__parse_enclosed_or_none(cql_parser *p, cql_item_fn *item, void *context);

/* ---- memory ---- */

/* Room for items[count]: the array itself or a longer copy, the new item zeroed. NULL: no memory. */
void *cql__grow(cql_parser *p, const void *items, uint32_t count, size_t size);
void *cql__new(cql_parser *p, size_t size);
#define CQL_NEW(p, type) ((type *)cql__new((p), sizeof(type)))

corm_str cql__token_text(cql_parser *p, const cql_tok *tok); /* as written, in the arena's copy */

/* Appends to an array that `items` and `count` describe; false without memory. */
#define CQL_PUSH_SIZED(p, items, count, value, size)                                               \
    (((items) = cql__grow((p), (items), (count), (size))) ? ((items)[(count)++] = (value), true)   \
                                                          : false)
#define CQL_PUSH(p, items, count, value)                                                           \
    CQL_PUSH_SIZED((p), (items), (count), (value), sizeof *(items))
#define CQL_PUSH_POINTER(p, items, count, value)                                                   \
    CQL_PUSH_SIZED((p), (items), (count), (value), sizeof(void *))

/* ---- names (parse_name.c) ---- */

/* What else than an identifier, a quoted name and an unreserved keyword may be a name. */
enum {
    CQL_NAME_PLAIN = 0,
    CQL_NAME_EMPTY = 1,    /* "" */
    CQL_NAME_STRING = 2,   /* 'text' */
    CQL_NAME_FUNCTION = 4, /* TOKEN and COUNT, and none of the words of class OTHER */
    CQL_NAME_TYPE = 8      /* none of the words of classes TYPE and OTHER, but KEY */
};

bool cql__is_name(cql_symbol symbol, unsigned kind);
bool cql__parse_name(cql_parser *p, unsigned kind, cql_name *out);
bool cql__parse_column(cql_parser *p, cql_name *out); /* a name, or "" */

/* [keyspace.]name; `what` such as "table" is for markers, which are refused. */
bool cql__parse_ref(cql_parser *p, const char *what, cql_ref *out);
bool cql__parse_keyspace(cql_parser *p, cql_name *out);
bool cql__parse_named(cql_parser *p, const char *what, unsigned kind, cql_name *out);
bool cql__parse_function_name(cql_parser *p, cql_ref *out);
bool cql__parse_string(cql_parser *p, corm_str *out);
bool cql__push_name(cql_parser *p, cql_name **names, uint32_t *count, cql_name name);

/* IF NOT EXISTS, IF EXISTS */
bool cql__parse_if_not_exists(cql_parser *p, bool *out);
bool cql__parse_if_exists(cql_parser *p, bool *out);

/* ---- types (parse_type.c) ---- */

bool cql__parse_type_ast(cql_parser *p, const cql_type_ast **out);
/* [keyspace.]name of a user-defined type, and whether the name was in double quotes. */
bool cql__parse_user_type_name(cql_parser *p, cql_ref *out, bool *quoted);
bool cql__parse_native_type(cql_parser *p, const cql_type_ast **out);
bool cql__push_type(cql_parser *p, const cql_type_ast ***types, uint32_t *count);
/* '(' [type (',' type)*] ')' */
bool cql__parse_argument_types(cql_parser *p, const cql_type_ast ***types, uint32_t *count);
/* '(' type ')' stands here and something that it can be the hint of follows: p is behind it then. */
bool cql__try_hint(cql_parser *p, bool selector, const cql_type_ast **out);

/* ---- expressions (parse_expr.c) ---- */

bool cql__parse_expr(cql_parser *p, cql_expr **out); /* a term */
bool cql__parse_selector(cql_parser *p, cql_expr **out);
bool cql__parse_marker(cql_parser *p, cql_expr **out);    /* ? or :name */
bool cql__parse_int_value(cql_parser *p, cql_expr **out); /* an integer or a marker */
bool cql__parse_constant(cql_parser *p, cql_expr **out);
bool cql__at_constant(cql_parser *p);
bool cql__at_marker(cql_parser *p);
bool cql__parse_map(cql_parser *p, cql_expr **out);   /* '{' [term ':' term, …] '}' */
bool cql__parse_tuple(cql_parser *p, cql_expr **out); /* of one or more, never the element itself */
cql_expr *cql__new_expr(cql_parser *p, cql_expr_kind kind);
bool      cql__push_arg(cql_parser *p, cql_expr *expr, cql_expr *arg); /* also counts height */
bool      cql__push_expr(cql_parser *p, cql_expr ***exprs, uint32_t *count, cql_expr *expr);
/* In SET the name behind a "+" may be the column of `value + column`: it is left alone. */
bool cql__parse_set_value(cql_parser *p, cql_expr **out);

/* ---- clauses (parse_where.c) ---- */

bool cql__parse_where(cql_parser *p, cql_relation **relations, uint32_t *count);
bool cql__is_condition_operator(cql_symbol symbol); /* what may follow the column of a condition */
bool cql__parse_conditions(cql_parser *p, cql_condition **conditions, uint32_t *count);
bool cql__parse_using(cql_parser *p, cql_using *out);           /* [USING …] */
bool cql__parse_using_timestamp(cql_parser *p, cql_using *out); /* [USING TIMESTAMP n] */
bool cql__parse_properties(cql_parser *p, cql_property **properties, uint32_t *count);
bool cql__check_property_map(cql_parser *p, const cql_expr *map);
bool cql__parse_property(cql_parser *p, cql_property **properties, uint32_t *count);

/* ---- statements: the current token is the first word of the statement ---- */

bool cql__parse_statement(cql_parser *p, cql_statement *s);
bool cql__parse_selectors(cql_parser *p, bool *all, cql_selector **selectors, uint32_t *count);
bool cql__parse_select(cql_parser *p, cql_statement *s);
bool cql__parse_insert(cql_parser *p, cql_statement *s);
bool cql__parse_update(cql_parser *p, cql_statement *s);
bool cql__parse_delete(cql_parser *p, cql_statement *s);
bool cql__parse_batch(cql_parser *p, cql_statement *s);
bool cql__parse_create(cql_parser *p, cql_statement *s);
bool cql__parse_alter(cql_parser *p, cql_statement *s);
bool cql__parse_drop(cql_parser *p, cql_statement *s);
bool cql__parse_use(cql_parser *p, cql_statement *s);
bool cql__parse_truncate(cql_parser *p, cql_statement *s);
bool cql__parse_grant(cql_parser *p, cql_statement *s);
bool cql__parse_revoke(cql_parser *p, cql_statement *s);
bool cql__parse_list(cql_parser *p, cql_statement *s);
bool cql__parse_add(cql_parser *p, cql_statement *s);
bool cql__parse_describe(cql_parser *p, cql_statement *s);

/* ---- the families of CREATE, ALTER and DROP: behind the words that name them ---- */

bool cql__parse_create_table(cql_parser *p, cql_statement *s);
bool cql__parse_create_type(cql_parser *p, cql_statement *s);
bool cql__parse_create_view(cql_parser *p, cql_statement *s);
bool cql__parse_create_role(cql_parser *p, cql_statement *s);
bool cql__parse_create_user(cql_parser *p, cql_statement *s);
bool cql__parse_alter_table(cql_parser *p, cql_statement *s);
bool cql__parse_alter_type(cql_parser *p, cql_statement *s);
bool cql__parse_alter_view(cql_parser *p, cql_statement *s);
bool cql__parse_alter_role(cql_parser *p, cql_statement *s);
bool cql__parse_alter_user(cql_parser *p, cql_statement *s);
bool cql__parse_drop_role(cql_parser *p, cql_statement *s);
bool cql__parse_drop_user(cql_parser *p, cql_statement *s);
bool cql__parse_drop_identity(cql_parser *p, cql_statement *s);

#endif
