// SPDX-License-Identifier: MIT
/* fake.h -- the inside of the fake cluster of corm/testing.h.
 *
 *   any thread     fake.c: corm_fake_…  ── a command, waited for ──┐
 *   fake's thread                                                  ▼
 *      fake_node.c  addresses, listening, killing, pausing      fake_rule.c, fake_fault.c: what is to be done
 *      fake_conn.c  bytes ⇄ frames, with fake_tls.c               ▲
 *      fake_handshake.c  OPTIONS … REGISTER       fake_request.c ─┴─► fake_answer.c: later, twice, damaged, never
 *                                                       └─► fake_select.c over fake_system.c: the system tables
 *
 * Everything below the line runs on the fake's thread alone, commands too: it needs no locks. `lock` guards the command's slot
 * and wakes who waits for a number of requests. */
#ifndef TESTING_FAKE_H
#define TESTING_FAKE_H

#include <stdatomic.h>
#include <uv.h>

#include "base/fail.h"
#include "base/map.h"
#include "base/text.h"
#include "corm/testing.h"
#include "cql/parser.h"
#include "wire/message.h"

typedef struct fake_conn      fake_conn;
typedef struct fake_node      fake_node;
typedef struct fake_answer    fake_answer;
typedef struct fake_statement fake_statement;
typedef struct fake_tls       fake_tls; /* of a connection */

enum {
    FAKE_MOST_NODES = 32,
    FAKE_TOKENS = 8, /* a node */
    FAKE_ID_BYTES = 16,
    FAKE_MAX_BODY = 256 * 1024 * 1024
};

/* ---- rules ---- */

typedef struct fake_rule {
    corm_fake_rule     given; /* texts live in the arena */
    base_arena         arena;
    uint32_t           column_count, bind_count;
    cql_result_column *columns; /* keyspace and table empty */
    cql_marker        *bind;
    uint32_t           row_count;
    cql_value         *cells;  /* row by row */
    char              *broken; /* columns, rows or bind cannot be read: why */
    uint32_t           number;
    uint64_t           seen; /* that matched, the skipped ones too */
    uint64_t           hits;
    struct fake_rule  *next;
} fake_rule;

/* ---- nodes ---- */

typedef struct fake_listener {
    uv_tcp_t   tcp;
    fake_node *node;
    bool       for_shards;
    bool       waiting; /* a paused node has somebody at the door */
} fake_listener;

struct fake_node {
    corm_fake_cluster *fake;
    uint32_t           index;
    uint8_t            last; /* of 127.0.0.last */
    corm_uuid          host_id;
    char               dc[16], rack[16];
    int64_t            tokens[FAKE_TOKENS];
    bool               up, paused, removed;
    int                reserved
        [2]; /* bound sockets that keep the port for this address while nobody listens; -1 */
    fake_listener   *listeners[2]; /* the port, the shard-aware port; NULL: closed */
    uint16_t         next_shard;
    fake_conn       *conns;
    base_map         prepared; /* id → fake_statement */
    corm_fake_faults faults;
    bool             has_faults;
    uint64_t         answers; /* so many have been given a fate */
    corm_fake_counts counts;
    atomic_ullong    requests; /* counts.requests, for who waits */
    base_buf         last_request;
};

/* ---- the cluster ---- */

typedef struct fake_keyspace {
    struct fake_keyspace *next;
    corm_str              name;
    corm_str              replication; /* a CQL literal, zero-terminated; empty: by the options */
    bool                  is_local;
} fake_keyspace;

struct corm_fake_cluster {
    corm_fake_options options; /* defaults filled in; texts live in the arena */
    base_arena        arena;
    uv_loop_t         loop;
    uv_thread_t       thread;
    uv_async_t        wake;
    uv_timer_t        timer; /* for answers that wait */
    void             *tls;   /* SSL_CTX; NULL: plain */
    uint16_t          ports[2];
    char             *uri;
    fake_node        *nodes[FAKE_MOST_NODES];
    uint32_t          node_count;
    fake_rule        *rules;
    uint32_t          rule_count; /* ever added */
    fake_rule        *cleared;    /* kept for their hits */
    fake_answer      *waiting;
    fake_keyspace    *keyspaces;
    uint64_t          schema_serial;
    bool              disagree;
    fake_node        *last_node; /* that saw a request last */
    /* of commands */
    uv_mutex_t lock;
    uv_cond_t  done, seen;
    void (*command)(corm_fake_cluster *fake, void *context);
    void *command_context;
};

