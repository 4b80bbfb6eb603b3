// SPDX-License-Identifier: MIT
/* functions.c -- the registry of native functions: overloads are collected from the families by name, and the one is
 * chosen that the server chooses: the exact match, else the only one that the arguments go to. Pure; any thread. */
#include "base/text.h"
#include "cql/fn.h"

typedef void (*family)(cql_fn_list *list);

static const family families[] = {
    cql__fn_time, cql__fn_floor, cql__fn_blob,      cql__fn_math,
    cql__fn_cast, cql__fn_arith, cql__fn_aggregate,
};

typedef const cql_factory *(*factory_family)(size_t *count);

static const factory_family factory_families[] = {
    cql__fn_collection_factories, cql__fn_json_factories,      cql__fn_mask_factories,
    cql__fn_vector_factories,     cql__fn_aggregate_factories,
};

const cql_type_id cql__fn_numbers[CQL_FN_NUMBERS] = {
    CQL_TINYINT, CQL_SMALLINT, CQL_INT,    CQL_BIGINT,  CQL_FLOAT,
    CQL_DOUBLE,  CQL_DECIMAL,  CQL_VARINT, CQL_COUNTER,
};

/* ---- lists of overloads ---- */

static bool list_grow(cql_fn_list *list) {
    if (list->count < list->capacity) return true;
    uint32_t       capacity = list->capacity ? list->capacity * 2 : 16;
    cql_function **items = BASE_NEW_ARRAY(list->arena, cql_function *, capacity);
    if (!items) return false;
    for (uint32_t i = 0; i < list->count; i++) items[i] = list->items[i];
    list->items = items;
    list->capacity = capacity;
    return true;
}

static cql_function *list_put(cql_fn_list *list, cql_function *function) {
    if (!function || !list_grow(list)) {
        list->failed = true;
        return NULL;
    }
    list->items[list->count++] = function;
    return function;
}

cql_function *cql__fn_add(cql_fn_list *list, cql_function_eval eval, const cql_type *result,
                          uint32_t count, const cql_type *const *args) {
    cql_function    *function = BASE_NEW(list->arena, cql_function);
    const cql_type **copy = BASE_NEW_ARRAY(list->arena, const cql_type *, count);
    if (!function || !copy) return list_put(list, NULL);
    for (uint32_t i = 0; i < count; i++) copy[i] = args[i];
    *function = (cql_function){ .name = list->name,
                                .arg_count = count,
                                .args = copy,
                                .result = result,
                                .eval = eval,
                                .is_pure = true };
    return list_put(list, function);
}

cql_function *cql__fn_add_native(cql_fn_list *list, cql_function_eval eval, cql_type_id result,
                                 uint32_t count, const cql_type_id *args) {
    const cql_type *types[CQL_FN_MOST_PARAMS];
    for (uint32_t i = 0; i < count; i++) types[i] = cql__type_native(args[i]);
    return cql__fn_add(list, eval, cql__type_native(result), count, types);
}

static void collect(cql_fn_list *list) {
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) families[i](list);
}

static bool factory_has_name(const cql_factory *factory, corm_str name) {
    return corm_str_equal(corm_str_of(factory->name), name) ||
           (factory->alias && corm_str_equal(corm_str_of(factory->alias), name));
}

static const cql_factory *find_factory(corm_str name) {
    for (size_t i = 0; i < sizeof factory_families / sizeof *factory_families; i++) {
        size_t             count;
        const cql_factory *factories = factory_families[i](&count);
        for (size_t j = 0; j < count; j++) {
            if (factory_has_name(&factories[j], name)) return &factories[j];
        }
    }
    return NULL;
}

bool cql__function_exists(corm_str name) {
    if (corm_str_equal(name, corm_str_of("token")) || find_factory(name)) return true;
    base_arena  arena = { 0 };
    cql_fn_list list = { .arena = &arena, .types = &arena, .name = name };
    collect(&list);
    base__arena_free(&arena);
    return list.count > 0 || list.failed; /* a call of it will say what failed */
}

