// SPDX-License-Identifier: MIT
/* cache.c -- prepared statements for texts that are executed with values, so that their markers'
 * types are asked for once.
 *
 * Owned by a session, guarded by its lock. When it is full, the entry that was not used for the
 * longest time goes. */
#include <stdlib.h>

#include "base/fail.h"
#include "session/core.h"

enum { MOST_ENTRIES = 128 };

struct session_cache_entry {
    corm_prepared *prepared; /* one reference */
    uint64_t       used;     /* the cache's count of uses then */
    size_t         key_len;
    char           key[]; /* keyspace, zero byte, text */
};

static session_cache_entry *new_entry(corm_str keyspace, corm_str text) {
    size_t               len = keyspace.len + 1 + text.len;
    session_cache_entry *entry = calloc(1, sizeof *entry + len);
    if (!entry) return NULL;
    entry->key_len = len;
    if (keyspace.len > 0) memcpy(entry->key, keyspace.data, keyspace.len);
    if (text.len > 0) memcpy(entry->key + keyspace.len + 1, text.data, text.len);
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

static corm_prepared *look_up(corm_session *session, const session_cache_entry *wanted) {
    corm_prepared *out = NULL;
    pthread_mutex_lock(&session->lock);
    session_cache_entry *entry = base__map_get(&session->cache.entries, key_of(wanted));
    if (entry) {
        entry->used = ++session->cache.uses;
        out = session__prepared_ref(entry->prepared);
    }
    pthread_mutex_unlock(&session->lock);
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

corm_status session__prepare_cached(corm_session *session, corm_str keyspace, corm_str text,
                                    corm_prepared **out, corm_error *err) {
    session_cache_entry *entry = new_entry(keyspace, text);
    if (!entry) return base__fail_memory(err);
    *out = look_up(session, entry);
    if (*out) {
        free_entry(entry);
        return CORM_OK;
    }
    corm_status status = session__prepare(session, keyspace, text, out, err);
    if (status != CORM_OK) {
        free_entry(entry);
        return status;
    }
    entry->prepared = session__prepared_ref(*out);
    free_entry(insert(session, entry));
    return CORM_OK;
}

void session__cache_free(session_cache *cache) {
    size_t at = 0;
    for (const base_map_slot *slot; (slot = base__map_next(&cache->entries, &at)) != NULL;) {
        free_entry(slot->value);
    }
    base__map_free(&cache->entries);
}
