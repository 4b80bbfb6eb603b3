// SPDX-License-Identifier: MIT
/* workspace.c -- statements one after the other: DDL makes the next schema, all others are held against it. A statement that
 * fails hides no other; what it would have made is remembered, so that its absence is not reported as well. */
#include "cli/check/check.h"

#include <stdlib.h>

#include "base/fail.h"
#include "base/text.h"
#include "cli/culprit.h"
#include "engine/store.h"

/* ---- statements ---- */

static check_statement *add_statement(check_workspace *w) {
    if (w->statement_count == w->statement_room) {
        uint32_t          room = w->statement_room ? 2 * w->statement_room : 64;
        check_statement **more = realloc(w->statements, room * sizeof *more);
        if (!more) return NULL;
        w->statements = more;
        w->statement_room = room;
    }
    check_statement *s = BASE_NEW(&w->arena, check_statement);
    if (s) w->statements[w->statement_count++] = s;
    return s;
}

/* The name that a CREATE statement gives, whether it parses or not. */
static corm_str made_name(corm_str text) {
    static const char *const passed[] = { "CREATE",       "CUSTOM", "MATERIALIZED", "TABLE",
                                          "COLUMNFAMILY", "TYPE",   "VIEW",         "KEYSPACE",
                                          "IF",           "NOT",    "EXISTS",       "OR",
                                          "REPLACE",      "INDEX",  "FUNCTION",     "AGGREGATE" };
    cql_lexer                lexer;
    cql_token                token;
    corm_str                 name = { "", 0 };
    uint32_t                 words = 0;
    bool                     after_dot = false;
    cql__lexer_init(&lexer, text);
    for (cql__lexer_next(&lexer, &token); token.kind != CQL_TOKEN_END;
         cql__lexer_next(&lexer, &token)) {
        bool is_word = token.kind == CQL_TOKEN_IDENT || token.kind == CQL_TOKEN_QUOTED;
        bool skip = words == 1; /* also what should have been TABLE */
        for (size_t i = 0; i < sizeof passed / sizeof passed[0] && !name.len; i++)
            skip = skip || base__str_equal_nocase(token.text, corm_str_of(passed[i]));
        if (words++ == 0 && !skip) return name;
        if (skip) continue;
        if (name.len && !is_word && !corm_str_equal(token.text, corm_str_of("."))) return name;
        if (name.len && is_word && !after_dot) return name;
        after_dot = !is_word;
        if (is_word) name = cli__token_content(&token);
    }
    return name;
}

static void remember_broken(check_workspace *w, corm_str text) {
    corm_str name = made_name(text);
    if (!name.len) return;
    name = check__folded(w, name);
    if (name.len && !base__map_put(&w->broken, name, w)) w->no_memory = true;
}

static void note_failure(check_workspace *w, const check_statement *s, const cql_statement *tree,
                         const corm_error *error) {
    if (error->status == CORM_NO_MEMORY) w->no_memory = true;
    check__report(w, s, tree, error);
    remember_broken(w, s->text);
}

/* ---- parsing ---- */

static void report_syntax(check_workspace *w, const check_statement *s,
                          const cql_diagnostics *diagnostics) {
    for (uint32_t i = 0; i < diagnostics->count; i++) {
        const cql_diagnostic *d = &diagnostics->items[i];
        corm_error            error = { .status = CORM_SYNTAX_ERROR,
                                        .line = d->place.line ? d->place.line : 1,
                                        .column = d->place.column };
        snprintf(error.message, sizeof error.message, "%.*s", CHECK_STR(d->message));
        check__report(w, s, NULL, &error);
    }
}

static bool parse(check_workspace *w, check_statement *s) {
    cql_diagnostics diagnostics = { 0 };
    corm_error      error = { 0 };
    cql_statement  *tree = NULL;
    corm_status     status = cql__parse(&s->arena, s->text, &tree, &diagnostics, &error);
    s->tree = tree;
    if (status == CORM_OK) return true;
    if (diagnostics.count)
        report_syntax(w, s, &diagnostics);
    else
        check__report(w, s, NULL, &error);
    if (status == CORM_NO_MEMORY) w->no_memory = true;
    remember_broken(w, s->text);
    s->tree = NULL;
    return false;
}

/* ---- DDL ---- */

