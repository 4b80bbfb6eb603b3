// SPDX-License-Identifier: MIT
/* bounds.c -- see bounds.h. A restriction gives a list of alternatives; a key is one of their product. Thread: any. */
#include "engine/bounds.h"

#include <stdlib.h>

#include "base/fail.h"
#include "base/text.h"

enum { MAX_PRODUCT = 1 << 20, MAX_KEY = 65535 };

/* ---- the values of a restriction ---- */

/* Alternatives of one restriction: `count` rows of `width` values each. */
typedef struct alternatives {
    uint32_t   width, count, capacity;
    cql_value *values;
} alternatives;

static corm_status check_key_value(const cql_column *column, cql_value value, bool in_tuple,
                                   corm_error *err) {
    if (value.len >= 0) return CORM_OK;
    const char *what = value.len == -2 ? "unset value"
                       : in_tuple      ? "null value"
                                       : "null value in condition";
    return base__fail(err, CORM_INVALID, "Invalid %s for column %.*s", what, (int)column->name.len,
                      column->name.data);
}

static bool add_alternative(alternatives *to, const cql_value *values, base_arena *arena) {
    if (to->count == to->capacity) {
        uint32_t   capacity = to->capacity ? 2 * to->capacity : 4;
        cql_value *bigger = BASE_NEW_ARRAY(arena, cql_value, (size_t)capacity * to->width);
        if (!bigger) return false;
        if (to->count) memcpy(bigger, to->values, (size_t)to->count * to->width * sizeof *bigger);
        to->values = bigger;
        to->capacity = capacity;
    }
    memcpy(to->values + (size_t)to->count++ * to->width, values, to->width * sizeof *values);
    return true;
}

/* Splits a tuple value into `count` values; missing ones are null. */
static corm_status split_tuple(const cql_column *column, const cql_type *type, cql_value tuple,
                               uint32_t count, cql_value *out, corm_error *err) {
    cql_walk walk;
    CORM_TRY(check_key_value(column, tuple, true, err));
    CORM_TRY(cql__walk_begin(&walk, type, tuple, err));
    for (uint32_t i = 0; i < count; i++)
        if (!cql__walk_next(&walk, &out[i])) out[i] = CQL_NULL;
    return CORM_OK;
}

/* How many columns it gives a value. */
static uint32_t row_width(const cql_row_value *row) {
    return row->packed ? row->nodes[0]->type->count : row->count;
}

static corm_status eval_row_value(const cql_column *columns, const cql_row_value *row,
                                  bool is_tuple, cql_eval_env *env, cql_value *out,
                                  corm_error *err) {
    if (row->packed) {
        cql_value tuple;
        CORM_TRY(cql__eval(row->nodes[0], env, &tuple, err));
        return split_tuple(columns, row->nodes[0]->type, tuple, row_width(row), out, err);
    }
    for (uint32_t i = 0; i < row->count; i++) {
        CORM_TRY(cql__eval(row->nodes[i], env, &out[i], err));
        if (is_tuple && out[i].len == -2)
            return base__fail(err, CORM_INVALID, "Invalid unset value for tuple field number %u",
                              i);
    }
    return CORM_OK;
}

/* (a, b) IN (…) names all columns. */
static corm_status refuse_null_row(const cql_column *columns, uint32_t count, corm_error *err) {
    base_buf names = { 0 };
    for (uint32_t i = 0; i < count; i++)
        base__buf_printf(&names, "%s%.*s", i ? ", " : "", (int)columns[i].name.len,
                         columns[i].name.data);
    corm_status status =
        base__fail(err, CORM_INVALID, "Invalid null value in condition for columns: [%.*s]",
                   (int)names.len, (const char *)names.data);
    base__buf_free(&names);
    return status;
}

static corm_status add_row(alternatives *to, const cql_column *columns, const cql_value *values,
                           const cql_restriction *from, cql_eval_env *env, corm_error *err) {
    for (uint32_t i = 0; i < to->width; i++) {
        if (from->is_tuple && from->kind == CQL_RESTRICT_IN && values[i].len == -1)
            return refuse_null_row(columns, to->width, err);
        CORM_TRY(check_key_value(&columns[i], values[i], from->is_tuple, err));
    }
    return add_alternative(to, values, env->context.arena) ? CORM_OK : base__fail_memory(err);
}

