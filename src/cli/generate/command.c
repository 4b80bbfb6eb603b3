// SPDX-License-Identifier: MIT
/* command.c -- the command `corm generate`: reads, makes the text of both files, and writes or compares them. */
#include <errno.h>
#include <stdlib.h>

#include "base/fail.h"
#include "cli/command.h"
#include "cli/generate/generate.h"

typedef struct generate_values {
    const char *schema;
    const char *keyspace;
    const char *output;
    const char *name;
    bool        check;
} generate_values;

#define OF(member) offsetof(generate_values, member)
static const cli_option options[] = {
    { "schema", 's', CLI_TEXT, OF(schema), "FROM",
      "the schema to begin with: a file of DDL, a folder (corm:DIR) or a\n"
      "cluster (cassandra://HOST)",
      0, 0, NULL },
    { "keyspace", 'k', CLI_TEXT, OF(keyspace), "NAME",
      "the keyspace in use; of models: the one whose tables are meant", 0, 0, NULL },
    { "output", 'o', CLI_TEXT, OF(output), "DIR", "where NAME.h and NAME.c go (.)", 0, 0, NULL },
    { "name", 'n', CLI_TEXT, OF(name), "NAME",
      "of the files, and before every name in them; default: that of\n"
      "the last file, or of the keyspace",
      0, 0, NULL },
    { "check", 0, CLI_FLAG, OF(check), NULL,
      "writes nothing; fails when the files are not what would be written", 0, 0, NULL },
};
#undef OF

static int fail(const corm_error *error, int code) {
    fprintf(stderr, "corm generate: %s\n", error->message);
    return code;
}

/* ---- names ---- */

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* "queries/shop.cql" gives "shop". */
static const char *name_of_file(base_arena *arena, const char *path) {
    const char *base = base_name(path), *dot = strchr(base, '.');
    corm_str    name = { base, dot && dot > base ? (size_t)(dot - base) : strlen(base) };
    gen_names   names = { .arena = arena };
    return gen__name(&names, strcmp(path, "-") == 0 ? corm_str_of("queries") : name).data;
}

/* What the files are made from, as their first lines say it: without folders, which differ between machines. */
static const char *source_text(base_arena *arena, const char *schema, const char *const *files,
                               uint32_t count) {
    base_buf text = { 0 };
    if (schema) base__buf_puts(&text, check__is_uri(schema) ? "a live schema" : base_name(schema));
    for (uint32_t i = 0; i < count; i++) {
        if (text.len) base__buf_puts(&text, i + 1 == count ? " and " : ", ");
        base__buf_puts(&text, strcmp(files[i], "-") == 0 ? "standard input" : base_name(files[i]));
    }
    base_buf shown = { 0 };
    gen__put_comment(base__buf_str(&text), &shown);
    const char *out =
        text.failed || shown.failed ? NULL : base__arena_str(arena, base__buf_str(&shown)).data;
    base__buf_free(&text);
    base__buf_free(&shown);
    return out;
}

/* Names that the generated functions or the library's headers use themselves. */
static bool is_usable(const char *name) {
    static const char *const used[] = { "statements", "params",    "row",   "rows",
                                        "answer",     "err",       "out",   "status",
                                        "result",     "statement", "task",  "cells",
                                        "context",    "value",     "items", "corm" };
    bool                     usable = gen__is_c_name(name) && strncmp(name, "corm_", 5) != 0;
    for (size_t i = 0; i < sizeof used / sizeof used[0]; i++)
        usable = usable && strcmp(name, used[i]) != 0;
    if (!usable)
        fprintf(stderr, "corm generate: '%s' cannot be the name: say another with --name\n", name);
    return usable;
}

/* ---- files ---- */

static corm_status same_file(const char *path, const base_buf *text, corm_error *err) {
    base_arena arena = { 0 };
    corm_str   found;
    corm_error unread = { 0 };
    bool       same = check__read(&arena, path, &found, &unread) == CORM_OK &&
                corm_str_equal(found, base__buf_str(text));
    base__arena_free(&arena);
    return same ? CORM_OK
                : base__fail(err, CORM_INVALID, "%s is stale: run it again without --check", path);
}

