// SPDX-License-Identifier: MIT
/* parser.c -- the core of the parser: tokens with lookahead, errors, going on after one, and the
 * three doors cql__parse, cql__parse_term and cql__parse_type.
 *
 * Recursive descent over a copy of the text in the arena; the tree points into that copy. An error is
 * reported once, in the words of the server's parser generator, and parsing goes on at the next item
 * of a list or the next clause. Runs on the caller's thread, shares nothing. */
#include "base/fail.h"
#include "base/text.h"
#include "cql/parse.h"

#include <stdio.h>

/* ---- tokens ---- */

void cql__parser_init(cql_parser *p, base_arena *arena, corm_str text,
                      cql_diagnostics *diagnostics) {
    *p = (cql_parser){ .arena = arena, .diagnostics = diagnostics };
    diagnostics->count = 0;
    char *copy = base__arena_copy(arena, text.len ? text.data : "", text.len);
    if (!copy) cql__out_of_memory(p);
    cql__lexer_init(&p->lexer, (corm_str){ copy, copy ? text.len : 0 });
}

static void report_flaw(cql_parser *p, const cql_tok *tok);

static cql_tok *fetch(cql_parser *p) {
    cql_tok *tok = &p->tokens[(p->first + p->ready) % CQL_LOOKAHEAD];
    cql__scan(&p->lexer, tok);
    while (tok->symbol == CQL_T_ERROR) {
        report_flaw(p, tok);
        cql__scan(&p->lexer, tok);
        p->failed_at = tok->offset + 1; /* what the skipped text lacks is not missed once more */
    }
    p->ready++;
    return tok;
}

const cql_tok *cql__peek_token(cql_parser *p, uint32_t ahead) {
    while (p->ready <= ahead) fetch(p);
    return &p->tokens[(p->first + ahead) % CQL_LOOKAHEAD];
}

static int opens(unsigned symbol) {
    switch (symbol) {
    case CQL_T_LPAREN:
    case CQL_T_LBRACKET:
    case CQL_T_LBRACE:
    case CQL_T_EXPR: return 1;
    case CQL_T_RPAREN:
    case CQL_T_RBRACKET:
    case CQL_T_RBRACE: return -1;
    default: return 0;
    }
}

void cql__advance(cql_parser *p) {
    int step = opens(cql__peek(p, 0));
    if (step > 0) p->open++;
    if (step < 0 && p->open > 0) p->open--;
    p->first = (p->first + 1) % CQL_LOOKAHEAD;
    p->ready--;
}

bool cql__accept(cql_parser *p, cql_symbol symbol) {
    if (cql__peek(p, 0) != symbol) return false;
    cql__advance(p);
    return true;
}

bool cql__accept_words(cql_parser *p, cql_symbol first, cql_symbol second) {
    if (cql__peek(p, 0) != first || cql__peek(p, 1) != second) return false;
    cql__advance(p);
    cql__advance(p);
    return true;
}

bool cql__expect(cql_parser *p, cql_symbol symbol) {
    if (cql__accept(p, symbol)) return true;
    cql__mismatch(p, symbol);
    return !p->no_memory && cql__guess(p, &symbol, 1) && cql__accept(p, symbol);
}

corm_str cql__token_text(cql_parser *p, const cql_tok *tok) {
    return (corm_str){ p->lexer.text.data + tok->offset, tok->length };
}

/* ---- memory ---- */

bool cql__out_of_memory(cql_parser *p) {
    p->no_memory = true;
    p->failed = true;
    return false;
}

void *cql__new(cql_parser *p, size_t size) {
    void *object = base__arena_calloc(p->arena, 1, size);
    if (!object) cql__out_of_memory(p);
    return object;
}

/* Arrays have room for 4 items, and double when the count is a power of two. */
void *cql__grow(cql_parser *p, const void *items, uint32_t count, size_t size) {
    if (count == 0) return cql__new(p, 4 * size);
    if (count < 4 || (count & (count - 1)) != 0) return (void *)(uintptr_t)items;
    uint8_t *larger = base__arena_calloc(p->arena, (size_t)count * 2, size);
    if (!larger) {
        cql__out_of_memory(p);
        return NULL;
    }
    return memcpy(larger, items, count * size);
}

