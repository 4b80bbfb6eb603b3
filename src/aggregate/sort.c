// SPDX-License-Identifier: MIT
/* sort.c -- an external merge sort.
 *
 *   add ─► items in memory ── beyond the limit: sorted, written as a run ─► file: run │ run │ run …
 *   merge: a heap over all runs and what is still in memory
 *
 * More than MOST_RUNS runs are merged into one before another is written. Thread: one at a time. */
#include "aggregate/sort.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/fail.h"

enum { MOST_RUNS = 64, FIRST_ITEMS = 256 };

/* bytes: key length (4), key, record */
typedef struct item {
    uint64_t       prefix; /* the key's first eight bytes, big-endian */
    const uint8_t *bytes;
    uint32_t       len;
} item;

typedef struct run {
    uint64_t start, end;
} run;

struct agg_sorter {
    agg_memory *memory;
    size_t      held;
    uint64_t    most, total;
    base_arena  arena;
    item       *items;
    size_t      count, room;
    agg_file    file;
    run         runs[MOST_RUNS];
    uint32_t    run_count;
};

static corm_bytes key_of(const uint8_t *bytes) {
    return (corm_bytes){ bytes + 4, base__load_u32(bytes) };
}

static corm_bytes record_of(const uint8_t *bytes, uint32_t len) {
    uint32_t key = base__load_u32(bytes);
    return (corm_bytes){ bytes + 4 + key, len - 4 - key };
}

static uint64_t prefix_of(corm_bytes key) {
    uint8_t head[8] = { 0 };
    if (key.len > 0) memcpy(head, key.data, key.len < 8 ? key.len : 8);
    return base__load_u64(head);
}

