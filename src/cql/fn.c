// SPDX-License-Identifier: MIT
/* fn.c -- how native functions give results and refuse arguments. Results live in the context's arena. Any thread. */
#include "cql/fn.h"

uint8_t *cql__fn_room(cql_eval_context *context, size_t len, cql_value *out) {
    uint8_t *data = len <= INT32_MAX ? base__arena_alloc(context->arena, len) : NULL;
    if (data) *out = (cql_value){ data, (int32_t)len };
    return data;
}

corm_status cql__fn_give_i32(cql_eval_context *context, int32_t v, cql_value *out,
                             corm_error *err) {
    uint8_t *data = cql__fn_room(context, 4, out);
    if (!data) return base__fail_memory(err);
    base__store_u32(data, (uint32_t)v);
    return CORM_OK;
}

corm_status cql__fn_give_i64(cql_eval_context *context, int64_t v, cql_value *out,
                             corm_error *err) {
    uint8_t *data = cql__fn_room(context, 8, out);
    if (!data) return base__fail_memory(err);
    base__store_u64(data, (uint64_t)v);
    return CORM_OK;
}

corm_status cql__fn_give_bytes(cql_eval_context *context, corm_bytes bytes, cql_value *out,
                               corm_error *err) {
    uint8_t *data = cql__fn_room(context, bytes.len, out);
    if (!data) return base__fail_memory(err);
    if (bytes.len > 0) memcpy(data, bytes.data, bytes.len);
    return CORM_OK;
}

corm_status cql__fn_give_buf(cql_eval_context *context, base_buf *buf, cql_value *out,
                             corm_error *err) {
    corm_status status = base__buf_status(buf, err);
    if (status == CORM_OK) status = cql__fn_give_bytes(context, base__buf_bytes(buf), out, err);
    base__buf_free(buf);
    return status;
}

void cql__fn_name_failure(const cql_function *function, corm_error *err) {
    base_buf text = { 0 };
    if (!err) return;
    base__buf_put(&text, function->name.data, function->name.len);
    base__buf_puts(&text, "(");
    for (uint32_t i = 0; i < function->arg_count; i++) {
        if (i > 0) base__buf_puts(&text, ", ");
        cql__type_print(function->args[i], &text);
    }
    base__buf_puts(&text, ")");
    if (!text.failed && text.len < sizeof err->table) {
        memcpy(err->keyspace, "system", sizeof "system");
        memcpy(err->table, text.data, text.len);
        err->table[text.len] = '\0';
    }
    base__buf_free(&text);
}

static bool empty_means_something(const cql_type *type) {
    switch (type->id) {
    case CQL_ASCII:
    case CQL_TEXT:
    case CQL_BLOB:
    case CQL_LIST:
    case CQL_SET:
    case CQL_MAP:
    case CQL_TUPLE:
    case CQL_UDT:
    case CQL_VECTOR:
    case CQL_CUSTOM:
    case CQL_EMPTY: return true;
    default: return false;
    }
}

bool cql__fn_is_absent(const cql_type *type, cql_value value) {
    return cql__is_null(value) || (value.len == 0 && !empty_means_something(type));
}

bool cql__fn_any_absent(const cql_function *function, const cql_value *args) {
    for (uint32_t i = 0; i < function->arg_count; i++) {
        if (cql__fn_is_absent(function->args[i], args[i])) return true;
    }
    return false;
}
