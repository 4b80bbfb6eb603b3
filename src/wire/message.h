// SPDX-License-Identifier: MIT
/* message.h -- the bodies of messages: what a client sends (written by the driver, read by the server) and what a server
 * answers beside RESULT (result.h). Native protocol v5 specification, section 4, and v4. Pure functions. */
#ifndef WIRE_MESSAGE_H
#define WIRE_MESSAGE_H

#include "wire/frame.h"
#include "wire/result.h"

/* ---- in front of a message's body ---- */

/* [tracing id][warnings][custom payload], as the flags say. All borrowed. */
typedef struct wire_prefix {
    corm_uuid  tracing_id;
    corm_bytes warnings; /* [string list], empty: none */
    corm_bytes payload;  /* [bytes map], empty: none */
    corm_bytes message;  /* what follows */
} wire_prefix;

CORM_CHECKED corm_status wire__prefix_read(const wire_frame *frame, wire_prefix *out,
                                           corm_error *err);
/* Appends [warnings] and [payload] of a response as the flags that it returns say (its tracing id is put first when it
 * is not zero). For a request: payload only. */
uint8_t wire__prefix_flags(const wire_answer *answer);
void    wire__put_prefix(base_buf *body, const wire_answer *answer);

/* A [bytes map]. */
typedef struct wire_payload_item {
    corm_str  name;
    cql_value value;
} wire_payload_item;
void     wire__put_payload(base_buf *body, const wire_payload_item *items, uint32_t count);
uint32_t wire__payload_count(corm_bytes payload);
bool     wire__payload_item(corm_bytes payload, uint32_t index, wire_payload_item *out);

/* ---- the handshake ---- */

typedef struct wire_pair {
    corm_str name, value;
} wire_pair;

/* STARTUP's [string map]. */
void wire__put_startup(base_buf *body, const wire_pair *options, uint32_t count);
/* REGISTER's [string list]. */
void wire__put_string_list(base_buf *body, const corm_str *texts, uint32_t count);
/* AUTH_RESPONSE, AUTH_CHALLENGE, AUTH_SUCCESS: [bytes]. data NULL: null. */
void wire__put_bytes(base_buf *body, corm_bytes token);
/* AUTHENTICATE, and every other [string]. */
void wire__put_text(base_buf *body, corm_str text);

/* SUPPORTED's [string multimap], one value at a time: the name repeats for each; false at the end. A malformed
 * body ends the walk with reader.failed set. */
typedef struct wire_multimap {
    base_reader reader;
    uint32_t    names_left, values_left;
    corm_str    name;
} wire_multimap;
void wire__multimap_begin(wire_multimap *map, corm_bytes body);
bool wire__multimap_next(wire_multimap *map, wire_pair *out);
void wire__put_multimap(base_buf *body, const wire_pair *pairs,
                        uint32_t count); /* equal names adjoin */

/* Reading on the other side. Arrays live in the arena, texts borrow from the body. */
CORM_CHECKED corm_status wire__read_string_map(corm_bytes body, base_arena *arena, wire_pair **out,
                                               uint32_t *count, corm_error *err);
CORM_CHECKED corm_status wire__read_string_list(corm_bytes body, base_arena *arena, corm_str **out,
                                                uint32_t *count, corm_error *err);
CORM_CHECKED corm_status wire__read_bytes_body(corm_bytes body, corm_bytes *out, corm_error *err);
CORM_CHECKED corm_status wire__read_text_body(corm_bytes body, corm_str *out, corm_error *err);

/* ---- requests ---- */

/* What identifies a prepared statement on one connection. */
typedef struct wire_prepared_id {
    corm_bytes id;
    corm_bytes metadata_id; /* v5 */
} wire_prepared_id;

/* Asks the owner of opaque prepared statements for their ids. */
typedef wire_prepared_id (*wire_id_of)(void *context, const wire_prepared *prepared);

/* The opcode of a request. */
wire_opcode wire__request_opcode(const wire_request *request);
/* The flags of its envelope: tracing, payload. */
uint8_t wire__request_flags(const wire_request *request);

