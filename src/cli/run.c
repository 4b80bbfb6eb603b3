// SPDX-License-Identifier: MIT
/* run.c -- executes one statement of the shell and prints its answer. At a terminal the statement runs as a task, so that Ctrl-C
 * can cancel it. */
#include <stdlib.h>
#include <strings.h>

#include "base/fail.h"
#include "cli/shell.h"
#include "corm/cluster.h"
#include "session/core.h"
#include "session/door.h"

enum { LOOK_EVERY_MS = 50 };

bool cli__take_interrupt(cli_shell *shell) {
    if (!shell->interrupted || !*shell->interrupted) return false;
    *shell->interrupted = 0;
    return true;
}

typedef struct outcome {
    corm_result *result;
    corm_error   error;
} outcome;

static void keep_outcome(void *context, corm_status status, corm_result *result,
                         const corm_error *error) {
    outcome *into = context;
    into->result = result;
    if (status != CORM_OK && error) into->error = *error;
}

static corm_status run_task(cli_shell *shell, const char *cql, const corm_execute_options *options,
                            corm_result **result) {
    outcome    got = { 0 };
    corm_task *task = corm_execute_async(shell->session, cql, options, keep_outcome, &got);
    if (!task) return base__fail_memory(options->error);
    while (corm_task_wait(task, LOOK_EVERY_MS) == CORM_TIMEOUT && !corm_task_is_done(task))
        if (cli__take_interrupt(shell)) corm_task_cancel(task);
    corm_status status = corm_task_wait(task, 0);
    corm_task_free(task);
    *result = got.result;
    if (status != CORM_OK) *options->error = got.error;
    if (status != CORM_OK && options->error->status == CORM_OK) options->error->status = status;
    return status;
}

static void print_warnings(const cli_shell *shell, const corm_result *result) {
    for (uint32_t i = 0; i < corm_result_warning_count(result); i++) {
        corm_str text = corm_result_warning(result, i);
        fflush(shell->out);
        fprintf(shell->err, "warning: %.*s\n", (int)text.len, text.data);
    }
}

static bool is_description(corm_str cql) {
    cql_lexer lexer;
    cql_token token;
    cql__lexer_init(&lexer, cql);
    cql__lexer_next(&lexer, &token);
    return (token.text.len == 4 && strncasecmp(token.text.data, "DESC", 4) == 0) ||
           (token.text.len == 8 && strncasecmp(token.text.data, "DESCRIBE", 8) == 0);
}

static corm_status print_answer(cli_shell *shell, corm_str cql, corm_result *result,
                                corm_error *err) {
    print_warnings(shell, result);
    if (session__result_wire(result)->kind != WIRE_ROWS) return CORM_OK;
    if (!shell->json && is_description(cql)) return cli__print_description(shell, result, err);
    return cli__print_rows(shell, result, err);
}

/* Behind the answer, as cqlsh does; a trace that is not to be had is no failure of the statement. */
static void print_trace(cli_shell *shell, corm_uuid id) {
    corm_result *events = NULL;
    corm_error   error = { 0 };
    char         text[37];
    corm_uuid_format(id, text);
    fprintf(shell->json ? shell->err : shell->out, "\nTracing session: %s\n", text);
    corm_status status = corm_session_trace(shell->session, id, &events, &error);
    if (status == CORM_OK) status = cli__print_rows(shell, events, &error);
    if (status != CORM_OK) fprintf(shell->err, "warning: %s\n", error.message);
    corm_result_free(events);
}

void cli__run_statement(cli_shell *shell, corm_str cql, const cli_origin *origin) {
    corm_error           error = { 0 };
    corm_result         *result = NULL;
    base_buf             text = { 0 };
    corm_execute_options options = {
        .error = &error,
        .request = { .consistency = shell->consistency,
                     .serial_consistency = shell->serial,
                     .trace = shell->tracing,
                     .page_size = shell->paging ? shell->page_size : -1 },
    };
    if (memchr(cql.data, 0, cql.len)) {
        cli__complain(shell, origin, "the statement has a zero byte in it");
        return;
    }
    base__buf_put_str(&text, cql);
    const char *zero_ended = base__buf_cstr(&text);
    corm_status status = zero_ended ? CORM_OK : base__fail_memory(&error);
    if (status == CORM_OK)
        status = shell->terminal ? run_task(shell, zero_ended, &options, &result)
                                 : corm_execute_with(shell->session, zero_ended, &options, &result);
    if (status == CORM_OK) status = print_answer(shell, cql, result, &error);
    if (status != CORM_OK) cli__report(shell, cql, origin, &error);
    corm_uuid trace = result ? corm_result_tracing_id(result) : (corm_uuid){ { 0 } };
    corm_result_free(result);
    if (!corm_uuid_is_zero(trace)) print_trace(shell, trace);
    base__buf_free(&text);
    fflush(shell->out);
}
