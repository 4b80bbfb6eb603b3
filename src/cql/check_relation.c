// SPDX-License-Identifier: MIT
/* check_relation.c -- one relation of a WHERE clause: what may stand on its sides, and its terms. */
#include "cql/check_internal.h"

static bool is_slice(cql_operator op) {
    return op == CQL_OP_LT || op == CQL_OP_LTE || op == CQL_OP_GT || op == CQL_OP_GTE;
}

static corm_status refuse_not_equal(cql_checker *c, const cql_relation *relation) {
    return base__fail(c->err, CORM_INVALID, "Unsupported \"!=\" relation: %s",
                      cql__shown(cql__relation_text(c, relation)));
}

/* ---- rules ---- */

static corm_status begin_rule(cql_checker *c, cql_rule rule, uint32_t columns, cql_rule_set *out) {
    *out = (cql_rule_set){ .rule = rule, .count = columns };
    out->columns = BASE_NEW_ARRAY(c->arena, const cql_column *, columns);
    return out->columns ? CORM_OK : base__fail_memory(c->err);
}

static corm_status set_bound(cql_checker *c, cql_operator op, const cql_row_value *value,
                             cql_rule_set *out) {
    cql_row_value *copy = base__arena_copy(c->arena, value, sizeof *value);
    if (!copy) return base__fail_memory(c->err);
    bool inclusive = op == CQL_OP_LTE || op == CQL_OP_GTE;
    if (op == CQL_OP_LT || op == CQL_OP_LTE) {
        out->upper = copy;
        out->upper_inclusive = inclusive;
    } else {
        out->lower = copy;
        out->lower_inclusive = inclusive;
    }
    return CORM_OK;
}

/* ---- one column ---- */

static corm_status check_map_entry(cql_checker *c, const cql_relation *relation,
                                   const cql_column *column) {
    const cql_type *type = column->type;
    if (type->id == CQL_LIST) {
        return base__fail(
            c->err, CORM_INVALID,
            "Indexes on list entries (%.*s[index] = value) are not currently supported.",
            CQL_STR(column->name));
    }
    if (type->id != CQL_MAP) {
        return base__fail(c->err, CORM_INVALID, "Column %.*s cannot be used as a map",
                          CQL_STR(column->name));
    }
    if (!cql__type_is_multicell(type)) {
        return base__fail(
            c->err, CORM_INVALID,
            "Map-entry equality predicates on frozen map column %.*s are not supported",
            CQL_STR(column->name));
    }
    if (relation->op == CQL_OP_EQ) return CORM_OK;
    return base__fail(c->err, CORM_INVALID, "Only EQ relations are supported on map entries");
}

static corm_status check_left(cql_checker *c, const cql_relation *relation,
                              const cql_column *column) {
    const cql_type *type = column->type;
    bool contains = relation->op == CQL_OP_CONTAINS || relation->op == CQL_OP_CONTAINS_KEY;
    if (relation->op == CQL_OP_CONTAINS_KEY && type->id != CQL_MAP) {
        return base__fail(c->err, CORM_INVALID, "Cannot use CONTAINS KEY on non-map column %.*s",
                          CQL_STR(column->name));
    }
    if (contains && !cql__type_is_collection(type)) {
        return base__fail(c->err, CORM_INVALID, "Cannot use CONTAINS on non-collection column %.*s",
                          CQL_STR(column->name));
    }
    if (relation->kind == CQL_REL_ELEMENT) return check_map_entry(c, relation, column);
    if (!cql__type_is_multicell(type) || contains) return CORM_OK;
    if (type->id == CQL_UDT) {
        return base__fail(c->err, CORM_INVALID,
                          "Non-frozen UDT column '%.*s' (%s) cannot be restricted by any relation",
                          CQL_STR(column->name), cql__shown(cql__type_text(c, type)));
    }
    return base__fail(c->err, CORM_INVALID,
                      "Collection column '%.*s' (%s) cannot be restricted by a '%s' relation",
                      CQL_STR(column->name), cql__shown(cql__type_text(c, type)),
                      cql__operator_text(relation->op));
}

static corm_status check_durations(cql_checker *c, const cql_relation *relation,
                                   const cql_column *column) {
    if (!is_slice(relation->op) || !cql__type_has_duration(column->type)) return CORM_OK;
    const char *what = "duration columns";
    if (cql__type_is_collection(column->type)) what = "collections containing durations";
    if (column->type->id == CQL_TUPLE) what = "tuples containing durations";
    if (column->type->id == CQL_UDT) what = "UDTs containing durations";
    return base__fail(c->err, CORM_INVALID, "Slice restrictions are not supported on %s", what);
}

