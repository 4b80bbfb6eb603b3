// SPDX-License-Identifier: MIT
/* core.h -- the engine's own struct, and what the files around it share: the clock, the write queue, prepared statements.
 *
 * Files above this line of the engine (select, write, index …) see store.h only. */
#ifndef ENGINE_CORE_H
#define ENGINE_CORE_H

#include <pthread.h>
#include <stdatomic.h>

#include "cql/guard.h"
#include "engine/feed.h"
#include "engine/gather.h"
#include "engine/metric.h"
#include "engine/running.h"
#include "engine/store.h"
#include "engine/vector.h"

/* Of the stored bytes; who writes to an older store that is read raises it, any other is CORM_VERSION. 2: data.mdb may need its
 * log. */
enum { ENGINE_FORMAT = 2, ENGINE_FORMAT_READ = 1 };

/* ---- the write queue: commit.c ---- */

/* What jobs of one transaction share. */
typedef struct engine_round {
    engine     *store;
    kv_txn     *txn;
    cql_schema *schema; /* borrowed */
    cql_schema *next;   /* set by a DDL job: one reference */
    base_arena *arena;  /* emptied between jobs */
} engine_round;

/* A write waiting for its turn; embedded in the caller's own struct. It may run several times, each time as if it were the
 * first, in a transaction that holds nothing of the times before. */
typedef struct engine_job engine_job;
struct engine_job {
    corm_status (*run)(engine_job *job, engine_round *round, corm_error *err);
    bool is_alone; /* changes the schema: has a transaction of its own */
    /* NULL: a thread waits for it. Else runs on the writer thread when the job is done. */
    void (*finished)(engine_job *job);
    corm_status    status; /* when done */
    corm_error     error;
    engine_job    *next;
    bool           done, lead; /* guarded by queue_lock, as is next */
    pthread_cond_t changed;    /* done or lead was set */
};

/* Runs the job, with others, and waits until it is committed. */
CORM_CHECKED corm_status engine__write(engine *store, engine_job *job, corm_error *err);

/* Without waiting: finished() is called on the writer thread. On failure (no thread could be started) it is not. */
CORM_CHECKED corm_status engine__write_later(engine *store, engine_job *job, corm_error *err);

typedef struct engine_queue {
    pthread_mutex_t lock; /* guards all of this */
    engine_job     *first, **last;
    bool            has_leader;   /* a thread runs a round, or was told to */
    bool            writer_leads; /* it is the writer thread's turn */
    engine_job     *finished, **finished_last;
    pthread_t       writer;
    bool            has_writer, closing;
    pthread_cond_t  writer_wake;
    base_arena      arena; /* of the leader */
    engine_gather   gather;
} engine_queue;

CORM_CHECKED corm_status engine__queue_init(engine *store, bool is_durable, corm_error *err);
void                     engine__queue_close(engine *store); /* waits for jobs and callbacks */

/* ---- the engine ---- */

struct engine {
    kv_store   *kv;
    bool        read_only;
    corm_uuid   id;
    cql_schema *system;
    int64_t (*now_us)(void);
    int                    password_cost; /* of new hashes */
    struct password_cache *passwords;     /* those that fitted lately */

    /* The schema cache: at every commit number from the one where `serial` began up to `known_until`, the stored schema has
     * the number `serial`. Both only grow; who sets them holds the lock and sets serial first. */
    pthread_mutex_t  schema_lock; /* guards `schema` */
    cql_schema      *schema;      /* the newest seen */
    _Atomic uint64_t serial, known_until;

    _Atomic int64_t clock; /* the highest timestamp handed out */
    uint64_t
        clock_txn; /* the commit that `clock` takes account of; the leader's, as the next three */
    int64_t clock_stored, clock_pending; /* in that commit; in the transaction under way */
    int64_t reclaim_at_ns;               /* when writers look at the queue again */

    engine_feed_state feed,
        feed_stored; /* the leader's: in the transaction under way; in clock_txn */

    engine_vectors vectors; /* graphs of vector indexes */

    cql_guard guard;
    bool      has_guards; /* some other than tombstones and batches hold somebody up */

    engine_queue queue;

    _Atomic uint64_t writes, commits, reclaimed; /* since it was opened */

    engine_metrics *metrics; /* what is counted for system_views */
    running_table  *running; /* requests under way */

    pthread_mutex_t visitors_lock; /* guards the list and what is in it but `requests` */
    engine_visitor *visitors;

    struct prepared_count *prepared; /* of statements that may outlive the store */
};

/* ---- passwords: login.c ---- */

CORM_CHECKED corm_status engine__passwords_new(engine *store, corm_error *err);
void                     engine__passwords_free(engine *store);

/* The roles whose passwords are remembered, in the arena; and forgets those of a role, or all where its data is NULL. */
CORM_CHECKED corm_status engine__passwords_list(engine *store, base_arena *arena, corm_str **out,
                                                uint32_t *count, corm_error *err);
void                     engine__passwords_forget(engine *store, corm_str role);

/* ---- snapshots: snapshot.c ---- */

/* The schema stored where the transaction began; kept with the transaction, borrowed. */
CORM_CHECKED corm_status engine__txn_schema(engine *store, kv_txn *txn, cql_schema **out,
                                            corm_error *err);

/* After a commit of this process: the schema at that commit. */
void engine__publish_schema(engine *store, cql_schema *schema, uint64_t txn_id);

/* ---- the store's own keys: meta.c ---- */

corm_bytes engine__meta_key(const char *name);