/* Runs it on the fake's thread and waits for its end. */
void fake__run(corm_fake_cluster *fake, void (*command)(corm_fake_cluster *fake, void *context),
               void              *context);

/* ---- fake_node.c ---- */

/* Takes the ports: one that is free on every address. */
CORM_CHECKED corm_status fake__reserve_ports(corm_fake_cluster *fake, corm_error *err);
/* Makes a node at 127.0.0.(index + 1), which listens when `listens`. */
CORM_CHECKED corm_status fake__node_add(corm_fake_cluster *fake, bool listens, corm_error *err);
CORM_CHECKED corm_status fake__node_listen(fake_node *node, corm_error *err);
void fake__node_stop(fake_node *node);   /* resets connections, closes listeners */
void fake__node_forget(fake_node *node); /* what was prepared */
void fake__node_free(fake_node *node);
CORM_CHECKED corm_status fake__node_move(fake_node *node, uint8_t last, corm_error *err);
void                     fake__node_pause(fake_node *node);
void                     fake__node_resume(fake_node *node);
void                     fake__node_address(const fake_node *node, char out[16]);
corm_inet                fake__node_inet(const fake_node *node);
/* Of the schema as this node tells it. */
corm_uuid fake__schema_version(const fake_node *node);
uint64_t  fake__mix(uint64_t seed, uint64_t more); /* a hash of both */

/* ---- fake_conn.c ---- */

struct fake_conn {
    uv_tcp_t     tcp; /* first */
    fake_node   *node;
    fake_conn   *next, **link;
    fake_tls    *tls;
    wire_decoder decoder;
    wire_encoder encoder;
    uint8_t      version;
    bool         closing;
    bool         polite;                 /* closed without a reset */
    bool         started, authenticated; /* STARTUP was answered; READY or AUTH_SUCCESS was sent */
    unsigned     events;                 /* bits 1 << wire_event_kind */
    uint16_t     shard;
    corm_str     keyspace; /* malloc'ed, of USE; len 0: none */
    base_buf     tail; /* bytes of a split answer that go out piece by piece, and all behind them */
    size_t       tail_at, piece;
    uv_timer_t   tail_timer;
    bool         has_timer;
    uint8_t      input[16384];
};

void                     fake__accept(fake_listener *listener);
void                     fake__conn_close(fake_conn *conn);
void                     fake__conn_read(fake_conn *conn, bool on); /* whether it reads */
CORM_CHECKED corm_status fake__conn_use(fake_conn *conn, corm_str keyspace, corm_error *err);

/* How the bytes of a message are sent. */
typedef struct fake_delivery {
    bool damaged, split;
} fake_delivery;
/* Sends one message; closes the connection when it cannot. The body has its prefix. */
void fake__conn_send(fake_conn *conn, uint8_t flags, int16_t stream, wire_opcode opcode,
                     corm_bytes body, fake_delivery how);
/* Gives bytes of the socket (decrypted) to the protocol. */
void fake__conn_input(fake_conn *conn, const uint8_t *data, size_t len);
/* Writes bytes to the socket as they are. */
void fake__conn_write(fake_conn *conn, const void *data, size_t len);

/* ---- fake_tls.c ---- */

CORM_CHECKED corm_status fake__tls_context(const corm_fake_options *options, void **out,
                                           corm_error *err);
