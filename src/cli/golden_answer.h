// SPDX-License-Identifier: MIT
/* golden_answer.h -- one statement of a golden file and its answer in the file's form (docs/golden-tests.md). */
#ifndef CLI_GOLDEN_ANSWER_H
#define CLI_GOLDEN_ANSWER_H

#include "base/buf.h"
#include "corm/schema.h"
#include "corm/session.h"

typedef struct golden_case {
    corm_str         before;    /* comments and directives */
    corm_str         written;   /* the statement with its line ends */
    corm_str         statement; /* without the last semicolon */
    corm_str         expected;
    bool             has_bind, prepare, has_now, has_timestamp;
    corm_str         bind;
    int32_t          page_size, now;
    int64_t          timestamp;
    corm_consistency consistency;
    corm_str         as; /* data NULL: as the one before */
} golden_case;

/* Executes the case and appends its expectation lines. */
void cli__golden_answer(corm_session *session, const golden_case *each, base_buf *out);

#endif
