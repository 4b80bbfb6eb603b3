// SPDX-License-Identifier: MIT
/* lwt_condition.c -- whether one condition of IF holds for the value of its column. Semantics: the server's ColumnCondition.
 * Thread: the commit leader's. */
#include "base/fail.h"
#include "engine/write_internal.h"

/* ---- what is looked at ---- */

static corm_status check_index(const cql_type *type, cql_value whole, cql_value key,
                               corm_error *err) {
    /* A frozen list that is null is not looked into. */
    if (type->id != CQL_LIST || key.len != 4) return CORM_OK;
    if (!cql__type_is_multicell(type) && cql__is_null(whole)) return CORM_OK;
    int32_t index = (int32_t)base__load_u32(key.data);
    if (index >= 0) return CORM_OK;
    return base__fail(err, CORM_INVALID, "Invalid negative list index %d", index);
}

static corm_status pick_element(const cql_check_condition *condition, cql_value *whole,
                                cql_eval_env *env, cql_node *element, corm_error *err) {
    const cql_type *type = condition->column->type;
    cql_value       key;
    element->kind = CQL_NODE_ELEMENT;
    element->type = type->params[type->id == CQL_MAP];
    CORM_TRY(cql__eval(condition->element, env, &key, err));
    if (key.len == -2 && type->id == CQL_MAP)
        *whole = CQL_NULL;
    else if (cql__is_null(key))
        return base__fail(err, CORM_INVALID, "Invalid null value for %s element access",
                          type->id == CQL_LIST ? "list" : "map");
    return check_index(type, *whole, key, err);
}

/* The element or field that the condition is about, and its type. */
static corm_status pick(const cql_check_condition *condition, cql_value whole, cql_eval_env *env,
                        const cql_type **type, cql_value *out, corm_error *err) {
    cql_node        column = { .kind = CQL_NODE_CONSTANT, .type = condition->column->type };
    const cql_node *args[2] = { &column, condition->element };
    cql_node        part = { .kind = CQL_NODE_FIELD, .count = 2, .args = args };
    if (condition->field >= 0) {
        part.index = (uint32_t)condition->field;
        part.count = 1;
        part.type = column.type->params[condition->field];
    } else {
        CORM_TRY(pick_element(condition, &whole, env, &part, err));
    }
    *type = part.type;
    *out = CQL_NULL;
    column.value = whole;
    return cql__is_null(whole) ? CORM_OK : cql__eval(&part, env, out, err);
}

/* ---- comparing ---- */

static const char *const operators[] = {
    [CQL_OP_EQ] = "=",  [CQL_OP_NEQ] = "!=",
    [CQL_OP_LT] = "<",  [CQL_OP_LTE] = "<=",
    [CQL_OP_GT] = ">",  [CQL_OP_GTE] = ">=",
    [CQL_OP_IN] = "IN", [CQL_OP_CONTAINS] = "CONTAINS",
    [CQL_OP_LIKE] = "", [CQL_OP_CONTAINS_KEY] = "CONTAINS KEY",
};

static bool is_empty_collection(const cql_type *type, cql_value value) {
    return cql__type_is_multicell(type) && type->id != CQL_UDT && value.len == 4 &&
           base__load_u32(value.data) == 0;
}

static corm_status refuse_null(const cql_type *type, cql_operator op, bool is_empty,
                               corm_error *err) {
    if (!is_empty)
        return base__fail(err, CORM_INVALID, "Invalid comparison with null for operator \"%s\"",
                          operators[op]);
    return base__fail(err, CORM_INVALID, "Invalid comparison with an empty %s for operator \"%s\"",
                      type->id == CQL_LIST  ? "list"
                      : type->id == CQL_SET ? "set"
                                            : "map",
                      operators[op]);
}

/* Null equals null, and an empty collection of cells; it differs from everything and is neither less nor greater. */
static corm_status holds_for(const cql_type *type, cql_value value, cql_operator op, cql_value term,
                             bool *holds, corm_error *err) {
    bool contains = op == CQL_OP_CONTAINS || op == CQL_OP_CONTAINS_KEY;
    bool is_empty = !contains && is_empty_collection(type, term);
    *holds = false;
    if (term.len == -2 && op == CQL_OP_IN) return CORM_OK;
    if (term.len == -2) return base__fail(err, CORM_INVALID, "Invalid 'unset' value in condition");
    if (op == CQL_OP_IN) op = CQL_OP_EQ;
    if (cql__is_null(term) || is_empty) {
        *holds = (op == CQL_OP_EQ) == cql__is_null(value);
        return op == CQL_OP_EQ || op == CQL_OP_NEQ ? CORM_OK : refuse_null(type, op, is_empty, err);
    }
    if (cql__is_null(value)) {
        *holds = op == CQL_OP_NEQ;
        return CORM_OK;
    }
    return cql__compare_op(type, value, op, term, holds, err);
}

static corm_status holds_in_list(const cql_check_condition *condition, const cql_type *type,
                                 cql_value value, cql_eval_env *env, bool *holds, corm_error *err) {
    cql_value list, item;
    cql_walk  walk;
    CORM_TRY(cql__eval(condition->in_list, env, &list, err));
    if (list.len == -2) return base__fail(err, CORM_INVALID, "Invalid 'unset' value in condition");
    if (cql__is_null(list))
        return base__fail(err, CORM_INVALID, "Invalid null list in IN condition");
    CORM_TRY(cql__walk_begin(&walk, condition->in_list->type, list, err));
    while (!*holds && cql__walk_next(&walk, &item))
        CORM_TRY(holds_for(type, value, CQL_OP_IN, item, holds, err));
    return CORM_OK;
}

corm_status engine__condition_holds(const cql_check_condition *condition, cql_value value,
                                    cql_eval_env *env, bool *holds, corm_error *err) {
    const cql_type *type = condition->column->type;
    *holds = false;
    if (condition->element || condition->field >= 0)
        CORM_TRY(pick(condition, value, env, &type, &value, err));
    if (condition->in_list) return holds_in_list(condition, type, value, env, holds, err);
    for (uint32_t i = 0; i < condition->term_count && !*holds; i++) {
        cql_value term;
        CORM_TRY(cql__eval(condition->terms[i], env, &term, err));
        CORM_TRY(holds_for(type, value, condition->op, term, holds, err));
    }
    return CORM_OK;
}
