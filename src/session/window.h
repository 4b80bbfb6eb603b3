// SPDX-License-Identifier: MIT
/* window.h -- several requests of one caller under way at the same time. The caller's thread starts them and takes them as they
 * end; nothing else happens on other threads than that an ended one joins a queue. */
#ifndef SESSION_WINDOW_H
#define SESSION_WINDOW_H

#include "session/core.h"

/* One request of the window; embedded in what it belongs to. Zero-initialised is free. */
typedef struct session_slot session_slot;
struct session_slot {
    struct session_window *window;
    session_slot          *next; /* in the queue of ended ones */
    corm_task             *task; /* NULL: nothing is under way */
    corm_status            status;
    corm_result           *result; /* of an ended one: the taker's */
    corm_error             error;
};

typedef struct session_window {
    corm_session   *session;
    uint32_t        under_way; /* started and not taken; the caller's thread */
    pthread_mutex_t lock;      /* guards the queue */
    pthread_cond_t  ended;
    session_slot   *first, **last;
} session_window;

/* CORM_WOULD_DEADLOCK where waiting would never end: inside a callback of the session's. */
CORM_CHECKED corm_status session__window_begin(session_window *window, corm_session *session,
                                               corm_error *err);
/* Starts a copy of the request in a free slot. */
CORM_CHECKED corm_status session__window_start(session_window *window, session_slot *slot,
                                               const session_request *request, corm_error *err);
/* Waits for the next that ends; its slot is free again. NULL when none is under way. */
session_slot *session__window_take(session_window *window);
/* Nothing may be under way. */
void session__window_end(session_window *window);

#endif
