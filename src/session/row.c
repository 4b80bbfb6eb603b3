// SPDX-License-Identifier: MIT
/* row.c -- one cell of a row as a C value. What does not fit the type that is asked for reads as
 * zero, empty or false. */
#include "base/fail.h"
#include "cql/numbers.h"
#include "session/core.h"

const cql_value *session__row_values(const corm_row *row) {
    return row->values;
}

bool session__row_cell(const corm_row *row, uint32_t index, const cql_type **type, cql_value *out) {
    const wire_metadata *metadata = &row->result->wire.metadata;
    if (index >= metadata->count) return false;
    *type = metadata->columns[index].type;
    *out = row->values[index];
    return !cql__is_null(*out);
}

bool corm_row_is_null(const corm_row *row, uint32_t index) {
    const cql_type *type;
    cql_value       value;
    return !session__row_cell(row, index, &type, &value);
}

corm_bytes corm_row_bytes(const corm_row *row, uint32_t index) {
    const cql_type *type;
    cql_value       value;
    if (!session__row_cell(row, index, &type, &value)) return (corm_bytes){ NULL, 0 };
    return (corm_bytes){ value.data, (size_t)value.len };
}

corm_status corm_row_value(const corm_row *row, uint32_t index, corm_value *out, corm_error *err) {
    const cql_type *type;
    cql_value       value;
    *out = corm_null();
    if (!session__row_cell(row, index, &type, &value)) return CORM_OK;
    return cql__decode(type, value, &row->result->arena, out, err);
}

/* The sizes of whole numbers; 0 for every other type. */
static const uint8_t whole_size[] = {
    [CQL_TINYINT] = 1, [CQL_SMALLINT] = 2,  [CQL_INT] = 4,  [CQL_BIGINT] = 8,
    [CQL_COUNTER] = 8, [CQL_TIMESTAMP] = 8, [CQL_TIME] = 8,
};

/* A whole number of at most `widest` bytes, from a type whose values have a fixed size. */
static bool read_whole(const cql_type *type, cql_value value, uint32_t widest, int64_t *out) {
    uint32_t size = (size_t)type->id < sizeof whole_size ? whole_size[type->id] : 0;
    if (size == 0 || size > widest || value.len != (int32_t)size) return false;
    switch (size) {
    case 8: *out = (int64_t)base__load_u64(value.data); break;
    case 4: *out = (int32_t)base__load_u32(value.data); break;
    case 2: *out = (int16_t)base__load_u16(value.data); break;
    default: *out = (int8_t)value.data[0]; break;
    }
    return true;
}

bool corm_row_bool(const corm_row *row, uint32_t index) {
    const cql_type *type;
    cql_value       value;
    if (!session__row_cell(row, index, &type, &value)) return false;
    return type->id == CQL_BOOLEAN && value.len == 1 && value.data[0] != 0;
}

/* A cell of just this type and size, or NULL: the common case without the long way. */
static inline const uint8_t *cell_of(const corm_row *row, uint32_t index, cql_type_id id,
                                     int32_t size) {
    const wire_metadata *metadata = &row->result->wire.metadata;
    if (index >= metadata->count || metadata->columns[index].type->id != id) return NULL;
    return row->values[index].len == size ? row->values[index].data : NULL;
}

static __attribute__((noinline)) int64_t narrower_cell(const corm_row *row, uint32_t index) {
    const cql_type *type;
    cql_value       value;
    int64_t         out = 0;
    if (!session__row_cell(row, index, &type, &value)) return 0;
    return read_whole(type, value, 4, &out) ? out : 0;
}

int32_t corm_row_int(const corm_row *row, uint32_t index) {
    const uint8_t *same = cell_of(row, index, CQL_INT, 4);
    return same ? (int32_t)base__load_u32(same) : (int32_t)narrower_cell(row, index);
}

static __attribute__((noinline)) int64_t whole_cell(const corm_row *row, uint32_t index) {
    const cql_type *type;
    cql_value       value;
    int64_t         out = 0;
    if (!session__row_cell(row, index, &type, &value)) return 0;
    if (read_whole(type, value, 8, &out)) return out;
    bool fits = type->id == CQL_VARINT && value.len > 0 && cql__varint_to_i64(value, &out);
    return fits ? out : 0;
}

int64_t corm_row_bigint(const corm_row *row, uint32_t index) {
    const uint8_t *same = cell_of(row, index, CQL_BIGINT, 8);
    return same ? (int64_t)base__load_u64(same) : whole_cell(row, index);
}

static bool is_whole_number(const cql_type *type) {
    return type->id != CQL_TIMESTAMP && type->id != CQL_TIME;
}

static double read_double(const cql_type *type, cql_value value) {
    double  f64 = 0;
    float   f32 = 0;
    int64_t whole;
    if (type->id == CQL_DOUBLE && value.len == 8) {
        uint64_t bits = base__load_u64(value.data);
        memcpy(&f64, &bits, sizeof f64);
    } else if (type->id == CQL_FLOAT && value.len == 4) {
        uint32_t bits = base__load_u32(value.data);
        memcpy(&f32, &bits, sizeof f32);
        f64 = (double)f32;
    } else if (type->id == CQL_VARINT && value.len > 0) {
        f64 = cql__varint_to_double(value);
    } else if (type->id == CQL_DECIMAL && value.len > 4) {
        f64 = cql__decimal_to_double(value);
    } else if (is_whole_number(type) && read_whole(type, value, 8, &whole)) {
        f64 = (double)whole;
    }
    return f64;
}

double corm_row_double(const corm_row *row, uint32_t index) {
    const cql_type *type;
    cql_value       value;
    return session__row_cell(row, index, &type, &value) ? read_double(type, value) : 0;
}

corm_str corm_row_text(const corm_row *row, uint32_t index) {
    const cql_type *type;
    cql_value       value;
    bool            found = session__row_cell(row, index, &type, &value) &&
                 (type->id == CQL_TEXT || type->id == CQL_ASCII);
    if (!found) return (corm_str){ "", 0 };
    return (corm_str){ (const char *)value.data, (size_t)value.len };
}

corm_uuid corm_row_uuid(const corm_row *row, uint32_t index) {
    const cql_type *type;
    cql_value       value;
    corm_uuid       out = { { 0 } };
    bool            found = session__row_cell(row, index, &type, &value) &&
                 (type->id == CQL_UUID || type->id == CQL_TIMEUUID) && value.len == 16;
    if (found) memcpy(out.bytes, value.data, sizeof out.bytes);
    return out;
}

corm_timestamp corm_row_timestamp(const corm_row *row, uint32_t index) {
    const cql_type *type;
    cql_value       value;
    corm_timestamp  out = { 0 };
    bool found = session__row_cell(row, index, &type, &value) && type->id == CQL_TIMESTAMP;
    if (found) (void)read_whole(type, value, 8, &out.ms);
    return out;
}

corm_str corm_row_format(const corm_row *row, uint32_t index) {
    const cql_type *type;
    cql_value       value;
    if (!session__row_cell(row, index, &type, &value)) return corm_str_of("null");
    base_buf text = { 0 };
    cql__to_text(type, value, CQL_STYLE_SHELL, &text);
    corm_str out = base__arena_str(&row->result->arena, base__buf_str(&text));
    base__buf_free(&text);
    return out.data ? out : corm_str_of("");
}
