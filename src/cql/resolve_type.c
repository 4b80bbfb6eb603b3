// SPDX-License-Identifier: MIT
/* resolve_type.c -- from a type as it is written to a type of the schema. Pure; any thread.
 *
 * A written type is frozen when frozen<> stands around it, or around a collection or tuple that
 * holds it. Tuples freeze what they hold; vectors are one value but leave what they hold
 * as it is. */
#include "cql/resolve_type.h"

#include "base/fail.h"
#include "base/text.h"
#include "cql/parser.h"
#include "cql/schema_build.h"

typedef struct resolver {
    const cql_schema *schema;
    corm_str          keyspace;
    base_arena       *arena;
    corm_error       *err;
} resolver;

typedef enum type_shape { NATIVE, CLASS, UDT, LIST, SET, MAP, TUPLE, VECTOR, FROZEN } type_shape;

static type_shape shape_of(const cql_type_ast *ast) {
    static const struct {
        const char *name;
        type_shape  shape;
    } shapes[] = { { "list", LIST },   { "set", SET },       { "map", MAP },
                   { "tuple", TUPLE }, { "vector", VECTOR }, { "frozen", FROZEN } };
    if (ast->is_class) return CLASS;
    if (ast->is_quoted || ast->name.keyspace.text.data) return UDT;
    if (ast->count == 0) return cql__type_native_named(ast->name.name.text) ? NATIVE : UDT;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        if (corm_str_equal(ast->name.name.text, corm_str_of(shapes[i].name)))
            return shapes[i].shape;
    }
    return UDT;
}

static bool can_freeze(type_shape shape) {
    return shape != NATIVE && shape != CLASS;
}

static bool is_collection(type_shape shape) {
    return shape == LIST || shape == SET || shape == MAP;
}

static const cql_type_ast *unwrapped(const cql_type_ast *ast) {
    while (shape_of(ast) == FROZEN) ast = ast->params[0];
    return ast;
}

static bool is_native(const cql_type_ast *ast, cql_type_id id) {
    if (shape_of(ast) != NATIVE) return false;
    return cql__type_native_named(ast->name.name.text)->id == id;
}

bool cql__written_counter(const cql_type_ast *ast) {
    return is_native(ast, CQL_COUNTER);
}

bool cql__written_open_udt(const cql_type_ast *ast) {
    return shape_of(ast) == UDT;
}

/* ---- printing ---- */

static void put_written(const cql_type_ast *ast, bool frozen, corm_str keyspace, base_buf *out);

static void put_params(const cql_type_ast *ast, bool frozen, corm_str keyspace, base_buf *out) {
    base__buf_put_str(out, ast->name.name.text);
    base__buf_u8(out, '<');
    for (uint32_t i = 0; i < ast->count; i++) {
        if (i > 0) base__buf_puts(out, ", ");
        put_written(ast->params[i], frozen, keyspace, out);
    }
    if (shape_of(ast) == VECTOR) base__buf_printf(out, ", %d", (int)(int32_t)ast->dimension);
    base__buf_u8(out, '>');
}

static void put_simple(const cql_type_ast *ast, corm_str keyspace, base_buf *out) {
    if (ast->is_class) {
        base__buf_printf(out, "'%.*s'", CQL_S(ast->name.name.text));
        return;
    }
    corm_str prefix = ast->name.keyspace.text;
    if (!prefix.data && shape_of(ast) == UDT) prefix = keyspace;
    if (prefix.len > 0) base__buf_printf(out, "%.*s.", CQL_S(prefix));
    base__buf_put_str(out, ast->name.name.text);
}

static void put_written(const cql_type_ast *ast, bool frozen, corm_str keyspace, base_buf *out) {
    type_shape shape = shape_of(ast);
    bool       marked = frozen && (is_collection(shape) || shape == UDT);
    if (shape == FROZEN) {
        put_written(ast->params[0], true, keyspace, out);
        return;
    }
    if (marked) base__buf_puts(out, "frozen<");
    if (ast->count == 0)
        put_simple(ast, keyspace, out);
    else
        put_params(ast, shape == TUPLE || (frozen && shape != VECTOR), keyspace, out);
    if (marked) base__buf_u8(out, '>');
}

void cql__put_written_type(const cql_type_ast *ast, corm_str keyspace, base_buf *out) {
    put_written(ast, false, keyspace, out);
}

