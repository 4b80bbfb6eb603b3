// SPDX-License-Identifier: MIT
/* vector_store.c -- the records of a vector index (vector.h): written by the commit leader, read by who loads a graph. */
#include <stdlib.h>

#include "engine/vector.h"
#include "engine/write_internal.h"

enum { VERSION = 1, HEAD_SIZE = 1 + 8 + 4, LOG_KEY = 4 + 1 + 8, MOST_LINKS = 1024 };

/* ---- keys ---- */

void engine__vector_node_key(uint32_t storage_id, vector_kind kind, uint32_t node,
                             uint8_t out[VECTOR_NODE_KEY]) {
    base__store_u32(out, storage_id);
    out[4] = (uint8_t)kind;
    base__store_u32(out + 5, node);
}

static void log_key(uint32_t storage_id, uint64_t sequence, uint8_t out[LOG_KEY]) {
    base__store_u32(out, storage_id);
    out[4] = VECTOR_LOG;
    base__store_u64(out + 5, sequence);
}

static void row_key(const vector_place *at, corm_bytes data_key, base_buf *out) {
    base__buf_u32(out, at->index->storage_id);
    base__buf_u8(out, VECTOR_KEY);
    base__buf_put(out, data_key.data + 4, data_key.len - 4);
}

static corm_status corrupt(const vector_place *at, const char *what, corm_error *err) {
    return base__fail(err, CORM_CORRUPT, "vector index %.*s: %s", (int)at->index->name.len,
                      at->index->name.data, what);
}

/* ---- the head ---- */

static void head_key(const vector_place *at, uint8_t out[5]) {
    base__store_u32(out, at->index->storage_id);
    out[4] = VECTOR_HEAD;
}

corm_status engine__vector_head(const vector_place *at, vector_head *out, bool *found,
                                corm_error *err) {
    uint8_t    key[5];
    corm_bytes value;
    head_key(at, key);
    *out = (vector_head){ 0 };
    CORM_TRY(kv__get(at->txn, KV_DATA, (corm_bytes){ key, sizeof key }, &value, found, err));
    if (!*found) return CORM_OK;
    if (value.len != HEAD_SIZE) return corrupt(at, "its head is damaged", err);
    if (value.data[0] != VERSION) {
        return base__fail(err, CORM_VERSION, "vector index %.*s is of version %u",
                          (int)at->index->name.len, at->index->name.data, value.data[0]);
    }
    *out = (vector_head){ base__load_u64(value.data + 1), base__load_u32(value.data + 9) };
    return CORM_OK;
}

corm_status engine__vector_put_head(const vector_place *at, const vector_head *head,
                                    corm_error *err) {
    uint8_t key[5], value[HEAD_SIZE] = { VERSION };
    head_key(at, key);
    base__store_u64(value + 1, head->sequence);
    base__store_u32(value + 9, head->count);
    return kv__put(at->txn, KV_DATA, (corm_bytes){ key, sizeof key },
                   (corm_bytes){ value, sizeof value }, err);
}

/* ---- rows and nodes ---- */

corm_status engine__vector_row(const vector_place *at, uint32_t node, base_buf *out, bool *found,
                               corm_error *err) {
    uint8_t    key[VECTOR_NODE_KEY];
    corm_bytes value;
    engine__vector_node_key(at->index->storage_id, VECTOR_NODE, node, key);
    CORM_TRY(kv__get(at->txn, KV_DATA, (corm_bytes){ key, sizeof key }, &value, found, err));
    if (!*found) return CORM_OK;
    base__buf_clear(out);
    base__buf_u32(out, at->table->storage_id);
    base__buf_put(out, value.data, value.len);
    return base__buf_status(out, err);
}

corm_status engine__vector_node_of(const vector_place *at, corm_bytes data_key, uint32_t *node,
                                   bool *found, corm_error *err) {
    base_buf   key = { 0 };
    corm_bytes value = { 0 };
    row_key(at, data_key, &key);
    corm_status status = base__buf_status(&key, err);
    if (status == CORM_OK)
        status = kv__get(at->txn, KV_DATA, base__buf_bytes(&key), &value, found, err);
    base__buf_free(&key);
    if (status != CORM_OK || !*found) return status;
    if (value.len != 4) return corrupt(at, "a row's entry is damaged", err);
    *node = base__load_u32(value.data);
    return CORM_OK;
}

