// SPDX-License-Identifier: MIT
/* batch_watch.c -- those who want to know of a batch's runs: hooks of its rows. Watches are counted, because a run that is not waited
 * for may end when the batch is freed.
 *
 * A batch belongs to one thread; runs end on any. */
#include <stdlib.h>

#include "base/fail.h"
#include "session/batch.h"

typedef struct watched {
    session_batch_watch *watch; /* one reference */
    void                *state;
} watched;

struct session_batch_run {
    uint32_t count;
    watched  items[];
};

void session__batch_watch(corm_batch *batch, session_batch_watch *watch) {
    if (!batch->watches) batch->last_watch = &batch->watches;
    atomic_init(&watch->refs, 1);
    watch->next = NULL;
    *batch->last_watch = watch;
    batch->last_watch = &watch->next;
}

session_batch_watch *session__batch_watches(const corm_batch *batch) {
    return batch->watches;
}

static void unref(session_batch_watch *watch) {
    if (atomic_fetch_sub(&watch->refs, 1) == 1) watch->free(watch);
}

void session__watches_drop(corm_batch *batch) {
    while (batch->watches) {
        session_batch_watch *watch = batch->watches;
        batch->watches = watch->next;
        unref(watch);
    }
}

static session_batch_run *new_run(const corm_batch *batch) {
    uint32_t count = 0;
    for (const session_batch_watch *w = batch->watches; w; w = w->next) count++;
    session_batch_run *run = calloc(1, sizeof *run + count * sizeof *run->items);
    if (!run) return NULL;
    for (session_batch_watch *w = batch->watches; w; w = w->next) {
        atomic_fetch_add(&w->refs, 1);
        run->items[run->count++].watch = w;
    }
    return run;
}

corm_status session__watch_begin(corm_batch *batch, session_batch_run **out, corm_error *err) {
    corm_error own = { 0 };
    *out = NULL;
    if (!batch->watches) return CORM_OK;
    session_batch_run *run = new_run(batch);
    if (!run) return base__fail_memory(err);
    corm_status status = CORM_OK;
    for (uint32_t i = 0; i < run->count && status == CORM_OK; i++) {
        session_batch_watch *watch = run->items[i].watch;
        status = watch->begin(watch, batch, &run->items[i].state, &own);
    }
    *out = run;
    if (status == CORM_OK) return CORM_OK;
    *out = NULL;
    status = session__watch_end(run, true, status, &own);
    if (err) *err = own;
    return status;
}

corm_status session__watch_end(session_batch_run *run, bool waited, corm_status status,
                               corm_error *err) {
    corm_error unused;
    if (!run) return status;
    if (!err) {
        unused = (corm_error){ .status = status };
        err = &unused;
    }
    for (uint32_t i = run->count; i-- > 0;) {
        session_batch_watch *watch = run->items[i].watch;
        status = watch->end(watch, run->items[i].state, waited, status, err);
        unref(watch);
    }
    free(run);
    return status;
}
