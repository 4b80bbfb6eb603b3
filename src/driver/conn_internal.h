// SPDX-License-Identifier: MIT
/* conn_internal.h -- a connection's insides, for the files that make it up:
 *
 *   conn.c       life and death, sending, accessors      handshake.c  OPTIONS to READY
 *   dial.c       the socket                              auth.c       logging in
 *   conn_read.c  bytes to answers                        supported.c  what the node says of itself
 *   gather.c     when the loop is woken for them
 *   conn_write.c messages to bytes                       heartbeat.c  the connect timeout, and whether the node is alive */
#ifndef DRIVER_CONN_INTERNAL_H
#define DRIVER_CONN_INTERNAL_H

#include "driver/gather.h"
#include "driver/io.h"
#include "driver/streams.h"
#include "driver/tls.h"

typedef enum driver_conn_state {
    DRIVER_DIALLING,
    DRIVER_SECURING,
    DRIVER_HANDSHAKE,
    DRIVER_READY,
    DRIVER_CLOSED /* ends as soon as its handles are closed */
} driver_conn_state;

struct driver_conn {
    /* what every request touches */
    driver_conn_state state;
    bool              draining;
    bool              full;    /* somebody found no room: to be told */
    bool              writing; /* `sending` is under way */
    uint32_t          limit;   /* of requests in flight */
    driver_streams    streams;
    driver_io        *io;
    driver_conn      *next_dirty, **dirty_link; /* NULL: not dirty */
    wire_encoder      encoder;
    wire_decoder      decoder;
    base_buf          sending; /* bytes that the socket has not taken */
    uint64_t          idle_since_ns;
    uint64_t          received_ms; /* uv_now() of the last bytes */
    driver_gather     gather;
    driver_figures   *figures; /* NULL: nobody counts */
    uv_tcp_t          tcp;
    uv_write_t        write;
    /* the rest */
    uv_timer_t          timer; /* the connect timeout, then the heartbeat */
    uv_connect_t        connect;
    uint32_t            handles; /* not closed yet */
    driver_conn_options options;
    driver_tls_stream  *tls;               /* NULL: plain */
    base_buf            queued;            /* TLS: encrypted, to be sent */
    driver_call         own;               /* the handshake's requests */
    char                server_class[256]; /* of AUTHENTICATE */
    wire_compression    compression;
    uint8_t             offered_version;
    driver_sharding     sharding;
    driver_call         probe;       /* the heartbeat */
    uint64_t            probe_ms;    /* when it was sent */
    bool                last_chance; /* the timer is overdue */
    uint32_t            last_turn;
    base_buf            keyspace;
    corm_error          error; /* why it was closed */
};

static inline bool driver__conn_is_closed(const driver_conn *conn) {
    return conn->state == DRIVER_CLOSED;
}

/* Ends the connection for the reason in *err, with the address in front of it. */
void driver__conn_fail(driver_conn *conn, const corm_error *err);
/* As driver__conn_begin, but whatever the state: the connection's own messages. */
CORM_CHECKED corm_status driver__conn_start(driver_conn *conn, driver_call *call, uint8_t flags,
                                            wire_opcode opcode, base_buf **body, corm_error *err);
/* After something has ended: tells who found no room, ends a connection that is drained. */
void driver__conn_settle(driver_conn *conn);
/* The handshake is over. */
void driver__conn_now_ready(driver_conn *conn);

/* ---- conn_write.c ---- */
void driver__conn_make_dirty(driver_conn *conn);
void driver__conn_make_clean(driver_conn *conn);
void driver__conn_flush(driver_conn *conn);

/* ---- conn_read.c ---- */
void driver__conn_start_reading(driver_conn *conn);
/* TLS: begins, by saying hello. */
void driver__conn_secure(driver_conn *conn);

/* ---- dial.c ---- */
void driver__dial(driver_conn *conn);

/* ---- heartbeat.c ---- */
void               driver__connect_timer_start(driver_conn *conn);
void               driver__heartbeat_start(driver_conn *conn);
static inline bool driver__heartbeat_is_out(const driver_conn *conn) {
    return conn->probe.conn != NULL;
}

/* ---- handshake.c, auth.c, supported.c ---- */
void driver__handshake_begin(driver_conn *conn);
/* A frame of another protocol version: the node's refusal of ours, or nonsense. */
void driver__handshake_other_version(driver_conn *conn, const wire_frame *frame);
/* The version below `version` that the refusal names; 0: it is no refusal of a version. */
uint8_t driver__offered_version(uint8_t version, uint8_t reply_version, corm_str message);

/* Whether the connection goes on: the answer is not an ERROR and the connection is not closed. Gives the message. */
bool driver__handshake_goes_on(driver_conn *conn, corm_status status, const wire_frame *frame,
                               corm_bytes *message);
void driver__handshake_unexpected(driver_conn *conn, const wire_frame *frame, const char *after);
/* After READY or AUTH_SUCCESS. */
void driver__handshake_finish(driver_conn *conn);

/* AUTHENTICATE came: answers until AUTH_SUCCESS. */
void driver__auth_begin(driver_conn *conn, corm_bytes message);

/* SUPPORTED. */
CORM_CHECKED corm_status driver__supported_read(driver_conn *conn, corm_bytes body,
                                                corm_error *err);
/* STARTUP's pairs. */
enum { DRIVER_MOST_STARTUP = 12 };
uint32_t driver__startup_options(const driver_conn *conn, wire_pair pairs[DRIVER_MOST_STARTUP],
                                 char lwt_mark[64]);

#endif
