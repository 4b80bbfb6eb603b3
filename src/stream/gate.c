// SPDX-License-Identifier: MIT
/* gate.c -- see gate.h. */
#include "stream/gate.h"

#include <time.h>

#include "base/clock.h"
#include "base/fail.h"

corm_status stream__gate_init(stream_gate *gate, corm_session *session, corm_error *err) {
    pthread_condattr_t attributes;
    gate->session = session;
    if (pthread_condattr_init(&attributes) != 0) return base__fail_memory(err);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    bool made = pthread_cond_init(&gate->happened, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    if (!made) return base__fail_memory(err);
    pthread_mutex_init(&gate->lock, NULL);
    return CORM_OK;
}

void stream__gate_free(stream_gate *gate) {
    pthread_cond_destroy(&gate->happened);
    pthread_mutex_destroy(&gate->lock);
}

/* A loop has no clock of ours: what is to come at a time is waited for here, shortly. */
static void turn(stream_gate *gate, int64_t until_ns) {
    enum { SLICE_MS = 5 };
    session_door *door = gate->session->door;
    stream__unlock(gate);
    if (until_ns == 0) {
        door->ops->turn(door);
    } else if (base__clock_mono_ns() < until_ns) {
        session__pause(SLICE_MS);
    }
    stream__lock(gate);
}

void stream__wait(stream_gate *gate, int64_t until_ns) {
    if (stream__has_loop(gate->session)) {
        turn(gate, until_ns);
    } else if (until_ns == 0) {
        pthread_cond_wait(&gate->happened, &gate->lock);
    } else {
        struct timespec until = { .tv_sec = (time_t)(until_ns / 1000000000),
                                  .tv_nsec = (long)(until_ns % 1000000000) };
        pthread_cond_timedwait(&gate->happened, &gate->lock, &until);
    }
}

corm_status stream__may_wait(const corm_session *session, corm_error *err) {
    CORM_TRY(session__check_open(session, err));
    session_door *door = session->door;
    bool          inside = session->pool ? base__pool_is_worker(session->pool)
                                         : door->ops->in_callback && door->ops->in_callback(door);
    if (!inside) return CORM_OK;
    return base__fail(err, CORM_WOULD_DEADLOCK, "%s", corm_status_text(CORM_WOULD_DEADLOCK));
}
