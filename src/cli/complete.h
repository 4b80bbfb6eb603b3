// SPDX-License-Identifier: MIT
/* complete.h -- what may follow at a place of a statement that is being typed. */
#ifndef CLI_COMPLETE_H
#define CLI_COMPLETE_H

#include "base/arena.h"
#include "corm/schema.h"

typedef struct cli_completion {
    size_t    typed; /* bytes before the place that the words begin with */
    uint32_t  count;
    corm_str *words; /* sorted, each once; in the arena */
} cli_completion;

/* `text` is the statement so far, `at` the place in it; names of tables are also looked for behind the place. Without memory
 * or schema there are fewer words. */
void cli__complete(corm_session *session, corm_str text, size_t at, base_arena *arena,
                   cli_completion *out);

/* How many bytes all words have in common. */
size_t cli__common_prefix(const cli_completion *completion);

#endif
