// SPDX-License-Identifier: MIT
/* feed_read.c -- reading the feed: each read is a snapshot of its own, so that nothing is held while a reader thinks or waits.
 * Owns nothing but the reader's cached schema. Thread: the reader's. */
#include "base/fail.h"
#include "engine/core.h"

/* ---- where to begin ---- */

/* The first record at or behind a position; *found false when there is none. Bytes borrowed. */
static corm_status seek(kv_cursor *cursor, engine_feed_position at, kv_seek how,
                        engine_feed_position *position, bool *found, corm_error *err) {
    uint8_t key[FEED_RECORD_KEY];
    engine__feed_key(at, key);
    CORM_TRY(kv__cursor_seek(cursor, (corm_bytes){ key, sizeof key }, how, found, err));
    *found = *found && engine__feed_key_read(kv__cursor_key(cursor), position);
    return CORM_OK;
}

static corm_status time_of(kv_cursor *cursor, int64_t *out, corm_error *err) {
    base_arena         arena = { 0 };
    engine_feed_change record = { 0 };
    corm_status        status = engine__feed_record(kv__cursor_value(cursor), &arena, &record, err);
    *out = record.time_us;
    base__arena_free(&arena);
    return status;
}

/* The place before the first record written at `time_us` or later: times never go back, so halves of the commit numbers do. */
static corm_status find_time(kv_txn *txn, const engine_feed_state *state, int64_t time_us,
                             engine_feed_position *out, corm_error *err) {
    uint64_t    low = state->lost.commit, high = state->commit + 1;
    kv_cursor  *cursor;
    corm_status status = kv__cursor_open(txn, KV_FEED, &cursor, err);
    if (status != CORM_OK) return status;
    while (status == CORM_OK && low < high) {
        uint64_t             middle = low + (high - low) / 2;
        engine_feed_position at;
        int64_t              time = 0;
        bool                 found;
        status =
            seek(cursor, (engine_feed_position){ middle, 0 }, KV_AT_OR_AFTER, &at, &found, err);
        if (status == CORM_OK && found) status = time_of(cursor, &time, err);
        if (found && time < time_us)
            low = at.commit + 1;
        else
            high = middle;
    }
    kv__cursor_close(cursor);
    *out = (engine_feed_position){ low, 0 };
    if (low > 0) *out = (engine_feed_position){ low - 1, UINT32_MAX };
    if (engine__feed_compare(*out, state->lost) < 0) *out = state->lost;
    return status;
}

static corm_status check_position(const engine_feed_state *state, engine_feed_position position,
                                  corm_error *err) {
    if (position.commit <= state->commit) return CORM_OK;
    return base__fail(
        err, CORM_INVALID_ARGUMENT,
        "the position is of commit %llu, and this store has come to %llu: it is another store, "
        "or an older copy of it",
        (unsigned long long)position.commit, (unsigned long long)state->commit);
}

static corm_status begin_at(engine_feed_reader *reader, kv_txn *txn, engine_feed_start start,
                            const engine_feed_state *state, int64_t time_us,
                            engine_feed_position position, corm_error *err) {
    reader->after = state->lost;
    switch (start) {
    case ENGINE_FEED_NOW:
        reader->after = (engine_feed_position){ state->commit, UINT32_MAX };
        return CORM_OK;
    case ENGINE_FEED_AT: return find_time(txn, state, time_us, &reader->after, err);
    case ENGINE_FEED_BEHIND: reader->after = position; return check_position(state, position, err);
    default: return CORM_OK;
    }
}

corm_status engine__feed_open(engine *store, engine_feed_start start, int64_t time_us,
                              engine_feed_position position, engine_feed_reader *out,
                              corm_error *err) {
    engine_feed_state state;
    kv_txn           *txn;
    *out = (engine_feed_reader){ .store = store };
    CORM_TRY(kv__read_begin(store->kv, &txn, err));
    corm_status status = engine__feed_state_in(txn, &state, err);
    if (status == CORM_OK) status = begin_at(out, txn, start, &state, time_us, position, err);
    kv__read_end(txn);
    return status;
}

void engine__feed_close(engine_feed_reader *reader) {
    cql__schema_unref(reader->schema);
    reader->schema = NULL;
}

/* ---- schemas ---- */

/* The first kept schema whose serial is not lower; *found false: there is none, the current one it is. */
static corm_status kept_schema(engine_feed_reader *reader, kv_txn *txn, uint64_t serial,
                               cql_schema **out, uint64_t *until, bool *found, corm_error *err) {
    uint8_t    key[FEED_SCHEMA_KEY] = { FEED_KEY_SCHEMA };
    kv_cursor *cursor;
    base__store_u64(key + 1, serial);
    CORM_TRY(kv__cursor_open(txn, KV_FEED, &cursor, err));
    corm_status status =
        kv__cursor_seek(cursor, (corm_bytes){ key, sizeof key }, KV_AT_OR_AFTER, found, err);
    if (status == CORM_OK && *found) {
        corm_bytes at = kv__cursor_key(cursor);
        *until = at.len == sizeof key ? base__load_u64(at.data + 1) : serial;
        status = cql__schema_read(kv__cursor_value(cursor), reader->store->system, out, err);
    }
    kv__cursor_close(cursor);
    return status;
}

