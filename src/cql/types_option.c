// SPDX-License-Identifier: MIT
/* types_option.c -- CQL types in the protocol's [option] form. Pure; any thread.
 *
 *   [u16 id] then for  custom   [string class]
 *                      list, set [option]          map  [option][option]
 *                      UDT      [string keyspace][string name][u16 n] n x ([string field][option])
 *                      tuple    [u16 n] n x [option] */
#include "base/fail.h"
#include "base/text.h"
#include "cql/types_internal.h"

enum { OLD_TEXT = 0x000A };

static void put_string(base_buf *out, corm_str text) {
    base__buf_u16(out, (uint16_t)text.len);
    base__buf_put_str(out, text);
}

static void put_custom(const cql_type *type, base_buf *out) {
    base__buf_u16(out, CQL_CUSTOM);
    size_t at = out->len;
    base__buf_u16(out, 0);
    cql__type_print_marshal(type, out);
    if (!out->failed) base__store_u16(out->data + at, (uint16_t)(out->len - at - 2));
}

void cql__type_write_option(const cql_type *type, uint8_t version, base_buf *out) {
    bool custom = type->id == CQL_CUSTOM || type->id == CQL_VECTOR || type->id == CQL_EMPTY ||
                  (type->id == CQL_DURATION && version < 5);
    if (custom) {
        put_custom(type, out);
        return;
    }
    base__buf_u16(out, (uint16_t)type->id);
    if (type->id == CQL_UDT) {
        put_string(out, type->keyspace);
        put_string(out, type->name);
    }
    if (type->id == CQL_UDT || type->id == CQL_TUPLE) base__buf_u16(out, (uint16_t)type->count);
    for (uint32_t i = 0; i < type->count; i++) {
        if (type->id == CQL_UDT) put_string(out, type->field_names[i]);
        cql__type_write_option(type->params[i], version, out);
    }
}

typedef struct option_reader {
    base_arena  *arena;
    base_reader *reader;
    corm_error  *err;
    int          depth;
} option_reader;

static corm_status read_option(option_reader *r, const cql_type **out);

static corm_status malformed(option_reader *r) {
    return base__fail(r->err, CORM_PROTOCOL_ERROR, "a type in the metadata is malformed");
}

/* A [string], borrowed from the reader. */
static corm_status read_string(option_reader *r, corm_str *out) {
    corm_bytes bytes = base__read_bytes(r->reader, base__read_u16(r->reader));
    *out = (corm_str){ (const char *)bytes.data, bytes.len };
    return r->reader->failed ? malformed(r) : CORM_OK;
}

/* A [string], copied into the arena. */
static corm_status copy_string(option_reader *r, corm_str *out) {
    CORM_TRY(read_string(r, out));
    *out = base__arena_str(r->arena, *out);
    return out->data ? CORM_OK : base__fail_memory(r->err);
}

/* What a collection or tuple holds is frozen: the wire does not say so. */
static corm_status read_frozen(option_reader *r, const cql_type **out) {
    CORM_TRY(read_option(r, out));
    *out = cql__type_freeze(r->arena, *out);
    return *out ? CORM_OK : base__fail_memory(r->err);
}

static corm_status read_collection(option_reader *r, cql_type_id id, const cql_type **out) {
    const cql_type *items[2];
    CORM_TRY(read_frozen(r, &items[0]));
    if (id == CQL_MAP) {
        CORM_TRY(read_frozen(r, &items[1]));
        *out = cql__type_map(r->arena, items[0], items[1], false);
    } else {
        *out = (id == CQL_SET ? cql__type_set : cql__type_list)(r->arena, items[0], false);
    }
    return *out ? CORM_OK : base__fail_memory(r->err);
}

static corm_status read_fields(option_reader *r, uint32_t count, corm_str *names,
                               const cql_type **types) {
    for (uint32_t i = 0; i < count; i++) {
        if (names) CORM_TRY(copy_string(r, &names[i]));
        CORM_TRY(read_frozen(r, &types[i]));
    }
    return CORM_OK;
}

static corm_status read_tuple(option_reader *r, cql_type_id id, const cql_type **out) {
    corm_str  keyspace = { NULL, 0 };
    corm_str  name = { NULL, 0 };
    corm_str *names = NULL;
    if (id == CQL_UDT) {
        CORM_TRY(copy_string(r, &keyspace));
        CORM_TRY(copy_string(r, &name));
    }
    uint32_t count = base__read_u16(r->reader);
    if (r->reader->failed) return malformed(r);
    const cql_type **types = BASE_NEW_ARRAY(r->arena, const cql_type *, count);
    if (id == CQL_UDT) names = BASE_NEW_ARRAY(r->arena, corm_str, count);
    if (!types || (id == CQL_UDT && !names)) return base__fail_memory(r->err);
    CORM_TRY(read_fields(r, count, names, types));
    *out = id == CQL_UDT ? cql__type_udt(r->arena, keyspace, name, names, types, count, false)
                         : cql__type_tuple(r->arena, types, count);
    return *out ? CORM_OK : base__fail_memory(r->err);
}

static corm_status read_custom(option_reader *r, const cql_type **out) {
    corm_str class;
    CORM_TRY(read_string(r, &class));
    return cql__type_parse_marshal(r->arena, class, out, r->err);
}

static corm_status read_unnested(option_reader *r, const cql_type **out) {
    uint16_t id = base__read_u16(r->reader);
    if (r->reader->failed) return malformed(r);
    switch (id) {
    case CQL_CUSTOM: return read_custom(r, out);
    case CQL_LIST:
    case CQL_SET:
    case CQL_MAP: return read_collection(r, (cql_type_id)id, out);
    case CQL_UDT:
    case CQL_TUPLE: return read_tuple(r, (cql_type_id)id, out);
    default: break;
    }
    *out = id < CQL_VECTOR ? cql__type_native(id == OLD_TEXT ? CQL_TEXT : (cql_type_id)id) : NULL;
    if (*out) return CORM_OK;
    return base__fail(r->err, CORM_PROTOCOL_ERROR, "the metadata has the unknown type 0x%04x", id);
}

static corm_status read_option(option_reader *r, const cql_type **out) {
    if (r->depth == CQL_DEPTH_LIMIT) return malformed(r);
    r->depth++;
    CORM_TRY(read_unnested(r, out));
    r->depth--;
    return CORM_OK;
}

corm_status cql__type_read_option(base_arena *arena, base_reader *reader, const cql_type **out,
                                  corm_error *err) {
    option_reader r = { arena, reader, err, 0 };
    return read_option(&r, out);
}
