// SPDX-License-Identifier: MIT
/* feed_record.c -- a record of the feed as bytes: feed.h has the layout. Pure. */
#include "base/fail.h"
#include "engine/feed.h"

void engine__feed_put_head(engine_feed_kind kind, uint8_t flags, int64_t time_us, int64_t timestamp,
                           uint64_t serial, const corm_uuid *table_id, base_buf *out) {
    static const corm_uuid none;
    base__buf_u8(out, (uint8_t)kind);
    base__buf_u8(out, flags);
    base__buf_i64(out, time_us);
    base__buf_i64(out, timestamp);
    base__buf_uvarint(out, serial);
    base__buf_put(out, table_id ? table_id->bytes : none.bytes, sizeof none.bytes);
}

void engine__feed_put_bytes(corm_bytes bytes, base_buf *out) {
    base__buf_uvarint(out, bytes.len);
    base__buf_put(out, bytes.data, bytes.len);
}

void engine__feed_put_edge(bool has_edges, const engine_edge *edge, base_buf *out) {
    base__buf_uvarint(out, has_edges ? (uint64_t)edge->count + 1 : 0);
    if (!has_edges) return;
    base__buf_u8(out, edge->inclusive);
    for (uint32_t i = 0; i < edge->count; i++) {
        cql_value value = edge->values[i];
        base__buf_uvarint(out, cql__is_null(value) ? 0 : (uint64_t)value.len + 1);
        if (!cql__is_null(value)) base__buf_put(out, value.data, (size_t)value.len);
    }
}

/* ---- reading ---- */

static corm_bytes read_bytes(base_reader *reader) {
    uint64_t len = base__read_uvarint(reader);
    if (len <= reader->len) return base__read_bytes(reader, (size_t)len);
    reader->failed = true;
    return (corm_bytes){ 0 };
}

static corm_str read_str(base_reader *reader) {
    corm_bytes bytes = read_bytes(reader);
    return (corm_str){ (const char *)bytes.data, bytes.len };
}

static cql_value read_value(base_reader *reader) {
    uint64_t len = base__read_uvarint(reader);
    if (len == 0) return CQL_NULL;
    if (len - 1 > reader->len) {
        reader->failed = true;
        return CQL_NULL;
    }
    return cql__value_of(base__read_bytes(reader, (size_t)(len - 1)));
}

static corm_status read_edge(base_reader *reader, base_arena *arena, engine_edge *out,
                             bool *has_edge, corm_error *err) {
    uint64_t count = base__read_uvarint(reader);
    *has_edge = count > 0;
    if (count == 0) return CORM_OK;
    if (count - 1 > reader->len) {
        reader->failed = true;
        return CORM_OK;
    }
    cql_value *values = BASE_NEW_ARRAY(arena, cql_value, count);
    if (!values) return base__fail_memory(err);
    out->inclusive = base__read_u8(reader);
    out->count = (uint32_t)(count - 1);
    out->values = values;
    for (uint32_t i = 0; i < out->count; i++) values[i] = read_value(reader);
    return CORM_OK;
}

static corm_status read_range(base_reader *reader, base_arena *arena, engine_feed_change *out,
                              corm_error *err) {
    bool to;
    out->key = read_bytes(reader);
    out->start = read_bytes(reader);
    out->end = read_bytes(reader);
    CORM_TRY(read_edge(reader, arena, &out->from, &out->has_edges, err));
    CORM_TRY(read_edge(reader, arena, &out->to, &to, err));
    if (out->has_edges != to) reader->failed = true;
    return CORM_OK;
}

static void read_row(base_reader *reader, engine_feed_change *out) {
    out->key = read_bytes(reader);
    out->before = read_bytes(reader);
    out->after = read_bytes(reader);
}

static void read_schema(base_reader *reader, engine_feed_change *out) {
    out->verb = read_str(reader);
    out->target = read_str(reader);
    out->keyspace = read_str(reader);
    out->name = read_str(reader);
    out->statement = read_str(reader);
}

static corm_status read_body(base_reader *reader, base_arena *arena, engine_feed_change *out,
                             corm_error *err) {
    switch (out->kind) {
    case ENGINE_FEED_INSERT:
    case ENGINE_FEED_UPDATE:
    case ENGINE_FEED_DELETE:
    case ENGINE_FEED_EXPIRE: read_row(reader, out); return CORM_OK;
    case ENGINE_FEED_RANGE:
    case ENGINE_FEED_PARTITION: return read_range(reader, arena, out, err);
    case ENGINE_FEED_TRUNCATE:
    case ENGINE_FEED_SCHEMA: read_schema(reader, out); return CORM_OK;
    default: reader->failed = true; return CORM_OK;
    }
}

corm_status engine__feed_record(corm_bytes bytes, base_arena *arena, engine_feed_change *out,
                                corm_error *err) {
    base_reader          reader = { bytes.data, bytes.len, false };
    engine_feed_position position = out->position;
    *out = (engine_feed_change){ .position = position };
    out->kind = (engine_feed_kind)base__read_u8(&reader);
    out->flags = base__read_u8(&reader);
    out->time_us = base__read_i64(&reader);
    out->timestamp = base__read_i64(&reader);
    out->serial = base__read_uvarint(&reader);
    corm_bytes id = base__read_bytes(&reader, sizeof out->table_id.bytes);
    if (id.len == sizeof out->table_id.bytes) memcpy(out->table_id.bytes, id.data, id.len);
    CORM_TRY(read_body(&reader, arena, out, err));
    if (!reader.failed && reader.len == 0) return CORM_OK;
    return base__fail(err, CORM_CORRUPT, "a record of the feed is damaged");
}
