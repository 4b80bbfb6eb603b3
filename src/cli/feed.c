// SPDX-License-Identifier: MIT
/* feed.c -- the command `corm feed`: the change feed of a folder as lines of JSON on standard output. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "corm/feed.h"

typedef struct feed_values {
    const char *table, *from;
    bool        follow, state, all_tables, chosen_tables, whole_rows, changed_columns;
    int64_t     limit, keep_seconds, keep_bytes;
} feed_values;

#define OPTION(name) offsetof(feed_values, name)
static const cli_option options_table[] = {
    { "table", 't', CLI_TEXT, OPTION(table), "NAME", "only this table (keyspace.table) or keyspace",
      0, 0, NULL },
    { "from", 0, CLI_TEXT, OPTION(from), "PLACE",
      "behind a position that a line had; 'oldest', which is the default; 'now'; or a time such as "
      "2026-01-31T10:00:00Z",
      0, 0, NULL },
    { "follow", 'f', CLI_FLAG, OPTION(follow), NULL, "waits for more until it is interrupted", 0, 0,
      NULL },
    { "limit", 0, CLI_NUMBER, OPTION(limit), "CHANGES", "ends after so many", 1, INT64_MAX, NULL },
    { "state", 0, CLI_FLAG, OPTION(state), NULL, "prints what is fed and kept, and no changes", 0,
      0, NULL },
    { "all-tables", 0, CLI_FLAG, OPTION(all_tables), NULL,
      "from now on feeds every table, not only those with cdc = true", 0, 0, NULL },
    { "chosen-tables", 0, CLI_FLAG, OPTION(chosen_tables), NULL,
      "from now on feeds only tables with cdc = true", 0, 0, NULL },
    { "whole-rows", 0, CLI_FLAG, OPTION(whole_rows), NULL,
      "from now on writes all columns into before and after", 0, 0, NULL },
    { "changed-columns", 0, CLI_FLAG, OPTION(changed_columns), NULL,
      "from now on writes only those that changed", 0, 0, NULL },
    { "keep-seconds", 0, CLI_NUMBER, OPTION(keep_seconds), "N",
      "from now on removes changes older than this", 1, UINT32_MAX, NULL },
    { "keep-bytes", 0, CLI_NUMBER, OPTION(keep_bytes), "N",
      "from now on removes the oldest while there are more bytes", 1, INT64_MAX, NULL },
};
#undef OPTION

static volatile sig_atomic_t stop_asked;

static void on_signal(int number) {
    (void)number;
    stop_asked = 1;
}

static int fail(const corm_error *err) {
    fprintf(stderr, "corm feed: %s\n", err->message);
    return CLI_FAILED;
}

/* ---- settings ---- */

static bool has_settings(const feed_values *values) {
    return values->all_tables || values->chosen_tables || values->whole_rows ||
           values->changed_columns || values->keep_seconds || values->keep_bytes;
}

static int configure(const feed_values *values, corm_session *session) {
    corm_error      err;
    corm_feed_state state;
    if (corm_feed_state_of(session, &state, &err) != CORM_OK) return fail(&err);
    corm_feed_settings *settings = &state.settings;
    if (values->all_tables || values->chosen_tables) settings->all_tables = values->all_tables;
    if (values->whole_rows || values->changed_columns) settings->whole_rows = values->whole_rows;
    if (values->keep_seconds) settings->keep_seconds = (uint32_t)values->keep_seconds;
    if (values->keep_bytes) settings->keep_bytes = (uint64_t)values->keep_bytes;
    return corm_feed_configure(session, settings, &err) == CORM_OK ? CLI_OK : fail(&err);
}

static int print_state(corm_session *session) {
    corm_error      err;
    corm_feed_state state;
    char            oldest[CORM_FEED_POSITION_TEXT], newest[CORM_FEED_POSITION_TEXT];
    if (corm_feed_state_of(session, &state, &err) != CORM_OK) return fail(&err);
    corm_feed_position_format(state.oldest, oldest);
    corm_feed_position_format(state.newest, newest);
    printf("{\"all_tables\": %s, \"whole_rows\": %s, \"keep_seconds\": %u, \"keep_bytes\": %llu, "
           "\"oldest\": \"%s\", \"newest\": \"%s\", \"changes\": %llu, \"bytes\": %llu}\n",
           state.settings.all_tables ? "true" : "false",
           state.settings.whole_rows ? "true" : "false", state.settings.keep_seconds,
           (unsigned long long)state.settings.keep_bytes, oldest, newest,
           (unsigned long long)state.changes, (unsigned long long)state.bytes);
    return CLI_OK;
}