bool cql__function_is_generic(corm_str name) {
    return corm_str_equal(name, corm_str_of("token")) || find_factory(name);
}

/* ---- messages ---- */

void cql__function_print(const cql_function *function, base_buf *out) {
    base__buf_puts(out, "system.");
    cql__put_name(out, function->name);
    base__buf_puts(out, " : (");
    for (uint32_t i = 0; i < function->arg_count; i++) {
        if (i > 0) base__buf_puts(out, ", ");
        cql__type_print(function->args[i], out);
    }
    base__buf_puts(out, ") -> ");
    cql__type_print(function->result, out);
}

/* The operator of "_add" and so on, or 0. */
static char operator_of(corm_str name) {
    static const char ops[] = "+-*/%";
    size_t            i = 0;
    while (ops[i] && !corm_str_equal(cql__operator_function(ops[i]), name)) i++;
    return ops[i];
}

static bool is_negation(corm_str name) {
    return corm_str_equal(name, corm_str_of("_negate"));
}

/* The name as written; operators and casts always belong to system. */
static void put_call_name(const cql_call *call, base_buf *out) {
    bool     qualified = operator_of(call->name) || is_negation(call->name) || call->is_cast;
    corm_str keyspace = qualified ? corm_str_of("system") : call->keyspace;
    base__buf_put_str(out, keyspace);
    if (keyspace.len > 0) base__buf_puts(out, ".");
    base__buf_put_str(out, call->name);
}

static void put_functions(cql_function *const *functions, uint32_t count, base_buf *out) {
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0) base__buf_puts(out, ", ");
        cql__function_print(functions[i], out);
    }
}

/* CORM_INVALID with the text; frees it. */
static corm_status fail_with(base_buf *text, corm_error *err) {
    const char *shown = base__buf_cstr(text);
    corm_status status =
        shown ? base__fail(err, CORM_INVALID, "%s", shown) : base__fail_memory(err);
    base__buf_free(text);
    return status;
}

static corm_status fail_no_match(const cql_fn_list *list, const cql_call *call, corm_error *err) {
    if (operator_of(call->name) && call->count == 2) {
        corm_str a = call->args[0].text, b = call->args[1].text;
        return base__fail(err, CORM_INVALID,
                          "the '%c' operation is not supported between %.*s and %.*s",
                          operator_of(call->name), (int)a.len, a.data, (int)b.len, b.data);
    }
    base_buf text = { 0 };
    base__buf_puts(&text, "Invalid call to function ");
    put_call_name(call, &text);
    base__buf_puts(&text, ", none of its type signatures match (known type signatures: ");
    put_functions(list->items, list->count, &text);
    base__buf_puts(&text, ")");
    return fail_with(&text, err);
}

static corm_status fail_ambiguous(cql_function *const *fitting, uint32_t count,
                                  const cql_call *call, corm_error *err) {
    if (operator_of(call->name)) {
        corm_str a = call->args[0].text, b = call->args[1].text;
        return base__fail(
            err, CORM_INVALID,
            "Ambiguous '%c' operation with args %.*s and %.*s: use type hint to disambiguate, "
            "example '(int) ?'",
            operator_of(call->name), (int)a.len, a.data, (int)b.len, b.data);
    }
    if (is_negation(call->name)) {
        return base__fail(err, CORM_INVALID, "Ambiguous negation: use type casts to disambiguate");
    }
    base_buf text = { 0 };
    base__buf_puts(&text, "Ambiguous call to function ");
    put_call_name(call, &text);
    base__buf_puts(&text, " (can be matched by following signatures: ");
    put_functions(fitting, count, &text);
    base__buf_puts(&text, "): use type casts to disambiguate");
    return fail_with(&text, err);
}

