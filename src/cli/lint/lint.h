// SPDX-License-Identifier: MIT
/* lint.h -- rules over statements that are right but cost more than they seem to, or do not do what they seem to.
 *
 * A rule is a row of the table in rules.c, with its own sentences: from it come findings, `--rules`, `--explain`, the page
 * docs/lint.md (tools/gen-lint), and the test of its two examples. A rule looks at one subject at a time and may look at all
 * others (lint_run.subjects). One thread. */
#ifndef CLI_LINT_LINT_H
#define CLI_LINT_LINT_H

#include "cli/check/check.h"

/* A statement that is right; a statement in a batch is one of its own, behind the batch. */
typedef struct lint_subject {
    const check_statement     *statement;
    const cql_statement       *tree;
    const cql_table           *table;  /* that it reads, writes, makes or changes; may be NULL */
    const cql_checked_select  *select; /* one of these, or none (DDL) */
    const cql_checked_modify  *modify;
    const cql_checked_batch   *batch;
    const struct lint_subject *within; /* the batch */
} lint_subject;

typedef struct lint_run lint_run;

typedef struct lint_rule {
    const char    *id;
    check_severity severity;
    void (*look)(lint_run *run, const lint_subject *s);
    const char *title;  /* what is found, one sentence without a full stop */
    const char *reason; /* why it matters */
    const char *better; /* what to do instead */
    const char *bad;    /* CQL on top of lint__example_schema that it finds */
    const char *good;   /* CQL that is near and that it does not find */
} lint_rule;

struct lint_run {
    check_workspace  *workspace;
    const lint_rule  *rule; /* that is looking */
    uint32_t          subject_count;
    lint_subject     *subjects;
    uint32_t          conditional_count; /* tables that are written with conditions somewhere */
    const cql_table **conditional;
};

/* ---- rules.c ---- */

extern const char lint__example_schema[];
const lint_rule  *lint__rules(uint32_t *count);
const lint_rule  *lint__rule(corm_str id); /* NULL: there is none */
/* Whether it is a rule, or a kind of warning of check. */
bool lint__may_be_left_out(corm_str id);

/* ---- lint.c ---- */

/* Adds what the rules find to the workspace's findings; `disabled` is by the rules' order, and may be NULL. */
void lint__look(check_workspace *w, const bool *disabled);

/* Tables of two statements may be two objects: after a change of the schema. */
bool lint__same_table(const cql_table *a, const cql_table *b);

/* A finding of the rule that is looking, at a place of the subject's statement. */
void lint__report(lint_run *run, const lint_subject *s, cql_place place, const char *format, ...)
    CORM_PRINTF(4, 5);

/* The place of the word in the subject, or the subject's own. */
cql_place lint__place_of(const lint_subject *s, const char *word);

/* ---- shape.c: what a schema tells of its data ---- */

bool lint__is_time(const cql_type *type); /* timestamp, date, timeuuid */
bool lint__names_bucket(corm_str name);   /* day, time_bucket … */
bool lint__names_few(corm_str name);      /* status, is_active …: few different values */
bool lint__names_unique(corm_str name);   /* email, user_id …: a value for almost every row */
bool lint__has_suffix(corm_str name, const char *suffix);
bool lint__has_word(corm_str           name,
                    const char *const *words); /* between underscores; ends with NULL */

/* The whole number that a term is, or -1. */
int64_t lint__number(const cql_expr *expr);
/* Whether the condition is on the whole partition key. */
bool lint__has_partition(const cql_where *where);
bool lint__uses_index(const cql_where *where);
/* Whether two writes are of different partitions, as far as their texts tell; `question_marks`: markers have no names. */
bool lint__other_partition(const cql_checked_modify *a, const cql_checked_modify *b,
                           bool question_marks);

/* ---- the rules: read_rules.c, write_rules.c, batch_rules.c, table_rules.c, index_rules.c ---- */

#define LINT_RULES(X)                                                                              \
    X(allow_filtering)                                                                             \
    X(needless_allow_filtering)                                                                    \
    X(full_scan)                                                                                   \
    X(aggregate_scan)                                                                              \
    X(select_star)                                                                                 \
    X(partition_in)                                                                                \
    X(large_in)                                                                                    \
    X(large_limit)                                                                                 \
    X(slice_without_limit)                                                                         \
    X(order_without_limit)                                                                         \
    X(token_order)                                                                                 \
    X(null_write)                                                                                  \
    X(json_nulls)                                                                                  \
    X(list_append)                                                                                 \
    X(list_element)                                                                                \
    X(counter_retry)                                                                               \
    X(counter_delete)                                                                              \
    X(needless_if_exists)                                                                          \
    X(mixed_lwt)                                                                                   \
    X(timestamp_beside_lwt)                                                                        \
    X(timestamp_unit)                                                                              \
    X(nondeterministic)                                                                            \
    X(queue)                                                                                       \
    X(range_deletion)                                                                              \
    X(logged_batch_partitions)                                                                     \
    X(unlogged_batch_partitions)                                                                   \
    X(single_batch)                                                                                \
    X(large_batch)                                                                                 \
    X(unbounded_partition)                                                                         \
    X(time_partition)                                                                              \
    X(few_partitions)                                                                              \
    X(open_collection)                                                                             \
    X(list_column)                                                                                 \
    X(ttl_tombstones)                                                                              \
    X(compact_storage)                                                                             \
    X(uuid_as_text)                                                                                \
    X(quoted_name)                                                                                 \
    X(ddl_if_not_exists)                                                                           \
    X(destructive_ddl)                                                                             \
    X(simple_strategy)                                                                             \
    X(index_few_values)                                                                            \
    X(index_unique_values)                                                                         \
    X(legacy_index)                                                                                \
    X(sasi_index)                                                                                  \
    X(materialized_view)

#define LINT_DECLARE(name) void lint__##name(lint_run *run, const lint_subject *s);
LINT_RULES(LINT_DECLARE)
#undef LINT_DECLARE

#endif
