// SPDX-License-Identifier: MIT
/* fake_node.c -- a fake node: its place in the cluster, its address and ports, and being killed, paused and moved.
 *
 * Owns its listeners and connections. The fake's thread, or before that one starts, the caller's. */
#include "testing/fake.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PORT_TRIES = 64, BACKLOG = 511 };

uint64_t fake__mix(uint64_t seed, uint64_t more) {
    uint64_t both[2] = { seed, more };
    return base__hash(both, sizeof both, UINT64_C(0x9e3779b97f4a7c15));
}

void fake__node_address(const fake_node *node, char out[16]) {
    snprintf(out, 16, "127.0.0.%u", (unsigned)node->last);
}

corm_inet fake__node_inet(const fake_node *node) {
    return (corm_inet){ .bytes = { 127, 0, 0, node->last }, .length = 4 };
}

static struct sockaddr_in address_of(uint8_t last, uint16_t port) {
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
    address.sin_addr.s_addr = htonl(UINT32_C(0x7f000000) | last);
    return address;
}

/* ---- ports ---- */

/* A socket that is bound and never listens: nobody else gets the port, dials are refused. */
static int reserve(uint8_t last, uint16_t port) {
    struct sockaddr_in address = address_of(last, port);
    int                on = 1;
    int                fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        bind(fd, (struct sockaddr *)&address, sizeof address) == 0) {
        return fd;
    }
    close(fd);
    return -1;
}

static uint16_t port_of(int fd) {
    struct sockaddr_in address;
    socklen_t          len = sizeof address;
    return getsockname(fd, (struct sockaddr *)&address, &len) == 0 ? ntohs(address.sin_port) : 0;
}

/* A port that is free on the addresses of all nodes, or 0. */
static uint16_t find_port(uint32_t nodes) {
    int      fds[FAKE_MOST_NODES];
    uint32_t count = 0;
    int      first = reserve(1, 0);
    uint16_t port = first < 0 ? 0 : port_of(first);
    for (uint32_t i = 1; i < nodes && port != 0; i++) {
        fds[count] = reserve((uint8_t)(i + 1), port);
        if (fds[count] < 0)
            port = 0;
        else
            count++;
    }
    while (count > 0) close(fds[--count]);
    if (first >= 0) close(first);
    return port;
}

static int ports_used(const corm_fake_cluster *fake) {
    return fake->options.shards ? 2 : 1;
}

corm_status fake__reserve_ports(corm_fake_cluster *fake, corm_error *err) {
    for (int i = 0; i < ports_used(fake); i++) {
        for (int try = 0; try < PORT_TRIES && fake->ports[i] == 0; try++) {
            fake->ports[i] = find_port(fake->options.nodes);
            if (i == 1 && fake->ports[1] == fake->ports[0]) fake->ports[1] = 0;
        }
        if (fake->ports[i] == 0) return base__fail_errno(err, errno, "no free port is found");
    }
    return CORM_OK;
}

/* ---- listening ---- */

static void on_listener_closed(uv_handle_t *handle) {
    free(handle);
}

static void on_connection(uv_stream_t *server, int status) {
    fake_listener *listener = (fake_listener *)server;
    if (status != 0) return;
    if (listener->node->paused)
        listener->waiting = true;
    else
        fake__accept(listener);
}

static corm_status listen_on(fake_node *node, int which, corm_error *err) {
    fake_listener *listener = calloc(1, sizeof *listener);
    if (!listener) return base__fail_memory(err);
    if (uv_tcp_init(&node->fake->loop, &listener->tcp) != 0) {
        free(listener);
        return base__fail(err, CORM_IO, "a socket cannot be made");
    }
    listener->node = node;
    listener->for_shards = which == 1;
    struct sockaddr_in address = address_of(node->last, node->fake->ports[which]);
    int                code = uv_tcp_bind(&listener->tcp, (const struct sockaddr *)&address, 0);
    if (code == 0) code = uv_listen((uv_stream_t *)&listener->tcp, BACKLOG, on_connection);
    if (code != 0) {
        uv_close((uv_handle_t *)&listener->tcp, on_listener_closed);
        return base__fail(err, CORM_IO, "127.0.0.%u:%u: %s", (unsigned)node->last,
                          (unsigned)node->fake->ports[which], uv_strerror(code));
    }
    node->listeners[which] = listener;
    return CORM_OK;
}

