// SPDX-License-Identifier: MIT
/* check_plan.c -- from what a WHERE clause says of each column to how its rows are found: keys, bounds, filters, index. */
#include "cql/check_plan.h"

#include "cql/index_terms.h"

/* ---- key restrictions ---- */

static void add_restriction(const cql_rule_set *rule, cql_restriction *list, uint32_t *count) {
    cql_restriction                  *to = &list[(*count)++];
    static const cql_restriction_kind kinds[] = { [CQL_RULE_EQ] = CQL_RESTRICT_EQ,
                                                  [CQL_RULE_IN] = CQL_RESTRICT_IN,
                                                  [CQL_RULE_SLICE] = CQL_RESTRICT_SLICE };
    *to = (cql_restriction){ .kind = kinds[rule->rule],
                             .first = rule->columns[0]->position,
                             .count = rule->count,
                             .is_tuple = rule->multi,
                             .value_count = rule->value_count,
                             .values = rule->values,
                             .in_list = rule->in_list,
                             .lower = rule->lower,
                             .upper = rule->upper,
                             .lower_inclusive = rule->lower_inclusive,
                             .upper_inclusive = rule->upper_inclusive };
}

/* ---- filters ---- */

static cql_filter *new_filter(cql_plan *plan, const cql_column *column, cql_operator op) {
    if (plan->filter_count == plan->filter_room) {
        uint32_t    room = plan->filter_room > 0 ? plan->filter_room * 2 : 4;
        cql_filter *wider = BASE_NEW_ARRAY(plan->c->arena, cql_filter, room);
        if (!wider) return NULL;
        for (uint32_t i = 0; i < plan->filter_count; i++) wider[i] = plan->filters[i];
        plan->filters = wider;
        plan->filter_room = room;
    }
    cql_filter *filter = &plan->filters[plan->filter_count++];
    *filter = (cql_filter){ .column = column, .op = op };
    return filter;
}

static corm_status add_filter(cql_plan *plan, const cql_column *column, cql_operator op,
                              const cql_node *term, const cql_node *element) {
    cql_filter *filter = new_filter(plan, column, op);
    if (!filter || !(filter->terms = BASE_NEW(plan->c->arena, const cql_node *))) {
        return base__fail_memory(plan->c->err);
    }
    filter->term_count = 1;
    filter->terms[0] = term;
    filter->element = element;
    return CORM_OK;
}

/* The i-th value of a row value; of a packed one by taking the tuple apart. */
static corm_status component(cql_plan *plan, const cql_row_value *value, uint32_t i,
                             const cql_node **out) {
    *out = value->nodes[value->packed ? 0 : i];
    if (!value->packed) return CORM_OK;
    cql_node *node = cql__new_node(plan->c, CQL_NODE_FIELD, value->nodes[0]->type->params[i], 1);
    if (!node) return base__fail_memory(plan->c->err);
    node->index = i;
    node->args[0] = value->nodes[0];
    *out = node;
    return CORM_OK;
}

static corm_status filter_equal(cql_plan *plan, const cql_rule_set *rule) {
    for (uint32_t i = 0; i < rule->count; i++) {
        const cql_node *term = NULL;
        CORM_TRY(component(plan, &rule->values[0], i, &term));
        CORM_TRY(add_filter(plan, rule->columns[i], CQL_OP_EQ, term, NULL));
    }
    return CORM_OK;
}

static corm_status filter_in(cql_plan *plan, const cql_rule_set *rule) {
    if (rule->count > 1 || (rule->multi && rule->in_list)) {
        cql__refuse_execution(plan->c, "Multicolumn IN filters are not supported");
        return CORM_OK;
    }
    cql_filter *filter = new_filter(plan, rule->columns[0], CQL_OP_IN);
    if (!filter) return base__fail_memory(plan->c->err);
    filter->in_list = rule->in_list;
    filter->term_count = rule->value_count;
    filter->terms = BASE_NEW_ARRAY(plan->c->arena, const cql_node *, rule->value_count);
    if (!filter->terms) return base__fail_memory(plan->c->err);
    for (uint32_t i = 0; i < rule->value_count; i++)
        CORM_TRY(component(plan, &rule->values[i], 0, &filter->terms[i]));
    return CORM_OK;
}

