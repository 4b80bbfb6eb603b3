// SPDX-License-Identifier: MIT
/* lexer.c -- cuts text into tokens, as Cassandra's lexer does with all its corners:
 *
 *     c -3     name, integer            1..2     integer, range, integer
 *     c - 3    name, minus, integer     1y2mo    duration
 *     -name    an error: "-n" begins -NaN, "-i" -Infinity, "-P" a duration
 *     -- or // a comment that must end with a line's end
 *
 * A token is a stretch of the text with its place; nothing is allocated. Pure. */
#include "cql/parse.h"

enum { LETTER = 1, DIGIT = 2, HEX = 4, WORD = 8 };

#define X4(v) v, v, v, v
#define X16(v) X4(v), X4(v), X4(v), X4(v)
enum { AF = LETTER | HEX | WORD, GZ = LETTER | WORD, NUM = DIGIT | HEX | WORD };
static const uint8_t class_of[256] = {
    X16(0), X16(0), X16(0), X4(NUM), X4(NUM), NUM,    NUM,    0,      0,      X4(0), 0,  AF, AF,
    AF,     AF,     AF,     AF,      GZ,      X4(GZ), X4(GZ), X4(GZ), X4(GZ), GZ,    GZ, GZ, 0,
    0,      0,      0,      WORD,    0,       AF,     AF,     AF,     AF,     AF,    AF, GZ, X4(GZ),
    X4(GZ), X4(GZ), X4(GZ), GZ,      GZ,      GZ,     0,      0,      0,      0,     0,
};

static bool is(char c, unsigned classes) {
    return (class_of[(unsigned char)c] & classes) != 0;
}

static bool same_letter(char c, char lower) {
    return (c | 0x20) == lower;
}

void cql__lexer_init(cql_lexer *lexer, corm_str text) {
    *lexer = (cql_lexer){ .text = text, .place = { .line = 1, .column = 0 } };
}

/* The byte `ahead` behind the lexer's offset; 0 behind the end (a zero byte starts no token). */
static char at(const cql_lexer *lexer, size_t ahead) {
    size_t i = lexer->offset + ahead;
    return i < lexer->text.len ? lexer->text.data[i] : '\0';
}

static bool ended(const cql_lexer *lexer, size_t ahead) {
    return lexer->offset + ahead >= lexer->text.len;
}

static void move(cql_lexer *lexer, size_t bytes) {
    const char *text = lexer->text.data + lexer->offset;
    for (size_t i = 0; i < bytes; i++) {
        if (text[i] == '\n') {
            lexer->place.line++;
            lexer->place.column = 0;
        } else if (((unsigned char)text[i] & 0xc0) != 0x80) {
            lexer->place.column++;
        }
    }
    lexer->offset += (uint32_t)bytes;
}

/* ---- measuring: how many bytes from the offset belong to the token ---- */

static size_t measure_digits(const cql_lexer *lexer, size_t from) {
    while (is(at(lexer, from), DIGIT)) from++;
    return from;
}

/* Behind a unit of a duration such as "mo", or `from` when there is none. */
static size_t measure_unit(const cql_lexer *lexer, size_t from) {
    char first = (char)(at(lexer, from) | 0x20), second = (char)(at(lexer, from + 1) | 0x20);
    switch (first) {
    case 'y':
    case 'w':
    case 'd':
    case 'h':
    case 's': return from + 1;
    case 'm': return from + (second == 'o' || second == 's' ? 2 : 1);
    case 'u':
    case 'n': return second == 's' ? from + 2 : from;
    default: break;
    }
    bool micro =
        (unsigned char)at(lexer, from) == 0xc2 && (unsigned char)at(lexer, from + 1) == 0xb5;
    return micro && same_letter(at(lexer, from + 2), 's') ? from + 3 : from;
}

/* One "<digits><designator>" for each of the designators in order, each optional. */
static size_t measure_iso_parts(const cql_lexer *lexer, size_t from, const char *designators) {
    for (; *designators; designators++) {
        size_t end = measure_digits(lexer, from);
        if (end > from && at(lexer, end) == *designators) from = end + 1;
    }
    return from;
}

