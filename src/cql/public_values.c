// SPDX-License-Identifier: MIT
/* public_values.c -- varints, decimals and values of the public headers. Pure; any thread. */
#include "base/fail.h"
#include "base/text.h"
#include "corm/value.h"
#include "cql/bigint.h"

static const uint8_t *varint_bytes(const corm_varint *v) {
    return v->length > sizeof v->small ? v->large : v->small;
}

corm_varint corm_varint_of(int64_t value) {
    uint8_t bytes[8];
    base__store_u64(bytes, (uint64_t)value);
    corm_bytes  shortest = cql__bigint_trim(bytes, sizeof bytes);
    corm_varint out = { .length = (uint32_t)shortest.len };
    memcpy(out.small, shortest.data, shortest.len);
    return out;
}

corm_status corm_varint_to_i64(const corm_varint *varint, int64_t *out, corm_error *err) {
    if (varint->length > 0 && cql__bigint_small(varint_bytes(varint), varint->length, out))
        return CORM_OK;
    return base__fail(err, CORM_CONVERSION,
                      varint->length > 0 ? "the varint does not fit in 64 bits"
                                         : "the varint is not given");
}

corm_decimal corm_decimal_of(int64_t unscaled, int32_t scale) {
    return (corm_decimal){ .scale = scale, .unscaled = corm_varint_of(unscaled) };
}

corm_status corm_decimal_parse(const char *text, corm_decimal *out, corm_error *err) {
    base_buf    wire = { 0 };
    corm_status status = cql__decimal_from_text(corm_str_of(text), &wire, NULL);
    if (status == CORM_OK) status = base__buf_status(&wire, err);
    if (status == CORM_NO_MEMORY) {
        base__buf_free(&wire);
        return base__fail_memory(err);
    }
    bool fits = status == CORM_OK && wire.len - 4 <= sizeof out->unscaled.small;
    if (fits) {
        *out = (corm_decimal){ .scale = (int32_t)base__load_u32(wire.data) };
        out->unscaled.length = (uint32_t)(wire.len - 4);
        memcpy(out->unscaled.small, wire.data + 4, wire.len - 4);
    }
    base__buf_free(&wire);
    if (fits) return CORM_OK;
    return base__fail(err, CORM_CONVERSION,
                      status == CORM_OK ? "'%s' has more than 38 digits" : "'%s' is not a decimal",
                      text ? text : "");
}

/* The wire form; failed when memory is exhausted. */
static base_buf wire_of(const corm_decimal *decimal) {
    base_buf wire = { 0 };
    base__buf_i32(&wire, decimal->scale);
    base__buf_put(&wire, varint_bytes(&decimal->unscaled), decimal->unscaled.length);
    return wire;
}

size_t corm_decimal_format(const corm_decimal *decimal, char *out, size_t size) {
    base_buf wire = wire_of(decimal);
    base_buf text = { 0 };
    if (!wire.failed) cql__decimal_to_text(cql__value_of(base__buf_bytes(&wire)), &text);
    size_t len = text.failed ? 0 : text.len;
    if (size > 0) {
        size_t copied = len < size ? len : size - 1;
        if (copied > 0) memcpy(out, text.data, copied);
        out[copied] = '\0';
    }
    base__buf_free(&wire);
    base__buf_free(&text);
    return len;
}

double corm_decimal_to_double(const corm_decimal *decimal) {
    base_buf wire = wire_of(decimal);
    double   out = wire.failed ? 0 : cql__decimal_to_double(cql__value_of(base__buf_bytes(&wire)));
    base__buf_free(&wire);
    return out;
}

const corm_value *corm_map_get(const corm_map *map, const char *key) {
    corm_str wanted = corm_str_of(key);
    for (uint32_t i = 0; i < map->count; i++) {
        const corm_value *entry = &map->items[2 * i];
        if (entry->kind == CORM_TEXT && corm_str_equal(entry->as.text, wanted)) return entry + 1;
    }
    return NULL;
}

bool corm_set_has(const corm_set *set, const char *text) {
    corm_str wanted = corm_str_of(text);
    for (uint32_t i = 0; i < set->count; i++) {
        const corm_value *item = &set->items[i];
        if (item->kind == CORM_TEXT && corm_str_equal(item->as.text, wanted)) return true;
    }
    return false;
}

static bool varint_equal(const corm_varint *a, const corm_varint *b) {
    return a->length == b->length && memcmp(varint_bytes(a), varint_bytes(b), a->length) == 0;
}

static bool items_equal(const corm_items *a, const corm_items *b) {
    if (a->count != b->count) return false;
    for (uint32_t i = 0; i < a->count; i++) {
        if (a->names && b->names && !corm_str_equal(a->names[i], b->names[i])) return false;
        if (!corm_value_equal(&a->items[i], &b->items[i])) return false;
    }
    return true;
}

/* NaN equals itself. */
static bool double_equal(double a, double b) {
    return a == b || (a != a && b != b);
}

static bool blob_equal(corm_bytes a, corm_bytes b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static bool duration_equal(const corm_duration *a, const corm_duration *b) {
    return a->months == b->months && a->days == b->days && a->ns == b->ns;
}

static bool inet_equal(const corm_inet *a, const corm_inet *b) {
    return a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0;
}

bool corm_value_equal(const corm_value *a, const corm_value *b) {
    if (a->kind != b->kind) return false;
    switch (a->kind) {
    case CORM_UNSET:
    case CORM_NULL: return true;
    case CORM_BOOLEAN: return a->as.boolean == b->as.boolean;
    case CORM_TINYINT: return a->as.i8 == b->as.i8;
    case CORM_SMALLINT: return a->as.i16 == b->as.i16;
    case CORM_INT: return a->as.i32 == b->as.i32;
    case CORM_BIGINT: return a->as.i64 == b->as.i64;
    case CORM_FLOAT: return double_equal((double)a->as.f32, (double)b->as.f32);
    case CORM_DOUBLE: return double_equal(a->as.f64, b->as.f64);
    case CORM_TEXT: return corm_str_equal(a->as.text, b->as.text);
    case CORM_BLOB: return blob_equal(a->as.blob, b->as.blob);
    case CORM_UUID: return corm_uuid_equal(a->as.uuid, b->as.uuid);
    case CORM_TIMESTAMP: return a->as.timestamp.ms == b->as.timestamp.ms;
    case CORM_DATE: return a->as.date.days == b->as.date.days;
    case CORM_TIME: return a->as.time.ns == b->as.time.ns;
    case CORM_DURATION: return duration_equal(&a->as.duration, &b->as.duration);
    case CORM_INET: return inet_equal(&a->as.inet, &b->as.inet);
    case CORM_VARINT: return varint_equal(&a->as.varint, &b->as.varint);
    case CORM_DECIMAL:
        return a->as.decimal.scale == b->as.decimal.scale &&
               varint_equal(&a->as.decimal.unscaled, &b->as.decimal.unscaled);
    default: return items_equal(&a->as.items, &b->as.items);
    }
}
