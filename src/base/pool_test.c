// SPDX-License-Identifier: MIT
#include "base/pool.h"

#include <pthread.h>
#include <stdatomic.h>

#include "testing/check.h"

enum { JOBS = 500 };

/* Lets `count` threads meet: the last one to arrive lets all go on. */
typedef struct gate {
    pthread_mutex_t lock;
    pthread_cond_t  open;
    int             missing; /* guarded by lock */
} gate;

static gate gate_of(int count) {
    return (gate){ PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, count };
}

static void meet(gate *g) {
    pthread_mutex_lock(&g->lock);
    if (--g->missing == 0) pthread_cond_broadcast(&g->open);
    while (g->missing > 0) pthread_cond_wait(&g->open, &g->lock);
    pthread_mutex_unlock(&g->lock);
}

typedef struct test_job {
    base_job    job; /* first, so that a base_job * is a test_job * */
    base_pool  *pool;
    atomic_int *counter;
    gate       *met;
    int         order;
    bool        in_worker;
} test_job;

static void count_up(base_job *job) {
    test_job *own = (test_job *)job;
    own->in_worker = base__pool_is_worker(own->pool);
    own->order = atomic_fetch_add(own->counter, 1);
    if (own->met) meet(own->met);
}

static base_pool *new_pool(uint32_t threads) {
    base_pool *pool = NULL;
    corm_error err;
    assert_ok(base__pool_new(threads, &pool, &err), err);
    return pool;
}

static void one_thread_runs_jobs_in_order_and_all_before_free_returns(void **state) {
    (void)state;
    static test_job jobs[JOBS];
    atomic_int      counter = 0;
    base_pool      *pool = new_pool(1);
    corm_error      err;
    for (int i = 0; i < JOBS; i++) {
        jobs[i] = (test_job){ { count_up, NULL }, pool, &counter, NULL, -1, false };
        assert_ok(base__pool_submit(pool, &jobs[i].job, &err), err);
    }
    base__pool_free(pool);
    assert_int_equal(counter, JOBS);
    for (int i = 0; i < JOBS; i++) {
        assert_int_equal(jobs[i].order, i);
        assert_true(jobs[i].in_worker);
    }
}

static void as_many_jobs_run_at_once_as_there_are_threads(void **state) {
    (void)state;
    enum { THREADS = 3 };
    test_job   jobs[THREADS];
    atomic_int counter = 0;
    gate       met = gate_of(THREADS);
    base_pool *pool = new_pool(THREADS);
    corm_error err;
    for (int i = 0; i < THREADS; i++) {
        jobs[i] = (test_job){ { count_up, NULL }, pool, &counter, &met, -1, false };
        assert_ok(base__pool_submit(pool, &jobs[i].job, &err), err);
    }
    base__pool_free(pool);
    assert_int_equal(counter, THREADS);
}

static void a_waiting_thread_takes_the_next_job(void **state) {
    (void)state;
    enum { ROUNDS = 50 };
    atomic_int counter = 0;
    gate       met[ROUNDS];
    test_job   jobs[ROUNDS];
    base_pool *pool = new_pool(2);
    corm_error err;
    for (int i = 0; i < ROUNDS; i++) {
        met[i] = gate_of(2);
        jobs[i] = (test_job){ { count_up, NULL }, pool, &counter, &met[i], -1, false };
        assert_ok(base__pool_submit(pool, &jobs[i].job, &err), err);
        meet(&met[i]);
    }
    base__pool_free(pool);
    assert_int_equal(counter, ROUNDS);
}

typedef struct chained_job {
    base_job    job;
    base_pool  *pool;
    atomic_int *runs;
    corm_status refused;
} chained_job;

/* Submits itself again until the pool refuses. */
static void chain(base_job *job) {
    chained_job *own = (chained_job *)job;
    atomic_fetch_add(own->runs, 1);
    own->refused = base__pool_submit(own->pool, job, NULL);
}

static void a_closing_pool_refuses_new_jobs(void **state) {
    (void)state;
    atomic_int  runs = 0;
    base_pool  *pool = new_pool(1);
    chained_job job = { { chain, NULL }, pool, &runs, CORM_OK };
    corm_error  err;
    assert_ok(base__pool_submit(pool, &job.job, &err), err);
    base__pool_free(pool);
    assert_status(job.refused, CORM_CLOSED);
    assert_true(runs > 0);
}

static void a_pool_without_threads_is_refused(void **state) {
    (void)state;
    base_pool *pool = NULL;
    corm_error err;
    assert_status(base__pool_new(0, &pool, &err), CORM_INVALID_ARGUMENT);
    assert_null(pool);
}

static void a_pool_that_never_ran_is_freed(void **state) {
    (void)state;
    base__pool_free(NULL);
    base_pool *pool = new_pool(4);
    assert_false(base__pool_is_worker(pool));
    base__pool_free(pool);
}

static void a_process_may_use_a_processor(void **state) {
    (void)state;
    assert_true(base__processors() >= 1);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_process_may_use_a_processor),
    cmocka_unit_test(one_thread_runs_jobs_in_order_and_all_before_free_returns),
    cmocka_unit_test(as_many_jobs_run_at_once_as_there_are_threads),
    cmocka_unit_test(a_waiting_thread_takes_the_next_job),
    cmocka_unit_test(a_closing_pool_refuses_new_jobs),
    cmocka_unit_test(a_pool_without_threads_is_refused),
    cmocka_unit_test(a_pool_that_never_ran_is_freed),
};

RUN_TESTS()
