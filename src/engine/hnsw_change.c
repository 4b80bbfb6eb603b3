// SPDX-License-Identifier: MIT
/* hnsw_change.c -- nodes come and go.
 *
 * What is to be changed is worked out first, with the graph as it is; then all lists are put in under the lock. A node is linked
 * to near ones that are not near one another, so that links go in all directions; the same choice shortens a list that is full.
 * Who leads to a node on the lowest level is known from the first removal on (`back`). Thread: the writer. */
#include <stdlib.h>

#include "engine/hnsw_internal.h"

/* ---- changes to be put in ---- */

static size_t change_step(const hnsw *graph) {
    return (sizeof(hnsw_change) + graph->base_links * sizeof(uint32_t) + 7) / 8 * 8;
}

static hnsw_change *change_at(const hnsw *graph, uint32_t index) {
    return (hnsw_change *)(void *)(graph->changes + index * change_step(graph));
}

/* A change with the list as it is, or as an earlier change has it. NULL: no memory. */
static hnsw_change *change_of(hnsw *graph, uint32_t id, uint32_t level) {
    for (uint32_t i = 0; i < graph->change_count; i++) {
        hnsw_change *change = change_at(graph, i);
        if (change->id == id && change->level == level) return change;
    }
    if (graph->change_count == graph->change_capacity) {
        uint32_t capacity = graph->change_capacity ? 2 * graph->change_capacity : 64;
        uint8_t *more = realloc(graph->changes, capacity * change_step(graph));
        if (!more) return NULL;
        graph->changes = more;
        graph->change_capacity = capacity;
    }
    hnsw_change    *change = change_at(graph, graph->change_count++);
    const uint32_t *list = hnsw_list(graph, id, level);
    *change = (hnsw_change){ id, level, hnsw_length(graph, list, level) };
    memcpy(change->links, list, change->count * sizeof *list);
    return change;
}

/* ---- who leads where ---- */

static bool back_add(hnsw *graph, uint32_t to, uint32_t from) {
    hnsw_back *back = &hnsw_chunk_of(graph, to)->back[hnsw_slot(to)];
    if (back->count == back->capacity) {
        uint32_t  capacity = back->capacity ? back->capacity + back->capacity / 2 : 8;
        uint32_t *more = realloc(back->ids, capacity * sizeof *more);
        if (!more) return false;
        graph->back_bytes += (capacity - back->capacity) * sizeof *more;
        back->ids = more;
        back->capacity = capacity;
    }
    back->ids[back->count++] = from;
    return true;
}

static void back_remove(hnsw *graph, uint32_t to, uint32_t from) {
    hnsw_back *back = &hnsw_chunk_of(graph, to)->back[hnsw_slot(to)];
    for (uint32_t i = 0; i < back->count; i++) {
        if (back->ids[i] != from) continue;
        back->ids[i] = back->ids[--back->count];
        return;
    }
}

static uint32_t back_count(const hnsw *graph, uint32_t id) {
    return hnsw_chunk_of(graph, id)->back[hnsw_slot(id)].count;
}

static bool add_all_back(hnsw *graph, uint32_t id) {
    const uint32_t *list = hnsw_list(graph, id, 0);
    uint32_t        count = hnsw_length(graph, list, 0);
    for (uint32_t i = 0; i < count; i++) {
        if (!back_add(graph, list[i], id)) return false;
    }
    return true;
}

static corm_status need_back(hnsw *graph, corm_error *err) {
    if (graph->has_back) return CORM_OK;
    graph->has_back = true;
    for (uint32_t i = 0; i < graph->chunk_count; i++) {
        hnsw_chunk *chunk = graph->chunks[i];
        if (!chunk->back) chunk->back = calloc(HNSW_CHUNK, sizeof *chunk->back);
        if (!chunk->back) return base__fail_memory(err);
        graph->back_bytes += HNSW_CHUNK * sizeof *chunk->back;
    }
    for (uint32_t id = 0; id < graph->end; id++) {
        if (hnsw_is_there(graph, id) && !add_all_back(graph, id)) return base__fail_memory(err);
    }
    return CORM_OK;
}

