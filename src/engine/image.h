// SPDX-License-Identifier: MIT
/* image.h -- changing a row's image by the rules of reconciliation: last write wins, cell by cell, and nothing below a deletion.
 * Private to the writers. Memory comes from the arena; false or NULL means that it is exhausted. */
#ifndef ENGINE_IMAGE_H
#define ENGINE_IMAGE_H

#include "engine/deletions.h"
#include "engine/row.h"

/* The last second in which something can expire: the server's Cell.MAX_DELETION_TIME, 2106-02-07T06:28:13. */
#define IMAGE_MAX_EXPIRY (UINT32_MAX - 2)

/* What a write carries: the server's UpdateParameters. */
typedef struct image_stamp {
    int64_t  timestamp;
    uint32_t ttl;   /* seconds; 0: none */
    uint32_t now_s; /* local deletion times and expiries count from here */
    int64_t
        shadow; /* the highest deletion of the partition over this row: writes at or below it vanish */
} image_stamp;

/* The column's image, made empty when the row has none. */
engine_column_image *engine__image_column(engine_row *row, const cql_column *column,
                                          base_arena *arena);
/* Or NULL when there is none. */
engine_column_image *engine__image_find(const engine_row *row, uint32_t column_id);

/* Writes a cell of a simple column: a value, or with CQL_NULL a tombstone. */
bool engine__image_set(engine_row *row, const cql_column *column, cql_value value,
                       const image_stamp *stamp, base_arena *arena);

/* Writes one cell of a multi-cell column; path as in engine_cell. CQL_NULL: a tombstone. */
bool engine__image_set_path(engine_row *row, const cql_column *column, corm_bytes path,
                            cql_value value, const image_stamp *stamp, base_arena *arena);

/* Removes the cells of a multi-cell column at or below `timestamp`, and remembers it. */
bool engine__image_delete_complex(engine_row *row, const cql_column *column, int64_t timestamp,
                                  const image_stamp *stamp, base_arena *arena);

/* Adds to a counter cell. A deleted counter stays deleted. */
bool engine__image_count(engine_row *row, const cql_column *column, int64_t delta,
                         const image_stamp *stamp, base_arena *arena);

/* INSERT's marker. */
void engine__image_mark(engine_row *row, const image_stamp *stamp);

/* DELETE of the row; `remember` false when a range or partition deletion already does. */
void engine__image_delete(engine_row *row, int64_t timestamp, uint32_t now_s, bool remember);

/* Turns what expired into tombstones, and drops tombstones and deletions whose gc_grace is over. *due is the second when there is
 * next something to do, 0 for never; the result says whether the row changed. */
bool engine__image_purge(engine_row *row, uint32_t gc_grace_s, uint32_t now_s, uint32_t *due);

/* The order of two cells of a multi-cell column. */
int engine__path_compare(const cql_type *type, corm_bytes a, corm_bytes b);

#endif
