// SPDX-License-Identifier: MIT
/* eval_part.c -- values made of several, and parts taken from such values. Pure; any thread. */
#include "cql/eval_internal.h"
#include "cql/sorted.h"

/* ---- packing ---- */

static bool is_collection(const cql_type *type) {
    return type->id == CQL_LIST || type->id == CQL_SET || type->id == CQL_MAP;
}

/* What a selection makes of columns may hold null where nothing is sorted. */
static bool may_be_null(const cql_node *node, uint32_t index) {
    bool is_value = node->type->id == CQL_LIST || (node->type->id == CQL_MAP && index % 2 == 1);
    return node->selected && is_value;
}

static corm_status check_element(const cql_node *node, uint32_t index, cql_value value,
                                 corm_error *err) {
    const cql_type *type = node->type;
    if (value.len >= 0 || (value.len == -1 && may_be_null(node, index))) return CORM_OK;
    if (type->id == CQL_VECTOR)
        return base__fail(err, CORM_INVALID, "null is not supported inside vectors");
    if (value.len == -1)
        return base__fail(err, CORM_INVALID, "null is not supported inside collections");
    return base__fail(err, CORM_INVALID, "unset value is not supported inside collections");
}

/* As the server: only what may be stored field by field takes an unset field, and takes it for an empty value. */
static corm_status check_field(const cql_type *type, uint32_t index, cql_value *value,
                               corm_error *err) {
    if (value->len != -2) return CORM_OK;
    if (type->id == CQL_TUPLE) {
        return base__fail(err, CORM_INVALID, "Invalid unset value for tuple field number %u",
                          index);
    }
    if (type->frozen) {
        return base__fail(err, CORM_INVALID,
                          "Invalid unset value for field '%.*s' of user defined type %.*s",
                          (int)type->field_names[index].len, type->field_names[index].data,
                          (int)type->name.len, type->name.data);
    }
    value->len = 0;
    return CORM_OK;
}

static corm_status put_elements(const cql_node *node, cql_eval_env *env, base_buf *out,
                                corm_error *err) {
    bool counted = is_collection(node->type) || node->type->id == CQL_VECTOR;
    for (uint32_t i = 0; i < node->count; i++) {
        cql_value value = CQL_NULL;
        if (node->args[i]) CORM_TRY(cql__eval(node->args[i], env, &value, err));
        CORM_TRY(counted ? check_element(node, i, value, err)
                         : check_field(node->type, i, &value, err));
        cql__put_value(out, value);
    }
    return CORM_OK;
}

corm_status cql__eval_pack(const cql_node *node, cql_eval_env *env, cql_value *out,
                           corm_error *err) {
    base_buf    values = { 0 }, packed = { 0 };
    corm_status status = put_elements(node, env, &values, err);
    if (status == CORM_OK) status = base__buf_status(&values, err);
    bool is_tuple = node->type->id == CQL_TUPLE || node->type->id == CQL_UDT;
    if (status == CORM_OK && is_tuple) return cql__eval_take(env->context.arena, &values, out, err);
    if (status == CORM_OK)
        status = cql__pack_values(node->type, base__buf_bytes(&values), &packed, err);
    base__buf_free(&values);
    if (status == CORM_OK) return cql__eval_take(env->context.arena, &packed, out, err);
    base__buf_free(&packed);
    return status;
}

/* ---- bound sets and maps ---- */

bool cql__holds_set(const cql_type *type) {
    if (type->id == CQL_SET || type->id == CQL_MAP) return true;
    for (uint32_t i = 0; i < type->count; i++) {
        if (cql__holds_set(type->params[i])) return true;
    }
    return false;
}

static const cql_type *part_type(const cql_type *type, uint32_t at) {
    if (type->id == CQL_TUPLE || type->id == CQL_UDT) return type->params[at];
    return type->params[type->id == CQL_MAP ? at % 2 : 0];
}

static bool is_ascending(const cql_type *type, cql_value value) {
    cql_walk  walk;
    cql_value item, before = CQL_NULL;
    if (cql__walk_begin(&walk, type, value, NULL) != CORM_OK) return true;
    for (uint32_t at = 0; cql__walk_next(&walk, &item); at++) {
        if (type->id == CQL_MAP && at % 2 == 1) continue;
        if (at > 0 && cql__compare(type->params[0], before, item) >= 0) return false;
        before = item;
    }
    return true;
}