corm_status engine__vector_add(const vector_place *at, corm_bytes data_key, uint32_t node,
                               corm_error *err) {
    base_buf key = { 0 };
    uint8_t  node_key[VECTOR_NODE_KEY], value[4];
    row_key(at, data_key, &key);
    base__store_u32(value, node);
    engine__vector_node_key(at->index->storage_id, VECTOR_NODE, node, node_key);
    corm_status status = base__buf_status(&key, err);
    if (status == CORM_OK)
        status = kv__put(at->txn, KV_DATA, base__buf_bytes(&key),
                         (corm_bytes){ value, sizeof value }, err);
    if (status == CORM_OK)
        status = kv__put(at->txn, KV_DATA, (corm_bytes){ node_key, sizeof node_key },
                         (corm_bytes){ data_key.data + 4, data_key.len - 4 }, err);
    base__buf_free(&key);
    return status;
}

corm_status engine__vector_delete(const vector_place *at, corm_bytes data_key, uint32_t node,
                                  corm_error *err) {
    base_buf key = { 0 };
    uint8_t  node_key[VECTOR_NODE_KEY];
    bool     found;
    row_key(at, data_key, &key);
    engine__vector_node_key(at->index->storage_id, VECTOR_NODE, node, node_key);
    corm_status status = base__buf_status(&key, err);
    if (status == CORM_OK)
        status = kv__delete(at->txn, KV_DATA, base__buf_bytes(&key), &found, err);
    if (status == CORM_OK)
        status =
            kv__delete(at->txn, KV_DATA, (corm_bytes){ node_key, sizeof node_key }, &found, err);
    base__buf_free(&key);
    return status;
}

/* ---- links ---- */

static void put_links(hnsw *graph, uint32_t node, base_buf *out) {
    uint32_t top = hnsw__level(graph, node);
    base__buf_clear(out);
    base__buf_u8(out, (uint8_t)top);
    for (uint32_t level = 0; level <= top; level++) {
        uint32_t        count;
        const uint32_t *links = hnsw__links(graph, node, level, &count);
        base__buf_u16(out, (uint16_t)count);
        for (uint32_t i = 0; i < count; i++) base__buf_u32(out, links[i]);
    }
}

corm_status engine__vector_read_links(corm_bytes value, uint32_t *level, vector_each_level each,
                                      void *context, corm_error *err) {
    size_t   at = 1;
    uint32_t links[MOST_LINKS];
    if (value.len < 1 || value.data[0] >= HNSW_LEVELS)
        return base__fail(err, CORM_CORRUPT, "the links of a vector index are damaged");
    *level = value.data[0];
    for (uint32_t l = 0; l <= *level; l++) {
        uint32_t count = at + 2 <= value.len ? base__load_u16(value.data + at) : MOST_LINKS + 1;
        at += 2;
        if (count > MOST_LINKS || at + 4 * (size_t)count > value.len)
            return base__fail(err, CORM_CORRUPT, "the links of a vector index are damaged");
        for (uint32_t i = 0; i < count; i++, at += 4) links[i] = base__load_u32(value.data + at);
        CORM_TRY(each(context, l, links, count, err));
    }
    return CORM_OK;
}

static corm_status store_node(const vector_place *at, hnsw *graph, uint32_t node, base_buf *scratch,
                              corm_error *err) {
    uint8_t    key[VECTOR_NODE_KEY];
    corm_bytes bytes = { key, sizeof key };
    bool       found;
    engine__vector_node_key(at->index->storage_id, VECTOR_LINKS, node, key);
    if (!hnsw__has(graph, node)) return kv__delete(at->txn, KV_DATA, bytes, &found, err);
    put_links(graph, node, scratch);
    CORM_TRY(base__buf_status(scratch, err));
    return kv__put(at->txn, KV_DATA, bytes, base__buf_bytes(scratch), err);
}

