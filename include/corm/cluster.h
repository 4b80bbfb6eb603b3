// SPDX-License-Identifier: MIT
/* cluster.h -- a session over Cassandra or ScyllaDB nodes: how it connects, routes, retries and what it counts.
 *
 *   cassandra://h1,h2:9043/shop                     contact points (port 9042 by default), keyspace
 *   cassandra://user:pass@h1/shop?dc=dc1&tls=true   every option below has its setting in the URI (docs/drivers.md)
 *
 * The options are given in corm_session_options.cluster; what the caller sets there goes before what the URI says. Zero
 * means default for every member. Everything given is copied when the session opens, except contexts of callbacks.
 *
 * Callbacks of this header run on the session's I/O thread (or on the caller's loop) unless they say otherwise: they must
 * not block, and a synchronous call of the same session inside one answers CORM_WOULD_DEADLOCK. */
#ifndef CORM_CLUSTER_H
#define CORM_CLUSTER_H

#include "corm/session.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- nodes ---- */

typedef enum corm_distance {
    CORM_LOCAL = 0, /* in the local data centre */
    CORM_REMOTE,    /* in another; used by DC-aware policies only when allowed */
    CORM_IGNORED    /* denied: no connection is made */
} corm_distance;

/* A node as policies and figures see it. Borrowed for the call. */
typedef struct corm_node {
    corm_uuid     host_id; /* what identifies the node; its address may change */
    const char   *address; /* numeric, as it is dialled (after translation) */
    uint16_t      port;
    const char   *dc, *rack, *release_version;
    bool          up; /* at least one connection is ready */
    corm_distance distance;
    uint32_t      connections; /* ready ones */
    uint32_t      in_flight;   /* requests that wait for its answer */
    uint32_t      latency_us;  /* moving average; 0: nothing measured */
    uint16_t      shard_count; /* ScyllaDB; 0: not sharded */
} corm_node;

/* ---- authentication ---- */

/* A SASL mechanism. `response` is asked first with an empty challenge, then for each AUTH_CHALLENGE; it gives a malloc'ed
 * token which Corm frees. Any status but CORM_OK ends the connection with it. */
typedef struct corm_authenticator {
    corm_status (*response)(void *context, const corm_node *node, const char *server_class,
                            corm_bytes challenge, uint8_t **token, size_t *token_len,
                            corm_error *err);
    /* AUTH_SUCCESS with its token; NULL: any is accepted. */
    corm_status (*success)(void *context, const corm_node *node, corm_bytes token, corm_error *err);
    void *context;
} corm_authenticator;

/* ---- TLS ---- */

typedef enum corm_tls_verify {
    CORM_TLS_VERIFY_FULL =
        0, /* the chain, and the certificate's names against the contact point's name or the address */
    CORM_TLS_VERIFY_CHAIN, /* the chain only */
    CORM_TLS_VERIFY_NONE   /* nothing: for tests */
} corm_tls_verify;

/* TLS 1.2 and 1.3. Files are PEM; certificate, key and CA are read again when they have changed and a new connection is
 * made, so a rotated client certificate needs no restart. */
typedef struct corm_tls_options {
    bool            enabled;
    corm_tls_verify verify;
    const char     *ca_file;          /* default: the system's certificates */
    const char     *certificate_file; /* of the client; default: none */
    const char     *key_file;         /* default: certificate_file */
    const char     *key_password;
    const char *
        server_name; /* checked and sent as SNI. default: the contact point's name, else the address */
    bool tls13_only;
} corm_tls_options;

/* ---- routing ---- */

typedef enum corm_balancing {
    CORM_BALANCE_DEFAULT =
        0, /* token- and rack-aware over the local data centre, power of two choices */
    CORM_BALANCE_ROUND_ROBIN,       /* "round-robin" */
    CORM_BALANCE_LEAST_CONNECTIONS, /* "least-connections": the node with the fewest requests in flight */
    CORM_BALANCE_RANDOM             /* "random" */
} corm_balancing;

/* What is to be routed. */
typedef struct corm_route {
    const char      *keyspace;    /* "" when none is known */
    corm_bytes       routing_key; /* the encoded partition key; data NULL: unknown */
    bool             has_token;
    int64_t          token;
    corm_consistency consistency;
    bool             is_lwt;
    const uint32_t  *replicas; /* indexes into `nodes`, the primary replica first */
    uint32_t         replica_count;
} corm_route;

/* A policy of the user's own. `plan` writes indexes into `nodes` in the order in which they are to be tried and returns
 * how many (at most node_count); it sees only nodes that are not CORM_IGNORED. `distance` (may be NULL) is asked
 * when a node becomes known. One thread at a time. */
