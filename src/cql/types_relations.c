// SPDX-License-Identifier: MIT
/* types_relations.c -- questions about one CQL type and about two. Pure; any thread.
 *
 * Whether one type's values serve as another's follows the server's AbstractType: three
 * relations, each looser than the one before: the same, compatible (same values in the same
 * order), and accepting (same values). */
#include "cql/types.h"
#include "cql/types_internal.h"

static bool same_names(const cql_type *a, const cql_type *b) {
    if (!corm_str_equal(a->keyspace, b->keyspace) || !corm_str_equal(a->name, b->name))
        return false;
    if (!a->field_names || !b->field_names) return a->field_names == b->field_names;
    for (uint32_t i = 0; i < a->count; i++) {
        if (!corm_str_equal(a->field_names[i], b->field_names[i])) return false;
    }
    return true;
}

static bool same(const cql_type *a, const cql_type *b, bool with_frozen) {
    if (a == b) return true;
    if (a->id != b->id || a->count != b->count || a->dimension != b->dimension) return false;
    if (with_frozen && a->frozen != b->frozen) return false;
    if (!same_names(a, b)) return false;
    for (uint32_t i = 0; i < a->count; i++) {
        if (!same(a->params[i], b->params[i], with_frozen)) return false;
    }
    return true;
}

bool cql__type_equal(const cql_type *a, const cql_type *b) {
    return same(a, b, true);
}

bool cql__type_same_values(const cql_type *a, const cql_type *b) {
    return same(a, b, false);
}

typedef struct id_pair {
    cql_type_id to;
    cql_type_id from;
} id_pair;

static bool is_pair_of(const id_pair *pairs, size_t count, const cql_type *to,
                       const cql_type *from) {
    for (size_t i = 0; i < count; i++) {
        if (pairs[i].to == to->id && pairs[i].from == from->id) return true;
    }
    return false;
}

static bool is_tuple(const cql_type *type) {
    return type->id == CQL_TUPLE || type->id == CQL_UDT;
}

static bool compatible(const cql_type *to, const cql_type *from);

typedef bool (*relation)(const cql_type *to, const cql_type *from);

/* Whether the first fields of `to` stand in the relation to all fields of `from`. */
static bool fields_are(relation holds, const cql_type *to, const cql_type *from) {
    if (to->count < from->count) return false;
    for (uint32_t i = 0; i < from->count; i++) {
        if (!holds(to->params[i], from->params[i])) return false;
    }
    return true;
}

static bool keeps_size(const cql_type *to, const cql_type *from) {
    return cql__type_accepts(to, from) &&
           cql__vector_item_size(to) == cql__vector_item_size(from) &&
           cql__type_is_multicell(to) == cql__type_is_multicell(from);
}

static bool collection_compatible(const cql_type *to, const cql_type *from) {
    if (to->id != from->id || to->frozen != from->frozen) return false;
    if (to->frozen || to->id == CQL_SET) return fields_are(compatible, to, from);
    uint32_t value = to->id == CQL_MAP ? 1 : 0;
    if (value == 1 && !compatible(to->params[0], from->params[0])) return false;
    return keeps_size(to->params[value], from->params[value]);
}

static bool compatible(const cql_type *to, const cql_type *from) {
    static const id_pair pairs[] = {
        { CQL_TEXT, CQL_ASCII },
        { CQL_BLOB, CQL_ASCII },
        { CQL_BLOB, CQL_TEXT },
    };
    if (cql__type_equal(to, from)) return true;
    if (cql__type_is_collection(to)) return collection_compatible(to, from);
    if (is_tuple(to)) return is_tuple(from) && fields_are(compatible, to, from);
    return is_pair_of(pairs, sizeof pairs / sizeof *pairs, to, from);
}

static bool collection_accepts(const cql_type *to, const cql_type *from) {
    if (to->id != from->id || to->frozen != from->frozen) return false;
    if (!to->frozen || to->id == CQL_SET) return collection_compatible(to, from);
    if (to->id == CQL_LIST) return cql__type_accepts(to->params[0], from->params[0]);
    return compatible(to->params[0], from->params[0]) &&
           cql__type_accepts(to->params[1], from->params[1]);
}