static int compare_bytes(corm_bytes a, corm_bytes b) {
    size_t len = a.len < b.len ? a.len : b.len;
    int    order = len > 0 ? memcmp(a.data, b.data, len) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int compare_items(const void *a, const void *b) {
    const item *x = a, *y = b;
    if (x->prefix != y->prefix) return x->prefix < y->prefix ? -1 : 1;
    int order = compare_bytes(key_of(x->bytes), key_of(y->bytes));
    return order ? order : compare_bytes(record_of(x->bytes, x->len), record_of(y->bytes, y->len));
}

corm_status agg__sorter_new(agg_memory *memory, uint64_t most, agg_sorter **out, corm_error *err) {
    agg_sorter *sorter = calloc(1, sizeof *sorter);
    if (!sorter) return base__fail_memory(err);
    sorter->memory = memory;
    sorter->most = most;
    *out = sorter;
    return CORM_OK;
}

void agg__sorter_free(agg_sorter *sorter) {
    if (!sorter) return;
    agg__memory_hold(sorter->memory, &sorter->held, 0);
    base__arena_free(&sorter->arena);
    agg__file_close(&sorter->file);
    free(sorter->items);
    free(sorter);
}

uint64_t agg__sorter_count(const agg_sorter *sorter) {
    return sorter->total;
}

static size_t size_of(const agg_sorter *sorter) {
    return sorter->arena.total + sorter->room * sizeof(item);
}

/* ---- in memory ---- */

static void sort_items(agg_sorter *sorter) {
    if (sorter->count > 1) qsort(sorter->items, sorter->count, sizeof(item), compare_items);
}

static corm_status room_for_item(agg_sorter *sorter, corm_error *err) {
    if (sorter->count < sorter->room) return CORM_OK;
    size_t room = sorter->room ? 2 * sorter->room : FIRST_ITEMS;
    item  *bigger = realloc(sorter->items, room * sizeof *bigger);
    if (!bigger) return base__fail_memory(err);
    sorter->items = bigger;
    sorter->room = room;
    return CORM_OK;
}

/* Only the first `most` are kept; their bytes move to an arena without the others'. */
static corm_status cut(agg_sorter *sorter, corm_error *err) {
    base_arena kept = { 0 };
    sort_items(sorter);
    if (sorter->count > sorter->most) sorter->count = (size_t)sorter->most;
    for (size_t i = 0; i < sorter->count; i++) {
        sorter->items[i].bytes =
            base__arena_copy(&kept, sorter->items[i].bytes, sorter->items[i].len);
        if (sorter->items[i].bytes) continue;
        sorter->count = 0;
        base__arena_free(&kept);
        return base__fail_memory(err);
    }
    base__arena_free(&sorter->arena);
    sorter->arena = kept;
    return CORM_OK;
}

/* ---- runs ---- */

static void end_run(agg_sorter *sorter, uint64_t start) {
    sorter->runs[sorter->run_count++] = (run){ start, sorter->file.size };
}

static corm_status merge_runs(agg_sorter *sorter, corm_error *err);

static corm_status spill(agg_sorter *sorter, corm_error *err) {
    if (sorter->run_count == MOST_RUNS) CORM_TRY(merge_runs(sorter, err));
    uint64_t start = sorter->file.size;
    sort_items(sorter);
    for (size_t i = 0; i < sorter->count; i++) {
        corm_bytes bytes = { sorter->items[i].bytes, sorter->items[i].len };
        CORM_TRY(agg__file_put(&sorter->file, sorter->memory, bytes, err));
    }
    CORM_TRY(agg__file_flush(&sorter->file, err));
    end_run(sorter, start);
    base__arena_free(&sorter->arena);
    free(sorter->items);
    sorter->items = NULL;
    sorter->count = sorter->room = 0;
    agg__memory_hold(sorter->memory, &sorter->held, 0);
    return CORM_OK;
}

static corm_status check_size(agg_sorter *sorter, corm_error *err) {
    if (sorter->most > 0 && sorter->count / 2 >= sorter->most + 512) CORM_TRY(cut(sorter, err));
    size_t size = size_of(sorter);
    agg__memory_hold(sorter->memory, &sorter->held, size);
    return size > sorter->memory->limit ? spill(sorter, err) : CORM_OK;
}

corm_status agg__sorter_add(agg_sorter *sorter, corm_bytes key, corm_bytes record,
                            corm_error *err) {
    if (key.len + record.len > INT32_MAX)
        return base__fail(err, CORM_INVALID, "a row is too long to be sorted");
    CORM_TRY(room_for_item(sorter, err));
    size_t   len = 4 + key.len + record.len;
    uint8_t *bytes = base__arena_alloc(&sorter->arena, len);
    if (!bytes) return base__fail_memory(err);
    base__store_u32(bytes, (uint32_t)key.len);
    if (key.len > 0) memcpy(bytes + 4, key.data, key.len);
    if (record.len > 0) memcpy(bytes + 4 + key.len, record.data, record.len);
    sorter->items[sorter->count++] = (item){ prefix_of(key), bytes, (uint32_t)len };
    sorter->total++;
    return check_size(sorter, err);
}

/* ---- merging ---- */

typedef struct source {
    agg_reading reading;
    const item *items; /* NULL: of a file */
    size_t      left;
    item        head; /* bytes NULL: at its end */
} source;

struct agg_merge {
    source  *sources;
    source **heap;
    uint32_t source_count, heap_count;
    source  *given; /* whose head was given last */
};

static corm_status advance(source *from, corm_error *err) {
    if (from->items) {
        from->head = from->left > 0 ? *from->items++ : (item){ 0 };
        if (from->left > 0) from->left--;
        return CORM_OK;
    }
    corm_bytes bytes;
    from->head = (item){ 0 };
    CORM_TRY(agg__reading_next(&from->reading, &bytes, err));
    if (bytes.data)
        from->head = (item){ prefix_of(key_of(bytes.data)), bytes.data, (uint32_t)bytes.len };
    return CORM_OK;
}

static void sink(agg_merge *merge, uint32_t at) {
    for (;;) {
        uint32_t least = at;
        for (uint32_t child = 2 * at + 1; child <= 2 * at + 2 && child < merge->heap_count; child++)
            if (compare_items(&merge->heap[child]->head, &merge->heap[least]->head) < 0)
                least = child;
        if (least == at) return;
        source *other = merge->heap[at];
        merge->heap[at] = merge->heap[least];
        merge->heap[least] = other;
        at = least;
    }
}

static corm_status start(agg_merge *merge, corm_error *err) {
    for (uint32_t i = 0; i < merge->source_count; i++) {
        CORM_TRY(advance(&merge->sources[i], err));
        if (merge->sources[i].head.bytes) merge->heap[merge->heap_count++] = &merge->sources[i];
    }
    for (uint32_t i = merge->heap_count; i > 0; i--) sink(merge, i - 1);
    return CORM_OK;
}

static void add_sources(agg_merge *merge, agg_sorter *sorter) {
    for (uint32_t i = 0; i < sorter->run_count; i++) {
        source *from = &merge->sources[merge->source_count++];
        agg__reading_begin(&from->reading, &sorter->file, sorter->runs[i].start,
                           sorter->runs[i].end);
    }
    if (sorter->count == 0) return;
    merge->sources[merge->source_count++] =
        (source){ .items = sorter->items, .left = sorter->count };
}

corm_status agg__merge_new(agg_sorter *const *sorters, uint32_t count, agg_merge **out,
                           corm_error *err) {
    uint32_t   most = 0;
    agg_merge *merge = calloc(1, sizeof *merge);
    *out = NULL;
    if (!merge) return base__fail_memory(err);
    for (uint32_t i = 0; i < count; i++) {
        most += sorters[i]->run_count + 1;
        sort_items(sorters[i]);
    }
    merge->sources = calloc(most + 1, sizeof *merge->sources);
    merge->heap = calloc(most + 1, sizeof *merge->heap);
    corm_status status = merge->sources && merge->heap ? CORM_OK : base__fail_memory(err);
    for (uint32_t i = 0; i < count && status == CORM_OK; i++) add_sources(merge, sorters[i]);
    if (status == CORM_OK) status = start(merge, err);
    if (status == CORM_OK) {
        *out = merge;
    } else {
        agg__merge_free(merge);
    }
    return status;
}

static corm_status step(agg_merge *merge, corm_error *err) {
    if (!merge->given) return CORM_OK;
    CORM_TRY(advance(merge->given, err));
    if (!merge->given->head.bytes) merge->heap[0] = merge->heap[--merge->heap_count];
    merge->given = NULL;
    if (merge->heap_count > 0) sink(merge, 0);
    return CORM_OK;
}

corm_status agg__merge_next(agg_merge *merge, corm_bytes *key, corm_bytes *record,
                            corm_error *err) {
    *key = *record = (corm_bytes){ NULL, 0 };
    CORM_TRY(step(merge, err));
    if (merge->heap_count == 0) return CORM_OK;
    merge->given = merge->heap[0];
    *key = key_of(merge->given->head.bytes);
    *record = record_of(merge->given->head.bytes, merge->given->head.len);
    return CORM_OK;
}

void agg__merge_free(agg_merge *merge) {
    if (!merge) return;
    for (uint32_t i = 0; merge->sources && i < merge->source_count; i++)
        agg__reading_end(&merge->sources[i].reading);
    free(merge->sources);
    free(merge->heap);
    free(merge);
}

/* All runs become one, in a new file. */
static corm_status merge_all(agg_sorter *sorter, agg_merge *merge, agg_file *into,
                             corm_error *err) {
    for (uint64_t done = 0; sorter->most == 0 || done < sorter->most; done++) {
        CORM_TRY(step(merge, err));
        if (merge->heap_count == 0) break;
        merge->given = merge->heap[0];
        corm_bytes bytes = { merge->given->head.bytes, merge->given->head.len };
        CORM_TRY(agg__file_put(into, sorter->memory, bytes, err));
    }
    return agg__file_flush(into, err);
}

static corm_status merge_runs(agg_sorter *sorter, corm_error *err) {
    agg_merge *merge;
    agg_file   into = { 0 };
    size_t     count = sorter->count;
    sorter->count = 0; /* what is in memory becomes a run of its own */
    corm_status status = agg__merge_new(&sorter, 1, &merge, err);
    sorter->count = count;
    if (status == CORM_OK) status = merge_all(sorter, merge, &into, err);
    agg__merge_free(merge);
    if (status != CORM_OK) {
        agg__file_close(&into);
        return status;
    }
    agg__file_close(&sorter->file);
    sorter->file = into;
    sorter->run_count = 0;
    end_run(sorter, 0);
    return CORM_OK;
}
