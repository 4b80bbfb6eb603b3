// SPDX-License-Identifier: MIT
/* front.c -- see front.h.
 *
 *   execute: enter ─► begin ─► behind.execute ─► wrap ─► end ─► leave              the caller's thread
 *   submit:  enter ─► begin ─► behind.submit … on_answer ─► [pool] ─► wrap ─► end ─► callback ─► leave
 *
 * The step in brackets is a worker of the session behind, where `end` may block and the answer came on a thread of the
 * store's. A submitted call has two references: its own, and that of whoever cancels it, so that its address, by which the
 * door behind knows it, is no other's meanwhile. Any thread. */
#include "session/front.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/fail.h"

static _Thread_local const session_front_call *submitting; /* whose submit is on this stack */

static session_front *front_of(session_door *door) {
    return (session_front *)door;
}

static session_door *door_behind(const session_front *front) {
    return front->behind->door;
}

/* ---- statements ---- */

static const wire_prepared *prepared_ref(const wire_prepared *wire) {
    atomic_fetch_add_explicit(&session__front_prepared(wire)->refs, 1, memory_order_relaxed);
    return wire;
}

static void prepared_unref(const wire_prepared *wire) {
    session_front_prepared *prepared = session__front_prepared(wire);
    if (!prepared || atomic_fetch_sub(&prepared->refs, 1) != 1) return;
    if (prepared->own_free) prepared->own_free(prepared->own);
    if (prepared->behind) prepared->unref(prepared->behind);
    base__arena_free(&prepared->arena);
    free(prepared);
}

/* Before `begin` may change the text. */
static corm_status new_prepared(session_front_call *call, corm_error *err) {
    session_front_prepared *made = calloc(1, sizeof *made);
    if (!made) return base__fail_memory(err);
    atomic_init(&made->refs, 1);
    made->unref = door_behind(call->front)->ops->prepared_unref;
    made->keyspace = base__arena_str(&made->arena, call->keyspace);
    made->text = base__arena_str(&made->arena, call->request.text);
    call->made = made;
    return made->keyspace.data && made->text.data ? CORM_OK : base__fail_memory(err);
}

static void take_prepared(session_front_call *call) {
    call->made->behind = call->answer->prepared;
    call->answer->prepared = (const wire_prepared *)(const void *)call->made;
}

/* ---- the way there ---- */

static const wire_prepared *behind_of(const wire_prepared *wire) {
    return wire ? session__front_prepared(wire)->behind : NULL;
}

/* The statements of the door behind. */
static corm_status go_through(session_front_call *call, corm_error *err) {
    wire_request *request = &call->request;
    request->prepared = behind_of(request->prepared);
    if (request->batch_count == 0) return CORM_OK;
    wire_batch_item *items = BASE_NEW_ARRAY(&call->arena, wire_batch_item, request->batch_count);
    if (!items) return base__fail_memory(err);
    for (uint32_t i = 0; i < request->batch_count; i++) {
        items[i] = request->batch[i];
        items[i].prepared = behind_of(items[i].prepared);
    }
    request->batch = items;
    return CORM_OK;
}

/* *answered: it does not go on. */
static corm_status begin(session_front_call *call, bool *answered, corm_error *err) {
    const session_front_ops *own = call->front->own;
    if (call->request.kind == WIRE_PREPARE) CORM_TRY(new_prepared(call, err));
    if (own->begin) CORM_TRY(own->begin(call, answered, err));
    return *answered ? CORM_OK : go_through(call, err);
}

static corm_status end(session_front_call *call, corm_status status, corm_error *err) {
    const session_front_ops *own = call->front->own;
    bool                     prepared = call->request.kind == WIRE_PREPARE && status == CORM_OK;
    if (prepared) take_prepared(call);
    if (own->end) status = own->end(call, status, err);
    if (prepared && status != CORM_OK) call->answer->prepared = NULL;
    if (call->made && (!prepared || status != CORM_OK)) {
        prepared_unref((const wire_prepared *)(const void *)call->made);
    }
    return status;
}

static void set_call(session_front_call *call, session_front *front, corm_str keyspace,
                     const wire_request *request, wire_answer *answer) {
    call->front = front;
    call->keyspace = keyspace;
    call->request = *request;
    call->answer = answer;
    call->began_ns = base__clock_mono_ns();
}

/* ---- waiting for it ---- */

