// SPDX-License-Identifier: MIT
/* hnsw_internal.h -- between the files of the graph; nothing else includes it. */
#ifndef ENGINE_HNSW_INTERNAL_H
#define ENGINE_HNSW_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#include "cql/simd.h"
#include "engine/hnsw.h"

enum { HNSW_CHUNK_BITS = 12, HNSW_CHUNK = 1 << HNSW_CHUNK_BITS, HNSW_VACANT = 0xff };
#define HNSW_NOBODY UINT32_MAX /* ends a list of links that is not full */

/* Nodes that lead to a node on the lowest level. */
typedef struct hnsw_back {
    uint32_t *ids;
    uint32_t  count, capacity;
} hnsw_back;

/* What the owner keeps with a node. */
typedef struct hnsw_label {
    uint64_t since;
    size_t   len;
    uint8_t  bytes[];
} hnsw_label;

/* A vector in short (hnsw_code.c). */
typedef struct hnsw_code {
    float  scale; /* of a step */
    float  norm;
    int8_t codes[]; /* code_count */
} hnsw_code;

/* HNSW_CHUNK nodes. */
typedef struct hnsw_chunk {
    float      *vectors;            /* stride floats each */
    uint8_t    *codes;              /* hnsw_code, code_stride bytes each; NULL: none yet */
    uint32_t   *links;              /* of level 0: base_links each */
    uint32_t   *upper[HNSW_CHUNK];  /* connections for each level from 1 on; NULL: none */
    uint8_t     levels[HNSW_CHUNK]; /* HNSW_VACANT: no node */
    hnsw_label *labels[HNSW_CHUNK]; /* NULL: none; of a vacant place perhaps its last node's */
    hnsw_back  *back;               /* NULL until the first removal */
} hnsw_chunk;

/* What one search needs. */
typedef struct hnsw_scratch hnsw_scratch;
struct hnsw_scratch {
    hnsw_scratch *next;
    uint64_t     *visited; /* a bit a node */
    size_t        words;
    hnsw_hit     *pool; /* nearest first; the high bit of the id: its links were followed */
    uint32_t      pool_capacity, pool_count;
    uint32_t      around_capacity;
    uint32_t     *ids; /* of links not seen before, with vectors or codes, and distances */
    const float **vectors;
    float        *distances;
    float        *query;

    bool           by_codes; /* distances are by codes */
    const int8_t **codes;
    int32_t       *products;
    int16_t       *code_query;
    float         *code_room; /* a vector */
    float          code_scale;
};

/* A list that a writer wants to put in. */
typedef struct hnsw_change {
    uint32_t id, level, count;
    uint32_t links[]; /* base_links */
} hnsw_change;

/* To choose a full list anew: one more than the list has. */
typedef struct hnsw_link_room {
    hnsw_hit *hits;
    uint32_t *ids;
} hnsw_link_room;

typedef struct hnsw_ghost {
    uint32_t id;
    float   *vector;
} hnsw_ghost;

struct hnsw {
    atomic_uint     refs;
    hnsw_options    options;
    uint32_t        stride;     /* floats of a vector, padded */
    uint32_t        base_links; /* of level 0 */
    const cql_simd *simd;
    pthread_rwlock_t
        lock; /* guards all below down to `entry` against searches; the writer alone changes it */
    hnsw_chunk **chunks;
    uint32_t     chunk_count, chunk_capacity;
    uint32_t     end; /* behind the highest id ever taken */
    uint32_t     count;
    hnsw_ghost  *ghosts;
    uint32_t     ghost_count, ghost_capacity;
    uint32_t     entry, top;  /* where searches start; HNSW_NOBODY: nowhere */
    float       *code_center; /* NULL: there are no codes yet */
    uint32_t     code_count;  /* numbers of a code, padded; these two never change */
    size_t       code_stride;
    atomic_int   doubt; /* whether codes tell hits apart; without the lock */

    pthread_mutex_t scratch_lock; /* guards the list of idle scratches */
    hnsw_scratch   *idle;

    /* the writer's own */
    float    *code_room;      /* a vector */
    uint32_t  coded, uncoded; /* nodes when codes were made; that came since */
    bool      has_back;
    uint8_t  *changes; /* hnsw_change, packed */
    size_t    change_size;
    uint32_t  change_count, change_capacity;
    uint64_t *is_changed; /* a bit a node */
    uint32_t *changed, changed_count, changed_capacity, changed_words;
    uint32_t *vacant, vacant_count, vacant_capacity; /* ids to be used again */
    size_t    back_bytes;
};

