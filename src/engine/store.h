// SPDX-License-Identifier: MIT
/* store.h -- inside the engine: snapshots for readers, the write queue, prepared statements.
 *
 *            reader (caller's thread)                    writers (any threads)
 *   engine__read_begin  snapshot + its schema     engine__write: enqueue ──► the first becomes leader:
 *   engine__select      rows -> answer              one LMDB transaction; each operation runs in turn,
 *   engine__read_end                                then one commit; then all are told
 *
 * An operation plans before it writes: it reads, computes its row images in memory, and puts them at its end. An operation that
 * fails while planning leaves nothing behind and the others of its group are not touched. A failure of the puts or of the
 * commit (full map, disk, memory) abandons the transaction; a full map is grown and the group runs again; else each
 * operation runs again alone, so that only those fail that must. */
#ifndef ENGINE_STORE_H
#define ENGINE_STORE_H

#include "cql/guard.h"
#include "engine/engine.h"
#include "engine/kv.h"
#include "engine/row.h"

/* Keys of KV_META: "format" (u32), "schema" (cql__schema_write), "serial" (u64: of that schema), "store" (the store's uuid),
 * "clock" (i64: the highest timestamp handed out, so that time does not go back over restarts). */

/* ---- snapshots ---- */

typedef struct engine_snapshot {
    engine     *store;
    kv_txn     *txn;
    cql_schema *schema; /* the one stored in this snapshot; borrowed until engine__read_end */
} engine_snapshot;

CORM_CHECKED corm_status engine__read_begin(engine *store, engine_snapshot *out, corm_error *err);
void                     engine__read_end(engine_snapshot *snapshot);

/* ---- one request being executed ---- */

typedef struct engine_request {
    engine              *store;
    kv_txn              *txn;
    const cql_schema    *schema;
    const cql_checked   *checked;
    const wire_options  *options;
    const engine_client *client;
    const cql_guard     *guard; /* NULL: whoever asks is not held up */
    corm_str             keyspace;
    uint32_t             value_count;
    const cql_value     *values; /* validated */
    int64_t              now_us; /* the statement's time */
    int64_t      began_ns;  /* when it came, or METRIC_UNTIMED; 0: it is none that is counted */
    bool         is_sample; /* it is timed for METRIC_TIMED_POINTS reads */
    uint32_t     now_s;     /* what expiry is judged by: options.now_in_seconds, or now_us */
    base_arena  *arena;
    wire_answer *answer;
    bool         is_masked; /* masked columns are hidden from who asks */
    corm_bytes
        changed_metadata; /* data set: the caller's metadata is old; call wire__rows_changed with this */
} engine_request;

/* Refuses the consistency levels that the server refuses for any node's state: CORM_INVALID, CORM_UNAVAILABLE. */
CORM_CHECKED corm_status engine__check_read_consistency(const engine_request *request,
                                                        corm_error           *err);
CORM_CHECKED corm_status engine__check_write_consistency(const engine_request     *request,
                                                         const cql_checked_modify *modify,
                                                         bool is_batch, bool is_conditional,
                                                         corm_error *err);
/* Whether elements of lists may be looked for at this level; once the rows of a statement without conditions are known. */
CORM_CHECKED corm_status engine__check_list_read(const engine_request     *request,
                                                 const cql_checked_modify *modify, corm_error *err);
/* Those that ORDER BY … ANN OF cannot have: refused, or lowered to one with a warning. */
CORM_CHECKED corm_status engine__check_ann_consistency(const engine_request *request,
                                                       corm_error           *err);
/* Whether there are replicas enough; once the values are known to be good, for a conditional statement once it is known to apply. */
CORM_CHECKED corm_status engine__check_replicas(const engine_request *request,
                                                const cql_table *table, corm_error *err);

/* ---- readers: select.c and what it uses ---- */

/* Executes a SELECT (or DESCRIBE) into request->answer. */
CORM_CHECKED corm_status engine__select(engine_request *request, corm_error *err);
CORM_CHECKED corm_status engine__describe(engine_request *request, corm_error *err);

/* Rows of a virtual table, in order: for each, `emit` is called with a value for every column of the table by index. `wanted` says
 * of the columns of the partition key whether such a row may be asked for, where it is dear to work out. */
typedef corm_status (*engine_emit)(void *context, const cql_value *columns, corm_error *err);
typedef corm_status (*engine_wanted)(void *context, const cql_value *columns, bool *out,
                                     corm_error *err);
