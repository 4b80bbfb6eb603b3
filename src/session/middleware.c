// SPDX-License-Identifier: MIT
/* middleware.c -- a list of functions around every request of a session: the chain, its changes, a request's way through it.
 *
 * Owns the chain. Any thread. */
#include "session/middleware.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/fail.h"

typedef struct middleware_front {
    session_front     front; /* first */
    pthread_mutex_t   lock;  /* guards `chain` */
    middleware_chain *chain; /* never NULL */
} middleware_front;

/* ---- chains ---- */

static void unref_entry(middleware_entry *entry) {
    if (atomic_fetch_sub(&entry->refs, 1) != 1) return;
    if (entry->middleware.release) entry->middleware.release(entry->middleware.context);
    free(entry);
}

static void unref_chain(middleware_chain *chain) {
    if (!chain || atomic_fetch_sub(&chain->refs, 1) != 1) return;
    for (uint32_t i = 0; i < chain->count; i++) unref_entry(chain->entries[i]);
    free(chain);
}

static middleware_entry *new_entry(const corm_middleware *middleware) {
    size_t            len = strlen(middleware->name) + 1;
    middleware_entry *entry = calloc(1, sizeof *entry + len);
    if (!entry) return NULL;
    atomic_init(&entry->refs, 1);
    entry->middleware = *middleware;
    memcpy(entry + 1, middleware->name, len);
    entry->middleware.name = (const char *)(entry + 1);
    return entry;
}

static middleware_chain *new_chain(uint32_t capacity) {
    middleware_chain *chain = calloc(1, sizeof *chain + capacity * sizeof(void *));
    if (chain) atomic_init(&chain->refs, 1);
    return chain;
}

/* By order, and by age among equals. */
static void insert(middleware_chain *chain, middleware_entry *entry) {
    uint32_t at = chain->count++;
    for (; at > 0 && chain->entries[at - 1]->middleware.order > entry->middleware.order; at--) {
        chain->entries[at] = chain->entries[at - 1];
    }
    chain->entries[at] = entry;
}

static uint32_t find(const middleware_chain *chain, const char *name) {
    uint32_t at = 0;
    while (at < chain->count && strcmp(chain->entries[at]->middleware.name, name) != 0) at++;
    return at;
}

/* With all entries but `without`, and room for one more. */
static middleware_chain *copy_chain(const middleware_chain *chain, uint32_t without) {
    middleware_chain *copy = new_chain(chain->count + 1);
    if (!copy) return NULL;
    for (uint32_t i = 0; i < chain->count; i++) {
        if (i == without) continue;
        atomic_fetch_add(&chain->entries[i]->refs, 1);
        copy->entries[copy->count++] = chain->entries[i];
    }
    return copy;
}

static corm_status add(middleware_chain *chain, const corm_middleware *middleware,
                       corm_error *err) {
    if (find(chain, middleware->name) < chain->count) {
        return base__fail(err, CORM_ALREADY_EXISTS, "there is a middleware '%s' already",
                          middleware->name);
    }
    middleware_entry *entry = new_entry(middleware);
    if (!entry) return base__fail_memory(err);
    insert(chain, entry);
    return CORM_OK;
}

/* What was not taken over is the caller's still. */
static void discard_chain(middleware_chain *chain) {
    for (uint32_t i = 0; chain && i < chain->count; i++) {
        middleware_entry *entry = chain->entries[i];
        if (atomic_load(&entry->refs) == 1) entry->middleware.release = NULL;
    }
    unref_chain(chain);
}

static corm_status make_chain(const corm_middleware *list, middleware_chain **out,
                              corm_error *err) {
    uint32_t count = 0;
    while (list && list[count].name) count++;
    *out = new_chain(count);
    if (!*out) return base__fail_memory(err);
    corm_status status = CORM_OK;
    for (uint32_t i = 0; i < count && status == CORM_OK; i++) status = add(*out, &list[i], err);
    if (status != CORM_OK) discard_chain(*out);
    return status;
}

/* ---- a request begins ---- */

static middleware_chain *take_chain(middleware_front *front) {
    pthread_mutex_lock(&front->lock);
    middleware_chain *chain = front->chain;
    atomic_fetch_add(&chain->refs, 1);
    pthread_mutex_unlock(&front->lock);
    return chain;
}

