// SPDX-License-Identifier: MIT
/* middleware.h -- what the files of the middleware share. Private to this folder.
 *
 *   corm_session ─► middleware_front (a session_front) ─► chain: immutable, counted, made anew at each change
 *                                 each request: a middleware_flow in the call's arena */
#ifndef SESSION_MIDDLEWARE_H
#define SESSION_MIDDLEWARE_H

#include "corm/middleware.h"
#include "session/front.h"

/* What a text says, in an arena. */
CORM_CHECKED corm_status middleware__facts(corm_str text, base_arena *arena,
                                           corm_statement_info *out, corm_error *err);
/* Appends the text with ? for each literal. */
void middleware__put_masked(corm_str text, base_buf *out);

/* Of a statement that was prepared: session_front_prepared.own, in its arena. */
typedef struct middleware_prepared {
    corm_statement_info info;
    uint32_t            marker_count;
    const cql_marker   *markers;
    corm_str           *types; /* of the markers, in CQL */
} middleware_prepared;

/* The options of a request that came, and what became of them into the request that goes on; they must live as long as it. */
CORM_CHECKED corm_status middleware__take_options(const wire_options *wire, base_arena *arena,
                                                  corm_request_options *out, corm_error *err);
CORM_CHECKED corm_status middleware__put_options(const corm_request_options *options,
                                                 base_arena *arena, wire_options *wire,
                                                 corm_error *err);

typedef struct middleware_entry {
    atomic_uint     refs;
    corm_middleware middleware; /* its name is behind the struct */
} middleware_entry;

typedef struct middleware_chain {
    atomic_uint       refs;
    uint32_t          count;
    middleware_entry *entries[];
} middleware_chain;

typedef struct middleware_flow {
    corm_request         request; /* first */
    session_front_call  *call;
    wire_request         given; /* as it came: with the front's statements */
    middleware_chain    *chain; /* one reference */
    uint32_t             begun;
    bool                 answered;
    void               **data;  /* one an entry */
    corm_statement_info *infos; /* of texts; made when asked for */
    char                 correlation_id[64];
} middleware_flow;

static inline middleware_flow *middleware__flow(const corm_request *request) {
    return (middleware_flow *)(uintptr_t)request;
}

#endif
