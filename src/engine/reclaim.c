// SPDX-License-Identifier: MIT
/* reclaim.c -- what was deleted or has expired is cleared away later, from a queue in the order of when it is due.
 *
 *   queue tree:  due second (4) | sequence (8)  ->  1 (1) | data key       look at the row again
 *                                                  2 (1) | storage id (4) delete all that begins with it
 *
 * Writers do a little of it with each commit; engine__reclaim does it until the budget is used or nothing is due. An entry is
 * taken off when it is done, in the same transaction. Thread: the commit leader's. */
#include <stdlib.h>

#include "engine/core.h"

enum { QUEUE_KEY = 4 + 8, DUE_ROW = 1, DUE_STORAGE = 2 };

/* Entries that engine__reclaim works on in one transaction, so that other writers come in between. */
static const uint64_t step_budget = 1000;

/* ---- filling the queue ---- */

static corm_status enqueue(kv_txn *txn, uint32_t due_s, uint8_t what, corm_bytes of,
                           corm_error *err) {
    uint8_t  key[QUEUE_KEY];
    base_buf value = { 0 };
    base__store_u32(key, due_s);
    base__store_u64(key + 4, kv__unique(txn));
    base__buf_u8(&value, what);
    base__buf_put(&value, of.data, of.len);
    corm_status status = base__buf_status(&value, err);
    if (status == CORM_OK) {
        status =
            kv__put(txn, KV_QUEUE, (corm_bytes){ key, sizeof key }, base__buf_bytes(&value), err);
    }
    base__buf_free(&value);
    return status;
}

corm_status engine__queue_row(kv_txn *txn, uint32_t due_s, corm_bytes data_key, corm_error *err) {
    return enqueue(txn, due_s, DUE_ROW, data_key, err);
}

corm_status engine__queue_storage(kv_txn *txn, uint32_t storage_id, corm_error *err) {
    uint8_t bytes[4];
    base__store_u32(bytes, storage_id);
    return enqueue(txn, 0, DUE_STORAGE, (corm_bytes){ bytes, sizeof bytes }, err);
}

/* ---- emptying it ---- */

typedef struct reclaimer {
    engine           *store;
    kv_txn           *txn;
    const cql_schema *schema;
    uint32_t          now_s;
    uint64_t          budget, done;
    base_arena       *arena;
    base_buf key, value; /* of the entry under way: copies, since writes move what LMDB gave */
} reclaimer;

static corm_status next_due(reclaimer *run, bool *found, corm_error *err) {
    kv_cursor *cursor;
    CORM_TRY(kv__cursor_open(run->txn, KV_QUEUE, &cursor, err));
    corm_status status = kv__cursor_seek(cursor, (corm_bytes){ 0 }, KV_AT_OR_AFTER, found, err);
    if (status == CORM_OK && *found) {
        corm_bytes key = kv__cursor_key(cursor), value = kv__cursor_value(cursor);
        base__buf_clear(&run->key);
        base__buf_clear(&run->value);
        base__buf_put(&run->key, key.data, key.len);
        base__buf_put(&run->value, value.data, value.len);
        status = base__buf_status(&run->key, err);
        if (status == CORM_OK) status = base__buf_status(&run->value, err);
        /* An entry that is no entry is due, to be reported. */
        *found = key.len != QUEUE_KEY || base__load_u32(key.data) <= run->now_s;
    }
    kv__cursor_close(cursor);
    return status;
}

static const cql_table *table_of_storage(const cql_schema *schema, uint32_t storage_id) {
    for (uint32_t i = 0; i < schema->keyspace_count; i++) {
        const cql_keyspace *keyspace = schema->keyspaces[i];
        for (uint32_t j = 0; j < keyspace->table_count; j++) {
            const cql_table *table = keyspace->tables[j];
            if (!table->is_virtual && table->storage_id == storage_id) return table;
        }
    }
    return NULL;
}

/* A row whose table was dropped goes with the table's storage. */
static corm_status reclaim_row(reclaimer *run, corm_bytes data_key, corm_error *err) {
    const cql_table *table = table_of_storage(run->schema, base__load_u32(data_key.data));
    run->done++;
    if (!table) return CORM_OK;
    wire_options   options = { 0 };
    engine_write  *write;
    engine_request request = {
        .store = run->store,
        .txn = run->txn,
        .schema = run->schema,
        .options = &options,
        .now_us = (int64_t)run->now_s * 1000000,
        .now_s = run->now_s,
        .arena = run->arena,
    };
    CORM_TRY(engine__write_new(&request, &write, err));
    corm_status status = engine__write_touch(write, table, data_key, err);
    if (status == CORM_OK) status = engine__write_flush(write, err);
    engine__write_end(write);
    base__arena_reset(run->arena);
    return status;
}

