// SPDX-License-Identifier: MIT
/* import.c -- the command `corm import`: records of a file into a table, by the bulk writer. What is read, rejected and noted is
 * stream/load.c's; here is how a record becomes values. */
#include "cli/import.h"

#include <signal.h>
#include <stdlib.h>

#include "base/fail.h"
#include "cli/command.h"
#include "stream/load.h"

typedef struct import_values {
    const char *format, *columns, *delimiter, *null_text, *rejects, *generate;
    bool        no_header, write_nulls, ignore_unknown, resume;
    int64_t     ttl, max_rejects;
} import_values;

#define OPTION(name) offsetof(import_values, name)
static const cli_option import_options_table[] = {
    { "format", 0, CLI_CHOICE, OPTION(format), "FORMAT",
      "csv or jsonl; without it the file's ending says", 0, 0, cli__format_names },
    { "columns", 0, CLI_TEXT, OPTION(columns), "NAMES",
      "takes only these columns; with --no-header what the fields are", 0, 0, NULL },
    { "no-header", 0, CLI_FLAG, OPTION(no_header), NULL, "CSV: the first line is a record", 0, 0,
      NULL },
    { "delimiter", 0, CLI_TEXT, OPTION(delimiter), "CHAR",
      "CSV: what is between fields, or 'tab'; default: a comma", 0, 0, NULL },
    { "null", 0, CLI_TEXT, OPTION(null_text), "TEXT",
      "CSV: a field that says null and so deletes the column's value", 0, 0, NULL },
    { "write-nulls", 0, CLI_FLAG, OPTION(write_nulls), NULL,
      "JSON: null deletes the column's value instead of leaving it alone", 0, 0, NULL },
    { "ignore-unknown", 0, CLI_FLAG, OPTION(ignore_unknown), NULL,
      "leaves out what the table has no column for", 0, 0, NULL },
    { "generate", 0, CLI_TEXT, OPTION(generate), "NAMES",
      "uuid and timeuuid columns that the file has not: a new one for each record", 0, 0, NULL },
    { "ttl", 0, CLI_NUMBER, OPTION(ttl), "SECONDS", "the rows expire after so long", 1, 630720000,
      NULL },
    { "resume", 0, CLI_FLAG, OPTION(resume), NULL,
      "goes on where an import of the same file was interrupted", 0, 0, NULL },
    { "rejects", 0, CLI_TEXT, OPTION(rejects), "FILE",
      "for records that are not taken; default: FILE.rejects beside the file", 0, 0, NULL },
    { "max-rejects", 0, CLI_NUMBER, OPTION(max_rejects), "N", "stops after so many", 1, INT64_MAX,
      NULL },
};
#undef OPTION

enum { PRINTED_REJECTS = 10 };

/* One import. */
typedef struct importing {
    const import_values *values;
    stream_load          load;
    import_plan          plan;
    base_arena           record; /* of the record being read */
    cli_progress         progress;
} importing;

static volatile sig_atomic_t stop_asked;

static void on_signal(int number) {
    (void)number;
    stop_asked = 1;
}

/* ---- records ---- */

static bool stops(void *context) {
    (void)context;
    return stop_asked;
}

static void show(void *context, uint64_t offset, uint64_t records) {
    importing *im = context;
    cli__progress_show(&im->progress, offset, records);
}

static corm_status take(void *context, corm_str record, uint64_t line, corm_error *err) {
    importing      *im = context;
    corm_statement *bound;
    base__arena_reset(&im->record);
    CORM_TRY(cli__plan_bind(&im->plan, record, line, &im->record, &bound, err));
    corm_bulk_write write = stream__load_record(&im->load, record, line);
    return corm_bulk_statement(im->load.bulk, bound, write.tag, write.record, err);
}

/* ---- beginning ---- */

static corm_status all_columns(importing *im, uint32_t **columns, uint32_t *count,
                               corm_error *err) {
    const corm_table_info *table = im->plan.table;
    if (im->values->columns)
        return cli__columns_named(table, im->values->columns, &im->plan.arena, columns, count, err);
    *count = table->column_count;
    *columns = BASE_NEW_ARRAY(&im->plan.arena, uint32_t, *count + 1);
    if (!*columns) return base__fail_memory(err);
    for (uint32_t i = 0; i < *count; i++) (*columns)[i] = i;
    return CORM_OK;
}

static corm_status read_header(importing *im, const uint32_t *columns, uint32_t count,
                               corm_error *err) {
    bool     more;
    corm_str header;
    uint64_t line;
    CORM_TRY(stream__input_next(&im->load.input, &more, &header, &line, err));
    if (!more)
        return base__fail(err, CORM_INVALID, "the file is empty: a CSV begins with a header");
    base__buf_put_str(&im->load.rejects.header, header);
    return cli__plan_header(&im->plan, header, im->values->columns ? columns : NULL, count, err);
}

static corm_status make_plan(importing *im, corm_error *err) {
    uint32_t *columns, count;
    CORM_TRY(all_columns(im, &columns, &count, err));
    if (im->plan.options.format == CLI_FORMAT_JSON)
        return cli__plan_prepare(&im->plan, columns, count, err);
    if (im->values->no_header) return cli__plan_fields(&im->plan, columns, count, err);
    return read_header(im, columns, count, err);
}

