// SPDX-License-Identifier: MIT
/* migrate.c -- the command `corm migrate`: migrations of a directory applied, taken back, looked at. One thread. */
#include "corm/migrate.h"

#include <stdlib.h>

#include "base/fail.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/migrate.h"
#include "stream/input.h"

#define OPTION(name) offsetof(migrate_values, name)
static const cli_option migrate_options[] = {
    { "keyspace", 'k', CLI_TEXT, OPTION(keyspace), "NAME", "default: the URI's", 0, 0, NULL },
    { "dir", 'd', CLI_TEXT, OPTION(dir), "FOLDER", "of files NAME.cql; default: migrations", 0, 0,
      NULL },
    { "history", 0, CLI_TEXT, OPTION(history), "NAME",
      "of several in one keyspace; default: default", 0, 0, NULL },
    { "to", 0, CLI_TEXT, OPTION(to), "ID", "the last to apply; down: the last to keep", 0, 0,
      NULL },
    { "allow-destructive", 0, CLI_FLAG, OPTION(allow_destructive), NULL,
      "takes steps that lose data", 0, 0, NULL },
    { "out-of-order", 0, CLI_FLAG, OPTION(out_of_order), NULL,
      "applies what comes before an applied one", 0, 0, NULL },
    { "dry-run", 0, CLI_FLAG, OPTION(dry_run), NULL, "says what would be done, and does nothing", 0,
      0, NULL },
    { "schema", 0, CLI_TEXT, OPTION(schema), "FILE", "diff, new: the wanted schema in CQL", 0, 0,
      NULL },
    { "models", 0, CLI_TEXT, OPTION(models), "FILE", "diff, new: wanted models in JSON", 0, 0,
      NULL },
    { "with-drops", 0, CLI_FLAG, OPTION(with_drops), NULL,
      "diff, new: what is not wanted is dropped", 0, 0, NULL },
    { "wait", 0, CLI_NUMBER, OPTION(wait), "SECONDS",
      "how long to wait for another process; default: 120", 1, 86400, NULL },
    { "json", 0, CLI_FLAG, OPTION(json), NULL, "status: one object a line", 0, 0, NULL },
};
#undef OPTION

/* ---- common to all ---- */

int cli__migrate_fail(const corm_error *error) {
    fprintf(stderr, "corm migrate: %s\n", error->message);
    return error->status == CORM_INVALID_ARGUMENT ? CLI_USAGE : CLI_FAILED;
}

/* Prints and frees the text; `found` is the exit code when there is any. */
static int print_text(char *text, int found) {
    int code = text && *text ? found : CLI_OK;
    if (text && fputs(text, stdout) == EOF) code = CLI_FAILED;
    free(text);
    return code;
}

static void tell(void *context, const char *text) {
    (void)context;
    fprintf(stderr, "%s\n", text);
}

typedef struct action_run {
    const migrate_values *values;
    const char           *operand; /* behind the URI, or NULL */
    corm_session         *session;
    corm_migrator        *migrator;
} action_run;

static corm_migrate_options options_of(const action_run *run, corm_error *error) {
    return (corm_migrate_options){
        .to = run->values->to,
        .allow_destructive = run->values->allow_destructive,
        .out_of_order = run->values->out_of_order,
        .dry_run = run->values->dry_run,
        .error = error,
    };
}

/* ---- the actions ---- */

static int report(const action_run *run, corm_status status, corm_migration_list *list,
                  const char *did, const corm_error *error) {
    if (!run->values->dry_run) {
        for (uint32_t i = 0; list && i < list->count; i++)
            printf("%s %s\n", did, list->items[i].id);
        if (status == CORM_OK && list->count == 0) printf("nothing to do\n");
    }
    corm_migration_list_free(list);
    return status == CORM_OK ? CLI_OK : cli__migrate_fail(error);
}

static int go_up(const action_run *run) {
    corm_error           error = { 0 };
    corm_migration_list *list = NULL;
    corm_migrate_options options = options_of(run, &error);
    corm_status          status = corm_migrator_up(run->migrator, &list, &options);
    return report(run, status, list, "applied", &error);
}

static int go_down(const action_run *run) {
    corm_error           error = { 0 };
    corm_migration_list *list = NULL;
    corm_migrate_options options = options_of(run, &error);
    corm_status          status = corm_migrator_down(run->migrator, &list, &options);
    return report(run, status, list, "took back", &error);
}

static int show_plan(const action_run *run) {
    corm_error           error = { 0 };
    char                *plan;
    corm_migrate_options options = options_of(run, &error);
    if (corm_migrator_plan(run->migrator, &plan, &options) != CORM_OK)
        return cli__migrate_fail(&error);
    return print_text(plan, CLI_OK);
}

static int verify(const action_run *run) {
    corm_error error = { 0 };
    char      *drift;
    if (corm_migrator_verify(run->migrator, &drift, &error) != CORM_OK)
        return cli__migrate_fail(&error);
    return print_text(drift, CLI_FAILED);
}

