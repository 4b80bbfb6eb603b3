// SPDX-License-Identifier: MIT
/* write.c -- INSERT, UPDATE and DELETE into row images. See write_internal.h. Thread: the commit leader's. */
#include "base/fail.h"
#include "base/text.h"
#include "engine/guard.h"

/* Cassandra's limit: Attributes.MAX_TTL. */
enum { MAX_TTL = 20 * 365 * 24 * 60 * 60, MAX_CLUSTERING = 65535 };

corm_status engine__write_new(engine_request *request, engine_write **out, corm_error *err) {
    engine_write *write = BASE_NEW(request->arena, engine_write);
    if (!write) return base__fail_memory(err);
    write->request = request;
    write->last_image = &write->first_image;
    write->last_range = &write->first_range;
    *out = write;
    return CORM_OK;
}

void engine__write_end(engine_write *write) {
    if (!write) return;
    base__map_free(&write->images);
    base__map_free(&write->partitions);
    base__buf_free(&write->scratch);
}

cql_eval_env engine__write_env(engine_write *write, const cql_value *values, uint32_t value_count) {
    return (cql_eval_env){
        .context = { write->request->arena, write->request->now_us },
        .marker_count = value_count,
        .markers = values,
    };
}

/* ---- partitions and images ---- */

static corm_str key_of(corm_bytes bytes) {
    return (corm_str){ (const char *)bytes.data, bytes.len };
}

base_buf *engine__write_scratch(engine_write *write) {
    base__buf_clear(&write->scratch);
    return &write->scratch;
}

corm_status engine__write_keep(engine_write *write, corm_bytes *out, corm_error *err) {
    const base_buf *buf = &write->scratch;
    CORM_TRY(base__buf_status(buf, err));
    *out = (corm_bytes){ base__arena_copy(write->request->arena, buf->data, buf->len), buf->len };
    return out->data ? CORM_OK : base__fail_memory(err);
}

static corm_status load_deletions(engine_write *write, write_partition *partition,
                                  corm_error *err) {
    base_buf  *key = engine__write_scratch(write);
    corm_bytes bytes;
    partition->deletions.partition_at = ENGINE_NO_TIMESTAMP;
    base__buf_put(key, partition->prefix.data, partition->prefix.len);
    base__buf_u8(key, ENGINE_KEY_PARTITION);
    CORM_TRY(base__buf_status(key, err));
    CORM_TRY(kv__get(write->request->txn, KV_DATA, base__buf_bytes(key), &bytes,
                     &partition->existed, err));
    if (!partition->existed) return CORM_OK;
    return engine__deletions_decode(bytes, write->request->arena, &partition->deletions, err);
}

static write_partition *find_partition(const engine_write *write, corm_bytes prefix) {
    write_partition *first = write->first_partition;
    if (write->partition_count > 1) return base__map_get(&write->partitions, key_of(prefix));
    return first && base__bytes_compare(first->prefix, prefix) == 0 ? first : NULL;
}

static bool map_partition(engine_write *write, write_partition *partition) {
    return base__map_put(&write->partitions, key_of(partition->prefix), partition);
}

/* The map is made with the second one: most requests write to one. */
static bool add_partition(engine_write *write, write_partition *partition) {
    write_partition *first = write->first_partition;
    if (write->partition_count == 1 && !map_partition(write, first)) return false;
    if (first && !map_partition(write, partition)) return false;
    write->partition_count++;
    partition->next = first;
    write->first_partition = partition;
    return true;
}

corm_status engine__write_partition(engine_write *write, const cql_table *table,
                                    const engine_partition *key, write_partition **out,
                                    corm_error *err) {
    base_arena *arena = write->request->arena;
    corm_bytes  prefix;
    engine__key_partition(table->storage_id, key->token, key->key, engine__write_scratch(write));
    CORM_TRY(engine__write_keep(write, &prefix, err));
    *out = find_partition(write, prefix);
    if (*out) return CORM_OK;

    write_partition *partition = BASE_NEW(arena, write_partition);
    if (!partition) return base__fail_memory(err);
    partition->table = table;
    partition->prefix = prefix;
    CORM_TRY(load_deletions(write, partition, err));
    if (!add_partition(write, partition)) return base__fail_memory(err);
    *out = partition;
    return CORM_OK;
}

bool engine__is_followed(const cql_table *table) {
    return table->index_count > 0 || table->view_count > 0;
}