/* What the server would warn of. */
static void warn(check_workspace *w, const check_statement *s, corm_str warning) {
    if (s->file->is_schema || check__allows(s, CHECK_SERVER)) return;
    check__find(w, s->file, s->text.data, cli__token_length(s->text, (cql_place){ 1, 0 }),
                CHECK_WARNING, CHECK_SERVER, "%.*s", CHECK_STR(warning));
}

static void apply(check_workspace *w, check_statement *s, const cql_statement *tree) {
    corm_error        error = { 0 };
    cql_schema       *next = NULL;
    cql_schema_change change = { 0 };
    if (cql__schema_apply(w->schema, tree, w->keyspace, 1, &s->arena, &next, &change, &error) !=
        CORM_OK) {
        note_failure(w, s, tree, &error);
        return;
    }
    for (uint32_t i = 0; i < change.warning_count; i++) warn(w, s, change.warnings[i]);
    cql__schema_unref(w->schema);
    w->schema = next;
    s->schema = cql__schema_ref(next);
}

/* ---- all others ---- */

/* One statement of a batch, alone: the batch as a whole tells only its first fault. */
static void check_item(check_workspace *w, check_statement *s, const cql_statement *batch,
                       uint32_t index, uint32_t *faults) {
    base_arena    arena = { 0 };
    corm_error    error = { 0 };
    cql_checked  *checked = NULL;
    cql_statement item = *batch->as.batch.statements[index];
    item.marker_count = batch->marker_count;
    if (cql__check(&arena, &item, w->schema, w->keyspace, &checked, &error) != CORM_OK) {
        check__report(w, s, batch->as.batch.statements[index], &error);
        ++*faults;
    }
    cql__checked_free(checked);
    base__arena_free(&arena);
}

static void report_unchecked(check_workspace *w, check_statement *s, const cql_statement *tree,
                             const corm_error *error) {
    uint32_t faults = 0;
    for (uint32_t i = 0; tree->kind == CQL_STMT_BATCH && i < tree->as.batch.count; i++)
        check_item(w, s, tree, i, &faults);
    if (!faults) note_failure(w, s, tree, error);
}

static void check_one(check_workspace *w, check_statement *s, const cql_statement *tree) {
    corm_error error = { 0 };
    if (cql__check(&s->arena, tree, w->schema, w->keyspace, &s->checked, &error) != CORM_OK) {
        report_unchecked(w, s, tree, &error);
        return;
    }
    if (s->checked->refused) {
        error.status = CORM_INVALID;
        snprintf(error.message, sizeof error.message, "%s", s->checked->refused);
        check__report(w, s, tree, &error);
    }
    for (uint32_t i = 0; s->checked->select && i < s->checked->select->warning_count; i++)
        warn(w, s, corm_str_of(s->checked->select->warnings[i]));
    if (tree->kind == CQL_STMT_USE) w->keyspace = s->checked->statement->as.drop.name.name.text;
}

/* The keyspace of the command line, when something is said before any file makes it. */
static corm_status make_keyspace(check_workspace *w, corm_error *err) {
    base_arena        arena = { 0 };
    base_buf          text = { 0 };
    cql_statement    *tree = NULL;
    cql_schema       *next = NULL;
    cql_schema_change change = { 0 };
    base__buf_puts(&text, "CREATE KEYSPACE IF NOT EXISTS ");
    cql__put_name(&text, w->given_keyspace);
    base__buf_puts(&text,
                   " WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}");
    corm_status status = base__buf_status(&text, err);
    if (status == CORM_OK) status = cql__parse(&arena, base__buf_str(&text), &tree, NULL, err);
    if (status == CORM_OK)
        status =
            cql__schema_apply(w->schema, tree, w->given_keyspace, 1, &arena, &next, &change, err);
    if (status == CORM_OK) {
        cql__schema_unref(w->schema);
        w->schema = next;
    }
    base__buf_free(&text);
    base__arena_free(&arena);
    return status;
}

static void need_keyspace(check_workspace *w, const cql_statement *tree) {
    if (!w->given_keyspace.len || tree->kind == CQL_STMT_CREATE_KEYSPACE) return;
    if (!cql__schema_keyspace(w->schema, w->given_keyspace) && make_keyspace(w, NULL) != CORM_OK)
        w->no_memory = true;
    w->given_keyspace.len = 0;
}

