// SPDX-License-Identifier: MIT
/* print_expr.c -- names, types and expressions as canonical CQL. Pure.
 *
 * Brackets: an operand whose operator binds weaker gets them; others keep those that were written,
 * except in front of .field and [element], where `(a)[1]` would read as a type hint. */
#include "base/text.h"
#include "cql/keywords.h"
#include "cql/print.h"

/* ---- lists ---- */

void cql__print_items(base_buf *out, cql_print_fn *item, const void *items, uint32_t count,
                      const char *separator) {
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0) base__buf_puts(out, separator);
        item(out, items, i);
    }
}

void cql__print_enclosed(base_buf *out, cql_print_fn *item, const void *items, uint32_t count) {
    base__buf_puts(out, "(");
    cql__print_items(out, item, items, count, ", ");
    base__buf_puts(out, ")");
}

/* ---- names and strings ---- */

static void print_quoted(base_buf *out, corm_str text, char quote) {
    base__buf_u8(out, (uint8_t)quote);
    for (const char *from = text.data, *end = text.data + text.len; text.len;) {
        const char *next = memchr(from, quote, (size_t)(end - from));
        base__buf_put(out, from, (size_t)((next ? next + 1 : end) - from));
        if (!next) break;
        base__buf_u8(out, (uint8_t)quote);
        from = next + 1;
    }
    base__buf_u8(out, (uint8_t)quote);
}

void cql__print_string(corm_str text, base_buf *out) {
    print_quoted(out, text, '\'');
}

static bool is_word(corm_str text) {
    if (text.len == 0 || text.data[0] < 'a' || text.data[0] > 'z') return false;
    for (size_t i = 1; i < text.len; i++) {
        char c = text.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_')) return false;
    }
    return true;
}

/* "expr(" is a token. */
static bool is_plain(corm_str text) {
    return is_word(text) && !corm_str_equal(text, corm_str_of("expr"));
}

/* Without quotes when it is no keyword, or one of these classes. */
static void print_word(base_buf *out, corm_str text, unsigned classes) {
    bool plain = is_plain(text);
    if (plain) {
        cql_symbol symbol = cql__keyword(text.data, text.len);
        plain = symbol == CQL_T_IDENT || (cql__word_class(symbol) & classes);
    }
    if (plain) {
        base__buf_put_str(out, text);
    } else {
        print_quoted(out, text, '"');
    }
}

void cql__print_name(base_buf *out, const cql_name *name) {
    print_word(out, name->text, CQL_WORD_TYPE | CQL_WORD_PLAIN);
}

void cql__print_bare_name(base_buf *out, const cql_name *name) {
    print_word(out, name->text, CQL_WORD_RESERVED);
}

static void print_keyspace(base_buf *out, const cql_ref *ref) {
    if (!ref->keyspace.text.data) return;
    cql__print_name(out, &ref->keyspace);
    base__buf_puts(out, ".");
}

void cql__print_ref(base_buf *out, const cql_ref *ref) {
    print_keyspace(out, ref);
    cql__print_name(out, &ref->name);
}

void cql__print_function_name(base_buf *out, const cql_ref *ref) {
    print_keyspace(out, ref);
    corm_str   text = ref->name.text;
    cql_symbol symbol = text.len ? cql__keyword(text.data, text.len) : CQL_T_IDENT;
    if (is_plain(text) && (symbol == CQL_K_TOKEN || symbol == CQL_K_COUNT)) {
        base__buf_put_str(out, text);
    } else {
        print_word(out, text, CQL_WORD_TYPE);
    }
}

void cql__print_user_type_name(base_buf *out, const cql_ref *ref) {
    static const char *const reserved[] = { "byte",     "complex", "enum",
                                            "interval", "macaddr", "bitstring" };
    print_keyspace(out, ref);
    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++) {
        if (!corm_str_equal(ref->name.text, corm_str_of(reserved[i]))) continue;
        print_quoted(out, ref->name.text, '"');
        return;
    }
    print_word(out, ref->name.text, CQL_WORD_RESERVED);
}

void cql__print_role_name(base_buf *out, const cql_name *name) {
    if (name->text.len == 0) {
        cql__print_string(name->text, out);
    } else {
        cql__print_name(out, name);
    }
}

void cql__print_name_item(base_buf *out, const void *items, uint32_t i) {
    cql__print_name(out, (const cql_name *)items + i);
}

/* ---- types ---- */

void cql__print_type_item(base_buf *out, const void *items, uint32_t i) {
    cql__print_type_ast(((const cql_type_ast *const *)items)[i], out);
}

/* A name that was read without quotes is printed without: no keyword needs them in a type. */
static void print_type_name(const cql_type_ast *type, base_buf *out) {
    corm_str text = type->name.name.text;
    print_keyspace(out, &type->name);
    if (!type->is_quoted && is_word(text)) {
        base__buf_put_str(out, text);
    } else {
        print_quoted(out, text, '"');
    }
}

