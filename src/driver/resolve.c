// SPDX-License-Identifier: MIT
/* resolve.c -- names to addresses without blocking the loop. The question to the operating system cannot be taken back: when nobody
 * waits any more (a time-out, a cluster that closes) the object stays until its answer came, then frees itself. The
 * loop's thread. */
#include <netdb.h>
#include <stdlib.h>

#include "base/fail.h"
#include "driver/budget.h"

struct driver_resolve {
    uv_getaddrinfo_t request;
    driver_timer     timeout;
    driver_cluster  *cluster;      /* NULL: nobody waits any more */
    driver_resolve  *next, **link; /* in dials->names; NULL: the loop is all that is left */
    driver_resolved  done;
    void            *context;
    uint16_t         port;
    char             name[256];
};

/* ---- addresses ---- */

bool driver__address_numeric(const char *text, uint16_t port, driver_address *out) {
    struct sockaddr_in  v4;
    struct sockaddr_in6 v6;
    memset(out, 0, sizeof *out);
    if (uv_ip4_addr(text, port, &v4) == 0) {
        memcpy(&out->sa, &v4, sizeof v4);
    } else if (uv_ip6_addr(text, port, &v6) == 0) {
        memcpy(&out->sa, &v6, sizeof v6);
    } else {
        return false;
    }
    out->port = port;
    (void)snprintf(out->text, sizeof out->text, "%s", text);
    return true;
}

void driver__address_of_inet(corm_inet inet, uint16_t port, driver_address *out) {
    char text[46];
    corm_inet_format(inet, text);
    if (!driver__address_numeric(text, port, out)) memset(out, 0, sizeof *out);
}

bool driver__address_equal(const driver_address *a, const driver_address *b) {
    return a->port == b->port && strcmp(a->text, b->text) == 0 && strcmp(a->name, b->name) == 0;
}

void driver__address_set_port(driver_address *address, uint16_t port) {
    address->port = port;
    if (address->sa.ss_family == AF_INET) {
        struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)&address->sa;
        v4->sin_port = htons(port);
    }
    if (address->sa.ss_family == AF_INET6) {
        struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)&address->sa;
        v6->sin6_port = htons(port);
    }
}

static bool address_of(const driver_resolve *resolve, const struct sockaddr *sa,
                       driver_address *out) {
    memset(out, 0, sizeof *out);
    if (sa->sa_family == AF_INET) {
        memcpy(&out->sa, sa, sizeof(struct sockaddr_in));
        (void)uv_ip4_name((const struct sockaddr_in *)(const void *)sa, out->text,
                          sizeof out->text);
    } else if (sa->sa_family == AF_INET6) {
        memcpy(&out->sa, sa, sizeof(struct sockaddr_in6));
        (void)uv_ip6_name((const struct sockaddr_in6 *)(const void *)sa, out->text,
                          sizeof out->text);
    } else {
        return false;
    }
    driver__address_set_port(out, resolve->port);
    memcpy(out->name, resolve->name, sizeof out->name);
    return true;
}

static bool among(const driver_address *addresses, uint32_t count, const driver_address *one) {
    for (uint32_t i = 0; i < count; i++) {
        if (driver__address_equal(&addresses[i], one)) return true;
    }
    return false;
}

static uint32_t collect(const driver_resolve *resolve, const struct addrinfo *list,
                        driver_address *out) {
    uint32_t count = 0;
    for (; list && count < DRIVER_MOST_ADDRESSES; list = list->ai_next) {
        if (address_of(resolve, list->ai_addr, &out[count]) && !among(out, count, &out[count])) {
            count++;
        }
    }
    for (uint32_t i = count; i > 1; i--) {
        uint32_t       j = driver__random(resolve->cluster, i);
        driver_address swapped = out[i - 1];
        out[i - 1] = out[j];
        out[j] = swapped;
    }
    return count;
}

/* ---- the question ---- */

static void answer(driver_resolve *resolve, int status, const struct addrinfo *list) {
    driver_address *addresses = NULL;
    uint32_t        count = 0;
    corm_error      err = { 0 };
    corm_status     result = CORM_OK;
    if (status == 0) addresses = calloc(DRIVER_MOST_ADDRESSES, sizeof *addresses);
    if (addresses) count = collect(resolve, list, addresses);
    if (status != 0) {
        result = base__fail(&err, CORM_IO, "the name '%s' cannot be resolved: %s", resolve->name,
                            uv_strerror(status));
    } else if (!addresses) {
        result = base__fail_memory(&err);
    } else if (count == 0) {
        result = base__fail(&err, CORM_IO, "the name '%s' has no address", resolve->name);
    }
    driver__timer_stop(&resolve->cluster->timers, &resolve->timeout);
    resolve->cluster = NULL;
    resolve->done(resolve->context, result, addresses, count, result ? &err : NULL);
    free(addresses);
}

static void enlist(driver_dials *dials, driver_resolve *resolve) {
    resolve->next = dials->names;
    resolve->link = &dials->names;
    if (resolve->next) resolve->next->link = &resolve->next;
    dials->names = resolve;
}

static void unlist(driver_resolve *resolve) {
    if (!resolve->link) return;
    *resolve->link = resolve->next;
    if (resolve->next) resolve->next->link = resolve->link;
    resolve->link = NULL;
}

bool driver__resolve_leave(driver_dials *dials) {
    bool any = dials->names != NULL;
    while (dials->names) unlist(dials->names);
    return any;
}

static void came(uv_getaddrinfo_t *request, int status, struct addrinfo *list) {
    driver_resolve *resolve = request->data;
    if (resolve->cluster) answer(resolve, status, list);
    uv_freeaddrinfo(list);
    unlist(resolve);
    free(resolve);
}

void driver__resolve_cancel(driver_resolve *resolve) {
    if (!resolve || !resolve->cluster) return;
    driver__timer_stop(&resolve->cluster->timers, &resolve->timeout);
    resolve->cluster = NULL;
    (void)uv_cancel((uv_req_t *)&resolve->request);
}

static void too_late(driver_timer *timer) {
    driver_resolve *resolve =
        (driver_resolve *)(void *)((char *)timer - offsetof(driver_resolve, timeout));
    corm_error err;
    (void)base__fail(&err, CORM_TIMEOUT, "the name '%s' was not resolved in time", resolve->name);
    driver_resolved done = resolve->done;
    void           *context = resolve->context;
    driver__resolve_cancel(resolve);
    done(context, CORM_TIMEOUT, NULL, 0, &err);
}

corm_status driver__resolve(driver_cluster *cluster, const char *name, uint16_t port,
                            driver_resolved done, void *context, driver_resolve **out,
                            corm_error *err) {
    static const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
    driver_resolve              *resolve = calloc(1, sizeof *resolve);
    if (!resolve) return base__fail_memory(err);
    resolve->request.data = resolve;
    resolve->timeout.fire = too_late;
    resolve->cluster = cluster;
    resolve->done = done;
    resolve->context = context;
    resolve->port = port;
    (void)snprintf(resolve->name, sizeof resolve->name, "%s", name);
    int failed =
        uv_getaddrinfo(cluster->loop, &resolve->request, came, resolve->name, NULL, &hints);
    if (failed) {
        free(resolve);
        return base__fail(err, CORM_IO, "the name '%s' cannot be resolved: %s", name,
                          uv_strerror(failed));
    }
    enlist(cluster->dials, resolve);
    driver__timer_start(&cluster->timers, &resolve->timeout,
                        cluster->settings.options.connect_timeout_ms);
    *out = resolve;
    return CORM_OK;
}
