// SPDX-License-Identifier: MIT
/* vector_graph.c -- the graphs in memory, one for each vector index in use, shared by readers and the writer.
 *
 * A graph is loaded by the first who needs it. The leader of a write transaction changes it in place while readers search; if the
 * transaction is abandoned the graph is dropped. Locks: `writer` before `lock`; the graph's own is inside. */
#include <stdlib.h>

#include "engine/core.h"
#include "engine/vector.h"

struct vector_slot {
    vector_slot *next;
    uint32_t     storage_id;
    hnsw        *graph; /* one reference, or NULL; guarded by engine_vectors.lock, as is sequence */
    uint64_t     sequence;     /* the last commit that the graph holds */
    vector_slot *next_changed; /* the writer's, as the rest */
    bool         is_changed;
    const cql_table *table;
    const cql_index *index;
};

void engine__vectors_init(engine_vectors *vectors) {
    pthread_mutex_init(&vectors->lock, NULL);
    pthread_mutex_init(&vectors->writer, NULL);
}

void engine__vectors_free(engine_vectors *vectors) {
    while (vectors->first) {
        vector_slot *slot = vectors->first;
        vectors->first = slot->next;
        hnsw__unref(slot->graph);
        free(slot);
    }
    pthread_mutex_destroy(&vectors->lock);
    pthread_mutex_destroy(&vectors->writer);
}

/* ---- slots ---- */

/* `lock` is held. */
static vector_slot *find_slot(const engine_vectors *vectors, uint32_t storage_id) {
    vector_slot *slot = vectors->first;
    while (slot && slot->storage_id != storage_id) slot = slot->next;
    return slot;
}

static vector_slot *need_slot(engine_vectors *vectors, uint32_t storage_id) {
    pthread_mutex_lock(&vectors->lock);
    vector_slot *slot = find_slot(vectors, storage_id);
    if (!slot) {
        slot = calloc(1, sizeof *slot);
        if (slot) {
            slot->storage_id = storage_id;
            slot->next = vectors->first;
            vectors->first = slot;
        }
    }
    pthread_mutex_unlock(&vectors->lock);
    return slot;
}

/* The slot takes over the reference. */
static void set_graph(engine_vectors *vectors, vector_slot *slot, hnsw *graph, uint64_t sequence) {
    pthread_mutex_lock(&vectors->lock);
    hnsw *old = slot->graph;
    slot->graph = graph;
    slot->sequence = sequence;
    pthread_mutex_unlock(&vectors->lock);
    if (old != graph) hnsw__unref(old);
}

/* ---- loading: `writer` is held ---- */

static corm_status bring_up(engine_vectors *vectors, vector_slot *slot, const vector_place *at,
                            uint64_t sequence, corm_error *err) {
    bool  found = false;
    hnsw *graph = slot->graph;
    if (graph) {
        if (slot->sequence >= sequence) return CORM_OK;
        corm_status status =
            engine__vector_catch_up(at, graph, slot->sequence, sequence, &found, err);
        if (status != CORM_OK) set_graph(vectors, slot, NULL, 0);
        CORM_TRY(status);
        if (found) {
            set_graph(vectors, slot, graph, sequence);
            return CORM_OK;
        }
    }
    CORM_TRY(engine__vector_load(at, sequence, &graph, err));
    set_graph(vectors, slot, graph, sequence);
    return CORM_OK;
}

/* ---- readers ---- */

static hnsw *current(engine_vectors *vectors, uint32_t storage_id, uint64_t sequence) {
    hnsw *graph = NULL;
    pthread_mutex_lock(&vectors->lock);
    vector_slot *slot = find_slot(vectors, storage_id);
    if (slot && slot->graph && slot->sequence >= sequence) graph = hnsw__ref(slot->graph);
    pthread_mutex_unlock(&vectors->lock);
    return graph;
}

static corm_status load_for_reader(engine_vectors *vectors, const vector_place *at,
                                   uint64_t sequence, hnsw **out, corm_error *err) {
    *out = current(vectors, at->index->storage_id, sequence);
    if (*out) return CORM_OK;
    vector_slot *slot = need_slot(vectors, at->index->storage_id);
    if (!slot) return base__fail_memory(err);
    CORM_TRY(bring_up(vectors, slot, at, sequence, err));
    *out = hnsw__ref(slot->graph);
    return CORM_OK;
}

corm_status engine__vector_graph(engine *store, const vector_place *at, hnsw **out,
                                 uint64_t *sequence, corm_error *err) {
    engine_vectors *vectors = &store->vectors;
    vector_head     head;
    bool            found;
    *out = NULL;
    CORM_TRY(engine__vector_head(at, &head, &found, err));
    if (!found) return CORM_OK;
    *sequence = head.sequence;
    *out = current(vectors, at->index->storage_id, head.sequence);
    if (*out) return CORM_OK;
    pthread_mutex_lock(&vectors->writer);
    corm_status status = load_for_reader(vectors, at, head.sequence, out, err);
    pthread_mutex_unlock(&vectors->writer);
    return status;
}

