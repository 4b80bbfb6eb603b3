// SPDX-License-Identifier: MIT
/* pool.c -- worker threads over one queue.
 *
 * Owns its threads. A thread is started when a job arrives, no thread waits and the limit is not
 * reached; it lives until the pool is freed. Workers take no signals: those are the program's. */
#define _GNU_SOURCE /* sched_getaffinity */
#include "base/pool.h"

#include "base/fail.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

struct base_pool {
    pthread_mutex_t lock; /* guards everything below */
    pthread_cond_t  arrived;
    base_job       *head;
    base_job      **tail;
    uint32_t        queued;
    uint32_t        waiting; /* threads inside pthread_cond_wait */
    uint32_t        started;
    uint32_t        limit;
    bool            closing;
    pthread_t       threads[];
};

static _Thread_local const base_pool *own_pool; /* the pool whose worker this thread is */

corm_status base__pool_new(uint32_t threads, base_pool **out, corm_error *err) {
    *out = NULL;
    if (threads == 0) return base__fail(err, CORM_INVALID_ARGUMENT, "a pool needs a thread");
    base_pool *pool = calloc(1, sizeof *pool + threads * sizeof pool->threads[0]);
    if (!pool) return base__fail_memory(err);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->arrived, NULL);
    pool->tail = &pool->head;
    pool->limit = threads;
    *out = pool;
    return CORM_OK;
}

static base_job *take_job(base_pool *pool) {
    while (!pool->head && !pool->closing) {
        pool->waiting++;
        pthread_cond_wait(&pool->arrived, &pool->lock);
        pool->waiting--;
    }
    base_job *job = pool->head;
    if (!job) return NULL;
    pool->head = job->next;
    if (!pool->head) pool->tail = &pool->head;
    pool->queued--;
    return job;
}

static void *work(void *argument) {
    base_pool *pool = argument;
    own_pool = pool;
    pthread_mutex_lock(&pool->lock);
    for (base_job *job; (job = take_job(pool)) != NULL;) {
        pthread_mutex_unlock(&pool->lock);
        job->run(job);
        pthread_mutex_lock(&pool->lock);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

/* Under the lock. Gives pthread_create's number. */
static int start_thread(base_pool *pool) {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&pool->threads[pool->started], NULL, work, pool);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed == 0) pool->started++;
    return failed;
}

/* Under the lock. Failing to start one more thread is no error while there is another. EAGAIN is
 * how the system says that it has no room for one. */
static corm_status ensure_thread(base_pool *pool, corm_error *err) {
    if (pool->queued < pool->waiting || pool->started == pool->limit) return CORM_OK;
    int failed = start_thread(pool);
    if (failed == 0 || pool->started > 0) return CORM_OK;
    return base__fail_errno(err, failed == EAGAIN ? ENOMEM : failed, "cannot start a thread");
}

static corm_status submit(base_pool *pool, base_job *job, corm_error *err) {
    if (pool->closing) return base__fail(err, CORM_CLOSED, "the thread pool is closed");
    CORM_TRY(ensure_thread(pool, err));
    job->next = NULL;
    *pool->tail = job;
    pool->tail = &job->next;
    pool->queued++;
    pthread_cond_signal(&pool->arrived);
    return CORM_OK;
}

corm_status base__pool_submit(base_pool *pool, base_job *job, corm_error *err) {
    pthread_mutex_lock(&pool->lock);
    corm_status status = submit(pool, job, err);
    pthread_mutex_unlock(&pool->lock);
    return status;
}

bool base__pool_is_worker(const base_pool *pool) {
    return own_pool == pool;
}

void base__pool_free(base_pool *pool) {
    if (!pool) return;
    pthread_mutex_lock(&pool->lock);
    pool->closing = true;
    pthread_cond_broadcast(&pool->arrived);
    pthread_mutex_unlock(&pool->lock);
    for (uint32_t i = 0; i < pool->started; i++) pthread_join(pool->threads[i], NULL);
    pthread_cond_destroy(&pool->arrived);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

/* A machine may have more than a set of them has room for. */
uint32_t base__processors(void) {
    cpu_set_t set;
    int       allowed = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 0;
    long      count = allowed > 0 ? allowed : sysconf(_SC_NPROCESSORS_ONLN);
    return count > 0 ? (uint32_t)count : 1;
}
