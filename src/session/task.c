// SPDX-License-Identifier: MIT
/* task.c -- one operation under way.
 *
 *   corm_x_async ─► [pool] ─► PREPARE? ─► bind ─► door.submit ─► on_answer ─► [pool] ─► callback ─► done
 *
 * A text with values is prepared first, unless the session's cache has it. A step in brackets happens on a worker; the first
 * is left out when the door can be asked at once, the second when the answer came while submit was still on the stack.
 * An asynchronous door has no need of workers: the callback runs on its thread. On a thread of another door's it never
 * runs, because it may block, and the door's other requests would wait for it.
 *
 * A task is freed with its last reference: the caller's, and the operation's until the callback has
 * returned; its memory goes to the session's spares. */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/fail.h"
#include "session/batch.h"

struct corm_task {
    session_spare      spare;   /* first */
    corm_session      *session; /* one reference */
    session_request    request;
    corm_result       *result; /* the door fills in its answer */
    corm_task_callback callback;
    void              *context;
    session_batch_run *run;              /* hooks that are told of the end before the callback is */
    void (*stop)(corm_session *session); /* see session__task_open; else NULL */
    atomic_uint     refs;
    atomic_bool     cancelled;
    atomic_bool     running; /* a thread is inside the callback or a hook before it: */
    pthread_t       runner;
    atomic_bool     done; /* the callback has returned; status is set */
    corm_status     status;
    atomic_uint     waiting; /* threads that wait for `ended` */
    corm_str        text;    /* with `values`: to be prepared and bound first; else data is NULL */
    corm_error      error;   /* status and message of a failure */
    session_values  values;
    corm_prepared  *preparing; /* one reference: its answer is awaited */
    wire_request    prepare;
    base_job        job;
    pthread_mutex_t lock; /* with `ended`, when somebody waits */
    pthread_cond_t  ended;
};

static _Thread_local const corm_task
    *submitting; /* the task whose submit is on this thread's stack */

static corm_task *task_of(base_job *job) {
    return (corm_task *)(void *)((char *)job - offsetof(corm_task, job));
}

static bool init_condition(pthread_cond_t *condition) {
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0) return false;
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    bool made = pthread_cond_init(condition, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    return made;
}

static corm_task *allocate(void) {
    corm_task *task = calloc(1, sizeof *task);
    if (!task) return NULL;
    if (!init_condition(&task->ended)) {
        free(task);
        return NULL;
    }
    pthread_mutex_init(&task->lock, NULL);
    return task;
}

void session__task_destroy(session_spare *spare) {
    corm_task *task = (corm_task *)spare;
    session__request_clear(&task->request);
    pthread_cond_destroy(&task->ended);
    pthread_mutex_destroy(&task->lock);
    free(task);
}

corm_task *session__task_new(corm_session *session, corm_task_callback callback, void *context) {
    corm_task *task = (corm_task *)session__spare_take(session, SESSION_SPARE_TASK);
    if (!task) task = allocate();
    if (!task) return NULL;
    atomic_init(&task->refs, 2);
    atomic_init(&task->cancelled, false);
    atomic_init(&task->running, false);
    atomic_init(&task->done, false);
    task->error.status = CORM_OK;
    task->text = (corm_str){ NULL, 0 };
    task->session = session__ref(session);
    task->callback = callback;
    task->context = context;
    task->run = NULL;
    task->stop = NULL;
    return task;
}

static void unref(corm_task *task) {
    if (atomic_fetch_sub(&task->refs, 1) != 1) return;
    corm_session *session = task->session;
    session__request_reset(&task->request);
    corm_result_free(task->result);
    task->result = NULL;
    task->session = NULL;
    size_t bytes = task->request.arena.total;
    if (!session__spare_keep(session, SESSION_SPARE_TASK, &task->spare, bytes)) {
        session__task_destroy(&task->spare);
    }
    session__unref(session);
}

void corm_task_free(corm_task *task) {
    if (task) unref(task);
}

void session__task_discard(corm_task *task) {
    atomic_store(&task->refs, 1);
    unref(task);
}

session_request *session__task_request(corm_task *task) {
    return &task->request;
}

void session__task_watch(corm_task *task, session_batch_run *run) {
    task->run = run;
}

void session__task_bind_later(corm_task *task, corm_str text, const session_values *values) {
    task->text = text;
    task->values = *values;
}

/* ---- the session's count of tasks ---- */

static void begin(corm_session *session) {
    atomic_fetch_add(&session->under_way, 1);
}

