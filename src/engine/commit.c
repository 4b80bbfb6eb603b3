// SPDX-License-Identifier: MIT
/* commit.c -- group commit: writes queue, and whoever leads runs all that wait in one transaction.
 *
 *   engine__write        joins the queue ─ nobody leads ──► leads rounds until its own job is done
 *                                        └ somebody does ─► sleeps until done, or until the lead is handed over
 *   engine__write_later  joins the queue ─ nobody leads ──► the writer thread leads
 *
 * A round takes jobs from the front of the queue. While its commit waits for the disk the next round gathers, and a moment longer
 * where that pays (gather.h). A leader whose job
 * is done hands over to a thread that waits, else to the writer thread; but where rounds are shorter than waking a thread is
 * long, it leads a few more first. The writer thread also runs the callbacks.
 *
 * When a transaction must be abandoned its jobs run again: all of them when the map was full and has grown, else one by one, so that
 * only those fail that must. */
#include "engine/core.h"

#include "base/clock.h"

enum { ROUND_MAX = 512, EXTRA_ROUNDS = 32, ARENA_KEPT = 1 << 20 };
static const int64_t  short_round_ns = 100000;
static const int64_t  reclaim_interval_ns = 1000000000;
static const int64_t  reclaim_pause_ns = 60 * (int64_t)1000000000; /* after a failure */
static const uint64_t reclaim_budget = 16;

/* ---- one transaction ---- */

typedef struct attempt {
    corm_status status;
    bool        full;
    corm_error  error;
} attempt;

static void empty_arena(base_arena *arena) {
    if (arena->total > ARENA_KEPT) {
        base__arena_free(arena);
    } else {
        base__arena_reset(arena);
    }
}

/* CORM_OK when the transaction can go on, whatever became of the job. */
static corm_status run_job(engine_job *job, engine_round *round, corm_error *err) {
    uint64_t writes = kv__writes(round->txn);
    job->error = (corm_error){ 0 };
    job->status = job->run(job, round, &job->error);
    empty_arena(round->arena);
    if (job->status == CORM_OK || kv__writes(round->txn) == writes) return CORM_OK;
    *err = job->error;
    return job->status;
}

/* Writers clear away, bit by bit, what earlier ones left. Their writes must not fail for it: it is left out for a while. */
static corm_status reclaim_a_little(engine_round *round, corm_error *err) {
    engine  *store = round->store;
    int64_t  now = base__clock_mono_ns();
    uint64_t reclaimed = 0, writes = kv__writes(round->txn);
    if (now < store->reclaim_at_ns) return CORM_OK;
    corm_status status = engine__reclaim_some(store, round->txn, round->schema,
                                              (uint32_t)(store->now_us() / 1000000), reclaim_budget,
                                              &reclaimed, err);
    empty_arena(round->arena);
    store->reclaim_at_ns = status != CORM_OK            ? now + reclaim_pause_ns
                           : reclaimed < reclaim_budget ? now + reclaim_interval_ns
                                                        : now;
    return kv__writes(round->txn) == writes ? CORM_OK : status;
}

static corm_status run_jobs(engine_round *round, engine_job *jobs, corm_error *err) {
    bool is_alone = jobs->is_alone;
    for (engine_job *job = jobs; job; job = job->next) CORM_TRY(run_job(job, round, err));
    if (kv__writes(round->txn) > 0 && !is_alone) CORM_TRY(reclaim_a_little(round, err));
    if (kv__writes(round->txn) > 0) CORM_TRY(engine__vectors_finish(round->store, round->txn, err));
    if (kv__writes(round->txn) > 0) CORM_TRY(engine__feed_end(round->store, round->txn, err));
    if (kv__writes(round->txn) > 0) CORM_TRY(engine__clock_end(round->store, round->txn, err));
    return CORM_OK;
}

static corm_status begin_round(engine_round *round, corm_error *err) {
    CORM_TRY(kv__write_begin(round->store->kv, &round->txn, err));
    corm_status status = engine__txn_schema(round->store, round->txn, &round->schema, err);
    if (status == CORM_OK) status = engine__feed_begin(round->store, round->txn, err);
    if (status == CORM_OK) status = engine__clock_begin(round->store, round->txn, err);
    if (status != CORM_OK) kv__abort(round->txn);
    return status;
}

static corm_status commit_round(engine_round *round, bool *full, corm_error *err) {
    engine  *store = round->store;
    uint64_t id = kv__txn_id(round->txn) + 1;
    int64_t  began = base__clock_mono_ns();
    CORM_TRY(kv__commit(round->txn, full, err));
    engine__gather_committed(&store->queue.gather, base__clock_mono_ns() - began);
    engine__publish_schema(store, round->next ? round->next : round->schema, id);
    store->clock_txn = id;
    store->clock_stored = store->clock_pending;
    store->feed_stored = store->feed;
    atomic_fetch_add_explicit(&store->commits, 1, memory_order_relaxed);
    return CORM_OK;
}

