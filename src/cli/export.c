// SPDX-License-Identifier: MIT
/* export.c -- the command `corm export`: the rows of a table into a file of CSV or JSON lines, page by page. A file is written
 * beside its name and renamed when it is whole. */
#include <signal.h>
#include <stdlib.h>

#include "base/fail.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/shell.h"
#include "cli/transfer.h"
#include "corm/cluster.h"
#include "session/core.h"
#include "session/door.h"
#include "stream/csv_value.h"
#include "stream/sink.h"

typedef struct export_values {
    const char *format, *columns, *delimiter, *null_text, *where;
    bool        no_header, force;
    int64_t     limit, concurrency;
} export_values;

#define OPTION(name) offsetof(export_values, name)
static const cli_option export_options_table[] = {
    { "format", 0, CLI_CHOICE, OPTION(format), "FORMAT",
      "csv or jsonl; without it the file's ending says", 0, 0, cli__format_names },
    { "columns", 0, CLI_TEXT, OPTION(columns), "NAMES", "writes only these, in this order", 0, 0,
      NULL },
    { "where", 0, CLI_TEXT, OPTION(where), "CQL",
      "writes only rows for which this holds, as behind WHERE in SELECT", 0, 0, NULL },
    { "limit", 0, CLI_NUMBER, OPTION(limit), "ROWS", "writes at most so many", 1, INT32_MAX, NULL },
    { "no-header", 0, CLI_FLAG, OPTION(no_header), NULL, "CSV: no line of names", 0, 0, NULL },
    { "delimiter", 0, CLI_TEXT, OPTION(delimiter), "CHAR",
      "CSV: what is between fields, or 'tab'; default: a comma", 0, 0, NULL },
    { "null", 0, CLI_TEXT, OPTION(null_text), "TEXT",
      "CSV: what stands for a column without value; default: nothing", 0, 0, NULL },
    { "concurrency", 0, CLI_NUMBER, OPTION(concurrency), "N",
      "of a cluster: parts of the ring read at a time (8); 1 keeps its order", 1, 4096, NULL },
    { "force", 0, CLI_FLAG, OPTION(force), NULL, "replaces a file that exists", 0, 0, NULL },
};
#undef OPTION

typedef struct exporting {
    const export_values   *values;
    corm_session          *session;
    const corm_table_info *table;
    stream_sink            sink;
    cli_format             format;
    char                   delimiter;
    base_arena             arena;
    uint32_t              *columns;
    uint32_t               count;
    base_buf               out;
    uint64_t               rows;
    cli_progress           progress;
} exporting;

static volatile sig_atomic_t stop_asked;

static void on_signal(int number) {
    (void)number;
    stop_asked = 1;
}

/* ---- rows ---- */

static void put_csv_row(exporting *ex, const corm_result *result, const corm_row *row) {
    uint32_t                 count;
    const cql_result_column *columns = session__result_columns(result, &count);
    const cql_value         *values = session__row_values(row);
    for (uint32_t i = 0; i < count; i++) {
        if (i) base__buf_u8(&ex->out, (uint8_t)ex->delimiter);
        stream__csv_put_value(columns[i].type, values[i], ex->delimiter, ex->values->null_text,
                              &ex->out);
    }
    base__buf_puts(&ex->out, "\n");
}

static void put_header(exporting *ex) {
    if (ex->format != CLI_FORMAT_CSV || ex->values->no_header) return;
    for (uint32_t i = 0; i < ex->count; i++) {
        if (i) base__buf_u8(&ex->out, (uint8_t)ex->delimiter);
        corm_str name = corm_str_of(ex->table->columns[ex->columns[i]].name);
        stream__csv_put(&ex->out, name, ex->delimiter, false);
    }
    base__buf_puts(&ex->out, "\n");
}

static corm_status write_out(exporting *ex, corm_error *err) {
    return stream__sink_write(&ex->sink, &ex->out, err);
}

static corm_status put_rows(exporting *ex, corm_result *result, corm_error *err) {
    const corm_row *row;
    while ((row = corm_result_next(result)) != NULL) {
        if (ex->format == CLI_FORMAT_CSV)
            put_csv_row(ex, result, row);
        else
            cli__put_json_row(result, row, true, &ex->out);
        ex->rows++;
        if (ex->out.len > 65536) CORM_TRY(write_out(ex, err));
    }
    cli__progress_show(&ex->progress, 0, ex->rows);
    return write_out(ex, err);
}

static corm_status put_all(exporting *ex, corm_result *result, corm_error *err) {
    put_header(ex);
    for (;;) {
        CORM_TRY(put_rows(ex, result, err));
        if (stop_asked) return base__fail(err, CORM_CANCELLED, "interrupted");
        if (!corm_result_has_more(result)) return CORM_OK;
        CORM_TRY(corm_result_fetch(result, err));
    }
}

/* ---- statement ---- */

static corm_status choose_columns(exporting *ex, corm_error *err) {
    if (ex->values->columns)
        return cli__columns_named(ex->table, ex->values->columns, &ex->arena, &ex->columns,
                                  &ex->count, err);
    ex->count = ex->table->column_count;
    ex->columns = BASE_NEW_ARRAY(&ex->arena, uint32_t, ex->count + 1);
    if (!ex->columns) return base__fail_memory(err);
    for (uint32_t i = 0; i < ex->count; i++) ex->columns[i] = i;
    return CORM_OK;
}

static void put_columns(const exporting *ex, base_buf *out) {
    for (uint32_t i = 0; i < ex->count; i++) {
        if (i) base__buf_puts(out, ", ");
        cql__put_name(out, corm_str_of(ex->table->columns[ex->columns[i]].name));
    }
}

