// SPDX-License-Identifier: MIT
/* gate.h -- a lock, and waiting until something happened: on a condition, or by running the caller's own loop where the session has
 * no thread. */
#ifndef STREAM_GATE_H
#define STREAM_GATE_H

#include "session/core.h"

typedef struct stream_gate {
    corm_session   *session;
    pthread_mutex_t lock;
    pthread_cond_t  happened;
} stream_gate;

CORM_CHECKED corm_status stream__gate_init(stream_gate *gate, corm_session *session,
                                           corm_error *err);
void                     stream__gate_free(stream_gate *gate);

static inline void stream__lock(stream_gate *gate) {
    pthread_mutex_lock(&gate->lock);
}
static inline void stream__unlock(stream_gate *gate) {
    pthread_mutex_unlock(&gate->lock);
}
/* Wakes all who wait. Under the lock. */
static inline void stream__wake(stream_gate *gate) {
    pthread_cond_broadcast(&gate->happened);
}
/* Under the lock, which is given back meanwhile; until somebody wakes, or base__clock_mono_ns() has come to `until_ns` (0: no
 * time). May return early. */
void stream__wait(stream_gate *gate, int64_t until_ns);

/* CORM_WOULD_DEADLOCK where waiting would never end: inside a callback of the session's. */
CORM_CHECKED corm_status stream__may_wait(const corm_session *session, corm_error *err);

/* Whether the caller's loop carries the session: only its thread may use it. */
static inline bool stream__has_loop(const corm_session *session) {
    return session->door->ops->turn != NULL;
}

#endif
