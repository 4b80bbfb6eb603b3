// SPDX-License-Identifier: MIT
/* parse.c -- the expressions of a pipeline, from text into trees: recursive descent over characters, one level a strength of binding.
 *
 *   or ─ and ─ not ─ comparison ─ sum (+ - ||) ─ product (* / %) ─ sign ─ field (a.b) ─ primary
 *
 * Everything lives in the caller's arena. Thread: the caller's. */
#include "aggregate/expr.h"

#include <stdio.h>

#include "base/fail.h"
#include "base/text.h"

enum { DEEPEST = 200 };

typedef struct parser {
    base_arena *arena;
    corm_str    text;
    size_t      at;
    uint32_t    depth;
    corm_error *err;
} parser;

static corm_status parse_or(parser *p, agg_node **out);

agg_node *agg__node_new(base_arena *arena, agg_node_kind kind, corm_str text) {
    agg_node *node = BASE_NEW(arena, agg_node);
    if (node) *node = (agg_node){ .kind = kind, .text = text };
    return node;
}

agg_node *agg__call_new(base_arena *arena, const char *name, uint32_t count, agg_node *a,
                        agg_node *b, agg_node *c) {
    agg_node  *node = agg__node_new(arena, AGG_CALL, corm_str_of(name));
    agg_node **args = BASE_NEW_ARRAY(arena, agg_node *, 3);
    if (!node || !args || (count > 0 && !a) || (count > 1 && !b) || (count > 2 && !c)) return NULL;
    args[0] = a;
    args[1] = b;
    args[2] = c;
    node->args = args;
    node->count = count;
    return node;
}

/* ---- characters and words ---- */

static corm_status fail(const parser *p, const char *what) {
    return base__fail_at(p->err, CORM_SYNTAX_ERROR, 1, (uint32_t)p->at,
                         "%s at character %zu of the expression \"%.*s\"", what, p->at + 1,
                         (int)p->text.len, p->text.data);
}

static int peek(const parser *p) {
    return p->at < p->text.len ? (unsigned char)p->text.data[p->at] : 0;
}

static void skip_space(parser *p) {
    while (peek(p) == ' ' || peek(p) == '\n' || peek(p) == '\t' || peek(p) == '\r') p->at++;
}

static bool is_letter(int c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
}

static bool is_digit(int c) {
    return c >= '0' && c <= '9';
}

static bool take(parser *p, const char *sign) {
    size_t len = strlen(sign);
    skip_space(p);
    if (p->text.len - p->at < len || memcmp(p->text.data + p->at, sign, len) != 0) return false;
    p->at += len;
    return true;
}

static corm_str word_here(parser *p) {
    skip_space(p);
    size_t end = p->at;
    while (end < p->text.len &&
           (is_letter((unsigned char)p->text.data[end]) || is_digit(p->text.data[end])))
        end++;
    return (corm_str){ p->text.data + p->at, end - p->at };
}

static bool take_word(parser *p, const char *word) {
    corm_str here = word_here(p);
    if (!base__str_equal_nocase(here, corm_str_of(word))) return false;
    p->at += here.len;
    return true;
}

static corm_status need(parser *p, const char *sign) {
    if (take(p, sign)) return CORM_OK;
    char what[32];
    snprintf(what, sizeof what, "'%s' is missing", sign);
    return fail(p, what);
}

static corm_status made(const parser *p, agg_node *node, agg_node **out) {
    *out = node;
    return node ? CORM_OK : base__fail_memory(p->err);
}

/* ---- literals and names ---- */

/* Between quotes, which are doubled inside. */
static corm_status parse_quoted(parser *p, char quote, corm_str *out) {
    char  *copy = base__arena_alloc(p->arena, p->text.len - p->at);
    size_t len = 0;
    if (!copy) return base__fail_memory(p->err);
    p->at++;
    while (p->at < p->text.len) {
        char c = p->text.data[p->at++];
        if (c == quote && peek(p) != quote) {
            *out = (corm_str){ copy, len };
            return CORM_OK;
        }
        if (c == quote) p->at++;
        copy[len++] = c;
    }
    return fail(p, "a closing quote is missing");
}

static corm_str lower(parser *p, corm_str word) {
    char *copy = base__arena_copy(p->arena, word.data, word.len);
    if (!copy) return (corm_str){ NULL, 0 };
    for (size_t i = 0; i < word.len; i++)
        if (copy[i] >= 'A' && copy[i] <= 'Z') copy[i] = (char)(copy[i] + ('a' - 'A'));
    return (corm_str){ copy, word.len };
}

static corm_status parse_name(parser *p, corm_str *out) {
    skip_space(p);
    if (peek(p) == '"') return parse_quoted(p, '"', out);
    corm_str word = word_here(p);
    if (word.len == 0 || is_digit((unsigned char)word.data[0])) return fail(p, "a name is missing");
    p->at += word.len;
    *out = lower(p, word);
    return out->data ? CORM_OK : base__fail_memory(p->err);
}