static void put_select(const exporting *ex, base_buf *cql) {
    base__buf_puts(cql, "SELECT ");
    put_columns(ex, cql);
    base__buf_puts(cql, " FROM ");
    cql__put_name(cql, corm_str_of(ex->table->keyspace));
    base__buf_puts(cql, ".");
    cql__put_name(cql, corm_str_of(ex->table->name));
    if (ex->values->where) base__buf_printf(cql, " WHERE %s", ex->values->where);
    if (ex->values->limit) base__buf_printf(cql, " LIMIT %lld", (long long)ex->values->limit);
    if (ex->values->where) base__buf_puts(cql, " ALLOW FILTERING");
}

static corm_status put_page(void *context, corm_result *page, corm_error *err) {
    exporting *ex = context;
    CORM_TRY(put_rows(ex, page, err));
    return stop_asked ? base__fail(err, CORM_CANCELLED, "interrupted") : CORM_OK;
}

/* Of a cluster: several token ranges at a time, each from its replicas. */
static corm_status scan_rows(exporting *ex, corm_error *err) {
    corm_scan *scan = NULL;
    base_buf   columns = { 0 };
    put_columns(ex, &columns);
    corm_scan_options options = { .keyspace = ex->table->keyspace,
                                  .columns = base__buf_cstr(&columns),
                                  .where = ex->values->where,
                                  .allow_filtering = ex->values->where != NULL,
                                  .concurrency = (uint32_t)ex->values->concurrency,
                                  .error = err };
    corm_status       status = options.columns ? CORM_OK : base__fail_memory(err);
    if (status == CORM_OK) status = corm_scan_open(ex->session, ex->table->name, &options, &scan);
    put_header(ex);
    if (status == CORM_OK) status = write_out(ex, err);
    if (status == CORM_OK) status = corm_scan_run(scan, put_page, ex, err);
    corm_scan_free(scan);
    base__buf_free(&columns);
    return status;
}

static corm_status select_rows(exporting *ex, corm_error *err) {
    corm_result *result = NULL;
    base_buf     cql = { 0 };
    put_select(ex, &cql);
    const char *text = base__buf_cstr(&cql);
    corm_status status = text ? CORM_OK : base__fail_memory(err);
    if (status == CORM_OK)
        status =
            corm_execute_with(ex->session, text, &(corm_execute_options){ .error = err }, &result);
    if (status == CORM_OK) status = put_all(ex, result, err);
    corm_result_free(result);
    base__buf_free(&cql);
    return status;
}

static corm_status export_rows(exporting *ex, corm_error *err) {
    const export_values *values = ex->values;
    bool scans = session__is_cluster(ex->session) && !values->limit && values->concurrency != 1;
    return scans ? scan_rows(ex, err) : select_rows(ex, err);
}

static corm_status begin(exporting *ex, corm_error *err) {
    CORM_TRY(cli__format_of(ex->sink.path, ex->values->format, &ex->format, err));
    CORM_TRY(cli__delimiter_of(ex->values->delimiter, &ex->delimiter, err));
    size_t len = strlen(ex->sink.path);
    if (!ex->values->delimiter && len > 4 && strcmp(ex->sink.path + len - 4, ".tsv") == 0)
        ex->delimiter = '\t';
    CORM_TRY(choose_columns(ex, err));
    return stream__sink_open(&ex->sink, ex->values->force, UINT64_MAX, err);
}

static int export_table(exporting *ex) {
    corm_error error = { 0 };
    signal(SIGINT, on_signal);
    cli__progress_begin(&ex->progress, 0);
    corm_status status = begin(ex, &error);
    if (status == CORM_OK) status = export_rows(ex, &error);
    status = stream__sink_close(&ex->sink, status, false, &error);
    double seconds = cli__progress_end(&ex->progress);
    if (status != CORM_OK)
        fprintf(stderr, "corm export: %s\n", error.message);
    else if (strcmp(ex->sink.path, "-") != 0)
        fprintf(stderr, "%llu records exported in %.1f s, %.0f a second\n",
                (unsigned long long)ex->rows, seconds, (double)ex->rows / seconds);
    base__buf_free(&ex->out);
    base__arena_free(&ex->arena);
    if (status == CORM_INVALID_ARGUMENT) return CLI_USAGE;
    return status == CORM_OK ? CLI_OK : CLI_FAILED;
}

static int run_export(const void *given, const cli_operands *operands) {
    exporting            ex = { .values = given, .sink.path = operands->items[2] };
    corm_error           error = { 0 };
    corm_session_options options = { .must_exist = true };
    int code = cli__open_session("export", operands->items[0], &options, &ex.session);
    if (code != CLI_OK) return code;
    code = CLI_FAILED;
    if (cli__table_named(ex.session, operands->items[1], &ex.table, &error) == CORM_OK)
        code = export_table(&ex);
    else
        fprintf(stderr, "corm export: %s\n", error.message);
    corm_table_free(ex.table);
    corm_session_close(ex.session);
    return code;
}

const cli_command cli__export_command = {
    .name = "export",
    .operands = "URI keyspace.table FILE",
    .summary = "Writes a table as CSV or JSON lines",
    .more = "The file's ending says which: .csv, .tsv, .jsonl, .ndjson; - is standard output.\n"
            "What 'corm import' reads back is the same table.",
    .options = export_options_table,
    .option_count = sizeof export_options_table / sizeof export_options_table[0],
    .values_size = sizeof(export_values),
    .run = run_export,
};
