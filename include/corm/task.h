// SPDX-License-Identifier: MIT
/* task.h -- one operation that is under way.
 *
 * Every operation `corm_x` has one implementation, `corm_x_async`, which takes a callback and gives
 * a task. The contract:
 *   - The callback runs exactly once, with no lock of Corm's held, on a thread of the session's or,
 *     when the operation ends at once, on the caller's before corm_x_async returns.
 *   - Cancelling asks the operation to stop; the callback still runs, with CORM_CANCELLED or with
 *     the result when that was quicker. A write whose commit has begun is not undone.
 *   - Waiting where it would never end (inside a callback on the session's only free thread) returns
 *     CORM_WOULD_DEADLOCK.
 *   - The task is freed by corm_task_free(), at any time, also inside the callback; freeing does not
 *     cancel. */
#ifndef CORM_TASK_H
#define CORM_TASK_H

#include "corm/error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct corm_task   corm_task;
typedef struct corm_result corm_result;

/* `result` is NULL on failure, else the callback's to free with corm_result_free(). `error` is NULL
 * on success, and valid only during the call. */
typedef void (*corm_task_callback)(void *context, corm_status status, corm_result *result,
                                   const corm_error *error);

/* Blocks until the callback has returned; gives the operation's status. timeout_ms 0 waits for ever;
 * CORM_TIMEOUT leaves the operation running. Any thread. */
CORM_API CORM_CHECKED corm_status corm_task_wait(corm_task *task, uint32_t timeout_ms);

/* Whether the callback has returned. Any thread. */
CORM_API bool corm_task_is_done(const corm_task *task);

/* Asks the operation to stop. Any thread, any number of times. */
CORM_API void corm_task_cancel(corm_task *task);

/* Gives the caller's reference back. NULL is ignored. */
CORM_API void corm_task_free(corm_task *task);

#ifdef __cplusplus
}
#endif
#endif
