// SPDX-License-Identifier: MIT
/* command.c -- the command `corm check`. */
#include "cli/command.h"
#include "cli/check/check.h"

typedef struct check_values {
    const char *schema;
    const char *keyspace;
    bool        json;
} check_values;

#define OF(member) offsetof(check_values, member)
static const cli_option options[] = {
    { "schema", 's', CLI_TEXT, OF(schema), "FROM",
      "the schema to begin with: a file of DDL, a folder (corm:DIR) or a\n"
      "cluster (cassandra://HOST)",
      0, 0, NULL },
    { "keyspace", 'k', CLI_TEXT, OF(keyspace), "NAME",
      "the keyspace in use; made when no file makes it; of a store the\nonly one that is read", 0,
      0, NULL },
    { "json", 0, CLI_FLAG, OF(json), NULL, "one JSON object a line for each finding", 0, 0, NULL },
};
#undef OF

int check__load(const char *command, check_workspace *w, const char *keyspace, const char *schema,
                const cli_operands *files) {
    corm_error  error = { 0 };
    corm_status status = check__begin(w, keyspace, &error);
    if (status == CORM_OK) {
        if (schema) status = check__add_schema(w, schema, &error);
        for (uint32_t i = 0; i < files->count && status == CORM_OK; i++)
            status = check__add_file(w, files->items[i], false, &error);
        if (status == CORM_OK) return CLI_OK;
        check__free(w);
    }
    fprintf(stderr, "corm %s: %s\n", command, error.message);
    return CLI_USAGE;
}

int check__put(const char *command, const base_buf *out) {
    if (!out->failed && (out->len == 0 || fwrite(out->data, 1, out->len, stdout) == out->len))
        return CLI_OK;
    if (out->failed) fprintf(stderr, "corm %s: memory is exhausted\n", command);
    return CLI_USAGE;
}

static uint32_t subjects(const check_workspace *w) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < w->statement_count; i++) count += !w->statements[i]->file->is_foreign;
    return count;
}

static const char *plural(uint32_t count) {
    return count == 1 ? "" : "s";
}

static int print_findings(check_workspace *w, bool json) {
    base_buf   out = { 0 };
    corm_error error = { 0 };
    if (check__finish(w, &error) != CORM_OK) {
        fprintf(stderr, "corm check: %s\n", error.message);
        return CLI_USAGE;
    }
    check__print(w, json ? CHECK_JSON : CHECK_TEXT, &out);
    int      code = check__put("check", &out);
    uint32_t errors = check__count(w, CHECK_ERROR), all = check__count(w, CHECK_INFO);
    fflush(stdout);
    if (!json)
        fprintf(stderr, "%u statement%s, %u error%s, %u warning%s\n", subjects(w),
                plural(subjects(w)), errors, plural(errors), all - errors, plural(all - errors));
    base__buf_free(&out);
    return code != CLI_OK ? code : errors ? CLI_FAILED : CLI_OK;
}

static int run_check(const void *values, const cli_operands *files) {
    const check_values *v = values;
    check_workspace     w;
    int                 code = check__load("check", &w, v->keyspace, v->schema, files);
    if (code != CLI_OK) return code;
    code = print_findings(&w, v->json);
    check__free(&w);
    return code;
}

const cli_command cli__check_command = {
    .name = "check",
    .operands = "FILE ...",
    .summary = "Parses and type-checks files of CQL without a server",
    .more =
        "The files are read in order (- is standard input): their CREATE, ALTER and DROP build a\n"
        "schema, every other statement is held against it. All errors of all files are told, with\n"
        "file, line and column. Statements may have names: -- name: get_user :one\n"
        "\n"
        "Exit codes: 0 nothing is wrong, 1 errors were found, 2 a mistake on the command line or a\n"
        "file that cannot be read. docs/check.md has more.",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .values_size = sizeof(check_values),
    .run = run_check,
};
