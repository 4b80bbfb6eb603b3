// SPDX-License-Identifier: MIT
/* server.c -- the server's life: options, the loop's thread, the listening socket, the end.
 *
 * Owns everything in core.h. start and stop run on the caller's thread, the rest on the loop's. */
#include "server/core.h"

#include <signal.h>
#include <stdlib.h>

#include "session/door.h"

enum { TICK_MS = 250, BACKLOG = 1024, DEFAULT_PORT = 9042 };

/* ---- the list of finished calls ---- */

void server__finished(server_call *call) {
    corm_server *server = call->server;
    call->next = NULL;
    pthread_mutex_lock(&server->lock);
    bool is_first = server->finished == NULL;
    *server->finished_end = call;
    server->finished_end = &call->next;
    if (is_first) uv_async_send(&server->wake);
    pthread_mutex_unlock(&server->lock);
}

static server_call *take_finished(corm_server *server, bool *stop) {
    pthread_mutex_lock(&server->lock);
    server_call *calls = server->finished;
    server->finished = NULL;
    server->finished_end = &server->finished;
    *stop = server->stop_asked;
    pthread_mutex_unlock(&server->lock);
    return calls;
}

/* ---- stopping ---- */

static void close_handle(uv_handle_t *handle) {
    if (!uv_is_closing(handle)) uv_close(handle, NULL);
}

static void close_handles(corm_server *server) {
    close_handle((uv_handle_t *)&server->wake);
    close_handle((uv_handle_t *)&server->clock);
    close_handle((uv_handle_t *)&server->before);
    close_handle((uv_handle_t *)&server->after);
}

/* The loop ends when nothing is left in it: no connection, and no call, whose answer would come to `wake`. */
static void end_when_done(corm_server *server) {
    if (server->stopping && server->conn_count == 0 && server->call_count == 0 && !server->dirty)
        close_handles(server);
}

static void begin_stopping(corm_server *server) {
    if (server->stopping) return;
    server->stopping = true;
    server->stop_at_ms = uv_now(&server->loop) + server->options.stop_ms;
    close_handle((uv_handle_t *)&server->listener);
    server_conn *next = NULL;
    for (server_conn *conn = server->conns; conn; conn = next) {
        next = conn->next;
        server__conn_end(conn);
    }
}

/* ---- the loop's callbacks ---- */

static void on_wake(uv_async_t *wake) {
    corm_server *server = wake->data;
    bool         stop = false;
    server_call *calls = take_finished(server, &stop);
    while (calls) {
        server_call *call = calls;
        calls = call->next;
        server__call_done(call);
    }
    if (stop) begin_stopping(server);
}

static void flush(corm_server *server) {
    server__flush(server);
    end_when_done(server);
}

static void on_before(uv_prepare_t *before) {
    flush(before->data);
}

static void on_after(uv_check_t *after) {
    flush(after->data);
}

static void on_clock(uv_timer_t *clock) {
    corm_server *server = clock->data;
    uint64_t     now = uv_now(&server->loop);
    bool         is_late = server->stopping && now >= server->stop_at_ms;
    server_conn *next = NULL;
    server__accept_again(server);
    server__watch(server);
    for (server_conn *conn = server->conns; conn; conn = next) {
        next = conn->next;
        if (is_late)
            server__conn_close(conn);
        else
            server__conn_tick(conn, now);
    }
}

static void *run(void *context) {
    corm_server *server = context;
    uv_run(&server->loop, UV_RUN_DEFAULT);
    return NULL;
}

/* ---- options ---- */

#define DEFAULT(member, value)                                                                     \
    if (options->member == 0) options->member = (value)

static void set_defaults(corm_server_options *options) {
    DEFAULT(port, DEFAULT_PORT);
    DEFAULT(read_threads, 2);
    DEFAULT(max_connections, 8192);
    DEFAULT(max_requests, 16384);
    DEFAULT(max_requests_per_connection, 4096);
    DEFAULT(max_request_bytes, UINT64_C(256) << 20);
    DEFAULT(max_message_bytes, UINT64_C(16) << 20);
    DEFAULT(max_unread_bytes, UINT64_C(8) << 20);
    DEFAULT(max_prepared, 10000);
    DEFAULT(handshake_ms, 10000);
    DEFAULT(slow_ms, 30000);
    DEFAULT(stop_ms, 10000);
    if (!options->listen) options->listen = "127.0.0.1";
}

