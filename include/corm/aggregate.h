// SPDX-License-Identifier: MIT
/* aggregate.h -- aggregation pipelines and MapReduce over a table.
 *
 *   corm_pipeline *p = corm_pipeline_new(session, "orders", NULL);
 *   corm_pipeline_where(p, "status", CORM_EQ, corm_v("completed"));
 *   corm_pipeline_group_by(p, "customer_id");
 *   corm_pipeline_count(p, "total_orders");
 *   corm_pipeline_sum(p, "amount", "total_spent");
 *   corm_pipeline_having(p, "total_orders", CORM_GT, corm_v(5));
 *   corm_pipeline_sort(p, "total_spent", true);
 *   corm_pipeline_limit(p, 100);
 *   status = corm_pipeline_execute(p, &result, &err);
 *   corm_pipeline_free(p);
 *
 * Stages may come in any order and number; each works on the rows of the one before it. A builder call that cannot be done
 * is remembered, the first of them is what corm_pipeline_execute fails with; a NULL pipeline is CORM_NO_MEMORY. One thread at a
 * time. Expressions, accumulators, null rules and error bounds: docs/aggregations.md. */
#ifndef CORM_AGGREGATE_H
#define CORM_AGGREGATE_H

#include "corm/db.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct corm_pipeline corm_pipeline;

/* Zero means default. */
typedef struct corm_pipeline_options {
    size_t
                memory_limit; /* bytes of groups, or of rows to be sorted, in memory; what is more goes to temporary files.
                         * default: 256 MiB; at least 64 KiB */
    const char *temp_folder; /* default: TMPDIR, or /tmp */
    uint32_t    threads;     /* that read and aggregate. default: the processors; 8 on a cluster */
    uint32_t    ranges;      /* pieces that the ring is cut into, at least. default: 64 */
    int32_t     page_size;   /* default: 5000 */
    bool        allow_filtering; /* conditions that no key has are the server's, too */
    bool no_push_down; /* rows and columns are all that the store is asked for. For comparison */
    bool
                     in_order; /* rows are met in the order of tokens and clustering, by one thread; first, last and push imply it */
    bool             with_deleted; /* of a model with a CORM_DELETED_AT column: deleted rows, too */
    corm_consistency consistency;
    uint32_t         _canary;
} corm_pipeline_options;

/* Over a table, "orders" or "shop.orders"; names as in CQL, quoted where they need it. `options` may be NULL; what it points to
 * and the session must live as long as the pipeline. NULL: memory is exhausted. */
CORM_API corm_pipeline *corm_pipeline_new(corm_session *session, const char *table,
                                          const corm_pipeline_options *options);
/* Over a model's table, which is loaded. */
CORM_API corm_pipeline *corm_pipeline_of(corm_db *db, const corm_model *model,
                                         const corm_pipeline_options *options);
CORM_API void           corm_pipeline_free(corm_pipeline *pipeline); /* NULL is ignored */

/* The first mistake of the builder calls, or CORM_OK. */
CORM_API CORM_CHECKED corm_status corm_pipeline_check(const corm_pipeline *pipeline,
                                                      corm_error          *err);

/* ---- rows ---- */

/* Rows whose column compares so: CORM_EQ … CORM_LTE, CORM_IN with a list, CORM_CONTAINS, CORM_CONTAINS_KEY, CORM_LIKE, CORM_NULL_OP,
 * CORM_NOT_NULL_OP. Values are copied. At the start of a pipeline, what the store can do is done there. */
CORM_API void corm_pipeline_where(corm_pipeline *pipeline, const char *column, corm_op op,
                                  corm_value value);
CORM_API void corm_pipeline_between(corm_pipeline *pipeline, const char *column, corm_value least,
                                    corm_value most);
/* The same as where, said of groups. */
CORM_API void corm_pipeline_having(corm_pipeline *pipeline, const char *alias, corm_op op,
                                   corm_value value);
