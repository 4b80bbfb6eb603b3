// SPDX-License-Identifier: MIT
/* import.c -- the command `corm import`: records of a file into a table, in rounds. After a round all before it is either in
 * the table or among the rejects; that is what a checkpoint says. One round is in memory at a time. */
#include "cli/import.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/map.h"
#include "base/text.h"
#include "cli/command.h"
#include "stream/input.h"

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
    const char          *file;
    bool                 is_stdin;
    stream_input         input;
    import_plan          plan;
    stream_rejects       rejects;
    import_round        *round;
    base_arena           record; /* of the record being read */
    base_buf             reject_path, checkpoint_path;
    cli_checkpoint       checkpoint;
    int64_t              saved_ms;
    uint64_t             records, written;
    cli_progress         progress;
    bool                 resumed;
} importing;

static volatile sig_atomic_t stop_asked;

static void on_signal(int number) {
    (void)number;
    stop_asked = 1;
}

/* ---- checkpoints ---- */

/* Of the first bytes: tells another file of the same name apart. */
static corm_status hash_beginning(const char *path, uint64_t upto, uint64_t *out, corm_error *err) {
    uint8_t bytes[4096];
    FILE   *file = fopen(path, "rb");
    if (!file) return base__fail_errno(err, errno, "%s", path);
    size_t got = fread(bytes, 1, upto < sizeof bytes ? (size_t)upto : sizeof bytes, file);
    fclose(file);
    *out = base__hash(bytes, got, 0);
    return CORM_OK;
}

static corm_status save(importing *im, corm_error *err) {
    cli_checkpoint *c = &im->checkpoint;
    if (im->is_stdin) return CORM_OK;
    c->offset = im->input.offset;
    c->line = im->input.line;
    c->records = im->records;
    c->rejected = im->rejects.count;
    CORM_TRY(hash_beginning(im->file, c->offset, &c->beginning, err));
    CORM_TRY(stream__rejects_flush(&im->rejects, err));
    im->saved_ms = base__clock_mono_ns() / 1000000;
    return cli__checkpoint_write(base__buf_cstr(&im->checkpoint_path), c, err);
}

static corm_status load(importing *im, corm_error *err) {
    cli_checkpoint found;
    uint64_t       beginning;
    const char    *path = base__buf_cstr(&im->checkpoint_path);
    CORM_TRY(cli__checkpoint_read(path, &found, err));
    CORM_TRY(hash_beginning(im->file, found.offset, &beginning, err));
    if (strcmp(found.table, im->checkpoint.table) != 0 ||
        strcmp(found.format, im->checkpoint.format) != 0 || beginning != found.beginning)
        return base__fail(err, CORM_INVALID,
                          "%s is of another import (%s of table %s); remove it to begin anew", path,
                          found.format, found.table);
    im->checkpoint = found;
    im->records = found.records;
    im->rejects.count = found.rejected;
    im->rejects.append = im->resumed = true;
    return stream__input_seek(&im->input, found.offset, found.line, err);
}

/* ---- records ---- */

static corm_status end_round(importing *im, corm_error *err) {
    CORM_TRY(cli__round_finish(im->round, &im->rejects, &im->written, err));
    cli__progress_show(&im->progress, im->input.offset, im->records);
    if (base__clock_mono_ns() / 1000000 - im->saved_ms >= 1000) CORM_TRY(save(im, err));
    return CORM_OK;
}

static bool has_enough_rejects(const importing *im) {
    int64_t most = im->values->max_rejects;
    return most && im->rejects.count >= (uint64_t)most;
}

static corm_status import_record(importing *im, corm_str record, uint64_t line, corm_error *err) {
    corm_statement *bound;
    corm_error      why = { 0 };
    if (!base__str_trim(record).len) return CORM_OK;
    im->records++;
    base__arena_reset(&im->record);
    corm_status status = cli__plan_bind(&im->plan, record, line, &im->record, &bound, &why);
    if (status == CORM_NO_MEMORY) return base__fail_memory(err);
    if (status != CORM_OK) return stream__reject(&im->rejects, record, &why, err);
    return cli__round_send(im->round, bound, record, line, err);
}