static corm_status one_value(cql_checker *c, const cql_expr *expr, const cql_receiver *receiver,
                             cql_row_value *out) {
    *out = (cql_row_value){ .count = 1, .nodes = BASE_NEW(c->arena, const cql_node *) };
    if (!out->nodes) return base__fail_memory(c->err);
    return cql__term(c, expr, receiver, &out->nodes[0]);
}

static corm_status contains_rule(cql_checker *c, const cql_relation *relation,
                                 const cql_column *column, cql_rule_set *out) {
    cql_receiver of = cql__column_receiver(c, column), key, value;
    bool         is_map = column->type->id == CQL_MAP;
    bool         by_key = relation->op == CQL_OP_CONTAINS_KEY;
    uint32_t     inside = is_map && !by_key ? 1 : 0;
    out->rule = CQL_RULE_CONTAINS;
    out->contains_count = 1;
    out->contains = BASE_NEW(c->arena, cql_contains);
    if (!out->contains) return base__fail_memory(c->err);
    out->contains->op = relation->op;
    if (relation->kind == CQL_REL_ELEMENT) {
        CORM_TRY(cql__wrapped_receiver(c, &of, "key", column->type->params[0], &key));
        CORM_TRY(cql__term(c, relation->key, &key, &out->contains->key));
    }
    CORM_TRY(cql__wrapped_receiver(c, &of, by_key ? "key" : "value", column->type->params[inside],
                                   &value));
    return cql__term(c, relation->terms[0], &value, &out->contains->value);
}

static corm_status in_marker(cql_checker *c, const cql_relation *relation, const cql_receiver *of,
                             cql_rule_set *out) {
    cql_receiver    receiver;
    const cql_type *list = cql__type_list(c->arena, of->type, true);
    if (!list) return base__fail_memory(c->err);
    CORM_TRY(cql__wrapped_receiver(c, of, "in", list, &receiver));
    return cql__term(c, relation->terms[0], &receiver, &out->in_list);
}

static corm_status in_rule(cql_checker *c, const cql_relation *relation, const cql_column *column,
                           cql_rule_set *out) {
    cql_receiver receiver = cql__column_receiver(c, column);
    out->rule = CQL_RULE_IN;
    if (relation->in_marker) return in_marker(c, relation, &receiver, out);
    if (relation->term_count == 1) out->rule = CQL_RULE_EQ;
    out->value_count = relation->term_count;
    out->values = BASE_NEW_ARRAY(c->arena, cql_row_value, relation->term_count);
    if (!out->values) return base__fail_memory(c->err);
    for (uint32_t i = 0; i < relation->term_count; i++) {
        CORM_TRY(one_value(c, relation->terms[i], &receiver, &out->values[i]));
    }
    return CORM_OK;
}

static corm_status column_relation(cql_checker *c, const cql_relation *relation,
                                   cql_rule_set *out) {
    const cql_column *column = NULL;
    cql_row_value     value;
    if (relation->op == CQL_OP_NEQ) return refuse_not_equal(c, relation);
    CORM_TRY(cql__find_column(c, &relation->columns[0], &column));
    CORM_TRY(begin_rule(c, CQL_RULE_EQ, 1, out));
    out->columns[0] = column;
    CORM_TRY(check_durations(c, relation, column));
    CORM_TRY(check_left(c, relation, column));
    bool contains = relation->op == CQL_OP_CONTAINS || relation->op == CQL_OP_CONTAINS_KEY;
    if (contains || relation->kind == CQL_REL_ELEMENT)
        return contains_rule(c, relation, column, out);
    if (relation->op == CQL_OP_IN) return in_rule(c, relation, column, out);
    cql_receiver receiver = cql__column_receiver(c, column);
    CORM_TRY(one_value(c, relation->terms[0], &receiver, &value));
    if (relation->op == CQL_OP_LIKE) {
        out->rule = CQL_RULE_LIKE;
        out->like = value.nodes[0];
        return CORM_OK;
    }
    if (is_slice(relation->op)) {
        out->rule = CQL_RULE_SLICE;
        return set_bound(c, relation->op, &value, out);
    }
    out->value_count = 1;
    out->values = base__arena_copy(c->arena, &value, sizeof value);
    return out->values ? CORM_OK : base__fail_memory(c->err);
}

/* ---- several clustering columns ---- */

