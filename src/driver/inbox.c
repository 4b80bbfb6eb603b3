// SPDX-License-Identifier: MIT
/* inbox.c -- what other threads hand to the loop: requests, tasks, cancellations.
 *
 *   other threads ── lock, append, unlock ──► inbox ◄── lock, take all ── the loop, once behind and once before it waits
 *
 * The loop is woken (uv_async_send) only when it may wait; while it runs it finds what has come by itself. Requests are
 * objects that are used again: those of other threads come from `spare`, refilled from what has ended on the loop. */
#include <stdlib.h>

#include "base/fail.h"
#include "driver/loop.h"

enum { MOST_SPARE = 4096, MOST_DEPTH = 8 };

/* ---- request objects ---- */

static driver_request *take_own(driver_inbox *inbox) {
    driver_request *request = inbox->own_spare;
    if (!request) return calloc(1, sizeof *request);
    inbox->own_spare = request->next;
    inbox->own_count--;
    return request;
}

void driver__request_release(driver_request *request) {
    driver_inbox *inbox = request->cluster->inbox;
    if (inbox->own_count >= MOST_SPARE) {
        driver__request_dispose(request);
        free(request);
        return;
    }
    request->next = inbox->own_spare;
    inbox->own_spare = request;
    inbox->own_count++;
}

/* With the mutex: what has ended goes to other threads when they have none. */
static void share_spare(driver_inbox *inbox) {
    if (inbox->spare || !inbox->own_spare || !inbox->thread) return;
    inbox->spare = inbox->own_spare;
    inbox->own_spare = NULL;
    inbox->own_count = 0;
}

static void free_requests(driver_request *request) {
    while (request) {
        driver_request *next = request->next;
        driver__request_dispose(request);
        free(request);
        request = next;
    }
}

/* ---- submitting ---- */

typedef struct inbox_call {
    corm_str            keyspace;
    const wire_request *wire;
    wire_answer        *answer;
    driver_callback     callback;
    void               *context;
    void               *span;
} inbox_call;

static void set(driver_cluster *cluster, driver_request *request, const inbox_call *call) {
    request->cluster = cluster;
    request->keyspace = call->keyspace;
    request->wire = call->wire;
    request->answer = call->answer;
    request->callback = call->callback;
    request->context = call->context;
    request->span = call->span;
    request->serial = atomic_fetch_add_explicit(&cluster->inbox->serial, 1, memory_order_relaxed);
}

static void refuse(const inbox_call *call, corm_status status) {
    corm_error err;
    if (status == CORM_NO_MEMORY)
        (void)base__fail_memory(&err);
    else
        (void)base__fail(&err, status, "the session is closed");
    call->callback(call->context, status, &err);
}

/* With the mutex, without which the loop could have ended what it was given, and itself, before it is woken. */
static void wake(driver_inbox *inbox) {
    if (!inbox->sleeping || inbox->closed) return;
    inbox->sleeping = false;
    (void)uv_async_send(&inbox->async);
}

/* With the mutex. */
static void append(driver_inbox *inbox, driver_request *request) {
    request->next = NULL;
    *inbox->end = request;
    inbox->end = &request->next;
    wake(inbox);
}

static void post(driver_cluster *cluster, const inbox_call *call) {
    driver_inbox *inbox = cluster->inbox;
    (void)pthread_mutex_lock(&inbox->mutex);
    driver_request *request = inbox->spare;
    if (request) {
        inbox->spare = request->next;
    } else {
        (void)pthread_mutex_unlock(&inbox->mutex);
        request = calloc(1, sizeof *request);
        if (!request) {
            refuse(call, CORM_NO_MEMORY);
            return;
        }
        (void)pthread_mutex_lock(&inbox->mutex);
    }
    bool closed = inbox->closed;
    set(cluster, request, call);
    if (!closed) append(inbox, request);
    (void)pthread_mutex_unlock(&inbox->mutex);
    if (!closed) return;
    refuse(call, CORM_CLOSED);
    driver__request_dispose(request);
    free(request);
}

/* On the loop's thread it begins at once, but for callbacks that submit inside callbacks without end. */
static void start_here(driver_cluster *cluster, const inbox_call *call) {
    driver_inbox *inbox = cluster->inbox;
    if (inbox->depth >= MOST_DEPTH) {
        post(cluster, call);
        return;
    }
    driver_request *request = cluster->closing ? NULL : take_own(inbox);
    if (!request) {
        refuse(call, cluster->closing ? CORM_CLOSED : CORM_NO_MEMORY);
        return;
    }
    set(cluster, request, call);
    inbox->depth++;
    driver__request_start(request);
    inbox->depth--;
}

void driver__submit(driver_cluster *cluster, corm_str keyspace, const wire_request *request,
                    wire_answer *answer, driver_callback callback, void *context) {
    inbox_call call = { keyspace, request, answer,
                        callback, context, driver__observe_begin(&cluster->settings, request) };
    if (!driver__on_loop(cluster)) {
        post(cluster, &call);
        return;
    }
    if (!cluster->inbox->thread) uv_update_time(cluster->loop);
    start_here(cluster, &call);
}

/* ---- cancelling ---- */

/* A context may be used again at once: only what was submitted before counts. */
static void cancel(driver_cluster *cluster, const driver_cancel *cancel) {
    driver_request *request = cluster->requests;
    while (request && (request->context != cancel->context || request->serial >= cancel->serial)) {
        request = request->next;
    }
    if (request) driver__request_cancel(request);
}

