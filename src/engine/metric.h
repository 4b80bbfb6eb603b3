// SPDX-License-Identifier: MIT
/* metric.h -- what the engine counts of itself for system_views: histograms by table, requests by kind, batches.
 *
 * Any thread, without a lock but for the first request on a table: an addition to a counter in passing. What is counted is of this
 * process since the store was opened; the numbers of a table that is dropped are forgotten some time later. Where memory is short,
 * a table is not counted. */
#ifndef ENGINE_METRIC_H
#define ENGINE_METRIC_H

#include <stdatomic.h>

#include "cql/schema.h"
#include "engine/engine.h"

/* ---- histograms ---- */

/* Values below 8 are counted as they are, greater ones in four steps for each power of two. */
enum { METRIC_BUCKETS = 160 };

typedef struct metric_histogram {
    _Atomic uint64_t buckets[METRIC_BUCKETS];
    _Atomic uint64_t most;
    /* For the rate: how much was counted at two moments before. The newer is replaced by whoever finds it too old. */
    _Atomic int64_t  newer_ns, older_ns;
    _Atomic uint64_t newer_count, older_count;
} metric_histogram;

/* A histogram read once. */
typedef struct metric_figures {
    uint64_t count, most;
    uint64_t sum;  /* of the buckets: what percentiles are of */
    double   rate; /* a second, over the last half to one minute */
    uint64_t buckets[METRIC_BUCKETS];
} metric_figures;

void metric__add(metric_histogram *histogram, uint64_t value);
/* The same for what took place at a time, and stands for `weight` of its kind; only such have a rate. */
void metric__add_at(metric_histogram *histogram, uint64_t value, uint64_t weight, int64_t now_ns);
/* A histogram that is NULL has counted nothing. */
void metric__read(metric_histogram *histogram, int64_t now_ns, metric_figures *out);
/* What a share (0 to 1) of all is not above; 0 of nothing. */
double metric__percentile(const metric_figures *figures, double share);

/* ---- which reads are timed ---- */

/* A read of one row by a prepared statement takes not much longer than reading clocks: one in so many is timed, for all. */
enum { METRIC_TIMED_POINTS = 8, METRIC_UNTIMED = -1 };

static inline bool metric__times(uint64_t number) {
    return ((uint32_t)number * UINT32_C(0x9E3779B1)) >> 29 == 0;
}

/* ---- tables ---- */

typedef enum metric_kind {
    METRIC_COORDINATOR_READ, /* from the request to its answer, in nanoseconds */
    METRIC_COORDINATOR_SCAN,
    METRIC_COORDINATOR_WRITE,
    METRIC_LOCAL_READ, /* the reading of rows alone, the change of rows alone */
    METRIC_LOCAL_SCAN,
    METRIC_LOCAL_WRITE,
    METRIC_ROWS, /* live, and tombstones, that a read met */
    METRIC_TOMBSTONES,
    METRIC_KINDS
} metric_kind;

typedef struct metric_table metric_table;

/* NULL: memory is short. May be kept for as long as one request. */
metric_table *metric__table(engine *store, const cql_table *table);
/* The same when something was counted of it; else NULL. */
metric_table     *metric__find(engine *store, const cql_table *table);
void              metric__count(metric_table *table, metric_kind kind, uint64_t value);
metric_histogram *metric__of(const metric_table *table, metric_kind kind); /* NULL: nothing */

void metric__time(metric_table *table, metric_kind kind, uint64_t weight, int64_t began_ns,
                  int64_t now_ns);
/* What system_views shows of a kind. Reads are timed in part, but all have rows; only those that met tombstones count them. */
void metric__read_kind(const metric_table *table, metric_kind kind, int64_t now_ns,
                       metric_figures *out);

/* ---- the store ---- */

typedef enum metric_total {
    METRIC_PREPARED_EXECUTED,
    METRIC_REGULAR_EXECUTED,
    METRIC_PREPARED_EVICTED,
    METRIC_TOTALS
} metric_total;

typedef struct engine_metrics engine_metrics;

CORM_CHECKED corm_status engine__metrics_new(engine *store, corm_error *err);
void                     engine__metrics_free(engine *store);

uint64_t metric__total_add(engine *store, metric_total total); /* how many there were before */
uint64_t metric__total(engine *store, metric_total total);
/* Partitions of each batch, by its kind; the time that addresses of roles were looked at. */
metric_histogram *metric__batches(engine *store, cql_batch_kind kind);
metric_histogram *metric__cidr_checks(engine *store);

#endif