static corm_status fail_argument(const cql_function *function, const cql_call *call, uint32_t at,
                                 corm_error *err) {
    base_buf text = { 0 };
    base__buf_puts(&text, "Type error: ");
    base__buf_put_str(&text, call->args[at].text);
    base__buf_printf(&text, " cannot be passed as argument %u of function system.", (unsigned)at);
    base__buf_put_str(&text, function->name);
    base__buf_puts(&text, " of type ");
    cql__type_print(function->args[at], &text);
    return fail_with(&text, err);
}

/* ---- the choice ---- */

/* The only overload: its errors can be precise. */
static corm_status check_only(const cql_function *function, const cql_call *call, corm_error *err) {
    if (function->arg_count != call->count) {
        return base__fail(
            err, CORM_INVALID,
            "Invalid number of arguments in call to function system.%.*s: %u required but %u provided",
            (int)function->name.len, function->name.data, (unsigned)function->arg_count,
            (unsigned)call->count);
    }
    for (uint32_t i = 0; i < call->count; i++) {
        if (cql__argument_fit(&call->args[i], function->args[i]) == CQL_FIT_NOT)
            return fail_argument(function, call, i, err);
    }
    return CORM_OK;
}

static cql_fit call_fit(const cql_function *function, const cql_call *call) {
    if (call->receiver && cql__type_fit(call->receiver, function->result) == CQL_FIT_NOT)
        return CQL_FIT_NOT;
    if (function->arg_count != call->count) return CQL_FIT_NOT;
    cql_fit all = CQL_FIT_EXACT;
    for (uint32_t i = 0; i < call->count; i++) {
        cql_fit one = cql__argument_fit(&call->args[i], function->args[i]);
        if (one < all) all = one;
        if (all == CQL_FIT_NOT) break;
    }
    return all;
}

static bool has_marker(const cql_call *call) {
    for (uint32_t i = 0; i < call->count; i++) {
        if (call->args[i].is_marker) return true;
    }
    return false;
}

/* Of several operators that fit, the one on the receiver's own type. */
static const cql_function *pick_receivers(cql_function *const *fitting, uint32_t count,
                                          const cql_call *call) {
    if (!operator_of(call->name) || !call->receiver || has_marker(call)) return NULL;
    for (uint32_t i = 0; i < count; i++) {
        if (cql__type_same_values(fitting[i]->args[0], call->receiver) &&
            cql__type_same_values(fitting[i]->args[1], call->receiver)) {
            return fitting[i];
        }
    }
    return NULL;
}

/* NULL and a status: none, or too many. */
static const cql_function *pick(const cql_fn_list *list, const cql_call *call, corm_status *status,
                                corm_error *err) {
    cql_function **fitting = BASE_NEW_ARRAY(list->arena, cql_function *, list->count);
    uint32_t       count = 0;
    *status = CORM_NO_MEMORY;
    if (!fitting) return NULL;
    for (uint32_t i = 0; i < list->count; i++) {
        cql_fit fit = call_fit(list->items[i], call);
        if (fit == CQL_FIT_EXACT) return list->items[i];
        if (fit == CQL_FIT_WEAK) fitting[count++] = list->items[i];
    }
    const cql_function *picked = count == 1 ? fitting[0] : pick_receivers(fitting, count, call);
    if (count == 0) *status = fail_no_match(list, call, err);
    if (count > 1 && !picked) *status = fail_ambiguous(fitting, count, call, err);
    return picked;
}

/* The chosen overload moves from the scratch arena to the caller's. */
static corm_status keep(base_arena *arena, const cql_function *chosen, const cql_function **out,
                        corm_error *err) {
    cql_function    *function = base__arena_copy(arena, chosen, sizeof *chosen);
    const cql_type **args = BASE_NEW_ARRAY(arena, const cql_type *, chosen->arg_count);
    if (!function || !args) return base__fail_memory(err);
    for (uint32_t i = 0; i < chosen->arg_count; i++) args[i] = chosen->args[i];
    function->args = args;
    function->name = base__arena_str(arena, chosen->name);
    if (!function->name.data) return base__fail_memory(err);
    *out = function;
    return CORM_OK;
}

