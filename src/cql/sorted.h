// SPDX-License-Identifier: MIT
/* sorted.h -- collections from elements in any order. */
#ifndef CQL_SORTED_H
#define CQL_SORTED_H

#include "cql/codec.h"

/* Packs `values`, a run of protocol [value]s, as a list, set, map or vector. Sets and maps are
 * sorted by the server's order; of equal elements or keys the last one stays. A vector must have
 * its dimension. */
CORM_CHECKED corm_status cql__pack_values(const cql_type *type, corm_bytes values, base_buf *out,
                                          corm_error *err);

#endif