static corm_status load_image(engine_write *write, write_image *image, corm_error *err) {
    base_arena *arena = write->request->arena;
    corm_bytes  bytes;
    image->row.deleted_at = image->before.deleted_at = ENGINE_NO_TIMESTAMP;
    CORM_TRY(kv__get(write->request->txn, KV_DATA, image->key, &bytes, &image->existed, err));
    if (!image->existed) return CORM_OK;
    if (engine__is_followed(image->table) || engine__is_fed(write->request->store, image->table))
        CORM_TRY(
            engine__row_decode(image->table, image->is_static, bytes, arena, &image->before, err));
    return engine__row_decode(image->table, image->is_static, bytes, arena, &image->row, err);
}

static write_image *find_image(const engine_write *write, corm_bytes key) {
    write_image *first = write->first_image;
    if (write->images.count > 0) return base__map_get(&write->images, key_of(key));
    return first && base__bytes_compare(first->key, key) == 0 ? first : NULL;
}

static bool map_image(engine_write *write, write_image *image) {
    return base__map_put(&write->images, key_of(image->key), image);
}

static bool add_image(engine_write *write, write_image *image) {
    write_image *first = write->first_image;
    if (first && write->images.count == 0 && !map_image(write, first)) return false;
    if (first && !map_image(write, image)) return false;
    *write->last_image = image;
    write->last_image = &image->next;
    return true;
}

corm_status engine__write_image(engine_write *write, write_partition *partition,
                                const corm_bytes *clustering, const cql_value *values,
                                write_image **out, corm_error *err) {
    base_arena *arena = write->request->arena;
    base_buf   *buf = engine__write_scratch(write);
    corm_bytes  key;
    base__buf_put(buf, partition->prefix.data, partition->prefix.len);
    base__buf_u8(buf, clustering ? ENGINE_KEY_ROW : ENGINE_KEY_STATIC);
    if (clustering) base__buf_put(buf, clustering->data, clustering->len);
    CORM_TRY(engine__write_keep(write, &key, err));
    *out = find_image(write, key);
    if (*out) return CORM_OK;

    write_image *image = BASE_NEW(arena, write_image);
    if (!image) return base__fail_memory(err);
    image->table = partition->table;
    image->partition = partition;
    image->key = key;
    image->clustering =
        (corm_bytes){ key.data + partition->prefix.len + 1, key.len - partition->prefix.len - 1 };
    image->is_static = !clustering;
    CORM_TRY(load_image(write, image, err));
    if (!image->existed && clustering && values) {
        image->row.clustering_count = partition->table->clustering_count;
        image->row.clustering = (cql_value *)base__arena_copy(
            arena, values, partition->table->clustering_count * sizeof *values);
        if (!image->row.clustering) return base__fail_memory(err);
    }
    if (!add_image(write, image)) return base__fail_memory(err);
    *out = image;
    return CORM_OK;
}

/* ---- USING ---- */

static corm_status eval_timestamp(const cql_checked_modify *modify, cql_eval_env *env,
                                  int64_t *timestamp, corm_error *err) {
    cql_value value;
    if (!modify->timestamp) return CORM_OK;
    CORM_TRY(cql__eval(modify->timestamp, env, &value, err));
    if (value.len == -2) return CORM_OK;
    if (value.len == -1) return base__fail(err, CORM_INVALID, "Invalid null value of timestamp");
    if (value.len != 8) return base__fail(err, CORM_INVALID, "Invalid timestamp value: ");
    *timestamp = (int64_t)base__load_u64(value.data);
    if (*timestamp == ENGINE_NO_TIMESTAMP)
        return base__fail(err, CORM_INVALID, "Out of bound timestamp, must be in [%lld, %lld]",
                          (long long)INT64_MIN + 1, (long long)INT64_MAX);
    return CORM_OK;
}

static corm_status check_ttl(int32_t ttl, corm_error *err) {
    if (ttl < 0)
        return base__fail(err, CORM_INVALID, "A TTL must be greater or equal to 0, but was %d",
                          ttl);
    if (ttl > MAX_TTL)
        return base__fail(err, CORM_INVALID, "ttl is too large. requested (%d) maximum (%d)", ttl,
                          MAX_TTL);
    return CORM_OK;
}

/* Not given or unset: the table's default; null or empty: no expiry. */
static corm_status eval_ttl(const cql_checked_modify *modify, cql_eval_env *env, uint32_t *ttl,
                            corm_error *err) {
    cql_value value = CQL_UNSET;
    *ttl = modify->kind == CQL_MODIFY_DELETE
               ? 0
               : (uint32_t)modify->table->options.default_time_to_live;
    if (modify->ttl) CORM_TRY(cql__eval(modify->ttl, env, &value, err));
    if (value.len == -2) return CORM_OK;
    *ttl = 0;
    if (value.len != 4) return CORM_OK;
    int32_t seconds = (int32_t)base__load_u32(value.data);
    CORM_TRY(check_ttl(seconds, err));
    *ttl = (uint32_t)seconds;
    return CORM_OK;
}

