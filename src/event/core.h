// SPDX-License-Identifier: MIT
/* core.h -- what the files of this folder share. */
#ifndef EVENT_CORE_H
#define EVENT_CORE_H

#include <pthread.h>
#include <stdatomic.h>

#include "corm/event.h"

/* Whether the pattern is one, and whether it means the type. */
bool event__is_pattern(const char *pattern);
bool event__is_type(const char *type);
bool event__matches(const char *pattern, const char *type);

/* A copy in one allocation, released by free(); NULL when memory is exhausted. Its `object` is NULL. */
corm_event *event__copy(const corm_event *event);

/* ---- queues ---- */

typedef struct event_queue event_queue;

/* `ended` is the last that its thread calls. */
CORM_CHECKED corm_status event__queue_new(uint32_t capacity, corm_event_full full,
                                          corm_event_handler handler, void (*ended)(void *context),
                                          void *context, event_queue **out, corm_error *err);
/* Copies the event. CORM_OVERLOADED. */
CORM_CHECKED corm_status event__queue_put(event_queue *queue, const corm_event *event,
                                          corm_error *err);
uint64_t                 event__queue_lost(event_queue *queue);
bool                     event__queue_is_here(const event_queue *queue); /* on its own thread */
void                     event__queue_drain(event_queue *queue);
/* Drops what waits and ends the thread: waits for its handler, unless called by that. */
void event__queue_stop(event_queue *queue);
/* After the stop. */
void event__queue_free(event_queue *queue);

#endif
