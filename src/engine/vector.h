// SPDX-License-Identifier: MIT
/* vector.h -- vector indexes: what is stored of one, and the graph of it that a process keeps in memory.
 *
 * Stored below the index's storage id in KV_DATA, changed in the transaction that changes the row:
 *
 *   id | 'H'               -> version u8, sequence u64, nodes u32       the head; none: not built, rows are looked through
 *   id | 'J' | sequence    -> node u32 …                                the nodes that this commit changed; empty: too many
 *   id | 'K' | data key    -> node u32                                  the row's node
 *   id | 'L' | node u32    -> level u8, for each level: count u16, node u32 …     its links
 *   id | 'N' | node u32    -> data key                                  the node's row
 *
 * (data keys without their storage id). The vectors themselves are in the rows. In memory there is a graph (hnsw.h) for each
 * index in use. It has a sequence number: the last commit that it holds. A reader whose snapshot has a later one catches up from
 * the log; one with an earlier one may use it, since what the graph finds is only proposed: node, row and vector are read
 * in the reader's snapshot.
 *
 *   reader   head of the snapshot ─► graph with that sequence or a later one ─► hits ─► 'N' ─► row ─► likeness
 *   writer   row's change ─► graph changed at once, K and N put ─► before the commit: L of all that changed, H, J
 *            abandoned ─► the graph is dropped, to be loaded again
 */
#ifndef ENGINE_VECTOR_H
#define ENGINE_VECTOR_H

#include <pthread.h>

#include "cql/functions.h"
#include "engine/hnsw.h"
#include "engine/store.h"

/* An index's options with their defaults. */
typedef struct engine_vector_options {
    cql_similarity by;
    uint32_t       dimension;
    uint32_t       connections; /* of a node and a level; twice as many on the lowest */
    uint32_t       build_beam;  /* candidates that an insertion keeps */
    uint32_t       search_beam; /* candidates that a search keeps; 0: LIMIT decides */
    bool           for_recall;
} engine_vector_options;

engine_vector_options engine__vector_options(const cql_index *index);

/* Whether a vector can be in the index, or be asked for: CORM_INVALID with the server's words. */
CORM_CHECKED corm_status engine__vector_check(cql_similarity by, corm_bytes vector,
                                              corm_error *err);

/* ---- stored: vector_store.c ---- */

typedef enum vector_kind {
    VECTOR_HEAD = 'H',
    VECTOR_LOG = 'J',
    VECTOR_KEY = 'K',
    VECTOR_LINKS = 'L',
    VECTOR_NODE = 'N'
} vector_kind;

enum { VECTOR_LOG_KEPT = 256, VECTOR_LOG_MOST = 65536, VECTOR_NODE_KEY = 4 + 1 + 4 };

typedef struct vector_head {
    uint64_t sequence;
    uint32_t count;
} vector_head;

/* Whose index it is. */
typedef struct vector_place {
    kv_txn          *txn;
    const cql_table *table;
    const cql_index *index;
} vector_place;

CORM_CHECKED corm_status engine__vector_head(const vector_place *at, vector_head *out, bool *found,
                                             corm_error *err);
CORM_CHECKED corm_status engine__vector_put_head(const vector_place *at, const vector_head *head,
                                                 corm_error *err);
void engine__vector_node_key(uint32_t storage_id, vector_kind kind, uint32_t node,
                             uint8_t out[VECTOR_NODE_KEY]);
/* The data key of a node's row, with the table's storage id, put into `out`. */
CORM_CHECKED corm_status engine__vector_row(const vector_place *at, uint32_t node, base_buf *out,
                                            bool *found, corm_error *err);
CORM_CHECKED corm_status engine__vector_node_of(const vector_place *at, corm_bytes data_key,
                                                uint32_t *node, bool *found, corm_error *err);
CORM_CHECKED corm_status engine__vector_add(const vector_place *at, corm_bytes data_key,
                                            uint32_t node, corm_error *err);
CORM_CHECKED corm_status engine__vector_delete(const vector_place *at, corm_bytes data_key,
                                               uint32_t node, corm_error *err);
