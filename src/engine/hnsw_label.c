// SPDX-License-Identifier: MIT
/* hnsw_label.c -- what the owner of a graph keeps with its nodes. A label is copied out under the lock, so that the writer may
 * replace it at any time. */
#include <stdlib.h>

#include "engine/hnsw_internal.h"

corm_status hnsw__set_label(hnsw *graph, uint32_t id, uint64_t since, corm_bytes label,
                            corm_error *err) {
    hnsw_label *fresh = malloc(sizeof *fresh + label.len);
    if (!fresh) return base__fail_memory(err);
    fresh->since = since;
    fresh->len = label.len;
    memcpy(fresh->bytes, label.data, label.len);
    pthread_rwlock_wrlock(&graph->lock);
    hnsw_label **place = &hnsw_chunk_of(graph, id)->labels[hnsw_slot(id)];
    hnsw_label  *old = *place;
    *place = fresh;
    pthread_rwlock_unlock(&graph->lock);
    free(old);
    return CORM_OK;
}

void hnsw__fetch_labels(hnsw *graph, const hnsw_hit *hits, uint32_t count) {
    pthread_rwlock_rdlock(&graph->lock);
    for (uint32_t i = 0; i < count; i++) {
        const hnsw_chunk *chunk = hnsw_chunk_of(graph, hits[i].id);
        __builtin_prefetch(&chunk->labels[hnsw_slot(hits[i].id)]);
        __builtin_prefetch(&chunk->levels[hnsw_slot(hits[i].id)]);
    }
    for (uint32_t i = 0; i < count; i++) {
        const hnsw_label *label = hnsw_chunk_of(graph, hits[i].id)->labels[hnsw_slot(hits[i].id)];
        __builtin_prefetch(label);
    }
    pthread_rwlock_unlock(&graph->lock);
}

bool hnsw__label(hnsw *graph, uint32_t id, uint64_t until, base_buf *out) {
    bool found = false;
    base__buf_clear(out);
    pthread_rwlock_rdlock(&graph->lock);
    if (hnsw_is_there(graph, id)) {
        const hnsw_label *label = hnsw_chunk_of(graph, id)->labels[hnsw_slot(id)];
        found = label && label->since <= until;
        if (found) base__buf_put(out, label->bytes, label->len);
    }
    pthread_rwlock_unlock(&graph->lock);
    return found && !out->failed;
}
