// SPDX-License-Identifier: MIT
/* hnsw_build.c -- a graph of many vectors at once, by several threads.
 *
 * All nodes are in their places first; then they are linked in the order of their ids, some at a time:
 *
 *   find    for each node of the batch: the nearest nodes that are linked, and those before it in the batch; its own lists
 *   join    for each node that those lists lead to: its list with the new nodes, in the order of their ids
 *
 * Nodes of one step are shared out among the threads. A step reads vectors and what earlier steps have written, and writes only lists
 * of its own, so that the graph does not depend on how many threads there are.
 *
 * Owns its threads, which end with the call; they take no signals and allocate nothing. Thread: the writer. */
#include <signal.h>
#include <stdlib.h>

#include "engine/hnsw_internal.h"

enum { BATCH = 256, MOST_THREADS = 16, FEW_NODES = 1024 /* that one thread links */ };

typedef struct join {
    uint32_t to, level, from;
} join;

typedef struct crew   crew;
typedef struct worker worker;
typedef void (*crew_step)(worker *w, uint32_t unit);

struct worker {
    crew          *of;
    pthread_t      thread;
    bool           started;
    hnsw_scratch  *scratch;
    hnsw_change   *change;
    hnsw_link_room room;
};

struct crew {
    hnsw    *graph;
    uint32_t first, count; /* the batch: ids */
    join    *joins;        /* by the node and level that they lead to */
    uint32_t join_count, join_capacity;
    uint32_t group_count, *groups; /* where each begins, and the end */
    worker   workers[MOST_THREADS];
    uint32_t worker_count;

    crew_step       step;
    uint32_t        units;
    atomic_uint     next; /* the unit that nobody has taken */
    pthread_mutex_t lock; /* guards the rest */
    pthread_cond_t  begun, done;
    uint64_t        turn;
    uint32_t        busy;
    bool            is_over;
};

/* ---- threads ---- */

static void work(worker *w) {
    crew    *c = w->of;
    uint32_t unit;
    while ((unit = atomic_fetch_add_explicit(&c->next, 1, memory_order_relaxed)) < c->units)
        c->step(w, unit);
}

