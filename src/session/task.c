// SPDX-License-Identifier: MIT
/* task.c -- one operation under way.
 *
 *   corm_x_async ─► [pool: bind values] ─► door.submit ─► on_answer ─► [pool] ─► callback ─► done
 *
 * A step in brackets happens on a worker; the first is left out when the door can be asked at once,
 * the second when the answer came while submit was still on the stack. The callback never runs on a
 * thread of the door's, because it may block, and the door's other requests would wait for it.
 *
 * A task is freed with its last reference: the caller's, and the operation's until the callback has
 * returned. */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/fail.h"
#include "session/core.h"

struct corm_task {
    base_job           job; /* first: a base_job * is a corm_task * */
    atomic_uint        refs;
    corm_session      *session; /* one reference */
    session_request    request;
    corm_str           text; /* with `values`: to be prepared and bound first; else data is NULL */
    session_values     values;
    wire_answer        answer;
    corm_task_callback callback;
    void              *context;
    atomic_bool        cancelled;
    corm_error         error; /* status and message of a failure */

    pthread_mutex_t lock; /* guards everything below */
    pthread_cond_t  ended;
    pthread_t       runner;  /* the thread that is inside the callback */
    bool            running; /* a thread is inside the callback */
    bool            done;    /* the callback has returned */
    corm_status     status;
};

static _Thread_local const corm_task
    *submitting; /* the task whose submit is on this thread's stack */

static bool init_condition(pthread_cond_t *condition) {
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0) return false;
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    bool made = pthread_cond_init(condition, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    return made;
}

corm_task *session__task_new(corm_session *session, corm_task_callback callback, void *context) {
    corm_task *task = calloc(1, sizeof *task);
    if (!task) return NULL;
    if (!init_condition(&task->ended)) {
        free(task);
        return NULL;
    }
    pthread_mutex_init(&task->lock, NULL);
    atomic_init(&task->refs, 2);
    task->session = session__ref(session);
    task->callback = callback;
    task->context = context;
    return task;
}