void cql__print_type_ast(const cql_type_ast *type, base_buf *out) {
    if (type->is_class) {
        cql__print_string(type->name.name.text, out);
    } else if (type->count == 0) {
        print_type_name(type, out);
    } else {
        base__buf_put_str(out, type->name.name.text);
        base__buf_puts(out, "<");
        cql__print_items(out, cql__print_type_item, type->params, type->count, ", ");
        bool vector = corm_str_equal(type->name.name.text, corm_str_of("vector"));
        if (vector) base__buf_printf(out, ", %d", (int)(int32_t)type->dimension);
        base__buf_puts(out, ">");
    }
}

/* ---- expressions ---- */

enum { SUM = 1, PRODUCT, UNARY, MODIFIED, PRIMARY }; /* how strongly an expression binds */

static int strength(const cql_expr *expr) {
    switch (expr->kind) {
    case CQL_EXPR_ARITH: return expr->op == '+' || expr->op == '-' ? SUM : PRODUCT;
    case CQL_EXPR_NEGATE: return UNARY;
    case CQL_EXPR_FIELD:
    case CQL_EXPR_ELEMENT:
    case CQL_EXPR_SLICE: return MODIFIED;
    default: return PRIMARY;
    }
}

static void print_inside(base_buf *out, const cql_expr *expr);

static void print_in_brackets(base_buf *out, const cql_expr *expr, uint32_t pairs) {
    for (uint32_t i = 0; i < pairs; i++) base__buf_u8(out, '(');
    print_inside(out, expr);
    for (uint32_t i = 0; i < pairs; i++) base__buf_u8(out, ')');
}

static void print_at_least(base_buf *out, const cql_expr *expr, int least) {
    uint32_t needed = strength(expr) < least;
    print_in_brackets(out, expr, expr->parens ? expr->parens : needed);
}

void cql__print_expr(const cql_expr *expr, base_buf *out) {
    print_at_least(out, expr, SUM);
}

void cql__print_expr_item(base_buf *out, const void *items, uint32_t i) {
    cql__print_expr(((const cql_expr *const *)items)[i], out);
}

/* In front of .field or [element]: a number there would swallow the dot, and a hint's operand could
 * become a hint itself. */
static void print_base(base_buf *out, const cql_expr *expr) {
    bool     number = expr->kind >= CQL_EXPR_INTEGER && expr->kind <= CQL_EXPR_DURATION;
    uint32_t needed = number || expr->kind == CQL_EXPR_HINT || strength(expr) < MODIFIED;
    print_in_brackets(out, expr, needed);
}

static void print_subscript(base_buf *out, const cql_expr *expr) {
    print_base(out, expr->args[0]);
    base__buf_puts(out, "[");
    if (expr->args[1]) cql__print_expr(expr->args[1], out);
    if (expr->kind == CQL_EXPR_SLICE) {
        base__buf_puts(out, "..");
        if (expr->args[2]) cql__print_expr(expr->args[2], out);
    }
    base__buf_puts(out, "]");
}

/* Whether a hint of a named marker stands outside of all brackets: in braces its colon could be that
 * of a map. */
static bool hints_marker(const cql_expr *expr) {
    switch (expr->kind) {
    case CQL_EXPR_HINT:
        return expr->args[0]->kind == CQL_EXPR_MARKER || hints_marker(expr->args[0]);
    case CQL_EXPR_ARITH: return hints_marker(expr->args[0]) || hints_marker(expr->args[1]);
    case CQL_EXPR_NEGATE:
    case CQL_EXPR_FIELD:
    case CQL_EXPR_ELEMENT:
    case CQL_EXPR_SLICE: return hints_marker(expr->args[0]);
    default: return false;
    }
}

/* Written brackets go: the colon behind them could begin a marker that they hint. */
static void print_key(base_buf *out, const cql_expr *key) {
    if (hints_marker(key)) {
        print_in_brackets(out, key, 1);
    } else {
        print_inside(out, key);
    }
    base__buf_puts(out, ": ");
}

static void print_element(base_buf *out, const void *items, uint32_t i) {
    const cql_expr *element = ((const cql_expr *const *)items)[i];
    if (i == 0 && hints_marker(element)) {
        print_in_brackets(out, element, 1);
    } else {
        cql__print_expr(element, out);
    }
}

static void print_entry(base_buf *out, const void *items, uint32_t i) {
    const cql_expr *const *args = items;
    print_key(out, args[2 * i]);
    cql__print_expr(args[2 * i + 1], out);
}

static void print_field(base_buf *out, const void *items, uint32_t i) {
    const cql_expr *udt = items;
    cql__print_name(out, &udt->names[i]);
    base__buf_puts(out, ": ");
    cql__print_expr(udt->args[i], out);
}

