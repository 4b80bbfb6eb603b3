// SPDX-License-Identifier: MIT
/* spare.c -- tasks and results that have ended, kept with their memory for those that come. Bounded by bytes: as many as were
 * under way at the same time are found again, unless they were huge.
 *
 * Any thread; a list has a lock of its own that is held for a few instructions. */
#include "session/core.h"

enum { MOST_BYTES_OF_ONE = 2 << 20, MOST_BYTES = 16 << 20, OWN_BYTES = 1024 };

session_spare *session__spare_take(corm_session *session, session_spare_kind kind) {
    session_spares *spares = &session->spares;
    pthread_mutex_lock(&spares->lock);
    session_spare *spare = spares->first[kind];
    if (spare) {
        spares->first[kind] = spare->next;
        spares->bytes -= spare->bytes;
    }
    pthread_mutex_unlock(&spares->lock);
    return spare;
}

bool session__spare_keep(corm_session *session, session_spare_kind kind, session_spare *spare,
                         size_t bytes) {
    session_spares *spares = &session->spares;
    if (bytes > MOST_BYTES_OF_ONE) return false;
    spare->bytes = bytes + OWN_BYTES;
    pthread_mutex_lock(&spares->lock);
    bool keep = !spares->closed && spares->bytes + spare->bytes <= MOST_BYTES;
    if (keep) {
        spare->next = spares->first[kind];
        spares->first[kind] = spare;
        spares->bytes += spare->bytes;
    }
    pthread_mutex_unlock(&spares->lock);
    return keep;
}

static void destroy_all(session_spare *spare, void (*destroy)(session_spare *spare)) {
    while (spare) {
        session_spare *next = spare->next;
        destroy(spare);
        spare = next;
    }
}

void session__spares_close(corm_session *session) {
    session_spares *spares = &session->spares;
    pthread_mutex_lock(&spares->lock);
    session_spare *tasks = spares->first[SESSION_SPARE_TASK];
    session_spare *results = spares->first[SESSION_SPARE_RESULT];
    spares->first[SESSION_SPARE_TASK] = spares->first[SESSION_SPARE_RESULT] = NULL;
    spares->bytes = 0;
    spares->closed = true;
    pthread_mutex_unlock(&spares->lock);
    destroy_all(tasks, session__task_destroy);
    destroy_all(results, session__result_destroy);
}
