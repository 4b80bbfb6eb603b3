// SPDX-License-Identifier: MIT
/* pains.h -- what the tests of the 52 pains share: a fake cluster with a session on it, tasks that are counted, figures. */
#ifndef TESTS_DRIVER_PAINS_H
#define TESTS_DRIVER_PAINS_H

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "corm/corm.h"
#include "corm/testing.h"
#include "testing/check.h"

/* Waits for something that comes by itself; the test fails when it does not come. */
#define WAIT_FOR(condition)                                                                        \
    do {                                                                                           \
        int64_t wait_end_ = base__clock_mono_ns() + INT64_C(30000000000);                          \
        while (!(condition)) {                                                                     \
            if (base__clock_mono_ns() > wait_end_) fail_msg("never came: %s", #condition);         \
            poll(NULL, 0, 2);                                                                      \
        }                                                                                          \
    } while (0)

static inline corm_fake_cluster *start_fake(corm_fake_options options) {
    corm_fake_cluster *fake = NULL;
    corm_error         err;
    assert_ok(corm_fake_start(&fake, &options, &err), err);
    return fake;
}

/* Small pools, quick to dial again. */
static inline corm_cluster_options quick(void) {
    return (corm_cluster_options){
        .pool = { .size = 1, .max_size = 2 },
        .reconnection = { .base_delay_ms = 10, .max_delay_ms = 100, .dials_per_second = 1000 },
    };
}

static inline corm_status try_open(const char *uri, corm_cluster_options cluster,
                                   corm_session **out, corm_error *err) {
    corm_session_options options = { .keyspace = "shop", .cluster = &cluster };
    return corm_session_open(out, uri, &options, err);
}

static inline corm_session *open_uri(const char *uri, corm_cluster_options cluster) {
    corm_session *session = NULL;
    corm_error    err;
    assert_ok(try_open(uri, cluster, &session, &err), err);
    return session;
}

static inline corm_session *open_session(const corm_fake_cluster *fake,
                                         corm_cluster_options     cluster) {
    return open_uri(corm_fake_uri(fake), cluster);
}

/* ---- rules ---- */

/* Rows for statements that contain the text. */
static inline uint32_t add_rows(corm_fake_cluster *fake, const char *match, const char *columns,
                                const char *rows) {
    corm_fake_rule rule = { .node = -1, .match = match, .columns = columns, .rows = rows };
    return corm_fake_add_rule(fake, &rule);
}

/* Counts and does nothing. */
static inline uint32_t add_counter(corm_fake_cluster *fake, const char *match) {
    corm_fake_rule rule = { .node = -1, .match = match };
    return corm_fake_add_rule(fake, &rule);
}

/* ---- requests ---- */

static inline corm_status run_text(corm_session *session, const char *cql) {
    return corm_execute_with(session, cql, NULL, NULL);
}

static inline void must_run(corm_session *session, const char *cql) {
    corm_error           err = { 0 };
    corm_execute_options options = { .error = &err };
    assert_ok(corm_execute_with(session, cql, &options, NULL), err);
}

/* The first column of the first row, a whole number; -1 when there is no row. */
static inline int64_t number_of(corm_session *session, const char *cql) {
    corm_result         *result = NULL;
    corm_error           err = { 0 };
    corm_execute_options options = { .error = &err };
    assert_ok(corm_execute_with(session, cql, &options, &result), err);
    const corm_row *row = corm_result_next(result);
    int64_t         number = row ? corm_row_bigint(row, 0) : -1;
    corm_result_free(result);
    return number;
}

static inline corm_prepared *prepare_text(corm_session *session, const char *cql) {
    corm_prepared *prepared = NULL;
    corm_error     err;
    assert_ok(corm_prepare(session, cql, &prepared, &err), err);
    return prepared;
}

static inline corm_statement *statement_of(corm_prepared *prepared, int32_t key) {
    corm_statement *statement = corm_statement_new(prepared);
    corm_error      err;
    assert_non_null(statement);
    assert_ok(corm_statement_bind(statement, 0, corm_v(key), &err), err);
    return statement;
}

/* A part of the last request that any node saw, or "". */
static inline void last_part(const corm_fake_cluster *fake, const char *name, char out[256]) {
    char *seen = corm_fake_last_request(fake, -1);
    char  key[64];
    snprintf(key, sizeof key, "\n%s=", name);
    const char *at = seen ? strstr(seen, key) : NULL;
    size_t      len = at ? strcspn(at + strlen(key), "\n") : 0;
    if (len > 255) len = 255;
    if (at) memcpy(out, at + strlen(key), len);
    out[len] = 0;
    free(seen);
}

/* ---- requests under way ---- */

enum { MOST_TASKS = 4096 };

typedef struct tasks {
    uint32_t    count;
    corm_task  *all[MOST_TASKS];
    atomic_uint calls;     /* callbacks */
    atomic_uint ended[64]; /* by status */
} tasks;

static inline void on_end(void *context, corm_status status, corm_result *result,
                          const corm_error *error) {
    tasks *own = context;
    (void)error;
    atomic_fetch_add(&own->ended[status], 1);
    atomic_fetch_add(&own->calls, 1);
    corm_result_free(result);
}

static inline void begin_text(tasks *all, corm_session *session, const char *cql,
                              const corm_execute_options *options) {
    corm_task *task = corm_execute_async(session, cql, options, on_end, all);
    assert_non_null(task);
    all->all[all->count++] = task;
}

/* Waits for all of them; each has called back once. */
static inline void end_all(tasks *all) {
    for (uint32_t i = 0; i < all->count; i++) {
        (void)!corm_task_wait(all->all[i], 0);
        corm_task_free(all->all[i]);
    }
    assert_int_equal(atomic_load(&all->calls), all->count);
}

static inline uint32_t ended_with(tasks *all, corm_status status) {
    return atomic_load(&all->ended[status]);
}

/* ---- figures ---- */

static inline corm_stats stats_of(corm_session *session) {
    const corm_stats *stats = NULL;
    corm_error        err;
    assert_ok(corm_session_stats(session, &stats, &err), err);
    corm_stats copy = *stats;
    copy.node_stats = NULL;
    corm_stats_free(stats);
    return copy;
}

/* The node at 127.0.0.`last`; all zero when the session knows none. */
static inline corm_node_stats node_of(corm_session *session, unsigned last) {
    const corm_stats *stats = NULL;
    corm_node_stats   found = { .port = 0 };
    char              address[32];
    corm_error        err;
    snprintf(address, sizeof address, "127.0.0.%u", last);
    assert_ok(corm_session_stats(session, &stats, &err), err);
    for (uint32_t i = 0; i < stats->node_count; i++) {
        if (strcmp(stats->node_stats[i].address, address) == 0) found = stats->node_stats[i];
    }
    corm_stats_free(stats);
    return found;
}

#endif
