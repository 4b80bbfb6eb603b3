// SPDX-License-Identifier: MIT
/* column.c -- column vectors: from the bytes of rows, and back into bytes.
 *
 * Owns nothing: vectors live in their makers' arenas, values of variable size are borrowed from the bytes that they were read from.
 * Thread: the caller's. */
#include "aggregate/column.h"

#include "cql/numbers.h"
#include "cql/order.h"

static const int64_t FIRST_DAY = INT64_C(1) << 31; /* dates on the wire are counted from there */

agg_rep agg__rep(const cql_type *type) {
    switch (type->id) {
    case CQL_BOOLEAN:
    case CQL_TINYINT:
    case CQL_SMALLINT:
    case CQL_INT:
    case CQL_BIGINT:
    case CQL_COUNTER:
    case CQL_TIMESTAMP:
    case CQL_DATE:
    case CQL_TIME: return AGG_WHOLE;
    case CQL_FLOAT:
    case CQL_DOUBLE: return AGG_REAL;
    default: return AGG_WIRE;
    }
}

corm_status agg__column_new(base_arena *arena, const cql_type *type, uint32_t rows, agg_column *out,
                            corm_error *err) {
    agg_rep rep = agg__rep(type);
    size_t  size = rep == AGG_WIRE ? sizeof(cql_value) : sizeof(int64_t);
    *out = (agg_column){ .type = type, .rep = rep };
    out->null = base__arena_calloc(arena, rows, 1);
    out->v.whole = base__arena_alloc(arena, rows * size);
    return out->null && out->v.whole ? CORM_OK : base__fail_memory(err);
}

corm_status agg__batch_new(base_arena *arena, const agg_scope *scope, uint32_t rows, agg_batch *out,
                           corm_error *err) {
    *out = (agg_batch){ .column_count = scope->count };
    out->columns = BASE_NEW_ARRAY(arena, agg_column, scope->count);
    if (!out->columns) return base__fail_memory(err);
    for (uint32_t i = 0; i < scope->count; i++)
        CORM_TRY(agg__column_new(arena, scope->fields[i].type, rows, &out->columns[i], err));
    return CORM_OK;
}

/* ---- cells ---- */

static inline double load_f32(const uint8_t *data) {
    uint32_t bits = base__load_u32(data);
    float    value;
    memcpy(&value, &bits, sizeof value);
    return (double)value;
}

