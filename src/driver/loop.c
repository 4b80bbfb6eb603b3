// SPDX-License-Identifier: MIT
/* loop.c -- opening, waiting, closing: the thread of a cluster, or the caller's loop.
 *
 * With a thread of its own every function may be called from any thread; what waits, waits on a semaphore on the caller's
 * stack. With the caller's loop everything happens on the loop's thread; what waits, runs the loop. */
#include "driver/loop.h"

#include <signal.h>
#include <stdlib.h>

#include "base/fail.h"

bool driver__has_own_thread(const driver_cluster *cluster) {
    return cluster->inbox->thread != NULL;
}

bool driver__on_loop(const driver_cluster *cluster) {
    const driver_thread *thread = cluster->inbox->thread;
    return !thread || pthread_equal(pthread_self(), thread->id);
}

/* The caller's loop: its callbacks of sockets run between `before` and `after`, whoever runs the loop. */
bool driver__in_callback(const driver_cluster *cluster) {
    if (driver__has_own_thread(cluster)) return driver__on_loop(cluster);
    return cluster->calling > 0 || cluster->inbox->waits;
}

void driver__turn(driver_cluster *cluster) {
    (void)uv_run(cluster->loop, UV_RUN_ONCE);
}

const driver_settings *driver__settings(const driver_cluster *cluster) {
    return &cluster->settings;
}

/* ---- what driver__open waits for ---- */

bool driver__is_opening(const driver_cluster *cluster) {
    return cluster->inbox->opening;
}

void driver__opened(driver_cluster *cluster, corm_status status, const corm_error *err) {
    driver_inbox *inbox = cluster->inbox;
    if (!inbox->opening) return;
    inbox->opening = false;
    inbox->opened_status = status;
    if (err) inbox->opened_error = *err;
    driver__task_done(&inbox->opened);
}

static corm_status wait_until_open(driver_cluster *cluster, corm_error *err) {
    driver_inbox *inbox = cluster->inbox;
    if (inbox->thread) {
        while (sem_wait(&inbox->opened.finished) != 0) {
        }
    } else {
        driver__cluster_start(cluster);
        while (!inbox->opened.done) driver__turn(cluster);
    }
    if (inbox->opened_status == CORM_OK) return CORM_OK;
    return base__fail(err, inbox->opened_status, "%s", inbox->opened_error.message);
}

/* ---- closing ---- */

static void finished(driver_cluster *cluster) {
    driver_inbox *inbox = cluster->inbox;
    bool          names = driver__resolve_leave(cluster->dials);
    if (inbox->thread) inbox->thread->outlives = names;
    inbox->closer->outlived = names;
    driver__task_done(&inbox->closer->task);
}

static void on_closed(uv_handle_t *handle) {
    driver_inbox *inbox = handle->data;
    if (--inbox->handles == 0) finished(inbox->cluster);
}

static void close_handle(driver_inbox *inbox, uv_handle_t *handle) {
    handle->data = inbox;
    uv_close(handle, on_closed);
}

void driver__loop_finish(driver_cluster *cluster) {
    driver_inbox *inbox = cluster->inbox;
    if (inbox->finishing) return;
    inbox->finishing = true;
    close_handle(inbox, (uv_handle_t *)&inbox->async);
    close_handle(inbox, (uv_handle_t *)&inbox->before);
    close_handle(inbox, (uv_handle_t *)&inbox->after);
    close_handle(inbox, (uv_handle_t *)&inbox->busy);
    inbox->handles++; /* the timers' */
    cluster->timers.tick.data = inbox;
    driver__timers_close(&cluster->timers, on_closed);
}

static void stop(driver_cluster *cluster, driver_task *task) {
    driver_inbox *inbox = cluster->inbox;
    inbox->closer = (driver_closer *)task;
    (void)pthread_mutex_lock(&inbox->mutex);
    inbox->closed = true;
    (void)pthread_mutex_unlock(&inbox->mutex);
    driver__cluster_stop(cluster);
}

static void free_all(driver_cluster *cluster) {
    driver_inbox *inbox = cluster->inbox;
    inbox->thread = NULL;
    (void)sem_destroy(&inbox->opened.finished);
    driver__cluster_free(cluster);
    driver__inbox_free(inbox);
}

void driver__close(driver_cluster *cluster) {
    if (!cluster) return;
    driver_closer  closer = { .task.run = stop };
    driver_thread *thread = cluster->inbox->thread;
    pthread_t      id = thread ? thread->id : pthread_self();
    driver__task_run(cluster, &closer.task);
    if (thread && closer.outlived) (void)pthread_detach(id);
    if (thread && !closer.outlived) {
        (void)pthread_join(id, NULL);
        free(thread);
    }
    free_all(cluster);
}

/* ---- the thread ---- */

static void *run(void *context) {
    driver_thread *thread = context;
    thread->id = pthread_self();
    driver__cluster_start(thread->cluster);
    (void)uv_run(&thread->loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&thread->loop);
    if (thread->outlives) free(thread);
    return NULL;
}

static corm_status start_thread(driver_thread *thread, corm_error *err) {
    sigset_t  all, before;
    pthread_t id;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&id, NULL, run, thread);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed) return base__fail_errno(err, failed, "the session's thread cannot be started");
    return CORM_OK;
}

/* ---- opening ---- */

