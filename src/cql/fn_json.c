// SPDX-License-Identifier: MIT
/* fn_json.c -- to_json of any value, from_json to the type that is wanted. Pure; any thread. */
#include "cql/fn.h"
#include "cql/json.h"

static corm_status eval_to_json(const cql_function *function, cql_eval_context *context,
                                const cql_value *args, cql_value *out, corm_error *err) {
    base_buf buf = { 0 };
    if (cql__fn_is_absent(function->args[0], args[0])) {
        base__buf_puts(&buf, "null");
    } else {
        cql__to_json(function->args[0], args[0], &buf);
    }
    return cql__fn_give_buf(context, &buf, out, err);
}

static corm_status make_to_json(const cql_factory *factory, base_arena *arena,
                                const cql_type *receiver, cql_function *out, corm_error *err) {
    (void)factory;
    (void)arena;
    (void)receiver;
    (void)err;
    out->eval = eval_to_json;
    out->result = cql__type_native(CQL_TEXT);
    return CORM_OK;
}

/* Text that is no JSON at all is named with the function; JSON of another type with the server's exception. */
static corm_status fail_text(const cql_function *function, corm_str text, const char *why,
                             corm_error *err) {
    size_t at;
    if (cql__json_check(text, &at)) {
        return base__fail(err, CORM_FUNCTION_FAILURE,
                          "org.apache.cassandra.serializers.MarshalException: %s", why);
    }
    return base__fail(
        err, CORM_FUNCTION_FAILURE,
        "execution of 'system.%.*s[text]' failed: Could not decode JSON string '%.*s': unexpected text at "
        "character %zu",
        (int)function->name.len, function->name.data, (int)text.len, text.data, at);
}

static corm_status fail_json(const cql_function *function, corm_str text, const char *why,
                             corm_error *err) {
    corm_status status = fail_text(function, text, why, err);
    cql__fn_name_failure(function, err);
    return status;
}

static corm_status eval_from_json(const cql_function *function, cql_eval_context *context,
                                  const cql_value *args, cql_value *out, corm_error *err) {
    base_buf   buf = { 0 };
    bool       is_null = false;
    corm_error inner = { 0 };
    *out = CQL_NULL;
    if (cql__is_null(args[0])) return CORM_OK;
    corm_str    text = { (const char *)args[0].data, (size_t)args[0].len };
    corm_status status = cql__from_json(function->result, text, &buf, &is_null, &inner);
    if (status == CORM_OK && !is_null) return cql__fn_give_buf(context, &buf, out, err);
    base__buf_free(&buf);
    if (status == CORM_NO_MEMORY) return base__fail_memory(err);
    return status == CORM_OK ? CORM_OK : fail_json(function, text, inner.message, err);
}

static corm_status make_from_json(const cql_factory *factory, base_arena *arena,
                                  const cql_type *receiver, cql_function *out, corm_error *err) {
    (void)factory;
    (void)arena;
    if (!receiver) {
        return base__fail(err, CORM_INVALID,
                          "%.*s() cannot be used in the selection clause of a SELECT statement",
                          (int)out->name.len, out->name.data);
    }
    out->eval = eval_from_json;
    out->result = receiver;
    return CORM_OK;
}

const cql_factory *cql__fn_json_factories(size_t *count) {
    static const cql_factory factories[] = {
        { "to_json", "tojson", 1, 1, { CQL_FN_ANY }, make_to_json, NULL },
        { "from_json", "fromjson", 1, 1, { CQL_FN_TEXT }, make_from_json, NULL },
    };
    *count = sizeof factories / sizeof *factories;
    return factories;
}
