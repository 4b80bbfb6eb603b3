// SPDX-License-Identifier: MIT
/* core.h -- the server's own structs: the server, its loops, a connection, a request under way.
 *
 *   a loop's thread     readers (a pool)         the engine's writer thread
 *   conn ─► call ─┬──────► engine__submit ──────────┐
 *                 ├─ writes of prepared statements ─┴─► callback ─┐
 *                 └─ one row by its key: done at once             │
 *   conn ◄─ answer ◄──────────── inbox of the loop ◄──────────────┘
 *
 * A connection and its calls belong to one loop for as long as they live. What loops share is atomic, or has a lock of its own: the
 * limits of all, the prepared statements. What one thread has for another loop it puts into that loop's inbox. */
#ifndef SERVER_CORE_H
#define SERVER_CORE_H

#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <uv.h>

#include "base/fail.h"
#include "base/map.h"
#include "base/pool.h"
#include "corm/server.h"
#include "engine/engine.h"
#include "wire/message.h"

typedef struct server_conn server_conn;
typedef struct server_call server_call;

/* ---- prepared statements: cache.c ---- */

enum { SERVER_ID_BYTES = 16 };

typedef struct server_statement server_statement;
struct server_statement {
    uint8_t id[SERVER_ID_BYTES];          /* the key of the map */
    uint8_t metadata_id[SERVER_ID_BYTES]; /* of the result when it was prepared first */
    bool    varies;                       /* it was prepared again with another one */
    const wire_prepared *prepared;
    server_statement    *newer, *older;
};

/* One for all loops: a statement that was prepared on one connection is executed on every other. */
typedef struct server_cache {
    pthread_mutex_t   lock; /* guards all of it */
    base_map          map;
    server_statement *newest, *oldest;
    uint32_t          most;
    engine           *store; /* is told of what was forgotten; NULL: nobody is */
} server_cache;

typedef struct server_found {
    const wire_prepared *prepared; /* one reference, the caller's */
    bool                 varies;
    uint8_t              metadata_id[SERVER_ID_BYTES];
} server_found;

void server__cache_init(server_cache *cache);
void server__cache_limit(server_cache *cache, uint32_t most);
/* False: not known, or forgotten. A statement that is found is the newest. */
bool server__cache_find(server_cache *cache, corm_bytes id, server_found *out);
/* Takes a reference of its own. False: memory is exhausted. */
bool     server__cache_put(server_cache *cache, corm_bytes id, corm_bytes metadata_id,
                           const wire_prepared *prepared);
uint32_t server__cache_count(server_cache *cache);
void     server__cache_free(server_cache *cache);

/* ---- settings: settings.c ---- */

/* What a server was told. Never changed: a reload makes another one, which loops take up one after the other. */
typedef struct server_settings {
    atomic_uint         refs;
    corm_server_options options; /* with every default */
    base_arena          arena;   /* of the options' texts */
    SSL_CTX            *tls;     /* NULL: plain connections */
} server_settings;

CORM_CHECKED corm_status server__settings_new(const corm_server_options *options,
                                              server_settings **out, corm_error *err);
server_settings         *server__settings_ref(server_settings *settings);
void                     server__settings_unref(server_settings *settings);

/* ---- loops: loop.c ---- */

enum {
    SERVER_INPUT_BYTES = 64 * 1024,
    SERVER_SPARE_CALLS = 256,
    SERVER_MOST_LOOPS = 64,
    SERVER_MOST_SOCKETS = 16
};

/* An event for the clients of another loop. */
typedef struct server_notice server_notice;
struct server_notice {
    server_notice  *next;
    wire_event_kind kind;
    base_buf        body;
};

typedef struct server_loop {
    corm_server     *server;
    server_settings *settings; /* the loop's thread's: a new one comes through the inbox */
    pthread_t        thread;
    bool             has_thread;
    uv_loop_t        loop;
    uv_async_t       wake;
    uv_timer_t       clock;
    uv_prepare_t     before;
    uv_check_t       after;
    bool             stopping;
    uint64_t         stop_at_ms; /* connections that are not done by then are closed */
    server_conn     *conns, *dirty;
    uint32_t         call_count;
    server_call     *spare;
    uint32_t         spare_count;
    uint8_t          input[SERVER_INPUT_BYTES]; /* used up before the next read */
    base_buf         plain;                     /* TLS: what was decrypted, used up like `input` */
    base_buf         clear;                     /* TLS: what is to be encrypted */

    _Atomic uint32_t conn_count; /* also those on their way here */
    /* Counted by this thread alone. */
    _Atomic uint64_t answered, errors, overloaded, refused, ticks;

    pthread_mutex_t  lock; /* guards the inbox: all that follows */
    server_call     *finished, **finished_end;
    server_conn     *arrived;
    server_notice   *notices, **notices_end;
    server_settings *next_settings;
    bool             stop_asked;
    bool             is_woken; /* and will look into the inbox */
    bool             ended;    /* takes nothing any more */
} server_loop;

