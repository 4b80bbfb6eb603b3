// SPDX-License-Identifier: MIT
/* shell.h -- what the files of `corm shell` share. One thread, but for the interrupted flag. */
#ifndef CLI_SHELL_H
#define CLI_SHELL_H

#include <signal.h>
#include <stdio.h>

#include "base/buf.h"
#include "corm/session.h"
#include "cql/parser.h"

typedef struct cli_shell {
    corm_session          *session;
    FILE                  *out, *err;
    bool                   json;       /* one object a row and line */
    bool                   keep_going; /* an error does not end the run */
    bool                   terminal;   /* statements are typed at a prompt */
    bool                   expand;     /* rows below each other, a line a column */
    bool                   paging;     /* stop between pages on a terminal */
    bool                   tracing;    /* of a cluster: what the nodes did is printed too */
    int32_t                page_size;
    corm_consistency       consistency, serial;
    bool                   quit;        /* EXIT was said, or an error ended the run */
    bool                   failed;      /* a statement failed */
    uint32_t               depth;       /* of SOURCE inside SOURCE */
    volatile sig_atomic_t *interrupted; /* set by Ctrl-C; NULL: not caught */
} cli_shell;

/* ---- script.c: text in pieces, statements out ---- */

/* Text that has come and is not executed yet. Freed by cli__script_free(). */
typedef struct cli_script {
    const char *name;   /* of the file, for messages */
    base_buf    text;   /* from `line`, `column` on */
    uint32_t    line;   /* from 1 */
    uint32_t    column; /* from 0, in code points */
} cli_script;

void cli__script_begin(cli_script *script, const char *name);
/* Adds text and executes every statement that is complete. */
void cli__script_feed(cli_shell *shell, cli_script *script, corm_str text);
/* Executes what is left: the last statement needs no semicolon. */
void cli__script_end(cli_shell *shell, cli_script *script);
/* Whether a statement has begun and waits for its end. */
bool cli__script_is_open(const cli_script *script);
void cli__script_drop(cli_script *script); /* forgets what waits */
void cli__script_free(cli_script *script);

/* Runs a whole file; "-" is standard input. False when it cannot be read. */
bool cli__run_file(cli_shell *shell, const char *path);

/* ---- run.c ---- */

/* A statement and where its text begins, for messages. */
typedef struct cli_origin {
    const char *name; /* NULL: typed at the prompt */
    uint32_t    line, column;
} cli_origin;

/* Executes one CQL statement and prints what it answers. */
void cli__run_statement(cli_shell *shell, corm_str cql, const cli_origin *origin);

/* ---- report.c ---- */

/* Prints the error with its place and a caret, and marks the run as failed. */
void cli__report(cli_shell *shell, corm_str cql, const cli_origin *origin, const corm_error *error);
/* "NAME:LINE: text", for what is no statement's error. */
void cli__complain(cli_shell *shell, const cli_origin *origin, const char *format, ...)
    CORM_PRINTF(3, 4);

/* ---- rows.c ---- */

/* Prints all rows of the result, page by page. */
CORM_CHECKED corm_status cli__print_rows(cli_shell *shell, corm_result *result, corm_error *err);
/* One row as a line of JSON; columns as SELECT JSON names and encodes them. `exact`: see json_value.h. */
void cli__put_json_row(const corm_result *result, const corm_row *row, bool exact, base_buf *out);

/* ---- describe.c ---- */

CORM_CHECKED corm_status cli__print_description(cli_shell *shell, corm_result *result,
                                                corm_error *err);

/* ---- special.c: what the shell itself understands ---- */

/* If the text begins with a command of the shell, how long it is with its end, else 0. SIZE_MAX: not yet complete. */
size_t cli__special_length(corm_str text, bool at_end);
void   cli__run_special(cli_shell *shell, corm_str text, const cli_origin *origin);

/* The words that begin such commands, sorted, for completion; ends with NULL. */
const char *const *cli__special_words(void);

/* ---- line.c ---- */

/* Reads statements at a terminal until the end. */
void cli__interact(cli_shell *shell);

/* Whether Ctrl-C was pressed; forgets it. */
bool cli__take_interrupt(cli_shell *shell);

#endif