static const corm_request_kind kinds[] = {
    [WIRE_QUERY] = CORM_REQUEST_TEXT,
    [WIRE_PREPARE] = CORM_REQUEST_PREPARE,
    [WIRE_EXECUTE] = CORM_REQUEST_EXECUTE,
    [WIRE_BATCH] = CORM_REQUEST_BATCH,
};

static corm_status new_flow(session_front_call *call, middleware_flow **out, corm_error *err) {
    middleware_flow *flow = BASE_NEW(&call->arena, middleware_flow);
    if (!flow) return base__fail_memory(err);
    const wire_request *wire = &call->request;
    flow->call = call;
    flow->given = *wire;
    flow->request.kind = kinds[wire->kind];
    flow->request.asynchronous = call->asynchronous;
    flow->request.keyspace = call->keyspace;
    flow->request.statement_count = wire->kind == WIRE_BATCH ? wire->batch_count : 1;
    CORM_TRY(middleware__take_options(&wire->options, &call->arena, &flow->request.options, err));
    middleware_chain *chain = take_chain((middleware_front *)call->front);
    flow->data = BASE_NEW_ARRAY(&call->arena, void *, chain->count);
    if (!flow->data) {
        unref_chain(chain);
        return base__fail_memory(err);
    }
    flow->chain = chain;
    call->own = *out = flow;
    return CORM_OK;
}

static corm_status begin_one(middleware_flow *flow, corm_error *err) {
    const corm_middleware *m = &flow->chain->entries[flow->begun]->middleware;
    if (!m->begin) return CORM_OK;
    flow->request.data = NULL;
    corm_error  own = { 0 }; /* the caller's may hold what failed before */
    corm_status status = m->begin(&flow->request, m->context, &own);
    flow->data[flow->begun] = flow->request.data;
    if (status == CORM_OK) return CORM_OK;
    *err = own;
    err->status = status;
    if (own.message[0]) return status;
    return base__fail(err, status, "middleware '%s' refused the request", m->name);
}

static corm_status begin(session_front_call *call, bool *answered, corm_error *err) {
    middleware_flow *flow = NULL;
    CORM_TRY(new_flow(call, &flow, err));
    while (flow->begun < flow->chain->count && !flow->answered) {
        CORM_TRY(begin_one(flow, err));
        flow->begun += !flow->answered;
    }
    *answered = flow->answered;
    return middleware__put_options(&flow->request.options, &call->arena, &call->request.options,
                                   err);
}

/* ---- and ends ---- */

/* What later executions are seen by. Without memory for it they are seen without it. */
static void describe_prepared(session_front_prepared *made, const wire_answer *answer) {
    corm_error           unused;
    wire_result          result;
    middleware_prepared *own = BASE_NEW(&made->arena, middleware_prepared);
    uint8_t             *body = base__arena_copy(&made->arena, answer->body.data, answer->body.len);
    if (!own || !body) return;
    corm_bytes bytes = { body, answer->body.len };
    if (wire__result_read(bytes, session__answer_version(answer), &made->arena, &result, &unused) !=
        CORM_OK) {
        return;
    }
    own->types = BASE_NEW_ARRAY(&made->arena, corm_str, result.marker_count);
    if (!own->types) return;
    base_buf text = { 0 };
    for (uint32_t i = 0; i < result.marker_count; i++) {
        base__buf_clear(&text);
        cql__type_print(result.markers[i].type, &text);
        own->types[i] = base__arena_str(&made->arena, base__buf_str(&text));
    }
    base__buf_free(&text);
    own->markers = result.markers;
    own->marker_count = result.marker_count;
    if (middleware__facts(made->text, &made->arena, &own->info, &unused) == CORM_NO_MEMORY) return;
    if (own->info.keyspace.len == 0) own->info.keyspace = made->keyspace;
    made->own = own;
}

static corm_status end(session_front_call *call, corm_status status, corm_error *err) {
    middleware_flow *flow = call->own;
    if (call->made && status == CORM_OK) describe_prepared(call->made, call->answer);
    if (!flow) return status;
    flow->request.status = status;
    flow->request.error = status == CORM_OK ? NULL : err;
    flow->request.duration_ns = base__clock_mono_ns() - call->began_ns;
    flow->request.answered_here = flow->answered;
    while (flow->begun > 0) {
        const corm_middleware *m = &flow->chain->entries[--flow->begun]->middleware;
        flow->request.data = flow->data[flow->begun];
        if (m->end) m->end(&flow->request, m->context);
    }
    unref_chain(flow->chain);
    return status;
}