/* The space: "-n" and "-i" would begin -NaN and -Infinity, and "-1" a number. */
static void print_negation(base_buf *out, const cql_expr *expr) {
    const cql_expr *operand = expr->args[0];
    bool            bracket = operand->parens || strength(operand) < MODIFIED;
    base__buf_puts(out, bracket ? "-" : "- ");
    print_at_least(out, operand, MODIFIED);
}

static void print_arithmetic(base_buf *out, const cql_expr *expr) {
    int own = strength(expr);
    print_at_least(out, expr->args[0], own);
    base__buf_printf(out, " %c ", expr->op);
    print_at_least(out, expr->args[1], own + 1);
}

static void print_call(base_buf *out, const char *name, const cql_expr *expr) {
    if (name) {
        base__buf_puts(out, name);
    } else {
        cql__print_function_name(out, &expr->name);
    }
    cql__print_enclosed(out, cql__print_expr_item, expr->args, expr->count);
}

static void print_cast(base_buf *out, const cql_expr *expr) {
    base__buf_puts(out, "CAST(");
    print_at_least(out, expr->args[0], MODIFIED);
    base__buf_puts(out, " AS ");
    cql__print_type_ast(expr->type, out);
    base__buf_puts(out, ")");
}

static void print_hint(base_buf *out, const cql_expr *expr) {
    base__buf_puts(out, "(");
    cql__print_type_ast(expr->type, out);
    base__buf_puts(out, ") ");
    print_at_least(out, expr->args[0], PRIMARY);
}

static void print_braces(base_buf *out, const cql_expr *expr) {
    base__buf_puts(out, "{");
    if (expr->kind == CQL_EXPR_SET) {
        cql__print_items(out, print_element, expr->args, expr->count, ", ");
    } else if (expr->kind == CQL_EXPR_MAP) {
        cql__print_items(out, print_entry, expr->args, expr->count / 2, ", ");
    } else {
        cql__print_items(out, print_field, expr, expr->count, ", ");
    }
    base__buf_puts(out, "}");
}

static void print_marker(base_buf *out, const cql_expr *expr) {
    base__buf_puts(out, expr->name.name.text.data ? ":" : "?");
    if (expr->name.name.text.data) cql__print_name(out, &expr->name.name);
}

static void print_list(base_buf *out, const cql_expr *expr) {
    base__buf_puts(out, "[");
    cql__print_items(out, cql__print_expr_item, expr->args, expr->count, ", ");
    base__buf_puts(out, "]");
}

static void print_member(base_buf *out, const cql_expr *expr) {
    print_base(out, expr->args[0]);
    base__buf_puts(out, ".");
    cql__print_name(out, &expr->name.name);
}

static void print_inside(base_buf *out, const cql_expr *expr) {
    switch (expr->kind) {
    case CQL_EXPR_NULL: base__buf_puts(out, "NULL"); break;
    case CQL_EXPR_STRING: cql__print_string(expr->text, out); break;
    case CQL_EXPR_INTEGER:
    case CQL_EXPR_FLOAT:
    case CQL_EXPR_BOOLEAN:
    case CQL_EXPR_UUID:
    case CQL_EXPR_HEX:
    case CQL_EXPR_DURATION: base__buf_put_str(out, expr->text); break;
    case CQL_EXPR_MARKER: print_marker(out, expr); break;
    case CQL_EXPR_LIST: print_list(out, expr); break;
    case CQL_EXPR_SET:
    case CQL_EXPR_MAP:
    case CQL_EXPR_UDT: print_braces(out, expr); break;
    case CQL_EXPR_TUPLE:
        cql__print_enclosed(out, cql__print_expr_item, expr->args, expr->count);
        break;
    case CQL_EXPR_HINT: print_hint(out, expr); break;
    case CQL_EXPR_CALL: print_call(out, NULL, expr); break;
    case CQL_EXPR_ARITH: print_arithmetic(out, expr); break;
    case CQL_EXPR_NEGATE: print_negation(out, expr); break;
    case CQL_EXPR_COLUMN: cql__print_name(out, &expr->name.name); break;
    case CQL_EXPR_FIELD: print_member(out, expr); break;
    case CQL_EXPR_ELEMENT:
    case CQL_EXPR_SLICE: print_subscript(out, expr); break;
    case CQL_EXPR_COUNT_ALL: base__buf_puts(out, "COUNT(*)"); break;
    case CQL_EXPR_CAST: print_cast(out, expr); break;
    case CQL_EXPR_WRITETIME: print_call(out, "WRITETIME", expr); break;
    case CQL_EXPR_MAXWRITETIME: print_call(out, "MAXWRITETIME", expr); break;
    case CQL_EXPR_TTL: print_call(out, "TTL", expr); break;
    }
}