CORM_CHECKED corm_status server__loop_new(corm_server *server, server_loop **out, corm_error *err);
CORM_CHECKED corm_status server__loop_start(server_loop *loop, corm_error *err);
/* Asks it to stop; any thread. */
void server__loop_stop(server_loop *loop);
/* When it was asked: waits for its end, or ends it when it was not started. */
void server__loop_join(server_loop *loop);
/* When all loops have ended: they put things into each other's inboxes until then. */
void server__loop_free(server_loop *loop);

/* Into the inbox; any thread. False: the loop has ended, and what was to be given stays the caller's. */
void server__finished(server_call *call); /* its loop waits for it */
bool server__loop_give_conn(server_loop *loop, server_conn *conn);
bool server__loop_give_notice(server_loop *loop, server_notice *notice);
void server__loop_give_settings(server_loop *loop, server_settings *settings);

/* Takes up new settings, if there are any; its thread. */
void server__loop_refresh(server_loop *loop);

/* Only the loop's own thread counts, so that nothing is locked. */
static inline void server__count(_Atomic uint64_t *figure) {
    uint64_t now = atomic_load_explicit(figure, memory_order_relaxed);
    atomic_store_explicit(figure, now + 1, memory_order_relaxed);
}

/* ---- the server ---- */

typedef struct server_listener {
    corm_server *server;
    uv_poll_t    poll;
    int          fd;
    bool waits; /* there was no memory or no file for a connection: looks again at the next tick */
} server_listener;

/* Wrong passwords lately, of the addresses that fall into this place. */
enum { SERVER_FAILURES = 256 };
typedef struct server_failures {
    uint32_t count;
    uint64_t since_ms; /* up to when old ones were forgiven */
} server_failures;

struct corm_server {
    engine          *store;
    server_settings *settings; /* guarded by reload_lock, as is its change */
    pthread_mutex_t  reload_lock;
    char             uri[80];
    uint16_t         port;
    base_pool       *readers;
    base_pool       *logins;        /* one thread, which hashes passwords */
    pthread_mutex_t  failures_lock; /* guards failures */
    server_failures  failures[SERVER_FAILURES];
    server_cache     cache;
    uint32_t         loop_count;
    server_loop     *loops[SERVER_MOST_LOOPS];

    /* The first loop's. */
    server_listener  listeners[SERVER_MOST_SOCKETS];
    uint32_t         listener_count;
    server_conn     *next_conn; /* made before it is accepted */
    uint32_t         next_loop;
    cql_schema      *schema; /* as it was seen last */
    _Atomic uint64_t accepted, turned_away;

    _Atomic uint32_t own_changes; /* of the schema, through this server, since it was seen last */
    _Atomic uint32_t connections, requests; /* now, of all loops */
    _Atomic uint64_t request_bytes;
};

/* ---- listening: listen.c ---- */

/* Opens the sockets of the settings; on the first loop, before its thread runs. */
CORM_CHECKED corm_status server__listen(corm_server *server, corm_error *err);
void                     server__listen_close(corm_server *server);
/* Whether clients may come in by these options where the server listens already. */
CORM_CHECKED corm_status server__listen_check(const corm_server         *server,
                                              const corm_server_options *options, corm_error *err);
/* Takes connections that wait, if there is memory by now. */
void server__accept_again(corm_server *server);

/* ---- connections: conn.c, output.c ---- */

struct server_conn {
    uv_tcp_t       tcp; /* first */
    int            fd;  /* of `tcp`, until it is there */
    corm_server   *server;
    server_loop   *loop;
    server_conn   *next, **link;
    server_conn   *next_dirty;
    bool           dirty;   /* among those with bytes to be sent */
    engine_visitor visitor; /* what system_views.clients shows of it */
    engine_client  client;  /* its keyspace, its role, the address that it dialled and its own */
    char          *role;    /* what client.role names; NULL: it may do everything */
    wire_decoder   decoder;
    wire_encoder   encoder;
    uint8_t        version;        /* 0: nothing has come yet */
    bool           began;          /* its first bytes were looked at */
    bool           started, ready; /* STARTUP came; the handshake is over */
    unsigned       events;         /* bits by wire_event_kind */
    uint32_t       refs;           /* the socket, each call, the list of dirty ones */
    uint32_t       calls;          /* under way */
    uint32_t       pooled;         /* of them: on the pool, or done there and not yet answered */
    server_call   *waiting; /* of them: not begun, since there are too many answers; oldest first */
    server_call  **waiting_end;
    bool           beginning; /* calls that waited */
    SSL           *tls;       /* NULL: plain */
    base_buf       sealed;    /* bytes that go out as they are: what TLS has made */
    bool           said_end;  /* close_notify is among them */
    base_buf       sending;   /* by `write`, while `writing` */
    size_t         sent;      /* of them */
    unsigned       piece;     /* bytes that `write` has */
    uv_write_t     write;
    bool           writing;
    bool           reading;
    bool           ending;  /* closes when all is sent */
    bool           closing; /* the socket */
    uint64_t       opened_ms, active_ms;
    uint64_t       moved_ms; /* when the client took bytes last */
    size_t         unsent;   /* of `sending`, then */
};