/* Makes reader->schema the one for records with the serial. */
static corm_status use_schema(engine_feed_reader *reader, engine_snapshot *snapshot,
                              uint64_t serial, corm_error *err) {
    cql_schema *schema = NULL;
    uint64_t    until = snapshot->schema->serial;
    bool        found;
    if (reader->schema && reader->schema_from <= serial && serial <= reader->schema_to)
        return CORM_OK;
    CORM_TRY(kept_schema(reader, snapshot->txn, serial, &schema, &until, &found, err));
    if (!found) schema = cql__schema_ref(snapshot->schema);
    cql__schema_unref(reader->schema);
    reader->schema = schema;
    reader->schema_from = serial;
    reader->schema_to = until;
    return CORM_OK;
}

static const cql_table *table_of(const cql_schema *schema, const corm_uuid *id) {
    for (uint32_t i = 0; i < schema->keyspace_count; i++)
        for (uint32_t j = 0; j < schema->keyspaces[i]->table_count; j++) {
            const cql_table *table = schema->keyspaces[i]->tables[j];
            if (memcmp(table->id.bytes, id->bytes, sizeof id->bytes) == 0) return table;
        }
    return NULL;
}

/* ---- reading ---- */

static corm_status read_record(engine_feed_reader *reader, engine_snapshot *snapshot,
                               corm_bytes value, base_arena *arena, engine_feed_change *out,
                               corm_error *err) {
    uint8_t *kept = base__arena_copy(arena, value.data, value.len);
    if (!kept) return base__fail_memory(err);
    CORM_TRY(engine__feed_record((corm_bytes){ kept, value.len }, arena, out, err));
    CORM_TRY(use_schema(reader, snapshot, out->serial, err));
    out->schema = cql__schema_ref(reader->schema);
    out->table = table_of(out->schema, &out->table_id);
    return CORM_OK;
}

static corm_status read_from(engine_feed_reader *reader, engine_snapshot *snapshot,
                             kv_cursor *cursor, base_arena *arena, engine_feed_change *items,
                             uint32_t max, uint32_t *count, corm_error *err) {
    bool found;
    CORM_TRY(seek(cursor, reader->after, KV_AFTER, &items[0].position, &found, err));
    while (found) {
        CORM_TRY(
            read_record(reader, snapshot, kv__cursor_value(cursor), arena, &items[*count], err));
        reader->after = items[*count].position;
        if (++*count == max) return CORM_OK;
        CORM_TRY(kv__cursor_next(cursor, &found, err));
        found = found && engine__feed_key_read(kv__cursor_key(cursor), &items[*count].position);
    }
    return CORM_OK;
}

static corm_status check_kept(const engine_feed_reader *reader, kv_txn *txn, corm_error *err) {
    engine_feed_state state;
    CORM_TRY(engine__feed_state_in(txn, &state, err));
    if (engine__feed_compare(reader->after, state.lost) >= 0) return CORM_OK;
    return base__fail(
        err, CORM_FEED_LOST,
        "changes behind commit %llu are no longer kept: the feed holds %llu, from behind commit "
        "%llu, change %u, on",
        (unsigned long long)reader->after.commit, (unsigned long long)state.count,
        (unsigned long long)state.lost.commit, state.lost.index);
}

static corm_status read_all(engine_feed_reader *reader, engine_snapshot *snapshot,
                            base_arena *arena, engine_feed_change *items, uint32_t max,
                            uint32_t *count, corm_error *err) {
    kv_cursor *cursor;
    reader->seen = kv__txn_id(snapshot->txn);
    CORM_TRY(check_kept(reader, snapshot->txn, err));
    CORM_TRY(kv__cursor_open(snapshot->txn, KV_FEED, &cursor, err));
    corm_status status = read_from(reader, snapshot, cursor, arena, items, max, count, err);
    kv__cursor_close(cursor);
    return status;
}

/* What fails leaves the reader where it was. */
corm_status engine__feed_read_in(engine_feed_reader *reader, engine_snapshot *snapshot,
                                 base_arena *arena, engine_feed_change *items, uint32_t max,
                                 uint32_t *count, corm_error *err) {
    engine_feed_position began = reader->after;
    *count = 0;
    if (max == 0) return CORM_OK;
    corm_status status = read_all(reader, snapshot, arena, items, max, count, err);
    if (status == CORM_OK) return CORM_OK;
    engine__feed_release(items, *count);
    *count = 0;
    reader->after = began;
    return status;
}

corm_status engine__feed_read(engine_feed_reader *reader, base_arena *arena,
                              engine_feed_change *items, uint32_t max, uint32_t *count,
                              corm_error *err) {
    engine_snapshot snapshot;
    *count = 0;
    reader->wakes = kv__wakes(reader->store->kv);
    CORM_TRY(engine__read_begin(reader->store, &snapshot, err));
    corm_status status = engine__feed_read_in(reader, &snapshot, arena, items, max, count, err);
    engine__read_end(&snapshot);
    return status;
}

void engine__feed_release(engine_feed_change *items, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) cql__schema_unref(items[i].schema);
}

corm_status engine__feed_wait(engine_feed_reader *reader, int64_t timeout_ns, bool *something,
                              corm_error *err) {
    uint64_t number = reader->seen;
    CORM_TRY(kv__wait(reader->store->kv, reader->seen, reader->wakes, timeout_ns, &number, err));
    *something = number > reader->seen;
    return CORM_OK;
}

void engine__feed_wake(engine *store) {
    kv__wake(store->kv);
}

corm_uuid engine__id(const engine *store) {
    return store->id;
}
