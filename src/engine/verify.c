// SPDX-License-Identifier: MIT
/* verify.c -- whether what is stored agrees with itself: pages, keys, rows, index entries, the reclaim queue.
 *
 * Over one snapshot, in one walk: each row must be readable, stand under the key that its values make, and have its index entries;
 * each entry must lead to a row, and there must not be more of them than rows ask for. Thread: the caller's. */
#include "cql/token.h"
#include "engine/core.h"
#include "engine/key.h"
#include "engine/view.h"
#include "engine/write_internal.h"

typedef struct verifier {
    engine_snapshot snapshot;
    base_arena      arena; /* of the row under way */
    const cql_table
        *table; /* the last one looked up, and its index: NULL when it is the table itself */
    const cql_index *index;
    uint32_t         storage_id;
    uint32_t        *dropped; /* storage that waits to be deleted */
    uint32_t         dropped_count;
    uint64_t         expected, entries;  /* of indexes: asked for by rows, met */
    uint64_t         implied, followers; /* rows of views: implied by rows of tables, met */
    vector_counts    vectors;
    engine_key       key;
    base_buf         scratch;
} verifier;

static corm_status corrupt(const verifier *run, const char *what, corm_error *err) {
    const cql_table *table = run->table;
    return base__fail(err, CORM_CORRUPT, "%.*s.%.*s: %s", (int)table->keyspace.len,
                      table->keyspace.data, (int)table->name.len, table->name.data, what);
}

