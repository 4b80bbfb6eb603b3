// SPDX-License-Identifier: MIT
/* functions_factory.c -- native functions that are made for the call: the types of their arguments inferred from
 * the arguments, from each other and from the receiver, and checked. Pure; any thread. */
#include "cql/fn.h"

/* What is sure of an argument alone. */
static const cql_type *known_type(const cql_argument *argument) {
    if (argument->type) return argument->type;
    return cql__literal_type(argument->literal, argument->constant);
}

static const cql_type *or_else(const cql_type *type, const cql_type *otherwise) {
    return type ? type : otherwise;
}

/* A literal [a, b] is a vector here. */
static const cql_type *vector_type(base_arena *arena, const cql_argument *argument,
                                   const cql_type *receiver) {
    if (argument->array_size > 0) {
        return cql__type_vector(arena, cql__type_native(CQL_FLOAT), argument->array_size);
    }
    return or_else(known_type(argument), receiver);
}

/* `others` are the types inferred so far; NULL in the first pass. */
static const cql_type *infer(cql_fn_param param, base_arena *arena, const cql_call *call,
                             uint32_t at, const cql_type *const *others) {
    const cql_argument *argument = &call->args[at];
    switch (param) {
    case CQL_FN_ANY_OR_RECEIVER: return or_else(known_type(argument), call->receiver);
    case CQL_FN_AS_FIRST:
        if (others && others[0]) return others[0];
        return or_else(known_type(argument), call->receiver);
    case CQL_FN_TEXT:
    case CQL_FN_STRING: return or_else(known_type(argument), cql__type_native(CQL_TEXT));
    case CQL_FN_INT: return or_else(known_type(argument), cql__type_native(CQL_INT));
    case CQL_FN_FLOAT_VECTOR:
        return or_else(vector_type(arena, argument, call->receiver),
                       others ? others[1 - at] : NULL);
    default: return known_type(argument);
    }
}

static bool fits(const cql_type *type, cql_type_id wanted) {
    return cql__type_fit(cql__type_native(wanted), type) != CQL_FIT_NOT;
}

static bool is_set_or_list(const cql_type *type) {
    return type->id == CQL_SET || type->id == CQL_LIST;
}

static bool accepts(cql_fn_param param, const cql_type *type) {
    switch (param) {
    case CQL_FN_TEXT: return fits(type, CQL_TEXT);
    case CQL_FN_STRING: return fits(type, CQL_TEXT) || fits(type, CQL_ASCII);
    case CQL_FN_INT: return fits(type, CQL_INT);
    case CQL_FN_COLLECTION: return cql__type_is_collection(type);
    case CQL_FN_SET_OR_LIST: return is_set_or_list(type);
    case CQL_FN_NUMBERS_SET_OR_LIST:
        return is_set_or_list(type) && cql__type_is_numeric(type->params[0]);
    case CQL_FN_MAP: return type->id == CQL_MAP;
    case CQL_FN_FLOAT_VECTOR: return type->id == CQL_VECTOR && type->params[0]->id == CQL_FLOAT;
    default: return true;
    }
}

/* How messages name a parameter, and what they say it requires; NULL: takes all. */
static const struct {
    const char *shown, *required;
} words[CQL_FN_PARAMS] = {
    [CQL_FN_ANY] = { "any", NULL },
    [CQL_FN_ANY_OR_RECEIVER] = { "any", NULL },
    [CQL_FN_AS_FIRST] = { "any", NULL },
    [CQL_FN_TEXT] = { "text", "an argument of type text" },
    [CQL_FN_STRING] = { "[text|varchar|ascii]", "an argument of type [text|varchar|ascii]" },
    [CQL_FN_INT] = { "int", "an argument of type int" },
    [CQL_FN_COLLECTION] = { "collection", "a collection argument" },
    [CQL_FN_SET_OR_LIST] = { "numeric_set_or_list", "a set or list argument" },
    [CQL_FN_NUMBERS_SET_OR_LIST] = { "numeric_set_or_list", "a numeric set/list argument" },
    [CQL_FN_MAP] = { "map", "a map argument" },
    [CQL_FN_FLOAT_VECTOR] = { "vector<float, n>", "a float vector argument" },
};

