// SPDX-License-Identifier: MIT
/* conn.h -- one connection: dialled, secured, authenticated, then requests and answers on stream ids.
 *
 *   DIALLING ─► TLS ─► HANDSHAKE (OPTIONS, STARTUP, AUTH, REGISTER) ─► READY ─► CLOSED
 *
 * Runs on its loop's thread. What is sent during one turn of the loop is written with one system call at its end
 * (a uv_prepare handle); nothing waits for a timer. A stream id whose request was given up stays reserved until its
 * late answer came ("orphan"), so that no other request gets it; with too many orphans the connection is closed. */
#ifndef DRIVER_CONN_H
#define DRIVER_CONN_H

#include <uv.h>

#include "driver/figures.h"
#include "driver/settings.h"
#include "wire/message.h"

typedef struct driver_conn driver_conn;
typedef struct driver_call driver_call;
typedef struct driver_tls  driver_tls; /* tls.h: the context that all connections share */

/* Where to dial. */
typedef struct driver_address {
    struct sockaddr_storage sa;
    char                    text[64]; /* numeric */
    uint16_t                port;
    char                    name[256]; /* the contact point's name, for TLS; empty: none */
} driver_address;

/* A request in flight; embedded in whatever sent it. `done` is called exactly once unless the call is abandoned: with
 * the frame (status CORM_OK; any opcode, also ERROR), or with a failure of the connection and frame NULL. It may send, abandon
 * and close as it likes. */
struct driver_call {
    void (*done)(driver_call *call, corm_status status, const wire_frame *frame,
                 const corm_error *err);
    driver_conn *conn; /* while in flight, else NULL */
    int16_t      stream;
    uint64_t     sent_ns; /* uv_hrtime() */
};

typedef struct driver_conn_owner {
    void *context;
    void (*ready)(void *context, driver_conn *conn);
    /* Exactly once for every connection that was opened, also when the dial failed; every call in flight has been failed
     * before it, and the connection is freed after it. CORM_PROTOCOL_ERROR with driver__conn_offered_version() != 0: the
     * node speaks no version so high. */
    void (*closed)(void *context, driver_conn *conn, corm_status status, const corm_error *err);
    void (*event)(void *context, driver_conn *conn,
                  const wire_event *event); /* with register_events */
    /* There is room again after driver__conn_begin had refused for the lack of it. */
    void (*room)(void *context, driver_conn *conn);
} driver_conn_owner;

typedef struct driver_conn_options {
    uv_loop_t             *loop;
    const driver_settings *settings;
    driver_tls            *tls; /* NULL: plain */
    driver_address         address;
    const corm_node       *node; /* for authenticators; NULL before it is known */
    uint8_t                version;
    bool                   register_events;
    driver_figures        *figures; /* NULL: nobody counts */
    int32_t  shard; /* ScyllaDB's shard-aware port: >= 0 picks a local port of this shard … */
    uint16_t shard_count; /* … of so many */
    driver_conn_owner owner;
} driver_conn_options;

/* Begins to dial. On CORM_OK the owner hears `ready` or `closed`, never before this returns. */
CORM_CHECKED corm_status driver__conn_open(const driver_conn_options *options, driver_conn **out,
                                           corm_error *err);
/* Closes it: calls in flight fail with `status` and `reason`, then the owner hears `closed`, on a later turn of the loop. */
void driver__conn_close(driver_conn *conn, corm_status status, const char *reason);
/* Stops taking requests and closes when the last in flight is answered. */
void driver__conn_drain(driver_conn *conn);

/* Asks for a sign of life now: without one within the health check's timeout the connection is closed. */
void driver__conn_probe(driver_conn *conn);

bool     driver__conn_is_ready(const driver_conn *conn); /* and not draining */
uint8_t  driver__conn_version(const driver_conn *conn);
uint8_t  driver__conn_offered_version(const driver_conn *conn);
uint32_t driver__conn_in_flight(const driver_conn *conn); /* without orphans */
uint32_t driver__conn_orphans(const driver_conn *conn);
uint64_t driver__conn_idle_since_ns(const driver_conn *conn); /* the last request's end */
uint64_t driver__conn_now_ns(const driver_conn *conn); /* uv_hrtime() of this turn of the loop */
const driver_address *driver__conn_address(const driver_conn *conn);

/* ScyllaDB: the shard at the other end, of how many; shard_count 0: no ScyllaDB. shard_port: 19042 or so, 0: none. */
typedef struct driver_sharding {
    uint16_t shard, shard_count, shard_port, shard_port_tls;
    uint8_t  ignore_msb;
    uint32_t lwt_mask; /* SCYLLA_LWT_ADD_METADATA_MARK: of PREPARED's flags; 0: none */
    bool     rate_limit_errors;
} driver_sharding;
const driver_sharding *driver__conn_sharding(const driver_conn *conn);

/* The connection's keyspace as USE set it (v4 only, "" at first); kept by whoever sends USE. */
corm_str                 driver__conn_keyspace(const driver_conn *conn);
CORM_CHECKED corm_status driver__conn_set_keyspace(driver_conn *conn, corm_str keyspace,
                                                   corm_error *err);

/* Begins a message on a free stream; the body is appended to *body, then end or drop is called. CORM_OVERLOADED when
 * requests_per_connection are in flight or no stream is free, CORM_IO when the connection is not ready. */
CORM_CHECKED corm_status driver__conn_begin(driver_conn *conn, driver_call *call, uint8_t flags,
                                            wire_opcode opcode, base_buf **body, corm_error *err);
CORM_CHECKED corm_status driver__conn_end(driver_conn *conn, driver_call *call, corm_error *err);
void                     driver__conn_drop(driver_conn *conn, driver_call *call);

/* Gives up on an answer; `done` will not be called. The stream stays reserved until the answer came. */
void driver__conn_abandon(driver_call *call);

#endif
