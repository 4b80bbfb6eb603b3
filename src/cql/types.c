// SPDX-License-Identifier: MIT
/* types.c -- CQL types: the table of native types, makers, freezing, copying.
 *
 * A type is an immutable tree. Types without parameters are static and shared; all others live
 * in the arena that they were made in. Pure; any thread. */
#include "cql/types.h"

#include "base/text.h"

/* Rows of native_types[] in the order of CQL_TYPE_MAP, to find them by id. */
#define NATIVE_TYPE(type_name, type_id, cql, size, marshal) { .id = CQL_##type_name },
static const cql_type native_types[] = { CQL_TYPE_MAP(NATIVE_TYPE) };
#undef NATIVE_TYPE

typedef struct native_name {
    const char *name;
    size_t      row; /* of native_types */
} native_name;

enum {
#define NATIVE_ROW(type_name, type_id, cql, size, marshal) ROW_##type_name,
    CQL_TYPE_MAP(NATIVE_ROW)
#undef NATIVE_ROW
        ROWS
};

static bool has_parameters(cql_type_id id) {
    return id == CQL_LIST || id == CQL_SET || id == CQL_MAP || id == CQL_TUPLE || id == CQL_UDT ||
           id == CQL_VECTOR || id == CQL_CUSTOM;
}

const cql_type *cql__type_native(cql_type_id id) {
    if (has_parameters(id)) return NULL;
    for (size_t i = 0; i < ROWS; i++) {
        if (native_types[i].id == id) return &native_types[i];
    }
    return NULL;
}

const cql_type *cql__type_native_named(corm_str name) {
#define NATIVE_NAME(type_name, type_id, cql, size, marshal) { cql, ROW_##type_name },
    static const native_name names[] = { CQL_TYPE_MAP(NATIVE_NAME){ "varchar", ROW_TEXT } };
#undef NATIVE_NAME
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const cql_type *type = &native_types[names[i].row];
        if (has_parameters(type->id) || type->id == CQL_EMPTY) continue;
        if (base__str_equal_nocase(name, corm_str_of(names[i].name))) return type;
    }
    return NULL;
}

/* A type with room for `count` parameters behind it, which the caller fills through *params. */
static cql_type *make(base_arena *arena, cql_type_id id, uint32_t count, const cql_type ***params) {
    cql_type *type = BASE_NEW(arena, cql_type);
    if (!type) return NULL;
    type->id = id;
    type->count = count;
    *params = BASE_NEW_ARRAY(arena, const cql_type *, count);
    if (!*params) return NULL;
    type->params = *params;
    return type;
}

/* `type`, or the same frozen; NULL passes through. */
static const cql_type *freeze_if(base_arena *arena, const cql_type *type, bool frozen) {
    return frozen && type ? cql__type_freeze(arena, type) : type;
}

static const cql_type *make_collection(base_arena *arena, cql_type_id id,
                                       const cql_type *const *items, uint32_t count, bool frozen) {
    const cql_type **params;
    cql_type        *type = make(arena, id, count, &params);
    if (!type) return NULL;
    type->frozen = frozen;
    for (uint32_t i = 0; i < count; i++) {
        params[i] = freeze_if(arena, items[i], frozen);
        if (!params[i]) return NULL;
    }
    return type;
}

const cql_type *cql__type_list(base_arena *arena, const cql_type *element, bool frozen) {
    return make_collection(arena, CQL_LIST, &element, 1, frozen);
}

const cql_type *cql__type_set(base_arena *arena, const cql_type *element, bool frozen) {
    return make_collection(arena, CQL_SET, &element, 1, frozen);
}

const cql_type *cql__type_map(base_arena *arena, const cql_type *key, const cql_type *value,
                              bool frozen) {
    return make_collection(arena, CQL_MAP, (const cql_type *const[]){ key, value }, 2, frozen);
}

const cql_type *cql__type_tuple(base_arena *arena, const cql_type *const *items, uint32_t count) {
    return make_collection(arena, CQL_TUPLE, items, count, true);
}

const cql_type *cql__type_vector(base_arena *arena, const cql_type *element, uint32_t dimension) {
    cql_type *type = (cql_type *)make_collection(arena, CQL_VECTOR, &element, 1, true);
    if (type) type->dimension = dimension;
    return type;
}

const cql_type *cql__type_udt(base_arena *arena, corm_str keyspace, corm_str name,
                              const corm_str *field_names, const cql_type *const *field_types,
                              uint32_t count, bool frozen) {
    cql_type *type = (cql_type *)make_collection(arena, CQL_UDT, field_types, count, frozen);
    if (!type) return NULL;
    type->keyspace = keyspace;
    type->name = name;
    type->field_names = field_names;
    return type;
}

/* A user-defined type may be known by its name alone, without fields. */
static bool is_frozen_throughout(const cql_type *type) {
    if ((type->count > 0 || type->id == CQL_UDT) && !type->frozen) return false;
    for (uint32_t i = 0; i < type->count; i++) {
        if (!is_frozen_throughout(type->params[i])) return false;
    }
    return true;
}

const cql_type *cql__type_freeze(base_arena *arena, const cql_type *type) {
    if (is_frozen_throughout(type)) return type;
    const cql_type **params;
    cql_type        *copy = make(arena, type->id, type->count, &params);
    if (!copy) return NULL;
    *copy = *type;
    copy->params = params;
    copy->frozen = true;
    for (uint32_t i = 0; i < type->count; i++) {
        params[i] = cql__type_freeze(arena, type->params[i]);
        if (!params[i]) return NULL;
    }
    return copy;
}

static bool copy_str(base_arena *arena, corm_str *text) {
    if (!text->data) return true;
    *text = base__arena_str(arena, *text);
    return text->data != NULL;
}

static bool copy_field_names(base_arena *arena, cql_type *type) {
    if (!type->field_names) return true;
    corm_str *names = BASE_NEW_ARRAY(arena, corm_str, type->count);
    if (!names) return false;
    for (uint32_t i = 0; i < type->count; i++) {
        names[i] = type->field_names[i];
        if (!copy_str(arena, &names[i])) return false;
    }
    type->field_names = names;
    return true;
}

const cql_type *cql__type_copy(base_arena *arena, const cql_type *type) {
    if (!has_parameters(type->id)) return cql__type_native(type->id);
    const cql_type **params;
    cql_type        *copy = make(arena, type->id, type->count, &params);
    if (!copy) return NULL;
    *copy = *type;
    copy->params = params;
    if (!copy_str(arena, &copy->keyspace) || !copy_str(arena, &copy->name)) return NULL;
    if (!copy_field_names(arena, copy)) return NULL;
    for (uint32_t i = 0; i < type->count; i++) {
        params[i] = cql__type_copy(arena, type->params[i]);
        if (!params[i]) return NULL;
    }
    return copy;
}