CORM_CHECKED corm_status engine__virtual_rows(engine_request *request, const cql_table *table,
                                              engine_emit emit, engine_wanted wanted, void *context,
                                              corm_error *err);

/* INSERT, UPDATE and DELETE on virtual tables: refused, or keys of caches are forgotten. */
CORM_CHECKED corm_status engine__virtual_modify(engine_request           *request,
                                                const cql_checked_modify *modify, cql_eval_env *env,
                                                corm_error *err);
/* TRUNCATE of one whose keys may be forgotten; *done is false for any other table. */
CORM_CHECKED corm_status engine__virtual_truncate(engine_request *request, bool *done,
                                                  corm_error *err);

/* The system keyspaces (system, system_schema, system_virtual_schema …) as a snapshot to build on. */
CORM_CHECKED corm_status engine__system_schema(cql_schema **out, corm_error *err);

/* ---- writers: write.c and what it uses ---- */

/* Row images that one operation changes, by key; nothing is stored before engine__write_flush. */
typedef struct engine_write engine_write;

/* In the arena; engine__write_end frees what is not. */
CORM_CHECKED corm_status engine__write_new(engine_request *request, engine_write **out,
                                           corm_error *err);
void                     engine__write_end(engine_write *write);

/* INSERT, UPDATE, DELETE without conditions, into the images. timestamp: of the statement, if it has none of its own. */
CORM_CHECKED corm_status engine__write_modify(engine_write *write, const cql_checked_modify *modify,
                                              int64_t timestamp, const cql_value *values,
                                              uint32_t value_count, corm_error *err);

/* Executes a modification or a batch with everything it may have (conditions, batch timestamp), into images and
 * request->answer; the caller flushes. */
CORM_CHECKED corm_status engine__write_statement(engine_write *write, corm_error *err);

/* A protocol BATCH of prepared and text statements. */
CORM_CHECKED corm_status engine__write_batch(engine_write *write, const cql_checked_batch *batch,
                                             const cql_value *const *item_values,
                                             const uint32_t *item_value_counts, corm_error *err);

/* Makes the flush look at a stored row or partition record again: what is over is dropped (see engine__image_purge), and
 * its index entries with it. Nothing happens when it is gone. */
CORM_CHECKED corm_status engine__write_touch(engine_write *write, const cql_table *table,
                                             corm_bytes data_key, corm_error *err);

/* Puts all changed images, their index entries, and their reclaim entries. */
CORM_CHECKED corm_status engine__write_flush(engine_write *write, corm_error *err);

/* DDL and TRUNCATE: applies, stores the new schema, queues dropped storage for reclaim, fills new indexes. */
CORM_CHECKED corm_status engine__ddl(engine_request *request, cql_schema **next, corm_error *err);

/* Reclaims up to `budget` due entries of the queue tree in this write transaction. Queue keys: due second (4) | sequence
 * (8) -> what: a row to look at again (its data key), or a storage id to delete. */
CORM_CHECKED corm_status engine__reclaim_some(engine *store, kv_txn *txn, const cql_schema *schema,
                                              uint32_t now_s, uint64_t budget, uint64_t *reclaimed,
                                              corm_error *err);
CORM_CHECKED corm_status engine__queue_row(kv_txn *txn, uint32_t due_s, corm_bytes data_key,
                                           corm_error *err);
CORM_CHECKED corm_status engine__queue_storage(kv_txn *txn, uint32_t storage_id, corm_error *err);

/* Tells the feed of a change of the schema or of TRUNCATE; before `next` is stored. */
CORM_CHECKED corm_status engine__feed_schema(engine_request *request, const cql_schema *next,
                                             const cql_schema_change *change, corm_error *err);

/* ---- indexes: index.c ---- */

/* Fills a new index from the rows of its table. */
CORM_CHECKED corm_status engine__index_build(kv_txn *txn, const cql_table *table,
                                             const cql_index *index, base_arena *arena,
                                             corm_error *err);
/* The data key (with the table's storage id put in front) of an index entry. False: damaged. */
bool engine__index_data_key(const cql_table *table, corm_bytes key, corm_bytes value,
                            base_buf *out);

/* Strictly increasing microseconds for this store, across threads and restarts. */
int64_t engine__timestamp(engine *store);

#endif
