// SPDX-License-Identifier: MIT
/* listen.c -- the sockets that clients dial, and which loop an accepted connection goes to: the one that has the fewest.
 *
 * Owns the listening sockets. The first loop's thread; opening is on the caller's before that runs. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/core.h"

enum { BACKLOG = 4096, ACCEPTS_AT_ONCE = 64 };

/* ---- accepting ---- */

static server_loop *least_loaded(corm_server *server) {
    uint32_t     at = server->next_loop, count = server->loop_count; /* at least one */
    uint32_t     least = UINT32_MAX;
    server_loop *best = server->loops[at];
    for (uint32_t i = 0; i < count; i++) {
        server_loop *loop = server->loops[at];
        uint32_t     has = atomic_load_explicit(&loop->conn_count, memory_order_relaxed);
        if (has < least) {
            best = loop;
            least = has;
        }
        at = at + 1 == count ? 0 : at + 1;
    }
    server->next_loop = at + 1 == count ? 0 : at + 1;
    return best;
}

static bool is_one_too_many(corm_server *server) {
    uint32_t most = server->loops[0]->settings->options.max_connections;
    if (atomic_fetch_add(&server->connections, 1) < most) return false;
    atomic_fetch_sub(&server->connections, 1);
    return true;
}

static void hand_over(server_conn *conn) {
    corm_server *server = conn->server;
    conn->loop = least_loaded(server);
    atomic_fetch_add(&conn->loop->conn_count, 1);
    if (conn->loop == server->loops[0])
        server__conn_begin(conn);
    else if (!server__loop_give_conn(conn->loop, conn))
        server__conn_drop(conn);
}

static server_conn *next_conn(corm_server *server) {
    if (!server->next_conn) server->next_conn = calloc(1, sizeof *server->next_conn);
    return server->next_conn;
}

/* Without memory or files the clients wait in the socket's queue. */
static bool wait_a_little(server_listener *listener) {
    listener->waits = true;
    uv_poll_stop(&listener->poll);
    return false;
}

/* Whether there may be another one. */
static bool accept_one(server_listener *listener) {
    corm_server *server = listener->server;
    server_conn *conn = next_conn(server);
    if (!conn) return wait_a_little(listener);
    int fd = accept(listener->fd, NULL, NULL);
    if (fd < 0 && (errno == EINTR || errno == ECONNABORTED)) return true;
    if (fd < 0) return errno == EAGAIN ? false : wait_a_little(listener);
    (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    atomic_fetch_add(&server->accepted, 1);
    if (is_one_too_many(server)) {
        atomic_fetch_add(&server->turned_away, 1);
        close(fd);
        return true;
    }
    server->next_conn = NULL;
    conn->server = server;
    conn->fd = fd;
    hand_over(conn);
    return true;
}

static void on_dialled(uv_poll_t *poll, int status, int events) {
    server_listener *listener = poll->data;
    (void)status; /* what is wrong with the socket, accept() says */
    (void)events;
    for (int i = 0; i < ACCEPTS_AT_ONCE; i++) {
        if (!accept_one(listener)) return;
    }
}

void server__accept_again(corm_server *server) {
    for (uint32_t i = 0; i < server->listener_count; i++) {
        server_listener *listener = &server->listeners[i];
        if (!listener->waits) continue;
        listener->waits = uv_poll_start(&listener->poll, UV_READABLE, on_dialled) != 0;
    }
}

/* ---- addresses ---- */

typedef struct sockaddr_storage address_any;

static bool is_loopback(const address_any *address) {
    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)address;
        return ntohl(in->sin_addr.s_addr) >> 24 == 127;
    }
    const struct in6_addr *in6 = &((const struct sockaddr_in6 *)address)->sin6_addr;
    return IN6_IS_ADDR_LOOPBACK(in6) || (IN6_IS_ADDR_V4MAPPED(in6) && in6->s6_addr[12] == 127);
}

static corm_status check_who_may_come(const corm_server_options *options,
                                      const address_any *address, corm_error *err) {
    if (is_loopback(address)) return CORM_OK;
    if (options->default_user)
        return base__fail(err, CORM_INVALID_ARGUMENT,
                          "%s is reached from elsewhere, and everybody knows the password of the "
                          "default user",
                          options->socket_count > 0 ? "the socket" : options->listen);
    if (options->user_count > 0 || options->auth || options->allow_everybody) return CORM_OK;
    return base__fail(err, CORM_INVALID_ARGUMENT,
                      "%s is reached from elsewhere, and nobody is asked for a password: give "
                      "users, let the store's roles log in, or say that everybody is meant",
                      options->socket_count > 0 ? "the socket" : options->listen);
}

static corm_status parse_address(const corm_server_options *options, address_any *out,
                                 corm_error *err) {
    int port = options->port == CORM_ANY_PORT ? 0 : options->port;
    if (uv_ip4_addr(options->listen, port, (struct sockaddr_in *)out) != 0 &&
        uv_ip6_addr(options->listen, port, (struct sockaddr_in6 *)out) != 0)
        return base__fail(err, CORM_INVALID_ARGUMENT, "'%s' is no numeric address",
                          options->listen);
    return check_who_may_come(options, out, err);
}