static corm_status import_records(importing *im, corm_error *err) {
    corm_str record;
    uint64_t line;
    bool     more = true;
    while (!stop_asked && !has_enough_rejects(im)) {
        CORM_TRY(stream__input_next(&im->input, &more, &record, &line, err));
        if (!more) break;
        CORM_TRY(import_record(im, record, line, err));
        if (cli__round_is_full(im->round)) CORM_TRY(end_round(im, err));
    }
    CORM_TRY(end_round(im, err));
    if (!more) return stream__rejects_flush(&im->rejects, err);
    CORM_TRY(save(im, err));
    return base__fail(err, CORM_CANCELLED, "%s%s",
                      stop_asked ? "interrupted" : "there are too many rejects",
                      im->is_stdin ? "" : "; --resume goes on from here");
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
    CORM_TRY(stream__input_next(&im->input, &more, &header, &line, err));
    if (!more)
        return base__fail(err, CORM_INVALID, "the file is empty: a CSV begins with a header");
    base__buf_put_str(&im->rejects.header, header);
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
    struct stat about;
    im->input.file = im->is_stdin ? stdin : fopen(im->file, "rb");
    if (!im->input.file) return base__fail_errno(err, errno, "%s", im->file);
    if (fstat(fileno(im->input.file), &about) != 0)
        return base__fail_errno(err, errno, "%s", im->file);
    if (S_ISDIR(about.st_mode)) return base__fail_errno(err, EISDIR, "%s", im->file);
    if (!S_ISREG(about.st_mode)) im->is_stdin = true;
    im->input.csv = im->plan.options.format == CLI_FORMAT_CSV;
    im->input.delimiter = im->plan.options.delimiter;
    cli__progress_begin(&im->progress, im->is_stdin ? 0 : (uint64_t)about.st_size);
    return CORM_OK;
}

static corm_status set_paths(importing *im, corm_error *err) {
    const char *base = im->is_stdin ? "corm-import" : im->file;
    base__buf_printf(&im->reject_path, "%s.rejects", base);
    base__buf_printf(&im->checkpoint_path, "%s.checkpoint", base);
    const char *rejects = base__buf_cstr(&im->reject_path);
    if (!rejects || !base__buf_cstr(&im->checkpoint_path)) return base__fail_memory(err);
    im->rejects.path = im->values->rejects ? im->values->rejects : rejects;
    im->rejects.printed = PRINTED_REJECTS;
    im->rejects.name = im->is_stdin ? "<stdin>" : im->file;
    snprintf(im->checkpoint.table, sizeof im->checkpoint.table, "%s.%s", im->plan.table->keyspace,
             im->plan.table->name);
    snprintf(im->checkpoint.format, sizeof im->checkpoint.format, "%s",
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
    CORM_TRY(cli__format_of(im->file, v->format, &o->format, err));
    CORM_TRY(cli__delimiter_of(v->delimiter, &o->delimiter, err));
    if (!v->delimiter && strlen(im->file) > 4 &&
        strcmp(im->file + strlen(im->file) - 4, ".tsv") == 0)
        o->delimiter = '\t';
    CORM_TRY(open_input(im, err));
    CORM_TRY(set_paths(im, err));
    if (v->resume && im->is_stdin)
        return base__fail(err, CORM_INVALID_ARGUMENT, "--resume needs a file, not a pipe");
    CORM_TRY(make_plan(im, err));
    im->round = cli__round_new();
    if (!im->round) return base__fail_memory(err);
    if (v->resume) return load(im, err);
    return CORM_OK;
}

/* ---- the command ---- */

static void report(importing *im, corm_status status, const corm_error *error) {
    double   seconds = cli__progress_end(&im->progress);
    uint64_t rejected = im->rejects.count;
    if (status != CORM_OK) fprintf(stderr, "corm import: %s\n", error->message);
    if (!im->round) return;
    fprintf(stderr, "%llu records imported%s", (unsigned long long)im->written,
            im->resumed ? " after what was there" : "");
    if (rejected)
        fprintf(stderr, ", %llu rejected (see %s.txt)", (unsigned long long)rejected,
                im->rejects.path);
    fprintf(stderr, " in %.1f s, %.0f a second\n", seconds, (double)im->written / seconds);
}

static void end(importing *im) {
    cli__round_free(im->round);
    cli__plan_free(&im->plan);
    stream__rejects_free(&im->rejects);
    stream__input_free(&im->input);
    base__arena_free(&im->record);
    base__buf_free(&im->reject_path);
    base__buf_free(&im->checkpoint_path);
    if (im->input.file && im->input.file != stdin) fclose(im->input.file);
}

static int import_file(corm_session *session, const corm_table_info *table, const char *file,
                       const import_values *values) {
    corm_error error = { 0 };
    importing  im = { .values = values, .file = file, .is_stdin = strcmp(file, "-") == 0 };
    im.plan.session = session;
    im.plan.table = table;
    im.saved_ms = base__clock_mono_ns() / 1000000;
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    corm_status status = begin(&im, &error);
    bool        began = status == CORM_OK;
    if (began) status = import_records(&im, &error);
    report(&im, status, &error);
    if (status == CORM_OK && !im.is_stdin) unlink(base__buf_cstr(&im.checkpoint_path));
    bool clean = status == CORM_OK && im.rejects.count == 0;
    end(&im);
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
