// SPDX-License-Identifier: MIT
/* index_stream.c -- walks the entries that a probe names. Thread: the reader's. */
#include "engine/index_stream.h"

#include "base/text.h"

static bool has_prefix(corm_bytes key, corm_bytes prefix) {
    return key.len >= prefix.len && memcmp(key.data, prefix.data, prefix.len) == 0;
}

static bool is_inside(const index_stream *stream, corm_bytes key) {
    if (!stream->is_range) return has_prefix(key, base__buf_bytes(&stream->start));
    return stream->end.len == 0 || base__bytes_compare(key, base__buf_bytes(&stream->end)) < 0;
}

/* The entry under the cursor. */
static corm_status load(index_stream *stream, corm_error *err) {
    if (!stream->found) return CORM_OK;
    stream->found = is_inside(stream, kv__cursor_key(stream->cursor));
    if (!stream->found) return CORM_OK;
    base__buf_clear(&stream->data_key);
    bool good = engine__index_data_key(stream->table, kv__cursor_key(stream->cursor),
                                       kv__cursor_value(stream->cursor), &stream->data_key);
    CORM_TRY(base__buf_status(&stream->data_key, err));
    if (good && engine__key_split(base__buf_bytes(&stream->data_key), &stream->key)) return CORM_OK;
    return base__fail(err, CORM_CORRUPT, "an entry of index %.*s is damaged",
                      (int)stream->index->name.len, stream->index->name.data);
}

static void set_ends(index_stream *stream, const cql_probe *probe) {
    uint32_t storage_id = stream->index->storage_id;
    base__buf_u32(&stream->start, storage_id);
    base__buf_put(&stream->start, probe->start.data, probe->start.len);
    if (!probe->is_range) return;
    base__buf_u32(&stream->end, storage_id);
    base__buf_put(&stream->end, probe->end.data, probe->end.len);
    if (probe->end.len == 0) (void)cql__key_after(&stream->end);
}

corm_status stream__open(index_stream *stream, engine_request *request, const cql_index *index,
                         const cql_table *table, const cql_probe *probe, corm_error *err) {
    *stream = (index_stream){ .index = index,
                              .table = table,
                              .is_range = probe->is_range,
                              .by_partition = index->column->kind == CQL_STATIC };
    set_ends(stream, probe);
    CORM_TRY(base__buf_status(&stream->start, err));
    CORM_TRY(base__buf_status(&stream->end, err));
    return kv__cursor_open(request->txn, KV_DATA, &stream->cursor, err);
}

void stream__close(index_stream *stream) {
    if (stream->cursor) kv__cursor_close(stream->cursor);
    base__buf_free(&stream->start);
    base__buf_free(&stream->end);
    base__buf_free(&stream->data_key);
    *stream = (index_stream){ 0 };
}

corm_status stream__first(index_stream *stream, corm_error *err) {
    CORM_TRY(kv__cursor_seek(stream->cursor, base__buf_bytes(&stream->start), KV_AT_OR_AFTER,
                             &stream->found, err));
    return load(stream, err);
}

corm_status stream__next(index_stream *stream, corm_error *err) {
    CORM_TRY(kv__cursor_next(stream->cursor, &stream->found, err));
    return load(stream, err);
}

corm_status stream__seek(index_stream *stream, corm_bytes data_key, kv_seek how, corm_error *err) {
    size_t len = stream->start.len;
    base__buf_put(&stream->start, data_key.data + 4, data_key.len - 4);
    corm_status status = base__buf_status(&stream->start, err);
    if (status == CORM_OK)
        status = kv__cursor_seek(stream->cursor, base__buf_bytes(&stream->start), how,
                                 &stream->found, err);
    stream->start.len = len;
    return status == CORM_OK ? load(stream, err) : status;
}