/* Either this thread sees `closing`, or the one that closes sees that nothing is under way. */
static void end(corm_session *session) {
    if (atomic_fetch_sub(&session->under_way, 1) != 1 || !atomic_load(&session->closing)) return;
    pthread_mutex_lock(&session->lock);
    pthread_cond_broadcast(&session->idle);
    pthread_mutex_unlock(&session->lock);
}

/* Either this thread sees `closing`, or the one that closes sees that this request is under way. */
corm_status session__enter(corm_session *session, corm_error *err) {
    begin(session);
    if (!atomic_load(&session->closing)) return CORM_OK;
    end(session);
    return base__fail(err, CORM_CLOSED, "%s", corm_status_text(CORM_CLOSED));
}

void session__leave(corm_session *session) {
    end(session);
}

/* ---- the end ---- */

/* Either this thread sees who waits, or that one sees `done`. */
static void set_done(corm_task *task, corm_status status) {
    task->status = status;
    atomic_store(&task->running, false);
    atomic_store(&task->done, true);
    if (atomic_load(&task->waiting) == 0) return;
    pthread_mutex_lock(&task->lock);
    pthread_cond_broadcast(&task->ended);
    pthread_mutex_unlock(&task->lock);
}

static corm_status read_result(corm_task *task) {
    CORM_TRY(session__note_answer(task->session, &task->result->answer, &task->error));
    if (!task->callback) return CORM_OK;
    return session__result_read(task->result, &task->request, &task->error);
}

static void set_running(corm_task *task) {
    task->runner = pthread_self();
    atomic_store(&task->running, true);
}

/* Gives the status that hooks leave: the callback and those who wait see the same. */
static corm_status end_run(corm_task *task, corm_status status) {
    if (!task->run) return status;
    if (status == CORM_OK) task->error = (corm_error){ 0 };
    set_running(task);
    return session__watch_end(task->run, false, status, &task->error);
}

static void call_back(corm_task *task, corm_status status) {
    corm_result *result = status == CORM_OK ? task->result : NULL;
    if (result) task->result = NULL;
    set_running(task);
    task->callback(task->context, status, result, status == CORM_OK ? NULL : &task->error);
}

/* Calls back and lets go of the task. */
static void finish(corm_task *task, corm_status status) {
    if (status == CORM_OK) status = read_result(task);
    status = end_run(task, status);
    if (task->callback) call_back(task, status);
    corm_session *session = task->session;
    set_done(task, status);
    end(session);
    unref(task);
}

static void finish_job(base_job *job) {
    corm_task *task = task_of(job);
    finish(task, task->error.status);
}

/* A pool that has no thread and can start none leaves the callback to this thread. */
static void finish_on_worker(corm_task *task) {
    task->job.run = finish_job;
    if (base__pool_submit(task->session->pool, &task->job, NULL) != CORM_OK) finish_job(&task->job);
}

/* ---- the way there ---- */

static void advance(corm_task *task);

static void take_failure(corm_task *task, corm_status status, const corm_error *error) {
    if (status != CORM_OK && error && error != &task->error) task->error = *error;
    task->error.status = status;
}

static void on_answer(void *context, corm_status status, const corm_error *error) {
    corm_task *task = context;
    take_failure(task, status, error);
    if (submitting == task || !task->session->pool) {
        finish(task, status);
    } else {
        finish_on_worker(task);
    }
}

/* The task may be gone when it returns. */
static void submit(corm_task *task, const wire_request *request, wire_answer *answer,
                   session_door_callback callback) {
    const corm_task *outer = submitting;
    session_door    *door = task->session->door;
    submitting = task;
    door->ops->submit(door, task->request.keyspace, request, answer, callback, task);
    submitting = outer;
}

static corm_status bind(corm_task *task, corm_prepared *prepared) {
    task->text = (corm_str){ NULL, 0 };
    return session__request_bind_to(&task->request, prepared, &task->values, &task->error);
}

static corm_status take_prepared(corm_task *task, corm_prepared *prepared) {
    corm_status status = session__prepared_finish(prepared, &task->error);
    if (status != CORM_OK) {
        corm_prepared_free(prepared);
        return status;
    }
    session__cache_put(task->session, prepared);
    return bind(task, prepared);
}

static void begin_job(base_job *job);

/* A thread of a door that is not asynchronous has no time for the next step, which may be a read. */
static void go_on(corm_task *task) {
    base_pool *pool = task->session->pool;
    task->job.run = begin_job;
    if (submitting == task || !pool || base__pool_submit(pool, &task->job, NULL) != CORM_OK) {
        advance(task);
    }
}

