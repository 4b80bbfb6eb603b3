// SPDX-License-Identifier: MIT
/* events.c -- subscriptions and publishing.
 *
 * The list is guarded by a lock that nobody holds while a handler runs. A subscription is counted: by the list, by each publisher
 * that is about to call it, by the thread of its queue; the last one releases its context. Any thread. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/fail.h"
#include "event/core.h"

enum { DEFAULT_CAPACITY = 1024, FEW = 16, MOST_DEPTH = 16 };

struct corm_subscription {
    atomic_uint        refs;
    corm_events       *events;
    corm_subscription *next; /* in the list; guarded by the lock, as are `gone` and `running` */
    corm_event_handler handler;
    void              *context;
    void (*release)(void *context);
    event_queue *queue; /* NULL: on the publisher's thread */
    bool         gone;
    uint32_t     running; /* handlers on publishers' threads */
    char         pattern[];
};

struct corm_events {
    pthread_mutex_t    lock; /* guards the list */
    pthread_cond_t     returned;
    corm_subscription *first; /* in the order of subscribing */
    atomic_uint        count;
    atomic_ullong      number;
};

static _Thread_local uint32_t depth; /* handlers on this thread's stack */

/* ---- subscriptions ---- */

static void unref(corm_subscription *subscription) {
    if (atomic_fetch_sub(&subscription->refs, 1) != 1) return;
    if (subscription->release) subscription->release(subscription->context);
    if (subscription->queue) event__queue_free(subscription->queue);
    free(subscription);
}

static void end_of_queue(void *context) {
    unref(context);
}

/* On the thread of the queue. */
static void handle_queued(const corm_event *event, void *context) {
    corm_subscription *s = context;
    depth++;
    s->handler(event, s->context);
    depth--;
}

static corm_status check(const char *pattern, corm_event_handler handler,
                         const corm_subscribe_options *options, corm_error *err) {
    if (!event__is_pattern(pattern)) {
        return base__fail(err, CORM_INVALID_ARGUMENT, "'%s' is no pattern of events",
                          pattern ? pattern : "");
    }
    if (!handler) return base__fail(err, CORM_INVALID_ARGUMENT, "there is no handler");
    if (options->_canary != 0 || (unsigned)options->full > CORM_FULL_FAILS) {
        return base__fail(err, CORM_INVALID_ARGUMENT, "the options are not initialised");
    }
    return CORM_OK;
}

static corm_status make_queue(corm_subscription *s, const corm_subscribe_options *options,
                              corm_error *err) {
    if (!options->queued) return CORM_OK;
    uint32_t capacity = options->capacity ? options->capacity : DEFAULT_CAPACITY;
    atomic_fetch_add(&s->refs, 1); /* the thread's */
    corm_status status =
        event__queue_new(capacity, options->full, handle_queued, end_of_queue, s, &s->queue, err);
    if (status != CORM_OK) atomic_fetch_sub(&s->refs, 1);
    return status;
}

static void append(corm_events *events, corm_subscription *s) {
    pthread_mutex_lock(&events->lock);
    corm_subscription **link = &events->first;
    while (*link) link = &(*link)->next;
    *link = s;
    atomic_fetch_add(&events->count, 1);
    pthread_mutex_unlock(&events->lock);
}

corm_status corm_events_subscribe(corm_events *events, const char *pattern,
                                  corm_event_handler handler, void *context,
                                  const corm_subscribe_options *options, corm_subscription **out,
                                  corm_error *err) {
    static const corm_subscribe_options defaults;
    if (out) *out = NULL;
    if (!options) options = &defaults;
    CORM_TRY(check(pattern, handler, options, err));
    size_t             len = strlen(pattern) + 1;
    corm_subscription *s = calloc(1, sizeof *s + len);
    if (!s) return base__fail_memory(err);
    atomic_init(&s->refs, 1);
    s->events = events;
    s->handler = handler;
    s->context = context;
    memcpy(s->pattern, pattern, len);
    corm_status status = make_queue(s, options, err);
    if (status != CORM_OK) {
        free(s);
        return status;
    }
    s->release = options->release;
    append(events, s);
    if (out) *out = s;
    return CORM_OK;
}

/* Under the lock. */
static void take_out(corm_events *events, corm_subscription *s) {
    corm_subscription **link = &events->first;
    while (*link && *link != s) link = &(*link)->next;
    if (*link) *link = s->next;
    s->gone = true;
    atomic_fetch_sub(&events->count, 1);
}

/* Inside a handler nothing is waited for: it may be the one that is waited for elsewhere. */
void corm_unsubscribe(corm_subscription *s) {
    if (!s) return;
    corm_events *events = s->events;
    pthread_mutex_lock(&events->lock);
    take_out(events, s);
    while (s->running > 0 && depth == 0) pthread_cond_wait(&events->returned, &events->lock);
    pthread_mutex_unlock(&events->lock);
    if (s->queue) event__queue_stop(s->queue);
    unref(s);
}

uint64_t corm_subscription_lost(const corm_subscription *subscription) {
    return subscription->queue ? event__queue_lost(subscription->queue) : 0;
}

/* ---- publishing ---- */

/* Who gets an event: one reference each. */
typedef struct receivers {
    corm_subscription **items, *few[FEW];
    uint32_t            count;
} receivers;

/* A NULL type is everybody's. */
static bool gets(const corm_subscription *s, const char *type) {
    return !type || event__matches(s->pattern, type);
}

