// SPDX-License-Identifier: MIT
/* select_group.c -- aggregates and GROUP BY. Rows come in key order, so a group is a run of rows; it is given out when the
 * next one begins. Expressions beside aggregates have the values of the group's first row. Thread: the reader's. */
#include <stdlib.h>

#include "base/fail.h"
#include "engine/select_internal.h"

struct select_group {
    bool       open;
    base_arena arena;                   /* of the group under way; reset with each */
    cql_value *by;                      /* its GROUP BY values */
    cql_value *first;                   /* its first row, by column index */
    corm_bytes first_row, first_static; /* the stored bytes, for WRITETIME and TTL */
    void     **states;
    cql_value *results;
    base_buf   prefix;   /* its partition */
    base_buf   last_key; /* of its last row */
    uint32_t   groups_in_partition;
};

corm_status select__group_begin(select_run *run, corm_error *err) {
    run->group = calloc(1, sizeof *run->group);
    return run->group ? CORM_OK : base__fail_memory(err);
}

void select__group_free(select_run *run) {
    if (!run->group) return;
    base__arena_free(&run->group->arena);
    base__buf_free(&run->group->prefix);
    base__buf_free(&run->group->last_key);
    free(run->group);
    run->group = NULL;
}

/* ---- one group ---- */

static corm_status copy_value(base_arena *arena, cql_value value, cql_value *out, corm_error *err) {
    *out = value;
    if (cql__is_null(value)) return CORM_OK;
    out->data = base__arena_copy(arena, value.data, (size_t)value.len);
    return out->data ? CORM_OK : base__fail_memory(err);
}

static corm_status keep_first_row(select_run *run, corm_error *err) {
    select_group *group = run->group;
    group->first = BASE_NEW_ARRAY(&group->arena, cql_value, run->table->column_count);
    if (!group->first) return base__fail_memory(err);
    for (uint32_t i = 0; i < run->table->column_count; i++)
        CORM_TRY(copy_value(&group->arena, run->view.columns[i], &group->first[i], err));
    group->first_row = run->row_bytes;
    group->first_static = run->static_bytes;
    return CORM_OK;
}

static corm_status begin_states(select_run *run, corm_error *err) {
    select_group *group = run->group;
    uint32_t      count = run->select->aggregate_count;
    group->states = BASE_NEW_ARRAY(&group->arena, void *, count);
    group->results = BASE_NEW_ARRAY(&group->arena, cql_value, count);
    if (!group->states || !group->results) return base__fail_memory(err);
    for (uint32_t i = 0; i < count; i++) {
        const cql_function *function = run->select->aggregates[i].function;
        group->states[i] = base__arena_calloc(&group->arena, 1, function->state_size);
        if (!group->states[i]) return base__fail_memory(err);
        function->init(group->states[i]);
    }
    return CORM_OK;
}

static corm_status eval_by(select_run *run, base_arena *arena, cql_value *out, corm_error *err) {
    for (uint32_t i = 0; i < run->select->group_count; i++) {
        cql_value value;
        CORM_TRY(cql__eval(run->select->group_by[i], &run->env, &value, err));
        CORM_TRY(copy_value(arena, value, &out[i], err));
    }
    return CORM_OK;
}

static corm_status open_group(select_run *run, corm_error *err) {
    select_group *group = run->group;
    base__arena_reset(&group->arena);
    group->by = BASE_NEW_ARRAY(&group->arena, cql_value, run->select->group_count);
    if (!group->by) return base__fail_memory(err);
    CORM_TRY(eval_by(run, &group->arena, group->by, err));
    CORM_TRY(select__mask(run, err));
    corm_status status = keep_first_row(run, err);
    select__unmask(run);
    CORM_TRY(status);
    CORM_TRY(begin_states(run, err));
    group->open = true;
    return CORM_OK;
}

static corm_status step_aggregates(select_run *run, corm_error *err) {
    select_group    *group = run->group;
    cql_eval_context context = { &group->arena, run->request->now_us };
    for (uint32_t i = 0; i < run->select->aggregate_count; i++) {
        const cql_aggregate_call *call = &run->select->aggregates[i];
        cql_value                 args[4];
        if (call->count > 4)
            return base__fail(err, CORM_INVALID, "an aggregate takes at most 4 arguments");
        for (uint32_t j = 0; j < call->count; j++)
            CORM_TRY(cql__eval(call->args[j], &run->env, &args[j], err));
        CORM_TRY(call->function->step(call->function, &context, group->states[i], args, err));
    }
    return CORM_OK;
}