static corm_status filter_slice(cql_plan *plan, const cql_rule_set *rule) {
    if (rule->multi) {
        cql__refuse_execution(plan->c,
                              "Multi-column slice restrictions cannot be used for filtering.");
        return CORM_OK;
    }
    if (rule->lower) {
        cql_operator op = rule->lower_inclusive ? CQL_OP_GTE : CQL_OP_GT;
        CORM_TRY(add_filter(plan, rule->columns[0], op, rule->lower->nodes[0], NULL));
    }
    if (!rule->upper) return CORM_OK;
    return add_filter(plan, rule->columns[0], rule->upper_inclusive ? CQL_OP_LTE : CQL_OP_LT,
                      rule->upper->nodes[0], NULL);
}

static corm_status filter_rule(cql_plan *plan, const cql_rule_set *rule) {
    switch (rule->rule) {
    case CQL_RULE_EQ: return filter_equal(plan, rule);
    case CQL_RULE_IN: return filter_in(plan, rule);
    case CQL_RULE_SLICE: return filter_slice(plan, rule);
    case CQL_RULE_LIKE: return add_filter(plan, rule->columns[0], CQL_OP_LIKE, rule->like, NULL);
    case CQL_RULE_CONTAINS: break;
    }
    for (uint32_t i = 0; i < rule->contains_count; i++) {
        const cql_contains *part = &rule->contains[i];
        CORM_TRY(add_filter(plan, rule->columns[0], part->op, part->value, part->key));
    }
    return CORM_OK;
}

/* ---- the plan ---- */

static corm_status plan_partition(cql_plan *plan, cql_where *out) {
    cql_checker *c = plan->c;
    uint32_t     count = c->table->partition_count;
    if (!plan->partition_by_filter && !plan->partition_by_key) return CORM_OK;
    if (plan->partition_by_key &&
        !(out->partition = BASE_NEW_ARRAY(c->arena, cql_restriction, count))) {
        return base__fail_memory(c->err);
    }
    for (uint32_t i = 0; i < count; i++) {
        const cql_rule_set *rule = plan->rules->by_column[i];
        if (!rule) continue;
        if (plan->partition_by_key) add_restriction(rule, out->partition, &out->partition_count);
        if (plan->partition_by_filter) CORM_TRY(filter_rule(plan, rule));
    }
    return CORM_OK;
}

bool cql__clustering_by_filter(const cql_rule_set *rule, uint32_t position) {
    return rule->rule == CQL_RULE_CONTAINS || rule->rule == CQL_RULE_LIKE ||
           rule->columns[0]->position != position;
}

static corm_status plan_clustering(cql_plan *plan, cql_where *out) {
    cql_checker *c = plan->c;
    uint32_t     position = 0, count = c->table->clustering_count;
    bool         done = false;
    if (!(out->clustering = BASE_NEW_ARRAY(c->arena, cql_restriction, count)))
        return base__fail_memory(c->err);
    for (uint32_t i = 0; i < count;) {
        const cql_rule_set *rule = plan->rules->by_column[c->table->partition_count + i];
        i += rule ? rule->count : 1;
        if (!rule) continue;
        bool filtered = done || cql__clustering_by_filter(rule, position);
        if (!filtered) add_restriction(rule, out->clustering, &out->clustering_count);
        done = done || (!filtered && rule->rule == CQL_RULE_SLICE);
        if (!filtered && rule->rule != CQL_RULE_SLICE) position = i;
        if (filtered || (plan->clustering_by_filter && cql__rule_has_index(c->table, rule)))
            CORM_TRY(filter_rule(plan, rule));
    }
    return CORM_OK;
}