static corm_status multi_columns(cql_checker *c, const cql_relation *relation, cql_rule_set *out) {
    for (uint32_t i = 0; i < relation->column_count; i++) {
        const cql_column *column = NULL;
        CORM_TRY(cql__find_column(c, &relation->columns[i], &column));
        if (column->kind != CQL_CLUSTERING) {
            return base__fail(
                c->err, CORM_INVALID,
                "Multi-column relations can only be applied to clustering columns but was applied to: %.*s",
                CQL_STR(column->name));
        }
        for (uint32_t j = 0; j < i; j++) {
            if (out->columns[j] != column) continue;
            return base__fail(c->err, CORM_INVALID,
                              "Column \"%.*s\" appeared twice in a relation: %s",
                              CQL_STR(column->name), cql__shown(cql__relation_text(c, relation)));
        }
        if (i > 0 && column->position != out->columns[i - 1]->position + 1) {
            return base__fail(
                c->err, CORM_INVALID,
                "Clustering columns must appear in the PRIMARY KEY order in multi-column relations: %s",
                cql__shown(cql__relation_text(c, relation)));
        }
        out->columns[i] = column;
    }
    return CORM_OK;
}

/* The receiver of a marker for the columns together: "(a,b)" of their tuple. */
static corm_status tuple_receiver(cql_checker *c, const cql_rule_set *rule, const char *before,
                                  cql_receiver *out) {
    const cql_type **types = BASE_NEW_ARRAY(c->arena, const cql_type *, rule->count);
    corm_str         names = cql__join_names(c, rule->columns, rule->count, ",");
    if (!types || !names.data) return base__fail_memory(c->err);
    for (uint32_t i = 0; i < rule->count; i++) types[i] = rule->columns[i]->type;
    *out = cql__named_receiver(c, "", cql__type_tuple(c->arena, types, rule->count));
    out->name = base__arena_printf(c->arena, "%s(%.*s)", before, CQL_STR(names));
    return out->type && out->name.data ? CORM_OK : base__fail_memory(c->err);
}

static corm_status tuple_value(cql_checker *c, const cql_expr *expr, const cql_rule_set *rule,
                               cql_row_value *out) {
    if (expr->kind == CQL_EXPR_MARKER) {
        cql_receiver receiver;
        CORM_TRY(tuple_receiver(c, rule, "", &receiver));
        CORM_TRY(one_value(c, expr, &receiver, out));
        out->packed = true;
        return CORM_OK;
    }
    if (expr->count != rule->count) {
        return base__fail(c->err, CORM_INVALID,
                          "Expected %u elements in value tuple, but got %u: %s", rule->count,
                          expr->count, cql__shown(cql__term_text(c, expr)));
    }
    *out = (cql_row_value){ .count = rule->count };
    if (!(out->nodes = BASE_NEW_ARRAY(c->arena, const cql_node *, rule->count)))
        return base__fail_memory(c->err);
    for (uint32_t i = 0; i < rule->count; i++) {
        cql_receiver receiver = cql__column_receiver(c, rule->columns[i]);
        CORM_TRY(cql__term(c, expr->args[i], &receiver, &out->nodes[i]));
    }
    return CORM_OK;
}

static corm_status multi_in(cql_checker *c, const cql_relation *relation, cql_rule_set *out) {
    out->rule = CQL_RULE_IN;
    if (relation->in_marker) {
        cql_receiver receiver = { 0 };
        CORM_TRY(tuple_receiver(c, out, "in", &receiver));
        if (!(receiver.type = cql__type_list(c->arena, receiver.type, true)))
            return base__fail_memory(c->err);
        return cql__term(c, relation->terms[0], &receiver, &out->in_list);
    }
    if (relation->term_count == 1) out->rule = CQL_RULE_EQ;
    out->value_count = relation->term_count;
    out->values = BASE_NEW_ARRAY(c->arena, cql_row_value, relation->term_count);
    if (!out->values) return base__fail_memory(c->err);
    for (uint32_t i = 0; i < relation->term_count; i++) {
        CORM_TRY(tuple_value(c, relation->terms[i], out, &out->values[i]));
    }
    return CORM_OK;
}

static corm_status multi_relation(cql_checker *c, const cql_relation *relation, cql_rule_set *out) {
    cql_row_value value;
    if (relation->op == CQL_OP_NEQ) return refuse_not_equal(c, relation);
    CORM_TRY(begin_rule(c, CQL_RULE_EQ, relation->column_count, out));
    out->multi = true;
    CORM_TRY(multi_columns(c, relation, out));
    if (relation->op == CQL_OP_IN) return multi_in(c, relation, out);
    CORM_TRY(tuple_value(c, relation->terms[0], out, &value));
    if (is_slice(relation->op)) {
        out->rule = CQL_RULE_SLICE;
        return set_bound(c, relation->op, &value, out);
    }
    out->value_count = 1;
    out->values = base__arena_copy(c->arena, &value, sizeof value);
    return out->values ? CORM_OK : base__fail_memory(c->err);
}

