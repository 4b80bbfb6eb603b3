// SPDX-License-Identifier: MIT
/* prepared.c -- prepared statements, counted, and the cache of them, bounded in bytes.
 *
 *   newest ⇄ … ⇄ oldest      by use; what is found moves to the front, what is too much goes from the end
 *
 * A statement lives on when the cache throws it out, as long as somebody holds it. The cache runs on the loop's thread, counting
 * and reading on any. */
#include <stdlib.h>

#include "base/fail.h"
#include "driver/prepared.h"

/* ---- counting ---- */

const wire_prepared *driver__prepared_ref(const wire_prepared *prepared) {
    driver_prepared *own = driver__prepared_of(prepared);
    if (own) atomic_fetch_add_explicit(&own->refs, 1, memory_order_relaxed);
    return prepared;
}

void driver__prepared_unref(const wire_prepared *prepared) {
    driver_prepared *own = driver__prepared_of(prepared);
    if (!own || atomic_fetch_sub_explicit(&own->refs, 1, memory_order_acq_rel) != 1) return;
    base__arena_free(&own->arena);
    free(own);
}

static void unref(driver_prepared *prepared) {
    driver__prepared_unref(driver__prepared_wire(prepared));
}

/* ---- the list ---- */

static void unlink_from(driver_prepared_cache *cache, driver_prepared *prepared) {
    *(prepared->newer ? &prepared->newer->older : &cache->newest) = prepared->older;
    *(prepared->older ? &prepared->older->newer : &cache->oldest) = prepared->newer;
    prepared->newer = prepared->older = NULL;
}

static void push_newest(driver_prepared_cache *cache, driver_prepared *prepared) {
    prepared->older = cache->newest;
    prepared->newer = NULL;
    *(cache->newest ? &cache->newest->newer : &cache->oldest) = prepared;
    cache->newest = prepared;
}

static void throw_out(driver_prepared_cache *cache, driver_prepared *prepared) {
    base__map_remove(&cache->by_text, prepared->key);
    unlink_from(cache, prepared);
    atomic_fetch_sub_explicit(&cache->bytes, prepared->bytes, memory_order_relaxed);
    prepared->cached = false;
    unref(prepared);
}

/* ---- finding ---- */

corm_str driver__prepared_key(driver_prepared_cache *cache, corm_str keyspace, corm_str text) {
    base__buf_clear(&cache->key);
    base__buf_put_str(&cache->key, keyspace);
    base__buf_u8(&cache->key, 0);
    base__buf_put_str(&cache->key, text);
    return cache->key.failed ? (corm_str){ 0 } : base__buf_str(&cache->key);
}

driver_prepared *driver__prepared_find(driver_prepared_cache *cache, corm_str keyspace,
                                       corm_str text) {
    corm_str         key = driver__prepared_key(cache, keyspace, text);
    driver_prepared *found = key.data ? base__map_get(&cache->by_text, key) : NULL;
    if (!found) return NULL;
    if (found != cache->newest) {
        unlink_from(cache, found);
        push_newest(cache, found);
    }
    driver__prepared_ref(driver__prepared_wire(found));
    return found;
}

/* ---- adding ---- */

/* One allocation "keyspace\0text\0", which all three texts share. */
static bool copy_texts(driver_prepared *own, corm_str keyspace, corm_str text) {
    size_t len = keyspace.len + 1 + text.len;
    char  *all = base__arena_alloc(&own->arena, len + 1);
    if (!all) return false;
    if (keyspace.len > 0) memcpy(all, keyspace.data, keyspace.len);
    all[keyspace.len] = 0;
    if (text.len > 0) memcpy(all + keyspace.len + 1, text.data, text.len);
    all[len] = 0;
    own->keyspace = (corm_str){ all, keyspace.len };
    own->text = (corm_str){ all + keyspace.len + 1, text.len };
    own->key = (corm_str){ all, len };
    return true;
}

static corm_str copy_name(base_arena *arena, corm_str name) {
    return base__arena_str(arena, name.data ? name : (corm_str){ "", 0 });
}

static bool name_table(driver_prepared *own) {
    corm_str keyspace = { 0 }, table = { 0 };
    if (own->marker_count > 0) {
        keyspace = own->markers[0].keyspace;
        table = own->markers[0].table;
    } else if (own->column_count > 0) {
        keyspace = own->columns[0].keyspace;
        table = own->columns[0].table;
    }
    own->table_keyspace = copy_name(&own->arena, keyspace);
    own->table = copy_name(&own->arena, table);
    return own->table_keyspace.data && own->table.data;
}

/* The flags of the markers' metadata, which ScyllaDB has a mark in. */
static uint32_t marker_flags(corm_bytes body, uint8_t version) {
    base_reader reader = { body.data, body.len, false };
    base__read_u32(&reader);
    base__read_bytes(&reader, base__read_u16(&reader));
    if (version >= 5) base__read_bytes(&reader, base__read_u16(&reader));
    return base__read_u32(&reader);
}

