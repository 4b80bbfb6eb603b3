// SPDX-License-Identifier: MIT
/* select_virtual.c -- SELECT on tables whose rows come from a function: the keys' restrictions are held against each row.
 * A page's position is the number of rows passed, as the token of a key without a partition. Thread: the reader's. */
#include "base/fail.h"
#include "engine/select_internal.h"

typedef struct virtual_walk {
    select_run       *run;
    engine_partition *partitions;
    uint32_t          partition_count, at; /* IN: one pass over the table for each */
    uint64_t          number, skip;        /* rows met, rows of earlier pages */
    int64_t           first_token, last_token;
    base_buf          clustering, key;
} virtual_walk;

static bool same_bytes(corm_bytes a, corm_bytes b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static bool wanted(virtual_walk *walk, const engine_partition *partition) {
    select_run *run = walk->run;
    if (partition->token < walk->first_token || partition->token > walk->last_token) return false;
    if (walk->partitions && !same_bytes(walk->partitions[walk->at].key, partition->key))
        return false;
    base__buf_clear(&walk->clustering);
    engine__key_clustering(run->table, run->values + run->table->partition_count,
                           run->table->clustering_count, &walk->clustering);
    return select__in_bounds(run, base__buf_bytes(&walk->clustering));
}

/* The key names the row's partition (for limits of a partition) and, in its clustering part, the row's number. */
static corm_status set_key(virtual_walk *walk, const engine_partition *partition, corm_error *err) {
    base__buf_clear(&walk->key);
    engine__key_partition(walk->run->table->storage_id, partition->token, partition->key,
                          &walk->key);
    base__buf_u8(&walk->key, ENGINE_KEY_ROW);
    base__buf_u64(&walk->key, walk->number);
    return base__buf_status(&walk->key, err);
}

static corm_status emit_row(void *context, const cql_value *columns, corm_error *err) {
    virtual_walk    *walk = context;
    select_run      *run = walk->run;
    engine_partition partition;
    engine_key       key;
    walk->number++;
    if (run->stop || walk->number <= walk->skip) return CORM_OK;
    base__arena_reset(&run->row_arena);
    memcpy(run->values, columns, run->table->column_count * sizeof *columns);
    CORM_TRY(engine__partition_of(run->table, run->values, &run->row_arena, &partition, err));
    if (!wanted(walk, &partition)) return CORM_OK;
    CORM_TRY(set_key(walk, &partition, err));
    if (!engine__key_split(base__buf_bytes(&walk->key), &key)) return CORM_OK;
    if (!run->in_partition || !same_bytes(key.prefix, base__buf_bytes(&run->prefix))) {
        run->in_partition = true;
        run->skip_partition = false;
        run->partition_rows = 0;
        base__buf_clear(&run->prefix);
        base__buf_put(&run->prefix, key.prefix.data, key.prefix.len);
    }
    if (run->skip_partition) return CORM_OK;
    if (run->select->distinct) run->skip_partition = true;
    return select__visit(run, base__buf_bytes(&walk->key), err);
}

/* Whether a row with this partition key may be one that is asked for. */
static corm_status may_want(void *context, const cql_value *columns, bool *out, corm_error *err) {
    virtual_walk    *walk = context;
    select_run      *run = walk->run;
    engine_partition partition;
    *out = !run->stop;
    if (run->stop || !walk->partitions) return CORM_OK;
    base__arena_reset(&run->row_arena);
    CORM_TRY(engine__partition_of(run->table, columns, &run->row_arena, &partition, err));
    *out = same_bytes(walk->partitions[walk->at].key, partition.key);
    return CORM_OK;
}

static corm_status set_up(virtual_walk *walk, bool *empty, corm_error *err) {
    select_run      *run = walk->run;
    const cql_where *where = &run->select->where;
    cql_eval_env     env = run->env;
    engine_key       last;
    env.context.arena = run->request->arena;
    CORM_TRY(engine__token_bounds(where, &env, &walk->first_token, &walk->last_token, empty, err));
    if (run->resume.present && engine__key_split(run->resume.key, &last) &&
        last.clustering.len == 8)
        walk->skip = base__load_u64(last.clustering.data);
    if (!where->partition_count) return CORM_OK;
    return engine__partitions(run->table, where, &env, &walk->partitions, &walk->partition_count,
                              err);
}

corm_status select__virtual(select_run *run, corm_error *err) {
    virtual_walk walk = { .run = run };
    bool         empty;
    corm_status  status = set_up(&walk, &empty, err);
    uint32_t     passes = walk.partitions ? walk.partition_count : 1;
    for (; status == CORM_OK && !empty && walk.at < passes; walk.at++)
        status = engine__virtual_rows(run->request, run->table, emit_row, may_want, &walk, err);
    base__buf_free(&walk.clustering);
    base__buf_free(&walk.key);
    return status;
}
