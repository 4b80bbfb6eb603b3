// SPDX-License-Identifier: MIT
/* select.c -- executes a checked SELECT on a snapshot: chooses the source of rows, sets the limits, writes the answer.
 * Thread: the reader's, without a lock. */
#include "base/clock.h"
#include "base/fail.h"
#include "engine/core.h"
#include "engine/guard.h"
#include "engine/trace.h"

enum { USUAL_BODY = 256 }; /* bytes; enough for a row of most tables */

static corm_status metadata(void *context, const cql_node *node, cql_value *out, corm_error *err) {
    select_run     *run = context;
    const cql_node *leaf = node->args[0];
    while (leaf->kind != CQL_NODE_COLUMN) leaf = leaf->args[0];
    bool       is_static = leaf->column->kind == CQL_STATIC;
    corm_bytes bytes = is_static ? run->static_bytes : run->row_bytes;
    *out = CQL_NULL;
    if (!bytes.data) return CORM_OK;
    return engine__row_metadata(run->table, is_static, bytes, run->request->now_s, node, &run->env,
                                out, err);
}

static bool restricts_rows(const cql_where *where) {
    if (where->clustering_count) return true;
    for (uint32_t i = 0; i < where->filter_count; i++)
        if (where->filters[i].column && (where->filters[i].column->kind == CQL_CLUSTERING ||
                                         where->filters[i].column->kind == CQL_REGULAR))
            return true;
    return false;
}

static corm_status set_limits(select_run *run, corm_error *err) {
    const wire_options *options = run->request->options;
    CORM_TRY(cql__eval_limit(run->select->limit, &run->env, &run->limit, err));
    CORM_TRY(
        cql__eval_limit(run->select->per_partition_limit, &run->env, &run->per_partition, err));
    run->grouped = run->select->aggregate_count || run->select->group_count;
    bool one_row = run->grouped && run->select->group_count == 0;
    if (run->select->ann) return CORM_OK;
    run->paged = options->page_size > 0 && !one_row;
    run->page_left = run->paged ? (uint32_t)options->page_size : UINT32_MAX;
    if (options->paging_state.data && options->paging_state.len)
        return select__read_paging_state(run, options->paging_state, err);
    return CORM_OK;
}

/* The server works these out first, whether there are rows or not. */
static corm_status try_known_calls(select_run *run, corm_error *err) {
    cql_value value;
    for (uint32_t i = 0; i < run->select->known_count; i++)
        CORM_TRY(cql__eval(run->select->known[i], &run->env, &value, err));
    return CORM_OK;
}

static corm_status set_up(select_run *run, engine_request *request, corm_error *err) {
    *run = (select_run){ .request = request, .select = request->checked->select };
    run->table = run->select->table;
    CORM_TRY(engine__check_read_consistency(request, err));
    CORM_TRY(engine__guard_read_level(request, err));
    run->env = (cql_eval_env){ .context = { &run->row_arena, request->now_us },
                               .marker_count = request->value_count,
                               .markers = request->values };
    run->values = BASE_NEW_ARRAY(request->arena, cql_value, run->table->column_count);
    if (!run->values) return base__fail_memory(err);
    for (uint32_t i = 0; i < run->table->column_count; i++) run->values[i] = CQL_NULL;
    if (request->is_masked) {
        run->masked = BASE_NEW_ARRAY(request->arena, cql_value, run->table->column_count);
        if (!run->masked) return base__fail_memory(err);
    }
    run->view = (cql_row_view){ run->values, metadata, run };
    run->whole_partition = !run->select->ann && !restricts_rows(&run->select->where);
    run->page_left = UINT32_MAX;
    CORM_TRY(set_limits(run, err));
    CORM_TRY(try_known_calls(run, err));
    if (run->select->ann) CORM_TRY(select__ann_begin(run, err));
    return cql__check_filters(&run->select->where, &run->env, err);
}

/* token(…) beside keys narrows these. */
static corm_status keep_tokens(select_run *run, corm_error *err) {
    engine_partition *partitions = run->partitions;
    uint32_t          kept = 0;
    if (!run->select->where.token.present) return CORM_OK;
    for (uint32_t i = 0; i < run->partition_count; i++) {
        bool inside;
        CORM_TRY(engine__token_inside(&run->select->where, &run->env, partitions[i].token, &inside,
                                      err));
        if (inside) partitions[kept++] = partitions[i];
    }
    run->partition_count = kept;
    return CORM_OK;
}

/* Keys depend on bind values only: they are worked out once, in the request's arena. *none: nothing is asked for. */
static corm_status set_keys(select_run *run, bool *none, corm_error *err) {
    const cql_where *where = &run->select->where;
    cql_eval_env     env = run->env;
    env.context.arena = run->request->arena;
    *none = false;
    if (where->partition_count) {
        CORM_TRY(engine__partitions(run->table, where, &env, &run->partitions,
                                    &run->partition_count, err));
        CORM_TRY(keep_tokens(run, err));
        *none = run->partition_count == 0;
    }
    if (where->clustering_count == 0 || *none) return CORM_OK;
    CORM_TRY(engine__bounds(run->table, where, &env, &run->bounds, &run->bound_count, err));
    *none = run->bound_count == 0;
    return CORM_OK;
}

/* Partitions of pages and groups are read one by one, others at once. */
static corm_status check_serial(const select_run *run, corm_error *err) {
    const wire_options *options = run->request->options;
    bool at_once = !run->grouped && (options->page_size <= 0 || run->limit <= run->page_left);
    if (run->partition_count < 2 || !at_once ||
        (options->consistency != WIRE_SERIAL && options->consistency != WIRE_LOCAL_SERIAL))
        return CORM_OK;
    return base__fail(
        err, CORM_INVALID,
        "SERIAL/LOCAL_SERIAL consistency may only be requested for one partition at a time");
}

