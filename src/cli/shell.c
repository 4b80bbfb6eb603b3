// SPDX-License-Identifier: MIT
/* shell.c -- the command `corm shell`: opens the session and sends statements from the command line, a file, standard input or a
 * terminal through it. */
#include "cli/shell.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fail.h"
#include "cli/command.h"
#include "cli/golden.h"
#include "stream/input.h"

typedef struct shell_values {
    const char *execute, *file, *keyspace;
    bool        json, keep_going, read_only, must_exist, golden, golden_check;
} shell_values;

#define OPTION(name) offsetof(shell_values, name)
static const cli_option shell_options[] = {
    { "execute", 'e', CLI_TEXT, OPTION(execute), "CQL", "executes the statements and ends", 0, 0,
      NULL },
    { "file", 'f', CLI_TEXT, OPTION(file), "FILE",
      "executes the statements of a file and ends; - is standard input", 0, 0, NULL },
    { "keyspace", 'k', CLI_TEXT, OPTION(keyspace), "NAME", "uses the keyspace", 0, 0, NULL },
    { "json", 0, CLI_FLAG, OPTION(json), NULL,
      "prints one JSON object a row and line, encoded as SELECT JSON does", 0, 0, NULL },
    { "keep-going", 0, CLI_FLAG, OPTION(keep_going), NULL,
      "goes on after a statement that fails; the exit code is still 1", 0, 0, NULL },
    { "read-only", 0, CLI_FLAG, OPTION(read_only), NULL, "refuses writes", 0, 0, NULL },
    { "must-exist", 0, CLI_FLAG, OPTION(must_exist), NULL,
      "fails where there is no store instead of making one", 0, 0, NULL },
    { "golden", 0, CLI_FLAG, OPTION(golden), NULL,
      "prints the golden file given with -f with this store's answers", 0, 0, NULL },
    { "golden-check", 0, CLI_FLAG, OPTION(golden_check), NULL,
      "prints where the answers differ from the golden file given with -f", 0, 0, NULL },
};
#undef OPTION

/* ---- golden files ---- */

static int run_golden(corm_session *session, const shell_values *values) {
    base_buf    text = { 0 }, out = { 0 };
    corm_error  error = { 0 };
    uint32_t    differences = 0, statements = 0;
    corm_status status = stream__read_whole_file(values->file ? values->file : "-", &text, &error);
    corm_str    name = corm_str_of(values->file ? values->file : "<stdin>");
    if (status == CORM_OK && values->golden_check)
        status = cli__golden_check(session, base__buf_str(&text), name, (corm_str){ 0 }, &out,
                                   &differences, &statements, &error);
    else if (status == CORM_OK)
        status = cli__golden_run(session, base__buf_str(&text), &out, &error);
    fwrite(out.data, 1, out.len, stdout);
    if (status != CORM_OK) fprintf(stderr, "corm shell: %s\n", error.message);
    if (differences)
        fprintf(stderr, "%.*s: %u of %u statements answer differently\n", (int)name.len, name.data,
                differences, statements);
    base__buf_free(&text);
    base__buf_free(&out);
    return status == CORM_OK && !differences ? CLI_OK : CLI_FAILED;
}

/* ---- statements ---- */

static void run_text(cli_shell *shell, const char *text) {
    cli_script script;
    cli__script_begin(&script, "<execute>");
    cli__script_feed(shell, &script, corm_str_of(text));
    cli__script_end(shell, &script);
    cli__script_free(&script);
}

static void run_statements(cli_shell *shell, const shell_values *values) {
    if (values->execute) run_text(shell, values->execute);
    if (values->file && !shell->quit) cli__run_file(shell, values->file);
    if (values->execute || values->file) return;
    if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
        cli__interact(shell);
    else
        cli__run_file(shell, "-");
}

static int open_session(const shell_values *values, const char *uri, corm_session **out) {
    corm_session_options options = { .keyspace = values->keyspace,
                                     .read_only = values->read_only,
                                     .must_exist = values->must_exist || values->read_only };
    return cli__open_session("shell", uri, &options, out);
}

static int run_shell(const void *given, const cli_operands *operands) {
    const shell_values *values = given;
    corm_session       *session;
    int                 code = open_session(values, operands->items[0], &session);
    if (code != CLI_OK) return code;
    if (values->golden || values->golden_check) {
        code = run_golden(session, values);
    } else {
        cli_shell shell = { .session = session,
                            .out = stdout,
                            .err = stderr,
                            .json = values->json,
                            .keep_going = values->keep_going,
                            .paging = true };
        run_statements(&shell, values);
        code = shell.failed ? CLI_FAILED : CLI_OK;
    }
    corm_session_close(session);
    return code;
}

const cli_command cli__shell_command = {
    .name = "shell",
    .operands = "URI",
    .summary = "Executes CQL: at a prompt, from the command line, a file or a pipe",
    .more = "Statements end with a semicolon. At a terminal HELP lists what the shell itself\n"
            "understands. An error goes to standard error with its code and place, ends the\n"
            "run, and makes the exit code 1.",
    .options = shell_options,
    .option_count = sizeof shell_options / sizeof shell_options[0],
    .values_size = sizeof(shell_values),
    .run = run_shell,
};
