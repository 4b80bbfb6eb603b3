// SPDX-License-Identifier: MIT
/* cache.c -- the prepared statements that clients may execute: by id, the one unused longest goes first.
 *
 * Owns a reference to each. Any thread: a lock is held for a look into the map and two changes of the list. */
#include <stdlib.h>

#include "server/core.h"

static corm_str key_of(const server_statement *statement) {
    return (corm_str){ (const char *)statement->id, sizeof statement->id };
}

/* ---- the list by use ---- */

static void unlink_statement(server_cache *cache, server_statement *statement) {
    *(statement->newer ? &statement->newer->older : &cache->newest) = statement->older;
    *(statement->older ? &statement->older->newer : &cache->oldest) = statement->newer;
}

static void link_newest(server_cache *cache, server_statement *statement) {
    statement->newer = NULL;
    statement->older = cache->newest;
    *(cache->newest ? &cache->newest->newer : &cache->oldest) = statement;
    cache->newest = statement;
}

static void forget(server_cache *cache, server_statement *statement) {
    base__map_remove(&cache->map, key_of(statement));
    unlink_statement(cache, statement);
    engine__prepared_unref(statement->prepared);
    free(statement);
}

/* ---- the cache ---- */

void server__cache_init(server_cache *cache) {
    pthread_mutex_init(&cache->lock, NULL);
}

static void forget_the_oldest(server_cache *cache) {
    while (cache->map.count > cache->most) {
        forget(cache, cache->oldest);
        if (cache->store) engine__prepared_evicted(cache->store);
    }
}

void server__cache_limit(server_cache *cache, uint32_t most) {
    pthread_mutex_lock(&cache->lock);
    cache->most = most;
    forget_the_oldest(cache);
    pthread_mutex_unlock(&cache->lock);
}

uint32_t server__cache_count(server_cache *cache) {
    pthread_mutex_lock(&cache->lock);
    uint32_t count = (uint32_t)cache->map.count;
    pthread_mutex_unlock(&cache->lock);
    return count;
}

/* The lock is held, as below. */
static server_statement *find(server_cache *cache, corm_bytes id) {
    server_statement *statement =
        base__map_get(&cache->map, (corm_str){ (const char *)id.data, id.len });
    if (!statement || statement == cache->newest) return statement;
    unlink_statement(cache, statement);
    link_newest(cache, statement);
    return statement;
}

bool server__cache_find(server_cache *cache, corm_bytes id, server_found *out) {
    if (id.len != SERVER_ID_BYTES) return false;
    pthread_mutex_lock(&cache->lock);
    const server_statement *statement = find(cache, id);
    if (statement) {
        out->prepared = engine__prepared_ref(statement->prepared);
        out->varies = statement->varies;
        memcpy(out->metadata_id, statement->metadata_id, sizeof out->metadata_id);
    }
    pthread_mutex_unlock(&cache->lock);
    return statement != NULL;
}

/* Prepared once more. The older reference is as good: the engine checks a statement anew by itself. */
static void prepare_again(server_statement *statement, corm_bytes metadata_id) {
    if (memcmp(statement->metadata_id, metadata_id.data, SERVER_ID_BYTES) != 0)
        statement->varies = true;
}

static bool add(server_cache *cache, corm_bytes id, corm_bytes metadata_id,
                const wire_prepared *prepared) {
    server_statement *statement = calloc(1, sizeof *statement);
    if (!statement) return false;
    memcpy(statement->id, id.data, id.len);
    memcpy(statement->metadata_id, metadata_id.data, metadata_id.len);
    if (!base__map_put(&cache->map, key_of(statement), statement)) {
        free(statement);
        return false;
    }
    statement->prepared = engine__prepared_ref(prepared);
    link_newest(cache, statement);
    forget_the_oldest(cache);
    return true;
}

bool server__cache_put(server_cache *cache, corm_bytes id, corm_bytes metadata_id,
                       const wire_prepared *prepared) {
    bool done = true;
    if (id.len != SERVER_ID_BYTES || metadata_id.len != SERVER_ID_BYTES) return false;
    pthread_mutex_lock(&cache->lock);
    server_statement *statement = find(cache, id);
    if (statement)
        prepare_again(statement, metadata_id);
    else
        done = add(cache, id, metadata_id, prepared);
    pthread_mutex_unlock(&cache->lock);
    return done;
}

void server__cache_free(server_cache *cache) {
    while (cache->oldest) forget(cache, cache->oldest);
    base__map_free(&cache->map);
    pthread_mutex_destroy(&cache->lock);
}