/* As the server does, by the clock and not by the request's now_in_seconds, which only makes what expires too late expire earlier. */
static corm_status check_expiry(const cql_checked_modify *modify, int64_t now_us, uint32_t ttl,
                                corm_error *err) {
    if (ttl == 0 || now_us / 1000000 + ttl <= (int64_t)IMAGE_MAX_EXPIRY) return CORM_OK;
    const cql_table *table = modify->table;
    return base__fail(
        err, CORM_INVALID,
        "Request on table %.*s.%.*s with %sttl of %u seconds exceeds maximum supported expiration date of "
        "2106-02-07T06:28:13+00:00. In order to avoid this use a lower TTL, change the expiration date "
        "overflow policy or upgrade to a version where this limitation is fixed. See CASSANDRA-14092 and "
        "CASSANDRA-14227 for more details.",
        (int)table->keyspace.len, table->keyspace.data, (int)table->name.len, table->name.data,
        modify->ttl ? "" : "default ", ttl);
}

/* ---- rows ---- */

static bool assigns_static(const cql_checked_modify *modify) {
    for (uint32_t i = 0; i < modify->assign_count; i++)
        if (modify->assigns[i].column->kind == CQL_STATIC) return true;
    return false;
}

static corm_status assign_all(engine_write *write, const cql_checked_modify *modify,
                              write_image *image, cql_eval_env *env, image_stamp *stamp,
                              corm_error *err) {
    engine_request *request = write->request;
    stamp->shadow = engine__deletions_at(&image->partition->deletions,
                                         image->is_static ? NULL : &image->clustering);
    image->changed_before = image->changed;
    image->changed = true;
    for (uint32_t i = 0; i < modify->assign_count; i++) {
        const cql_assign *assign = &modify->assigns[i];
        if ((assign->column->kind == CQL_STATIC) != image->is_static) continue;
        if (request->guard && !image->table->is_system)
            CORM_TRY(engine__guard_assign(request, assign, env, err));
        CORM_TRY(engine__write_assign(write, image, assign, env, stamp, err));
    }
    if (modify->kind == CQL_MODIFY_INSERT && !image->is_static)
        engine__image_mark(&image->row, stamp);
    return CORM_OK;
}

static corm_status check_clustering(const cql_table *table, const cql_value *values,
                                    corm_error *err) {
    for (uint32_t i = 0; i < table->clustering_count; i++)
        if (values[i].len > MAX_CLUSTERING)
            return base__fail(err, CORM_INVALID, "Key length of %d is longer than maximum of %d",
                              values[i].len, MAX_CLUSTERING);
    return CORM_OK;
}

static corm_status modify_row(engine_write *write, const cql_checked_modify *modify,
                              write_partition *partition, const engine_bound *row,
                              cql_eval_env *env, image_stamp *stamp, corm_error *err) {
    write_image *image;
    CORM_TRY(engine__write_image(write, partition, row ? &row->start : NULL, row ? row->row : NULL,
                                 &image, err));
    return assign_all(write, modify, image, env, stamp, err);
}

/* Static columns are assigned to once for every row, which counters and lists show; not at all when IN () selects none. */
static corm_status modify_rows(engine_write *write, const cql_checked_modify *modify,
                               write_partition *partition, cql_eval_env *env, image_stamp *stamp,
                               corm_error *err) {
    engine_bound *bounds;
    uint32_t      count;
    bool          statics = assigns_static(modify);
    if (modify->static_only)
        return statics ? modify_row(write, modify, partition, NULL, env, stamp, err) : CORM_OK;
    CORM_TRY(engine__bounds(modify->table, &modify->where, env, &bounds, &count, err));
    for (uint32_t i = 0; i < count; i++) {
        CORM_TRY(check_clustering(modify->table, bounds[i].row, err));
        if (statics) CORM_TRY(modify_row(write, modify, partition, NULL, env, stamp, err));
        CORM_TRY(modify_row(write, modify, partition, &bounds[i], env, stamp, err));
    }
    return CORM_OK;
}

static corm_status eval_expiry(engine_write *write, const cql_checked_modify *modify,
                               cql_eval_env *env, uint32_t *ttl, corm_error *err) {
    CORM_TRY(eval_ttl(modify, env, ttl, err));
    return check_expiry(modify, write->request->now_us, *ttl, err);
}

