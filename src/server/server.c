// SPDX-License-Identifier: MIT
/* server.c -- the server's life: what loops share is made, loops and sockets are opened, and all of it ends.
 *
 * Owns everything in core.h. Any thread. */
#include <stdlib.h>

#include "server/core.h"
#include "session/door.h"

/* ---- the end ---- */

static void end_loops(corm_server *server) {
    for (uint32_t i = 0; i < server->loop_count; i++) server__loop_stop(server->loops[i]);
    for (uint32_t i = 0; i < server->loop_count; i++) server__loop_join(server->loops[i]);
    for (uint32_t i = 0; i < server->loop_count; i++) server__loop_free(server->loops[i]);
}

static void free_server(corm_server *server) {
    end_loops(server);
    base__pool_free(server->readers);
    base__pool_free(server->logins);
    server__cache_free(&server->cache);
    cql__schema_unref(server->schema);
    server__settings_unref(server->settings);
    pthread_mutex_destroy(&server->reload_lock);
    pthread_mutex_destroy(&server->failures_lock);
    free(server);
}

void corm_server_stop(corm_server *server) {
    if (server) free_server(server);
}

/* ---- the beginning ---- */

static corm_status make_loops(corm_server *server, corm_error *err) {
    for (uint32_t i = 0; i < server->settings->options.loops; i++) {
        CORM_TRY(server__loop_new(server, &server->loops[i], err));
        server->loop_count++;
    }
    return CORM_OK;
}

static corm_status start_loops(corm_server *server, corm_error *err) {
    for (uint32_t i = 0; i < server->loop_count; i++)
        CORM_TRY(server__loop_start(server->loops[i], err));
    return CORM_OK;
}

static corm_status open_server(corm_server *server, const corm_server_options *options,
                               corm_error *err) {
    CORM_TRY(server__settings_new(options, &server->settings, err));
    server__cache_limit(&server->cache, server->settings->options.max_prepared);
    CORM_TRY(base__pool_new(server->settings->options.read_threads, &server->readers, err));
    CORM_TRY(base__pool_new(1, &server->logins, err));
    CORM_TRY(make_loops(server, err));
    server__watch(server);
    CORM_TRY(server__listen(server, err));
    CORM_TRY(server__check_roles(server, &server->settings->options, err));
    return start_loops(server, err);
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
    pthread_mutex_init(&server->reload_lock, NULL);
    pthread_mutex_init(&server->failures_lock, NULL);
    server__cache_init(&server->cache);
    server->cache.store = store;
    corm_status status = open_server(server, options, err);
    if (status == CORM_OK)
        *out = server;
    else
        free_server(server);
    return status;
}

/* ---- other settings ---- */

static corm_status check_change(corm_server *server, const server_settings *next, corm_error *err) {
    if ((next->tls != NULL) != (server->settings->tls != NULL))
        return base__fail(err, CORM_INVALID_ARGUMENT,
                          "TLS cannot be switched on or off while the server runs");
    CORM_TRY(server__listen_check(server, &next->options, err));
    return server__check_roles(server, &next->options, err);
}

/* The lock is held. */
static void change(corm_server *server, server_settings *next) {
    server__settings_unref(server->settings);
    server->settings = next;
    server__cache_limit(&server->cache, next->options.max_prepared);
    for (uint32_t i = 0; i < server->loop_count; i++)
        server__loop_give_settings(server->loops[i], next);
}

corm_status corm_server_reload(corm_server *server, const corm_server_options *options,
                               corm_error *err) {
    server_settings *next = NULL;
    if (!server) return base__fail(err, CORM_INVALID_ARGUMENT, "there is no server");
    CORM_TRY(server__settings_new(options, &next, err));
    pthread_mutex_lock(&server->reload_lock);
    corm_status status = check_change(server, next, err);
    if (status == CORM_OK)
        change(server, next);
    else
        server__settings_unref(next);
    pthread_mutex_unlock(&server->reload_lock);
    return status;
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
        .refused = atomic_load(&server->turned_away),
        .prepared = server__cache_count(&server->cache),
        .ticks = UINT64_MAX,
    };
    for (uint32_t i = 0; i < server->loop_count; i++) {
        server_loop *loop = server->loops[i];
        out->answered += atomic_load(&loop->answered);
        out->errors += atomic_load(&loop->errors);
        out->overloaded += atomic_load(&loop->overloaded);
        out->refused += atomic_load(&loop->refused);
        uint64_t ticks = atomic_load(&loop->ticks);
        if (ticks < out->ticks) out->ticks = ticks;
    }
}
