// SPDX-License-Identifier: MIT
/* command.c -- the command `corm lint`. */
#include <stdlib.h>

#include "base/text.h"
#include "cli/command.h"
#include "cli/lint/lint.h"

enum { MOST_RULES = 128 };

/* What is left out: rules by their order, and kinds of findings of check. */
typedef struct lint_left_out {
    bool rules[MOST_RULES];
    bool server, unsupported;
} lint_left_out;

typedef struct lint_values {
    const char *schema;
    const char *keyspace;
    const char *disable;
    const char *explain;
    bool        json, sarif, rules, strict;
} lint_values;

#define OF(member) offsetof(lint_values, member)
static const cli_option options[] = {
    { "schema", 's', CLI_TEXT, OF(schema), "FROM",
      "the schema to begin with, which is not looked at itself: a file of\n"
      "DDL, a folder (corm:DIR) or a cluster (cassandra://HOST)",
      0, 0, NULL },
    { "keyspace", 'k', CLI_TEXT, OF(keyspace), "NAME",
      "the keyspace in use; made when no file makes it; of a store the\nonly one that is read", 0,
      0, NULL },
    { "disable", 'd', CLI_TEXT, OF(disable), "RULES", "leaves out rules: a,b,c", 0, 0, NULL },
    { "strict", 0, CLI_FLAG, OF(strict), NULL, "findings that are only for information count too",
      0, 0, NULL },
    { "json", 0, CLI_FLAG, OF(json), NULL, "one JSON object a line for each finding", 0, 0, NULL },
    { "sarif", 0, CLI_FLAG, OF(sarif), NULL, "one SARIF 2.1.0 document", 0, 0, NULL },
    { "rules", 0, CLI_FLAG, OF(rules), NULL, "lists the rules", 0, 0, NULL },
    { "explain", 0, CLI_TEXT, OF(explain), "RULE", "explains a rule, with examples", 0, 0, NULL },
};
#undef OF

static const char *severity_name(check_severity severity) {
    return severity == CHECK_INFO ? "info" : "warning";
}

/* ---- rules for people ---- */

static int list_rules(void) {
    uint32_t         count;
    const lint_rule *rules = lint__rules(&count);
    for (uint32_t i = 0; i < count; i++)
        printf("%-26s %-8s %s\n", rules[i].id, severity_name(rules[i].severity), rules[i].title);
    return CLI_OK;
}

static void print_indented(const char *title, const char *text) {
    printf("\n%s\n\n", title);
    for (const char *at = text; *at;) {
        size_t len = strcspn(at, "\n");
        printf("    %.*s\n", (int)len, at);
        at += len + (at[len] != 0);
    }
}

static int unknown_rule(corm_str id) {
    uint32_t         count;
    const lint_rule *rules = lint__rules(&count);
    check_nearest    nearest = { .word = id, .best = { "", 0 } };
    for (uint32_t i = 0; i < count; i++) check__consider(&nearest, corm_str_of(rules[i].id));
    fprintf(stderr, "corm lint: there is no rule '%.*s'%s%.*s%s; 'corm lint --rules' lists them\n",
            CHECK_STR(id), nearest.best.len ? "; did you mean '" : "", CHECK_STR(nearest.best),
            nearest.best.len ? "'?" : "");
    return CLI_USAGE;
}

static int explain(const char *id) {
    const lint_rule *rule = lint__rule(corm_str_of(id));
    if (!rule) return unknown_rule(corm_str_of(id));
    printf("%s (%s): %s\n\n%s\n\nBetter: %s\n", rule->id, severity_name(rule->severity),
           rule->title, rule->reason, rule->better);
    print_indented("Found:", rule->bad);
    print_indented("Not found:", rule->good);
    printf("\nTo allow it for one statement, in a comment above: -- corm: allow %s\n", rule->id);
    return CLI_OK;
}

/* ---- which rules ---- */

static void leave_out(corm_str id, lint_left_out *out) {
    uint32_t         count;
    const lint_rule *rules = lint__rules(&count);
    for (uint32_t i = 0; i < count; i++)
        if (corm_str_equal(id, corm_str_of(rules[i].id))) out->rules[i] = true;
    if (corm_str_equal(id, corm_str_of(CHECK_SERVER))) out->server = true;
    if (corm_str_equal(id, corm_str_of(CHECK_UNSUPPORTED))) out->unsupported = true;
}

static int disable(corm_str list, lint_left_out *out) {
    while (list.len) {
        const char *comma = memchr(list.data, ',', list.len);
        size_t      len = comma ? (size_t)(comma - list.data) : list.len;
        corm_str    id = base__str_trim((corm_str){ list.data, len });
        if (id.len && !lint__may_be_left_out(id)) return unknown_rule(id);
        leave_out(id, out);
        list.data += len + (comma != NULL);
        list.len -= len + (comma != NULL);
    }
    return CLI_OK;
}

