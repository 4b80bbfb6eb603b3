// SPDX-License-Identifier: MIT
/* hnsw_search.c -- finding the nearest nodes. The nearest so far stand in one sorted array; the first of them whose links were
 * not followed is next. Vectors of a node's links are fetched before they are looked at. Thread: any, with the graph's lock held
 * for reading, or the writer. */
#include <math.h>
#include <stdlib.h>

#include "engine/hnsw_internal.h"

enum { FOLLOWED = 1u << 30, LINKS_A_LINE = 16, FETCH_LINE = 64 };

/* ---- scratch ---- */

static void free_scratch(hnsw_scratch *scratch) {
    if (!scratch) return;
    free(scratch->visited);
    free(scratch->pool);
    free(scratch->ids);
    free(scratch->vectors);
    free(scratch->distances);
    free(scratch->query);
    free(scratch->codes);
    free(scratch->products);
    free(scratch->code_query);
    free(scratch->code_room);
    free(scratch);
}

void hnsw__scratches_free(hnsw *graph) {
    while (graph->idle) {
        hnsw_scratch *next = graph->idle->next;
        free_scratch(graph->idle);
        graph->idle = next;
    }
}

static hnsw_scratch *new_scratch(const hnsw *graph) {
    hnsw_scratch *scratch = calloc(1, sizeof *scratch);
    if (!scratch) return NULL;
    size_t room = graph->base_links;
    scratch->ids = malloc(room * sizeof *scratch->ids);
    scratch->vectors = malloc(room * sizeof *scratch->vectors);
    scratch->distances = malloc(room * sizeof *scratch->distances);
    scratch->query = malloc(graph->stride * sizeof *scratch->query);
    scratch->codes = malloc(room * sizeof *scratch->codes);
    scratch->products = malloc(room * sizeof *scratch->products);
    scratch->code_query = malloc(graph->code_count * sizeof *scratch->code_query);
    scratch->code_room = malloc(graph->stride * sizeof *scratch->code_room);
    if (scratch->ids && scratch->vectors && scratch->distances && scratch->query &&
        scratch->codes && scratch->products && scratch->code_query && scratch->code_room)
        return scratch;
    free_scratch(scratch);
    return NULL;
}

static bool fit_scratch(const hnsw *graph, hnsw_scratch *scratch, uint32_t beam) {
    size_t words = (size_t)graph->chunk_count * HNSW_CHUNK / 64;
    if (words > scratch->words) {
        uint64_t *more = realloc(scratch->visited, words * sizeof *more);
        if (!more) return false;
        scratch->visited = more;
        scratch->words = words;
    }
    if (beam > scratch->pool_capacity) {
        hnsw_hit *more = realloc(scratch->pool, ((size_t)beam + 1) * sizeof *more);
        if (!more) return false;
        scratch->pool = more;
        scratch->pool_capacity = beam;
    }
    return true;
}

corm_status hnsw__scratch_take(hnsw *graph, uint32_t beam, hnsw_scratch **out, corm_error *err) {
    pthread_mutex_lock(&graph->scratch_lock);
    hnsw_scratch *scratch = graph->idle;
    if (scratch) graph->idle = scratch->next;
    pthread_mutex_unlock(&graph->scratch_lock);
    if (!scratch) scratch = new_scratch(graph);
    *out = scratch;
    if (scratch) scratch->by_codes = false;
    if (scratch && fit_scratch(graph, scratch, beam)) return CORM_OK;
    free_scratch(scratch);
    *out = NULL;
    return base__fail_memory(err);
}

void hnsw__scratch_give(hnsw *graph, hnsw_scratch *scratch) {
    if (!scratch) return;
    pthread_mutex_lock(&graph->scratch_lock);
    scratch->next = graph->idle;
    graph->idle = scratch;
    pthread_mutex_unlock(&graph->scratch_lock);
}

/* ---- distances ---- */

void hnsw__measure(const hnsw *graph, hnsw_scratch *scratch, const float *query, uint32_t count) {
    if (scratch->by_codes) {
        hnsw__measure_codes(graph, scratch, count);
        return;
    }
    if (graph->options.by_distance) {
        graph->simd->distances(query, scratch->vectors, count, graph->stride, scratch->distances);
        return;
    }
    graph->simd->products(query, scratch->vectors, count, graph->stride, scratch->distances);
    for (uint32_t i = 0; i < count; i++) scratch->distances[i] = -scratch->distances[i];
}