static corm_status open_input(importing *im, corm_error *err) {
    stream_load *load = &im->load;
    CORM_TRY(stream__load_open(load, err));
    load->input.csv = im->plan.options.format == CLI_FORMAT_CSV;
    load->input.delimiter = im->plan.options.delimiter;
    cli__progress_begin(&im->progress, load->size);
    CORM_TRY(stream__load_paths(load, im->values->rejects, err));
    load->rejects.printed = PRINTED_REJECTS;
    load->max_rejects = (uint64_t)im->values->max_rejects;
    snprintf(load->checkpoint.table, sizeof load->checkpoint.table, "%s.%s",
             im->plan.table->keyspace, im->plan.table->name);
    snprintf(load->checkpoint.format, sizeof load->checkpoint.format, "%s",
             cli__format_names[im->plan.options.format]);
    return CORM_OK;
}

static corm_status begin(importing *im, corm_error *err) {
    const import_values *v = im->values;
    import_options      *o = &im->plan.options;
    *o = (import_options){ .null_text = v->null_text,
                           .write_nulls = v->write_nulls,
                           .ignore_unknown = v->ignore_unknown,
                           .generate = v->generate,
                           .ttl_seconds = v->ttl };
    CORM_TRY(cli__format_of(im->load.path, v->format, &o->format, err));
    CORM_TRY(cli__delimiter_of(v->delimiter, &o->delimiter, err));
    if (!v->delimiter && strlen(im->load.path) > 4 &&
        strcmp(im->load.path + strlen(im->load.path) - 4, ".tsv") == 0)
        o->delimiter = '\t';
    CORM_TRY(open_input(im, err));
    if (v->resume && im->load.is_stream)
        return base__fail(err, CORM_INVALID_ARGUMENT, "--resume needs a file, not a pipe");
    CORM_TRY(make_plan(im, err));
    CORM_TRY(stream__load_begin(&im->load, NULL, im->plan.session, (corm_bulk_options){ 0 }, err));
    if (v->resume) return stream__load_resume(&im->load, err);
    return CORM_OK;
}

/* ---- the command ---- */

static void report(importing *im, corm_status status, const corm_error *error) {
    const stream_load *load = &im->load;
    double             seconds = cli__progress_end(&im->progress);
    uint64_t           rejected = load->rejects.count;
    if (status != CORM_OK) fprintf(stderr, "corm import: %s\n", error->message);
    if (!load->bulk) return;
    fprintf(stderr, "%llu records imported%s", (unsigned long long)load->written,
            load->resumed ? " after what was there" : "");
    if (rejected)
        fprintf(stderr, ", %llu rejected (see %s.txt)", (unsigned long long)rejected,
                load->rejects.path);
    fprintf(stderr, " in %.1f s, %.0f a second\n", seconds, (double)load->written / seconds);
}

static int import_file(corm_session *session, const corm_table_info *table, const char *file,
                       const import_values *values) {
    corm_error error = { 0 };
    importing  im = { .values = values };
    im.load =
        (stream_load){ .path = file, .context = &im, .take = take, .stops = stops, .shows = show };
    im.plan.session = session;
    im.plan.table = table;
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    corm_status status = begin(&im, &error);
    bool        began = status == CORM_OK;
    if (began) status = stream__load_run(&im.load, &error);
    report(&im, status, &error);
    bool clean = status == CORM_OK && im.load.rejects.count == 0;
    stream__load_free(&im.load);
    cli__plan_free(&im.plan);
    base__arena_free(&im.record);
    if (!began && error.status == CORM_INVALID_ARGUMENT) return CLI_USAGE;
    return clean ? CLI_OK : CLI_FAILED;
}

static int run_import(const void *given, const cli_operands *operands) {
    corm_session          *session;
    const corm_table_info *table = NULL;
    corm_error             error = { 0 };
    corm_session_options   options = { .must_exist = true };
    int code = cli__open_session("import", operands->items[0], &options, &session);
    if (code != CLI_OK) return code;
    code = CLI_FAILED;
    if (cli__table_named(session, operands->items[1], &table, &error) == CORM_OK)
        code = import_file(session, table, operands->items[2], given);
    else
        fprintf(stderr, "corm import: %s\n", error.message);
    corm_table_free(table);
    corm_session_close(session);
    return code;
}

const cli_command cli__import_command = {
    .name = "import",
    .operands = "URI keyspace.table FILE",
    .summary = "Reads CSV or JSON lines into a table",
    .more = "The file's ending says which: .csv, .tsv, .jsonl, .ndjson; - is standard input.\n"
            "Fields go to columns by the names in the header. Records that do not fit are\n"
            "written to FILE.rejects, the reasons to FILE.rejects.txt; the exit code is then 1.",
    .options = import_options_table,
    .option_count = sizeof import_options_table / sizeof import_options_table[0],
    .values_size = sizeof(import_values),
    .run = run_import,
};
