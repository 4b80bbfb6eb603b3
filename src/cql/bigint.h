// SPDX-License-Identifier: MIT
/* bigint.h -- the bridge between wire bytes and GMP numbers, for varint.c and decimal*.c.
 *
 * GMP ends the program when memory is exhausted, so numbers that could grow far beyond their
 * input are refused before they are computed: no result has more than CQL_MOST_DIGITS digits. */
#ifndef CQL_BIGINT_H
#define CQL_BIGINT_H

#include "cql/numbers.h"

#include <gmp.h>

enum { CQL_MOST_DIGITS = 1000000 };

/* Two's complement, big-endian, any length; no bytes are zero. */
void cql__bigint_load(mpz_t out, const uint8_t *data, size_t len);

/* Appends the shortest two's complement. */
void cql__bigint_store(const mpz_t v, base_buf *out);

/* Appends the decimal digits with a minus sign for negatives. */
void cql__bigint_print(const mpz_t v, base_buf *out);

/* Digits only, at least one. */
void cql__bigint_read(mpz_t out, corm_str digits);

/* Whether the bytes fit in 64 bits; more than 8 bytes do when the first ones only repeat the
 * sign. */
bool cql__bigint_small(const uint8_t *data, size_t len, int64_t *out);

/* The bytes without those at the front that only repeat the sign; at least one byte unless there
 * are none. */
corm_bytes cql__bigint_trim(const uint8_t *data, size_t len);

void cql__bigint_pow10(mpz_t out, uint32_t exponent);

/* The number of decimal digits of |v|; 1 for zero. */
size_t cql__bigint_digits(const mpz_t v);

/* "-12" or "12" */
void cql__put_i64(base_buf *out, int64_t v);

#endif
