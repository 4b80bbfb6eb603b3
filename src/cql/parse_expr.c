// SPDX-License-Identifier: MIT
/* parse_expr.c -- terms and selectors, which share operators and literals:
 *
 *     sum      product (('+' | '-') product)*
 *     product  unary (('*' | '/' | '%') unary)*
 *     unary    '-' unary | primary          (a term has one '-' at most)
 *     primary  constant, NULL, marker, call, CAST, literal of a collection, (type) primary, (sum, …)
 *     selector primaries also: a column, WRITETIME and TTL; behind each .field and [element]
 */
#include "base/text.h"
#include "cql/parse.h"

#include <float.h>

enum { MOST_SHOWN = 800 }; /* bytes of the statement in a message */

static bool parse_sum(cql_parser *p, bool selector, cql_expr **out);

/* ---- nodes ---- */

cql_expr *cql__new_expr(cql_parser *p, cql_expr_kind kind) {
    cql_expr *expr = CQL_NEW(p, cql_expr);
    if (!expr) return NULL;
    expr->kind = kind;
    expr->place = cql__place(p);
    return expr;
}

bool cql__push_expr(cql_parser *p, cql_expr ***exprs, uint32_t *count, cql_expr *expr) {
    return CQL_PUSH_POINTER(p, *exprs, *count, expr);
}

bool cql__push_arg(cql_parser *p, cql_expr *expr, cql_expr *arg) {
    if (arg && arg->height >= CQL_MAX_DEPTH) return cql__too_deep(p);
    if (arg && arg->height >= expr->height) expr->height = (uint16_t)(arg->height + 1);
    return cql__push_expr(p, &expr->args, &expr->count, arg);
}

/* A node of at most three arguments in one piece. */
static cql_expr *new_node(cql_parser *p, cql_expr_kind kind, cql_expr *first) {
    cql_expr *expr = cql__new_expr(p, kind);
    if (!expr || !cql__push_arg(p, expr, first)) return NULL;
    expr->place = first->place;
    return expr;
}

/* ---- constants and markers ---- */

static const uint8_t constant_kinds[CQL_FIRST_KEYWORD] = {
    [CQL_T_STRING] = CQL_EXPR_STRING,
    [CQL_T_INTEGER] = CQL_EXPR_INTEGER,
    [CQL_T_FLOAT] = CQL_EXPR_FLOAT,
    [CQL_T_BOOLEAN] = CQL_EXPR_BOOLEAN,
    [CQL_T_UUID] = CQL_EXPR_UUID,
    [CQL_T_HEX] = CQL_EXPR_HEX,
    [CQL_T_DURATION] = CQL_EXPR_DURATION,
    [CQL_T_NEGATIVE_NAN] = CQL_EXPR_FLOAT,
    [CQL_T_NEGATIVE_INFINITY] = CQL_EXPR_FLOAT,
};

static cql_expr_kind constant_kind(cql_symbol symbol) {
    if (symbol < CQL_FIRST_KEYWORD) return (cql_expr_kind)constant_kinds[symbol];
    bool is_float = symbol == CQL_K_POSITIVE_NAN || symbol == CQL_K_POSITIVE_INFINITY;
    return is_float ? CQL_EXPR_FLOAT : CQL_EXPR_NULL;
}

bool cql__at_constant(cql_parser *p) {
    return constant_kind(cql__peek(p, 0)) != CQL_EXPR_NULL;
}

/* The one spelling of constants that have several; empty for the others. */
static corm_str canonical(cql_symbol symbol, char first) {
    switch (symbol) {
    case CQL_T_NEGATIVE_NAN:
    case CQL_K_POSITIVE_NAN: return corm_str_of("NaN");
    case CQL_K_POSITIVE_INFINITY: return corm_str_of("Infinity");
    case CQL_T_NEGATIVE_INFINITY: return corm_str_of("-Infinity");
    case CQL_T_BOOLEAN: return corm_str_of((first | 0x20) == 't' ? "true" : "false");
    default: return (corm_str){ 0 };
    }
}

