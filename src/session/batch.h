// SPDX-License-Identifier: MIT
/* batch.h -- the inside of a batch, for those who run it in pieces. Private to this folder. */
#ifndef SESSION_BATCH_H
#define SESSION_BATCH_H

#include "session/core.h"

enum { SESSION_BATCH_MOST_ITEMS = 65535 /* the protocol's count has two bytes */ };

struct corm_batch {
    corm_session        *session; /* borrowed */
    corm_batch_kind      kind;
    corm_request_options options;
    base_arena           arena; /* texts and values */
    uint32_t             count, capacity;
    wire_batch_item     *items;
    corm_prepared      **held;       /* one reference each */
    uint32_t             held_count; /* at most count: one for each prepared item */
    session_batch_watch *watches, **last_watch;
};

/* The token of the partition that the statement is about. False when the partition key is not wholly bound by markers, or the server
 * would refuse it. `key` is room for it. */
bool session__token_of(const corm_prepared *prepared, const cql_value *values, base_buf *key,
                       int64_t *token);

/* Whether writes may be given timestamps of ours. With the server's own clock the order in which they are sent is all there is. */
bool session__has_stamps(const corm_session *session);

/* Between the beginning of a run and its end: batch_watch.c. NULL: nobody watches the batch. */
typedef struct session_batch_run session_batch_run;

/* When it fails, all that has to be told has been. */
CORM_CHECKED corm_status session__watch_begin(corm_batch *batch, session_batch_run **out,
                                              corm_error *err);
/* Gives the status that the caller sees, and frees the run. `waited`: on the thread that called. */
corm_status session__watch_end(session_batch_run *run, bool waited, corm_status status,
                               corm_error *err);
/* The batch lets go of all. */
void session__watches_drop(corm_batch *batch);
/* For a run that is not waited for: the new task ends it, before it calls back. One that is discarded does not. */
void session__task_watch(corm_task *task, session_batch_run *run);

#endif
