// SPDX-License-Identifier: MIT
/* feed_schema.c -- changes of the schema and TRUNCATE as records of the feed, and the schemas that older records are read by.
 *
 * A schema is kept when it ends, not when it begins: a record is read by the first kept schema whose serial is not lower than its
 * own, or by the current one. What CREATE adds takes nothing from older records, so only ALTER and DROP keep the schema before
 * them. Thread: the commit leader's. */
#include "base/fail.h"
#include "cql/parser.h"
#include "engine/core.h"
#include "engine/write_internal.h"

static const cql_table *table_by_storage(const cql_schema *schema, uint32_t storage_id) {
    for (uint32_t i = 0; i < schema->keyspace_count; i++)
        for (uint32_t j = 0; j < schema->keyspaces[i]->table_count; j++) {
            const cql_table *table = schema->keyspaces[i]->tables[j];
            if (!table->is_virtual && table->storage_id == storage_id) return table;
        }
    return NULL;
}

static bool has_fed(const engine *store, const cql_schema *schema, corm_str keyspace) {
    const cql_keyspace *found = cql__schema_keyspace(schema, keyspace);
    for (uint32_t i = 0; found && i < found->table_count; i++)
        if (engine__is_fed(store, found->tables[i])) return true;
    return false;
}

/* Whether somebody may follow what was changed. */
static bool concerns(const engine *store, const cql_schema *old, const cql_schema *next,
                     const cql_schema_change *change, const cql_table *table) {
    if (store->feed.settings.all || (table && engine__is_fed(store, table))) return true;
    if (change->target == CQL_CHANGED_TABLE) {
        const cql_table *before = cql__schema_table(old, change->keyspace, change->name);
        return before && engine__is_fed(store, before);
    }
    return has_fed(store, old, change->keyspace) || has_fed(store, next, change->keyspace);
}

static corm_status put(engine *store, kv_txn *txn, base_buf *record, int64_t time_us,
                       corm_error *err) {
    uint8_t            key[FEED_RECORD_KEY];
    engine_feed_state *state = &store->feed;
    size_t             size = sizeof key + record->len;
    engine__feed_key((engine_feed_position){ state->commit + 1, 0 }, key);
    corm_status status = base__buf_status(record, err);
    if (status == CORM_OK)
        status =
            kv__put(txn, KV_FEED, (corm_bytes){ key, sizeof key }, base__buf_bytes(record), err);
    base__buf_free(record);
    if (status != CORM_OK) return status;
    if (state->count == 0) state->first_us = time_us;
    state->commit++;
    state->count++;
    state->bytes += size;
    return CORM_OK;
}

static corm_bytes bytes_of(corm_str text) {
    return (corm_bytes){ (const uint8_t *)text.data, text.len };
}

static const char *const targets[] = {
    [CQL_CHANGED_NOTHING] = "TABLE",
    [CQL_CHANGED_KEYSPACE] = "KEYSPACE",
    [CQL_CHANGED_TABLE] = "TABLE",
    [CQL_CHANGED_TYPE] = "TYPE",
};

static corm_status put_change(engine_request *request, const cql_schema *next,
                              const cql_schema_change *change, const cql_table *table,
                              corm_error *err) {
    bool     is_truncate = change->target == CQL_CHANGED_NOTHING;
    base_buf record = { 0 }, text = { 0 };
    corm_str keyspace = is_truncate ? table->keyspace : change->keyspace;
    corm_str name = is_truncate ? table->name : change->name;
    bool     is_drop = !is_truncate && strcmp(change->verb, "DROPPED") == 0;
    cql__print(request->checked->statement, &text);
    engine__feed_put_head(is_truncate ? ENGINE_FEED_TRUNCATE : ENGINE_FEED_SCHEMA, 0,
                          request->now_us, request->now_us,
                          is_drop ? request->schema->serial : next->serial,
                          table ? &table->id : NULL, &record);
    engine__feed_put_bytes(bytes_of(corm_str_of(is_truncate ? "TRUNCATED" : change->verb)),
                           &record);
    engine__feed_put_bytes(bytes_of(corm_str_of(targets[change->target])), &record);
    engine__feed_put_bytes(bytes_of(keyspace), &record);
    engine__feed_put_bytes(bytes_of(name), &record);
    engine__feed_put_bytes(base__buf_bytes(&text), &record);
    if (text.failed) record.failed = true;
    base__buf_free(&text);
    return put(request->store, request->txn, &record, request->now_us, err);
}

static corm_status keep_schema(engine_request *request, corm_error *err) {
    uint8_t     key[FEED_SCHEMA_KEY] = { FEED_KEY_SCHEMA };
    base_buf    bytes = { 0 };
    corm_status status = cql__schema_write(request->schema, &bytes, err);
    base__store_u64(key + 1, request->schema->serial);
    if (status == CORM_OK) status = base__buf_status(&bytes, err);
    if (status == CORM_OK)
        status = kv__put(request->txn, KV_FEED, (corm_bytes){ key, sizeof key },
                         base__buf_bytes(&bytes), err);
    base__buf_free(&bytes);
    return status;
}

corm_status engine__feed_schema(engine_request *request, const cql_schema *next,
                                const cql_schema_change *change, corm_error *err) {
    engine          *store = request->store;
    const cql_table *table = NULL;
    bool             is_truncate = change->target == CQL_CHANGED_NOTHING;
    if (is_truncate && change->dropped_count == 0) return CORM_OK;
    if (is_truncate)
        table = table_by_storage(request->schema, change->dropped_storage[0]);
    else if (change->target == CQL_CHANGED_TABLE)
        table = cql__schema_table(next, change->keyspace, change->name);
    if (!table && change->target == CQL_CHANGED_TABLE)
        table = cql__schema_table(request->schema, change->keyspace, change->name);
    if (is_truncate && !table) return CORM_OK;
    bool told = concerns(store, request->schema, next, change, table);
    if ((told || store->feed.count > 0) && !is_truncate && strcmp(change->verb, "CREATED") != 0)
        CORM_TRY(keep_schema(request, err));
    if (!told) return CORM_OK;
    return put_change(request, next, change, table, err);
}
