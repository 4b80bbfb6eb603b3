// SPDX-License-Identifier: MIT
/* order.h -- keys that sort by memcmp as the values sort by cql__compare.
 *
 * Each encoded value is self-delimiting, so that concatenated values sort as tuples do; a leading marker byte orders
 * absent (end of prefix) < null < empty < value. Values that compare equal encode equal. The encoding need not be
 * reversible: the value itself is stored beside the key.
 *
 *   0x00 end of prefix, before everything   (written by callers for range bounds)
 *   0x01 null                                0x02 empty value
 *   0x03 value, encoded                      0xFF after everything with this prefix (range bounds)
 *
 * With descending = true every byte of the value's encoding is inverted, marker included; 0x00 and 0xFF stay the
 * outermost bytes in both directions. */
#ifndef CQL_ORDER_H
#define CQL_ORDER_H

#include "cql/codec.h"

void cql__order_put(const cql_type *type, cql_value value, bool descending, base_buf *out);

#endif
