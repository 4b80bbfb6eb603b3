// SPDX-License-Identifier: MIT
/* snappy.h -- compression in snappy's format. Private to this folder. */
#ifndef WIRE_SNAPPY_H
#define WIRE_SNAPPY_H

#include "corm/base.h"

/* Bytes that `len` bytes need at most. */
size_t wire__snappy_bound(size_t len);

/* Writes the compressed bytes to `to`, which has room for wire__snappy_bound(in.len), and gives their number. Allocates
 * nothing. in.len is at most 2^32 - 1. */
size_t wire__snappy_compress(corm_bytes in, uint8_t *to);

#endif
