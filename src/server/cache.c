// SPDX-License-Identifier: MIT
/* cache.c -- the prepared statements that clients may execute: by id, the one unused longest goes first.
 *
 * Owns a reference to each. The loop's thread. */
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

server_statement *server__cache_find(server_cache *cache, corm_bytes id) {
    if (id.len != SERVER_ID_BYTES) return NULL;
    server_statement *statement =
        base__map_get(&cache->map, (corm_str){ (const char *)id.data, id.len });
    if (!statement || statement == cache->newest) return statement;
    unlink_statement(cache, statement);
    link_newest(cache, statement);
    return statement;
}

/* Prepared once more. The older reference is as good: the engine checks a statement anew by itself. */
static void prepare_again(server_statement *statement, corm_bytes metadata_id) {
    if (memcmp(statement->metadata_id, metadata_id.data, SERVER_ID_BYTES) != 0)
        statement->varies = true;
}

bool server__cache_put(server_cache *cache, corm_bytes id, corm_bytes metadata_id,
                       const wire_prepared *prepared) {
    if (id.len != SERVER_ID_BYTES || metadata_id.len != SERVER_ID_BYTES) return false;
    server_statement *statement = server__cache_find(cache, id);
    if (statement) {
        prepare_again(statement, metadata_id);
        return true;
    }
    statement = calloc(1, sizeof *statement);
    if (!statement) return false;
    memcpy(statement->id, id.data, id.len);
    memcpy(statement->metadata_id, metadata_id.data, metadata_id.len);
    if (!base__map_put(&cache->map, key_of(statement), statement)) {
        free(statement);
        return false;
    }
    statement->prepared = engine__prepared_ref(prepared);
    link_newest(cache, statement);
    while (cache->map.count > cache->most) forget(cache, cache->oldest);
    return true;
}

void server__cache_free(server_cache *cache) {
    while (cache->oldest) forget(cache, cache->oldest);
    base__map_free(&cache->map);
}