/* "text: " and the type. */
static corm_status fail_with_type(corm_error *err, corm_status status, const char *format,
                                  const cql_type_ast *ast, bool frozen) {
    base_buf text = { 0 };
    put_written(ast, frozen, (corm_str){ NULL, 0 }, &text);
    const char *shown = base__buf_cstr(&text);
    status = shown ? base__fail(err, status, format, shown) : base__fail_memory(err);
    base__buf_free(&text);
    return status;
}

/* ---- what is found while reading ---- */

/* Classes of the server that are no CQL type: their values are opaque. */
static bool is_opaque_class(corm_str class) {
    static const char *const names[] = { "CompositeType",      "DynamicCompositeType",
                                         "LexicalUUIDType",    "PartitionerDefinedOrder",
                                         "LegacyTimeUUIDType", "EmptyType" };
    corm_str                 package = corm_str_of("org.apache.cassandra.db.marshal.");
    if (base__str_has_prefix(class, package))
        class = (corm_str){ class.data + package.len, class.len - package.len };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t len = strlen(names[i]);
        if (base__str_has_prefix(class, corm_str_of(names[i])) &&
            (class.len == len || class.data[len] == '(')) {
            return true;
        }
    }
    return false;
}

static corm_status parse_class(const cql_type_ast *ast, base_arena *arena, const cql_type **out,
                               corm_error *err) {
    corm_str   text = ast->name.name.text;
    corm_error why;
    if (text.len == 0) {
        *out = cql__type_native(CQL_BLOB);
        return CORM_OK;
    }
    if (cql__type_parse_marshal(arena, text, out, &why) != CORM_OK) {
        if (why.status == CORM_NO_MEMORY) return base__fail_memory(err);
        return base__fail(err, CORM_SYNTAX_ERROR, "Cannot parse type %.*s: %.500s", CQL_S(text),
                          why.message);
    }
    if ((*out)->id != CQL_CUSTOM || is_opaque_class(text)) return CORM_OK;
    const char *package =
        memchr(text.data, '.', text.len) ? "" : "org.apache.cassandra.db.marshal.";
    return base__fail(err, CORM_SYNTAX_ERROR,
                      "Error setting type %.*s: Unable to find abstract-type class '%s%.*s'",
                      CQL_S(text), package, CQL_S(text));
}

corm_status cql__check_written_type(const cql_type_ast *ast, base_arena *arena, corm_error *err) {
    const cql_type *type;
    if (ast->is_class) return parse_class(ast, arena, &type, err);
    for (uint32_t i = 0; i < ast->count; i++)
        CORM_TRY(cql__check_written_type(ast->params[i], arena, err));
    if (shape_of(ast) != FROZEN || can_freeze(shape_of(unwrapped(ast)))) return CORM_OK;
    return fail_with_type(
        err, CORM_SYNTAX_ERROR,
        "frozen<> is only allowed on collections, tuples, and user-defined types (got %s)",
        unwrapped(ast), false);
}

/* ---- resolving ---- */

static corm_status resolve(resolver *r, const cql_type_ast *ast, bool frozen, const cql_type **out);

static corm_status made(resolver *r, const cql_type *type, const cql_type **out) {
    if (!type) return base__fail_memory(r->err);
    *out = type;
    return CORM_OK;
}

/* Whether the element of an unfrozen collection would be one of many cells itself. */
static bool is_open(const cql_type_ast *element) {
    type_shape shape = shape_of(element);
    return is_collection(shape) || shape == UDT;
}

static corm_status refuse_open(resolver *r, const cql_type_ast *ast, const cql_type_ast *element) {
    return fail_with_type(r->err, CORM_INVALID,
                          shape_of(element) == UDT
                              ? "Non-frozen UDTs are not allowed inside collections: %s"
                              : "Non-frozen collections are not allowed inside collections: %s",
                          ast, false);
}

static corm_status check_collection(resolver *r, const cql_type_ast *ast, bool frozen) {
    const cql_type_ast *key = shape_of(ast) == MAP ? ast->params[0] : NULL;
    const cql_type_ast *value = ast->params[ast->count - 1];
    if (!frozen && is_open(value)) return refuse_open(r, ast, value);
    if (cql__written_counter(value) || (key && cql__written_counter(key))) {
        return fail_with_type(r->err, CORM_INVALID,
                              "Counters are not allowed inside collections: %s", ast, frozen);
    }
    if (shape_of(ast) == SET && is_native(value, CQL_DURATION)) {
        return fail_with_type(r->err, CORM_INVALID, "Durations are not allowed inside sets: %s",
                              ast, frozen);
    }
    if (!key) return CORM_OK;
    if (is_native(key, CQL_DURATION)) {
        return fail_with_type(r->err, CORM_INVALID, "Durations are not allowed as map keys: %s",
                              ast, frozen);
    }
    return !frozen && is_open(key) ? refuse_open(r, ast, key) : CORM_OK;
}

