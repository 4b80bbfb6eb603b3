// SPDX-License-Identifier: MIT
/* line.c -- the prompt: lines of a terminal by libedit, with history and completion, and Ctrl-C. */
#include <errno.h>
#include <fcntl.h>
#include <histedit.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wchar.h>

#include "cli/complete.h"
#include "cli/shell.h"
#include "cli/table.h"
#include "corm/version.h"

enum { HISTORY_LINES = 2000 };

typedef struct prompt {
    cli_shell *shell;
    cli_script script;
    EditLine  *edit;
    History   *history;
    base_buf   history_path;
    char       text[96];
} prompt;

/* Ctrl-C sets the flag and writes to a pipe: a signal that comes just before a read is not lost. */
static volatile sig_atomic_t interrupted;
static int                   wake[2] = { -1, -1 };

static void on_interrupt(int number) {
    int kept = errno;
    (void)number;
    interrupted = 1;
    if (write(wake[1], "", 1) < 0) errno = kept; /* the pipe is full: it will wake anyway */
    errno = kept;
}

static prompt *prompt_of(EditLine *edit) {
    prompt *p = NULL;
    el_get(edit, EL_CLIENTDATA, &p);
    return p;
}

static char *show_prompt(EditLine *edit) {
    prompt     *p = prompt_of(edit);
    const char *keyspace = corm_session_keyspace(p->shell->session);
    if (cli__script_is_open(&p->script))
        snprintf(p->text, sizeof p->text, "   ... ");
    else
        snprintf(p->text, sizeof p->text, "corm%s%s> ", *keyspace ? ":" : "", keyspace);
    return p->text;
}

/* Waits for a key. False after Ctrl-C, if nobody took it meanwhile. */
static bool wait_for_key(void) {
    struct pollfd ready[2] = { { .fd = STDIN_FILENO, .events = POLLIN },
                               { .fd = wake[0], .events = POLLIN } };
    char          ignored[16];
    while (!interrupted) {
        if (poll(ready, 2, -1) < 0) continue;
        if (ready[1].revents & POLLIN && read(wake[0], ignored, sizeof ignored) < 0) continue;
        if (ready[0].revents && !interrupted) return true;
    }
    return false;
}

/* One character; Ctrl-C ends the line with an error instead of being waited out. */
static int read_char(EditLine *edit, wchar_t *out) {
    mbstate_t state = { 0 };
    (void)edit;
    for (;;) {
        char byte;
        if (!wait_for_key()) return -1;
        ssize_t got = read(STDIN_FILENO, &byte, 1);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return (int)got;
        size_t used = mbrtowc(out, &byte, 1, &state);
        if (used == (size_t)-2) continue;
        if (used != (size_t)-1) return 1;
        state = (mbstate_t){ 0 };
    }
}

/* ---- completion ---- */

static void list_words(const prompt *p, const cli_completion *completion) {
    base_buf out = { 0 };
    fputs("\n", p->shell->out);
    cli__columnize(completion->words, completion->count, 80, &out);
    fwrite(out.data, 1, out.len, p->shell->out);
    fflush(p->shell->out);
    base__buf_free(&out);
}

/* Replaces what was typed of the word by what all candidates begin with. */
static bool insert_words(EditLine *edit, const cli_completion *completion) {
    size_t   common = cli__common_prefix(completion);
    base_buf text = { 0 };
    if (common < completion->typed || (common == completion->typed && completion->count > 1))
        return false;
    base__buf_put(&text, completion->words[0].data, common);
    if (completion->count == 1) base__buf_puts(&text, " ");
    const char *zero_ended = base__buf_cstr(&text);
    if (zero_ended) {
        el_deletestr(edit, (int)completion->typed);
        el_insertstr(edit, zero_ended);
    }
    base__buf_free(&text);
    return true;
}

static unsigned char complete(EditLine *edit, int key) {
    prompt         *p = prompt_of(edit);
    const LineInfo *line = el_line(edit);
    base_arena      arena = { 0 };
    base_buf        text = { 0 };
    cli_completion  completion;
    unsigned char   answer = CC_REFRESH;
    (void)key;
    base__buf_put_str(&text, base__buf_str(&p->script.text));
    size_t at = text.len + (size_t)(line->cursor - line->buffer);
    base__buf_put(&text, line->buffer, (size_t)(line->lastchar - line->buffer));
    cli__complete(p->shell->session, base__buf_str(&text), at, &arena, &completion);
    if (!completion.count) {
        answer = CC_REFRESH_BEEP;
    } else if (!insert_words(edit, &completion)) {
        list_words(p, &completion);
        answer = CC_REDISPLAY;
    }
    base__buf_free(&text);
    base__arena_free(&arena);
    return answer;
}

