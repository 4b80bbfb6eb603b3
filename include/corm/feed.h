// SPDX-License-Identifier: MIT
/* feed.h -- what was changed in a folder: inserts, updates, deletes with the values before and after, in the order of commits.
 *
 *   corm_feed *feed;
 *   corm_feed_open(session, &(corm_feed_options){ .from = CORM_FEED_OLDEST }, &feed, &err);
 *   for (const corm_change *change; corm_feed_next(feed, 1000, &change, &err) == CORM_OK;)
 *       if (change) … corm_change_kind_of(change) … corm_change_after(change, &row, &err) …
 *
 * Fed are tables with `cdc = true`, or all tables when corm_feed_configure() says so. A record is written in the transaction of the
 * write, so what is in the feed is what is in the tables, also after a crash. Positions are valid in every process that
 * has the folder open. Only the embedded store has a feed: a cluster's is CORM_UNSUPPORTED. docs/feed.md tells more. */
#ifndef CORM_FEED_H
#define CORM_FEED_H

#include "corm/session.h"
#include "corm/task.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A place in the feed: to be kept beside what was done with the changes up to it. Bytes without meaning to anybody else. */
typedef struct corm_feed_position {
    uint8_t bytes[20];
} corm_feed_position;

enum { CORM_FEED_POSITION_TEXT = 64 };

/* The position as text of letters, digits and dashes, zero-terminated; and back: CORM_INVALID_ARGUMENT. */
CORM_API void                     corm_feed_position_format(corm_feed_position position,
                                                            char               out[CORM_FEED_POSITION_TEXT]);
CORM_API CORM_CHECKED corm_status corm_feed_position_parse(const char         *text,
                                                           corm_feed_position *out,
                                                           corm_error         *err);

/* ---- what is fed and kept: the folder's, for all processes ---- */

typedef struct corm_feed_settings {
    bool     all_tables;   /* not only those with cdc = true */
    bool     whole_rows;   /* before and after hold all columns, not only those that changed */
    uint32_t keep_seconds; /* older changes are removed. default: 86400, a day */
    uint64_t keep_bytes;   /* and the oldest while there are more bytes. default: 1 GiB */
    uint32_t _canary;
} corm_feed_settings;

/* Changes the settings; zeros set the defaults. CORM_UNSUPPORTED: a cluster. */
CORM_API CORM_CHECKED corm_status corm_feed_configure(corm_session             *session,
                                                      const corm_feed_settings *settings,
                                                      corm_error               *err);

typedef struct corm_feed_state {
    corm_feed_settings settings;
    corm_feed_position oldest, newest; /* behind what was removed; behind the last change */
    uint64_t           changes, bytes; /* that are kept */
} corm_feed_state;
CORM_API CORM_CHECKED corm_status corm_feed_state_of(corm_session *session, corm_feed_state *out,
                                                     corm_error *err);

/* ---- reading ---- */

typedef enum corm_feed_from {
    CORM_FEED_OLDEST = 0, /* all that is kept */
    CORM_FEED_NOW,        /* what is written from now on */
    CORM_FEED_AT,         /* what was written at .time_us or later */
    CORM_FEED_BEHIND      /* what follows .position */
} corm_feed_from;

/* Zero means default. */
typedef struct corm_feed_options {
    corm_feed_from     from;
    int64_t            time_us; /* microseconds since 1970 */
    corm_feed_position position;
    const char *const *tables; /* "keyspace.table" or "keyspace". default: all that is fed */
    uint32_t           table_count;
    uint32_t           read_ahead; /* changes read at once. default: 128 */
    uint32_t           _canary;
} corm_feed_options;

typedef struct corm_feed   corm_feed;
typedef struct corm_change corm_change;

/* `options` may be NULL. *out is released by corm_feed_close(), before the session closes. CORM_UNSUPPORTED: a cluster;
 * CORM_INVALID_ARGUMENT: a position of another folder. One thread at a time, but for corm_feed_wake(). Not to be closed inside a
 * callback of corm_feed_next_async(). */
CORM_API CORM_CHECKED corm_status corm_feed_open(corm_session            *session,
                                                 const corm_feed_options *options, corm_feed **out,
                                                 corm_error *err);
CORM_API void                     corm_feed_close(corm_feed *feed);

#define CORM_FEED_FOREVER UINT32_MAX

/* The next change; waits for one. *change is NULL when the time is over or corm_feed_wake() was called; else it is valid until the
 * next call. CORM_FEED_LOST: changes behind the feed's position have been removed; begin at CORM_FEED_OLDEST, with what the
 * tables hold. */
CORM_API CORM_CHECKED corm_status corm_feed_next(corm_feed *feed, uint32_t timeout_ms,
                                                 const corm_change **change, corm_error *err);
/* The same for up to `max` changes at once, and at least one unless the time is over: all that were read ahead. `changes` has room. */
CORM_API CORM_CHECKED corm_status corm_feed_read(corm_feed *feed, uint32_t timeout_ms,
                                                 const corm_change **changes, uint32_t max,
                                                 uint32_t *count, corm_error *err);