static corm_status eval_in_list(alternatives *to, const cql_column *columns,
                                const cql_restriction *restriction, cql_eval_env *env,
                                cql_value *row, corm_error *err) {
    const cql_type *type = restriction->in_list->type;
    cql_value       list, item;
    cql_walk        walk;
    CORM_TRY(cql__eval(restriction->in_list, env, &list, err));
    if (list.len == -1 && restriction->is_tuple)
        return base__fail(err, CORM_INVALID, "Invalid null value for IN restriction");
    CORM_TRY(check_key_value(columns, list, true, err));
    CORM_TRY(cql__walk_begin(&walk, type, list, err));
    while (cql__walk_next(&walk, &item)) {
        row[0] = item;
        if (type->params[0]->id == CQL_TUPLE && restriction->is_tuple)
            CORM_TRY(split_tuple(columns, type->params[0], item, to->width, row, err));
        CORM_TRY(add_row(to, columns, row, restriction, env, err));
    }
    return CORM_OK;
}

/* EQ and IN: all alternatives. */
static corm_status eval_alternatives(const cql_column *columns, const cql_restriction *restriction,
                                     cql_eval_env *env, alternatives *out, corm_error *err) {
    *out = (alternatives){ .width = restriction->count };
    cql_value *row = BASE_NEW_ARRAY(env->context.arena, cql_value, restriction->count);
    if (!row) return base__fail_memory(err);
    if (restriction->in_list) return eval_in_list(out, columns, restriction, env, row, err);
    for (uint32_t i = 0; i < restriction->value_count; i++) {
        CORM_TRY(
            eval_row_value(columns, &restriction->values[i], restriction->is_tuple, env, row, err));
        CORM_TRY(add_row(out, columns, row, restriction, env, err));
    }
    return CORM_OK;
}

/* ---- partitions ---- */

typedef struct partition_sort {
    const cql_column *columns;
    uint32_t          count;
} partition_sort;

static int compare_partitions(const partition_sort *sort, const engine_partition *a,
                              const engine_partition *b) {
    for (uint32_t i = 0; i < sort->count; i++) {
        int order = cql__compare(sort->columns[i].type, a->values[i], b->values[i]);
        if (order) return order;
    }
    return 0;
}

/* Merge sort: stable, and the comparison needs the columns. */
static void sort_partitions(const partition_sort *sort, engine_partition *items,
                            engine_partition *spare, uint32_t count) {
    if (count < 2) return;
    uint32_t half = count / 2, left = 0, right = half, out = 0;
    sort_partitions(sort, items, spare, half);
    sort_partitions(sort, items + half, spare, count - half);
    while (left < half || right < count) {
        bool take_left = right == count || (left < half && compare_partitions(sort, &items[left],
                                                                              &items[right]) <= 0);
        spare[out++] = take_left ? items[left++] : items[right++];
    }
    memcpy(items, spare, count * sizeof *items);
}

corm_status engine__partition_of(const cql_table *table, const cql_value *values, base_arena *arena,
                                 engine_partition *out, corm_error *err) {
    size_t size = 0;
    for (uint32_t i = 0; i < table->partition_count; i++) {
        CORM_TRY(check_key_value(&table->columns[i], values[i], false, err));
        size += (size_t)values[i].len + (table->partition_count > 1 ? 3 : 0);
    }
    if (size == 0) return base__fail(err, CORM_INVALID, "Key may not be empty");
    if (size > MAX_KEY)
        return base__fail(err, CORM_INVALID, "Key length of %zu is longer than maximum of %d", size,
                          MAX_KEY);

    out->values = values;
    if (table->partition_count == 1) {
        out->key = (corm_bytes){ values[0].data, (size_t)values[0].len };
    } else {
        uint8_t *data = base__arena_alloc(arena, size);
        if (!data) return base__fail_memory(err);
        base_buf key = { .data = data, .cap = size };
        cql__partition_key(values, table->partition_count, &key);
        out->key = base__buf_bytes(&key);
    }
    out->token = cql__token(out->key);
    return CORM_OK;
}

