// SPDX-License-Identifier: MIT
/* validate.c -- whether bytes are a value of a type, by the server's rules and in its words.
 * Pure; any thread. */
#include "base/fail.h"
#include "base/text.h"
#include "cql/codec.h"
#include "cql/types_internal.h"
#include "cql/utf8.h"
#include "cql/vint.h"

static corm_status bad(corm_error *err, const char *message) {
    return base__fail(err, CORM_INVALID, "%s", message);
}

/* Types of which every value has one size, or is empty where `empty` allows it. */
typedef struct size_rule {
    cql_type_id id;
    int32_t     size;
    bool        empty;
    const char *message;
} size_rule;

static const size_rule size_rules[] = {
    { CQL_INT, 4, true, "Expected 4 or 0 byte int" },
    { CQL_BIGINT, 8, true, "Expected 8 or 0 byte long" },
    { CQL_TIMESTAMP, 8, true, "Expected 8 or 0 byte long for date" },
    { CQL_UUID, 16, true, "UUID should be 16 or 0 bytes" },
    { CQL_TIMEUUID, 16, true, "UUID should be 16 or 0 bytes" },
    { CQL_BOOLEAN, 1, true, "Expected 1 or 0 byte value" },
    { CQL_DOUBLE, 8, true, "Expected 8 or 0 byte value for a double" },
    { CQL_FLOAT, 4, true, "Expected 4 or 0 byte value for a float" },
    { CQL_DATE, 4, false, "Expected 4 byte long for date" },
    { CQL_TIME, 8, false, "Expected 8 byte long for time" },
    { CQL_SMALLINT, 2, false, "Expected 2 bytes for a smallint" },
    { CQL_TINYINT, 1, false, "Expected 1 byte for a tinyint" },
    { CQL_COUNTER, 8, true, "Expected 8 or 0 byte long" },
};

static corm_status check_size(const cql_type *type, cql_value value, corm_error *err) {
    for (size_t i = 0; i < sizeof size_rules / sizeof *size_rules; i++) {
        const size_rule *rule = &size_rules[i];
        if (rule->id != type->id) continue;
        if (value.len == rule->size || (rule->empty && value.len == 0)) return CORM_OK;
        return base__fail(err, CORM_INVALID, "%s (%d)", rule->message, (int)value.len);
    }
    return CORM_OK;
}

static corm_status check_timeuuid(const cql_type *type, cql_value value, corm_error *err) {
    CORM_TRY(check_size(type, value, err));
    if (value.len == 0 || value.data[6] >> 4 == 1) return CORM_OK;
    return base__fail(err, CORM_INVALID, "Invalid version for TimeUUID type: 0x%x",
                      value.data[0] >> 4);
}

static corm_status check_ascii(cql_value value, corm_error *err) {
    for (int32_t i = 0; i < value.len; i++) {
        if (value.data[i] < 0x80) continue;
        return base__fail(err, CORM_INVALID, "Invalid byte for ascii: %d", (int8_t)value.data[i]);
    }
    return CORM_OK;
}

static corm_status check_text(cql_value value, corm_error *err) {
    if (cql__utf8_accepted(value.data, (size_t)value.len)) return CORM_OK;
    return bad(err, "String didn't validate.");
}

static corm_status check_decimal(cql_value value, corm_error *err) {
    if (value.len == 0 || value.len >= 4) return CORM_OK;
    return base__fail(err, CORM_INVALID, "Expected 0 or at least 4 bytes (%d)", (int)value.len);
}

static corm_status check_inet(cql_value value, corm_error *err) {
    if (value.len == 0 || value.len == 4 || value.len == 16) return CORM_OK;
    base_buf digits = { 0 };
    base__put_hex(&digits, (corm_bytes){ value.data, (size_t)value.len });
    corm_status status = base__fail(err, CORM_INVALID, "Expected 4 or 16 byte inetaddress; got %s",
                                    base__buf_cstr(&digits) ? base__buf_cstr(&digits) : "");
    base__buf_free(&digits);
    return status;
}

