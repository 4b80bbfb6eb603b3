// SPDX-License-Identifier: MIT
/* session.h -- the one door: a URI opens it, CQL goes in, results come out.
 *
 *   corm:./shop              a folder: the embedded store (made when missing)
 *   corm::memory:            the embedded store without a folder, gone at close
 *   corm:./shop?keyspace=shop&durability=relaxed&read_only=true&create=false
 *   cassandra://user:pass@h1,h2:9042/shop    a cluster: see corm/cluster.h
 *
 * A session may be used from any number of threads at once. */
#ifndef CORM_SESSION_H
#define CORM_SESSION_H

#include "corm/result.h"
#include "corm/task.h"
#include "corm/value.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct corm_session         corm_session;
typedef struct corm_prepared        corm_prepared;
typedef struct corm_statement       corm_statement;
typedef struct corm_batch           corm_batch;
typedef struct corm_cluster_options corm_cluster_options; /* corm/cluster.h */
typedef struct corm_middleware      corm_middleware;      /* corm/middleware.h */

/* The values of the native protocol plus one, so that zero means default. */
typedef enum corm_consistency {
    CORM_CONSISTENCY_DEFAULT = 0,
    CORM_ANY,
    CORM_ONE,
    CORM_TWO,
    CORM_THREE,
    CORM_QUORUM,
    CORM_ALL,
    CORM_LOCAL_QUORUM,
    CORM_EACH_QUORUM,
    CORM_SERIAL,
    CORM_LOCAL_SERIAL,
    CORM_LOCAL_ONE
} corm_consistency;

/* Zero means default for every member. */
typedef struct corm_session_options {
    const char *keyspace; /* used for names without one. default: the URI's, or none */
    bool create_keyspace; /* make it when it is missing (SimpleStrategy, replication factor 1) */
    bool must_exist;      /* CORM_NOT_FOUND instead of making the folder */
    bool read_only;       /* writes are refused with CORM_INVALID */
    bool
        relaxed_durability; /* see docs/durability.md. default: every acknowledged write is on disk */
    uint32_t worker_threads; /* for asynchronous reads. default: 2 */
    uint32_t page_size;      /* rows a page; default: 5000 */
    corm_consistency
        consistency; /* default: CORM_LOCAL_ONE; the embedded store accepts and ignores it */
    const uint8_t
        *page_token_key; /* 32 bytes, for corm_page_token(); the same in every process that
                                    * reads the tokens. default: made at open */
    const corm_cluster_options *cluster; /* of a cassandra: URI. default: none */
    const char
        *guard_rails; /* of the embedded store: "name=value" by commas or lines, with the names
                              * of cassandra.yaml; see docs/guard-rails.md. default: Cassandra's */
    const corm_middleware *
        middleware; /* around every request: a list ended by one without a name; NULL: none. Contexts are
                                        * released when the session is closed, not when opening fails */
    uint32_t _canary; /* must stay 0 */
} corm_session_options;

/* Opens a session; `options` may be NULL. On success *out is released by corm_session_close(). Errors:
 * CORM_INVALID_ARGUMENT (the URI; the message says which part), CORM_NOT_FOUND, CORM_IO, CORM_DISK_FULL,
 * CORM_VERSION, CORM_CORRUPT, CORM_UNSUPPORTED (the scheme). */
CORM_API CORM_CHECKED corm_status corm_session_open(corm_session **out, const char *uri,
                                                    const corm_session_options *options,
                                                    corm_error                 *err);

/* Waits for requests under way, then frees the session; not from inside a callback. Results stay
 * valid; statements, batches and prepared statements must be freed before. NULL is ignored. */
CORM_API void corm_session_close(corm_session *session);

/* The keyspace in use, or "". Borrowed until the session closes. */
CORM_API const char *corm_session_keyspace(const corm_session *session);

/* Whether a request may be sent again when it is not known what became of it. */
typedef enum corm_idempotence {
    CORM_IDEMPOTENCE_INFERRED =
        0, /* from the statement: no counter, list element, now(), condition … */
    CORM_IDEMPOTENT,
    CORM_NOT_IDEMPOTENT
} corm_idempotence;

typedef struct corm_payload_item {
    const char *name;
    corm_bytes  value;
} corm_payload_item;

/* One request's settings; zero means default. */
typedef struct corm_request_options {
    corm_consistency consistency;        /* default: the session's */
    corm_consistency serial_consistency; /* of a lightweight transaction. default: CORM_SERIAL */
    bool             has_timestamp;
    int64_t
        timestamp_us; /* of the write, in microseconds since 1970, with has_timestamp. default: now */
    bool    has_now;
    int32_t now_seconds; /* what TTLs are counted from, with has_now. default: now */
    int32_t page_size;   /* rows a page; -1: all at once. default: the session's */
    corm_bytes
        paging_state; /* of an earlier corm_result_paging_state(). default: from the beginning */
    const char *keyspace; /* for this request. default: the session's */
    /* The following are a cluster's; the embedded store accepts and ignores them. */
    const char      *profile;    /* corm_profile.name. default: the session's options */
    uint32_t         timeout_ms; /* with all retries. default: the profile's */
    corm_idempotence idempotence;
    const char      *host;  /* a node's host id or address: no other is asked. default: any */
    bool             trace; /* the server keeps what it does: corm_result_tracing_id() */
    bool             no_read_ahead;   /* see corm_result_step() */
    const corm_payload_item *payload; /* custom payload, for the server's own query handlers */
    uint32_t                 payload_count;
} corm_request_options;

