// SPDX-License-Identifier: MIT
/* view_write.c -- views follow their tables in the same transaction: what a request changes, and what a new view begins with.
 * Thread: the commit leader's. */
#include "base/fail.h"
#include "base/text.h"
#include "engine/key.h"
#include "engine/view.h"

/* ---- what a request changes ---- */

/* The image of a view's row, which no statement of the request has touched. */
static write_image *add_image(engine_write *write, const cql_table *view, const engine_view_row *at,
                              const engine_view_row *before, const engine_row *after) {
    write_image *image = BASE_NEW(write->request->arena, write_image);
    if (!image) return NULL;
    image->table = view;
    image->key = at->key;
    image->existed = before->exists;
    image->before = before->row;
    image->row = *after;
    image->changed = true;
    *write->last_image = image;
    write->last_image = &image->next;
    return image;
}

static corm_status write_view(engine_write *write, const write_image *image, const cql_table *view,
                              corm_error *err) {
    static const engine_view_row none = { .row.deleted_at = ENGINE_NO_TIMESTAMP };
    base_arena                  *arena = write->request->arena;
    engine_view_row              before, after;
    CORM_TRY(engine__view_row(image->table, view, image->key, &image->before, arena, &before, err));
    CORM_TRY(engine__view_row(image->table, view, image->key, &image->row, arena, &after, err));
    bool same = before.exists && after.exists && base__bytes_compare(before.key, after.key) == 0;
    bool good = true;
    if (before.exists && !same) good = add_image(write, view, &before, &before, &none.row) != NULL;
    if (good && after.exists)
        good = add_image(write, view, &after, same ? &before : &none, &after.row) != NULL;
    return good ? CORM_OK : base__fail_memory(err);
}

static corm_status follow_image(engine_write *write, write_image *image, corm_error *err) {
    const cql_table    *base = image->table;
    const cql_keyspace *keyspace = cql__schema_keyspace(write->request->schema, base->keyspace);
    uint32_t            due;
    /* A row that is looked at again gets its last form before views are made of it. */
    if (image->reclaim)
        engine__image_purge(&image->row, (uint32_t)base->options.gc_grace_seconds,
                            write->request->now_s, &due);
    for (const cql_table *view = NULL; (view = cql__next_view(keyspace, base, view));)
        CORM_TRY(write_view(write, image, view, err));
    return CORM_OK;
}

corm_status engine__write_views(engine_write *write, corm_error *err) {
    for (write_image *image = write->first_image; image; image = image->next)
        if (image->changed && !image->is_static && image->table->view_count > 0)
            CORM_TRY(follow_image(write, image, err));
    return CORM_OK;
}

/* ---- a new view ---- */

static corm_status put_view_row(kv_txn *txn, const cql_table *view, const engine_view_row *made,
                                corm_error *err) {
    base_buf    bytes = { 0 };
    bool        empty;
    corm_status status = engine__row_encode(view, &made->row, &bytes, &empty, err);
    if (status == CORM_OK && !empty)
        status = kv__put(txn, KV_DATA, made->key, base__buf_bytes(&bytes), err);
    base__buf_free(&bytes);
    return status;
}

static corm_status build_row(kv_txn *txn, const cql_table *base, const cql_table *view,
                             corm_bytes data_key, corm_bytes bytes, base_arena *arena,
                             corm_error *err) {
    engine_row      row;
    engine_view_row made;
    CORM_TRY(engine__row_decode(base, false, bytes, arena, &row, err));
    CORM_TRY(engine__view_row(base, view, data_key, &row, arena, &made, err));
    return made.exists ? put_view_row(txn, view, &made, err) : CORM_OK;
}

/* A put ends a cursor's position, so each row's key is kept and the cursor sought again behind it. */
static corm_status build_from(kv_txn *txn, kv_cursor *cursor, const cql_table *base,
                              const cql_table *view, base_buf *at, base_arena *arena,
                              corm_error *err) {
    bool found;
    CORM_TRY(kv__cursor_seek(cursor, base__buf_bytes(at), KV_AT_OR_AFTER, &found, err));
    while (found) {
        engine_key key;
        base__buf_clear(at);
        base__buf_put(at, kv__cursor_key(cursor).data, kv__cursor_key(cursor).len);
        CORM_TRY(base__buf_status(at, err));
        if (!engine__key_split(base__buf_bytes(at), &key) || key.storage_id != base->storage_id)
            return CORM_OK;
        if (key.kind == ENGINE_KEY_ROW)
            CORM_TRY(build_row(txn, base, view, base__buf_bytes(at), kv__cursor_value(cursor),
                               arena, err));
        base__arena_reset(arena);
        CORM_TRY(kv__cursor_seek(cursor, base__buf_bytes(at), KV_AFTER, &found, err));
    }
    return CORM_OK;
}

corm_status engine__view_build(kv_txn *txn, const cql_table *base, const cql_table *view,
                               corm_error *err) {
    kv_cursor *cursor;
    base_buf   at = { 0 };
    base_arena arena = { 0 };
    base__buf_u32(&at, base->storage_id);
    corm_status status = base__buf_status(&at, err);
    if (status == CORM_OK) status = kv__cursor_open(txn, KV_DATA, &cursor, err);
    if (status == CORM_OK) {
        status = build_from(txn, cursor, base, view, &at, &arena, err);
        kv__cursor_close(cursor);
    }
    base__arena_free(&arena);
    base__buf_free(&at);
    return status;
}