/* ---- errors ---- */

static void add_diagnostic(cql_parser *p, cql_place place, uint32_t length, corm_str message) {
    p->failed = true;
    if (!message.data) {
        cql__out_of_memory(p);
        return;
    }
    cql_diagnostics *all = p->diagnostics;
    if (all->count == CQL_MAX_DIAGNOSTICS) return;
    all->items[all->count++] = (cql_diagnostic){ place, length ? length : 1, message };
}

/* The text of a token as the server shows it: strings without quotes, line ends escaped. */
static corm_str shown_text(cql_parser *p, const cql_tok *tok) {
    enum { MOST = 200 };
    corm_str text = cql__token_text(p, tok);
    if (tok->symbol == CQL_T_END) return corm_str_of("<EOF>");
    if (tok->symbol == CQL_T_STRING || tok->symbol == CQL_T_QUOTED) {
        size_t quote = text.data[0] == '$' ? 2 : 1;
        text = (corm_str){ text.data + quote, text.len - 2 * quote };
    }
    if (text.len > MOST) text.len = MOST;
    char *out = base__arena_alloc(p->arena, 2 * text.len);
    if (!out) return (corm_str){ 0 };
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c == '\n' || c == '\r' || c == '\t') {
            out[len++] = '\\';
            c = (char)(c == '\n' ? 'n' : c == '\r' ? 'r' : 't');
        } else if (c == *text.data && i + 1 < text.len && text.data[i + 1] == c && tok->escaped &&
                   (c == '\'' || c == '"')) {
            i++;
        }
        out[len++] = c;
    }
    return (corm_str){ out, len };
}

static uint32_t shown_length(cql_parser *p, const cql_tok *tok) {
    corm_str    text = cql__token_text(p, tok);
    const char *line_end = text.len ? memchr(text.data, '\n', text.len) : NULL;
    if (line_end) text.len = (size_t)(line_end - text.data);
    return (uint32_t)base__utf8_length(text);
}

/* Reports at a token: `format` gets its text and `more`. */
static bool report_token(cql_parser *p, const cql_tok *tok, const char *format, const char *more) {
    if (p->no_memory) return false;
    bool again = p->failed_at == tok->offset + 1;
    p->failed = true;
    p->failed_at = tok->offset + 1;
    if (again || !p->diagnostics) return false;
    corm_str text = shown_text(p, tok);
    if (!text.data) return cql__out_of_memory(p);
    if (p->diagnostics->count == 0) p->at_end = tok->symbol == CQL_T_END;
    corm_str message = base__arena_printf(p->arena, format, (int)text.len, text.data, more);
    add_diagnostic(p, tok->place, shown_length(p, tok), message);
    return false;
}

bool cql__mismatch(cql_parser *p, cql_symbol expected) {
    return report_token(p, cql__peek_token(p, 0), "mismatched input '%.*s' expecting %s",
                        cql__symbol_name(expected));
}

bool cql__no_viable(cql_parser *p, uint32_t ahead) {
    return report_token(p, cql__peek_token(p, ahead), "no viable alternative at input '%.*s'%s",
                        "");
}

enum {
    TABLE = CQL_BEHIND_TABLE,
    TERM = CQL_BEHIND_TERM,
    SELECTOR = CQL_BEHIND_SELECTOR,
    TYPE = CQL_BEHIND_TYPE,
    ALL = TABLE | TERM | SELECTOR | TYPE
};