void                     fake__tls_context_free(void *context);
fake_tls                *fake__tls_new(void *context); /* NULL: memory is exhausted */
void                     fake__tls_free(fake_tls *tls);
/* Bytes of the socket in; what it has to say goes out by itself. false: the connection is to be closed. */
bool fake__tls_input(fake_conn *conn, const uint8_t *data, size_t len);
bool fake__tls_output(fake_conn *conn, const uint8_t *data, size_t len);

/* ---- fake_handshake.c ---- */

/* Answers what belongs to no statement; false when the frame is another. */
bool fake__handshake(fake_conn *conn, const wire_frame *frame);
/* Sends an event to every connection that registered for it. */
void fake__send_event(corm_fake_cluster *fake, const wire_event *event);
void fake__send_node_event(corm_fake_cluster *fake, wire_event_kind kind, const char *change,
                           const fake_node *about);

/* ---- fake_answer.c ---- */

/* An answer on its way. */
struct fake_answer {
    fake_answer  *next;
    fake_conn    *conn;
    int16_t       stream;
    wire_opcode   opcode;
    wire_answer   answer; /* body, warnings, payload, tracing id */
    uint64_t      due_ms;
    bool          twice;
    fake_delivery how;
};

fake_answer *fake__answer_new(fake_conn *conn, int16_t stream); /* NULL: the connection is closed */
void         fake__answer_error(fake_answer *answer, const wire_error *error);
void         fake__answer_fail(fake_answer *answer, corm_status status, const char *message);
void         fake__answer_free(fake_answer *answer);
/* Sends it now or after delay_ms; takes it over. */
void fake__answer_send(fake_answer *answer, uint32_t delay_ms);
void fake__answers_drop(fake_conn *conn);        /* those that wait for it */
void fake__answers_timer(uv_timer_t *timer);     /* sends what is due */
void fake__answers_arm(corm_fake_cluster *fake); /* the timer for the next */

/* ---- fake_statement.c ---- */

typedef enum fake_text_kind {
    FAKE_SELECT,
    FAKE_USE,
    FAKE_SCHEMA, /* CREATE, ALTER, DROP of what belongs to the schema */
    FAKE_OTHER
} fake_text_kind;

/* What a text is about. */
typedef struct fake_text {
    fake_text_kind       kind;
    corm_str             keyspace, table; /* as written, or the request's keyspace */
    bool                 is_system, is_lwt;
    const cql_statement *statement; /* NULL: it does not parse */
    uint32_t             marker_count;
    corm_str            *markers; /* names; data NULL: ? */
} fake_text;
CORM_CHECKED corm_status fake__text_read(base_arena *arena, corm_str text, corm_str keyspace,
                                         fake_text *out, corm_error *err);

/* A prepared statement of a node. */
struct fake_statement {
    uint8_t  id[FAKE_ID_BYTES];
    corm_str keyspace; /* in front of the text */
    corm_str text;     /* behind this struct */
};
fake_statement *fake__prepared_find(const fake_node *node, corm_bytes id);
/* Prepares it, or finds it. NULL: memory is exhausted. */
fake_statement *fake__prepared_add(fake_node *node, corm_str keyspace, corm_str text);
void            fake__prepared_remove(fake_node *node, fake_statement *statement);
void            fake__digest(corm_bytes a, corm_bytes b, uint8_t out[FAKE_ID_BYTES]); /* MD5 */

/* What a PREPARED says. */
typedef struct fake_shape {
    uint32_t           marker_count, column_count;
    cql_marker        *markers;
    cql_result_column *columns;
    uint8_t            metadata_id[FAKE_ID_BYTES];
} fake_shape;
/* A shape of these columns. */
CORM_CHECKED corm_status fake__shape_columns(base_arena *arena, const cql_result_column *columns,
                                             uint32_t count, const fake_text *text, fake_shape *out,
                                             corm_error *err);
/* Begins Rows as a server would: without metadata when the asker has the shape's, and wants none. */
void fake__rows_begin(wire_rows_writer *writer, base_buf *body, const fake_shape *shape,
                      const wire_request *request, uint8_t version);
