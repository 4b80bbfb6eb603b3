// SPDX-License-Identifier: MIT
/* terminal_test.c -- the shell at a pseudo-terminal: prompts, editing, completion, history, paging, Ctrl-C. Every step waits for
 * what the shell writes, never for time. */
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/buf.h"
#include "testing/check.h"

typedef struct terminal {
    int      fd;
    pid_t    pid;
    base_buf seen; /* what came since the last match */
} terminal;

static terminal start(const char *uri) {
    terminal       t = { 0 };
    struct winsize size = { .ws_row = 24, .ws_col = 100 };
    const char    *corm = getenv("CORM");
    if (!corm || access(corm, X_OK) != 0) {
        puts("skipped: the command is not built");
        exit(77);
    }
    t.pid = forkpty(&t.fd, NULL, NULL, &size);
    assert_true(t.pid >= 0);
    if (t.pid == 0) {
        setenv("TERM", "dumb", 1);
        setenv("LC_ALL", "C.UTF-8", 1);
        setenv("XDG_STATE_HOME", "state", 1);
        execl(corm, corm, "shell", uri, (char *)NULL);
        _exit(127);
    }
    return t;
}

static void type(terminal *t, const char *keys) {
    size_t len = strlen(keys);
    assert_int_equal(write(t->fd, keys, len), (ssize_t)len);
}

static bool take_until(terminal *t, const char *wanted) {
    const char *at = strstr(base__buf_cstr(&t->seen), wanted);
    if (!at) return false;
    size_t used = (size_t)(at - (const char *)t->seen.data) + strlen(wanted);
    memmove(t->seen.data, t->seen.data + used, t->seen.len - used);
    t->seen.len -= used;
    return true;
}

static void expect(terminal *t, const char *wanted) {
    while (!take_until(t, wanted)) {
        struct pollfd ready = { .fd = t->fd, .events = POLLIN };
        char          piece[4096];
        ssize_t       got = poll(&ready, 1, 60000) > 0 ? read(t->fd, piece, sizeof piece) : 0;
        if (got <= 0) fail_msg("'%s' did not come; there is: %s", wanted, base__buf_cstr(&t->seen));
        base__buf_put(&t->seen, piece, (size_t)got);
    }
}

