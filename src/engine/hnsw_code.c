// SPDX-License-Identifier: MIT
/* hnsw_code.c -- short copies of the vectors, by which a search finds its way: a byte a dimension instead of four.
 *
 * A code is the vector's difference from the mean of all, in 255 steps of its own largest number; so data far from the origin is
 * coded as well as other data. A distance by codes is that to what the code stands for, but for what is the same for all nodes:
 *
 *   distance   |r|² - 2 q·r      cosine   |r|²/2 - q·r  (vectors of length 1)      product   -v·r
 *
 * with r the coded difference, q the query's own difference and v the query. What a search finds is measured anew by the vectors.
 * Where codes tell the hits apart badly the search is made again without them, and when that happens often they are left alone
 * until the next coding. The codes of all are made anew when as many vectors came as there were; nodes that come in between are
 * coded about the mean that is. Codes are never stored, and a graph without them is right too.
 *
 * Thread: coding is the writer's; the rest any, with the graph's lock held for reading. */
#include <math.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "engine/hnsw_internal.h"

enum {
    FIRST_CODING = 1024, /* nodes; fewer are looked through */
    MOST_CODE = 127,
    LEAST_BEAM = 8, /* of fewer hits it cannot be said how well they are told apart */
    DOUBT_STEP = 8, /* of a search that was made again; each other one takes 1 off */
    MUCH_DOUBT = 64
};

static const float smallest = 1e-30f, largest_range = 1e30f;

/* ---- coding ---- */

static float largest_of(const float *numbers, uint32_t count) {
    float largest = 0;
    for (uint32_t i = 0; i < count; i++) {
        float size = fabsf(numbers[i]);
        largest = size > largest ? size : largest;
    }
    return largest;
}

/* Steps for a number of 1; 0: the numbers cannot be coded. */
static float steps(float largest, float most) {
    return largest > smallest && largest < largest_range ? most / largest : 0;
}

static int32_t nearest_step(float value, int32_t most) {
    float limit = (float)most + 0.5f;
    if (!(value > -limit && value < limit)) return value > 0 ? most : value < 0 ? -most : 0;
    return (int32_t)(value + (value < 0 ? -0.5f : 0.5f));
}

static float norm_of(const hnsw *graph, float scale, int64_t squares) {
    float norm = scale * scale * (float)squares;
    if (graph->options.by_distance) return norm;
    return graph->options.normalize ? norm / 2 : 0;
}

static void encode(const hnsw *graph, const float *center, const float *vector, float *room,
                   hnsw_code *out) {
    uint32_t dimension = graph->options.dimension;
    for (uint32_t i = 0; i < dimension; i++) room[i] = vector[i] - center[i];
    float   largest = largest_of(room, dimension), up = steps(largest, MOST_CODE);
    int64_t squares = 0;
    for (uint32_t i = 0; i < dimension; i++) {
        int32_t code = nearest_step(room[i] * up, MOST_CODE);
        out->codes[i] = (int8_t)code;
        squares += (int64_t)code * code;
    }
    for (uint32_t i = dimension; i < graph->code_count; i++) out->codes[i] = 0;
    out->scale = up > 0 ? largest / MOST_CODE : 0;
    out->norm = norm_of(graph, out->scale, squares);
}

void hnsw__encode(hnsw *graph, uint32_t id) {
    graph->uncoded++;
    if (!graph->code_center) return;
    encode(graph, graph->code_center, hnsw_vector(graph, id), graph->code_room,
           hnsw_code_of(graph, id));
}

static bool find_center(const hnsw *graph, float *out) {
    uint32_t dimension = graph->options.dimension;
    double  *sums = calloc(dimension, sizeof *sums);
    if (!sums) return false;
    for (uint32_t id = 0; id < graph->end; id++) {
        if (!hnsw_is_there(graph, id)) continue;
        const float *vector = hnsw_vector(graph, id);
        for (uint32_t i = 0; i < dimension; i++) sums[i] += (double)vector[i];
    }
    for (uint32_t i = 0; i < dimension; i++) out[i] = (float)(sums[i] / graph->count);
    free(sums);
    return true;
}

/* For each chunk; all or none. */
static bool map_codes(const hnsw *graph, uint8_t **out) {
    for (uint32_t i = 0; i < graph->chunk_count; i++) out[i] = hnsw__map(hnsw_code_bytes(graph));
    for (uint32_t i = 0; i < graph->chunk_count; i++) {
        if (!out[i]) return false;
        hnsw__want_large_pages(out[i], hnsw_code_bytes(graph));
    }
    return true;
}

static void unmap_codes(const hnsw *graph, uint8_t **codes) {
    for (uint32_t i = 0; i < graph->chunk_count; i++) {
        if (codes[i]) munmap(codes[i], hnsw_code_bytes(graph));
    }
}

static void encode_all(const hnsw *graph, const float *center, uint8_t **codes) {
    for (uint32_t id = 0; id < graph->end; id++) {
        if (!hnsw_is_there(graph, id)) continue;
        size_t at = hnsw_slot(id) * graph->code_stride;
        encode(graph, center, hnsw_vector(graph, id), graph->code_room,
               (hnsw_code *)(void *)(codes[id >> HNSW_CHUNK_BITS] + at));
    }
}

/* What was there is in `center` and `codes` then. */
static void exchange(hnsw *graph, float **center, uint8_t **codes) {
    pthread_rwlock_wrlock(&graph->lock);
    float *old = graph->code_center;
    graph->code_center = *center;
    *center = old;
    for (uint32_t i = 0; i < graph->chunk_count; i++) {
        uint8_t *old_codes = graph->chunks[i]->codes;
        graph->chunks[i]->codes = codes[i];
        codes[i] = old_codes;
    }
    atomic_store_explicit(&graph->doubt, 0, memory_order_relaxed);
    pthread_rwlock_unlock(&graph->lock);
}