static void unref(corm_task *task) {
    if (atomic_fetch_sub(&task->refs, 1) != 1) return;
    session__request_clear(&task->request);
    wire__answer_free(&task->answer);
    pthread_cond_destroy(&task->ended);
    pthread_mutex_destroy(&task->lock);
    session__unref(task->session);
    free(task);
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

void session__task_bind_later(corm_task *task, corm_str text, const session_values *values) {
    task->text = text;
    task->values = *values;
}

/* ---- the session's count of tasks ---- */

static void begin(corm_session *session) {
    pthread_mutex_lock(&session->lock);
    session->under_way++;
    pthread_mutex_unlock(&session->lock);
}

static void end(corm_session *session) {
    pthread_mutex_lock(&session->lock);
    if (--session->under_way == 0) pthread_cond_broadcast(&session->idle);
    pthread_mutex_unlock(&session->lock);
}

/* ---- the end ---- */

static void set_running(corm_task *task, bool running) {
    pthread_mutex_lock(&task->lock);
    task->running = running;
    task->runner = pthread_self();
    pthread_mutex_unlock(&task->lock);
}

static void set_done(corm_task *task, corm_status status) {
    pthread_mutex_lock(&task->lock);
    task->running = false;
    task->done = true;
    task->status = status;
    pthread_cond_broadcast(&task->ended);
    pthread_mutex_unlock(&task->lock);
}

static corm_status make_result(corm_task *task, corm_result **out) {
    CORM_TRY(session__note_answer(task->session, &task->answer, &task->error));
    if (!task->callback) return CORM_OK;
    return session__result_new(task->session, &task->request, &task->answer, out, &task->error);
}

/* Calls back and lets go of the task. */
static void finish(corm_task *task, corm_status status) {
    corm_result *result = NULL;
    if (status == CORM_OK) status = make_result(task, &result);
    if (task->callback) {
        set_running(task, true);
        task->callback(task->context, status, result, status == CORM_OK ? NULL : &task->error);
    }
    corm_session *session = task->session;
    set_done(task, status);
    end(session);
    unref(task);
}

static void finish_job(base_job *job) {
    corm_task *task = (corm_task *)job;
    finish(task, task->error.status);
}

/* A pool that has no thread and can start none leaves the callback to this thread. */
static void finish_on_worker(corm_task *task) {
    task->job.run = finish_job;
    if (base__pool_submit(task->session->pool, &task->job, NULL) != CORM_OK) finish_job(&task->job);
}

/* ---- the way there ---- */

static void on_answer(void *context, corm_status status, const corm_error *error) {
    corm_task *task = context;
    if (status != CORM_OK && error && error != &task->error) task->error = *error;
    task->error.status = status;
    if (submitting == task) {
        finish(task, status);
    } else {
        finish_on_worker(task);
    }
}

static corm_status get_ready(corm_task *task) {
    if (atomic_load(&task->cancelled)) {
        return base__fail(&task->error, CORM_CANCELLED, "%s", corm_status_text(CORM_CANCELLED));
    }
    if (!task->text.data) return CORM_OK;
    return session__request_bind(task->session, &task->request, task->text, &task->values,
                                 &task->error);
}

/* The task may be gone when submit returns. */
static void ask_door(corm_task *task) {
    corm_status status = get_ready(task);
    if (status != CORM_OK) {
        finish(task, status);
        return;
    }
    const corm_task *outer = submitting;
    session_door    *door = task->session->door;
    submitting = task;
    door->ops->submit(door, task->request.keyspace, &task->request.wire, &task->answer, on_answer,
                      task);
    submitting = outer;
}

static void ask_door_job(base_job *job) {
    ask_door((corm_task *)job);
}

void session__task_start(corm_task *task, bool on_worker) {
    begin(task->session);
    if (!on_worker) {
        ask_door(task);
        return;
    }
    task->job.run = ask_door_job;
    corm_status status = base__pool_submit(task->session->pool, &task->job, &task->error);
    if (status != CORM_OK) finish(task, status);
}

void session__task_fail(corm_task *task, corm_status status, const corm_error *error) {
    begin(task->session);
    task->error = *error;
    finish(task, status);
}

corm_task *session__task_run(corm_session *session, corm_status status,
                             const session_request *request, bool on_worker,
                             corm_task_callback callback, void *context, corm_error *err) {
    corm_task *task = session__task_new(session, callback, context);
    if (!task) return NULL;
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

/* Under the task's lock. */
static corm_status wait_until_done(corm_task *task, uint32_t timeout_ms) {
    struct timespec deadline = deadline_of(timeout_ms);
    int             result = 0;
    while (!task->done && result != ETIMEDOUT) {
        result = timeout_ms == 0 ? pthread_cond_wait(&task->ended, &task->lock)
                                 : pthread_cond_timedwait(&task->ended, &task->lock, &deadline);
    }
    return task->done ? task->status : CORM_TIMEOUT;
}

static bool is_own_callback(const corm_task *task) {
    return task->running && pthread_equal(task->runner, pthread_self());
}

static corm_status wait_here(corm_task *task, uint32_t timeout_ms) {
    pthread_mutex_lock(&task->lock);
    corm_status status =
        is_own_callback(task) ? CORM_WOULD_DEADLOCK : wait_until_done(task, timeout_ms);
    pthread_mutex_unlock(&task->lock);
    return status;
}

corm_status corm_task_wait(corm_task *task, uint32_t timeout_ms) {
    corm_session *session = task->session;
    if (corm_task_is_done(task)) return task->status;
    if (!base__pool_is_worker(session->pool)) return wait_here(task, timeout_ms);
    if (!begin_wait(session)) return CORM_WOULD_DEADLOCK;
    corm_status status = wait_here(task, timeout_ms);
    end_wait(session);
    return status;
}

bool corm_task_is_done(const corm_task *task) {
    corm_task *own = (corm_task *)(uintptr_t)task;
    pthread_mutex_lock(&own->lock);
    bool done = own->done;
    pthread_mutex_unlock(&own->lock);
    return done;
}

void corm_task_cancel(corm_task *task) {
    atomic_store(&task->cancelled, true);
}