typedef struct corm_balancing_policy {
    uint32_t (*plan)(void *context, const corm_route *route, const corm_node *nodes,
                     uint32_t node_count, uint32_t *order);
    corm_distance (*distance)(void *context, const corm_node *node);
    void *context;
} corm_balancing_policy;

typedef struct corm_balancing_options {
    corm_balancing               kind;
    const corm_balancing_policy *policy; /* instead of `kind` */
    const char *local_dc;                /* default: that of the first contact point that answers */
    const char *local_rack;              /* replicas there go first; default: none */
    uint32_t remote_nodes; /* of each other data centre to try behind the local ones. default: 0 */
    bool     no_token_awareness;
    const char *const *allow; /* NULL-terminated: addresses or host ids; others are CORM_IGNORED */
    const char *const *deny;  /* NULL-terminated */
} corm_balancing_options;

/* Gives the address to dial for one that a node announced (`address`, `port`); false: as it is. */
typedef bool (*corm_address_translator)(void *context, const char *address, uint16_t port,
                                        char out_address[256], uint16_t *out_port);

/* ---- retries ---- */

typedef enum corm_retry_kind {
    CORM_RETRY_DEFAULT =
        0,              /* once where the server's answer says that it can help, the next node for
                                  * unavailable, overloaded, and lost connections of idempotent requests */
    CORM_RETRY_BACKOFF, /* up to max_retries with a growing or constant pause; honours idempotence */
    CORM_RETRY_DOWNGRADING, /* like DEFAULT, with a lower consistency where enough replicas answered */
    CORM_RETRY_FALLTHROUGH /* never */
} corm_retry_kind;

typedef enum corm_backoff {
    CORM_BACKOFF_EXPONENTIAL = 0, /* base_delay_ms * 2^n, at most max_delay_ms, with full jitter */
    CORM_BACKOFF_CONSTANT
} corm_backoff;

typedef enum corm_retry_verdict {
    CORM_RETHROW = 0,
    CORM_RETRY_SAME_NODE,
    CORM_RETRY_NEXT_NODE,
    CORM_RETRY_IGNORE /* the request succeeds with an empty answer (writes only) */
} corm_retry_verdict;

typedef enum corm_write_type {
    CORM_WRITE_UNKNOWN = 0,
    CORM_WRITE_SIMPLE,
    CORM_WRITE_BATCH,
    CORM_WRITE_UNLOGGED_BATCH,
    CORM_WRITE_COUNTER,
    CORM_WRITE_BATCH_LOG,
    CORM_WRITE_CAS,
    CORM_WRITE_VIEW,
    CORM_WRITE_CDC
} corm_write_type;

/* What went wrong, for a retry policy. */
typedef struct corm_failure {
    corm_status
             status; /* CORM_UNAVAILABLE, CORM_READ_TIMEOUT …; CORM_IO: the connection was lost */
    bool     idempotent;
    uint32_t retries; /* made so far */
    corm_consistency consistency;
    int32_t received, required, alive, failures; /* as the server said; 0 where it says nothing */
    bool    data_present;                        /* CORM_READ_TIMEOUT */
    corm_write_type write_type;                  /* CORM_WRITE_TIMEOUT, CORM_WRITE_FAILURE */
} corm_failure;

typedef struct corm_retry_decision {
    corm_retry_verdict verdict;
    corm_consistency   consistency; /* for the next try; default: unchanged */
    uint32_t           delay_ms;
} corm_retry_decision;

/* A policy of the user's own. A write that is not idempotent is not sent again after CORM_IO or a timeout, whatever
 * the policy says: it may have been applied. */
typedef struct corm_retry_policy {
    corm_retry_decision (*decide)(void *context, const corm_failure *failure);
    void *context;
} corm_retry_policy;

typedef struct corm_retry_options {
    corm_retry_kind          kind;
    const corm_retry_policy *policy;      /* instead of `kind` */
    uint32_t                 max_retries; /* BACKOFF, and executeWithRetry's form. default: 3 */
    corm_backoff             backoff;
    uint32_t                 base_delay_ms; /* default: 100 */
    uint32_t                 max_delay_ms;  /* default: 10000 */
} corm_retry_options;

/* ---- speculative executions of idempotent requests ---- */

typedef enum corm_speculation {
    CORM_SPECULATE_NEVER = 0,
    CORM_SPECULATE_CONSTANT,  /* after delay_ms */
    CORM_SPECULATE_PERCENTILE /* after the given percentile of the node's measured latencies */
} corm_speculation;

