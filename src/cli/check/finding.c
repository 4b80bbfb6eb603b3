// SPDX-License-Identifier: MIT
/* finding.c -- what is wrong, and where. */
#include "cli/check/check.h"

#include <stdarg.h>
#include <stdlib.h>

#include "base/text.h"
#include "cli/culprit.h"

static bool grow(check_workspace *w) {
    if (w->finding_count < w->finding_room) return true;
    uint32_t       room = w->finding_room ? 2 * w->finding_room : 32;
    check_finding *more = realloc(w->findings, room * sizeof *more);
    if (!more) {
        w->no_memory = true;
        return false;
    }
    w->findings = more;
    w->finding_room = room;
    return true;
}

/* From the last place on, where that is before it: findings mostly come one behind the other. */
static void set_place(check_workspace *w, check_finding *finding) {
    check_cursor *cursor = &w->cursor;
    if (cursor->file != finding->file || cursor->at > finding->at)
        *cursor = (check_cursor){ finding->file, finding->file->text.data, 1, 1 };
    for (; cursor->at < finding->at; cursor->at++) {
        if (*cursor->at == '\n') {
            cursor->line++;
            cursor->column = 1;
        } else if (((uint8_t)*cursor->at & 0xC0) != 0x80) {
            cursor->column++;
        }
    }
    finding->line = cursor->line;
    finding->column = cursor->column;
}

check_finding *check__find(check_workspace *w, const check_file *file, const char *at,
                           uint32_t length, check_severity severity, const char *rule,
                           const char *format, ...) {
    static check_finding nowhere;
    char                 message[1200];
    va_list              list;
    if (!grow(w)) return &nowhere;
    va_start(list, format);
    vsnprintf(message, sizeof message, format, list);
    va_end(list);
    check_finding *finding = &w->findings[w->finding_count];
    *finding = (check_finding){ .file = file,
                                .at = at,
                                .length = length ? length : 1,
                                .order = w->finding_count,
                                .severity = severity,
                                .rule = rule };
    set_place(w, finding);
    finding->message = base__arena_str(&w->arena, corm_str_of(message));
    if (!finding->message.data) w->no_memory = true;
    w->finding_count++;
    return finding;
}

static const char *kind_of(const corm_error *error) {
    switch (error->status) {
    case CORM_SYNTAX_ERROR: return "syntax";
    case CORM_ALREADY_EXISTS: return "exists";
    case CORM_CONFIG_ERROR: return "config";
    default: return "invalid";
    }
}

/* Whether the message follows from a statement that failed before. */
static bool is_consequence(const check_workspace *w, const char *message, corm_str word) {
    bool misses = strstr(message, "does not exist") || strstr(message, "doesn't exist") ||
                  strstr(message, "Unknown type") || strstr(message, "Unknown function") ||
                  strstr(message, "not found");
    return misses && word.len && base__map_get(&w->broken, word);
}

corm_str check__folded(check_workspace *w, corm_str name) {
    char *copy = base__arena_alloc(&w->arena, name.len + 1);
    if (!copy) {
        w->no_memory = true;
        return (corm_str){ "", 0 };
    }
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        copy[i] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
    copy[name.len] = 0;
    return (corm_str){ copy, name.len };
}

/* The word at the place, in lower case unless it is quoted. */
static corm_str word_at(check_workspace *w, corm_str text, cql_place place) {
    cql_lexer lexer;
    cql_token token;
    cql__lexer_init(&lexer, text);
    for (cql__lexer_next(&lexer, &token); token.kind != CQL_TOKEN_END;
         cql__lexer_next(&lexer, &token))
        if (token.place.line == place.line && token.place.column == place.column) break;
    if (token.kind != CQL_TOKEN_IDENT && token.kind != CQL_TOKEN_QUOTED) return (corm_str){ "", 0 };
    corm_str content = cli__token_content(&token);
    return token.kind == CQL_TOKEN_QUOTED ? content : check__folded(w, content);
}

/* The word at the beginning, without the keyspace in front of it. */
static corm_str first_name(const char *text) {
    corm_str word = { text, strcspn(text, " ,'(") };
    for (size_t i = word.len; i > 0; i--)
        if (word.data[i - 1] == '.') return (corm_str){ word.data + i, word.len - i };
    return word;
}

/* The name that messages of some beginnings complain of, where they mention others too. */
static bool find_named(corm_str cql, const char *message, cql_token *out) {
    static const char *const beginnings[] = { "Undefined column name ", "Unknown type ",
                                              "Unknown column ",        "Unknown property ",
                                              "State function ",        "Trigger '" };
    cql_lexer                lexer;
    for (size_t i = 0; i < sizeof beginnings / sizeof beginnings[0]; i++) {
        size_t len = strlen(beginnings[i]);
        if (strncmp(message, beginnings[i], len) != 0) continue;
        corm_str word = first_name(message + len);
        cql__lexer_init(&lexer, cql);
        for (cql__lexer_next(&lexer, out); out->kind != CQL_TOKEN_END; cql__lexer_next(&lexer, out))
            if (base__str_equal_nocase(cli__token_content(out), word)) return true;
    }
    return false;
}

/* "line 1:7 no viable …" without its place, which a finding has of its own. */
static const char *without_place(const char *message) {
    uint32_t length = 0;
    if (strncmp(message, "line ", 5) != 0) return message;
    length = 5 + (uint32_t)strspn(message + 5, "0123456789:-");
    return message[length] == ' ' ? message + length + 1 : message;
}

void check__report(check_workspace *w, const check_statement *statement, const cql_statement *tree,
                   const corm_error *error) {
    cql_token culprit = { .place = { error->line, error->column } };
    bool      placed = error->line > 0 || find_named(statement->text, error->message, &culprit) ||
                  cli__find_culprit(statement->text, error->message, &culprit);
    if (!placed) culprit.place = (cql_place){ 1, 0 };
    corm_str word = placed ? word_at(w, statement->text, culprit.place) : (corm_str){ "", 0 };
    if (is_consequence(w, error->message, word)) return;
    bool lacks = strstr(error->message, "is not supported by Corm") != NULL;
    if (lacks && check__allows(statement, CHECK_UNSUPPORTED)) return;
    check_severity severity = lacks || statement->file->is_foreign ? CHECK_WARNING : CHECK_ERROR;
    check_finding *finding = check__find(
        w, statement->file, check__locate(statement->text, culprit.place),
        cli__token_length(statement->text, culprit.place), severity,
        lacks ? CHECK_UNSUPPORTED : kind_of(error), "%s",
        error->message[0] ? without_place(error->message) : corm_status_text(error->status));
    finding->query = statement->name;
    finding->hint = check__suggest(w, statement, tree, error->message, word);
}