static void note_facts(driver_prepared *own, uint32_t lwt_mask) {
    base_arena     arena = { 0 };
    cql_statement *tree = NULL;
    if (cql__parse(&arena, own->text, &tree, NULL, NULL) == CORM_OK) {
        driver_text_facts facts = driver__tree_facts(tree, own->markers, own->marker_count);
        own->idempotent = facts.idempotent;
        own->is_lwt = facts.is_lwt;
        own->is_read = facts.is_read;
    }
    base__arena_free(&arena);
    if ((marker_flags(own->body, own->version) & lwt_mask) == 0) return;
    own->is_lwt = true;
    own->idempotent = false;
}

static corm_status read_body(driver_prepared *own, corm_bytes body, uint8_t version,
                             corm_error *err) {
    uint8_t *copy = base__arena_copy(&own->arena, body.data, body.len);
    if (!copy) return base__fail_memory(err);
    own->body = (corm_bytes){ copy, body.len };
    own->version = version;
    wire_result result;
    CORM_TRY(wire__result_read(own->body, version, &own->arena, &result, err));
    if (result.kind != WIRE_PREPARED) {
        return base__fail(err, CORM_PROTOCOL_ERROR, "PREPARE was answered with another result");
    }
    own->id = result.id;
    own->metadata_id = result.metadata_id;
    own->key_count = result.partition_marker_count;
    own->key_markers = result.partition_markers;
    own->marker_count = result.marker_count;
    own->markers = result.markers;
    own->column_count = result.metadata.count;
    own->columns = result.metadata.columns;
    return name_table(own) ? CORM_OK : base__fail_memory(err);
}

static corm_status make(corm_str keyspace, corm_str text, corm_bytes body, uint8_t version,
                        uint32_t lwt_mask, driver_prepared **out, corm_error *err) {
    driver_prepared *own = calloc(1, sizeof *own);
    if (!own) return base__fail_memory(err);
    atomic_init(&own->refs, 1);
    *out = own;
    if (!copy_texts(own, keyspace, text)) return base__fail_memory(err);
    CORM_TRY(read_body(own, body, version, err));
    note_facts(own, lwt_mask);
    own->bytes = sizeof *own + own->arena.total;
    return CORM_OK;
}

static void keep(driver_prepared_cache *cache, driver_prepared *own) {
    driver_prepared *old = base__map_get(&cache->by_text, own->key);
    if (old) throw_out(cache, old);
    if (!base__map_put(&cache->by_text, own->key, own)) return;
    own->cached = true;
    driver__prepared_ref(driver__prepared_wire(own));
    push_newest(cache, own);
    atomic_fetch_add_explicit(&cache->bytes, own->bytes, memory_order_relaxed);
    while (atomic_load_explicit(&cache->bytes, memory_order_relaxed) > cache->most_bytes &&
           cache->oldest != own) {
        throw_out(cache, cache->oldest);
        cache->thrown_out++;
    }
}

corm_status driver__prepared_add(driver_prepared_cache *cache, corm_str keyspace, corm_str text,
                                 corm_bytes body, uint8_t version, uint32_t lwt_mask,
                                 driver_prepared **out, corm_error *err) {
    *out = NULL;
    driver_prepared *own = NULL;
    corm_status      status = make(keyspace, text, body, version, lwt_mask, &own, err);
    if (status != CORM_OK) {
        unref(own);
        return status;
    }
    keep(cache, own);
    *out = own;
    return CORM_OK;
}

/* ---- forgetting ---- */

static bool mentions(const cql_type *type, corm_str keyspace, corm_str name) {
    if (type->id == CQL_UDT && corm_str_equal(type->name, name) &&
        corm_str_equal(type->keyspace, keyspace)) {
        return true;
    }
    for (uint32_t i = 0; i < type->count; i++) {
        if (mentions(type->params[i], keyspace, name)) return true;
    }
    return false;
}

/* `name` is a table, or a type that the statement's values or columns have. */
static bool is_about(const driver_prepared *prepared, corm_str keyspace, corm_str name) {
    bool unknown = prepared->table_keyspace.len == 0;
    if (unknown || !corm_str_equal(prepared->table_keyspace, keyspace)) return unknown;
    if (!name.data || corm_str_equal(prepared->table, name)) return true;
    for (uint32_t i = 0; i < prepared->marker_count; i++) {
        if (mentions(prepared->markers[i].type, keyspace, name)) return true;
    }
    for (uint32_t i = 0; i < prepared->column_count; i++) {
        if (mentions(prepared->columns[i].type, keyspace, name)) return true;
    }
    return false;
}

void driver__prepared_forget(driver_prepared_cache *cache, corm_str keyspace, corm_str name) {
    for (driver_prepared *at = cache->newest, *older; at; at = older) {
        older = at->older;
        if (is_about(at, keyspace, name)) throw_out(cache, at);
    }
}

void driver__prepared_cache_free(driver_prepared_cache *cache) {
    while (cache->oldest) throw_out(cache, cache->oldest);
    base__map_free(&cache->by_text);
    base__map_free(&cache->under_way);
    base__buf_free(&cache->key);
}
