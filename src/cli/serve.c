// SPDX-License-Identifier: MIT
/* serve.c -- the command `corm serve`: an embedded store behind Cassandra's protocol, until SIGINT or SIGTERM.
 *
 * The main thread waits for signals; all threads that are made block them. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/fail.h"
#include "cli/command.h"
#include "cli/serve.h"

typedef struct serve_values {
    int64_t     port, max_connections, idle, loops;
    const char *listen, *users, *limits, *guard, *guards, *tls_cert, *tls_key, *tls_ca;
    bool        everybody, read_only, must_exist, relaxed, auth, default_user;
} serve_values;

#define OPTION(name) offsetof(serve_values, name)
static const cli_option serve_options[] = {
    { "port", 'p', CLI_NUMBER, OPTION(port), "N", "default: 9042; -1: one that is free", -1,
      UINT16_MAX, NULL },
    { "listen", 'l', CLI_TEXT, OPTION(listen), "ADDRESS",
      "a numeric address; 0.0.0.0 is all of them. default: 127.0.0.1", 0, 0, NULL },
    { "users", 0, CLI_TEXT, OPTION(users), "FILE",
      "asks clients for one of the file's lines NAME:PASSWORD; they may do everything", 0, 0,
      NULL },
    { "auth", 0, CLI_FLAG, OPTION(auth), NULL,
      "asks clients for a role of the store and its password; it may do what it has permissions for",
      0, 0, NULL },
    { "default-user", 0, CLI_FLAG, OPTION(default_user), NULL,
      "as --auth; where no superuser can log in, makes the role cassandra with the password "
      "cassandra. Only on loopback",
      0, 0, NULL },
    { "tls-cert", 0, CLI_TEXT, OPTION(tls_cert), "FILE",
      "takes encrypted connections only, with this certificate and its chain (PEM)", 0, 0, NULL },
    { "tls-key", 0, CLI_TEXT, OPTION(tls_key), "FILE",
      "its key. default: it is in the certificate's file", 0, 0, NULL },
    { "tls-ca", 0, CLI_TEXT, OPTION(tls_ca), "FILE",
      "requires certificates of clients, signed by an authority of this file", 0, 0, NULL },
    { "limits", 0, CLI_TEXT, OPTION(limits), "FILE",
      "lines NAME NUMBER, names as of corm_server_options: max_requests 1000", 0, 0, NULL },
    { "guard", 0, CLI_TEXT, OPTION(guard), "NAME=VALUE,...",
      "guard rails, with the names of cassandra.yaml: tombstone_warn_threshold=500", 0, 0, NULL },
    { "guards", 0, CLI_TEXT, OPTION(guards), "FILE",
      "guard rails, one a line; --guard stands over them", 0, 0, NULL },
    { "allow-everybody", 0, CLI_FLAG, OPTION(everybody), NULL,
      "lets clients of other machines in without a password", 0, 0, NULL },
    { "max-connections", 0, CLI_NUMBER, OPTION(max_connections), "N", "default: 8192", 1, 1000000,
      NULL },
    { "idle", 0, CLI_NUMBER, OPTION(idle), "SECONDS",
      "closes connections without requests for so long. default: never", 1, 1000000, NULL },
    { "loops", 0, CLI_NUMBER, OPTION(loops), "N",
      "threads for connections. default: one a processor, at most 4", 1, 64, NULL },
    { "relaxed", 0, CLI_FLAG, OPTION(relaxed), NULL, "acknowledges writes before they are on disk",
      0, 0, NULL },
    { "read-only", 0, CLI_FLAG, OPTION(read_only), NULL, "refuses writes", 0, 0, NULL },
    { "must-exist", 0, CLI_FLAG, OPTION(must_exist), NULL,
      "fails where there is no store instead of making one", 0, 0, NULL },
};
#undef OPTION

static int failed(const corm_error *error, const char *where) {
    if (where && strncmp(error->message, where, strlen(where)) == 0) where = NULL;
    fprintf(stderr, "corm serve: %s%s%s\n", where ? where : "", where ? ": " : "", error->message);
    return error->status == CORM_INVALID_ARGUMENT ? CLI_USAGE : CLI_FAILED;
}

/* ---- options ---- */

