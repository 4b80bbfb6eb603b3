// SPDX-License-Identifier: MIT
/* group.c -- a table of groups: open addressing over 32 bits of hash and an index; keys and states in blocks.
 *
 *   slots ─► groups[] ─► { hash, key length │ key: null mask, words, [len, bytes] … │ states }
 *
 * When the blocks outgrow the limit all groups go, by four bits of their hash, to sixteen files, and the table begins anew. At the
 * end each file is read back into a table by itself, which may go to files by the next four bits. Threads have tables of their own; what they
 * hold comes together group by group. A group alone must fit. Thread: one at a time. */
#include "aggregate/group.h"

#include <stdlib.h>

#include "base/fail.h"
#include "base/map.h"

enum { PARTS = 16, PART_BITS = 4, DEEPEST = 12, FIRST_SLOTS = 1024 };

typedef struct group {
    uint64_t hash;
    uint32_t key_len, states_at; /* bytes behind the start */
    uint8_t  key[];
} group;

typedef struct slot {
    uint32_t tag, index; /* index + 1; 0: free */
} slot;

struct agg_groups {
    const agg_grouping *grouping;
    agg_memory         *memory;
    size_t              held;
    uint32_t            level; /* of files: how many bits of the hash are known to be the same */
    base_arena          arena; /* groups */
    slot               *slots;
    uint32_t            capacity, count, room;
    group             **groups;
    bool                has_spilled;
    agg_file            parts[PARTS];
    base_arena          scratch; /* of one batch */
    base_buf            keys, record;
    size_t              starts[AGG_BATCH + 1];
    uint64_t            hashes[AGG_BATCH];
    uint8_t            *states[AGG_BATCH];
};

static uint8_t *block_of(group *g) {
    return (uint8_t *)g + g->states_at;
}

corm_status agg__groups_new(const agg_grouping *grouping, agg_memory *memory, agg_groups **out,
                            corm_error *err) {
    agg_groups *groups = calloc(1, sizeof *groups);
    if (!groups) return base__fail_memory(err);
    groups->grouping = grouping;
    groups->memory = memory;
    *out = groups;
    return CORM_OK;
}

void agg__groups_free(agg_groups *groups) {
    if (!groups) return;
    agg__memory_hold(groups->memory, &groups->held, 0);
    for (uint32_t i = 0; i < PARTS; i++) agg__file_close(&groups->parts[i]);
    base__arena_free(&groups->arena);
    base__arena_free(&groups->scratch);
    base__buf_free(&groups->keys);
    base__buf_free(&groups->record);
    free(groups->slots);
    free(groups->groups);
    free(groups);
}

static size_t size_of(const agg_groups *groups) {
    return groups->arena.total + groups->capacity * sizeof(slot) + groups->room * sizeof(group *);
}

/* ---- the table ---- */

static bool rehash(agg_groups *groups, uint32_t capacity) {
    slot *slots = calloc(capacity, sizeof *slots);
    if (!slots) return false;
    for (uint32_t i = 0; i < groups->count; i++) {
        uint64_t hash = groups->groups[i]->hash;
        uint32_t at = (uint32_t)hash & (capacity - 1);
        while (slots[at].index) at = (at + 1) & (capacity - 1);
        slots[at] = (slot){ (uint32_t)(hash >> 32), i + 1 };
    }
    free(groups->slots);
    groups->slots = slots;
    groups->capacity = capacity;
    return true;
}

static bool grow(agg_groups *groups) {
    if (groups->count == groups->room) {
        uint32_t room = groups->room ? 2 * groups->room : FIRST_SLOTS / 2;
        group  **bigger = realloc(groups->groups, room * sizeof *bigger);
        if (!bigger) return false;
        groups->groups = bigger;
        groups->room = room;
    }
    if (groups->count < groups->capacity / 2) return true;
    if (groups->capacity >= UINT32_C(1) << 31) return false;
    return rehash(groups, groups->capacity ? 2 * groups->capacity : FIRST_SLOTS);
}