static corm_status step_all(select_run *run, corm_error *err) {
    CORM_TRY(select__mask(run, err));
    corm_status status = step_aggregates(run, err);
    select__unmask(run);
    return status;
}

static corm_status project_group(select_run *run, corm_error *err) {
    if (run->sorted) return select__sort_group(run, err);
    CORM_TRY(select__project(run, &run->request->answer->body, err));
    wire__row_done(&run->writer);
    return CORM_OK;
}

/* Puts the first row back in place, adds the results, and gives the row. */
static corm_status give_group(select_run *run, corm_error *err) {
    select_group    *group = run->group;
    cql_eval_context context = { &group->arena, run->request->now_us };
    cql_row_view     view = run->view;
    for (uint32_t i = 0; i < run->select->aggregate_count; i++) {
        const cql_function *function = run->select->aggregates[i].function;
        CORM_TRY(function->final(function, &context, group->states[i], &group->results[i], err));
    }
    corm_bytes row = run->row_bytes, statics = run->static_bytes;
    view.columns = group->first;
    run->row_bytes = group->first_row;
    run->static_bytes = group->first_static;
    run->env.row = &view;
    run->env.aggregates = group->results;
    corm_status status = project_group(run, err);
    run->env.row = &run->view;
    run->env.aggregates = NULL;
    run->row_bytes = row;
    run->static_bytes = statics;
    group->open = false;
    return status;
}

/* ---- rows ---- */

static bool same_bytes(const base_buf *a, const base_buf *b) {
    return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

static corm_status belongs(select_run *run, bool *same, corm_error *err) {
    select_group *group = run->group;
    *same = true;
    for (uint32_t i = 0; i < run->select->group_count && *same; i++) {
        cql_value value, old = group->by[i];
        CORM_TRY(cql__eval(run->select->group_by[i], &run->env, &value, err));
        *same = value.len == old.len &&
                (value.len <= 0 || memcmp(value.data, old.data, (size_t)value.len) == 0);
    }
    return CORM_OK;
}

static corm_status enter_group_partition(select_run *run, corm_error *err) {
    select_group *group = run->group;
    if (run->select->group_count == 0 || same_bytes(&group->prefix, &run->prefix)) return CORM_OK;
    base__buf_clear(&group->prefix);
    base__buf_put(&group->prefix, run->prefix.data, run->prefix.len);
    group->groups_in_partition = run->partition_rows;
    return base__buf_status(&group->prefix, err);
}

static corm_status finish_group(select_run *run, corm_error *err) {
    select_group *group = run->group;
    uint32_t      current = run->partition_rows;
    bool          skip = run->skip_partition;
    CORM_TRY(give_group(run, err));
    if (run->sorted) return CORM_OK; /* limits come after the sort */
    run->partition_rows = group->groups_in_partition - 1;
    CORM_TRY(select__count(run, base__buf_bytes(&group->last_key), err));
    if (!run->stop) run->partition_rows = current;
    run->skip_partition = skip;
    return CORM_OK;
}

corm_status select__group_row(select_run *run, corm_bytes key, corm_error *err) {
    select_group *group = run->group;
    bool          same = false;
    if (group->open) CORM_TRY(belongs(run, &same, err));
    if (group->open && !same) {
        CORM_TRY(finish_group(run, err));
        if (run->stop) return CORM_OK;
    }
    if (!group->open) {
        CORM_TRY(enter_group_partition(run, err));
        if (group->groups_in_partition >= run->per_partition) {
            run->skip_partition = true;
            return CORM_OK;
        }
        group->groups_in_partition++;
        CORM_TRY(open_group(run, err));
    }
    base__buf_clear(&group->last_key);
    base__buf_put(&group->last_key, key.data, key.len);
    CORM_TRY(base__buf_status(&group->last_key, err));
    return step_all(run, err);
}

/* The last group. Without GROUP BY there always is one row, also of no rows at all. */
corm_status select__group_end(select_run *run, corm_error *err) {
    if (run->stop) return CORM_OK;
    if (!run->group->open) {
        if (run->select->group_count || run->limit == 0) return CORM_OK;
        for (uint32_t i = 0; i < run->table->column_count; i++) run->values[i] = CQL_NULL;
        run->row_bytes = run->static_bytes = (corm_bytes){ 0 };
        CORM_TRY(open_group(run, err));
    }
    if (run->select->group_count) return finish_group(run, err);
    return give_group(run, err);
}