static void look_at(check_workspace *w, check_statement *s) {
    check__annotate(w, s);
    s->keyspace = w->keyspace;
    if (!parse(w, s)) return;
    need_keyspace(w, s->tree);
    if (cql__schema_applies(s->tree->kind))
        apply(w, s, s->tree);
    else
        check_one(w, s, s->tree);
    check__check_verb(w, s);
}

/* A name above no statement at all. */
static void check_end(check_workspace *w, const check_file *file, corm_str above) {
    corm_str line;
    while (check__next_comment(&above, &line))
        if (line.len > 5 && memcmp(line.data, "name:", 5) == 0)
            check__find(w, file, line.data, (uint32_t)line.len, CHECK_ERROR, "name",
                        "no statement follows");
}

void check__add_text(check_workspace *w, const char *name, corm_str text, bool is_schema,
                     bool is_foreign) {
    check_file *file = BASE_NEW(&w->arena, check_file);
    corm_str    rest = text, statement, above;
    bool        first = true;
    if (!file) {
        w->no_memory = true;
        return;
    }
    *file = (check_file){ name, text, w->file_count++, is_schema, is_foreign };
    while (check__next(&rest, &statement, &above)) {
        check_statement *s = add_statement(w);
        if (!s) {
            w->no_memory = true;
            return;
        }
        /* Behind a statement, up to the end of its line, comments belong to it. */
        const char *line = first ? NULL : memchr(above.data, '\n', above.len);
        if (!first) above.len -= line ? (size_t)(line - above.data) : above.len;
        if (line) above.data = line;
        *s = (check_statement){ .file = file, .text = statement, .above = above };
        look_at(w, s);
        first = false;
    }
    check_end(w, file, above);
}

/* ---- begin and end ---- */

static bool is_keyspace_name(const char *name) {
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
    return len > 0 && len <= 48 && !name[len];
}

corm_status check__begin_over(check_workspace *w, const char *keyspace, cql_schema *schema,
                              corm_error *err) {
    *w = (check_workspace){ .keyspace = { "", 0 } };
    if (keyspace && !is_keyspace_name(keyspace))
        return base__fail(err, CORM_INVALID_ARGUMENT, "'%s' is no keyspace's name", keyspace);
    w->schema = cql__schema_ref(schema);
    if (!keyspace) return CORM_OK;
    w->keyspace = w->given_keyspace = base__arena_str(&w->arena, corm_str_of(keyspace));
    if (w->keyspace.data) return CORM_OK;
    check__free(w);
    return base__fail_memory(err);
}

corm_status check__begin(check_workspace *w, const char *keyspace, corm_error *err) {
    cql_schema *schema;
    CORM_TRY(engine__system_schema(&schema, err));
    corm_status status = check__begin_over(w, keyspace, schema, err);
    cql__schema_unref(schema);
    return status;
}

static int compare(const void *a, const void *b) {
    const check_finding *x = a, *y = b;
    if (x->file != y->file) return x->file->index < y->file->index ? -1 : 1;
    if (x->at != y->at) return x->at < y->at ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

corm_status check__finish(check_workspace *w, corm_error *err) {
    if (w->no_memory) return base__fail_memory(err);
    if (w->finding_count > 1) qsort(w->findings, w->finding_count, sizeof *w->findings, compare);
    return CORM_OK;
}

void check__forget(check_workspace *w, const char *rule) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < w->finding_count; i++)
        if (strcmp(w->findings[i].rule, rule) != 0) w->findings[kept++] = w->findings[i];
    w->finding_count = kept;
}

uint32_t check__count(const check_workspace *w, check_severity severity) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < w->finding_count; i++) count += w->findings[i].severity >= severity;
    return count;
}

void check__free(check_workspace *w) {
    for (uint32_t i = 0; i < w->statement_count; i++) {
        check_statement *s = w->statements[i];
        cql__checked_free(s->checked);
        cql__schema_unref(s->schema);
        base__arena_free(&s->arena);
    }
    free(w->statements);
    free(w->findings);
    base__map_free(&w->broken);
    base__map_free(&w->names);
    cql__schema_unref(w->schema);
    base__arena_free(&w->arena);
    *w = (check_workspace){ 0 };
}