corm_status fake__node_listen(fake_node *node, corm_error *err) {
    for (int i = 0; i < ports_used(node->fake); i++) {
        if (node->reserved[i] < 0) node->reserved[i] = reserve(node->last, node->fake->ports[i]);
        if (!node->listeners[i]) CORM_TRY(listen_on(node, i, err));
    }
    node->up = true;
    return CORM_OK;
}

void fake__node_stop(fake_node *node) {
    while (node->conns) fake__conn_close(node->conns);
    for (int i = 0; i < 2; i++) {
        if (node->listeners[i]) {
            uv_close((uv_handle_t *)&node->listeners[i]->tcp, on_listener_closed);
        }
        node->listeners[i] = NULL;
    }
    node->up = false;
    node->paused = false;
}

static void unreserve(fake_node *node) {
    for (int i = 0; i < 2; i++) {
        if (node->reserved[i] >= 0) close(node->reserved[i]);
        node->reserved[i] = -1;
    }
}

corm_status fake__node_move(fake_node *node, uint8_t last, corm_error *err) {
    fake__node_stop(node);
    unreserve(node);
    node->last = last;
    return fake__node_listen(node, err);
}

void fake__node_pause(fake_node *node) {
    node->paused = true;
    for (fake_conn *conn = node->conns; conn; conn = conn->next) fake__conn_read(conn, false);
}

void fake__node_resume(fake_node *node) {
    node->paused = false;
    for (fake_conn *conn = node->conns; conn; conn = conn->next) fake__conn_read(conn, true);
    for (int i = 0; i < 2; i++) {
        if (node->listeners[i] && node->listeners[i]->waiting) {
            node->listeners[i]->waiting = false;
            fake__accept(node->listeners[i]);
        }
    }
    fake__answers_arm(node->fake);
}

/* ---- making and freeing ---- */

/* Version 4 by its bits; always the same for a seed. */
static corm_uuid uuid_of(uint64_t seed, uint64_t what) {
    corm_uuid uuid;
    base__store_u64(uuid.bytes, fake__mix(seed, what * 2));
    base__store_u64(uuid.bytes + 8, fake__mix(seed, what * 2 + 1));
    uuid.bytes[6] = (uint8_t)((uuid.bytes[6] & 0x0f) | 0x40);
    uuid.bytes[8] = (uint8_t)((uuid.bytes[8] & 0x3f) | 0x80);
    return uuid;
}

corm_uuid fake__schema_version(const fake_node *node) {
    bool other = node->fake->disagree && node->index > 0;
    return uuid_of(node->fake->options.seed,
                   UINT64_C(1) << 40 | node->fake->schema_serial << 1 | other);
}

corm_status fake__node_add(corm_fake_cluster *fake, bool listens, corm_error *err) {
    uint32_t index = fake->node_count;
    if (index == FAKE_MOST_NODES) {
        return base__fail(err, CORM_INVALID_ARGUMENT, "nodes: at most %d", FAKE_MOST_NODES);
    }
    fake_node *node = calloc(1, sizeof *node);
    if (!node) return base__fail_memory(err);
    *node = (fake_node){ .fake = fake, .index = index, .last = (uint8_t)(index + 1) };
    node->reserved[0] = node->reserved[1] = -1;
    node->host_id = uuid_of(fake->options.seed, index);
    snprintf(node->dc, sizeof node->dc, "dc%u", (unsigned)(index % fake->options.data_centres + 1));
    snprintf(node->rack, sizeof node->rack, "rack%u",
             (unsigned)(index / fake->options.data_centres % fake->options.racks + 1));
    for (uint64_t i = 0; i < FAKE_TOKENS; i++) {
        node->tokens[i] =
            (int64_t)fake__mix(fake->options.seed, UINT64_C(1) << 32 | index << 8 | i);
    }
    fake->nodes[fake->node_count++] = node;
    return listens ? fake__node_listen(node, err) : CORM_OK;
}

void fake__node_forget(fake_node *node) {
    size_t               at = 0;
    const base_map_slot *slot;
    while ((slot = base__map_next(&node->prepared, &at))) free(slot->value);
    base__map_free(&node->prepared);
    node->prepared = (base_map){ 0 };
}

void fake__node_free(fake_node *node) {
    fake__node_forget(node);
    unreserve(node);
    base__buf_free(&node->last_request);
    free(node);
}
