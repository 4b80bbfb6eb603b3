// SPDX-License-Identifier: MIT
/* check_index.c -- what a secondary index answers, by its target and class. Pure. */
#include "cql/check_internal.h"

bool cql__index_is_sai(const cql_index *index) {
    return index->rules.class_id == CQL_INDEX_SAI;
}

static bool is_range(cql_operator op) {
    return op == CQL_OP_LT || op == CQL_OP_LTE || op == CQL_OP_GT || op == CQL_OP_GTE;
}

bool cql__index_supports(const cql_index *index, const cql_column *column, cql_operator op) {
    const cql_index_rules *rules = &index->rules;
    if (index->column != column) return false;
    if (column->type->id == CQL_VECTOR && cql__index_is_sai(index)) return false;
    switch (index->target) {
    case CQL_TARGET_KEYS: return op == CQL_OP_CONTAINS_KEY;
    case CQL_TARGET_VALUES: return op == CQL_OP_CONTAINS;
    case CQL_TARGET_ENTRIES:
    case CQL_TARGET_FULL: return op == CQL_OP_EQ;
    case CQL_TARGET_COLUMN: break;
    }
    if (op == CQL_OP_LIKE) return rules->has_like;
    if (is_range(op)) return rules->has_ranges;
    return op == CQL_OP_EQ && rules->cut == CQL_CUT_NONE;
}

/* Whether the index answers some part of the rule on this column. */
static bool supports_rule(const cql_index *index, const cql_rule_set *rule,
                          const cql_column *column) {
    switch (rule->rule) {
    case CQL_RULE_EQ: return cql__index_supports(index, column, CQL_OP_EQ);
    case CQL_RULE_LIKE: return cql__index_supports(index, column, CQL_OP_LIKE);
    case CQL_RULE_SLICE:
        return (rule->lower &&
                cql__index_supports(index, column,
                                    rule->lower_inclusive ? CQL_OP_GTE : CQL_OP_GT)) ||
               (rule->upper &&
                cql__index_supports(index, column, rule->upper_inclusive ? CQL_OP_LTE : CQL_OP_LT));
    case CQL_RULE_CONTAINS:
        for (uint32_t i = 0; i < rule->contains_count; i++) {
            if (cql__index_supports(index, column, rule->contains[i].op)) return true;
        }
        return false;
    default: return false;
    }
}

bool cql__rule_has_index(const cql_table *table, const cql_rule_set *rule) {
    for (uint32_t i = 0; i < table->index_count; i++) {
        for (uint32_t j = 0; j < rule->count; j++) {
            if (supports_rule(&table->indexes[i], rule, rule->columns[j])) return true;
        }
    }
    return false;
}

static bool in_group(const cql_index *index, const cql_index *group) {
    return index == group || (cql__index_is_sai(index) && cql__index_is_sai(group));
}

bool cql__rule_needs_filtering(const cql_table *table, const cql_index *group,
                               const cql_rule_set *rule) {
    for (uint32_t j = 0; j < rule->count; j++) {
        bool answered = false;
        for (uint32_t i = 0; i < table->index_count && !answered; i++) {
            const cql_index *index = &table->indexes[i];
            if (!in_group(index, group) || !supports_rule(index, rule, rule->columns[j])) continue;
            answered = rule->contains_count < 2 || cql__index_is_sai(index);
        }
        if (!answered) return true;
    }
    return false;
}