static corm_status product_size(const alternatives *parts, uint32_t count, uint32_t *out,
                                corm_error *err) {
    uint64_t size = 1;
    for (uint32_t i = 0; i < count && size <= MAX_PRODUCT; i++) size *= parts[i].count;
    if (size > MAX_PRODUCT)
        return base__fail(err, CORM_INVALID,
                          "The IN restrictions of the statement select more than %d keys",
                          MAX_PRODUCT);
    *out = (uint32_t)size;
    return CORM_OK;
}

/* The n-th of the product, the last part changing quickest. */
static void product_at(const alternatives *parts, uint32_t count, uint32_t n, cql_value *out) {
    for (uint32_t i = count; i-- > 0; n /= parts[i].count) {
        const cql_value *row = parts[i].values + (size_t)(n % parts[i].count) * parts[i].width;
        uint32_t         at = 0;
        for (uint32_t before = 0; before < i; before++) at += parts[before].width;
        memcpy(out + at, row, parts[i].width * sizeof *row);
    }
}

static corm_status single_partition(const cql_table *table, const cql_where *where,
                                    cql_eval_env *env, engine_partition **out, uint32_t *count,
                                    corm_error *err) {
    base_arena       *arena = env->context.arena;
    engine_partition *partition = BASE_NEW(arena, engine_partition);
    cql_value        *values = BASE_NEW_ARRAY(arena, cql_value, table->partition_count);
    if (!partition || !values) return base__fail_memory(err);
    for (uint32_t i = 0; i < table->partition_count; i++)
        CORM_TRY(cql__eval(where->partition[i].values[0].nodes[0], env, &values[i], err));
    *out = partition;
    *count = 1;
    return engine__partition_of(table, values, arena, partition, err);
}

static bool is_single(const cql_where *where) {
    for (uint32_t i = 0; i < where->partition_count; i++)
        if (where->partition[i].kind != CQL_RESTRICT_EQ || where->partition[i].values[0].packed)
            return false;
    return true;
}

static uint32_t drop_equal(const partition_sort *sort, engine_partition *items, uint32_t count) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++)
        if (kept == 0 || compare_partitions(sort, &items[kept - 1], &items[i]) != 0)
            items[kept++] = items[i];
    return kept;
}

corm_status engine__partitions(const cql_table *table, const cql_where *where, cql_eval_env *env,
                               engine_partition **out, uint32_t *count, corm_error *err) {
    if (is_single(where)) return single_partition(table, where, env, out, count, err);

    base_arena   *arena = env->context.arena;
    alternatives *parts = BASE_NEW_ARRAY(arena, alternatives, table->partition_count);
    if (!parts) return base__fail_memory(err);
    for (uint32_t i = 0; i < table->partition_count; i++)
        CORM_TRY(eval_alternatives(&table->columns[i], &where->partition[i], env, &parts[i], err));
    CORM_TRY(product_size(parts, table->partition_count, count, err));

    engine_partition *items = BASE_NEW_ARRAY(arena, engine_partition, 2 * (size_t)*count);
    cql_value *values = BASE_NEW_ARRAY(arena, cql_value, (size_t)*count * table->partition_count);
    if (!items || !values) return base__fail_memory(err);
    for (uint32_t i = 0; i < *count; i++) {
        cql_value *row = values + (size_t)i * table->partition_count;
        product_at(parts, table->partition_count, i, row);
        CORM_TRY(engine__partition_of(table, row, arena, &items[i], err));
    }
    partition_sort sort = { table->columns, table->partition_count };
    sort_partitions(&sort, items, items + *count, *count);
    *count = drop_equal(&sort, items, *count);
    *out = items;
    return CORM_OK;
}

/* ---- stretches of a partition ---- */

/* prefix | order forms of `count` values from column `first` on | 0xFF when behind. */
static corm_bytes make_edge(const cql_table *table, corm_bytes prefix, uint32_t first,
                            const cql_value *values, uint32_t count, bool behind,
                            base_arena *arena) {
    const cql_column *column = table->columns + table->partition_count + first;
    base_buf          edge = { 0 };
    base__buf_put(&edge, prefix.data, prefix.len);
    for (uint32_t i = 0; i < count; i++)
        cql__order_put(column[i].type, values[i], column[i].descending, &edge);
    if (behind) base__buf_u8(&edge, 0xFF);
    corm_bytes out = { base__arena_copy(arena, edge.data, edge.len), edge.len };
    if (edge.failed) out.data = NULL;
    base__buf_free(&edge);
    return out;
}

