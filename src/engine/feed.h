// SPDX-License-Identifier: MIT
/* feed.h -- the change feed: what each write changed, in the order of commits, kept for a while.
 *
 *   writer   flush.c ─ engine__feed_row, engine__feed_ranges    ddl.c ─ engine__feed_schema       feed_change.c, feed_schema.c
 *                          └─────── records, in the write's own transaction ───────┘
 *   KV_FEED  1 (1) | commit number (8) | index (4)  ->  a record
 *            2 (1) | schema serial (8)              ->  the schema with this serial: what older records are read by
 *   reader   engine__feed_open ─ engine__feed_read ─ engine__feed_wait                            feed_read.c, feed_record.c
 *
 * Fed are tables with cdc = true, and, when the store's settings say so, all that are not the system's. Each request that changed
 * something in them has a commit number, one more than the last, and each of its changes an index. What is older than
 * the settings allow, or more than they allow, is removed by writers bit by bit, oldest first.
 *
 * A record (uvarints, but for what has a size):
 *   kind u8, flags u8, time i64, timestamp i64, schema serial, table id (16; zeros: none), then
 *     rows:        partition key, image before, image after    each a length and bytes; images as in row.h, only of the columns that
 *                                                              differ (all with FEED_WHOLE); an empty one holds nothing
 *     ranges:      partition key, start, end, two edges        edges: number of values + 1 (0: unknown), inclusive u8, each value
 *     schema:      verb, target, keyspace, name, statement     each a length and bytes
 */
#ifndef ENGINE_FEED_H
#define ENGINE_FEED_H

#include "cql/schema.h"
#include "engine/bounds.h"
#include "engine/engine.h"
#include "engine/kv.h"
#include "engine/row.h"

enum { ENGINE_FEED_KEEP_S = 24 * 60 * 60, ENGINE_FEED_KEEP_BYTES = 1 << 30 }; /* defaults */

typedef struct engine_feed_position {
    uint64_t commit;
    uint32_t index;
} engine_feed_position;

static inline int engine__feed_compare(engine_feed_position a, engine_feed_position b) {
    if (a.commit != b.commit) return a.commit < b.commit ? -1 : 1;
    return a.index < b.index ? -1 : a.index > b.index;
}

/* The settings of a store; they hold for all processes. */
typedef struct engine_feed_settings {
    bool     all;        /* every table, not only those with cdc = true */
    bool     whole;      /* images of whole rows, not only of the columns that changed */
    uint32_t keep_s;     /* records older than this go */
    uint64_t keep_bytes; /* and the oldest while there are more bytes of them */
} engine_feed_settings;

/* Stored under "feed" of KV_META. */
typedef struct engine_feed_state {
    engine_feed_settings settings;
    uint64_t             commit;       /* the last number given out */
    engine_feed_position lost;         /* of the last record that was removed */
    uint64_t             count, bytes; /* of records */
    int64_t              first_us;     /* of the oldest one */
} engine_feed_state;

CORM_CHECKED corm_status engine__feed_state_of(engine *store, engine_feed_state *out,
                                               corm_error *err);
/* Changes the settings, as a write of its own. */
CORM_CHECKED corm_status engine__feed_configure(engine *store, const engine_feed_settings *settings,
                                                corm_error *err);

typedef enum engine_feed_kind {
    ENGINE_FEED_INSERT = 1, /* a row is there that was not */
    ENGINE_FEED_UPDATE,     /* a row that is there has changed */
    ENGINE_FEED_DELETE,     /* a row is not there (any more) */
    ENGINE_FEED_EXPIRE,     /* reclaim met what had expired */
    ENGINE_FEED_RANGE, /* rows were deleted together; those that were there follow one by one */
    ENGINE_FEED_PARTITION,
    ENGINE_FEED_TRUNCATE,
    ENGINE_FEED_SCHEMA
} engine_feed_kind;

enum {
    FEED_STATIC = 1, /* of the static row */
    FEED_WAS = 2,    /* the row was there before */
    FEED_IS = 4,     /* and is after */
    FEED_WHOLE = 8   /* the images hold all columns */
};

