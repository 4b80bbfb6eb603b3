// SPDX-License-Identifier: MIT
/* stream.h -- all rows of a table, of a model or of a SELECT, given to callbacks (or taken one by one) with bounded memory.
 *
 *   corm_stream *stream;
 *   corm_stream_open(db, &stream, { .model = &users, .filter = is_active, .transform = add_score, .data = print_user });
 *   status = corm_stream_run(stream, &err);
 *   corm_stream_free(stream);
 *
 * Pages are read ahead by as many requests as `concurrency`, no more of them than max_bytes and max_rows allow: when the
 * callbacks are slow, nothing more is read. Each row that is read is delivered exactly once: to `filter`, and when that says
 * yes to `transform` and `data`. A page that could not be read is asked for again; it had delivered nothing. docs/streaming.md */
#ifndef CORM_STREAM_H
#define CORM_STREAM_H

#include "corm/cluster.h"
#include "corm/db.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct corm_stream corm_stream;

/* What a callback is told of a batch: a page of at most batch_size rows. */
typedef struct corm_stream_batch {
    uint64_t number; /* from 1, in the order of delivery */
    uint32_t size;   /* rows delivered */
    uint32_t read;   /* with those that the filter left out */
    size_t   bytes;  /* of the page as it was read */
    uint32_t worker; /* 0 … workers - 1; 0 without workers */
} corm_stream_batch;

typedef struct corm_stream_stats {
    uint64_t rows;     /* delivered */
    uint64_t read;     /* with those that were left out */
    uint64_t filtered; /* left out by the filter, or by the model */
    uint64_t bytes;    /* of pages that were read */
    uint64_t pages, batches;
    uint64_t retries; /* pages that were asked for again */
    double   seconds; /* in corm_stream_run, or since the first corm_stream_next */
    double   rows_per_second;
    double   paused_seconds;
    uint64_t held_back; /* times that nothing more was asked for because of max_bytes or max_rows */
    size_t   bytes_in_flight,
        bytes_in_flight_peak; /* asked for (by estimate), waiting and being delivered */
    uint64_t rows_in_flight, rows_in_flight_peak;
    double   progress; /* of the ring, 0 to 1; of a SELECT 0 until its end */
} corm_stream_stats;

/* `item` is the row: with a model the struct, else a const corm_row *; behind a transform with out_size what that made. It is
 * valid during the call. Without workers all callbacks run on the thread that is in corm_stream_run or corm_stream_next, with workers
 * on theirs, several at the same time. Any call of the stream and of the session is allowed inside but another run. */
typedef struct corm_stream_options {
    /* What is read: one of these three. A model and a cql: any SELECT into structs. */
    const char       *table;    /* by token ranges */
    const corm_model *model;    /* likewise; rows that are softly deleted are left out */
    const char       *cql;      /* a SELECT, page by page */
    const char       *keyspace; /* of `table`. default: the session's */
    const char       *columns;  /* of `table`: a SELECT's list. default: "*" */
    const char
             *where; /* of `table` and `model`: further conditions in CQL; needs allow_filtering */
    bool      allow_filtering;
    corm_term conditions
        [CORM_MAX_TERMS]; /* of `model`: held by Corm on the rows read, any operator but a token's */
    bool              with_deleted, only_deleted; /* of a model with a CORM_DELETED_AT column */
    const char       *scope[4]; /* scopes of the model, by name: their conditions */
    bool              unscoped; /* without the model's default scopes */
    const corm_value *values;   /* of `cql` */
    uint32_t          value_count;
    corm_request_options
        request; /* consistency, timeout, profile; page_size and paging_state are the stream's */
    const char *resume; /* what corm_stream_checkpoint gave. default: from the beginning */

    uint32_t batch_size;  /* rows a page, and so a batch. default: 1000 */
    uint32_t concurrency; /* token ranges read at the same time. default: 4 */
    uint32_t
             ranges; /* pieces that the ring is cut into, at least. default: 256, on an embedded store 4 * concurrency */
    uint32_t workers; /* threads that run the callbacks. default: 0, the caller's */
    bool
             ordered; /* rows come in the order of their tokens; with workers only filter and transform run at the same time */
    size_t   max_bytes; /* asked for, waiting and being delivered. default: 16 MiB */
    uint64_t max_rows;  /* likewise. default: 0, no limit */
    size_t
             page_bytes; /* a page is asked for with fewer rows than batch_size when so many bytes hold fewer. default: 1 MiB */
    uint32_t retries;    /* of a page that failed with a retryable status. default: 5 */
    bool     no_retry;
    uint32_t
        retry_delay_ms; /* before the first; doubled for each further one, at most 10 s. default: 100 */

    /* All may be NULL. A status other than CORM_OK stops the stream with it. */
    bool (*filter)(void *context, const void *item); /* whether the row is wanted */
    /* Changes the row (a struct) in place, or with out_size makes another in *out, which is zeroed. */
    corm_status (*transform)(void *context, void *item, void *out, corm_error *err);
    size_t out_size;
    corm_status (*data)(void *context, void *item, corm_error *err);
    /* Behind the last row of a page; a checkpoint taken here has this page. */
    corm_status (*batch)(void *context, const corm_stream_batch *batch, corm_error *err);
    /* Each run ends with one of the two: behind the last row; or with what stopped it (CORM_CANCELLED too). */
    void (*end)(void *context, const corm_stream_stats *stats);
    void (*failed)(void *context, corm_status status, const corm_error *error);
    void (*retrying)(void *context, uint32_t attempt, const corm_error *error);
    void       *context;
    corm_error *error;
    uint32_t    _canary;
} corm_stream_options;

