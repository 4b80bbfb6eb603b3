// SPDX-License-Identifier: MIT
/* core.h -- what the files of this folder share: the session, prepared statements, requests,
 * results. */
#ifndef SESSION_CORE_H
#define SESSION_CORE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/map.h"
#include "base/pool.h"
#include "session/door.h"

/* ---- the session ---- */

/* Prepared statements for texts that are executed with values: see cache.c. */
typedef struct session_cache_entry session_cache_entry;
typedef struct session_cache {
    base_map entries; /* "keyspace\0text" to session_cache_entry */
    uint64_t uses;    /* counts look-ups, to know which entry was not used for the longest time */
} session_cache;

enum { SESSION_KEY_BYTES = 32 };

/* Memory of tasks and results that have ended, for those that come: the steady path allocates nothing. Embedded first. */
typedef struct session_spare session_spare;
struct session_spare {
    session_spare *next;
    size_t         bytes;
};

typedef enum session_spare_kind {
    SESSION_SPARE_TASK,
    SESSION_SPARE_RESULT,
    SESSION_SPARE_KINDS
} session_spare_kind;

typedef struct session_spares {
    atomic_flag    lock; /* guards everything below; see spare.c */
    session_spare *first[SESSION_SPARE_KINDS];
    size_t         bytes; /* of all that is kept */
    bool           closed;
} session_spares;

struct corm_session {
    atomic_uint           refs; /* the handle; each prepared statement, task and result */
    session_door         *door;
    base_pool            *pool; /* NULL: the door is asynchronous */
    uint32_t              worker_threads;
    int32_t               page_size;
    wire_consistency      consistency;
    _Atomic(const char *) keyspace;  /* lives in `names`; never NULL */
    atomic_bool           closed;    /* the door must not be used any more */
    atomic_uint           under_way; /* tasks that have not ended */
    atomic_bool           closing;   /* somebody waits until none is */
    session_spares        spares;
    uint8_t               page_token_key[SESSION_KEY_BYTES]; /* page_token.c */

    pthread_mutex_t lock;           /* guards everything below */
    pthread_cond_t  idle;           /* under_way became 0 */
    base_arena      names;          /* every keyspace that was in use */
    base_map        used_keyspaces; /* their names to themselves */
    uint32_t        waiting;        /* workers that are blocked in corm_task_wait */
    corm_prepared  *prepared;       /* all prepared statements, linked */
    session_cache   cache;
};

corm_session *session__ref(corm_session *session);
void          session__unref(corm_session *session);

/* Memory to be used again, or NULL. */
session_spare *session__spare_take(corm_session *session, session_spare_kind kind);
/* Keeps `spare`, whose parts hold so many bytes beside itself; false when there is enough, or the session was closed. */
bool session__spare_keep(corm_session *session, session_spare_kind kind, session_spare *spare,
                         size_t bytes);
/* Frees what is kept and keeps no more. */
void session__spares_close(corm_session *session);
/* Of spares: frees them for good. In task.c and result.c. */
void session__task_destroy(session_spare *spare);
void session__result_destroy(session_spare *spare);

/* CORM_CLOSED when the session was closed. */
CORM_CHECKED corm_status session__check_open(const corm_session *session, corm_error *err);

/* Counts a request of another session's that uses this one's door: until it leaves, the door stays open. CORM_CLOSED when it is
 * closing or closed, and then nothing was counted. In task.c. */
CORM_CHECKED corm_status session__enter(corm_session *session, corm_error *err);
void                     session__leave(corm_session *session);

/* Makes it the keyspace in use, without asking the door. */
CORM_CHECKED corm_status session__use_keyspace(corm_session *session, corm_str keyspace,
                                               corm_error *err);

/* What the session learns from an answer: the keyspace of a USE, that the schema has changed. */
CORM_CHECKED corm_status session__note_answer(corm_session *session, const wire_answer *answer,
                                              corm_error *err);

/* ---- prepared statements ---- */

/* The columns that a prepared statement answers with. Immutable; lives as long as its statement. */
typedef struct session_metadata session_metadata;
struct session_metadata {
    session_metadata        *older;
    base_arena               arena;
    corm_bytes               id;
    uint32_t                 count;
    const cql_result_column *columns;
};

struct corm_prepared {
    atomic_uint          refs;
    corm_session        *session;      /* one reference */
    const wire_prepared *wire;         /* one reference; NULL when the session was closed */
    corm_prepared       *next, **link; /* in the session's list; guarded by its lock */
    base_arena           arena;
    corm_str             keyspace, text; /* as they were given */
    wire_answer          answer;         /* names of markers point into its body */
    uint32_t             marker_count;
    const cql_marker    *markers;
    uint32_t             key_count;    /* markers of the partition key; 0: not all are markers */
    const uint16_t      *key_markers;  /* in the key's order */
    corm_str            *marker_types; /* in CQL */
    _Atomic(session_metadata *)
         metadata; /* the newest; older ones stay for the results that use them */
    bool reads;    /* it answers with rows: a SELECT */
};