static group *add_group(agg_groups *groups, uint64_t hash, corm_bytes key) {
    size_t at = (sizeof(group) + key.len + AGG_STATE_ALIGNMENT - 1) / AGG_STATE_ALIGNMENT *
                AGG_STATE_ALIGNMENT;
    group *g = base__arena_alloc(&groups->arena, at + groups->grouping->block);
    if (!g) return NULL;
    *g = (group){ hash, (uint32_t)key.len, (uint32_t)at };
    memcpy(g->key, key.data, key.len);
    memset((uint8_t *)g + at, 0, groups->grouping->block);
    groups->groups[groups->count++] = g;
    return g;
}

/* The group of the key, made when it is not there; NULL: memory is exhausted. */
static group *group_of(agg_groups *groups, uint64_t hash, corm_bytes key) {
    if (groups->count >= groups->capacity / 2 && !grow(groups)) return NULL;
    if (groups->count == groups->room && !grow(groups)) return NULL;
    uint32_t mask = groups->capacity - 1, tag = (uint32_t)(hash >> 32);
    for (uint32_t at = (uint32_t)hash & mask;; at = (at + 1) & mask) {
        slot *here = &groups->slots[at];
        if (!here->index) {
            group *g = add_group(groups, hash, key);
            if (g) *here = (slot){ tag, groups->count };
            return g;
        }
        if (here->tag != tag) continue;
        group *g = groups->groups[here->index - 1];
        if (g->key_len == key.len && memcmp(g->key, key.data, key.len) == 0) return g;
    }
}

/* ---- keys ---- */

static void put_key(agg_groups *groups, const agg_column *columns, uint32_t row, base_buf *buf) {
    uint32_t count = groups->grouping->key_count;
    uint64_t mask = 0;
    size_t   at = groups->keys.len;
    base__buf_put(&groups->keys, &mask, sizeof mask);
    for (uint32_t k = 0; k < count; k++) {
        int64_t word;
        if (columns[k].null[row]) {
            mask |= UINT64_C(1) << k;
            continue;
        }
        cql_value value = agg__canonical(&columns[k], row, &word, buf);
        if (columns[k].rep == AGG_WIRE) base__buf_put(&groups->keys, &value.len, sizeof value.len);
        base__buf_put(&groups->keys, value.data, (size_t)value.len);
    }
    if (mask && !groups->keys.failed) memcpy(groups->keys.data + at, &mask, sizeof mask);
}

static corm_status put_keys(agg_groups *groups, const agg_column *columns, uint32_t rows,
                            corm_error *err) {
    base_buf decimal = { 0 };
    base__buf_clear(&groups->keys);
    for (uint32_t i = 0; i < rows; i++) {
        groups->starts[i] = groups->keys.len;
        put_key(groups, columns, i, &decimal);
    }
    groups->starts[rows] = groups->keys.len;
    base__buf_free(&decimal);
    CORM_TRY(base__buf_status(&groups->keys, err));
    for (uint32_t i = 0; i < rows; i++) {
        size_t start = groups->starts[i];
        groups->hashes[i] = base__hash(groups->keys.data + start, groups->starts[i + 1] - start, 0);
    }
    return CORM_OK;
}

/* The other way round: a key into the columns of a row. */
static void read_key(const agg_groups *groups, const group *g, agg_batch *out, uint32_t row) {
    uint64_t       mask;
    const uint8_t *at = g->key + sizeof mask;
    memcpy(&mask, g->key, sizeof mask);
    for (uint32_t k = 0; k < groups->grouping->key_count; k++) {
        agg_column *column = &out->columns[k];
        if (mask >> k & 1) {
            agg__set_null(column, row);
        } else if (column->rep == AGG_WIRE) {
            int32_t len;
            memcpy(&len, at, sizeof len);
            column->null[row] = 0;
            column->v.wire[row] = (cql_value){ at + sizeof len, len };
            at += sizeof len + (size_t)len;
        } else {
            column->null[row] = 0;
            memcpy(&column->v.whole[row], at, 8);
            at += 8;
        }
    }
}

