// SPDX-License-Identifier: MIT
/* compare.c -- the server's order of values. Pure; any thread.
 *
 * Values that are not of their type (no caller should have any) are compared by bytes. */
#include "cql/codec.h"
#include "cql/numbers.h"
#include "cql/types_internal.h"
#include "cql/uuid_order.h"

static int compare_bytes(cql_value a, cql_value b) {
    size_t both = (size_t)(a.len < b.len ? a.len : b.len);
    int    order = both > 0 ? memcmp(a.data, b.data, both) : 0;
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static int compare_signed(cql_value a, cql_value b) {
    int order = (int8_t)a.data[0] - (int8_t)b.data[0];
    return order != 0 ? order : compare_bytes(a, b);
}

static int compare_u64(uint64_t a, uint64_t b) {
    return (a > b) - (a < b);
}

static int compare_boolean(cql_value a, cql_value b) {
    return (a.data[0] != 0) - (b.data[0] != 0);
}

/* Java's order: -0.0 before 0.0, NaN after everything. */
static int compare_doubles(double a, double b) {
    if (a < b) return -1;
    if (a > b) return 1;
    if (a == b && a != 0) return 0;
    bool a_nan = a != a;
    bool b_nan = b != b;
    if (a_nan || b_nan) return a_nan - b_nan;
    return (1 / a > 0) - (1 / b > 0);
}

static int compare_double(cql_value a, cql_value b) {
    uint64_t x = base__load_u64(a.data);
    uint64_t y = base__load_u64(b.data);
    double   v, w;
    memcpy(&v, &x, sizeof v);
    memcpy(&w, &y, sizeof w);
    return compare_doubles(v, w);
}

static int compare_float(cql_value a, cql_value b) {
    uint32_t x = base__load_u32(a.data);
    uint32_t y = base__load_u32(b.data);
    float    v, w;
    memcpy(&v, &x, sizeof v);
    memcpy(&w, &y, sizeof w);
    return compare_doubles((double)v, (double)w);
}

static int compare_uuid(cql_value a, cql_value b) {
    int order = compare_u64(cql__uuid_order_high(a.data), cql__uuid_order_high(b.data));
    return order != 0 ? order : compare_u64(base__load_u64(a.data + 8), base__load_u64(b.data + 8));
}

static int compare_timeuuid(cql_value a, cql_value b) {
    int order = compare_u64(cql__timeuuid_order_high(a.data), cql__timeuuid_order_high(b.data));
    if (order != 0) return order;
    return compare_u64(cql__timeuuid_order_low(a.data), cql__timeuuid_order_low(b.data));
}

/* Types whose values have one size, and how two values of that size compare. */
static int compare_fixed(int32_t size, int (*compare)(cql_value, cql_value), cql_value a,
                         cql_value b) {
    return a.len == size && b.len == size ? compare(a, b) : compare_bytes(a, b);
}

static int compare_item(const cql_type *type, cql_value a, cql_value b) {
    if (a.len < 0 || b.len < 0) return (a.len >= 0) - (b.len >= 0);
    return cql__compare(type, a, b);
}

/* Value by value; where one ends, the shorter comes first. Components that are missing at a
 * tuple's end are null. */
static int compare_walk(const cql_type *type, cql_value a, cql_value b) {
    cql_walk x, y;
    if (cql__walk_begin(&x, type, a, NULL) != CORM_OK ||
        cql__walk_begin(&y, type, b, NULL) != CORM_OK) {
        return compare_bytes(a, b);
    }
    cql_value v, w;
    for (uint32_t i = 0; cql__walk_next(&x, &v) && cql__walk_next(&y, &w); i++) {
        int order = compare_item(cql__item_type(type, i), v, w);
        if (order != 0) return order;
    }
    return (x.count > y.count) - (x.count < y.count);
}

int cql__compare(const cql_type *type, cql_value a, cql_value b) {
    if (a.len <= 0 || b.len <= 0) return (a.len > b.len) - (a.len < b.len);
    switch (type->id) {
    case CQL_TINYINT:
    case CQL_SMALLINT:
    case CQL_INT:
    case CQL_BIGINT:
    case CQL_COUNTER:
    case CQL_TIMESTAMP: return compare_signed(a, b);
    case CQL_VARINT: return cql__varint_compare(a, b);
    case CQL_DECIMAL: return cql__decimal_compare(a, b);
    case CQL_BOOLEAN: return compare_boolean(a, b);
    case CQL_DOUBLE: return compare_fixed(8, compare_double, a, b);
    case CQL_FLOAT: return compare_fixed(4, compare_float, a, b);
    case CQL_UUID: return compare_fixed(16, compare_uuid, a, b);
    case CQL_TIMEUUID: return compare_fixed(16, compare_timeuuid, a, b);
    case CQL_LIST:
    case CQL_SET:
    case CQL_MAP:
    case CQL_TUPLE:
    case CQL_UDT:
    case CQL_VECTOR: return compare_walk(type, a, b);
    case CQL_EMPTY: return 0;
    default: return compare_bytes(a, b);
    }
}