/* The server reads the number while it parses, and stumbles over what is no double. */
static bool check_float(cql_parser *p, corm_str text) {
    enum { SURELY_SMALL = 300, MOST_EXPONENT_DIGITS = 10 };
    const char *e = memchr(text.data, 'e', text.len);
    if (!e) e = memchr(text.data, 'E', text.len);
    if (!e && text.len < SURELY_SMALL) return true;
    const char *digits = e ? e + 1 : text.data + text.len, *end = text.data + text.len;
    while (digits < end && (*digits == '+' || *digits == '-' || *digits == '0')) digits++;
    double number = 0;
    bool   many = end - digits > MOST_EXPONENT_DIGITS;
    bool   read = !many && base__parse_f64(text, &number);
    if (read && number >= -DBL_MAX && number <= DBL_MAX) return true;
    corm_str all = p->lexer.text;
    CQL_REFUSE(p, cql__place(p),
               "Failed parsing statement: [%.*s] reason: NumberFormatException %s",
               all.len > MOST_SHOWN ? MOST_SHOWN : (int)all.len, all.data,
               many ? "Too many nonzero exponent digits."
                    : "Character I is neither a decimal digit number, decimal point, nor \"e\" "
                      "notation exponential mark.");
    return !p->no_memory;
}

bool cql__parse_constant(cql_parser *p, cql_expr **out) {
    const cql_tok *tok = cql__peek_token(p, 0);
    cql_symbol     symbol = (cql_symbol)tok->symbol;
    cql_expr_kind  kind = constant_kind(symbol);
    if (kind == CQL_EXPR_NULL) return cql__no_viable(p, 0);
    cql_expr *expr = cql__new_expr(p, kind);
    if (!expr) return false;
    *out = expr;
    if (kind == CQL_EXPR_STRING) return cql__parse_string(p, &expr->text);
    corm_str text = cql__token_text(p, tok);
    expr->text = canonical(symbol, text.data[0]);
    if (!expr->text.data) expr->text = text;
    if (symbol == CQL_T_FLOAT && !check_float(p, text)) return false;
    cql__advance(p);
    return true;
}

bool cql__at_marker(cql_parser *p) {
    cql_symbol symbol = cql__peek(p, 0);
    return symbol == CQL_T_QMARK || symbol == CQL_T_COLON;
}

bool cql__parse_marker(cql_parser *p, cql_expr **out) {
    if (!cql__at_marker(p)) return cql__no_viable(p, 0);
    cql_expr *expr = cql__new_expr(p, CQL_EXPR_MARKER);
    if (!expr) return false;
    bool named = cql__at(p, CQL_T_COLON);
    cql__advance(p);
    if (named && !cql__parse_name(p, CQL_NAME_PLAIN, &expr->name.name)) return false;
    expr->index = p->markers++;
    *out = expr;
    return true;
}

bool cql__parse_int_value(cql_parser *p, cql_expr **out) {
    if (cql__at(p, CQL_T_INTEGER)) return cql__parse_constant(p, out);
    return cql__parse_marker(p, out);
}

static bool parse_null(cql_parser *p, cql_expr **out) {
    *out = cql__new_expr(p, CQL_EXPR_NULL);
    cql__advance(p);
    return *out != NULL;
}

/* ---- literals of collections, calls ---- */

typedef struct part { /* what an item function of this file works on */
    cql_expr *expr;
    bool      selector;
} part;

static bool parse_arg(cql_parser *p, void *context) {
    const part *all = context;
    cql_expr   *arg = NULL;
    return parse_sum(p, all->selector, &arg) && cql__push_arg(p, all->expr, arg);
}

/* [item (',' item)*] closer, behind the opening bracket */
static bool parse_args(cql_parser *p, cql_expr *expr, bool selector, cql_symbol closer) {
    part all = { expr, selector };
    p->colon_ends = false;
    if (cql__accept(p, closer)) return true;
    return cql__parse_until(p, closer, parse_arg, &all);
}