/* The node is to be measured; what is looked at comes nearer. */
static inline void ask(const hnsw *graph, hnsw_scratch *scratch, uint32_t id, uint32_t index) {
    scratch->ids[index] = id;
    if (scratch->by_codes) {
        const hnsw_code *code = hnsw_code_of(graph, id);
        __builtin_prefetch(code);
        __builtin_prefetch((const char *)code + FETCH_LINE);
        scratch->codes[index] = code->codes;
        return;
    }
    const float *vector = hnsw_vector(graph, id);
    __builtin_prefetch(vector);
    __builtin_prefetch(vector + CQL_SIMD_LANES);
    scratch->vectors[index] = vector;
}

/* ---- the levels above ---- */

static bool step_nearer(const hnsw *graph, hnsw_scratch *scratch, const float *query,
                        uint32_t level, hnsw_hit *at) {
    const uint32_t *list = hnsw_list(graph, at->id, level);
    uint32_t        count = hnsw_length(graph, list, level);
    bool            moved = false;
    for (uint32_t i = 0; i < count; i++) ask(graph, scratch, list[i], i);
    hnsw__measure(graph, scratch, query, count);
    for (uint32_t i = 0; i < count; i++) {
        if (scratch->distances[i] >= at->distance) continue;
        *at = (hnsw_hit){ scratch->distances[i], list[i] };
        moved = true;
    }
    return moved;
}

hnsw_hit hnsw__descend(const hnsw *graph, hnsw_scratch *scratch, const float *query,
                       uint32_t level) {
    ask(graph, scratch, graph->entry, 0);
    hnsw__measure(graph, scratch, query, 1);
    hnsw_hit at = { scratch->distances[0], graph->entry };
    for (uint32_t l = graph->top; l > level; l--) {
        while (step_nearer(graph, scratch, query, l, &at)) {
        }
    }
    return at;
}

/* ---- one level ---- */

/* Whether it was seen before; it is now. */
static bool see(hnsw_scratch *scratch, uint32_t id) {
    uint64_t *word = &scratch->visited[id / 64], bit = 1ull << id % 64;
    bool      seen = (*word & bit) != 0;
    *word |= bit;
    return seen;
}

static uint32_t gather(const hnsw *graph, hnsw_scratch *scratch, uint32_t id, uint32_t level) {
    const uint32_t *list = hnsw_list(graph, id, level);
    uint32_t        room = hnsw_room(graph, level), count = 0;
    for (uint32_t i = 0; i < room && list[i] != HNSW_NOBODY; i++) {
        if (!see(scratch, list[i])) ask(graph, scratch, list[i], count++);
    }
    return count;
}

/* Puts the hit in its place; where. */
static uint32_t insert_hit(hnsw_scratch *scratch, uint32_t beam, hnsw_hit hit) {
    hnsw_hit *pool = scratch->pool;
    uint32_t  low = 0, high = scratch->pool_count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (pool[middle].distance <= hit.distance)
            low = middle + 1;
        else
            high = middle;
    }
    uint32_t last = scratch->pool_count < beam ? scratch->pool_count++ : beam - 1;
    memmove(&pool[low + 1], &pool[low], (last - low) * sizeof *pool);
    pool[low] = hit;
    return low;
}

static bool is_wanted(const hnsw_scratch *scratch, uint32_t beam, float distance) {
    return scratch->pool_count < beam || distance < scratch->pool[beam - 1].distance;
}

void hnsw__offer(hnsw_scratch *scratch, uint32_t beam, hnsw_hit hit) {
    if (is_wanted(scratch, beam, hit.distance)) insert_hit(scratch, beam, hit);
}

/* Where a search will perhaps go next. */
static void fetch_list(const hnsw *graph, uint32_t id, uint32_t level) {
    const uint32_t *list = hnsw_list(graph, id, level);
    for (uint32_t i = 0; i < hnsw_room(graph, level); i += LINKS_A_LINE)
        __builtin_prefetch(list + i);
}

/* Follows the links of a node; the first place of the pool that changed. */
static uint32_t follow(const hnsw *graph, hnsw_scratch *scratch, const float *query, uint32_t id,
                       uint32_t beam, uint32_t level) {
    uint32_t first = UINT32_MAX, count = gather(graph, scratch, id, level);
    hnsw__measure(graph, scratch, query, count);
    for (uint32_t i = 0; i < count; i++) {
        if (!is_wanted(scratch, beam, scratch->distances[i])) continue;
        hnsw_hit hit = { scratch->distances[i], scratch->ids[i] };
        uint32_t at = insert_hit(scratch, beam, hit);
        fetch_list(graph, hit.id, level);
        if (at < first) first = at;
    }
    return first;
}