/* *out is released by corm_stream_free(). Everything given is copied but the model and what contexts point to. */
CORM_API CORM_CHECKED corm_status corm_stream_open_with(corm_db                   *db,
                                                        const corm_stream_options *options,
                                                        corm_stream              **out);
/* The same over a session alone: a table or a SELECT. */
CORM_API CORM_CHECKED corm_status corm_stream_session_with(corm_session              *session,
                                                           const corm_stream_options *options,
                                                           corm_stream              **out);
#ifndef __cplusplus
#define corm_stream_open(db, out, ...)                                                             \
    corm_stream_open_with((db), &(corm_stream_options)__VA_ARGS__, (out))
#define corm_stream_session(session, out, ...)                                                     \
    corm_stream_session_with((session), &(corm_stream_options)__VA_ARGS__, (out))
#endif

/* Reads to the end. CORM_CANCELLED after corm_stream_cancel; what a callback gave; what could not be read. It can be called again
 * after it has stopped (not when cancelled): it goes on with the row behind the one whose callback failed. CORM_WOULD_DEADLOCK
 * inside a callback of the session's or of this stream. */
CORM_API CORM_CHECKED corm_status corm_stream_run(corm_stream *stream, corm_error *err);

/* Instead of corm_stream_run: the next row, filtered and transformed; *item NULL at the end. Valid until the next call. Waits while the
 * stream is paused, for another thread to resume it. One thread at a time; not with workers. */
CORM_API CORM_CHECKED corm_status corm_stream_next(corm_stream *stream, void **item,
                                                   corm_error *err);

/* Any thread, also inside a callback. A paused stream delivers nothing more (workers end the row that they are at) and, when
 * what it has asked for is there, reads nothing more; corm_stream_run waits. */
CORM_API void corm_stream_pause(corm_stream *stream);
CORM_API void corm_stream_resume(corm_stream *stream);
CORM_API bool corm_stream_is_paused(const corm_stream *stream);
/* For good; paused streams too. */
CORM_API void corm_stream_cancel(corm_stream *stream);
CORM_API void corm_stream_statistics(const corm_stream *stream, corm_stream_stats *out);

/* Where the stream is, as a text for `resume`, also in another process: pages that were delivered to the last row are not read again,
 * others are. malloc'ed. Any thread. */
CORM_API CORM_CHECKED corm_status corm_stream_checkpoint(corm_stream *stream, char **text,
                                                         corm_error *err);
/* Not while it runs. NULL is ignored. */
CORM_API void corm_stream_free(corm_stream *stream);

#ifdef __cplusplus
}
#endif
#endif