static bool is_among(uint32_t id, const uint32_t *list, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (list[i] == id) return true;
    }
    return false;
}

static bool follow_back(hnsw *graph, const hnsw_change *change) {
    const uint32_t *old = hnsw_list(graph, change->id, 0);
    uint32_t        count = hnsw_length(graph, old, 0);
    if (!graph->has_back || change->level > 0) return true;
    for (uint32_t i = 0; i < count; i++) {
        if (!is_among(old[i], change->links, change->count)) back_remove(graph, old[i], change->id);
    }
    for (uint32_t i = 0; i < change->count; i++) {
        if (!is_among(change->links[i], old, count) &&
            !back_add(graph, change->links[i], change->id))
            return false;
    }
    return true;
}

/* ---- putting in ---- */

static corm_status note_changes(hnsw *graph, corm_error *err) {
    for (uint32_t i = 0; i < graph->change_count; i++) {
        const hnsw_change *change = change_at(graph, i);
        CORM_TRY(hnsw__mark(graph, change->id, err));
        if (!follow_back(graph, change)) return base__fail_memory(err);
    }
    return CORM_OK;
}

void hnsw__put_change(hnsw *graph, const hnsw_change *change) {
    uint32_t *list = hnsw_list(graph, change->id, change->level);
    memset(list, 0xff, hnsw_room(graph, change->level) * sizeof *list);
    memcpy(list, change->links, change->count * sizeof *list);
}

/* The lock is held. */
static void put_changes(hnsw *graph) {
    for (uint32_t i = 0; i < graph->change_count; i++) hnsw__put_change(graph, change_at(graph, i));
    graph->change_count = 0;
}

static corm_status apply(hnsw *graph, corm_error *err) {
    CORM_TRY(note_changes(graph, err));
    pthread_rwlock_wrlock(&graph->lock);
    put_changes(graph);
    pthread_rwlock_unlock(&graph->lock);
    return CORM_OK;
}

/* ---- choosing neighbours ---- */

static float between(const hnsw *graph, uint32_t a, uint32_t b) {
    return hnsw_distance(graph, hnsw_vector(graph, a), hnsw_vector(graph, b));
}

/* Whether the candidate is nearer to the node than to any that were chosen. */
static bool is_apart(const hnsw *graph, hnsw_hit candidate, const uint32_t *chosen,
                     uint32_t count) {
    const float *vector = hnsw_vector(graph, candidate.id);
    for (uint32_t i = 0; i < count; i++) {
        if (hnsw_distance(graph, vector, hnsw_vector(graph, chosen[i])) < candidate.distance)
            return false;
    }
    return true;
}

uint32_t hnsw__choose(const hnsw *graph, const hnsw_hit *candidates, uint32_t count,
                      uint32_t not_this, uint32_t most, uint32_t *out) {
    uint32_t chosen = 0;
    for (uint32_t i = 0; i < count && chosen < most; i++) {
        if (candidates[i].id != not_this && is_apart(graph, candidates[i], out, chosen))
            out[chosen++] = candidates[i].id;
    }
    return chosen;
}

static int by_distance(const void *a, const void *b) {
    float x = ((const hnsw_hit *)a)->distance, y = ((const hnsw_hit *)b)->distance;
    return (x > y) - (x < y);
}

/* The ids as hits seen from `id`, the nearest first. */
static void measure_from(const hnsw *graph, uint32_t id, const uint32_t *ids, uint32_t count,
                         hnsw_hit *out) {
    for (uint32_t i = 0; i < count; i++) __builtin_prefetch(hnsw_vector(graph, ids[i]));
    for (uint32_t i = 0; i < count; i++) out[i] = (hnsw_hit){ between(graph, id, ids[i]), ids[i] };
    qsort(out, count, sizeof *out, by_distance);
}

static bool needs_no_choice(const hnsw *graph, hnsw_change *change, uint32_t to) {
    if (is_among(to, change->links, change->count)) return true;
    if (change->count == hnsw_room(graph, change->level)) return false;
    change->links[change->count++] = to;
    return true;
}

