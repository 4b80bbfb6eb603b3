// SPDX-License-Identifier: MIT
/* eval.c -- evaluates typed expressions on bind values and a row. Pure but for the functions that are not; any thread. */
#include "cql/eval_internal.h"

enum { FEW_ARGUMENTS = 8 };

corm_status cql__eval_take(base_arena *arena, base_buf *buf, cql_value *out, corm_error *err) {
    corm_status status = base__buf_status(buf, err);
    if (status == CORM_OK) {
        *out = (cql_value){ base__arena_copy(arena, buf->data, buf->len), (int32_t)buf->len };
        if (!out->data) status = base__fail_memory(err);
    }
    base__buf_free(buf);
    return status;
}

static corm_status eval_marker(const cql_node *node, cql_eval_env *env, cql_value *out,
                               corm_error *err) {
    if (node->index >= env->marker_count) {
        return base__fail(err, CORM_INVALID, "Invalid amount of bind variables");
    }
    *out = env->markers[node->index];
    if (out->len <= 0 || node->type->count == 0 || !cql__holds_set(node->type)) return CORM_OK;
    return cql__eval_sorted(node->type, *out, env->context.arena, out, err);
}

static corm_status eval_column(const cql_node *node, const cql_eval_env *env, cql_value *out,
                               corm_error *err) {
    if (!env->row) return base__fail(err, CORM_INVALID, "a column has no value here");
    *out = env->row->columns[node->column->index];
    return CORM_OK;
}

static corm_status eval_arguments(const cql_node *node, cql_eval_env *env, cql_value *args,
                                  corm_error *err) {
    for (uint32_t i = 0; i < node->count; i++) {
        CORM_TRY(cql__eval(node->args[i], env, &args[i], err));
        if (args[i].len != -2) continue;
        return base__fail(err, CORM_INVALID,
                          "Invalid unset value for argument in call to function %.*s",
                          (int)node->function->name.len, node->function->name.data);
    }
    return CORM_OK;
}

static corm_status eval_call(const cql_node *node, cql_eval_env *env, cql_value *out,
                             corm_error *err) {
    cql_value  few[FEW_ARGUMENTS];
    cql_value *args = few;
    if (node->count > FEW_ARGUMENTS &&
        !(args = BASE_NEW_ARRAY(env->context.arena, cql_value, node->count))) {
        return base__fail_memory(err);
    }
    CORM_TRY(eval_arguments(node, env, args, err));
    return node->function->eval(node->function, &env->context, args, out, err);
}

static corm_status eval_metadata(const cql_node *node, const cql_eval_env *env, cql_value *out,
                                 corm_error *err) {
    *out = CQL_NULL;
    if (!env->row || !env->row->metadata) return CORM_OK;
    return env->row->metadata(env->row->context, node, out, err);
}

corm_status cql__eval(const cql_node *node, cql_eval_env *env, cql_value *out, corm_error *err) {
    switch (node->kind) {
    case CQL_NODE_CONSTANT: *out = node->value; return CORM_OK;
    case CQL_NODE_MARKER: return eval_marker(node, env, out, err);
    case CQL_NODE_COLUMN: return eval_column(node, env, out, err);
    case CQL_NODE_CALL: return eval_call(node, env, out, err);
    case CQL_NODE_AGGREGATE: *out = env->aggregates[node->index]; return CORM_OK;
    case CQL_NODE_PACK: return cql__eval_pack(node, env, out, err);
    case CQL_NODE_FIELD: return cql__eval_field(node, env, out, err);
    case CQL_NODE_ELEMENT: return cql__eval_element(node, env, out, err);
    case CQL_NODE_SLICE: return cql__eval_slice(node, env, out, err);
    case CQL_NODE_WRITETIME:
    case CQL_NODE_MAXWRITETIME:
    case CQL_NODE_TTL: return eval_metadata(node, env, out, err);
    }
    return base__fail(err, CORM_INVALID, "an expression is of no known kind");
}

corm_status cql__check_values(const cql_checked *checked, const cql_value *values, uint32_t count,
                              corm_error *err) {
    if (count == 0 && checked->marker_count > 0) {
        return base__fail(err, CORM_INVALID, "Invalid amount of bind variables");
    }
    if (count != checked->marker_count) {
        return base__fail(err, CORM_INVALID,
                          "there were %u markers(?) in CQL but %u bound variables",
                          checked->marker_count, count);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (checked->markers[i].type)
            CORM_TRY(cql__validate(checked->markers[i].type, values[i], err));
    }
    if (checked->refused) return base__fail(err, CORM_INVALID, "%s", checked->refused);
    return CORM_OK;
}

corm_status cql__eval_limit(const cql_node *node, cql_eval_env *env, uint32_t *out,
                            corm_error *err) {
    cql_value value = CQL_UNSET;
    *out = UINT32_MAX;
    if (node) CORM_TRY(cql__eval(node, env, &value, err));
    if (value.len == -2) return CORM_OK;
    if (value.len == -1) return base__fail(err, CORM_INVALID, "Invalid null value of limit");
    if (value.len != 4) return base__fail(err, CORM_INVALID, "Invalid limit value");
    int32_t limit = (int32_t)base__load_u32(value.data);
    if (limit <= 0) return base__fail(err, CORM_INVALID, "LIMIT must be strictly positive");
    *out = (uint32_t)limit;
    return CORM_OK;
}