void driver__cancel(driver_cluster *cluster, void *context) {
    driver_inbox *inbox = cluster->inbox;
    driver_cancel now = { context, atomic_load(&inbox->serial), NULL };
    if (driver__on_loop(cluster)) {
        cancel(cluster, &now);
        return;
    }
    driver_cancel *later = malloc(sizeof *later);
    if (!later) return; /* it ends by its answer or its deadline */
    *later = now;
    (void)pthread_mutex_lock(&inbox->mutex);
    later->next = inbox->cancels;
    inbox->cancels = later;
    wake(inbox);
    (void)pthread_mutex_unlock(&inbox->mutex);
}

static void cancel_all(driver_cluster *cluster, driver_cancel *list) {
    while (list) {
        driver_cancel *next = list->next;
        cancel(cluster, list);
        free(list);
        list = next;
    }
}

/* ---- tasks ---- */

void driver__task_done(driver_task *task) {
    task->done = true;
    (void)sem_post(&task->finished); /* the last touch: the other thread's stack goes on */
}

static void wait_for(driver_task *task) {
    while (sem_wait(&task->finished) != 0) {
    }
}

static void post_task(driver_inbox *inbox, driver_task *task) {
    task->next = NULL;
    (void)pthread_mutex_lock(&inbox->mutex);
    *inbox->tasks_end = task;
    inbox->tasks_end = &task->next;
    wake(inbox);
    (void)pthread_mutex_unlock(&inbox->mutex);
}

void driver__task_run(driver_cluster *cluster, driver_task *task) {
    task->done = false;
    (void)sem_init(&task->finished, 0, 0);
    if (driver__on_loop(cluster)) {
        task->run(cluster, task);
        while (!task->done) driver__turn(cluster);
    } else {
        post_task(cluster->inbox, task);
        wait_for(task);
    }
    (void)sem_destroy(&task->finished);
}

/* ---- the loop takes what has come ---- */

/* In a cluster that closes they end at once. */
static void start_all(driver_request *list) {
    while (list) {
        driver_request *next = list->next;
        driver__request_start(list);
        list = next;
    }
}

static void take(driver_inbox *inbox) {
    (void)pthread_mutex_lock(&inbox->mutex);
    driver_request *requests = inbox->first;
    driver_task    *tasks = inbox->tasks;
    driver_cancel  *cancels = inbox->cancels;
    inbox->first = NULL;
    inbox->end = &inbox->first;
    inbox->tasks = NULL;
    inbox->tasks_end = &inbox->tasks;
    inbox->cancels = NULL;
    inbox->sleeping = false;
    share_spare(inbox);
    (void)pthread_mutex_unlock(&inbox->mutex);
    start_all(requests);
    cancel_all(inbox->cluster, cancels);
    while (tasks) {
        driver_task *next = tasks->next; /* it may be gone when it has run */
        tasks->run(inbox->cluster, tasks);
        tasks = next;
    }
}

static void keep_turning(uv_idle_t *handle) {
    (void)handle; /* while it is active the loop does not wait */
}

/* What has come since the last look is taken behind the wait, which is none then. */
static void before_wait(uv_prepare_t *handle) {
    driver_inbox *inbox = handle->data;
    inbox->waits = true;
    (void)pthread_mutex_lock(&inbox->mutex);
    inbox->sleeping = !inbox->first && !inbox->tasks && !inbox->cancels;
    bool busy = !inbox->sleeping;
    (void)pthread_mutex_unlock(&inbox->mutex);
    if (busy) (void)uv_idle_start(&inbox->busy, keep_turning);
}

static void after_wait(uv_check_t *handle) {
    driver_inbox   *inbox = handle->data;
    driver_cluster *cluster = inbox->cluster;
    inbox->waits = false;
    cluster->rounds++;
    (void)uv_idle_stop(&inbox->busy);
    take(inbox);
    if (cluster->waiting) driver__cluster_serve(cluster);
}

static void woken(uv_async_t *handle) {
    (void)handle; /* after_wait does it */
}

/* ---- life ---- */

corm_status driver__inbox_new(driver_cluster *cluster, driver_inbox **out, corm_error *err) {
    driver_inbox *inbox = calloc(1, sizeof *inbox);
    if (!inbox) return base__fail_memory(err);
    inbox->cluster = cluster;
    inbox->end = &inbox->first;
    inbox->tasks_end = &inbox->tasks;
    inbox->opening = true;
    (void)pthread_mutex_init(&inbox->mutex, NULL);
    *out = inbox;
    return CORM_OK;
}

corm_status driver__inbox_start(driver_inbox *inbox, corm_error *err) {
    uv_loop_t *loop = inbox->cluster->loop;
    int        failed = uv_async_init(loop, &inbox->async, woken);
    if (failed) {
        return base__fail(err, CORM_IO, "the loop cannot be woken: %s", uv_strerror(failed));
    }
    (void)uv_prepare_init(loop, &inbox->before); /* none of these can fail */
    (void)uv_check_init(loop, &inbox->after);
    (void)uv_idle_init(loop, &inbox->busy);
    inbox->async.data = inbox->before.data = inbox->after.data = inbox->busy.data = inbox;
    (void)uv_prepare_start(&inbox->before, before_wait);
    (void)uv_check_start(&inbox->after, after_wait);
    inbox->handles = 4;
    return CORM_OK;
}

void driver__inbox_free(driver_inbox *inbox) {
    if (!inbox) return;
    free_requests(inbox->first);
    free_requests(inbox->spare);
    free_requests(inbox->own_spare);
    (void)pthread_mutex_destroy(&inbox->mutex);
    free(inbox);
}
