// SPDX-License-Identifier: MIT
/* core.h -- what the files of a stream share. Private to this folder.
 *
 *   pieces of the ring      lanes: one request each        waiting pages        cursors: one a thread
 *   (──](───](──](───]  ─►  [piece, state, task]  ─►  page ─► page ─► page  ─►  rows ─► filter ─► transform ─► data
 *        source.c                read.c                       read.c                  deliver.c
 *
 * Whoever wants a page asks for more first (stream__take), so that nothing is read that nobody waits for. Everything but the atomics is
 * guarded by the gate's lock, or is immutable once the stream is open, or belongs to a cursor. */
#ifndef STREAM_CORE_H
#define STREAM_CORE_H

#include "corm/stream.h"
#include "orm/core.h"
#include "session/scan.h"
#include "session/statement.h"
#include "stream/gate.h"

typedef struct stream_lane stream_lane;
typedef struct stream_page stream_page;

/* A page that was read. */
struct stream_page {
    stream_page *next;   /* of the list that it is in */
    uint32_t     piece;  /* of the ring */
    uint32_t     number; /* in its piece, from 0 */
    uint64_t     ticket; /* its turn in the order of delivery */
    corm_result *result; /* NULL when it was given away */
    uint32_t     rows;
    size_t       bytes;
    bool         last;  /* of its piece */
    uint8_t     *state; /* malloc'ed: the paging state behind it */
    size_t       state_len;
};

/* One request at a time. */
struct stream_lane {
    corm_stream *stream;
    bool         has_piece;
    bool         starting, busy; /* being asked; the answer is not there */
    uint32_t     piece, number;  /* that the next page is of */
    uint8_t     *state;          /* malloc'ed: where it begins; NULL: at the piece's beginning */
    size_t       state_len;
    corm_task   *task;
    uint32_t     attempts;
    int64_t      not_before_ns; /* after a failure, which is in `error` */
    corm_error   error;
    size_t       reserved_bytes;
    uint64_t     reserved_rows;
};

/* Rows on their way through the callbacks: of one thread at a time. */
typedef struct stream_cursor {
    corm_stream    *stream;
    uint32_t        worker;
    stream_page    *page; /* NULL: the next is to be taken */
    corm_rows      *rows; /* with a model */
    uint32_t        count, at;
    atomic_uint     delivered; /* of the page; written by the cursor's thread */
    bool            is_begun;  /* the page's rows can be walked */
    const corm_row *row;
    uint8_t        *out; /* what transforms made: one, or one a row */
    size_t          out_bytes;
    uint8_t        *wanted; /* by row; of pages whose rows are all looked at first */
    size_t          wanted_count;
    bool            is_prepared; /* they were */
    corm_status     status;
    corm_error      error;
    pthread_t       thread;
} stream_cursor;

enum { STREAM_PAUSED = 1, STREAM_CANCELLED = 2, STREAM_STOPPED = 4 };

struct corm_stream {
    corm_stream_options  options; /* defaults filled in; texts are gone */
    corm_session        *session;
    orm_model           *model; /* NULL: rows as they are */
    base_arena           arena;
    stream_gate          gate;
    corm_prepared       *prepared;
    corm_statement      *statement; /* the values of a SELECT */
    bool                 by_token;
    uint64_t             query;
    corm_request_options request;
    uint32_t             filter_count;
    orm_filter          *filters;
    atomic_uint          control; /* STREAM_… */

    scan_pieces    pieces;
    uint32_t      *seen; /* by piece: pages that were delivered */
    uint32_t       next_piece, head;
    stream_lane   *lanes;
    stream_page   *ready, **ready_end;
    stream_page   *early; /* delivered before one in front of them in their piece */
    uint64_t       tickets, turn;
    uint32_t       under_way; /* requests */
    size_t         row_bytes; /* that a row may have, by the pages so far; 0: unknown */
    corm_status    failure;   /* that ends the run */
    corm_error     error;
    bool           running;
    stream_cursor *cursors; /* one a worker; without workers one */

    corm_stream_stats stats;
    uint64_t          left; /* of the ring */
    int64_t           began_ns, paused_ns, run_ns;
    bool              ended;
};

/* ---- source.c: what is read ---- */

CORM_CHECKED corm_status stream__open_source(corm_stream *stream, const corm_stream_options *given,
                                             corm_error *err);

/* ---- read.c: pages ---- */

/* The next page, or NULL at the end, or when the stream was stopped by another thread. Asks for those behind it. */
CORM_CHECKED corm_status stream__take(corm_stream *stream, stream_page **out, corm_error *err);
/* The cursor's page was delivered to its last row: gives it back. *number: of the batch. */
void stream__finish(stream_cursor *cursor, uint64_t *number);
/* Waits while the stream is paused; false: it was stopped or cancelled. */
bool stream__go_on(corm_stream *stream);
/* Ends the run with this failure, unless another thread has. */
void stream__stop(corm_stream *stream, corm_status status, const corm_error *error);
/* Gives up what is under way and frees what waits. */
void stream__drain(corm_stream *stream);

/* ---- deliver.c ---- */

/* Through all rows, until the end or until the stream is stopped. */
CORM_CHECKED corm_status stream__deliver(stream_cursor *cursor, corm_error *err);
/* One row; *item NULL at the end. */
CORM_CHECKED corm_status stream__step(stream_cursor *cursor, void **item, corm_error *err);
void                     stream__cursor_free(stream_cursor *cursor);

#endif