static corm_status pass(session_front_call *call, corm_error *err) {
    bool        answered = false;
    corm_status status = begin(call, &answered, err);
    if (status == CORM_OK && !answered) {
        session_door *door = door_behind(call->front);
        status = door->ops->execute(door, call->keyspace, &call->request, call->answer, err);
    }
    return end(call, status, err);
}

static corm_status execute(session_door *door, corm_str keyspace, const wire_request *request,
                           wire_answer *answer, corm_error *err) {
    session_front     *front = front_of(door);
    session_front_call call = { 0 };
    corm_error         unused;
    if (!err) err = &unused;
    CORM_TRY(session__enter(front->behind, err));
    set_call(&call, front, keyspace, request, answer);
    corm_status status = pass(&call, err);
    base__arena_free(&call.arena);
    session__leave(front->behind);
    return status;
}

/* ---- not waiting ---- */

static void link_call(session_front_call *call) {
    session_front *front = call->front;
    pthread_mutex_lock(&front->lock);
    call->link = &front->under_way;
    call->next = front->under_way;
    if (call->next) call->next->link = &call->next;
    front->under_way = call;
    pthread_mutex_unlock(&front->lock);
}

static void unlink_call(session_front_call *call) {
    session_front *front = call->front;
    pthread_mutex_lock(&front->lock);
    *call->link = call->next;
    if (call->next) call->next->link = call->link;
    pthread_mutex_unlock(&front->lock);
}

static void unref_call(session_front_call *call) {
    if (atomic_fetch_sub(&call->refs, 1) != 1) return;
    base__arena_free(&call->arena);
    free(call);
}

/* The front may be gone when the callback returns. */
static void finish(session_front_call *call) {
    corm_session *behind = call->front->behind;
    unlink_call(call);
    corm_status status = end(call, call->status, &call->error);
    session__ref(behind);
    call->callback(call->context, status, status == CORM_OK ? NULL : &call->error);
    unref_call(call);
    session__leave(behind);
    session__unref(behind);
}

static void finish_job(base_job *job) {
    finish((session_front_call *)(void *)((char *)job - offsetof(session_front_call, job)));
}

static void on_answer(void *context, corm_status status, const corm_error *error) {
    session_front_call *call = context;
    base_pool          *pool = call->front->behind->pool;
    call->status = status;
    if (status != CORM_OK && error) call->error = *error;
    call->job.run = finish_job;
    bool elsewhere = call->front->own->end_may_block && submitting != call && pool;
    if (!elsewhere || base__pool_submit(pool, &call->job, NULL) != CORM_OK) finish(call);
}

/* The call may be gone when it returns. */
static void send_on(session_front_call *call) {
    const session_front_call *outer = submitting;
    session_door             *door = door_behind(call->front);
    bool                      answered = false;
    submitting = call;
    call->status = begin(call, &answered, &call->error);
    if (call->status != CORM_OK || answered) {
        finish(call);
    } else {
        door->ops->submit(door, call->keyspace, &call->request, call->answer, on_answer, call);
    }
    submitting = outer;
}

static void submit(session_door *door, corm_str keyspace, const wire_request *request,
                   wire_answer *answer, session_door_callback callback, void *context) {
    session_front      *front = front_of(door);
    corm_error          err = { 0 };
    session_front_call *call = calloc(1, sizeof *call);
    corm_status         status = call ? session__enter(front->behind, &err) : CORM_NO_MEMORY;
    if (status != CORM_OK) {
        free(call);
        if (status == CORM_NO_MEMORY) status = base__fail_memory(&err);
        callback(context, status, &err);
        return;
    }
    set_call(call, front, keyspace, request, answer);
    atomic_init(&call->refs, 1);
    call->asynchronous = true;
    call->callback = callback;
    call->context = context;
    link_call(call);
    send_on(call);
}

/* One reference of what was submitted with the context; NULL when it has ended. */
static session_front_call *find_call(session_front *front, const void *context) {
    pthread_mutex_lock(&front->lock);
    session_front_call *call = front->under_way;
    while (call && call->context != context) call = call->next;
    if (call) atomic_fetch_add(&call->refs, 1);
    pthread_mutex_unlock(&front->lock);
    return call;
}

static void cancel(session_door *door, void *context) {
    session_front      *front = front_of(door);
    session_front_call *call = find_call(front, context);
    if (!call) return;
    if (session__enter(front->behind, NULL) == CORM_OK) {
        session_door *behind = door_behind(front);
        behind->ops->cancel(behind, call);
        session__leave(front->behind);
    }
    unref_call(call);
}