static bool same(corm_bytes a, corm_bytes b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* ---- whose key it is ---- */

static bool look_in_table(verifier *run, const cql_table *table, uint32_t storage_id) {
    run->table = table;
    run->index = NULL;
    if (table->storage_id == storage_id) return true;
    for (uint32_t i = 0; i < table->index_count; i++) {
        run->index = &table->indexes[i];
        if (run->index->storage_id == storage_id) return true;
    }
    return false;
}

static bool find_storage(verifier *run, uint32_t storage_id) {
    const cql_schema *schema = run->snapshot.schema;
    if (run->table && run->storage_id == storage_id) return true;
    run->storage_id = storage_id;
    for (uint32_t i = 0; i < schema->keyspace_count; i++) {
        const cql_keyspace *keyspace = schema->keyspaces[i];
        for (uint32_t j = 0; !keyspace->is_virtual && j < keyspace->table_count; j++) {
            const cql_table *table = keyspace->tables[j];
            if (!table->is_virtual && look_in_table(run, table, storage_id)) return true;
        }
    }
    run->table = NULL;
    return false;
}

static bool is_dropped(const verifier *run, uint32_t storage_id) {
    for (uint32_t i = 0; i < run->dropped_count; i++) {
        if (run->dropped[i] == storage_id) return true;
    }
    return false;
}

/* ---- rows ---- */

static corm_status check_cells(verifier *run, const engine_row *row, corm_error *err) {
    for (uint32_t i = 0; i < row->column_count; i++) {
        const engine_column_image *image = &row->columns[i];
        for (uint32_t j = 0; j < run->table->column_count && !image->is_complex; j++) {
            const cql_column *column = &run->table->columns[j];
            if (column->id != image->id || column->type->id == CQL_COUNTER ||
                image->cell_count == 0)
                continue;
            if (image->cells[0].tombstone) continue;
            cql_value value = cql__value_of(image->cells[0].value);
            if (cql__validate(column->type, value, NULL) != CORM_OK) {
                return corrupt(run, "a row holds a value that is none of its type", err);
            }
        }
    }
    return CORM_OK;
}

static corm_status check_clustering(verifier *run, const engine_row *row, corm_error *err) {
    base__buf_clear(&run->scratch);
    engine__key_clustering(run->table, row->clustering, row->clustering_count, &run->scratch);
    CORM_TRY(base__buf_status(&run->scratch, err));
    if (row->clustering_count == run->table->clustering_count &&
        same(base__buf_bytes(&run->scratch), run->key.clustering)) {
        return CORM_OK;
    }
    return corrupt(run, "a row stands under the key of another", err);
}

static corm_status check_entries(verifier *run, corm_bytes data_key, bool is_static,
                                 const engine_row *row, corm_error *err) {
    engine_row nothing = { .deleted_at = ENGINE_NO_TIMESTAMP };
    write_ops  ops = { .arena = &run->arena };
    ops.last = &ops.first;
    row_change appears = { run->table, data_key, is_static, &nothing, row, 0 };
    CORM_TRY(engine__index_changes(&appears, &ops, err));
    for (const write_op *op = ops.first; op; op = op->next) {
        corm_bytes value;
        bool       found;
        CORM_TRY(kv__get(run->snapshot.txn, KV_DATA, op->key, &value, &found, err));
        if (!found) return corrupt(run, "a row lacks an entry in an index", err);
        if (!same(value, op->value)) return corrupt(run, "an index has a damaged entry", err);
        run->expected++;
    }
    return engine__verify_vector_row(run->snapshot.txn, &appears, &run->arena,
                                     &run->vectors.expected, err);
}

static corm_status check_vectors(verifier *run, corm_bytes key, corm_bytes value, corm_error *err) {
    vector_place at = { run->snapshot.txn, run->table, run->index };
    return engine__verify_vector_record(&at, key, value, &run->vectors, err);
}

static corm_status check_row(verifier *run, corm_bytes data_key, corm_bytes bytes,
                             corm_error *err) {
    bool       is_static = run->key.kind == ENGINE_KEY_STATIC;
    engine_row row;
    CORM_TRY(engine__row_decode(run->table, is_static, bytes, &run->arena, &row, err));
    if (!is_static) CORM_TRY(check_clustering(run, &row, err));
    CORM_TRY(check_cells(run, &row, err));
    if (run->table->view) run->followers++;
    if (!is_static)
        CORM_TRY(engine__verify_views(run->snapshot.schema, run->snapshot.txn, run->table, data_key,
                                      &row, &run->arena, &run->implied, err));
    return check_entries(run, data_key, is_static, &row, err);
}

static corm_status check_data(verifier *run, corm_bytes key, corm_bytes value, corm_error *err) {
    engine_deletions deletions;
    if (!engine__key_split(key, &run->key)) return corrupt(run, "a key is damaged", err);
    if (run->key.token != cql__token(run->key.partition_key)) {
        return corrupt(run, "a partition stands under the token of another", err);
    }
    switch (run->key.kind) {
    case ENGINE_KEY_PARTITION: return engine__deletions_decode(value, &run->arena, &deletions, err);
    case ENGINE_KEY_STATIC:
    case ENGINE_KEY_ROW: return check_row(run, key, value, err);
    default: return corrupt(run, "a key is damaged", err);
    }
}

static corm_status check_entry(verifier *run, corm_bytes key, corm_bytes value, corm_error *err) {
    corm_bytes row;
    bool       found;
    base__buf_clear(&run->scratch);
    if (!engine__index_data_key(run->table, key, value, &run->scratch)) {
        return corrupt(run, "an index has a damaged entry", err);
    }
    CORM_TRY(base__buf_status(&run->scratch, err));
    CORM_TRY(
        kv__get(run->snapshot.txn, KV_DATA, base__buf_bytes(&run->scratch), &row, &found, err));
    if (!found) return corrupt(run, "an index has an entry without a row", err);
    run->entries++;
    return CORM_OK;
}

static corm_status check_stored(verifier *run, corm_bytes key, corm_bytes value, corm_error *err) {
    if (key.len < 4) return base__fail(err, CORM_CORRUPT, "a stored key is too short to be one");
    uint32_t storage_id = base__load_u32(key.data);
    if (is_dropped(run, storage_id)) return CORM_OK;
    if (!find_storage(run, storage_id)) {
        return base__fail(err, CORM_CORRUPT,
                          "something is stored under %u that belongs to no table", storage_id);
    }
    base__arena_reset(&run->arena);
    if (run->index && cql__index_is_vector(run->index)) return check_vectors(run, key, value, err);
    return (run->index ? check_entry : check_data)(run, key, value, err);
}

/* ---- walks ---- */

typedef corm_status (*visit)(verifier *run, corm_bytes key, corm_bytes value, corm_error *err);

static corm_status walk(verifier *run, kv_tree tree, visit each, corm_error *err) {
    kv_cursor *cursor;
    bool       found;
    CORM_TRY(kv__cursor_open(run->snapshot.txn, tree, &cursor, err));
    corm_status status = kv__cursor_seek(cursor, (corm_bytes){ 0 }, KV_AT_OR_AFTER, &found, err);
    while (status == CORM_OK && found) {
        status = each(run, kv__cursor_key(cursor), kv__cursor_value(cursor), err);
        if (status == CORM_OK) status = kv__cursor_next(cursor, &found, err);
    }
    kv__cursor_close(cursor);
    return status;
}

static corm_status note_dropped(verifier *run, corm_bytes key, corm_bytes value, corm_error *err) {
    base_arena *arena = kv__txn_arena(run->snapshot.txn);
    uint32_t    storage_id;
    bool        is_storage;
    CORM_TRY(engine__queue_entry(key, value, &is_storage, &storage_id, err));
    if (!is_storage) return CORM_OK;
    uint32_t *longer = BASE_NEW_ARRAY(arena, uint32_t, run->dropped_count + 1);
    if (!longer) return base__fail_memory(err);
    if (run->dropped_count > 0) memcpy(longer, run->dropped, run->dropped_count * sizeof *longer);
    longer[run->dropped_count++] = storage_id;
    run->dropped = longer;
    return CORM_OK;
}

static corm_status verify(verifier *run, corm_error *err) {
    CORM_TRY(walk(run, KV_QUEUE, note_dropped, err));
    CORM_TRY(walk(run, KV_DATA, check_stored, err));
    CORM_TRY(engine__verify_vector_counts(&run->vectors, err));
    if (run->implied != run->followers)
        return base__fail(err, CORM_CORRUPT, "views hold %llu rows where tables imply %llu",
                          (unsigned long long)run->followers, (unsigned long long)run->implied);
    if (run->expected == run->entries) return engine__verify_feed(&run->snapshot, err);
    return base__fail(err, CORM_CORRUPT, "indexes hold %llu entries where rows ask for %llu",
                      (unsigned long long)run->entries, (unsigned long long)run->expected);
}

corm_status engine__verify(engine *store, corm_error *err) {
    verifier run = { 0 };
    CORM_TRY(kv__check(store->kv, err));
    CORM_TRY(engine__read_begin(store, &run.snapshot, err));
    corm_status status = verify(&run, err);
    engine__read_end(&run.snapshot);
    base__arena_free(&run.arena);
    base__buf_free(&run.scratch);
    return status;
}
