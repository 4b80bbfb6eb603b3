// SPDX-License-Identifier: MIT
/* native.c -- a group whose keys are the partition key (and clustering columns behind it), and whose accumulators CQL has, is made by the
 * store: for a token range or a partition at a time. What comes back are parts of the answer, which are joined here:
 *
 *   count(x)   sum of counts            min, max   the least, the greatest of them
 *   sum(x)     sum of sums of ranges with a value; CQL's own sum of int overflows, so that it is asked for as a wider type
 *   avg(x)     sum of sums by sum of counts
 *
 * The joining is written as stages of the same pipeline: groups over the columns of the parts, then a project. Pure. */
#include "aggregate/pipeline.h"
#include "corm/schema.h"

typedef struct native {
    base_arena            *arena;
    const corm_table_info *table;
    const agg_stage       *group;
    agg_stage             *join;  /* the groups over parts */
    agg_stage             *shape; /* the project behind */
    base_buf              *columns;
    const char            *why;
    corm_error            *err;
} native;

static const corm_column_info *column_of(const native *n, const agg_node *node) {
    for (uint32_t i = 0; node->kind == AGG_NAME && i < n->table->column_count; i++)
        if (corm_str_equal(corm_str_of(n->table->columns[i].name), node->text))
            return &n->table->columns[i];
    return NULL;
}

static uint32_t key_columns(const native *n, corm_key a, corm_key b) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < n->table->column_count; i++)
        count += n->table->columns[i].key == a || n->table->columns[i].key == b;
    return count;
}

/* No keys, or the primary key's first columns in order, among them the whole partition key. */
static bool keys_fit(native *n) {
    uint32_t partition = key_columns(n, CORM_PARTITION, CORM_PARTITION);
    uint32_t all = partition + key_columns(n, CORM_CLUSTERING, CORM_CLUSTERING_DESC);
    uint32_t count = n->group->count;
    bool     fits = count == 0 || (count >= partition && count <= all);
    for (uint32_t i = 0; i < count && fits; i++)
        fits = column_of(n, n->group->items[i].node) == &n->table->columns[i];
    if (!fits) n->why = "the group's keys are not the first columns of the primary key";
    return fits;
}

/* What the sum of a column is asked for as; NULL: not asked for. */
static const char *sum_type(const char *type) {
    if (strcmp(type, "tinyint") == 0 || strcmp(type, "smallint") == 0 || strcmp(type, "int") == 0)
        return "bigint";
    if (strcmp(type, "bigint") == 0) return "varint";
    if (strcmp(type, "float") == 0) return "double";
    bool same =
        strcmp(type, "double") == 0 || strcmp(type, "varint") == 0 || strcmp(type, "decimal") == 0;
    return same ? "" : NULL;
}

static bool is_scalar(const char *type) {
    return !strchr(type, '<') && strcmp(type, "duration") != 0 && strcmp(type, "counter") != 0;
}

static bool acc_fits(native *n, const agg_node *call) {
    static const char *const names[] = { "count", "sum", "avg", "min", "max" };
    size_t                   which = 0;
    n->why = "CQL has no such accumulator";
    if (call->kind != AGG_CALL || call->distinct) return false;
    while (which < 5 && !corm_str_equal(call->text, corm_str_of(names[which]))) which++;
    if (which == 5) return false;
    if (which == 0 && (call->count == 0 || call->args[0]->kind == AGG_STAR)) return true;
    const corm_column_info *column = call->count == 1 ? column_of(n, call->args[0]) : NULL;
    n->why = "an accumulator's argument is no column of a type that CQL aggregates";
    if (!column || !is_scalar(column->type)) return false;
    return (which != 1 && which != 2) || sum_type(column->type);
}

/* ---- the parts ---- */

static agg_node *name_node(native *n, char kind, uint32_t i) {
    corm_str name = base__arena_printf(n->arena, "%c_%u", kind, i);
    return name.data ? agg__node_new(n->arena, AGG_NAME, name) : NULL;
}

static void put_part(native *n, const char *call, const corm_column_info *column, const char *as,
                     char kind, uint32_t i) {
    if (n->columns->len > strlen("SELECT ")) base__buf_puts(n->columns, ", ");
    base__buf_printf(n->columns, "%s(", call);
    if (column && as && *as) base__buf_puts(n->columns, "CAST(");
    if (column) {
        cql__put_name(n->columns, corm_str_of(column->name));
    } else {
        base__buf_puts(n->columns, "*");
    }
    if (column && as && *as) base__buf_printf(n->columns, " AS %s)", as);
    base__buf_printf(n->columns, ") AS %c_%u", kind, i);
}

static bool join_part(native *n, const char *function, agg_node *argument, char kind, uint32_t i) {
    agg_node *name = name_node(n, kind, i);
    agg_node *call = agg__call_new(n->arena, function, 1, argument, NULL, NULL);
    if (!argument || !name || !call) return false;
    n->join->accs[n->join->acc_count++] = (agg_named){ name->text, call };
    return true;
}

/* A range without a value has a sum of 0 in CQL: it has none. */
static agg_node *present(native *n, uint32_t i) {
    agg_node *zero = agg__node_new(n->arena, AGG_NUMBER, corm_str_of("0"));
    agg_node *counts = agg__call_new(n->arena, ">", 2, name_node(n, 'c', i), zero, NULL);
    agg_node *nothing = agg__node_new(n->arena, AGG_NOTHING, corm_str_of("null"));
    if (!zero || !counts || !nothing) return NULL;
    return agg__call_new(n->arena, "if", 3, counts, name_node(n, 's', i), nothing);
}

