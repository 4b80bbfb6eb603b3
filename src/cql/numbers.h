// SPDX-License-Identifier: MIT
/* numbers.h -- varint and decimal in wire form (Java's BigInteger and BigDecimal semantics), with GMP inside. */
#ifndef CQL_NUMBERS_H
#define CQL_NUMBERS_H

#include "cql/codec.h"

typedef enum cql_arith {
    CQL_ADD = '+',
    CQL_SUB = '-',
    CQL_MUL = '*',
    CQL_DIV = '/',
    CQL_MOD = '%'
} cql_arith;

/* Two's complement, shortest form. */
void cql__varint_from_i64(int64_t v, base_buf *out);
bool cql__varint_to_i64(cql_value value, int64_t *out); /* false: does not fit */
CORM_CHECKED corm_status cql__varint_from_text(corm_str text, base_buf *out, corm_error *err);
void                     cql__varint_to_text(cql_value value, base_buf *out);
int                      cql__varint_compare(cql_value a, cql_value b);
double                   cql__varint_to_double(cql_value value);
void                     cql__varint_from_double(double v, base_buf *out); /* cut towards zero */
/* Division cuts towards zero; CORM_INVALID for division by zero. */
CORM_CHECKED corm_status cql__varint_arith(cql_arith op, cql_value a, cql_value b, base_buf *out,
                                           corm_error *err);

CORM_CHECKED corm_status cql__decimal_from_text(corm_str text, base_buf *out, corm_error *err);
void   cql__decimal_to_text(cql_value value, base_buf *out);  /* BigDecimal.toString */
void   cql__decimal_to_plain(cql_value value, base_buf *out); /* toPlainString */
int    cql__decimal_compare(cql_value a, cql_value b);        /* 1.0 equals 1.00 */
double cql__decimal_to_double(cql_value value);
void   cql__decimal_from_double(double v, base_buf *out);        /* BigDecimal.valueOf */
void   cql__decimal_from_varint(cql_value value, base_buf *out); /* scale 0 */
void   cql__decimal_to_varint(cql_value value, base_buf *out);   /* cut */
/* As the server's DecimalType: division with at least 32 and at most 1000 digits, HALF_UP, trailing zeros
 * stripped. */
CORM_CHECKED corm_status cql__decimal_arith(cql_arith op, cql_value a, cql_value b, base_buf *out,
                                            corm_error *err);

/* A byte string that orders as the number does, for keys (memcmp), self-delimiting. Equal numbers give
 * equal bytes (1.0 and 1.00). */
void cql__varint_order(cql_value value, base_buf *out);
void cql__decimal_order(cql_value value, base_buf *out);

#endif
