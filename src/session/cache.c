// SPDX-License-Identifier: MIT
/* cache.c -- prepared statements for texts that are executed with values, so that their markers'
 * types are asked for once.
 *
 * Owned by a session, guarded by its lock. When it is full, the entry that was not used for the
 * longest time goes; when the schema changes, all go, because markers may have other types then. */
#include <stdlib.h>

#include "base/fail.h"
#include "session/core.h"

enum { MOST_ENTRIES = 128, SHORT_KEY = 1024 };

struct session_cache_entry {
    corm_prepared *prepared; /* one reference */
    uint64_t       used;     /* the cache's count of uses then */
    size_t         key_len;
    char           key[]; /* keyspace, zero byte, text */
};

static void put_key(char *key, corm_str keyspace, corm_str text) {
    if (keyspace.len > 0) memcpy(key, keyspace.data, keyspace.len);
    key[keyspace.len] = '\0';
    if (text.len > 0) memcpy(key + keyspace.len + 1, text.data, text.len);
}

static session_cache_entry *new_entry(corm_str keyspace, corm_str text) {
    size_t               len = keyspace.len + 1 + text.len;
    session_cache_entry *entry = calloc(1, sizeof *entry + len);
    if (!entry) return NULL;
    entry->key_len = len;
    put_key(entry->key, keyspace, text);
    return entry;
}

static void free_entry(session_cache_entry *entry) {
    if (!entry) return;
    corm_prepared_free(entry->prepared);
    free(entry);
}

static corm_str key_of(const session_cache_entry *entry) {
    return (corm_str){ entry->key, entry->key_len };
}

static corm_prepared *look_up(corm_session *session, corm_str key) {
    corm_prepared *out = NULL;
    pthread_mutex_lock(&session->lock);
    session_cache_entry *entry = base__map_get(&session->cache.entries, key);
    if (entry) {
        entry->used = ++session->cache.uses;
        out = session__prepared_ref(entry->prepared);
    }
    pthread_mutex_unlock(&session->lock);
    return out;
}

corm_prepared *session__cache_find(corm_session *session, corm_str keyspace, corm_str text) {
    char   near[SHORT_KEY];
    size_t len = keyspace.len + 1 + text.len;
    char  *key = len <= sizeof near ? near : malloc(len);
    if (!key) return NULL;
    put_key(key, keyspace, text);
    corm_prepared *out = look_up(session, (corm_str){ key, len });
    if (key != near) free(key);
    return out;
}

/* Under the lock. */
static session_cache_entry *remove_oldest(session_cache *cache) {
    session_cache_entry *oldest = NULL;
    size_t               at = 0;
    for (const base_map_slot *slot; (slot = base__map_next(&cache->entries, &at)) != NULL;) {
        session_cache_entry *entry = slot->value;
        if (!oldest || entry->used < oldest->used) oldest = entry;
    }
    return oldest ? base__map_remove(&cache->entries, key_of(oldest)) : NULL;
}

/* Puts the entry in; gives one that is to be freed outside the lock: a removed one, or this one
 * when another thread was quicker or memory is exhausted (the statement is then just not kept). */
static session_cache_entry *insert(corm_session *session, session_cache_entry *entry) {
    session_cache       *cache = &session->cache;
    session_cache_entry *unwanted = NULL;
    pthread_mutex_lock(&session->lock);
    entry->used = ++cache->uses;
    if (base__map_get(&cache->entries, key_of(entry))) {
        unwanted = entry;
    } else {
        if (cache->entries.count >= MOST_ENTRIES) unwanted = remove_oldest(cache);
        if (!base__map_put(&cache->entries, key_of(entry), entry)) {
            pthread_mutex_unlock(&session->lock);
            free_entry(unwanted);
            return entry;
        }
    }
    pthread_mutex_unlock(&session->lock);
    return unwanted;
}

void session__cache_put(corm_session *session, corm_prepared *prepared) {
    session_cache_entry *entry = new_entry(prepared->keyspace, prepared->text);
    if (!entry) return;
    entry->prepared = session__prepared_ref(prepared);
    free_entry(insert(session, entry));
}

corm_status session__prepare_cached(corm_session *session, corm_str keyspace, corm_str text,
                                    corm_prepared **out, corm_error *err) {
    *out = session__cache_find(session, keyspace, text);
    if (*out) return CORM_OK;
    CORM_TRY(session__prepare(session, keyspace, text, out, err));
    session__cache_put(session, *out);
    return CORM_OK;
}

void session__cache_clear(corm_session *session) {
    pthread_mutex_lock(&session->lock);
    base_map entries = session->cache.entries;
    session->cache.entries = (base_map){ 0 };
    pthread_mutex_unlock(&session->lock);
    size_t at = 0;
    for (const base_map_slot *slot; (slot = base__map_next(&entries, &at)) != NULL;) {
        free_entry(slot->value);
    }
    base__map_free(&entries);
}
