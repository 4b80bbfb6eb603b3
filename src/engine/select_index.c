// SPDX-License-Identifier: MIT
/* select_index.c -- rows that a secondary index finds. Entries may be stale: each row is looked at itself, with every filter.
 * Thread: the reader's. */
#include "base/fail.h"
#include "base/text.h"
#include "engine/select_internal.h"

static bool has_prefix(corm_bytes key, corm_bytes prefix) {
    return key.len >= prefix.len && memcmp(key.data, prefix.data, prefix.len) == 0;
}

static corm_status index_values(select_run *run, cql_value values[2], corm_error *err) {
    const cql_filter *filter = run->select->where.lookups[0].filter;
    bool              pair = run->select->where.lookups[0].index->target == CQL_TARGET_ENTRIES;
    cql_eval_env      env = run->env;
    env.context.arena = run->request->arena;
    if (pair) CORM_TRY(cql__eval(filter->element, &env, &values[0], err));
    CORM_TRY(cql__eval(filter->terms[0], &env, &values[pair], err));
    for (int i = 0; i <= pair; i++) {
        if (values[i].len > 65535)
            return base__fail(err, CORM_INVALID,
                              "Index expression values may not be larger than 64K");
        if (values[i].len < 0)
            return base__fail(err, CORM_INVALID, "Unsupported %s %s for column %.*s",
                              values[i].len == -2 ? "unset" : "null",
                              !pair    ? "value"
                              : i == 0 ? "map key"
                                       : "map value",
                              (int)filter->column->name.len, filter->column->name.data);
    }
    return CORM_OK;
}

static bool in_partitions(const engine_partition *partitions, uint32_t count, corm_bytes key) {
    for (uint32_t i = 0; i < count; i++)
        if (base__bytes_compare(partitions[i].key, key) == 0) return true;
    return count == 0;
}

/* What an entry points to: a row, or with an index on a static column a whole partition. */
static corm_status visit_entry(select_run *run, corm_bytes data_key, const engine_key *key,
                               corm_error *err) {
    CORM_TRY(select__enter_partition(run, key, NULL, err));
    if (run->stop || run->skip_partition) return CORM_OK;
    if (key->kind == ENGINE_KEY_STATIC) {
        CORM_TRY(select__read_bounds(run, err));
        return run->stop ? CORM_OK : select__leave_partition(run, err);
    }
    return select__in_bounds(run, key->clustering) ? select__read_row(run, data_key, err) : CORM_OK;
}

typedef struct index_walk {
    base_buf prefix;   /* of the entries with the value */
    base_buf data_key; /* of the entry under way */
    int64_t  first_token, last_token;
} index_walk;

static corm_status index_step(select_run *run, kv_cursor *cursor, index_walk *walk,
                              corm_error *err) {
    engine_key key;
    base__buf_clear(&walk->data_key);
    bool is_entry = engine__index_data_key(run->table, kv__cursor_key(cursor),
                                           kv__cursor_value(cursor), &walk->data_key);
    CORM_TRY(base__buf_status(&walk->data_key, err));
    if (!is_entry || !engine__key_split(base__buf_bytes(&walk->data_key), &key))
        return base__fail(err, CORM_CORRUPT, "an entry of index %.*s is damaged",
                          (int)run->select->where.lookups[0].index->name.len,
                          run->select->where.lookups[0].index->name.data);
    if (key.token < walk->first_token || key.token > walk->last_token ||
        !in_partitions(run->partitions, run->partition_count, key.partition_key))
        return CORM_OK;
    return visit_entry(run, base__buf_bytes(&walk->data_key), &key, err);
}

/* The position of an index walk is that of the data key: an entry's key ends with it. A page that ended inside a partition whose
 * static column is indexed goes on with that partition's entry. */
static corm_status index_start(select_run *run, kv_cursor *cursor, index_walk *walk, bool *found,
                               corm_error *err) {
    size_t  len = walk->prefix.len;
    kv_seek how = KV_AT_OR_AFTER;
    if (run->resume.present) {
        bool       by_partition = run->select->where.lookups[0].index->column->kind == CQL_STATIC;
        engine_key last;
        if (!engine__key_split(run->resume.key, &last))
            return base__fail(err, CORM_PROTOCOL_ERROR, "Invalid value for the paging state");
        corm_bytes from = by_partition ? last.prefix : run->resume.key;
        base__buf_put(&walk->prefix, from.data + 4, from.len - 4);
        how = by_partition ? KV_AT_OR_AFTER : KV_AFTER;
    }
    CORM_TRY(base__buf_status(&walk->prefix, err));
    corm_status status = kv__cursor_seek(cursor, base__buf_bytes(&walk->prefix), how, found, err);
    walk->prefix.len = len;
    return status;
}

static corm_status index_walk_all(select_run *run, kv_cursor *cursor, index_walk *walk,
                                  corm_error *err) {
    bool found;
    CORM_TRY(index_start(run, cursor, walk, &found, err));
    while (found && !run->stop &&
           has_prefix(kv__cursor_key(cursor), base__buf_bytes(&walk->prefix))) {
        CORM_TRY(index_step(run, cursor, walk, err));
        if (run->stop) return CORM_OK;
        CORM_TRY(kv__cursor_next(cursor, &found, err));
    }
    run->in_partition = false;
    return CORM_OK;
}

static corm_status index_set_up(select_run *run, index_walk *walk, bool *empty, corm_error *err) {
    const cql_where *where = &run->select->where;
    cql_eval_env     env = run->env;
    cql_value        values[2];
    env.context.arena = run->request->arena;
    *empty = false;
    CORM_TRY(index_values(run, values, err));
    engine__index_prefix(where->lookups[0].index, values, &walk->prefix);
    walk->first_token = INT64_MIN;
    walk->last_token = INT64_MAX;
    if (where->partition_count) return CORM_OK;
    return engine__token_bounds(where, &env, &walk->first_token, &walk->last_token, empty, err);
}

corm_status select__index(select_run *run, corm_error *err) {
    index_walk  walk = { 0 };
    kv_cursor  *cursor;
    bool        empty;
    corm_status status = index_set_up(run, &walk, &empty, err);
    if (status == CORM_OK && !empty)
        status = kv__cursor_open(run->request->txn, KV_DATA, &cursor, err);
    if (status == CORM_OK && !empty) {
        status = index_walk_all(run, cursor, &walk, err);
        kv__cursor_close(cursor);
    }
    base__buf_free(&walk.prefix);
    base__buf_free(&walk.data_key);
    return status;
}
