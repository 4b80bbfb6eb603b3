// SPDX-License-Identifier: MIT
/* bench.h -- what the files of the vector benchmark share. A data file holds, behind its head, float32 vectors in the
 * machine's order: first those that are indexed, then queries, then spare ones that updates bring; then for each query the
 * numbers of its nearest, exactly. */
#ifndef BENCH_VECTOR_H
#define BENCH_VECTOR_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { BENCH_NEAREST = 10 };

typedef struct bench_head {
    uint32_t count, dimension, queries, spares;
} bench_head;

typedef struct bench_data {
    bench_head head;
    float     *vectors; /* count + queries + spares */
    uint32_t  *nearest; /* queries * BENCH_NEAREST */
} bench_data;

void bench_fail(const char *what, const char *why); /* ends the process */
void bench_make_data(const char *path, const bench_head *head);
void bench_read_data(const char *path, bench_data *out);

/* The nearest of `count` vectors, by distance, leaving out those that are not there (`has` NULL: all are). */
void bench_exact(const float *vectors, const bool *has, uint32_t count, uint32_t dimension,
                 const float *query, uint32_t out[BENCH_NEAREST]);

const float *bench_query(const bench_data *data, uint32_t index);
const float *bench_spare(const bench_data *data, uint32_t index);
void         bench_wire(const float *vector, uint32_t dimension, uint8_t *out);

double bench_now(void);
double bench_cpu(void);   /* seconds that this process has computed */
double bench_clock(void); /* seconds that went by */
double bench_rss_mb(void);

/* Finds the nearest of a query; the result says how many. */
typedef uint32_t (*bench_search)(void *context, uint32_t query, uint32_t beam,
                                 uint32_t out[BENCH_NEAREST]);

/* Reads beams from the standard input, one a line, and writes recall and rate of each: queries a second of computing, so that
 * what else the machine does counts little. */
void bench_answer(const bench_data *data, bench_search search, void *context);
/* The part of the exactly nearest that is found. */
double bench_recall(const bench_data *data, bench_search search, void *context, uint32_t beam);

/* corm.c */
void bench_corm(const bench_data *data, const char *folder, uint32_t connections, uint32_t beam);
/* churn.c */
void bench_churn(const bench_data *data, const char *folder, uint32_t operations, uint32_t beam);

/* A session on the table, as both use it. */
struct corm_session;
struct corm_statement;
typedef struct bench_table {
    const bench_data      *data;
    struct corm_session   *session;
    struct corm_prepared  *prepared[4];
    struct corm_statement *insert, *update, *delete, *nearest;
    bool                   owns_session;
    uint8_t               *wire; /* of one vector */
} bench_table;
void bench_open(const bench_data *data, const char *folder, bench_table *out);
/* For another thread: the same session, statements of its own. */
void     bench_join(const bench_data *data, struct corm_session *session, bench_table *out);
void     bench_close(bench_table *table);
void     bench_make_table(const bench_data *data, const char *folder);
void     bench_put(bench_table *table, struct corm_statement *statement, uint32_t key_at,
                   uint32_t vector_at, int32_t key, const float *vector);
uint32_t bench_ask(void *table, uint32_t query, uint32_t beam, uint32_t out[BENCH_NEAREST]);

#endif