/* The shape of a text: by the system table, or by the rules, or by the text alone. */
CORM_CHECKED corm_status fake__shape(fake_node *node, base_arena *arena, const fake_text *text,
                                     corm_str written, fake_shape *out, corm_error *err);

/* ---- fake_request.c ---- */

/* Answers PREPARE, QUERY, EXECUTE and BATCH. */
void fake__request(fake_conn *conn, const wire_frame *frame);

/* ---- fake_ddl.c ---- */

/* Does what USE or a DDL statement does; fills the answer. */
void                     fake__use(fake_conn *conn, const fake_text *text, fake_answer *answer);
void                     fake__ddl(fake_conn *conn, const fake_text *text, fake_answer *answer);
CORM_CHECKED corm_status fake__keyspace_add(corm_fake_cluster *fake, corm_str name,
                                            corm_str replication, corm_error *err);
void                     fake__keyspaces_free(corm_fake_cluster *fake);
/* The row-th keyspace, the system's first; NULL behind the last. */
const fake_keyspace *fake__keyspace_at(const corm_fake_cluster *fake, uint32_t row);
const char          *fake__replication(const corm_fake_cluster *fake, const fake_keyspace *keyspace,
                                       base_arena *arena);

/* ---- fake_rule.c ---- */

fake_rule *fake__rule_new(const corm_fake_rule *given, corm_error *err);
void       fake__rules_free(fake_rule *rules);
/* Columns "name type, name type". */
CORM_CHECKED corm_status fake__columns_read(base_arena *arena, const char *text,
                                            cql_result_column **out, uint32_t *count,
                                            corm_error *err);
/* Whether it is about the text at this node; counts nothing. */
bool fake__rule_fits(const fake_rule *rule, const fake_node *node, const fake_text *text,
                     corm_str written);
/* The rule that decides about a request with these texts; NULL: none. Counts what it passes and takes. */
fake_rule *fake__rule_take(fake_node *node, bool prepare, const fake_text *texts,
                           const corm_str *written, uint32_t count);
/* The rows that the rule answers with. */
void fake__rule_rows(const fake_rule *rule, const wire_request *request, const fake_shape *shape,
                     uint8_t version, base_buf *body);
/* The ERROR of a rule. */
void fake__rule_error(const fake_rule *rule, const wire_request_read *read, fake_answer *answer);

/* ---- fake_fault.c ---- */

typedef struct fake_fate {
    bool          drop, close, twice, unprepared, overloaded;
    uint32_t      delay_ms;
    fake_delivery how;
} fake_fate;
/* What becomes of a node's next answer. */
fake_fate fake__fate(fake_node *node);

/* ---- fake_system.c: rows of system tables ---- */

typedef struct fake_table {
    const char *keyspace, *name;
    const char *columns; /* "name type, …" */
    /* The cells of a row as CQL literals in the columns' order, NULL: null; false: there is no such row. */
    bool (*row)(fake_node *node, uint32_t row, base_arena *arena, const char **cells);
} fake_table;
const fake_table *fake__system_table(corm_str keyspace, corm_str table); /* NULL: unknown */

/* ---- fake_select.c: SELECT from them ---- */

bool fake__is_system(corm_str keyspace);
/* Columns that a SELECT of a system table gives; CORM_INVALID for an unknown table or column. */
CORM_CHECKED corm_status fake__select_columns(base_arena *arena, const fake_text *text,
                                              cql_result_column **out, uint32_t *count,
                                              corm_error *err);
/* Types of the markers in its conditions. */
CORM_CHECKED corm_status fake__select_markers(base_arena *arena, const fake_text *text,
                                              cql_marker *markers, corm_error *err);
CORM_CHECKED corm_status fake__select_rows(fake_node *node, base_arena *arena,
                                           const fake_text *text, const wire_request *request,
                                           const fake_shape *shape, uint8_t version, base_buf *body,
                                           corm_error *err);

/* ---- fake_seen.c ---- */

/* Counts a request and remembers it. */
void fake__saw(fake_conn *conn, const wire_frame *frame, const wire_request_read *read,
               const corm_str *written, uint32_t count);

#endif
