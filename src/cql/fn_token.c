// SPDX-License-Identifier: MIT
/* fn_token.c -- token(partition key values). Pure; any thread. */
#include "cql/fn.h"
#include "cql/token.h"

static corm_status eval_token(const cql_function *function, cql_eval_context *context,
                              const cql_value *args, cql_value *out, corm_error *err) {
    base_buf key = { 0 };
    *out = CQL_NULL;
    for (uint32_t i = 0; i < function->arg_count; i++) {
        if (cql__is_null(args[i])) return CORM_OK;
    }
    if (function->arg_count == 1) {
        return cql__fn_give_i64(
            context, cql__token((corm_bytes){ args[0].data, (size_t)args[0].len }), out, err);
    }
    cql__partition_key(args, function->arg_count, &key);
    corm_status status = base__buf_status(&key, err);
    if (status == CORM_OK)
        status = cql__fn_give_i64(context, cql__token(base__buf_bytes(&key)), out, err);
    base__buf_free(&key);
    return status;
}

corm_status cql__token_resolve(base_arena *arena, const cql_type *const *key_types, uint32_t count,
                               const cql_function **out, corm_error *err) {
    cql_function    *function = BASE_NEW(arena, cql_function);
    const cql_type **args = BASE_NEW_ARRAY(arena, const cql_type *, count);
    if (!function || !args) return base__fail_memory(err);
    for (uint32_t i = 0; i < count; i++) args[i] = key_types[i];
    function->name = corm_str_of("token");
    function->arg_count = count;
    function->args = args;
    function->result = cql__type_native(CQL_BIGINT);
    function->eval = eval_token;
    function->is_pure = true;
    *out = function;
    return CORM_OK;
}
