// SPDX-License-Identifier: MIT
/* types_internal.h -- what the files of the types and codecs share with each other only. */
#ifndef CQL_TYPES_INTERNAL_H
#define CQL_TYPES_INTERNAL_H

#include "cql/types.h"

/* How deep types and values may be nested where they are read from text or from the wire. */
enum { CQL_DEPTH_LIMIT = 100 };

/* The size of an item of a vector when the type is the item's: items of such types stand one
 * after the other; 0 when each item has its length before it. */
uint32_t cql__vector_item_size(const cql_type *type);

/* The type of the i-th value that cql__walk_next gives. */
static inline const cql_type *cql__item_type(const cql_type *type, uint32_t i) {
    bool by_place = type->id == CQL_TUPLE || type->id == CQL_UDT;
    return type->params[by_place ? i : i % type->count];
}

#endif
