// SPDX-License-Identifier: MIT
/* rows.c -- prints the rows of a result: as a table, as expanded records, or as lines of JSON. A page is in memory at a time. */
#include <errno.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/text.h"
#include "cli/shell.h"
#include "cli/table.h"
#include "cql/codec.h"
#include "session/core.h"
#include "session/door.h"
#include "stream/json_value.h"

/* What goes from page to page. */
typedef struct printing {
    cli_shell   *shell;
    corm_result *result;
    uint32_t    *widths;
    uint64_t     rows;
    uint32_t     pages;
    base_arena   head; /* widths */
    base_arena   page; /* names and cells */
    base_buf     out;
} printing;

static bool write_out(FILE *file, base_buf *out) {
    bool ok = !out->failed && fwrite(out->data, 1, out->len, file) == out->len;
    base__buf_clear(out);
    return ok;
}

/* ---- JSON ---- */

/* A name that is not lower case is quoted, as SELECT JSON does it. */
static void put_json_name(corm_str name, base_buf *out) {
    base_buf quoted = { 0 };
    bool     upper = false;
    for (size_t i = 0; i < name.len; i++) upper |= name.data[i] >= 'A' && name.data[i] <= 'Z';
    if (!upper) {
        base__put_json_string(out, name);
        return;
    }
    base__buf_puts(&quoted, "\"");
    base__buf_put_str(&quoted, name);
    base__buf_puts(&quoted, "\"");
    base__put_json_string(out, base__buf_str(&quoted));
    out->failed |= quoted.failed;
    base__buf_free(&quoted);
}

void cli__put_json_row(const corm_result *result, const corm_row *row, bool exact, base_buf *out) {
    uint32_t                 count;
    const cql_result_column *columns = session__result_columns(result, &count);
    const cql_value         *values = session__row_values(row);
    base__buf_puts(out, "{");
    for (uint32_t i = 0; i < count; i++) {
        if (i) base__buf_puts(out, ", ");
        put_json_name(columns[i].name, out);
        base__buf_puts(out, ": ");
        if (exact)
            stream__put_json_value(columns[i].type, values[i], out);
        else
            cql__to_json(columns[i].type, values[i], out);
    }
    base__buf_puts(out, "}\n");
}

static corm_status print_json(printing *p, corm_error *err) {
    const corm_row *row;
    while ((row = corm_result_next(p->result)) != NULL) {
        cli__put_json_row(p->result, row, false, &p->out);
        CORM_TRY(base__buf_status(&p->out, err));
        if (p->out.len > 65536 && !write_out(p->shell->out, &p->out))
            return base__fail_errno(err, EIO, "writing");
    }
    if (!write_out(p->shell->out, &p->out)) return base__fail_errno(err, EIO, "writing");
    return CORM_OK;
}

/* ---- tables ---- */

static corm_status read_names(printing *p, cli_table *table, corm_error *err) {
    uint32_t                 count;
    const cql_result_column *columns = session__result_columns(p->result, &count);
    corm_str                *names = BASE_NEW_ARRAY(&p->page, corm_str, count + 1);
    if (!p->widths) p->widths = BASE_NEW_ARRAY(&p->head, uint32_t, count + 1);
    if (!names || !p->widths) return base__fail_memory(err);
    for (uint32_t i = 0; i < count; i++) names[i] = columns[i].name;
    *table = (cli_table){ .columns = count, .names = names, .widths = p->widths };
    return CORM_OK;
}

static corm_status read_cells(printing *p, cli_table *table, corm_error *err) {
    uint32_t                 count;
    const cql_result_column *columns = session__result_columns(p->result, &count);
    table->rows = corm_result_row_count(p->result);
    corm_str *cells = BASE_NEW_ARRAY(&p->page, corm_str, (size_t)table->rows * count + 1);
    base_buf  text = { 0 };
    if (!cells) return base__fail_memory(err);
    table->cells = cells;
    for (uint32_t row = 0; row < table->rows; row++) {
        const cql_value *values = session__row_values(corm_result_next(p->result));
        for (uint32_t i = 0; i < count; i++) {
            base__buf_clear(&text);
            cql__to_text(columns[i].type, values[i], CQL_STYLE_SHELL, &text);
            *cells = base__arena_str(&p->page, base__buf_str(&text));
            if (text.failed || !cells++->data) {
                base__buf_free(&text);
                return base__fail_memory(err);
            }
        }
    }
    base__buf_free(&text);
    return CORM_OK;
}

static corm_status print_page(printing *p, corm_error *err) {
    cli_table table;
    base__arena_reset(&p->page);
    CORM_TRY(read_names(p, &table, err));
    CORM_TRY(read_cells(p, &table, err));
    bool head = p->pages == 0 || (p->shell->terminal && table.rows > 0);
    if (p->shell->expand && table.rows > 0) {
        cli__table_expanded(&table, p->rows, &p->out);
    } else {
        cli__table_measure(&table);
        if (head && p->pages) base__buf_puts(&p->out, "\n");
        if (head) cli__table_head(&table, &p->out);
        cli__table_rows(&table, &p->out);
    }
    p->rows += table.rows;
    p->pages++;
    CORM_TRY(base__buf_status(&p->out, err));
    if (!write_out(p->shell->out, &p->out)) return base__fail_errno(err, EIO, "writing");
    return CORM_OK;
}

/* Waits for a key at the foot of a page; false when no more is wanted. */
static bool wants_more(cli_shell *shell) {
    if (!shell->terminal || !shell->paging) return true;
    fputs("---MORE---", shell->out);
    fflush(shell->out);
    char    answer[256];
    ssize_t len = read(STDIN_FILENO, answer, sizeof answer);
    if (len <= 0 || answer[0] == 'q' || answer[0] == 'Q') return false;
    return !cli__take_interrupt(shell);
}

static corm_status print_pages(printing *p, corm_error *err) {
    for (;;) {
        CORM_TRY(p->shell->json ? print_json(p, err) : print_page(p, err));
        if (!corm_result_has_more(p->result) || cli__take_interrupt(p->shell)) return CORM_OK;
        if (!p->shell->json && corm_result_row_count(p->result) && !wants_more(p->shell))
            return CORM_OK;
        CORM_TRY(corm_result_fetch(p->result, err));
    }
}

corm_status cli__print_rows(cli_shell *shell, corm_result *result, corm_error *err) {
    printing p = { .shell = shell, .result = result };
    if (!shell->json) fputs("\n", shell->out);
    corm_status status = print_pages(&p, err);
    if (status == CORM_OK && !shell->json) {
        bool gap = !(shell->expand && p.rows);
        fprintf(shell->out, "%s(%llu rows)\n", gap ? "\n" : "", (unsigned long long)p.rows);
    }
    base__buf_free(&p.out);
    base__arena_free(&p.head);
    base__arena_free(&p.page);
    return status;
}
