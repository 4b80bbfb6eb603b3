// SPDX-License-Identifier: MIT
/* function_collection.c -- what is inside of lists, sets, maps, vectors, tuples and user-defined types. Pure. */
#include "aggregate/expr.h"
#include "base/fail.h"

static bool has_elements(const cql_type *type) {
    return cql__type_is_collection(type) || type->id == CQL_VECTOR;
}

/* ---- size ---- */

static corm_status check_size(const agg_binding *binding, agg_expr *expr, corm_error *err) {
    (void)binding;
    if (!has_elements(expr->args[0]->type)) return agg__refuse(expr, 0, "a collection", err);
    expr->type = cql__type_native(CQL_BIGINT);
    return CORM_OK;
}

static corm_status eval_size(const agg_expr *expr, const agg_work *work, const agg_column *args,
                             agg_column *out) {
    (void)expr;
    for (uint32_t i = 0; i < work->count; i++) {
        cql_walk walk;
        if (out->null[i]) continue;
        CORM_TRY(cql__walk_begin(&walk, args[0].type, args[0].v.wire[i], work->err));
        out->v.whole[i] = walk.count;
    }
    return CORM_OK;
}

/* ---- has, has_key, get ---- */

/* The second argument becomes of the type of the elements (or keys). */
static corm_status want_element(const agg_binding *binding, agg_expr *expr, const cql_type *type,
                                corm_error *err) {
    agg_expr element = { .kind = AGG_COLUMN, .type = type }, *other = &element;
    return agg__unify(binding, &other, &expr->args[1], err);
}

static corm_status check_has(const agg_binding *binding, agg_expr *expr, corm_error *err) {
    const cql_type *type = expr->args[0]->type;
    bool            keys = expr->function->name[3] == '_';
    expr->detail = keys ? 0 : 1;
    expr->type = cql__type_native(CQL_BOOLEAN);
    if (!has_elements(type) || (keys && type->id != CQL_MAP))
        return agg__refuse(expr, 0, keys ? "a map" : "a collection", err);
    const cql_type *element = type->params[type->id == CQL_MAP && !keys ? 1 : 0];
    return want_element(binding, expr, element, err);
}

/* An element as a cell of a column, so that it compares as columns do. */
static corm_status element_cell(const agg_work *work, const cql_type *type, agg_column *out) {
    return agg__column_new(work->arena, type, 1, out, work->err);
}

static corm_status eval_has(const agg_expr *expr, const agg_work *work, const agg_column *args,
                            agg_column *out) {
    const cql_type *type = args[0].type;
    bool            is_map = type->id == CQL_MAP;
    agg_column      cell;
    CORM_TRY(element_cell(work, type->params[is_map && expr->detail ? 1 : 0], &cell));
    for (uint32_t i = 0; i < work->count; i++) {
        cql_walk  walk;
        cql_value value;
        if (out->null[i]) continue;
        CORM_TRY(cql__walk_begin(&walk, type, args[0].v.wire[i], work->err));
        out->v.whole[i] = 0;
        for (uint32_t at = 0; cql__walk_next(&walk, &value); at++) {
            if (is_map && at % 2 != (uint32_t)expr->detail) continue;
            agg__set_cell(&cell, 0, value);
            if (!cell.null[0] && agg__compare_cells(&cell, 0, &args[1], i) == 0)
                out->v.whole[i] = 1;
        }
    }
    return CORM_OK;
}

/* get(map, key); get(list, place), the first is 0. */
static corm_status check_get(const agg_binding *binding, agg_expr *expr, corm_error *err) {
    const cql_type *type = expr->args[0]->type;
    if (!has_elements(type) || type->id == CQL_SET)
        return agg__refuse(expr, 0, "a map, list or vector", err);
    expr->type = type->params[type->id == CQL_MAP ? 1 : 0];
    if (type->id == CQL_MAP) return want_element(binding, expr, type->params[0], err);
    return agg__is_whole(expr->args[1]->type) ? CORM_OK
                                              : agg__refuse(expr, 1, "a whole number", err);
}

static corm_status get_one(const agg_work *work, const agg_column *args, uint32_t i,
                           agg_column *key, agg_column *out) {
    cql_walk  walk;
    cql_value value;
    bool      is_map = args[0].type->id == CQL_MAP, found = false;
    CORM_TRY(cql__walk_begin(&walk, args[0].type, args[0].v.wire[i], work->err));
    agg__set_null(out, i);
    for (int64_t at = 0; cql__walk_next(&walk, &value); at++) {
        if (!is_map) {
            if (at == args[1].v.whole[i]) agg__set_cell(out, i, value);
        } else if (at % 2 == 1) {
            if (found) agg__set_cell(out, i, value);
        } else {
            agg__set_cell(key, 0, value);
            found = !key->null[0] && agg__compare_cells(key, 0, &args[1], i) == 0;
        }
    }
    return CORM_OK;
}

static corm_status eval_get(const agg_expr *expr, const agg_work *work, const agg_column *args,
                            agg_column *out) {
    agg_column key;
    (void)expr;
    CORM_TRY(element_cell(work, args[0].type->params[0], &key));
    for (uint32_t i = 0; i < work->count; i++)
        if (!out->null[i]) CORM_TRY(get_one(work, args, i, &key, out));
    return CORM_OK;
}

/* ---- fields ---- */

static corm_status check_field(const agg_binding *binding, agg_expr *expr, corm_error *err) {
    const cql_type *type = expr->args[0]->type;
    corm_str        name;
    (void)binding;
    if (type->id != CQL_UDT) return agg__refuse(expr, 0, "a user-defined type", err);
    if (!agg__constant_text(expr->args[1], &name))
        return base__fail(err, CORM_INVALID, "a field has a name");
    for (uint32_t i = 0; i < type->count; i++) {
        if (!corm_str_equal(type->field_names[i], name)) continue;
        expr->detail = (int32_t)i;
        expr->type = type->params[i];
        expr->count = 1;
        return CORM_OK;
    }
    return base__fail(err, CORM_INVALID, "%.*s has no field '%.*s'", (int)type->name.len,
                      type->name.data, (int)name.len, name.data);
}

static corm_status eval_field(const agg_expr *expr, const agg_work *work, const agg_column *args,
                              agg_column *out) {
    for (uint32_t i = 0; i < work->count; i++) {
        cql_walk  walk;
        cql_value value = CQL_NULL;
        if (out->null[i]) continue;
        CORM_TRY(cql__walk_begin(&walk, args[0].type, args[0].v.wire[i], work->err));
        for (int32_t at = 0; at <= expr->detail && cql__walk_next(&walk, &value); at++) continue;
        agg__set_cell(out, i, value);
    }
    return CORM_OK;
}

const agg_function agg__collection_functions[] = {
    { "size", 1, 1, true, check_size, eval_size, "size(a)", "elements or entries" },
    { "has", 2, 2, true, check_has, eval_has, "a CONTAINS b",
      "whether a list, set, vector or the values of a map have b" },
    { "has_key", 2, 2, true, check_has, eval_has, "a CONTAINS KEY b", "whether a map has the key" },
    { "get", 2, 2, true, check_get, eval_get, "get(a, b)",
      "a map's value for a key, or the element of a list at a place from 0; null: none" },
    { "field", 2, 2, true, check_field, eval_field, "a.b", "a field of a user-defined type" },
    { .name = NULL },
};
