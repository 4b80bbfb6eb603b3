// SPDX-License-Identifier: MIT
/* core.h -- the server's own structs: the server, a connection, a request under way.
 *
 *   loop's thread       readers (a pool)         the engine's writer thread
 *   conn ─► call ─┬──────► engine__submit ──────────┐
 *                 ├─ writes of prepared statements ─┴─► callback ─┐
 *                 └─ one row by its key: done at once             │
 *   conn ◄─ answer ◄──────────── finished calls ◄─────────────────┘
 *
 * All but the list of finished calls, the figures and the wish to stop belongs to the loop's thread. */
#ifndef SERVER_CORE_H
#define SERVER_CORE_H

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

typedef struct server_cache {
    base_map          map;
    server_statement *newest, *oldest;
    uint32_t          most;
} server_cache;

/* NULL: not known, or forgotten. A statement that is found is the newest. */
server_statement *server__cache_find(server_cache *cache, corm_bytes id);
/* Takes a reference of its own. False: memory is exhausted. */
bool server__cache_put(server_cache *cache, corm_bytes id, corm_bytes metadata_id,
                       const wire_prepared *prepared);
void server__cache_free(server_cache *cache);

/* ---- the server ---- */

enum { SERVER_INPUT_BYTES = 64 * 1024, SERVER_SPARE_CALLS = 256 };

struct corm_server {
    engine             *store;
    corm_server_options options; /* with every default */
    base_arena          arena;   /* of the options' texts */
    char                uri[80];
    uint16_t            port;
    base_pool          *readers;
    server_cache        cache;
    pthread_t           thread;

    uv_loop_t    loop;
    uv_tcp_t     listener;
    uv_async_t   wake;
    uv_timer_t   clock;
    uv_prepare_t before;
    uv_check_t   after;
    bool
        accept_waits; /* there was no memory for a connection: the listener waits until it is taken */
    bool         stopping;
    uint64_t     stop_at_ms;  /* connections that are not done by then are closed */
    cql_schema  *schema;      /* as it was seen last */
    uint32_t     own_changes; /* of it, through this server, since then */
    server_conn *conns, *dirty;
    uint32_t     conn_count, call_count;
    size_t       call_bytes;
    server_call *spare;
    uint32_t     spare_count;
    uint8_t      input[SERVER_INPUT_BYTES]; /* used up before the next read */

    pthread_mutex_t lock; /* guards the following */
    server_call    *finished, **finished_end;
    bool            stop_asked;

    _Atomic uint32_t connections, requests;
    _Atomic uint64_t accepted, answered, errors, overloaded, refused, prepared;
};

static inline void server__count(_Atomic uint64_t *figure) {
    atomic_fetch_add_explicit(figure, 1, memory_order_relaxed);
}

/* Makes the loop look at what finished. Any thread. */
void server__finished(server_call *call);

/* ---- connections: conn.c, output.c ---- */

struct server_conn {
    uv_tcp_t      tcp; /* first */
    corm_server  *server;
    server_conn  *next, **link;
    server_conn  *next_dirty;
    bool          dirty;  /* among those with bytes to be sent */
    engine_client client; /* its keyspace, and the address that it dialled */
    wire_decoder  decoder;
    wire_encoder  encoder;
    uint8_t       version;        /* 0: nothing has come yet */
    bool          started, ready; /* STARTUP came; the handshake is over */
    unsigned      events;         /* bits by wire_event_kind */
    uint32_t      refs;           /* the socket, each call, the list of dirty ones */
    uint32_t      calls;          /* under way */
    base_buf      sending;        /* by `write`, while `writing` */
    size_t        sent;           /* of them */
    unsigned      piece;          /* bytes that `write` has */
    uv_write_t    write;
    bool          writing;
    bool          reading;
    bool          ending;  /* closes when all is sent */
    bool          closing; /* the socket */
    uint64_t      opened_ms, active_ms;
    uint64_t      moved_ms; /* when the client took bytes last */
    size_t        unsent;   /* of `sending`, then */
};

void server__accept(uv_stream_t *listener, int status);
/* Takes the connection that waits, if there is memory by now. */
void server__accept_again(corm_server *server);
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
void server__flush(corm_server *server);
/* Bytes that the client has not taken. */
size_t server__conn_unread(const server_conn *conn);
void   server__conn_read(server_conn *conn, bool on);

/* ---- messages: handshake.c ---- */

/* One message of a client. */
void server__frame(server_conn *conn, const wire_frame *frame);
/* Looks at the first bytes of a connection; false: they are of no version that is spoken, and it was told so. */
bool server__first_bytes(server_conn *conn, corm_bytes bytes);

/* Answers whose body is at hand. `body` is freed. */
void server__say(server_conn *conn, int16_t stream, wire_opcode opcode, base_buf *body);
void server__say_error(server_conn *conn, int16_t stream, corm_status status, const char *message);

/* Looks whether the schema was changed by somebody else, and tells of it: watch.c. */
void server__watch(corm_server *server);

/* To all that registered for it. */
void server__event(corm_server *server, const wire_event *event);

/* ---- requests: call.c, answer.c ---- */

struct server_call {
    base_job              job; /* first */
    server_call          *next;
    corm_server          *server;
    server_conn          *conn;
    int16_t               stream;
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

/* QUERY, PREPARE, EXECUTE, BATCH. */
void server__request(server_conn *conn, const wire_frame *frame);
/* On the loop, when the answer is there: tells the client, and others of a change of the schema, and frees the call. */
void server__call_done(server_call *call);
void server__call_free(server_call *call);

/* Encodes the call's answer or error for its connection. */
void server__put_answer(server_call *call);

#endif