/* Each connection takes a file: as many as this process may have. */
static void allow_many_files(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

/* What the command's line says, over what the file of limits says. */
static corm_server_options options_of(const serve_values *values) {
    return (corm_server_options){
        .listen = values->listen,
        .port = (int32_t)values->port,
        .allow_everybody = values->everybody,
        .auth = values->auth,
        .default_user = values->default_user,
        .loops = (uint32_t)values->loops,
        .tls_certificate_file = values->tls_cert,
        .tls_key_file = values->tls_key,
        .tls_client_ca_file = values->tls_ca,
    };
}

/* Reads all files; *where is the one that is wrong. */
static corm_status read_options(base_arena *arena, const serve_values *values,
                                corm_server_options *out, const char **where, corm_error *err) {
    *out = options_of(values);
    *where = values->users;
    CORM_TRY(cli__serve_users(arena, values->users, out, err));
    *where = values->limits;
    CORM_TRY(cli__serve_limits(values->limits, out, err));
    *where = NULL;
    if (values->max_connections) out->max_connections = (uint32_t)values->max_connections;
    if (values->idle) out->idle_ms = (uint32_t)(values->idle * 1000);
    return CORM_OK;
}

/* ---- serving ---- */

/* A file that is wrong leaves everything as it was. */
static void reload(corm_server *server, const serve_values *values) {
    base_arena          arena = { 0 };
    corm_server_options options;
    corm_error          error = { 0 };
    const char         *where;
    cli__notify_reloading();
    corm_status status = read_options(&arena, values, &options, &where, &error);
    if (status == CORM_OK) status = corm_server_reload(server, &options, &error);
    if (status == CORM_OK)
        fprintf(stderr, "corm serve: files were read again\n");
    else
        fprintf(stderr, "corm serve: nothing was changed: %s%s%s\n", where ? where : "",
                where ? ": " : "", error.message);
    base__arena_free(&arena);
    cli__notify("READY=1\n");
}

/* The next signal; 0 when `wait_ms` (0: no end) have passed before. */
static int next_signal(const sigset_t *signals, uint32_t wait_ms) {
    int             number = 0;
    struct timespec patience = { .tv_sec = wait_ms / 1000,
                                 .tv_nsec = (long)(wait_ms % 1000) * 1000000 };
    if (wait_ms == 0) {
        sigwait(signals, &number);
        return number;
    }
    do {
        number = sigtimedwait(signals, NULL, &patience);
    } while (number < 0 && errno == EINTR);
    return number > 0 ? number : 0;
}

/* Shows life when every loop has ticked since the last time; its clock is quicker than any watchdog. */
static void show_life(corm_server *server, uint64_t *ticks) {
    corm_server_stats stats;
    corm_server_stats_get(server, &stats);
    if (stats.ticks != *ticks) cli__notify("WATCHDOG=1\n");
    *ticks = stats.ticks;
}

static void serve_until_told(corm_server *server, const serve_values *values,
                             const sigset_t *signals) {
    uint32_t watchdog_ms = cli__watchdog_ms();
    uint64_t ticks = UINT64_MAX;
    for (;;) {
        int number = next_signal(signals, watchdog_ms);
        if (number == SIGHUP)
            reload(server, values);
        else if (number != 0)
            return;
        if (watchdog_ms > 0) show_life(server, &ticks);
    }
}

static int serve(corm_session *session, const serve_values *values,
                 const corm_server_options *options, const sigset_t *signals) {
    corm_server *server;
    corm_error   error = { 0 };
    if (corm_server_start(&server, session, options, &error) != CORM_OK)
        return failed(&error, NULL);
    printf("%s\n", corm_server_uri(server));
    fflush(stdout);
    cli__notify("READY=1\n");
    serve_until_told(server, values, signals);
    cli__notify("STOPPING=1\n");
    corm_server_stop(server);
    return CLI_OK;
}

/* ---- the command ---- */

/* A folder may stand without the scheme. */
static const char *uri_of(base_arena *arena, const char *operand) {
    size_t word = strspn(operand, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
    if (word > 0 && operand[word] == ':') return operand;
    return base__arena_printf(arena, "corm:%s", operand).data;
}

static int open_and_serve(base_arena *arena, const serve_values *values, const char *operand,
                          const sigset_t *signals) {
    corm_error           error = { 0 };
    corm_session        *session = NULL;
    corm_server_options  options;
    const char          *where;
    int                  sockets[CLI_MOST_SOCKETS];
    corm_session_options how = { .read_only = values->read_only,
                                 .must_exist = values->must_exist,
                                 .relaxed_durability = values->relaxed };
    const char          *uri = uri_of(arena, operand);
    if (!uri) return failed(&error, "memory is exhausted");
    if (strncmp(uri, "corm:", 5) != 0) {
        fprintf(stderr, "corm serve: %s is no folder and no corm: URI\n", operand);
        return CLI_USAGE;
    }
    if (read_options(arena, values, &options, &where, &error) != CORM_OK)
        return failed(&error, where);
    if (cli__serve_guards(arena, values->guards, values->guard, &how.guard_rails, &error) !=
        CORM_OK)
        return failed(&error, values->guards);
    options.sockets = sockets;
    options.socket_count = cli__listen_sockets(sockets);
    int code = cli__open_session("serve", uri, &how, &session);
    if (code != CLI_OK) return code;
    code = serve(session, values, &options, signals);
    corm_session_close(session);
    return code;
}

static int run(const void *values, const cli_operands *operands) {
    base_arena arena = { 0 };
    sigset_t   signals, before;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals, &before);
    allow_many_files();
    int code = open_and_serve(&arena, values, operands->items[0], &signals);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    base__arena_free(&arena);
    return code;
}

const cli_command cli__serve_command = {
    .name = "serve",
    .operands = "FOLDER",
    .summary = "Answers Cassandra clients from a folder",
    .more =
        "FOLDER is a folder or the URI of an embedded store (corm:FOLDER, corm::memory:). The URI for\n"
        "clients is printed when they can connect. SIGINT and SIGTERM end it: requests under way are\n"
        "answered first. SIGHUP reads the files of users, limits and certificates again. Elsewhere than on\n"
        "loopback it listens only with --users, --auth or --allow-everybody.",
    .options = serve_options,
    .option_count = sizeof serve_options / sizeof serve_options[0],
    .values_size = sizeof(serve_values),
    .run = run,
};