static corm_status check_duration(cql_value value, corm_error *err) {
    if (value.len < 3) {
        return base__fail(err, CORM_INVALID, "Expected at least 3 bytes for a duration (%d)",
                          (int)value.len);
    }
    base_reader reader = { .data = value.data, .len = (size_t)value.len };
    int64_t     months = cql__read_vint(&reader);
    int64_t     days = cql__read_vint(&reader);
    int64_t     ns = cql__read_vint(&reader);
    if (reader.failed) return bad(err, "Not enough bytes to read a duration");
    if (months != (int32_t)months) {
        return base__fail(err, CORM_INVALID,
                          "The duration months must be a 32 bits integer but was: %lld",
                          (long long)months);
    }
    if (days != (int32_t)days) {
        return base__fail(err, CORM_INVALID,
                          "The duration days must be a 32 bits integer but was: %lld",
                          (long long)days);
    }
    if ((months >= 0 && days >= 0 && ns >= 0) || (months <= 0 && days <= 0 && ns <= 0))
        return CORM_OK;
    return base__fail(
        err, CORM_INVALID,
        "The duration months, days and nanoseconds must be all of the same sign (%lld, %lld, %lld)",
        (long long)months, (long long)days, (long long)ns);
}

static const char *collection_name(const cql_type *type) {
    return type->id == CQL_LIST ? "list" : type->id == CQL_SET ? "set" : "map";
}

static corm_status short_collection(const cql_type *type, corm_error *err) {
    return base__fail(err, CORM_INVALID, "Not enough bytes to read a %s", collection_name(type));
}

/* The element's bytes; false when they end before it does. */
static bool read_element(base_reader *reader, cql_value *out) {
    *out = CQL_NULL;
    if (reader->len < 4) return false;
    int32_t len = base__read_i32(reader);
    if (len < 0) return true;
    if ((size_t)len > reader->len) return false;
    *out = (cql_value){ base__read_bytes(reader, (size_t)len).data, len };
    return true;
}

/* What counts is the server's reading of a bound value, which differs from its check in two points: a
 * list may hold null, a negative count is refused. */
static corm_status check_collection(const cql_type *type, cql_value value, corm_error *err) {
    if (value.len < 4) return short_collection(type, err);
    base_reader reader = { .data = value.data, .len = (size_t)value.len };
    int64_t     count = base__read_i32(&reader);
    int64_t     values = type->id == CQL_MAP ? count * 2 : count;
    cql_value   item;
    for (int64_t i = 0; i < values; i++) {
        if (!read_element(&reader, &item)) return short_collection(type, err);
        if (cql__is_null(item) && type->id != CQL_LIST) {
            return bad(err, "Null value read when not allowed");
        }
        CORM_TRY(cql__validate(cql__item_type(type, (uint32_t)(i & 1)), item, err));
    }
    if (reader.len > 0) {
        return base__fail(err, CORM_INVALID, "Unexpected extraneous bytes after %s value",
                          collection_name(type));
    }
    if (count >= 0) return CORM_OK;
    return base__fail(err, CORM_INVALID, "The data cannot be deserialized as a %s",
                      collection_name(type));
}

static corm_status check_tuple(const cql_type *type, cql_value value, corm_error *err) {
    base_reader reader = { .data = value.data, .len = (size_t)value.len };
    for (uint32_t i = 0; i < type->count && reader.len > 0; i++) {
        if (reader.len < 4) {
            return base__fail(err, CORM_INVALID, "Not enough bytes to read size of %uth component",
                              i);
        }
        int32_t len = base__read_i32(&reader);
        if (len < 0) continue;
        if ((size_t)len > reader.len) {
            return base__fail(err, CORM_INVALID, "Not enough bytes to read %uth component", i);
        }
        cql_value item = { base__read_bytes(&reader, (size_t)len).data, len };
        CORM_TRY(cql__validate(type->params[i], item, err));
    }
    if (reader.len == 0) return CORM_OK;
    return bad(err, "Invalid remaining data after end of tuple value");
}