static void try_jobs(engine *store, engine_job *jobs, attempt *out) {
    engine_round round = { .store = store, .arena = &store->queue.arena };
    bool         wrote = false;
    out->full = false;
    out->status = begin_round(&round, &out->error);
    if (out->status != CORM_OK) return;
    out->status = run_jobs(&round, jobs, &out->error);
    if (out->status != CORM_OK) {
        out->full = kv__is_full(round.txn);
        kv__abort(round.txn);
    } else if (kv__writes(round.txn) == 0) {
        kv__abort(round.txn);
    } else {
        /* The cache of the transaction keeps round.schema alive until the next round. */
        out->status = commit_round(&round, &out->full, &out->error);
        wrote = out->status == CORM_OK;
    }
    if (wrote)
        engine__vectors_committed(store, round.next);
    else
        engine__vectors_abandoned(store);
    cql__schema_unref(round.next);
}

/* ---- one round ---- */

static void fail_jobs(engine_job *jobs, const attempt *failed) {
    for (engine_job *job = jobs; job; job = job->next) {
        job->status = failed->status;
        job->error = failed->error;
    }
}

/* Until the transaction went through, or failed for another reason than a full map. */
static void try_until_it_fits(engine *store, engine_job *jobs, attempt *out) {
    for (;;) {
        try_jobs(store, jobs, out);
        if (!out->full) return;
        out->status = kv__grow(store->kv, &out->error);
        if (out->status != CORM_OK) return;
    }
}

static void run_one_by_one(engine *store, engine_job *jobs) {
    for (engine_job *job = jobs; job; job = job->next) {
        engine_job *rest = job->next;
        attempt     last;
        job->next = NULL;
        try_until_it_fits(store, job, &last);
        if (last.status != CORM_OK) fail_jobs(job, &last);
        job->next = rest;
    }
}

static void run_round(engine *store, engine_job *jobs) {
    attempt last;
    try_until_it_fits(store, jobs, &last);
    if (last.status == CORM_OK) return;
    if (jobs->next) {
        run_one_by_one(store, jobs);
    } else {
        fail_jobs(jobs, &last);
    }
}

/* ---- the queue ---- */

static void push(engine_queue *queue, engine_job *job) {
    job->next = NULL;
    *queue->last = job;
    queue->last = &job->next;
    engine__gather_pushed(&queue->gather);
}

/* The front of the queue: many jobs, or one that must be alone. */
static engine_job *take_round(engine_queue *queue, uint32_t *count) {
    engine_job *jobs = queue->first, *end = jobs;
    *count = 1;
    while (*count < ROUND_MAX && end->next && !end->is_alone && !end->next->is_alone) {
        end = end->next;
        ++*count;
    }
    engine__gather_taken(&queue->gather, *count);
    queue->first = end->next;
    if (!queue->first) queue->last = &queue->first;
    end->next = NULL;
    return jobs;
}

static void tell(engine_queue *queue, engine_job *jobs) {
    while (jobs) {
        engine_job *job = jobs;
        jobs = job->next;
        if (job->finished) {
            job->next = NULL;
            *queue->finished_last = job;
            queue->finished_last = &job->next;
            pthread_cond_signal(&queue->writer_wake);
        } else {
            job->done = true;
            pthread_cond_signal(&job->changed);
        }
    }
}

/* The lock is held, and released while the round runs. */
static void lead_round(engine *store) {
    engine_queue *queue = &store->queue;
    uint32_t      count;
    engine__gather_wait(&queue->gather, &queue->lock);
    engine_job *jobs = take_round(queue, &count);
    pthread_mutex_unlock(&queue->lock);
    run_round(store, jobs);
    pthread_mutex_lock(&queue->lock);
    tell(queue, jobs);
    engine__gather_told(&queue->gather, count);
}

/* For the others that wait, as long as that is quicker than waking one of them to do it. */
static void lead_a_little_longer(engine *store) {
    int64_t began = base__clock_mono_ns();
    for (int i = 0; i < EXTRA_ROUNDS && store->queue.first; i++) {
        lead_round(store);
        int64_t now = base__clock_mono_ns();
        if (now - began > short_round_ns) return;
        began = now;
    }
}

