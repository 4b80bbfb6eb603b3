// SPDX-License-Identifier: MIT
/* line.c -- the prompt: lines of a terminal, their history, and Ctrl-C. */
#include <unistd.h>

#include "cli/shell.h"

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number) {
    (void)number;
    interrupted = 1;
}

static void show_prompt(const cli_shell *shell, const cli_script *script) {
    const char *keyspace = corm_session_keyspace(shell->session);
    bool        open = cli__script_is_open(script);
    fprintf(shell->out, "%s%s%s", open ? "" : "corm", !open && *keyspace ? ":" : "",
            open        ? "   ... "
            : *keyspace ? keyspace
                        : "");
    if (!open) fputs("> ", shell->out);
    fflush(shell->out);
}

void cli__interact(cli_shell *shell) {
    cli_script script;
    char       line[65536];
    shell->terminal = shell->keep_going = true;
    shell->page_size = 100;
    shell->interrupted = &interrupted;
    signal(SIGINT, on_interrupt);
    cli__script_begin(&script, NULL);
    for (;;) {
        show_prompt(shell, &script);
        if (shell->quit || !fgets(line, sizeof line, stdin)) break;
        cli__script_feed(shell, &script, corm_str_of(line));
    }
    cli__script_free(&script);
    shell->failed = false;
}