/* Whether the bytes have the shape: 0 is a digit, x a hexadecimal one, others are themselves. */
static bool has_shape(const cql_lexer *lexer, size_t from, const char *shape) {
    for (; *shape; shape++, from++) {
        char c = at(lexer, from);
        bool fits = *shape == '0' ? is(c, DIGIT) : *shape == 'x' ? is(c, HEX) : c == *shape;
        if (!fits) return false;
    }
    return true;
}

/* Behind an ISO 8601 duration whose P is at `from`, or 0. */
static size_t measure_iso(const cql_lexer *lexer, size_t from) {
    static const char timed[] = "P0000-00-00T00:00:00";
    if (has_shape(lexer, from, timed)) return from + sizeof timed - 1;
    size_t start = from + 1;
    size_t weeks = measure_iso_parts(lexer, start, "W");
    size_t days = measure_iso_parts(lexer, start, "YMD");
    size_t hours = 0;
    if (at(lexer, days) == 'T') hours = measure_iso_parts(lexer, days + 1, "HMS");
    if (hours > days + 1) return hours;
    if (days > start) return days;
    return weeks > start ? weeks : 0;
}

/* ---- numbers ---- */

static void set(cql_tok *tok, cql_symbol symbol, size_t length) {
    tok->symbol = (uint8_t)symbol;
    tok->length = (uint32_t)length;
}

/* A flaw found `length` bytes behind the start: what lies before it is skipped. */
static void flaw(cql_tok *tok, cql_flaw what, size_t length) {
    set(tok, CQL_T_ERROR, length);
    tok->flaw = (uint8_t)what;
    tok->flaw_at = (uint32_t)length;
}

/* Units behind the digits that end at `digits`; false when there are none. */
static bool scan_duration(const cql_lexer *lexer, cql_tok *tok, size_t digits) {
    size_t end = measure_unit(lexer, digits);
    if (end == digits) return false;
    for (;;) {
        size_t more = measure_digits(lexer, end);
        if (more == end) break;
        size_t next = measure_unit(lexer, more);
        if (next == more) {
            flaw(tok, CQL_FLAW_CHARACTER, more);
            return true;
        }
        end = next;
    }
    set(tok, CQL_T_DURATION, end);
    return true;
}

/* Behind the exponent at `from`; `from` when there is none; 0 when it has no digits. */
static size_t measure_exponent(const cql_lexer *lexer, size_t from) {
    if (!same_letter(at(lexer, from), 'e')) return from;
    size_t start = from + 1;
    if (at(lexer, start) == '+' || at(lexer, start) == '-') start++;
    size_t end = measure_digits(lexer, start);
    return end > start ? end : 0;
}

static void scan_uuid(const cql_lexer *lexer, cql_tok *tok) {
    static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    if (has_shape(lexer, 0, shape)) {
        set(tok, CQL_T_UUID, sizeof shape - 1);
    } else {
        flaw(tok, CQL_FLAW_SET, sizeof "xxxxxxxx-" - 1);
    }
}

static bool starts_uuid(const cql_lexer *lexer) {
    return has_shape(lexer, 0, "xxxxxxxx-");
}

/* The server takes fewer than eight hexadecimal digits that hold a letter for a UUID, and then
 * misses the rest; e begins an exponent, though, and a single d ends a duration. */
static bool is_cut_uuid(const cql_lexer *lexer, size_t digits) {
    size_t len = digits;
    while (len < 8 && is(at(lexer, len), HEX)) len++;
    if (len == digits || len == 8) return false;
    char letter = (char)(at(lexer, digits) | 0x20);
    if (letter == 'e') return false;
    return letter != 'd' || (len > digits + 1 && is(at(lexer, digits + 1), LETTER));
}

static void scan_number(const cql_lexer *lexer, cql_tok *tok) {
    bool   negative = at(lexer, 0) == '-';
    size_t digits = measure_digits(lexer, negative);
    if (!negative && starts_uuid(lexer)) {
        scan_uuid(lexer, tok);
        return;
    }
    if (!negative && is_cut_uuid(lexer, digits)) {
        flaw(tok, CQL_FLAW_SET, digits + 1);
        return;
    }
    if (at(lexer, 0) == '0' && digits == 1 && same_letter(at(lexer, 1), 'x')) {
        size_t end = 2;
        while (is(at(lexer, end), HEX)) end++;
        set(tok, CQL_T_HEX, end);
        return;
    }
    if (scan_duration(lexer, tok, digits)) return;
    size_t end = digits;
    bool   range = at(lexer, end) == '.' && at(lexer, end + 1) == '.' && at(lexer, end + 2) != '.';
    if (at(lexer, end) == '.' && !range) end = measure_digits(lexer, end + 1);
    bool dots = end == digits + 1 && at(lexer, end) == '.';
    if (!range && !dots) {
        size_t exponent = measure_exponent(lexer, end);
        if (exponent == 0) {
            flaw(tok, CQL_FLAW_CHARACTER, end + 1);
            return;
        }
        end = exponent;
    }
    set(tok, end == digits ? CQL_T_INTEGER : CQL_T_FLOAT, end);
}