typedef struct corm_speculative_options {
    corm_speculation kind;
    uint32_t         delay_ms;       /* default: 100 */
    double           percentile;     /* default: 99.0 */
    uint32_t         max_executions; /* beside the first; at most 3. default: 1 */
} corm_speculative_options;

/* ---- connections ---- */

typedef enum corm_compression { CORM_UNCOMPRESSED = 0, CORM_LZ4, CORM_SNAPPY } corm_compression;

typedef struct corm_pool_options {
    uint32_t size;     /* connections a node that are kept open. default: 10 */
    uint32_t max_size; /* that the pool grows to under load. default: 50 */
    uint32_t
        requests_per_connection; /* in flight before another connection is used. default: 1024; at most 32768 */
    uint32_t
        idle_timeout_ms; /* a connection above `size` is closed when idle that long. default: 30000 */
    uint32_t
        max_queued; /* requests that wait for a connection, beyond which CORM_OVERLOADED. default: 65536 */
} corm_pool_options;

typedef struct corm_health_check_options {
    bool     disabled;
    uint32_t interval_ms; /* an idle connection is asked that often. default: 30000 */
    uint32_t timeout_ms;  /* no answer for that long: the connection is dead. default: 5000 */
} corm_health_check_options;

typedef struct corm_reconnection_options {
    uint32_t base_delay_ms;    /* default: 500; doubled for each try, with ±15 % jitter */
    uint32_t max_delay_ms;     /* default: 60000 */
    uint32_t dials_per_second; /* of the whole cluster. default: 50 */
    uint32_t
        prepares_per_second; /* statements prepared again on nodes that came back. default: 500 */
} corm_reconnection_options;

/* A limit on requests in flight a node that follows the node: it falls when the node says that it is overloaded or
 * times out, and grows slowly while it answers (additive increase, multiplicative decrease). Requests above it wait. */
typedef struct corm_concurrency_options {
    bool     disabled;
    uint32_t initial; /* default: 4096 */
    uint32_t least;   /* default: 16 */
    uint32_t most;    /* default: 32768 */
} corm_concurrency_options;

/* ---- what is observed ---- */

typedef struct corm_request_record {
    const char      *cql;  /* zero-terminated; of a batch: "BATCH" */
    const corm_node *node; /* that answered last; NULL: none */
    corm_status      status;
    uint64_t         latency_us;
    uint32_t         retries, speculations;
    corm_consistency consistency;
    corm_uuid        tracing_id; /* zero: not traced */
    void            *span;       /* what corm_hooks.begin gave */
} corm_request_record;

/* For logs and tracing systems. All may be NULL. */
typedef struct corm_hooks {
    void *context;
    /* A request begins; what it gives comes back in corm_request_record.span. On the thread that asked. */
    void *(*begin)(void *context, const char *cql);
    void (*end)(void *context, const corm_request_record *record);
    void (*slow)(void *context, const corm_request_record *record); /* took slow_query_ms or more */
    void (*warning)(void *context, const char *text);               /* the server's */
    void (*node)(void *context, const corm_node *node,
                 const char *event); /* "added", "up", "down", "removed" */
    void (*log)(
        void       *context,
        const char *text); /* what an operator should know: refused logins, storms held back */
} corm_hooks;

/* ---- execution profiles ---- */

/* Settings under a name, chosen by corm_request_options.profile. What is zero is as in the options. */
typedef struct corm_profile {
    const char              *name;
    corm_consistency         consistency, serial_consistency;
    uint32_t                 request_timeout_ms;
    int32_t                  page_size;
    corm_balancing_options   balancing; /* kind, policy, local_dc, remote_nodes */
    corm_retry_options       retry;
    corm_speculative_options speculative;
} corm_profile;

/* ---- all of it ---- */

