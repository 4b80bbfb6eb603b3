// SPDX-License-Identifier: MIT
/* prepared.h -- prepared statements of a cluster: known by keyspace and text, prepared once however many ask at the same time,
 * kept in a cache bounded in bytes, prepared again on a node that does not know them.
 *
 * A driver_prepared is immutable but for its metadata id and is counted with an atomic: sessions on any thread hold it; the cache
 * belongs to the loop's thread. */
#ifndef DRIVER_PREPARED_H
#define DRIVER_PREPARED_H

#include <stdatomic.h>

#include "base/map.h"
#include "cql/parser.h"
#include "wire/message.h"

typedef struct driver_prepared driver_prepared;
struct driver_prepared {
    atomic_uint     refs;
    base_arena      arena;
    corm_str        keyspace, text; /* as they were given */
    corm_bytes      id;
    corm_bytes      metadata_id; /* v5: as PREPARED had it; newer ones are the session's to send */
    corm_bytes      body;        /* of the PREPARED answer, for those who prepare it again */
    uint8_t         version;     /* of body */
    uint32_t        key_count;   /* markers of the partition key; 0: not all are markers */
    const uint16_t *key_markers;
    uint32_t        marker_count;
    const cql_marker        *markers;
    uint32_t                 column_count; /* of the rows that it answers with */
    const cql_result_column *columns;
    corm_str table_keyspace, table; /* of the first marker or column; empty: unknown */
    bool     idempotent, is_lwt, is_read;
    /* the cache's */
    corm_str         key; /* in by_text */
    driver_prepared *newer, *older;
    size_t           bytes;
    bool             cached;
};

static inline const wire_prepared *driver__prepared_wire(const driver_prepared *prepared) {
    return (const wire_prepared *)prepared;
}
static inline driver_prepared *driver__prepared_of(const wire_prepared *wire) {
    return (driver_prepared *)(uintptr_t)wire;
}
const wire_prepared *driver__prepared_ref(const wire_prepared *prepared);   /* any thread */
void                 driver__prepared_unref(const wire_prepared *prepared); /* any thread */

/* The partition key in wire form: the value itself, or made in *scratch; data NULL when not all of it is bound. */
corm_bytes driver__routing_key(const driver_prepared *prepared, const cql_value *values,
                               uint32_t count, base_buf *scratch);

typedef struct driver_prepared_cache {
    base_map         by_text; /* "keyspace\0text" */
    driver_prepared *newest, *oldest;
    atomic_size_t    bytes;
    size_t           most_bytes;
    base_map
        under_way; /* "keyspace\0text" to the request that prepares it: others wait for that one */
    struct driver_reprepare *again; /* statements that are being prepared again: reprepare.c */
    base_buf                 key;   /* for look-ups */
    uint64_t thrown_out, noted;     /* noted: how many may be before it is logged again */
} driver_prepared_cache;

/* "keyspace\0text" in cache->key; data NULL without memory. */
corm_str driver__prepared_key(driver_prepared_cache *cache, corm_str keyspace, corm_str text);

/* NULL when it is not cached; else moved to the front, one reference for the caller. */
driver_prepared *driver__prepared_find(driver_prepared_cache *cache, corm_str keyspace,
                                       corm_str text);
/* A statement of a PREPARED body; the cache and the caller get a reference each. Throws out the oldest beyond most_bytes. */
CORM_CHECKED corm_status driver__prepared_add(driver_prepared_cache *cache, corm_str keyspace,
                                              corm_str text, corm_bytes body, uint8_t version,
                                              uint32_t lwt_mask, driver_prepared **out,
                                              corm_error *err);
/* Forgets statements over a keyspace, or one of its tables or types (name data NULL: all of it). */
void driver__prepared_forget(driver_prepared_cache *cache, corm_str keyspace, corm_str name);
void driver__prepared_cache_free(driver_prepared_cache *cache);

/* What the parser says of a text, without a schema: conservative where it cannot know. */
typedef struct driver_text_facts {
    bool idempotent, is_lwt, is_read, is_ddl, is_use;
} driver_text_facts;
driver_text_facts driver__text_facts(corm_str text);
/* The same of a tree; with the markers of its PREPARED answer more is known. */
driver_text_facts driver__tree_facts(const cql_statement *statement, const cql_marker *markers,
                                     uint32_t marker_count);

/* v4 has no keyspace in a request: appends the text with `keyspace` put before the names of what the statement is about, where
 * they have none (the server looks up what stands inside in the same keyspace). *done false, and nothing appended, when the
 * text cannot be parsed or asks for the keyspace in use itself: USE must be sent then. */
CORM_CHECKED corm_status driver__qualify(corm_str text, corm_str keyspace, base_buf *out,
                                         bool *done, corm_error *err);

#endif
