// SPDX-License-Identifier: MIT
/* check_ann.c -- ORDER BY column ANN OF vector: what may be ordered by and what may stand beside it, in the server's order of
 * checks: terms first, then other orderings, then column, index and restrictions. Pure. */
#include "cql/check_internal.h"

#define UNINDEXED "ANN ordering by vector requires all restricted column(s) to be indexed"

/* ---- terms ---- */

static corm_status add_ordering(cql_checker *c, const cql_order *order, cql_ann_order *out) {
    const cql_column *column = NULL;
    const cql_node   *query = NULL;
    if (!order->ann_of) {
        out->has_more = true;
        return CORM_OK;
    }
    CORM_TRY(cql__find_column(c, &order->column, &column));
    cql_receiver receiver = cql__column_receiver(c, column);
    CORM_TRY(cql__term(c, order->ann_of, &receiver, &query));
    if (out->count++ > 0) return CORM_OK;
    out->column = column;
    out->query = query;
    out->descending = order->descending;
    return CORM_OK;
}

corm_status cql__ann_order(cql_checker *c, const cql_select *select, const cql_ann_order **out) {
    cql_ann_order found = { 0 };
    *out = NULL;
    for (uint32_t i = 0; i < select->order_count; i++)
        CORM_TRY(add_ordering(c, &select->order_by[i], &found));
    if (found.count == 0) return CORM_OK;
    *out = base__arena_copy(c->arena, &found, sizeof found);
    return *out ? CORM_OK : base__fail_memory(c->err);
}

/* ---- beside it ---- */

static corm_status refuse_restricted(cql_checker *c, const cql_column *column,
                                     const cql_rule_set *rule) {
    static const char *const what[] = { [CQL_RULE_EQ] = "an Equal",
                                        [CQL_RULE_IN] = "a IN",
                                        [CQL_RULE_CONTAINS] = "a ANN",
                                        [CQL_RULE_LIKE] = "a LIKE" };
    if (rule->rule == CQL_RULE_SLICE) return cql__refuse_mixed(c, column->name);
    return base__fail(c->err, CORM_INVALID,
                      "%.*s cannot be restricted by more than one relation if it includes %s",
                      CQL_STR(column->name), what[rule->rule]);
}

corm_status cql__ann_alone(cql_checker *c, const cql_ann_order *ann, const cql_rules *rules) {
    if (ann->count > 1)
        return base__fail(c->err, CORM_INVALID, "Cannot specify more than one ANN ordering");
    if (ann->has_more) {
        return base__fail(c->err, CORM_INVALID, "ANN ordering does not support any other ordering");
    }
    if (ann->descending)
        return base__fail(c->err, CORM_INVALID, "Descending ANN ordering is not supported");
    const cql_rule_set *rule = rules->by_column[ann->column->index];
    bool of_key = ann->column->kind == CQL_PARTITION_KEY || ann->column->kind == CQL_CLUSTERING;
    return rule && !of_key ? refuse_restricted(c, ann->column, rule) : CORM_OK;
}

/* ---- rows ---- */

static bool is_float_vector(const cql_type *type) {
    return type->id == CQL_VECTOR && type->params[0]->id == CQL_FLOAT;
}

bool cql__index_is_vector(const cql_index *index) {
    return is_float_vector(index->column->type) && cql__index_is_sai(index);
}

const cql_index *cql__ann_index(const cql_table *table, const cql_ann_order *ann) {
    for (uint32_t i = 0; i < table->index_count; i++) {
        const cql_index *index = &table->indexes[i];
        if (index->column == ann->column && cql__index_is_vector(index)) return index;
    }
    return NULL;
}

static bool is_indexed(const cql_table *table, const cql_column *column) {
    for (uint32_t i = 0; i < table->index_count; i++) {
        if (table->indexes[i].column == column) return true;
    }
    return false;
}

/* The whole partition key is restricted, and the clustering columns follow it. */
static bool by_keys(const cql_table *table, const cql_rules *rules, bool clustering_needs) {
    for (uint32_t i = 0; i < table->partition_count; i++) {
        if (!rules->by_column[i]) return false;
    }
    return !clustering_needs;
}

corm_status cql__ann_rows(cql_checker *c, const cql_ann_order *ann, const cql_rules *rules,
                          bool key_filtered, bool clustering_needs) {
    const cql_table *table = c->table;
    if (!is_float_vector(ann->column->type) || ann->column->descending) {
        return base__fail(c->err, CORM_INVALID,
                          "ANN ordering is only supported on float vector indexes");
    }
    if (!is_indexed(table, ann->column)) {
        return base__fail(c->err, CORM_INVALID,
                          "ANN ordering by vector requires the column to be indexed");
    }
    if (key_filtered) return base__fail(c->err, CORM_INVALID, UNINDEXED);
    for (uint32_t i = table->partition_count; i < table->column_count; i++) {
        const cql_column *column = &table->columns[i];
        if (!rules->by_column[i] || is_indexed(table, column)) continue;
        if (column->kind == CQL_CLUSTERING && by_keys(table, rules, clustering_needs)) continue;
        return base__fail(c->err, CORM_INVALID, UNINDEXED);
    }
    return CORM_OK;
}
