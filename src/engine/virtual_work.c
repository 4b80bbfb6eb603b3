// SPDX-License-Identifier: MIT
/* virtual_work.c -- system_views: what the node is at: requests under way, threads, statements. Thread: the reader's. */
#include "base/clock.h"
#include "base/fail.h"
#include "engine/core.h"
#include "engine/trace.h"
#include "engine/virtual.h"

/* ---- queries ---- */

/* A request as it was while its place was locked. */
typedef struct query {
    int             place;
    corm_str        task;
    running_request when;
} query;

typedef struct queries {
    base_arena *arena;
    uint32_t    count;
    query       all[RUNNING_MOST];
} queries;

static const char *level_name(wire_consistency level) {
    static const char *const names[] = { "ANY",    "ONE",          "TWO",          "THREE",
                                         "QUORUM", "ALL",          "LOCAL_QUORUM", "EACH_QUORUM",
                                         "SERIAL", "LOCAL_SERIAL", "LOCAL_ONE" };
    return (size_t)level < sizeof names / sizeof *names ? names[level] : "UNKNOWN";
}

/* In the server's words. */
static corm_str task_of(const wire_request *request, base_arena *arena) {
    const wire_options *options = &request->options;
    const char         *level = level_name(options->consistency);
    corm_str            text = request->text;
    switch (request->kind) {
    case WIRE_EXECUTE: text = engine__prepared_text(request->prepared); break;
    case WIRE_BATCH:
        return base__arena_printf(arena, "BATCH of %u statements at consistency %s",
                                  request->batch_count, level);
    default: break;
    }
    text = engine__trace_text(text);
    if (request->kind == WIRE_PREPARE)
        return base__arena_printf(arena, "PREPARE %.*s", (int)text.len, text.data);
    if (request->kind == WIRE_EXECUTE)
        return base__arena_printf(arena, "EXECUTE %.*s with %u values at consistency %s",
                                  (int)text.len, text.data, request->value_count, level);
    return base__arena_printf(arena, "QUERY %.*s [pageSize = %d] at consistency %s", (int)text.len,
                              text.data, options->page_size > 0 ? options->page_size : -1, level);
}

static void keep(void *context, int place, const running_request *running) {
    queries *list = context;
    query   *out = &list->all[list->count++];
    *out = (query){ place, task_of(running->request, list->arena), *running };
}

static corm_status show_queries(virtual_row *row, const cql_schema *schema, corm_error *err) {
    queries *list = BASE_NEW(row->request->arena, queries);
    (void)schema;
    if (!list) return base__fail_memory(err);
    list->arena = row->request->arena;
    running__each(row->request->store->running, keep, list);
    int64_t now = base__clock_mono_ns();
    for (uint32_t i = 0; i < list->count; i++) {
        const query *each = &list->all[i];
        int64_t      until = each->when.started_ns ? each->when.started_ns : now;
        int64_t      queued = each->when.queued_ns ? until - each->when.queued_ns : 0;
        if (!each->task.data) return base__fail_memory(err);
        virtual__set_printed(row, "thread_id", "%d", each->place);
        virtual__set_text(row, "task", each->task);
        virtual__set_bigint(row, "queued_micros", queued / 1000);
        virtual__set_bigint(row, "running_micros", (now - each->when.began_ns - queued) / 1000);
        CORM_TRY(virtual__emit(row, err));
    }
    return CORM_OK;
}

/* ---- thread_pools ---- */

typedef struct pool {
    const char *name;
    int32_t     active, limit, pending;
    uint64_t    completed;
} pool;

static corm_status pool_row(virtual_row *row, const pool *of, corm_error *err) {
    virtual__set_text(row, "name", corm_str_of(of->name));
    virtual__set_int(row, "active_tasks", of->active);
    virtual__set_int(row, "active_tasks_limit", of->limit);
    virtual__set_int(row, "pending_tasks", of->pending);
    virtual__set_bigint(row, "blocked_tasks", 0);
    virtual__set_bigint(row, "blocked_tasks_all_time", 0);
    virtual__set_bigint(row, "completed_tasks", (int64_t)of->completed);
    return virtual__emit(row, err);
}

static void look_at_writers(engine *store, pool *out) {
    engine_queue *queue = &store->queue;
    pthread_mutex_lock(&queue->lock);
    out->active = queue->has_leader ? 1 : 0;
    for (const engine_job *job = queue->first; job; job = job->next) out->pending++;
    pthread_mutex_unlock(&queue->lock);
}

/* The one who writes for all that wait. */
static corm_status thread_pools(virtual_row *row, const cql_schema *schema, corm_error *err) {
    engine *store = row->request->store;
    pool    writers = { .name = "MutationStage", .limit = 1 };
    (void)schema;
    writers.completed = atomic_load(&store->writes);
    look_at_writers(store, &writers);
    return pool_row(row, &writers, err);
}

/* ---- cql_metrics ---- */

static corm_status cql_metric(virtual_row *row, const char *name, double value, corm_error *err) {
    virtual__set_text(row, "name", corm_str_of(name));
    virtual__set_double(row, "value", value);
    return virtual__emit(row, err);
}

static corm_status cql_metrics(virtual_row *row, const cql_schema *schema, corm_error *err) {
    engine *store = row->request->store;
    double  prepared = (double)metric__total(store, METRIC_PREPARED_EXECUTED);
    double  regular = (double)metric__total(store, METRIC_REGULAR_EXECUTED);
    double  all = prepared + regular;
    (void)schema;
    CORM_TRY(
        cql_metric(row, "prepared_statements_count", (double)engine__prepared_count(store), err));
    CORM_TRY(cql_metric(row, "prepared_statements_evicted",
                        (double)metric__total(store, METRIC_PREPARED_EVICTED), err));
    CORM_TRY(cql_metric(row, "prepared_statements_executed", prepared, err));
    CORM_TRY(cql_metric(row, "prepared_statements_ratio", all > 0 ? prepared / all : 0, err));
    return cql_metric(row, "regular_statements_executed", regular, err);
}

const virtual_table virtual__work_tables[] = {
    { "system_views", "cql_metrics", cql_metrics },
    { "system_views", "queries", show_queries },
    { "system_views", "thread_pools", thread_pools },
    { NULL, NULL, NULL },
};