struct corm_cluster_options {
    const char               *username, *password; /* PasswordAuthenticator; default: the URI's */
    const corm_authenticator *authenticator;       /* instead */
    corm_tls_options          tls;
    uint8_t                   protocol_version; /* the highest to try: 4 or 5. default: 5 */
    corm_compression          compression;      /* used where the node has it */
    corm_pool_options         pool;
    corm_balancing_options    balancing;
    corm_address_translator   translate;
    void                     *translate_context;
    corm_health_check_options health_check;
    corm_retry_options        retry;
    corm_speculative_options  speculative;
    corm_reconnection_options reconnection;
    corm_concurrency_options  concurrency;
    uint32_t                  connect_timeout_ms; /* of a dial, with handshake. default: 5000 */
    uint32_t   request_timeout_ms;   /* with all retries. default: 15000, above the server's own */
    uint32_t   schema_agreement_ms;  /* waited for after DDL. default: 10000 */
    size_t     prepared_cache_bytes; /* texts and metadata. default: 32 MiB */
    size_t     max_frame_bytes;      /* a longer answer is an error. default: 256 MiB */
    bool       no_client_timestamps; /* the server's clock decides instead */
    bool       no_schema_metadata;   /* never read system_schema: no token awareness by keyspace */
    bool       no_shard_awareness;   /* ScyllaDB */
    uint32_t   slow_query_ms;        /* default: 0, no request is slow */
    corm_hooks hooks;
    const corm_profile *profiles;
    uint32_t            profile_count;
    const uint8_t
               *page_token_key; /* as corm_session_options.page_token_key, which goes before it */
    const char *application_name,
        *application_version; /* shown by the server's system_views.clients */
    /* A uv_loop_t of the caller's: the session then has no thread. All its functions are called on the loop's thread;
     * a synchronous call runs the loop until its answer is there. default: a thread of the session's own */
    void    *loop;
    uint32_t _canary;
};

/* ---- figures ---- */

/* Latencies in microseconds. */
typedef struct corm_latencies {
    uint64_t count;
    uint64_t mean_us, p50_us, p95_us, p99_us, p999_us, max_us;
} corm_latencies;

typedef struct corm_node_stats {
    char           address[64];
    uint16_t       port;
    corm_uuid      host_id;
    char           dc[64], rack[64];
    bool           up;
    uint32_t       connections, connecting, in_flight;
    uint32_t       orphaned; /* stream ids whose late answer is awaited */
    uint32_t       concurrency_limit;
    uint64_t       requests, errors, timeouts, retries, speculations;
    uint64_t       bytes_sent, bytes_received;
    uint64_t       dials, dial_failures, connections_closed, heartbeats;
    uint64_t       late_answers; /* for orphans: dropped */
    corm_latencies latencies;
} corm_node_stats;

/* A pool statistic of the whole session: sums over nodes, and what belongs to no node. */
typedef struct corm_stats {
    uint32_t               nodes, nodes_up, connections, connecting, in_flight, queued;
    uint64_t               requests, errors, timeouts, retries, speculations, speculations_won;
    uint64_t               bytes_sent, bytes_received;
    uint64_t               dials, dial_failures, dials_delayed; /* held back by the budget */
    uint64_t               prepares, prepare_hits, reprepares;
    size_t                 prepared_bytes;
    uint64_t               token_routed; /* requests that went to a replica first */
    corm_latencies         latencies;
    uint8_t                protocol_version;
    uint32_t               node_count;
    const corm_node_stats *node_stats; /* as many as node_count */
} corm_stats;

/* A copy of the figures; *out is one allocation, released by corm_stats_free(). CORM_UNSUPPORTED on an embedded store.
 * Any thread. */
CORM_API CORM_CHECKED corm_status corm_session_stats(corm_session *session, const corm_stats **out,
                                                     corm_error *err);
CORM_API void                     corm_stats_free(const corm_stats *stats);

/* Appends the figures in Prometheus' text form; *text is malloc'ed, the caller's to free(). */
CORM_API CORM_CHECKED corm_status corm_session_metrics(corm_session *session, char **text,
                                                       corm_error *err);

/* ---- executeWithRetry ---- */

/* Any work with the session, tried again while it fails with a retryable status, by the session's (or the given)
 * max_retries and back-off; the pause is spent on the calling thread. `work` must be safe to repeat. */
typedef corm_status (*corm_work)(void *context, corm_session *session, corm_error *err);
CORM_API CORM_CHECKED corm_status corm_execute_with_retry(corm_session *session, corm_work work,
                                                          void                     *context,
                                                          const corm_retry_options *retry,
                                                          corm_error               *err);

/* ---- lightweight transactions ---- */

typedef enum corm_lwt_outcome {
    CORM_LWT_APPLIED = 0,
    CORM_LWT_NOT_APPLIED, /* *current has the row that was there, when there was one */
    CORM_LWT_UNKNOWN /* it may or may not have been applied: a time-out, a lost connection, or the server's word */
} corm_lwt_outcome;

/* Runs a conditional statement and classifies what became of it. CORM_OK whenever the outcome is one of the three; the
 * cause of UNKNOWN is then in *err. *current (may be NULL) is released by corm_result_free(). */
CORM_API CORM_CHECKED corm_status corm_run_lwt(corm_statement *statement, corm_lwt_outcome *outcome,
                                               corm_result **current, corm_error *err);

/* ---- page tokens that may leave the process ---- */