/* ---- words and quoted text ---- */

static void scan_word(const cql_lexer *lexer, cql_tok *tok) {
    const char *text = lexer->text.data + lexer->offset;
    size_t      left = lexer->text.len - lexer->offset;
    size_t      len = 0;
    bool        upper = false;
    while (len < left && is(text[len], WORD)) {
        upper |= text[len] >= 'A' && text[len] <= 'Z';
        len++;
    }
    if (len == 8 && len < left && text[len] == '-' && starts_uuid(lexer)) {
        scan_uuid(lexer, tok);
        return;
    }
    if (text[0] == 'P') {
        size_t iso = measure_iso(lexer, 0);
        if (iso >= len) {
            set(tok, CQL_T_DURATION, iso);
            return;
        }
    }
    tok->upper = upper;
    set(tok, cql__keyword(text, len), len);
    if (len == 4 && len < left && memcmp(text, "expr(", 5) == 0) set(tok, CQL_T_EXPR, 5);
}

/* From an opening quote: to its end, doubled quotes inside. */
static void scan_quoted(const cql_lexer *lexer, cql_tok *tok, cql_symbol symbol, cql_flaw open) {
    const char *start = lexer->text.data + lexer->offset;
    const char *end = lexer->text.data + lexer->text.len;
    const char *from = start + 1;
    for (;;) {
        const char *quote = memchr(from, *start, (size_t)(end - from));
        if (!quote) {
            flaw(tok, open, (size_t)(end - start));
            return;
        }
        if (quote + 1 == end || quote[1] != *start) {
            set(tok, symbol, (size_t)(quote + 1 - start));
            return;
        }
        tok->escaped = true;
        from = quote + 2;
    }
}

static void scan_name(const cql_lexer *lexer, cql_tok *tok) {
    scan_quoted(lexer, tok, CQL_T_QUOTED, CQL_FLAW_OPEN_NAME);
    if (tok->symbol == CQL_T_QUOTED && tok->length == 2) tok->symbol = CQL_T_EMPTY_QUOTED;
}

static void scan_dollars(const cql_lexer *lexer, cql_tok *tok) {
    if (at(lexer, 1) != '$') {
        flaw(tok, CQL_FLAW_DOLLAR, 1);
        return;
    }
    for (size_t end = 2; !ended(lexer, end + 1); end++) {
        if (at(lexer, end) == '$' && at(lexer, end + 1) == '$') {
            set(tok, CQL_T_STRING, end + 2);
            return;
        }
    }
    flaw(tok, CQL_FLAW_DOLLAR, lexer->text.len - lexer->offset);
}

/* ---- symbols ---- */

/* -nan and -infinity; any other word behind "-n" or "-i" is a flaw. */
static void scan_negative_word(const cql_lexer *lexer, cql_tok *tok, const char *word,
                               cql_symbol symbol) {
    size_t len = 0;
    while (word[len] && same_letter(at(lexer, len + 1), word[len])) len++;
    if (word[len]) {
        flaw(tok, CQL_FLAW_SET, len + 1);
    } else {
        set(tok, symbol, len + 1);
    }
}

static void scan_minus(const cql_lexer *lexer, cql_tok *tok) {
    char next = at(lexer, 1);
    if (is(next, DIGIT)) {
        scan_number(lexer, tok);
    } else if (same_letter(next, 'n')) {
        scan_negative_word(lexer, tok, "nan", CQL_T_NEGATIVE_NAN);
    } else if (same_letter(next, 'i')) {
        scan_negative_word(lexer, tok, "infinity", CQL_T_NEGATIVE_INFINITY);
    } else if (next == '=') {
        set(tok, CQL_T_MINUS_EQ, 2);
    } else if (next == 'P') {
        size_t iso = measure_iso(lexer, 1);
        if (iso)
            set(tok, CQL_T_DURATION, iso);
        else
            flaw(tok, CQL_FLAW_CHARACTER, 2);
    } else {
        set(tok, CQL_T_MINUS, 1);
    }
}