bool cql__type_accepts(const cql_type *to, const cql_type *from) {
    static const id_pair pairs[] = {
        { CQL_TEXT, CQL_ASCII },    { CQL_BIGINT, CQL_TIMESTAMP }, { CQL_TIMESTAMP, CQL_BIGINT },
        { CQL_VARINT, CQL_INT },    { CQL_VARINT, CQL_BIGINT },    { CQL_VARINT, CQL_TIMESTAMP },
        { CQL_UUID, CQL_TIMEUUID }, { CQL_DATE, CQL_INT },         { CQL_TIME, CQL_BIGINT },
    };
    if (to->id == CQL_BLOB || cql__type_equal(to, from)) return true;
    if (cql__type_is_collection(to)) return collection_accepts(to, from);
    if (to->id == CQL_TUPLE) return is_tuple(from) && fields_are(cql__type_accepts, to, from);
    if (to->id == CQL_UDT) {
        return from->id == CQL_UDT && to->frozen == from->frozen &&
               corm_str_equal(to->keyspace, from->keyspace) && fields_are(compatible, to, from);
    }
    return is_pair_of(pairs, sizeof pairs / sizeof *pairs, to, from);
}

bool cql__type_is_collection(const cql_type *type) {
    return type->id == CQL_LIST || type->id == CQL_SET || type->id == CQL_MAP;
}

bool cql__type_is_multicell(const cql_type *type) {
    return !type->frozen && (cql__type_is_collection(type) || type->id == CQL_UDT);
}

bool cql__type_is_numeric(const cql_type *type) {
    switch (type->id) {
    case CQL_TINYINT:
    case CQL_SMALLINT:
    case CQL_INT:
    case CQL_BIGINT:
    case CQL_COUNTER:
    case CQL_VARINT:
    case CQL_DECIMAL:
    case CQL_FLOAT:
    case CQL_DOUBLE: return true;
    default: return false;
    }
}

bool cql__type_has_duration(const cql_type *type) {
    if (type->id == CQL_DURATION) return true;
    if (type->id == CQL_VECTOR) return false;
    for (uint32_t i = 0; i < type->count; i++) {
        if (cql__type_has_duration(type->params[i])) return true;
    }
    return false;
}

bool cql__type_mentions_udt(const cql_type *type, corm_str keyspace, corm_str name) {
    if (type->id == CQL_UDT && corm_str_equal(type->keyspace, keyspace) &&
        corm_str_equal(type->name, name)) {
        return true;
    }
    for (uint32_t i = 0; i < type->count; i++) {
        if (cql__type_mentions_udt(type->params[i], keyspace, name)) return true;
    }
    return false;
}

uint32_t cql__type_fixed_size(const cql_type *type) {
    switch (type->id) {
#define FIXED_SIZE(name, id, cql, size, marshal)                                                   \
    case CQL_##name: return (size) > 0 ? (size) : cql__vector_item_size(type);
        CQL_TYPE_MAP(FIXED_SIZE)
#undef FIXED_SIZE
    }
    return 0;
}

/* Vectors of smaller types were first written with a length before each item, and stay so. */
uint32_t cql__vector_item_size(const cql_type *type) {
    switch (type->id) {
    case CQL_BOOLEAN: return 1;
    case CQL_INT:
    case CQL_FLOAT: return 4;
    case CQL_BIGINT:
    case CQL_DOUBLE:
    case CQL_TIMESTAMP: return 8;
    case CQL_UUID:
    case CQL_TIMEUUID: return 16;
    case CQL_VECTOR: {
        uint64_t size = (uint64_t)cql__vector_item_size(type->params[0]) * type->dimension;
        return size <= INT32_MAX ? (uint32_t)size : 0;
    }
    default: return 0;
    }
}
