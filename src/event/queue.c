// SPDX-License-Identifier: MIT
/* queue.c -- a bounded ring of events with a thread that hands them to one handler, in order.
 *
 * Owns its thread and the copies that wait. Its thread runs the handler with no lock held; everything else on any thread. */
#include <stdlib.h>

#include "base/fail.h"
#include "event/core.h"

struct event_queue {
    atomic_uint refs; /* its owner's and its thread's */
    void (*ended)(void *context);
    corm_event_handler handler;
    void              *context;
    corm_event_full    full;
    pthread_t          thread;
    pthread_mutex_t    lock; /* guards everything below */
    pthread_cond_t     changed;
    uint32_t           capacity, first, count;
    corm_event       **ring;
    bool               stopped, busy;
    uint64_t           lost;
};

static void unref(event_queue *queue) {
    if (atomic_fetch_sub(&queue->refs, 1) != 1) return;
    while (queue->count > 0) {
        free(queue->ring[queue->first]);
        queue->first = (queue->first + 1) % queue->capacity;
        queue->count--;
    }
    pthread_cond_destroy(&queue->changed);
    pthread_mutex_destroy(&queue->lock);
    free(queue->ring);
    free(queue);
}

/* Under the lock. */
static corm_event *take_first(event_queue *queue) {
    corm_event *event = queue->ring[queue->first];
    queue->first = (queue->first + 1) % queue->capacity;
    queue->count--;
    return event;
}

/* Under the lock, which is given back meanwhile. */
static void handle_one(event_queue *queue) {
    corm_event *event = take_first(queue);
    queue->busy = true;
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
    queue->handler(event, queue->context);
    free(event);
    pthread_mutex_lock(&queue->lock);
    queue->busy = false;
    pthread_cond_broadcast(&queue->changed);
}

static void *work(void *context) {
    event_queue *queue = context;
    pthread_mutex_lock(&queue->lock);
    while (!queue->stopped) {
        if (queue->count == 0) {
            pthread_cond_wait(&queue->changed, &queue->lock);
        } else {
            handle_one(queue);
        }
    }
    pthread_mutex_unlock(&queue->lock);
    queue->ended(queue->context);
    unref(queue);
    return NULL;
}

corm_status event__queue_new(uint32_t capacity, corm_event_full full, corm_event_handler handler,
                             void (*ended)(void *context), void *context, event_queue **out,
                             corm_error *err) {
    event_queue *queue = calloc(1, sizeof *queue);
    if (queue) queue->ring = calloc(capacity, sizeof *queue->ring);
    if (!queue || !queue->ring) {
        free(queue);
        return base__fail_memory(err);
    }
    atomic_init(&queue->refs, 2);
    queue->ended = ended;
    queue->handler = handler;
    queue->context = context;
    queue->full = full;
    queue->capacity = capacity;
    pthread_mutex_init(&queue->lock, NULL);
    pthread_cond_init(&queue->changed, NULL);
    if (pthread_create(&queue->thread, NULL, work, queue) != 0) {
        atomic_store(&queue->refs, 1);
        unref(queue);
        return base__fail(err, CORM_NO_MEMORY, "no thread can be started");
    }
    *out = queue;
    return CORM_OK;
}

bool event__queue_is_here(const event_queue *queue) {
    return pthread_equal(queue->thread, pthread_self());
}

static corm_status overloaded(event_queue *queue, corm_error *err) {
    queue->lost++;
    return base__fail(err, CORM_OVERLOADED, "a queue of events is full: %u wait", queue->count);
}

/* Under the lock. Waiting for itself would never end. */
static corm_status make_room(event_queue *queue, corm_error *err) {
    if (queue->count < queue->capacity) return CORM_OK;
    if (queue->full == CORM_FULL_DROPS_OLDEST) {
        free(take_first(queue));
        queue->lost++;
        return CORM_OK;
    }
    if (queue->full == CORM_FULL_FAILS || event__queue_is_here(queue)) {
        return overloaded(queue, err);
    }
    while (queue->count == queue->capacity && !queue->stopped) {
        pthread_cond_wait(&queue->changed, &queue->lock);
    }
    return CORM_OK;
}

static corm_status put(event_queue *queue, corm_event *event, corm_error *err) {
    corm_status status = make_room(queue, err);
    if (status != CORM_OK || queue->stopped) {
        free(event);
        return status;
    }
    queue->ring[(queue->first + queue->count++) % queue->capacity] = event;
    pthread_cond_broadcast(&queue->changed);
    return CORM_OK;
}

corm_status event__queue_put(event_queue *queue, const corm_event *event, corm_error *err) {
    corm_event *copy = event__copy(event);
    if (!copy) return base__fail_memory(err);
    pthread_mutex_lock(&queue->lock);
    corm_status status = put(queue, copy, err);
    pthread_mutex_unlock(&queue->lock);
    return status;
}

uint64_t event__queue_lost(event_queue *queue) {
    pthread_mutex_lock(&queue->lock);
    uint64_t lost = queue->lost;
    pthread_mutex_unlock(&queue->lock);
    return lost;
}

void event__queue_drain(event_queue *queue) {
    pthread_mutex_lock(&queue->lock);
    while ((queue->count > 0 || queue->busy) && !queue->stopped) {
        pthread_cond_wait(&queue->changed, &queue->lock);
    }
    pthread_mutex_unlock(&queue->lock);
}

void event__queue_stop(event_queue *queue) {
    bool here = event__queue_is_here(queue);
    pthread_mutex_lock(&queue->lock);
    queue->stopped = true;
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
    if (here) {
        pthread_detach(queue->thread);
    } else {
        pthread_join(queue->thread, NULL);
    }
}

void event__queue_free(event_queue *queue) {
    unref(queue);
}