/* One-character symbols, and those that become another one when `second` follows. */
static const struct symbol {
    uint8_t one;
    uint8_t two;
    char    second;
} symbols[128] = {
    ['?'] = { CQL_T_QMARK, 0, 0 },
    ['('] = { CQL_T_LPAREN, 0, 0 },
    [')'] = { CQL_T_RPAREN, 0, 0 },
    ['['] = { CQL_T_LBRACKET, 0, 0 },
    [']'] = { CQL_T_RBRACKET, 0, 0 },
    ['{'] = { CQL_T_LBRACE, 0, 0 },
    ['}'] = { CQL_T_RBRACE, 0, 0 },
    [','] = { CQL_T_COMMA, 0, 0 },
    ['.'] = { CQL_T_DOT, CQL_T_RANGE, '.' },
    [';'] = { CQL_T_SEMICOLON, 0, 0 },
    [':'] = { CQL_T_COLON, 0, 0 },
    ['+'] = { CQL_T_PLUS, CQL_T_PLUS_EQ, '=' },
    ['*'] = { CQL_T_STAR, 0, 0 },
    ['/'] = { CQL_T_SLASH, 0, 0 },
    ['%'] = { CQL_T_PERCENT, 0, 0 },
    ['<'] = { CQL_T_LT, CQL_T_LTE, '=' },
    ['>'] = { CQL_T_GT, CQL_T_GTE, '=' },
    ['='] = { CQL_T_EQ, 0, 0 },
};

static void scan_symbol(const cql_lexer *lexer, cql_tok *tok) {
    unsigned char        c = (unsigned char)at(lexer, 0);
    const struct symbol *symbol = &symbols[c & 0x7f];
    if (c < 0x80 && symbol->two && at(lexer, 1) == symbol->second) {
        set(tok, symbol->two, 2);
    } else if (c < 0x80 && symbol->one) {
        set(tok, symbol->one, 1);
    } else {
        size_t len = 1;
        while (c >= 0x80 && ((unsigned char)at(lexer, len) & 0xc0) == 0x80) len++;
        flaw(tok, CQL_FLAW_CHARACTER, 0);
        tok->length = (uint32_t)len;
    }
}

static void scan_not_equal(const cql_lexer *lexer, cql_tok *tok) {
    if (at(lexer, 1) == '=') {
        set(tok, CQL_T_NEQ, 2);
    } else {
        flaw(tok, CQL_FLAW_EQUAL, 1);
    }
}

static void scan_token(const cql_lexer *lexer, cql_tok *tok) {
    char c = at(lexer, 0);
    switch (c) {
    case '\'': scan_quoted(lexer, tok, CQL_T_STRING, CQL_FLAW_OPEN_STRING); break;
    case '"': scan_name(lexer, tok); break;
    case '$': scan_dollars(lexer, tok); break;
    case '-': scan_minus(lexer, tok); break;
    case '!': scan_not_equal(lexer, tok); break;
    default:
        if (is(c, LETTER)) {
            scan_word(lexer, tok);
        } else if (is(c, DIGIT)) {
            scan_number(lexer, tok);
        } else {
            scan_symbol(lexer, tok);
        }
    }
}

/* ---- white space and comments ---- */

static size_t measure_line_comment(const cql_lexer *lexer) {
    size_t end = 2;
    while (!ended(lexer, end) && at(lexer, end) != '\n' && at(lexer, end) != '\r') end++;
    return end;
}

/* Behind the comment; 0 when it is not closed. */
static size_t measure_block_comment(const cql_lexer *lexer) {
    for (size_t end = 2; !ended(lexer, end + 1); end++) {
        if (at(lexer, end) == '*' && at(lexer, end + 1) == '/') return end + 2;
    }
    return 0;
}