/* `.cormlint` in the working directory: a rule a line to be left out; # begins a comment. */
static int read_config(lint_left_out *out) {
    base_arena arena = { 0 };
    corm_str   text;
    FILE      *file = fopen(".cormlint", "r");
    if (!file) return CLI_OK;
    fclose(file);
    corm_error error = { 0 };
    int        code = CLI_OK;
    if (check__read(&arena, ".cormlint", &text, &error) != CORM_OK) {
        fprintf(stderr, "corm lint: %s\n", error.message);
        code = CLI_USAGE;
    }
    while (code == CLI_OK && text.len) {
        const char *end = memchr(text.data, '\n', text.len);
        size_t      len = end ? (size_t)(end - text.data) : text.len;
        const char *comment = memchr(text.data, '#', len);
        code = disable(
            base__str_trim((corm_str){ text.data, comment ? (size_t)(comment - text.data) : len }),
            out);
        text.data += len + (end != NULL);
        text.len -= len + (end != NULL);
    }
    base__arena_free(&arena);
    return code;
}

/* ---- all of it ---- */

static void put_sarif(const check_workspace *w, base_buf *out) {
    static const check_rule_text own[] = {
        { "syntax", "not CQL" },
        { "invalid", "not valid in the schema" },
        { "exists", "it exists already" },
        { "config", "an option's value is not valid" },
        { "name", "a statement's name" },
        { "allow", "a comment that allows a rule" },
        { CHECK_SERVER, "the server warns" },
        { CHECK_UNSUPPORTED, "Corm's store does not execute it" },
    };
    enum { OWN = sizeof own / sizeof own[0] };
    check_rule_text  texts[MOST_RULES + OWN];
    uint32_t         count;
    const lint_rule *rules = lint__rules(&count);
    memcpy(texts, own, sizeof own);
    for (uint32_t i = 0; i < count; i++)
        texts[OWN + i] = (check_rule_text){ rules[i].id, rules[i].title };
    check__print_sarif(w, texts, OWN + count, out);
}

static int print_findings(check_workspace *w, const lint_values *v) {
    base_buf   out = { 0 };
    corm_error error = { 0 };
    if (check__finish(w, &error) != CORM_OK) {
        fprintf(stderr, "corm lint: %s\n", error.message);
        return CLI_USAGE;
    }
    if (v->sarif)
        put_sarif(w, &out);
    else
        check__print(w, v->json ? CHECK_JSON : CHECK_TEXT, &out);
    int code = check__put("lint", &out);
    base__buf_free(&out);
    fflush(stdout);
    uint32_t errors = check__count(w, CHECK_ERROR), bad = check__count(w, CHECK_WARNING),
             all = check__count(w, CHECK_INFO);
    if (!v->json && !v->sarif)
        fprintf(stderr, "%u error%s, %u warning%s, %u for information\n", errors,
                errors == 1 ? "" : "s", bad - errors, bad - errors == 1 ? "" : "s", all - bad);
    if (code != CLI_OK) return code;
    return (v->strict ? all : bad) ? CLI_FAILED : CLI_OK;
}

static int run_lint(const void *values, const cli_operands *files) {
    const lint_values *v = values;
    check_workspace    w;
    lint_left_out      out = { .server = false };
    if (v->rules) return list_rules();
    if (v->explain) return explain(v->explain);
    if (!files->count) {
        fputs("corm lint: FILE is missing\nTry 'corm help lint'.\n", stderr);
        return CLI_USAGE;
    }
    int code = read_config(&out);
    if (code == CLI_OK && v->disable) code = disable(corm_str_of(v->disable), &out);
    if (code == CLI_OK) code = check__load("lint", &w, v->keyspace, v->schema, files);
    if (code != CLI_OK) return code;
    lint__look(&w, out.rules);
    if (out.server) check__forget(&w, CHECK_SERVER);
    if (out.unsupported) check__forget(&w, CHECK_UNSUPPORTED);
    code = print_findings(&w, v);
    check__free(&w);
    return code;
}

const cli_command cli__lint_command = {
    .name = "lint",
    .operands = "[FILE ...]",
    .summary = "Finds CQL that is right but costs more than it seems to",
    .more =
        "Everything that 'corm check' tells, and what rules find: full scans, partitions that grow\n"
        "for ever, tombstones, batches, conditions ... each with the reason and the better form.\n"
        "A comment above a statement allows a rule there: -- corm: allow select-star\n"
        "A file .cormlint names rules that are left out everywhere, one a line.\n"
        "\n"
        "Exit codes: 0 nothing was found but for information, 1 there are warnings or errors, 2 a\n"
        "mistake on the command line or a file that cannot be read. docs/lint.md has all rules.",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .values_size = sizeof(lint_values),
    .run = run_lint,
};
