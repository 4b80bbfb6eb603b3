// SPDX-License-Identifier: MIT
/* filter.c -- conditions that Corm holds on the rows read: those that CQL does not have, and
 * those beside a unique value whose row is read by its key. Values are compared in wire form, in
 * the server's order.
 *
 * Pure; any thread. */
#include "orm/core.h"

#include "cql/eval_internal.h"

/* Replaces the bytes by themselves sealed. */
static corm_status close_box(const seal_box *box, base_buf *bytes, corm_error *err) {
    base_buf    sealed = { 0 };
    corm_status status = seal__close(box, base__buf_bytes(bytes), &sealed, err);
    base__buf_free(bytes);
    *bytes = sealed;
    return status;
}

corm_status orm__encode(const orm_field *field, const corm_value *value, base_arena *arena,
                        cql_value *out, corm_error *err) {
    *out = CQL_NULL;
    if (value->kind == CORM_UNSET || value->kind == CORM_NULL) return CORM_OK;
    base_buf    bytes = { 0 };
    corm_error  why = { 0 };
    corm_status status = cql__encode(field->type, value, &bytes, &why);
    if (status == CORM_OK) status = base__buf_status(&bytes, &why);
    if (status == CORM_OK && field->box) status = close_box(field->box, &bytes, &why);
    if (status == CORM_OK) {
        out->data = base__arena_copy(arena, bytes.len ? bytes.data : (const void *)"", bytes.len);
        out->len = (int32_t)bytes.len;
        if (!out->data) status = CORM_NO_MEMORY;
    }
    base__buf_free(&bytes);
    if (status == CORM_NO_MEMORY) return base__fail_memory(err);
    if (status == CORM_OK) return CORM_OK;
    return base__fail(err, status, "column '%s': %s", field->name.data, why.message);
}

corm_status orm__encode_member(const orm_field *field, const void *row, base_arena *arena,
                               cql_value *out, corm_error *err) {
    corm_value value;
    CORM_TRY(orm__member_get(field, row, false, arena, &value, err));
    return orm__encode(field, &value, arena, out, err);
}

/* CONTAINS is about an element, CONTAINS KEY about a key. */
static const cql_type *operand_type(const orm_field *field, corm_op op) {
    if (op == CORM_CONTAINS_KEY && field->type->id == CQL_MAP) return field->type->params[0];
    if (op == CORM_CONTAINS && cql__type_is_collection(field->type)) {
        return field->type->params[field->type->count - 1];
    }
    return op == CORM_CONTAINS || op == CORM_CONTAINS_KEY ? NULL : field->type;
}

static corm_status add_value(orm_filter *filter, const cql_type *type, const corm_value *value,
                             base_arena *arena, corm_error *err) {
    orm_field as = *filter->field;
    as.type = type;
    return orm__encode(&as, value, arena, &filter->values[filter->value_count++], err);
}

corm_status orm__filter_make(const orm_field *field, const corm_term *term, base_arena *arena,
                             orm_filter *out, corm_error *err) {
    const cql_type   *type = operand_type(field, term->op);
    const corm_value *values = &term->value;
    uint32_t          count = 1;
    *out = (orm_filter){ .field = field, .op = term->op };
    if (term->op == CORM_NULL_OP || term->op == CORM_NOT_NULL_OP) return CORM_OK;
    if (!type || (term->op == CORM_LIKE && type->id != CQL_TEXT && type->id != CQL_ASCII)) {
        return base__fail(err, CORM_INVALID, "column '%s': a %s does not have this condition",
                          field->name.data, field->cql.data);
    }
    if (term->op == CORM_IN) {
        values = term->value.as.items.items;
        count = term->value.as.items.count;
    }
    out->values = BASE_NEW_ARRAY(arena, cql_value, count + 1);
    if (!out->values) return base__fail_memory(err);
    for (uint32_t i = 0; i < count; i++) CORM_TRY(add_value(out, type, &values[i], arena, err));
    if (term->op != CORM_BETWEEN) return CORM_OK;
    return add_value(out, type, &term->value2, arena, err);
}

static bool equals(const orm_filter *filter, cql_value cell, uint32_t i) {
    if (filter->values[i].len < 0) return false;
    return cql__compare(filter->field->stored_type, cell, filter->values[i]) == 0;
}

static bool is_in(const orm_filter *filter, cql_value cell) {
    for (uint32_t i = 0; i < filter->value_count; i++) {
        if (equals(filter, cell, i)) return true;
    }
    return false;
}

static bool contains(const orm_filter *filter, cql_value cell) {
    const cql_type *element = operand_type(filter->field, filter->op);
    bool            map = filter->field->type->id == CQL_MAP;
    cql_walk        walk;
    cql_value       item;
    if (cql__walk_begin(&walk, filter->field->type, cell, NULL) != CORM_OK) return false;
    for (bool key = map; cql__walk_next(&walk, &item); key = map && !key) {
        if (key != (filter->op == CORM_CONTAINS_KEY)) continue;
        if (item.len >= 0 && cql__compare(element, item, filter->values[0]) == 0) return true;
    }
    return false;
}

static corm_str text_of(cql_value value) {
    return (corm_str){ (const char *)value.data, (size_t)value.len };
}

bool orm__filter_holds(const orm_filter *filter, cql_value cell) {
    if (filter->op == CORM_NULL_OP) return cell.len < 0;
    if (filter->op == CORM_NOT_NULL_OP) return cell.len >= 0;
    if (cell.len < 0) return false; /* null is neither equal nor unequal to anything */
    if (filter->op == CORM_IN) return is_in(filter, cell);
    for (uint32_t i = 0; i < filter->value_count; i++) {
        if (filter->values[i].len < 0) return false;
    }
    if (filter->op == CORM_CONTAINS || filter->op == CORM_CONTAINS_KEY) {
        return contains(filter, cell);
    }
    if (filter->op == CORM_LIKE) return cql__like(text_of(cell), text_of(filter->values[0]));
    int order = cql__compare(filter->field->stored_type, cell, filter->values[0]);
    switch (filter->op) {
    case CORM_EQ: return order == 0;
    case CORM_NE: return order != 0;
    case CORM_GT: return order > 0;
    case CORM_GTE: return order >= 0;
    case CORM_LT: return order < 0;
    case CORM_LTE: return order <= 0;
    case CORM_BETWEEN:
        return order >= 0 && cql__compare(filter->field->type, cell, filter->values[1]) <= 0;
    default: return false;
    }
}