/* ---- history ---- */

static bool make_folder(const char *path) {
    return mkdir(path, 0700) == 0 || errno == EEXIST;
}

/* $XDG_STATE_HOME/corm/history, by default below ~/.local/state. Without a home there is none. */
static void find_history(prompt *p) {
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    base_buf   *path = &p->history_path;
    if (state && *state) {
        base__buf_puts(path, state);
    } else if (home && *home) {
        base__buf_printf(path, "%s/.local", home);
        if (!make_folder(base__buf_cstr(path))) return;
        base__buf_puts(path, "/state");
    } else {
        return;
    }
    bool made = make_folder(base__buf_cstr(path));
    base__buf_puts(path, "/corm");
    made = made && make_folder(base__buf_cstr(path));
    base__buf_puts(path, "/history");
    if (!made) base__buf_clear(path);
}

static void open_history(prompt *p) {
    HistEvent event;
    p->history = history_init();
    if (!p->history) return;
    history(p->history, &event, H_SETSIZE, HISTORY_LINES);
    history(p->history, &event, H_SETUNIQUE, 1);
    find_history(p);
    if (p->history_path.len) history(p->history, &event, H_LOAD, base__buf_cstr(&p->history_path));
    el_set(p->edit, EL_HIST, history, p->history);
}

static void close_history(prompt *p) {
    HistEvent event;
    if (!p->history) return;
    if (p->history_path.len) history(p->history, &event, H_SAVE, base__buf_cstr(&p->history_path));
    history_end(p->history);
    base__buf_free(&p->history_path);
}

static void remember(prompt *p, const char *line) {
    HistEvent event;
    if (p->history && line[strspn(line, " \t\r\n")]) history(p->history, &event, H_ENTER, line);
}

/* ---- the loop ---- */

static bool open_prompt(prompt *p) {
    p->edit = el_init("corm", stdin, p->shell->out, p->shell->err);
    if (!p->edit) return false;
    el_set(p->edit, EL_CLIENTDATA, p);
    el_set(p->edit, EL_EDITOR, "emacs");
    el_set(p->edit, EL_PROMPT, show_prompt);
    el_set(p->edit, EL_GETCFN, read_char);
    /* By el_set() libedit would copy the texts and never free them. */
    el_wset(p->edit, EL_ADDFN, L"corm-complete", L"Completes the word", complete);
    el_set(p->edit, EL_BIND, "^I", "corm-complete", NULL);
    el_set(p->edit, EL_BIND, "^R", "em-inc-search-prev", NULL);
    el_source(p->edit, NULL);
    open_history(p);
    return true;
}

static void close_prompt(prompt *p) {
    close_history(p);
    if (p->edit) el_end(p->edit);
    cli__script_free(&p->script);
}

/* A line, or NULL at the end; Ctrl-C gives an empty one and drops the statement. libedit by itself would show the prompt first
 * and take the terminal over then: a Ctrl-D typed in between would be lost, because the terminal makes a zero byte of it. */
static const char *next_line(prompt *p) {
    int count = 0;
    el_set(p->edit, EL_PREP_TERM, 1);
    const char *line = el_gets(p->edit, &count);
    if (line && count > 0 && !interrupted) return line;
    if (!cli__take_interrupt(p->shell)) return NULL;
    fputs("^C\n", p->shell->out);
    el_reset(p->edit);
    cli__script_drop(&p->script);
    return "";
}

static bool open_wake(void) {
    if (wake[0] >= 0) return true;
    if (pipe(wake) != 0) return false;
    for (int i = 0; i < 2; i++) fcntl(wake[i], F_SETFL, O_NONBLOCK);
    return true;
}

static void catch_interrupt(void) {
    struct sigaction action = { .sa_handler = on_interrupt };
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL); /* without SA_RESTART: it must end a read */
}

void cli__interact(cli_shell *shell) {
    prompt      p = { .shell = shell };
    const char *line;
    shell->terminal = shell->keep_going = true;
    shell->page_size = 100;
    shell->interrupted = &interrupted;
    catch_interrupt();
    cli__script_begin(&p.script, NULL);
    if (!open_wake() || !open_prompt(&p)) {
        fputs("corm shell: the terminal cannot be used\n", shell->err);
        return;
    }
    fprintf(shell->out, "corm %s. HELP lists commands, EXIT leaves.\n", corm_version_string());
    while (!shell->quit && (line = next_line(&p)) != NULL) {
        remember(&p, line);
        cli__script_feed(shell, &p.script, corm_str_of(line));
    }
    if (!shell->quit) fputs("\n", shell->out);
    close_prompt(&p);
    shell->failed = false;
}
