// SPDX-License-Identifier: MIT
/* transfer.h -- what `corm import` and `corm export` share. One thread. */
#ifndef CLI_TRANSFER_H
#define CLI_TRANSFER_H

#include <stdio.h>

#include "base/arena.h"
#include "corm/schema.h"

typedef enum cli_format { CLI_FORMAT_CSV, CLI_FORMAT_JSON } cli_format;

/* "csv", "jsonl", NULL: the values of --format. */
extern const char *const cli__format_names[];

/* By --format, else by the file's ending. CORM_INVALID_ARGUMENT when neither says. */
CORM_CHECKED corm_status cli__format_of(const char *file, const char *given, cli_format *out,
                                        corm_error *err);

/* "tab" or one character; NULL: a comma. */
CORM_CHECKED corm_status cli__delimiter_of(const char *given, char *out, corm_error *err);

/* Reads "keyspace.table", with names as in CQL. Freed by corm_table_free(). */
CORM_CHECKED corm_status cli__table_named(corm_session *session, const char *name,
                                          const corm_table_info **out, corm_error *err);

#define CLI_NO_COLUMN UINT32_MAX

/* The table's column of the name: as it is, in double quotes, or in lower case; CLI_NO_COLUMN. */
uint32_t cli__column_named(const corm_table_info *table, corm_str name);

/* Reads "a, b, c" into indexes of columns, in the arena. CORM_INVALID_ARGUMENT names what is not there. */
CORM_CHECKED corm_status cli__columns_named(const corm_table_info *table, const char *list,
                                            base_arena *arena, uint32_t **columns, uint32_t *count,
                                            corm_error *err);

/* "no column 'prise'; did you mean 'price'?" */
corm_status cli__no_such_column(const corm_table_info *table, corm_str name, corm_error *err);

/* A line on standard error that is drawn anew a few times a second, where that is a terminal. */
typedef struct cli_progress {
    bool     shown;
    uint64_t total; /* bytes; 0: not known */
    int64_t  began_ms, drawn_ms;
} cli_progress;

void cli__progress_begin(cli_progress *progress, uint64_t total);
void cli__progress_show(cli_progress *progress, uint64_t done, uint64_t records);
/* Removes the line and gives the seconds that have passed, at least a thousandth. */
double cli__progress_end(cli_progress *progress);

#endif