static const uint8_t behind[CQL_SYMBOL_COUNT] = {
    [CQL_T_END] = ALL,
    [CQL_T_SEMICOLON] = ALL,
    [CQL_T_COMMA] = TERM | SELECTOR | TYPE,
    [CQL_T_RPAREN] = TERM | SELECTOR | TYPE,
    [CQL_T_RBRACKET] = TERM | SELECTOR,
    [CQL_T_RBRACE] = TERM | SELECTOR,
    [CQL_T_COLON] = TERM | SELECTOR,
    [CQL_T_RANGE] = TERM,
    [CQL_T_LPAREN] = TABLE | SELECTOR,
    [CQL_T_LBRACKET] = SELECTOR,
    [CQL_T_DOT] = TABLE | SELECTOR | TYPE,
    [CQL_T_PLUS] = TERM | SELECTOR,
    [CQL_T_MINUS] = TERM | SELECTOR,
    [CQL_T_STAR] = SELECTOR,
    [CQL_T_SLASH] = SELECTOR,
    [CQL_T_PERCENT] = SELECTOR,
    [CQL_T_GT] = TYPE,
    [CQL_K_WHERE] = TABLE | TERM,
    [CQL_K_GROUP] = TABLE | TERM,
    [CQL_K_ORDER] = TABLE | TERM | SELECTOR,
    [CQL_K_PER] = TABLE | TERM | SELECTOR,
    [CQL_K_LIMIT] = TABLE | TERM | SELECTOR,
    [CQL_K_ALLOW] = TABLE | TERM | SELECTOR,
    [CQL_K_ASC] = TERM,
    [CQL_K_DESC] = TERM,
    [CQL_K_AND] = TERM,
    [CQL_K_IF] = TERM,
    [CQL_K_AS] = TABLE | SELECTOR,
    [CQL_K_FROM] = TABLE | SELECTOR,
    [CQL_K_TO] = TABLE,
    [CQL_K_OF] = TABLE,
    [CQL_K_NORECURSIVE] = TABLE,
    [CQL_K_JSON] = TABLE,
    [CQL_K_USING] = TABLE,
    [CQL_K_SET] = TABLE,
    [CQL_K_WITH] = TABLE,
    [CQL_K_ALTER] = TABLE,
    [CQL_K_ADD] = TABLE,
    [CQL_K_DROP] = TABLE,
    [CQL_K_RENAME] = TABLE,
    [CQL_K_PRIMARY] = TABLE | TERM | TYPE,
    [CQL_K_INSERT] = TERM,
    [CQL_K_UPDATE] = TERM,
    [CQL_K_DELETE] = TERM,
    [CQL_K_APPLY] = TERM,
    [CQL_K_STATIC] = TYPE,
    [CQL_K_MASKED] = TYPE,
    [CQL_K_LANGUAGE] = TYPE,
    [CQL_K_FINALFUNC] = TYPE,
    [CQL_K_INITCOND] = TYPE,
};

void cql__check_behind(cql_parser *p, unsigned what) {
    if (!(behind[cql__peek(p, 0)] & what)) cql__no_viable(p, 0);
}

bool cql__refuse(cql_parser *p, cql_place place, corm_str message) {
    p->failed = true;
    if (!p->diagnostics || p->no_memory) return false;
    if (p->diagnostics->count == 0) p->bare = true;
    const cql_tok *tok = cql__peek_token(p, 0);
    bool           here = tok->place.line == place.line && tok->place.column == place.column;
    add_diagnostic(p, place, here ? shown_length(p, tok) : 1, message);
    return false;
}

/* The place `bytes` behind the start of a token. */
static cql_place place_behind(corm_str text, cql_place place, size_t bytes) {
    for (size_t i = 0; i < bytes; i++) {
        if (text.data[i] == '\n') {
            place.line++;
            place.column = 0;
        } else if (((unsigned char)text.data[i] & 0xc0) != 0x80) {
            place.column++;
        }
    }
    return place;
}