static corm_status store_log(const vector_place *at, const uint32_t *nodes, uint32_t count,
                             uint64_t sequence, base_buf *scratch, corm_error *err) {
    uint8_t key[LOG_KEY];
    bool    found;
    base__buf_clear(scratch);
    for (uint32_t i = 0; i < count && count <= VECTOR_LOG_MOST; i++)
        base__buf_u32(scratch, nodes[i]);
    CORM_TRY(base__buf_status(scratch, err));
    log_key(at->index->storage_id, sequence, key);
    CORM_TRY(
        kv__put(at->txn, KV_DATA, (corm_bytes){ key, sizeof key }, base__buf_bytes(scratch), err));
    if (sequence <= VECTOR_LOG_KEPT) return CORM_OK;
    log_key(at->index->storage_id, sequence - VECTOR_LOG_KEPT, key);
    return kv__delete(at->txn, KV_DATA, (corm_bytes){ key, sizeof key }, &found, err);
}

corm_status engine__vector_store(const vector_place *at, hnsw *graph, uint64_t sequence,
                                 corm_error *err) {
    uint32_t        count;
    const uint32_t *nodes = hnsw__changed(graph, &count);
    base_buf        scratch = { 0 };
    corm_status     status = CORM_OK;
    for (uint32_t i = 0; i < count && status == CORM_OK; i++)
        status = store_node(at, graph, nodes[i], &scratch, err);
    if (status == CORM_OK) status = store_log(at, nodes, count, sequence, &scratch, err);
    vector_head head = { sequence, hnsw__count(graph) };
    if (status == CORM_OK) status = engine__vector_put_head(at, &head, err);
    base__buf_free(&scratch);
    return status;
}

/* ---- loading ---- */

corm_status engine__vector_new_graph(const cql_index *index, hnsw **out, corm_error *err) {
    engine_vector_options options = engine__vector_options(index);
    hnsw_options          how = { .dimension = options.dimension,
                                  .by_distance = options.by == CQL_SIMILARITY_EUCLIDEAN,
                                  .normalize = options.by == CQL_SIMILARITY_COSINE,
                                  .connections = options.connections,
                                  .build_beam = options.build_beam };
    return hnsw__new(&how, out, err);
}

typedef struct loader {
    const vector_place *at;
    hnsw               *graph;
    uint64_t            sequence;
    uint32_t            node;
    base_arena          arena; /* of one row */
    base_buf            key;
} loader;

/* The vector in the node's row. */
static corm_status read_vector(loader *run, corm_bytes *out, corm_error *err) {
    const cql_table *table = run->at->table;
    engine_key       key;
    engine_row       row;
    corm_bytes       bytes = { 0 };
    bool             found;
    base__arena_reset(&run->arena);
    CORM_TRY(kv__get(run->at->txn, KV_DATA, base__buf_bytes(&run->key), &bytes, &found, err));
    if (!found || !engine__key_split(base__buf_bytes(&run->key), &key))
        return corrupt(run->at, "a node leads to no row", err);
    bool is_static = key.kind == ENGINE_KEY_STATIC;
    CORM_TRY(engine__row_decode(table, is_static, bytes, &run->arena, &row, err));
    *out = engine__row_vector(run->at->index, table, base__buf_bytes(&run->key), is_static, &row,
                              &run->arena);
    return out->len ? CORM_OK : corrupt(run->at, "a node leads to a row without a vector", err);
}

static corm_status place_links(void *context, uint32_t level, const uint32_t *links, uint32_t count,
                               corm_error *err) {
    loader *run = context;
    return hnsw__place_links(run->graph, run->node, level, links, count, err);
}

static corm_status no_links(void *context, uint32_t level, const uint32_t *links, uint32_t count,
                            corm_error *err) {
    (void)context, (void)level, (void)links, (void)count, (void)err;
    return CORM_OK;
}

/* The node with its vector, or that it is gone; links come when all nodes are there. */
static corm_status load_node(loader *run, corm_error *err) {
    bool       found;
    uint8_t    key[VECTOR_NODE_KEY];
    corm_bytes value, vector;
    uint32_t   level;
    CORM_TRY(engine__vector_row(run->at, run->node, &run->key, &found, err));
    if (!found) {
        hnsw__displace(run->graph, run->node);
        return CORM_OK;
    }
    engine__vector_node_key(run->at->index->storage_id, VECTOR_LINKS, run->node, key);
    CORM_TRY(kv__get(run->at->txn, KV_DATA, (corm_bytes){ key, sizeof key }, &value, &found, err));
    if (!found) return corrupt(run->at, "a node has no links", err);
    CORM_TRY(engine__vector_read_links(value, &level, no_links, NULL, err));
    CORM_TRY(read_vector(run, &vector, err));
    CORM_TRY(hnsw__place(run->graph, run->node, level, vector.data, err));
    return hnsw__set_label(run->graph, run->node, run->sequence, base__buf_bytes(&run->key), err);
}

