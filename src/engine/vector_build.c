// SPDX-License-Identifier: MIT
/* vector_build.c -- a vector index of the rows that are there: when it is created, and at the first write after its table was
 * truncated or when an older version left it without a graph. Thread: the commit leader's, with others that help it to link the graph
 * (hnsw_build.c). */
#include "base/pool.h"
#include "engine/vector.h"
#include "engine/write_internal.h"

enum { FIRST_SEQUENCE = 1 };

typedef struct builder {
    const vector_place   *at;
    engine_vector_options options;
    hnsw                 *graph;
    base_arena            arena; /* of one row */
    base_buf              keys;  /* for each node: length u32, data key */
} builder;

static corm_status clear_storage(const vector_place *at, corm_error *err) {
    uint8_t    prefix[4];
    base_buf   key = { 0 };
    bool       found = true, deleted;
    kv_cursor *cursor;
    base__store_u32(prefix, at->index->storage_id);
    corm_status status = CORM_OK;
    while (status == CORM_OK && found) {
        status = kv__cursor_open(at->txn, KV_DATA, &cursor, err);
        if (status != CORM_OK) break;
        status = kv__cursor_seek(cursor, (corm_bytes){ prefix, 4 }, KV_AT_OR_AFTER, &found, err);
        if (status == CORM_OK && found) {
            corm_bytes at_key = kv__cursor_key(cursor);
            found = at_key.len >= 4 && memcmp(at_key.data, prefix, 4) == 0;
            base__buf_clear(&key);
            base__buf_put(&key, at_key.data, at_key.len);
            status = base__buf_status(&key, err);
        }
        kv__cursor_close(cursor);
        if (status == CORM_OK && found)
            status = kv__delete(at->txn, KV_DATA, base__buf_bytes(&key), &deleted, err);
    }
    base__buf_free(&key);
    return status;
}

static corm_status add_row(builder *run, corm_bytes data_key, bool is_static, corm_bytes bytes,
                           corm_error *err) {
    const cql_table *table = run->at->table;
    engine_row       row;
    base__arena_reset(&run->arena);
    CORM_TRY(engine__row_decode(table, is_static, bytes, &run->arena, &row, err));
    corm_bytes vector =
        engine__row_vector(run->at->index, table, data_key, is_static, &row, &run->arena);
    if (vector.len == 0 || engine__vector_check(run->options.by, vector, NULL) != CORM_OK)
        return CORM_OK;
    base__buf_u32(&run->keys, (uint32_t)data_key.len);
    base__buf_put(&run->keys, data_key.data, data_key.len);
    CORM_TRY(base__buf_status(&run->keys, err));
    return hnsw__add_unlinked(run->graph, vector.data, err);
}

static corm_status scan_rows(builder *run, corm_error *err) {
    kv_cursor *cursor;
    uint8_t    prefix[4];
    bool       found;
    base__store_u32(prefix, run->at->table->storage_id);
    CORM_TRY(kv__cursor_open(run->at->txn, KV_DATA, &cursor, err));
    corm_status status =
        kv__cursor_seek(cursor, (corm_bytes){ prefix, 4 }, KV_AT_OR_AFTER, &found, err);
    while (status == CORM_OK && found) {
        engine_key key;
        corm_bytes bytes = kv__cursor_key(cursor);
        if (!engine__key_split(bytes, &key) || key.storage_id != run->at->table->storage_id) break;
        if (key.kind != ENGINE_KEY_PARTITION)
            status =
                add_row(run, bytes, key.kind == ENGINE_KEY_STATIC, kv__cursor_value(cursor), err);
        if (status == CORM_OK) status = kv__cursor_next(cursor, &found, err);
    }
    kv__cursor_close(cursor);
    return status;
}

static corm_status put_rows(builder *run, corm_error *err) {
    uint32_t node = 0;
    for (size_t at = 0; at < run->keys.len; node++) {
        uint32_t   len = base__load_u32(run->keys.data + at);
        corm_bytes data_key = { run->keys.data + at + 4, len };
        CORM_TRY(engine__vector_add(run->at, data_key, node, err));
        CORM_TRY(hnsw__set_label(run->graph, node, FIRST_SEQUENCE, data_key, err));
        at += 4 + (size_t)len;
    }
    return CORM_OK;
}

corm_status engine__vector_build(engine *store, const vector_place *at, corm_error *err) {
    builder run = { .at = at, .options = engine__vector_options(at->index) };
    CORM_TRY(engine__vector_new_graph(at->index, &run.graph, err));
    corm_status status = clear_storage(at, err);
    if (status == CORM_OK) status = scan_rows(&run, err);
    if (status == CORM_OK) status = hnsw__link_all(run.graph, base__processors(), err);
    if (status == CORM_OK) status = put_rows(&run, err);
    if (status == CORM_OK) status = engine__vector_adopt(store, at, hnsw__ref(run.graph), err);
    hnsw__unref(run.graph);
    base__arena_free(&run.arena);
    base__buf_free(&run.keys);
    return status;
}