static corm_status make_loop(driver_cluster *cluster, driver_thread **out, corm_error *err) {
    cluster->loop = cluster->settings.options.loop;
    if (cluster->loop) return CORM_OK;
    driver_thread *thread = calloc(1, sizeof *thread);
    if (!thread) return base__fail_memory(err);
    int failed = uv_loop_init(&thread->loop);
    if (failed) {
        free(thread);
        return base__fail(err, CORM_IO, "no event loop can be made: %s", uv_strerror(failed));
    }
    thread->cluster = cluster;
    cluster->loop = &thread->loop;
    *out = thread;
    return CORM_OK;
}

static void drop_loop(driver_thread *thread) {
    if (!thread) return;
    (void)uv_run(&thread->loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&thread->loop);
    free(thread);
}

/* Nothing was begun: the handles are closed on the caller's thread. */
static void unmake(driver_cluster *cluster, driver_thread *thread) {
    driver_closer closer = { .task.run = stop };
    cluster->inbox->thread = NULL;
    driver__task_run(cluster, &closer.task);
    drop_loop(thread);
    free_all(cluster);
}

static void timers_closed(uv_handle_t *handle) {
    *(bool *)handle->data = true;
}

static corm_status start_handles(driver_cluster *cluster, corm_error *err) {
    CORM_TRY(driver__timers_init(&cluster->timers, cluster->loop, err));
    corm_status status = driver__inbox_start(cluster->inbox, err);
    if (status == CORM_OK) return CORM_OK;
    bool closed = false;
    cluster->timers.tick.data = &closed;
    driver__timers_close(&cluster->timers, timers_closed);
    while (!closed) (void)uv_run(cluster->loop, UV_RUN_NOWAIT);
    return status;
}

static corm_status make(driver_settings *settings, driver_cluster **out, driver_thread **thread,
                        corm_error *err) {
    driver_cluster *cluster;
    *thread = NULL;
    CORM_TRY(driver__cluster_new(settings, &cluster, err));
    corm_status status = driver__inbox_new(cluster, &cluster->inbox, err);
    if (status == CORM_OK) status = make_loop(cluster, thread, err);
    if (status == CORM_OK) status = start_handles(cluster, err);
    if (status == CORM_OK) {
        *out = cluster;
        return CORM_OK;
    }
    driver_inbox *inbox = cluster->inbox;
    driver__cluster_free(cluster);
    driver__inbox_free(inbox);
    drop_loop(*thread);
    return status;
}

corm_status driver__open(driver_settings *settings, driver_cluster **out, corm_error *err) {
    driver_cluster *cluster;
    driver_thread  *thread;
    CORM_TRY(make(settings, &cluster, &thread, err));
    (void)sem_init(&cluster->inbox->opened.finished, 0, 0);
    cluster->inbox->thread = thread;
    corm_status status = thread ? start_thread(thread, err) : CORM_OK;
    if (status != CORM_OK) {
        unmake(cluster, thread);
        return status;
    }
    status = wait_until_open(cluster, err);
    if (status != CORM_OK) {
        driver__close(cluster);
        return status;
    }
    *out = cluster;
    return CORM_OK;
}

/* ---- waiting for an answer ---- */

typedef struct loop_wait {
    sem_t       finished;
    bool        done;
    corm_status status;
    corm_error *err;
} loop_wait;

static void answered(void *context, corm_status status, const corm_error *err) {
    loop_wait *wait = context;
    wait->status = status;
    if (status != CORM_OK && err && wait->err) *wait->err = *err;
    wait->done = true;
    (void)sem_post(&wait->finished);
}

corm_status driver__execute(driver_cluster *cluster, corm_str keyspace, const wire_request *request,
                            wire_answer *answer, corm_error *err) {
    loop_wait wait = { .err = err };
    if (driver__in_callback(cluster)) {
        return base__fail(
            err, CORM_WOULD_DEADLOCK,
            "a callback cannot wait for its own session: the answer would never come");
    }
    (void)sem_init(&wait.finished, 0, 0);
    driver__submit(cluster, keyspace, request, answer, answered, &wait);
    if (driver__has_own_thread(cluster)) {
        while (sem_wait(&wait.finished) != 0) {
        }
    } else {
        while (!wait.done) driver__turn(cluster);
    }
    (void)sem_destroy(&wait.finished);
    return wait.status;
}

/* ---- agreement ---- */

typedef struct agree_task {
    driver_task   task; /* first */
    driver_waiter waiter;
    uint32_t      timeout_ms;
    corm_status   status;
    corm_error   *err;
} agree_task;

static void agreed(driver_waiter *waiter, corm_status status, const corm_error *err) {
    agree_task *task = (agree_task *)(void *)((char *)waiter - offsetof(agree_task, waiter));
    task->status = status;
    if (status != CORM_OK && task->err) *task->err = *err;
    driver__task_done(&task->task);
}

static void agree(driver_cluster *cluster, driver_task *task) {
    agree_task *own = (agree_task *)task;
    driver__cluster_agree(cluster, &own->waiter, own->timeout_ms);
}

corm_status driver__wait_for_agreement(driver_cluster *cluster, uint32_t timeout_ms,
                                       corm_error *err) {
    agree_task task = {
        .task.run = agree,
        .waiter.wake = agreed,
        .timeout_ms = timeout_ms,
        .err = err,
    };
    if (driver__in_callback(cluster)) {
        return base__fail(err, CORM_WOULD_DEADLOCK, "a callback cannot wait for agreement");
    }
    if (!driver__has_own_thread(cluster)) uv_update_time(cluster->loop);
    driver__task_run(cluster, &task.task);
    return task.status;
}
