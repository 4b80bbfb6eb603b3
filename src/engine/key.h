// SPDX-License-Identifier: MIT
/* key.h -- keys of stored rows: partitions in token order, rows in clustering order.
 *
 *   data tree:   storage id (4) | token, sign bit flipped (8) | key length (2) | partition key | kind (1) | clustering
 *   index entry: storage id of the index (4) | key of a term (cql/index_terms.h) | the data key without its storage id
 *                value: u32, where the data key begins
 *
 * Partitions with equal tokens order by key length, then bytes. Kinds order a partition's record before its static
 * row before its rows. Clustering columns are in order form (cql/order.h), so the store's order is CQL's. */
#ifndef ENGINE_KEY_H
#define ENGINE_KEY_H

#include "cql/order.h"
#include "cql/schema.h"
#include "cql/token.h"

typedef enum engine_key_kind {
    ENGINE_KEY_PARTITION = 0x01, /* deletions: see deletions.h */
    ENGINE_KEY_STATIC = 0x02,
    ENGINE_KEY_ROW = 0x03,
    ENGINE_KEY_END = 0xFF /* for bounds: behind everything in the partition */
} engine_key_kind;

enum { ENGINE_KEY_HEAD = 14 }; /* bytes before the partition key */

/* Appends everything up to and without the kind. `partition_key` is the serialised key (cql__partition_key). */
void engine__key_partition(uint32_t storage_id, int64_t token, corm_bytes partition_key,
                           base_buf *out);

/* Appends the storage id and a token: before all partitions with that token. */
void engine__key_token(uint32_t storage_id, int64_t token, base_buf *out);

/* Appends the order form of `count` clustering values, the first columns of the key. */
void engine__key_clustering(const cql_table *table, const cql_value *values, uint32_t count,
                            base_buf *out);

/* The parts of a data key. False when it is none. */
typedef struct engine_key {
    uint32_t   storage_id;
    int64_t    token;
    corm_bytes partition_key;
    corm_bytes
        prefix; /* from the storage id to the end of the partition key: equal in one partition */
    uint8_t    kind;
    corm_bytes clustering;
} engine_key;
bool engine__key_split(corm_bytes key, engine_key *out);

#endif