static void tell_plan(const select_run *run) {
    const cql_where *where = &run->select->where;
    corm_str         name = run->table->name;
    if (run->table->is_virtual)
        engine__trace_step("Computing the rows of %.*s", (int)name.len, name.data);
    else if (where->lookup_count)
        engine__trace_step("Reading %.*s through %u of its indexes", (int)name.len, name.data,
                           where->lookup_count);
    else if (where->partition_count)
        engine__trace_step("Reading %u partitions of %.*s", run->partition_count, (int)name.len,
                           name.data);
    else
        engine__trace_step("Scanning all partitions of %.*s", (int)name.len, name.data);
}

static corm_status read_rows(select_run *run, corm_error *err) {
    if (run->request->options->tracing) tell_plan(run);
    if (run->table->is_virtual) return select__virtual(run, err);
    if (run->ann) return select__ann_read(run, err);
    if (run->select->where.lookup_count) return select__index(run, err);
    if (run->select->where.partition_count) return select__partitions(run, err);
    return select__scan(run, err);
}

static void begin_answer(select_run *run) {
    const engine_request *request = run->request;
    bool                  stale = request->changed_metadata.data != NULL;
    (void)base__buf_reserve(&request->answer->body, USUAL_BODY);
    wire__rows_begin(&run->writer, &request->answer->body, run->select->columns,
                     run->select->column_count, request->options->skip_metadata && !stale,
                     WIRE_VERSION);
    if (stale) wire__rows_changed(&run->writer, request->changed_metadata);
}

static corm_status end_answer(select_run *run, corm_error *err) {
    base_buf state = { 0 };
    if (run->has_more) select__put_paging_state(run, &state);
    wire__rows_end(&run->writer, state.len ? base__buf_bytes(&state) : (corm_bytes){ 0 });
    corm_status status = base__buf_status(&state, err);
    base__buf_free(&state);
    return status != CORM_OK ? status : base__buf_status(&run->request->answer->body, err);
}

/* Rows of several partitions are sorted as a whole: there is no page to cut. Groups are never taken for few enough. */
static corm_status check_sort(const select_run *run, corm_error *err) {
    if (run->request->options->page_size <= 0) return CORM_OK;
    if (!run->grouped && run->limit <= run->page_left) return CORM_OK;
    return base__fail(
        err, CORM_INVALID,
        "Cannot page queries with both ORDER BY and a IN restriction on the partition key; you must "
        "either remove the ORDER BY or the IN and sort client side, or disable paging for this query");
}

static corm_status run_select(select_run *run, corm_error *err) {
    bool none;
    CORM_TRY(set_keys(run, &none, err));
    if (!none) CORM_TRY(check_serial(run, err));
    if (run->request->guard) CORM_TRY(engine__guard_select(run, err));
    begin_answer(run);
    if (run->select->sort_count) CORM_TRY(check_sort(run, err));
    if (!none && !run->select->ann) CORM_TRY(engine__check_replicas(run->request, run->table, err));
    if (run->select->sort_count) CORM_TRY(select__sort_begin(run, err));
    if (run->grouped) CORM_TRY(select__group_begin(run, err));
    if (run->limit && !none) CORM_TRY(read_rows(run, err));
    if (run->grouped) CORM_TRY(select__group_end(run, err));
    if (run->select->sort_count) CORM_TRY(select__sort_end(run, err));
    if (run->ann) CORM_TRY(select__ann_end(run, err));
    CORM_TRY(end_answer(run, err));
    if (run->tombstones > 0) CORM_TRY(engine__warn_tombstones(run, err));
    ENGINE_STEP(run->request->options, "Read %u rows%s", run->writer.rows,
                run->has_more ? "; there are more" : "");
    return CORM_OK;
}

/* For system_views. */
static void count_read(const select_run *run, int64_t began_ns) {
    const engine_request *request = run->request;
    bool                  is_scan = run->select->where.partition_count == 0;
    if (run->table->is_virtual) return;
    metric_table *table = metric__table(request->store, run->table);
    if (!table) return;
    metric__count(table, METRIC_ROWS, run->live_rows);
    if (run->tombstones > 0) metric__count(table, METRIC_TOMBSTONES, run->tombstones);
    if (began_ns == METRIC_UNTIMED) return;
    int64_t  now_ns = base__clock_mono_ns();
    uint64_t weight = request->is_sample ? METRIC_TIMED_POINTS : 1;
    metric__time(table, is_scan ? METRIC_LOCAL_SCAN : METRIC_LOCAL_READ, weight, began_ns, now_ns);
    metric__time(table, is_scan ? METRIC_COORDINATOR_SCAN : METRIC_COORDINATOR_READ, weight,
                 request->began_ns, now_ns);
}

corm_status engine__select(engine_request *request, corm_error *err) {
    select_run  run;
    int64_t     began_ns = request->began_ns > 0 ? base__clock_mono_ns() : request->began_ns;
    corm_status status = set_up(&run, request, err);
    run.env.row = &run.view;
    if (status == CORM_OK) status = run_select(&run, err);
    if (status == CORM_OK && began_ns) count_read(&run, began_ns);
    select__sort_free(&run);
    select__ann_free(&run);
    select__group_free(&run);
    base__buf_free(&run.prefix);
    base__buf_free(&run.last_key);
    base__arena_free(&run.row_arena);
    base__arena_free(&run.partition_arena);
    return status;
}