static void on_prepared(void *context, corm_status status, const corm_error *error) {
    corm_task     *task = context;
    corm_prepared *prepared = task->preparing;
    task->preparing = NULL;
    take_failure(task, status, error);
    if (status == CORM_OK) {
        status = take_prepared(task, prepared);
    } else {
        corm_prepared_free(prepared);
    }
    if (status != CORM_OK) {
        on_answer(task, status, &task->error);
    } else {
        go_on(task);
    }
}

/* Asks for the statement when the cache does not have it: *asked, and the rest comes with its answer. */
static corm_status get_prepared(corm_task *task, bool *asked) {
    corm_prepared *prepared =
        session__cache_find(task->session, task->request.keyspace, task->text);
    if (prepared) return bind(task, prepared);
    task->preparing = session__prepared_new(task->session, task->request.keyspace, task->text);
    if (!task->preparing) return base__fail_memory(&task->error);
    task->prepare = (wire_request){ .kind = WIRE_PREPARE, .text = task->text };
    task->prepare.options.routing = task->request.wire.options.routing;
    *asked = true;
    submit(task, &task->prepare, &task->preparing->answer, on_prepared);
    return CORM_OK;
}

static corm_status get_ready(corm_task *task, bool *asked) {
    if (atomic_load(&task->cancelled)) {
        return base__fail(&task->error, CORM_CANCELLED, "%s", corm_status_text(CORM_CANCELLED));
    }
    if (!task->result) task->result = session__result_new(task->session);
    if (!task->result) return base__fail_memory(&task->error);
    return task->text.data ? get_prepared(task, asked) : CORM_OK;
}

/* The next step. The task may be gone when it returns. */
static void advance(corm_task *task) {
    bool        asked = false;
    corm_status status = get_ready(task, &asked);
    if (asked) return;
    if (status != CORM_OK) {
        on_answer(task, status, &task->error);
    } else {
        submit(task, &task->request.wire, &task->result->answer, on_answer);
    }
}

/* Here what ends at once calls back at once. */
static void begin_here(corm_task *task) {
    const corm_task *outer = submitting;
    submitting = task;
    advance(task);
    submitting = outer;
}

static void begin_job(base_job *job) {
    begin_here(task_of(job));
}

void session__task_start(corm_task *task, bool on_worker) {
    base_pool *pool = task->session->pool;
    begin(task->session);
    if (!on_worker || !pool) {
        begin_here(task);
        return;
    }
    task->job.run = begin_job;
    corm_status status = base__pool_submit(pool, &task->job, &task->error);
    if (status != CORM_OK) finish(task, status);
}

void session__task_fail(corm_task *task, corm_status status, const corm_error *error) {
    begin(task->session);
    task->error = *error;
    finish(task, status);
}

corm_task *session__task_begin(corm_task *task, corm_status status, const session_request *request,
                               bool on_worker, corm_error *err) {
    if (status == CORM_OK) status = session__request_copy(request, &task->request, err);
    if (status == CORM_NO_MEMORY) {
        session__task_discard(task);
        return NULL;
    }
    if (status != CORM_OK) {
        session__task_fail(task, status, err);
    } else {
        session__task_start(task, on_worker);
    }
    return task; // NOLINT(clang-analyzer-unix.Malloc): it is alive by the caller's reference
}

corm_task *session__task_run(corm_session *session, corm_status status,
                             const session_request *request, bool on_worker,
                             corm_task_callback callback, void *context, corm_error *err) {
    corm_task *task = session__task_new(session, callback, context);
    return task ? session__task_begin(task, status, request, on_worker, err) : NULL;
}

/* ---- tasks that are no requests ---- */

corm_status session__task_open(corm_task  *task, void (*stop)(corm_session *session),
                               corm_error *err) {
    CORM_TRY(session__enter(task->session, err));
    task->stop = stop;
    return CORM_OK;
}

bool session__task_is_cancelled(const corm_task *task) {
    return atomic_load(&((corm_task *)(uintptr_t)task)->cancelled);
}

void session__task_end(corm_task *task, corm_status status, const corm_error *error,
                       void (*tell)(void *context), void *context) {
    corm_session *session = task->session;
    take_failure(task, status, error);
    set_running(task);
    tell(context);
    set_done(task, status);
    end(session);
    unref(task);
}

/* ---- waiting ---- */

/* Counts a worker that is about to wait; false when no worker would be left to end what it waits
 * for. */