/* ---- what the door behind is asked as it is ---- */

#define WITH_BEHIND(front, otherwise, ask)                                                         \
    if (session__enter((front)->behind, NULL) != CORM_OK) return otherwise;                        \
    session_door *behind = door_behind(front);                                                     \
    ask;                                                                                           \
    session__leave((front)->behind)

static cql_schema *schema(session_door *door) {
    WITH_BEHIND(front_of(door), NULL, cql_schema *out = behind->ops->schema(behind));
    return out;
}

static struct engine *store(session_door *door) {
    WITH_BEHIND(front_of(door), NULL, struct engine *out = behind->ops->store(behind));
    return out;
}

static bool in_callback(session_door *door) {
    WITH_BEHIND(front_of(door), false, bool out = behind->ops->in_callback(behind));
    return out;
}

/* The last request that ends may wake the one that closes: it is still counted here then. */
static void turn(session_door *door) {
    WITH_BEHIND(front_of(door), , behind->ops->turn(behind));
}

static const corm_cluster_options *options(session_door *door) {
    static const corm_cluster_options none;
    WITH_BEHIND(front_of(door), &none,
                const corm_cluster_options *out = behind->ops->options(behind));
    return out;
}

static corm_status stats(session_door *door, const corm_stats **out, corm_error *err) {
    session_front *front = front_of(door);
    CORM_TRY(session__enter(front->behind, err));
    corm_status status = door_behind(front)->ops->stats(door_behind(front), out, err);
    session__leave(front->behind);
    return status;
}

static corm_status agree(session_door *door, uint32_t timeout_ms, corm_error *err) {
    session_front *front = front_of(door);
    CORM_TRY(session__enter(front->behind, err));
    corm_status status = door_behind(front)->ops->agree(door_behind(front), timeout_ms, err);
    session__leave(front->behind);
    return status;
}

static corm_status tokens(session_door *door, int64_t **out, uint32_t *count, corm_error *err) {
    session_front *front = front_of(door);
    CORM_TRY(session__enter(front->behind, err));
    corm_status status = door_behind(front)->ops->tokens(door_behind(front), out, count, err);
    session__leave(front->behind);
    return status;
}

/* ---- its life ---- */

void session__front_close(session_door *door) {
    session_front *front = front_of(door);
    corm_session  *behind = front->behind;
    bool           owns = front->owns_behind;
    pthread_mutex_destroy(&front->lock);
    if (front->own->close) {
        front->own->close(front);
    } else {
        free(front);
    }
    if (owns) corm_session_close(behind);
    session__unref(behind);
}

void session__front_init(session_front *front, corm_session *behind, const session_front_ops *own) {
    const session_door_ops *ops = behind->door->ops;
    front->ops = (session_door_ops){
        .execute = execute,
        .submit = submit,
        .prepared_ref = prepared_ref,
        .prepared_unref = prepared_unref,
        .close = session__front_close,
        .asynchronous = ops->asynchronous,
        .schema = ops->schema ? schema : NULL,
        .store = ops->store ? store : NULL,
        .in_callback = ops->in_callback ? in_callback : NULL,
        .turn = ops->turn ? turn : NULL,
        .cancel = ops->cancel ? cancel : NULL,
        .stats = ops->stats ? stats : NULL,
        .agree = ops->agree ? agree : NULL,
        .tokens = ops->tokens ? tokens : NULL,
        .options = ops->options ? options : NULL,
    };
    front->door.ops = &front->ops;
    front->own = own;
    front->behind = session__ref(behind);
    pthread_mutex_init(&front->lock, NULL);
}

corm_status session__front_open(session_front *front, const corm_session_options *options,
                                corm_session **out, corm_error *err) {
    const corm_session  *behind = front->behind;
    corm_str             keyspace = corm_str_of(corm_session_keyspace(behind));
    corm_session_options all = options ? *options : (corm_session_options){ 0 };
    if (!all.worker_threads) all.worker_threads = behind->worker_threads;
    if (!all.page_size) all.page_size = (uint32_t)behind->page_size;
    if (!all.consistency) all.consistency = (corm_consistency)(behind->consistency + 1);
    CORM_TRY(session__open_door(&front->door, &all, out, err));
    if (all.keyspace) return CORM_OK;
    corm_status status = session__use_keyspace(*out, keyspace, err);
    if (status == CORM_OK) return CORM_OK;
    corm_session_close(*out);
    *out = NULL;
    return status;
}