static bool parse_list(cql_parser *p, bool selector, cql_expr **out) {
    *out = cql__new_expr(p, CQL_EXPR_LIST);
    cql__advance(p);
    return *out && parse_args(p, *out, selector, CQL_T_RBRACKET);
}

/* The key of a map, or the first element of a set: a colon behind it is the map's. */
static bool parse_key(cql_parser *p, void *context) {
    p->colon_ends = true;
    bool good = parse_arg(p, context);
    p->colon_ends = false;
    return good;
}

static bool parse_entry(cql_parser *p, void *context) {
    return parse_key(p, context) && cql__expect(p, CQL_T_COLON) && parse_arg(p, context);
}

static bool parse_field(cql_parser *p, void *context) {
    const part *all = context;
    cql_name    name = { 0 };
    uint32_t    count = all->expr->count;
    if (!cql__parse_name(p, CQL_NAME_PLAIN, &name) || !cql__expect(p, CQL_T_COLON)) return false;
    if (!cql__push_name(p, &all->expr->names, &count, name)) return false;
    return parse_arg(p, context);
}

/* A map whose keys are all plain names is the literal of a user-defined type. */
static bool map_to_udt(cql_parser *p, cql_expr *map) {
    for (uint32_t i = 0; i < map->count; i += 2) {
        if (map->args[i]->kind != CQL_EXPR_COLUMN || map->args[i]->parens) return true;
    }
    uint32_t  count = map->count / 2;
    cql_name *names = NULL;
    for (uint32_t i = 0; i < count;) {
        if (!cql__push_name(p, &names, &i, map->args[2 * i]->name.name)) return false;
    }
    for (uint32_t i = 0; i < count; i++) map->args[i] = map->args[2 * i + 1];
    map->kind = CQL_EXPR_UDT;
    map->names = names;
    map->count = count;
    return true;
}

/* Behind the first element of a set or key of a map. */
static bool parse_set_or_map(cql_parser *p, cql_expr *expr, bool selector) {
    part all = { expr, selector };
    if (!cql__accept(p, CQL_T_COLON)) {
        if (!cql__accept(p, CQL_T_COMMA)) return true;
        return cql__parse_items(p, CQL_T_COMMA, parse_arg, &all);
    }
    expr->kind = CQL_EXPR_MAP;
    p->colon_ends = false;
    if (!parse_arg(p, &all)) return false;
    if (cql__accept(p, CQL_T_COMMA) && !cql__parse_items(p, CQL_T_COMMA, parse_entry, &all)) {
        return false;
    }
    return p->failed || !selector || map_to_udt(p, expr);
}

static bool parse_braces(cql_parser *p, bool selector, cql_expr **out) {
    cql_expr *expr = cql__new_expr(p, CQL_EXPR_SET);
    part      all = { expr, selector };
    if (!expr) return false;
    *out = expr;
    cql__advance(p);
    if (cql__accept(p, CQL_T_RBRACE)) return true;
    bool is_udt = !selector && cql__is_name(cql__peek(p, 0), CQL_NAME_PLAIN) &&
                  cql__peek(p, 1) == CQL_T_COLON;
    if (is_udt) {
        expr->kind = CQL_EXPR_UDT;
        p->colon_ends = false;
        return cql__parse_until(p, CQL_T_RBRACE, parse_field, &all);
    }
    return parse_key(p, &all) && parse_set_or_map(p, expr, selector) &&
           cql__expect(p, CQL_T_RBRACE);
}

bool cql__parse_map(cql_parser *p, cql_expr **out) {
    cql_expr *expr = cql__new_expr(p, CQL_EXPR_MAP);
    part      all = { expr, false };
    if (!expr || !cql__expect(p, CQL_T_LBRACE)) return false;
    *out = expr;
    if (cql__accept(p, CQL_T_RBRACE)) return true;
    return cql__parse_until(p, CQL_T_RBRACE, parse_entry, &all);
}

bool cql__parse_tuple(cql_parser *p, cql_expr **out) {
    part all = { cql__new_expr(p, CQL_EXPR_TUPLE), false };
    *out = all.expr;
    return all.expr && cql__parse_enclosed(p, parse_arg, &all);
}

