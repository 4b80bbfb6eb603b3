// SPDX-License-Identifier: MIT
/* metric.c -- histograms and counters. See metric.h.
 *
 *   places by a hash of the table's id ──► metric_table ──► next …    looked up without a lock; changed under one
 *                                              └ a histogram for each kind, made by the first value of that kind
 *
 * A metric_table is freed with the store only, so that nobody needs to hold it; one whose table is gone is used again for another. A
 * request that still counts into it then counts for the other table, once. */
#include "engine/metric.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/map.h"
#include "engine/core.h"

enum { EXACT = 8, STEP_BITS = 2, PLACES = 256, SWEEP_FIRST = 64 };

static const int64_t mark_ns = INT64_C(30) * 1000000000;

struct metric_table {
    _Atomic uint64_t            key; /* of the table's id */
    _Atomic(metric_table *)     next;
    metric_table               *sibling; /* all of them; guarded by the lock, as is `seen` */
    bool                        seen;
    _Atomic(metric_histogram *) kinds[METRIC_KINDS];
};

struct engine_metrics {
    _Atomic(metric_table *) places[PLACES];
    pthread_mutex_t         lock; /* guards changes of the chains, and what follows */
    metric_table           *all, *unused;
    uint32_t                count, sweep_at;
    _Atomic uint64_t        totals[METRIC_TOTALS];
    metric_histogram        batches[3], cidr_checks;
};

/* ---- histograms ---- */

static uint32_t bucket_of(uint64_t value) {
    if (value < EXACT) return (uint32_t)value;
    uint32_t power = 63 - (uint32_t)__builtin_clzll(value);
    uint32_t step = (uint32_t)(value >> (power - STEP_BITS)) & ((1U << STEP_BITS) - 1);
    uint32_t bucket = EXACT + ((power - 3) << STEP_BITS) + step;
    return bucket < METRIC_BUCKETS ? bucket : METRIC_BUCKETS - 1;
}

/* The middle of what falls into it. */
static double value_of(uint32_t bucket) {
    if (bucket < EXACT) return bucket;
    uint32_t power = 3 + ((bucket - EXACT) >> STEP_BITS);
    uint64_t width = UINT64_C(1) << (power - STEP_BITS);
    uint64_t low = (UINT64_C(1) << power) + ((bucket - EXACT) & ((1U << STEP_BITS) - 1)) * width;
    return (double)low + (double)(width - 1) / 2;
}

static void add(metric_histogram *histogram, uint64_t value, uint64_t weight) {
    atomic_fetch_add_explicit(&histogram->buckets[bucket_of(value)], weight, memory_order_relaxed);
    uint64_t most = atomic_load_explicit(&histogram->most, memory_order_relaxed);
    while (value > most && !atomic_compare_exchange_weak(&histogram->most, &most, value)) continue;
}

void metric__add(metric_histogram *histogram, uint64_t value) {
    add(histogram, value, 1);
}

static uint64_t count_all(metric_histogram *histogram) {
    uint64_t count = 0;
    for (int i = 0; i < METRIC_BUCKETS; i++)
        count += atomic_load_explicit(&histogram->buckets[i], memory_order_relaxed);
    return count;
}

/* One of those who find the mark too old makes the next. */
static void mark(metric_histogram *histogram, int64_t newer, int64_t now_ns) {
    if (!atomic_compare_exchange_strong(&histogram->newer_ns, &newer, now_ns)) return;
    uint64_t count = count_all(histogram);
    atomic_store(&histogram->older_ns, newer ? newer : now_ns);
    atomic_store(&histogram->older_count, newer       ? atomic_load(&histogram->newer_count)
                                          : count > 0 ? count - 1
                                                      : 0);
    atomic_store(&histogram->newer_count, newer ? count : count > 0 ? count - 1 : 0);
}

void metric__add_at(metric_histogram *histogram, uint64_t value, uint64_t weight, int64_t now_ns) {
    add(histogram, value, weight);
    int64_t newer = atomic_load_explicit(&histogram->newer_ns, memory_order_relaxed);
    if (newer == 0 || now_ns - newer > mark_ns) mark(histogram, newer, now_ns);
}

