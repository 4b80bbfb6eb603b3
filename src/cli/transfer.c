// SPDX-License-Identifier: MIT
/* transfer.c -- see transfer.h: formats, names of tables and columns, the progress line. */
#include "cli/transfer.h"

#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fail.h"
#include "base/text.h"
#include "cli/command.h"
#include "cql/parser.h"

const char *const cli__format_names[] = { "csv", "jsonl", NULL };

static bool ends_with(const char *file, const char *ending) {
    size_t len = strlen(file), of = strlen(ending);
    return len > of && strcasecmp(file + len - of, ending) == 0;
}

corm_status cli__format_of(const char *file, const char *given, cli_format *out, corm_error *err) {
    static const struct {
        const char *ending;
        cli_format  format;
    } endings[] = { { ".csv", CLI_FORMAT_CSV },
                    { ".tsv", CLI_FORMAT_CSV },
                    { ".jsonl", CLI_FORMAT_JSON },
                    { ".ndjson", CLI_FORMAT_JSON },
                    { ".json", CLI_FORMAT_JSON } };
    if (given) {
        *out = strcmp(given, "csv") == 0 ? CLI_FORMAT_CSV : CLI_FORMAT_JSON;
        return CORM_OK;
    }
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        if (!ends_with(file, endings[i].ending)) continue;
        *out = endings[i].format;
        return CORM_OK;
    }
    return base__fail(err, CORM_INVALID_ARGUMENT,
                      "the name '%s' does not say the format: give --format csv or jsonl", file);
}

corm_status cli__delimiter_of(const char *given, char *out, corm_error *err) {
    *out = ',';
    if (!given) return CORM_OK;
    *out = strcmp(given, "tab") == 0 || strcmp(given, "\\t") == 0 ? '\t' : given[0];
    bool one = *out == '\t' || (given[0] && !given[1]);
    if (one && *out != '"' && *out != '\n' && *out != '\r' && (uint8_t)*out < 0x80) return CORM_OK;
    return base__fail(err, CORM_INVALID_ARGUMENT, "--delimiter takes one character, or tab");
}

/* ---- names ---- */