static corm_status copy_text(base_arena *arena, const char *text, const char **out,
                             corm_error *err) {
    if (!text) return base__fail(err, CORM_INVALID_ARGUMENT, "a user needs a name and a password");
    *out = base__arena_str(arena, corm_str_of(text)).data;
    return *out ? CORM_OK : base__fail_memory(err);
}

static corm_status copy_users(corm_server *server, corm_error *err) {
    corm_server_options *options = &server->options;
    corm_server_user *users = BASE_NEW_ARRAY(&server->arena, corm_server_user, options->user_count);
    if (!users) return base__fail_memory(err);
    for (uint32_t i = 0; i < options->user_count; i++) {
        const corm_server_user *from = &options->users[i];
        CORM_TRY(copy_text(&server->arena, from->name, &users[i].name, err));
        CORM_TRY(copy_text(&server->arena, from->password, &users[i].password, err));
    }
    options->users = users;
    return CORM_OK;
}

static corm_status set_options(corm_server *server, const corm_server_options *given,
                               corm_error *err) {
    corm_server_options *options = &server->options;
    if (given) *options = *given;
    if (options->_canary != 0)
        return base__fail(err, CORM_INVALID_ARGUMENT, "the server options are not initialised");
    set_defaults(options);
    if (options->port < CORM_ANY_PORT || options->port > UINT16_MAX)
        return base__fail(err, CORM_INVALID_ARGUMENT, "there is no port %d", options->port);
    CORM_TRY(copy_text(&server->arena, options->listen, &options->listen, err));
    server->cache.most = options->max_prepared;
    return copy_users(server, err);
}

/* ---- listening ---- */

static bool is_loopback(const struct sockaddr_storage *address) {
    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)address;
        return ntohl(in->sin_addr.s_addr) >> 24 == 127;
    }
    return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)address)->sin6_addr);
}

static corm_status parse_address(const corm_server_options *options, struct sockaddr_storage *out,
                                 corm_error *err) {
    int port = options->port == CORM_ANY_PORT ? 0 : options->port;
    if (uv_ip4_addr(options->listen, port, (struct sockaddr_in *)out) != 0 &&
        uv_ip6_addr(options->listen, port, (struct sockaddr_in6 *)out) != 0)
        return base__fail(err, CORM_INVALID_ARGUMENT, "'%s' is no numeric address",
                          options->listen);
    if (options->user_count > 0 || options->allow_everybody || is_loopback(out)) return CORM_OK;
    return base__fail(err, CORM_INVALID_ARGUMENT,
                      "%s is reached from elsewhere, and nobody is asked for a password: give "
                      "users, or say that everybody is meant",
                      options->listen);
}

static corm_status io_failed(const corm_server *server, int number, corm_error *err) {
    return base__fail(err, CORM_IO, "cannot listen on %s, port %d: %s", server->options.listen,
                      server->options.port, uv_strerror(number));
}

static const char *dialled(const corm_server *server) {
    const char *listen = server->options.listen;
    if (strcmp(listen, "0.0.0.0") == 0) return "127.0.0.1";
    return strcmp(listen, "::") == 0 ? "::1" : listen;
}

static void set_uri(corm_server *server, const struct sockaddr_storage *address) {
    bool is_v4 = address->ss_family == AF_INET;
    server->port = ntohs(is_v4 ? ((const struct sockaddr_in *)address)->sin_port
                               : ((const struct sockaddr_in6 *)address)->sin6_port);
    snprintf(server->uri, sizeof server->uri, is_v4 ? "cassandra://%s:%u" : "cassandra://[%s]:%u",
             dialled(server), server->port);
}

static corm_status start_listening(corm_server *server, corm_error *err) {
    struct sockaddr_storage address = { 0 };
    int                     len = sizeof address;
    CORM_TRY(parse_address(&server->options, &address, err));
    int failed = uv_tcp_bind(&server->listener, (struct sockaddr *)&address, 0);
    if (failed == 0) failed = uv_listen((uv_stream_t *)&server->listener, BACKLOG, server__accept);
    if (failed == 0)
        failed = uv_tcp_getsockname(&server->listener, (struct sockaddr *)&address, &len);
    if (failed != 0) return io_failed(server, failed, err);
    set_uri(server, &address);
    return CORM_OK;
}

/* ---- life ---- */

