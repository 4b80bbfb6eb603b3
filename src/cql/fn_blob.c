// SPDX-License-Identifier: MIT
/* fn_blob.c -- int_as_blob and blob_as_int and so on for every native type: the bytes stay, their type changes.
 * Pure; any thread. */
#include "base/text.h"
#include "cql/fn.h"

/* Names that only these functions tell apart: varchar is text. */
static const char *const types[] = {
    "ascii",     "bigint",   "boolean", "counter", "date",    "decimal",  "double",
    "duration",  "float",    "inet",    "int",     "text",    "smallint", "time",
    "timestamp", "timeuuid", "tinyint", "uuid",    "varchar", "varint",
};

static corm_status eval_to_blob(const cql_function *function, cql_eval_context *context,
                                const cql_value *args, cql_value *out, corm_error *err) {
    (void)function;
    (void)context;
    (void)err;
    *out = args[0];
    return CORM_OK;
}

static corm_status fail_bytes(const cql_function *function, cql_value value, corm_error *err) {
    const char *type = function->data;
    base_buf    hex = { 0 };
    base__put_hex(&hex, (corm_bytes){ value.data, (size_t)value.len });
    const char *digits = base__buf_cstr(&hex);
    corm_status status =
        digits
            ? base__fail(
                  err, CORM_INVALID,
                  "In call to function system.%.*s, value 0x%s is not a valid binary representation for type "
                  "%s",
                  (int)function->name.len, function->name.data, digits, type)
            : base__fail_memory(err);
    base__buf_free(&hex);
    return status;
}

static corm_status eval_from_blob(const cql_function *function, cql_eval_context *context,
                                  const cql_value *args, cql_value *out, corm_error *err) {
    (void)context;
    *out = args[0];
    if (cql__is_null(args[0]) || cql__validate(function->result, args[0], NULL) == CORM_OK)
        return CORM_OK;
    return fail_bytes(function, args[0], err);
}

static corm_str cut(corm_str text, size_t front, size_t back) {
    return (corm_str){ text.data + front, text.len - front - back };
}

static bool has_suffix(corm_str text, corm_str suffix) {
    return text.len >= suffix.len && corm_str_equal(cut(text, text.len - suffix.len, 0), suffix);
}

/* The type's name if the text is one. */
static const char *find_type(corm_str text) {
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (corm_str_equal(corm_str_of(types[i]), text)) return types[i];
    }
    return NULL;
}

static void add_to_blob(cql_fn_list *list, corm_str name) {
    const char     *found = find_type(name);
    const cql_type *type = found ? cql__type_native_named(corm_str_of(found)) : NULL;
    if (type) cql__fn_add(list, eval_to_blob, cql__type_native(CQL_BLOB), 1, &type);
}

static void add_from_blob(cql_fn_list *list, corm_str name) {
    const char     *found = find_type(name);
    const cql_type *blob = cql__type_native(CQL_BLOB);
    if (!found) return;
    cql_function *function =
        cql__fn_add(list, eval_from_blob, cql__type_native_named(corm_str_of(found)), 1, &blob);
    if (function) function->data = found;
}

void cql__fn_blob(cql_fn_list *list) {
    static const char *const to[] = { "_as_blob", "asblob" };
    static const char *const from[] = { "blob_as_", "blobas" };
    for (size_t i = 0; i < 2; i++) {
        corm_str suffix = corm_str_of(to[i]), prefix = corm_str_of(from[i]);
        if (has_suffix(list->name, suffix)) add_to_blob(list, cut(list->name, 0, suffix.len));
        if (base__str_has_prefix(list->name, prefix))
            add_from_blob(list, cut(list->name, prefix.len, 0));
    }
}
