// SPDX-License-Identifier: MIT
/* script.c -- cuts text that comes in pieces into statements and commands of the shell, and runs each as soon as it is complete. */
#include <errno.h>
#include <stdlib.h>

#include "base/text.h"
#include "cli/shell.h"

void cli__script_begin(cli_script *script, const char *name) {
    *script = (cli_script){ .name = name, .line = 1 };
}

void cli__script_free(cli_script *script) {
    base__buf_free(&script->text);
}

void cli__script_drop(cli_script *script) {
    base__buf_clear(&script->text);
}

/* Moves the place over text that is done with. */
static void advance(cli_script *script, corm_str done) {
    for (size_t i = 0; i < done.len; i++) {
        if (done.data[i] == '\n') {
            script->line++;
            script->column = 0;
        } else if (((uint8_t)done.data[i] & 0xC0) != 0x80) {
            script->column++;
        }
    }
}

static void skip(cli_script *script, corm_str *rest, size_t len) {
    advance(script, (corm_str){ rest->data, len });
    rest->data += len;
    rest->len -= len;
}

static size_t blank_length(corm_str text) {
    size_t len = 0;
    while (len < text.len && strchr(" \t\r\n\f\v;", text.data[len]) && text.data[len]) len++;
    return len;
}

/* A comment at the beginning of the text up to its end, or 0. SIZE_MAX: it goes on behind the text. */
static size_t comment_length(corm_str text, bool at_end) {
    if (text.len < 2) return 0;
    bool line = memcmp(text.data, "--", 2) == 0 || memcmp(text.data, "//", 2) == 0;
    bool block = memcmp(text.data, "/*", 2) == 0;
    if (!line && !block) return 0;
    for (size_t i = 2; i < text.len; i++) {
        if (line && text.data[i] == '\n') return i + 1;
        if (block && i > 2 && text.data[i] == '/' && text.data[i - 1] == '*') return i + 1;
    }
    return line && at_end ? text.len : SIZE_MAX;
}

/* Skips what is between statements; false when all is done or an open comment waits for more. */
static bool find_start(cli_script *script, corm_str *rest, bool at_end) {
    for (;;) {
        skip(script, rest, blank_length(*rest));
        size_t len = comment_length(*rest, at_end);
        if (len == SIZE_MAX) return at_end;
        if (!len) return rest->len > 0;
        skip(script, rest, len);
    }
}

/* Runs the statement or command at the beginning of *rest and steps over it; false when it is not complete. */
static bool run_next(cli_shell *shell, cli_script *script, corm_str *rest, bool at_end) {
    if (!find_start(script, rest, at_end)) return false;
    cli_origin origin = { script->name, script->line, script->column };
    size_t     special = cli__special_length(*rest, at_end);
    if (special == SIZE_MAX) return false;
    if (special) {
        cli__run_special(shell, (corm_str){ rest->data, special }, &origin);
        skip(script, rest, special);
        return true;
    }
    corm_str statement, behind;
    bool     complete;
    if (!at_end && !memchr(rest->data, ';', rest->len)) return false;
    if (!cql__split(*rest, &statement, &behind, &complete, NULL)) return false;
    if (!complete && !at_end) return false;
    cli__run_statement(shell, statement, &origin);
    skip(script, rest, rest->len - behind.len);
    return true;
}

static void run_all(cli_shell *shell, cli_script *script, bool at_end) {
    corm_str rest = base__buf_str(&script->text);
    while (!shell->quit && run_next(shell, script, &rest, at_end)) {
    }
    if (script->text.data) memmove(script->text.data, rest.data, rest.len);
    script->text.len = shell->quit ? 0 : rest.len;
}

void cli__script_feed(cli_shell *shell, cli_script *script, corm_str text) {
    base__buf_put_str(&script->text, text);
    if (script->text.failed || script->text.len > UINT32_MAX) {
        cli_origin origin = { script->name, script->line, script->column };
        cli__complain(shell, &origin, "the statement is too long");
        shell->quit = true;
        cli__script_drop(script);
        return;
    }
    run_all(shell, script, false);
}

void cli__script_end(cli_shell *shell, cli_script *script) {
    run_all(shell, script, true);
    cli__script_drop(script);
}

bool cli__script_is_open(const cli_script *script) {
    return base__str_trim(base__buf_str(&script->text)).len > 0;
}

static bool feed_file(cli_shell *shell, cli_script *script, FILE *file) {
    char   *chunk = NULL;
    size_t  cap = 0;
    ssize_t len;
    bool    first = true;
    /* By lines, so that what comes through a pipe is executed when it comes. The mark that some editors put before UTF-8 is no
     * part of the text. */
    while (!shell->quit && (len = getline(&chunk, &cap, file)) > 0) {
        corm_str line = { chunk, (size_t)len };
        bool     marked = first && base__str_has_prefix(line, corm_str_of("\xEF\xBB\xBF"));
        if (marked) line.data += 3, line.len -= 3;
        cli__script_feed(shell, script, line);
        first = false;
    }
    bool failed = ferror(file);
    free(chunk);
    if (!failed) cli__script_end(shell, script);
    return !failed;
}

bool cli__run_file(cli_shell *shell, const char *path) {
    bool       is_stdin = strcmp(path, "-") == 0;
    FILE      *file = is_stdin ? stdin : fopen(path, "r");
    cli_script script;
    cli__script_begin(&script, is_stdin ? "<stdin>" : path);
    bool read = file && feed_file(shell, &script, file);
    if (!read) {
        fprintf(shell->err, "corm: %s: %s\n", path, strerror(errno));
        shell->failed = true;
    }
    cli__script_free(&script);
    if (file && !is_stdin) fclose(file);
    return read;
}