static void host_of(const address_any *address, char *out, size_t len) {
    const struct sockaddr_in  *v4 = (const struct sockaddr_in *)address;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
    if (address->ss_family == AF_INET && v4->sin_addr.s_addr == htonl(INADDR_ANY))
        snprintf(out, len, "127.0.0.1");
    else if (address->ss_family == AF_INET)
        uv_ip4_name(v4, out, len);
    else if (IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr))
        snprintf(out, len, "::1");
    else
        uv_ip6_name(v6, out, len);
}

static void set_uri(corm_server *server, const address_any *address) {
    char host[64];
    bool is_v4 = address->ss_family == AF_INET;
    server->port = ntohs(is_v4 ? ((const struct sockaddr_in *)address)->sin_port
                               : ((const struct sockaddr_in6 *)address)->sin6_port);
    host_of(address, host, sizeof host);
    snprintf(server->uri, sizeof server->uri,
             is_v4 ? "cassandra://%s:%u%s" : "cassandra://[%s]:%u%s", host, server->port,
             server->settings->tls ? "?tls=true" : "");
}

/* ---- sockets ---- */

static corm_status io_failed(const corm_server_options *options, corm_error *err) {
    return base__fail(err, CORM_IO, "cannot listen on %s, port %d: %s", options->listen,
                      options->port, uv_strerror(uv_translate_sys_error(errno)));
}

static corm_status bind_socket(int fd, const corm_server_options *options,
                               const address_any *address, corm_error *err) {
    int       on = 1;
    socklen_t len =
        address->ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (const struct sockaddr *)address, len) == 0 && listen(fd, BACKLOG) == 0)
        return CORM_OK;
    return io_failed(options, err);
}

static corm_status open_socket(const corm_server_options *options, int *out, corm_error *err) {
    address_any address = { 0 };
    CORM_TRY(parse_address(options, &address, err));
    *out = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (*out < 0) return io_failed(options, err);
    return bind_socket(*out, options, &address, err);
}

/* A copy of a socket that listens already; the caller keeps its own. */
static corm_status adopt_socket(const corm_server_options *options, int given, int *out,
                                corm_error *err) {
    address_any address = { 0 };
    socklen_t   len = sizeof address;
    int         listens = 0;
    socklen_t   listens_len = sizeof listens;
    if (getsockname(given, (struct sockaddr *)&address, &len) != 0 ||
        getsockopt(given, SOL_SOCKET, SO_ACCEPTCONN, &listens, &listens_len) != 0 || !listens ||
        (address.ss_family != AF_INET && address.ss_family != AF_INET6))
        return base__fail(err, CORM_INVALID_ARGUMENT, "descriptor %d is no TCP socket that listens",
                          given);
    CORM_TRY(check_who_may_come(options, &address, err));
    *out = fcntl(given, F_DUPFD_CLOEXEC, 0);
    if (*out < 0 || fcntl(*out, F_SETFL, fcntl(*out, F_GETFL) | O_NONBLOCK) != 0)
        return base__fail_errno(err, errno, "cannot take over descriptor %d", given);
    return CORM_OK;
}

static corm_status poll_socket(corm_server *server, int fd, corm_error *err) {
    server_listener *listener = &server->listeners[server->listener_count];
    listener->server = server;
    listener->fd = fd;
    int failed = uv_poll_init(&server->loops[0]->loop, &listener->poll, fd);
    if (failed != 0) {
        close(fd);
        return base__fail(err, CORM_IO, "cannot watch a socket: %s", uv_strerror(failed));
    }
    server->listener_count++;
    listener->poll.data = listener;
    listener->waits = uv_poll_start(&listener->poll, UV_READABLE, on_dialled) != 0;
    return CORM_OK;
}

corm_status server__listen_check(const corm_server *server, const corm_server_options *options,
                                 corm_error *err) {
    for (uint32_t i = 0; i < server->listener_count; i++) {
        address_any address = { 0 };
        socklen_t   len = sizeof address;
        if (getsockname(server->listeners[i].fd, (struct sockaddr *)&address, &len) != 0)
            return base__fail_errno(err, errno, "a socket has no name");
        CORM_TRY(check_who_may_come(options, &address, err));
    }
    return CORM_OK;
}

static corm_status listen_on(corm_server *server, const int *given, corm_error *err) {
    const corm_server_options *options = &server->settings->options;
    int                        fd = -1;
    corm_status                status =
        given ? adopt_socket(options, *given, &fd, err) : open_socket(options, &fd, err);
    if (status == CORM_OK) return poll_socket(server, fd, err);
    if (fd >= 0) close(fd);
    return status;
}

corm_status server__listen(corm_server *server, corm_error *err) {
    const corm_server_options *options = &server->settings->options;
    address_any                address = { 0 };
    socklen_t                  len = sizeof address;
    if (options->socket_count == 0) CORM_TRY(listen_on(server, NULL, err));
    for (uint32_t i = 0; i < options->socket_count; i++)
        CORM_TRY(listen_on(server, &options->sockets[i], err));
    if (getsockname(server->listeners[0].fd, (struct sockaddr *)&address, &len) != 0)
        return base__fail_errno(err, errno, "a socket has no name");
    set_uri(server, &address);
    return CORM_OK;
}

static void on_closed(uv_handle_t *handle) {
    close(((server_listener *)handle->data)->fd);
}

void server__listen_close(corm_server *server) {
    for (uint32_t i = 0; i < server->listener_count; i++)
        uv_close((uv_handle_t *)&server->listeners[i].poll, on_closed);
    server->listener_count = 0;
    free(server->next_conn);
    server->next_conn = NULL;
}
