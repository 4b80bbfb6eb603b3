// SPDX-License-Identifier: MIT
/* culprit.h -- which word of a statement an error's message is about, for messages without a place. Pure. */
#ifndef CLI_CULPRIT_H
#define CLI_CULPRIT_H

#include "cql/parser.h"

/* The name or constant of the statement that the message is about: the only one that it mentions, or the only constant. */
bool cli__find_culprit(corm_str cql, const char *message, cql_token *out);

/* What a token says, without its quotes. */
corm_str cli__token_content(const cql_token *token);

/* How many code points the token at the place has, or 1. */
uint32_t cli__token_length(corm_str cql, cql_place place);

#endif
