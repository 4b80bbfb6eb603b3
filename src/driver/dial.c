// SPDX-License-Identifier: MIT
/* dial.c -- makes the socket and connects it. The loop's thread.
 *
 * ScyllaDB's shard-aware port gives a connection to the shard that the client's own port is congruent to, so such a
 * connection binds a port first. */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fail.h"
#include "driver/conn_internal.h"

enum { KEEPALIVE_S = 60, FIRST_PORT = 49152, PORTS = 65536 - FIRST_PORT };

static void set_port(struct sockaddr_storage *sa, uint16_t port) {
    if (sa->ss_family == AF_INET6) {
        ((struct sockaddr_in6 *)sa)->sin6_port = htons(port);
    } else {
        ((struct sockaddr_in *)sa)->sin_port = htons(port);
    }
}

/* ---- a port of a shard ---- */

static int bind_port(int fd, int family, uint16_t port) {
    struct sockaddr_storage any = { .ss_family = (sa_family_t)family };
    socklen_t len = family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    set_port(&any, port);
    return bind(fd, (struct sockaddr *)&any, len) == 0 ? 0 : uv_translate_sys_error(errno);
}

/* All free ports of the shard are tried, from one by chance, so that processes do not meet. */
static int bind_shard(int fd, int family, uint32_t shard, uint32_t shard_count) {
    uint32_t candidates = PORTS / shard_count;
    uint32_t start = 0;
    if (candidates == 0 || shard >= shard_count) return UV_EINVAL;
    (void)base__random(&start, sizeof start);
    uint32_t first =
        (uint32_t)FIRST_PORT + (shard_count - FIRST_PORT % shard_count + shard) % shard_count;
    int failed = UV_EADDRINUSE;
    for (uint32_t i = 0; i < candidates && failed == UV_EADDRINUSE; i++) {
        uint32_t port = first + (start % candidates + i) % candidates * shard_count;
        failed = port > UINT16_MAX ? UV_EADDRINUSE : bind_port(fd, family, (uint16_t)port);
    }
    return failed;
}

static int open_on_shard(driver_conn *conn) {
    int family = conn->options.address.sa.ss_family;
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return uv_translate_sys_error(errno);
    int failed = bind_shard(fd, family, (uint32_t)conn->options.shard, conn->options.shard_count);
    if (!failed) failed = uv_tcp_open(&conn->tcp, fd);
    if (failed) close(fd);
    return failed;
}

/* ---- connecting ---- */

/* A dial of a port of this machine that nobody listens on can meet itself when the system picks that very port. */
static bool is_connected_to_itself(const driver_conn *conn) {
    struct sockaddr_storage here = { 0 };
    struct sockaddr_storage there = { 0 };
    int                     here_len = sizeof here;
    int                     there_len = sizeof there;
    if (uv_tcp_getsockname(&conn->tcp, (struct sockaddr *)&here, &here_len)) return false;
    if (uv_tcp_getpeername(&conn->tcp, (struct sockaddr *)&there, &there_len)) return false;
    return here_len == there_len && memcmp(&here, &there, (size_t)here_len) == 0;
}

static void on_connected(uv_connect_t *connect, int failed) {
    driver_conn *conn = connect->data;
    if (driver__conn_is_closed(conn)) return;
    if (!failed && is_connected_to_itself(conn)) failed = UV_ECONNREFUSED;
    if (failed) {
        driver__conn_close(conn, CORM_IO, uv_strerror(failed));
        return;
    }
    driver__conn_start_reading(conn);
    if (driver__conn_is_closed(conn)) return;
    if (conn->options.tls) {
        driver__conn_secure(conn);
    } else {
        driver__handshake_begin(conn);
    }
}

static int connect_socket(driver_conn *conn) {
    int failed = 0;
    if (conn->options.shard_count > 0 && conn->options.shard >= 0) failed = open_on_shard(conn);
    if (failed) return failed;
    if (conn->options.address.port) {
        set_port(&conn->options.address.sa, conn->options.address.port);
    }
    conn->connect.data = conn;
    return uv_tcp_connect(&conn->connect, &conn->tcp,
                          (const struct sockaddr *)&conn->options.address.sa, on_connected);
}

/* The options of the socket are a help, not a need: their failure is none of the connection's. */
void driver__dial(driver_conn *conn) {
    int failed = connect_socket(conn);
    if (failed) {
        driver__conn_close(conn, CORM_IO, uv_strerror(failed));
        return;
    }
    (void)uv_tcp_nodelay(&conn->tcp, 1);
    (void)uv_tcp_keepalive(&conn->tcp, 1, KEEPALIVE_S);
}