static bool begin_wait(corm_session *session) {
    pthread_mutex_lock(&session->lock);
    bool other = session->waiting + 1 < session->worker_threads;
    if (other) session->waiting++;
    pthread_mutex_unlock(&session->lock);
    return other;
}

static void end_wait(corm_session *session) {
    pthread_mutex_lock(&session->lock);
    session->waiting--;
    pthread_mutex_unlock(&session->lock);
}

static struct timespec deadline_of(uint32_t timeout_ms) {
    struct timespec out;
    clock_gettime(CLOCK_MONOTONIC, &out);
    out.tv_sec += timeout_ms / 1000;
    out.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (out.tv_nsec >= 1000000000) {
        out.tv_nsec -= 1000000000;
        out.tv_sec++;
    }
    return out;
}

static bool is_over(const struct timespec *deadline) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec != deadline->tv_sec ? now.tv_sec > deadline->tv_sec
                                          : now.tv_nsec >= deadline->tv_nsec;
}

static corm_status wait_here(corm_task *task, uint32_t timeout_ms) {
    struct timespec deadline = deadline_of(timeout_ms);
    int             result = 0;
    pthread_mutex_lock(&task->lock);
    atomic_fetch_add(&task->waiting, 1);
    while (!atomic_load(&task->done) && result != ETIMEDOUT) {
        result = timeout_ms == 0 ? pthread_cond_wait(&task->ended, &task->lock)
                                 : pthread_cond_timedwait(&task->ended, &task->lock, &deadline);
    }
    atomic_fetch_sub(&task->waiting, 1);
    pthread_mutex_unlock(&task->lock);
    return atomic_load(&task->done) ? task->status : CORM_TIMEOUT;
}

/* On the caller's loop, which nobody else runs meanwhile. */
static corm_status turn_until_done(corm_task *task, uint32_t timeout_ms) {
    struct timespec deadline = deadline_of(timeout_ms);
    session_door   *door = task->session->door;
    while (!atomic_load(&task->done)) {
        if (timeout_ms > 0 && is_over(&deadline)) return CORM_TIMEOUT;
        door->ops->turn(door);
    }
    return task->status;
}

static bool is_own_callback(const corm_task *task) {
    return atomic_load(&task->running) && pthread_equal(task->runner, pthread_self());
}

static corm_status wait_for_door(corm_task *task, uint32_t timeout_ms) {
    session_door *door = task->session->door;
    if (door->ops->in_callback && door->ops->in_callback(door)) return CORM_WOULD_DEADLOCK;
    return door->ops->turn ? turn_until_done(task, timeout_ms) : wait_here(task, timeout_ms);
}

static corm_status wait_as_worker(corm_task *task, uint32_t timeout_ms) {
    if (!begin_wait(task->session)) return CORM_WOULD_DEADLOCK;
    corm_status status = wait_here(task, timeout_ms);
    end_wait(task->session);
    return status;
}

corm_status corm_task_wait(corm_task *task, uint32_t timeout_ms) {
    base_pool *pool = task->session->pool;
    if (corm_task_is_done(task)) return task->status;
    if (is_own_callback(task)) return CORM_WOULD_DEADLOCK;
    if (!pool) return wait_for_door(task, timeout_ms);
    return base__pool_is_worker(pool) ? wait_as_worker(task, timeout_ms)
                                      : wait_here(task, timeout_ms);
}

bool corm_task_is_done(const corm_task *task) {
    return atomic_load(&((corm_task *)(uintptr_t)task)->done);
}

/* The door knows the task by its address, which is no other's as long as the caller holds it. The session cannot be closed
 * meanwhile: a task that has not ended is counted, and so is this call. */
void corm_task_cancel(corm_task *task) {
    corm_session *session = task->session;
    atomic_store(&task->cancelled, true);
    begin(session);
    if (!corm_task_is_done(task) && session->door->ops->cancel) {
        session->door->ops->cancel(session->door, task);
    }
    if (task->stop && !corm_task_is_done(task)) task->stop(session);
    end(session);
}

corm_status session__task_take(corm_task *task, wire_answer *answer, corm_error *err) {
    corm_status status = corm_task_wait(task, 0);
    if (status == CORM_WOULD_DEADLOCK && !corm_task_is_done(task)) {
        return base__fail(err, status, "%s", corm_status_text(status));
    }
    if (status != CORM_OK) {
        if (err) *err = task->error;
        return status;
    }
    wire_answer given = *answer;
    *answer = task->result->answer;
    task->result->answer = given;
    return CORM_OK;
}