static corm_status bad_field(const cql_type *type, uint32_t i, const char *what, corm_error *err) {
    return base__fail(err, CORM_INVALID, "%s %uth field %.*s", what, i,
                      (int)type->field_names[i].len, type->field_names[i].data);
}

static corm_status check_field(const cql_type *type, uint32_t i, cql_value value, corm_error *err) {
    corm_error  inner;
    corm_status status = cql__validate(type->params[i], value, &inner);
    if (status == CORM_OK) return CORM_OK;
    return base__fail(err, status, "Failure validating the %uth field %.*s; %s", i,
                      (int)type->field_names[i].len, type->field_names[i].data, inner.message);
}

static corm_status check_udt(const cql_type *type, cql_value value, corm_error *err) {
    base_reader reader = { .data = value.data, .len = (size_t)value.len };
    for (uint32_t i = 0; i < type->count && reader.len > 0; i++) {
        if (reader.len < 4) return bad_field(type, i, "Not enough bytes to read size of", err);
        int32_t len = base__read_i32(&reader);
        if (len < 0) continue;
        if ((size_t)len > reader.len) return bad_field(type, i, "Not enough bytes to read", err);
        cql_value field = { base__read_bytes(&reader, (size_t)len).data, len };
        CORM_TRY(check_field(type, i, field, err));
    }
    if (reader.len == 0) return CORM_OK;
    return bad(err, "Invalid remaining data after end of UDT value");
}

/* `format` has one %s for the type. */
static corm_status bad_vector(const cql_type *type, size_t extra, corm_error *err) {
    base_buf name = { 0 };
    cql__type_print(type, &name);
    const char *text = base__buf_cstr(&name);
    if (!text) text = "vector";
    corm_status status =
        extra > 0 ? base__fail(err, CORM_INVALID, "Unexpected %zu extraneous bytes after %s value",
                               extra, text)
                  : base__fail(err, CORM_INVALID, "Not enough bytes to read a %s", text);
    base__buf_free(&name);
    return status;
}

static corm_status check_vector(const cql_type *type, cql_value value, corm_error *err) {
    if (value.len == 0) return bad(err, "Invalid empty vector value");
    bool floats = type->params[0]->id == CQL_FLOAT; /* any four bytes are one */
    if (floats && (uint32_t)value.len == 4 * type->dimension) return CORM_OK;
    cql_walk  walk;
    cql_value item;
    CORM_TRY(cql__walk_begin(&walk, type, value, err));
    while (cql__walk_next(&walk, &item)) CORM_TRY(cql__validate(type->params[0], item, err));
    if (walk.reader.failed) return bad_vector(type, 0, err);
    return walk.reader.len == 0 ? CORM_OK : bad_vector(type, walk.reader.len, err);
}

corm_status cql__validate(const cql_type *type, cql_value value, corm_error *err) {
    if (value.len < 0) return CORM_OK;
    switch (type->id) {
    case CQL_TEXT: return check_text(value, err);
    case CQL_ASCII: return check_ascii(value, err);
    case CQL_TIMEUUID: return check_timeuuid(type, value, err);
    case CQL_DECIMAL: return check_decimal(value, err);
    case CQL_INET: return check_inet(value, err);
    case CQL_DURATION: return check_duration(value, err);
    case CQL_LIST:
    case CQL_SET:
    case CQL_MAP: return check_collection(type, value, err);
    case CQL_TUPLE: return check_tuple(type, value, err);
    case CQL_UDT: return check_udt(type, value, err);
    case CQL_VECTOR: return check_vector(type, value, err);
    case CQL_EMPTY:
        return value.len == 0 ? CORM_OK : bad(err, "EmptyType only accept empty values");
    default: return check_size(type, value, err);
    }
}
