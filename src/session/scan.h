// SPDX-License-Identifier: MIT
/* scan.h -- what the files of a scan share. Private to this folder.
 *
 *   the ring  (MIN ─────────────────────────────────────────── MAX]
 *   pieces    (─────](───](─────](─────](──](─────](─────](─────]     scan_range.c
 *   lanes     └──── lane 0 ────┘└─ lane 1 ─┘└───── lane 2 ──────┘     scan.c
 *
 * A lane reads its pieces one behind the other; one that has none left takes half of what another still has to begin. */
#ifndef SESSION_SCAN_H
#define SESSION_SCAN_H

#include "corm/schema.h"
#include "session/window.h"

/* The tokens after `start` up to and with `end`. */
typedef struct scan_piece {
    int64_t start, end;
    bool    done;
    uint8_t
        *state; /* malloc'ed: the paging state behind the last page that was seen; NULL: none was */
    size_t state_len;
} scan_piece;

typedef struct scan_pieces {
    scan_piece *items;
    uint32_t    count, capacity;
} scan_pieces;

/* How wide a piece is; the whole ring is UINT64_MAX. */
static inline uint64_t scan__width(const scan_piece *piece) {
    return (uint64_t)piece->end - (uint64_t)piece->start;
}

/* A piece at the end; `state` is copied. */
CORM_CHECKED corm_status scan__add_piece(scan_pieces *pieces, int64_t start, int64_t end,
                                         corm_bytes state, corm_error *err);
void                     scan__free_pieces(scan_pieces *pieces);
CORM_CHECKED corm_status scan__set_state(scan_piece *piece, corm_bytes state, corm_error *err);

/* Where pieces must end: the ring's tokens, sorted; and how many there are in the whole ring, at least. */
typedef struct scan_cuts {
    const int64_t *tokens;
    uint32_t       count, pieces;
} scan_cuts;

/* Cuts the tokens after `start` up to `end` into pieces. */
CORM_CHECKED corm_status scan__cut(scan_pieces *pieces, int64_t start, int64_t end,
                                   const scan_cuts *cuts, corm_error *err);

/* The whole ring, or what a checkpoint of this query has left of it, cut at the nodes' tokens into `ranges` pieces at least. */
typedef struct scan_ring {
    uint32_t    ranges;
    const char *resume; /* NULL: the whole ring */
    uint64_t    query;
} scan_ring;
CORM_CHECKED corm_status scan__make_pieces(corm_session *session, const scan_ring *ring,
                                           scan_pieces *pieces, corm_error *err);
/* The width of those that are not done. */
uint64_t scan__left(const scan_pieces *pieces);

/* A SELECT of the rows between two tokens, which are its markers; further conditions may have others. */
typedef struct scan_select {
    const char *columns, *where; /* NULL: all; none */
    bool        allow_filtering;
} scan_select;
void scan__put_select(const corm_table_info *table, const scan_select *select, base_buf *out);

/* Appends what is left to be read as a text, and reads it again: the ranges without a paging state are cut anew. `query` is what the
 * text belongs to. */
void scan__put_checkpoint(const scan_pieces *pieces, uint64_t query, base_buf *out);
CORM_CHECKED corm_status scan__read_checkpoint(const char *text, uint64_t query,
                                               const scan_cuts *cuts, scan_pieces *pieces,
                                               corm_error *err);

#endif