static corm_status parse_number(parser *p, agg_node **out) {
    size_t start = p->at;
    while (is_digit(peek(p))) p->at++;
    if (peek(p) == '.') {
        p->at++;
        while (is_digit(peek(p))) p->at++;
    }
    if (peek(p) == 'e' || peek(p) == 'E') {
        p->at++;
        if (peek(p) == '+' || peek(p) == '-') p->at++;
        if (!is_digit(peek(p))) return fail(p, "an exponent has no digits");
        while (is_digit(peek(p))) p->at++;
    }
    corm_str digits = { p->text.data + start, p->at - start };
    return made(p, agg__node_new(p->arena, AGG_NUMBER, digits), out);
}

/* ---- calls ---- */

static corm_status take_args(parser *p, agg_node *call, agg_node **found) {
    call->args = BASE_NEW_ARRAY(p->arena, agg_node *, call->count);
    if (!call->args) return base__fail_memory(p->err);
    memcpy(call->args, found, call->count * sizeof *found);
    return CORM_OK;
}

/* Behind the opening parenthesis, to the closing one. */
static corm_status parse_args(parser *p, agg_node *call) {
    agg_node *found[AGG_MOST_ARGS];
    call->distinct = take_word(p, "distinct");
    if (!call->distinct && take(p, ")")) return CORM_OK;
    do {
        if (call->count == AGG_MOST_ARGS) return fail(p, "there are too many arguments");
        agg_node **to = &found[call->count];
        if (take(p, "*")) {
            CORM_TRY(made(p, agg__node_new(p->arena, AGG_STAR, corm_str_of("*")), to));
        } else {
            CORM_TRY(parse_or(p, to));
        }
        call->count++;
    } while (take(p, ","));
    CORM_TRY(need(p, ")"));
    return take_args(p, call, found);
}

/* cast(x AS type) */
static corm_status parse_cast(parser *p, agg_node **out) {
    agg_node *value;
    CORM_TRY(parse_or(p, &value));
    if (!take_word(p, "as")) return fail(p, "AS is missing");
    skip_space(p);
    size_t start = p->at, depth = 0;
    while (peek(p) && (peek(p) != ')' || depth > 0)) {
        if (peek(p) == '<') depth++;
        if (peek(p) == '>') depth--;
        p->at++;
    }
    corm_str  type = base__str_trim((corm_str){ p->text.data + start, p->at - start });
    agg_node *name = agg__node_new(p->arena, AGG_STRING, type);
    CORM_TRY(need(p, ")"));
    if (!name) return base__fail_memory(p->err);
    return made(p, agg__call_new(p->arena, "cast", 2, value, name, NULL), out);
}

/* CASE [x] WHEN a THEN b … ELSE c END: pairs and what else. */
static corm_status parse_case(parser *p, agg_node **out) {
    agg_node *found[AGG_MOST_ARGS], *subject = NULL, *call;
    CORM_TRY(made(p, agg__node_new(p->arena, AGG_CALL, corm_str_of("case")), &call));
    if (!base__str_equal_nocase(word_here(p), corm_str_of("when"))) CORM_TRY(parse_or(p, &subject));
    while (take_word(p, "when")) {
        if (call->count + 3 > AGG_MOST_ARGS) return fail(p, "there are too many branches");
        agg_node *when;
        CORM_TRY(parse_or(p, &when));
        if (subject) when = agg__call_new(p->arena, "=", 2, subject, when, NULL);
        if (!when) return base__fail_memory(p->err);
        if (!take_word(p, "then")) return fail(p, "THEN is missing");
        found[call->count++] = when;
        CORM_TRY(parse_or(p, &found[call->count++]));
    }
    if (call->count == 0) return fail(p, "WHEN is missing");
    if (take_word(p, "else")) {
        CORM_TRY(parse_or(p, &found[call->count++]));
    } else {
        CORM_TRY(made(p, agg__node_new(p->arena, AGG_NOTHING, corm_str_of("null")),
                      &found[call->count++]));
    }
    if (!take_word(p, "end")) return fail(p, "END is missing");
    *out = call;
    return take_args(p, call, found);
}

