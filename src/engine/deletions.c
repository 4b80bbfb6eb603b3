// SPDX-License-Identifier: MIT
/* deletions.c -- partition and range deletions of one partition. See deletions.h.
 *
 * Bytes: version u8 | partition timestamp i64, local time u32 | count uvarint | for each range: start length, start, end
 * length, end, timestamp i64, local time u32. Thread: the writer's. */
#include "engine/deletions.h"

#include "base/fail.h"
#include "base/text.h"

enum { DELETIONS_VERSION = 1 };

static corm_bytes read_bound(base_reader *reader) {
    return base__read_bytes(reader, (size_t)base__read_uvarint(reader));
}

corm_status engine__deletions_decode(corm_bytes bytes, base_arena *arena, engine_deletions *out,
                                     corm_error *err) {
    base_reader reader = { bytes.data, bytes.len, false };
    uint8_t     version = base__read_u8(&reader);
    out->partition_at = base__read_i64(&reader);
    out->partition_local = base__read_u32(&reader);
    uint64_t count = base__read_uvarint(&reader);
    if (reader.failed || version != DELETIONS_VERSION || count > reader.len)
        return base__fail(err, CORM_CORRUPT, "the deletions of a partition are damaged");

    out->count = (uint32_t)count;
    out->ranges = BASE_NEW_ARRAY(arena, engine_range, count);
    if (!out->ranges) return base__fail_memory(err);
    for (uint32_t i = 0; i < out->count; i++) {
        engine_range *range = &out->ranges[i];
        range->start = read_bound(&reader);
        range->end = read_bound(&reader);
        range->timestamp = base__read_i64(&reader);
        range->local_time = base__read_u32(&reader);
    }
    if (reader.failed || reader.len)
        return base__fail(err, CORM_CORRUPT, "the deletions of a partition are damaged");
    return CORM_OK;
}

void engine__deletions_encode(const engine_deletions *deletions, base_buf *out) {
    base__buf_u8(out, DELETIONS_VERSION);
    base__buf_i64(out, deletions->partition_at);
    base__buf_u32(out, deletions->partition_local);
    base__buf_uvarint(out, deletions->count);
    for (uint32_t i = 0; i < deletions->count; i++) {
        const engine_range *range = &deletions->ranges[i];
        base__buf_uvarint(out, range->start.len);
        base__buf_put(out, range->start.data, range->start.len);
        base__buf_uvarint(out, range->end.len);
        base__buf_put(out, range->end.data, range->end.len);
        base__buf_i64(out, range->timestamp);
        base__buf_u32(out, range->local_time);
    }
}

/* Appends [start, end) with the times of `from`, joined to the last one when it goes on seamlessly. */
static void append(engine_deletions *to, corm_bytes start, corm_bytes end,
                   const engine_range *from) {
    if (base__bytes_compare(start, end) >= 0) return;
    engine_range *last = to->count ? &to->ranges[to->count - 1] : NULL;
    if (last && base__bytes_compare(last->end, start) == 0 && last->timestamp == from->timestamp &&
        last->local_time == from->local_time) {
        last->end = end;
        return;
    }
    to->ranges[to->count++] = (engine_range){ start, end, from->timestamp, from->local_time };
}

static corm_bytes lesser(corm_bytes a, corm_bytes b) {
    return base__bytes_compare(a, b) <= 0 ? a : b;
}

static corm_bytes greater(corm_bytes a, corm_bytes b) {
    return base__bytes_compare(a, b) >= 0 ? a : b;
}

/* Walks the old ranges from left to right; `at` is how far the new range has been placed. Gaps between old ranges get the new
 * one; where both are, the higher timestamp stays. */
corm_status engine__deletions_add(engine_deletions *deletions, const engine_range *range,
                                  base_arena *arena, corm_error *err) {
    engine_deletions merged = *deletions;
    merged.count = 0;
    merged.ranges = BASE_NEW_ARRAY(arena, engine_range, 3 * (size_t)deletions->count + 2);
    if (!merged.ranges) return base__fail_memory(err);

    corm_bytes at = range->start;
    for (uint32_t i = 0; i < deletions->count; i++) {
        const engine_range *old = &deletions->ranges[i];
        corm_bytes          from = greater(old->start, at);
        corm_bytes          to = lesser(old->end, range->end);
        corm_bytes          gap = lesser(old->start, range->end);
        append(&merged, at, gap, range);
        at = greater(at, gap);
        if (base__bytes_compare(from, to) >= 0) { /* they do not meet */
            append(&merged, old->start, old->end, old);
            continue;
        }
        append(&merged, old->start, from, old);
        append(&merged, from, to, range->timestamp > old->timestamp ? range : old);
        append(&merged, to, old->end, old);
        at = to;
    }
    append(&merged, at, range->end, range);
    *deletions = merged;
    return CORM_OK;
}

int64_t engine__deletions_at(const engine_deletions *deletions, const corm_bytes *clustering) {
    int64_t at = deletions->partition_at;
    if (!clustering) return at;
    uint32_t low = 0, high = deletions->count; /* the last range with start <= clustering */
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (base__bytes_compare(deletions->ranges[middle].start, *clustering) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0) return at;
    const engine_range *range = &deletions->ranges[low - 1];
    if (base__bytes_compare(*clustering, range->end) < 0 && range->timestamp > at)
        at = range->timestamp;
    return at;
}

void engine__deletions_purge(engine_deletions *deletions, uint32_t before_s) {
    if (deletions->partition_at != ENGINE_NO_TIMESTAMP && deletions->partition_local <= before_s)
        deletions->partition_at = ENGINE_NO_TIMESTAMP;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < deletions->count; i++)
        if (deletions->ranges[i].local_time > before_s)
            deletions->ranges[kept++] = deletions->ranges[i];
    deletions->count = kept;
}
