// SPDX-License-Identifier: MIT
/* parallel.h -- many requests under way at once, whose answers are taken in the order of asking. */
#ifndef ORM_PARALLEL_H
#define ORM_PARALLEL_H

#include "orm/core.h"

enum { ORM_WINDOW = 64 };

/* One answer, on the thread that asks. `result` is the function's to free, NULL on failure. */
typedef corm_status orm_answered(void *context, uint32_t request, corm_status status,
                                 corm_result *result, const corm_error *why);

typedef struct orm_slot {
    corm_task   *task; /* NULL: nothing under way */
    uint32_t     request;
    corm_result *result;
    corm_error   error;
} orm_slot;

/* Must not move while requests are under way. */
typedef struct orm_parallel {
    corm_session *session;
    orm_answered *answered;
    void         *context;
    corm_error   *err;
    uint32_t      next; /* slot */
    orm_slot      slots[ORM_WINDOW];
} orm_parallel;

/* Sends the statement as it is bound now; waits for the oldest when ORM_WINDOW are under way. The embedded store is asked on the
 * caller's thread: it has nobody to wait for. After a failure orm__parallel_stop() remains to be called. */
CORM_CHECKED corm_status orm__parallel_ask(orm_parallel *parallel, corm_statement *statement,
                                           uint32_t request);
/* Waits for all. */
CORM_CHECKED corm_status orm__parallel_end(orm_parallel *parallel);
/* Gives up on what is under way; nothing is answered any more. */
void orm__parallel_stop(orm_parallel *parallel);

#endif
