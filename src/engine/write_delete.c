// SPDX-License-Identifier: MIT
/* write_delete.c -- DELETE of rows, ranges and partitions: what it covers goes at once, and the deletion itself is kept for
 * writes that come late with an older timestamp. Thread: the commit leader's. */
#include "base/fail.h"
#include "base/text.h"
#include "engine/write_internal.h"

/* The image takes the deletion, unless a stronger one covers the row already. */
static void delete_image(write_image *image, int64_t timestamp, uint32_t now_s, bool remember) {
    image->changed = true;
    if (remember && timestamp <= engine__deletions_at(&image->partition->deletions,
                                                      image->is_static ? NULL : &image->clustering))
        return;
    engine__image_delete(&image->row, timestamp, now_s, remember);
}

static corm_status delete_row(engine_write *write, write_partition *partition,
                              const engine_bound *bound, int64_t timestamp, corm_error *err) {
    write_image *image;
    CORM_TRY(engine__write_image(write, partition, &bound->start, bound->row, &image, err));
    delete_image(image, timestamp, write->request->now_s, true);
    return CORM_OK;
}

static bool covers(corm_bytes start, corm_bytes end, corm_bytes clustering) {
    return base__bytes_compare(start, clustering) <= 0 && base__bytes_compare(clustering, end) < 0;
}

/* Rows of this request that are not stored yet. */
static void delete_new_images(engine_write *write, const write_partition *partition,
                              corm_bytes start, corm_bytes end, int64_t timestamp) {
    for (write_image *image = write->first_image; image; image = image->next)
        if (image->partition == partition && !image->is_static && !image->existed &&
            covers(start, end, image->clustering))
            delete_image(image, timestamp, write->request->now_s, false);
}

/* Stored rows from the cursor's place to `end`. */
static corm_status delete_from_cursor(engine_write *write, write_partition *partition,
                                      kv_cursor *cursor, corm_bytes end, int64_t timestamp,
                                      corm_error *err) {
    for (bool found = true; found;) {
        engine_key   key;
        write_image *image;
        if (!engine__key_split(kv__cursor_key(cursor), &key) || key.kind != ENGINE_KEY_ROW ||
            base__bytes_compare(key.prefix, partition->prefix) != 0 ||
            base__bytes_compare(key.clustering, end) >= 0)
            return CORM_OK;
        CORM_TRY(engine__write_image(write, partition, &key.clustering, NULL, &image, err));
        delete_image(image, timestamp, write->request->now_s, false);
        CORM_TRY(kv__cursor_next(cursor, &found, err));
    }
    return CORM_OK;
}

static corm_status delete_stored(engine_write *write, write_partition *partition, corm_bytes start,
                                 corm_bytes end, int64_t timestamp, corm_error *err) {
    kv_cursor *cursor;
    bool       found;
    base_buf   from = { 0 };
    base__buf_put(&from, partition->prefix.data, partition->prefix.len);
    base__buf_u8(&from, ENGINE_KEY_ROW);
    base__buf_put(&from, start.data, start.len);
    corm_status status = base__buf_status(&from, err);
    if (status == CORM_OK) status = kv__cursor_open(write->request->txn, KV_DATA, &cursor, err);
    if (status == CORM_OK) {
        status = kv__cursor_seek(cursor, base__buf_bytes(&from), KV_AT_OR_AFTER, &found, err);
        if (status == CORM_OK && found)
            status = delete_from_cursor(write, partition, cursor, end, timestamp, err);
        kv__cursor_close(cursor);
    }
    base__buf_free(&from);
    return status;
}

static corm_status delete_range(engine_write *write, write_partition *partition, corm_bytes start,
                                corm_bytes end, int64_t timestamp, corm_error *err) {
    CORM_TRY(delete_stored(write, partition, start, end, timestamp, err));
    delete_new_images(write, partition, start, end, timestamp);
    return CORM_OK;
}

/* Tells the feed of a deletion of more than one row. */
static corm_status note_range(engine_write *write, write_partition *partition,
                              const engine_bound *bound, int64_t timestamp, corm_error *err) {
    if (!engine__is_fed(write->request->store, partition->table)) return CORM_OK;
    write_range *range = BASE_NEW(write->request->arena, write_range);
    if (!range) return base__fail_memory(err);
    *range =
        (write_range){ .partition = partition, .is_partition = !bound, .timestamp = timestamp };
    if (bound) range->bound = *bound;
    *write->last_range = range;
    write->last_range = &range->next;
    return CORM_OK;
}

static corm_status delete_partition(engine_write *write, write_partition *partition,
                                    int64_t timestamp, corm_error *err) {
    static const uint8_t behind_all = 0xFF;
    engine_deletions    *deletions = &partition->deletions;
    write_image         *static_row;
    partition->changed = true;
    if (timestamp <= deletions->partition_at) return CORM_OK;
    CORM_TRY(note_range(write, partition, NULL, timestamp, err));
    deletions->partition_at = timestamp;
    deletions->partition_local = write->request->now_s;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < deletions->count; i++)
        if (deletions->ranges[i].timestamp > timestamp)
            deletions->ranges[kept++] = deletions->ranges[i];
    deletions->count = kept;

    if (partition->table->static_count) {
        CORM_TRY(engine__write_image(write, partition, NULL, NULL, &static_row, err));
        delete_image(static_row, timestamp, write->request->now_s, false);
    }
    return delete_range(write, partition, (corm_bytes){ 0 }, (corm_bytes){ &behind_all, 1 },
                        timestamp, err);
}

static corm_status delete_bound(engine_write *write, write_partition *partition,
                                const engine_bound *bound, int64_t timestamp, corm_error *err) {
    if (bound->row) return delete_row(write, partition, bound, timestamp, err);
    timestamp -= write->is_conditional;
    engine_range range = { bound->start, bound->end, timestamp, write->request->now_s };
    partition->changed = true;
    CORM_TRY(note_range(write, partition, bound, timestamp, err));
    CORM_TRY(engine__deletions_add(&partition->deletions, &range, write->request->arena, err));
    return delete_range(write, partition, bound->start, bound->end, timestamp, err);
}

static corm_status delete_in_partition(engine_write *write, const cql_checked_modify *modify,
                                       write_partition *partition, cql_eval_env *env,
                                       int64_t timestamp, corm_error *err) {
    engine_bound *bounds;
    uint32_t      count;
    if (modify->where.clustering_count == 0)
        return delete_partition(write, partition, timestamp - write->is_conditional, err);
    CORM_TRY(engine__bounds(modify->table, &modify->where, env, &bounds, &count, err));
    for (uint32_t i = 0; i < count; i++)
        CORM_TRY(delete_bound(write, partition, &bounds[i], timestamp, err));
    return CORM_OK;
}

corm_status engine__write_delete_rows(engine_write *write, const cql_checked_modify *modify,
                                      cql_eval_env *env, int64_t timestamp, corm_error *err) {
    engine_partition *partitions;
    uint32_t          count;
    CORM_TRY(engine__partitions(modify->table, &modify->where, env, &partitions, &count, err));
    for (uint32_t i = 0; i < count; i++) {
        write_partition *partition;
        CORM_TRY(engine__write_partition(write, modify->table, &partitions[i], &partition, err));
        CORM_TRY(delete_in_partition(write, modify, partition, env, timestamp, err));
    }
    return CORM_OK;
}
