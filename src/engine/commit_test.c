// SPDX-License-Identifier: MIT
#include "engine/core.h"

#include <errno.h>
#include <lmdb.h>
#include <sched.h>
#include <stdlib.h>

#include "testing/store.h"

static corm_error err;

/* A job that puts one key; what else it does is told. */
typedef struct put_job {
    engine_job   job; /* first */
    engine      *store;
    uint32_t     number;
    size_t       size;          /* of the value */
    corm_status  before, after; /* fails so before or after the put */
    int          runs;
    atomic_bool *hold, *held; /* waits here until hold is false */
    pthread_t    thread;
    corm_status  status;
    atomic_int  *finished;
} put_job;

static corm_status run_put(engine_job *job, engine_round *round, corm_error *e) {
    static uint8_t value[1 << 18];
    put_job       *put = (put_job *)job;
    uint8_t        key[8] = { 0 };
    put->runs++;
    if (put->hold) {
        atomic_store(put->held, true);
        while (atomic_load(put->hold)) sched_yield();
    }
    if (put->before != CORM_OK) return base__fail(e, put->before, "before %u", put->number);
    base__store_u32(key + 4, put->number);
    CORM_TRY(
        kv__put(round->txn, KV_DATA, (corm_bytes){ key, 8 }, (corm_bytes){ value, put->size }, e));
    if (put->after != CORM_OK) return base__fail(e, put->after, "after %u", put->number);
    return CORM_OK;
}

static put_job *make_jobs(engine *store, uint32_t count) {
    put_job *jobs = calloc(count, sizeof *jobs);
    assert_non_null(jobs);
    for (uint32_t i = 0; i < count; i++) {
        jobs[i].job.run = run_put;
        jobs[i].store = store;
        jobs[i].number = i;
        jobs[i].size = 10;
    }
    return jobs;
}

static void *write_one(void *context) {
    put_job   *put = context;
    corm_error e;
    put->status = engine__write(put->store, &put->job, &e);
    return NULL;
}

static uint32_t queued(engine *store) {
    uint32_t count = 0;
    pthread_mutex_lock(&store->queue.lock);
    for (engine_job *job = store->queue.first; job; job = job->next) count++;
    pthread_mutex_unlock(&store->queue.lock);
    return count;
}

/* The first job holds the lead until all others wait behind it: they are one round. */
static void write_together(engine *store, put_job *jobs, uint32_t count) {
    atomic_bool hold = true, held = false;
    put_job    *first = make_jobs(store, 1);
    first->number = UINT32_MAX;
    first->hold = &hold;
    first->held = &held;
    assert_int_equal(pthread_create(&first->thread, NULL, write_one, first), 0);
    while (!atomic_load(&held)) sched_yield();
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(pthread_create(&jobs[i].thread, NULL, write_one, &jobs[i]), 0);
    while (queued(store) < count) sched_yield();
    atomic_store(&hold, false);
    for (uint32_t i = 0; i < count; i++) pthread_join(jobs[i].thread, NULL);
    pthread_join(first->thread, NULL);
    assert_status(first->status, CORM_OK);
    free(first);
}

static bool is_stored(engine *store, uint32_t number) {
    engine_snapshot snapshot;
    uint8_t         key[8] = { 0 };
    corm_bytes      value;
    bool            found;
    base__store_u32(key + 4, number);
    assert_ok(engine__read_begin(store, &snapshot, &err), err);
    assert_ok(kv__get(snapshot.txn, KV_DATA, (corm_bytes){ key, 8 }, &value, &found, &err), err);
    engine__read_end(&snapshot);
    return found;
}

static uint64_t commits(engine *store) {
    engine_stats stats;
    engine__stats(store, &stats);
    return stats.commits;
}

/* ---- groups ---- */

