// SPDX-License-Identifier: MIT
/* feed_change.c -- what a write changed, as records of the feed. The images hold what differs: the marker, the row's deletion,
 * and whole columns. Thread: the commit leader's. */
#include "base/fail.h"
#include "engine/core.h"
#include "engine/write_internal.h"

/* ---- what differs ---- */

static bool same_bytes(corm_bytes a, corm_bytes b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static bool same_cell(const engine_cell *a, const engine_cell *b) {
    return a->timestamp == b->timestamp && a->ttl == b->ttl && a->expires == b->expires &&
           a->tombstone == b->tombstone && same_bytes(a->path, b->path) &&
           same_bytes(a->value, b->value);
}

static bool same_column(const engine_column_image *a, const engine_column_image *b) {
    if (a->deleted_at != b->deleted_at || a->cell_count != b->cell_count) return false;
    for (uint32_t i = 0; i < a->cell_count; i++)
        if (!same_cell(&a->cells[i], &b->cells[i])) return false;
    return true;
}

static bool same_marker(const engine_row *a, const engine_row *b) {
    return a->has_liveness == b->has_liveness &&
           (!a->has_liveness || same_cell(&a->liveness, &b->liveness));
}

/* Keeps of both what differs; *differs: something does. `whole`: all is kept then. */
static corm_status keep_changed(engine_row *before, engine_row *after, bool whole, bool *differs,
                                base_arena *arena, corm_error *err) {
    engine_column_image *old = before->columns, *new = after->columns;
    uint32_t old_count = before->column_count, new_count = after->column_count, i = 0, j = 0;
    before->columns = BASE_NEW_ARRAY(arena, engine_column_image, old_count);
    after->columns = BASE_NEW_ARRAY(arena, engine_column_image, new_count);
    if (!before->columns || !after->columns) return base__fail_memory(err);
    before->column_count = after->column_count = 0;
    *differs = !same_marker(before, after) || before->deleted_at != after->deleted_at;
    while (i < old_count || j < new_count) {
        bool take_old = i < old_count && (j == new_count || old[i].id <= new[j].id);
        bool take_new = j < new_count && (i == old_count || new[j].id <= old[i].id);
        bool same = take_old && take_new && same_column(&old[i], &new[j]);
        *differs = *differs || !same;
        if (take_old && (whole || !same)) before->columns[before->column_count++] = old[i];
        if (take_new && (whole || !same)) after->columns[after->column_count++] = new[j];
        i += take_old;
        j += take_new;
    }
    if (!whole && same_marker(before, after)) before->has_liveness = after->has_liveness = false;
    if (!whole && before->deleted_at == after->deleted_at)
        before->deleted_at = after->deleted_at = ENGINE_NO_TIMESTAMP;
    return CORM_OK;
}

/* ---- what it means ---- */

static const cql_column *column_of(const cql_table *table, uint32_t id) {
    for (uint32_t i = 0; i < table->column_count; i++)
        if (table->columns[i].id == id && table->columns[i].kind >= CQL_STATIC)
            return &table->columns[i];
    return NULL;
}

static bool has_live_cell(const cql_table *table, const engine_column_image *image,
                          uint32_t now_s) {
    const cql_column *column = column_of(table, image->id);
    int64_t           hidden = column ? engine__hidden_until(table, column) : INT64_MAX;
    for (uint32_t i = 0; i < image->cell_count; i++)
        if (engine__cell_is_live(&image->cells[i], now_s) && image->cells[i].timestamp > hidden)
            return true;
    return false;
}

static bool is_there(const cql_table *table, const engine_row *row, uint32_t now_s) {
    if (row->has_liveness && engine__cell_is_live(&row->liveness, now_s)) return true;
    for (uint32_t i = 0; i < row->column_count; i++)
        if (has_live_cell(table, &row->columns[i], now_s)) return true;
    return false;
}

static bool has_expired(const engine_cell *cell, uint32_t now_s) {
    return !cell->tombstone && cell->ttl && cell->expires <= now_s;
}

void engine__feed_expire(engine_row *row, uint32_t now_s) {
    if (row->has_liveness && has_expired(&row->liveness, now_s)) row->liveness.tombstone = true;
}

/* Whether something of the image has expired and was not told: reclaim also drops tombstones, which nobody needs to know of. */
static bool holds_expired(const engine_row *row, uint32_t now_s) {
    if (row->has_liveness && has_expired(&row->liveness, now_s)) return true;
    for (uint32_t i = 0; i < row->column_count; i++)
        for (uint32_t j = 0; j < row->columns[i].cell_count; j++)
            if (has_expired(&row->columns[i].cells[j], now_s)) return true;
    return false;
}

/* Whether a deletion of more than the row took what was left of a row that was not there. */
static bool is_swept(const engine_row *before, const engine_row *after, uint32_t now_s) {
    return !after->has_liveness && after->deleted_at == ENGINE_NO_TIMESTAMP &&
           after->column_count == 0 && !holds_expired(before, now_s);
}

/* The highest timestamp in an image. */
static int64_t highest(const engine_row *row, int64_t so_far) {
    if (row->has_liveness && row->liveness.timestamp > so_far) so_far = row->liveness.timestamp;
    if (row->deleted_at > so_far) so_far = row->deleted_at;
    for (uint32_t i = 0; i < row->column_count; i++) {
        const engine_column_image *column = &row->columns[i];
        if (column->is_complex && column->deleted_at > so_far) so_far = column->deleted_at;
        for (uint32_t j = 0; j < column->cell_count; j++)
            if (column->cells[j].timestamp > so_far) so_far = column->cells[j].timestamp;
    }
    return so_far;
}

/* That of what came; where nothing did, a deletion of more than the row took it. */
static int64_t written_at(engine_write *write, const engine_row *before, const engine_row *after) {
    int64_t at = highest(after, ENGINE_NO_TIMESTAMP);
    for (const write_range *range = write->first_range; range; range = range->next)
        if (range->timestamp > at) at = range->timestamp;
    return at == ENGINE_NO_TIMESTAMP ? highest(before, at) : at;
}

/* ---- records ---- */

static corm_status add_record(engine_write *write, base_buf *record, write_ops *ops,
                              corm_error *err) {
    engine              *store = write->request->store;
    engine_feed_position position = { store->feed.commit + 1, write->feed_count };
    uint8_t              key[FEED_RECORD_KEY];
    engine__feed_key(position, key);
    uint8_t *value = base__arena_copy(ops->arena, record->data, record->len);
    uint8_t *kept = base__arena_copy(ops->arena, key, sizeof key);
    size_t   len = record->len;
    bool     failed = record->failed || !value || !kept ||
                  !engine__write_op(ops, KV_FEED, false, (corm_bytes){ kept, sizeof key },
                                    (corm_bytes){ value, len });
    base__buf_free(record);
    if (failed) return base__fail_memory(err);
    write->feed_count++;
    write->feed_bytes += sizeof key + len;
    return CORM_OK;
}

static corm_status put_image(const cql_table *table, const engine_row *row, base_buf *record,
                             corm_error *err) {
    base_buf    image = { 0 };
    bool        empty;
    corm_status status = engine__row_encode(table, row, &image, &empty, err);
    if (status == CORM_OK) engine__feed_put_bytes(base__buf_bytes(&image), record);
    base__buf_free(&image);
    return status;
}

static engine_feed_kind kind_of(bool was, bool is, bool is_reclaim) {
    if (is_reclaim) return ENGINE_FEED_EXPIRE;
    if (!is) return ENGINE_FEED_DELETE;
    return was ? ENGINE_FEED_UPDATE : ENGINE_FEED_INSERT;
}

static corm_bytes partition_key(corm_bytes data_key) {
    engine_key key;
    return engine__key_split(data_key, &key) ? key.partition_key : (corm_bytes){ 0 };
}

corm_status engine__feed_row(engine_write *write, const row_change *change, bool is_reclaim,
                             write_ops *ops, corm_error *err) {
    const engine_request *request = write->request;
    const cql_table      *table = change->table;
    engine_row            before = *change->before, after = *change->after;
    bool                  whole = request->store->feed.settings.whole, differs = false;
    bool                  was = is_there(table, &before, is_reclaim ? 0 : change->now_s);
    bool                  is = is_there(table, &after, change->now_s);
    if (!was && !is && is_swept(&before, &after, change->now_s)) return CORM_OK;
    CORM_TRY(keep_changed(&before, &after, whole, &differs, ops->arena, err));
    if (!differs || (is_reclaim && !holds_expired(&before, change->now_s))) return CORM_OK;
    uint8_t  flags = (uint8_t)((change->is_static ? FEED_STATIC : 0) | (was ? FEED_WAS : 0) |
                              (is ? FEED_IS : 0) | (whole ? FEED_WHOLE : 0));
    base_buf record = { 0 };
    engine__feed_put_head(kind_of(was, is, is_reclaim), flags, request->now_us,
                          written_at(write, &before, &after), request->schema->serial, &table->id,
                          &record);
    engine__feed_put_bytes(partition_key(change->data_key), &record);
    corm_status status = put_image(table, &before, &record, err);
    if (status == CORM_OK) status = put_image(table, &after, &record, err);
    if (status == CORM_OK) return add_record(write, &record, ops, err);
    base__buf_free(&record);
    return status;
}

static corm_status add_range(engine_write *write, const write_range *range, write_ops *ops,
                             corm_error *err) {
    const engine_request  *request = write->request;
    const write_partition *partition = range->partition;
    base_buf               record = { 0 };
    corm_bytes             key = { partition->prefix.data + ENGINE_KEY_HEAD,
                                   partition->prefix.len - ENGINE_KEY_HEAD };
    engine__feed_put_head(range->is_partition ? ENGINE_FEED_PARTITION : ENGINE_FEED_RANGE, 0,
                          request->now_us, range->timestamp, request->schema->serial,
                          &partition->table->id, &record);
    engine__feed_put_bytes(key, &record);
    engine__feed_put_bytes(range->bound.start, &record);
    engine__feed_put_bytes(range->bound.end, &record);
    engine__feed_put_edge(range->bound.has_edges, &range->bound.from, &record);
    engine__feed_put_edge(range->bound.has_edges, &range->bound.to, &record);
    return add_record(write, &record, ops, err);
}

corm_status engine__feed_ranges(engine_write *write, write_ops *ops, corm_error *err) {
    for (const write_range *range = write->first_range; range; range = range->next)
        CORM_TRY(add_range(write, range, ops, err));
    return CORM_OK;
}
