// SPDX-License-Identifier: MIT
/* event.h -- what happens, told to those who want to know: rows written, models loaded, migrations, and the program's own events.
 *
 *   corm_events_subscribe(events, "row.*", on_row, NULL, &subscription, &err);
 *   corm_events_publish(events, &(corm_event){ .type = "order.paid", .source = "shop" }, &err);
 *
 * Types are names with dots. Each subscriber gets the events of a thread in the order of their publishing. No lock is held while a
 * handler runs: it may publish, subscribe and unsubscribe. */
#ifndef CORM_EVENT_H
#define CORM_EVENT_H

#include "corm/error.h"
#include "corm/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- what belongs together ---- */

/* The identifier of what this thread is doing, for logs and events; kept in it until it is set anew. At most 63 bytes are kept; NULL
 * or "": none. */
CORM_API void        corm_correlation_set(const char *id);
CORM_API const char *corm_correlation_id(void); /* "" : none. Borrowed, the thread's */

/* ---- events ---- */

typedef struct corm_event_field {
    const char *name;
    const char *value; /* NULL: null */
} corm_event_field;

/* What is published is copied where it must outlive the call. */
typedef struct corm_event {
    const char             *type;    /* "row.inserted" */
    const char             *source;  /* who tells: "mapper", a plugin's name … */
    const char             *subject; /* what it is about: "shop.users". default: none */
    const corm_event_field *data;
    uint32_t                data_count;
    corm_timestamp          at;             /* default: now */
    const char             *correlation_id; /* default: the thread's */
    uint64_t                number;         /* given by the events: 1, 2 … */
    /* Inside the process, for handlers that are not queued: what the publisher says of them. NULL in queued ones. */
    const void *object;
} corm_event;

typedef struct corm_events       corm_events;
typedef struct corm_subscription corm_subscription;

typedef void (*corm_event_handler)(const corm_event *event, void *context);

/* *out is released by corm_events_close(), which waits for the queues. */
CORM_API CORM_CHECKED corm_status corm_events_open(corm_events **out, corm_error *err);
CORM_API void                     corm_events_close(corm_events *events); /* NULL is ignored */

/* What becomes of an event for which the queue has no room. */
typedef enum corm_event_full {
    CORM_FULL_WAITS =
        0, /* the publisher waits; a handler of the same queue fails instead: CORM_OVERLOADED */
    CORM_FULL_DROPS_OLDEST,
    CORM_FULL_FAILS /* publishing returns CORM_OVERLOADED when all others have it */
} corm_event_full;

typedef struct corm_subscribe_options {
    bool
        queued; /* on a thread of its own. default: on the publisher's, before publishing returns */
    uint32_t        capacity; /* of the queue. default: 1024 */
    corm_event_full full;
    void (*release)(void *context); /* no handler runs any more. May be NULL */
    uint32_t _canary;
} corm_subscribe_options;

/* Pattern: a type; "row.*": one name more; "row.**": any that begin so; "**": all. *out (may be NULL) is for corm_unsubscribe();
 * otherwise it lasts as long as the events. `options` may be NULL. */
CORM_API CORM_CHECKED corm_status corm_events_subscribe(corm_events *events, const char *pattern,
                                                        corm_event_handler handler, void *context,
                                                        const corm_subscribe_options *options,
                                                        corm_subscription **out, corm_error *err);
/* When it returns no handler of it runs on another thread, and none will; what is queued is dropped. Also inside a handler, its
 * own too, and then it does not wait. Frees the subscription. NULL is ignored. */
CORM_API void corm_unsubscribe(corm_subscription *subscription);
/* Events that were dropped or failed for want of room. */
CORM_API uint64_t corm_subscription_lost(const corm_subscription *subscription);

/* Handlers that are not queued have run when it returns. CORM_OVERLOADED: a queue was full (see corm_event_full);
 * CORM_INVALID_ARGUMENT: the type is no name. */
CORM_API CORM_CHECKED corm_status corm_events_publish(corm_events *events, const corm_event *event,
                                                      corm_error *err);
/* Whether anybody would get an event of this type: to leave out what making it costs. */
CORM_API bool corm_events_wanted(const corm_events *events, const char *type);
/* Waits until all queues are empty and their handlers have returned. CORM_WOULD_DEADLOCK inside a handler. */
CORM_API CORM_CHECKED corm_status corm_events_drain(corm_events *events, corm_error *err);
/* The field's value, or NULL. */
CORM_API const char *corm_event_value(const corm_event *event, const char *name);
/* The event as one line of JSON, malloc'ed; NULL when memory is exhausted. */
CORM_API char *corm_event_json(const corm_event *event);

#ifdef __cplusplus
}
#endif
#endif
