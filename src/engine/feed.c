// SPDX-License-Identifier: MIT
/* feed.c -- the feed's state: settings, the last commit number, what is kept; and the removal of what is over.
 *
 * The state is one value of KV_META, read when another process may have changed it and put once a transaction. Owned by the commit
 * leader: engine.feed is that of the transaction under way, engine.feed_stored that of the last commit. */
#include "engine/core.h"
#include "engine/write_internal.h"

enum {
    STATE_VERSION = 1,
    STATE_SIZE = 1 + 1 + 4 + 8 * 2 + 8 + 4 + 8 * 3,
    STATE_ALL = 1,
    STATE_WHOLE = 2
};

static const engine_feed_state new_state = {
    .settings = { .keep_s = ENGINE_FEED_KEEP_S, .keep_bytes = ENGINE_FEED_KEEP_BYTES },
};

/* Records that one commit removes beside twice as many as it wrote. */
static const uint64_t trim_budget = 16;

/* ---- the stored state ---- */

static corm_status put_state(kv_txn *txn, const engine_feed_state *state, corm_error *err) {
    base_buf bytes = { 0 };
    base__buf_u8(&bytes, STATE_VERSION);
    base__buf_u8(&bytes, (uint8_t)((state->settings.all ? STATE_ALL : 0) |
                                   (state->settings.whole ? STATE_WHOLE : 0)));
    base__buf_u32(&bytes, state->settings.keep_s);
    base__buf_u64(&bytes, state->settings.keep_bytes);
    base__buf_u64(&bytes, state->commit);
    base__buf_u64(&bytes, state->lost.commit);
    base__buf_u32(&bytes, state->lost.index);
    base__buf_u64(&bytes, state->count);
    base__buf_u64(&bytes, state->bytes);
    base__buf_i64(&bytes, state->first_us);
    corm_status status = base__buf_status(&bytes, err);
    if (status == CORM_OK)
        status = kv__put(txn, KV_META, engine__meta_key("feed"), base__buf_bytes(&bytes), err);
    base__buf_free(&bytes);
    return status;
}

corm_status engine__feed_state_in(kv_txn *txn, engine_feed_state *out, corm_error *err) {
    corm_bytes bytes;
    bool       found;
    *out = new_state;
    CORM_TRY(kv__get(txn, KV_META, engine__meta_key("feed"), &bytes, &found, err));
    if (!found) return CORM_OK;
    base_reader reader = { bytes.data, bytes.len, false };
    uint8_t     version = base__read_u8(&reader), flags = base__read_u8(&reader);
    if (bytes.len != STATE_SIZE || version != STATE_VERSION)
        return base__fail(err, CORM_CORRUPT, "the state of the feed is damaged");
    out->settings.all = flags & STATE_ALL;
    out->settings.whole = flags & STATE_WHOLE;
    out->settings.keep_s = base__read_u32(&reader);
    out->settings.keep_bytes = base__read_u64(&reader);
    out->commit = base__read_u64(&reader);
    out->lost.commit = base__read_u64(&reader);
    out->lost.index = base__read_u32(&reader);
    out->count = base__read_u64(&reader);
    out->bytes = base__read_u64(&reader);
    out->first_us = base__read_i64(&reader);
    return CORM_OK;
}

static bool same_state(const engine_feed_state *a, const engine_feed_state *b) {
    return a->settings.all == b->settings.all && a->settings.whole == b->settings.whole &&
           a->settings.keep_s == b->settings.keep_s &&
           a->settings.keep_bytes == b->settings.keep_bytes && a->commit == b->commit &&
           engine__feed_compare(a->lost, b->lost) == 0 && a->count == b->count &&
           a->bytes == b->bytes && a->first_us == b->first_us;
}

/* What a transaction that was given up had changed is forgotten. */
corm_status engine__feed_begin(engine *store, kv_txn *txn, corm_error *err) {
    if (kv__txn_id(txn) != store->clock_txn)
        CORM_TRY(engine__feed_state_in(txn, &store->feed_stored, err));
    store->feed = store->feed_stored;
    return CORM_OK;
}

corm_status engine__feed_end(engine *store, kv_txn *txn, corm_error *err) {
    uint64_t trimmed, added = store->feed.commit - store->feed_stored.commit;
    CORM_TRY(engine__feed_trim(store, txn, atomic_load(&store->clock), trim_budget + 2 * added,
                               &trimmed, err));
    if (same_state(&store->feed, &store->feed_stored)) return CORM_OK;
    return put_state(txn, &store->feed, err);
}

corm_status engine__feed_state_of(engine *store, engine_feed_state *out, corm_error *err) {
    kv_txn *txn;
    CORM_TRY(kv__read_begin(store->kv, &txn, err));
    corm_status status = engine__feed_state_in(txn, out, err);
    kv__read_end(txn);
    return status;
}

/* ---- settings ---- */

typedef struct configure_job {
    engine_job           job; /* first */
    engine_feed_settings settings;
} configure_job;

/* Put at once: a round without puts is given up. */
static corm_status run_configure(engine_job *job, engine_round *round, corm_error *err) {
    engine_feed_state *state = &round->store->feed;
    state->settings = ((configure_job *)job)->settings;
    return put_state(round->txn, state, err);
}