static corm_status parse_word(parser *p, agg_node **out) {
    if (take_word(p, "null"))
        return made(p, agg__node_new(p->arena, AGG_NOTHING, corm_str_of("null")), out);
    if (take_word(p, "true"))
        return made(p, agg__node_new(p->arena, AGG_TRUTH, corm_str_of("true")), out);
    if (take_word(p, "false"))
        return made(p, agg__node_new(p->arena, AGG_TRUTH, corm_str_of("false")), out);
    if (take_word(p, "case")) return parse_case(p, out);
    corm_str name;
    CORM_TRY(parse_name(p, &name));
    if (!take(p, "(")) return made(p, agg__node_new(p->arena, AGG_NAME, name), out);
    if (corm_str_equal(name, corm_str_of("cast"))) return parse_cast(p, out);
    CORM_TRY(made(p, agg__node_new(p->arena, AGG_CALL, name), out));
    return parse_args(p, *out);
}

static corm_status parse_primary(parser *p, agg_node **out) {
    corm_str text;
    skip_space(p);
    if (take(p, "(")) {
        CORM_TRY(parse_or(p, out));
        return need(p, ")");
    }
    if (is_digit(peek(p))) return parse_number(p, out);
    if (peek(p) == '\'') {
        CORM_TRY(parse_quoted(p, '\'', &text));
        return made(p, agg__node_new(p->arena, AGG_STRING, text), out);
    }
    if (take(p, ":")) {
        CORM_TRY(parse_name(p, &text));
        return made(p, agg__node_new(p->arena, AGG_PARAMETER, text), out);
    }
    return parse_word(p, out);
}

/* ---- operators ---- */

static corm_status parse_field(parser *p, agg_node **out) {
    CORM_TRY(parse_primary(p, out));
    while (take(p, ".")) {
        corm_str name;
        CORM_TRY(parse_name(p, &name));
        agg_node *field = agg__node_new(p->arena, AGG_STRING, name);
        if (!field) return base__fail_memory(p->err);
        CORM_TRY(made(p, agg__call_new(p->arena, "field", 2, *out, field, NULL), out));
    }
    return CORM_OK;
}

static corm_status parse_sign(parser *p, agg_node **out) {
    if (!take(p, "-")) return parse_field(p, out);
    if (++p->depth > DEEPEST) return fail(p, "the expression is nested too deeply");
    CORM_TRY(parse_sign(p, out));
    p->depth--;
    return made(p, agg__call_new(p->arena, "negate", 1, *out, NULL, NULL), out);
}

static const char *take_one_of(parser *p, const char *const *signs) {
    for (; *signs; signs++)
        if (take(p, *signs)) return *signs;
    return NULL;
}

static corm_status parse_binary(parser *p, const char *const                          *signs,
                                corm_status (*next)(parser *, agg_node **), agg_node **out) {
    const char *sign;
    agg_node   *right;
    CORM_TRY(next(p, out));
    while ((sign = take_one_of(p, signs)) != NULL) {
        CORM_TRY(next(p, &right));
        CORM_TRY(made(p, agg__call_new(p->arena, sign, 2, *out, right, NULL), out));
    }
    return CORM_OK;
}

static corm_status parse_product(parser *p, agg_node **out) {
    static const char *const signs[] = { "*", "/", "%", NULL };
    return parse_binary(p, signs, parse_sign, out);
}

static corm_status parse_sum(parser *p, agg_node **out) {
    static const char *const signs[] = { "+", "-", "||", NULL };
    return parse_binary(p, signs, parse_product, out);
}

/* a IN (b, c) is in(a, b, c); a IN :list is in(a, :list). */
static corm_status parse_in(parser *p, agg_node **out) {
    agg_node *call, *list;
    CORM_TRY(made(p, agg__node_new(p->arena, AGG_CALL, corm_str_of("in")), &call));
    if (take(p, "(")) {
        CORM_TRY(parse_args(p, call));
    } else {
        CORM_TRY(parse_primary(p, &list));
        call->args = &list;
        call->count = 1;
    }
    agg_node **args = BASE_NEW_ARRAY(p->arena, agg_node *, call->count + 1);
    if (!args) return base__fail_memory(p->err);
    args[0] = *out;
    if (call->count > 0) memcpy(args + 1, call->args, call->count * sizeof *args);
    call->args = args;
    call->count++;
    *out = call;
    return CORM_OK;
}

static corm_status parse_between(parser *p, agg_node **out) {
    agg_node *least, *most;
    CORM_TRY(parse_sum(p, &least));
    if (!take_word(p, "and")) return fail(p, "AND is missing");
    CORM_TRY(parse_sum(p, &most));
    agg_node *above = agg__call_new(p->arena, ">=", 2, *out, least, NULL);
    agg_node *below = agg__call_new(p->arena, "<=", 2, *out, most, NULL);
    if (!above || !below) return base__fail_memory(p->err);
    return made(p, agg__call_new(p->arena, "and", 2, above, below, NULL), out);
}

static corm_status negate(parser *p, bool negated, agg_node **out) {
    if (!negated) return CORM_OK;
    return made(p, agg__call_new(p->arena, "not", 1, *out, NULL, NULL), out);
}

