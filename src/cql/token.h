// SPDX-License-Identifier: MIT
/* token.h -- the Murmur3Partitioner: a partition key's place on the ring. Pure. */
#ifndef CQL_TOKEN_H
#define CQL_TOKEN_H

#include "cql/codec.h"

/* First half of MurmurHash3_x64_128 with Cassandra's sign-extended tail bytes; INT64_MIN becomes
 * INT64_MAX; no bytes give INT64_MIN. */
int64_t cql__token(corm_bytes key);

/* Appends the serialised partition key: the value itself for one column, else for each
 * [u16 length][bytes][0x00]. */
void cql__partition_key(const cql_value *values, uint32_t count, base_buf *out);

/* Splits it again into `count` values; false when the bytes do not fit. */
bool cql__partition_key_split(corm_bytes key, uint32_t count, cql_value *values);

#endif
