// SPDX-License-Identifier: MIT
/* vint.h -- the server's variable-length integers: as many leading one bits as bytes follow,
 * big-endian. */
#ifndef CQL_VINT_H
#define CQL_VINT_H

#include "base/buf.h"

void     cql__put_uvint(base_buf *out, uint64_t v);
void     cql__put_vint(base_buf *out, int64_t v); /* zigzag, so that small negatives are short */
uint64_t cql__read_uvint(base_reader *reader);    /* fails the reader at the end */
int64_t  cql__read_vint(base_reader *reader);

#endif