static void writers_that_wait_are_committed_together(void **state) {
    (void)state;
    engine  *store = try_open();
    put_job *jobs = make_jobs(store, 64);
    write_together(store, jobs, 64);
    assert_int_equal(commits(store), 2);
    for (uint32_t i = 0; i < 64; i++) {
        assert_status(jobs[i].status, CORM_OK);
        assert_true(is_stored(store, i));
        assert_int_equal(jobs[i].runs, 1);
    }
    free(jobs);
    engine__close(store);
}

typedef struct many_writes {
    engine   *store;
    uint32_t  first, count;
    pthread_t thread;
} many_writes;

static void *write_many(void *context) {
    many_writes *writes = context;
    for (uint32_t i = 0; i < writes->count; i++) {
        put_job    put = { .job.run = run_put, .number = writes->first + i, .size = 10 };
        corm_error e;
        if (engine__write(writes->store, &put.job, &e) != CORM_OK) abort();
    }
    return NULL;
}

static void sixty_four_threads_need_few_commits(void **state) {
    (void)state;
    enum { THREADS = 64, EACH = 50 };
    engine     *store = NULL;
    many_writes writes[THREADS];
    assert_ok(engine__open(&(engine_options){ .path = "many", .map_bytes = (uint64_t)64 << 20 },
                           &store, &err),
              err);
    for (uint32_t i = 0; i < THREADS; i++) {
        writes[i] = (many_writes){ .store = store, .first = i * EACH, .count = EACH };
        assert_int_equal(pthread_create(&writes[i].thread, NULL, write_many, &writes[i]), 0);
    }
    for (uint32_t i = 0; i < THREADS; i++) pthread_join(writes[i].thread, NULL);
    for (uint32_t i = 0; i < THREADS * EACH; i++) assert_true(is_stored(store, i));
    assert_true(commits(store) < THREADS * EACH / 2);
    engine__close(store);
}

/* ---- failures ---- */

static void a_job_that_fails_while_planning_does_not_disturb_its_group(void **state) {
    (void)state;
    engine  *store = try_open();
    put_job *jobs = make_jobs(store, 8);
    jobs[3].before = CORM_INVALID;
    write_together(store, jobs, 8);
    for (uint32_t i = 0; i < 8; i++) {
        assert_status(jobs[i].status, i == 3 ? CORM_INVALID : CORM_OK);
        assert_int_equal(is_stored(store, i), i != 3);
        assert_int_equal(jobs[i].runs, 1);
    }
    assert_int_equal(commits(store), 2);
    free(jobs);
    engine__close(store);
}

static void a_job_that_fails_after_a_put_is_undone_and_the_others_run_again(void **state) {
    (void)state;
    engine  *store = try_open();
    put_job *jobs = make_jobs(store, 8);
    jobs[3].after = CORM_NO_MEMORY;
    write_together(store, jobs, 8);
    for (uint32_t i = 0; i < 8; i++) {
        assert_status(jobs[i].status, i == 3 ? CORM_NO_MEMORY : CORM_OK);
        assert_int_equal(is_stored(store, i), i != 3);
    }
    free(jobs);
    engine__close(store);
}

static void jobs_that_change_nothing_commit_nothing(void **state) {
    (void)state;
    engine  *store = try_open();
    uint64_t before = commits(store);
    put_job  put = { .job.run = run_put, .before = CORM_INVALID };
    assert_status(engine__write(store, &put.job, &err), CORM_INVALID);
    assert_string_equal(err.message, "before 0");
    assert_int_equal(commits(store), before);
    engine__close(store);
}

static void a_full_map_grows_under_the_jobs(void **state) {
    (void)state;
    engine *store = NULL;
    assert_ok(engine__open(&(engine_options){ .map_bytes = (uint64_t)1 << 20 }, &store, &err), err);
    put_job *jobs = make_jobs(store, 40);
    for (uint32_t i = 0; i < 40; i++) jobs[i].size = 1 << 18;
    write_together(store, jobs, 40);
    for (uint32_t i = 0; i < 40; i++) {
        assert_status(jobs[i].status, CORM_OK);
        assert_true(is_stored(store, i));
    }
    engine_stats stats;
    engine__stats(store, &stats);
    assert_true(stats.map_bytes > (uint64_t)10 << 20);
    free(jobs);
    engine__close(store);
}