/* One change; all it points to lives as long as the arena it was read into and `schema`. */
typedef struct engine_feed_change {
    engine_feed_position position;
    engine_feed_kind     kind;
    uint8_t              flags;
    int64_t
                     time_us; /* when it was written, by this machine's clock; never less than that of the change before */
    int64_t          timestamp; /* the highest of what was written */
    uint64_t         serial;
    corm_uuid        table_id;      /* zeros: a keyspace or type */
    cql_schema      *schema;        /* by which it is to be read: one reference */
    const cql_table *table;         /* NULL: the change is of no table */
    corm_bytes       key;           /* partition key, serialised */
    corm_bytes       before, after; /* images: row.h */
    corm_bytes       start, end;    /* RANGE */
    engine_edge      from, to;
    bool             has_edges;
    corm_str         verb, target, keyspace, name,
        statement; /* SCHEMA; keyspace and name also of TRUNCATE */
} engine_feed_change;

/* A reader's place. One thread at a time; it holds nothing of the store between calls. */
typedef struct engine_feed_reader {
    engine              *store;
    engine_feed_position after;       /* the last change that was read */
    uint64_t             seen, wakes; /* number of the last snapshot; kv__wakes before it */
    cql_schema          *schema;      /* of records with serials in between: one reference */
    uint64_t             schema_from, schema_to;
} engine_feed_reader;

typedef enum engine_feed_start {
    ENGINE_FEED_OLDEST, /* all that is kept */
    ENGINE_FEED_NOW,    /* what is written from now on */
    ENGINE_FEED_AT,     /* what was written at a time or later */
    ENGINE_FEED_BEHIND  /* what follows a position */
} engine_feed_start;

/* `out` is released by engine__feed_close(). BEHIND: CORM_INVALID_ARGUMENT when the store has not come so far. */
CORM_CHECKED corm_status engine__feed_open(engine *store, engine_feed_start start, int64_t time_us,
                                           engine_feed_position position, engine_feed_reader *out,
                                           corm_error *err);
void                     engine__feed_close(engine_feed_reader *reader);

/* Reads up to `max` changes into items, whose schemas are released by engine__feed_release(); bytes go into the arena. A commit
 * may be cut. CORM_FEED_LOST: records behind the reader's place have been removed; err says from where on there are. */
CORM_CHECKED corm_status engine__feed_read(engine_feed_reader *reader, base_arena *arena,
                                           engine_feed_change *items, uint32_t max, uint32_t *count,
                                           corm_error *err);
void                     engine__feed_release(engine_feed_change *items, uint32_t count);

/* Waits until something was committed since the last read, or the time is over. */
CORM_CHECKED corm_status engine__feed_wait(engine_feed_reader *reader, int64_t timeout_ns,
                                           bool *something, corm_error *err);

/* Ends all waits of the store's readers. */
void engine__feed_wake(engine *store);

/* Which store it is: made with it, kept for ever. */
corm_uuid engine__id(const engine *store);

/* ---- between the files of the feed ---- */

enum {
    FEED_KEY_RECORD = 1,
    FEED_KEY_SCHEMA = 2,
    FEED_RECORD_KEY = 1 + 8 + 4,
    FEED_SCHEMA_KEY = 1 + 8
};

/* The state in a transaction. */
CORM_CHECKED corm_status engine__feed_state_in(kv_txn *txn, engine_feed_state *out,
                                               corm_error *err);

void engine__feed_key(engine_feed_position position, uint8_t key[FEED_RECORD_KEY]);
/* False when the key is no record's. */
bool engine__feed_key_read(corm_bytes key, engine_feed_position *out);

/* Appends a record; reads one (schema and table are left alone, the bytes are borrowed, edges in the arena). */
void engine__feed_put_head(engine_feed_kind kind, uint8_t flags, int64_t time_us, int64_t timestamp,
                           uint64_t serial, const corm_uuid *table_id, base_buf *out);
void engine__feed_put_bytes(corm_bytes bytes, base_buf *out);
void engine__feed_put_edge(bool has_edges, const engine_edge *edge, base_buf *out);
CORM_CHECKED corm_status engine__feed_record(corm_bytes bytes, base_arena *arena,
                                             engine_feed_change *out, corm_error *err);

#endif
