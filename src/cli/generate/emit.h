// SPDX-License-Identifier: MIT
/* emit.h -- what header.c and source.c say alike. */
#ifndef CLI_GENERATE_EMIT_H
#define CLI_GENERATE_EMIT_H

#include "cli/generate/generate.h"

typedef enum gen_function { GEN_SYNC, GEN_ASYNC } gen_function;

/* "corm_status shop_get_user(…)" and the tail. */
void gen__put_prototype(const gen_unit *unit, const gen_query *q, gen_function function,
                        const char *tail, base_buf *out);
void gen__put_read_prototype(const gen_unit *unit, const gen_query *q, const char *tail,
                             base_buf *out);

static inline bool gen__has_result(const gen_query *q) {
    return q->statement->verb != CHECK_EXEC;
}

/* The end of the type that takes the answer, and the argument's name. */
static inline const char *gen__result_end(const gen_query *q) {
    switch (q->statement->verb) {
    case CHECK_ONE: return "row";
    case CHECK_APPLIED: return "answer";
    default: return "rows";
    }
}

static inline const char *gen__result_name(const gen_query *q) {
    return gen__result_end(q);
}

#endif
