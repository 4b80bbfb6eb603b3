// SPDX-License-Identifier: MIT
/* row.h -- a stored row: its bytes, and its image in memory for writers.
 *
 * Invariant of the store: nothing that is stored is shadowed by a deletion that is stored. A deletion removes, when it is
 * written, the cells it covers, and every later write is held against the deletions of its row and partition first. So
 * readers look at one row's bytes and nothing else.
 *
 * Deletions and expired cells stay as tombstones, for writes that come late with an older timestamp, until gc_grace_seconds
 * are over.
 *
 * Bytes (integers are uvarints unless a size is given; times are unsigned seconds since 1970):
 *   flags u8: 1 liveness, 2 liveness expires, 4 row deletion, 8 counter table, 16 the feed has told that the liveness expired
 *   base timestamp i64: cells with this timestamp say so by a flag
 *   clustering values: for each column, length + 1 (0: null) and the bytes      [not in static rows]
 *   liveness: u8 1 when at the base timestamp, else 0 and the timestamp i64; ttl, expiry when it expires
 *   row deletion: timestamp i64, local deletion time
 *   number of columns, then for each, by id: id, kind u8 (0 cell, 1 cells of a multi-cell column), length of what follows,
 *     a cell; or: complex deletion flag u8 [timestamp i64, local time], number of cells, each with its path
 *   cell: flags u8 (1 base timestamp, 2 tombstone, 4 expires, 8 empty value), [timestamp i64], [local deletion time if tombstone],
 *     [ttl, expiry], [path length, path], [value length, value]
 */
#ifndef ENGINE_ROW_H
#define ENGINE_ROW_H

#include "cql/eval.h"

/* No timestamp: Long.MIN_VALUE, as the server has it. */
#define ENGINE_NO_TIMESTAMP INT64_MIN

typedef struct engine_cell {
    int64_t  timestamp;
    uint32_t ttl;     /* seconds; 0: does not expire */
    uint32_t expires; /* expiry, or a tombstone's local deletion time */
    bool     tombstone;
    corm_bytes
        path; /* multi-cell: set element, map key (wire form), list timeuuid (16), UDT field (u16) */
    corm_bytes value; /* sets: empty */
} engine_cell;

typedef struct engine_column_image {
    uint32_t     id;
    bool         is_complex;
    int64_t      deleted_at; /* complex deletion, or ENGINE_NO_TIMESTAMP */
    uint32_t     deleted_local;
    uint32_t     cell_count, cell_capacity;
    engine_cell *cells; /* simple: 1; complex: in the order of the type (list: by timeuuid) */
} engine_column_image;

/* A row decoded; lives in an arena with all it points to (values may borrow from the stored bytes). */
typedef struct engine_row {
    uint32_t   clustering_count; /* 0 for a static row */
    cql_value *clustering;
    bool       has_liveness;
    engine_cell
        liveness; /* timestamp, ttl, expires; tombstone: it has expired, and the feed has told so */
    int64_t              deleted_at;
    uint32_t             deleted_local;
    uint32_t             column_count, column_capacity;
    engine_column_image *columns; /* by id */
} engine_row;

CORM_CHECKED corm_status engine__row_decode(const cql_table *table, bool is_static,
                                            corm_bytes bytes, base_arena *arena, engine_row *out,
                                            corm_error *err);

/* Appends the bytes. A row that holds nothing at all (no liveness, no deletion, no cell) is *empty: not to be stored. */
CORM_CHECKED corm_status engine__row_encode(const cql_table *table, const engine_row *row,
                                            base_buf *out, bool *empty, corm_error *err);

/* ---- reading without an image ---- */

/* What a reader wants to know of a row. */
typedef struct engine_row_read {
    bool
         live; /* has a live marker or a live cell of any column: the row exists. Cells of columns that are not needed count
                * only from the marker's timestamp on, also when the marker has expired */
    bool has_liveness; /* its marker is live */
    uint32_t
        tombstones; /* cells of needed columns that are not live; 1 for a deletion of the row where there is nothing else */
} engine_row_read;

/* Fills values[column->index] for the needed columns that the row holds (static columns from a static row, clustering and
 * regular from a row): wire form, multi-cell columns assembled in the arena, absent or expired CQL_NULL. Columns not
 * needed are left alone. Expiry is judged at now_s. */
CORM_CHECKED corm_status engine__row_read(const cql_table *table, bool is_static, corm_bytes bytes,
                                          uint32_t now_s, const cql_column *const *needed,
                                          uint32_t needed_count, base_arena *arena,
                                          cql_value *values, engine_row_read *out, corm_error *err);

/* WRITETIME, MAXWRITETIME or TTL of a column of the row (node->args[0] names it; see cql/check.h). */
CORM_CHECKED corm_status engine__row_metadata(const cql_table *table, bool is_static,
                                              corm_bytes bytes, uint32_t now_s,
                                              const cql_node *node, cql_eval_env *env,
                                              cql_value *out, corm_error *err);

/* Cells of the column at or below this timestamp are hidden: it was dropped then, and added again. */
int64_t engine__hidden_until(const cql_table *table, const cql_column *column);

/* ---- reconciliation (research: Cells.java, CASSANDRA-14592) ---- */

/* Whether `a` wins over `b`: higher timestamp; on a tie tombstone or expiring over live; tombstone over expiring; later local
 * deletion time; smaller TTL, which was written later; larger value (unsigned bytes). Counters: a tombstone always wins. */
bool engine__cell_wins(const engine_cell *a, const engine_cell *b);

/* Whether the cell holds a value at now_s. */
static inline bool engine__cell_is_live(const engine_cell *cell, uint32_t now_s) {
    return !cell->tombstone && (cell->ttl == 0 || cell->expires > now_s);
}

#endif