static uint32_t count_matches(const corm_events *events, const char *type) {
    uint32_t count = 0;
    for (const corm_subscription *s = events->first; s; s = s->next) {
        count += gets(s, type);
    }
    return count;
}

/* Under the lock. */
static corm_status collect_locked(corm_events *events, const char *type, receivers *out,
                                  corm_error *err) {
    uint32_t count = count_matches(events, type);
    out->items = out->few;
    if (count > FEW) out->items = malloc(count * sizeof(void *));
    if (!out->items) return base__fail_memory(err);
    for (corm_subscription *s = events->first; s; s = s->next) {
        if (!gets(s, type)) continue;
        atomic_fetch_add(&s->refs, 1);
        out->items[out->count++] = s;
    }
    return CORM_OK;
}

static corm_status collect(corm_events *events, const char *type, receivers *out, corm_error *err) {
    pthread_mutex_lock(&events->lock);
    corm_status status = collect_locked(events, type, out, err);
    pthread_mutex_unlock(&events->lock);
    return status;
}

/* False: it was unsubscribed meanwhile. */
static bool begin_call(corm_subscription *s) {
    pthread_mutex_lock(&s->events->lock);
    bool here = !s->gone;
    s->running += here;
    pthread_mutex_unlock(&s->events->lock);
    return here;
}

static void end_call(corm_subscription *s) {
    pthread_mutex_lock(&s->events->lock);
    s->running--;
    pthread_cond_broadcast(&s->events->returned);
    pthread_mutex_unlock(&s->events->lock);
}

static corm_status deliver(corm_subscription *s, const corm_event *event, corm_error *err) {
    if (!begin_call(s)) return CORM_OK;
    corm_status status = CORM_OK;
    if (s->queue) {
        status = event__queue_put(s->queue, event, err);
    } else {
        depth++;
        s->handler(event, s->context);
        depth--;
    }
    end_call(s);
    return status;
}

/* All get it, whatever the first failure is. */
static corm_status deliver_all(receivers *to, const corm_event *event, corm_error *err) {
    corm_status status = CORM_OK;
    for (uint32_t i = 0; i < to->count; i++) {
        corm_error  own;
        corm_status each = deliver(to->items[i], event, &own);
        if (each != CORM_OK && status == CORM_OK) {
            status = each;
            if (err) *err = own;
        }
        unref(to->items[i]);
    }
    if (to->items != to->few) free(to->items);
    return status;
}

static corm_status check_event(const corm_event *event, corm_error *err) {
    if (!event || !event__is_type(event->type)) {
        return base__fail(err, CORM_INVALID_ARGUMENT, "'%s' is no type of an event",
                          event && event->type ? event->type : "");
    }
    if (depth < MOST_DEPTH) return CORM_OK;
    return base__fail(err, CORM_INVALID, "handlers publish events whose handlers do, %d deep: '%s'",
                      MOST_DEPTH, event->type);
}

corm_status corm_events_publish(corm_events *events, const corm_event *event, corm_error *err) {
    CORM_TRY(check_event(event, err));
    if (atomic_load(&events->count) == 0) return CORM_OK;
    receivers to = { .count = 0 };
    CORM_TRY(collect(events, event->type, &to, err));
    corm_event out = *event;
    out.number = atomic_fetch_add(&events->number, 1) + 1;
    if (out.at.ms == 0) out.at.ms = base__clock_ms();
    if (!out.correlation_id && *corm_correlation_id()) out.correlation_id = corm_correlation_id();
    if (!out.source) out.source = "";
    return deliver_all(&to, &out, err);
}

bool corm_events_wanted(const corm_events *events, const char *type) {
    corm_events *own = (corm_events *)(uintptr_t)events;
    if (!events || atomic_load(&own->count) == 0) return false;
    pthread_mutex_lock(&own->lock);
    bool any = count_matches(own, type) > 0;
    pthread_mutex_unlock(&own->lock);
    return any;
}

/* ---- their life ---- */

corm_status corm_events_open(corm_events **out, corm_error *err) {
    *out = calloc(1, sizeof **out);
    if (!*out) return base__fail_memory(err);
    pthread_mutex_init(&(*out)->lock, NULL);
    pthread_cond_init(&(*out)->returned, NULL);
    return CORM_OK;
}

corm_status corm_events_drain(corm_events *events, corm_error *err) {
    receivers all = { .count = 0 };
    if (depth > 0)
        return base__fail(err, CORM_WOULD_DEADLOCK, "a handler cannot wait for handlers");
    CORM_TRY(collect(events, NULL, &all, err));
    for (uint32_t i = 0; i < all.count; i++) {
        if (all.items[i]->queue) event__queue_drain(all.items[i]->queue);
        unref(all.items[i]);
    }
    if (all.items != all.few) free(all.items);
    return CORM_OK;
}

static corm_subscription *first_of(corm_events *events) {
    pthread_mutex_lock(&events->lock);
    corm_subscription *first = events->first;
    pthread_mutex_unlock(&events->lock);
    return first;
}

void corm_events_close(corm_events *events) {
    corm_error unused;
    if (!events) return;
    corm_status status = corm_events_drain(events, &unused);
    (void)status; /* without memory for it, what waits is dropped */
    for (corm_subscription *s = first_of(events); s; s = first_of(events)) corm_unsubscribe(s);
    pthread_cond_destroy(&events->returned);
    pthread_mutex_destroy(&events->lock);
    free(events);
}
