// SPDX-License-Identifier: MIT
/* decode.c -- C values from wire bytes. Pure; any thread.
 *
 * Text, blobs and long varints are borrowed from the bytes; items of collections live in the
 * caller's arena. */
#include "base/fail.h"
#include "cql/bigint.h"
#include "cql/codec.h"
#include "cql/types_internal.h"
#include "cql/vint.h"

static corm_status corrupt(const cql_type *type, cql_value value, corm_error *err) {
    base_buf name = { 0 };
    cql__type_print(type, &name);
    const char *text = base__buf_cstr(&name);
    corm_status status = base__fail(err, CORM_CORRUPT, "%d bytes are not a value of type %s",
                                    (int)value.len, text ? text : "");
    base__buf_free(&name);
    return status;
}

static corm_varint varint_of(const uint8_t *data, size_t len) {
    corm_bytes  bytes = cql__bigint_trim(data, len);
    corm_varint out = { .length = (uint32_t)bytes.len };
    if (bytes.len > sizeof out.small) {
        out.large = bytes.data;
    } else if (bytes.len > 0) {
        memcpy(out.small, bytes.data, bytes.len);
    } else {
        out.length = 1; /* no bytes are zero */
    }
    return out;
}

static double load_double(const uint8_t *p) {
    uint64_t bits = base__load_u64(p);
    double   v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

static float load_float(const uint8_t *p) {
    uint32_t bits = base__load_u32(p);
    float    v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

static bool decode_duration(cql_value value, corm_value *out) {
    base_reader reader = { .data = value.data, .len = (size_t)value.len };
    int64_t     months = cql__read_vint(&reader);
    int64_t     days = cql__read_vint(&reader);
    out->kind = CORM_DURATION;
    out->as.duration.ns = cql__read_vint(&reader);
    out->as.duration.days = (int32_t)days;
    out->as.duration.months = (int32_t)months;
    return !reader.failed && months == (int32_t)months && days == (int32_t)days;
}

static bool decode_inet(cql_value value, corm_value *out) {
    if (value.len != 4 && value.len != 16) return false;
    out->kind = CORM_INET;
    out->as.inet.length = (uint8_t)value.len;
    memcpy(out->as.inet.bytes, value.data, (size_t)value.len);
    return true;
}

static bool decode_decimal(cql_value value, corm_value *out) {
    if (value.len < 4) return false;
    out->kind = CORM_DECIMAL;
    out->as.decimal.scale = (int32_t)base__load_u32(value.data);
    out->as.decimal.unscaled = varint_of(value.data + 4, (size_t)value.len - 4);
    return true;
}

static bool decode_small(cql_type_id id, const uint8_t *p, corm_value *out) {
    if (id == CQL_BOOLEAN) {
        out->kind = CORM_BOOLEAN;
        out->as.boolean = p[0] != 0;
    } else {
        out->kind = CORM_TINYINT;
        out->as.i8 = (int8_t)p[0];
    }
    return true;
}

static bool decode_4(cql_type_id id, const uint8_t *p, corm_value *out) {
    if (id == CQL_INT) {
        out->kind = CORM_INT;
        out->as.i32 = (int32_t)base__load_u32(p);
    } else if (id == CQL_FLOAT) {
        out->kind = CORM_FLOAT;
        out->as.f32 = load_float(p);
    } else {
        out->kind = CORM_DATE;
        out->as.date.days = (int32_t)(base__load_u32(p) ^ UINT32_C(0x80000000));
    }
    return true;
}

static bool decode_8(cql_type_id id, const uint8_t *p, corm_value *out) {
    if (id == CQL_DOUBLE) {
        out->kind = CORM_DOUBLE;
        out->as.f64 = load_double(p);
        return true;
    }
    int64_t v = (int64_t)base__load_u64(p);
    if (id == CQL_TIMESTAMP) {
        out->kind = CORM_TIMESTAMP;
        out->as.timestamp = (corm_timestamp){ v };
    } else if (id == CQL_TIME) {
        out->kind = CORM_TIME;
        out->as.time = (corm_time){ v };
    } else {
        out->kind = CORM_BIGINT;
        out->as.i64 = v;
    }
    return true;
}

static bool decode_uuid(const uint8_t *p, corm_value *out) {
    out->kind = CORM_UUID;
    memcpy(out->as.uuid.bytes, p, 16);
    return true;
}

static bool decode_smallint(const uint8_t *p, corm_value *out) {
    out->kind = CORM_SMALLINT;
    out->as.i16 = (int16_t)base__load_u16(p);
    return true;
}

static bool decode_varint(cql_value value, corm_value *out) {
    out->kind = CORM_VARINT;
    out->as.varint = varint_of(value.data, (size_t)value.len);
    return true;
}

/* False when the bytes are not of the type. The value is not empty. */
static bool decode_scalar(const cql_type *type, cql_value value, corm_value *out) {
    switch (type->id) {
    case CQL_BOOLEAN:
    case CQL_TINYINT: return value.len == 1 && decode_small(type->id, value.data, out);
    case CQL_SMALLINT: return value.len == 2 && decode_smallint(value.data, out);
    case CQL_INT:
    case CQL_FLOAT:
    case CQL_DATE: return value.len == 4 && decode_4(type->id, value.data, out);
    case CQL_BIGINT:
    case CQL_COUNTER:
    case CQL_DOUBLE:
    case CQL_TIMESTAMP:
    case CQL_TIME: return value.len == 8 && decode_8(type->id, value.data, out);
    case CQL_UUID:
    case CQL_TIMEUUID: return value.len == 16 && decode_uuid(value.data, out);
    case CQL_DURATION: return decode_duration(value, out);
    case CQL_INET: return decode_inet(value, out);
    case CQL_DECIMAL: return decode_decimal(value, out);
    case CQL_VARINT: return decode_varint(value, out);
    default: return false;
    }
}

static corm_kind kind_of(cql_type_id id) {
    switch (id) {
    case CQL_LIST: return CORM_LIST;
    case CQL_SET: return CORM_SET;
    case CQL_MAP: return CORM_MAP;
    case CQL_TUPLE: return CORM_TUPLE;
    case CQL_UDT: return CORM_UDT;
    default: return CORM_VECTOR;
    }
}

static corm_status decode_items(const cql_type *type, cql_value value, base_arena *arena,
                                corm_value *out, corm_error *err) {
    cql_walk  walk;
    cql_value item;
    if (cql__walk_begin(&walk, type, value, NULL) != CORM_OK) return corrupt(type, value, err);
    size_t most = (size_t)walk.count * (type->id == CQL_MAP ? 2 : 1);
    if (type->id == CQL_VECTOR && most > (size_t)value.len) return corrupt(type, value, err);
    corm_value *items = BASE_NEW_ARRAY(arena, corm_value, most > 0 ? most : 1);
    if (!items) return base__fail_memory(err);
    uint32_t count = 0;
    for (; cql__walk_next(&walk, &item); count++) {
        CORM_TRY(cql__decode(cql__item_type(type, count), item, arena, &items[count], err));
    }
    if (walk.reader.failed || walk.reader.len > 0) return corrupt(type, value, err);
    *out = corm_of_items(kind_of(type->id), items, count);
    if (type->id == CQL_UDT) out->as.items.names = type->field_names;
    return CORM_OK;
}

static bool is_bytes(cql_type_id id) {
    return id == CQL_TEXT || id == CQL_ASCII || id == CQL_BLOB || id == CQL_CUSTOM;
}

static void decode_bytes(cql_type_id id, cql_value value, corm_value *out) {
    size_t len = (size_t)value.len;
    if (id == CQL_BLOB || id == CQL_CUSTOM) {
        out->kind = CORM_BLOB;
        out->as.blob = (corm_bytes){ value.data, len };
    } else {
        out->kind = CORM_TEXT;
        out->as.text = (corm_str){ (const char *)value.data, len };
    }
}

corm_status cql__decode(const cql_type *type, cql_value value, base_arena *arena, corm_value *out,
                        corm_error *err) {
    out->kind = CORM_NULL;
    if (value.len < 0) return CORM_OK;
    if (is_bytes(type->id)) {
        decode_bytes(type->id, value, out);
        return CORM_OK;
    }
    if (type->count > 0) return decode_items(type, value, arena, out, err);
    /* C has no empty number: the empty value is null. */
    if (value.len == 0 || decode_scalar(type, value, out)) return CORM_OK;
    return corrupt(type, value, err);
}
