// SPDX-License-Identifier: MIT
/* special.c -- the commands that the shell itself understands: a table of words with what they do and what HELP says. */
#include <strings.h>

#include "base/text.h"
#include "cli/shell.h"
#include "corm/cluster.h"
#include "corm/version.h"
#include "session/door.h"

typedef void special_run(cli_shell *shell, corm_str argument, const cli_origin *origin);

typedef struct special {
    const char  *word;
    special_run *run;
    const char  *usage;
    const char  *help;
} special;

static bool is_word(corm_str text, const char *word) {
    return base__str_equal_nocase(text, corm_str_of(word));
}

/* ON or OFF into *flag; nothing says how it stands. */
static void switch_flag(cli_shell *shell, const char *name, bool *flag, corm_str argument,
                        const cli_origin *origin) {
    if (is_word(argument, "ON"))
        *flag = true;
    else if (is_word(argument, "OFF"))
        *flag = false;
    else if (argument.len) {
        cli__complain(shell, origin, "%s takes ON or OFF", name);
        return;
    }
    fprintf(shell->out, "%s is %s\n", name, *flag ? "ON" : "OFF");
}

static void run_expand(cli_shell *shell, corm_str argument, const cli_origin *origin) {
    switch_flag(shell, "EXPAND", &shell->expand, argument, origin);
}

static void run_toggle(cli_shell *shell, corm_str argument, const cli_origin *origin) {
    (void)argument;
    switch_flag(shell, "EXPAND", &shell->expand, corm_str_of(shell->expand ? "OFF" : "ON"), origin);
}

static void run_paging(cli_shell *shell, corm_str argument, const cli_origin *origin) {
    int64_t size;
    if (argument.len && base__parse_i64(argument, &size)) {
        if (size < 1 || size > INT32_MAX) {
            cli__complain(shell, origin, "PAGING takes ON, OFF or a number of rows");
            return;
        }
        shell->page_size = (int32_t)size;
        shell->paging = true;
        fprintf(shell->out, "Page size: %d\n", shell->page_size);
        return;
    }
    switch_flag(shell, "PAGING", &shell->paging, argument, origin);
}

static const char *const levels[] = { "DEFAULT",     "ANY",    "ONE",          "TWO",
                                      "THREE",       "QUORUM", "ALL",          "LOCAL_QUORUM",
                                      "EACH_QUORUM", "SERIAL", "LOCAL_SERIAL", "LOCAL_ONE" };
enum { LEVEL_COUNT = sizeof levels / sizeof levels[0] };

static void set_level(cli_shell *shell, const char *name, corm_consistency *level,
                      corm_str argument, bool serial, const cli_origin *origin) {
    for (int i = 1; argument.len && i < LEVEL_COUNT; i++) {
        bool is_serial = i == CORM_SERIAL || i == CORM_LOCAL_SERIAL;
        if (!is_word(argument, levels[i]) || (serial && !is_serial)) continue;
        *level = (corm_consistency)i;
        fprintf(shell->out, "%s level set to %s.\n", name, levels[i]);
        return;
    }
    if (argument.len)
        cli__complain(shell, origin, "'%.*s' is no level of %s", (int)argument.len, argument.data,
                      name);
    else
        fprintf(shell->out, "Current %s level is %s.\n", name, levels[*level]);
}

static void run_consistency(cli_shell *shell, corm_str argument, const cli_origin *origin) {
    set_level(shell, "Consistency", &shell->consistency, argument, false, origin);
}

static void run_serial(cli_shell *shell, corm_str argument, const cli_origin *origin) {
    static const char word[] = "CONSISTENCY";
    size_t            len = sizeof word - 1;
    if (argument.len < len || strncasecmp(argument.data, word, len) != 0) {
        cli__complain(shell, origin, "SERIAL is followed by CONSISTENCY");
        return;
    }
    argument = base__str_trim((corm_str){ argument.data + len, argument.len - len });
    set_level(shell, "Serial consistency", &shell->serial, argument, true, origin);
}

static void run_tracing(cli_shell *shell, corm_str argument, const cli_origin *origin) {
    switch_flag(shell, "TRACING", &shell->tracing, argument, origin);
}

static void run_copy(cli_shell *shell, corm_str argument, const cli_origin *origin) {
    (void)argument;
    cli__complain(shell, origin,
                  "COPY is not a command of this shell: see 'corm import' and 'corm export'");
}

/* What the node says that answers. */
static void show_cluster(cli_shell *shell, const cli_origin *origin) {
    static const char cql[] = "SELECT release_version, cql_version FROM system.local";
    const corm_stats *stats;
    corm_result      *result;
    corm_error        error = { 0 };
    if (corm_session_stats(shell->session, &stats, &error) != CORM_OK) {
        cli__complain(shell, origin, "%s", error.message);
        return;
    }
    int protocol = stats->protocol_version;
    corm_stats_free(stats);
    if (corm_execute(shell->session, cql, &result, { .error = &error }) != CORM_OK) {
        cli__report(shell, corm_str_of(cql), origin, &error);
        return;
    }
    const corm_row *row = corm_result_next(result);
    corm_str        release = row ? corm_row_text(row, 0) : corm_str_of("?");
    corm_str        language = row ? corm_row_text(row, 1) : corm_str_of("?");
    fprintf(shell->out, "corm %s | Cassandra %.*s | CQL %.*s | native protocol v%d\n",
            corm_version_string(), (int)release.len, release.data, (int)language.len, language.data,
            protocol);
    corm_result_free(result);
}

static void run_show(cli_shell *shell, corm_str argument, const cli_origin *origin) {
    if (!is_word(argument, "VERSION"))
        cli__complain(shell, origin, "SHOW is followed by VERSION");
    else if (session__is_cluster(shell->session))
        show_cluster(shell, origin);
    else
        fprintf(shell->out, "corm %s | CQL 3.4.7 | native protocol v5\n", corm_version_string());
}