/* Puts the parts, each sorted in itself. */
static corm_status put_sorted(const cql_type *type, cql_value value, base_arena *arena,
                              base_buf *out, corm_error *err) {
    cql_walk  walk;
    cql_value item;
    CORM_TRY(cql__walk_begin(&walk, type, value, err));
    for (uint32_t at = 0; cql__walk_next(&walk, &item); at++) {
        CORM_TRY(cql__eval_sorted(part_type(type, at), item, arena, &item, err));
        cql__put_value(out, item);
    }
    return CORM_OK;
}

static bool parts_hold_set(const cql_type *type) {
    for (uint32_t i = 0; i < type->count; i++) {
        if (cql__holds_set(type->params[i])) return true;
    }
    return false;
}

corm_status cql__eval_sorted(const cql_type *type, cql_value value, base_arena *arena,
                             cql_value *out, corm_error *err) {
    *out = value;
    if (value.len <= 0 || !cql__holds_set(type)) return CORM_OK;
    bool by_order = type->id == CQL_SET || type->id == CQL_MAP;
    if (by_order && !parts_hold_set(type) && is_ascending(type, value)) return CORM_OK;
    base_buf    values = { 0 }, packed = { 0 };
    corm_status status = put_sorted(type, value, arena, &values, err);
    if (status == CORM_OK) status = base__buf_status(&values, err);
    bool is_tuple = type->id == CQL_TUPLE || type->id == CQL_UDT;
    if (status == CORM_OK && is_tuple) return cql__eval_take(arena, &values, out, err);
    if (status == CORM_OK) status = cql__pack_values(type, base__buf_bytes(&values), &packed, err);
    base__buf_free(&values);
    if (status == CORM_OK) return cql__eval_take(arena, &packed, out, err);
    base__buf_free(&packed);
    return status;
}

/* ---- parts ---- */

corm_status cql__eval_field(const cql_node *node, cql_eval_env *env, cql_value *out,
                            corm_error *err) {
    const cql_type *type = node->args[0]->type;
    cql_value       whole;
    cql_walk        walk;
    CORM_TRY(cql__eval(node->args[0], env, &whole, err));
    if (whole.len == -2) {
        return base__fail(err, CORM_INVALID, "Invalid unset value for %s",
                          type->id == CQL_TUPLE ? "tuple" : "a user type");
    }
    *out = CQL_NULL;
    if (whole.len < 0) return CORM_OK;
    CORM_TRY(cql__walk_begin(&walk, type, whole, err));
    for (uint32_t i = 0; i <= node->index; i++) {
        if (cql__walk_next(&walk, out)) continue;
        *out = CQL_NULL;
        break;
    }
    return CORM_OK;
}

corm_status cql__find_entry(const cql_type *type, cql_value collection, cql_value key,
                            cql_value *out, corm_error *err) {
    bool      is_map = type->id == CQL_MAP;
    cql_walk  walk;
    cql_value item, value;
    *out = CQL_NULL;
    CORM_TRY(cql__walk_begin(&walk, type, collection, err));
    while (cql__walk_next(&walk, &item)) {
        value = item;
        if (is_map && !cql__walk_next(&walk, &value)) break;
        int order = cql__compare(type->params[0], item, key);
        if (order == 0) *out = value;
        if (order >= 0) break;
    }
    return CORM_OK;
}

static corm_status find_at(const cql_type *type, cql_value list, cql_value index, cql_value *out,
                           corm_error *err) {
    cql_walk walk;
    *out = CQL_NULL;
    int32_t at = index.len == 4 ? (int32_t)base__load_u32(index.data) : -1;
    if (at < 0) return base__fail(err, CORM_INVALID, "Invalid negative list index %d", at);
    CORM_TRY(cql__walk_begin(&walk, type, list, err));
    if ((uint32_t)at >= walk.count) return CORM_OK;
    for (int32_t i = 0; i <= at; i++) {
        if (cql__walk_next(&walk, out)) continue;
        *out = CQL_NULL;
        break;
    }
    return CORM_OK;
}

