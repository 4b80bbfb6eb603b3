// SPDX-License-Identifier: MIT
/* describe.c -- prints what DESCRIBE answers: statements as they are, names in columns, as cqlsh does. */
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/fail.h"
#include "cli/shell.h"
#include "cli/table.h"

static uint32_t screen_width(const cli_shell *shell) {
    struct winsize size;
    const char    *columns = getenv("COLUMNS");
    if (ioctl(fileno(shell->out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
    long width = columns ? strtol(columns, NULL, 10) : 0;
    return width > 0 && width < 100000 ? (uint32_t)width : 80;
}

static corm_status print_statements(cli_shell *shell, corm_result *result, int at,
                                    corm_error *err) {
    const corm_row *row;
    for (;;) {
        CORM_TRY(corm_result_step(result, &row, err));
        if (!row) break;
        corm_str text = corm_row_text(row, (uint32_t)at);
        fputs("\n", shell->out);
        fwrite(text.data, 1, text.len, shell->out);
        fputs("\n", shell->out);
    }
    fputs("\n", shell->out);
    return CORM_OK;
}

static corm_status print_cluster(cli_shell *shell, corm_result *result, corm_error *err) {
    static const char *const titles[][2] = { { "cluster", "Cluster" },
                                             { "partitioner", "Partitioner" },
                                             { "snitch", "Snitch" } };
    const corm_row          *row;
    CORM_TRY(corm_result_step(result, &row, err));
    fputs("\n", shell->out);
    for (int i = 0; row && i < 3; i++) {
        int      at = corm_result_column_index(result, titles[i][0]);
        corm_str text = corm_row_text(row, (uint32_t)at);
        if (at >= 0) fprintf(shell->out, "%s: %.*s\n", titles[i][1], (int)text.len, text.data);
    }
    fputs("\n", shell->out);
    return CORM_OK;
}

/* Names of one keyspace after the other. */
typedef struct listing {
    cli_shell *shell;
    base_arena arena;
    corm_str   keyspace;
    corm_str  *names;
    uint32_t   count, cap;
} listing;

static void flush_names(listing *l, bool titled) {
    base_buf out = { 0 };
    if (!l->count) return;
    base__buf_puts(&out, "\n");
    if (titled) {
        base__buf_printf(&out, "Keyspace %.*s\n---------", (int)l->keyspace.len, l->keyspace.data);
        for (uint32_t i = 0; i < cli__width(l->keyspace); i++) base__buf_puts(&out, "-");
        base__buf_puts(&out, "\n");
    }
    cli__columnize(l->names, l->count, screen_width(l->shell), &out);
    fwrite(out.data, 1, out.len, l->shell->out);
    base__buf_free(&out);
    l->count = 0;
}

static corm_status add_name(listing *l, corm_str name, corm_error *err) {
    if (l->count == l->cap) {
        uint32_t  cap = l->cap ? 2 * l->cap : 64;
        corm_str *names = BASE_NEW_ARRAY(&l->arena, corm_str, cap);
        if (!names) return base__fail_memory(err);
        if (l->count) memcpy(names, l->names, l->count * sizeof *names);
        l->names = names;
        l->cap = cap;
    }
    l->names[l->count] = base__arena_str(&l->arena, name);
    return l->names[l->count++].data ? CORM_OK : base__fail_memory(err);
}

static corm_status list_rows(listing *l, corm_result *result, bool by_keyspace, corm_error *err) {
    const corm_row *row;
    int             keyspace = corm_result_column_index(result, "keyspace_name");
    int             name = corm_result_column_index(result, "name");
    bool            titled = by_keyspace && !*corm_session_keyspace(l->shell->session);
    for (;;) {
        CORM_TRY(corm_result_step(result, &row, err));
        if (!row) break;
        corm_str of = corm_row_text(row, (uint32_t)keyspace);
        if (by_keyspace && !corm_str_equal(of, l->keyspace)) {
            flush_names(l, titled);
            l->keyspace = base__arena_str(&l->arena, of);
        }
        CORM_TRY(add_name(l, name < 0 ? of : corm_row_text(row, (uint32_t)name), err));
    }
    flush_names(l, titled);
    fputs("\n", l->shell->out);
    return CORM_OK;
}

/* Whether the rows are keyspaces themselves. */
static bool lists_keyspaces(corm_result *result) {
    int             type = corm_result_column_index(result, "type");
    const corm_row *row = corm_result_next(result);
    bool            yes = row && type >= 0 &&
               corm_str_equal(corm_row_text(row, (uint32_t)type), corm_str_of("keyspace"));
    corm_result_rewind(result);
    return yes;
}

corm_status cli__print_description(cli_shell *shell, corm_result *result, corm_error *err) {
    int statement = corm_result_column_index(result, "create_statement");
    if (statement >= 0) return print_statements(shell, result, statement, err);
    if (corm_result_column_index(result, "partitioner") >= 0)
        return print_cluster(shell, result, err);
    listing     l = { .shell = shell };
    corm_status status = list_rows(&l, result, !lists_keyspaces(result), err);
    base__arena_free(&l.arena);
    return status;
}
