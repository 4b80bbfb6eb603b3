// SPDX-License-Identifier: MIT
/* feed_change.c -- one change of the feed: its images as results of one row, made when they are asked for. Thread: the feed's. */
#include "base/fail.h"
#include "cql/token.h"
#include "session/feed.h"

void session__change_clear(corm_change *change) {
    corm_result_free(change->key);
    corm_result_free(change->before);
    corm_result_free(change->after);
    corm_result_free(change->from);
    corm_result_free(change->to);
}

/* ---- what it is ---- */

corm_change_kind corm_change_kind_of(const corm_change *change) {
    return (corm_change_kind)change->record->kind;
}

const char *corm_change_kind_name(corm_change_kind kind) {
    static const char *const names[] = {
        [CORM_CHANGE_INSERT] = "insert",     [CORM_CHANGE_UPDATE] = "update",
        [CORM_CHANGE_DELETE] = "delete",     [CORM_CHANGE_EXPIRE] = "expire",
        [CORM_CHANGE_RANGE] = "range",       [CORM_CHANGE_PARTITION] = "partition",
        [CORM_CHANGE_TRUNCATE] = "truncate", [CORM_CHANGE_SCHEMA] = "schema",
    };
    bool known = kind >= CORM_CHANGE_INSERT && kind <= CORM_CHANGE_SCHEMA;
    return known ? names[kind] : "unknown";
}

corm_feed_position corm_change_position(const corm_change *change) {
    return session__feed_position(change->feed->store, change->record->position);
}

uint64_t corm_change_commit(const corm_change *change) {
    return change->record->position.commit;
}

corm_str corm_change_keyspace(const corm_change *change) {
    const engine_feed_change *record = change->record;
    if (record->keyspace.len > 0) return record->keyspace;
    return record->table ? record->table->keyspace : corm_str_of("");
}

corm_str corm_change_table(const corm_change *change) {
    const engine_feed_change *record = change->record;
    if (record->keyspace.len > 0) return record->name;
    return record->table ? record->table->name : corm_str_of("");
}

int64_t corm_change_time_us(const corm_change *change) {
    return change->record->time_us;
}
int64_t corm_change_timestamp_us(const corm_change *change) {
    return change->record->timestamp;
}
bool corm_change_is_static(const corm_change *change) {
    return change->record->flags & FEED_STATIC;
}
bool corm_change_existed(const corm_change *change) {
    return change->record->flags & FEED_WAS;
}
bool corm_change_exists(const corm_change *change) {
    return change->record->flags & FEED_IS;
}
corm_str corm_change_verb(const corm_change *change) {
    return change->record->verb;
}
corm_str corm_change_target(const corm_change *change) {
    return change->record->target;
}
corm_str corm_change_statement(const corm_change *change) {
    return change->record->statement;
}

/* ---- columns ---- */

/* Columns and, where there is a row, a value for each. */
typedef struct picture {
    uint32_t           count;
    const cql_column **columns;
    cql_value         *values; /* by cql_column.index */
} picture;

static bool is_row(const engine_feed_change *record) {
    return record->kind <= ENGINE_FEED_EXPIRE;
}

static corm_status begin_picture(const corm_change *change, picture *out, corm_error *err) {
    const cql_table *table = change->record->table;
    if (!table)
        return base__fail(err, CORM_NOT_FOUND,
                          "the change is of no table, or its schema is no longer kept");
    out->count = 0;
    out->columns = BASE_NEW_ARRAY(change->arena, const cql_column *, table->column_count);
    out->values = BASE_NEW_ARRAY(change->arena, cql_value, table->column_count);
    if (!out->columns || !out->values) return base__fail_memory(err);
    for (uint32_t i = 0; i < table->column_count; i++) out->values[i] = CQL_NULL;
    return CORM_OK;
}

static corm_status add_partition_key(const engine_feed_change *record, picture *out,
                                     corm_error *err) {
    const cql_table *table = record->table;
    bool             fits = true;
    if (table->partition_count == 1)
        out->values[0] = cql__value_of(record->key);
    else
        fits = cql__partition_key_split(record->key, table->partition_count, out->values);
    if (!fits) return base__fail(err, CORM_CORRUPT, "a record of the feed is damaged");
    for (uint32_t i = 0; i < table->partition_count; i++)
        out->columns[out->count++] = &table->columns[i];
    return CORM_OK;
}