/* ---- rows ---- */

static corm_status spill(agg_groups *groups, corm_error *err);

static corm_status find_groups(agg_groups *groups, uint32_t rows, corm_error *err) {
    if (groups->capacity > 0)
        for (uint32_t i = 0; i < rows; i++)
            __builtin_prefetch(
                &groups->slots[(uint32_t)groups->hashes[i] & (groups->capacity - 1)]);
    for (uint32_t i = 0; i < rows; i++) {
        corm_bytes key = { groups->keys.data + groups->starts[i],
                           groups->starts[i + 1] - groups->starts[i] };
        group     *g = group_of(groups, groups->hashes[i], key);
        if (!g) return base__fail_memory(err);
        groups->states[i] = block_of(g);
    }
    return CORM_OK;
}

static corm_status eval_columns(agg_expr *const *exprs, uint32_t count, const agg_batch *batch,
                                const agg_work *work, agg_column *out) {
    for (uint32_t i = 0; i < count; i++) CORM_TRY(agg__eval(exprs[i], batch, work, &out[i]));
    return CORM_OK;
}

static corm_status update(agg_groups *groups, const agg_batch *batch, const agg_work *work) {
    for (uint32_t a = 0; a < groups->grouping->acc_count; a++) {
        const agg_acc *acc = &groups->grouping->accs[a];
        agg_column     args[2] = { { 0 } };
        CORM_TRY(eval_columns(acc->args, acc->count, batch, work, args));
        CORM_TRY(
            acc->kind->update(acc, &groups->arena, groups->states, args, batch->count, work->err));
    }
    return CORM_OK;
}

static corm_status check_size(agg_groups *groups, corm_error *err) {
    size_t size = size_of(groups);
    if (size <= groups->memory->limit) {
        agg__memory_hold(groups->memory, &groups->held, size);
        return CORM_OK;
    }
    agg__memory_hold(groups->memory, &groups->held, size);
    if (groups->count <= 1 || groups->level >= DEEPEST)
        return base__fail(err, CORM_INVALID,
                          "one group needs more than its part of the memory limit (%zu bytes); "
                          "raise memory_limit, or use an approximate accumulator",
                          groups->memory->limit);
    return spill(groups, err);
}

corm_status agg__groups_add(agg_groups *groups, const agg_batch *batch, corm_error *err) {
    agg_work    work = { &groups->scratch, batch->count, err };
    agg_column *keys;
    if (batch->count == 0) return CORM_OK;
    base__arena_reset(&groups->scratch);
    keys = BASE_NEW_ARRAY(&groups->scratch, agg_column, groups->grouping->key_count + 1);
    if (!keys) return base__fail_memory(err);
    CORM_TRY(eval_columns(groups->grouping->keys, groups->grouping->key_count, batch, &work, keys));
    CORM_TRY(put_keys(groups, keys, batch->count, err));
    CORM_TRY(find_groups(groups, batch->count, err));
    CORM_TRY(update(groups, batch, &work));
    return check_size(groups, err);
}

/* ---- files ---- */

static corm_status save(agg_groups *groups, group *g, corm_error *err) {
    const agg_grouping *grouping = groups->grouping;
    base_buf           *out = &groups->record;
    base__buf_clear(out);
    base__buf_u64(out, g->hash);
    base__buf_u32(out, g->key_len);
    base__buf_put(out, g->key, g->key_len);
    for (uint32_t a = 0; a < grouping->acc_count; a++) {
        const agg_acc *acc = &grouping->accs[a];
        const void    *state = block_of(g) + acc->offset;
        if (acc->kind->save) {
            acc->kind->save(acc, state, out);
        } else {
            base__buf_put(out, state, acc->kind->size);
        }
    }
    CORM_TRY(base__buf_status(out, err));
    if (out->len > UINT32_MAX) return base__fail(err, CORM_INVALID, "a group is too large");
    uint32_t part = (uint32_t)(g->hash >> (64 - PART_BITS * (groups->level + 1))) & (PARTS - 1);
    return agg__file_put(&groups->parts[part], groups->memory, base__buf_bytes(out), err);
}

