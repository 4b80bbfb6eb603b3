// SPDX-License-Identifier: MIT
/* config.c -- the command `corm config`: checks and shows a configuration. Every mistake is a line on standard error. */
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "corm/config.h"

enum { MOST_SETS = 64 };

typedef struct config_values {
    const char *set;
    bool        all, no_environment;
} config_values;

#define OF(member) offsetof(config_values, member)
static const cli_option options[] = {
    { "set", 's', CLI_TEXT, OF(set), "NAME=VALUE[;NAME=VALUE ...]",
      "stands over the environment and the file", 0, 0, NULL },
    { "all", 'a', CLI_FLAG, OF(all), NULL, "show: also what is not said, with its default", 0, 0,
      NULL },
    { "no-environment", 0, CLI_FLAG, OF(no_environment), NULL, "leaves CORM_... variables out", 0,
      0, NULL },
};
#undef OF

static void print_fault(void *context, const corm_config_fault *fault) {
    ++*(int *)context;
    fprintf(stderr, "%s: %s%s%s\n", fault->place, fault->key, *fault->key ? ": " : "", fault->what);
}

/* The parts between semicolons, in place. */
static void split(char *text, const char *sets[MOST_SETS + 1]) {
    size_t count = 0;
    for (char *part = strtok(text, ";"); part && count < MOST_SETS; part = strtok(NULL, ";")) {
        sets[count++] = part;
    }
    sets[count] = NULL;
}

static int show(const corm_config *config, bool all) {
    char       *text;
    corm_error  err;
    corm_status status = corm_config_show(config, all, &text, &err);
    if (status != CORM_OK) {
        fprintf(stderr, "corm config: %s\n", err.message);
        return CLI_FAILED;
    }
    fputs(text, stdout);
    free(text);
    return CLI_OK;
}

static int read(const char *what, const char *file, const config_values *values, char *set) {
    const char         *sets[MOST_SETS + 1] = { NULL };
    int                 faults = 0;
    corm_config        *config;
    corm_error          err;
    corm_config_options how = { .file = file,
                                .set = sets,
                                .no_environment = values->no_environment,
                                .fault = print_fault,
                                .context = &faults };
    if (set) split(set, sets);
    corm_status status = corm_config_read(&config, &how, &err);
    if (status != CORM_OK) {
        if (faults == 0) fprintf(stderr, "corm config: %s\n", err.message);
        return CLI_FAILED;
    }
    int code = strcmp(what, "show") == 0 ? show(config, values->all) : CLI_OK;
    if (code == CLI_OK && strcmp(what, "check") == 0) printf("%s: good\n", file);
    corm_config_free(config);
    return code;
}

static int run(const void *context, const cli_operands *operands) {
    const config_values *values = context;
    const char          *what = operands->items[0];
    if (strcmp(what, "check") != 0 && strcmp(what, "show") != 0) {
        fprintf(stderr, "corm config: '%s' is neither check nor show\n", what);
        return CLI_USAGE;
    }
    char *set = values->set ? strdup(values->set) : NULL;
    if (values->set && !set) return CLI_FAILED;
    int code = read(what, operands->items[1], values, set);
    free(set);
    return code;
}

const cli_command cli__config_command = {
    .name = "config",
    .operands = "WHAT FILE",
    .summary = "Checks a configuration, or shows it: corm config check FILE",
    .more =
        "WHAT is check or show. FILE is JSON; docs/reference/config.md has all keys. What stands over\n"
        "what: --set, then the environment (CORM_SESSION_PAGE_SIZE), then the file. Secrets are not\n"
        "shown.\n",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .values_size = sizeof(config_values),
    .run = run,
};