/* A paging state sealed with AES-256-GCM and bound to the statement's text, its values and the keyspace: safe to hand to a
 * browser. Printable (base64url), malloc'ed, the caller's to free(). CORM_NOT_FOUND when there is no next page. */
CORM_API CORM_CHECKED corm_status corm_page_token(const corm_result *result, char **token,
                                                  corm_error *err);

/* Sets the statement's paging state from a token. CORM_INVALID_ARGUMENT when it was altered, is of another statement or
 * other values, of another key, or older than max_age_s (0: no limit). Bind the values first. */
CORM_API CORM_CHECKED corm_status corm_statement_set_page_token(corm_statement *statement,
                                                                const char     *token,
                                                                uint32_t        max_age_s,
                                                                corm_error     *err);

/* ---- batches in pieces ---- */

typedef struct corm_split_options {
    uint32_t    max_bytes; /* of one batch's values. default: 4096, below the server's warning */
    uint32_t    max_statements; /* default: 100 */
    uint32_t    concurrency;    /* batches under way. default: 32 */
    corm_error *error;
} corm_split_options;

/* Runs the batch's statements as unlogged batches of one partition each, at most so large, several at a time, each sent to
 * its replica. Any number of statements. Not atomic as a whole: a failure ends its partition, the others go on, and the first error
 * is given after all have ended; *done (may be NULL) counts the statements that were applied. The pieces of one partition go
 * out in order, with rising timestamps unless the batch has one. A condition that does not hold is CORM_NOT_APPLIED. */
CORM_API CORM_CHECKED corm_status corm_batch_run_split(corm_batch               *batch,
                                                       const corm_split_options *options,
                                                       uint64_t                 *done);

/* ---- scans of whole tables ---- */

typedef struct corm_scan_options {
    const char      *keyspace; /* default: the session's */
    const char      *columns;  /* a SELECT's list. default: "*" */
    const char      *where;    /* further conditions; needs allow_filtering. default: none */
    bool             allow_filtering;
    uint32_t         concurrency; /* token ranges read at the same time. default: 8 */
    uint32_t         ranges;      /* pieces that the ring is cut into, at least. default: 256 */
    int32_t          page_size;   /* default: the session's */
    corm_consistency consistency;
    const char      *resume; /* what corm_scan_checkpoint gave. default: from the beginning */
    corm_error      *error;
} corm_scan_options;

/* Called for each page that has rows, on the thread that is in corm_scan_run; the result is borrowed. Anything but CORM_OK stops
 * the scan with it: this page, and what was read ahead, is then read again by the next run or by who resumes. */
typedef corm_status (*corm_scan_callback)(void *context, corm_result *page, corm_error *err);

typedef struct corm_scan corm_scan;

/* Reads a table in token ranges, several at a time, with back-pressure: no page is read ahead of a slow callback but one a
 * range. *out is released by corm_scan_free(). */
CORM_API CORM_CHECKED corm_status corm_scan_open(corm_session *session, const char *table,
                                                 const corm_scan_options *options, corm_scan **out);
/* Waits until the table was read; CORM_WOULD_DEADLOCK inside a callback of the session's. May be called again after it has stopped. */
CORM_API CORM_CHECKED corm_status corm_scan_run(corm_scan *scan, corm_scan_callback callback,
                                                void *context, corm_error *err);
/* Where the scan is, as a text that corm_scan_options.resume takes, also in another process: pages for which the callback has
 * returned are not read again, others may be. malloc'ed. Inside the callback (whose own page does not count yet) or after
 * corm_scan_run. */
CORM_API CORM_CHECKED corm_status corm_scan_checkpoint(corm_scan *scan, char **text,
                                                       corm_error *err);
/* Of the ring, 0 to 1. Any thread. */
CORM_API double corm_scan_progress(const corm_scan *scan);
CORM_API void   corm_scan_free(corm_scan *scan);

/* ---- schema agreement ---- */

/* Waits until all nodes that are up have one schema version; CORM_TIMEOUT. Corm does it itself after each DDL of its own. */
CORM_API CORM_CHECKED corm_status corm_session_wait_for_agreement(corm_session *session,
                                                                  uint32_t      timeout_ms,
                                                                  corm_error   *err);

/* ---- tracing ---- */

/* Reads the events of a traced request (corm_request_options.trace, corm_result_tracing_id): rows of
 * activity, source, source_elapsed, thread; waits shortly until the server has written them. */
CORM_API CORM_CHECKED corm_status corm_session_trace(corm_session *session, corm_uuid tracing_id,
                                                     corm_result **out, corm_error *err);

#ifdef __cplusplus
}
#endif
#endif