/* The name that a token is; false when it is none. */
static bool read_name(const cql_token *token, char *out, size_t size) {
    bool   quoted = token->kind == CQL_TOKEN_QUOTED;
    size_t len = 0;
    if (!quoted && token->kind != CQL_TOKEN_IDENT) return false;
    for (size_t i = quoted; i + quoted < token->text.len; i++) {
        char c = token->text.data[i];
        if (len + 1 >= size) return false;
        if (quoted && c == '"') i++;
        out[len++] = !quoted && c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
    out[len] = 0;
    return len > 0;
}

corm_status cli__table_named(corm_session *session, const char *name, const corm_table_info **out,
                             corm_error *err) {
    cql_lexer lexer;
    cql_token keyspace, dot, table, end;
    char      keyspace_name[64], table_name[256];
    cql__lexer_init(&lexer, corm_str_of(name));
    cql__lexer_next(&lexer, &keyspace);
    cql__lexer_next(&lexer, &dot);
    cql__lexer_next(&lexer, &table);
    cql__lexer_next(&lexer, &end);
    if (!read_name(&keyspace, keyspace_name, sizeof keyspace_name) ||
        !corm_str_equal(dot.text, corm_str_of(".")) ||
        !read_name(&table, table_name, sizeof table_name) || end.kind != CQL_TOKEN_END)
        return base__fail(err, CORM_INVALID_ARGUMENT, "'%s' is not of the form keyspace.table",
                          name);
    return corm_table_read(session, keyspace_name, table_name, out, err);
}

static uint32_t find_exact(const corm_table_info *table, corm_str name) {
    for (uint32_t i = 0; i < table->column_count; i++)
        if (corm_str_equal(corm_str_of(table->columns[i].name), name)) return i;
    return CLI_NO_COLUMN;
}

uint32_t cli__column_named(const corm_table_info *table, corm_str name) {
    char     lower[256];
    uint32_t found = find_exact(table, name);
    if (found != CLI_NO_COLUMN) return found;
    if (name.len > 2 && name.data[0] == '"' && name.data[name.len - 1] == '"')
        return find_exact(table, (corm_str){ name.data + 1, name.len - 2 });
    if (name.len > sizeof lower) return CLI_NO_COLUMN;
    for (size_t i = 0; i < name.len; i++)
        lower[i] =
            name.data[i] >= 'A' && name.data[i] <= 'Z' ? (char)(name.data[i] + 32) : name.data[i];
    return find_exact(table, (corm_str){ lower, name.len });
}

corm_status cli__no_such_column(const corm_table_info *table, corm_str name, corm_error *err) {
    const char *names[256];
    char        word[128];
    uint32_t    count = table->column_count < 256 ? table->column_count : 256;
    for (uint32_t i = 0; i < count; i++) names[i] = table->columns[i].name;
    snprintf(word, sizeof word, "%.*s", (int)(name.len < 100 ? name.len : 100), name.data);
    const char *near = cli__nearest(word, names, count);
    return base__fail(err, CORM_INVALID_ARGUMENT, "table %s.%s has no column '%s'%s%s%s",
                      table->keyspace, table->name, word, near ? "; did you mean '" : "",
                      near ? near : "", near ? "'?" : "");
}

corm_status cli__columns_named(const corm_table_info *table, const char *list, base_arena *arena,
                               uint32_t **columns, uint32_t *count, corm_error *err) {
    *count = 0;
    *columns = BASE_NEW_ARRAY(arena, uint32_t, strlen(list) + 1);
    if (!*columns) return base__fail_memory(err);
    for (const char *at = list;; at++) {
        size_t   len = strcspn(at, ",");
        corm_str name = base__str_trim((corm_str){ at, len });
        uint32_t found = cli__column_named(table, name);
        if (found == CLI_NO_COLUMN) return cli__no_such_column(table, name, err);
        for (uint32_t i = 0; i < *count; i++)
            if ((*columns)[i] == found)
                return base__fail(err, CORM_INVALID_ARGUMENT, "column '%.*s' is named twice",
                                  (int)name.len, name.data);
        (*columns)[(*count)++] = found;
        at += len;
        if (!*at) return CORM_OK;
    }
}

/* ---- progress ---- */

static int64_t now_ms(void) {
    return (int64_t)(base__clock_mono_ns() / 1000000);
}

void cli__progress_begin(cli_progress *progress, uint64_t total) {
    *progress =
        (cli_progress){ .shown = isatty(STDERR_FILENO), .total = total, .began_ms = now_ms() };
}

static void draw_bar(double part) {
    enum { WIDTH = 30 };
    int filled = (int)(part * WIDTH);
    fputc('[', stderr);
    for (int i = 0; i < WIDTH; i++) fputc(i < filled ? '#' : ' ', stderr);
    fprintf(stderr, "] %3d%% ", (int)(part * 100));
}

void cli__progress_show(cli_progress *progress, uint64_t done, uint64_t records) {
    int64_t now = now_ms();
    if (!progress->shown || now - progress->drawn_ms < 100) return;
    double seconds = (double)(now - progress->began_ms) / 1000;
    progress->drawn_ms = now;
    fputc('\r', stderr);
    double part = progress->total ? (double)done / (double)progress->total : 0;
    if (progress->total) draw_bar(part > 1 ? 1 : part);
    fprintf(stderr, " %llu records", (unsigned long long)records);
    if (seconds > 0.5) fprintf(stderr, ", %.0f a second", (double)records / seconds);
    if (seconds > 2 && part > 0.01 && part < 1)
        fprintf(stderr, ", %.0f s left", seconds / part - seconds);
    fputs("\033[K", stderr);
    fflush(stderr);
}

double cli__progress_end(cli_progress *progress) {
    if (progress->shown && progress->drawn_ms) fputs("\r\033[K", stderr);
    double seconds = (double)(now_ms() - progress->began_ms) / 1000;
    return seconds < 0.001 ? 0.001 : seconds;
}