static corm_status plan_others(cql_plan *plan) {
    uint32_t first = plan->c->table->partition_count + plan->c->table->clustering_count;
    for (uint32_t i = first; i < plan->c->table->column_count; i++) {
        const cql_rule_set *rule = plan->rules->by_column[i];
        if (rule) CORM_TRY(filter_rule(plan, rule));
    }
    return CORM_OK;
}

/* ---- indexes ---- */

static bool compares_terms(const cql_index *index) {
    const cql_index_rules *rules = &index->rules;
    return rules->is_text || rules->is_inet || rules->skips_empty;
}

static bool answers(const cql_index *index, const cql_filter *filter) {
    return filter->op != CQL_OP_IN && filter->column_count == 0 &&
           cql__index_supports(index, filter->column, filter->op);
}

/* One class of indexes answers a statement: SASI before storage-attached ones before the built-in one, as in the server. */
static cql_index_class class_for(const cql_plan *plan) {
    const cql_table *table = plan->c->table;
    cql_index_class  best = CQL_INDEX_LEGACY;
    for (uint32_t i = 0; i < table->index_count; i++)
        for (uint32_t j = 0; j < plan->filter_count; j++)
            if (table->indexes[i].rules.class_id > best &&
                answers(&table->indexes[i], &plan->filters[j]))
                best = table->indexes[i].rules.class_id;
    return best;
}

/* An index of that class; else one that compares values, which finds the same rows. */
static const cql_index *index_for(const cql_table *table, const cql_filter *filter,
                                  cql_index_class wanted) {
    const cql_index *found = NULL;
    for (uint32_t i = 0; i < table->index_count; i++) {
        const cql_index *index = &table->indexes[i];
        bool             is_wanted = index->rules.class_id == wanted;
        if (!answers(index, filter) || (!is_wanted && compares_terms(index))) continue;
        bool better = !found || (is_wanted && found->rules.class_id != wanted) ||
                      (is_wanted && index->rules.has_grams && !found->rules.has_grams);
        if (better) found = index;
    }
    return found;
}

static bool is_range(const cql_filter *filter) {
    return filter->op >= CQL_OP_LT && filter->op <= CQL_OP_GTE;
}

/* The other end of a range is the filter behind its beginning. */
static bool joins_last(const cql_where *out, const cql_index *index, const cql_filter *filter) {
    const cql_lookup *last = out->lookup_count > 0 ? &out->lookups[out->lookup_count - 1] : NULL;
    return last && last->index == index && !last->also && is_range(last->filter) &&
           is_range(filter) && last->filter + 1 == filter;
}

/* Every filter that an index answers is looked up in it. */
static corm_status choose_lookups(const cql_plan *plan, cql_where *out) {
    if (!plan->uses_index || plan->filter_count == 0) return CORM_OK;
    out->lookups = BASE_NEW_ARRAY(plan->c->arena, cql_lookup, plan->filter_count);
    if (!out->lookups) return base__fail_memory(plan->c->err);
    cql_index_class wanted = class_for(plan);
    for (uint32_t i = 0; i < plan->filter_count; i++) {
        cql_filter      *filter = &plan->filters[i];
        const cql_index *index = index_for(plan->c->table, filter, wanted);
        if (!index) continue;
        if (compares_terms(index)) filter->index = index;
        if (!cql__index_is_usable(index)) continue;
        if (joins_last(out, index, filter))
            out->lookups[out->lookup_count - 1].also = filter;
        else
            out->lookups[out->lookup_count++] = (cql_lookup){ .index = index, .filter = filter };
    }
    return CORM_OK;
}

corm_status cql__plan(cql_plan *plan, cql_where *out) {
    CORM_TRY(plan_partition(plan, out));
    CORM_TRY(plan_clustering(plan, out));
    CORM_TRY(plan_others(plan));
    out->filter_count = plan->filter_count;
    out->filters = plan->filters;
    return choose_lookups(plan, out);
}