static void code_anew(hnsw *graph) {
    float    *center = malloc(graph->stride * sizeof *center);
    uint8_t **codes = calloc(graph->chunk_count, sizeof *codes);
    if (!graph->code_room) graph->code_room = malloc(graph->stride * sizeof(float));
    if (center && codes && graph->code_room && map_codes(graph, codes) &&
        find_center(graph, center)) {
        encode_all(graph, center, codes);
        exchange(graph, &center, codes);
    }
    if (codes) unmap_codes(graph, codes);
    free(codes);
    free(center);
}

void hnsw__code_when_due(hnsw *graph) {
    if (graph->uncoded < FIRST_CODING || graph->uncoded < graph->coded) return;
    if (graph->count == 0 || graph->options.dimension > CQL_SIMD_MOST_CODES) return;
    code_anew(graph);
    graph->uncoded = 0;
    graph->coded = graph->count;
}

/* ---- searching ---- */

bool hnsw__code_query(const hnsw *graph, hnsw_scratch *scratch, uint32_t beam) {
    uint32_t     dimension = graph->options.dimension;
    const float *query = scratch->query, *center = graph->code_center;
    float       *room = scratch->code_room;
    if (!center || beam < LEAST_BEAM) return false;
    if (atomic_load_explicit(&graph->doubt, memory_order_relaxed) >= MUCH_DOUBT) return false;
    bool by_product = !graph->options.by_distance && !graph->options.normalize;
    for (uint32_t i = 0; i < dimension; i++) room[i] = by_product ? query[i] : query[i] - center[i];
    float largest = largest_of(room, dimension), up = steps(largest, CQL_SIMD_MOST_QUERY);
    for (uint32_t i = 0; i < graph->code_count; i++) {
        scratch->code_query[i] =
            (int16_t)(i < dimension ? nearest_step(room[i] * up, CQL_SIMD_MOST_QUERY) : 0);
    }
    scratch->code_scale = up > 0 ? largest / CQL_SIMD_MOST_QUERY : 0;
    if (graph->options.by_distance) scratch->code_scale *= 2;
    return true;
}

void hnsw__measure_codes(const hnsw *graph, hnsw_scratch *scratch, uint32_t count) {
    graph->simd->code_products(scratch->code_query, scratch->codes, count, graph->code_count,
                               scratch->products);
    for (uint32_t i = 0; i < count; i++) {
        const hnsw_code *code = hnsw_code_with(scratch->codes[i]);
        scratch->distances[i] =
            code->norm - code->scale * scratch->code_scale * (float)scratch->products[i];
    }
}

/* How far distances by codes are from the exact ones, but for what is the same for all. */
typedef struct deviation {
    double   first, sum, squares;
    float    least, most; /* exact distances */
    uint32_t count;
} deviation;

static void deviate(deviation *of, float by_code, float exact) {
    double by = (double)by_code - (double)exact;
    if (of->count++ == 0) {
        of->first = by;
        of->least = of->most = exact;
    }
    of->sum += by - of->first;
    of->squares += (by - of->first) * (by - of->first);
    if (exact < of->least) of->least = exact;
    if (exact > of->most) of->most = exact;
}

/* The hits lie apart by eight times of what codes deviate; numbers that are none say no. */
static bool tells_apart(const deviation *of) {
    double mean = of->sum / of->count, variance = of->squares / of->count - mean * mean;
    double spread = (double)of->most - (double)of->least;
    return variance * 64 <= spread * spread;
}

static void measure_part(const hnsw *graph, hnsw_scratch *scratch, uint32_t first, uint32_t count,
                         deviation *of) {
    hnsw_hit *hits = scratch->pool + first;
    for (uint32_t i = 0; i < count; i++) {
        scratch->vectors[i] = hnsw_vector(graph, hits[i].id);
        __builtin_prefetch(scratch->vectors[i]);
        __builtin_prefetch(scratch->vectors[i] + CQL_SIMD_LANES);
    }
    hnsw__measure(graph, scratch, scratch->query, count);
    for (uint32_t i = 0; i < count; i++) {
        deviate(of, hits[i].distance, scratch->distances[i]);
        hits[i].distance = scratch->distances[i];
    }
}

/* They nearly stand in order. */
static void sort_pool(hnsw_scratch *scratch) {
    hnsw_hit *pool = scratch->pool;
    for (uint32_t i = 1; i < scratch->pool_count; i++) {
        hnsw_hit hit = pool[i];
        uint32_t at = i;
        for (; at > 0 && pool[at - 1].distance > hit.distance; at--) pool[at] = pool[at - 1];
        pool[at] = hit;
    }
}

static void note_doubt(hnsw *graph, bool good) {
    int doubt = atomic_load_explicit(&graph->doubt, memory_order_relaxed);
    if (good && doubt == 0) return;
    atomic_fetch_add_explicit(&graph->doubt, good ? -1 : DOUBT_STEP, memory_order_relaxed);
}

bool hnsw__measure_pool(hnsw *graph, hnsw_scratch *scratch) {
    deviation of = { 0 };
    uint32_t  room = graph->base_links, all = scratch->pool_count;
    scratch->by_codes = false;
    for (uint32_t first = 0; first < all; first += room)
        measure_part(graph, scratch, first, all - first < room ? all - first : room, &of);
    bool good = all == 0 || tells_apart(&of);
    note_doubt(graph, good);
    if (good) sort_pool(scratch);
    return good;
}
