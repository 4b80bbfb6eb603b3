// SPDX-License-Identifier: MIT
/* column.h -- column vectors and batches: rows as they stand in memory between two operators.
 *
 *   pages ─► batches of column vectors ─► operators (one chain a thread) ─► a breaker: groups or a sort ─► the chain behind it
 *
 * A batch belongs to who pushes it: an operator reads it during the call and keeps copies. */
#ifndef AGGREGATE_COLUMN_H
#define AGGREGATE_COLUMN_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/fail.h"
#include "cql/codec.h"

/* ---- column vectors: column.c ---- */

enum { AGG_BATCH = 1024 }; /* rows of a batch, at most */

/* How values of a type stand in memory. */
typedef enum agg_rep {
    AGG_WHOLE, /* boolean, whole numbers, counter, timestamp, date (days since 1970), time: int64_t */
    AGG_REAL, /* float, double: double */
    AGG_WIRE  /* every other: wire form, borrowed */
} agg_rep;

typedef union agg_values {
    int64_t   *whole;
    double    *real;
    cql_value *wire; /* len -1 where null */
} agg_values;

typedef struct agg_column {
    const cql_type *type;
    agg_rep         rep;
    uint8_t        *null; /* 1: null; the value is then zero, or CQL_NULL */
    agg_values      v;
} agg_column;

typedef struct agg_batch {
    uint32_t    count, column_count;
    agg_column *columns;
} agg_batch;

/* Names and types of the rows between two stages. */
typedef struct agg_field {
    corm_str        name;
    const cql_type *type;
} agg_field;

typedef struct agg_scope {
    uint32_t         count;
    const agg_field *fields;
} agg_scope;

agg_rep agg__rep(const cql_type *type);

/* Room for `rows` values in the arena, all null bytes clear, values not set. */
CORM_CHECKED corm_status agg__column_new(base_arena *arena, const cql_type *type, uint32_t rows,
                                         agg_column *out, corm_error *err);
CORM_CHECKED corm_status agg__batch_new(base_arena *arena, const agg_scope *scope, uint32_t rows,
                                        agg_batch *out, corm_error *err);

/* One cell in wire form into a column; bytes are borrowed. An empty value of a type of fixed size is null. */
void               agg__set_cell(agg_column *column, uint32_t row, cql_value value);
static inline void agg__set_null(agg_column *column, uint32_t row) {
    column->null[row] = 1;
    if (column->rep == AGG_WIRE) {
        column->v.wire[row] = CQL_NULL;
    } else {
        column->v.whole[row] = 0;
    }
}

/* Copies a value of one column (of the same type) to another. */
void agg__copy_cell(agg_column *to, uint32_t at, const agg_column *from, uint32_t row);

/* Reads rows of [value]s behind each other; false when they are cut off. Only the first `count` rows. */
bool agg__read_rows(base_reader *reader, agg_batch *batch, uint32_t count);

/* Appends a cell as [value]; in order form (cql/order.h). */
void agg__put_cell(const agg_column *column, uint32_t row, base_buf *out);
void agg__put_order(const agg_column *column, uint32_t row, bool descending, base_buf *out);

/* The cell in wire form, its bytes in `scratch` (16 bytes) or borrowed. */
cql_value agg__cell(const agg_column *column, uint32_t row, uint8_t scratch[16]);

static inline double agg__real_of(const agg_column *column, uint32_t row) {
    return column->rep == AGG_REAL ? column->v.real[row] : (double)column->v.whole[row];
}
/* Of any numeric type, also varint and decimal. */
double agg__number_of(const agg_column *column, uint32_t row);

#endif
