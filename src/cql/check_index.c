// SPDX-License-Identifier: MIT
/* check_index.c -- what a secondary index answers, by its target and class. Pure. */
#include "base/text.h"
#include "cql/check_internal.h"

/* By the class's name without its package. */
static bool is_class(const cql_index *index, const char *class_name) {
    corm_str name = index->class_name, wanted = corm_str_of(class_name);
    if (name.len < wanted.len) return false;
    corm_str tail = { name.data + (name.len - wanted.len), wanted.len };
    return base__str_equal_nocase(tail, wanted);
}

bool cql__index_is_sai(const cql_index *index) {
    return base__str_equal_nocase(index->class_name, corm_str_of("sai")) ||
           is_class(index, "StorageAttachedIndex");
}

static bool is_range(cql_operator op) {
    return op == CQL_OP_LT || op == CQL_OP_LTE || op == CQL_OP_GT || op == CQL_OP_GTE;
}

/* Storage-attached indexes keep the order of these types. */
static bool has_ranges(const cql_type *type) {
    switch (type->id) {
    case CQL_TEXT:
    case CQL_ASCII:
    case CQL_BOOLEAN:
    case CQL_UUID:
    case CQL_LIST:
    case CQL_SET:
    case CQL_MAP:
    case CQL_TUPLE:
    case CQL_UDT:
    case CQL_VECTOR: return false;
    default: return true;
    }
}

bool cql__index_supports(const cql_index *index, const cql_column *column, cql_operator op) {
    if (index->column != column) return false;
    if (column->type->id == CQL_VECTOR && cql__index_is_sai(index)) return false;
    switch (index->target) {
    case CQL_TARGET_KEYS: return op == CQL_OP_CONTAINS_KEY;
    case CQL_TARGET_VALUES: return op == CQL_OP_CONTAINS;
    case CQL_TARGET_ENTRIES:
    case CQL_TARGET_FULL: return op == CQL_OP_EQ;
    case CQL_TARGET_COLUMN: break;
    }
    if (cql__type_is_multicell(column->type) && cql__type_is_collection(column->type))
        return op == CQL_OP_CONTAINS;
    if (op == CQL_OP_LIKE) return is_class(index, "SASIIndex");
    return op == CQL_OP_EQ ||
           (cql__index_is_sai(index) && is_range(op) && has_ranges(column->type));
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