void hnsw__search_level(const hnsw *graph, hnsw_scratch *scratch, const float *query,
                        hnsw_hit start, uint32_t beam, uint32_t level) {
    uint32_t next = 0;
    memset(scratch->visited, 0, ((size_t)graph->end + 63) / 64 * sizeof *scratch->visited);
    see(scratch, start.id);
    scratch->pool[0] = start;
    scratch->pool_count = 1;
    while (next < scratch->pool_count) {
        hnsw_hit *hit = &scratch->pool[next++];
        if (hit->id & FOLLOWED) continue;
        uint32_t id = hit->id;
        hit->id |= FOLLOWED;
        uint32_t first = follow(graph, scratch, query, id, beam, level);
        if (first < next) next = first;
    }
    for (uint32_t i = 0; i < scratch->pool_count; i++) scratch->pool[i].id &= ~(uint32_t)FOLLOWED;
}

/* ---- searches ---- */

/* Takes the id out of the pool when it stands there with a larger distance; false when with a smaller one. */
static bool forget_farther(hnsw_scratch *scratch, uint32_t id, float distance) {
    for (uint32_t i = 0; i < scratch->pool_count; i++) {
        if (scratch->pool[i].id != id) continue;
        if (scratch->pool[i].distance <= distance) return false;
        memmove(&scratch->pool[i], &scratch->pool[i + 1],
                (scratch->pool_count - i - 1) * sizeof *scratch->pool);
        scratch->pool_count--;
        return true;
    }
    return true;
}

static void add_ghosts(const hnsw *graph, hnsw_scratch *scratch, uint32_t beam) {
    for (uint32_t i = 0; i < graph->ghost_count; i++) {
        const hnsw_ghost *ghost = &graph->ghosts[i];
        float             distance = hnsw_distance(graph, scratch->query, ghost->vector);
        if (is_wanted(scratch, beam, distance) && forget_farther(scratch, ghost->id, distance))
            insert_hit(scratch, beam, (hnsw_hit){ distance, ghost->id });
    }
}

static void look_at_all(const hnsw *graph, hnsw_scratch *scratch, uint32_t beam) {
    for (uint32_t id = 0; id < graph->end; id++) {
        if (!hnsw_is_there(graph, id)) continue;
        float distance = hnsw_distance(graph, scratch->query, hnsw_vector(graph, id));
        if (is_wanted(scratch, beam, distance))
            insert_hit(scratch, beam, (hnsw_hit){ distance, id });
    }
}

static void search_all_levels(const hnsw *graph, hnsw_scratch *scratch, uint32_t beam) {
    hnsw_hit start = hnsw__descend(graph, scratch, scratch->query, 0);
    hnsw__search_level(graph, scratch, scratch->query, start, beam, 0);
}

static void search_graph(hnsw *graph, hnsw_scratch *scratch, uint32_t beam) {
    scratch->by_codes = hnsw__code_query(graph, scratch, beam);
    bool coded = scratch->by_codes;
    search_all_levels(graph, scratch, beam);
    if (coded && !hnsw__measure_pool(graph, scratch)) search_all_levels(graph, scratch, beam);
}

static corm_status search_locked(hnsw *graph, const uint8_t *wire, uint32_t beam, bool all,
                                 hnsw_hit *out, uint32_t *count, corm_error *err) {
    hnsw_scratch *scratch;
    CORM_TRY(hnsw__scratch_take(graph, beam, &scratch, err));
    hnsw__load_vector(graph, wire, scratch->query);
    scratch->pool_count = 0;
    if (all) {
        look_at_all(graph, scratch, beam);
    } else if (graph->count > 0) {
        search_graph(graph, scratch, beam);
    }
    add_ghosts(graph, scratch, beam);
    *count = scratch->pool_count;
    memcpy(out, scratch->pool, *count * sizeof *out);
    hnsw__scratch_give(graph, scratch);
    return CORM_OK;
}

static corm_status search(hnsw *graph, const uint8_t *wire, uint32_t beam, bool all, hnsw_hit *out,
                          uint32_t *count, corm_error *err) {
    *count = 0;
    if (beam == 0) return CORM_OK;
    pthread_rwlock_rdlock(&graph->lock);
    corm_status status = search_locked(graph, wire, beam, all, out, count, err);
    pthread_rwlock_unlock(&graph->lock);
    return status;
}

corm_status hnsw__search(hnsw *graph, const uint8_t *wire, uint32_t beam, hnsw_hit *out,
                         uint32_t *count, corm_error *err) {
    return search(graph, wire, beam, false, out, count, err);
}

corm_status hnsw__scan(hnsw *graph, const uint8_t *wire, uint32_t most, hnsw_hit *out,
                       uint32_t *count, corm_error *err) {
    return search(graph, wire, most, true, out, count, err);
}