void hnsw__add_link(const hnsw *graph, hnsw_change *change, uint32_t to,
                    const hnsw_link_room *with) {
    uint32_t room = hnsw_room(graph, change->level);
    if (needs_no_choice(graph, change, to)) return;
    memcpy(with->ids, change->links, room * sizeof *with->ids);
    with->ids[room] = to;
    measure_from(graph, change->id, with->ids, room + 1, with->hits);
    change->count = hnsw__choose(graph, with->hits, room + 1, change->id, room, change->links);
}

/* The same with memory of its own; false: there is none. */
static bool add_link(hnsw *graph, hnsw_change *change, uint32_t to) {
    size_t room = (size_t)hnsw_room(graph, change->level) + 1;
    if (needs_no_choice(graph, change, to)) return true;
    hnsw_link_room with = { malloc(room * sizeof *with.hits), malloc(room * sizeof *with.ids) };
    bool           ok = with.hits && with.ids;
    if (ok) hnsw__add_link(graph, change, to, &with);
    free(with.hits);
    free(with.ids);
    return ok;
}

/* ---- insertion ---- */

/* Links the node on one level with the best of the pool, both ways. */
static corm_status link_level(hnsw *graph, const hnsw_scratch *scratch, uint32_t id, uint32_t level,
                              corm_error *err) {
    hnsw_change *own = change_of(graph, id, level);
    if (!own) return base__fail_memory(err);
    own->count = hnsw__choose(graph, scratch->pool, scratch->pool_count, id,
                              graph->options.connections, own->links);
    uint32_t index = graph->change_count - 1, count = own->count;
    for (uint32_t i = 0; i < count; i++) {
        hnsw_change *other = change_of(graph, change_at(graph, index)->links[i], level);
        if (!other || !add_link(graph, other, id)) return base__fail_memory(err);
    }
    return CORM_OK;
}

/* The node is in its place, without links. */
static corm_status link_node(hnsw *graph, hnsw_scratch *scratch, uint32_t id, corm_error *err) {
    uint32_t level = hnsw__level(graph, id);
    memcpy(scratch->query, hnsw_vector(graph, id), graph->stride * sizeof(float));
    hnsw_hit at = hnsw__descend(graph, scratch, scratch->query, level);
    for (uint32_t l = level < graph->top ? level : graph->top;; l--) {
        hnsw__search_level(graph, scratch, scratch->query, at, graph->options.build_beam, l);
        at = scratch->pool[0];
        CORM_TRY(link_level(graph, scratch, id, l, err));
        if (l == 0) break;
    }
    return apply(graph, err);
}

void hnsw__enter(hnsw *graph, uint32_t id) {
    uint32_t level = hnsw__level(graph, id);
    if (graph->entry != HNSW_NOBODY && level <= graph->top) return;
    graph->entry = id;
    graph->top = level;
}

static corm_status occupy(hnsw *graph, hnsw_scratch *scratch, uint32_t id, const uint8_t *wire,
                          corm_error *err) {
    uint32_t  level = hnsw__level_for(graph, id);
    uint32_t *upper;
    CORM_TRY(hnsw__new_upper(graph, level, &upper, err));
    hnsw__load_vector(graph, wire, scratch->query);
    pthread_rwlock_wrlock(&graph->lock);
    hnsw__occupy(graph, id, level, scratch->query, upper);
    pthread_rwlock_unlock(&graph->lock);
    return hnsw__mark(graph, id, err);
}

static corm_status insert(hnsw *graph, hnsw_scratch *scratch, uint32_t id, const uint8_t *wire,
                          corm_error *err) {
    bool is_first = graph->count == 0;
    CORM_TRY(occupy(graph, scratch, id, wire, err));
    if (!is_first) CORM_TRY(link_node(graph, scratch, id, err));
    pthread_rwlock_wrlock(&graph->lock);
    hnsw__enter(graph, id);
    pthread_rwlock_unlock(&graph->lock);
    return CORM_OK;
}

