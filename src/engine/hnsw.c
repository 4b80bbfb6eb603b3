// SPDX-License-Identifier: MIT
/* hnsw.c -- where nodes of the graph live: chunks, loading, what has changed. Thread: the writer, unless it says otherwise. */
#include "engine/hnsw.h"

#include <math.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "engine/hnsw_internal.h"

enum { LINE = 64, LARGE_PAGE = 2 << 20, LABEL_BYTES = 48 /* of most rows */ };

/* ---- chunks ---- */

void *hnsw__map(size_t bytes) {
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

/* Where they are to be had: a search jumps about in all of it. */
void hnsw__want_large_pages(void *memory, size_t bytes) {
#ifdef MADV_HUGEPAGE
    if (memory) (void)madvise(memory, bytes, MADV_HUGEPAGE);
#else
    (void)memory, (void)bytes;
#endif
}

static size_t vector_bytes(const hnsw *graph) {
    return (size_t)HNSW_CHUNK * graph->stride * sizeof(float);
}
static size_t link_bytes(const hnsw *graph) {
    return (size_t)HNSW_CHUNK * graph->base_links * sizeof(uint32_t);
}

static void free_back(hnsw_chunk *chunk) {
    for (uint32_t i = 0; chunk->back && i < HNSW_CHUNK; i++) free(chunk->back[i].ids);
    free(chunk->back);
}

static void free_chunk(hnsw *graph, hnsw_chunk *chunk) {
    if (!chunk) return;
    if (chunk->vectors) munmap(chunk->vectors, vector_bytes(graph));
    if (chunk->links) munmap(chunk->links, link_bytes(graph));
    if (chunk->codes) munmap(chunk->codes, hnsw_code_bytes(graph));
    for (uint32_t i = 0; i < HNSW_CHUNK; i++) {
        free(chunk->upper[i]);
        free(chunk->labels[i]);
    }
    free_back(chunk);
    free(chunk);
}

static hnsw_chunk *new_chunk(hnsw *graph) {
    hnsw_chunk *chunk = calloc(1, sizeof *chunk);
    if (!chunk) return NULL;
    chunk->vectors = hnsw__map(vector_bytes(graph));
    chunk->links = hnsw__map(link_bytes(graph));
    if (graph->code_center) chunk->codes = hnsw__map(hnsw_code_bytes(graph));
    memset(chunk->levels, HNSW_VACANT, sizeof chunk->levels);
    if (graph->has_back) chunk->back = calloc(HNSW_CHUNK, sizeof *chunk->back);
    if (!chunk->vectors || !chunk->links || (graph->has_back && !chunk->back) ||
        (graph->code_center && !chunk->codes)) {
        free_chunk(graph, chunk);
        return NULL;
    }
    if (graph->chunk_count > 0) {
        hnsw__want_large_pages(chunk->vectors, vector_bytes(graph));
        hnsw__want_large_pages(chunk->links, link_bytes(graph));
        hnsw__want_large_pages(chunk->codes, hnsw_code_bytes(graph));
    }
    return chunk;
}

/* The lock is held. */
static bool add_chunk(hnsw *graph) {
    if (graph->chunk_count == graph->chunk_capacity) {
        uint32_t     capacity = graph->chunk_capacity ? 2 * graph->chunk_capacity : 8;
        hnsw_chunk **more = realloc(graph->chunks, capacity * sizeof(hnsw_chunk *));
        if (!more) return false;
        graph->chunks = more;
        graph->chunk_capacity = capacity;
    }
    hnsw_chunk *chunk = new_chunk(graph);
    if (chunk) graph->chunks[graph->chunk_count++] = chunk;
    return chunk != NULL;
}

corm_status hnsw__reserve(hnsw *graph, uint32_t id, corm_error *err) {
    if (id >= HNSW_MOST_NODES)
        return base__fail(err, CORM_UNSUPPORTED, "a vector index holds at most 2^30 vectors");
    bool ok = true;
    if (id >> HNSW_CHUNK_BITS >= graph->chunk_count) {
        pthread_rwlock_wrlock(&graph->lock);
        while (ok && id >> HNSW_CHUNK_BITS >= graph->chunk_count) ok = add_chunk(graph);
        pthread_rwlock_unlock(&graph->lock);
    }
    return ok ? CORM_OK : base__fail_memory(err);
}

/* ---- life ---- */

/* A writer waits for the searches that are under way, not for those that come after it. */
static int init_lock(pthread_rwlock_t *lock) {
#ifdef __GLIBC__
    pthread_rwlockattr_t how;
    pthread_rwlockattr_init(&how);
    pthread_rwlockattr_setkind_np(&how, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    int number = pthread_rwlock_init(lock, &how);
    pthread_rwlockattr_destroy(&how);
    return number;
#else
    return pthread_rwlock_init(lock, NULL);
#endif
}

corm_status hnsw__new(const hnsw_options *options, hnsw **out, corm_error *err) {
    hnsw *graph = calloc(1, sizeof *graph);
    *out = graph;
    if (!graph) return base__fail_memory(err);
    graph->options = *options;
    graph->stride = cql__simd_padded(options->dimension);
    graph->base_links = 2 * options->connections;
    graph->simd = cql__simd();
    graph->code_count = cql__simd_padded_codes(options->dimension);
    graph->code_stride = sizeof(hnsw_code) + graph->code_count;
    atomic_init(&graph->doubt, 0);
    graph->entry = HNSW_NOBODY;
    atomic_init(&graph->refs, 1);
    init_lock(&graph->lock);
    pthread_mutex_init(&graph->scratch_lock, NULL);
    return CORM_OK;
}

hnsw *hnsw__ref(hnsw *graph) {
    atomic_fetch_add_explicit(&graph->refs, 1, memory_order_relaxed);
    return graph;
}

static void drop_ghosts(hnsw *graph) {
    for (uint32_t i = 0; i < graph->ghost_count; i++) free(graph->ghosts[i].vector);
    graph->ghost_count = 0;
}

void hnsw__unref(hnsw *graph) {
    if (!graph || atomic_fetch_sub_explicit(&graph->refs, 1, memory_order_acq_rel) > 1) return;
    for (uint32_t i = 0; i < graph->chunk_count; i++) free_chunk(graph, graph->chunks[i]);
    free(graph->chunks);
    hnsw__scratches_free(graph);
    drop_ghosts(graph);
    free(graph->ghosts);
    free(graph->changes);
    free(graph->is_changed);
    free(graph->changed);
    free(graph->vacant);
    free(graph->code_center);
    free(graph->code_room);
    pthread_rwlock_destroy(&graph->lock);
    pthread_mutex_destroy(&graph->scratch_lock);
    free(graph);
}

uint32_t hnsw__count(hnsw *graph) {
    pthread_rwlock_rdlock(&graph->lock);
    uint32_t count = graph->count;
    pthread_rwlock_unlock(&graph->lock);
    return count;
}

size_t hnsw__memory(hnsw *graph) {
    pthread_rwlock_rdlock(&graph->lock);
    size_t bytes =
        graph->chunk_count * (vector_bytes(graph) + link_bytes(graph) + sizeof(hnsw_chunk));
    bytes += graph->count / graph->options.connections * graph->options.connections * 4;
    bytes += (size_t)graph->count * LABEL_BYTES;
    if (graph->code_center) bytes += graph->chunk_count * hnsw_code_bytes(graph);
    pthread_rwlock_unlock(&graph->lock);
    return bytes + graph->back_bytes;
}

/* ---- places ---- */

void hnsw__load_vector(const hnsw *graph, const uint8_t *wire, float *out) {
    cql__simd_load(wire, graph->options.dimension, out);
    if (!graph->options.normalize) return;
    double squares = 0;
    for (uint32_t i = 0; i < graph->options.dimension; i++)
        squares += (double)out[i] * (double)out[i];
    float scale = squares > 0 ? (float)(1 / sqrt(squares)) : 0;
    for (uint32_t i = 0; i < graph->options.dimension; i++) out[i] *= scale;
}

/* Levels follow from the id, so that the same history gives the same graph. */
uint32_t hnsw__level_for(const hnsw *graph, uint32_t id) {
    uint64_t x = (id + 1) * 0x9e3779b97f4a7c15ull;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
    x = (x ^ x >> 27) * 0x94d049bb133111ebull;
    x ^= x >> 31;
    double   unit = ((double)(x >> 11) + 1) / 9007199254740993.0;
    uint32_t base = graph->options.connections < 2 ? 2 : graph->options.connections;
    double   level = -log(unit) / log((double)base);
    return level < HNSW_LEVELS - 1 ? (uint32_t)level : HNSW_LEVELS - 1;
}

corm_status hnsw__new_upper(const hnsw *graph, uint32_t level, uint32_t **out, corm_error *err) {
    size_t count = (size_t)level * graph->options.connections;
    *out = NULL;
    if (count == 0) return CORM_OK;
    *out = malloc(count * sizeof **out);
    if (!*out) return base__fail_memory(err);
    memset(*out, 0xff, count * sizeof **out);
    return CORM_OK;
}

void hnsw__occupy(hnsw *graph, uint32_t id, uint32_t level, const float *vector, uint32_t *upper) {
    hnsw_chunk *chunk = hnsw_chunk_of(graph, id);
    uint32_t    slot = hnsw_slot(id);
    memcpy(hnsw_vector(graph, id), vector, graph->stride * sizeof *vector);
    memset(hnsw_list(graph, id, 0), 0xff, graph->base_links * sizeof(uint32_t));
    free(chunk->upper[slot]);
    chunk->upper[slot] = upper;
    free(chunk->labels[slot]);
    chunk->labels[slot] = NULL;
    chunk->levels[slot] = (uint8_t)level;
    hnsw__encode(graph, id);
    if (id >= graph->end) graph->end = id + 1;
    graph->count++;
}

bool hnsw__has(hnsw *graph, uint32_t id) {
    return hnsw_is_there(graph, id);
}

uint32_t hnsw__free_id(hnsw *graph) {
    while (graph->vacant_count > 0) {
        uint32_t id = graph->vacant[graph->vacant_count - 1];
        if (!hnsw_is_there(graph, id)) return id;
        graph->vacant_count--;
    }
    return graph->end;
}

uint32_t hnsw__level(hnsw *graph, uint32_t id) {
    return hnsw_chunk_of(graph, id)->levels[hnsw_slot(id)];
}

const uint32_t *hnsw__links(hnsw *graph, uint32_t id, uint32_t level, uint32_t *count) {
    const uint32_t *list = hnsw_list(graph, id, level);
    *count = hnsw_length(graph, list, level);
    return list;
}

/* ---- loading ---- */

corm_status hnsw__place(hnsw *graph, uint32_t id, uint32_t level, const uint8_t *wire,
                        corm_error *err) {
    hnsw_scratch *scratch;
    uint32_t     *upper;
    if (level != hnsw__level_for(graph, id))
        return base__fail(err, CORM_CORRUPT, "a node of a vector index has another's level");
    CORM_TRY(hnsw__reserve(graph, id, err));
    CORM_TRY(hnsw__new_upper(graph, level, &upper, err));
    corm_status status = hnsw__scratch_take(graph, 1, &scratch, err);
    if (status != CORM_OK) {
        free(upper);
        return status;
    }
    hnsw__load_vector(graph, wire, scratch->query);
    pthread_rwlock_wrlock(&graph->lock);
    if (hnsw_is_there(graph, id)) graph->count--;
    hnsw__occupy(graph, id, level, scratch->query, upper);
    pthread_rwlock_unlock(&graph->lock);
    hnsw__scratch_give(graph, scratch);
    return CORM_OK;
}

static bool may_link(const hnsw *graph, uint32_t id, uint32_t level, const uint32_t *links,
                     uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (links[i] == id || !hnsw_is_there(graph, links[i])) return false;
        if (hnsw_chunk_of(graph, links[i])->levels[hnsw_slot(links[i])] < level) return false;
    }
    return true;
}

corm_status hnsw__place_links(hnsw *graph, uint32_t id, uint32_t level, const uint32_t *links,
                              uint32_t count, corm_error *err) {
    if (!hnsw_is_there(graph, id) || level > hnsw__level(graph, id) ||
        count > hnsw_room(graph, level) || !may_link(graph, id, level, links, count))
        return base__fail(err, CORM_CORRUPT,
                          "a node of a vector index has links that it cannot have");
    pthread_rwlock_wrlock(&graph->lock);
    uint32_t *list = hnsw_list(graph, id, level);
    memset(list, 0xff, hnsw_room(graph, level) * sizeof *list);
    if (count > 0) memcpy(list, links, count * sizeof *list);
    pthread_rwlock_unlock(&graph->lock);
    return CORM_OK;
}

void hnsw__displace(hnsw *graph, uint32_t id) {
    if (!hnsw_is_there(graph, id)) return;
    pthread_rwlock_wrlock(&graph->lock);
    hnsw_chunk_of(graph, id)->levels[hnsw_slot(id)] = HNSW_VACANT;
    graph->count--;
    pthread_rwlock_unlock(&graph->lock);
}

void hnsw__choose_entry(hnsw *graph) {
    graph->entry = HNSW_NOBODY;
    graph->top = 0;
    for (uint32_t id = 0; id < graph->end; id++) {
        if (!hnsw_is_there(graph, id)) continue;
        uint32_t level = hnsw__level(graph, id);
        if (graph->entry != HNSW_NOBODY && level <= graph->top) continue;
        graph->entry = id;
        graph->top = level;
    }
}

static void note_vacant(hnsw *graph) {
    uint32_t count = 0;
    for (uint32_t id = 0; id < graph->end; id++) count += !hnsw_is_there(graph, id);
    if (count > graph->vacant_capacity) {
        uint32_t *more = realloc(graph->vacant, count * sizeof *more);
        if (!more) return; /* ids are not used again, which harms nothing */
        graph->vacant = more;
        graph->vacant_capacity = count;
    }
    graph->vacant_count = 0;
    for (uint32_t id = graph->end; id-- > 0 && count > 0;) {
        if (!hnsw_is_there(graph, id)) graph->vacant[graph->vacant_count++] = id;
    }
}

static void forget_back(hnsw *graph) {
    for (uint32_t i = 0; i < graph->chunk_count; i++) {
        free_back(graph->chunks[i]);
        graph->chunks[i]->back = NULL;
    }
    graph->has_back = false;
    graph->back_bytes = 0;
}

void hnsw__placed(hnsw *graph) {
    pthread_rwlock_wrlock(&graph->lock);
    hnsw__choose_entry(graph);
    pthread_rwlock_unlock(&graph->lock);
    forget_back(graph);
    note_vacant(graph);
    hnsw__code_when_due(graph);
}

/* ---- what has changed ---- */

static bool grow_bits(hnsw *graph) {
    uint32_t words = graph->chunk_count * (HNSW_CHUNK / 64);
    if (words <= graph->changed_words) return true;
    uint64_t *more = realloc(graph->is_changed, words * sizeof *more);
    if (!more) return false;
    memset(more + graph->changed_words, 0, (words - graph->changed_words) * sizeof *more);
    graph->is_changed = more;
    graph->changed_words = words;
    return true;
}

corm_status hnsw__mark(hnsw *graph, uint32_t id, corm_error *err) {
    if (!grow_bits(graph)) return base__fail_memory(err);
    uint64_t *word = &graph->is_changed[id / 64], bit = 1ull << id % 64;
    if (*word & bit) return CORM_OK;
    if (graph->changed_count == graph->changed_capacity) {
        uint32_t  capacity = graph->changed_capacity ? 2 * graph->changed_capacity : 256;
        uint32_t *more = realloc(graph->changed, capacity * sizeof *more);
        if (!more) return base__fail_memory(err);
        graph->changed = more;
        graph->changed_capacity = capacity;
    }
    *word |= bit;
    graph->changed[graph->changed_count++] = id;
    return CORM_OK;
}

const uint32_t *hnsw__changed(const hnsw *graph, uint32_t *count) {
    *count = graph->changed_count;
    return graph->changed;
}

void hnsw__settle(hnsw *graph) {
    for (uint32_t i = 0; i < graph->changed_count; i++)
        graph->is_changed[graph->changed[i] / 64] &= ~(1ull << graph->changed[i] % 64);
    graph->changed_count = 0;
    pthread_rwlock_wrlock(&graph->lock);
    drop_ghosts(graph);
    pthread_rwlock_unlock(&graph->lock);
}
