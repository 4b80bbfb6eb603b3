// SPDX-License-Identifier: MIT
/* java.h -- the corners of Java that show in the server's answers: the order in which a hash map
 * gives its keys, and which texts are numbers. Pure; any thread. */
#ifndef CQL_JAVA_H
#define CQL_JAVA_H

#include "corm/base.h"

/* How names hash: as strings (properties, options), or as bytes (columns, fields). */
typedef enum cql_java_key { CQL_JAVA_STRING, CQL_JAVA_BYTES } cql_java_key;

int32_t cql__java_hash(cql_java_key key, corm_str text);

/* The number of buckets of a map that was made for so many keys, of one that copies a map of so
 * many, and of one that began empty without a size. */
uint32_t cql__java_capacity(uint32_t keys);
uint32_t cql__java_copy_capacity(uint32_t keys);
enum { CQL_JAVA_CAPACITY = 16 };

/* order[i] is set to the index of the name that the map gives in place i, when the names were put
 * into it in their order. Names are `stride` apart; order has `count` places. */
void cql__java_order(cql_java_key key, const corm_str *names, uint32_t count, uint32_t stride,
                     uint32_t capacity, uint32_t *order);

/* Integer.parseInt, Long.parseLong and Double.parseDouble (without hexadecimal forms). */
bool cql__java_int(corm_str text, int32_t *out);
bool cql__java_long(corm_str text, int64_t *out);
bool cql__java_double(corm_str text, double *out);

/* StringUtils.isNumeric: at least one character, all of them digits. */
bool cql__java_is_numeric(corm_str text);

#endif