typedef struct stretches {
    uint32_t      count, capacity;
    engine_bound *items;
    base_arena   *arena;
    bool          failed;
} stretches;

static void add_stretch(stretches *to, corm_bytes start, corm_bytes end, const cql_value *row) {
    if (!start.data || !end.data) to->failed = true;
    if (to->failed || (!row && base__bytes_compare(start, end) >= 0)) return;
    if (to->count == to->capacity) {
        uint32_t      capacity = to->capacity ? 2 * to->capacity : 4;
        engine_bound *bigger = BASE_NEW_ARRAY(to->arena, engine_bound, capacity);
        to->failed = !bigger;
        if (!bigger) return;
        if (to->count) memcpy(bigger, to->items, to->count * sizeof *bigger);
        to->items = bigger;
        to->capacity = capacity;
    }
    to->items[to->count++] = (engine_bound){ .start = start, .end = end, .row = row };
}

/* One side of a slice, evaluated. */
typedef struct slice_side {
    bool       present, inclusive;
    uint32_t   count;
    cql_value *values;
} slice_side;

/* Says in values what the last stretch was, if it was added. */
static void set_edges(stretches *to, uint32_t count_before, engine_edge from, engine_edge end) {
    if (to->failed || to->count == count_before) return;
    engine_bound *last = &to->items[to->count - 1];
    last->from = from;
    last->to = end;
    last->has_edges = true;
}

/* `fixed` values and those of one side of a slice behind them. */
static engine_edge edge_of(const cql_value *fixed, uint32_t fixed_count, const slice_side *side,
                           stretches *to) {
    engine_edge edge = { fixed_count, true, fixed };
    if (!side->present) return edge;
    cql_value *values = BASE_NEW_ARRAY(to->arena, cql_value, fixed_count + side->count);
    if (!values) {
        to->failed = true;
        return edge;
    }
    if (fixed_count) memcpy(values, fixed, fixed_count * sizeof *values);
    memcpy(values + fixed_count, side->values, side->count * sizeof *values);
    return (engine_edge){ fixed_count + side->count, side->inclusive, values };
}

static corm_status eval_side(const cql_table *table, const cql_restriction *slice,
                             const cql_row_value *bound, bool inclusive, cql_eval_env *env,
                             slice_side *out, corm_error *err) {
    *out = (slice_side){ .present = bound != NULL, .inclusive = inclusive };
    if (!bound) return CORM_OK;
    const cql_column *columns = table->columns + table->partition_count + slice->first;
    out->count = row_width(bound);
    out->values = BASE_NEW_ARRAY(env->context.arena, cql_value, row_width(bound));
    if (!out->values) return base__fail_memory(err);
    CORM_TRY(eval_row_value(columns, bound, slice->is_tuple, env, out->values, err));
    for (uint32_t i = 0; i < out->count; i++)
        if (slice->is_tuple || out->values[i].len == -2)
            CORM_TRY(check_key_value(&columns[i], out->values[i], false, err));
    return CORM_OK;
}

static bool same_direction(const cql_table *table, const cql_restriction *slice) {
    const cql_column *columns = table->columns + table->partition_count + slice->first;
    for (uint32_t i = 1; i < slice->count; i++)
        if (columns[i].descending != columns[0].descending) return false;
    return true;
}

/* All columns ascend, or all descend: one stretch. In a descending one the upper bound comes first. */
static void add_plain_slice(const cql_table *table, const cql_restriction *slice, corm_bytes prefix,
                            const cql_value *fixed, const slice_side *lower,
                            const slice_side *upper, stretches *out) {
    bool              descends = table->columns[table->partition_count + slice->first].descending;
    const slice_side *from = descends ? upper : lower;
    const slice_side *to = descends ? lower : upper;
    corm_bytes        start = make_edge(table, prefix, slice->first, from->values, from->count,
                                        from->present && !from->inclusive, out->arena);
    corm_bytes        end = make_edge(table, prefix, slice->first, to->values, to->count,
                                      !to->present || to->inclusive, out->arena);
    uint32_t          count = out->count;
    add_stretch(out, start, end, NULL);
    set_edges(out, count, edge_of(fixed, slice->first, from, out),
              edge_of(fixed, slice->first, to, out));
}