static double rate_of(metric_histogram *histogram, uint64_t count, int64_t now_ns) {
    int64_t  newer = atomic_load(&histogram->newer_ns), from = atomic_load(&histogram->older_ns);
    uint64_t had = atomic_load(&histogram->older_count);
    if (newer == 0) return 0;
    if (now_ns - newer > mark_ns) {
        from = newer;
        had = atomic_load(&histogram->newer_count);
    }
    double seconds = (double)(now_ns - from) / 1e9;
    return count > had ? (double)(count - had) / (seconds > 1 ? seconds : 1) : 0;
}

void metric__read(metric_histogram *histogram, int64_t now_ns, metric_figures *out) {
    *out = (metric_figures){ 0 };
    if (!histogram) return;
    for (int i = 0; i < METRIC_BUCKETS; i++)
        out->count += out->buckets[i] =
            atomic_load_explicit(&histogram->buckets[i], memory_order_relaxed);
    out->sum = out->count;
    out->most = atomic_load(&histogram->most);
    out->rate = rate_of(histogram, out->count, now_ns);
}

double metric__percentile(const metric_figures *figures, double share) {
    double   wanted = share * (double)figures->sum;
    uint64_t passed = 0;
    for (uint32_t i = 0; i < METRIC_BUCKETS; i++) {
        passed += figures->buckets[i];
        if (figures->buckets[i] == 0 || (double)passed < wanted) continue;
        double value = value_of(i);
        return value < (double)figures->most ? value : (double)figures->most;
    }
    return 0;
}

/* ---- tables ---- */

static uint64_t key_of(const cql_table *table) {
    uint64_t key = base__load_u64(table->id.bytes) ^ base__load_u64(table->id.bytes + 8);
    key *= UINT64_C(0x9e3779b97f4a7c15);
    return key ? key : 1;
}

static _Atomic(metric_table *) *place_of(engine_metrics *metrics, uint64_t key) {
    return &metrics->places[key >> 56];
}

static metric_table *find(engine_metrics *metrics, uint64_t key) {
    metric_table *table = atomic_load_explicit(place_of(metrics, key), memory_order_acquire);
    while (table && atomic_load_explicit(&table->key, memory_order_relaxed) != key)
        table = atomic_load_explicit(&table->next, memory_order_acquire);
    return table;
}

static void forget(metric_table *table) {
    for (int kind = 0; kind < METRIC_KINDS; kind++) {
        metric_histogram *histogram = atomic_load(&table->kinds[kind]);
        if (!histogram) continue;
        for (int i = 0; i < METRIC_BUCKETS; i++) atomic_store(&histogram->buckets[i], 0);
        atomic_store(&histogram->most, 0);
        atomic_store(&histogram->newer_ns, 0);
    }
}

static void unlink_table(engine_metrics *metrics, metric_table *table) {
    uint64_t                 key = atomic_load(&table->key);
    _Atomic(metric_table *) *link = place_of(metrics, key);
    while (atomic_load(link) != table) link = &atomic_load(link)->next;
    atomic_store(link, atomic_load(&table->next));
}

/* Those whose tables are in the schema no more are free for others. The lock is held, as below. */
static void sweep(engine *store, engine_metrics *metrics) {
    for (metric_table *each = metrics->all; each; each = each->sibling) each->seen = false;
    pthread_mutex_lock(&store->schema_lock);
    const cql_schema *schema = store->schema;
    for (uint32_t i = 0; schema && i < schema->keyspace_count; i++)
        for (uint32_t j = 0; j < schema->keyspaces[i]->table_count; j++) {
            metric_table *each = find(metrics, key_of(schema->keyspaces[i]->tables[j]));
            if (each) each->seen = true;
        }
    pthread_mutex_unlock(&store->schema_lock);
    for (metric_table *each = metrics->all; each; each = each->sibling) {
        if (each->seen || atomic_load(&each->key) == 0) continue;
        unlink_table(metrics, each);
        atomic_store(&each->key, 0);
        atomic_store(&each->next, metrics->unused);
        metrics->unused = each;
        metrics->count--;
    }
    metrics->sweep_at = metrics->count < SWEEP_FIRST ? SWEEP_FIRST : metrics->count * 2;
}

static metric_table *take(engine *store, engine_metrics *metrics) {
    if (metrics->count >= metrics->sweep_at) sweep(store, metrics);
    metric_table *table = metrics->unused;
    if (table) {
        metrics->unused = atomic_load(&table->next);
        forget(table);
    } else if ((table = calloc(1, sizeof *table)) != NULL) {
        table->sibling = metrics->all;
        metrics->all = table;
    }
    if (table) metrics->count++;
    return table;
}

