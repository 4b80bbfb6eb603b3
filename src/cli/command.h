// SPDX-License-Identifier: MIT
/* command.h -- the commands of `corm` and their options, as tables that carry their own help. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stdio.h>

#include "base/buf.h"
#include "corm/session.h"

/* What the process ends with. */
enum { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2 };

typedef enum cli_option_kind {
    CLI_FLAG,   /* bool */
    CLI_TEXT,   /* const char * */
    CLI_NUMBER, /* int64_t, from min to max */
    CLI_CHOICE  /* const char *, one of `choices` */
} cli_option_kind;

typedef struct cli_option {
    const char        *name;   /* without the dashes */
    char               letter; /* 0: none */
    cli_option_kind    kind;
    size_t             offset;   /* of its member in the command's own struct */
    const char        *argument; /* as help names it; NULL for a flag */
    const char        *help;
    int64_t            min, max;
    const char *const *choices; /* ends with NULL */
} cli_option;

enum { CLI_MAX_OPERANDS = 1024 };

typedef struct cli_operands cli_operands;
struct cli_operands {
    const char *items[CLI_MAX_OPERANDS];
    uint32_t    count;
};

typedef struct cli_command cli_command;
struct cli_command {
    const char *name;
    const char
        *operands; /* "URI keyspace.table FILE"; each word is one operand; "FILE ...": one or more,
                                  * "[FILE ...]": any number */
    const char       *summary; /* one line */
    const char       *more;    /* paragraphs for `corm help NAME`; may be NULL */
    const cli_option *options;
    uint32_t          option_count;
    size_t            values_size; /* of the struct that options are read into */
    int (*run)(const void *values, const cli_operands *operands);
};

/* The command's lines, without its name, into `values` (values_size zeroed bytes) and *operands. Texts are borrowed from argv.
 * CORM_INVALID_ARGUMENT says what is wrong. */
CORM_CHECKED corm_status cli__options_read(const cli_command *command, int argc,
                                           const char *const *argv, void *values,
                                           cli_operands *operands, corm_error *err);

/* Appends "Usage: …" with every option of the command. */
void cli__command_help(const cli_command *command, base_buf *out);

/* The candidate nearest to the word when it is near enough for "did you mean", else NULL. */
const char *cli__nearest(const char *word, const char *const *candidates, uint32_t count);

/* CLI_OK and a session, or the exit code when the error is on standard error. */
int cli__open_session(const char *command, const char *uri, const corm_session_options *options,
                      corm_session **out);

/* Runs one line of commands; gives the exit code. main() is this and nothing else. */
int cli__main(int argc, const char *const *argv);

extern const cli_command cli__shell_command;
extern const cli_command cli__import_command;
extern const cli_command cli__export_command;
extern const cli_command cli__init_command;
extern const cli_command cli__serve_command;
extern const cli_command cli__migrate_command;
extern const cli_command cli__tenant_command;
extern const cli_command cli__feed_command;
extern const cli_command cli__check_command;
extern const cli_command cli__config_command;
extern const cli_command cli__lint_command;
extern const cli_command cli__generate_command;

#endif
