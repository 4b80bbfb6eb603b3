// SPDX-License-Identifier: MIT
/* flush.c -- from a request's images to the store. First everything is computed, while the images may still borrow from the
 * store's pages; then it is put. Thread: the commit leader's. */
#include "base/fail.h"
#include "engine/trace.h"
#include "engine/view.h"
#include "engine/write_internal.h"

bool engine__write_op(write_ops *ops, kv_tree tree, bool remove, corm_bytes key, corm_bytes value) {
    write_op *op = BASE_NEW(ops->arena, write_op);
    if (!op) return false;
    *op = (write_op){ tree, remove, key, value, NULL };
    *ops->last = op;
    ops->last = &op->next;
    return true;
}

enum { RECLAIM_REST_S = 60 };

/* When a row or partition is to be looked at again by reclaim. */
typedef struct due_list {
    struct due_item {
        uint32_t   second;
        corm_bytes key;
    } * items;
    uint32_t count, capacity;
    uint32_t soonest; /* a row that was just written is left alone for a while */
} due_list;

static corm_status add_due(due_list *due, uint32_t second, corm_bytes key, base_arena *arena,
                           corm_error *err) {
    if (second == 0) return CORM_OK;
    if (second < due->soonest) second = due->soonest;
    if (due->count == due->capacity) {
        uint32_t capacity = due->capacity ? 2 * due->capacity : 8;
        void    *bigger = base__arena_alloc(arena, capacity * sizeof *due->items);
        if (!bigger) return base__fail_memory(err);
        if (due->count) memcpy(bigger, due->items, due->count * sizeof *due->items);
        due->items = bigger;
        due->capacity = capacity;
    }
    due->items[due->count].second = second;
    due->items[due->count++].key = key;
    return CORM_OK;
}

static corm_status plan_image(engine_write *write, write_image *image, write_ops *ops,
                              due_list *due, corm_error *err) {
    const cql_table *table = image->table;
    uint32_t         now_s = write->request->now_s, second;
    engine__image_purge(&image->row, (uint32_t)table->options.gc_grace_seconds,
                        image->reclaim ? now_s : 0, &second);
    /* What expires in a view is cleared away with the row of its table. */
    if (!table->view) CORM_TRY(add_due(due, second, image->key, ops->arena, err));
    bool is_fed = engine__is_fed(write->request->store, table);
    if (is_fed && image->reclaim) engine__feed_expire(&image->row, now_s);
    row_change change = { table, image->key, image->is_static, &image->before, &image->row, now_s };
    if (engine__is_followed(table)) {
        CORM_TRY(engine__index_changes(&change, ops, err));
        CORM_TRY(engine__vector_changes(&change, write, err));
    }
    if (is_fed) CORM_TRY(engine__feed_row(write, &change, image->reclaim, ops, err));

    corm_bytes bytes = { 0 };
    bool       empty;
    CORM_TRY(engine__row_encode(table, &image->row, engine__write_scratch(write), &empty, err));
    if (!empty) CORM_TRY(engine__write_keep(write, &bytes, err));
    if (empty && !image->existed) return CORM_OK;
    return engine__write_op(ops, KV_DATA, empty, image->key, bytes) ? CORM_OK
                                                                    : base__fail_memory(err);
}

/* The second when the first of the deletions may be forgotten. */
static uint32_t deletions_due(const engine_deletions *deletions, uint32_t gc_grace_s) {
    uint32_t first = UINT32_MAX;
    if (deletions->partition_at != ENGINE_NO_TIMESTAMP) first = deletions->partition_local;
    for (uint32_t i = 0; i < deletions->count; i++)
        if (deletions->ranges[i].local_time < first) first = deletions->ranges[i].local_time;
    return first > UINT32_MAX - gc_grace_s ? UINT32_MAX : first + gc_grace_s;
}

static corm_status plan_partition(engine_write *write, write_partition *partition, write_ops *ops,
                                  due_list *due, corm_error *err) {
    uint32_t   gc_grace_s = (uint32_t)partition->table->options.gc_grace_seconds;
    uint32_t   now_s = write->request->now_s;
    corm_bytes key, bytes = { 0 };
    base_buf  *buf = engine__write_scratch(write);
    base__buf_put(buf, partition->prefix.data, partition->prefix.len);
    base__buf_u8(buf, ENGINE_KEY_PARTITION);
    CORM_TRY(engine__write_keep(write, &key, err));
    if (partition->reclaim && now_s >= gc_grace_s)
        engine__deletions_purge(&partition->deletions, now_s - gc_grace_s);
    bool remove =
        partition->deletions.count == 0 && partition->deletions.partition_at == ENGINE_NO_TIMESTAMP;
    if (!remove) {
        engine__deletions_encode(&partition->deletions, engine__write_scratch(write));
        CORM_TRY(engine__write_keep(write, &bytes, err));
        CORM_TRY(
            add_due(due, deletions_due(&partition->deletions, gc_grace_s), key, ops->arena, err));
    }
    if (remove && !partition->existed) return CORM_OK;
    return engine__write_op(ops, KV_DATA, remove, key, bytes) ? CORM_OK : base__fail_memory(err);
}

static corm_status put_all(engine_write *write, const write_ops *ops, const due_list *due,
                           corm_error *err) {
    kv_txn *txn = write->request->txn;
    bool    found;
    for (const write_op *op = ops->first; op; op = op->next) {
        if (op->remove)
            CORM_TRY(kv__delete(txn, op->tree, op->key, &found, err));
        else
            CORM_TRY(kv__put(txn, op->tree, op->key, op->value, err));
    }
    if (write->first_vector) CORM_TRY(engine__vector_put(write, err));
    for (uint32_t i = 0; i < due->count; i++)
        CORM_TRY(engine__queue_row(txn, due->items[i].second, due->items[i].key, err));
    return CORM_OK;
}

static void tell(const engine_write *write) {
    uint32_t rows = 0, partitions = 0;
    for (const write_image *image = write->first_image; image; image = image->next)
        rows += image->changed;
    for (const write_partition *partition = write->first_partition; partition;
         partition = partition->next)
        partitions += partition->changed;
    engine__trace_step("Writing %u rows and %u deletions of partitions", rows, partitions);
}

corm_status engine__write_flush(engine_write *write, corm_error *err) {
    write_ops ops = { .arena = write->request->arena };
    due_list  due = { .soonest = (uint32_t)(write->request->now_us / 1000000) + RECLAIM_REST_S };
    ops.last = &ops.first;
    if (write->request->options->tracing) tell(write);
    CORM_TRY(engine__write_views(write, err));
    CORM_TRY(engine__feed_ranges(write, &ops, err));
    for (write_image *image = write->first_image; image; image = image->next)
        if (image->changed) CORM_TRY(plan_image(write, image, &ops, &due, err));
    for (write_partition *partition = write->first_partition; partition;
         partition = partition->next)
        if (partition->changed) CORM_TRY(plan_partition(write, partition, &ops, &due, err));
    CORM_TRY(put_all(write, &ops, &due, err));
    engine__feed_done(write);
    return CORM_OK;
}
