// SPDX-License-Identifier: MIT
/* types_print.c -- CQL types as text: the CQL form and the class form. Pure; any thread. */
#include "base/text.h"
#include "cql/types_internal.h"

#define MARSHAL "org.apache.cassandra.db.marshal."

typedef struct type_names {
    const char *cql;
    const char *marshal;
} type_names;

static type_names names_of(cql_type_id id) {
    switch (id) {
#define NAMES(name, number, cql, size, marshal)                                                    \
    case CQL_##name: return (type_names){ cql, MARSHAL marshal };
        CQL_TYPE_MAP(NAMES)
#undef NAMES
    }
    return (type_names){ "custom", MARSHAL };
}

static void put_params(const cql_type *type, base_buf *out) {
    for (uint32_t i = 0; i < type->count; i++) {
        if (i > 0) base__buf_puts(out, ", ");
        cql__type_print(type->params[i], out);
    }
}

static void put_unfrozen(const cql_type *type, base_buf *out) {
    switch (type->id) {
    case CQL_UDT: cql__put_name(out, type->name); return;
    case CQL_CUSTOM:
        base__buf_u8(out, '\'');
        base__buf_put_str(out, type->name);
        base__buf_u8(out, '\'');
        return;
    default: break;
    }
    base__buf_puts(out, names_of(type->id).cql);
    if (type->count == 0 && type->id != CQL_TUPLE) return;
    base__buf_u8(out, '<');
    put_params(type, out);
    if (type->id == CQL_VECTOR) base__buf_printf(out, ", %u", type->dimension);
    base__buf_u8(out, '>');
}

void cql__type_print(const cql_type *type, base_buf *out) {
    bool frozen = type->frozen && type->id != CQL_VECTOR;
    if (frozen) base__buf_puts(out, "frozen<");
    put_unfrozen(type, out);
    if (frozen) base__buf_u8(out, '>');
}

static void put_marshal(const cql_type *type, bool inside_frozen, base_buf *out);

static void put_hex_of(corm_str text, base_buf *out) {
    base__put_hex(out, (corm_bytes){ (const uint8_t *)text.data, text.len });
}

static void put_udt_params(const cql_type *type, bool inside_frozen, base_buf *out) {
    base__buf_put_str(out, type->keyspace);
    base__buf_u8(out, ',');
    put_hex_of(type->name, out);
    for (uint32_t i = 0; i < type->count; i++) {
        base__buf_u8(out, ',');
        put_hex_of(type->field_names[i], out);
        base__buf_u8(out, ':');
        put_marshal(type->params[i], inside_frozen, out);
    }
}

static void put_marshal_params(const cql_type *type, bool inside_frozen, base_buf *out) {
    if (type->id == CQL_UDT) {
        put_udt_params(type, inside_frozen, out);
        return;
    }
    for (uint32_t i = 0; i < type->count; i++) {
        if (i > 0) base__buf_u8(out, ',');
        put_marshal(type->params[i], inside_frozen, out);
    }
    if (type->id == CQL_VECTOR) base__buf_printf(out, " , %u", type->dimension);
}

/* Within a frozen type nothing is marked as frozen again; a tuple freezes without a mark of its
 * own, a vector does not count. */
static void put_marshal(const cql_type *type, bool inside_frozen, base_buf *out) {
    if (type->id == CQL_CUSTOM) {
        base__buf_put_str(out, type->name);
        return;
    }
    bool marked = type->frozen && !inside_frozen && type->id != CQL_TUPLE && type->id != CQL_VECTOR;
    if (marked) base__buf_puts(out, MARSHAL "FrozenType(");
    base__buf_puts(out, names_of(type->id).marshal);
    if (type->count > 0 || type->id == CQL_TUPLE || type->id == CQL_UDT) {
        base__buf_u8(out, '(');
        bool freezes = type->frozen && type->id != CQL_VECTOR;
        put_marshal_params(type, inside_frozen || freezes, out);
        base__buf_u8(out, ')');
    }
    if (marked) base__buf_u8(out, ')');
}

void cql__type_print_marshal(const cql_type *type, base_buf *out) {
    put_marshal(type, false, out);
}
