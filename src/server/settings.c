// SPDX-License-Identifier: MIT
/* settings.c -- what a server was told, with its defaults: made on the caller's thread, never changed, counted. */
#include <stdlib.h>

#include "server/core.h"

enum { DEFAULT_PORT = 9042, DEFAULT_MOST_LOOPS = 4 };

/* ---- defaults ---- */

#define DEFAULT(member, value)                                                                     \
    if (options->member == 0) options->member = (value)

static uint32_t default_loops(void) {
    uint32_t count = base__processors();
    return count < DEFAULT_MOST_LOOPS ? count : DEFAULT_MOST_LOOPS;
}

static void set_defaults(corm_server_options *options) {
    DEFAULT(port, DEFAULT_PORT);
    DEFAULT(loops, default_loops());
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
    options->auth |= options->default_user;
    if (!options->listen) options->listen = "127.0.0.1";
}

/* ---- copies ---- */

static corm_status copy_text(base_arena *arena, const char *text, const char **out,
                             corm_error *err) {
    if (!text) return base__fail(err, CORM_INVALID_ARGUMENT, "a user needs a name and a password");
    *out = base__arena_str(arena, corm_str_of(text)).data;
    return *out ? CORM_OK : base__fail_memory(err);
}

static corm_status copy_users(server_settings *settings, corm_error *err) {
    corm_server_options *options = &settings->options;
    corm_server_user    *users =
        BASE_NEW_ARRAY(&settings->arena, corm_server_user, options->user_count);
    if (!users) return base__fail_memory(err);
    for (uint32_t i = 0; i < options->user_count; i++) {
        const corm_server_user *from = &options->users[i];
        CORM_TRY(copy_text(&settings->arena, from->name, &users[i].name, err));
        CORM_TRY(copy_text(&settings->arena, from->password, &users[i].password, err));
    }
    options->users = users;
    return CORM_OK;
}

static corm_status copy_files(server_settings *settings, corm_error *err) {
    corm_server_options *options = &settings->options;
    const char         **texts[] = { &options->tls_certificate_file, &options->tls_key_file,
                                     &options->tls_key_password, &options->tls_client_ca_file };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (*texts[i]) CORM_TRY(copy_text(&settings->arena, *texts[i], texts[i], err));
    }
    return CORM_OK;
}

static corm_status copy_sockets(server_settings *settings, corm_error *err) {
    corm_server_options *options = &settings->options;
    if (options->socket_count == 0) return CORM_OK;
    size_t bytes = sizeof *options->sockets * options->socket_count;
    options->sockets = base__arena_copy(&settings->arena, options->sockets, bytes);
    return options->sockets ? CORM_OK : base__fail_memory(err);
}

/* ---- checks ---- */

static corm_status check(const corm_server_options *options, corm_error *err) {
    if (options->_canary != 0)
        return base__fail(err, CORM_INVALID_ARGUMENT, "the server options are not initialised");
    if (options->port < CORM_ANY_PORT || options->port > UINT16_MAX)
        return base__fail(err, CORM_INVALID_ARGUMENT, "there is no port %d", options->port);
    if (options->loops > SERVER_MOST_LOOPS)
        return base__fail(err, CORM_INVALID_ARGUMENT, "%u loops are more than %d", options->loops,
                          SERVER_MOST_LOOPS);
    if (options->socket_count <= SERVER_MOST_SOCKETS) return CORM_OK;
    return base__fail(err, CORM_INVALID_ARGUMENT, "%u sockets are more than %d",
                      options->socket_count, SERVER_MOST_SOCKETS);
}

static corm_status fill(server_settings *settings, const corm_server_options *given,
                        corm_error *err) {
    corm_server_options *options = &settings->options;
    if (given) *options = *given;
    CORM_TRY(check(options, err));
    set_defaults(options);
    CORM_TRY(copy_text(&settings->arena, options->listen, &options->listen, err));
    CORM_TRY(copy_sockets(settings, err));
    CORM_TRY(copy_files(settings, err));
    CORM_TRY(copy_users(settings, err));
    return server__tls_context(options, &settings->tls, err);
}

/* ---- life ---- */

corm_status server__settings_new(const corm_server_options *options, server_settings **out,
                                 corm_error *err) {
    server_settings *settings = calloc(1, sizeof *settings);
    if (!settings) return base__fail_memory(err);
    atomic_store(&settings->refs, 1);
    corm_status status = fill(settings, options, err);
    if (status == CORM_OK)
        *out = settings;
    else
        server__settings_unref(settings);
    return status;
}

server_settings *server__settings_ref(server_settings *settings) {
    atomic_fetch_add(&settings->refs, 1);
    return settings;
}

void server__settings_unref(server_settings *settings) {
    if (!settings || atomic_fetch_sub(&settings->refs, 1) != 1) return;
    SSL_CTX_free(settings->tls);
    base__arena_free(&settings->arena);
    free(settings);
}