CORM_CHECKED corm_status session__prepare(corm_session *session, corm_str keyspace, corm_str text,
                                          corm_prepared **out, corm_error *err);
corm_prepared           *session__prepared_ref(corm_prepared *prepared);

/* The two halves of it, between which the door fills in prepared->answer; what is not finished is freed by
 * corm_prepared_free(). NULL when memory is exhausted. */
corm_prepared *session__prepared_new(corm_session *session, corm_str keyspace, corm_str text);
CORM_CHECKED corm_status session__prepared_finish(corm_prepared *prepared, corm_error *err);

/* The session's cache: NULL when the text is not there; else one reference for the caller. */
corm_prepared *session__cache_find(corm_session *session, corm_str keyspace, corm_str text);
/* Keeps the statement if there is memory for it. */
void session__cache_put(corm_session *session, corm_prepared *prepared);
/* Prepares through the cache. */
CORM_CHECKED corm_status session__prepare_cached(corm_session *session, corm_str keyspace,
                                                 corm_str text, corm_prepared **out,
                                                 corm_error *err);
/* Forgets all. */
void session__cache_clear(corm_session *session);

/* Takes over what a door answered: the statement has other columns by now. */
CORM_CHECKED corm_status session__prepared_changed(corm_prepared       *prepared,
                                                   const wire_metadata *metadata, corm_error *err);

/* Gives back what all statements hold behind the door, before it is closed. */
void session__detach_prepared(corm_session *session);

/* "there is no marker 'x' …", with the nearest name. */
corm_status session__no_marker(const corm_prepared *prepared, corm_str name, corm_error *err);

/* ---- requests ---- */

/* A request and what keeps its parts alive: the caller of a synchronous call, or `arena` and
 * `held`. */
typedef struct session_request {
    wire_request            wire;
    corm_str                keyspace;    /* for names without one */
    bool                    reads_ahead; /* the next page may be asked for before it is needed */
    corm_prepared          *prepared;    /* EXECUTE: borrowed from the caller, or from `held` */
    const session_metadata *metadata;    /* EXECUTE: what was current when the request was made */
    base_arena              arena;
    uint32_t                held_count;
    corm_prepared         **held; /* in the arena, one reference each */
    corm_prepared          *one;  /* instead of the arena: held when held_count is 1 */
} session_request;

/* Fills wire.options and keyspace; borrows from options. What it needs beside them is in the request's arena: the caller ends
 * with session__request_drop() or _clear(), also after a failure. */
CORM_CHECKED corm_status session__request_options(const corm_session         *session,
                                                  const corm_request_options *options,
                                                  session_request *request, corm_error *err);

/* Makes it an EXECUTE of the statement with these values. */
void session__request_execute(session_request *request, corm_prepared *prepared,
                              const cql_value *values);

/* Values in wire form with their bytes, in one piece of the arena; NULL when memory is exhausted. */
cql_value *session__wire_values_copy(base_arena *arena, const cql_value *values, uint32_t count);

/* A copy that owns all its parts. `out` is zero-initialised, and cleared by
 * session__request_clear() also on failure. */
CORM_CHECKED corm_status session__request_copy(const session_request *request, session_request *out,
                                               corm_error *err);
void                     session__request_clear(session_request *request);
/* Of a request that holds nothing: the arena. */
void session__request_drop(session_request *request);
/* The same, but the arena keeps memory. */
void session__request_reset(session_request *request);

/* Values that go with a text, before the types of its markers are known. */
typedef struct session_values {
    uint32_t                count;
    const corm_value       *values;
    uint32_t                named_count;
    const corm_named_value *named;
} session_values;

/* What the options of an execution say; borrows from them. */
CORM_CHECKED corm_status session__values_of(const corm_execute_options *options,
                                            session_values *out, corm_error *err);
CORM_CHECKED corm_status session__values_copy(const session_values *values, base_arena *arena,
                                              session_values *out, corm_error *err);

/* Prepares the text and makes the request its EXECUTE with the values in wire form; all are held by
 * the request. */
CORM_CHECKED corm_status session__request_bind(corm_session *session, session_request *request,
                                               corm_str text, const session_values *values,
                                               corm_error *err);
/* The same with a statement, whose reference is taken over. */
CORM_CHECKED corm_status session__request_bind_to(session_request *request, corm_prepared *prepared,
                                                  const session_values *values, corm_error *err);