/* system.mask_hash(any, [text]) */
static void print_signature(const cql_factory *factory, corm_str name, base_buf *out) {
    base__buf_puts(out, "system.");
    base__buf_put_str(out, name);
    base__buf_puts(out, "(");
    for (uint32_t i = 0; i < factory->count; i++) {
        bool optional = i >= factory->mandatory;
        base__buf_printf(out, "%s%s%s%s", i > 0 ? ", " : "", optional ? "[" : "",
                         words[factory->params[i]].shown, optional ? "]" : "");
    }
    base__buf_puts(out, ")");
}

static corm_status fail_count(const cql_factory *factory, const cql_call *call, corm_error *err) {
    base_buf shown = { 0 };
    print_signature(factory, call->name, &shown);
    const char *text = base__buf_cstr(&shown);
    corm_status status =
        text ? base__fail(err, CORM_INVALID, "Invalid number of arguments for function %s", text)
             : base__fail_memory(err);
    base__buf_free(&shown);
    return status;
}

static corm_status fail_unknown(const cql_factory *factory, const cql_call *call, uint32_t at,
                                corm_error *err) {
    base_buf shown = { 0 };
    print_signature(factory, call->name, &shown);
    const char *text = base__buf_cstr(&shown);
    corm_str    what = call->args[at].text;
    corm_status status =
        text ? base__fail(err, CORM_INVALID,
                          "Cannot infer type of argument %.*s in call to function %s: use type "
                          "casts to disambiguate",
                          (int)what.len, what.data, text)
             : base__fail_memory(err);
    base__buf_free(&shown);
    return status;
}

static corm_status fail_type(const cql_call *call, cql_fn_param param, uint32_t at,
                             const cql_type *type, corm_error *err) {
    base_buf shown = { 0 };
    cql__type_print(type, &shown);
    const char *text = base__buf_cstr(&shown);
    corm_str    what = call->args[at].text;
    corm_status status =
        text ? base__fail(err, CORM_INVALID,
                          "Function system.%.*s requires %s, but found argument %.*s of type %s",
                          (int)call->name.len, call->name.data, words[param].required,
                          (int)what.len, what.data, text)
             : base__fail_memory(err);
    base__buf_free(&shown);
    return status;
}

/* Options of one type are of that type whatever the constant is. */
static const cql_type *settled(cql_fn_param param, const cql_type *type) {
    if (param == CQL_FN_TEXT) return cql__type_native(CQL_TEXT);
    return param == CQL_FN_INT ? cql__type_native(CQL_INT) : type;
}

static corm_status infer_all(const cql_factory *factory, base_arena *arena, const cql_call *call,
                             const cql_type **types, corm_error *err) {
    for (uint32_t i = 0; i < call->count; i++) {
        types[i] = infer(factory->params[i], arena, call, i, NULL);
    }
    for (uint32_t i = 0; i < call->count; i++) {
        cql_fn_param param = factory->params[i];
        types[i] = infer(param, arena, call, i, types);
        if (!types[i]) return fail_unknown(factory, call, i, err);
        if (!accepts(param, types[i])) return fail_type(call, param, i, types[i], err);
        types[i] = settled(param, types[i]);
    }
    return CORM_OK;
}

corm_status cql__factory_call(const cql_factory *factory, base_arena *arena, const cql_call *call,
                              cql_function **out, corm_error *err) {
    if (call->count < factory->mandatory || call->count > factory->count)
        return fail_count(factory, call, err);
    const cql_type **types = BASE_NEW_ARRAY(arena, const cql_type *, call->count);
    cql_function    *function = BASE_NEW(arena, cql_function);
    corm_str         name = base__arena_str(arena, call->name);
    if (!types || !function || !name.data) return base__fail_memory(err);
    CORM_TRY(infer_all(factory, arena, call, types, err));
    function->name = name;
    function->arg_count = call->count;
    function->args = types;
    function->is_pure = true;
    function->data = factory->data;
    CORM_TRY(factory->make(factory, arena, call->receiver, function, err));
    *out = function;
    return CORM_OK;
}