/* Columns of both directions: (a, b) > (x, y) is a > x, or a = x and b > y. A stretch for each column, and one for
 * equality when the bound is included. */
static void add_side_stretches(const cql_table *table, const cql_restriction *slice,
                               corm_bytes prefix, const slice_side *side, bool is_lower,
                               stretches *out) {
    const cql_column *columns = table->columns + table->partition_count + slice->first;
    if (!side->present) {
        add_stretch(out, prefix, make_edge(table, prefix, 0, NULL, 0, true, out->arena), NULL);
        return;
    }
    for (uint32_t i = 0; i < side->count; i++) {
        corm_bytes equal =
            make_edge(table, prefix, slice->first, side->values, i, false, out->arena);
        bool behind = columns[i].descending !=
                      is_lower; /* in key order, what is wanted lies behind the value */
        if (behind)
            add_stretch(
                out, make_edge(table, prefix, slice->first, side->values, i + 1, true, out->arena),
                make_edge(table, equal, 0, NULL, 0, true, out->arena), NULL);
        else
            add_stretch(
                out, equal,
                make_edge(table, prefix, slice->first, side->values, i + 1, false, out->arena),
                NULL);
    }
    if (side->inclusive)
        add_stretch(
            out,
            make_edge(table, prefix, slice->first, side->values, side->count, false, out->arena),
            make_edge(table, prefix, slice->first, side->values, side->count, true, out->arena),
            NULL);
}

static void add_mixed_slice(const cql_table *table, const cql_restriction *slice, corm_bytes prefix,
                            const slice_side *lower, const slice_side *upper, stretches *out) {
    stretches above = { .arena = out->arena }, below = { .arena = out->arena };
    add_side_stretches(table, slice, prefix, lower, true, &above);
    add_side_stretches(table, slice, prefix, upper, false, &below);
    out->failed = out->failed || above.failed || below.failed;
    for (uint32_t i = 0; i < above.count; i++)
        for (uint32_t j = 0; j < below.count; j++) {
            const engine_bound *a = &above.items[i], *b = &below.items[j];
            add_stretch(out, base__bytes_compare(a->start, b->start) > 0 ? a->start : b->start,
                        base__bytes_compare(a->end, b->end) < 0 ? a->end : b->end, NULL);
        }
}

static corm_status add_slice(const cql_table *table, const cql_restriction *slice,
                             corm_bytes prefix, const cql_value *fixed, cql_eval_env *env,
                             stretches *out, corm_error *err) {
    slice_side lower, upper;
    CORM_TRY(eval_side(table, slice, slice->lower, slice->lower_inclusive, env, &lower, err));
    CORM_TRY(eval_side(table, slice, slice->upper, slice->upper_inclusive, env, &upper, err));
    if (same_direction(table, slice))
        add_plain_slice(table, slice, prefix, fixed, &lower, &upper, out);
    else
        add_mixed_slice(table, slice, prefix, &lower, &upper, out);
    return CORM_OK;
}

static int compare_stretches(const void *a, const void *b) {
    return base__bytes_compare(((const engine_bound *)a)->start, ((const engine_bound *)b)->start);
}

static void sort_and_drop_equal(stretches *list) {
    if (list->count < 2) return;
    qsort(list->items, list->count, sizeof *list->items, compare_stretches);
    uint32_t kept = 1;
    for (uint32_t i = 1; i < list->count; i++)
        if (base__bytes_compare(list->items[kept - 1].start, list->items[i].start) != 0)
            list->items[kept++] = list->items[i];
    list->count = kept;
}

