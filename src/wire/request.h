// SPDX-License-Identifier: MIT
/* request.h -- a request as every layer passes it: the native protocol's QUERY, PREPARE, EXECUTE
 * and BATCH, with values in wire form. Native protocol v5 specification, section 4.1. All parts are
 * borrowed. */
#ifndef WIRE_REQUEST_H
#define WIRE_REQUEST_H

#include "cql/codec.h"

typedef enum wire_consistency {
    WIRE_ANY = 0x00,
    WIRE_ONE,
    WIRE_TWO,
    WIRE_THREE,
    WIRE_QUORUM,
    WIRE_ALL,
    WIRE_LOCAL_QUORUM,
    WIRE_EACH_QUORUM,
    WIRE_SERIAL,
    WIRE_LOCAL_SERIAL,
    WIRE_LOCAL_ONE
} wire_consistency;

/* A prepared statement behind a door; reference-counted by its door. */
typedef struct wire_prepared wire_prepared;

typedef struct wire_options {
    wire_consistency consistency;
    wire_consistency serial_consistency; /* 0: the default, SERIAL */
    bool             skip_metadata;      /* the caller has the metadata of PREPARED */
    bool             has_timestamp;
    int64_t          timestamp; /* microseconds */
    bool             has_now;
    int32_t          now_in_seconds; /* v5 */
    int32_t          page_size;      /* <= 0: no paging */
    corm_bytes       paging_state;   /* data NULL: the first page */
    corm_str         keyspace;       /* data NULL: the session's; v5 */
    bool             tracing;
    /* Beside the message: custom payload; and, for a cluster, what the protocol does not carry. */
    const struct wire_payload_item *payload;
    uint32_t                        payload_count;
    bool    has_token; /* the statement does not say it, but its rows are at `token` */
    int64_t token;
    /* Profile, timeout, idempotence, host; NULL: defaults. */
    const struct corm_request_options *routing;
    bool                               is_internal; /* Corm's own: may write system tables */
} wire_options;

typedef enum wire_request_kind {
    WIRE_QUERY,
    WIRE_PREPARE,
    WIRE_EXECUTE,
    WIRE_BATCH
} wire_request_kind;

/* One statement of a BATCH. */
typedef struct wire_batch_item {
    corm_str             text; /* data NULL: prepared */
    const wire_prepared *prepared;
    uint32_t             value_count;
    const cql_value     *values;
} wire_batch_item;

typedef struct wire_request {
    wire_request_kind    kind;
    corm_str             text;     /* QUERY, PREPARE */
    const wire_prepared *prepared; /* EXECUTE */
    /* EXECUTE with skip_metadata: the metadata that the caller has. When the statement's is another
     * by now, the answer has it whole, with its id (METADATA_CHANGED). */
    corm_bytes             metadata_id;
    uint32_t               value_count;
    const cql_value       *values;
    const corm_str        *names;      /* NULL, or one a value: bound by name (QUERY) */
    uint8_t                batch_kind; /* cql_batch_kind */
    uint32_t               batch_count;
    const wire_batch_item *batch;
    wire_options           options;
} wire_request;

#endif