/* What the server looks at when it has worked out the rows. */
static corm_status eval_parameters(engine_write *write, const cql_checked_modify *modify,
                                   cql_eval_env *env, uint32_t *ttl, corm_error *err) {
    if (!write->is_conditional) CORM_TRY(engine__check_list_read(write->request, modify, err));
    return eval_expiry(write, modify, env, ttl, err);
}

/* An error of the rows comes before `failed`, that of the parameters, and no rows have none. */
static corm_status rows_or_failure(const cql_checked_modify *modify, cql_eval_env *env,
                                   corm_status failed, corm_error *err) {
    engine_bound *bounds;
    uint32_t      count;
    if ((failed != CORM_INVALID && failed != CORM_UNAVAILABLE) || modify->static_only)
        return failed;
    CORM_TRY(engine__bounds(modify->table, &modify->where, env, &bounds, &count, err));
    return count == 0 ? CORM_OK : failed;
}

static corm_status expand_json(const cql_checked_modify *modify, const cql_checked_modify **out,
                               cql_eval_env *env, cql_checked_modify *expanded, corm_error *err) {
    *out = modify;
    if (!modify->json) return CORM_OK;
    *out = expanded;
    return cql__json_insert(modify, env, expanded, err);
}

corm_status engine__write_modify(engine_write *write, const cql_checked_modify *modify,
                                 int64_t timestamp, const cql_value *values, uint32_t value_count,
                                 corm_error *err) {
    cql_eval_env       env = engine__write_env(write, values, value_count);
    cql_checked_modify expanded;
    image_stamp        stamp = { .timestamp = timestamp, .now_s = write->request->now_s };
    CORM_TRY(eval_timestamp(modify, &env, &stamp.timestamp, err));
    if (write->request->guard)
        CORM_TRY(engine__guard_timestamp(write->request, modify, stamp.timestamp, err));
    CORM_TRY(expand_json(modify, &modify, &env, &expanded, err));
    if (write->is_conditional) stamp.timestamp = timestamp;
    if (modify->deletes_rows)
        return engine__write_delete_rows(write, modify, &env, stamp.timestamp, err);

    engine_partition *partitions;
    uint32_t          count;
    CORM_TRY(engine__partitions(modify->table, &modify->where, &env, &partitions, &count, err));
    corm_status status = eval_parameters(write, modify, &env, &stamp.ttl, err);
    if (status != CORM_OK) return rows_or_failure(modify, &env, status, err);
    for (uint32_t i = 0; i < count; i++) {
        write_partition *partition;
        CORM_TRY(engine__write_partition(write, modify->table, &partitions[i], &partition, err));
        CORM_TRY(modify_rows(write, modify, partition, &env, &stamp, err));
    }
    return CORM_OK;
}

/* ---- statements and batches ---- */

/* The statement's timestamp when neither it nor its parts name one. */
static int64_t default_timestamp(const engine_request *request) {
    return request->options->has_timestamp ? request->options->timestamp : request->now_us;
}

static corm_status batch_timestamp(engine_write *write, const cql_checked_batch *batch,
                                   cql_eval_env *env, int64_t *out, corm_error *err) {
    cql_checked_modify as_modify = { .timestamp = batch->timestamp };
    *out = default_timestamp(write->request);
    return eval_timestamp(&as_modify, env, out, err);
}

/* The server works out the keys of all statements of a batch before it runs the first: an error of theirs comes before `failed`, that
 * of a statement. */
static corm_status keys_or_failure(engine_write *write, const lwt_item *items, uint32_t count,
                                   corm_status failed, corm_error *err) {
    for (uint32_t i = 0; failed == CORM_INVALID && i < count; i++) {
        cql_eval_env       env = engine__write_env(write, items[i].values, items[i].value_count);
        cql_checked_modify expanded;
        const cql_checked_modify *modify = items[i].modify;
        engine_partition         *partitions;
        uint32_t                  found;
        CORM_TRY(expand_json(modify, &modify, &env, &expanded, err));
        CORM_TRY(engine__partitions(modify->table, &modify->where, &env, &partitions, &found, err));
    }
    return failed;
}

/* Of a statement alone it looks for a timestamp that is null first. */
static corm_status check_timestamp(engine_write *write, const lwt_item *item, corm_error *err) {
    cql_eval_env env = engine__write_env(write, item->values, item->value_count);
    cql_value    value;
    if (!item->modify->timestamp) return CORM_OK;
    CORM_TRY(cql__eval(item->modify->timestamp, &env, &value, err));
    return value.len == -1 ? base__fail(err, CORM_INVALID, "Invalid null value of timestamp")
                           : CORM_OK;
}