static corm_status load_links(loader *run, corm_error *err) {
    uint8_t    key[VECTOR_NODE_KEY];
    corm_bytes value;
    uint32_t   level;
    bool       found;
    if (!hnsw__has(run->graph, run->node)) return CORM_OK;
    engine__vector_node_key(run->at->index->storage_id, VECTOR_LINKS, run->node, key);
    CORM_TRY(kv__get(run->at->txn, KV_DATA, (corm_bytes){ key, sizeof key }, &value, &found, err));
    if (!found) return corrupt(run->at, "a node has no links", err);
    return engine__vector_read_links(value, &level, place_links, run, err);
}

typedef corm_status (*load_each)(loader *run, corm_error *err);

static corm_status walk_nodes(loader *run, load_each each, corm_error *err) {
    kv_cursor *cursor;
    bool       found;
    uint8_t    first[VECTOR_NODE_KEY];
    engine__vector_node_key(run->at->index->storage_id, VECTOR_NODE, 0, first);
    CORM_TRY(kv__cursor_open(run->at->txn, KV_DATA, &cursor, err));
    corm_status status =
        kv__cursor_seek(cursor, (corm_bytes){ first, sizeof first }, KV_AT_OR_AFTER, &found, err);
    while (status == CORM_OK && found) {
        corm_bytes key = kv__cursor_key(cursor);
        if (key.len != sizeof first || memcmp(key.data, first, 5) != 0) break;
        run->node = base__load_u32(key.data + 5);
        status = each(run, err);
        if (status == CORM_OK) status = kv__cursor_next(cursor, &found, err);
    }
    kv__cursor_close(cursor);
    return status;
}

static void end_loader(loader *run) {
    base__arena_free(&run->arena);
    base__buf_free(&run->key);
}

corm_status engine__vector_load(const vector_place *at, uint64_t sequence, hnsw **out,
                                corm_error *err) {
    loader run = { .at = at, .sequence = sequence };
    *out = NULL;
    CORM_TRY(engine__vector_new_graph(at->index, &run.graph, err));
    corm_status status = walk_nodes(&run, load_node, err);
    if (status == CORM_OK) status = walk_nodes(&run, load_links, err);
    if (status == CORM_OK) {
        hnsw__placed(run.graph);
        *out = run.graph;
    } else {
        hnsw__unref(run.graph);
    }
    end_loader(&run);
    return status;
}

/* ---- catching up ---- */

static corm_status read_log(const vector_place *at, uint64_t sequence, base_buf *nodes, bool *found,
                            corm_error *err) {
    uint8_t    key[LOG_KEY];
    corm_bytes value;
    log_key(at->index->storage_id, sequence, key);
    CORM_TRY(kv__get(at->txn, KV_DATA, (corm_bytes){ key, sizeof key }, &value, found, err));
    *found = *found && value.len > 0;
    if (*found) base__buf_put(nodes, value.data, value.len / 4 * 4);
    return base__buf_status(nodes, err);
}

static corm_status load_listed(loader *run, const base_buf *nodes, load_each each,
                               corm_error *err) {
    for (size_t i = 0; i < nodes->len; i += 4) {
        run->node = base__load_u32(nodes->data + i);
        CORM_TRY(each(run, err));
    }
    return CORM_OK;
}

corm_status engine__vector_catch_up(const vector_place *at, hnsw *graph, uint64_t from, uint64_t to,
                                    bool *found, corm_error *err) {
    loader      run = { .at = at, .graph = graph, .sequence = to };
    base_buf    nodes = { 0 };
    corm_status status = CORM_OK;
    *found = to - from <= VECTOR_LOG_KEPT;
    for (uint64_t s = from + 1; s <= to && status == CORM_OK && *found; s++)
        status = read_log(at, s, &nodes, found, err);
    if (status == CORM_OK && *found) status = load_listed(&run, &nodes, load_node, err);
    if (status == CORM_OK && *found) status = load_listed(&run, &nodes, load_links, err);
    if (status == CORM_OK && *found) hnsw__placed(graph);
    base__buf_free(&nodes);
    end_loader(&run);
    return status;
}
