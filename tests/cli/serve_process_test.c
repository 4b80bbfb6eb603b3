// SPDX-License-Identifier: MIT
/* serve_process_test.c -- `corm serve` as systemd runs it: a socket that listens already, notices on another one, SIGHUP, a watchdog,
 * TLS from files. Every step waits for what the server says, never for time. */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "corm/session.h"
#include "testing/certificates.h"
#include "testing/check.h"

static corm_error err;

typedef struct process {
    pid_t    pid;
    int      notices, socket;
    uint16_t port;
} process;

static int open_notices(void) {
    struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "notices" };
    int                fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    (void)remove("notices");
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static int open_socket(uint16_t *port) {
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t          len = sizeof address;
    int                fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 100), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

/* Until the next notice that begins so. */
static void expect_notice(const process *p, const char *wanted) {
    char text[200];
    do {
        ssize_t len = recv(p->notices, text, sizeof text - 1, 0);
        assert_true(len > 0);
        text[len] = '\0';
    } while (strncmp(text, wanted, strlen(wanted)) != 0);
}

static void run_child(const process *p, const char *const *arguments) {
    char        number[20];
    const char *argv[20] = { "corm", "serve", "corm::memory:" };
    for (int i = 0; arguments[i]; i++) argv[3 + i] = arguments[i];
    snprintf(number, sizeof number, "%d", (int)getpid());
    setenv("LISTEN_FDS", "1", 1);
    setenv("LISTEN_PID", number, 1);
    setenv("NOTIFY_SOCKET", "notices", 1);
    setenv("WATCHDOG_USEC", "400000", 1);
    dup2(p->socket, 3);
    execv(getenv("CORM"), (char *const *)(uintptr_t)argv);
    _exit(127);
}

static process start(const char *const *arguments) {
    process     p = { .notices = open_notices() };
    const char *corm = getenv("CORM");
    if (!corm || access(corm, X_OK) != 0) {
        puts("skipped: the command is not built");
        exit(77);
    }
    p.socket = open_socket(&p.port);
    p.pid = fork();
    assert_true(p.pid >= 0);
    if (p.pid == 0) run_child(&p, arguments);
    expect_notice(&p, "READY=1");
    return p;
}

static void end(process *p) {
    int status = 0;
    kill(p->pid, SIGTERM);
    expect_notice(p, "STOPPING=1");
    assert_int_equal(waitpid(p->pid, &status, 0), p->pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close(p->notices);
    close(p->socket);
}

static void reload(const process *p) {
    kill(p->pid, SIGHUP);
    expect_notice(p, "RELOADING=1\nMONOTONIC_USEC=");
    expect_notice(p, "READY=1");
}

static corm_status log_in(const process *p, const char *login, const char *settings) {
    char          uri[200];
    corm_session *session = NULL;
    snprintf(uri, sizeof uri, "cassandra://%s127.0.0.1:%u%s", login, p->port, settings);
    corm_status status = corm_session_open(&session, uri, NULL, &err);
    if (status == CORM_OK) corm_session_close(session);
    return status;
}

static void write_file(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void it_listens_where_it_was_told_and_shows_life(void **state) {
    (void)state;
    process p = start((const char *const[]){ NULL });
    assert_ok(log_in(&p, "", ""), err);
    expect_notice(&p, "WATCHDOG=1");
    expect_notice(&p, "WATCHDOG=1");
    end(&p);
}

static void files_are_read_again(void **state) {
    (void)state;
    write_file("users", "ada:old\n");
    write_file("limits", "# none yet\n");
    process p = start((const char *const[]){ "--users", "users", "--limits", "limits", NULL });
    assert_ok(log_in(&p, "ada:old@", ""), err);
    write_file("users", "ada:new\n");
    reload(&p);
    assert_status(log_in(&p, "ada:old@", ""), CORM_BAD_CREDENTIALS);
    assert_ok(log_in(&p, "ada:new@", ""), err);
    write_file("users", "nobody\n");
    reload(&p);
    assert_ok(log_in(&p, "ada:new@", ""), err);
    write_file("users", "ada:new\n");
    write_file("limits", "max_message_bytes = 10\n");
    reload(&p);
    assert_true(log_in(&p, "ada:new@", "") != CORM_OK);
    write_file("limits", "max_messages 10\n");
    reload(&p);
    assert_true(log_in(&p, "ada:new@", "") != CORM_OK);
    write_file("limits", "max_message_bytes 1000000\nidle_ms 5000\n");
    reload(&p);
    assert_ok(log_in(&p, "ada:new@", ""), err);
    end(&p);
}

static void certificates_come_from_files(void **state) {
    (void)state;
    testing_authority *ours = testing__authority_new("ours", "ca.pem");
    testing__certificate(ours, "node", "IP:127.0.0.1", 10, "node.pem", "node.key");
    testing__certificate(ours, "client", NULL, 10, "client.pem", "client.key");
    testing__authority_free(ours);
    process p = start((const char *const[]){ "--tls-cert", "node.pem", "--tls-key", "node.key",
                                             "--tls-ca", "ca.pem", NULL });
    assert_ok(log_in(&p, "", "?tls=true&tls_ca=ca.pem&tls_cert=client.pem&tls_key=client.key"),
              err);
    assert_true(log_in(&p, "", "?tls=true&tls_ca=ca.pem") != CORM_OK);
    assert_true(log_in(&p, "", "") != CORM_OK);
    end(&p);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(it_listens_where_it_was_told_and_shows_life),
    cmocka_unit_test(files_are_read_again),
    cmocka_unit_test(certificates_come_from_files),
};

RUN_TESTS()
