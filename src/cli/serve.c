// SPDX-License-Identifier: MIT
/* serve.c -- the command `corm serve`: an embedded store behind Cassandra's protocol, until SIGINT or SIGTERM.
 *
 * The main thread waits for the signal; all threads that are made block it. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fail.h"
#include "cli/command.h"
#include "cli/input.h"
#include "corm/server.h"

typedef struct serve_values {
    int64_t     port, max_connections, idle, loops;
    const char *listen, *users;
    bool        everybody, read_only, must_exist, relaxed;
} serve_values;

#define OPTION(name) offsetof(serve_values, name)
static const cli_option serve_options[] = {
    { "port", 'p', CLI_NUMBER, OPTION(port), "N", "default: 9042; -1: one that is free", -1,
      UINT16_MAX, NULL },
    { "listen", 'l', CLI_TEXT, OPTION(listen), "ADDRESS",
      "a numeric address; 0.0.0.0 is all of them. default: 127.0.0.1", 0, 0, NULL },
    { "users", 0, CLI_TEXT, OPTION(users), "FILE",
      "asks clients for one of the file's lines NAME:PASSWORD", 0, 0, NULL },
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

/* ---- users ---- */

static corm_status read_user(base_arena *arena, corm_str line, corm_server_user *out,
                             corm_error *err) {
    const char *colon = memchr(line.data, ':', line.len);
    if (!colon || colon == line.data)
        return base__fail(err, CORM_INVALID_ARGUMENT, "a line is not NAME:PASSWORD");
    size_t   len = (size_t)(colon - line.data);
    corm_str password = { colon + 1, line.len - len - 1 };
    out->name = base__arena_str(arena, (corm_str){ line.data, len }).data;
    out->password = base__arena_str(arena, password).data;
    return out->name && out->password ? CORM_OK : base__fail_memory(err);
}

static uint32_t count_lines(corm_str text) {
    uint32_t count = 1;
    for (size_t i = 0; i < text.len; i++) count += text.data[i] == '\n';
    return count;
}

static corm_str next_line(corm_str *text) {
    const char *end = memchr(text->data, '\n', text->len);
    size_t      len = end ? (size_t)(end - text->data) : text->len;
    corm_str    line = { text->data, len };
    if (end) len++;
    text->data += len;
    text->len -= len;
    if (line.len > 0 && line.data[line.len - 1] == '\r') line.len--;
    return line;
}

static corm_status read_users(base_arena *arena, corm_str text, corm_server_options *options,
                              corm_error *err) {
    corm_server_user *users = BASE_NEW_ARRAY(arena, corm_server_user, count_lines(text));
    if (!users) return base__fail_memory(err);
    options->users = users;
    while (text.len > 0) {
        corm_str line = next_line(&text);
        if (line.len == 0 || line.data[0] == '#') continue;
        CORM_TRY(read_user(arena, line, &users[options->user_count++], err));
    }
    if (options->user_count > 0) return CORM_OK;
    return base__fail(err, CORM_INVALID_ARGUMENT, "there is no user in it");
}

static corm_status read_users_file(base_arena *arena, const char *path,
                                   corm_server_options *options, corm_error *err) {
    base_buf text = { 0 };
    if (!path) return CORM_OK;
    corm_status status = cli__read_whole_file(path, &text, err);
    if (status == CORM_OK) status = read_users(arena, base__buf_str(&text), options, err);
    base__buf_free(&text);
    return status;
}

/* ---- telling ---- */

/* To whoever started it and asked to be told, as systemd does. */
static void notify(const char *what) {
    const char        *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (!path || !*path || strlen(path) >= sizeof address.sun_path) return;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return;
    memcpy(address.sun_path, path, strlen(path));
    if (*path == '@') address.sun_path[0] = '\0';
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    (void)sendto(fd, what, strlen(what), MSG_NOSIGNAL, (struct sockaddr *)&address, len);
    close(fd);
}

static int failed(const corm_error *error, const char *where) {
    fprintf(stderr, "corm serve: %s%s%s\n", where ? where : "", where ? ": " : "", error->message);
    return error->status == CORM_INVALID_ARGUMENT ? CLI_USAGE : CLI_FAILED;
}

/* ---- the command ---- */

/* Each connection takes a file: as many as this process may have. */
static void allow_many_files(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static corm_server_options options_of(const serve_values *values) {
    return (corm_server_options){
        .listen = values->listen,
        .port = (int32_t)values->port,
        .allow_everybody = values->everybody,
        .loops = (uint32_t)values->loops,
        .max_connections = (uint32_t)values->max_connections,
        .idle_ms = (uint32_t)(values->idle * 1000),
    };
}

static int serve(corm_session *session, const corm_server_options *options, const sigset_t *ends) {
    corm_server *server;
    corm_error   error = { 0 };
    int          signal_number = 0;
    if (corm_server_start(&server, session, options, &error) != CORM_OK)
        return failed(&error, NULL);
    printf("%s\n", corm_server_uri(server));
    fflush(stdout);
    notify("READY=1\n");
    sigwait(ends, &signal_number);
    notify("STOPPING=1\n");
    corm_server_stop(server);
    return CLI_OK;
}

/* A folder may stand without the scheme. */
static const char *uri_of(base_arena *arena, const char *operand) {
    size_t word = strspn(operand, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
    if (word > 0 && operand[word] == ':') return operand;
    return base__arena_printf(arena, "corm:%s", operand).data;
}

static int open_and_serve(base_arena *arena, const serve_values *values, const char *operand,
                          const sigset_t *ends) {
    corm_error           error = { 0 };
    corm_session        *session = NULL;
    corm_server_options  options = options_of(values);
    corm_session_options how = { .read_only = values->read_only,
                                 .must_exist = values->must_exist,
                                 .relaxed_durability = values->relaxed };
    const char          *uri = uri_of(arena, operand);
    if (!uri) return failed(&error, "memory is exhausted");
    if (read_users_file(arena, values->users, &options, &error) != CORM_OK)
        return failed(&error, values->users);
    int code = cli__open_session("serve", uri, &how, &session);
    if (code != CLI_OK) return code;
    code = serve(session, &options, ends);
    corm_session_close(session);
    return code;
}

static int run(const void *values, const cli_operands *operands) {
    base_arena arena = { 0 };
    sigset_t   ends, before;
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &ends, &before);
    allow_many_files();
    int code = open_and_serve(&arena, values, operands->items[0], &ends);
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
        "answered first. Elsewhere than on loopback it listens only with --users or --allow-everybody.",
    .options = serve_options,
    .option_count = sizeof serve_options / sizeof serve_options[0],
    .values_size = sizeof(serve_values),
    .run = run,
};