/* All but the arena. */
static void drop_table(agg_groups *groups) {
    free(groups->slots);
    free(groups->groups);
    groups->slots = NULL;
    groups->groups = NULL;
    groups->capacity = groups->count = groups->room = 0;
}

static void empty(agg_groups *groups) {
    drop_table(groups);
    base__arena_free(&groups->arena);
    agg__memory_hold(groups->memory, &groups->held, 0);
}

static corm_status spill(agg_groups *groups, corm_error *err) {
    for (uint32_t i = 0; i < groups->count; i++) CORM_TRY(save(groups, groups->groups[i], err));
    empty(groups);
    groups->has_spilled = true;
    return CORM_OK;
}

static corm_status load_states(agg_groups *groups, base_reader *from, uint8_t *block,
                               corm_error *err) {
    for (uint32_t a = 0; a < groups->grouping->acc_count; a++) {
        const agg_acc *acc = &groups->grouping->accs[a];
        void          *state = block + acc->offset;
        if (acc->kind->load) {
            CORM_TRY(acc->kind->load(acc, &groups->arena, from, state, err));
            continue;
        }
        corm_bytes bytes = base__read_bytes(from, acc->kind->size);
        if (!from->failed) memcpy(state, bytes.data, bytes.len);
    }
    return from->failed ? base__fail(err, CORM_CORRUPT, "a temporary file is damaged") : CORM_OK;
}

static corm_status merge_states(agg_groups *groups, uint8_t *into, const uint8_t *from,
                                corm_error *err) {
    for (uint32_t a = 0; a < groups->grouping->acc_count; a++) {
        const agg_acc *acc = &groups->grouping->accs[a];
        CORM_TRY(
            acc->kind->merge(acc, &groups->arena, into + acc->offset, from + acc->offset, err));
    }
    return CORM_OK;
}

static corm_status load(agg_groups *groups, corm_bytes record, corm_error *err) {
    base_reader reader = { record.data, record.len, false };
    uint64_t    hash = base__read_u64(&reader);
    corm_bytes  key = base__read_bytes(&reader, base__read_u32(&reader));
    base__arena_reset(&groups->scratch);
    uint8_t *block = base__arena_calloc(&groups->scratch, 1, groups->grouping->block + 1);
    if (!block) return base__fail_memory(err);
    CORM_TRY(load_states(groups, &reader, block, err));
    group *g = group_of(groups, hash, key);
    if (!g) return base__fail_memory(err);
    CORM_TRY(merge_states(groups, block_of(g), block, err));
    return check_size(groups, err);
}

static corm_status load_file(agg_groups *groups, agg_file *file, corm_error *err) {
    agg_reading reading;
    corm_bytes  record;
    CORM_TRY(agg__file_flush(file, err));
    agg__reading_begin(&reading, file, 0, file->size);
    corm_status status;
    while ((status = agg__reading_next(&reading, &record, err)) == CORM_OK && record.data)
        if ((status = load(groups, record, err)) != CORM_OK) break;
    agg__reading_end(&reading);
    agg__file_close(file);
    return status;
}

/* ---- giving ---- */

static corm_status finish_row(agg_groups *groups, group *g, const agg_work *work, agg_batch *out,
                              uint32_t row) {
    const agg_grouping *grouping = groups->grouping;
    read_key(groups, g, out, row);
    for (uint32_t a = 0; a < grouping->acc_count; a++) {
        const agg_acc *acc = &grouping->accs[a];
        agg_column    *column = &out->columns[grouping->key_count + a];
        column->null[row] = 0;
        CORM_TRY(acc->kind->finish(acc, work, block_of(g) + acc->offset, column, row));
    }
    return CORM_OK;
}