/* IS NULL, IN, LIKE, BETWEEN, CONTAINS; *found says whether there was one. */
static corm_status parse_predicate(parser *p, agg_node **out, bool *found) {
    *found = true;
    if (take_word(p, "is")) {
        bool negated = take_word(p, "not");
        if (!take_word(p, "null")) return fail(p, "NULL is missing");
        CORM_TRY(made(p, agg__call_new(p->arena, "is_null", 1, *out, NULL, NULL), out));
        return negate(p, negated, out);
    }
    bool        negated = take_word(p, "not");
    const char *word = NULL;
    if (take_word(p, "in")) {
        CORM_TRY(parse_in(p, out));
    } else if (take_word(p, "between")) {
        CORM_TRY(parse_between(p, out));
    } else {
        if (take_word(p, "like")) word = "like";
        if (!word && take_word(p, "contains")) word = take_word(p, "key") ? "has_key" : "has";
        *found = word != NULL;
        if (!word) return negated ? fail(p, "IN, LIKE or BETWEEN is missing") : CORM_OK;
        agg_node *right;
        CORM_TRY(parse_sum(p, &right));
        CORM_TRY(made(p, agg__call_new(p->arena, word, 2, *out, right, NULL), out));
    }
    return negate(p, negated, out);
}

static corm_status parse_comparison(parser *p, agg_node **out) {
    static const char *const signs[] = { "<=", ">=", "!=", "<>", "=", "<", ">", NULL };
    bool                     found = true;
    CORM_TRY(parse_sum(p, out));
    while (found) CORM_TRY(parse_predicate(p, out, &found));
    const char *sign = take_one_of(p, signs);
    agg_node   *right;
    if (!sign) return CORM_OK;
    CORM_TRY(parse_sum(p, &right));
    if (strcmp(sign, "<>") == 0) sign = "!=";
    return made(p, agg__call_new(p->arena, sign, 2, *out, right, NULL), out);
}

static corm_status parse_not(parser *p, agg_node **out) {
    if (!take_word(p, "not")) return parse_comparison(p, out);
    if (++p->depth > DEEPEST) return fail(p, "the expression is nested too deeply");
    CORM_TRY(parse_not(p, out));
    p->depth--;
    return negate(p, true, out);
}

static corm_status parse_words(parser *p, const char                                 *word,
                               corm_status (*next)(parser *, agg_node **), agg_node **out) {
    agg_node *right;
    CORM_TRY(next(p, out));
    while (take_word(p, word)) {
        CORM_TRY(next(p, &right));
        CORM_TRY(made(p, agg__call_new(p->arena, word, 2, *out, right, NULL), out));
    }
    return CORM_OK;
}

static corm_status parse_and(parser *p, agg_node **out) {
    return parse_words(p, "and", parse_not, out);
}

static corm_status parse_or(parser *p, agg_node **out) {
    if (++p->depth > DEEPEST) return fail(p, "the expression is nested too deeply");
    CORM_TRY(parse_words(p, "or", parse_and, out));
    p->depth--;
    return CORM_OK;
}

/* ---- the whole ---- */

static corm_status begin(parser *p, base_arena *arena, corm_str text, corm_error *err) {
    *p = (parser){ .arena = arena, .text = base__arena_str(arena, text), .err = err };
    return p->text.data ? CORM_OK : base__fail_memory(err);
}

static corm_status end(parser *p) {
    skip_space(p);
    return p->at == p->text.len ? CORM_OK : fail(p, "something unexpected stands");
}

corm_status agg__parse(base_arena *arena, corm_str text, agg_node **out, corm_error *err) {
    parser p;
    CORM_TRY(begin(&p, arena, text, err));
    CORM_TRY(parse_or(&p, out));
    return end(&p);
}

static corm_status parse_item(parser *p, agg_named *item) {
    skip_space(p);
    size_t start = p->at;
    CORM_TRY(parse_or(p, &item->node));
    item->name = base__str_trim((corm_str){ p->text.data + start, p->at - start });
    if (item->node->kind == AGG_NAME) item->name = item->node->text;
    return take_word(p, "as") ? parse_name(p, &item->name) : CORM_OK;
}

corm_status agg__parse_list(base_arena *arena, corm_str text, agg_named **items, uint32_t *count,
                            corm_error *err) {
    parser    p;
    agg_named found[AGG_MOST_ITEMS];
    *count = 0;
    CORM_TRY(begin(&p, arena, text, err));
    do {
        if (*count == AGG_MOST_ITEMS) return fail(&p, "there are too many expressions");
        CORM_TRY(parse_item(&p, &found[(*count)++]));
    } while (take(&p, ","));
    CORM_TRY(end(&p));
    *items = base__arena_copy(arena, found, *count * sizeof *found);
    return *items ? CORM_OK : base__fail_memory(err);
}