static bool parse_call(cql_parser *p, bool selector, cql_expr **out) {
    cql_expr *expr = cql__new_expr(p, CQL_EXPR_CALL);
    if (!expr || !cql__parse_function_name(p, &expr->name)) return false;
    *out = expr;
    if (!cql__at(p, CQL_T_LPAREN)) return cql__no_viable(p, 0);
    cql__advance(p);
    return parse_args(p, expr, selector, CQL_T_RPAREN);
}

/* ---- primaries of both ---- */

static bool parse_primary(cql_parser *p, bool selector, cql_expr **out);

static bool parse_cast(cql_parser *p, bool selector, cql_expr **out) {
    cql_expr *expr = cql__new_expr(p, CQL_EXPR_CAST), *arg = NULL;
    if (!expr) return false;
    cql__advance(p);
    cql__advance(p);
    p->colon_ends = false;
    bool good = selector ? parse_sum(p, true, &arg) : parse_primary(p, false, &arg);
    *out = expr;
    return good && cql__push_arg(p, expr, arg) && cql__expect(p, CQL_K_AS) &&
           cql__parse_native_type(p, &expr->type) && cql__expect(p, CQL_T_RPAREN);
}

/* (type) value, or (value), or a tuple */
static bool parse_parens(cql_parser *p, bool selector, cql_expr **out) {
    cql_expr *expr = cql__new_expr(p, CQL_EXPR_TUPLE), *arg = NULL;
    if (!expr) return false;
    if (cql__try_hint(p, selector, &expr->type)) {
        expr->kind = CQL_EXPR_HINT;
        *out = expr;
        return parse_primary(p, selector, &arg) && cql__push_arg(p, expr, arg);
    }
    part all = { expr, selector };
    p->colon_ends = false;
    if (p->no_memory || !cql__parse_enclosed(p, parse_arg, &all)) return false;
    *out = expr;
    if (expr->count == 1) {
        *out = expr->args[0];
        (*out)->parens++;
    }
    return true;
}

static bool is_constant(const cql_expr *expr) {
    return expr->kind >= CQL_EXPR_STRING && expr->kind <= CQL_EXPR_DURATION;
}

/* count(1), with any constant, is count(*). */
static void count_rows(cql_expr *call) {
    bool counts = !call->name.keyspace.text.data && call->count == 1 &&
                  corm_str_equal(call->name.name.text, corm_str_of("count"));
    if (!counts || !is_constant(call->args[0])) return;
    *call = (cql_expr){ .kind = CQL_EXPR_COUNT_ALL, .place = call->place };
}

static const struct function {
    cql_symbol    symbol;
    cql_expr_kind kind;
} column_functions[] = {
    { CQL_K_WRITETIME, CQL_EXPR_WRITETIME },
    { CQL_K_MAXWRITETIME, CQL_EXPR_MAXWRITETIME },
    { CQL_K_TTL, CQL_EXPR_TTL },
};

static bool parse_modifiers(cql_parser *p, cql_expr **expr);

static bool parse_column(cql_parser *p, cql_expr **out) {
    *out = cql__new_expr(p, CQL_EXPR_COLUMN);
    return *out && cql__parse_name(p, CQL_NAME_PLAIN, &(*out)->name.name);
}

/* Fields right behind the column are looked at together with it. */
static bool parse_column_and_fields(cql_parser *p, cql_expr **out) {
    if (!parse_column(p, out)) return false;
    while (cql__accept(p, CQL_T_DOT)) {
        cql_expr *outer = new_node(p, CQL_EXPR_FIELD, *out);
        if (!outer || !cql__parse_name(p, CQL_NAME_PLAIN, &outer->name.name)) return false;
        *out = outer;
    }
    cql__check_behind(p, CQL_BEHIND_SELECTOR);
    return true;
}