static void report_flaw(cql_parser *p, const cql_tok *tok) {
    static const char *const texts[] = {
#define FLAW(name, text) text,
        CQL_FLAW_MAP(FLAW)
#undef FLAW
    };
    p->failed = true;
    if (!p->diagnostics || p->no_memory) return;
    corm_str  all = p->lexer.text;
    size_t    start = tok->offset, bad = start + tok->flaw_at, len = 1;
    cql_place place =
        place_behind((corm_str){ all.data + start, all.len - start }, tok->place, tok->flaw_at);
    char shown[8] = "<EOF>";
    if (bad < all.len) {
        while (len < 4 && bad + len < all.len &&
               ((unsigned char)all.data[bad + len] & 0xc0) == 0x80)
            len++;
        memcpy(shown, all.data + bad, len);
        shown[len] = '\0';
    }
    add_diagnostic(p, place, 1, base__arena_printf(p->arena, texts[tok->flaw], shown));
}

bool cql__too_deep(cql_parser *p) {
    return report_token(p, cql__peek_token(p, 0), "nesting is too deep at input '%.*s'%s", "");
}

bool cql__enter(cql_parser *p) {
    if (p->depth >= CQL_MAX_DEPTH) return cql__too_deep(p);
    p->depth++;
    return true;
}

/* ---- going on after an error ---- */

/* Words that begin a clause and can be no name; and VALUES with its bracket. */
static bool begins_clause(cql_parser *p) {
    switch (cql__peek(p, 0)) {
    case CQL_K_VALUES: return cql__peek(p, 1) == CQL_T_LPAREN;
    case CQL_K_FROM:
    case CQL_K_WHERE:
    case CQL_K_SET:
    case CQL_K_USING:
    case CQL_K_IF:
    case CQL_K_ORDER:
    case CQL_K_LIMIT:
    case CQL_K_ALLOW:
    case CQL_K_WITH:
    case CQL_K_APPLY:
    case CQL_K_INSERT:
    case CQL_K_UPDATE:
    case CQL_K_DELETE: return true;
    default: return false;
    }
}

static bool can_go_on(const cql_parser *p) {
    return !p->no_memory && p->diagnostics && p->diagnostics->count < CQL_MAX_DIAGNOSTICS;
}

/* What stands here was not asked for, but the error before it has been reported. */
static void silence(cql_parser *p) {
    p->failed_at = cql__peek_token(p, 0)->offset + 1;
}

bool cql__recover(cql_parser *p, uint32_t open, cql_symbol separator) {
    if (!can_go_on(p)) return false;
    for (;; cql__advance(p)) {
        cql_symbol symbol = cql__peek(p, 0);
        if (symbol == CQL_T_END || symbol == CQL_T_SEMICOLON || begins_clause(p)) {
            silence(p);
            return symbol == separator;
        }
        if (p->open > open) continue;
        if (symbol == separator || opens(symbol) < 0) return true;
    }
}

bool cql__recover_clause(cql_parser *p) {
    if (!can_go_on(p)) return false;
    while (!begins_clause(p)) {
        cql_symbol symbol = cql__peek(p, 0);
        if (symbol == CQL_T_END || symbol == CQL_T_SEMICOLON) return false;
        cql__advance(p);
    }
    p->open = 0;
    p->depth = 0;
    silence(p);
    return true;
}

/* Whether the current token was reported: the item ended in front of what cannot follow it. */
static bool is_stuck(cql_parser *p) {
    return p->failed && p->failed_at == cql__peek_token(p, 0)->offset + 1;
}

static bool parse_item(cql_parser *p, cql_symbol separator, cql_item_fn *item, void *context) {
    uint32_t open = p->open, depth = p->depth;
    if (item(p, context)) return true;
    p->depth = depth;
    return cql__recover(p, open, separator);
}

bool cql__parse_items(cql_parser *p, cql_symbol separator, cql_item_fn *item, void *context) {
    do {
        if (!parse_item(p, separator, item, context)) return false;
    } while (cql__accept(p, separator));
    return true;
}

bool cql__parse_enclosed_item(cql_parser *p, cql_item_fn *item, void *context) {
    uint32_t open = p->open;
    return parse_item(p, CQL_T_COMMA, item, context) &&
           (!is_stuck(p) || cql__recover(p, open, CQL_T_COMMA));
}