/* ---- changes ---- */

static corm_status read_from(const char *text, corm_feed_options *options, corm_error *err) {
    corm_timestamp time;
    if (!text || strcmp(text, "oldest") == 0) return CORM_OK;
    if (strcmp(text, "now") == 0) {
        options->from = CORM_FEED_NOW;
    } else if (corm_feed_position_parse(text, &options->position, err) == CORM_OK) {
        options->from = CORM_FEED_BEHIND;
    } else if (corm_timestamp_parse(text, &time, NULL) == CORM_OK) {
        options->from = CORM_FEED_AT;
        options->time_us = time.ms * 1000;
    } else {
        snprintf(err->message, sizeof err->message,
                 "'%s' is no position of a feed, no time, not 'oldest' and not 'now'", text);
        return CORM_INVALID_ARGUMENT;
    }
    return CORM_OK;
}

/* In slices, for a signal's sake. */
static corm_status next(corm_feed *feed, bool follow, const corm_change **change, corm_error *err) {
    corm_status status;
    do {
        status = corm_feed_next(feed, follow ? 200 : 0, change, err);
    } while (status == CORM_OK && !*change && follow && !stop_asked);
    return status;
}

static bool print_change(const corm_change *change, corm_status *status, corm_error *err) {
    corm_str line;
    *status = corm_change_json(change, &line, err);
    if (*status != CORM_OK) return false;
    return fwrite(line.data, 1, line.len, stdout) == line.len && putchar('\n') != EOF &&
           fflush(stdout) == 0;
}

static int print_changes(const feed_values *values, corm_feed *feed) {
    corm_error  err = { 0 };
    corm_status status = CORM_OK;
    for (int64_t left = values->limit ? values->limit : INT64_MAX; left > 0 && !stop_asked;
         left--) {
        const corm_change *change;
        status = next(feed, values->follow, &change, &err);
        if (status != CORM_OK || !change) break;
        if (print_change(change, &status, &err)) continue;
        if (status != CORM_OK) break;
        fprintf(stderr, "corm feed: %s\n", strerror(errno));
        return CLI_FAILED;
    }
    return status == CORM_OK ? CLI_OK : fail(&err);
}

static int follow(const feed_values *values, corm_session *session) {
    corm_error        err = { 0 };
    corm_feed        *feed;
    corm_feed_options options = { .tables = &values->table, .table_count = values->table != NULL };
    if (read_from(values->from, &options, &err) != CORM_OK) {
        fprintf(stderr, "corm feed: %s\n", err.message);
        return CLI_USAGE;
    }
    if (corm_feed_open(session, &options, &feed, &err) != CORM_OK) return fail(&err);
    struct sigaction stop = { .sa_handler = on_signal };
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGTERM, &stop, NULL);
    int code = print_changes(values, feed);
    corm_feed_close(feed);
    return code;
}

static int run(const void *options, const cli_operands *operands) {
    const feed_values   *values = options;
    corm_session        *session;
    bool                 changes = has_settings(values);
    corm_session_options how = { .must_exist = true, .read_only = !changes };
    if ((values->all_tables && values->chosen_tables) ||
        (values->whole_rows && values->changed_columns)) {
        fprintf(stderr, "corm feed: these options contradict each other\n");
        return CLI_USAGE;
    }
    int code = cli__open_session("feed", operands->items[0], &how, &session);
    if (code != CLI_OK) return code;
    if (changes) code = configure(values, session);
    if (code == CLI_OK && values->state) code = print_state(session);
    if (code == CLI_OK && !values->state && !changes) code = follow(values, session);
    corm_session_close(session);
    return code;
}

const cli_command cli__feed_command = {
    .name = "feed",
    .operands = "URI",
    .summary = "Prints what was changed in a folder, as lines of JSON",
    .more =
        "Tables with cdc = true are fed (ALTER TABLE t WITH cdc = true), or all with --all-tables. "
        "Each line has a\nposition: --from goes on behind it, exactly once. Changes are kept for a day, or as "
        "--keep-seconds and\n--keep-bytes say. Options that change settings print no changes.",
    .options = options_table,
    .option_count = sizeof options_table / sizeof *options_table,
    .values_size = sizeof(feed_values),
    .run = run,
};