typedef struct corm_named_value {
    const char *name;
    corm_value  value;
} corm_named_value;

enum { CORM_EXECUTE_MAX_VALUES = 24 };

/* What goes with a CQL text; zero means none. Values are given by position in `values` (all that are CORM_UNSET at the end are
 * unset), or any number of them in `value_list`, or by name in `named`. */
typedef struct corm_execute_options {
    corm_value           values[CORM_EXECUTE_MAX_VALUES];
    const corm_value    *value_list;
    uint32_t             value_count; /* of value_list */
    corm_named_value     named[8];
    corm_request_options request;
    corm_error          *error; /* filled on failure */
    uint32_t             _canary;
} corm_execute_options;

/* Executes one CQL statement. *out (may be NULL) is released by corm_result_free(). `options` may be NULL. Prefer prepared
 * statements for what is executed often. Errors are the server's, with line and column for CORM_SYNTAX_ERROR. */
CORM_API CORM_CHECKED corm_status corm_execute_with(corm_session *session, const char *cql,
                                                    const corm_execute_options *options,
                                                    corm_result               **out);

/* The same without waiting; everything given is copied. NULL when memory is exhausted, and then the callback does not run. */
CORM_API corm_task *corm_execute_async(corm_session *session, const char *cql,
                                       const corm_execute_options *options,
                                       corm_task_callback callback, void *context);

#ifndef __cplusplus
/* corm_execute(session, "SELECT … WHERE id = ?", &result, { .values = { corm_v(7) } }) */
#define corm_execute(session, cql, out, ...)                                                       \
    corm_execute_with((session), (cql), &(corm_execute_options)__VA_ARGS__, (out))
#endif

/* ---- prepared statements ---- */

/* Prepares a statement. It survives schema changes. *out is released by corm_prepared_free(). */
CORM_API CORM_CHECKED corm_status corm_prepare(corm_session *session, const char *cql,
                                               corm_prepared **out, corm_error *err);
CORM_API void                     corm_prepared_free(corm_prepared *prepared);
CORM_API uint32_t                 corm_prepared_marker_count(const corm_prepared *prepared);
/* The marker's name and CQL type; borrowed. An index out of range gives the empty text. */
CORM_API corm_str corm_prepared_marker_name(const corm_prepared *prepared, uint32_t index);
CORM_API corm_str corm_prepared_marker_type(const corm_prepared *prepared, uint32_t index);

/* A prepared statement with its values, all unset at first. One thread at a time; may be run many times. Copies what
 * is bound. NULL when memory is exhausted. */
CORM_API corm_statement *corm_statement_new(corm_prepared *prepared);
CORM_API void            corm_statement_free(corm_statement *statement);
CORM_API void            corm_statement_reset(
               corm_statement *statement); /* all unset again, options default */
CORM_API CORM_CHECKED corm_status corm_statement_bind(corm_statement *statement, uint32_t index,
                                                      corm_value value, corm_error *err);
/* Binds every marker of the name. CORM_INVALID_ARGUMENT when there is none. */
CORM_API CORM_CHECKED corm_status corm_statement_bind_name(corm_statement *statement,
                                                           const char *name, corm_value value,
                                                           corm_error *err);
/* Binds the wire form; no conversion. data NULL: null. */
CORM_API CORM_CHECKED corm_status corm_statement_bind_bytes(corm_statement *statement,
                                                            uint32_t index, corm_bytes value,
                                                            corm_error *err);
CORM_API corm_request_options    *corm_statement_options(
       corm_statement *statement); /* to be changed in place */

/* Runs it. *out may be NULL. */
CORM_API CORM_CHECKED corm_status corm_run(corm_statement *statement, corm_result **out,
                                           corm_error *err);

/* The values are copied: the statement may be bound anew at once. */
CORM_API corm_task *corm_run_async(corm_statement *statement, corm_task_callback callback,
                                   void *context);

/* ---- batches ---- */

typedef enum corm_batch_kind {
    CORM_LOGGED = 0,
    CORM_UNLOGGED = 1,
    CORM_COUNTER_BATCH = 2
} corm_batch_kind;

/* INSERTs, UPDATEs and DELETEs that happen together: all or none. One thread at a time. */
CORM_API corm_batch              *corm_batch_new(corm_session *session, corm_batch_kind kind);
CORM_API void                     corm_batch_free(corm_batch *batch);
CORM_API void                     corm_batch_clear(corm_batch *batch);
CORM_API CORM_CHECKED corm_status corm_batch_add(corm_batch *batch, const corm_statement *statement,
                                                 corm_error *err);
CORM_API CORM_CHECKED corm_status corm_batch_add_text(corm_batch *batch, const char *cql,
                                                      const corm_value *values, uint32_t count,
                                                      corm_error *err);
CORM_API corm_request_options    *corm_batch_options(corm_batch *batch);
CORM_API uint32_t                 corm_batch_count(const corm_batch *batch);
CORM_API CORM_CHECKED corm_status corm_batch_run(corm_batch *batch, corm_result **out,
                                                 corm_error *err);
CORM_API corm_task *corm_batch_run_async(corm_batch *batch, corm_task_callback callback,
                                         void *context);

#ifdef __cplusplus
}
#endif
#endif