static inline const corm_server_options *server__options(const server_conn *conn) {
    return &conn->loop->settings->options;
}

/* A connection that was accepted begins, on its loop. */
void server__conn_begin(server_conn *conn);
/* One that never began. */
void server__conn_drop(server_conn *conn);
void server__conn_close(server_conn *conn);
void server__conn_unref(server_conn *conn);
/* A call begins and ends. */
void server__conn_call(server_conn *conn);
void server__conn_called(server_conn *conn);
/* Closes it when everything under way is answered and sent. */
void server__conn_end(server_conn *conn);
/* Looks at its clocks. */
void server__conn_tick(server_conn *conn, uint64_t now_ms);

/* There are bytes in the encoder: they are sent before the loop waits. */
void server__conn_touch(server_conn *conn);
/* Sends what dirty connections have. */
void server__flush(server_loop *loop);
/* Bytes that the client has not taken. */
size_t server__conn_unread(const server_conn *conn);
void   server__conn_read(server_conn *conn, bool on);

/* ---- TLS: tls.c ---- */

/* Reads the files of the options; *out is NULL when they name none. */
CORM_CHECKED corm_status server__tls_context(const corm_server_options *options, SSL_CTX **out,
                                             corm_error *err);
/* False: memory is exhausted. */
bool server__tls_begin(server_conn *conn);
void server__tls_end(server_conn *conn);
/* Whether a client's first bytes begin a handshake of TLS; and the end of one that does so at a plain port. */
bool server__tls_is_hello(corm_bytes bytes);
void server__tls_decline(server_conn *conn);
/* Decrypts; *plain is used up before the loop reads again. False: there is nothing for the decoder. */
bool server__tls_read(server_conn *conn, corm_bytes bytes, corm_bytes *plain);
/* Moves what the encoder has to `sealed`. */
CORM_CHECKED corm_status server__tls_seal(server_conn *conn, corm_error *err);
/* Whether there was still to be said that nothing more comes. */
bool server__tls_say_end(server_conn *conn);

/* ---- messages: handshake.c ---- */

/* One message of a client. */
void server__frame(server_conn *conn, const wire_frame *frame);
/* Looks at the first bytes of a connection; false: they are of no version that is spoken, and it was told so. */
bool server__first_bytes(server_conn *conn, corm_bytes bytes);
/* A plain client where TLS is spoken: it is told so. */
void server__refuse_plain(server_conn *conn, corm_bytes bytes);

/* Answers whose body is at hand. `body` is freed. */
void server__say(server_conn *conn, int16_t stream, wire_opcode opcode, base_buf *body);
void server__say_error(server_conn *conn, int16_t stream, corm_status status, const char *message);

/* The handshake is over: it is among the clients that system_views shows. */
void server__conn_show(server_conn *conn);

/* ---- who comes: login.c ---- */

bool server__asks_for_password(const server_conn *conn);
/* AUTH_RESPONSE, while none is under way. */
void server__login(server_conn *conn, const wire_frame *frame);
/* On the loop, when a role's password was looked at. */
void server__login_done(server_call *call);
/* Whether somebody could log in; makes the default user when the options ask for it and there is none. */
CORM_CHECKED corm_status server__check_roles(corm_server               *server,
                                             const corm_server_options *options, corm_error *err);

/* ---- events: event.c, watch.c ---- */

/* To all that registered for it, on every loop. False: not all could be told. */
bool server__event(server_loop *loop, const wire_event *event);
/* To those of this loop. */
void server__notice(server_loop *loop, wire_event_kind kind, corm_bytes body);

/* On the first loop: looks whether the schema was changed by somebody else, and tells of it. */
void server__watch(corm_server *server);

/* ---- requests: call.c, answer.c ---- */

struct server_call {
    base_job              job; /* first */
    server_call          *next;
    server_loop          *loop;
    server_conn          *conn;
    int16_t               stream;
    bool                  is_login;
    bool                  is_pooled;
    size_t                bytes; /* counted against the limit */
    base_buf              body;  /* the message, copied when it outlives its frame */
    base_arena            arena;
    wire_request_read     read;
    engine_client         client;
    uint32_t              held_count;
    const wire_prepared **held; /* a reference each, in the arena */
    wire_answer           answer;
    corm_status           status;
    corm_error            error;
    corm_bytes            unprepared_id;
};

/* A call with a copy of the message, which *own stands for; NULL: the client was told that there are too many. */
server_call *server__call_begin(server_conn *conn, const wire_frame *frame, wire_frame *own);
/* QUERY, PREPARE, EXECUTE, BATCH. */
void server__request(server_conn *conn, const wire_frame *frame);
/* On the loop, when the answer is there: tells the client, and others of a change of the schema, and frees the call. */
void server__call_done(server_call *call);
void server__call_free(server_call *call);
/* Begins calls of the connection that wait, as many as there is room for their answers. */
void server__call_next(server_conn *conn);

/* Encodes the call's answer or error for its connection. */
void server__put_answer(server_call *call);

#endif
