// SPDX-License-Identifier: MIT
/* trace.h -- what a request does and when, kept in system_traces for a day when the request asks for it.
 *
 *   engine__execute ─ tracing? ─► engine__trace_execute: begin ─ the same without ─ rows are written ─► the answer has the id
 *                                     │ a thread-local pointer, which the leader of a write takes over
 *                                     ▼
 *                                ENGINE_STEP(options, "…") wherever something begins or ends
 *
 * A trace belongs to one thread at a time: the caller's, then the leader's, then the caller's again. */
#ifndef ENGINE_TRACE_H
#define ENGINE_TRACE_H

#include <pthread.h>

#include "engine/engine.h"

typedef struct engine_trace engine_trace;

/* The trace of the request that this thread runs, or NULL; and another one in its place, which gives the one before. */
engine_trace *engine__trace_now(void);
engine_trace *engine__trace_switch(engine_trace *trace);

/* Keeps a step with the time that has passed, when this thread has a trace. */
void engine__trace_step(const char *format, ...) CORM_PRINTF(1, 2);

/* Costs a look at the options when nothing is traced. */
#define ENGINE_STEP(options, ...)                                                                  \
    do {                                                                                           \
        if ((options)->tracing) engine__trace_step(__VA_ARGS__);                                   \
    } while (0)

/* A statement as traces show it: not one that may have a password in it. */
corm_str engine__trace_text(corm_str text);
#define ENGINE_TRACE_TEXT(text) (int)engine__trace_text(text).len, engine__trace_text(text).data

/* engine__execute and engine__submit with a trace around them. */
CORM_CHECKED corm_status engine__trace_execute(engine *store, engine_client *client,
                                               const wire_request *request, wire_answer *answer,
                                               corm_error *err);
void engine__trace_submit(engine *store, engine_client *client, const wire_request *request,
                          wire_answer *answer, engine_callback callback, void *context);

/* ---- rows: trace_rows.c ---- */

enum { ENGINE_TRACE_STEPS = 100 };

typedef struct engine_trace_event {
    corm_uuid   id;
    int64_t     elapsed_us;
    const char *thread;
    size_t      at, len; /* of its text */
} engine_trace_event;

struct engine_trace {
    corm_uuid            id;
    pthread_t            owner;    /* the thread of the request */
    int64_t              began_us; /* by the wall clock */
    int64_t              began_ns, ended_ns;
    const wire_request  *request; /* borrowed */
    const engine_client *client;  /* borrowed */
    uint32_t             count;
    engine_trace_event   events[ENGINE_TRACE_STEPS];
    base_buf             text;
};

/* Writes the session and its events, in one batch. */
CORM_CHECKED corm_status engine__trace_store(engine *store, const engine_trace *trace,
                                             corm_error *err);

#endif