typedef struct fault_plan {
    kv_fault_point point;
    int            skip, times, number;
} fault_plan;

static int fail_as_planned(void *context, kv_fault_point point) {
    fault_plan *plan = context;
    if (point != plan->point) return 0;
    if (plan->skip > 0) {
        plan->skip--;
        return 0;
    }
    if (plan->times == 0) return 0;
    plan->times--;
    return plan->number;
}

static void one_failed_commit_is_tried_again_one_by_one(void **state) {
    (void)state;
    engine    *store = try_open();
    put_job   *jobs = make_jobs(store, 8);
    fault_plan plan = { KV_FAULT_COMMIT, 1, 1, ENOSPC };
    kv__set_fault(store->kv, fail_as_planned, &plan);
    write_together(store, jobs, 8);
    for (uint32_t i = 0; i < 8; i++) {
        assert_status(jobs[i].status, CORM_OK);
        assert_int_equal(jobs[i].runs, 2);
        assert_true(is_stored(store, i));
    }
    kv__set_fault(store->kv, NULL, NULL);
    free(jobs);
    engine__close(store);
}

static void a_full_disk_fails_all_and_hurts_nothing(void **state) {
    (void)state;
    engine    *store = try_open();
    put_job   *jobs = make_jobs(store, 8);
    fault_plan plan = { KV_FAULT_COMMIT, 1, 1000, ENOSPC };
    kv__set_fault(store->kv, fail_as_planned, &plan);
    write_together(store, jobs, 8);
    for (uint32_t i = 0; i < 8; i++) {
        assert_status(jobs[i].status, CORM_DISK_FULL);
        assert_false(is_stored(store, i));
    }
    kv__set_fault(store->kv, NULL, NULL);
    put_job put = { .job.run = run_put, .number = 5, .size = 10 };
    assert_ok(engine__write(store, &put.job, &err), err);
    assert_true(is_stored(store, 5));
    assert_ok(kv__check(store->kv, &err), err);
    free(jobs);
    engine__close(store);
}

/* At each point in turn, whatever fails there once: nothing is lost and nothing half done. */
static void a_fault_at_any_point_is_survived(void **state) {
    (void)state;
    static const int numbers[] = { ENOSPC, ENOMEM, EIO, MDB_MAP_FULL };
    for (int point = KV_FAULT_BEGIN; point <= KV_FAULT_GROW; point++) {
        for (int skip = 0; skip < 8; skip++) {
            for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
                engine    *store = try_open();
                fault_plan plan = { (kv_fault_point)point, skip, 1, numbers[i] };
                put_job    put = { .job.run = run_put, .number = 1, .size = 10 };
                kv__set_fault(store->kv, fail_as_planned, &plan);
                corm_status status = engine__write(store, &put.job, &err);
                kv__set_fault(store->kv, NULL, NULL);
                assert_int_equal(is_stored(store, 1), status == CORM_OK);
                put.number = 2;
                assert_ok(engine__write(store, &put.job, &err), err);
                assert_true(is_stored(store, 2));
                engine__close(store);
            }
        }
    }
}

static void a_map_that_cannot_grow_fails_the_write(void **state) {
    (void)state;
    engine *store = NULL;
    assert_ok(engine__open(&(engine_options){ .map_bytes = (uint64_t)1 << 20 }, &store, &err), err);
    fault_plan plan = { KV_FAULT_GROW, 0, 100, ENOMEM };
    kv__set_fault(store->kv, fail_as_planned, &plan);
    corm_status status = CORM_OK;
    for (uint32_t i = 0; i < 20 && status == CORM_OK; i++) {
        put_job put = { .job.run = run_put, .number = i, .size = 1 << 18 };
        status = engine__write(store, &put.job, &err);
    }
    assert_status(status, CORM_NO_MEMORY);
    kv__set_fault(store->kv, NULL, NULL);
    put_job put = { .job.run = run_put, .number = 99, .size = 1 << 18 };
    assert_ok(engine__write(store, &put.job, &err), err);
    assert_true(is_stored(store, 99) && is_stored(store, 0));
    engine__close(store);
}