/* ---- the writer ---- */

static void begin_writing(engine_vectors *vectors) {
    if (vectors->is_writing) return;
    pthread_mutex_lock(&vectors->writer);
    vectors->is_writing = true;
}

corm_status engine__vector_writer(engine *store, const vector_place *at, hnsw **out,
                                  corm_error *err) {
    engine_vectors *vectors = &store->vectors;
    vector_head     head;
    bool            found;
    *out = NULL;
    begin_writing(vectors);
    vector_slot *slot = need_slot(vectors, at->index->storage_id);
    if (!slot) return base__fail_memory(err);
    if (!slot->is_changed) {
        CORM_TRY(engine__vector_head(at, &head, &found, err));
        if (!found) return CORM_OK;
        CORM_TRY(bring_up(vectors, slot, at, head.sequence, err));
    }
    *out = slot->graph;
    return CORM_OK;
}

uint64_t engine__vector_next_sequence(engine *store, const vector_place *at) {
    const vector_slot *slot = need_slot(&store->vectors, at->index->storage_id);
    return slot ? slot->sequence + 1
                : UINT64_MAX; /* a slot that is not there is never asked about */
}

corm_status engine__vector_touch(engine *store, const vector_place *at, corm_error *err) {
    engine_vectors *vectors = &store->vectors;
    vector_slot    *slot = need_slot(vectors, at->index->storage_id);
    if (!slot) return base__fail_memory(err);
    if (slot->is_changed) return CORM_OK;
    slot->is_changed = true;
    slot->table = at->table;
    slot->index = at->index;
    slot->next_changed = vectors->changed;
    vectors->changed = slot;
    return CORM_OK;
}

corm_status engine__vector_adopt(engine *store, const vector_place *at, hnsw *graph,
                                 corm_error *err) {
    begin_writing(&store->vectors);
    vector_slot *slot = need_slot(&store->vectors, at->index->storage_id);
    if (!slot || engine__vector_touch(store, at, err) != CORM_OK) {
        hnsw__unref(graph);
        return base__fail_memory(err);
    }
    set_graph(&store->vectors, slot, graph, 0);
    return CORM_OK;
}

/* ---- the end of the write transaction ---- */

corm_status engine__vectors_finish(engine *store, kv_txn *txn, corm_error *err) {
    engine_vectors *vectors = &store->vectors;
    for (vector_slot *slot = vectors->changed; slot; slot = slot->next_changed) {
        vector_place at = { txn, slot->table, slot->index };
        uint64_t     sequence = slot->sequence + 1;
        CORM_TRY(engine__vector_store(&at, slot->graph, sequence, err));
        set_graph(vectors, slot, slot->graph, sequence);
    }
    return CORM_OK;
}

static void end_writing(engine_vectors *vectors) {
    vectors->changed = NULL;
    if (!vectors->is_writing) return;
    vectors->is_writing = false;
    pthread_mutex_unlock(&vectors->writer);
}

static bool has_storage(const cql_schema *schema, uint32_t storage_id) {
    for (uint32_t i = 0; i < schema->keyspace_count; i++) {
        const cql_keyspace *keyspace = schema->keyspaces[i];
        for (uint32_t j = 0; j < keyspace->table_count; j++) {
            const cql_table *table = keyspace->tables[j];
            for (uint32_t k = 0; k < table->index_count; k++)
                if (table->indexes[k].storage_id == storage_id) return true;
        }
    }
    return false;
}

/* `writer` and `lock` are held. */
static void drop_unknown(engine_vectors *vectors, const cql_schema *schema) {
    for (vector_slot **at = &vectors->first; *at;) {
        vector_slot *slot = *at;
        if (has_storage(schema, slot->storage_id)) {
            at = &slot->next;
            continue;
        }
        *at = slot->next;
        hnsw__unref(slot->graph);
        free(slot);
    }
}

void engine__vectors_committed(engine *store, const cql_schema *next) {
    engine_vectors *vectors = &store->vectors;
    for (vector_slot *slot = vectors->changed; slot; slot = slot->next_changed) {
        slot->is_changed = false;
        hnsw__settle(slot->graph);
    }
    if (next && vectors->first) {
        begin_writing(vectors);
        pthread_mutex_lock(&vectors->lock);
        drop_unknown(vectors, next);
        pthread_mutex_unlock(&vectors->lock);
    }
    end_writing(vectors);
}

void engine__vectors_abandoned(engine *store) {
    engine_vectors *vectors = &store->vectors;
    for (vector_slot *slot = vectors->changed; slot; slot = slot->next_changed) {
        slot->is_changed = false;
        set_graph(vectors, slot, NULL, 0);
    }
    end_writing(vectors);
}