/* ---- the session ---- */

static void close_front(session_front *front) {
    middleware_front *own = (middleware_front *)front;
    unref_chain(own->chain);
    pthread_mutex_destroy(&own->lock);
    free(own);
}

static const session_front_ops ops = {
    .begin = begin, .end = end, .close = close_front, .end_may_block = true
};

corm_status session__open_middleware(corm_session *behind, bool owns, const corm_middleware *list,
                                     corm_session **out, corm_error *err) {
    middleware_chain *chain;
    CORM_TRY(make_chain(list, &chain, err));
    middleware_front *front = calloc(1, sizeof *front);
    if (!front) {
        discard_chain(chain);
        return base__fail_memory(err);
    }
    corm_session_options options = { .page_token_key = behind->page_token_key };
    pthread_mutex_init(&front->lock, NULL);
    front->chain = chain;
    session__front_init(&front->front, behind, &ops);
    atomic_fetch_add(&chain->refs, 1);
    corm_status status = session__front_open(&front->front, &options, out, err);
    if (status != CORM_OK) {
        discard_chain(chain);
        return status;
    }
    front->front.owns_behind = owns;
    unref_chain(chain);
    return CORM_OK;
}

corm_status corm_session_with_middleware(corm_session **out, corm_session *behind,
                                         const corm_middleware *list, corm_error *err) {
    *out = NULL;
    CORM_TRY(session__check_open(behind, err));
    return session__open_middleware(behind, false, list, out, err);
}

/* ---- changes ---- */

static corm_status front_of(corm_session *session, middleware_front **out, corm_error *err) {
    CORM_TRY(session__check_open(session, err));
    session_door *door = session->door;
    *out = (middleware_front *)door;
    if (door->ops->close == session__front_close && (*out)->front.own == &ops) return CORM_OK;
    return base__fail(err, CORM_UNSUPPORTED, "the session was not opened with middleware");
}

/* Gives the old chain. */
static middleware_chain *exchange(middleware_front *front, middleware_chain *chain) {
    middleware_chain *old = front->chain;
    front->chain = chain;
    return old;
}

static corm_status add_to(middleware_front *front, const corm_middleware *middleware,
                          middleware_chain **old, corm_error *err) {
    middleware_chain *chain = copy_chain(front->chain, front->chain->count);
    if (!chain) return base__fail_memory(err);
    corm_status status = add(chain, middleware, err);
    *old = status == CORM_OK ? exchange(front, chain) : chain;
    return status;
}

corm_status corm_middleware_add(corm_session *session, const corm_middleware *middleware,
                                corm_error *err) {
    middleware_front *front;
    middleware_chain *old = NULL;
    if (!middleware || !middleware->name) {
        return base__fail(err, CORM_INVALID_ARGUMENT, "a middleware needs a name");
    }
    CORM_TRY(front_of(session, &front, err));
    pthread_mutex_lock(&front->lock);
    corm_status status = add_to(front, middleware, &old, err);
    pthread_mutex_unlock(&front->lock);
    unref_chain(old);
    return status;
}

static corm_status remove_from(middleware_front *front, const char *name, middleware_chain **old,
                               corm_error *err) {
    uint32_t at = find(front->chain, name);
    if (at == front->chain->count) {
        return base__fail(err, CORM_NOT_FOUND, "there is no middleware '%s'", name);
    }
    middleware_chain *chain = copy_chain(front->chain, at);
    if (!chain) return base__fail_memory(err);
    *old = exchange(front, chain);
    return CORM_OK;
}

corm_status corm_middleware_remove(corm_session *session, const char *name, corm_error *err) {
    middleware_front *front;
    middleware_chain *old = NULL;
    if (!name) return base__fail(err, CORM_INVALID_ARGUMENT, "the middleware has no name");
    CORM_TRY(front_of(session, &front, err));
    pthread_mutex_lock(&front->lock);
    corm_status status = remove_from(front, name, &old, err);
    pthread_mutex_unlock(&front->lock);
    unref_chain(old);
    return status;
}