/* ---- without waiting ---- */

static void count_finished(engine_job *job) {
    put_job *put = (put_job *)job;
    atomic_fetch_add(put->finished, 1);
}

static void jobs_written_later_are_finished_on_the_writer_thread(void **state) {
    (void)state;
    enum { COUNT = 200 };
    engine    *store = try_open();
    put_job   *jobs = make_jobs(store, COUNT);
    atomic_int finished = 0;
    for (uint32_t i = 0; i < COUNT; i++) {
        jobs[i].finished = &finished;
        jobs[i].job.finished = count_finished;
        jobs[i].before = i % 10 == 0 ? CORM_INVALID : CORM_OK;
        assert_ok(engine__write_later(store, &jobs[i].job, &err), err);
        put_job put = { .job.run = run_put, .number = 1000 + i, .size = 10 };
        if (i % 20 == 0) assert_ok(engine__write(store, &put.job, &err), err);
    }
    while (atomic_load(&finished) < COUNT) sched_yield();
    for (uint32_t i = 0; i < COUNT; i++) {
        assert_status(jobs[i].job.status, jobs[i].before);
        assert_int_equal(is_stored(store, i), i % 10 != 0);
    }
    engine__close(store);
    free(jobs);
}

static void closing_waits_for_jobs_written_later(void **state) {
    (void)state;
    engine    *store = try_open();
    put_job   *jobs = make_jobs(store, 100);
    atomic_int finished = 0;
    for (uint32_t i = 0; i < 100; i++) {
        jobs[i].finished = &finished;
        jobs[i].job.finished = count_finished;
        assert_ok(engine__write_later(store, &jobs[i].job, &err), err);
    }
    engine__close(store);
    assert_int_equal(atomic_load(&finished), 100);
    free(jobs);
}

static void write_again_and_wait(engine_job *job) {
    put_job   *put = (put_job *)job;
    put_job    more = { .job.run = run_put, .number = put->number + 1000, .size = 10 };
    corm_error e;
    if (engine__write(put->store, &more.job, &e) != CORM_OK) abort();
    atomic_fetch_add(put->finished, 1);
}

static void a_callback_may_write_and_wait(void **state) {
    (void)state;
    engine    *store = try_open();
    put_job   *jobs = make_jobs(store, 50);
    atomic_int finished = 0;
    for (uint32_t i = 0; i < 50; i++) {
        jobs[i].store = store;
        jobs[i].finished = &finished;
        jobs[i].job.finished = write_again_and_wait;
        assert_ok(engine__write_later(store, &jobs[i].job, &err), err);
    }
    while (atomic_load(&finished) < 50) sched_yield();
    for (uint32_t i = 0; i < 50; i++)
        assert_true(is_stored(store, i) && is_stored(store, 1000 + i));
    engine__close(store);
    free(jobs);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(writers_that_wait_are_committed_together),
    cmocka_unit_test(sixty_four_threads_need_few_commits),
    cmocka_unit_test(a_job_that_fails_while_planning_does_not_disturb_its_group),
    cmocka_unit_test(a_job_that_fails_after_a_put_is_undone_and_the_others_run_again),
    cmocka_unit_test(jobs_that_change_nothing_commit_nothing),
    cmocka_unit_test(a_full_map_grows_under_the_jobs),
    cmocka_unit_test(one_failed_commit_is_tried_again_one_by_one),
    cmocka_unit_test(a_full_disk_fails_all_and_hurts_nothing),
    cmocka_unit_test(a_fault_at_any_point_is_survived),
    cmocka_unit_test(a_map_that_cannot_grow_fails_the_write),
    cmocka_unit_test(jobs_written_later_are_finished_on_the_writer_thread),
    cmocka_unit_test(closing_waits_for_jobs_written_later),
    cmocka_unit_test(a_callback_may_write_and_wait),
};

RUN_TESTS()
