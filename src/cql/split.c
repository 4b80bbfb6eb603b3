// SPDX-License-Identifier: MIT
/* split.c -- cuts a script into statements, by tokens: a semicolon inside a string, a comment or a
 * batch ends nothing. Pure. */
#include "cql/parse.h"

/* Whether the semicolons that follow belong to a batch. */
typedef enum batch_state { NO_BATCH, BEGUN, IN_BATCH, APPLIED } batch_state;

static batch_state next_state(batch_state state, const cql_tok *tok, bool first) {
    if (first) return tok->symbol == CQL_K_BEGIN ? BEGUN : NO_BATCH;
    switch (tok->symbol) {
    case CQL_K_BATCH:
    case CQL_K_UNLOGGED:
    case CQL_K_COUNTER: return state == BEGUN ? IN_BATCH : state;
    case CQL_K_APPLY: return state == IN_BATCH ? APPLIED : state;
    default: return state == BEGUN ? NO_BATCH : state;
    }
}

/* A comment that lacks its line's end at the end of the text. */
static bool is_open_comment(const cql_tok *tok) {
    return tok->symbol == CQL_T_ERROR && tok->flaw == CQL_FLAW_OPEN_COMMENT;
}

/* The text from the first token's start to the end of the last. */
static corm_str between(corm_str text, const cql_tok *first, const cql_tok *last) {
    return (corm_str){ text.data + first->offset, last->offset + last->length - first->offset };
}

bool cql__split(corm_str text, corm_str *statement, corm_str *rest, bool *complete,
                uint32_t *line) {
    cql_lexer   lexer;
    cql_tok     first, last, tok;
    batch_state state = NO_BATCH;
    cql__lexer_init(&lexer, text);
    do {
        cql__scan(&lexer, &first);
    } while (first.symbol == CQL_T_SEMICOLON);
    if (line) *line += first.place.line - 1;
    *rest = (corm_str){ text.data + text.len, 0 };
    *complete = false;
    *statement = *rest;
    if (first.symbol == CQL_T_END || is_open_comment(&first)) return false;
    for (tok = last = first;; cql__scan(&lexer, &tok)) {
        state = next_state(state, &tok, tok.offset == first.offset);
        if (tok.symbol == CQL_T_END) break;
        if (tok.symbol == CQL_T_SEMICOLON && state != IN_BATCH) {
            *complete = true;
            *rest = (corm_str){ text.data + tok.offset + 1, text.len - tok.offset - 1 };
            break;
        }
        if (!is_open_comment(&tok)) last = tok;
    }
    *statement = between(text, &first, &last);
    return true;
}
