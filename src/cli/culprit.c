// SPDX-License-Identifier: MIT
/* culprit.c -- which word of a statement an error's message is about. Pure. */
#include "cli/culprit.h"

#include <string.h>

#include "base/text.h"

static bool is_name_byte(char c) {
    return base__hex_digit(c) >= 0 || (c >= 'g' && c <= 'z') || (c >= 'G' && c <= 'Z') ||
           c == '_' || (uint8_t)c >= 0x80;
}

/* Whether a word begins here: not the t of "doesn't", nor the second word of "non-frozen". */
static bool begins_word(const char *message, const char *at) {
    if (at == message) return true;
    if (is_name_byte(at[-1]) || at[-1] == '-') return false;
    return at[-1] != '\'' || at == message + 1 || !is_name_byte(at[-2]);
}

/* Whether the message speaks of the word. */
static bool mentions(const char *message, corm_str word) {
    for (const char *at = message; (at = strchr(at, word.data[0])) != NULL; at++) {
        if (begins_word(message, at) && strncmp(at, word.data, word.len) == 0 &&
            !is_name_byte(at[word.len]))
            return true;
    }
    return false;
}

static bool is_constant(cql_token_kind kind) {
    return kind == CQL_TOKEN_STRING || kind == CQL_TOKEN_INTEGER || kind == CQL_TOKEN_FLOAT ||
           kind == CQL_TOKEN_UUID || kind == CQL_TOKEN_HEX || kind == CQL_TOKEN_DURATION;
}

corm_str cli__token_content(const cql_token *token) {
    bool     quoted = token->kind == CQL_TOKEN_QUOTED || token->kind == CQL_TOKEN_STRING;
    corm_str text = token->text;
    if (quoted && text.len > 2) text = (corm_str){ text.data + 1, text.len - 2 };
    return text;
}

bool cli__find_culprit(corm_str cql, const char *message, cql_token *out) {
    cql_lexer lexer;
    cql_token token, name = { 0 }, constant = { 0 };
    uint32_t  names = 0, constants = 0;
    cql__lexer_init(&lexer, cql);
    for (cql__lexer_next(&lexer, &token); token.kind != CQL_TOKEN_END;
         cql__lexer_next(&lexer, &token)) {
        corm_str   word = cli__token_content(&token);
        bool       fixed = is_constant(token.kind);
        cql_token *seen = fixed ? &constant : &name;
        if (token.kind == CQL_TOKEN_SYMBOL || token.kind == CQL_TOKEN_ERROR) continue;
        if (!word.len || !mentions(message, word)) continue;
        if (corm_str_equal(seen->text, token.text)) continue;
        *seen = token;
        *(fixed ? &constants : &names) += 1;
    }
    *out = constants == 1 ? constant : name;
    return constants == 1 || (!constants && names == 1);
}

uint32_t cli__token_length(corm_str cql, cql_place place) {
    cql_lexer lexer;
    cql_token token;
    cql__lexer_init(&lexer, cql);
    for (cql__lexer_next(&lexer, &token); token.kind != CQL_TOKEN_END;
         cql__lexer_next(&lexer, &token))
        if (token.place.line == place.line && token.place.column == place.column)
            return (uint32_t)base__utf8_length(token.text);
    return 1;
}
