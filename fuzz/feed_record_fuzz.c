// SPDX-License-Identifier: MIT
//
// feed_record_fuzz.c -- any bytes as a record of the change feed: what it is read as lies inside of the bytes, and is the same when
// it is written and read again. One thread.
#include <stdlib.h>
#include <string.h>

#include "engine/feed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) abort();                                                                 \
    } while (0)

static void put_str(corm_str text, base_buf *out) {
    engine__feed_put_bytes((corm_bytes){ (const uint8_t *)text.data, text.len }, out);
}

static void put_again(const engine_feed_change *change, base_buf *out) {
    engine__feed_put_head(change->kind, change->flags, change->time_us, change->timestamp,
                          change->serial, &change->table_id, out);
    if (change->kind >= ENGINE_FEED_TRUNCATE) {
        put_str(change->verb, out);
        put_str(change->target, out);
        put_str(change->keyspace, out);
        put_str(change->name, out);
        put_str(change->statement, out);
        return;
    }
    bool is_row = change->kind <= ENGINE_FEED_EXPIRE;
    engine__feed_put_bytes(change->key, out);
    engine__feed_put_bytes(is_row ? change->before : change->start, out);
    engine__feed_put_bytes(is_row ? change->after : change->end, out);
    if (is_row) return;
    engine__feed_put_edge(change->has_edges, &change->from, out);
    engine__feed_put_edge(change->has_edges, &change->to, out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    base_arena         arena = { 0 };
    base_buf           once = { 0 }, twice = { 0 };
    engine_feed_change change = { 0 }, same = { 0 };
    if (engine__feed_record((corm_bytes){ data, size }, &arena, &change, NULL) == CORM_OK) {
        put_again(&change, &once);
        MUST(!once.failed && once.len <= size + 2);
        MUST(engine__feed_record(base__buf_bytes(&once), &arena, &same, NULL) == CORM_OK);
        put_again(&same, &twice);
        MUST(once.len == twice.len && memcmp(once.data, twice.data, once.len) == 0);
    }
    base__buf_free(&once);
    base__buf_free(&twice);
    base__arena_free(&arena);
    return 0;
}