static metric_table *make(engine *store, uint64_t key) {
    engine_metrics *metrics = store->metrics;
    pthread_mutex_lock(&metrics->lock);
    metric_table *table = find(metrics, key);
    if (!table && (table = take(store, metrics)) != NULL) {
        atomic_store(&table->key, key);
        atomic_store(&table->next, atomic_load(place_of(metrics, key)));
        atomic_store_explicit(place_of(metrics, key), table, memory_order_release);
    }
    pthread_mutex_unlock(&metrics->lock);
    return table;
}

metric_table *metric__table(engine *store, const cql_table *table) {
    uint64_t      key = key_of(table);
    metric_table *found = find(store->metrics, key);
    return found ? found : make(store, key);
}

metric_table *metric__find(engine *store, const cql_table *table) {
    return find(store->metrics, key_of(table));
}

/* ---- kinds ---- */

metric_histogram *metric__of(const metric_table *table, metric_kind kind) {
    return table ? atomic_load_explicit(&table->kinds[kind], memory_order_acquire) : NULL;
}

static metric_histogram *need(metric_table *table, metric_kind kind) {
    metric_histogram *histogram = metric__of(table, kind), *none = NULL;
    if (histogram || !table) return histogram;
    if (!(histogram = calloc(1, sizeof *histogram))) return NULL;
    if (atomic_compare_exchange_strong(&table->kinds[kind], &none, histogram)) return histogram;
    free(histogram);
    return none;
}

void metric__count(metric_table *table, metric_kind kind, uint64_t value) {
    metric_histogram *histogram = need(table, kind);
    if (histogram) metric__add(histogram, value);
}

void metric__time(metric_table *table, metric_kind kind, uint64_t weight, int64_t began_ns,
                  int64_t now_ns) {
    metric_histogram *histogram = need(table, kind);
    if (histogram)
        metric__add_at(histogram, now_ns > began_ns ? (uint64_t)(now_ns - began_ns) : 0, weight,
                       now_ns);
}

static uint64_t count_of(const metric_table *table, metric_kind kind) {
    metric_histogram *histogram = metric__of(table, kind);
    return histogram ? count_all(histogram) : 0;
}

static uint64_t without(uint64_t all, uint64_t part) {
    return all > part ? all - part : 0;
}

void metric__read_kind(const metric_table *table, metric_kind kind, int64_t now_ns,
                       metric_figures *out) {
    metric__read(metric__of(table, kind), now_ns, out);
    if (kind == METRIC_TOMBSTONES) {
        out->buckets[0] = without(count_of(table, METRIC_ROWS), out->count);
        out->sum += out->buckets[0];
        out->count = out->sum;
    } else if (kind == METRIC_COORDINATOR_READ || kind == METRIC_LOCAL_READ) {
        out->count = without(count_of(table, METRIC_ROWS), count_of(table, METRIC_LOCAL_SCAN));
    }
}

/* ---- the store ---- */

corm_status engine__metrics_new(engine *store, corm_error *err) {
    engine_metrics *metrics = calloc(1, sizeof *metrics);
    if (!metrics) return base__fail_memory(err);
    pthread_mutex_init(&metrics->lock, NULL);
    metrics->sweep_at = SWEEP_FIRST;
    store->metrics = metrics;
    return CORM_OK;
}

void engine__metrics_free(engine *store) {
    engine_metrics *metrics = store->metrics;
    if (!metrics) return;
    while (metrics->all) {
        metric_table *table = metrics->all;
        metrics->all = table->sibling;
        for (int kind = 0; kind < METRIC_KINDS; kind++) free(metric__of(table, (metric_kind)kind));
        free(table);
    }
    pthread_mutex_destroy(&metrics->lock);
    free(metrics);
    store->metrics = NULL;
}

uint64_t metric__total_add(engine *store, metric_total total) {
    return atomic_fetch_add_explicit(&store->metrics->totals[total], 1, memory_order_relaxed);
}

uint64_t metric__total(engine *store, metric_total total) {
    return atomic_load(&store->metrics->totals[total]);
}

metric_histogram *metric__batches(engine *store, cql_batch_kind kind) {
    return &store->metrics->batches[kind];
}

metric_histogram *metric__cidr_checks(engine *store) {
    return &store->metrics->cidr_checks;
}
