// SPDX-License-Identifier: MIT
/* check_condition.c -- one condition of IF. */
#include "cql/check_internal.h"

static corm_status check_durations(cql_checker *c, const cql_type *type, cql_operator op) {
    bool slice = op == CQL_OP_LT || op == CQL_OP_LTE || op == CQL_OP_GT || op == CQL_OP_GTE;
    if (!slice || !cql__type_has_duration(type)) return CORM_OK;
    const char *what = NULL;
    if (cql__type_is_collection(type)) what = "collections";
    if (type->id == CQL_TUPLE) what = "tuples";
    if (type->id == CQL_UDT) what = "UDTs";
    if (what)
        return base__fail(c->err, CORM_INVALID,
                          "Slice conditions are not supported on %s containing durations", what);
    return base__fail(c->err, CORM_INVALID,
                      "Slice conditions ( %s ) are not supported on durations",
                      cql__operator_text(op));
}

static corm_status contains_receiver(cql_checker *c, cql_operator op, cql_receiver *receiver) {
    const cql_type *type = receiver->type;
    cql_receiver    of = *receiver;
    bool            key = op == CQL_OP_CONTAINS_KEY;
    if (key && type->id != CQL_MAP) {
        return base__fail(c->err, CORM_INVALID, "Cannot use CONTAINS KEY on non-map column %.*s",
                          CQL_STR(of.name));
    }
    if (!cql__type_is_collection(type)) {
        return base__fail(c->err, CORM_INVALID, "Cannot use CONTAINS on non-collection column %.*s",
                          CQL_STR(of.name));
    }
    return cql__wrapped_receiver(c, &of, key ? "key" : "value",
                                 type->params[type->id == CQL_MAP && !key ? 1 : 0], receiver);
}

static corm_status in_marker(cql_checker *c, const cql_condition *condition, const cql_receiver *of,
                             cql_check_condition *out) {
    cql_receiver    receiver;
    const cql_type *list = cql__type_list(c->arena, of->type, true);
    if (!list) return base__fail_memory(c->err);
    CORM_TRY(cql__wrapped_receiver(c, of, "in", list, &receiver));
    return cql__term(c, condition->terms[0], &receiver, &out->in_list);
}

static corm_status terms(cql_checker *c, const cql_condition *condition, cql_receiver receiver,
                         cql_check_condition *out) {
    bool contains = condition->op == CQL_OP_CONTAINS || condition->op == CQL_OP_CONTAINS_KEY;
    CORM_TRY(check_durations(c, receiver.type, condition->op));
    if (contains) CORM_TRY(contains_receiver(c, condition->op, &receiver));
    if (condition->in_marker) return in_marker(c, condition, &receiver, out);
    out->term_count = condition->term_count;
    out->terms = BASE_NEW_ARRAY(c->arena, const cql_node *, condition->term_count);
    if (!out->terms) return base__fail_memory(c->err);
    for (uint32_t i = 0; i < condition->term_count; i++) {
        CORM_TRY(cql__term(c, condition->terms[i], &receiver, &out->terms[i]));
    }
    return CORM_OK;
}

static corm_status element_condition(cql_checker *c, const cql_condition *condition,
                                     const cql_column *column, cql_check_condition *out) {
    const cql_type *type = column->type;
    if (!cql__type_is_collection(type) || type->id == CQL_SET) {
        return base__fail(c->err, CORM_INVALID, "Invalid element access syntax for %s column %.*s",
                          type->id == CQL_SET ? "set" : "non-collection", CQL_STR(column->name));
    }
    bool            is_map = type->id == CQL_MAP;
    const cql_type *key_type = is_map ? type->params[0] : cql__type_native(CQL_INT);
    cql_receiver    of = cql__column_receiver(c, column), key, value;
    CORM_TRY(cql__wrapped_receiver(c, &of, is_map ? "key" : "idx", key_type, &key));
    CORM_TRY(cql__wrapped_receiver(c, &of, "value", type->params[is_map ? 1 : 0], &value));
    CORM_TRY(check_durations(c, value.type, condition->op));
    CORM_TRY(cql__term(c, condition->element, &key, &out->element));
    return terms(c, condition, value, out);
}

static corm_status field_condition(cql_checker *c, const cql_condition *condition,
                                   const cql_column *column, cql_check_condition *out) {
    int32_t index =
        column->type->id == CQL_UDT ? cql__field_index(column->type, condition->field.text) : -1;
    if (index < 0) {
        return base__fail(c->err, CORM_INVALID, "Unknown field %.*s for column %.*s",
                          CQL_STR(condition->field.text), CQL_STR(column->name));
    }
    cql_receiver receiver = cql__named_receiver(c, "", column->type->params[index]);
    receiver.name = base__arena_printf(c->arena, "%.*s.%.*s", CQL_STR(column->name),
                                       CQL_STR(condition->field.text));
    if (!receiver.name.data) return base__fail_memory(c->err);
    out->field = index;
    return terms(c, condition, receiver, out);
}

static corm_status any_condition(cql_checker *c, const cql_condition *condition,
                                 const cql_column *column, cql_check_condition *out) {
    if (column->type->id == CQL_COUNTER) {
        return base__fail(c->err, CORM_INVALID, "Conditions on counters are not supported");
    }
    if (condition->element) return element_condition(c, condition, column, out);
    if (condition->field.text.data) return field_condition(c, condition, column, out);
    return terms(c, condition, cql__column_receiver(c, column), out);
}

corm_status cql__condition(cql_checker *c, const cql_condition *condition,
                           cql_check_condition *out) {
    const cql_column *column = NULL;
    CORM_TRY(cql__find_column(c, &condition->column, &column));
    *out = (cql_check_condition){ .column = column, .field = -1, .op = condition->op };
    CORM_TRY(any_condition(c, condition, column, out));
    if (column->kind == CQL_STATIC || column->kind == CQL_REGULAR) return CORM_OK;
    return base__fail(c->err, CORM_INVALID, "PRIMARY KEY column '%.*s' cannot have IF conditions",
                      CQL_STR(column->name));
}