/* Skips one comment; false when there is none, or one without an end, which becomes the token. */
static bool skip_comment(cql_lexer *lexer, cql_tok *tok) {
    char   first = at(lexer, 0), second = at(lexer, 1);
    size_t rest = lexer->text.len - lexer->offset, end;
    if (first == '/' && second == '*') {
        end = measure_block_comment(lexer);
        if (end == 0) flaw(tok, CQL_FLAW_OPEN_BLOCK, rest);
    } else if (second == first && (first == '-' || first == '/')) {
        end = measure_line_comment(lexer);
        if (end == rest) {
            flaw(tok, CQL_FLAW_OPEN_COMMENT, rest);
            end = 0;
        }
    } else {
        return false;
    }
    move(lexer, end);
    return end > 0;
}

static void skip_space(cql_lexer *lexer) {
    for (; lexer->offset < lexer->text.len; lexer->offset++) {
        char c = lexer->text.data[lexer->offset];
        if (c == '\n') {
            lexer->place.line++;
            lexer->place.column = 0;
        } else if (c == ' ' || c == '\t' || c == '\r') {
            lexer->place.column++;
        } else {
            return;
        }
    }
}

/* Tokens of these symbols hold neither line ends nor characters of several bytes. */
static bool is_simple(const cql_tok *tok) {
    return tok->symbol != CQL_T_STRING && tok->symbol != CQL_T_QUOTED &&
           tok->symbol != CQL_T_ERROR && tok->symbol != CQL_T_DURATION;
}

void cql__scan(cql_lexer *lexer, cql_tok *tok) {
    *tok = (cql_tok){ .symbol = CQL_T_END };
    do {
        skip_space(lexer);
    } while (skip_comment(lexer, tok));
    tok->offset = lexer->offset;
    tok->place = lexer->place;
    if (tok->symbol != CQL_T_ERROR) {
        if (ended(lexer, 0)) return;
        scan_token(lexer, tok);
    }
    if (is_simple(tok)) {
        lexer->offset += tok->length;
        lexer->place.column += tok->length;
    } else {
        move(lexer, tok->length);
    }
}

/* ---- the public face ---- */

static const uint8_t public_kinds[CQL_FIRST_KEYWORD] = {
    [CQL_T_END] = CQL_TOKEN_END,
    [CQL_T_ERROR] = CQL_TOKEN_ERROR,
    [CQL_T_IDENT] = CQL_TOKEN_IDENT,
    [CQL_T_QUOTED] = CQL_TOKEN_QUOTED,
    [CQL_T_EMPTY_QUOTED] = CQL_TOKEN_QUOTED,
    [CQL_T_STRING] = CQL_TOKEN_STRING,
    [CQL_T_INTEGER] = CQL_TOKEN_INTEGER,
    [CQL_T_FLOAT] = CQL_TOKEN_FLOAT,
    [CQL_T_BOOLEAN] = CQL_TOKEN_BOOLEAN,
    [CQL_T_UUID] = CQL_TOKEN_UUID,
    [CQL_T_HEX] = CQL_TOKEN_HEX,
    [CQL_T_DURATION] = CQL_TOKEN_DURATION,
    [CQL_T_NEGATIVE_NAN] = CQL_TOKEN_FLOAT,
    [CQL_T_NEGATIVE_INFINITY] = CQL_TOKEN_FLOAT,
    [CQL_T_QMARK] = CQL_TOKEN_MARKER,
    [CQL_T_EXPR] = CQL_TOKEN_IDENT,
};

static cql_token_kind public_kind(unsigned symbol) {
    if (symbol == CQL_K_POSITIVE_NAN || symbol == CQL_K_POSITIVE_INFINITY) return CQL_TOKEN_FLOAT;
    if (symbol >= CQL_FIRST_KEYWORD) return CQL_TOKEN_IDENT;
    return symbol > CQL_T_QMARK && symbol != CQL_T_EXPR ? CQL_TOKEN_SYMBOL : public_kinds[symbol];
}

void cql__lexer_next(cql_lexer *lexer, cql_token *out) {
    cql_tok tok;
    cql__scan(lexer, &tok);
    if (tok.symbol == CQL_T_EXPR) { /* "expr(" is one token in the grammar only */
        tok.length--;
        lexer->offset--;
        lexer->place.column--;
    }
    out->kind = public_kind(tok.symbol);
    out->text = (corm_str){ lexer->text.data + tok.offset, tok.length };
    out->place = tok.place;
    out->offset = tok.offset;
}
