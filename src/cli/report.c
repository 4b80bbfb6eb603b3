// SPDX-License-Identifier: MIT
/* report.c -- errors on the way to standard error: where, which, why, and a caret below the place.
 *
 *     shop.cql:3:8: SYNTAX_ERROR (0x2000): mismatched input 'FORM' expecting K_FROM
 *     SELECT * FORM t
 *              ^~~~
 */
#include <stdarg.h>

#include "cli/culprit.h"
#include "cli/shell.h"

static void put_place(const cli_origin *origin, uint32_t line, uint32_t column, base_buf *out) {
    if (!origin->name) return;
    /* A place counts from the statement's start. */
    uint32_t from = line <= 1 ? origin->column : 0;
    base__buf_printf(out, "%s:%u:%u: ", origin->name, origin->line + (line ? line - 1 : 0),
                     from + column + 1);
}

static void put_kind(corm_status status, base_buf *out) {
    int32_t code = corm_status_server_code(status);
    base__buf_puts(out, corm_status_name(status));
    if (code >= 0) base__buf_printf(out, " (0x%04x)", (unsigned)code);
    base__buf_puts(out, ": ");
}

static void put_diagnostic(corm_str cql, const cli_origin *origin, const cql_diagnostic *diagnostic,
                           base_buf *out) {
    put_place(origin, diagnostic->place.line, diagnostic->place.column, out);
    put_kind(CORM_SYNTAX_ERROR, out);
    base__buf_put_str(out, diagnostic->message);
    base__buf_puts(out, "\n");
    cql__print_caret(cql, diagnostic->place, diagnostic->length, out);
    if (out->len && out->data[out->len - 1] != '\n') base__buf_puts(out, "\n");
}

/* All syntax errors of the statement; false when the parser finds none. */
static bool put_diagnostics(corm_str cql, const cli_origin *origin, base_buf *out) {
    base_arena      arena = { 0 };
    cql_statement  *statement;
    cql_diagnostics diagnostics = { 0 };
    bool failed = cql__parse(&arena, cql, &statement, &diagnostics, NULL) == CORM_SYNTAX_ERROR;
    for (uint32_t i = 0; failed && i < diagnostics.count; i++)
        put_diagnostic(cql, origin, &diagnostics.items[i], out);
    base__arena_free(&arena);
    return failed && diagnostics.count > 0;
}

static void put_error(corm_str cql, const cli_origin *origin, const corm_error *error,
                      base_buf *out) {
    cql_token culprit = { .place = { error->line, error->column } };
    bool      placed = error->line > 0 || cli__find_culprit(cql, error->message, &culprit);
    put_place(origin, placed ? culprit.place.line : 0, placed ? culprit.place.column : 0, out);
    put_kind(error->status, out);
    base__buf_printf(out, "%s\n",
                     error->message[0] ? error->message : corm_status_text(error->status));
    if (!placed) return;
    cql__print_caret(cql, culprit.place, cli__token_length(cql, culprit.place), out);
    if (out->len && out->data[out->len - 1] != '\n') base__buf_puts(out, "\n");
}

void cli__report(cli_shell *shell, corm_str cql, const cli_origin *origin,
                 const corm_error *error) {
    base_buf out = { 0 };
    bool     done = error->status == CORM_SYNTAX_ERROR && put_diagnostics(cql, origin, &out);
    if (!done) put_error(cql, origin, error, &out);
    fflush(shell->out);
    fwrite(out.data, 1, out.len, shell->err);
    fflush(shell->err);
    base__buf_free(&out);
    shell->failed = true;
    if (!shell->keep_going) shell->quit = true;
}

void cli__complain(cli_shell *shell, const cli_origin *origin, const char *format, ...) {
    va_list list;
    fflush(shell->out);
    if (origin->name)
        fprintf(shell->err, "%s:%u:%u: ", origin->name, origin->line, origin->column + 1);
    va_start(list, format);
    vfprintf(shell->err, format, list);
    va_end(list);
    fputs("\n", shell->err);
    fflush(shell->err);
    shell->failed = true;
    if (!shell->keep_going) shell->quit = true;
}