static void run_clear(cli_shell *shell, corm_str argument, const cli_origin *origin) {
    (void)argument, (void)origin;
    if (shell->terminal) fputs("\033[H\033[2J", shell->out);
}

static void run_exit(cli_shell *shell, corm_str argument, const cli_origin *origin) {
    (void)argument, (void)origin;
    shell->quit = true;
}

/* The text between single quotes, where '' is one quote. */
static bool unquote(corm_str text, base_buf *out) {
    if (text.len < 2 || text.data[0] != '\'' || text.data[text.len - 1] != '\'') return false;
    for (size_t i = 1; i + 1 < text.len; i++) {
        if (text.data[i] == '\'' && (i + 2 >= text.len || text.data[++i] != '\'')) return false;
        base__buf_u8(out, (uint8_t)text.data[i]);
    }
    return out->len > 0;
}

enum { MAX_SOURCE_DEPTH = 32 };

static void run_source(cli_shell *shell, corm_str argument, const cli_origin *origin) {
    base_buf path = { 0 };
    if (!unquote(argument, &path)) {
        cli__complain(shell, origin, "SOURCE is followed by a file's name in single quotes");
    } else if (shell->depth >= MAX_SOURCE_DEPTH) {
        cli__complain(shell, origin, "SOURCE is nested too deeply");
    } else {
        bool at_prompt = shell->terminal;
        shell->depth++;
        const char *name = base__buf_cstr(&path);
        if ((!name || !cli__run_file(shell, name)) && !shell->keep_going) shell->quit = true;
        shell->depth--;
        shell->terminal = at_prompt;
    }
    base__buf_free(&path);
}

static special_run run_help;

/* Sorted by word. */
static const special specials[] = {
    { "CLEAR", run_clear, "CLEAR", "clears the screen" },
    { "CLS", run_clear, "CLS", "the same as CLEAR" },
    { "CONSISTENCY", run_consistency, "CONSISTENCY [LEVEL]", "shows or sets the consistency" },
    { "COPY", run_copy, "COPY", "see corm import and corm export" },
    { "EXIT", run_exit, "EXIT", "ends the shell, as does Ctrl-D" },
    { "EXPAND", run_expand, "EXPAND [ON|OFF]", "rows as lines of name and value" },
    { "HELP", run_help, "HELP [WORD]", "this list" },
    { "PAGING", run_paging, "PAGING [ON|OFF|ROWS]", "stops after so many rows" },
    { "QUIT", run_exit, "QUIT", "the same as EXIT" },
    { "SERIAL", run_serial, "SERIAL CONSISTENCY [LEVEL]", "that of lightweight transactions" },
    { "SHOW", run_show, "SHOW VERSION", "versions of command, language and protocol" },
    { "SOURCE", run_source, "SOURCE 'FILE'", "executes the statements of a file" },
    { "TRACING", run_tracing, "TRACING [ON|OFF]", "what was done for an answer, and when" },
    { "\\?", run_help, "\\?", "the same as HELP" },
    { "\\q", run_exit, "\\q", "the same as EXIT" },
    { "\\x", run_toggle, "\\x", "the other of EXPAND ON and OFF" },
};
enum { SPECIAL_COUNT = sizeof specials / sizeof specials[0] };

static void run_help(cli_shell *shell, corm_str argument, const cli_origin *origin) {
    (void)origin;
    fputs("\n", shell->out);
    for (int i = 0; i < SPECIAL_COUNT; i++)
        if (!argument.len || is_word(argument, specials[i].word))
            fprintf(shell->out, "  %-28s%s\n", specials[i].usage, specials[i].help);
    fputs("\nEverything else is CQL and ends with a semicolon; DESCRIBE shows the schema.\n\n",
          shell->out);
}

const char *const *cli__special_words(void) {
    static const char *const words[] = { "CLEAR", "CONSISTENCY", "EXIT", "EXPAND", "HELP", "PAGING",
                                         "QUIT",  "SERIAL",      "SHOW", "SOURCE", NULL };
    return words;
}

static size_t word_length(corm_str text) {
    size_t len = 0;
    if (text.len >= 2 && text.data[0] == '\\') return 2;
    if (text.len && text.data[0] == '?') return 1;
    while (len < text.len && ((text.data[len] | 32) >= 'a' && (text.data[len] | 32) <= 'z')) len++;
    return len;
}

static const special *find(corm_str text, size_t *word) {
    *word = word_length(text);
    corm_str first = { text.data, *word };
    if (corm_str_equal(first, corm_str_of("?"))) first = corm_str_of("HELP");
    for (int i = 0; i < SPECIAL_COUNT; i++)
        if (is_word(first, specials[i].word)) return &specials[i];
    return NULL;
}

size_t cli__special_length(corm_str text, bool at_end) {
    size_t len;
    bool   quoted = false;
    if (!find(text, &len)) return 0;
    for (; len < text.len; len++) {
        if (text.data[len] == '\n' || (text.data[len] == ';' && !quoted)) return len + 1;
        if (text.data[len] == '\'') quoted = !quoted;
    }
    return at_end ? len : SIZE_MAX;
}

void cli__run_special(cli_shell *shell, corm_str text, const cli_origin *origin) {
    size_t         len;
    const special *found = find(text, &len);
    corm_str       argument = base__str_trim((corm_str){ text.data + len, text.len - len });
    if (argument.len && argument.data[argument.len - 1] == ';') argument.len--;
    if (found) found->run(shell, base__str_trim(argument), origin);
    fflush(shell->out);
}