static corm_status decode(const corm_change *change, corm_bytes image, engine_row *out,
                          corm_error *err) {
    const engine_feed_change *record = change->record;
    *out = (engine_row){ 0 };
    if (image.len == 0) return CORM_OK;
    return engine__row_decode(record->table, record->flags & FEED_STATIC, image, change->arena, out,
                              err);
}

/* Both images have the row's clustering values, unless they are empty. */
static corm_status add_clustering(const corm_change *change, picture *out, corm_error *err) {
    const engine_feed_change *record = change->record;
    const cql_table          *table = record->table;
    engine_row                row;
    if (!is_row(record) || (record->flags & FEED_STATIC)) return CORM_OK;
    CORM_TRY(decode(change, record->after.len ? record->after : record->before, &row, err));
    for (uint32_t i = 0; i < row.clustering_count; i++) {
        out->columns[out->count++] = &table->columns[table->partition_count + i];
        out->values[table->partition_count + i] = row.clustering[i];
    }
    return CORM_OK;
}

static bool has_column(const engine_row *row, uint32_t id) {
    for (uint32_t i = 0; i < row->column_count; i++)
        if (row->columns[i].id == id) return true;
    return false;
}

static corm_status add_columns(const corm_change *change, picture *out, corm_error *err) {
    const engine_feed_change *record = change->record;
    engine_row                before, after;
    cql_column_kind           kind = record->flags & FEED_STATIC ? CQL_STATIC : CQL_REGULAR;
    bool                      whole = record->flags & FEED_WHOLE;
    CORM_TRY(decode(change, record->before, &before, err));
    CORM_TRY(decode(change, record->after, &after, err));
    for (uint32_t i = 0; i < record->table->column_count; i++) {
        const cql_column *column = &record->table->columns[i];
        if (column->kind == kind &&
            (whole || has_column(&before, column->id) || has_column(&after, column->id)))
            out->columns[out->count++] = column;
    }
    return CORM_OK;
}

/* ---- results ---- */

static corm_status column_specs(const corm_change *change, const picture *of,
                                cql_result_column **out, corm_error *err) {
    const cql_table *table = change->record->table;
    *out = BASE_NEW_ARRAY(change->arena, cql_result_column, of->count);
    if (!*out) return base__fail_memory(err);
    for (uint32_t i = 0; i < of->count; i++)
        (*out)[i] = (cql_result_column){ table->keyspace, table->name, of->columns[i]->name,
                                         of->columns[i]->type };
    return CORM_OK;
}

static corm_status fill_result(const corm_change *change, const picture *of, bool has_row,
                               corm_result *result, corm_error *err) {
    static const session_request none;
    cql_result_column           *columns;
    wire_rows_writer             writer;
    base_buf                    *body = &result->answer.body;
    CORM_TRY(column_specs(change, of, &columns, err));
    wire__rows_begin(&writer, body, columns, of->count, false, WIRE_VERSION);
    for (uint32_t i = 0; has_row && i < of->count; i++)
        cql__put_value(body, of->values[of->columns[i]->index]);
    if (has_row) wire__row_done(&writer);
    wire__rows_end(&writer, (corm_bytes){ 0 });
    CORM_TRY(base__buf_status(body, err));
    return session__result_read(result, &none, err);
}

/* Kept in *slot. */
static corm_status make_result(const corm_change *change, const picture *of, bool has_row,
                               corm_result **slot, corm_error *err) {
    corm_result *result = session__result_new(change->feed->session);
    if (!result) return base__fail_memory(err);
    corm_status status = fill_result(change, of, has_row, result, err);
    if (status != CORM_OK) {
        corm_result_free(result);
        return status;
    }
    *slot = result;
    return CORM_OK;
}

/* Results of a change are made when asked for, which changes nothing that the caller can see. */
static corm_change *own(const corm_change *change) {
    return (corm_change *)(uintptr_t)change;
}

static corm_status give(corm_result *made, corm_result **out) {
    corm_result_rewind(made);
    *out = made;
    return CORM_OK;
}