/* WRITETIME '(' column with fields and elements ')' */
static bool parse_column_function(cql_parser *p, cql_expr_kind kind, cql_expr **out) {
    cql_expr *expr = cql__new_expr(p, kind), *arg = NULL;
    if (!expr) return false;
    cql__advance(p);
    cql__advance(p);
    *out = expr;
    return parse_column(p, &arg) && parse_modifiers(p, &arg) && cql__push_arg(p, expr, arg) &&
           cql__expect(p, CQL_T_RPAREN);
}

static bool parse_count_all(cql_parser *p, cql_expr **out) {
    *out = cql__new_expr(p, CQL_EXPR_COUNT_ALL);
    for (int i = 0; i < 3; i++) cql__advance(p);
    return *out && cql__expect(p, CQL_T_RPAREN);
}

/* A selector that begins with a word: a function or a column. */
static bool parse_word(cql_parser *p, cql_expr **out) {
    cql_symbol symbol = cql__peek(p, 0), next = cql__peek(p, 1);
    if (next == CQL_T_LPAREN) {
        for (size_t i = 0; i < sizeof column_functions / sizeof column_functions[0]; i++) {
            const struct function *function = &column_functions[i];
            if (function->symbol == symbol) return parse_column_function(p, function->kind, out);
        }
        if (symbol == CQL_K_COUNT && cql__peek(p, 2) == CQL_T_STAR) return parse_count_all(p, out);
    }
    bool qualified = next == CQL_T_DOT && cql__peek(p, 3) == CQL_T_LPAREN;
    bool called = next == CQL_T_LPAREN && cql__is_name(symbol, CQL_NAME_FUNCTION);
    if (!called && !qualified) return parse_column_and_fields(p, out);
    if (!parse_call(p, true, out)) return false;
    if (!p->failed) count_rows(*out);
    return true;
}

static bool parse_primary_inside(cql_parser *p, bool selector, cql_expr **out) {
    switch (cql__peek(p, 0)) {
    case CQL_T_LPAREN: return parse_parens(p, selector, out);
    case CQL_T_LBRACKET: return parse_list(p, selector, out);
    case CQL_T_LBRACE: return parse_braces(p, selector, out);
    case CQL_T_QMARK:
    case CQL_T_COLON: return cql__parse_marker(p, out);
    case CQL_K_NULL: return parse_null(p, out);
    case CQL_K_CAST:
        if (cql__peek(p, 1) == CQL_T_LPAREN) return parse_cast(p, selector, out);
        break;
    default: break;
    }
    if (cql__at_constant(p)) return cql__parse_constant(p, out);
    return selector ? parse_word(p, out) : parse_call(p, false, out);
}

static bool parse_primary(cql_parser *p, bool selector, cql_expr **out) {
    bool colon_ends = p->colon_ends;
    if (!cql__enter(p)) return false;
    if (!parse_primary_inside(p, selector, out)) return false;
    cql__leave(p);
    p->colon_ends = colon_ends;
    return true;
}

/* ---- behind a selector ---- */

/* Between the brackets of c[…]: a term, or a slice with at least one end. */
static bool parse_subscript(cql_parser *p, cql_expr *expr) {
    cql_expr *from = NULL, *to = NULL;
    p->colon_ends = false;
    if (!cql__at(p, CQL_T_RANGE) && !cql__parse_expr(p, &from)) return false;
    bool slice = cql__accept(p, CQL_T_RANGE);
    bool has_end = slice && (!from || !cql__at(p, CQL_T_RBRACKET));
    if (has_end && !cql__parse_expr(p, &to)) return false;
    if (slice) expr->kind = CQL_EXPR_SLICE;
    return cql__push_arg(p, expr, from) && (!slice || cql__push_arg(p, expr, to));
}

static bool parse_modifiers(cql_parser *p, cql_expr **expr) {
    bool colon_ends = p->colon_ends;
    for (;; p->colon_ends = colon_ends) {
        cql_expr *outer;
        if (cql__accept(p, CQL_T_DOT)) {
            outer = new_node(p, CQL_EXPR_FIELD, *expr);
            if (!outer || !cql__parse_name(p, CQL_NAME_PLAIN, &outer->name.name)) return false;
        } else if (cql__accept(p, CQL_T_LBRACKET)) {
            outer = new_node(p, CQL_EXPR_ELEMENT, *expr);
            if (!outer || !parse_subscript(p, outer) || !cql__expect(p, CQL_T_RBRACKET))
                return false;
        } else {
            return true;
        }
        *expr = outer;
    }
}