static inline double load_f64(const uint8_t *data) {
    uint64_t bits = base__load_u64(data);
    double   value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline int64_t load_whole(const cql_type *type, const uint8_t *data, int32_t len) {
    switch (len) {
    case 8: return (int64_t)base__load_u64(data);
    case 4:
        if (type->id == CQL_DATE) return (int64_t)base__load_u32(data) - FIRST_DAY;
        return (int32_t)base__load_u32(data);
    case 2: return (int16_t)base__load_u16(data);
    default: return type->id == CQL_BOOLEAN ? data[0] != 0 : (int8_t)data[0];
    }
}

void agg__set_cell(agg_column *column, uint32_t row, cql_value value) {
    if (value.len < 0 || (value.len == 0 && column->rep != AGG_WIRE)) {
        agg__set_null(column, row);
        return;
    }
    column->null[row] = 0;
    switch (column->rep) {
    case AGG_WHOLE: column->v.whole[row] = load_whole(column->type, value.data, value.len); return;
    case AGG_REAL:
        column->v.real[row] = value.len == 8 ? load_f64(value.data) : load_f32(value.data);
        return;
    default: column->v.wire[row] = value;
    }
}

void agg__copy_cell(agg_column *to, uint32_t at, const agg_column *from, uint32_t row) {
    to->null[at] = from->null[row];
    if (to->rep == AGG_WIRE) {
        to->v.wire[at] = from->v.wire[row];
    } else {
        to->v.whole[at] = from->v.whole[row];
    }
}

static inline bool load_cell(agg_column *column, uint32_t size, uint32_t row, const uint8_t *data,
                             int32_t len) {
    if (len > 0 && (uint32_t)len != size && size != 0) return false; /* no answer of a server */
    if (len == 8 && column->rep == AGG_REAL) {
        column->null[row] = 0;
        column->v.real[row] = load_f64(data);
    } else if (len == 4 && column->type->id == CQL_INT) {
        column->null[row] = 0;
        column->v.whole[row] = (int32_t)base__load_u32(data);
    } else {
        agg__set_cell(column, row, (cql_value){ len < 0 ? NULL : data, len });
    }
    return true;
}

enum { KNOWN_SIZES = 64 };

/* What values of a type have in bytes when it is no wire form; 0: any. */
static uint32_t size_of(const agg_column *column) {
    return column->rep == AGG_WIRE ? 0 : cql__type_fixed_size(column->type);
}

bool agg__read_rows(base_reader *reader, agg_batch *batch, uint32_t count) {
    const uint8_t *at = reader->data, *end = at + reader->len;
    uint32_t       sizes[KNOWN_SIZES];
    for (uint32_t i = 0; i < batch->column_count && i < KNOWN_SIZES; i++)
        sizes[i] = size_of(&batch->columns[i]);
    for (uint32_t row = 0; row < count; row++) {
        for (uint32_t i = 0; i < batch->column_count; i++) {
            if (end - at < 4) return false;
            int32_t len = (int32_t)base__load_u32(at);
            at += 4;
            if (len > end - at) return false;
            uint32_t size = i < KNOWN_SIZES ? sizes[i] : size_of(&batch->columns[i]);
            if (!load_cell(&batch->columns[i], size, row, at, len)) return false;
            if (len > 0) at += len;
        }
    }
    reader->len -= (size_t)(at - reader->data);
    reader->data = at;
    batch->count = count;
    return true;
}

/* ---- bytes ---- */

static cql_value whole_bytes(const cql_type *type, int64_t v, uint8_t scratch[16]) {
    switch (cql__type_fixed_size(type)) {
    case 1: scratch[0] = (uint8_t)v; return (cql_value){ scratch, 1 };
    case 2: base__store_u16(scratch, (uint16_t)v); return (cql_value){ scratch, 2 };
    case 4:
        base__store_u32(scratch, (uint32_t)(type->id == CQL_DATE ? v + FIRST_DAY : v));
        return (cql_value){ scratch, 4 };
    default: base__store_u64(scratch, (uint64_t)v); return (cql_value){ scratch, 8 };
    }
}

static cql_value real_bytes(const cql_type *type, double v, uint8_t scratch[16]) {
    if (type->id == CQL_FLOAT) {
        float    narrow = (float)v;
        uint32_t bits;
        memcpy(&bits, &narrow, sizeof bits);
        base__store_u32(scratch, bits);
        return (cql_value){ scratch, 4 };
    }
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    base__store_u64(scratch, bits);
    return (cql_value){ scratch, 8 };
}

cql_value agg__cell(const agg_column *column, uint32_t row, uint8_t scratch[16]) {
    if (column->null[row]) return CQL_NULL;
    switch (column->rep) {
    case AGG_WHOLE: return whole_bytes(column->type, column->v.whole[row], scratch);
    case AGG_REAL: return real_bytes(column->type, column->v.real[row], scratch);
    default: return column->v.wire[row];
    }
}

void agg__put_cell(const agg_column *column, uint32_t row, base_buf *out) {
    uint8_t scratch[16];
    cql__put_value(out, agg__cell(column, row, scratch));
}

void agg__put_order(const agg_column *column, uint32_t row, bool descending, base_buf *out) {
    uint8_t scratch[16];
    cql__order_put(column->type, agg__cell(column, row, scratch), descending, out);
}

double agg__number_of(const agg_column *column, uint32_t row) {
    if (column->rep != AGG_WIRE) return agg__real_of(column, row);
    cql_value value = column->v.wire[row];
    if (value.len <= 0) return 0;
    return column->type->id == CQL_DECIMAL ? cql__decimal_to_double(value)
                                           : cql__varint_to_double(value);
}
