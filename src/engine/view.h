// SPDX-License-Identifier: MIT
/* view.h -- materialized views: which row a view has for a row of its base table.
 *
 * A view's row is a function of one stored row of the base table, and of nothing else: no clock, no other row, no history. So a
 * writer computes it from the image before and after a change, and what is stored can be compared with what should be. All rules
 * of reconciliation are the base's; views hold no tombstones and no deletions, for nobody writes to them late.
 *
 * Private to the writers and to verify. */
#ifndef ENGINE_VIEW_H
#define ENGINE_VIEW_H

#include "engine/write_internal.h"

typedef struct engine_view_row {
    bool       exists;
    corm_bytes key; /* data key, in the arena */
    engine_row row; /* values borrow from the base's row */
} engine_view_row;

/* `data_key` and `row` are the base's; a row without marker and columns has none in any view. CORM_INVALID: a value is too long
 * for a key. */
CORM_CHECKED corm_status engine__view_row(const cql_table *base, const cql_table *view,
                                          corm_bytes data_key, const engine_row *row,
                                          base_arena *arena, engine_view_row *out, corm_error *err);

/* Adds to the request's images those of the views that its changed images have: the first stage of a flush. */
CORM_CHECKED corm_status engine__write_views(engine_write *write, corm_error *err);

/* Fills a new view from the rows of its base table. */
CORM_CHECKED corm_status engine__view_build(kv_txn *txn, const cql_table *base,
                                            const cql_table *view, corm_error *err);

/* Holds the rows of all views of the table against one of its rows; counts them in *rows. */
CORM_CHECKED corm_status engine__verify_views(const cql_schema *schema, kv_txn *txn,
                                              const cql_table *base, corm_bytes data_key,
                                              const engine_row *row, base_arena *arena,
                                              uint64_t *rows, corm_error *err);

#endif
