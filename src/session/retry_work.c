// SPDX-License-Identifier: MIT
/* retry_work.c -- a piece of the program's own work, tried again while it fails in a way that may pass. The caller's thread. */
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/fail.h"
#include "corm/cluster.h"
#include "session/core.h"

enum { MAX_RETRIES = 3, BASE_DELAY_MS = 100, MAX_DELAY_MS = 10000 };

void session__pause(uint32_t ms) {
    struct timespec left = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };
    while (nanosleep(&left, &left) != 0 && errno == EINTR) continue;
}

/* What is given, else the session's own, else the defaults of the header. */
static corm_retry_options options_of(corm_session *session, const corm_retry_options *given) {
    session_door      *door = session->door;
    corm_retry_options out = { 0 };
    if (given) {
        out = *given;
    } else if (door->ops->options) {
        out = door->ops->options(door)->retry;
    }
    if (out.max_retries == 0) out.max_retries = MAX_RETRIES;
    if (out.base_delay_ms == 0) out.base_delay_ms = BASE_DELAY_MS;
    if (out.max_delay_ms == 0) out.max_delay_ms = MAX_DELAY_MS;
    if (out.kind == CORM_RETRY_FALLTHROUGH) out.max_retries = 0;
    return out;
}

/* Full jitter: anything up to the pause that is due, so that programs that failed together do not come back together. */
static uint32_t pause_before(const corm_retry_options *options, uint32_t retries) {
    uint32_t most = options->base_delay_ms;
    if (options->backoff == CORM_BACKOFF_CONSTANT) return most;
    for (; retries > 0 && most < options->max_delay_ms; retries--) {
        most = most > UINT32_MAX / 2 ? UINT32_MAX : 2 * most;
    }
    if (most > options->max_delay_ms) most = options->max_delay_ms;
    uint64_t random = 0;
    if (!base__random(&random, sizeof random)) return most;
    return (uint32_t)(random % ((uint64_t)most + 1));
}

/* A cluster's lost connection is another node's chance; an embedded store's failing disk stays what it is. */
static bool may_pass(const corm_session *session, corm_status status) {
    if (status == CORM_IO) return session->door->ops->asynchronous;
    return corm_status_is_retryable(status);
}

static corm_status give_up(corm_status status, const corm_error *last, uint32_t tries,
                           corm_error *err) {
    if (!err) return status;
    *err = *last;
    err->status = status;
    if (tries > 1) {
        int room = (int)(sizeof err->message - sizeof "after 4294967295 tries: ");
        snprintf(err->message, sizeof err->message, "after %u tries: %.*s", tries, room,
                 last->message);
    }
    return status;
}

corm_status corm_execute_with_retry(corm_session *session, corm_work work, void *context,
                                    const corm_retry_options *retry, corm_error *err) {
    CORM_TRY(session__check_open(session, err));
    corm_retry_options options = options_of(session, retry);
    for (uint32_t retries = 0;; retries++) {
        corm_error  error = { 0 };
        corm_status status = work(context, session, &error);
        if (status == CORM_OK) return CORM_OK;
        if (retries == options.max_retries || !may_pass(session, status)) {
            return give_up(status, &error, retries + 1, err);
        }
        session__pause(pause_before(&options, retries));
    }
}