static void hand_over(engine_queue *queue) {
    engine_job *heir = queue->first;
    while (heir && heir->finished) heir = heir->next;
    queue->has_leader = queue->first != NULL;
    if (heir) {
        heir->lead = true;
        pthread_cond_signal(&heir->changed);
    } else {
        queue->writer_leads = queue->first != NULL;
        pthread_cond_signal(&queue->writer_wake);
    }
}

corm_status engine__write(engine *store, engine_job *job, corm_error *err) {
    engine_queue *queue = &store->queue;
    pthread_cond_init(&job->changed, NULL);
    job->done = job->lead = false;
    job->finished = NULL;
    pthread_mutex_lock(&queue->lock);
    push(queue, job);
    /* The writer thread need not be woken when this one can do it; it may even be this one, in a callback. */
    if (!queue->has_leader || queue->writer_leads) {
        queue->has_leader = job->lead = true;
        queue->writer_leads = false;
    }
    while (!job->done && !job->lead) pthread_cond_wait(&job->changed, &queue->lock);
    if (job->lead) {
        int64_t began = base__clock_mono_ns();
        while (!job->done) lead_round(store);
        if (base__clock_mono_ns() - began < short_round_ns) lead_a_little_longer(store);
        hand_over(queue);
    }
    pthread_mutex_unlock(&queue->lock);
    pthread_cond_destroy(&job->changed);
    if (job->status != CORM_OK && err) *err = job->error;
    return job->status;
}

/* ---- the writer thread ---- */

static engine_job *take_finished(engine_queue *queue) {
    engine_job *jobs = queue->finished;
    queue->finished = NULL;
    queue->finished_last = &queue->finished;
    return jobs;
}

static void call_back(engine_queue *queue) {
    engine_job *jobs = take_finished(queue);
    pthread_mutex_unlock(&queue->lock);
    while (jobs) {
        engine_job *job = jobs;
        jobs = job->next;
        job->finished(job);
    }
    pthread_mutex_lock(&queue->lock);
}

static void *writer_main(void *context) {
    engine       *store = context;
    engine_queue *queue = &store->queue;
    pthread_mutex_lock(&queue->lock);
    for (;;) {
        if (queue->finished) {
            call_back(queue);
        } else if (queue->writer_leads) {
            queue->writer_leads = false;
            lead_round(store);
            hand_over(queue);
        } else if (queue->closing && !queue->first && !queue->has_leader) {
            break;
        } else {
            pthread_cond_wait(&queue->writer_wake, &queue->lock);
        }
    }
    pthread_mutex_unlock(&queue->lock);
    return NULL;
}

/* The lock is held. The thread is started by the first write that needs it. */
static corm_status need_writer(engine *store, corm_error *err) {
    engine_queue *queue = &store->queue;
    if (queue->has_writer) return CORM_OK;
    int number = pthread_create(&queue->writer, NULL, writer_main, store);
    if (number != 0) return base__fail_errno(err, number, "the writer thread cannot be started");
    queue->has_writer = true;
    return CORM_OK;
}

corm_status engine__write_later(engine *store, engine_job *job, corm_error *err) {
    engine_queue *queue = &store->queue;
    pthread_mutex_lock(&queue->lock);
    corm_status status = need_writer(store, err);
    if (status == CORM_OK) {
        push(queue, job);
        if (!queue->has_leader) {
            queue->has_leader = queue->writer_leads = true;
            pthread_cond_signal(&queue->writer_wake);
        }
    }
    pthread_mutex_unlock(&queue->lock);
    return status;
}

/* ---- life ---- */

corm_status engine__queue_init(engine *store, bool is_durable, corm_error *err) {
    engine_queue *queue = &store->queue;
    queue->last = &queue->first;
    queue->finished_last = &queue->finished;
    if (pthread_mutex_init(&queue->lock, NULL) != 0) return base__fail_memory(err);
    if (pthread_cond_init(&queue->writer_wake, NULL) != 0) {
        pthread_mutex_destroy(&queue->lock);
        return base__fail_memory(err);
    }
    if (engine__gather_init(&queue->gather, is_durable) == 0) return CORM_OK;
    pthread_cond_destroy(&queue->writer_wake);
    pthread_mutex_destroy(&queue->lock);
    return base__fail_memory(err);
}

void engine__queue_close(engine *store) {
    engine_queue *queue = &store->queue;
    pthread_mutex_lock(&queue->lock);
    queue->closing = true;
    pthread_cond_signal(&queue->writer_wake);
    bool has_writer = queue->has_writer;
    pthread_mutex_unlock(&queue->lock);
    if (has_writer) pthread_join(queue->writer, NULL);
    base__arena_free(&queue->arena);
    engine__gather_free(&queue->gather);
    pthread_cond_destroy(&queue->writer_wake);
    pthread_mutex_destroy(&queue->lock);
}