/* Rows for which the expression is true: "amount > :least AND status IN ('new', 'open')". */
CORM_API void corm_pipeline_match(corm_pipeline *pipeline, const char *condition);
/* What :name stands for in the expressions of all stages. Copied. */
CORM_API void corm_pipeline_let(corm_pipeline *pipeline, const char *name, corm_value value);

/* ---- columns ---- */

/* Only these: "id, price * quantity AS total, coalesce(name, 'none') AS name". */
CORM_API void corm_pipeline_project(corm_pipeline *pipeline, const char *expressions);
/* These beside those that are there. */
CORM_API void corm_pipeline_add(corm_pipeline *pipeline, const char *expressions);
/* One row for each element of a list, set or vector; of a map with columns `column` (its keys) and `column_value`. A row whose column is null or empty
 * is left out, or kept once with a null. */
CORM_API void corm_pipeline_unwind(corm_pipeline *pipeline, const char *column, bool keep_empty);
/* Different rows of these expressions. */
CORM_API void corm_pipeline_distinct(corm_pipeline *pipeline, const char *expressions);

/* ---- order ---- */

/* Calls one behind the other are further keys. Null comes first, or last when descending. */
CORM_API void corm_pipeline_sort(corm_pipeline *pipeline, const char *expression, bool descending);
CORM_API void corm_pipeline_skip(corm_pipeline *pipeline, uint64_t count);
CORM_API void corm_pipeline_limit(corm_pipeline *pipeline, uint64_t count);
/* sort and limit in one. */
CORM_API void corm_pipeline_top(corm_pipeline *pipeline, uint64_t count, const char *expression,
                                bool descending);

/* ---- groups ---- */

/* "customer_id, date_trunc('month', created_at) AS month". Without it all rows are one group. Accumulators follow. */
CORM_API void corm_pipeline_group_by(corm_pipeline *pipeline, const char *expressions);
/* Any accumulator by its call: "percentile(price, 0.9)", "count(distinct city)". */
CORM_API void corm_pipeline_accumulate(corm_pipeline *pipeline, const char *call,
                                       const char *alias);
/* X(NAME, accumulator): corm_pipeline_NAME(pipeline, expression, alias) */
#define CORM_ACCUMULATOR_MAP(X)                                                                    \
    X(sum, "sum")                                                                                  \
    X(avg, "avg")                                                                                  \
    X(min, "min")                                                                                  \
    X(max, "max")                                                                                  \
    X(first, "first")                                                                              \
    X(last, "last")                                                                                \
    X(push, "push")                                                                                \
    X(add_to_set, "add_to_set")                                                                    \
    X(count_distinct, "count_distinct")                                                            \
    X(approx_count_distinct, "approx_count_distinct")                                              \
    X(stddev, "stddev_samp")                                                                       \
    X(stddev_pop, "stddev_pop")                                                                    \
    X(variance, "var_samp")                                                                        \
    X(variance_pop, "var_pop")                                                                     \
    X(median, "median")                                                                            \
    X(mode, "mode")
#define CORM_ACCUMULATOR_DECLARE(name, call)                                                       \
    CORM_API void corm_pipeline_##name(corm_pipeline *pipeline, const char *expression,            \
                                       const char *alias);
CORM_ACCUMULATOR_MAP(CORM_ACCUMULATOR_DECLARE)
#undef CORM_ACCUMULATOR_DECLARE
CORM_API void corm_pipeline_count(corm_pipeline *pipeline, const char *alias);
/* `part` from 0 to 1; exact, and by a sketch with one percent of relative error. */
CORM_API void corm_pipeline_percentile(corm_pipeline *pipeline, const char *expression, double part,
                                       const char *alias);
CORM_API void corm_pipeline_approx_percentile(corm_pipeline *pipeline, const char *expression,
                                              double part, const char *alias);