/* The value for a marker appended to *out; *value.len is -1 or -2 for null and unset. Otherwise it
 * is left to the caller to point *value at the bytes, when the buffer does not move any more. */
CORM_CHECKED corm_status session__encode_marker(const corm_prepared *prepared, uint32_t index,
                                                const corm_value *from, base_buf *out, int32_t *len,
                                                corm_error *err);

/* Sends the request through the door, waits, and makes the result (out may be NULL). */
CORM_CHECKED corm_status session__call(corm_session *session, const session_request *request,
                                       corm_result **out, corm_error *err);

/* ---- results ---- */

struct corm_row {
    corm_result *result;
    cql_value   *values; /* one a column */
};

enum { SESSION_FEW_COLUMNS = 16 };

struct corm_result {
    session_spare spare;   /* first */
    corm_session *session; /* one reference */
    wire_answer   answer;
    base_arena    arena; /* of this page: columns, cells, decoded values, texts */
    corm_prepared
               *prepared; /* keeps the columns alive when they are a statement's; one reference */
    corm_task  *ahead; /* asks for the next page already; NULL: it is asked for when it is wanted */
    bool        has_next;
    bool        paged; /* what only pages need, at the end, is or was in use */
    uint32_t    rows_left;
    corm_str   *column_types; /* in CQL; made when asked for */
    corm_row    row;
    base_reader next_row;
    wire_result wire;                     /* borrows from the answer's body */
    cql_value   few[SESSION_FEW_COLUMNS]; /* row.values of most results */
    session_request next_page;            /* with has_next */
    wire_answer     other;                /* memory for the next page's */
};

/* An empty one, whose answer is to be filled in by the door; released by corm_result_free(). NULL when memory is
 * exhausted. */
corm_result *session__result_new(corm_session *session);
/* Of an answer's body. */
static inline uint8_t session__answer_version(const wire_answer *answer) {
    return answer->version ? answer->version : WIRE_VERSION;
}

/* Reads the answer to the request. */
CORM_CHECKED corm_status session__result_read(corm_result *result, const session_request *request,
                                              corm_error *err);

/* Holds the calling thread so long. */
void session__pause(uint32_t ms);

/* ---- page tokens ---- */

/* The session's key: the options', or a new one. */
CORM_CHECKED corm_status session__set_page_token_key(corm_session               *session,
                                                     const corm_session_options *options,
                                                     corm_error                 *err);

/* The column and value of a cell; false when the index is out of range or the value is null. */
bool session__row_cell(const corm_row *row, uint32_t index, const cql_type **type, cql_value *out);

/* ---- tasks ---- */

/* A task whose request is to be filled in; NULL when memory is exhausted. */
corm_task *session__task_new(corm_session *session, corm_task_callback callback, void *context);
session_request *session__task_request(corm_task *task);
void             session__task_discard(corm_task *task); /* instead of starting it */

/* The text is prepared and its values are bound first. All that is given is in the arena of the task's
 * request. */
void session__task_bind_later(corm_task *task, corm_str text, const session_values *values);

/* Begins it. `on_worker`: it may take long, where the door is not asynchronous; otherwise the door is asked at
 * once. The caller's reference stays. */
void session__task_start(corm_task *task, bool on_worker);

/* A new task of something else than a request, which begins here and ends with session__task_end(): that calls `tell`, which may
 * call the user back, on the task's thread. `stop` is called when the task is cancelled, as long as it has not ended. CORM_CLOSED:
 * the session is being closed; nothing has begun. */
CORM_CHECKED corm_status session__task_open(corm_task  *task, void (*stop)(corm_session *session),
                                            corm_error *err);
bool                     session__task_is_cancelled(const corm_task *task);
void session__task_end(corm_task *task, corm_status status, const corm_error *error,
                       void (*tell)(void *context), void *context);

/* Waits for a task without a callback and exchanges *answer with what it was answered. */
CORM_CHECKED corm_status session__task_take(corm_task *task, wire_answer *answer, corm_error *err);

/* Ends it at once with a failure. */
void session__task_fail(corm_task *task, corm_status status, const corm_error *error);

/* Starts the new task on a copy of the request; or, when status is no success, it fails with *err. NULL, and the task is gone,
 * when memory is exhausted. */
corm_task *session__task_begin(corm_task *task, corm_status status, const session_request *request,
                               bool on_worker, corm_error *err);

/* The same with a task of its own. */
corm_task *session__task_run(corm_session *session, corm_status status,
                             const session_request *request, bool on_worker,
                             corm_task_callback callback, void *context, corm_error *err);

#endif
