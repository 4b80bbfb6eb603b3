// SPDX-License-Identifier: MIT
/* server.h -- an embedded store behind Cassandra's own protocol: clients in any language connect to it.
 *
 *   corm_session_open(&session, "corm:./shop", NULL, &err);
 *   corm_server_start(&server, session, &(corm_server_options){ .port = 9042 }, &err);
 *   …                                        cassandra://127.0.0.1:9042
 *   corm_server_stop(server);
 *   corm_session_close(session);
 *
 * The session goes on to be used as before: both see the same data. Every function may be called from any thread. */
#ifndef CORM_SERVER_H
#define CORM_SERVER_H

#include "corm/session.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct corm_server corm_server;

typedef struct corm_server_user {
    const char *name, *password;
} corm_server_user;

enum { CORM_ANY_PORT = -1 };

/* Zero means default for every member; texts are copied. */
typedef struct corm_server_options {
    const char *listen; /* a numeric address; 0.0.0.0 and :: are all. default: 127.0.0.1 */
    int32_t     port;   /* CORM_ANY_PORT: one that is free. default: 9042 */
    /* Who may connect and do everything; they are not stored. */
    const corm_server_user *users;
    uint32_t                user_count;
    /* The store's roles may connect and do what they have permissions for (docs/roles.md). Without users some role must be a
     * superuser that can log in; default_user (which implies auth, and is for loopback only) makes the role "cassandra" with the
     * password "cassandra" where there is none. */
    bool auth, default_user;
    /* With neither users nor auth everybody is let in and may do everything. Elsewhere than on loopback that is refused with
     * CORM_INVALID_ARGUMENT unless this says that it is meant. */
    bool allow_everybody;
    /* Sockets that listen already, as systemd gives them, in place of `listen` and `port`; the server makes copies. */
    const int *sockets;
    uint32_t   socket_count;

    /* TLS 1.2 or 1.3: the server's certificate with its chain, and its key, as PEM files; no key file: the key is in the
     * certificate's. Without a certificate connections are plain; with one, only encrypted ones are taken. */
    const char *tls_certificate_file, *tls_key_file, *tls_key_password;
    /* Clients must show a certificate that an authority of this file has signed. default: they need none */
    const char *tls_client_ca_file;

    /* Threads that connections are spread over. default: one a processor, at most 4 */
    uint32_t loops;
    /* Threads that parse and read. default: 2 */
    uint32_t read_threads;

    /* What is over a limit of requests is answered with CORM_OVERLOADED at once, the connection stays; more connections
     * than may be are closed when they are made. default: 8192 */
    uint32_t max_connections;
    /* Under way. default: 16384 in all, 4096 of one connection, 256 MiB in all */
    uint32_t max_requests, max_requests_per_connection;
    uint64_t max_request_bytes;
    /* Of one message; a longer one ends its connection. default: 16 MiB */
    uint64_t max_message_bytes;
    /* Of answers that a client does not take: no more is read from it, and what it has asked for waits. default: 8 MiB */
    uint64_t max_unread_bytes;
    /* Statements kept; the one unused longest is forgotten. default: 10000 */
    uint32_t max_prepared;

    /* A connection that is not ready by then is closed. default: 10000 */
    uint32_t handshake_ms;
    /* A connection without requests for so long is closed. default: never */
    uint32_t idle_ms;
    /* One that takes nothing of its answers for so long is closed. default: 30000 */
    uint32_t slow_ms;
    /* How long corm_server_stop() lets requests under way and their answers go on. default: 10000 */
    uint32_t stop_ms;
    uint32_t _canary; /* must stay 0 */
} corm_server_options;

/* Listens and answers on threads of its own. The session must be of an embedded store (else CORM_UNSUPPORTED) and stay
 * open until the server has stopped. `options` may be NULL. On success *out is released by corm_server_stop(). Errors:
 * CORM_INVALID_ARGUMENT (an option; the message says which), CORM_IO (the address is taken, or not this machine's; a file of TLS
 * cannot be used). */
CORM_API CORM_CHECKED corm_status corm_server_start(corm_server **out, corm_session *session,
                                                    const corm_server_options *options,
                                                    corm_error                *err);

/* Takes no more connections and requests, answers those under way, closes all, and frees the server. NULL is ignored. */
CORM_API void corm_server_stop(corm_server *server);

/* Takes other options while it runs: users, limits, clocks, and the files of TLS, which are read again also when their names are the
 * same. They hold for connections that are made from now on, limits of requests and clocks also for those that are there. What
 * must stay as it was is not looked at (`listen`, `port`, `sockets`, `loops`, `read_threads`), or refused (TLS cannot be switched on or
 * off). On failure everything stays as it was; errors as of corm_server_start(). */
CORM_API CORM_CHECKED corm_status corm_server_reload(corm_server               *server,
                                                     const corm_server_options *options,
                                                     corm_error                *err);

/* Where it listens. */
CORM_API uint16_t corm_server_port(const corm_server *server);
/* The URI for clients on this machine, without user; with TLS it ends in ?tls=true, and what they trust is theirs to add; borrowed until the server stops. */
CORM_API const char *corm_server_uri(const corm_server *server);

typedef struct corm_server_stats {
    uint32_t connections, requests; /* now */
    uint64_t accepted;              /* connections, since the start, as all below */
    uint64_t answered;              /* requests, with errors */
    uint64_t errors;                /* among them */
    uint64_t overloaded;            /* among them: those over a limit */
    uint64_t
        refused; /* connections over the limit, of unknown versions or with wrong credentials */
    uint64_t prepared; /* statements kept now */
    /* About four a second, of the loop that has made the fewest: a loop that hangs makes none. */
    uint64_t ticks;
} corm_server_stats;

CORM_API void corm_server_stats_get(corm_server *server, corm_server_stats *out);

#ifdef __cplusplus
}
#endif
#endif
