// SPDX-License-Identifier: MIT
/* pool.h -- a few worker threads that run jobs in order of arrival. Threads start with the first
 * job. */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include "corm/error.h"

typedef struct base_pool base_pool;
typedef struct base_job  base_job;

/* Embedded in the caller's own object; must live until `run` is called, after which the pool does
 * not touch it. */
struct base_job {
    void (*run)(base_job *job);
    base_job *next; /* the pool's */
};

CORM_CHECKED corm_status base__pool_new(uint32_t threads, base_pool **out, corm_error *err);

/* Any thread. CORM_CLOSED after base__pool_free began. */
CORM_CHECKED corm_status base__pool_submit(base_pool *pool, base_job *job, corm_error *err);

/* Processors that this process may use: at least one. */
uint32_t base__processors(void);

/* Whether the caller is one of the pool's threads. */
bool base__pool_is_worker(const base_pool *pool);

/* Runs what is queued, then joins the threads. NULL is ignored. Not from a worker. */
void base__pool_free(base_pool *pool);

#endif