/* Appends the body (with its payload in front, when it has one) for protocol version 3, 4 or 5. A keyspace and
 * now_in_seconds are written in v5 only; the caller looks after them in v4. EXECUTE: `metadata_id` of the request is sent
 * when it is given, else the one of id_of. CORM_INVALID: unset values or a payload in v3, more of something than the protocol can
 * count; *body ends with a part of the message then, and the envelope must be dropped. */
CORM_CHECKED corm_status wire__put_request(base_buf *body, const wire_request *request,
                                           uint8_t version, wire_id_of id_of, void *context,
                                           corm_error *err);

/* The same read back, for a server and for the fake node. Values, names and batch items live in the arena and borrow from
 * the body. A prepared statement's id stands in the request's `prepared_id` (of a batch: in ids[i]; NULL data: a text). */
typedef struct wire_request_read {
    wire_request      request;
    wire_prepared_id  prepared_id; /* EXECUTE */
    wire_prepared_id *ids;         /* BATCH: as many as batch_count */
} wire_request_read;
CORM_CHECKED corm_status wire__request_read(const wire_frame *frame, base_arena *arena,
                                            wire_request_read *out, corm_error *err);

/* ---- ERROR ---- */

typedef enum wire_write_type {
    WIRE_WRITE_UNKNOWN = 0,
    WIRE_WRITE_SIMPLE,
    WIRE_WRITE_BATCH,
    WIRE_WRITE_UNLOGGED_BATCH,
    WIRE_WRITE_COUNTER,
    WIRE_WRITE_BATCH_LOG,
    WIRE_WRITE_CAS,
    WIRE_WRITE_VIEW,
    WIRE_WRITE_CDC
} wire_write_type;

/* Section 8. What a code does not carry is 0 or empty. All borrowed. */
typedef struct wire_error {
    int32_t          code;
    corm_status      status; /* CORM_SERVER_ERROR for a code that is not known */
    corm_str         message;
    wire_consistency consistency;
    int32_t          received; /* alive of UNAVAILABLE */
    int32_t          required; /* block for */
    int32_t          failures;
    corm_bytes reasons; /* v5: of the failures, each [inetaddr][short]; put: empty makes them up */
    uint16_t   contentions; /* v5: of a WRITE_TIMEOUT of WIRE_WRITE_CAS */
    bool       data_present;
    wire_write_type write_type;
    corm_bytes      unprepared_id;
    corm_str        keyspace,
        table; /* ALREADY_EXISTS; of FUNCTION_FAILURE the keyspace, and the function */
    corm_bytes
        arguments; /* FUNCTION_FAILURE: [string list] of types; put: empty takes them from a table "name(type, type)" */
} wire_error;

/* Reads the body; a truncated tail leaves zeros, a message that cannot be read is CORM_PROTOCOL_ERROR. */
CORM_CHECKED corm_status wire__error_read(corm_bytes body, uint8_t version, wire_error *out,
                                          corm_error *err);
void                     wire__put_error(base_buf *body, const wire_error *error, uint8_t version);
/* Fills *err (with line and column taken from the server's "line 1:7 …"); gives error->status. */
corm_status wire__error_report(const wire_error *error, corm_error *err);

/* ---- EVENT ---- */

typedef enum wire_event_kind {
    WIRE_TOPOLOGY_CHANGE,
    WIRE_STATUS_CHANGE,
    WIRE_SCHEMA_CHANGE_EVENT
} wire_event_kind;

typedef struct wire_event {
    wire_event_kind kind;
    corm_str  change; /* "NEW_NODE", "REMOVED_NODE", "MOVED_NODE"; "UP", "DOWN"; "CREATED" … */
    corm_inet address;
    int32_t   port;
    corm_str  target, keyspace, name; /* of a schema change */
} wire_event;

/* CORM_UNSUPPORTED for an event of another kind. */
CORM_CHECKED corm_status wire__event_read(corm_bytes body, wire_event *out, corm_error *err);
void                     wire__put_event(base_buf *body, const wire_event *event);

#endif