corm_status engine__feed_configure(engine *store, const engine_feed_settings *settings,
                                   corm_error *err) {
    configure_job job = { .job.run = run_configure, .settings = *settings };
    CORM_TRY(kv__check_process(store->kv, err));
    if (store->read_only) return base__fail(err, CORM_INVALID, "the store is open to read only");
    return engine__write(store, &job.job, err);
}

bool engine__is_fed(const engine *store, const cql_table *table) {
    return table->options.cdc || (store->feed.settings.all && !table->is_system);
}

void engine__feed_done(engine_write *write) {
    engine_feed_state *state = &write->request->store->feed;
    if (write->feed_count == 0) return;
    if (state->count == 0) state->first_us = write->request->now_us;
    state->commit++;
    state->count += write->feed_count;
    state->bytes += write->feed_bytes;
}

/* ---- keys ---- */

void engine__feed_key(engine_feed_position position, uint8_t key[FEED_RECORD_KEY]) {
    key[0] = FEED_KEY_RECORD;
    base__store_u64(key + 1, position.commit);
    base__store_u32(key + 9, position.index);
}

bool engine__feed_key_read(corm_bytes key, engine_feed_position *out) {
    if (key.len != FEED_RECORD_KEY || key.data[0] != FEED_KEY_RECORD) return false;
    *out = (engine_feed_position){ base__load_u64(key.data + 1), base__load_u32(key.data + 9) };
    return true;
}

/* ---- what is over ---- */

/* The first key of the tree that begins with `head`; value borrowed. */
static corm_status first_entry(kv_txn *txn, uint8_t head, uint8_t *key, size_t *key_len,
                               corm_bytes *value, bool *found, corm_error *err) {
    kv_cursor *cursor;
    CORM_TRY(kv__cursor_open(txn, KV_FEED, &cursor, err));
    corm_status status =
        kv__cursor_seek(cursor, (corm_bytes){ &head, 1 }, KV_AT_OR_AFTER, found, err);
    if (status == CORM_OK && *found) {
        corm_bytes at = kv__cursor_key(cursor);
        *found = at.data[0] == head && at.len <= FEED_RECORD_KEY;
        if (*found) memcpy(key, at.data, *key_len = at.len);
        *value = kv__cursor_value(cursor);
    }
    kv__cursor_close(cursor);
    return status;
}

/* The oldest record; *found false when there is none. */
static corm_status oldest(kv_txn *txn, uint8_t key[FEED_RECORD_KEY], engine_feed_change *out,
                          size_t *size, bool *found, corm_error *err) {
    corm_bytes value;
    size_t     len = 0;
    base_arena none = { 0 };
    CORM_TRY(first_entry(txn, FEED_KEY_RECORD, key, &len, &value, found, err));
    if (!*found) return CORM_OK;
    if (!engine__feed_key_read((corm_bytes){ key, len }, &out->position))
        return base__fail(err, CORM_CORRUPT, "the feed has a damaged key");
    *size = len + value.len;
    corm_status status = engine__feed_record(value, &none, out, err);
    base__arena_free(&none);
    return status;
}

/* Schemas that only removed records needed. */
static corm_status trim_schemas(kv_txn *txn, uint64_t needed, corm_error *err) {
    for (;;) {
        uint8_t    key[FEED_RECORD_KEY];
        size_t     len = 0;
        corm_bytes value;
        bool       found;
        CORM_TRY(first_entry(txn, FEED_KEY_SCHEMA, key, &len, &value, &found, err));
        if (!found || (len == FEED_SCHEMA_KEY && base__load_u64(key + 1) >= needed)) return CORM_OK;
        CORM_TRY(kv__delete(txn, KV_FEED, (corm_bytes){ key, len }, &found, err));
    }
}

static bool is_old(const engine_feed_state *state, int64_t time_us, int64_t now_us) {
    return state->bytes > state->settings.keep_bytes ||
           time_us + (int64_t)state->settings.keep_s * 1000000 <= now_us;
}

/* *removed: it was over and is gone. */
static corm_status remove_oldest(engine_feed_state *state, kv_txn *txn, int64_t now_us,
                                 uint64_t *serial, bool *removed, corm_error *err) {
    engine_feed_change record;
    uint8_t            key[FEED_RECORD_KEY];
    size_t             size = 0;
    bool               found;
    CORM_TRY(oldest(txn, key, &record, &size, &found, err));
    if (!found) return base__fail(err, CORM_CORRUPT, "the feed has lost records");
    state->first_us = record.time_us;
    *serial = record.serial;
    *removed = is_old(state, record.time_us, now_us);
    if (!*removed) return CORM_OK;
    CORM_TRY(kv__delete(txn, KV_FEED, (corm_bytes){ key, sizeof key }, &found, err));
    state->lost = record.position;
    state->count--;
    state->bytes -= size;
    return CORM_OK;
}

corm_status engine__feed_trim(engine *store, kv_txn *txn, int64_t now_us, uint64_t budget,
                              uint64_t *trimmed, corm_error *err) {
    engine_feed_state *state = &store->feed;
    uint64_t           serial = 0;
    bool               removed = true;
    *trimmed = 0;
    if (state->count == 0 || !is_old(state, state->first_us, now_us)) return CORM_OK;
    while (removed && *trimmed < budget && state->count > 0) {
        CORM_TRY(remove_oldest(state, txn, now_us, &serial, &removed, err));
        *trimmed += removed;
    }
    return trim_schemas(txn, state->count ? serial : UINT64_MAX, err);
}