/* Links, log and head of what changed in the graph. */
CORM_CHECKED corm_status engine__vector_store(const vector_place *at, hnsw *graph,
                                              uint64_t sequence, corm_error *err);
/* A graph of all that is stored, which is of this sequence; one reference. */
CORM_CHECKED corm_status engine__vector_load(const vector_place *at, uint64_t sequence, hnsw **out,
                                             corm_error *err);
/* Brings the graph from one sequence to another. *found is false when the log does not reach back. */
CORM_CHECKED corm_status engine__vector_catch_up(const vector_place *at, hnsw *graph, uint64_t from,
                                                 uint64_t to, bool *found, corm_error *err);
CORM_CHECKED corm_status engine__vector_new_graph(const cql_index *index, hnsw **out,
                                                  corm_error *err);
/* Reads links as they are stored: level by level, calls `each`. CORM_CORRUPT. */
typedef corm_status (*vector_each_level)(void *context, uint32_t level, const uint32_t *links,
                                         uint32_t count, corm_error *err);
CORM_CHECKED corm_status engine__vector_read_links(corm_bytes value, uint32_t *level,
                                                   vector_each_level each, void *context,
                                                   corm_error *err);

/* ---- in memory: vector_graph.c ---- */

typedef struct vector_slot vector_slot;

typedef struct engine_vectors {
    pthread_mutex_t lock; /* guards the slots */
    pthread_mutex_t
                 writer; /* held while a graph is loaded, and by a write transaction from its first change to its end */
    vector_slot *first;
    /* the write transaction's */
    bool         is_writing; /* holds `writer` */
    vector_slot *changed;
} engine_vectors;

void engine__vectors_init(engine_vectors *vectors);
void engine__vectors_free(engine_vectors *vectors);

/* The graph for a reader's snapshot: one reference, or NULL when the index is not built; and the snapshot's sequence. */
CORM_CHECKED corm_status engine__vector_graph(engine *store, const vector_place *at, hnsw **out,
                                              uint64_t *sequence, corm_error *err);
/* The sequence that the write transaction's commit will have. */
uint64_t engine__vector_next_sequence(engine *store, const vector_place *at);

/* The graph for the write transaction, as the transaction has it; borrowed. NULL: not built. */
CORM_CHECKED corm_status engine__vector_writer(engine *store, const vector_place *at, hnsw **out,
                                               corm_error *err);
/* Says that the writer will change the graph. */
CORM_CHECKED corm_status engine__vector_touch(engine *store, const vector_place *at,
                                              corm_error *err);
/* Takes over the reference to a graph that was built, also on failure. */
CORM_CHECKED corm_status engine__vector_adopt(engine *store, const vector_place *at, hnsw *graph,
                                              corm_error *err);

/* Before the commit: stores what changed. Then one of the others: after it, or when the transaction is abandoned. `next`: the
 * schema after it; graphs of indexes that it does not have are let go. */
CORM_CHECKED corm_status engine__vectors_finish(engine *store, kv_txn *txn, corm_error *err);
void                     engine__vectors_committed(engine *store, const cql_schema *next);
void                     engine__vectors_abandoned(engine *store);

/* ---- building: vector_build.c ---- */

/* Clears what is stored of the index, and makes it of the table's rows. Vectors that an index does not take are left out. */
CORM_CHECKED corm_status engine__vector_build(engine *store, const vector_place *at,
                                              corm_error *err);

/* ---- verifying: verify_vector.c ---- */

/* Nodes that rows ask for, that are there, their rows' entries, and what the heads say. */
typedef struct vector_counts {
    uint64_t expected, nodes, keys, headed;
} vector_counts;

CORM_CHECKED corm_status engine__verify_vector_record(const vector_place *at, corm_bytes key,
                                                      corm_bytes value, vector_counts *counts,
                                                      corm_error *err);
CORM_CHECKED corm_status engine__verify_vector_counts(const vector_counts *counts, corm_error *err);

#endif