static corm_status refuse_subscript(const cql_node *node, cql_value value, corm_error *err) {
    const cql_column *column = node->args[0]->column;
    corm_str          name = column ? column->name : corm_str_of("a collection");
    return base__fail(err, CORM_INVALID, "Invalid %s value for %s selection on %.*s",
                      value.len == -1 ? "null" : "unset",
                      node->kind == CQL_NODE_SLICE ? "slice" : "element", (int)name.len, name.data);
}

corm_status cql__eval_element(const cql_node *node, cql_eval_env *env, cql_value *out,
                              corm_error *err) {
    const cql_type *type = node->args[0]->type;
    cql_value       whole, key;
    CORM_TRY(cql__eval(node->args[1], env, &key, err));
    if (key.len < 0) return refuse_subscript(node, key, err);
    CORM_TRY(cql__eval(node->args[0], env, &whole, err));
    *out = CQL_NULL;
    if (whole.len < 0) return CORM_OK;
    bool by_position = type->id == CQL_LIST || type->id == CQL_VECTOR;
    return by_position ? find_at(type, whole, key, out, err)
                       : cql__find_entry(type, whole, key, out, err);
}

/* ---- slices ---- */

/* The bounds of a slice, inclusive; len < 0 is open. */
typedef struct slice_bounds {
    cql_value from, to;
} slice_bounds;

static corm_status eval_bound(const cql_node *node, uint32_t which, cql_eval_env *env,
                              cql_value *out, corm_error *err) {
    *out = CQL_UNSET;
    if (!node->args[which]) return CORM_OK;
    CORM_TRY(cql__eval(node->args[which], env, out, err));
    return out->len == -1 ? refuse_subscript(node, *out, err) : CORM_OK;
}

static bool is_inside(const cql_type *type, const slice_bounds *bounds, cql_value key) {
    if (bounds->from.len >= 0 && cql__compare(type, key, bounds->from) < 0) return false;
    return bounds->to.len < 0 || cql__compare(type, key, bounds->to) <= 0;
}

static bool is_position_inside(const slice_bounds *bounds, uint32_t at) {
    if (bounds->from.len == 4 && (int64_t)at < (int32_t)base__load_u32(bounds->from.data))
        return false;
    return bounds->to.len != 4 || (int64_t)at <= (int32_t)base__load_u32(bounds->to.data);
}

static corm_status put_slice(const cql_type *type, cql_value whole, const slice_bounds *bounds,
                             cql_pack *pack, corm_error *err) {
    bool      is_map = type->id == CQL_MAP;
    bool      by_key = is_map || type->id == CQL_SET;
    uint32_t  at = 0;
    cql_walk  walk;
    cql_value item, value;
    CORM_TRY(cql__walk_begin(&walk, type, whole, err));
    while (cql__walk_next(&walk, &item)) {
        if (is_map && !cql__walk_next(&walk, &value)) break;
        bool inside =
            by_key ? is_inside(type->params[0], bounds, item) : is_position_inside(bounds, at++);
        if (!inside) continue;
        cql__pack_item(pack, item);
        if (is_map) cql__pack_item(pack, value);
    }
    return CORM_OK;
}

corm_status cql__eval_slice(const cql_node *node, cql_eval_env *env, cql_value *out,
                            corm_error *err) {
    const cql_type *type = node->args[0]->type;
    slice_bounds    bounds;
    cql_value       whole;
    CORM_TRY(eval_bound(node, 1, env, &bounds.from, err));
    CORM_TRY(eval_bound(node, 2, env, &bounds.to, err));
    CORM_TRY(cql__eval(node->args[0], env, &whole, err));
    *out = whole.len < 0 ? CQL_NULL : whole;
    if (whole.len < 0 || (bounds.from.len < 0 && bounds.to.len < 0)) return CORM_OK;
    base_buf buf = { 0 };
    cql_pack pack;
    cql__pack_begin(&pack, node->type, &buf);
    corm_status status = put_slice(type, whole, &bounds, &pack, err);
    cql__pack_end(&pack);
    if (status != CORM_OK || (pack.items == 0 && !type->frozen)) {
        base__buf_free(&buf);
        *out = CQL_NULL;
        return status;
    }
    return cql__eval_take(env->context.arena, &buf, out, err);
}