static corm_status choose(base_arena *arena, const cql_fn_list *list, const cql_call *call,
                          const cql_function **out, corm_error *err) {
    if (list->failed) return base__fail_memory(err);
    if (list->count == 0) {
        return base__fail(err, CORM_INVALID, "Unknown function %.*s%s%.*s called",
                          (int)call->keyspace.len, call->keyspace.data,
                          call->keyspace.len ? "." : "", (int)call->name.len, call->name.data);
    }
    if (list->count == 1) {
        CORM_TRY(check_only(list->items[0], call, err));
        return keep(arena, list->items[0], out, err);
    }
    corm_status         status;
    const cql_function *chosen = pick(list, call, &status, err);
    if (chosen) return keep(arena, chosen, out, err);
    return status == CORM_NO_MEMORY ? base__fail_memory(err) : status;
}

corm_status cql__call_resolve(base_arena *arena, const cql_call *call, const cql_function **out,
                              corm_error *err) {
    base_arena  scratch = { 0 };
    cql_fn_list list = { .arena = &scratch, .types = arena, .name = call->name };
    corm_status status = CORM_OK;
    bool native = call->keyspace.len == 0 || corm_str_equal(call->keyspace, corm_str_of("system"));
    const cql_factory *factory = native ? find_factory(call->name) : NULL;
    if (factory) {
        cql_function *made = NULL;
        status = cql__factory_call(factory, arena, call, &made, err);
        if (status == CORM_OK) list_put(&list, made);
    } else if (native) {
        collect(&list);
    }
    if (status == CORM_OK) status = choose(arena, &list, call, out, err);
    base__arena_free(&scratch);
    return status;
}

/* ---- narrower doors ---- */

static corm_str type_text(base_arena *arena, const cql_type *type) {
    base_buf shown = { 0 };
    if (type) cql__type_print(type, &shown);
    corm_str text = type ? base__arena_str(arena, base__buf_str(&shown)) : corm_str_of("?");
    base__buf_free(&shown);
    return text;
}

corm_status cql__function_resolve(base_arena *arena, corm_str keyspace, corm_str name,
                                  const cql_type *const *arg_types, const cql_literal *literals,
                                  uint32_t arg_count, const cql_type *receiver,
                                  const cql_function **out, corm_error *err) {
    cql_argument *args = BASE_NEW_ARRAY(arena, cql_argument, arg_count);
    if (!args) return base__fail_memory(err);
    for (uint32_t i = 0; i < arg_count; i++) {
        args[i].type = arg_types[i];
        args[i].literal = literals ? literals[i] : CQL_LIT_NONE;
        args[i].is_marker = !arg_types[i] && args[i].literal == CQL_LIT_NONE;
        args[i].text =
            args[i].literal == CQL_LIT_NULL ? corm_str_of("NULL") : type_text(arena, arg_types[i]);
        if (!args[i].text.data) return base__fail_memory(err);
        if (args[i].literal == CQL_LIT_INTEGER) args[i].constant = corm_str_of("0");
        if (args[i].literal == CQL_LIT_FLOAT) args[i].constant = corm_str_of("0.5");
    }
    cql_call call = { keyspace, name, args, arg_count, receiver, false };
    return cql__call_resolve(arena, &call, out, err);
}

corm_status cql__arith_resolve(base_arena *arena, char op, const cql_type *a, const cql_type *b,
                               const cql_function **out, corm_error *err) {
    const cql_type *types[] = { a, b };
    corm_str        none = { NULL, 0 };
    return cql__function_resolve(arena, none, cql__operator_function(op), types, NULL, 2, NULL, out,
                                 err);
}

corm_status cql__negate_resolve(base_arena *arena, const cql_type *a, const cql_function **out,
                                corm_error *err) {
    corm_str none = { NULL, 0 };
    return cql__function_resolve(arena, none, corm_str_of("_negate"), &a, NULL, 1, NULL, out, err);
}