corm_status corm_change_key(const corm_change *change, corm_result **out, corm_error *err) {
    picture of;
    if (change->key) return give(change->key, out);
    if (change->record->kind >= ENGINE_FEED_TRUNCATE)
        return base__fail(err, CORM_NOT_FOUND, "the change has no key");
    CORM_TRY(begin_picture(change, &of, err));
    CORM_TRY(add_partition_key(change->record, &of, err));
    CORM_TRY(add_clustering(change, &of, err));
    CORM_TRY(make_result(change, &of, true, &own(change)->key, err));
    return give(change->key, out);
}

/* What had expired is seen as it was. */
static uint32_t judged_at(const corm_change *change, bool is_after) {
    const engine_feed_change *record = change->record;
    if (record->kind == ENGINE_FEED_EXPIRE && !is_after) return 0;
    return (uint32_t)(record->time_us / 1000000);
}

static corm_status read_image(const corm_change *change, bool is_after, picture *of,
                              corm_error *err) {
    const engine_feed_change *record = change->record;
    corm_bytes                image = is_after ? record->after : record->before;
    engine_row_read           read;
    uint32_t                  keys = record->table->partition_count;
    if (!(record->flags & FEED_STATIC)) keys += record->table->clustering_count;
    if (image.len == 0) return CORM_OK;
    return engine__row_read(record->table, record->flags & FEED_STATIC, image,
                            judged_at(change, is_after), of->columns + keys, of->count - keys,
                            change->arena, of->values, &read, err);
}

static corm_status image_result(const corm_change *change, bool is_after, corm_result **slot,
                                corm_error *err) {
    picture of;
    bool    has_row = change->record->flags & (is_after ? FEED_IS : FEED_WAS);
    if (!is_row(change->record))
        return base__fail(err, CORM_NOT_FOUND, "the change is of no single row");
    CORM_TRY(begin_picture(change, &of, err));
    CORM_TRY(add_partition_key(change->record, &of, err));
    CORM_TRY(add_clustering(change, &of, err));
    CORM_TRY(add_columns(change, &of, err));
    if (has_row) CORM_TRY(read_image(change, is_after, &of, err));
    return make_result(change, &of, has_row, slot, err);
}

corm_status corm_change_before(const corm_change *change, corm_result **out, corm_error *err) {
    if (!change->before) CORM_TRY(image_result(change, false, &own(change)->before, err));
    return give(change->before, out);
}

corm_status corm_change_after(const corm_change *change, corm_result **out, corm_error *err) {
    if (!change->after) CORM_TRY(image_result(change, true, &own(change)->after, err));
    return give(change->after, out);
}

corm_status corm_change_range(const corm_change *change, bool is_end, corm_result **out,
                              bool *inclusive, corm_error *err) {
    const engine_feed_change *record = change->record;
    const engine_edge        *edge = is_end ? &record->to : &record->from;
    corm_result             **slot = is_end ? &own(change)->to : &own(change)->from;
    picture                   of;
    if (record->kind != ENGINE_FEED_RANGE || !record->has_edges)
        return base__fail(err, CORM_NOT_FOUND, "the change has no range of values");
    *inclusive = edge->inclusive;
    if (*slot) return give(*slot, out);
    CORM_TRY(begin_picture(change, &of, err));
    for (uint32_t i = 0; i < edge->count && i < record->table->clustering_count; i++) {
        const cql_column *column = &record->table->columns[record->table->partition_count + i];
        of.columns[of.count++] = column;
        of.values[column->index] = edge->values[i];
    }
    CORM_TRY(make_result(change, &of, true, slot, err));
    return give(*slot, out);
}

/* ---- timestamps ---- */

bool corm_change_written(const corm_change *change, const char *column, int64_t *timestamp_us,
                         uint32_t *ttl) {
    const engine_feed_change *record = change->record;
    engine_row                row;
    if (!is_row(record) || !record->table) return false;
    const cql_column *found = cql__table_column(record->table, corm_str_of(column));
    if (!found || decode(change, record->after, &row, NULL) != CORM_OK) return false;
    *timestamp_us = ENGINE_NO_TIMESTAMP;
    for (uint32_t i = 0; i < row.column_count; i++)
        for (uint32_t j = 0; row.columns[i].id == found->id && j < row.columns[i].cell_count; j++) {
            const engine_cell *cell = &row.columns[i].cells[j];
            if (cell->timestamp < *timestamp_us) continue;
            *timestamp_us = cell->timestamp;
            *ttl = cell->ttl;
        }
    return *timestamp_us != ENGINE_NO_TIMESTAMP;
}