corm_status hnsw__put(hnsw *graph, uint32_t id, const uint8_t *wire, corm_error *err) {
    hnsw_scratch *scratch;
    CORM_TRY(hnsw__reserve(graph, id, err));
    if (hnsw_is_there(graph, id)) CORM_TRY(hnsw__remove(graph, id, err));
    CORM_TRY(hnsw__scratch_take(graph, graph->options.build_beam, &scratch, err));
    graph->change_count = 0;
    corm_status status = insert(graph, scratch, id, wire, err);
    hnsw__scratch_give(graph, scratch);
    if (status == CORM_OK) hnsw__code_when_due(graph);
    return status;
}

/* ---- removal ---- */

/* In place of the lost link: those neighbours of the lost node that are apart from what the list has; the nearest when it would
 * become short. */
static bool patch_list(hnsw *graph, hnsw_change *change, const hnsw_hit *found, uint32_t count) {
    uint32_t room = hnsw_room(graph, change->level), few = room / 4;
    for (uint32_t i = 0; i < count && change->count < room; i++) {
        if (is_among(found[i].id, change->links, change->count)) continue;
        if (change->count < few || is_apart(graph, found[i], change->links, change->count))
            change->links[change->count++] = found[i].id;
    }
    return true;
}

static void drop_link(hnsw_change *change, uint32_t id) {
    for (uint32_t i = 0; i < change->count; i++) {
        if (change->links[i] != id) continue;
        memmove(&change->links[i], &change->links[i + 1],
                (change->count - i - 1) * sizeof *change->links);
        change->count--;
        return;
    }
}

/* One node that led to the lost one. */
static corm_status bridge(hnsw *graph, uint32_t from, uint32_t lost, uint32_t level,
                          corm_error *err) {
    const uint32_t *list = hnsw_list(graph, lost, level);
    uint32_t        count = hnsw_length(graph, list, level), kept = 0;
    hnsw_change    *change = change_of(graph, from, level);
    hnsw_hit       *hits = malloc((size_t)(count + 1) * sizeof *hits);
    uint32_t       *ids = malloc((size_t)(count + 1) * sizeof *ids);
    bool            ok = change && hits && ids;
    if (ok) {
        drop_link(change, lost);
        for (uint32_t i = 0; i < count; i++) {
            if (list[i] != from) ids[kept++] = list[i];
        }
        measure_from(graph, from, ids, kept, hits);
        ok = patch_list(graph, change, hits, kept);
    }
    free(hits);
    free(ids);
    return ok ? CORM_OK : base__fail_memory(err);
}

static corm_status bridge_base(hnsw *graph, uint32_t lost, corm_error *err) {
    const hnsw_back *back = &hnsw_chunk_of(graph, lost)->back[hnsw_slot(lost)];
    for (uint32_t i = 0; i < back->count; i++) CORM_TRY(bridge(graph, back->ids[i], lost, 0, err));
    return CORM_OK;
}

/* Nodes above the lowest level are few: they are looked through. */
static corm_status bridge_upper(hnsw *graph, uint32_t lost, uint32_t level, corm_error *err) {
    for (uint32_t id = 0; id < graph->end; id++) {
        if (id == lost || !hnsw_is_there(graph, id) || hnsw__level(graph, id) < level) continue;
        const uint32_t *list = hnsw_list(graph, id, level);
        if (is_among(lost, list, hnsw_length(graph, list, level)))
            CORM_TRY(bridge(graph, id, lost, level, err));
    }
    return CORM_OK;
}

static corm_status clear_lists(hnsw *graph, uint32_t id, corm_error *err) {
    for (uint32_t level = 0; level <= hnsw__level(graph, id); level++) {
        hnsw_change *change = change_of(graph, id, level);
        if (!change) return base__fail_memory(err);
        change->count = 0;
    }
    return CORM_OK;
}