/* ---- operators ---- */

static bool parse_negation(cql_parser *p, bool selector, cql_expr **out) {
    cql_expr *expr = cql__new_expr(p, CQL_EXPR_NEGATE), *arg = NULL;
    if (!expr || !cql__enter(p)) return false;
    cql__advance(p);
    bool good = false;
    if (!selector) {
        good = parse_primary(p, false, &arg);
    } else if (cql__at(p, CQL_T_MINUS)) {
        good = parse_negation(p, true, &arg);
    } else {
        good = parse_primary(p, true, &arg) && parse_modifiers(p, &arg);
    }
    if (!good || !cql__push_arg(p, expr, arg)) return false;
    cql__leave(p);
    *out = expr;
    return true;
}

static bool parse_unary(cql_parser *p, bool selector, cql_expr **out) {
    if (cql__at(p, CQL_T_MINUS)) return parse_negation(p, selector, out);
    return parse_primary(p, selector, out) && (!selector || parse_modifiers(p, out));
}

static bool parse_operation(cql_parser *p, char op, cql_expr **left, bool selector,
                            bool (*operand)(cql_parser *p, bool selector, cql_expr **out)) {
    cql_expr *expr = new_node(p, CQL_EXPR_ARITH, *left), *right = NULL;
    if (!expr) return false;
    expr->op = op;
    cql__advance(p);
    if (!operand(p, selector, &right) || !cql__push_arg(p, expr, right)) return false;
    *left = expr;
    return true;
}

static char product_operator(cql_symbol symbol) {
    switch (symbol) {
    case CQL_T_STAR: return '*';
    case CQL_T_SLASH: return '/';
    case CQL_T_PERCENT: return '%';
    default: return 0;
    }
}

static bool parse_product(cql_parser *p, bool selector, cql_expr **out) {
    if (!parse_unary(p, selector, out)) return false;
    for (char op; (op = product_operator(cql__peek(p, 0))) != 0;) {
        if (!parse_operation(p, op, out, selector, parse_unary)) return false;
    }
    return true;
}

/* Whether a name stands at `ahead` that no call begins with: the column of `value + column`. */
static bool at_lone_name(cql_parser *p, uint32_t ahead) {
    if (!cql__is_name(cql__peek(p, ahead), CQL_NAME_EMPTY)) return false;
    cql_symbol next = cql__peek(p, ahead + 1);
    return next != CQL_T_LPAREN && next != CQL_T_DOT;
}

static bool parse_sum_until(cql_parser *p, bool selector, bool lone_name_ends, cql_expr **out) {
    if (!parse_product(p, selector, out)) return false;
    for (;;) {
        cql_symbol symbol = cql__peek(p, 0);
        if (symbol != CQL_T_PLUS && symbol != CQL_T_MINUS) {
            if (!selector) cql__check_behind(p, CQL_BEHIND_TERM);
            return true;
        }
        if (lone_name_ends && symbol == CQL_T_PLUS && at_lone_name(p, 1)) return true;
        char op = symbol == CQL_T_PLUS ? '+' : '-';
        if (!parse_operation(p, op, out, selector, parse_product)) return false;
    }
}

static bool parse_sum(cql_parser *p, bool selector, cql_expr **out) {
    return parse_sum_until(p, selector, false, out);
}

bool cql__parse_expr(cql_parser *p, cql_expr **out) {
    return parse_sum_until(p, false, false, out);
}

bool cql__parse_selector(cql_parser *p, cql_expr **out) {
    return parse_sum_until(p, true, false, out);
}

bool cql__parse_set_value(cql_parser *p, cql_expr **out) {
    return parse_sum_until(p, false, true, out);
}