static int finish(terminal *t) {
    int     status;
    char    piece[4096];
    ssize_t got;
    while ((got = read(t->fd, piece, sizeof piece)) > 0)
        base__buf_put(&t->seen, piece, (size_t)got);
    assert_int_equal(waitpid(t->pid, &status, 0), t->pid);
    close(t->fd);
    base__buf_free(&t->seen);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static const char make_keyspace[] = "CREATE KEYSPACE shop WITH replication = "
                                    "{'class': 'SimpleStrategy', 'replication_factor': 1};\n";

static void statements_go_over_several_lines_and_use_changes_the_prompt(void **state) {
    (void)state;
    terminal t = start("corm::memory:");
    expect(&t, "corm> ");
    type(&t, make_keyspace);
    expect(&t, "corm> ");
    type(&t, "USE shop;\n");
    expect(&t, "corm:shop> ");
    type(&t, "CREATE TABLE t (k int PRIMARY KEY,\n");
    expect(&t, "   ... ");
    type(&t, "v text);\n");
    expect(&t, "corm:shop> ");
    type(&t, "INSERT INTO t (k, v) VALUES (1, 'one'); SELECT v FROM t;\n");
    expect(&t, "one");
    expect(&t, "(1 rows)");
    expect(&t, "corm:shop> ");
    type(&t, "EXIT\n");
    assert_int_equal(finish(&t), 0);
}

static void an_error_is_shown_and_the_shell_goes_on(void **state) {
    (void)state;
    terminal t = start("corm::memory:");
    expect(&t, "corm> ");
    type(&t, "SELECT * FORM t;\n");
    expect(&t, "SYNTAX_ERROR (0x2000): mismatched input 'FORM' expecting K_FROM");
    expect(&t, "^~~~");
    expect(&t, "corm> ");
    type(&t, "SHOW VERSION\n");
    expect(&t, "CQL 3.4");
    expect(&t, "corm> ");
    type(&t, "\x04");
    assert_int_equal(finish(&t), 0);
}

/* In a terminal that still collects lines by itself a Ctrl-D becomes a zero byte. */
static void every_key_counts_as_soon_as_the_prompt_is_there(void **state) {
    (void)state;
    terminal       t = start("corm::memory:");
    struct termios mode;
    for (int i = 0; i < 20; i++) {
        expect(&t, "corm> ");
        assert_int_equal(tcgetattr(t.fd, &mode), 0);
        assert_int_equal(mode.c_lflag & ICANON, 0);
        type(&t, i < 19 ? "SHOW VERSION\n" : "\x04");
        if (i < 19) expect(&t, "native protocol");
    }
    assert_int_equal(finish(&t), 0);
}

static void control_c_drops_the_statement(void **state) {
    (void)state;
    terminal t = start("corm::memory:");
    expect(&t, "corm> ");
    type(&t, "SELECT nonsense\n");
    expect(&t, "   ... ");
    type(&t, "\x03");
    expect(&t, "corm> ");
    type(&t, "more nonsense");
    expect(&t, "more nonsense");
    type(&t, "\x03");
    expect(&t, "corm> ");
    type(&t, "SELECT cluster_name FROM system.local;\n");
    expect(&t, "(1 rows)");
    expect(&t, "corm> ");
    type(&t, "\\q\n");
    assert_int_equal(finish(&t), 0);
}

static void a_tab_completes_words_and_lists_several(void **state) {
    (void)state;
    terminal t = start("corm::memory:");
    expect(&t, "corm> ");
    type(&t, "SEL\t");
    expect(&t, "SELECT ");
    type(&t, "cluster_name FROM system_s\t");
    expect(&t, "system_schema");
    type(&t, "\x15");
    type(&t, "DROP \t");
    expect(&t, "KEYSPACE");
    expect(&t, "TYPE");
    type(&t, "\x15"
             "EXIT\n");
    assert_int_equal(finish(&t), 0);
}

static void history_is_kept_from_one_shell_to_the_next(void **state) {
    (void)state;
    terminal t = start("corm::memory:");
    expect(&t, "corm> ");
    type(&t, "SHOW VERSION\n");
    expect(&t, "native protocol");
    expect(&t, "corm> ");
    type(&t, "EXIT\n");
    assert_int_equal(finish(&t), 0);
    assert_int_equal(access("state/corm/history", R_OK), 0);
    t = start("corm::memory:");
    expect(&t, "corm> ");
    type(&t, "\x10\x10"); /* up, up */
    expect(&t, "SHOW VERSION");
    type(&t, "\n");
    expect(&t, "native protocol");
    expect(&t, "corm> ");
    type(&t, "\x04");
    assert_int_equal(finish(&t), 0);
}

static void long_results_stop_after_each_page(void **state) {
    (void)state;
    terminal t = start("corm::memory:");
    expect(&t, "corm> ");
    type(&t, make_keyspace);
    expect(&t, "corm> ");
    type(&t, "CREATE TABLE shop.t (k int, c int, PRIMARY KEY (k, c));\n");
    expect(&t, "corm> ");
    for (int i = 0; i < 5; i++) {
        char insert[80];
        snprintf(insert, sizeof insert, "INSERT INTO shop.t (k, c) VALUES (1, %d);\n", i);
        type(&t, insert);
        expect(&t, "corm> ");
    }
    type(&t, "PAGING 2\n");
    expect(&t, "Page size: 2");
    expect(&t, "corm> ");
    type(&t, "SELECT c FROM shop.t;\n");
    expect(&t, "---MORE---");
    type(&t, "\n");
    expect(&t, "---MORE---");
    type(&t, "\n");
    expect(&t, "(5 rows)");
    expect(&t, "corm> ");
    type(&t, "SELECT c FROM shop.t;\n");
    expect(&t, "---MORE---");
    type(&t, "q\n");
    expect(&t, "(2 rows)");
    expect(&t, "corm> ");
    type(&t, "PAGING OFF\n");
    expect(&t, "PAGING is OFF");
    expect(&t, "corm> ");
    type(&t, "SELECT c FROM shop.t;\n");
    expect(&t, "(5 rows)");
    type(&t, "EXIT\n");
    assert_int_equal(finish(&t), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statements_go_over_several_lines_and_use_changes_the_prompt),
        cmocka_unit_test(an_error_is_shown_and_the_shell_goes_on),
        cmocka_unit_test(every_key_counts_as_soon_as_the_prompt_is_there),
        cmocka_unit_test(control_c_drops_the_statement),
        cmocka_unit_test(a_tab_completes_words_and_lists_several),
        cmocka_unit_test(history_is_kept_from_one_shell_to_the_next),
        cmocka_unit_test(long_results_stop_after_each_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
