// SPDX-License-Identifier: MIT
/* data.c -- clustered vectors, the same every time, the exact answers, and how answers are judged. */
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench.h"
#include "cql/simd.h"

enum { CLUSTERS = 300, LATENT = 32, THREADS = 2 };

static uint64_t state = 88172645463325252ull;

void bench_fail(const char *what, const char *why) {
    fprintf(stderr, "bench: %s: %s\n", what, why);
    exit(1);
}

static void *need(size_t bytes) {
    void *memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (!memory) bench_fail("memory", "exhausted");
    return memory;
}

double bench_now(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

double bench_cpu(void) {
    struct timespec at;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

double bench_clock(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

double bench_rss_mb(void) {
    char  line[256];
    long  kb = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "VmRSS: %ld kB", &kb) == 1) break;
    if (file) fclose(file);
    return (double)kb / 1024;
}

/* ---- making ---- */

static double unit(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return ((double)(state >> 11) + 1) / 9007199254740993.0;
}

static float normal(void) {
    return (float)(sqrt(-2 * log(unit())) * cos(6.283185307179586 * unit()));
}

/* As embeddings are: a mixture of clusters in LATENT dimensions, turned into more of them, with a little noise. */
static void fill(float *vectors, size_t count, uint32_t dimension) {
    float *centers = need((size_t)CLUSTERS * LATENT * sizeof *centers);
    float *turn = need((size_t)LATENT * dimension * sizeof *turn);
    for (size_t i = 0; i < (size_t)CLUSTERS * LATENT; i++) centers[i] = normal();
    for (size_t i = 0; i < (size_t)LATENT * dimension; i++) turn[i] = normal();
    for (size_t i = 0; i < count; i++) {
        const float *center = centers + (size_t)(unit() * (CLUSTERS - 1)) * LATENT;
        float       *vector = vectors + i * dimension;
        for (uint32_t j = 0; j < dimension; j++) vector[j] = 0.1f * normal();
        for (uint32_t l = 0; l < LATENT; l++) {
            float value = center[l] + 0.8f * normal();
            for (uint32_t j = 0; j < dimension; j++)
                vector[j] += value * turn[(size_t)l * dimension + j];
        }
    }
    free(centers);
    free(turn);
}

void bench_exact(const float *vectors, const bool *has, uint32_t count, uint32_t dimension,
                 const float *query, uint32_t out[BENCH_NEAREST]) {
    const cql_simd *simd = cql__simd();
    float           best[BENCH_NEAREST];
    uint32_t        kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (has && !has[i]) continue;
        float distance = simd->distance(query, vectors + (size_t)i * dimension, dimension);
        if (kept == BENCH_NEAREST && distance >= best[kept - 1]) continue;
        uint32_t at = kept < BENCH_NEAREST ? kept++ : BENCH_NEAREST - 1;
        for (; at > 0 && best[at - 1] > distance; at--) {
            best[at] = best[at - 1];
            out[at] = out[at - 1];
        }
        best[at] = distance;
        out[at] = i;
    }
}

typedef struct part {
    bench_data *data;
    uint32_t    first;
} part;

static void *answer_part(void *context) {
    part       *of = context;
    bench_data *data = of->data;
    for (uint32_t i = of->first; i < data->head.queries; i += THREADS)
        bench_exact(data->vectors, NULL, data->head.count, data->head.dimension,
                    bench_query(data, i), data->nearest + (size_t)i * BENCH_NEAREST);
    return NULL;
}

static void answer_exactly(bench_data *data) {
    pthread_t threads[THREADS];
    part      parts[THREADS];
    for (uint32_t i = 0; i < THREADS; i++) {
        parts[i] = (part){ data, i };
        if (pthread_create(&threads[i], NULL, answer_part, &parts[i]) != 0)
            bench_fail("thread", "cannot be started");
    }
    for (uint32_t i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
}

static size_t all_vectors(const bench_head *head) {
    return (size_t)head->count + head->queries + head->spares;
}

static void allocate(bench_data *data) {
    const bench_head *head = &data->head;
    data->vectors = need(all_vectors(head) * head->dimension * sizeof *data->vectors);
    data->nearest = need((size_t)head->queries * BENCH_NEAREST * sizeof *data->nearest);
}

void bench_make_data(const char *path, const bench_head *head) {
    bench_data data = { .head = *head };
    if (head->dimension % CQL_SIMD_LANES) bench_fail("dimension", "must be a multiple of 16");
    allocate(&data);
    fill(data.vectors, all_vectors(head), head->dimension);
    answer_exactly(&data);
    FILE *file = fopen(path, "wb");
    bool  ok = file && fwrite(head, sizeof *head, 1, file) == 1 &&
              fwrite(data.vectors, head->dimension * sizeof(float), all_vectors(head), file) ==
                  all_vectors(head) &&
              fwrite(data.nearest, BENCH_NEAREST * sizeof(uint32_t), head->queries, file) ==
                  head->queries;
    if (!ok || fclose(file) != 0) bench_fail(path, "cannot be written");
    free(data.vectors);
    free(data.nearest);
}

void bench_read_data(const char *path, bench_data *out) {
    FILE *file = fopen(path, "rb");
    if (!file || fread(&out->head, sizeof out->head, 1, file) != 1)
        bench_fail(path, "cannot be read");
    allocate(out);
    size_t vectors = all_vectors(&out->head);
    if (fread(out->vectors, out->head.dimension * sizeof(float), vectors, file) != vectors ||
        fread(out->nearest, BENCH_NEAREST * sizeof(uint32_t), out->head.queries, file) !=
            out->head.queries)
        bench_fail(path, "cannot be read");
    fclose(file);
}

const float *bench_query(const bench_data *data, uint32_t index) {
    return data->vectors + ((size_t)data->head.count + index) * data->head.dimension;
}

const float *bench_spare(const bench_data *data, uint32_t index) {
    return bench_query(data, data->head.queries + index % data->head.spares);
}

void bench_wire(const float *vector, uint32_t dimension, uint8_t *out) {
    for (uint32_t i = 0; i < dimension; i++) {
        uint32_t bits;
        memcpy(&bits, &vector[i], sizeof bits);
        base__store_u32(out + (size_t)i * 4, bits);
    }
}

/* ---- judging ---- */

static uint32_t common(const uint32_t *wanted, const uint32_t *found, uint32_t count) {
    uint32_t both = 0;
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t j = 0; j < BENCH_NEAREST; j++) both += found[i] == wanted[j];
    return both;
}

double bench_recall(const bench_data *data, bench_search search, void *context, uint32_t beam) {
    uint64_t found = 0;
    for (uint32_t i = 0; i < data->head.queries; i++) {
        uint32_t out[BENCH_NEAREST];
        uint32_t count = search(context, i, beam, out);
        found += common(data->nearest + (size_t)i * BENCH_NEAREST, out, count);
    }
    return (double)found / ((double)data->head.queries * BENCH_NEAREST);
}

void bench_answer(const bench_data *data, bench_search search, void *context) {
    unsigned beam;
    while (scanf("%u", &beam) == 1) {
        double   began = bench_cpu(), recall = bench_recall(data, search, context, beam);
        uint32_t rounds = 1;
        for (; bench_cpu() - began < 0.5; rounds++)
            recall = bench_recall(data, search, context, beam);
        double seconds = bench_cpu() - began;
        printf("{\"beam\": %u, \"recall\": %.5f, \"rate\": %.1f}\n", beam, recall,
               (double)data->head.queries * rounds / seconds);
        fflush(stdout);
    }
}