/* What follows one combination of EQ and IN values: a row, a slice, or all with this prefix. */
static corm_status add_combination(const cql_table *table, const cql_restriction *slice,
                                   const cql_value *values, uint32_t width, cql_eval_env *env,
                                   stretches *out, corm_error *err) {
    corm_bytes prefix = make_edge(table, (corm_bytes){ 0 }, 0, values, width, false, out->arena);
    if (!prefix.data) return base__fail_memory(err);
    if (slice) return add_slice(table, slice, prefix, values, env, out, err);
    if (width == table->clustering_count) {
        add_stretch(out, prefix, prefix, values);
        return CORM_OK;
    }
    uint32_t    count = out->count;
    engine_edge edge = { width, true, values };
    add_stretch(out, prefix, make_edge(table, prefix, 0, NULL, 0, true, out->arena), NULL);
    set_edges(out, count, edge, edge);
    return CORM_OK;
}

corm_status engine__bounds(const cql_table *table, const cql_where *where, cql_eval_env *env,
                           engine_bound **out, uint32_t *count, corm_error *err) {
    base_arena            *arena = env->context.arena;
    uint32_t               fixed = where->clustering_count, width = 0, total = 0;
    const cql_restriction *slice = NULL;
    stretches              list = { .arena = arena };
    if (fixed && where->clustering[fixed - 1].kind == CQL_RESTRICT_SLICE)
        slice = &where->clustering[--fixed];

    alternatives *parts = BASE_NEW_ARRAY(arena, alternatives, fixed);
    if (!parts) return base__fail_memory(err);
    for (uint32_t i = 0; i < fixed; i++) {
        const cql_restriction *restriction = &where->clustering[i];
        const cql_column *columns = table->columns + table->partition_count + restriction->first;
        CORM_TRY(eval_alternatives(columns, restriction, env, &parts[i], err));
        width += restriction->count;
    }
    CORM_TRY(product_size(parts, fixed, &total, err));
    for (uint32_t i = 0; i < total; i++) {
        cql_value *values = BASE_NEW_ARRAY(arena, cql_value, width);
        if (!values) return base__fail_memory(err);
        product_at(parts, fixed, i, values);
        CORM_TRY(add_combination(table, slice, values, width, env, &list, err));
    }
    if (list.failed) return base__fail_memory(err);
    sort_and_drop_equal(&list);
    *out = list.items;
    *count = list.count;
    return CORM_OK;
}

/* ---- tokens ---- */

static corm_status eval_token(const cql_node *node, cql_eval_env *env, int64_t *out,
                              corm_error *err) {
    cql_value value;
    CORM_TRY(cql__eval(node, env, &value, err));
    if (value.len == -2) return base__fail(err, CORM_INVALID, "Invalid unset token value");
    if (value.len != 8) return base__fail(err, CORM_INVALID, "Invalid null token value");
    *out = (int64_t)base__load_u64(value.data);
    return CORM_OK;
}

/* The minimum token is the ring's beginning and end: as a bound it is no bound. */
corm_status engine__token_bounds(const cql_where *where, cql_eval_env *env, int64_t *lower,
                                 int64_t *upper, bool *empty, corm_error *err) {
    const cql_token_range *range = &where->token;
    *lower = INT64_MIN;
    *upper = INT64_MAX;
    *empty = false;
    if (range->lower) {
        CORM_TRY(eval_token(range->lower, env, lower, err));
        if (!range->lower_inclusive && *lower == INT64_MAX)
            *empty = true;
        else if (!range->lower_inclusive && *lower != INT64_MIN)
            ++*lower;
    }
    if (range->upper) {
        CORM_TRY(eval_token(range->upper, env, upper, err));
        if (*upper == INT64_MIN)
            *upper = INT64_MAX;
        else if (!range->upper_inclusive)
            --*upper;
    }
    *empty = *empty || *lower > *upper;
    return CORM_OK;
}

corm_status engine__token_inside(const cql_where *where, cql_eval_env *env, int64_t token,
                                 bool *inside, corm_error *err) {
    const cql_token_range *range = &where->token;
    int64_t                lower = 0, upper = 0;
    bool                   above = true, below = true;
    if (range->lower) {
        CORM_TRY(eval_token(range->lower, env, &lower, err));
        above = token > lower || (range->lower_inclusive && token == lower);
    }
    if (range->upper) {
        CORM_TRY(eval_token(range->upper, env, &upper, err));
        below = token < upper || (range->upper_inclusive && token == upper);
    }
    bool around = range->lower && range->upper && lower > upper;
    *inside = around ? above || below : above && below;
    return CORM_OK;
}