CORM_API void corm_pipeline_correlation(corm_pipeline *pipeline, const char *x, const char *y,
                                        const char *alias);
CORM_API void corm_pipeline_covariance(corm_pipeline *pipeline, const char *x, const char *y,
                                       const char *alias);
/* Rows (bucket, count) for buckets of one width, which begin at multiples of it; in order. */
CORM_API void corm_pipeline_histogram(corm_pipeline *pipeline, const char *expression,
                                      double width);
/* Rows (min, max, count) of `buckets` buckets, or fewer, with about as many rows in each; equal values stay together. */
CORM_API void corm_pipeline_auto_histogram(corm_pipeline *pipeline, const char *expression,
                                           uint32_t buckets);

/* ---- running ---- */

/* All rows, in one page; *out is released by corm_result_free(). May be done again. */
CORM_API CORM_CHECKED corm_status corm_pipeline_execute(corm_pipeline *pipeline, corm_result **out,
                                                        corm_error *err);
/* Called for each page of rows; the result is borrowed. Anything but CORM_OK stops it. Calls come one at a time, perhaps on another
 * thread. */
typedef corm_status (*corm_pipeline_callback)(void *context, corm_result *page, corm_error *err);
CORM_API CORM_CHECKED corm_status corm_pipeline_each(corm_pipeline         *pipeline,
                                                     corm_pipeline_callback callback, void *context,
                                                     corm_error *err);
/* What is asked of the store, what is done here, and why; a text of some lines, malloc'ed, the caller's to free(). */
CORM_API CORM_CHECKED corm_status corm_pipeline_explain(corm_pipeline *pipeline, char **text,
                                                        corm_error *err);

/* Of the last run. */
typedef struct corm_pipeline_stats {
    uint64_t rows_read, pages_read, rows_given;
    uint64_t spilled_bytes; /* written to temporary files */
    size_t   peak_bytes;    /* of groups and rows in memory */
    uint32_t threads;
} corm_pipeline_stats;
CORM_API corm_pipeline_stats corm_pipeline_last_stats(const corm_pipeline *pipeline);

/* ---- MapReduce ---- */

typedef struct corm_emitter corm_emitter;

/* From within map: a pair. Values are converted to the types of the options and copied. */
CORM_API CORM_CHECKED corm_status corm_emit(corm_emitter *emitter, corm_value key, corm_value value,
                                            corm_error *err);

/* The functions get `context`; map and combine are called by several threads at once. Anything but CORM_OK stops the work. What *out points
 * to must live until the function is called again by the same thread. */
typedef struct corm_map_reduce {
    const char *table;
    const char *columns;               /* that map needs, as in a SELECT. default: "*" */
    const char *key_type, *value_type; /* in CQL, of what is emitted */
    const char *result_type;           /* of what finalize gives. default: value_type */
    corm_status (*map)(void *context, const corm_row *row, corm_emitter *out, corm_error *err);
    /* Values of one key that come from one token range, in the order of the rows, become one: optional. */
    corm_status (*combine)(void *context, const corm_value *key, const corm_value *values,
                           uint32_t count, corm_value *out, corm_error *err);
    /* All values of one key, or what combine made of them, in the order of the ring. */
    corm_status (*reduce)(void *context, const corm_value *key, const corm_value *values,
                          uint32_t count, corm_value *out, corm_error *err);
    corm_status (*finalize)(void *context, const corm_value *key, const corm_value *value,
                            corm_value *out, corm_error *err); /* optional */
    void                 *context;
    corm_pipeline_options options;
    uint32_t              _canary;
} corm_map_reduce;

/* Rows (key, value), in the order of the keys. The answer does not depend on the number of threads or on memory. */
CORM_API CORM_CHECKED corm_status corm_map_reduce_run(corm_session          *session,
                                                      const corm_map_reduce *job, corm_result **out,
                                                      corm_error *err);

#ifdef __cplusplus
}
#endif
#endif