/* Makes the keys of a new store, or reads those of an old one. */
CORM_CHECKED corm_status engine__meta_open(engine *store, corm_error *err);
CORM_CHECKED corm_status engine__meta_put_schema(kv_txn *txn, const cql_schema *schema,
                                                 corm_error *err);

/* In a write transaction: catches up with other processes; and puts the clock's state when it has moved. */
CORM_CHECKED corm_status engine__clock_begin(engine *store, kv_txn *txn, corm_error *err);
CORM_CHECKED corm_status engine__clock_end(engine *store, kv_txn *txn, corm_error *err);

/* ---- the feed: feed.c ---- */

/* In a write transaction, before engine__clock_begin: the state as other processes left it; and puts it when it has moved. */
CORM_CHECKED corm_status engine__feed_begin(engine *store, kv_txn *txn, corm_error *err);
CORM_CHECKED corm_status engine__feed_end(engine *store, kv_txn *txn, corm_error *err);

/* engine__feed_read in a snapshot that its caller has. */
CORM_CHECKED corm_status engine__feed_read_in(engine_feed_reader *reader, engine_snapshot *snapshot,
                                              base_arena *arena, engine_feed_change *items,
                                              uint32_t max, uint32_t *count, corm_error *err);
/* See engine__verify. */
CORM_CHECKED corm_status engine__verify_feed(engine_snapshot *snapshot, corm_error *err);

/* Removes records that are over, oldest first; *trimmed says how many. */
CORM_CHECKED corm_status engine__feed_trim(engine *store, kv_txn *txn, int64_t now_us,
                                           uint64_t budget, uint64_t *trimmed, corm_error *err);

/* ---- the reclaim queue: reclaim.c ---- */

/* Reads an entry: storage to be deleted, or a row to be looked at. CORM_CORRUPT when it is neither. */
CORM_CHECKED corm_status engine__queue_entry(corm_bytes key, corm_bytes value, bool *is_storage,
                                             uint32_t *storage_id, corm_error *err);

/* ---- statements: statement.c, prepared.c ---- */

/* A checked statement shared by those who execute it. */
typedef struct engine_version {
    atomic_uint      refs;
    cql_checked     *checked;
    _Atomic uint64_t serial;          /* of a schema by which it is as it would be checked now */
    uint8_t          metadata_id[16]; /* of the result's columns */
} engine_version;

engine_version *engine__version_ref(engine_version *version);
void            engine__version_unref(engine_version *version);

/* Fills metadata_id. */
CORM_CHECKED corm_status engine__version_identify(engine_version *version, corm_error *err);

/* Checks the text; one reference. */
CORM_CHECKED corm_status engine__version_new(corm_str text, cql_schema *schema, corm_str keyspace,
                                             engine_version **out, corm_error *err);

/* Whether the version holds for the schema: nothing that it names was changed since it was checked. */
bool engine__version_fits(engine_version *version, const cql_schema *schema);

/* The version of a prepared statement for a schema of this store, checked anew when it must be; one reference.
 * CORM_UNPREPARED: it was prepared on another store. */
CORM_CHECKED corm_status engine__prepared_version(const engine        *store,
                                                  const wire_prepared *prepared, cql_schema *schema,
                                                  engine_version **out, corm_error *err);

/* Makes a prepared statement (one reference) and its answer. */
CORM_CHECKED corm_status engine__prepare(const engine *store, corm_str text, corm_str keyspace,
                                         cql_schema *schema, wire_answer *answer, corm_error *err);

/* What counts a store's statements; and how many there are. */
CORM_CHECKED corm_status engine__prepared_init(engine *store, corm_error *err);
void                     engine__prepared_end(engine *store);
uint64_t                 engine__prepared_count(const engine *store);

cql_statement_kind engine__prepared_kind(const wire_prepared *prepared);
corm_str           engine__prepared_text(const wire_prepared *prepared);
/* The version that was checked last: one reference, or NULL. */
engine_version *engine__prepared_newest(const wire_prepared *prepared);

/* ---- requests: execute.c, modify.c ---- */

/* Values in the order of the statement's markers; those bound by name are sorted into the arena. */
typedef struct engine_values {
    uint32_t         count;
    const cql_value *values;
} engine_values;

/* When a request came, and its place among those under way. */
typedef struct engine_begun {
    int64_t ns;        /* or METRIC_UNTIMED */
    int     place;     /* -1: none */
    bool    is_sample; /* see engine_request */
} engine_begun;

/* Executes INSERT, UPDATE, DELETE, BATCH, DDL and TRUNCATE, given as QUERY, EXECUTE or BATCH, and waits for the commit.
 * `version` is of a QUERY; the reference is taken over. */
CORM_CHECKED corm_status engine__modify(engine *store, engine_client *client,
                                        const wire_request *request, engine_version *version,
                                        const engine_begun *begun, wire_answer *answer,
                                        corm_error *err);

/* Without waiting; the callback runs on the writer thread, or before this returns when the request cannot be queued. Gives the
 * request's place back before it. */
void engine__modify_later(engine *store, engine_client *client, const wire_request *request,
                          engine_version *version, const engine_begun *begun, wire_answer *answer,
                          engine_callback callback, void *context);

/* The keyspace for names without one: the request's, else the client's. */
corm_str engine__request_keyspace(const engine_client *client, const wire_request *request);

CORM_CHECKED corm_status engine__order_values(const wire_request *request,
                                              const cql_checked *checked, base_arena *arena,
                                              engine_values *out, corm_error *err);

/* Fills what does not depend on the statement. */
void engine__request_init(engine_request *out, engine *store, const wire_request *request,
                          int64_t now_us, wire_answer *answer);

#endif
