// SPDX-License-Identifier: MIT
/* parser.h -- text to tree and back. */
#ifndef CQL_PARSER_H
#define CQL_PARSER_H

#include "base/buf.h"
#include "cql/ast.h"

enum { CQL_MAX_DIAGNOSTICS = 16 };

/* One thing wrong with the text. */
typedef struct cql_diagnostic {
    cql_place place;
    uint32_t  length;  /* of the offending text in code points, at least 1: how many carets */
    corm_str  message; /* "mismatched input 'FORM' expecting K_FROM": the server's words */
} cql_diagnostic;

typedef struct cql_diagnostics {
    uint32_t       count;
    cql_diagnostic items[CQL_MAX_DIAGNOSTICS];
} cql_diagnostics;

/* Parses one statement; semicolons at its end are allowed, anything behind them is an error. Finds all syntax errors
 * it can (it goes on after one), fills *diagnostics (may be NULL) and returns CORM_SYNTAX_ERROR with the first in *err,
 * in the server's words: "line 1:7 message"; "line 0:-1 message" at the end of the text; the message alone where the
 * server gives no place. err->line and err->column always hold the place. Text and tree: the tree borrows from the
 * arena only, not from text. Nesting is bounded by CQL_MAX_DEPTH. */
CORM_CHECKED corm_status cql__parse(base_arena *arena, corm_str text, cql_statement **out,
                                    cql_diagnostics *diagnostics, corm_error *err);

/* Parses one term (a literal such as a CSV field or a default). */
CORM_CHECKED corm_status cql__parse_term(base_arena *arena, corm_str text, cql_expr **out,
                                         corm_error *err);

/* Parses a type: "map<text, frozen<list<int>>>". */
CORM_CHECKED corm_status cql__parse_type(base_arena *arena, corm_str text, const cql_type_ast **out,
                                         corm_error *err);

/* Cuts the first statement off a script: skips white space, comments and empty statements before it, and finds its end (a
 * semicolon outside strings, comments, $$ bodies and BEGIN BATCH … APPLY BATCH; or the end of the text).
 * *statement gets the statement without its semicolon, *rest what follows, *complete whether it was ended by a semicolon.
 * False when there is no statement left. `line` counts the lines passed (in: line of text's start; out: line
 * of the statement's start), may be NULL. */
bool cql__split(corm_str text, corm_str *statement, corm_str *rest, bool *complete, uint32_t *line);

/* Appends the statement as canonical CQL: parse(print(ast)) equals ast. Upper-case keywords, one line. */
void cql__print(const cql_statement *statement, base_buf *out);
void cql__print_expr(const cql_expr *expr, base_buf *out);
void cql__print_type_ast(const cql_type_ast *type, base_buf *out);
void cql__print_string(corm_str text, base_buf *out); /* 'it''s' */

/* Appends the line of the text with a caret line below:
 *     SELEC * FROM t
 *     ^~~~~ */
void cql__print_caret(corm_str text, cql_place place, uint32_t length, base_buf *out);

/* A lexical token, for completion, highlighting and tests. */
typedef enum cql_token_kind {
    CQL_TOKEN_END,
    CQL_TOKEN_IDENT,  /* unquoted; keywords too */
    CQL_TOKEN_QUOTED, /* "Quoted" */
    CQL_TOKEN_STRING,
    CQL_TOKEN_INTEGER,
    CQL_TOKEN_FLOAT,
    CQL_TOKEN_BOOLEAN,
    CQL_TOKEN_UUID,
    CQL_TOKEN_HEX,
    CQL_TOKEN_DURATION,
    CQL_TOKEN_MARKER, /* ? */
    CQL_TOKEN_SYMBOL, /* one or two characters: ( ) , . ; : + - * / % < <= > >= = != += -= [ ] { } .. */
    CQL_TOKEN_ERROR /* unterminated string or comment, a character that starts nothing */
} cql_token_kind;

typedef struct cql_token {
    cql_token_kind kind;
    corm_str       text; /* as written, borrowed */
    cql_place      place;
    uint32_t       offset; /* in bytes */
} cql_token;

typedef struct cql_lexer {
    corm_str  text;
    uint32_t  offset;
    cql_place place;
} cql_lexer;

void cql__lexer_init(cql_lexer *lexer, corm_str text);
void cql__lexer_next(cql_lexer *lexer, cql_token *out); /* skips white space and comments */

/* All keywords, upper case, sorted; for completion. */
const char *const *cql__keywords(size_t *count);

#endif