static int baseline(const action_run *run) {
    corm_error error = { 0 };
    if (!run->operand) {
        fputs("corm migrate: ID is missing: the last migration that is there already\n", stderr);
        return CLI_USAGE;
    }
    corm_status status = corm_migrator_baseline(run->migrator, run->operand, &error);
    return status == CORM_OK ? CLI_OK : cli__migrate_fail(&error);
}

static int show_diff(const action_run *run) {
    char *script = NULL;
    int   code = cli__migrate_diff_text(run->values, run->session, &script);
    return code == CLI_OK ? print_text(script, CLI_FAILED) : code;
}

static int show_status(const action_run *run) {
    corm_error           error = { 0 };
    corm_migration_list *list;
    if (corm_migrator_status(run->migrator, &list, &error) != CORM_OK)
        return cli__migrate_fail(&error);
    int code = cli__migrate_print_status(list, run->values->json);
    corm_migration_list_free(list);
    return code;
}

typedef struct action {
    const char *name;
    bool        needs_files; /* the directory must be there */
    int (*run)(const action_run *run);
} action;

static const action actions[] = {
    { "plan", true, show_plan },     { "up", true, go_up },      { "down", true, go_down },
    { "status", true, show_status }, { "verify", true, verify }, { "baseline", true, baseline },
    { "diff", false, show_diff },
};
enum { ACTION_COUNT = sizeof actions / sizeof *actions };

static const action *find_action(const char *name) {
    for (int i = 0; i < ACTION_COUNT; i++)
        if (strcmp(actions[i].name, name) == 0) return &actions[i];
    return NULL;
}

static int unknown_action(const char *name) {
    const char *names[ACTION_COUNT + 1] = { "new" };
    for (int i = 0; i < ACTION_COUNT; i++) names[i + 1] = actions[i].name;
    const char *near = cli__nearest(name, names, ACTION_COUNT + 1);
    fprintf(stderr, "corm migrate: '%s' is no action%s%s%s\nTry 'corm help migrate'.\n", name,
            near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    return CLI_USAGE;
}

/* ---- the command ---- */

static int run_action(const action *what, action_run *run) {
    corm_error            error = { 0 };
    corm_migrator_options options = {
        .keyspace = run->values->keyspace,
        .dir = what->needs_files ? (run->values->dir ? run->values->dir : "migrations") : NULL,
        .name = run->values->history,
        .wait_ms = (uint32_t)(run->values->wait * 1000),
        .notice = tell,
    };
    if (corm_migrator_open(&run->migrator, run->session, &options, &error) != CORM_OK)
        return cli__migrate_fail(&error);
    int code = what->run(run);
    corm_migrator_close(run->migrator);
    return fflush(stdout) == 0 ? code : CLI_FAILED;
}

int cli__migrate_open(const migrate_values *values, const char *uri, corm_session **out) {
    corm_session_options options = { .keyspace = values->keyspace };
    return cli__open_session("migrate", uri, &options, out);
}

static int run_migrate(const void *options, const cli_operands *operands) {
    const migrate_values *values = options;
    const char           *name = operands->items[0];
    const action         *what = find_action(name);
    action_run            run = { .values = values };
    if (strcmp(name, "new") == 0) return cli__migrate_new(values, operands);
    if (!what) return unknown_action(name);
    if (operands->count < 2) {
        fputs("corm migrate: URI is missing\nTry 'corm help migrate'.\n", stderr);
        return CLI_USAGE;
    }
    if (operands->count > 2) run.operand = operands->items[2];
    int code = cli__migrate_open(values, operands->items[1], &run.session);
    if (code != CLI_OK) return code;
    code = run_action(what, &run);
    corm_session_close(run.session);
    return code;
}

const cli_command cli__migrate_command = {
    .name = "migrate",
    .operands = "ACTION [URI] [NAME]",
    .summary = "Changes a schema by migrations, each applied once",
    .more =
        "  corm migrate new NAME [URI]     makes a file; with --schema or --models and a URI it holds\n"
        "                                  what is missing\n"
        "  corm migrate plan URI           what 'up' would execute, as a script\n"
        "  corm migrate up URI             applies what is pending, and resumes what was begun\n"
        "  corm migrate down URI           takes back the newest, or all behind --to\n"
        "  corm migrate status URI         the migrations and what became of them\n"
        "  corm migrate diff URI           from the schema to the wanted one; 1 when they differ\n"
        "  corm migrate verify URI         whether history, files and schema agree; 1 when not\n"
        "  corm migrate baseline URI ID    begins a history where the schema is there already\n"
        "\n"
        "A file has sections '-- up' and '-- down'. Any number of processes may do this at once:\n"
        "one works, the others wait. docs/migrations.md says what happens when one is killed.",
    .options = migrate_options,
    .option_count = sizeof migrate_options / sizeof *migrate_options,
    .values_size = sizeof(migrate_values),
    .run = run_migrate,
};
