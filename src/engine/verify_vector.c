// SPDX-License-Identifier: MIT
/* verify_vector.c -- whether a vector index agrees with its table and with itself: every vector has its node, every node its row,
 * links lead to nodes that are there. Thread: the caller's. */
#include "engine/vector.h"
#include "engine/write_internal.h"

static corm_status corrupt(const vector_place *at, const char *what, corm_error *err) {
    return base__fail(err, CORM_CORRUPT, "vector index %.*s: %s", (int)at->index->name.len,
                      at->index->name.data, what);
}

static bool same(corm_bytes a, corm_bytes b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static corm_status is_built(const vector_place *at, bool *built, corm_error *err) {
    vector_head head;
    return engine__vector_head(at, &head, built, err);
}

/* ---- rows ---- */

static corm_status check_node_of(const vector_place *at, corm_bytes data_key, corm_error *err) {
    uint32_t    node;
    bool        found;
    base_buf    row = { 0 };
    corm_status status = engine__vector_node_of(at, data_key, &node, &found, err);
    if (status == CORM_OK && !found) return corrupt(at, "a row's vector is not in it", err);
    if (status == CORM_OK) status = engine__vector_row(at, node, &row, &found, err);
    if (status == CORM_OK && (!found || !same(base__buf_bytes(&row), data_key)))
        status = corrupt(at, "a row's node is that of another", err);
    base__buf_free(&row);
    return status;
}

static corm_status check_row(const vector_place *at, const row_change *row, base_arena *arena,
                             uint64_t *expected, corm_error *err) {
    engine_vector_options options = engine__vector_options(at->index);
    bool                  built;
    corm_bytes            vector =
        engine__row_vector(at->index, at->table, row->data_key, row->is_static, row->after, arena);
    if (vector.len == 0 || engine__vector_check(options.by, vector, NULL) != CORM_OK)
        return CORM_OK;
    CORM_TRY(is_built(at, &built, err));
    if (!built) return CORM_OK;
    ++*expected;
    return check_node_of(at, row->data_key, err);
}

corm_status engine__verify_vector_row(kv_txn *txn, const row_change *row, base_arena *arena,
                                      uint64_t *expected, corm_error *err) {
    for (uint32_t i = 0; i < row->table->index_count; i++) {
        vector_place at = { txn, row->table, &row->table->indexes[i] };
        if (cql__index_is_vector(at.index)) CORM_TRY(check_row(&at, row, arena, expected, err));
    }
    return CORM_OK;
}

/* ---- records ---- */

static corm_status is_stored(const vector_place *at, vector_kind kind, uint32_t node, bool *found,
                             corm_error *err) {
    uint8_t    key[VECTOR_NODE_KEY];
    corm_bytes value;
    engine__vector_node_key(at->index->storage_id, kind, node, key);
    return kv__get(at->txn, KV_DATA, (corm_bytes){ key, sizeof key }, &value, found, err);
}

typedef struct link_check {
    const vector_place *at;
    uint32_t            node;
} link_check;

static corm_status check_level(void *context, uint32_t level, const uint32_t *links, uint32_t count,
                               corm_error *err) {
    const link_check     *check = context;
    engine_vector_options options = engine__vector_options(check->at->index);
    if (count > (level ? options.connections : 2 * options.connections))
        return corrupt(check->at, "a node has too many links", err);
    for (uint32_t i = 0; i < count; i++) {
        bool found;
        CORM_TRY(is_stored(check->at, VECTOR_NODE, links[i], &found, err));
        if (!found || links[i] == check->node)
            return corrupt(check->at, "a link leads to no other node", err);
    }
    return CORM_OK;
}

static corm_status check_links(const vector_place *at, uint32_t node, corm_bytes value,
                               corm_error *err) {
    link_check check = { at, node };
    uint32_t   level;
    bool       found;
    CORM_TRY(is_stored(at, VECTOR_NODE, node, &found, err));
    if (!found) return corrupt(at, "links of a node that is not there", err);
    return engine__vector_read_links(value, &level, check_level, &check, err);
}

static corm_status check_node(const vector_place *at, uint32_t node, uint64_t *nodes,
                              corm_error *err) {
    uint32_t    back;
    bool        found;
    base_buf    row = { 0 };
    corm_status status = engine__vector_row(at, node, &row, &found, err);
    if (status == CORM_OK)
        status = engine__vector_node_of(at, base__buf_bytes(&row), &back, &found, err);
    if (status == CORM_OK && (!found || back != node))
        status = corrupt(at, "a node's row has another node", err);
    if (status == CORM_OK) status = is_stored(at, VECTOR_LINKS, node, &found, err);
    if (status == CORM_OK && !found) status = corrupt(at, "a node has no links", err);
    base__buf_free(&row);
    ++*nodes;
    return status;
}

static corm_status check_head(const vector_place *at, uint64_t *expected, corm_error *err) {
    vector_head head;
    bool        found;
    CORM_TRY(engine__vector_head(at, &head, &found, err));
    *expected += head.count;
    return CORM_OK;
}

corm_status engine__verify_vector_record(const vector_place *at, corm_bytes key, corm_bytes value,
                                         vector_counts *counts, corm_error *err) {
    bool built;
    CORM_TRY(is_built(at, &built, err));
    if (!built) return CORM_OK; /* what an older version left: cleared when it is built */
    bool of_node = key.len == VECTOR_NODE_KEY;
    if (key.len == 5 && key.data[4] == VECTOR_HEAD) return check_head(at, &counts->headed, err);
    if (of_node && key.data[4] == VECTOR_NODE)
        return check_node(at, base__load_u32(key.data + 5), &counts->nodes, err);
    if (of_node && key.data[4] == VECTOR_LINKS)
        return check_links(at, base__load_u32(key.data + 5), value, err);
    if (key.len == VECTOR_NODE_KEY + 4 && key.data[4] == VECTOR_LOG) return CORM_OK;
    if (key.len > 5 && key.data[4] == VECTOR_KEY && value.len == 4) {
        counts->keys++;
        return CORM_OK;
    }
    return corrupt(at, "it holds something that is no part of it", err);
}

corm_status engine__verify_vector_counts(const vector_counts *counts, corm_error *err) {
    if (counts->nodes == counts->expected && counts->keys == counts->nodes &&
        counts->headed == counts->nodes)
        return CORM_OK;
    return base__fail(
        err, CORM_CORRUPT,
        "vector indexes have %llu nodes, %llu entries and count %llu where rows ask for %llu",
        (unsigned long long)counts->nodes, (unsigned long long)counts->keys,
        (unsigned long long)counts->headed, (unsigned long long)counts->expected);
}
