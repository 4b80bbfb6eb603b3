// SPDX-License-Identifier: MIT
/* verify_view.c -- whether views agree with their tables: each row of the base has the rows that it implies, to the byte; their
 * number tells whether there are others. Thread: the caller's. */
#include "base/fail.h"
#include "base/text.h"
#include "engine/view.h"

static corm_status corrupt(const cql_table *view, const char *what, corm_error *err) {
    return base__fail(err, CORM_CORRUPT, "%.*s.%.*s: %s", (int)view->keyspace.len,
                      view->keyspace.data, (int)view->name.len, view->name.data, what);
}

static corm_status compare(kv_txn *txn, const cql_table *view, const engine_view_row *made,
                           corm_error *err) {
    base_buf    bytes = { 0 };
    bool        empty, found;
    corm_bytes  stored;
    corm_status status = engine__row_encode(view, &made->row, &bytes, &empty, err);
    if (status == CORM_OK) status = kv__get(txn, KV_DATA, made->key, &stored, &found, err);
    if (status == CORM_OK && !found)
        status = corrupt(view, "the view lacks a row that its table implies", err);
    else if (status == CORM_OK && base__bytes_compare(stored, base__buf_bytes(&bytes)) != 0)
        status = corrupt(view, "a row of the view differs from what its table implies", err);
    base__buf_free(&bytes);
    return status;
}

corm_status engine__verify_views(const cql_schema *schema, kv_txn *txn, const cql_table *base,
                                 corm_bytes data_key, const engine_row *row, base_arena *arena,
                                 uint64_t *rows, corm_error *err) {
    const cql_keyspace *keyspace = cql__schema_keyspace(schema, base->keyspace);
    if (base->view_count == 0) return CORM_OK;
    for (const cql_table *view = NULL; (view = cql__next_view(keyspace, base, view));) {
        engine_view_row made;
        CORM_TRY(engine__view_row(base, view, data_key, row, arena, &made, err));
        if (!made.exists) continue;
        CORM_TRY(compare(txn, view, &made, err));
        (*rows)++;
    }
    return CORM_OK;
}
