// SPDX-License-Identifier: MIT
/* sorted.c -- packs elements that come in any order: sets and maps are sorted by the server's
 * order, and of equal ones the last stays. Pure; any thread. */
#include "cql/sorted.h"

#include "base/fail.h"

#include <stdlib.h>

/* An element of a set, or an entry of a map. */
typedef struct entry {
    cql_value key;
    cql_value value; /* maps only */
} entry;

static uint32_t count_values(corm_bytes values) {
    base_reader reader = { .data = values.data, .len = values.len };
    uint32_t    count = 0;
    while (reader.len > 0 && !reader.failed) {
        cql__read_value(&reader);
        count++;
    }
    return count;
}

/* Whether each key is greater than the one before it. */
static bool is_sorted(const cql_type *key_type, const entry *entries, uint32_t count) {
    for (uint32_t i = 1; i < count; i++) {
        if (cql__compare(key_type, entries[i - 1].key, entries[i].key) >= 0) return false;
    }
    return true;
}

/* A stable merge sort of from[0..count) into `to`; both are changed. */
static void merge_sort(const cql_type *key_type, entry *from, entry *to, uint32_t count) {
    if (count < 2) {
        memcpy(to, from, count * sizeof *from);
        return;
    }
    uint32_t half = count / 2;
    merge_sort(key_type, to, from, half);
    merge_sort(key_type, to + half, from + half, count - half);
    uint32_t left = 0, right = half;
    for (uint32_t i = 0; i < count; i++) {
        bool take_right = left == half || (right < count && cql__compare(key_type, from[right].key,
                                                                         from[left].key) < 0);
        to[i] = from[take_right ? right++ : left++];
    }
}

/* Keeps the last of equal keys. */
static uint32_t drop_equal(const cql_type *key_type, entry *entries, uint32_t count) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        bool same = kept > 0 && cql__compare(key_type, entries[kept - 1].key, entries[i].key) == 0;
        entries[same ? kept - 1 : kept++] = entries[i];
    }
    return kept;
}

static void pack_entries(const cql_type *type, const entry *entries, uint32_t count,
                         base_buf *out) {
    cql_pack pack;
    cql__pack_begin(&pack, type, out);
    for (uint32_t i = 0; i < count; i++) {
        cql__pack_item(&pack, entries[i].key);
        if (type->id == CQL_MAP) cql__pack_item(&pack, entries[i].value);
    }
    cql__pack_end(&pack);
}

static corm_status pack_sorted(const cql_type *type, corm_bytes values, uint32_t count,
                               base_buf *out, corm_error *err) {
    if (type->id == CQL_MAP) count /= 2;
    entry *entries = malloc(2 * sizeof(entry) * count);
    if (!entries) return base__fail_memory(err);
    base_reader reader = { .data = values.data, .len = values.len };
    for (uint32_t i = 0; i < count; i++) {
        entries[i].key = cql__read_value(&reader);
        if (type->id == CQL_MAP) entries[i].value = cql__read_value(&reader);
    }
    entry *sorted = entries;
    if (!is_sorted(type->params[0], entries, count)) {
        sorted = entries + count;
        memcpy(sorted, entries, count * sizeof *entries);
        merge_sort(type->params[0], entries, sorted, count);
        count = drop_equal(type->params[0], sorted, count);
    }
    pack_entries(type, sorted, count, out);
    free(entries);
    return base__buf_status(out, err);
}

corm_status cql__pack_values(const cql_type *type, corm_bytes values, base_buf *out,
                             corm_error *err) {
    uint32_t count = count_values(values);
    if (type->id == CQL_VECTOR && count != type->dimension) {
        return base__fail(err, CORM_INVALID, "Required %u elements, but saw %u", type->dimension,
                          count);
    }
    if ((type->id == CQL_SET || type->id == CQL_MAP) && count > 1) {
        return pack_sorted(type, values, count, out, err);
    }
    cql_pack    pack;
    base_reader reader = { .data = values.data, .len = values.len };
    cql__pack_begin(&pack, type, out);
    while (reader.len > 0 && !reader.failed) cql__pack_item(&pack, cql__read_value(&reader));
    cql__pack_end(&pack);
    return base__buf_status(out, err);
}