/* None of these can fail once the loop is there, but for the descriptor of `wake`. */
static corm_status init_handles(corm_server *server, corm_error *err) {
    uv_loop_t *loop = &server->loop;
    int        failed = uv_async_init(loop, &server->wake, on_wake);
    if (failed != 0) return base__fail(err, CORM_IO, "cannot watch: %s", uv_strerror(failed));
    uv_tcp_init(loop, &server->listener);
    uv_timer_init(loop, &server->clock);
    uv_prepare_init(loop, &server->before);
    uv_check_init(loop, &server->after);
    server->wake.data = server->listener.data = server->clock.data = server;
    server->before.data = server->after.data = server;
    uv_timer_start(&server->clock, on_clock, TICK_MS, TICK_MS);
    uv_prepare_start(&server->before, on_before);
    uv_check_start(&server->after, on_after);
    return CORM_OK;
}

/* Signals are the program's. */
static corm_status start_thread(corm_server *server, corm_error *err) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&server->thread, NULL, run, server);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed == 0 ? CORM_OK : base__fail_errno(err, failed, "cannot start a thread");
}

static void free_server(corm_server *server) {
    while (server->spare) {
        server_call *call = server->spare;
        server->spare = call->next;
        server__call_free(call);
    }
    server__cache_free(&server->cache);
    cql__schema_unref(server->schema);
    base__pool_free(server->readers);
    base__arena_free(&server->arena);
    pthread_mutex_destroy(&server->lock);
    free(server);
}

/* Handles are there: the loop must run once more to let go of them. */
static corm_status open_handles(corm_server *server, corm_error *err) {
    corm_status status = init_handles(server, err);
    if (status != CORM_OK) return status;
    status = start_listening(server, err);
    if (status == CORM_OK) status = start_thread(server, err);
    if (status == CORM_OK) return CORM_OK;
    close_handles(server);
    close_handle((uv_handle_t *)&server->listener);
    uv_run(&server->loop, UV_RUN_DEFAULT);
    return status;
}

static corm_status open_server(corm_server *server, const corm_server_options *options,
                               corm_error *err) {
    CORM_TRY(set_options(server, options, err));
    server__watch(server);
    CORM_TRY(base__pool_new(server->options.read_threads, &server->readers, err));
    int failed = uv_loop_init(&server->loop);
    if (failed != 0) return base__fail(err, CORM_IO, "cannot make a loop: %s", uv_strerror(failed));
    corm_status status = open_handles(server, err);
    if (status != CORM_OK) uv_loop_close(&server->loop);
    return status;
}

corm_status corm_server_start(corm_server **out, corm_session *session,
                              const corm_server_options *options, corm_error *err) {
    if (!out || !session)
        return base__fail(err, CORM_INVALID_ARGUMENT, "there is no session, or no place");
    *out = NULL;
    engine *store = session__store(session);
    if (!store) return base__fail(err, CORM_UNSUPPORTED, "only an embedded store can be served");
    corm_server *server = calloc(1, sizeof *server);
    if (!server) return base__fail_memory(err);
    server->store = store;
    server->finished_end = &server->finished;
    pthread_mutex_init(&server->lock, NULL);
    corm_status status = open_server(server, options, err);
    if (status == CORM_OK)
        *out = server;
    else
        free_server(server);
    return status;
}

void corm_server_stop(corm_server *server) {
    if (!server) return;
    pthread_mutex_lock(&server->lock);
    server->stop_asked = true;
    uv_async_send(&server->wake);
    pthread_mutex_unlock(&server->lock);
    pthread_join(server->thread, NULL);
    uv_loop_close(&server->loop);
    free_server(server);
}

/* ---- looking at it ---- */

uint16_t corm_server_port(const corm_server *server) {
    return server->port;
}

const char *corm_server_uri(const corm_server *server) {
    return server->uri;
}

void corm_server_stats_get(corm_server *server, corm_server_stats *out) {
    *out = (corm_server_stats){
        .connections = atomic_load(&server->connections),
        .requests = atomic_load(&server->requests),
        .accepted = atomic_load(&server->accepted),
        .answered = atomic_load(&server->answered),
        .errors = atomic_load(&server->errors),
        .overloaded = atomic_load(&server->overloaded),
        .refused = atomic_load(&server->refused),
        .prepared = atomic_load(&server->prepared),
    };
}