static corm_status resolve_collection(resolver *r, const cql_type_ast *ast, bool frozen,
                                      const cql_type **out) {
    CORM_TRY(check_collection(r, ast, frozen));
    const cql_type *key = NULL;
    const cql_type *value = NULL;
    CORM_TRY(resolve(r, ast->params[ast->count - 1], frozen, &value));
    if (shape_of(ast) == LIST) return made(r, cql__type_list(r->arena, value, frozen), out);
    if (shape_of(ast) == SET) return made(r, cql__type_set(r->arena, value, frozen), out);
    CORM_TRY(resolve(r, ast->params[0], frozen, &key));
    return made(r, cql__type_map(r->arena, key, value, frozen), out);
}

static corm_status resolve_tuple(resolver *r, const cql_type_ast *ast, const cql_type **out) {
    const cql_type **items = BASE_NEW_ARRAY(r->arena, const cql_type *, ast->count);
    if (!items) return base__fail_memory(r->err);
    for (uint32_t i = 0; i < ast->count; i++) {
        if (cql__written_counter(ast->params[i])) {
            return base__fail(r->err, CORM_INVALID, "Counters are not allowed inside tuples");
        }
        CORM_TRY(resolve(r, ast->params[i], true, &items[i]));
    }
    return made(r, cql__type_tuple(r->arena, items, ast->count), out);
}

static corm_status resolve_vector(resolver *r, const cql_type_ast *ast, const cql_type **out) {
    const cql_type *element = NULL;
    CORM_TRY(resolve(r, ast->params[0], false, &element));
    if ((int32_t)ast->dimension <= 0) {
        return base__fail(r->err, CORM_INVALID,
                          "vectors may only have positive dimensions; given %d",
                          (int)(int32_t)ast->dimension);
    }
    return made(r, cql__type_vector(r->arena, element, ast->dimension), out);
}

static corm_status resolve_udt(resolver *r, const cql_type_ast *ast, bool frozen,
                               const cql_type **out) {
    corm_str keyspace = ast->name.keyspace.text;
    corm_str name = ast->name.name.text;
    if (keyspace.data && !corm_str_equal(keyspace, r->keyspace)) {
        return base__fail(r->err, CORM_INVALID,
                          "Statement on keyspace %.*s cannot refer to a user type in keyspace "
                          "%.*s; user types can only be used in the keyspace they are defined in",
                          CQL_S(r->keyspace), CQL_S(keyspace));
    }
    const cql_udt *udt = cql__schema_type(r->schema, r->keyspace, name);
    if (!udt) {
        return base__fail(r->err, CORM_INVALID, "Unknown type %.*s.%.*s", CQL_S(r->keyspace),
                          CQL_S(name));
    }
    return made(r, frozen ? cql__type_freeze(r->arena, udt->type) : udt->type, out);
}

static corm_status resolve(resolver *r, const cql_type_ast *ast, bool frozen,
                           const cql_type **out) {
    switch (shape_of(ast)) {
    case NATIVE: return made(r, cql__type_native_named(ast->name.name.text), out);
    case CLASS: return parse_class(ast, r->arena, out, r->err);
    case UDT: return resolve_udt(r, ast, frozen, out);
    case LIST:
    case SET:
    case MAP: return resolve_collection(r, ast, frozen, out);
    case TUPLE: return resolve_tuple(r, ast, out);
    case VECTOR: return resolve_vector(r, ast, out);
    case FROZEN: break;
    }
    return resolve(r, ast->params[0], true, out);
}

corm_status cql__resolve_type(const cql_schema *schema, corm_str keyspace, const cql_type_ast *ast,
                              base_arena *arena, const cql_type **out, corm_error *err) {
    resolver r = { schema, keyspace, arena, err };
    CORM_TRY(cql__check_written_type(ast, arena, err));
    return resolve(&r, ast, false, out);
}
