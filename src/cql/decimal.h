// SPDX-License-Identifier: MIT
/* decimal.h -- a decimal taken apart, for decimal.c and decimal_arith.c. */
#ifndef CQL_DECIMAL_H
#define CQL_DECIMAL_H

#include "cql/bigint.h"

/* unscaled * 10^-scale */
typedef struct cql_decimal {
    int32_t scale;
    mpz_t   unscaled;
} cql_decimal;

void cql__decimal_load(cql_decimal *out, cql_value value); /* free with cql__decimal_free */
void cql__decimal_free(cql_decimal *decimal);
void cql__decimal_store(const cql_decimal *decimal, base_buf *out);

#endif