corm_status cql__relation(cql_checker *c, const cql_relation *relation, cql_rule_set *out) {
    return relation->kind == CQL_REL_MULTI ? multi_relation(c, relation, out)
                                           : column_relation(c, relation, out);
}

/* ---- token(…) ---- */

static corm_status refuse_token_columns(cql_checker *c, const cql_column *const *columns,
                                        uint32_t count) {
    const cql_table *table = c->table;
    uint32_t         known = 0;
    for (uint32_t i = 0; i < table->partition_count; i++) {
        bool found = false;
        for (uint32_t j = 0; j < count; j++) found = found || columns[j] == &table->columns[i];
        if (found) known++;
    }
    if (known < table->partition_count) {
        return base__fail(
            c->err, CORM_INVALID,
            "The token() function must be applied to all partition key components or none of them");
    }
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t j = 0; j < i; j++) {
            if (columns[i] != columns[j]) continue;
            return base__fail(c->err, CORM_INVALID,
                              "The token() function contains duplicate partition key components");
        }
    }
    if (count > table->partition_count) {
        return base__fail(c->err, CORM_INVALID,
                          "The token() function must contains only partition key components");
    }
    const cql_column **order = BASE_NEW_ARRAY(c->arena, const cql_column *, count);
    if (!order) return base__fail_memory(c->err);
    for (uint32_t i = 0; i < count; i++) order[i] = &table->columns[i];
    return base__fail(c->err, CORM_INVALID,
                      "The token function arguments must be in the partition key order: %s",
                      cql__shown(cql__join_names(c, order, count, ", ")));
}

static corm_status check_token_columns(cql_checker *c, const cql_relation *relation) {
    uint32_t           count = relation->column_count;
    bool               good = count == c->table->partition_count;
    const cql_column **columns = BASE_NEW_ARRAY(c->arena, const cql_column *, count);
    if (!columns) return base__fail_memory(c->err);
    for (uint32_t i = 0; i < count; i++) {
        CORM_TRY(cql__find_column(c, &relation->columns[i], &columns[i]));
        good = good && columns[i] == &c->table->columns[i];
    }
    return good ? CORM_OK : refuse_token_columns(c, columns, count);
}

static corm_status refuse_second_bound(cql_checker *c, const char *which) {
    const cql_table   *table = c->table;
    const cql_column **columns =
        BASE_NEW_ARRAY(c->arena, const cql_column *, table->partition_count);
    if (!columns) return base__fail_memory(c->err);
    for (uint32_t i = 0; i < table->partition_count; i++) columns[i] = &table->columns[i];
    corm_str names = cql__join_names(c, columns, table->partition_count, ", ");
    if (strcmp(which, "equal") == 0) {
        return base__fail(
            c->err, CORM_INVALID,
            "%.*s cannot be restricted by more than one relation if it includes an Equal",
            CQL_STR(names));
    }
    if (strcmp(which, "mixed") == 0) {
        return base__fail(
            c->err, CORM_INVALID,
            "Columns \"%.*s\" cannot be restricted by both an equality and an inequality relation",
            CQL_STR(names));
    }
    return base__fail(c->err, CORM_INVALID,
                      "More than one restriction was found for the %s bound on %.*s", which,
                      CQL_STR(names));
}

corm_status cql__token_relation(cql_checker *c, const cql_relation *relation,
                                cql_token_range *token, bool *is_equal) {
    const cql_node *node = NULL;
    bool            equal = relation->op == CQL_OP_EQ;
    if (relation->op == CQL_OP_NEQ) return refuse_not_equal(c, relation);
    CORM_TRY(check_token_columns(c, relation));
    cql_receiver receiver =
        cql__named_receiver(c, "partition key token", cql__type_native(CQL_BIGINT));
    CORM_TRY(cql__term(c, relation->terms[0], &receiver, &node));
    if (token->present && *is_equal) return refuse_second_bound(c, "equal");
    if (token->present && equal) return refuse_second_bound(c, "mixed");
    bool upper = equal || relation->op == CQL_OP_LT || relation->op == CQL_OP_LTE;
    bool lower = equal || !upper;
    bool exact = equal || relation->op == CQL_OP_LTE || relation->op == CQL_OP_GTE;
    if (lower && token->lower) return refuse_second_bound(c, "start");
    if (upper && token->upper) return refuse_second_bound(c, "end");
    if (lower) token->lower = node;
    if (lower) token->lower_inclusive = exact;
    if (upper) token->upper = node;
    if (upper) token->upper_inclusive = exact;
    token->present = true;
    *is_equal = equal;
    return CORM_OK;
}
