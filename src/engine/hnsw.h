// SPDX-License-Identifier: MIT
/* hnsw.h -- a graph of vectors in memory in which near ones are found: hierarchical navigable small worlds (Malkov and
 * Yashunin, 2016), with real removal.
 *
 *   level 2        3 ──────── 40            every node is on level 0, one in `connections` of them on level 1 too,
 *   level 1        3 ── 17 ── 40 ── 52      and so on. A search starts at the top, goes to the nearest on each level,
 *   level 0    3 9 12 17 20 31 40 44 52     and keeps the `beam` nearest on the lowest.
 *
 * Nodes have ids that the owner gives, small numbers that are used again. Vectors and links lie in chunks that never move.
 * One thread at a time changes a graph; any number search it meanwhile. A change is computed first and put in at once, so
 * that searches wait for microseconds. Removal takes a node out of all lists and links its neighbours with one another; no
 * link leads to a removed node.
 *
 * The graph remembers which nodes a writer has changed, so that the owner can store them. */
#ifndef ENGINE_HNSW_H
#define ENGINE_HNSW_H

#include "base/buf.h"
#include "base/fail.h"

typedef struct hnsw hnsw;

typedef struct hnsw_options {
    uint32_t dimension;
    bool     by_distance; /* near: a small distance; else a large product */
    bool     normalize;   /* to length 1, for the cosine */
    uint32_t
        connections; /* links of a node on each level but the lowest, which has twice as many */
    uint32_t build_beam;
} hnsw_options;

enum { HNSW_LEVELS = 16, HNSW_MOST_NODES = 1 << 30 };

/* One reference for the caller. */
CORM_CHECKED corm_status hnsw__new(const hnsw_options *options, hnsw **out, corm_error *err);
hnsw                    *hnsw__ref(hnsw *graph);
void                     hnsw__unref(hnsw *graph); /* NULL is ignored */

/* ---- searching: any thread ---- */

typedef struct hnsw_hit {
    float    distance; /* smaller is nearer */
    uint32_t id;
} hnsw_hit;

/* The nearest first, at most `beam`. */
CORM_CHECKED corm_status hnsw__search(hnsw *graph, const uint8_t *wire, uint32_t beam,
                                      hnsw_hit *out, uint32_t *count, corm_error *err);
/* The same by looking at every node: exact. */
CORM_CHECKED corm_status hnsw__scan(hnsw *graph, const uint8_t *wire, uint32_t most, hnsw_hit *out,
                                    uint32_t *count, corm_error *err);
uint32_t                 hnsw__count(hnsw *graph);
size_t                   hnsw__memory(hnsw *graph); /* bytes */

/* The labels of these will be asked for: brings them nearer, all at a time. */
void hnsw__fetch_labels(hnsw *graph, const hnsw_hit *hits, uint32_t count);
/* Replaces *out by the node's label when it has one that was given at `until` or before; else false. */
bool hnsw__label(hnsw *graph, uint32_t id, uint64_t until, base_buf *out);

/* ---- changing: one thread at a time ---- */

/* Bytes that the owner keeps with a node that is there, and since when they are its own. They go when the node is removed, or gets
 * another vector. */
CORM_CHECKED corm_status hnsw__set_label(hnsw *graph, uint32_t id, uint64_t since, corm_bytes label,
                                         corm_error *err);

/* Takes a vector in wire form in; an id that is taken gets the new vector. On failure the graph is whole but need not be as
 * it was: the owner drops it. */
CORM_CHECKED corm_status hnsw__put(hnsw *graph, uint32_t id, const uint8_t *wire, corm_error *err);
CORM_CHECKED corm_status hnsw__remove(hnsw *graph, uint32_t id, corm_error *err);

/* Many vectors at once, into a new graph that nobody searches yet: each gets the next id, then all are linked, by at most so many
 * threads. The graph is the same whatever their number. */
CORM_CHECKED corm_status hnsw__add_unlinked(hnsw *graph, const uint8_t *wire, corm_error *err);
CORM_CHECKED corm_status hnsw__link_all(hnsw *graph, uint32_t threads, corm_error *err);

/* A free id: of a node that was removed, or the next one. */
uint32_t hnsw__free_id(hnsw *graph);
bool     hnsw__has(hnsw *graph, uint32_t id);

/* Ids whose links or presence were changed since the last hnsw__settle, each once. */
const uint32_t *hnsw__changed(const hnsw *graph, uint32_t *count);
void            hnsw__settle(hnsw *graph);

/* The vectors that nodes had which were changed or removed since the last hnsw__settle are searched too, so that a reader of an
 * older snapshot still finds its rows. */

/* ---- loading and storing: one thread at a time ---- */

/* Puts in a node as it was stored, without links; nothing counts as changed. */
CORM_CHECKED corm_status hnsw__place(hnsw *graph, uint32_t id, uint32_t level, const uint8_t *wire,
                                     corm_error *err);
/* When all nodes are there. CORM_CORRUPT: the node cannot have these. */
CORM_CHECKED corm_status hnsw__place_links(hnsw *graph, uint32_t id, uint32_t level,
                                           const uint32_t *links, uint32_t count, corm_error *err);
/* Takes a node out of its place, whatever leads to it. */
void hnsw__displace(hnsw *graph, uint32_t id);
/* Chooses where searches start. After placing. */
void hnsw__placed(hnsw *graph);

uint32_t        hnsw__level(hnsw *graph, uint32_t id);
const uint32_t *hnsw__links(hnsw *graph, uint32_t id, uint32_t level, uint32_t *count);

#endif