bool cql__parse_until(cql_parser *p, cql_symbol closer, cql_item_fn *item, void *context) {
    do {
        if (!cql__parse_enclosed_item(p, item, context)) return false;
    } while (cql__accept(p, CQL_T_COMMA));
    return cql__expect(p, closer);
}

bool cql__parse_enclosed(cql_parser *p, cql_item_fn *item, void *context) {
    return cql__expect(p, CQL_T_LPAREN) && cql__parse_until(p, CQL_T_RPAREN, item, context);
}

bool cql__parse_enclosed_or_none(cql_parser *p, cql_item_fn *item, void *context) {
    if (cql__accept_words(p, CQL_T_LPAREN, CQL_T_RPAREN)) return true;
    return cql__parse_enclosed(p, item, context);
}

bool cql__guess(cql_parser *p, const cql_symbol *words, size_t count) {
    const cql_tok *tok = cql__peek_token(p, 0);
    char           upper[16];
    if (tok->symbol != CQL_T_IDENT || tok->length > sizeof upper || tok->length < 3) return false;
    corm_str text = cql__token_text(p, tok);
    for (size_t i = 0; i < text.len; i++) upper[i] = (char)(text.data[i] & 0xdf);
    for (size_t i = 0; i < count; i++) {
        corm_str word = corm_str_of(cql__symbol_text(words[i]));
        if (word.len < 3) continue;
        size_t distance = base__edit_distance((corm_str){ upper, text.len }, word);
        if (distance > (word.len < 5 ? 1u : 2u)) continue;
        p->tokens[p->first].symbol = (uint8_t)words[i];
        return true;
    }
    return false;
}

bool cql__clause_again(cql_parser *p, const cql_symbol *words, size_t count) {
    cql_symbol symbol = cql__peek(p, 0);
    if (symbol == CQL_T_END || symbol == CQL_T_SEMICOLON || !can_go_on(p)) return false;
    cql_symbol end = p->in_batch ? CQL_K_APPLY : CQL_T_END;
    for (size_t i = 0; i < count; i++) {
        if (symbol != words[i]) continue;
        cql__mismatch(p, end);
        return !p->no_memory;
    }
    if (symbol != CQL_T_IDENT) return false;
    cql__mismatch(p, end);
    return !p->no_memory && cql__guess(p, words, count);
}

/* ---- statements ---- */

typedef struct first_word {
    cql_symbol word;
    bool (*parse)(cql_parser *p, cql_statement *s);
} first_word;

static const first_word first_words[] = {
    { CQL_K_SELECT, cql__parse_select },     { CQL_K_INSERT, cql__parse_insert },
    { CQL_K_UPDATE, cql__parse_update },     { CQL_K_DELETE, cql__parse_delete },
    { CQL_K_BEGIN, cql__parse_batch },       { CQL_K_USE, cql__parse_use },
    { CQL_K_TRUNCATE, cql__parse_truncate }, { CQL_K_CREATE, cql__parse_create },
    { CQL_K_ALTER, cql__parse_alter },       { CQL_K_DROP, cql__parse_drop },
    { CQL_K_GRANT, cql__parse_grant },       { CQL_K_REVOKE, cql__parse_revoke },
    { CQL_K_LIST, cql__parse_list },         { CQL_K_ADD, cql__parse_add },
    { CQL_K_DESCRIBE, cql__parse_describe }, { CQL_K_DESC, cql__parse_describe },
};

enum { FIRST_WORDS = sizeof first_words / sizeof first_words[0] };

static bool guess_first_word(cql_parser *p) {
    cql_symbol words[FIRST_WORDS];
    for (size_t i = 0; i < FIRST_WORDS; i++) words[i] = first_words[i].word;
    return cql__guess(p, words, FIRST_WORDS);
}