static inline hnsw_chunk *hnsw_chunk_of(const hnsw *graph, uint32_t id) {
    return graph->chunks[id >> HNSW_CHUNK_BITS];
}
static inline uint32_t hnsw_slot(uint32_t id) {
    return id & (HNSW_CHUNK - 1);
}
static inline float *hnsw_vector(const hnsw *graph, uint32_t id) {
    return hnsw_chunk_of(graph, id)->vectors + (size_t)hnsw_slot(id) * graph->stride;
}
static inline size_t hnsw_code_bytes(const hnsw *graph) {
    return HNSW_CHUNK * graph->code_stride;
}
static inline hnsw_code *hnsw_code_of(const hnsw *graph, uint32_t id) {
    return (hnsw_code *)(void *)(hnsw_chunk_of(graph, id)->codes +
                                 hnsw_slot(id) * graph->code_stride);
}
static inline const hnsw_code *hnsw_code_with(const int8_t *codes) {
    return (const hnsw_code *)(const void *)(codes - offsetof(hnsw_code, codes));
}
static inline uint32_t hnsw_room(const hnsw *graph, uint32_t level) {
    return level ? graph->options.connections : graph->base_links;
}
static inline uint32_t *hnsw_list(const hnsw *graph, uint32_t id, uint32_t level) {
    hnsw_chunk *chunk = hnsw_chunk_of(graph, id);
    if (level == 0) return chunk->links + (size_t)hnsw_slot(id) * graph->base_links;
    return chunk->upper[hnsw_slot(id)] + (size_t)(level - 1) * graph->options.connections;
}
static inline uint32_t hnsw_length(const hnsw *graph, const uint32_t *list, uint32_t level) {
    uint32_t room = hnsw_room(graph, level), count = 0;
    while (count < room && list[count] != HNSW_NOBODY) count++;
    return count;
}
static inline bool hnsw_is_there(const hnsw *graph, uint32_t id) {
    return id < graph->end && hnsw_chunk_of(graph, id)->levels[hnsw_slot(id)] != HNSW_VACANT;
}
static inline float hnsw_distance(const hnsw *graph, const float *a, const float *b) {
    return graph->options.by_distance ? graph->simd->distance(a, b, graph->stride)
                                      : -graph->simd->product(a, b, graph->stride);
}

/* Native floats, normalised where the graph is of such. */
void hnsw__load_vector(const hnsw *graph, const uint8_t *wire, float *out);

/* Memory for a node with the id; takes the lock when chunks are added. */
CORM_CHECKED corm_status hnsw__reserve(hnsw *graph, uint32_t id, corm_error *err);

/* ---- hnsw_search.c ---- */

CORM_CHECKED corm_status hnsw__scratch_take(hnsw *graph, uint32_t beam, hnsw_scratch **out,
                                            corm_error *err);
void                     hnsw__scratch_give(hnsw *graph, hnsw_scratch *scratch);
void                     hnsw__scratches_free(hnsw *graph);

/* Of the query and scratch->vectors, into scratch->distances; by codes when the search is. */
void hnsw__measure(const hnsw *graph, hnsw_scratch *scratch, const float *query, uint32_t count);
/* From the top to the nearest node above `level`. The graph is not empty. */
hnsw_hit hnsw__descend(const hnsw *graph, hnsw_scratch *scratch, const float *query,
                       uint32_t level);
/* The nearest on the level into scratch->pool. */
void hnsw__search_level(const hnsw *graph, hnsw_scratch *scratch, const float *query,
                        hnsw_hit start, uint32_t beam, uint32_t level);

/* Into the pool, when it is near enough. */
void hnsw__offer(hnsw_scratch *scratch, uint32_t beam, hnsw_hit hit);

/* ---- hnsw_change.c ---- */

/* Of candidates, the nearest first, those that are apart from one another, at most so many; how many. */
uint32_t hnsw__choose(const hnsw *graph, const hnsw_hit *candidates, uint32_t count,
                      uint32_t not_this, uint32_t most, uint32_t *out);
/* Adds a link from the change's node; a full list is chosen anew. */
void hnsw__add_link(const hnsw *graph, hnsw_change *change, uint32_t to,
                    const hnsw_link_room *with);
void hnsw__put_change(hnsw *graph, const hnsw_change *change); /* the lock is held */
/* Searches start at the node when it is the highest; the lock is held. */
void hnsw__enter(hnsw *graph, uint32_t id);

/* ---- hnsw_code.c ---- */

/* A node got its vector; the lock is held. */
void hnsw__encode(hnsw *graph, uint32_t id);
/* Makes all codes anew when many vectors came; without memory they stay as they are. The writer. */
void hnsw__code_when_due(hnsw *graph);
/* The scratch's query as codes; false: this search has to do without. */
bool hnsw__code_query(const hnsw *graph, hnsw_scratch *scratch, uint32_t beam);
void hnsw__measure_codes(const hnsw *graph, hnsw_scratch *scratch, uint32_t count);
/* Gives the pool its exact distances and order. False: codes led nowhere, to be searched without. */
bool hnsw__measure_pool(hnsw *graph, hnsw_scratch *scratch);

/* ---- hnsw.c ---- */

/* Zeroed memory; NULL: none. To be given back by munmap. */
void *hnsw__map(size_t bytes);
void  hnsw__want_large_pages(void *memory, size_t bytes);

/* The level that a node with this id has. */
uint32_t hnsw__level_for(const hnsw *graph, uint32_t id);
/* Occupies the place; the lock is held. `upper` is taken over. */
void hnsw__occupy(hnsw *graph, uint32_t id, uint32_t level, const float *vector, uint32_t *upper);
CORM_CHECKED corm_status hnsw__new_upper(const hnsw *graph, uint32_t level, uint32_t **out,
                                         corm_error *err);
CORM_CHECKED corm_status hnsw__mark(hnsw *graph, uint32_t id, corm_error *err);
void                     hnsw__choose_entry(hnsw *graph); /* the lock is held */

#endif
