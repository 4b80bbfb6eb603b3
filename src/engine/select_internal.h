// SPDX-License-Identifier: MIT
/* select_internal.h -- one SELECT being executed, as its files share it. Private to select*.c.
 *
 *   sources (select_source.c, _index.c)  rows (select_row.c)                 out (select_emit.c, select_group.c)
 *   one partition, several, a token    begin partition ─ row ─ end         project, JSON, sort, group,
 *   range, an index, a virtual table   liveness, filters, statics          LIMITs, pages
 *
 * Values borrow from the store's pages; assembled collections live in row_arena (until the next row) or, for static
 * columns, in partition_arena. */
#ifndef ENGINE_SELECT_INTERNAL_H
#define ENGINE_SELECT_INTERNAL_H

#include "engine/bounds.h"
#include "engine/store.h"

/* Where a page ended, and what is left of the limits. Travels as the paging state. */
typedef struct select_position {
    bool       present;
    corm_bytes key; /* data key of the last row given; kind ENGINE_KEY_END: its partition is done */
    uint32_t   limit;          /* left */
    uint32_t   partition_rows; /* given of that partition */
} select_position;

typedef struct select_sorted select_sorted;
typedef struct select_group  select_group;
typedef struct select_ann    select_ann;

typedef struct select_run {
    engine_request           *request;
    const cql_checked_select *select;
    const cql_table          *table;
    cql_eval_env              env;
    cql_row_view              view;
    cql_value                *values; /* by column index */
    cql_value                *masked; /* the same with masks in place; NULL: nothing is hidden */
    base_arena                row_arena, partition_arena;

    /* what is asked */
    uint32_t          limit;         /* rows or groups left */
    uint32_t          per_partition; /* at most of one partition */
    bool              paged;
    uint32_t          page_left;
    engine_partition *partitions; /* by key; NULL: not restricted */
    uint32_t          partition_count;
    engine_bound     *bounds; /* of clustering; NULL: every row */
    uint32_t          bound_count;
    bool
        whole_partition; /* no clustering or regular column is restricted: static content counts as a row */
    bool            grouped;
    select_position resume; /* where the last page ended */

    /* the partition and the row under way */
    base_buf   prefix; /* its data keys' */
    bool       in_partition;
    bool       had_row; /* a live row was met in it */
    bool       static_live;
    bool       skip_partition;        /* nothing more is wanted of it */
    uint32_t   live_rows, tombstones; /* met */
    uint32_t   partition_rows;
    corm_bytes row_bytes, static_bytes; /* for WRITETIME and TTL; data NULL: none */

    /* what comes out */
    wire_rows_writer writer;
    bool             stop; /* the page or the limit is full */
    bool             has_more;
    bool             last_was_static;
    base_buf         last_key; /* position of the last row given */
    select_sorted   *sorted;
    select_group    *group;
    select_ann      *ann; /* ORDER BY … ANN OF */
} select_run;

/* ---- rows ---- */

/* Goes to the partition of the key, if it is another one; its static row is read when `static_bytes` is NULL (and the
 * table has static columns), else taken from there. */
CORM_CHECKED corm_status select__enter_partition(select_run *run, const engine_key *key,
                                                 const corm_bytes *static_bytes, corm_error *err);
/* Gives the static content as a row when the partition had none. */
CORM_CHECKED corm_status select__leave_partition(select_run *run, corm_error *err);
/* A stored row of the partition. */
CORM_CHECKED corm_status select__row(select_run *run, corm_bytes key, corm_bytes bytes,
                                     corm_error *err);
/* Whether the clustering bytes are within the bounds. */
bool select__in_bounds(const select_run *run, corm_bytes clustering);
/* The values of the row are filled: filters, then out. `key` is its position. */
CORM_CHECKED corm_status select__visit(select_run *run, corm_bytes key, corm_error *err);

/* ---- sources ---- */

CORM_CHECKED corm_status select__partitions(select_run *run, corm_error *err);
CORM_CHECKED corm_status select__scan(select_run *run, corm_error *err);
CORM_CHECKED corm_status select__index(select_run *run, corm_error *err);
CORM_CHECKED corm_status select__virtual(select_run *run, corm_error *err);

/* What an index points to: the row with this data key, if it is stored; the rows within the bounds of the partition that
 * was entered. */
CORM_CHECKED corm_status select__read_row(select_run *run, corm_bytes data_key, corm_error *err);
CORM_CHECKED corm_status select__read_bounds(select_run *run, corm_error *err);

/* ---- out ---- */

/* A row of the result: the selectors on the row under way. */
CORM_CHECKED corm_status select__emit(select_run *run, corm_bytes key, corm_error *err);
/* Counts a row or group given at `key` and stops where a limit or the page is full. */
CORM_CHECKED corm_status select__count(select_run *run, corm_bytes key, corm_error *err);
/* Puts masks over the values of the row under way, for all that leaves: selectors, aggregates. Filters, groups and sorts see
 * what is stored. select__unmask takes them off. */
CORM_CHECKED corm_status select__mask(select_run *run, corm_error *err);
void                     select__unmask(select_run *run);
/* Writes the selectors' values for the row in run->env. */
CORM_CHECKED corm_status select__project(select_run *run, base_buf *body, corm_error *err);
/* The same with what masked columns show in place of their values. */
CORM_CHECKED corm_status select__project_row(select_run *run, base_buf *body, corm_error *err);

CORM_CHECKED corm_status select__sort_begin(select_run *run, corm_error *err);
CORM_CHECKED corm_status select__sort_row(select_run *run, corm_error *err);
/* The group under way, by the values of its first row. */
CORM_CHECKED corm_status select__sort_group(select_run *run, corm_error *err);
CORM_CHECKED corm_status select__sort_end(select_run *run, corm_error *err);
void                     select__sort_free(select_run *run);

CORM_CHECKED corm_status select__group_begin(select_run *run, corm_error *err);
CORM_CHECKED corm_status select__group_row(select_run *run, corm_bytes key, corm_error *err);
CORM_CHECKED corm_status select__group_end(select_run *run, corm_error *err);
void                     select__group_free(select_run *run);

/* ORDER BY … ANN OF: the limits, the query's vector; rows of any source are kept by their likeness; the most alike are put. */
CORM_CHECKED corm_status select__ann_begin(select_run *run, corm_error *err);
CORM_CHECKED corm_status select__ann_read(select_run *run, corm_error *err);
/* Whether the source goes on: it may look at so many rows only. */
bool                     select__ann_goes_on(select_run *run);
CORM_CHECKED corm_status select__ann_row(select_run *run, corm_bytes key, corm_error *err);
CORM_CHECKED corm_status select__ann_end(select_run *run, corm_error *err);
void                     select__ann_free(select_run *run);

/* ---- paging state ---- */

void                     select__put_paging_state(const select_run *run, base_buf *out);
CORM_CHECKED corm_status select__read_paging_state(select_run *run, corm_bytes state,
                                                   corm_error *err);

#endif
