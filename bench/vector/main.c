// SPDX-License-Identifier: MIT
/* main.c -- vector search: makes data; answers beams on the graph alone or through CQL; changes much and is killed.
 *
 *   bench_vector data FILE COUNT DIMENSION QUERIES SPARES
 *   bench_vector graph FILE CONNECTIONS BEAM            the graph without a store: builds, then answers beams from stdin
 *   bench_vector cql FILE FOLDER CONNECTIONS BEAM       the same through a session on a folder
 *   bench_vector churn FILE FOLDER OPERATIONS BEAM      on the folder that `cql` left */
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "engine/hnsw.h"

typedef struct graph_run {
    const bench_data *data;
    hnsw             *graph;
    uint8_t          *wire; /* of all queries */
    hnsw_hit         *hits;
} graph_run;

enum { MOST_BEAM = 4096 };

static uint32_t search_graph(void *context, uint32_t query, uint32_t beam,
                             uint32_t out[BENCH_NEAREST]) {
    graph_run *run = context;
    uint32_t   count;
    corm_error err = { 0 };
    size_t     size = (size_t)run->data->head.dimension * 4;
    if (beam > MOST_BEAM) beam = MOST_BEAM;
    if (hnsw__search(run->graph, run->wire + query * size, beam, run->hits, &count, &err) !=
        CORM_OK)
        bench_fail("search", err.message);
    for (uint32_t i = 0; i < BENCH_NEAREST && i < count; i++) out[i] = run->hits[i].id;
    return count < BENCH_NEAREST ? count : BENCH_NEAREST;
}

static void build_graph(graph_run *run, uint32_t connections, uint32_t beam) {
    uint32_t     dimension = run->data->head.dimension;
    corm_error   err = { 0 };
    hnsw_options options = { dimension, true, false, connections, beam };
    uint8_t     *wire = malloc((size_t)dimension * 4);
    if (!wire || hnsw__new(&options, &run->graph, &err) != CORM_OK)
        bench_fail("graph", err.message);
    for (uint32_t i = 0; i < run->data->head.count; i++) {
        bench_wire(run->data->vectors + (size_t)i * dimension, dimension, wire);
        if (hnsw__put(run->graph, i, wire, &err) != CORM_OK) bench_fail("put", err.message);
    }
    free(wire);
}

static void bench_graph(const bench_data *data, uint32_t connections, uint32_t beam) {
    size_t    size = (size_t)data->head.dimension * 4;
    graph_run run = { data, NULL, malloc(size * data->head.queries),
                      malloc(MOST_BEAM * sizeof(hnsw_hit)) };
    if (!run.wire || !run.hits) bench_fail("memory", "exhausted");
    for (uint32_t i = 0; i < data->head.queries; i++)
        bench_wire(bench_query(data, i), data->head.dimension, run.wire + i * size);
    double before = bench_rss_mb(), began = bench_cpu();
    build_graph(&run, connections, beam);
    printf("{\"build_s\": %.2f, \"rss_mb\": %.1f}\n", bench_cpu() - began, bench_rss_mb() - before);
    fflush(stdout);
    bench_answer(data, search_graph, &run);
    hnsw__unref(run.graph);
    free(run.wire);
    free(run.hits);
}

static uint32_t number(const char *text) {
    return (uint32_t)strtoul(text, NULL, 10);
}

int main(int argc, char **argv) {
    bench_data data;
    if (argc == 7 && strcmp(argv[1], "data") == 0) {
        bench_head head = { number(argv[3]), number(argv[4]), number(argv[5]), number(argv[6]) };
        bench_make_data(argv[2], &head);
        return 0;
    }
    if (argc < 5) return 2;
    bench_read_data(argv[2], &data);
    if (argc == 5 && strcmp(argv[1], "graph") == 0) {
        bench_graph(&data, number(argv[3]), number(argv[4]));
    } else if (argc == 6 && strcmp(argv[1], "cql") == 0) {
        bench_corm(&data, argv[3], number(argv[4]), number(argv[5]));
    } else if (argc == 6 && strcmp(argv[1], "churn") == 0) {
        bench_churn(&data, argv[3], number(argv[4]), number(argv[5]));
    } else {
        return 2;
    }
    free(data.vectors);
    free(data.nearest);
    return 0;
}