bool cql__parse_statement(cql_parser *p, cql_statement *s) {
    s->place = cql__place(p);
    for (int tries = 0; tries < 2; tries++) {
        cql_symbol symbol = cql__peek(p, 0);
        for (size_t i = 0; i < FIRST_WORDS; i++) {
            if (first_words[i].word == symbol) return first_words[i].parse(p, s);
        }
        cql__no_viable(p, 0);
        if (p->no_memory || !guess_first_word(p)) return false;
    }
    return false;
}

static bool parse_end(cql_parser *p) {
    while (cql__accept(p, CQL_T_SEMICOLON)) continue;
    return cql__at(p, CQL_T_END) || cql__mismatch(p, CQL_T_END);
}

/* ---- doors ---- */

/* The server gives the end of the text no place: its words are "line 0:-1 …". */
static corm_status fail_with_first(const cql_parser *p, corm_error *err) {
    if (p->no_memory) return base__fail_memory(err);
    const cql_diagnostic *first = &p->diagnostics->items[0];
    uint32_t              line = first->place.line, column = first->place.column;
    int                   len = (int)first->message.len;
    char                  place[48] = "";
    if (p->at_end)
        snprintf(place, sizeof place, "line 0:-1 ");
    else if (!p->bare)
        snprintf(place, sizeof place, "line %u:%u ", line, column);
    return base__fail_at(err, CORM_SYNTAX_ERROR, line, column, "%s%.*s", place, len,
                         first->message.data);
}

static corm_status fail_with_size(cql_diagnostics *diagnostics, corm_error *err) {
    static const char message[] = "the statement is too long";
    diagnostics->count = 1;
    diagnostics->items[0] = (cql_diagnostic){ { 1, 0 }, 1, { message, sizeof message - 1 } };
    return base__fail_at(err, CORM_SYNTAX_ERROR, 1, 0, "%s", message);
}

typedef bool parse_fn(cql_parser *p, void *out);

static corm_status parse_all(base_arena *arena, corm_str text, parse_fn *parse, void *out,
                             cql_diagnostics *diagnostics, corm_error *err) {
    cql_diagnostics own;
    if (!diagnostics) diagnostics = &own;
    if (text.len >= UINT32_MAX / 2) return fail_with_size(diagnostics, err);
    cql_parser p;
    cql__parser_init(&p, arena, text, diagnostics);
    bool good = !p.no_memory && parse(&p, out);
    return good && !p.failed ? CORM_OK : fail_with_first(&p, err);
}

static bool statement_door(cql_parser *p, void *out) {
    cql_statement **statement = out;
    cql_statement  *s = CQL_NEW(p, cql_statement);
    if (!s || !cql__parse_statement(p, s) || !parse_end(p)) return false;
    s->marker_count = p->markers;
    *statement = s;
    return true;
}

static bool term_door(cql_parser *p, void *out) {
    return cql__parse_expr(p, out) && (cql__at(p, CQL_T_END) || cql__mismatch(p, CQL_T_END));
}

static bool type_door(cql_parser *p, void *out) {
    return cql__parse_type_ast(p, out) && (cql__at(p, CQL_T_END) || cql__mismatch(p, CQL_T_END));
}

corm_status cql__parse(base_arena *arena, corm_str text, cql_statement **out,
                       cql_diagnostics *diagnostics, corm_error *err) {
    *out = NULL;
    cql_statement *statement = NULL;
    corm_status    status = parse_all(arena, text, statement_door, &statement, diagnostics, err);
    if (status == CORM_OK) *out = statement;
    return status;
}

corm_status cql__parse_term(base_arena *arena, corm_str text, cql_expr **out, corm_error *err) {
    *out = NULL;
    cql_expr   *expr = NULL;
    corm_status status = parse_all(arena, text, term_door, &expr, NULL, err);
    if (status == CORM_OK) *out = expr;
    return status;
}

corm_status cql__parse_type(base_arena *arena, corm_str text, const cql_type_ast **out,
                            corm_error *err) {
    *out = NULL;
    const cql_type_ast *type = NULL;
    corm_status         status = parse_all(arena, text, type_door, &type, NULL, err);
    if (status == CORM_OK) *out = type;
    return status;
}
