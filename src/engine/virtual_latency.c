// SPDX-License-Identifier: MIT
/* virtual_latency.c -- system_views: how long reads and writes of each table took, what reads met. See metric.h. Thread: the
 * reader's. */
#include "base/clock.h"
#include "base/fail.h"
#include "engine/core.h"
#include "engine/virtual.h"

static void read_kind(virtual_row *row, const cql_table *table, metric_kind kind,
                      metric_figures *out) {
    metric_table *counted = metric__find(row->request->store, table);
    metric__read_kind(counted, kind, base__clock_mono_ns(), out);
}

/* To the microsecond. */
static double ms(double ns) {
    return (double)(int64_t)(ns / 1000 + 0.5) / 1000;
}

static corm_status latency(virtual_row *row, const cql_table *table, metric_kind kind,
                           corm_error *err) {
    metric_figures figures;
    read_kind(row, table, kind, &figures);
    virtual__set_table(row, table);
    virtual__set_bigint(row, "count", (int64_t)figures.count);
    virtual__set_double(row, "max_ms", ms((double)figures.most));
    virtual__set_double(row, "p50th_ms", ms(metric__percentile(&figures, 0.5)));
    virtual__set_double(row, "p99th_ms", ms(metric__percentile(&figures, 0.99)));
    virtual__set_double(row, "per_second", ms(figures.rate * 1e6));
    return virtual__emit(row, err);
}

static corm_status met(virtual_row *row, const cql_table *table, metric_kind kind,
                       corm_error *err) {
    metric_figures figures;
    read_kind(row, table, kind, &figures);
    virtual__set_table(row, table);
    virtual__set_bigint(row, "count", (int64_t)figures.count);
    virtual__set_double(row, "max", (double)figures.most);
    virtual__set_double(row, "p50th", metric__percentile(&figures, 0.5));
    virtual__set_double(row, "p99th", metric__percentile(&figures, 0.99));
    return virtual__emit(row, err);
}

/* For each: the function for one table, and that for all. */
#define TABLES(name, show, kind)                                                                   \
    static corm_status name##_of(virtual_row *row, const cql_table *table, corm_error *err) {      \
        return show(row, table, kind, err);                                                        \
    }                                                                                              \
    static corm_status name(virtual_row *row, const cql_schema *schema, corm_error *err) {         \
        return virtual__each_stored(row, schema, name##_of, err);                                  \
    }

TABLES(coordinator_reads, latency, METRIC_COORDINATOR_READ)
TABLES(coordinator_scans, latency, METRIC_COORDINATOR_SCAN)
TABLES(coordinator_writes, latency, METRIC_COORDINATOR_WRITE)
TABLES(local_reads, latency, METRIC_LOCAL_READ)
TABLES(local_scans, latency, METRIC_LOCAL_SCAN)
TABLES(local_writes, latency, METRIC_LOCAL_WRITE)
TABLES(rows_per_read, met, METRIC_ROWS)
TABLES(tombstones_per_read, met, METRIC_TOMBSTONES)

/* ---- batches ---- */

static corm_status batch_row(virtual_row *row, const char *name, cql_batch_kind kind,
                             corm_error *err) {
    metric_figures figures;
    metric__read(metric__batches(row->request->store, kind), 0, &figures);
    virtual__set_text(row, "name", corm_str_of(name));
    virtual__set_bigint(row, "max", (int64_t)figures.most);
    virtual__set_double(row, "p50th", metric__percentile(&figures, 0.5));
    virtual__set_double(row, "p99th", metric__percentile(&figures, 0.99));
    virtual__set_double(row, "p999th", metric__percentile(&figures, 0.999));
    return virtual__emit(row, err);
}

static corm_status batches(virtual_row *row, const cql_schema *schema, corm_error *err) {
    (void)schema;
    CORM_TRY(batch_row(row, "partitions_per_counter_batch", CQL_BATCH_COUNTER, err));
    CORM_TRY(batch_row(row, "partitions_per_logged_batch", CQL_BATCH_LOGGED, err));
    return batch_row(row, "partitions_per_unlogged_batch", CQL_BATCH_UNLOGGED, err);
}

/* ---- addresses of roles ---- */

static corm_status cidr_latency(virtual_row *row, const char *name, const metric_figures *figures,
                                corm_error *err) {
    virtual__set_text(row, "name", corm_str_of(name));
    virtual__set_double(row, "max", (double)figures->most);
    virtual__set_double(row, "p50th", metric__percentile(figures, 0.5));
    virtual__set_double(row, "p95th", metric__percentile(figures, 0.95));
    virtual__set_double(row, "p99th", metric__percentile(figures, 0.99));
    virtual__set_double(row, "p999th", metric__percentile(figures, 0.999));
    return virtual__emit(row, err);
}

/* There is no cache of groups besides the roles of a snapshot: a check is the look at them. */
static corm_status cidr_latencies(virtual_row *row, const cql_schema *schema, corm_error *err) {
    static const metric_figures none = { 0 };
    metric_figures              checks;
    (void)schema;
    metric__read(metric__cidr_checks(row->request->store), 0, &checks);
    CORM_TRY(cidr_latency(row, "CIDR checks latency (ns)", &checks, err));
    CORM_TRY(cidr_latency(row, "CIDR groups cache reload latency (ns)", &none, err));
    return cidr_latency(row, "Lookup IP in CIDR groups cache latency (ns)", &checks, err);
}

static corm_status cidr_count(virtual_row *row, const char *name, uint64_t value, corm_error *err) {
    virtual__set_text(row, "name", corm_str_of(name));
    virtual__set_bigint(row, "value", (int64_t)value);
    return virtual__emit(row, err);
}

static corm_status cidr_counts(virtual_row *row, const cql_schema *schema, corm_error *err) {
    (void)schema;
    return cidr_count(row, "CIDR groups cache reload count", 0, err);
}

const virtual_table virtual__latency_tables[] = {
    { "system_views", "batch_metrics", batches },
    { "system_views", "cidr_filtering_metrics_counts", cidr_counts },
    { "system_views", "cidr_filtering_metrics_latencies", cidr_latencies },
    { "system_views", "coordinator_read_latency", coordinator_reads },
    { "system_views", "coordinator_scan_latency", coordinator_scans },
    { "system_views", "coordinator_write_latency", coordinator_writes },
    { "system_views", "local_read_latency", local_reads },
    { "system_views", "local_scan_latency", local_scans },
    { "system_views", "local_write_latency", local_writes },
    { "system_views", "rows_per_read", rows_per_read },
    { "system_views", "tombstones_per_read", tombstones_per_read },
    { NULL, NULL, NULL },
};