/* What is the same already is not touched, so that nothing is built again for it. */
static corm_status write_file(const char *path, const base_buf *text, corm_error *err) {
    if (same_file(path, text, NULL) == CORM_OK) return CORM_OK;
    FILE *file = fopen(path, "w");
    if (!file) return base__fail_errno(err, errno, "%s", path);
    bool wrote = text->len == 0 || fwrite(text->data, 1, text->len, file) == text->len;
    return fclose(file) == 0 && wrote ? CORM_OK : base__fail_errno(err, errno, "%s", path);
}

static corm_status put_file(const generate_values *v, const char *name, const char *ending,
                            const base_buf *text, corm_error *err) {
    base_buf path = { 0 };
    CORM_TRY(base__buf_status(text, err));
    base__buf_printf(&path, "%s/%s.%s", v->output ? v->output : ".", name, ending);
    const char *shown = base__buf_cstr(&path);
    corm_status status = !shown     ? base__fail_memory(err)
                         : v->check ? same_file(shown, text, err)
                                    : write_file(shown, text, err);
    base__buf_free(&path);
    return status;
}

static int put_files(const generate_values *v, const char *name, const base_buf *header,
                     const base_buf *source) {
    corm_error  error = { 0 }, second = { 0 };
    corm_status status = put_file(v, name, "h", header, &error);
    if (status != CORM_OK) fail(&error, CLI_FAILED);
    corm_status other = put_file(v, name, "c", source, &second);
    if (other != CORM_OK) fail(&second, CLI_FAILED);
    if (status == CORM_OK && other == CORM_OK) return CLI_OK;
    return status == CORM_INVALID || other == CORM_INVALID ? CLI_FAILED : CLI_USAGE;
}

/* ---- named statements ---- */

/* The faults that check finds; CLI_OK when there is none. */
static int refuse_faults(check_workspace *w) {
    base_buf   out = { 0 };
    corm_error error = { 0 };
    if (check__finish(w, &error) != CORM_OK) return fail(&error, CLI_USAGE);
    if (check__count(w, CHECK_ERROR) == 0) return CLI_OK;
    check__print(w, CHECK_TEXT, &out);
    if (out.data) fwrite(out.data, 1, out.len, stderr);
    base__buf_free(&out);
    return CLI_FAILED;
}

static int generate(const generate_values *v, check_workspace *w, gen_unit *unit) {
    corm_error error = { 0 };
    base_buf   header = { 0 }, source = { 0 };
    int        code = refuse_faults(w);
    if (code != CLI_OK) return code;
    if (gen__queries(unit, w, &error) != CORM_OK) return fail(&error, CLI_FAILED);
    if (!unit->query_count) {
        fputs("corm generate: no statement has a name (-- name: get_user :one)\n", stderr);
        return CLI_FAILED;
    }
    gen__put_header(unit, &header);
    gen__put_source(unit, &source);
    code = put_files(v, unit->name, &header, &source);
    base__buf_free(&header);
    base__buf_free(&source);
    return code;
}

static int run_queries(const generate_values *v, const cli_operands *files) {
    check_workspace w;
    int             code = check__load("generate", &w, v->keyspace, v->schema, files);
    if (code != CLI_OK) return code;
    gen_unit unit = { .arena = &w.arena };
    unit.name = v->name ? v->name : name_of_file(&w.arena, files->items[files->count - 1]);
    unit.source = source_text(&w.arena, v->schema, files->items, files->count);
    if (!unit.name || !unit.source) {
        fputs("corm generate: memory is exhausted\n", stderr);
        code = CLI_USAGE;
    } else {
        code = is_usable(unit.name) ? generate(v, &w, &unit) : CLI_USAGE;
    }
    check__free(&w);
    return code;
}