/* The next change without waiting: the callback runs once, on a thread of the feed's, with what corm_feed_next() would have given.
 * `change` is NULL on failure, when the time is over and when the feed was woken; else it is valid until the callback returns. The
 * callback may ask for the next one. Cancelling the task (corm/task.h), or corm_feed_close(), ends the wait with CORM_CANCELLED, and
 * no change is lost. From the call to the return of the callback the feed is the callback's: calls from elsewhere, but for
 * corm_feed_wake() and corm_feed_close(), are CORM_INVALID_ARGUMENT. `callback` may be NULL: when the task has ended with
 * CORM_OK, corm_feed_next() gives what there is. NULL when memory is exhausted or the feed is being closed, and then the callback
 * does not run. */
typedef void (*corm_feed_callback)(void *context, corm_status status, const corm_change *change,
                                   const corm_error *error);
CORM_API corm_task *corm_feed_next_async(corm_feed *feed, uint32_t timeout_ms,
                                         corm_feed_callback callback, void *context);
/* From any thread: whoever waits in the feed, or does so next, returns. */
CORM_API void corm_feed_wake(corm_feed *feed);

/* Behind the last change that was handed out. */
CORM_API corm_feed_position corm_feed_position_of(const corm_feed *feed);

/* ---- a change ---- */

typedef enum corm_change_kind {
    CORM_CHANGE_INSERT = 1, /* a row is there that was not */
    CORM_CHANGE_UPDATE,
    CORM_CHANGE_DELETE, /* a row is not there any more; or a deletion of one that was not there */
    CORM_CHANGE_EXPIRE, /* values or the row have expired: told when reclaim meets them */
    CORM_CHANGE_RANGE,  /* rows were deleted together: those that were there follow, one by one */
    CORM_CHANGE_PARTITION, /* the same of a whole partition */
    CORM_CHANGE_TRUNCATE,
    CORM_CHANGE_SCHEMA
} corm_change_kind;

CORM_API corm_change_kind   corm_change_kind_of(const corm_change *change);
CORM_API const char        *corm_change_kind_name(corm_change_kind kind); /* "insert" … */
CORM_API corm_feed_position corm_change_position(const corm_change *change);
/* Changes of one statement or batch have the same number; numbers grow. */
CORM_API uint64_t corm_change_commit(const corm_change *change);
CORM_API corm_str corm_change_keyspace(const corm_change *change);
CORM_API corm_str corm_change_table(const corm_change *change); /* or the type's; "": a keyspace */
CORM_API int64_t  corm_change_time_us(const corm_change *change); /* by the clock of the machine */
CORM_API int64_t corm_change_timestamp_us(const corm_change *change); /* highest that was written */

/* Of a row: whether it is the partition's static one, was there before, is there after. */
CORM_API bool corm_change_is_static(const corm_change *change);
CORM_API bool corm_change_existed(const corm_change *change);
CORM_API bool corm_change_exists(const corm_change *change);

/* The following give results with at most one row, borrowed from the change; corm_result_next() gives the row, each time anew.
 * Key: the primary key's columns, of a partition or the static row the partition key's.
 * Before and after: the key and the columns that changed (all with whole_rows); no row where there was, or is, none. */
CORM_API CORM_CHECKED corm_status corm_change_key(const corm_change *change, corm_result **out,
                                                  corm_error *err);
CORM_API CORM_CHECKED corm_status corm_change_before(const corm_change *change, corm_result **out,
                                                     corm_error *err);
CORM_API CORM_CHECKED corm_status corm_change_after(const corm_change *change, corm_result **out,
                                                    corm_error *err);

/* When a column of `after` was written, and how many seconds it lives (0: for ever); false where nothing was written. Of a
 * collection: the latest of its elements. */
CORM_API bool corm_change_written(const corm_change *change, const char *column,
                                  int64_t *timestamp_us, uint32_t *ttl);

/* CORM_CHANGE_RANGE: from and to which values of the first clustering columns, in clustering order; a result without columns: the
 * partition's own edge. CORM_NOT_FOUND where the columns of one slice have different orders: the rows that follow tell. */
CORM_API CORM_CHECKED corm_status corm_change_range(const corm_change *change, bool is_end,
                                                    corm_result **out, bool *inclusive,
                                                    corm_error *err);

/* CORM_CHANGE_SCHEMA and CORM_CHANGE_TRUNCATE: "CREATED", "UPDATED", "DROPPED", "TRUNCATED"; "KEYSPACE", "TABLE", "TYPE";
 * the statement as CQL. */
CORM_API corm_str corm_change_verb(const corm_change *change);
CORM_API corm_str corm_change_target(const corm_change *change);
CORM_API corm_str corm_change_statement(const corm_change *change);

/* The whole change as one line of JSON without a newline; borrowed from the change. docs/feed.md has the members. */
CORM_API CORM_CHECKED corm_status corm_change_json(const corm_change *change, corm_str *out,
                                                   corm_error *err);

#ifdef __cplusplus
}
#endif
#endif