/* The first key of the storage. */
static corm_status first_of_storage(reclaimer *run, corm_bytes prefix, base_buf *key, bool *found,
                                    corm_error *err) {
    kv_cursor *cursor;
    CORM_TRY(kv__cursor_open(run->txn, KV_DATA, &cursor, err));
    corm_status status = kv__cursor_seek(cursor, prefix, KV_AT_OR_AFTER, found, err);
    if (status == CORM_OK && *found) {
        corm_bytes at = kv__cursor_key(cursor);
        *found = at.len >= prefix.len && memcmp(at.data, prefix.data, prefix.len) == 0;
        base__buf_clear(key);
        base__buf_put(key, at.data, at.len);
        status = base__buf_status(key, err);
    }
    kv__cursor_close(cursor);
    return status;
}

static corm_status reclaim_storage(reclaimer *run, corm_bytes prefix, bool *over, corm_error *err) {
    base_buf    key = { 0 };
    corm_status status = CORM_OK;
    *over = false;
    while (status == CORM_OK && run->done < run->budget) {
        bool found, deleted;
        status = first_of_storage(run, prefix, &key, &found, err);
        *over = status == CORM_OK && !found;
        if (status != CORM_OK || !found) break;
        status = kv__delete(run->txn, KV_DATA, base__buf_bytes(&key), &deleted, err);
        run->done++;
    }
    base__buf_free(&key);
    return status;
}

corm_status engine__queue_entry(corm_bytes key, corm_bytes value, bool *is_storage,
                                uint32_t *storage_id, corm_error *err) {
    uint8_t what = value.len > 0 ? value.data[0] : 0;
    *is_storage = what == DUE_STORAGE;
    if (key.len == QUEUE_KEY &&
        ((what == DUE_STORAGE && value.len == 5) || (what == DUE_ROW && value.len >= 5))) {
        *storage_id = base__load_u32(value.data + 1);
        return CORM_OK;
    }
    return base__fail(err, CORM_CORRUPT, "the reclaim queue holds something that is no entry");
}

static corm_status reclaim_entry(reclaimer *run, corm_error *err) {
    bool       is_storage, over = true, found;
    uint32_t   storage_id;
    corm_bytes key = base__buf_bytes(&run->key), value = base__buf_bytes(&run->value);
    CORM_TRY(engine__queue_entry(key, value, &is_storage, &storage_id, err));
    corm_bytes of = { value.data + 1, value.len - 1 };
    CORM_TRY(is_storage ? reclaim_storage(run, of, &over, err) : reclaim_row(run, of, err));
    return over ? kv__delete(run->txn, KV_QUEUE, key, &found, err) : CORM_OK;
}

corm_status engine__reclaim_some(engine *store, kv_txn *txn, const cql_schema *schema,
                                 uint32_t now_s, uint64_t budget, uint64_t *reclaimed,
                                 corm_error *err) {
    base_arena  arena = { 0 };
    reclaimer   run = { store, txn, schema, now_s, budget, 0, &arena, { 0 }, { 0 } };
    bool        found = true;
    corm_status status = CORM_OK;
    while (status == CORM_OK && run.done < budget) {
        status = next_due(&run, &found, err);
        if (status != CORM_OK || !found) break;
        status = reclaim_entry(&run, err);
    }
    *reclaimed = run.done;
    base__buf_free(&run.key);
    base__buf_free(&run.value);
    base__arena_free(&arena);
    return status;
}

/* ---- engine__reclaim ---- */

typedef struct reclaim_job {
    engine_job job; /* first */
    uint64_t   budget, done;
} reclaim_job;

static corm_status run_reclaim(engine_job *job, engine_round *round, corm_error *err) {
    reclaim_job *reclaim = (reclaim_job *)job;
    uint32_t     now_s = (uint32_t)(round->store->now_us() / 1000000);
    uint64_t     trimmed;
    CORM_TRY(engine__reclaim_some(round->store, round->txn, round->schema, now_s, reclaim->budget,
                                  &reclaim->done, err));
    CORM_TRY(engine__feed_trim(round->store, round->txn, round->store->now_us(),
                               reclaim->budget - reclaim->done, &trimmed, err));
    reclaim->done += trimmed;
    return CORM_OK;
}

corm_status engine__reclaim(engine *store, uint64_t budget, uint64_t *reclaimed, corm_error *err) {
    uint64_t left = budget ? budget : UINT64_MAX;
    *reclaimed = 0;
    CORM_TRY(kv__check_process(store->kv, err));
    while (left > 0) {
        reclaim_job step = { .job.run = run_reclaim,
                             .budget = left < step_budget ? left : step_budget };
        CORM_TRY(engine__write(store, &step.job, err));
        *reclaimed += step.done;
        atomic_fetch_add_explicit(&store->reclaimed, step.done, memory_order_relaxed);
        if (step.done < step.budget) break;
        left -= step.done;
    }
    return CORM_OK;
}
