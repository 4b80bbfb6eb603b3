// SPDX-License-Identifier: MIT
/* populate.h -- keys of many rows, and the rows that they lead to. */
#ifndef ORM_POPULATE_H
#define ORM_POPULATE_H

#include "orm/query.h"
#include "orm/relation.h"

#define ORM_NO_KEY UINT32_MAX

/* Keys, each once. */
typedef struct orm_keys {
    base_arena arena; /* their bytes, as orm__key_bytes has them */
    base_map   known; /* bytes to index + 1 */
    corm_str  *keys;
    uint32_t   count, capacity;
} orm_keys;

void orm__keys_free(orm_keys *keys);
/* The index of a key, which is added when it is new; the bytes are copied. */
CORM_CHECKED corm_status orm__keys_add(orm_keys *keys, corm_str bytes, uint32_t *index,
                                       corm_error *err);
/* The keys of all rows; of_row[i] is the index of row i's key, or ORM_NO_KEY where a column of it is null. */
CORM_CHECKED corm_status orm__keys_of_rows(orm_keys *keys, const corm_rows *rows,
                                           const orm_key *key, uint32_t *of_row, corm_error *err);

/* One value of a key's bytes. */
static inline cql_value orm__key_value(corm_str key, uint32_t column) {
    base_reader in = { (const uint8_t *)key.data, key.len, false };
    for (uint32_t i = 0; i < column; i++) (void)cql__read_value(&in);
    return cql__read_value(&in);
}

/* One reading of all rows that some keys lead to. */
typedef struct orm_fetch {
    const orm_link     *link;  /* for messages */
    orm_model          *model; /* of the rows */
    const orm_path     *path;
    const orm_key      *theirs;                /* columns of `model` that the keys are of */
    const corm_include *include;               /* conditions, selection, order, limit; NULL: none */
    const orm_field *needed[4 * ORM_MOST_KEY]; /* further columns that must be read, of `model` */
    uint32_t         needed_count;
    corm_populated  *cost;
    corm_error      *err;
} orm_fetch;

/* *out are the rows in the order of .order_by, or as they came; *of_row (malloc'ed, beside them) says which key each has, ORM_NO_KEY: none of
 * them. */
CORM_CHECKED corm_status orm__fetch(orm_fetch *fetch, const orm_keys *keys, corm_rows **out,
                                    uint32_t **of_row);

/* The primary keys of the rows that hold these values of the fetch's unique column: reservations, of which some may be out of
 * date. */
CORM_CHECKED corm_status orm__fetch_owners(orm_fetch *fetch, const orm_keys *values,
                                           orm_keys *owners);

#endif