static corm_status keep_ghost(hnsw *graph, uint32_t id, corm_error *err) {
    size_t bytes = graph->stride * sizeof(float);
    float *vector = malloc(bytes);
    if (!vector) return base__fail_memory(err);
    memcpy(vector, hnsw_vector(graph, id), bytes);
    pthread_rwlock_wrlock(&graph->lock);
    bool ok = graph->ghost_count < graph->ghost_capacity;
    if (!ok) {
        uint32_t    capacity = graph->ghost_capacity ? 2 * graph->ghost_capacity : 64;
        hnsw_ghost *more = realloc(graph->ghosts, capacity * sizeof *more);
        ok = more != NULL;
        if (ok) graph->ghosts = more;
        if (ok) graph->ghost_capacity = capacity;
    }
    if (ok) graph->ghosts[graph->ghost_count++] = (hnsw_ghost){ id, vector };
    pthread_rwlock_unlock(&graph->lock);
    if (!ok) free(vector);
    return ok ? CORM_OK : base__fail_memory(err);
}

static bool note_vacant(hnsw *graph, uint32_t id) {
    if (graph->vacant_count == graph->vacant_capacity) {
        uint32_t  capacity = graph->vacant_capacity ? 2 * graph->vacant_capacity : 64;
        uint32_t *more = realloc(graph->vacant, capacity * sizeof *more);
        if (!more) return false;
        graph->vacant = more;
        graph->vacant_capacity = capacity;
    }
    graph->vacant[graph->vacant_count++] = id;
    return true;
}

static void vacate(hnsw *graph, uint32_t id) {
    pthread_rwlock_wrlock(&graph->lock);
    put_changes(graph);
    hnsw_chunk_of(graph, id)->levels[hnsw_slot(id)] = HNSW_VACANT;
    graph->count--;
    if (graph->entry == id) hnsw__choose_entry(graph);
    pthread_rwlock_unlock(&graph->lock);
}

/* Gives a node that nobody leads to a way in: through its neighbours, or by inserting it again. */
static corm_status reach(hnsw *graph, uint32_t id, corm_error *err) {
    hnsw_scratch   *scratch;
    const uint32_t *list = hnsw_list(graph, id, 0);
    uint32_t        count = hnsw_length(graph, list, 0);
    for (uint32_t i = 0; i < count; i++) {
        hnsw_change *change = change_of(graph, list[i], 0);
        if (!change) return base__fail_memory(err);
        if (change->count < graph->base_links && !add_link(graph, change, id))
            return base__fail_memory(err);
    }
    CORM_TRY(apply(graph, err));
    if (back_count(graph, id) > 0 || graph->count < 2) return CORM_OK;
    CORM_TRY(hnsw__scratch_take(graph, graph->options.build_beam, &scratch, err));
    corm_status status = link_node(graph, scratch, id, err);
    hnsw__scratch_give(graph, scratch);
    return status;
}

static corm_status reach_all(hnsw *graph, const uint32_t *ids, uint32_t count, corm_error *err) {
    for (uint32_t i = 0; i < count; i++) {
        if (hnsw_is_there(graph, ids[i]) && back_count(graph, ids[i]) == 0)
            CORM_TRY(reach(graph, ids[i], err));
    }
    return CORM_OK;
}

static corm_status unlink_node(hnsw *graph, uint32_t id, corm_error *err) {
    graph->change_count = 0;
    CORM_TRY(bridge_base(graph, id, err));
    for (uint32_t level = hnsw__level(graph, id); level > 0; level--)
        CORM_TRY(bridge_upper(graph, id, level, err));
    CORM_TRY(clear_lists(graph, id, err));
    return note_changes(graph, err);
}

corm_status hnsw__remove(hnsw *graph, uint32_t id, corm_error *err) {
    if (!hnsw_is_there(graph, id)) return CORM_OK;
    CORM_TRY(need_back(graph, err));
    uint32_t *list = hnsw_list(graph, id, 0), count = hnsw_length(graph, list, 0);
    uint32_t *ids = malloc((size_t)(count + 1) * sizeof *ids);
    if (!ids) return base__fail_memory(err);
    memcpy(ids, list, count * sizeof *ids);
    corm_status status = keep_ghost(graph, id, err);
    if (status == CORM_OK) status = unlink_node(graph, id, err);
    if (status == CORM_OK) {
        vacate(graph, id);
        status = note_vacant(graph, id) ? CORM_OK : base__fail_memory(err);
    }
    if (status == CORM_OK) status = reach_all(graph, ids, count, err);
    free(ids);
    return status;
}
