// SPDX-License-Identifier: MIT
/* verify_feed.c -- whether the feed holds what its state says, and every record can be read. Thread: the caller's. */
#include "base/fail.h"
#include "engine/core.h"

typedef struct feed_check {
    engine_snapshot     *snapshot;
    engine_feed_reader   reader; /* for its schemas */
    base_arena           arena;
    uint64_t             count, bytes;
    engine_feed_position first, last;
} feed_check;

static corm_status corrupt(const char *what, corm_error *err) {
    return base__fail(err, CORM_CORRUPT, "the feed: %s", what);
}

static corm_status check_image(const engine_feed_change *change, corm_bytes image,
                               base_arena *arena, corm_error *err) {
    engine_row row;
    if (image.len == 0) return CORM_OK;
    return engine__row_decode(change->table, change->flags & FEED_STATIC, image, arena, &row, err);
}

static corm_status check_change(feed_check *run, engine_feed_change *change, corm_error *err) {
    run->count++;
    if (change->kind > ENGINE_FEED_EXPIRE) return CORM_OK;
    if (!change->table) return corrupt("a record is of a table that no kept schema has", err);
    if (change->before.len == 0 && change->after.len == 0)
        return corrupt("a record says nothing", err);
    CORM_TRY(check_image(change, change->before, &run->arena, err));
    return check_image(change, change->after, &run->arena, err);
}

static corm_status check_records(feed_check *run, corm_error *err) {
    for (;;) {
        engine_feed_change items[64];
        uint32_t           count;
        CORM_TRY(
            engine__feed_read_in(&run->reader, run->snapshot, &run->arena, items, 64, &count, err));
        corm_status status = CORM_OK;
        for (uint32_t i = 0; status == CORM_OK && i < count; i++)
            status = check_change(run, &items[i], err);
        engine__feed_release(items, count);
        base__arena_reset(&run->arena);
        if (status != CORM_OK || count == 0) return status;
    }
}

static corm_status count_entries(feed_check *run, kv_cursor *cursor, corm_error *err) {
    bool found;
    CORM_TRY(kv__cursor_seek(cursor, (corm_bytes){ 0 }, KV_AT_OR_AFTER, &found, err));
    while (found) {
        corm_bytes           key = kv__cursor_key(cursor);
        engine_feed_position at;
        if (engine__feed_key_read(key, &at)) {
            if (run->bytes == 0) run->first = at;
            run->bytes += key.len + kv__cursor_value(cursor).len;
            run->last = at;
        } else if (key.len != FEED_SCHEMA_KEY || key.data[0] != FEED_KEY_SCHEMA) {
            return corrupt("a key is damaged", err);
        }
        CORM_TRY(kv__cursor_next(cursor, &found, err));
    }
    return CORM_OK;
}

static corm_status check_feed(feed_check *run, corm_error *err) {
    engine_feed_state state;
    kv_cursor        *cursor;
    CORM_TRY(engine__feed_state_in(run->snapshot->txn, &state, err));
    CORM_TRY(kv__cursor_open(run->snapshot->txn, KV_FEED, &cursor, err));
    corm_status status = count_entries(run, cursor, err);
    kv__cursor_close(cursor);
    if (status != CORM_OK) return status;
    if (run->bytes != state.bytes) return corrupt("it has other records than it counted", err);
    if (run->bytes &&
        (engine__feed_compare(run->first, state.lost) <= 0 || run->last.commit > state.commit))
        return corrupt("a record stands where none can be", err);
    run->reader.after = state.lost;
    CORM_TRY(check_records(run, err));
    return run->count == state.count ? CORM_OK
                                     : corrupt("it has other records than it counted", err);
}

corm_status engine__verify_feed(engine_snapshot *snapshot, corm_error *err) {
    feed_check  run = { .snapshot = snapshot, .reader = { .store = snapshot->store } };
    corm_status status = check_feed(&run, err);
    engine__feed_close(&run.reader);
    base__arena_free(&run.arena);
    return status;
}