static corm_status give_table(agg_groups *groups, agg_groups_callback *callback, void *context,
                              corm_error *err) {
    for (uint32_t at = 0; at < groups->count; at += AGG_BATCH) {
        uint32_t  rows = groups->count - at < AGG_BATCH ? groups->count - at : AGG_BATCH;
        agg_work  work = { &groups->scratch, rows, err };
        agg_batch out;
        base__arena_reset(&groups->scratch);
        CORM_TRY(agg__batch_new(&groups->scratch, groups->grouping->out, rows, &out, err));
        out.count = rows;
        for (uint32_t i = 0; i < rows; i++)
            CORM_TRY(finish_row(groups, groups->groups[at + i], &work, &out, i));
        CORM_TRY(callback(context, &out, err));
    }
    empty(groups);
    return CORM_OK;
}

/* What the states of the other point to stays where it is: its arena lives as long as it does. */
static corm_status merge_table(agg_groups *into, agg_groups *from, corm_error *err) {
    for (uint32_t i = 0; i < from->count; i++) {
        group *other = from->groups[i];
        group *g = group_of(into, other->hash, (corm_bytes){ other->key, other->key_len });
        if (!g) return base__fail_memory(err);
        CORM_TRY(merge_states(into, block_of(g), block_of(other), err));
    }
    drop_table(from);
    agg__memory_hold(from->memory, &from->held, size_of(from));
    agg__memory_hold(into->memory, &into->held, size_of(into));
    return CORM_OK;
}

static corm_status give_parts(agg_groups *const *tables, uint32_t count,
                              agg_groups_callback *callback, void *context, corm_error *err) {
    for (uint32_t i = 0; i < count; i++) CORM_TRY(spill(tables[i], err));
    for (uint32_t part = 0; part < PARTS; part++) {
        agg_groups *own = NULL;
        CORM_TRY(agg__groups_new(tables[0]->grouping, tables[0]->memory, &own, err));
        own->level = tables[0]->level + 1;
        corm_status status = CORM_OK;
        for (uint32_t i = 0; i < count && status == CORM_OK; i++)
            if (tables[i]->parts[part].is_open)
                status = load_file(own, &tables[i]->parts[part], err);
        if (status == CORM_OK)
            status = own->has_spilled ? give_parts(&own, 1, callback, context, err)
                                      : give_table(own, callback, context, err);
        agg__groups_free(own);
        CORM_TRY(status);
    }
    return CORM_OK;
}

static corm_status make_only_group(agg_groups *groups, corm_error *err) {
    uint64_t   mask = 0;
    corm_bytes key = { (const uint8_t *)&mask, sizeof mask };
    return group_of(groups, base__hash(&mask, sizeof mask, 0), key) ? CORM_OK
                                                                    : base__fail_memory(err);
}

/* What fits beside each other in memory stays there. */
static bool must_spill(agg_groups *const *tables, uint32_t count) {
    size_t all = 0;
    bool   spilled = false;
    for (uint32_t i = 0; i < count; i++) {
        all += size_of(tables[i]);
        spilled = spilled || tables[i]->has_spilled;
    }
    return spilled || all > tables[0]->memory->limit * count;
}

corm_status agg__groups_give(agg_groups *const *tables, uint32_t count,
                             agg_groups_callback *callback, void *context, corm_error *err) {
    agg_groups *first = tables[0];
    if (first->grouping->key_count == 0) CORM_TRY(make_only_group(first, err));
    if (must_spill(tables, count)) return give_parts(tables, count, callback, context, err);
    for (uint32_t i = 1; i < count; i++) CORM_TRY(merge_table(first, tables[i], err));
    return give_table(first, callback, context, err);
}