static void *work_on(void *argument) {
    worker  *w = argument;
    crew    *c = w->of;
    uint64_t seen = 0;
    pthread_mutex_lock(&c->lock);
    for (;;) {
        while (c->turn == seen && !c->is_over) pthread_cond_wait(&c->begun, &c->lock);
        if (c->is_over) break;
        seen = c->turn;
        pthread_mutex_unlock(&c->lock);
        work(w);
        pthread_mutex_lock(&c->lock);
        if (--c->busy == 0) pthread_cond_signal(&c->done);
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

/* The caller is the first worker; one that cannot be started leaves its work to the others. */
static void start_workers(crew *c) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (uint32_t i = 1; i < c->worker_count; i++) {
        worker *w = &c->workers[i];
        w->started = pthread_create(&w->thread, NULL, work_on, w) == 0;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void end_workers(crew *c) {
    pthread_mutex_lock(&c->lock);
    c->is_over = true;
    pthread_cond_broadcast(&c->begun);
    pthread_mutex_unlock(&c->lock);
    for (uint32_t i = 1; i < c->worker_count; i++)
        if (c->workers[i].started) pthread_join(c->workers[i].thread, NULL);
}

/* Runs the step for all units, and waits until everybody is done. */
static void together(crew *c, crew_step step, uint32_t units) {
    pthread_mutex_lock(&c->lock);
    c->step = step;
    c->units = units;
    atomic_store_explicit(&c->next, 0, memory_order_relaxed);
    for (uint32_t i = 1; i < c->worker_count; i++) c->busy += c->workers[i].started;
    c->turn++;
    pthread_cond_broadcast(&c->begun);
    pthread_mutex_unlock(&c->lock);
    work(&c->workers[0]);
    pthread_mutex_lock(&c->lock);
    while (c->busy > 0) pthread_cond_wait(&c->done, &c->lock);
    pthread_mutex_unlock(&c->lock);
}

/* ---- find ---- */

/* Those nodes of the batch that come before the node and are on the level, into the pool. */
static void offer_mates(const crew *c, hnsw_scratch *scratch, uint32_t id, uint32_t level) {
    hnsw    *graph = c->graph;
    uint32_t mate = c->first;
    while (mate < id) {
        uint32_t count = 0;
        for (; mate < id && count < graph->base_links; mate++) {
            if (hnsw__level(graph, mate) < level) continue;
            scratch->ids[count] = mate;
            scratch->vectors[count++] = hnsw_vector(graph, mate);
        }
        hnsw__measure(graph, scratch, scratch->query, count);
        for (uint32_t i = 0; i < count; i++)
            hnsw__offer(scratch, graph->options.build_beam,
                        (hnsw_hit){ scratch->distances[i], scratch->ids[i] });
    }
}

static void choose_own(const crew *c, hnsw_scratch *scratch, uint32_t id, uint32_t level) {
    hnsw *graph = c->graph;
    offer_mates(c, scratch, id, level);
    hnsw__choose(graph, scratch->pool, scratch->pool_count, id, graph->options.connections,
                 hnsw_list(graph, id, level));
}

/* One node's own lists. Nothing leads to it yet, so nobody else looks at them. */
static void find(worker *w, uint32_t unit) {
    const crew   *c = w->of;
    hnsw         *graph = c->graph;
    hnsw_scratch *scratch = w->scratch;
    uint32_t      id = c->first + unit, level = hnsw__level(graph, id);
    memcpy(scratch->query, hnsw_vector(graph, id), graph->stride * sizeof(float));
    for (uint32_t l = level; l > graph->top; l--) {
        scratch->pool_count = 0;
        choose_own(c, scratch, id, l);
    }
    hnsw_hit at = hnsw__descend(graph, scratch, scratch->query, level);
    for (uint32_t l = level < graph->top ? level : graph->top;; l--) {
        hnsw__search_level(graph, scratch, scratch->query, at, graph->options.build_beam, l);
        at = scratch->pool[0];
        choose_own(c, scratch, id, l);
        if (l == 0) break;
    }
}

/* ---- join ---- */

static int by_target(const void *a, const void *b) {
    const join *x = a, *y = b;
    if (x->to != y->to) return x->to < y->to ? -1 : 1;
    if (x->level != y->level) return x->level < y->level ? -1 : 1;
    return (x->from > y->from) - (x->from < y->from);
}

static corm_status reserve_joins(crew *c, uint32_t more, corm_error *err) {
    if (c->join_count + more <= c->join_capacity) return CORM_OK;
    uint32_t  capacity = 2 * c->join_capacity + more;
    join     *joins = realloc(c->joins, capacity * sizeof *joins);
    uint32_t *groups = joins ? realloc(c->groups, ((size_t)capacity + 1) * sizeof *groups) : NULL;
    if (joins) c->joins = joins;
    if (!groups) return base__fail_memory(err);
    c->groups = groups;
    c->join_capacity = capacity;
    return CORM_OK;
}

static corm_status collect_from(crew *c, uint32_t id, corm_error *err) {
    for (uint32_t level = 0; level <= hnsw__level(c->graph, id); level++) {
        uint32_t        count;
        const uint32_t *links = hnsw__links(c->graph, id, level, &count);
        CORM_TRY(reserve_joins(c, count, err));
        for (uint32_t i = 0; i < count; i++)
            c->joins[c->join_count++] = (join){ links[i], level, id };
    }
    return CORM_OK;
}

/* All links of the batch, in groups of those that lead to one list's node. */
static corm_status collect(crew *c, corm_error *err) {
    c->join_count = c->group_count = 0;
    for (uint32_t i = 0; i < c->count; i++) CORM_TRY(collect_from(c, c->first + i, err));
    if (c->join_count == 0) return CORM_OK;
    qsort(c->joins, c->join_count, sizeof *c->joins, by_target);
    for (uint32_t i = 0; i < c->join_count; i++) {
        const join *before = i ? &c->joins[i - 1] : NULL, *now = &c->joins[i];
        if (!before || before->to != now->to || before->level != now->level)
            c->groups[c->group_count++] = i;
    }
    c->groups[c->group_count] = c->join_count;
    return CORM_OK;
}

static void join_group(worker *w, uint32_t unit) {
    const crew  *c = w->of;
    hnsw        *graph = c->graph;
    hnsw_change *change = w->change;
    const join  *joins = c->joins + c->groups[unit];
    uint32_t     count = c->groups[unit + 1] - c->groups[unit];
    uint32_t    *list = hnsw_list(graph, joins->to, joins->level);
    *change = (hnsw_change){ joins->to, joins->level, hnsw_length(graph, list, joins->level) };
    memcpy(change->links, list, change->count * sizeof *list);
    for (uint32_t i = 0; i < count; i++) hnsw__add_link(graph, change, joins[i].from, &w->room);
    hnsw__put_change(graph, change);
}

/* ---- the whole ---- */

static void enter_batch(crew *c) {
    pthread_rwlock_wrlock(&c->graph->lock);
    for (uint32_t i = 0; i < c->count; i++) hnsw__enter(c->graph, c->first + i);
    pthread_rwlock_unlock(&c->graph->lock);
}

/* The first node has nobody to be linked with; no batch is larger than what is linked. */
static corm_status link_batches(crew *c, corm_error *err) {
    c->count = 1;
    enter_batch(c);
    for (c->first = 1; c->first < c->graph->end; c->first += c->count) {
        uint32_t left = c->graph->end - c->first;
        c->count = c->first < BATCH ? c->first : BATCH;
        if (c->count > left) c->count = left;
        together(c, find, c->count);
        CORM_TRY(collect(c, err));
        together(c, join_group, c->group_count);
        enter_batch(c);
    }
    return CORM_OK;
}

static corm_status equip(worker *w, crew *c, corm_error *err) {
    hnsw  *graph = c->graph;
    size_t links = (size_t)graph->base_links + 1;
    w->of = c;
    w->change = malloc(sizeof *w->change + links * sizeof *w->change->links);
    w->room.hits = malloc(links * sizeof *w->room.hits);
    w->room.ids = malloc(links * sizeof *w->room.ids);
    if (!w->change || !w->room.hits || !w->room.ids) return base__fail_memory(err);
    return hnsw__scratch_take(graph, graph->options.build_beam, &w->scratch, err);
}

static void crew_free(crew *c) {
    for (uint32_t i = 0; i < c->worker_count; i++) {
        worker *w = &c->workers[i];
        hnsw__scratch_give(c->graph, w->scratch);
        free(w->change);
        free(w->room.hits);
        free(w->room.ids);
    }
    free(c->joins);
    free(c->groups);
    pthread_mutex_destroy(&c->lock);
    pthread_cond_destroy(&c->begun);
    pthread_cond_destroy(&c->done);
    free(c);
}

static uint32_t threads_for(const hnsw *graph, uint32_t threads) {
    if (threads > MOST_THREADS) threads = MOST_THREADS;
    return threads == 0 || graph->end < FEW_NODES ? 1 : threads;
}

corm_status hnsw__link_all(hnsw *graph, uint32_t threads, corm_error *err) {
    if (graph->end == 0) return CORM_OK;
    crew *c = calloc(1, sizeof *c);
    if (!c) return base__fail_memory(err);
    c->graph = graph;
    c->worker_count = threads_for(graph, threads);
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->begun, NULL);
    pthread_cond_init(&c->done, NULL);
    corm_status status = CORM_OK;
    for (uint32_t i = 0; i < c->worker_count && status == CORM_OK; i++)
        status = equip(&c->workers[i], c, err);
    if (status == CORM_OK) {
        start_workers(c);
        status = link_batches(c, err);
        end_workers(c);
    }
    crew_free(c);
    if (status == CORM_OK) hnsw__code_when_due(graph);
    return status;
}

corm_status hnsw__add_unlinked(hnsw *graph, const uint8_t *wire, corm_error *err) {
    uint32_t id = graph->end;
    CORM_TRY(hnsw__reserve(graph, id, err));
    CORM_TRY(hnsw__place(graph, id, hnsw__level_for(graph, id), wire, err));
    return hnsw__mark(graph, id, err);
}
