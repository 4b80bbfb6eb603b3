// SPDX-License-Identifier: MIT
/* batch_rules.c -- rules of BATCH. */
#include "cli/lint/lint.h"

enum { LARGE_BATCH = 30 };

static bool has_question_marks(const lint_subject *s) {
    return memchr(s->statement->text.data, '?', s->statement->text.len) != NULL;
}

/* Whether two of its statements are of different partitions; of one table only, when that is asked. */
static bool spans(const lint_subject *s, bool one_table) {
    const cql_checked_batch *batch = s->batch;
    for (uint32_t i = 1; i < batch->count; i++)
        for (uint32_t j = 0; j < i; j++) {
            if (one_table && batch->items[i]->table != batch->items[j]->table) continue;
            if (lint__other_partition(batch->items[i], batch->items[j], has_question_marks(s)))
                return true;
        }
    return false;
}

void lint__logged_batch_partitions(lint_run *run, const lint_subject *s) {
    if (!s->batch || s->batch->kind != CQL_BATCH_LOGGED || s->batch->is_conditional) return;
    if (spans(s, true))
        lint__report(run, s, s->tree->place, "a logged batch over several partitions of a table");
}

void lint__unlogged_batch_partitions(lint_run *run, const lint_subject *s) {
    if (!s->batch || s->batch->kind != CQL_BATCH_UNLOGGED) return;
    if (spans(s, false))
        lint__report(run, s, s->tree->place, "an unlogged batch over several partitions");
}

void lint__single_batch(lint_run *run, const lint_subject *s) {
    if (s->batch && s->batch->count == 1)
        lint__report(run, s, s->tree->place, "a batch of one statement");
}

void lint__large_batch(lint_run *run, const lint_subject *s) {
    if (s->batch && s->batch->count > LARGE_BATCH)
        lint__report(run, s, s->tree->place, "a batch of %u statements (%d are fine)",
                     s->batch->count, LARGE_BATCH);
}