/* All of a batch are virtual, or none. */
static corm_status change_virtual(engine_write *write, const lwt_item *items, uint32_t count,
                                  corm_error *err) {
    for (uint32_t i = 0; i < count; i++) {
        cql_eval_env env = engine__write_env(write, items[i].values, items[i].value_count);
        CORM_TRY(engine__virtual_modify(write->request, items[i].modify, &env, err));
    }
    wire__put_void(&write->request->answer->body);
    return CORM_OK;
}

static corm_status run_items(engine_write *write, const lwt_item *items, uint32_t count,
                             bool conditional, bool is_batch, int64_t timestamp, corm_error *err) {
    if (count > 0 && items[0].modify->table->is_virtual)
        return change_virtual(write, items, count, err);
    CORM_TRY(engine__guard_write_level(write->request, conditional, err));
    for (uint32_t i = 0; i < count; i++)
        CORM_TRY(engine__check_write_consistency(write->request, items[i].modify, is_batch,
                                                 conditional, err));
    if (conditional) return engine__lwt(write, items, count, is_batch, err);
    if (!is_batch) CORM_TRY(check_timestamp(write, items, err));
    for (uint32_t i = 0; i < count; i++) {
        corm_status status = engine__write_modify(write, items[i].modify, timestamp,
                                                  items[i].values, items[i].value_count, err);
        if (status != CORM_OK) return keys_or_failure(write, items + i, count - i, status, err);
    }
    for (uint32_t i = 0; i < count; i++)
        CORM_TRY(engine__check_replicas(write->request, items[i].modify->table, err));
    wire__put_void(&write->request->answer->body);
    return CORM_OK;
}

corm_status engine__write_batch(engine_write *write, const cql_checked_batch *batch,
                                const cql_value *const *item_values,
                                const uint32_t *item_value_counts, corm_error *err) {
    engine_request *request = write->request;
    cql_eval_env    env = engine__write_env(write, request->values, request->value_count);
    lwt_item       *items = BASE_NEW_ARRAY(request->arena, lwt_item, batch->count);
    int64_t         timestamp;
    if (!items) return base__fail_memory(err);
    for (uint32_t i = 0; i < batch->count; i++)
        items[i] = (lwt_item){ batch->items[i], item_values[i], item_value_counts[i] };
    corm_status status = batch_timestamp(write, batch, &env, &timestamp, err);
    if (status != CORM_OK) return keys_or_failure(write, items, batch->count, status, err);
    CORM_TRY(run_items(write, items, batch->count, batch->is_conditional, true, timestamp, err));
    return batch->is_conditional ? CORM_OK : engine__check_batch(write, batch->kind, err);
}

/* A BATCH in CQL text: its items share the statement's markers. */
static corm_status text_batch(engine_write *write, const cql_checked_batch *batch,
                              corm_error *err) {
    engine_request   *request = write->request;
    const cql_value **values = BASE_NEW_ARRAY(request->arena, const cql_value *, batch->count);
    uint32_t         *counts = BASE_NEW_ARRAY(request->arena, uint32_t, batch->count);
    if (!values || !counts) return base__fail_memory(err);
    for (uint32_t i = 0; i < batch->count; i++) {
        values[i] = request->values;
        counts[i] = request->value_count;
    }
    return engine__write_batch(write, batch, values, counts, err);
}

corm_status engine__write_statement(engine_write *write, corm_error *err) {
    engine_request    *request = write->request;
    const cql_checked *checked = request->checked;
    if (checked->batch) return text_batch(write, checked->batch, err);
    lwt_item item = { checked->modify, request->values, request->value_count };
    return run_items(write, &item, 1, checked->modify->is_conditional, false,
                     default_timestamp(request), err);
}

/* ---- reclaim ---- */

corm_status engine__write_touch(engine_write *write, const cql_table *table, corm_bytes data_key,
                                corm_error *err) {
    engine_key       key;
    write_partition *partition;
    write_image     *image;
    if (!engine__key_split(data_key, &key))
        return base__fail(err, CORM_CORRUPT, "a stored key is damaged");
    engine_partition of = { key.partition_key, key.token, NULL };
    CORM_TRY(engine__write_partition(write, table, &of, &partition, err));
    if (key.kind == ENGINE_KEY_PARTITION) {
        partition->changed = partition->reclaim = partition->existed;
        return CORM_OK;
    }
    bool is_static = key.kind == ENGINE_KEY_STATIC;
    CORM_TRY(engine__write_image(write, partition, is_static ? NULL : &key.clustering, NULL, &image,
                                 err));
    image->changed = image->reclaim = image->existed;
    return CORM_OK;
}
