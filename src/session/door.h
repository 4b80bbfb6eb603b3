// SPDX-License-Identifier: MIT
/* door.h -- what is behind a session: the embedded store today, a cluster, a fake in tests. */
#ifndef SESSION_DOOR_H
#define SESSION_DOOR_H

#include <stdatomic.h>

#include "base/arena.h"
#include "corm/cluster.h"
#include "wire/result.h"

typedef struct session_door session_door;

typedef void (*session_door_callback)(void *context, corm_status status, const corm_error *error);

/* Every function may be called from any thread. `keyspace` is the one for names without; on a USE
 * the answer is a SET_KEYSPACE body and the session remembers. */
typedef struct session_door_ops {
    /* Blocks until *answer is filled or the request failed. */
    corm_status (*execute)(session_door *door, corm_str keyspace, const wire_request *request,
                           wire_answer *answer, corm_error *err);
    /* Returns at once when `may_block` work is under way elsewhere; `request`, its parts, and
     * `answer` live until the callback, which runs exactly once, perhaps before this returns. */
    void (*submit)(session_door *door, corm_str keyspace, const wire_request *request,
                   wire_answer *answer, session_door_callback callback, void *context);
    /* Both may also be called when the door is closed. */
    const wire_prepared *(*prepared_ref)(const wire_prepared *prepared);
    void (*prepared_unref)(const wire_prepared *prepared);
    /* The schema snapshot, one reference for the caller; NULL where the door has none. */
    cql_schema *(*schema)(session_door *door);
    void (*close)(session_door *door); /* waits for requests under way; frees the door */
    /* The store behind it; NULL where there is none in this process. */
    struct engine *(*store)(session_door *door);
    /* The following are NULL or false for the embedded store. A door is asynchronous when submit never blocks and calls
     * back on a thread of its own (or on the caller's loop): the session then uses no worker, and user callbacks run
     * there. */
    bool asynchronous;
    /* Whether the caller runs inside one of the door's callbacks: waiting there would never end. */
    bool (*in_callback)(session_door *door);
    /* The caller's own loop: runs it until something happened; NULL when the door has a thread. */
    void (*turn)(session_door *door);
    /* Gives up on what was submitted with this context: its callback comes soon, with CORM_CANCELLED or with the answer. */
    void (*cancel)(session_door *door, void *context);
    /* A cluster's, as driver.h has them: figures; agreement on the schema; the ring's tokens, sorted and malloc'ed; the options
     * with every default filled in. */
    corm_status (*stats)(session_door *door, const corm_stats **out, corm_error *err);
    corm_status (*agree)(session_door *door, uint32_t timeout_ms, corm_error *err);
    corm_status (*tokens)(session_door *door, int64_t **tokens, uint32_t *count, corm_error *err);
    const corm_cluster_options *(*options)(session_door *door);
} session_door_ops;

/* Embedded first in each door's own struct. */
struct session_door {
    const session_door_ops *ops;
};

/* The embedded store. */
CORM_CHECKED corm_status session__open_embedded(const char                 *path,
                                                const corm_session_options *options,
                                                session_door **out, corm_error *err);

/* A session over any door; takes the door over, also on failure. For tests and for the driver. */
CORM_CHECKED corm_status session__open_door(session_door *door, const corm_session_options *options,
                                            corm_session **out, corm_error *err);

/* A session with middleware in front of another; `owns`: closing it closes that too. */
CORM_CHECKED corm_status session__open_middleware(corm_session *behind, bool owns,
                                                  const struct corm_middleware *list,
                                                  corm_session **out, corm_error *err);

/* Whether there is a cluster behind the session. */
bool session__is_cluster(const corm_session *session);

/* The embedded store behind the session, as long as it is open; NULL: it has none. For the server. */
struct engine *session__store(const corm_session *session);

/* Bytes that may leave the process: sealed with the session's key, and bound to other bytes that whoever opens them must have.
 * *token is the caller's to free(). */
CORM_CHECKED corm_status session__seal_token(const corm_session *session, corm_bytes bound,
                                             corm_bytes state, char **token, corm_error *err);
/* *state is a slice of *bytes. `max_age_s` 0: any age. */
CORM_CHECKED corm_status session__open_token(const corm_session *session, corm_bytes bound,
                                             const char *token, uint32_t max_age_s, base_buf *bytes,
                                             corm_bytes *state, corm_error *err);

/* A URI as it may stand in a message: with *** for its password. NULL when memory is exhausted. */
const char *session__uri_shown(base_arena *arena, const char *uri);

/* For the command and the mapper: the engine's snapshot (see ops.schema) and the result's parsed
 * form. */
cql_schema        *session__schema(corm_session *session);
const wire_result *session__result_wire(const corm_result *result);
void              session__result_ahead(corm_result *result); /* a cluster asks for the next page */
const cql_value  *session__row_values(const corm_row *row);   /* as many as columns */
const cql_marker *session__prepared_markers(const corm_prepared *prepared, uint32_t *count);

/* A deep copy of a value into the arena. */
CORM_CHECKED corm_status session__value_copy(const corm_value *value, base_arena *arena,
                                             corm_value *out, corm_error *err);

/* ---- around the run of a batch ---- */

/* Who wants to know when a batch is run. `begin` is called before each run, in the order of adding, and may refuse it; `end` after
 * each run whose begin was called for the first of them, in reverse, with the outcome: it gives the status that the caller sees (*err is never NULL, and
 * holds the error of a failure). *state is the watch's own, from begin to end; NULL when its begin was not called. `waited`: on the thread that runs
 * the batch. `free` may be called on any thread. */
typedef struct session_batch_watch session_batch_watch;
struct session_batch_watch {
    session_batch_watch *next; /* set by session__batch_watch() */
    atomic_uint          refs; /* likewise */
    corm_status (*begin)(session_batch_watch *watch, corm_batch *batch, void **state,
                         corm_error *err);
    corm_status (*end)(session_batch_watch *watch, void *state, bool waited, corm_status status,
                       corm_error *err);
    void (*free)(session_batch_watch *watch);
};
/* The batch takes the watch over. */
void session__batch_watch(corm_batch *batch, session_batch_watch *watch);
/* Takes out what was added behind the first `count` statements. */
void session__batch_cut(corm_batch *batch, uint32_t count);
/* The first of those of the batch; the others by ->next. */
session_batch_watch *session__batch_watches(const corm_batch *batch);

/* The columns a prepared statement answers with, or of a result. */
const cql_result_column *session__result_columns(const corm_result *result, uint32_t *count);

#endif
