// SPDX-License-Identifier: MIT
/* trace.c -- a trace around a request: it begins, its steps are kept in memory, and its rows are written when the request is done.
 *
 * A trace that cannot be kept is no failure of its request: the answer has no id then. */
#include "engine/trace.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/clock.h"
#include "base/fail.h"
#include "engine/core.h"

enum { MOST_TEXT = 1 << 16 };

static _Thread_local engine_trace *current;

engine_trace *engine__trace_now(void) {
    return current;
}

engine_trace *engine__trace_switch(engine_trace *trace) {
    engine_trace *before = current;
    current = trace;
    return before;
}

/* ---- steps ---- */

corm_str engine__trace_text(corm_str text) {
    static const char word[] = "password";
    for (size_t i = 0; i + sizeof word - 1 <= text.len; i++) {
        if (strncasecmp(text.data + i, word, sizeof word - 1) == 0)
            return corm_str_of("a statement with a password");
    }
    return text;
}

/* The request's own thread, or one that writes for others as well. */
static const char *thread_name(const engine_trace *trace) {
    return pthread_equal(trace->owner, pthread_self()) ? "Request" : "Writer";
}

void engine__trace_step(const char *format, ...) {
    engine_trace *trace = current;
    if (!trace || trace->count == ENGINE_TRACE_STEPS || trace->text.len > MOST_TEXT) return;
    engine_trace_event *event = &trace->events[trace->count];
    char                text[4096];
    va_list             arguments;
    event->elapsed_us = (base__clock_mono_ns() - trace->began_ns) / 1000;
    event->id = corm_uuid_time();
    event->thread = thread_name(trace);
    va_start(arguments, format);
    int len = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (len < 0) return;
    event->len = (size_t)len < sizeof text ? (size_t)len : sizeof text - 1;
    event->at = trace->text.len;
    base__buf_put(&trace->text, text, event->len);
    if (!trace->text.failed) trace->count++;
}

/* ---- life ---- */

static engine_trace *begin(const wire_request *request, const engine_client *client) {
    engine_trace *trace = calloc(1, sizeof *trace);
    if (!trace) return NULL;
    trace->id = corm_uuid_time();
    trace->owner = pthread_self();
    trace->began_us = base__clock_us();
    trace->began_ns = base__clock_mono_ns();
    trace->request = request;
    trace->client = client;
    return trace;
}

static void end(engine *store, engine_trace *trace, corm_status status, wire_answer *answer) {
    corm_error err;
    if (status != CORM_OK) engine__trace_step("Request failed: %s", corm_status_name(status));
    trace->ended_ns = base__clock_mono_ns();
    engine__trace_switch(NULL);
    if (!store->read_only && engine__trace_store(store, trace, &err) == CORM_OK)
        answer->tracing_id = trace->id;
    base__buf_free(&trace->text);
    free(trace);
}

corm_status engine__trace_execute(engine *store, engine_client *client, const wire_request *request,
                                  wire_answer *answer, corm_error *err) {
    wire_request  plain = *request;
    engine_trace *trace = begin(request, client);
    plain.options.tracing = false;
    if (!trace) return engine__execute(store, client, &plain, answer, err);
    engine_trace *before = engine__trace_switch(trace);
    corm_status   status = engine__execute(store, client, request, answer, err);
    end(store, trace, status, answer);
    engine__trace_switch(before);
    return status;
}

/* ---- without blocking ---- */

typedef struct traced_call {
    engine         *store;
    engine_trace   *trace;
    engine_callback callback;
    void           *context;
} traced_call;

static void finish(void *context, corm_status status, wire_answer *answer, const corm_error *err) {
    traced_call   call = *(traced_call *)context;
    engine_trace *before = engine__trace_switch(call.trace);
    free(context);
    end(call.store, call.trace, status, answer);
    engine__trace_switch(before == call.trace ? NULL : before);
    call.callback(call.context, status, answer, err);
}

void engine__trace_submit(engine *store, engine_client *client, const wire_request *request,
                          wire_answer *answer, engine_callback callback, void *context) {
    corm_error    err;
    traced_call  *call = calloc(1, sizeof *call);
    engine_trace *trace = call ? begin(request, client) : NULL;
    if (!trace) {
        free(call);
        callback(context, base__fail_memory(&err), answer, &err);
        return;
    }
    *call = (traced_call){ store, trace, callback, context };
    engine__trace_switch(trace);
    engine__submit(store, client, request, answer, finish, call);
    engine__trace_switch(NULL); /* the trace may be gone by now */
}
