// SPDX-License-Identifier: MIT
/* stats.c -- what a session tells beside results: figures, agreement on the schema, the server's traces. Any thread. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/fail.h"
#include "corm/cluster.h"
#include "session/core.h"

corm_status corm_session_stats(corm_session *session, const corm_stats **out, corm_error *err) {
    *out = NULL;
    CORM_TRY(session__check_open(session, err));
    session_door *door = session->door;
    if (door->ops->stats) return door->ops->stats(door, out, err);
    return base__fail(err, CORM_UNSUPPORTED, "an embedded store has no figures of connections");
}

void corm_stats_free(const corm_stats *stats) {
    free((void *)(uintptr_t)stats);
}

/* A store in this process always agrees with itself. */
corm_status corm_session_wait_for_agreement(corm_session *session, uint32_t timeout_ms,
                                            corm_error *err) {
    CORM_TRY(session__check_open(session, err));
    session_door *door = session->door;
    return door->ops->agree ? door->ops->agree(door, timeout_ms, err) : CORM_OK;
}

/* ---- traces ---- */

#define TRACE_SESSION "SELECT duration FROM system_traces.sessions WHERE session_id = ?"
#define TRACE_EVENTS                                                                               \
    "SELECT activity, source, source_elapsed, thread FROM system_traces.events WHERE session_id = ?"

enum { TRACE_FIRST_PAUSE_MS = 3, TRACE_MOST_MS = 2000 };

static corm_status ask(corm_session *session, const char *cql, corm_uuid id, corm_result **out,
                       corm_error *err) {
    return corm_execute(session, cql, out,
                        { .values = { corm_v(id) },
                          .request = { .consistency = CORM_LOCAL_ONE, .page_size = -1 },
                          .error = err });
}

/* The server writes the session's duration behind its last event. */
static corm_status is_written(corm_session *session, corm_uuid id, bool *written, corm_error *err) {
    corm_result *result;
    CORM_TRY(ask(session, TRACE_SESSION, id, &result, err));
    const corm_row *row = corm_result_next(result);
    *written = row && !corm_row_is_null(row, 0);
    corm_result_free(result);
    return CORM_OK;
}

static corm_status wait_until_written(corm_session *session, corm_uuid id, corm_error *err) {
    int64_t end = base__clock_mono_ns() + (int64_t)TRACE_MOST_MS * 1000000;
    bool    written = false;
    for (uint32_t pause = TRACE_FIRST_PAUSE_MS;; pause *= 2) {
        CORM_TRY(is_written(session, id, &written, err));
        int64_t left = (end - base__clock_mono_ns()) / 1000000;
        if (written || left <= 0) return CORM_OK;
        session__pause(pause < left ? pause : (uint32_t)left);
    }
}

corm_status corm_session_trace(corm_session *session, corm_uuid tracing_id, corm_result **out,
                               corm_error *err) {
    *out = NULL;
    if (corm_uuid_is_zero(tracing_id)) {
        return base__fail(err, CORM_INVALID_ARGUMENT, "the request was not traced");
    }
    CORM_TRY(session__check_open(session, err));
    CORM_TRY(wait_until_written(session, tracing_id, err));
    CORM_TRY(ask(session, TRACE_EVENTS, tracing_id, out, err));
    if (corm_result_row_count(*out) > 0) return CORM_OK;
    corm_result_free(*out);
    *out = NULL;
    return base__fail(err, CORM_NOT_FOUND, "the server has no trace of this id (yet)");
}
