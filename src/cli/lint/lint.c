// SPDX-License-Identifier: MIT
/* lint.c -- every rule over every statement. */
#include "cli/lint/lint.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"
#include "cli/culprit.h"

/* ---- subjects ---- */

static uint32_t count_subjects(const check_workspace *w) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < w->statement_count; i++) {
        const check_statement *s = w->statements[i];
        if (s->file->is_schema || !s->tree) continue;
        count += 1 + (s->checked && s->checked->batch ? s->checked->batch->count : 0);
    }
    return count;
}

static const cql_table *made_table(const check_statement *s) {
    const cql_ref *ref = NULL;
    if (s->tree->kind == CQL_STMT_CREATE_TABLE) ref = &s->tree->as.create_table.table;
    if (s->tree->kind == CQL_STMT_ALTER_TABLE) ref = &s->tree->as.alter_table.table;
    if (s->tree->kind == CQL_STMT_CREATE_INDEX) ref = &s->tree->as.create_index.table;
    if (s->tree->kind == CQL_STMT_CREATE_VIEW) ref = &s->tree->as.create_view.base;
    if (!ref || !s->schema) return NULL;
    return cql__schema_table(s->schema, ref->keyspace.text.data ? ref->keyspace.text : s->keyspace,
                             ref->name.text);
}

static void add_items(lint_run *run, const check_statement *s, const lint_subject *batch) {
    for (uint32_t i = 0; i < batch->batch->count; i++)
        run->subjects[run->subject_count++] =
            (lint_subject){ .statement = s,
                            .tree = s->tree->as.batch.statements[i],
                            .table = batch->batch->items[i]->table,
                            .modify = batch->batch->items[i],
                            .within = batch };
}

static void add_subject(lint_run *run, const check_statement *s) {
    lint_subject *to = &run->subjects[run->subject_count++];
    *to = (lint_subject){ .statement = s, .tree = s->tree, .table = made_table(s) };
    if (!s->checked) return;
    to->select = s->checked->select;
    to->modify = s->checked->modify;
    to->batch = s->checked->batch;
    to->table = to->select ? to->select->table : to->modify ? to->modify->table : NULL;
    if (to->batch) add_items(run, s, to);
}

bool lint__same_table(const cql_table *a, const cql_table *b) {
    return a == b || (corm_str_equal(a->name, b->name) && corm_str_equal(a->keyspace, b->keyspace));
}

static void add_conditional(lint_run *run, const cql_table *table) {
    for (uint32_t i = 0; i < run->conditional_count; i++)
        if (lint__same_table(run->conditional[i], table)) return;
    run->conditional[run->conditional_count++] = table;
}

static bool find_conditional(lint_run *run, base_arena *arena) {
    run->conditional = BASE_NEW_ARRAY(arena, const cql_table *, run->subject_count + 1);
    if (!run->conditional) return false;
    for (uint32_t i = 0; i < run->subject_count; i++) {
        const cql_checked_modify *modify = run->subjects[i].modify;
        if (modify && modify->is_conditional) add_conditional(run, modify->table);
    }
    return true;
}

/* ---- findings ---- */

cql_place lint__place_of(const lint_subject *s, const char *word) {
    cql_lexer lexer;
    cql_token token;
    bool      inside = false;
    cql__lexer_init(&lexer, s->statement->text);
    for (cql__lexer_next(&lexer, &token); token.kind != CQL_TOKEN_END;
         cql__lexer_next(&lexer, &token)) {
        inside = inside || (token.place.line == s->tree->place.line &&
                            token.place.column == s->tree->place.column);
        if (inside && base__str_equal_nocase(token.text, corm_str_of(word))) return token.place;
    }
    return s->tree->place;
}

void lint__report(lint_run *run, const lint_subject *s, cql_place place, const char *format, ...) {
    char    message[600];
    va_list list;
    if (check__allows(s->statement, run->rule->id)) return;
    if (!place.line) place = s->tree->place;
    if (!place.line) place = (cql_place){ 1, 0 };
    va_start(list, format);
    vsnprintf(message, sizeof message, format, list);
    va_end(list);
    check_finding *finding =
        check__find(run->workspace, s->statement->file, check__locate(s->statement->text, place),
                    cli__token_length(s->statement->text, place), run->rule->severity,
                    run->rule->id, "%s", message);
    finding->query = s->statement->name;
    finding->reason = run->rule->reason;
    finding->better = run->rule->better;
}

/* ---- all of it ---- */

/* A view may be one that a store does not keep; it is one all the same. */
static bool is_subject(const check_statement *s) {
    if (s->file->is_schema || !s->tree) return false;
    return s->checked || s->schema || s->tree->kind == CQL_STMT_CREATE_VIEW;
}

bool lint__may_be_left_out(corm_str id) {
    return lint__rule(id) || corm_str_equal(id, corm_str_of(CHECK_SERVER)) ||
           corm_str_equal(id, corm_str_of(CHECK_UNSUPPORTED));
}

/* A name behind `corm: allow` that is no rule is a mistake that would stay unseen. */
static void check_allowed(check_workspace *w, const check_statement *s) {
    corm_str above = s->above, line;
    while (check__next_comment(&above, &line)) {
        if (!base__str_has_prefix(line, corm_str_of("corm:"))) continue;
        corm_str rest = { line.data + 5, line.len - 5 };
        for (bool first = true; rest.len; first = false) {
            size_t skip = 0, len = 0;
            while (skip < rest.len && strchr(" \t,", rest.data[skip])) skip++;
            while (skip + len < rest.len && !strchr(" \t,", rest.data[skip + len])) len++;
            corm_str word = { rest.data + skip, len };
            rest = (corm_str){ word.data + len, rest.len - skip - len };
            if (check__begins_reason(word)) break;
            bool known = first ? corm_str_equal(word, corm_str_of("allow"))
                               : !len || lint__may_be_left_out(word);
            if (!known)
                check__find(w, s->file, word.data, (uint32_t)base__utf8_length(word), CHECK_ERROR,
                            "allow",
                            first ? "'allow' must stand behind corm:, not '%.*s'"
                                  : "there is no rule '%.*s'",
                            CHECK_STR(word));
        }
    }
}

void lint__look(check_workspace *w, const bool *disabled) {
    uint32_t         rule_count;
    const lint_rule *rules = lint__rules(&rule_count);
    lint_run         run = { .workspace = w };
    run.subjects = BASE_NEW_ARRAY(&w->arena, lint_subject, count_subjects(w) + 1);
    if (!run.subjects) {
        w->no_memory = true;
        return;
    }
    for (uint32_t i = 0; i < w->statement_count; i++) {
        if (is_subject(w->statements[i])) add_subject(&run, w->statements[i]);
        if (!w->statements[i]->file->is_schema) check_allowed(w, w->statements[i]);
    }
    if (!find_conditional(&run, &w->arena)) {
        w->no_memory = true;
        return;
    }
    for (uint32_t r = 0; r < rule_count; r++) {
        run.rule = &rules[r];
        if (disabled && disabled[r]) continue;
        for (uint32_t i = 0; i < run.subject_count; i++) run.rule->look(&run, &run.subjects[i]);
    }
}
