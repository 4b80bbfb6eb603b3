// SPDX-License-Identifier: MIT
/* snapshot.c -- a read transaction and the schema that is stored in it.
 *
 * A pooled transaction keeps the schema that its last user saw (kv_cache): serial, since which commit, and a reference. It still
 * holds for a commit when
 *
 *     cache.since <= commit <= known_until      and, read after known_until,      serial == cache.serial
 *
 * for serials only grow, and `serial` is set before `known_until` goes past the commit that brought it. So the usual begin
 * costs two loads; a commit of another process costs a look at the stored serial; a schema is parsed once for each
 * change. */
#include "engine/core.h"

static bool is_current(engine *store, const kv_cache *cache, uint64_t id) {
    uint64_t until = atomic_load_explicit(&store->known_until, memory_order_acquire);
    uint64_t serial = atomic_load_explicit(&store->serial, memory_order_relaxed);
    return cache->object && cache->serial == serial && cache->since <= id && id <= until;
}

/* schema_lock is held. */
static void publish_locked(engine *store, cql_schema *schema, uint64_t id) {
    uint64_t serial = atomic_load(&store->serial);
    if (!store->schema || schema->serial > serial) {
        cql__schema_unref(store->schema);
        store->schema = cql__schema_ref(schema);
        atomic_store(&store->serial, schema->serial);
        serial = schema->serial;
    }
    if (schema->serial == serial && id > atomic_load(&store->known_until)) {
        atomic_store(&store->known_until, id);
    }
}

void engine__publish_schema(engine *store, cql_schema *schema, uint64_t id) {
    pthread_mutex_lock(&store->schema_lock);
    publish_locked(store, schema, id);
    pthread_mutex_unlock(&store->schema_lock);
}

static corm_status stored_serial(kv_txn *txn, uint64_t *serial, corm_error *err) {
    corm_bytes value;
    bool       found;
    CORM_TRY(kv__get(txn, KV_META, engine__meta_key("serial"), &value, &found, err));
    if (!found || value.len != 8)
        return base__fail(err, CORM_CORRUPT, "the store has lost its schema");
    *serial = base__load_u64(value.data);
    return CORM_OK;
}

/* The engine's schema when it has the serial; one reference. */
static cql_schema *shared_schema(engine *store, uint64_t serial) {
    cql_schema *found = NULL;
    pthread_mutex_lock(&store->schema_lock);
    if (store->schema && store->schema->serial == serial) found = cql__schema_ref(store->schema);
    pthread_mutex_unlock(&store->schema_lock);
    return found;
}

static corm_status parse_schema(engine *store, kv_txn *txn, cql_schema **out, corm_error *err) {
    corm_bytes value;
    bool       found;
    CORM_TRY(kv__get(txn, KV_META, engine__meta_key("schema"), &value, &found, err));
    if (!found) return base__fail(err, CORM_CORRUPT, "the store has lost its schema");
    return cql__schema_read(value, store->system, out, err);
}

static corm_status renew_cache(engine *store, kv_txn *txn, kv_cache *cache, uint64_t id,
                               corm_error *err) {
    uint64_t serial = 0;
    CORM_TRY(stored_serial(txn, &serial, err));
    if (cache->object && cache->serial == serial) {
        if (id < cache->since) cache->since = id;
    } else {
        cql_schema *schema = shared_schema(store, serial);
        if (!schema) CORM_TRY(parse_schema(store, txn, &schema, err));
        cql__schema_unref(cache->object);
        *cache = (kv_cache){ .serial = serial, .since = id, .object = schema };
    }
    engine__publish_schema(store, cache->object, id);
    return CORM_OK;
}

corm_status engine__txn_schema(engine *store, kv_txn *txn, cql_schema **out, corm_error *err) {
    kv_cache *cache = kv__txn_cache(txn);
    uint64_t  id = kv__txn_id(txn);
    if (!is_current(store, cache, id)) CORM_TRY(renew_cache(store, txn, cache, id, err));
    *out = cache->object;
    return CORM_OK;
}

corm_status engine__read_begin(engine *store, engine_snapshot *out, corm_error *err) {
    out->store = store;
    CORM_TRY(kv__read_begin(store->kv, &out->txn, err));
    corm_status status = engine__txn_schema(store, out->txn, &out->schema, err);
    if (status != CORM_OK) engine__read_end(out);
    return status;
}

void engine__read_end(engine_snapshot *snapshot) {
    kv__read_end(snapshot->txn);
    snapshot->txn = NULL;
    snapshot->schema = NULL;
}

cql_schema *engine__schema(engine *store) {
    engine_snapshot snapshot;
    cql_schema     *schema;
    if (engine__read_begin(store, &snapshot, NULL) != CORM_OK) {
        pthread_mutex_lock(&store->schema_lock);
        schema = cql__schema_ref(store->schema);
        pthread_mutex_unlock(&store->schema_lock);
        return schema;
    }
    schema = cql__schema_ref(snapshot.schema);
    engine__read_end(&snapshot);
    return schema;
}