static agg_node *cast_node(native *n, agg_node *value, const char *type) {
    agg_node *name = agg__node_new(n->arena, AGG_STRING, corm_str_of(type));
    return value && name ? agg__call_new(n->arena, "cast", 2, value, name, NULL) : NULL;
}

static agg_node *shaped_sum(native *n, const corm_column_info *column, uint32_t i, bool avg) {
    const char *as = sum_type(column->type);
    bool        whole = strcmp(as, "bigint") == 0 || strcmp(as, "varint") == 0;
    bool        exact = strcmp(column->type, "varint") == 0 || strcmp(column->type, "decimal") == 0;
    if (!avg) return whole ? cast_node(n, name_node(n, 's', i), "bigint") : name_node(n, 's', i);
    const char *type = exact ? "decimal" : "double";
    return agg__call_new(n->arena, "/", 2, cast_node(n, name_node(n, 's', i), type),
                         cast_node(n, name_node(n, 'c', i), type), NULL);
}

static agg_node *counted(native *n, uint32_t i) {
    agg_node *zero = agg__node_new(n->arena, AGG_NUMBER, corm_str_of("0"));
    return zero ? agg__call_new(n->arena, "coalesce", 2, name_node(n, 'c', i), zero, NULL) : NULL;
}

/* One accumulator: its parts, how they are joined, what it is called. */
static bool add_acc(native *n, uint32_t i) {
    const agg_node         *call = n->group->accs[i].node;
    const corm_column_info *column = call->count == 1 ? column_of(n, call->args[0]) : NULL;
    agg_named              *out = &n->shape->items[n->shape->count++];
    bool                    avg = corm_str_equal(call->text, corm_str_of("avg"));
    out->name = n->group->accs[i].name;
    if (corm_str_equal(call->text, corm_str_of("count"))) {
        put_part(n, "count", column, NULL, 'c', i);
        out->node = counted(n, i);
        return out->node && join_part(n, "sum", name_node(n, 'c', i), 'c', i);
    }
    if (avg || corm_str_equal(call->text, corm_str_of("sum"))) {
        put_part(n, "count", column, NULL, 'c', i);
        put_part(n, "sum", column, sum_type(column->type), 's', i);
        out->node = shaped_sum(n, column, i, avg);
        return out->node && join_part(n, "sum", present(n, i), 's', i) &&
               join_part(n, "sum", name_node(n, 'c', i), 'c', i);
    }
    const char *function = corm_str_equal(call->text, corm_str_of("min")) ? "min" : "max";
    put_part(n, function, column, NULL, 'm', i);
    out->node = name_node(n, 'm', i);
    return out->node && join_part(n, function, name_node(n, 'm', i), 'm', i);
}

static void add_key(native *n, uint32_t i) {
    const agg_named *key = &n->group->items[i];
    if (i > 0) base__buf_puts(n->columns, ", ");
    cql__put_name(n->columns, key->node->text);
    n->join->items[i] = (agg_named){ key->name, key->node };
    n->shape->items[n->shape->count] = (agg_named){ key->name, NULL };
    n->shape->items[n->shape->count++].node = agg__node_new(n->arena, AGG_NAME, key->name);
}

static bool make_stages(native *n) {
    uint32_t keys = n->group->count, accs = n->group->acc_count;
    n->join = BASE_NEW(n->arena, agg_stage);
    n->shape = BASE_NEW(n->arena, agg_stage);
    if (!n->join || !n->shape) return false;
    *n->join =
        (agg_stage){ .kind = AGG_GROUP, .next = n->shape, .text = n->group->text, .count = keys };
    *n->shape = (agg_stage){ .kind = AGG_PROJECT,
                             .next = n->group->next,
                             .text = corm_str_of("the parts") };
    n->join->items = BASE_NEW_ARRAY(n->arena, agg_named, keys + 1);
    n->join->accs = BASE_NEW_ARRAY(n->arena, agg_named, 2 * accs + 1);
    n->shape->items = BASE_NEW_ARRAY(n->arena, agg_named, keys + accs + 1);
    return n->join->items && n->join->accs && n->shape->items;
}

corm_status agg__plan_native(const corm_table_info *table, const agg_stage *group, agg_plan *plan,
                             base_buf *columns, bool *done, const char **why, corm_error *err) {
    native n = { .arena = plan->arena,
                 .table = table,
                 .group = group,
                 .columns = columns,
                 .err = err,
                 .why = "something else comes first" };
    bool   fits = group && group->kind == AGG_GROUP && keys_fit(&n);
    if (fits && group->acc_count == 0) fits = false;
    for (uint32_t i = 0; fits && i < group->acc_count; i++)
        fits = acc_fits(&n, group->accs[i].node);
    *done = fits;
    *why = n.why;
    if (!fits) return CORM_OK;
    if (!make_stages(&n)) return base__fail_memory(err);
    for (uint32_t i = 0; i < group->count; i++) add_key(&n, i);
    for (uint32_t i = 0; i < group->acc_count; i++)
        if (!add_acc(&n, i)) return base__fail_memory(err);
    plan->rest = n.join;
    return CORM_OK;
}
