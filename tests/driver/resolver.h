// SPDX-License-Identifier: MIT
/* resolver.h -- names that a test resolves itself: getaddrinfo() of the C library is replaced in the program that includes this,
 * also for libuv. Include it once in a program. */
#ifndef TESTS_DRIVER_RESOLVER_H
#define TESTS_DRIVER_RESOLVER_H

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The one name there is, "cluster.test", and its addresses 127.0.0.x. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t  released;
    uint8_t         last[8]; /* 0 ends them */
    bool            held;    /* nobody answers */
    atomic_int      lookups;
} resolver = { .lock = PTHREAD_MUTEX_INITIALIZER, .released = PTHREAD_COND_INITIALIZER };

static void resolver_set(const uint8_t *last, size_t count, bool held) {
    pthread_mutex_lock(&resolver.lock);
    memset(resolver.last, 0, sizeof resolver.last);
    if (count > 0) memcpy(resolver.last, last, count);
    resolver.held = held;
    pthread_cond_broadcast(&resolver.released);
    pthread_mutex_unlock(&resolver.lock);
}
#define RESOLVE_TO(...)                                                                            \
    resolver_set((const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }), false)

static int push_address(struct addrinfo **end, in_addr_t address) {
    struct addrinfo    *info = calloc(1, sizeof *info + sizeof(struct sockaddr_in));
    struct sockaddr_in *in = info ? (struct sockaddr_in *)(info + 1) : NULL;
    if (!info) return EAI_MEMORY;
    in->sin_family = AF_INET;
    in->sin_addr.s_addr = address;
    info->ai_family = AF_INET;
    info->ai_socktype = SOCK_STREAM;
    info->ai_addr = (struct sockaddr *)in;
    info->ai_addrlen = sizeof *in;
    while (*end) end = &(*end)->ai_next;
    *end = info;
    return 0;
}

/* Found by libuv in place of the C library's. */
#define VISIBLE __attribute__((visibility("default")))
VISIBLE int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                        struct addrinfo **res) {
    struct in_addr numeric;
    int            code = 0;
    (void)service;
    (void)hints;
    *res = NULL;
    if (inet_pton(AF_INET, node, &numeric) == 1) return push_address(res, numeric.s_addr);
    if (strcmp(node, "cluster.test") != 0) return EAI_NONAME;
    pthread_mutex_lock(&resolver.lock);
    atomic_fetch_add(&resolver.lookups, 1);
    while (resolver.held) pthread_cond_wait(&resolver.released, &resolver.lock);
    for (int i = 0; resolver.last[i] && code == 0; i++) {
        code = push_address(res, htonl(UINT32_C(0x7f000000) | resolver.last[i]));
    }
    pthread_mutex_unlock(&resolver.lock);
    return *res ? code : EAI_NONAME;
}

VISIBLE void freeaddrinfo(struct addrinfo *res) {
    while (res) {
        struct addrinfo *next = res->ai_next;
        free(res);
        res = next;
    }
}

#endif