/* ---- models ---- */

static bool is_users(const cql_keyspace *keyspace) {
    return !keyspace->is_system && !keyspace->is_virtual;
}

static corm_status find_keyspace(const check_workspace *w, const char *name,
                                 const cql_keyspace **out, corm_error *err) {
    *out = name ? cql__schema_keyspace(w->schema, corm_str_of(name)) : NULL;
    if (*out && is_users(*out)) return CORM_OK;
    if (name) return base__fail(err, CORM_INVALID_ARGUMENT, "there is no keyspace '%s'", name);
    for (uint32_t i = 0; i < w->schema->keyspace_count; i++) {
        if (!is_users(w->schema->keyspaces[i])) continue;
        if (*out)
            return base__fail(err, CORM_INVALID_ARGUMENT,
                              "there are several keyspaces: say --keyspace");
        *out = w->schema->keyspaces[i];
    }
    return *out ? CORM_OK : base__fail(err, CORM_INVALID_ARGUMENT, "there is no keyspace");
}

static int generate_models(const generate_values *v, check_workspace *w, const char *from) {
    corm_error error = { 0 };
    base_buf   header = { 0 }, source = { 0 };
    gen_models models = { .schema = w->schema, .arena = &w->arena };
    int        code = refuse_faults(w);
    if (code != CLI_OK) return code;
    if (find_keyspace(w, v->keyspace, &models.keyspace, &error) != CORM_OK)
        return fail(&error, CLI_USAGE);
    gen_names names = { .arena = &w->arena };
    models.name = v->name ? v->name : gen__name(&names, models.keyspace->name).data;
    models.source = source_text(&w->arena, NULL, &from, 1);
    if (check__is_uri(from)) models.source = "a live schema";
    if (!models.name || !models.source)
        code = fail(&(corm_error){ .message = "memory is exhausted" }, CLI_USAGE);
    if (code == CLI_OK && !is_usable(models.name)) code = CLI_USAGE;
    if (code == CLI_OK && gen__put_models(&models, &header, &source, &error) != CORM_OK)
        code = fail(&error, CLI_FAILED);
    if (code == CLI_OK) code = put_files(v, models.name, &header, &source);
    base__buf_free(&header);
    base__buf_free(&source);
    return code;
}

static int run_models(const generate_values *v, const cli_operands *operands) {
    check_workspace w;
    cli_operands    none = { .count = 0 };
    if (operands->count != 2 || v->schema) {
        fputs(
            "corm generate: models takes one file of DDL or one URI: corm generate models corm:./shop\n",
            stderr);
        return CLI_USAGE;
    }
    int code = check__load("generate", &w, v->keyspace, operands->items[1], &none);
    if (code != CLI_OK) return code;
    code = generate_models(v, &w, operands->items[1]);
    check__free(&w);
    return code;
}

static int run_generate(const void *values, const cli_operands *operands) {
    const generate_values *v = values;
    return strcmp(operands->items[0], "models") == 0 ? run_models(v, operands)
                                                     : run_queries(v, operands);
}

const cli_command cli__generate_command = {
    .name = "generate",
    .operands = "FILE ...",
    .summary = "Makes typed C of named statements, or models of a schema",
    .more =
        "Each statement with a name becomes a function, with a struct of its parameters and one of its\n"
        "rows, in NAME.h and NAME.c:\n"
        "\n"
        "    -- name: get_user :one\n"
        "    SELECT id, name FROM users WHERE id = ?;\n"
        "\n"
        "    corm generate --schema schema.cql queries.cql\n"
        "    corm generate models corm:./shop --keyspace shop\n"
        "\n"
        "The second form writes the tables of a file of DDL, a folder or a cluster as models.\n"
        "Exit codes: 0 written, 1 errors in the files, or stale with --check, 2 a mistake on the\n"
        "command line or a file that cannot be read or written. docs/generate.md has more.",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .values_size = sizeof(generate_values),
    .run = run_generate,
};
